/* fp_arith.c: sums, products, quotients, roots, extremes and comparisons of Arm floating point.
 *
 * How it works: add, multiply and every fused form are one function, sum_128(), on mantissas of 128
 * bits with bit 126 leading: a product of two 53-bit mantissas fits exactly, and the smaller addend
 * is shifted right with its lost bits jammed into bit 0. At least 21 zero bits lie at the bottom of
 * both, so the jammed bit never changes which side of a rounding point the result is on.
 */
#include "core/arm64/fp_fast.h"

typedef unsigned __int128 u128;

/* FPProcessNaNs: SNaNs first, then QNaNs, each in operand order. */
static bool process_nans(struct a64_fpctx *c, enum a64_fpfmt f, struct fp_number na,
                         struct fp_number nb, uint64_t a, uint64_t b, uint64_t *ret_result)
{
    if (!fp_is_nan(na) && !fp_is_nan(nb))
        return false;
    bool second = na.type != FPTYPE_SNAN && (nb.type == FPTYPE_SNAN || na.type != FPTYPE_QNAN);
    *ret_result = second ? fp_process_nan(c, f, nb.type, b) : fp_process_nan(c, f, na.type, a);
    return true;
}

/* A finite nonzero number with its mantissa widened; bit 126 leads. */
struct wide {
    bool sign;
    int exponent;
    u128 mantissa;
};

static struct wide widen(struct fp_number n)
{
    return (struct wide){n.sign, n.exponent, (u128)n.mantissa << 63};
}

static struct wide wide_product(struct fp_number a, struct fp_number b)
{
    struct wide p = {a.sign != b.sign, a.exponent + b.exponent, (u128)a.mantissa * b.mantissa};
    if (p.mantissa >> 127) { /* the low 22 bits are zero: nothing is lost */
        p.mantissa >>= 1;
        p.exponent++;
    }
    return p;
}

static struct fp_number narrow(struct wide w)
{
    uint64_t high = (uint64_t)(w.mantissa >> 64);
    int shift = high ? __builtin_clzll(high) : 64 + __builtin_clzll((uint64_t)w.mantissa);
    w.mantissa <<= shift;
    return (struct fp_number){
        .type = FPTYPE_FINITE,
        .sign = w.sign,
        .exponent = w.exponent + 1 - shift,
        .mantissa = (uint64_t)(w.mantissa >> 64) | ((uint64_t)w.mantissa != 0),
    };
}

/* The sum of two finite nonzero numbers; FPTYPE_ZERO where they cancel. */
static struct fp_number sum_128(struct wide a, struct wide b)
{
    if (a.exponent < b.exponent) {
        struct wide swap = a;
        a = b;
        b = swap;
    }
    int shift = a.exponent - b.exponent;
    if (shift > 126)
        b.mantissa = 1;
    else if (shift > 0)
        b.mantissa = b.mantissa >> shift | (b.mantissa << (128 - shift) != 0);

    if (a.sign == b.sign) {
        a.mantissa += b.mantissa;
    } else if (a.mantissa >= b.mantissa) {
        a.mantissa -= b.mantissa;
    } else {
        a.mantissa = b.mantissa - a.mantissa;
        a.sign = b.sign;
    }
    if (a.mantissa == 0)
        return (struct fp_number){.type = FPTYPE_ZERO};
    return narrow(a);
}

/* Rounds a sum; an exact zero is positive unless rounding goes down. */
static uint64_t round_sum(struct a64_fpctx *c, enum a64_fpfmt f, struct fp_number n)
{
    enum a64_rounding rounding = a64_fp_rounding(c);
    if (n.type == FPTYPE_ZERO)
        return fp_zero(f, rounding == A64_ROUND_NEGINF);
    return fp_round(c, f, n, rounding);
}

