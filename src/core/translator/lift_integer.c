/* lift_integer.c: data processing on general registers (DDI 0487 C4.1.86, C4.1.89).
 *
 * Most instructions are one micro-op; what varies between the encodings of a group is a row of a
 * small table indexed by the decode table's op.
 */
#include "core/translator/lift_int.h"

#include "base/bytes.h"
#include "core/arm64/interpreter.h"

static struct ir_op *three(struct lifter *l, enum ir_opcode op, enum ir_type type, unsigned d,
                           unsigned a, unsigned b)
{
    struct ir_op *o = emit_op(l, op, type);
    o->d = (uint8_t)d;
    o->a = (uint8_t)a;
    o->b = (uint8_t)b;
    return o;
}

static void immediate(struct lifter *l, enum ir_opcode op, enum ir_type type, unsigned d,
                      unsigned a, int64_t imm)
{
    three(l, op, type, d, a, IR_IMM)->imm = imm;
}

static bool move_constant(struct lifter *l, unsigned d, uint64_t value)
{
    struct ir_op *o = emit_op(l, IR_MOVI, IR_I64);
    o->d = (uint8_t)d;
    o->imm = (int64_t)value;
    return true;
}

LIFT(ADR)
{
    struct ir_op *o = emit_op(l, IR_PCREL, IR_I64);
    o->d = zr(in->d);
    o->imm = l->offset + sign_extend((uint64_t)in->i << 2 | in->j, 21);
    return true;
}

LIFT(ADRP)
{
    struct ir_op *o = emit_op(l, IR_PCREL, IR_I64);
    o->d = zr(in->d);
    o->imm = sign_extend((uint64_t)in->i << 2 | in->j, 21) * 4096;
    return true;
}

/* ADD, SUB and their flag-setting forms: by op, minus the first of four in that order. */
static enum ir_opcode add_sub(const struct a64_insn *in)
{
    switch (in->op) {
    case A64_OP_ADD_imm:
    case A64_OP_ADD_shift:
    case A64_OP_ADD_ext:
        return IR_ADD;
    case A64_OP_ADDS_imm:
    case A64_OP_ADDS_shift:
    case A64_OP_ADDS_ext:
        return IR_ADDS;
    case A64_OP_SUB_imm:
    case A64_OP_SUB_shift:
    case A64_OP_SUB_ext:
        return IR_SUB;
    default:
        return IR_SUBS;
    }
}

static bool sets_flags(enum ir_opcode op)
{
    return ir_op_info[op].writes_flags;
}

/* Adds to the address that the instruction before this one made (ADRP, ADD): a constant, too. */
static bool add_to_address(struct lifter *l, const struct a64_insn *in, int64_t imm)
{
    struct ir_unit *unit = l->unit;
    if (unit->count < 2 || unit->ops[unit->count - 1].op != IR_INSN)
        return false;
    struct ir_op *before = &unit->ops[unit->count - 2];
    if (before->op != IR_PCREL || before->d != in->n || in->d == 31)
        return false;
    l->joined = true;
    imm += before->imm;
    if (in->d != in->n) {
        before = emit_op(l, IR_PCREL, IR_I64);
        before->d = in->d;
    }
    before->imm = imm;
    return true;
}

LIFT(add_imm)
{
    enum ir_opcode op = add_sub(in);
    unsigned d = sets_flags(op) ? zr(in->d) : in->d;
    int64_t imm = (int64_t)in->i << (in->h ? 12 : 0);
    if (imm == 0 && op == IR_ADD) { /* MOV to or from SP */
        three(l, IR_MOV, int_type(in), d, in->n, 0);
        return true;
    }
    if (op == IR_ADD && in->f && add_to_address(l, in, imm))
        return true;
    immediate(l, op, int_type(in), d, in->n, imm);
    return true;
}

static uint16_t shift_mod(const struct a64_insn *in)
{
    static const uint16_t kinds[] = {IR_MOD_LSL, IR_MOD_LSR, IR_MOD_ASR, IR_MOD_ROR};
    return in->h ? (uint16_t)(kinds[in->t] | in->h) : 0;
}

LIFT(add_shift)
{
    three(l, add_sub(in), int_type(in), zr(in->d), zr(in->n), zr(in->m))->mod = shift_mod(in);
    return true;
}

