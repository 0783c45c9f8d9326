/* emit_simd_fp.c: floating point on vectors, by the rules of emit_fp.c: one test over all lanes of
 * the result, and the interpreter for the whole instruction if any of them is out of the ordinary.
 *
 * Lanes that the instruction does not have must not raise exceptions: a 64-bit operand is doubled
 * into the upper half, a scalar one copied to every lane, so that they raise what is raised anyway.
 * With AVX-512 a mask leaves them out and clears them in the result.
 */
#include "core/x86_64/emit_fp.h"

unsigned fp_operand(struct emitter *e, const struct ir_op *o, bool one_lane, unsigned v,
                    unsigned scratch)
{
    unsigned reg = vec_use(e, v, scratch);
    if (one_lane && !fp_double(o))
        x86_vec(e->buf, 1, 2, 0, 0x18, scratch, X86_NO_SECOND, rm_reg(reg)); /* vbroadcastss */
    else if (!(o->flags & IR_Q))
        vec_lane(e, IR_V_ZIP1, 3, scratch, reg, reg);
    else
        return reg;
    return scratch;
}

/* Element o->size - 1 of B, or complex number, in all lanes of xmm2. */
static unsigned element(struct emitter *e, const struct ir_op *o)
{
    unsigned b = vec_use(e, o->b, 2), z = fp_double(o) || o->sub == IR_FCMLA ? 3 : 2;
    vec_spread(e, z, 2, b, o->size - 1u);
    return 2;
}

/* The lanes that the instruction has; k is 0 for all of them, and without AVX-512. */
static struct x86_lanes lanes_of(const struct emitter *e, const struct ir_op *o)
{
    bool one = o->y || fp_double(o), masked = vec_wide(e) && !(o->flags & IR_Q);
    return (struct x86_lanes){.k = !masked ? 0 : one ? VEC_SCALAR_MASK : VEC_PAIR_MASK};
}

/* Where such an instruction may put its result; `apart`: only where both operands stay. */
static unsigned result(const struct emitter *e, const struct ir_op *o, bool apart)
{
    if (apart && (o->d == o->a || o->d == o->b))
        return 0;
    return lanes_of(e, o).k ? vec_dest(e, o->d, 0) : vec_out(e, o);
}

static void packed(struct emitter *e, const struct ir_op *o, unsigned map, unsigned opcode,
                   unsigned d, unsigned a, unsigned b)
{
    struct x86_lanes lanes = lanes_of(e, o);
    unsigned pp = map == 1 ? fp_double(o) : 1;
    if (lanes.k)
        x86_evex_lanes(e->buf, lanes, pp, map, fp_double(o), opcode, d, a, rm_reg(b));
    else
        x86_vec(e->buf, pp, map, map == 1 && fp_double(o) ? X86_W_EVEX : fp_double(o), opcode, d, a,
                rm_reg(b));
}

static void finish(struct emitter *e, const struct ir_op *o, bool one_lane, unsigned reg)
{
    vec_set(e, o->d, reg, o->flags & IR_Q ? 16 : one_lane && !fp_double(o) ? 4 : 8);
}

struct cold *fp_cold_if_any(struct emitter *e, bool is_64, unsigned reg)
{
    vec_test_signs(e, is_64, reg, 16);
    return cold_add(e, COLD_INTERPRET, x86_jcc(e->buf, CC_NE));
}

struct cold *fp_cold_if_mask(struct emitter *e)
{
    x86_vec(e->buf, 1, 1, 0, 0x98, 1, X86_NO_SECOND, rm_reg(1)); /* kortestb */
    return cold_add(e, COLD_INTERPRET, x86_jcc(e->buf, CC_NE));
}

/* vcmpps, vcmppd into k1. */
static void compare_to_mask(struct emitter *e, struct x86_lanes lanes, bool is_64, unsigned a,
                            unsigned b, enum fp_predicate predicate)
{
    x86_evex_lanes(e->buf, (struct x86_lanes){.k = lanes.k, .merge = true}, is_64, 1, is_64, 0xc2,
                   1, a, rm_reg(b));
    x86_byte(e->buf, (uint8_t)predicate);
}

static struct cold *cold_if_unordered(struct emitter *e, struct x86_lanes lanes, bool is_64,
                                      unsigned a, unsigned b)
{
    compare_to_mask(e, lanes, is_64, a, b, FP_UNORDERED);
    return fp_cold_if_mask(e);
}

