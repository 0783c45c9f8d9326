/* ir.c: the op table, the printer, and the liveness of NZCV.
 *
 * Flag liveness is a single backward walk because units are straight lines with side exits: at an
 * exit the flags are live unless the lifter saw that the target overwrites them first.
 */
#include "core/ir/ir.h"

#include "base/bytes.h"

const struct ir_op_info ir_op_info[IR_OPCODE_COUNT] = {
#define IR_INFO(name, operands, reads, writes, attributes)                                         \
    [IR_##name] = {#name, operands, reads, writes, attributes},
    IR_OPS(IR_INFO)
#undef IR_INFO
};

bool ir_live_before(struct ir_op *o, bool live)
{
    const struct ir_op_info *info = &ir_op_info[o->op];
    bool safe = o->op == IR_INTERPRET && (o->flags & IR_SAFE);
    if (info->attributes & IR_ENDS)
        live = !(o->flags & IR_FLAGS_DEAD_OUT);
    o->flags = (uint8_t)((o->flags & ~IR_FLAGS_LIVE) | (live ? IR_FLAGS_LIVE : 0));
    if (info->writes_flags && !safe)
        live = false;
    if (info->attributes & IR_SIDE_EXIT) /* at the exit, behind what falls through */
        live |= !(o->flags & IR_FLAGS_DEAD_OUT);
    return live || (info->reads_flags && !safe);
}

void ir_liveness(struct ir_unit *unit)
{
    bool live = true;
    for (unsigned i = unit->count; i-- > 0;) {
        struct ir_op *o = &unit->ops[i];
        if (o->op == IR_INSN) /* nearly every other one */
            o->flags = live ? IR_FLAGS_LIVE : 0;
        else
            live = ir_live_before(o, live);
    }
}

static void print_value(FILE *out, char kind, unsigned v)
{
    if (kind >= 'A' && kind <= 'D')
        fprintf(out, " v%u", v);
    else if (v == IR_ZERO)
        fprintf(out, " zero");
    else if (v == IR_SP)
        fprintf(out, " sp");
    else if (v == IR_IMM)
        fprintf(out, " imm");
    else if (v == IR_NO_INDEX)
        fprintf(out, " -");
    else
        fprintf(out, " x%u", v);
}

static void print_op(const struct ir_op *o, FILE *out)
{
    static const char *const types[] = {"i32", "i64", "f32", "f64", "f16", "b", "h", "s", "d"};
    const struct ir_op_info *info = &ir_op_info[o->op];
    fprintf(out, "%s.%s", info->name, types[o->type]);
    for (const char *p = info->operands; *p; p++) {
        switch (*p) {
        case 'd':
        case 'D':
            print_value(out, *p, o->d);
            break;
        case 'a':
        case 'A':
            print_value(out, *p, o->a);
            break;
        case 'b':
        case 'B':
            print_value(out, *p, o->b);
            break;
        case 'c':
        case 'C':
            print_value(out, *p, o->c);
            break;
        case 'm':
            fprintf(out, " [");
            print_value(out, 'a', o->a);
            print_value(out, 'b', o->b);
            fprintf(out, " %+lld ]", (long long)o->imm);
            break;
        default:
            fprintf(out, " %lld", (long long)o->imm);
            break;
        }
    }
    if (o->b == IR_IMM && *info->operands == 'd')
        fprintf(out, " #%lld", (long long)o->imm);
    fprintf(out, " x%u y%u size%u mod%x sub%u flags%x\n", o->x, o->y, o->size, o->mod, o->sub,
            o->flags);
}

void ir_print(const struct ir_unit *unit, FILE *out)
{
    for (unsigned i = 0; i < unit->count; i++)
        print_op(&unit->ops[i], out);
}
