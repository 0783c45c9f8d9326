/* emit_fused.c: fused multiply-add on hosts without FMA: one rounding of a b + c, and the
 * exceptions of that one.
 *
 * Singles: their product is exact in double, where the sum is rounded, and then once more to
 * single. The second rounding goes wrong only where the first has made a tie of single's, or where
 * the result is denormal; these are cold.
 *
 * Doubles (the stub): the product is taken apart into two numbers, by halves of its operands
 * (Dekker, "A floating-point technique for extending the available precision", 1971), and their sum
 * with c is three numbers. Of these the lower two are added with the last bit of the sum set to
 * odd if anything was lost, so that one addition rounds the whole (Boldo and Melquiond, "Emulation
 * of a FMA and correctly rounded sums", 2008). All but that addition must round to nearest and may
 * raise Inexact: where the guest has another mode, or has not had Inexact yet, MXCSR is another one
 * meanwhile.
 *
 * Limits: products of doubles from 2^-800 to 2^800, or zero, and addends below 2^900; the
 * interpreter has the others. A sum that cancels to zero is its, too, for the zero's sign.
 */
#include "core/x86_64/emit_fp.h"

enum { TEMP = X86_LEGACY_TEMP };
enum { ADD = 0x58, MULTIPLY = 0x59, CONVERT = 0x5a, SUBTRACT = 0x5c };

/* --- singles -------------------------------------------------------------------------------------
 */

/* Cold if a double of xmm `reg` is a tie between two singles. Overwrites TEMP. */
static void cold_if_tie(struct emitter *e, unsigned reg)
{
    vec_with(e, IR_V_AND, 0, TEMP, reg, VEC_LOW29);
    vec_with(e, IR_V_CMEQ, 2, TEMP, TEMP, VEC_SINGLE_TIE);
    x86_vec(e->buf, 1, 2, 0, 0x17, TEMP, X86_NO_SECOND, rm_reg(TEMP)); /* ptest */
    cold_add(e, COLD_INTERPRET, x86_jcc(e->buf, CC_NE));
}

/* Cold if a single of xmm0 is a NaN, denormal or the smallest normal number. Overwrites xmm2, xmm3
 * and TEMP. */
static void check_singles(struct emitter *e)
{
    fp_absolute(e, false, 3, 0);
    vec_with(e, IR_V_CMGT, 2, TEMP, 3, VEC_MIN32);
    vec_zero(e, 2);
    vec_lane(e, IR_V_CMEQ, 2, 2, 2, 3);
    vec_lane(e, IR_V_ORR, 0, TEMP, TEMP, 2);
    vec_with(e, IR_V_CMGT, 2, 3, 3, VEC_INF32);
    vec_lane(e, IR_V_BIC, 0, 3, 3, TEMP);
    x86_vec(e->buf, 1, 2, 0, 0x17, 3, X86_NO_SECOND, vec_const(e, VEC_ONES, 0));
    cold_add(e, COLD_INTERPRET, x86_jcc(e->buf, CC_AE));
}

/* xmm `d` = singles of the lower halves, a * b + c. Overwrites xmm `temp`, which may be b, and
 * TEMP.
 */
static void fuse_half(struct emitter *e, bool subtract, unsigned d, unsigned a, unsigned b,
                      unsigned c, unsigned temp)
{
    const struct vec_code lengthen = fp_packed(false, CONVERT);
    vec_op(e, lengthen, d, X86_NO_SECOND, rm_reg(a));
    vec_op(e, lengthen, temp, X86_NO_SECOND, rm_reg(b));
    vec_op(e, fp_packed(true, MULTIPLY), d, d, rm_reg(temp));
    if (subtract)
        vec_with(e, IR_V_EOR, 0, d, d, VEC_SIGN64);
    vec_op(e, lengthen, temp, X86_NO_SECOND, rm_reg(c));
    vec_op(e, fp_packed(true, ADD), d, d, rm_reg(temp));
    cold_if_tie(e, d);
    vec_op(e, fp_packed(true, CONVERT), d, X86_NO_SECOND, rm_reg(d));
}

static void fuse_singles(struct emitter *e, bool whole, bool subtract, unsigned a, unsigned b)
{
    fuse_half(e, subtract, 3, a, b, 0, TEMP);
    if (whole) {
        vec_shift_bytes(e, 1, a, 8);
        vec_shift_bytes(e, 2, b, 8);
        vec_shift_bytes(e, 0, 0, 8);
        fuse_half(e, subtract, 1, 1, 2, 0, 2);
        vec_lane(e, IR_V_ZIP1, 3, 0, 3, 1);
    } else {
        vec_copy_reg(e, 0, 3);
    }
    check_singles(e);
}

