/* signal_calls.c: the system calls about signals that need work; those that send one, signalfd and
 * pidfds pass to the host as they are.
 *
 * Every call that changes the mask asks the kernel through linux_host_call(): a signal that came
 * before is then delivered under the old mask, and the call made again behind its handler.
 *
 * Source: Linux 6.1, kernel/signal.c.
 */
#include "core/linux/signal_int.h"

static int read_mask(uint64_t from, uint64_t size_bytes, uint64_t *ret_mask)
{
    uint64_t mask;
    if (size_bytes != sizeof(mask))
        return -EINVAL;
    if (linux_read(from, &mask, sizeof(mask)) < 0)
        return -EFAULT;
    *ret_mask = mask & ~LINUX_UNBLOCKABLE;
    return 0;
}

/* do_sigaction(): unknown flags are dropped, so that programs can find out what there is. */
int64_t linux_sys_rt_sigaction(struct linux_thread *t, const uint64_t a[6])
{
    const uint64_t known = LINUX_SA_NOCLDSTOP | LINUX_SA_NOCLDWAIT | LINUX_SA_SIGINFO |
                           LINUX_SA_EXPOSE_TAGBITS | LINUX_SA_RESTORER | LINUX_SA_ONSTACK |
                           LINUX_SA_RESTART | LINUX_SA_NODEFER | LINUX_SA_RESETHAND;
    struct linux_sigaction action = {0}, old;
    int signal = (int)a[0];
    if (a[3] != sizeof(uint64_t))
        return -EINVAL;
    if (a[1] && linux_read(a[1], &action, sizeof(action)) < 0)
        return -EFAULT;
    if (signal < 1 || signal > LINUX_SIGNALS ||
        (a[1] && linux_signal_bit(signal) & LINUX_UNBLOCKABLE))
        return -EINVAL;
    if (a[1] && t->signals->pending)
        return -LINUX_ERESTART; /* delivered by the old action */
    struct linux_sigaction *entry = &t->sighand->action[signal - 1];
    pthread_mutex_lock(&t->sighand->lock);
    old = *entry;
    if (a[1]) {
        *entry = action;
        entry->flags &= known;
        entry->mask &= ~LINUX_UNBLOCKABLE;
        if (entry->handler == LINUX_SIG_IGN)
            t->signals->sent &= ~linux_signal_bit(signal);
        linux_signal_install(signal, entry);
    }
    pthread_mutex_unlock(&t->sighand->lock);
    if (a[2] && linux_write(a[2], &old, sizeof(old)) < 0)
        return -EFAULT;
    return 0;
}

int64_t linux_sys_rt_sigprocmask(struct linux_thread *t, const uint64_t a[6])
{
    struct linux_signal_state *s = t->signals;
    uint64_t old = s->mask, mask = old, set;
    if (a[3] != sizeof(set))
        return -EINVAL;
    if (a[1]) {
        int r = read_mask(a[1], a[3], &set);
        if (r < 0)
            return r;
        switch ((int)a[0]) {
        case SIG_BLOCK:
            mask |= set;
            break;
        case SIG_UNBLOCK:
            mask &= ~set;
            break;
        case SIG_SETMASK:
            mask = set;
            break;
        default:
            return -EINVAL;
        }
    }
    if (mask != old) {
        uint64_t host = linux_host_mask(mask);
        int64_t r = linux_host_call(t, SYS_rt_sigprocmask, SIG_SETMASK, (uintptr_t)&host, 0,
                                    sizeof(host), 0, 0);
        if (r < 0)
            return r;
        s->mask = mask;
        linux_signal_recompute(t);
    }
    return a[2] && linux_write(a[2], &old, sizeof(old)) < 0 ? -EFAULT : 0;
}

int64_t linux_sys_rt_sigpending(struct linux_thread *t, const uint64_t a[6])
{
    uint64_t pending = 0;
    if (a[1] > sizeof(pending))
        return -EINVAL;
    int64_t r =
        linux_host_call(t, SYS_rt_sigpending, (uintptr_t)&pending, sizeof(pending), 0, 0, 0, 0);
    if (r < 0)
        return r;
    pending = (pending | t->signals->sent) & t->signals->mask;
    return linux_write(a[0], &pending, a[1]);
}

