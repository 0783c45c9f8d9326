/* tracer.c: which stops of a tracee on the host are stops of the guest's.
 *
 * The kernel stops a tracee at every signal, at exec and at its first instruction. Of those
 *
 *   a SIGSYS with our mark and STOPPING   is the tracee's own doing: told as its block says
 *   a fault (SIGSEGV ... by the kernel)   goes on: the tracee finds out whether it is the guest's
 *   any other signal                      goes on as a SIGSYS that carries it, so that the tracee
 * comes to a point where its registers are exact, and stops there a signal the tracee raises itself
 * goes on as it is: it is to have its default effect exec                                  goes on;
 * the new program is told through AT_FLAGS the first stop of a child             goes on: it makes
 * its own fork, vfork, clone, exit; job control are told as they are: the tracee is inside a call
 *
 * The block is found where the tracee's `linux_self` points, at the same place in its thread-local
 * storage as in ours, for it is the same program; its first word is checked.
 */
#include "core/linux/tracer.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/linux/linux_int.h"

enum { EVENT_STOP = 128, MEET_TRIES = 1000, STACK_SEARCH_MAX = 64 << 20 };

#define OPTIONS_ON_HOST                                                                            \
    (PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEVFORKDONE |    \
     PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL)

/* --- the table ---------------------------------------------------------------------------------
 */

void tracer_lock(struct linux_process *p)
{
    pthread_mutex_lock(&p->tracees_lock);
}

void tracer_unlock(struct linux_process *p)
{
    pthread_mutex_unlock(&p->tracees_lock);
}

struct tracee *tracer_find(struct linux_process *p, pid_t tid)
{
    struct tracee *e = p->tracees;
    while (e && e->tid != tid)
        e = e->next;
    return e;
}

struct tracee *tracer_add(struct linux_process *p, pid_t tid)
{
    struct tracee *e = tracer_find(p, tid);
    if (!e) {
        e = calloc(1, sizeof(*e));
        if (!e)
            abort();
        e->next = p->tracees;
        p->tracees = e;
    } else {
        struct tracee *next = e->next;
        *e = (struct tracee){.next = next};
    }
    e->tid = tid;
    return e;
}

void tracer_remove(struct linux_process *p, pid_t tid)
{
    struct tracee **at = &p->tracees;
    while (*at && (*at)->tid != tid)
        at = &(*at)->next;
    struct tracee *e = *at;
    if (e)
        *at = e->next;
    free(e);
}

/* --- the tracee's memory -----------------------------------------------------------------------
 */

/* By words, where the kernel has no process_vm_readv or forbids it. */
static int by_words(pid_t tid, uint64_t at, uint8_t *data, size_t size_bytes, bool write)
{
    for (size_t done = 0; done < size_bytes;) {
        uint64_t word, base = (at + done) & ~7ull;
        size_t skip = (size_t)(at + done - base), n = 8 - skip;
        n = n < size_bytes - done ? n : size_bytes - done;
        if (syscall(SYS_ptrace, PTRACE_PEEKDATA, tid, base, &word) < 0)
            return -errno;
        if (write) {
            memcpy((uint8_t *)&word + skip, data + done, n);
            if (syscall(SYS_ptrace, PTRACE_POKEDATA, tid, base, word) < 0)
                return -errno;
        } else {
            memcpy(data + done, (uint8_t *)&word + skip, n);
        }
        done += n;
    }
    return 0;
}

int tracer_read(pid_t tid, uint64_t from, void *to, size_t size_bytes)
{
    const struct iovec local = {to, size_bytes}, remote = {(void *)(uintptr_t)from, size_bytes};
    if (process_vm_readv(tid, &local, 1, &remote, 1, 0) == (ssize_t)size_bytes)
        return 0;
    return by_words(tid, from, to, size_bytes, false);
}

int tracer_write(pid_t tid, uint64_t to, const void *from, size_t size_bytes)
{
    const struct iovec local = {(void *)(uintptr_t)from, size_bytes};
    const struct iovec remote = {(void *)(uintptr_t)to, size_bytes};
    if (process_vm_writev(tid, &local, 1, &remote, 1, 0) == (ssize_t)size_bytes)
        return 0;
    return by_words(tid, to, (uint8_t *)(uintptr_t)from, size_bytes, true);
}

