/* cpu_rig.c: see cpu_rig.h. Three levels of tables (39-bit addresses) lie at RIG_BASE. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "core/arm64/sysreg.h"
#include "cpu_rig.h"

enum {
    RAM_BYTES = 0x100000,
    /* Descriptors (DDI 0487 D8.3). */
    DESC_TABLE = 3,
    DESC_PAGE = 3,
    DESC_AF = 1 << 10,
    DESC_SHARED = 3 << 8,
    DESC_USER = 1 << 6,
    DESC_READONLY = 1 << 7,
};

void *rig_ptr(struct cpu_rig *rig, uint64_t address)
{
    void *at = guestmem_ptr(&rig->mem, address, 1, true);
    assert_non_null(at);
    return at;
}

static bool no_mmio_read(void *ctx, uint64_t address, unsigned size_bytes, uint64_t *value)
{
    return false;
}

static bool no_mmio_write(void *ctx, uint64_t address, unsigned size_bytes, uint64_t value)
{
    return false;
}

static bool no_hypercall(void *ctx, struct a64_cpu *cpu, bool smc)
{
    return false;
}

static void no_ppi_line(void *ctx, struct a64_cpu *cpu, unsigned ppi, bool level)
{
}

static void no_timer_arm(void *ctx, struct a64_cpu *cpu, uint64_t deadline_ns)
{
}

static uint64_t page_of(uint64_t address)
{
    uint64_t attributes = DESC_PAGE | DESC_AF | DESC_SHARED;
    if (address == RIG_UNMAPPED)
        return 0;
    if (address == RIG_READONLY)
        attributes |= DESC_READONLY;
    if (address == RIG_USER)
        attributes |= DESC_USER;
    return address | attributes;
}

static void write_tables(struct cpu_rig *rig)
{
    uint64_t *level1 = rig_ptr(rig, RIG_BASE), *level2 = level1 + 512, *level3 = level2 + 512;
    level1[RIG_BASE >> 30] = (RIG_BASE + 0x1000) | DESC_TABLE;
    level2[0] = (RIG_BASE + 0x2000) | DESC_TABLE;
    for (unsigned i = 0; i < RAM_BYTES / 4096; i++)
        level3[i] = page_of(RIG_BASE + i * 4096ull);
}

static void turn_mmu_on(struct a64_cpu *cpu)
{
    cpu->sys[A64_TTBR0_EL1] = RIG_BASE;
    cpu->sys[A64_MAIR_EL1] = 0xff;         /* attribute 0: normal, write-back */
    cpu->sys[A64_TCR_EL1] = 25 | 1u << 23; /* T0SZ 25, 4 KiB granule, EPD1 */
    cpu->sys[A64_SCTLR_EL1] |= 1;
    cpu->sys[A64_CPACR_EL1] = 3u << 20;
    cpu->sys[A64_VBAR_EL1] = RIG_VECTORS;
    a64_tlb_flush_all(cpu);
    a64_select_bank(cpu);
}

static int setup(void **state, const char *model)
{
    struct err e = {0};
    struct cpu_rig *rig = calloc(1, sizeof(*rig));
    assert_non_null(rig);
    guestmem_init(&rig->mem, (struct guestmem_mmio){.read = no_mmio_read, .write = no_mmio_write});
    if (guestmem_add_ram(&rig->mem, RIG_BASE, RAM_BYTES, false, &e))
        fail_msg("%s", e.text);
    write_tables(rig);
    rig->ops = (struct a64_host_ops){
        .hypercall = no_hypercall, .ppi_line = no_ppi_line, .timer_arm = no_timer_arm};
    rig->system = (struct a64_system){.mem = &rig->mem, .ops = &rig->ops};
    for (unsigned i = 0; i < RIG_CPUS; i++) {
        if (a64_cpu_new(&rig->system, i, a64_model_find(model), &rig->system.cpus[i], &e))
            fail_msg("%s", e.text);
        rig->system.cpu_count = i + 1;
        a64_cpu_reset(rig->system.cpus[i], RIG_CODE, 0);
        turn_mmu_on(rig->system.cpus[i]);
    }
    rig->cpu = rig->system.cpus[0];
    *state = rig;
    return 0;
}

int rig_setup(void **state)
{
    return setup(state, "kunpeng-920");
}

int rig_setup_916(void **state)
{
    return setup(state, "kunpeng-916");
}

int rig_teardown(void **state)
{
    struct cpu_rig *rig = *state;
    for (unsigned i = 0; i < rig->system.cpu_count; i++)
        a64_cpu_free(rig->system.cpus[i]);
    guestmem_done(&rig->mem);
    free(rig);
    return 0;
}

enum a64_step rig_step_on(struct cpu_rig *rig, struct a64_cpu *cpu, uint32_t word)
{
    store_le(rig_ptr(rig, RIG_CODE), 4, word);
    cpu->pc = RIG_CODE;
    return a64_step_one(cpu);
}

enum a64_step rig_step(struct cpu_rig *rig, uint32_t word)
{
    return rig_step_on(rig, rig->cpu, word);
}

void rig_assert_class(struct cpu_rig *rig, unsigned class)
{
    struct a64_cpu *cpu = rig->cpu;
    assert_int_equal(cpu->pc & ~0x7ffull, RIG_VECTORS);
    assert_int_equal(cpu->sys[A64_ESR_EL1] >> 26, class);
    assert_int_equal(cpu->sys[A64_ELR_EL1], RIG_CODE);
}

void rig_assert_abort(struct cpu_rig *rig, uint64_t address, bool write, unsigned status)
{
    rig_assert_class(rig, 0x25); /* data abort at the same EL */
    uint64_t esr = rig->cpu->sys[A64_ESR_EL1];
    assert_int_equal(rig->cpu->sys[A64_FAR_EL1], address);
    assert_int_equal(esr >> 6 & 1, write);
    assert_int_equal(esr & 0x3f, status);
}
