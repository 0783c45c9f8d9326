/* lift_simd.c: Advanced SIMD on integers and bits, lane by lane (DDI 0487 C4.1.90).
 *
 * One table says which vector operation an instruction is and by which function, one for each group
 * of encodings, its operands are fetched. What a host has no sequence for, the emitter gives to the
 * interpreter.
 */
#include "core/translator/lift_int.h"

#include "base/bytes.h"
#include "core/arm64/interpreter.h"

LIFT(three)
{
    lift_vector(l, in, IR_VEC3, in->z);
    return true;
}

/* Sums of products of bytes, in words. */
LIFT(dot)
{
    lift_vector(l, in, IR_VEC3, 2);
    return true;
}

LIFT(two)
{
    lift_vector(l, in, IR_VEC2, in->z);
    return true;
}

LIFT(with_zero)
{
    lift_vector(l, in, IR_VEC3, in->z)->b = IR_IMM;
    return true;
}

LIFT(by_element)
{
    struct ir_op *o = lift_vector(l, in, IR_VEC3, in->z);
    o->b = (uint8_t)a64_element_reg(in, in->z);
    o->size = (uint8_t)(a64_element_index(in, in->z) + 1);
    return true;
}

/* D[0] = the sum of both halves. */
LIFT(ADDP_pair)
{
    lift_vector(l, in, IR_VEC2, 3)->flags = IR_Q;
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
    lift_vector(l, in, IR_VSHIFT, z)->x = (uint8_t)(left ? in->h - bits : 2 * bits - in->h);
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
    lift_vector(l, in, IR_VSHIFT, in->z);
    return true;
}

LIFT(SHLL)
{
    lift_vector(l, in, IR_VSHIFT, in->z)->x = (uint8_t)(8u << in->z);
    return true;
}

#define VEC(guest, form, vec)                                                                      \
    {                                                                                              \
        A64_OP_##guest, lift_##form, IR_V_##vec, 0, 0                                              \
    }

