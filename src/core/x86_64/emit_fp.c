/* emit_fp.c: scalar floating point on the host's own, bit for bit what Arm computes.
 *
 * MXCSR carries the guest's rounding mode and gathers its exceptions. Where the architectures
 * differ the interpreter redoes the instruction (COLD_INTERPRET), before any guest register is
 * written: NaN operands and results, conversions out of range, and results that are the smallest
 * normal number, which Arm may call an underflow that x86 does not (tiny before or after rounding,
 * DDI 0487 A1.4.5). x86 must raise nothing on the way there that Arm would not.
 *
 * Lifted only under FPCR without FZ and AHP.
 */
#include "core/x86_64/emit_fp.h"

static unsigned fp_bytes(const struct ir_op *o)
{
    return fp_double(o) ? 8 : 4;
}

/* A scalar instruction that differs in prefix (F3 single, F2 double) alone. */
static struct vec_code scalar(const struct ir_op *o, uint8_t opcode)
{
    return fp_double(o) ? (struct vec_code){3, 1, X86_W_EVEX, opcode}
                        : (struct vec_code){2, 1, 0, opcode};
}

static struct cold *cold_if(struct emitter *e, enum x86_cc cc)
{
    return cold_add(e, COLD_INTERPRET, x86_jcc(e->buf, cc));
}

/* For cold.look: an xmm register, and one more bit for doubles; not 0, since xmm0 of a single is 1.
 */
enum { LOOK_DOUBLE = 0x40, LOOK_HALF = 0x80 };

/* xmm1 = |reg|, compared with the smallest normal number. */
static void compare_with_smallest(struct emitter *e, bool is_64, unsigned reg)
{
    x86_vec(e->buf, 0, 1, 0, 0x54, 1, reg, vec_const(e, is_64 ? VEC_ABS64 : VEC_ABS32, 0));
    fp_compare_scalar(e, is_64, false, 1, vec_const(e, is_64 ? VEC_MIN64 : VEC_MIN32, 0));
}

/* Of the half in xmm0. */
static uint8_t *look_again_at_half(struct emitter *e)
{
    x86_vec(e->buf, 1, 1, 0, 0x7e, 0, X86_NO_SECOND, rm_reg(RAX));
    x86_alu_imm(e->buf, ALU_AND, 4, rm_reg(RAX), 0x7fff);
    x86_alu_imm(e->buf, ALU_CMP, 4, rm_reg(RAX), 0x0400);
    uint8_t *smallest = x86_jcc_short(e->buf, CC_E);
    x86_alu_imm(e->buf, ALU_CMP, 4, rm_reg(RAX), 0x7c00);
    uint8_t *good = x86_jcc(e->buf, CC_BE);
    x86_patch_short(e->buf, smallest);
    return good;
}

uint8_t *fp_look_again(struct emitter *e, uint8_t look)
{
    if (look == LOOK_HALF)
        return look_again_at_half(e);
    compare_with_smallest(e, look & LOOK_DOUBLE, (look & (LOOK_DOUBLE - 1)) - 1u);
    return x86_jcc(e->buf, CC_NE);
}

/* VPTEST of the lowest lane of xmm `reg` with all exponent bits but the lowest gives ZF where they
 * are all clear (zero, and up to twice the smallest normal number) and CF where they are all set
 * (NaN, infinity, half of it). Cold code looks which of them it is. */
static struct cold *check_exponent(struct emitter *e, enum vec_constant bits, unsigned reg,
                                   uint8_t look)
{
    x86_vec(e->buf, 1, 2, 0, 0x17, reg, X86_NO_SECOND, vec_const(e, bits, 0));
    struct cold *c = cold_if(e, CC_BE);
    c->retry = e->buf->at;
    c->look = look;
    return c;
}

void fp_check_half(struct emitter *e)
{
    check_exponent(e, VEC_ORDINARY16, 0, LOOK_HALF);
}

