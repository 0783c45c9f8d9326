/* ptrace.c: ptrace() between guest processes.
 *
 * Each guest process is a host process, so attaching, waiting, the death of either side,
 * permissions and job control are the host kernel's ptrace. What the kernel cannot know is where an
 * arm64 thread is: on the host it stops in the middle of translated code. So the kernel's stops are
 * mere messages: tracer.c lets the tracee go on from those that mean nothing to the guest, and
 * makes it stop itself at a point where its arm64 registers are exact (tracee.c), with them and the
 * reason in a block that we read and write through the kernel. Entries to and exits from calls,
 * steps, breakpoints and signals are such stops. Stops that the kernel makes while the tracee is in
 * a call (fork, clone, exit, job control) are told as they are: the registers of the call lie in
 * the block already. wait4() and waitid() are where all of it is sorted, so a tracee may stand
 * still while its tracer does not wait.
 *
 * Memory needs nothing: guest addresses are host addresses. What was poked may be code, so a tracee
 * forgets its translations when it is let go from a signal's stop.
 *
 * Limits: programs that are not arm64 can neither trace here nor be traced (EPERM); a tracee that
 * execs one is told as the host tells it, without registers. Registers of threads that job control
 * stopped anywhere are those of their last stop or call. A sleep that a stop interrupts begins
 * anew. No hardware breakpoints or watchpoints (gdb is told there are none, and steps instead).
 *
 * Source: Linux 6.1, kernel/ptrace.c, arch/arm64/kernel/ptrace.c; ptrace(2).
 */
#include <elf.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/linux/linux_int.h"
#include "core/linux/tracer.h"

/* Requests of arm64 that the host has under other numbers or not at all. */
enum { ARM64_SYSEMU = 31, ARM64_SYSEMU_SINGLESTEP = 32, ARM64_PEEKMTETAGS = 33 };

enum { OPTIONS_ALL = 0xff | PTRACE_O_EXITKILL, DEBUG_ARCH_V8 = 6 };

struct request {
    struct linux_process *p;
    struct tracee *e;      /* stopped, where the row says so */
    struct linux_tracee b; /* its block */
    int number;
    uint64_t addr, data;
};

static int64_t host(const struct request *r, uint64_t addr, uint64_t data)
{
    long result = syscall(SYS_ptrace, r->number, r->e->tid, addr, data);
    return result < 0 ? -errno : result;
}

#define BLOCK_WRITE(r, field)                                                                      \
    tracer_write((r)->e->tid, (r)->e->block + offsetof(struct linux_tracee, field), &(r)->b.field, \
                 sizeof((r)->b.field))

/* --- memory ------------------------------------------------------------------------------------
 */

static int64_t peek(struct request *r)
{
    uint64_t word;
    int64_t result = host(r, linux_untag(r->addr), (uintptr_t)&word);
    return result < 0 ? result : linux_write(r->data, &word, sizeof(word));
}

static int64_t poke(struct request *r)
{
    return host(r, linux_untag(r->addr), r->data);
}

/* --- registers ---------------------------------------------------------------------------------
 */

struct no_slots { /* struct user_hwdebug_state */
    uint32_t info, padding;
    uint64_t slots[32];
};

/* A register set in the block. */
static bool find_set(struct request *r, void **ret_data, size_t *ret_size)
{
    switch (r->addr) {
    case NT_PRSTATUS:
        *ret_data = &r->b.general;
        *ret_size = sizeof(r->b.general);
        return true;
    case NT_PRFPREG:
        *ret_data = &r->b.fpsimd;
        *ret_size = sizeof(r->b.fpsimd);
        return true;
    case NT_ARM_TLS:
        *ret_data = &r->b.tls;
        *ret_size = sizeof(r->b.tls);
        return true;
    case NT_ARM_SYSTEM_CALL:
        *ret_data = &r->b.call;
        *ret_size = sizeof(r->b.call);
        return true;
    default:
        return false;
    }
}

