/* signal.c: signals from the host kernel to the guest's handlers.
 *
 * The host kernel keeps masks, dispositions and what is pending; a signal that the guest ignores or
 * leaves at its default is dealt with there. For one with a handler, our host handler notes the
 * siginfo, fills the mask that it returns with, so that nothing else comes in, and kicks the
 * thread, which leaves guest code at its next back edge or indirect branch with exact registers.
 * There the frame is built (sigframe.c), the guest's mask changed, and the host's mask opened
 * again: whatever waits then comes in at once and is delivered on top, in the order in which the
 * kernel hands it out.
 *
 * Faults. SIGSEGV and its like are never blocked on the host, for translated code needs them. Where
 * somebody sent such a signal it is kept here until the guest's mask lets it through. Faults of the
 * guest's own come by linux_signal_force().
 *
 * System calls. Whether an interrupted call fails with EINTR or is made again is the host kernel's
 * decision: host handlers have the guest's SA_RESTART (host_call.S).
 *
 * Limits: a fault's signal that was sent to the process, not a thread, stays with the thread that
 * the host chose, though another one may be waiting for it by sigwait().
 *
 * Source: Linux 6.1, kernel/signal.c (get_signal, signal_setup_done, force_sig_info_to_task).
 */
#include "core/linux/signal_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <ucontext.h>

/* Default actions other than to terminate (signal(7)). */
#define DEFAULT_IGNORE                                                                             \
    (1ull << (SIGCHLD - 1) | 1ull << (SIGCONT - 1) | 1ull << (SIGURG - 1) | 1ull << (SIGWINCH - 1))
#define DEFAULT_STOP (1ull << (SIGTSTP - 1) | 1ull << (SIGTTIN - 1) | 1ull << (SIGTTOU - 1))

/* The kernel's struct sigaction on x86-64. */
struct host_sigaction {
    void *handler;
    uint64_t flags;
    void (*restorer)(void);
    uint64_t mask;
};

extern const char __executable_start[]; /* the linker's */
extern const char linux_host_call_begin[], linux_host_call_syscall[], linux_host_call_end[],
    linux_host_call_interrupted[];
void linux_host_sigreturn(void);
int64_t linux_host_call_window(const volatile int *pending, long number, uint64_t a0, uint64_t a1,
                               uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5);

/* --- the queue -------------------------------------------------------------------------------- */

static siginfo_t *sent_slot(struct linux_signal_state *s, int signal)
{
    return &s->sent_info[__builtin_popcountll(LINUX_FAULT_SIGNALS &
                                              (linux_signal_bit(signal) - 1))];
}

static uint64_t mask_in_force(const struct linux_signal_state *s)
{
    return s->temporary ? s->temporary_mask : s->mask;
}

static uint64_t deliverable(const struct linux_signal_state *s)
{
    return s->sent & ~mask_in_force(s);
}

void linux_signal_recompute(struct linux_thread *t)
{
    struct linux_signal_state *s = t->signals;
    s->pending = s->caught || s->forced || t->debug.look || deliverable(s);
    if (s->pending)
        linux_thread_kick(t);
}

void linux_signal_send_self(struct linux_thread *t, const siginfo_t *info)
{
    struct linux_signal_state *s = t->signals;
    uint64_t bit = linux_signal_bit(info->si_signo);
    if (!(s->sent & bit)) { /* a second one of the same kind is the first (signal(7)) */
        *sent_slot(s, info->si_signo) = *info;
        s->sent |= bit;
    }
    linux_signal_recompute(t);
}

int linux_signal_take_sent(struct linux_thread *t, uint64_t set, siginfo_t *ret_info)
{
    struct linux_signal_state *s = t->signals;
    if (!(s->sent & set))
        return 0;
    int signal = __builtin_ctzll(s->sent & set) + 1;
    *ret_info = *sent_slot(s, signal);
    s->sent &= ~linux_signal_bit(signal);
    linux_signal_recompute(t);
    return signal;
}

/* --- the host's handler ----------------------------------------------------------------------- */

