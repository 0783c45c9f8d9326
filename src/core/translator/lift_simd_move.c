/* lift_simd_move.c: Advanced SIMD instructions that move elements about or make constants (DDI 0487
 * C4.1.90): MOVI and kin, DUP, INS, UMOV, SMOV, EXT, TBL, TBX.
 */
#include "core/translator/lift_int.h"

#include "base/bytes.h"
#include "core/arm64/interpreter.h"

/* --- constants ---------------------------------------------------------------------------------
 */

static bool constant(struct lifter *l, const struct a64_insn *in, uint64_t value)
{
    struct ir_op *o = emit_op(l, IR_VCONST, IR_I64);
    o->d = in->d;
    o->imm = (int64_t)value;
    o->x = in->Q;
    return true;
}

LIFT(modified_immediate)
{
    uint64_t value = a64_vector_immediate(in);
    if (in->op == A64_OP_ORR_vimm || in->op == A64_OP_BIC_vimm) {
        struct ir_op *o = lift_vector(l, in, IR_VLOGIC, 0);
        o->imm = (int64_t)value;
        o->sub = in->op == A64_OP_ORR_vimm ? IR_V_ORR : IR_V_BIC;
        return true;
    }
    return constant(l, in, value);
}

/* --- elements: imm5 (i) holds size and index -----------------------------------------------------
 */

static unsigned element_size(const struct a64_insn *in)
{
    return (unsigned)__builtin_ctz(in->i);
}

static struct ir_op *element(struct lifter *l, const struct a64_insn *in, enum ir_opcode op)
{
    unsigned z = element_size(in);
    struct ir_op *o = lift_vector(l, in, op, z);
    o->x = (uint8_t)(in->i >> (z + 1));
    return o;
}

LIFT(DUP_elem)
{
    element(l, in, IR_VDUP)->size = in->e;
    return true;
}

LIFT(INS_elem)
{
    struct ir_op *o = element(l, in, IR_VINS);
    o->size = o->x;
    o->x = (uint8_t)(in->j >> element_size(in));
    return true;
}

LIFT(DUP_gp)
{
    element(l, in, IR_VDUPG)->a = zr(in->n);
    return true;
}

LIFT(INS_gp)
{
    struct ir_op *o = element(l, in, IR_VINSG);
    o->a = zr(in->n);
    o->size = (uint8_t)(1u << element_size(in));
    return true;
}

LIFT(to_general)
{
    struct ir_op *o = element(l, in, IR_VTOG);
    o->d = zr(in->d);
    o->size = (uint8_t)(1u << element_size(in));
    o->type = in->Q ? IR_I64 : IR_I32;
    o->flags = in->op == A64_OP_SMOV ? IR_SIGNED : 0;
    return true;
}

LIFT(EXT)
{
    lift_vector(l, in, IR_VEXT, 0)->x = (uint8_t)in->i;
    return true;
}

LIFT(TBL)
{
    struct ir_op *o = lift_vector(l, in, IR_VTBL, 0);
    o->x = in->l;
    o->sub = in->op == A64_OP_TBX;
    return true;
}

const struct lift_row lift_rows_simd_move[] = {
    {A64_OP_MOVI, lift_modified_immediate},
    {A64_OP_MOVI_d, lift_modified_immediate},
    {A64_OP_MVNI, lift_modified_immediate},
    {A64_OP_ORR_vimm, lift_modified_immediate},
    {A64_OP_BIC_vimm, lift_modified_immediate},
    {A64_OP_FMOV_vimm, lift_modified_immediate},
    ROW(DUP_elem),
    {A64_OP_DUP_sc, lift_DUP_elem},
    ROW(INS_elem),
    ROW(DUP_gp),
    ROW(INS_gp),
    {A64_OP_UMOV, lift_to_general},
    {A64_OP_SMOV, lift_to_general},
    ROW(EXT),
    ROW(TBL),
    {A64_OP_TBX, lift_TBL},
};
const unsigned lift_rows_simd_move_count = ARRAY_SIZE(lift_rows_simd_move);
