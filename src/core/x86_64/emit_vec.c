/* emit_vec.c: V registers for the vector emitters; moves between the register files.
 */
#include "core/x86_64/emit_vec.h"

#define P(opcode)                                                                                  \
    {                                                                                              \
        1, 1, 0, opcode                                                                            \
    }
#define P_W(opcode)                                                                                \
    {                                                                                              \
        1, 1, X86_W_EVEX, opcode                                                                   \
    }
#define P38(opcode)                                                                                \
    {                                                                                              \
        1, 2, 0, opcode                                                                            \
    }
#define P38_W(opcode)                                                                              \
    {                                                                                              \
        1, 2, X86_W_EVEX, opcode                                                                   \
    }
#define NONE                                                                                       \
    {                                                                                              \
        0, 0, 0, 0                                                                                 \
    }

/* clang-format off */
const struct vec_code vec_lanes[IR_V_LANE_COUNT][4] = {
    [IR_V_ADD] = {P(0xfc), P(0xfd), P(0xfe), P_W(0xd4)},
    [IR_V_SUB] = {P(0xf8), P(0xf9), P(0xfa), P_W(0xfb)},
    [IR_V_MUL] = {NONE, P(0xd5), P38(0x40), NONE},
    [IR_V_SMAX] = {P38(0x3c), P(0xee), P38(0x3d), NONE},
    [IR_V_SMIN] = {P38(0x38), P(0xea), P38(0x39), NONE},
    [IR_V_UMAX] = {P(0xde), P38(0x3e), P38(0x3f), NONE},
    [IR_V_UMIN] = {P(0xda), P38(0x3a), P38(0x3b), NONE},
    [IR_V_CMEQ] = {P(0x74), P(0x75), P(0x76), P38(0x29)}, /* these two without EVEX form */
    [IR_V_CMGT] = {P(0x64), P(0x65), P(0x66), P38(0x37)},
    [IR_V_SQADD] = {P(0xec), P(0xed), NONE, NONE},
    [IR_V_SQSUB] = {P(0xe8), P(0xe9), NONE, NONE},
    [IR_V_UQADD] = {P(0xdc), P(0xdd), NONE, NONE},
    [IR_V_UQSUB] = {P(0xd8), P(0xd9), NONE, NONE},
    [IR_V_ZIP1] = {P(0x60), P(0x61), P(0x62), P_W(0x6c)},
    [IR_V_ZIP2] = {P(0x68), P(0x69), P(0x6a), P_W(0x6d)},
    [IR_V_AND] = {P(0xdb), P(0xdb), P(0xdb), P(0xdb)},
    [IR_V_ORR] = {P(0xeb), P(0xeb), P(0xeb), P(0xeb)},
    [IR_V_EOR] = {P(0xef), P(0xef), P(0xef), P(0xef)},
    [IR_V_BIC] = {P(0xdf), P(0xdf), P(0xdf), P(0xdf)},
    [IR_V_ABS] = {P38(0x1c), P38(0x1d), P38(0x1e), NONE},
};
/* clang-format on */

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
    unsigned xmm = emit_xmm(e->request->host, v);
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

