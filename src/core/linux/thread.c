/* thread.c: threads and processes: clone, fork, vfork, exit.
 *
 * What shares memory with its maker (CLONE_VM) is a host thread or process of its own stack and its
 * own struct linux_thread: a thread, the child of vfork() and posix_spawn(), whose maker the kernel
 * keeps asleep until it execs or exits, and the rare process that shares memory for good. What does
 * not is a host fork: the child goes on in the run loop it was copied in, alone.
 *
 * The kernel does as it is told by the guest's flags: ids are written, cleared and woken by it, at
 * the guest's addresses. Only the TLS register is ours to set, in the CPU instead of the host.
 *
 * Host signals are blocked from before a clone until the child has a thread to take them; one that
 * came before makes the call be made again behind its handler, as the kernel does (kernel/fork.c,
 * ERESTARTNOINTR).
 *
 * Limits: a process that shares memory for good (CLONE_VM without CLONE_THREAD and CLONE_VFORK)
 * leaves its stack behind, and so does a thread that exec or a signal ends in it.
 *
 * Source: Linux 6.1, kernel/fork.c, kernel/exit.c; arch/arm64 takes the TLS before child_tid.
 */
#include "core/linux/signal_int.h"

#include <linux/sched.h>
#include <stdlib.h>
#include <string.h>

#include "core/linux/host_thread.h"

/* --- the list of threads ---------------------------------------------------------------------- */

void linux_thread_add(struct linux_thread *t)
{
    struct linux_process *p = t->process;
    pthread_mutex_lock(&p->threads_lock);
    t->next = p->threads;
    p->threads = t;
    p->thread_count += !t->vfork_child;
    pthread_mutex_unlock(&p->threads_lock);
}

static void remove_locked(struct linux_thread *t)
{
    struct linux_process *p = t->process;
    struct linux_thread **at = &p->threads;
    while (*at != t)
        at = &(*at)->next;
    *at = t->next;
    p->thread_count -= !t->vfork_child;
}

void linux_thread_remove(struct linux_thread *t)
{
    struct linux_process *p = t->process;
    pthread_mutex_lock(&p->threads_lock);
    remove_locked(t);
    pthread_mutex_unlock(&p->threads_lock);
}

static void free_parts(struct linux_thread *t)
{
    linux_signal_state_free(t->signals);
    linux_sighand_unref(t->sighand);
    linux_thread_free(t);
}

/* --- clone with CLONE_VM ---------------------------------------------------------------------- */

static void set_guest_registers(struct linux_thread *t, uint64_t flags, uint64_t stack,
                                uint64_t tls)
{
    t->cpu->x[0] = 0;
    if (stack)
        t->cpu->x[A64_SP] = stack;
    if (flags & CLONE_SETTLS)
        t->cpu->sys[A64_TPIDR_EL0] = tls;
}

static struct linux_thread *new_sharing(struct linux_thread *t, uint64_t flags)
{
    struct linux_thread *child = linux_thread_new(t->process, t);
    if (!child)
        return NULL;
    child->vfork_child = !(flags & CLONE_THREAD);
    child->signals = linux_signal_state_new(t);
    if (flags & CLONE_SIGHAND) {
        atomic_fetch_add(&t->sighand->users, 1);
        child->sighand = t->sighand;
    } else {
        child->sighand = linux_sighand_new(t->sighand);
    }
    if (!child->signals || !child->sighand || host_stack_new(&child->host_stack) < 0) {
        free_parts(child);
        return NULL;
    }
    if (!(flags & CLONE_VFORK)) /* sas_ss_reset() in copy_process() */
        child->signals->altstack = (struct linux_altstack){.flags = LINUX_SS_DISABLE};
    return child;
}

