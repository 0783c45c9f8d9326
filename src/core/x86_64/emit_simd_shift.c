/* emit_simd_shift.c: vector shifts that keep the lanes' size, by constants and by registers.
 *
 * x86 shifts no bytes, and 64-bit lanes to the right with signs only in AVX-512. Bytes: GFNI's
 * affine transformation, or halfwords and a mask.
 */
#include "core/x86_64/emit_simd.h"

/* --- by a constant -------------------------------------------------------------------------------
 */

static void shift_bytes(struct emitter *e, enum vec_shift kind, unsigned d, unsigned a, unsigned n)
{
    if (n == 8 && kind != VEC_SAR) {
        vec_zero(e, d);
        return;
    }
    if (n == 8)
        n = 7;
    if (e->request->host->gfni) {
        unsigned row = kind == VEC_SHL ? 0 : kind == VEC_SHR ? 1 : 2;
        vec_op_imm(e, (struct vec_code){1, 3, 1, 0xce}, d, a,
                   vec_const(e, (enum vec_constant)(VEC_SHIFT_MATRIX + 8 * row + n), 1), 0);
        return;
    }
    vec_shift(e, kind == VEC_SHL ? VEC_SHL : VEC_SHR, 1, d, a, n);
    vec_with(e, IR_V_AND, 0, d, d,
             (enum vec_constant)((kind == VEC_SHL ? VEC_SHL_MASK : VEC_SHR_MASK) + n));
    if (kind == VEC_SAR) {
        vec_with(e, IR_V_EOR, 0, d, d, (enum vec_constant)(VEC_SHR_SIGN + n));
        vec_with(e, IR_V_SUB, 0, d, d, (enum vec_constant)(VEC_SHR_SIGN + n));
    }
}

void vec_shift_lanes(struct emitter *e, enum vec_shift kind, unsigned z, unsigned d, unsigned a,
                     unsigned bits)
{
    if (z == 0) {
        shift_bytes(e, kind, d, a, bits);
    } else if (kind == VEC_SAR && z == 3 && !vec_wide(e)) { /* zeros or ones above */
        vec_zero(e, 3);
        vec_lane(e, IR_V_CMGT, 3, 3, 3, a);
        vec_shift(e, VEC_SHL, 3, 3, 3, 64 - bits);
        vec_shift(e, VEC_SHR, 3, d, a, bits);
        vec_lane(e, IR_V_ORR, 0, d, d, 3);
    } else {
        vec_shift(e, kind, z, d, a, bits);
    }
}

/* With the last bit shifted out added. Signed halfwords: VPMULHRSW by a power of two. Bytes, and
 * unsigned halfwords: one bit less, and VPAVG with zero; signed bytes moved up by 128 and the
 * result down by what became of that. */
void vec_shift_rounded(struct emitter *e, enum vec_shift kind, unsigned z, unsigned d, unsigned a,
                       unsigned bits)
{
    if (z == 1 && kind == VEC_SAR && bits < 16) {
        vec_op(e, (struct vec_code){1, 2, 0, 0x0b}, d, a,
               vec_const(e, (enum vec_constant)(VEC_POWER16 + 15 - bits), 0));
        return;
    }
    if (z == 1 && kind == VEC_SHR) {
        vec_zero(e, 3);
        if (bits > 1) {
            vec_shift(e, VEC_SHR, 1, 0, a, bits - 1);
            a = 0;
        }
        vec_op(e, (struct vec_code){1, 1, 0, 0xe3}, d, a, rm_reg(3)); /* vpavgw */
        return;
    }
    if (z) {
        vec_shift(e, VEC_SHL, z, 3, a, (8u << z) - bits);
        if (kind == VEC_SAR && z == 3 && !vec_wide(e)) { /* needs xmm3 itself */
            vec_shift(e, VEC_SHR, 3, 2, 3, 63);
            vec_shift_lanes(e, kind, 3, 0, a, bits);
            vec_lane(e, IR_V_ADD, 3, d, 0, 2);
            return;
        }
        vec_shift(e, VEC_SHR, z, 3, 3, (8u << z) - 1);
        vec_shift_lanes(e, kind, z, 0, a, bits);
        vec_lane(e, IR_V_ADD, z, d, 0, 3);
        return;
    }
    if (kind == VEC_SAR && bits == 8) {
        vec_zero(e, d);
        return;
    }
    if (kind == VEC_SAR) {
        vec_with(e, IR_V_EOR, 0, 0, a, VEC_SIGN8);
        a = 0;
    }
    if (bits > 1) {
        shift_bytes(e, VEC_SHR, 0, a, bits - 1);
        a = 0;
    }
    vec_zero(e, 3);
    vec_op(e, (struct vec_code){1, 1, 0, 0xe0}, kind == VEC_SAR ? 0 : d, a, rm_reg(3)); /* vpavgb */
    if (kind == VEC_SAR)
        vec_with(e, IR_V_SUB, 0, d, 0, (enum vec_constant)(VEC_SHR_SIGN + bits));
}

