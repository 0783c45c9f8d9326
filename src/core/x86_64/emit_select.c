/* emit_select.c: what depends on a condition: selects and conditional comparisons; and NZCV as a
 * register's value.
 *
 * CMOV and LEA keep EFLAGS, so NZCV stays there over selects.
 */
#include "core/x86_64/emit_int.h"

/* CSET and CSETM: 0 if the condition holds, else 1 or -1. */
static void select_constant(struct emitter *e, const struct ir_op *o, enum x86_cc cc)
{
    bool minus = o->op == IR_CSINV;
    x86_op(e->buf, 0, 0x0f90u | (minus ? cc : cc ^ 1), 1, 0, rm_reg(RCX)); /* setcc cl */
    unsigned d = set_reg(e, o->d, RCX);
    x86_zext(e->buf, 1, d, rm_reg(RCX));
    if (minus) /* LEA keeps EFLAGS */
        x86_lea(e->buf, op_width(o), d, rm_mem(d, -1));
    if (d == RCX)
        set_done(e, o->d, RCX);
}

/* reg = what is selected if the condition fails. Keeps EFLAGS. */
static void alternative(struct emitter *e, const struct ir_op *o, unsigned reg)
{
    unsigned width = op_width(o);
    if (o->op == IR_CSINC) {
        x86_lea(e->buf, width, reg, rm_mem(use_reg(e, o->b, reg, width), 1));
        return;
    }
    x86_load(e->buf, 8, reg, rm_reg(use_reg(e, o->b, reg, 8)));
    if (o->op == IR_CSEL)
        return;
    x86_unary(e->buf, UN_NOT, width, rm_reg(reg));
    if (o->op == IR_CSNEG) /* -b = ~b + 1 */
        x86_lea(e->buf, width, reg, rm_mem(reg, 1));
}

void emit_CSEL(struct emitter *e, const struct ir_op *o)
{
    unsigned width = op_width(o);
    if (o->d == IR_ZERO)
        return;
    /* Flags first: getting them may use RAX. */
    enum x86_cc cc = flags_condition(e, o->x);
    if (o->a == IR_ZERO && o->b == IR_ZERO && (o->op == IR_CSINC || o->op == IR_CSINV)) {
        select_constant(e, o, cc);
        return;
    }
    unsigned d = set_reg(e, o->d, X86_NONE);
    if (o->op == IR_CSEL && d != X86_NONE && o->a != IR_ZERO && o->b != IR_ZERO) {
        /* in place; CMOV r32 zero-extends, moving or not */
        if (o->d == o->a) {
            x86_op(e->buf, 0, 0x0f40u | (cc ^ 1), width, d, loc(e, o->b));
        } else {
            if (o->d != o->b)
                x86_load(e->buf, 8, d, loc(e, o->b));
            x86_op(e->buf, 0, 0x0f40u | cc, width, d, loc(e, o->a));
        }
        return;
    }
    unsigned other = d != X86_NONE && o->d != o->a ? d : RCX;
    alternative(e, o, other);
    if (d != X86_NONE && o->d == o->a) { /* in place, too */
        x86_op(e->buf, 0, 0x0f40u | (cc ^ 1), width, d, rm_reg(RCX));
        return;
    }
    struct x86_rm a = rm_reg(RDX);
    if (o->a == IR_ZERO)
        x86_movi(e->buf, RDX, 0);
    else
        a = loc(e, o->a);
    x86_op(e->buf, 0, 0x0f40u | cc, width, other, a);
    if (other == RCX)
        set_done(e, o->d, RCX);
}

void emit_CSINC(struct emitter *e, const struct ir_op *o)
{
    emit_CSEL(e, o);
}

void emit_CSINV(struct emitter *e, const struct ir_op *o)
{
    emit_CSEL(e, o);
}

void emit_CSNEG(struct emitter *e, const struct ir_op *o)
{
    emit_CSEL(e, o);
}

/* EFLAGS = those of a -/+ b, in the form of a subtraction. */
static void compare(struct emitter *e, const struct ir_op *o, enum x86_alu alu)
{
    unsigned width = op_width(o);
    struct x86_rm a = rm_reg(RDX);
    if (o->a == IR_ZERO)
        x86_movi(e->buf, RDX, 0);
    else if (alu == ALU_ADD || !loc(e, o->a).is_reg)
        x86_load(e->buf, width, RDX, loc(e, o->a));
    else
        a = loc(e, o->a);
    if (o->b == IR_IMM)
        x86_alu_imm(e->buf, alu, width, a, (int32_t)o->imm);
    else if (o->b == IR_ZERO)
        x86_alu_imm(e->buf, alu, width, a, 0);
    else
        x86_alu(e->buf, alu, width, a.base, loc(e, o->b));
    if (alu == ALU_ADD)
        x86_byte(e->buf, 0xf5); /* cmc */
}

