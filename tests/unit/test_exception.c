/* test_exception.c: entering and leaving EL1, traps of system registers, software step, breakpoints
 * and watchpoints, the timers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "base/evloop.h"
#include "core/arm64/sysreg.h"
#include "cpu_rig.h"

enum {
    INSN_NOP = 0xd503201f,
    INSN_SVC_7 = 0xd40000e1,
    INSN_BRK_5 = 0xd42000a0,
    INSN_ERET = (int)0xd69f03e0,
    INSN_LDR_X0_X1 = (int)0xf9400020,
    INSN_FADD = 0x1e622820, /* FADD D0, D1, D2 */
    INSN_UDF = 0,
};

#define EL1H         5u
#define EL1T         4u
#define EL0T         0u
#define NZCV_NC      0xa0000000u
#define ESR(ec, iss) ((uint64_t)(ec) << 26 | 1u << 25 | (iss))

#define K A64_SYSREG_KEY

static uint64_t esr(const struct cpu_rig *rig)
{
    return rig->cpu->sys[A64_ESR_EL1];
}

static void start(struct cpu_rig *rig, uint32_t pstate)
{
    a64_pstate_set(rig->cpu, pstate);
    rig->cpu->pc = RIG_CODE;
}

/* Code that EL0 runs lies in a page that only EL0 may touch by data, so give it the code page. */
static void step_as(struct cpu_rig *rig, uint32_t pstate, uint32_t word)
{
    start(rig, pstate);
    rig_step(rig, word);
}

static void test_entry(void **state)
{
    struct cpu_rig *rig = *state;
    static const struct {
        uint32_t pstate;
        unsigned offset;
    } from[] = {{EL1T, 0}, {EL1H, 0x200}, {EL0T, 0x400}};
    for (unsigned i = 0; i < ARRAY_SIZE(from); i++) {
        uint32_t before = from[i].pstate | NZCV_NC | 0x240; /* D, F */
        start(rig, before);
        rig->cpu->sys[A64_SP_EL0] = 0x1110;
        rig->cpu->sys[A64_SP_EL1] = 0x2220;
        rig->cpu->x[A64_SP] = from[i].pstate == EL1H ? 0x2220 : 0x1110;
        assert_int_equal(a64_svc(rig->cpu, 7), A64_BRANCHED);
        assert_int_equal(rig->cpu->pc, RIG_VECTORS + from[i].offset);
        assert_int_equal(esr(rig), ESR(0x15, 7));
        assert_int_equal(rig->cpu->sys[A64_ELR_EL1], RIG_CODE + 4);
        assert_int_equal(rig->cpu->sys[A64_SPSR_EL1], before);
        assert_int_equal(a64_spsr_get(rig->cpu) & 0x3ff, 0x3c0 | EL1H);
        assert_int_equal(rig->cpu->x[A64_SP], 0x2220);
        assert_int_equal(a64_eret(rig->cpu), A64_EXIT);
        assert_int_equal(a64_spsr_get(rig->cpu), before);
        assert_int_equal(rig->cpu->pc, RIG_CODE + 4);
        assert_int_equal(rig->cpu->x[A64_SP], from[i].pstate == EL1H ? 0x2220 : 0x1110);
    }
}

static void test_pan_on_entry(void **state)
{
    struct cpu_rig *rig = *state;
    rig->cpu->sys[A64_SCTLR_EL1] &= ~(1ull << 23); /* SPAN = 0: entry sets PAN */
    start(rig, EL0T);
    a64_svc(rig->cpu, 0);
    assert_int_equal(rig->cpu->pan, 1);
    a64_eret(rig->cpu);
    assert_int_equal(rig->cpu->pan, 0);
    rig->cpu->sys[A64_SCTLR_EL1] |= 1ull << 23;
    a64_svc(rig->cpu, 0);
    assert_int_equal(rig->cpu->pan, 0);
}

static void test_illegal_return(void **state)
{
    struct cpu_rig *rig = *state;
    static const uint32_t modes[] = {0x1, 0x8, 0x9, 0xc, 0x10, 0x13, 0x2, 0x6};
    for (unsigned i = 0; i < ARRAY_SIZE(modes); i++) {
        start(rig, EL1H);
        rig->cpu->sys[A64_SPSR_EL1] = modes[i] | NZCV_NC;
        rig->cpu->sys[A64_ELR_EL1] = RIG_CODE + 8;
        a64_eret(rig->cpu);
        assert_int_equal(rig->cpu->el, 1);
        assert_int_equal(rig->cpu->spsel, 1);
        assert_int_equal(a64_nzcv_get(rig->cpu), NZCV_NC);
        assert_int_equal(rig->cpu->pc, RIG_CODE + 8);
        rig_step(rig, INSN_NOP);
        rig_assert_class(rig, 0x0e);
        assert_int_equal(rig->cpu->sys[A64_SPSR_EL1] >> 20 & 1, 1);
        assert_int_equal(rig->cpu->il, 0);
    }
}