#define WRITE_FIELD(e, field, value)                                                               \
    tracer_write((e)->tid, (e)->block + offsetof(struct linux_tracee, field),                      \
                 &(__typeof__(((struct linux_tracee *)0)->field)){value},                          \
                 sizeof(((struct linux_tracee *)0)->field))

unsigned tracer_host_options(unsigned options)
{
    return (options & OPTIONS_ON_HOST) | PTRACE_O_TRACEEXEC;
}

bool tracer_same_program(struct linux_process *p, pid_t tid)
{
    char path[64];
    struct stat own, other;
    snprintf(path, sizeof(path), "/proc/%d/exe", tid);
    if (stat("/proc/self/exe", &own) < 0 || stat(path, &other) < 0)
        return true; /* the kernel says whether it may be traced */
    return own.st_dev == other.st_dev && own.st_ino == other.st_ino;
}

/* --- meeting a tracee --------------------------------------------------------------------------
 */

static uint64_t own_fs_base(void)
{
    uint64_t base;
    __asm__("mov %%fs:0, %0" : "=r"(base)); /* the first word of the control block: its address */
    return base;
}

/* Tells the tracee what its tracer wants, and the kernel. One that made itself traced, or has it
 * from its parent, knows. */
static void set_up(struct tracee *e, const struct linux_tracee *b)
{
    if (!e->known && b->traced) {
        e->seized = b->seized;
        e->options = b->options;
    }
    e->known = true;
    ptrace(PTRACE_SETOPTIONS, e->tid, NULL, (void *)(uintptr_t)tracer_host_options(e->options));
    WRITE_FIELD(e, seized, e->seized);
    WRITE_FIELD(e, options, e->options);
    WRITE_FIELD(e, traced, 1);
}

/* Where the block of a stopped tracee is; 0: it has none. */
static uint64_t own_block(const struct tracee *e, const struct user_regs_struct *regs)
{
    uint64_t self;
    uint64_t slot = regs->fs_base + ((uint64_t)(uintptr_t)&linux_self - own_fs_base());
    if (!regs->fs_base || tracer_read(e->tid, slot, &self, sizeof(self)) < 0 || !self)
        return 0;
    return self + offsetof(struct linux_thread, debug.tracee);
}

/* Finds the block of a stopped tracee. */
static bool locate(struct tracee *e, const struct user_regs_struct *regs)
{
    struct linux_tracee b;
    if (e->block)
        return true;
    uint64_t self = own_block(e, regs);
    if (!self)
        return false;
    if (tracer_read(e->tid, self, &b, sizeof(b)) < 0 || b.magic != LINUX_TRACEE_MAGIC)
        return false;
    e->block = self;
    set_up(e, &b);
    return true;
}

/* --- exec ---------------------------------------------------------------------------------------
 */

/* The address behind the zero word that ends a vector on the tracee's stack; 0: none found. */
static uint64_t behind_zero(pid_t tid, uint64_t at)
{
    uint64_t words[512 / 8];
    for (uint64_t end = at + STACK_SEARCH_MAX; at < end; at += sizeof(words)) {
        /* The stack may end within: word by word then. */
        size_t n = sizeof(words) / 8;
        if (tracer_read(tid, at, words, sizeof(words)) < 0)
            for (n = 0; n < sizeof(words) / 8; n++)
                if (tracer_read(tid, at + n * 8, &words[n], 8) < 0)
                    break;
        for (size_t i = 0; i < n; i++)
            if (!words[i])
                return at + i * 8 + 8;
        if (n < sizeof(words) / 8)
            break;
    }
    return 0;
}

/* Tells a program that begins that it is traced: a bit of AT_FLAGS. */
static void mark_start(pid_t tid, uint64_t sp)
{
    uint64_t entry[2], at = behind_zero(tid, sp + 8);
    at = at ? behind_zero(tid, at) : 0;
    for (; at; at += sizeof(entry)) {
        if (tracer_read(tid, at, entry, sizeof(entry)) < 0 || entry[0] == AT_NULL)
            return;
        if (entry[0] != AT_FLAGS)
            continue;
        entry[1] |= LINUX_TRACED_AT_FLAGS;
        tracer_write(tid, at, entry, sizeof(entry));
        return;
    }
}

/* --- stops --------------------------------------------------------------------------------------
 */

static bool go_on(struct tracee *e, int signal)
{
    e->stop = TRACER_RUNNING;
    ptrace(PTRACE_CONT, e->tid, NULL, (void *)(intptr_t)signal);
    return false;
}

