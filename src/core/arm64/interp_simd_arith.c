/* interp_simd_arith.c: vector integer arithmetic on lanes of one size: three registers of the same
 * type, by element, and two registers (DDI 0487 C4.1.90, C7.2).
 *
 * Each instruction is a row: which sign its operands have and which lane operation it is; SHADD and
 * UHADD, or CMGT and CMHI, differ in the sign alone.
 */
#include "core/arm64/exec_simd.h"

/* --- operations on one lane ------------------------------------------------------------------ */

static exec_wide halving_add(struct exec_lane *l, exec_wide d, exec_wide a, exec_wide b)
{
    return (a + b) >> 1;
}

static exec_wide rounding_halving_add(struct exec_lane *l, exec_wide d, exec_wide a, exec_wide b)
{
    return (a + b + 1) >> 1;
}

static exec_wide halving_sub(struct exec_lane *l, exec_wide d, exec_wide a, exec_wide b)
{
    return (a - b) >> 1;
}

static exec_wide saturating_add(struct exec_lane *l, exec_wide d, exec_wide a, exec_wide b)
{
    return exec_saturate(l, a + b, l->bits, l->sign);
}

static exec_wide saturating_sub(struct exec_lane *l, exec_wide d, exec_wide a, exec_wide b)
{
    return exec_saturate(l, a - b, l->bits, l->sign);
}

static exec_wide greater(struct exec_lane *l, exec_wide d, exec_wide a, exec_wide b)
{
    return -(a > b);
}

static exec_wide greater_equal(struct exec_lane *l, exec_wide d, exec_wide a, exec_wide b)
{
    return -(a >= b);
}

static exec_wide equal(struct exec_lane *l, exec_wide d, exec_wide a, exec_wide b)
{
    return -(a == b);
}

static exec_wide less_equal(struct exec_lane *l, exec_wide d, exec_wide a, exec_wide b)
{
    return -(a <= b);
}

static exec_wide less(struct exec_lane *l, exec_wide d, exec_wide a, exec_wide b)
{
    return -(a < b);
}

static exec_wide test_bits(struct exec_lane *l, exec_wide d, exec_wide a, exec_wide b)
{
    return -((a & b) != 0);
}

/* The high half of accumulator + 2ab, saturated; a and b have 16 or 32 bits. */
static exec_wide doubling_high(struct exec_lane *l, exec_wide accumulator, exec_wide product,
                               bool rounding)
{
    exec_wide sum = accumulator * ((exec_wide)1 << l->bits) + 2 * product;
    if (rounding)
        sum += (exec_wide)1 << (l->bits - 1);
    return exec_saturate(l, sum >> l->bits, l->bits, EXEC_SIGNED);
}

static exec_wide doubling_multiply_high(struct exec_lane *l, exec_wide d, exec_wide a, exec_wide b)
{
    return doubling_high(l, 0, a * b, false);
}

static exec_wide rounding_multiply_high(struct exec_lane *l, exec_wide d, exec_wide a, exec_wide b)
{
    return doubling_high(l, 0, a * b, true);
}

static exec_wide rounding_multiply_high_add(struct exec_lane *l, exec_wide d, exec_wide a,
                                            exec_wide b)
{
    return doubling_high(l, d, a * b, true);
}

static exec_wide rounding_multiply_high_sub(struct exec_lane *l, exec_wide d, exec_wide a,
                                            exec_wide b)
{
    return doubling_high(l, d, -(a * b), true);
}

static exec_wide absolute(struct exec_lane *l, exec_wide d, exec_wide a, exec_wide b)
{
    return a < 0 ? -a : a;
}

static exec_wide negate(struct exec_lane *l, exec_wide d, exec_wide a, exec_wide b)
{
    return -a;
}

static exec_wide saturating_absolute(struct exec_lane *l, exec_wide d, exec_wide a, exec_wide b)
{
    return exec_saturate(l, a < 0 ? -a : a, l->bits, EXEC_SIGNED);
}

static exec_wide saturating_negate(struct exec_lane *l, exec_wide d, exec_wide a, exec_wide b)
{
    return exec_saturate(l, -a, l->bits, EXEC_SIGNED);
}

/* SUQADD, USQADD: the accumulator has the instruction's sign, the other operand the opposite one.
 */
static exec_wide saturating_accumulate(struct exec_lane *l, exec_wide d, exec_wide a, exec_wide b)
{
    exec_wide span = (exec_wide)1 << l->bits;
    exec_wide other = a;
    if (l->sign && a < 0)
        other = a + span;
    else if (!l->sign && a >= span / 2)
        other = a - span;
    return exec_saturate(l, d + other, l->bits, l->sign);
}