static int64_t get_set(struct request *r)
{
    struct iovec iov;
    struct no_slots none = {.info = DEBUG_ARCH_V8 << 8};
    void *data = &none;
    size_t size = sizeof(none);
    if (!find_set(r, &data, &size) && r->addr != NT_ARM_HW_BREAK && r->addr != NT_ARM_HW_WATCH)
        return -EINVAL;
    if (linux_read(r->data, &iov, sizeof(iov)) < 0)
        return -EFAULT;
    iov.iov_len = iov.iov_len < size ? iov.iov_len : size;
    if (linux_write((uintptr_t)iov.iov_base, data, iov.iov_len) < 0)
        return -EFAULT;
    return linux_write(r->data + offsetof(struct iovec, iov_len), &iov.iov_len, 8);
}

static int64_t set_set(struct request *r)
{
    struct iovec iov;
    void *data;
    size_t size;
    if (r->addr == NT_ARM_HW_BREAK || r->addr == NT_ARM_HW_WATCH)
        return -ENOSPC;
    if (!find_set(r, &data, &size))
        return -EINVAL;
    if (linux_read(r->data, &iov, sizeof(iov)) < 0)
        return -EFAULT;
    iov.iov_len = iov.iov_len < size ? iov.iov_len : size;
    if (linux_read((uintptr_t)iov.iov_base, data, iov.iov_len) < 0)
        return -EFAULT;
    r->b.dirty = 1;
    int rc = tracer_write(r->e->tid, r->e->block + (uint64_t)((uint8_t *)data - (uint8_t *)&r->b),
                          data, size);
    return rc < 0 || r->addr == NT_ARM_SYSTEM_CALL ? rc : BLOCK_WRITE(r, dirty);
}

/* --- what the stop is --------------------------------------------------------------------------
 */

static bool stopped_at(const struct request *r, enum linux_trace_stop why)
{
    return r->e->stop == TRACER_BLOCK && r->e->why == why;
}

static int64_t get_siginfo(struct request *r)
{
    siginfo_t info = {.si_signo = SIGTRAP};
    int event = r->e->status >> 16;
    if (r->e->stop != TRACER_BLOCK) {
        int64_t result = host(r, 0, (uintptr_t)&info);
        if (result < 0)
            return result;
    } else if (stopped_at(r, LINUX_STOP_SIGNAL)) {
        info = r->b.info;
    } else if (stopped_at(r, LINUX_STOP_START) && !event) {
        info.si_signo = SIGSTOP;
    } else { /* as ptrace_notify() makes it; exec without an event is SIGTRAP to itself */
        bool sent = !event && stopped_at(r, LINUX_STOP_EXEC);
        info.si_code = sent ? SI_USER : event << 8 | WSTOPSIG(r->e->status);
        info.si_pid = r->b.tid;
        info.si_uid = getuid();
    }
    return linux_write(r->data, &info, sizeof(info));
}

static int64_t set_siginfo(struct request *r)
{
    if (!stopped_at(r, LINUX_STOP_SIGNAL))
        return -EINVAL;
    if (linux_read(r->data, &r->b.info, sizeof(r->b.info)) < 0)
        return -EFAULT;
    return BLOCK_WRITE(r, info);
}

static int64_t get_message(struct request *r)
{
    uint64_t message = 0;
    if (stopped_at(r, LINUX_STOP_SECCOMP))
        message = r->b.message;
    else if (stopped_at(r, LINUX_STOP_EXEC))
        message = r->e->message;
    else if (stopped_at(r, LINUX_STOP_ENTER))
        message = PTRACE_EVENTMSG_SYSCALL_ENTRY;
    else if (stopped_at(r, LINUX_STOP_LEAVE))
        message = PTRACE_EVENTMSG_SYSCALL_EXIT;
    else if (r->e->stop == TRACER_HOST && host(r, 0, (uintptr_t)&message) < 0)
        return -errno;
    return linux_write(r->data, &message, sizeof(message));
}

