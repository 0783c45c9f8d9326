/* emit_simd.c: vector integer instructions whose lanes keep their size: arithmetic, logic,
 * comparison, shifts, bits.
 *
 * What x86 has as one instruction for the lane size is a row of vec_lanes; the rest are functions
 * that work in xmm0 to xmm3, where the operands `a` and `b` may lie in xmm1 and xmm2 and the old
 * destination in xmm3. What has no good sequence is left to the interpreter right here.
 */
#include "core/x86_64/emit_simd.h"

static struct x86_rm constant(const struct emitter *e, enum vec_constant c)
{
    return vec_const(e, c, 0);
}

/* --- comparison --------------------------------------------------------------------------------
 */

/* AVX-512: into mask k1, and lanes of ones from there. Predicates as VPCMP has them. */
static void compare_by_mask(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    static const struct {
        bool is_unsigned;
        uint8_t predicate;
    } rows[] = {
        [IR_V_CMEQ] = {false, 0}, [IR_V_CMGT] = {false, 6}, [IR_V_CMGE] = {false, 5},
        [IR_V_CMHI] = {true, 6},  [IR_V_CMHS] = {true, 5},  [IR_V_CMLE] = {false, 2},
        [IR_V_CMLT] = {false, 1},
    };
    unsigned z = o->y, d = vec_dest(e, o->d, 0);
    if (o->sub == IR_V_CMTST) { /* vptestm */
        x86_evex(e->buf, 1, 2, z & 1, z < 2 ? 0x26 : 0x27, 1, a, rm_reg(b));
    } else {
        unsigned opcode = (z < 2 ? 0x3e : 0x1e) + !rows[o->sub].is_unsigned;
        x86_evex(e->buf, 1, 3, z & 1, opcode, 1, a, rm_reg(b));
        x86_byte(e->buf, rows[o->sub].predicate);
    }
    x86_evex(e->buf, 2, 2, z & 1, z < 2 ? 0x28 : 0x38, d, X86_NO_SECOND, rm_reg(1)); /* vpmovm2 */
    vec_finish(e, o, d);
}

static void invert(struct emitter *e, unsigned reg)
{
    vec_ones(e, 3);
    vec_lane(e, IR_V_EOR, 0, reg, reg, 3);
}

/* xmm0 = (a > b) unsigned: as signed, with the signs flipped. */
static void compare_higher(struct emitter *e, unsigned z, unsigned a, unsigned b)
{
    static const uint8_t signs[] = {VEC_SIGN8, VEC_SIGN16, VEC_SIGN32, VEC_SIGN64};
    vec_op(e, vec_lanes[IR_V_EOR][0], 0, a, constant(e, signs[z]));
    vec_op(e, vec_lanes[IR_V_EOR][0], 3, b, constant(e, signs[z]));
    vec_lane(e, IR_V_CMGT, z, 0, 0, 3);
}

static void compare(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    unsigned z = o->y;
    if (vec_wide(e)) {
        compare_by_mask(e, o, a, b);
        return;
    }
    switch (o->sub) {
    case IR_V_CMGT:
    case IR_V_CMEQ:
        vec_lane(e, o->sub, z, 0, a, b);
        break;
    case IR_V_CMLT:
        vec_lane(e, IR_V_CMGT, z, 0, b, a);
        break;
    case IR_V_CMGE:
        vec_lane(e, IR_V_CMGT, z, 0, b, a);
        invert(e, 0);
        break;
    case IR_V_CMLE:
        vec_lane(e, IR_V_CMGT, z, 0, a, b);
        invert(e, 0);
        break;
    case IR_V_CMHI:
        compare_higher(e, z, a, b);
        break;
    case IR_V_CMHS:
        compare_higher(e, z, b, a);
        invert(e, 0);
        break;
    default: /* CMTST */
        vec_lane(e, IR_V_AND, 0, 0, a, b);
        vec_zero(e, 3);
        vec_lane(e, IR_V_CMEQ, z, 0, 0, 3);
        invert(e, 0);
        break;
    }
    vec_finish(e, o, 0);
}

/* --- logic -------------------------------------------------------------------------------------
 */