/* As check() in emit_fp.c, of every lane. */
struct cold *fp_check(struct emitter *e, bool is_64, bool tiny, unsigned reg)
{
    if (tiny) {
        x86_vec(e->buf, 0, 1, 0, 0x54, 3, reg, vec_const(e, is_64 ? VEC_ABS64 : VEC_ABS32, 0));
        fp_compare(e, is_64, 3, 3, vec_const(e, is_64 ? VEC_MIN64 : VEC_MIN32, 1),
                   FP_EQ_OR_UNORDERED);
        return fp_cold_if_any(e, is_64, 3);
    }
    if (reg < 16) {
        fp_compare(e, is_64, 3, reg, rm_reg(reg), FP_UNORDERED);
        return fp_cold_if_any(e, is_64, 3);
    }
    return cold_if_unordered(e, (struct x86_lanes){0}, is_64, reg, reg);
}

/* xmm0 = the larger or smaller of xmm1 and xmm2, which are no NaNs, both ways round as in
 * emit_fp.c.
 */
static void both_ways(struct emitter *e, bool is_64, bool max)
{
    vec_op(e, fp_packed(is_64, max ? 0x5f : 0x5d), 0, 1, rm_reg(2));
    vec_op(e, fp_packed(is_64, max ? 0x5f : 0x5d), 3, 2, rm_reg(1));
    x86_vec(e->buf, 0, 1, 0, max ? 0x54 : 0x56, 0, 0, rm_reg(3));
}

static unsigned min_max(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    bool is_64 = fp_double(o), max = o->sub == IR_FMAX || o->sub == IR_FMAXP;
    if (vec_wide(e)) {
        unsigned out = result(e, o, false);
        cold_if_unordered(e, lanes_of(e, o), is_64, a, b);
        fp_range(e, lanes_of(e, o), is_64, max, out, a, rm_reg(b));
        return out;
    }
    vec_copy_reg(e, 1, a);
    vec_copy_reg(e, 2, b);
    fp_compare(e, is_64, 3, 1, rm_reg(2), FP_UNORDERED);
    fp_cold_if_any(e, is_64, 3);
    both_ways(e, is_64, max);
    return 0;
}

/* FMAXV, FMINV: of four singles. */
static void min_max_across(struct emitter *e, const struct ir_op *o, unsigned a)
{
    bool max = o->sub == IR_F_MAXV;
    vec_shuffle(e, 2, a, 0x4e);
    if (vec_wide(e)) {
        cold_if_unordered(e, (struct x86_lanes){0}, false, a, 2);
        fp_range(e, (struct x86_lanes){0}, false, max, 0, a, rm_reg(2));
        vec_shuffle(e, 2, 0, 0xb1);
        fp_range(e, (struct x86_lanes){0}, false, max, 0, 0, rm_reg(2));
        vec_set(e, o->d, 0, 4);
        return;
    }
    vec_copy_reg(e, 1, a);
    fp_compare(e, false, 3, 1, rm_reg(2), FP_UNORDERED);
    fp_cold_if_any(e, false, 3);
    both_ways(e, false, max);
    vec_copy_reg(e, 1, 0);
    vec_shuffle(e, 2, 0, 0xb1);
    both_ways(e, false, max);
    vec_set(e, o->d, 0, 4);
}

static unsigned compare_lanes(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    enum fp_predicate predicate = (enum fp_predicate)fp_predicate_of((enum ir_fbin)o->sub);
    bool is_64 = fp_double(o);
    unsigned out = result(e, o, false);
    if (o->sub == IR_FACGE || o->sub == IR_FACGT) {
        fp_absolute(e, is_64, 1, a);
        fp_absolute(e, is_64, 2, b);
        a = 1;
        b = 2;
    }
    if (a < 16 && b < 16 && out < 16 && !lanes_of(e, o).k) {
        fp_compare(e, is_64, out, a, rm_reg(b), predicate);
    } else { /* vpmovm2d, vpmovm2q */
        compare_to_mask(e, lanes_of(e, o), is_64, a, b, predicate);
        x86_evex(e->buf, 2, 2, is_64, 0x38, out, X86_NO_SECOND, rm_reg(1));
    }
    return out;
}

