/* emit_interleave.c: loads and stores of two, three and four interleaved vector registers.
 *
 * Two and four: rows of 16 bytes are sorted by register, then transposed by UNPCK instructions; a
 * store unpacks lanes of one size and then of twice that. Three: of 16 bytes' lanes every third is
 * one register's, in each of the rows others, so that blending the rows collects a register's
 * elements and one shuffle puts them in order; a store does the same backwards. With registers of 8
 * bytes half of the rows are there.
 *
 * Nothing is stored before all of a row is known; what a load has written before it faults, it
 * writes again when it is repeated.
 */
#include "core/x86_64/emit_structure.h"

enum { THREE = 3 };

static struct x86_rm row(struct x86_rm rm, unsigned i)
{
    rm.disp += (int32_t)i * 16;
    return rm;
}

static unsigned rows_of(const struct ir_op *o)
{
    return (unsigned)o->size * o->x / 16;
}

/* V[v] = the low or high half of xmm `low` and that of xmm `high`. */
static void set_halves(struct emitter *e, unsigned v, unsigned low, unsigned high, bool upper)
{
    unsigned d = vec_dest(e, v, 0);
    vec_lane(e, upper ? IR_V_ZIP2 : IR_V_ZIP1, 3, d, low, high);
    vec_done(e, v, d);
}

/* 8-byte registers v and w = the halves of xmm `reg`. Overwrites xmm2. */
static void set_both_halves(struct emitter *e, unsigned v, unsigned w, unsigned reg)
{
    vec_shift_bytes(e, 2, reg, 8);
    vec_set(e, v, reg, 8);
    vec_set(e, w, 2, 8);
}

/* --- two -----------------------------------------------------------------------------------------
 */

/* xmm `reg` = row i of memory: even lanes to the lower half, odd ones to the upper. */
static void load_sorted_in_two(struct emitter *e, unsigned z, unsigned reg, struct x86_rm from)
{
    structure_load(e, reg, from, 16);
    if (z == 2)
        vec_op_imm(e, (struct vec_code){1, 1, 0, 0x70}, reg, X86_NO_SECOND, rm_reg(reg), 0xd8);
    else if (z < 2)
        x86_vec(e->buf, 1, 2, 0, 0x00, reg, reg, vec_const(e, z ? VEC_SORT16 : VEC_SORT8, 0));
}

static void load_two(struct emitter *e, const struct ir_op *o, struct x86_rm from)
{
    load_sorted_in_two(e, o->y, 0, from);
    if (o->size == 8) {
        set_both_halves(e, o->d, structure_next(o, 1), 0);
        return;
    }
    load_sorted_in_two(e, o->y, 1, row(from, 1));
    vec_lane(e, IR_V_ZIP2, 3, 2, 0, 1);
    vec_lane(e, IR_V_ZIP1, 3, 0, 0, 1);
    vec_done(e, o->d, 0);
    vec_done(e, structure_next(o, 1), 2);
}

static void store_two(struct emitter *e, const struct ir_op *o, struct x86_rm to)
{
    unsigned a = vec_use(e, o->d, 1), b = vec_use(e, structure_next(o, 1), 2);
    for (unsigned i = 0; i < rows_of(o); i++) {
        vec_lane(e, i ? IR_V_ZIP2 : IR_V_ZIP1, o->y, 0, a, b);
        structure_store(e, 0, row(to, i), 16);
    }
}

/* --- three ---------------------------------------------------------------------------------------
 */

/* Which lanes of a row are register r's, as a blend's immediate. */
static unsigned lanes_of_three(unsigned z, unsigned i, unsigned r)
{
    unsigned lanes = 16u >> z, mask = 0;
    for (unsigned lane = 0; lane < lanes; lane++)
        if ((i * lanes + lane) % THREE == r)
            mask |= 1u << lane;
    return mask;
}

/* VPSHUFD's order for words of register r: from where they lie in the rows, or to there. */
static unsigned order_of_three(unsigned r, bool load)
{
    unsigned order = 0;
    for (unsigned lane = 0; lane < 4; lane++) {
        unsigned number = lane;
        while (number % THREE != r)
            number += 4;
        order |= (load ? (THREE * lane + r) % 4 : number / THREE) << 2 * lane;
    }
    return order;
}

/* xmm0 = bytes of register r: without VPBLENDVB those of each row by themselves. */
static void collect_bytes_by_logic(struct emitter *e, const struct ir_op *o, struct x86_rm from,
                                   unsigned r)
{
    for (unsigned i = 0; i < (o->size == 16 ? 3 : 2); i++) {
        if (i == 2)
            structure_load(e, 3, row(from, 2), 16);
        vec_op(e, vec_lanes[IR_V_AND][0], i ? 3 : 0, i < 2 ? i + 1 : 3,
               vec_const(e, (enum vec_constant)(VEC_LD3_MASK + 3 * i + r), 0));
        if (i)
            vec_lane(e, IR_V_ORR, 0, 0, 0, 3);
    }
}