void vec_copy_reg(struct emitter *e, unsigned to, unsigned from)
{
    if (to != from)
        load(e, to, rm_reg(from));
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
    } else if (bytes < 4) {
        vec_op(e, vec_lanes[IR_V_AND][0], d, reg,
               vec_const(e, bytes == 1 ? VEC_ELEMENT8 : VEC_ELEMENT16, 0));
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

void vec_ones(struct emitter *e, unsigned reg)
{
    x86_vec(e->buf, 1, 1, 0, 0x76, reg, reg, rm_reg(reg)); /* vpcmpeqd */
}

void vec_fill(struct emitter *e, unsigned reg, uint64_t imm)
{
    x86_movi(e->buf, RAX, imm);
    if (vec_wide(e)) { /* vpbroadcastq */
        x86_evex(e->buf, 1, 2, 1, 0x7c, reg, X86_NO_SECOND, rm_reg(RAX));
        return;
    }
    x86_vec(e->buf, 1, 1, 1, 0x6e, reg, X86_NO_SECOND, rm_reg(RAX));
    vec_spread(e, 3, reg, reg, 0);
}

void vec_spread(struct emitter *e, unsigned z, unsigned d, unsigned a, unsigned index)
{
    static const uint8_t broadcast[] = {0x78, 0x79, 0x58, 0x59};
    if (index && z >= 2) { /* vpshufd */
        x86_vec(e->buf, 1, 1, 0, 0x70, d, X86_NO_SECOND, rm_reg(a));
        x86_byte(e->buf, (uint8_t)(z == 3 ? 0xee : index * 0x55));
        return;
    }
    if (index) {
        vec_shift_bytes(e, d, a, index << z);
        a = d;
    }
    x86_vec(e->buf, 1, 2, z == 3 ? X86_W_EVEX : 0, broadcast[z], d, X86_NO_SECOND, rm_reg(a));
}

void vec_clear_upper(struct emitter *e)
{
    x86_byte(e->buf, 0xc5); /* vzeroupper */
    x86_byte(e->buf, 0xf8);
    x86_byte(e->buf, 0x77);
}

void vec_shift(struct emitter *e, enum vec_shift kind, unsigned z, unsigned d, unsigned a,
               unsigned bits)
{
    if (kind == VEC_SAR && z == 3)
        x86_evex(e->buf, 1, 1, 1, 0x72, kind, d, rm_reg(a));
    else
        x86_vec(e->buf, 1, 1, z == 3 ? X86_W_EVEX : 0, 0x70 + z, kind, d, rm_reg(a));
    x86_byte(e->buf, (uint8_t)bits);
}

void vec_shift_bytes(struct emitter *e, unsigned d, unsigned a, unsigned bytes)
{
    x86_vec(e->buf, 1, 1, 0, 0x73, 3, d, rm_reg(a));
    x86_byte(e->buf, (uint8_t)bytes);
}

void vec_blend_lanes(struct emitter *e, unsigned z, unsigned d, unsigned a, struct x86_rm b,
                     unsigned lanes)
{
    static const uint8_t halfwords[] = {0x00, 0x03, 0x0c, 0x0f, 0x30, 0x33, 0x3c, 0x3f,
                                        0xc0, 0xc3, 0xcc, 0xcf, 0xf0, 0xf3, 0xfc, 0xff};
    if (z == 2 && vec_legacy(e))
        vec_op_imm(e, (struct vec_code){1, 3, 0, 0x0e}, d, a, b, halfwords[lanes & 15]);
    else
        vec_op_imm(e, (struct vec_code){1, 3, 0, z == 1 ? 0x0e : 0x02}, d, a, b, lanes);
}

/* By ZF of VPTEST, or of VTESTPS and VTESTPD: `reg` in its low `bytes`. */
static void test_low(struct emitter *e, unsigned opcode, unsigned reg, unsigned bytes)
{
    static const uint8_t low[] = {
        [1] = VEC_ELEMENT8, [2] = VEC_ELEMENT16, [4] = VEC_ELEMENT32, [8] = VEC_ELEMENT64};
    struct x86_rm mask = bytes == 16 ? rm_reg(reg) : vec_const(e, (enum vec_constant)low[bytes], 0);
    x86_vec(e->buf, 1, 2, 0, opcode, reg, X86_NO_SECOND, mask);
}

void vec_test_signs(struct emitter *e, bool is_64, unsigned reg, unsigned bytes)
{
    static const uint8_t signs[2][17] = {
        {[4] = VEC_SIGN32_LOW, [8] = VEC_SIGN32_PAIR, [16] = VEC_SIGN32},
        {[8] = VEC_SIGN64_LOW, [16] = VEC_SIGN64}};
    if (vec_legacy(e)) /* ptest */
        x86_vec(e->buf, 1, 2, 0, 0x17, reg, X86_NO_SECOND,
                vec_const(e, (enum vec_constant)signs[is_64][bytes], 0));
    else
        test_low(e, is_64 ? 0x0f : 0x0e, reg, bytes);
}

void vec_saturated_unless_zero(struct emitter *e)
{
    struct cold *c = cold_add(e, COLD_SATURATED, x86_jcc(e->buf, CC_NE));
    c->resume = e->buf->at;
}

void vec_saturated_if(struct emitter *e, unsigned reg, unsigned bytes)
{
    test_low(e, 0x17, reg, bytes);
    vec_saturated_unless_zero(e);
}

void vec_saturated_if_signs(struct emitter *e, unsigned z, unsigned reg, unsigned bytes)
{
    vec_test_signs(e, z == 3, reg, bytes);
    vec_saturated_unless_zero(e);
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
        vec_ones(e, 0);
        d = 0;
    } else {
        if (o->x) {
            vec_fill(e, d, (uint64_t)o->imm);
        } else {
            x86_movi(e->buf, RAX, (uint64_t)o->imm);
            x86_vec(e->buf, 1, 1, 1, 0x6e, d, X86_NO_SECOND, rm_reg(RAX)); /* vmovq */
        }
    }
    vec_done(e, o->d, d);
}

/* General register d = element x of `size` bytes, extended to o->type. */
void emit_VTOG(struct emitter *e, const struct ir_op *o)
{
    struct x86_buf *b = e->buf;
    struct x86_rm from = vec_rm(e, o->a);
    unsigned d = set_reg(e, o->d, RAX), width = op_width(o);
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

/* V[d] = general register a of `size` bytes (2, 4, 8) in the low element, zero above. */
void emit_VFROMG(struct emitter *e, const struct ir_op *o)
{
    unsigned d = vec_dest(e, o->d, 0);
    unsigned a = use_reg(e, o->a, RAX, o->size);
    if (o->size == 2) {
        x86_zext(e->buf, 2, RAX, rm_reg(a));
        a = RAX;
    }
    x86_vec(e->buf, 1, 1, o->size == 8, 0x6e, d, X86_NO_SECOND, rm_reg(a));
    vec_done(e, o->d, d);
}

/* All lanes of 1 << y bytes = general register a. */
void emit_VDUPG(struct emitter *e, const struct ir_op *o)
{
    unsigned d = vec_dest(e, o->d, 0), a = use_reg(e, o->a, RAX, 8);
    if (vec_wide(e)) { /* vpbroadcast from a general register */
        x86_evex(e->buf, 1, 2, o->y == 3, o->y < 2 ? 0x7a + o->y : 0x7c, d, X86_NO_SECOND,
                 rm_reg(a));
    } else {
        x86_vec(e->buf, 1, 1, o->y == 3, 0x6e, 0, X86_NO_SECOND, rm_reg(a));
        vec_spread(e, o->y, d, 0, 0);
    }
    vec_finish(e, o, d);
}
