/* interp_mem.c: loads and stores of one register and of pairs, general and vector (DDI 0487
 * C4.1.88).
 *
 * Every form computes an address and an optional new base, then goes through one of four transfer
 * functions. Memory comes first, registers last, so that a fault leaves all registers as they were;
 * a store pair is probed whole before its first half is written. Where a load writes its base too,
 * the manual leaves the outcome open; here the new base wins, as in its pseudocode.
 */
#include "core/arm64/exec_int.h"

/* Where an access goes and what the base register becomes. */
struct address {
    uint64_t va;
    uint64_t base_after;
    bool write_back;
};

enum index_mode { OFFSET, POST, PRE };

static bool address_by(struct a64_cpu *cpu, const struct a64_insn *in, enum index_mode mode,
                       int64_t offset, struct address *ret)
{
    uint64_t base;
    if (!exec_base(cpu, in, &base))
        return false;
    ret->va = mode == POST ? base : base + (uint64_t)offset;
    ret->base_after = base + (uint64_t)offset;
    ret->write_back = mode != OFFSET;
    return true;
}

static void finish(struct a64_cpu *cpu, const struct a64_insn *in, const struct address *at)
{
    if (at->write_back)
        cpu->x[in->n] = at->base_after;
}

static enum a64_step store(struct a64_cpu *cpu, const struct a64_insn *in, const struct address *at,
                           unsigned flags)
{
    uint64_t v = a64_x(cpu, in->d);
    if (!a64_store(cpu, at->va, 1u << in->z, flags, &v))
        return A64_BRANCHED;
    finish(cpu, in, at);
    return A64_NEXT;
}

static enum a64_step load(struct a64_cpu *cpu, const struct a64_insn *in, const struct address *at,
                          unsigned flags)
{
    uint64_t v = 0;
    if (!a64_load(cpu, at->va, 1u << in->z, flags, &v))
        return A64_BRANCHED;
    a64_set_x(cpu, in->d, v);
    finish(cpu, in, at);
    return A64_NEXT;
}

static enum a64_step load_signed(struct a64_cpu *cpu, const struct a64_insn *in,
                                 const struct address *at, unsigned flags)
{
    uint64_t v = 0;
    if (!a64_load(cpu, at->va, 1u << in->z, flags, &v))
        return A64_BRANCHED;
    v = (uint64_t)sign_extend(v, 8u << in->z);
    a64_set_x(cpu, in->d, in->W ? (uint32_t)v : v);
    finish(cpu, in, at);
    return A64_NEXT;
}

static enum a64_step store_v(struct a64_cpu *cpu, const struct a64_insn *in,
                             const struct address *at, unsigned flags)
{
    if (!a64_store(cpu, at->va, 1u << in->z, flags, &cpu->v[in->d]))
        return A64_BRANCHED;
    finish(cpu, in, at);
    return A64_NEXT;
}

static enum a64_step load_v(struct a64_cpu *cpu, const struct a64_insn *in,
                            const struct address *at, unsigned flags)
{
    union a64_vreg v = {.d = {0, 0}};
    if (!a64_load(cpu, at->va, 1u << in->z, flags, &v))
        return A64_BRANCHED;
    cpu->v[in->d] = v;
    finish(cpu, in, at);
    return A64_NEXT;
}

/* --- one register ---------------------------------------------------------------------------- */

#define A64_EXEC_ACCESS(name, transfer, mode, offset, flags)                                       \
    A64_EXEC(name)                                                                                 \
    {                                                                                              \
        struct address at;                                                                         \
        if (!address_by(cpu, in, mode, offset, &at))                                               \
            return A64_BRANCHED;                                                                   \
        return transfer(cpu, in, &at, flags);                                                      \
    }

#define SCALED12 ((int64_t)((uint64_t)in->i << in->z))
#define SIGNED9  sign_extend(in->i, 9)
#define REGISTER ((int64_t)a64_extend(a64_x(cpu, in->m), in->o, in->S ? in->z : 0))