/* xmm `reg` is a NaN, or with `tiny` the smallest normal number: to the cold path. */
static struct cold *check(struct emitter *e, bool is_64, bool tiny, unsigned reg)
{
    if (!tiny) {
        fp_compare_scalar(e, is_64, false, reg, rm_reg(reg));
        return cold_if(e, CC_P);
    }
    if (reg >= 16) { /* VPTEST has no EVEX form */
        compare_with_smallest(e, is_64, reg);
        return cold_if(e, CC_E); /* equal or unordered */
    }
    return check_exponent(e, is_64 ? VEC_ORDINARY64 : VEC_ORDINARY32, reg,
                          (uint8_t)((reg + 1) | (is_64 ? LOOK_DOUBLE : 0)));
}

/* AVX-512: the packed form of an instruction on the lowest lane alone, which clears the others. */
static void masked(struct emitter *e, bool is_64, unsigned map, unsigned opcode, unsigned d,
                   unsigned a, struct x86_rm b)
{
    static const struct x86_lanes lowest = {.k = VEC_SCALAR_MASK};
    x86_evex_lanes(e->buf, lowest, map == 1 ? is_64 : 1, map, is_64, opcode, d, a, b);
}

/* x86's scalar instructions take what lies above the result from their first source. If that is
 * zero, so is it in the result. Clearing it in a source that the chain of dependencies does not run
 * through costs no time; a move between registers does not either. */
static bool is_scalar(const struct emitter *e, const struct ir_op *o, unsigned v)
{
    return (fp_double(o) ? e->zero_above_64 : e->zero_above_32) >> v & 1;
}

/* xmm `d` = V[v] with zeros above. */
static void clean_copy(struct emitter *e, const struct ir_op *o, unsigned d, unsigned v)
{
    if (is_scalar(e, o, v)) {
        vec_copy(e, d, v);
        return;
    }
    struct x86_rm rm = vec_rm(e, v);
    if (!rm.is_reg || fp_double(o)) { /* vmovd, vmovq */
        x86_vec(e->buf, fp_double(o) ? 2 : 1, 1, fp_double(o) ? X86_W_EVEX : 0,
                fp_double(o) ? 0x7e : 0x6e, d, X86_NO_SECOND, rm);
    } else { /* vinsertps */
        x86_vec(e->buf, 1, 3, 0, 0x21, d, rm.base, rm);
        x86_byte(e->buf, 0x0e);
    }
}

/* V[v] in a register, with zeros above. */
static unsigned clean_use(struct emitter *e, const struct ir_op *o, unsigned v)
{
    if (is_scalar(e, o, v))
        return vec_use(e, v, 0);
    clean_copy(e, o, 0, v);
    return 0;
}

/* Of the lowest lane alone. */
static void flip_sign(struct emitter *e, const struct ir_op *o, unsigned d, unsigned a)
{
    x86_vec(e->buf, 0, 1, 0, 0x57, d, a,
            vec_const(e, fp_double(o) ? VEC_SIGN64_LOW : VEC_SIGN32_LOW, 0));
}

/* x86's maximum gives b for equal operands, which tells the zeros apart wrongly: take it both ways
 * and let AND find +0, OR -0. It also raises Invalid for quiet NaNs, so those go first. */
static void min_max(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    bool max = o->sub == IR_FMAX;
    fp_compare_scalar(e, fp_double(o), false, a, rm_reg(b));
    cold_if(e, CC_P);
    if (vec_wide(e)) {
        unsigned d = vec_dest(e, o->d, 0);
        fp_range(e, (struct x86_lanes){.k = VEC_SCALAR_MASK}, fp_double(o), max, d, a, rm_reg(b));
        vec_done(e, o->d, d);
        return;
    }
    struct vec_code code = scalar(o, max ? 0x5f : 0x5d);
    vec_op(e, code, 0, a, rm_reg(b));
    vec_op(e, code, 3, b, rm_reg(a));
    x86_vec(e->buf, 0, 1, 0, max ? 0x54 : 0x56, 0, 0, rm_reg(3)); /* vandps, vorps */
    vec_set(e, o->d, 0, fp_bytes(o));
}

/* The result's own register, if the sources outlive it there, else xmm0. */
static unsigned result(const struct emitter *e, const struct ir_op *o)
{
    return o->d == o->a || o->d == o->b ? 0 : vec_dest(e, o->d, 0);
}