bool vec_shift_constant(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    static const struct {
        uint8_t kind;
        bool rounds, adds;
    } rows[] = {
        [IR_V_SHL - IR_V_SHL] = {VEC_SHL, false, false},
        [IR_V_USHR - IR_V_SHL] = {VEC_SHR, false, false},
        [IR_V_SSHR - IR_V_SHL] = {VEC_SAR, false, false},
        [IR_V_USRA - IR_V_SHL] = {VEC_SHR, false, true},
        [IR_V_SSRA - IR_V_SHL] = {VEC_SAR, false, true},
        [IR_V_URSHR - IR_V_SHL] = {VEC_SHR, true, false},
        [IR_V_SRSHR - IR_V_SHL] = {VEC_SAR, true, false},
        [IR_V_URSRA - IR_V_SHL] = {VEC_SHR, true, true},
        [IR_V_SRSRA - IR_V_SHL] = {VEC_SAR, true, true},
    };
    unsigned row = o->sub - (unsigned)IR_V_SHL;
    enum vec_shift kind = (enum vec_shift)rows[row].kind;
    unsigned out = rows[row].adds ? 0 : vec_out(e, o);
    if (rows[row].rounds)
        vec_shift_rounded(e, kind, o->y, out, a, o->x);
    else
        vec_shift_lanes(e, kind, o->y, out, a, o->x);
    if (rows[row].adds)
        vec_accumulate(e, o, false);
    else
        vec_finish(e, o, out);
    return true;
}

/* SLI, SRI: the bits that the shift leaves open are the destination's: `keep` of them, shifted to
 * the other end and back, the latter by AVX-512's double shifts together with the operand's. */
bool vec_shift_insert(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    bool left = o->sub == IR_V_SLI;
    unsigned z = o->y, bits = 8u << z, d = vec_use(e, o->d, 2), out = vec_out(e, o);
    if (left ? o->x == 0 : o->x == bits) { /* nothing of one of them */
        vec_finish(e, o, left ? a : d);
        return true;
    }
    if (z == 0) {
        unsigned keep = left ? VEC_SHR_MASK + 8u - o->x : VEC_SHL_MASK + 8u - o->x;
        vec_with(e, IR_V_AND, 0, 3, d, (enum vec_constant)keep);
        shift_bytes(e, left ? VEC_SHL : VEC_SHR, 0, a, o->x);
        vec_lane(e, IR_V_ORR, 0, out, 0, 3);
    } else if (vec_wide(e) && e->request->host->avx512vbmi2) { /* vpshld, vpshrd */
        vec_shift(e, left ? VEC_SHL : VEC_SHR, z, 3, d, bits - o->x);
        x86_evex(e->buf, 1, 3, z != 2, (left ? 0x70 : 0x72) + (z > 1), out, a, rm_reg(3));
        x86_byte(e->buf, o->x);
    } else {
        vec_shift(e, left ? VEC_SHL : VEC_SHR, z, 3, d, bits - o->x);
        vec_shift(e, left ? VEC_SHR : VEC_SHL, z, 3, 3, bits - o->x);
        vec_shift(e, left ? VEC_SHL : VEC_SHR, z, 0, a, o->x);
        vec_lane(e, IR_V_ORR, 0, out, 0, 3);
    }
    vec_finish(e, o, out);
    return true;
}

/* --- by a register: its lowest byte, signed; to the right where negative -------------------------
 */