void linux_signal_host_default(int signal)
{
    const struct host_sigaction standard = {.flags = LINUX_SA_RESTORER};
    syscall(SYS_rt_sigaction, signal, &standard, NULL, sizeof(uint64_t));
}

/* A fault in our own code: says where, and lets the host's default action end it. */
static void die_of_a_bug(int signal, const siginfo_t *info, uintptr_t pc)
{
    char line[160];
    int n = snprintf(line, sizeof(line),
                     "peng-arm64: internal error: signal %d at host address %#lx (program + %#lx), "
                     "data address %p\n",
                     signal, (unsigned long)pc, (unsigned long)(pc - (uintptr_t)__executable_start),
                     info->si_addr);
    if (write(STDERR_FILENO, line, (size_t)n) < n)
        errno = 0; /* nobody to tell */
    linux_signal_host_default(signal);
}

/* Keeps a call that has not begun from beginning. */
static void interrupt_call(greg_t *regs)
{
    uintptr_t pc = (uintptr_t)regs[REG_RIP];
    if (pc < (uintptr_t)linux_host_call_begin || pc >= (uintptr_t)linux_host_call_end)
        return;
    if (pc == (uintptr_t)linux_host_call_syscall && regs[REG_RAX] == SYS_restart_syscall) {
        /* It had begun, was stopped, and would go on: with a handler in between it fails. */
        regs[REG_RAX] = -EINTR;
        regs[REG_RIP] = (greg_t)(uintptr_t)linux_host_call_end;
        return;
    }
    regs[REG_RIP] = (greg_t)(uintptr_t)linux_host_call_interrupted;
}

static void host_handler(int signal, siginfo_t *info, void *context)
{
    struct linux_thread *t = linux_self;
    ucontext_t *uc = context;
    siginfo_t told;
    int saved_errno = errno;
    if (signal == SIGTRAP && linux_profile_handler(t, info, context))
        return;
    if (signal == SIGSYS && linux_tracee_handler(t, info, &told)) {
        signal = told.si_signo;
        info = &told;
    }
    if (signal == 0) {
        if (t)
            linux_signal_recompute(t);
    } else if (linux_signal_bit(signal) & LINUX_FAULT_SIGNALS) {
        bool sent = info->si_code <= 0 || signal == SIGTRAP || signal == SIGSYS;
        if (!sent && linux_fault_recover(t, info, context))
            return;
        if (!sent || !t) {
            die_of_a_bug(signal, info, (uintptr_t)uc->uc_mcontext.gregs[REG_RIP]);
            return;
        }
        linux_signal_send_self(t, info);
    } else {
        const uint64_t full = linux_host_mask(UINT64_MAX);
        t->signals->caught_info = *info;
        t->signals->caught = true;
        memcpy(&uc->uc_sigmask, &full, sizeof(full));
        linux_signal_recompute(t);
    }
    if (t && t->signals->pending)
        interrupt_call(uc->uc_mcontext.gregs);
    errno = saved_errno;
}

/* --- dispositions ----------------------------------------------------------------------------- */

/* What the host is to do for the guest's action. */
static struct host_sigaction host_action(const struct linux_process *p, int signal,
                                         const struct linux_sigaction *action)
{
    const uint64_t bit = linux_signal_bit(signal);
    bool handled = action->handler > LINUX_SIG_IGN;
    /* What ends the process is first told to the debugger behind -g, or leaves a core file. */
    uint64_t told = p->gdb ? ~(DEFAULT_IGNORE | DEFAULT_STOP) : LINUX_CORE_SIGNALS;
    uint64_t passed = LINUX_SA_NOCLDSTOP | LINUX_SA_NOCLDWAIT | LINUX_SA_RESTART;
    struct host_sigaction host = {
        .handler = linux_ptr(action->handler),
        .flags = LINUX_SA_RESTORER | LINUX_SA_ONSTACK, /* linux_thread_loop() */
        .restorer = linux_host_sigreturn,
        .mask = UINT64_MAX,
    };
    /* The host resets a one-shot handler at once, so that a second signal meets the default; but
     * not where the default is ours to carry out. */
    if (!(bit & LINUX_CORE_SIGNALS))
        passed |= LINUX_SA_RESETHAND;
    host.flags |= action->flags & passed;
    if (handled || bit & LINUX_FAULT_SIGNALS || (action->handler == LINUX_SIG_DFL && bit & told)) {
        host.handler = (void *)(uintptr_t)host_handler;
        host.flags |= LINUX_SA_SIGINFO;
    }
    if (!handled)
        host.flags |= LINUX_SA_RESTART;
    return host;
}

