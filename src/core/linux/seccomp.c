/* seccomp.c: filters of system calls that see what an arm64 program does: arm64 numbers, arguments,
 * program counter and AUDIT_ARCH_AARCH64.
 *
 * The host's own filters cannot do this, as they would see the x86 calls by which guest calls are
 * carried out, and ours. So the filters are run here, before a call (linux_syscall()). For each of
 * them the host gets a filter that allows everything: with it the kernel keeps the books (who may
 * install one, which threads SECCOMP_FILTER_FLAG_TSYNC can reach and what it does to their
 * no_new_privs, the Seccomp lines of /proc/PID/status) and they are inherited as ours are.
 *
 * Filters form a tree that is shared by reference: a filter points to the one that was there before
 * it. They are never freed before their threads; a thread's pointer may be moved by another thread
 * (TSYNC), but only to a filter that has the old one among its ancestors.
 *
 * Across exec they travel in a sealed memfd, which exec.c hands to the new program in a place that
 * the guest does not write. A native program cannot be held to filters of arm64 calls: exec.c
 * refuses it with EACCES while there are any.
 *
 * Limits: no SECCOMP_RET_USER_NOTIF: SECCOMP_FILTER_FLAG_NEW_LISTENER is refused with EINVAL, as by
 * kernels before 5.0. The guest shares its address space with this program and could write to it,
 * so filters hold a program to its own rules but are no wall against one that was made to break out
 * of the translator; run it under a filter or a container of the host for that.
 *
 * Source: Linux 6.1, kernel/seccomp.c.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/linux/linux_int.h"
#include "core/linux/seccomp_bpf.h"

enum {
    PATH_INSNS_MAX = 32768, /* MAX_INSNS_PER_PATH */
    FILTER_COST = 4,        /* what each filter counts beside its instructions */
    ERRNO_MAX = 4095,
    SAVED_MAX = PATH_INSNS_MAX * (int)sizeof(struct sock_filter),
    /* arm64 numbers of what strict mode allows (mode1_syscalls) */
    CALL_READ = 63,
    CALL_WRITE = 64,
    CALL_EXIT = 93,
    CALL_RT_SIGRETURN = 139,
};

struct linux_seccomp {
    struct linux_seccomp *parent; /* owned: one reference */
    _Atomic unsigned users;
    unsigned filters, cost; /* from here to the oldest */
    bool strict;            /* no program: SECCOMP_MODE_STRICT */
    uint32_t length;
    struct sock_filter program[];
};

static struct linux_seccomp *hold(struct linux_seccomp *s)
{
    if (s)
        atomic_fetch_add(&s->users, 1);
    return s;
}

static void let_go(struct linux_seccomp *s)
{
    while (s && atomic_fetch_sub(&s->users, 1) == 1) {
        struct linux_seccomp *parent = s->parent;
        free(s);
        s = parent;
    }
}

void linux_seccomp_inherit(struct linux_thread *t, const struct linux_thread *like)
{
    let_go(atomic_exchange(&t->seccomp, hold(like->seccomp)));
}

void linux_seccomp_drop(struct linux_thread *t)
{
    let_go(atomic_exchange(&t->seccomp, NULL));
}

unsigned linux_seccomp_mode(const struct linux_thread *t, unsigned *ret_filters)
{
    const struct linux_seccomp *s = t->seccomp;
    if (ret_filters)
        *ret_filters = s ? s->filters : 0;
    return !s ? SECCOMP_MODE_DISABLED : s->strict ? SECCOMP_MODE_STRICT : SECCOMP_MODE_FILTER;
}

/* --- a call under filters ------------------------------------------------------------------------
 */

/* Ends the thread, or the process where it is the last one. */
static void end_thread(struct linux_thread *t, int signal)
{
    const uint64_t status[6] = {(uint64_t)signal};
    if (t->process->thread_count > 1 && !t->vfork_child)
        linux_sys_exit(t, status);
    linux_die(t, signal);
}

static void send_sigsys(struct linux_thread *t, unsigned data)
{
    siginfo_t info = {.si_signo = SIGSYS, .si_code = 1 /* SYS_SECCOMP */, .si_errno = (int)data};
    info.si_call_addr = linux_ptr(t->cpu->pc);
    info.si_syscall = (int)t->call;
    info.si_arch = AUDIT_ARCH_AARCH64;
    linux_signal_force_info(t, &info);
}

