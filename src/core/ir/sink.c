/* sink.c: brings comparisons down to who reads their flags.
 *
 * Compilers for Arm put instructions that set no flags between a comparison and its branch. On
 * x86-64 nearly all arithmetic sets flags, so NZCV would have to be saved and restored around them.
 * Where nothing in between can fault or leave (so that nobody sees NZCV there) and the operands
 * stay, the comparison is made again right before its first reader:
 *
 *   SUBS x9, x8, x7 ... B.LT     ->  SUB x9, x8, x7 ... SUBS zero, x8, x7; B.LT
 *   SUBS x2, x2, #1 ... B.NE     ->  SUB x2, x2, #1 ... ANDS zero, x2, x2; B.NE
 *
 * The second form gives N and Z (and after ANDS all of NZCV), so every reader has to be content
 * with those.
 */
#include "core/ir/ir.h"

#include <string.h>

static bool writes(const struct ir_op *o, unsigned value)
{
    return ir_op_info[o->op].operands[0] == 'd' && o->d == value && value != IR_ZERO;
}

/* Whether host code for this op leaves the host's flags alone. A guess that errs costs little. */
static bool keeps_host_flags(const struct ir_op *o)
{
    switch (o->op) {
    case IR_INSN:
    case IR_MOVI:
    case IR_MOV:
    case IR_PCREL:
    case IR_GETSTATE:
    case IR_SETSTATE:
        return true;
    case IR_ADD:
        return !o->mod && o->a != IR_ZERO && o->b != IR_ZERO;
    case IR_SUB:
        return o->b == IR_IMM && o->a != IR_ZERO;
    default:
        return ir_op_info[o->op].operands[0] == 'D'; /* vectors and scalars of floating point */
    }
}

/* What takes the place of a producer that keeps its result. */
static int without_flags(unsigned op)
{
    switch (op) {
    case IR_ADDS:
        return IR_ADD;
    case IR_SUBS:
        return IR_SUB;
    case IR_ANDS:
        return IR_AND;
    default:
        return -1;
    }
}

static bool reads_n_or_z_alone(const struct ir_op *o)
{
    bool by_condition = o->op == IR_BCC || o->op == IR_CSEL || o->op == IR_CSINC ||
                        o->op == IR_CSINV || o->op == IR_CSNEG || o->op == IR_FCSEL;
    return by_condition && (o->x < 2 || o->x == 4 || o->x == 5); /* EQ NE MI PL */
}

/* Whether all that look at the flags from op `i` on look at N and Z alone. */
static bool n_and_z_do(const struct ir_unit *unit, unsigned i)
{
    for (; i < unit->count; i++) {
        const struct ir_op *o = &unit->ops[i];
        const struct ir_op_info *info = &ir_op_info[o->op];
        if (info->reads_flags && !reads_n_or_z_alone(o))
            return false;
        if (info->attributes & IR_SIDE_EXIT && !(o->flags & IR_FLAGS_DEAD_OUT))
            return false;
        if (info->writes_flags)
            return true;
        if (!(o->flags & IR_FLAGS_LIVE))
            return true;
        if (info->attributes & (IR_MAY_FAULT | IR_ENDS | IR_JOINS))
            return false;
    }
    return false;
}

/* The first reader of the flags that op `i` sets, if it pays to bring them there; else 0.
 * *ret_intact: the operands are as they were at op `i`; *ret_result_intact: so is its result. */
static unsigned find_reader(const struct ir_unit *unit, unsigned i, bool *ret_intact,
                            bool *ret_result_intact)
{
    const struct ir_op *p = &unit->ops[i];
    bool intact = !writes(p, p->a) && !(p->b != IR_IMM && writes(p, p->b)), result = true;
    bool disturbed = false;
    for (unsigned j = i + 1; j < unit->count; j++) {
        const struct ir_op *o = &unit->ops[j];
        const struct ir_op_info *info = &ir_op_info[o->op];
        if (info->reads_flags) {
            bool usual = o->op != IR_INTERPRET && o->op != IR_LEAVE;
            *ret_intact = intact;
            *ret_result_intact = result;
            return disturbed && usual ? j : 0;
        }
        if (info->writes_flags ||
            info->attributes & (IR_MAY_FAULT | IR_SIDE_EXIT | IR_ENDS | IR_FP | IR_JOINS))
            return 0;
        disturbed |= !keeps_host_flags(o);
        intact &= !writes(o, p->a) && !(p->b != IR_IMM && writes(o, p->b));
        result &= !writes(o, p->d);
    }
    return 0;
}

static void insert(struct ir_unit *unit, unsigned at, struct ir_op op)
{
    memmove(&unit->ops[at + 1], &unit->ops[at], (unit->count - at) * sizeof(op));
    unit->ops[at] = op;
    unit->count++;
}

static void move_down(struct ir_unit *unit, unsigned from, unsigned to)
{
    struct ir_op op = unit->ops[from];
    memmove(&unit->ops[from], &unit->ops[from + 1], (to - from) * sizeof(op));
    unit->ops[to] = op;
}

/* Nobody may come in between: the flags would be those of the comparison. */
static void join(struct ir_unit *unit, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++)
        if (unit->ops[i].op == IR_INSN)
            unit->ops[i].x = 1;
}

static bool sink(struct ir_unit *unit, unsigned i)
{
    bool intact, result;
    struct ir_op *p = &unit->ops[i];
    unsigned reader = find_reader(unit, i, &intact, &result);
    if (!reader)
        return false;
    if (intact && p->d == IR_ZERO) {
        join(unit, i, reader);
        move_down(unit, i, reader - 1);
        return true;
    }
    struct ir_op again = *p;
    again.d = IR_ZERO;
    if (!intact) {
        bool all = p->op == IR_ANDS;
        if (p->d == IR_ZERO || !result || (!all && !n_and_z_do(unit, reader)))
            return false;
        again = (struct ir_op){.op = IR_ANDS, .type = p->type, .d = IR_ZERO, .a = p->d, .b = p->d};
    }
    join(unit, i, reader);
    p->op = (uint8_t)without_flags(p->op);
    insert(unit, reader, again);
    return true;
}

bool ir_sink_flags(struct ir_unit *unit)
{
    bool any = false;
    for (unsigned i = 0; i < unit->count && unit->count < IR_UNIT_OPS; i++)
        if (without_flags(unit->ops[i].op) >= 0 && unit->ops[i].flags & IR_FLAGS_LIVE)
            any |= sink(unit, i);
    return any;
}
