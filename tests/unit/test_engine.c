/* test_engine.c: the engine shell: running, stopping, power, interrupts while halted, registers by
 * id, breakpoints and single step, on small programs with the MMU off.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <pthread.h>
#include <string.h>
#include <cmocka.h>

#include "core/arm64/sysreg.h"
#include "core/engine/engine.h"
#include "core/engine/soft.h"

#define RAM 0x40000000ull

enum { CPUS = 2 };

struct rig {
    const struct engine_ops *ops;
    struct guestmem mem;
    struct engine *engine;
};

static struct {
    uint64_t args[8];
    unsigned vcpu;
    bool smc;
} called;

/* X0 = 1: power the other CPU on at X1 with X2; 2: power off; 3: stop this CPU's run. */
static bool hypercall(void *ctx, struct vcpu *vcpu, bool smc, uint64_t args[8])
{
    struct rig *rig = ctx;
    memcpy(called.args, args, sizeof(called.args));
    called.vcpu = soft_vcpu_index(vcpu);
    called.smc = smc;
    switch (args[0]) {
    case 1:
        rig->ops->power_on(rig->ops->vcpu(rig->engine, 1), args[1], args[2]);
        args[0] = 0;
        return true;
    case 2:
        rig->ops->power_off(vcpu);
        return true;
    case 3:
        rig->ops->request_stop(vcpu);
        args[0] = 99;
        return true;
    default:
        return false;
    }
}

static int setup(void **state)
{
    static struct rig rig;
    struct err e = {0};
    memset(&rig, 0, sizeof(rig));
    rig.ops = engine_find("interpreter");
    assert_non_null(rig.ops);
    guestmem_init(&rig.mem, (struct guestmem_mmio){0});
    assert_int_equal(guestmem_add_ram(&rig.mem, RAM, 0x10000, false, &e), 0);
    const struct engine_config config = {
        .vcpus = CPUS,
        .mem = &rig.mem,
        .host = {.ctx = &rig, .hypercall = hypercall},
    };
    if (rig.ops->create(&config, &rig.engine, &e) < 0)
        fail_msg("%s", e.text);
    *state = &rig;
    return 0;
}

static int teardown(void **state)
{
    struct rig *rig = *state;
    rig->ops->free(rig->engine);
    guestmem_done(&rig->mem);
    return 0;
}

static void load(struct rig *rig, uint64_t at, const uint32_t *code, size_t size_bytes)
{
    assert_true(guestmem_write(&rig->mem, at, code, size_bytes));
    rig->ops->code_changed(rig->engine);
}

static uint64_t reg(struct rig *rig, unsigned vcpu, uint64_t id)
{
    uint64_t v = 0;
    assert_int_equal(rig->ops->get_reg(rig->ops->vcpu(rig->engine, vcpu), id, &v), 0);
    return v;
}

/* add x3, x3, #1; mov x0, #3; hvc #0; b . */
static const uint32_t add_and_stop[] = {0x91000463, 0xd2800060, 0xd4000002, 0x14000000};

static void test_run_and_stop(void **state)
{
    struct rig *rig = *state;
    struct vcpu *vcpu = rig->ops->vcpu(rig->engine, 0);
    load(rig, RAM, add_and_stop, sizeof(add_and_stop));
    rig->ops->reset(rig->engine, &(struct engine_start){.pc = RAM, .argument = 0x1234});
    assert_true(rig->ops->is_on(vcpu));
    assert_false(rig->ops->is_on(rig->ops->vcpu(rig->engine, 1)));
    assert_null(rig->ops->vcpu(rig->engine, CPUS));
    assert_int_equal(rig->ops->run(vcpu, NULL), VCPU_STOP_REQUESTED);
    assert_int_equal(reg(rig, 0, ENGINE_REG_X(3)), 1);
    assert_int_equal(reg(rig, 0, ENGINE_REG_X(0)), 99);
    assert_int_equal(reg(rig, 0, ENGINE_REG_PC), RAM + 12);
    assert_false(called.smc);
}

