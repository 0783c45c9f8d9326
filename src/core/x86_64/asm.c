/* asm.c: prefixes, ModRM, SIB and displacement in one place; every instruction goes through x86_op
 * or x86_vec.
 */
#include "core/x86_64/asm.h"

#include <assert.h>
#include <string.h>

enum { INSN_BYTES_MAX = 15 }; /* Intel SDM volume 2, 2.3.11 */

void x86_u32(struct x86_buf *b, uint32_t v)
{
    if (b->end - b->at < (ptrdiff_t)sizeof(v)) {
        b->full = true;
        return;
    }
    memcpy(b->at, &v, sizeof(v));
    b->at += sizeof(v);
}

void x86_u64(struct x86_buf *b, uint64_t v)
{
    x86_u32(b, (uint32_t)v);
    x86_u32(b, (uint32_t)(v >> 32));
}

void x86_note_fixup(struct x86_buf *b, const uint8_t *at, enum x86_fixup_kind kind)
{
    struct x86_fixups *fixups = b->fixups;
    if (!fixups)
        return;
    size_t offset = (size_t)(at - fixups->start);
    if (fixups->count == X86_FIXUPS_MAX || offset > UINT16_MAX)
        b->full = true;
    else
        fixups->list[fixups->count++] = (struct x86_fixup){(uint16_t)offset, (uint16_t)kind};
}

/* The displacement at `disp` leads to `target`. */
static void note_outside(struct x86_buf *b, const uint8_t *disp, const uint8_t *target)
{
    if (b->fixups && (target < b->fixups->start || target >= b->end))
        x86_note_fixup(b, disp, X86_FIXUP_OUTSIDE);
}

static unsigned log2_scale(unsigned scale)
{
    return scale == 8 ? 3 : scale == 4 ? 2 : scale == 2 ? 1 : 0;
}

/* ModRM, SIB and displacement at `p`, where there is room; returns what is behind them. EVEX scales
 * 8-bit displacements, so it asks for 32-bit ones. */
static uint8_t *put_modrm(struct x86_buf *b, uint8_t *p, unsigned reg, struct x86_rm rm,
                          bool wide_disp)
{
    int32_t disp = rm.disp;
    b->written |= 1u << (reg & 31) | (uint32_t)rm.is_reg << (rm.base & 31);
    reg = (reg & 7) << 3;
    if (rm.is_reg) {
        *p++ = (uint8_t)(0xc0 | reg | (rm.base & 7));
        return p;
    }
    if (rm.is_target) {
        *p++ = (uint8_t)(reg | RBP);
        note_outside(b, p, rm.target);
        disp = (int32_t)(rm.target - (p + 4 + rm.after));
        memcpy(p, &disp, 4);
        return p + 4;
    }
    bool no_base = rm.base == X86_NONE;
    bool sib = rm.index != X86_NONE || no_base || (rm.base & 7) == RSP;
    unsigned mod = 2;
    if (no_base)
        mod = 0;
    else if (disp == 0 && (rm.base & 7) != RBP)
        mod = 0;
    else if (!wide_disp && disp == (int8_t)disp)
        mod = 1;
    *p++ = (uint8_t)(mod << 6 | reg | (sib ? RSP : rm.base & 7));
    if (sib) {
        unsigned index = rm.index == X86_NONE ? RSP : rm.index & 7;
        *p++ = (uint8_t)(log2_scale(rm.scale) << 6 | index << 3 | (no_base ? RBP : rm.base & 7));
    }
    if (mod == 1) {
        *p++ = (uint8_t)disp;
    } else if (mod == 2 || no_base) {
        memcpy(p, &disp, 4);
        p += 4;
    }
    return p;
}

/* Room for an instruction but its immediate? If not the buffer is full. */
static bool has_room(struct x86_buf *b)
{
    bool room = b->end - b->at >= INSN_BYTES_MAX;
    b->full |= !room;
    return room;
}

static void modrm(struct x86_buf *b, unsigned reg, struct x86_rm rm, bool wide_disp)
{
    if (has_room(b))
        b->at = put_modrm(b, b->at, reg, rm, wide_disp);
}

