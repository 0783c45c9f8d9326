/* emit_fp_compare.c: scalar comparisons and what depends on them. The comparison's EFLAGS are kept
 * as they are where that will do: see emit_fp_flags.c.
 */
#include "core/x86_64/emit_fp.h"

void fp_compare_scalar(struct emitter *e, bool is_64, bool signals, unsigned a, struct x86_rm b)
{
    struct vec_code c = {is_64 ? 1 : 0, 1, is_64 ? X86_W_EVEX : 0, signals ? 0x2f : 0x2e};
    vec_op(e, c, a, X86_NO_SECOND, b);
}

/* EFLAGS of a against b (IR_IMM: zero); y: quiet NaNs are invalid too. */
static void compare_operands(struct emitter *e, const struct ir_op *o, enum flags_kind kind)
{
    bool is_half = o->type == IR_F16, in_scratch = is_half || o->b == IR_IMM;
    unsigned a = is_half ? 0 : vec_use(e, o->a, 0);
    struct x86_rm b = in_scratch ? rm_reg(1) : vec_rm(e, o->b);
    if (is_half)
        half_to_single(e, 0, o->a);
    if (o->b == IR_IMM)
        vec_zero(e, 1);
    else if (is_half)
        half_to_single(e, 1, o->b);
    if (kind == FLAGS_FP) {
        fp_compare_scalar(e, fp_double(o), o->y & 1, a, b);
    } else {
        unsigned first = in_scratch ? 1 : vec_use(e, o->b, 1);
        fp_compare_scalar(e, fp_double(o), o->y & 1, first, rm_reg(a));
    }
}

/* The interpreter takes comparisons of halves where the host has no F16C. */
static bool compared_elsewhere(struct emitter *e, const struct ir_op *o)
{
    bool elsewhere = o->type == IR_F16 && !e->request->host->f16c;
    if (elsewhere)
        emit_INTERPRET(e, o);
    return elsewhere;
}

void emit_FCMP(struct emitter *e, const struct ir_op *o)
{
    if (compared_elsewhere(e, o))
        return;
    enum flags_kind kind = flags_fp_kind(e);
    compare_operands(e, o, kind);
    flags_set(e, kind);
}

/* EFLAGS as a comparison of this kind leaves them, for an NZCV that one of those gives. */
static void set_eflags(struct emitter *e, enum flags_kind kind, unsigned nzcv)
{
    enum { LESS = 8, GREATER = 2, EQUAL = 6, CF = 1, PF = 4, ZF = 0x40, ALWAYS = 2 };
    unsigned below = kind == FLAGS_FP ? LESS : GREATER, above = below ^ LESS ^ GREATER;
    unsigned bits = nzcv == below ? CF : nzcv == above ? 0 : nzcv == EQUAL ? ZF : CF | PF | ZF;
    x86_movi(e->buf, RAX, (bits | ALWAYS) << 8);
    x86_byte(e->buf, 0x9e); /* sahf */
}

/* Where the next instruction reads one condition, and nobody NZCV after it, the constant may be any
 * NZCV that a comparison gives and of which the condition says the same. */
static void compare_for_reader(struct emitter *e, const struct ir_op *o, unsigned reader)
{
    static const uint8_t given[] = {8, 2, 6, 3};
    enum flags_kind kind = flags_fp_kind(e);
    unsigned constant = o->y >> 1, i = 0;
    enum x86_cc cc = flags_condition(e, o->x);
    uint8_t *skip = x86_jcc(e->buf, cc ^ 1);
    compare_operands(e, o, kind);
    uint8_t *done = x86_jmp(e->buf);
    x86_patch(e->buf, skip, e->buf->at);
    while (flags_hold(given[i], reader) != flags_hold(constant, reader))
        i++;
    set_eflags(e, kind, given[i]);
    x86_patch(e->buf, done, e->buf->at);
    flags_set(e, kind);
}

/* cond x ? flags of a against b : the constant y >> 1. */
void emit_FCCMP(struct emitter *e, const struct ir_op *o)
{
    uint8_t *skip = NULL;
    unsigned reader;
    if (compared_elsewhere(e, o))
        return;
    if (o->x < 14 && flags_fp_only_reader(e, &reader)) {
        compare_for_reader(e, o, reader);
        return;
    }
    if (o->x < 14) {
        enum x86_cc cc = flags_condition(e, o->x);
        x86_movi(e->buf, RAX, flags_saved_form(o->y >> 1));
        skip = x86_jcc(e->buf, cc ^ 1);
    }
    compare_operands(e, o, FLAGS_FP);
    flags_fp_to_ax(e, FLAGS_FP);
    if (skip)
        x86_patch(e->buf, skip, e->buf->at);
    x86_store(e->buf, 2, rm_mem(RBP, EMIT_OFFSET(host_flags)), RAX);
    flags_from_ax(e);
    e->flags = FLAGS_SUB;
    e->flags_in_memory = true;
}

void emit_FCSEL(struct emitter *e, const struct ir_op *o)
{
    bool is_64 = fp_double(o);
    enum x86_cc cc = flags_condition(e, o->x);
    unsigned a = vec_use(e, o->a, 0), b = vec_use(e, o->b, 1), d = vec_dest(e, o->d, 0);
    x86_vec(e->buf, 1, 1, is_64, 0x7e, a, X86_NO_SECOND, rm_reg(RDX));
    x86_vec(e->buf, 1, 1, is_64, 0x7e, b, X86_NO_SECOND, rm_reg(RCX));
    x86_op(e->buf, 0, 0x0f40u | cc, 8, RCX, rm_reg(RDX)); /* cmov */
    if (o->type == IR_F16)
        x86_zext(e->buf, 2, RCX, rm_reg(RCX));
    x86_vec(e->buf, 1, 1, is_64, 0x6e, d, X86_NO_SECOND, rm_reg(RCX));
    vec_done(e, o->d, d);
}
