/* test_interp_alu.c: corner cases of integer instructions and branches, worked out by hand from the
 * manual. Random cases against outside oracles are in tests/isa. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "cpu_rig.h"

enum { N = 8, Z = 4, C = 2, V = 1 };

/* One instruction on x1 and x2 (and x3), the result in x0, and NZCV after it; flags go in as given.
 */
struct alu_case {
    uint32_t word;
    uint64_t x1, x2;
    uint64_t result;
    uint8_t nzcv_before, nzcv_after;
};

#define ALL_ONES UINT64_MAX
#define SIGN     0x8000000000000000ull
#define SIGN32   0x80000000ull

static const struct alu_case cases[] = {
    /* Carry and overflow; 32-bit forms ignore and clear the upper half. */
    {0xab020020 /* adds x0, x1, x2 */, ALL_ONES, 1, 0, 0, Z | C},
    {0xab020020 /* adds x0, x1, x2 */, SIGN, SIGN, 0, 0, Z | C | V},
    {0xab020020 /* adds x0, x1, x2 */, SIGN - 1, 1, SIGN, 0, N | V},
    {0x2b020020 /* adds w0, w1, w2 */, ALL_ONES, 1, 0, 0, Z | C},
    {0x2b020020 /* adds w0, w1, w2 */, SIGN32 - 1, 1, SIGN32, 0, N | V},
    {0x2b020020 /* adds w0, w1, w2 */, 1ull << 32, 1ull << 32, 0, N, Z},
    {0xeb020020 /* subs x0, x1, x2 */, 0, 0, 0, 0, Z | C},
    {0xeb020020 /* subs x0, x1, x2 */, 0, 1, ALL_ONES, 0, N},
    {0xeb020020 /* subs x0, x1, x2 */, SIGN, 1, SIGN - 1, 0, C | V},
    {0x6b020020 /* subs w0, w1, w2 */, SIGN32, 1, SIGN32 - 1, 0, C | V},
    {0xeb020020 /* subs x0, x1, x2 */, 5, SIGN, SIGN + 5, 0, N | V},
    {0xba020020 /* adcs x0, x1, x2 */, ALL_ONES, 0, 0, C, Z | C},
    {0xba020020 /* adcs x0, x1, x2 */, ALL_ONES, ALL_ONES, ALL_ONES, C, N | C},
    {0x3a020020 /* adcs w0, w1, w2 */, 0xffffffff, 0xffffffff, 0xffffffff, C, N | C},
    {0xba020020 /* adcs x0, x1, x2 */, SIGN - 1, 0, SIGN, C, N | V},
    {0xfa020020 /* sbcs x0, x1, x2 */, 0, 0, ALL_ONES, 0, N},
    {0xfa020020 /* sbcs x0, x1, x2 */, 0, 0, 0, C, Z | C},
    {0xfa020020 /* sbcs x0, x1, x2 */, 0, ALL_ONES, 0, 0, Z},
    {0x9a020020 /* adc x0, x1, x2 */, 1, 2, 4, C | N, C | N},
    {0x5a020020 /* sbc w0, w1, w2 */, 1, 2, 0xfffffffe, 0, 0},
    /* Immediates and extended registers. */
    {0x916af020 /* add x0, x1, #0xabc, lsl #12 */, 1, 0, 0xabc001, V, V},
    {0x51000420 /* sub w0, w1, #1 */, 0, 0, 0xffffffff, 0, 0},
    {0x8b229020 /* add x0, x1, w2, sxtb #4 */, 0, 0xff80, (uint64_t)-0x800, 0, 0},
    {0x8b222420 /* add x0, x1, w2, uxth #1 */, 1, 0x1ffff, 0x1ffff, 0, 0},
    {0x8b22c020 /* add x0, x1, w2, sxtw */, 10, 0xffffffff, 9, 0, 0},
    {0xcb22ec20 /* sub x0, x1, x2, sxtx #3 */, 0, 1, (uint64_t)-8, 0, 0},
    {0x8b82fc20 /* add x0, x1, x2, asr #63 */, 1, SIGN, 0, 0, 0},
    {0x4b827c20 /* sub w0, w1, w2, asr #31 */, 0, SIGN32, 1, 0, 0},
    /* Logic. */
    {0xea020020 /* ands x0, x1, x2 */, SIGN | 1, SIGN, SIGN, C | V, N},
    {0x6a020020 /* ands w0, w1, w2 */, SIGN, SIGN, 0, C | V, Z},
    {0x6a220020 /* bics w0, w1, w2 */, 0xff, 0xf, 0xf0, N | Z | C | V, 0},
    {0xf241003f /* tst x1, #0x8000000000000000 */, SIGN, 0, 0, 0, N},
    {0x927ff820 /* and x0, x1, #0xfffffffffffffffe */, ALL_ONES, 0, ALL_ONES - 1, 0, 0},
    {0xb200f020 /* orr x0, x1, #0x5555555555555555 */, 0, 0, 0x5555555555555555, 0, 0},
    {0x52039820 /* eor w0, w1, #0xe00fe00f */, 0, 0, 0xe00fe00f, 0, 0},
    {0x2a220020 /* orn w0, w1, w2 */, 0, 0, 0xffffffff, 0, 0},
    {0xcae21020 /* eon x0, x1, x2, ror #4 */, 0, 0xf, 0x0fffffffffffffff, 0, 0},
    {0x8a62f020 /* bic x0, x1, x2, lsr #60 */, 0xff, SIGN, 0xf7, 0, 0},
    /* Moves and bit fields. */
    {0xd2e24680 /* movz x0, #0x1234, lsl #48 */, 0, 0, 0x1234000000000000, 0, 0},
    {0x12800000 /* movn w0, #0 */, 0, 0, 0xffffffff, 0, 0},
    {0x92bfffe0 /* movn x0, #0xffff, lsl #16 */, 0, 0, 0xffffffff0000ffff, 0, 0},
    {0x93401c20 /* sxtb x0, w1 */, 0x80, 0, (uint64_t)-0x80, 0, 0},
    {0x13003c20 /* sxth w0, w1 */, 0x8000, 0, 0xffff8000, 0, 0},
    {0x937ffc20 /* asr x0, x1, #63 */, SIGN, 0, ALL_ONES, 0, 0},
    {0x531f7c20 /* lsr w0, w1, #31 */, ALL_ONES, 0, 1, 0, 0},
    {0x53010020 /* lsl w0, w1, #31 */, 3, 0, SIGN32, 0, 0},
    {0x93440c20 /* sbfiz x0, x1, #60, #4 */, 0x8, 0, SIGN, 0, 0},
    {0x13041c20 /* sbfx w0, w1, #4, #4 */, 0x80, 0, 0xfffffff8, 0, 0},
    {0x53040c20 /* ubfiz w0, w1, #28, #4 */, 0xff, 0, 0xf0000000, 0, 0},
    {0xd341fc20 /* ubfx x0, x1, #1, #63 */, ALL_ONES, 0, SIGN - 1, 0, 0},
    {0x93c21020 /* extr x0, x1, x2, #4 */, 0xf, 0x10, 0xf000000000000001, 0, 0},
    {0x13827c20 /* extr w0, w1, w2, #31 */, 1, SIGN32, 3, 0, 0},
    {0x93c20020 /* extr x0, x1, x2, #0 */, 5, 7, 7, 0, 0},
    /* Shifts by register count modulo the size. */
    {0x9ac22020 /* lsl x0, x1, x2 */, 1, 65, 2, 0, 0},
    {0x1ac22020 /* lsl w0, w1, w2 */, 1, 33, 2, 0, 0},
    {0x1ac22820 /* asr w0, w1, w2 */, SIGN32, 63, 0xffffffff, 0, 0},
    {0x9ac22420 /* lsr x0, x1, x2 */, SIGN, 127, 1, 0, 0},
    {0x1ac22c20 /* ror w0, w1, w2 */, 1, 1, SIGN32, 0, 0},
    {0x9ac22c20 /* ror x0, x1, x2 */, 1, 64, 1, 0, 0},
    /* Conditional compare and select; condition 15 holds like 14. */
    {0xfa420025 /* ccmp x1, x2, #5, eq */, 1, 1, 0, 0, Z | V},
    {0xfa420020 /* ccmp x1, x2, #0, eq */, 1, 1, 0, Z, Z | C},
    {0x3a411820 /* ccmn w1, #1, #0, ne */, 0xffffffff, 0, 0, 0, Z | C},
    {0x7a5fb82f /* ccmp w1, #31, #15, lt */, 31, 0, 0, N, Z | C},
    {0x7a5fc82f /* ccmp w1, #31, #15, gt */, 31, 0, 0, Z, N | Z | C | V},
    {0x9a828020 /* csel x0, x1, x2, hi */, 1, 2, 1, C, C},
    {0x9a828020 /* csel x0, x1, x2, hi */, 1, 2, 2, C | Z, C | Z},
    {0x9a829020 /* csel x0, x1, x2, ls */, 1, 2, 1, C | Z, C | Z},
    {0x1a82a420 /* csinc w0, w1, w2, ge */, 1, 0xffffffff, 0, N, N},
    {0xda82f020 /* csinv x0, x1, x2, nv */, 1, 2, 1, 0, 0},
    {0xda827420 /* csneg x0, x1, x2, vc */, 1, 2, (uint64_t)-2, V, V},
    /* Multiplication and division. */
    {0x9b027c20 /* mul x0, x1, x2 */, ALL_ONES, ALL_ONES, 1, 0, 0},
    {0x1b02fc20 /* mneg w0, w1, w2 */, 3, 5, (uint32_t)-15, 0, 0},
    {0x9b227c20 /* smull x0, w1, w2 */, 0xffffffff, 2, (uint64_t)-2, 0, 0},
    {0x9ba27c20 /* umull x0, w1, w2 */, 0xffffffff, 0xffffffff, 0xfffffffe00000001, 0, 0},
    {0x9ba2fc20 /* umnegl x0, w1, w2 */, 2, 3, (uint64_t)-6, 0, 0},
    {0x9b427c20 /* smulh x0, x1, x2 */, ALL_ONES, 1, ALL_ONES, 0, 0},
    {0x9b427c20 /* smulh x0, x1, x2 */, SIGN, SIGN, 0x4000000000000000, 0, 0},
    {0x9bc27c20 /* umulh x0, x1, x2 */, ALL_ONES, ALL_ONES, ALL_ONES - 1, 0, 0},
    {0x9ac20820 /* udiv x0, x1, x2 */, 7, 0, 0, 0, 0},
    {0x9ac20c20 /* sdiv x0, x1, x2 */, 7, 0, 0, 0, 0},
    {0x9ac20c20 /* sdiv x0, x1, x2 */, SIGN, ALL_ONES, SIGN, 0, 0},
    {0x1ac20c20 /* sdiv w0, w1, w2 */, SIGN32, 0xffffffff, SIGN32, 0, 0},
    {0x9ac20c20 /* sdiv x0, x1, x2 */, (uint64_t)-7, 2, (uint64_t)-3, 0, 0},
    {0x1ac20820 /* udiv w0, w1, w2 */, 0x1ffffffff, 0x100000002, 0x7fffffff, 0, 0},
    /* One source. */
    {0xdac01020 /* clz x0, x1 */, 0, 0, 64, 0, 0},
    {0x5ac01020 /* clz w0, w1 */, SIGN, 0, 32, 0, 0},
    {0x5ac01020 /* clz w0, w1 */, 1, 0, 31, 0, 0},
    {0xdac01420 /* cls x0, x1 */, 0, 0, 63, 0, 0},
    {0xdac01420 /* cls x0, x1 */, ALL_ONES, 0, 63, 0, 0},
    {0xdac01420 /* cls x0, x1 */, SIGN, 0, 0, 0, 0},
    {0x5ac01420 /* cls w0, w1 */, 0x40000000, 0, 0, 0, 0},
    {0x5ac01420 /* cls w0, w1 */, 0xf0000000, 0, 3, 0, 0},
    {0xdac00020 /* rbit x0, x1 */, 1, 0, SIGN, 0, 0},
    {0x5ac00020 /* rbit w0, w1 */, 2, 0, 0x40000000, 0, 0},
    {0xdac00c20 /* rev x0, x1 */, 0x0102030405060708, 0, 0x0807060504030201, 0, 0},
    {0x5ac00820 /* rev w0, w1 */, 0xff01020304ull, 0, 0x04030201, 0, 0},
    {0xdac00820 /* rev32 x0, x1 */, 0x0102030405060708, 0, 0x0403020108070605, 0, 0},
    {0x5ac00420 /* rev16 w0, w1 */, 0x0102030405060708, 0, 0x06050807, 0, 0},
};

