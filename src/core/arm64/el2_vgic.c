/* el2_vgic.c: the virtual CPU interface of a GICv3: what EL1 sees of ICC_*_EL1 while HCR_EL2 routes
 * interrupts to EL2, and the ICH_*_EL2 registers behind it (IHI 0069 chapter 6, 12.3, 12.4).
 *
 * All of it is one CPU's own, so it lies with the CPU, not with the interrupt controller, and takes
 * no lock. A list register's interrupt is pending (1), active (2) or both (3); the best pending one
 * drives the virtual line. One whose HW bit is set deactivates a physical interrupt with itself.
 *
 * Priorities are as the physical interface has them: 5 bits, all of which preempt.
 */
#include "core/arm64/el2.h"

#include "base/bytes.h"

enum {
    NONE = 1023, /* INTID */
    SPECIAL = 1020,
    FIRST_LPI = 8192,
    PRIORITY_BITS = 5,
    PRIORITY_SHIFT = 8 - PRIORITY_BITS,
    PRIORITY_MASK = 0xf8,
    IDLE = 0xff,
    BPR0_MIN = 7 - PRIORITY_BITS,
    BPR1_MIN = BPR0_MIN + 1,
    PPI_MAINTENANCE = 25,
};

/* ICH_LR<n>_EL2 */
#define LR_PENDING (1ull << 62)
#define LR_ACTIVE  (1ull << 63)
#define LR_STATE   (3ull << 62)
#define LR_HW      (1ull << 61)
#define LR_EOI     (1ull << 41) /* without HW */
#define LR_KEPT    0xf0ff1fffffffffffull

/* ICH_HCR_EL2 */
enum {
    HCR_EN = 1 << 0,
    HCR_UIE = 1 << 1,
    HCR_LRENPIE = 1 << 2,
    HCR_NPIE = 1 << 3,
    HCR_VGRP_IE = 4, /* first of four bits: 0 enabled, 0 disabled, 1 enabled, 1 disabled */
    HCR_TC = 1 << 10,
    HCR_TALL0 = 1 << 11,
    HCR_TALL1 = 1 << 12,
    HCR_TDIR = 1 << 14,
    HCR_EOICOUNT = 27,
};
#define HCR_KEPT 0xf8007cffu

/* ICH_VMCR_EL2 */
enum {
    VMCR_ENABLE = 0, /* of group 0; 1: group 1 */
    VMCR_FIQEN = 1 << 3,
    VMCR_CBPR = 1 << 4,
    VMCR_EOIM = 1 << 9,
    VMCR_BPR1 = 18,
    VMCR_BPR0 = 21,
    VMCR_PMR = 24,
};
#define VMCR_KEPT 0xfffc0213u

/* ICH_VTR_EL2 and ICC_CTLR_EL1: 5 bits of priority, 16 of INTID, Aff3 counts; no GICv4; TDIR. */
#define VTR                                                                                        \
    ((PRIORITY_BITS - 1u) << 29 | (PRIORITY_BITS - 1u) << 26 | 1u << 21 | 1u << 20 | 1u << 19 |    \
     (A64_EL2_LRS - 1u))
#define CTLR_SAME ((PRIORITY_BITS - 1) << 8 | 1 << 15)

/* --- state -------------------------------------------------------------------------------------
 */

static unsigned lr_priority(uint64_t lr)
{
    return (unsigned)bits(lr, 48, 8) & PRIORITY_MASK;
}

static unsigned lr_group(uint64_t lr)
{
    return (unsigned)bits(lr, 60, 1);
}

static bool group_enabled(const struct a64_vgic *v, unsigned group)
{
    return v->vmcr >> (VMCR_ENABLE + group) & 1;
}

static unsigned bpr(const struct a64_vgic *v, unsigned group)
{
    unsigned least = group ? BPR1_MIN : BPR0_MIN;
    unsigned value = v->vmcr >> (group ? VMCR_BPR1 : VMCR_BPR0) & 7;
    return value < least ? least : value;
}

