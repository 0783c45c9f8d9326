/* emit_simd_saturate.c: vector integer instructions that saturate, and FPSR.QC.
 *
 * x86 saturates bytes and halfwords alone, and never says so. Whether a lane was saturated shows in
 * the difference from the wrapped result, from which the others are corrected too. Code that sets
 * QC is cold.
 */
#include "core/x86_64/emit_simd.h"

static const uint8_t sign_masks[] = {VEC_SIGN8, VEC_SIGN16, VEC_SIGN32, VEC_SIGN64};
static const uint8_t abs_masks[] = {VEC_ABS8, VEC_ABS16, VEC_ABS32, VEC_ABS64};

static enum vec_constant sign_mask(unsigned z)
{
    return (enum vec_constant)sign_masks[z];
}

/* --- sums ----------------------------------------------------------------------------------------
 */

/* d = the smaller or larger of unsigned lanes of 4 bytes, or (AVX-512) 8. */
static void limit_unsigned(struct emitter *e, bool max, unsigned z, unsigned d, unsigned a,
                           unsigned b)
{
    if (z == 3)
        x86_evex(e->buf, 1, 2, 1, max ? 0x3f : 0x3b, d, a, rm_reg(b));
    else
        vec_lane(e, max ? IR_V_UMAX : IR_V_UMIN, z, d, a, b);
}

/* Lanes of 4 and 8 bytes, unsigned: a + min(b, ~a), max(a, b) - b. What is left of the operand that
 * was limited goes to xmm3. */
static void unsigned_by_limit(struct emitter *e, unsigned z, bool subtract, unsigned a, unsigned b)
{
    if (subtract) {
        limit_unsigned(e, true, z, 3, a, b);
        vec_lane(e, IR_V_SUB, z, 0, 3, b);
        vec_lane(e, IR_V_EOR, 0, 3, 3, a);
    } else {
        vec_ones(e, 3);
        vec_lane(e, IR_V_EOR, 0, 3, 3, a);
        limit_unsigned(e, false, z, 3, 3, b);
        vec_lane(e, IR_V_ADD, z, 0, a, 3);
        vec_lane(e, IR_V_EOR, 0, 3, 3, b);
    }
}

/* 8 bytes without AVX-512: carry and borrow by comparison with flipped signs. */
static void unsigned_by_carry(struct emitter *e, bool subtract, unsigned a, unsigned b)
{
    vec_lane(e, subtract ? IR_V_SUB : IR_V_ADD, 3, 3, a, b);
    vec_with(e, IR_V_EOR, 0, 0, subtract ? b : a, VEC_SIGN64);
    vec_with(e, IR_V_EOR, 0, 2, subtract ? a : 3, VEC_SIGN64);
    vec_lane(e, IR_V_CMGT, 3, 2, 0, 2);
    vec_lane(e, subtract ? IR_V_BIC : IR_V_ORR, 0, 0, 2, 3);
    vec_copy_reg(e, 3, 2);
}

/* Lanes of 4 and 8 bytes, signed: an overflow has another sign than both summands, and saturates to
 * the side of `a`. Overwrites xmm2. */
static void signed_by_overflow(struct emitter *e, unsigned z, bool subtract, unsigned a, unsigned b)
{
    if (subtract) {
        vec_lane(e, IR_V_SUB, z, 3, a, b);
        vec_lane(e, IR_V_EOR, 0, 2, a, b);
    } else {
        vec_lane(e, IR_V_ADD, z, 3, a, b);
        vec_lane(e, IR_V_EOR, 0, 2, b, 3);
    }
    vec_lane(e, IR_V_EOR, 0, 0, a, 3);
    vec_lane(e, IR_V_AND, 0, 2, 2, 0);
    if (z == 3)
        vec_spread_sign(e, 0, a);
    else
        vec_shift(e, VEC_SAR, 2, 0, a, 31);
    vec_with(e, IR_V_EOR, 0, 0, 0, (enum vec_constant)abs_masks[z]);
    vec_blend(e, z, 0, 2, 0, 3);
}

/* a +- b saturated, QC by its low `bytes`, in xmm0 or for bytes and halfwords in `out`: returns
 * where. `b` may be xmm0 if signed. */
