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

#include <math.h>
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

static inline bool fp_fast_mode(const struct a64_fpctx *c, enum a64_fpfmt f)
{
    return f != A64_FP16 && c->fpsr & A64_FPSR_IXC &&
           !(c->fpcr & (3u << A64_FPCR_RMODE_SHIFT | A64_FPCR_FZ));
}

static inline double fp_to_double(uint64_t v)
{
    double d;
    memcpy(&d, &v, sizeof(d));
    return d;
}

static inline float fp_to_float(uint64_t v)
{
    uint32_t low = (uint32_t)v;
    float s;
    memcpy(&s, &low, sizeof(s));
    return s;
}

static inline uint64_t fp_from_double(double d)
{
    uint64_t v;
    memcpy(&v, &d, sizeof(v));
    return v;
}

static inline uint64_t fp_from_float(float s)
{
    uint32_t v;
    memcpy(&v, &s, sizeof(v));
    return v;
}

/* True: *ret_result is a op b, and the flags are as they must be. For roots, b is a and positive.
 */
static inline bool fp_fast(const struct a64_fpctx *c, enum a64_fpfmt f, enum fp_fast_op op,
                           uint64_t a, uint64_t b, uint64_t *ret_result)
{
    if (!fp_fast_mode(c, f) || !fp_fast_exponent(f, a, 1) || !fp_fast_exponent(f, b, 1))
        return false;
    if (f == A64_FP64)
        *ret_result = fp_from_double(FP_FAST_EVALUATE(op, fp_to_double(a), fp_to_double(b), sqrt));
    else
        *ret_result = fp_from_float(FP_FAST_EVALUATE(op, fp_to_float(a), fp_to_float(b), sqrtf));
    return fp_fast_exponent(f, *ret_result, 2);
}

/* The same for addend + a * b; the library's fma() is one instruction on most hosts, exact on all.
 */
static inline bool fp_fast_muladd(const struct a64_fpctx *c, enum a64_fpfmt f, uint64_t addend,
                                  uint64_t a, uint64_t b, uint64_t *ret_result)
{
    if (!fp_fast_mode(c, f) || !fp_fast_exponent(f, a, 1) || !fp_fast_exponent(f, b, 1) ||
        !fp_fast_exponent(f, addend, 1))
        return false;
    if (f == A64_FP64)
        *ret_result = fp_from_double(fma(fp_to_double(a), fp_to_double(b), fp_to_double(addend)));
    else
        *ret_result = fp_from_float(fmaf(fp_to_float(a), fp_to_float(b), fp_to_float(addend)));
    return fp_fast_exponent(f, *ret_result, 2);
}

#endif
