/* debug.c: asks gdb.c and tracee.c in turn, and steps for both.
 *
 * A step is the architecture's own (DDI 0487 D2.11): MDSCR_EL1.SS is set and PSTATE.SS lets one
 * instruction through; the exception behind it comes as SIGTRAP. Where a handler's frame was built,
 * or a call was made, since the step was asked for, that was the step: PSTATE.SS is clear from the
 * start.
 */
#include "core/linux/debug.h"

#include <sched.h>

#include "core/linux/gdb.h"
#include "core/linux/linux_int.h"

enum { MDSCR_SS = 1, OSLSR_OSLK = 2 };

/* A child of vfork() has its parent's `process`, but its parent's debugger knows nothing of it. */
static bool has_gdb(const struct linux_thread *t)
{
    return t->process->gdb && !t->vfork_child;
}

static void arm(struct linux_thread *t)
{
    struct a64_cpu *cpu = t->cpu;
    struct linux_debug *d = &t->debug;
    if (!d->step && !d->armed)
        return;
    d->armed = d->step;
    cpu->sys[A64_OSLSR_EL1] &= ~(uint64_t)OSLSR_OSLK;
    cpu->sys[A64_MDSCR_EL1] &= ~(uint64_t)MDSCR_SS;
    cpu->sys[A64_MDSCR_EL1] |= d->step ? MDSCR_SS : 0;
    cpu->ss = d->step && cpu->pc == d->pc;
    a64_update_slow(cpu);
}

void linux_debug_look(struct linux_thread *t)
{
    t->debug.look = false;
    if (has_gdb(t))
        linux_gdb_look(t);
    if (t->debug.tracee.traced)
        linux_tracee_look(t);
    arm(t);
}

bool linux_debug_enter(struct linux_thread *t)
{
    if (has_gdb(t))
        linux_gdb_call(t, true);
    return !t->debug.tracee.traced || linux_tracee_enter(t);
}

void linux_debug_leave(struct linux_thread *t, bool restart)
{
    if (has_gdb(t))
        linux_gdb_call(t, false);
    if (t->debug.tracee.traced)
        linux_tracee_leave(t, restart);
    if (t->debug.step || t->debug.armed)
        linux_thread_kick(t);
}

bool linux_debug_signal(struct linux_thread *t, siginfo_t *info)
{
    if (has_gdb(t) && !linux_gdb_signal(t, info))
        return false;
    return !t->debug.tracee.traced || linux_tracee_signal(t, info);
}

void linux_debug_raise(struct linux_thread *t, int signal)
{
    t->debug.tracee.raising = signal;
}

void linux_debug_started(struct linux_thread *t, uint64_t flags)
{
    if (t->process->gdb && !(flags & (CLONE_VM | CLONE_THREAD)))
        linux_gdb_forked(t);
    linux_tracee_started(t, flags);
    if (linux_debugged(t))
        linux_thread_kick(t);
}

void linux_debug_ended(struct linux_thread *t, int wait_status)
{
    if (has_gdb(t))
        linux_gdb_ended(t, wait_status);
}