int64_t linux_sys_rt_sigsuspend(struct linux_thread *t, const uint64_t a[6])
{
    uint64_t mask = 0;
    int r = read_mask(a[0], a[1], &mask);
    if (r < 0)
        return r;
    uint64_t host = linux_signal_mask_for_call(t, mask);
    return linux_host_call(t, SYS_rt_sigsuspend, (uintptr_t)&host, sizeof(host), 0, 0, 0, 0);
}

int64_t linux_sys_rt_sigtimedwait(struct linux_thread *t, const uint64_t a[6])
{
    uint64_t set = 0;
    int r = read_mask(a[0], a[3], &set);
    if (r < 0)
        return r;
    siginfo_t info;
    int signal = linux_signal_take_sent(t, set, &info);
    if (!signal)
        return linux_host_call(t, SYS_rt_sigtimedwait, (uintptr_t)&set, a[1], a[2], sizeof(set), 0,
                               0);
    return a[1] && linux_write(a[1], &info, sizeof(info)) < 0 ? -EFAULT : signal;
}

/* A fault signal that a thread sends to itself with a fault's code, as crash reporters do when they
 * raise it again, must not pass for a fault of ours. */
static bool looks_like_a_fault(struct linux_thread *t, int64_t tid, int64_t signal,
                               uint64_t info_address, siginfo_t *ret_info)
{
    if (tid != t->tid || signal < 1 || signal > LINUX_SIGNALS ||
        !(linux_signal_bit((int)signal) & LINUX_FAULT_SIGNALS) ||
        linux_read(info_address, ret_info, sizeof(*ret_info)) < 0)
        return false;
    ret_info->si_signo = (int)signal;
    return ret_info->si_code > 0;
}

int64_t linux_sys_rt_sigqueueinfo(struct linux_thread *t, const uint64_t a[6])
{
    siginfo_t info;
    if (t->tid != getpid() || !looks_like_a_fault(t, (int)a[0], (int)a[1], a[2], &info))
        return linux_host_call(t, SYS_rt_sigqueueinfo, a[0], a[1], a[2], 0, 0, 0);
    linux_signal_send_self(t, &info);
    return 0;
}

int64_t linux_sys_rt_tgsigqueueinfo(struct linux_thread *t, const uint64_t a[6])
{
    siginfo_t info;
    if ((int)a[0] != getpid() || !looks_like_a_fault(t, (int)a[1], (int)a[2], a[3], &info))
        return linux_host_call(t, SYS_rt_tgsigqueueinfo, a[0], a[1], a[2], a[3], 0, 0);
    linux_signal_send_self(t, &info);
    return 0;
}

int64_t linux_sys_sigaltstack(struct linux_thread *t, const uint64_t a[6])
{
    struct linux_altstack stack, old = t->signals->altstack;
    uint32_t bits = old.flags & LINUX_SS_AUTODISARM;
    old.flags = (!old.size                                    ? LINUX_SS_DISABLE
                 : linux_on_altstack(&old, t->cpu->x[A64_SP]) ? LINUX_SS_ONSTACK
                                                              : 0) |
                bits;
    if (a[0]) {
        if (linux_read(a[0], &stack, sizeof(stack)) < 0)
            return -EFAULT;
        int r = linux_altstack_set(t, &stack);
        if (r < 0)
            return r;
    }
    return a[1] && linux_write(a[1], &old, sizeof(old)) < 0 ? -EFAULT : 0;
}

int64_t linux_sys_rt_sigreturn(struct linux_thread *t, const uint64_t a[6])
{
    int64_t r = linux_sigframe_pop(t);
    if (r != -EINVAL)
        return r;
    uint8_t byte; /* arm64_notify_segfault() */
    uint64_t sp = t->cpu->x[A64_SP];
    linux_signal_force(t, SIGSEGV, linux_read(sp, &byte, 1) < 0 ? SEGV_MAPERR : SEGV_ACCERR, sp);
    return -LINUX_NO_RESULT;
}