static unsigned group_priority(const struct a64_vgic *v, unsigned priority, unsigned group)
{
    bool common = v->vmcr & VMCR_CBPR;
    unsigned low = group == 0 || common ? bpr(v, 0) + 1 : bpr(v, 1);
    return priority & (0xffu << low);
}

static unsigned running_priority(const struct a64_vgic *v)
{
    uint32_t active = v->active[0] | v->active[1];
    return active ? (unsigned)__builtin_ctz(active) << PRIORITY_SHIFT : (unsigned)IDLE;
}

/* The list register of the highest priority that is pending in an enabled group; NULL: none. */
static uint64_t *best(struct a64_vgic *v)
{
    uint64_t *found = NULL;
    for (unsigned i = 0; i < A64_EL2_LRS; i++)
        if ((v->lr[i] & LR_STATE) == LR_PENDING && group_enabled(v, lr_group(v->lr[i])) &&
            (!found || lr_priority(v->lr[i]) < lr_priority(*found)))
            found = &v->lr[i];
    return found;
}

/* It, if it can be taken. */
static uint64_t *best_taken(struct a64_vgic *v)
{
    uint64_t *lr = v->hcr & HCR_EN ? best(v) : NULL;
    if (!lr || lr_priority(*lr) >= v->vmcr >> VMCR_PMR)
        return NULL;
    return group_priority(v, lr_priority(*lr), lr_group(*lr)) < running_priority(v) ? lr : NULL;
}

static uint32_t ended(const struct a64_vgic *v) /* ICH_EISR_EL2 */
{
    uint32_t mask = 0;
    for (unsigned i = 0; i < A64_EL2_LRS; i++)
        mask |= (uint32_t)((v->lr[i] & (LR_STATE | LR_HW | LR_EOI)) == LR_EOI) << i;
    return mask;
}

static uint32_t empty(const struct a64_vgic *v) /* ICH_ELRSR_EL2 */
{
    uint32_t mask = 0;
    for (unsigned i = 0; i < A64_EL2_LRS; i++)
        mask |= (uint32_t)(!(v->lr[i] & LR_STATE) && ((v->lr[i] & LR_HW) || !(v->lr[i] & LR_EOI)))
                << i;
    return mask;
}

static uint32_t misr(const struct a64_vgic *v)
{
    unsigned valid = 0, pending = 0;
    for (unsigned i = 0; i < A64_EL2_LRS; i++) {
        valid += (v->lr[i] & LR_STATE) != 0;
        pending += (v->lr[i] & LR_STATE) == LR_PENDING;
    }
    uint32_t m = ended(v) != 0;
    if ((v->hcr & HCR_UIE) && valid < 2)
        m |= HCR_UIE;
    if ((v->hcr & HCR_LRENPIE) && v->hcr >> HCR_EOICOUNT)
        m |= HCR_LRENPIE;
    if ((v->hcr & HCR_NPIE) && !pending)
        m |= HCR_NPIE;
    for (unsigned group = 0; group < 2; group++) {
        unsigned bit = HCR_VGRP_IE + 2 * group + !group_enabled(v, group);
        m |= v->hcr & 1u << bit;
    }
    return m;
}

void a64_vgic_update(struct a64_cpu *cpu)
{
    struct a64_vgic *v = &cpu->el2->vgic;
    const struct a64_system *system = cpu->system;
    bool maintenance = (v->hcr & HCR_EN) && misr(v);
    if (maintenance != v->maintenance && system->ops && system->ops->ppi_line) {
        v->maintenance = maintenance;
        system->ops->ppi_line(system->ops_ctx, cpu, PPI_MAINTENANCE, maintenance);
    }
    bool machine = !cpu->el2->inside;
    const uint64_t *lr = machine ? best_taken(v) : NULL;
    bool irq = (lr && lr_group(*lr)) || a64_el2_hcr(cpu, A64_HCR_VI);
    bool fiq = (lr && !lr_group(*lr)) || a64_el2_hcr(cpu, A64_HCR_VF);
    a64_set_line(cpu, A64_LINE_VIRQ, machine && irq && a64_el2_hcr(cpu, A64_HCR_IMO));
    a64_set_line(cpu, A64_LINE_VFIQ, machine && fiq && a64_el2_hcr(cpu, A64_HCR_FMO));
    a64_set_line(cpu, A64_LINE_VSERROR,
                 machine && a64_el2_hcr(cpu, A64_HCR_VSE) && a64_el2_hcr(cpu, A64_HCR_AMO));
}

