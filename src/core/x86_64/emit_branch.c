/* emit_branch.c: ways out of a unit, plain state accesses, and the call to the interpreter.
 *
 * A target in the running page is a patchable jump (struct emit_exit); in user mode one in any page
 * is. In machines one in another page goes through the bank's jump cache, since which code lies
 * there depends on the address space; so do indirect branches. There one translation serves every
 * address the page is mapped at: code_page in the CPU struct holds it. In user mode it is a
 * constant of the unit, noted for the store, whose units serve at other addresses.
 *
 * BL and BLR are calls of the host, and RET returns, so that the host predicts where to: the stack
 * has the guest's return address beside the host's (translator/returns.h), and a return to another
 * one goes through the jump cache. Nothing else is on that stack. In machines the caller sets
 * code_page again, from the guest's return address.
 *
 * The poll word is tested at calls back, at indirect branches and at jumps back to other pages;
 * backward branches count down a budget, which is taken away when the poll word is set. Where it is
 * spent is a sample of which loops are hot. Machines' calls compare the stack pointer with how far
 * down it may go, which is nowhere when the poll word is set.
 */
#include "core/x86_64/emit_int.h"

#include <assert.h>

static_assert(sizeof(struct a64_jump) == 16, "the scale below");

static bool in_page(int64_t target)
{
    return target >= 0 && target < 4096;
}

/* To memory before the unit is left for good. */
static void save_for_exit(struct emitter *e, const struct ir_op *o)
{
    if (e->flags != FLAGS_NONE && !e->flags_in_memory && !(o->flags & IR_FLAGS_DEAD_OUT))
        flags_save(e, e->flags);
    e->flags = FLAGS_NONE;
}

/* At a back edge: returns the displacement of a jump that is taken when the budget is spent. */
static uint8_t *spend(struct x86_buf *b)
{
    x86_alu_imm(b, ALU_SUB, 4, rm_mem(RBP, EMIT_OFFSET(signals.budget)), 1);
    return x86_jcc(b, CC_S);
}

/* A set word is all ones, and rbp no multiple of 4 GiB: unlike CMP of memory with an immediate,
 * this TEST and its jump are one operation of the host. */
uint8_t *emit_poll(struct x86_buf *b)
{
    x86_test(b, 4, rm_mem(RBP, EMIT_OFFSET(signals.poll)), RBP);
    return x86_jcc(b, CC_NE);
}

/* Whether it is a constant of 31 bits. */
static bool is_low(const struct emitter *e, uint64_t address)
{
    return e->request->user && e->request->page <= INT32_MAX && address <= INT32_MAX;
}

bool store_page_address(struct emitter *e, struct x86_rm to, int64_t offset)
{
    uint64_t address = e->request->page + (uint64_t)offset;
    if (!is_low(e, address))
        return false;
    x86_store_imm(e->buf, 8, to, (int32_t)address);
    x86_note_fixup(e->buf, e->buf->at - 4, X86_FIXUP_PAGE32);
    return true;
}

void page_address(struct emitter *e, unsigned reg, int64_t offset)
{
    struct x86_buf *b = e->buf;
    uint64_t address = e->request->page + (uint64_t)offset;
    if (!e->request->user) {
        x86_load(b, 8, reg, rm_mem(RBP, EMIT_OFFSET(code_page)));
        if (offset != (int32_t)offset) {
            x86_movi(b, RCX, (uint64_t)offset);
            x86_lea(b, 8, reg, rm_index(reg, RCX, 1, 0));
        } else if (offset) {
            x86_lea(b, 8, reg, rm_mem(reg, (int32_t)offset));
        }
    } else if (is_low(e, address)) {
        x86_movi(b, reg, address);
        x86_note_fixup(b, b->at - 4, X86_FIXUP_PAGE32);
    } else {
        x86_note_fixup(b, x86_movi64(b, reg, address), X86_FIXUP_PAGE64);
    }
}

void page_place(struct emitter *e, unsigned reg, int32_t offset)
{
    if (e->request->user)
        page_address(e, reg, offset);
    else
        x86_movi(e->buf, reg, (uint64_t)(int64_t)offset);
}

/* rax = virtual address; it stays there. Returns the displacement of a jump that is taken where the
 * jump cache has another one; else cached_code() is what to jump to. */
