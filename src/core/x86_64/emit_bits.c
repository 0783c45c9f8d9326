/* emit_bits.c: bit fields, counting and reversing bits, multiplication, division, CRC32.
 *
 * Division follows Arm: by zero gives 0, INT_MIN / -1 gives INT_MIN, both of which x86 would trap.
 */
#include "core/x86_64/emit_int.h"

/* scratch = v (as `width`), a copy to work on. */
static void copy(struct emitter *e, unsigned scratch, unsigned v, unsigned width)
{
    if (v == IR_ZERO)
        x86_movi(e->buf, scratch, 0);
    else
        x86_op(e->buf, 0, 0x8b, width, scratch, loc(e, v));
}

static uint64_t ones(unsigned n)
{
    return n >= 64 ? ~0ull : (1ull << n) - 1;
}

void emit_UBFX(struct emitter *e, const struct ir_op *o)
{
    unsigned width = op_width(o), lsb = o->x, n = o->y, d = set_reg(e, o->d, RAX);
    if (o->a == IR_ZERO) {
        x86_movi(e->buf, d, 0);
    } else if (lsb == 0 && (n == 8 || n == 16 || n == 32)) {
        x86_zext(e->buf, n / 8, d, loc(e, o->a));
    } else if (lsb + n < width * 8 && (n == 8 || n == 16 || n == 32) && e->request->host->bmi2) {
        x86_bmi2(e->buf, 3, 3, width, 0xf0, d, X86_NO_SECOND, loc(e, o->a)); /* rorx */
        x86_byte(e->buf, (uint8_t)lsb);
        x86_zext(e->buf, n / 8, d, rm_reg(d));
    } else {
        flags_clobber(e);
        if (lsb == 0 && n < 32) {
            copy(e, d, o->a, 4);
            x86_alu_imm(e->buf, ALU_AND, 4, rm_reg(d), (int32_t)ones(n));
        } else {
            unsigned total = width * 8;
            copy(e, d, o->a, width);
            if (lsb + n < total && lsb == 0) {
                x86_shift_imm(e->buf, SH_SHL, width, rm_reg(d), total - n);
                x86_shift_imm(e->buf, SH_SHR, width, rm_reg(d), total - n);
            } else {
                x86_shift_imm(e->buf, SH_SHR, width, rm_reg(d), lsb);
                if (lsb + n < total) {
                    if (n < 32)
                        x86_alu_imm(e->buf, ALU_AND, 4, rm_reg(d), (int32_t)ones(n));
                    else {
                        x86_shift_imm(e->buf, SH_SHL, width, rm_reg(d), total - n);
                        x86_shift_imm(e->buf, SH_SHR, width, rm_reg(d), total - n);
                    }
                }
            }
        }
    }
    if (d == RAX)
        set_done(e, o->d, RAX);
}

void emit_SBFX(struct emitter *e, const struct ir_op *o)
{
    unsigned width = op_width(o), lsb = o->x, n = o->y, d = set_reg(e, o->d, RAX);
    unsigned total = width * 8;
    if (o->a == IR_ZERO) {
        x86_movi(e->buf, d, 0);
    } else if (lsb == 0 && (n == 8 || n == 16 || n == 32)) {
        x86_sext(e->buf, n / 8, width, d, loc(e, o->a));
    } else {
        flags_clobber(e);
        copy(e, d, o->a, width);
        if (lsb + n < total)
            x86_shift_imm(e->buf, SH_SHL, width, rm_reg(d), total - lsb - n);
        x86_shift_imm(e->buf, SH_SAR, width, rm_reg(d), total - n);
    }
    if (d == RAX)
        set_done(e, o->d, RAX);
}