/* xmm0 = the even lanes of b:a, xmm3 = the odd ones. */
static void split_pairs(struct emitter *e, bool is_64, unsigned a, unsigned b)
{
    if (is_64) {
        vec_lane(e, IR_V_ZIP2, 3, 3, a, b);
        vec_lane(e, IR_V_ZIP1, 3, 0, a, b);
    } else { /* vshufps */
        vec_op_imm(e, fp_packed(false, 0xc6), 3, a, rm_reg(b), 0xdd);
        vec_op_imm(e, fp_packed(false, 0xc6), 0, a, rm_reg(b), 0x88);
    }
}

/* Steps towards a reciprocal (2 - a b) or its root ((3 - a b) / 2), and FMULX: zero times infinity
 * is none of x86's exceptions there, so infinities are cold before, and for the steps all numbers
 * whose product might overflow. Halving is then exact. */
static unsigned step(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    bool is_64 = fp_double(o), whole = o->sub == IR_FMULX;
    struct x86_rm limit = vec_const(e,
                                    whole   ? is_64 ? VEC_INF64 : VEC_INF32
                                    : is_64 ? VEC_TWO_511
                                            : VEC_TWO_63,
                                    1);
    fp_absolute(e, is_64, 3, a);
    fp_absolute(e, is_64, 0, b);
    fp_compare(e, is_64, 3, 3, limit, FP_NOT_LESS_QUIET);
    limit.after = 1;
    fp_compare(e, is_64, 0, 0, limit, FP_NOT_LESS_QUIET);
    vec_lane(e, IR_V_ORR, 0, 3, 3, 0);
    fp_cold_if_any(e, is_64, 3);
    if (whole) {
        vec_op(e, fp_packed(is_64, 0x59), 0, a, rm_reg(b));
        fp_check(e, is_64, true, 0);
        return 0;
    }
    bool root = o->sub == IR_FRSQRTS;
    enum vec_constant start = root    ? is_64 ? VEC_THREE_F64 : VEC_THREE_F32
                              : is_64 ? VEC_TWO_F64
                                      : VEC_TWO_F32;
    x86_vec(e->buf, 1, 1, 0, 0x6f, 0, X86_NO_SECOND, vec_const(e, start, 0));
    if (e->request->host->fma)
        x86_vec(e->buf, 1, 2, is_64, 0xbc, 0, a, rm_reg(b)); /* vfnmadd231 */
    else
        fused_lanes(e, is_64, o->flags & IR_Q, true, a, b);
    if (root)
        fp_with(e, is_64, 0x59, 0, 0, VEC_HALF_F32, VEC_HALF_F64);
    return 0;
}

/* FCADD, FCMLA: b turned by o->x right angles. Which of its parts change places, and signs. */
static void turn(struct emitter *e, const struct ir_op *o, unsigned d, unsigned b, bool swap)
{
    static const uint8_t signs[2][4] = {{0, VEC_SIGN_EVEN32, VEC_SIGN32, VEC_SIGN_ODD32},
                                        {0, VEC_SIGN_EVEN64, VEC_SIGN64, VEC_SIGN_ODD64}};
    enum vec_constant sign = (enum vec_constant)signs[fp_double(o)][o->x];
    if (swap)
        vec_shuffle(e, d, b, fp_double(o) ? 0x4e : 0xb1);
    else
        vec_copy_reg(e, d, b);
    if (sign)
        vec_with(e, IR_V_EOR, 0, d, d, sign);
}

static unsigned complex(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    bool is_64 = fp_double(o), odd = o->x & 1;
    turn(e, o, 2, b, odd);
    if (o->sub == IR_FCADD) {
        vec_op(e, fp_packed(is_64, 0x58), 0, a, rm_reg(2));
        fp_check(e, is_64, false, 0);
        return 0;
    }
    vec_shuffle(e, 1, a, is_64 ? odd ? 0xee : 0x44 : odd ? 0xf5 : 0xa0);
    vec_copy_reg(e, 0, fp_operand(e, o, false, o->d, 0));
    if (!e->request->host->fma) {
        fused_lanes(e, is_64, o->flags & IR_Q, false, 1, 2);
        return 0;
    }
    x86_vec(e->buf, 1, 2, is_64, 0xb8, 0, 1, rm_reg(2)); /* vfmadd231 */
    fp_check(e, is_64, true, 0);
    return 0;
}

/* FMLA, FMLS: vfmadd231, vfnmadd231. Where the sum has a register of its own xmm0 keeps what it
 * was, for the interpreter. */