void linux_signal_install(int signal, const struct linux_sigaction *action)
{
    struct host_sigaction host = host_action(linux_self->process, signal, action);
    syscall(SYS_rt_sigaction, signal, &host, NULL, sizeof(uint64_t));
}

/* After exec the host ignores a signal or has its default: what is right as it is stays. */
static void start_signal(struct linux_process *p, int signal, struct linux_sigaction *action)
{
    struct host_sigaction now = {0}, wanted;
    syscall(SYS_rt_sigaction, signal, NULL, &now, sizeof(uint64_t));
    if (now.handler == (void *)SIG_IGN)
        action->handler = LINUX_SIG_IGN;
    wanted = host_action(p, signal, action);
    if (wanted.handler != now.handler)
        syscall(SYS_rt_sigaction, signal, &wanted, NULL, sizeof(uint64_t));
}

struct linux_sighand *linux_sighand_new(struct linux_sighand *like)
{
    struct linux_sighand *h = calloc(1, sizeof(*h));
    if (!h)
        return NULL;
    if (like) {
        pthread_mutex_lock(&like->lock);
        memcpy(h->action, like->action, sizeof(h->action));
        pthread_mutex_unlock(&like->lock);
    }
    pthread_mutex_init(&h->lock, NULL);
    h->users = 1;
    return h;
}

void linux_sighand_unref(struct linux_sighand *h)
{
    if (h && atomic_fetch_sub(&h->users, 1) == 1)
        free(h);
}

void linux_sighand_clear(struct linux_sighand *h)
{
    for (int signal = 1; signal <= LINUX_SIGNALS; signal++) {
        struct linux_sigaction *action = &h->action[signal - 1];
        if (action->handler <= LINUX_SIG_IGN)
            continue;
        *action = (struct linux_sigaction){0};
        linux_signal_install(signal, action);
    }
}

struct linux_signal_state *linux_signal_state_new(const struct linux_thread *like)
{
    struct linux_signal_state *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->altstack.flags = LINUX_SS_DISABLE;
    if (like) {
        s->mask = like->signals->mask;
        s->altstack = like->signals->altstack;
        s->fault_address = like->signals->fault_address;
        s->fault_esr = like->signals->fault_esr;
    }
    return s;
}

void linux_signal_state_free(struct linux_signal_state *s)
{
    free(s);
}

int linux_signals_start(struct linux_process *p, struct linux_thread *t, struct err *e)
{
    t->sighand = linux_sighand_new(NULL);
    t->signals = linux_signal_state_new(NULL);
    if (!t->sighand || !t->signals)
        return err_set_errno(e, ENOMEM, "the first thread's signals");
    linux_self = t;
    t->tid = (pid_t)syscall(SYS_gettid);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, NULL, &t->signals->mask, sizeof(uint64_t));
    for (int signal = 1; signal <= LINUX_SIGNALS; signal++)
        if (!(linux_signal_bit(signal) & LINUX_UNBLOCKABLE))
            start_signal(p, signal, &t->sighand->action[signal - 1]);
    linux_host_mask_set(t->signals->mask);
    return 0;
}

/* Fault signals that the guest ignores are ignored on the host only while exec looks. */
static void install_ignored_faults(struct linux_thread *t, uint64_t handler)
{
    const struct host_sigaction ignored = {(void *)SIG_IGN, LINUX_SA_RESTORER, NULL, 0};
    for (int signal = 1; signal <= LINUX_SIGNALS; signal++) {
        const struct linux_sigaction *action = &t->sighand->action[signal - 1];
        if (!(linux_signal_bit(signal) & LINUX_FAULT_SIGNALS) || action->handler != LINUX_SIG_IGN)
            continue;
        if (handler == LINUX_SIG_IGN)
            syscall(SYS_rt_sigaction, signal, &ignored, NULL, sizeof(uint64_t));
        else
            linux_signal_install(signal, action);
    }
}

