/* seccomp.c: filters: actions, precedence, threads, fork, exec, strict mode, and what is refused.
 */
#include "arch.h"
#include "tell.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <spawn.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <ucontext.h>

enum { MATCHED_ERRNO = 77 };

#define DATA(field)  BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, what)

static long install(const struct sock_filter *program, unsigned length, unsigned flags)
{
    struct sock_fprog p = {.len = (unsigned short)length,
                           .filter = (struct sock_filter *)(uintptr_t)program};
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &p);
}

/* One call, by number, gets `action`. */
static long filter_call(int number, uint32_t action, unsigned flags)
{
    const struct sock_filter program[] = {
        DATA(arch),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH_AUDIT, 1, 0),
        RETURN(SECCOMP_RET_KILL_PROCESS),
        DATA(nr),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 1),
        RETURN(action),
        RETURN(SECCOMP_RET_ALLOW),
    };
    return install(program, sizeof(program) / sizeof(program[0]), flags);
}

/* Each in a process of its own, since filters stay. */
static void in_child(const char *name, void (*work)(void))
{
    int status;
    printf("--- %s\n", name);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        work();
        fflush(stdout);
        _exit(0);
    }
    waitpid(child, &status, 0);
    printf("%s: status %#x\n", name, status & 0xff7f); /* core files depend on limits */
    fflush(stdout);
}

static void errors(void)
{
    struct utsname name;
    TELL(prctl(PR_GET_SECCOMP));
    TELL(filter_call(SYS_uname, SECCOMP_RET_ERRNO | MATCHED_ERRNO, 0));
    TELL(prctl(PR_GET_SECCOMP));
    TELL(syscall(SYS_uname, &name));
    TELL(syscall(SYS_uname, (void *)8));
    TELL_BOOL(getpid() > 0);
    TELL(filter_call(SYS_sync, SECCOMP_RET_ERRNO, 0));
    TELL(syscall(SYS_sync));
    TELL(filter_call(SYS_getuid, SECCOMP_RET_ERRNO | 0xffff, 0));
    TELL(syscall(SYS_getuid) == -1 && errno == 4095);
    TELL(filter_call(SYS_getgid, SECCOMP_RET_TRACE | 5, 0));
    TELL(syscall(SYS_getgid));
    TELL(filter_call(SYS_getppid, SECCOMP_RET_LOG, 0));
    TELL_BOOL(syscall(SYS_getppid) > 0);
}

static void arguments(void)
{
    const struct sock_filter program[] = {
        DATA(nr),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_lseek, 1, 0),
        RETURN(SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1]) + 4),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x12345678, 0, 3),
        DATA(args[2]),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 3, 0, 1),
        RETURN(SECCOMP_RET_ERRNO | 3),
        RETURN(SECCOMP_RET_ERRNO | 2),
        DATA(args[0]),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xf),
        BPF_STMT(BPF_ALU | BPF_OR | BPF_K, SECCOMP_RET_ERRNO),
        BPF_STMT(BPF_RET | BPF_A, 0),
    };
    TELL(install(program, sizeof(program) / sizeof(program[0]), 0));
    TELL(lseek(9, 0, 0));
    TELL(lseek(-1, 0, 0));
    TELL(lseek(9, 0x1234567800000000, 0));
    TELL(lseek(9, 0x1234567800000000, 7));
}

static void precedence(void)
{
    TELL(filter_call(SYS_uname, SECCOMP_RET_ERRNO | 1, 0));
    TELL(filter_call(SYS_uname, SECCOMP_RET_ERRNO | 2, 0));
    TELL(filter_call(SYS_uname, SECCOMP_RET_LOG, 0));
    TELL(syscall(SYS_uname, 0));
    TELL(filter_call(SYS_uname, SECCOMP_RET_TRACE, 0));
    TELL(syscall(SYS_uname, 0));
    char line[256];
    FILE *status = fopen("/proc/self/status", "r");
    while (fgets(line, sizeof(line), status))
        if (strncmp(line, "Seccomp", 7) == 0 || strncmp(line, "NoNewPrivs", 10) == 0)
            printf("%s", line);
}

static volatile sig_atomic_t traps;

static void on_sigsys(int signal, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    traps++;
    printf("signal %d code %d errno %d, uname %d, arch %d, address %d\n", signal, info->si_code,
           info->si_errno, info->si_syscall == SYS_uname, info->si_arch == ARCH_AUDIT,
           info->si_call_addr == (void *)ARCH_PC(uc));
    ARCH_RESULT(uc) = 1234;
}

static void trap(void)
{
    struct sigaction action = {.sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO};
    sigaction(SIGSYS, &action, NULL);
    TELL(filter_call(SYS_uname, SECCOMP_RET_TRAP | 55, 0));
    for (int i = 0; i < 3; i++)
        TELL(syscall(SYS_uname, 0));
    TELL(traps);
}

