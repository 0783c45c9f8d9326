/* vector.h: one test vector of the instruction tests and its result, and where they run.
 *
 * Shared with the oracle program that is built for arm64 (oracle_arm64.c), so it uses nothing of
 * Peng. Everything runs at the same virtual addresses in every engine and oracle: a vector owns a
 * slot of code, all share one scratch page of data.
 *
 * A slot is 64 words. The vector's instructions lie from word SLOT_START on; every word of the slot
 * that is none of them is a landing pad: control that reaches it has left the vector, and the
 * result says at which word. That is how branches are tested by the same means as everything else.
 */
#ifndef PENG_TESTS_ISA_VECTOR_H
#define PENG_TESTS_ISA_VECTOR_H

#include <stdint.h>

#define VECTOR_CODE_BASE 0x04000000u
#define VECTOR_SCRATCH_BASE                                                                        \
    0x04040000u                       /* in reach of a literal load; nothing is mapped beside it */
#define VECTOR_STATE_BASE 0x06000000u /* the oracle's register areas, one a word of the slot */

enum {
    SLOT_WORDS = 64,
    SLOT_BYTES = SLOT_WORDS * 4,
    SLOT_START = 20,
    VECTOR_INSNS_MAX = 32,
    SCRATCH_BYTES = 4096,
    BATCH_VECTORS = 256,
};

struct vector_state {
    uint64_t x[31];
    uint64_t sp;
    uint64_t v[32][2];
    uint64_t nzcv; /* bits 31..28, as MRS has it */
    uint64_t fpcr;
    uint64_t fpsr;
};

struct vector {
    uint32_t insn[VECTOR_INSNS_MAX];
    uint32_t count;
    uint32_t slot;         /* code address: VECTOR_CODE_BASE + slot * SLOT_BYTES */
    uint64_t scratch_seed; /* of the scratch page's first contents */
    struct vector_state in;
};

enum vector_end {
    VECTOR_LANDED,    /* reached a landing pad */
    VECTOR_UNDEFINED, /* the instruction is undefined */
    VECTOR_FAULTED,   /* a data or instruction abort, or an alignment fault */
    VECTOR_TRAPPED,   /* BRK, SVC and the like */
    VECTOR_LOST,      /* never came back */
};

struct vector_result {
    uint32_t end;  /* enum vector_end */
    uint32_t word; /* of the slot: the landing pad, or the instruction that did not complete */
    struct vector_state out;
    uint8_t scratch[SCRATCH_BYTES];
};

/* What this process and the oracle's share. */
struct vector_batch {
    uint32_t count;
    struct vector vectors[BATCH_VECTORS];
    struct vector_result results[BATCH_VECTORS];
};

static inline uint64_t vector_random(uint64_t *state) /* splitmix64 */
{
    uint64_t z = *state += 0x9e3779b97f4a7c15ull;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

/* Noise with runs of equal words in it, so that compare-and-swap and the minima meet equal values.
 */
static inline void vector_fill_scratch(uint64_t seed, uint8_t *scratch)
{
    uint64_t *words = (uint64_t *)(void *)scratch, last = 0;
    for (unsigned i = 0; i < SCRATCH_BYTES / 8; i++) {
        uint64_t r = vector_random(&seed);
        last = (r & 7) == 0 ? 0 : (r & 7) == 1 ? ~0ull : (r & 7) == 2 ? last : r;
        words[i] = last;
    }
}

#endif
