/* codegen.c: pins how many host instructions the first tier emits for short guest sequences.
 *
 * A number here may only change together with the back end, in the same commit: fewer is the aim,
 * more needs a reason. Counted on an assumed host with AVX2 and without AVX-512, cold code left
 * out, so the machine that runs the test does not matter.
 */
#include <capstone/capstone.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "emit_bench.h"

enum { WORDS_MAX = 4 };

static const struct sequence {
    const char *name, *guest;
    uint32_t words[WORDS_MAX];
    unsigned count;
    unsigned host; /* instructions, without the jump to what follows */
} sequences[] = {
    // clang-format off
    {"add three registers", "add x0, x1, x2", {0x8b020020}, 1, 1},
    {"add shifted", "add x0, x1, x2, lsl #3", {0x8b020c20}, 1, 1},
    {"subtract immediate", "sub x0, x0, #16", {0xd1004000}, 1, 1},
    {"move wide pair", "movz x0, #0x5678; movk x0, #0x1234, lsl #16", {0xd28acf00, 0xf2a24680}, 2, 1},
    {"add to a register in memory", "add x9, x9, #1", {0x91000529}, 1, 1},
    {"load", "ldr x0, [x1]", {0xf9400020}, 1, 8},
    {"load with offset", "ldr x0, [x1, #16]", {0xf9400820}, 1, 9},
    {"load byte indexed", "ldrb w0, [x1, x2]", {0x38626820}, 1, 9},
    {"store", "str x0, [x1]", {0xf9000020}, 1, 8},
    {"load pair, post-indexed", "ldp x0, x1, [x2], #16", {0xa8c10440}, 1, 10},
    {"push frame", "stp x29, x30, [sp, #-16]!", {0xa9bf7bfd}, 1, 12},
    {"save registers in a frame", "stp x29, x30, [sp, #-48]!; stp x19, x20, [sp, #16]; str x21, [sp, #32]", {0xa9bd7bfd, 0xa90153f3, 0xf90013f5}, 3, 18},
    {"three fields", "ldr x0, [x1]; ldr x2, [x1, #8]; ldr x3, [x1, #16]", {0xf9400020, 0xf9400422, 0xf9400823}, 3, 13},
    {"three fields, base in memory", "ldr x0, [x9]; ldr x2, [x9, #8]; str x0, [x9, #16]", {0xf9400120, 0xf9400522, 0xf9000920}, 3, 16},
    {"counter in memory", "ldr x0, [x1, #8]; add x0, x0, #1; str x0, [x1, #8]", {0xf9400420, 0x91000400, 0xf9000420}, 3, 13},
    {"element of a table", "ldr w3, [x1, x2, lsl #2]; add w3, w3, #1; str w3, [x1, x2, lsl #2]", {0xb8627823, 0x11000463, 0xb8227823}, 3, 13},
    {"jump to a page further on", "b .+0x2000", {0x14000800}, 1, 7},
    {"jump to a page before", "b .-0x2000", {0x17fff800}, 1, 9},
    {"upper half of a product", "umulh x0, x1, x2", {0x9bc27c20}, 1, 2},
    {"compare and select", "cmp x0, x1; csel x0, x2, x3, lt", {0xeb01001f, 0x9a83b040}, 2, 6},
    {"set on condition", "cmp w0, #0; cset w0, eq", {0x7100001f, 0x1a9f17e0}, 2, 6},
    {"bit field extract", "ubfx x0, x1, #8, #8", {0xd3483c20}, 1, 2},
    {"mask of a byte", "and x0, x1, #0xff", {0x92401c20}, 1, 1},
    {"index of a table", "sbfiz x0, x1, #3, #32", {0x937d7c20}, 1, 2},
    {"mask from a condition", "cmp x0, #1; csetm w0, eq", {0xf100041f, 0x5a9f13e0}, 2, 7},
    {"two comparisons and branch", "cmp x0, #1; ccmp x1, #4, #0, eq; b.gt .+16", {0xf100041f, 0xfa440820, 0x5400008c}, 3, 11},
    {"two comparisons, branch on both", "cmp x0, #1; ccmp x1, #4, #0, eq; b.gt .+4; cmp x0, x1", {0xf100041f, 0xfa440820, 0x5400002c, 0xeb01001f}, 4, 8},
    {"two comparisons, branch on either", "cmp x0, #1; ccmp x1, #4, #0, eq; b.le .+4; cmp x0, x1", {0xf100041f, 0xfa440820, 0x5400002d, 0xeb01001f}, 4, 8},
    {"bits cleared", "bic x0, x1, x2", {0x8a220020}, 1, 1},
    {"inverted", "mvn w0, w1", {0x2a2103e0}, 1, 2},
    {"leading zeros of an integer", "clz x0, x1", {0xdac01020}, 1, 1},
    {"trailing zeros", "rbit x0, x1; clz x0, x0", {0xdac00020, 0xdac01000}, 2, 1},
    {"bytes reversed", "rev x0, x1", {0xdac00c20}, 1, 2},
    {"rotated", "ror x0, x1, #7", {0x93c11c20}, 1, 1},
    {"rotated and combined", "eor x0, x1, x2, ror #7", {0xcac21c20}, 1, 2},
    {"product", "mul x0, x1, x2", {0x9b027c20}, 1, 2},
    {"product and sum", "madd x0, x1, x2, x3", {0x9b020c20}, 1, 3},
    {"remainder", "msub x0, x1, x2, x0", {0x9b028020}, 1, 3},
    {"long product and sum", "umaddl x0, w1, w2, x3", {0x9ba20c20}, 1, 4},
    {"negated", "neg x0, x0", {0xcb0003e0}, 1, 1},
    {"subtracted from", "sub x0, x1, x0", {0xcb000020}, 1, 2},
    {"add shifted further", "add x0, x1, x2, lsl #4", {0x8b021020}, 1, 3},
    {"count on condition", "cmp x1, x2; csinc x0, x0, x3, eq", {0xeb02003f, 0x9a830400}, 2, 6},
    {"negate on condition", "cmp x1, x2; csneg x0, x2, x3, eq", {0xeb02003f, 0xda830440}, 2, 8},
    {"with borrow", "cmp w2, w0; sbc w0, w0, wzr", {0x6b00005f, 0x5a1f0000}, 2, 5},
    {"atomic add", "ldadd x0, x1, [x2]", {0xf8200041}, 1, 11},
    {"compare and swap", "cas x0, x1, [x2]", {0xc8a07c41}, 1, 11},
    {"load acquire", "ldar x0, [x1]", {0xc8dffc20}, 1, 8},
    {"store release", "stlr x0, [x1]", {0xc89ffc20}, 1, 9},
    {"barrier", "dmb ish", {0xd5033bbf}, 1, 1},
    {"load barrier", "dmb ishld", {0xd50339bf}, 1, 0},
    {"mask interrupts", "msr daifset, #2", {0xd50342df}, 1, 1},
    {"counted loop", "1: subs x0, x0, #1; b.ne 1b", {0xf1000400, 0x54ffffe1}, 2, 8},
    {"string length loop", "1: ldrb w3, [x0], #1; cbnz w3, 1b", {0x38401403, 0x35ffffe3}, 2, 14},
    {"copy loop", "1: ldr x3, [x1], #8; str x3, [x0], #8; subs x2, x2, #8; b.hi 1b", {0xf8408423, 0xf8008403, 0xf1002042, 0x54ffffa8}, 4, 26},
    {"return", "ret", {0xd65f03c0}, 1, 3},
    /* with what runs behind the return */
    {"call in the page", "bl .+64", {0x94000010}, 1, 10},
    {"address of a symbol", "adrp x0, .+0x10000; add x0, x0, #64", {0x90000000, 0x91010000}, 2, 2},
    {"address of a symbol in another register", "adrp x0, .+0x10000; add x1, x0, #64", {0x90000000, 0x91010001}, 2, 3},
    {"double add", "fadd d0, d1, d2", {0x1e622820}, 1, 4},
    {"fused multiply-add", "fmadd d0, d1, d2, d3", {0x1f420c20}, 1, 4},
    {"double compare and branch", "fcmp d0, d1; b.gt .+16", {0x1e612000, 0x5400008c}, 2, 10},
    {"two double compares and branch", "fcmp d0, d1; fccmp d2, d3, #0, mi; b.gt .+16", {0x1e612000, 0x1e634440, 0x5400008c}, 3, 15},
    {"vector load", "ldr q0, [x0]", {0x3dc00000}, 1, 8},
    {"table lookup", "tbl v0.16b, {v1.16b}, v2.16b", {0x4e020020}, 1, 2},
    {"table lookup, extended", "tbx v0.16b, {v1.16b}, v2.16b", {0x4e021020}, 1, 8},
    {"halving add", "shadd v0.16b, v1.16b, v2.16b", {0x4e220420}, 1, 4},
    {"rounding halving add", "urhadd v0.16b, v1.16b, v2.16b", {0x6e221420}, 1, 1},
    {"saturating add, halfwords", "sqadd v0.8h, v1.8h, v2.8h", {0x4e620c20}, 1, 5},
    {"saturating add, words", "sqadd v0.4s, v1.4s, v2.4s", {0x4ea20c20}, 1, 10},
    {"saturating subtract, unsigned words", "uqsub v0.4s, v1.4s, v2.4s", {0x6ea22c20}, 1, 6},
    {"doubling multiply high", "sqrdmulh v0.8h, v1.8h, v2.8h", {0x6e62b420}, 1, 5},
    {"doubling multiply high, words", "sqrdmulh v0.4s, v1.4s, v2.4s", {0x6ea2b420}, 1, 13},
    {"doubling multiply-add long", "sqdmlal v0.4s, v1.4h, v2.4h", {0x0e629020}, 1, 18},
    {"multiply long", "smull v0.4s, v1.4h, v2.4h", {0x0e62c020}, 1, 3},
    {"multiply long, upper halves", "umull2 v0.2d, v1.4s, v2.4s", {0x6ea2c020}, 1, 3},
    {"dot product", "udot v0.4s, v1.16b, v2.16b", {0x6e829420}, 1, 8},
    {"pairs of bytes, long", "uaddlp v0.8h, v1.16b", {0x6e202820}, 1, 1},
    {"pairs of halfwords, accumulated", "sadalp v0.4s, v1.8h", {0x4e606820}, 1, 2},
    {"narrow", "xtn v0.8b, v1.8h", {0x0e212820}, 1, 1},
    {"narrow with saturation", "sqxtun v0.8b, v1.8h", {0x2e212820}, 1, 6},
    {"shift and narrow with rounding", "sqrshrun v0.8b, v1.8h, #6", {0x2f0a8c20}, 1, 7},
    {"upper halves of sums", "addhn v0.8b, v1.8h, v2.8h", {0x0e224020}, 1, 2},
    {"shift bytes", "sshr v0.16b, v1.16b, #3", {0x4f0d0420}, 1, 4},
    {"rounding shift", "srshr v0.8h, v1.8h, #3", {0x4f1d2420}, 1, 1},
    {"shift by register, bytes", "sshl v0.16b, v1.16b, v2.16b", {0x4e224420}, 1, 18},
    {"shift by register, halfwords", "ushl v0.8h, v1.8h, v2.8h", {0x6e624420}, 1, 16},
    {"shift by register, words", "ushl v0.4s, v1.4s, v2.4s", {0x6ea24420}, 1, 8},
    {"shift by register, doublewords", "sshl v0.2d, v1.2d, v2.2d", {0x4ee24420}, 1, 13},
    {"saturating shift", "uqshl v0.8h, v1.8h, #3", {0x6f137420}, 1, 10},
    {"leading zeros", "clz v0.16b, v1.16b", {0x6e204820}, 1, 8},
    {"leading sign bits", "cls v0.4s, v1.4s", {0x4ea04820}, 1, 21},
    {"round to nearest, ties away", "frinta d0, d1", {0x1e664020}, 1, 11},
    {"convert to integer, ties away", "fcvtas x0, d1", {0x9e640020}, 1, 15},
    {"convert from fixed point", "scvtf d0, x0, #16", {0x9e42c000}, 1, 5},
    {"convert to fixed point", "fcvtzs x0, d1, #16", {0x9e58c020}, 1, 12},
    {"vector to integers", "fcvtzs v0.4s, v1.4s", {0x4ea1b820}, 1, 5},
    {"vector to unsigned integers", "fcvtzu v0.4s, v1.4s", {0x6ea1b820}, 1, 12},
    {"vector from unsigned integers", "ucvtf v0.4s, v1.4s", {0x6e21d820}, 1, 6},
    {"vector from signed doublewords", "scvtf v0.2d, v1.2d", {0x4e61d820}, 1, 7},
    {"largest of a vector", "fmaxv s0, v1.4s", {0x6e30f820}, 1, 14},
    {"largest of pairs", "fmaxp v0.4s, v1.4s, v2.4s", {0x6e22f420}, 1, 11},
    {"reciprocal step", "frecps v0.4s, v1.4s, v2.4s", {0x4e22fc20}, 1, 10},
    {"load four interleaved", "ld4 {v0.16b, v1.16b, v2.16b, v3.16b}, [x0]", {0x4c400000}, 1, 24},
    {"load three interleaved, bytes", "ld3 {v0.16b, v1.16b, v2.16b}, [x0]", {0x4c404000}, 1, 24},
    {"load three interleaved, halfwords", "ld3 {v0.8h, v1.8h, v2.8h}, [x0]", {0x4c404400}, 1, 19},
    {"store three interleaved, bytes", "st3 {v0.16b, v1.16b, v2.16b}, [x0]", {0x4c004000}, 1, 25},
    {"store four interleaved", "st4 {v0.8h, v1.8h, v2.8h, v3.8h}, [x0]", {0x4c000400}, 1, 19},
    {"load and replicate two", "ld2r {v0.4s, v1.4s}, [x0]", {0x4d60c800}, 1, 9},
    {"eight rounds of SHA-1", "sha1c q0, s1, v2.4s; sha1c q0, s3, v4.4s", {0x5e020020, 0x5e040060}, 2, 13},
    {"half-precision add", "fadd v0.8h, v1.8h, v2.8h", {0x4e421420}, 1, 12},
    {"half-precision compare", "fcmgt v0.8h, v1.8h, v2.8h", {0x6ec22420}, 1, 9},
    {"half-precision scalar multiply", "fmul h0, h1, h2", {0x1ee20820}, 1, 10},
    {"half to single", "fcvt s0, h1", {0x1ee24020}, 1, 5},
    {"single to half", "fcvt h0, s1", {0x1e23c020}, 1, 5},
    {"four singles to halves", "fcvtn v0.4h, v1.4s", {0x0e216820}, 1, 8},
    {"reciprocal estimate", "frecpe v0.4s, v1.4s", {0x4ea1d820}, 1, 21},
    {"half-precision fused multiply-add", "fmla v0.8h, v1.8h, v2.8h", {0x4e420c20}, 1, 35},
    {"double to half", "fcvt h0, d1", {0x1e63c020}, 1, 11},
    {"saturating rounding shift by register, bytes", "sqrshl v0.16b, v1.16b, v2.16b", {0x4e225c20}, 1, 51},
    {"saturating shift by register, halfwords", "uqshl v0.8h, v1.8h, v2.8h", {0x6e624c20}, 1, 22},
    {"saturating shift by register, words", "sqshl v0.4s, v1.4s, v2.4s", {0x4ea24c20}, 1, 21},
    {"doubling multiply-add high, halfwords", "sqrdmlah v0.8h, v1.8h, v2.8h", {0x6e428420}, 1, 25},
    {"fused multiply-add long", "fmlal v0.4s, v1.4h, v2.4h", {0x4e22ec20}, 1, 9},
    // clang-format on
};

