/* gdb.c: stops and lets go the threads of this process for a debugger on a thread of its own.
 *
 * Each guest thread is in one of three places: in guest code (or about to enter or leave it), out
 * of it (in a system call, starting, ending), or parked. A pause raises `hold` and kicks the
 * threads that are in guest code; each parks at its next look. Threads in system calls are left in
 * peace: their registers are exact already, and they park when they come back. So a debugger
 * interrupts no call.
 *
 * A signal about to be delivered is a stop: the thread notes it, rings and parks; whoever resumes
 * it says which signal it gets in the end. Breakpoints are BRK instructions written over the code
 * through /proc/self/mem, which takes no notice of page rights; single steps are the architecture's
 * own software step, so that both come as signals of the thread they concern.
 *
 * Limits: without /proc, code in pages that cannot be written takes no breakpoints. A child of
 * vfork() runs into its parent's breakpoints, and is killed by them. After exec nobody debugs.
 */
#include "core/linux/gdb.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "core/linux/linux_int.h"

enum { BREAKPOINTS_MAX = 256, INSTRUCTION_BYTES = 4, PAUSE_LOOK_NS = 20000000 };

static const uint32_t brk_0 = 0xd4200000;

struct breakpoint {
    uint64_t va;
    uint32_t original;
};

struct linux_gdb {
    struct linux_process *process;
    const struct linux_gdb_ops *ops; /* borrowed */
    int memory_fd;                   /* /proc/self/mem; -1: there is none */
    pthread_mutex_t lock; /* guards what follows, and struct linux_debug of all threads */
    pthread_cond_t changed;
    bool hold;        /* nobody enters guest code */
    bool interrupted; /* the debugger asked for a stop */
    bool ended;
    uint64_t pass;
    unsigned breakpoint_count;
    struct breakpoint breakpoints[BREAKPOINTS_MAX];
};

static int open_memory(void)
{
    return open("/proc/self/mem", O_RDWR | O_CLOEXEC);
}

int linux_gdb_new(struct linux_process *p, const struct linux_gdb_ops *ops, struct linux_gdb **ret,
                  struct err *e)
{
    struct linux_gdb *gdb = calloc(1, sizeof(*gdb));
    if (!gdb)
        return err_set_errno(e, ENOMEM, "debugger");
    gdb->process = p;
    gdb->ops = ops;
    gdb->hold = true;
    gdb->memory_fd = linux_fd_keep(p, open_memory());
    pthread_mutex_init(&gdb->lock, NULL);
    pthread_cond_init(&gdb->changed, NULL);
    *ret = gdb;
    return 0;
}

int linux_gdb_start(struct linux_gdb *gdb, struct err *e)
{
    return gdb->ops->start(gdb->ops->ctx, gdb, e);
}

/* --- guest threads -----------------------------------------------------------------------------
 */

/* Under the lock: until the thread may go on. */
static void park(struct linux_gdb *gdb, struct linux_thread *t)
{
    while (gdb->hold || t->debug.stay || t->debug.stopped) {
        t->debug.place = LINUX_GDB_PARKED;
        pthread_cond_broadcast(&gdb->changed);
        pthread_cond_wait(&gdb->changed, &gdb->lock);
    }
    t->debug.place = LINUX_GDB_IN;
}

void linux_gdb_look(struct linux_thread *t)
{
    struct linux_gdb *gdb = t->process->gdb;
    pthread_mutex_lock(&gdb->lock);
    park(gdb, t);
    pthread_mutex_unlock(&gdb->lock);
}

void linux_gdb_call(struct linux_thread *t, bool inside)
{
    struct linux_gdb *gdb = t->process->gdb;
    pthread_mutex_lock(&gdb->lock);
    if (inside) {
        t->debug.place = LINUX_GDB_OUT;
        pthread_cond_broadcast(&gdb->changed);
    } else {
        park(gdb, t);
    }
    pthread_mutex_unlock(&gdb->lock);
}

