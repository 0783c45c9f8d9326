/* asm_legacy.c: vector instructions of 128 bits on a host without AVX2, as SSE encodes them.
 *
 * VEX has a destination of its own, which in SSE is also the first source: that is moved there
 * first. Where the destination is the second source an instruction whose operands commute takes
 * them the other way round, any other takes a copy of it in X86_LEGACY_TEMP. The instruction itself
 * comes last, since the caller writes its immediate byte behind it.
 *
 *     vpsubd  xmm0, xmm1, xmm0    ->    movaps xmm15, xmm0 ; movaps xmm0, xmm1 ; psubd xmm0, xmm15
 *
 * Limits: SSE4.2 at most; operands in memory that are not to be moved alone must be aligned, as
 * constants and the guest's registers are. What has no SSE form (comparisons by most predicates,
 * variable blends and shifts, fused multiply-add, 256 bits) the emitters do otherwise.
 */
#include <string.h>

#include "core/x86_64/asm.h"

/* `map` and `pp` as numbers in front of the opcode. */
static void plain(struct x86_buf *b, unsigned pp, unsigned map, unsigned w, unsigned opcode,
                  unsigned reg, struct x86_rm rm)
{
    static const uint8_t prefixes[] = {0, 0x66, 0xf3, 0xf2};
    static const unsigned maps[] = {0, 0x0f00, 0x0f3800, 0x0f3a00};
    x86_op(b, prefixes[pp], maps[map] | opcode, w == 1 ? 8 : 4, reg, rm);
}

static void copy(struct x86_buf *b, unsigned d, struct x86_rm from)
{
    if (!from.is_reg || from.base != d)
        plain(b, 0, 1, 0, 0x28, d, from); /* movaps */
}

static void shuffle_words(struct x86_buf *b, unsigned d, struct x86_rm a, uint8_t order)
{
    plain(b, 1, 1, 0, 0x70, d, a); /* pshufd */
    x86_byte(b, order);
}

/* Bytes and halfwords to all lanes; from memory by way of the lowest one. */
static void broadcast_small(struct x86_buf *b, bool bytes, unsigned d, struct x86_rm rm)
{
    if (!rm.is_reg) {
        plain(b, 1, bytes ? 3 : 1, 0, bytes ? 0x20 : 0xc4, d, rm); /* pinsrb, pinsrw */
        x86_byte(b, 0);
        rm = rm_reg(d);
    }
    if (bytes) {
        plain(b, 1, 1, 0, 0xef, X86_LEGACY_TEMP, rm_reg(X86_LEGACY_TEMP)); /* pxor */
        copy(b, d, rm);
        plain(b, 1, 2, 0, 0x00, d, rm_reg(X86_LEGACY_TEMP)); /* pshufb */
        return;
    }
    plain(b, 3, 1, 0, 0x70, d, rm); /* pshuflw */
    x86_byte(b, 0);
    shuffle_words(b, d, rm_reg(d), 0);
}

/* AVX2's VPBROADCAST and AVX's VBROADCASTSS. False: it is none of them. */
static bool broadcast(struct x86_buf *b, unsigned map, unsigned opcode, unsigned d,
                      struct x86_rm rm)
{
    bool words = opcode == 0x58 || opcode == 0x18;
    if (map != 2 || !(words || opcode == 0x59 || opcode == 0x78 || opcode == 0x79))
        return false;
    if (opcode == 0x59) {
        plain(b, 3, 1, 0, 0x12, d, rm); /* movddup */
    } else if (words) {
        if (!rm.is_reg)
            plain(b, 1, 1, 0, 0x6e, d, rm); /* movd */
        shuffle_words(b, d, rm.is_reg ? rm : rm_reg(d), 0);
    } else {
        broadcast_small(b, opcode == 0x78, d, rm);
    }
    return true;
}

/* The operand in `rm` is a general register: CVTSI2SS, CVTSI2SD, PINSR. */
static bool from_general(unsigned pp, unsigned map, unsigned opcode)
{
    return map == 1 ? (opcode == 0x2a && pp >= 2) || opcode == 0xc4
                    : map == 3 && (opcode == 0x20 || opcode == 0x22);
}

/* Both operands may change places: integers, logic, and packed sums and products, whose NaNs go to
 * the interpreter. */
static bool commutes(unsigned pp, unsigned map, unsigned opcode)
{
    static const uint8_t integers[] = {0xfc, 0xfd, 0xfe, 0xd4, 0xd5, 0xee, 0xea, 0xde,
                                       0xda, 0x74, 0x75, 0x76, 0xec, 0xed, 0xdc, 0xdd,
                                       0xdb, 0xeb, 0xef, 0xe4, 0xe5, 0xf4, 0xf5, 0xe0,
                                       0xe3, 0xf6, 0x54, 0x56, 0x57, 0x58, 0x59};
    static const uint8_t in_0f38[] = {0x28, 0x29, 0x38, 0x39, 0x3a, 0x3b,
                                      0x3c, 0x3d, 0x3e, 0x3f, 0x40, 0x0b};
    if (map == 1)
        return pp < 2 && memchr(integers, (int)opcode, sizeof(integers));
    return map == 2 && memchr(in_0f38, (int)opcode, sizeof(in_0f38));
}

void x86_vec_legacy(struct x86_buf *b, unsigned pp, unsigned map, unsigned w, unsigned opcode,
                    unsigned reg, unsigned second, struct x86_rm rm)
{
    if (second == X86_NO_SECOND) {
        if (!broadcast(b, map, opcode, reg, rm))
            plain(b, pp, map, w, opcode, reg, rm);
        return;
    }
    if (pp == 1 && map == 1 && opcode >= 0x71 && opcode <= 0x73) { /* shifts by a constant */
        copy(b, second, rm);
        plain(b, pp, map, w, opcode, reg, rm_reg(second));
        return;
    }
    bool overlap = rm.is_reg && rm.base == reg && second != reg && !from_general(pp, map, opcode);
    if (overlap && commutes(pp, map, opcode)) {
        plain(b, pp, map, w, opcode, reg, rm_reg(second));
        return;
    }
    if (overlap) {
        copy(b, X86_LEGACY_TEMP, rm);
        rm = rm_reg(X86_LEGACY_TEMP);
    }
    copy(b, reg, rm_reg(second));
    plain(b, pp, map, w, opcode, reg, rm);
}
