/* test_interp_mem.c: loads and stores: addresses, widths, write-back, and what a fault leaves
 * behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "cpu_rig.h"

enum { TRANSLATION_3 = 7, PERMISSION_3 = 15, ALIGNMENT = 33 }; /* DFSC */

/* Byte i of the data pages is a function of i, so that every width and place reads differently. */
static void fill(struct cpu_rig *rig)
{
    uint8_t *data = rig_ptr(rig, RIG_DATA);
    for (unsigned i = 0; i < 0x4000; i++)
        data[i] = (uint8_t)(0x80 + i * 7 + (i >> 8));
}

static uint64_t at(struct cpu_rig *rig, uint64_t address, unsigned size_bytes)
{
    return load_le(rig_ptr(rig, address), size_bytes);
}

static void test_widths(void **state)
{
    struct cpu_rig *rig = *state;
    struct a64_cpu *cpu = rig->cpu;
    const uint64_t base = RIG_DATA + 0x100;
    const struct {
        uint32_t word;
        unsigned size_bytes, sign_to; /* 0: zero-extended */
        int64_t offset;
    } loads[] = {
        {0x39400020 /* ldrb w0, [x1] */, 1, 0, 0},
        {0x79400820 /* ldrh w0, [x1, #4] */, 2, 0, 4},
        {0xb9400820 /* ldr w0, [x1, #8] */, 4, 0, 8},
        {0xf94ffc20 /* ldr x0, [x1, #8184] */, 8, 0, 8184},
        {0x39800c20 /* ldrsb x0, [x1, #3] */, 1, 64, 3},
        {0x39c00c20 /* ldrsb w0, [x1, #3] */, 1, 32, 3},
        {0x79800020 /* ldrsh x0, [x1] */, 2, 64, 0},
        {0x79c00020 /* ldrsh w0, [x1] */, 2, 32, 0},
        {0xb9800420 /* ldrsw x0, [x1, #4] */, 4, 64, 4},
        {0xf85fd020 /* ldur x0, [x1, #-3] */, 8, 0, -3},
        {0x384ff020 /* ldurb w0, [x1, #255] */, 1, 0, 255},
        {0xb8900020 /* ldursw x0, [x1, #-256] */, 4, 64, -256},
        {0xf8627820 /* ldr x0, [x1, x2, lsl #3] */, 8, 0, 16},
        {0x7863d820 /* ldrh w0, [x1, w3, sxtw #1] */, 2, 0, -2},
        {0x78646820 /* ldrh w0, [x1, x4] */, 2, 0, -1},
        {0xb8624820 /* ldr w0, [x1, w2, uxtw] */, 4, 0, 2},
    };
    fill(rig);
    for (unsigned i = 0; i < ARRAY_SIZE(loads); i++) {
        cpu->x[0] = ~0ull;
        cpu->x[1] = base;
        cpu->x[2] = 2;
        cpu->x[3] = 0x55555555ffffffff;
        cpu->x[4] = ~0ull;
        assert_int_equal(rig_step(rig, loads[i].word), A64_NEXT);
        uint64_t v = at(rig, base + (uint64_t)loads[i].offset, loads[i].size_bytes);
        if (loads[i].sign_to)
            v = (uint64_t)sign_extend(v, 8 * loads[i].size_bytes);
        if (loads[i].sign_to == 32)
            v = (uint32_t)v;
        if (cpu->x[0] != v)
            fail_msg("load %u: %016llx, not %016llx", i, (unsigned long long)cpu->x[0],
                     (unsigned long long)v);
    }
}

static void test_stores(void **state)
{
    struct cpu_rig *rig = *state;
    struct a64_cpu *cpu = rig->cpu;
    cpu->x[0] = 0x1122334455667788;
    cpu->x[1] = RIG_DATA;
    rig_step(rig, 0xf9000420 /* str x0, [x1, #8] */);
    assert_int_equal(at(rig, RIG_DATA + 8, 8), 0x1122334455667788);
    rig_step(rig, 0x39000420 /* strb w0, [x1, #1] */);
    rig_step(rig, 0x79000820 /* strh w0, [x1, #4] */);
    rig_step(rig, 0xb800a03f /* stur wzr, [x1, #10] */);
    assert_int_equal(at(rig, RIG_DATA, 8), 0x0000778800008800);
    assert_int_equal(at(rig, RIG_DATA + 8, 8), 0x1122000000007788);
}

