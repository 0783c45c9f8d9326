/* emit_memory.c: guest loads and stores, exclusive and atomic ones among them; where they go to
 * says emit_address.c.
 *
 * Where an access faults in user mode the interpreter repeats the instruction (emit_fault), so
 * nothing of it may have happened: a register that the address needs is loaded last.
 *
 * Ordering: x86-TSO gives every load acquire and every store release semantics; only a
 * store-release followed by a load-acquire (both RCsc on Arm) needs more, so STLR is an XCHG.
 */
#include "core/x86_64/emit_int.h"

#include <assert.h>

static void load_to(struct emitter *e, unsigned d, struct x86_rm from, unsigned size,
                    bool is_signed, unsigned width, unsigned scratch)
{
    unsigned reg = set_reg(e, d, scratch);
    if (is_signed)
        x86_sext(e->buf, size, width, reg, from);
    else
        x86_zext(e->buf, size, reg, from);
    if (reg == scratch)
        set_done(e, d, scratch);
}

/* Two registers side by side in memory: a pair of them moves by a vector register. Not where one
 * was just stored alone: the host would wait until that is in its cache. */
static bool is_memory_pair(const struct emitter *e, const struct ir_op *o, bool stores)
{
    return o->size == 8 && o->c == o->d + 1 && o->c < IR_ZERO && !loc(e, o->d).is_reg &&
           !loc(e, o->c).is_reg && !(stores && e->stored_alone >> o->d & 3);
}

static void move_pair(struct emitter *e, struct x86_rm to, struct x86_rm from)
{
    x86_vec(e->buf, 2, 1, 0, 0x6f, 0, X86_NO_SECOND, from); /* vmovdqu xmm0 */
    x86_vec(e->buf, 2, 1, 0, 0x7f, 0, X86_NO_SECOND, to);
}

/* A load writes the base register of the address only through RAX/RDX, so `rm` stays good for the
 * second half of a pair unless the first destination is its index. */
void emit_LOAD(struct emitter *e, const struct ir_op *o)
{
    struct x86_rm rm = emit_address(e, A64_READ, o->size);
    /* the base stays where it may be known to be */
    unsigned scratch = e->request->user && rm.base != RAX ? RAX : RDX;
    load_to(e, o->d, rm, o->size, o->flags & IR_SIGNED, op_width(o), scratch);
}

void emit_LOADP(struct emitter *e, const struct ir_op *o)
{
    struct x86_rm rm = emit_address(e, A64_READ, o->size * 2u);
    bool is_signed = o->flags & IR_SIGNED;
    if (is_memory_pair(e, o, false)) {
        move_pair(e, loc(e, o->d), rm);
        return;
    }
    if (o->d == o->a) {
        load_to(e, o->c, displaced(rm, o->size), o->size, is_signed, op_width(o), RDX);
        load_to(e, o->d, rm, o->size, is_signed, op_width(o), RDX);
        return;
    }
    load_to(e, o->d, rm, o->size, is_signed, op_width(o), RDX);
    load_to(e, o->c, displaced(rm, o->size), o->size, is_signed, op_width(o), RDX);
}

static void store_from(struct emitter *e, unsigned v, struct x86_rm to, unsigned size)
{
    if (v == IR_ZERO)
        x86_store_imm(e->buf, size, to, 0);
    else
        x86_store(e->buf, size, to, use_held(e, v, RDX, HELD_ALL));
}

void emit_STORE(struct emitter *e, const struct ir_op *o)
{
    struct x86_rm rm = emit_address(e, A64_WRITE, o->size);
    if (o->flags & IR_ORDERED) {
        unsigned v = use_reg(e, o->c, RDX, 8);
        x86_load(e->buf, 8, RDX, rm_reg(v));
        x86_op(e->buf, 0, o->size == 1 ? 0x86 : 0x87, o->size, RDX, rm); /* xchg */
        return;
    }
    store_from(e, o->c, rm, o->size);
}

void emit_STOREP(struct emitter *e, const struct ir_op *o)
{
    struct x86_rm rm = emit_address(e, A64_WRITE, o->size * 2u);
    if (is_memory_pair(e, o, true)) {
        move_pair(e, rm, loc(e, o->d));
        return;
    }
    store_from(e, o->d, rm, o->size);
    store_from(e, o->c, displaced(rm, o->size), o->size);
}

/* --- vector registers ----------------------------------------------------------------------------
 */