static void *run_vcpu(void *arg)
{
    struct rig *rig = arg;
    rig->ops->run(rig->ops->vcpu(rig->engine, 1), NULL);
    return NULL;
}

/* The first CPU turns the second on; the second adds to what it was given, and stops. */
static void test_power(void **state)
{
    struct rig *rig = *state;
    /* mov x0, #1; mov x1, #0x40001000; mov x2, #7; hvc #0; mov x0, #3; hvc #0; b . */
    static const uint32_t starter[] = {0xd2800020, 0xd2820001, 0xf2a80001, 0xd28000e2,
                                       0xd4000002, 0xd2800060, 0xd4000002, 0x14000000};
    /* mov x3, x0; then as above */
    static const uint32_t second[] = {0xaa0003e3, 0x91000463, 0xd2800060, 0xd4000002, 0x14000000};
    pthread_t thread;
    load(rig, RAM, starter, sizeof(starter));
    load(rig, RAM + 0x1000, second, sizeof(second));
    rig->ops->reset(rig->engine, &(struct engine_start){.pc = RAM, .argument = 0});
    assert_int_equal(pthread_create(&thread, NULL, run_vcpu, rig), 0);
    assert_int_equal(rig->ops->run(rig->ops->vcpu(rig->engine, 0), NULL), VCPU_STOP_REQUESTED);
    pthread_join(thread, NULL);
    assert_int_equal(reg(rig, 1, ENGINE_REG_X(3)), 8);
    assert_int_equal(reg(rig, 1, ENGINE_REG_SYS(A64_SYSREG_KEY(3, 0, 0, 0, 5))), 1u << 31 | 1);
}

/* WFI sleeps until a line rises; the interrupt is taken at once when it is not masked. */
static void test_halt(void **state)
{
    struct rig *rig = *state;
    struct vcpu *vcpu = rig->ops->vcpu(rig->engine, 1);
    /* msr vbar_el1, x0; msr daifclr, #2; wfi; b . */
    static const uint32_t waiter[] = {0xd518c000, 0xd50342ff, 0xd503207f, 0x14000000};
    pthread_t thread;
    load(rig, RAM, waiter, sizeof(waiter));
    load(rig, RAM + 0x1000 + 0x280, add_and_stop, sizeof(add_and_stop));
    rig->ops->reset(rig->engine, &(struct engine_start){.pc = RAM, .argument = 0});
    rig->ops->power_on(vcpu, RAM, RAM + 0x1000);
    assert_int_equal(pthread_create(&thread, NULL, run_vcpu, rig), 0);
    rig->ops->set_line(vcpu, VCPU_LINE_IRQ, true);
    pthread_join(thread, NULL);
    rig->ops->set_line(vcpu, VCPU_LINE_IRQ, false);
    assert_int_equal(reg(rig, 1, ENGINE_REG_X(3)), 1);
    assert_in_range(reg(rig, 1, ENGINE_REG_ELR_EL1), RAM + 8, RAM + 12);
}

static void test_debugger(void **state)
{
    struct rig *rig = *state;
    struct vcpu *vcpu = rig->ops->vcpu(rig->engine, 0);
    load(rig, RAM, add_and_stop, sizeof(add_and_stop));
    rig->ops->reset(rig->engine, &(struct engine_start){.pc = RAM, .argument = 0});
    assert_int_equal(rig->ops->debug_break(rig->engine, RAM + 4, true), 0);
    assert_int_equal(rig->ops->run(vcpu, NULL), VCPU_STOP_DEBUG);
    assert_int_equal(reg(rig, 0, ENGINE_REG_PC), RAM + 4);
    rig->ops->debug_step(vcpu, true);
    assert_int_equal(rig->ops->run(vcpu, NULL), VCPU_STOP_DEBUG);
    assert_int_equal(reg(rig, 0, ENGINE_REG_PC), RAM + 8);
    assert_int_equal(reg(rig, 0, ENGINE_REG_X(0)), 3);
    rig->ops->debug_step(vcpu, false);
    assert_int_equal(rig->ops->debug_break(rig->engine, RAM + 4, false), 0);
    assert_int_not_equal(rig->ops->debug_break(rig->engine, RAM + 4, false), 0);
    assert_int_equal(rig->ops->run(vcpu, NULL), VCPU_STOP_REQUESTED);
    uint32_t word;
    assert_true(rig->ops->debug_access(vcpu, RAM, &word, sizeof(word), false));
    assert_int_equal(word, add_and_stop[0]);
    assert_false(rig->ops->debug_access(vcpu, RAM + 0x10000, &word, sizeof(word), false));
}

