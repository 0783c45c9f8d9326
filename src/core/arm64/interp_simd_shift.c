/* interp_simd_shift.c: vector shifts: by register, by immediate, narrowing and lengthening; the
 * narrowing moves XTN, SQXTN, UQXTN and SQXTUN are shifts by zero (DDI 0487 C4.1.90, C7.2).
 */
#include "core/arm64/exec_simd.h"

/* --- operations on one lane ------------------------------------------------------------------ */

/* Right by 1..bits, or further with the same result as bits + 1. */
static exec_wide shift_right(exec_wide a, unsigned by, bool rounding)
{
    if (rounding && by > 0)
        a += (exec_wide)1 << (by - 1);
    return a >> by;
}

/* By the low byte of b: left where positive, right where negative. */
static exec_wide shift_by(struct exec_lane *l, exec_wide a, exec_wide b, bool rounding,
                          bool saturating)
{
    int by = (int8_t)b;
    if (by < 0)
        return shift_right(a, (unsigned)-by > l->bits ? l->bits + 1 : (unsigned)-by, rounding);
    if (a == 0 || (!saturating && by >= (int)l->bits))
        return 0;
    if (by >= (int)l->bits) /* no bit stays inside: a value past every limit stands for it */
        return exec_saturate(l, a < 0 ? -exec_shift_left(1, 65) : exec_shift_left(1, 65), l->bits,
                             l->sign);
    a = exec_shift_left(a, (unsigned)by);
    return saturating ? exec_saturate(l, a, l->bits, l->sign) : a;
}

static exec_wide shift(struct exec_lane *l, exec_wide d, exec_wide a, exec_wide b)
{
    return shift_by(l, a, b, false, false);
}

static exec_wide rounding_shift(struct exec_lane *l, exec_wide d, exec_wide a, exec_wide b)
{
    return shift_by(l, a, b, true, false);
}

static exec_wide saturating_shift(struct exec_lane *l, exec_wide d, exec_wide a, exec_wide b)
{
    return shift_by(l, a, b, false, true);
}

static exec_wide saturating_rounding_shift(struct exec_lane *l, exec_wide d, exec_wide a,
                                           exec_wide b)
{
    return shift_by(l, a, b, true, true);
}

static exec_wide right(struct exec_lane *l, exec_wide d, exec_wide a, exec_wide b)
{
    return shift_right(a, l->shift, false);
}

static exec_wide right_add(struct exec_lane *l, exec_wide d, exec_wide a, exec_wide b)
{
    return d + shift_right(a, l->shift, false);
}

static exec_wide right_round(struct exec_lane *l, exec_wide d, exec_wide a, exec_wide b)
{
    return shift_right(a, l->shift, true);
}

static exec_wide right_round_add(struct exec_lane *l, exec_wide d, exec_wide a, exec_wide b)
{
    return d + shift_right(a, l->shift, true);
}

static exec_wide right_insert(struct exec_lane *l, exec_wide d, exec_wide a, exec_wide b)
{
    exec_wide kept = (((exec_wide)1 << l->bits) - 1) >> l->shift;
    return (d & ~kept) | a >> l->shift;
}

static exec_wide left(struct exec_lane *l, exec_wide d, exec_wide a, exec_wide b)
{
    return exec_shift_left(a, l->shift);
}

static exec_wide left_insert(struct exec_lane *l, exec_wide d, exec_wide a, exec_wide b)
{
    return (d & (((exec_wide)1 << l->shift) - 1)) | exec_shift_left(a, l->shift);
}

static exec_wide left_saturate(struct exec_lane *l, exec_wide d, exec_wide a, exec_wide b)
{
    return exec_saturate(l, exec_shift_left(a, l->shift), l->bits, l->sign);
}

/* SQSHLU: a signed operand, an unsigned result. */
static exec_wide left_saturate_unsigned(struct exec_lane *l, exec_wide d, exec_wide a, exec_wide b)
{
    return exec_saturate(l, exec_shift_left(a, l->shift), l->bits, EXEC_UNSIGNED);
}

/* --- loops ----------------------------------------------------------------------------------- */

/* immh's highest bit tells the element size (immh is not zero). */
static unsigned immediate_size(const struct a64_insn *in)
{
    return 31u - (unsigned)__builtin_clz(in->h >> 3);
}

