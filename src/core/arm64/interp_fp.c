/* interp_fp.c: scalar floating-point instructions (DDI 0487 C4.1.90, C7.2).
 *
 * The arithmetic is fp.h's; here operands are fetched and results written. A scalar result clears
 * the rest of its vector register.
 */
#include "core/arm64/exec_simd.h"

static uint64_t scalar(const struct a64_cpu *cpu, const struct a64_insn *in, unsigned r)
{
    return exec_element(&cpu->v[r], exec_fp_size(in->p), 0);
}

static enum a64_step unary(struct a64_cpu *cpu, const struct a64_insn *in, a64_fp_unary *op)
{
    struct a64_fpctx c = exec_fp_begin(cpu);
    unsigned z = exec_fp_size(in->p);
    exec_set_scalar(cpu, in->d, z, op(&c, (enum a64_fpfmt)z, scalar(cpu, in, in->n)));
    exec_fp_end(cpu, &c);
    return A64_NEXT;
}

static enum a64_step binary(struct a64_cpu *cpu, const struct a64_insn *in, a64_fp_binary *op)
{
    struct a64_fpctx c = exec_fp_begin(cpu);
    unsigned z = exec_fp_size(in->p);
    uint64_t result = op(&c, (enum a64_fpfmt)z, scalar(cpu, in, in->n), scalar(cpu, in, in->m));
    exec_set_scalar(cpu, in->d, z, result);
    exec_fp_end(cpu, &c);
    return A64_NEXT;
}

static enum a64_step fused(struct a64_cpu *cpu, const struct a64_insn *in, bool negate_addend,
                           bool negate_product)
{
    struct a64_fpctx c = exec_fp_begin(cpu);
    enum a64_fpfmt f = (enum a64_fpfmt)exec_fp_size(in->p);
    uint64_t addend = scalar(cpu, in, in->a), a = scalar(cpu, in, in->n);
    if (negate_addend)
        addend = a64_fp_neg(&c, f, addend);
    if (negate_product)
        a = a64_fp_neg(&c, f, a);
    exec_set_scalar(cpu, in->d, f, a64_fp_muladd(&c, f, addend, a, scalar(cpu, in, in->m)));
    exec_fp_end(cpu, &c);
    return A64_NEXT;
}

static enum a64_step round_int(struct a64_cpu *cpu, const struct a64_insn *in, int rounding,
                               bool exact)
{
    struct a64_fpctx c = exec_fp_begin(cpu);
    enum a64_fpfmt f = (enum a64_fpfmt)exec_fp_size(in->p);
    exec_set_scalar(
        cpu, in->d, f,
        a64_fp_round_int(&c, f, scalar(cpu, in, in->n), exec_rounding(&c, rounding), exact));
    exec_fp_end(cpu, &c);
    return A64_NEXT;
}

static enum a64_step to_fixed(struct a64_cpu *cpu, const struct a64_insn *in,
                              unsigned fraction_bits, bool is_unsigned, enum a64_rounding rounding)
{
    struct a64_fpctx c = exec_fp_begin(cpu);
    a64_set_x(cpu, in->d,
              a64_fp_to_fixed(&c, (enum a64_fpfmt)exec_fp_size(in->p), scalar(cpu, in, in->n),
                              in->f ? 64 : 32, fraction_bits, is_unsigned, rounding));
    exec_fp_end(cpu, &c);
    return A64_NEXT;
}

static enum a64_step from_fixed(struct a64_cpu *cpu, const struct a64_insn *in,
                                unsigned fraction_bits, bool is_unsigned)
{
    struct a64_fpctx c = exec_fp_begin(cpu);
    enum a64_fpfmt f = (enum a64_fpfmt)exec_fp_size(in->p);
    exec_set_scalar(cpu, in->d, f,
                    a64_fp_from_fixed(&c, f, exec_x(cpu, in, in->n), in->f ? 64 : 32, fraction_bits,
                                      is_unsigned, a64_fp_rounding(&c)));
    exec_fp_end(cpu, &c);
    return A64_NEXT;
}

