/* jail_calls.c: seccomp: the list of system calls that a running machine makes.
 *
 * The list is made of what every machine does (memory, threads, files that are open, the event
 * loop) and of what some do, by enum jail_work. Where a call is as strong as its arguments, they
 * are checked: no memory becomes executable, new threads but no processes, IPv4 sockets only,
 * ioctl() for KVM, terminals and block devices. Pointers cannot be looked at: which files openat()
 * may have is Landlock's to say (jail_files.c).
 *
 * A call that is not on the list ends the process: the kernel sends SIGSYS in place of the call,
 * and the handler says which it was. Some get an error instead, where a library tries what it can
 * do without. The filter holds for all threads (TSYNC), and does not ask the kernel to slow them
 * down for fear of speculation (SSB): a filter may mean that on older kernels, and this one
 * separates no secrets within the process.
 *
 * Limits: the numbers are those that Debian's C library and libslirp use; another library may make
 * calls that are missing here.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <malloc.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "hardware/jail/jail.h"

enum { ALWAYS = 0, ARGUMENTS_MAX = 2, TYPE_OF_SOCKET = 0xf };

/* What glibc's pthread_create() passes. */
#define CLONE_OF_A_THREAD                                                                          \
    (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SYSVSEM | CLONE_SIGHAND | CLONE_THREAD |            \
     CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)
#define KVM_IOCTLS          0xae00 /* KVMIO, in the byte of the type (asm-generic/ioctl.h) */
#define IOCTL_TYPE          0xff00
#define GS_BASE             0x1001     /* ARCH_SET_GS (x86's asm/prctl.h) */
#define PR_SET_VMA_NUMBER   0x53564d41 /* glibc 2.38 names its memory */
#define MEMBER(mask, value) SCMP_CMP_MASKED_EQ, mask, value
#define EQUAL(value)        SCMP_CMP_EQ, value, 0

