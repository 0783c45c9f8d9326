/* emit_half.c: half precision by way of single, with F16C.
 *
 * Every half is a single, and single has more than twice the digits and a much larger range: sums,
 * differences, products, quotients and roots of halves that were rounded to single and then to half
 * are what one rounding gives, and raise the same exceptions, under each rounding mode. Fused
 * multiply-add has an exact product in single and its sum in double, from which single must keep
 * whether anything was lost: its lowest bit is set then ("round to odd"). As elsewhere NaNs and
 * results that are the smallest normal number are cold. Eight lanes are one 256-bit register, whose
 * upper half is cleared before anything else runs; lanes that are not there repeat those that are.
 */
#include "core/x86_64/emit_half.h"

static bool available(const struct emitter *e)
{
    return e->request->host->f16c;
}

/* ymm `d` = the halves in xmm `a`, which is below 16. SNaNs raise Invalid. */
void half_widen(struct emitter *e, unsigned d, unsigned a)
{
    x86_vec_256(e->buf, 1, 2, 0x13, d, X86_NO_SECOND, rm_reg(a));
}

/* xmm `d` (not 0 to 3 of the same use) = V[v], its lanes repeated where o has fewer. */
void half_operand(struct emitter *e, const struct ir_op *o, bool one_lane, unsigned v, unsigned d)
{
    unsigned reg = vec_use(e, v, d);
    if (one_lane)
        x86_vec(e->buf, 1, 2, 0, 0x79, d, X86_NO_SECOND, rm_reg(reg)); /* vpbroadcastw */
    else if (!(o->flags & IR_Q))
        vec_lane(e, IR_V_ZIP1, 3, d, reg, reg);
    else
        vec_copy_reg(e, d, reg);
}

void half_cold_if_words(struct emitter *e, unsigned reg)
{
    x86_vec(e->buf, 1, 2, 0, 0x17, reg, X86_NO_SECOND, rm_reg(reg)); /* vptest */
    cold_add(e, COLD_INTERPRET, x86_jcc(e->buf, CC_NE));
}

/* xmm `d` = ones where xmm `a` has NaNs. */
void half_find_nans(struct emitter *e, unsigned d, unsigned a)
{
    vec_with(e, IR_V_AND, 0, d, a, VEC_ABS16);
    vec_with(e, IR_V_CMGT, 1, d, d, VEC_INF16);
}

/* Cold if xmm0 has a NaN, or with `tiny` the smallest normal number. Overwrites xmm2 and xmm3. */
void half_check(struct emitter *e, bool one_lane, bool tiny)
{
    if (one_lane) {
        fp_check_half(e);
        return;
    }
    vec_with(e, IR_V_AND, 0, 2, 0, VEC_ABS16);
    vec_with(e, IR_V_CMGT, 1, 3, 2, VEC_INF16);
    if (tiny) {
        vec_with(e, IR_V_CMEQ, 1, 2, 2, VEC_MIN16);
        vec_lane(e, IR_V_ORR, 0, 3, 3, 2);
    }
    half_cold_if_words(e, 3);
}

/* xmm0 = ymm0 as halves, rounded. */
void half_narrow(struct emitter *e)
{
    x86_vec_256(e->buf, 1, 3, 0x1d, 0, X86_NO_SECOND, rm_reg(0));
    x86_byte(e->buf, 4); /* as MXCSR says */
    vec_clear_upper(e);
}

/* xmm0 = the words of ymm0, or of unsigned ones, as halfwords. */
static void pack(struct emitter *e, bool to_unsigned)
{
    x86_vec_256(e->buf, 1, 3, 0x39, 0, X86_NO_SECOND, rm_reg(3)); /* vextracti128 */
    x86_byte(e->buf, 1);
    vec_clear_upper(e);
    struct vec_code code = {1, to_unsigned ? 2 : 1, 0, to_unsigned ? 0x2b : 0x6b};
    vec_op(e, code, 0, 0, rm_reg(3));
}

static void finish(struct emitter *e, const struct ir_op *o, bool one_lane)
{
    vec_set(e, o->d, 0, one_lane ? 2 : o->flags & IR_Q ? 16 : 8);
}

