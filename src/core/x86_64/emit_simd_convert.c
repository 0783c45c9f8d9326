/* emit_simd_convert.c: vectors between floating point and integers, between single and double, and
 * to integers in floating-point format.
 *
 * Rounding to an integer raises Inexact by itself or not at all, so the result is found first and
 * Inexact raised by a second rounding, once no lane is out of range. What AVX2 lacks of 64-bit and
 * unsigned conversions goes lane by lane, or in two halves.
 */
#include "core/x86_64/emit_fp.h"

/* xmm0 = a to the nearest integer, ties away from zero, which x86 has not: the magnitude truncated,
 * and one more if half or more is left. Infinities and NaNs are cold. */
static void round_away(struct emitter *e, bool is_64, unsigned a)
{
    fp_absolute(e, is_64, 3, a);
    fp_compare(e, is_64, 0, 3, vec_const(e, is_64 ? VEC_INF64 : VEC_INF32, 1), FP_EQ_OR_UNORDERED);
    fp_cold_if_any(e, is_64, 0);
    fp_round(e, is_64, 0, 3, IR_RZ, false);
    vec_op(e, fp_packed(is_64, 0x5c), 3, 3, rm_reg(0));
    fp_compare(e, is_64, 3, 3, vec_const(e, is_64 ? VEC_HALF_F64 : VEC_HALF_F32, 1), FP_GE);
    fp_with(e, is_64, 0x54, 3, 3, VEC_ONE_F32, VEC_ONE_F64);
    vec_op(e, fp_packed(is_64, 0x58), 0, 0, rm_reg(3));
    fp_with(e, is_64, 0x54, 3, a, VEC_SIGN32, VEC_SIGN64);
    x86_vec(e->buf, 0, 1, 0, 0x56, 0, 0, rm_reg(3));
}

unsigned fp_round_lanes(struct emitter *e, const struct ir_op *o, unsigned a)
{
    if (o->x == IR_RA) {
        round_away(e, fp_double(o), a);
        return 0;
    }
    unsigned d = fp_result(e, o);
    fp_round(e, fp_double(o), d, a, o->x, o->y);
    fp_check(e, fp_double(o), false, d);
    return d;
}

/* xmm `reg` = 2 to the power of n in both lanes or all four. */
static void power(struct emitter *e, bool is_64, unsigned reg, int n)
{
    uint64_t one = is_64 ? (uint64_t)(1023 + n) << 52 : (uint64_t)(127 + n) << 23;
    vec_fill(e, reg, is_64 ? one : one << 32 | one);
}

/* --- from integers -------------------------------------------------------------------------------
 */

/* xmm0 = lanes of a, each by VCVTSI2SD. */
static void from_signed_64(struct emitter *e, unsigned a)
{
    static const struct vec_code convert = {3, 1, 1, 0x2a};
    vec_zero(e, 0);
    x86_vec(e->buf, 1, 1, 1, 0x7e, a, X86_NO_SECOND, rm_reg(RAX)); /* vmovq, vpextrq */
    x86_vec(e->buf, 1, 3, 1, 0x16, a, X86_NO_SECOND, rm_reg(RCX));
    x86_byte(e->buf, 1);
    vec_op(e, convert, 3, 0, rm_reg(RCX));
    vec_op(e, convert, 0, 0, rm_reg(RAX));
    vec_lane(e, IR_V_ZIP1, 3, 0, 0, 3);
}

/* Both words become the low bits of numbers whose exponent makes them integers. A sum that is zero
 * may have got a sign. */
static void from_unsigned_64(struct emitter *e, unsigned a)
{
    vec_blend_lanes(e, 2, 0, a, vec_const(e, VEC_TWO_52, 1), 0x0a);
    vec_shift(e, VEC_SHR, 3, 3, a, 32);
    vec_with(e, IR_V_ORR, 0, 3, 3, VEC_TWO_84);
    vec_op(e, fp_packed(true, 0x5c), 3, 3, vec_const(e, VEC_TWO_84_52, 0));
    vec_op(e, fp_packed(true, 0x58), 0, 0, rm_reg(3));
    fp_absolute(e, true, 0, 0);
}

