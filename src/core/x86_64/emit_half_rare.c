/* emit_half_rare.c: what half precision has beside arithmetic: FMULX, the steps towards
 * reciprocals, complex numbers, and the largest and smallest of a vector. As emit_half.c.
 */
#include "core/x86_64/emit_half.h"

/* Cold where a lane of xmm1 or xmm2 is an infinity or a NaN: zero times infinity is none of x86's
 * special cases there. Overwrites xmm0 and xmm3. */
static void check_finite(struct emitter *e)
{
    vec_with(e, IR_V_AND, 0, 3, 1, VEC_ABS16);
    vec_with(e, IR_V_AND, 0, 0, 2, VEC_ABS16);
    vec_lane(e, IR_V_SMAX, 1, 3, 3, 0);
    vec_with(e, IR_V_CMGT, 1, 3, 3, VEC_MAX16);
    half_cold_if_words(e, 3);
}

/* ymm1 = the products of xmm1 and xmm2, which are exact. */
static void multiply(struct emitter *e)
{
    half_widen(e, 1, 1);
    half_widen(e, 2, 2);
    half_op_256(e, 0, 0x59, 1, 1, 2);
}

/* FRECPS: 2 - a b, FRSQRTS: (3 - a b) / 2, each rounded once. */
static void step(struct emitter *e, const struct ir_op *o)
{
    bool root = o->sub == IR_FRSQRTS;
    check_finite(e);
    vec_with(e, IR_V_EOR, 0, 1, 1, VEC_SIGN16);
    multiply(e);
    vec_fill(e, 2, root ? 0x4200420042004200 : 0x4000400040004000);
    half_add_product(e, o->y, root);
}

/* xmm2 turned by o->x right angles: which parts change places, and signs. */
static void turn(struct emitter *e, const struct ir_op *o)
{
    static const enum vec_constant signs[] = {
        [1] = VEC_HALF16 /* of the lower of two */, [2] = VEC_SIGN16, [3] = VEC_SIGN32};
    if (o->x & 1) /* vpshufb */
        x86_vec(e->buf, 1, 2, 0, 0x00, 2, 2, vec_const(e, VEC_REV32_16, 0));
    if (o->x)
        vec_with(e, IR_V_EOR, 0, 2, 2, signs[o->x]);
}

static void complex_multiply(struct emitter *e, const struct ir_op *o)
{
    uint8_t part = o->x & 1 ? 0xf5 : 0xa0;
    turn(e, o);
    vec_op_imm(e, (struct vec_code){3, 1, 0, 0x70}, 1, X86_NO_SECOND, rm_reg(1), part); /* low */
    vec_op_imm(e, (struct vec_code){2, 1, 0, 0x70}, 1, X86_NO_SECOND, rm_reg(1), part); /* high */
    multiply(e);
    half_operand(e, o, false, o->d, 2);
    half_add_product(e, false, false);
}

void half_three_rare(struct emitter *e, const struct ir_op *o)
{
    switch (o->sub) {
    case IR_FMULX:
        check_finite(e);
        half_compute(e, o->y, 0x59);
        break;
    case IR_FRECPS:
    case IR_FRSQRTS:
        step(e, o);
        break;
    case IR_FCADD:
        turn(e, o);
        half_compute(e, false, 0x58);
        break;
    case IR_FCMLA:
        complex_multiply(e, o);
        break;
    default:
        break;
    }
}

/* xmm `reg` = halves as integers in the same order, -0 below +0; or back. Overwrites xmm2. */
static void order(struct emitter *e, unsigned reg)
{
    vec_shift(e, VEC_SAR, 1, 2, reg, 15);
    vec_with(e, IR_V_AND, 0, 2, 2, VEC_ABS16);
    vec_lane(e, IR_V_EOR, 0, reg, reg, 2);
}

/* FMAXV, FMINV and kin: VPHMINPOSUW, which is for the smallest unsigned one. */
void half_across(struct emitter *e, const struct ir_op *o)
{
    enum vec_constant flip = o->sub == IR_F_MAXV ? VEC_ABS16 : VEC_SIGN16;
    half_operand(e, o, false, o->a, 1);
    half_find_nans(e, 3, 1);
    half_cold_if_words(e, 3);
    order(e, 1);
    vec_with(e, IR_V_EOR, 0, 1, 1, flip);
    x86_vec(e->buf, 1, 2, 0, 0x41, 0, X86_NO_SECOND, rm_reg(1)); /* vphminposuw */
    vec_with(e, IR_V_EOR, 0, 0, 0, flip);
    order(e, 0);
    vec_set(e, o->d, 0, 2);
}
