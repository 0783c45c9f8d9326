/* emit_simd_permute.c: vector instructions that move lanes about: pairs, reductions, DUP, INS, EXT,
 * TBL, UZP and TRN.
 *
 * Pairs: x86 has horizontal additions alone, so each operand is sorted into its even lanes and its
 * odd ones, the halves are put together, and the operation runs between the two.
 */
#include "core/x86_64/emit_simd.h"

static void sort_lanes(struct emitter *e, unsigned z, unsigned d, unsigned a)
{
    if (z == 2) {
        x86_vec(e->buf, 1, 1, 0, 0x70, d, X86_NO_SECOND, rm_reg(a)); /* vpshufd 0 2 1 3 */
        x86_byte(e->buf, 0xd8);
    } else {
        x86_vec(e->buf, 1, 2, 0, 0x00, d, a, vec_const(e, z ? VEC_SORT16 : VEC_SORT8, 0));
    }
}

/* xmm0 = the even lanes of b:a, xmm3 = the odd ones; without Q of their lower halves. */
static void even_and_odd(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    if (!(o->flags & IR_Q)) {
        vec_lane(e, IR_V_ZIP1, 3, 0, a, b);
        sort_lanes(e, o->y, 0, 0);
        vec_shift_bytes(e, 3, 0, 8);
        return;
    }
    if (o->y < 3) {
        sort_lanes(e, o->y, 0, a);
        sort_lanes(e, o->y, 2, b);
        a = 0;
        b = 2;
    }
    vec_lane(e, IR_V_ZIP2, 3, 3, a, b);
    vec_lane(e, IR_V_ZIP1, 3, 0, a, b);
}

/* TRN1: a's even lanes and above each b's; TRN2 with the odd ones. */
bool vec_transpose(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    static const uint8_t low[] = {VEC_LOW8, VEC_LOW16, VEC_LOW32};
    unsigned z = o->y, esize = 8u << z;
    bool odd = o->sub == IR_V_TRN2;
    if (z == 3) {
        vec_lane(e, odd ? IR_V_ZIP2 : IR_V_ZIP1, 3, 0, a, b);
        vec_finish(e, o, 0);
        return true;
    }
    struct x86_rm mask = vec_const(e, (enum vec_constant)low[z], 0);
    x86_vec(e->buf, 1, 1, 0, 0x6f, 3, X86_NO_SECOND, mask);
    if (odd) {
        vec_shift(e, VEC_SHR, z + 1, 0, a, esize);
        vec_lane(e, IR_V_BIC, 0, 3, 3, b);
    } else {
        vec_lane(e, IR_V_AND, 0, 0, a, 3);
        vec_shift(e, VEC_SHL, z + 1, 3, b, esize);
    }
    vec_lane(e, IR_V_ORR, 0, 0, 0, 3);
    vec_finish(e, o, 0);
    return true;
}

bool vec_pairs(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    static const uint8_t ops[] = {[IR_V_ADDP] = IR_V_ADD,
                                  [IR_V_SMAXP] = IR_V_SMAX,
                                  [IR_V_SMINP] = IR_V_SMIN,
                                  [IR_V_UMAXP] = IR_V_UMAX,
                                  [IR_V_UMINP] = IR_V_UMIN};
    even_and_odd(e, o, a, b);
    if (o->sub == IR_V_UZP2) {
        vec_finish(e, o, 3);
        return true;
    }
    if (o->sub != IR_V_UZP1)
        vec_lane(e, (enum ir_vec)ops[o->sub], o->y, 0, 0, 3);
    vec_finish(e, o, 0);
    return true;
}

/* --- across ------------------------------------------------------------------------------------
 */

/* Folds a in halves down to one lane of 1 << z bytes, and clears the rest. */
static void fold(struct emitter *e, const struct ir_op *o, enum ir_vec op, unsigned z, unsigned a)
{
    unsigned from = a;
    for (unsigned step = o->flags & IR_Q ? 8 : 4; step >= 1u << z; step /= 2) {
        vec_shift_bytes(e, 3, from, step);
        vec_lane(e, op, z, 0, from, 3);
        from = 0;
    }
    vec_set(e, o->d, from, 1u << z);
}

/* Sums of bytes by VPSADBW, which does not look beyond 64 bits. */
static void add_bytes(struct emitter *e, const struct ir_op *o, unsigned a)
{
    vec_zero(e, 3);
    x86_vec(e->buf, 1, 1, 0, 0xf6, 0, a, rm_reg(3));
    if (o->flags & IR_Q) {
        vec_shift_bytes(e, 3, 0, 8);
        vec_lane(e, IR_V_ADD, 3, 0, 0, 3);
    }
    vec_set(e, o->d, 0, o->sub == IR_V_ADDV ? 1 : 2);
}

