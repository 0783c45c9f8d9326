/* emit_alu.c: integer addition, subtraction, logic, moves and addresses.
 *
 * Guest registers are used where they live: x86's two-operand forms take memory operands for the
 * ones that have no host register. Additions whose flags nobody wants use LEA, which keeps EFLAGS.
 */
#include "core/x86_64/emit_int.h"

/* Applies o->mod to b; result in `scratch`, which may be b's register. Overwrites EFLAGS. */
static void modify(struct emitter *e, const struct ir_op *o, unsigned b, unsigned scratch)
{
    unsigned width = op_width(o), amount = IR_MOD_AMOUNT(o->mod);
    if (b == IR_ZERO) {
        x86_movi(e->buf, scratch, 0);
        return;
    }
    struct x86_rm from = loc(e, b);
    switch (IR_MOD_KIND(o->mod)) {
    case IR_MOD_UXTB:
        x86_zext(e->buf, 1, scratch, from);
        break;
    case IR_MOD_UXTH:
        x86_zext(e->buf, 2, scratch, from);
        break;
    case IR_MOD_UXTW:
        x86_zext(e->buf, 4, scratch, from);
        break;
    case IR_MOD_SXTB:
        x86_sext(e->buf, 1, width, scratch, from);
        break;
    case IR_MOD_SXTH:
        x86_sext(e->buf, 2, width, scratch, from);
        break;
    case IR_MOD_SXTW:
        x86_sext(e->buf, 4, width, scratch, from);
        break;
    case IR_MOD_ROR:
        emit_rotate(e, width, scratch, from, amount);
        return;
    default:
        if (!amount || !from.is_reg || from.base != scratch)
            x86_load(e->buf, width, scratch, from);
        break;
    }
    if (!amount)
        return;
    enum x86_shift shift = SH_SHL;
    if (IR_MOD_KIND(o->mod) == IR_MOD_LSR)
        shift = SH_SHR;
    else if (IR_MOD_KIND(o->mod) == IR_MOD_ASR)
        shift = SH_SAR;
    x86_shift_imm(e->buf, shift, width, rm_reg(scratch), amount);
}

/* Operand b of an ALU op as a register or memory: modified or immediate values land in RCX. */
static struct x86_rm operand_b(struct emitter *e, const struct ir_op *o)
{
    if (o->b == IR_IMM) {
        x86_movi(e->buf, RCX, o->type == IR_I64 ? (uint64_t)o->imm : (uint32_t)o->imm);
        return rm_reg(RCX);
    }
    if (o->mod || o->b == IR_ZERO) {
        modify(e, o, o->b, RCX);
        return rm_reg(RCX);
    }
    return loc(e, o->b);
}

static bool imm32(const struct ir_op *o)
{
    return o->b == IR_IMM && (o->type == IR_I32 || o->imm == (int32_t)o->imm);
}

/* d = a + b without touching EFLAGS, if LEA can. */
static bool add_by_lea(struct emitter *e, const struct ir_op *o, bool subtract)
{
    unsigned width = op_width(o);
    struct x86_rm address;
    if (o->a == IR_ZERO)
        return false;
    if (o->b == IR_IMM) {
        int64_t imm = subtract ? -o->imm : o->imm;
        if (imm != (int32_t)imm)
            return false;
        address = rm_mem(use_held(e, o->a, RAX, HELD_ALL), (int32_t)imm);
    } else {
        unsigned kind = IR_MOD_KIND(o->mod), amount = IR_MOD_AMOUNT(o->mod);
        bool plain = !o->mod || kind == IR_MOD_UXTX || kind == IR_MOD_SXTX || kind == IR_MOD_LSL ||
                     (width == 4 && (kind == IR_MOD_UXTW || kind == IR_MOD_SXTW));
        bool extends = kind == IR_MOD_UXTW || kind == IR_MOD_SXTW || kind == IR_MOD_UXTB ||
                       kind == IR_MOD_UXTH || kind == IR_MOD_SXTB || kind == IR_MOD_SXTH;
        if (subtract || o->b == IR_ZERO || amount > 3 || (!plain && !extends))
            return false;
        unsigned index;
        if (plain) {
            index = use_reg(e, o->b, RCX, width);
        } else {
            struct ir_op extend = *o;
            extend.mod = (uint16_t)kind; /* the shift is LEA's */
            modify(e, &extend, o->b, RCX);
            index = RCX;
        }
        address = rm_index(use_reg(e, o->a, RAX, 8), index, 1u << amount, 0);
    }
    unsigned d = set_reg(e, o->d, RAX);
    x86_lea(e->buf, width, d, address);
    if (d == RAX)
        set_done(e, o->d, RAX);
    return true;
}

