/* emit_simd_arith.c: vector integer arithmetic and operations on bits, where lanes keep their size
 * and nothing saturates.
 */
#include "core/x86_64/emit_simd.h"

/* --- sums and products ---------------------------------------------------------------------------
 */

/* xmm `d` = a * b. Bytes: the even ones, and the odd ones moved down. */
static void multiply(struct emitter *e, unsigned z, unsigned d, unsigned a, unsigned b)
{
    if (z) {
        vec_lane(e, IR_V_MUL, z, d, a, b);
        return;
    }
    vec_shift(e, VEC_SHR, 1, 0, a, 8);
    vec_shift(e, VEC_SHR, 1, 3, b, 8);
    vec_lane(e, IR_V_MUL, 1, 0, 0, 3);
    vec_shift(e, VEC_SHL, 1, 0, 0, 8);
    vec_lane(e, IR_V_MUL, 1, 3, a, b);
    vec_with(e, IR_V_AND, 0, 3, 3, VEC_LOW8);
    vec_lane(e, IR_V_ORR, 0, d, 0, 3);
}

/* d = d +- xmm0 */
void vec_accumulate(struct emitter *e, const struct ir_op *o, bool subtract)
{
    unsigned d = vec_use(e, o->d, 3), out = vec_out(e, o);
    vec_lane(e, subtract ? IR_V_SUB : IR_V_ADD, o->y, out, d, 0);
    vec_finish(e, o, out);
}

bool vec_multiply(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    unsigned out = vec_out(e, o);
    multiply(e, o->y, out, a, b);
    vec_finish(e, o, out);
    return true;
}

/* Products without carries, from b's highest bit down, which VPBLENDVB looks at. PMULL: bytes as
 * halfwords, b's in both of their halves. The host multiplies polynomials of 64 bits alone, of
 * which each holds one or two of these. */
bool vec_polynomial(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    bool is_long = o->sub == IR_V_PMULL, upper = o->flags & IR_Q;
    struct ir_op result = is_long ? vec_wide_result(o) : *o;
    unsigned z = result.y;
    if (is_long) { /* vpunpcklbw, vpunpckhbw */
        enum ir_vec zip = upper ? IR_V_ZIP2 : IR_V_ZIP1;
        vec_zero(e, 0);
        vec_lane(e, zip, 0, 2, b, b);
        vec_lane(e, zip, 0, 1, a, 0);
    } else {
        vec_copy_reg(e, 2, b);
        vec_copy_reg(e, 1, a);
        vec_zero(e, 0);
    }
    for (unsigned bit = 0; bit < 8; bit++) {
        if (bit) {
            vec_lane(e, IR_V_ADD, z, 0, 0, 0);
            vec_lane(e, IR_V_EOR, 0, 3, 0, 1);
        }
        vec_blend(e, 0, 0, 2, bit ? 3 : 1, 0);
        if (bit < 7)
            vec_lane(e, IR_V_ADD, 0, 2, 2, 2);
    }
    vec_finish(e, &result, 0);
    return true;
}

bool vec_multiply_accumulate(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    multiply(e, o->y, 0, a, b);
    vec_accumulate(e, o, o->sub == IR_V_MLS);
    return true;
}

/* xmm `d` = |a - b| by way of the larger and the smaller. */
void vec_difference(struct emitter *e, unsigned z, bool is_signed, unsigned d, unsigned a,
                    unsigned b)
{
    vec_lane(e, is_signed ? IR_V_SMAX : IR_V_UMAX, z, 0, a, b);
    vec_lane(e, is_signed ? IR_V_SMIN : IR_V_UMIN, z, 3, a, b);
    vec_lane(e, IR_V_SUB, z, d, 0, 3);
}

bool vec_differ(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    bool adds = o->sub == IR_V_SABA || o->sub == IR_V_UABA;
    unsigned out = adds ? 0 : vec_out(e, o);
    vec_difference(e, o->y, o->sub == IR_V_SABD || o->sub == IR_V_SABA, out, a, b);
    if (adds)
        vec_accumulate(e, o, false);
    else
        vec_finish(e, o, out);
    return true;
}

/* Bytes and halfwords: VPAVG is (a + b + 1) >> 1 of unsigned numbers. Inverted operands and result
 * make it round down, flipped signs signed, one inverted operand a difference: so all six are XORs
 * around it. Words: a + b is twice the common bits and once the others. */