static void insert_in_zero(struct emitter *e, const struct ir_op *o, enum x86_shift back)
{
    unsigned width = op_width(o), lsb = o->x, n = o->y, d = set_reg(e, o->d, RAX);
    unsigned total = width * 8;
    flags_clobber(e);
    if (n + lsb < total && (n == 8 || n == 16 || n == 32) && o->a != IR_ZERO) {
        if (back == SH_SAR)
            x86_sext(e->buf, n / 8, width, d, loc(e, o->a));
        else
            x86_zext(e->buf, n / 8, d, loc(e, o->a));
        x86_shift_imm(e->buf, SH_SHL, width, rm_reg(d), lsb);
    } else {
        copy(e, d, o->a, width);
        x86_shift_imm(e->buf, SH_SHL, width, rm_reg(d), total - n);
        if (total - n - lsb)
            x86_shift_imm(e->buf, back, width, rm_reg(d), total - n - lsb);
    }
    if (d == RAX)
        set_done(e, o->d, RAX);
}

void emit_UBFIZ(struct emitter *e, const struct ir_op *o)
{
    insert_in_zero(e, o, SH_SHR);
}

void emit_SBFIZ(struct emitter *e, const struct ir_op *o)
{
    insert_in_zero(e, o, SH_SAR);
}

/* scratch &= mask, for any 64-bit mask. */
static void and_mask(struct emitter *e, unsigned scratch, uint64_t mask, unsigned width,
                     unsigned tmp)
{
    if (width == 4) {
        x86_alu_imm(e->buf, ALU_AND, 4, rm_reg(scratch), (int32_t)(uint32_t)mask);
    } else if ((int64_t)mask == (int32_t)mask) {
        x86_alu_imm(e->buf, ALU_AND, 8, rm_reg(scratch), (int32_t)mask);
    } else {
        x86_movi(e->buf, tmp, mask);
        x86_alu(e->buf, ALU_AND, 8, scratch, rm_reg(tmp));
    }
}

static void bit_insert(struct emitter *e, const struct ir_op *o, unsigned from, unsigned to)
{
    unsigned width = op_width(o), n = o->y;
    flags_clobber(e);
    copy(e, RAX, o->a, width);
    if (from)
        x86_shift_imm(e->buf, SH_SHR, width, rm_reg(RAX), from);
    and_mask(e, RAX, ones(n), width, RDX);
    if (to)
        x86_shift_imm(e->buf, SH_SHL, width, rm_reg(RAX), to);
    copy(e, RCX, o->d, width);
    and_mask(e, RCX, ~(ones(n) << to), width, RDX);
    x86_alu(e->buf, ALU_OR, width, RAX, rm_reg(RCX));
    set_done(e, o->d, RAX);
}

void emit_BFI(struct emitter *e, const struct ir_op *o)
{
    bit_insert(e, o, 0, o->x);
}

void emit_BFXIL(struct emitter *e, const struct ir_op *o)
{
    bit_insert(e, o, o->x, 0);
}

void emit_EXTR(struct emitter *e, const struct ir_op *o)
{
    unsigned width = op_width(o);
    flags_clobber(e);
    copy(e, RAX, o->b, width);
    copy(e, RCX, o->a, width);
    if (o->imm) {
        x86_op(e->buf, 0, 0x0fac, width, RCX, rm_reg(RAX)); /* shrd rax, rcx, imm */
        x86_byte(e->buf, (uint8_t)o->imm);
    }
    set_done(e, o->d, RAX);
}

/* d = c +/- rax. */
static void add_product(struct emitter *e, const struct ir_op *o, unsigned width, bool subtract)
{
    unsigned d = set_reg(e, o->d, RCX);
    if (o->c == IR_ZERO) {
        if (subtract)
            x86_unary(e->buf, UN_NEG, width, rm_reg(RAX));
        set_done(e, o->d, RAX);
    } else if (subtract) {
        if (o->d != o->c || d == RCX)
            copy(e, d, o->c, width);
        x86_alu(e->buf, ALU_SUB, width, d, rm_reg(RAX));
        if (d == RCX)
            set_done(e, o->d, RCX);
    } else if (d != RCX && loc(e, o->c).is_reg) {
        x86_lea(e->buf, width, d, rm_index(loc(e, o->c).base, RAX, 1, 0));
    } else {
        x86_alu(e->buf, ALU_ADD, width, RAX, loc(e, o->c));
        set_done(e, o->d, RAX);
    }
}