static void test_cases(void **state)
{
    struct cpu_rig *rig = *state;
    struct a64_cpu *cpu = rig->cpu;
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct alu_case *c = &cases[i];
        cpu->x[0] = 0;
        cpu->x[1] = c->x1;
        cpu->x[2] = c->x2;
        a64_nzcv_set(cpu, (uint32_t)c->nzcv_before << 28);
        enum a64_step step = rig_step(rig, c->word);
        if (step != A64_NEXT || cpu->pc != RIG_CODE + 4)
            fail_msg("case %u (%08x) did not go on", i, c->word);
        if (cpu->x[0] != c->result)
            fail_msg("case %u (%08x): %016llx, not %016llx", i, c->word,
                     (unsigned long long)cpu->x[0], (unsigned long long)c->result);
        if (a64_nzcv_get(cpu) >> 28 != c->nzcv_after)
            fail_msg("case %u (%08x): NZCV %x, not %x", i, c->word, a64_nzcv_get(cpu) >> 28,
                     c->nzcv_after);
    }
}

/* Register 31 is SP in some places and zero in others. */
static void test_register_31(void **state)
{
    struct cpu_rig *rig = *state;
    struct a64_cpu *cpu = rig->cpu;
    cpu->x[A64_SP] = 0x1000;
    cpu->x[1] = 5;
    rig_step(rig, 0x8b2163ff /* add sp, sp, x1 */);
    assert_int_equal(cpu->x[A64_SP], 0x1005);
    rig_step(rig, 0x110007e0 /* add w0, wsp, #1 */);
    assert_int_equal(cpu->x[0], 0x1006);
    rig_step(rig, 0xeb2163ff /* subs xzr, sp, x1 */);
    assert_int_equal(cpu->x[A64_SP], 0x1005);
    rig_step(rig, 0x927ff83f /* and sp, x1, #0xfffffffffffffffe */);
    assert_int_equal(cpu->x[A64_SP], 4);
    rig_step(rig, 0x8b01003f /* add xzr, x1, x1 */);
    rig_step(rig, 0xf240003f /* ands xzr, x1, #1 */);
    assert_int_equal(cpu->x[A64_SP], 4);
    rig_step(rig, 0x1100003f /* mov wsp, w1 */);
    assert_int_equal(cpu->x[A64_SP], 5);
}