void linux_signals_before_exec(struct linux_thread *t)
{
    uint64_t faults = t->signals->mask & LINUX_FAULT_SIGNALS;
    install_ignored_faults(t, LINUX_SIG_IGN);
    if (faults)
        syscall(SYS_rt_sigprocmask, SIG_BLOCK, &faults, NULL, sizeof(faults));
}

void linux_signals_after_exec(struct linux_thread *t)
{
    const uint64_t faults = LINUX_FAULT_SIGNALS;
    install_ignored_faults(t, LINUX_SIG_DFL);
    syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &faults, NULL, sizeof(faults));
}

/* --- system calls ----------------------------------------------------------------------------- */

int64_t linux_host_call(struct linux_thread *t, long number, uint64_t a0, uint64_t a1, uint64_t a2,
                        uint64_t a3, uint64_t a4, uint64_t a5)
{
    struct linux_signal_state *s = t->signals;
    int64_t r = linux_host_call_window(&s->pending, number, a0, a1, a2, a3, a4, a5);
    if (s->temporary) {
        /* The mask of the call is in force for its signal only where that ended the wait. */
        if (r == -LINUX_ERESTART && !s->caught && deliverable(s))
            r = -EINTR; /* one that waits here, let through by that mask */
        if (r != -EINTR) {
            s->temporary = false;
            linux_signal_recompute(t);
        }
    }
    return r;
}

uint64_t linux_signal_mask_for_call(struct linux_thread *t, uint64_t mask)
{
    t->signals->temporary_mask = mask & ~LINUX_UNBLOCKABLE;
    t->signals->temporary = true;
    linux_signal_recompute(t);
    return linux_host_mask(mask);
}

/* --- delivery --------------------------------------------------------------------------------- */

/* Exception classes (DDI 0487 D17.2.37) whose syndrome Linux keeps with the fault, and those that
 * leave what an earlier fault left (arch/arm64/kernel/traps.c, mm/fault.c, debug-monitors.c). */
static void note_fault(struct linux_thread *t, uint64_t address)
{
    enum { EC_FETCH = 0x20, EC_PC_ALIGN = 0x22, EC_DATA = 0x24, EC_SP_ALIGN = 0x26 };
    enum { EC_STEP = 0x32, EC_WATCH = 0x34, EC_BRK = 0x3c };
    struct linux_signal_state *s = t->signals;
    uint64_t esr = t->cpu->sys[A64_ESR_EL1];
    unsigned ec = esr >> 26 & 63;
    if (ec == EC_STEP || ec == EC_WATCH || ec == EC_BRK)
        return;
    bool abort = ec == EC_FETCH || ec == EC_DATA;
    s->fault_address = abort ? linux_untag(address) : 0;
    s->fault_esr = abort || ec == EC_PC_ALIGN || ec == EC_SP_ALIGN ? esr : 0;
}

void linux_signal_force(struct linux_thread *t, int signal, int code, uint64_t address)
{
    struct linux_signal_state *s = t->signals;
    note_fault(t, address);
    memset(&s->forced_info, 0, sizeof(s->forced_info));
    s->forced_info.si_signo = signal;
    s->forced_info.si_code = code;
    s->forced_info.si_addr = linux_ptr(address);
    s->forced = true;
    linux_signal_recompute(t);
}

void linux_signal_force_info(struct linux_thread *t, const siginfo_t *info)
{
    t->signals->forced_info = *info;
    t->signals->forced = true;
    linux_signal_recompute(t);
}

