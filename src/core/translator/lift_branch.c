/* lift_branch.c: branches, hints, barriers, and the system registers that are plain storage.
 *
 * What may take an exception, change the translation context or touch the machine is left to the
 * run loop (IR_LEAVE), which executes it with the interpreter.
 */
#include "core/translator/lift_int.h"

#include "base/bytes.h"
#include "core/arm64/sysreg.h"

static void jump(struct lifter *l, int64_t target)
{
    emit_op(l, IR_JUMP, IR_I64)->imm = target;
    l->ended = true;
}

static struct ir_op *last_op(struct lifter *l)
{
    return &l->unit->ops[l->unit->count - 1];
}

static void link(struct lifter *l)
{
    struct ir_op *o = emit_op(l, IR_PCREL, IR_I64);
    o->d = 30;
    o->imm = l->offset + 4;
}

static bool leave(struct lifter *l)
{
    emit_op(l, IR_LEAVE, IR_I64)->imm = l->offset;
    l->ended = true;
    return true;
}

LIFT(B)
{
    jump(l, l->offset + sign_extend(in->i, 26) * 4);
    return true;
}

LIFT(BL)
{
    link(l);
    jump(l, l->offset + sign_extend(in->i, 26) * 4);
    last_op(l)->flags |= IR_CALL;
    return true;
}

LIFT(B_cond)
{
    int64_t target = l->offset + sign_extend(in->i, 19) * 4;
    if (in->c >= 14) {
        jump(l, target);
        return true;
    }
    struct ir_op *o = emit_op(l, IR_BCC, IR_I64);
    o->x = in->c;
    o->imm = target;
    return true;
}

LIFT(compare_branch)
{
    struct ir_op *o = emit_op(l, in->op == A64_OP_CBZ ? IR_CBZ : IR_CBNZ, in->f ? IR_I64 : IR_I32);
    o->a = zr(in->d);
    o->imm = l->offset + sign_extend(in->i, 19) * 4;
    return true;
}

LIFT(test_branch)
{
    struct ir_op *o = emit_op(l, in->op == A64_OP_TBZ ? IR_TBZ : IR_TBNZ, IR_I64);
    o->a = zr(in->d);
    o->x = in->b;
    o->imm = l->offset + sign_extend(in->i, 14) * 4;
    return true;
}

static void jump_to_register(struct lifter *l, unsigned n)
{
    emit_op(l, IR_JUMPR, IR_I64)->a = zr(n);
    l->ended = true;
}

LIFT(BR)
{
    jump_to_register(l, in->n);
    return true;
}

LIFT(BLR)
{
    if (in->n == 30) /* the target would be gone */
        return leave(l);
    link(l);
    jump_to_register(l, in->n);
    last_op(l)->flags |= IR_CALL;
    return true;
}

LIFT(RET)
{
    jump_to_register(l, in->n);
    last_op(l)->flags |= IR_RETURN;
    return true;
}

LIFT(nothing)
{
    (void)l;
    (void)in;
    return true;
}

/* Only barriers that order stores before later loads need code: x86-TSO keeps every other order. */
LIFT(barrier)
{
    unsigned types = in->i & 3; /* 1 loads, 2 stores, 3 and 0 all */
    if (types == 0 || types == 3)
        emit_op(l, IR_FENCE, IR_I64);
    return true;
}

/* A full DSB waits for other CPUs to have served this one's TLBIs: the run loop's business, where
 * there are any. */
LIFT(DSB)
{
    unsigned types = in->i & 3;
    if (types != 0 && types != 3)
        return lift_barrier(l, in);
    struct ir_op *o = emit_op(l, IR_FENCE, IR_I64);
    o->x = 1;
    o->imm = l->offset;
    return true;
}

LIFT(leave)
{
    (void)in;
    return leave(l);
}

/* A system call: taken by the run loop without a look at the instruction. */
LIFT(SVC)
{
    leave(l);
    last_op(l)->x = in->i == 0;
    return true;
}

static unsigned el(const struct lifter *l)
{
    return l->source->context & LIFT_EL2 ? 2 : l->source->context & LIFT_EL1 ? 1 : 0;
}

/* Whether this line of the table's PLAIN_READ and PLAIN_WRITE hold here. */
static bool plain_here(const struct lifter *l, const struct a64_sysreg_info *info)
{
    return !(l->source->context & LIFT_EL2_TRAPS) || a64_el2_never_traps(info);
}

