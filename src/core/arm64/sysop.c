/* sysop.c: system instructions that go by SYS: cache, TLB and address translation (DDI 0487
 * C5.3-C5.5).
 *
 * Data caches are not modelled (memory is coherent), so DC by address only translates, for the
 * faults that the manual demands. Instruction caches are the engines' translations: IC tells the
 * engine which physical page software declares changed. CTR_EL0 gives a line of 4 KiB for them, so
 * that one instruction does for a page.
 */
#include "core/arm64/el2.h"

#include "base/bytes.h"

enum { EC_DATA_ABORT = 0x24, ISS_WNR = 1 << 6, ZVA_BYTES = 64 };
enum { SCTLR_DZE = 1 << 14, SCTLR_UCI = 1 << 26 };

#define ESR_IL                  (1u << 25)
#define KEY(op1, crn, crm, op2) A64_SYSREG_KEY(1, op1, crn, crm, op2)

struct sysop {
    uint16_t key;
    uint32_t el0_leave; /* the SCTLR_EL1 bit by which EL0 may; 0: EL0 may not */
    enum a64_step (*run)(struct a64_cpu *cpu, const struct sysop *op, uint64_t x);
    uint8_t a, b; /* for run */
};

static enum a64_step nothing(struct a64_cpu *cpu, const struct sysop *op, uint64_t x)
{
    return A64_NEXT;
}

/* Translates for cache maintenance: EL0 needs leave to read; EL1 only a translation (D7.5.9).
 * Returns false with the exception taken: WnR = 1, CM = 1. */
static bool maintain(struct a64_cpu *cpu, uint64_t va, bool write, uint64_t *ret_pa)
{
    struct a64_leaf leaf;
    struct a64_walk walk;
    bool cached;
    if (cpu->identity) {
        *ret_pa = a64_untag(cpu, va);
        return true;
    }
    uint32_t failed = a64_translate(cpu, va, &leaf, &cached);
    if (!failed) {
        a64_leaf_rights(cpu, &leaf, cpu->el, false, &walk);
        if (cpu->el == 0 ? !walk.read : write && !walk.write)
            failed = a64_permission_fault(cpu, &leaf, cpu->el, false, write ? A64_WRITE : A64_READ);
    }
    if (failed & A64_FAULT_STAGE2) {
        a64_el2_abort(cpu, va, failed, A64_WRITE, A64_ISS_CM);
        return false;
    }
    if (failed) {
        uint64_t ec = EC_DATA_ABORT + (cpu->el != 0);
        a64_exception_sync(cpu, ec << 26 | ESR_IL | A64_ISS_CM | ISS_WNR | (failed & 0x3f), va,
                           cpu->pc);
        return false;
    }
    *ret_pa = leaf.pa | (va & ((1ull << leaf.shift) - 1));
    return true;
}

static enum a64_step dc_by_va(struct a64_cpu *cpu, const struct sysop *op, uint64_t x)
{
    uint64_t pa;
    return maintain(cpu, x, op->a, &pa) ? A64_NEXT : A64_BRANCHED;
}

static enum a64_step dc_cvap(struct a64_cpu *cpu, const struct sysop *op, uint64_t x)
{
    return cpu->model->dcpop ? dc_by_va(cpu, op, x) : a64_undefined(cpu);
}

static enum a64_step dc_zva(struct a64_cpu *cpu, const struct sysop *op, uint64_t x)
{
    return a64_zero_block(cpu, x, ZVA_BYTES) ? A64_NEXT : A64_BRANCHED;
}

static void code_changed(struct a64_cpu *cpu, uint64_t page)
{
    const struct a64_system *system = cpu->system;
    if (system->ops && system->ops->code_changed)
        system->ops->code_changed(system->ops_ctx, cpu, page);
}

static enum a64_step ic_ivau(struct a64_cpu *cpu, const struct sysop *op, uint64_t x)
{
    uint64_t pa;
    if (!maintain(cpu, x, false, &pa))
        return A64_BRANCHED;
    code_changed(cpu, align_down(pa, cpu->identity ? 64 : 4096));
    return A64_NEXT;
}

static enum a64_step ic_all(struct a64_cpu *cpu, const struct sysop *op, uint64_t x)
{
    code_changed(cpu, UINT64_MAX);
    return A64_NEXT;
}

/* Of an argument: which GiB it is in, the largest block there is. */
#define TLBI_BLOCK (((1ull << 44) - 1) & ~((1ull << 18) - 1))

static enum a64_step tlbi(struct a64_cpu *cpu, const struct sysop *op, uint64_t x)
{
    a64_tlbi(cpu, (enum a64_tlbi)op->a, x, op->b);
    bool by_address = op->a == A64_TLBI_VA || op->a == A64_TLBI_VAA;
    if (by_address && ((x ^ cpu->pc >> 12) & TLBI_BLOCK))
        return A64_NEXT;
    cpu->pc += 4; /* what runs may have lost its mapping: engines leave their block */
    return A64_BRANCHED;
}

