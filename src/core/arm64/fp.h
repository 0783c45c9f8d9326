/* fp.h: Arm floating point in software, exact to the last bit and FPSR flag.
 *
 * Source: DDI 0487, shared/functions/float. Values travel as the low 16, 32 or 64 bits of a
 * uint64_t; higher bits of an operand are ignored and those of a result are zero. Armv8.2
 * behaviour: FPCR.RMode, FZ, FZ16, DN and AHP count; traps, AH, FIZ and NEP do not exist. FPSR
 * flags are only ever set.
 */
#ifndef PENG_CORE_ARM64_FP_H
#define PENG_CORE_ARM64_FP_H

#include <stdbool.h>
#include <stdint.h>

/* The value is log2 of the size in bytes, so that 8 << format is the width in bits. */
enum a64_fpfmt { A64_FP16 = 1, A64_FP32 = 2, A64_FP64 = 3 };

enum a64_fpcr {
    A64_FPCR_FZ16 = 1 << 19,
    A64_FPCR_RMODE_SHIFT = 22,
    A64_FPCR_FZ = 1 << 24,
    A64_FPCR_DN = 1 << 25,
    A64_FPCR_AHP = 1 << 26,
};

enum a64_fpsr {
    A64_FPSR_IOC = 1 << 0,
    A64_FPSR_DZC = 1 << 1,
    A64_FPSR_OFC = 1 << 2,
    A64_FPSR_UFC = 1 << 3,
    A64_FPSR_IXC = 1 << 4,
    A64_FPSR_IDC = 1 << 7,
    A64_FPSR_QC = 1 << 27,
};

/* The first four are FPCR.RMode as encoded. */
enum a64_rounding {
    A64_ROUND_TIEEVEN,
    A64_ROUND_POSINF,
    A64_ROUND_NEGINF,
    A64_ROUND_ZERO,
    A64_ROUND_TIEAWAY, /* to integers only */
    A64_ROUND_ODD,     /* FCVTXN only */
};

/* One operation's view of FPCR and FPSR. Flags are added to fpsr; load it from the CPU's own where
 * sticky bits are at hand, which makes the fast paths apply more often, and OR it back. */
struct a64_fpctx {
    uint32_t fpcr;
    uint32_t fpsr;
};

static inline enum a64_rounding a64_fp_rounding(const struct a64_fpctx *c)
{
    return (enum a64_rounding)(c->fpcr >> A64_FPCR_RMODE_SHIFT & 3);
}

typedef uint64_t a64_fp_unary(struct a64_fpctx *c, enum a64_fpfmt f, uint64_t a);
typedef uint64_t a64_fp_binary(struct a64_fpctx *c, enum a64_fpfmt f, uint64_t a, uint64_t b);

/* Arithmetic: FPAdd, FPSub, FPMul, FPMulX, FPDiv, FPSqrt. */
a64_fp_binary a64_fp_add, a64_fp_sub, a64_fp_mul, a64_fp_mulx, a64_fp_div;
a64_fp_unary a64_fp_sqrt;
/* FPMulAdd: addend + a * b, rounded once. Negate operands with a64_fp_neg for the other forms. */
uint64_t a64_fp_muladd(struct a64_fpctx *c, enum a64_fpfmt f, uint64_t addend, uint64_t a,
                       uint64_t b);
/* FPMulAddH (FMLAL, FMLSL): single addend, half factors, single result. */
uint64_t a64_fp_muladd_half(struct a64_fpctx *c, uint64_t addend, uint64_t a, uint64_t b);
/* FPMax, FPMin, FPMaxNum, FPMinNum. */
a64_fp_binary a64_fp_max, a64_fp_min, a64_fp_maxnm, a64_fp_minnm;
/* FPRecipStepFused: 2 - a * b; FPRSqrtStepFused: (3 - a * b) / 2. */
a64_fp_binary a64_fp_recps, a64_fp_rsqrts;
/* FPAbs(FPSub()): FABD. */
a64_fp_binary a64_fp_abd;
/* FPMul with the result negated, NaNs too: FNMUL. */
a64_fp_binary a64_fp_nmul;
/* Sign changes: no NaN processing, no flags. */
a64_fp_unary a64_fp_neg, a64_fp_abs;

/* FPRecipEstimate, FPRSqrtEstimate, FPRecpX, and the unsigned 32-bit estimates. */
a64_fp_unary a64_fp_recpe, a64_fp_rsqrte, a64_fp_recpx;
uint32_t a64_unsigned_recpe(uint32_t a);
uint32_t a64_unsigned_rsqrte(uint32_t a);

/* FPCompare: NZCV in bits 31..28. `signal_nans` raises IOC for quiet NaNs too (FCMPE, FCCMPE). */
uint32_t a64_fp_compare(struct a64_fpctx *c, enum a64_fpfmt f, uint64_t a, uint64_t b,
                        bool signal_nans);
/* Vector compares: all ones or zero. FPCompareEQ, GE, GT; FACGE and FACGT compare magnitudes. */
a64_fp_binary a64_fp_cmeq, a64_fp_cmge, a64_fp_cmgt, a64_fp_acge, a64_fp_acgt;

/* FPRoundInt: to an integral value; `exact` raises IXC where the value changes. */
uint64_t a64_fp_round_int(struct a64_fpctx *c, enum a64_fpfmt f, uint64_t a,
                          enum a64_rounding rounding, bool exact);
/* FPConvert between any two formats; a half on either side obeys FPCR.AHP. */
uint64_t a64_fp_convert(struct a64_fpctx *c, enum a64_fpfmt to, enum a64_fpfmt from, uint64_t a,
                        enum a64_rounding rounding);
/* FPToFixed: saturating, to `int_bits` (16, 32 or 64) with `fraction_bits` of them behind the
 * point. */
uint64_t a64_fp_to_fixed(struct a64_fpctx *c, enum a64_fpfmt f, uint64_t a, unsigned int_bits,
                         unsigned fraction_bits, bool is_unsigned, enum a64_rounding rounding);
/* FixedToFP. */
uint64_t a64_fp_from_fixed(struct a64_fpctx *c, enum a64_fpfmt f, uint64_t a, unsigned int_bits,
                           unsigned fraction_bits, bool is_unsigned, enum a64_rounding rounding);
/* FPToFixedJS: a double to int32 modulo 2^32; *ret_z is the Z flag (the conversion was exact). */
uint32_t a64_fp_to_int_js(struct a64_fpctx *c, uint64_t a, bool *ret_z);
/* VFPExpandImm: the 8-bit immediate of FMOV. */
uint64_t a64_fp_expand_imm(enum a64_fpfmt f, unsigned imm8);

#endif