/* ymm `d` = the constant in all lanes. */
static void broadcast(struct emitter *e, unsigned d, enum vec_constant c)
{
    x86_vec_256(e->buf, 1, 2, 0x18, d, X86_NO_SECOND, vec_const(e, c, 0)); /* vbroadcastss */
}

/* --- fused multiply-add --------------------------------------------------------------------------
 */

/* ymm `d` = doubles in ymm `a` with what a single has no room for in its lowest bit. */
static void round_to_odd_256(struct emitter *e, unsigned d, unsigned a)
{
    struct x86_rm lost = vec_const(e, VEC_LOW29, 0), kept = vec_const(e, VEC_HIGH35, 0);
    x86_vec_256(e->buf, 1, 1, 0xdb, d, a, lost);      /* vpand */
    x86_vec_256(e->buf, 1, 1, 0xd4, d, d, lost);      /* vpaddq: a carry unless zero */
    x86_vec_256(e->buf, 1, 1, 0xeb, d, d, rm_reg(a)); /* vpor */
    x86_vec_256(e->buf, 1, 1, 0xdb, d, d, kept);
}

/* xmm `d` (0 or 1) = the four sums of xmm1 and xmm2 (singles), to odd. Overwrites ymm3 and, if d is
 * 1, ymm2. */
static void add_to_odd(struct emitter *e, unsigned d)
{
    unsigned other = d ? 2 : 3;
    x86_vec_256(e->buf, 0, 1, 0x5a, d, X86_NO_SECOND, rm_reg(1)); /* vcvtps2pd */
    x86_vec_256(e->buf, 0, 1, 0x5a, other, X86_NO_SECOND, rm_reg(2));
    half_op_256(e, 1, 0x58, d, d, other);
    round_to_odd_256(e, 3, d);
    x86_vec_256(e->buf, 1, 1, 0x5a, d, X86_NO_SECOND, rm_reg(3)); /* vcvtpd2ps */
}

void half_add_product(struct emitter *e, bool one_lane, bool halve)
{
    half_widen(e, 2, 2);
    add_to_odd(e, 0);
    for (unsigned i = 1; i <= 2; i++) { /* vextractf128 */
        x86_vec_256(e->buf, 1, 3, 0x19, i, X86_NO_SECOND, rm_reg(i));
        x86_byte(e->buf, 1);
    }
    add_to_odd(e, 1);
    x86_vec_256(e->buf, 1, 3, 0x18, 0, 0, rm_reg(1)); /* vinsertf128 */
    x86_byte(e->buf, 1);
    if (halve) {
        broadcast(e, 2, VEC_HALF_F32);
        half_op_256(e, 0, 0x59, 0, 0, 2);
    }
    half_narrow(e);
    half_check(e, one_lane, true);
}

/* FMLA, FMLS: a in xmm1, b in xmm2, the rest of the product's rules as in emit_simd_fp.c. */
static void fused(struct emitter *e, const struct ir_op *o)
{
    if (o->sub == IR_FMLS)
        vec_with(e, IR_V_EOR, 0, 1, 1, VEC_SIGN16);
    half_widen(e, 1, 1);
    half_widen(e, 2, 2);
    half_op_256(e, 0, 0x59, 1, 1, 2);
    half_operand(e, o, o->y, o->d, 2);
    half_add_product(e, o->y, false);
}

/* --- two operands --------------------------------------------------------------------------------
 */

/* xmm1 = the even halves of b:a, xmm2 = the odd ones; in scalar form a's two lowest. */
static void split_pairs(struct emitter *e, const struct ir_op *o)
{
    unsigned a = vec_use(e, o->a, 1), b = vec_use(e, o->b, 2);
    struct x86_rm sort = vec_const(e, VEC_SORT16, 0);
    if (o->flags & IR_Q) {
        x86_vec(e->buf, 1, 2, 0, 0x00, 0, a, sort);
        x86_vec(e->buf, 1, 2, 0, 0x00, 2, b, sort);
        vec_lane(e, IR_V_ZIP1, 3, 1, 0, 2);
        vec_lane(e, IR_V_ZIP2, 3, 2, 0, 2);
    } else if (o->y) {
        vec_shift(e, VEC_SHR, 2, 2, a, 16);
        x86_vec(e->buf, 1, 2, 0, 0x79, 1, X86_NO_SECOND, rm_reg(a));
        x86_vec(e->buf, 1, 2, 0, 0x79, 2, X86_NO_SECOND, rm_reg(2));
    } else {
        vec_lane(e, IR_V_ZIP1, 3, 0, a, b);
        x86_vec(e->buf, 1, 2, 0, 0x00, 0, 0, sort);
        vec_lane(e, IR_V_ZIP1, 3, 1, 0, 0);
        vec_lane(e, IR_V_ZIP2, 3, 2, 0, 0);
    }
}