static exec_wide count_zeros(struct exec_lane *l, exec_wide d, exec_wide a, exec_wide b)
{
    return a == 0 ? l->bits : (unsigned)__builtin_clzll((uint64_t)a) - (64 - l->bits);
}

/* Bits below the sign bit that equal it. */
static exec_wide count_signs(struct exec_lane *l, exec_wide d, exec_wide a, exec_wide b)
{
    return __builtin_clrsbll((long long)a) - (int)(64 - l->bits);
}

static exec_wide count_ones(struct exec_lane *l, exec_wide d, exec_wide a, exec_wide b)
{
    return __builtin_popcountll((uint64_t)a);
}

static exec_wide invert(struct exec_lane *l, exec_wide d, exec_wide a, exec_wide b)
{
    return ~a;
}

static exec_wide reverse_bits(struct exec_lane *l, exec_wide d, exec_wide a, exec_wide b)
{
    unsigned reversed = 0;
    for (unsigned i = 0; i < 8; i++)
        reversed |= ((unsigned)a >> i & 1) << (7 - i);
    return reversed;
}

/* --- loops ----------------------------------------------------------------------------------- */

static enum a64_step three(struct a64_cpu *cpu, const struct a64_insn *in, enum exec_sign sign,
                           exec_lane_op *op)
{
    union a64_vreg b = cpu->v[in->m];
    return exec_same(cpu, in, in->z, &b, (struct exec_lane){.sign = sign}, op);
}

static enum a64_step two(struct a64_cpu *cpu, const struct a64_insn *in, enum exec_sign sign,
                         exec_lane_op *op)
{
    const union a64_vreg zero = {.d = {0, 0}};
    return exec_same(cpu, in, in->z, &zero, (struct exec_lane){.sign = sign}, op);
}

static enum a64_step by_element(struct a64_cpu *cpu, const struct a64_insn *in, enum exec_sign sign,
                                exec_lane_op *op)
{
    union a64_vreg b = exec_replicated(cpu, in, in->z);
    return exec_same(cpu, in, in->z, &b, (struct exec_lane){.sign = sign}, op);
}

/* Neighbours of n, then neighbours of m. */
static enum a64_step pairwise(struct a64_cpu *cpu, const struct a64_insn *in, enum exec_sign sign,
                              exec_lane_op *op)
{
    struct exec_lane l = {.bits = 8u << in->z, .sign = sign};
    const union a64_vreg *source[2] = {&cpu->v[in->n], &cpu->v[in->m]};
    unsigned half = exec_lanes(in, in->z) / 2;
    union a64_vreg r = {.d = {0, 0}};
    for (unsigned i = 0; i < 2 * half; i++) {
        const union a64_vreg *v = source[i / half];
        unsigned pair = i % half * 2;
        exec_set_element(&r, in->z, i,
                         (uint64_t)op(&l, 0, exec_lane_get(v, in->z, pair, sign),
                                      exec_lane_get(v, in->z, pair + 1, sign)));
    }
    cpu->v[in->d] = r;
    return A64_NEXT;
}

