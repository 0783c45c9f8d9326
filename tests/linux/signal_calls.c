/* signal_calls.c: masks, dispositions, queues, and what signals do to system calls. Runs on any
 * Linux.
 */
#include "check.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile int count, order[16];
static volatile siginfo_t last;

static void note(int signal, siginfo_t *info, void *context)
{
    memcpy((void *)&last, info, sizeof(last));
    order[count++ % 16] = signal;
}

static void handle(int signal, int flags, uint64_t mask)
{
    struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO | flags};
    sigemptyset(&action.sa_mask);
    for (int i = 1; i < 64; i++)
        if (mask >> (i - 1) & 1)
            sigaddset(&action.sa_mask, i);
    CHECK(sigaction(signal, &action, NULL) == 0);
    count = 0;
}

static sigset_t set_of(int signal)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal);
    return set;
}

static void test_self(void)
{
    handle(SIGUSR1, 0, 0);
    CHECK(kill(getpid(), SIGUSR1) == 0);
    CHECK_EQ(count, 1);
    CHECK_EQ(last.si_code, SI_USER);
    CHECK_EQ(last.si_pid, getpid());
    CHECK(raise(SIGUSR1) == 0);
    CHECK_EQ(count, 2);
    CHECK_EQ(last.si_code, SI_TKILL);
    CHECK(sigqueue(getpid(), SIGUSR1, (union sigval){.sival_ptr = (void *)0x123456789abcul}) == 0);
    CHECK_EQ(count, 3);
    CHECK_EQ(last.si_code, SI_QUEUE);
    CHECK_EQ((uintptr_t)last.si_value.sival_ptr, 0x123456789abcul);
}

static void test_blocked(int signal)
{
    sigset_t set = set_of(signal), old, pending;
    handle(signal, 0, 0);
    CHECK(sigprocmask(SIG_BLOCK, &set, &old) == 0);
    CHECK(!sigismember(&old, signal));
    CHECK(kill(getpid(), signal) == 0 && kill(getpid(), signal) == 0);
    CHECK_EQ(count, 0);
    CHECK(sigpending(&pending) == 0 && sigismember(&pending, signal));
    CHECK(sigprocmask(SIG_UNBLOCK, &set, NULL) == 0);
    CHECK_EQ(count, 1); /* the second was the first */
    CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    CHECK(kill(getpid(), signal) == 0);
    siginfo_t info;
    CHECK_EQ(sigtimedwait(&set, &info, &(struct timespec){1, 0}), signal);
    CHECK_EQ(info.si_pid, getpid());
    CHECK(sigtimedwait(&set, &info, &(struct timespec){0, 1000}) == -1 && errno == EAGAIN);
    CHECK(kill(getpid(), signal) == 0);
    sigset_t none;
    sigemptyset(&none);
    CHECK(sigsuspend(&none) == -1 && errno == EINTR);
    CHECK_EQ(count, 2);
    CHECK(sigprocmask(SIG_SETMASK, NULL, &old) == 0 && sigismember(&old, signal));
    CHECK(kill(getpid(), signal) == 0);
    CHECK(ppoll(NULL, 0, &(struct timespec){5, 0}, &none) == -1 && errno == EINTR);
    CHECK_EQ(count, 3);
    CHECK(sigprocmask(SIG_UNBLOCK, &set, NULL) == 0);
}

static volatile sigset_t inside;
static void note_mask(int signal)
{
    sigprocmask(SIG_SETMASK, NULL, (sigset_t *)&inside);
    count++;
}