/* xmm2 = element o->size - 1 of B, or complex number, in all lanes. */
static void element(struct emitter *e, const struct ir_op *o)
{
    unsigned b = vec_use(e, o->b, 2);
    if (o->sub == IR_FCMLA) {
        vec_spread(e, 2, 2, b, o->size - 1u);
        return;
    }
    vec_shift_bytes(e, 2, b, (o->size - 1u) * 2);
    x86_vec(e->buf, 1, 2, 0, 0x79, 2, X86_NO_SECOND, rm_reg(2));
}

/* As in emit_simd_fp.c: both ways round. */
static void min_max(struct emitter *e, bool max)
{
    half_find_nans(e, 3, 1);
    half_find_nans(e, 0, 2);
    vec_lane(e, IR_V_ORR, 0, 3, 3, 0);
    half_cold_if_words(e, 3);
    half_widen(e, 1, 1);
    half_widen(e, 2, 2);
    half_op_256(e, 0, max ? 0x5f : 0x5d, 0, 1, 2);
    half_op_256(e, 0, max ? 0x5f : 0x5d, 3, 2, 1);
    half_op_256(e, 0, max ? 0x54 : 0x56, 0, 0, 3);
    half_narrow(e);
}

static void compare_lanes(struct emitter *e, const struct ir_op *o)
{
    if (o->sub == IR_FACGE || o->sub == IR_FACGT) {
        vec_with(e, IR_V_AND, 0, 1, 1, VEC_ABS16);
        vec_with(e, IR_V_AND, 0, 2, 2, VEC_ABS16);
    }
    half_widen(e, 1, 1);
    half_widen(e, 2, 2);
    half_op_256(e, 0, 0xc2, 0, 1, 2); /* vcmpps */
    x86_byte(e->buf, fp_predicate_of((enum ir_fbin)o->sub));
    pack(e, false);
}

void half_compute(struct emitter *e, bool one_lane, uint8_t opcode)
{
    half_widen(e, 1, 1);
    half_widen(e, 2, 2);
    half_op_256(e, 0, opcode, 0, 1, 2);
    half_narrow(e);
    half_check(e, one_lane, opcode == 0x59 || opcode == 0x5e);
}

static void arithmetic(struct emitter *e, const struct ir_op *o)
{
    static const uint8_t opcodes[] = {
        [IR_FADD] = 0x58, [IR_FADDP] = 0x58, [IR_FSUB] = 0x5c, [IR_FABD] = 0x5c,
        [IR_FMUL] = 0x59, [IR_FNMUL] = 0x59, [IR_FDIV] = 0x5e};
    half_compute(e, o->y, opcodes[o->sub]);
    if (o->sub == IR_FABD)
        vec_with(e, IR_V_AND, 0, 0, 0, VEC_ABS16);
    else if (o->sub == IR_FNMUL)
        vec_with(e, IR_V_EOR, 0, 0, 0, VEC_SIGN16);
}

/* xmm `d` = two or four halves of V[v] as singles, the lower or upper ones; two of them twice. */
static void widen_some(struct emitter *e, const struct ir_op *o, unsigned v, unsigned d)
{
    unsigned reg = vec_use(e, v, d);
    bool whole = o->flags & IR_Q;
    if (o->x) {
        vec_shift_bytes(e, d, reg, whole ? 8 : 4);
        reg = d;
    }
    if (!whole) {
        vec_op(e, (struct vec_code){1, 2, 0, 0x58}, d, X86_NO_SECOND, rm_reg(reg)); /* broadcast */
        reg = d;
    }
    vec_op(e, (struct vec_code){1, 2, 0, 0x13}, d, X86_NO_SECOND, rm_reg(reg));
}