/* d = a op b by computing in d's own register what b is first, where a is not there. */
static bool from_second(struct emitter *e, const struct ir_op *o, enum x86_alu alu, bool commutes)
{
    unsigned d = set_reg(e, o->d, X86_NONE), width = op_width(o);
    bool here = o->d == o->b, negates = alu == ALU_SUB && (o->a == IR_ZERO || o->op == IR_SUB);
    if (d == X86_NONE || o->d == o->a || o->b == IR_IMM || o->b == IR_ZERO)
        return false;
    if (o->a == IR_ZERO ? !negates : !(commutes && o->mod) && !(negates && here))
        return false;
    if (o->mod || !here)
        modify(e, o, o->b, d);
    if (negates)
        x86_unary(e->buf, UN_NEG, width, rm_reg(d));
    if (o->a != IR_ZERO)
        x86_alu(e->buf, negates ? ALU_ADD : alu, width, d, loc(e, o->a));
    return true;
}

/* d = a op b in the two-operand form. */
static void two_operand(struct emitter *e, const struct ir_op *o, enum x86_alu alu, bool commutes)
{
    unsigned width = op_width(o);
    flags_clobber(e);
    if (from_second(e, o, alu, commutes))
        return;
    bool by_imm = imm32(o);
    struct x86_rm b = by_imm ? rm_reg(RCX) : operand_b(e, o);
    bool in_place = o->d != IR_ZERO && o->d == o->a && width == 8 && !loc(e, o->d).is_reg &&
                    (by_imm || b.is_reg);
    if (in_place) {
        if (by_imm)
            x86_alu_imm(e->buf, alu, 8, loc(e, o->d), (int32_t)o->imm);
        else
            x86_alu_store(e->buf, alu, 8, loc(e, o->d), b.base);
        return;
    }
    unsigned d = set_reg(e, o->d, RAX);
    if (!by_imm && b.is_reg && b.base == d && o->a != o->d) {
        if (commutes && o->a != IR_ZERO) {
            x86_alu(e->buf, alu, width, d, loc(e, o->a));
            return; /* d is pinned: b's register is never scratch RAX */
        }
        d = RAX;
    }
    if (o->a == IR_ZERO)
        x86_movi(e->buf, d, 0);
    else if (!loc(e, o->a).is_reg && d == RAX)
        use_reg(e, o->a, RAX, width);
    else if (!(loc(e, o->a).is_reg && loc(e, o->a).base == d))
        x86_load(e->buf, width, d, loc(e, o->a));
    if (by_imm)
        x86_alu_imm(e->buf, alu, width, rm_reg(d), (int32_t)o->imm);
    else
        x86_alu(e->buf, alu, width, d, b);
    if (d == RAX)
        set_done(e, o->d, RAX);
}

/* Compares and tests: no result. */
static bool without_result(struct emitter *e, const struct ir_op *o, enum x86_alu alu)
{
    unsigned width = op_width(o);
    if (o->d != IR_ZERO || o->a == IR_ZERO || (alu != ALU_SUB && alu != ALU_AND))
        return false;
    flags_clobber(e);
    if (imm32(o)) {
        int32_t imm = (int32_t)o->imm;
        struct x86_rm a = use_operand(e, o->a);
        if (alu == ALU_AND)
            x86_test_imm(e->buf, width, a, imm);
        else if (imm == 0 && a.is_reg) /* test clears CF and OF as cmp with 0 does */
            x86_test(e->buf, width, a, a.base);
        else
            x86_alu_imm(e->buf, ALU_CMP, width, a, imm);
        return true;
    }
    struct x86_rm b = operand_b(e, o);
    if (alu == ALU_AND) {
        if (b.is_reg)
            x86_test(e->buf, width, loc(e, o->a), b.base);
        else
            x86_test(e->buf, width, b, use_reg(e, o->a, RAX, width));
    } else if (b.is_reg) {
        x86_alu_store(e->buf, ALU_CMP, width, loc(e, o->a), b.base);
    } else {
        x86_alu(e->buf, ALU_CMP, width, use_reg(e, o->a, RAX, width), b);
    }
    return true;
}

/* x[d] += imm in memory, while EFLAGS hold nothing: one instruction. */
static bool add_in_memory(struct emitter *e, const struct ir_op *o)
{
    return e->flags == FLAGS_NONE && o->b == IR_IMM && o->d == o->a && o->d != IR_ZERO &&
           o->type == IR_I64 && !loc(e, o->d).is_reg;
}

