/* lift_memory.c: loads, stores, acquire/release, and the Armv8.1 atomics (DDI 0487 C4.1.88).
 *
 * The write-back of an indexed access is an ADD behind it, so that a fault finds the base register
 * as it was. Exclusives are the interpreter's.
 */
#include "core/translator/lift_int.h"

#include "base/bytes.h"

enum indexing { OFFSET, PRE, POST };

static bool fp_allowed(const struct lifter *l)
{
    return l->source->context & LIFT_FP;
}

static void write_back(struct lifter *l, const struct a64_insn *in, int64_t imm)
{
    struct ir_op *o = emit_op(l, IR_ADD, IR_I64);
    o->d = o->a = in->n;
    o->b = IR_IMM;
    o->imm = imm;
}

/* The address is base + imm; `post` uses the bare base. */
static void address(struct ir_op *o, const struct a64_insn *in, int64_t imm, enum indexing mode)
{
    o->a = in->n;
    o->b = IR_NO_INDEX;
    o->imm = mode == POST ? 0 : imm;
}

static bool load_store(struct lifter *l, const struct a64_insn *in, bool load, bool is_signed,
                       int64_t imm, enum indexing mode, unsigned flags)
{
    if (mode != OFFSET && in->n == in->d &&
        in->n != 31) /* UNPREDICTABLE: as the interpreter does */
        return false;
    struct ir_op *o = emit_op(l, load ? IR_LOAD : IR_STORE,
                              is_signed && !in->W ? IR_I64
                              : in->z == 3        ? IR_I64
                                                  : IR_I32);
    address(o, in, imm, mode);
    *(load ? &o->d : &o->c) = zr(in->d);
    o->size = (uint8_t)(1u << in->z);
    o->flags = (uint8_t)(flags | (is_signed ? IR_SIGNED : 0));
    if (mode != OFFSET)
        write_back(l, in, imm);
    return true;
}

LIFT(STR_uimm)
{
    return load_store(l, in, false, false, (int64_t)in->i << in->z, OFFSET, 0);
}

LIFT(LDR_uimm)
{
    return load_store(l, in, true, false, (int64_t)in->i << in->z, OFFSET, 0);
}

LIFT(LDRS_uimm)
{
    return load_store(l, in, true, true, (int64_t)in->i << in->z, OFFSET, 0);
}

LIFT(STUR)
{
    return load_store(l, in, false, false, sign_extend(in->i, 9), OFFSET, 0);
}

LIFT(LDUR)
{
    return load_store(l, in, true, false, sign_extend(in->i, 9), OFFSET, 0);
}

LIFT(LDURS)
{
    return load_store(l, in, true, true, sign_extend(in->i, 9), OFFSET, 0);
}

LIFT(STR_post)
{
    return load_store(l, in, false, false, sign_extend(in->i, 9), POST, 0);
}

LIFT(LDR_post)
{
    return load_store(l, in, true, false, sign_extend(in->i, 9), POST, 0);
}

LIFT(LDRS_post)
{
    return load_store(l, in, true, true, sign_extend(in->i, 9), POST, 0);
}

LIFT(STR_pre)
{
    return load_store(l, in, false, false, sign_extend(in->i, 9), PRE, 0);
}

LIFT(LDR_pre)
{
    return load_store(l, in, true, false, sign_extend(in->i, 9), PRE, 0);
}

LIFT(LDRS_pre)
{
    return load_store(l, in, true, true, sign_extend(in->i, 9), PRE, 0);
}

/* LDTR and STTR use EL0's rights, at EL1 without UAO; elsewhere they are ordinary. */
static unsigned unprivileged(const struct lifter *l)
{
    return (l->source->context & (LIFT_EL1 | LIFT_UAO)) == LIFT_EL1 ? IR_UNPRIV : 0;
}

LIFT(STTR)
{
    return load_store(l, in, false, false, sign_extend(in->i, 9), OFFSET, unprivileged(l));
}

LIFT(LDTR)
{
    return load_store(l, in, true, false, sign_extend(in->i, 9), OFFSET, unprivileged(l));
}

LIFT(LDTRS)
{
    return load_store(l, in, true, true, sign_extend(in->i, 9), OFFSET, unprivileged(l));
}