/* While the handler runs after sigsuspend(), its mask counts; afterwards the old one. */
static void test_temporary_mask(void)
{
    struct sigaction action = {.sa_handler = note_mask};
    sigset_t block, during;
    sigemptyset(&block);
    sigaddset(&block, SIGUSR1);
    sigaddset(&block, SIGHUP);
    sigemptyset(&during);
    sigaddset(&during, SIGTERM);
    sigaddset(&action.sa_mask, SIGINT);
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    CHECK(sigprocmask(SIG_BLOCK, &block, NULL) == 0);
    for (int i = 0; i < 3; i++) {
        count = 0;
        kill(getpid(), SIGUSR1);
        if (i == 0)
            CHECK(sigsuspend(&during) == -1 && errno == EINTR);
        if (i == 1)
            CHECK(pselect(0, NULL, NULL, NULL, NULL, &during) == -1 && errno == EINTR);
        if (i == 2) {
            int fd = epoll_create1(0);
            struct epoll_event event;
            CHECK(epoll_pwait(fd, &event, 1, -1, &during) == -1 && errno == EINTR);
            close(fd);
        }
        CHECK_EQ(count, 1);
        CHECK(sigismember((sigset_t *)&inside, SIGTERM));
        CHECK(sigismember((sigset_t *)&inside, SIGINT));
        CHECK(sigismember((sigset_t *)&inside, SIGUSR1));
        CHECK(!sigismember((sigset_t *)&inside, SIGHUP));
        sigset_t now;
        sigprocmask(SIG_SETMASK, NULL, &now);
        CHECK(sigismember(&now, SIGHUP) && !sigismember(&now, SIGTERM));
    }
    CHECK(sigprocmask(SIG_UNBLOCK, &block, NULL) == 0);
}

static void on_outer(int signal)
{
    order[count++] = signal;
    raise(SIGUSR2);
    order[count++] = signal;
}

static void test_nested(void)
{
    struct sigaction action = {.sa_handler = on_outer};
    handle(SIGUSR2, 0, 0);
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    CHECK_EQ(count, 3);
    CHECK(order[0] == SIGUSR1 && order[1] == SIGUSR2 && order[2] == SIGUSR1);
    count = 0;
    sigaddset(&action.sa_mask, SIGUSR2); /* now it has to wait */
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    CHECK_EQ(count, 3);
    CHECK(order[0] == SIGUSR1 && order[1] == SIGUSR1 && order[2] == SIGUSR2);
}

static void test_flags(void)
{
    struct sigaction old;
    handle(SIGUSR1, SA_RESETHAND, 0);
    raise(SIGUSR1);
    CHECK_EQ(count, 1);
    CHECK(sigaction(SIGUSR1, NULL, &old) == 0 && old.sa_handler == SIG_DFL);
    handle(SIGUSR1, SA_NODEFER | SA_RESTART, 1u << (SIGHUP - 1));
    CHECK(sigaction(SIGUSR1, NULL, &old) == 0);
    CHECK_EQ(old.sa_flags & ~0x04000000, SA_SIGINFO | SA_NODEFER | SA_RESTART);
    CHECK(old.sa_sigaction == note && sigismember(&old.sa_mask, SIGHUP));
    CHECK(sigaction(SIGKILL, &old, NULL) == -1 && errno == EINVAL);
    CHECK(signal(SIGUSR1, SIG_IGN) != SIG_ERR);
    CHECK(raise(SIGUSR1) == 0);
    handle(SIGCHLD, SA_NOCLDWAIT | SA_RESTART, 0);
    pid_t child = fork();
    if (!child)
        _exit(3);
    CHECK(waitpid(child, NULL, 0) == -1 && errno == ECHILD);
    CHECK_EQ(last.si_code, CLD_EXITED);
    CHECK_EQ(last.si_status, 3);
    signal(SIGCHLD, SIG_DFL);
}

static sigjmp_buf out;
static void jump(int signal)
{
    siglongjmp(out, signal);
}

static void test_jump(void)
{
    struct sigaction action = {.sa_handler = jump};
    sigaction(SIGUSR1, &action, NULL);
    for (volatile int i = 0; i < 1000; i++) {
        int r = sigsetjmp(out, 1);
        if (!r) {
            raise(SIGUSR1);
            CHECK(!"the handler jumps");
        }
        CHECK_EQ(r, SIGUSR1);
    }
}