static bool is_signed(const struct ir_op *o)
{
    return o->sub == IR_V_SSHL || o->sub == IR_V_SRSHL || o->sub == IR_V_SQSHL ||
           o->sub == IR_V_SQRSHL;
}

static bool rounds(const struct ir_op *o)
{
    return o->sub == IR_V_URSHL || o->sub == IR_V_SRSHL || o->sub == IR_V_UQRSHL ||
           o->sub == IR_V_SQRSHL;
}

/* xmm0 = 2 to the power of each byte of xmm3, in halfwords of its lower or upper half; 0 for
 * exponents that are not 0 to 15. */
static void powers(struct emitter *e)
{
    static const struct vec_code shuffle = {1, 2, 0, 0x00}, load = {1, 1, 0, 0x6f};
    vec_op(e, vec_lanes[IR_V_UQADD][0], 3, 3, vec_const(e, VEC_BYTE_112, 0));
    vec_op(e, load, 0, X86_NO_SECOND, vec_const(e, VEC_POWER_LOW, 0));
    vec_op(e, load, 2, X86_NO_SECOND, vec_const(e, VEC_POWER_HIGH, 0));
    vec_op(e, shuffle, 0, 0, rm_reg(3));
    vec_op(e, shuffle, 2, 2, rm_reg(3));
    vec_lane(e, IR_V_ZIP1, 0, 3, 0, 2);
    vec_lane(e, IR_V_ZIP2, 0, 0, 0, 2);
}

/* Bytes as halfwords times 2^(8 + shift): the result is the upper byte. Shifts to the right by more
 * than 8 are shifts by 8, or give zero. */
static void shift_each_byte(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    struct vec_code extend = {1, 2, 0, is_signed(o) ? 0x20 : 0x30};
    if (is_signed(o))
        vec_with(e, IR_V_SMAX, 0, 3, b, VEC_BYTE_MINUS_8);
    vec_with(e, IR_V_ADD, 0, 3, is_signed(o) ? 3 : b, VEC_BYTE_8);
    powers(e);
    vec_op(e, extend, 2, X86_NO_SECOND, rm_reg(a));
    vec_lane(e, IR_V_MUL, 1, 3, 3, 2);
    vec_shift_bytes(e, 2, a, 8);
    vec_op(e, extend, 2, X86_NO_SECOND, rm_reg(2));
    vec_lane(e, IR_V_MUL, 1, 0, 0, 2);
    if (rounds(o)) {
        vec_with(e, IR_V_ADD, 1, 3, 3, VEC_HALF8);
        vec_with(e, IR_V_ADD, 1, 0, 0, VEC_HALF8);
    }
    vec_shift(e, VEC_SHR, 1, 3, 3, 8);
    vec_shift(e, VEC_SHR, 1, 0, 0, 8);
    vec_op(e, (struct vec_code){1, 1, 0, 0x67}, 0, 3, rm_reg(0)); /* vpackuswb */
}

/* d = a shifted by each lane of xmm `counts`: VPSLLV, VPSRLV, and of words VPSRAV. */
static void shift_by_counts(struct emitter *e, enum vec_shift kind, unsigned z, unsigned d,
                            unsigned a, unsigned counts)
{
    unsigned opcode = kind == VEC_SHL ? 0x47 : kind == VEC_SAR ? 0x46 : 0x45;
    if (vec_legacy(e))
        legacy_shift(e, kind, z, d, a, counts);
    else
        vec_op(e, (struct vec_code){1, 2, z == 3, (uint8_t)opcode}, d, a, rm_reg(counts));
}

/* xmm `d` = halfwords of xmm2 as words, shifted to the left by 16 and those of xmm3. */
static void shift_halfwords_as_words(struct emitter *e, const struct ir_op *o, unsigned d)
{
    struct vec_code extend = {1, 2, 0, is_signed(o) ? 0x23 : 0x33};
    vec_op(e, (struct vec_code){1, 2, 0, 0x23}, d, X86_NO_SECOND, rm_reg(3));
    vec_op(e, extend, 2, X86_NO_SECOND, rm_reg(2));
    shift_by_counts(e, VEC_SHL, 2, d, 2, d);
    if (rounds(o))
        vec_with(e, IR_V_ADD, 2, d, d, VEC_HALF16);
    vec_shift(e, VEC_SHR, 2, d, d, 16);
}