bool linux_gdb_signal(struct linux_thread *t, siginfo_t *info)
{
    struct linux_gdb *gdb = t->process->gdb;
    int signal = info->si_signo;
    uint64_t bit = 1ull << (signal - 1);
    pthread_mutex_lock(&gdb->lock);
    if ((gdb->pass | t->debug.silent) & bit) {
        t->debug.silent &= ~bit;
        pthread_mutex_unlock(&gdb->lock);
        return true;
    }
    t->debug.info = *info;
    t->debug.stopped = true;
    t->debug.inject = 0;
    gdb->ops->ring(gdb->ops->ctx);
    park(gdb, t);
    int given = t->debug.inject;
    t->debug.inject = 0;
    pthread_mutex_unlock(&gdb->lock);
    if (given && given != signal)
        *info = (siginfo_t){.si_signo = given};
    return given;
}

void linux_gdb_ended(struct linux_thread *t, int wait_status)
{
    struct linux_gdb *gdb = t->process->gdb;
    pthread_mutex_lock(&gdb->lock);
    park(gdb, t);
    bool other = gdb->ended;
    gdb->ended = true;
    t->debug.place = LINUX_GDB_OUT;
    pthread_cond_broadcast(&gdb->changed);
    pthread_mutex_unlock(&gdb->lock);
    if (!other)
        gdb->ops->ended(gdb->ops->ctx, wait_status);
    while (other) /* that thread ends the process */
        pause();
}

void linux_gdb_forked(struct linux_thread *t)
{
    struct linux_gdb *gdb = t->process->gdb;
    linux_fd_drop(t->process, gdb->memory_fd); /* the parent's memory */
    gdb->memory_fd = open_memory();
    while (gdb->breakpoint_count)
        linux_gdb_breakpoint(gdb, gdb->breakpoints[gdb->breakpoint_count - 1].va, false);
    if (gdb->memory_fd >= 0)
        close(gdb->memory_fd);
    gdb->ops->forked(gdb->ops->ctx);
    t->process->gdb = NULL;
    free(gdb);
}

/* --- pause and resume --------------------------------------------------------------------------
 */

/* Under the lock: whether a thread is in guest code; kicks those that are. */
static bool kick_all(struct linux_gdb *gdb)
{
    struct linux_process *p = gdb->process;
    bool any = false;
    pthread_mutex_lock(&p->threads_lock);
    for (struct linux_thread *t = p->threads; t; t = t->next) {
        if (t->debug.place != LINUX_GDB_IN)
            continue;
        linux_thread_kick(t);
        any = true;
    }
    pthread_mutex_unlock(&p->threads_lock);
    return any;
}

void linux_gdb_pause(struct linux_gdb *gdb)
{
    pthread_mutex_lock(&gdb->lock);
    gdb->hold = true;
    while (kick_all(gdb)) { /* those that end are not heard of */
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += PAUSE_LOOK_NS;
        if (until.tv_nsec >= 1000000000) {
            until.tv_nsec -= 1000000000;
            until.tv_sec++;
        }
        pthread_cond_timedwait(&gdb->changed, &gdb->lock, &until);
    }
    pthread_mutex_unlock(&gdb->lock);
}

bool linux_gdb_stopped(struct linux_gdb *gdb, pid_t *ret_tid, siginfo_t *ret_info)
{
    struct linux_process *p = gdb->process;
    bool found = false;
    pthread_mutex_lock(&gdb->lock);
    pthread_mutex_lock(&p->threads_lock);
    for (struct linux_thread *t = p->threads; t && !found; t = t->next) {
        if (!t->debug.stopped)
            continue;
        t->debug.stopped = false;
        *ret_tid = t->tid;
        *ret_info = t->debug.info;
        found = true;
    }
    if (!found && gdb->interrupted && p->threads) {
        *ret_tid = p->threads->tid;
        *ret_info = (siginfo_t){.si_signo = SIGINT};
        found = true;
    }
    gdb->interrupted = false;
    pthread_mutex_unlock(&p->threads_lock);
    pthread_mutex_unlock(&gdb->lock);
    return found;
}

/* Under the locks. A thread that was reported gets its signal where it waits for it; another has it
 * sent. */
static void give(struct linux_gdb *gdb, struct linux_thread *t, int signal)
{
    if (t->debug.place == LINUX_GDB_PARKED && t->debug.info.si_signo) {
        t->debug.inject = signal;
        t->debug.info.si_signo = 0;
    } else {
        t->debug.silent |= 1ull << (signal - 1);
        syscall(SYS_tgkill, getpid(), t->tid, signal);
    }
}

