/* lift_simd_fp.c: Advanced SIMD floating point (DDI 0487 C4.1.90), under a plain FPCR, as in
 * lift_fp.c.
 */
#include "core/translator/lift_int.h"

#include "base/bytes.h"
#include "core/arm64/interpreter.h"

/* Of type p: 0 single, 1 double, 3 half. NULL: left to the interpreter. */
static struct ir_op *typed(struct lifter *l, const struct a64_insn *in, enum ir_opcode op,
                           unsigned p)
{
    bool bits_alone = in->op == A64_OP_FABS_vec || in->op == A64_OP_FNEG_vec;
    if (!bits_alone && !(l->source->context & LIFT_FP_PLAIN))
        return NULL;
    const struct lift_form *f = form_of(l, in);
    struct ir_op *o = emit_op(l, op, p > 1 ? IR_F16 : p ? IR_F64 : IR_F32);
    o->d = in->d;
    o->a = in->n;
    o->b = in->m;
    o->flags = in->Q && !in->e ? IR_Q : 0;
    o->sub = f->sub;
    o->x = f->x;
    o->y = f->y;
    return o;
}

static struct ir_op *vec(struct lifter *l, const struct a64_insn *in, enum ir_opcode op)
{
    return typed(l, in, op, in->p);
}

LIFT(three)
{
    struct ir_op *o = vec(l, in, IR_VFP3);
    if (o)
        o->y = in->e;
    return o;
}

LIFT(with_zero)
{
    struct ir_op *o = vec(l, in, IR_VFP3);
    if (o) {
        o->b = IR_IMM;
        o->y = in->e;
    }
    return o;
}

LIFT(by_element)
{
    unsigned z = in->p > 1 ? 1 : in->p ? 3 : 2;
    struct ir_op *o = vec(l, in, IR_VFP3);
    if (o) {
        o->b = (uint8_t)a64_element_reg(in, z);
        o->size = (uint8_t)(a64_element_index(in, z) + 1);
        o->y = in->e;
    }
    return o;
}

/* Of the two lowest elements of one register. */
LIFT(pair)
{
    struct ir_op *o = vec(l, in, IR_VFP3);
    if (o) {
        o->b = o->a;
        o->y = 1;
    }
    return o;
}

LIFT(two)
{
    struct ir_op *o = vec(l, in, IR_VFP2);
    if (o)
        o->size = in->e;
    return o;
}

LIFT(resize) /* p: the narrow side, 0 half, 1 single */
{
    return typed(l, in, IR_VFP2, in->p ? 1 : 3);
}

/* immh's highest bit tells the lane size. */
LIFT(fixed_point)
{
    unsigned bits = in->h < 32 ? 16 : in->h < 64 ? 32 : 64;
    struct ir_op *o = typed(l, in, IR_VFP2, bits == 16 ? 3 : bits == 64);
    if (o) {
        o->size = in->e;
        o->c = (uint8_t)(2 * bits - in->h);
    }
    return o;
}

/* FCADD has one bit of rotation: by one right angle, or by three. */
LIFT(complex)
{
    struct ir_op *o = typed(l, in, IR_VFP3, in->z < 2 ? 3 : in->z - 2u);
    if (o)
        o->x = (uint8_t)(o->sub == IR_FCADD ? 1 + 2 * in->r : in->r);
    return o;
}

/* The index counts complex numbers, and all bits of m name the register. */
LIFT(complex_by_element)
{
    if (!lift_complex(l, in))
        return false;
    struct ir_op *o = &l->unit->ops[l->unit->count - 1];
    o->b = (uint8_t)(in->M * 16u + in->m);
    o->size = (uint8_t)((in->z == 1 ? 2 * in->H + in->L : in->H) + 1);
    return true;
}

/* FMLAL and kin: halves of halves, to singles. */
LIFT(half_long)
{
    return typed(l, in, IR_VFP3, 0);
}

LIFT(half_long_by_element)
{
    struct ir_op *o = typed(l, in, IR_VFP3, 0);
    if (o) {
        o->b = (uint8_t)a64_element_reg(in, 1);
        o->size = (uint8_t)(a64_element_index(in, 1) + 1);
    }
    return o;
}