static void start(void *arg)
{
    struct linux_thread *t = arg;
    linux_self = t;
    t->tid = (pid_t)syscall(SYS_gettid);
    if (t->clone_flags & CLONE_CLEAR_SIGHAND)
        linux_sighand_clear(t->sighand);
    linux_host_mask_set(t->signals->mask);
    linux_debug_started(t, t->clone_flags);
    linux_thread_loop(t);
}

static int64_t clone_sharing(struct linux_thread *t, struct clone_args *args, uint64_t stack,
                             uint64_t tls)
{
    uint64_t flags = args->flags;
    struct linux_thread *child = new_sharing(t, flags);
    if (!child)
        return -ENOMEM;
    set_guest_registers(child, flags, stack, tls);
    child->clone_flags = flags | args->exit_signal;
    args->flags &= ~CLONE_CLEAR_SIGHAND;
    struct host_stack host_stack = child->host_stack;
    linux_thread_add(child);
    linux_seccomp_inherit(child, t); /* now that another thread's TSYNC would reach it */
    long r = host_thread_clone(args, &host_stack, start, child);
    if (r < 0 || flags & CLONE_VFORK) {
        linux_thread_remove(child);
        free_parts(child);
        host_stack_free(&host_stack);
    }
    return r;
}

/* --- and without ------------------------------------------------------------------------------ */

/* Locks that the child must find free. The translator's and the memory's own are taken last. */
static void before_fork(struct linux_thread *t)
{
    struct linux_process *p = t->process;
    pthread_mutex_lock(&p->threads_lock);
    pthread_mutex_lock(&t->sighand->lock);
    linux_memory_lock(p);
    if (p->translator)
        translator_before_fork(p->translator);
}

static void after_fork(struct linux_thread *t, bool in_child)
{
    struct linux_process *p = t->process;
    if (p->translator)
        translator_after_fork(p->translator, t->cpu, in_child);
    linux_memory_unlock(p);
    pthread_mutex_unlock(&t->sighand->lock);
    pthread_mutex_unlock(&p->threads_lock);
}

/* In the child: this thread is the only one, and nothing is pending. */
static void become_process(struct linux_thread *t)
{
    struct linux_process *p = t->process;
    while (p->threads) {
        struct linux_thread *other = p->threads;
        p->threads = other->next;
        if (other == t)
            continue;
        struct host_stack stack = other->host_stack;
        if (other->sighand != t->sighand)
            linux_sighand_unref(other->sighand);
        linux_signal_state_free(other->signals);
        linux_thread_free(other);
        host_stack_free(&stack);
    }
    t->next = NULL;
    t->vfork_child = false;
    p->threads = t;
    p->thread_count = 1;
    t->sighand->users = 1;
    t->tid = (pid_t)syscall(SYS_gettid);
    if (p->profile) /* its thread is not here */
        linux_profile_forked(p);
    linux_rseq_forked(p);
    linux_uring_forked(p);
    struct linux_signal_state *s = t->signals;
    s->sent = 0;
    s->forced = s->caught = false;
    s->pending = 0;
}

static int64_t clone_copying(struct linux_thread *t, struct clone_args *args, uint64_t stack,
                             uint64_t tls)
{
    uint64_t flags = args->flags;
    args->flags &= ~CLONE_CLEAR_SIGHAND;
    before_fork(t);
    long r = host_fork(args);
    after_fork(t, r == 0);
    if (r)
        return r;
    become_process(t);
    set_guest_registers(t, flags, stack, tls);
    if (flags & CLONE_CLEAR_SIGHAND)
        linux_sighand_clear(t->sighand);
    linux_debug_started(t, flags | args->exit_signal);
    return 0;
}

/* `args` is clone3's but for stack and tls, which the host's thread has its own of. */
static int64_t clone_thread(struct linux_thread *t, struct clone_args *args, uint64_t stack,
                            uint64_t tls)
{
    linux_host_mask_set(UINT64_MAX);
    if (t->signals->pending)
        return -LINUX_ERESTART; /* linux_signals_deliver() sets the mask again */
    int64_t r = args->flags & CLONE_VM ? clone_sharing(t, args, stack, tls)
                                       : clone_copying(t, args, stack, tls);
    linux_host_mask_set(t->signals->mask);
    return r;
}