static void test_write_back(void **state)
{
    struct cpu_rig *rig = *state;
    struct a64_cpu *cpu = rig->cpu;
    fill(rig);
    cpu->x[1] = RIG_DATA + 0x100;
    rig_step(rig, 0xf8500420 /* ldr x0, [x1], #-256 */);
    assert_true(cpu->x[0] == at(rig, RIG_DATA + 0x100, 8) && cpu->x[1] == RIG_DATA);
    rig_step(rig, 0x38c10c20 /* ldrsb w0, [x1, #16]! */);
    assert_int_equal(cpu->x[1], RIG_DATA + 16);
    assert_int_equal(cpu->x[0], (uint32_t)(int8_t)at(rig, RIG_DATA + 16, 1));
    cpu->x[A64_SP] = RIG_DATA + 0x200;
    cpu->x[29] = 29;
    cpu->x[30] = 30;
    rig_step(rig, 0xa9be7bfd /* stp x29, x30, [sp, #-32]! */);
    assert_int_equal(cpu->x[A64_SP], RIG_DATA + 0x1e0);
    assert_true(at(rig, RIG_DATA + 0x1e0, 8) == 29 && at(rig, RIG_DATA + 0x1e8, 8) == 30);
    rig_step(rig, 0xa8c20fe2 /* ldp x2, x3, [sp], #32 */);
    assert_true(cpu->x[2] == 29 && cpu->x[3] == 30 && cpu->x[A64_SP] == RIG_DATA + 0x200);
    store_le(rig_ptr(rig, RIG_DATA), 8, 0x80000001fffffffe);
    cpu->x[1] = RIG_DATA - 4;
    rig_step(rig, 0x69c08c22 /* ldpsw x2, x3, [x1, #4]! */);
    assert_true(cpu->x[2] == (uint64_t)-2 && cpu->x[3] == 0xffffffff80000001);
    assert_int_equal(cpu->x[1], RIG_DATA);
    cpu->x[2] = 0xaaaaaaaabbbbbbbb;
    rig_step(rig, 0x28817c22 /* stp w2, wzr, [x1], #8 */);
    assert_int_equal(at(rig, RIG_DATA, 8), 0xbbbbbbbb);
    /* A store of its own base stores the old value. */
    cpu->x[1] = RIG_DATA;
    rig_step(rig, 0xf8008421 /* str x1, [x1], #8 */);
    assert_true(at(rig, RIG_DATA, 8) == RIG_DATA && cpu->x[1] == RIG_DATA + 8);
}

static void test_literals(void **state)
{
    struct cpu_rig *rig = *state;
    struct a64_cpu *cpu = rig->cpu;
    store_le(rig_ptr(rig, RIG_CODE + 16), 8, 0x80000000f0000001);
    store_le(rig_ptr(rig, RIG_CODE + 24), 8, 0x0123456789abcdef);
    rig_step(rig, 0x58000080 /* ldr x0, .+16 */);
    assert_int_equal(cpu->x[0], 0x80000000f0000001);
    rig_step(rig, 0x18000080 /* ldr w0, .+16 */);
    assert_int_equal(cpu->x[0], 0xf0000001);
    rig_step(rig, 0x98000080 /* ldrsw x0, .+16 */);
    assert_int_equal(cpu->x[0], 0xfffffffff0000001);
    rig_step(rig, 0x9c000080 /* ldr q0, .+16 */);
    assert_true(cpu->v[0].d[0] == 0x80000000f0000001 && cpu->v[0].d[1] == 0x0123456789abcdef);
    rig_step(rig, 0x1c0000c0 /* ldr s0, .+24 */);
    assert_true(cpu->v[0].d[0] == 0x89abcdef && cpu->v[0].d[1] == 0);
}

