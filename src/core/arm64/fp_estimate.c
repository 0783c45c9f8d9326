/* fp_estimate.c: reciprocal and reciprocal square root estimates.
 *
 * The manual defines them by integer arithmetic on nine bits (RecipEstimate, RecipSqrtEstimate),
 * the same for every implementation; results are exact to that definition, not approximations of
 * it.
 */
#include "core/arm64/fp_int.h"

/* RecipEstimate: 256..511 stands for [0.5, 1), the result 256..511 for [1, 2). */
static unsigned recip_estimate(unsigned a)
{
    unsigned b = (1u << 19) / (a * 2 + 1);
    return (b + 1) / 2;
}

/* RecipSqrtEstimate: 128..511 stands for [0.25, 1), the result 256..511 for [1, 2). */
static unsigned rsqrt_estimate(unsigned a)
{
    if (a < 256)
        a = a * 2 + 1;
    else
        a = ((a >> 1 << 1) + 1) * 2;
    unsigned b = 512; /* the largest for which a * b^2 < 2^28: bit by bit, as it is below 1024 */
    for (unsigned step = 256; step; step /= 2)
        if ((uint64_t)a * (b + step) * (b + step) < 1u << 28)
            b += step;
    return (b + 1) / 2;
}

uint32_t a64_unsigned_recpe(uint32_t a)
{
    return a >> 31 ? recip_estimate(a >> 23) << 23 : UINT32_MAX;
}

uint32_t a64_unsigned_rsqrte(uint32_t a)
{
    return a >> 30 ? rsqrt_estimate(a >> 23) << 23 : UINT32_MAX;
}

static uint64_t pack(enum a64_fpfmt f, bool sign, int biased, uint64_t fraction_52)
{
    const struct fp_layout *l = &fp_layouts[f];
    return fp_zero(f, sign) | (uint64_t)biased << l->fraction_bits |
           fraction_52 >> (52 - l->fraction_bits);
}

uint64_t a64_fp_recpe(struct a64_fpctx *c, enum a64_fpfmt f, uint64_t a)
{
    const struct fp_layout *l = &fp_layouts[f];
    struct fp_number n = fp_unpack(c, f, a);
    if (fp_is_nan(n))
        return fp_process_nan(c, f, n.type, a);
    if (n.type == FPTYPE_INFINITY)
        return fp_zero(f, n.sign);
    if (n.type == FPTYPE_ZERO) {
        c->fpsr |= A64_FPSR_DZC;
        return fp_infinity(f, n.sign);
    }
    if (n.exponent < l->min_exponent - 2) /* the reciprocal overflows */
        return fp_overflow(c, f, n.sign, a64_fp_rounding(c));
    if (c->fpcr & (f == A64_FP16 ? A64_FPCR_FZ16 : A64_FPCR_FZ) && n.exponent >= -l->min_exponent) {
        c->fpsr |= A64_FPSR_UFC;
        return fp_zero(f, n.sign);
    }

    uint64_t fraction = (uint64_t)(recip_estimate((unsigned)(n.mantissa >> 55)) & 0xff) << 44;
    /* 1/(m * 2^e), m in [1, 2), is in (2^-(e+1), 2^-e]. */
    int biased = -n.exponent - 1 - l->min_exponent + 1;
    if (biased <= 0) { /* 0 or -1: subnormal */
        fraction = (1ull << 52 | fraction) >> (1 - biased);
        biased = 0;
    }
    return pack(f, n.sign, biased, fraction);
}

uint64_t a64_fp_rsqrte(struct a64_fpctx *c, enum a64_fpfmt f, uint64_t a)
{
    struct fp_number n = fp_unpack(c, f, a);
    if (fp_is_nan(n))
        return fp_process_nan(c, f, n.type, a);
    if (n.type == FPTYPE_ZERO) {
        c->fpsr |= A64_FPSR_DZC;
        return fp_infinity(f, n.sign);
    }
    if (n.sign)
        return fp_invalid(c, f);
    if (n.type == FPTYPE_INFINITY)
        return fp_zero(f, false);

    /* The number is s * 2^(2k) with s in [0.25, 1), so its root's reciprocal is in (1, 2] * 2^-k.
     */
    unsigned s = (unsigned)(n.mantissa >> (n.exponent & 1 ? 55 : 56));
    uint64_t fraction = (uint64_t)(rsqrt_estimate(s) & 0xff) << 44;
    return pack(f, false, (1 - n.exponent - 2 * fp_layouts[f].min_exponent) / 2, fraction);
}

uint64_t a64_fp_recpx(struct a64_fpctx *c, enum a64_fpfmt f, uint64_t a)
{
    const struct fp_layout *l = &fp_layouts[f];
    struct fp_number n = fp_unpack(c, f, a);
    if (fp_is_nan(n))
        return fp_process_nan(c, f, n.type, a);
    int ones = (1 << l->exponent_bits) - 1;
    int biased = (int)(a >> l->fraction_bits) & ones;
    return pack(f, n.sign, biased == 0 ? ones - 1 : ~biased & ones, 0);
}