/* --- ICV_*_EL1 ---------------------------------------------------------------------------------
 */

static uint64_t read_iar(struct a64_cpu *cpu, unsigned group)
{
    struct a64_vgic *v = &cpu->el2->vgic;
    uint64_t *lr = best_taken(v);
    if (!lr || lr_group(*lr) != group)
        return NONE;
    v->active[group] |= 1u << (group_priority(v, lr_priority(*lr), group) >> PRIORITY_SHIFT);
    uint32_t intid = (uint32_t)*lr;
    *lr &= ~LR_STATE;
    if (intid < FIRST_LPI) /* those have no active state */
        *lr |= LR_ACTIVE;
    return intid;
}

static uint64_t *find_active(struct a64_vgic *v, uint32_t intid)
{
    for (unsigned i = 0; i < A64_EL2_LRS; i++)
        if ((uint32_t)v->lr[i] == intid && (v->lr[i] & LR_ACTIVE))
            return &v->lr[i];
    return NULL;
}

static void deactivate(struct a64_cpu *cpu, uint32_t intid)
{
    struct a64_vgic *v = &cpu->el2->vgic;
    const struct a64_system *system = cpu->system;
    uint64_t *lr = find_active(v, intid);
    if (!lr) {
        if (intid < FIRST_LPI)
            v->hcr += 1u << HCR_EOICOUNT;
        return;
    }
    *lr &= ~LR_ACTIVE;
    unsigned physical = (unsigned)bits(*lr, 32, 13);
    if ((*lr & LR_HW) && physical < SPECIAL && system->ops && system->ops->icc_deactivate)
        system->ops->icc_deactivate(system->ops_ctx, cpu, physical);
}

static void write_eoir(struct a64_cpu *cpu, unsigned group, uint64_t value)
{
    struct a64_vgic *v = &cpu->el2->vgic;
    uint32_t intid = value & 0xffffff;
    if (intid >= SPECIAL && intid <= NONE)
        return;
    /* Priority drop: the running one, if it is of this group. */
    uint32_t mine = v->active[group], other = v->active[!group];
    if (!mine || (other && __builtin_ctz(other) < __builtin_ctz(mine)))
        return;
    v->active[group] &= mine - 1;
    if (!(v->vmcr & VMCR_EOIM))
        deactivate(cpu, intid);
}

static void write_dir(struct a64_cpu *cpu, unsigned group, uint64_t value)
{
    if (cpu->el2->vgic.vmcr & VMCR_EOIM)
        deactivate(cpu, value & 0xffffff);
}

static uint64_t read_hppir(struct a64_cpu *cpu, unsigned group)
{
    struct a64_vgic *v = &cpu->el2->vgic;
    const uint64_t *lr = v->hcr & HCR_EN ? best(v) : NULL;
    return lr && lr_group(*lr) == group ? (uint32_t)*lr : NONE;
}

static uint64_t read_rpr(struct a64_cpu *cpu, unsigned group)
{
    return running_priority(&cpu->el2->vgic);
}

static void set_field(struct a64_cpu *cpu, unsigned low, unsigned width, uint64_t value)
{
    uint32_t mask = ((1u << width) - 1) << low, *vmcr = &cpu->el2->vgic.vmcr;
    *vmcr = (*vmcr & ~mask) | ((uint32_t)(value << low) & mask);
}

