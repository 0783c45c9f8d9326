/* emit_vec.c: V registers and constants for the vector emitters; moves between the register files.
 */
#include "core/x86_64/emit_vec.h"

static const uint64_t constants[VEC_CONSTANT_COUNT][2] = {
    [VEC_ABS32] = {0x7fffffff7fffffff, 0x7fffffff7fffffff},
    [VEC_ABS64] = {0x7fffffffffffffff, 0x7fffffffffffffff},
    [VEC_SIGN32] = {0x8000000080000000, 0x8000000080000000},
    [VEC_SIGN64] = {0x8000000000000000, 0x8000000000000000},
    [VEC_ABS32_LOW] = {0x7fffffff, 0},
    [VEC_ABS64_LOW] = {0x7fffffffffffffff, 0},
    [VEC_MIN32] = {0x0080000000800000, 0x0080000000800000},
    [VEC_MIN64] = {0x0010000000000000, 0x0010000000000000},
};

const uint8_t *vec_constants(struct x86_buf *b)
{
    while ((uintptr_t)b->at % 64)
        x86_byte(b, 0xcc);
    const uint8_t *start = b->at;
    for (unsigned i = 0; i < VEC_CONSTANT_COUNT; i++) {
        x86_u64(b, constants[i][0]);
        x86_u64(b, constants[i][1]);
    }
    return start;
}

struct x86_rm vec_const(const struct emitter *e, enum vec_constant c, unsigned immediate_bytes)
{
    return rm_target(e->request->stubs->constants + 16 * (size_t)c, immediate_bytes);
}

static struct x86_rm slot(unsigned v)
{
    return rm_mem(RBP, EMIT_OFFSET(v) + (int32_t)v * 16);
}

struct x86_rm vec_rm(const struct emitter *e, unsigned v)
{
    unsigned xmm = emit_xmm(e->request->host->avx512vl, v);
    return xmm == X86_NO_XMM ? slot(v) : rm_reg(xmm);
}

static void load(struct emitter *e, unsigned reg, struct x86_rm from) /* vmovdqa */
{
    x86_vec(e->buf, 1, 1, 0, 0x6f, reg, X86_NO_SECOND, from);
}

unsigned vec_use(struct emitter *e, unsigned v, unsigned scratch)
{
    struct x86_rm rm = vec_rm(e, v);
    if (rm.is_reg)
        return rm.base;
    load(e, scratch, rm);
    return scratch;
}

void vec_copy(struct emitter *e, unsigned scratch, unsigned v)
{
    load(e, scratch, vec_rm(e, v));
}

unsigned vec_dest(const struct emitter *e, unsigned v, unsigned scratch)
{
    struct x86_rm rm = vec_rm(e, v);
    return rm.is_reg ? rm.base : scratch;
}

void vec_done(struct emitter *e, unsigned v, unsigned reg)
{
    struct x86_rm rm = vec_rm(e, v);
    if (!rm.is_reg)
        x86_vec(e->buf, 1, 1, 0, 0x7f, reg, X86_NO_SECOND, rm);
    else if (rm.base != reg)
        load(e, rm.base, rm_reg(reg));
}

void vec_set(struct emitter *e, unsigned v, unsigned reg, unsigned bytes)
{
    if (bytes == 16) {
        vec_done(e, v, reg);
        return;
    }
    unsigned d = vec_dest(e, v, 0);
    if (bytes == 8) { /* vmovq */
        x86_vec(e->buf, 2, 1, X86_W_EVEX, 0x7e, d, X86_NO_SECOND, rm_reg(reg));
    } else { /* vinsertps: lane 0 to lane 0, zeros elsewhere */
        x86_vec(e->buf, 1, 3, 0, 0x21, d, reg, rm_reg(reg));
        x86_byte(e->buf, 0x0e);
    }
    vec_done(e, v, d);
}

void vec_zero(struct emitter *e, unsigned reg)
{
    x86_vec(e->buf, 1, 1, 0, 0xef, reg, reg, rm_reg(reg)); /* vpxor */
}

/* --- ops ---------------------------------------------------------------------------------------
 */

/* The constant imm: in the low half, or in both (x). */
void emit_VCONST(struct emitter *e, const struct ir_op *o)
{
    unsigned d = vec_dest(e, o->d, 0);
    if (!o->imm) {
        vec_zero(e, d);
    } else if (o->imm == -1 && o->x) {
        x86_vec(e->buf, 1, 1, 0, 0x76, 0, 0, rm_reg(0)); /* vpcmpeqd: all ones */
        d = 0;
    } else {
        x86_movi(e->buf, RAX, (uint64_t)o->imm);
        x86_vec(e->buf, 1, 1, 1, 0x6e, o->x ? 0 : d, X86_NO_SECOND, rm_reg(RAX)); /* vmovq */
        if (o->x)
            x86_vec(e->buf, 1, 2, X86_W_EVEX, 0x59, d, X86_NO_SECOND, rm_reg(0)); /* broadcast */
    }
    vec_done(e, o->d, d);
}

/* General register d = element x of `size` bytes, extended to o->type. */
void emit_VTOG(struct emitter *e, const struct ir_op *o)
{
    struct x86_buf *b = e->buf;
    struct x86_rm from = vec_rm(e, o->a);
    unsigned d = set_reg(o->d, RAX), width = op_width(o);
    bool is_signed = o->flags & IR_SIGNED;
    if (!from.is_reg) {
        from.disp += o->x * o->size;
        if (is_signed)
            x86_sext(b, o->size, width, d, from);
        else
            x86_zext(b, o->size, d, from);
    } else {
        static const uint8_t codes[] = {[1] = 0x14, [2] = 0x15, [4] = 0x16, [8] = 0x16};
        if (o->x == 0 && o->size >= 4) { /* vmovd, vmovq */
            x86_vec(b, 1, 1, o->size == 8, 0x7e, from.base, X86_NO_SECOND, rm_reg(d));
        } else { /* vpextr */
            x86_vec(b, 1, 3, o->size == 8, codes[o->size], from.base, X86_NO_SECOND, rm_reg(d));
            x86_byte(b, o->x);
        }
        if (is_signed)
            x86_sext(b, o->size, width, d, rm_reg(d));
    }
    if (d == RAX)
        set_done(e, o->d, RAX);
}

/* Element x of `size` bytes of V[d] = general register a. */
void emit_VINSG(struct emitter *e, const struct ir_op *o)
{
    struct x86_rm to = vec_rm(e, o->d);
    unsigned a = use_reg(e, o->a, RAX, 8);
    if (!to.is_reg) {
        to.disp += o->x * o->size;
        x86_store(e->buf, o->size, to, a);
        return;
    }
    if (o->size == 2)
        x86_vec(e->buf, 1, 1, 0, 0xc4, to.base, to.base, rm_reg(a));
    else
        x86_vec(e->buf, 1, 3, o->size == 8, o->size == 1 ? 0x20 : 0x22, to.base, to.base,
                rm_reg(a));
    x86_byte(e->buf, o->x);
}

/* V[d] = general register a of `size` bytes (4, 8) in the low element, zero above. */
void emit_VFROMG(struct emitter *e, const struct ir_op *o)
{
    unsigned d = vec_dest(e, o->d, 0);
    unsigned a = use_reg(e, o->a, RAX, o->size);
    x86_vec(e->buf, 1, 1, o->size == 8, 0x6e, d, X86_NO_SECOND, rm_reg(a));
    vec_done(e, o->d, d);
}
