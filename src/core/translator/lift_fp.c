/* lift_fp.c: scalar floating point (DDI 0487 C4.1.90).
 *
 * Arithmetic is lifted under a plain FPCR (LIFT_FP_PLAIN). Moves, FABS and FNEG do not look at it.
 * Half precision is mostly a vector of one lane; its conversions from fixed point stay with the
 * interpreter.
 */
#include "core/translator/lift_int.h"

#include "base/bytes.h"
#include "core/arm64/fp.h"

static bool is_half(const struct a64_insn *in)
{
    return in->p > 1;
}

static bool plain(const struct lifter *l)
{
    return l->source->context & LIFT_FP_PLAIN;
}

static enum ir_type type_of(unsigned p)
{
    return p > 1 ? IR_F16 : p ? IR_F64 : IR_F32;
}

static enum ir_type fp_type(const struct a64_insn *in)
{
    return type_of(in->p);
}

static uint8_t fp_bytes(const struct a64_insn *in)
{
    return is_half(in) ? 2 : in->p ? 8 : 4;
}

static struct ir_op *fp_op(struct lifter *l, const struct a64_insn *in, enum ir_opcode op)
{
    struct ir_op *o = emit_op(l, op, fp_type(in));
    o->d = in->d;
    o->a = in->n;
    o->b = in->m;
    o->c = in->a;
    return o;
}

/* An operation in scalar FP format whose row says the rest. */
static struct ir_op *by_row(struct lifter *l, const struct a64_insn *in, enum ir_opcode op)
{
    const struct lift_form *f = form_of(l, in);
    struct ir_op *o = fp_op(l, in, op);
    o->sub = f->sub;
    o->x = f->x;
    o->y = f->y;
    return o;
}

/* In half precision: of the lowest lane of a vector. */
static bool half_unary(struct lifter *l, const struct a64_insn *in, enum ir_funary sub)
{
    struct ir_op *o = by_row(l, in, IR_VFP2);
    o->sub = sub;
    o->size = 1;
    o->c = 0;
    return true;
}

LIFT(binary)
{
    if (!plain(l))
        return false;
    if (is_half(in))
        by_row(l, in, IR_VFP3)->y = 1;
    else
        by_row(l, in, IR_FBIN);
    return true;
}

LIFT(fused)
{
    return plain(l) && by_row(l, in, IR_FMA);
}

LIFT(FSQRT)
{
    if (is_half(in))
        return plain(l) && half_unary(l, in, IR_F_SQRT);
    return plain(l) && by_row(l, in, IR_FSQRT);
}

LIFT(round)
{
    if (is_half(in))
        return plain(l) && half_unary(l, in, IR_F_RINT);
    return plain(l) && by_row(l, in, IR_FRINT);
}

LIFT(FMOV)
{
    if (!is_half(in))
        return fp_op(l, in, IR_FMOV);
    struct ir_op *o = fp_op(l, in, IR_VDUP); /* element 0, alone */
    o->y = o->size = 1;
    return true;
}

LIFT(FABS)
{
    return is_half(in) ? half_unary(l, in, IR_F_ABS) : fp_op(l, in, IR_FABS) != NULL;
}

LIFT(FNEG)
{
    return is_half(in) ? half_unary(l, in, IR_F_NEG) : fp_op(l, in, IR_FNEG) != NULL;
}

LIFT(FCVT)
{
    if (!plain(l))
        return false;
    fp_op(l, in, IR_FCVT)->sub = (uint16_t)type_of(in->o);
    return true;
}

/* Of the integer, in the fixed-point forms (sub). */
static uint8_t fraction_bits(const struct lifter *l, const struct a64_insn *in)
{
    return (uint8_t)(form_of(l, in)->sub ? 64 - in->h : 0);
}

LIFT(to_integer)
{
    if (!plain(l))
        return false;
    const struct lift_form *f = form_of(l, in);
    struct ir_op *o = emit_op(l, IR_FTOI, int_type(in));
    o->d = zr(in->d);
    o->a = in->n;
    o->size = fp_bytes(in);
    o->c = fraction_bits(l, in);
    o->x = f->x;
    o->y = f->y;
    return true;
}

LIFT(FJCVTZS)
{
    if (!plain(l))
        return false;
    struct ir_op *o = emit_op(l, IR_FJCVT, IR_I32);
    o->d = zr(in->d);
    o->a = in->n;
    return true;
}

LIFT(from_integer)
{
    if (!plain(l) || (is_half(in) && form_of(l, in)->sub)) /* scaling would round again */
        return false;
    struct ir_op *o = emit_op(l, IR_ITOF, fp_type(in));
    o->d = in->d;
    o->a = zr(in->n);
    o->size = in->f ? 8 : 4;
    o->y = form_of(l, in)->y;
    o->c = fraction_bits(l, in);
    return true;
}

LIFT(compare)
{
    if (!plain(l))
        return false;
    struct ir_op *o = fp_op(l, in, IR_FCMP);
    if (in->op == A64_OP_FCMP_zero || in->op == A64_OP_FCMPE_zero)
        o->b = IR_IMM;
    o->y = in->op == A64_OP_FCMPE || in->op == A64_OP_FCMPE_zero;
    return true;
}

LIFT(compare_if)
{
    if (!plain(l))
        return false;
    struct ir_op *o = fp_op(l, in, IR_FCCMP);
    o->x = in->c;
    o->y = (uint8_t)(in->k << 1 | (in->op == A64_OP_FCCMPE));
    return true;
}

