/* test_decode.c: every line of the table decodes to itself, and nothing else does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <capstone/capstone.h>

#include "base/bytes.h"
#include "core/arm64/decode.h"
#include "decode_samples.h"

static uint32_t random_word(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 32);
}

/* Random words that fit a pattern decode to its name, or are reserved; most must not be. */
static void test_patterns_decode_to_themselves(void **unused)
{
    uint64_t state = 1;
    for (unsigned p = 0; p < A64_PATTERN_COUNT; p++) {
        const struct a64_pattern *pattern = &a64_patterns[p];
        unsigned decoded = 0;
        for (unsigned i = 0; i < 2000; i++) {
            uint32_t raw = (random_word(&state) & ~pattern->mask) | pattern->value;
            struct a64_insn in;
            bool known = a64_decode(raw, &in);
            assert_int_equal(known, in.op != A64_OP_UNDEFINED);
            assert_int_equal(in.raw, raw);
            if (known && in.op == pattern->op)
                decoded++;
        }
        if (decoded == 0)
            fail_msg("%s: none of 2000 random words decodes to it", pattern->name);
    }
}

/* The tree finds what a search through all lines finds. */
static void test_tree_agrees_with_the_table(void **unused)
{
    uint64_t state = 2;
    for (unsigned i = 0; i < 200000; i++) {
        uint32_t raw = random_word(&state);
        struct a64_insn in;
        if (!a64_decode(raw, &in))
            continue;
        unsigned matches = 0;
        for (unsigned p = 0; p < A64_PATTERN_COUNT; p++)
            if ((raw & a64_patterns[p].mask) == a64_patterns[p].value &&
                a64_patterns[p].op == in.op)
                matches++;
        assert_int_equal(matches, 1);
    }
}

static void test_features_gate(void **unused)
{
    struct a64_insn in;
    uint32_t all = (1u << A64_FEATURE_COUNT) - 1;
    assert_true(a64_decode_for(all, 0xb8200020, &in)); /* ldadd w0, w0, [x1] */
    assert_int_equal(in.op, A64_OP_LDADD);
    assert_false(a64_decode_for(all & ~(1u << A64_FEATURE_LSE), 0xb8200020, &in));
    assert_int_equal(in.op, A64_OP_UNDEFINED);
    assert_true(a64_decode_for(all, 0x1ee22820, &in)); /* fadd h0, h1, h2 */
    assert_false(a64_decode_for(all & ~(1u << A64_FEATURE_FP16), 0x1ee22820, &in));
    assert_true(a64_decode_for(all & ~(1u << A64_FEATURE_FP16), 0x1e622820, &in)); /* fadd d */
}

/* Each name decodes from what the assembler writes for it; no name is without a sample. */
static void test_samples(void **unused)
{
    static bool seen[A64_OP_COUNT];
    for (unsigned i = 0; i < ARRAY_SIZE(decode_samples); i++) {
        struct a64_insn in;
        a64_decode(decode_samples[i].raw, &in);
        if (in.op != decode_samples[i].op)
            fail_msg("%08x decodes to %s, not to %s", decode_samples[i].raw, a64_op_name(in.op),
                     a64_op_name(decode_samples[i].op));
        seen[in.op] = true;
    }
    for (unsigned op = A64_OP_UNDEFINED + 1; op < A64_OP_COUNT; op++)
        if (!seen[op])
            fail_msg("%s has no sample", a64_op_name(op));
}

/* The fields of one instruction a kind, taken apart by hand. */
static void test_fields(void **unused)
{
    struct a64_insn in;
    assert_true(a64_decode(0x9100fc62, &in)); /* add x2, x3, #63 */
    assert_int_equal(in.op, A64_OP_ADD_imm);
    assert_true(in.f == 1 && in.d == 2 && in.n == 3 && in.i == 63 && in.h == 0);
    assert_true(a64_decode(0xb7480065, &in)); /* tbnz x5, #41, .+12: the bit number is split */
    assert_true(in.op == A64_OP_TBNZ && in.b == 41 && in.d == 5 && in.i == 3);
    assert_true(a64_decode(0x3dc00841, &in)); /* ldr q1, [x2, #32]: size from a constant */
    assert_true(in.op == A64_OP_LDR_v_uimm && in.z == 4 && in.i == 2 && in.n == 2 && in.d == 1);
    assert_true(a64_decode(0x4d401c20, &in)); /* ld1 {v0.b}[15], [x1]: index from three places */
    assert_true(in.op == A64_OP_LD1_lane && in.i == 15 && in.z == 0 && in.R == 1 && in.e == 0);
    assert_true(a64_decode(0x6f07f6ff, &in)); /* fmov v31.2d, #-0.96875: imm8 is split */
    assert_true(in.op == A64_OP_FMOV_vimm && in.i == 0xf7 && in.p == 1 && in.d == 31);
}