static void test_vector_registers(void **state)
{
    struct cpu_rig *rig = *state;
    struct a64_cpu *cpu = rig->cpu;
    fill(rig);
    cpu->x[1] = RIG_DATA;
    cpu->v[0].q = ~(__uint128_t)0;
    rig_step(rig, 0x3d400420 /* ldr b0, [x1, #1] */);
    assert_true(cpu->v[0].d[0] == at(rig, RIG_DATA + 1, 1) && cpu->v[0].d[1] == 0);
    cpu->v[0].q = ~(__uint128_t)0;
    rig_step(rig, 0x7c401420 /* ldr h0, [x1], #1 */);
    assert_true(cpu->v[0].d[0] == at(rig, RIG_DATA, 2) && cpu->v[0].d[1] == 0);
    rig_step(rig, 0x3cc0e021 /* ldur q1, [x1, #14] */);
    assert_memory_equal(&cpu->v[1], rig_ptr(rig, RIG_DATA + 15), 16);
    rig_step(rig, 0x3c810c21 /* str q1, [x1, #16]! */);
    assert_memory_equal(rig_ptr(rig, RIG_DATA + 17), &cpu->v[1], 16);
    cpu->x[1] = RIG_DATA + 0x100;
    rig_step(rig, 0xad7f8c22 /* ldp q2, q3, [x1, #-16] */);
    assert_memory_equal(&cpu->v[2], rig_ptr(rig, RIG_DATA + 0xf0), 16);
    assert_memory_equal(&cpu->v[3], rig_ptr(rig, RIG_DATA + 0x100), 16);
    rig_step(rig, 0x2d000c22 /* stp s2, s3, [x1] */);
    assert_int_equal(at(rig, RIG_DATA + 0x100, 4), cpu->v[2].s[0]);
    assert_int_equal(at(rig, RIG_DATA + 0x104, 4), cpu->v[3].s[0]);
    rig_step(rig, 0x6c401424 /* ldnp d4, d5, [x1] */);
    assert_true(cpu->v[4].d[1] == 0 && cpu->v[4].d[0] == at(rig, RIG_DATA + 0x100, 8));
}

/* Across a page border, at every misalignment. */
static void test_page_crossing(void **state)
{
    struct cpu_rig *rig = *state;
    struct a64_cpu *cpu = rig->cpu;
    fill(rig);
    for (unsigned before = 1; before < 16; before++) {
        cpu->x[1] = RIG_DATA + 0x1000 - before;
        rig_step(rig, 0xf9400020 /* ldr x0, [x1] */);
        assert_int_equal(cpu->x[0], at(rig, cpu->x[1], 8));
        rig_step(rig, 0x3dc00020 /* ldr q0, [x1] */);
        assert_memory_equal(&cpu->v[0], rig_ptr(rig, cpu->x[1]), 16);
        rig_step(rig, 0xa9400c22 /* ldp x2, x3, [x1] */);
        assert_int_equal(cpu->x[2], at(rig, cpu->x[1], 8));
        assert_int_equal(cpu->x[3], at(rig, cpu->x[1] + 8, 8));
        cpu->x[0] = 0x0102030405060708;
        rig_step(rig, 0xf9000020 /* str x0, [x1] */);
        assert_int_equal(at(rig, cpu->x[1], 8), 0x0102030405060708);
    }
}