/* Register offset: extended and maybe scaled by the access size. */
static void index_by(struct ir_op *o, const struct a64_insn *in)
{
    static const uint16_t kinds[8] = {
        [2] = IR_MOD_UXTW, [3] = IR_MOD_LSL, [6] = IR_MOD_SXTW, [7] = IR_MOD_LSL};
    o->a = in->n;
    o->b = zr(in->m);
    o->mod = (uint16_t)(kinds[in->o] | (in->S ? in->z : 0));
    if (o->b == IR_ZERO) {
        o->b = IR_NO_INDEX;
        o->mod = 0;
    }
}

static bool by_register(struct lifter *l, const struct a64_insn *in, bool load, bool is_signed)
{
    load_store(l, in, load, is_signed, 0, OFFSET, 0);
    index_by(&l->unit->ops[l->unit->count - 1], in);
    return true;
}

LIFT(STR_reg)
{
    return by_register(l, in, false, false);
}

LIFT(LDR_reg)
{
    return by_register(l, in, true, false);
}

LIFT(LDRS_reg)
{
    return by_register(l, in, true, true);
}

LIFT(PRFM)
{
    return true;
}

/* --- pairs -------------------------------------------------------------------------------------
 */

static bool pair(struct lifter *l, const struct a64_insn *in, bool load, bool is_signed,
                 enum indexing mode)
{
    unsigned size = is_signed || !in->f ? 4 : 8;
    int64_t imm = sign_extend(in->i, 7) * (int64_t)size;
    bool clash = mode != OFFSET && in->n != 31 && (in->n == in->d || in->n == in->a);
    if (clash || (load && in->d == in->a)) /* UNPREDICTABLE */
        return false;
    struct ir_op *o =
        emit_op(l, load ? IR_LOADP : IR_STOREP, is_signed || size == 8 ? IR_I64 : IR_I32);
    address(o, in, imm, mode);
    o->d = zr(in->d);
    o->c = zr(in->a);
    o->size = (uint8_t)size;
    o->flags = is_signed ? IR_SIGNED : 0;
    if (mode != OFFSET)
        write_back(l, in, imm);
    return true;
}

static enum indexing pair_mode(const struct a64_insn *in)
{
    unsigned mode = in->raw >> 23 & 3; /* 0 no-allocate, 1 post, 2 offset, 3 pre */
    return mode == 1 ? POST : mode == 3 ? PRE : OFFSET;
}

LIFT(store_pair)
{
    return pair(l, in, false, false, pair_mode(in));
}

LIFT(load_pair)
{
    return pair(l, in, true, false, pair_mode(in));
}

LIFT(load_pair_signed)
{
    return pair(l, in, true, true, pair_mode(in));
}

/* --- vector registers ----------------------------------------------------------------------------
 */

static bool vector(struct lifter *l, const struct a64_insn *in, bool load, int64_t imm,
                   enum indexing mode)
{
    if (!fp_allowed(l))
        return false;
    struct ir_op *o = emit_op(l, load ? IR_VLOAD : IR_VSTORE, IR_I64);
    address(o, in, imm, mode);
    *(load ? &o->d : &o->c) = in->d;
    o->size = (uint8_t)(1u << in->z);
    if (mode != OFFSET)
        write_back(l, in, imm);
    return true;
}

LIFT(STR_v_uimm)
{
    return vector(l, in, false, (int64_t)in->i << in->z, OFFSET);
}

LIFT(LDR_v_uimm)
{
    return vector(l, in, true, (int64_t)in->i << in->z, OFFSET);
}

LIFT(STUR_v)
{
    return vector(l, in, false, sign_extend(in->i, 9), OFFSET);
}

LIFT(LDUR_v)
{
    return vector(l, in, true, sign_extend(in->i, 9), OFFSET);
}

LIFT(STR_v_post)
{
    return vector(l, in, false, sign_extend(in->i, 9), POST);
}

LIFT(LDR_v_post)
{
    return vector(l, in, true, sign_extend(in->i, 9), POST);
}

LIFT(STR_v_pre)
{
    return vector(l, in, false, sign_extend(in->i, 9), PRE);
}