static int64_t get_call(struct request *r)
{
    struct ptrace_syscall_info info = {
        .op = PTRACE_SYSCALL_INFO_NONE,
        .arch = AUDIT_ARCH_AARCH64,
        .instruction_pointer = r->b.general.pc,
        .stack_pointer = r->b.general.sp,
    };
    int64_t size = offsetof(struct ptrace_syscall_info, entry);
    if (stopped_at(r, LINUX_STOP_ENTER) || stopped_at(r, LINUX_STOP_SECCOMP)) {
        info.op = PTRACE_SYSCALL_INFO_ENTRY;
        info.entry.nr = (uint64_t)(int64_t)r->b.call;
        memcpy(info.entry.args, r->b.general.x, sizeof(info.entry.args));
        size += sizeof(info.entry);
        if (stopped_at(r, LINUX_STOP_SECCOMP)) {
            info.op = PTRACE_SYSCALL_INFO_SECCOMP;
            info.seccomp.ret_data = (uint32_t)r->b.message;
            size = offsetof(struct ptrace_syscall_info, seccomp.ret_data) + 4;
        }
    } else if (stopped_at(r, LINUX_STOP_LEAVE)) {
        info.op = PTRACE_SYSCALL_INFO_EXIT;
        info.exit.rval = (int64_t)r->b.general.x[0];
        info.exit.is_error = info.exit.rval < 0 && info.exit.rval >= -4095;
        size = offsetof(struct ptrace_syscall_info, exit.is_error) + 1;
    }
    size_t copied = r->addr < (uint64_t)size ? r->addr : (uint64_t)size;
    return linux_write(r->data, &info, copied) < 0 ? -EFAULT : size;
}

static int64_t set_options(struct request *r)
{
    if (r->data & ~(uint64_t)OPTIONS_ALL)
        return -EINVAL;
    int64_t result = host(r, 0, tracer_host_options((unsigned)r->data));
    if (result < 0)
        return result;
    r->e->options = r->b.options = (unsigned)r->data;
    return r->e->block ? BLOCK_WRITE(r, options) : 0;
}

static int64_t to_host(struct request *r)
{
    return host(r, r->addr, r->data);
}

static int64_t refuse(struct request *r)
{
    (void)r;
    return -EIO;
}

/* --- going on ----------------------------------------------------------------------------------
 */

static int64_t let_go(struct request *r, unsigned mode, bool traced)
{
    struct tracee *e = r->e;
    long request = traced ? PTRACE_CONT : PTRACE_DETACH;
    long signal = 0;
    if (r->data > LINUX_SIGNALS)
        return -EIO;
    if (e->block && !e->foreign) {
        r->b.mode = mode;
        r->b.traced = traced;
        r->b.signal = (int)r->data;
        r->b.flush = e->stop == TRACER_BLOCK && e->why != LINUX_STOP_ENTER &&
                     e->why != LINUX_STOP_LEAVE && mode != LINUX_TRACE_SYSCALL;
        r->b.stop = LINUX_STOP_NONE;
        BLOCK_WRITE(r, mode);
        BLOCK_WRITE(r, traced);
        BLOCK_WRITE(r, signal);
        BLOCK_WRITE(r, flush);
        if (e->stop == TRACER_BLOCK)
            BLOCK_WRITE(r, stop);
    }
    if (e->stop != TRACER_BLOCK)
        signal = (long)r->data;
    e->stop = TRACER_RUNNING;
    if (syscall(SYS_ptrace, request, e->tid, 0, signal) < 0)
        return -errno;
    if (!traced)
        tracer_remove(r->p, e->tid);
    return 0;
}

static int64_t resume(struct request *r)
{
    static const struct {
        int request;
        unsigned mode;
    } modes[] = {
        {PTRACE_CONT, LINUX_TRACE_CONT},
        {PTRACE_SYSCALL, LINUX_TRACE_SYSCALL},
        {PTRACE_SINGLESTEP, LINUX_TRACE_STEP},
        {ARM64_SYSEMU, LINUX_TRACE_SYSEMU},
        {ARM64_SYSEMU_SINGLESTEP, LINUX_TRACE_SYSEMU | LINUX_TRACE_STEP},
    };
    unsigned i = 0;
    while (modes[i].request != r->number)
        i++;
    return let_go(r, modes[i].mode, true);
}

static int64_t detach(struct request *r)
{
    return let_go(r, LINUX_TRACE_CONT, false);
}

