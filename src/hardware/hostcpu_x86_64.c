/* hostcpu_x86_64.c: which features there are, by the bits of CPUID's leaves (hostcpu_leaves.h).
 *
 * For tests a list by name takes from them.
 */
#include "hardware/hostcpu.h"

#include <asm/hwcap2.h>
#include <asm/prctl.h>
#include <assert.h>
#include <cpuid.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bytes.h"
#include "hardware/hostcpu_leaves.h"

/* FMA and F16C are VEX: without AVX2 they would be the only ones. AVX-512 without FMA there is
 * none.
 */
static void leave_to_sse(struct hostcpu *cpu)
{
    if (!cpu->avx2)
        cpu->fma = cpu->f16c = cpu->vaes = cpu->vpclmul = false;
    if (!cpu->fma)
        cpu->avx512vl = false;
}

/* Intel SDM volume 2A, CPUID; AMD APM volume 3, appendix E. */
void hostcpu_detect(struct hostcpu *cpu)
{
    struct hostcpu_leaves has;
    hostcpu_leaves(&has);
    const uint32_t bmi = bit_BMI | bit_BMI2;
    const uint32_t avx512 = bit_AVX512F | bit_AVX512VL | bit_AVX512BW | bit_AVX512DQ;
    *cpu = (struct hostcpu){
        .sse42 = has.basic_ecx & bit_SSE4_2,
        .avx2 = has.more_ebx & bit_AVX2,
        .fma = has.basic_ecx & bit_FMA,
        .f16c = has.basic_ecx & bit_F16C,
        .bmi2 = (has.more_ebx & bmi) == bmi,
        .lzcnt = has.extended_ecx & bit_LZCNT,
        .cx16 = has.basic_ecx & bit_CMPXCHG16B,
        .fsgsbase = getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE,
        .aes = has.basic_ecx & bit_AES,
        .pclmul = has.basic_ecx & bit_PCLMUL,
        .sha = has.more_ebx & bit_SHA,
        .gfni = has.more_ecx & bit_GFNI,
        .vaes = has.more_ecx & bit_VAES,
        .vpclmul = has.more_ecx & bit_VPCLMULQDQ,
        .avx512vl = (has.more_ebx & avx512) == avx512,
        .avx512vbmi = has.more_ecx & bit_AVX512VBMI,
        .avx512vbmi2 = has.more_ecx & bit_AVX512VBMI2,
        .avx512bitalg = has.more_ecx & bit_AVX512BITALG,
        .avx512vnni = has.more_ecx & bit_AVX512VNNI,
    };
    leave_to_sse(cpu);
}

static_assert(sizeof(struct hostcpu) <= 64, "a bit a feature");

uint64_t hostcpu_pack(const struct hostcpu *cpu)
{
    uint64_t set = 0;
    for (size_t i = 0; i < sizeof(*cpu); i++)
        set |= (uint64_t)((const bool *)cpu)[i] << i;
    return set;
}

void hostcpu_unpack(uint64_t set, struct hostcpu *ret_cpu)
{
    for (size_t i = 0; i < sizeof(*ret_cpu); i++)
        ((bool *)ret_cpu)[i] = set >> i & 1;
}