LIFT(LDR_v_pre)
{
    return vector(l, in, true, sign_extend(in->i, 9), PRE);
}

static bool vector_by_register(struct lifter *l, const struct a64_insn *in, bool load)
{
    if (!vector(l, in, load, 0, OFFSET))
        return false;
    index_by(&l->unit->ops[l->unit->count - 1], in);
    return true;
}

LIFT(STR_v_reg)
{
    return vector_by_register(l, in, false);
}

LIFT(LDR_v_reg)
{
    return vector_by_register(l, in, true);
}

static bool vector_pair(struct lifter *l, const struct a64_insn *in, bool load)
{
    enum indexing mode = pair_mode(in);
    unsigned size = 4u << in->z;
    int64_t imm = sign_extend(in->i, 7) * (int64_t)size;
    if (!fp_allowed(l) || (load && in->d == in->a))
        return false;
    struct ir_op *o = emit_op(l, load ? IR_VLOADP : IR_VSTOREP, IR_I64);
    address(o, in, imm, mode);
    o->d = in->d;
    o->c = in->a;
    o->size = (uint8_t)size;
    if (mode != OFFSET)
        write_back(l, in, imm);
    return true;
}

LIFT(store_vector_pair)
{
    return vector_pair(l, in, false);
}

LIFT(load_vector_pair)
{
    return vector_pair(l, in, true);
}

/* --- literals ------------------------------------------------------------------------------------
 */

LIFT(LDR_lit)
{
    struct a64_insn access = *in;
    access.z = in->op == A64_OP_LDRSW_lit ? 2 : in->f ? 3 : 2;
    access.W = 0;
    int64_t imm = l->offset + sign_extend(in->i, 19) * 4;
    load_store(l, &access, true, in->op == A64_OP_LDRSW_lit, imm, OFFSET, 0);
    l->unit->ops[l->unit->count - 1].a = IR_PAGE;
    return true;
}

LIFT(LDR_v_lit)
{
    struct a64_insn access = *in;
    access.z = in->z + 2;
    if (!vector(l, &access, true, l->offset + sign_extend(in->i, 19) * 4, OFFSET))
        return false;
    l->unit->ops[l->unit->count - 1].a = IR_PAGE;
    return true;
}

/* --- ordered and atomic --------------------------------------------------------------------------
 */

LIFT(LDAR)
{
    return load_store(l, in, true, false, 0, OFFSET, IR_ALIGNED);
}

LIFT(STLR)
{
    return load_store(l, in, false, false, 0, OFFSET, IR_ALIGNED | IR_ORDERED);
}

/* An access of 1 << z bytes at the base register, which must be aligned. */
static struct ir_op *locked(struct lifter *l, const struct a64_insn *in, enum ir_opcode op,
                            unsigned d, unsigned c)
{
    struct ir_op *o = emit_op(l, op, in->z == 3 ? IR_I64 : IR_I32);
    address(o, in, 0, OFFSET);
    o->d = zr(d);
    o->c = zr(c);
    o->size = (uint8_t)(1u << in->z);
    o->flags = IR_ALIGNED;
    return o;
}

LIFT(load_exclusive)
{
    locked(l, in, IR_LOADX, in->d, 31);
    return true;
}

LIFT(store_exclusive)
{
    if (in->s == in->d || in->s == in->n) /* UNPREDICTABLE */
        return false;
    locked(l, in, IR_STOREX, in->s, in->d);
    return true;
}

LIFT(atomic)
{
    static const struct {
        uint16_t guest;
        uint8_t kind;
    } kinds[] = {{A64_OP_LDADD, IR_ATOMIC_ADD},   {A64_OP_LDCLR, IR_ATOMIC_CLR},
                 {A64_OP_LDEOR, IR_ATOMIC_EOR},   {A64_OP_LDSET, IR_ATOMIC_SET},
                 {A64_OP_LDSMAX, IR_ATOMIC_SMAX}, {A64_OP_LDSMIN, IR_ATOMIC_SMIN},
                 {A64_OP_LDUMAX, IR_ATOMIC_UMAX}, {A64_OP_LDUMIN, IR_ATOMIC_UMIN},
                 {A64_OP_SWP, IR_ATOMIC_SWAP}};
    unsigned k = 0;
    while (kinds[k].guest != in->op)
        k++;
    locked(l, in, IR_ATOMIC, in->d, in->s)->x = kinds[k].kind;
    return true;
}

