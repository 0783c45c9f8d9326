/* atomic128_x86_64.c: CMPXCHG16B, which every x86-64 server CPU has; only GCC's older __sync
 * builtins promise to use it instead of a lock that guest code, running translated, would not take.
 */
#include "hardware/atomic128.h"

__attribute__((target("cx16"))) bool atomic128_swap_if(void *at, uint64_t expected[2],
                                                       const uint64_t desired[2])
{
    __uint128_t old = (__uint128_t)expected[1] << 64 | expected[0];
    __uint128_t new = (__uint128_t)desired[1] << 64 | desired[0];
    __uint128_t found = __sync_val_compare_and_swap((__uint128_t *)at, old, new);
    expected[0] = (uint64_t)found;
    expected[1] = (uint64_t)(found >> 64);
    return found == old;
}