static unsigned fused(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    if (!e->request->host->fma) {
        vec_copy_reg(e, 0, fp_operand(e, o, o->y, o->d, 0));
        fused_lanes(e, fp_double(o), o->flags & IR_Q, o->sub == IR_FMLS, a, b);
        return 0;
    }
    unsigned opcode = o->sub == IR_FMLA ? 0xb8 : 0xbc, d = result(e, o, false);
    vec_copy_reg(e, 0, lanes_of(e, o).k ? vec_use(e, o->d, 0) : fp_operand(e, o, o->y, o->d, 0));
    packed(e, o, 2, opcode, d, a, b);
    struct cold *c = fp_check(e, fp_double(o), true, d);
    if (d)
        c->restore = (uint8_t)(o->d + 1);
    return d;
}

static unsigned arithmetic(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    static const uint8_t opcodes[] = {
        [IR_FADD] = 0x58, [IR_FSUB] = 0x5c, [IR_FMUL] = 0x59, [IR_FDIV] = 0x5e, [IR_FABD] = 0x5c};
    bool tiny = o->sub == IR_FMUL || o->sub == IR_FDIV;
    unsigned d = o->sub == IR_FABD ? 0 : result(e, o, true);
    packed(e, o, 1, opcodes[o->sub], d, a, b);
    fp_check(e, fp_double(o), tiny, d);
    if (o->sub != IR_FABD)
        return d;
    d = result(e, o, false);
    fp_absolute(e, fp_double(o), d, 0);
    return d;
}

static unsigned pairwise(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    split_pairs(e, fp_double(o), a, b);
    if (o->sub != IR_FADDP)
        return min_max(e, o, 0, 3);
    unsigned d = result(e, o, true);
    packed(e, o, 1, 0x58, d, 0, 3);
    fp_check(e, fp_double(o), false, d);
    return d;
}

typedef unsigned fp_fn(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b);
static fp_fn *const by_operation[] = {
    [IR_FADD] = arithmetic,     [IR_FSUB] = arithmetic,     [IR_FMUL] = arithmetic,
    [IR_FDIV] = arithmetic,     [IR_FABD] = arithmetic,     [IR_FMLA] = fused,
    [IR_FMLS] = fused,          [IR_FMAX] = min_max,        [IR_FMIN] = min_max,
    [IR_FADDP] = pairwise,      [IR_FMAXP] = pairwise,      [IR_FMINP] = pairwise,
    [IR_FCMEQ] = compare_lanes, [IR_FCMGE] = compare_lanes, [IR_FCMGT] = compare_lanes,
    [IR_FCMLE] = compare_lanes, [IR_FCMLT] = compare_lanes, [IR_FACGE] = compare_lanes,
    [IR_FACGT] = compare_lanes, [IR_FMULX] = step,          [IR_FRECPS] = step,
    [IR_FRSQRTS] = step,        [IR_FCADD] = complex,       [IR_FCMLA] = complex,
};

/* By packed(), or with masks otherwise: the rest of the result is clear. */
static const bool masks[] = {
    [IR_FADD] = true,    [IR_FSUB] = true,     [IR_FMUL] = true,   [IR_FDIV] = true,
    [IR_FABD] = true,    [IR_FMLA] = true,     [IR_FMLS] = true,   [IR_FMAX] = true,
    [IR_FMIN] = true,    [IR_FADDP] = true,    [IR_FMAXP] = true,  [IR_FMINP] = true,
    [IR_FCMEQ] = true,   [IR_FCMGE] = true,    [IR_FCMGT] = true,  [IR_FCMLE] = true,
    [IR_FCMLT] = true,   [IR_FACGE] = true,    [IR_FACGT] = true,  [IR_FMULX] = false,
    [IR_FRECPS] = false, [IR_FRSQRTS] = false, [IR_FCADD] = false, [IR_FCMLA] = false,
};

