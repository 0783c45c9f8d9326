/* trace.h: what a machine does, written to a file for whoever looks for a mistake: `--trace`.
 *
 * Costs one test of a pointer and a bit where it is off, and stands on no hot path of translated
 * code.
 */
#ifndef PENG_BASE_TRACE_H
#define PENG_BASE_TRACE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

enum trace_kind {
    TRACE_EXEC = 1,   /* each instruction before it runs */
    TRACE_INT = 2,    /* exceptions and interrupts taken, and returns from them */
    TRACE_MMU = 4,    /* TLB fills, faults of translation, TLB maintenance */
    TRACE_VIRTIO = 8, /* requests to virtio devices */
};

struct trace {
    FILE *out;         /* borrowed; its own lock keeps lines whole */
    unsigned kinds;    /* enum trace_kind bits */
    uint64_t start_ns; /* CLOCK_MONOTONIC; lines begin with microseconds since then */
};

/* The bit for "exec", "int", "mmu" or "virtio"; 0 for anything else. */
unsigned trace_kind_named(const char *name);
void trace_init(struct trace *trace, FILE *out, unsigned kinds);

static inline bool trace_on(const struct trace *trace, enum trace_kind kind)
{
    return trace && trace->kinds & kind;
}

/* One line: "SECONDS.MICROS text". Any thread; only where trace_on(). */
void trace_print(const struct trace *trace, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
