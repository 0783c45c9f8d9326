/* gicv3_cpuif.c: the CPU interface, ICC_*_EL1 (IHI 0069 chapter 4 and 12.2).
 *
 * Priorities have 5 bits, all of which count for preemption, so each group has one active
 * priorities register, AP0R0 and AP1R0, with bit p for priority p << 3. The running priority is the
 * highest in either. The CPU is Non-secure with no EL3, so ICC_BPR1_EL1 is the Non-secure register:
 * its value n makes bits [7:n] the group priority, where ICC_BPR0_EL1's makes it bits [7:n+1].
 *
 * SGIs: with one Security state ICC_SGI1R_EL1 reaches SGIs of either group, ICC_SGI0R_EL1 and
 * ICC_ASGI1R_EL1 those of Group 0 only.
 */
#include "core/arm64/sysreg.h"
#include "core/device/gicv3_int.h"

enum {
    CTLR_PRIBITS = (GIC_PRIORITY_BITS - 1) << 8,
    CTLR_A3V = 1 << 15,
    CTLR_RSS = 1 << 18, /* Aff0 up to 255 by the range selector */
    SRE_ALL = 7,        /* SRE, DFB, DIB: system registers only, no bypass */
};

void gic_cpuif_reset(struct gic_cpu *cpu)
{
    cpu->icc_ctlr = 0;
    cpu->pmr = 0;
    cpu->bpr[0] = GIC_BPR0_MIN;
    cpu->bpr[1] = GIC_BPR1_MIN;
    memset(cpu->group_enabled, 0, sizeof(cpu->group_enabled));
    memset(cpu->active_priorities, 0, sizeof(cpu->active_priorities));
}

/* --- priorities --------------------------------------------------------------------------------
 */

uint8_t gic_running_priority(const struct gic_cpu *cpu)
{
    uint32_t active = cpu->active_priorities[0] | cpu->active_priorities[1];
    return active ? (uint8_t)(__builtin_ctz(active) << (8 - GIC_PRIORITY_BITS)) : GIC_PRIORITY_IDLE;
}

static uint8_t group_priority(const struct gic_cpu *cpu, uint8_t priority, unsigned group)
{
    bool common = cpu->icc_ctlr & ICC_CTLR_CBPR;
    unsigned low = group == 0 || common ? cpu->bpr[0] + 1u : cpu->bpr[1];
    return (uint8_t)(priority & (0xffu << low));
}

bool gic_best_preempts(const struct gic_cpu *cpu)
{
    return cpu->best != GIC_INTID_NONE && cpu->best_priority < cpu->pmr &&
           group_priority(cpu, cpu->best_priority, cpu->best_group) < gic_running_priority(cpu);
}

/* --- acknowledge, end, deactivate --------------------------------------------------------------
 */

static uint64_t read_iar(struct gicv3 *gic, struct gic_cpu *cpu, unsigned group)
{
    if (!gic_best_preempts(cpu) || cpu->best_group != group)
        return GIC_INTID_NONE;
    uint32_t intid = cpu->best;
    uint8_t priority = group_priority(cpu, cpu->best_priority, group);
    cpu->active_priorities[group] |= 1u << (priority >> (8 - GIC_PRIORITY_BITS));
    if (intid >= GIC_LPI_BASE) { /* no active state */
        gic_lpi_set(gic, cpu, intid, false);
        return intid;
    }
    unsigned bank = intid / GIC_BANK_IDS;
    struct gic_bank *b = gic_bank_of(gic, cpu, bank);
    b->active |= 1u << intid % GIC_BANK_IDS;
    b->latch &= ~(1u << intid % GIC_BANK_IDS);
    gic_bank_changed(gic, cpu, bank);
    return intid;
}

static void deactivate(struct gicv3 *gic, struct gic_cpu *cpu, uint32_t intid)
{
    unsigned bank = intid / GIC_BANK_IDS;
    if (bank >= gic->banks)
        return;
    gic_bank_of(gic, cpu, bank)->active &= ~(1u << intid % GIC_BANK_IDS);
    gic_bank_changed(gic, cpu, bank);
}

/* Priority drop: the running priority's bit goes, if it is of this group; else the write is for
 * another interrupt than the one that runs and is ignored (4.8.3 asks software to nest). */
static bool drop_priority(struct gic_cpu *cpu, unsigned group)
{
    uint32_t mine = cpu->active_priorities[group], other = cpu->active_priorities[!group];
    if (mine == 0 || (other != 0 && __builtin_ctz(other) < __builtin_ctz(mine)))
        return false;
    cpu->active_priorities[group] &= mine - 1;
    return true;
}

static void write_eoir(struct gicv3 *gic, struct gic_cpu *cpu, unsigned group, uint64_t value)
{
    uint32_t intid = value & 0xffffff;
    if (intid >= GIC_INTID_SPECIAL && intid <= GIC_INTID_NONE)
        return;
    if (!drop_priority(cpu, group))
        return;
    if (!(cpu->icc_ctlr & ICC_CTLR_EOIMODE))
        deactivate(gic, cpu, intid);
    gic_update_lines(gic, cpu);
}