static unsigned add_or_subtract(struct emitter *e, enum ir_vec sub, unsigned z, unsigned out,
                                unsigned a, unsigned b, unsigned bytes)
{
    bool is_signed = sub == IR_V_SQADD || sub == IR_V_SQSUB;
    bool subtract = sub == IR_V_SQSUB || sub == IR_V_UQSUB;
    if (z < 2) {
        vec_lane(e, subtract ? IR_V_SUB : IR_V_ADD, z, 3, a, b);
        vec_lane(e, sub, z, out, a, b);
        vec_lane(e, IR_V_EOR, 0, 3, 3, out);
        vec_saturated_if(e, 3, bytes);
        return out;
    } else if (is_signed) {
        signed_by_overflow(e, z, subtract, a, b);
        vec_saturated_if_signs(e, z, 2, bytes);
        return 0;
    } else if (z == 3 && !vec_wide(e)) {
        unsigned_by_carry(e, subtract, a, b);
    } else {
        unsigned_by_limit(e, z, subtract, a, b);
    }
    vec_saturated_if(e, 3, bytes);
    return 0;
}

bool vec_saturating(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    flags_clobber(e);
    vec_finish(
        e, o,
        add_or_subtract(e, (enum ir_vec)o->sub, o->y, vec_out(e, o), a, b, vec_bytes(o, o->y)));
    return true;
}

/* SUQADD, USQADD: with the sign of the destination flipped both operands are unsigned, or signed.
 */
bool vec_saturating_mixed(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    enum vec_constant sign = sign_mask(o->y);
    flags_clobber(e);
    vec_with(e, IR_V_EOR, 0, 2, vec_use(e, o->d, 2), sign);
    unsigned out = vec_out(e, o);
    add_or_subtract(e, o->sub == IR_V_SUQADD ? IR_V_UQADD : IR_V_SQADD, o->y, 0, a, 2,
                    vec_bytes(o, o->y));
    vec_with(e, IR_V_EOR, 0, out, 0, sign);
    vec_finish(e, o, out);
    return true;
}

/* Lanes of xmm0 that are the most negative number can only be the most positive plus one: make them
 * the latter, in `d`. Overwrites xmm3. */
static void correct_minimum(struct emitter *e, unsigned z, unsigned d, unsigned bytes)
{
    vec_with(e, IR_V_CMEQ, z, 3, 0, sign_mask(z));
    vec_lane(e, IR_V_EOR, 0, d, 0, 3);
    vec_saturated_if(e, 3, bytes);
}

bool vec_saturating_sign(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    flags_clobber(e);
    if (o->sub == IR_V_SQABS) {
        vec_abs(e, o->y, 0, a);
    } else {
        vec_zero(e, 0);
        vec_lane(e, IR_V_SUB, o->y, 0, 0, a);
    }
    unsigned out = vec_out(e, o);
    correct_minimum(e, o->y, out, vec_bytes(o, o->y));
    vec_finish(e, o, out);
    return true;
}

/* --- doubled products ----------------------------------------------------------------------------
 */

/* xmm0 = the upper halves of 2 a b, 32-bit lanes: even and odd ones by VPMULDQ. */
static void doubling_high_32(struct emitter *e, bool rounding, unsigned a, unsigned b)
{
    static const struct vec_code multiply = {1, 2, X86_W_EVEX, 0x28};
    vec_shift(e, VEC_SHR, 3, 3, a, 32);
    vec_shift(e, VEC_SHR, 3, 0, b, 32);
    vec_op(e, multiply, 3, 3, rm_reg(0));
    vec_op(e, multiply, 0, a, rm_reg(b));
    if (rounding) {
        vec_with(e, IR_V_ADD, 3, 3, 3, VEC_BIT30);
        vec_with(e, IR_V_ADD, 3, 0, 0, VEC_BIT30);
    }
    vec_shift(e, VEC_SHL, 3, 3, 3, 1);
    vec_shift(e, VEC_SHR, 3, 0, 0, 31);
    vec_blend_lanes(e, 2, 0, 0, rm_reg(3), 0x0a);
}