/* User mode's code, which has no TLB to look at, and calls and returns of the host. */
static const struct sequence user_sequences[] = {
    // clang-format off
    {"call", "bl .+64", {0x94000010}, 1, 5},
    {"return", "ret", {0xd65f03c0}, 1, 3},
    {"push frame", "stp x29, x30, [sp, #-16]!", {0xa9bf7bfd}, 1, 4},
    {"save a pair in memory", "stp x23, x24, [sp, #48]", {0xa90363f7}, 1, 2},
    {"restore a pair in memory", "ldp x23, x24, [sp, #48]", {0xa94363f7}, 1, 2},
    {"save a pair just written", "ldr x23, [x0]; stp x23, x24, [sp, #48]", {0xf9400017, 0xa90363f7}, 2, 5},
    {"load and follow", "ldr x23, [x0]; ldr x1, [x23, #8]", {0xf9400017, 0xf94006e1}, 2, 3},
    {"step and read", "add x23, x23, #2; ldrh w0, [x23]", {0x91000af7, 0x794002e0}, 2, 3},
    {"load, test and copy", "ldr x23, [x0]; cbz x23, .+16; mov x24, x23", {0xf9400017, 0xb4000097, 0xaa1703f8}, 3, 5},
    {"entry of a PLT", "adrp x16, .+0; ldr x17, [x16, #8]; add x16, x16, #8; br x17", {0x90000010, 0xf9400611, 0x91002210, 0xd61f0220}, 4, 13},
    // clang-format on
};

