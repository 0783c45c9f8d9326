/* test_interp_atomic.c: exclusives and atomics, alone and between two CPUs on two threads. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "cpu_rig.h"

static uint64_t memory(struct cpu_rig *rig)
{
    return load_le(rig_ptr(rig, RIG_DATA), 8);
}

static void set_memory(struct cpu_rig *rig, uint64_t value)
{
    store_le(rig_ptr(rig, RIG_DATA), 8, value);
}

static void test_exclusives(void **state)
{
    struct cpu_rig *rig = *state;
    struct a64_cpu *cpu = rig->cpu, *other = rig->system.cpus[1];
    cpu->x[1] = other->x[1] = RIG_DATA;
    cpu->x[3] = 0x55;
    set_memory(rig, 0x1122334455667788);

    rig_step(rig, 0xc8027c23 /* stxr w2, x3, [x1] */); /* nothing is marked */
    assert_int_equal(cpu->x[2], 1);
    rig_step(rig, 0xc85f7c20 /* ldxr x0, [x1] */);
    assert_int_equal(cpu->x[0], 0x1122334455667788);
    rig_step(rig, 0xc8027c23 /* stxr w2, x3, [x1] */);
    assert_true(cpu->x[2] == 0 && memory(rig) == 0x55);
    rig_step(rig, 0xc8027c23 /* stxr w2, x3, [x1] */); /* the first one cleared the mark */
    assert_int_equal(cpu->x[2], 1);

    rig_step(rig, 0x085ffc20 /* ldaxrb w0, [x1] */);
    rig_step(rig, 0x4802fc23 /* stlxrh w2, w3, [x1] */); /* another size */
    assert_int_equal(cpu->x[2], 1);
    rig_step(rig, 0x085ffc20 /* ldaxrb w0, [x1] */);
    rig_step(rig, 0xd5033f5f /* clrex */);
    rig_step(rig, 0x0802fc23 /* stlxrb w2, w3, [x1] */);
    assert_int_equal(cpu->x[2], 1);

    rig_step(rig, 0x885f7c20 /* ldxr w0, [x1] */);
    other->x[3] = 0x77;
    rig_step_on(rig, other, 0x39000c23 /* strb w3, [x1, #3] */); /* changed meanwhile */
    rig_step(rig, 0x88027c23 /* stxr w2, w3, [x1] */);
    assert_true(cpu->x[2] == 1 && memory(rig) == 0x77000055);
    rig_step(rig, 0x885f7c20 /* ldxr w0, [x1] */);
    rig_step(rig, 0x88027c3f /* stxr w2, wzr, [x1] */);
    assert_true(cpu->x[2] == 0 && memory(rig) == 0);
}

static void test_exclusive_pairs(void **state)
{
    struct cpu_rig *rig = *state;
    struct a64_cpu *cpu = rig->cpu;
    cpu->x[1] = RIG_DATA;
    store_le(rig_ptr(rig, RIG_DATA), 8, 0x1111111122222222);
    store_le(rig_ptr(rig, RIG_DATA + 8), 8, 0x3333333344444444);
    rig_step(rig, 0xc87f1023 /* ldxp x3, x4, [x1] */);
    assert_true(cpu->x[3] == 0x1111111122222222 && cpu->x[4] == 0x3333333344444444);
    rig_step(rig, 0xc8220c24 /* stxp w2, x4, x3, [x1] */);
    assert_int_equal(cpu->x[2], 0);
    assert_int_equal(memory(rig), 0x3333333344444444);
    assert_int_equal(load_le(rig_ptr(rig, RIG_DATA + 8), 8), 0x1111111122222222);
    rig_step(rig, 0x887f9023 /* ldaxp w3, w4, [x1] */);
    assert_true(cpu->x[3] == 0x44444444 && cpu->x[4] == 0x33333333);
    rig_step(rig, 0x88228c24 /* stlxp w2, w4, w3, [x1] */);
    assert_true(cpu->x[2] == 0 && memory(rig) == 0x4444444433333333);
    rig_step(rig, 0xc87f1023 /* ldxp x3, x4, [x1] */);
    store_le(rig_ptr(rig, RIG_DATA + 8), 8, 5); /* the second half only */
    rig_step(rig, 0xc8220c24 /* stxp w2, x4, x3, [x1] */);
    assert_int_equal(cpu->x[2], 1);
    cpu->x[1] = RIG_DATA + 8; /* a pair of doublewords is aligned to 16 */
    rig_step(rig, 0xc87f1023 /* ldxp x3, x4, [x1] */);
    rig_assert_abort(rig, RIG_DATA + 8, false, 33);
}

