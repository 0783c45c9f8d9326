/* interp_crypto.c: AES, SHA-1, SHA-256, 64-bit polynomial multiply and CRC-32 (DDI 0487 C7.2,
 * C6.2).
 *
 * Straight from the algorithms' own texts: FIPS 197 for AES, FIPS 180-4 for SHA, in the halves and
 * steps that the Arm instructions cut them into.
 *
 * Limits: table look-ups whose addresses depend on data, so not constant in time. The translator
 * uses the host's instructions instead; this is the reference.
 */
#include "core/arm64/exec_simd.h"

static uint32_t rotate_left(uint32_t v, unsigned by)
{
    return v << by | v >> (32 - by);
}

static uint32_t rotate_right(uint32_t v, unsigned by)
{
    return v >> by | v << (32 - by);
}

/* --- AES. A column is four bytes; byte 4c + r is row r of column c --------------------------- */

/* clang-format off */
static const uint8_t sub_bytes[256] = {
    0x63, 0x7c, 0x77, 0x7b, 0xf2, 0x6b, 0x6f, 0xc5, 0x30, 0x01, 0x67, 0x2b, 0xfe, 0xd7, 0xab, 0x76,
    0xca, 0x82, 0xc9, 0x7d, 0xfa, 0x59, 0x47, 0xf0, 0xad, 0xd4, 0xa2, 0xaf, 0x9c, 0xa4, 0x72, 0xc0,
    0xb7, 0xfd, 0x93, 0x26, 0x36, 0x3f, 0xf7, 0xcc, 0x34, 0xa5, 0xe5, 0xf1, 0x71, 0xd8, 0x31, 0x15,
    0x04, 0xc7, 0x23, 0xc3, 0x18, 0x96, 0x05, 0x9a, 0x07, 0x12, 0x80, 0xe2, 0xeb, 0x27, 0xb2, 0x75,
    0x09, 0x83, 0x2c, 0x1a, 0x1b, 0x6e, 0x5a, 0xa0, 0x52, 0x3b, 0xd6, 0xb3, 0x29, 0xe3, 0x2f, 0x84,
    0x53, 0xd1, 0x00, 0xed, 0x20, 0xfc, 0xb1, 0x5b, 0x6a, 0xcb, 0xbe, 0x39, 0x4a, 0x4c, 0x58, 0xcf,
    0xd0, 0xef, 0xaa, 0xfb, 0x43, 0x4d, 0x33, 0x85, 0x45, 0xf9, 0x02, 0x7f, 0x50, 0x3c, 0x9f, 0xa8,
    0x51, 0xa3, 0x40, 0x8f, 0x92, 0x9d, 0x38, 0xf5, 0xbc, 0xb6, 0xda, 0x21, 0x10, 0xff, 0xf3, 0xd2,
    0xcd, 0x0c, 0x13, 0xec, 0x5f, 0x97, 0x44, 0x17, 0xc4, 0xa7, 0x7e, 0x3d, 0x64, 0x5d, 0x19, 0x73,
    0x60, 0x81, 0x4f, 0xdc, 0x22, 0x2a, 0x90, 0x88, 0x46, 0xee, 0xb8, 0x14, 0xde, 0x5e, 0x0b, 0xdb,
    0xe0, 0x32, 0x3a, 0x0a, 0x49, 0x06, 0x24, 0x5c, 0xc2, 0xd3, 0xac, 0x62, 0x91, 0x95, 0xe4, 0x79,
    0xe7, 0xc8, 0x37, 0x6d, 0x8d, 0xd5, 0x4e, 0xa9, 0x6c, 0x56, 0xf4, 0xea, 0x65, 0x7a, 0xae, 0x08,
    0xba, 0x78, 0x25, 0x2e, 0x1c, 0xa6, 0xb4, 0xc6, 0xe8, 0xdd, 0x74, 0x1f, 0x4b, 0xbd, 0x8b, 0x8a,
    0x70, 0x3e, 0xb5, 0x66, 0x48, 0x03, 0xf6, 0x0e, 0x61, 0x35, 0x57, 0xb9, 0x86, 0xc1, 0x1d, 0x9e,
    0xe1, 0xf8, 0x98, 0x11, 0x69, 0xd9, 0x8e, 0x94, 0x9b, 0x1e, 0x87, 0xe9, 0xce, 0x55, 0x28, 0xdf,
    0x8c, 0xa1, 0x89, 0x0d, 0xbf, 0xe6, 0x42, 0x68, 0x41, 0x99, 0x2d, 0x0f, 0xb0, 0x54, 0xbb, 0x16,
};
static const uint8_t inverse_sub_bytes[256] = {
    0x52, 0x09, 0x6a, 0xd5, 0x30, 0x36, 0xa5, 0x38, 0xbf, 0x40, 0xa3, 0x9e, 0x81, 0xf3, 0xd7, 0xfb,
    0x7c, 0xe3, 0x39, 0x82, 0x9b, 0x2f, 0xff, 0x87, 0x34, 0x8e, 0x43, 0x44, 0xc4, 0xde, 0xe9, 0xcb,
    0x54, 0x7b, 0x94, 0x32, 0xa6, 0xc2, 0x23, 0x3d, 0xee, 0x4c, 0x95, 0x0b, 0x42, 0xfa, 0xc3, 0x4e,
    0x08, 0x2e, 0xa1, 0x66, 0x28, 0xd9, 0x24, 0xb2, 0x76, 0x5b, 0xa2, 0x49, 0x6d, 0x8b, 0xd1, 0x25,
    0x72, 0xf8, 0xf6, 0x64, 0x86, 0x68, 0x98, 0x16, 0xd4, 0xa4, 0x5c, 0xcc, 0x5d, 0x65, 0xb6, 0x92,
    0x6c, 0x70, 0x48, 0x50, 0xfd, 0xed, 0xb9, 0xda, 0x5e, 0x15, 0x46, 0x57, 0xa7, 0x8d, 0x9d, 0x84,
    0x90, 0xd8, 0xab, 0x00, 0x8c, 0xbc, 0xd3, 0x0a, 0xf7, 0xe4, 0x58, 0x05, 0xb8, 0xb3, 0x45, 0x06,
    0xd0, 0x2c, 0x1e, 0x8f, 0xca, 0x3f, 0x0f, 0x02, 0xc1, 0xaf, 0xbd, 0x03, 0x01, 0x13, 0x8a, 0x6b,
    0x3a, 0x91, 0x11, 0x41, 0x4f, 0x67, 0xdc, 0xea, 0x97, 0xf2, 0xcf, 0xce, 0xf0, 0xb4, 0xe6, 0x73,
    0x96, 0xac, 0x74, 0x22, 0xe7, 0xad, 0x35, 0x85, 0xe2, 0xf9, 0x37, 0xe8, 0x1c, 0x75, 0xdf, 0x6e,
    0x47, 0xf1, 0x1a, 0x71, 0x1d, 0x29, 0xc5, 0x89, 0x6f, 0xb7, 0x62, 0x0e, 0xaa, 0x18, 0xbe, 0x1b,
    0xfc, 0x56, 0x3e, 0x4b, 0xc6, 0xd2, 0x79, 0x20, 0x9a, 0xdb, 0xc0, 0xfe, 0x78, 0xcd, 0x5a, 0xf4,
    0x1f, 0xdd, 0xa8, 0x33, 0x88, 0x07, 0xc7, 0x31, 0xb1, 0x12, 0x10, 0x59, 0x27, 0x80, 0xec, 0x5f,
    0x60, 0x51, 0x7f, 0xa9, 0x19, 0xb5, 0x4a, 0x0d, 0x2d, 0xe5, 0x7a, 0x9f, 0x93, 0xc9, 0x9c, 0xef,
    0xa0, 0xe0, 0x3b, 0x4d, 0xae, 0x2a, 0xf5, 0xb0, 0xc8, 0xeb, 0xbb, 0x3c, 0x83, 0x53, 0x99, 0x61,
    0x17, 0x2b, 0x04, 0x7e, 0xba, 0x77, 0xd6, 0x26, 0xe1, 0x69, 0x14, 0x63, 0x55, 0x21, 0x0c, 0x7d,
};
/* clang-format on */