bool vec_doubling_high(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    static const struct vec_code high = {1, 1, 0, 0xe5}, rounded = {1, 2, 0, 0x0b};
    bool rounding = o->sub == IR_V_SQRDMULH;
    flags_clobber(e);
    if (o->y == 2) {
        doubling_high_32(e, rounding, a, b);
    } else if (rounding) { /* vpmulhrsw */
        vec_op(e, rounded, 0, a, rm_reg(b));
    } else { /* vpmulhw, and the highest bit of the lower halves */
        vec_op(e, high, 0, a, rm_reg(b));
        vec_lane(e, IR_V_MUL, 1, 3, a, b);
        vec_lane(e, IR_V_ADD, 1, 0, 0, 0);
        vec_shift(e, VEC_SHR, 1, 3, 3, 15);
        vec_lane(e, IR_V_ORR, 0, 0, 0, 3);
    }
    unsigned out = vec_out(e, o);
    correct_minimum(e, o->y, out, vec_bytes(o, o->y));
    vec_finish(e, o, out);
    return true;
}

/* SQRDMLAH and SQRDMLSH take one more bit than twice the size: words need 64-bit sums of even and
 * of odd lanes, halfwords 32-bit ones of both halves. That, four parts of accumulation and the
 * check is what their length is. */

/* xmm `to` += or -= V[d]'s words, the lower or upper of each 64 bits, times 2^31; and half of what
 * is shifted out later. Overwrites xmm1 and xmm2. */
static void accumulate_word(struct emitter *e, const struct ir_op *o, bool upper, unsigned to)
{
    unsigned d = vec_use(e, o->d, 1);
    if (upper) {
        vec_shift(e, VEC_SHR, 3, 2, d, 32);
        d = 2;
    }
    vec_op(e, (struct vec_code){1, 2, X86_W_EVEX, 0x28}, 2, d, vec_const(e, VEC_BIT30, 0));
    vec_lane(e, IR_V_ADD, 3, 2, 2, 2);
    vec_lane(e, o->sub == IR_V_SQRDMLAH ? IR_V_ADD : IR_V_SUB, 3, to, 2, to);
    vec_with(e, IR_V_ADD, 3, to, to, VEC_BIT30);
}

/* Words: sums of 64 bits, even ones in xmm0 and odd ones in xmm3; bits 62 to 31 are the result if
 * bit 63 is as bit 62. */
static void rounded_sums_of_words(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    static const struct vec_code multiply = {1, 2, X86_W_EVEX, 0x28};
    vec_shift(e, VEC_SHR, 3, 3, a, 32);
    vec_shift(e, VEC_SHR, 3, 0, b, 32);
    vec_op(e, multiply, 3, 3, rm_reg(0));
    vec_op(e, multiply, 0, a, rm_reg(b));
    accumulate_word(e, o, true, 3);
    accumulate_word(e, o, false, 0);
    vec_shift(e, VEC_SHR, 3, 1, 0, 32);
    vec_blend_lanes(e, 2, 1, 1, rm_reg(3), 0x0a);
    vec_lane(e, IR_V_ADD, 3, 0, 0, 0);
    vec_lane(e, IR_V_ADD, 3, 3, 3, 3);
    vec_shift(e, VEC_SHR, 3, 0, 0, 32);
    vec_blend_lanes(e, 2, 0, 0, rm_reg(3), 0x0a);
    vec_lane(e, IR_V_EOR, 0, 3, 1, 0);
    vec_shift(e, VEC_SAR, 2, 1, 1, 31);
    vec_with(e, IR_V_EOR, 0, 1, 1, VEC_ABS32);
    vec_blend(e, 2, 0, 3, 1, 0);
    vec_saturated_if_signs(e, 2, 3, vec_bytes(o, 2));
}