#define A64_EXEC_LANES(name, loop, sign, op)                                                       \
    A64_EXEC(name)                                                                                 \
    {                                                                                              \
        return loop(cpu, in, EXEC_##sign, op);                                                     \
    }

/* clang-format off */
A64_EXEC_LANES(SHADD_vec, three, SIGNED, halving_add)
A64_EXEC_LANES(UHADD_vec, three, UNSIGNED, halving_add)
A64_EXEC_LANES(SRHADD_vec, three, SIGNED, rounding_halving_add)
A64_EXEC_LANES(URHADD_vec, three, UNSIGNED, rounding_halving_add)
A64_EXEC_LANES(SHSUB_vec, three, SIGNED, halving_sub)
A64_EXEC_LANES(UHSUB_vec, three, UNSIGNED, halving_sub)
A64_EXEC_LANES(SQADD_vec, three, SIGNED, saturating_add)
A64_EXEC_LANES(UQADD_vec, three, UNSIGNED, saturating_add)
A64_EXEC_LANES(SQSUB_vec, three, SIGNED, saturating_sub)
A64_EXEC_LANES(UQSUB_vec, three, UNSIGNED, saturating_sub)
A64_EXEC_LANES(CMGT_vec, three, SIGNED, greater)
A64_EXEC_LANES(CMHI_vec, three, UNSIGNED, greater)
A64_EXEC_LANES(CMGE_vec, three, SIGNED, greater_equal)
A64_EXEC_LANES(CMHS_vec, three, UNSIGNED, greater_equal)
A64_EXEC_LANES(CMEQ_vec, three, UNSIGNED, equal)
A64_EXEC_LANES(CMTST_vec, three, UNSIGNED, test_bits)
A64_EXEC_LANES(SMAX_vec, three, SIGNED, exec_larger)
A64_EXEC_LANES(UMAX_vec, three, UNSIGNED, exec_larger)
A64_EXEC_LANES(SMIN_vec, three, SIGNED, exec_smaller)
A64_EXEC_LANES(UMIN_vec, three, UNSIGNED, exec_smaller)
A64_EXEC_LANES(SABD_vec, three, SIGNED, exec_difference)
A64_EXEC_LANES(UABD_vec, three, UNSIGNED, exec_difference)
A64_EXEC_LANES(SABA_vec, three, SIGNED, exec_add_difference)
A64_EXEC_LANES(UABA_vec, three, UNSIGNED, exec_add_difference)
A64_EXEC_LANES(ADD_vec, three, UNSIGNED, exec_add)
A64_EXEC_LANES(SUB_vec, three, UNSIGNED, exec_sub)
A64_EXEC_LANES(MUL_vec, three, UNSIGNED, exec_multiply)
A64_EXEC_LANES(MLA_vec, three, UNSIGNED, exec_multiply_add)
A64_EXEC_LANES(MLS_vec, three, UNSIGNED, exec_multiply_sub)
A64_EXEC_LANES(PMUL_vec, three, UNSIGNED, exec_polynomial_multiply)
A64_EXEC_LANES(SQDMULH_vec, three, SIGNED, doubling_multiply_high)
A64_EXEC_LANES(SQRDMULH_vec, three, SIGNED, rounding_multiply_high)
A64_EXEC_LANES(SQRDMLAH_vec, three, SIGNED, rounding_multiply_high_add)
A64_EXEC_LANES(SQRDMLSH_vec, three, SIGNED, rounding_multiply_high_sub)

A64_EXEC_LANES(MUL_elem, by_element, UNSIGNED, exec_multiply)
A64_EXEC_LANES(MLA_elem, by_element, UNSIGNED, exec_multiply_add)
A64_EXEC_LANES(MLS_elem, by_element, UNSIGNED, exec_multiply_sub)
A64_EXEC_LANES(SQDMULH_elem, by_element, SIGNED, doubling_multiply_high)
A64_EXEC_LANES(SQRDMULH_elem, by_element, SIGNED, rounding_multiply_high)
A64_EXEC_LANES(SQRDMLAH_elem, by_element, SIGNED, rounding_multiply_high_add)
A64_EXEC_LANES(SQRDMLSH_elem, by_element, SIGNED, rounding_multiply_high_sub)

A64_EXEC_LANES(SMAXP_vec, pairwise, SIGNED, exec_larger)
A64_EXEC_LANES(UMAXP_vec, pairwise, UNSIGNED, exec_larger)
A64_EXEC_LANES(SMINP_vec, pairwise, SIGNED, exec_smaller)
A64_EXEC_LANES(UMINP_vec, pairwise, UNSIGNED, exec_smaller)
A64_EXEC_LANES(ADDP_vec, pairwise, UNSIGNED, exec_add)

A64_EXEC_LANES(SUQADD_vec, two, SIGNED, saturating_accumulate)
A64_EXEC_LANES(USQADD_vec, two, UNSIGNED, saturating_accumulate)
A64_EXEC_LANES(CLS_vec, two, SIGNED, count_signs)
A64_EXEC_LANES(CLZ_vec, two, UNSIGNED, count_zeros)
A64_EXEC_LANES(CNT_vec, two, UNSIGNED, count_ones)
A64_EXEC_LANES(NOT_vec, two, UNSIGNED, invert)
A64_EXEC_LANES(RBIT_vec, two, UNSIGNED, reverse_bits)
A64_EXEC_LANES(SQABS_vec, two, SIGNED, saturating_absolute)
A64_EXEC_LANES(SQNEG_vec, two, SIGNED, saturating_negate)
A64_EXEC_LANES(ABS_vec, two, SIGNED, absolute)
A64_EXEC_LANES(NEG_vec, two, SIGNED, negate)
A64_EXEC_LANES(CMGT_zero_vec, two, SIGNED, greater)
A64_EXEC_LANES(CMGE_zero_vec, two, SIGNED, greater_equal)
A64_EXEC_LANES(CMEQ_zero_vec, two, SIGNED, equal)
A64_EXEC_LANES(CMLE_zero_vec, two, SIGNED, less_equal)
A64_EXEC_LANES(CMLT_zero_vec, two, SIGNED, less)
/* clang-format on */
