/* hostcpu_leaves_cpuid.c: by CPUID and XGETBV, three exits to a hypervisor where there is one.
 *
 * Source: Intel SDM volume 1, 13.2 (XCR0) and 14.3, 15.2 (detection of AVX and AVX-512); AMD APM
 * volume 3, appendix E.
 */
#include "hardware/hostcpu_leaves.h"

#include <cpuid.h>
#include <stdbool.h>
#include <stddef.h>

enum {
    XCR0_AVX = 0x6,     /* SSE and AVX state */
    XCR0_AVX512 = 0xe0, /* masks, and the upper parts of the vector registers */
};

static uint32_t xcr0(void)
{
    uint32_t eax, edx;
    __asm__("xgetbv" : "=a"(eax), "=d"(edx) : "c"(0));
    return eax;
}

void hostcpu_leaves(struct hostcpu_leaves *ret)
{
    uint32_t eax, ebx, ecx, edx;
    *ret = (struct hostcpu_leaves){0};
    __cpuid(1, eax, ebx, ret->basic_ecx, edx);
    bool has_more = ret->basic_ecx & bit_AVX || __get_cpuid_max(0, NULL) >= 7;
    if (has_more)
        __cpuid_count(7, 0, eax, ret->more_ebx, ret->more_ecx, edx);
    __cpuid(0x80000001, eax, ebx, ret->extended_ecx, edx);
    uint32_t enabled = ret->basic_ecx & bit_OSXSAVE ? xcr0() : 0;
    if ((enabled & XCR0_AVX) != XCR0_AVX) {
        ret->basic_ecx &= ~(uint32_t)(bit_AVX | bit_FMA | bit_F16C);
        ret->more_ebx &= ~(uint32_t)bit_AVX2;
        ret->more_ecx &= ~(uint32_t)(bit_VAES | bit_VPCLMULQDQ);
    }
    if ((enabled & XCR0_AVX512) != XCR0_AVX512) {
        ret->more_ebx &= ~(uint32_t)(bit_AVX512F | bit_AVX512VL | bit_AVX512BW | bit_AVX512DQ);
        ret->more_ecx &=
            ~(uint32_t)(bit_AVX512VBMI | bit_AVX512VBMI2 | bit_AVX512VNNI | bit_AVX512BITALG);
    }
    (void)ecx;
}
