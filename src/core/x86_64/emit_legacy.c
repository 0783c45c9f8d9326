/* emit_legacy.c: what hosts without AVX2 have otherwise than by an instruction of the same meaning
 * (for which see asm_legacy.c): blends by a register, comparisons of floating point, and shifts of
 * lanes by others.
 *
 * SSE's blends take their mask from xmm0, its comparisons have eight predicates of VEX's 32, and
 * its shifts one count for all lanes.
 */
#include "core/x86_64/emit_vec.h"

static const struct vec_code move = {0, 1, 0, 0x28}; /* movaps */

/* xmm0 = each lane's top bit of `mask` ? yes : no. What is to be kept of xmm0 moves to the
 * assembler's register, where the result comes to be; if that is `yes` the mask is inverted. */
void legacy_blend(struct emitter *e, unsigned z, unsigned mask, unsigned yes, unsigned no)
{
    unsigned opcode = z == 3 ? 0x15 : z == 2 ? 0x14 : 0x10; /* blendvpd, blendvps, pblendvb */
    bool inverts = yes == 0;
    assert(mask != 0);
    vec_op(e, move, X86_LEGACY_TEMP, X86_NO_SECOND, rm_reg(inverts ? yes : no));
    vec_op(e, move, 0, X86_NO_SECOND, rm_reg(mask));
    if (inverts)
        vec_op(e, vec_lanes[IR_V_EOR][0], 0, 0, vec_const(e, VEC_ONES, 0));
    x86_vec(e->buf, 1, 2, 0, opcode, X86_LEGACY_TEMP, X86_NO_SECOND, rm_reg(inverts ? no : yes));
    vec_op(e, move, 0, X86_NO_SECOND, rm_reg(X86_LEGACY_TEMP));
}

/* `temp` = `b` compared with `a`, which changes their places: b is not followed by an immediate. */
static void reversed(struct emitter *e, struct vec_code code, unsigned d, unsigned a,
                     struct x86_rm b, enum fp_predicate predicate)
{
    vec_op(e, move, X86_LEGACY_TEMP, X86_NO_SECOND, b);
    vec_op_imm(e, code, X86_LEGACY_TEMP, X86_LEGACY_TEMP, rm_reg(a), predicate);
    vec_op(e, move, d, X86_NO_SECOND, rm_reg(X86_LEGACY_TEMP));
}

void legacy_compare(struct emitter *e, struct vec_code code, unsigned d, unsigned a,
                    struct x86_rm b, enum fp_predicate predicate)
{
    struct x86_rm alone = b;
    alone.after = 0;
    switch (predicate) {
    case FP_GE:
        reversed(e, code, d, a, alone, FP_LE);
        break;
    case FP_GT:
        reversed(e, code, d, a, alone, FP_LT);
        break;
    case FP_EQ_OR_UNORDERED:
        vec_op(e, move, X86_LEGACY_TEMP, X86_NO_SECOND, rm_reg(a));
        vec_op_imm(e, code, X86_LEGACY_TEMP, X86_LEGACY_TEMP, b, FP_EQ);
        if (b.is_reg)
            assert(b.base != d);
        vec_op_imm(e, code, d, a, b, FP_UNORDERED);
        vec_lane(e, IR_V_ORR, 0, d, d, X86_LEGACY_TEMP);
        break;
    case FP_NOT_LESS_QUIET: { /* of numbers without a sign, which compare like integers */
        unsigned z = code.pp == 1 ? 3 : 2;
        vec_op(e, move, X86_LEGACY_TEMP, X86_NO_SECOND, alone);
        vec_lane(e, IR_V_CMGT, z, X86_LEGACY_TEMP, X86_LEGACY_TEMP, a);
        vec_op(e, move, d, X86_NO_SECOND, rm_reg(X86_LEGACY_TEMP));
        vec_op(e, vec_lanes[IR_V_EOR][0], d, d, vec_const(e, VEC_ONES, 0));
        break;
    }
    default:
        vec_op_imm(e, code, d, a, b, predicate);
        break;
    }
}

/* Shifts by the number in the low half of a register. */
static struct vec_code shift_code(enum vec_shift kind, unsigned z)
{
    unsigned first = kind == VEC_SHL ? 0xf0 : kind == VEC_SAR ? 0xe0 : 0xd0;
    return (struct vec_code){1, 1, 0, (uint8_t)(first + z)};
}

/* The low half of xmm `d` = count number `lane`. Of words the upper halves fill the rest: they are
 * zeros, or ones where the count is too large in any case. */
static void pick_count(struct emitter *e, unsigned z, unsigned d, unsigned counts, unsigned lane)
{
    static const struct vec_code shuffle = {1, 1, 0, 0x70}, shuffle_low = {3, 1, 0, 0x70};
    unsigned per_half = z == 3 ? 1 : 2;
    if (lane >= per_half)
        vec_op_imm(e, shuffle, d, X86_NO_SECOND, rm_reg(counts), 0xee);
    if (z == 2)
        vec_op_imm(e, shuffle_low, d, X86_NO_SECOND, rm_reg(lane >= per_half ? d : counts),
                   lane % 2 ? 0xfe : 0x54);
    else if (lane == 0)
        vec_copy_reg(e, d, counts);
}

/* Lane by lane, in two registers whose guest registers wait in the CPU struct. */
void legacy_shift(struct emitter *e, enum vec_shift kind, unsigned z, unsigned d, unsigned a,
                  unsigned counts)
{
    enum { FIRST = X86_LEGACY_TEMP - 3 };
    unsigned count = a == FIRST ? FIRST + 2 : FIRST;
    unsigned lane_of = a == FIRST + 1 ? FIRST + 2 : FIRST + 1;
    const unsigned borrowed[] = {count, lane_of};
    struct x86_rm homes[2];
    for (unsigned i = 0; i < 2; i++) {
        unsigned v = borrowed[i] + 4;
        assert(emit_xmm(e->request->host, v) == borrowed[i]);
        homes[i] = rm_mem(RBP, EMIT_OFFSET(v) + (int32_t)v * 16);
        vec_op(e, (struct vec_code){0, 1, 0, 0x29}, borrowed[i], X86_NO_SECOND, homes[i]);
    }
    for (unsigned lane = 0; lane < 16u >> z; lane++) {
        unsigned to = lane ? lane_of : X86_LEGACY_TEMP;
        pick_count(e, z, count, counts, lane);
        vec_op(e, shift_code(kind, z), to, a, rm_reg(count));
        if (lane)
            vec_blend_lanes(e, 1, X86_LEGACY_TEMP, X86_LEGACY_TEMP, rm_reg(lane_of),
                            z == 3 ? 0xf0 : 0x3u << 2 * lane);
    }
    vec_op(e, move, d, X86_NO_SECOND, rm_reg(X86_LEGACY_TEMP));
    for (unsigned i = 0; i < 2; i++)
        vec_op(e, move, borrowed[i], X86_NO_SECOND, homes[i]);
}