/* VPTERNLOG's truth table over (d, a, b), or the same by AND, ANDN and OR. */
static void logic(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    static const uint8_t tables[] = {
        [IR_V_ORN] = 0xdd, [IR_V_BSL] = 0xca, [IR_V_BIT] = 0xd8, [IR_V_BIF] = 0xe4};
    unsigned d = vec_dest(e, o->d, 0);
    if (vec_wide(e)) {
        if (!(o->flags & IR_Q) || d == 0) {
            vec_copy(e, 0, o->d);
            d = 0;
        }
        x86_evex(e->buf, 1, 3, 0, 0x25, d, a, rm_reg(b));
        x86_byte(e->buf, tables[o->sub]);
        vec_finish(e, o, d);
        return;
    }
    if (o->sub == IR_V_ORN) {
        vec_ones(e, 0);
        vec_lane(e, IR_V_EOR, 0, 0, 0, b);
        vec_lane(e, IR_V_ORR, 0, 0, 0, a);
        vec_finish(e, o, 0);
        return;
    }
    /* mask ? yes : no */
    unsigned old = vec_use(e, o->d, 3);
    unsigned mask = o->sub == IR_V_BSL ? old : b;
    unsigned yes = o->sub == IR_V_BIF ? old : a;
    unsigned no = o->sub == IR_V_BSL ? b : o->sub == IR_V_BIT ? old : a;
    vec_lane(e, IR_V_AND, 0, 0, mask, yes);
    vec_lane(e, IR_V_BIC, 0, 3, mask, no);
    vec_lane(e, IR_V_ORR, 0, 0, 0, 3);
    vec_finish(e, o, 0);
}

void emit_VLOGIC(struct emitter *e, const struct ir_op *o)
{
    vec_fill(e, 1, (uint64_t)o->imm);
    vec_lane(e, o->sub, 0, 0, 1, vec_use(e, o->d, 0));
    vec_finish(e, o, 0);
}

/* --- arithmetic --------------------------------------------------------------------------------
 */

/* xmm0 = a * b. Bytes: the even ones, and the odd ones moved down. */
static bool multiply(struct emitter *e, unsigned z, unsigned a, unsigned b)
{
    if (z == 3)
        return false;
    if (z) {
        vec_lane(e, IR_V_MUL, z, 0, a, b);
        return true;
    }
    vec_shift(e, VEC_SHR, 1, 0, a, 8);
    vec_shift(e, VEC_SHR, 1, 3, b, 8);
    vec_lane(e, IR_V_MUL, 1, 0, 0, 3);
    vec_shift(e, VEC_SHL, 1, 0, 0, 8);
    vec_lane(e, IR_V_MUL, 1, 3, a, b);
    vec_op(e, vec_lanes[IR_V_AND][0], 3, 3, constant(e, VEC_LOW8));
    vec_lane(e, IR_V_ORR, 0, 0, 0, 3);
    return true;
}

/* xmm0 = |a - b| by way of the larger and the smaller. */
void vec_difference(struct emitter *e, unsigned z, bool is_signed, unsigned a, unsigned b)
{
    vec_lane(e, is_signed ? IR_V_SMAX : IR_V_UMAX, z, 0, a, b);
    vec_lane(e, is_signed ? IR_V_SMIN : IR_V_UMIN, z, 3, a, b);
    vec_lane(e, IR_V_SUB, z, 0, 0, 3);
}

/* d = d +- xmm0 */
void vec_accumulate(struct emitter *e, const struct ir_op *o, unsigned z, bool subtract)
{
    unsigned d = vec_use(e, o->d, 3);
    vec_lane(e, subtract ? IR_V_SUB : IR_V_ADD, z, 0, d, 0);
    vec_finish(e, o, 0);
}

/* By the wrapped result one sees which lanes were saturated. */
static void saturating(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    bool add = o->sub == IR_V_SQADD || o->sub == IR_V_UQADD;
    flags_clobber(e);
    vec_lane(e, o->sub, o->y, 0, a, b);
    vec_lane(e, add ? IR_V_ADD : IR_V_SUB, o->y, 3, a, b);
    vec_lane(e, IR_V_EOR, 0, 3, 3, 0);
    vec_saturated_if(e, o, 3);
    vec_finish(e, o, 0);
}

/* Shift by a register: its lowest byte, signed; to the right where negative. x86's variable shifts
 * give zeros (or signs) for counts beyond the lane. */
static bool shift_by_register(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    bool arithmetic = o->sub == IR_V_SSHL, q = o->y == 3;
    if (o->y < 2 || (q && !vec_wide(e)))
        return false;
    struct vec_code left = {1, 2, q, 0x47}, right = {1, 2, q, arithmetic ? 0x46 : 0x45};
    unsigned bits = (8u << o->y) - 8;
    vec_shift(e, VEC_SHL, o->y, 3, b, bits);
    vec_shift(e, VEC_SAR, o->y, 3, 3, bits);
    vec_op(e, left, 0, a, rm_reg(3));
    vec_zero(e, 2);
    vec_lane(e, IR_V_SUB, o->y, 2, 2, 3);
    if (arithmetic && q)
        x86_evex(e->buf, 1, 2, 1, 0x46, 2, a, rm_reg(2));
    else
        vec_op(e, right, 2, a, rm_reg(2));
    if (arithmetic) { /* signs also where the shift was to the left */
        vec_shift(e, VEC_SAR, o->y, 3, 3, bits + 7);
        vec_lane(e, IR_V_AND, 0, 2, 2, 3);
    }
    vec_lane(e, IR_V_ORR, 0, 0, 0, 2);
    vec_finish(e, o, 0);
    return true;
}

