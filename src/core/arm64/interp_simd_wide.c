/* interp_simd_wide.c: vector integer instructions whose result lanes differ in size from their
 * operands': long, wide, narrow, by element and pairwise ones, dot products, sums across lanes
 * (DDI 0487 C4.1.90, C7.2).
 *
 * in->z is the narrow size throughout. Q chooses the upper half of a narrow operand or result.
 */
#include "core/arm64/exec_simd.h"

/* --- operations on one lane; l->bits is the wide size ---------------------------------------- */

static exec_wide doubling_multiply(struct exec_lane *l, exec_wide d, exec_wide a, exec_wide b)
{
    return exec_saturate(l, 2 * a * b, l->bits, EXEC_SIGNED);
}

/* The product saturates before the sum does. */
static exec_wide doubling_multiply_add(struct exec_lane *l, exec_wide d, exec_wide a, exec_wide b)
{
    return exec_saturate(l, d + doubling_multiply(l, d, a, b), l->bits, EXEC_SIGNED);
}

static exec_wide doubling_multiply_sub(struct exec_lane *l, exec_wide d, exec_wide a, exec_wide b)
{
    return exec_saturate(l, d - doubling_multiply(l, d, a, b), l->bits, EXEC_SIGNED);
}

/* --- loops ----------------------------------------------------------------------------------- */

/* How many lanes a long operation has, and where they start in the narrow operand. */
static unsigned narrow_lanes(const struct a64_insn *in)
{
    return in->e ? 1 : 8u >> in->z;
}

static unsigned narrow_start(const struct a64_insn *in)
{
    return in->Q ? 8u >> in->z : 0;
}

/* d (wide) = op(d, n, b); n is wide too, or narrow as b is. */
static enum a64_step lengthen(struct a64_cpu *cpu, const struct a64_insn *in, enum exec_sign sign,
                              exec_lane_op *op, const union a64_vreg *b, bool wide_a)
{
    struct exec_lane l = {.bits = 16u << in->z, .sign = sign};
    const union a64_vreg *a = &cpu->v[in->n];
    unsigned wide = in->z + 1u, start = narrow_start(in);
    union a64_vreg r = {.d = {0, 0}};
    for (unsigned i = 0; i < narrow_lanes(in); i++) {
        exec_wide va =
            wide_a ? exec_lane_get(a, wide, i, sign) : exec_lane_get(a, in->z, start + i, sign);
        exec_wide result = op(&l, exec_lane_get(&cpu->v[in->d], wide, i, sign), va,
                              exec_lane_get(b, in->z, start + i, sign));
        exec_set_element(&r, wide, i, (uint64_t)result);
    }
    cpu->v[in->d] = r;
    exec_lane_done(cpu, &l);
    return A64_NEXT;
}

static enum a64_step long_vector(struct a64_cpu *cpu, const struct a64_insn *in,
                                 enum exec_sign sign, exec_lane_op *op)
{
    return lengthen(cpu, in, sign, op, &cpu->v[in->m], false);
}

static enum a64_step wide_vector(struct a64_cpu *cpu, const struct a64_insn *in,
                                 enum exec_sign sign, exec_lane_op *op)
{
    return lengthen(cpu, in, sign, op, &cpu->v[in->m], true);
}

static enum a64_step long_element(struct a64_cpu *cpu, const struct a64_insn *in,
                                  enum exec_sign sign, exec_lane_op *op)
{
    union a64_vreg b = exec_replicated(cpu, in, in->z);
    return lengthen(cpu, in, sign, op, &b, false);
}

/* The high halves of sums or differences of wide lanes. */
static enum a64_step narrow_high(struct a64_cpu *cpu, const struct a64_insn *in, exec_lane_op *op,
                                 bool rounding)
{
    struct exec_lane l = {.bits = 16u << in->z};
    unsigned wide = in->z + 1u, narrow_bits = 8u << in->z;
    union a64_vreg r = {.d = {0, 0}};
    for (unsigned i = 0; i < narrow_lanes(in); i++) {
        exec_wide sum = op(&l, 0, exec_lane_get(&cpu->v[in->n], wide, i, EXEC_UNSIGNED),
                           exec_lane_get(&cpu->v[in->m], wide, i, EXEC_UNSIGNED));
        if (rounding)
            sum += (exec_wide)1 << (narrow_bits - 1);
        exec_set_element(&r, in->z, i, (uint64_t)(sum >> narrow_bits));
    }
    exec_set_half(cpu, in, r.d[0]);
    return A64_NEXT;
}

