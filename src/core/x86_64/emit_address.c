/* emit_address.c: where a guest load or store goes to: through the software TLB, or (user mode)
 * directly.
 *
 * User mode: the guest's address is the operand. Such an access does not disturb EFLAGS.
 *
 * The bank in use lies at the base of GS, so a lookup is
 *     lea  rax, [base + disp]            (skipped where the base register is the address)
 *     rorx ecx, eax, 7 ; and ecx, index mask          entry offset
 *     lea  rdx, [address + size - 1] ; and rdx, -4096  page of the last byte
 *     cmp  rdx, gs:[rcx + tag] ; jne cold
 *     add  rax, gs:[rcx + addend]
 * The last byte's page must equal the entry's, which was chosen by the first byte's: an access that
 * crosses pages misses. Accesses that must be aligned keep the low address bits in the comparison.
 * A miss goes to stubs.miss, which fills the bank, and comes back to the RORX; faults, MMIO and
 * crossing go on to the interpreter for this one instruction.
 *
 * SP as a base must be a multiple of 16. The first access by it looks up whole blocks of 16 bytes,
 * which lie in one page if SP is one, and keeps the low bits of the last block's address in the
 * comparison: so that check costs nothing. Once seen SP stays aligned while only multiples are
 * added.
 *
 * Shared checks (ir/share.c): a leader looks up its whole range, and stores what it adds in a slot
 * of the CPU struct, from which followers load it. Where the address has an index they share it
 * whole, and the slot has the host address. While a unit runs no mapping that it used can go:
 * maintenance by other CPUs waits until this one leaves the unit, or calls the interpreter for an
 * access, which might wait for something and serve them, or has not looked anything up. So between
 * leader and last follower (IR_SHARE_WITHIN) the interpreter is not returned from to the unit, but
 * to where the next instruction begins one. A leader's range over a page's end needs no
 * interpreter: the unit is left for one in which each access looks up its own (EMIT_EXIT_ALONE).
 */
#include "core/x86_64/emit_int.h"

#include <assert.h>

static int32_t tag_offset(enum a64_access access)
{
    return access == A64_READ    ? (int32_t)offsetof(struct a64_tlb_entry, read)
           : access == A64_WRITE ? (int32_t)offsetof(struct a64_tlb_entry, write)
                                 : (int32_t)offsetof(struct a64_tlb_entry, exec);
}

static_assert(sizeof(struct a64_tlb_entry) == 32, "the index shift below");

/* The virtual address as an operand, of whatever form x86 has for it. */
static struct x86_rm operand(struct emitter *e, const struct ir_op *o)
{
    if (o->b == IR_NO_INDEX) {
        if (o->a != IR_PAGE)
            return rm_mem(use_held(e, o->a, RAX, o->op == IR_LOAD ? HELD_ALL : HELD_NOT_RDX),
                          (int32_t)o->imm);
        page_address(e, RAX, e->request->user ? o->imm : 0);
        return rm_mem(RAX, e->request->user ? 0 : (int32_t)o->imm);
    }
    unsigned index = RCX, kind = IR_MOD_KIND(o->mod);
    if (kind == IR_MOD_UXTW)
        x86_zext(e->buf, 4, RCX, loc(e, o->b));
    else if (kind == IR_MOD_SXTW)
        x86_sext(e->buf, 4, 8, RCX, loc(e, o->b));
    else
        index = use_reg(e, o->b, RCX, 8);
    unsigned scale = 1u << IR_MOD_AMOUNT(o->mod);
    unsigned base = use_reg(e, o->a, RAX, 8);
    if (scale <= 8)
        return rm_index(base, index, scale, 0);
    x86_lea(e->buf, 8, RDX, rm_index(index, index, 1, 0)); /* 16-byte elements */
    return rm_index(base, RDX, 8, 0);
}

/* rax or the base register = the virtual address. */
static unsigned virtual_address(struct emitter *e, const struct ir_op *o)
{
    struct x86_rm rm = operand(e, o);
    if (rm.index == X86_NONE && !rm.disp)
        return rm.base;
    x86_lea(e->buf, 8, RAX, rm);
    return RAX;
}

/* User mode: the operand itself. */
static struct x86_rm direct(struct emitter *e, const struct ir_op *o, unsigned size_bytes)
{
    if (!(o->flags & IR_ALIGNED) || size_bytes == 1)
        return operand(e, o);
    flags_clobber(e);
    unsigned va = virtual_address(e, o);
    x86_test_imm(e->buf, 1, rm_reg(va), (int32_t)size_bytes - 1);
    cold_add(e, COLD_INTERPRET, x86_jcc(e->buf, CC_NE));
    return rm_mem(va, 0);
}

/* SP is no base that a lookup sees to itself, or has an index. */
static void check_sp(struct emitter *e)
{
    x86_test_imm(e->buf, 1, loc(e, IR_SP), 15);
    cold_add(e, COLD_INTERPRET, x86_jcc(e->buf, CC_NE));
    e->sp_aligned = true;
}