static unsigned right_amount(const struct a64_insn *in)
{
    return (16u << immediate_size(in)) - in->h;
}

static unsigned left_amount(const struct a64_insn *in)
{
    return in->h - (8u << immediate_size(in));
}

static enum a64_step by_register(struct a64_cpu *cpu, const struct a64_insn *in,
                                 enum exec_sign sign, exec_lane_op *op)
{
    union a64_vreg b = cpu->v[in->m];
    return exec_same(cpu, in, in->z, &b, (struct exec_lane){.sign = sign}, op);
}

static enum a64_step by_immediate(struct a64_cpu *cpu, const struct a64_insn *in,
                                  enum exec_sign sign, unsigned amount, exec_lane_op *op)
{
    const union a64_vreg zero = {.d = {0, 0}};
    return exec_same(cpu, in, immediate_size(in), &zero,
                     (struct exec_lane){.sign = sign, .shift = amount}, op);
}

static enum a64_step right_immediate(struct a64_cpu *cpu, const struct a64_insn *in,
                                     enum exec_sign sign, exec_lane_op *op)
{
    return by_immediate(cpu, in, sign, right_amount(in), op);
}

static enum a64_step left_immediate(struct a64_cpu *cpu, const struct a64_insn *in,
                                    enum exec_sign sign, exec_lane_op *op)
{
    return by_immediate(cpu, in, sign, left_amount(in), op);
}

/* How a narrowing instruction treats what does not fit. */
enum narrowing { TRUNCATE, SATURATE_SIGNED, SATURATE_UNSIGNED };

/* Lanes of twice 1 << z bytes, shifted right, into lanes of 1 << z. */
static enum a64_step narrow(struct a64_cpu *cpu, const struct a64_insn *in, unsigned z,
                            unsigned amount, bool rounding, enum exec_sign sign,
                            enum narrowing narrowing)
{
    struct exec_lane l = {.bits = 8u << z};
    union a64_vreg r = {.d = {0, 0}};
    for (unsigned i = 0; i < (in->e ? 1 : 8u >> z); i++) {
        exec_wide v = shift_right(exec_lane_get(&cpu->v[in->n], z + 1, i, sign), amount, rounding);
        if (narrowing != TRUNCATE)
            v = exec_saturate(&l, v, l.bits,
                              narrowing == SATURATE_SIGNED ? EXEC_SIGNED : EXEC_UNSIGNED);
        exec_set_element(&r, z, i, (uint64_t)v);
    }
    exec_set_half(cpu, in, r.d[0]);
    exec_lane_done(cpu, &l);
    return A64_NEXT;
}

/* Lanes of 1 << z bytes, shifted left, into lanes twice as long. */
static enum a64_step lengthen(struct a64_cpu *cpu, const struct a64_insn *in, unsigned z,
                              unsigned amount, enum exec_sign sign)
{
    unsigned lanes = 8u >> z;
    union a64_vreg r;
    for (unsigned i = 0; i < lanes; i++) {
        exec_wide v = exec_lane_get(&cpu->v[in->n], z, in->Q * lanes + i, sign);
        exec_set_element(&r, z + 1, i, (uint64_t)exec_shift_left(v, amount));
    }
    cpu->v[in->d] = r;
    return A64_NEXT;
}

/* --- rows ------------------------------------------------------------------------------------ */

