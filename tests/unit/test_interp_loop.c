/* test_interp_loop.c: the interpreter's loop: its limit, interrupts, halts and stops, the cache of
 * decoded instructions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "cpu_rig.h"

#define IRQ_VECTOR (RIG_VECTORS + 0x280) /* current EL with SPx */

static void put(struct cpu_rig *rig, uint64_t address, const uint32_t *words, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        store_le(rig_ptr(rig, address + i * 4), 4, words[i]);
}

static void test_limit(void **state)
{
    struct cpu_rig *rig = *state;
    const uint32_t loop[] = {0x91000400 /* add x0, x0, #1 */, 0x17ffffff /* b .-4 */};
    put(rig, RIG_CODE, loop, ARRAY_SIZE(loop));
    rig->cpu->pc = RIG_CODE;
    rig->cpu->x[0] = 0;
    a64_interpret(rig->cpu, 7);
    assert_true(rig->cpu->x[0] == 4 && rig->cpu->pc == RIG_CODE + 4);
    assert_int_equal(rig->cpu->instructions, 7);
    a64_interpret(rig->cpu, 1);
    assert_true(rig->cpu->x[0] == 4 && rig->cpu->pc == RIG_CODE);
}

/* A line that is up is taken before the next instruction, if PSTATE.I allows; clearing PSTATE.I
 * lets one in that waited. */
static void test_interrupts(void **state)
{
    struct cpu_rig *rig = *state;
    struct a64_cpu *cpu = rig->cpu;
    const uint32_t code[] = {0xd503201f /* nop */, 0xd503201f /* nop */,
                             0xd50342ff /* msr daifclr, #2 */, 0xd503201f /* nop */};
    const uint32_t handler[] = {0xd5384021 /* mrs x1, elr_el1 */, 0x14000000 /* b . */};
    put(rig, RIG_CODE, code, ARRAY_SIZE(code));
    put(rig, IRQ_VECTOR, handler, ARRAY_SIZE(handler));
    cpu->pc = RIG_CODE;
    a64_set_line(cpu, A64_LINE_IRQ, true);
    a64_interpret(cpu, 2); /* masked since reset */
    assert_int_equal(cpu->pc, RIG_CODE + 8);
    a64_interpret(cpu, 3); /* MSR, then in the handler: MRS, B */
    assert_int_equal(cpu->pc, IRQ_VECTOR + 4);
    assert_int_equal(cpu->x[1], RIG_CODE + 12);
    assert_int_equal(cpu->daif, 15);
    a64_set_line(cpu, A64_LINE_IRQ, false);
    cpu->daif = 0;
    cpu->pc = RIG_CODE;
    a64_interpret(cpu, 1);
    assert_int_equal(cpu->pc, RIG_CODE + 4);
    a64_set_line(cpu, A64_LINE_IRQ, true);
    a64_interpret(cpu, 1);
    assert_int_equal(cpu->pc, IRQ_VECTOR + 4);
}

static void test_halt_and_stop(void **state)
{
    struct cpu_rig *rig = *state;
    struct a64_cpu *cpu = rig->cpu;
    const uint32_t code[] = {0xd503207f /* wfi */, 0x14000000 /* b . */};
    put(rig, RIG_CODE, code, ARRAY_SIZE(code));
    cpu->pc = RIG_CODE;
    a64_interpret(cpu, UINT64_MAX); /* returns, for WFI has nothing to wait for here */
    assert_true(cpu->halted && cpu->pc == RIG_CODE + 4);
    cpu->halted = false;
    a64_request_stop(cpu);
    a64_interpret(cpu, UINT64_MAX);
    assert_int_equal(cpu->pc, RIG_CODE + 4);
}

/* Code that changes at one address, and words that share a cache line of the decoder's. */
static void test_changed_code(void **state)
{
    struct cpu_rig *rig = *state;
    for (unsigned i = 0; i < 20000; i++) {
        rig->cpu->x[1] = i;
        rig_step(rig, 0x91000020 | (i & 0xfff) << 10); /* add x0, x1, #i */
        assert_int_equal(rig->cpu->x[0], i + (i & 0xfff));
    }
    rig_step(rig, 0); /* the word that an empty entry has, too, is undefined */
    rig_assert_class(rig, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_limit, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_interrupts, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_halt_and_stop, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_changed_code, rig_setup, rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
