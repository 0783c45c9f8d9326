/* emit_structure.c: loads and stores of several vector registers, of single lanes, and of one value
 * into all lanes. One look at the TLB covers all of an instruction's bytes.
 *
 * Three and four interleaved registers are left to the interpreter.
 */
#include "core/x86_64/emit_vec.h"

static struct x86_rm behind(struct x86_rm rm, unsigned bytes)
{
    rm.disp += (int32_t)bytes;
    return rm;
}

static void load(struct emitter *e, unsigned xmm, struct x86_rm from, unsigned bytes)
{
    if (bytes == 16)
        x86_vec(e->buf, 2, 1, 0, 0x6f, xmm, X86_NO_SECOND, from); /* vmovdqu */
    else
        x86_vec(e->buf, 2, 1, X86_W_EVEX, 0x7e, xmm, X86_NO_SECOND, from); /* vmovq */
}

static void store(struct emitter *e, unsigned xmm, struct x86_rm to, unsigned bytes)
{
    if (bytes == 16)
        x86_vec(e->buf, 2, 1, 0, 0x7f, xmm, X86_NO_SECOND, to);
    else
        x86_vec(e->buf, 1, 1, X86_W_EVEX, 0xd6, xmm, X86_NO_SECOND, to);
}

static unsigned next(const struct ir_op *o, unsigned i)
{
    return (o->d + i) % 32;
}

/* xmm `reg`: even lanes to the lower half, odd ones to the upper. */
static void sort_lanes(struct emitter *e, unsigned z, unsigned reg)
{
    if (z == 2) {
        x86_vec(e->buf, 1, 1, 0, 0x70, reg, X86_NO_SECOND, rm_reg(reg));
        x86_byte(e->buf, 0xd8);
    } else if (z < 2) {
        x86_vec(e->buf, 1, 2, 0, 0x00, reg, reg, vec_const(e, z ? VEC_SORT16 : VEC_SORT8, 0));
    }
}

static void load_interleaved(struct emitter *e, const struct ir_op *o, struct x86_rm from)
{
    load(e, 0, from, 16);
    sort_lanes(e, o->y, 0);
    if (o->size == 8) {
        vec_shift_bytes(e, 1, 0, 8);
        vec_set(e, o->d, 0, 8);
        vec_set(e, next(o, 1), 1, 8);
        return;
    }
    load(e, 1, behind(from, 16), 16);
    sort_lanes(e, o->y, 1);
    vec_lane(e, IR_V_ZIP2, 3, 2, 0, 1);
    vec_lane(e, IR_V_ZIP1, 3, 0, 0, 1);
    vec_done(e, o->d, 0);
    vec_done(e, next(o, 1), 2);
}

static void store_interleaved(struct emitter *e, const struct ir_op *o, struct x86_rm to)
{
    unsigned a = vec_use(e, o->d, 1), b = vec_use(e, next(o, 1), 2);
    vec_lane(e, IR_V_ZIP1, o->y, 0, a, b);
    store(e, 0, to, 16);
    if (o->size == 16) {
        vec_lane(e, IR_V_ZIP2, o->y, 0, a, b);
        store(e, 0, behind(to, 16), 16);
    }
}

static const struct vec_code insert[] = {
    {1, 3, 0, 0x20}, {1, 1, 0, 0xc4}, {1, 3, 0, 0x22}, {1, 3, 1, 0x22}};
static const struct vec_code extract[] = {
    {1, 3, 0, 0x14}, {1, 3, 0, 0x15}, {1, 3, 0, 0x16}, {1, 3, 1, 0x16}};

static void load_replicated(struct emitter *e, const struct ir_op *o, struct x86_rm from)
{
    static const uint8_t broadcast[] = {0x78, 0x79, 0x58, 0x59};
    x86_vec(e->buf, 1, 2, o->y == 3 ? X86_W_EVEX : 0, broadcast[o->y], 0, X86_NO_SECOND, from);
    vec_set(e, o->d, 0, o->size);
}

void emit_VLOADS(struct emitter *e, const struct ir_op *o)
{
    bool whole = o->sub == IR_CONSECUTIVE || o->sub == IR_INTERLEAVED;
    flags_clobber(e);
    struct x86_rm from = emit_address(e, A64_READ, whole ? o->size * (unsigned)o->x : 1u << o->y);
    if (o->sub == IR_INTERLEAVED) {
        load_interleaved(e, o, from);
    } else if (o->sub == IR_LANE) {
        unsigned d = vec_use(e, o->d, 0);
        vec_op_imm(e, insert[o->y], d, d, from, o->c);
        vec_done(e, o->d, d);
    } else if (o->sub == IR_REPLICATE) {
        load_replicated(e, o, from);
    } else {
        for (unsigned i = 0; i < o->x; i++) {
            unsigned d = vec_dest(e, next(o, i), 0);
            load(e, d, behind(from, i * o->size), o->size);
            vec_done(e, next(o, i), d);
        }
    }
}

void emit_VSTORES(struct emitter *e, const struct ir_op *o)
{
    bool whole = o->sub != IR_LANE;
    flags_clobber(e);
    struct x86_rm to = emit_address(e, A64_WRITE, whole ? o->size * (unsigned)o->x : 1u << o->y);
    if (o->sub == IR_INTERLEAVED)
        store_interleaved(e, o, to);
    else if (o->sub == IR_LANE)
        vec_op_imm(e, extract[o->y], vec_use(e, o->d, 0), X86_NO_SECOND, to, o->c);
    else
        for (unsigned i = 0; i < o->x; i++)
            store(e, vec_use(e, next(o, i), 0), behind(to, i * o->size), o->size);
}