static void let_go(struct linux_gdb *gdb, struct linux_thread *t,
                   const struct linux_gdb_action *actions, unsigned count)
{
    const struct linux_gdb_action *action = NULL;
    for (unsigned i = 0; i < count && !action; i++)
        if (actions[i].tid == 0 || actions[i].tid == t->tid)
            action = &actions[i];
    t->debug.stay = !action;
    t->debug.step = action && action->step;
    t->debug.pc = t->cpu->pc;
    if (action && action->signal > 0 && action->signal <= LINUX_SIGNALS)
        give(gdb, t, action->signal);
    else if (action)
        t->debug.info.si_signo = 0;
    if (t->debug.step)
        linux_thread_kick(t);
}

void linux_gdb_resume(struct linux_gdb *gdb, const struct linux_gdb_action *actions, unsigned count)
{
    struct linux_process *p = gdb->process;
    bool more = false;
    pthread_mutex_lock(&gdb->lock);
    pthread_mutex_lock(&p->threads_lock);
    for (struct linux_thread *t = p->threads; t; t = t->next) {
        /* Untold stops: a breakpoint may be gone by now, so the instruction is tried again. */
        if (t->debug.stopped && t->debug.info.si_signo == SIGTRAP)
            t->debug.stopped = false;
        more |= t->debug.stopped;
        if (!t->debug.stopped)
            let_go(gdb, t, actions, count);
    }
    gdb->hold = more;
    pthread_cond_broadcast(&gdb->changed);
    pthread_mutex_unlock(&p->threads_lock);
    pthread_mutex_unlock(&gdb->lock);
    if (more)
        gdb->ops->ring(gdb->ops->ctx);
}

void linux_gdb_interrupt(struct linux_gdb *gdb)
{
    pthread_mutex_lock(&gdb->lock);
    gdb->interrupted = true;
    pthread_mutex_unlock(&gdb->lock);
    gdb->ops->ring(gdb->ops->ctx);
}

void linux_gdb_pass(struct linux_gdb *gdb, uint64_t signals)
{
    pthread_mutex_lock(&gdb->lock);
    gdb->pass = signals;
    pthread_mutex_unlock(&gdb->lock);
}

/* --- looking -----------------------------------------------------------------------------------
 */

unsigned linux_gdb_threads(struct linux_gdb *gdb, uint32_t *ret_tids, unsigned max)
{
    struct linux_process *p = gdb->process;
    unsigned n = 0;
    pthread_mutex_lock(&p->threads_lock);
    for (struct linux_thread *t = p->threads; t && n < max; t = t->next)
        ret_tids[n++] = (uint32_t)t->tid;
    pthread_mutex_unlock(&p->threads_lock);
    return n;
}

static bool with_regs(struct linux_gdb *gdb, pid_t tid, struct linux_gdb_regs *regs, bool set)
{
    struct linux_process *p = gdb->process;
    bool found = false;
    pthread_mutex_lock(&p->threads_lock);
    for (struct linux_thread *t = p->threads; t && !found; t = t->next) {
        if (t->tid != tid)
            continue;
        found = true;
        if (set) {
            linux_regs_set(t->cpu, &regs->general);
            linux_fpsimd_set(t->cpu, &regs->fpsimd);
        } else {
            linux_regs_get(t->cpu, &regs->general);
            linux_fpsimd_get(t->cpu, &regs->fpsimd);
        }
    }
    pthread_mutex_unlock(&p->threads_lock);
    return found;
}

bool linux_gdb_regs_get(struct linux_gdb *gdb, pid_t tid, struct linux_gdb_regs *ret)
{
    return with_regs(gdb, tid, ret, false);
}

bool linux_gdb_regs_set(struct linux_gdb *gdb, pid_t tid, const struct linux_gdb_regs *regs)
{
    struct linux_gdb_regs copy = *regs;
    return with_regs(gdb, tid, &copy, true);
}