static void print_code(const uint8_t *code, size_t bytes)
{
    csh capstone;
    cs_insn *list;
    if (cs_open(CS_ARCH_X86, CS_MODE_64, &capstone) != CS_ERR_OK)
        return;
    size_t n = cs_disasm(capstone, code, bytes, 0, 0, &list);
    for (size_t i = 0; i < n; i++)
        printf("        %s %s\n", list[i].mnemonic, list[i].op_str);
    cs_free(list, n);
    cs_close(&capstone);
}

static unsigned test(struct bench *bench, const struct sequence *s, bool verbose, bool code)
{
    unsigned n = bench_emit(bench, s->words, s->count) ? bench_count(bench, s->count) : 0;
    if (code)
        print_code(bench->buf.at, bench->result.main_bytes);
    if (n != s->host || verbose)
        printf("%s (%s): %u host instructions, pinned %u\n", s->name, s->guest, n, s->host);
    return n != s->host;
}

int main(int argc, char **argv)
{
    static struct bench machine, user;
    bool verbose = argc > 1, code = verbose && strcmp(argv[1], "-v") == 0;
    unsigned wrong = 0;
    bench_init(&machine, BENCH_AVX2, false);
    bench_init(&user, BENCH_AVX2, true);
    for (unsigned i = 0; i < ARRAY_SIZE(sequences); i++)
        wrong += test(&machine, &sequences[i], verbose, code);
    for (unsigned i = 0; i < ARRAY_SIZE(user_sequences); i++)
        wrong += test(&user, &user_sequences[i], verbose, code);
    printf("%zu passed, %u failed\n", ARRAY_SIZE(sequences) + ARRAY_SIZE(user_sequences) - wrong,
           wrong);
    return wrong != 0;
}