bool vec_halve(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    enum { NOTHING, SIGN, ABS, ALL };
    static const struct {
        uint8_t a, b, result; /* what they are XORed with */
        uint8_t common, combine, kind;
    } rows[] = {
        [IR_V_SHADD - IR_V_SHADD] = {ABS, ABS, ABS, IR_V_AND, IR_V_ADD, VEC_SAR},
        [IR_V_UHADD - IR_V_SHADD] = {ALL, ALL, ALL, IR_V_AND, IR_V_ADD, VEC_SHR},
        [IR_V_SRHADD - IR_V_SHADD] = {SIGN, SIGN, SIGN, IR_V_ORR, IR_V_SUB, VEC_SAR},
        [IR_V_URHADD - IR_V_SHADD] = {NOTHING, NOTHING, NOTHING, IR_V_ORR, IR_V_SUB, VEC_SHR},
        [IR_V_SHSUB - IR_V_SHADD] = {SIGN, ABS, SIGN, IR_V_BIC, IR_V_SUB, VEC_SAR},
        [IR_V_UHSUB - IR_V_SHADD] = {NOTHING, ALL, SIGN, IR_V_BIC, IR_V_SUB, VEC_SHR},
    };
    static const uint8_t masks[2][4] = {{0, VEC_SIGN8, VEC_ABS8, VEC_ONES},
                                        {0, VEC_SIGN16, VEC_ABS16, VEC_ONES}};
    static const struct vec_code average[] = {{1, 1, 0, 0xe0}, {1, 1, 0, 0xe3}};
    unsigned row = o->sub - (unsigned)IR_V_SHADD, out = vec_out(e, o);
    if (o->y == 2) {
        vec_lane(e, IR_V_EOR, 0, 0, a, b);
        vec_shift(e, (enum vec_shift)rows[row].kind, 2, 0, 0, 1);
        vec_lane(e, (enum ir_vec)rows[row].common, 0, 3, a, b);
        bool from_common = rows[row].common == IR_V_ORR;
        vec_lane(e, (enum ir_vec)rows[row].combine, 2, out, from_common ? 3 : 0,
                 from_common ? 0 : 3);
        vec_finish(e, o, out);
        return true;
    }
    const uint8_t *mask = masks[o->y];
    if (rows[row].a) {
        vec_with(e, IR_V_EOR, 0, 0, a, (enum vec_constant)mask[rows[row].a]);
        a = 0;
    }
    if (rows[row].b) {
        vec_with(e, IR_V_EOR, 0, 3, b, (enum vec_constant)mask[rows[row].b]);
        b = 3;
    }
    vec_op(e, average[o->y], rows[row].result ? 0 : out, a, rm_reg(b));
    if (rows[row].result)
        vec_with(e, IR_V_EOR, 0, out, 0, (enum vec_constant)mask[rows[row].result]);
    vec_finish(e, o, out);
    return true;
}

/* VPDPBUSD multiplies unsigned by signed bytes. Signed: with a's signs flipped it is 128 larger, so
 * 128 times b's sum goes first. Unsigned: with b's flipped it is 128 smaller, so 64 times a's sum
 * is added twice. */
static void dot_by_vnni(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    enum { VPDPBUSD = 0x50 };
    if (o->sub == IR_V_SDOT) {
        vec_zero(e, 0);
        x86_vec(e->buf, 1, 1, 0, 0x6f, 3, X86_NO_SECOND, vec_const(e, VEC_SIGN8, 0));
        x86_evex(e->buf, 1, 2, 0, VPDPBUSD, 0, 3, rm_reg(b));
        vec_lane(e, IR_V_SUB, 2, 0, vec_use(e, o->d, 3), 0);
        vec_with(e, IR_V_EOR, 0, 3, a, VEC_SIGN8);
        x86_evex(e->buf, 1, 2, 0, VPDPBUSD, 0, 3, rm_reg(b));
    } else {
        vec_copy(e, 0, o->d);
        vec_with(e, IR_V_EOR, 0, 3, b, VEC_SIGN8);
        x86_evex(e->buf, 1, 2, 0, VPDPBUSD, 0, a, rm_reg(3));
        for (unsigned i = 0; i < 2; i++)
            x86_evex(e->buf, 1, 2, 0, VPDPBUSD, 0, a, vec_const(e, VEC_BYTE_64, 0));
    }
    vec_finish(e, o, 0);
}