/* d = a * b in d's register. */
static bool multiply_in_place(struct emitter *e, const struct ir_op *o)
{
    unsigned d = set_reg(e, o->d, X86_NONE), width = op_width(o);
    if (d == X86_NONE || o->c != IR_ZERO || o->a == IR_ZERO || o->b == IR_ZERO)
        return false;
    unsigned other = o->d == o->b ? o->a : o->b;
    if (o->d != o->a && o->d != o->b)
        copy(e, d, o->a, width);
    x86_op(e->buf, 0, 0x0faf, width, d, loc(e, other)); /* imul */
    return true;
}

/* d = c +/- a * b, all of `width`. */
static void multiply_add(struct emitter *e, const struct ir_op *o, bool subtract)
{
    unsigned width = op_width(o);
    flags_clobber(e);
    if (!subtract && multiply_in_place(e, o))
        return;
    copy(e, RAX, o->a, width);
    if (o->b == IR_ZERO)
        x86_movi(e->buf, RAX, 0);
    else
        x86_op(e->buf, 0, 0x0faf, width, RAX, loc(e, o->b));
    add_product(e, o, width, subtract);
}

void emit_MADD(struct emitter *e, const struct ir_op *o)
{
    multiply_add(e, o, false);
}

void emit_MSUB(struct emitter *e, const struct ir_op *o)
{
    multiply_add(e, o, true);
}

/* d = c +/- extend(a[31:0]) * extend(b[31:0]), 64 bits. */
static void multiply_long(struct emitter *e, const struct ir_op *o, bool is_signed, bool subtract)
{
    flags_clobber(e);
    unsigned values[2] = {o->a, o->b}, regs[2] = {RAX, RCX};
    for (int i = 0; i < 2; i++) {
        if (values[i] == IR_ZERO)
            x86_movi(e->buf, regs[i], 0);
        else if (is_signed)
            x86_sext(e->buf, 4, 8, regs[i], loc(e, values[i]));
        else
            x86_zext(e->buf, 4, regs[i], loc(e, values[i]));
    }
    x86_op(e->buf, 0, 0x0faf, 8, RAX, rm_reg(RCX));
    add_product(e, o, 8, subtract);
}

void emit_SMADDL(struct emitter *e, const struct ir_op *o)
{
    multiply_long(e, o, true, false);
}

void emit_SMSUBL(struct emitter *e, const struct ir_op *o)
{
    multiply_long(e, o, true, true);
}

void emit_UMADDL(struct emitter *e, const struct ir_op *o)
{
    multiply_long(e, o, false, false);
}

void emit_UMSUBL(struct emitter *e, const struct ir_op *o)
{
    multiply_long(e, o, false, true);
}

static void multiply_high(struct emitter *e, const struct ir_op *o, enum x86_unary op)
{
    flags_clobber(e);
    copy(e, RAX, o->a, 8);
    copy(e, RCX, o->b, 8);
    x86_unary(e->buf, op, 8, rm_reg(RCX));
    set_done(e, o->d, RDX);
}

void emit_SMULH(struct emitter *e, const struct ir_op *o)
{
    multiply_high(e, o, UN_IMUL);
}

/* MULX leaves EFLAGS alone and has any destination. */
void emit_UMULH(struct emitter *e, const struct ir_op *o)
{
    if (!e->request->host->bmi2) {
        multiply_high(e, o, UN_MUL);
        return;
    }
    struct x86_rm b = o->b == IR_ZERO ? rm_reg(use_reg(e, o->b, RCX, 8)) : loc(e, o->b);
    copy(e, RDX, o->a, 8);
    unsigned d = set_reg(e, o->d, RAX);
    x86_bmi2(e->buf, 3, 2, 8, 0xf6, d, RAX, b); /* mulx d, rax, b */
    if (d == RAX)
        set_done(e, o->d, RAX);
}