static uint8_t *look_in_jump_cache(struct x86_buf *b, bool user)
{
    size_t va = offsetof(struct a64_tlb_bank, jumps) + offsetof(struct a64_jump, va);
    x86_load(b, 4, RCX, rm_reg(RAX));
    if (user)
        x86_alu(b, ALU_AND, 4, RCX, rm_mem(RBP, EMIT_OFFSET(jump_mask)));
    else
        x86_alu_imm(b, ALU_AND, 4, rm_reg(RCX), (A64_JUMPS - 1) * 4);
    x86_alu(b, ALU_CMP, 8, RAX, rm_gs(X86_NONE, RCX, 4, (int32_t)va));
    return x86_jcc(b, CC_NE);
}

static struct x86_rm cached_code(void)
{
    size_t code = offsetof(struct a64_tlb_bank, jumps) + offsetof(struct a64_jump, code);
    return rm_gs(X86_NONE, RCX, 4, (int32_t)code);
}

/* Where a jump goes on that the jump cache does not know. */
static const uint8_t *jump_miss(bool user, const struct emit_stubs *stubs)
{
    return user ? stubs->lookup : stubs->find;
}

/* Machines: the page of the address in `reg`, which is overwritten, is the running one. */
static void set_code_page(struct x86_buf *b, unsigned reg)
{
    x86_alu_imm(b, ALU_AND, 8, rm_reg(reg), -4096);
    x86_store(b, 8, rm_mem(RBP, EMIT_OFFSET(code_page)), reg);
}

void emit_poll_and_jump_to_rax(struct x86_buf *b, bool user, const struct emit_stubs *stubs)
{
    x86_patch(b, emit_poll(b), stubs->lookup);
    x86_patch(b, look_in_jump_cache(b, user), jump_miss(user, stubs));
    if (!user)
        set_code_page(b, RAX);
    x86_jmp_rm(b, cached_code());
}

/* Whether a jump to this page offset can be an exit. */
static bool can_link(const struct emitter *e, int64_t target)
{
    return (in_page(target) || e->request->user) && e->result->exit_count < EMIT_EXITS_MAX;
}

/* The exit to `target` (page offset) whose displacement is at `site`. */
static struct cold *add_exit(struct emitter *e, uint8_t *site, int64_t target)
{
    int n = (int)e->result->exit_count++;
    e->result->exits[n] = (struct emit_exit){.site = site, .target = (int32_t)target};
    if (in_page(target))
        e->targets[target / 256] |= 1ull << target / 4 % 64;
    struct cold *c = cold_add(e, COLD_EXIT, site);
    c->exit = n;
    return c;
}

void emit_leave_alone(struct emitter *e, int32_t target)
{
    x86_align_site(e->buf, 1);
    add_exit(e, x86_jmp(e->buf), target | EMIT_EXIT_ALONE);
}

/* Before a call in a machine: returns the displacement of a jump that is taken where the stack is
 * full, or the run loop wants the CPU. */
static uint8_t *look_for_room(struct x86_buf *b)
{
    x86_alu(b, ALU_CMP, 8, RSP, rm_mem(RBP, EMIT_OFFSET(signals.returns_limit)));
    return x86_jcc(b, CC_B);
}

/* A jump, or a call, to `target`, and a poll before it where that lies behind. */
static void jump_or_call(struct emitter *e, int64_t target, bool call)
{
    struct x86_buf *b = e->buf;
    uint8_t *polled = NULL;
    if (call && !e->request->user)
        polled = look_for_room(b);
    else if (target <= e->offset)
        polled = call ? emit_poll(b) : spend(b);
    if (call)
        x86_push(b, loc(e, 30));
    x86_align_site(b, 1);
    uint8_t *site = call ? x86_call(b) : x86_jmp(b);
    add_exit(e, site, target)->poll = polled;
}

/* Machines: code_page of a jump to this page offset. */
static void move_code_page(struct x86_buf *b, int64_t target)
{
    int64_t distance = target & -4096;
    if (distance)
        x86_alu_imm(b, ALU_ADD, 8, rm_mem(RBP, EMIT_OFFSET(code_page)), (int32_t)distance);
}