/* FMLAL, FMLSL: products of halves are exact in single, so its fused sum is theirs. */
static bool fused_long(struct emitter *e, const struct ir_op *o)
{
    widen_some(e, o, o->a, 1);
    if (o->size) {
        element(e, o);
        vec_op(e, (struct vec_code){1, 2, 0, 0x13}, 2, X86_NO_SECOND, rm_reg(2));
    } else {
        widen_some(e, o, o->b, 2);
    }
    vec_copy_reg(e, 0, fp_operand(e, o, false, o->d, 0));
    x86_vec(e->buf, 1, 2, 0, o->sub == IR_FMLAL ? 0xb8 : 0xbc, 0, 1, rm_reg(2));
    fp_check(e, false, true, 0);
    vec_set(e, o->d, 0, o->flags & IR_Q ? 16 : 8);
    return true;
}

bool half_three(struct emitter *e, const struct ir_op *o)
{
    bool pairs = o->sub >= IR_FADDP && o->sub <= IR_FMINP, compares = o->sub >= IR_FCMEQ;
    bool limits =
        o->sub == IR_FMAX || o->sub == IR_FMIN || o->sub == IR_FMAXP || o->sub == IR_FMINP;
    bool sums = o->sub <= IR_FDIV || o->sub == IR_FABD || o->sub == IR_FADDP;
    bool fuses = o->sub == IR_FMLA || o->sub == IR_FMLS;
    bool rare = o->sub == IR_FMULX || o->sub == IR_FRECPS || o->sub == IR_FRSQRTS ||
                o->sub == IR_FCADD || o->sub == IR_FCMLA;
    if (o->sub == IR_FMLAL || o->sub == IR_FMLSL)
        return available(e) && e->request->host->fma && fused_long(e, o);
    if (!available(e) || !(compares || limits || sums || fuses || rare))
        return false;
    if (pairs) {
        split_pairs(e, o);
    } else {
        half_operand(e, o, o->y, o->a, 1);
        if (o->b == IR_IMM)
            vec_zero(e, 2);
        else if (o->size)
            element(e, o);
        else
            half_operand(e, o, o->y, o->b, 2);
    }
    if (compares)
        compare_lanes(e, o);
    else if (limits)
        min_max(e, o->sub == IR_FMAX || o->sub == IR_FMAXP);
    else if (fuses)
        fused(e, o);
    else if (sums)
        arithmetic(e, o);
    else
        half_three_rare(e, o);
    finish(e, o, o->y);
    return true;
}

/* --- one operand ---------------------------------------------------------------------------------
 */

/* ymm0 = ymm1 rounded, ties away from zero: a half's magnitude plus 0.5 is exact in single. */
static void round_away(struct emitter *e)
{
    broadcast(e, 2, VEC_SIGN32);
    half_op_256(e, 0, 0x54, 3, 1, 2); /* vandps, vandnps: sign and magnitude */
    half_op_256(e, 0, 0x55, 0, 2, 1);
    broadcast(e, 2, VEC_HALF_F32);
    half_op_256(e, 0, 0x58, 0, 0, 2);
    x86_vec_256(e->buf, 1, 3, 0x08, 0, X86_NO_SECOND, rm_reg(0));
    x86_byte(e->buf, (uint8_t)fp_round_mode(IR_RZ, false));
    half_op_256(e, 0, 0x56, 0, 0, 3);
}

/* ymm `d` = ymm1 rounded to integers; ties away: ymm0. */
static void round_lanes(struct emitter *e, unsigned d, unsigned rounding, bool raise)
{
    if (rounding == IR_RA) {
        round_away(e);
        return;
    }
    x86_vec_256(e->buf, 1, 3, 0x08, d, X86_NO_SECOND, rm_reg(1));
    x86_byte(e->buf, (uint8_t)fp_round_mode(rounding, raise));
}

