/* emit_bench.h: guest words to host code, for tests that look at what is emitted, on a host that
 * the test assumes: the machine that runs it does not matter.
 */
#ifndef PENG_TESTS_ISA_EMIT_BENCH_H
#define PENG_TESTS_ISA_EMIT_BENCH_H

#include <capstone/capstone.h>

#include "core/translator/lift.h"
#include "core/translator/lift_int.h"
#include "core/x86_64/emit.h"

enum { BENCH_CODE_BYTES = 64 << 10, BENCH_OFFSET = 2048, BENCH_PAGE = 0x400000 };

struct bench {
    csh capstone;
    bool user;
    struct hostcpu host;
    struct lift_table table;
    struct emit_stubs stubs;
    uint8_t code[BENCH_CODE_BYTES];
    struct x86_buf buf; /* units are written here, each over the one before */
    struct ir_unit unit;
    struct emit_result result;
};

enum bench_host {
    BENCH_SSE,    /* x86-64-v2 with what came at its time */
    BENCH_AVX2,   /* the same of AVX2's */
    BENCH_AVX512, /* all that peng uses of it */
};
/* User mode's code for the page at BENCH_PAGE (`user`) or machines'. */
void bench_init(struct bench *b, enum bench_host host, bool user);

/* Emits the words, at BENCH_OFFSET of an empty page, under a plain FPCR. False: too large. The code
 * starts at b->buf.at, its main part has b->result.main_bytes. */
bool bench_emit(struct bench *b, const uint32_t *words, unsigned count);

/* The main part calls the interpreter. */
bool bench_interprets(const struct bench *b);

/* Host instructions of the main part, less the jump that ends a unit cut short. */
unsigned bench_count(struct bench *b, unsigned words);

#endif