void emit_UDIV(struct emitter *e, const struct ir_op *o)
{
    unsigned width = op_width(o);
    flags_clobber(e);
    copy(e, RCX, o->b, width);
    x86_movi(e->buf, RAX, 0);
    x86_test(e->buf, width, rm_reg(RCX), RCX);
    uint8_t *by_zero = x86_jcc(e->buf, CC_E);
    copy(e, RAX, o->a, width);
    x86_movi(e->buf, RDX, 0);
    x86_unary(e->buf, UN_DIV, width, rm_reg(RCX));
    x86_patch(e->buf, by_zero, e->buf->at);
    set_done(e, o->d, RAX);
}

void emit_SDIV(struct emitter *e, const struct ir_op *o)
{
    unsigned width = op_width(o);
    flags_clobber(e);
    copy(e, RCX, o->b, width);
    x86_movi(e->buf, RAX, 0);
    x86_test(e->buf, width, rm_reg(RCX), RCX);
    uint8_t *by_zero = x86_jcc(e->buf, CC_E);
    copy(e, RAX, o->a, width);
    x86_alu_imm(e->buf, ALU_CMP, width, rm_reg(RCX), -1);
    uint8_t *ordinary = x86_jcc(e->buf, CC_NE);
    x86_unary(e->buf, UN_NEG, width, rm_reg(RAX));
    uint8_t *negated = x86_jmp(e->buf);
    x86_patch(e->buf, ordinary, e->buf->at);
    x86_op(e->buf, 0, 0x99, width, 0, rm_reg(RAX)); /* cdq / cqo; the ModRM byte is taken back */
    e->buf->at--;
    x86_unary(e->buf, UN_IDIV, width, rm_reg(RCX));
    x86_patch(e->buf, negated, e->buf->at);
    x86_patch(e->buf, by_zero, e->buf->at);
    set_done(e, o->d, RAX);
}

/* rax = its leading zeros. BSR gives the highest bit's number, and nothing for zero. Overwrites rcx
 * without LZCNT. */
static void leading_zeros(struct emitter *e, unsigned width)
{
    if (e->request->host->lzcnt) {
        x86_op(e->buf, 0xf3, 0x0fbd, width, RAX, rm_reg(RAX));
        return;
    }
    unsigned bits = width * 8;
    x86_movi(e->buf, RCX, 2 * bits - 1);
    x86_op(e->buf, 0, 0x0fbd, width, RAX, rm_reg(RAX)); /* bsr */
    x86_op(e->buf, 0, 0x0f40u | CC_E, width, RAX, rm_reg(RCX));
    x86_alu_imm(e->buf, ALU_XOR, 4, rm_reg(RAX), (int32_t)bits - 1);
}

/* By LZCNT or TZCNT, to whichever register d has. */
static void count_zeros(struct emitter *e, const struct ir_op *o, unsigned opcode)
{
    unsigned d = set_reg(e, o->d, RAX);
    struct x86_rm a = o->a == IR_ZERO ? rm_reg(use_reg(e, o->a, RAX, 8)) : loc(e, o->a);
    x86_op(e->buf, 0xf3, opcode, op_width(o), d, a);
    if (d == RAX)
        set_done(e, o->d, RAX);
}

void emit_CLZ(struct emitter *e, const struct ir_op *o)
{
    unsigned width = op_width(o);
    flags_clobber(e);
    if (e->request->host->lzcnt) {
        count_zeros(e, o, 0x0fbd);
        return;
    }
    copy(e, RAX, o->a, width);
    leading_zeros(e, width);
    set_done(e, o->d, RAX);
}

/* TZCNT is BMI1's; BSF gives nothing for zero. */
void emit_CTZ(struct emitter *e, const struct ir_op *o)
{
    unsigned width = op_width(o);
    flags_clobber(e);
    if (e->request->host->bmi2) {
        count_zeros(e, o, 0x0fbc);
        return;
    }
    copy(e, RAX, o->a, width);
    x86_movi(e->buf, RCX, width * 8);
    x86_op(e->buf, 0, 0x0fbc, width, RAX, rm_reg(RAX));
    x86_op(e->buf, 0, 0x0f40u | CC_E, width, RAX, rm_reg(RCX));
    set_done(e, o->d, RAX);
}

