/* fp.c: the core of Arm floating point: unpack, round and pack, NaNs.
 *
 * How it works: every operation of fp_arith.c, fp_convert.c and fp_estimate.c unpacks its operands
 * into struct fp_number, works on wide integers as if precision had no end, and hands the result to
 * fp_round(), which is the manual's FPRoundBase(): tininess is judged before rounding, and a
 * flushed result raises UFC alone. One code serves half, single and double by struct fp_layout.
 *
 * Limits: no trapped exceptions (FPCR.IOE.. are RES0 on our models), no FEAT_AFP, no BFloat16.
 */
#include "core/arm64/fp_int.h"

const struct fp_layout fp_layouts[4] = {
    [A64_FP16] = {16, 5, 10, -14},
    [A64_FP32] = {32, 8, 23, -126},
    [A64_FP64] = {64, 11, 52, -1022},
};

uint64_t fp_zero(enum a64_fpfmt f, bool sign)
{
    return sign ? fp_sign_bit(f) : 0;
}

static uint64_t exponent_ones(enum a64_fpfmt f)
{
    const struct fp_layout *l = &fp_layouts[f];
    return ((1ull << l->exponent_bits) - 1) << l->fraction_bits;
}

uint64_t fp_infinity(enum a64_fpfmt f, bool sign)
{
    return fp_zero(f, sign) | exponent_ones(f);
}

uint64_t fp_max_normal(enum a64_fpfmt f, bool sign)
{
    return fp_infinity(f, sign) - 1;
}

uint64_t fp_default_nan(enum a64_fpfmt f)
{
    return exponent_ones(f) | 1ull << (fp_layouts[f].fraction_bits - 1);
}

uint64_t fp_constant(enum a64_fpfmt f, bool sign, int exponent, uint64_t mantissa)
{
    const struct fp_layout *l = &fp_layouts[f];
    uint64_t biased = (uint64_t)(exponent - l->min_exponent + 1);
    return fp_zero(f, sign) | biased << l->fraction_bits |
           (mantissa << 1) >> (64 - l->fraction_bits);
}

/* FPUnpackBase. `fpcr` is what of FPCR the caller lets count. */
static inline struct fp_number unpack_base(struct a64_fpctx *c, uint32_t fpcr, enum a64_fpfmt f,
                                           uint64_t bits)
{
    const struct fp_layout *l = &fp_layouts[f];
    struct fp_number n = {.type = FPTYPE_FINITE, .sign = bits >> (l->bits - 1) & 1};
    uint64_t fraction = bits & ((1ull << l->fraction_bits) - 1);
    int biased = (int)(bits >> l->fraction_bits) & ((1 << l->exponent_bits) - 1);

    if (biased == 0) {
        if (fraction == 0) {
            n.type = FPTYPE_ZERO;
        } else if (fpcr & (f == A64_FP16 ? A64_FPCR_FZ16 : A64_FPCR_FZ)) {
            n.type = FPTYPE_ZERO;
            if (f != A64_FP16) /* a flushed half raises nothing */
                c->fpsr |= A64_FPSR_IDC;
        } else {
            int shift = __builtin_clzll(fraction);
            n.mantissa = fraction << shift;
            n.exponent = l->min_exponent + (63 - l->fraction_bits) - shift;
        }
    } else if (biased == (1 << l->exponent_bits) - 1 && !(f == A64_FP16 && fpcr & A64_FPCR_AHP)) {
        if (fraction == 0)
            n.type = FPTYPE_INFINITY;
        else
            n.type = fraction >> (l->fraction_bits - 1) ? FPTYPE_QNAN : FPTYPE_SNAN;
    } else {
        n.mantissa = 1ull << 63 | fraction << (63 - l->fraction_bits);
        n.exponent = biased - 1 + l->min_exponent;
    }
    return n;
}

struct fp_number fp_unpack(struct a64_fpctx *c, enum a64_fpfmt f, uint64_t bits)
{
    return unpack_base(c, c->fpcr & ~(uint32_t)A64_FPCR_AHP, f, bits);
}

struct fp_number fp_unpack_cv(struct a64_fpctx *c, enum a64_fpfmt f, uint64_t bits)
{
    return unpack_base(c, c->fpcr & ~(uint32_t)A64_FPCR_FZ16, f, bits);
}