static bool same_size(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    unsigned z = o->y;
    switch (o->sub) {
    case IR_V_MUL:
    case IR_V_MLA:
    case IR_V_MLS:
        if (!multiply(e, z, a, b))
            return false;
        if (o->sub == IR_V_MUL)
            vec_finish(e, o, 0);
        else
            vec_accumulate(e, o, z, o->sub == IR_V_MLS);
        return true;
    case IR_V_SABD:
    case IR_V_UABD:
        vec_difference(e, z, o->sub == IR_V_SABD, a, b);
        vec_finish(e, o, 0);
        return true;
    case IR_V_SABA:
    case IR_V_UABA:
        vec_difference(e, z, o->sub == IR_V_SABA, a, b);
        vec_accumulate(e, o, z, false);
        return true;
    case IR_V_USHL:
    case IR_V_SSHL:
        return shift_by_register(e, o, a, b);
    case IR_V_ADDP:
    case IR_V_SMAXP:
    case IR_V_SMINP:
    case IR_V_UMAXP:
    case IR_V_UMINP:
    case IR_V_UZP1:
    case IR_V_UZP2:
    case IR_V_TRN1:
    case IR_V_TRN2:
        return vec_pairs(e, o, a, b);
    default:
        return vec_lengthen(e, o, a, b);
    }
}

/* Of the rows of vec_lanes, those that are the whole instruction. */
static bool one_instruction(const struct ir_op *o)
{
    bool other = o->sub == IR_V_CMEQ || o->sub == IR_V_CMGT ||
                 (o->sub >= IR_V_SQADD && o->sub <= IR_V_UQSUB);
    return o->sub < IR_V_LANE_COUNT && vec_lanes[o->sub][o->y].opcode && !other;
}

static void one(struct emitter *e, const struct ir_op *o, unsigned a, struct x86_rm b)
{
    bool q = o->flags & IR_Q;
    unsigned d = q ? vec_dest(e, o->d, 0) : 0;
    struct vec_code code = vec_lanes[o->sub][o->y];
    if (o->sub == IR_V_ZIP2 && !q) { /* the upper half of four or eight lanes zipped */
        vec_op(e, vec_lanes[IR_V_ZIP1][o->y], 0, a, b);
        vec_shift_bytes(e, 0, 0, 8);
    } else {
        vec_op(e, code, d, a, b);
    }
    vec_finish(e, o, d);
}

/* xmm2 = element size - 1 of b in all lanes. */
static void element(struct emitter *e, const struct ir_op *o)
{
    static const uint8_t broadcast[] = {0x78, 0x79, 0x58, 0x59};
    unsigned b = vec_use(e, o->b, 2);
    if (o->size > 1) {
        vec_shift_bytes(e, 2, b, (o->size - 1u) << o->y);
        b = 2;
    }
    x86_vec(e->buf, 1, 2, o->y == 3 ? X86_W_EVEX : 0, broadcast[o->y], 2, X86_NO_SECOND, rm_reg(b));
}

void emit_VEC3(struct emitter *e, const struct ir_op *o)
{
    bool done = true;
    unsigned a = vec_use(e, o->a, 1);
    if (o->size) {
        element(e, o);
        if (!same_size(e, o, a, 2))
            emit_INTERPRET(e, o);
        return;
    }
    if (o->sub != IR_V_BIC && one_instruction(o)) {
        one(e, o, a, vec_rm(e, o->b));
        return;
    }
    unsigned b = o->b == IR_IMM ? 2 : vec_use(e, o->b, 2);
    if (o->b == IR_IMM)
        vec_zero(e, 2);
    if (o->sub == IR_V_BIC)
        one(e, o, b, rm_reg(a));
    else if (o->sub == IR_V_CMEQ || o->sub == IR_V_CMGT ||
             (o->sub >= IR_V_CMGE && o->sub <= IR_V_CMTST))
        compare(e, o, a, b);
    else if (o->sub >= IR_V_ORN && o->sub <= IR_V_BIF)
        logic(e, o, a, b);
    else if (o->sub >= IR_V_SQADD && o->sub <= IR_V_UQSUB && o->y < 2)
        saturating(e, o, a, b);
    else
        done = same_size(e, o, a, b);
    if (!done)
        emit_INTERPRET(e, o);
}

/* --- one operand -------------------------------------------------------------------------------
 */