/* Rounding, and whether Inexact is raised, where the operation has them. */
/* clang-format off */
const struct lift_form_row lift_rows_simd_fp[] = {
    FORM(FADD_vec, three, IR_FADD, 0, 0),
    FORM(FSUB_vec, three, IR_FSUB, 0, 0),
    FORM(FMUL_vec, three, IR_FMUL, 0, 0),
    FORM(FDIV_vec, three, IR_FDIV, 0, 0),
    FORM(FMAX_vec, three, IR_FMAX, 0, 0),
    FORM(FMIN_vec, three, IR_FMIN, 0, 0),
    FORM(FMAXNM_vec, three, IR_FMAX, 0, 0),
    FORM(FMINNM_vec, three, IR_FMIN, 0, 0),
    FORM(FMLA_vec, three, IR_FMLA, 0, 0),
    FORM(FMLS_vec, three, IR_FMLS, 0, 0),
    FORM(FABD_vec, three, IR_FABD, 0, 0),
    FORM(FABD_sc, three, IR_FABD, 0, 0),
    FORM(FADDP_vec, three, IR_FADDP, 0, 0),
    FORM(FCMEQ_vec, three, IR_FCMEQ, 0, 0),
    FORM(FCMEQ_sc, three, IR_FCMEQ, 0, 0),
    FORM(FCMGE_vec, three, IR_FCMGE, 0, 0),
    FORM(FCMGE_sc, three, IR_FCMGE, 0, 0),
    FORM(FCMGT_vec, three, IR_FCMGT, 0, 0),
    FORM(FCMGT_sc, three, IR_FCMGT, 0, 0),
    FORM(FACGE_vec, three, IR_FACGE, 0, 0),
    FORM(FACGE_sc, three, IR_FACGE, 0, 0),
    FORM(FACGT_vec, three, IR_FACGT, 0, 0),
    FORM(FACGT_sc, three, IR_FACGT, 0, 0),
    FORM(FADDP_pair, pair, IR_FADDP, 0, 0),
    FORM(FCMEQ_zero_vec, with_zero, IR_FCMEQ, 0, 0),
    FORM(FCMEQ_zero_sc, with_zero, IR_FCMEQ, 0, 0),
    FORM(FCMGE_zero_vec, with_zero, IR_FCMGE, 0, 0),
    FORM(FCMGE_zero_sc, with_zero, IR_FCMGE, 0, 0),
    FORM(FCMGT_zero_vec, with_zero, IR_FCMGT, 0, 0),
    FORM(FCMGT_zero_sc, with_zero, IR_FCMGT, 0, 0),
    FORM(FCMLE_zero_vec, with_zero, IR_FCMLE, 0, 0),
    FORM(FCMLE_zero_sc, with_zero, IR_FCMLE, 0, 0),
    FORM(FCMLT_zero_vec, with_zero, IR_FCMLT, 0, 0),
    FORM(FCMLT_zero_sc, with_zero, IR_FCMLT, 0, 0),
    FORM(FMUL_elem, by_element, IR_FMUL, 0, 0),
    FORM(FMUL_elem_sc, by_element, IR_FMUL, 0, 0),
    FORM(FMLA_elem, by_element, IR_FMLA, 0, 0),
    FORM(FMLA_elem_sc, by_element, IR_FMLA, 0, 0),
    FORM(FMLS_elem, by_element, IR_FMLS, 0, 0),
    FORM(FMLS_elem_sc, by_element, IR_FMLS, 0, 0),
    FORM(FSQRT_vec, two, IR_F_SQRT, 0, 0),
    FORM(FABS_vec, two, IR_F_ABS, 0, 0),
    FORM(FNEG_vec, two, IR_F_NEG, 0, 0),
    FORM(FRINTN_vec, two, IR_F_RINT, IR_RN, 0),
    FORM(FRINTP_vec, two, IR_F_RINT, IR_RP, 0),
    FORM(FRINTM_vec, two, IR_F_RINT, IR_RM, 0),
    FORM(FRINTZ_vec, two, IR_F_RINT, IR_RZ, 0),
    FORM(FRINTX_vec, two, IR_F_RINT, IR_RCURRENT, 1),
    FORM(FRINTI_vec, two, IR_F_RINT, IR_RCURRENT, 0),
    FORM(SCVTF_vec, two, IR_F_FROM_SIGNED, 0, 0),
    FORM(SCVTF_sc, two, IR_F_FROM_SIGNED, 0, 0),
    FORM(UCVTF_vec, two, IR_F_FROM_UNSIGNED, 0, 0),
    FORM(UCVTF_sc, two, IR_F_FROM_UNSIGNED, 0, 0),
    FORM(FCVTZS_vec, two, IR_F_TO_SIGNED, IR_RZ, 0),
    FORM(FCVTZS_sc, two, IR_F_TO_SIGNED, IR_RZ, 0),
    FORM(FCVTZU_vec, two, IR_F_TO_UNSIGNED, IR_RZ, 0),
    FORM(FCVTZU_sc, two, IR_F_TO_UNSIGNED, IR_RZ, 0),
    FORM(FCVTL_vec, resize, IR_F_LONG, 0, 0),
    FORM(FCVTN_vec, resize, IR_F_NARROW, 0, 0),
    FORM(FMULX_vec, three, IR_FMULX, 0, 0),
    FORM(FMULX_sc, three, IR_FMULX, 0, 0),
    FORM(FMULX_elem, by_element, IR_FMULX, 0, 0),
    FORM(FMULX_elem_sc, by_element, IR_FMULX, 0, 0),
    FORM(FRECPS_vec, three, IR_FRECPS, 0, 0),
    FORM(FRECPS_sc, three, IR_FRECPS, 0, 0),
    FORM(FRSQRTS_vec, three, IR_FRSQRTS, 0, 0),
    FORM(FRSQRTS_sc, three, IR_FRSQRTS, 0, 0),
    FORM(FMAXP_vec, three, IR_FMAXP, 0, 0),
    FORM(FMINP_vec, three, IR_FMINP, 0, 0),
    FORM(FMAXNMP_vec, three, IR_FMAXP, 0, 0),
    FORM(FMINNMP_vec, three, IR_FMINP, 0, 0),
    FORM(FMAXP_pair, pair, IR_FMAXP, 0, 0),
    FORM(FMINP_pair, pair, IR_FMINP, 0, 0),
    FORM(FMAXNMP_pair, pair, IR_FMAXP, 0, 0),
    FORM(FMINNMP_pair, pair, IR_FMINP, 0, 0),
    FORM(FMAXV, two, IR_F_MAXV, 0, 0),
    FORM(FMINV, two, IR_F_MINV, 0, 0),
    FORM(FMAXNMV, two, IR_F_MAXV, 0, 0),
    FORM(FMINNMV, two, IR_F_MINV, 0, 0),
    FORM(FCADD_vec, complex, IR_FCADD, 0, 0),
    FORM(FCMLA_vec, complex, IR_FCMLA, 0, 0),
    FORM(FCMLA_elem, complex_by_element, IR_FCMLA, 0, 0),
    FORM(FRINTA_vec, two, IR_F_RINT, IR_RA, 0),
    FORM(FCVTNS_vec, two, IR_F_TO_SIGNED, IR_RN, 0),
    FORM(FCVTNS_sc, two, IR_F_TO_SIGNED, IR_RN, 0),
    FORM(FCVTNU_vec, two, IR_F_TO_UNSIGNED, IR_RN, 0),
    FORM(FCVTNU_sc, two, IR_F_TO_UNSIGNED, IR_RN, 0),
    FORM(FCVTPS_vec, two, IR_F_TO_SIGNED, IR_RP, 0),
    FORM(FCVTPS_sc, two, IR_F_TO_SIGNED, IR_RP, 0),
    FORM(FCVTPU_vec, two, IR_F_TO_UNSIGNED, IR_RP, 0),
    FORM(FCVTPU_sc, two, IR_F_TO_UNSIGNED, IR_RP, 0),
    FORM(FCVTMS_vec, two, IR_F_TO_SIGNED, IR_RM, 0),
    FORM(FCVTMS_sc, two, IR_F_TO_SIGNED, IR_RM, 0),
    FORM(FCVTMU_vec, two, IR_F_TO_UNSIGNED, IR_RM, 0),
    FORM(FCVTMU_sc, two, IR_F_TO_UNSIGNED, IR_RM, 0),
    FORM(FCVTAS_vec, two, IR_F_TO_SIGNED, IR_RA, 0),
    FORM(FCVTAS_sc, two, IR_F_TO_SIGNED, IR_RA, 0),
    FORM(FCVTAU_vec, two, IR_F_TO_UNSIGNED, IR_RA, 0),
    FORM(FCVTAU_sc, two, IR_F_TO_UNSIGNED, IR_RA, 0),
    FORM(SCVTF_fix_vec, fixed_point, IR_F_FROM_SIGNED, 0, 0),
    FORM(SCVTF_fix_sc, fixed_point, IR_F_FROM_SIGNED, 0, 0),
    FORM(UCVTF_fix_vec, fixed_point, IR_F_FROM_UNSIGNED, 0, 0),
    FORM(UCVTF_fix_sc, fixed_point, IR_F_FROM_UNSIGNED, 0, 0),
    FORM(FCVTZS_fix_vec, fixed_point, IR_F_TO_SIGNED, IR_RZ, 0),
    FORM(FCVTZS_fix_sc, fixed_point, IR_F_TO_SIGNED, IR_RZ, 0),
    FORM(FCVTZU_fix_vec, fixed_point, IR_F_TO_UNSIGNED, IR_RZ, 0),
    FORM(FCVTZU_fix_sc, fixed_point, IR_F_TO_UNSIGNED, IR_RZ, 0),
    FORM(FRECPE_vec, two, IR_F_RECPE, 0, 0),
    FORM(FRECPE_sc, two, IR_F_RECPE, 0, 0),
    FORM(FRSQRTE_vec, two, IR_F_RSQRTE, 0, 0),
    FORM(FRSQRTE_sc, two, IR_F_RSQRTE, 0, 0),
    FORM(FMLAL_vec, half_long, IR_FMLAL, 0, 0),
    FORM(FMLAL_elem, half_long_by_element, IR_FMLAL, 0, 0),
    FORM(FMLAL2_vec, half_long, IR_FMLAL, 1, 0),
    FORM(FMLAL2_elem, half_long_by_element, IR_FMLAL, 1, 0),
    FORM(FMLSL_vec, half_long, IR_FMLSL, 0, 0),
    FORM(FMLSL_elem, half_long_by_element, IR_FMLSL, 0, 0),
    FORM(FMLSL2_vec, half_long, IR_FMLSL, 1, 0),
    FORM(FMLSL2_elem, half_long_by_element, IR_FMLSL, 1, 0),
};
/* clang-format on */
const unsigned lift_rows_simd_fp_count = ARRAY_SIZE(lift_rows_simd_fp);
