/* emit_simd_wide.c: vector integer instructions whose result has elements of twice or half the
 * size. IR_Q says which half of the narrow side takes part.
 */
#include "core/x86_64/emit_simd.h"

/* --- twice the size ------------------------------------------------------------------------------
 */

/* d = the lower (or upper) half of a with each element extended: vpmovzx, vpmovsx. */
static void extend(struct emitter *e, unsigned z, bool is_signed, unsigned d, unsigned a,
                   bool upper)
{
    static const uint8_t opcodes[] = {0x30, 0x33, 0x35};
    if (upper) {
        vec_shift_bytes(e, d, a, 8);
        a = d;
    }
    x86_vec(e->buf, 1, 2, 0, opcodes[z] - (is_signed ? 0x10u : 0), d, X86_NO_SECOND, rm_reg(a));
}

/* Halfwords: the lower and the upper halves of the products, put together. Words: every other one
 * of operands spread out. */
void vec_multiply_long(struct emitter *e, unsigned z, bool is_signed, bool upper, unsigned d,
                       unsigned a, unsigned b)
{
    if (z == 0) {
        extend(e, 0, is_signed, 3, b, upper);
        extend(e, 0, is_signed, 0, a, upper);
        vec_lane(e, IR_V_MUL, 1, d, 0, 3);
    } else if (z == 1) { /* vpmulhw, vpmulhuw */
        vec_op(e, (struct vec_code){1, 1, 0, is_signed ? 0xe5 : 0xe4}, 3, a, rm_reg(b));
        vec_lane(e, IR_V_MUL, 1, 0, a, b);
        vec_lane(e, upper ? IR_V_ZIP2 : IR_V_ZIP1, 1, d, 0, 3);
    } else { /* vpmuldq, vpmuludq */
        static const struct vec_code multiply[] = {{1, 1, X86_W_EVEX, 0xf4},
                                                   {1, 2, X86_W_EVEX, 0x28}};
        vec_shuffle(e, 0, a, upper ? 0xfa : 0x50);
        vec_shuffle(e, 3, b, upper ? 0xfa : 0x50);
        vec_op(e, multiply[is_signed], d, 0, rm_reg(3));
    }
}

bool vec_lengthen(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    struct ir_op wide = vec_wide_result(o);
    bool is_signed = !((o->sub - IR_V_SADDL) & 1), upper = o->flags & IR_Q;
    bool subtract = false, accumulate = false;
    unsigned out = vec_out(e, &wide);
    switch (o->sub - !is_signed) {
    case IR_V_SABAL:
        accumulate = true;
        __attribute__((fallthrough));
    case IR_V_SABDL:
        vec_difference(e, o->y, is_signed, 0, a, b);
        out = accumulate ? 0 : out;
        extend(e, o->y, false, out, 0, upper);
        break;
    case IR_V_SMLSL:
        subtract = true;
        __attribute__((fallthrough));
    case IR_V_SMLAL:
        accumulate = true;
        __attribute__((fallthrough));
    case IR_V_SMULL:
        out = accumulate ? 0 : out;
        vec_multiply_long(e, o->y, is_signed, upper, out, a, b);
        break;
    default: { /* SADDL, SSUBL, SADDW, SSUBW */
        bool narrow_a = o->sub < IR_V_SADDW, add = !((o->sub - IR_V_SADDL) & 2);
        extend(e, o->y, is_signed, 3, b, upper);
        if (narrow_a) {
            extend(e, o->y, is_signed, 0, a, upper);
            a = 0;
        }
        vec_lane(e, add ? IR_V_ADD : IR_V_SUB, wide.y, out, a, 3);
        break;
    }
    }
    if (accumulate)
        vec_accumulate(e, &wide, subtract);
    else
        vec_finish(e, &wide, out);
    return true;
}

bool vec_shift_long(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    struct ir_op wide = vec_wide_result(o);
    unsigned out = vec_out(e, &wide);
    extend(e, o->y, o->sub == IR_V_SSHLL, out, a, o->flags & IR_Q);
    if (o->x)
        vec_shift(e, VEC_SHL, wide.y, out, out, o->x);
    vec_finish(e, &wide, out);
    return true;
}

/* Bytes: VPMADDUBSW by ones, where the one operand is unsigned, the other signed. Halfwords:
 * VPMADDWD. Words: products with one of the lower halves, and of the upper ones. */
