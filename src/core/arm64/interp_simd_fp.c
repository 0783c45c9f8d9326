/* interp_simd_fp.c: vector floating-point arithmetic, and the scalar forms that share its encodings
 * (DDI 0487 C4.1.90, C7.2).
 *
 * Lanes are worked on in ascending order with one struct a64_fpctx, so that FPSR gathers all of
 * their flags. in->p is the type as in the scalar instructions.
 */
#include "core/arm64/exec_simd.h"

static enum a64_fpfmt format_of(const struct a64_insn *in)
{
    return (enum a64_fpfmt)exec_fp_size(in->p);
}

/* --- one operand ----------------------------------------------------------------------------- */

static enum a64_step unary(struct a64_cpu *cpu, const struct a64_insn *in, a64_fp_unary *op)
{
    struct a64_fpctx c = exec_fp_begin(cpu);
    enum a64_fpfmt f = format_of(in);
    union a64_vreg r = {.d = {0, 0}};
    for (unsigned i = 0; i < exec_lanes(in, f); i++)
        exec_set_element(&r, f, i, op(&c, f, exec_element(&cpu->v[in->n], f, i)));
    cpu->v[in->d] = r;
    exec_fp_end(cpu, &c);
    return A64_NEXT;
}

static enum a64_step round_int(struct a64_cpu *cpu, const struct a64_insn *in, int rounding,
                               bool exact)
{
    struct a64_fpctx c = exec_fp_begin(cpu);
    enum a64_fpfmt f = format_of(in);
    enum a64_rounding mode = exec_rounding(&c, rounding);
    union a64_vreg r = {.d = {0, 0}};
    for (unsigned i = 0; i < exec_lanes(in, f); i++)
        exec_set_element(&r, f, i,
                         a64_fp_round_int(&c, f, exec_element(&cpu->v[in->n], f, i), mode, exact));
    cpu->v[in->d] = r;
    exec_fp_end(cpu, &c);
    return A64_NEXT;
}

/* Integers are as long as the floating-point lanes. */
static enum a64_step to_fixed(struct a64_cpu *cpu, const struct a64_insn *in, enum a64_fpfmt f,
                              unsigned fraction_bits, bool is_unsigned, enum a64_rounding rounding)
{
    struct a64_fpctx c = exec_fp_begin(cpu);
    union a64_vreg r = {.d = {0, 0}};
    for (unsigned i = 0; i < exec_lanes(in, f); i++)
        exec_set_element(&r, f, i,
                         a64_fp_to_fixed(&c, f, exec_element(&cpu->v[in->n], f, i), 8u << f,
                                         fraction_bits, is_unsigned, rounding));
    cpu->v[in->d] = r;
    exec_fp_end(cpu, &c);
    return A64_NEXT;
}

static enum a64_step from_fixed(struct a64_cpu *cpu, const struct a64_insn *in, enum a64_fpfmt f,
                                unsigned fraction_bits, bool is_unsigned)
{
    struct a64_fpctx c = exec_fp_begin(cpu);
    union a64_vreg r = {.d = {0, 0}};
    for (unsigned i = 0; i < exec_lanes(in, f); i++)
        exec_set_element(&r, f, i,
                         a64_fp_from_fixed(&c, f, exec_element(&cpu->v[in->n], f, i), 8u << f,
                                           fraction_bits, is_unsigned, a64_fp_rounding(&c)));
    cpu->v[in->d] = r;
    exec_fp_end(cpu, &c);
    return A64_NEXT;
}

/* Fixed point: immh's highest bit tells the lane size, and immh:immb less from twice its bits how
 * many of them are behind the point. */
static enum a64_fpfmt fixed_format(const struct a64_insn *in)
{
    return (enum a64_fpfmt)(31 - __builtin_clz(in->h >> 3));
}

static unsigned fixed_fraction(const struct a64_insn *in)
{
    return (16u << fixed_format(in)) - in->h;
}

/* --- two operands ---------------------------------------------------------------------------- */

