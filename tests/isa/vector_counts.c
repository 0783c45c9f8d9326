/* vector_counts.c: pins how many host instructions each floating-point and vector instruction is,
 * by register size and the two bits that mostly are its element size, on a host with AVX2 and on
 * one with AVX-512.
 *
 *     vector-counts FILE          compares with FILE; more fails, and so does fewer that FILE lacks
 *     vector-counts FILE --write  writes it
 *
 * A line is a name and for each form "Qz:AVX2/AVX-512": the most that any immediate, index or
 * rotation needs, with V0, V1, V2 and V3 as operands, which both assignments keep in registers. 0:
 * the interpreter. Cold code is left out, and so is the address of loads and stores, which every
 * access has: what a plain load of a vector is.
 */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "emit_bench.h"
#include "vector.h"

enum { SAMPLES = 24, FORMS = 8, LINE_MAX_BYTES = 256 };

struct counts {
    unsigned host[FORMS][2]; /* by form and bench; 0: none, 1: interpreted, else one more */
};

static bool is_vector(const struct a64_pattern *p)
{
    return (p->value & 0x0e000000) == 0x0e000000 || (p->value & 0xbe000000) == 0x0c000000;
}

/* A word of the pattern: registers V0 = V1 op V2, form by bits 30 and 23:22, the rest at random. */
static uint32_t sample(const struct a64_pattern *p, unsigned form, uint64_t *random)
{
    uint32_t word = (uint32_t)vector_random(random);
    word = (word & ~0x40c003ffu) | (form & 4) << 28 | (form & 3) << 22 | 1 << 5;
    if ((p->mask & 0x1f0000) == 0) /* a whole register field */
        word = (word & ~0x1f0000u) | 2 << 16;
    if ((word & ~p->mask & 0x7c00) == (word & 0x7c00) && (p->mask & 0x7c00) == 0)
        word = (word & ~0x7c00u) | 3 << 10;
    return (word & ~p->mask) | p->value;
}

static unsigned count_word(struct bench *b, uint32_t word)
{
    return !bench_emit(b, &word, 1) || bench_interprets(b) ? 1 : bench_count(b, 1) + 1;
}

static void count_pattern(struct bench benches[2], const struct a64_pattern *p, struct counts *c)
{
    uint64_t random = 1;
    for (unsigned i = 0; i < SAMPLES * FORMS; i++) {
        uint32_t word = sample(p, i % FORMS, &random);
        unsigned form = (word >> 30 & 1) << 2 | (word >> 22 & 3);
        struct a64_insn in;
        if (!a64_decode(word, &in) || in.op != p->op)
            continue;
        for (unsigned k = 0; k < 2; k++) {
            unsigned n = count_word(&benches[k], word);
            if (n > c->host[form][k])
                c->host[form][k] = n;
        }
    }
}

static void print_line(char line[static LINE_MAX_BYTES], const char *name, const struct counts *c)
{
    int at = snprintf(line, LINE_MAX_BYTES, "%s", name);
    for (unsigned form = 0; form < FORMS; form++)
        if (c->host[form][0])
            at += snprintf(line + at, LINE_MAX_BYTES - (size_t)at, " %u%u:%u/%u", form >> 2,
                           form & 3, c->host[form][0] - 1, c->host[form][1] - 1);
    snprintf(line + at, LINE_MAX_BYTES - (size_t)at, "\n");
}

int main(int argc, char **argv)
{
    static struct bench benches[2];
    bool write = argc > 2 && strcmp(argv[2], "--write") == 0;
    FILE *f = argc > 1 ? fopen(argv[1], write ? "w" : "r") : NULL;
    unsigned lines = 0, wrong = 0;
    if (!f) {
        fprintf(stderr, "vector-counts: cannot open its file of counts\n");
        return 1;
    }
    bench_init(&benches[0], false);
    bench_init(&benches[1], true);
    for (unsigned i = 0; i < A64_PATTERN_COUNT; i++) {
        struct counts c = {0};
        const struct a64_pattern *p = &a64_patterns[i];
        char line[LINE_MAX_BYTES], pinned[LINE_MAX_BYTES];
        if (!is_vector(p))
            continue;
        do /* a name's patterns follow one another */
            count_pattern(benches, &a64_patterns[i], &c);
        while (i + 1 < A64_PATTERN_COUNT && strcmp(a64_patterns[i + 1].name, p->name) == 0 && ++i);
        print_line(line, p->name, &c);
        lines++;
        if (write) {
            fputs(line, f);
        } else if (!fgets(pinned, sizeof(pinned), f) || strcmp(line, pinned) != 0) {
            printf("now    %spinned %s", line, pinned);
            wrong++;
        }
    }
    fclose(f);
    printf("%u passed, %u failed\n", lines - wrong, wrong);
    return wrong != 0;
}