/* Calls with any arguments. */
static const struct plain {
    int call;
    unsigned work; /* any of these makes it part of the list */
} plain[] = {
    /* memory */
    {SCMP_SYS(brk), ALWAYS},
    {SCMP_SYS(munmap), ALWAYS},
    {SCMP_SYS(mremap), ALWAYS},
    {SCMP_SYS(madvise), ALWAYS},
    /* threads, signals, time */
    {SCMP_SYS(set_robust_list), ALWAYS},
    {SCMP_SYS(rseq), ALWAYS},
    {SCMP_SYS(sched_getaffinity), ALWAYS}, /* malloc() counts the CPUs */
    {SCMP_SYS(sched_yield), ALWAYS},
    {SCMP_SYS(futex), ALWAYS},
    {SCMP_SYS(getpid), ALWAYS},
    {SCMP_SYS(gettid), ALWAYS},
    {SCMP_SYS(rt_sigaction), ALWAYS},
    {SCMP_SYS(rt_sigprocmask), ALWAYS},
    {SCMP_SYS(rt_sigreturn), ALWAYS},
    {SCMP_SYS(restart_syscall), ALWAYS},
    {SCMP_SYS(exit), ALWAYS},
    {SCMP_SYS(exit_group), ALWAYS},
    {SCMP_SYS(clock_gettime), ALWAYS}, /* where the vDSO has no clock */
    {SCMP_SYS(timerfd_settime), ALWAYS},
    {SCMP_SYS(getrandom), ALWAYS},
    /* the event loop */
    {SCMP_SYS(epoll_ctl), ALWAYS},
    /* what is open */
    {SCMP_SYS(read), ALWAYS},
    {SCMP_SYS(write), ALWAYS},
    {SCMP_SYS(pread64), ALWAYS},
    {SCMP_SYS(preadv2), ALWAYS},
    {SCMP_SYS(pwritev2), ALWAYS},
    {SCMP_SYS(close), ALWAYS},
    {SCMP_SYS(newfstatat), ALWAYS},
    {SCMP_SYS(fstat), ALWAYS}, /* glibc has either, for standard output too */
    {SCMP_SYS(fallocate), ALWAYS},
    {SCMP_SYS(fdatasync), ALWAYS},
    /* libslirp */
    {SCMP_SYS(connect), JAIL_SOCKETS},
    {SCMP_SYS(accept), JAIL_LISTENS},
    {SCMP_SYS(accept4), JAIL_LISTENS},
    {SCMP_SYS(sendto), JAIL_SOCKETS | JAIL_LISTENS},
    {SCMP_SYS(recvfrom), JAIL_SOCKETS | JAIL_LISTENS},
    {SCMP_SYS(setsockopt), JAIL_SOCKETS | JAIL_LISTENS},
    {SCMP_SYS(getsockopt), JAIL_SOCKETS},
    {SCMP_SYS(getsockname), JAIL_SOCKETS},
    {SCMP_SYS(shutdown), JAIL_SOCKETS | JAIL_LISTENS},
    {SCMP_SYS(recvmsg), JAIL_SOCKETS},
    {SCMP_SYS(getpeername), JAIL_SOCKETS},
    /* the store of translations */
    {SCMP_SYS(pwrite64), JAIL_STORE | JAIL_CHANGES},
    {SCMP_SYS(ftruncate), JAIL_STORE | JAIL_CHANGES},
    {SCMP_SYS(flock), JAIL_STORE},
    {SCMP_SYS(geteuid), JAIL_STORE},
    {SCMP_SYS(prlimit64), JAIL_STORE},
    {SCMP_SYS(unlinkat), JAIL_STORE | JAIL_CHANGES},
    {SCMP_SYS(getdents64), JAIL_STORE | JAIL_SHARE},
    /* shares */
    {SCMP_SYS(openat2), JAIL_SHARE},
    {SCMP_SYS(mkdirat), JAIL_CHANGES},
    {SCMP_SYS(symlinkat), JAIL_CHANGES},
    {SCMP_SYS(linkat), JAIL_CHANGES},
    {SCMP_SYS(renameat2), JAIL_CHANGES},
    {SCMP_SYS(readlinkat), JAIL_SHARE},
    {SCMP_SYS(fchmodat), JAIL_CHANGES},
    {SCMP_SYS(fchownat), JAIL_CHANGES},
    {SCMP_SYS(utimensat), JAIL_CHANGES},
    {SCMP_SYS(fstatfs), JAIL_SHARE},
    {SCMP_SYS(fsync), JAIL_CHANGES},
    {SCMP_SYS(lseek), JAIL_SHARE},
};

/* The first where the architecture has it, else the second: as the C library chooses. */
static const struct either {
    int call, otherwise;
    unsigned work;
} either[] = {
    {SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), ALWAYS},
    {SCMP_SYS(poll), SCMP_SYS(ppoll), ALWAYS},
    {SCMP_SYS(rename), SCMP_SYS(renameat), JAIL_STORE},
};