/* ymm `d` = 2 to the power of n. */
static void power(struct emitter *e, unsigned d, int n)
{
    x86_movi(e->buf, RAX, (uint64_t)(127 + n) << 23);
    x86_vec(e->buf, 1, 1, 0, 0x6e, d, X86_NO_SECOND, rm_reg(RAX));
    x86_vec_256(e->buf, 1, 2, 0x58, d, X86_NO_SECOND, rm_reg(d)); /* vpbroadcastd */
}

/* With o->c bits behind the point: exact in single. */
static void from_integer(struct emitter *e, const struct ir_op *o)
{
    uint8_t extend = o->sub == IR_F_FROM_UNSIGNED ? 0x33 : 0x23;
    x86_vec_256(e->buf, 1, 2, extend, 0, X86_NO_SECOND, rm_reg(1)); /* vpmov */
    x86_vec_256(e->buf, 0, 1, 0x5b, 0, X86_NO_SECOND, rm_reg(0));   /* vcvtdq2ps */
    if (o->c) {
        power(e, 2, -(int)o->c);
        half_op_256(e, 0, 0x59, 0, 0, 2);
    }
    half_narrow(e); /* what is less than 2^-14 has 16 bits at most behind the point, and is exact */
}

/* Infinities, NaNs and signed numbers that need saturation (or just so do not) are cold, and for
 * unsigned results negative numbers. Halves that large are integers. */
static void to_integer(struct emitter *e, const struct ir_op *o)
{
    bool to_unsigned = o->sub == IR_F_TO_UNSIGNED;
    if (to_unsigned) {
        if (o->c) /* from 2^(16 - c) on */
            vec_fill(e, 2, ((31u - o->c) * 0x400 - 1) * 0x0001000100010001u);
        if (o->c)
            vec_lane(e, IR_V_CMGT, 1, 3, 1, 2);
        else
            vec_with(e, IR_V_CMGT, 1, 3, 1, VEC_MAX16);
        vec_lane(e, IR_V_ORR, 0, 3, 3, 1);
        vec_with(e, IR_V_AND, 0, 3, 3, VEC_SIGN16);
        half_cold_if_words(e, 3);
    }
    half_widen(e, 1, 1);
    if (o->c) {
        power(e, 2, o->c);
        half_op_256(e, 0, 0x59, 1, 1, 2);
    }
    if (o->x != IR_RZ) {
        round_lanes(e, 0, o->x, false);
        round_lanes(e, 3, IR_RZ, true);
    }
    x86_vec_256(e->buf, 2, 1, 0x5b, 0, X86_NO_SECOND,
                rm_reg(o->x == IR_RZ ? 1 : 0)); /* vcvttps2dq */
    pack(e, to_unsigned);
    if (!to_unsigned) {
        vec_with(e, IR_V_CMEQ, 1, 3, 0, VEC_SIGN16);
        vec_with(e, IR_V_CMEQ, 1, 2, 0, VEC_ABS16);
        vec_lane(e, IR_V_ORR, 0, 3, 3, 2);
        half_cold_if_words(e, 3);
    }
}

/* Between half and single; IR_Q: the upper half of the narrow side. */
static void resize(struct emitter *e, const struct ir_op *o)
{
    bool upper = o->flags & IR_Q;
    unsigned a = vec_use(e, o->a, 1);
    if (o->sub == IR_F_LONG) {
        if (upper)
            vec_shift_bytes(e, 1, a, 8);
        x86_vec(e->buf, 1, 2, 0, 0x13, 0, X86_NO_SECOND, rm_reg(upper ? 1 : a));
        fp_check(e, false, false, 0);
        vec_set(e, o->d, 0, 16);
        return;
    }
    half_from_single(e, 0, a);
    half_check(e, false, true);
    if (upper)
        vec_lane(e, IR_V_ZIP1, 3, 0, vec_use(e, o->d, 3), 0);
    vec_set(e, o->d, 0, upper ? 16 : 8);
}

/* FABS, FNEG: of all lanes, whatever they hold. */
static void change_sign(struct emitter *e, const struct ir_op *o)
{
    bool absolute = o->sub == IR_F_ABS;
    vec_with(e, absolute ? IR_V_AND : IR_V_EOR, 0, 0, vec_use(e, o->a, 1),
             absolute ? VEC_ABS16 : VEC_SIGN16);
    finish(e, o, o->size);
}

