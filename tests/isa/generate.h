/* generate.h: random vectors for a pattern of the decode table, and random sequences of them. */
#ifndef PENG_TESTS_ISA_GENERATE_H
#define PENG_TESTS_ISA_GENERATE_H

#include <stdbool.h>

#include "core/arm64/decode.h"
#include "vector.h"

/* One instruction of pattern `p` in `slot`, its registers and memory. False where no word was found
 * that is defined and predictable (a pattern for which that happens always has no test). */
bool generate_single(uint64_t *random, const struct a64_pattern *p, unsigned slot,
                     struct vector *ret);

/* 5 to 30 instructions drawn from `patterns` with forward branches, all memory accesses in or close
 * to the scratch page. */
void generate_sequence(uint64_t *random, const struct a64_pattern *const *patterns,
                       unsigned pattern_count, unsigned slot, struct vector *ret);

/* Any word at all, with registers that make a memory access fault rather than hit. */
void generate_word(uint64_t *random, unsigned slot, struct vector *ret);

#endif