/* Bytes: the third row from memory, as a fourth register is needed for the masks. */
static void collect_bytes(struct emitter *e, const struct ir_op *o, struct x86_rm from, unsigned r)
{
    static const struct vec_code load = {1, 1, 0, 0x6f}, blend = {1, 3, 0, 0x4c};
    if (vec_legacy(e)) {
        collect_bytes_by_logic(e, o, from, r);
        return;
    }
    vec_op(e, load, 3, X86_NO_SECOND, vec_const(e, (enum vec_constant)(VEC_LD3_MASK + 3 + r), 0));
    vec_op_imm(e, blend, 0, 1, rm_reg(2), 3 << 4);
    if (o->size == 16) {
        vec_op(e, load, 3, X86_NO_SECOND,
               vec_const(e, (enum vec_constant)(VEC_LD3_MASK + 6 + r), 0));
        vec_op_imm(e, blend, 0, 0, row(from, 2), 3 << 4);
    }
}

/* 64-bit lanes, two of each register. */
static void load_three_doublewords(struct emitter *e, const struct ir_op *o)
{
    static const struct {
        uint8_t low, high, order;
    } rows[] = {{1, 2, 2}, {1, 3, 1}, {2, 3, 2}};
    for (unsigned r = 0; r < THREE; r++) { /* vshufpd */
        unsigned v = structure_next(o, r), d = vec_dest(e, v, 0);
        vec_op_imm(e, (struct vec_code){1, 1, X86_W_EVEX, 0xc6}, d, rows[r].low,
                   rm_reg(rows[r].high), rows[r].order);
        vec_done(e, v, d);
    }
}

static void load_three(struct emitter *e, const struct ir_op *o, struct x86_rm from)
{
    unsigned z = o->y;
    bool whole = o->size == 16;
    structure_load(e, 1, from, 16);
    structure_load(e, 2, row(from, 1), o->size);
    if (whole && z)
        structure_load(e, 3, row(from, 2), 16);
    if (z == 3) {
        load_three_doublewords(e, o);
        return;
    }
    for (unsigned r = 0; r < THREE; r++) {
        unsigned v = structure_next(o, r), d = whole ? vec_dest(e, v, 0) : 0;
        if (z == 0) {
            collect_bytes(e, o, from, r);
        } else {
            vec_blend_lanes(e, z, 0, 1, rm_reg(2), lanes_of_three(z, 1, r));
            if (whole)
                vec_blend_lanes(e, z, 0, 0, rm_reg(3), lanes_of_three(z, 2, r));
        }
        if (z == 2)
            vec_op_imm(e, (struct vec_code){1, 1, 0, 0x70}, d, X86_NO_SECOND, rm_reg(0),
                       order_of_three(r, true));
        else
            x86_vec(e->buf, 1, 2, 0, 0x00, d, 0,
                    vec_const(e, (enum vec_constant)(VEC_LD3_8 + 3 * z + r), 0));
        vec_set(e, v, d, o->size);
    }
}

/* Bytes: each row of its three registers' elements, shuffled apart, with zeros between. */
static void store_three_bytes(struct emitter *e, const struct ir_op *o, struct x86_rm to)
{
    unsigned a = vec_use(e, o->d, 1), b = vec_use(e, structure_next(o, 1), 2);
    for (unsigned i = 0; i * 16 < THREE * (unsigned)o->size; i++) {
        const enum vec_constant first = (enum vec_constant)(VEC_ST3_8 + 3 * i);
        unsigned c = vec_use(e, structure_next(o, 2), 3);
        x86_vec(e->buf, 1, 2, 0, 0x00, 3, c, vec_const(e, first + 2, 0));
        x86_vec(e->buf, 1, 2, 0, 0x00, 0, a, vec_const(e, first, 0));
        vec_lane(e, IR_V_ORR, 0, 0, 0, 3);
        x86_vec(e->buf, 1, 2, 0, 0x00, 3, b, vec_const(e, first + 1, 0));
        vec_lane(e, IR_V_ORR, 0, 0, 0, 3);
        structure_store(e, 0, row(to, i), i ? o->size : 16);
    }
}

static void store_three_doublewords(struct emitter *e, const struct ir_op *o, struct x86_rm to)
{
    unsigned a = vec_use(e, o->d, 1), b = vec_use(e, structure_next(o, 1), 2);
    unsigned c = vec_use(e, structure_next(o, 2), 3);
    vec_lane(e, IR_V_ZIP1, 3, 0, a, b);
    structure_store(e, 0, to, 16);
    vec_op_imm(e, (struct vec_code){1, 1, X86_W_EVEX, 0xc6}, 0, c, rm_reg(a), 2); /* vshufpd */
    structure_store(e, 0, row(to, 1), 16);
    vec_lane(e, IR_V_ZIP2, 3, 0, b, c);
    structure_store(e, 0, row(to, 2), 16);
}

