/* runner.h: whatever can run a batch of vectors: Peng's engines and the outside oracles, behind one
 * table.
 */
#ifndef PENG_TESTS_ISA_RUNNER_H
#define PENG_TESTS_ISA_RUNNER_H

#include <stdbool.h>

#include "vector.h"

struct runner {
    const char *name;
    bool imprecise_faults; /* a fault's place and registers are not to be relied on */
    /* NZCV that would have been overwritten unread is not exact where a sequence faults before
     * that: a limit of the translator's (docs/TRANSLATOR.md). */
    bool dead_flags_inexact;
    bool defined_only; /* aborts on some undefined words, and this process with it */
    void *ctx;
    /* Fills results[0 .. batch->count). False: the runner itself failed (it said why on stderr). */
    bool (*run)(void *ctx, struct vector_batch *batch, struct vector_result *results);
    void (*close)(void *ctx);
};

/* Each fills *ret or returns false where this build or host has no such runner. */
bool runner_interpreter(struct runner *ret);
/* `host_features`: with no more than these of the host's (hostcpu_parse()); NULL: all. */
bool runner_translator(struct runner *ret, const char *host_features);
/* Everything by the second tier. */
bool runner_regions(struct runner *ret);
/* `program`: the oracle built for arm64; `emulator`: what runs it, e.g. "qemu-aarch64". */
bool runner_qemu(struct runner *ret, const char *emulator, const char *program);
/* The same under peng-arm64. */
bool runner_user(struct runner *ret, const char *emulator, const char *program);
bool runner_unicorn(struct runner *ret);

#endif
