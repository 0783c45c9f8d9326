/* emit_half.h: shared by the emitters of half precision (emit_half.c, emit_half_rare.c). */
#ifndef PENG_CORE_X86_64_EMIT_HALF_H
#define PENG_CORE_X86_64_EMIT_HALF_H

#include "core/x86_64/emit_fp.h"

/* ymm `d` = the halves in xmm `a`, which is below 16. SNaNs raise Invalid. */
void half_widen(struct emitter *e, unsigned d, unsigned a);
/* An instruction of VEX.256.0F. */
static inline void half_op_256(struct emitter *e, unsigned pp, unsigned opcode, unsigned d,
                               unsigned a, unsigned b)
{
    x86_vec_256(e->buf, pp, 1, opcode, d, a, rm_reg(b));
}
/* xmm `d` = V[v], its lanes repeated where o has fewer. */
void half_operand(struct emitter *e, const struct ir_op *o, bool one_lane, unsigned v, unsigned d);
/* xmm `d` = ones where xmm `a` has NaNs. */
void half_find_nans(struct emitter *e, unsigned d, unsigned a);
/* Cold if xmm `reg` is not zero. */
void half_cold_if_words(struct emitter *e, unsigned reg);
/* Cold if xmm0 has a NaN, or with `tiny` the smallest normal number; of one lane the latter
 * always. Overwrites xmm2 and xmm3. */
void half_check(struct emitter *e, bool one_lane, bool tiny);
/* xmm0 = ymm0 as halves, rounded. */
void half_narrow(struct emitter *e);
/* xmm0 = ymm1 (products of halves as singles) plus xmm2 (halves), or, `halve`, half of that,
 * rounded once. */
void half_add_product(struct emitter *e, bool one_lane, bool halve);
/* xmm0 = the halves in xmm1 and xmm2 by an instruction of 0F: VADDPS (0x58) ... */
void half_compute(struct emitter *e, bool one_lane, uint8_t opcode);

/* emit_half_rare.c: FMULX, FRECPS, FRSQRTS, FCADD, FCMLA of xmm1 and xmm2 to xmm0. */
void half_three_rare(struct emitter *e, const struct ir_op *o);
/* FMAXV and FMINV, all of them. */
void half_across(struct emitter *e, const struct ir_op *o);

#endif