static void test_registers(void **state)
{
    struct rig *rig = *state;
    struct vcpu *vcpu = rig->ops->vcpu(rig->engine, 0);
    const uint64_t ids[] = {ENGINE_REG_X(0),
                            ENGINE_REG_X(30),
                            ENGINE_REG_SP_EL0,
                            ENGINE_REG_SP_EL1,
                            ENGINE_REG_PC,
                            ENGINE_REG_ELR_EL1,
                            ENGINE_REG_SYS(A64_SYSREG_KEY(3, 3, 13, 0, 2))};
    rig->ops->reset(rig->engine, &(struct engine_start){.pc = RAM, .argument = 0});
    for (unsigned i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        uint64_t v = 0x1000 + i;
        assert_int_equal(rig->ops->set_reg(vcpu, ids[i], &v), 0);
    }
    for (unsigned i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
        assert_int_equal(reg(rig, 0, ids[i]), 0x1000 + i);
    uint64_t pair[2] = {1, 2}, back[2];
    assert_int_equal(rig->ops->set_reg(vcpu, ENGINE_REG_V(31), pair), 0);
    assert_int_equal(rig->ops->get_reg(vcpu, ENGINE_REG_V(31), back), 0);
    assert_memory_equal(pair, back, sizeof(pair));
    uint64_t pstate = 0x600003c4; /* EL1t */
    assert_int_equal(rig->ops->set_reg(vcpu, ENGINE_REG_PSTATE, &pstate), 0);
    assert_int_equal(reg(rig, 0, ENGINE_REG_PSTATE), pstate);
    assert_int_equal(reg(rig, 0, ENGINE_REG_SP_EL0), 0x1002);
    /* Wrong size, unknown, read-only. */
    assert_int_not_equal(rig->ops->get_reg(vcpu, ENGINE_REG_X(1) ^ (1ull << 52), back), 0);
    assert_int_not_equal(
        rig->ops->get_reg(vcpu, ENGINE_REG_SYS(A64_SYSREG_KEY(3, 3, 9, 12, 0)), back), 0);
    assert_int_not_equal(
        rig->ops->set_reg(vcpu, ENGINE_REG_SYS(A64_SYSREG_KEY(3, 0, 0, 0, 0)), back), 0);
}

static void test_bad_configurations(void **state)
{
    struct rig *rig = *state;
    struct engine *engine;
    struct err e = {0};
    struct engine_config config = {.vcpus = 1, .mem = &rig->mem, .cpu_model = "pentium"};
    assert_true(rig->ops->create(&config, &engine, &e) < 0);
    assert_string_equal(e.text, "unknown CPU model 'pentium'");
    config = (struct engine_config){.vcpus = 65, .mem = &rig->mem};
    assert_true(rig->ops->create(&config, &engine, &e) < 0);
    assert_null(engine_find("none"));
}

/* Whatever this host can, an engine is chosen that runs such guests, and a reason given where it is
 * not the first of them. */
static void test_choice(void **state)
{
    struct err why;
    const struct engine_ops *engine = engine_choose("arm64", &why);
    assert_non_null(engine);
    assert_string_equal(engine->arch, "arm64");
    engine = engine_choose("x86_64", &why);
    if (engine)
        assert_string_equal(engine->arch, "x86_64");
    else
        assert_true(why.code < 0 && why.text[0]);
    assert_null(engine_choose("vax", &why));
    assert_true(why.code < 0 && why.text[0]);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_run_and_stop), TEST(test_power),     TEST(test_halt),
        TEST(test_debugger),     TEST(test_registers), TEST(test_bad_configurations),
        TEST(test_choice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