static void test_classes(void **state)
{
    struct cpu_rig *rig = *state;
    step_as(rig, EL1H, INSN_BRK_5);
    assert_int_equal(esr(rig), ESR(0x3c, 5));
    step_as(rig, EL1H, INSN_UDF);
    assert_int_equal(esr(rig), ESR(0, 0));
    rig->cpu->sys[A64_CPACR_EL1] = 0;
    step_as(rig, EL1H, INSN_FADD);
    assert_int_equal(esr(rig), ESR(0x07, 0x1e << 20));
    start(rig, EL1H);
    rig->cpu->pc = RIG_CODE + 2;
    a64_step_one(rig->cpu);
    assert_int_equal(esr(rig), ESR(0x22, 0));
    assert_int_equal(rig->cpu->sys[A64_FAR_EL1], RIG_CODE + 2);
}

static void test_interrupts(void **state)
{
    struct cpu_rig *rig = *state;
    start(rig, EL1H | 0x3c0);
    a64_set_line(rig->cpu, A64_LINE_IRQ, true);
    a64_set_line(rig->cpu, A64_LINE_FIQ, true);
    a64_set_line(rig->cpu, A64_LINE_SERROR, true);
    assert_true(a64_has_work(rig->cpu));
    assert_false(a64_take_interrupt(rig->cpu));
    a64_mrs(rig->cpu, K(3, 0, 12, 1, 0), 0); /* ISR_EL1 */
    assert_int_equal(rig->cpu->x[0], 0x1c0);
    a64_msr_imm(rig->cpu, 3, 7, 2); /* DAIFClr I */
    rig->cpu->pc = RIG_CODE;
    assert_true(a64_take_interrupt(rig->cpu));
    assert_int_equal(rig->cpu->pc, RIG_VECTORS + 0x280);
    a64_eret(rig->cpu);
    assert_int_equal(rig->cpu->pc, RIG_CODE);
    a64_set_line(rig->cpu, A64_LINE_IRQ, false);
    a64_msr_imm(rig->cpu, 3, 7, 5); /* A, F */
    assert_true(a64_take_interrupt(rig->cpu));
    assert_int_equal(rig->cpu->pc, RIG_VECTORS + 0x300);
    a64_set_line(rig->cpu, A64_LINE_FIQ, false);
    a64_eret(rig->cpu);
    assert_true(a64_take_interrupt(rig->cpu));
    assert_int_equal(rig->cpu->pc, RIG_VECTORS + 0x380);
    assert_int_equal(esr(rig) >> 26, 0x2f);
    assert_false(a64_has_work(rig->cpu)); /* an SError is taken once */
}

/* MRS of `key` at EL0: 0 where it worked, else ESR_EL1. */
static uint64_t mrs_at_el0(struct cpu_rig *rig, uint16_t key)
{
    start(rig, EL0T);
    return a64_mrs(rig->cpu, key, 3) == A64_NEXT ? 0 : esr(rig);
}

static void test_el0_traps(void **state)
{
    struct cpu_rig *rig = *state;
    const struct {
        uint16_t key;
        enum a64_sysreg control;
        uint64_t leave;
    } cases[] = {
        {K(3, 3, 0, 0, 1), A64_SCTLR_EL1, 1 << 15},   /* CTR_EL0 */
        {K(3, 3, 4, 2, 1), A64_SCTLR_EL1, 1 << 9},    /* DAIF */
        {K(3, 3, 14, 0, 1), A64_CNTKCTL_EL1, 1 << 0}, /* CNTPCT_EL0 */
        {K(3, 3, 14, 0, 2), A64_CNTKCTL_EL1, 1 << 1}, /* CNTVCT_EL0 */
        {K(3, 3, 14, 2, 1), A64_CNTKCTL_EL1, 1 << 9}, /* CNTP_CTL_EL0 */
        {K(3, 3, 14, 3, 1), A64_CNTKCTL_EL1, 1 << 8}, /* CNTV_CTL_EL0 */
    };
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        uint32_t key = cases[i].key;
        uint64_t iss = 3 << 20 | (key & 7) << 17 | (key >> 11 & 7) << 14 | (key >> 7 & 15) << 10 |
                       3 << 5 | (key >> 3 & 15) << 1 | 1;
        rig->cpu->sys[cases[i].control] &= ~cases[i].leave;
        assert_int_equal(mrs_at_el0(rig, cases[i].key), ESR(0x18, iss));
        rig->cpu->sys[cases[i].control] |= cases[i].leave;
        assert_int_equal(mrs_at_el0(rig, cases[i].key), 0);
    }
    /* Never for EL0, and nobody's. */
    assert_int_equal(mrs_at_el0(rig, K(3, 0, 0, 0, 0)), ESR(0, 0));
    assert_int_equal(mrs_at_el0(rig, K(3, 0, 1, 0, 0)), ESR(0, 0));
    start(rig, EL1H);
    assert_int_equal(a64_mrs(rig->cpu, K(3, 3, 9, 12, 0), 3), A64_BRANCHED); /* no PMU */
    assert_int_equal(rig->cpu->undefined_count, 1);
    /* Reserved ID registers read as zero. */
    rig->cpu->x[3] = 5;
    start(rig, EL1H);
    assert_int_equal(a64_mrs(rig->cpu, K(3, 0, 0, 4, 5), 3), A64_NEXT);
    assert_int_equal(rig->cpu->x[3], 0);
    /* DC ZVA by SCTLR_EL1.DZE, WFI by nTWI. */
    start(rig, EL0T);
    rig->cpu->sys[A64_SCTLR_EL1] &= ~(1ull << 14 | 1 << 16);
    a64_sys(rig->cpu, 3, 7, 4, 1, 2);
    assert_int_equal(esr(rig) >> 26, 0x18);
}