/* Sums of neighbours into wide lanes, added to the old ones or not. */
static enum a64_step pairwise_long(struct a64_cpu *cpu, const struct a64_insn *in,
                                   enum exec_sign sign, bool accumulate)
{
    const union a64_vreg *a = &cpu->v[in->n];
    unsigned wide = in->z + 1u;
    union a64_vreg r = {.d = {0, 0}};
    for (unsigned i = 0; i < exec_lanes(in, wide); i++) {
        exec_wide sum =
            exec_lane_get(a, in->z, 2 * i, sign) + exec_lane_get(a, in->z, 2 * i + 1, sign);
        if (accumulate)
            sum += exec_lane_get(&cpu->v[in->d], wide, i, sign);
        exec_set_element(&r, wide, i, (uint64_t)sum);
    }
    cpu->v[in->d] = r;
    return A64_NEXT;
}

/* op over all lanes of n into one lane of 1 << result_z bytes. */
static enum a64_step across(struct a64_cpu *cpu, const struct a64_insn *in, enum exec_sign sign,
                            exec_lane_op *op, unsigned result_z)
{
    struct exec_lane l = {.bits = 8u << result_z};
    exec_wide r = exec_lane_get(&cpu->v[in->n], in->z, 0, sign);
    for (unsigned i = 1; i < exec_lanes(in, in->z); i++)
        r = op(&l, 0, r, exec_lane_get(&cpu->v[in->n], in->z, i, sign));
    exec_set_scalar(cpu, in->d, result_z, (uint64_t)r);
    return A64_NEXT;
}

/* Sums of four byte products into each 32-bit lane; `b` is m or one of its words in all lanes. */
static enum a64_step dot(struct a64_cpu *cpu, const struct a64_insn *in, enum exec_sign sign,
                         const union a64_vreg *b)
{
    union a64_vreg r = {.d = {0, 0}};
    for (unsigned i = 0; i < exec_lanes(in, 0); i++)
        r.s[i / 4] +=
            (uint32_t)(exec_lane_get(&cpu->v[in->n], 0, i, sign) * exec_lane_get(b, 0, i, sign));
    for (unsigned i = 0; i < exec_lanes(in, 2); i++)
        r.s[i] += cpu->v[in->d].s[i];
    cpu->v[in->d] = r;
    return A64_NEXT;
}

/* --- rows ------------------------------------------------------------------------------------ */