/* The next instruction, if it is the only one that reads the current op's flags, and a branch. */
static const struct ir_op *only_branch(const struct emitter *e)
{
    const struct ir_unit *unit = e->request->unit;
    const struct ir_op *next = e->op + 2;
    if (e->index + 2 >= unit->count || e->op[1].op != IR_INSN || next->op != IR_BCC ||
        next->x >= 14)
        return NULL;
    bool dead = next->flags & IR_FLAGS_DEAD_OUT && !(next->flags & IR_FLAGS_LIVE);
    return dead ? next : NULL;
}

/* Where a branch alone reads the flags, what it does on y is known: where the condition fails, it
 * is done here. */
static bool compare_and_branch(struct emitter *e, const struct ir_op *o, enum x86_alu alu)
{
    const struct ir_op *branch = only_branch(e);
    bool taken = branch && flags_hold(o->y, branch->x);
    if (!branch || (taken && !can_branch_ahead(e, branch)))
        return false;
    enum x86_cc fails = flags_condition(e, o->x) ^ 1u;
    if (taken)
        branch_ahead(e, branch, fails);
    else
        e->behind_branch = x86_jcc(e->buf, fails);
    compare(e, o, alu);
    return true;
}

/* cond ? flags of a -/+ b : the constant y. Both ways end with the same form in EFLAGS. */
static void conditional_compare(struct emitter *e, const struct ir_op *o, enum x86_alu alu)
{
    if (o->x >= 14) {
        compare(e, o, alu);
    } else if (!compare_and_branch(e, o, alu)) {
        uint8_t *holds = x86_jcc_short(e->buf, flags_condition(e, o->x));
        x86_movi(e->buf, RAX, flags_saved_form(o->y));
        flags_from_ax(e);
        uint8_t *done = x86_jmp_short(e->buf);
        x86_patch_short(e->buf, holds);
        compare(e, o, alu);
        x86_patch_short(e->buf, done);
    }
    flags_set(e, FLAGS_SUB);
}

void emit_CCMP(struct emitter *e, const struct ir_op *o)
{
    conditional_compare(e, o, ALU_CMP);
}

void emit_CCMN(struct emitter *e, const struct ir_op *o)
{
    conditional_compare(e, o, ALU_ADD);
}

/* NZCV as the register has it, bits 31..28. */
void emit_GETFLAGS(struct emitter *e, const struct ir_op *o)
{
    if (e->flags != FLAGS_NONE && !e->flags_in_memory) {
        flags_save(e, e->flags);
        e->flags_in_memory = true;
    }
    e->flags = FLAGS_NONE;
    x86_zext(e->buf, 2, RAX, rm_mem(RBP, EMIT_OFFSET(host_flags)));
    x86_alu_imm(e->buf, ALU_XOR, 4, rm_reg(RAX), 0x100);
    x86_load(e->buf, 4, RCX, rm_reg(RAX)); /* N and Z */
    x86_alu_imm(e->buf, ALU_AND, 4, rm_reg(RCX), 0xc000);
    x86_shift_imm(e->buf, SH_SHL, 4, rm_reg(RCX), 16);
    x86_load(e->buf, 4, RDX, rm_reg(RAX)); /* C */
    x86_alu_imm(e->buf, ALU_AND, 4, rm_reg(RDX), 0x100);
    x86_shift_imm(e->buf, SH_SHL, 4, rm_reg(RDX), 21);
    x86_alu(e->buf, ALU_OR, 4, RCX, rm_reg(RDX));
    x86_alu_imm(e->buf, ALU_AND, 4, rm_reg(RAX), 1); /* V */
    x86_shift_imm(e->buf, SH_SHL, 4, rm_reg(RAX), 28);
    x86_alu(e->buf, ALU_OR, 4, RCX, rm_reg(RAX));
    set_done(e, o->d, RCX);
}

void emit_SETFLAGS(struct emitter *e, const struct ir_op *o)
{
    e->flags = FLAGS_NONE;
    unsigned a = use_reg(e, o->a, RDX, 4);
    x86_load(e->buf, 4, RAX, rm_reg(a));
    x86_shift_imm(e->buf, SH_SHR, 4, rm_reg(RAX), 16);
    x86_alu_imm(e->buf, ALU_AND, 4, rm_reg(RAX), 0xc000);
    x86_load(e->buf, 4, RCX, rm_reg(a));
    x86_unary(e->buf, UN_NOT, 4, rm_reg(RCX));
    x86_shift_imm(e->buf, SH_SHR, 4, rm_reg(RCX), 21);
    x86_alu_imm(e->buf, ALU_AND, 4, rm_reg(RCX), 0x100);
    x86_alu(e->buf, ALU_OR, 4, RAX, rm_reg(RCX));
    x86_load(e->buf, 4, RCX, rm_reg(a));
    x86_shift_imm(e->buf, SH_SHR, 4, rm_reg(RCX), 28);
    x86_alu_imm(e->buf, ALU_AND, 4, rm_reg(RCX), 1);
    x86_alu(e->buf, ALU_OR, 4, RAX, rm_reg(RCX));
    x86_store(e->buf, 2, rm_mem(RBP, EMIT_OFFSET(host_flags)), RAX);
    e->flags_in_memory = true;
}
