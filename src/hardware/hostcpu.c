/* hostcpu.c: feature bits as the C library found them when the process started, the OS's XCR0
 * included. CPUID itself is not asked: where the host is a virtual machine each one is an exit to
 * its hypervisor, tens of microseconds, which every start of peng-arm64 would pay.
 */
#include "hardware/hostcpu.h"

#include <sys/platform/x86.h>

void hostcpu_detect(struct hostcpu *cpu)
{
    *cpu = (struct hostcpu){
        .sse41 = CPU_FEATURE_ACTIVE(SSE4_1),
        .avx = CPU_FEATURE_ACTIVE(AVX),
        .avx2 = CPU_FEATURE_ACTIVE(AVX2),
        .fma = CPU_FEATURE_ACTIVE(FMA),
        .f16c = CPU_FEATURE_ACTIVE(F16C),
        .bmi1 = CPU_FEATURE_ACTIVE(BMI1),
        .bmi2 = CPU_FEATURE_ACTIVE(BMI2),
        .lzcnt = CPU_FEATURE_ACTIVE(LZCNT),
        .popcnt = CPU_FEATURE_ACTIVE(POPCNT),
        .cx16 = CPU_FEATURE_ACTIVE(CMPXCHG16B),
        .aes = CPU_FEATURE_ACTIVE(AES),
        .pclmul = CPU_FEATURE_ACTIVE(PCLMULQDQ),
        .sha = CPU_FEATURE_ACTIVE(SHA),
        .gfni = CPU_FEATURE_ACTIVE(GFNI),
        .vaes = CPU_FEATURE_ACTIVE(VAES),
        .vpclmul = CPU_FEATURE_ACTIVE(VPCLMULQDQ),
        .avx512vl = CPU_FEATURE_ACTIVE(AVX512F) && CPU_FEATURE_ACTIVE(AVX512VL) &&
                    CPU_FEATURE_ACTIVE(AVX512BW) && CPU_FEATURE_ACTIVE(AVX512DQ),
        .avx512vbmi = CPU_FEATURE_ACTIVE(AVX512_VBMI),
        .avx512bitalg = CPU_FEATURE_ACTIVE(AVX512_BITALG),
    };
}
