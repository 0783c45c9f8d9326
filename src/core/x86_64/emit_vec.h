/* emit_vec.h: what the emitters of floating-point and vector ops share: where V registers live,
 * encodings as data, and constants in memory.
 *
 * xmm0 to xmm3 are scratch. A V register is pinned or lies in the CPU struct. On a host with
 * AVX-512VL V16 to V31 have registers from 16 up, for which x86_vec() encodes EVEX. An instruction
 * that has no EVEX form works on copies in the scratch registers.
 */
#ifndef PENG_CORE_X86_64_EMIT_VEC_H
#define PENG_CORE_X86_64_EMIT_VEC_H

#include "core/x86_64/emit_int.h"

/* AVX-512: mask register k7 always selects the lowest lane alone, k6 the two lowest; k1 is scratch.
 */
enum { VEC_PAIR_MASK = 6, VEC_SCALAR_MASK = 7 };

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
    VEC_SIGN32_PAIR, /* of the two lowest */
    VEC_SIGN64_LOW,
    VEC_MIN32, /* the smallest normal number in each lane */
    VEC_MIN64,
    VEC_ORDINARY16, /* exponent bits of the lowest lane but the last, see emit_fp.c */
    VEC_ORDINARY32,
    VEC_ORDINARY64,
    VEC_SIGN8,
    VEC_SIGN16,
    VEC_LOW8, /* masks: the lower half of each lane of twice the size */
    VEC_LOW16,
    VEC_LOW32,
    VEC_ELEMENT8, /* masks: the lowest element alone */
    VEC_ELEMENT16,
    VEC_ELEMENT32,
    VEC_SHA1_C, /* round constants of SHA1C, SHA1P and SHA1M */
    VEC_SHA1_P,
    VEC_SHA1_M,
    VEC_LOWER_HALVES, /* shuffles: + z, the lower halves of lanes of twice 1 << z bytes, then zeros
                       */
    VEC_UPPER_HALVES = VEC_LOWER_HALVES + 3,
    VEC_SORT8 =
        VEC_UPPER_HALVES + 3, /* shuffles: even elements to the lower half, odd ones to the upper */
    VEC_SORT16,
    VEC_REV16_8, /* shuffles: REVn of lanes */
    VEC_REV32_8,
    VEC_REV32_16,
    VEC_REV64_8,
    VEC_REV64_16,
    VEC_BYTE_15, /* this byte everywhere */
    VEC_BYTE_64,
    VEC_BYTE_16,
    VEC_BYTE_112,
    VEC_POPCOUNT, /* of each nibble */
    VEC_RBIT_LOW, /* each nibble reversed, into the upper and the lower half of a byte */
    VEC_RBIT_HIGH,
    VEC_RBIT_MATRIX, /* for GF2P8AFFINEQB */
    VEC_CRC32,       /* floor(X^96 / P) and P, reflected */
    VEC_ONES,
    VEC_ABS8,
    VEC_ABS16,
    VEC_ELEMENT64,
    VEC_ONE8, /* one in each lane */
    VEC_ONE16,
    VEC_ONE32,
    VEC_ONE64,
    VEC_HALF8, /* half a unit of the upper half of each lane of twice the size */
    VEC_HALF16,
    VEC_HALF32,
    VEC_BIT14,   /* of each 32 bits */
    VEC_BIT30,   /* of each 64 bits */
    VEC_CLZ_LOW, /* leading zeros of a byte by its lower nibble, if the upper is zero; by the upper
                  */
    VEC_CLZ_HIGH,
    VEC_COUNT32, /* masks: the lowest byte of each lane */
    VEC_COUNT64,
    VEC_POWER_LOW, /* bytes 0 and 1 of the powers of two */
    VEC_POWER_HIGH,
    VEC_BYTE_8,
    VEC_BYTE_MINUS_8,
    VEC_HALFWORD_16,
    VEC_HALFWORD_MINUS_16,
    VEC_BYTE_31,
    VEC_BYTE_47,
    VEC_BYTE_63,
    VEC_INF32, /* floating-point numbers in each lane */
    VEC_INF64,
    VEC_HALF_F32,
    VEC_HALF_F64,
    VEC_ONE_F32,
    VEC_ONE_F64,
    VEC_TWO_F32,
    VEC_TWO_F64,
    VEC_THREE_F32,
    VEC_THREE_F64,
    VEC_TWO_16, /* powers of two, in single precision up to 63 */
    VEC_TWO_31,
    VEC_TWO_32,
    VEC_TWO_63,
    VEC_TWO_52,
    VEC_TWO_84,
    VEC_TWO_84_52, /* 2^84 + 2^52 */
    VEC_TWO_511,
    VEC_SIGN_EVEN32, /* signs of every other lane */
    VEC_SIGN_EVEN64,
    VEC_SIGN_ODD32,
    VEC_SIGN_ODD64,
    VEC_RECPE_MAX32, /* the largest number with a normal estimate; sums of both's exponents */
    VEC_RECPE_MAX64,
    VEC_RECPE_SUM32,
    VEC_RECPE_SUM64,
    VEC_RSQRTE_MAX32,
    VEC_RSQRTE_MAX64,
    VEC_RSQRTE_SUM32,
    VEC_RSQRTE_SUM64,
    VEC_LOW9_32,
    VEC_LOW9_64,
    VEC_MIN16, /* halves: the smallest normal number, infinity, the largest number */
    VEC_INF16,
    VEC_MAX16,
    VEC_SINGLE_TIE,  /* the lost bits of a double halfway between two singles; nothing above */
    VEC_FUSED_LEAST, /* emit_fused.c: upper words of 2^-400, of 2^800 times that, and of 2^900 */
    VEC_FUSED_RANGE,
    VEC_FUSED_MOST,
    VEC_FUSED_SPLIT, /* 2^27 + 1 */
    VEC_FUSED_MXCSR, /* to nearest, nothing unmasked, Inexact there already */
    VEC_LOW29,       /* bits of a double that a single has not, 256 bits; and the others */
    VEC_HIGH35 = VEC_LOW29 + 2,
    VEC_LITERAL_COUNT = VEC_HIGH35 + 2,
    /* computed; n is a shift of bytes, 0 to 7 */
    VEC_SHIFT_MATRIX =
        VEC_LITERAL_COUNT, /* + n for GF2P8AFFINEQB: to the left, right, right with signs */
    VEC_SHL_MASK = VEC_SHIFT_MATRIX + 24, /* + n: the bits that such a shift keeps */
    VEC_SHR_MASK = VEC_SHL_MASK + 8,
    VEC_SHR_SIGN = VEC_SHR_MASK + 8,    /* + n: 0x80 >> n in each byte */
    VEC_POWER16 = VEC_SHR_SIGN + 8,     /* + n, 0 to 14: 1 << n in each halfword */
    VEC_SORT4_8 = VEC_POWER16 + 15,     /* shuffles: + z, see vec_constants.c */
    VEC_LD3_8 = VEC_SORT4_8 + 2,        /* + 3 z + register */
    VEC_ST3_16 = VEC_LD3_8 + 6,         /* + register */
    VEC_ST3_8 = VEC_ST3_16 + 3,         /* + 3 row + register */
    VEC_LD3_MASK = VEC_ST3_8 + 9,       /* + 3 row + register */
    VEC_RECPE_TABLE = VEC_LD3_MASK + 9, /* 256 bytes, and 512; see there */
    VEC_RSQRTE_TABLE = VEC_RECPE_TABLE + 16,
    VEC_WORDS = VEC_RSQRTE_TABLE + 33, /* what is gathered may reach beyond; + 2 enum vec_words */
    VEC_CONSTANT_COUNT = VEC_WORDS + 22,
};
/* 256-bit constants: this number in each word. Bounds of bytes and halfwords by twos. */
enum vec_words {
    WORDS_1,
    WORDS_8,
    WORDS_9,
    WORDS_16,
    WORDS_17,
    WORDS_127,
    WORDS_MINUS_128,
    WORDS_32767,
    WORDS_MINUS_32768,
    WORDS_255,
    WORDS_65535,
    WORDS_COUNT
};
const uint8_t *vec_constants(struct x86_buf *b);
/* emit_fused.c: stubs.fused. */
const uint8_t *fused_stub(struct x86_buf *b, const uint8_t *constants);
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
void vec_copy_reg(struct emitter *e, unsigned to, unsigned from); /* nothing if they are the same */
/* The register to compute V[v] in where nothing can go wrong any more, then vec_done(). */
unsigned vec_dest(const struct emitter *e, unsigned v, unsigned scratch);
void vec_done(struct emitter *e, unsigned v, unsigned reg);
/* V[v] = the low `bytes` (1 to 16) of xmm `reg`, zero above. */
void vec_set(struct emitter *e, unsigned v, unsigned reg, unsigned bytes);
void vec_zero(struct emitter *e, unsigned reg);
void vec_ones(struct emitter *e, unsigned reg); /* one of the scratch registers */
void vec_clear_upper(struct emitter *e);        /* what lies above 128 bits */
/* reg = imm in both halves; a scratch register. Overwrites rax. */
void vec_fill(struct emitter *e, unsigned reg, uint64_t imm);
/* How many bytes of a result with lanes of 1 << z are not cleared. */
static inline unsigned vec_bytes(const struct ir_op *o, unsigned z)
{
    return o->flags & IR_SCALAR ? 1u << z : o->flags & IR_Q ? 16 : 8;
}
/* Where the last instruction of a vector op may put its result: V[d]'s register if nothing has to
 * be cleared there, else xmm0. vec_finish() does the rest. */