static enum a64_step compare(struct a64_cpu *cpu, const struct a64_insn *in, uint64_t with,
                             bool signal_nans)
{
    struct a64_fpctx c = exec_fp_begin(cpu);
    a64_nzcv_set(cpu, a64_fp_compare(&c, (enum a64_fpfmt)exec_fp_size(in->p),
                                     scalar(cpu, in, in->n), with, signal_nans));
    exec_fp_end(cpu, &c);
    return A64_NEXT;
}

static enum a64_step compare_if(struct a64_cpu *cpu, const struct a64_insn *in, bool signal_nans)
{
    if (a64_condition_holds(cpu, in->c))
        return compare(cpu, in, scalar(cpu, in, in->m), signal_nans);
    a64_nzcv_set(cpu, (uint32_t)in->k << 28);
    return A64_NEXT;
}

#define A64_EXEC_UNARY(name, op)                                                                   \
    A64_EXEC(name)                                                                                 \
    {                                                                                              \
        return unary(cpu, in, op);                                                                 \
    }
#define A64_EXEC_BINARY(name, op)                                                                  \
    A64_EXEC(name)                                                                                 \
    {                                                                                              \
        return binary(cpu, in, op);                                                                \
    }
#define A64_EXEC_FUSED(name, negate_addend, negate_product)                                        \
    A64_EXEC(name)                                                                                 \
    {                                                                                              \
        return fused(cpu, in, negate_addend, negate_product);                                      \
    }
#define A64_EXEC_ROUND(name, rounding, exact)                                                      \
    A64_EXEC(name)                                                                                 \
    {                                                                                              \
        return round_int(cpu, in, rounding, exact);                                                \
    }
#define A64_EXEC_TO_INT(name, is_unsigned, rounding)                                               \
    A64_EXEC(name)                                                                                 \
    {                                                                                              \
        return to_fixed(cpu, in, 0, is_unsigned, rounding);                                        \
    }

/* clang-format off */
A64_EXEC_UNARY(FABS, a64_fp_abs)
A64_EXEC_UNARY(FNEG, a64_fp_neg)
A64_EXEC_UNARY(FSQRT, a64_fp_sqrt)

A64_EXEC_BINARY(FADD, a64_fp_add)
A64_EXEC_BINARY(FSUB, a64_fp_sub)
A64_EXEC_BINARY(FMUL, a64_fp_mul)
A64_EXEC_BINARY(FNMUL, a64_fp_nmul)
A64_EXEC_BINARY(FDIV, a64_fp_div)
A64_EXEC_BINARY(FMAX, a64_fp_max)
A64_EXEC_BINARY(FMIN, a64_fp_min)
A64_EXEC_BINARY(FMAXNM, a64_fp_maxnm)
A64_EXEC_BINARY(FMINNM, a64_fp_minnm)

A64_EXEC_FUSED(FMADD, false, false)
A64_EXEC_FUSED(FMSUB, false, true)
A64_EXEC_FUSED(FNMADD, true, true)
A64_EXEC_FUSED(FNMSUB, true, false)

A64_EXEC_ROUND(FRINTN, A64_ROUND_TIEEVEN, false)
A64_EXEC_ROUND(FRINTP, A64_ROUND_POSINF, false)
A64_EXEC_ROUND(FRINTM, A64_ROUND_NEGINF, false)
A64_EXEC_ROUND(FRINTZ, A64_ROUND_ZERO, false)
A64_EXEC_ROUND(FRINTA, A64_ROUND_TIEAWAY, false)
A64_EXEC_ROUND(FRINTX, EXEC_BY_FPCR, true)
A64_EXEC_ROUND(FRINTI, EXEC_BY_FPCR, false)

A64_EXEC_TO_INT(FCVTNS, false, A64_ROUND_TIEEVEN)
A64_EXEC_TO_INT(FCVTNU, true, A64_ROUND_TIEEVEN)
A64_EXEC_TO_INT(FCVTPS, false, A64_ROUND_POSINF)
A64_EXEC_TO_INT(FCVTPU, true, A64_ROUND_POSINF)
A64_EXEC_TO_INT(FCVTMS, false, A64_ROUND_NEGINF)
A64_EXEC_TO_INT(FCVTMU, true, A64_ROUND_NEGINF)
A64_EXEC_TO_INT(FCVTZS, false, A64_ROUND_ZERO)
A64_EXEC_TO_INT(FCVTZU, true, A64_ROUND_ZERO)
A64_EXEC_TO_INT(FCVTAS, false, A64_ROUND_TIEAWAY)
A64_EXEC_TO_INT(FCVTAU, true, A64_ROUND_TIEAWAY)
/* clang-format on */

