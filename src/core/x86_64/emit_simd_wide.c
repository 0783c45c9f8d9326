/* emit_simd_wide.c: vector integer instructions whose result has elements of twice or half the
 * size, and shifts by a constant. IR_Q says which half of the narrow side takes part.
 */
#include "core/x86_64/emit_simd.h"

static void keep_low(struct emitter *e, unsigned z, unsigned d, unsigned a)
{
    static const uint8_t low[] = {VEC_LOW8, VEC_LOW16, VEC_LOW32};
    x86_vec(e->buf, 1, 1, 0, 0xdb, d, a, vec_const(e, (enum vec_constant)low[z], 0));
}

/* d = the lower (or upper) half of a with each element extended: vpmovzx, vpmovsx. */
static void extend(struct emitter *e, unsigned z, bool is_signed, unsigned d, unsigned a,
                   bool upper)
{
    static const uint8_t opcodes[] = {0x30, 0x33, 0x35};
    if (upper) {
        vec_shift_bytes(e, d, a, 8);
        a = d;
    }
    x86_vec(e->buf, 1, 2, 0, opcodes[z] - (is_signed ? 0x10u : 0), d, X86_NO_SECOND, rm_reg(a));
}

/* The lower halves of a's elements of twice 1 << z bytes, as the instruction's result. */
static void narrow_to(struct emitter *e, const struct ir_op *o, unsigned a)
{
    if (o->y == 2) {
        x86_vec(e->buf, 1, 1, 0, 0x70, 0, X86_NO_SECOND, rm_reg(a)); /* vpshufd */
        x86_byte(e->buf, 0x08);
    } else {
        x86_vec(e->buf, 1, 2, 0, 0x00, 0, a, vec_const(e, o->y ? VEC_SORT16 : VEC_SORT8, 0));
    }
    if (!(o->flags & IR_Q)) {
        vec_set(e, o->d, 0, 8);
        return;
    }
    unsigned d = vec_use(e, o->d, 3);
    vec_lane(e, IR_V_ZIP1, 3, d, d, 0);
    vec_done(e, o->d, d);
}

/* xmm0 = xmm0 * xmm3, elements of twice 1 << z bytes that were extended. */
static void multiply_extended(struct emitter *e, unsigned z, bool is_signed)
{
    if (z < 2)
        vec_lane(e, IR_V_MUL, z + 1, 0, 0, 3);
    else if (is_signed) /* vpmuldq, vpmuludq */
        x86_vec(e->buf, 1, 2, X86_W_EVEX, 0x28, 0, 0, rm_reg(3));
    else
        x86_vec(e->buf, 1, 1, X86_W_EVEX, 0xf4, 0, 0, rm_reg(3));
}

bool vec_lengthen(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    if (o->sub < IR_V_SADDL || o->sub > IR_V_UABAL || o->y > 2)
        return false;
    struct ir_op full = *o; /* the result has 128 bits */
    full.flags |= IR_Q;
    bool is_signed = !((o->sub - IR_V_SADDL) & 1), upper = o->flags & IR_Q;
    enum ir_vec kind = (enum ir_vec)(o->sub - !is_signed);
    unsigned z = o->y;
    if (kind == IR_V_SABDL || kind == IR_V_SABAL) {
        vec_difference(e, z, is_signed, a, b);
        extend(e, z, false, 0, 0, upper);
        if (kind == IR_V_SABAL)
            vec_accumulate(e, &full, z + 1, false);
        else
            vec_finish(e, &full, 0);
        return true;
    }
    extend(e, z, is_signed, 3, b, upper);
    if (kind == IR_V_SADDW || kind == IR_V_SSUBW) {
        vec_lane(e, kind == IR_V_SADDW ? IR_V_ADD : IR_V_SUB, z + 1, 0, a, 3);
        vec_finish(e, &full, 0);
        return true;
    }
    extend(e, z, is_signed, 0, a, upper);
    if (kind == IR_V_SADDL || kind == IR_V_SSUBL)
        vec_lane(e, kind == IR_V_SADDL ? IR_V_ADD : IR_V_SUB, z + 1, 0, 0, 3);
    else
        multiply_extended(e, z, is_signed);
    if (kind == IR_V_SMLAL || kind == IR_V_SMLSL)
        vec_accumulate(e, &full, z + 1, kind == IR_V_SMLSL);
    else
        vec_finish(e, &full, 0);
    return true;
}

/* Sums of neighbours, unsigned, at twice the size. */
bool vec_add_long_pairs(struct emitter *e, const struct ir_op *o, unsigned a)
{
    vec_shift(e, VEC_SHR, o->y + 1u, 3, a, 8u << o->y);
    keep_low(e, o->y, 0, a);
    vec_lane(e, IR_V_ADD, o->y + 1u, 0, 0, 3);
    if (o->sub == IR_V_UADALP)
        vec_accumulate(e, o, o->y + 1u, false);
    else
        vec_finish(e, o, 0);
    return true;
}