LIFT(FCSEL)
{
    if (in->c >= 14)
        return lift_FMOV(l, in);
    fp_op(l, in, IR_FCSEL)->x = in->c;
    return true;
}

LIFT(FMOV_imm)
{
    enum a64_fpfmt format = is_half(in) ? A64_FP16 : in->p ? A64_FP64 : A64_FP32;
    struct ir_op *o = emit_op(l, IR_VCONST, IR_I64);
    o->d = in->d;
    o->imm = (int64_t)a64_fp_expand_imm(format, in->i);
    return true;
}

LIFT(to_general)
{
    bool top = in->op == A64_OP_FMOV_to_gp_top;
    struct ir_op *o = emit_op(l, IR_VTOG, IR_I64);
    o->d = zr(in->d);
    o->a = in->n;
    o->x = top;
    o->size = top ? 8 : fp_bytes(in);
    return true;
}

LIFT(from_general)
{
    bool top = in->op == A64_OP_FMOV_from_gp_top;
    struct ir_op *o = emit_op(l, top ? IR_VINSG : IR_VFROMG, IR_I64);
    o->d = in->d;
    o->a = zr(in->n);
    o->x = top;
    o->size = top ? 8 : fp_bytes(in);
    return true;
}

/* clang-format off */
const struct lift_form_row lift_rows_fp[] = {
    FORM(FADD, binary, IR_FADD, 0, 0),
    FORM(FSUB, binary, IR_FSUB, 0, 0),
    FORM(FMUL, binary, IR_FMUL, 0, 0),
    FORM(FNMUL, binary, IR_FNMUL, 0, 0),
    FORM(FDIV, binary, IR_FDIV, 0, 0),
    FORM(FMAX, binary, IR_FMAX, 0, 0),
    FORM(FMIN, binary, IR_FMIN, 0, 0),
    FORM(FMAXNM, binary, IR_FMAX, 0, 0), /* they differ with NaNs alone */
    FORM(FMINNM, binary, IR_FMIN, 0, 0),
    FORM(FMADD, fused, IR_FMADD, 0, 0),
    FORM(FMSUB, fused, IR_FMSUB, 0, 0),
    FORM(FNMADD, fused, IR_FNMADD, 0, 0),
    FORM(FNMSUB, fused, IR_FNMSUB, 0, 0),
    FORM(FSQRT, FSQRT, 0, 0, 0),
    FORM(FRINTN, round, 0, IR_RN, 0), /* y: raises Inexact */
    FORM(FRINTP, round, 0, IR_RP, 0),
    FORM(FRINTM, round, 0, IR_RM, 0),
    FORM(FRINTZ, round, 0, IR_RZ, 0),
    FORM(FRINTA, round, 0, IR_RA, 0),
    FORM(FRINTX, round, 0, IR_RCURRENT, 1),
    FORM(FRINTI, round, 0, IR_RCURRENT, 0),
    FORM(FMOV, FMOV, 0, 0, 0),
    FORM(FABS, FABS, 0, 0, 0),
    FORM(FNEG, FNEG, 0, 0, 0),
    FORM(FCVT, FCVT, 0, 0, 0),
    FORM(FCVTNS, to_integer, 0, IR_RN, 0), /* y: unsigned; sub: fixed point */
    FORM(FCVTNU, to_integer, 0, IR_RN, 1),
    FORM(FCVTPS, to_integer, 0, IR_RP, 0),
    FORM(FCVTPU, to_integer, 0, IR_RP, 1),
    FORM(FCVTMS, to_integer, 0, IR_RM, 0),
    FORM(FCVTMU, to_integer, 0, IR_RM, 1),
    FORM(FCVTZS, to_integer, 0, IR_RZ, 0),
    FORM(FCVTZU, to_integer, 0, IR_RZ, 1),
    FORM(FCVTAS, to_integer, 0, IR_RA, 0),
    FORM(FCVTAU, to_integer, 0, IR_RA, 1),
    FORM(FCVTZS_fix, to_integer, 1, IR_RZ, 0),
    FORM(FCVTZU_fix, to_integer, 1, IR_RZ, 1),
    FORM(FJCVTZS, FJCVTZS, 0, 0, 0),
    FORM(SCVTF, from_integer, 0, 0, 0),
    FORM(UCVTF, from_integer, 0, 0, 1),
    FORM(SCVTF_fix, from_integer, 1, 0, 0),
    FORM(UCVTF_fix, from_integer, 1, 0, 1),
    FORM(FCMP, compare, 0, 0, 0),
    FORM(FCMPE, compare, 0, 0, 0),
    FORM(FCMP_zero, compare, 0, 0, 0),
    FORM(FCMPE_zero, compare, 0, 0, 0),
    FORM(FCCMP, compare_if, 0, 0, 0),
    FORM(FCCMPE, compare_if, 0, 0, 0),
    FORM(FCSEL, FCSEL, 0, 0, 0),
    FORM(FMOV_imm, FMOV_imm, 0, 0, 0),
    FORM(FMOV_to_gp, to_general, 0, 0, 0),
    FORM(FMOV_to_gp_top, to_general, 0, 0, 0),
    FORM(FMOV_from_gp, from_general, 0, 0, 0),
    FORM(FMOV_from_gp_top, from_general, 0, 0, 0),
};
/* clang-format on */
const unsigned lift_rows_fp_count = ARRAY_SIZE(lift_rows_fp);