static int64_t listen_group(struct request *r)
{
    if (!r->e->seized || r->e->stop != TRACER_GROUP)
        return -EIO;
    int64_t result = host(r, 0, 0);
    if (result == 0)
        r->e->stop = TRACER_RUNNING;
    return result;
}

/* The tracee, which runs, is to stop: a SIGSYS makes it look at its block. */
static int64_t interrupt(struct request *r)
{
    struct tracee *e = r->e;
    siginfo_t info = {.si_signo = SIGSYS, .si_errno = LINUX_TRACE_MARK, .si_code = SI_QUEUE};
    if (!e->seized)
        return -EIO;
    if (e->foreign || !e->block)
        return host(r, 0, 0);
    r->b.interrupt = 1;
    if (tracer_read(e->tid, e->block, &r->b, offsetof(struct linux_tracee, traced)) < 0)
        return -ESRCH;
    BLOCK_WRITE(r, interrupt);
    long rc = syscall(SYS_rt_tgsigqueueinfo, r->b.tgid, e->tid, SIGSYS, &info);
    return rc < 0 ? -errno : 0;
}

/* --- beginning ---------------------------------------------------------------------------------
 */

static int64_t attach(struct linux_process *p, int number, pid_t tid, uint64_t addr, uint64_t data)
{
    bool seize = number == PTRACE_SEIZE;
    int64_t rc = 0;
    if (seize && (addr || data & ~(uint64_t)OPTIONS_ALL))
        return -EIO;
    if (!tracer_same_program(p, tid))
        return -EPERM;
    tracer_lock(p);
    struct tracee *e = tracer_find(p, tid);
    if (syscall(SYS_ptrace, number, tid, 0, seize ? tracer_host_options((unsigned)data) : 0) < 0) {
        tracer_unlock(p);
        return -errno;
    }
    e = tracer_add(p, tid);
    e->known = true;
    e->seized = seize;
    e->options = seize ? (unsigned)data : 0;
    tracer_unlock(p);
    if (seize)
        rc = tracer_meet(p, e);
    return rc;
}

/* --- the table ---------------------------------------------------------------------------------
 */

static const struct {
    int number;
    bool running; /* the tracee need not be stopped */
    int64_t (*run)(struct request *r);
} requests[] = {
    {PTRACE_PEEKTEXT, false, peek},
    {PTRACE_PEEKDATA, false, peek},
    {PTRACE_POKETEXT, false, poke},
    {PTRACE_POKEDATA, false, poke},
    {PTRACE_CONT, false, resume},
    {PTRACE_SYSCALL, false, resume},
    {PTRACE_SINGLESTEP, false, resume},
    {ARM64_SYSEMU, false, resume},
    {ARM64_SYSEMU_SINGLESTEP, false, resume},
    {PTRACE_KILL, true, to_host},
    {PTRACE_DETACH, false, detach},
    {PTRACE_SETOPTIONS, false, set_options},
    {PTRACE_GETEVENTMSG, false, get_message},
    {PTRACE_GETSIGINFO, false, get_siginfo},
    {PTRACE_SETSIGINFO, false, set_siginfo},
    {PTRACE_GETREGSET, false, get_set},
    {PTRACE_SETREGSET, false, set_set},
    {PTRACE_INTERRUPT, true, interrupt},
    {PTRACE_LISTEN, false, listen_group},
    {PTRACE_PEEKSIGINFO, false, to_host},
    {PTRACE_GETSIGMASK, false, to_host},
    {PTRACE_SETSIGMASK, false, refuse},
    {PTRACE_GET_SYSCALL_INFO, false, get_call},
};

