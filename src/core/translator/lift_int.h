/* lift_int.h: shared by the lifter's files: one function an instruction, by decode table op. */
#ifndef PENG_CORE_TRANSLATOR_LIFT_INT_H
#define PENG_CORE_TRANSLATOR_LIFT_INT_H

#include "core/arm64/decode.h"
#include "core/translator/lift.h"

struct lifter {
    const struct lift_source *source;
    struct ir_unit *unit;
    uint32_t offset; /* of the instruction in its page */
    bool ended;      /* the unit has its last op */
    bool joined;     /* the instruction's ops are not all there is of it: see IR_INSN's x */
};

/* Micro-ops of one instruction at most, its marker included. */
enum { LIFT_OPS_PER_INSN_MAX = 8 };

/* The instruction at l->offset, marker included. */
void lift_insn(struct lifter *l);
/* Marks the ways out behind which NZCV is overwritten before it is read. `straight`: the ops run
 * one after the other; then those that are left before the unit has written NZCV do not matter. */
void lift_mark_exits(const struct lift_source *source, struct ir_unit *unit, bool straight);

/* False: no micro-ops for this form; the interpreter executes it. */
typedef bool (*lift_fn)(struct lifter *l, const struct a64_insn *in);

struct lift_row {
    uint16_t op; /* enum a64_op */
    lift_fn fn;
};

/* The same with what the function puts into ir_op's fields of these names. */
struct lift_form_row {
    uint16_t op;
    lift_fn fn;
    uint16_t sub;
    uint8_t x, y;
};

struct lift_table {
    lift_fn by_op[A64_OP_COUNT];
    struct lift_form {
        uint16_t sub;
        uint8_t x, y;
    } form[A64_OP_COUNT];
};

/* Each file's rows; put into one table by lift_table_init(). */
extern const struct lift_row lift_rows_integer[], lift_rows_memory[], lift_rows_branch[],
    lift_rows_simd_move[], lift_rows_crypto[], lift_rows_structure[];
extern const struct lift_form_row lift_rows_fp[], lift_rows_simd[], lift_rows_simd_fp[];
extern const unsigned lift_rows_integer_count, lift_rows_memory_count, lift_rows_branch_count,
    lift_rows_fp_count, lift_rows_simd_move_count, lift_rows_crypto_count,
    lift_rows_structure_count, lift_rows_simd_count, lift_rows_simd_fp_count;

#define LIFT(name) static bool lift_##name(struct lifter *l, const struct a64_insn *in)
#define ROW(name)                                                                                  \
    {                                                                                              \
        A64_OP_##name, lift_##name                                                                 \
    }

/* Of a table of forms: sub, x and y as the file's functions use them. */
#define FORM(guest, form, sub, x, y)                                                               \
    {                                                                                              \
        A64_OP_##guest, lift_##form, sub, x, y                                                     \
    }

static inline struct ir_op *emit_op(struct lifter *l, enum ir_opcode op, enum ir_type type)
{
    return ir_emit(l->unit, op, type);
}

static inline const struct lift_form *form_of(const struct lifter *l, const struct a64_insn *in)
{
    return &l->source->table->form[in->op];
}

static inline enum ir_type int_type(const struct a64_insn *in)
{
    return in->f ? IR_I64 : IR_I32;
}

/* A vector op on lanes of 1 << z bytes, with the registers and the row's function of `in`. */
static inline struct ir_op *lift_vector(struct lifter *l, const struct a64_insn *in,
                                        enum ir_opcode op, unsigned z)
{
    struct ir_op *o = emit_op(l, op, IR_I64);
    o->d = in->d;
    o->a = in->n;
    o->b = in->m;
    o->y = (uint8_t)z;
    o->sub = form_of(l, in)->sub;
    o->flags = in->e ? IR_SCALAR : in->Q ? IR_Q : 0;
    return o;
}

/* Register 31 as the zero register, or as SP. */
static inline uint8_t zr(unsigned r)
{
    return (uint8_t)(r == 31 ? IR_ZERO : r);
}

#endif