static void test_keep_and_merge(void **state)
{
    struct cpu_rig *rig = *state;
    struct a64_cpu *cpu = rig->cpu;
    cpu->x[0] = ALL_ONES;
    rig_step(rig, 0xf2c24680 /* movk x0, #0x1234, lsl #32 */);
    assert_int_equal(cpu->x[0], 0xffff1234ffffffff);
    rig_step(rig, 0x728acf00 /* movk w0, #0x5678 */);
    assert_int_equal(cpu->x[0], 0xffff5678);
    cpu->x[0] = ALL_ONES;
    cpu->x[1] = 0;
    rig_step(rig, 0xb3781c20 /* bfi x0, x1, #8, #8 */);
    assert_int_equal(cpu->x[0], 0xffffffffffff00ff);
    cpu->x[1] = 0xab00;
    rig_step(rig, 0x33083c20 /* bfxil w0, w1, #8, #8 */);
    assert_int_equal(cpu->x[0], 0xffff00ab);
    cpu->x[3] = 100;
    cpu->x[1] = cpu->x[2] = 6;
    rig_step(rig, 0x9b020c20 /* madd x0, x1, x2, x3 */);
    assert_int_equal(cpu->x[0], 136);
    rig_step(rig, 0x1b028c20 /* msub w0, w1, w2, w3 */);
    assert_int_equal(cpu->x[0], 64);
    cpu->x[1] = 0xffffffff;
    rig_step(rig, 0x9b228c20 /* smsubl x0, w1, w2, x3 */);
    assert_int_equal(cpu->x[0], 106);
}