/* Halfwords as words, likewise. */
static void shift_each_halfword(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    vec_shift(e, VEC_SHL, 1, 3, b, 8);
    vec_shift(e, VEC_SAR, 1, 3, 3, 8);
    if (is_signed(o))
        vec_with(e, IR_V_SMAX, 1, 3, 3, VEC_HALFWORD_MINUS_16);
    vec_with(e, IR_V_ADD, 1, 3, 3, VEC_HALFWORD_16);
    vec_copy_reg(e, 2, a);
    shift_halfwords_as_words(e, o, 0);
    vec_shift_bytes(e, 3, 3, 8);
    vec_shift_bytes(e, 2, a, 8);
    shift_halfwords_as_words(e, o, 3);
    vec_op(e, (struct vec_code){1, 2, 0, 0x2b}, 0, 0, rm_reg(3)); /* vpackusdw */
}

/* d = a shifted to the right by each lane of xmm `counts`: zeros or signs from the lane's size on.
 * Without AVX-512 signs of 64 bits: the number or its complement is positive. Overwrites xmm1 and
 * xmm2. */
static void right_by_counts(struct emitter *e, const struct ir_op *o, unsigned d, unsigned a,
                            unsigned counts)
{
    unsigned z = o->y;
    if (!is_signed(o)) {
        shift_by_counts(e, VEC_SHR, z, d, a, counts);
    } else if (z == 2) {
        shift_by_counts(e, VEC_SAR, 2, d, a, counts);
    } else if (vec_wide(e)) { /* vpsravq */
        x86_evex(e->buf, 1, 2, 1, 0x46, d, a, rm_reg(counts));
    } else {
        vec_zero(e, 2);
        vec_lane(e, IR_V_CMGT, 3, 2, 2, a);
        vec_lane(e, IR_V_EOR, 0, 1, a, 2);
        shift_by_counts(e, VEC_SHR, 3, d, 1, counts);
        vec_lane(e, IR_V_EOR, 0, d, d, 2);
    }
}

static enum vec_constant lowest_byte(const struct ir_op *o)
{
    return o->y == 3 ? VEC_COUNT64 : VEC_COUNT32;
}

/* xmm `d` = V[a] shifted to the right where b is negative. A rounded shift adds the bit below: b
 * inverted counts one less than b negated. Overwrites xmm `temp`, xmm1 and, as right_by_counts()
 * does, xmm2. */
static void right_lanes(struct emitter *e, const struct ir_op *o, unsigned d, unsigned temp)
{
    unsigned z = o->y, b = vec_use(e, o->b, temp);
    vec_zero(e, d);
    vec_lane(e, IR_V_SUB, z, d, d, b);
    vec_with(e, IR_V_AND, 0, d, d, lowest_byte(o));
    right_by_counts(e, o, d, vec_use(e, o->a, 1), d);
    if (rounds(o)) {
        vec_with(e, IR_V_EOR, 0, temp, vec_use(e, o->b, temp), VEC_ONES);
        vec_with(e, IR_V_AND, 0, temp, temp, lowest_byte(o));
        right_by_counts(e, o, temp, vec_use(e, o->a, 1), temp);
        vec_with(e, IR_V_AND, 0, temp, temp, z == 3 ? VEC_ONE64 : VEC_ONE32);
        vec_lane(e, IR_V_ADD, z, d, d, temp);
    }
}

/* xmm `d` = V[a] shifted to the left by the lowest byte of b: zero where that is negative. */
static void left_lanes(struct emitter *e, const struct ir_op *o, unsigned d, unsigned counts)
{
    vec_with(e, IR_V_AND, 0, counts, vec_use(e, o->b, 2), lowest_byte(o));
    shift_by_counts(e, VEC_SHL, o->y, d, vec_use(e, o->a, 1), counts);
}

/* xmm `d` = b with its lowest byte's sign as each lane's. */
static void signs_of_counts(struct emitter *e, const struct ir_op *o, unsigned d)
{
    vec_shift(e, VEC_SHL, o->y, d, vec_use(e, o->b, d), (8u << o->y) - 8);
}