static bool high(unsigned reg)
{
    return reg != X86_NONE && (reg & 8);
}

void x86_op(struct x86_buf *b, unsigned prefix, unsigned opcode, unsigned width, unsigned reg,
            struct x86_rm rm)
{
    uint8_t *p = b->at;
    if (!has_room(b))
        return;
    if (rm.gs)
        *p++ = 0x65;
    if (width == 2)
        *p++ = 0x66;
    if (prefix)
        *p++ = (uint8_t)prefix;
    unsigned rex = (width == 8 ? 8 : 0) | (reg & 8 ? 4 : 0) | (high(rm.base) ? 1 : 0);
    if (!rm.is_reg && high(rm.index))
        rex |= 2;
    /* SPL..DIL instead of AH..BH */
    bool byte_reg = width == 1 && ((reg & 15) >= RSP || (rm.is_reg && rm.base >= RSP));
    if (rex || byte_reg)
        *p++ = (uint8_t)(0x40 | rex);
    if (opcode > 0xffff)
        *p++ = (uint8_t)(opcode >> 16);
    if (opcode > 0xff)
        *p++ = (uint8_t)(opcode >> 8);
    *p++ = (uint8_t)opcode;
    b->at = put_modrm(b, p, reg, rm, false);
}

/* The same for what writes nothing but (to) its register or memory. */
static void op_reading(struct x86_buf *b, unsigned opcode, unsigned width, unsigned reg,
                       struct x86_rm rm, bool to)
{
    uint32_t written = b->written | (uint32_t)(to && rm.is_reg) << (rm.base & 31);
    x86_op(b, 0, opcode, width, reg, rm);
    b->written = written;
}

void x86_alu(struct x86_buf *b, enum x86_alu op, unsigned width, unsigned reg, struct x86_rm rm)
{
    unsigned opcode = op * 8u + (width == 1 ? 2 : 3);
    if (op == ALU_CMP)
        op_reading(b, opcode, width, reg, rm, false);
    else
        x86_op(b, 0, opcode, width, reg, rm);
}

void x86_alu_store(struct x86_buf *b, enum x86_alu op, unsigned width, struct x86_rm rm,
                   unsigned reg)
{
    op_reading(b, op * 8u + (width == 1 ? 0 : 1), width, reg, rm, op != ALU_CMP);
}

static void immediate(struct x86_buf *b, unsigned width, int32_t imm)
{
    if (width == 1) {
        x86_byte(b, (uint8_t)imm);
    } else if (width == 2) {
        x86_byte(b, (uint8_t)imm);
        x86_byte(b, (uint8_t)(imm >> 8));
    } else {
        x86_u32(b, (uint32_t)imm);
    }
}

void x86_alu_imm(struct x86_buf *b, enum x86_alu op, unsigned width, struct x86_rm rm, int32_t imm)
{
    bool byte = imm == (int8_t)imm || width == 1;
    op_reading(b, width == 1 ? 0x80 : byte ? 0x83 : 0x81, width, op, rm, op != ALU_CMP);
    immediate(b, byte ? 1 : width, imm);
}

void x86_test(struct x86_buf *b, unsigned width, struct x86_rm rm, unsigned reg)
{
    op_reading(b, width == 1 ? 0x84 : 0x85, width, reg, rm, false);
}

void x86_test_imm(struct x86_buf *b, unsigned width, struct x86_rm rm, int32_t imm)
{
    op_reading(b, width == 1 ? 0xf6 : 0xf7, width, 0, rm, false);
    immediate(b, width, imm);
}

void x86_load(struct x86_buf *b, unsigned width, unsigned reg, struct x86_rm rm)
{
    if (rm.is_reg && rm.base == reg && width == 8)
        return;
    x86_op(b, 0, width == 1 ? 0x8a : 0x8b, width, reg, rm);
}

void x86_store(struct x86_buf *b, unsigned width, struct x86_rm rm, unsigned reg)
{
    if (rm.is_reg && rm.base == reg && width == 8)
        return;
    op_reading(b, width == 1 ? 0x88 : 0x89, width, reg, rm, true);
}