void emit_FBIN(struct emitter *e, const struct ir_op *o)
{
    static const uint8_t opcodes[] = {
        [IR_FADD] = 0x58, [IR_FSUB] = 0x5c, [IR_FMUL] = 0x59, [IR_FNMUL] = 0x59, [IR_FDIV] = 0x5e};
    flags_clobber(e);
    if (o->sub == IR_FMAX || o->sub == IR_FMIN) {
        min_max(e, o, vec_use(e, o->a, 1), vec_use(e, o->b, 2));
        return;
    }
    bool commutes = o->sub != IR_FSUB && o->sub != IR_FDIV;
    bool exact_when_tiny = o->sub == IR_FADD || o->sub == IR_FSUB;
    unsigned first = o->a, second = o->b, d = result(e, o);
    if (vec_wide(e)) {
        masked(e, fp_double(o), 1, opcodes[o->sub], d, vec_use(e, o->a, 0), vec_rm(e, o->b));
        check(e, fp_double(o), !exact_when_tiny, d);
        if (o->sub == IR_FNMUL)
            flip_sign(e, o, d, d);
        vec_done(e, o->d, d);
        return;
    }
    if (commutes && !is_scalar(e, o, first) && (is_scalar(e, o, second) || first == o->d)) {
        first = o->b;
        second = o->a;
    }
    vec_op(e, scalar(o, opcodes[o->sub]), d, clean_use(e, o, first), vec_rm(e, second));
    check(e, fp_double(o), !exact_when_tiny, d);
    if (o->sub == IR_FNMUL)
        flip_sign(e, o, d, d);
    vec_done(e, o->d, d);
}

void emit_FMOV(struct emitter *e, const struct ir_op *o)
{
    unsigned d = vec_dest(e, o->d, 0);
    clean_copy(e, o, d, o->a);
    vec_done(e, o->d, d);
}

void emit_FABS(struct emitter *e, const struct ir_op *o)
{
    unsigned a = vec_use(e, o->a, 0), d = vec_dest(e, o->d, 0);
    x86_vec(e->buf, 0, 1, 0, 0x54, d, a,
            vec_const(e, fp_double(o) ? VEC_ABS64_LOW : VEC_ABS32_LOW, 0));
    vec_done(e, o->d, d);
}

void emit_FNEG(struct emitter *e, const struct ir_op *o)
{
    unsigned d = vec_dest(e, o->d, 0);
    flip_sign(e, o, d, clean_use(e, o, o->a));
    vec_done(e, o->d, d);
}

void emit_FSQRT(struct emitter *e, const struct ir_op *o)
{
    flags_clobber(e);
    unsigned d = o->d == o->a ? 0 : vec_dest(e, o->d, 0);
    if (vec_wide(e)) {
        masked(e, fp_double(o), 1, 0x51, d, X86_NO_SECOND, vec_rm(e, o->a));
    } else {
        unsigned a = clean_use(e, o, o->a);
        vec_op(e, scalar(o, 0x51), d, a, rm_reg(a));
    }
    check(e, fp_double(o), false, d);
    vec_done(e, o->d, d);
}

/* vroundss, vroundsd, in EVEX vrndscale with the same immediate. */
static void round_plainly(struct emitter *e, bool is_64, unsigned a, unsigned rounding, bool raise)
{
    struct vec_code c = {1, 3, is_64 ? X86_W_EVEX : 0, is_64 ? 0x0b : 0x0a};
    vec_op_imm(e, c, 0, a, rm_reg(a), fp_round_mode(rounding, raise));
}

/* Ties away from zero, which x86 has not: the magnitude truncated, and one more if half or more is
 * left. Infinities and NaNs are cold. `a` is not xmm0; overwrites xmm3. */