static void trap_blocked(void)
{
    struct sigaction action = {.sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGSYS);
    sigaction(SIGSYS, &action, NULL);
    sigprocmask(SIG_BLOCK, &set, NULL);
    TELL(filter_call(SYS_uname, SECCOMP_RET_TRAP, 0));
    fflush(stdout);
    syscall(SYS_uname, 0);
    printf("not reached\n");
}

static void trap_default(void)
{
    TELL(filter_call(SYS_uname, SECCOMP_RET_TRAP, 0));
    fflush(stdout);
    syscall(SYS_uname, 0);
    printf("not reached\n");
}

static void kill_process(void)
{
    signal(SIGSYS, SIG_IGN);
    TELL(filter_call(SYS_uname, SECCOMP_RET_KILL_PROCESS, 0));
    fflush(stdout);
    syscall(SYS_uname, 0);
    printf("not reached\n");
}

static void unknown_action(void)
{
    TELL(filter_call(SYS_uname, 0x12340000, 0));
    fflush(stdout);
    syscall(SYS_uname, 0);
    printf("not reached\n");
}

static void kill_last_thread(void)
{
    TELL(filter_call(SYS_uname, SECCOMP_RET_KILL_THREAD, 0));
    fflush(stdout);
    syscall(SYS_uname, 0);
    printf("not reached\n");
}

static void *be_killed(void *unused)
{
    TELL(filter_call(SYS_uname, SECCOMP_RET_KILL_THREAD, 0));
    syscall(SYS_uname, 0);
    printf("not reached\n");
    return NULL;
}

static void kill_thread(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, be_killed, NULL);
    TELL(pthread_join(thread, NULL));
    TELL(syscall(SYS_uname, 0));
}

/* --- threads ------------------------------------------------------------------------------------
 */

static pthread_barrier_t before, after;
static pid_t other;

static void *be_synchronized(void *own_filter)
{
    if (own_filter)
        filter_call(SYS_sync, SECCOMP_RET_ERRNO | 9, 0);
    other = gettid();
    pthread_barrier_wait(&before);
    pthread_barrier_wait(&after);
    TELL(syscall(SYS_uname, 0));
    TELL(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    return NULL;
}

static void synchronize(unsigned flags, bool own_filter)
{
    pthread_t thread;
    pthread_barrier_init(&before, NULL, 2);
    pthread_barrier_init(&after, NULL, 2);
    pthread_create(&thread, NULL, be_synchronized, own_filter ? &before : NULL);
    pthread_barrier_wait(&before);
    long result = filter_call(SYS_uname, SECCOMP_RET_ERRNO | MATCHED_ERRNO, flags);
    if (result == -1)
        printf("failed: %s\n", strerrorname_np(errno));
    TELL_BOOL(result == 0);
    TELL_BOOL(result == other);
    TELL(syscall(SYS_uname, 0));
    pthread_barrier_wait(&after);
    TELL(pthread_join(thread, NULL));
}

static void tsync(void)
{
    synchronize(SECCOMP_FILTER_FLAG_TSYNC, false);
}

static void no_tsync(void)
{
    synchronize(0, false);
}

static void tsync_fails(void)
{
    synchronize(SECCOMP_FILTER_FLAG_TSYNC, true);
}

static void tsync_fails_with_error(void)
{
    synchronize(SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH, true);
}

/* --- processes ----------------------------------------------------------------------------------
 */

static void inherit(void)
{
    int status;
    TELL(filter_call(SYS_uname, SECCOMP_RET_ERRNO | MATCHED_ERRNO, 0));
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        TELL(syscall(SYS_uname, 0));
        TELL(filter_call(SYS_sync, SECCOMP_RET_ERRNO | 9, 0));
        TELL(syscall(SYS_sync));
        fflush(stdout);
        _exit(3);
    }
    waitpid(child, &status, 0);
    TELL(WEXITSTATUS(status));
    TELL(syscall(SYS_sync));
}

static void exec(void)
{
    TELL(filter_call(SYS_uname, SECCOMP_RET_ERRNO | MATCHED_ERRNO, 0));
    TELL(filter_call(SYS_sync, SECCOMP_RET_ERRNO | 9, 0));
    fflush(stdout);
    execl("/proc/self/exe", "seccomp", "again", NULL);
    TELL(errno);
}

static void spawn(void)
{
    char *argv[] = {(char *)"seccomp", (char *)"again", NULL}, *envp[] = {NULL};
    pid_t child;
    int status;
    TELL(filter_call(SYS_uname, SECCOMP_RET_ERRNO | MATCHED_ERRNO, 0));
    fflush(stdout);
    TELL(posix_spawn(&child, "/proc/self/exe", NULL, NULL, argv, envp));
    waitpid(child, &status, 0);
    TELL(WEXITSTATUS(status));
}

