/* el2_tlb.c: which of a CPU's TLBs is in use, and the system instructions of EL2 that maintain
 * them or translate addresses (DDI 0487 D8.14, C5.4, C5.5).
 *
 * EL2's regime has one; virtual machines share the others, by VTTBR_EL2, which holds the VMID and
 * where stage 2's tables are. An entry combines both stages, so TLBI by intermediate physical
 * address empties the machine's TLB. Registers that EL2 writes for a machine (_EL12) say nothing to
 * a TLB: what its entries were made under is noted, and compared when it is used again.
 */
#include "core/arm64/el2.h"

#include <stdlib.h>

#include "base/bytes.h"

/* Of SCTLR_EL1, what entries depend on. */
#define SCTLR_CACHED (A64_SCTLR_M | A64_SCTLR_A | A64_SCTLR_WXN)
#define VMID_SHIFT   48
#define VTCR_VS      (1u << 19) /* VMIDs of 16 bits */

/* How TLBI names TLBs: op in bits [3:0], scope in [7:4], ASID from 16, VMID from 32. */
enum scope { SCOPE_MACHINES = 0 << 4, SCOPE_MACHINE = 1 << 4, SCOPE_EL2 = 2 << 4 };
enum { SCOPE_MASK = 0xf0, HOW_VMID_SHIFT = 32 };

static uint16_t vmid_of(const struct a64_cpu *cpu, uint64_t vttbr)
{
    uint16_t vmid = (uint16_t)(vttbr >> VMID_SHIFT);
    return cpu->sys[A64_VTCR_EL2] & VTCR_VS ? vmid : vmid & 0xff;
}

/* --- which is in use ---------------------------------------------------------------------------
 */

/* What entries depend on, of EL1&0's registers at `bank`: those in use or those that wait. */
static void note_regime(const struct a64_cpu *cpu, bool waiting, struct a64_el2_regime *ret)
{
    const uint64_t *sys = cpu->sys;
    ret->sctlr = sys[waiting ? A64_SCTLR_EL12 : A64_SCTLR_EL1] & SCTLR_CACHED;
    ret->tcr = sys[waiting ? A64_TCR_EL12 : A64_TCR_EL1];
    ret->mair = sys[waiting ? A64_MAIR_EL12 : A64_MAIR_EL1];
}

static bool same_regime(const struct a64_el2_regime *a, const struct a64_el2_regime *b)
{
    return a->vttbr == b->vttbr && a->vtcr == b->vtcr && a->hcr == b->hcr && a->sctlr == b->sctlr &&
           a->tcr == b->tcr && a->mair == b->mair;
}

static unsigned find_machine(struct a64_el2 *el2, uint64_t vttbr)
{
    unsigned oldest = 1;
    for (unsigned i = 1; i < A64_EL2_TLBS; i++) {
        if (el2->tlbs[i] && el2->regimes[i].vttbr == vttbr)
            return i;
        if (el2->last_use[i] < el2->last_use[oldest])
            oldest = i;
    }
    return oldest;
}

static unsigned machine_tlb(struct a64_cpu *cpu)
{
    struct a64_el2 *el2 = cpu->el2;
    struct a64_el2_regime now = {.vttbr = cpu->sys[A64_VTTBR_EL2],
                                 .vtcr = cpu->sys[A64_VTCR_EL2],
                                 .hcr = cpu->sys[A64_HCR_EL2] & (A64_HCR_VM | A64_HCR_PTW)};
    note_regime(cpu, false, &now);
    unsigned i = find_machine(el2, now.vttbr);
    if (!el2->tlbs[i] && !(el2->tlbs[i] = a64_tlb_make(NULL)))
        abort(); /* address space alone is needed: it is NORESERVE */
    if (!same_regime(&el2->regimes[i], &now)) {
        a64_tlb_empty(el2->tlbs[i]);
        el2->regimes[i] = now;
    }
    el2->last_use[i] = ++el2->uses;
    return i;
}

void a64_el2_choose_tlb(struct a64_cpu *cpu)
{
    struct a64_el2 *el2 = cpu->el2;
    if (cpu->regime &&
        el2->inside) /* the machine has changed these itself, and its TLB with them */
        note_regime(cpu, true, &el2->regimes[cpu->regime]);
    cpu->regime = (uint8_t)(el2->inside ? 0 : machine_tlb(cpu));
    cpu->tlb = el2->tlbs[cpu->regime];
}

/* --- TLBI --------------------------------------------------------------------------------------
 */

static uint64_t this_machine(const struct a64_cpu *cpu)
{
    return SCOPE_MACHINE | (uint64_t)vmid_of(cpu, cpu->sys[A64_VTTBR_EL2]) << HOW_VMID_SHIFT;
}

uint64_t a64_el2_tlbi_scope(const struct a64_cpu *cpu)
{
    return cpu->el == 2 && a64_el2_host(cpu) ? (uint64_t)SCOPE_EL2 : this_machine(cpu);
}

void a64_el2_for_tlbs(struct a64_cpu *cpu, uint64_t how, uint64_t va, a64_tlb_fn fn)
{
    struct a64_el2 *el2 = cpu->el2;
    if ((how & SCOPE_MASK) == SCOPE_EL2) {
        fn(el2->tlbs[0], how, va);
        return;
    }
    bool all = (how & SCOPE_MASK) == SCOPE_MACHINES;
    for (unsigned i = 1; i < A64_EL2_TLBS; i++)
        if (el2->tlbs[i] &&
            (all || vmid_of(cpu, el2->regimes[i].vttbr) == (uint16_t)(how >> HOW_VMID_SHIFT)))
            fn(el2->tlbs[i], how, va);
}

