/* emit_structure.c: loads and stores of several vector registers, of single lanes, and of one value
 * into all lanes of each. One look at the TLB covers all of an instruction's bytes.
 */
#include "core/x86_64/emit_structure.h"

static struct x86_rm behind(struct x86_rm rm, unsigned bytes)
{
    rm.disp += (int32_t)bytes;
    return rm;
}

static const struct vec_code insert[] = {
    {1, 3, 0, 0x20}, {1, 1, 0, 0xc4}, {1, 3, 0, 0x22}, {1, 3, 1, 0x22}};
static const struct vec_code extract[] = {
    {1, 3, 0, 0x14}, {1, 3, 0, 0x15}, {1, 3, 0, 0x16}, {1, 3, 1, 0x16}};

/* One element for each register, to one lane or all. */
static void load_elements(struct emitter *e, const struct ir_op *o, struct x86_rm from)
{
    static const uint8_t broadcast[] = {0x78, 0x79, 0x58, 0x59};
    for (unsigned i = 0; i < o->x; i++) {
        unsigned v = structure_next(o, i);
        struct x86_rm at = behind(from, i << o->y);
        if (o->sub == IR_LANE) {
            unsigned d = vec_use(e, v, 0);
            vec_op_imm(e, insert[o->y], d, d, at, o->c);
            vec_done(e, v, d);
        } else {
            unsigned d = o->size == 16 ? vec_dest(e, v, 0) : 0;
            x86_vec(e->buf, 1, 2, o->y == 3 ? X86_W_EVEX : 0, broadcast[o->y], d, X86_NO_SECOND,
                    at);
            vec_set(e, v, d, o->size);
        }
    }
}

static bool whole_registers(const struct ir_op *o)
{
    return o->sub == IR_CONSECUTIVE || o->sub == IR_INTERLEAVED;
}

static struct x86_rm address(struct emitter *e, const struct ir_op *o, enum a64_access access)
{
    return emit_address(e, access, (unsigned)o->x * (whole_registers(o) ? o->size : 1u << o->y));
}

void emit_VLOADS(struct emitter *e, const struct ir_op *o)
{
    struct x86_rm from = address(e, o, A64_READ);
    if (!whole_registers(o)) {
        load_elements(e, o, from);
    } else if (o->sub == IR_INTERLEAVED) {
        structure_load_interleaved(e, o, from);
    } else {
        for (unsigned i = 0; i < o->x; i++) {
            unsigned v = structure_next(o, i), d = vec_dest(e, v, 0);
            structure_load(e, d, behind(from, i * o->size), o->size);
            vec_done(e, v, d);
        }
    }
}

void emit_VSTORES(struct emitter *e, const struct ir_op *o)
{
    struct x86_rm to = address(e, o, A64_WRITE);
    if (o->sub == IR_INTERLEAVED) {
        structure_store_interleaved(e, o, to);
        return;
    }
    for (unsigned i = 0; i < o->x; i++) {
        unsigned v = vec_use(e, structure_next(o, i), 0);
        if (o->sub == IR_LANE)
            vec_op_imm(e, extract[o->y], v, X86_NO_SECOND, behind(to, i << o->y), o->c);
        else
            structure_store(e, v, behind(to, i * o->size), o->size);
    }
}
