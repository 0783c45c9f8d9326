/* hostcpu_leaves_glibc.c: as glibc found them when the process started (2.33 and later). */
#include "hardware/hostcpu_leaves.h"

#include <stddef.h>
#include <sys/platform/x86.h>

/* In cpuid_array and active_array. */
enum { EBX = 1, ECX = 2 };

static uint32_t active(unsigned leaf, unsigned reg)
{
    return __x86_get_cpuid_feature_leaf(leaf)->active_array[reg];
}

void hostcpu_leaves(struct hostcpu_leaves *ret)
{
    *ret = (struct hostcpu_leaves){
        .basic_ecx = active(CPUID_INDEX_1, ECX),
        .more_ebx = active(CPUID_INDEX_7, EBX),
        .more_ecx = active(CPUID_INDEX_7, ECX),
        .extended_ecx = active(CPUID_INDEX_80000001, ECX),
    };
}
