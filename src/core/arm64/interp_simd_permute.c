/* interp_simd_permute.c: vector instructions that move bits without arithmetic: bitwise logic,
 * modified immediates, copies, permutations, table look-up (DDI 0487 C4.1.90, C7.2).
 */
#include "core/arm64/exec_simd.h"

/* --- bitwise --------------------------------------------------------------------------------- */

#define A64_EXEC_BITWISE(name, expression)                                                         \
    A64_EXEC(name)                                                                                 \
    {                                                                                              \
        const __uint128_t d = cpu->v[in->d].q, n = cpu->v[in->n].q, m = cpu->v[in->m].q;           \
        (void)d;                                                                                   \
        exec_set_v(cpu, in->d, (union a64_vreg){.q = (expression)}, in->Q);                        \
        return A64_NEXT;                                                                           \
    }

/* clang-format off */
A64_EXEC_BITWISE(AND_vec, n & m)
A64_EXEC_BITWISE(BIC_vec, n & ~m)
A64_EXEC_BITWISE(ORR_vec, n | m)
A64_EXEC_BITWISE(ORN_vec, n | ~m)
A64_EXEC_BITWISE(EOR_vec, n ^ m)
A64_EXEC_BITWISE(BSL_vec, (n & d) | (m & ~d))
A64_EXEC_BITWISE(BIT_vec, (n & m) | (d & ~m))
A64_EXEC_BITWISE(BIF_vec, (n & ~m) | (d & m))
/* clang-format on */

/* --- modified immediates --------------------------------------------------------------------- */

/* AdvSIMDExpandImm for all but the 64-bit byte mask and floating point. */
static uint64_t expand_immediate(const struct a64_insn *in)
{
    const uint64_t words = 0x0000000100000001ull, halves = 0x0001000100010001ull,
                   bytes = 0x0101010101010101ull;
    unsigned c = in->C;
    if (c < 8)
        return ((uint64_t)in->i << (c / 2 * 8)) * words;
    if (c < 12)
        return ((uint64_t)in->i << (c / 2 % 2 * 8)) * halves;
    if (c == 12) /* shifted ones */
        return ((uint64_t)in->i << 8 | 0xff) * words;
    if (c == 13)
        return ((uint64_t)in->i << 16 | 0xffff) * words;
    return in->i * bytes;
}

uint64_t a64_vector_immediate(const struct a64_insn *in)
{
    unsigned z = exec_fp_size(in->p);
    uint64_t imm;
    switch (in->op) {
    case A64_OP_MVNI:
        return ~expand_immediate(in);
    case A64_OP_MOVI_d: /* each bit of the immediate becomes a byte */
        imm = 0;
        for (unsigned i = 0; i < 8; i++)
            if (in->i >> i & 1)
                imm |= 0xffull << (8 * i);
        return imm;
    case A64_OP_FMOV_vimm:
        imm = a64_fp_expand_imm((enum a64_fpfmt)z, in->i);
        for (unsigned bits = 8u << z; bits < 64; bits *= 2)
            imm |= imm << bits;
        return imm;
    default:
        return expand_immediate(in);
    }
}

static enum a64_step set_immediate(struct a64_cpu *cpu, const struct a64_insn *in, uint64_t low,
                                   uint64_t high)
{
    exec_set_v(cpu, in->d, (union a64_vreg){.d = {low, high}}, in->Q);
    return A64_NEXT;
}

static enum a64_step move_immediate(struct a64_cpu *cpu, const struct a64_insn *in)
{
    uint64_t imm = a64_vector_immediate(in);
    return set_immediate(cpu, in, imm, imm);
}

A64_EXEC(MOVI)
{
    return move_immediate(cpu, in);
}

A64_EXEC(MVNI)
{
    return move_immediate(cpu, in);
}

A64_EXEC(MOVI_d)
{
    return move_immediate(cpu, in);
}

A64_EXEC(FMOV_vimm)
{
    return move_immediate(cpu, in);
}

A64_EXEC(ORR_vimm)
{
    uint64_t imm = a64_vector_immediate(in);
    return set_immediate(cpu, in, cpu->v[in->d].d[0] | imm, cpu->v[in->d].d[1] | imm);
}

A64_EXEC(BIC_vimm)
{
    uint64_t imm = a64_vector_immediate(in);
    return set_immediate(cpu, in, cpu->v[in->d].d[0] & ~imm, cpu->v[in->d].d[1] & ~imm);
}

/* --- copies. imm5 holds the element's size as its lowest set bit, the index above it --------- */

static unsigned copy_size(const struct a64_insn *in)
{
    return (unsigned)__builtin_ctz(in->i);
}

static unsigned copy_index(const struct a64_insn *in)
{
    return in->i >> (copy_size(in) + 1);
}

static enum a64_step duplicate(struct a64_cpu *cpu, const struct a64_insn *in, uint64_t value)
{
    unsigned z = copy_size(in);
    union a64_vreg r = {.d = {0, 0}};
    for (unsigned i = 0; i < exec_lanes(in, z); i++)
        exec_set_element(&r, z, i, value);
    cpu->v[in->d] = r;
    return A64_NEXT;
}

