/* asm.h: encoding of x86-64 instructions into a buffer, in a few primitives.
 *
 * An operand that may be a register or memory is `struct x86_rm`. Writing past the end of the
 * buffer sets `full` and drops the bytes: the caller checks once per unit. Source: Intel SDM
 * volume 2.
 */
#ifndef PENG_CORE_X86_64_ASM_H
#define PENG_CORE_X86_64_ASM_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum x86_gpr {
    RAX,
    RCX,
    RDX,
    RBX,
    RSP,
    RBP,
    RSI,
    RDI,
    R8,
    R9,
    R10,
    R11,
    R12,
    R13,
    R14,
    R15,
    X86_NONE
};

/* Condition codes as in Jcc, SETcc, CMOVcc. */
enum x86_cc {
    CC_O,
    CC_NO,
    CC_B,
    CC_AE,
    CC_E,
    CC_NE,
    CC_BE,
    CC_A,
    CC_S,
    CC_NS,
    CC_P,
    CC_NP,
    CC_L,
    CC_GE,
    CC_LE,
    CC_G,
};

/* A register (base only, is_reg) or memory [base + index * scale + disp], `gs` relative if asked.
 */
struct x86_rm {
    bool is_reg, gs;
    uint8_t base, index, scale; /* index X86_NONE: none; base X86_NONE: disp32 absolute (gs) */
    bool is_target;             /* memory at `target`, relative to RIP; base and index X86_NONE */
    uint8_t after;              /* `target`: immediate bytes that follow */
    union {
        int32_t disp;
        const uint8_t *target;
    };
};
static_assert(sizeof(struct x86_rm) == 16, "is passed in registers");

/* What must change in the bytes from `start` on when they, or the guest page they are of, are moved
 * (translator/relocate.h). What is outside may be further away than a displacement reaches, in
 * which case the code runs nowhere before it is moved. */
enum x86_fixup_kind {
    X86_FIXUP_OUTSIDE, /* a displacement to below `start` or behind the buffer */
    X86_FIXUP_CROSS,   /* one from the hot part into the cold one, or back */
    X86_FIXUP_PAGE32,  /* the address of the guest page, and something: low, in 32 bits */
    X86_FIXUP_PAGE64,
    X86_FIXUP_KINDS,
};
struct x86_fixup {
    uint16_t at; /* offset from `start` */
    uint16_t kind;
};
enum { X86_FIXUPS_MAX = 2048 };
struct x86_fixups {
    const uint8_t *start;
    unsigned count;
    struct x86_fixup list[X86_FIXUPS_MAX];
};

struct x86_buf {
    uint8_t *start, *at, *end; /* where bytes are written */
    bool full;
    bool legacy;      /* the host has no AVX2: x86_vec() encodes SSE (asm_legacy.c) */
    uint32_t written; /* general registers that may have been written, by number; more than were */
    struct x86_fixups *fixups; /* NULL: not noted */
};

static inline struct x86_rm rm_reg(unsigned reg)
{
    return (struct x86_rm){.is_reg = true, .base = (uint8_t)reg};
}

static inline struct x86_rm rm_mem(unsigned base, int32_t disp)
{
    return (struct x86_rm){.base = (uint8_t)base, .index = X86_NONE, .scale = 1, .disp = disp};
}

static inline struct x86_rm rm_index(unsigned base, unsigned index, unsigned scale, int32_t disp)
{
    return (struct x86_rm){
        .base = (uint8_t)base, .index = (uint8_t)index, .scale = (uint8_t)scale, .disp = disp};
}

static inline struct x86_rm rm_gs(unsigned base, unsigned index, unsigned scale, int32_t disp)
{
    return (struct x86_rm){.gs = true,
                           .base = (uint8_t)base,
                           .index = (uint8_t)index,
                           .scale = (uint8_t)scale,
                           .disp = disp};
}

static inline struct x86_rm rm_target(const uint8_t *target, unsigned immediate_bytes)
{
    return (struct x86_rm){.base = X86_NONE,
                           .index = X86_NONE,
                           .scale = 1,
                           .is_target = true,
                           .after = (uint8_t)immediate_bytes,
                           .target = target};
}

