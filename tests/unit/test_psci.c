/* test_psci.c: PSCI, SMCCC and TRNG calls against an engine that only remembers who is on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/machine/psci.h"

enum { CPUS = 4 };

struct vcpu {
    unsigned index;
    bool on, halted;
    uint64_t pc, x0;
};

struct engine {
    struct vcpu vcpus[CPUS];
};

static struct vcpu *vcpu_at(struct engine *engine, unsigned index)
{
    return &engine->vcpus[index];
}

static void power_on(struct vcpu *vcpu, uint64_t pc, uint64_t x0)
{
    vcpu->on = true;
    vcpu->pc = pc;
    vcpu->x0 = x0;
}

static void power_off(struct vcpu *vcpu)
{
    vcpu->on = false;
}

static bool is_on(struct vcpu *vcpu)
{
    return vcpu->on;
}

static void halt(struct vcpu *vcpu)
{
    vcpu->halted = true;
}

static const struct engine_ops fake_engine = {
    .name = "fake",
    .vcpu = vcpu_at,
    .power_on = power_on,
    .power_off = power_off,
    .is_on = is_on,
    .halt = halt,
};

static const uint64_t affinities[CPUS] = {0, 1, 0x100, 0x101};

struct fixture {
    struct engine engine;
    struct guestmem mem;
    struct psci psci;
    unsigned offs, resets;
};

static void count_off(void *ctx)
{
    ((struct fixture *)ctx)->offs++;
}

static void count_reset(void *ctx)
{
    ((struct fixture *)ctx)->resets++;
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    for (unsigned i = 0; i < CPUS; i++)
        f->engine.vcpus[i].index = i;
    f->engine.vcpus[0].on = true;
    guestmem_init(&f->mem, (struct guestmem_mmio){0});
    assert_int_equal(guestmem_add_ram(&f->mem, 0x40000000, 1 << 20, false, NULL), 0);
    f->psci = (struct psci){
        .engine = &fake_engine,
        .cpus = &f->engine,
        .cpu_count = CPUS,
        .affinities = affinities,
        .mem = &f->mem,
        .ctx = f,
        .system_off = count_off,
        .system_reset = count_reset,
    };
    pthread_mutex_init(&f->psci.lock, NULL);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    pthread_mutex_destroy(&f->psci.lock);
    guestmem_done(&f->mem);
    free(f);
    return 0;
}

static int32_t call(struct fixture *f, uint32_t id, uint64_t a1, uint64_t a2, uint64_t a3)
{
    uint64_t args[8] = {id, a1, a2, a3};
    assert_true(psci_call(&f->psci, &f->engine.vcpus[0], args));
    return (int32_t)args[0];
}

static void test_versions(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(call(f, 0x84000000, 0, 0, 0), 0x10001);
    assert_int_equal(call(f, 0x80000000, 0, 0, 0), 0x10001);
    assert_int_equal(call(f, 0x84000050, 0, 0, 0), 0x10000);
    assert_int_equal(call(f, 0x84000006, 0, 0, 0), 2);
}

static void test_unknown(void **state)
{
    struct fixture *f = *state;
    static const uint32_t ids[] = {0, 0x8400001f, 0xc4000000, 0xc4000008, 0xffffffff, 0xc6000000};
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
        assert_int_equal(call(f, ids[i], 0, 0, 0), -1);
}

static void test_features(void **state)
{
    struct fixture *f = *state;
    static const uint32_t have[] = {0x84000001, 0xc4000001, 0x84000002, 0xc4000003, 0xc4000004,
                                    0x84000008, 0x84000009, 0x8400000a, 0xc4000012, 0x80000000};
    for (size_t i = 0; i < sizeof(have) / sizeof(have[0]); i++)
        assert_int_equal(call(f, 0x8400000a, have[i], 0, 0), 0);
    assert_int_equal(call(f, 0x8400000a, 0x8400000e, 0, 0), -1); /* SYSTEM_SUSPEND */
    assert_int_equal(call(f, 0x80000001, 0x80008000, 0, 0), 1);
    assert_int_equal(call(f, 0x80000001, 0x80007fff, 0, 0), -2);
    assert_int_equal(call(f, 0x80000001, 0x80001234, 0, 0), -1);
}