static void store_three(struct emitter *e, const struct ir_op *o, struct x86_rm to)
{
    unsigned z = o->y;
    if (z == 0) {
        store_three_bytes(e, o, to);
        return;
    }
    if (z == 3) {
        store_three_doublewords(e, o, to);
        return;
    }
    for (unsigned r = 0; r < THREE; r++) {
        unsigned v = vec_use(e, structure_next(o, r), r + 1);
        if (z == 2)
            vec_op_imm(e, (struct vec_code){1, 1, 0, 0x70}, r + 1, X86_NO_SECOND, rm_reg(v),
                       order_of_three(r, false));
        else
            x86_vec(e->buf, 1, 2, 0, 0x00, r + 1, v,
                    vec_const(e, (enum vec_constant)(VEC_ST3_16 + r), 0));
    }
    for (unsigned i = 0; i * 16 < THREE * (unsigned)o->size; i++) {
        vec_blend_lanes(e, z, 0, 1, rm_reg(2), lanes_of_three(z, i, 1));
        vec_blend_lanes(e, z, 0, 0, rm_reg(3), lanes_of_three(z, i, 2));
        structure_store(e, 0, row(to, i), i ? o->size : 16);
    }
}

/* --- four ----------------------------------------------------------------------------------------
 */

/* xmm `reg` = a row of memory, with a word (or what makes one) of each register. */
static void load_sorted_in_four(struct emitter *e, unsigned z, unsigned reg, struct x86_rm from)
{
    structure_load(e, reg, from, 16);
    if (z < 2)
        x86_vec(e->buf, 1, 2, 0, 0x00, reg, reg,
                vec_const(e, (enum vec_constant)(VEC_SORT4_8 + z), 0));
}

/* xmm0 and xmm1 = words of rows i and i + 1 put side by side: of the first two registers to
 * `low`, of the others to `high`. */
static void join_rows(struct emitter *e, const struct ir_op *o, struct x86_rm from, unsigned i,
                      unsigned low, unsigned high)
{
    load_sorted_in_four(e, o->y, 0, row(from, i));
    load_sorted_in_four(e, o->y, 1, row(from, i + 1));
    vec_lane(e, IR_V_ZIP1, 2, low, 0, 1);
    vec_lane(e, IR_V_ZIP2, 2, high, 0, 1);
}

static void load_four(struct emitter *e, const struct ir_op *o, struct x86_rm from)
{
    unsigned third = structure_next(o, 2), fourth = structure_next(o, 3);
    if (o->y == 3) {
        for (unsigned i = 0; i < 2; i++) {
            structure_load(e, 1, row(from, i), 16);
            structure_load(e, 2, row(from, i + 2), 16);
            set_halves(e, structure_next(o, 2 * i), 1, 2, false);
            set_halves(e, structure_next(o, 2 * i + 1), 1, 2, true);
        }
        return;
    }
    if (o->size == 8) {
        join_rows(e, o, from, 0, 3, 1);
        set_both_halves(e, o->d, structure_next(o, 1), 3);
        set_both_halves(e, third, fourth, 1);
        return;
    }
    join_rows(e, o, from, 0, 2, 0);
    vec_done(e, third, 0); /* kept there meanwhile */
    join_rows(e, o, from, 2, 3, 1);
    set_halves(e, o->d, 2, 3, false);
    set_halves(e, structure_next(o, 1), 2, 3, true);
    unsigned kept = vec_use(e, third, 2);
    set_halves(e, fourth, kept, 1, true);
    set_halves(e, third, kept, 1, false);
}

/* Rows 0 and 1 from the lower halves, 2 and 3 from the upper. */
static void store_four(struct emitter *e, const struct ir_op *o, struct x86_rm to)
{
    static const uint8_t zip[] = {IR_V_ZIP1, IR_V_ZIP2};
    unsigned z = o->y;
    for (unsigned half = 0; half < rows_of(o) / 2; half++) {
        for (unsigned pair = 0; pair < 2; pair++) {
            unsigned a = vec_use(e, structure_next(o, 2 * pair), 1);
            unsigned b = vec_use(e, structure_next(o, 2 * pair + 1), 2);
            vec_lane(e, (enum ir_vec)zip[half], z, pair ? 3 : 0, a, b);
        }
        for (unsigned i = 0; i < 2; i++) {
            unsigned from = z == 3 ? i ? 3 : 0 : 1;
            if (z < 3)
                vec_lane(e, (enum ir_vec)zip[i], z + 1, from, 0, 3);
            structure_store(e, from, row(to, 2 * half + i), 16);
        }
    }
}

void structure_load_interleaved(struct emitter *e, const struct ir_op *o, struct x86_rm from)
{
    if (o->x == 2)
        load_two(e, o, from);
    else if (o->x == THREE)
        load_three(e, o, from);
    else
        load_four(e, o, from);
}

void structure_store_interleaved(struct emitter *e, const struct ir_op *o, struct x86_rm to)
{
    if (o->x == 2)
        store_two(e, o, to);
    else if (o->x == THREE)
        store_three(e, o, to);
    else
        store_four(e, o, to);
}
