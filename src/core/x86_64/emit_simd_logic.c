/* emit_simd_logic.c: vector comparisons of integers, and logic that is more than one instruction.
 */
#include "core/x86_64/emit_simd.h"

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
    vec_with(e, IR_V_EOR, 0, 0, a, (enum vec_constant)signs[z]);
    vec_with(e, IR_V_EOR, 0, 3, b, (enum vec_constant)signs[z]);
    vec_lane(e, IR_V_CMGT, z, 0, 0, 3);
}

bool vec_compare(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    unsigned z = o->y;
    if (vec_wide(e)) {
        compare_by_mask(e, o, a, b);
        return true;
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
    return true;
}

/* --- logic -------------------------------------------------------------------------------------
 */

/* VPTERNLOG's truth table over (d, a, b), or the same by AND, ANDN and OR. */
bool vec_logic(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
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
        return true;
    }
    if (o->sub == IR_V_ORN) {
        vec_ones(e, 0);
        vec_lane(e, IR_V_EOR, 0, 0, 0, b);
        vec_lane(e, IR_V_ORR, 0, 0, 0, a);
        vec_finish(e, o, 0);
        return true;
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
    return true;
}