static inline unsigned vec_out(const struct emitter *e, const struct ir_op *o)
{
    return o->flags & IR_Q ? vec_dest(e, o->d, 0) : 0;
}
/* The result of a vector op, in `reg`. */
static inline void vec_finish(struct emitter *e, const struct ir_op *o, unsigned reg)
{
    vec_set(e, o->d, reg, vec_bytes(o, o->y));
}

/* d = element `index` of a in all lanes of 1 << z bytes. */
void vec_spread(struct emitter *e, unsigned z, unsigned d, unsigned a, unsigned index);

/* Shifts of lanes of 2, 4 or 8 bytes by a number of bits; SSHR of 8 needs AVX-512. */
enum vec_shift { VEC_SHR = 2, VEC_SAR = 4, VEC_SHL = 6 };
void vec_shift(struct emitter *e, enum vec_shift kind, unsigned z, unsigned d, unsigned a,
               unsigned bits);
/* The same by lanes of 4 or 8 bytes of xmm `counts`; all zeros or signs from the lane's size on. */
void legacy_shift(struct emitter *e, enum vec_shift kind, unsigned z, unsigned d, unsigned a,
                  unsigned counts);
/* d = a shifted right by `bytes`, all 128 bits of it. */
void vec_shift_bytes(struct emitter *e, unsigned d, unsigned a, unsigned bytes);

