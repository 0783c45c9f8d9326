/* emit_simd_fp.c: floating point on vectors, by the rules of emit_fp.c: one test over all lanes of
 * the result, and the interpreter for the whole instruction if any of them is out of the ordinary.
 *
 * Lanes that the instruction does not have must not raise exceptions: a 64-bit operand is doubled
 * into the upper half, a scalar one copied to every lane, so that they raise what is raised anyway.
 */
#include "core/x86_64/emit_simd.h"

static bool is_double(const struct ir_op *o)
{
    return o->type == IR_F64;
}

/* A packed instruction in 0F: 66 for double. */
static struct vec_code packed(bool is_64, uint8_t opcode)
{
    return is_64 ? (struct vec_code){1, 1, X86_W_EVEX, opcode} : (struct vec_code){0, 1, 0, opcode};
}

static void cold_if(struct emitter *e, enum x86_cc cc)
{
    cold_add(e, COLD_INTERPRET, x86_jcc(e->buf, cc));
}

/* The register that holds V[v], or `scratch` with its lanes repeated. */
static unsigned operand(struct emitter *e, const struct ir_op *o, bool one_lane, unsigned v,
                        unsigned scratch)
{
    unsigned reg = vec_use(e, v, scratch);
    if (one_lane && !is_double(o))
        x86_vec(e->buf, 1, 2, 0, 0x18, scratch, X86_NO_SECOND, rm_reg(reg)); /* vbroadcastss */
    else if (!(o->flags & IR_Q))
        vec_lane(e, IR_V_ZIP1, 3, scratch, reg, reg);
    else
        return reg;
    return scratch;
}

static void copy(struct emitter *e, unsigned to, unsigned from)
{
    if (to != from)
        x86_vec(e->buf, 1, 1, 0, 0x6f, to, X86_NO_SECOND, rm_reg(from));
}

/* Element o->size - 1 of B in all lanes of xmm2. */
static unsigned element(struct emitter *e, const struct ir_op *o)
{
    unsigned b = vec_use(e, o->b, 2), z = is_double(o) ? 3 : 2;
    if (o->size > 1) {
        vec_shift_bytes(e, 2, b, (o->size - 1u) << z);
        b = 2;
    }
    x86_vec(e->buf, 1, 2, z == 3 ? X86_W_EVEX : 0, z == 3 ? 0x59 : 0x58, 2, X86_NO_SECOND,
            rm_reg(b));
    return 2;
}

static void finish(struct emitter *e, const struct ir_op *o, bool one_lane)
{
    vec_set(e, o->d, 0, o->flags & IR_Q ? 16 : one_lane && !is_double(o) ? 4 : 8);
}

/* vcmpps, vcmppd. All of them scratch registers: EVEX would compare into a mask. */
static void compare(struct emitter *e, bool is_64, unsigned d, unsigned a, struct x86_rm b,
                    unsigned predicate)
{
    vec_op_imm(e, packed(is_64, 0xc2), d, a, b, predicate);
}

enum predicate { LT = 1, LE = 2, UNORDERED = 3, EQ = 0, EQ_OR_UNORDERED = 8, GE = 13, GT = 14 };

/* Any lane of xmm `reg` has its top bit: to the cold path. */
static void cold_if_any(struct emitter *e, bool is_64, unsigned reg)
{
    x86_vec(e->buf, 1, 2, 0, is_64 ? 0x0f : 0x0e, reg, X86_NO_SECOND, rm_reg(reg)); /* vtestp */
    cold_if(e, CC_NE);
}

/* As check() in emit_fp.c, of every lane of xmm0. */
static void check(struct emitter *e, bool is_64, bool tiny)
{
    if (tiny) {
        x86_vec(e->buf, 0, 1, 0, 0x54, 3, 0, vec_const(e, is_64 ? VEC_ABS64 : VEC_ABS32, 0));
        compare(e, is_64, 3, 3, vec_const(e, is_64 ? VEC_MIN64 : VEC_MIN32, 1), EQ_OR_UNORDERED);
    } else {
        compare(e, is_64, 3, 0, rm_reg(0), UNORDERED);
    }
    cold_if_any(e, is_64, 3);
}

static void absolute(struct emitter *e, bool is_64, unsigned d, unsigned a)
{
    x86_vec(e->buf, 0, 1, 0, 0x54, d, a, vec_const(e, is_64 ? VEC_ABS64 : VEC_ABS32, 0));
}