LIFT(add_ext)
{
    static const uint16_t kinds[] = {IR_MOD_UXTB, IR_MOD_UXTH, IR_MOD_UXTW, IR_MOD_UXTX,
                                     IR_MOD_SXTB, IR_MOD_SXTH, IR_MOD_SXTW, IR_MOD_SXTX};
    enum ir_opcode op = add_sub(in);
    unsigned d = sets_flags(op) ? zr(in->d) : in->d;
    three(l, op, int_type(in), d, in->n, zr(in->m))->mod = (uint16_t)(kinds[in->o] | in->h);
    return true;
}

LIFT(logic_imm)
{
    uint64_t mask = a64_bitmask(in->N, in->w, in->r);
    enum ir_opcode op = in->op == A64_OP_AND_imm   ? IR_AND
                        : in->op == A64_OP_ORR_imm ? IR_OR
                        : in->op == A64_OP_EOR_imm ? IR_XOR
                                                   : IR_ANDS;
    if (!in->f)
        mask = (uint32_t)mask;
    unsigned d = op == IR_ANDS ? zr(in->d) : in->d;
    if (op == IR_OR && in->n == 31)
        return move_constant(l, d, mask);
    immediate(l, op, int_type(in), d, zr(in->n), in->f ? (int64_t)mask : (int32_t)mask);
    return true;
}

LIFT(logic_shift)
{
    static const struct {
        uint16_t guest;
        enum ir_opcode op;
    } ops[] = {{A64_OP_AND_shift, IR_AND},   {A64_OP_BIC_shift, IR_ANDN},
               {A64_OP_ORR_shift, IR_OR},    {A64_OP_ORN_shift, IR_ORN},
               {A64_OP_EOR_shift, IR_XOR},   {A64_OP_EON_shift, IR_XORN},
               {A64_OP_ANDS_shift, IR_ANDS}, {A64_OP_BICS_shift, IR_ANDNS}};
    unsigned k = 0;
    while (ops[k].guest != in->op)
        k++;
    if (ops[k].op == IR_OR && in->n == 31 && !in->h) { /* MOV */
        three(l, IR_MOV, int_type(in), zr(in->d), zr(in->m), 0);
        return true;
    }
    three(l, ops[k].op, int_type(in), zr(in->d), zr(in->n), zr(in->m))->mod = shift_mod(in);
    return true;
}

LIFT(move_wide)
{
    uint64_t value = (uint64_t)in->i << in->h * 16;
    if (in->op == A64_OP_MOVK) {
        uint64_t mask = 0xffffull << in->h * 16;
        if (in->d == 31)
            return true;
        /* behind the MOVZ that it completes: one constant */
        struct ir_op *before = l->unit->count >= 2 ? &l->unit->ops[l->unit->count - 2] : NULL;
        if (before && before->op == IR_MOVI && before->d == in->d) {
            l->joined = true;
            uint64_t whole = ((uint64_t)before->imm & ~mask) | value;
            before->imm = (int64_t)(in->f ? whole : (uint32_t)whole);
            return true;
        }
        immediate(l, IR_AND, int_type(in), in->d, in->d, (int64_t)~mask);
        immediate(l, IR_OR, int_type(in), in->d, in->d, (int64_t)value);
        return true;
    }
    if (in->op == A64_OP_MOVN)
        value = ~value;
    return move_constant(l, zr(in->d), in->f ? value : (uint32_t)value);
}

/* SBFM, UBFM, BFM: an extract where imms >= immr, an insertion into zeros or the old value else. */
LIFT(bitfield)
{
    unsigned width = in->f ? 64 : 32;
    bool extract = in->w >= in->r;
    enum ir_opcode op;
    if (in->op == A64_OP_UBFM)
        op = extract ? IR_UBFX : IR_UBFIZ;
    else if (in->op == A64_OP_SBFM)
        op = extract ? IR_SBFX : IR_SBFIZ;
    else
        op = extract ? IR_BFXIL : IR_BFI;
    if (in->op == A64_OP_BFM && in->d == 31)
        return true;
    if (in->op != A64_OP_BFM && extract && in->w == width - 1) { /* LSR, ASR */
        immediate(l, in->op == A64_OP_UBFM ? IR_SHR : IR_SAR, int_type(in), zr(in->d), zr(in->n),
                  in->r);
        return true;
    }
    if (in->op == A64_OP_UBFM && !extract && in->w + 1u == in->r) { /* LSL */
        immediate(l, IR_SHL, int_type(in), zr(in->d), zr(in->n), width - in->r);
        return true;
    }
    struct ir_op *o = three(l, op, int_type(in), zr(in->d), zr(in->n), 0);
    o->x = (uint8_t)(extract ? in->r : width - in->r);
    o->y = (uint8_t)(extract ? in->w - in->r + 1 : in->w + 1);
    return true;
}

