/* lift_simd_fp.c: Advanced SIMD floating point (DDI 0487 C4.1.90), in single and double precision
 * under a plain FPCR, as in lift_fp.c.
 */
#include "core/translator/lift_int.h"

#include "base/bytes.h"
#include "core/arm64/interpreter.h"

/* clang-format off */
static const struct {
    uint16_t guest;
    uint8_t sub, x, y; /* enum ir_fbin, enum ir_funary; rounding, raises Inexact */
} operations[] = {
    {A64_OP_FADD_vec, IR_FADD, 0, 0},
    {A64_OP_FSUB_vec, IR_FSUB, 0, 0},
    {A64_OP_FMUL_vec, IR_FMUL, 0, 0},
    {A64_OP_FDIV_vec, IR_FDIV, 0, 0},
    {A64_OP_FMAX_vec, IR_FMAX, 0, 0},
    {A64_OP_FMIN_vec, IR_FMIN, 0, 0},
    {A64_OP_FMAXNM_vec, IR_FMAX, 0, 0},
    {A64_OP_FMINNM_vec, IR_FMIN, 0, 0},
    {A64_OP_FMLA_vec, IR_FMLA, 0, 0},
    {A64_OP_FMLS_vec, IR_FMLS, 0, 0},
    {A64_OP_FABD_vec, IR_FABD, 0, 0},
    {A64_OP_FABD_sc, IR_FABD, 0, 0},
    {A64_OP_FADDP_vec, IR_FADDP, 0, 0},
    {A64_OP_FADDP_pair, IR_FADDP, 0, 0},
    {A64_OP_FCMEQ_vec, IR_FCMEQ, 0, 0},
    {A64_OP_FCMEQ_sc, IR_FCMEQ, 0, 0},
    {A64_OP_FCMGE_vec, IR_FCMGE, 0, 0},
    {A64_OP_FCMGE_sc, IR_FCMGE, 0, 0},
    {A64_OP_FCMGT_vec, IR_FCMGT, 0, 0},
    {A64_OP_FCMGT_sc, IR_FCMGT, 0, 0},
    {A64_OP_FACGE_vec, IR_FACGE, 0, 0},
    {A64_OP_FACGE_sc, IR_FACGE, 0, 0},
    {A64_OP_FACGT_vec, IR_FACGT, 0, 0},
    {A64_OP_FACGT_sc, IR_FACGT, 0, 0},
    {A64_OP_FCMEQ_zero_vec, IR_FCMEQ, 0, 0},
    {A64_OP_FCMEQ_zero_sc, IR_FCMEQ, 0, 0},
    {A64_OP_FCMGE_zero_vec, IR_FCMGE, 0, 0},
    {A64_OP_FCMGE_zero_sc, IR_FCMGE, 0, 0},
    {A64_OP_FCMGT_zero_vec, IR_FCMGT, 0, 0},
    {A64_OP_FCMGT_zero_sc, IR_FCMGT, 0, 0},
    {A64_OP_FCMLE_zero_vec, IR_FCMLE, 0, 0},
    {A64_OP_FCMLE_zero_sc, IR_FCMLE, 0, 0},
    {A64_OP_FCMLT_zero_vec, IR_FCMLT, 0, 0},
    {A64_OP_FCMLT_zero_sc, IR_FCMLT, 0, 0},
    {A64_OP_FMUL_elem, IR_FMUL, 0, 0},
    {A64_OP_FMUL_elem_sc, IR_FMUL, 0, 0},
    {A64_OP_FMLA_elem, IR_FMLA, 0, 0},
    {A64_OP_FMLA_elem_sc, IR_FMLA, 0, 0},
    {A64_OP_FMLS_elem, IR_FMLS, 0, 0},
    {A64_OP_FMLS_elem_sc, IR_FMLS, 0, 0},
    {A64_OP_FSQRT_vec, IR_F_SQRT, 0, 0},
    {A64_OP_FABS_vec, IR_F_ABS, 0, 0},
    {A64_OP_FNEG_vec, IR_F_NEG, 0, 0},
    {A64_OP_FRINTN_vec, IR_F_RINT, IR_RN, 0},
    {A64_OP_FRINTP_vec, IR_F_RINT, IR_RP, 0},
    {A64_OP_FRINTM_vec, IR_F_RINT, IR_RM, 0},
    {A64_OP_FRINTZ_vec, IR_F_RINT, IR_RZ, 0},
    {A64_OP_FRINTX_vec, IR_F_RINT, IR_RCURRENT, 1},
    {A64_OP_FRINTI_vec, IR_F_RINT, IR_RCURRENT, 0},
    {A64_OP_SCVTF_vec, IR_F_FROM_SIGNED, 0, 0},
    {A64_OP_SCVTF_sc, IR_F_FROM_SIGNED, 0, 0},
    {A64_OP_UCVTF_vec, IR_F_FROM_UNSIGNED, 0, 0},
    {A64_OP_UCVTF_sc, IR_F_FROM_UNSIGNED, 0, 0},
    {A64_OP_FCVTZS_vec, IR_F_TO_SIGNED, 0, 0},
    {A64_OP_FCVTZS_sc, IR_F_TO_SIGNED, 0, 0},
    {A64_OP_FCVTZU_vec, IR_F_TO_UNSIGNED, 0, 0},
    {A64_OP_FCVTZU_sc, IR_F_TO_UNSIGNED, 0, 0},
    {A64_OP_FCVTL_vec, IR_F_LONG, 0, 0},
    {A64_OP_FCVTN_vec, IR_F_NARROW, 0, 0},
};
/* clang-format on */

