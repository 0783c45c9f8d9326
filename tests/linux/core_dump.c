/* core_dump.c: dies with known registers, memory and threads, for core_dump.py to find again with
 * gdb.
 */
#include "check.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

long known = 0x1122334455667788;
static pthread_barrier_t barrier;

static void __attribute__((noinline)) spin_in_guest(void)
{
    pthread_barrier_wait(&barrier);
    for (volatile long i = 0;; i++)
        ;
}

static void __attribute__((noinline)) wait_in_call(void)
{
    pthread_barrier_wait(&barrier);
    for (;;)
        pause();
}

static void *thread(void *arg)
{
    (arg ? spin_in_guest : wait_in_call)();
    return NULL;
}

static void __attribute__((noinline)) crash(long *heap)
{
    pthread_barrier_wait(&barrier);
    usleep(50000);
    __asm__ volatile("mov x20, #0x2020\n mov x21, %0\n fmov d9, #1.5\n mov x0, #0x40\n"
                     ".globl crash_here\n crash_here: str x20, [x0, #8]\n" ::"r"(heap)
                     : "x20", "x21", "x0", "v9", "memory");
}

int main(int argc, char **argv)
{
    pthread_t threads[2];
    long *heap = malloc(4096);
    *heap = 0x5566;
    known++;
    pthread_barrier_init(&barrier, NULL, 3);
    for (long i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, thread, (void *)i);
    crash(heap);
    return 0;
}
