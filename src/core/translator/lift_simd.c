/* lift_simd.c: Advanced SIMD on integers and bits (DDI 0487 C4.1.90).
 *
 * One table says which vector operation an instruction is; a few functions by encoding group fetch
 * its operands. What a host has no sequence for, the emitter gives to the interpreter.
 */
#include "core/translator/lift_int.h"

#include "base/bytes.h"
#include "core/arm64/interpreter.h"

/* clang-format off */
static const struct {
    uint16_t guest;
    uint16_t sub; /* enum ir_vec */
} operations[] = {
    {A64_OP_ADD_vec, IR_V_ADD},
    {A64_OP_SUB_vec, IR_V_SUB},
    {A64_OP_MUL_vec, IR_V_MUL},
    {A64_OP_SMAX_vec, IR_V_SMAX},
    {A64_OP_SMIN_vec, IR_V_SMIN},
    {A64_OP_UMAX_vec, IR_V_UMAX},
    {A64_OP_UMIN_vec, IR_V_UMIN},
    {A64_OP_CMEQ_vec, IR_V_CMEQ},
    {A64_OP_CMGT_vec, IR_V_CMGT},
    {A64_OP_CMGE_vec, IR_V_CMGE},
    {A64_OP_CMHI_vec, IR_V_CMHI},
    {A64_OP_CMHS_vec, IR_V_CMHS},
    {A64_OP_CMTST_vec, IR_V_CMTST},
    {A64_OP_SQADD_vec, IR_V_SQADD},
    {A64_OP_SQSUB_vec, IR_V_SQSUB},
    {A64_OP_UQADD_vec, IR_V_UQADD},
    {A64_OP_UQSUB_vec, IR_V_UQSUB},
    {A64_OP_URHADD_vec, IR_V_URHADD},
    {A64_OP_MLA_vec, IR_V_MLA},
    {A64_OP_MLS_vec, IR_V_MLS},
    {A64_OP_SABD_vec, IR_V_SABD},
    {A64_OP_UABD_vec, IR_V_UABD},
    {A64_OP_SABA_vec, IR_V_SABA},
    {A64_OP_UABA_vec, IR_V_UABA},
    {A64_OP_ADDP_vec, IR_V_ADDP},
    {A64_OP_SMAXP_vec, IR_V_SMAXP},
    {A64_OP_SMINP_vec, IR_V_SMINP},
    {A64_OP_UMAXP_vec, IR_V_UMAXP},
    {A64_OP_UMINP_vec, IR_V_UMINP},
    {A64_OP_USHL_vec, IR_V_USHL},
    {A64_OP_SSHL_vec, IR_V_SSHL},
    {A64_OP_SADDL_vec, IR_V_SADDL},
    {A64_OP_UADDL_vec, IR_V_UADDL},
    {A64_OP_SSUBL_vec, IR_V_SSUBL},
    {A64_OP_USUBL_vec, IR_V_USUBL},
    {A64_OP_SADDW_vec, IR_V_SADDW},
    {A64_OP_UADDW_vec, IR_V_UADDW},
    {A64_OP_SSUBW_vec, IR_V_SSUBW},
    {A64_OP_USUBW_vec, IR_V_USUBW},
    {A64_OP_SMULL_vec, IR_V_SMULL},
    {A64_OP_UMULL_vec, IR_V_UMULL},
    {A64_OP_SMLAL_vec, IR_V_SMLAL},
    {A64_OP_UMLAL_vec, IR_V_UMLAL},
    {A64_OP_SMLSL_vec, IR_V_SMLSL},
    {A64_OP_UMLSL_vec, IR_V_UMLSL},
    {A64_OP_SABDL_vec, IR_V_SABDL},
    {A64_OP_UABDL_vec, IR_V_UABDL},
    {A64_OP_SABAL_vec, IR_V_SABAL},
    {A64_OP_UABAL_vec, IR_V_UABAL},
    {A64_OP_ADD_sc, IR_V_ADD},
    {A64_OP_SUB_sc, IR_V_SUB},
    {A64_OP_CMEQ_sc, IR_V_CMEQ},
    {A64_OP_CMGT_sc, IR_V_CMGT},
    {A64_OP_CMGE_sc, IR_V_CMGE},
    {A64_OP_CMHI_sc, IR_V_CMHI},
    {A64_OP_CMHS_sc, IR_V_CMHS},
    {A64_OP_CMTST_sc, IR_V_CMTST},
    {A64_OP_USHL_sc, IR_V_USHL},
    {A64_OP_SSHL_sc, IR_V_SSHL},
    {A64_OP_AND_vec, IR_V_AND},
    {A64_OP_ORR_vec, IR_V_ORR},
    {A64_OP_EOR_vec, IR_V_EOR},
    {A64_OP_BIC_vec, IR_V_BIC},
    {A64_OP_ORN_vec, IR_V_ORN},
    {A64_OP_BSL_vec, IR_V_BSL},
    {A64_OP_BIT_vec, IR_V_BIT},
    {A64_OP_BIF_vec, IR_V_BIF},
    {A64_OP_ZIP1, IR_V_ZIP1},
    {A64_OP_ZIP2, IR_V_ZIP2},
    {A64_OP_UZP1, IR_V_UZP1},
    {A64_OP_UZP2, IR_V_UZP2},
    {A64_OP_TRN1, IR_V_TRN1},
    {A64_OP_TRN2, IR_V_TRN2},
    {A64_OP_ABS_vec, IR_V_ABS},
    {A64_OP_NEG_vec, IR_V_NEG},
    {A64_OP_REV16_vec, IR_V_REV16},
    {A64_OP_REV32_vec, IR_V_REV32},
    {A64_OP_REV64_vec, IR_V_REV64},
    {A64_OP_CNT_vec, IR_V_CNT},
    {A64_OP_RBIT_vec, IR_V_RBIT},
    {A64_OP_CLZ_vec, IR_V_CLZ},
    {A64_OP_NOT_vec, IR_V_NOT},
    {A64_OP_UADDLP_vec, IR_V_UADDLP},
    {A64_OP_UADALP_vec, IR_V_UADALP},
    {A64_OP_SQXTN_vec, IR_V_SQXTN},
    {A64_OP_SQXTUN_vec, IR_V_SQXTUN},
    {A64_OP_UQXTN_vec, IR_V_UQXTN},
    {A64_OP_ABS_sc, IR_V_ABS},
    {A64_OP_NEG_sc, IR_V_NEG},
    {A64_OP_CMEQ_zero_vec, IR_V_CMEQ},
    {A64_OP_CMGT_zero_vec, IR_V_CMGT},
    {A64_OP_CMGE_zero_vec, IR_V_CMGE},
    {A64_OP_CMLE_zero_vec, IR_V_CMLE},
    {A64_OP_CMLT_zero_vec, IR_V_CMLT},
    {A64_OP_CMEQ_zero_sc, IR_V_CMEQ},
    {A64_OP_CMGT_zero_sc, IR_V_CMGT},
    {A64_OP_CMGE_zero_sc, IR_V_CMGE},
    {A64_OP_CMLE_zero_sc, IR_V_CMLE},
    {A64_OP_CMLT_zero_sc, IR_V_CMLT},
    {A64_OP_ADDV, IR_V_ADDV},
    {A64_OP_SMAXV, IR_V_SMAXV},
    {A64_OP_SMINV, IR_V_SMINV},
    {A64_OP_UMAXV, IR_V_UMAXV},
    {A64_OP_UMINV, IR_V_UMINV},
    {A64_OP_UADDLV, IR_V_UADDLV},
    {A64_OP_SHL_vimm, IR_V_SHL},
    {A64_OP_USHR_vimm, IR_V_USHR},
    {A64_OP_SSHR_vimm, IR_V_SSHR},
    {A64_OP_USRA_vimm, IR_V_USRA},
    {A64_OP_SSRA_vimm, IR_V_SSRA},
    {A64_OP_URSHR_vimm, IR_V_URSHR},
    {A64_OP_SRSHR_vimm, IR_V_SRSHR},
    {A64_OP_URSRA_vimm, IR_V_URSRA},
    {A64_OP_SRSRA_vimm, IR_V_SRSRA},
    {A64_OP_SLI_vimm, IR_V_SLI},
    {A64_OP_SRI_vimm, IR_V_SRI},
    {A64_OP_SHRN_vimm, IR_V_SHRN},
    {A64_OP_USHLL_vimm, IR_V_USHLL},
    {A64_OP_SSHLL_vimm, IR_V_SSHLL},
    {A64_OP_SHL_vimm_sc, IR_V_SHL},
    {A64_OP_USHR_vimm_sc, IR_V_USHR},
    {A64_OP_SSHR_vimm_sc, IR_V_SSHR},
    {A64_OP_USRA_vimm_sc, IR_V_USRA},
    {A64_OP_SSRA_vimm_sc, IR_V_SSRA},
    {A64_OP_URSHR_vimm_sc, IR_V_URSHR},
    {A64_OP_SRSHR_vimm_sc, IR_V_SRSHR},
    {A64_OP_URSRA_vimm_sc, IR_V_URSRA},
    {A64_OP_SRSRA_vimm_sc, IR_V_SRSRA},
    {A64_OP_SLI_vimm_sc, IR_V_SLI},
    {A64_OP_SRI_vimm_sc, IR_V_SRI},
    {A64_OP_MUL_elem, IR_V_MUL},
    {A64_OP_MLA_elem, IR_V_MLA},
    {A64_OP_MLS_elem, IR_V_MLS},
    {A64_OP_SMLAL_elem, IR_V_SMLAL},
    {A64_OP_UMLAL_elem, IR_V_UMLAL},
    {A64_OP_SMLSL_elem, IR_V_SMLSL},
    {A64_OP_UMLSL_elem, IR_V_UMLSL},
    {A64_OP_SMULL_elem, IR_V_SMULL},
    {A64_OP_UMULL_elem, IR_V_UMULL},
    {A64_OP_XTN_vec, IR_V_SHRN},
    {A64_OP_SHLL_vec, IR_V_USHLL},
    {A64_OP_ADDP_pair, IR_V_ADDV},
};
/* clang-format on */

