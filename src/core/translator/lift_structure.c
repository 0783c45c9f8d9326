/* lift_structure.c: LD1 to LD4 and ST1 to ST4 (DDI 0487 C4.1.88): registers in a row, interleaved,
 * one lane of each, one value in all lanes of each.
 */
#include "core/translator/lift_int.h"

#include "base/bytes.h"

/* Post-index by register m, or (31) by the bytes transferred. */
static bool structure(struct lifter *l, const struct a64_insn *in, enum ir_opcode op,
                      enum ir_structure kind, unsigned total_bytes)
{
    struct ir_op *o = emit_op(l, op, IR_I64);
    o->d = in->d;
    o->a = in->n;
    o->b = IR_NO_INDEX;
    o->c = in->i;
    o->sub = kind;
    o->x = in->R;
    o->y = in->z;
    o->size = in->Q ? 16 : 8;
    if (!in->e)
        return true;
    o = emit_op(l, IR_ADD, IR_I64);
    o->d = o->a = in->n;
    o->b = in->m == 31 ? IR_IMM : in->m;
    o->imm = in->m == 31 ? (int64_t)total_bytes : 0;
    return true;
}

static unsigned whole_bytes(const struct a64_insn *in)
{
    return in->R * (in->Q ? 16u : 8u);
}

static unsigned element_bytes(const struct a64_insn *in)
{
    return (unsigned)in->R << in->z;
}

LIFT(LD1)
{
    return structure(l, in, IR_VLOADS, IR_CONSECUTIVE, whole_bytes(in));
}

LIFT(ST1)
{
    return structure(l, in, IR_VSTORES, IR_CONSECUTIVE, whole_bytes(in));
}

LIFT(load_interleaved)
{
    return structure(l, in, IR_VLOADS, IR_INTERLEAVED, whole_bytes(in));
}

LIFT(store_interleaved)
{
    return structure(l, in, IR_VSTORES, IR_INTERLEAVED, whole_bytes(in));
}

LIFT(load_lane)
{
    return structure(l, in, IR_VLOADS, IR_LANE, element_bytes(in));
}

LIFT(store_lane)
{
    return structure(l, in, IR_VSTORES, IR_LANE, element_bytes(in));
}

LIFT(replicate)
{
    return structure(l, in, IR_VLOADS, IR_REPLICATE, element_bytes(in));
}

/* With and without post-index. */
#define BOTH(name, form)                                                                           \
    {A64_OP_##name, lift_##form},                                                                  \
    {                                                                                              \
        A64_OP_##name##_post, lift_##form                                                          \
    }

/* clang-format off */
const struct lift_row lift_rows_structure[] = {
    BOTH(LD1, LD1),
    BOTH(LD2, load_interleaved),
    BOTH(LD3, load_interleaved),
    BOTH(LD4, load_interleaved),
    BOTH(ST1, ST1),
    BOTH(ST2, store_interleaved),
    BOTH(ST3, store_interleaved),
    BOTH(ST4, store_interleaved),
    BOTH(LD1_lane, load_lane),
    BOTH(LD2_lane, load_lane),
    BOTH(LD3_lane, load_lane),
    BOTH(LD4_lane, load_lane),
    BOTH(ST1_lane, store_lane),
    BOTH(ST2_lane, store_lane),
    BOTH(ST3_lane, store_lane),
    BOTH(ST4_lane, store_lane),
    BOTH(LD1R, replicate),
    BOTH(LD2R, replicate),
    BOTH(LD3R, replicate),
    BOTH(LD4R, replicate),
};
/* clang-format on */
const unsigned lift_rows_structure_count = ARRAY_SIZE(lift_rows_structure);
