/* litmus.c: memory order between CPUs (tests/litmus.h), and code that they change for each other
 * (tests/litmus_code.h), on bare metal. */
#include "guest.h"

#include "../litmus.h"
#include "../litmus_code.h"

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
    if (cpu_count < THREADS)
        return;
    litmus_all();
    static uint32_t room[CODE_WORDS] __attribute__((aligned(4096)));
    litmus_code(room);
}
