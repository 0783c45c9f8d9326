/* signal_int.h: a thread's signals, for signal.c, signal_calls.c, sigframe.c and thread.c.
 */
#ifndef PENG_CORE_LINUX_SIGNAL_INT_H
#define PENG_CORE_LINUX_SIGNAL_INT_H

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/linux/linux_int.h"

/* Bits of struct sigaction's flags, of stack_t's, and the special handlers (asm-generic/signal.h,
 * arch/arm64/include/uapi/asm/signal.h). The x86-64 kernel has the same ones. */
#define LINUX_SA_NOCLDSTOP      0x1ull
#define LINUX_SA_NOCLDWAIT      0x2ull
#define LINUX_SA_SIGINFO        0x4ull
#define LINUX_SA_EXPOSE_TAGBITS 0x800ull
#define LINUX_SA_RESTORER       0x04000000ull
#define LINUX_SA_ONSTACK        0x08000000ull
#define LINUX_SA_RESTART        0x10000000ull
#define LINUX_SA_NODEFER        0x40000000ull
#define LINUX_SA_RESETHAND      0x80000000ull
#define LINUX_SS_ONSTACK        1u
#define LINUX_SS_DISABLE        2u
#define LINUX_SS_AUTODISARM     0x80000000u
enum { LINUX_SIG_DFL = 0, LINUX_SIG_IGN = 1 };

static inline uint64_t linux_signal_bit(int signal)
{
    return 1ull << (signal - 1);
}

/* Those that no mask takes. */
#define LINUX_UNBLOCKABLE (1ull << (SIGKILL - 1) | 1ull << (SIGSTOP - 1))

/* The guest's alternate stack, as sigaltstack() and ucontext have it. */
struct linux_altstack {
    uint64_t sp;
    uint32_t flags, reserved;
    uint64_t size;
};
static_assert(sizeof(struct linux_altstack) == 24, "stack_t");

enum { LINUX_SENT_KINDS = 6 }; /* signals that are faults, too: LINUX_FAULT_SIGNALS */

/* Signals that dump core by default (signal(7)). */
#define LINUX_CORE_SIGNALS                                                                         \
    (LINUX_FAULT_SIGNALS | 1ull << (SIGQUIT - 1) | 1ull << (SIGABRT - 1) | 1ull << (SIGXCPU - 1) | \
     1ull << (SIGXFSZ - 1))

/* Only the thread itself and its host signal handlers touch it. */
struct linux_signal_state {
    /* What host_call.S tests: a signal waits to be delivered. First. */
    volatile int pending;
    uint64_t mask; /* the guest's; the host's has no fault signals in it (linux_host_mask) */
    /* A call that waited under a mask of its own was interrupted: the signal is delivered under
     * that mask, and `mask` comes back with sigreturn (the kernel's TIF_RESTORE_SIGMASK). */
    bool temporary;
    uint64_t temporary_mask;
    struct linux_altstack altstack;
    /* The last fault's, for frames: they stay, as in struct thread_struct. */
    uint64_t fault_address, fault_esr;
    bool forced; /* by the instruction at hand */
    siginfo_t forced_info;
    /* The one signal that the host handler took; from then to its delivery the host mask is full.
     */
    volatile bool caught;
    siginfo_t caught_info;
    /* Signals that are faults elsewhere but were sent: pending here, since the host cannot block
     * them for us. */
    volatile uint64_t sent;
    siginfo_t sent_info[LINUX_SENT_KINDS];
};

/* Sets the host's mask to its part of `mask`; UINT64_MAX: nothing comes in. */
static inline void linux_host_mask_set(uint64_t mask)
{
    mask = linux_host_mask(mask);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof(mask));
}

/* Queues a signal that LINUX_FAULT_SIGNALS has, for this thread. Host signals are blocked, or it is
 * the handler that calls. */
void linux_signal_send_self(struct linux_thread *t, const siginfo_t *info);
/* Takes the lowest of those in `set` that wait here: its number, or 0. */
int linux_signal_take_sent(struct linux_thread *t, uint64_t set, siginfo_t *ret_info);
/* After mask, temporary, sent or caught changed. */
void linux_signal_recompute(struct linux_thread *t);
/* Tells the host what to do with `signal`, whose action in the table is `action`. */
void linux_signal_install(int signal, const struct linux_sigaction *action);

/* core.c: linux_die() with all that siginfo tells; and where a thread goes that has no say any more
 * because another one is ending the process. */
void linux_die_info(struct linux_thread *t, const siginfo_t *info) __attribute__((noreturn));
void linux_park(struct linux_thread *t) __attribute__((noreturn));

struct linux_sighand *linux_sighand_new(struct linux_sighand *like); /* NULL: no memory */
void linux_sighand_unref(struct linux_sighand *h);
/* CLONE_CLEAR_SIGHAND: handlers to their default, for a process that shares none. */
void linux_sighand_clear(struct linux_sighand *h);
/* From now on the host does by default what `signal` asks for. */
void linux_signal_host_default(int signal);

/* --- sigframe.c ---------------------------------------------------------------------------------
 */

/* Builds the frame and points pc at the handler. `mask` is what sigreturn restores. -EFAULT: the
 * stack cannot be written; nothing has changed. */
int linux_sigframe_push(struct linux_thread *t, const siginfo_t *info,
                        const struct linux_sigaction *action, uint64_t mask);
/* sigreturn: registers and alternate stack as before the handler. -EFAULT or -EINVAL: not a frame.
 * -LINUX_ERESTART: a signal came first; nothing has changed. */
int64_t linux_sigframe_pop(struct linux_thread *t);
/* Whether `sp` lies on the alternate stack (include/linux/sched/signal.h, on_sig_stack). */
bool linux_on_altstack(const struct linux_altstack *stack, uint64_t sp);
/* sigaltstack() to `stack`, which the guest gave: 0 or -errno. */
int linux_altstack_set(struct linux_thread *t, const struct linux_altstack *stack);

#endif