/* The signal to deliver next: a fault before what was sent, as in get_signal(). */
static bool next(struct linux_thread *t, siginfo_t *ret_info, bool *ret_forced)
{
    struct linux_signal_state *s = t->signals;
    uint64_t sent = deliverable(s);
    *ret_forced = s->forced;
    if (s->forced) {
        *ret_info = s->forced_info;
        s->forced = false;
    } else if (sent) {
        linux_signal_take_sent(t, sent, ret_info);
    } else if (s->caught) {
        *ret_info = s->caught_info;
        s->caught = false;
    } else {
        return false;
    }
    return true;
}

/* Gives a signal back to the kernel, to wait there. */
static void give_back(struct linux_thread *t, siginfo_t *info)
{
    syscall(SYS_rt_tgsigqueueinfo, getpid(), t->tid, info->si_signo, info);
}

/* Takes the action from the table, resetting it where it is for one time. */
static struct linux_sigaction take_action(struct linux_thread *t, int signal, bool forced)
{
    struct linux_sighand *h = t->sighand;
    pthread_mutex_lock(&h->lock);
    struct linux_sigaction *entry = &h->action[signal - 1];
    /* Faults cannot be ignored or blocked: they kill. */
    bool reset =
        forced && (entry->handler == LINUX_SIG_IGN || t->signals->mask & linux_signal_bit(signal));
    if (reset)
        entry->handler = LINUX_SIG_DFL;
    struct linux_sigaction action = *entry;
    if (action.handler > LINUX_SIG_IGN && action.flags & LINUX_SA_RESETHAND) {
        entry->handler = LINUX_SIG_DFL;
        reset = true;
    }
    if (reset)
        linux_signal_install(signal, entry);
    pthread_mutex_unlock(&h->lock);
    return action;
}

static void act_by_default(struct linux_thread *t, siginfo_t *info)
{
    uint64_t bit = linux_signal_bit(info->si_signo);
    if (bit & DEFAULT_IGNORE)
        return;
    if (t->process->strace)
        linux_strace_signal(t, info);
    if (!(bit & DEFAULT_STOP))
        linux_die_info(t, info);
    linux_debug_raise(t, info->si_signo);
    give_back(t, info); /* the handler was just taken away: now the host stops us */
}

static void deliver(struct linux_thread *t, siginfo_t *info, bool forced)
{
    struct linux_signal_state *s = t->signals;
    int signal = info->si_signo;
    struct linux_sigaction action = take_action(t, signal, forced);
    if (action.handler == LINUX_SIG_IGN)
        return;
    if (action.handler == LINUX_SIG_DFL) {
        act_by_default(t, info);
        return;
    }
    uint64_t before = mask_in_force(s);
    if (t->process->strace)
        linux_strace_signal(t, info);
    linux_rseq_abort(t);
    if (linux_sigframe_push(t, info, &action, s->mask) < 0) {
        if (signal == SIGSEGV)
            linux_die(t, SIGSEGV);
        linux_signal_force_info(t, &(siginfo_t){.si_signo = SIGSEGV, .si_code = SI_KERNEL});
        return;
    }
    before |= action.mask | (action.flags & LINUX_SA_NODEFER ? 0 : linux_signal_bit(signal));
    s->mask = before & ~LINUX_UNBLOCKABLE;
    s->temporary = false;
}

void linux_signals_deliver(struct linux_thread *t)
{
    struct linux_signal_state *s = t->signals;
    siginfo_t info;
    bool forced;
    if (atomic_load(&t->process->dying) && !t->vfork_child)
        linux_park(t);
    while (s->pending) {
        if (!s->caught)
            linux_host_mask_set(UINT64_MAX);
        if (t->debug.look)
            linux_debug_look(t);
        if (next(t, &info, &forced) && (!linux_debugged(t) || linux_debug_signal(t, &info)))
            deliver(t, &info, forced);
        /* Caught before a fault's handler whose mask has it: it must wait after all. */
        if (s->caught && mask_in_force(s) & linux_signal_bit(s->caught_info.si_signo)) {
            give_back(t, &s->caught_info);
            s->caught = false;
        }
        linux_signal_recompute(t);
        if (!s->caught)
            linux_host_mask_set(s->mask);
    }
    s->temporary = false;
}