/* As in `negated` below. The lanes above are zeros until the result is taken out of them. */
static void fuse_single(struct emitter *e, const struct ir_op *o, bool product, bool addend)
{
    static const struct vec_code lengthen = {2, 1, 0, CONVERT};
    vec_zero(e, 3);
    vec_zero(e, 2);
    vec_op(e, lengthen, 3, 3, vec_rm(e, o->a));
    vec_op(e, lengthen, 2, 2, vec_rm(e, o->b));
    vec_op(e, (struct vec_code){3, 1, 0, MULTIPLY}, 3, 3, rm_reg(2));
    if (product)
        vec_with(e, IR_V_EOR, 0, 3, 3, VEC_SIGN64_LOW);
    vec_op(e, lengthen, 2, 2, vec_rm(e, o->c));
    if (addend)
        vec_with(e, IR_V_EOR, 0, 2, 2, VEC_SIGN64_LOW);
    vec_op(e, (struct vec_code){3, 1, 0, ADD}, 3, 3, rm_reg(2));
    cold_if_tie(e, 3);
    vec_op(e, (struct vec_code){1, 1, 0, CONVERT}, 0, X86_NO_SECOND, rm_reg(3)); /* cvtpd2ps */
    check_singles(e);
}

/* --- doubles -------------------------------------------------------------------------------------
 */

/* The stub has no emitter. */
struct stub {
    struct x86_buf *b;
    const uint8_t *constants;
};

static struct x86_rm constant(const struct stub *s, enum vec_constant c)
{
    return rm_target(s->constants + 16 * (size_t)c, 0);
}

/* An instruction of 66 0F. */
static void op(const struct stub *s, unsigned opcode, unsigned d, unsigned a, unsigned b)
{
    x86_vec(s->b, 1, 1, 0, opcode, d, a, rm_reg(b));
}

static void op_with(const struct stub *s, unsigned opcode, unsigned d, unsigned a,
                    enum vec_constant c)
{
    x86_vec(s->b, 1, 1, 0, opcode, d, a, constant(s, c));
}

static void move(const struct stub *s, unsigned d, struct x86_rm from)
{
    x86_vec(s->b, 1, 1, 0, 0x6f, d, X86_NO_SECOND, from);
}

enum { AND = 0xdb, ANDN = 0xdf, OR = 0xeb, XOR = 0xef, GREATER_32 = 0x66, SUB_32 = 0xfa };
enum { ADD_64 = 0xd4, SHUFFLE = 0x70, SHIFT_32 = 0x72 };

static void equal_64(const struct stub *s, unsigned d, unsigned a, unsigned b)
{
    x86_vec(s->b, 1, 2, 0, 0x29, d, a, rm_reg(b));
}

/* Both words of each lane = its upper one. */
static void upper_words(const struct stub *s, unsigned d, unsigned a)
{
    x86_vec(s->b, 1, 1, 0, SHUFFLE, d, X86_NO_SECOND, rm_reg(a));
    x86_byte(s->b, 0xf5);
}

/* d = ones where xmm `a` is no factor that the stub can do with. Overwrites xmm4 and xmm5. */
static void find_bad_factors(const struct stub *s, unsigned d, unsigned a)
{
    op_with(s, AND, 4, a, VEC_ABS64);
    upper_words(s, d, 4);
    op_with(s, SUB_32, d, d, VEC_FUSED_LEAST);
    op(s, XOR, 5, 5, 5);
    equal_64(s, 4, 4, 5);
    op(s, GREATER_32, 5, 5, d); /* below the least */
    op_with(s, GREATER_32, d, d, VEC_FUSED_RANGE);
    op(s, OR, d, d, 5);
    op(s, ANDN, d, 4, d);
}

/* CF and return if xmm0 (c), xmm1 (a) or xmm2 (b) are out of range. Overwrites xmm3 to xmm7. */
static uint8_t *check_range(const struct stub *s)
{
    find_bad_factors(s, 6, 1);
    find_bad_factors(s, 7, 2);
    op(s, OR, 6, 6, 7);
    op_with(s, AND, 7, 0, VEC_ABS64);
    upper_words(s, 7, 7);
    op_with(s, GREATER_32, 7, 7, VEC_FUSED_MOST);
    op(s, OR, 6, 6, 7);
    x86_vec(s->b, 1, 2, 0, 0x17, 6, X86_NO_SECOND, rm_reg(6)); /* ptest */
    return x86_jcc(s->b, CC_NE);
}