static inline void x86_byte(struct x86_buf *b, uint8_t v)
{
    if (b->at < b->end)
        *b->at++ = v;
    else
        b->full = true;
}

void x86_u32(struct x86_buf *b, uint32_t v);
void x86_u64(struct x86_buf *b, uint64_t v);

/* The general form: mandatory prefix (0, 0x66, 0xf2, 0xf3), opcode of up to three bytes (0x0fXX and
 * 0x0f38XX as numbers), operand width 1, 2, 4 or 8 bytes (8 sets REX.W, 2 adds 0x66; 1 forces REX
 * for SIL, DIL ...), register field, register-or-memory, and how many immediate bytes follow. */
void x86_op(struct x86_buf *b, unsigned prefix, unsigned opcode, unsigned width, unsigned reg,
            struct x86_rm rm);

/* ALU group by number: 0 add 1 or 2 adc 3 sbb 4 and 5 sub 6 xor 7 cmp. */
enum x86_alu { ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_CMP };
void x86_alu(struct x86_buf *b, enum x86_alu op, unsigned width, unsigned reg, struct x86_rm rm);
void x86_alu_store(struct x86_buf *b, enum x86_alu op, unsigned width, struct x86_rm rm,
                   unsigned reg);
void x86_alu_imm(struct x86_buf *b, enum x86_alu op, unsigned width, struct x86_rm rm, int32_t imm);
void x86_test(struct x86_buf *b, unsigned width, struct x86_rm rm, unsigned reg);
void x86_test_imm(struct x86_buf *b, unsigned width, struct x86_rm rm, int32_t imm);

void x86_load(struct x86_buf *b, unsigned width, unsigned reg, struct x86_rm rm);  /* mov reg, rm */
void x86_store(struct x86_buf *b, unsigned width, struct x86_rm rm, unsigned reg); /* mov rm, reg */
void x86_store_imm(struct x86_buf *b, unsigned width, struct x86_rm rm, int32_t imm);
void x86_movi(struct x86_buf *b, unsigned reg, uint64_t imm); /* keeps the flags */
/* The same with all 64 bits of the immediate; returns where they lie. */
uint8_t *x86_movi64(struct x86_buf *b, unsigned reg, uint64_t imm);
void x86_zext(struct x86_buf *b, unsigned from, unsigned reg, struct x86_rm rm); /* 1, 2, 4 bytes */
void x86_sext(struct x86_buf *b, unsigned from, unsigned to, unsigned reg, struct x86_rm rm);
void x86_lea(struct x86_buf *b, unsigned width, unsigned reg, struct x86_rm rm);

/* Shift group by number: 0 rol 1 ror 4 shl 5 shr 7 sar. */
enum x86_shift { SH_ROL, SH_ROR, SH_SHL = 4, SH_SHR = 5, SH_SAR = 7 };
void x86_shift_imm(struct x86_buf *b, enum x86_shift op, unsigned width, struct x86_rm rm,
                   unsigned n);
void x86_shift_cl(struct x86_buf *b, enum x86_shift op, unsigned width, struct x86_rm rm);
/* Unary group F7: 2 not 3 neg 4 mul 5 imul 6 div 7 idiv. */
enum x86_unary { UN_NOT = 2, UN_NEG, UN_MUL, UN_IMUL, UN_DIV, UN_IDIV };
void x86_unary(struct x86_buf *b, enum x86_unary op, unsigned width, struct x86_rm rm);

/* Branches within the unit. x86_jcc/x86_jmp emit rel32 forms and return where the displacement
 * lies, for x86_patch() once the target is known. */