void emit_ADD(struct emitter *e, const struct ir_op *o)
{
    if (add_in_memory(e, o) || !add_by_lea(e, o, false))
        two_operand(e, o, ALU_ADD, true);
}

void emit_SUB(struct emitter *e, const struct ir_op *o)
{
    if (add_in_memory(e, o) || !add_by_lea(e, o, true))
        two_operand(e, o, ALU_SUB, false);
}

void emit_ADDS(struct emitter *e, const struct ir_op *o)
{
    two_operand(e, o, ALU_ADD, true);
    flags_set(e, FLAGS_ADD);
}

void emit_SUBS(struct emitter *e, const struct ir_op *o)
{
    if (!without_result(e, o, ALU_SUB))
        two_operand(e, o, ALU_SUB, false);
    flags_set(e, FLAGS_SUB);
}

/* The low byte, halfword or word alone: a move, which keeps EFLAGS. */
static bool and_by_move(struct emitter *e, const struct ir_op *o)
{
    bool known = o->imm == 0xff || o->imm == 0xffff || (o->imm == 0xffffffff && o->type == IR_I64);
    if (o->b != IR_IMM || !known || o->a == IR_ZERO || o->d == IR_ZERO)
        return false;
    unsigned d = set_reg(e, o->d, RAX);
    x86_zext(e->buf, o->imm == 0xff ? 1 : o->imm == 0xffff ? 2 : 4, d, loc(e, o->a));
    if (d == RAX)
        set_done(e, o->d, RAX);
    return true;
}

void emit_AND(struct emitter *e, const struct ir_op *o)
{
    if (and_by_move(e, o))
        return;
    two_operand(e, o, ALU_AND, true);
}

void emit_ANDS(struct emitter *e, const struct ir_op *o)
{
    if (!without_result(e, o, ALU_AND))
        two_operand(e, o, ALU_AND, true);
    flags_set(e, FLAGS_LOGIC);
}

void emit_OR(struct emitter *e, const struct ir_op *o)
{
    two_operand(e, o, ALU_OR, true);
}

void emit_XOR(struct emitter *e, const struct ir_op *o)
{
    two_operand(e, o, ALU_XOR, true);
}

/* The forms with b inverted: invert a copy of b, then as the plain form. */
static void inverted(struct emitter *e, const struct ir_op *o, enum x86_alu alu)
{
    unsigned width = op_width(o), d = o->d == o->a ? RCX : set_reg(e, o->d, RCX);
    flags_clobber(e);
    modify(e, o, o->b, d);
    x86_unary(e->buf, UN_NOT, width, rm_reg(d));
    if (o->a == IR_ZERO) {
        x86_movi(e->buf, RAX, 0);
        x86_alu(e->buf, alu, width, d, rm_reg(RAX));
    } else {
        x86_alu(e->buf, alu, width, d, loc(e, o->a));
    }
    if (d == RCX)
        set_done(e, o->d, RCX);
}

/* ANDN, which is BMI1's: a & ~b, and the flags of AND. */
static void and_not(struct emitter *e, const struct ir_op *o)
{
    if (o->a == IR_ZERO || o->b == IR_IMM || !e->request->host->bmi2) {
        inverted(e, o, ALU_AND);
        return;
    }
    flags_clobber(e);
    unsigned b = RCX, d = set_reg(e, o->d, RAX);
    if (o->mod)
        modify(e, o, o->b, RCX);
    else
        b = use_reg(e, o->b, RCX, op_width(o));
    x86_bmi2(e->buf, 0, 2, op_width(o), 0xf2, d, b, loc(e, o->a));
    if (d == RAX)
        set_done(e, o->d, RAX);
}

void emit_ANDN(struct emitter *e, const struct ir_op *o)
{
    and_not(e, o);
}

void emit_ORN(struct emitter *e, const struct ir_op *o)
{
    if (o->a != IR_ZERO) {
        inverted(e, o, ALU_OR);
        return;
    }
    flags_clobber(e); /* MVN */
    unsigned d = set_reg(e, o->d, RCX);
    modify(e, o, o->b, d);
    x86_unary(e->buf, UN_NOT, op_width(o), rm_reg(d));
    if (d == RCX)
        set_done(e, o->d, RCX);
}

void emit_XORN(struct emitter *e, const struct ir_op *o)
{
    inverted(e, o, ALU_XOR);
}