A64_EXEC_ACCESS(STR_uimm, store, OFFSET, SCALED12, 0)
A64_EXEC_ACCESS(LDR_uimm, load, OFFSET, SCALED12, 0)
A64_EXEC_ACCESS(LDRS_uimm, load_signed, OFFSET, SCALED12, 0)
A64_EXEC_ACCESS(STR_v_uimm, store_v, OFFSET, SCALED12, 0)
A64_EXEC_ACCESS(LDR_v_uimm, load_v, OFFSET, SCALED12, 0)
A64_EXEC_ACCESS(STUR, store, OFFSET, SIGNED9, 0)
A64_EXEC_ACCESS(LDUR, load, OFFSET, SIGNED9, 0)
A64_EXEC_ACCESS(LDURS, load_signed, OFFSET, SIGNED9, 0)
A64_EXEC_ACCESS(STUR_v, store_v, OFFSET, SIGNED9, 0)
A64_EXEC_ACCESS(LDUR_v, load_v, OFFSET, SIGNED9, 0)
A64_EXEC_ACCESS(STTR, store, OFFSET, SIGNED9, A64_MEM_UNPRIV)
A64_EXEC_ACCESS(LDTR, load, OFFSET, SIGNED9, A64_MEM_UNPRIV)
A64_EXEC_ACCESS(LDTRS, load_signed, OFFSET, SIGNED9, A64_MEM_UNPRIV)
A64_EXEC_ACCESS(STR_post, store, POST, SIGNED9, 0)
A64_EXEC_ACCESS(LDR_post, load, POST, SIGNED9, 0)
A64_EXEC_ACCESS(LDRS_post, load_signed, POST, SIGNED9, 0)
A64_EXEC_ACCESS(STR_v_post, store_v, POST, SIGNED9, 0)
A64_EXEC_ACCESS(LDR_v_post, load_v, POST, SIGNED9, 0)
A64_EXEC_ACCESS(STR_pre, store, PRE, SIGNED9, 0)
A64_EXEC_ACCESS(LDR_pre, load, PRE, SIGNED9, 0)
A64_EXEC_ACCESS(LDRS_pre, load_signed, PRE, SIGNED9, 0)
A64_EXEC_ACCESS(STR_v_pre, store_v, PRE, SIGNED9, 0)
A64_EXEC_ACCESS(LDR_v_pre, load_v, PRE, SIGNED9, 0)
A64_EXEC_ACCESS(STR_reg, store, OFFSET, REGISTER, 0)
A64_EXEC_ACCESS(LDR_reg, load, OFFSET, REGISTER, 0)
A64_EXEC_ACCESS(LDRS_reg, load_signed, OFFSET, REGISTER, 0)
A64_EXEC_ACCESS(STR_v_reg, store_v, OFFSET, REGISTER, 0)
A64_EXEC_ACCESS(LDR_v_reg, load_v, OFFSET, REGISTER, 0)

A64_EXEC(PRFM)
{
    return A64_NEXT;
}

/* --- literals -------------------------------------------------------------------------------- */

static bool load_literal(struct a64_cpu *cpu, const struct a64_insn *in, unsigned size_bytes,
                         void *out)
{
    uint64_t va = cpu->pc + ((uint64_t)sign_extend(in->i, 19) << 2);
    return a64_load(cpu, va, size_bytes, 0, out);
}

A64_EXEC(LDR_lit)
{
    uint64_t v = 0;
    if (!load_literal(cpu, in, in->f ? 8 : 4, &v))
        return A64_BRANCHED;
    a64_set_x(cpu, in->d, v);
    return A64_NEXT;
}

A64_EXEC(LDRSW_lit)
{
    int32_t v;
    if (!load_literal(cpu, in, 4, &v))
        return A64_BRANCHED;
    a64_set_x(cpu, in->d, (uint64_t)(int64_t)v);
    return A64_NEXT;
}

A64_EXEC(LDR_v_lit)
{
    union a64_vreg v = {.d = {0, 0}};
    if (!load_literal(cpu, in, 4u << in->z, &v))
        return A64_BRANCHED;
    cpu->v[in->d] = v;
    return A64_NEXT;
}

/* --- pairs: two accesses, each atomic by itself ---------------------------------------------- */

static enum a64_step store_two(struct a64_cpu *cpu, const struct a64_insn *in,
                               const struct address *at, unsigned size, const void *first,
                               const void *second)
{
    if (!a64_probe_store(cpu, at->va, size, 0) || !a64_probe_store(cpu, at->va + size, size, 0) ||
        !a64_store(cpu, at->va, size, 0, first) || !a64_store(cpu, at->va + size, size, 0, second))
        return A64_BRANCHED;
    finish(cpu, in, at);
    return A64_NEXT;
}

