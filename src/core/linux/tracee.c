/* tracee.c: the traced thread's side of ptrace (ptrace.c): it notes what happened, with its exact
 * registers, in its block, and sends itself a SIGSYS that only its tracer gets to see. When the
 * tracer lets it go, it reads there what was changed and what to do.
 *
 * Where the tracer is gone, the SIGSYS arrives in the host's handler instead, and the thread goes
 * on as one that nobody traces.
 *
 * Source: Linux 6.1, arch/arm64/kernel/ptrace.c (syscall_trace_enter, syscall_trace_exit),
 * arch/arm64/kernel/signal.c (do_signal), kernel/signal.c (ptrace_signal), kernel/fork.c (which
 * children are traced).
 */
#include "core/linux/tracee.h"

#include <errno.h>
#include <sched.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/linux/linux_int.h"

enum { CALL_EXECVE = 221, CALL_REGISTER = 7, CALL_BACK = 4 };

/* include/linux/errno.h: what a call's result looks like to a tracer while it is undecided. */
static const int restart_errno[] = {
    [LINUX_RESTART_SYS] = 512,
    [LINUX_RESTART_ALWAYS] = 513,
    [LINUX_RESTART_NOHAND] = 514,
    [LINUX_RESTART_BLOCK] = 516,
};

/* --- stopping ----------------------------------------------------------------------------------
 */

static void publish(struct linux_thread *t)
{
    struct linux_tracee *b = &t->debug.tracee;
    linux_regs_get(t->cpu, &b->general);
    linux_fpsimd_get(t->cpu, &b->fpsimd);
    b->tls = t->cpu->sys[A64_TPIDR_EL0];
}

static void take_back(struct linux_thread *t)
{
    struct linux_tracee *b = &t->debug.tracee;
    if (!b->dirty)
        return;
    b->dirty = 0;
    linux_regs_set(t->cpu, &b->general);
    linux_fpsimd_set(t->cpu, &b->fpsimd);
    t->cpu->sys[A64_TPIDR_EL0] = b->tls;
}

static void tell_tracer(struct linux_thread *t)
{
    struct linux_tracee *b = &t->debug.tracee;
    siginfo_t info = {.si_signo = SIGSYS, .si_code = SI_QUEUE};
    info.si_errno = LINUX_TRACE_MARK | LINUX_TRACE_STOPPING;
    info.si_ptr = b;
    /* Again where another SIGSYS was pending, which swallows this one. */
    while (__atomic_load_n(&b->stop, __ATOMIC_ACQUIRE) != LINUX_STOP_NONE)
        syscall(SYS_rt_tgsigqueueinfo, b->tgid, b->tid, SIGSYS, &info);
}

static void stop(struct linux_thread *t, enum linux_trace_stop why)
{
    struct linux_tracee *b = &t->debug.tracee;
    if (why != LINUX_STOP_SIGNAL)
        b->signal = 0;
    publish(t);
    __atomic_store_n(&b->stop, why, __ATOMIC_RELEASE);
    tell_tracer(t);
    take_back(t);
    if (b->flush)
        linux_memory_changed(t->process, 0, UINT64_MAX & ~(LINUX_PAGE - 1ull));
    b->flush = 0;
    t->debug.step = b->mode & LINUX_TRACE_STEP;
    t->debug.pc = t->cpu->pc;
    if (t->debug.step || t->debug.armed)
        linux_thread_kick(t);
    /* From a stop that is none by a signal: it is sent, and told again. */
    if (why != LINUX_STOP_SIGNAL && b->signal)
        syscall(SYS_tgkill, b->tgid, b->tid, b->signal);
}

bool linux_tracee_handler(struct linux_thread *t, const siginfo_t *info, siginfo_t *ret_info)
{
    unsigned news = (unsigned)info->si_errno;
    if ((news & 0xffff0000) != LINUX_TRACE_MARK) /* the kernel's own have 16 bits at most */
        return false;
    *ret_info = *info;
    ret_info->si_signo = ret_info->si_errno = 0;
    if (!t)
        return true;
    if (news & LINUX_TRACE_STOPPING) {
        if (info->si_ptr != &t->debug.tracee)
            return true;
        t->debug.tracee.traced = 0; /* the tracer is gone */
        t->debug.tracee.mode = LINUX_TRACE_CONT;
        __atomic_store_n(&t->debug.tracee.stop, LINUX_STOP_NONE, __ATOMIC_RELEASE);
        return true;
    }
    int signal = (int)(news & LINUX_TRACE_SIGNAL_MASK);
    t->debug.restart = news >> LINUX_TRACE_RESTART_SHIFT & 7;
    if (signal == SIGSTOP) {
        t->debug.stop_info = *ret_info;
        t->debug.stop_info.si_signo = signal;
        t->debug.asked_stop = true;
        signal = 0;
    }
    if (signal == 0)
        t->debug.look = true;
    if (signal <= LINUX_SIGNALS && signal != SIGKILL)
        ret_info->si_signo = signal;
    return true;
}