/* NULL: left to the interpreter. */
static struct ir_op *vec(struct lifter *l, const struct a64_insn *in, enum ir_opcode op)
{
    bool bits_alone = in->op == A64_OP_FABS_vec || in->op == A64_OP_FNEG_vec;
    if (in->p > 1 || !(bits_alone || (l->source->context & LIFT_FP_PLAIN)))
        return NULL;
    struct ir_op *o = emit_op(l, op, in->p ? IR_F64 : IR_F32);
    o->d = in->d;
    o->a = in->n;
    o->b = in->m;
    o->flags = in->Q && !in->e ? IR_Q : 0;
    unsigned i = 0;
    while (operations[i].guest != in->op)
        i++;
    o->sub = operations[i].sub;
    o->x = operations[i].x;
    o->y = operations[i].y;
    return o;
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
    unsigned z = in->p ? 3 : 2;
    struct ir_op *o = vec(l, in, IR_VFP3);
    if (o) {
        o->b = (uint8_t)a64_element_reg(in, z);
        o->size = (uint8_t)(a64_element_index(in, z) + 1);
        o->y = in->e;
    }
    return o;
}

LIFT(FADDP_pair)
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

LIFT(resize) /* p: the narrow side; from or to half precision is left */
{
    return in->p == 1 && vec(l, in, IR_VFP2);
}

/* clang-format off */
const struct lift_row lift_rows_simd_fp[] = {
    {A64_OP_FADD_vec, lift_three},
    {A64_OP_FSUB_vec, lift_three},
    {A64_OP_FMUL_vec, lift_three},
    {A64_OP_FDIV_vec, lift_three},
    {A64_OP_FMAX_vec, lift_three},
    {A64_OP_FMIN_vec, lift_three},
    {A64_OP_FMAXNM_vec, lift_three},
    {A64_OP_FMINNM_vec, lift_three},
    {A64_OP_FMLA_vec, lift_three},
    {A64_OP_FMLS_vec, lift_three},
    {A64_OP_FABD_vec, lift_three},
    {A64_OP_FABD_sc, lift_three},
    {A64_OP_FADDP_vec, lift_three},
    {A64_OP_FCMEQ_vec, lift_three},
    {A64_OP_FCMEQ_sc, lift_three},
    {A64_OP_FCMGE_vec, lift_three},
    {A64_OP_FCMGE_sc, lift_three},
    {A64_OP_FCMGT_vec, lift_three},
    {A64_OP_FCMGT_sc, lift_three},
    {A64_OP_FACGE_vec, lift_three},
    {A64_OP_FACGE_sc, lift_three},
    {A64_OP_FACGT_vec, lift_three},
    {A64_OP_FACGT_sc, lift_three},
    ROW(FADDP_pair),
    {A64_OP_FCMEQ_zero_vec, lift_with_zero},
    {A64_OP_FCMEQ_zero_sc, lift_with_zero},
    {A64_OP_FCMGE_zero_vec, lift_with_zero},
    {A64_OP_FCMGE_zero_sc, lift_with_zero},
    {A64_OP_FCMGT_zero_vec, lift_with_zero},
    {A64_OP_FCMGT_zero_sc, lift_with_zero},
    {A64_OP_FCMLE_zero_vec, lift_with_zero},
    {A64_OP_FCMLE_zero_sc, lift_with_zero},
    {A64_OP_FCMLT_zero_vec, lift_with_zero},
    {A64_OP_FCMLT_zero_sc, lift_with_zero},
    {A64_OP_FMUL_elem, lift_by_element},
    {A64_OP_FMUL_elem_sc, lift_by_element},
    {A64_OP_FMLA_elem, lift_by_element},
    {A64_OP_FMLA_elem_sc, lift_by_element},
    {A64_OP_FMLS_elem, lift_by_element},
    {A64_OP_FMLS_elem_sc, lift_by_element},
    {A64_OP_FSQRT_vec, lift_two},
    {A64_OP_FABS_vec, lift_two},
    {A64_OP_FNEG_vec, lift_two},
    {A64_OP_FRINTN_vec, lift_two},
    {A64_OP_FRINTP_vec, lift_two},
    {A64_OP_FRINTM_vec, lift_two},
    {A64_OP_FRINTZ_vec, lift_two},
    {A64_OP_FRINTX_vec, lift_two},
    {A64_OP_FRINTI_vec, lift_two},
    {A64_OP_SCVTF_vec, lift_two},
    {A64_OP_SCVTF_sc, lift_two},
    {A64_OP_UCVTF_vec, lift_two},
    {A64_OP_UCVTF_sc, lift_two},
    {A64_OP_FCVTZS_vec, lift_two},
    {A64_OP_FCVTZS_sc, lift_two},
    {A64_OP_FCVTZU_vec, lift_two},
    {A64_OP_FCVTZU_sc, lift_two},
    {A64_OP_FCVTL_vec, lift_resize},
    {A64_OP_FCVTN_vec, lift_resize},
};
/* clang-format on */
const unsigned lift_rows_simd_fp_count = ARRAY_SIZE(lift_rows_simd_fp);
