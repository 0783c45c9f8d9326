/* fp_int.h: the core under fp*.c: numbers taken apart, and put together with rounding.
 *
 * A finite nonzero number is sign, exponent and a 64-bit mantissa whose bit 63 is set:
 * mantissa / 2^63 * 2^exponent. Results too long for that are cut to 64 bits with every bit that
 * falls off ORed into bit 0 ("jammed"): 53 bits of precision leave ten below the rounding point, so
 * the rounding still sees above, at or below half exactly.
 */
#ifndef PENG_CORE_ARM64_FP_INT_H
#define PENG_CORE_ARM64_FP_INT_H

#include "core/arm64/fp.h"

enum fp_type { FPTYPE_ZERO, FPTYPE_FINITE, FPTYPE_INFINITY, FPTYPE_QNAN, FPTYPE_SNAN };

struct fp_number {
    enum fp_type type;
    bool sign;
    int exponent;
    uint64_t mantissa;
};

/* A format's layout. min_exponent is that of the smallest normal number; the bias is one less,
 * negated. */
struct fp_layout {
    int bits, exponent_bits, fraction_bits, min_exponent;
};

extern const struct fp_layout fp_layouts[4]; /* by enum a64_fpfmt; [0] unused */

static inline bool fp_is_nan(struct fp_number n)
{
    return n.type >= FPTYPE_QNAN;
}

static inline uint64_t fp_width_mask(enum a64_fpfmt f)
{
    return ~0ull >> (64 - (8u << f));
}

static inline uint64_t fp_sign_bit(enum a64_fpfmt f)
{
    return 1ull << ((8u << f) - 1);
}

/* Does a magnitude between two neighbours go to the upper one? `rest` is what lies above the lower
 * one, where `half` is the middle; `odd`: the lower one's last bit. */
static inline bool fp_rounds_up(enum a64_rounding rounding, bool sign, bool odd, uint64_t rest,
                                uint64_t half)
{
    switch (rounding) {
    case A64_ROUND_TIEEVEN:
        return rest > half || (rest == half && odd);
    case A64_ROUND_POSINF:
        return rest != 0 && !sign;
    case A64_ROUND_NEGINF:
        return rest != 0 && sign;
    case A64_ROUND_TIEAWAY:
        return rest >= half;
    case A64_ROUND_ZERO:
    case A64_ROUND_ODD:
        break;
    }
    return false;
}

uint64_t fp_zero(enum a64_fpfmt f, bool sign);
uint64_t fp_infinity(enum a64_fpfmt f, bool sign);
uint64_t fp_max_normal(enum a64_fpfmt f, bool sign);
uint64_t fp_default_nan(enum a64_fpfmt f);
/* 1.5, 2.0 ...: mantissa's leading bits at bit 63. */
uint64_t fp_constant(enum a64_fpfmt f, bool sign, int exponent, uint64_t mantissa);

/* FPUnpack: subnormals are flushed as FPCR says; sets IDC. */
struct fp_number fp_unpack(struct a64_fpctx *c, enum a64_fpfmt f, uint64_t bits);
/* FPUnpackCV, for format conversions: halves are never flushed and may be in the alternative
 * format. */
struct fp_number fp_unpack_cv(struct a64_fpctx *c, enum a64_fpfmt f, uint64_t bits);
/* FPRound of a nonzero number; sets OFC, UFC, IXC. */
uint64_t fp_round(struct a64_fpctx *c, enum a64_fpfmt f, struct fp_number n,
                  enum a64_rounding rounding);
/* FPRoundCV: halves are never flushed and may be in the alternative format. */
uint64_t fp_round_cv(struct a64_fpctx *c, enum a64_fpfmt f, struct fp_number n,
                     enum a64_rounding rounding);

/* What a result beyond the largest number becomes; sets OFC and IXC. */
uint64_t fp_overflow(struct a64_fpctx *c, enum a64_fpfmt f, bool sign, enum a64_rounding rounding);

/* FPProcessNaN. */
uint64_t fp_process_nan(struct a64_fpctx *c, enum a64_fpfmt f, enum fp_type type, uint64_t bits);
/* The default NaN, with IOC. */
uint64_t fp_invalid(struct a64_fpctx *c, enum a64_fpfmt f);
/* FPConvertNaN: the payload's high bits, made quiet. */
uint64_t fp_convert_nan(enum a64_fpfmt to, enum a64_fpfmt from, uint64_t bits);

#endif