static struct ir_op *vec(struct lifter *l, const struct a64_insn *in, enum ir_opcode op, unsigned z)
{
    struct ir_op *o = emit_op(l, op, IR_I64);
    o->d = in->d;
    o->a = in->n;
    o->b = in->m;
    o->y = (uint8_t)z;
    o->flags = in->Q && !in->e ? IR_Q : 0;
    for (unsigned i = 0; i < ARRAY_SIZE(operations); i++)
        if (operations[i].guest == in->op)
            o->sub = operations[i].sub;
    return o;
}

LIFT(three)
{
    vec(l, in, IR_VEC3, in->z);
    return true;
}

LIFT(two)
{
    vec(l, in, IR_VEC2, in->z);
    return true;
}

LIFT(with_zero)
{
    vec(l, in, IR_VEC3, in->z)->b = IR_IMM;
    return true;
}

LIFT(by_element)
{
    struct ir_op *o = vec(l, in, IR_VEC3, in->z);
    o->b = (uint8_t)a64_element_reg(in, in->z);
    o->size = (uint8_t)(a64_element_index(in, in->z) + 1);
    return true;
}

/* D[0] = the sum of both halves. */
LIFT(ADDP_pair)
{
    vec(l, in, IR_VEC2, 3)->flags = IR_Q;
    return true;
}

