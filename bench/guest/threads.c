/* threads.c [THREADS]: two pieces of work and a counter and a mutex that they share, by two threads
 * or by one after the other. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>

#include "pieces.h"

enum { ROUNDS = 3000, STEPS = 100000 };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t total;
static atomic_ulong steps;

static void *work(void *seed)
{
    uint64_t x = (uintptr_t)seed;
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < STEPS; i++) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            if (i % 64 == 0)
                atomic_fetch_add(&steps, 1);
        }
        pthread_mutex_lock(&lock);
        total += x;
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    run_pieces(argc, argv, work);
    printf("%llx %lu\n", (unsigned long long)total, atomic_load(&steps));
    return 0;
}
