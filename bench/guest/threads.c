/* threads.c: two threads, each with work of its own and a counter and a mutex that they share. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>

enum { THREADS = 2, ROUNDS = 150, STEPS = 100000 };
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

int main(void)
{
    pthread_t threads[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, work, (void *)(i + 1));
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    printf("%llx %lu\n", (unsigned long long)total, atomic_load(&steps));
    return 0;
}