LIFT(CAS)
{
    locked(l, in, IR_CAS, in->s, in->d);
    return true;
}

/* Registers that must be even: what is odd, or of 32 bits, does not come up in practice. */
LIFT(CASP)
{
    if (!in->f)
        return false;
    struct ir_op *o = locked(l, in, IR_CASP, in->s, in->d);
    o->type = IR_I64;
    o->size = 16;
    o->x = zr(in->s + 1u);
    o->y = zr(in->d + 1u);
    return true;
}

const struct lift_row lift_rows_memory[] = {
    ROW(STR_uimm),
    ROW(LDR_uimm),
    ROW(LDRS_uimm),
    ROW(STUR),
    ROW(LDUR),
    ROW(LDURS),
    ROW(STR_post),
    ROW(LDR_post),
    ROW(LDRS_post),
    ROW(STR_pre),
    ROW(LDR_pre),
    ROW(LDRS_pre),
    ROW(STTR),
    ROW(LDTR),
    ROW(LDTRS),
    ROW(STR_reg),
    ROW(LDR_reg),
    ROW(LDRS_reg),
    {A64_OP_PRFM_lit, lift_PRFM},
    {A64_OP_PRFM_uimm, lift_PRFM},
    {A64_OP_PRFUM, lift_PRFM},
    {A64_OP_PRFM_reg, lift_PRFM},
    {A64_OP_STNP, lift_store_pair},
    {A64_OP_STP_post, lift_store_pair},
    {A64_OP_STP_off, lift_store_pair},
    {A64_OP_STP_pre, lift_store_pair},
    {A64_OP_LDNP, lift_load_pair},
    {A64_OP_LDP_post, lift_load_pair},
    {A64_OP_LDP_off, lift_load_pair},
    {A64_OP_LDP_pre, lift_load_pair},
    {A64_OP_LDPSW_post, lift_load_pair_signed},
    {A64_OP_LDPSW_off, lift_load_pair_signed},
    {A64_OP_LDPSW_pre, lift_load_pair_signed},
    ROW(STR_v_uimm),
    ROW(LDR_v_uimm),
    ROW(STUR_v),
    ROW(LDUR_v),
    ROW(STR_v_post),
    ROW(LDR_v_post),
    ROW(STR_v_pre),
    ROW(LDR_v_pre),
    ROW(STR_v_reg),
    ROW(LDR_v_reg),
    {A64_OP_STNP_v, lift_store_vector_pair},
    {A64_OP_STP_v_post, lift_store_vector_pair},
    {A64_OP_STP_v_off, lift_store_vector_pair},
    {A64_OP_STP_v_pre, lift_store_vector_pair},
    {A64_OP_LDNP_v, lift_load_vector_pair},
    {A64_OP_LDP_v_post, lift_load_vector_pair},
    {A64_OP_LDP_v_off, lift_load_vector_pair},
    {A64_OP_LDP_v_pre, lift_load_vector_pair},
    ROW(LDR_lit),
    {A64_OP_LDRSW_lit, lift_LDR_lit},
    ROW(LDR_v_lit),
    ROW(LDAR),
    ROW(STLR),
    {A64_OP_LDXR, lift_load_exclusive},
    {A64_OP_LDAXR, lift_load_exclusive},
    {A64_OP_STXR, lift_store_exclusive},
    {A64_OP_STLXR, lift_store_exclusive},
    {A64_OP_LDADD, lift_atomic},
    {A64_OP_LDCLR, lift_atomic},
    {A64_OP_LDEOR, lift_atomic},
    {A64_OP_LDSET, lift_atomic},
    {A64_OP_LDSMAX, lift_atomic},
    {A64_OP_LDSMIN, lift_atomic},
    {A64_OP_LDUMAX, lift_atomic},
    {A64_OP_LDUMIN, lift_atomic},
    {A64_OP_SWP, lift_atomic},
    ROW(CAS),
    ROW(CASP),
};
const unsigned lift_rows_memory_count = ARRAY_SIZE(lift_rows_memory);