/* xmm `high` + xmm `low` = xmm `a`, of 26 bits each. */
static void split(const struct stub *s, unsigned high, unsigned low, unsigned a)
{
    op_with(s, MULTIPLY, high, a, VEC_FUSED_SPLIT);
    op(s, SUBTRACT, low, high, a);
    op(s, SUBTRACT, high, high, low);
    op(s, SUBTRACT, low, a, high);
}

/* xmm `sum` = a + b, a = what that lost (Knuth's TwoSum). Overwrites b, xmm4 and xmm5. */
static void add_exactly(const struct stub *s, unsigned sum, unsigned a, unsigned b)
{
    op(s, ADD, sum, a, b);
    op(s, SUBTRACT, 4, sum, a);
    op(s, SUBTRACT, 5, sum, 4);
    op(s, SUBTRACT, a, a, 5);
    op(s, SUBTRACT, b, b, 4);
    op(s, ADD, a, a, b);
}

/* xmm3 + xmm1 = xmm1 * xmm2. Overwrites xmm2 and xmm4 to xmm7. */
static void multiply_exactly(const struct stub *s)
{
    op(s, MULTIPLY, 3, 1, 2);
    split(s, 4, 5, 1);
    split(s, 6, 7, 2);
    op(s, MULTIPLY, 1, 4, 6);
    op(s, SUBTRACT, 1, 1, 3);
    op(s, MULTIPLY, 4, 4, 7);
    op(s, ADD, 1, 1, 4);
    op(s, MULTIPLY, 6, 6, 5);
    op(s, ADD, 1, 1, 6);
    op(s, MULTIPLY, 5, 5, 7);
    op(s, ADD, 1, 1, 5);
}

/* xmm2 = xmm2 with its last bit odd where xmm0, what a sum lost, is not zero: one towards that.
 * Overwrites xmm0 and xmm4 to xmm6. */
static void make_odd(const struct stub *s)
{
    op(s, XOR, 6, 6, 6);
    x86_vec(s->b, 1, 1, 0, 0xc2, 4, 0, rm_reg(6)); /* cmppd: not equal */
    x86_byte(s->b, 4);
    op_with(s, AND, 5, 2, VEC_ONE64);
    equal_64(s, 5, 5, 6);
    op(s, AND, 4, 4, 5);
    op(s, XOR, 0, 0, 2);
    upper_words(s, 0, 0);
    x86_vec(s->b, 1, 1, 0, SHIFT_32, 4, 0, rm_reg(0)); /* psrad */
    x86_byte(s->b, 31);
    op_with(s, OR, 0, 0, VEC_ONE64);
    op(s, AND, 0, 0, 4);
    op(s, ADD_64, 2, 2, 0);
}

/* Lanes of xmm0, the result, that are zero: c (xmm7) plus the product (xmm3), where that is a zero.
 * Returns a jump for the others. Overwrites xmm1 to xmm3, xmm5 and xmm7. */
static uint8_t *settle_zeros(const struct stub *s)
{
    op(s, XOR, 5, 5, 5);
    x86_vec(s->b, 1, 1, 0, 0xc2, 1, 0, rm_reg(5)); /* cmppd: equal */
    x86_byte(s->b, 0);
    x86_vec(s->b, 1, 2, 0, 0x17, 1, X86_NO_SECOND, rm_reg(1));
    uint8_t *none = x86_jcc_short(s->b, CC_E);
    x86_vec(s->b, 1, 1, 0, 0xc2, 2, 3, rm_reg(5));
    x86_byte(s->b, 0);
    op(s, ANDN, 2, 2, 1);
    x86_vec(s->b, 1, 2, 0, 0x17, 2, X86_NO_SECOND, rm_reg(2));
    uint8_t *cancelled = x86_jcc(s->b, CC_NE);
    op(s, AND, 3, 3, 1);
    op(s, AND, 7, 7, 1);
    op(s, ADD, 3, 3, 7);
    op(s, ANDN, 0, 1, 0);
    op(s, OR, 0, 0, 3);
    x86_patch_short(s->b, none);
    return cancelled;
}

static void move_saved(const struct stub *s, bool back)
{
    for (unsigned v = 0; v < 4; v++)
        x86_vec(s->b, 1, 1, 0, back ? 0x6f : 0x7f, v + 4, X86_NO_SECOND,
                rm_mem(RBP, EMIT_OFFSET(v) + (int32_t)v * 16));
}

