/* vec_constants.c: the 16-byte constants of vector code, written once behind the stubs. Most are
 * literal; those that follow a rule (shuffles of structures, masks and matrices of shifts) are
 * computed as they are written.
 */
#include "core/x86_64/emit_vec.h"

#include <string.h>

#include "base/bytes.h"
#include "core/arm64/fp.h"

static const uint64_t literal[VEC_CONSTANT_COUNT][2] = {
    [VEC_ABS32] = {0x7fffffff7fffffff, 0x7fffffff7fffffff},
    [VEC_ABS64] = {0x7fffffffffffffff, 0x7fffffffffffffff},
    [VEC_SIGN32] = {0x8000000080000000, 0x8000000080000000},
    [VEC_SIGN64] = {0x8000000000000000, 0x8000000000000000},
    [VEC_ABS32_LOW] = {0x7fffffff, 0},
    [VEC_ABS64_LOW] = {0x7fffffffffffffff, 0},
    [VEC_SIGN32_LOW] = {0x80000000, 0},
    [VEC_SIGN32_PAIR] = {0x8000000080000000, 0},
    [VEC_SIGN64_LOW] = {0x8000000000000000, 0},
    [VEC_MIN32] = {0x0080000000800000, 0x0080000000800000},
    [VEC_MIN64] = {0x0010000000000000, 0x0010000000000000},
    [VEC_ORDINARY16] = {0x7800, 0},
    [VEC_ORDINARY32] = {0x7f000000, 0},
    [VEC_ORDINARY64] = {0x7fe0000000000000, 0},
    [VEC_SIGN8] = {0x8080808080808080, 0x8080808080808080},
    [VEC_SIGN16] = {0x8000800080008000, 0x8000800080008000},
    [VEC_LOW8] = {0x00ff00ff00ff00ff, 0x00ff00ff00ff00ff},
    [VEC_LOW16] = {0x0000ffff0000ffff, 0x0000ffff0000ffff},
    [VEC_LOW32] = {0x00000000ffffffff, 0x00000000ffffffff},
    [VEC_ELEMENT8] = {0x00000000000000ff, 0x0000000000000000},
    [VEC_ELEMENT16] = {0x000000000000ffff, 0x0000000000000000},
    [VEC_ELEMENT32] = {0x00000000ffffffff, 0x0000000000000000},
    [VEC_SHA1_C] = {0x5a8279995a827999, 0x5a8279995a827999},
    [VEC_SHA1_P] = {0x6ed9eba16ed9eba1, 0x6ed9eba16ed9eba1},
    [VEC_SHA1_M] = {0x8f1bbcdc8f1bbcdc, 0x8f1bbcdc8f1bbcdc},
    [VEC_LOWER_HALVES] = {0x0e0c0a0806040200, 0x8080808080808080},
    [VEC_LOWER_HALVES + 1] = {0x0d0c090805040100, 0x8080808080808080},
    [VEC_LOWER_HALVES + 2] = {0x0b0a090803020100, 0x8080808080808080},
    [VEC_UPPER_HALVES] = {0x0f0d0b0907050301, 0x8080808080808080},
    [VEC_UPPER_HALVES + 1] = {0x0f0e0b0a07060302, 0x8080808080808080},
    [VEC_UPPER_HALVES + 2] = {0x0f0e0d0c07060504, 0x8080808080808080},
    [VEC_SORT8] = {0x0e0c0a0806040200, 0x0f0d0b0907050301},
    [VEC_SORT16] = {0x0d0c090805040100, 0x0f0e0b0a07060302},
    [VEC_REV16_8] = {0x0607040502030001, 0x0e0f0c0d0a0b0809},
    [VEC_REV32_8] = {0x0405060700010203, 0x0c0d0e0f08090a0b},
    [VEC_REV32_16] = {0x0504070601000302, 0x0d0c0f0e09080b0a},
    [VEC_REV64_8] = {0x0001020304050607, 0x08090a0b0c0d0e0f},
    [VEC_REV64_16] = {0x0100030205040706, 0x09080b0a0d0c0f0e},
    [VEC_BYTE_64] = {0x4040404040404040, 0x4040404040404040},
    [VEC_BYTE_15] = {0x0f0f0f0f0f0f0f0f, 0x0f0f0f0f0f0f0f0f},
    [VEC_BYTE_16] = {0x1010101010101010, 0x1010101010101010},
    [VEC_BYTE_112] = {0x7070707070707070, 0x7070707070707070},
    [VEC_POPCOUNT] = {0x0302020102010100, 0x0403030203020201},
    [VEC_RBIT_LOW] = {0xe060a020c0408000, 0xf070b030d0509010},
    [VEC_RBIT_HIGH] = {0x0e060a020c040800, 0x0f070b030d050901},
    [VEC_RBIT_MATRIX] = {0x8040201008040201, 0x8040201008040201},
    [VEC_CRC32] = {0xb4e5b025f7011641, 0x00000001db710641},
    [VEC_ONES] = {~0ull, ~0ull},
    [VEC_ABS8] = {0x7f7f7f7f7f7f7f7f, 0x7f7f7f7f7f7f7f7f},
    [VEC_ABS16] = {0x7fff7fff7fff7fff, 0x7fff7fff7fff7fff},
    [VEC_ELEMENT64] = {~0ull, 0},
    [VEC_ONE8] = {0x0101010101010101, 0x0101010101010101},
    [VEC_ONE16] = {0x0001000100010001, 0x0001000100010001},
    [VEC_ONE32] = {0x0000000100000001, 0x0000000100000001},
    [VEC_ONE64] = {1, 1},
    [VEC_HALF8] = {0x0080008000800080, 0x0080008000800080},
    [VEC_HALF16] = {0x0000800000008000, 0x0000800000008000},
    [VEC_HALF32] = {0x0000000080000000, 0x0000000080000000},
    [VEC_BIT14] = {0x0000400000004000, 0x0000400000004000},
    [VEC_BIT30] = {1u << 30, 1u << 30},
    [VEC_CLZ_LOW] = {0x0505050506060708, 0x0404040404040404},
    [VEC_CLZ_HIGH] = {0x0101010102020308, 0x0000000000000000},
    [VEC_COUNT32] = {0x000000ff000000ff, 0x000000ff000000ff},
    [VEC_COUNT64] = {0xff, 0xff},
    [VEC_POWER_LOW] = {0x8040201008040201, 0},
    [VEC_POWER_HIGH] = {0, 0x8040201008040201},
    [VEC_BYTE_8] = {0x0808080808080808, 0x0808080808080808},
    [VEC_BYTE_MINUS_8] = {0xf8f8f8f8f8f8f8f8, 0xf8f8f8f8f8f8f8f8},
    [VEC_HALFWORD_16] = {0x0010001000100010, 0x0010001000100010},
    [VEC_HALFWORD_MINUS_16] = {0xfff0fff0fff0fff0, 0xfff0fff0fff0fff0},
    [VEC_BYTE_31] = {0x1f1f1f1f1f1f1f1f, 0x1f1f1f1f1f1f1f1f},
    [VEC_BYTE_47] = {0x2f2f2f2f2f2f2f2f, 0x2f2f2f2f2f2f2f2f},
    [VEC_BYTE_63] = {0x3f3f3f3f3f3f3f3f, 0x3f3f3f3f3f3f3f3f},
    [VEC_INF32] = {0x7f8000007f800000, 0x7f8000007f800000},
    [VEC_INF64] = {0x7ff0000000000000, 0x7ff0000000000000},
    [VEC_HALF_F32] = {0x3f0000003f000000, 0x3f0000003f000000},
    [VEC_HALF_F64] = {0x3fe0000000000000, 0x3fe0000000000000},
    [VEC_ONE_F32] = {0x3f8000003f800000, 0x3f8000003f800000},
    [VEC_ONE_F64] = {0x3ff0000000000000, 0x3ff0000000000000},
    [VEC_TWO_F32] = {0x4000000040000000, 0x4000000040000000},
    [VEC_TWO_F64] = {0x4000000000000000, 0x4000000000000000},
    [VEC_THREE_F32] = {0x4040000040400000, 0x4040000040400000},
    [VEC_THREE_F64] = {0x4008000000000000, 0x4008000000000000},
    [VEC_TWO_16] = {0x4780000047800000, 0x4780000047800000},
    [VEC_TWO_31] = {0x4f0000004f000000, 0x4f0000004f000000},
    [VEC_TWO_32] = {0x4f8000004f800000, 0x4f8000004f800000},
    [VEC_TWO_63] = {0x5f0000005f000000, 0x5f0000005f000000},
    [VEC_TWO_52] = {0x4330000000000000, 0x4330000000000000},
    [VEC_TWO_84] = {0x4530000000000000, 0x4530000000000000},
    [VEC_TWO_84_52] = {0x4530000000100000, 0x4530000000100000},
    [VEC_TWO_511] = {0x5fe0000000000000, 0x5fe0000000000000},
    [VEC_SIGN_EVEN32] = {0x0000000080000000, 0x0000000080000000},
    [VEC_SIGN_EVEN64] = {0x8000000000000000, 0},
    [VEC_SIGN_ODD32] = {0x8000000000000000, 0x8000000000000000},
    [VEC_SIGN_ODD64] = {0, 0x8000000000000000},
    [VEC_RECPE_MAX32] = {0x7e7fffff7e7fffff, 0x7e7fffff7e7fffff},
    [VEC_RECPE_MAX64] = {0x7fcfffffffffffff, 0x7fcfffffffffffff},
    [VEC_RECPE_SUM32] = {0x7e8000007e800000, 0x7e8000007e800000},
    [VEC_RECPE_SUM64] = {0x7fd0000000000000, 0x7fd0000000000000},
    [VEC_RSQRTE_MAX32] = {0x7f7fffff7f7fffff, 0x7f7fffff7f7fffff},
    [VEC_RSQRTE_MAX64] = {0x7fefffffffffffff, 0x7fefffffffffffff},
    [VEC_RSQRTE_SUM32] = {0xbe000000be000000, 0xbe000000be000000},
    [VEC_RSQRTE_SUM64] = {0xbfc0000000000000, 0xbfc0000000000000},
    [VEC_LOW9_32] = {0x000001ff000001ff, 0x000001ff000001ff},
    [VEC_LOW9_64] = {0x1ff, 0x1ff},
    [VEC_MIN16] = {0x0400040004000400, 0x0400040004000400},
    [VEC_INF16] = {0x7c007c007c007c00, 0x7c007c007c007c00},
    [VEC_MAX16] = {0x7bff7bff7bff7bff, 0x7bff7bff7bff7bff},
    [VEC_SINGLE_TIE] = {0xffffffff10000000, 0xffffffff10000000},
    [VEC_FUSED_LEAST] = {0x26f0000026f00000, 0x26f0000026f00000},
    [VEC_FUSED_RANGE] = {0x3200000032000000, 0x3200000032000000},
    [VEC_FUSED_MOST] = {0x7830000078300000, 0x7830000078300000},
    [VEC_FUSED_SPLIT] = {0x41a0000002000000, 0x41a0000002000000},
    [VEC_FUSED_MXCSR] = {0x1fa0, 0},
    [VEC_LOW29] = {0x1fffffff, 0x1fffffff},
    [VEC_LOW29 + 1] = {0x1fffffff, 0x1fffffff},
    [VEC_HIGH35] = {~0x1fffffffull, ~0x1fffffffull},
    [VEC_HIGH35 + 1] = {~0x1fffffffull, ~0x1fffffffull},
};

