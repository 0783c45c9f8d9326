/* exec_int.h: what the bodies of the interpreter's instructions are written with. Private to this
 * folder.
 *
 * A body is one function a table line (or several, by =FUNCTION):
 *
 *     A64_EXEC(ADC)
 *     {
 *         ...
 *         return A64_NEXT;
 *     }
 *
 * Rules: an instruction that takes an exception leaves every register as it was, so load everything
 * before writing anything; probe a store in several parts first. A macro that defines bodies has a
 * name that starts with A64_EXEC, so that a search for an instruction finds them. FP and vector
 * bodies need not check CPACR_EL1: the loop has.
 */
#ifndef PENG_CORE_ARM64_EXEC_INT_H
#define PENG_CORE_ARM64_EXEC_INT_H

#include "base/bytes.h"
#include "core/arm64/interpreter.h"
#include "core/arm64/mmu.h"

#define A64_EXEC(name) enum a64_step a64_exec_##name(struct a64_cpu *cpu, const struct a64_insn *in)

A64_EXEC(undefined); /* no line of the table matches: counted and logged */
#include "core/arm64/exec_list.h"

/* --- general registers ----------------------------------------------------------------------- */

/* A source or result of 64 (f) or 32 bits; 31 is the zero register. */
static inline uint64_t exec_x(const struct a64_cpu *cpu, const struct a64_insn *in, unsigned r)
{
    uint64_t v = a64_x(cpu, r);
    return in->f ? v : (uint32_t)v;
}

static inline void exec_set_x(struct a64_cpu *cpu, const struct a64_insn *in, unsigned r,
                              uint64_t v)
{
    a64_set_x(cpu, r, in->f ? v : (uint32_t)v);
}

/* The same where 31 is the stack pointer. */
static inline uint64_t exec_x_sp(const struct a64_cpu *cpu, const struct a64_insn *in, unsigned r)
{
    return in->f ? cpu->x[r] : (uint32_t)cpu->x[r];
}

static inline void exec_set_x_sp(struct a64_cpu *cpu, const struct a64_insn *in, unsigned r,
                                 uint64_t v)
{
    cpu->x[r] = in->f ? v : (uint32_t)v;
}

/* The operand size. */
static inline unsigned exec_bits(const struct a64_insn *in)
{
    return in->f ? 64 : 32;
}

/* ShiftReg(): value shifted by 0 <= amount < size, in way t of the table. */
static inline uint64_t exec_shift(const struct a64_insn *in, uint64_t value, unsigned way,
                                  unsigned amount)
{
    unsigned size = exec_bits(in);
    switch (way) {
    case 0:
        return value << amount;
    case 1:
        return value >> amount;
    case 2:
        return (uint64_t)(sign_extend(value, size) >> amount);
    default:
        return amount ? value >> amount | value << (size - amount) : value;
    }
}

/* ExtendReg(): value cut to the option's width (0 to 3 unsigned, 4 to 7 signed bytes to
 * doublewords), extended, and shifted left. */
uint64_t a64_extend(uint64_t value, unsigned option, unsigned amount);

/* --- memory ---------------------------------------------------------------------------------- */

/* The base address; false where the stack pointer is the base and misaligned (exception taken). */
static inline bool exec_base(struct a64_cpu *cpu, const struct a64_insn *in, uint64_t *ret_va)
{
    if (in->n == A64_SP && !a64_sp_aligned(cpu))
        return false;
    *ret_va = cpu->x[in->n];
    return true;
}

/* --- vector registers ------------------------------------------------------------------------ */

/* Writes V[r]; without Q the upper half becomes zero, as every write of 64 bits or fewer does. */
static inline void exec_set_v(struct a64_cpu *cpu, unsigned r, union a64_vreg v, bool q)
{
    if (!q)
        v.d[1] = 0;
    cpu->v[r] = v;
}

/* Writes a scalar of 1 << z bytes, zero-extended to the register. */
static inline void exec_set_scalar(struct a64_cpu *cpu, unsigned r, unsigned z, uint64_t value)
{
    cpu->v[r] = (union a64_vreg){.d = {bits(value, 0, 8u << z), 0}};
}

/* Element `index` of 1 << z bytes. */
static inline uint64_t exec_element(const union a64_vreg *v, unsigned z, unsigned index)
{
    switch (z) {
    case 0:
        return v->b[index & 15];
    case 1:
        return v->h[index & 7];
    case 2:
        return v->s[index & 3];
    default:
        return v->d[index & 1];
    }
}

static inline void exec_set_element(union a64_vreg *v, unsigned z, unsigned index, uint64_t value)
{
    switch (z) {
    case 0:
        v->b[index & 15] = (uint8_t)value;
        break;
    case 1:
        v->h[index & 7] = (uint16_t)value;
        break;
    case 2:
        v->s[index & 3] = (uint32_t)value;
        break;
    default:
        v->d[index & 1] = value;
        break;
    }
}

/* How many elements of 1 << z bytes the instruction works on: by Q, or one in scalar form (e). */
static inline unsigned exec_lanes(const struct a64_insn *in, unsigned z)
{
    return in->e ? 1 : (in->Q ? 16u : 8u) >> z;
}

/* log2 of the bytes of floating-point type p. */
static inline unsigned exec_fp_size(unsigned p)
{
    return p == 3 ? 1 : p + 2;
}

#endif
