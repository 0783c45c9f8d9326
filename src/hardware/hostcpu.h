/* hostcpu.h: what the host's x86-64 CPU can do, asked once by CPUID. */
#ifndef PENG_HARDWARE_HOSTCPU_H
#define PENG_HARDWARE_HOSTCPU_H

#include <stdbool.h>

struct hostcpu {
    bool sse41, avx, avx2, fma, f16c, bmi1, bmi2, lzcnt, popcnt, cx16;
    bool aes, pclmul, sha, gfni, vaes, vpclmul;
    bool avx512vl; /* F, VL, BW, DQ and CD together, and the OS saves ZMM state */
    bool avx512vbmi, avx512bitalg;
};

/* On a host that is not x86-64 every field is false. */
void hostcpu_detect(struct hostcpu *cpu);

#endif