/* Row i of a GF2P8AFFINEQB matrix, in byte 7 - i, says which bits of the source make bit i. */
static uint64_t matrix(enum vec_shift kind, int n)
{
    uint64_t rows = 0;
    for (int i = 0; i < 8; i++) {
        int from = kind == VEC_SHL ? i - n : i + n;
        if (kind == VEC_SAR && from > 7)
            from = 7;
        if (from >= 0 && from < 8)
            rows |= 1ull << (8 * (7 - i) + from);
    }
    return rows;
}

/* Three interleaved registers: element k of register r is number 3 k + r of memory, where it has a
 * place in its 16 bytes that no other element of that register has, so that one shuffle brings all
 * of a register's elements from there or to there. */
static void structure_of_three(uint8_t c[16], unsigned z, unsigned r, bool load)
{
    unsigned lanes = 16u >> z;
    for (unsigned i = 0; i < 16; i++) {
        unsigned lane = i >> z, byte = i & ((1u << z) - 1), number = lane;
        while (number % 3 != r)
            number += lanes;
        unsigned from = load ? (3 * lane + r) % lanes : number / 3;
        c[i] = (uint8_t)(from << z | byte);
    }
}

/* The same for bytes and one row of 16 of them, with zeros for the other registers. */
static void store_row_of_three(uint8_t c[16], unsigned r, unsigned row)
{
    for (unsigned i = 0; i < 16; i++)
        c[i] = (row * 16 + i) % 3 == r ? (uint8_t)((row * 16 + i) / 3) : 0x80;
}