static void write_dir(struct gicv3 *gic, struct gic_cpu *cpu, unsigned group, uint64_t value)
{
    if (cpu->icc_ctlr & ICC_CTLR_EOIMODE) /* else the write has no effect */
        deactivate(gic, cpu, value & 0xffffff);
}

static uint64_t read_hppir(struct gicv3 *gic, struct gic_cpu *cpu, unsigned group)
{
    return cpu->best_group == group ? cpu->best : GIC_INTID_NONE;
}

static uint64_t read_rpr(struct gicv3 *gic, struct gic_cpu *cpu, unsigned group)
{
    return gic_running_priority(cpu);
}

/* --- control -----------------------------------------------------------------------------------
 */

static uint64_t read_pmr(struct gicv3 *gic, struct gic_cpu *cpu, unsigned group)
{
    return cpu->pmr;
}

static void write_pmr(struct gicv3 *gic, struct gic_cpu *cpu, unsigned group, uint64_t value)
{
    cpu->pmr = value & GIC_PRIORITY_MASK;
    gic_update_lines(gic, cpu);
}

static uint64_t read_bpr(struct gicv3 *gic, struct gic_cpu *cpu, unsigned group)
{
    if (group == 1 && (cpu->icc_ctlr & ICC_CTLR_CBPR))
        return cpu->bpr[0] < 7 ? cpu->bpr[0] + 1u : 7;
    return cpu->bpr[group];
}

static void write_bpr(struct gicv3 *gic, struct gic_cpu *cpu, unsigned group, uint64_t value)
{
    if (group == 1 && (cpu->icc_ctlr & ICC_CTLR_CBPR))
        return;
    uint8_t least = group ? GIC_BPR1_MIN : GIC_BPR0_MIN;
    uint8_t bpr = value & 7;
    cpu->bpr[group] = bpr < least ? least : bpr;
    gic_update_lines(gic, cpu);
}

static uint64_t read_apr(struct gicv3 *gic, struct gic_cpu *cpu, unsigned group)
{
    return cpu->active_priorities[group];
}

static void write_apr(struct gicv3 *gic, struct gic_cpu *cpu, unsigned group, uint64_t value)
{
    cpu->active_priorities[group] = (uint32_t)value;
    gic_update_lines(gic, cpu);
}

static uint64_t read_ctlr(struct gicv3 *gic, struct gic_cpu *cpu, unsigned group)
{
    return cpu->icc_ctlr | CTLR_PRIBITS | CTLR_A3V | CTLR_RSS;
}

static void write_ctlr(struct gicv3 *gic, struct gic_cpu *cpu, unsigned group, uint64_t value)
{
    cpu->icc_ctlr = value & (ICC_CTLR_CBPR | ICC_CTLR_EOIMODE);
    gic_update_lines(gic, cpu);
}

static uint64_t read_sre(struct gicv3 *gic, struct gic_cpu *cpu, unsigned group)
{
    return SRE_ALL;
}

static uint64_t read_igrpen(struct gicv3 *gic, struct gic_cpu *cpu, unsigned group)
{
    return cpu->group_enabled[group];
}

static void write_igrpen(struct gicv3 *gic, struct gic_cpu *cpu, unsigned group, uint64_t value)
{
    cpu->group_enabled[group] = value & 1;
    gic_takers_changed(gic);
}

/* --- SGIs --------------------------------------------------------------------------------------
 */

static void make_sgi_pending(struct gicv3 *gic, struct gic_cpu *cpu, unsigned sgi, bool any_group)
{
    if (!any_group && (cpu->own.group >> sgi & 1))
        return;
    cpu->own.latch |= 1u << sgi;
    gic_bank_changed(gic, cpu, 0);
}

/* ICC_SGI1R_EL1, also SGI0R and ASGI1R (`group` 0): Aff3 [55:48], RS [47:44], IRM [40], Aff2
 * [39:32], INTID [27:24], Aff1 [23:16], target list [15:0] of Aff0 values from 16 * RS. */
static void write_sgir(struct gicv3 *gic, struct gic_cpu *sender, unsigned group, uint64_t value)
{
    unsigned sgi = value >> 24 & 15;
    bool all_others = value >> 40 & 1;
    uint32_t cluster = (uint32_t)(value >> 48 & 0xff) << 24 | (uint32_t)(value >> 32 & 0xff) << 16 |
                       (uint32_t)(value >> 16 & 0xff) << 8;
    unsigned first = (value >> 44 & 15) * 16;
    for (unsigned i = 0; i < gic->config.cpus; i++) {
        struct gic_cpu *cpu = &gic->cpus[i];
        unsigned aff0 = cpu->affinity & 0xff;
        bool hit = all_others ? cpu != sender
                              : (cpu->affinity & 0xffffff00) == cluster && aff0 - first < 16 &&
                                    (value >> (aff0 - first) & 1);
        if (hit)
            make_sgi_pending(gic, cpu, sgi, group == 1);
    }
}

