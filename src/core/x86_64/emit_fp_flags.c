/* emit_fp_flags.c: NZCV after a floating-point comparison, straight from VUCOMISD's EFLAGS.
 *
 * VUCOMISD a, b gives ZF, PF, CF: 000 greater, 001 less, 100 equal, 111 unordered; Arm's NZCV is
 * 0010, 1000, 0110, 0011. No order of the operands serves all of Arm's conditions with one of
 * x86's: GE, LT, GT and LE want a against b, HS, LO, MI, PL, HI and LS want b against a. The
 * comparison looks ahead for its first reader and chooses; a reader that the choice does not suit
 * makes NZCV in full.
 */
#include "core/x86_64/emit_int.h"

enum { NO_CC = 0xff };

/* By condition 0..13 and kind. */
static const uint8_t direct[14][2] = {
    {NO_CC, NO_CC}, {NO_CC, NO_CC}, {NO_CC, CC_BE}, {NO_CC, CC_A}, {NO_CC, CC_A},
    {NO_CC, CC_BE}, {CC_P, CC_P},   {CC_NP, CC_NP}, {NO_CC, CC_B}, {NO_CC, CC_AE},
    {CC_AE, NO_CC}, {CC_B, NO_CC},  {CC_A, NO_CC},  {CC_BE, NO_CC}};

enum flags_kind flags_fp_kind(const struct emitter *e)
{
    const struct ir_unit *unit = e->request->unit;
    for (unsigned i = e->index + 1; i < unit->count; i++) {
        const struct ir_op *o = &unit->ops[i];
        const struct ir_op_info *info = &ir_op_info[o->op];
        bool by_condition = info->reads_flags && o->op != IR_INTERPRET && o->op != IR_LEAVE;
        if (by_condition && o->x < 14)
            return direct[o->x][0] == NO_CC ? FLAGS_FP_REVERSED : FLAGS_FP;
        if (info->writes_flags)
            break;
    }
    return FLAGS_FP;
}

/* rax = `value` if host condition cc holds. */
static void choose(struct emitter *e, enum x86_cc cc, uint16_t value)
{
    x86_movi(e->buf, RCX, value);
    x86_op(e->buf, 0, 0x0f40u | cc, 4, RAX, rm_reg(RCX));
}

void flags_fp_to_ax(struct emitter *e, enum flags_kind kind)
{
    uint16_t less = flags_saved_form(8), greater = flags_saved_form(2);
    bool forward = kind == FLAGS_FP;
    x86_movi(e->buf, RAX, forward ? greater : less);
    choose(e, CC_B, forward ? less : greater);
    choose(e, CC_E, flags_saved_form(6));
    choose(e, CC_P, flags_saved_form(3));
}

/* Nobody reads NZCV after the op, nor where it may leave to. */
static bool flags_die(const struct ir_op *o)
{
    bool exits = ir_op_info[o->op].attributes & IR_SIDE_EXIT;
    return !(o->flags & IR_FLAGS_LIVE) && (!exits || (o->flags & IR_FLAGS_DEAD_OUT));
}

enum x86_cc flags_fp_condition(struct emitter *e, unsigned cond)
{
    uint8_t cc = direct[cond][e->flags == FLAGS_FP_REVERSED];
    if (cc != NO_CC)
        return (enum x86_cc)cc;
    if (cond < 2 && flags_die(e->op)) { /* equal: ZF without PF */
        x86_op(e->buf, 0, 0x0f90 | CC_NP, 1, 0, rm_reg(RCX));
        x86_op(e->buf, 0, 0x0f90 | CC_E, 1, 0, rm_reg(RAX));
        x86_test(e->buf, 1, rm_reg(RAX), RCX);
        e->flags = FLAGS_NONE;
        return cond ? CC_E : CC_NE;
    }
    flags_fp_to_ax(e, e->flags);
    x86_store(e->buf, 2, rm_mem(RBP, EMIT_OFFSET(host_flags)), RAX);
    flags_from_ax(e);
    e->flags = FLAGS_SUB;
    e->flags_in_memory = true;
    return flags_condition(e, cond);
}

bool flags_fp_only_reader(const struct emitter *e, unsigned *ret_cond)
{
    const struct ir_unit *unit = e->request->unit;
    unsigned i = e->index + 1;
    while (i < unit->count && unit->ops[i].op == IR_INSN)
        i++;
    const struct ir_op *o = i < unit->count ? &unit->ops[i] : NULL;
    bool one = o && (o->op == IR_BCC || o->op == IR_CSEL || o->op == IR_CSINC ||
                     o->op == IR_CSINV || o->op == IR_CSNEG || o->op == IR_FCSEL);
    if (!one || o->x >= 14 || !flags_die(o))
        return false;
    *ret_cond = o->x;
    return true;
}

bool flags_hold(unsigned nzcv, unsigned cond)
{
    bool n = nzcv & 8, z = nzcv & 4, c = nzcv & 2, v = nzcv & 1;
    const bool holds[] = {z, c, n, v, c && !z, n == v, n == v && !z};
    return holds[cond >> 1] != (cond & 1);
}
