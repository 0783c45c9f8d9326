/* emit_simd_estimate.c: FRECPE and FRSQRTE from tables of their definition, by VPGATHER or lane by
 * lane.
 *
 * Numbers whose estimate is normal: its exponent is a difference, its fraction the table's. Zeros,
 * denormals, infinities, NaNs and (FRSQRTE) negative numbers are cold.
 */
#include "core/x86_64/emit_fp.h"

/* Lanes of xmm0 = what lies in the table at rdx by those of xmm2; at least its lowest byte.
 * Overwrites xmm3. */
static void gather(struct emitter *e, bool is_64)
{
    if (!vec_legacy(e)) {
        vec_ones(e, 3); /* vpgatherdd, vpgatherqq */
        x86_vec(e->buf, 1, 2, is_64, is_64 ? 0x91 : 0x90, 0, 3, rm_index(RDX, 2, 1, 0));
        return;
    }
    for (unsigned lane = 0; lane < (is_64 ? 2 : 4); lane++) { /* pextr, pinsr */
        x86_vec(e->buf, 1, 3, is_64, 0x16, 2, X86_NO_SECOND, rm_reg(RAX));
        x86_byte(e->buf, (uint8_t)lane);
        x86_zext(e->buf, 1, RAX, rm_index(RDX, RAX, 1, 0));
        x86_vec(e->buf, 1, 3, is_64, 0x22, 0, 0, rm_reg(RAX));
        x86_byte(e->buf, (uint8_t)lane);
    }
}

void fp_estimate(struct emitter *e, const struct ir_op *o, unsigned a)
{
    bool is_64 = fp_double(o), root = o->sub == IR_F_RSQRTE;
    unsigned z = is_64 ? 3 : 2, below = is_64 ? 44 : 15; /* bits below the eight that count */
    enum vec_constant limit = root ? VEC_RSQRTE_MAX32 : VEC_RECPE_MAX32;
    enum vec_constant sum = root ? VEC_RSQRTE_SUM32 : VEC_RECPE_SUM32;
    static const struct vec_code load = {1, 1, 0, 0x6f};
    unsigned magnitude = root ? a : 2;
    if (!root)
        fp_absolute(e, is_64, 2, a);
    vec_with(e, IR_V_SUB, z, 0, magnitude, is_64 ? VEC_MIN64 : VEC_MIN32);
    vec_op(e, load, 3, X86_NO_SECOND, vec_const(e, limit + is_64, 0));
    vec_lane(e, IR_V_SUB, z, 3, 3, magnitude);
    vec_lane(e, IR_V_ORR, 0, 0, 0, 3);
    if (root)
        vec_lane(e, IR_V_ORR, 0, 0, 0, a);
    fp_cold_if_any(e, is_64, 0);
    x86_lea(e->buf, 8, RDX, vec_const(e, root ? VEC_RSQRTE_TABLE : VEC_RECPE_TABLE, 0));
    vec_shift(e, VEC_SHR, z, 2, a, below);
    if (root) /* with the exponent's lowest bit */
        vec_with(e, IR_V_AND, 0, 2, 2, is_64 ? VEC_LOW9_64 : VEC_LOW9_32);
    else
        vec_with(e, IR_V_AND, 0, 2, 2, is_64 ? VEC_COUNT64 : VEC_COUNT32);
    gather(e, is_64);
    vec_with(e, IR_V_AND, 0, 0, 0, is_64 ? VEC_COUNT64 : VEC_COUNT32);
    vec_shift(e, VEC_SHL, z, 0, 0, below);
    fp_with(e, is_64, 0x54, 3, a, VEC_INF32, VEC_INF64);
    vec_op(e, load, 2, X86_NO_SECOND, vec_const(e, sum + is_64, 0));
    vec_lane(e, IR_V_SUB, z, 2, 2, 3);
    if (root) {
        vec_shift(e, VEC_SHR, z, 2, 2, 1);
        fp_with(e, is_64, 0x54, 2, 2, VEC_INF32, VEC_INF64);
    } else {
        fp_with(e, is_64, 0x54, 3, a, VEC_SIGN32, VEC_SIGN64);
        vec_lane(e, IR_V_ORR, 0, 0, 0, 3);
    }
    vec_lane(e, IR_V_ORR, 0, 0, 0, 2);
}