/* memory and x2 before; x0 gets memory, memory gets the result. */
static void test_read_modify_write(void **state)
{
    struct cpu_rig *rig = *state;
    struct a64_cpu *cpu = rig->cpu;
    static const struct {
        uint32_t word;
        uint64_t memory, x2, result, x0;
    } cases[] = {
        {0xf8220020 /* ldadd x2, x0, [x1] */, ~0ull, 2, 1, ~0ull},
        {0x38220020 /* ldaddb w2, w0, [x1] */, 0xffff, 0x101, 0xff00, 0xff},
        {0x78e20020 /* ldaddalh w2, w0, [x1] */, 0x1ffff, 1, 0x10000, 0xffff},
        {0xb8221020 /* ldclr w2, w0, [x1] */, 0xffffffffffff, 0xf0, 0xffffffffff0f, 0xffffffff},
        {0xf8a22020 /* ldeora x2, x0, [x1] */, 0xff, 0xf0, 0x0f, 0xff},
        {0xf8623020 /* ldsetl x2, x0, [x1] */, 0xf, 0xf0, 0xff, 0xf},
        {0x38224020 /* ldsmaxb w2, w0, [x1] */, 0x80, 0x7f, 0x7f, 0x80},
        {0xf8224020 /* ldsmax x2, x0, [x1] */, 5, 1ull << 63, 5, 5},
        {0xb8225020 /* ldsmin w2, w0, [x1] */, 0x80000000, 1, 0x80000000, 0x80000000},
        {0x78225020 /* ldsminh w2, w0, [x1] */, 1, 0x1ffff, 0xffff, 1},
        {0xb8226020 /* ldumax w2, w0, [x1] */, 0x80000000, 1, 0x80000000, 0x80000000},
        {0x38227020 /* lduminb w2, w0, [x1] */, 0x80, 0x17f, 0x7f, 0x80},
        {0xf8228020 /* swp x2, x0, [x1] */, 7, 9, 9, 7},
        {0x38228020 /* swpb w2, w0, [x1] */, 0x1234, 0xabcd, 0x12cd, 0x34},
        {0xf822003f /* stadd x2, [x1] */, 7, 9, 16, 0x5a5a},
    };
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        cpu->x[0] = 0x5a5a;
        cpu->x[1] = RIG_DATA;
        cpu->x[2] = cases[i].x2;
        set_memory(rig, cases[i].memory);
        assert_int_equal(rig_step(rig, cases[i].word), A64_NEXT);
        if (memory(rig) != cases[i].result || cpu->x[0] != cases[i].x0)
            fail_msg("case %u (%08x): memory %llx, x0 %llx", i, cases[i].word,
                     (unsigned long long)memory(rig), (unsigned long long)cpu->x[0]);
    }
    cpu->x[1] = RIG_DATA + 1;
    rig_step(rig, 0x78220020 /* ldaddh w2, w0, [x1] */);
    assert_int_equal(cpu->sys[A64_ESR_EL1] & 0x3f, 33);
    cpu->x[1] = RIG_READONLY;
    rig_step(rig, 0x78220020 /* ldaddh w2, w0, [x1] */);
    rig_assert_abort(rig, RIG_READONLY, true, 15);
}