/* --- shifts: immh says the lane size ------------------------------------------------------------
 */

static unsigned shift_size(const struct a64_insn *in)
{
    return in->h < 16 ? 0 : in->h < 32 ? 1 : in->h < 64 ? 2 : 3;
}

static bool shift(struct lifter *l, const struct a64_insn *in, bool left)
{
    unsigned z = shift_size(in), bits = 8u << z;
    vec(l, in, IR_VSHIFT, z)->x = (uint8_t)(left ? in->h - bits : 2 * bits - in->h);
    return true;
}

LIFT(shift_left)
{
    return shift(l, in, true);
}

LIFT(shift_right)
{
    return shift(l, in, false);
}

LIFT(XTN)
{
    vec(l, in, IR_VSHIFT, in->z);
    return true;
}

LIFT(SHLL)
{
    vec(l, in, IR_VSHIFT, in->z)->x = (uint8_t)(8u << in->z);
    return true;
}

/* --- constants ---------------------------------------------------------------------------------
 */

static bool constant(struct lifter *l, const struct a64_insn *in, uint64_t value)
{
    struct ir_op *o = emit_op(l, IR_VCONST, IR_I64);
    o->d = in->d;
    o->imm = (int64_t)value;
    o->x = in->Q;
    return true;
}

LIFT(modified_immediate)
{
    uint64_t value = a64_vector_immediate(in);
    if (in->op == A64_OP_ORR_vimm || in->op == A64_OP_BIC_vimm) {
        struct ir_op *o = vec(l, in, IR_VLOGIC, 0);
        o->imm = (int64_t)value;
        o->sub = in->op == A64_OP_ORR_vimm ? IR_V_ORR : IR_V_BIC;
        return true;
    }
    return constant(l, in, value);
}