static inline bool vec_wide(const struct emitter *e)
{
    return e->request->host->avx512vl;
}

/* Without AVX2 vectors have SSE's instructions alone. */
static inline bool vec_legacy(const struct emitter *e)
{
    return !e->request->host->avx2;
}

/* d = a with those lanes of b (z 1: halfwords, 2: words) that have a bit in `lanes`: vpblendw,
 * vpblendd. */
void vec_blend_lanes(struct emitter *e, unsigned z, unsigned d, unsigned a, struct x86_rm b,
                     unsigned lanes);
/* ZF = no lane of 4 or 8 bytes (is_64) of the low `bytes` of xmm `reg` has its top bit. */
void vec_test_signs(struct emitter *e, bool is_64, unsigned reg, unsigned bytes);

/* Comparisons of floating point, as VCMPPS has them. */
enum fp_predicate {
    FP_EQ = 0,
    FP_LT = 1,
    FP_LE = 2,
    FP_UNORDERED = 3,
    FP_EQ_OR_UNORDERED = 8,
    FP_GE = 13,
    FP_GT = 14,
    FP_NOT_LESS_QUIET = 21,
};
/* emit_legacy.c: vec_blend(), comparisons of floating point and shifts by lanes as SSE has them. */
void legacy_blend(struct emitter *e, unsigned z, unsigned mask, unsigned yes, unsigned no);
void legacy_compare(struct emitter *e, struct vec_code code, unsigned d, unsigned a,
                    struct x86_rm b, enum fp_predicate predicate);

/* FPSR.QC is set unless the low `bytes` of `reg` (scratch) are all zeros, or no lane of 4 or 8
 * bytes has its top bit. EFLAGS are lost. */
void vec_saturated_if(struct emitter *e, unsigned reg, unsigned bytes);
void vec_saturated_unless_zero(struct emitter *e); /* by ZF */
void vec_saturated_if_signs(struct emitter *e, unsigned z, unsigned reg, unsigned bytes);

#endif
