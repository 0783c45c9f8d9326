/* interp_alu.c: integer data processing (DDI 0487 C4.1.86 and C4.1.89).
 *
 * Each body follows the manual's pseudocode: operands are read by exec_x (register 31 is zero) or
 * exec_x_sp (31 is the stack pointer), computed in 64 bits, and written back cut to the operand
 * size.
 */
#include "core/arm64/exec_int.h"

static inline unsigned size_bits(const struct a64_insn *in)
{
    return in->f ? 64 : 32;
}

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

/* ShiftReg(): value shifted by 0 <= amount < size, in way t of the table. */
static uint64_t shift(const struct a64_insn *in, uint64_t value, unsigned way, unsigned amount)
{
    unsigned size = size_bits(in);
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

static uint64_t shifted_register(const struct a64_cpu *cpu, const struct a64_insn *in)
{
    uint64_t v = shift(in, exec_x(cpu, in, in->m), in->t, in->h);
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
    bool n = v >> (size_bits(in) - 1);
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

/* --- moves, bit fields, shifts --------------------------------------------------------------- */

A64_EXEC(MOVZ)
{
    exec_set_x(cpu, in, in->d, (uint64_t)in->i << 16 * in->h);
    return A64_NEXT;
}

A64_EXEC(MOVN)
{
    exec_set_x(cpu, in, in->d, ~((uint64_t)in->i << 16 * in->h));
    return A64_NEXT;
}

A64_EXEC(MOVK)
{
    uint64_t kept = a64_x(cpu, in->d) & ~(0xffffull << 16 * in->h);
    exec_set_x(cpu, in, in->d, kept | (uint64_t)in->i << 16 * in->h);
    return A64_NEXT;
}

/* Where the field of w + 1 bits from r lands, and its mask: BFXIL's kind (w >= r: to bit 0) or
 * BFI's (bits 0..w to bit size - r). */
static uint64_t move_field(const struct a64_cpu *cpu, const struct a64_insn *in, uint64_t *ret_mask,
                           unsigned *ret_top)
{
    uint64_t v = exec_x(cpu, in, in->n);
    unsigned lo = in->w >= in->r ? 0 : size_bits(in) - in->r;
    unsigned len = in->w >= in->r ? in->w - in->r + 1u : in->w + 1u;
    v = in->w >= in->r ? bits(v, in->r, len) : bits(v, 0, len) << lo;
    *ret_mask = bits(~0ull, 0, len) << lo;
    *ret_top = lo + len;
    return v;
}

A64_EXEC(UBFM)
{
    uint64_t mask;
    unsigned top;
    exec_set_x(cpu, in, in->d, move_field(cpu, in, &mask, &top));
    return A64_NEXT;
}

A64_EXEC(SBFM)
{
    uint64_t mask;
    unsigned top;
    uint64_t v = move_field(cpu, in, &mask, &top);
    exec_set_x(cpu, in, in->d, (uint64_t)sign_extend(v, top));
    return A64_NEXT;
}

A64_EXEC(BFM)
{
    uint64_t mask;
    unsigned top;
    uint64_t v = move_field(cpu, in, &mask, &top);
    exec_set_x(cpu, in, in->d, v | (a64_x(cpu, in->d) & ~mask));
    return A64_NEXT;
}

A64_EXEC(EXTR)
{
    uint64_t lo = exec_x(cpu, in, in->m), hi = exec_x(cpu, in, in->n);
    exec_set_x(cpu, in, in->d, in->h ? lo >> in->h | hi << (size_bits(in) - in->h) : lo);
    return A64_NEXT;
}

static enum a64_step shift_variable(struct a64_cpu *cpu, const struct a64_insn *in, unsigned way)
{
    unsigned amount = (unsigned)a64_x(cpu, in->m) & (size_bits(in) - 1);
    exec_set_x(cpu, in, in->d, shift(in, exec_x(cpu, in, in->n), way, amount));
    return A64_NEXT;
}

A64_EXEC(LSLV)
{
    return shift_variable(cpu, in, 0);
}

A64_EXEC(LSRV)
{
    return shift_variable(cpu, in, 1);
}

A64_EXEC(ASRV)
{
    return shift_variable(cpu, in, 2);
}

A64_EXEC(RORV)
{
    return shift_variable(cpu, in, 3);
}

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

/* --- multiplication and division ------------------------------------------------------------- */

A64_EXEC(MADD)
{
    uint64_t product = a64_x(cpu, in->n) * a64_x(cpu, in->m);
    exec_set_x(cpu, in, in->d, a64_x(cpu, in->a) + product);
    return A64_NEXT;
}

A64_EXEC(MSUB)
{
    uint64_t product = a64_x(cpu, in->n) * a64_x(cpu, in->m);
    exec_set_x(cpu, in, in->d, a64_x(cpu, in->a) - product);
    return A64_NEXT;
}

static uint64_t product_signed(const struct a64_cpu *cpu, const struct a64_insn *in)
{
    return (uint64_t)((int64_t)(int32_t)a64_x(cpu, in->n) * (int32_t)a64_x(cpu, in->m));
}

static uint64_t product_unsigned(const struct a64_cpu *cpu, const struct a64_insn *in)
{
    return (uint64_t)(uint32_t)a64_x(cpu, in->n) * (uint32_t)a64_x(cpu, in->m);
}

A64_EXEC(SMADDL)
{
    a64_set_x(cpu, in->d, a64_x(cpu, in->a) + product_signed(cpu, in));
    return A64_NEXT;
}

A64_EXEC(SMSUBL)
{
    a64_set_x(cpu, in->d, a64_x(cpu, in->a) - product_signed(cpu, in));
    return A64_NEXT;
}

A64_EXEC(UMADDL)
{
    a64_set_x(cpu, in->d, a64_x(cpu, in->a) + product_unsigned(cpu, in));
    return A64_NEXT;
}

A64_EXEC(UMSUBL)
{
    a64_set_x(cpu, in->d, a64_x(cpu, in->a) - product_unsigned(cpu, in));
    return A64_NEXT;
}

A64_EXEC(SMULH)
{
    __int128_t product = (__int128_t)(int64_t)a64_x(cpu, in->n) * (int64_t)a64_x(cpu, in->m);
    a64_set_x(cpu, in->d, (uint64_t)(product >> 64));
    return A64_NEXT;
}

A64_EXEC(UMULH)
{
    __uint128_t product = (__uint128_t)a64_x(cpu, in->n) * a64_x(cpu, in->m);
    a64_set_x(cpu, in->d, (uint64_t)(product >> 64));
    return A64_NEXT;
}

A64_EXEC(UDIV)
{
    uint64_t y = exec_x(cpu, in, in->m);
    exec_set_x(cpu, in, in->d, y ? exec_x(cpu, in, in->n) / y : 0);
    return A64_NEXT;
}

/* Division by zero gives 0; the least number by -1 gives itself. */
A64_EXEC(SDIV)
{
    int64_t x = sign_extend(a64_x(cpu, in->n), size_bits(in));
    int64_t y = sign_extend(a64_x(cpu, in->m), size_bits(in));
    uint64_t quotient = y == 0 ? 0 : y == -1 ? -(uint64_t)x : (uint64_t)(x / y);
    exec_set_x(cpu, in, in->d, quotient);
    return A64_NEXT;
}

/* --- one source ------------------------------------------------------------------------------ */

A64_EXEC(RBIT)
{
    uint64_t v = a64_x(cpu, in->n), reversed = 0;
    for (unsigned i = 0; i < size_bits(in); i++)
        reversed = reversed << 1 | (v >> i & 1);
    exec_set_x(cpu, in, in->d, reversed);
    return A64_NEXT;
}

A64_EXEC(REV16)
{
    uint64_t v = a64_x(cpu, in->n);
    exec_set_x(cpu, in, in->d, (v & 0x00ff00ff00ff00ff) << 8 | (v >> 8 & 0x00ff00ff00ff00ff));
    return A64_NEXT;
}

/* Bytes of each word; REV Wd, Wn is the same with one word. */
A64_EXEC(REV32)
{
    uint64_t v = a64_x(cpu, in->n);
    uint64_t hi = __builtin_bswap32((uint32_t)(v >> 32));
    exec_set_x(cpu, in, in->d, hi << 32 | __builtin_bswap32((uint32_t)v));
    return A64_NEXT;
}

A64_EXEC(REV64)
{
    a64_set_x(cpu, in->d, __builtin_bswap64(a64_x(cpu, in->n)));
    return A64_NEXT;
}

static unsigned leading_zeros(uint64_t v, unsigned size)
{
    return v ? (unsigned)__builtin_clzll(v) - (64 - size) : size;
}

A64_EXEC(CLZ)
{
    exec_set_x(cpu, in, in->d, leading_zeros(exec_x(cpu, in, in->n), size_bits(in)));
    return A64_NEXT;
}

/* Bits after the sign bit that equal it. */
A64_EXEC(CLS)
{
    uint64_t v = exec_x(cpu, in, in->n);
    unsigned size = size_bits(in);
    exec_set_x(cpu, in, in->d, leading_zeros(bits(v ^ v >> 1, 0, size - 1), size - 1));
    return A64_NEXT;
}
