/* exec_simd.h: the lane machinery of the vector instructions' bodies. Private to this folder.
 *
 * An operation is a small function on one lane, written once for all element sizes and both signs:
 * its operands arrive as 128-bit integers, sign- or zero-extended, so that no sum, product or
 * doubled product of 64-bit elements overflows, and the result is cut to the element. The loops
 * below feed it: lanes of equal size, by element, pairwise, lengthening, narrowing.
 */
#ifndef PENG_CORE_ARM64_EXEC_SIMD_H
#define PENG_CORE_ARM64_EXEC_SIMD_H

#include "core/arm64/exec_int.h"
#include "core/arm64/fp.h"

typedef __int128 exec_wide;

enum exec_sign { EXEC_UNSIGNED, EXEC_SIGNED };

/* What a lane operation knows beside its operands. */
struct exec_lane {
    unsigned bits; /* of the result's element */
    enum exec_sign sign;
    unsigned shift; /* shifts by immediate */
    bool saturated; /* out: sets FPSR.QC */
};

/* d is the destination's old element. Where an instruction has no b, it is zero. */
typedef exec_wide exec_lane_op(struct exec_lane *l, exec_wide d, exec_wide a, exec_wide b);

static inline exec_wide exec_lane_get(const union a64_vreg *v, unsigned z, unsigned index,
                                      enum exec_sign sign)
{
    uint64_t e = exec_element(v, z, index);
    return sign ? (exec_wide)sign_extend(e, 8u << z) : (exec_wide)e;
}

static inline exec_wide exec_shift_left(exec_wide v, unsigned by)
{
    return (exec_wide)((unsigned __int128)v << by);
}

/* The nearest value that `bits` bits hold. */
static inline exec_wide exec_saturate(struct exec_lane *l, exec_wide v, unsigned bits,
                                      enum exec_sign sign)
{
    exec_wide max = ((exec_wide)1 << (sign ? bits - 1 : bits)) - 1;
    exec_wide min = sign ? -max - 1 : 0;
    if (v > max || v < min)
        l->saturated = true;
    return v > max ? max : v < min ? min : v;
}

/* Lane operations that more than one file uses. */

static inline exec_wide exec_add(struct exec_lane *l, exec_wide d, exec_wide a, exec_wide b)
{
    return a + b;
}

static inline exec_wide exec_sub(struct exec_lane *l, exec_wide d, exec_wide a, exec_wide b)
{
    return a - b;
}

static inline exec_wide exec_difference(struct exec_lane *l, exec_wide d, exec_wide a, exec_wide b)
{
    return a > b ? a - b : b - a;
}

static inline exec_wide exec_add_difference(struct exec_lane *l, exec_wide d, exec_wide a,
                                            exec_wide b)
{
    return d + exec_difference(l, d, a, b);
}

static inline exec_wide exec_multiply(struct exec_lane *l, exec_wide d, exec_wide a, exec_wide b)
{
    return a * b;
}

static inline exec_wide exec_multiply_add(struct exec_lane *l, exec_wide d, exec_wide a,
                                          exec_wide b)
{
    return d + a * b;
}

static inline exec_wide exec_multiply_sub(struct exec_lane *l, exec_wide d, exec_wide a,
                                          exec_wide b)
{
    return d - a * b;
}

static inline exec_wide exec_larger(struct exec_lane *l, exec_wide d, exec_wide a, exec_wide b)
{
    return a > b ? a : b;
}

static inline exec_wide exec_smaller(struct exec_lane *l, exec_wide d, exec_wide a, exec_wide b)
{
    return a < b ? a : b;
}

/* 8-bit polynomials over GF(2). */
static inline exec_wide exec_polynomial_multiply(struct exec_lane *l, exec_wide d, exec_wide a,
                                                 exec_wide b)
{
    exec_wide product = 0;
    for (unsigned i = 0; i < 8; i++)
        if (a >> i & 1)
            product ^= b << i;
    return product;
}

static inline void exec_lane_done(struct a64_cpu *cpu, const struct exec_lane *l)
{
    if (l->saturated)
        cpu->fpsr |= A64_FPSR_QC;
}

/* d = op(d, n, b) on each lane of 1 << z bytes. `b` may be another register's copy, an element in
 * all lanes, or zero. */
static inline enum a64_step exec_same(struct a64_cpu *cpu, const struct a64_insn *in, unsigned z,
                                      const union a64_vreg *b, struct exec_lane l, exec_lane_op *op)
{
    union a64_vreg r = {.d = {0, 0}};
    l.bits = 8u << z;
    for (unsigned i = 0; i < exec_lanes(in, z); i++)
        exec_set_element(&r, z, i,
                         (uint64_t)op(&l, exec_lane_get(&cpu->v[in->d], z, i, l.sign),
                                      exec_lane_get(&cpu->v[in->n], z, i, l.sign),
                                      exec_lane_get(b, z, i, l.sign)));
    cpu->v[in->d] = r;
    exec_lane_done(cpu, &l);
    return A64_NEXT;
}

/* The element that a by-element instruction names, in all lanes. */
static inline union a64_vreg exec_replicated(const struct a64_cpu *cpu, const struct a64_insn *in,
                                             unsigned z)
{
    uint64_t e = exec_element(&cpu->v[a64_element_reg(in, z)], z, a64_element_index(in, z));
    union a64_vreg r;
    for (unsigned i = 0; i < 16u >> z; i++)
        exec_set_element(&r, z, i, e);
    return r;
}

/* Writes the narrow result `half` (its low 64 bits): into the upper half with Q, else into the
 * lower with the upper cleared. Scalar forms have Q = 0. */
static inline void exec_set_half(struct a64_cpu *cpu, const struct a64_insn *in, uint64_t half)
{
    if (!in->Q)
        cpu->v[in->d].d[0] = half;
    cpu->v[in->d].d[1] = in->Q ? half : 0;
}

/* FPCR and FPSR for a64_fp_*(), and the flags back. */
static inline struct a64_fpctx exec_fp_begin(const struct a64_cpu *cpu)
{
    return (struct a64_fpctx){cpu->fpcr, cpu->fpsr};
}

static inline void exec_fp_end(struct a64_cpu *cpu, const struct a64_fpctx *c)
{
    cpu->fpsr = c->fpsr;
}

/* An instruction's rounding mode: enum a64_rounding, or FPCR's. */
enum { EXEC_BY_FPCR = -1 };

static inline enum a64_rounding exec_rounding(const struct a64_fpctx *c, int rounding)
{
    return rounding == EXEC_BY_FPCR ? a64_fp_rounding(c) : (enum a64_rounding)rounding;
}

#endif
