/* atomic128_aarch64.c: a pair of load-acquire and store-release exclusives, which every arm64 CPU
 * has; the compilers' builtins may call a library that takes a lock.
 */
#include "hardware/atomic128.h"

bool atomic128_swap_if(void *at, uint64_t expected[2], const uint64_t desired[2])
{
    uint64_t low, high, new_low, new_high;
    uint32_t failed;
    /* What was found is stored back where it is not what was expected: only a pair whose store
     * succeeds is known to have been read at once (Arm ARM B2.2.1). */
    __asm__ volatile("1: ldaxp %[low], %[high], [%[at]]\n\t"
                     "cmp %[low], %[expected0]\n\t"
                     "ccmp %[high], %[expected1], #0, eq\n\t"
                     "csel %[new_low], %[desired0], %[low], eq\n\t"
                     "csel %[new_high], %[desired1], %[high], eq\n\t"
                     "stlxp %w[failed], %[new_low], %[new_high], [%[at]]\n\t"
                     "cbnz %w[failed], 1b"
                     : [low] "=&r"(low), [high] "=&r"(high), [new_low] "=&r"(new_low),
                       [new_high] "=&r"(new_high), [failed] "=&r"(failed)
                     : [at] "r"(at), [expected0] "r"(expected[0]), [expected1] "r"(expected[1]),
                       [desired0] "r"(desired[0]), [desired1] "r"(desired[1])
                     : "cc", "memory");
    bool same = low == expected[0] && high == expected[1];
    expected[0] = low;
    expected[1] = high;
    return same;
}
