/* interp_alu.c: integer addition, logic and conditional operations (DDI 0487 C4.1.86 and C4.1.89).
 *
 * Each body follows the manual's pseudocode: operands are read by exec_x (register 31 is zero) or
 * exec_x_sp (31 is the stack pointer), computed in 64 bits, and written back cut to the operand
 * size.
 */
#include "core/arm64/exec_int.h"

/* --- addition -------------------------------------------------------------------------------- */

/* AddWithCarry(): the sum, and N, Z, C and V as bits 31 to 28 of *ret_nzcv. */
static uint64_t add_with_carry(bool wide, uint64_t x, uint64_t y, bool carry, uint32_t *ret_nzcv)
{
    uint64_t sum = x + y + carry;
    bool c, v;
    if (wide) {
        c = carry ? sum <= x : sum < x;
        v = (~(x ^ y) & (x ^ sum)) >> 63;
    } else {
        uint64_t exact = (uint64_t)(uint32_t)x + (uint32_t)y + carry;
        sum = (uint32_t)exact;
        c = exact >> 32;
        v = (~(x ^ y) & (x ^ exact)) >> 31 & 1;
    }
    bool n = sum >> (wide ? 63 : 31);
    *ret_nzcv =
        (uint32_t)n << 31 | (uint32_t)(sum == 0) << 30 | (uint32_t)c << 29 | (uint32_t)v << 28;
    return sum;
}

static uint64_t add(struct a64_cpu *cpu, const struct a64_insn *in, uint64_t x, uint64_t y)
{
    return x + y;
}

static uint64_t sub(struct a64_cpu *cpu, const struct a64_insn *in, uint64_t x, uint64_t y)
{
    return x - y;
}

static uint64_t adds(struct a64_cpu *cpu, const struct a64_insn *in, uint64_t x, uint64_t y)
{
    uint32_t nzcv;
    uint64_t sum = add_with_carry(in->f, x, y, false, &nzcv);
    a64_nzcv_set(cpu, nzcv);
    return sum;
}

static uint64_t subs(struct a64_cpu *cpu, const struct a64_insn *in, uint64_t x, uint64_t y)
{
    uint32_t nzcv;
    uint64_t sum = add_with_carry(in->f, x, ~y, true, &nzcv);
    a64_nzcv_set(cpu, nzcv);
    return sum;
}

static bool carry_flag(const struct a64_cpu *cpu)
{
    return a64_nzcv_get(cpu) >> 29 & 1;
}

/* ADC and kin: `invert` for the subtractions. */
static enum a64_step add_carry(struct a64_cpu *cpu, const struct a64_insn *in, bool invert,
                               bool set_flags)
{
    uint32_t nzcv;
    uint64_t y = exec_x(cpu, in, in->m);
    uint64_t sum =
        add_with_carry(in->f, exec_x(cpu, in, in->n), invert ? ~y : y, carry_flag(cpu), &nzcv);
    exec_set_x(cpu, in, in->d, sum);
    if (set_flags)
        a64_nzcv_set(cpu, nzcv);
    return A64_NEXT;
}

/* --- operands -------------------------------------------------------------------------------- */

static uint64_t shifted_register(const struct a64_cpu *cpu, const struct a64_insn *in)
{
    uint64_t v = exec_shift(in, exec_x(cpu, in, in->m), in->t, in->h);
    return in->f ? v : (uint32_t)v;
}

uint64_t a64_extend(uint64_t value, unsigned option, unsigned amount)
{
    unsigned len = 8u << (option & 3);
    value = option & 4 ? (uint64_t)sign_extend(value, len) : bits(value, 0, len);
    return value << amount;
}

static uint64_t add_immediate(const struct a64_insn *in)
{
    return (uint64_t)in->i << (in->h ? 12 : 0);
}

/* DecodeBitMasks(), wmask: the immediate of logical instructions. The table has reserved values
 * out. */
static uint64_t replicate(uint64_t element, unsigned size)
{
    for (; size < 64; size *= 2)
        element |= element << size;
    return element;
}