uint64_t fp_overflow(struct a64_fpctx *c, enum a64_fpfmt f, bool sign, enum a64_rounding rounding)
{
    bool to_infinity =
        rounding == A64_ROUND_TIEEVEN || rounding == (sign ? A64_ROUND_NEGINF : A64_ROUND_POSINF);
    c->fpsr |= A64_FPSR_OFC | A64_FPSR_IXC;
    return to_infinity ? fp_infinity(f, sign) : fp_max_normal(f, sign);
}

/* FPRoundBase. */
static inline uint64_t round_base(struct a64_fpctx *c, uint32_t fpcr, enum a64_fpfmt f,
                                  struct fp_number n, enum a64_rounding rounding)
{
    const struct fp_layout *l = &fp_layouts[f];
    int drop = 63 - l->fraction_bits;
    int biased = n.exponent - l->min_exponent + 1;
    uint64_t mantissa = n.mantissa;

    if (biased <= 0) {
        if (fpcr & (f == A64_FP16 ? A64_FPCR_FZ16 : A64_FPCR_FZ)) {
            c->fpsr |= A64_FPSR_UFC;
            return fp_zero(f, n.sign);
        }
        int shift = 1 - biased;
        mantissa = shift > 63 ? 1 : mantissa >> shift | ((mantissa << (64 - shift)) != 0);
        biased = 0;
    }
    uint64_t whole = mantissa >> drop, rest = mantissa & ((1ull << drop) - 1);
    if (biased == 0 && rest != 0)
        c->fpsr |= A64_FPSR_UFC;
    if (fp_rounds_up(rounding, n.sign, whole & 1, rest, 1ull << (drop - 1))) {
        whole++;
        if (whole == 1ull << l->fraction_bits) /* the largest subnormal became normal */
            biased = 1;
        if (whole == 2ull << l->fraction_bits) {
            biased++;
            whole >>= 1;
        }
    } else if (rounding == A64_ROUND_ODD && rest != 0) {
        whole |= 1;
    }

    int biased_end = 1 << l->exponent_bits;
    if (f == A64_FP16 && fpcr & A64_FPCR_AHP) {
        if (biased >= biased_end) { /* no infinity: the largest number, and invalid, not inexact */
            c->fpsr |= A64_FPSR_IOC;
            return fp_zero(f, n.sign) | (fp_sign_bit(f) - 1);
        }
    } else if (biased >= biased_end - 1) {
        return fp_overflow(c, f, n.sign, rounding);
    }
    if (rest != 0)
        c->fpsr |= A64_FPSR_IXC;
    return fp_zero(f, n.sign) | (uint64_t)biased << l->fraction_bits |
           (whole & ((1ull << l->fraction_bits) - 1));
}

uint64_t fp_round(struct a64_fpctx *c, enum a64_fpfmt f, struct fp_number n,
                  enum a64_rounding rounding)
{
    return round_base(c, c->fpcr & ~(uint32_t)A64_FPCR_AHP, f, n, rounding);
}

uint64_t fp_round_cv(struct a64_fpctx *c, enum a64_fpfmt f, struct fp_number n,
                     enum a64_rounding rounding)
{
    return round_base(c, c->fpcr & ~(uint32_t)A64_FPCR_FZ16, f, n, rounding);
}

uint64_t fp_process_nan(struct a64_fpctx *c, enum a64_fpfmt f, enum fp_type type, uint64_t bits)
{
    if (type == FPTYPE_SNAN)
        c->fpsr |= A64_FPSR_IOC;
    if (c->fpcr & A64_FPCR_DN)
        return fp_default_nan(f);
    return (bits & fp_width_mask(f)) | 1ull << (fp_layouts[f].fraction_bits - 1);
}

uint64_t fp_invalid(struct a64_fpctx *c, enum a64_fpfmt f)
{
    c->fpsr |= A64_FPSR_IOC;
    return fp_default_nan(f);
}

uint64_t fp_convert_nan(enum a64_fpfmt to, enum a64_fpfmt from, uint64_t bits)
{
    const struct fp_layout *source = &fp_layouts[from], *target = &fp_layouts[to];
    uint64_t payload = bits << (64 - source->fraction_bits); /* left-aligned */
    bool sign = bits >> (source->bits - 1) & 1;
    return fp_zero(to, sign) | fp_default_nan(to) | payload >> (64 - target->fraction_bits);
}