static struct x86_rm vmem(unsigned v)
{
    return rm_mem(RBP, EMIT_OFFSET(v) + (int32_t)v * 16);
}

/* Scalar moves zero the rest of the vector register, as Arm's loads do. */
static void vload_to(struct emitter *e, unsigned v, struct x86_rm from, unsigned size)
{
    unsigned pinned = emit_xmm(e->request->host, v);
    unsigned d = pinned == X86_NO_XMM ? 0 : pinned;
    switch (size) {
    case 16:
        x86_vec(e->buf, 2, 1, 0, 0x6f, d, X86_NO_SECOND, from);
        break; /* vmovdqu */
    case 8:
        x86_vec(e->buf, 2, 1, d >= 16, 0x7e, d, X86_NO_SECOND, from);
        break; /* vmovq */
    case 4:
        x86_vec(e->buf, 1, 1, 0, 0x6e, d, X86_NO_SECOND, from);
        break; /* vmovd */
    default:
        x86_zext(e->buf, size, RDX, from);
        x86_vec(e->buf, 1, 1, 0, 0x6e, d, X86_NO_SECOND, rm_reg(RDX));
        break;
    }
    if (pinned == X86_NO_XMM)
        x86_vec(e->buf, 2, 1, 0, 0x7f, 0, X86_NO_SECOND, vmem(v));
}

static void vstore_from(struct emitter *e, unsigned v, struct x86_rm to, unsigned size)
{
    unsigned s = emit_xmm(e->request->host, v);
    if (s == X86_NO_XMM) {
        s = 0;
        x86_vec(e->buf, 2, 1, 0, 0x6f, 0, X86_NO_SECOND, vmem(v));
    }
    switch (size) {
    case 16:
        x86_vec(e->buf, 2, 1, 0, 0x7f, s, X86_NO_SECOND, to);
        break;
    case 8:
        x86_vec(e->buf, 1, 1, s >= 16, 0xd6, s, X86_NO_SECOND, to);
        break;
    case 4:
        x86_vec(e->buf, 1, 1, 0, 0x7e, s, X86_NO_SECOND, to);
        break;
    default:
        x86_vec(e->buf, 1, 1, 0, 0x7e, s, X86_NO_SECOND, rm_reg(RDX));
        x86_store(e->buf, size, to, RDX);
        break;
    }
}

void emit_VLOAD(struct emitter *e, const struct ir_op *o)
{
    vload_to(e, o->d, emit_address(e, A64_READ, o->size), o->size);
}

void emit_VSTORE(struct emitter *e, const struct ir_op *o)
{
    vstore_from(e, o->c, emit_address(e, A64_WRITE, o->size), o->size);
}

void emit_VLOADP(struct emitter *e, const struct ir_op *o)
{
    struct x86_rm rm = emit_address(e, A64_READ, o->size * 2u);
    vload_to(e, o->d, rm, o->size);
    vload_to(e, o->c, displaced(rm, o->size), o->size);
}

void emit_VSTOREP(struct emitter *e, const struct ir_op *o)
{
    struct x86_rm rm = emit_address(e, A64_WRITE, o->size * 2u);
    vstore_from(e, o->d, rm, o->size);
    vstore_from(e, o->c, displaced(rm, o->size), o->size);
}

/* --- atomics -------------------------------------------------------------------------------------
 */

/* rcx = host address, out of the way of CMPXCHG's rax. */
static struct x86_rm atomic_address(struct emitter *e, const struct ir_op *o)
{
    flags_clobber(e);
    x86_lea(e->buf, 8, RCX, emit_address(e, A64_WRITE, o->size));
    return rm_mem(RCX, 0);
}

static void locked(struct emitter *e)
{
    x86_byte(e->buf, 0xf0);
}

/* d = zero-extended `reg` of o->size bytes. */
static void old_value(struct emitter *e, const struct ir_op *o, unsigned reg)
{
    if (o->d == IR_ZERO)
        return;
    if (o->size < 8)
        x86_zext(e->buf, o->size, reg, rm_reg(reg));
    set_done(e, o->d, reg);
}