A64_EXEC(FCVTZS_fix)
{
    return to_fixed(cpu, in, 64u - in->h, false, A64_ROUND_ZERO);
}

A64_EXEC(FCVTZU_fix)
{
    return to_fixed(cpu, in, 64u - in->h, true, A64_ROUND_ZERO);
}

A64_EXEC(SCVTF)
{
    return from_fixed(cpu, in, 0, false);
}

A64_EXEC(UCVTF)
{
    return from_fixed(cpu, in, 0, true);
}

A64_EXEC(SCVTF_fix)
{
    return from_fixed(cpu, in, 64u - in->h, false);
}

A64_EXEC(UCVTF_fix)
{
    return from_fixed(cpu, in, 64u - in->h, true);
}

A64_EXEC(FJCVTZS)
{
    struct a64_fpctx c = exec_fp_begin(cpu);
    bool zero_flag;
    a64_set_x(cpu, in->d, a64_fp_to_int_js(&c, cpu->v[in->n].d[0], &zero_flag));
    a64_nzcv_set(cpu, zero_flag ? 1u << 30 : 0);
    exec_fp_end(cpu, &c);
    return A64_NEXT;
}

A64_EXEC(FCVT)
{
    struct a64_fpctx c = exec_fp_begin(cpu);
    enum a64_fpfmt to = (enum a64_fpfmt)exec_fp_size(in->o);
    uint64_t result = a64_fp_convert(&c, to, (enum a64_fpfmt)exec_fp_size(in->p),
                                     scalar(cpu, in, in->n), a64_fp_rounding(&c));
    exec_set_scalar(cpu, in->d, to, result);
    exec_fp_end(cpu, &c);
    return A64_NEXT;
}

A64_EXEC(FCMP)
{
    return compare(cpu, in, scalar(cpu, in, in->m), false);
}

A64_EXEC(FCMPE)
{
    return compare(cpu, in, scalar(cpu, in, in->m), true);
}

A64_EXEC(FCMP_zero)
{
    return compare(cpu, in, 0, false);
}

A64_EXEC(FCMPE_zero)
{
    return compare(cpu, in, 0, true);
}

A64_EXEC(FCCMP)
{
    return compare_if(cpu, in, false);
}

A64_EXEC(FCCMPE)
{
    return compare_if(cpu, in, true);
}

A64_EXEC(FCSEL)
{
    unsigned chosen = a64_condition_holds(cpu, in->c) ? in->n : in->m;
    exec_set_scalar(cpu, in->d, exec_fp_size(in->p), scalar(cpu, in, chosen));
    return A64_NEXT;
}

A64_EXEC(FMOV)
{
    exec_set_scalar(cpu, in->d, exec_fp_size(in->p), scalar(cpu, in, in->n));
    return A64_NEXT;
}

A64_EXEC(FMOV_imm)
{
    unsigned z = exec_fp_size(in->p);
    exec_set_scalar(cpu, in->d, z, a64_fp_expand_imm((enum a64_fpfmt)z, in->i));
    return A64_NEXT;
}

A64_EXEC(FMOV_to_gp)
{
    a64_set_x(cpu, in->d, scalar(cpu, in, in->n));
    return A64_NEXT;
}

A64_EXEC(FMOV_from_gp)
{
    exec_set_scalar(cpu, in->d, exec_fp_size(in->p), a64_x(cpu, in->n));
    return A64_NEXT;
}

A64_EXEC(FMOV_to_gp_top)
{
    a64_set_x(cpu, in->d, cpu->v[in->n].d[1]);
    return A64_NEXT;
}

A64_EXEC(FMOV_from_gp_top)
{
    cpu->v[in->d].d[1] = a64_x(cpu, in->n);
    return A64_NEXT;
}