/* The decision of all filters: of several the one whose action ranks highest, of those alike the
 * youngest's. */
static uint32_t decide(const struct linux_thread *t, const struct linux_seccomp *s,
                       const uint64_t a[6])
{
    struct seccomp_data data = {
        .nr = (int)t->call, .arch = AUDIT_ARCH_AARCH64, .instruction_pointer = t->cpu->pc};
    uint32_t decision = SECCOMP_RET_ALLOW;
    memcpy(data.args, a, sizeof data.args);
    for (; s; s = s->parent) {
        uint32_t one = seccomp_bpf_run(s->program, &data);
        if ((int32_t)(one & SECCOMP_RET_ACTION_FULL) <
            (int32_t)(decision & SECCOMP_RET_ACTION_FULL))
            decision = one;
    }
    return decision;
}

static bool strict_allows(struct linux_thread *t)
{
    if (t->call != CALL_READ && t->call != CALL_WRITE && t->call != CALL_EXIT &&
        t->call != CALL_RT_SIGRETURN)
        end_thread(t, SIGKILL);
    return true;
}

static bool filters_allow(struct linux_thread *t, const uint64_t a[6], bool traced,
                          int64_t *ret_result);

/* SECCOMP_RET_TRACE: the tracer may change the call, which is then looked at once more, or drop it,
 * and what it left in x0 is the result. */
static bool ask_tracer(struct linux_thread *t, const uint64_t a[6], unsigned data,
                       int64_t *ret_result)
{
    const struct linux_tracee *tracee = &t->debug.tracee;
    *ret_result = -ENOSYS;
    if (!tracee->traced || !(tracee->options & PTRACE_O_TRACESECCOMP))
        return false;
    *ret_result = -LINUX_NO_RESULT;
    return linux_tracee_seccomp(t, data) && filters_allow(t, a, true, ret_result);
}

/* `traced`: the tracer has had its say. `a` are the registers, which it may have changed. */
static bool filters_allow(struct linux_thread *t, const uint64_t a[6], bool traced,
                          int64_t *ret_result)
{
    uint32_t decision = decide(t, t->seccomp, a);
    unsigned data = decision & SECCOMP_RET_DATA;
    switch (decision & SECCOMP_RET_ACTION_FULL) {
    case SECCOMP_RET_ALLOW:
    case SECCOMP_RET_LOG:
        return true;
    case SECCOMP_RET_ERRNO:
        *ret_result = -(int64_t)(data < ERRNO_MAX ? data : ERRNO_MAX);
        return false;
    case SECCOMP_RET_TRAP: /* x0 stays what it was (syscall_rollback()) */
        send_sigsys(t, data);
        *ret_result = -LINUX_NO_RESULT;
        return false;
    case SECCOMP_RET_TRACE:
        return traced || ask_tracer(t, a, data, ret_result);
    case SECCOMP_RET_USER_NOTIF: /* nobody listens */
        *ret_result = -ENOSYS;
        return false;
    case SECCOMP_RET_KILL_THREAD:
        end_thread(t, SIGSYS);
        return false;
    default: /* SECCOMP_RET_KILL_PROCESS and actions that do not exist */
        linux_die(t, SIGSYS);
    }
}

bool linux_seccomp_allows(struct linux_thread *t, const uint64_t a[6], int64_t *ret_result)
{
    const struct linux_seccomp *s = t->seccomp;
    return s->strict ? strict_allows(t) : filters_allow(t, a, false, ret_result);
}

/* --- installing ----------------------------------------------------------------------------------
 */

/* A filter in front of `parent`, whose reference it takes over on success. */
static int new_filter(struct linux_seccomp *parent, const struct sock_filter *program,
                      uint32_t length, struct linux_seccomp **ret_filter)
{
    unsigned cost = length + (parent ? parent->cost + FILTER_COST : 0);
    struct linux_seccomp *s;
    if (cost > PATH_INSNS_MAX)
        return -ENOMEM;
    s = calloc(1, sizeof *s + length * sizeof *program);
    if (!s)
        return -ENOMEM;
    s->parent = parent;
    s->users = 1;
    s->filters = (parent ? parent->filters : 0) + 1;
    s->cost = cost;
    s->length = length;
    memcpy(s->program, program, length * sizeof *program);
    *ret_filter = s;
    return 0;
}

