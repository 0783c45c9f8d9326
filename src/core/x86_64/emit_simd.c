/* emit_simd.c: vector integer instructions: which function emits which operation.
 *
 * What x86 has as one instruction for the lane size is a row of vec_lanes; the rest are functions
 * that work in xmm0 to xmm3, where the operands `a` and `b` may lie in xmm1 and xmm2. What has no
 * good sequence is left to the interpreter.
 */
#include "core/x86_64/emit_simd.h"

/* clang-format off */
static vec_fn *const by_operation[IR_V_COUNT] = {
    [IR_V_CMEQ] = vec_compare, [IR_V_CMGT] = vec_compare, [IR_V_CMGE] = vec_compare,
    [IR_V_CMHI] = vec_compare, [IR_V_CMHS] = vec_compare, [IR_V_CMLE] = vec_compare,
    [IR_V_CMLT] = vec_compare, [IR_V_CMTST] = vec_compare,
    [IR_V_ORN] = vec_logic, [IR_V_BSL] = vec_logic, [IR_V_BIT] = vec_logic, [IR_V_BIF] = vec_logic,
    [IR_V_MUL] = vec_multiply, [IR_V_PMUL] = vec_polynomial, [IR_V_PMULL] = vec_polynomial,
    [IR_V_MLA] = vec_multiply_accumulate, [IR_V_MLS] = vec_multiply_accumulate,
    [IR_V_SABD] = vec_differ, [IR_V_UABD] = vec_differ,
    [IR_V_SABA] = vec_differ, [IR_V_UABA] = vec_differ,
    [IR_V_SHADD] = vec_halve, [IR_V_UHADD] = vec_halve, [IR_V_SRHADD] = vec_halve,
    [IR_V_URHADD] = vec_halve, [IR_V_SHSUB] = vec_halve, [IR_V_UHSUB] = vec_halve,
    [IR_V_SDOT] = vec_dot, [IR_V_UDOT] = vec_dot,
    [IR_V_ABS] = vec_absolute, [IR_V_NEG] = vec_negate, [IR_V_NOT] = vec_invert,
    [IR_V_CNT] = vec_bits, [IR_V_RBIT] = vec_bits, [IR_V_CLZ] = vec_bits, [IR_V_CLS] = vec_bits,
    [IR_V_REV16] = vec_reverse, [IR_V_REV32] = vec_reverse, [IR_V_REV64] = vec_reverse,

    [IR_V_SQADD] = vec_saturating, [IR_V_SQSUB] = vec_saturating,
    [IR_V_UQADD] = vec_saturating, [IR_V_UQSUB] = vec_saturating,
    [IR_V_SQABS] = vec_saturating_sign, [IR_V_SQNEG] = vec_saturating_sign,
    [IR_V_SUQADD] = vec_saturating_mixed, [IR_V_USQADD] = vec_saturating_mixed,
    [IR_V_SQDMULH] = vec_doubling_high, [IR_V_SQRDMULH] = vec_doubling_high,
    [IR_V_SQRDMLAH] = vec_doubling_high_sum, [IR_V_SQRDMLSH] = vec_doubling_high_sum,
    [IR_V_SQDMULL] = vec_doubling_long, [IR_V_SQDMLAL] = vec_doubling_long,
    [IR_V_SQDMLSL] = vec_doubling_long,
    [IR_V_SQSHL_imm] = vec_saturating_shift, [IR_V_UQSHL_imm] = vec_saturating_shift,
    [IR_V_SQSHLU_imm] = vec_saturating_shift,

    [IR_V_USHL] = vec_shift_register, [IR_V_SSHL] = vec_shift_register,
    [IR_V_URSHL] = vec_shift_register, [IR_V_SRSHL] = vec_shift_register,
    [IR_V_SQSHL] = vec_saturating_register, [IR_V_UQSHL] = vec_saturating_register,
    [IR_V_SQRSHL] = vec_saturating_register, [IR_V_UQRSHL] = vec_saturating_register,
    [IR_V_SHL] = vec_shift_constant, [IR_V_USHR] = vec_shift_constant,
    [IR_V_SSHR] = vec_shift_constant, [IR_V_USRA] = vec_shift_constant,
    [IR_V_SSRA] = vec_shift_constant, [IR_V_URSHR] = vec_shift_constant,
    [IR_V_SRSHR] = vec_shift_constant, [IR_V_URSRA] = vec_shift_constant,
    [IR_V_SRSRA] = vec_shift_constant,
    [IR_V_SLI] = vec_shift_insert, [IR_V_SRI] = vec_shift_insert,

    [IR_V_ADDP] = vec_pairs, [IR_V_SMAXP] = vec_pairs, [IR_V_SMINP] = vec_pairs,
    [IR_V_UMAXP] = vec_pairs, [IR_V_UMINP] = vec_pairs, [IR_V_UZP1] = vec_unzip,
    [IR_V_UZP2] = vec_unzip, [IR_V_TRN1] = vec_transpose, [IR_V_TRN2] = vec_transpose,
    [IR_V_ADDV] = vec_across, [IR_V_SMAXV] = vec_across, [IR_V_SMINV] = vec_across,
    [IR_V_UMAXV] = vec_across, [IR_V_UMINV] = vec_across,
    [IR_V_SADDLV] = vec_across_long, [IR_V_UADDLV] = vec_across_long,
    [IR_V_SADDLP] = vec_pairs_long, [IR_V_UADDLP] = vec_pairs_long,
    [IR_V_SADALP] = vec_pairs_long, [IR_V_UADALP] = vec_pairs_long,

    [IR_V_SADDL] = vec_lengthen, [IR_V_UADDL] = vec_lengthen, [IR_V_SSUBL] = vec_lengthen,
    [IR_V_USUBL] = vec_lengthen, [IR_V_SADDW] = vec_lengthen, [IR_V_UADDW] = vec_lengthen,
    [IR_V_SSUBW] = vec_lengthen, [IR_V_USUBW] = vec_lengthen, [IR_V_SMULL] = vec_lengthen,
    [IR_V_UMULL] = vec_lengthen, [IR_V_SMLAL] = vec_lengthen, [IR_V_UMLAL] = vec_lengthen,
    [IR_V_SMLSL] = vec_lengthen, [IR_V_UMLSL] = vec_lengthen, [IR_V_SABDL] = vec_lengthen,
    [IR_V_UABDL] = vec_lengthen, [IR_V_SABAL] = vec_lengthen, [IR_V_UABAL] = vec_lengthen,
    [IR_V_SSHLL] = vec_shift_long, [IR_V_USHLL] = vec_shift_long,
    [IR_V_SHRN] = vec_narrow, [IR_V_RSHRN] = vec_narrow,
    [IR_V_SQSHRN] = vec_narrow, [IR_V_SQRSHRN] = vec_narrow, [IR_V_UQSHRN] = vec_narrow,
    [IR_V_UQRSHRN] = vec_narrow, [IR_V_SQSHRUN] = vec_narrow, [IR_V_SQRSHRUN] = vec_narrow,
    [IR_V_ADDHN] = vec_narrow_high, [IR_V_RADDHN] = vec_narrow_high,
    [IR_V_SUBHN] = vec_narrow_high, [IR_V_RSUBHN] = vec_narrow_high,
};
/* clang-format on */