/* --- signals -----------------------------------------------------------------------------------
 */

/* Whether the handler that is about to run makes an interrupted call fail instead of start over. */
static bool handler_ends_call(const struct linux_thread *t, int signal, unsigned why)
{
    const struct linux_sigaction *action = &t->sighand->action[signal - 1];
    if (action->handler <= 1 || why == LINUX_RESTART_NONE || why == LINUX_RESTART_ALWAYS)
        return false;
    return why != LINUX_RESTART_SYS || !(action->flags & SA_RESTART);
}

/* Why the last call was interrupted. One that failed because our news came by a handler is put
 * back, so that the tracer sees, and may decide, that it starts over. */
static unsigned take_restart(struct linux_thread *t)
{
    struct a64_cpu *cpu = t->cpu;
    unsigned why = t->debug.restart;
    t->debug.restart = LINUX_RESTART_NONE;
    if (why != LINUX_RESTART_NONE && !t->debug.restarts && (int64_t)cpu->x[0] == -EINTR &&
        cpu->pc == t->debug.restart_pc + CALL_BACK) {
        t->debug.restarts = true;
        cpu->x[0] = t->call_x0;
        cpu->pc -= CALL_BACK;
    }
    return why;
}

bool linux_tracee_signal(struct linux_thread *t, siginfo_t *info)
{
    struct linux_tracee *b = &t->debug.tracee;
    struct a64_cpu *cpu = t->cpu;
    unsigned why = take_restart(t);
    b->info = *info;
    b->signal = info->si_signo;
    stop(t, LINUX_STOP_SIGNAL);
    int given = b->signal;
    if (given <= 0 || given > LINUX_SIGNALS)
        return false;
    if (t->debug.restarts && cpu->pc == t->debug.restart_pc && handler_ends_call(t, given, why)) {
        t->debug.restarts = false;
        cpu->x[0] = (uint64_t)-EINTR;
        cpu->pc += CALL_BACK;
    }
    if (given == SIGSTOP || given == SIGKILL) { /* the host's business */
        b->raising = given;
        syscall(SYS_tgkill, b->tgid, b->tid, given);
        return false;
    }
    if (given != b->info.si_signo)
        b->info = (siginfo_t){.si_signo = given};
    *info = b->info;
    return true;
}

void linux_tracee_look(struct linux_thread *t)
{
    struct linux_tracee *b = &t->debug.tracee;
    if (t->debug.asked_stop) {
        siginfo_t info = t->debug.stop_info;
        t->debug.asked_stop = false;
        linux_tracee_signal(t, &info);
    }
    if (b->interrupt) {
        b->interrupt = 0;
        take_restart(t);
        stop(t, LINUX_STOP_ASKED);
    }
}

/* --- system calls ------------------------------------------------------------------------------
 */

/* x7 says which end of the call it is while the tracer looks, and is as before afterwards. */
static void stop_at_call(struct linux_thread *t, enum linux_trace_stop why)
{
    uint64_t kept = t->cpu->x[CALL_REGISTER];
    t->cpu->x[CALL_REGISTER] = why == LINUX_STOP_LEAVE;
    stop(t, why);
    t->cpu->x[CALL_REGISTER] = kept;
}

static void note_call(struct linux_thread *t)
{
    t->debug.tracee.call = (int32_t)t->call;
    memcpy(t->debug.tracee.args, t->cpu->x, sizeof(t->debug.tracee.args));
}

/* After a stop before the call: what the tracer made of it. */
static bool changed_call(struct linux_thread *t)
{
    t->call = (uint32_t)t->debug.tracee.call;
    t->call_x0 = t->cpu->x[0];
    return t->debug.tracee.call != -1;
}