static bool tell(struct tracee *e, enum tracer_stop stop, int status, int *ret_status)
{
    e->stop = stop;
    e->status = *ret_status = status;
    return true;
}

static int stop_status(int signal, int event)
{
    return event << 16 | signal << 8 | 0x7f;
}

static bool exec_begins(struct linux_process *p, struct tracee *e,
                        const struct user_regs_struct *regs, int *status)
{
    unsigned long former = 0;
    ptrace(PTRACE_GETEVENTMSG, e->tid, NULL, &former);
    if (former && (pid_t)former != e->tid)
        tracer_remove(p, (pid_t)former);
    e->message = former;
    e->block = 0;
    e->foreign = !tracer_same_program(p, e->tid);
    if (e->foreign && (e->options & PTRACE_O_TRACEEXEC || !e->seized))
        return tell(e, TRACER_HOST,
                    e->options & PTRACE_O_TRACEEXEC ? *status : stop_status(SIGTRAP, 0), status);
    e->starting = !e->foreign;
    mark_start(e->tid, regs->rsp);
    return go_on(e, 0);
}

/* A tracee that made itself stop. */
static bool block_stopped(struct tracee *e, uint64_t block, int *status)
{
    struct linux_tracee b;
    e->block = block;
    e->starting = e->newborn = false;
    if (tracer_read(e->tid, block, &b, sizeof(b)) < 0 || b.magic != LINUX_TRACEE_MAGIC)
        return go_on(e, 0);
    set_up(e, &b);
    for (int signal = 1; signal <= LINUX_SIGNALS; signal++)
        if (e->deferred >> (signal - 1) & 1)
            syscall(SYS_tgkill, b.tgid, e->tid, signal);
    e->deferred = 0;
    e->why = b.stop;
    int call = SIGTRAP | (e->options & PTRACE_O_TRACESYSGOOD ? 0x80 : 0);
    switch (b.stop) {
    case LINUX_STOP_SIGNAL:
        return tell(e, TRACER_BLOCK, stop_status(b.signal, 0), status);
    case LINUX_STOP_ENTER:
    case LINUX_STOP_LEAVE:
        return tell(e, TRACER_BLOCK, stop_status(call, 0), status);
    case LINUX_STOP_SECCOMP:
        return tell(e, TRACER_BLOCK, stop_status(SIGTRAP, PTRACE_EVENT_SECCOMP), status);
    case LINUX_STOP_START:
        return tell(e, TRACER_BLOCK,
                    e->seized ? stop_status(SIGTRAP, EVENT_STOP) : stop_status(SIGSTOP, 0), status);
    case LINUX_STOP_ASKED:
        return tell(e, TRACER_BLOCK, stop_status(SIGTRAP, EVENT_STOP), status);
    case LINUX_STOP_EXEC:
        if (e->options & PTRACE_O_TRACEEXEC)
            return tell(e, TRACER_BLOCK, stop_status(SIGTRAP, PTRACE_EVENT_EXEC), status);
        if (!e->seized)
            return tell(e, TRACER_BLOCK, stop_status(SIGTRAP, 0), status);
        break;
    }
    WRITE_FIELD(e, stop, LINUX_STOP_NONE);
    return go_on(e, 0);
}

static bool event_stopped(struct linux_process *p, struct tracee *e, int event,
                          const struct user_regs_struct *regs, int *status)
{
    unsigned long message = 0;
    switch (event) {
    case PTRACE_EVENT_EXEC:
        return exec_begins(p, e, regs, status);
    case EVENT_STOP:
        locate(e, regs);
        e->newborn = false;
        if (WSTOPSIG(*status) != SIGTRAP)
            return tell(e, TRACER_GROUP, *status, status);
        return go_on(e, 0);
    case PTRACE_EVENT_FORK:
    case PTRACE_EVENT_VFORK:
    case PTRACE_EVENT_CLONE:
        ptrace(PTRACE_GETEVENTMSG, e->tid, NULL, &message);
        if (message && !tracer_find(p, (pid_t)message)) {
            struct tracee *child = tracer_add(p, (pid_t)message);
            child->starting = child->known = true;
            child->seized = e->seized;
            child->newborn = !e->seized;
            child->options = e->options;
        }
        break;
    case PTRACE_EVENT_EXIT: /* a thread that ends has given its memory back already */
        if (own_block(e, regs) != e->block)
            e->block = 0;
        break;
    default:
        break;
    }
    return tell(e, TRACER_HOST, *status, status);
}