/* The upper halfword times 2^16, which is exact, and the lower. */
static void from_unsigned_32(struct emitter *e, unsigned a)
{
    static const struct vec_code convert = {0, 1, 0, 0x5b};
    vec_with(e, IR_V_AND, 0, 0, a, VEC_LOW16);
    vec_shift(e, VEC_SHR, 2, 3, a, 16);
    vec_op(e, convert, 0, X86_NO_SECOND, rm_reg(0));
    vec_op(e, convert, 3, X86_NO_SECOND, rm_reg(3));
    if (e->request->host->fma) { /* vfmadd231ps */
        x86_vec(e->buf, 1, 2, 0, 0xb8, 0, 3, vec_const(e, VEC_TWO_16, 0));
        return;
    }
    vec_op(e, fp_packed(false, 0x59), 3, 3, vec_const(e, VEC_TWO_16, 0));
    vec_op(e, fp_packed(false, 0x58), 0, 0, rm_reg(3));
}

/* Integers of the same size; o->c bits of them are behind the point. */
unsigned fp_from_integer(struct emitter *e, const struct ir_op *o, unsigned a)
{
    bool is_64 = fp_double(o), is_unsigned = o->sub == IR_F_FROM_UNSIGNED;
    bool one = vec_wide(e) || (!is_unsigned && !is_64);
    unsigned out = vec_out(e, o), d = one && !o->c ? out : 0;
    if (!is_unsigned && !is_64)
        x86_vec(e->buf, 0, 1, 0, 0x5b, d, X86_NO_SECOND, rm_reg(a)); /* vcvtdq2ps */
    else if (vec_wide(e))
        x86_evex(e->buf, is_64 ? 2 : 3, 1, is_64, is_unsigned ? 0x7a : 0xe6, d, X86_NO_SECOND,
                 rm_reg(a));
    else if (!is_unsigned)
        from_signed_64(e, a);
    else if (is_64)
        from_unsigned_64(e, a);
    else
        from_unsigned_32(e, a);
    if (o->c) { /* exact: the smallest is 2^-64 */
        power(e, is_64, 3, -(int)o->c);
        vec_op(e, fp_packed(is_64, 0x59), out, 0, rm_reg(3));
        return out;
    }
    return d;
}

/* --- to integers ---------------------------------------------------------------------------------
 */

/* xmm0 = lanes of a, each by VCVTTSD2SI. */
static void to_signed_64(struct emitter *e, unsigned a)
{
    static const struct vec_code convert = {3, 1, 1, 0x2c};
    vec_lane(e, IR_V_ZIP2, 3, 3, a, a);
    vec_op(e, convert, RAX, X86_NO_SECOND, rm_reg(a));
    vec_op(e, convert, RCX, X86_NO_SECOND, rm_reg(3));
    x86_vec(e->buf, 1, 1, 1, 0x6e, 0, X86_NO_SECOND, rm_reg(RAX)); /* vmovq, vpinsrq */
    x86_vec(e->buf, 1, 3, 1, 0x22, 0, 0, rm_reg(RCX));
    x86_byte(e->buf, 1);
}

/* AVX2: only what a signed conversion can do, after looking. Numbers with a sign, even if they
 * would give zero, and doubles from 2^63 up are cold; singles from 2^31 up get their top bit apart.
 */
static void to_unsigned(struct emitter *e, bool is_64, unsigned a)
{
    fp_cold_if_any(e, is_64, a);
    if (is_64) {
        vec_fill(e, 3, 0x43dfffffffffffff);
        vec_lane(e, IR_V_CMGT, 3, 3, a, 3);
        fp_cold_if_any(e, true, 3);
        to_signed_64(e, a);
        return;
    }
    fp_compare(e, false, 3, a, vec_const(e, VEC_TWO_32, 1), FP_NOT_LESS_QUIET);
    fp_cold_if_any(e, false, 3);
    fp_compare(e, false, 3, a, vec_const(e, VEC_TWO_31, 1), FP_GE);
    fp_with(e, false, 0x54, 2, 3, VEC_TWO_31, VEC_TWO_31);
    vec_op(e, fp_packed(false, 0x5c), 0, a, rm_reg(2));
    x86_vec(e->buf, 2, 1, 0, 0x5b, 0, X86_NO_SECOND, rm_reg(0)); /* vcvttps2dq */
    vec_shift(e, VEC_SHL, 2, 3, 3, 31);
    vec_lane(e, IR_V_EOR, 0, 0, 0, 3);
}