static uint64_t rotate_element(uint64_t element, unsigned by, unsigned size)
{
    if (by)
        element = element >> by | element << (size - by);
    return bits(element, 0, size);
}

uint64_t a64_bitmask(unsigned n, unsigned imms, unsigned immr)
{
    unsigned len = 31 - (unsigned)__builtin_clz(n << 6 | (~imms & 0x3f));
    unsigned size = 1u << len, s = imms & (size - 1), r = immr & (size - 1);
    return replicate(rotate_element(bits(~0ull, 0, s + 1), r, size), size);
}

/* --- arithmetic ------------------------------------------------------------------------------ */

#define A64_EXEC_ADD_FAMILY_IMM(name, operation, set)                                              \
    A64_EXEC(name)                                                                                 \
    {                                                                                              \
        set(cpu, in, in->d, operation(cpu, in, exec_x_sp(cpu, in, in->n), add_immediate(in)));     \
        return A64_NEXT;                                                                           \
    }
#define A64_EXEC_ADD_FAMILY_SHIFT(name, operation)                                                 \
    A64_EXEC(name)                                                                                 \
    {                                                                                              \
        exec_set_x(cpu, in, in->d,                                                                 \
                   operation(cpu, in, exec_x(cpu, in, in->n), shifted_register(cpu, in)));         \
        return A64_NEXT;                                                                           \
    }
#define A64_EXEC_ADD_FAMILY_EXT(name, operation, set)                                              \
    A64_EXEC(name)                                                                                 \
    {                                                                                              \
        uint64_t y = a64_extend(a64_x(cpu, in->m), in->o, in->h);                                  \
        set(cpu, in, in->d, operation(cpu, in, exec_x_sp(cpu, in, in->n), y));                     \
        return A64_NEXT;                                                                           \
    }

A64_EXEC_ADD_FAMILY_IMM(ADD_imm, add, exec_set_x_sp)
A64_EXEC_ADD_FAMILY_IMM(SUB_imm, sub, exec_set_x_sp)
A64_EXEC_ADD_FAMILY_IMM(ADDS_imm, adds, exec_set_x)
A64_EXEC_ADD_FAMILY_IMM(SUBS_imm, subs, exec_set_x)
A64_EXEC_ADD_FAMILY_SHIFT(ADD_shift, add)
A64_EXEC_ADD_FAMILY_SHIFT(SUB_shift, sub)
A64_EXEC_ADD_FAMILY_SHIFT(ADDS_shift, adds)
A64_EXEC_ADD_FAMILY_SHIFT(SUBS_shift, subs)
A64_EXEC_ADD_FAMILY_EXT(ADD_ext, add, exec_set_x_sp)
A64_EXEC_ADD_FAMILY_EXT(SUB_ext, sub, exec_set_x_sp)
A64_EXEC_ADD_FAMILY_EXT(ADDS_ext, adds, exec_set_x)
A64_EXEC_ADD_FAMILY_EXT(SUBS_ext, subs, exec_set_x)

A64_EXEC(ADC)
{
    return add_carry(cpu, in, false, false);
}

A64_EXEC(ADCS)
{
    return add_carry(cpu, in, false, true);
}

A64_EXEC(SBC)
{
    return add_carry(cpu, in, true, false);
}

A64_EXEC(SBCS)
{
    return add_carry(cpu, in, true, true);
}

A64_EXEC(ADR)
{
    a64_set_x(cpu, in->d, cpu->pc + (uint64_t)sign_extend((uint64_t)in->i << 2 | in->j, 21));
    return A64_NEXT;
}

A64_EXEC(ADRP)
{
    uint64_t pages = (uint64_t)sign_extend((uint64_t)in->i << 2 | in->j, 21);
    a64_set_x(cpu, in->d, align_down(cpu->pc, 4096) + (pages << 12));
    return A64_NEXT;
}

/* --- logic ----------------------------------------------------------------------------------- */

