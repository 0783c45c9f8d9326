/* stats.c: --stats: what a process spent its time on, printed when it ends: how often the guest
 * left the translated code and why, its system calls by name, and the translator's own figures. The
 * lines are "name: value", under one that names the process.
 *
 * They go where standard error was at the start. A program that execs prints nothing for the one
 * that it was; a forked child counts on from its parent's figures. Counting costs a locked addition
 * a trap, and nothing without --stats.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/linux/linux_int.h"

enum { TRAP_CLASSES = 64, CALLS_SHOWN = 24 };

struct linux_stats {
    FILE *out;
    _Atomic uint64_t traps[TRAP_CLASSES];           /* by exception class */
    _Atomic uint64_t calls[LINUX_CALL_NUMBERS + 1]; /* the last: numbers that do not exist */
    _Atomic uint64_t requests;
};

int linux_stats_new(struct linux_process *p, struct err *e)
{
    struct linux_stats *s = calloc(1, sizeof *s);
    if (!s || !(s->out = fdopen(p->report_fd, "w"))) {
        free(s);
        return err_set_errno(e, ENOMEM, "--stats");
    }
    p->stats = s;
    return 0;
}

void linux_stats_trap(struct linux_thread *t, unsigned exception_class)
{
    enum { SVC = 0x15 };
    struct linux_stats *s = t->process->stats;
    uint64_t call = (uint32_t)t->cpu->x[8];
    atomic_fetch_add_explicit(&s->traps[exception_class % TRAP_CLASSES], 1, memory_order_relaxed);
    if (exception_class == SVC)
        atomic_fetch_add_explicit(&s->calls[call < LINUX_CALL_NUMBERS ? call : LINUX_CALL_NUMBERS],
                                  1, memory_order_relaxed);
}

void linux_stats_request(struct linux_thread *t)
{
    atomic_fetch_add_explicit(&t->process->stats->requests, 1, memory_order_relaxed);
}

static void print_traps(const struct linux_stats *s)
{
    static const struct {
        uint8_t exception_class;
        const char *name;
    } rows[] = {
        {0x15, "system calls"},      {0x00, "undefined instructions"},
        {0x18, "system registers"},  {0x20, "instruction aborts"},
        {0x22, "misaligned jumps"},  {0x24, "data aborts"},
        {0x26, "misaligned stacks"}, {0x32, "steps"},
        {0x3c, "breakpoints"},
    };
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
        if (i == 0 || s->traps[rows[i].exception_class])
            fprintf(s->out, "%s: %lu\n", rows[i].name, s->traps[rows[i].exception_class]);
    fprintf(s->out, "requests by signals and other threads: %lu\n", s->requests);
}

/* The most frequent first; those behind the CALLS_SHOWN most frequent as a sum. */
static void print_calls(const struct linux_stats *s)
{
    bool shown[LINUX_CALL_NUMBERS + 1] = {false};
    uint64_t rest = 0;
    for (unsigned n = 0; n < CALLS_SHOWN; n++) {
        unsigned best = 0;
        for (unsigned i = 0; i <= LINUX_CALL_NUMBERS; i++)
            if (!shown[i] && (shown[best] || s->calls[i] > s->calls[best]))
                best = i;
        if (s->calls[best] == 0)
            return;
        shown[best] = true;
        const struct linux_call *row = linux_call_row(best);
        fprintf(s->out, "call %s: %lu\n", row ? row->name : "that does not exist", s->calls[best]);
    }
    for (unsigned i = 0; i <= LINUX_CALL_NUMBERS; i++)
        rest += shown[i] ? 0 : s->calls[i];
    if (rest)
        fprintf(s->out, "other calls: %lu\n", rest);
}

void linux_stats_print(struct linux_process *p)
{
    struct linux_stats *s = p->stats;
    fprintf(s->out, "process %d: %s\n", getpid(), p->layout.program_path);
    print_traps(s);
    print_calls(s);
    if (p->translator)
        translator_print_stats(p->translator, s->out);
    fflush(s->out);
}