/* Calls with certain arguments; rows of one call are alternatives. */
static const struct checked {
    int call;
    unsigned work;
    uint32_t action;
    unsigned count;
    struct scmp_arg_cmp arguments[ARGUMENTS_MAX];
} checked[] = {
    {SCMP_SYS(ioctl), JAIL_KVM, SCMP_ACT_ALLOW, 1, {{1, MEMBER(IOCTL_TYPE, KVM_IOCTLS)}}},
    {SCMP_SYS(ioctl), ALWAYS, SCMP_ACT_ALLOW, 1, {{1, EQUAL(TCGETS)}}},
    {SCMP_SYS(ioctl), ALWAYS, SCMP_ACT_ALLOW, 1, {{1, EQUAL(TCSETS)}}}, /* back to its old mode */
    {SCMP_SYS(ioctl), ALWAYS, SCMP_ACT_ALLOW, 1, {{1, EQUAL(BLKDISCARD)}}},
    {SCMP_SYS(ioctl), ALWAYS, SCMP_ACT_ALLOW, 1, {{1, EQUAL(BLKZEROOUT)}}},
    {SCMP_SYS(ioctl), JAIL_SOCKETS, SCMP_ACT_ALLOW, 1, {{1, EQUAL(FIONREAD)}}},
    {SCMP_SYS(mmap), ALWAYS, SCMP_ACT_ALLOW, 1, {{2, MEMBER(PROT_EXEC, 0)}}},
    {SCMP_SYS(mprotect), ALWAYS, SCMP_ACT_ALLOW, 1, {{2, MEMBER(PROT_EXEC, 0)}}},
    {SCMP_SYS(clone), ALWAYS, SCMP_ACT_ALLOW, 1, {{0, EQUAL(CLONE_OF_A_THREAD)}}},
    {SCMP_SYS(clone3), ALWAYS, SCMP_ACT_ERRNO(ENOSYS), 0, {{0}}}, /* its flags are in memory */
    {SCMP_SYS(arch_prctl), JAIL_BANKS, SCMP_ACT_ALLOW, 1, {{0, EQUAL(GS_BASE)}}},
    {SCMP_SYS(prctl), ALWAYS, SCMP_ACT_ALLOW, 1, {{0, EQUAL(PR_SET_NAME)}}},
    {SCMP_SYS(prctl), ALWAYS, SCMP_ACT_ALLOW, 1, {{0, EQUAL(PR_SET_TIMERSLACK)}}},
    {SCMP_SYS(prctl), ALWAYS, SCMP_ACT_ERRNO(EINVAL), 1, {{0, EQUAL(PR_SET_VMA_NUMBER)}}},
    {SCMP_SYS(fcntl), JAIL_SOCKETS, SCMP_ACT_ALLOW, 1, {{1, EQUAL(F_GETFL)}}},
    {SCMP_SYS(fcntl), JAIL_SOCKETS | JAIL_SHARE, SCMP_ACT_ALLOW, 1, {{1, EQUAL(F_SETFL)}}},
    {SCMP_SYS(fcntl), JAIL_SOCKETS, SCMP_ACT_ALLOW, 1, {{1, EQUAL(F_SETFD)}}},
    {SCMP_SYS(socket),
     JAIL_SOCKETS,
     SCMP_ACT_ALLOW,
     2,
     {{0, EQUAL(AF_INET)}, {1, MEMBER(TYPE_OF_SOCKET, SOCK_STREAM)}}},
    {SCMP_SYS(socket),
     JAIL_SOCKETS,
     SCMP_ACT_ALLOW,
     2,
     {{0, EQUAL(AF_INET)}, {1, MEMBER(TYPE_OF_SOCKET, SOCK_DGRAM)}}},
    /* tried for ping where the host allows no datagram sockets for ICMP */
    {SCMP_SYS(socket),
     JAIL_SOCKETS,
     SCMP_ACT_ERRNO(EACCES),
     2,
     {{0, EQUAL(AF_INET)}, {1, MEMBER(TYPE_OF_SOCKET, SOCK_RAW)}}},
    {SCMP_SYS(openat), JAIL_STORE | JAIL_CHANGES, SCMP_ACT_ALLOW, 0, {{0}}},
};

/* For libslirp, which reads /etc/resolv.conf, and what is shared read-only. Elsewhere it fails, as
 * it does for files that Landlock keeps: glibc looks into /proc and /sys now and then, when it
 * gives memory back for example, and goes on without. */
static const struct checked open_to_read = {
    .call = SCMP_SYS(openat),
    .work = JAIL_SOCKETS | JAIL_SHARE,
    .action = SCMP_ACT_ALLOW,
    .count = 1,
    .arguments = {{2, MEMBER(O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY)}},
};

static bool listed(unsigned of, unsigned work)
{
    return of == ALWAYS || of & work;
}