/* Why the call that the tracee was in at this signal was interrupted: what the kernel left in RAX.
 */
static unsigned restart_of(const struct user_regs_struct *regs)
{
    if ((int64_t)regs->orig_rax < 0)
        return LINUX_RESTART_NONE;
    switch (-(int64_t)regs->rax) {
    case 512:
        return LINUX_RESTART_SYS;
    case 513:
        return LINUX_RESTART_ALWAYS;
    case 514:
        return LINUX_RESTART_NOHAND;
    case 516:
        return LINUX_RESTART_BLOCK;
    default:
        return LINUX_RESTART_NONE;
    }
}

/* Lets the tracee go on with a SIGSYS that says `signal` came; 0: it is to look at its block. */
static bool carry(struct tracee *e, siginfo_t *info, int signal,
                  const struct user_regs_struct *regs)
{
    info->si_signo = SIGSYS;
    info->si_errno =
        (int)(LINUX_TRACE_MARK | restart_of(regs) << LINUX_TRACE_RESTART_SHIFT | (unsigned)signal);
    ptrace(PTRACE_SETSIGINFO, e->tid, NULL, info);
    return go_on(e, SIGSYS);
}

static bool signal_stopped(struct linux_process *p, struct tracee *e, siginfo_t *info,
                           const struct user_regs_struct *regs, int *status)
{
    const uint64_t bit = 1ull << (info->si_signo - 1);
    const unsigned news = (unsigned)info->si_errno;
    int signal = info->si_signo, raising = 0;
    bool ours = signal == SIGSYS && info->si_code <= 0 && (news & 0xffff0000) == LINUX_TRACE_MARK;
    if (ours && news & LINUX_TRACE_STOPPING)
        return block_stopped(e, (uintptr_t)info->si_ptr, status);
    if (e->foreign)
        return tell(e, TRACER_HOST, *status, status);
    if (signal == SIGTRAP && !regs->fs_base && !e->starting) /* exec without the option */
        return exec_begins(p, e, regs, status);
    if (bit & LINUX_FAULT_SIGNALS && info->si_code > 0)
        return go_on(e, signal);
    if (e->starting || !locate(e, regs)) {
        if (signal == SIGSTOP && e->newborn)
            e->newborn = false;
        else
            e->deferred |= bit;
        return go_on(e, 0);
    }
    tracer_read(e->tid, e->block + offsetof(struct linux_tracee, raising), &raising,
                sizeof(raising));
    if (raising == signal) {
        WRITE_FIELD(e, raising, 0);
        return go_on(e, signal);
    }
    return carry(e, info, ours ? 0 : signal, regs);
}

bool tracer_stopped(struct linux_process *p, pid_t tid, int *status)
{
    struct user_regs_struct regs;
    siginfo_t info;
    bool told = true;
    if (ptrace(PTRACE_GETREGS, tid, NULL, &regs) < 0)
        return true; /* a child, stopped by job control */
    tracer_lock(p);
    struct tracee *e = tracer_find(p, tid);
    if (!e) {
        e = tracer_add(p, tid);
        e->newborn = true;
    }
    int event = *status >> 16;
    if (e->foreign && event != PTRACE_EVENT_EXEC)
        told = tell(e, TRACER_HOST, *status, status);
    else if (event)
        told = event_stopped(p, e, event, &regs, status);
    else if (ptrace(PTRACE_GETSIGINFO, tid, NULL, &info) < 0)
        told = tell(e, TRACER_GROUP, *status, status);
    else
        told = signal_stopped(p, e, &info, &regs, status);
    tracer_unlock(p);
    return told;
}

int tracer_meet(struct linux_process *p, struct tracee *e)
{
    for (int i = 0; i < MEET_TRIES; i++) {
        int status;
        ptrace(PTRACE_INTERRUPT, e->tid, NULL, NULL);
        if (waitpid(e->tid, &status, __WALL) < 0 || !WIFSTOPPED(status))
            return -ESRCH;
        e->untold = tracer_stopped(p, e->tid, &status);
        if (e->block || e->untold)
            return 0;
        sched_yield();
    }
    return 0;
}