/* No descriptors left, or next to none: exec works or does not, but never loses the filters. */
static void exec_with_descriptors(int count)
{
    int last = -1;
    TELL(filter_call(SYS_uname, SECCOMP_RET_ERRNO | MATCHED_ERRNO, 0));
    fflush(stdout);
    for (int fd; (fd = dup(1)) >= 0;)
        last = fd;
    for (int i = 0; i < count; i++)
        close(last - i);
    execl("/proc/self/exe", "seccomp", "uname", NULL);
    for (int fd = 3; fd < 100; fd++)
        close(fd);
    TELL(syscall(SYS_uname, 0));
    fflush(stdout);
    _exit(4);
}

static void exec_with_none(void)
{
    exec_with_descriptors(0);
}

static void exec_with_one(void)
{
    exec_with_descriptors(1);
}

static void exec_with_two(void)
{
    exec_with_descriptors(2);
}

static void exec_with_three(void)
{
    exec_with_descriptors(3);
}

static void strict(void)
{
    TELL(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
    fflush(stdout);
    if (write(1, "still there\n", 12) == 12)
        syscall(SYS_exit, 3);
}

static void strict_killed(void)
{
    TELL(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, NULL));
    fflush(stdout);
    syscall(SYS_getpid);
    syscall(SYS_exit, 3);
}

static void modes(void)
{
    TELL(filter_call(SYS_uname, SECCOMP_RET_ERRNO | MATCHED_ERRNO, 0));
    TELL(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
    TELL(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, NULL));
}

/* --- refused ------------------------------------------------------------------------------------
 */

static void refused(void)
{
    static const uint32_t actions[] = {
        SECCOMP_RET_KILL_PROCESS,
        SECCOMP_RET_KILL_THREAD,
        SECCOMP_RET_TRAP,
        SECCOMP_RET_ERRNO,
        SECCOMP_RET_TRACE,
        SECCOMP_RET_LOG,
        SECCOMP_RET_ALLOW,
        0x12340000,
        1,
    };
    struct sock_filter allow = RETURN(SECCOMP_RET_ALLOW), load = DATA(nr);
    struct sock_fprog program = {.len = 1, .filter = &allow};
    struct seccomp_notif_sizes sizes;
    for (unsigned i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
        TELL(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &actions[i]));
    TELL(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 1, &actions[0]));
    TELL(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, 8));
    TELL(syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes));
    TELL(syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, 8));
    TELL(syscall(SYS_seccomp, 99, 0, 0));
    TELL(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 1, 0));
    TELL(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, &program));
    TELL(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0x8000, &program));
    TELL(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL));
    TELL(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, 8));
    TELL(prctl(PR_SET_SECCOMP, 3));
    TELL(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL));
    TELL(install(NULL, 0, 0));
    TELL(install(NULL, 1, 0));
    TELL(install((void *)8, 1, 0));
    TELL(install(&allow, 5000, 0));
    TELL(install(&load, 1, 0));
    allow.code = 0xffff;
    TELL(install(&allow, 1, 0));
}

/* Only with no_new_privs, or as one who may do anything. */
static void without_rights(void)
{
    struct sock_filter allow = RETURN(SECCOMP_RET_ALLOW);
    fflush(stdout);
    if (fork() == 0) {
        if (getuid() == 0 && setresuid(65534, 65534, 65534) < 0)
            _exit(1);
        TELL(install(&allow, 1, 0));
        TELL(install(&allow, 0, 0));
        TELL(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
        TELL(install(&allow, 1, 0));
        fflush(stdout);
        _exit(0);
    }
    wait(NULL);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        TELL(syscall(SYS_uname, 0));
        if (strcmp(argv[1], "again") == 0) {
            TELL(syscall(SYS_sync));
            TELL(prctl(PR_GET_SECCOMP));
        }
        return 4;
    }
    static const struct {
        const char *name;
        void (*work)(void);
    } tests[] = {
        {"errors", errors},
        {"arguments", arguments},
        {"precedence", precedence},
        {"trap", trap},
        {"trap blocked", trap_blocked},
        {"trap default", trap_default},
        {"kill process", kill_process},
        {"unknown action", unknown_action},
        {"kill last thread", kill_last_thread},
        {"kill thread", kill_thread},
        {"tsync", tsync},
        {"no tsync", no_tsync},
        {"tsync fails", tsync_fails},
        {"tsync fails with error", tsync_fails_with_error},
        {"inherit", inherit},
        {"exec", exec},
        {"spawn", spawn},
        {"exec with no descriptor", exec_with_none},
        {"exec with one", exec_with_one},
        {"exec with two", exec_with_two},
        {"exec with three", exec_with_three},
        {"strict", strict},
        {"strict killed", strict_killed},
        {"modes", modes},
        {"refused", refused},
    };
    without_rights();
    for (unsigned i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        in_child(tests[i].name, tests[i].work);
}