#define A64_EXEC_LENGTHEN(name, loop, sign, op)                                                    \
    A64_EXEC(name)                                                                                 \
    {                                                                                              \
        return loop(cpu, in, EXEC_##sign, op);                                                     \
    }
#define A64_EXEC_HIGH(name, op, rounding)                                                          \
    A64_EXEC(name)                                                                                 \
    {                                                                                              \
        return narrow_high(cpu, in, op, rounding);                                                 \
    }
#define A64_EXEC_ACROSS(name, sign, op, extra)                                                     \
    A64_EXEC(name)                                                                                 \
    {                                                                                              \
        return across(cpu, in, EXEC_##sign, op, in->z + (extra));                                  \
    }

/* clang-format off */
A64_EXEC_LENGTHEN(SADDL_vec, long_vector, SIGNED, exec_add)
A64_EXEC_LENGTHEN(UADDL_vec, long_vector, UNSIGNED, exec_add)
A64_EXEC_LENGTHEN(SADDW_vec, wide_vector, SIGNED, exec_add)
A64_EXEC_LENGTHEN(UADDW_vec, wide_vector, UNSIGNED, exec_add)
A64_EXEC_LENGTHEN(SSUBL_vec, long_vector, SIGNED, exec_sub)
A64_EXEC_LENGTHEN(USUBL_vec, long_vector, UNSIGNED, exec_sub)
A64_EXEC_LENGTHEN(SSUBW_vec, wide_vector, SIGNED, exec_sub)
A64_EXEC_LENGTHEN(USUBW_vec, wide_vector, UNSIGNED, exec_sub)
A64_EXEC_LENGTHEN(SABAL_vec, long_vector, SIGNED, exec_add_difference)
A64_EXEC_LENGTHEN(UABAL_vec, long_vector, UNSIGNED, exec_add_difference)
A64_EXEC_LENGTHEN(SABDL_vec, long_vector, SIGNED, exec_difference)
A64_EXEC_LENGTHEN(UABDL_vec, long_vector, UNSIGNED, exec_difference)
A64_EXEC_LENGTHEN(SMULL_vec, long_vector, SIGNED, exec_multiply)
A64_EXEC_LENGTHEN(UMULL_vec, long_vector, UNSIGNED, exec_multiply)
A64_EXEC_LENGTHEN(SMLAL_vec, long_vector, SIGNED, exec_multiply_add)
A64_EXEC_LENGTHEN(UMLAL_vec, long_vector, UNSIGNED, exec_multiply_add)
A64_EXEC_LENGTHEN(SMLSL_vec, long_vector, SIGNED, exec_multiply_sub)
A64_EXEC_LENGTHEN(UMLSL_vec, long_vector, UNSIGNED, exec_multiply_sub)
A64_EXEC_LENGTHEN(SQDMULL_vec, long_vector, SIGNED, doubling_multiply)
A64_EXEC_LENGTHEN(SQDMLAL_vec, long_vector, SIGNED, doubling_multiply_add)
A64_EXEC_LENGTHEN(SQDMLSL_vec, long_vector, SIGNED, doubling_multiply_sub)
A64_EXEC_LENGTHEN(PMULL_vec, long_vector, UNSIGNED, exec_polynomial_multiply)

A64_EXEC_LENGTHEN(SMULL_elem, long_element, SIGNED, exec_multiply)
A64_EXEC_LENGTHEN(UMULL_elem, long_element, UNSIGNED, exec_multiply)
A64_EXEC_LENGTHEN(SMLAL_elem, long_element, SIGNED, exec_multiply_add)
A64_EXEC_LENGTHEN(UMLAL_elem, long_element, UNSIGNED, exec_multiply_add)
A64_EXEC_LENGTHEN(SMLSL_elem, long_element, SIGNED, exec_multiply_sub)
A64_EXEC_LENGTHEN(UMLSL_elem, long_element, UNSIGNED, exec_multiply_sub)
A64_EXEC_LENGTHEN(SQDMULL_elem, long_element, SIGNED, doubling_multiply)
A64_EXEC_LENGTHEN(SQDMLAL_elem, long_element, SIGNED, doubling_multiply_add)
A64_EXEC_LENGTHEN(SQDMLSL_elem, long_element, SIGNED, doubling_multiply_sub)

A64_EXEC_HIGH(ADDHN_vec, exec_add, false)
A64_EXEC_HIGH(RADDHN_vec, exec_add, true)
A64_EXEC_HIGH(SUBHN_vec, exec_sub, false)
A64_EXEC_HIGH(RSUBHN_vec, exec_sub, true)

A64_EXEC_ACROSS(SADDLV, SIGNED, exec_add, 1)
A64_EXEC_ACROSS(UADDLV, UNSIGNED, exec_add, 1)
A64_EXEC_ACROSS(ADDV, UNSIGNED, exec_add, 0)
A64_EXEC_ACROSS(SMAXV, SIGNED, exec_larger, 0)
A64_EXEC_ACROSS(UMAXV, UNSIGNED, exec_larger, 0)
A64_EXEC_ACROSS(SMINV, SIGNED, exec_smaller, 0)
A64_EXEC_ACROSS(UMINV, UNSIGNED, exec_smaller, 0)
/* clang-format on */

A64_EXEC(ADDP_pair)
{
    exec_set_scalar(cpu, in->d, 3, cpu->v[in->n].d[0] + cpu->v[in->n].d[1]);
    return A64_NEXT;
}

A64_EXEC(SADDLP_vec)
{
    return pairwise_long(cpu, in, EXEC_SIGNED, false);
}

A64_EXEC(UADDLP_vec)
{
    return pairwise_long(cpu, in, EXEC_UNSIGNED, false);
}

A64_EXEC(SADALP_vec)
{
    return pairwise_long(cpu, in, EXEC_SIGNED, true);
}

A64_EXEC(UADALP_vec)
{
    return pairwise_long(cpu, in, EXEC_UNSIGNED, true);
}

A64_EXEC(SDOT_vec)
{
    return dot(cpu, in, EXEC_SIGNED, &cpu->v[in->m]);
}

A64_EXEC(UDOT_vec)
{
    return dot(cpu, in, EXEC_UNSIGNED, &cpu->v[in->m]);
}

A64_EXEC(SDOT_elem)
{
    union a64_vreg b = exec_replicated(cpu, in, 2);
    return dot(cpu, in, EXEC_SIGNED, &b);
}

A64_EXEC(UDOT_elem)
{
    union a64_vreg b = exec_replicated(cpu, in, 2);
    return dot(cpu, in, EXEC_UNSIGNED, &b);
}
