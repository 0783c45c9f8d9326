/* lift_fp.c: scalar floating point (DDI 0487 C4.1.90).
 *
 * Arithmetic is lifted for single and double precision under a plain FPCR (LIFT_FP_PLAIN); the
 * rest, half precision included, stays with the interpreter. Moves, FABS and FNEG do not look at
 * FPCR.
 */
#include "core/translator/lift_int.h"

#include "base/bytes.h"
#include "core/arm64/fp.h"

static bool is_half(const struct a64_insn *in)
{
    return in->p > 1;
}

static bool plain(const struct lifter *l, const struct a64_insn *in)
{
    return !is_half(in) && (l->source->context & LIFT_FP_PLAIN);
}

static enum ir_type fp_type(const struct a64_insn *in)
{
    return in->p ? IR_F64 : IR_F32;
}

static uint8_t fp_bytes(const struct a64_insn *in)
{
    return in->p ? 8 : 4;
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

/* What one table line turns into. */
struct form {
    uint16_t guest;
    uint8_t op, sub, x, y;
};

static const struct form *form_of(const struct form *forms, const struct a64_insn *in)
{
    while (forms->guest != in->op)
        forms++;
    return forms;
}

LIFT(arithmetic)
{
    static const struct form forms[] = {
        {A64_OP_FADD, IR_FBIN, IR_FADD, 0, 0},
        {A64_OP_FSUB, IR_FBIN, IR_FSUB, 0, 0},
        {A64_OP_FMUL, IR_FBIN, IR_FMUL, 0, 0},
        {A64_OP_FNMUL, IR_FBIN, IR_FNMUL, 0, 0},
        {A64_OP_FDIV, IR_FBIN, IR_FDIV, 0, 0},
        {A64_OP_FMAX, IR_FBIN, IR_FMAX, 0, 0},
        {A64_OP_FMIN, IR_FBIN, IR_FMIN, 0, 0},
        {A64_OP_FMAXNM, IR_FBIN, IR_FMAX, 0, 0}, /* they differ with NaNs alone */
        {A64_OP_FMINNM, IR_FBIN, IR_FMIN, 0, 0},
        {A64_OP_FMADD, IR_FMA, IR_FMADD, 0, 0},
        {A64_OP_FMSUB, IR_FMA, IR_FMSUB, 0, 0},
        {A64_OP_FNMADD, IR_FMA, IR_FNMADD, 0, 0},
        {A64_OP_FNMSUB, IR_FMA, IR_FNMSUB, 0, 0},
        {A64_OP_FSQRT, IR_FSQRT, 0, 0, 0},
        {A64_OP_FRINTN, IR_FRINT, 0, IR_RN, 0},
        {A64_OP_FRINTP, IR_FRINT, 0, IR_RP, 0},
        {A64_OP_FRINTM, IR_FRINT, 0, IR_RM, 0},
        {A64_OP_FRINTZ, IR_FRINT, 0, IR_RZ, 0},
        {A64_OP_FRINTX, IR_FRINT, 0, IR_RCURRENT, 1},
        {A64_OP_FRINTI, IR_FRINT, 0, IR_RCURRENT, 0},
    };
    if (!plain(l, in))
        return false;
    const struct form *f = form_of(forms, in);
    struct ir_op *o = fp_op(l, in, (enum ir_opcode)f->op);
    o->sub = f->sub;
    o->x = f->x;
    o->y = f->y;
    return true;
}

LIFT(move)
{
    static const struct form forms[] = {{A64_OP_FMOV, IR_FMOV, 0, 0, 0},
                                        {A64_OP_FABS, IR_FABS, 0, 0, 0},
                                        {A64_OP_FNEG, IR_FNEG, 0, 0, 0}};
    if (is_half(in))
        return false;
    fp_op(l, in, (enum ir_opcode)form_of(forms, in)->op);
    return true;
}

LIFT(FCVT)
{
    if (!plain(l, in) || in->o > 1) /* to half precision */
        return false;
    fp_op(l, in, IR_FCVT);
    return true;
}

LIFT(to_integer)
{
    static const struct form forms[] = {
        {A64_OP_FCVTNS, 0, 0, IR_RN, 0}, {A64_OP_FCVTNU, 0, 0, IR_RN, 1},
        {A64_OP_FCVTPS, 0, 0, IR_RP, 0}, {A64_OP_FCVTPU, 0, 0, IR_RP, 1},
        {A64_OP_FCVTMS, 0, 0, IR_RM, 0}, {A64_OP_FCVTMU, 0, 0, IR_RM, 1},
        {A64_OP_FCVTZS, 0, 0, IR_RZ, 0}, {A64_OP_FCVTZU, 0, 0, IR_RZ, 1},
    };
    if (!plain(l, in))
        return false;
    const struct form *f = form_of(forms, in);
    struct ir_op *o = emit_op(l, IR_FTOI, int_type(in));
    o->d = zr(in->d);
    o->a = in->n;
    o->size = fp_bytes(in);
    o->x = f->x;
    o->y = f->y;
    return true;
}

LIFT(from_integer)
{
    if (!plain(l, in))
        return false;
    struct ir_op *o = emit_op(l, IR_ITOF, fp_type(in));
    o->d = in->d;
    o->a = zr(in->n);
    o->size = in->f ? 8 : 4;
    o->y = in->op == A64_OP_UCVTF;
    return true;
}

LIFT(compare)
{
    if (!plain(l, in))
        return false;
    struct ir_op *o = fp_op(l, in, IR_FCMP);
    if (in->op == A64_OP_FCMP_zero || in->op == A64_OP_FCMPE_zero)
        o->b = IR_IMM;
    o->y = in->op == A64_OP_FCMPE || in->op == A64_OP_FCMPE_zero;
    return true;
}

LIFT(compare_if)
{
    if (!plain(l, in))
        return false;
    struct ir_op *o = fp_op(l, in, IR_FCCMP);
    o->x = in->c;
    o->y = (uint8_t)(in->k << 1 | (in->op == A64_OP_FCCMPE));
    return true;
}

LIFT(FCSEL)
{
    if (is_half(in))
        return false;
    struct ir_op *o = fp_op(l, in, in->c < 14 ? IR_FCSEL : IR_FMOV);
    o->x = in->c;
    return true;
}

LIFT(FMOV_imm)
{
    if (is_half(in))
        return false;
    struct ir_op *o = emit_op(l, IR_VCONST, IR_I64);
    o->d = in->d;
    o->imm = (int64_t)a64_fp_expand_imm(in->p ? A64_FP64 : A64_FP32, in->i);
    return true;
}

LIFT(to_general)
{
    bool top = in->op == A64_OP_FMOV_to_gp_top;
    if (!top && is_half(in))
        return false;
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
    if (!top && is_half(in))
        return false;
    struct ir_op *o = emit_op(l, top ? IR_VINSG : IR_VFROMG, IR_I64);
    o->d = in->d;
    o->a = zr(in->n);
    o->x = top;
    o->size = top ? 8 : fp_bytes(in);
    return true;
}

const struct lift_row lift_rows_fp[] = {
    {A64_OP_FADD, lift_arithmetic},
    {A64_OP_FSUB, lift_arithmetic},
    {A64_OP_FMUL, lift_arithmetic},
    {A64_OP_FNMUL, lift_arithmetic},
    {A64_OP_FDIV, lift_arithmetic},
    {A64_OP_FMAX, lift_arithmetic},
    {A64_OP_FMIN, lift_arithmetic},
    {A64_OP_FMAXNM, lift_arithmetic},
    {A64_OP_FMINNM, lift_arithmetic},
    {A64_OP_FMADD, lift_arithmetic},
    {A64_OP_FMSUB, lift_arithmetic},
    {A64_OP_FNMADD, lift_arithmetic},
    {A64_OP_FNMSUB, lift_arithmetic},
    {A64_OP_FSQRT, lift_arithmetic},
    {A64_OP_FRINTN, lift_arithmetic},
    {A64_OP_FRINTP, lift_arithmetic},
    {A64_OP_FRINTM, lift_arithmetic},
    {A64_OP_FRINTZ, lift_arithmetic},
    {A64_OP_FRINTX, lift_arithmetic},
    {A64_OP_FRINTI, lift_arithmetic},
    {A64_OP_FMOV, lift_move},
    {A64_OP_FABS, lift_move},
    {A64_OP_FNEG, lift_move},
    ROW(FCVT),
    {A64_OP_FCVTNS, lift_to_integer},
    {A64_OP_FCVTNU, lift_to_integer},
    {A64_OP_FCVTPS, lift_to_integer},
    {A64_OP_FCVTPU, lift_to_integer},
    {A64_OP_FCVTMS, lift_to_integer},
    {A64_OP_FCVTMU, lift_to_integer},
    {A64_OP_FCVTZS, lift_to_integer},
    {A64_OP_FCVTZU, lift_to_integer},
    {A64_OP_SCVTF, lift_from_integer},
    {A64_OP_UCVTF, lift_from_integer},
    {A64_OP_FCMP, lift_compare},
    {A64_OP_FCMPE, lift_compare},
    {A64_OP_FCMP_zero, lift_compare},
    {A64_OP_FCMPE_zero, lift_compare},
    {A64_OP_FCCMP, lift_compare_if},
    {A64_OP_FCCMPE, lift_compare_if},
    ROW(FCSEL),
    ROW(FMOV_imm),
    {A64_OP_FMOV_to_gp, lift_to_general},
    {A64_OP_FMOV_to_gp_top, lift_to_general},
    {A64_OP_FMOV_from_gp, lift_from_general},
    {A64_OP_FMOV_from_gp_top, lift_from_general},
};
const unsigned lift_rows_fp_count = ARRAY_SIZE(lift_rows_fp);
