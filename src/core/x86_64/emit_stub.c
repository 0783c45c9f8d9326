/* emit_stub.c: the code around all units: entering from C, leaving to C, calling the interpreter.
 *
 * Units have a stack of their own, for calls and returns alone (translator/returns.h); C code runs
 * on the thread's.
 */
#include "core/x86_64/emit_vec.h"

static const uint8_t saved[] = {RBX, RBP, R12, R13, R14, R15};

/* k7 = 1, k6 = 3: KXNORB and KSHIFTRB leave general registers alone. */
static void set_masks(struct x86_buf *b)
{
    x86_vec_256(b, 1, 1, 0x46, VEC_SCALAR_MASK, VEC_SCALAR_MASK, rm_reg(VEC_SCALAR_MASK));
    x86_vec(b, 1, 3, 0, 0x30, VEC_PAIR_MASK, X86_NO_SECOND, rm_reg(VEC_SCALAR_MASK));
    x86_byte(b, 6);
    x86_vec(b, 1, 3, 0, 0x30, VEC_SCALAR_MASK, X86_NO_SECOND, rm_reg(VEC_SCALAR_MASK));
    x86_byte(b, 7);
}

static void move_vectors(struct x86_buf *b, const struct hostcpu *host, bool to_struct)
{
    if (host->avx512vl && !to_struct)
        set_masks(b);
    for (unsigned v = 0; v < 32; v++) {
        unsigned xmm = emit_xmm(host, v);
        if (xmm != X86_NO_XMM) /* vmovdqa */
            x86_vec(b, 1, 1, 0, to_struct ? 0x7f : 0x6f, xmm, X86_NO_SECOND,
                    rm_mem(RBP, EMIT_OFFSET(v) + (int32_t)v * 16));
    }
}

/* Moves every pinned guest register between host register and CPU struct. */
static void move_pinned(struct x86_buf *b, const struct hostcpu *host, bool to_struct)
{
    for (unsigned v = 0; v < 32; v++) {
        if (emit_gpr[v] == X86_NONE)
            continue;
        struct x86_rm slot = rm_mem(RBP, EMIT_OFFSET(x) + (int32_t)v * 8);
        if (to_struct)
            x86_store(b, 8, slot, emit_gpr[v]);
        else
            x86_load(b, 8, emit_gpr[v], slot);
    }
    move_vectors(b, host, to_struct);
}

static void mxcsr(struct x86_buf *b, bool store)
{
    x86_op(b, 0, 0x0fae, 4, store ? 3 : 2, rm_mem(RBP, EMIT_OFFSET(host_mxcsr)));
}

/* Between the units' stack and the thread's. */
static void to_host_stack(struct x86_buf *b)
{
    x86_store(b, 8, rm_mem(RBP, EMIT_OFFSET(returns)), RSP);
    x86_load(b, 8, RSP, rm_mem(RBP, EMIT_OFFSET(host_sp)));
}

static void to_units_stack(struct x86_buf *b)
{
    x86_load(b, 8, RSP, rm_mem(RBP, EMIT_OFFSET(returns)));
}

enum { FRAME_BYTES = 8 };
static_assert((FRAME_BYTES + sizeof(saved) * 8 + 8) % 16 == 0,
              "aligned with the saved registers and the return address");

static const uint8_t *stub_enter(struct x86_buf *b, const struct hostcpu *host)
{
    const uint8_t *start = b->at;
    for (unsigned i = 0; i < sizeof(saved); i++)
        x86_push(b, rm_reg(saved[i]));
    x86_alu_imm(b, ALU_SUB, 8, rm_reg(RSP), FRAME_BYTES);
    x86_lea(b, 8, RBP, rm_mem(RDI, EMIT_BIAS));
    x86_load(b, 8, RAX, rm_reg(RSI));
    mxcsr(b, false);
    if (host->fsgsbase) { /* else the run loop has done it */
        x86_load(b, 8, RCX, rm_mem(RBP, EMIT_OFFSET(bank)));
        x86_op(b, 0xf3, 0x0fae, 8, 3, rm_reg(RCX)); /* wrgsbase */
    }
    move_pinned(b, host, false);
    x86_store(b, 8, rm_mem(RBP, EMIT_OFFSET(host_sp)), RSP);
    to_units_stack(b);
    x86_jmp_rm(b, rm_reg(RAX));
    return start;
}