/* Both ways round, as in emit_fp.c. */
static void min_max(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    bool is_64 = is_double(o), max = o->sub == IR_FMAX;
    copy(e, 1, a);
    copy(e, 2, b);
    compare(e, is_64, 3, 1, rm_reg(2), UNORDERED);
    cold_if_any(e, is_64, 3);
    vec_op(e, packed(is_64, max ? 0x5f : 0x5d), 0, 1, rm_reg(2));
    vec_op(e, packed(is_64, max ? 0x5f : 0x5d), 3, 2, rm_reg(1));
    x86_vec(e->buf, 0, 1, 0, max ? 0x54 : 0x56, 0, 0, rm_reg(3));
}

/* The host's predicates raise Invalid exactly where Arm's comparisons do. */
static void compare_lanes(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    static const uint8_t predicates[] = {
        [IR_FCMEQ] = EQ, [IR_FCMGE] = GE, [IR_FCMGT] = GT, [IR_FCMLE] = LE,
        [IR_FCMLT] = LT, [IR_FACGE] = GE, [IR_FACGT] = GT,
    };
    if (o->sub == IR_FACGE || o->sub == IR_FACGT) {
        absolute(e, is_double(o), 1, a);
        absolute(e, is_double(o), 2, b);
    } else {
        copy(e, 1, a);
        copy(e, 2, b);
    }
    compare(e, is_double(o), 0, 1, rm_reg(2), predicates[o->sub]);
}

/* xmm0 = sums of neighbours of b:a. */
static void add_pairs(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    if (is_double(o)) {
        vec_lane(e, IR_V_ZIP2, 3, 3, a, b);
        vec_lane(e, IR_V_ZIP1, 3, 0, a, b);
    } else { /* vshufps: the odd ones, the even ones */
        vec_op_imm(e, packed(false, 0xc6), 3, a, rm_reg(b), 0xdd);
        vec_op_imm(e, packed(false, 0xc6), 0, a, rm_reg(b), 0x88);
    }
    vec_op(e, packed(is_double(o), 0x58), 0, 0, rm_reg(3));
}

static void arithmetic(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    static const uint8_t opcodes[] = {
        [IR_FADD] = 0x58, [IR_FSUB] = 0x5c, [IR_FMUL] = 0x59, [IR_FDIV] = 0x5e, [IR_FABD] = 0x5c};
    bool tiny = o->sub == IR_FMUL || o->sub == IR_FDIV || o->sub == IR_FMLA || o->sub == IR_FMLS;
    if (o->sub == IR_FMLA || o->sub == IR_FMLS) { /* vfmadd231, vfnmadd231 */
        copy(e, 0, operand(e, o, o->y, o->d, 0));
        x86_vec(e->buf, 1, 2, is_double(o), o->sub == IR_FMLA ? 0xb8 : 0xbc, 0, a, rm_reg(b));
    } else if (o->sub == IR_FADDP) {
        add_pairs(e, o, a, b);
    } else {
        vec_op(e, packed(is_double(o), opcodes[o->sub]), 0, a, rm_reg(b));
    }
    check(e, is_double(o), tiny);
    if (o->sub == IR_FABD)
        absolute(e, is_double(o), 0, 0);
}

void emit_VFP3(struct emitter *e, const struct ir_op *o)
{
    bool one_lane = o->y;
    unsigned a, b = 2;
    flags_clobber(e);
    if (o->sub == IR_FADDP && one_lane && is_double(o)) {
        a = b = vec_use(e, o->a, 1);
    } else if (o->sub == IR_FADDP &&
               !(o->flags & IR_Q)) { /* of both lower halves, in both halves */
        vec_lane(e, IR_V_ZIP1, 3, 1, vec_use(e, o->a, 1), vec_use(e, o->b, 2));
        a = b = 1;
    } else {
        a = operand(e, o, one_lane, o->a, 1);
        if (o->b == IR_IMM)
            vec_zero(e, 2);
        else
            b = o->size ? element(e, o) : operand(e, o, one_lane, o->b, 2);
    }
    if (o->sub == IR_FMAX || o->sub == IR_FMIN)
        min_max(e, o, a, b);
    else if (o->sub >= IR_FCMEQ)
        compare_lanes(e, o, a, b);
    else
        arithmetic(e, o, a, b);
    finish(e, o, one_lane);
}

/* --- one operand -------------------------------------------------------------------------------
 */

/* vroundps, vroundpd; vrndscale in EVEX. */
static void round_lanes(struct emitter *e, const struct ir_op *o, unsigned a)
{
    static const uint8_t modes[] = {
        [IR_RN] = 0, [IR_RM] = 1, [IR_RP] = 2, [IR_RZ] = 3, [IR_RCURRENT] = 4};
    struct vec_code c = {1, 3, is_double(o) ? X86_W_EVEX : 0, is_double(o) ? 0x09 : 0x08};
    vec_op_imm(e, c, 0, X86_NO_SECOND, rm_reg(a), modes[o->x] | (o->y ? 0u : 8u));
    check(e, is_double(o), false);
}

