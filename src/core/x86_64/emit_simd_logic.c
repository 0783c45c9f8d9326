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
    unsigned z = o->y, d = vec_out(e, o);
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

/* xmm `d` = (a >= b), where a is the larger of both, or (a <= b), where it is the smaller. */
static void compare_with_bound(struct emitter *e, const struct ir_op *o, unsigned d, unsigned a,
                               unsigned b)
{
    enum ir_vec bound = o->sub == IR_V_CMHS   ? IR_V_UMAX
                        : o->sub == IR_V_CMGE ? IR_V_SMAX
                                              : IR_V_SMIN;
    vec_lane(e, bound, o->y, 0, a, b);
    vec_lane(e, IR_V_CMEQ, o->y, d, 0, a);
}

/* xmm `d` = (a > b) unsigned: as signed, with the signs flipped. */
static void compare_higher(struct emitter *e, unsigned z, unsigned d, unsigned a, unsigned b)
{
    static const uint8_t signs[] = {VEC_SIGN8, VEC_SIGN16, VEC_SIGN32, VEC_SIGN64};
    vec_with(e, IR_V_EOR, 0, 0, a, (enum vec_constant)signs[z]);
    vec_with(e, IR_V_EOR, 0, 3, b, (enum vec_constant)signs[z]);
    vec_lane(e, IR_V_CMGT, z, d, 0, 3);
}

bool vec_compare(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    bool by_bound = o->y < 3 && (o->sub == IR_V_CMGE || o->sub == IR_V_CMLE || o->sub == IR_V_CMHS);
    unsigned z = o->y, d = vec_out(e, o);
    bool one = o->sub == IR_V_CMGT || o->sub == IR_V_CMEQ || o->sub == IR_V_CMLT;
    if (vec_wide(e) && !(one && a < 16 && b < 16 && d < 16)) {
        compare_by_mask(e, o, a, b);
        return true;
    }
    if (by_bound) {
        compare_with_bound(e, o, d, a, b);
    } else if (o->sub == IR_V_CMEQ) {
        vec_lane(e, IR_V_CMEQ, z, d, a, b);
    } else if (o->sub == IR_V_CMGT || o->sub == IR_V_CMLE) {
        vec_lane(e, IR_V_CMGT, z, d, a, b);
    } else if (o->sub == IR_V_CMLT || o->sub == IR_V_CMGE) {
        vec_lane(e, IR_V_CMGT, z, d, b, a);
    } else if (o->sub == IR_V_CMHI) {
        compare_higher(e, z, d, a, b);
    } else if (o->sub == IR_V_CMHS) {
        compare_higher(e, z, d, b, a);
    } else { /* CMTST: not zero */
        vec_lane(e, IR_V_AND, 0, 0, a, b);
        vec_zero(e, 3);
        vec_lane(e, IR_V_CMEQ, z, 0, 0, 3);
        vec_lane(e, IR_V_CMEQ, z, d, 0, 3);
    }
    if (z == 3 && (o->sub == IR_V_CMGE || o->sub == IR_V_CMLE || o->sub == IR_V_CMHS))
        vec_with(e, IR_V_EOR, 0, d, d, VEC_ONES);
    vec_finish(e, o, d);
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
    unsigned out = vec_out(e, o);
    if (o->sub == IR_V_ORN) {
        vec_with(e, IR_V_EOR, 0, 0, b, VEC_ONES);
        vec_lane(e, IR_V_ORR, 0, out, 0, a);
        vec_finish(e, o, out);
        return true;
    }
    /* mask ? yes : no */
    unsigned old = vec_use(e, o->d, 3);
    unsigned mask = o->sub == IR_V_BSL ? old : b;
    unsigned yes = o->sub == IR_V_BIF ? old : a;
    unsigned no = o->sub == IR_V_BSL ? b : o->sub == IR_V_BIT ? old : a;
    vec_lane(e, IR_V_AND, 0, 0, mask, yes);
    vec_lane(e, IR_V_BIC, 0, 3, mask, no);
    vec_lane(e, IR_V_ORR, 0, out, 0, 3);
    vec_finish(e, o, out);
    return true;
}