/* A fault leaves every register and all of memory as it was. */
static void test_faults_change_nothing(void **state)
{
    struct cpu_rig *rig = *state;
    struct a64_cpu *cpu = rig->cpu;
    const uint64_t last = RIG_UNMAPPED - 8;
    const struct {
        uint32_t word;
        uint64_t base, far;
        bool write;
        uint8_t status;
    } cases[] = {
        {0xf9400020 /* ldr x0, [x1] */, RIG_UNMAPPED, RIG_UNMAPPED, false, TRANSLATION_3},
        {0xf8408420 /* ldr x0, [x1], #8 */, RIG_UNMAPPED - 4, RIG_UNMAPPED, false, TRANSLATION_3},
        {0xa8c10820 /* ldp x0, x2, [x1], #16 */, last, RIG_UNMAPPED, false, TRANSLATION_3},
        {0xa9400821 /* ldp x1, x2, [x1] */, last, RIG_UNMAPPED, false, TRANSLATION_3},
        {0xa9bf0820 /* stp x0, x2, [x1, #-16]! */, last + 16, RIG_UNMAPPED, true, TRANSLATION_3},
        {0xf9000020 /* str x0, [x1] */, RIG_UNMAPPED - 1, RIG_UNMAPPED, true, TRANSLATION_3},
        {0xf9000020 /* str x0, [x1] */, RIG_READONLY - 4, RIG_READONLY, true, PERMISSION_3},
        {0xac810420 /* stp q0, q1, [x1], #32 */, RIG_READONLY - 16, RIG_READONLY, true,
         PERMISSION_3},
        {0x29000820 /* stp w0, w2, [x1] */, RIG_READONLY - 4, RIG_READONLY, true, PERMISSION_3},
        {0x4cdf0020 /* ld4 {v0.16b-v3.16b}, [x1], #64 */, RIG_UNMAPPED - 63, RIG_UNMAPPED, false,
         TRANSLATION_3},
        {0x4c402c20 /* ld1 {v0.2d-v3.2d}, [x1] */, RIG_UNMAPPED - 56, RIG_UNMAPPED, false,
         TRANSLATION_3},
        {0x4c820420 /* st4 {v0.8h-v3.8h}, [x1], x2 */, RIG_READONLY - 62, RIG_READONLY, true,
         PERMISSION_3},
        {0x0d209020 /* st2 {v0.s, v1.s}[1], [x1] */, RIG_READONLY - 4, RIG_READONLY, true,
         PERMISSION_3},
        {0x4dffcc20 /* ld2r {v0.2d, v1.2d}, [x1], #16 */, last, RIG_UNMAPPED, false, TRANSLATION_3},
        {0xc85f7c20 /* ldxr x0, [x1] */, RIG_DATA + 4, RIG_DATA + 4, false, ALIGNMENT},
        {0x88dffc20 /* ldar w0, [x1] */, RIG_DATA + 2, RIG_DATA + 2, false, ALIGNMENT},
        {0xc89ffc20 /* stlr x0, [x1] */, RIG_DATA + 1, RIG_DATA + 1, true, ALIGNMENT},
        {0xc8027c20 /* stxr w2, x0, [x1] */, RIG_DATA + 4, RIG_DATA + 4, true, ALIGNMENT},
    };
    fill(rig);
    static uint8_t memory_before[0x8000];
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        for (unsigned r = 0; r < 32; r++) {
            cpu->x[r] = 0x1000 + r;
            cpu->v[r].d[0] = r;
            cpu->v[r].d[1] = ~(uint64_t)r;
        }
        cpu->x[1] = cases[i].base;
        uint64_t x[32];
        union a64_vreg v[32];
        memcpy(x, cpu->x, sizeof(x));
        memcpy(v, cpu->v, sizeof(v));
        memcpy(memory_before, rig_ptr(rig, RIG_READONLY - 0x1000), sizeof(memory_before) / 4);
        assert_int_equal(rig_step(rig, cases[i].word), A64_BRANCHED);
        if (cpu->sys[A64_FAR_EL1] != cases[i].far)
            print_message("case %u (%08x)\n", i, cases[i].word);
        rig_assert_abort(rig, cases[i].far, cases[i].write, cases[i].status);
        assert_memory_equal(x, cpu->x, sizeof(x));
        assert_memory_equal(v, cpu->v, sizeof(v));
        assert_memory_equal(memory_before, rig_ptr(rig, RIG_READONLY - 0x1000),
                            sizeof(memory_before) / 4);
    }
}

static void test_stack_alignment(void **state)
{
    struct cpu_rig *rig = *state;
    rig->cpu->sys[A64_SCTLR_EL1] |= 1 << 3; /* SA */
    rig->cpu->x[A64_SP] = RIG_DATA + 8;
    assert_int_equal(rig_step(rig, 0xf94003e0 /* ldr x0, [sp] */), A64_BRANCHED);
    rig_assert_class(rig, 0x26);
    rig_step(rig, 0x0d4003e0 /* ld1 {v0.b}[0], [sp] */);
    rig_assert_class(rig, 0x26);
    rig_step(rig, 0xc85f7fe0 /* ldxr x0, [sp] */);
    rig_assert_class(rig, 0x26);
    assert_int_equal(rig_step(rig, 0xf98003e0 /* prfm pldl1keep, [sp] */), A64_NEXT);
    rig->cpu->x[A64_SP] = RIG_DATA + 16;
    assert_int_equal(rig_step(rig, 0xf94007e0 /* ldr x0, [sp, #8] */), A64_NEXT);
}

/* LDTR and STTR go by EL0's permissions. */
static void test_unprivileged(void **state)
{
    struct cpu_rig *rig = *state;
    rig->cpu->x[0] = 0xffffffff12345680;
    rig->cpu->x[1] = RIG_USER;
    assert_int_equal(rig_step(rig, 0xb8004820 /* sttr w0, [x1, #4] */), A64_NEXT);
    assert_int_equal(rig_step(rig, 0x38804822 /* ldtrsb x2, [x1, #4] */), A64_NEXT);
    assert_int_equal(rig->cpu->x[2], (uint64_t)-0x80);
    rig->cpu->x[1] = RIG_DATA;
    rig_step(rig, 0xb8000820 /* sttr w0, [x1] */);
    rig_assert_abort(rig, RIG_DATA, true, PERMISSION_3);
    rig_step(rig, 0xf8408820 /* ldtr x0, [x1, #8] */);
    rig_assert_abort(rig, RIG_DATA + 8, false, PERMISSION_3);
}

/* --- structures --------------------------------------------------------------------------------
 */