void x86_store_imm(struct x86_buf *b, unsigned width, struct x86_rm rm, int32_t imm)
{
    op_reading(b, width == 1 ? 0xc6 : 0xc7, width, 0, rm, true);
    immediate(b, width, imm);
}

void x86_movi(struct x86_buf *b, unsigned reg, uint64_t imm)
{
    b->written |= 1u << reg;
    if (imm <= 0xffffffffu) {
        if (reg & 8)
            x86_byte(b, 0x41);
        x86_byte(b, (uint8_t)(0xb8 | (reg & 7)));
        x86_u32(b, (uint32_t)imm);
    } else if ((int64_t)imm == (int32_t)imm) {
        x86_store_imm(b, 8, rm_reg(reg), (int32_t)imm);
    } else {
        x86_byte(b, (uint8_t)(0x48 | (reg & 8 ? 1 : 0)));
        x86_byte(b, (uint8_t)(0xb8 | (reg & 7)));
        x86_u64(b, imm);
    }
}

uint8_t *x86_movi64(struct x86_buf *b, unsigned reg, uint64_t imm)
{
    b->written |= 1u << reg;
    x86_byte(b, reg & 8 ? 0x49 : 0x48);
    x86_byte(b, (uint8_t)(0xb8 | (reg & 7)));
    x86_u64(b, imm);
    return b->at - 8;
}

void x86_zext(struct x86_buf *b, unsigned from, unsigned reg, struct x86_rm rm)
{
    if (from >= 4) {
        x86_op(b, 0, 0x8b, from, reg, rm);
        return;
    }
    /* MOVZX's source is the byte register: width 1 in x86_op would also mark the destination. */
    bool need_rex = from == 1 && rm.is_reg && rm.base >= RSP && rm.base < R8 && !(reg & 8);
    if (need_rex) {
        x86_byte(b, 0x40);
    }
    x86_op(b, 0, from == 1 ? 0x0fb6 : 0x0fb7, 4, reg, rm);
}

void x86_sext(struct x86_buf *b, unsigned from, unsigned to, unsigned reg, struct x86_rm rm)
{
    if (from == 8 || (from == 4 && to == 4)) {
        x86_op(b, 0, 0x8b, from, reg, rm);
    } else if (from == 4) {
        x86_op(b, 0, 0x63, 8, reg, rm);
    } else {
        bool need_rex =
            from == 1 && to != 8 && rm.is_reg && rm.base >= RSP && rm.base < R8 && !(reg & 8);
        if (need_rex)
            x86_byte(b, 0x40);
        x86_op(b, 0, from == 1 ? 0x0fbe : 0x0fbf, to, reg, rm);
    }
}

void x86_lea(struct x86_buf *b, unsigned width, unsigned reg, struct x86_rm rm)
{
    x86_op(b, 0, 0x8d, width, reg, rm);
}

void x86_shift_imm(struct x86_buf *b, enum x86_shift op, unsigned width, struct x86_rm rm,
                   unsigned n)
{
    x86_op(b, 0, width == 1 ? 0xc0 : 0xc1, width, op, rm);
    x86_byte(b, (uint8_t)n);
}

void x86_shift_cl(struct x86_buf *b, enum x86_shift op, unsigned width, struct x86_rm rm)
{
    x86_op(b, 0, width == 1 ? 0xd2 : 0xd3, width, op, rm);
}

void x86_unary(struct x86_buf *b, enum x86_unary op, unsigned width, struct x86_rm rm)
{
    x86_op(b, 0, width == 1 ? 0xf6 : 0xf7, width, op, rm);
}

uint8_t *x86_jcc(struct x86_buf *b, enum x86_cc cc)
{
    x86_byte(b, 0x0f);
    x86_byte(b, (uint8_t)(0x80 | cc));
    x86_u32(b, 0);
    return b->at - 4;
}

