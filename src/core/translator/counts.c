/* counts.c: the names of the counters, and their sum. */
#include "core/translator/counts.h"

#include <stddef.h>

#include "base/bytes.h"

static const struct {
    const char *name;
    size_t offset;
} rows[] = {
    {"lookups", offsetof(struct counts, lookups)},
    {"lookups past the jump cache", offsetof(struct counts, walks)},
    {"exits by unlinked direct jumps", offsetof(struct counts, direct)},
    {"exits by indirect jumps", offsetof(struct counts, indirect)},
    {"exits of units whose code changed", offsetof(struct counts, closed)},
    {"exits by back edges that spent their budget", offsetof(struct counts, samples)},
    {"exits for an instruction", offsetof(struct counts, steps)},
    {"exits for a system call", offsetof(struct counts, calls)},
    {"links", offsetof(struct counts, links)},
    {"context changes", offsetof(struct counts, context_changes)},
    {"instructions interpreted within units", offsetof(struct counts, interpreted)},
};

static const char *const times[COUNTS_TIMES] = {
    [COUNTS_OUTSIDE] = "outside",           [COUNTS_RUN_LOOP] = "in the run loop",
    [COUNTS_RUNNING] = "running",           [COUNTS_TRANSLATING] = "translating",
    [COUNTS_INTERPRETING] = "interpreting",
};

static uint64_t *field(struct counts *c, size_t offset)
{
    return (uint64_t *)(void *)((char *)c + offset);
}

void counts_add(struct counts *sum, const struct counts *c)
{
    struct counts copy = *c;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        *field(sum, rows[i].offset) += *field(&copy, rows[i].offset);
    for (unsigned i = 0; i < COUNTS_TIMES; i++)
        sum->ticks[i] += c->ticks[i];
    sum->timed |= c->timed;
}

void counts_print(const struct counts *c, double ticks_per_us, FILE *out)
{
    struct counts copy = *c;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        counts_line(out, rows[i].name, *field(&copy, rows[i].offset));
    for (unsigned i = 0; c->timed && i < COUNTS_TIMES; i++)
        fprintf(out, "microseconds %s: %.0f\n", times[i], (double)c->ticks[i] / ticks_per_us);
}