/* xmm `d` (xmm0 if by several instructions) = a, integral or to be truncated. Out of range gives
 * the top bit alone, or all ones where unsigned: both to the cold path. */
static void convert(struct emitter *e, const struct ir_op *o, unsigned d, unsigned a)
{
    bool is_64 = fp_double(o), is_unsigned = o->sub == IR_F_TO_UNSIGNED;
    if (is_unsigned && !vec_wide(e)) {
        to_unsigned(e, is_64, a);
        return;
    }
    if (!is_unsigned && !is_64)
        x86_vec(e->buf, 2, 1, 0, 0x5b, d, X86_NO_SECOND, rm_reg(a)); /* vcvttps2dq */
    else if (!vec_wide(e))
        to_signed_64(e, a);
    else
        x86_evex(e->buf, is_64 ? 1 : 0, 1, is_64, is_unsigned ? 0x78 : 0x7a, d, X86_NO_SECOND,
                 rm_reg(a));
    if (d >= 16) { /* vpcmpeq into k1 */
        x86_evex(e->buf, 1, 3, is_64, 0x1f, 1, d,
                 vec_const(e,
                           is_unsigned ? VEC_ONES
                           : is_64     ? VEC_SIGN64
                                       : VEC_SIGN32,
                           1));
        x86_byte(e->buf, 0);
        fp_cold_if_mask(e);
        return;
    }
    vec_with(e, IR_V_CMEQ, is_64 ? 3 : 2, 3, d,
             is_unsigned ? VEC_ONES
             : is_64     ? VEC_SIGN64
                         : VEC_SIGN32);
    fp_cold_if_any(e, is_64, 3);
}

/* xmm0 = a times 2^(o->c). From 2^62 on the product might overflow, so that is cold. */
static void scale(struct emitter *e, const struct ir_op *o, unsigned a)
{
    bool is_64 = fp_double(o);
    fp_absolute(e, is_64, 3, a);
    power(e, is_64, 0, 62);
    fp_compare(e, is_64, 3, 3, rm_reg(0), FP_NOT_LESS_QUIET);
    fp_cold_if_any(e, is_64, 3);
    power(e, is_64, 0, o->c);
    vec_op(e, fp_packed(is_64, 0x59), 0, a, rm_reg(0));
}

unsigned fp_to_integer(struct emitter *e, const struct ir_op *o, unsigned a)
{
    bool is_64 = fp_double(o);
    bool one = vec_wide(e) || (o->sub == IR_F_TO_SIGNED && !is_64);
    unsigned d = one ? fp_result(e, o) : 0;
    unsigned from = o->c || o->x != IR_RZ ? 0 : a;
    if (o->c)
        scale(e, o, a);
    if (o->x == IR_RA)
        round_away(e, is_64, a);
    else if (o->x != IR_RZ)
        fp_round(e, is_64, 0, a, o->x, false);
    convert(e, o, d, from);
    if (o->x != IR_RZ)
        fp_round(e, is_64, 3, a, IR_RZ, true);
    return d;
}

/* --- between single and double -------------------------------------------------------------------
 */

/* IR_Q: the upper half of the narrow side. */
void fp_resize(struct emitter *e, const struct ir_op *o)
{
    bool upper = o->flags & IR_Q;
    unsigned a = vec_use(e, o->a, 1);
    if (o->sub == IR_F_LONG) {
        if (upper)
            vec_shift_bytes(e, 1, a, 8);
        vec_op(e, fp_packed(false, 0x5a), 0, X86_NO_SECOND, rm_reg(upper ? 1 : a));
        fp_check(e, true, false, 0);
        vec_set(e, o->d, 0, 16);
        return;
    }
    vec_op(e, fp_packed(true, 0x5a), 0, X86_NO_SECOND, rm_reg(a));
    fp_check(e, false, true, 0);
    if (upper)
        vec_lane(e, IR_V_ZIP1, 3, 0, vec_use(e, o->d, 3), 0);
    vec_set(e, o->d, 0, upper ? 16 : 8);
}