/* --- elements: imm5 (i) holds size and index -----------------------------------------------------
 */

static unsigned element_size(const struct a64_insn *in)
{
    return (unsigned)__builtin_ctz(in->i);
}

static struct ir_op *element(struct lifter *l, const struct a64_insn *in, enum ir_opcode op)
{
    unsigned z = element_size(in);
    struct ir_op *o = vec(l, in, op, z);
    o->x = (uint8_t)(in->i >> (z + 1));
    return o;
}

LIFT(DUP_elem)
{
    element(l, in, IR_VDUP)->size = in->e;
    return true;
}

LIFT(INS_elem)
{
    struct ir_op *o = element(l, in, IR_VINS);
    o->size = o->x;
    o->x = (uint8_t)(in->j >> element_size(in));
    return true;
}

LIFT(DUP_gp)
{
    element(l, in, IR_VDUPG)->a = zr(in->n);
    return true;
}

LIFT(INS_gp)
{
    struct ir_op *o = element(l, in, IR_VINSG);
    o->a = zr(in->n);
    o->size = (uint8_t)(1u << element_size(in));
    return true;
}

LIFT(to_general)
{
    struct ir_op *o = element(l, in, IR_VTOG);
    o->d = zr(in->d);
    o->size = (uint8_t)(1u << element_size(in));
    o->type = in->Q ? IR_I64 : IR_I32;
    o->flags = in->op == A64_OP_SMOV ? IR_SIGNED : 0;
    return true;
}

LIFT(EXT)
{
    vec(l, in, IR_VEXT, 0)->x = (uint8_t)in->i;
    return true;
}

LIFT(TBL)
{
    vec(l, in, IR_VTBL, 0)->x = in->l;
    return true;
}