static void test_interleaving(void **state)
{
    struct cpu_rig *rig = *state;
    struct a64_cpu *cpu = rig->cpu;
    uint16_t *data = rig_ptr(rig, RIG_DATA);
    for (uint16_t i = 0; i < 32; i++)
        data[i] = i;
    cpu->x[1] = RIG_DATA;
    rig_step(rig,
             0x4cdf443e /* ld3 {v30.8h, v31.8h, v0.8h}, [x1], #48 */); /* numbers wrap around */
    assert_true(cpu->v[30].h[0] == 0 && cpu->v[31].h[0] == 1 && cpu->v[0].h[0] == 2);
    assert_true(cpu->v[30].h[7] == 21 && cpu->v[31].h[7] == 22 && cpu->v[0].h[7] == 23);
    assert_int_equal(cpu->x[1], RIG_DATA + 48);
    cpu->x[1] = RIG_DATA;
    cpu->x[2] = 5;
    rig_step(
        rig,
        0x0cc22421 /* ld1 {v1.4h-v4.4h}, [x1], x2 */); /* one after the other, upper halves zero */
    assert_true(cpu->v[1].h[0] == 0 && cpu->v[2].h[0] == 4 && cpu->v[4].h[3] == 15);
    assert_true(cpu->v[1].d[1] == 0 && cpu->v[4].d[1] == 0 && cpu->x[1] == RIG_DATA + 5);
    cpu->x[1] = RIG_DATA + 0x100;
    rig_step(rig, 0x0c008421 /* st2 {v1.4h, v2.4h}, [x1] */);
    const uint16_t expected[8] = {0, 4, 1, 5, 2, 6, 3, 7};
    assert_memory_equal(rig_ptr(rig, RIG_DATA + 0x100), expected, sizeof(expected));
    rig_step(rig, 0x0c400825 /* ld4 {v5.2s-v8.2s}, [x1] */);
    assert_true(cpu->v[5].s[0] == 0x40000 && cpu->v[8].s[0] == 0x70003);
    rig_step(rig, 0x4c408c25 /* ld2 {v5.2d, v6.2d}, [x1] */);
    assert_int_equal(cpu->v[6].d[0], at(rig, RIG_DATA + 0x108, 8));
}

static void test_lanes(void **state)
{
    struct cpu_rig *rig = *state;
    struct a64_cpu *cpu = rig->cpu;
    fill(rig);
    memset(cpu->v, 0, sizeof(cpu->v));
    cpu->x[1] = RIG_DATA;
    rig_step(rig, 0x4ddf1420 /* ld1 {v0.b}[13], [x1], #1 */);
    assert_true(cpu->v[0].b[13] == at(rig, RIG_DATA, 1) && cpu->v[0].b[12] == 0);
    assert_int_equal(cpu->x[1], RIG_DATA + 1);
    rig_step(rig, 0x4d605820 /* ld2 {v0.h, v1.h}[7], [x1] */);
    assert_int_equal(cpu->v[0].h[7], at(rig, RIG_DATA + 1, 2));
    assert_int_equal(cpu->v[1].h[7], at(rig, RIG_DATA + 3, 2));
    rig_step(rig, 0x4dffa020 /* ld4 {v0.s-v3.s}[2], [x1], #16 */);
    assert_int_equal(cpu->v[3].s[2], at(rig, RIG_DATA + 13, 4));
    assert_int_equal(cpu->x[1], RIG_DATA + 17);
    cpu->x[2] = 0x40;
    rig_step(rig, 0x4d82a420 /* st3 {v0.d-v2.d}[1], [x1], x2 */);
    assert_int_equal(at(rig, RIG_DATA + 17, 8), cpu->v[0].d[1]);
    assert_int_equal(at(rig, RIG_DATA + 33, 8), cpu->v[2].d[1]);
    assert_int_equal(cpu->x[1], RIG_DATA + 17 + 0x40);
    cpu->v[5].q = ~(__uint128_t)0;
    rig_step(rig, 0x0ddfc425 /* ld1r {v5.4h}, [x1], #2 */);
    assert_true(cpu->v[5].h[3] == at(rig, RIG_DATA + 17 + 0x40, 2) && cpu->v[5].d[1] == 0);
    rig_step(rig, 0x4d40e025 /* ld3r {v5.16b-v7.16b}, [x1] */);
    assert_true(cpu->v[7].b[15] == at(rig, RIG_DATA + 21 + 0x40, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_widths, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_stores, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_write_back, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_literals, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_vector_registers, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_page_crossing, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_faults_change_nothing, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_stack_alignment, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_unprivileged, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_interleaving, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_lanes, rig_setup, rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