void emit_VFP3(struct emitter *e, const struct ir_op *o)
{
    bool one_lane = o->y, pairs = o->sub >= IR_FADDP && o->sub <= IR_FMINP;
    unsigned a, b = 2;
    flags_clobber(e);
    if (o->type == IR_F16 || o->sub == IR_FMLAL || o->sub == IR_FMLSL) {
        if (!half_three(e, o))
            emit_INTERPRET(e, o);
        return;
    }
    if (pairs && one_lane && fp_double(o)) {
        a = b = vec_use(e, o->a, 1);
    } else if (pairs && !(o->flags & IR_Q)) { /* of both lower halves, in both halves */
        vec_lane(e, IR_V_ZIP1, 3, 1, vec_use(e, o->a, 1), vec_use(e, o->b, 2));
        a = b = 1;
    } else {
        bool as_it_is = masks[o->sub] && lanes_of(e, o).k;
        a = as_it_is ? vec_use(e, o->a, 1) : fp_operand(e, o, one_lane, o->a, 1);
        if (o->b == IR_IMM)
            vec_zero(e, 2);
        else if (o->size)
            b = element(e, o);
        else
            b = as_it_is ? vec_use(e, o->b, 2) : fp_operand(e, o, one_lane, o->b, 2);
    }
    unsigned reg = by_operation[o->sub](e, o, a, b);
    if (masks[o->sub] && lanes_of(e, o).k)
        vec_done(e, o->d, reg);
    else
        finish(e, o, one_lane, reg);
}

/* --- one operand -------------------------------------------------------------------------------
 */

/* From integers of the same size in fewer lanes than there are: by a mask. Keeps EFLAGS. */
static bool from_integer_masked(struct emitter *e, const struct ir_op *o)
{
    bool is_64 = fp_double(o), is_unsigned = o->sub == IR_F_FROM_UNSIGNED;
    if ((o->sub != IR_F_FROM_SIGNED && !is_unsigned) || o->flags & IR_Q || o->c || !vec_wide(e))
        return false;
    struct x86_lanes lanes = {.k = o->size || is_64 ? VEC_SCALAR_MASK : VEC_PAIR_MASK};
    unsigned d = vec_dest(e, o->d, 0), a = vec_use(e, o->a, 0);
    if (!is_unsigned && !is_64) /* vcvtdq2ps */
        x86_evex_lanes(e->buf, lanes, 0, 1, 0, 0x5b, d, X86_NO_SECOND, rm_reg(a));
    else /* vcvtqq2pd, vcvtudq2ps, vcvtuqq2pd */
        x86_evex_lanes(e->buf, lanes, is_64 ? 2 : 3, 1, is_64, is_unsigned ? 0x7a : 0xe6, d,
                       X86_NO_SECOND, rm_reg(a));
    vec_done(e, o->d, d);
    return true;
}

void emit_VFP2(struct emitter *e, const struct ir_op *o)
{
    bool one_lane = o->size;
    if (o->type == IR_F16) {
        flags_clobber(e);
        if (!half_two(e, o))
            emit_INTERPRET(e, o);
        return;
    }
    if (o->sub == IR_F_ABS || o->sub == IR_F_NEG) {
        unsigned out = vec_out(e, o);
        x86_vec(e->buf, 0, 1, 0, o->sub == IR_F_ABS ? 0x54 : 0x57, out, vec_use(e, o->a, 1),
                vec_const(e,
                          o->sub == IR_F_ABS ? fp_double(o) ? VEC_ABS64 : VEC_ABS32
                          : fp_double(o)     ? VEC_SIGN64
                                             : VEC_SIGN32,
                          0));
        finish(e, o, one_lane, out);
        return;
    }
    if (from_integer_masked(e, o))
        return;
    flags_clobber(e);
    if (o->sub == IR_F_LONG || o->sub == IR_F_NARROW) {
        fp_resize(e, o);
        return;
    }
    unsigned a = fp_operand(e, o, one_lane, o->a, 1), result = 0;
    switch (o->sub) {
    case IR_F_SQRT:
        result = fp_result(e, o);
        vec_op(e, fp_packed(fp_double(o), 0x51), result, X86_NO_SECOND, rm_reg(a));
        fp_check(e, fp_double(o), false, result);
        break;
    case IR_F_RINT:
        result = fp_round_lanes(e, o, a);
        break;
    case IR_F_FROM_SIGNED:
    case IR_F_FROM_UNSIGNED:
        result = fp_from_integer(e, o, a);
        break;
    case IR_F_RECPE:
    case IR_F_RSQRTE:
        fp_estimate(e, o, a);
        break;
    case IR_F_MAXV:
    case IR_F_MINV:
        min_max_across(e, o, a);
        return;
    default:
        result = fp_to_integer(e, o, a);
        break;
    }
    finish(e, o, one_lane, result);
}