bool vec_across(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    static const uint8_t ops[] = {[IR_V_ADDV] = IR_V_ADD,
                                  [IR_V_SMAXV] = IR_V_SMAX,
                                  [IR_V_SMINV] = IR_V_SMIN,
                                  [IR_V_UMAXV] = IR_V_UMAX,
                                  [IR_V_UMINV] = IR_V_UMIN};
    if (o->y == 0 && o->sub == IR_V_ADDV)
        add_bytes(e, o, a);
    else
        fold(e, o, (enum ir_vec)ops[o->sub], o->y, a);
    return true;
}

/* Neighbours first, which makes the lanes as long as the result. */
bool vec_across_long(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    if (o->y == 0 && o->sub == IR_V_UADDLV) {
        add_bytes(e, o, a);
        return true;
    }
    vec_add_neighbours(e, o->y, o->sub == IR_V_SADDLV, a);
    fold(e, o, IR_V_ADD, o->y + 1u, 0);
    return true;
}

/* --- elements ----------------------------------------------------------------------------------
 */

void emit_VDUP(struct emitter *e, const struct ir_op *o)
{
    static const uint8_t broadcast[] = {0x78, 0x79, 0x58, 0x59};
    unsigned a = vec_use(e, o->a, 0), z = o->y, d = vec_dest(e, o->d, 0);
    if (o->x) {
        vec_shift_bytes(e, 0, a, (unsigned)o->x << z);
        a = 0;
    }
    if (o->size) {
        vec_set(e, o->d, a, 1u << z);
        return;
    }
    x86_vec(e->buf, 1, 2, z == 3 ? X86_W_EVEX : 0, broadcast[z], d, X86_NO_SECOND, rm_reg(a));
    vec_finish(e, o, d);
}

void emit_VINS(struct emitter *e, const struct ir_op *o)
{
    static const uint8_t extract[] = {0x14, 0x15};
    unsigned a = vec_use(e, o->a, 1), d = vec_use(e, o->d, 0), to = o->size;
    if (o->y == 3) { /* vshufpd: low element from the first source, high from the second */
        x86_vec(e->buf, 1, 1, X86_W_EVEX, 0xc6, d, to ? d : a, rm_reg(to ? a : d));
        x86_byte(e->buf, (uint8_t)(to ? o->x << 1 : o->x | 2));
    } else if (o->y == 2) { /* vinsertps */
        x86_vec(e->buf, 1, 3, 0, 0x21, d, d, rm_reg(a));
        x86_byte(e->buf, (uint8_t)(o->x << 6 | to << 4));
    } else {
        x86_vec(e->buf, 1, 3, 0, extract[o->y], a, X86_NO_SECOND, rm_reg(RAX));
        x86_byte(e->buf, o->x);
        x86_vec(e->buf, 1, o->y ? 1 : 3, 0, o->y ? 0xc4 : 0x20, d, d, rm_reg(RAX));
        x86_byte(e->buf, (uint8_t)to);
    }
    vec_done(e, o->d, d);
}

void emit_VEXT(struct emitter *e, const struct ir_op *o)
{
    unsigned a = vec_use(e, o->a, 1), b = vec_use(e, o->b, 2);
    if (o->flags & IR_Q) { /* vpalignr */
        x86_vec(e->buf, 1, 3, 0, 0x0f, 0, b, rm_reg(a));
        x86_byte(e->buf, o->x);
    } else {
        vec_lane(e, IR_V_ZIP1, 3, 0, a, b);
        vec_shift_bytes(e, 0, 0, o->x);
    }
    vec_finish(e, o, 0);
}

/* TBX: where the index is too large, the old destination instead of xmm0. */
static void keep_unless_found(struct emitter *e, const struct ir_op *o)
{
    static const uint8_t last[] = {VEC_BYTE_15, VEC_BYTE_31, VEC_BYTE_47, VEC_BYTE_63};
    vec_copy(e, 2, o->b);
    vec_with(e, IR_V_UMIN, 0, 3, 2, (enum vec_constant)last[o->x]);
    vec_lane(e, IR_V_CMEQ, 0, 3, 3, 2);
    vec_copy(e, 1, o->d);
    vec_blend(e, 0, 0, 3, 0, 1);
}

/* VPSHUFB gives zero for indices with bit 7 set: adding 112 with saturation does that to those from
 * 16 up. The next register's indices are 16 less, with wrap. */
void emit_VTBL(struct emitter *e, const struct ir_op *o)
{
    unsigned index = vec_use(e, o->b, 2);
    for (unsigned i = 0; i <= o->x; i++) {
        unsigned sum = i ? 3 : 0, table = vec_use(e, (o->a + i) % 32, 1);
        if (i) {
            vec_with(e, IR_V_SUB, 0, 2, index, VEC_BYTE_16);
            index = 2;
        }
        vec_with(e, IR_V_UQADD, 0, sum, index, VEC_BYTE_112);
        x86_vec(e->buf, 1, 2, 0, 0x00, sum, table, rm_reg(sum));
        if (i)
            vec_lane(e, IR_V_ORR, 0, 0, 0, 3);
    }
    if (o->sub)
        keep_unless_found(e, o);
    vec_finish(e, o, 0);
}
