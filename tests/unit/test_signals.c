/* test_signals.c: CPUs that broadcast at each other, sleep and wake, on real threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <pthread.h>
#include <string.h>
#include <cmocka.h>

#include "base/evloop.h"
#include "core/arm64/mmu.h"

enum { CPUS = 4, ROUNDS = 2000 };

struct rig {
    struct guestmem mem;
    struct a64_system system;
    _Atomic uint64_t done[CPUS]; /* what a64_run_on_others did for each CPU */
    _Atomic bool over;
    _Atomic unsigned finished;
};

static int setup(void **state)
{
    static struct rig rig;
    memset(&rig, 0, sizeof(rig));
    rig.system.mem = &rig.mem;
    for (unsigned i = 0; i < CPUS; i++)
        assert_int_equal(a64_cpu_new(&rig.system, i, a64_model_at(0), &rig.system.cpus[i], NULL),
                         0);
    *state = &rig;
    return 0;
}

static int teardown(void **state)
{
    struct rig *rig = *state;
    for (unsigned i = 0; i < CPUS; i++)
        a64_cpu_free(rig->system.cpus[i]);
    return 0;
}

static void count(struct a64_cpu *cpu, uint64_t rig, uint64_t amount)
{
    struct rig *r = (struct rig *)(uintptr_t)rig;
    /* Only one thread at a time may work for a CPU: a lost update would show here. */
    atomic_store_explicit(&r->done[cpu->index],
                          atomic_load_explicit(&r->done[cpu->index], memory_order_relaxed) + amount,
                          memory_order_relaxed);
}

struct task {
    struct rig *rig;
    unsigned index;
    bool broadcasts;
};

static void *run_cpu(void *arg)
{
    struct task *task = arg;
    struct rig *rig = task->rig;
    struct a64_cpu *cpu = rig->system.cpus[task->index];
    a64_enter_guest(cpu);
    for (unsigned i = 0; i < ROUNDS && task->broadcasts; i++) {
        if (i % 3 == 0)
            a64_tlbi(cpu, A64_TLBI_VA, i, true);
        a64_run_on_others(cpu, count, (uintptr_t)rig, 1);
        a64_poll(cpu);
        if (i % 64 == 0) { /* out for a while, as in WFI */
            a64_leave_guest(cpu);
            a64_enter_guest(cpu);
        }
    }
    atomic_fetch_add(&rig->finished, 1);
    while (!atomic_load(&rig->over)) { /* in the guest still: others wait for this */
        a64_poll(cpu);
        if (atomic_load(&rig->finished) == CPUS)
            atomic_store(&rig->over, true);
    }
    a64_leave_guest(cpu);
    a64_enter_guest(cpu);
    a64_leave_guest(cpu);
    return NULL;
}

static void test_everybody_broadcasts(void **state)
{
    struct rig *rig = *state;
    pthread_t threads[CPUS];
    struct task tasks[CPUS];
    for (unsigned i = 0; i < CPUS; i++) {
        tasks[i] = (struct task){rig, i, true};
        assert_int_equal(pthread_create(&threads[i], NULL, run_cpu, &tasks[i]), 0);
    }
    for (unsigned i = 0; i < CPUS; i++)
        pthread_join(threads[i], NULL);
    for (unsigned i = 0; i < CPUS; i++)
        assert_int_equal(rig->done[i], ROUNDS * (CPUS - 1));
}

/* CPUs that never enter the guest get their work done when they do, mailbox overflow or not. */
static void test_sleeping_targets(void **state)
{
    struct rig *rig = *state;
    struct a64_cpu *cpu = rig->system.cpus[0];
    a64_enter_guest(cpu);
    for (unsigned i = 0; i < 100; i++)
        a64_run_on_others(cpu, count, (uintptr_t)rig, 1);
    a64_leave_guest(cpu);
    for (unsigned i = 1; i < CPUS; i++) {
        a64_enter_guest(rig->system.cpus[i]);
        assert_int_equal(rig->done[i], 100);
        a64_leave_guest(rig->system.cpus[i]);
    }
}

static void *sleeper(void *arg)
{
    a64_wait(arg, false);
    return NULL;
}

static void test_wfi_wakes(void **state)
{
    struct rig *rig = *state;
    struct a64_cpu *cpu = rig->system.cpus[1];
    for (unsigned i = 0; i < 50; i++) {
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, sleeper, cpu), 0);
        if (i % 2)
            sched_yield();
        if (i % 3)
            a64_set_line(cpu, A64_LINE_IRQ, true);
        else
            a64_request_stop(cpu);
        pthread_join(thread, NULL);
        a64_set_line(cpu, A64_LINE_IRQ, false);
        atomic_store(&cpu->signals.stop, 0);
    }
}

/* WFE comes back soon even if nobody sends an event: the guest may spin on memory. */
static void test_wfe_is_short(void **state)
{
    struct rig *rig = *state;
    struct a64_cpu *cpu = rig->system.cpus[2];
    uint64_t start = clock_now_ns();
    for (unsigned i = 0; i < 16; i++)
        a64_wait(cpu, true);
    assert_true(clock_now_ns() - start < 500000000);
    a64_send_event(rig->system.cpus[3]);
    assert_int_equal(atomic_load(&cpu->signals.event), 1);
    a64_wait(cpu, true);
    assert_int_equal(atomic_load(&cpu->signals.event), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_everybody_broadcasts),
        TEST(test_sleeping_targets),
        TEST(test_wfi_wakes),
        TEST(test_wfe_is_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