void vec_add_neighbours(struct emitter *e, unsigned z, bool is_signed, unsigned d, unsigned a)
{
    static const struct vec_code multiply = {1, 2, X86_W_EVEX, 0x28};
    if (z == 0 && is_signed) {
        x86_vec(e->buf, 1, 1, 0, 0x6f, 0, X86_NO_SECOND, vec_const(e, VEC_ONE8, 0));
        vec_op(e, (struct vec_code){1, 2, 0, 0x04}, d, 0, rm_reg(a));
    } else if (z == 0) {
        vec_op(e, (struct vec_code){1, 2, 0, 0x04}, d, a, vec_const(e, VEC_ONE8, 0));
    } else if (z == 1 && is_signed) {
        vec_op(e, (struct vec_code){1, 1, 0, 0xf5}, d, a, vec_const(e, VEC_ONE16, 0));
    } else if (is_signed) {
        vec_shift(e, VEC_SHR, 3, 3, a, 32);
        vec_op(e, multiply, 0, a, vec_const(e, VEC_ONE64, 0));
        vec_op(e, multiply, 3, 3, vec_const(e, VEC_ONE64, 0));
        vec_lane(e, IR_V_ADD, 3, d, 0, 3);
    } else {
        vec_shift(e, VEC_SHR, z + 1, 3, a, 8u << z);
        vec_with(e, IR_V_AND, 0, 0, a, z == 1 ? VEC_LOW16 : VEC_LOW32);
        vec_lane(e, IR_V_ADD, z + 1, d, 0, 3);
    }
}

bool vec_pairs_long(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    struct ir_op wide = *o;
    wide.y++;
    bool adds = o->sub == IR_V_UADALP || o->sub == IR_V_SADALP;
    unsigned out = adds ? 0 : vec_out(e, o);
    vec_add_neighbours(e, o->y, o->sub == IR_V_SADDLP || o->sub == IR_V_SADALP, out, a);
    if (adds)
        vec_accumulate(e, &wide, false);
    else
        vec_finish(e, &wide, out);
    return true;
}

/* --- half the size -------------------------------------------------------------------------------
 */

/* The lower half of xmm `reg` is a narrow result. */
static void set_half(struct emitter *e, const struct ir_op *o, unsigned reg)
{
    if (!(o->flags & IR_Q)) {
        vec_finish(e, o, reg);
        return;
    }
    unsigned d = vec_use(e, o->d, reg == 0 ? 3 : 0);
    vec_lane(e, IR_V_ZIP1, 3, d, d, reg);
    vec_done(e, o->d, d);
}

/* The lower or upper halves of a's elements of twice 1 << z bytes, as the instruction's result. */
static void pick_halves(struct emitter *e, const struct ir_op *o, bool upper, unsigned a)
{
    bool direct = !(o->flags & IR_Q);
    unsigned d = direct ? vec_dest(e, o->d, 0) : 0;
    enum vec_constant order = (upper ? VEC_UPPER_HALVES : VEC_LOWER_HALVES) + o->y;
    x86_vec(e->buf, 1, 2, 0, 0x00, d, a, vec_const(e, order, 0)); /* vpshufb, with zeros above */
    if (direct)
        vec_done(e, o->d, d);
    else
        set_half(e, o, d);
}

enum clamp { CLAMP_NONE, CLAMP_SIGNED, CLAMP_UNSIGNED, CLAMP_SIGNED_TO_UNSIGNED };

/* AVX-512 from 64 bits: VPMOVSQD and VPMOVUSQD, and a look whether they left the number as it was.
 */
static void clamp_words_by_move(struct emitter *e, const struct ir_op *o, enum clamp clamp,
                                unsigned a, unsigned bytes)
{
    bool is_signed = clamp == CLAMP_SIGNED;
    unsigned from = a;
    if (clamp == CLAMP_SIGNED_TO_UNSIGNED) { /* vpmaxsq with zero */
        vec_zero(e, 2);
        x86_evex(e->buf, 1, 2, 1, 0x3d, 2, 2, rm_reg(a));
        from = 2;
    }
    x86_evex(e->buf, 2, 2, 0, is_signed ? 0x25 : 0x15, from, X86_NO_SECOND, rm_reg(3));
    extend(e, 2, is_signed, 2, 3, false);
    vec_lane(e, IR_V_EOR, 0, 2, 2, a);
    vec_saturated_if(e, 2, bytes);
    set_half(e, o, 3);
}

/* From 64 bits: a look at what the upper word should be. Works on xmm0. */
static void clamp_words(struct emitter *e, const struct ir_op *o, enum clamp clamp, unsigned bytes)
{
    bool to_signed = clamp == CLAMP_SIGNED;
    if (to_signed) { /* the sign of the lower word, else zero */
        vec_shift(e, VEC_SAR, 2, 2, 0, 31);
        vec_shuffle(e, 2, 2, 0xa0);
    } else {
        vec_zero(e, 2);
    }
    vec_lane(e, IR_V_CMEQ, 2, 2, 2, 0);
    vec_shuffle(e, 2, 2, 0xf5);
    vec_with(e, IR_V_EOR, 0, 2, 2, VEC_ONES);
    if (clamp != CLAMP_UNSIGNED)
        vec_spread_sign(e, 3, 0);
    if (to_signed) {
        vec_with(e, IR_V_EOR, 0, 3, 3, VEC_ABS32);
        vec_blend(e, 2, 0, 2, 3, 0);
    } else {
        vec_lane(e, IR_V_ORR, 0, 0, 0, 2);
        if (clamp == CLAMP_SIGNED_TO_UNSIGNED)
            vec_lane(e, IR_V_BIC, 0, 0, 3, 0);
    }
    vec_saturated_if(e, 2, bytes);
    vec_shuffle(e, 0, 0, 0x08);
    set_half(e, o, 0);
}

