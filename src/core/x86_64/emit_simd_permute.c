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

/* xmm `d` = the even or odd lanes of b:a; without Q of their lower halves, and in the even case its
 * own upper half is not clear. Overwrites xmm0 and xmm2. */
static void every_other(struct emitter *e, const struct ir_op *o, bool odd, unsigned d, unsigned a,
                        unsigned b)
{
    unsigned z = o->y;
    if (!(o->flags & IR_Q)) {
        vec_lane(e, IR_V_ZIP1, z == 2 ? 2 : 3, 0, a, b);
        if (z < 2)
            sort_lanes(e, z, 0, 0);
        if (odd)
            vec_shift_bytes(e, d, 0, 8);
        else
            vec_copy_reg(e, d, 0);
        return;
    }
    if (z == 2) { /* vshufps */
        vec_op_imm(e, (struct vec_code){0, 1, 0, 0xc6}, d, a, rm_reg(b), odd ? 0xdd : 0x88);
        return;
    }
    if (z < 2) {
        sort_lanes(e, z, 0, a);
        sort_lanes(e, z, 2, b);
        a = 0;
        b = 2;
    }
    vec_lane(e, odd ? IR_V_ZIP2 : IR_V_ZIP1, 3, d, a, b);
}

/* xmm0 = the even lanes of b:a, xmm3 = the odd ones, likewise. */
static void even_and_odd(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    bool sorts = o->y < 2 || !(o->flags & IR_Q);
    every_other(e, o, true, 3, a, b);
    if (!sorts)
        every_other(e, o, false, 0, a, b);
    else if (o->flags & IR_Q) /* which has sorted them into these */
        vec_lane(e, IR_V_ZIP1, 3, 0, 0, 2);
}

/* xmm `d` = x's lower half of each pair of lanes, y's upper: by VPBLENDW or VPBLENDD, by VPTERNLOG,
 * or by AND and OR. Each is one of a and b, the other is in xmm0. */
static void blend_pairs(struct emitter *e, unsigned z, unsigned d, unsigned x, unsigned y)
{
    static const uint8_t low[] = {VEC_LOW8, VEC_LOW16, VEC_LOW32};
    enum vec_constant mask = (enum vec_constant)low[z];
    if (z && d < 16 && x < 16 && y < 16) {
        vec_blend_lanes(e, z, d, x, rm_reg(y), 0xaa);
    } else if (vec_wide(e)) { /* mask ? x : y */
        bool keeps_y = y == 0;
        x86_evex(e->buf, 1, 3, 0, 0x25, 0, keeps_y ? x : y, vec_const(e, mask, 1));
        x86_byte(e->buf, keeps_y ? 0xd8 : 0xe4);
        vec_copy_reg(e, d, 0);
    } else {
        x86_vec(e->buf, 1, 1, 0, 0x6f, 3, X86_NO_SECOND, vec_const(e, mask, 0));
        if (y == 0) {
            vec_lane(e, IR_V_BIC, 0, 0, 3, 0);
            vec_lane(e, IR_V_AND, 0, 3, 3, x);
        } else {
            vec_lane(e, IR_V_AND, 0, 0, 3, 0);
            vec_lane(e, IR_V_BIC, 0, 3, 3, y);
        }
        vec_lane(e, IR_V_ORR, 0, d, 0, 3);
    }
}

/* TRN1: a's even lanes and above each b's; TRN2 with the odd ones. */
bool vec_transpose(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    unsigned z = o->y, out = vec_out(e, o);
    bool odd = o->sub == IR_V_TRN2;
    if (z == 3) {
        vec_lane(e, odd ? IR_V_ZIP2 : IR_V_ZIP1, 3, out, a, b);
    } else {
        vec_shift(e, odd ? VEC_SHR : VEC_SHL, z + 1, 0, odd ? a : b, 8u << z);
        blend_pairs(e, z, out, odd ? 0 : a, odd ? b : 0);
    }
    vec_finish(e, o, out);
    return true;
}

/* UZP1, UZP2. */
bool vec_unzip(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    bool odd = o->sub == IR_V_UZP2;
    if (odd && !(o->flags & IR_Q)) { /* has cleared the rest */
        unsigned d = vec_dest(e, o->d, 0);
        every_other(e, o, true, d, a, b);
        vec_done(e, o->d, d);
        return true;
    }
    unsigned out = vec_out(e, o);
    every_other(e, o, odd, out, a, b);
    vec_finish(e, o, out);
    return true;
}

bool vec_pairs(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    static const uint8_t ops[] = {[IR_V_ADDP] = IR_V_ADD,
                                  [IR_V_SMAXP] = IR_V_SMAX,
                                  [IR_V_SMINP] = IR_V_SMIN,
                                  [IR_V_UMAXP] = IR_V_UMAX,
                                  [IR_V_UMINP] = IR_V_UMIN};
    unsigned out = vec_out(e, o);
    if (o->sub == IR_V_ADDP && o->y == 1 && o->flags & IR_Q && a < 16 && b < 16 && out < 16) {
        vec_op(e, (struct vec_code){1, 2, 0, 0x01}, out, a, rm_reg(b)); /* vphaddw */
    } else {
        even_and_odd(e, o, a, b);
        vec_lane(e, (enum ir_vec)ops[o->sub], o->y, out, 0, 3);
    }
    vec_finish(e, o, out);
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
    vec_add_neighbours(e, o->y, o->sub == IR_V_SADDLV, 0, a);
    fold(e, o, IR_V_ADD, o->y + 1u, 0);
    return true;
}