static enum a64_step binary_with(struct a64_cpu *cpu, const struct a64_insn *in, a64_fp_binary *op,
                                 const union a64_vreg *b, bool swap)
{
    struct a64_fpctx c = exec_fp_begin(cpu);
    enum a64_fpfmt f = format_of(in);
    union a64_vreg r = {.d = {0, 0}};
    for (unsigned i = 0; i < exec_lanes(in, f); i++) {
        uint64_t va = exec_element(&cpu->v[in->n], f, i), vb = exec_element(b, f, i);
        exec_set_element(&r, f, i, swap ? op(&c, f, vb, va) : op(&c, f, va, vb));
    }
    cpu->v[in->d] = r;
    exec_fp_end(cpu, &c);
    return A64_NEXT;
}

static enum a64_step binary(struct a64_cpu *cpu, const struct a64_insn *in, a64_fp_binary *op)
{
    return binary_with(cpu, in, op, &cpu->v[in->m], false);
}

static enum a64_step with_element(struct a64_cpu *cpu, const struct a64_insn *in, a64_fp_binary *op)
{
    union a64_vreg b = exec_replicated(cpu, in, exec_fp_size(in->p));
    return binary_with(cpu, in, op, &b, false);
}

static enum a64_step with_zero(struct a64_cpu *cpu, const struct a64_insn *in, a64_fp_binary *op)
{
    const union a64_vreg zero = {.d = {0, 0}};
    return binary_with(cpu, in, op, &zero, false);
}

/* Less than is greater than with the operands exchanged. */
static enum a64_step zero_with(struct a64_cpu *cpu, const struct a64_insn *in, a64_fp_binary *op)
{
    const union a64_vreg zero = {.d = {0, 0}};
    return binary_with(cpu, in, op, &zero, true);
}

/* Neighbours of n, then neighbours of m. */
static enum a64_step pairwise(struct a64_cpu *cpu, const struct a64_insn *in, a64_fp_binary *op)
{
    struct a64_fpctx c = exec_fp_begin(cpu);
    enum a64_fpfmt f = format_of(in);
    unsigned half = exec_lanes(in, f) / 2;
    union a64_vreg r = {.d = {0, 0}};
    for (unsigned i = 0; i < 2 * half; i++) {
        const union a64_vreg *v = &cpu->v[i < half ? in->n : in->m];
        unsigned pair = i % half * 2;
        exec_set_element(&r, f, i,
                         op(&c, f, exec_element(v, f, pair), exec_element(v, f, pair + 1)));
    }
    cpu->v[in->d] = r;
    exec_fp_end(cpu, &c);
    return A64_NEXT;
}

static enum a64_step pair(struct a64_cpu *cpu, const struct a64_insn *in, a64_fp_binary *op)
{
    struct a64_fpctx c = exec_fp_begin(cpu);
    enum a64_fpfmt f = format_of(in);
    const union a64_vreg *v = &cpu->v[in->n];
    exec_set_scalar(cpu, in->d, f, op(&c, f, exec_element(v, f, 0), exec_element(v, f, 1)));
    exec_fp_end(cpu, &c);
    return A64_NEXT;
}

/* Reduce(): a tree of halves, which tells the order that NaNs meet in. */
static enum a64_step across(struct a64_cpu *cpu, const struct a64_insn *in, a64_fp_binary *op)
{
    struct a64_fpctx c = exec_fp_begin(cpu);
    enum a64_fpfmt f = format_of(in);
    union a64_vreg v = cpu->v[in->n];
    for (unsigned lanes = exec_lanes(in, f); lanes > 1; lanes /= 2)
        for (unsigned i = 0; i < lanes / 2; i++)
            exec_set_element(&v, f, i,
                             op(&c, f, exec_element(&v, f, 2 * i), exec_element(&v, f, 2 * i + 1)));
    exec_set_scalar(cpu, in->d, f, exec_element(&v, f, 0));
    exec_fp_end(cpu, &c);
    return A64_NEXT;
}

/* --- fused multiply-add ---------------------------------------------------------------------- */