bool linux_tracee_enter(struct linux_thread *t)
{
    unsigned mode = t->debug.tracee.mode & ~(unsigned)LINUX_TRACE_STEP;
    t->debug.restarts = false;
    t->debug.restart = LINUX_RESTART_NONE;
    t->debug.restart_pc = t->cpu->pc - CALL_BACK;
    note_call(t);
    if (mode == LINUX_TRACE_CONT) {
        publish(t); /* for stops that the host's kernel makes within the call: fork, exit ... */
        return true;
    }
    stop_at_call(t, LINUX_STOP_ENTER);
    return changed_call(t) && mode != LINUX_TRACE_SYSEMU;
}

bool linux_tracee_seccomp(struct linux_thread *t, unsigned data)
{
    if (!t->debug.tracee.traced || !(t->debug.tracee.options & PTRACE_O_TRACESECCOMP))
        return false;
    note_call(t);
    t->debug.tracee.message = data;
    stop_at_call(t, LINUX_STOP_SECCOMP);
    return changed_call(t);
}

void linux_tracee_leave(struct linux_thread *t, bool restart)
{
    struct linux_tracee *b = &t->debug.tracee;
    struct a64_cpu *cpu = t->cpu;
    unsigned why = restart && !t->debug.restart ? LINUX_RESTART_ALWAYS : t->debug.restart;
    t->debug.restarts = restart;
    t->debug.restart_pc = cpu->pc - CALL_BACK; /* tracing may have begun within the call */
    take_back(t);
    if (t->debug.no_leave || b->mode != LINUX_TRACE_SYSCALL) {
        t->debug.no_leave = false;
        return;
    }
    uint64_t result = cpu->x[0], shown = result;
    if (restart || (why != LINUX_RESTART_NONE && (int64_t)result == -EINTR))
        shown = (uint64_t)-restart_errno[why];
    cpu->x[0] = shown;
    stop_at_call(t, LINUX_STOP_LEAVE);
    if (cpu->x[0] == shown)
        cpu->x[0] = result;
}

/* --- beginnings --------------------------------------------------------------------------------
 */

static void make_ready(struct linux_thread *t)
{
    t->debug.tracee.tgid = getpid();
    t->debug.tracee.tid = t->tid;
    t->debug.tracee.stop = LINUX_STOP_NONE;
    __atomic_store_n(&t->debug.tracee.magic, LINUX_TRACEE_MAGIC, __ATOMIC_RELEASE);
}

/* Which option of the parent's tracer makes it trace a child of these flags. */
static unsigned option_for(uint64_t clone_flags)
{
    if (clone_flags & CLONE_UNTRACED)
        return 0;
    if (clone_flags & CLONE_VFORK)
        return PTRACE_O_TRACEVFORK;
    return (clone_flags & CSIGNAL) == SIGCHLD ? PTRACE_O_TRACEFORK : PTRACE_O_TRACECLONE;
}

void linux_tracee_started(struct linux_thread *t, uint64_t clone_flags)
{
    struct linux_tracee *b = &t->debug.tracee;
    bool traced = b->traced && (b->options & option_for(clone_flags) || clone_flags & CLONE_PTRACE);
    t->debug.no_leave = !(clone_flags & CLONE_VM); /* which goes on in its parent's call */
    t->debug.step = false;
    t->debug.look = t->debug.asked_stop = false;
    b->traced = traced;
    b->mode = LINUX_TRACE_CONT;
    b->interrupt = b->dirty = b->flush = 0;
    b->signal = b->raising = 0;
    make_ready(t);
    if (traced)
        stop(t, LINUX_STOP_START);
}

void linux_tracee_execed(struct linux_thread *t, bool traced)
{
    struct linux_tracee *b = &t->debug.tracee;
    make_ready(t);
    if (!traced)
        return;
    b->traced = 1;
    b->call = CALL_EXECVE;
    stop(t, LINUX_STOP_EXEC);
    if (b->mode == LINUX_TRACE_SYSCALL)
        stop_at_call(t, LINUX_STOP_LEAVE);
}

int linux_tracee_start(struct linux_thread *t)
{
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
        return -errno;
    t->debug.tracee.seized = t->debug.tracee.options = 0;
    t->debug.tracee.traced = 1;
    return 0;
}