void emit_leave_to(struct emitter *e, int64_t target)
{
    if (can_link(e, target)) {
        jump_or_call(e, target, false);
        return;
    }
    struct x86_buf *b = e->buf;
    const struct emit_stubs *stubs = e->request->stubs;
    page_address(e, RAX, target);
    if (e->request->user) {
        emit_poll_and_jump_to_rax(b, true, stubs);
        return;
    }
    if (target <= e->offset)
        x86_patch(b, emit_poll(b), stubs->lookup);
    x86_patch(b, look_in_jump_cache(b, false), stubs->find);
    move_code_page(b, target);
    x86_jmp_rm(b, cached_code());
}

/* Leaves to o->imm if host condition cc holds, else falls through. */
static void side_exit(struct emitter *e, const struct ir_op *o, enum x86_cc cc)
{
    if (region_branch(e, o, cc))
        return;
    bool save = e->flags != FLAGS_NONE && !e->flags_in_memory && !(o->flags & IR_FLAGS_DEAD_OUT);
    bool direct = o->imm > e->offset && can_link(e, o->imm);
    if (direct) {
        x86_align_site(e->buf, 2);
        add_exit(e, x86_jcc(e->buf, cc), o->imm)->save = save ? e->flags : FLAGS_NONE;
        return;
    }
    /* around an inline way out, which is short but for some forms of it */
    enum flags_kind flags = e->flags;
    bool near = can_link(e, o->imm) && flags != FLAGS_FP && flags != FLAGS_FP_REVERSED;
    uint8_t *skip = near ? x86_jcc_short(e->buf, cc ^ 1) : x86_jcc(e->buf, cc ^ 1);
    save_for_exit(e, o);
    emit_leave_to(e, o->imm);
    if (near)
        x86_patch_short(e->buf, skip);
    else
        x86_patch(e->buf, skip, e->buf->at);
    e->flags = flags;
}

void emit_BCC(struct emitter *e, const struct ir_op *o)
{
    side_exit(e, o, flags_condition(e, o->x));
    if (e->behind_branch)
        x86_patch(e->buf, e->behind_branch, e->buf->at);
    e->behind_branch = NULL;
}

bool can_branch_ahead(const struct emitter *e, const struct ir_op *branch)
{
    if (e->region)
        return ir_label_of(&e->region->labels, branch->imm);
    return branch->imm > e->offset + 4 && can_link(e, branch->imm);
}

void branch_ahead(struct emitter *e, const struct ir_op *branch, enum x86_cc cc)
{
    if (region_branch(e, branch, cc))
        return;
    x86_align_site(e->buf, 2);
    add_exit(e, x86_jcc(e->buf, cc), branch->imm);
}

/* The test overwrites EFLAGS, so NZCV is saved before it if anyone, the exit included, reads it. */
static void flags_before_test(struct emitter *e, const struct ir_op *o)
{
    if (e->flags != FLAGS_NONE && !e->flags_in_memory &&
        ((o->flags & IR_FLAGS_LIVE) || !(o->flags & IR_FLAGS_DEAD_OUT)))
        flags_save(e, e->flags);
    e->flags_in_memory |= e->flags != FLAGS_NONE;
    e->flags = FLAGS_NONE;
}

/* Of the zero register: CBZ and TBZ always leave, CBNZ and TBNZ never. */
static void on_constant(struct emitter *e, const struct ir_op *o, bool leaves)
{
    if (!leaves)
        return;
    flags_before_test(e, o);
    x86_alu(e->buf, ALU_CMP, 4, RAX, rm_reg(RAX));
    side_exit(e, o, CC_E);
}

static void on_zero(struct emitter *e, const struct ir_op *o, enum x86_cc cc)
{
    unsigned width = op_width(o);
    if (o->a == IR_ZERO) {
        on_constant(e, o, cc == CC_E);
        return;
    }
    flags_before_test(e, o);
    struct x86_rm a = use_operand(e, o->a);
    if (a.is_reg)
        x86_test(e->buf, width, a, a.base);
    else
        x86_alu_imm(e->buf, ALU_CMP, width, a, 0);
    side_exit(e, o, cc);
}

void emit_CBZ(struct emitter *e, const struct ir_op *o)
{
    on_zero(e, o, CC_E);
}

void emit_CBNZ(struct emitter *e, const struct ir_op *o)
{
    on_zero(e, o, CC_NE);
}