/* Integers of the same size; all but the signed 32-bit ones need AVX-512. */
static bool from_integer(struct emitter *e, const struct ir_op *o, unsigned a)
{
    bool is_unsigned = o->sub == IR_F_FROM_UNSIGNED;
    if (!is_unsigned && !is_double(o)) {
        x86_vec(e->buf, 0, 1, 0, 0x5b, 0, X86_NO_SECOND, rm_reg(a)); /* vcvtdq2ps */
        return true;
    }
    if (!vec_wide(e))
        return false;
    unsigned opcode = is_unsigned ? 0x7a : 0xe6;
    x86_evex(e->buf, is_double(o) ? 2 : 3, 1, is_double(o), opcode, 0, X86_NO_SECOND, rm_reg(a));
    return true;
}

/* Out of range gives the top bit alone, or all ones where unsigned: both to the cold path. */
static bool to_integer(struct emitter *e, const struct ir_op *o, unsigned a)
{
    bool is_64 = is_double(o), is_unsigned = o->sub == IR_F_TO_UNSIGNED;
    if (!is_unsigned && !is_64)
        x86_vec(e->buf, 2, 1, 0, 0x5b, 0, X86_NO_SECOND, rm_reg(a)); /* vcvttps2dq */
    else if (!vec_wide(e))
        return false;
    else
        x86_evex(e->buf, is_64 ? 1 : 0, 1, is_64, is_unsigned ? 0x78 : 0x7a, 0, X86_NO_SECOND,
                 rm_reg(a));
    if (is_unsigned) {
        vec_ones(e, 3);
        vec_lane(e, IR_V_CMEQ, is_64 ? 3 : 2, 3, 3, 0);
    } else {
        vec_op(e, vec_lanes[IR_V_CMEQ][is_64 ? 3 : 2], 3, 0,
               vec_const(e, is_64 ? VEC_SIGN64 : VEC_SIGN32, 0));
    }
    cold_if_any(e, is_64, 3);
    return true;
}

/* Between single and double; IR_Q: the upper half of the narrow side. */
static void resize(struct emitter *e, const struct ir_op *o)
{
    bool upper = o->flags & IR_Q;
    unsigned a = vec_use(e, o->a, 1);
    if (o->sub == IR_F_LONG) {
        if (upper)
            vec_shift_bytes(e, 1, a, 8);
        vec_op(e, packed(false, 0x5a), 0, X86_NO_SECOND, rm_reg(upper ? 1 : a));
        check(e, true, false);
        vec_set(e, o->d, 0, 16);
        return;
    }
    vec_op(e, packed(true, 0x5a), 0, X86_NO_SECOND, rm_reg(a));
    check(e, false, true);
    if (upper)
        vec_lane(e, IR_V_ZIP1, 3, 0, vec_use(e, o->d, 3), 0);
    vec_set(e, o->d, 0, upper ? 16 : 8);
}

void emit_VFP2(struct emitter *e, const struct ir_op *o)
{
    bool done = true, one_lane = o->size;
    if (o->sub == IR_F_ABS || o->sub == IR_F_NEG) {
        x86_vec(e->buf, 0, 1, 0, o->sub == IR_F_ABS ? 0x54 : 0x57, 0, vec_use(e, o->a, 1),
                vec_const(e,
                          o->sub == IR_F_ABS ? is_double(o) ? VEC_ABS64 : VEC_ABS32
                          : is_double(o)     ? VEC_SIGN64
                                             : VEC_SIGN32,
                          0));
        finish(e, o, one_lane);
        return;
    }
    flags_clobber(e);
    if (o->sub == IR_F_LONG || o->sub == IR_F_NARROW) {
        resize(e, o);
        return;
    }
    unsigned a = operand(e, o, one_lane, o->a, 1);
    switch (o->sub) {
    case IR_F_SQRT:
        vec_op(e, packed(is_double(o), 0x51), 0, X86_NO_SECOND, rm_reg(a));
        check(e, is_double(o), false);
        break;
    case IR_F_RINT:
        round_lanes(e, o, a);
        break;
    case IR_F_FROM_SIGNED:
    case IR_F_FROM_UNSIGNED:
        done = from_integer(e, o, a);
        break;
    default:
        done = to_integer(e, o, a);
        break;
    }
    if (done)
        finish(e, o, one_lane);
    else
        emit_INTERPRET(e, o);
}