/* Sums of four products of bytes: of even and of odd bytes, as halfwords, by VPMADDWD. */
bool vec_dot(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    static const struct vec_code multiply_add = {1, 1, 0, 0xf5};
    bool is_signed = o->sub == IR_V_SDOT;
    if (vec_wide(e) && e->request->host->avx512vnni) {
        dot_by_vnni(e, o, a, b);
        return true;
    }
    if (is_signed) {
        vec_shift(e, VEC_SHL, 1, 0, a, 8);
        vec_shift(e, VEC_SHL, 1, 3, b, 8);
        vec_shift(e, VEC_SAR, 1, 0, 0, 8);
        vec_shift(e, VEC_SAR, 1, 3, 3, 8);
    } else {
        vec_with(e, IR_V_AND, 0, 0, a, VEC_LOW8);
        vec_with(e, IR_V_AND, 0, 3, b, VEC_LOW8);
    }
    vec_op(e, multiply_add, 0, 0, rm_reg(3));
    vec_shift(e, is_signed ? VEC_SAR : VEC_SHR, 1, 3, a, 8);
    vec_shift(e, is_signed ? VEC_SAR : VEC_SHR, 1, 2, b, 8);
    vec_op(e, multiply_add, 3, 3, rm_reg(2));
    vec_lane(e, IR_V_ADD, 2, 0, 0, 3);
    vec_accumulate(e, o, false);
    return true;
}

/* --- signs ---------------------------------------------------------------------------------------
 */

void vec_spread_sign(struct emitter *e, unsigned d, unsigned a)
{
    vec_shuffle(e, d, a, 0xf5); /* upper halves */
    vec_shift(e, VEC_SAR, 2, d, d, 31);
}

/* 64-bit lanes without AVX-512: (a ^ sign) - sign. */
void vec_abs(struct emitter *e, unsigned z, unsigned d, unsigned a)
{
    if (z < 3) {
        vec_op(e, vec_lanes[IR_V_ABS][z], d, X86_NO_SECOND, rm_reg(a));
    } else if (vec_wide(e)) { /* vpabsq */
        x86_evex(e->buf, 1, 2, 1, 0x1f, d, X86_NO_SECOND, rm_reg(a));
    } else {
        unsigned sign = d ? 0 : 3;
        vec_spread_sign(e, sign, a);
        vec_lane(e, IR_V_EOR, 0, d, a, sign);
        vec_lane(e, IR_V_SUB, 3, d, d, sign);
    }
}

bool vec_absolute(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    unsigned out = o->y == 3 && !vec_wide(e) ? 0 : vec_out(e, o);
    vec_abs(e, o->y, out, a);
    vec_finish(e, o, out);
    return true;
}

bool vec_negate(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    unsigned out = vec_out(e, o);
    vec_zero(e, 0);
    vec_lane(e, IR_V_SUB, o->y, out, 0, a);
    vec_finish(e, o, out);
    return true;
}

bool vec_invert(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    unsigned out = vec_out(e, o);
    vec_with(e, IR_V_EOR, 0, out, a, VEC_ONES);
    vec_finish(e, o, out);
    return true;
}

/* --- bits ----------------------------------------------------------------------------------------
 */

/* xmm `d` = table[low nibbles of a] op table[high nibbles]. */
static void by_nibble(struct emitter *e, unsigned d, unsigned a, enum vec_constant low,
                      enum vec_constant high, enum ir_vec combine)
{
    vec_shift(e, VEC_SHR, 1, 3, a, 4);
    vec_with(e, IR_V_AND, 0, 0, a, VEC_BYTE_15);
    vec_with(e, IR_V_AND, 0, 3, 3, VEC_BYTE_15);
    x86_vec(e->buf, 1, 1, 0, 0x6f, 2, X86_NO_SECOND, vec_const(e, low, 0));
    x86_vec(e->buf, 1, 2, 0, 0x00, 0, 2, rm_reg(0)); /* vpshufb */
    x86_vec(e->buf, 1, 1, 0, 0x6f, 2, X86_NO_SECOND, vec_const(e, high, 0));
    x86_vec(e->buf, 1, 2, 0, 0x00, 3, 2, rm_reg(3));
    vec_lane(e, combine, 0, d, 0, 3);
}

static bool counts_bits(const struct emitter *e)
{
    return vec_wide(e) && e->request->host->avx512bitalg;
}

