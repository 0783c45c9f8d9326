/* test_decode.c: every line of the table decodes to itself, and nothing else does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/arm64/decode.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_patterns_decode_to_themselves),
        cmocka_unit_test(test_tree_agrees_with_the_table),
        cmocka_unit_test(test_features_gate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