int64_t linux_sys_ptrace(struct linux_thread *t, const uint64_t a[6])
{
    struct linux_process *p = t->process;
    struct request r = {.p = p, .number = (int)a[0], .addr = a[2], .data = a[3]};
    pid_t tid = (pid_t)a[1];
    if (a[0] == PTRACE_TRACEME)
        return tracer_same_program(p, getppid()) ? linux_tracee_start(t) : -EPERM;
    if (a[0] == PTRACE_ATTACH || a[0] == PTRACE_SEIZE)
        return attach(p, r.number, tid, a[2], a[3]);
    unsigned i = 0;
    while (i < ARRAY_SIZE(requests) && (uint64_t)requests[i].number != a[0])
        i++;
    tracer_lock(p);
    r.e = tracer_find(p, tid);
    int64_t result = -ESRCH;
    if (r.e &&
        (requests[i < ARRAY_SIZE(requests) ? i : 0].running || r.e->stop != TRACER_RUNNING)) {
        bool known = r.e->block && !r.e->foreign && r.e->stop != TRACER_RUNNING;
        if (i == ARRAY_SIZE(requests))
            result = -EIO;
        else if (known && tracer_read(tid, r.e->block, &r.b, sizeof(r.b)) < 0)
            result = -ESRCH;
        else
            result = requests[i].run(&r);
    }
    tracer_unlock(p);
    return result;
}

/* --- waiting -----------------------------------------------------------------------------------
 */

/* A stop that was met while attaching. */
static pid_t take_untold(struct linux_process *p, pid_t wanted, int *status)
{
    pid_t tid = 0;
    if (!p->tracees)
        return 0;
    tracer_lock(p);
    for (struct tracee *e = p->tracees; e && !tid; e = e->next) {
        if (!e->untold || (wanted != -1 && wanted != e->tid))
            continue;
        e->untold = false;
        tid = e->tid;
        *status = e->status;
    }
    tracer_unlock(p);
    return tid;
}

static void ended(struct linux_process *p, pid_t tid)
{
    if (!p->tracees)
        return;
    tracer_lock(p);
    tracer_remove(p, tid);
    tracer_unlock(p);
}

int64_t linux_sys_wait4(struct linux_thread *t, const uint64_t a[6])
{
    struct linux_process *p = t->process;
    int status = 0;
    int64_t tid = take_untold(p, (pid_t)a[0], &status);
    while (tid == 0) {
        tid = linux_host_call(t, SYS_wait4, a[0], (uintptr_t)&status, a[2], a[3], 0, 0);
        if (tid <= 0)
            return tid;
        if (WIFSTOPPED(status) && !tracer_stopped(p, (pid_t)tid, &status))
            tid = 0;
        else if (WIFEXITED(status) || WIFSIGNALED(status))
            ended(p, (pid_t)tid);
    }
    if (a[1] && linux_write(a[1], &status, sizeof(status)) < 0)
        return -EFAULT;
    return tid;
}

/* Takes a stop that waitid() was only to look at and that is none of the guest's. */
static void consume(pid_t tid)
{
    int status;
    waitpid(tid, &status, __WALL | WNOHANG);
}

int64_t linux_sys_waitid(struct linux_thread *t, const uint64_t a[6])
{
    enum { INFO_BYTES = offsetof(siginfo_t, si_status) + sizeof(int) };
    struct linux_process *p = t->process;
    siginfo_t info;
    for (;;) {
        int status;
        info.si_pid = 0;
        int64_t rc =
            linux_host_call(t, SYS_waitid, a[0], a[1], a[2] ? (uintptr_t)&info : 0, a[3], a[4], 0);
        if (rc == -LINUX_ERESTART || !a[2])
            return rc;
        if (rc < 0) /* the kernel fills it in all the same */
            return linux_write(a[2], &(siginfo_t){0}, INFO_BYTES) < 0 ? -EFAULT : rc;
        if (info.si_pid && info.si_code == CLD_TRAPPED) {
            status = info.si_status << 8 | 0x7f;
            bool told = tracer_stopped(p, info.si_pid, &status);
            if (!told && a[3] & WNOWAIT)
                consume(info.si_pid);
            if (!told)
                continue;
            info.si_status = status >> 8;
        } else if (info.si_pid && info.si_code != CLD_STOPPED && info.si_code != CLD_CONTINUED &&
                   !(a[3] & WNOWAIT)) {
            ended(p, info.si_pid);
        }
        break;
    }
    if (!info.si_pid)
        memset(&info, 0, sizeof(info));
    return linux_write(a[2], &info, INFO_BYTES);
}