static void round_away(struct emitter *e, bool is_64, unsigned a)
{
    uint8_t pp = is_64 ? 3 : 2;
    fp_absolute(e, is_64, 3, a);
    fp_compare_scalar(e, is_64, false, 3, vec_const(e, is_64 ? VEC_INF64 : VEC_INF32, 0));
    cold_if(e, CC_E); /* equal or unordered */
    round_plainly(e, is_64, 3, IR_RZ, false);
    vec_op(e, (struct vec_code){pp, 1, 0, 0x5c}, 3, 3, rm_reg(0));
    struct x86_rm half = vec_const(e, is_64 ? VEC_HALF_F64 : VEC_HALF_F32, 1);
    if (vec_legacy(e))
        legacy_compare(e, (struct vec_code){pp, 1, 0, 0xc2}, 3, 3, half, FP_GE);
    else
        vec_op_imm(e, (struct vec_code){pp, 1, 0, 0xc2}, 3, 3, half, FP_GE);
    fp_with(e, is_64, 0x54, 3, 3, VEC_ONE_F32, VEC_ONE_F64);
    vec_op(e, (struct vec_code){pp, 1, 0, 0x58}, 0, 0, rm_reg(3));
    fp_with(e, is_64, 0x54, 3, a, VEC_SIGN32, VEC_SIGN64);
    x86_vec(e->buf, 0, 1, 0, 0x56, 0, 0, rm_reg(3));
}

/* xmm0 = a rounded to an integer, silently. */
static void round_to(struct emitter *e, bool is_64, unsigned a, unsigned rounding)
{
    if (rounding == IR_RA)
        round_away(e, is_64, a);
    else
        round_plainly(e, is_64, a, rounding, false);
}

/* To an integer in FP format, rounding x; y: raises Inexact. */
void emit_FRINT(struct emitter *e, const struct ir_op *o)
{
    flags_clobber(e);
    unsigned a = vec_use(e, o->a, 1);
    if (o->y)
        round_plainly(e, fp_double(o), a, o->x, true);
    else
        round_to(e, fp_double(o), a, o->x);
    if (o->x != IR_RA)
        check(e, fp_double(o), false, 0);
    vec_set(e, o->d, 0, fp_bytes(o));
}

static void fused_halves(struct emitter *e, const struct ir_op *o)
{
    if (!e->request->host->f16c) {
        emit_INTERPRET(e, o);
        return;
    }
    half_fused(e, o);
    fp_check_half(e);
    vec_done(e, o->d, 0);
}

/* FMADD and kin by the packed forms that overwrite a or c (213 and 231), and that of scalars: one
 * more. */
enum fma_form { FMA_213 = 0, FMA_231 = 0x10 };
static void multiply_add(struct emitter *e, const struct ir_op *o, enum fma_form form, unsigned d,
                         unsigned second, struct x86_rm third)
{
    static const uint8_t opcodes[] = {
        [IR_FMADD] = 0xa8, [IR_FMSUB] = 0xac, [IR_FNMADD] = 0xae, [IR_FNMSUB] = 0xaa};
    unsigned opcode = opcodes[o->sub] + form;
    if (vec_wide(e))
        masked(e, fp_double(o), 2, opcode, d, second, third);
    else
        x86_vec(e->buf, 1, 2, fp_double(o), opcode + 1, d, second, third);
}

/* d = +-c +- a * b. A sum in its own register (d is c) leaves what that was in xmm0. */
void emit_FMA(struct emitter *e, const struct ir_op *o)
{
    flags_clobber(e);
    if (o->type == IR_F16) {
        fused_halves(e, o);
        return;
    }
    if (!e->request->host->fma) {
        fused_scalar(e, o);
        return;
    }
    bool apart = o->d != o->a && o->d != o->b && o->d != o->c, clean = vec_wide(e);
    unsigned d = vec_dest(e, o->d, 0);
    if (o->d == o->c && d && (clean || is_scalar(e, o, o->c))) {
        vec_copy_reg(e, 0, d);
        multiply_add(e, o, FMA_231, d, vec_use(e, o->a, 1), vec_rm(e, o->b));
        check(e, fp_double(o), true, d)->restore = (uint8_t)(o->d + 1);
        return;
    }
    if (!apart)
        d = 0;
    if (clean)
        vec_copy(e, d, o->a);
    else
        clean_copy(e, o, d, o->a);
    multiply_add(e, o, FMA_213, d, vec_use(e, o->b, 1), vec_rm(e, o->c));
    check(e, fp_double(o), true, d);
    vec_done(e, o->d, d);
}