/* rdx = op(rax, c): a combination that x86 has no locked instruction for. */
static void combine(struct emitter *e, const struct ir_op *o)
{
    struct x86_buf *b = e->buf;
    unsigned width = o->size < 4 ? 4 : o->size;
    struct x86_rm c = rm_reg(RDX);
    x86_load(b, 8, RDX, rm_reg(use_reg(e, o->c, RDX, 8)));
    switch (o->x) {
    case IR_ATOMIC_CLR:
        x86_unary(b, UN_NOT, width, c);
        x86_alu(b, ALU_AND, width, RDX, rm_reg(RAX));
        return;
    case IR_ATOMIC_EOR:
        x86_alu(b, ALU_XOR, width, RDX, rm_reg(RAX));
        return;
    case IR_ATOMIC_SET:
        x86_alu(b, ALU_OR, width, RDX, rm_reg(RAX));
        return;
    default:
        break;
    }
    /* compare at the operand's own size; rdx = rax unless c wins */
    static const uint8_t old_wins[] = {[IR_ATOMIC_SMAX] = CC_G,
                                       [IR_ATOMIC_SMIN] = CC_L,
                                       [IR_ATOMIC_UMAX] = CC_A,
                                       [IR_ATOMIC_UMIN] = CC_B};
    x86_alu(b, ALU_CMP, o->size, RAX, c);
    x86_op(b, 0, 0x0f40u | old_wins[o->x], width, RDX, rm_reg(RAX));
}

void emit_ATOMIC(struct emitter *e, const struct ir_op *o)
{
    struct x86_buf *b = e->buf;
    struct x86_rm at = atomic_address(e, o);
    if (o->x == IR_ATOMIC_ADD || o->x == IR_ATOMIC_SWAP) {
        x86_load(b, 8, RDX, rm_reg(use_reg(e, o->c, RDX, 8)));
        if (o->x == IR_ATOMIC_ADD) {
            locked(e);
            x86_op(b, 0, o->size == 1 ? 0x0fc0 : 0x0fc1, o->size, RDX, at); /* xadd */
        } else {
            x86_op(b, 0, o->size == 1 ? 0x86 : 0x87, o->size, RDX, at); /* xchg is locked */
        }
        old_value(e, o, RDX);
        return;
    }
    x86_load(b, o->size, RAX, at);
    const uint8_t *again = b->at;
    combine(e, o);
    locked(e);
    x86_op(b, 0, o->size == 1 ? 0x0fb0 : 0x0fb1, o->size, RDX, at); /* cmpxchg */
    x86_jcc_to(b, CC_NE, again);
    old_value(e, o, RAX);
}

void emit_CAS(struct emitter *e, const struct ir_op *o)
{
    struct x86_buf *b = e->buf;
    struct x86_rm at = atomic_address(e, o);
    x86_load(b, 8, RAX, rm_reg(use_reg(e, o->d, RAX, 8)));
    unsigned c = use_reg(e, o->c, RDX, 8);
    locked(e);
    x86_op(b, 0, o->size == 1 ? 0x0fb0 : 0x0fb1, o->size, c, at);
    old_value(e, o, RAX);
}

static void push(struct emitter *e, unsigned v)
{
    if (v == IR_ZERO) {
        x86_byte(e->buf, 0x6a); /* push 0 */
        x86_byte(e->buf, 0);
    } else {
        x86_op(e->buf, 0, 0xff, 4, 6, loc(e, v));
    }
}

static void pop_host(struct emitter *e, unsigned reg)
{
    x86_op(e->buf, 0, 0x8f, 4, 0, rm_reg(reg));
}

/* CMPXCHG16B wants RBX and, with the address, one register more than are free. By way of the stack
 * it does not matter which of the values live there. User mode leaves it to the interpreter: a
 * fault in the middle of this would find the stack pointer moved. */
void emit_CASP(struct emitter *e, const struct ir_op *o)
{
    struct x86_buf *b = e->buf;
    if (e->request->user || !e->request->host->cx16) {
        flags_clobber(e);
        e->sp_aligned = false;
        call_interpreter(e, e->raw, e->offset);
        return;
    }
    atomic_address(e, o);
    x86_op(b, 0, 0xff, 4, 6, rm_reg(RBX)); /* push */
    x86_op(b, 0, 0xff, 4, 6, rm_reg(RSI));
    push(e, o->y);
    push(e, o->c);
    push(e, o->x);
    push(e, o->d);
    x86_load(b, 8, RSI, rm_reg(RCX));
    pop_host(e, RAX);
    pop_host(e, RDX);
    pop_host(e, RBX);
    pop_host(e, RCX);
    locked(e);
    x86_op(b, 0, 0x0fc7, 8, 1, rm_mem(RSI, 0)); /* cmpxchg16b */
    pop_host(e, RSI);
    pop_host(e, RBX);
    set_done(e, o->d, RAX);
    set_done(e, o->x, RDX);
}