static void test_altstack(void)
{
    static char stack[65536];
    stack_t old;
    CHECK(sigaltstack(NULL, &old) == 0);
    CHECK(sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = 100}, NULL) == -1 && errno == ENOMEM);
    CHECK(sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = 65536, .ss_flags = 77}, NULL) == -1 &&
          errno == EINVAL);
    CHECK(sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = 65536}, NULL) == 0);
    CHECK(sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, &old) == 0);
    CHECK(old.ss_sp == stack && old.ss_size == 65536 && old.ss_flags == 0);
    CHECK(sigaltstack(NULL, &old) == 0 && old.ss_flags == SS_DISABLE);
}

/* --- calls that wait ----------------------------------------------------------------------------
 */

static int pipe_fds[2], sock;
static int word;
static pthread_t main_thread;

static void *poke(void *arg)
{
    usleep(50000);
    pthread_kill(main_thread, SIGUSR1);
    usleep(50000);
    if (arg) {
        word = 1;
        syscall(SYS_futex, &word, FUTEX_WAKE, 1, NULL, NULL, 0);
        CHECK(write(pipe_fds[1], "x", 1) == 1);
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        struct sockaddr_un address;
        socklen_t size = sizeof(address);
        getsockname(sock, (struct sockaddr *)&address, &size);
        CHECK(connect(fd, (struct sockaddr *)&address, size) == 0);
    }
    return NULL;
}

static long wait_read(void)
{
    char c;
    return read(pipe_fds[0], &c, 1);
}
static long wait_futex(void)
{
    return syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0);
}
static long wait_accept(void)
{
    return accept(sock, NULL, NULL);
}
static long wait_sleep(void)
{
    struct timespec left = {0};
    long r = nanosleep(&(struct timespec){3, 0}, &left);
    CHECK(r == 0 || left.tv_sec == 2);
    return r;
}
static long wait_poll(void)
{
    return poll(&(struct pollfd){pipe_fds[0], POLLIN, 0}, 1, 3000);
}

static void test_restart(void)
{
    static const struct {
        long (*wait)(void);
        bool restarts;
    } calls[] = {{wait_read, true},
                 {wait_futex, true},
                 {wait_accept, true},
                 {wait_sleep, false},
                 {wait_poll, false}};
    main_thread = pthread_self();
    for (unsigned i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        for (int restart = 0; restart < 2; restart++) {
            pthread_t other;
            struct sockaddr_un address = {.sun_family = AF_UNIX};
            word = 0;
            CHECK(pipe(pipe_fds) == 0);
            CHECK((sock = socket(AF_UNIX, SOCK_STREAM, 0)) >= 0);
            CHECK(bind(sock, (struct sockaddr *)&address, sizeof(sa_family_t)) == 0);
            CHECK(listen(sock, 1) == 0);
            handle(SIGUSR1, restart ? SA_RESTART : 0, 0);
            bool goes_on = restart && calls[i].restarts;
            pthread_create(&other, NULL, poke, goes_on ? (void *)1 : NULL);
            long r = calls[i].wait();
            if (goes_on)
                CHECK(r >= 0);
            else
                CHECK(r == -1 && errno == EINTR);
            CHECK_EQ(count, 1);
            pthread_join(other, NULL);
            close(pipe_fds[0]);
            close(pipe_fds[1]);
            close(sock);
        }
    }
}

/* A signal between the check and the wait must end the wait: sigsuspend's reason to be. */
static void *tease(void *arg)
{
    for (int i = 0; i < 2000; i++) {
        while (__atomic_load_n(&word, __ATOMIC_SEQ_CST) != i)
            sched_yield();
        pthread_kill(main_thread, SIGUSR1);
    }
    return NULL;
}