static void on_bit(struct emitter *e, const struct ir_op *o, bool set)
{
    if (o->a == IR_ZERO) {
        on_constant(e, o, !set);
        return;
    }
    flags_before_test(e, o);
    struct x86_rm a = use_operand(e, o->a);
    if (o->x < 7) {
        x86_test_imm(e->buf, 1, a, 1 << o->x);
    } else if (o->x < 31) {
        x86_test_imm(e->buf, 4, a, 1 << o->x);
    } else {
        x86_op(e->buf, 0, 0x0fba, 8, 4, a); /* bt */
        x86_byte(e->buf, o->x);
        side_exit(e, o, set ? CC_B : CC_AE);
        return;
    }
    side_exit(e, o, set ? CC_NE : CC_E);
}

void emit_TBZ(struct emitter *e, const struct ir_op *o)
{
    on_bit(e, o, false);
}

void emit_TBNZ(struct emitter *e, const struct ir_op *o)
{
    on_bit(e, o, true);
}

/* Whether o, a call, can be one of the host, with an exit to where it returns to. */
static bool calls(const struct emitter *e, const struct ir_op *o)
{
    return o->flags & IR_CALL && e->result->exit_count + 2 <= EMIT_EXITS_MAX &&
           (e->request->user || in_page(e->offset + 4));
}

/* Behind a call: drops the guest's address. A jump on, not the code itself: when that changes while
 * the function runs, the jump is pointed back. */
static void go_on_returned(struct emitter *e)
{
    x86_pop(e->buf, RCX);
    if (!e->request->user)
        set_code_page(e->buf, RCX);
    emit_leave_to(e, e->offset + 4);
}

/* Calls what the jump cache knows for rax; the guest's return address is in X30. */
static void call_cached(struct emitter *e, struct cold *miss)
{
    x86_push(e->buf, loc(e, 30));
    x86_call_rm(e->buf, cached_code());
    miss->resume = e->buf->at;
    go_on_returned(e);
}

/* Machines: calls another page, by the jump cache. */
static void call_other_page(struct emitter *e, int64_t target)
{
    struct x86_buf *b = e->buf;
    page_address(e, RAX, target);
    x86_patch(b, look_for_room(b), e->request->stubs->lookup);
    struct cold *c = cold_add(e, COLD_CALL, look_in_jump_cache(b, false));
    move_code_page(b, target);
    call_cached(e, c);
}

void emit_JUMP(struct emitter *e, const struct ir_op *o)
{
    save_for_exit(e, o);
    if (region_jump(e, o))
        return;
    region_part(e);
    if (!calls(e, o)) {
        emit_leave_to(e, o->imm);
    } else if (can_link(e, o->imm)) {
        jump_or_call(e, o->imm, true);
        go_on_returned(e);
    } else {
        call_other_page(e, o->imm);
    }
}

/* rax = address of the function. */
static void call_rax(struct emitter *e)
{
    struct x86_buf *b = e->buf;
    bool user = e->request->user;
    x86_patch(b, user ? emit_poll(b) : look_for_room(b), e->request->stubs->lookup);
    struct cold *c = cold_add(e, COLD_CALL, look_in_jump_cache(b, user));
    if (!user)
        set_code_page(b, RAX);
    call_cached(e, c);
}

/* To X30, which has a register. Needs no poll: without a branch back, a jump through the cache or a
 * call to below, of which each polls, matching calls and returns come to an end. (In a machine
 * what ends them is that each call finds less room on the stack, or polls.) */
static void return_by_link(struct emitter *e)
{
    x86_alu(e->buf, ALU_CMP, 8, emit_gpr[30], rm_mem(RSP, 8));
    x86_jcc_to(e->buf, CC_NE, e->request->stubs->return_miss);
    x86_ret(e->buf);
}

void emit_JUMPR(struct emitter *e, const struct ir_op *o)
{
    save_for_exit(e, o);
    if (o->flags & IR_RETURN && o->a == 30) {
        region_part(e);
        return_by_link(e);
        return;
    }
    x86_load(e->buf, 8, RAX, rm_reg(use_reg(e, o->a, RAX, 8)));
    region_part(e);
    if (calls(e, o))
        call_rax(e);
    else
        emit_poll_and_jump_to_rax(e->buf, e->request->user, e->request->stubs);
}