/* The host's share. A program that cannot be read tells whether this thread may install filters at
 * all (EACCES) and changes nothing (EFAULT). */
static int may_install(void)
{
    struct sock_fprog nothing = {.len = 1, .filter = (void *)sizeof(struct sock_filter)};
    long rc = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &nothing);
    return rc < 0 && errno == EFAULT ? 0 : rc < 0 ? -errno : -EACCES;
}

/* 0, -errno, or the thread that TSYNC cannot reach. */
static int64_t install_on_host(uint64_t flags)
{
    struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {.len = 1, .filter = &allow};
    long rc = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags | SECCOMP_FILTER_FLAG_SPEC_ALLOW,
                      &program);
    return rc < 0 ? -errno : rc;
}

static void set_all(struct linux_process *p, struct linux_seccomp *s)
{
    for (struct linux_thread *other = p->threads; other; other = other->next)
        if (!other->vfork_child) /* those are processes of their own */
            let_go(atomic_exchange(&other->seccomp, hold(s)));
}

static int read_program(uint64_t address, struct sock_filter *program, uint32_t *ret_length)
{
    struct sock_fprog header;
    if (linux_read(address, &header, sizeof header) < 0)
        return -EFAULT;
    if (header.len == 0 || header.len > BPF_MAXINSNS)
        return -EINVAL;
    int rc = may_install();
    if (rc < 0)
        return rc;
    if (!header.filter)
        return -EINVAL; /* bpf_check_basics_ok() */
    if (linux_read((uintptr_t)header.filter, program, header.len * sizeof *program) < 0)
        return -EFAULT;
    *ret_length = header.len;
    return seccomp_bpf_check(program, header.len);
}

static int64_t set_filter(struct linux_thread *t, uint64_t flags, uint64_t address)
{
    enum {
        KNOWN = SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG |
                SECCOMP_FILTER_FLAG_SPEC_ALLOW | SECCOMP_FILTER_FLAG_TSYNC_ESRCH,
    };
    struct linux_process *p = t->process;
    struct linux_seccomp *filter;
    uint32_t length;
    if (flags & ~(uint64_t)KNOWN)
        return -EINVAL;
    struct sock_filter *program = malloc(BPF_MAXINSNS * sizeof *program);
    int64_t rc = program ? read_program(address, program, &length) : -ENOMEM;
    if (rc == 0 && t->seccomp && t->seccomp->strict)
        rc = -EINVAL;
    pthread_mutex_lock(&p->threads_lock); /* no thread starts or is given a filter meanwhile */
    if (rc == 0)
        rc = new_filter(t->seccomp, program, length, &filter);
    if (rc == 0) {
        rc = install_on_host(flags);
        if (rc != 0) {
            free(filter);
        } else {
            atomic_store(&t->seccomp, filter);
            if (flags & SECCOMP_FILTER_FLAG_TSYNC && !t->vfork_child)
                set_all(p, filter);
        }
    }
    pthread_mutex_unlock(&p->threads_lock);
    free(program);
    return rc;
}

static int64_t set_strict(struct linux_thread *t)
{
    struct linux_seccomp *s = t->seccomp;
    if (s)
        return s->strict ? 0 : -EINVAL;
    s = calloc(1, sizeof *s);
    if (!s)
        return -ENOMEM;
    s->users = 1;
    s->strict = true;
    atomic_store(&t->seccomp, s);
    return 0;
}

int64_t linux_seccomp_set_mode(struct linux_thread *t, uint64_t mode, uint64_t filter)
{
    switch (mode) {
    case SECCOMP_MODE_STRICT:
        return set_strict(t);
    case SECCOMP_MODE_FILTER:
        return set_filter(t, 0, filter);
    default:
        return -EINVAL;
    }
}

