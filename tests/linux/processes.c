/* processes.c: vfork and posix_spawn with the errors of a failed exec, clone3, and how processes
 * end. Runs on any Linux; argument 1 is a program to start that ends with status 0.
 */
#include "check.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static char *self;

/* The child's stores are the parent's, and the parent waits. */
static void test_vfork(void)
{
    for (int i = 0; i < 50; i++) {
        volatile int failed = 0;
        int status;
        pid_t pid = vfork();
        if (!pid) {
            execl("/does/not/exist", "x", NULL);
            failed = errno;
            _exit(5);
        }
        CHECK(pid > 0);
        CHECK_EQ(failed, ENOENT);
        CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
        CHECK_EQ(WEXITSTATUS(status), 5);
    }
}

static void test_vfork_exec(void)
{
    int status;
    pid_t pid = vfork();
    if (!pid) {
        execl(self, self, "exit", "33", NULL);
        _exit(1);
    }
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 33);
}

/* A child that dies by a signal leaves its parent whole. */
static void test_vfork_killed(void)
{
    int status;
    pid_t pid = vfork();
    if (!pid) {
        kill(getpid(), SIGKILL);
        _exit(1);
    }
    CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
    CHECK_EQ(WTERMSIG(status), SIGKILL);
    pid = vfork();
    if (!pid) {
        *(volatile int *)16 = 1;
        _exit(1);
    }
    CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
    CHECK_EQ(WTERMSIG(status), SIGSEGV);
}

static void *spawn_many(void *arg)
{
    for (int i = 0; i < 20; i++) {
        char number[8];
        char *const argv[] = {self, "exit", number, NULL};
        char *const wrong[] = {"/does/not/exist", NULL};
        int status;
        pid_t pid;
        snprintf(number, sizeof(number), "%d", i + 1);
        CHECK_EQ(posix_spawn(&pid, self, NULL, NULL, argv, environ), 0);
        CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
        CHECK_EQ(WEXITSTATUS(status), i + 1);
        CHECK_EQ(posix_spawn(&pid, wrong[0], NULL, NULL, wrong, environ), ENOENT);
    }
    return NULL;
}

static void test_spawn(void)
{
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, spawn_many, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}

/* What exec keeps: blocked and ignored signals. */
static void test_exec_signals(void)
{
    sigset_t set;
    int status;
    pid_t pid = fork();
    if (!pid) {
        sigemptyset(&set);
        sigaddset(&set, SIGUSR1);
        sigaddset(&set, SIGSEGV);
        sigprocmask(SIG_SETMASK, &set, NULL);
        signal(SIGHUP, SIG_IGN);
        signal(SIGFPE, SIG_IGN);
        execl(self, self, "signals", NULL);
        _exit(1);
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK_EQ(status, 0);
}

static int check_signals(void)
{
    sigset_t set;
    struct sigaction action;
    sigprocmask(SIG_SETMASK, NULL, &set);
    CHECK(sigismember(&set, SIGUSR1) && sigismember(&set, SIGSEGV) && !sigismember(&set, SIGHUP));
    CHECK(sigaction(SIGHUP, NULL, &action) == 0 && action.sa_handler == SIG_IGN);
    CHECK(sigaction(SIGFPE, NULL, &action) == 0 && action.sa_handler == SIG_IGN);
    CHECK(sigaction(SIGSEGV, NULL, &action) == 0 && action.sa_handler == SIG_DFL);
    return 0;
}

static void on_signal(int signal)
{
}

static void test_clone3(void)
{
    int fd = -1, status;
    struct clone_args args = {.flags = CLONE_PIDFD | CLONE_CLEAR_SIGHAND,
                              .pidfd = (uintptr_t)&fd,
                              .exit_signal = SIGCHLD};
    signal(SIGUSR1, on_signal);
    signal(SIGUSR2, SIG_IGN);
    long pid = syscall(SYS_clone3, &args, sizeof(args));
    if (!pid) {
        struct sigaction action;
        CHECK(sigaction(SIGUSR1, NULL, &action) == 0 && action.sa_handler == SIG_DFL);
        CHECK(sigaction(SIGUSR2, NULL, &action) == 0 && action.sa_handler == SIG_IGN);
        *(volatile int *)24 = 1; /* must still find its way to the default action */
        _exit(1);
    }
    CHECK(pid > 0 && fd >= 0);
    CHECK_EQ(poll(&(struct pollfd){fd, POLLIN, 0}, 1, 20000), 1);
    CHECK(waitpid((pid_t)pid, &status, 0) == pid && WIFSIGNALED(status));
    CHECK_EQ(WTERMSIG(status), SIGSEGV);
    close(fd);
    CHECK(syscall(SYS_clone3, &args, 8) == -1 && errno == EINVAL);
    args.flags = CLONE_SIGHAND | CLONE_CLEAR_SIGHAND;
    CHECK(syscall(SYS_clone3, &args, sizeof(args)) == -1 && errno == EINVAL);
    signal(SIGUSR2, SIG_DFL);
}

static void *exit_all(void *arg)
{
    exit(21);
}

static void test_exit(void)
{
    int status;
    pid_t pid = fork();
    if (!pid) {
        pthread_t thread;
        pthread_create(&thread, NULL, exit_all, NULL);
        for (;;)
            pause();
    }
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 21);
    siginfo_t info;
    pid = fork();
    if (!pid)
        _exit(300);
    CHECK(waitid(P_PID, (id_t)pid, &info, WEXITED) == 0);
    CHECK_EQ(info.si_code, CLD_EXITED);
    CHECK_EQ(info.si_status, 300 & 255);
    CHECK_EQ(info.si_pid, pid);
}

static void test_death_signal(void)
{
    int fds[2], status;
    CHECK(pipe(fds) == 0);
    pid_t pid = fork();
    if (!pid) {
        if (!fork()) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            CHECK(write(fds[1], "r", 1) == 1);
            for (;;)
                pause();
        }
        char c;
        CHECK(read(fds[0], &c, 1) == 1);
        _exit(0);
    }
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    close(fds[1]);
    char c;
    CHECK_EQ(read(fds[0], &c, 1), 0); /* the grandchild's end is closed, too */
    close(fds[0]);
}

int main(int argc, char **argv)
{
    self = argv[0];
    if (argc > 2 && strcmp(argv[1], "exit") == 0)
        return atoi(argv[2]);
    if (argc > 1 && strcmp(argv[1], "signals") == 0)
        return check_signals();
    test_vfork();
    test_vfork_exec();
    test_vfork_killed();
    test_spawn();
    test_exec_signals();
    test_clone3();
    test_exit();
    test_death_signal();
    puts("ok");
    return 0;
}