/* Halfwords: sums of 32 bits, of the lower lanes in xmm1 and the upper ones in xmm2. */
static void rounded_sums_of_halfwords(struct emitter *e, const struct ir_op *o, unsigned a,
                                      unsigned b)
{
    enum ir_vec add = o->sub == IR_V_SQRDMLAH ? IR_V_ADD : IR_V_SUB;
    vec_op(e, (struct vec_code){1, 1, 0, 0xe5}, 3, a, rm_reg(b)); /* vpmulhw */
    vec_lane(e, IR_V_MUL, 1, 0, a, b);
    vec_lane(e, IR_V_ZIP1, 1, 1, 0, 3);
    vec_lane(e, IR_V_ZIP2, 1, 2, 0, 3);
    unsigned d = vec_use(e, o->d, 3);
    for (unsigned half = 1; half <= 2; half++) { /* d times 2^15 */
        vec_zero(e, 0);
        vec_lane(e, half == 1 ? IR_V_ZIP1 : IR_V_ZIP2, 1, 0, 0, d);
        vec_shift(e, VEC_SAR, 2, 0, 0, 1);
        vec_lane(e, add, 2, half, 0, half);
        vec_with(e, IR_V_ADD, 2, half, half, VEC_BIT14);
    }
    vec_lane(e, IR_V_ADD, 2, 0, 1, 1);
    vec_lane(e, IR_V_EOR, 0, 0, 0, 1);
    if (o->flags & IR_Q) {
        vec_lane(e, IR_V_ADD, 2, 3, 2, 2);
        vec_lane(e, IR_V_EOR, 0, 3, 3, 2);
        vec_lane(e, IR_V_ORR, 0, 0, 0, 3);
    }
    vec_saturated_if_signs(e, 2, 0, o->flags & IR_SCALAR ? 4 : 16);
    vec_shift(e, VEC_SAR, 2, 1, 1, 15);
    vec_shift(e, VEC_SAR, 2, 2, 2, 15);
    vec_op(e, (struct vec_code){1, 1, 0, 0x6b}, 0, 1, rm_reg(2)); /* vpackssdw */
}

/* SQRDMLAH, SQRDMLSH: the sum of twice the size, saturated once. */
bool vec_doubling_high_sum(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    flags_clobber(e);
    if (o->y == 2)
        rounded_sums_of_words(e, o, a, b);
    else
        rounded_sums_of_halfwords(e, o, a, b);
    vec_finish(e, o, 0);
    return true;
}

/* SQDMULL, SQDMLAL, SQDMLSL: the product saturates before the sum does. */
bool vec_doubling_long(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    struct ir_op wide = vec_wide_result(o);
    unsigned bytes = vec_bytes(&wide, wide.y);
    flags_clobber(e);
    vec_multiply_long(e, o->y, true, o->flags & IR_Q, 0, a, b);
    vec_lane(e, IR_V_ADD, wide.y, 0, 0, 0);
    correct_minimum(e, wide.y, 0, bytes);
    if (o->sub != IR_V_SQDMULL)
        add_or_subtract(e, o->sub == IR_V_SQDMLAL ? IR_V_SQADD : IR_V_SQSUB, wide.y, 0,
                        vec_use(e, o->d, 1), 0, bytes);
    vec_finish(e, &wide, 0);
    return true;
}

/* --- shifts to the left by a constant ------------------------------------------------------------
 */

/* A lane was saturated if shifting back does not give the operand. */
bool vec_saturating_shift(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    bool is_signed = o->sub == IR_V_SQSHL_imm, from_signed = o->sub != IR_V_UQSHL_imm;
    unsigned z = o->y;
    flags_clobber(e);
    vec_copy(e, 1, o->a);
    vec_shift_lanes(e, VEC_SHL, z, 0, 1, o->x);
    vec_shift_lanes(e, is_signed ? VEC_SAR : VEC_SHR, z, 2, 0, o->x);
    vec_lane(e, IR_V_CMEQ, z, 2, 2, 1);
    if (from_signed) {
        vec_zero(e, 3);
        vec_lane(e, IR_V_CMGT, z, 3, 3, 1); /* signs */
        if (!is_signed)                     /* a shift by zero does not lose them */
            vec_lane(e, IR_V_BIC, 0, 2, 3, 2);
        vec_with(e, IR_V_EOR, 0, 3, 3, is_signed ? (enum vec_constant)abs_masks[z] : VEC_ONES);
    } else {
        vec_ones(e, 3);
    }
    vec_blend(e, 0, 0, 2, 0, 3);
    vec_with(e, IR_V_EOR, 0, 2, 2, VEC_ONES);
    vec_saturated_if(e, 2, vec_bytes(o, z));
    vec_finish(e, o, 0);
    return true;
}