/* Leading bits equal to the sign, without it: clz(x ^ (x >> 1 arithmetic) ...) - 1 on x ^ sign. */
void emit_CLS(struct emitter *e, const struct ir_op *o)
{
    unsigned width = op_width(o);
    flags_clobber(e);
    copy(e, RAX, o->a, width);
    copy(e, RCX, o->a, width);
    x86_shift_imm(e->buf, SH_SAR, width, rm_reg(RCX), width * 8 - 1);
    x86_alu(e->buf, ALU_XOR, width, RAX, rm_reg(RCX));
    leading_zeros(e, width);
    x86_alu_imm(e->buf, ALU_SUB, width, rm_reg(RAX), 1);
    set_done(e, o->d, RAX);
}

static void swap_bytes(struct emitter *e, unsigned width, unsigned reg)
{
    if (width == 8 || reg & 8)
        x86_byte(e->buf, (uint8_t)(0x40 | (width == 8 ? 8 : 0) | (reg & 8 ? 1 : 0)));
    x86_byte(e->buf, 0x0f);
    x86_byte(e->buf, (uint8_t)(0xc8 | (reg & 7)));
}

/* reg = (reg & mask) << n | (reg >> n) & mask */
static void swap_groups(struct emitter *e, unsigned width, unsigned n, uint64_t mask)
{
    x86_load(e->buf, 8, RCX, rm_reg(RAX));
    x86_shift_imm(e->buf, SH_SHR, width, rm_reg(RCX), n);
    x86_movi(e->buf, RDX, width == 4 ? (uint32_t)mask : mask);
    x86_alu(e->buf, ALU_AND, width, RAX, rm_reg(RDX));
    x86_alu(e->buf, ALU_AND, width, RCX, rm_reg(RDX));
    x86_shift_imm(e->buf, SH_SHL, width, rm_reg(RAX), n);
    x86_alu(e->buf, ALU_OR, width, RAX, rm_reg(RCX));
}

void emit_RBIT(struct emitter *e, const struct ir_op *o)
{
    unsigned width = op_width(o);
    flags_clobber(e);
    copy(e, RAX, o->a, width);
    swap_bytes(e, width, RAX);
    swap_groups(e, width, 4, 0x0f0f0f0f0f0f0f0full);
    swap_groups(e, width, 2, 0x3333333333333333ull);
    swap_groups(e, width, 1, 0x5555555555555555ull);
    set_done(e, o->d, RAX);
}

void emit_REV16(struct emitter *e, const struct ir_op *o)
{
    unsigned width = op_width(o);
    flags_clobber(e);
    copy(e, RAX, o->a, width);
    swap_groups(e, width, 8, 0x00ff00ff00ff00ffull);
    set_done(e, o->d, RAX);
}

void emit_REV32(struct emitter *e, const struct ir_op *o)
{
    flags_clobber(e);
    copy(e, RAX, o->a, 8);
    swap_bytes(e, 8, RAX);
    x86_shift_imm(e->buf, SH_ROL, 8, rm_reg(RAX), 32);
    set_done(e, o->d, RAX);
}

void emit_REV(struct emitter *e, const struct ir_op *o)
{
    unsigned width = op_width(o);
    unsigned d = set_reg(e, o->d, RAX);
    copy(e, d, o->a, width);
    swap_bytes(e, width, d);
    if (d == RAX)
        set_done(e, o->d, RAX);
}

/* CRC32C has its instruction; the lifter keeps the other polynomial for the interpreter. */
void emit_CRC32(struct emitter *e, const struct ir_op *o)
{
    copy(e, RAX, o->a, 4);
    copy(e, RCX, o->b, 8);
    unsigned width = o->size;
    x86_op(e->buf, 0xf2, width == 1 ? 0x0f38f0 : 0x0f38f1, width, RAX, rm_reg(RCX));
    x86_op(e->buf, 0, 0x8b, 4, RAX, rm_reg(RAX));
    set_done(e, o->d, RAX);
}