void emit_ANDNS(struct emitter *e, const struct ir_op *o)
{
    and_not(e, o);
    flags_set(e, FLAGS_LOGIC);
}

/* Puts Arm's C into CF, inverted for subtraction. SUB form has CF = NOT C; a floating-point
 * comparison has C in CF and ZF together. */
static void load_carry(struct emitter *e, bool inverted_carry)
{
    enum x86_cc carry = flags_condition(e, 2);
    if (carry != CC_AE) {
        x86_op(e->buf, 0, 0x0f90u | carry, 1, 0, rm_reg(RAX)); /* setcc al */
        x86_alu_imm(e->buf, ALU_CMP, 1, rm_reg(RAX), 1);       /* CF = al < 1 */
    }
    if (!inverted_carry)
        x86_byte(e->buf, 0xf5); /* cmc */
}

static void with_carry(struct emitter *e, const struct ir_op *o, enum x86_alu alu, bool sets)
{
    unsigned width = op_width(o);
    bool later = (o->flags & IR_FLAGS_LIVE) && !sets;
    if (later && e->flags != FLAGS_NONE && !e->flags_in_memory) {
        flags_save(e, e->flags);
        e->flags_in_memory = true;
        if (e->flags == FLAGS_ADD || e->flags == FLAGS_LOGIC)
            e->flags = FLAGS_SUB; /* as which it was saved */
    }
    load_carry(e, alu == ALU_SBB);
    unsigned d = o->d == o->b && o->a != o->b ? RAX : set_reg(e, o->d, RAX);
    if (o->a == IR_ZERO)
        x86_movi(e->buf, d, 0);
    else if (o->a != o->d || d == RAX)
        x86_load(e->buf, width, d, loc(e, o->a));
    if (o->b == IR_ZERO)
        x86_alu_imm(e->buf, alu, width, rm_reg(d), 0);
    else
        x86_alu(e->buf, alu, width, d, loc(e, o->b));
    if (d == RAX)
        set_done(e, o->d, RAX);
    e->flags = FLAGS_NONE;
}

void emit_ADC(struct emitter *e, const struct ir_op *o)
{
    with_carry(e, o, ALU_ADC, false);
}

void emit_SBC(struct emitter *e, const struct ir_op *o)
{
    with_carry(e, o, ALU_SBB, false);
}

void emit_ADCS(struct emitter *e, const struct ir_op *o)
{
    with_carry(e, o, ALU_ADC, true);
    flags_set(e, FLAGS_ADD);
}

void emit_SBCS(struct emitter *e, const struct ir_op *o)
{
    with_carry(e, o, ALU_SBB, true);
    flags_set(e, FLAGS_SUB);
}

void emit_MOVI(struct emitter *e, const struct ir_op *o)
{
    uint64_t imm = o->type == IR_I64 ? (uint64_t)o->imm : (uint32_t)o->imm;
    if (o->d == IR_ZERO)
        return;
    struct x86_rm d = loc(e, o->d);
    if (d.is_reg) {
        x86_movi(e->buf, d.base, imm);
    } else if ((int64_t)imm == (int32_t)imm) {
        x86_store_imm(e->buf, 8, d, (int32_t)imm);
    } else {
        x86_movi(e->buf, RAX, imm);
        x86_store(e->buf, 8, d, RAX);
    }
}

void emit_MOV(struct emitter *e, const struct ir_op *o)
{
    if (o->d == IR_ZERO)
        return;
    if (o->a == IR_ZERO) {
        struct ir_op zero = *o;
        zero.imm = 0;
        emit_MOVI(e, &zero);
        return;
    }
    struct x86_rm d = loc(e, o->d), a = loc(e, o->a);
    if (d.is_reg) {
        x86_op(e->buf, 0, 0x8b, op_width(o), d.base, a);
    } else if (a.is_reg && o->type == IR_I64) {
        x86_store(e->buf, 8, d, a.base);
    } else if (o->type == IR_I64) {
        set_done(e, o->d, use_held(e, o->a, RAX, HELD_ALL));
    } else {
        x86_op(e->buf, 0, 0x8b, 4, RAX, a);
        set_done(e, o->d, RAX);
    }
}

void emit_PCREL(struct emitter *e, const struct ir_op *o)
{
    unsigned d = set_reg(e, o->d, RAX);
    if (o->d == IR_ZERO)
        return;
    if (d == RAX && store_page_address(e, loc(e, o->d), o->imm))
        return;
    page_address(e, d, o->imm);
    if (d == RAX)
        set_done(e, o->d, RAX);
}