static uint64_t add_signed(struct a64_fpctx *c, enum a64_fpfmt f, uint64_t a, uint64_t b,
                           bool subtract)
{
    struct fp_number na = fp_unpack(c, f, a), nb = fp_unpack(c, f, b);
    uint64_t result;
    if (process_nans(c, f, na, nb, a, b, &result))
        return result;
    nb.sign ^= subtract;
    if (na.type == FPTYPE_INFINITY || nb.type == FPTYPE_INFINITY) {
        if (na.type == nb.type && na.sign != nb.sign)
            return fp_invalid(c, f);
        return fp_infinity(f, na.type == FPTYPE_INFINITY ? na.sign : nb.sign);
    }
    if (na.type == FPTYPE_ZERO && nb.type == FPTYPE_ZERO)
        return na.sign == nb.sign ? fp_zero(f, na.sign) : round_sum(c, f, na);
    if (na.type == FPTYPE_ZERO)
        return round_sum(c, f, nb);
    if (nb.type == FPTYPE_ZERO)
        return round_sum(c, f, na);
    return round_sum(c, f, sum_128(widen(na), widen(nb)));
}

uint64_t a64_fp_add(struct a64_fpctx *c, enum a64_fpfmt f, uint64_t a, uint64_t b)
{
    uint64_t result;
    return fp_fast(c, f, FP_FAST_ADD, a, b, &result) ? result : add_signed(c, f, a, b, false);
}

uint64_t a64_fp_sub(struct a64_fpctx *c, enum a64_fpfmt f, uint64_t a, uint64_t b)
{
    uint64_t result;
    return fp_fast(c, f, FP_FAST_SUB, a, b, &result) ? result : add_signed(c, f, a, b, true);
}

uint64_t a64_fp_abd(struct a64_fpctx *c, enum a64_fpfmt f, uint64_t a, uint64_t b)
{
    return a64_fp_abs(c, f, a64_fp_sub(c, f, a, b));
}

static bool infinity_by_zero(struct fp_number a, struct fp_number b)
{
    return (a.type == FPTYPE_INFINITY && b.type == FPTYPE_ZERO) ||
           (a.type == FPTYPE_ZERO && b.type == FPTYPE_INFINITY);
}

static uint64_t multiply(struct a64_fpctx *c, enum a64_fpfmt f, uint64_t a, uint64_t b,
                         bool extended)
{
    struct fp_number na = fp_unpack(c, f, a), nb = fp_unpack(c, f, b);
    uint64_t result;
    if (process_nans(c, f, na, nb, a, b, &result))
        return result;
    bool sign = na.sign != nb.sign;
    if (infinity_by_zero(na, nb))
        return extended ? fp_constant(f, sign, 1, 1ull << 63) : fp_invalid(c, f);
    if (na.type == FPTYPE_INFINITY || nb.type == FPTYPE_INFINITY)
        return fp_infinity(f, sign);
    if (na.type == FPTYPE_ZERO || nb.type == FPTYPE_ZERO)
        return fp_zero(f, sign);
    return fp_round(c, f, narrow(wide_product(na, nb)), a64_fp_rounding(c));
}

uint64_t a64_fp_mul(struct a64_fpctx *c, enum a64_fpfmt f, uint64_t a, uint64_t b)
{
    uint64_t result;
    return fp_fast(c, f, FP_FAST_MUL, a, b, &result) ? result : multiply(c, f, a, b, false);
}

uint64_t a64_fp_mulx(struct a64_fpctx *c, enum a64_fpfmt f, uint64_t a, uint64_t b)
{
    return multiply(c, f, a, b, true);
}

uint64_t a64_fp_nmul(struct a64_fpctx *c, enum a64_fpfmt f, uint64_t a, uint64_t b)
{
    return a64_fp_neg(c, f, a64_fp_mul(c, f, a, b));
}

uint64_t a64_fp_div(struct a64_fpctx *c, enum a64_fpfmt f, uint64_t a, uint64_t b)
{
    uint64_t result;
    if (fp_fast(c, f, FP_FAST_DIV, a, b, &result))
        return result;
    struct fp_number na = fp_unpack(c, f, a), nb = fp_unpack(c, f, b);
    if (process_nans(c, f, na, nb, a, b, &result))
        return result;
    bool sign = na.sign != nb.sign;
    if (na.type == nb.type && na.type != FPTYPE_FINITE)
        return fp_invalid(c, f);
    if (na.type == FPTYPE_INFINITY)
        return fp_infinity(f, sign);
    if (nb.type == FPTYPE_ZERO) {
        c->fpsr |= A64_FPSR_DZC;
        return fp_infinity(f, sign);
    }
    if (na.type == FPTYPE_ZERO || nb.type == FPTYPE_INFINITY)
        return fp_zero(f, sign);

    u128 dividend = (u128)na.mantissa << 63;
    struct wide quotient = {sign, na.exponent - nb.exponent, dividend / nb.mantissa};
    bool inexact = dividend != quotient.mantissa * nb.mantissa;
    quotient.mantissa = quotient.mantissa << 63 | inexact;
    return fp_round(c, f, narrow(quotient), a64_fp_rounding(c));
}