/* a: enum a64_access; b: bit 0 the EL, bit 1 the forms that mind PSTATE.PAN (FEAT_PAN2) */
static enum a64_step at(struct a64_cpu *cpu, const struct sysop *op, uint64_t x)
{
    if ((op->b & 2) && !cpu->model->pan)
        return a64_undefined(cpu);
    enum a64_access access = (enum a64_access)op->a;
    if (cpu->el2)
        return a64_el2_at(cpu, x, access, op->b & 1, op->b & 2) ? A64_NEXT : A64_BRANCHED;
    a64_address_translate(cpu, x, access, op->b & 1, op->b & 2, false);
    return A64_NEXT;
}

/* clang-format off */
static const struct sysop table[] = {
    {KEY(0, 7, 1, 0), 0, ic_all, 0, 0},            /* IC IALLUIS */
    {KEY(0, 7, 5, 0), 0, ic_all, 0, 0},            /* IC IALLU */
    {KEY(3, 7, 5, 1), SCTLR_UCI, ic_ivau, 0, 0},   /* IC IVAU */
    {KEY(0, 7, 6, 1), 0, dc_by_va, 1, 0},          /* DC IVAC: needs leave to write */
    {KEY(0, 7, 6, 2), 0, nothing, 0, 0},           /* DC ISW */
    {KEY(0, 7, 10, 2), 0, nothing, 0, 0},          /* DC CSW */
    {KEY(0, 7, 14, 2), 0, nothing, 0, 0},          /* DC CISW */
    {KEY(3, 7, 4, 1), SCTLR_DZE, dc_zva, 0, 0},    /* DC ZVA */
    {KEY(3, 7, 10, 1), SCTLR_UCI, dc_by_va, 0, 0}, /* DC CVAC */
    {KEY(3, 7, 11, 1), SCTLR_UCI, dc_by_va, 0, 0}, /* DC CVAU */
    {KEY(3, 7, 12, 1), SCTLR_UCI, dc_cvap, 0, 0},  /* DC CVAP */
    {KEY(3, 7, 14, 1), SCTLR_UCI, dc_by_va, 0, 0}, /* DC CIVAC */
    {KEY(0, 7, 8, 0), 0, at, A64_READ, 1},         /* AT S1E1R */
    {KEY(0, 7, 8, 1), 0, at, A64_WRITE, 1},        /* AT S1E1W */
    {KEY(0, 7, 8, 2), 0, at, A64_READ, 0},         /* AT S1E0R */
    {KEY(0, 7, 8, 3), 0, at, A64_WRITE, 0},        /* AT S1E0W */
    {KEY(0, 7, 9, 0), 0, at, A64_READ, 3},         /* AT S1E1RP */
    {KEY(0, 7, 9, 1), 0, at, A64_WRITE, 3},        /* AT S1E1WP */
    {KEY(0, 8, 3, 0), 0, tlbi, A64_TLBI_ALL, 1},   /* TLBI VMALLE1IS */
    {KEY(0, 8, 3, 1), 0, tlbi, A64_TLBI_VA, 1},    /* TLBI VAE1IS */
    {KEY(0, 8, 3, 2), 0, tlbi, A64_TLBI_ASID, 1},  /* TLBI ASIDE1IS */
    {KEY(0, 8, 3, 3), 0, tlbi, A64_TLBI_VAA, 1},   /* TLBI VAAE1IS */
    {KEY(0, 8, 3, 5), 0, tlbi, A64_TLBI_VA, 1},    /* TLBI VALE1IS */
    {KEY(0, 8, 3, 7), 0, tlbi, A64_TLBI_VAA, 1},   /* TLBI VAALE1IS */
    {KEY(0, 8, 7, 0), 0, tlbi, A64_TLBI_ALL, 0},   /* TLBI VMALLE1 */
    {KEY(0, 8, 7, 1), 0, tlbi, A64_TLBI_VA, 0},    /* TLBI VAE1 */
    {KEY(0, 8, 7, 2), 0, tlbi, A64_TLBI_ASID, 0},  /* TLBI ASIDE1 */
    {KEY(0, 8, 7, 3), 0, tlbi, A64_TLBI_VAA, 0},   /* TLBI VAAE1 */
    {KEY(0, 8, 7, 5), 0, tlbi, A64_TLBI_VA, 0},    /* TLBI VALE1 */
    {KEY(0, 8, 7, 7), 0, tlbi, A64_TLBI_VAA, 0},   /* TLBI VAALE1 */
};
/* clang-format on */

enum a64_step a64_sys(struct a64_cpu *cpu, unsigned op1, unsigned crn, unsigned crm, unsigned op2,
                      unsigned rt)
{
    unsigned key = KEY(op1, crn, crm, op2);
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        const struct sysop *op = &table[i];
        if (op->key != key)
            continue;
        if (cpu->el == 0 && !op->el0_leave)
            return a64_undefined(cpu);
        if (cpu->el == 0 && !(cpu->sys[A64_SCTLR_EL1] & op->el0_leave))
            return a64_sysreg_trap(cpu, 1, key, rt, false);
        if (cpu->el2 && a64_el2_traps(cpu, (uint16_t)key, NULL, false))
            return a64_sysreg_trap(cpu, 2, key, rt, false);
        return op->run(cpu, op, a64_x(cpu, rt));
    }
    enum a64_step step;
    if (cpu->el2 && a64_el2_sys(cpu, key, a64_x(cpu, rt), &step))
        return step;
    return a64_sysreg_unknown(cpu, key, "SYS");
}