/* clone(flags, stack, parent_tid, tls, child_tid) */
int64_t linux_sys_clone(struct linux_thread *t, const uint64_t a[6])
{
    struct clone_args args = {
        .flags = (uint32_t)a[0] & ~(uint32_t)CSIGNAL,
        .exit_signal = a[0] & CSIGNAL,
        .parent_tid = a[2],
        .pidfd = a[2],
        .child_tid = a[4],
    };
    return clone_thread(t, &args, a[1], a[3]);
}

/* Fields that a longer struct has and we do not know must be zero (copy_struct_from_user). */
static int read_clone_args(uint64_t from, uint64_t size_bytes, struct clone_args *ret_args)
{
    uint8_t buffer[LINUX_PAGE] = {0};
    if (size_bytes > sizeof(buffer))
        return -E2BIG;
    if (size_bytes < CLONE_ARGS_SIZE_VER0)
        return -EINVAL;
    if (linux_read(from, buffer, size_bytes) < 0)
        return -EFAULT;
    for (size_t i = sizeof(*ret_args); i < size_bytes; i++)
        if (buffer[i])
            return -E2BIG;
    memcpy(ret_args, buffer, sizeof(*ret_args));
    return 0;
}

int64_t linux_sys_clone3(struct linux_thread *t, const uint64_t a[6])
{
    struct clone_args args;
    int r = read_clone_args(a[0], a[1], &args);
    if (r < 0)
        return r;
    if (!args.stack != !args.stack_size || args.flags & CLONE_DETACHED ||
        args.flags & (CSIGNAL & ~CLONE_NEWTIME) ||
        (args.flags & CLONE_SIGHAND && args.flags & CLONE_CLEAR_SIGHAND) ||
        args.exit_signal > LINUX_SIGNALS)
        return -EINVAL;
    uint64_t stack = args.stack + args.stack_size, tls = args.tls;
    return clone_thread(t, &args, stack, tls);
}

/* --- exit ------------------------------------------------------------------------------------- */

/* The process is about to end: whoever wants to know. */
static void end_process(struct linux_thread *t, int status)
{
    struct linux_process *p = t->process;
    if (p->strace)
        linux_strace_ended(t, (status & 0xff) << 8);
    if (t->vfork_child)
        return;
    linux_debug_ended(t, (status & 0xff) << 8);
    if (p->translator) /* for whoever runs this program next */
        translator_save(p->translator);
    if (p->stats)
        linux_stats_print(p);
    if (p->profile)
        linux_profile_print(p);
}

int64_t linux_sys_exit_group(struct linux_thread *t, const uint64_t a[6])
{
    end_process(t, (int)a[0]);
    for (;;)
        syscall(SYS_exit_group, (int)a[0]);
}

/* The kernel clears and wakes child_tid and walks the robust list; nothing of the guest's is
 * touched here any more. */
int64_t linux_sys_exit(struct linux_thread *t, const uint64_t a[6])
{
    struct linux_process *p = t->process;
    struct host_stack stack = t->host_stack;
    int status = (int)a[0];
    linux_host_mask_set(UINT64_MAX);
    pthread_mutex_lock(&p->threads_lock);
    bool last = p->thread_count == 1 && !t->vfork_child;
    if (!last && !t->vfork_child)
        remove_locked(t);
    pthread_mutex_unlock(&p->threads_lock);
    if (last)
        return linux_sys_exit_group(t, a);
    if (p->strace)
        linux_strace_ended(t, (status & 0xff) << 8);
    if (t->vfork_child) { /* its maker, asleep or not, has the stack */
        for (;;)
            syscall(SYS_exit, status);
    }
    linux_self = NULL;
    free_parts(t);
    host_thread_leave(&stack, status);
}