/* arch/x86/include/asm/cpufeatures.h has the names; AVX-512's basic parts come together. */
static const struct hostcpu_name {
    const char *name;
    size_t offset;
} names[] = {
    {"sse4_2", offsetof(struct hostcpu, sse42)},
    {"avx2", offsetof(struct hostcpu, avx2)},
    {"fma", offsetof(struct hostcpu, fma)},
    {"bmi2", offsetof(struct hostcpu, bmi2)},
    {"abm", offsetof(struct hostcpu, lzcnt)},
    {"fsgsbase", offsetof(struct hostcpu, fsgsbase)},
    {"f16c", offsetof(struct hostcpu, f16c)},
    {"cx16", offsetof(struct hostcpu, cx16)},
    {"aes", offsetof(struct hostcpu, aes)},
    {"pclmulqdq", offsetof(struct hostcpu, pclmul)},
    {"sha_ni", offsetof(struct hostcpu, sha)},
    {"gfni", offsetof(struct hostcpu, gfni)},
    {"vaes", offsetof(struct hostcpu, vaes)},
    {"vpclmulqdq", offsetof(struct hostcpu, vpclmul)},
    {"avx512vl", offsetof(struct hostcpu, avx512vl)},
    {"avx512vbmi", offsetof(struct hostcpu, avx512vbmi)},
    {"avx512_vbmi2", offsetof(struct hostcpu, avx512vbmi2)},
    {"avx512_bitalg", offsetof(struct hostcpu, avx512bitalg)},
    {"avx512_vnni", offsetof(struct hostcpu, avx512vnni)},
};

static int unknown(const char *name, size_t length, struct err *e)
{
    char known[200] = "";
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        size_t used = strlen(known);
        snprintf(known + used, sizeof(known) - used, "%s%s", i ? " " : "", names[i].name);
    }
    return err_set(e, EINVAL, "%.*s: not one of %s", (int)length, name, known);
}

int hostcpu_parse(const char *list, struct hostcpu *ret_cpu, struct err *e)
{
    struct hostcpu cpu = {0};
    for (const char *at = list;; at++) {
        size_t length = strcspn(at, ","), i = 0;
        while (i < ARRAY_SIZE(names) &&
               (strlen(names[i].name) != length || memcmp(names[i].name, at, length) != 0))
            i++;
        if (i == ARRAY_SIZE(names))
            return unknown(at, length, e);
        *(bool *)((char *)&cpu + names[i].offset) = true;
        at += length;
        if (!*at)
            break;
    }
    if (!cpu.sse42 && !cpu.avx2)
        return err_set(e, EINVAL, "sse4_2 or avx2 must be among them: there is no way with less");
    if (!cpu.sse42)
        cpu.sse42 = cpu.fma = cpu.bmi2 = cpu.lzcnt = cpu.fsgsbase = true;
    leave_to_sse(&cpu);
    *ret_cpu = cpu;
    return 0;
}

void hostcpu_describe(char *text, size_t size)
{
    struct hostcpu cpu;
    hostcpu_detect(&cpu);
    size_t used = 0;
    text[0] = 0;
    for (size_t i = 0; i < ARRAY_SIZE(names) && used < size; i++)
        if (*((const bool *)&cpu + names[i].offset))
            used +=
                (size_t)snprintf(text + used, size - used, "%s%s", used ? " " : "", names[i].name);
}

/* Here CPUID itself: the C library has no bit for a hypervisor, and who asks has failed already. */
enum hostcpu_virtualization hostcpu_virtualization(void)
{
    enum { VMX = 1 << 5, SVM = 1 << 2, HYPERVISOR = 1u << 31 }; /* SDM volume 2A, APM volume 3 */
    unsigned eax, ebx, ecx, edx;
    unsigned basic = __get_cpuid(1, &eax, &ebx, &ecx, &edx) ? ecx : 0;
    unsigned extended = __get_cpuid(0x80000001, &eax, &ebx, &ecx, &edx) ? ecx : 0;
    if (basic & VMX)
        return HOSTCPU_VMX;
    if (extended & SVM)
        return HOSTCPU_SVM;
    return basic & HYPERVISOR ? HOSTCPU_NONE_IN_VM : HOSTCPU_NO_VIRTUALIZATION;
}

void hostcpu_set_gs(const void *base)
{
    long r = syscall(SYS_arch_prctl, ARCH_SET_GS, base);
    assert(r == 0);
}

void hostcpu_restrict(struct hostcpu *cpu, const struct hostcpu *allowed)
{
    bool *has = (bool *)cpu;
    for (size_t i = 0; i < sizeof(*cpu); i++)
        has[i] &= ((const bool *)allowed)[i];
}