/* XOR with the round key, ShiftRows by `columns` (1, or 3 for the inverse), SubBytes. */
static enum a64_step aes_round(struct a64_cpu *cpu, const struct a64_insn *in,
                               const uint8_t *substitution, unsigned columns)
{
    union a64_vreg state = {.q = cpu->v[in->d].q ^ cpu->v[in->n].q}, r;
    for (unsigned column = 0; column < 4; column++)
        for (unsigned row = 0; row < 4; row++) {
            unsigned from = (column + row * columns) % 4;
            r.b[column * 4 + row] = substitution[state.b[from * 4 + row]];
        }
    cpu->v[in->d] = r;
    return A64_NEXT;
}

A64_EXEC(AESE)
{
    return aes_round(cpu, in, sub_bytes, 1);
}

A64_EXEC(AESD)
{
    return aes_round(cpu, in, inverse_sub_bytes, 3);
}

/* Four bytes, each times x in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1. */
static uint32_t times_x(uint32_t v)
{
    return (v & 0x7f7f7f7f) << 1 ^ (v >> 7 & 0x01010101) * 0x1b;
}

/* A column times the circulant matrix (2 3 1 1); turning it right brings the next row into place.
 */
static uint32_t mix_column(uint32_t v)
{
    uint32_t next = rotate_right(v, 8);
    return times_x(v ^ next) ^ next ^ rotate_right(v, 16) ^ rotate_right(v, 24);
}