/* From or to half. */
static void convert_half(struct emitter *e, const struct ir_op *o)
{
    if (!e->request->host->f16c) {
        emit_INTERPRET(e, o);
        return;
    }
    if (o->sub == IR_F16) {
        clean_copy(e, o, 0, o->a);
        if (fp_double(o))
            half_from_double(e, 0, 0);
        else
            half_from_single(e, 0, 0);
        fp_check_half(e);
        vec_done(e, o->d, 0);
        return;
    }
    bool to_double = o->sub == IR_F64;
    half_to_single(e, 0, o->a);
    if (to_double)
        vec_op(e, (struct vec_code){2, 1, 0, 0x5a}, 0, 0, rm_reg(0));
    check(e, to_double, false, 0);
    vec_set(e, o->d, 0, to_double ? 8 : 4);
}

/* From o->type to o->sub. */
void emit_FCVT(struct emitter *e, const struct ir_op *o)
{
    flags_clobber(e);
    if (o->type == IR_F16 || o->sub == IR_F16) {
        convert_half(e, o);
        return;
    }
    unsigned a = vec_use(e, o->a, 0);
    if (vec_wide(e)) {
        unsigned d = o->d == o->a ? 0 : vec_dest(e, o->d, 0);
        masked(e, fp_double(o), 1, 0x5a, d, X86_NO_SECOND, rm_reg(a));
        check(e, !fp_double(o), fp_double(o), d);
        vec_done(e, o->d, d);
        return;
    }
    vec_op(e, scalar(o, 0x5a), 0, a, rm_reg(a));
    check(e, !fp_double(o), fp_double(o), 0);
    vec_set(e, o->d, 0, fp_double(o) ? 4 : 8);
}

/* rax = the bits of `a` from the exponent's lowest up. */
static void exponent(struct emitter *e, bool is_64, unsigned a)
{
    x86_vec(e->buf, 1, 1, is_64, 0x7e, a, X86_NO_SECOND, rm_reg(RAX));
    x86_shift_imm(e->buf, SH_SHR, is_64 ? 8 : 4, rm_reg(RAX), is_64 ? 52 : 23);
}

/* xmm `reg` = 2 to the power of n. Overwrites rax. */
static void power(struct emitter *e, bool is_64, unsigned reg, int n)
{
    x86_movi(e->buf, RAX, is_64 ? (uint64_t)(1023 + n) << 52 : (uint64_t)(127 + n) << 23);
    x86_vec(e->buf, 1, 1, is_64, 0x6e, reg, X86_NO_SECOND, rm_reg(RAX));
}

/* What cannot be converted without a look at the exponent goes to the cold path: unsigned results
 * take the signed 64-bit conversion, and fixed point (c bits behind the point) multiplies first. */
static void check_range(struct emitter *e, const struct ir_op *o, unsigned a)
{
    bool is_64 = o->size == 8;
    int bias = is_64 ? 0x3ff : 0x7f;
    exponent(e, is_64, a);
    if (!o->y) /* without the sign */
        x86_alu_imm(e->buf, ALU_AND, 4, rm_reg(RAX), 2 * bias + 1);
    int bits = !o->y || o->type == IR_I64 ? 63 : o->x == IR_RZ ? 32 : 31;
    x86_alu_imm(e->buf, ALU_CMP, 4, rm_reg(RAX), bias + bits - (o->y ? o->c : 0));
    cold_if(e, CC_AE);
}

/* General register d of o->type = V[a], an FP number of `size` bytes, rounded by x; y: unsigned.
 * Halves as singles.
 * Rounding is done in FP format first, silent, so that a value out of range raises nothing but
 * Invalid. */
void emit_FTOI(struct emitter *e, const struct ir_op *o)
{
    bool is_64 = o->size == 8, wide = o->type == IR_I64 || o->y;
    flags_clobber(e);
    if (o->size == 2 && !half_to_single(e, 1, o->a)) {
        emit_INTERPRET(e, o);
        return;
    }
    unsigned a = o->size == 2 ? 1 : vec_use(e, o->a, 1), from = a;
    if (o->y || o->c)
        check_range(e, o, a);
    if (o->c) {
        power(e, is_64, 0, o->c);
        vec_op(e, (struct vec_code){is_64 ? 3 : 2, 1, is_64 ? X86_W_EVEX : 0, 0x59}, 0, 0,
               rm_reg(a));
        from = 0;
    }
    if (o->x != IR_RZ) {
        round_to(e, is_64, a, o->x);
        from = 0;
    }
    vec_op(e, (struct vec_code){is_64 ? 3 : 2, 1, wide, 0x2c}, RAX, X86_NO_SECOND, rm_reg(from));
    if (!o->y) { /* INT_MIN: out of range, or indeed it */
        x86_alu_imm(e->buf, ALU_CMP, wide ? 8 : 4, rm_reg(RAX), 1);
        cold_if(e, CC_O);
    }
    if (o->x != IR_RZ)
        round_plainly(e, is_64, a, IR_RZ, true); /* for Inexact */
    set_done(e, o->d, RAX);
}

