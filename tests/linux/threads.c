/* threads.c: threads as the C library makes them and as clone makes them: many, with thread-local
 * data, robust mutexes, and forks among them. Runs on any Linux.
 */
#include "check.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MANY = 4000 };

static __thread long local = 77;
static __thread char room[5000];
static volatile int gate, stop;
static int alive;

static void *one_of_many(void *arg)
{
    CHECK_EQ(local, 77);
    CHECK(room[0] == 0 && room[4999] == 0);
    local = (long)arg;
    room[4999] = 1;
    __atomic_fetch_add(&alive, 1, __ATOMIC_SEQ_CST);
    while (!gate)
        syscall(SYS_futex, &gate, FUTEX_WAIT, 0, NULL, NULL, 0);
    CHECK_EQ(local, (long)arg);
    return (void *)(local * 3);
}

/* All alive at once, then one after the other. */
static void test_many(void)
{
    static pthread_t threads[MANY];
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 65536);
    for (long i = 0; i < MANY; i++)
        CHECK_EQ(pthread_create(&threads[i], &attr, one_of_many, (void *)i), 0);
    while (__atomic_load_n(&alive, __ATOMIC_SEQ_CST) < MANY)
        sched_yield();
    gate = 1;
    syscall(SYS_futex, &gate, FUTEX_WAKE, MANY, NULL, NULL, 0);
    for (long i = 0; i < MANY; i++) {
        void *result;
        CHECK_EQ(pthread_join(threads[i], &result), 0);
        CHECK_EQ((long)result, i * 3);
    }
    for (long i = 0; i < MANY; i++) {
        pthread_t thread;
        CHECK_EQ(pthread_create(&thread, NULL, one_of_many, (void *)i), 0);
        CHECK_EQ(pthread_join(thread, NULL), 0);
    }
}

static pthread_mutex_t robust;

static void *die_with_lock(void *arg)
{
    CHECK_EQ(pthread_mutex_lock(&robust), 0);
    return NULL;
}

static void test_robust(void)
{
    pthread_mutexattr_t attr;
    pthread_t thread;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&robust, &attr);
    pthread_create(&thread, NULL, die_with_lock, NULL);
    pthread_join(thread, NULL);
    CHECK_EQ(pthread_mutex_lock(&robust), EOWNERDEAD);
    CHECK_EQ(pthread_mutex_consistent(&robust), 0);
    CHECK_EQ(pthread_mutex_unlock(&robust), 0);
}

/* --- forks among threads that allocate ----------------------------------------------------------
 */

static void *allocate(void *arg)
{
    unsigned seed = (unsigned)(uintptr_t)arg;
    while (!stop) {
        void *p[16];
        for (int i = 0; i < 16; i++)
            p[i] = malloc(rand_r(&seed) % 3000 + 1);
        for (int i = 0; i < 16; i++)
            free(p[i]);
    }
    return NULL;
}

static void *answer(void *arg)
{
    return arg;
}

static void test_fork(void)
{
    pthread_t busy[4];
    for (long i = 0; i < 4; i++)
        pthread_create(&busy[i], NULL, allocate, (void *)i);
    for (int i = 0; i < 100; i++) {
        int status;
        pid_t parent = getpid(), pid = fork();
        if (!pid) {
            pthread_t thread;
            void *result;
            alarm(20);
            local = 5;
            CHECK_EQ(getppid(), parent);
            CHECK_EQ(getpid(), syscall(SYS_gettid));
            free(malloc(100000));
            CHECK_EQ(pthread_create(&thread, NULL, answer, &local), 0);
            CHECK_EQ(pthread_join(thread, &result), 0);
            CHECK(result == &local);
            _exit(i);
        }
        CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
        CHECK(WIFEXITED(status));
        CHECK_EQ(WEXITSTATUS(status), i);
    }
    stop = 1;
    for (int i = 0; i < 4; i++)
        pthread_join(busy[i], NULL);
    CHECK_EQ(local, 77);
}

static void *fork_and_wait(void *arg)
{
    int status;
    local = (long)arg;
    pid_t pid = fork();
    if (!pid) {
        CHECK_EQ(local, (long)arg);
        CHECK_EQ(getpid(), syscall(SYS_gettid));
        pthread_exit(NULL); /* the last thread: the process exits with 0 */
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK_EQ(status, 0);
    return NULL;
}

static void test_fork_of_thread(void)
{
    pthread_t threads[8];
    for (long i = 0; i < 8; i++)
        pthread_create(&threads[i], NULL, fork_and_wait, (void *)i);
    for (int i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
}

/* --- bare clone ---------------------------------------------------------------------------------
 */

static int child_tid, parent_tid, ran;

static int bare(void *arg)
{
    CHECK_EQ(parent_tid, child_tid);
    CHECK_EQ(child_tid, syscall(SYS_gettid));
    CHECK(getpid() != child_tid);
    __atomic_store_n(&ran, (int)(long)arg, __ATOMIC_SEQ_CST);
    syscall(SYS_exit, 0);
    return 0;
}

static void test_bare(void)
{
    enum { SIZE = 65536 };
    char *stack = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 1; i < 200; i++) {
        child_tid = -1;
        int tid =
            clone(bare, stack + SIZE,
                  CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                      CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID,
                  (void *)(long)i, &parent_tid, NULL, &child_tid);
        CHECK(tid > 0);
        CHECK_EQ(parent_tid, tid);
        int now;
        while ((now = __atomic_load_n(&child_tid, __ATOMIC_SEQ_CST)) != 0)
            syscall(SYS_futex, &child_tid, FUTEX_WAIT, now, NULL, NULL, 0);
        CHECK_EQ(ran, i);
    }
    CHECK(clone(bare, stack + SIZE, CLONE_THREAD, NULL) == -1 && errno == EINVAL);
    CHECK(clone(bare, stack + SIZE, CLONE_SIGHAND | SIGCHLD, NULL) == -1 && errno == EINVAL);
    munmap(stack, SIZE);
}

static int shared;
static int process_in_our_memory(void *arg)
{
    shared = getpid();
    _exit(9);
}

static void test_shared_memory(void)
{
    enum { SIZE = 65536 };
    static char stack[SIZE] __attribute__((aligned(16)));
    int status, pid = clone(process_in_our_memory, stack + SIZE, CLONE_VM | SIGCHLD, NULL);
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 9);
    CHECK_EQ(shared, pid);
}

/* The first thread leaves, the process goes on. */
static void *last(void *arg)
{
    usleep(20000);
    puts("ok");
    exit(0);
}

int main(void)
{
    pthread_t thread;
    test_many();
    test_robust();
    test_fork();
    test_fork_of_thread();
    test_bare();
    test_shared_memory();
    pthread_create(&thread, NULL, last, NULL);
    pthread_exit(NULL);
}