static uint64_t read_pmr(struct a64_cpu *cpu, unsigned group)
{
    return cpu->el2->vgic.vmcr >> VMCR_PMR;
}

static void write_pmr(struct a64_cpu *cpu, unsigned group, uint64_t value)
{
    set_field(cpu, VMCR_PMR, 8, value & PRIORITY_MASK);
}

static uint64_t read_bpr(struct a64_cpu *cpu, unsigned group)
{
    const struct a64_vgic *v = &cpu->el2->vgic;
    if (group == 1 && (v->vmcr & VMCR_CBPR))
        return bpr(v, 0) < 7 ? bpr(v, 0) + 1 : 7;
    return bpr(v, group);
}

static void write_bpr(struct a64_cpu *cpu, unsigned group, uint64_t value)
{
    unsigned least = group ? BPR1_MIN : BPR0_MIN;
    if (group == 1 && (cpu->el2->vgic.vmcr & VMCR_CBPR))
        return;
    set_field(cpu, group ? VMCR_BPR1 : VMCR_BPR0, 3, (value & 7) < least ? least : value & 7);
}

static uint64_t read_apr(struct a64_cpu *cpu, unsigned group)
{
    return cpu->el2->vgic.active[group];
}

static void write_apr(struct a64_cpu *cpu, unsigned group, uint64_t value)
{
    cpu->el2->vgic.active[group] = (uint32_t)value;
}

static uint64_t read_ctlr(struct a64_cpu *cpu, unsigned group)
{
    uint32_t vmcr = cpu->el2->vgic.vmcr;
    return CTLR_SAME | (vmcr & VMCR_CBPR ? 1 : 0) | (vmcr & VMCR_EOIM ? 2 : 0);
}

static void write_ctlr(struct a64_cpu *cpu, unsigned group, uint64_t value)
{
    set_field(cpu, 4, 1, value & 1);
    set_field(cpu, 9, 1, value >> 1 & 1);
}

static uint64_t read_enable(struct a64_cpu *cpu, unsigned group)
{
    return group_enabled(&cpu->el2->vgic, group);
}

static void write_enable(struct a64_cpu *cpu, unsigned group, uint64_t value)
{
    set_field(cpu, VMCR_ENABLE + group, 1, value & 1);
}

/* By register: what serves it, its group (COMMON: of both), and what of ICH_HCR_EL2 traps it. */
enum { COMMON = 2 };
static const struct icv {
    uint16_t reg;
    uint8_t group;
    uint16_t trap;
    uint64_t (*read)(struct a64_cpu *cpu, unsigned group);
    void (*write)(struct a64_cpu *cpu, unsigned group, uint64_t value);
} icv[] = {
    {A64_ICC_PMR_EL1, COMMON, HCR_TC, read_pmr, write_pmr},
    {A64_ICC_IAR0_EL1, 0, HCR_TALL0, read_iar, NULL},
    {A64_ICC_EOIR0_EL1, 0, HCR_TALL0, NULL, write_eoir},
    {A64_ICC_HPPIR0_EL1, 0, HCR_TALL0, read_hppir, NULL},
    {A64_ICC_BPR0_EL1, 0, HCR_TALL0, read_bpr, write_bpr},
    {A64_ICC_AP0R0_EL1, 0, HCR_TALL0, read_apr, write_apr},
    {A64_ICC_IGRPEN0_EL1, 0, HCR_TALL0, read_enable, write_enable},
    {A64_ICC_IAR1_EL1, 1, HCR_TALL1, read_iar, NULL},
    {A64_ICC_EOIR1_EL1, 1, HCR_TALL1, NULL, write_eoir},
    {A64_ICC_HPPIR1_EL1, 1, HCR_TALL1, read_hppir, NULL},
    {A64_ICC_BPR1_EL1, 1, HCR_TALL1, read_bpr, write_bpr},
    {A64_ICC_AP1R0_EL1, 1, HCR_TALL1, read_apr, write_apr},
    {A64_ICC_IGRPEN1_EL1, 1, HCR_TALL1, read_enable, write_enable},
    {A64_ICC_DIR_EL1, COMMON, HCR_TC | HCR_TDIR, NULL, write_dir},
    {A64_ICC_RPR_EL1, COMMON, HCR_TC, read_rpr, NULL},
    {A64_ICC_CTLR_EL1, COMMON, HCR_TC, read_ctlr, write_ctlr},
};

