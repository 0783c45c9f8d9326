/* emit_simd.h: shared by the emitters of vector integer instructions.
 *
 * `a` and `b` are registers that hold the operands; xmm1 and xmm2 if they are not pinned, so that
 * xmm0 and xmm3 are free. False: nothing was written, the interpreter shall do it.
 */
#ifndef PENG_CORE_X86_64_EMIT_SIMD_H
#define PENG_CORE_X86_64_EMIT_SIMD_H

#include "core/x86_64/emit_vec.h"

/* emit_simd.c */
void vec_difference(struct emitter *e, unsigned z, bool is_signed, unsigned a, unsigned b);
void vec_accumulate(struct emitter *e, const struct ir_op *o, unsigned z, bool subtract);

/* emit_simd_permute.c: pairwise operations, UZP, TRN; across all lanes */
bool vec_pairs(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b);
bool vec_reduce(struct emitter *e, const struct ir_op *o, unsigned a);

/* emit_simd_wide.c: results of twice or half the size */
bool vec_lengthen(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b);
bool vec_narrow(struct emitter *e, const struct ir_op *o, unsigned a);
bool vec_add_long_pairs(struct emitter *e, const struct ir_op *o, unsigned a);

#endif
