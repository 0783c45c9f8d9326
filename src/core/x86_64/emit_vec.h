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
    VEC_SIGN32_LOW,
    VEC_SIGN64_LOW,
    VEC_MIN32, /* the smallest normal number in each lane */
    VEC_MIN64,
    VEC_SIGN8,
    VEC_SIGN16,
    VEC_LOW8, /* masks: the lower half of each lane of twice the size */
    VEC_LOW16,
    VEC_LOW32,
    VEC_ELEMENT8, /* masks: the lowest element alone */
    VEC_ELEMENT16,
    VEC_ELEMENT32,
    VEC_SORT8, /* shuffles: even elements to the lower half, odd ones to the upper */
    VEC_SORT16,
    VEC_REV16_8, /* shuffles: REVn of lanes */
    VEC_REV32_8,
    VEC_REV32_16,
    VEC_REV64_8,
    VEC_REV64_16,
    VEC_BYTE_15, /* this byte everywhere */
    VEC_BYTE_16,
    VEC_BYTE_112,
    VEC_POPCOUNT, /* of each nibble */
    VEC_RBIT_LOW, /* each nibble reversed, into the upper and the lower half of a byte */
    VEC_RBIT_HIGH,
    VEC_RBIT_MATRIX, /* for GF2P8AFFINEQB */
    VEC_CRC32,       /* floor(X^96 / P) and P, reflected */
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

/* Instructions with a form for each lane size (1 << z bytes), by the first group of enum ir_vec;
 * opcode 0 where x86 has none. */
extern const struct vec_code vec_lanes[IR_V_LANE_COUNT][4];
static inline void vec_lane(struct emitter *e, enum ir_vec sub, unsigned z, unsigned d, unsigned a,
                            unsigned b)
{
    vec_op(e, vec_lanes[sub][z], d, a, rm_reg(b));
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
void vec_ones(struct emitter *e, unsigned reg); /* one of the scratch registers */
/* reg = imm in both halves; a scratch register. Overwrites rax. */
void vec_fill(struct emitter *e, unsigned reg, uint64_t imm);
/* The result of a vector op: all of `reg`, or without IR_Q its lower half. */
static inline void vec_finish(struct emitter *e, const struct ir_op *o, unsigned reg)
{
    vec_set(e, o->d, reg, o->flags & IR_Q ? 16 : 8);
}

/* Shifts of lanes of 2, 4 or 8 bytes by a number of bits; SSHR of 8 needs AVX-512. */
enum vec_shift { VEC_SHR = 2, VEC_SAR = 4, VEC_SHL = 6 };
void vec_shift(struct emitter *e, enum vec_shift kind, unsigned z, unsigned d, unsigned a,
               unsigned bits);
/* d = a shifted right by `bytes`, all 128 bits of it. */
void vec_shift_bytes(struct emitter *e, unsigned d, unsigned a, unsigned bytes);

static inline bool vec_wide(const struct emitter *e)
{
    return e->request->host->avx512vl;
}

/* FPSR.QC is set if `reg` (scratch, overwritten) is not all zeros. EFLAGS are lost. */
void vec_saturated_if(struct emitter *e, const struct ir_op *o, unsigned reg);

#endif