static enum a64_step fused_with(struct a64_cpu *cpu, const struct a64_insn *in,
                                const union a64_vreg *b, bool negate)
{
    struct a64_fpctx c = exec_fp_begin(cpu);
    enum a64_fpfmt f = format_of(in);
    union a64_vreg r = {.d = {0, 0}};
    for (unsigned i = 0; i < exec_lanes(in, f); i++) {
        uint64_t a = exec_element(&cpu->v[in->n], f, i);
        if (negate)
            a = a64_fp_neg(&c, f, a);
        uint64_t addend = exec_element(&cpu->v[in->d], f, i);
        exec_set_element(&r, f, i, a64_fp_muladd(&c, f, addend, a, exec_element(b, f, i)));
    }
    cpu->v[in->d] = r;
    exec_fp_end(cpu, &c);
    return A64_NEXT;
}

static enum a64_step fused(struct a64_cpu *cpu, const struct a64_insn *in, bool negate)
{
    return fused_with(cpu, in, &cpu->v[in->m], negate);
}

static enum a64_step fused_element(struct a64_cpu *cpu, const struct a64_insn *in, bool negate)
{
    union a64_vreg b = exec_replicated(cpu, in, exec_fp_size(in->p));
    return fused_with(cpu, in, &b, negate);
}

/* FMLAL, FMLSL and their "2" forms (`upper`): half products onto single lanes. */
static enum a64_step fused_half(struct a64_cpu *cpu, const struct a64_insn *in, bool upper,
                                bool negate, const union a64_vreg *b)
{
    struct a64_fpctx c = exec_fp_begin(cpu);
    unsigned lanes = exec_lanes(in, 2), start = upper ? lanes : 0;
    union a64_vreg r = {.d = {0, 0}};
    for (unsigned i = 0; i < lanes; i++) {
        uint64_t a = cpu->v[in->n].h[start + i];
        if (negate)
            a = a64_fp_neg(&c, A64_FP16, a);
        r.s[i] = (uint32_t)a64_fp_muladd_half(&c, cpu->v[in->d].s[i], a, b->h[start + i]);
    }
    cpu->v[in->d] = r;
    exec_fp_end(cpu, &c);
    return A64_NEXT;
}

static enum a64_step fused_half_vector(struct a64_cpu *cpu, const struct a64_insn *in, bool upper,
                                       bool negate)
{
    return fused_half(cpu, in, upper, negate, &cpu->v[in->m]);
}

static enum a64_step fused_half_element(struct a64_cpu *cpu, const struct a64_insn *in, bool upper,
                                        bool negate)
{
    union a64_vreg b = exec_replicated(cpu, in, 1);
    return fused_half(cpu, in, upper, negate, &b);
}

/* --- complex numbers (real part first) ------------------------------------------------------- */

/* FCADD: n plus m turned by 90 (r = 0) or 270 degrees (r = 1). */
A64_EXEC(FCADD_vec)
{
    struct a64_fpctx c = exec_fp_begin(cpu);
    enum a64_fpfmt f = (enum a64_fpfmt)in->z;
    const union a64_vreg *n = &cpu->v[in->n], *m = &cpu->v[in->m];
    union a64_vreg r = {.d = {0, 0}};
    for (unsigned i = 0; i < exec_lanes(in, f); i += 2) {
        uint64_t real = exec_element(m, f, i), imaginary = exec_element(m, f, i + 1);
        if (in->r)
            real = a64_fp_neg(&c, f, real);
        else
            imaginary = a64_fp_neg(&c, f, imaginary);
        exec_set_element(&r, f, i, a64_fp_add(&c, f, exec_element(n, f, i), imaginary));
        exec_set_element(&r, f, i + 1, a64_fp_add(&c, f, exec_element(n, f, i + 1), real));
    }
    cpu->v[in->d] = r;
    exec_fp_end(cpu, &c);
    return A64_NEXT;
}

/* FCMLA: half of a complex product, of n's real (r even) or imaginary part with m turned by r right
 * angles. */