/* SQXTN, SQXTUN, UQXTN: clamp at the wide size, look whether that changed anything, narrow. */
bool vec_narrow(struct emitter *e, const struct ir_op *o, unsigned a)
{
    static const uint64_t most[2][2] = {{0x00ff00ff00ff00ff, 0x007f007f007f007f},
                                        {0x0000ffff0000ffff, 0x00007fff00007fff}};
    unsigned z = o->y;
    if (z > 1)
        return false;
    bool to_signed = o->sub == IR_V_SQXTN;
    struct ir_op full = *o;
    full.flags |= IR_Q;
    flags_clobber(e);
    vec_fill(e, 3, most[z][to_signed]);
    vec_lane(e, o->sub == IR_V_UQXTN ? IR_V_UMIN : IR_V_SMIN, z + 1, 0, a, 3);
    if (to_signed) { /* at least -128: ~127 */
        vec_ones(e, 2);
        vec_lane(e, IR_V_EOR, 0, 3, 3, 2);
        vec_lane(e, IR_V_SMAX, z + 1, 0, 0, 3);
    } else if (o->sub == IR_V_SQXTUN) {
        vec_zero(e, 3);
        vec_lane(e, IR_V_SMAX, z + 1, 0, 0, 3);
    }
    vec_lane(e, IR_V_EOR, 0, 3, 0, a);
    vec_saturated_if(e, &full, 3);
    narrow_to(e, o, 0);
    return true;
}

/* --- shifts by a constant ----------------------------------------------------------------------
 */

static uint64_t replicate(uint64_t element, unsigned z)
{
    for (unsigned bits = 8u << z; bits < 64; bits *= 2)
        element |= element << bits;
    return element;
}

/* d (0) = a shifted. Bytes as halfwords, without the bits that came from the neighbour. */
static bool shifted(struct emitter *e, enum vec_shift kind, unsigned z, unsigned a, unsigned n)
{
    if (z) {
        if (kind == VEC_SAR && z == 3 && !vec_wide(e))
            return false;
        vec_shift(e, kind, z, 0, a, n);
        return true;
    }
    if (kind == VEC_SAR && n == 8)
        n = 7;
    vec_shift(e, kind == VEC_SHL ? VEC_SHL : VEC_SHR, 1, 0, a, n);
    vec_fill(e, 3, replicate(kind == VEC_SHL ? 0xffu << n & 0xff : 0xffu >> n, 0));
    vec_lane(e, IR_V_AND, 0, 0, 0, 3);
    if (kind == VEC_SAR) {
        vec_fill(e, 3, replicate(0x80u >> n, 0));
        vec_lane(e, IR_V_EOR, 0, 0, 0, 3);
        vec_lane(e, IR_V_SUB, 0, 0, 0, 3);
    }
    return true;
}

/* xmm0 = a shifted right, to the nearest: with the last bit shifted out added. */
static bool rounded(struct emitter *e, enum vec_shift kind, unsigned z, unsigned a, unsigned n)
{
    unsigned bits = 8u << z;
    if (!z || (kind == VEC_SAR && z == 3 && !vec_wide(e)))
        return false;
    vec_shift(e, VEC_SHL, z, 3, a, bits - n);
    vec_shift(e, VEC_SHR, z, 3, 3, bits - 1);
    vec_shift(e, kind, z, 0, a, n);
    vec_lane(e, IR_V_ADD, z, 0, 0, 3);
    return true;
}

/* SLI, SRI: the bits that the shift leaves open are the destination's. */
static void insert(struct emitter *e, const struct ir_op *o, unsigned a)
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
}

static bool shift(struct emitter *e, const struct ir_op *o, unsigned a)
{
    static const struct {
        enum vec_shift kind;
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
    bool done = rows[row].rounds ? rounded(e, rows[row].kind, o->y, a, o->x)
                                 : shifted(e, rows[row].kind, o->y, a, o->x);
    if (!done)
        return false;
    if (rows[row].adds)
        vec_accumulate(e, o, o->y, false);
    else
        vec_finish(e, o, 0);
    return true;
}

void emit_VSHIFT(struct emitter *e, const struct ir_op *o)
{
    unsigned a = vec_use(e, o->a, 1);
    switch (o->sub) {
    case IR_V_SLI:
    case IR_V_SRI:
        insert(e, o, a);
        return;
    case IR_V_SHRN:
        if (o->x) {
            vec_shift(e, VEC_SHR, o->y + 1u, 0, a, o->x);
            a = 0;
        }
        narrow_to(e, o, a);
        return;
    case IR_V_USHLL:
    case IR_V_SSHLL: {
        extend(e, o->y, o->sub == IR_V_SSHLL, 0, a, o->flags & IR_Q);
        if (o->x)
            vec_shift(e, VEC_SHL, o->y + 1u, 0, 0, o->x);
        vec_set(e, o->d, 0, 16);
        return;
    }
    default:
        if (!shift(e, o, a))
            emit_INTERPRET(e, o);
    }
}