/* MXCSR as C expects it; [rsp] is free. */
static void mxcsr_of_c(struct x86_buf *b)
{
    x86_store_imm(b, 4, rm_mem(RSP, 0), 0x1f80);
    x86_op(b, 0, 0x0fae, 4, 2, rm_mem(RSP, 0));
}

/* rax = tag; registers and MXCSR are in the struct already. */
static const uint8_t *stub_return(struct x86_buf *b)
{
    const uint8_t *start = b->at;
    mxcsr_of_c(b);
    x86_alu_imm(b, ALU_ADD, 8, rm_reg(RSP), FRAME_BYTES);
    for (unsigned i = sizeof(saved); i-- > 0;)
        x86_pop(b, saved[i]);
    x86_byte(b, 0xc3);
    return start;
}

static int32_t bank_field(size_t offset)
{
    return (int32_t)offset;
}

/* rbx = code of the jump at rax, whose page is rdx, by its physical address; rsi = that of the
 * page. Overwrites rcx and rdi. The displacements in `out` are of jumps taken where there is none.
 */
static void find_by_pa(struct x86_buf *b, bool bmi2, uint8_t *out[3])
{
    x86_test_imm(b, 1, rm_reg(RAX), 3); /* keys have a use for these bits */
    out[0] = x86_jcc(b, CC_NE);
    x86_bits_from(b, bmi2, RCX, RAX, 7);
    x86_alu_imm(b, ALU_AND, 4, rm_reg(RCX), (A64_TLB_ENTRIES - 1) * 32);
    x86_alu(b, ALU_CMP, 8, RDX,
            rm_gs(RCX, X86_NONE, 1, bank_field(offsetof(struct a64_tlb_entry, exec))));
    out[1] = x86_jcc(b, CC_NE);
    x86_shift_imm(b, SH_SHR, 4, rm_reg(RCX), 2); /* from entries of 32 bytes to words of 8 */
    x86_load(b, 8, RSI,
             rm_gs(RCX, X86_NONE, 1, bank_field(offsetof(struct a64_tlb_bank, page_pa))));
    x86_load(b, 8, RDI, rm_reg(RSI));
    x86_shift_imm(b, SH_SHR, 8, rm_reg(RDI), 12);
    x86_op(b, 0, 0x69, 4, RDI, rm_reg(RDI)); /* imul edi, edi, hash */
    x86_u32(b, A64_PA_JUMP_HASH);
    x86_shift_imm(b, SH_SHR, 4, rm_reg(RDI), 16);
    x86_load(b, 4, RCX, rm_reg(RAX));
    x86_alu_imm(b, ALU_AND, 4, rm_reg(RCX), 4095);
    x86_load(b, 8, RBX, rm_reg(RSI));
    x86_alu(b, ALU_OR, 8, RBX, rm_reg(RCX));
    x86_alu(b, ALU_OR, 8, RBX, rm_mem(RBP, EMIT_OFFSET(pa_context)));
    x86_shift_imm(b, SH_SHR, 4, rm_reg(RCX), 2);
    x86_alu(b, ALU_ADD, 4, RDI, rm_reg(RCX));
    x86_alu_imm(b, ALU_AND, 4, rm_reg(RDI), A64_PA_JUMPS - 1);
    x86_shift_imm(b, SH_SHL, 4, rm_reg(RDI), 4);
    x86_alu(b, ALU_ADD, 8, RDI, rm_mem(RBP, EMIT_OFFSET(pa_jumps)));
    x86_alu(b, ALU_CMP, 8, RBX, rm_mem(RDI, offsetof(struct a64_jump, va)));
    out[2] = x86_jcc(b, CC_NE);
    x86_load(b, 8, RBX, rm_mem(RDI, offsetof(struct a64_jump, code)));
}