static const struct icv *icv_of(enum a64_sysreg reg)
{
    for (size_t i = 0; i < ARRAY_SIZE(icv); i++)
        if (icv[i].reg == reg)
            return &icv[i];
    return NULL;
}

bool a64_vgic_serves(const struct a64_cpu *cpu, enum a64_sysreg reg)
{
    static const uint64_t route[] = {A64_HCR_FMO, A64_HCR_IMO, A64_HCR_FMO | A64_HCR_IMO};
    const struct icv *r = cpu->el == 1 ? icv_of(reg) : NULL;
    return r && a64_el2_hcr(cpu, route[r->group]);
}

bool a64_vgic_traps(const struct a64_cpu *cpu, enum a64_sysreg reg)
{
    if (reg >= A64_ICC_SGI1R_EL1 && reg <= A64_ICC_SGI0R_EL1)
        return a64_el2_hcr(cpu, A64_HCR_FMO | A64_HCR_IMO) || (cpu->el2->vgic.hcr & HCR_TC);
    const struct icv *r = icv_of(reg);
    return r && (cpu->el2->vgic.hcr & r->trap);
}

uint64_t a64_vgic_icv_read(struct a64_cpu *cpu, enum a64_sysreg reg)
{
    const struct icv *r = icv_of(reg);
    uint64_t value = r->read ? r->read(cpu, r->group) : 0;
    a64_vgic_update(cpu); /* acknowledging changes what is pending */
    return value;
}

void a64_vgic_icv_write(struct a64_cpu *cpu, enum a64_sysreg reg, uint64_t value)
{
    const struct icv *r = icv_of(reg);
    if (r->write)
        r->write(cpu, r->group, value);
    a64_vgic_update(cpu);
}

/* --- ICH_*_EL2 ---------------------------------------------------------------------------------
 */

uint64_t a64_vgic_ich_read(struct a64_cpu *cpu, enum a64_sysreg reg)
{
    const struct a64_vgic *v = &cpu->el2->vgic;
    switch (reg) {
    case A64_ICH_AP0R0_EL2:
    case A64_ICH_AP1R0_EL2:
        return v->active[reg - A64_ICH_AP0R0_EL2];
    case A64_ICH_HCR_EL2:
        return v->hcr;
    case A64_ICH_VTR_EL2:
        return VTR;
    case A64_ICH_MISR_EL2:
        return misr(v);
    case A64_ICH_EISR_EL2:
        return ended(v);
    case A64_ICH_ELRSR_EL2:
        return empty(v);
    case A64_ICH_VMCR_EL2:
        return v->vmcr | VMCR_FIQEN;
    default:
        return v->lr[reg - A64_ICH_LR0_EL2];
    }
}

void a64_vgic_ich_write(struct a64_cpu *cpu, enum a64_sysreg reg, uint64_t value)
{
    struct a64_vgic *v = &cpu->el2->vgic;
    switch (reg) {
    case A64_ICH_AP0R0_EL2:
    case A64_ICH_AP1R0_EL2:
        v->active[reg - A64_ICH_AP0R0_EL2] = (uint32_t)value;
        break;
    case A64_ICH_HCR_EL2:
        v->hcr = (uint32_t)value & HCR_KEPT;
        break;
    case A64_ICH_VMCR_EL2:
        v->vmcr = (uint32_t)value & VMCR_KEPT;
        break;
    default:
        v->lr[reg - A64_ICH_LR0_EL2] = value & LR_KEPT;
    }
    a64_vgic_update(cpu);
}
