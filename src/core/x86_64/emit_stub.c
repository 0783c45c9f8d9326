/* emit_stub.c: the code around all units: entering from C, leaving to C, calling the interpreter.
 *
 * Inside units rsp is a multiple of 16, so that a CALL to a stub finds the stack as a C function
 * does.
 */
#include "core/x86_64/emit_vec.h"

static const uint8_t saved[] = {RBX, RBP, R12, R13, R14, R15};

/* Moves every pinned guest register between host register and CPU struct. */
static void move_pinned(struct x86_buf *b, bool wide, bool to_struct)
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
    for (unsigned v = 0; v < 32; v++) {
        unsigned xmm = emit_xmm(wide, v);
        if (xmm != X86_NO_XMM) /* vmovdqa */
            x86_vec(b, 1, 1, 0, to_struct ? 0x7f : 0x6f, xmm, X86_NO_SECOND,
                    rm_mem(RBP, EMIT_OFFSET(v) + (int32_t)v * 16));
    }
}

static void mxcsr(struct x86_buf *b, bool store)
{
    x86_op(b, 0, 0x0fae, 4, store ? 3 : 2, rm_mem(RBP, EMIT_OFFSET(host_mxcsr)));
}

static const uint8_t *stub_enter(struct x86_buf *b, bool wide)
{
    const uint8_t *start = b->at;
    for (unsigned i = 0; i < sizeof(saved); i++)
        x86_op(b, 0, 0xff, 4, 6, rm_reg(saved[i])); /* push */
    x86_alu_imm(b, ALU_SUB, 8, rm_reg(RSP), 24);
    x86_lea(b, 8, RBP, rm_mem(RDI, EMIT_BIAS));
    x86_load(b, 8, RAX, rm_reg(RSI));
    mxcsr(b, false);
    x86_load(b, 8, RCX, rm_mem(RBP, EMIT_OFFSET(bank)));
    x86_op(b, 0xf3, 0x0fae, 8, 3, rm_reg(RCX)); /* wrgsbase */
    move_pinned(b, wide, false);
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
    x86_alu_imm(b, ALU_ADD, 8, rm_reg(RSP), 24);
    for (unsigned i = sizeof(saved); i-- > 0;)
        x86_op(b, 0, 0x8f, 4, 0, rm_reg(saved[i])); /* pop */
    x86_byte(b, 0xc3);
    return start;
}

void emit_stubs(struct x86_buf *b, const struct hostcpu *host, emit_interpret_fn interpret,
                struct emit_stubs *s)
{
    bool wide = host->avx512vl;
    s->constants = vec_constants(b);
    s->enter = stub_enter(b, wide);
    const uint8_t *leave_saved = stub_return(b);

    s->leave = b->at;
    move_pinned(b, wide, true);
    mxcsr(b, true);
    x86_jmp_to(b, leave_saved);

    s->exit = b->at; /* eax = page offset, rcx = tag */
    x86_alu(b, ALU_ADD, 8, RAX, rm_mem(RBP, EMIT_OFFSET(code_page)));
    x86_store(b, 8, rm_mem(RBP, EMIT_OFFSET(pc)), RAX);
    x86_load(b, 8, RAX, rm_reg(RCX));
    x86_jmp_to(b, s->leave);

    s->lookup = b->at;
    x86_store(b, 8, rm_mem(RBP, EMIT_OFFSET(pc)), RAX);
    x86_movi(b, RAX, 0);
    x86_jmp_to(b, s->leave);

    s->interpret = b->at;
    move_pinned(b, wide, true);
    mxcsr(b, true);
    x86_lea(b, 8, RDI, rm_mem(RBP, -EMIT_BIAS));
    x86_load(b, 8, RSI, rm_reg(RCX));
    x86_movi64(b, RAX, (uintptr_t)interpret); /* all stubs are as long in every process */
    x86_alu_imm(b, ALU_SUB, 8, rm_reg(RSP), 8);
    mxcsr_of_c(b);
    x86_call_rm(b, rm_reg(RAX));
    x86_alu_imm(b, ALU_ADD, 8, rm_reg(RSP), 8);
    x86_test(b, 8, rm_reg(RAX), RAX);
    uint8_t *left = x86_jcc(b, CC_NE);
    mxcsr(b, false);
    move_pinned(b, wide, false);
    x86_byte(b, 0xc3);
    x86_patch(b, left, b->at); /* pc is set; drop the return address */
    x86_alu_imm(b, ALU_ADD, 8, rm_reg(RSP), 8);
    x86_movi(b, RAX, 0);
    x86_jmp_to(b, leave_saved);
}