/* The inverse (14 11 13 9) is (2 3 1 1) times (5 0 4 0). */
static uint32_t unmix_column(uint32_t v)
{
    return mix_column(v ^ times_x(times_x(v ^ rotate_right(v, 16))));
}

A64_EXEC(AESMC)
{
    for (unsigned i = 0; i < 4; i++)
        cpu->v[in->d].s[i] = mix_column(cpu->v[in->n].s[i]);
    return A64_NEXT;
}

A64_EXEC(AESIMC)
{
    for (unsigned i = 0; i < 4; i++)
        cpu->v[in->d].s[i] = unmix_column(cpu->v[in->n].s[i]);
    return A64_NEXT;
}

/* --- SHA ------------------------------------------------------------------------------------- */

static uint32_t choose(uint32_t x, uint32_t y, uint32_t z)
{
    return (x & y) ^ (~x & z);
}

static uint32_t majority(uint32_t x, uint32_t y, uint32_t z)
{
    return (x & y) ^ (x & z) ^ (y & z);
}

static uint32_t parity(uint32_t x, uint32_t y, uint32_t z)
{
    return x ^ y ^ z;
}

/* Four rounds of SHA-1: d is a..d, n's first word is e, m the schedule with constants added. */
static enum a64_step sha1_rounds(struct a64_cpu *cpu, const struct a64_insn *in,
                                 uint32_t (*mix)(uint32_t, uint32_t, uint32_t))
{
    union a64_vreg x = cpu->v[in->d];
    uint32_t e = cpu->v[in->n].s[0];
    for (unsigned i = 0; i < 4; i++) {
        uint32_t sum =
            e + rotate_left(x.s[0], 5) + mix(x.s[1], x.s[2], x.s[3]) + cpu->v[in->m].s[i];
        e = x.s[3];
        x.s[3] = x.s[2];
        x.s[2] = rotate_left(x.s[1], 30);
        x.s[1] = x.s[0];
        x.s[0] = sum;
    }
    cpu->v[in->d] = x;
    return A64_NEXT;
}

A64_EXEC(SHA1C)
{
    return sha1_rounds(cpu, in, choose);
}

A64_EXEC(SHA1P)
{
    return sha1_rounds(cpu, in, parity);
}

A64_EXEC(SHA1M)
{
    return sha1_rounds(cpu, in, majority);
}

A64_EXEC(SHA1H)
{
    exec_set_scalar(cpu, in->d, 2, rotate_left(cpu->v[in->n].s[0], 30));
    return A64_NEXT;
}

A64_EXEC(SHA1SU0)
{
    const union a64_vreg d = cpu->v[in->d], n = cpu->v[in->n], m = cpu->v[in->m];
    cpu->v[in->d] = (union a64_vreg){.d = {d.d[0] ^ d.d[1] ^ m.d[0], d.d[1] ^ n.d[0] ^ m.d[1]}};
    return A64_NEXT;
}

A64_EXEC(SHA1SU1)
{
    const union a64_vreg d = cpu->v[in->d], n = cpu->v[in->n];
    union a64_vreg r;
    for (unsigned i = 0; i < 3; i++)
        r.s[i] = rotate_left(d.s[i] ^ n.s[i + 1], 1);
    r.s[3] = rotate_left(d.s[3] ^ r.s[0], 1); /* the first new word is due here already */
    cpu->v[in->d] = r;
    return A64_NEXT;
}