bool half_two(struct emitter *e, const struct ir_op *o)
{
    if (o->sub == IR_F_ABS || o->sub == IR_F_NEG) {
        change_sign(e, o);
        return true;
    }
    bool known = o->sub <= IR_F_NARROW;
    if (o->sub == IR_F_MAXV || o->sub == IR_F_MINV) {
        half_across(e, o);
        return true;
    }
    if (!available(e) || !known)
        return false;
    if (o->sub == IR_F_LONG || o->sub == IR_F_NARROW) {
        resize(e, o);
        return true;
    }
    half_operand(e, o, o->size, o->a, 1);
    if (o->sub == IR_F_FROM_SIGNED || o->sub == IR_F_FROM_UNSIGNED) {
        from_integer(e, o);
    } else if (o->sub == IR_F_TO_SIGNED || o->sub == IR_F_TO_UNSIGNED) {
        to_integer(e, o);
    } else {
        half_widen(e, 1, 1);
        if (o->sub == IR_F_SQRT)
            x86_vec_256(e->buf, 0, 1, 0x51, 0, X86_NO_SECOND, rm_reg(1));
        else
            round_lanes(e, 0, o->x, o->y);
        half_narrow(e);
        half_check(e, o->size, false);
    }
    finish(e, o, o->size);
    return true;
}

/* --- scalars -------------------------------------------------------------------------------------
 */

bool half_to_single(struct emitter *e, unsigned d, unsigned v)
{
    if (!available(e))
        return false;
    unsigned a = vec_use(e, v, d);
    x86_vec(e->buf, 1, 2, 0, 0x79, d, X86_NO_SECOND, rm_reg(a)); /* vpbroadcastw */
    x86_vec(e->buf, 1, 2, 0, 0x13, d, X86_NO_SECOND, rm_reg(d)); /* vcvtph2ps */
    return true;
}

static void round_to_odd(struct emitter *e, unsigned d, unsigned temp)
{
    vec_with(e, IR_V_AND, 0, temp, d, VEC_LOW29);
    vec_with(e, IR_V_ADD, 3, temp, temp, VEC_LOW29);
    vec_lane(e, IR_V_ORR, 0, d, d, temp);
    vec_with(e, IR_V_AND, 0, d, d, VEC_HIGH35);
}

void half_fused(struct emitter *e, const struct ir_op *o)
{
    static const struct {
        bool product, addend;
    } negated[] = {[IR_FMADD] = {false, false},
                   [IR_FMSUB] = {true, false},
                   [IR_FNMADD] = {true, true},
                   [IR_FNMSUB] = {false, true}};
    static const struct vec_code multiply = {2, 1, 0, 0x59}, lengthen = {2, 1, 0, 0x5a};
    half_to_single(e, 1, o->a);
    half_to_single(e, 2, o->b);
    vec_op(e, multiply, 1, 1, rm_reg(2));
    if (negated[o->sub].product)
        vec_with(e, IR_V_EOR, 0, 1, 1, VEC_SIGN32);
    half_to_single(e, 2, o->c);
    if (negated[o->sub].addend)
        vec_with(e, IR_V_EOR, 0, 2, 2, VEC_SIGN32);
    vec_op(e, lengthen, 1, 1, rm_reg(1));
    vec_op(e, lengthen, 2, 2, rm_reg(2));
    vec_op(e, (struct vec_code){3, 1, 0, 0x58}, 1, 1, rm_reg(2));
    half_from_double(e, 0, 1);
}

void half_from_double(struct emitter *e, unsigned d, unsigned a)
{
    round_to_odd(e, a, 2);
    vec_zero(e, 3);
    vec_op(e, (struct vec_code){3, 1, 0, 0x5a}, d, 3, rm_reg(a)); /* vcvtsd2ss, zero above */
    half_from_single(e, d, d);
}

void half_from_single(struct emitter *e, unsigned d, unsigned a)
{
    x86_vec(e->buf, 1, 3, 0, 0x1d, a, X86_NO_SECOND, rm_reg(d)); /* vcvtps2ph */
    x86_byte(e->buf, 4);
}