static int64_t action_available(uint64_t address)
{
    static const uint32_t actions[] = {
        SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD, SECCOMP_RET_TRAP,  SECCOMP_RET_ERRNO,
        SECCOMP_RET_TRACE,        SECCOMP_RET_LOG,         SECCOMP_RET_ALLOW,
    };
    uint32_t action;
    if (linux_read(address, &action, sizeof action) < 0)
        return -EFAULT;
    for (unsigned i = 0; i < ARRAY_SIZE(actions); i++)
        if (actions[i] == action)
            return 0;
    return -EOPNOTSUPP;
}

int64_t linux_sys_seccomp(struct linux_thread *t, const uint64_t a[6])
{
    static const struct seccomp_notif_sizes sizes = {sizeof(struct seccomp_notif),
                                                     sizeof(struct seccomp_notif_resp),
                                                     sizeof(struct seccomp_data)};
    uint32_t flags = (uint32_t)a[1];
    switch ((uint32_t)a[0]) {
    case SECCOMP_SET_MODE_STRICT:
        return flags || a[2] ? -EINVAL : set_strict(t);
    case SECCOMP_SET_MODE_FILTER:
        return set_filter(t, flags, a[2]);
    case SECCOMP_GET_ACTION_AVAIL:
        return flags ? -EINVAL : action_available(a[2]);
    case SECCOMP_GET_NOTIF_SIZES:
        return flags ? -EINVAL : linux_write(a[2], &sizes, sizeof sizes);
    default:
        return -EINVAL;
    }
}

/* --- across exec ---------------------------------------------------------------------------------
 */

/* The file: for each filter, the oldest first, its length and its program. */
static size_t saved_size(const struct linux_seccomp *s)
{
    size_t size = 0;
    for (; s; s = s->parent)
        size += sizeof s->length + s->length * sizeof s->program[0];
    return size;
}

int linux_seccomp_save(struct linux_thread *t)
{
    const struct linux_seccomp *s = t->seccomp;
    if (!s)
        return -ENOENT;
    assert(!s->strict); /* it does not let exec through */
    size_t size = saved_size(s), at = size;
    uint8_t *bytes = malloc(size);
    if (!bytes)
        return -ENOMEM;
    for (; s; s = s->parent) {
        at -= s->length * sizeof s->program[0];
        memcpy(bytes + at, s->program, s->length * sizeof s->program[0]);
        at -= sizeof s->length;
        memcpy(bytes + at, &s->length, sizeof s->length);
    }
    int fd = memfd_create("seccomp", MFD_ALLOW_SEALING), rc = fd < 0 ? -errno : 0;
    if (rc == 0 && (write(fd, bytes, size) != (ssize_t)size ||
                    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW) < 0))
        rc = -ENOMEM;
    free(bytes);
    if (rc < 0 && fd >= 0)
        close(fd);
    return rc < 0 ? rc : fd;
}

static int rebuild(const uint8_t *at, const uint8_t *end, struct linux_seccomp **filter)
{
    while (at < end) {
        uint32_t length;
        const struct sock_filter *program = (const void *)(at + sizeof length);
        if ((size_t)(end - at) < sizeof length)
            return -EINVAL;
        length = (uint32_t)load_le(at, sizeof length);
        if (length > BPF_MAXINSNS ||
            (size_t)(end - at) - sizeof length < length * sizeof *program ||
            seccomp_bpf_check(program, length) < 0)
            return -EINVAL;
        int rc = new_filter(*filter, program, length, filter);
        if (rc < 0)
            return rc;
        at += sizeof length + length * sizeof *program;
    }
    return 0;
}

int linux_seccomp_load(struct linux_thread *t, int fd, struct err *e)
{
    struct linux_seccomp *filter = NULL;
    struct stat st;
    uint8_t *bytes = malloc(SAVED_MAX);
    int rc = -EINVAL;
    if (bytes && fstat(fd, &st) == 0 && st.st_size <= SAVED_MAX &&
        pread(fd, bytes, (size_t)st.st_size, 0) == st.st_size)
        rc = rebuild(bytes, bytes + st.st_size, &filter);
    free(bytes);
    if (rc < 0) {
        let_go(filter);
        return err_set_errno(e, rc, "seccomp filters handed over by exec");
    }
    linux_seccomp_drop(t);
    atomic_store(&t->seccomp, filter);
    close(fd);
    return 0;
}
