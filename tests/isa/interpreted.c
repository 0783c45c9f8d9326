/* interpreted.c: pins which floating-point and vector instructions the translator leaves to the
 * interpreter, on a host with AVX2 alone and on one with AVX-512.
 *
 * Random words of each pattern are lifted and emitted under a plain FPCR; a call of the
 * interpreter's stub in the unit's main part gives a pattern away (those in the cold part are for
 * operands out of the ordinary). A name may only leave `expected`, or its reason must be good.
 */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "emit_bench.h"
#include "vector.h"

enum { WORDS_EACH = 200 };

/* Some words of the pattern, or all; and why they are not translated. */
static const struct {
    const char *name, *why;
} expected[] = {
    {"SCVTF_fix", "to half from 64 bits: two roundings, where one is Arm's"},
    {"UCVTF_fix", "the same"},
    {"SQRSHL_vec", "of 64 bits on AVX2, which has no arithmetic shift of them"},
    {"SQRSHL_sc", "the same"},
    {"FRECPE_vec", "halves, where the estimate of a small number overflows and of a large one is "
                   "denormal: much of their range would be cold"},
    {"FRECPE_sc", "the same"},
    {"FRSQRTE_vec", "the same"},
    {"FRSQRTE_sc", "the same"},
    {"FRECPX_sc", "no compiler emits it"},
    {"URECPE_vec", "the same"},
    {"URSQRTE_vec", "the same"},
    {"FCVTXN_vec", "the same; x86 has no rounding to odd, and Underflow is Arm's before rounding"},
    {"FCVTXN_sc", "the same"},
};

/* DDI 0487 C4.1: data processing of floating point and vectors; loads and stores of structures. */
static bool is_vector(const struct a64_pattern *p)
{
    return (p->value & 0x0e000000) == 0x0e000000 || (p->value & 0xbe000000) == 0x0c000000;
}

/* Some defined word of the pattern is interpreted. */
static bool any_interpreted(struct bench *b, const struct a64_pattern *p, uint64_t *random)
{
    for (unsigned i = 0; i < WORDS_EACH; i++) {
        uint32_t word = ((uint32_t)vector_random(random) & ~p->mask) | p->value;
        struct a64_insn in;
        if (a64_decode(word, &in) && in.op == p->op &&
            (!bench_emit(b, &word, 1) || bench_interprets(b)))
            return true;
    }
    return false;
}

static bool is_expected(const char *name)
{
    for (unsigned i = 0; i < ARRAY_SIZE(expected); i++)
        if (strcmp(expected[i].name, name) == 0)
            return true;
    return false;
}

int main(void)
{
    static struct bench benches[2];
    uint64_t random = 1;
    unsigned wrong = 0, found = 0;
    const char *last = "";
    bench_init(&benches[0], false, false);
    bench_init(&benches[1], true, false);
    for (unsigned i = 0; i < A64_PATTERN_COUNT; i++) {
        const struct a64_pattern *p = &a64_patterns[i];
        if (!is_vector(p) || strcmp(p->name, last) == 0 ||
            !(any_interpreted(&benches[0], p, &random) || any_interpreted(&benches[1], p, &random)))
            continue;
        last = p->name; /* a name's patterns follow one another */
        found++;
        if (!is_expected(p->name)) {
            printf("%s is interpreted\n", p->name);
            wrong++;
        }
    }
    if (found - wrong != ARRAY_SIZE(expected)) {
        printf("of %zu expected names %u are left\n", ARRAY_SIZE(expected), found - wrong);
        wrong++;
    }
    printf("%u interpreted, %u failed\n", found, wrong);
    return wrong != 0;
}