/* x86 packs with saturation, from signed numbers: it shows when the result is extended again. */
static void clamp_to_half(struct emitter *e, const struct ir_op *o, enum clamp clamp, unsigned a)
{
    static const struct vec_code to_signed[] = {{1, 1, 0, 0x63}, {1, 1, 0, 0x6b}};
    static const struct vec_code to_unsigned[] = {{1, 1, 0, 0x67}, {1, 2, 0, 0x2b}};
    struct ir_op wide = vec_wide_result(o);
    unsigned z = o->y, bytes = vec_bytes(&wide, wide.y);
    if (z == 2 && vec_wide(e)) {
        clamp_words_by_move(e, o, clamp, a, bytes);
        return;
    }
    if (z == 2) {
        vec_copy_reg(e, 0, a);
        clamp_words(e, o, clamp, bytes);
        return;
    }
    if (clamp == CLAMP_UNSIGNED) {
        vec_with(e, IR_V_UMIN, wide.y, 3, a, z ? VEC_LOW16 : VEC_LOW8);
        vec_lane(e, IR_V_EOR, 0, 2, 3, a);
        vec_op(e, to_unsigned[z], 3, 3, rm_reg(3));
    } else {
        bool is_signed = clamp == CLAMP_SIGNED;
        vec_op(e, is_signed ? to_signed[z] : to_unsigned[z], 3, a, rm_reg(a));
        extend(e, z, is_signed, 2, 3, false);
        vec_lane(e, IR_V_EOR, 0, 2, 2, a);
    }
    vec_saturated_if(e, 2, bytes);
    set_half(e, o, 3);
}

bool vec_narrow(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    static const struct {
        uint8_t kind;
        bool rounds;
        uint8_t clamp;
    } rows[] = {
        [IR_V_SHRN - IR_V_SHRN] = {VEC_SHR, false, CLAMP_NONE},
        [IR_V_RSHRN - IR_V_SHRN] = {VEC_SHR, true, CLAMP_NONE},
        [IR_V_SQSHRN - IR_V_SHRN] = {VEC_SAR, false, CLAMP_SIGNED},
        [IR_V_SQRSHRN - IR_V_SHRN] = {VEC_SAR, true, CLAMP_SIGNED},
        [IR_V_UQSHRN - IR_V_SHRN] = {VEC_SHR, false, CLAMP_UNSIGNED},
        [IR_V_UQRSHRN - IR_V_SHRN] = {VEC_SHR, true, CLAMP_UNSIGNED},
        [IR_V_SQSHRUN - IR_V_SHRN] = {VEC_SAR, false, CLAMP_SIGNED_TO_UNSIGNED},
        [IR_V_SQRSHRUN - IR_V_SHRN] = {VEC_SAR, true, CLAMP_SIGNED_TO_UNSIGNED},
    };
    unsigned row = o->sub - (unsigned)IR_V_SHRN;
    enum vec_shift kind = (enum vec_shift)rows[row].kind;
    if (rows[row].clamp)
        flags_clobber(e);
    if (!rows[row].clamp && !rows[row].rounds && o->x == 8u << o->y) {
        pick_halves(e, o, true, a);
        return true;
    }
    if (o->x) {
        if (rows[row].rounds)
            vec_shift_rounded(e, kind, o->y + 1u, 0, a, o->x);
        else
            vec_shift_lanes(e, kind, o->y + 1u, 0, a, o->x);
        a = 0;
    }
    if (rows[row].clamp)
        clamp_to_half(e, o, (enum clamp)rows[row].clamp, a);
    else
        pick_halves(e, o, false, a);
    return true;
}

/* The upper halves of sums or differences. */
bool vec_narrow_high(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    static const uint8_t half[] = {VEC_HALF8, VEC_HALF16, VEC_HALF32};
    bool add = o->sub == IR_V_ADDHN || o->sub == IR_V_RADDHN;
    unsigned wide = o->y + 1u;
    vec_lane(e, add ? IR_V_ADD : IR_V_SUB, wide, 0, a, b);
    if (o->sub == IR_V_RADDHN || o->sub == IR_V_RSUBHN)
        vec_with(e, IR_V_ADD, wide, 0, 0, (enum vec_constant)half[o->y]);
    pick_halves(e, o, true, 0);
    return true;
}
