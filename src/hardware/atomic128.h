/* atomic128.h: compare-and-swap of 16 bytes, which the compilers' own builtins may turn into a
 * lock. */
#ifndef PENG_HARDWARE_ATOMIC128_H
#define PENG_HARDWARE_ATOMIC128_H

#include <stdbool.h>
#include <stdint.h>

/* If the 16 bytes at `at` (16-byte aligned) are `expected` (low half first), makes them `desired`.
 * `expected` gets what was there. Sequentially consistent. */
bool atomic128_swap_if(void *at, uint64_t expected[2], const uint64_t desired[2]);

#endif