/* --- SYS with op1 = 4 --------------------------------------------------------------------------
 */

struct sysop {
    uint16_t key;
    enum a64_step (*run)(struct a64_cpu *cpu, const struct sysop *op, uint64_t x);
    uint8_t a, b; /* for run */
};

#define KEY(crn, crm, op2) A64_SYSREG_KEY(1, 4, crn, crm, op2)

/* a: scope and op; b: on all CPUs */
static enum a64_step tlbi(struct a64_cpu *cpu, const struct sysop *op, uint64_t x)
{
    uint64_t scope = op->a & SCOPE_MASK;
    if (scope == SCOPE_MACHINE)
        scope = this_machine(cpu);
    a64_tlbi_scope(cpu, (enum a64_tlbi)(op->a & 0xf), scope, x, op->b);
    cpu->pc += 4; /* as TLBI of EL1 */
    return A64_BRANCHED;
}

/* a: enum a64_access; b: the EL, and with 4 stage 2 as well */
static enum a64_step at(struct a64_cpu *cpu, const struct sysop *op, uint64_t x)
{
    bool el2 = op->b == 2;
    if (!el2)
        a64_el2_use(cpu, false);
    a64_address_translate(cpu, x, (enum a64_access)op->a, op->b & 3 ? 1 : 0, false, op->b & 4);
    if (!el2)
        a64_el2_use(cpu, true);
    a64_select_bank(cpu);
    return A64_NEXT;
}

static const struct sysop table[] = {
    {KEY(7, 8, 0), at, A64_READ, 2},                        /* AT S1E2R */
    {KEY(7, 8, 1), at, A64_WRITE, 2},                       /* AT S1E2W */
    {KEY(7, 8, 4), at, A64_READ, 1 | 4},                    /* AT S12E1R */
    {KEY(7, 8, 5), at, A64_WRITE, 1 | 4},                   /* AT S12E1W */
    {KEY(7, 8, 6), at, A64_READ, 0 | 4},                    /* AT S12E0R */
    {KEY(7, 8, 7), at, A64_WRITE, 0 | 4},                   /* AT S12E0W */
    {KEY(8, 0, 1), tlbi, SCOPE_MACHINE | A64_TLBI_ALL, 1},  /* TLBI IPAS2E1IS */
    {KEY(8, 0, 5), tlbi, SCOPE_MACHINE | A64_TLBI_ALL, 1},  /* TLBI IPAS2LE1IS */
    {KEY(8, 3, 0), tlbi, SCOPE_EL2 | A64_TLBI_ALL, 1},      /* TLBI ALLE2IS */
    {KEY(8, 3, 1), tlbi, SCOPE_EL2 | A64_TLBI_VA, 1},       /* TLBI VAE2IS */
    {KEY(8, 3, 4), tlbi, SCOPE_MACHINES | A64_TLBI_ALL, 1}, /* TLBI ALLE1IS */
    {KEY(8, 3, 5), tlbi, SCOPE_EL2 | A64_TLBI_VA, 1},       /* TLBI VALE2IS */
    {KEY(8, 3, 6), tlbi, SCOPE_MACHINE | A64_TLBI_ALL, 1},  /* TLBI VMALLS12E1IS */
    {KEY(8, 4, 1), tlbi, SCOPE_MACHINE | A64_TLBI_ALL, 0},  /* TLBI IPAS2E1 */
    {KEY(8, 4, 5), tlbi, SCOPE_MACHINE | A64_TLBI_ALL, 0},  /* TLBI IPAS2LE1 */
    {KEY(8, 7, 0), tlbi, SCOPE_EL2 | A64_TLBI_ALL, 0},      /* TLBI ALLE2 */
    {KEY(8, 7, 1), tlbi, SCOPE_EL2 | A64_TLBI_VA, 0},       /* TLBI VAE2 */
    {KEY(8, 7, 4), tlbi, SCOPE_MACHINES | A64_TLBI_ALL, 0}, /* TLBI ALLE1 */
    {KEY(8, 7, 5), tlbi, SCOPE_EL2 | A64_TLBI_VA, 0},       /* TLBI VALE2 */
    {KEY(8, 7, 6), tlbi, SCOPE_MACHINE | A64_TLBI_ALL, 0},  /* TLBI VMALLS12E1 */
};

bool a64_el2_sys(struct a64_cpu *cpu, unsigned key, uint64_t x, enum a64_step *ret_step)
{
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        if (table[i].key != key)
            continue;
        *ret_step = cpu->el == 2 ? table[i].run(cpu, &table[i], x) : a64_undefined(cpu);
        return true;
    }
    return false;
}

bool a64_el2_at(struct a64_cpu *cpu, uint64_t va, enum a64_access access, unsigned el, bool pan)
{
    bool machines = cpu->el == 2 && !a64_el2_host(cpu);
    if (machines)
        a64_el2_use(cpu, false);
    uint32_t failed = a64_address_translate(cpu, va, access, el, pan, false);
    if (machines) {
        a64_el2_use(cpu, true);
        a64_select_bank(cpu);
    } else if (failed & A64_FAULT_STAGE2) {
        /* EL1's own: EL2 must see why its tables cannot be read (D8.14.9). */
        a64_el2_abort(cpu, va, failed, A64_READ, A64_ISS_CM);
        return false;
    }
    return true;
}