uint8_t *x86_jcc(struct x86_buf *b, enum x86_cc cc);
uint8_t *x86_jmp(struct x86_buf *b);
uint8_t *x86_call(struct x86_buf *b); /* the same for a call */
/* Jumps within 127 bytes; the displacement is one byte. */
uint8_t *x86_jcc_short(struct x86_buf *b, enum x86_cc cc);
uint8_t *x86_jmp_short(struct x86_buf *b);
void x86_patch_short(struct x86_buf *b, uint8_t *disp); /* leads to what comes next */
void x86_nop5(struct x86_buf *b);                       /* one instruction of five bytes */
void x86_align(struct x86_buf *b, unsigned bytes);      /* to a multiple, by no-ops */
/* Pads so that the displacement of a jump of `opcode_bytes` emitted next can be stored atomically.
 */
void x86_align_site(struct x86_buf *b, unsigned opcode_bytes);
void x86_patch(struct x86_buf *b, uint8_t *disp, const uint8_t *target);
/* Notes what lies at `at`. Displacements to below the unit are noted by themselves. */
void x86_note_fixup(struct x86_buf *b, const uint8_t *at, enum x86_fixup_kind kind);
void x86_jcc_to(struct x86_buf *b, enum x86_cc cc, const uint8_t *target);
void x86_jmp_to(struct x86_buf *b, const uint8_t *target);
void x86_call_to(struct x86_buf *b, const uint8_t *target);
void x86_jmp_rm(struct x86_buf *b, struct x86_rm rm);
void x86_call_rm(struct x86_buf *b, struct x86_rm rm);
void x86_ret(struct x86_buf *b);
void x86_push(struct x86_buf *b, struct x86_rm rm); /* 64 bits */
void x86_pop(struct x86_buf *b, unsigned reg);

/* VEX (EVEX where a register is 16 or more): `pp` 0 none 1 66 2 F3 3 F2, `map` 1 0F 2 0F38 3 0F3A.
 * `w` as EVEX wants it, or X86_W_EVEX: 1 there and 0 in VEX, where it does not count. `second` is
 * the non-destructive source, X86_NO_SECOND where there is none. 128 bits. A general register may
 * stand in `rm` or `reg`. With x86_buf.legacy it is the SSE instruction that does the same, of one
 * or several instructions, the last of which takes the immediate byte; it may overwrite
 * X86_LEGACY_TEMP. */
enum { X86_NO_SECOND = 0x40, X86_W_EVEX = 2, X86_LEGACY_TEMP = 15 };
void x86_vec(struct x86_buf *b, unsigned pp, unsigned map, unsigned w, unsigned opcode,
             unsigned reg, unsigned second, struct x86_rm rm);
void x86_vec_legacy(struct x86_buf *b, unsigned pp, unsigned map, unsigned w, unsigned opcode,
                    unsigned reg, unsigned second, struct x86_rm rm);
/* BMI2 on general registers, which is VEX whatever the vectors are. */
void x86_bmi2(struct x86_buf *b, unsigned pp, unsigned map, unsigned width, unsigned opcode,
              unsigned reg, unsigned second, struct x86_rm rm);
/* d = bits of `a` from n up, of which the lower 32 - n count; without BMI2 EFLAGS are lost. */
void x86_bits_from(struct x86_buf *b, bool bmi2, unsigned d, unsigned a, unsigned n);
/* 256 bits of registers below 16. What lies above 128 bits must be cleared (VZEROUPPER) before code
 * that does not expect it. */
void x86_vec_256(struct x86_buf *b, unsigned pp, unsigned map, unsigned opcode, unsigned reg,
                 unsigned second, struct x86_rm rm);
/* What exists as EVEX alone, whatever the registers. */
void x86_evex(struct x86_buf *b, unsigned pp, unsigned map, unsigned w, unsigned opcode,
              unsigned reg, unsigned second, struct x86_rm rm);
/* The same of 128 << length bits, where bits of mask register k (0: none) say which lanes are
 * written; the others are cleared, or with `merge` kept. */
struct x86_lanes {
    uint8_t length, k;
    bool merge;
};
void x86_evex_lanes(struct x86_buf *b, struct x86_lanes lanes, unsigned pp, unsigned map,
                    unsigned w, unsigned opcode, unsigned reg, unsigned second, struct x86_rm rm);

#endif