void x86_nop5(struct x86_buf *b)
{
    static const uint8_t bytes[5] = {0x0f, 0x1f, 0x44, 0x00, 0x00};
    for (unsigned i = 0; i < sizeof(bytes); i++)
        x86_byte(b, bytes[i]);
}

static void pad(struct x86_buf *b, unsigned missing)
{
    /* SDM volume 2, NOP: the recommended forms of one to eight bytes. */
    static const uint8_t nops[8][8] = {{0x90},
                                       {0x66, 0x90},
                                       {0x0f, 0x1f, 0x00},
                                       {0x0f, 0x1f, 0x40, 0x00},
                                       {0x0f, 0x1f, 0x44, 0x00, 0x00},
                                       {0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00},
                                       {0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00},
                                       {0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00}};
    while (missing) {
        unsigned n = missing < 8 ? missing : 8;
        for (unsigned i = 0; i < n; i++)
            x86_byte(b, nops[n - 1][i]);
        missing -= n;
    }
}

void x86_align(struct x86_buf *b, unsigned bytes)
{
    pad(b, (unsigned)(-(uintptr_t)b->at % bytes));
}

uint8_t *x86_jmp(struct x86_buf *b)
{
    x86_byte(b, 0xe9);
    x86_u32(b, 0);
    return b->at - 4;
}

uint8_t *x86_jcc_short(struct x86_buf *b, enum x86_cc cc)
{
    x86_byte(b, (uint8_t)(0x70 | cc));
    x86_byte(b, 0);
    return b->at - 1;
}

uint8_t *x86_jmp_short(struct x86_buf *b)
{
    x86_byte(b, 0xeb);
    x86_byte(b, 0);
    return b->at - 1;
}

void x86_patch_short(struct x86_buf *b, uint8_t *disp)
{
    ptrdiff_t distance = b->at - (disp + 1);
    if (b->full)
        return;
    assert(distance <= INT8_MAX);
    *disp = (uint8_t)distance;
}

uint8_t *x86_call(struct x86_buf *b)
{
    x86_byte(b, 0xe8);
    x86_u32(b, 0);
    return b->at - 4;
}

void x86_align_site(struct x86_buf *b, unsigned opcode_bytes)
{
    unsigned at = ((uintptr_t)b->at + opcode_bytes) % 64;
    if (at > 60)
        pad(b, 64 - at);
}

void x86_patch(struct x86_buf *b, uint8_t *disp, const uint8_t *target)
{
    if (b->full)
        return;
    int32_t rel = (int32_t)(target - (disp + 4));
    note_outside(b, disp, target);
    memcpy(disp, &rel, sizeof(rel));
}

void x86_jcc_to(struct x86_buf *b, enum x86_cc cc, const uint8_t *target)
{
    x86_patch(b, x86_jcc(b, cc), target);
}

void x86_jmp_to(struct x86_buf *b, const uint8_t *target)
{
    x86_patch(b, x86_jmp(b), target);
}

void x86_call_to(struct x86_buf *b, const uint8_t *target)
{
    x86_patch(b, x86_call(b), target);
}

void x86_jmp_rm(struct x86_buf *b, struct x86_rm rm)
{
    x86_op(b, 0, 0xff, 4, 4, rm);
}

void x86_call_rm(struct x86_buf *b, struct x86_rm rm)
{
    x86_op(b, 0, 0xff, 4, 2, rm);
}

void x86_ret(struct x86_buf *b)
{
    x86_byte(b, 0xc3);
}

void x86_push(struct x86_buf *b, struct x86_rm rm)
{
    x86_op(b, 0, 0xff, 4, 6, rm);
}

void x86_pop(struct x86_buf *b, unsigned reg)
{
    b->written |= 1u << reg;
    if (reg & 8)
        x86_byte(b, 0x41);
    x86_byte(b, (uint8_t)(0x58 | (reg & 7)));
}

void x86_evex(struct x86_buf *b, unsigned pp, unsigned map, unsigned w, unsigned opcode,
              unsigned reg, unsigned second, struct x86_rm rm)
{
    x86_evex_lanes(b, (struct x86_lanes){0}, pp, map, w, opcode, reg, second, rm);
}