static enum a64_step store_pair(struct a64_cpu *cpu, const struct a64_insn *in,
                                const struct address *at, unsigned size)
{
    uint64_t first = a64_x(cpu, in->d), second = a64_x(cpu, in->a);
    return store_two(cpu, in, at, size, &first, &second);
}

static enum a64_step store_pair_v(struct a64_cpu *cpu, const struct a64_insn *in,
                                  const struct address *at, unsigned size)
{
    return store_two(cpu, in, at, size, &cpu->v[in->d], &cpu->v[in->a]);
}

static enum a64_step load_pair(struct a64_cpu *cpu, const struct a64_insn *in,
                               const struct address *at, unsigned size)
{
    uint64_t first = 0, second = 0;
    if (!a64_load(cpu, at->va, size, 0, &first) || !a64_load(cpu, at->va + size, size, 0, &second))
        return A64_BRANCHED;
    a64_set_x(cpu, in->d, first);
    a64_set_x(cpu, in->a, second);
    finish(cpu, in, at);
    return A64_NEXT;
}

/* LDPSW: two words, sign-extended. */
static enum a64_step load_pair_signed(struct a64_cpu *cpu, const struct a64_insn *in,
                                      const struct address *at, unsigned size)
{
    int32_t first, second;
    if (!a64_load(cpu, at->va, size, 0, &first) || !a64_load(cpu, at->va + size, size, 0, &second))
        return A64_BRANCHED;
    a64_set_x(cpu, in->d, (uint64_t)(int64_t)first);
    a64_set_x(cpu, in->a, (uint64_t)(int64_t)second);
    finish(cpu, in, at);
    return A64_NEXT;
}

static enum a64_step load_pair_v(struct a64_cpu *cpu, const struct a64_insn *in,
                                 const struct address *at, unsigned size)
{
    union a64_vreg first = {.d = {0, 0}}, second = first;
    if (!a64_load(cpu, at->va, size, 0, &first) || !a64_load(cpu, at->va + size, size, 0, &second))
        return A64_BRANCHED;
    cpu->v[in->d] = first;
    cpu->v[in->a] = second;
    finish(cpu, in, at);
    return A64_NEXT;
}

#define A64_EXEC_PAIR(name, transfer, mode, size)                                                  \
    A64_EXEC(name)                                                                                 \
    {                                                                                              \
        struct address at;                                                                         \
        if (!address_by(cpu, in, mode, sign_extend(in->i, 7) * (int64_t)(size), &at))              \
            return A64_BRANCHED;                                                                   \
        return transfer(cpu, in, &at, size);                                                       \
    }

#define GENERAL (in->f ? 8u : 4u)
#define VECTOR  (4u << in->z)

A64_EXEC_PAIR(STNP, store_pair, OFFSET, GENERAL)
A64_EXEC_PAIR(LDNP, load_pair, OFFSET, GENERAL)
A64_EXEC_PAIR(STNP_v, store_pair_v, OFFSET, VECTOR)
A64_EXEC_PAIR(LDNP_v, load_pair_v, OFFSET, VECTOR)
A64_EXEC_PAIR(STP_off, store_pair, OFFSET, GENERAL)
A64_EXEC_PAIR(LDP_off, load_pair, OFFSET, GENERAL)
A64_EXEC_PAIR(LDPSW_off, load_pair_signed, OFFSET, 4u)
A64_EXEC_PAIR(STP_v_off, store_pair_v, OFFSET, VECTOR)
A64_EXEC_PAIR(LDP_v_off, load_pair_v, OFFSET, VECTOR)
A64_EXEC_PAIR(STP_post, store_pair, POST, GENERAL)
A64_EXEC_PAIR(LDP_post, load_pair, POST, GENERAL)
A64_EXEC_PAIR(LDPSW_post, load_pair_signed, POST, 4u)
A64_EXEC_PAIR(STP_v_post, store_pair_v, POST, VECTOR)
A64_EXEC_PAIR(LDP_v_post, load_pair_v, POST, VECTOR)
A64_EXEC_PAIR(STP_pre, store_pair, PRE, GENERAL)
A64_EXEC_PAIR(LDP_pre, load_pair, PRE, GENERAL)
A64_EXEC_PAIR(LDPSW_pre, load_pair_signed, PRE, 4u)
A64_EXEC_PAIR(STP_v_pre, store_pair_v, PRE, VECTOR)
A64_EXEC_PAIR(LDP_v_pre, load_pair_v, PRE, VECTOR)
