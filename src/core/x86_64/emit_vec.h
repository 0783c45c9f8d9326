/* emit_vec.h: what the emitters of floating-point and vector ops share: where V registers live,
 * encodings as data, and constants in memory.
 *
 * xmm0 to xmm3 are scratch. A V register is pinned (16 and up on a host with AVX-512VL, so that
 * x86_vec() encodes EVEX) or lies in the CPU struct. An instruction that has no EVEX form works on
 * copies in the scratch registers.
 */
#ifndef PENG_CORE_X86_64_EMIT_VEC_H
#define PENG_CORE_X86_64_EMIT_VEC_H

#include "core/x86_64/emit_int.h"

/* An instruction as x86_vec() takes it; opcode 0: there is none. */
struct vec_code {
    uint8_t pp, map, w, opcode;
};

/* 16-byte constants behind stubs.constants, by name. */
enum vec_constant {
    VEC_ABS32, /* masks: all but the sign of each lane */
    VEC_ABS64,
    VEC_SIGN32,
    VEC_SIGN64,
    VEC_ABS32_LOW, /* ... of the lowest lane, zero elsewhere */
    VEC_ABS64_LOW,
    VEC_MIN32, /* the smallest normal number in each lane */
    VEC_MIN64,
    VEC_CONSTANT_COUNT
};
const uint8_t *vec_constants(struct x86_buf *b);
/* As an operand of an instruction that `immediate_bytes` follow. */
struct x86_rm vec_const(const struct emitter *e, enum vec_constant c, unsigned immediate_bytes);

static inline void vec_op(struct emitter *e, struct vec_code c, unsigned d, unsigned a,
                          struct x86_rm b)
{
    x86_vec(e->buf, c.pp, c.map, c.w, c.opcode, d, a, b);
}

static inline void vec_op_imm(struct emitter *e, struct vec_code c, unsigned d, unsigned a,
                              struct x86_rm b, unsigned imm)
{
    vec_op(e, c, d, a, b);
    x86_byte(e->buf, (uint8_t)imm);
}

/* V[v] where it lives. */
struct x86_rm vec_rm(const struct emitter *e, unsigned v);
/* A register that holds V[v]: its own, or `scratch` loaded with it. */
unsigned vec_use(struct emitter *e, unsigned v, unsigned scratch);
/* scratch = V[v], for what has no EVEX form or overwrites it. */
void vec_copy(struct emitter *e, unsigned scratch, unsigned v);
/* The register to compute V[v] in where nothing can go wrong any more, then vec_done(). */
unsigned vec_dest(const struct emitter *e, unsigned v, unsigned scratch);
void vec_done(struct emitter *e, unsigned v, unsigned reg);
/* V[v] = the low `bytes` (4, 8 or 16) of xmm `reg`, zero above. */
void vec_set(struct emitter *e, unsigned v, unsigned reg, unsigned bytes);
void vec_zero(struct emitter *e, unsigned reg);

#endif
