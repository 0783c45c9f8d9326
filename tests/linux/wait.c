/* wait.c: epoll, poll, select, timers and descriptors for events, with signals in between. */
#include "tell.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>

static volatile sig_atomic_t alarms;

static void on_alarm(int signal)
{
    alarms++;
}

static void arm(int milliseconds)
{
    struct itimerval soon = {.it_value = {0, milliseconds * 1000}};
    setitimer(ITIMER_REAL, &soon, NULL);
}

static void epolls(void)
{
    int pipes[2], event = eventfd(5, EFD_NONBLOCK);
    struct epoll_event out[80];
    TELL(pipe(pipes));
    int ep = (int)TELL(epoll_create1(EPOLL_CLOEXEC));
    struct epoll_event in = {.events = EPOLLIN | EPOLLET, .data.u64 = 0x1122334455667788};
    TELL(epoll_ctl(ep, EPOLL_CTL_ADD, event, &in));
    TELL(epoll_ctl(ep, EPOLL_CTL_ADD, event, &in));
    in = (struct epoll_event){.events = EPOLLIN, .data.u64 = 0xfedcba9876543210};
    TELL(epoll_ctl(ep, EPOLL_CTL_ADD, pipes[0], &in));
    in = (struct epoll_event){.events = EPOLLOUT, .data.u64 = 0x55};
    TELL(epoll_ctl(ep, EPOLL_CTL_ADD, pipes[1], &in));
    TELL(epoll_ctl(ep, EPOLL_CTL_ADD, 99, &in));
    TELL(epoll_ctl(ep, EPOLL_CTL_ADD, event, (void *)8));
    TELL(epoll_ctl(ep, 9, event, &in));
    TELL(write(pipes[1], "x", 1));
    memset(out, 0xff, sizeof(out));
    int n = (int)TELL(epoll_wait(ep, out, 80, 0));
    for (int i = 0; i < n; i++)
        printf("event %#x data %#llx\n", out[i].events, (unsigned long long)out[i].data.u64);
    n = (int)TELL(epoll_wait(ep, out, 1, 0));
    printf("event %#x data %#llx\n", out[0].events, (unsigned long long)out[0].data.u64);
    TELL_HEX(((unsigned char *)out)[sizeof(out[0])] == 0xff || n == 1);
    TELL(epoll_ctl(ep, EPOLL_CTL_DEL, pipes[1], NULL));
    in = (struct epoll_event){.events = EPOLLIN | EPOLLONESHOT, .data.u64 = 3};
    TELL(epoll_ctl(ep, EPOLL_CTL_MOD, pipes[0], &in));
    TELL(epoll_wait(ep, out, 80, -1));
    TELL(epoll_wait(ep, out, 80, 10));
    TELL(epoll_wait(ep, out, 0, 10));
    TELL(epoll_wait(ep, out, -5, 10));
    TELL(epoll_wait(ep, (void *)8, 4, 10));
    struct timespec timeout = {0, 5000000};
    TELL(epoll_pwait2(ep, out, 80, &timeout, NULL));
    arm(30);
    TELL(epoll_wait(ep, out, 80, 5000));
    TELL(alarms);
    close(ep);
    close(event);
}

static void masks(void)
{
    sigset_t blocked, none, old;
    int ep = epoll_create1(0);
    struct epoll_event out;
    struct timespec five = {5, 0};
    sigemptyset(&none);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGALRM);
    TELL(sigprocmask(SIG_BLOCK, &blocked, NULL));
    alarms = 0;
    arm(20);
    TELL(epoll_pwait(ep, &out, 1, 5000, &none));
    TELL(alarms);
    arm(20);
    TELL(ppoll(NULL, 0, &five, &none));
    TELL(alarms);
    arm(20);
    TELL(pselect(0, NULL, NULL, NULL, &five, &none));
    TELL(alarms);
    arm(20);
    TELL(sigsuspend(&none));
    TELL(alarms);
    sigprocmask(SIG_SETMASK, NULL, &old);
    TELL(sigismember(&old, SIGALRM));
    arm(10);
    TELL(poll(NULL, 0, 50));
    TELL(alarms);
    TELL(sigprocmask(SIG_UNBLOCK, &blocked, NULL));
    TELL(alarms);
    TELL(syscall(SYS_ppoll, NULL, 0, &five, &none, 4));
    TELL(syscall(SYS_ppoll, NULL, 0, &five, (void *)8, 8));
    arm(20);
    TELL(ppoll(NULL, 0, &(struct timespec){0, 60000000}, &blocked));
    TELL(alarms);
    close(ep);
}