static void test_table_is_sorted(void **state)
{
    (void)state;
    /* What is in the table is found by binary search only if it is sorted. */
    for (unsigned reg = 0; reg < A64_SYSREG_COUNT; reg++) {
        const struct a64_sysreg_info *info = a64_sysreg_by_id((enum a64_sysreg)reg);
        if (info)
            assert_ptr_equal(a64_sysreg_find(info->key), info);
    }
}

static void test_sp_el0(void **state)
{
    struct cpu_rig *rig = *state;
    start(rig, EL1H);
    rig->cpu->x[1] = 0x1234;
    assert_int_equal(a64_msr(rig->cpu, K(3, 0, 4, 1, 0), 1), A64_NEXT);
    a64_msr_imm(rig->cpu, 0, 5, 0); /* SPSel 0 */
    assert_int_equal(rig->cpu->x[A64_SP], 0x1234);
    assert_int_equal(a64_mrs(rig->cpu, K(3, 0, 4, 1, 0), 1), A64_BRANCHED); /* its own */
    assert_int_equal(esr(rig), ESR(0, 0));
}

static void test_software_step(void **state)
{
    struct cpu_rig *rig = *state;
    store_le(rig_ptr(rig, RIG_CODE), 4, INSN_NOP);
    store_le(rig_ptr(rig, RIG_CODE + 4), 4, INSN_LDR_X0_X1);
    rig->cpu->sys[A64_OSLSR_EL1] = 8;
    start(rig, EL1H | 0x3c0);
    rig->cpu->x[1] = 1 | 1 << 13; /* SS, KDE */
    a64_msr(rig->cpu, K(2, 0, 0, 2, 2), 1);
    assert_int_equal(rig->cpu->slow, 0); /* PSTATE.D masks it */
    rig->cpu->sys[A64_SPSR_EL1] = EL1H | 1u << 21;
    rig->cpu->sys[A64_ELR_EL1] = RIG_CODE;
    a64_eret(rig->cpu);
    assert_int_equal(rig->cpu->ss, 1);
    a64_step_one(rig->cpu);
    assert_int_equal(rig->cpu->pc, RIG_CODE + 4);
    a64_step_one(rig->cpu);
    assert_int_equal(esr(rig), ESR(0x33, 1 << 24 | 0x22));
    assert_int_equal(rig->cpu->sys[A64_ELR_EL1], RIG_CODE + 4);
    /* A stepped instruction that faults is to be stepped again. */
    rig->cpu->sys[A64_SPSR_EL1] = EL1H | 1u << 21;
    rig->cpu->x[1] = RIG_UNMAPPED;
    a64_eret(rig->cpu);
    a64_step_one(rig->cpu);
    assert_int_equal(esr(rig) >> 26, 0x25);
    assert_int_equal(rig->cpu->sys[A64_SPSR_EL1] >> 21 & 1, 1);
}

static void test_breakpoint(void **state)
{
    struct cpu_rig *rig = *state;
    store_le(rig_ptr(rig, RIG_CODE), 4, INSN_NOP);
    store_le(rig_ptr(rig, RIG_CODE + 4), 4, INSN_NOP);
    rig->cpu->sys[A64_OSLSR_EL1] = 8;
    rig->cpu->sys[A64_DBGBVR0_EL1 + 2] = RIG_CODE + 4;
    rig->cpu->sys[A64_DBGBCR0_EL1 + 2] = 1 | 1 << 1 | 15 << 5;
    start(rig, EL1H);
    rig->cpu->x[1] = 1 << 15 | 1 << 13; /* MDE, KDE */
    a64_msr(rig->cpu, K(2, 0, 0, 2, 2), 1);
    rig->cpu->pc = RIG_CODE;
    a64_step_one(rig->cpu);
    assert_int_equal(rig->cpu->pc, RIG_CODE + 4);
    a64_step_one(rig->cpu);
    assert_int_equal(esr(rig), ESR(0x31, 0x22));
    assert_int_equal(rig->cpu->sys[A64_ELR_EL1], RIG_CODE + 4);
}