#define A64_EXEC_SHIFT(name, loop, sign, op)                                                       \
    A64_EXEC(name)                                                                                 \
    {                                                                                              \
        return loop(cpu, in, EXEC_##sign, op);                                                     \
    }
#define A64_EXEC_NARROW(name, rounding, sign, narrowing)                                           \
    A64_EXEC(name)                                                                                 \
    {                                                                                              \
        return narrow(cpu, in, immediate_size(in), right_amount(in), rounding, EXEC_##sign,        \
                      narrowing);                                                                  \
    }
#define A64_EXEC_EXTRACT(name, sign, narrowing)                                                    \
    A64_EXEC(name)                                                                                 \
    {                                                                                              \
        return narrow(cpu, in, in->z, 0, false, EXEC_##sign, narrowing);                           \
    }

/* clang-format off */
A64_EXEC_SHIFT(SSHL_vec, by_register, SIGNED, shift)
A64_EXEC_SHIFT(USHL_vec, by_register, UNSIGNED, shift)
A64_EXEC_SHIFT(SRSHL_vec, by_register, SIGNED, rounding_shift)
A64_EXEC_SHIFT(URSHL_vec, by_register, UNSIGNED, rounding_shift)
A64_EXEC_SHIFT(SQSHL_vec, by_register, SIGNED, saturating_shift)
A64_EXEC_SHIFT(UQSHL_vec, by_register, UNSIGNED, saturating_shift)
A64_EXEC_SHIFT(SQRSHL_vec, by_register, SIGNED, saturating_rounding_shift)
A64_EXEC_SHIFT(UQRSHL_vec, by_register, UNSIGNED, saturating_rounding_shift)

A64_EXEC_SHIFT(SSHR_vimm, right_immediate, SIGNED, right)
A64_EXEC_SHIFT(USHR_vimm, right_immediate, UNSIGNED, right)
A64_EXEC_SHIFT(SSRA_vimm, right_immediate, SIGNED, right_add)
A64_EXEC_SHIFT(USRA_vimm, right_immediate, UNSIGNED, right_add)
A64_EXEC_SHIFT(SRSHR_vimm, right_immediate, SIGNED, right_round)
A64_EXEC_SHIFT(URSHR_vimm, right_immediate, UNSIGNED, right_round)
A64_EXEC_SHIFT(SRSRA_vimm, right_immediate, SIGNED, right_round_add)
A64_EXEC_SHIFT(URSRA_vimm, right_immediate, UNSIGNED, right_round_add)
A64_EXEC_SHIFT(SRI_vimm, right_immediate, UNSIGNED, right_insert)
A64_EXEC_SHIFT(SHL_vimm, left_immediate, UNSIGNED, left)
A64_EXEC_SHIFT(SLI_vimm, left_immediate, UNSIGNED, left_insert)
A64_EXEC_SHIFT(SQSHL_vimm, left_immediate, SIGNED, left_saturate)
A64_EXEC_SHIFT(UQSHL_vimm, left_immediate, UNSIGNED, left_saturate)
A64_EXEC_SHIFT(SQSHLU_vimm, left_immediate, SIGNED, left_saturate_unsigned)

A64_EXEC_NARROW(SHRN_vimm, false, UNSIGNED, TRUNCATE)
A64_EXEC_NARROW(RSHRN_vimm, true, UNSIGNED, TRUNCATE)
A64_EXEC_NARROW(SQSHRN_vimm, false, SIGNED, SATURATE_SIGNED)
A64_EXEC_NARROW(SQRSHRN_vimm, true, SIGNED, SATURATE_SIGNED)
A64_EXEC_NARROW(UQSHRN_vimm, false, UNSIGNED, SATURATE_UNSIGNED)
A64_EXEC_NARROW(UQRSHRN_vimm, true, UNSIGNED, SATURATE_UNSIGNED)
A64_EXEC_NARROW(SQSHRUN_vimm, false, SIGNED, SATURATE_UNSIGNED)
A64_EXEC_NARROW(SQRSHRUN_vimm, true, SIGNED, SATURATE_UNSIGNED)

A64_EXEC_EXTRACT(XTN_vec, UNSIGNED, TRUNCATE)
A64_EXEC_EXTRACT(SQXTN_vec, SIGNED, SATURATE_SIGNED)
A64_EXEC_EXTRACT(UQXTN_vec, UNSIGNED, SATURATE_UNSIGNED)
A64_EXEC_EXTRACT(SQXTUN_vec, SIGNED, SATURATE_UNSIGNED)
/* clang-format on */

A64_EXEC(SSHLL_vimm)
{
    return lengthen(cpu, in, immediate_size(in), left_amount(in), EXEC_SIGNED);
}

A64_EXEC(USHLL_vimm)
{
    return lengthen(cpu, in, immediate_size(in), left_amount(in), EXEC_UNSIGNED);
}

A64_EXEC(SHLL_vec)
{
    return lengthen(cpu, in, in->z, 8u << in->z, EXEC_UNSIGNED);
}
