/* hostcpu.c: feature bits as the C library found them when the process started, the OS's XCR0
 * included. CPUID itself is not asked: where the host is a virtual machine each one is an exit to
 * its hypervisor, tens of microseconds, which every start of peng-arm64 would pay.
 */
#include "hardware/hostcpu.h"

#include <sys/platform/x86.h>

/* As x86_cpu_active() of the header, which shifts a signed 1 into its sign. */
static bool active(unsigned index)
{
    enum { REGISTER_BITS = 32, LEAF_BITS = 4 * REGISTER_BITS };
    const struct cpuid_feature *leaf = __x86_get_cpuid_feature_leaf(index / LEAF_BITS);
    return leaf->active_array[index % LEAF_BITS / REGISTER_BITS] >> index % REGISTER_BITS & 1;
}

#define HAS(feature) active(x86_cpu_##feature)

void hostcpu_detect(struct hostcpu *cpu)
{
    *cpu = (struct hostcpu){
        .sse41 = HAS(SSE4_1),
        .avx = HAS(AVX),
        .avx2 = HAS(AVX2),
        .fma = HAS(FMA),
        .f16c = HAS(F16C),
        .bmi1 = HAS(BMI1),
        .bmi2 = HAS(BMI2),
        .lzcnt = HAS(LZCNT),
        .popcnt = HAS(POPCNT),
        .cx16 = HAS(CMPXCHG16B),
        .aes = HAS(AES),
        .pclmul = HAS(PCLMULQDQ),
        .sha = HAS(SHA),
        .gfni = HAS(GFNI),
        .vaes = HAS(VAES),
        .vpclmul = HAS(VPCLMULQDQ),
        .avx512vl = HAS(AVX512F) && HAS(AVX512VL) && HAS(AVX512BW) && HAS(AVX512DQ),
        .avx512vbmi = HAS(AVX512_VBMI),
        .avx512bitalg = HAS(AVX512_BITALG),
    };
}