static enum a64_step complex_fused(struct a64_cpu *cpu, const struct a64_insn *in,
                                   const union a64_vreg *m)
{
    struct a64_fpctx c = exec_fp_begin(cpu);
    enum a64_fpfmt f = (enum a64_fpfmt)in->z;
    const union a64_vreg *d = &cpu->v[in->d], *n = &cpu->v[in->n];
    unsigned odd = in->r & 1;
    union a64_vreg r = {.d = {0, 0}};
    for (unsigned i = 0; i < exec_lanes(in, f); i += 2) {
        uint64_t factor = exec_element(n, f, i + odd);
        uint64_t first = exec_element(m, f, i + odd), second = exec_element(m, f, i + !odd);
        if (in->r == 1 || in->r == 2)
            first = a64_fp_neg(&c, f, first);
        if (in->r & 2)
            second = a64_fp_neg(&c, f, second);
        exec_set_element(&r, f, i, a64_fp_muladd(&c, f, exec_element(d, f, i), factor, first));
        exec_set_element(&r, f, i + 1,
                         a64_fp_muladd(&c, f, exec_element(d, f, i + 1), factor, second));
    }
    cpu->v[in->d] = r;
    exec_fp_end(cpu, &c);
    return A64_NEXT;
}

A64_EXEC(FCMLA_vec)
{
    return complex_fused(cpu, in, &cpu->v[in->m]);
}

/* The index counts pairs: H:L of halves, H of singles; m has five bits for both. */
A64_EXEC(FCMLA_elem)
{
    unsigned index = in->z == 1 ? in->H * 2u + in->L : in->H;
    uint64_t pair_bits = exec_element(&cpu->v[in->M * 16u + in->m], in->z + 1u, index);
    union a64_vreg m;
    for (unsigned i = 0; i < 8u >> in->z; i++)
        exec_set_element(&m, in->z + 1u, i, pair_bits);
    return complex_fused(cpu, in, &m);
}

/* --- narrowing and lengthening. p is the narrower type: 0 half, 1 single --------------------- */

static enum a64_step narrow(struct a64_cpu *cpu, const struct a64_insn *in, enum a64_fpfmt to,
                            enum a64_rounding rounding)
{
    struct a64_fpctx c = exec_fp_begin(cpu);
    enum a64_fpfmt from = (enum a64_fpfmt)(to + 1);
    union a64_vreg r = {.d = {0, 0}};
    for (unsigned i = 0; i < (in->e ? 1 : 8u >> to); i++)
        exec_set_element(
            &r, to, i,
            a64_fp_convert(&c, to, from, exec_element(&cpu->v[in->n], from, i), rounding));
    exec_set_half(cpu, in, r.d[0]);
    exec_fp_end(cpu, &c);
    return A64_NEXT;
}

A64_EXEC(FCVTN_vec)
{
    const struct a64_fpctx c = exec_fp_begin(cpu);
    return narrow(cpu, in, (enum a64_fpfmt)(in->p + 1), a64_fp_rounding(&c));
}

A64_EXEC(FCVTXN_vec)
{
    return narrow(cpu, in, A64_FP32, A64_ROUND_ODD);
}

A64_EXEC(FCVTL_vec)
{
    struct a64_fpctx c = exec_fp_begin(cpu);
    enum a64_fpfmt from = (enum a64_fpfmt)(in->p + 1), to = (enum a64_fpfmt)(in->p + 2);
    unsigned lanes = 8u >> from;
    union a64_vreg r;
    for (unsigned i = 0; i < lanes; i++)
        exec_set_element(&r, to, i,
                         a64_fp_convert(&c, to, from,
                                        exec_element(&cpu->v[in->n], from, in->Q * lanes + i),
                                        a64_fp_rounding(&c)));
    cpu->v[in->d] = r;
    exec_fp_end(cpu, &c);
    return A64_NEXT;
}

/* --- rows ------------------------------------------------------------------------------------ */

#define A64_EXEC_FP(name, loop, op)                                                                \
    A64_EXEC(name)                                                                                 \
    {                                                                                              \
        return loop(cpu, in, op);                                                                  \
    }
#define A64_EXEC_HALF(name, loop, upper, negate)                                                   \
    A64_EXEC(name)                                                                                 \
    {                                                                                              \
        return loop(cpu, in, upper, negate);                                                       \
    }
#define A64_EXEC_ROUND(name, rounding, exact)                                                      \
    A64_EXEC(name)                                                                                 \
    {                                                                                              \
        return round_int(cpu, in, rounding, exact);                                                \
    }