/* The root of a number in [2^126, 2^128), rounded down, bit by bit. */
static uint64_t root_128(u128 n)
{
    uint64_t root = 0;
    for (int bit = 63; bit >= 0; bit--) {
        uint64_t trial = root | 1ull << bit;
        if ((u128)trial * trial <= n)
            root = trial;
    }
    return root;
}

uint64_t a64_fp_sqrt(struct a64_fpctx *c, enum a64_fpfmt f, uint64_t a)
{
    uint64_t result;
    if (!(a & fp_sign_bit(f)) && fp_fast(c, f, FP_FAST_SQRT, a, a, &result))
        return result;
    struct fp_number n = fp_unpack(c, f, a);
    if (fp_is_nan(n))
        return fp_process_nan(c, f, n.type, a);
    if (n.type == FPTYPE_ZERO)
        return fp_zero(f, n.sign);
    if (n.sign)
        return fp_invalid(c, f);
    if (n.type == FPTYPE_INFINITY)
        return fp_infinity(f, false);

    u128 square = (u128)n.mantissa << (n.exponent & 1 ? 64 : 63);
    uint64_t root = root_128(square);
    n.mantissa = root | ((u128)root * root != square);
    n.exponent >>= 1; /* towards minus infinity: an odd exponent's 2 went into the square */
    return fp_round(c, f, n, a64_fp_rounding(c));
}

/* FPMulAdd's part behind NaN processing; `scale` is added to the result's exponent. */
static uint64_t muladd_numbers(struct a64_fpctx *c, enum a64_fpfmt f, struct fp_number addend,
                               struct fp_number a, struct fp_number b, int scale)
{
    bool sign = a.sign != b.sign;
    bool infinite = a.type == FPTYPE_INFINITY || b.type == FPTYPE_INFINITY;
    bool zero = a.type == FPTYPE_ZERO || b.type == FPTYPE_ZERO;

    if ((infinite && zero) || (infinite && addend.type == FPTYPE_INFINITY && addend.sign != sign))
        return fp_invalid(c, f);
    if (infinite || addend.type == FPTYPE_INFINITY)
        return fp_infinity(f, infinite ? sign : addend.sign);
    if (zero && addend.type == FPTYPE_ZERO && addend.sign == sign)
        return fp_zero(f, sign);

    struct fp_number sum = addend;
    if (!zero && addend.type == FPTYPE_ZERO)
        sum = narrow(wide_product(a, b));
    else if (!zero)
        sum = sum_128(widen(addend), wide_product(a, b));
    sum.exponent += scale;
    return round_sum(c, f, sum);
}

/* FPProcessNaNs3: which operand's NaN becomes the result, -1: none is one. */
static int first_nan(const struct fp_number n[3])
{
    if (!fp_is_nan(n[0]) && !fp_is_nan(n[1]) && !fp_is_nan(n[2]))
        return -1;
    for (int i = 0; i < 3; i++)
        if (n[i].type == FPTYPE_SNAN)
            return i;
    return fp_is_nan(n[0]) ? 0 : fp_is_nan(n[1]) ? 1 : 2;
}