static_assert(offsetof(struct a64_cpu, excl_size) == offsetof(struct a64_cpu, excl_valid) + 1,
              "both are stored and compared as one word");

static int32_t monitor_armed(const struct ir_op *o)
{
    return o->size << 8 | 1;
}

/* The value is loaded before anything changes; the monitor's address is written before d, which may
 * be the base. */
void emit_LOADX(struct emitter *e, const struct ir_op *o)
{
    struct x86_buf *b = e->buf;
    flags_clobber(e);
    struct x86_rm at = emit_address(e, A64_READ, o->size);
    if (o->size < 8)
        x86_zext(b, o->size, RDX, at);
    else
        x86_load(b, 8, RDX, at);
    x86_store(b, 8, rm_mem(RBP, EMIT_OFFSET(excl_address)), use_reg(e, o->a, RCX, 8));
    x86_store(b, 8, rm_mem(RBP, EMIT_OFFSET(excl_value)), RDX);
    x86_store_imm(b, 2, rm_mem(RBP, EMIT_OFFSET(excl_valid)), monitor_armed(o));
    set_done(e, o->d, RDX);
}

/* A compare-and-swap against what the monitor saw. */
void emit_STOREX(struct emitter *e, const struct ir_op *o)
{
    struct x86_buf *b = e->buf;
    flags_clobber(e);
    x86_alu_imm(b, ALU_CMP, 2, rm_mem(RBP, EMIT_OFFSET(excl_valid)), monitor_armed(o));
    uint8_t *not_armed = x86_jcc(b, CC_NE);
    x86_alu(b, ALU_CMP, 8, use_reg(e, o->a, RAX, 8), rm_mem(RBP, EMIT_OFFSET(excl_address)));
    uint8_t *elsewhere = x86_jcc(b, CC_NE);
    struct x86_rm at = atomic_address(e, o);
    x86_load(b, 8, RAX, rm_mem(RBP, EMIT_OFFSET(excl_value)));
    if (o->c == IR_ZERO)
        x86_movi(b, RDX, 0);
    unsigned c = o->c == IR_ZERO ? RDX : use_reg(e, o->c, RDX, 8);
    locked(e);
    x86_op(b, 0, o->size == 1 ? 0x0fb0 : 0x0fb1, o->size, c, at);
    x86_op(b, 0, 0x0f90 | CC_NE, 1, 0, rm_reg(RAX)); /* setne */
    x86_zext(b, 1, RAX, rm_reg(RAX));
    uint8_t *tried = x86_jmp(b);
    x86_patch(b, not_armed, b->at);
    x86_patch(b, elsewhere, b->at);
    x86_movi(b, RAX, 1);
    x86_patch(b, tried, b->at);
    x86_store_imm(b, 1, rm_mem(RBP, EMIT_OFFSET(excl_valid)), 0);
    set_done(e, o->d, RAX);
}

/* 64 bytes of zero at the block that holds the address; the address is made block-aligned by
 * masking the host address, which keeps the guest's low 12 bits. */
void emit_ZVA(struct emitter *e, const struct ir_op *o)
{
    struct x86_buf *b = e->buf;
    flags_clobber(e);
    x86_lea(b, 8, RAX, emit_address(e, A64_WRITE, 1));
    x86_alu_imm(b, ALU_AND, 8, rm_reg(RAX), -64);
    x86_vec(b, 1, 1, 0, 0xef, 0, 0, rm_reg(0)); /* vpxor xmm0, xmm0, xmm0 */
    for (int32_t i = 0; i < 64; i += 16)
        x86_vec(b, 2, 1, 0, 0x7f, 0, X86_NO_SECOND, rm_mem(RAX, i));
}

/* DMB and DSB that order stores before loads: a locked no-op is cheaper than MFENCE. */
void emit_FENCE(struct emitter *e, const struct ir_op *o)
{
    flags_clobber(e);
    locked(e);
    x86_alu_imm(e->buf, ALU_OR, 4, rm_mem(RSP, 0), 0);
    if (!o->x || e->request->user)
        return;
    x86_alu_imm(e->buf, ALU_CMP, 1, rm_mem(RBP, EMIT_OFFSET(mailbox.awaited)), 0);
    struct cold *c = cold_add(e, COLD_STEP, x86_jcc(e->buf, CC_NE));
    c->offset = (int32_t)o->imm;
}