static void polls(void)
{
    int pipes[2];
    TELL(pipe(pipes));
    struct pollfd fds[3] = {{pipes[0], POLLIN, 0}, {pipes[1], POLLOUT, 0}, {99, POLLIN, 0}};
    TELL(poll(fds, 3, 0));
    printf("%#x %#x %#x\n", fds[0].revents, fds[1].revents, fds[2].revents);
    close(pipes[1]);
    TELL(poll(fds, 1, 100));
    printf("%#x\n", fds[0].revents);
    TELL(poll((void *)8, 1, 0));
    fd_set in, out;
    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_SET(pipes[0], &in);
    struct timeval tv = {1, 0};
    TELL(select(pipes[0] + 1, &in, &out, NULL, &tv));
    TELL(FD_ISSET(pipes[0], &in) != 0);
    TELL_BOOL(tv.tv_sec == 0 && tv.tv_usec > 900000);
    FD_SET(40, &in);
    TELL(select(41, &in, NULL, NULL, &tv));
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    TELL(select(0, NULL, NULL, NULL, &(struct timeval){0, 30000}));
    clock_gettime(CLOCK_MONOTONIC, &to);
    TELL_BOOL((to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000 >= 30);
    arm(20);
    TELL(poll(NULL, 0, 5000));
    arm(20);
    struct timespec left = {0};
    TELL(nanosleep(&(struct timespec){5, 0}, &left));
    TELL_BOOL(left.tv_sec == 4);
    arm(20);
    TELL(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &(struct timespec){1, 0}, NULL));
    TELL(clock_nanosleep(CLOCK_REALTIME, 0, &(struct timespec){5, 0}, &left));
    arm(20);
    TELL(pause());
    close(pipes[0]);
}

static void restarts(bool restart)
{
    int pipes[2];
    char c = 0;
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = restart ? SA_RESTART : 0};
    sigaction(SIGALRM, &action, NULL);
    TELL(pipe(pipes));
    pid_t child = fork();
    if (!child) {
        usleep(120000);
        _exit(write(pipes[1], "c", 1) == 1 ? 7 : 8);
    }
    alarms = 0;
    arm(30);
    TELL(read(pipes[0], &c, 1));
    TELL(alarms);
    int status = 0;
    arm(10);
    while (TELL_OK(waitpid(child, &status, 0)) < 0)
        ;
    TELL(WEXITSTATUS(status));
    close(pipes[0]);
    close(pipes[1]);
}

static void descriptors(void)
{
    uint64_t count = 0;
    int event = (int)TELL(eventfd(3, EFD_SEMAPHORE | EFD_NONBLOCK));
    TELL(read(event, &count, sizeof(count)));
    TELL(count);
    TELL(read(event, &count, 4));
    close(event);
    int timer = (int)TELL(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
    struct itimerspec spec = {.it_value = {0, 10000000}, .it_interval = {0, 10000000}}, now;
    TELL(timerfd_settime(timer, 0, &spec, NULL));
    TELL(read(timer, &count, sizeof(count)));
    TELL_BOOL(count >= 1);
    TELL(timerfd_gettime(timer, &now));
    TELL_BOOL(now.it_interval.tv_nsec == 10000000);
    close(timer);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGRTMIN + 3);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int sfd = (int)TELL(signalfd(-1, &set, SFD_NONBLOCK));
    struct signalfd_siginfo info;
    TELL(read(sfd, &info, sizeof(info)));
    kill(getpid(), SIGUSR1);
    sigqueue(getpid(), SIGRTMIN + 3, (union sigval){.sival_int = 4711});
    TELL(read(sfd, &info, sizeof(info)));
    printf("signal %u code %d from us %d\n", info.ssi_signo, info.ssi_code,
           info.ssi_pid == (uint32_t)getpid());
    TELL(read(sfd, &info, sizeof(info)));
    printf("signal %u code %d value %d\n", info.ssi_signo - SIGRTMIN, info.ssi_code, info.ssi_int);
    close(sfd);
    siginfo_t got;
    sigqueue(getpid(), SIGRTMIN + 3, (union sigval){.sival_int = 42});
    TELL(sigtimedwait(&set, &got, &(struct timespec){1, 0}) - SIGRTMIN);
    TELL(got.si_value.sival_int);
    TELL(sigtimedwait(&set, &got, &(struct timespec){0, 1000}));
}

static void timers(void)
{
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
    event.sigev_value.sival_int = 99;
    struct itimerspec spec = {.it_value = {0, 20000000}}, now;
    alarms = 0;
    TELL(timer_create(CLOCK_MONOTONIC, &event, &timer));
    TELL(timer_settime(timer, 0, &spec, NULL));
    TELL(timer_gettime(timer, &now));
    TELL_BOOL(now.it_value.tv_nsec > 0 && now.it_value.tv_nsec <= 20000000);
    TELL(pause());
    TELL(alarms);
    TELL(timer_getoverrun(timer));
    TELL(timer_delete(timer));
    struct timespec res;
    TELL(clock_getres(CLOCK_MONOTONIC, &res));
    TELL(res.tv_nsec);
    TELL(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &res));
    TELL(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &res));
    TELL(clock_gettime(77, &res));
    TELL(syscall(SYS_clock_gettime, CLOCK_REALTIME, (void *)8));
    TELL(syscall(SYS_gettimeofday, NULL, NULL));
    struct timeval tv;
    struct {
        int west, dst;
    } zone;
    TELL(syscall(SYS_gettimeofday, &tv, &zone));
    TELL_BOOL(labs(tv.tv_sec - time(NULL)) <= 1);
    TELL(setitimer(ITIMER_VIRTUAL, &(struct itimerval){.it_value = {1, 2}}, NULL));
    struct itimerval it;
    TELL(getitimer(ITIMER_VIRTUAL, &it));
    TELL_BOOL(it.it_value.tv_sec == 1 || it.it_value.tv_usec > 0);
}

int main(void)
{
    struct sigaction action = {.sa_handler = on_alarm};
    sigaction(SIGALRM, &action, NULL);
    setvbuf(stdout, NULL, _IOLBF, 0); /* what fork copies is empty */
    epolls();
    masks();
    polls();
    restarts(false);
    restarts(true);
    descriptors();
    timers();
}