/* This process's memory as a file or, without /proc, as the kernel copies it between processes. */
static bool copy_memory(const struct linux_gdb *gdb, uint64_t va, void *data, size_t size_bytes,
                        bool write)
{
    const struct iovec local = {data, size_bytes}, remote = {(void *)(uintptr_t)va, size_bytes};
    ssize_t n = write ? pwrite(gdb->memory_fd, data, size_bytes, (off_t)va)
                      : pread(gdb->memory_fd, data, size_bytes, (off_t)va);
    if (n < 0 && errno == EBADF)
        n = write ? process_vm_writev(getpid(), &local, 1, &remote, 1, 0)
                  : process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
    if (n == (ssize_t)size_bytes && write)
        linux_memory_changed(gdb->process, va & ~(LINUX_PAGE - 1ull),
                             (va + size_bytes + LINUX_PAGE - 1) & ~(LINUX_PAGE - 1ull));
    return n == (ssize_t)size_bytes;
}

/* Exchanges, where [va, va + size) has breakpoints, the bytes of `data` and those kept with them:
 * what is read is what was there, and what is written is there when they go. */
static void hide_breakpoints(struct linux_gdb *gdb, uint64_t va, uint8_t *data, size_t size_bytes,
                             bool write)
{
    for (unsigned i = 0; i < gdb->breakpoint_count; i++) {
        struct breakpoint *b = &gdb->breakpoints[i];
        for (unsigned j = 0; j < INSTRUCTION_BYTES; j++) {
            uint64_t at = b->va + j - va;
            if (at >= size_bytes)
                continue;
            uint8_t *original = (uint8_t *)&b->original + j;
            if (write)
                *original = data[at];
            data[at] = write ? ((const uint8_t *)&brk_0)[j] : *original;
        }
    }
}

bool linux_gdb_memory(struct linux_gdb *gdb, uint64_t va, void *data, size_t size_bytes, bool write)
{
    if (write)
        hide_breakpoints(gdb, va, data, size_bytes, true);
    if (!copy_memory(gdb, va, data, size_bytes, write))
        return false;
    if (!write)
        hide_breakpoints(gdb, va, data, size_bytes, false);
    return true;
}

bool linux_gdb_breakpoint(struct linux_gdb *gdb, uint64_t va, bool set)
{
    uint32_t word = brk_0;
    unsigned i = 0;
    while (i < gdb->breakpoint_count && gdb->breakpoints[i].va != va)
        i++;
    if (set != (i == gdb->breakpoint_count))
        return set;
    if (!set) {
        struct breakpoint b = gdb->breakpoints[i];
        gdb->breakpoints[i] = gdb->breakpoints[--gdb->breakpoint_count];
        /* Not where the code has become other code since. */
        return copy_memory(gdb, va, &word, sizeof(word), false) &&
               (word != brk_0 || copy_memory(gdb, va, &b.original, sizeof(b.original), true));
    }
    struct breakpoint *b = &gdb->breakpoints[i];
    if (va % INSTRUCTION_BYTES || i == BREAKPOINTS_MAX ||
        !copy_memory(gdb, va, &b->original, sizeof(b->original), false) ||
        !copy_memory(gdb, va, &word, sizeof(word), true))
        return false;
    b->va = va;
    gdb->breakpoint_count++;
    return true;
}

bool linux_gdb_auxv(struct linux_gdb *gdb, uint64_t offset, void *data, size_t *size_bytes)
{
    const struct linux_layout *layout = &gdb->process->layout;
    uint64_t left = offset < layout->auxv_bytes ? layout->auxv_bytes - offset : 0;
    *size_bytes = *size_bytes < left ? *size_bytes : left;
    return copy_memory(gdb, layout->auxv + offset, data, *size_bytes, false);
}

const char *linux_gdb_program(const struct linux_gdb *gdb)
{
    return gdb->process->layout.program_path;
}

int linux_gdb_open(const struct linux_gdb *gdb, const char *path)
{
    const char *root = gdb->process->config->sysroot;
    char inside[2 * sizeof(gdb->process->layout.program_path)];
    int fd = -1;
    if (root && path[0] == '/' &&
        (size_t)snprintf(inside, sizeof(inside), "%s%s", root, path) < sizeof(inside))
        fd = open(inside, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    return fd < 0 ? -errno : fd;
}

int linux_gdb_keep_fd(struct linux_gdb *gdb, int fd)
{
    return linux_fd_keep(gdb->process, fd);
}

void linux_gdb_drop_fd(struct linux_gdb *gdb, int fd)
{
    linux_fd_drop(gdb->process, fd);
}
