/* hostcpu.c: feature bits through the compiler's CPUID support, which also checks the OS's XCR0. */
#include "hardware/hostcpu.h"

void hostcpu_detect(struct hostcpu *cpu)
{
    *cpu = (struct hostcpu){0};
    __builtin_cpu_init();
#define HAS(field, name) cpu->field = __builtin_cpu_supports(name) != 0
    HAS(sse41, "sse4.1");
    HAS(avx, "avx");
    HAS(avx2, "avx2");
    HAS(fma, "fma");
    HAS(bmi1, "bmi");
    HAS(bmi2, "bmi2");
    HAS(popcnt, "popcnt");
    HAS(aes, "aes");
    HAS(pclmul, "pclmul");
    HAS(gfni, "gfni");
    HAS(vpclmul, "vpclmulqdq");
    HAS(avx512vbmi, "avx512vbmi");
    HAS(avx512bitalg, "avx512bitalg");
#undef HAS
    cpu->avx512vl = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                    __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
    unsigned a = 0, b = 0, c = 0, d = 0;
    __asm__("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "0"(1), "2"(0));
    cpu->cx16 = c >> 13 & 1;
    cpu->f16c = cpu->avx && (c >> 29 & 1);
    __asm__("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "0"(7), "2"(0));
    cpu->sha = b >> 29 & 1;
    cpu->vaes = cpu->avx2 && (c >> 9 & 1);
    __asm__("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "0"(0x80000001), "2"(0));
    cpu->lzcnt = c >> 5 & 1;
}
