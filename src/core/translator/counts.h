/* counts.h: what a CPU's thread did under the translator, for --stats: how often it came back to
 * the run loop and why, and where its time went.
 *
 * Counters are plain: each belongs to one thread, and is read when that has ended or rests. Time is
 * taken (by the time stamp counter) only where --stats asked for it.
 */
#ifndef PENG_CORE_TRANSLATOR_COUNTS_H
#define PENG_CORE_TRANSLATOR_COUNTS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <x86intrin.h>

/* What a thread may be doing. */
enum counts_time {
    COUNTS_OUTSIDE, /* of the translator: system calls, signals, waiting for interrupts */
    COUNTS_RUN_LOOP,
    COUNTS_RUNNING,      /* translated code */
    COUNTS_TRANSLATING,  /* or waiting for the lock, or reading from the store */
    COUNTS_INTERPRETING, /* what units leave to the interpreter; in machines also devices */
    COUNTS_TIMES,
};

struct counts {
    uint64_t lookups, walks;
    uint64_t direct, indirect, closed, samples, steps, calls; /* units left, by reason */
    uint64_t links, context_changes;
    uint64_t interpreted; /* instructions, from within units */
    uint64_t ticks[COUNTS_TIMES];
    /* Not summed: */
    uint64_t since;
    enum counts_time now;
    bool timed;
};

/* From here on the thread does this. Returns what it did before. */
static inline enum counts_time counts_turn(struct counts *c, enum counts_time to)
{
    enum counts_time from = c->now;
    if (c->timed) {
        uint64_t ticks = __rdtsc();
        c->ticks[from] += ticks - c->since;
        c->since = ticks;
        c->now = to;
    }
    return from;
}

static inline void counts_start(struct counts *c, bool timed)
{
    *c = (struct counts){.timed = timed, .since = timed ? __rdtsc() : 0};
}

void counts_add(struct counts *sum, const struct counts *c);

/* "name: value" lines; times where they were taken, `ticks_per_us` to a microsecond. */
void counts_print(const struct counts *c, double ticks_per_us, FILE *out);

/* One such line. */
static inline void counts_line(FILE *out, const char *name, uint64_t value)
{
    fprintf(out, "%s: %llu\n", name, (unsigned long long)value);
}

#endif