/* As a64_bank_set_jump(), but for pages that would have to push out another one. */
static void remember_jump(struct x86_buf *b)
{
    const int32_t jumps = bank_field(offsetof(struct a64_tlb_bank, jumps));
    struct x86_rm count =
        rm_gs(X86_NONE, X86_NONE, 1, bank_field(offsetof(struct a64_tlb_bank, jump_log_count)));
    x86_load(b, 8, RDI, rm_reg(RDX));
    x86_shift_imm(b, SH_SHR, 8, rm_reg(RDI), 12);
    x86_load(b, 4, RCX, rm_reg(RDI));
    x86_alu_imm(b, ALU_AND, 4, rm_reg(RCX), A64_JUMP_PAGES - 1);
    x86_alu(b, ALU_CMP, 8, RDI,
            rm_gs(X86_NONE, RCX, 8, bank_field(offsetof(struct a64_tlb_bank, jump_pages))));
    uint8_t *other_page = x86_jcc(b, CC_NE);
    x86_alu(b, ALU_CMP, 8, RSI,
            rm_gs(X86_NONE, RCX, 8, bank_field(offsetof(struct a64_tlb_bank, jump_page_pa))));
    uint8_t *other_code = x86_jcc(b, CC_NE);
    x86_load(b, 4, RCX, rm_reg(RAX));
    x86_alu_imm(b, ALU_AND, 4, rm_reg(RCX), (A64_JUMPS - 1) * 4);
    x86_load(b, 4, RDI, count);
    x86_alu_imm(b, ALU_CMP, 4, rm_reg(RDI), A64_JUMP_LOG);
    uint8_t *overflowed = x86_jcc(b, CC_A);
    uint8_t *full = x86_jcc(b, CC_E);
    x86_load(b, 4, RSI, rm_reg(RCX));
    x86_shift_imm(b, SH_SHR, 4, rm_reg(RSI), 2);
    x86_store(b, 2, rm_gs(X86_NONE, RDI, 2, bank_field(offsetof(struct a64_tlb_bank, jump_log))),
              RSI);
    x86_patch(b, full, b->at);
    x86_alu_imm(b, ALU_ADD, 4, count, 1);
    x86_patch(b, overflowed, b->at);
    x86_store(b, 8, rm_gs(X86_NONE, RCX, 4, jumps + (int32_t)offsetof(struct a64_jump, va)), RAX);
    x86_store(b, 8, rm_gs(X86_NONE, RCX, 4, jumps + (int32_t)offsetof(struct a64_jump, code)), RBX);
    x86_patch(b, other_page, b->at);
    x86_patch(b, other_code, b->at);
}

/* The jump cache does not know rax: perhaps the page is known in the TLB and its code by physical
 * address (mmu.h). Else to the run loop. */
static const uint8_t *stub_find(struct x86_buf *b, bool bmi2, const uint8_t *lookup)
{
    static const uint8_t borrowed[] = {RBX, RSI, RDI};
    const uint8_t *start = b->at;
    uint8_t *out[3];
    for (unsigned i = 0; i < sizeof(borrowed); i++)
        x86_push(b, rm_reg(borrowed[i]));
    x86_load(b, 8, RDX, rm_reg(RAX));
    x86_alu_imm(b, ALU_AND, 8, rm_reg(RDX), -4096);
    find_by_pa(b, bmi2, out);
    remember_jump(b);
    x86_store(b, 8, rm_mem(RBP, EMIT_OFFSET(code_page)), RDX);
    x86_load(b, 8, RCX, rm_reg(RBX));
    for (unsigned i = sizeof(borrowed); i-- > 0;)
        x86_pop(b, borrowed[i]);
    x86_jmp_rm(b, rm_reg(RCX));
    for (unsigned i = 0; i < 3; i++)
        x86_patch(b, out[i], b->at);
    for (unsigned i = sizeof(borrowed); i-- > 0;)
        x86_pop(b, borrowed[i]);
    x86_jmp_to(b, lookup);
    return start;
}

/* User mode: rax is not in its first slot of the jump cache, or the run loop wants the CPU.
 * Functions at round distances share slots, and would push each other out for ever. */