/* Four rounds of SHA-256 on a..d in `x` and e..h in `y`, with schedule and constants in `w`. */
static void sha256_rounds(union a64_vreg *x, union a64_vreg *y, const union a64_vreg *w)
{
    for (unsigned i = 0; i < 4; i++) {
        uint32_t a = x->s[0], e = y->s[0];
        uint32_t sigma1 = rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25);
        uint32_t sigma0 = rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22);
        uint32_t t1 = y->s[3] + sigma1 + choose(e, y->s[1], y->s[2]) + w->s[i];
        uint32_t t2 = sigma0 + majority(a, x->s[1], x->s[2]);
        y->q = y->q << 32 | (x->s[3] + t1);
        x->q = x->q << 32 | (uint32_t)(t1 + t2);
    }
}

A64_EXEC(SHA256H)
{
    union a64_vreg x = cpu->v[in->d], y = cpu->v[in->n];
    sha256_rounds(&x, &y, &cpu->v[in->m]);
    cpu->v[in->d] = x;
    return A64_NEXT;
}

A64_EXEC(SHA256H2)
{
    union a64_vreg x = cpu->v[in->n], y = cpu->v[in->d];
    sha256_rounds(&x, &y, &cpu->v[in->m]);
    cpu->v[in->d] = y;
    return A64_NEXT;
}

A64_EXEC(SHA256SU0)
{
    const union a64_vreg d = cpu->v[in->d], n = cpu->v[in->n];
    union a64_vreg r;
    for (unsigned i = 0; i < 4; i++) {
        uint32_t w = i < 3 ? d.s[i + 1] : n.s[0];
        r.s[i] = d.s[i] + (rotate_right(w, 7) ^ rotate_right(w, 18) ^ w >> 3);
    }
    cpu->v[in->d] = r;
    return A64_NEXT;
}

A64_EXEC(SHA256SU1)
{
    const union a64_vreg d = cpu->v[in->d], n = cpu->v[in->n], m = cpu->v[in->m];
    union a64_vreg r;
    for (unsigned i = 0; i < 4; i++) {
        uint32_t w = i < 2 ? m.s[i + 2] : r.s[i - 2];
        uint32_t seven_back = i < 3 ? n.s[i + 1] : m.s[0];
        r.s[i] = d.s[i] + seven_back + (rotate_right(w, 17) ^ rotate_right(w, 19) ^ w >> 10);
    }
    cpu->v[in->d] = r;
    return A64_NEXT;
}

/* --- polynomials ----------------------------------------------------------------------------- */

/* 32 bits of a times b without carries, by multiplications with them: of every fourth bit, so that
 * the eight ones at most that meet in a place leave the next fourth place alone. */
static __uint128_t multiply_polynomials(uint32_t a, uint64_t b)
{
    const uint64_t fourth = 0x1111111111111111;
    const __uint128_t everywhere = (__uint128_t)fourth << 64 | fourth;
    __uint128_t product = 0;
    for (unsigned place = 0; place < 4; place++) {
        __uint128_t sum = 0;
        for (unsigned i = 0; i < 4; i++)
            sum ^= (__uint128_t)(a & fourth << i) * (b & fourth << (place - i) % 4);
        product |= sum & everywhere << place;
    }
    return product;
}

A64_EXEC(PMULL_1q)
{
    uint64_t a = cpu->v[in->n].d[in->Q], b = cpu->v[in->m].d[in->Q];
    cpu->v[in->d].q =
        multiply_polynomials((uint32_t)a, b) ^ multiply_polynomials((uint32_t)(a >> 32), b) << 32;
    return A64_NEXT;
}

/* The polynomial bit-reversed, as the checksum travels. */
static enum a64_step crc(struct a64_cpu *cpu, const struct a64_insn *in, uint32_t polynomial)
{
    uint64_t data = bits(a64_x(cpu, in->m), 0, 8u << in->z);
    uint32_t sum = (uint32_t)a64_x(cpu, in->n);
    for (unsigned i = 0; i < 8u << in->z; i++) {
        uint32_t out = (sum ^ (uint32_t)(data >> i)) & 1;
        sum = sum >> 1 ^ (out ? polynomial : 0);
    }
    a64_set_x(cpu, in->d, sum);
    return A64_NEXT;
}

A64_EXEC(CRC32)
{
    return crc(cpu, in, 0xedb88320);
}

A64_EXEC(CRC32C)
{
    return crc(cpu, in, 0x82f63b78);
}
