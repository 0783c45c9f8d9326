/* lesser_host.h: a host with AVX2 and nothing that came later, whatever this one has. */
#ifndef PENG_TESTS_ISA_LESSER_HOST_H
#define PENG_TESTS_ISA_LESSER_HOST_H

#include "hardware/hostcpu.h"

static inline struct hostcpu lesser_host_cpu(void)
{
    return (struct hostcpu){.sse41 = true,
                            .avx = true,
                            .avx2 = true,
                            .fma = true,
                            .f16c = true,
                            .bmi1 = true,
                            .bmi2 = true,
                            .lzcnt = true,
                            .popcnt = true};
}

#endif