static void test_cpu_on(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(call(f, 0xc4000003, 0x100, 0x40001000, 0x123456789a), 0);
    assert_true(f->engine.vcpus[2].on);
    assert_int_equal(f->engine.vcpus[2].pc, 0x40001000);
    assert_int_equal(f->engine.vcpus[2].x0, 0x123456789a);
    assert_int_equal(call(f, 0xc4000003, 0x100, 0x40001000, 0), -4);
    assert_int_equal(call(f, 0xc4000003, 0, 0x40001000, 0), -4);
    assert_int_equal(call(f, 0xc4000003, 2, 0x40001000, 0), -2);
    assert_int_equal(call(f, 0xc4000003, 0x80000001, 0x40001000, 0), -2);
    assert_int_equal(call(f, 0xc4000003, 1, 0x10000000, 0), -9);
    assert_int_equal(call(f, 0xc4000003, 1, 0x40001002, 0), -9);
    assert_false(f->engine.vcpus[1].on);
}

static void test_cpu_on_32_ignores_high_halves(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(call(f, 0x84000003, 0xabcd00000001, 0xffff000040002000, 0xffffffff00000007),
                     0);
    assert_int_equal(f->engine.vcpus[1].pc, 0x40002000);
    assert_int_equal(f->engine.vcpus[1].x0, 7);
}

static void test_affinity_info(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(call(f, 0xc4000004, 0, 0, 0), 0);
    assert_int_equal(call(f, 0xc4000004, 1, 0, 0), 1);
    assert_int_equal(call(f, 0xc4000004, 77, 0, 0), -2);
    assert_int_equal(call(f, 0xc4000004, 0, 1, 0), -2);
}

static void test_own_power(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(call(f, 0xc4000001, 0, 0, 0), 0);
    assert_true(f->engine.vcpus[0].halted);
    call(f, 0x84000002, 0, 0, 0);
    assert_false(f->engine.vcpus[0].on);
}

static void test_system(void **state)
{
    struct fixture *f = *state;
    call(f, 0x84000008, 0, 0, 0);
    assert_int_equal(f->offs, 1);
    call(f, 0x84000009, 0, 0, 0);
    assert_int_equal(call(f, 0xc4000012, 0, 0, 0), 0);
    assert_int_equal(call(f, 0xc4000012, 1u << 31, 0, 0), -2);
    assert_int_equal(f->resets, 2);
}

static void test_trng(void **state)
{
    struct fixture *f = *state;
    uint64_t args[8] = {0xc4000053, 65};
    psci_call(&f->psci, &f->engine.vcpus[0], args);
    assert_int_equal(args[0], 0);
    assert_int_equal(args[1], 0);
    assert_true(args[2] <= 1);
    uint64_t args32[8] = {0x84000053, 33};
    psci_call(&f->psci, &f->engine.vcpus[0], args32);
    assert_int_equal(args32[0], 0);
    assert_int_equal(args32[1], 0);
    assert_true(args32[2] <= 1 && args32[3] <= UINT32_MAX);
    assert_int_equal(call(f, 0xc4000053, 0, 0, 0), -2);
    assert_int_equal(call(f, 0xc4000053, 193, 0, 0), -2);
    assert_int_equal(call(f, 0x84000053, 97, 0, 0), -2);
    assert_int_equal(call(f, 0x84000051, 0xc4000053, 0, 0), 0);
    assert_int_equal(call(f, 0x84000051, 0x84000000, 0, 0), -1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_versions),
        TEST(test_unknown),
        TEST(test_features),
        TEST(test_cpu_on),
        TEST(test_cpu_on_32_ignores_high_halves),
        TEST(test_affinity_info),
        TEST(test_own_power),
        TEST(test_system),
        TEST(test_trng),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