#define A64_EXEC_TO_INT(name, is_unsigned, rounding)                                               \
    A64_EXEC(name)                                                                                 \
    {                                                                                              \
        return to_fixed(cpu, in, format_of(in), 0, is_unsigned, rounding);                         \
    }

/* clang-format off */
A64_EXEC_FP(FADD_vec, binary, a64_fp_add)
A64_EXEC_FP(FSUB_vec, binary, a64_fp_sub)
A64_EXEC_FP(FMUL_vec, binary, a64_fp_mul)
A64_EXEC_FP(FMULX_vec, binary, a64_fp_mulx)
A64_EXEC_FP(FDIV_vec, binary, a64_fp_div)
A64_EXEC_FP(FABD_vec, binary, a64_fp_abd)
A64_EXEC_FP(FMAX_vec, binary, a64_fp_max)
A64_EXEC_FP(FMIN_vec, binary, a64_fp_min)
A64_EXEC_FP(FMAXNM_vec, binary, a64_fp_maxnm)
A64_EXEC_FP(FMINNM_vec, binary, a64_fp_minnm)
A64_EXEC_FP(FRECPS_vec, binary, a64_fp_recps)
A64_EXEC_FP(FRSQRTS_vec, binary, a64_fp_rsqrts)
A64_EXEC_FP(FCMEQ_vec, binary, a64_fp_cmeq)
A64_EXEC_FP(FCMGE_vec, binary, a64_fp_cmge)
A64_EXEC_FP(FCMGT_vec, binary, a64_fp_cmgt)
A64_EXEC_FP(FACGE_vec, binary, a64_fp_acge)
A64_EXEC_FP(FACGT_vec, binary, a64_fp_acgt)
A64_EXEC_FP(FCMEQ_zero_vec, with_zero, a64_fp_cmeq)
A64_EXEC_FP(FCMGE_zero_vec, with_zero, a64_fp_cmge)
A64_EXEC_FP(FCMGT_zero_vec, with_zero, a64_fp_cmgt)
A64_EXEC_FP(FCMLE_zero_vec, zero_with, a64_fp_cmge)
A64_EXEC_FP(FCMLT_zero_vec, zero_with, a64_fp_cmgt)
A64_EXEC_FP(FMUL_elem, with_element, a64_fp_mul)
A64_EXEC_FP(FMULX_elem, with_element, a64_fp_mulx)

A64_EXEC_FP(FADDP_vec, pairwise, a64_fp_add)
A64_EXEC_FP(FMAXP_vec, pairwise, a64_fp_max)
A64_EXEC_FP(FMINP_vec, pairwise, a64_fp_min)
A64_EXEC_FP(FMAXNMP_vec, pairwise, a64_fp_maxnm)
A64_EXEC_FP(FMINNMP_vec, pairwise, a64_fp_minnm)
A64_EXEC_FP(FADDP_pair, pair, a64_fp_add)
A64_EXEC_FP(FMAXP_pair, pair, a64_fp_max)
A64_EXEC_FP(FMINP_pair, pair, a64_fp_min)
A64_EXEC_FP(FMAXNMP_pair, pair, a64_fp_maxnm)
A64_EXEC_FP(FMINNMP_pair, pair, a64_fp_minnm)
A64_EXEC_FP(FMAXV, across, a64_fp_max)
A64_EXEC_FP(FMINV, across, a64_fp_min)
A64_EXEC_FP(FMAXNMV, across, a64_fp_maxnm)
A64_EXEC_FP(FMINNMV, across, a64_fp_minnm)

A64_EXEC_FP(FABS_vec, unary, a64_fp_abs)
A64_EXEC_FP(FNEG_vec, unary, a64_fp_neg)
A64_EXEC_FP(FSQRT_vec, unary, a64_fp_sqrt)
A64_EXEC_FP(FRECPE_vec, unary, a64_fp_recpe)
A64_EXEC_FP(FRSQRTE_vec, unary, a64_fp_rsqrte)
A64_EXEC_FP(FRECPX_sc, unary, a64_fp_recpx)