void x86_evex_lanes(struct x86_buf *b, struct x86_lanes lanes, unsigned pp, unsigned map,
                    unsigned w, unsigned opcode, unsigned reg, unsigned second, struct x86_rm rm)
{
    assert(!b->legacy);
    unsigned vvvv = second == X86_NO_SECOND ? 0 : second;
    bool x_high = rm.is_reg ? rm.base & 16 : high(rm.index);
    x86_byte(b, 0x62);
    x86_byte(b, (uint8_t)((reg & 8 ? 0 : 0x80) | (x_high ? 0 : 0x40) |
                          ((rm.is_reg ? rm.base & 8 : high(rm.base)) ? 0 : 0x20) |
                          (reg & 16 ? 0 : 0x10) | map));
    x86_byte(b, (uint8_t)((w ? 0x80 : 0) | (~vvvv & 15) << 3 | 4 | pp));
    bool zero = lanes.k && !lanes.merge;
    x86_byte(b, (uint8_t)((zero ? 0x80 : 0) | lanes.length << 5 | (vvvv & 16 ? 0 : 8) | lanes.k));
    x86_byte(b, (uint8_t)opcode);
    modrm(b, reg, rm, true);
}

static void vex(struct x86_buf *b, bool is_256, unsigned pp, unsigned map, unsigned w,
                unsigned opcode, unsigned reg, unsigned second, struct x86_rm rm)
{
    unsigned vvvv = second == X86_NO_SECOND ? 0 : second;
    unsigned l_pp = (is_256 ? 4u : 0) | pp;
    bool base_high = high(rm.base), index_high = !rm.is_reg && high(rm.index);
    w &= 1;
    if (map == 1 && !base_high && !index_high && !w) {
        x86_byte(b, 0xc5);
        x86_byte(b, (uint8_t)((reg & 8 ? 0 : 0x80) | (~vvvv & 15) << 3 | l_pp));
    } else {
        x86_byte(b, 0xc4);
        x86_byte(b, (uint8_t)((reg & 8 ? 0 : 0x80) | (index_high ? 0 : 0x40) |
                              (base_high ? 0 : 0x20) | map));
        x86_byte(b, (uint8_t)(w << 7 | (~vvvv & 15) << 3 | l_pp));
    }
    x86_byte(b, (uint8_t)opcode);
    modrm(b, reg, rm, false);
}

void x86_vec(struct x86_buf *b, unsigned pp, unsigned map, unsigned w, unsigned opcode,
             unsigned reg, unsigned second, struct x86_rm rm)
{
    if (b->legacy) {
        x86_vec_legacy(b, pp, map, w, opcode, reg, second, rm);
        return;
    }
    if (rm.gs)
        x86_byte(b, 0x65);
    bool far_second = second != X86_NO_SECOND && second >= 16;
    if (reg >= 16 || far_second || (rm.is_reg && rm.base >= 16))
        x86_evex(b, pp, map, w, opcode, reg, second, rm);
    else
        vex(b, false, pp, map, w, opcode, reg, second, rm);
}

void x86_bmi2(struct x86_buf *b, unsigned pp, unsigned map, unsigned width, unsigned opcode,
              unsigned reg, unsigned second, struct x86_rm rm)
{
    vex(b, false, pp, map, width == 8, opcode, reg, second, rm);
}

void x86_bits_from(struct x86_buf *b, bool bmi2, unsigned d, unsigned a, unsigned n)
{
    if (bmi2) { /* rorx */
        x86_bmi2(b, 3, 3, 4, 0xf0, d, X86_NO_SECOND, rm_reg(a));
        x86_byte(b, (uint8_t)n);
        return;
    }
    x86_load(b, 4, d, rm_reg(a));
    x86_shift_imm(b, SH_SHR, 4, rm_reg(d), n);
}

void x86_vec_256(struct x86_buf *b, unsigned pp, unsigned map, unsigned opcode, unsigned reg,
                 unsigned second, struct x86_rm rm)
{
    assert(!b->legacy);
    vex(b, true, pp, map, 0, opcode, reg, second, rm);
}
