/* emit_simd.h: shared by the emitters of vector integer instructions.
 *
 * A vec_fn emits one operation of enum ir_vec. `a` and `b` are registers that hold the operands;
 * xmm1 and xmm2 if they are not pinned, so that xmm0 and xmm3 are free (and 1 and 2 when the
 * operand is no longer needed). Where there is no second operand `b` does not count. False: nothing
 * was written that matters, the interpreter shall do it.
 */
#ifndef PENG_CORE_X86_64_EMIT_SIMD_H
#define PENG_CORE_X86_64_EMIT_SIMD_H

#include "core/x86_64/emit_vec.h"

typedef bool vec_fn(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b);

/* emit_simd_logic.c */
vec_fn vec_compare, vec_logic;

/* emit_simd_arith.c: lanes keep their size */
vec_fn vec_multiply, vec_polynomial, vec_multiply_accumulate, vec_differ, vec_halve, vec_absolute,
    vec_negate, vec_invert, vec_bits, vec_reverse, vec_dot;
void vec_difference(struct emitter *e, unsigned z, bool is_signed, unsigned d, unsigned a,
                    unsigned b);
void vec_accumulate(struct emitter *e, const struct ir_op *o, bool subtract);
/* d (xmm0 or xmm3, for 64-bit lanes without AVX-512) = |a|; d = the sign of each 64-bit lane in all
 * its bits. */
void vec_abs(struct emitter *e, unsigned z, unsigned d, unsigned a);
void vec_spread_sign(struct emitter *e, unsigned d, unsigned a);

/* emit_simd_saturate.c */
vec_fn vec_saturating, vec_saturating_sign, vec_saturating_mixed, vec_doubling_high,
    vec_doubling_high_sum, vec_doubling_long, vec_saturating_shift;

/* emit_simd_shift.c: by constants and by registers */
vec_fn vec_shift_constant, vec_shift_insert, vec_shift_register, vec_saturating_register;
/* Any lane size on any host: xmm `d` (not 3) = a shifted. Overwrites xmm3. */
void vec_shift_lanes(struct emitter *e, enum vec_shift kind, unsigned z, unsigned d, unsigned a,
                     unsigned bits);
/* xmm `d` = a shifted right, to the nearest. Overwrites xmm0, xmm2 and xmm3. */
void vec_shift_rounded(struct emitter *e, enum vec_shift kind, unsigned z, unsigned d, unsigned a,
                       unsigned bits);

/* emit_simd_shift_wide.c: the same by a register, with AVX-512 */
void vec_shift_register_wide(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b);

/* emit_simd_permute.c: pairwise operations, UZP, TRN; across all lanes */
vec_fn vec_pairs, vec_unzip, vec_transpose, vec_across, vec_across_long;

/* emit_simd_wide.c: results of twice or half the size */
vec_fn vec_lengthen, vec_shift_long, vec_narrow, vec_narrow_high, vec_pairs_long;
/* xmm `d` = products of the lower or upper halves. Overwrites xmm0 and xmm3. */
void vec_multiply_long(struct emitter *e, unsigned z, bool is_signed, bool upper, unsigned d,
                       unsigned a, unsigned b);
/* xmm `d` = sums of a's neighbours. Overwrites xmm0 and xmm3. */
void vec_add_neighbours(struct emitter *e, unsigned z, bool is_signed, unsigned d, unsigned a);

/* As o, for a result with lanes of twice o->y. */
static inline struct ir_op vec_wide_result(const struct ir_op *o)
{
    struct ir_op wide = *o;
    wide.y++;
    wide.flags |= IR_Q;
    return wide;
}

/* d = a op a constant, of all bits. */
static inline void vec_with(struct emitter *e, enum ir_vec op, unsigned z, unsigned d, unsigned a,
                            enum vec_constant c)
{
    vec_op(e, vec_lanes[op][z], d, a, vec_const(e, c, 0));
}

/* vpshufd */
static inline void vec_shuffle(struct emitter *e, unsigned d, unsigned a, unsigned order)
{
    vec_op_imm(e, (struct vec_code){1, 1, 0, 0x70}, d, X86_NO_SECOND, rm_reg(a), order);
}

/* d = each lane's (z 0: bytes, 2, 3) top bit of `mask` ? yes : no. Scratch registers. */
static inline void vec_blend(struct emitter *e, unsigned z, unsigned d, unsigned mask, unsigned yes,
                             unsigned no)
{
    unsigned opcode = z == 3 ? 0x4b : z == 2 ? 0x4a : 0x4c;
    if (vec_legacy(e)) {
        assert(d == 0);
        legacy_blend(e, z, mask, yes, no);
        return;
    }
    vec_op_imm(e, (struct vec_code){1, 3, 0, (uint8_t)opcode}, d, no, rm_reg(yes), mask << 4);
}

#endif
