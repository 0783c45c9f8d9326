/* threads.c: mutexes, condition variables, atomics and thread-local data on several threads. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

enum { THREADS = 6, ROUNDS = 20000 };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static long guarded;
static int turn;
static atomic_long counted;
static _Thread_local long own;

static void *work(void *argument)
{
    int number = (int)(long)argument;
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&lock);
        guarded++;
        pthread_mutex_unlock(&lock);
        atomic_fetch_add(&counted, 2);
        own++;
    }
    for (int round = 0; round < 20; round++) { /* each thread's turn comes after its neighbour's */
        pthread_mutex_lock(&lock);
        while (turn % THREADS != number)
            pthread_cond_wait(&turned, &lock);
        turn++;
        pthread_cond_broadcast(&turned);
        pthread_mutex_unlock(&lock);
    }
    return (void *)own;
}

int main(void)
{
    pthread_t threads[THREADS];
    long sum = 0;
    for (long i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, work, (void *)i);
    for (int i = 0; i < THREADS; i++) {
        void *result;
        pthread_join(threads[i], &result);
        sum += (long)result;
    }
    printf("%ld %ld %ld %d\n", guarded, counted, sum, turn);
    return 0;
}