static void test_branches(void **state)
{
    struct cpu_rig *rig = *state;
    struct a64_cpu *cpu = rig->cpu;
    assert_int_equal(rig_step(rig, 0x16000000 /* b .-0x8000000 */), A64_BRANCHED);
    assert_int_equal(cpu->pc, RIG_CODE - 0x8000000);
    rig_step(rig, 0x94000002 /* bl .+8 */);
    assert_true(cpu->pc == RIG_CODE + 8 && cpu->x[30] == RIG_CODE + 4);
    cpu->x[30] = 0x1238;
    rig_step(rig, 0xd63f03c0 /* blr x30 */);
    assert_true(cpu->pc == 0x1238 && cpu->x[30] == RIG_CODE + 4);
    rig_step(rig, 0xd65f03c0 /* ret */);
    assert_int_equal(cpu->pc, RIG_CODE + 4);
    cpu->x[3] = SIGN;
    rig_step(rig, 0xb7ffffe3 /* tbnz x3, #63, .-4 */);
    assert_int_equal(cpu->pc, RIG_CODE - 4);
    rig_step(rig, 0xb6ffffe3 /* tbz x3, #63, .-4 */);
    assert_int_equal(cpu->pc, RIG_CODE + 4);
    rig_step(rig, 0x34000803 /* cbz w3, .+0x100 */);
    assert_int_equal(cpu->pc, RIG_CODE + 0x100);
    rig_step(rig, 0xb5fff803 /* cbnz x3, .-0x100 */);
    assert_int_equal(cpu->pc, RIG_CODE - 0x100);
    rig_step(rig, 0xd61f03e0 /* br xzr */);
    assert_int_equal(cpu->pc, 0);
    rig_step(rig, 0x70ffffe0 /* adr x0, .-1 */);
    assert_int_equal(cpu->x[0], RIG_CODE - 1);
    rig_step(rig, 0xb0000000 /* adrp x0, .+0x1000 */);
    assert_int_equal(cpu->x[0], RIG_CODE + 0x1000);
}