static void test_watchpoint(void **state)
{
    struct cpu_rig *rig = *state;
    uint64_t v;
    rig->cpu->sys[A64_OSLSR_EL1] = 8;
    start(rig, EL1H);
    assert_true(a64_load(rig->cpu, RIG_DATA + 16, 8, 0, &v));
    rig->cpu->x[1] = RIG_DATA + 16;
    a64_msr(rig->cpu, K(2, 0, 0, 0, 6), 1);
    rig->cpu->x[1] = 1 | 1 << 1 | 2 << 3 | 0xf0 << 5; /* EL1, stores, bytes 4 to 7 */
    a64_msr(rig->cpu, K(2, 0, 0, 0, 7), 1);
    rig->cpu->x[1] = 1 << 15 | 1 << 13;
    a64_msr(rig->cpu, K(2, 0, 0, 2, 2), 1);
    assert_true(a64_load(rig->cpu, RIG_DATA + 20, 4, 0, &v));
    assert_true(a64_store(rig->cpu, RIG_DATA + 16, 4, 0, &v));
    assert_true(a64_store(rig->cpu, RIG_DATA + 24, 8, 0, &v));
    assert_false(a64_store(rig->cpu, RIG_DATA + 22, 1, 0, &v));
    assert_int_equal(esr(rig), ESR(0x35, 1 << 6 | 0x22));
    assert_int_equal(rig->cpu->sys[A64_FAR_EL1], RIG_DATA + 22);
}

static struct {
    unsigned ppi;
    bool level;
    uint64_t deadline;
} timer_seen;

static void ppi_line(void *ctx, struct a64_cpu *cpu, unsigned ppi, bool level)
{
    timer_seen.ppi = ppi;
    timer_seen.level = level;
}

static void timer_arm(void *ctx, struct a64_cpu *cpu, uint64_t deadline_ns)
{
    timer_seen.deadline = deadline_ns;
}

static void write_reg(struct cpu_rig *rig, uint16_t key, uint64_t value)
{
    rig->cpu->x[1] = value;
    a64_msr(rig->cpu, key, 1);
}

static uint64_t read_reg(struct cpu_rig *rig, uint16_t key)
{
    a64_mrs(rig->cpu, key, 2);
    return rig->cpu->x[2];
}

static void test_timers(void **state)
{
    struct cpu_rig *rig = *state;
    for (unsigned crm = 2; crm <= 3; crm++) {
        uint16_t tval = (uint16_t)K(3, 3, 14, crm, 0), ctl = (uint16_t)K(3, 3, 14, crm, 1);
        uint16_t cval = (uint16_t)K(3, 3, 14, crm, 2);
        rig->ops.ppi_line = ppi_line;
        rig->ops.timer_arm = timer_arm;
        start(rig, EL1H);
        write_reg(rig, cval, 5); /* long past */
        assert_int_equal(read_reg(rig, ctl), 0);
        write_reg(rig, ctl, 1);
        assert_int_equal(read_reg(rig, ctl), 5);
        assert_true(timer_seen.level);
        assert_int_equal(timer_seen.ppi, crm == 2 ? 30 : 27);
        write_reg(rig, ctl, 3); /* masked: the line drops, ISTATUS stays */
        assert_false(timer_seen.level);
        assert_int_equal(read_reg(rig, ctl), 7);
        write_reg(rig, ctl, 1);
        rig->cpu->timer_armed_ns = UINT64_MAX;
        uint64_t before = clock_now_ns();
        write_reg(rig, tval, A64_COUNTER_HZ); /* in a second */
        assert_false(timer_seen.level);
        assert_in_range(timer_seen.deadline, before + 999000000, before + 2000000000);
        assert_in_range(read_reg(rig, tval), A64_COUNTER_HZ - A64_COUNTER_HZ / 2, A64_COUNTER_HZ);
        write_reg(rig, tval, 0xffffffff); /* -1: past */
        assert_true(timer_seen.level);
        write_reg(rig, ctl, 0);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_entry),           TEST(test_pan_on_entry), TEST(test_illegal_return),
        TEST(test_classes),         TEST(test_interrupts),   TEST(test_el0_traps),
        TEST(test_table_is_sorted), TEST(test_sp_el0),       TEST(test_software_step),
        TEST(test_breakpoint),      TEST(test_watchpoint),   TEST(test_timers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