A64_EXEC_FP(FMLA_vec, fused, false)
A64_EXEC_FP(FMLS_vec, fused, true)
A64_EXEC_FP(FMLA_elem, fused_element, false)
A64_EXEC_FP(FMLS_elem, fused_element, true)
A64_EXEC_HALF(FMLAL_vec, fused_half_vector, false, false)
A64_EXEC_HALF(FMLSL_vec, fused_half_vector, false, true)
A64_EXEC_HALF(FMLAL2_vec, fused_half_vector, true, false)
A64_EXEC_HALF(FMLSL2_vec, fused_half_vector, true, true)
A64_EXEC_HALF(FMLAL_elem, fused_half_element, false, false)
A64_EXEC_HALF(FMLSL_elem, fused_half_element, false, true)
A64_EXEC_HALF(FMLAL2_elem, fused_half_element, true, false)
A64_EXEC_HALF(FMLSL2_elem, fused_half_element, true, true)

A64_EXEC_ROUND(FRINTN_vec, A64_ROUND_TIEEVEN, false)
A64_EXEC_ROUND(FRINTP_vec, A64_ROUND_POSINF, false)
A64_EXEC_ROUND(FRINTM_vec, A64_ROUND_NEGINF, false)
A64_EXEC_ROUND(FRINTZ_vec, A64_ROUND_ZERO, false)
A64_EXEC_ROUND(FRINTA_vec, A64_ROUND_TIEAWAY, false)
A64_EXEC_ROUND(FRINTX_vec, EXEC_BY_FPCR, true)
A64_EXEC_ROUND(FRINTI_vec, EXEC_BY_FPCR, false)

A64_EXEC_TO_INT(FCVTNS_vec, false, A64_ROUND_TIEEVEN)
A64_EXEC_TO_INT(FCVTNU_vec, true, A64_ROUND_TIEEVEN)
A64_EXEC_TO_INT(FCVTPS_vec, false, A64_ROUND_POSINF)
A64_EXEC_TO_INT(FCVTPU_vec, true, A64_ROUND_POSINF)
A64_EXEC_TO_INT(FCVTMS_vec, false, A64_ROUND_NEGINF)
A64_EXEC_TO_INT(FCVTMU_vec, true, A64_ROUND_NEGINF)
A64_EXEC_TO_INT(FCVTZS_vec, false, A64_ROUND_ZERO)
A64_EXEC_TO_INT(FCVTZU_vec, true, A64_ROUND_ZERO)
A64_EXEC_TO_INT(FCVTAS_vec, false, A64_ROUND_TIEAWAY)
A64_EXEC_TO_INT(FCVTAU_vec, true, A64_ROUND_TIEAWAY)
/* clang-format on */

A64_EXEC(FCVTZS_fix_vec)
{
    return to_fixed(cpu, in, fixed_format(in), fixed_fraction(in), false, A64_ROUND_ZERO);
}

A64_EXEC(FCVTZU_fix_vec)
{
    return to_fixed(cpu, in, fixed_format(in), fixed_fraction(in), true, A64_ROUND_ZERO);
}

A64_EXEC(SCVTF_vec)
{
    return from_fixed(cpu, in, format_of(in), 0, false);
}

A64_EXEC(UCVTF_vec)
{
    return from_fixed(cpu, in, format_of(in), 0, true);
}

A64_EXEC(SCVTF_fix_vec)
{
    return from_fixed(cpu, in, fixed_format(in), fixed_fraction(in), false);
}

A64_EXEC(UCVTF_fix_vec)
{
    return from_fixed(cpu, in, fixed_format(in), fixed_fraction(in), true);
}

static enum a64_step unsigned_estimate(struct a64_cpu *cpu, const struct a64_insn *in,
                                       uint32_t (*estimate)(uint32_t))
{
    union a64_vreg r = {.d = {0, 0}};
    for (unsigned i = 0; i < exec_lanes(in, 2); i++)
        r.s[i] = estimate(cpu->v[in->n].s[i]);
    cpu->v[in->d] = r;
    return A64_NEXT;
}

A64_EXEC(URECPE_vec)
{
    return unsigned_estimate(cpu, in, a64_unsigned_recpe);
}

A64_EXEC(URSQRTE_vec)
{
    return unsigned_estimate(cpu, in, a64_unsigned_rsqrte);
}