/* Every condition against every value of the flags. */
static void test_conditions(void **state)
{
    struct cpu_rig *rig = *state;
    for (unsigned flags = 0; flags < 16; flags++) {
        bool n = flags & N, z = flags & Z, c = flags & C, v = flags & V;
        const bool holds[16] = {z,    !z,      c,       !c,     n,      !n,           v,
                                !v,   c && !z, !c || z, n == v, n != v, !z && n == v, z || n != v,
                                true, true};
        for (unsigned cond = 0; cond < 16; cond++) {
            a64_nzcv_set(rig->cpu, flags << 28);
            rig_step(rig, 0x54000100 | cond); /* b.cond .+32 */
            assert_int_equal(rig->cpu->pc, RIG_CODE + (holds[cond] ? 32 : 4));
        }
    }
}

/* What the model lacks is UNDEFINED, and so is what the table lacks. */
static void test_undefined(void **state)
{
    struct cpu_rig *rig = *state;
    rig_step(rig, 0);
    rig_assert_class(rig, 0);
    assert_int_equal(rig->cpu->undefined_count, 1);
    rig_step(rig, 0xf8200041 /* ldadd x0, x1, [x2] */);
    rig_assert_class(rig, 0);
    rig_step(rig, 0x1ee22820 /* fadd h0, h1, h2 */);
    rig_assert_class(rig, 0);
    rig_step(rig, 0xd500419f /* msr pan, #1 */);
    rig_assert_class(rig, 0);
    assert_int_equal(rig->cpu->undefined_count, 4);
}

/* FP and vector instructions trap while CPACR_EL1 says so; integer ones do not. */
static void test_fp_trap(void **state)
{
    struct cpu_rig *rig = *state;
    rig->cpu->sys[A64_CPACR_EL1] = 0;
    rig_step(rig, 0x9e670000 /* fmov d0, x0 */);
    rig_assert_class(rig, 7);
    rig_step(rig, 0x3dc00020 /* ldr q0, [x1] */);
    rig_assert_class(rig, 7);
    rig_step(rig, 0x6d4007e0 /* ldp d0, d1, [sp] */);
    rig_assert_class(rig, 7);
    rig_step(rig, 0x5e280820 /* sha1h s0, s1 */);
    rig_assert_class(rig, 7);
    assert_int_equal(rig_step(rig, 0x1ac24020 /* crc32b w0, w1, w2 */), A64_NEXT);
    assert_int_equal(rig_step(rig, 0x8b020020 /* add x0, x1, x2 */), A64_NEXT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_cases, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_register_31, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_keep_and_merge, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_branches, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_conditions, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_undefined, rig_setup_916, rig_teardown),
        cmocka_unit_test_setup_teardown(test_fp_trap, rig_setup, rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