/* --- elements ----------------------------------------------------------------------------------
 */

void emit_VDUP(struct emitter *e, const struct ir_op *o)
{
    unsigned a = vec_use(e, o->a, 0), z = o->y, d = vec_dest(e, o->d, 0);
    if (!o->size) {
        vec_spread(e, z, d, a, o->x);
        vec_finish(e, o, d);
        return;
    }
    if (o->x) {
        vec_shift_bytes(e, 0, a, (unsigned)o->x << z);
        a = 0;
    }
    vec_set(e, o->d, a, 1u << z);
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
    unsigned out = vec_out(e, o);
    if (o->flags & IR_Q) { /* vpalignr */
        x86_vec(e->buf, 1, 3, 0, 0x0f, out, b, rm_reg(a));
        x86_byte(e->buf, o->x);
    } else {
        vec_lane(e, IR_V_ZIP1, 3, 0, a, b);
        vec_shift_bytes(e, 0, 0, o->x);
    }
    vec_finish(e, o, out);
}

/* The largest index into the table, in each byte. */
static enum vec_constant last_index(const struct ir_op *o)
{
    static const uint8_t last[] = {VEC_BYTE_15, VEC_BYTE_31, VEC_BYTE_47, VEC_BYTE_63};
    return (enum vec_constant)last[o->x];
}

/* TBX: where the index is too large, the old destination instead of xmm0. */
static void keep_unless_found(struct emitter *e, const struct ir_op *o)
{
    vec_copy(e, 2, o->b);
    vec_with(e, IR_V_UMIN, 0, 3, 2, last_index(o));
    vec_lane(e, IR_V_CMEQ, 0, 3, 3, 2);
    vec_copy(e, 1, o->d);
    vec_blend(e, 0, 0, 3, 0, 1);
}

/* xmm `d` = V[v], with V[v + 1] above it (256 bits) if there is one. */
static void pair_of_tables(struct emitter *e, unsigned d, unsigned v, bool two)
{
    static const struct x86_lanes whole = {.length = 1};
    vec_copy(e, d, v % 32);
    if (two) { /* vinserti32x4 */
        x86_evex_lanes(e->buf, whole, 1, 3, 0, 0x38, d, d, vec_rm(e, (v + 1) % 32));
        x86_byte(e->buf, 1);
    }
}

/* AVX-512: k1 says which indices are in the table; the others' bytes become zero, or stay (TBX).
 * One register by VPSHUFB, two by VPERMI2B, up to four by that of 256 bits, with the indices in
 * xmm0. */
static void look_up_by_mask(struct emitter *e, const struct ir_op *o)
{
    enum { VPSHUFB = 0x00, VPERMI2B = 0x75, LESS_OR_EQUAL = 2 };
    unsigned index = vec_use(e, o->b, 2), out = vec_out(e, o);
    bool extends = o->sub;
    struct x86_lanes found = {.length = o->x > 1, .k = 1};
    x86_evex(e->buf, 1, 3, 0, 0x3e, 1, index, vec_const(e, last_index(o), 1)); /* vpcmpub */
    x86_byte(e->buf, LESS_OR_EQUAL);
    if (o->x == 0) {
        if (extends && out == 0)
            vec_copy(e, 0, o->d);
        found.merge = extends;
        x86_evex_lanes(e->buf, found, 1, 2, 0, VPSHUFB, out, vec_use(e, o->a, 1), rm_reg(index));
        vec_finish(e, o, out);
        return;
    }
    unsigned low = 1, high = 3;
    vec_copy_reg(e, 0, index);
    if (o->x == 1) {
        low = vec_use(e, o->a, 1);
        high = vec_use(e, (o->a + 1) % 32, 3);
    } else {
        pair_of_tables(e, 1, o->a, true);
        pair_of_tables(e, 3, o->a + 2u, o->x == 3);
    }
    x86_evex_lanes(e->buf, found, 1, 2, 0, VPERMI2B, 0, low, rm_reg(high));
    if (o->x > 1)
        vec_clear_upper(e);
    if (extends) { /* vmovdqu8 */
        struct x86_lanes kept = {.k = 1, .merge = true};
        vec_copy(e, 1, o->d);
        x86_evex_lanes(e->buf, kept, 3, 1, 0, 0x6f, 1, X86_NO_SECOND, rm_reg(0));
    }
    vec_finish(e, o, extends ? 1 : 0);
}

/* VPSHUFB gives zero for indices with bit 7 set: adding 112 with saturation does that to those from
 * 16 up. The next register's indices are 16 less, with wrap. */
void emit_VTBL(struct emitter *e, const struct ir_op *o)
{
    if (vec_wide(e) && (o->x == 0 || e->request->host->avx512vbmi)) {
        look_up_by_mask(e, o);
        return;
    }
    unsigned index = vec_use(e, o->b, 2), out = o->sub || o->x ? 0 : vec_out(e, o);
    for (unsigned i = 0; i <= o->x; i++) {
        unsigned sum = i ? 3 : 0, table = vec_use(e, (o->a + i) % 32, 1);
        if (i) {
            vec_with(e, IR_V_SUB, 0, 2, index, VEC_BYTE_16);
            index = 2;
        }
        vec_with(e, IR_V_UQADD, 0, sum, index, VEC_BYTE_112);
        x86_vec(e->buf, 1, 2, 0, 0x00, i ? sum : out, table, rm_reg(sum));
        if (i)
            vec_lane(e, IR_V_ORR, 0, 0, 0, 3);
    }
    if (o->sub)
        keep_unless_found(e, o);
    vec_finish(e, o, out);
}
