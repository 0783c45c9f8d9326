/* test_kvm_arm64.c: the whole state of a KVM machine on arm64, its GICv3 and ITS with it, taken out
 * of one machine and put into another that goes on with it; watchpoints and steps. It wants a host
 * with VHE: tests/e2e/kvm_lab.py runs it in an emulated one. Skipped, and says why, where there is
 * no KVM.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/arm64/sysreg.h"
#include "core/engine/engine.h"

enum { RAM_BYTES = 1 << 20, REGS_MAX = 8192, CPUS = 2, SPIS = 96, SPI = 40, TOLD_MAX = 8 };
#define RAM     0x40000000ull
#define DEVICE  0x0a000000ull
#define WATCHED (RAM + 0x800)

extern const uint8_t guest_saved[], guest_saved_end[];

struct rig {
    const struct engine_ops *ops;
    struct guestmem mem;
    struct engine *engine;
    struct vcpu *vcpu;
    uint64_t told[TOLD_MAX]; /* by the device's word */
};

static bool mmio_read(void *ctx, uint64_t address, unsigned size_bytes, uint64_t *value)
{
    return false;
}

static bool mmio_write(void *ctx, uint64_t address, unsigned size_bytes, uint64_t value)
{
    struct rig *rig = ctx;
    if (address == DEVICE)
        rig->ops->request_stop(rig->vcpu);
    else if (address - DEVICE < TOLD_MAX * 4)
        rig->told[(address - DEVICE) / 4] = value;
    return true;
}

static struct rig *rig_new(void)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    struct err e = {0};
    assert_non_null(rig);
    rig->ops = engine_find("kvm");
    guestmem_init(&rig->mem, (struct guestmem_mmio){rig, mmio_read, mmio_write});
    assert_int_equal(guestmem_add_ram(&rig->mem, RAM, RAM_BYTES, false, &e), 0);
    const struct engine_config config = {
        .vcpus = CPUS,
        .mem = &rig->mem,
        .host = {.ctx = rig, .gic = {0x08000000, 0x080a0000, 0x08080000, SPIS}},
    };
    if (rig->ops->create(&config, &rig->engine, &e) < 0)
        fail_msg("%s", e.text);
    rig->vcpu = rig->ops->vcpu(rig->engine, 0);
    assert_true(
        guestmem_write(&rig->mem, RAM, guest_saved, (size_t)(guest_saved_end - guest_saved)));
    rig->ops->reset(rig->engine, &(struct engine_start){.pc = RAM});
    return rig;
}

static void rig_free(struct rig *rig)
{
    rig->ops->free(rig->engine);
    guestmem_done(&rig->mem);
    free(rig);
}

#define RUN(rig, wanted) run_at(rig, wanted, __LINE__)
static void run_at(struct rig *rig, enum vcpu_stop wanted, int line)
{
    struct err e = {0};
    enum vcpu_stop stop = rig->ops->run(rig->vcpu, &e);
    if (stop == VCPU_STOP_FAILED)
        fail_msg("%s", e.text);
    if (stop != wanted)
        fail_msg("line %d: stop %d", line, stop);
}

static void set32(struct rig *rig, uint64_t id, uint32_t value)
{
    if (rig->ops->set_reg(rig->vcpu, id, &value) < 0)
        fail_msg("register 0x%llx", (unsigned long long)id);
}

struct saved {
    unsigned counts[CPUS];
    uint64_t ids[CPUS][REGS_MAX];
    uint8_t values[CPUS][REGS_MAX][16];
};

static void save(struct rig *rig, struct saved *saved)
{
    for (unsigned n = 0; n < CPUS; n++) {
        struct vcpu *vcpu = rig->ops->vcpu(rig->engine, n);
        unsigned count = rig->ops->list_regs(vcpu, saved->ids[n], REGS_MAX);
        assert_in_range(count, 100, REGS_MAX);
        saved->counts[n] = count;
        for (unsigned i = 0; i < count; i++) {
            assert_in_range(engine_reg_bytes(saved->ids[n][i]), 1, 16);
            if (rig->ops->get_reg(vcpu, saved->ids[n][i], saved->values[n][i]) < 0)
                fail_msg("register 0x%llx", (unsigned long long)saved->ids[n][i]);
        }
    }
}

/* Registers of the kernel's that have one value only may refuse it; the controllers' must not. */
static void restore(struct rig *rig, const struct saved *saved)
{
    for (unsigned n = 0; n < CPUS; n++)
        for (unsigned i = 0; i < saved->counts[n]; i++) {
            uint64_t id = saved->ids[n][i];
            int rc = rig->ops->set_reg(rig->ops->vcpu(rig->engine, n), id, saved->values[n][i]);
            if (rc < 0 && id >> 32 & 0xff)
                fail_msg("register 0x%llx: %d", (unsigned long long)id, rc);
        }
}

