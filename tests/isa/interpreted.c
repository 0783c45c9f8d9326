/* interpreted.c: pins which floating-point and vector instructions the translator leaves to the
 * interpreter, on a host with AVX2 or AVX-512, and on one that has SSE4.2 alone.
 *
 * Random words of each pattern are lifted and emitted under a plain FPCR; a call of the
 * interpreter's stub in the unit's main part gives a pattern away (those in the cold part are for
 * operands out of the ordinary). A name may only leave the lists, or its reason must be good.
 */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "emit_bench.h"
#include "vector.h"

enum { WORDS_EACH = 200 };

/* Some words of the pattern, or all; and why they are not translated. */
struct reason {
    const char *name, *why;
};
static const struct reason anywhere[] = {
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

/* And on a host without AVX2, beside half precision, for which it has no conversions. */
static const struct reason without_avx2[] = {
    {"SQSHL_vec", "of bytes and halfwords, which are words meanwhile: eight are two registers"},
    {"SQSHL_sc", "the same"},
    {"UQSHL_vec", "the same"},
    {"UQSHL_sc", "the same"},
    {"SQRSHL_vec", "the same"},
    {"SQRSHL_sc", "the same"},
    {"UQRSHL_vec", "the same"},
    {"UQRSHL_sc", "the same"},
};

/* DDI 0487 C4.1: data processing of floating point and vectors; loads and stores of structures. */
static bool is_vector(const struct a64_pattern *p)
{
    return (p->value & 0x0e000000) == 0x0e000000 || (p->value & 0xbe000000) == 0x0c000000;
}

static bool interprets(struct bench *b, uint32_t word)
{
    return !bench_emit(b, &word, 1) || bench_interprets(b);
}

/* Some defined word of the pattern is interpreted, which `than`, if there is one, does not. */
static bool any_interpreted(struct bench *b, struct bench *than, const struct a64_pattern *p,
                            uint64_t *random)
{
    for (unsigned i = 0; i < WORDS_EACH; i++) {
        uint32_t word = ((uint32_t)vector_random(random) & ~p->mask) | p->value;
        struct a64_insn in;
        if (a64_decode(word, &in) && in.op == p->op && interprets(b, word) &&
            !(than && interprets(than, word)))
            return true;
    }
    return false;
}

static bool is_listed(const char *name, const struct reason *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].name, name) == 0)
            return true;
    return false;
}

/* How often the names of words that some of the benches interpret, and `than` does not, are not
 * those of the list. */
static unsigned check(struct bench *benches, unsigned bench_count, struct bench *than,
                      const struct reason *list, size_t count)
{
    uint64_t random = 1;
    unsigned wrong = 0, found = 0;
    const char *last = "";
    for (unsigned i = 0; i < A64_PATTERN_COUNT; i++) {
        const struct a64_pattern *p = &a64_patterns[i];
        bool any = false;
        for (unsigned k = 0; k < bench_count; k++)
            any |= is_vector(p) && strcmp(p->name, last) != 0 &&
                   any_interpreted(&benches[k], than, p, &random);
        if (!any)
            continue;
        last = p->name; /* a name's patterns follow one another */
        found++;
        if (!is_listed(p->name, list, count)) {
            printf("%s is interpreted\n", p->name);
            wrong++;
        }
    }
    if (found - wrong != count) {
        printf("of %zu expected names %u are left\n", count, found - wrong);
        wrong++;
    }
    printf("%u interpreted, %u wrong\n", found, wrong);
    return wrong;
}

int main(void)
{
    static struct bench benches[2], legacy, no_halves;
    bench_init(&benches[0], BENCH_AVX2, false);
    bench_init(&benches[1], BENCH_AVX512, false);
    bench_init(&legacy, BENCH_SSE, false);
    bench_init(&no_halves, BENCH_AVX2, false);
    no_halves.host.f16c = false;
    unsigned wrong = check(benches, 2, NULL, anywhere, ARRAY_SIZE(anywhere)) +
                     check(&legacy, 1, &no_halves, without_avx2, ARRAY_SIZE(without_avx2));
    return wrong != 0;
}