/* Bytes and halfwords: the bits below the lowest one of the lane with its bits reversed. */
static void leading_zeros_by_count(struct emitter *e, unsigned z, unsigned d, unsigned a)
{
    vec_op_imm(e, (struct vec_code){1, 3, 1, 0xce}, 0, a, vec_const(e, VEC_RBIT_MATRIX, 1), 0);
    if (z)
        x86_vec(e->buf, 1, 2, 0, 0x00, 0, 0, vec_const(e, VEC_REV16_8, 0)); /* vpshufb */
    vec_ones(e, 3);
    vec_lane(e, IR_V_ADD, z, 3, 0, 3);
    vec_lane(e, IR_V_BIC, 0, 0, 0, 3);
    x86_evex(e->buf, 1, 2, z, 0x54, d, X86_NO_SECOND, rm_reg(0)); /* vpopcnt */
}

/* xmm `d` = leading zeros of each lane of a. From bytes up: the upper half's, and if that is all of
 * them the lower half's too. */
static void leading_zeros(struct emitter *e, unsigned z, unsigned d, unsigned a)
{
    if (vec_wide(e) && z >= 2) { /* vplzcnt */
        x86_evex(e->buf, 1, 2, z == 3, 0x44, d, X86_NO_SECOND, rm_reg(a));
        return;
    }
    if (counts_bits(e) && e->request->host->gfni) {
        leading_zeros_by_count(e, z, d, a);
        return;
    }
    by_nibble(e, z ? 0 : d, a, VEC_CLZ_LOW, VEC_CLZ_HIGH, IR_V_UMIN);
    for (unsigned half = 0; half < z; half++) {
        unsigned bits = 8u << half;
        vec_with(e, IR_V_CMEQ, half, 3, 0, half ? VEC_HALFWORD_16 : VEC_BYTE_8);
        vec_shift(e, VEC_SHR, half + 1, 3, 3, bits);
        vec_lane(e, IR_V_AND, 0, 3, 3, 0);
        vec_shift(e, VEC_SHR, half + 1, 0, 0, bits);
        vec_lane(e, IR_V_ADD, half + 1, half + 1 == z ? d : 0, 0, 3);
    }
}

/* CLS: where a bit and the one below it differ, the run of signs ends; at the latest at the lowest
 * bit, which has none below it. */
static void mark_sign_run(struct emitter *e, unsigned z, unsigned a)
{
    static const uint8_t lowest[] = {VEC_ONE8, VEC_ONE16, VEC_ONE32};
    vec_lane(e, IR_V_ADD, z, 0, a, a);
    vec_lane(e, IR_V_EOR, 0, 0, 0, a);
    vec_with(e, IR_V_ORR, 0, 1, 0, (enum vec_constant)lowest[z]);
}

bool vec_bits(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    const struct hostcpu *host = e->request->host;
    unsigned d = vec_out(e, o);
    if (o->sub == IR_V_CNT && counts_bits(e)) {
        x86_evex(e->buf, 1, 2, 0, 0x54, d, X86_NO_SECOND, rm_reg(a)); /* vpopcntb */
    } else if (o->sub == IR_V_CNT) {
        by_nibble(e, d, a, VEC_POPCOUNT, VEC_POPCOUNT, IR_V_ADD);
    } else if (o->sub == IR_V_RBIT && host->gfni) {
        vec_op_imm(e, (struct vec_code){1, 3, 1, 0xce}, d, a, vec_const(e, VEC_RBIT_MATRIX, 1), 0);
    } else if (o->sub == IR_V_RBIT) {
        by_nibble(e, d, a, VEC_RBIT_LOW, VEC_RBIT_HIGH, IR_V_ORR);
    } else if (o->sub == IR_V_CLS) {
        mark_sign_run(e, o->y, a);
        leading_zeros(e, o->y, d, 1);
    } else {
        leading_zeros(e, o->y, d, a);
    }
    vec_finish(e, o, d);
    return true;
}

bool vec_reverse(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    static const uint8_t shuffles[3][2] = {
        {VEC_REV16_8, 0}, {VEC_REV32_8, VEC_REV32_16}, {VEC_REV64_8, VEC_REV64_16}};
    unsigned d = vec_out(e, o);
    if (o->y == 2)
        vec_shuffle(e, d, a, 0xb1);
    else
        x86_vec(e->buf, 1, 2, 0, 0x00, d, a,
                vec_const(e, (enum vec_constant)shuffles[o->sub - IR_V_REV16][o->y], 0));
    vec_finish(e, o, d);
    return true;
}