static void by_function(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    if (!by_operation[o->sub] || !by_operation[o->sub](e, o, a, b))
        emit_INTERPRET(e, o);
}

static void one_instruction(struct emitter *e, const struct ir_op *o, unsigned a, struct x86_rm b)
{
    bool q = o->flags & IR_Q;
    unsigned d = vec_out(e, o);
    struct vec_code code = vec_lanes[o->sub][o->y];
    if (o->sub == IR_V_ZIP2 && !q) { /* the upper half of four or eight lanes zipped */
        vec_op(e, vec_lanes[IR_V_ZIP1][o->y], 0, a, b);
        vec_shift_bytes(e, 0, 0, 8);
    } else {
        vec_op(e, code, d, a, b);
    }
    vec_finish(e, o, d);
}

void emit_VEC3(struct emitter *e, const struct ir_op *o)
{
    bool one = o->sub < IR_V_LANE_COUNT && vec_lanes[o->sub][o->y].opcode;
    unsigned a = vec_use(e, o->a, 1), b = 2;
    if (o->sub == IR_V_ORR && o->a == o->b &&
        o->b != IR_IMM) { /* MOV, which costs the host no time */
        vec_finish(e, o, a);
        return;
    }
    if (one && !by_operation[o->sub] && o->sub != IR_V_BIC) {
        one_instruction(e, o, a, vec_rm(e, o->b));
        return;
    }
    if (o->size)
        vec_spread(e, o->y, 2, vec_use(e, o->b, 2), o->size - 1u);
    else if (o->b == IR_IMM)
        vec_zero(e, 2);
    else
        b = vec_use(e, o->b, 2);
    if (o->sub == IR_V_BIC)
        one_instruction(e, o, b, rm_reg(a));
    else
        by_function(e, o, a, b);
}

void emit_VEC2(struct emitter *e, const struct ir_op *o)
{
    by_function(e, o, vec_use(e, o->a, 1), 2);
}

void emit_VSHIFT(struct emitter *e, const struct ir_op *o)
{
    by_function(e, o, vec_use(e, o->a, 1), 2);
}

void emit_VLOGIC(struct emitter *e, const struct ir_op *o)
{
    unsigned out = vec_out(e, o);
    vec_fill(e, 1, (uint64_t)o->imm);
    vec_lane(e, o->sub, 0, out, 1, vec_use(e, o->d, 0));
    vec_finish(e, o, out);
}