/* The run loop executes the instruction at this offset itself. */
void emit_LEAVE(struct emitter *e, const struct ir_op *o)
{
    save_for_exit(e, o);
    region_part(e);
    page_place(e, RAX, (int32_t)o->imm);
    x86_movi(e->buf, RCX, o->x ? EMIT_TAG_SVC : EMIT_TAG_STEP);
    x86_jmp_to(e->buf, e->request->stubs->exit);
}

void call_interpreter(struct emitter *e, uint32_t raw, int32_t offset)
{
    x86_movi(e->buf, RDX, raw);
    page_place(e, RCX, offset);
    const uint8_t *within = e->region ? e->region->interpret : NULL;
    if (within)
        patch_across(e, x86_call(e->buf), within);
    else
        x86_call_to(e->buf, e->request->stubs->interpret);
}

void emit_INTERPRET(struct emitter *e, const struct ir_op *o)
{
    if (o->flags & IR_SAFE) {
        flags_clobber(e);
    } else {
        if (e->flags != FLAGS_NONE && !e->flags_in_memory)
            flags_save(e, e->flags);
        e->flags_in_memory = true;
        e->flags = FLAGS_NONE;
    }
    e->sp_aligned = false;
    call_interpreter(e, e->raw, e->offset);
}

/* Lines that rose while masked are looked at when the mask goes: the poll word was spent on them.
 */
static void leave_if_line(struct emitter *e, const struct ir_op *o)
{
    x86_alu_imm(e->buf, ALU_CMP, 4, rm_mem(RBP, EMIT_OFFSET(signals.lines)), 0);
    struct cold *c = cold_add(e, COLD_POLL, x86_jcc(e->buf, CC_NE));
    c->offset = (int32_t)o->imm;
}

/* NZCV must be in memory where the unit may be left and where AND and OR overwrite EFLAGS. */
static void flags_to_memory(struct emitter *e)
{
    if (e->flags != FLAGS_NONE && !e->flags_in_memory && (e->op->flags & IR_FLAGS_LIVE))
        flags_save(e, e->flags);
    e->flags_in_memory |= e->flags != FLAGS_NONE;
    e->flags = FLAGS_NONE;
}

void emit_GETDAIF(struct emitter *e, const struct ir_op *o)
{
    flags_to_memory(e);
    x86_zext(e->buf, 1, RAX, rm_mem(RBP, EMIT_OFFSET(daif)));
    x86_shift_imm(e->buf, SH_SHL, 4, rm_reg(RAX), 6);
    set_done(e, o->d, RAX);
}

void emit_SETDAIF(struct emitter *e, const struct ir_op *o)
{
    flags_to_memory(e);
    x86_load(e->buf, 4, RAX, rm_reg(use_reg(e, o->a, RAX, 4)));
    x86_shift_imm(e->buf, SH_SHR, 4, rm_reg(RAX), 6);
    x86_alu_imm(e->buf, ALU_AND, 4, rm_reg(RAX), 15);
    x86_store(e->buf, 1, rm_mem(RBP, EMIT_OFFSET(daif)), RAX);
    leave_if_line(e, o);
}

void emit_DAIFSET(struct emitter *e, const struct ir_op *o)
{
    flags_to_memory(e);
    x86_alu_imm(e->buf, ALU_OR, 1, rm_mem(RBP, EMIT_OFFSET(daif)), o->x);
}

void emit_DAIFCLR(struct emitter *e, const struct ir_op *o)
{
    flags_to_memory(e);
    x86_alu_imm(e->buf, ALU_AND, 1, rm_mem(RBP, EMIT_OFFSET(daif)), (uint8_t)~o->x);
    leave_if_line(e, o);
}

void emit_GETSTATE(struct emitter *e, const struct ir_op *o)
{
    unsigned d = set_reg(e, o->d, RAX);
    x86_load(e->buf, op_width(o), d, rm_mem(RBP, (int32_t)o->imm - EMIT_BIAS));
    if (d == RAX)
        set_done(e, o->d, RAX);
}

void emit_SETSTATE(struct emitter *e, const struct ir_op *o)
{
    if (o->a == IR_ZERO)
        x86_store_imm(e->buf, 8, rm_mem(RBP, (int32_t)o->imm - EMIT_BIAS), 0);
    else
        x86_store(e->buf, 8, rm_mem(RBP, (int32_t)o->imm - EMIT_BIAS), use_reg(e, o->a, RAX, 8));
}
