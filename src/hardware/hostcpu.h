/* hostcpu.h: what the host's CPU can do, of what the translator uses: so it is all of x86-64. */
#ifndef PENG_HARDWARE_HOSTCPU_H
#define PENG_HARDWARE_HOSTCPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct hostcpu {
    bool sse42; /* and what comes before it */
    bool avx2;  /* with AVX */
    bool bmi2;  /* with BMI1 */
    bool fma, f16c, lzcnt, cx16;
    bool fsgsbase; /* and the OS lets programs use it */
    bool aes, pclmul, sha, gfni, vaes, vpclmul;
    bool avx512vl; /* F, VL, BW, DQ and CD together, and the OS saves ZMM state */
    bool avx512vbmi, avx512vbmi2, avx512bitalg, avx512vnni;
};

/* On a host that is not x86-64 every field is false. */
void hostcpu_detect(struct hostcpu *cpu);
/* As a set of bits, for the same program on the same host. */
uint64_t hostcpu_pack(const struct hostcpu *cpu);
void hostcpu_unpack(uint64_t set, struct hostcpu *ret_cpu);

/* A CPU that has what the list says and nothing else: names between commas, as /proc/cpuinfo has
 * them. "avx2" stands for its whole generation (FMA, BMI2, LZCNT and FSGSBASE, too), unless
 * "sse4_2", the least that the translator can do with, is named as well; one of both must be.
 * Errors: EINVAL, with the names that exist. */
int hostcpu_parse(const char *list, struct hostcpu *ret_cpu, struct err *e);

/* With what the CPU virtualizes, as it says itself: the firmware may have switched it off. */
enum hostcpu_virtualization {
    HOSTCPU_NO_VIRTUALIZATION,
    HOSTCPU_NONE_IN_VM, /* and this host is a virtual machine */
    HOSTCPU_VMX,
    HOSTCPU_SVM,
    HOSTCPU_EL2, /* arm64, where programs cannot tell */
};
enum hostcpu_virtualization hostcpu_virtualization(void);

/* Makes `base` the base of GS for the calling thread, by the kernel. */
void hostcpu_set_gs(const void *base);

/* Takes from `cpu` what `allowed` does not have. */
void hostcpu_restrict(struct hostcpu *cpu, const struct hostcpu *allowed);

/* The names of the features of this host's CPU that matter here, for people; cut where `size` is
 * too small for all. */
void hostcpu_describe(char *text, size_t size);

#endif