/* --- dispatch ----------------------------------------------------------------------------------
 */

struct icc_register {
    uint64_t (*read)(struct gicv3 *gic, struct gic_cpu *cpu, unsigned group);
    void (*write)(struct gicv3 *gic, struct gic_cpu *cpu, unsigned group, uint64_t value);
    unsigned group; /* or whatever else tells registers with the same functions apart */
};

/* All but PMR are at CRn 12, CRm 8..12: the table is indexed by CRm and op2. */
#define FIRST_KEY      A64_SYSREG_KEY(3, 0, 12, 8, 0)
#define PMR_KEY        A64_SYSREG_KEY(3, 0, 4, 6, 0)
#define SLOT(crm, op2) (A64_SYSREG_KEY(3, 0, 12, crm, op2) - FIRST_KEY)

static const struct icc_register pmr_register = {read_pmr, write_pmr, 0};
static const struct icc_register icc_registers[] = {
    [SLOT(8, 0)] = {read_iar, NULL, 0},             /* ICC_IAR0_EL1 */
    [SLOT(8, 1)] = {NULL, write_eoir, 0},           /* ICC_EOIR0_EL1 */
    [SLOT(8, 2)] = {read_hppir, NULL, 0},           /* ICC_HPPIR0_EL1 */
    [SLOT(8, 3)] = {read_bpr, write_bpr, 0},        /* ICC_BPR0_EL1 */
    [SLOT(8, 4)] = {read_apr, write_apr, 0},        /* ICC_AP0R0_EL1 */
    [SLOT(9, 0)] = {read_apr, write_apr, 1},        /* ICC_AP1R0_EL1 */
    [SLOT(11, 1)] = {NULL, write_dir, 0},           /* ICC_DIR_EL1 */
    [SLOT(11, 3)] = {read_rpr, NULL, 0},            /* ICC_RPR_EL1 */
    [SLOT(11, 5)] = {NULL, write_sgir, 1},          /* ICC_SGI1R_EL1 */
    [SLOT(11, 6)] = {NULL, write_sgir, 0},          /* ICC_ASGI1R_EL1 */
    [SLOT(11, 7)] = {NULL, write_sgir, 0},          /* ICC_SGI0R_EL1 */
    [SLOT(12, 0)] = {read_iar, NULL, 1},            /* ICC_IAR1_EL1 */
    [SLOT(12, 1)] = {NULL, write_eoir, 1},          /* ICC_EOIR1_EL1 */
    [SLOT(12, 2)] = {read_hppir, NULL, 1},          /* ICC_HPPIR1_EL1 */
    [SLOT(12, 3)] = {read_bpr, write_bpr, 1},       /* ICC_BPR1_EL1 */
    [SLOT(12, 4)] = {read_ctlr, write_ctlr, 0},     /* ICC_CTLR_EL1 */
    [SLOT(12, 5)] = {read_sre, NULL, 0},            /* ICC_SRE_EL1 */
    [SLOT(12, 6)] = {read_igrpen, write_igrpen, 0}, /* ICC_IGRPEN0_EL1 */
    [SLOT(12, 7)] = {read_igrpen, write_igrpen, 1}, /* ICC_IGRPEN1_EL1 */
};

static const struct icc_register *find_register(uint16_t key)
{
    unsigned slot = (unsigned)key - FIRST_KEY;
    if (slot < ARRAY_SIZE(icc_registers))
        return &icc_registers[slot];
    return key == PMR_KEY ? &pmr_register : NULL;
}

uint64_t gicv3_icc_read(void *ctx, unsigned cpu_index, uint16_t key)
{
    struct gicv3 *gic = ctx;
    const struct icc_register *r = find_register(key);
    if (!r || !r->read)
        return 0;
    assert(cpu_index < gic->config.cpus);
    pthread_mutex_lock(&gic->lock);
    uint64_t v = r->read(gic, &gic->cpus[cpu_index], r->group);
    pthread_mutex_unlock(&gic->lock);
    return v;
}

void gicv3_icc_write(void *ctx, unsigned cpu_index, uint16_t key, uint64_t value)
{
    struct gicv3 *gic = ctx;
    const struct icc_register *r = find_register(key);
    if (!r || !r->write)
        return;
    assert(cpu_index < gic->config.cpus);
    pthread_mutex_lock(&gic->lock);
    r->write(gic, &gic->cpus[cpu_index], r->group, value);
    pthread_mutex_unlock(&gic->lock);
}

void gicv3_deactivate(struct gicv3 *gic, unsigned cpu_index, unsigned intid)
{
    assert(cpu_index < gic->config.cpus);
    pthread_mutex_lock(&gic->lock);
    deactivate(gic, &gic->cpus[cpu_index], intid);
    pthread_mutex_unlock(&gic->lock);
}