/* Words that the manual leaves unallocated or reserved, some beside one that it does not. */
static void test_reserved(void **unused)
{
    static const struct {
        uint32_t raw;
        enum a64_op op;
    } words[] = {
        {0x00000000, A64_OP_UNDEFINED}, /* UDF */
        {0xffffffff, A64_OP_UNDEFINED},
        {0x12400000, A64_OP_UNDEFINED}, /* AND (immediate), 32-bit with N */
        {0x9240fc00, A64_OP_UNDEFINED}, /* AND (immediate), mask all ones */
        {0x52c00000, A64_OP_UNDEFINED}, /* MOVZ W0 with hw 2 */
        {0x13008000, A64_OP_UNDEFINED}, /* SBFM W0 with imms 32 */
        {0x0b008000, A64_OP_UNDEFINED}, /* ADD W0 (shifted), amount 32 */
        {0x8bc00000, A64_OP_UNDEFINED}, /* ADD (shifted) by ROR */
        {0x8b201000, A64_OP_ADD_ext},   /* ADD (extended), amount 4 */
        {0x8b201400, A64_OP_UNDEFINED}, /* ... 5 */
        {0x1e622820, A64_OP_FADD},      /* FADD D0 */
        {0x1ea22820, A64_OP_UNDEFINED}, /* ... of type 2 */
        {0x4ee08400, A64_OP_ADD_vec},   /* ADD .2D */
        {0x0ee08400, A64_OP_UNDEFINED}, /* ADD .1D */
        {0x4ee09c00, A64_OP_UNDEFINED}, /* MUL .2D */
        {0x6f00fc00, A64_OP_UNDEFINED}, /* modified immediate, cmode 15, op and o2 */
        {0x48207c00, A64_OP_CASP},      /* CASP X0 */
        {0x48217c00, A64_OP_UNDEFINED}, /* CASP of odd registers */
        {0xb8a00000, A64_OP_LDADD},
        {0xb820d000, A64_OP_UNDEFINED}, /* o3 and opc 5 */
        {0xd4a00001, A64_OP_UNDEFINED}, /* DCPS1: UNDEFINED outside debug state */
        {0xd503201e, A64_OP_UNDEFINED}, /* NOP with Rt 30 */
        {0xd5004c1f, A64_OP_UNDEFINED}, /* MSR (immediate) to no field */
        {0xd69f03e1, A64_OP_UNDEFINED}, /* ERET with op4 1 */
    };
    for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
        struct a64_insn in;
        bool known = a64_decode(words[i].raw, &in);
        assert_int_equal(known, words[i].op != A64_OP_UNDEFINED);
        if (in.op != words[i].op)
            fail_msg("%08x decodes to %s", words[i].raw, a64_op_name(in.op));
    }
}

/* --- Capstone as oracle of what is allocated ------------------------------------------------- */

/* Loads whose registers overlap are CONSTRAINED UNPREDICTABLE: Capstone refuses most of them. */
static bool registers_overlap(const struct a64_insn *in)
{
    return in->d == in->n || in->a == in->n || in->d == in->a;
}

/* What Capstone 4 refuses though the manual allocates it. */
static bool capstone_lacks(const struct a64_insn *in)
{
    const uint32_t features =
        1u << A64_FEATURE_LSE | 1u << A64_FEATURE_RDM | 1u << A64_FEATURE_PAN |
        1u << A64_FEATURE_UAO | 1u << A64_FEATURE_FP16 | 1u << A64_FEATURE_DOTPROD |
        1u << A64_FEATURE_FHM | 1u << A64_FEATURE_JSCVT | 1u << A64_FEATURE_FCMA;
    if (features >> in->feature & 1)
        return true;
    const char *name = a64_op_name(in->op);
    if (strncmp(name, "LD", 2) == 0 || strncmp(name, "ST", 2) == 0)
        return registers_overlap(in);
    return in->op == A64_OP_DUP_gp || in->op == A64_OP_INS_elem || in->op == A64_OP_FMOV_vimm;
}

/* What Capstone 4 accepts though the manual has it unallocated: MSR and MRS with op0 0 or 1, and
 * DRPS, which is UNDEFINED outside debug state. */
static bool capstone_invents(const cs_insn *insn)
{
    return strcmp(insn->mnemonic, "msr") == 0 || strcmp(insn->mnemonic, "mrs") == 0 ||
           strcmp(insn->mnemonic, "drps") == 0;
}

static void test_capstone_agrees(void **unused)
{
    csh handle;
    assert_int_equal(cs_open(CS_ARCH_ARM64, CS_MODE_LITTLE_ENDIAN, &handle), CS_ERR_OK);
    cs_insn *insn = cs_malloc(handle);
    uint64_t state = 3;
    for (unsigned i = 0; i < 150000; i++) {
        const struct a64_pattern *near = &a64_patterns[i % A64_PATTERN_COUNT];
        uint32_t raw = (random_word(&state) & ~near->mask) | near->value;
        if (i & 1)
            raw ^= 1u << (random_word(&state) & 31);
        struct a64_insn in;
        bool ours = a64_decode(raw, &in);
        const uint8_t *code = (const uint8_t *)&raw;
        size_t left = 4;
        uint64_t address = 0;
        bool theirs = cs_disasm_iter(handle, &code, &left, &address, insn);
        if (ours && !theirs && !capstone_lacks(&in))
            fail_msg("%08x is %s here and nothing to Capstone", raw, a64_op_name(in.op));
        if (!ours && theirs && !capstone_invents(insn))
            fail_msg("%08x is nothing here and '%s %s' to Capstone", raw, insn->mnemonic,
                     insn->op_str);
    }
    cs_free(insn, 1);
    cs_close(&handle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_patterns_decode_to_themselves),
        cmocka_unit_test(test_tree_agrees_with_the_table),
        cmocka_unit_test(test_features_gate),
        cmocka_unit_test(test_samples),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_reserved),
        cmocka_unit_test(test_capstone_agrees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
