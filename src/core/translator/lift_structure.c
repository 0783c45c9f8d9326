/* lift_structure.c: LD1 to LD4 and ST1 to ST4 (DDI 0487 C4.1.88): one or more registers in a row,
 * two interleaved, one lane, one value in all lanes. The rest is the interpreter's.
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

LIFT(LD1)
{
    return structure(l, in, IR_VLOADS, IR_CONSECUTIVE, whole_bytes(in));
}

LIFT(ST1)
{
    return structure(l, in, IR_VSTORES, IR_CONSECUTIVE, whole_bytes(in));
}

LIFT(LD2)
{
    return structure(l, in, IR_VLOADS, IR_INTERLEAVED, whole_bytes(in));
}

LIFT(ST2)
{
    return structure(l, in, IR_VSTORES, IR_INTERLEAVED, whole_bytes(in));
}

LIFT(LD1_lane)
{
    return structure(l, in, IR_VLOADS, IR_LANE, 1u << in->z);
}

LIFT(ST1_lane)
{
    return structure(l, in, IR_VSTORES, IR_LANE, 1u << in->z);
}

LIFT(LD1R)
{
    return structure(l, in, IR_VLOADS, IR_REPLICATE, 1u << in->z);
}

const struct lift_row lift_rows_structure[] = {
    ROW(LD1),      {A64_OP_LD1_post, lift_LD1},
    ROW(ST1),      {A64_OP_ST1_post, lift_ST1},
    ROW(LD2),      {A64_OP_LD2_post, lift_LD2},
    ROW(ST2),      {A64_OP_ST2_post, lift_ST2},
    ROW(LD1_lane), {A64_OP_LD1_lane_post, lift_LD1_lane},
    ROW(ST1_lane), {A64_OP_ST1_lane_post, lift_ST1_lane},
    ROW(LD1R),     {A64_OP_LD1R_post, lift_LD1R},
};
const unsigned lift_rows_structure_count = ARRAY_SIZE(lift_rows_structure);
