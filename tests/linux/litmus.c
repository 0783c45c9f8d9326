/* litmus.c: memory order between threads (tests/litmus.h), and code that they change for each other
 * (tests/litmus_code.h), in user mode. */
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "../litmus.h"
#include "../litmus_code.h"
#include "tally.h"

static _Thread_local unsigned thread_number;

struct start {
    unsigned number;
    void (*work)(void);
};

static inline unsigned litmus_thread(void)
{
    return thread_number;
}

static inline void litmus_pause(void)
{
    sched_yield();
}

static void *start_thread(void *arg)
{
    const struct start *start = arg;
    thread_number = start->number;
    start->work();
    return NULL;
}

static void litmus_run(unsigned count, void (*work)(void))
{
    pthread_t made[THREADS];
    struct start starts[THREADS];
    for (unsigned i = 0; i < count; i++) {
        starts[i] = (struct start){i, work};
        if (pthread_create(&made[i], NULL, start_thread, &starts[i]) != 0)
            abort();
    }
    for (unsigned i = 0; i < count; i++)
        pthread_join(made[i], NULL);
}

static void litmus_check(const char *name, uint64_t got, uint64_t wanted)
{
    tally(got == wanted, name, __FILE__, __LINE__);
}

/* For about two seconds, whatever the engine's speed. */
int main(void)
{
    time_t end = time(NULL) + 2;
    uint32_t *room = mmap(NULL, CODE_WORDS * sizeof(uint32_t), PROT_READ | PROT_WRITE | PROT_EXEC,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED)
        return 1;
    do {
        litmus_all();
        litmus_code(room);
    } while (time(NULL) < end);
    return tally_end();
}