/* Numbers below 0 stand for calls that this architecture does not have. */
static int number_of(const struct either *row)
{
    return row->call >= 0 ? row->call : row->otherwise;
}

static bool adds_one(const struct checked *row, unsigned work, const int *seen, unsigned count)
{
    if (row->call < 0 || row->action != SCMP_ACT_ALLOW || !listed(row->work, work))
        return false;
    for (unsigned i = 0; i < count; i++)
        if (seen[i] == row->call)
            return false;
    return true;
}

unsigned jail_count_calls(unsigned work)
{
    int seen[ARRAY_SIZE(checked) + 1];
    unsigned special = 0, count = 1; /* tgkill() */
    for (size_t i = 0; i < ARRAY_SIZE(checked); i++)
        if (adds_one(&checked[i], work, seen, special))
            seen[special++] = checked[i].call;
    if (adds_one(&open_to_read, work, seen, special))
        special++;
    for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
        count += listed(plain[i].work, work);
    for (size_t i = 0; i < ARRAY_SIZE(either); i++)
        count += listed(either[i].work, work);
    return count + special;
}

/* The last thing the process does. Of what may be called in a handler only. */
static void on_forbidden(int number, siginfo_t *info, void *context)
{
    char text[96];
    int n = snprintf(text, sizeof(text), "peng: system call %d is not allowed in the jail\n",
                     info->si_syscall);
    ssize_t written = write(STDERR_FILENO, text, (size_t)n);
    (void)written;
    abort(); /* the terminal's handler for that puts it back in order */
}

static int add_rules(scmp_filter_ctx filter, unsigned work)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(plain); i++)
        if (listed(plain[i].work, work))
            r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, plain[i].call, 0);
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(either); i++)
        if (listed(either[i].work, work))
            r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, number_of(&either[i]), 0);
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(checked); i++)
        if (listed(checked[i].work, work))
            r = seccomp_rule_add_array(filter, checked[i].action, checked[i].call, checked[i].count,
                                       checked[i].arguments);
    if (r == 0 && !(work & (JAIL_STORE | JAIL_CHANGES)))
        r = seccomp_rule_add_array(
            filter, work & open_to_read.work ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EACCES),
            open_to_read.call, open_to_read.count, open_to_read.arguments);
    /* Only to threads of this process. */
    struct scmp_arg_cmp own = {0, SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0};
    return r < 0 ? r : seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, &own);
}

static int set_up(scmp_filter_ctx filter)
{
    static const struct {
        enum scmp_filter_attr attribute;
        uint32_t value;
    } attributes[] = {
        {SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS},
        {SCMP_FLTATR_CTL_NNP, 1},
        {SCMP_FLTATR_CTL_TSYNC, 1},
        {SCMP_FLTATR_CTL_SSB, 1},
        {SCMP_FLTATR_CTL_OPTIMIZE, 2}, /* a tree, not a row of comparisons */
    };
    int r = 0;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(attributes); i++)
        r = seccomp_attr_set(filter, attributes[i].attribute, attributes[i].value);
    return r;
}

int jail_calls(unsigned work, struct err *e)
{
    struct sigaction action = {.sa_sigaction = on_forbidden, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    /* Else glibc opens files: of /sys, for the number of CPUs, before it makes one more arena, and
     * of /proc, for the policy of memory, before it gives memory of a thread's arena back. */
    mallopt(M_ARENA_MAX, 1);
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_TRAP);
    if (!filter)
        abort();
    int r = set_up(filter);
    if (r == 0)
        r = add_rules(filter, work);
    if (r == 0 && sigaction(SIGSYS, &action, NULL) < 0)
        r = -errno;
    if (r == 0)
        r = seccomp_load(filter);
    seccomp_release(filter);
    if (r == 0)
        return (int)jail_count_calls(work);
    err_set_errno(e, r, "this kernel takes no seccomp filter: all system calls stay in reach");
    return -ENOTSUP;
}