uint64_t a64_fp_muladd(struct a64_fpctx *c, enum a64_fpfmt f, uint64_t addend, uint64_t a,
                       uint64_t b)
{
    uint64_t result;
    if (fp_fast_muladd(c, f, addend, a, b, &result))
        return result;
    const struct fp_number n[3] = {fp_unpack(c, f, addend), fp_unpack(c, f, a), fp_unpack(c, f, b)};
    const uint64_t bits[3] = {addend, a, b};
    int nan = first_nan(n);

    if (nan < 0)
        return muladd_numbers(c, f, n[0], n[1], n[2], 0);
    if (n[0].type == FPTYPE_QNAN && infinity_by_zero(n[1], n[2])) /* the NaN does not hide that */
        return fp_invalid(c, f);
    return fp_process_nan(c, f, n[nan].type, bits[nan]);
}

uint64_t a64_fp_muladd_half(struct a64_fpctx *c, uint64_t addend, uint64_t a, uint64_t b)
{
    const struct fp_number n[3] = {fp_unpack(c, A64_FP32, addend), fp_unpack(c, A64_FP16, a),
                                   fp_unpack(c, A64_FP16, b)};
    int nan = first_nan(n);

    if (nan < 0)
        return muladd_numbers(c, A64_FP32, n[0], n[1], n[2], 0);
    if (n[0].type == FPTYPE_QNAN && infinity_by_zero(n[1], n[2]))
        return fp_invalid(c, A64_FP32);
    /* FPProcessNaNs3H: a half's NaN widens. */
    uint64_t payload = nan == 0 ? addend : fp_convert_nan(A64_FP32, A64_FP16, nan == 1 ? a : b);
    return fp_process_nan(c, A64_FP32, n[nan].type, payload);
}

/* constant - a * b, or half of that: the Newton steps. Infinity times zero counts as zero. */
static uint64_t newton_step(struct a64_fpctx *c, enum a64_fpfmt f, uint64_t a, uint64_t b,
                            struct fp_number constant, int scale)
{
    a = a64_fp_neg(c, f, a);
    struct fp_number na = fp_unpack(c, f, a), nb = fp_unpack(c, f, b);
    uint64_t result;
    if (process_nans(c, f, na, nb, a, b, &result))
        return result;
    if (infinity_by_zero(na, nb))
        return fp_constant(f, false, constant.exponent + scale, constant.mantissa);
    return muladd_numbers(c, f, constant, na, nb, scale);
}

uint64_t a64_fp_recps(struct a64_fpctx *c, enum a64_fpfmt f, uint64_t a, uint64_t b)
{
    const struct fp_number two = {FPTYPE_FINITE, false, 1, 1ull << 63};
    return newton_step(c, f, a, b, two, 0);
}

uint64_t a64_fp_rsqrts(struct a64_fpctx *c, enum a64_fpfmt f, uint64_t a, uint64_t b)
{
    const struct fp_number three = {FPTYPE_FINITE, false, 1, 3ull << 62};
    return newton_step(c, f, a, b, three, -1);
}

uint64_t a64_fp_neg(struct a64_fpctx *c, enum a64_fpfmt f, uint64_t a)
{
    return (a & fp_width_mask(f)) ^ fp_sign_bit(f);
}

uint64_t a64_fp_abs(struct a64_fpctx *c, enum a64_fpfmt f, uint64_t a)
{
    return a & (fp_sign_bit(f) - 1);
}

/* -1, 0 or 1; no NaNs. */
static int order(struct fp_number a, struct fp_number b)
{
    if (a.type == FPTYPE_ZERO && b.type == FPTYPE_ZERO)
        return 0;
    if (a.type == FPTYPE_ZERO)
        return b.sign ? 1 : -1;
    if (b.type == FPTYPE_ZERO || a.sign != b.sign)
        return a.sign ? -1 : 1;
    int magnitude;
    if (a.type != b.type)
        magnitude = a.type == FPTYPE_INFINITY ? 1 : -1;
    else if (a.exponent != b.exponent)
        magnitude = a.exponent > b.exponent ? 1 : -1;
    else
        magnitude = (a.mantissa > b.mantissa) - (a.mantissa < b.mantissa);
    return a.sign ? -magnitude : magnitude;
}

