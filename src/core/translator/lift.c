/* lift.c: builds a unit: decode, one function by op, or the interpreter for what has none.
 */
#include "core/translator/lift_int.h"

#include <string.h>

#include "base/bytes.h"
#include "core/arm64/interpreter.h"

enum { SIDE_EXITS_MAX = 32 };

static void add_rows(struct lift_table *table, const struct lift_row *rows, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        table->by_op[rows[i].op] = rows[i].fn;
}

static void add_forms(struct lift_table *table, const struct lift_form_row *rows, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        table->by_op[rows[i].op] = rows[i].fn;
        table->form[rows[i].op] = (struct lift_form){rows[i].sub, rows[i].x, rows[i].y};
    }
}

void lift_table_init(struct lift_table *table)
{
    memset(table, 0, sizeof(*table));
    add_rows(table, lift_rows_integer, lift_rows_integer_count);
    add_rows(table, lift_rows_memory, lift_rows_memory_count);
    add_rows(table, lift_rows_branch, lift_rows_branch_count);
    add_rows(table, lift_rows_crypto, lift_rows_crypto_count);
    add_rows(table, lift_rows_simd_move, lift_rows_simd_move_count);
    add_rows(table, lift_rows_structure, lift_rows_structure_count);
    add_forms(table, lift_rows_fp, lift_rows_fp_count);
    add_forms(table, lift_rows_simd, lift_rows_simd_count);
    add_forms(table, lift_rows_simd_fp, lift_rows_simd_fp_count);
}

static uint32_t word_at(const struct lift_source *source, uint32_t offset)
{
    return (uint32_t)load_le(source->page + offset, 4);
}

void lift_insn(struct lifter *l)
{
    uint32_t raw = word_at(l->source, l->offset);
    struct a64_insn in;
    struct ir_op *marker = emit_op(l, IR_INSN, IR_I64);
    l->joined = false;
    marker->imm = (int64_t)((uint64_t)raw << 32 | l->offset);
    bool decodes = a64_decode_for(l->source->features, raw, &in);
    if (!decodes || (a64_uses_fp(&in) && !(l->source->context & LIFT_FP))) { /* it traps */
        emit_op(l, IR_LEAVE, IR_I64)->imm = l->offset;
        l->ended = true;
        return;
    }
    lift_fn fn = l->source->table->by_op[in.op];
    unsigned before = l->unit->count;
    if (fn && fn(l, &in)) {
        marker->x = l->joined;
        return;
    }
    l->unit->count = before;
    emit_op(l, IR_INTERPRET, IR_I64)->imm = raw;
}

void lift_unit(const struct lift_source *source, struct ir_unit *unit)
{
    struct lifter l = {.source = source, .unit = unit, .offset = source->offset};
    unsigned side_exits = 0;
    unit->count = unit->insns = 0;
    while (!l.ended) {
        bool full = unit->insns == source->max_insns || l.offset >= 4096 ||
                    unit->count + LIFT_OPS_PER_INSN_MAX > IR_UNIT_OPS ||
                    side_exits == SIDE_EXITS_MAX;
        if (full) {
            struct ir_op *marker = emit_op(&l, IR_INSN, IR_I64);
            marker->imm = (int64_t)l.offset - 4;
            marker->x = 1;
            emit_op(&l, IR_JUMP, IR_I64)->imm = l.offset;
            break;
        }
        lift_insn(&l);
        if (ir_op_info[unit->ops[unit->count - 1].op].attributes & IR_SIDE_EXIT)
            side_exits++;
        unit->insns++;
        l.offset += 4;
    }
    lift_mark_exits(source, unit, true);
    ir_liveness(unit);
    if (ir_sink_flags(unit))
        ir_liveness(unit);
}
