/* signal_storm.c: signals without pause, as Go's preemption sends them, lose none and spoil
 * nothing. Real-time signals are counted, for they queue; a timer joins in. Runs on any Linux.
 */
#include "check.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

enum { SIGNALS = 10000, WORKERS = 4 };

static int received[WORKERS], ready;
static pid_t tids[WORKERS];
static volatile int stop;
static __thread int me;
static uint64_t results[WORKERS];
static int alarms;

static void count(int signal, siginfo_t *info, void *context)
{
    __atomic_fetch_add(&received[me], 1, __ATOMIC_SEQ_CST);
    CHECK_EQ(info->si_value.sival_int, me);
}

static void count_alarm(int signal)
{
    __atomic_fetch_add(&alarms, 1, __ATOMIC_SEQ_CST);
}

/* A round of a checksum that any lost or doubled step changes. */
static uint64_t round_of_work(void)
{
    uint64_t x = 88172645463325252ull;
    double d = 1;
    for (int i = 0; i < 20000; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        d = d * 1.0000001 + (double)(x & 7);
    }
    return x + (uint64_t)d;
}

static void *work(void *arg)
{
    me = (int)(intptr_t)arg;
    tids[me] = (pid_t)syscall(SYS_gettid);
    uint64_t expected = round_of_work();
    __atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
    while (!stop) {
        results[me] = round_of_work();
        CHECK(results[me] == expected);
        if (me & 1) { /* half of them make calls all the time */
            char *p = malloc(1000);
            CHECK(getppid() > 0 && p);
            free(p);
        }
    }
    return NULL;
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = count, .sa_flags = SA_SIGINFO | SA_RESTART};
    struct sigaction ticks = {.sa_handler = count_alarm, .sa_flags = SA_RESTART};
    struct itimerval timer = {{0, 2000}, {0, 2000}};
    pthread_t threads[WORKERS];
    sigaction(SIGRTMIN + 1, &action, NULL);
    sigaction(SIGALRM, &ticks, NULL);
    for (intptr_t i = 0; i < WORKERS; i++)
        pthread_create(&threads[i], NULL, work, (void *)i);
    while (__atomic_load_n(&ready, __ATOMIC_SEQ_CST) < WORKERS)
        usleep(1000);
    setitimer(ITIMER_REAL, &timer, NULL);
    for (int i = 0; i < SIGNALS; i++) {
        int to = i % WORKERS;
        siginfo_t info = {.si_signo = SIGRTMIN + 1, .si_code = SI_QUEUE};
        info.si_pid = getpid();
        info.si_uid = getuid();
        info.si_value.sival_int = to;
        while (syscall(SYS_rt_tgsigqueueinfo, getpid(), tids[to], SIGRTMIN + 1, &info) < 0) {
            CHECK(errno == EAGAIN);
            usleep(1000);
        }
    }
    for (int i = 0; i < WORKERS; i++)
        while (__atomic_load_n(&received[i], __ATOMIC_SEQ_CST) < SIGNALS / WORKERS)
            usleep(1000);
    stop = 1;
    for (int i = 0; i < WORKERS; i++) {
        pthread_join(threads[i], NULL);
        CHECK_EQ(received[i], SIGNALS / WORKERS);
    }
    CHECK(alarms > 0);
    puts("ok");
    return 0;
}