/* FPMax (want = 1) and FPMin (want = -1). Of two zeros, the positive one is the larger. */
static uint64_t extreme(struct a64_fpctx *c, enum a64_fpfmt f, uint64_t a, uint64_t b, int want)
{
    struct fp_number na = fp_unpack(c, f, a), nb = fp_unpack(c, f, b);
    uint64_t result;
    if (process_nans(c, f, na, nb, a, b, &result))
        return result;
    bool first = order(na, nb) == want;
    struct fp_number n = first ? na : nb;
    if (n.type == FPTYPE_ZERO)
        return fp_zero(f, want > 0 ? na.sign && nb.sign : na.sign || nb.sign);
    return (first ? a : b) & fp_width_mask(f);
}

uint64_t a64_fp_max(struct a64_fpctx *c, enum a64_fpfmt f, uint64_t a, uint64_t b)
{
    return extreme(c, f, a, b, 1);
}

uint64_t a64_fp_min(struct a64_fpctx *c, enum a64_fpfmt f, uint64_t a, uint64_t b)
{
    return extreme(c, f, a, b, -1);
}

/* FPMaxNum, FPMinNum: one quiet NaN loses against a number. */
static uint64_t extreme_number(struct a64_fpctx *c, enum a64_fpfmt f, uint64_t a, uint64_t b,
                               int want)
{
    bool quiet_a = fp_unpack(c, f, a).type == FPTYPE_QNAN;
    bool quiet_b = fp_unpack(c, f, b).type == FPTYPE_QNAN;
    if (quiet_a && !quiet_b)
        a = fp_infinity(f, want > 0);
    else if (quiet_b && !quiet_a)
        b = fp_infinity(f, want > 0);
    return extreme(c, f, a, b, want);
}

uint64_t a64_fp_maxnm(struct a64_fpctx *c, enum a64_fpfmt f, uint64_t a, uint64_t b)
{
    return extreme_number(c, f, a, b, 1);
}

uint64_t a64_fp_minnm(struct a64_fpctx *c, enum a64_fpfmt f, uint64_t a, uint64_t b)
{
    return extreme_number(c, f, a, b, -1);
}

enum { UNORDERED = 2 };

/* order(), or UNORDERED where a NaN is in it. */
static int compare(struct a64_fpctx *c, enum a64_fpfmt f, uint64_t a, uint64_t b, bool signal_nans)
{
    struct fp_number na = fp_unpack(c, f, a), nb = fp_unpack(c, f, b);
    if (fp_is_nan(na) || fp_is_nan(nb)) {
        if (signal_nans || na.type == FPTYPE_SNAN || nb.type == FPTYPE_SNAN)
            c->fpsr |= A64_FPSR_IOC;
        return UNORDERED;
    }
    return order(na, nb);
}

uint32_t a64_fp_compare(struct a64_fpctx *c, enum a64_fpfmt f, uint64_t a, uint64_t b,
                        bool signal_nans)
{
    static const uint32_t nzcv[] = {0x80000000, 0x60000000, 0x20000000, 0x30000000};
    return nzcv[compare(c, f, a, b, signal_nans) + 1];
}

uint64_t a64_fp_cmeq(struct a64_fpctx *c, enum a64_fpfmt f, uint64_t a, uint64_t b)
{
    return compare(c, f, a, b, false) == 0 ? fp_width_mask(f) : 0;
}

uint64_t a64_fp_cmge(struct a64_fpctx *c, enum a64_fpfmt f, uint64_t a, uint64_t b)
{
    int ordering = compare(c, f, a, b, true);
    return ordering == 0 || ordering == 1 ? fp_width_mask(f) : 0;
}

uint64_t a64_fp_cmgt(struct a64_fpctx *c, enum a64_fpfmt f, uint64_t a, uint64_t b)
{
    return compare(c, f, a, b, true) == 1 ? fp_width_mask(f) : 0;
}

uint64_t a64_fp_acge(struct a64_fpctx *c, enum a64_fpfmt f, uint64_t a, uint64_t b)
{
    return a64_fp_cmge(c, f, a64_fp_abs(c, f, a), a64_fp_abs(c, f, b));
}

uint64_t a64_fp_acgt(struct a64_fpctx *c, enum a64_fpfmt f, uint64_t a, uint64_t b)
{
    return a64_fp_cmgt(c, f, a64_fp_abs(c, f, a), a64_fp_abs(c, f, b));
}