static const uint8_t *stub_second_jump(struct x86_buf *b, const uint8_t *lookup)
{
    const uint8_t *start = b->at;
    x86_patch(b, emit_poll(b), lookup);
    x86_load(b, 8, RCX, rm_reg(RAX));
    x86_shift_imm(b, SH_SHR, 8, rm_reg(RCX), A64_USER_JUMPS_SHIFT);
    x86_alu(b, ALU_XOR, 4, RCX, rm_reg(RAX));
    x86_alu(b, ALU_AND, 4, RCX, rm_mem(RBP, EMIT_OFFSET(jump_mask)));
    const int32_t jumps = (int32_t)offsetof(struct a64_tlb_bank, jumps);
    x86_alu(b, ALU_CMP, 8, RAX,
            rm_gs(X86_NONE, RCX, 4, jumps + (int32_t)offsetof(struct a64_jump, va)));
    x86_jcc_to(b, CC_NE, lookup);
    x86_jmp_rm(b, rm_gs(X86_NONE, RCX, 4, jumps + (int32_t)offsetof(struct a64_jump, code)));
    return start;
}

/* A return to X30, which is not what is on top of the stack. Entries above belong to callers of the
 * caller, and may have been passed over. If it is none of them the stack is emptied. */
static const uint8_t *stub_return_miss(struct x86_buf *b, bool user, const struct emit_stubs *stubs)
{
    enum { TRIES = 8 };
    const uint8_t *start = b->at;
    x86_load(b, 8, RAX, rm_reg(emit_gpr[30]));
    x86_movi(b, RCX, TRIES);
    const uint8_t *next = b->at;
    x86_alu_imm(b, ALU_ADD, 8, rm_reg(RSP), 16);
    x86_alu(b, ALU_CMP, 8, RAX, rm_mem(RSP, 8));
    uint8_t *found = x86_jcc(b, CC_E);
    x86_alu_imm(b, ALU_SUB, 4, rm_reg(RCX), 1);
    x86_jcc_to(b, CC_NE, next);
    x86_load(b, 8, RSP, rm_mem(RBP, EMIT_OFFSET(returns_base)));
    emit_poll_and_jump_to_rax(b, user, stubs);
    x86_patch(b, found, b->at);
    x86_ret(b);
    return start;
}

/* One instruction by the interpreter, then back to the unit or, if it says so, to the run loop. */
static const uint8_t *stub_interpret(struct x86_buf *b, const struct hostcpu *host, bool user,
                                     emit_interpret_fn interpret, const uint8_t *leave_saved)
{
    const uint8_t *start = b->at;
    move_pinned(b, host, true);
    mxcsr(b, true);
    x86_lea(b, 8, RDI, rm_mem(RBP, -EMIT_BIAS));
    if (!user)
        x86_alu(b, ALU_ADD, 8, RCX, rm_mem(RBP, EMIT_OFFSET(code_page)));
    x86_pop(b, RAX); /* the return address moves to the other stack */
    to_host_stack(b);
    x86_push(b, rm_reg(RAX));
    x86_load(b, 8, RSI, rm_reg(RCX));
    x86_movi64(b, RAX, (uintptr_t)interpret); /* all stubs are as long in every process */
    x86_alu_imm(b, ALU_SUB, 8, rm_reg(RSP), 8);
    mxcsr_of_c(b);
    x86_call_rm(b, rm_reg(RAX));
    x86_alu_imm(b, ALU_ADD, 8, rm_reg(RSP), 8);
    x86_test(b, 8, rm_reg(RAX), RAX);
    uint8_t *left = x86_jcc(b, CC_NE);
    mxcsr(b, false);
    move_pinned(b, host, false);
    x86_pop(b, RCX);
    to_units_stack(b);
    x86_jmp_rm(b, rm_reg(RCX));
    x86_patch(b, left, b->at); /* pc is set; drop the return address */
    x86_alu_imm(b, ALU_ADD, 8, rm_reg(RSP), 8);
    x86_movi(b, RAX, 0);
    x86_jmp_to(b, leave_saved);
    return start;
}