/* clang-format off */
const struct lift_form_row lift_rows_simd[] = {
    VEC(ADD_vec, three, ADD),
    VEC(SUB_vec, three, SUB),
    VEC(MUL_vec, three, MUL),
    VEC(SMAX_vec, three, SMAX),
    VEC(SMIN_vec, three, SMIN),
    VEC(UMAX_vec, three, UMAX),
    VEC(UMIN_vec, three, UMIN),
    VEC(CMEQ_vec, three, CMEQ),
    VEC(CMGT_vec, three, CMGT),
    VEC(CMGE_vec, three, CMGE),
    VEC(CMHI_vec, three, CMHI),
    VEC(CMHS_vec, three, CMHS),
    VEC(CMTST_vec, three, CMTST),
    VEC(SQADD_vec, three, SQADD),
    VEC(SQSUB_vec, three, SQSUB),
    VEC(UQADD_vec, three, UQADD),
    VEC(UQSUB_vec, three, UQSUB),
    VEC(URHADD_vec, three, URHADD),
    VEC(MLA_vec, three, MLA),
    VEC(MLS_vec, three, MLS),
    VEC(SABD_vec, three, SABD),
    VEC(UABD_vec, three, UABD),
    VEC(SABA_vec, three, SABA),
    VEC(UABA_vec, three, UABA),
    VEC(ADDP_vec, three, ADDP),
    VEC(SMAXP_vec, three, SMAXP),
    VEC(SMINP_vec, three, SMINP),
    VEC(UMAXP_vec, three, UMAXP),
    VEC(UMINP_vec, three, UMINP),
    VEC(USHL_vec, three, USHL),
    VEC(SSHL_vec, three, SSHL),
    VEC(SADDL_vec, three, SADDL),
    VEC(UADDL_vec, three, UADDL),
    VEC(SSUBL_vec, three, SSUBL),
    VEC(USUBL_vec, three, USUBL),
    VEC(SADDW_vec, three, SADDW),
    VEC(UADDW_vec, three, UADDW),
    VEC(SSUBW_vec, three, SSUBW),
    VEC(USUBW_vec, three, USUBW),
    VEC(PMUL_vec, three, PMUL),
    VEC(PMULL_vec, three, PMULL),
    VEC(SMULL_vec, three, SMULL),
    VEC(UMULL_vec, three, UMULL),
    VEC(SMLAL_vec, three, SMLAL),
    VEC(UMLAL_vec, three, UMLAL),
    VEC(SMLSL_vec, three, SMLSL),
    VEC(UMLSL_vec, three, UMLSL),
    VEC(SABDL_vec, three, SABDL),
    VEC(UABDL_vec, three, UABDL),
    VEC(SABAL_vec, three, SABAL),
    VEC(UABAL_vec, three, UABAL),
    VEC(ADD_sc, three, ADD),
    VEC(SUB_sc, three, SUB),
    VEC(CMEQ_sc, three, CMEQ),
    VEC(CMGT_sc, three, CMGT),
    VEC(CMGE_sc, three, CMGE),
    VEC(CMHI_sc, three, CMHI),
    VEC(CMHS_sc, three, CMHS),
    VEC(CMTST_sc, three, CMTST),
    VEC(USHL_sc, three, USHL),
    VEC(SSHL_sc, three, SSHL),
    VEC(AND_vec, three, AND),
    VEC(ORR_vec, three, ORR),
    VEC(EOR_vec, three, EOR),
    VEC(BIC_vec, three, BIC),
    VEC(ORN_vec, three, ORN),
    VEC(BSL_vec, three, BSL),
    VEC(BIT_vec, three, BIT),
    VEC(BIF_vec, three, BIF),
    VEC(ZIP1, three, ZIP1),
    VEC(ZIP2, three, ZIP2),
    VEC(UZP1, three, UZP1),
    VEC(UZP2, three, UZP2),
    VEC(TRN1, three, TRN1),
    VEC(TRN2, three, TRN2),
    VEC(ABS_vec, two, ABS),
    VEC(NEG_vec, two, NEG),
    VEC(REV16_vec, two, REV16),
    VEC(REV32_vec, two, REV32),
    VEC(REV64_vec, two, REV64),
    VEC(CNT_vec, two, CNT),
    VEC(RBIT_vec, two, RBIT),
    VEC(CLZ_vec, two, CLZ),
    VEC(NOT_vec, two, NOT),
    VEC(UADDLP_vec, two, UADDLP),
    VEC(UADALP_vec, two, UADALP),
    VEC(ABS_sc, two, ABS),
    VEC(NEG_sc, two, NEG),
    VEC(ADDV, two, ADDV),
    VEC(SMAXV, two, SMAXV),
    VEC(SMINV, two, SMINV),
    VEC(UMAXV, two, UMAXV),
    VEC(UMINV, two, UMINV),
    VEC(UADDLV, two, UADDLV),
    VEC(CMEQ_zero_vec, with_zero, CMEQ),
    VEC(CMGT_zero_vec, with_zero, CMGT),
    VEC(CMGE_zero_vec, with_zero, CMGE),
    VEC(CMLE_zero_vec, with_zero, CMLE),
    VEC(CMLT_zero_vec, with_zero, CMLT),
    VEC(CMEQ_zero_sc, with_zero, CMEQ),
    VEC(CMGT_zero_sc, with_zero, CMGT),
    VEC(CMGE_zero_sc, with_zero, CMGE),
    VEC(CMLE_zero_sc, with_zero, CMLE),
    VEC(CMLT_zero_sc, with_zero, CMLT),
    VEC(MUL_elem, by_element, MUL),
    VEC(MLA_elem, by_element, MLA),
    VEC(MLS_elem, by_element, MLS),
    VEC(SMLAL_elem, by_element, SMLAL),
    VEC(UMLAL_elem, by_element, UMLAL),
    VEC(SMLSL_elem, by_element, SMLSL),
    VEC(UMLSL_elem, by_element, UMLSL),
    VEC(SMULL_elem, by_element, SMULL),
    VEC(UMULL_elem, by_element, UMULL),
    VEC(SHL_vimm, shift_left, SHL),
    VEC(SLI_vimm, shift_left, SLI),
    VEC(USHLL_vimm, shift_left, USHLL),
    VEC(SSHLL_vimm, shift_left, SSHLL),
    VEC(SHL_vimm_sc, shift_left, SHL),
    VEC(SLI_vimm_sc, shift_left, SLI),
    VEC(USHR_vimm, shift_right, USHR),
    VEC(SSHR_vimm, shift_right, SSHR),
    VEC(USRA_vimm, shift_right, USRA),
    VEC(SSRA_vimm, shift_right, SSRA),
    VEC(URSHR_vimm, shift_right, URSHR),
    VEC(SRSHR_vimm, shift_right, SRSHR),
    VEC(URSRA_vimm, shift_right, URSRA),
    VEC(SRSRA_vimm, shift_right, SRSRA),
    VEC(SRI_vimm, shift_right, SRI),
    VEC(SHRN_vimm, shift_right, SHRN),
    VEC(USHR_vimm_sc, shift_right, USHR),
    VEC(SSHR_vimm_sc, shift_right, SSHR),
    VEC(USRA_vimm_sc, shift_right, USRA),
    VEC(SSRA_vimm_sc, shift_right, SSRA),
    VEC(URSHR_vimm_sc, shift_right, URSHR),
    VEC(SRSHR_vimm_sc, shift_right, SRSHR),
    VEC(URSRA_vimm_sc, shift_right, URSRA),
    VEC(SRSRA_vimm_sc, shift_right, SRSRA),
    VEC(SRI_vimm_sc, shift_right, SRI),
    VEC(ADDP_pair, ADDP_pair, ADDV),
    VEC(XTN_vec, XTN, SHRN),
    VEC(SHLL_vec, SHLL, USHLL),
    VEC(SHADD_vec, three, SHADD),
    VEC(UHADD_vec, three, UHADD),
    VEC(SRHADD_vec, three, SRHADD),
    VEC(SHSUB_vec, three, SHSUB),
    VEC(UHSUB_vec, three, UHSUB),
    VEC(SQADD_sc, three, SQADD),
    VEC(SQSUB_sc, three, SQSUB),
    VEC(UQADD_sc, three, UQADD),
    VEC(UQSUB_sc, three, UQSUB),
    VEC(SRSHL_vec, three, SRSHL),
    VEC(SRSHL_sc, three, SRSHL),
    VEC(URSHL_vec, three, URSHL),
    VEC(URSHL_sc, three, URSHL),
    VEC(SQDMULH_vec, three, SQDMULH),
    VEC(SQDMULH_sc, three, SQDMULH),
    VEC(SQDMULH_elem, by_element, SQDMULH),
    VEC(SQDMULH_elem_sc, by_element, SQDMULH),
    VEC(SQRDMULH_vec, three, SQRDMULH),
    VEC(SQRDMULH_sc, three, SQRDMULH),
    VEC(SQRDMULH_elem, by_element, SQRDMULH),
    VEC(SQRDMULH_elem_sc, by_element, SQRDMULH),
    VEC(SQDMULL_vec, three, SQDMULL),
    VEC(SQDMULL_sc, three, SQDMULL),
    VEC(SQDMULL_elem, by_element, SQDMULL),
    VEC(SQDMULL_elem_sc, by_element, SQDMULL),
    VEC(SQDMLAL_vec, three, SQDMLAL),
    VEC(SQDMLAL_sc, three, SQDMLAL),
    VEC(SQDMLAL_elem, by_element, SQDMLAL),
    VEC(SQDMLAL_elem_sc, by_element, SQDMLAL),
    VEC(SQDMLSL_vec, three, SQDMLSL),
    VEC(SQDMLSL_sc, three, SQDMLSL),
    VEC(SQDMLSL_elem, by_element, SQDMLSL),
    VEC(SQDMLSL_elem_sc, by_element, SQDMLSL),
    VEC(SDOT_vec, dot, SDOT),
    VEC(UDOT_vec, dot, UDOT),
    VEC(SDOT_elem, by_element, SDOT),
    VEC(UDOT_elem, by_element, UDOT),
    VEC(ADDHN_vec, three, ADDHN),
    VEC(RADDHN_vec, three, RADDHN),
    VEC(SUBHN_vec, three, SUBHN),
    VEC(RSUBHN_vec, three, RSUBHN),
    VEC(SADDLP_vec, two, SADDLP),
    VEC(SADALP_vec, two, SADALP),
    VEC(SADDLV, two, SADDLV),
    VEC(SUQADD_vec, two, SUQADD),
    VEC(SUQADD_sc, two, SUQADD),
    VEC(USQADD_vec, two, USQADD),
    VEC(USQADD_sc, two, USQADD),
    VEC(CLS_vec, two, CLS),
    VEC(SQABS_vec, two, SQABS),
    VEC(SQABS_sc, two, SQABS),
    VEC(SQNEG_vec, two, SQNEG),
    VEC(SQNEG_sc, two, SQNEG),
    VEC(SQXTN_vec, XTN, SQSHRN),
    VEC(SQXTN_sc, XTN, SQSHRN),
    VEC(UQXTN_vec, XTN, UQSHRN),
    VEC(UQXTN_sc, XTN, UQSHRN),
    VEC(SQXTUN_vec, XTN, SQSHRUN),
    VEC(SQXTUN_sc, XTN, SQSHRUN),
    VEC(SQSHL_vimm, shift_left, SQSHL_imm),
    VEC(SQSHL_vimm_sc, shift_left, SQSHL_imm),
    VEC(UQSHL_vimm, shift_left, UQSHL_imm),
    VEC(UQSHL_vimm_sc, shift_left, UQSHL_imm),
    VEC(SQSHLU_vimm, shift_left, SQSHLU_imm),
    VEC(SQSHLU_vimm_sc, shift_left, SQSHLU_imm),
    VEC(RSHRN_vimm, shift_right, RSHRN),
    VEC(SQSHRN_vimm, shift_right, SQSHRN),
    VEC(SQSHRN_vimm_sc, shift_right, SQSHRN),
    VEC(SQRSHRN_vimm, shift_right, SQRSHRN),
    VEC(SQRSHRN_vimm_sc, shift_right, SQRSHRN),
    VEC(UQSHRN_vimm, shift_right, UQSHRN),
    VEC(UQSHRN_vimm_sc, shift_right, UQSHRN),
    VEC(UQRSHRN_vimm, shift_right, UQRSHRN),
    VEC(UQRSHRN_vimm_sc, shift_right, UQRSHRN),
    VEC(SQSHRUN_vimm, shift_right, SQSHRUN),
    VEC(SQSHRUN_vimm_sc, shift_right, SQSHRUN),
    VEC(SQRSHRUN_vimm, shift_right, SQRSHRUN),
    VEC(SQRSHRUN_vimm_sc, shift_right, SQRSHRUN),
    VEC(SQSHL_vec, three, SQSHL),
    VEC(SQSHL_sc, three, SQSHL),
    VEC(UQSHL_vec, three, UQSHL),
    VEC(UQSHL_sc, three, UQSHL),
    VEC(SQRSHL_vec, three, SQRSHL),
    VEC(SQRSHL_sc, three, SQRSHL),
    VEC(UQRSHL_vec, three, UQRSHL),
    VEC(UQRSHL_sc, three, UQRSHL),
    VEC(SQRDMLAH_vec, three, SQRDMLAH),
    VEC(SQRDMLAH_sc, three, SQRDMLAH),
    VEC(SQRDMLAH_elem, by_element, SQRDMLAH),
    VEC(SQRDMLAH_elem_sc, by_element, SQRDMLAH),
    VEC(SQRDMLSH_vec, three, SQRDMLSH),
    VEC(SQRDMLSH_sc, three, SQRDMLSH),
    VEC(SQRDMLSH_elem, by_element, SQRDMLSH),
    VEC(SQRDMLSH_elem_sc, by_element, SQRDMLSH),
};
/* clang-format on */
const unsigned lift_rows_simd_count = ARRAY_SIZE(lift_rows_simd);