/* The leader has looked this page up. */
static struct x86_rm follower(struct emitter *e, const struct ir_op *o)
{
    x86_load(e->buf, 8, RAX, share_slot(o->share & IR_SHARE_SLOT));
    if (o->b != IR_NO_INDEX)
        return rm_mem(RAX, 0);
    return rm_index(RAX, use_reg(e, o->a, RCX, 8), 1, (int32_t)o->imm);
}

/* What a lookup is about. */
struct lookup {
    struct ir_op start; /* the access, with imm of the first byte looked up */
    int32_t before;     /* how many bytes before the access that is */
    unsigned bytes;
    unsigned alignment;
};

static struct lookup lookup_of(struct emitter *e, const struct ir_op *o, unsigned size_bytes)
{
    enum { SP_ALIGNMENT = A64_REFILL_ALIGNMENT };
    struct lookup l = {.start = *o, .bytes = size_bytes, .alignment = 1};
    if (o->share & IR_SHARE_LEADER) {
        l.before = o->x;
        l.bytes = o->y;
    }
    if (o->flags & IR_ALIGNED)
        l.alignment = l.bytes;
    bool plain = o->b == IR_NO_INDEX && !(o->flags & IR_ALIGNED);
    if (o->a == IR_SP && !e->sp_aligned && plain) {
        int64_t first = o->imm - l.before;
        unsigned more = (unsigned)first % SP_ALIGNMENT;
        l.before += (int32_t)more;
        l.bytes = (l.bytes + more + SP_ALIGNMENT - 1) & -SP_ALIGNMENT;
        l.alignment = SP_ALIGNMENT;
        e->sp_aligned = true;
    } else if (o->a == IR_SP && !e->sp_aligned) {
        check_sp(e);
    }
    l.start.imm -= l.before;
    return l;
}

/* rcx = offset of the entry in the bank, or with EL0's rights its address. */
static struct x86_rm look_up(struct emitter *e, const struct lookup *l, unsigned va,
                             enum a64_access access)
{
    struct x86_buf *b = e->buf;
    uint8_t *retry = b->at;
    x86_bits_from(b, e->request->host->bmi2, RCX, va, 7);
    x86_alu_imm(b, ALU_AND, 4, rm_reg(RCX), (A64_TLB_ENTRIES - 1) * 32);
    int32_t last = (int32_t)(l->bytes - l->alignment);
    if (last)
        x86_lea(b, 8, RDX, rm_mem(va, last));
    else
        x86_load(b, 8, RDX, rm_reg(va));
    x86_alu_imm(b, ALU_AND, 8, rm_reg(RDX), -4096 | (int32_t)(l->alignment - 1));
    bool unprivileged = l->start.flags & IR_UNPRIV; /* EL0's bank, not the one at GS */
    if (unprivileged)
        x86_alu(b, ALU_ADD, 8, RCX, rm_mem(RBP, EMIT_OFFSET(bank_unpriv)));
    struct x86_rm entry = unprivileged ? rm_mem(RCX, 0) : rm_gs(RCX, X86_NONE, 1, 0);
    x86_alu(b, ALU_CMP, 8, RDX, displaced(entry, tag_offset(access)));
    struct cold *c = cold_add(e, COLD_MISS, x86_jcc(b, CC_NE));
    c->retry = retry;
    c->va = (uint8_t)va;
    c->shared = l->start.share & IR_SHARE_LEADER ? (uint8_t)l->bytes : 0;
    c->how = a64_refill_how(access, l->bytes, l->alignment > 1, unprivileged);
    entry.disp = (int32_t)offsetof(struct a64_tlb_entry, addend);
    return entry;
}

struct x86_rm emit_address(struct emitter *e, enum a64_access access, unsigned size_bytes)
{
    const struct ir_op *o = e->op;
    struct x86_buf *b = e->buf;
    if (e->request->user)
        return direct(e, o, size_bytes);
    flags_clobber(e);
    if (o->share & IR_SHARE_FOLLOWER) {
        if (o->a == IR_SP && !e->sp_aligned)
            check_sp(e);
        return follower(e, o);
    }
    struct lookup l = lookup_of(e, o, size_bytes);
    unsigned va = virtual_address(e, &l.start);
    struct x86_rm addend = look_up(e, &l, va, o->share & IR_SHARE_WRITES ? A64_WRITE : access);
    struct x86_rm slot = share_slot(o->share & IR_SHARE_SLOT);
    bool leads = o->share & IR_SHARE_LEADER;
    if (leads && o->b == IR_NO_INDEX) {
        x86_load(b, 8, RCX, addend);
        x86_store(b, 8, slot, RCX);
        return rm_index(RCX, va, 1, l.before);
    }
    if (va == RAX) {
        x86_alu(b, ALU_ADD, 8, RAX, addend);
        if (leads)
            x86_store(b, 8, slot, RAX);
        return rm_mem(RAX, l.before);
    }
    x86_load(b, 8, RAX, addend);
    return rm_index(RAX, va, 1, l.before);
}
