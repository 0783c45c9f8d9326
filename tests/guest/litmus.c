/* litmus.c: memory order between CPUs (tests/litmus.h), on bare metal. */
#include "guest.h"

#include "../litmus.h"

static inline unsigned litmus_thread(void)
{
    return (unsigned)this_cpu()->index;
}

static inline void litmus_pause(void)
{
}

static void litmus_run(unsigned count, void (*work)(void))
{
    run_on_cpus(count, work);
}

static void litmus_check(const char *name, uint64_t got, uint64_t wanted)
{
    check_eq(name, got, wanted);
}

void guest_tests(void)
{
    cpus_start();
    check("four CPUs", cpu_count >= THREADS);
    if (cpu_count >= THREADS)
        litmus_all();
}