static void test_compare_and_swap(void **state)
{
    struct cpu_rig *rig = *state;
    struct a64_cpu *cpu = rig->cpu;
    cpu->x[1] = RIG_DATA;
    set_memory(rig, 0x80);
    cpu->x[2] = 0xff80; /* compared as a byte */
    cpu->x[3] = 0x1234;
    rig_step(rig, 0x08a27c23 /* casb w2, w3, [x1] */);
    assert_true(memory(rig) == 0x34 && cpu->x[2] == 0x80);
    rig_step(rig, 0xc8e2fc23 /* casal x2, x3, [x1] */); /* differs: x2 gets what is there */
    assert_true(memory(rig) == 0x34 && cpu->x[2] == 0x34);
    cpu->x[4] = 0x34;
    cpu->x[5] = 0;
    cpu->x[6] = 6;
    cpu->x[7] = 7;
    rig_step(rig, 0x08247c26 /* casp w4, w5, w6, w7, [x1] */);
    assert_true(memory(rig) == 0x700000006 && cpu->x[4] == 0x34 && cpu->x[5] == 0);
    store_le(rig_ptr(rig, RIG_DATA + 8), 8, 8);
    rig_step(rig, 0x4864fc26 /* caspal x4, x5, x6, x7, [x1] */);
    assert_true(cpu->x[4] == 0x700000006 && cpu->x[5] == 8);
    rig_step(rig, 0x4864fc26 /* caspal x4, x5, x6, x7, [x1] */);
    assert_true(memory(rig) == 6 && load_le(rig_ptr(rig, RIG_DATA + 8), 8) == 7);
}

/* --- two CPUs ----------------------------------------------------------------------------------
 */

enum { ROUNDS = 20000 };

/* x4 times: add 1 to [x1] by exclusives and 1 to [x5] by LDADD. */
static const uint32_t counting_loop[] = {
    0xc85ffc20 /* ldaxr x0, [x1] */,     0x91000400 /* add x0, x0, #1 */,
    0xc802fc20 /* stlxr w2, x0, [x1] */, 0x35ffffa2 /* cbnz w2, .-12 */,
    0xf82600bf /* stadd x6, [x5] */,     0xd1000484 /* sub x4, x4, #1 */,
    0xb5ffff44 /* cbnz x4, .-24 */,      0x14000000 /* b . */, /* the test stops there */
};

struct runner {
    struct a64_cpu *cpu;
    pthread_t thread;
};

static void *run(void *ctx)
{
    struct a64_cpu *cpu = ((struct runner *)ctx)->cpu;
    while (cpu->x[4])
        a64_interpret(cpu, 100);
    return NULL;
}

static void test_two_threads(void **state)
{
    struct cpu_rig *rig = *state;
    struct runner runners[RIG_CPUS];
    for (unsigned i = 0; i < ARRAY_SIZE(counting_loop); i++)
        store_le(rig_ptr(rig, RIG_CODE + i * 4), 4, counting_loop[i]);
    for (unsigned i = 0; i < RIG_CPUS; i++) {
        struct a64_cpu *cpu = runners[i].cpu = rig->system.cpus[i];
        cpu->pc = RIG_CODE;
        cpu->x[1] = RIG_DATA;
        cpu->x[4] = ROUNDS;
        cpu->x[5] = RIG_DATA + 0x100;
        cpu->x[6] = 1;
        assert_int_equal(pthread_create(&runners[i].thread, NULL, run, &runners[i]), 0);
    }
    for (unsigned i = 0; i < RIG_CPUS; i++)
        pthread_join(runners[i].thread, NULL);
    assert_int_equal(memory(rig), RIG_CPUS * ROUNDS);
    assert_int_equal(load_le(rig_ptr(rig, RIG_DATA + 0x100), 8), RIG_CPUS * ROUNDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_exclusives, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_exclusive_pairs, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_read_modify_write, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_compare_and_swap, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_two_threads, rig_setup, rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
