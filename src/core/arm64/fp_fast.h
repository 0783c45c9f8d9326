/* fp_fast.h: single and double arithmetic on the host's own unit, where that is provably the same.
 * Private to this folder.
 *
 * It is where FPCR asks for round-to-nearest without flushing, FPSR.IXC is set already, the
 * operands are normal numbers and the result is one past the smallest exponent and below infinity:
 * then IEEE 754 leaves one result, and no flag but IXC can rise. That is nearly every operation of
 * a running program; everything else goes to the exact code of fp_arith.c.
 *
 * The host's rounding mode is then to nearest too: it is either the process's or, inside the
 * translator, the image of FPCR.
 */
#ifndef PENG_CORE_ARM64_FP_FAST_H
#define PENG_CORE_ARM64_FP_FAST_H

#include <string.h>

#include "core/arm64/fp_int.h"

enum fp_fast_op { FP_FAST_ADD, FP_FAST_SUB, FP_FAST_MUL, FP_FAST_DIV, FP_FAST_SQRT };

/* The biased exponent is in [lowest, infinity's). */
static inline bool fp_fast_exponent(enum a64_fpfmt f, uint64_t bits, unsigned lowest)
{
    unsigned ones = f == A64_FP64 ? 0x7ff : 0xff;
    unsigned exponent = (unsigned)(bits >> (f == A64_FP64 ? 52 : 23)) & ones;
    return exponent - lowest < ones - lowest;
}

#define FP_FAST_EVALUATE(op, a, b, square_root)                                                    \
    ((op) == FP_FAST_ADD   ? (a) + (b)                                                             \
     : (op) == FP_FAST_SUB ? (a) - (b)                                                             \
     : (op) == FP_FAST_MUL ? (a) * (b)                                                             \
     : (op) == FP_FAST_DIV ? (a) / (b)                                                             \
                           : square_root(a))

/* True: *ret_result is a op b, and the flags are as they must be. For roots, b is a and positive.
 */
static inline bool fp_fast(const struct a64_fpctx *c, enum a64_fpfmt f, enum fp_fast_op op,
                           uint64_t a, uint64_t b, uint64_t *ret_result)
{
    if (f == A64_FP16 || !(c->fpsr & A64_FPSR_IXC) ||
        c->fpcr & (3u << A64_FPCR_RMODE_SHIFT | A64_FPCR_FZ) || !fp_fast_exponent(f, a, 1) ||
        !fp_fast_exponent(f, b, 1))
        return false;
    uint64_t result = 0;
    if (f == A64_FP64) {
        double da, db, d;
        memcpy(&da, &a, sizeof(da));
        memcpy(&db, &b, sizeof(db));
        d = FP_FAST_EVALUATE(op, da, db, __builtin_sqrt);
        memcpy(&result, &d, sizeof(d));
    } else {
        float fa, fb, d;
        uint32_t low;
        memcpy(&fa, &a, sizeof(fa)); /* little-endian hosts */
        memcpy(&fb, &b, sizeof(fb));
        d = FP_FAST_EVALUATE(op, fa, fb, __builtin_sqrtf);
        memcpy(&low, &d, sizeof(d));
        result = low;
    }
    *ret_result = result;
    return fp_fast_exponent(f, result, 2);
}

#endif