/* Saves what a C function may overwrite, by C's convention, so that it does not matter which guest
 * registers lie there; the function computes with integers alone, so MXCSR may stay as it is.
 * `interpret` NULL: whoever calls this does that. */
static const uint8_t *stub_miss(struct x86_buf *b, const struct hostcpu *host,
                                const uint8_t *interpret)
{
    static const uint8_t volatile_regs[] = {RAX, RCX, RDX, RSI, RDI, R8, R9, R10, R11};
    const uint8_t *start = b->at;
    for (unsigned i = 0; i < sizeof(volatile_regs); i++)
        x86_push(b, rm_reg(volatile_regs[i]));
    move_vectors(b, host, true);
    x86_lea(b, 8, RDI, rm_mem(RBP, -EMIT_BIAS));
    x86_load(b, 8, RSI, rm_reg(RAX));
    x86_load(b, 4, RDX, rm_reg(RCX));
    x86_shift_imm(b, SH_SHR, 4, rm_reg(RDX), EMIT_MISS_SHIFT);
    x86_movi64(b, RAX, (uintptr_t)a64_tlb_refill);
    x86_load(b, 8, RCX, rm_reg(RSP));
    x86_load(b, 8, RSP, rm_mem(RBP, EMIT_OFFSET(host_sp)));
    x86_push(b, rm_reg(RCX)); /* twice: the stack stays aligned */
    x86_push(b, rm_reg(RCX));
    x86_call_rm(b, rm_reg(RAX));
    x86_pop(b, RCX);
    x86_load(b, 8, RSP, rm_reg(RCX));
    move_vectors(b, host, false);
    x86_test(b, 8, rm_reg(RAX), RAX);
    for (unsigned i = sizeof(volatile_regs); i-- > 0;)
        x86_pop(b, volatile_regs[i]); /* EFLAGS stay */
    uint8_t *failed = x86_jcc(b, CC_E);
    x86_ret(b);
    x86_patch(b, failed, b->at);
    x86_alu_imm(b, ALU_ADD, 8, rm_mem(RSP, 0), EMIT_JUMP_BYTES);
    x86_alu_imm(b, ALU_AND, 4, rm_reg(RCX), (1 << EMIT_MISS_SHIFT) - 1);
    if (interpret)
        x86_jmp_to(b, interpret);
    else
        x86_ret(b);
    return start;
}

void emit_stubs(struct x86_buf *b, const struct hostcpu *host, bool user,
                emit_interpret_fn interpret, struct emit_stubs *s)
{
    b->legacy = !host->avx2;
    s->constants = vec_constants(b);
    s->fused = host->fma ? NULL : fused_stub(b, s->constants);
    s->enter = stub_enter(b, host);
    const uint8_t *leave_saved = stub_return(b);

    s->leave = b->at;
    move_pinned(b, host, true);
    mxcsr(b, true);
    to_host_stack(b);
    x86_jmp_to(b, leave_saved);

    s->exit = b->at;
    if (!user)
        x86_alu(b, ALU_ADD, 8, RAX, rm_mem(RBP, EMIT_OFFSET(code_page)));
    x86_store(b, 8, rm_mem(RBP, EMIT_OFFSET(pc)), RAX);
    x86_load(b, 8, RAX, rm_reg(RCX));
    x86_jmp_to(b, s->leave);

    s->lookup = b->at;
    x86_store(b, 8, rm_mem(RBP, EMIT_OFFSET(pc)), RAX);
    x86_movi(b, RAX, 0);
    x86_jmp_to(b, s->leave);

    s->find = stub_find(b, host->bmi2, s->lookup);
    if (user)
        s->lookup = stub_second_jump(b, s->lookup);

    s->interpret = stub_interpret(b, host, user, interpret, leave_saved);

    s->miss = stub_miss(b, host, s->interpret);
    s->miss_alone = stub_miss(b, host, NULL);

    s->return_miss = stub_return_miss(b, user, s);

    s->return_end = b->at;
    x86_load(b, 8, RAX, rm_reg(emit_gpr[30]));
    x86_load(b, 8, RSP, rm_mem(RBP, EMIT_OFFSET(returns_base)));
    x86_jmp_to(b, s->lookup);
}