/* clang-format off */
const struct lift_row lift_rows_simd[] = {
    {A64_OP_ADD_vec, lift_three},
    {A64_OP_SUB_vec, lift_three},
    {A64_OP_MUL_vec, lift_three},
    {A64_OP_SMAX_vec, lift_three},
    {A64_OP_SMIN_vec, lift_three},
    {A64_OP_UMAX_vec, lift_three},
    {A64_OP_UMIN_vec, lift_three},
    {A64_OP_CMEQ_vec, lift_three},
    {A64_OP_CMGT_vec, lift_three},
    {A64_OP_CMGE_vec, lift_three},
    {A64_OP_CMHI_vec, lift_three},
    {A64_OP_CMHS_vec, lift_three},
    {A64_OP_CMTST_vec, lift_three},
    {A64_OP_SQADD_vec, lift_three},
    {A64_OP_SQSUB_vec, lift_three},
    {A64_OP_UQADD_vec, lift_three},
    {A64_OP_UQSUB_vec, lift_three},
    {A64_OP_URHADD_vec, lift_three},
    {A64_OP_MLA_vec, lift_three},
    {A64_OP_MLS_vec, lift_three},
    {A64_OP_SABD_vec, lift_three},
    {A64_OP_UABD_vec, lift_three},
    {A64_OP_SABA_vec, lift_three},
    {A64_OP_UABA_vec, lift_three},
    {A64_OP_ADDP_vec, lift_three},
    {A64_OP_SMAXP_vec, lift_three},
    {A64_OP_SMINP_vec, lift_three},
    {A64_OP_UMAXP_vec, lift_three},
    {A64_OP_UMINP_vec, lift_three},
    {A64_OP_USHL_vec, lift_three},
    {A64_OP_SSHL_vec, lift_three},
    {A64_OP_SADDL_vec, lift_three},
    {A64_OP_UADDL_vec, lift_three},
    {A64_OP_SSUBL_vec, lift_three},
    {A64_OP_USUBL_vec, lift_three},
    {A64_OP_SADDW_vec, lift_three},
    {A64_OP_UADDW_vec, lift_three},
    {A64_OP_SSUBW_vec, lift_three},
    {A64_OP_USUBW_vec, lift_three},
    {A64_OP_SMULL_vec, lift_three},
    {A64_OP_UMULL_vec, lift_three},
    {A64_OP_SMLAL_vec, lift_three},
    {A64_OP_UMLAL_vec, lift_three},
    {A64_OP_SMLSL_vec, lift_three},
    {A64_OP_UMLSL_vec, lift_three},
    {A64_OP_SABDL_vec, lift_three},
    {A64_OP_UABDL_vec, lift_three},
    {A64_OP_SABAL_vec, lift_three},
    {A64_OP_UABAL_vec, lift_three},
    {A64_OP_ADD_sc, lift_three},
    {A64_OP_SUB_sc, lift_three},
    {A64_OP_CMEQ_sc, lift_three},
    {A64_OP_CMGT_sc, lift_three},
    {A64_OP_CMGE_sc, lift_three},
    {A64_OP_CMHI_sc, lift_three},
    {A64_OP_CMHS_sc, lift_three},
    {A64_OP_CMTST_sc, lift_three},
    {A64_OP_USHL_sc, lift_three},
    {A64_OP_SSHL_sc, lift_three},
    {A64_OP_AND_vec, lift_three},
    {A64_OP_ORR_vec, lift_three},
    {A64_OP_EOR_vec, lift_three},
    {A64_OP_BIC_vec, lift_three},
    {A64_OP_ORN_vec, lift_three},
    {A64_OP_BSL_vec, lift_three},
    {A64_OP_BIT_vec, lift_three},
    {A64_OP_BIF_vec, lift_three},
    {A64_OP_ZIP1, lift_three},
    {A64_OP_ZIP2, lift_three},
    {A64_OP_UZP1, lift_three},
    {A64_OP_UZP2, lift_three},
    {A64_OP_TRN1, lift_three},
    {A64_OP_TRN2, lift_three},
    {A64_OP_ABS_vec, lift_two},
    {A64_OP_NEG_vec, lift_two},
    {A64_OP_REV16_vec, lift_two},
    {A64_OP_REV32_vec, lift_two},
    {A64_OP_REV64_vec, lift_two},
    {A64_OP_CNT_vec, lift_two},
    {A64_OP_RBIT_vec, lift_two},
    {A64_OP_CLZ_vec, lift_two},
    {A64_OP_NOT_vec, lift_two},
    {A64_OP_UADDLP_vec, lift_two},
    {A64_OP_UADALP_vec, lift_two},
    {A64_OP_SQXTN_vec, lift_two},
    {A64_OP_SQXTUN_vec, lift_two},
    {A64_OP_UQXTN_vec, lift_two},
    {A64_OP_ABS_sc, lift_two},
    {A64_OP_NEG_sc, lift_two},
    {A64_OP_ADDV, lift_two},
    {A64_OP_SMAXV, lift_two},
    {A64_OP_SMINV, lift_two},
    {A64_OP_UMAXV, lift_two},
    {A64_OP_UMINV, lift_two},
    {A64_OP_UADDLV, lift_two},
    {A64_OP_CMEQ_zero_vec, lift_with_zero},
    {A64_OP_CMGT_zero_vec, lift_with_zero},
    {A64_OP_CMGE_zero_vec, lift_with_zero},
    {A64_OP_CMLE_zero_vec, lift_with_zero},
    {A64_OP_CMLT_zero_vec, lift_with_zero},
    {A64_OP_CMEQ_zero_sc, lift_with_zero},
    {A64_OP_CMGT_zero_sc, lift_with_zero},
    {A64_OP_CMGE_zero_sc, lift_with_zero},
    {A64_OP_CMLE_zero_sc, lift_with_zero},
    {A64_OP_CMLT_zero_sc, lift_with_zero},
    {A64_OP_MUL_elem, lift_by_element},
    {A64_OP_MLA_elem, lift_by_element},
    {A64_OP_MLS_elem, lift_by_element},
    {A64_OP_SMLAL_elem, lift_by_element},
    {A64_OP_UMLAL_elem, lift_by_element},
    {A64_OP_SMLSL_elem, lift_by_element},
    {A64_OP_UMLSL_elem, lift_by_element},
    {A64_OP_SMULL_elem, lift_by_element},
    {A64_OP_UMULL_elem, lift_by_element},
    {A64_OP_SHL_vimm, lift_shift_left},
    {A64_OP_SLI_vimm, lift_shift_left},
    {A64_OP_USHLL_vimm, lift_shift_left},
    {A64_OP_SSHLL_vimm, lift_shift_left},
    {A64_OP_SHL_vimm_sc, lift_shift_left},
    {A64_OP_SLI_vimm_sc, lift_shift_left},
    {A64_OP_USHR_vimm, lift_shift_right},
    {A64_OP_SSHR_vimm, lift_shift_right},
    {A64_OP_USRA_vimm, lift_shift_right},
    {A64_OP_SSRA_vimm, lift_shift_right},
    {A64_OP_URSHR_vimm, lift_shift_right},
    {A64_OP_SRSHR_vimm, lift_shift_right},
    {A64_OP_URSRA_vimm, lift_shift_right},
    {A64_OP_SRSRA_vimm, lift_shift_right},
    {A64_OP_SRI_vimm, lift_shift_right},
    {A64_OP_SHRN_vimm, lift_shift_right},
    {A64_OP_USHR_vimm_sc, lift_shift_right},
    {A64_OP_SSHR_vimm_sc, lift_shift_right},
    {A64_OP_USRA_vimm_sc, lift_shift_right},
    {A64_OP_SSRA_vimm_sc, lift_shift_right},
    {A64_OP_URSHR_vimm_sc, lift_shift_right},
    {A64_OP_SRSHR_vimm_sc, lift_shift_right},
    {A64_OP_URSRA_vimm_sc, lift_shift_right},
    {A64_OP_SRSRA_vimm_sc, lift_shift_right},
    {A64_OP_SRI_vimm_sc, lift_shift_right},
    ROW(ADDP_pair),
    {A64_OP_XTN_vec, lift_XTN},
    {A64_OP_SHLL_vec, lift_SHLL},
    {A64_OP_MOVI, lift_modified_immediate},
    {A64_OP_MOVI_d, lift_modified_immediate},
    {A64_OP_MVNI, lift_modified_immediate},
    {A64_OP_ORR_vimm, lift_modified_immediate},
    {A64_OP_BIC_vimm, lift_modified_immediate},
    {A64_OP_FMOV_vimm, lift_modified_immediate},
    ROW(DUP_elem),
    {A64_OP_DUP_sc, lift_DUP_elem},
    ROW(INS_elem),
    ROW(DUP_gp),
    ROW(INS_gp),
    {A64_OP_UMOV, lift_to_general},
    {A64_OP_SMOV, lift_to_general},
    ROW(EXT),
    ROW(TBL),
};
/* clang-format on */
const unsigned lift_rows_simd_count = ARRAY_SIZE(lift_rows_simd);