/* Words and doublewords: one shift in each direction, where the count of the wrong one, modulo 256,
 * is too large. */
static void shift_each_lane(struct emitter *e, const struct ir_op *o)
{
    right_lanes(e, o, 0, 3);
    left_lanes(e, o, 3, 3);
    if (is_signed(o)) {
        signs_of_counts(e, o, 2);
        vec_blend(e, o->y, 0, 2, 0, 3);
    } else {
        vec_lane(e, IR_V_ORR, 0, 0, 0, 3);
    }
}

bool vec_shift_register(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    if (vec_wide(e)) {
        vec_shift_register_wide(e, o, a, b);
        return true;
    }
    if (o->y == 0)
        shift_each_byte(e, o, a, b);
    else if (o->y == 1)
        shift_each_halfword(e, o, a, b);
    else
        shift_each_lane(e, o);
    vec_finish(e, o, 0);
    return true;
}

/* --- by a register, with saturation --------------------------------------------------------------
 *
 * Of all vector instructions these take the longest sequences: the direction, the saturation of
 * what goes left and the rounding of what goes right differ from lane to lane. Compilers do not
 * emit them, and no program that we know runs them in its hot loops.
 */

/* Words and doublewords: left is saturated if it does not give the operand when shifted back. */
static void saturate_each_lane(struct emitter *e, const struct ir_op *o)
{
    unsigned z = o->y;
    left_lanes(e, o, 0, 3);
    right_by_counts(e, o, 3, 0, 3);
    vec_copy(e, 1, o->a);
    vec_lane(e, IR_V_CMEQ, z, 3, 3, 1);
    if (is_signed(o)) {
        vec_zero(e, 2);
        vec_lane(e, IR_V_CMGT, z, 2, 2, 1);
        vec_with(e, IR_V_EOR, 0, 2, 2, z == 3 ? VEC_ABS64 : VEC_ABS32);
    } else {
        vec_ones(e, 2);
    }
    vec_blend(e, 0, 0, 3, 0, 2);
    signs_of_counts(e, o, 2);
    vec_lane(e, IR_V_ORR, 0, 3, 3, 2);
    vec_with(e, IR_V_EOR, 0, 3, 3, VEC_ONES);
    vec_saturated_if_signs(e, z, 3, vec_bytes(o, z));
    right_lanes(e, o, 3, 2);
    signs_of_counts(e, o, 2);
    vec_blend(e, z, 0, 2, 3, 0);
}

/* xmm `d` = V[v], its lanes repeated where o has fewer, and of bytes the lower or upper half. */
static void eight_lanes(struct emitter *e, const struct ir_op *o, unsigned v, unsigned d,
                        bool upper)
{
    unsigned reg = vec_use(e, v, d);
    if (o->flags & IR_SCALAR) { /* vpbroadcastb, vpbroadcastw */
        vec_op(e, (struct vec_code){1, 2, 0, (uint8_t)(0x78 + o->y)}, d, X86_NO_SECOND,
               rm_reg(reg));
        reg = d;
    } else if (!(o->flags & IR_Q)) {
        vec_lane(e, IR_V_ZIP1, 3, d, reg, reg);
        reg = d;
    }
    if (upper)
        vec_shift_bytes(e, d, reg, 8);
    else
        vec_copy_reg(e, d, reg);
}

/* 256-bit instructions on words: opcode in 0F 38, or in 0F. */
static void word_op(struct emitter *e, unsigned opcode, unsigned d, unsigned a, struct x86_rm b)
{
    x86_vec_256(e->buf, 1, 2, opcode, d, a, b);
}

static void word_op_0f(struct emitter *e, unsigned opcode, unsigned d, unsigned a, struct x86_rm b)
{
    x86_vec_256(e->buf, 1, 1, opcode, d, a, b);
}

static struct x86_rm words(const struct emitter *e, enum vec_words which)
{
    return vec_const(e, (enum vec_constant)(VEC_WORDS + 2 * which), 0);
}