LIFT(MRS)
{
    uint16_t key = (uint16_t)in->i;
    if (key == A64_SYSREG_KEY(3, 3, 4, 2, 1) && el(l)) {
        emit_op(l, IR_GETDAIF, IR_I64)->d = zr(in->d);
        return true;
    }
    if (key == A64_SYSREG_KEY(3, 3, 4, 2, 0)) {
        emit_op(l, IR_GETFLAGS, IR_I64)->d = zr(in->d);
        return true;
    }
    /* DCZID_EL0: what is stored, where DC ZVA is allowed. C libraries read it in every memset(). */
    bool plain = key == A64_SYSREG_KEY(3, 3, 0, 0, 7) && l->source->context & LIFT_ZVA;
    if (key == A64_SYSREG_KEY(3, 3, 4, 4, 0) && l->source->context & LIFT_FP) { /* FPCR */
        struct ir_op *o = emit_op(l, IR_GETSTATE, IR_I32);
        o->d = zr(in->d);
        o->imm = offsetof(struct a64_cpu, fpcr);
        return true;
    }
    const struct a64_sysreg_info *info = a64_sysreg_find(key);
    if (!info || !(plain || info->flags & A64_SYSREG_PLAIN_READ) || el(l) < info->el_read ||
        (el(l) == 0 && info->flags & A64_SYSREG_EL0_TRAP) || !plain_here(l, info))
        return false;
    struct ir_op *o = emit_op(l, IR_GETSTATE, IR_I64);
    o->d = zr(in->d);
    o->imm = (int64_t)(offsetof(struct a64_cpu, sys) + sizeof(uint64_t) * info->reg);
    return true;
}

LIFT(MSR)
{
    uint16_t key = (uint16_t)in->i;
    if (key == A64_SYSREG_KEY(3, 3, 4, 2, 1) && el(l)) {
        struct ir_op *o = emit_op(l, IR_SETDAIF, IR_I64);
        o->a = zr(in->d);
        o->imm = l->offset + 4;
        return true;
    }
    if (key == A64_SYSREG_KEY(3, 3, 4, 2, 0) && in->d != 31) {
        emit_op(l, IR_SETFLAGS, IR_I64)->a = in->d;
        return true;
    }
    const struct a64_sysreg_info *info = a64_sysreg_find(key);
    if (!info || !(info->flags & A64_SYSREG_PLAIN_WRITE) || el(l) < info->el_write ||
        !plain_here(l, info))
        return leave(l);
    struct ir_op *o = emit_op(l, IR_SETSTATE, IR_I64);
    o->a = zr(in->d);
    o->imm = (int64_t)(offsetof(struct a64_cpu, sys) + sizeof(uint64_t) * info->reg);
    return true;
}

LIFT(MSR_imm)
{
    bool set = in->u == 3 && in->v == 6, clear = in->u == 3 && in->v == 7;
    if (!el(l) || (!set && !clear))
        return leave(l);
    struct ir_op *o = emit_op(l, set ? IR_DAIFSET : IR_DAIFCLR, IR_I64);
    o->x = (uint8_t)in->i;
    o->imm = l->offset + 4;
    return true;
}

LIFT(SYS)
{
    if (in->i == (3u << 11 | 7u << 7 | 4u << 3 | 1u) &&
        l->source->context & LIFT_ZVA) { /* DC ZVA */
        struct ir_op *o = emit_op(l, IR_ZVA, IR_I64);
        o->a = zr(in->d);
        if (o->a == IR_ZERO)
            return leave(l);
        o->b = IR_NO_INDEX;
        o->size = 1;
        return true;
    }
    /* Data caches are nobody's business but a fault's; TLBIs of other pages change nothing here.
     * Whatever else has to be done at once leaves by itself. */
    unsigned crn = in->i >> 7 & 15, crm = in->i >> 3 & 15;
    bool data_cache = crn == 7 && crm != 1 && crm != 5;
    return data_cache || crn == 8 ? false : leave(l);
}

const struct lift_row lift_rows_branch[] = {
    ROW(B),
    ROW(BL),
    ROW(B_cond),
    {A64_OP_CBZ, lift_compare_branch},
    {A64_OP_CBNZ, lift_compare_branch},
    {A64_OP_TBZ, lift_test_branch},
    {A64_OP_TBNZ, lift_test_branch},
    ROW(BR),
    ROW(BLR),
    ROW(RET),
    {A64_OP_NOP, lift_nothing},
    {A64_OP_HINT, lift_nothing},
    {A64_OP_ISB, lift_nothing},
    ROW(DSB),
    {A64_OP_DMB, lift_barrier},
    ROW(MRS),
    ROW(MSR),
    ROW(MSR_imm),
    ROW(SYS),
    {A64_OP_SYSL, lift_leave},
    {A64_OP_YIELD, lift_leave},
    {A64_OP_WFE, lift_leave},
    {A64_OP_WFI, lift_leave},
    {A64_OP_SEV, lift_leave},
    {A64_OP_SEVL, lift_leave},
    ROW(SVC),
    {A64_OP_HVC, lift_leave},
    {A64_OP_SMC, lift_leave},
    {A64_OP_BRK, lift_leave},
    {A64_OP_HLT, lift_leave},
    {A64_OP_ERET, lift_leave},
};
const unsigned lift_rows_branch_count = ARRAY_SIZE(lift_rows_branch);