/* All but what counts on. */
static void same_controllers(const struct saved *a, const struct saved *b)
{
    for (unsigned n = 0; n < CPUS; n++) {
        assert_int_equal(a->counts[n], b->counts[n]);
        for (unsigned i = 0; i < a->counts[n]; i++) {
            uint64_t id = a->ids[n][i];
            assert_true(id == b->ids[n][i]);
            if (id >> 32 & 0xff && memcmp(a->values[n][i], b->values[n][i], 16) != 0)
                fail_msg("register 0x%llx differs", (unsigned long long)id);
        }
    }
}

static void the_whole_state_moves(void **state)
{
    static struct saved saved, again;
    struct rig *from = rig_new(), *to = rig_new();
    const unsigned word = SPI / 32 * 4;
    (void)state;
    set32(from, ENGINE_REG_GICD(0), 0x12); /* CTLR: ARE, group 1 */
    set32(from, ENGINE_REG_GICD(0x0080 + word), 1u << SPI % 32);
    set32(from, ENGINE_REG_GICD(0x0100 + word), 1u << SPI % 32 | 2);
    set32(from, ENGINE_REG_GICD(0x0100 + word), 1u << SPI % 32); /* sets all, takes one back */
    set32(from, ENGINE_REG_GICD(0x0400 + SPI), 0x60504020);
    set32(from, ENGINE_REG_GICR(0x10400), 0xa0b0c0d0);
    RUN(from, VCPU_STOP_REQUESTED);
    from->ops->irqchip->set_line(from->engine, SPI - 32, true);
    save(from, &saved);
    restore(from, &saved); /* which takes reserved bits of the ITS's power-on state away */
    save(from, &saved);
    restore(to, &saved);
    save(to, &again);
    same_controllers(&saved, &again);
    RUN(to, VCPU_STOP_REQUESTED);
    assert_int_equal(to->told[1], SPI);
    assert_int_equal(to->told[2], 0x1234);
    assert_int_equal(to->told[3], 0x1234);
    uint32_t enabled = 0;
    assert_int_equal(to->ops->get_reg(to->vcpu, ENGINE_REG_GICD(0x0100 + word), &enabled), 0);
    assert_int_equal(enabled, 1u << SPI % 32);
    rig_free(from);
    rig_free(to);
}

static void watchpoints_and_steps(void **state)
{
    struct rig *rig = rig_new();
    uint64_t pc = 0, va = 0;
    (void)state;
    rig->ops->debug_step(rig->vcpu, true);
    for (unsigned i = 1; i <= 3; i++) {
        RUN(rig, VCPU_STOP_DEBUG);
        assert_int_equal(rig->ops->get_reg(rig->vcpu, ENGINE_REG_PC, &pc), 0);
        assert_int_equal(pc, RAM + 4 * i);
        assert_false(rig->ops->debug_watched(rig->vcpu, &va));
    }
    rig->ops->debug_step(rig->vcpu, false);
    assert_int_equal(rig->ops->debug_watch(rig->engine, ENGINE_WATCH_WRITE, WATCHED, 4, true), 0);
    assert_int_equal(rig->ops->debug_break(rig->engine, RAM + 24, true), 0);
    RUN(rig, VCPU_STOP_DEBUG);
    assert_int_equal(rig->ops->get_reg(rig->vcpu, ENGINE_REG_PC, &pc), 0);
    assert_int_equal(pc, RAM + 24);
    assert_int_equal(rig->ops->debug_break(rig->engine, RAM + 24, false), 0);
    RUN(rig, VCPU_STOP_REQUESTED);
    RUN(rig, VCPU_STOP_DEBUG);
    assert_true(rig->ops->debug_watched(rig->vcpu, &va));
    assert_int_equal(va, WATCHED);
    assert_int_equal(rig->ops->debug_watch(rig->engine, ENGINE_WATCH_WRITE, WATCHED, 4, false), 0);
    RUN(rig, VCPU_STOP_REQUESTED);
    rig_free(rig);
}

int main(void)
{
    struct err e = {0};
    const struct engine_ops *kvm = engine_find("kvm");
    if (!kvm || kvm->usable(&e) < 0) {
        printf("skipped: %s\n", kvm ? e.text : "this build has no KVM engine");
        return 77; /* meson's "skipped" */
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_whole_state_moves),
        cmocka_unit_test(watchpoints_and_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