static void test_no_lost_wakeup(void)
{
    pthread_t other;
    sigset_t set = set_of(SIGUSR1), none;
    sigemptyset(&none);
    handle(SIGUSR1, 0, 0);
    sigprocmask(SIG_BLOCK, &set, NULL);
    word = -1;
    pthread_create(&other, NULL, tease, NULL);
    alarm(60);
    for (int i = 0; i < 2000; i++) {
        count = 0;
        __atomic_store_n(&word, i, __ATOMIC_SEQ_CST);
        while (!count)
            sigsuspend(&none);
    }
    pthread_join(other, NULL);
    word = 0;
    alarm(0);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void test_signalfd(void)
{
    sigset_t set = set_of(SIGUSR2);
    struct signalfd_siginfo info;
    sigprocmask(SIG_BLOCK, &set, NULL);
    int fd = signalfd(-1, &set, SFD_CLOEXEC);
    CHECK(fd >= 0);
    sigqueue(getpid(), SIGUSR2, (union sigval){.sival_int = 42});
    CHECK(read(fd, &info, sizeof(info)) == sizeof(info));
    CHECK(info.ssi_signo == SIGUSR2 && info.ssi_int == 42 && info.ssi_pid == (uint32_t)getpid());
    close(fd);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* Real-time signals queue, in order. */
static void test_queue(void)
{
    sigset_t set = set_of(SIGRTMIN + 3);
    handle(SIGRTMIN + 3, 0, 0);
    sigprocmask(SIG_BLOCK, &set, NULL);
    for (int i = 0; i < 20; i++)
        CHECK(sigqueue(getpid(), SIGRTMIN + 3, (union sigval){.sival_int = i}) == 0);
    for (int i = 0; i < 10; i++) {
        siginfo_t info;
        CHECK_EQ(sigwaitinfo(&set, &info), SIGRTMIN + 3);
        CHECK_EQ(info.si_value.sival_int, i);
    }
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    CHECK_EQ(count, 10);
}

/* How children end. */
static int status_of(void (*child)(int), int arg)
{
    int status;
    fflush(stdout);
    pid_t pid = fork();
    if (!pid) {
        child(arg);
        _exit(0);
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    return status;
}
static void die_by_raise(int signal_)
{
    signal(signal_, SIG_DFL);
    raise(signal_);
}
static void die_of_fault(int blocked)
{
    sigset_t set = set_of(SIGSEGV);
    handle(SIGSEGV, 0, 0);
    if (blocked)
        sigprocmask(SIG_BLOCK, &set, NULL);
    else
        signal(SIGSEGV, SIG_IGN);
    *(volatile int *)8 = 1;
}
static void die_by_abort(int arg)
{
    abort();
}
static void die_of_bad_stack(int arg)
{
    struct sigaction action = {.sa_handler = jump, .sa_flags = SA_ONSTACK};
    signal(SIGSEGV, SIG_DFL);
    CHECK(sigaltstack(&(stack_t){.ss_sp = (void *)4096, .ss_size = 8192}, NULL) == 0);
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
}

static void test_deaths(void)
{
    const int signals[] = {SIGTERM, SIGKILL, SIGSEGV, SIGQUIT, SIGFPE, SIGTRAP, SIGRTMIN};
    for (unsigned i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        int status = status_of(die_by_raise, signals[i]);
        CHECK(WIFSIGNALED(status));
        CHECK_EQ(WTERMSIG(status), signals[i]);
    }
    CHECK_EQ(WTERMSIG(status_of(die_of_fault, 0)), SIGSEGV);
    CHECK_EQ(WTERMSIG(status_of(die_of_fault, 1)), SIGSEGV);
    CHECK_EQ(WTERMSIG(status_of(die_by_abort, 0)), SIGABRT);
    CHECK_EQ(WTERMSIG(status_of(die_of_bad_stack, 0)), SIGSEGV);
}

static void test_stop(void)
{
    int status;
    pid_t pid = fork();
    if (!pid) {
        raise(SIGSTOP);
        _exit(7);
    }
    CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
    CHECK_EQ(WSTOPSIG(status), SIGSTOP);
    kill(pid, SIGCONT);
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

int main(void)
{
    test_self();
    test_blocked(SIGUSR1);
    test_blocked(SIGSEGV);
    test_blocked(SIGTRAP);
    test_temporary_mask();
    test_nested();
    test_flags();
    test_jump();
    test_altstack();
    test_restart();
    test_no_lost_wakeup();
    test_signalfd();
    test_queue();
    test_deaths();
    test_stop();
    puts("ok");
    return 0;
}
