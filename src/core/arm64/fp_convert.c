/* fp_convert.c: between floating-point formats, and to and from integers and fixed point. */
#include "core/arm64/fp_int.h"

/* The magnitude of a finite number times 2^scale, rounded to an integer. What does not fit 64 bits
 * is left to the caller: the exponent must be below 64 - scale. */
static uint64_t integer_magnitude(struct fp_number n, int scale, enum a64_rounding rounding,
                                  bool *ret_inexact)
{
    int exponent = n.exponent + scale;
    uint64_t whole = 0, rest;
    if (exponent >= 63) {
        whole = n.mantissa;
        rest = 0;
    } else if (exponent >= 0) {
        whole = n.mantissa >> (63 - exponent);
        rest = n.mantissa << (exponent + 1);
    } else {
        rest = exponent == -1 ? n.mantissa : 1; /* below a half, only "not zero" counts */
    }
    *ret_inexact = rest != 0;
    return whole + fp_rounds_up(rounding, n.sign, whole & 1, rest, 1ull << 63);
}

uint64_t a64_fp_round_int(struct a64_fpctx *c, enum a64_fpfmt f, uint64_t a,
                          enum a64_rounding rounding, bool exact)
{
    struct fp_number n = fp_unpack(c, f, a);
    if (fp_is_nan(n))
        return fp_process_nan(c, f, n.type, a);
    if (n.type == FPTYPE_INFINITY)
        return fp_infinity(f, n.sign);
    if (n.type == FPTYPE_ZERO)
        return fp_zero(f, n.sign);
    if (n.exponent >= fp_layouts[f].fraction_bits)
        return a & fp_width_mask(f);

    bool inexact;
    uint64_t whole = integer_magnitude(n, 0, rounding, &inexact);
    if (inexact && exact)
        c->fpsr |= A64_FPSR_IXC;
    if (whole == 0)
        return fp_zero(f, n.sign);
    int shift = __builtin_clzll(whole);
    n.mantissa = whole << shift;
    n.exponent = 63 - shift;
    return fp_round(c, f, n, A64_ROUND_ZERO);
}

uint64_t a64_fp_convert(struct a64_fpctx *c, enum a64_fpfmt to, enum a64_fpfmt from, uint64_t a,
                        enum a64_rounding rounding)
{
    struct fp_number n = fp_unpack_cv(c, from, a);
    bool alternative = to == A64_FP16 && c->fpcr & A64_FPCR_AHP;
    if (fp_is_nan(n)) {
        if (n.type == FPTYPE_SNAN || alternative)
            c->fpsr |= A64_FPSR_IOC;
        if (alternative)
            return fp_zero(to, n.sign);
        return c->fpcr & A64_FPCR_DN ? fp_default_nan(to) : fp_convert_nan(to, from, a);
    }
    if (n.type == FPTYPE_INFINITY && alternative) {
        c->fpsr |= A64_FPSR_IOC;
        return fp_zero(to, n.sign) | (fp_sign_bit(to) - 1);
    }
    if (n.type == FPTYPE_INFINITY)
        return fp_infinity(to, n.sign);
    if (n.type == FPTYPE_ZERO)
        return fp_zero(to, n.sign);
    return fp_round_cv(c, to, n, rounding);
}

/* SatQ of a magnitude; raises IOC where it had to saturate, else IXC where `inexact`. */
static uint64_t saturate(struct a64_fpctx *c, bool sign, uint64_t magnitude, bool too_big,
                         unsigned int_bits, bool is_unsigned, bool inexact)
{
    uint64_t mask = ~0ull >> (64 - int_bits);
    uint64_t limit = mask;
    if (is_unsigned && sign)
        limit = 0;
    else if (!is_unsigned)
        limit = (mask >> 1) + sign;
    if (too_big || magnitude > limit) {
        c->fpsr |= A64_FPSR_IOC;
        magnitude = limit;
    } else if (inexact) {
        c->fpsr |= A64_FPSR_IXC;
    }
    return (sign ? -magnitude : magnitude) & mask;
}

uint64_t a64_fp_to_fixed(struct a64_fpctx *c, enum a64_fpfmt f, uint64_t a, unsigned int_bits,
                         unsigned fraction_bits, bool is_unsigned, enum a64_rounding rounding)
{
    struct fp_number n = fp_unpack(c, f, a);
    if (fp_is_nan(n)) {
        c->fpsr |= A64_FPSR_IOC;
        return 0;
    }
    if (n.type == FPTYPE_ZERO)
        return 0;
    bool inexact = false;
    bool too_big = n.type == FPTYPE_INFINITY || n.exponent + (int)fraction_bits > 63;
    uint64_t magnitude = too_big ? 0 : integer_magnitude(n, (int)fraction_bits, rounding, &inexact);
    return saturate(c, n.sign, magnitude, too_big, int_bits, is_unsigned, inexact);
}

uint64_t a64_fp_from_fixed(struct a64_fpctx *c, enum a64_fpfmt f, uint64_t a, unsigned int_bits,
                           unsigned fraction_bits, bool is_unsigned, enum a64_rounding rounding)
{
    a <<= 64 - int_bits;
    bool sign = !is_unsigned && a >> 63;
    uint64_t magnitude = sign ? -a : a; /* left-aligned */
    if (magnitude == 0)
        return fp_zero(f, false);
    int shift = __builtin_clzll(magnitude);
    struct fp_number n = {FPTYPE_FINITE, sign, (int)int_bits - 1 - shift - (int)fraction_bits,
                          magnitude << shift};
    return fp_round(c, f, n, rounding);
}

uint32_t a64_fp_to_int_js(struct a64_fpctx *c, uint64_t a, bool *ret_z)
{
    struct fp_number n = fp_unpack(c, A64_FP64, a);
    *ret_z = false;
    if (fp_is_nan(n) || n.type == FPTYPE_INFINITY) {
        c->fpsr |= A64_FPSR_IOC;
        return 0;
    }
    if (n.type == FPTYPE_ZERO) { /* minus zero and flushed subnormals count as inexact */
        *ret_z = a == 0;
        return 0;
    }
    bool inexact = false;
    uint64_t magnitude = 0; /* modulo 2^64: multiples of 2^64 leave nothing */
    if (n.exponent <= 63)
        magnitude = integer_magnitude(n, 0, A64_ROUND_ZERO, &inexact);
    else if (n.exponent < 127)
        magnitude = n.mantissa << (n.exponent - 63);
    if (n.exponent > 63 || magnitude > (uint64_t)INT32_MAX + n.sign)
        c->fpsr |= A64_FPSR_IOC;
    else if (inexact)
        c->fpsr |= A64_FPSR_IXC;
    else
        *ret_z = true;
    return (uint32_t)(n.sign ? -magnitude : magnitude);
}

uint64_t a64_fp_expand_imm(enum a64_fpfmt f, unsigned imm8)
{
    const struct fp_layout *l = &fp_layouts[f];
    unsigned b = imm8 >> 6 & 1, cd = imm8 >> 4 & 3;
    uint64_t middle = b ? (1ull << (l->exponent_bits - 3)) - 1 : 0;
    uint64_t exponent = (uint64_t)!b << (l->exponent_bits - 1) | middle << 2 | cd;
    return fp_zero(f, imm8 >> 7 & 1) | exponent << l->fraction_bits |
           (uint64_t)(imm8 & 15) << (l->fraction_bits - 4);
}