/* ymm3 = ymm1 within the bounds of the lanes' own size; QC if that is not the same. */
static void saturate_words(struct emitter *e, const struct ir_op *o)
{
    unsigned bounds = 2u * o->y;
    if (is_signed(o)) { /* vpminsd, vpmaxsd */
        word_op(e, 0x39, 3, 1, words(e, WORDS_127 + bounds));
        word_op(e, 0x3d, 3, 3, words(e, WORDS_MINUS_128 + bounds));
    } else { /* vpminud */
        word_op(e, 0x3b, 3, 1, words(e, WORDS_255 + o->y));
    }
    word_op_0f(e, 0xef, 1, 1, rm_reg(3));
    word_op(e, 0x17, 1, X86_NO_SECOND, rm_reg(1)); /* vptest */
    vec_saturated_unless_zero(e);
}

/* xmm3 = eight lanes of bytes or halfwords, as halfwords. They are words meanwhile, which have room
 * for shifts by the lanes' size; larger ones give no other result. */
static void saturate_as_words(struct emitter *e, const struct ir_op *o, bool upper)
{
    bool with_signs = is_signed(o);
    unsigned z = o->y, extend_signed = z ? 0x23 : 0x21;
    eight_lanes(e, o, o->a, 1, upper);
    eight_lanes(e, o, o->b, 2, upper);
    if (z) {
        vec_shift(e, VEC_SHL, 1, 2, 2, 8);
        vec_shift(e, VEC_SAR, 1, 2, 2, 8);
    }
    word_op(e, with_signs ? extend_signed : extend_signed + 0x10, 1, X86_NO_SECOND, rm_reg(1));
    word_op(e, extend_signed, 2, X86_NO_SECOND, rm_reg(2));
    word_op_0f(e, 0x72, 4, 3, rm_reg(2)); /* vpsrad: ymm3 = the count if to the left, else 0 */
    x86_byte(e->buf, 31);
    word_op_0f(e, 0xdf, 3, 3, rm_reg(2));
    word_op_0f(e, 0xfa, 2, 2, rm_reg(3)); /* ymm2 = the count if to the right, else 0 */
    word_op(e, 0x1e, 2, X86_NO_SECOND, rm_reg(2));
    word_op(e, 0x3b, 3, 3, words(e, WORDS_8 + 2 * z));
    word_op(e, 0x47, 1, 1, rm_reg(3)); /* vpsllvd */
    word_op(e, 0x3b, 2, 2, words(e, WORDS_9 + 2 * z));
    if (rounds(o)) { /* half of the last bit's value */
        x86_vec_256(e->buf, 2, 1, 0x6f, 3, X86_NO_SECOND, words(e, WORDS_1)); /* vmovdqu */
        word_op(e, 0x47, 3, 3, rm_reg(2));
        word_op_0f(e, 0x72, 2, 3, rm_reg(3));
        x86_byte(e->buf, 1);
        word_op_0f(e, 0xfe, 1, 1, rm_reg(3));
    }
    word_op(e, with_signs ? 0x46 : 0x45, 1, 1, rm_reg(2)); /* vpsravd, vpsrlvd */
    saturate_words(e, o);
    x86_vec_256(e->buf, 1, 3, 0x39, 3, X86_NO_SECOND, rm_reg(2)); /* vextracti128 */
    x86_byte(e->buf, 1);
    vec_clear_upper(e);
    vec_op(e, with_signs ? (struct vec_code){1, 1, 0, 0x6b} : (struct vec_code){1, 2, 0, 0x2b}, 3,
           3, rm_reg(2));
}

bool vec_saturating_register(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    if ((o->y == 3 && is_signed(o) && rounds(o) && !vec_wide(e)) || (o->y < 2 && vec_legacy(e)))
        return false;
    flags_clobber(e);
    if (o->y >= 2) {
        saturate_each_lane(e, o);
        vec_finish(e, o, 0);
        return true;
    }
    saturate_as_words(e, o, false);
    if (o->y == 0) {
        vec_copy_reg(e, 0, 3);
        if (o->flags & IR_Q)
            saturate_as_words(e, o, true);
        vec_op(e, (struct vec_code){1, 1, 0, is_signed(o) ? 0x63 : 0x67}, 3, 0, rm_reg(3));
    }
    vec_finish(e, o, 3);
    return true;
}