/* xmm0 = xmm1 * xmm2 + xmm0, two doubles, or CF and none of the guest's registers changed.
 * Overwrites xmm1 to xmm3 and eax; V0 to V3 wait in the CPU struct. */
const uint8_t *fused_stub(struct x86_buf *b, const uint8_t *constants)
{
    enum { ROUNDING_AND_INEXACT = 0x6020, INEXACT = 0x20, LDMXCSR = 2, STMXCSR = 3 };
    const struct stub s = {b, constants};
    const struct x86_rm mxcsr = rm_mem(RBP, EMIT_OFFSET(host_mxcsr));
    const uint8_t *start = b->at;
    move_saved(&s, false);
    uint8_t *out_of_range = check_range(&s);
    x86_op(b, 0, 0x0fae, 4, STMXCSR, mxcsr);
    x86_load(b, 4, RAX, mxcsr);
    x86_alu_imm(b, ALU_AND, 4, rm_reg(RAX), ROUNDING_AND_INEXACT);
    x86_alu_imm(b, ALU_CMP, 4, rm_reg(RAX), INEXACT);
    uint8_t *as_it_is = x86_jcc_short(b, CC_E);
    x86_op(b, 0, 0x0fae, 4, LDMXCSR, constant(&s, VEC_FUSED_MXCSR));
    x86_patch_short(b, as_it_is);
    multiply_exactly(&s);
    move(&s, 7, rm_reg(0));
    add_exactly(&s, 2, 0, 1); /* c and the product's lower part: xmm2 + xmm0 */
    move(&s, 6, rm_reg(3));
    add_exactly(&s, 1, 6, 2); /* and the upper part: xmm1 + xmm6 + xmm0 */
    add_exactly(&s, 2, 0, 6); /* xmm1 + xmm2 + xmm0 */
    make_odd(&s);
    x86_alu_imm(b, ALU_CMP, 4, rm_reg(RAX), INEXACT);
    as_it_is = x86_jcc_short(b, CC_E);
    x86_op(b, 0, 0x0fae, 4, LDMXCSR, mxcsr);
    x86_patch_short(b, as_it_is);
    op(&s, ADD, 0, 1, 2);
    uint8_t *cancelled = settle_zeros(&s);
    move_saved(&s, true);
    x86_byte(b, 0xf8); /* clc */
    x86_ret(b);
    x86_patch(b, out_of_range, b->at);
    x86_patch(b, cancelled, b->at);
    move_saved(&s, true);
    x86_byte(b, 0xf9); /* stc */
    x86_ret(b);
    return start;
}

static void call_stub(struct emitter *e)
{
    x86_call_to(e->buf, e->request->stubs->fused);
    cold_add(e, COLD_INTERPRET, x86_jcc(e->buf, CC_B));
}

/* --- both ----------------------------------------------------------------------------------------
 */

void fused_lanes(struct emitter *e, bool is_64, bool whole, bool subtract, unsigned a, unsigned b)
{
    if (!is_64) {
        fuse_singles(e, whole, subtract, a, b);
        return;
    }
    vec_copy_reg(e, 1, a);
    vec_copy_reg(e, 2, b);
    if (subtract)
        vec_with(e, IR_V_EOR, 0, 1, 1, VEC_SIGN64);
    call_stub(e);
}

void fused_scalar(struct emitter *e, const struct ir_op *o)
{
    static const struct {
        bool product, addend;
    } negated[] = {[IR_FMADD] = {false, false},
                   [IR_FMSUB] = {true, false},
                   [IR_FNMADD] = {true, true},
                   [IR_FNMSUB] = {false, true}};
    bool product = negated[o->sub].product, addend = negated[o->sub].addend;
    if (!fp_double(o)) {
        fuse_single(e, o, product, addend);
        vec_done(e, o->d, 0);
        return;
    }
    const uint8_t operands[] = {o->c, o->a, o->b};
    for (unsigned i = 0; i < 3; i++) { /* in both lanes, so that they raise the same */
        x86_vec(e->buf, 3, 1, 0, 0x12, i, X86_NO_SECOND, vec_rm(e, operands[i])); /* movddup */
    }
    if (product)
        vec_with(e, IR_V_EOR, 0, 1, 1, VEC_SIGN64);
    if (addend)
        vec_with(e, IR_V_EOR, 0, 0, 0, VEC_SIGN64);
    call_stub(e);
    vec_set(e, o->d, 0, 8);
}
