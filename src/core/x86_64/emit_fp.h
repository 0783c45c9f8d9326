/* emit_fp.h: shared by the emitters of floating point. */
#ifndef PENG_CORE_X86_64_EMIT_FP_H
#define PENG_CORE_X86_64_EMIT_FP_H

#include "core/x86_64/emit_simd.h"

static inline bool fp_double(const struct ir_op *o)
{
    return o->type == IR_F64;
}

/* A packed instruction in 0F: 66 for double. */
static inline struct vec_code fp_packed(bool is_64, uint8_t opcode)
{
    return is_64 ? (struct vec_code){1, 1, X86_W_EVEX, opcode} : (struct vec_code){0, 1, 0, opcode};
}

/* vcmpps, vcmppd. All of them scratch registers: EVEX would compare into a mask. */
static inline void fp_compare(struct emitter *e, bool is_64, unsigned d, unsigned a,
                              struct x86_rm b, enum fp_predicate predicate)
{
    if (vec_legacy(e))
        legacy_compare(e, fp_packed(is_64, 0xc2), d, a, b, predicate);
    else
        vec_op_imm(e, fp_packed(is_64, 0xc2), d, a, b, predicate);
}

/* d = a with a constant by VANDPS (0x54), VORPS (0x56), VXORPS (0x57), VADDPS (0x58) ... */
static inline void fp_with(struct emitter *e, bool is_64, uint8_t opcode, unsigned d, unsigned a,
                           enum vec_constant c_32, enum vec_constant c_64)
{
    bool logic = opcode >= 0x54 && opcode <= 0x57;
    vec_op(e, fp_packed(is_64 && !logic, opcode), d, a, vec_const(e, is_64 ? c_64 : c_32, 0));
}

static inline void fp_absolute(struct emitter *e, bool is_64, unsigned d, unsigned a)
{
    fp_with(e, is_64, 0x54, d, a, VEC_ABS32, VEC_ABS64);
}

/* vroundps, vroundpd (vrndscale in EVEX): xmm `d` = a rounded; `raise`: Inexact. Not IR_RA. */
static inline unsigned fp_round_mode(unsigned rounding, bool raise)
{
    static const uint8_t modes[] = {
        [IR_RN] = 0, [IR_RM] = 1, [IR_RP] = 2, [IR_RZ] = 3, [IR_RCURRENT] = 4};
    return modes[rounding] | (raise ? 0u : 8u);
}
static inline void fp_round(struct emitter *e, bool is_64, unsigned d, unsigned a,
                            unsigned rounding, bool raise)
{
    struct vec_code c = {1, 3, is_64 ? X86_W_EVEX : 0, is_64 ? 0x09 : 0x08};
    vec_op_imm(e, c, d, X86_NO_SECOND, rm_reg(a), fp_round_mode(rounding, raise));
}

/* The predicate of a comparison: x86 raises Invalid for the same operands as Arm. */
static inline uint8_t fp_predicate_of(enum ir_fbin sub)
{
    static const uint8_t predicates[] = {
        [IR_FCMEQ] = FP_EQ, [IR_FCMGE] = FP_GE, [IR_FCMGT] = FP_GT, [IR_FCMLE] = FP_LE,
        [IR_FCMLT] = FP_LT, [IR_FACGE] = FP_GE, [IR_FACGT] = FP_GT,
    };
    return predicates[sub];
}

/* emit_fp_compare.c: vucomiss, vucomisd; `signals`: vcomiss, vcomisd. */
void fp_compare_scalar(struct emitter *e, bool is_64, bool signals, unsigned a, struct x86_rm b);

/* emit_simd_fp.c: to the cold path if any lane of xmm `reg` has its top bit. */
struct cold *fp_cold_if_any(struct emitter *e, bool is_64, unsigned reg);
/* ... or if any lane of xmm `reg` is a NaN, or with `tiny` the smallest normal number. Overwrites
 * xmm3. */
struct cold *fp_check(struct emitter *e, bool is_64, bool tiny, unsigned reg);
/* To the cold path if k1 has a bit. */
struct cold *fp_cold_if_mask(struct emitter *e);
/* vrangeps, vrangepd: d = the larger or smaller of a and b, which are no NaNs; zeros by sign as Arm
 * has them. */
static inline void fp_range(struct emitter *e, struct x86_lanes lanes, bool is_64, bool max,
                            unsigned d, unsigned a, struct x86_rm b)
{
    enum { SIGN_OF_RESULT = 4 };
    x86_evex_lanes(e->buf, lanes, 1, 3, is_64, 0x50, d, a, b);
    x86_byte(e->buf, SIGN_OF_RESULT | max);
}
/* The result's own register where the sources stay as they are, for the interpreter; else xmm0. */
static inline unsigned fp_result(const struct emitter *e, const struct ir_op *o)
{
    return o->d == o->a || o->d == o->b || !(o->flags & IR_Q) ? 0 : vec_dest(e, o->d, 0);
}
/* The register that holds V[v], or `scratch` with its lanes repeated where o has fewer. */
unsigned fp_operand(struct emitter *e, const struct ir_op *o, bool one_lane, unsigned v,
                    unsigned scratch);

/* emit_simd_convert.c: returns the register with the result; `a` is xmm1 or pinned. */
unsigned fp_round_lanes(struct emitter *e, const struct ir_op *o, unsigned a);
unsigned fp_from_integer(struct emitter *e, const struct ir_op *o, unsigned a);
unsigned fp_to_integer(struct emitter *e, const struct ir_op *o, unsigned a);
void fp_resize(struct emitter *e, const struct ir_op *o);

/* emit_simd_estimate.c: likewise. */
void fp_estimate(struct emitter *e, const struct ir_op *o, unsigned a);

/* emit_fused.c: multiply-add where the host has no FMA, or cold. xmm0 = xmm0 +- a * b, in all lanes
 * or (not `whole`) the lower half of them, where a and b are xmm1 and xmm2 or pinned; V[d] by FMADD
 * and kin. Overwrites xmm1 to xmm3, X86_LEGACY_TEMP and rax. */
void fused_lanes(struct emitter *e, bool is_64, bool whole, bool subtract, unsigned a, unsigned b);
void fused_scalar(struct emitter *e, const struct ir_op *o);

/* emit_fp.c: to the cold path if the half in xmm0 is a NaN or the smallest normal number. */
void fp_check_half(struct emitter *e);

/* emit_half.c: VFP3 and VFP2 in half precision. False: the interpreter shall do it. */
bool half_three(struct emitter *e, const struct ir_op *o);
bool half_two(struct emitter *e, const struct ir_op *o);
/* xmm `d` = the half in V[v] as a single, in all lanes. False: the host cannot. */
bool half_to_single(struct emitter *e, unsigned d, unsigned v);
/* xmm0 = FMADD and kin, zero above. The host has F16C. */
void half_fused(struct emitter *e, const struct ir_op *o);
/* xmm `d` = the double in xmm `a`, which is lost, as a half, zero above. Overwrites xmm2 and xmm3.
 */
void half_from_double(struct emitter *e, unsigned d, unsigned a);
/* xmm `d` = singles of xmm `a` as halves, rounded, zero above. The host has F16C. */
void half_from_single(struct emitter *e, unsigned d, unsigned a);

#endif