/* Bytes of ones where a row of 16 bytes of such memory has register r's elements. */
static void mask_of_three(uint8_t c[16], unsigned r, unsigned row)
{
    for (unsigned i = 0; i < 16; i++)
        c[i] = (row * 16 + i) % 3 == r ? 0xff : 0;
}

/* Four interleaved registers' elements in 16 bytes, sorted by register. */
static void sort_four(uint8_t c[16], unsigned z)
{
    unsigned each = 4u >> z; /* elements of one register */
    for (unsigned i = 0; i < 16; i++) {
        unsigned lane = i >> z, byte = i & ((1u << z) - 1);
        c[i] = (uint8_t)((lane % each * 4 + lane / each) << z | byte);
    }
}

static void fill64(uint8_t c[16], uint64_t value)
{
    store_le(c, 8, value);
    store_le(c + 8, 8, value);
}

/* Bytes: fractions of the estimates by the number's eight highest fraction bits, for roots below
 * them also the exponent's lowest: 1 makes the number that the definition looks at half as large.
 */
static void estimates(uint8_t *recpe, uint8_t *rsqrte)
{
    for (unsigned i = 0; i < 256; i++) {
        recpe[i] = (uint8_t)(a64_unsigned_recpe((256 + i) << 23) >> 23);
        rsqrte[i] = (uint8_t)(a64_unsigned_rsqrte((256 + i) << 23) >> 23);
        rsqrte[256 + i] = (uint8_t)(a64_unsigned_rsqrte((128 + i / 2) << 23) >> 23);
    }
}

