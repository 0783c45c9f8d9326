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

/* With the last bit shifted out added. Bytes: one bit less, and VPAVGB with zero; signed ones moved
 * up by 128 and the result down by what became of that. */
void vec_shift_rounded(struct emitter *e, enum vec_shift kind, unsigned z, unsigned a,
                       unsigned bits)
{
    if (z) {
        vec_shift_lanes(e, kind, z, 0, a, bits);
        vec_shift(e, VEC_SHL, z, 3, a, (8u << z) - bits);
        vec_shift(e, VEC_SHR, z, 3, 3, (8u << z) - 1);
        vec_lane(e, IR_V_ADD, z, 0, 0, 3);
        return;
    }
    if (kind == VEC_SAR && bits == 8) {
        vec_zero(e, 0);
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
    vec_op(e, (struct vec_code){1, 1, 0, 0xe0}, 0, a, rm_reg(3)); /* vpavgb */
    if (kind == VEC_SAR)
        vec_with(e, IR_V_SUB, 0, 0, 0, (enum vec_constant)(VEC_SHR_SIGN + bits));
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
    if (rows[row].rounds)
        vec_shift_rounded(e, kind, o->y, a, o->x);
    else
        vec_shift_lanes(e, kind, o->y, 0, a, o->x);
    if (rows[row].adds)
        vec_accumulate(e, o, false);
    else
        vec_finish(e, o, 0);
    return true;
}

static uint64_t replicate(uint64_t element, unsigned z)
{
    for (unsigned bits = 8u << z; bits < 64; bits *= 2)
        element |= element << bits;
    return element;
}

/* SLI, SRI: the bits that the shift leaves open are the destination's. */
bool vec_shift_insert(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    unsigned z = o->y, bits = 8u << z;
    uint64_t all = bits == 64 ? ~0ull : (1ull << bits) - 1, mask;
    if (o->sub == IR_V_SLI)
        mask = all << o->x & all;
    else
        mask = o->x == 64 ? 0 : all >> o->x;
    vec_shift(e, o->sub == IR_V_SLI ? VEC_SHL : VEC_SHR, z ? z : 1, 0, a, o->x);
    vec_fill(e, 3, replicate(mask, z));
    vec_lane(e, IR_V_AND, 0, 0, 0, 3);
    vec_lane(e, IR_V_BIC, 0, 3, 3, vec_use(e, o->d, 2));
    vec_lane(e, IR_V_ORR, 0, 0, 0, 3);
    vec_finish(e, o, 0);
    return true;
}

/* --- by a register: its lowest byte, signed; to the right where negative -------------------------
 */

static bool is_signed(const struct ir_op *o)
{
    return o->sub == IR_V_SSHL || o->sub == IR_V_SRSHL;
}

static bool rounds(const struct ir_op *o)
{
    return o->sub == IR_V_URSHL || o->sub == IR_V_SRSHL;
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

/* xmm `d` = halfwords of xmm2 as words, shifted to the left by 16 and those of xmm3. */
static void shift_halfwords_as_words(struct emitter *e, const struct ir_op *o, unsigned d)
{
    struct vec_code extend = {1, 2, 0, is_signed(o) ? 0x23 : 0x33};
    vec_op(e, (struct vec_code){1, 2, 0, 0x23}, d, X86_NO_SECOND, rm_reg(3));
    vec_op(e, extend, 2, X86_NO_SECOND, rm_reg(2));
    vec_op(e, (struct vec_code){1, 2, 0, 0x47}, d, 2, rm_reg(d)); /* vpsllvd */
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

/* d = V[a] shifted to the right by each lane of xmm `counts`: zeros or signs from the lane's size
 * on. Without AVX-512 signs of 64 bits: the number or its complement is positive. Overwrites xmm1
 * and xmm2. */
static void right_by_counts(struct emitter *e, const struct ir_op *o, unsigned d, unsigned counts)
{
    unsigned a = vec_use(e, o->a, 1), z = o->y;
    struct vec_code logical = {1, 2, z == 3, 0x45}, arithmetic = {1, 2, z == 3, 0x46};
    if (!is_signed(o)) {
        vec_op(e, logical, d, a, rm_reg(counts));
    } else if (z == 2) {
        vec_op(e, arithmetic, d, a, rm_reg(counts));
    } else if (vec_wide(e)) { /* vpsravq */
        x86_evex(e->buf, 1, 2, 1, 0x46, d, a, rm_reg(counts));
    } else {
        vec_zero(e, 2);
        vec_lane(e, IR_V_CMGT, 3, 2, 2, a);
        vec_lane(e, IR_V_EOR, 0, 1, a, 2);
        vec_op(e, logical, d, 1, rm_reg(counts));
        vec_lane(e, IR_V_EOR, 0, d, d, 2);
    }
}

/* Words and doublewords: one shift in each direction, where the count of the wrong one, modulo 256,
 * is too large. A rounded shift adds the bit below: b inverted counts one less than b negated. */
static void shift_each_lane(struct emitter *e, const struct ir_op *o, unsigned b)
{
    unsigned z = o->y;
    enum vec_constant low = z == 3 ? VEC_COUNT64 : VEC_COUNT32;
    vec_zero(e, 3);
    vec_lane(e, IR_V_SUB, z, 3, 3, b);
    vec_with(e, IR_V_AND, 0, 3, 3, low);
    right_by_counts(e, o, 0, 3);
    if (rounds(o)) {
        vec_with(e, IR_V_EOR, 0, 3, vec_use(e, o->b, 3), VEC_ONES);
        vec_with(e, IR_V_AND, 0, 3, 3, low);
        right_by_counts(e, o, 3, 3);
        vec_with(e, IR_V_AND, 0, 3, 3, z == 3 ? VEC_ONE64 : VEC_ONE32);
        vec_lane(e, IR_V_ADD, z, 0, 0, 3);
    }
    unsigned a = vec_use(e, o->a, 1);
    b = vec_use(e, o->b, 2);
    vec_with(e, IR_V_AND, 0, 3, b, low);
    vec_op(e, (struct vec_code){1, 2, z == 3, 0x47}, 3, a, rm_reg(3)); /* vpsllv */
    if (is_signed(o)) {
        vec_shift(e, VEC_SHL, z, 2, b, (8u << z) - 8);
        vec_blend(e, z, 0, 2, 0, 3);
    } else {
        vec_lane(e, IR_V_ORR, 0, 0, 0, 3);
    }
}

bool vec_shift_register(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    if (o->y == 0)
        shift_each_byte(e, o, a, b);
    else if (o->y == 1)
        shift_each_halfword(e, o, a, b);
    else
        shift_each_lane(e, o, b);
    vec_finish(e, o, 0);
    return true;
}