LIFT(EXTR)
{
    if (in->n == in->m) { /* ROR */
        immediate(l, IR_ROR, int_type(in), zr(in->d), zr(in->n), in->h);
        return true;
    }
    three(l, IR_EXTR, int_type(in), zr(in->d), zr(in->n), zr(in->m))->imm = in->h;
    return true;
}

/* d = op(n, m) with nothing else to say. */
LIFT(plain)
{
    static const struct {
        uint16_t guest;
        enum ir_opcode op;
    } ops[] = {{A64_OP_ADC, IR_ADC},    {A64_OP_ADCS, IR_ADCS}, {A64_OP_SBC, IR_SBC},
               {A64_OP_SBCS, IR_SBCS},  {A64_OP_UDIV, IR_UDIV}, {A64_OP_SDIV, IR_SDIV},
               {A64_OP_LSLV, IR_SHL},   {A64_OP_LSRV, IR_SHR},  {A64_OP_ASRV, IR_SAR},
               {A64_OP_RORV, IR_ROR},   {A64_OP_CLS, IR_CLS},   {A64_OP_RBIT, IR_RBIT},
               {A64_OP_REV16, IR_REV16}};
    unsigned k = 0;
    while (ops[k].guest != in->op)
        k++;
    three(l, ops[k].op, int_type(in), zr(in->d), zr(in->n), zr(in->m));
    return true;
}

/* Behind RBIT in the same register: trailing zeros, which is what both are for. */
LIFT(CLZ)
{
    struct ir_op *before = l->unit->count >= 2 ? &l->unit->ops[l->unit->count - 2] : NULL;
    if (before && before->op == IR_RBIT && before->type == int_type(in) && before->d == in->n &&
        in->d == in->n && in->d != 31) {
        before->op = IR_CTZ;
        l->joined = true;
        return true;
    }
    three(l, IR_CLZ, int_type(in), zr(in->d), zr(in->n), 0);
    return true;
}

LIFT(REV)
{
    enum ir_opcode op = in->op == A64_OP_REV32 && in->f ? IR_REV32 : IR_REV;
    three(l, op, in->op == A64_OP_REV64 || in->f ? IR_I64 : IR_I32, zr(in->d), zr(in->n), 0);
    return true;
}

LIFT(multiply)
{
    static const struct {
        uint16_t guest;
        enum ir_opcode op;
    } ops[] = {{A64_OP_MADD, IR_MADD},     {A64_OP_MSUB, IR_MSUB},     {A64_OP_SMADDL, IR_SMADDL},
               {A64_OP_SMSUBL, IR_SMSUBL}, {A64_OP_UMADDL, IR_UMADDL}, {A64_OP_UMSUBL, IR_UMSUBL},
               {A64_OP_SMULH, IR_SMULH},   {A64_OP_UMULH, IR_UMULH}};
    unsigned k = 0;
    while (ops[k].guest != in->op)
        k++;
    bool by_width = ops[k].op == IR_MADD || ops[k].op == IR_MSUB;
    three(l, ops[k].op, by_width ? int_type(in) : IR_I64, zr(in->d), zr(in->n), zr(in->m))->c =
        zr(in->a);
    return true;
}

LIFT(select)
{
    static const struct {
        uint16_t guest;
        enum ir_opcode op;
    } ops[] = {{A64_OP_CSEL, IR_CSEL},
               {A64_OP_CSINC, IR_CSINC},
               {A64_OP_CSINV, IR_CSINV},
               {A64_OP_CSNEG, IR_CSNEG}};
    unsigned k = 0;
    while (ops[k].guest != in->op)
        k++;
    if (in->c >= 14) { /* always */
        three(l, IR_MOV, int_type(in), zr(in->d), zr(in->n), 0);
        return true;
    }
    three(l, ops[k].op, int_type(in), zr(in->d), zr(in->n), zr(in->m))->x = in->c;
    return true;
}

LIFT(compare)
{
    bool add = in->op == A64_OP_CCMN_imm || in->op == A64_OP_CCMN_reg;
    bool by_imm = in->op == A64_OP_CCMN_imm || in->op == A64_OP_CCMP_imm;
    struct ir_op *o = emit_op(l, add ? IR_CCMN : IR_CCMP, int_type(in));
    o->a = zr(in->n);
    o->b = by_imm ? IR_IMM : zr(in->m);
    o->imm = by_imm ? in->i : 0;
    o->x = in->c;
    o->y = in->k;
    return true;
}

