/* interp_bits.c: integer moves, bit fields, shifts, multiplication, division and bit counts (DDI
 * 0487 C4.1.86 and C4.1.89). Addition, logic and conditions are in interp_alu.c.
 */
#include "core/arm64/exec_int.h"

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
    unsigned lo = in->w >= in->r ? 0 : exec_bits(in) - in->r;
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
    exec_set_x(cpu, in, in->d, in->h ? lo >> in->h | hi << (exec_bits(in) - in->h) : lo);
    return A64_NEXT;
}

static enum a64_step shift_variable(struct a64_cpu *cpu, const struct a64_insn *in, unsigned way)
{
    unsigned amount = (unsigned)a64_x(cpu, in->m) & (exec_bits(in) - 1);
    exec_set_x(cpu, in, in->d, exec_shift(in, exec_x(cpu, in, in->n), way, amount));
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
    int64_t x = sign_extend(a64_x(cpu, in->n), exec_bits(in));
    int64_t y = sign_extend(a64_x(cpu, in->m), exec_bits(in));
    uint64_t quotient = y == 0 ? 0 : y == -1 ? -(uint64_t)x : (uint64_t)(x / y);
    exec_set_x(cpu, in, in->d, quotient);
    return A64_NEXT;
}

/* --- one source ------------------------------------------------------------------------------ */

A64_EXEC(RBIT)
{
    uint64_t v = a64_x(cpu, in->n), reversed = 0;
    for (unsigned i = 0; i < exec_bits(in); i++)
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
    exec_set_x(cpu, in, in->d, leading_zeros(exec_x(cpu, in, in->n), exec_bits(in)));
    return A64_NEXT;
}

/* Bits after the sign bit that equal it. */
A64_EXEC(CLS)
{
    uint64_t v = exec_x(cpu, in, in->n);
    unsigned size = exec_bits(in);
    exec_set_x(cpu, in, in->d, leading_zeros(bits(v ^ v >> 1, 0, size - 1), size - 1));
    return A64_NEXT;
}