static uint64_t ands(struct a64_cpu *cpu, const struct a64_insn *in, uint64_t x, uint64_t y)
{
    uint64_t v = in->f ? x & y : (uint32_t)(x & y);
    bool n = v >> (exec_bits(in) - 1);
    a64_nzcv_set(cpu, (uint32_t)n << 31 | (uint32_t)(v == 0) << 30);
    return v;
}

#define A64_EXEC_LOGICAL_IMM(name, expression, set)                                                \
    A64_EXEC(name)                                                                                 \
    {                                                                                              \
        uint64_t x = exec_x(cpu, in, in->n), y = a64_bitmask(in->N, in->w, in->r);                 \
        set(cpu, in, in->d, expression);                                                           \
        return A64_NEXT;                                                                           \
    }
#define A64_EXEC_LOGICAL_SHIFT(name, expression)                                                   \
    A64_EXEC(name)                                                                                 \
    {                                                                                              \
        uint64_t x = exec_x(cpu, in, in->n), y = shifted_register(cpu, in);                        \
        exec_set_x(cpu, in, in->d, expression);                                                    \
        return A64_NEXT;                                                                           \
    }

A64_EXEC_LOGICAL_IMM(AND_imm, x &y, exec_set_x_sp)
A64_EXEC_LOGICAL_IMM(ORR_imm, x | y, exec_set_x_sp)
A64_EXEC_LOGICAL_IMM(EOR_imm, x ^ y, exec_set_x_sp)
A64_EXEC_LOGICAL_IMM(ANDS_imm, ands(cpu, in, x, y), exec_set_x)
A64_EXEC_LOGICAL_SHIFT(AND_shift, x &y)
A64_EXEC_LOGICAL_SHIFT(BIC_shift, x & ~y)
A64_EXEC_LOGICAL_SHIFT(ORR_shift, x | y)
A64_EXEC_LOGICAL_SHIFT(ORN_shift, x | ~y)
A64_EXEC_LOGICAL_SHIFT(EOR_shift, x ^ y)
A64_EXEC_LOGICAL_SHIFT(EON_shift, x ^ ~y)
A64_EXEC_LOGICAL_SHIFT(ANDS_shift, ands(cpu, in, x, y))
A64_EXEC_LOGICAL_SHIFT(BICS_shift, ands(cpu, in, x, ~y))

/* --- conditional ----------------------------------------------------------------------------- */

/* CCMP and CCMN: compare if c holds, else take the flags from k. */
static enum a64_step conditional_compare(struct a64_cpu *cpu, const struct a64_insn *in, uint64_t y,
                                         bool subtract)
{
    uint32_t nzcv = (uint32_t)in->k << 28;
    if (a64_condition_holds(cpu, in->c))
        add_with_carry(in->f, exec_x(cpu, in, in->n), subtract ? ~y : y, subtract, &nzcv);
    a64_nzcv_set(cpu, nzcv);
    return A64_NEXT;
}

A64_EXEC(CCMP_reg)
{
    return conditional_compare(cpu, in, exec_x(cpu, in, in->m), true);
}

A64_EXEC(CCMP_imm)
{
    return conditional_compare(cpu, in, in->i, true);
}

A64_EXEC(CCMN_reg)
{
    return conditional_compare(cpu, in, exec_x(cpu, in, in->m), false);
}

A64_EXEC(CCMN_imm)
{
    return conditional_compare(cpu, in, in->i, false);
}

#define A64_EXEC_SELECT(name, expression)                                                          \
    A64_EXEC(name)                                                                                 \
    {                                                                                              \
        uint64_t y = exec_x(cpu, in, in->m);                                                       \
        uint64_t v = a64_condition_holds(cpu, in->c) ? exec_x(cpu, in, in->n) : (expression);      \
        exec_set_x(cpu, in, in->d, v);                                                             \
        return A64_NEXT;                                                                           \
    }

A64_EXEC_SELECT(CSEL, y)
A64_EXEC_SELECT(CSINC, y + 1)
A64_EXEC_SELECT(CSINV, ~y)
A64_EXEC_SELECT(CSNEG, -y)