/* FJCVTZS: what fits 32 bits; Z says whether converting back gives the same bits. */
void emit_FJCVT(struct emitter *e, const struct ir_op *o)
{
    struct x86_buf *b = e->buf;
    flags_clobber(e);
    unsigned a = vec_use(e, o->a, 1);
    vec_op(e, (struct vec_code){3, 1, 0, 0x2c}, RAX, X86_NO_SECOND, rm_reg(a));
    x86_alu_imm(b, ALU_CMP, 4, rm_reg(RAX), 1);
    cold_if(e, CC_O);
    vec_zero(e, 0);
    vec_op(e, (struct vec_code){3, 1, 0, 0x2a}, 0, 0, rm_reg(RAX));
    x86_vec(b, 1, 1, 1, 0x7e, 0, X86_NO_SECOND, rm_reg(RCX));
    x86_vec(b, 1, 1, 1, 0x7e, a, X86_NO_SECOND, rm_reg(RDX));
    x86_alu(b, ALU_CMP, 8, RCX, rm_reg(RDX));
    x86_movi(b, RCX, flags_saved_form(0));
    x86_movi(b, RDX, flags_saved_form(4));
    x86_op(b, 0, 0x0f40u | CC_E, 4, RCX, rm_reg(RDX)); /* cmov */
    x86_store(b, 2, rm_mem(RBP, EMIT_OFFSET(host_flags)), RCX);
    e->flags = FLAGS_NONE;
    e->flags_in_memory = true;
    set_done(e, o->d, RAX);
}

/* xmm `d` = general register a of `size` bytes; y: unsigned. xmm1 is zero. */
static void from_integer(struct emitter *e, const struct ir_op *o, unsigned d)
{
    bool wide = o->size == 8;
    unsigned a = use_reg(e, o->a, RAX, o->size);
    vec_zero(e, 1);
    if (o->y && !wide) {
        x86_zext(e->buf, 4, RAX, rm_reg(a));
        a = RAX;
        wide = true;
    } else if (o->y && vec_wide(e)) { /* vcvtusi2ss, vcvtusi2sd */
        x86_evex(e->buf, fp_double(o) ? 3 : 2, 1, 1, 0x7b, d, 1, rm_reg(a));
        return;
    } else if (o->y) {
        x86_test(e->buf, 8, rm_reg(a), a);
        cold_if(e, CC_S);
    }
    vec_op(e, (struct vec_code){fp_double(o) ? 3 : 2, 1, wide, 0x2a}, d, 1, rm_reg(a));
}

/* V[d] of o->type = general register a, c bits of it behind the point. */
void emit_ITOF(struct emitter *e, const struct ir_op *o)
{
    if (o->size == 8 && o->y && !vec_wide(e))
        flags_clobber(e);    /* before use_reg(): it may use RAX */
    if (o->type == IR_F16) { /* no integer whose rounding to single counts is in a half's range */
        if (!e->request->host->f16c) {
            emit_INTERPRET(e, o);
            return;
        }
        from_integer(e, o, 0);
        half_from_single(e, 0, 0);
        vec_done(e, o->d, 0);
        return;
    }
    unsigned d = vec_dest(e, o->d, 0);
    from_integer(e, o, d);
    if (o->c) { /* exact: the smallest is 2^-64 */
        power(e, fp_double(o), 1, -(int)o->c);
        vec_op(e, scalar(o, 0x59), d, d, rm_reg(1));
    }
    vec_done(e, o->d, d);
}