A64_EXEC(DUP_elem)
{
    return duplicate(cpu, in, exec_element(&cpu->v[in->n], copy_size(in), copy_index(in)));
}

A64_EXEC(DUP_gp)
{
    return duplicate(cpu, in, a64_x(cpu, in->n));
}

A64_EXEC(SMOV)
{
    unsigned z = copy_size(in);
    int64_t value = sign_extend(exec_element(&cpu->v[in->n], z, copy_index(in)), 8u << z);
    a64_set_x(cpu, in->d, in->Q ? (uint64_t)value : (uint32_t)value);
    return A64_NEXT;
}

A64_EXEC(UMOV)
{
    a64_set_x(cpu, in->d, exec_element(&cpu->v[in->n], copy_size(in), copy_index(in)));
    return A64_NEXT;
}

A64_EXEC(INS_gp)
{
    exec_set_element(&cpu->v[in->d], copy_size(in), copy_index(in), a64_x(cpu, in->n));
    return A64_NEXT;
}

A64_EXEC(INS_elem)
{
    unsigned z = copy_size(in);
    exec_set_element(&cpu->v[in->d], z, copy_index(in),
                     exec_element(&cpu->v[in->n], z, (unsigned)in->j >> z));
    return A64_NEXT;
}

/* --- permutations ---------------------------------------------------------------------------- */

/* 8 or 16 bytes out of m:n, from byte `i` of n on. */
A64_EXEC(EXT)
{
    unsigned size = in->Q ? 16 : 8;
    union a64_vreg r = {.d = {0, 0}};
    for (unsigned i = 0; i < size; i++) {
        unsigned from = i + in->i;
        r.b[i] = from < size ? cpu->v[in->n].b[from] : cpu->v[in->m].b[from - size];
    }
    cpu->v[in->d] = r;
    return A64_NEXT;
}

/* Bytes of m choose bytes of l + 1 registers from n on; past them d's byte (TBX) or zero. */
static enum a64_step table(struct a64_cpu *cpu, const struct a64_insn *in, bool keep)
{
    union a64_vreg r = keep ? cpu->v[in->d] : (union a64_vreg){.d = {0, 0}};
    for (unsigned i = 0; i < exec_lanes(in, 0); i++) {
        unsigned at = cpu->v[in->m].b[i];
        if (at / 16 <= in->l)
            r.b[i] = cpu->v[(in->n + at / 16) % 32].b[at % 16];
    }
    exec_set_v(cpu, in->d, r, in->Q);
    return A64_NEXT;
}

A64_EXEC(TBL)
{
    return table(cpu, in, false);
}

A64_EXEC(TBX)
{
    return table(cpu, in, true);
}

/* Element i of the result is element choose(i) + second of m:n. */
static enum a64_step permute(struct a64_cpu *cpu, const struct a64_insn *in,
                             unsigned (*choose)(unsigned i, unsigned lanes), unsigned second)
{
    unsigned lanes = exec_lanes(in, in->z);
    union a64_vreg r = {.d = {0, 0}};
    for (unsigned i = 0; i < lanes; i++) {
        unsigned from = choose(i, lanes) + second;
        const union a64_vreg *v = &cpu->v[from < lanes ? in->n : in->m];
        exec_set_element(&r, in->z, i, exec_element(v, in->z, from % lanes));
    }
    cpu->v[in->d] = r;
    return A64_NEXT;
}

static unsigned unzip(unsigned i, unsigned lanes)
{
    return 2 * i;
}

static unsigned transpose(unsigned i, unsigned lanes)
{
    return i % 2 ? lanes + i - 1 : i;
}

static unsigned zip(unsigned i, unsigned lanes)
{
    return i % 2 * lanes + i / 2;
}

A64_EXEC(UZP1)
{
    return permute(cpu, in, unzip, 0);
}

A64_EXEC(UZP2)
{
    return permute(cpu, in, unzip, 1);
}

A64_EXEC(TRN1)
{
    return permute(cpu, in, transpose, 0);
}

A64_EXEC(TRN2)
{
    return permute(cpu, in, transpose, 1);
}

A64_EXEC(ZIP1)
{
    return permute(cpu, in, zip, 0);
}

A64_EXEC(ZIP2)
{
    return permute(cpu, in, zip, exec_lanes(in, in->z) / 2);
}

/* Elements of 1 << z bytes in reverse order inside each group of 1 << group_z bytes. */
static enum a64_step reverse(struct a64_cpu *cpu, const struct a64_insn *in, unsigned group_z)
{
    unsigned flip = (1u << (group_z - in->z)) - 1;
    union a64_vreg r = {.d = {0, 0}};
    for (unsigned i = 0; i < exec_lanes(in, in->z); i++)
        exec_set_element(&r, in->z, i, exec_element(&cpu->v[in->n], in->z, i ^ flip));
    cpu->v[in->d] = r;
    return A64_NEXT;
}

A64_EXEC(REV64_vec)
{
    return reverse(cpu, in, 3);
}

A64_EXEC(REV32_vec)
{
    return reverse(cpu, in, 2);
}

A64_EXEC(REV16_vec)
{
    return reverse(cpu, in, 1);
}