/* xmm0 = table[low nibbles of a] op table[high nibbles]. */
static void by_nibble(struct emitter *e, unsigned a, enum vec_constant low, enum vec_constant high,
                      enum ir_vec combine)
{
    vec_op(e, vec_lanes[IR_V_AND][0], 0, a, constant(e, VEC_BYTE_15));
    vec_shift(e, VEC_SHR, 1, 3, a, 4);
    vec_op(e, vec_lanes[IR_V_AND][0], 3, 3, constant(e, VEC_BYTE_15));
    x86_vec(e->buf, 1, 1, 0, 0x6f, 2, X86_NO_SECOND, constant(e, low));
    x86_vec(e->buf, 1, 2, 0, 0x00, 0, 2, rm_reg(0)); /* vpshufb */
    x86_vec(e->buf, 1, 1, 0, 0x6f, 2, X86_NO_SECOND, constant(e, high));
    x86_vec(e->buf, 1, 2, 0, 0x00, 3, 2, rm_reg(3));
    vec_lane(e, combine, 0, 0, 0, 3);
}

static bool bits(struct emitter *e, const struct ir_op *o, unsigned a)
{
    const struct hostcpu *host = e->request->host;
    if (o->sub == IR_V_CNT && vec_wide(e) && host->avx512bitalg) {
        x86_evex(e->buf, 1, 2, 0, 0x54, 0, X86_NO_SECOND, rm_reg(a)); /* vpopcntb */
    } else if (o->sub == IR_V_CNT) {
        by_nibble(e, a, VEC_POPCOUNT, VEC_POPCOUNT, IR_V_ADD);
    } else if (o->sub == IR_V_RBIT && host->gfni) {
        x86_vec(e->buf, 1, 3, 1, 0xce, 0, a, vec_const(e, VEC_RBIT_MATRIX, 1));
        x86_byte(e->buf, 0);
    } else if (o->sub == IR_V_RBIT) {
        by_nibble(e, a, VEC_RBIT_LOW, VEC_RBIT_HIGH, IR_V_ORR);
    } else if (vec_wide(e) && o->y >= 2) { /* CLZ: vplzcnt */
        x86_evex(e->buf, 1, 2, o->y == 3, 0x44, 0, X86_NO_SECOND, rm_reg(a));
    } else {
        return false;
    }
    vec_finish(e, o, 0);
    return true;
}

static void reverse(struct emitter *e, const struct ir_op *o, unsigned a)
{
    static const uint8_t shuffles[3][2] = {
        {VEC_REV16_8, 0}, {VEC_REV32_8, VEC_REV32_16}, {VEC_REV64_8, VEC_REV64_16}};
    if (o->y == 2) {
        x86_vec(e->buf, 1, 1, 0, 0x70, 0, X86_NO_SECOND, rm_reg(a)); /* vpshufd */
        x86_byte(e->buf, 0xb1);
    } else {
        x86_vec(e->buf, 1, 2, 0, 0x00, 0, a,
                constant(e, (enum vec_constant)shuffles[o->sub - IR_V_REV16][o->y]));
    }
    vec_finish(e, o, 0);
}

/* d = the sign of each 64-bit lane in all its bits. */
static void spread_sign(struct emitter *e, unsigned d, unsigned a)
{
    x86_vec(e->buf, 1, 1, 0, 0x70, d, X86_NO_SECOND, rm_reg(a)); /* vpshufd: upper halves */
    x86_byte(e->buf, 0xf5);
    vec_shift(e, VEC_SAR, 2, d, d, 31);
}

void emit_VEC2(struct emitter *e, const struct ir_op *o)
{
    bool done = true;
    unsigned a = vec_use(e, o->a, 1);
    if (one_instruction(o)) { /* ABS */
        vec_op(e, vec_lanes[o->sub][o->y], 0, X86_NO_SECOND, rm_reg(a));
        vec_finish(e, o, 0);
    } else if (o->sub == IR_V_ABS) { /* 64-bit lanes: (a ^ sign) - sign */
        spread_sign(e, 3, a);
        vec_lane(e, IR_V_EOR, 0, 0, a, 3);
        vec_lane(e, IR_V_SUB, 3, 0, 0, 3);
        vec_finish(e, o, 0);
    } else if (o->sub == IR_V_NEG) {
        vec_zero(e, 0);
        vec_lane(e, IR_V_SUB, o->y, 0, 0, a);
        vec_finish(e, o, 0);
    } else if (o->sub == IR_V_NOT) {
        vec_ones(e, 0);
        vec_lane(e, IR_V_EOR, 0, 0, 0, a);
        vec_finish(e, o, 0);
    } else if (o->sub >= IR_V_REV16 && o->sub <= IR_V_REV64) {
        reverse(e, o, a);
    } else if (o->sub >= IR_V_CNT && o->sub <= IR_V_CLZ) {
        done = bits(e, o, a);
    } else {
        done = vec_reduce(e, o, a);
    }
    if (!done)
        emit_INTERPRET(e, o);
}