LIFT(CRC32C)
{
    three(l, IR_CRC32, IR_I32, zr(in->d), zr(in->n), zr(in->m))->size = (uint8_t)(1u << in->z);
    return true;
}

LIFT(CRC32)
{
    three(l, IR_CRC32P, IR_I32, zr(in->d), zr(in->n), zr(in->m))->size = (uint8_t)(1u << in->z);
    return true;
}

const struct lift_row lift_rows_integer[] = {
    ROW(ADR),
    ROW(ADRP),
    {A64_OP_ADD_imm, lift_add_imm},
    {A64_OP_ADDS_imm, lift_add_imm},
    {A64_OP_SUB_imm, lift_add_imm},
    {A64_OP_SUBS_imm, lift_add_imm},
    {A64_OP_ADD_shift, lift_add_shift},
    {A64_OP_ADDS_shift, lift_add_shift},
    {A64_OP_SUB_shift, lift_add_shift},
    {A64_OP_SUBS_shift, lift_add_shift},
    {A64_OP_ADD_ext, lift_add_ext},
    {A64_OP_ADDS_ext, lift_add_ext},
    {A64_OP_SUB_ext, lift_add_ext},
    {A64_OP_SUBS_ext, lift_add_ext},
    {A64_OP_AND_imm, lift_logic_imm},
    {A64_OP_ORR_imm, lift_logic_imm},
    {A64_OP_EOR_imm, lift_logic_imm},
    {A64_OP_ANDS_imm, lift_logic_imm},
    {A64_OP_AND_shift, lift_logic_shift},
    {A64_OP_BIC_shift, lift_logic_shift},
    {A64_OP_ORR_shift, lift_logic_shift},
    {A64_OP_ORN_shift, lift_logic_shift},
    {A64_OP_EOR_shift, lift_logic_shift},
    {A64_OP_EON_shift, lift_logic_shift},
    {A64_OP_ANDS_shift, lift_logic_shift},
    {A64_OP_BICS_shift, lift_logic_shift},
    {A64_OP_MOVN, lift_move_wide},
    {A64_OP_MOVZ, lift_move_wide},
    {A64_OP_MOVK, lift_move_wide},
    {A64_OP_SBFM, lift_bitfield},
    {A64_OP_BFM, lift_bitfield},
    {A64_OP_UBFM, lift_bitfield},
    ROW(EXTR),
    {A64_OP_ADC, lift_plain},
    {A64_OP_ADCS, lift_plain},
    {A64_OP_SBC, lift_plain},
    {A64_OP_SBCS, lift_plain},
    {A64_OP_UDIV, lift_plain},
    {A64_OP_SDIV, lift_plain},
    {A64_OP_LSLV, lift_plain},
    {A64_OP_LSRV, lift_plain},
    {A64_OP_ASRV, lift_plain},
    {A64_OP_RORV, lift_plain},
    {A64_OP_CLZ, lift_CLZ},
    {A64_OP_CLS, lift_plain},
    {A64_OP_RBIT, lift_plain},
    {A64_OP_REV16, lift_plain},
    {A64_OP_REV32, lift_REV},
    {A64_OP_REV64, lift_REV},
    {A64_OP_MADD, lift_multiply},
    {A64_OP_MSUB, lift_multiply},
    {A64_OP_SMADDL, lift_multiply},
    {A64_OP_SMSUBL, lift_multiply},
    {A64_OP_UMADDL, lift_multiply},
    {A64_OP_UMSUBL, lift_multiply},
    {A64_OP_SMULH, lift_multiply},
    {A64_OP_UMULH, lift_multiply},
    {A64_OP_CSEL, lift_select},
    {A64_OP_CSINC, lift_select},
    {A64_OP_CSINV, lift_select},
    {A64_OP_CSNEG, lift_select},
    {A64_OP_CCMN_reg, lift_compare},
    {A64_OP_CCMN_imm, lift_compare},
    {A64_OP_CCMP_reg, lift_compare},
    {A64_OP_CCMP_imm, lift_compare},
    ROW(CRC32),
    ROW(CRC32C),
};
const unsigned lift_rows_integer_count = ARRAY_SIZE(lift_rows_integer);