static void words(uint8_t pairs[WORDS_COUNT * 2][16])
{
    static const int32_t numbers[WORDS_COUNT] = {1,    8,     9,      16,  17,   127,
                                                 -128, 32767, -32768, 255, 65535};
    for (unsigned i = 0; i < WORDS_COUNT * 8; i++)
        store_le(pairs[i / 4] + i % 4 * 4, 4, (uint32_t)numbers[i / 8]);
}

static void computed(uint8_t all[VEC_CONSTANT_COUNT][16])
{
    static const uint8_t kinds[] = {VEC_SHL, VEC_SHR, VEC_SAR};
    for (int n = 0; n < 8; n++) {
        for (unsigned k = 0; k < ARRAY_SIZE(kinds); k++)
            fill64(all[VEC_SHIFT_MATRIX + (int)k * 8 + n], matrix((enum vec_shift)kinds[k], n));
        memset(all[VEC_SHL_MASK + n], 0xff << n, 16);
        memset(all[VEC_SHR_MASK + n], 0xff >> n, 16);
        memset(all[VEC_SHR_SIGN + n], 0x80 >> n, 16);
    }
    for (unsigned n = 0; n < 15; n++)
        fill64(all[VEC_POWER16 + n], 0x0001000100010001ull << n);
    for (unsigned z = 0; z < 2; z++) {
        sort_four(all[VEC_SORT4_8 + z], z);
        for (unsigned r = 0; r < 3; r++)
            structure_of_three(all[VEC_LD3_8 + 3 * z + r], z, r, true);
    }
    words(all + VEC_WORDS);
    estimates(all[VEC_RECPE_TABLE], all[VEC_RSQRTE_TABLE]);
    for (unsigned r = 0; r < 3; r++)
        structure_of_three(all[VEC_ST3_16 + r], 1, r, false);
    for (unsigned i = 0; i < 9; i++) {
        store_row_of_three(all[VEC_ST3_8 + i], i % 3, i / 3);
        mask_of_three(all[VEC_LD3_MASK + i], i % 3, i / 3);
    }
}

const uint8_t *vec_constants(struct x86_buf *b)
{
    uint8_t all[VEC_CONSTANT_COUNT][16];
    for (unsigned i = 0; i < VEC_CONSTANT_COUNT; i++) {
        store_le(all[i], 8, literal[i][0]);
        store_le(all[i] + 8, 8, literal[i][1]);
    }
    computed(all);
    while ((uintptr_t)b->at % 64)
        x86_byte(b, 0xcc);
    const uint8_t *start = b->at;
    for (unsigned i = 0; i < sizeof(all); i++)
        x86_byte(b, all[i / 16][i % 16]);
    return start;
}
