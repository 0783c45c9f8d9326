/* emit_simd_shift_wide.c: vector shifts by a register in AVX-512, which has them for lanes of 2, 4
 * and 8 bytes and takes counts beyond the lane's size for what they are. Bytes are words of a
 * 256-bit register meanwhile.
 *
 * The count is the lowest byte of each lane, signed: where it is negative (mask k1) the lane is
 * shifted to the right by its absolute value. To the left a negative count gives zero by itself.
 * With rounding the shift to the right is by one less, and the last place follows as the half of a
 * sum with one.
 */
#include "core/x86_64/emit_simd.h"

enum { VPSLLV_W = 0x12, VPSRLV_W = 0x10, VPSRAV_W = 0x11 };  /* lanes of 2 bytes */
enum { VPSLLV = 0x47, VPSRLV = 0x45, VPSRAV = 0x46 };        /* of 4 and 8 */
enum { VPMOV_2M_W = 0x29, VPMOV_2M = 0x39, VPMOVWB = 0x30 }; /* signs to a mask; truncation */
enum { VPMOVSXBW = 0x20, VPMOVZXBW = 0x30 };

struct shift {
    struct emitter *e;
    unsigned z; /* of the lanes as they are shifted: 1 to 3 */
    uint8_t length;
    bool is_signed, rounds;
};

/* An instruction on all of the lanes, or with `masked` on those of k1. */
static void op(const struct shift *s, unsigned pp, unsigned map, unsigned w, unsigned opcode,
               bool masked, unsigned d, unsigned a, struct x86_rm b)
{
    x86_evex_lanes(s->e->buf, (struct x86_lanes){s->length, masked, masked}, pp, map, w, opcode, d,
                   a, b);
}

static void shift_by(const struct shift *s, bool left, bool masked, unsigned d, unsigned a,
                     unsigned counts)
{
    unsigned opcode = s->z == 1      ? left           ? VPSLLV_W
                                       : s->is_signed ? VPSRAV_W
                                                      : VPSRLV_W
                      : left         ? VPSLLV
                      : s->is_signed ? VPSRAV
                                     : VPSRLV;
    op(s, 1, 2, s->z != 2, opcode, masked, d, a, rm_reg(counts));
}

/* Lanes of k1 of xmm `d` = those of `a` shifted to the right by one. */
static void halve(const struct shift *s, unsigned d, unsigned a)
{
    unsigned kind = s->is_signed ? VEC_SAR : VEC_SHR;
    unsigned opcode = kind == VEC_SAR && s->z == 3 ? 0x72 : 0x70 + s->z;
    op(s, 1, 1, s->z == 3, opcode, true, kind, d, rm_reg(a));
    x86_byte(s->e->buf, 1);
}

/* xmm3 = lanes of `a` shifted by those of xmm3. Overwrites xmm0 and xmm2. */
static void shift_lanes(const struct shift *s, unsigned a)
{
    static const uint8_t subtract[] = {0, 0xf9, 0xfa, 0xfb};
    unsigned w = s->z == 3;
    op(s, 2, 2, s->z & 1, s->z == 1 ? VPMOV_2M_W : VPMOV_2M, false, 1, X86_NO_SECOND, rm_reg(3));
    if (!s->rounds) {
        op(s, 1, 1, 0, 0xef, false, 0, 0, rm_reg(0)); /* vpxord */
        op(s, 1, 1, w, subtract[s->z], false, 2, 0, rm_reg(3));
        shift_by(s, true, false, 3, a, 3);
        shift_by(s, false, true, 3, a, 2);
        return;
    }
    op(s, 1, 3, 0, 0x25, false, 0, 0, rm_reg(0)); /* vpternlogd: all ones */
    x86_byte(s->e->buf, 0xff);
    op(s, 1, 1, 0, 0xef, false, 2, 0, rm_reg(3)); /* less one, negated */
    shift_by(s, true, false, 3, a, 3);
    shift_by(s, false, false, 2, a, 2);
    if (s->length) { /* there is room for one more */
        op(s, 1, 1, w, subtract[s->z], false, 2, 2, rm_reg(0));
        halve(s, 3, 2);
    } else {
        static const uint8_t one[] = {0, VEC_ONE16, VEC_ONE32, VEC_ONE64};
        vec_with(s->e, IR_V_AND, 0, 0, 2, (enum vec_constant)one[s->z]);
        halve(s, 3, 2);
        op(s, 1, 1, w, s->z == 3 ? 0xd4 : 0xfc + s->z, true, 3, 3, rm_reg(0));
    }
}

void vec_shift_register_wide(struct emitter *e, const struct ir_op *o, unsigned a, unsigned b)
{
    struct shift s = {.e = e,
                      .z = o->y ? o->y : 1,
                      .length = o->y == 0,
                      .is_signed = o->sub == IR_V_SSHL || o->sub == IR_V_SRSHL,
                      .rounds = o->sub == IR_V_URSHL || o->sub == IR_V_SRSHL};
    if (o->y == 0) {
        unsigned out = vec_out(e, o), extend = s.is_signed ? VPMOVSXBW : VPMOVZXBW;
        op(&s, 1, 2, 0, VPMOVSXBW, false, 3, X86_NO_SECOND, rm_reg(b));
        op(&s, 1, 2, 0, extend, false, 1, X86_NO_SECOND, rm_reg(a));
        shift_lanes(&s, 1);
        op(&s, 2, 2, 0, VPMOVWB, false, 3, X86_NO_SECOND, rm_reg(out));
        vec_clear_upper(e);
        vec_finish(e, o, out);
        return;
    }
    unsigned unused = (8u << s.z) - 8;
    vec_shift(e, VEC_SHL, s.z, 3, b, unused);
    vec_shift(e, VEC_SAR, s.z, 3, 3, unused);
    shift_lanes(&s, a);
    vec_finish(e, o, 3);
}
