/* emit_shift.c: shifts and rotations of general registers, by a constant or by a register.
 *
 * BMI2's forms keep EFLAGS, where NZCV may lie; the others are for hosts without BMI2, and shorter.
 */
#include "core/x86_64/emit_int.h"

void emit_rotate(struct emitter *e, unsigned width, unsigned d, struct x86_rm from, unsigned amount)
{
    if (!e->request->host->bmi2) {
        x86_load(e->buf, width, d, from);
        x86_shift_imm(e->buf, SH_ROR, width, rm_reg(d), amount);
        return;
    }
    x86_bmi2(e->buf, 3, 3, width, 0xf0, d, X86_NO_SECOND, from);
    x86_byte(e->buf, (uint8_t)amount);
}

static const uint8_t shift_prefix[8] = {[SH_SHL] = 1, [SH_SHR] = 3, [SH_SAR] = 2};

static bool flags_wanted(const struct emitter *e)
{
    return e->flags != FLAGS_NONE && !e->flags_in_memory && e->op->flags & IR_FLAGS_LIVE;
}

/* By a constant, without touching EFLAGS: costs less than saving NZCV. */
static void shift_keeping_flags(struct emitter *e, const struct ir_op *o, enum x86_shift kind)
{
    unsigned width = op_width(o), d = set_reg(e, o->d, RAX);
    if (kind == SH_ROR) {
        emit_rotate(e, width, d, loc(e, o->a), (unsigned)o->imm);
    } else { /* SHLX, SHRX, SARX */
        x86_movi(e->buf, RCX, (uint64_t)o->imm);
        x86_bmi2(e->buf, shift_prefix[kind], 2, width, 0xf7, d, RCX, loc(e, o->a));
    }
    if (d == RAX)
        set_done(e, o->d, RAX);
}

static void shift(struct emitter *e, const struct ir_op *o, enum x86_shift kind)
{
    unsigned width = op_width(o);
    bool bmi2 = e->request->host->bmi2, by_constant = o->b == IR_IMM;
    if (bmi2 && by_constant && o->imm && o->a != IR_ZERO && o->d != IR_ZERO &&
        (kind == SH_ROR || flags_wanted(e))) {
        shift_keeping_flags(e, o, kind);
        return;
    }
    if (by_constant || kind == SH_ROR || !bmi2)
        flags_clobber(e);
    if (by_constant) {
        unsigned d = set_reg(e, o->d, RAX);
        if (o->a == IR_ZERO)
            x86_movi(e->buf, d, 0);
        else if (!o->imm || !(loc(e, o->a).is_reg && loc(e, o->a).base == d))
            x86_op(e->buf, 0, 0x8b, width, d, loc(e, o->a));
        if (o->imm)
            x86_shift_imm(e->buf, kind, width, rm_reg(d), (unsigned)o->imm);
        if (d == RAX)
            set_done(e, o->d, RAX);
        return;
    }
    /* The count is taken modulo the width by both architectures. */
    unsigned count = use_reg(e, o->b, RCX, 4);
    if (kind != SH_ROR && bmi2) { /* SHLX, SHRX, SARX: no flags, three operands */
        unsigned d = set_reg(e, o->d, RAX);
        struct x86_rm a = o->a == IR_ZERO ? rm_reg(use_reg(e, o->a, RAX, 4)) : loc(e, o->a);
        x86_bmi2(e->buf, shift_prefix[kind], 2, width, 0xf7, d, count, a);
        if (d == RAX)
            set_done(e, o->d, RAX);
        return;
    }
    x86_load(e->buf, 8, RCX, rm_reg(count));
    x86_load(e->buf, width, RAX, rm_reg(use_reg(e, o->a, RAX, width)));
    x86_shift_cl(e->buf, kind, width, rm_reg(RAX));
    if (width == 4) /* a zero count leaves the upper half of RAX alone */
        x86_op(e->buf, 0, 0x8b, 4, RAX, rm_reg(RAX));
    set_done(e, o->d, RAX);
}

void emit_SHL(struct emitter *e, const struct ir_op *o)
{
    shift(e, o, SH_SHL);
}

void emit_SHR(struct emitter *e, const struct ir_op *o)
{
    shift(e, o, SH_SHR);
}

void emit_SAR(struct emitter *e, const struct ir_op *o)
{
    shift(e, o, SH_SAR);
}

void emit_ROR(struct emitter *e, const struct ir_op *o)
{
    shift(e, o, SH_ROR);
}
