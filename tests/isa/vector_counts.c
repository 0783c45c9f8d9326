/* vector_counts.c: pins how many host instructions each floating-point and vector instruction is,
 * by register size and the two bits that mostly are its element size, on a host with AVX2 and on
 * one with AVX-512; and holds them against the best sequence that is known.
 *
 *     vector-counts FILE BEST           compares with FILE; more fails, and so does fewer
 *     vector-counts FILE BEST --write   writes FILE, and compares that with BEST
 *
 * A line is a name and for each form "Qz:AVX2/AVX-512": the most that any immediate, index or
 * rotation needs, with V0, V1, V2 and V3 as operands, which both assignments keep in registers. 0:
 * the interpreter. Cold code is left out.
 *
 * BEST has the lines whose instruction has a form of more than SLACK + 1 instructions, or one that
 * is interpreted; all others are within SLACK of anything, as nothing is shorter than one. Its
 * counts are of the shortest sequence that we know, or found in compilers' output and tables such
 * as SIMDe's, for the value alone: without FPSR and NaNs, an address as ours where there is one,
 * and with the rest of a 64-bit result cleared. Where we need more than SLACK over it the reason
 * follows behind ';', and nowhere else.
 */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "emit_bench.h"
#include "vector.h"

enum { SAMPLES = 24, FORMS = 8, LINE_MAX_BYTES = 512, SLACK = 4 };

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

/* The counts of a line of BEST's, as in struct counts. Returns where they end. */
static const char *read_counts(const char *at, struct counts *c)
{
    unsigned q, z, a, b;
    int taken;
    while (sscanf(at, " %1u%1u:%u/%u%n", &q, &z, &a, &b, &taken) == 4) {
        if (q < 2 && z < 4) {
            c->host[q << 2 | z][0] = a + 1;
            c->host[q << 2 | z][1] = b + 1;
        }
        at += taken;
    }
    return at;
}

/* Ours is longer than SLACK allows for some form; *ret_wrong: the forms are others, or ours is the
 * shorter one. */
static bool exceeds(const struct counts *ours, const struct counts *best, bool *ret_wrong)
{
    bool more = false;
    *ret_wrong = false;
    for (unsigned i = 0; i < FORMS * 2; i++) {
        unsigned have = ours->host[i / 2][i % 2], known = best->host[i / 2][i % 2];
        more |= have == 1 || have > known + SLACK;
        *ret_wrong |= !have != !known || known == 1 || (have > 1 && have < known);
    }
    return more;
}

/* Whether the instruction must have a line in BEST. */
static bool is_long(const struct counts *c)
{
    for (unsigned i = 0; i < FORMS * 2; i++)
        if (c->host[i / 2][i % 2] == 1 || c->host[i / 2][i % 2] > SLACK + 2)
            return true;
    return false;
}

/* Reads the next line of BEST for an instruction that is_long(). */
static bool near_best(FILE *best, const char *name, const struct counts *ours)
{
    char line[LINE_MAX_BYTES];
    struct counts known = {0};
    size_t length = strlen(name);
    bool wrong;
    if (!fgets(line, sizeof(line), best) || strncmp(line, name, length) != 0 ||
        line[length] != ' ') {
        printf("%s: the file of best sequences has not its line here\n", name);
        return false;
    }
    bool reason = strncmp(read_counts(line + length, &known), " ; ", 3) == 0;
    bool more = exceeds(ours, &known, &wrong);
    if (wrong)
        printf("%s: other forms, or better than the best known: %s", name, line);
    else if (more != reason)
        printf("%s: %s: %s", name,
               reason ? "needs no reason any more" : "too long, without a reason", line);
    return !wrong && more == reason;
}

int main(int argc, char **argv)
{
    static struct bench benches[2];
    bool write = argc > 3 && strcmp(argv[3], "--write") == 0;
    FILE *f = argc > 2 ? fopen(argv[1], write ? "w" : "r") : NULL;
    FILE *best = argc > 2 ? fopen(argv[2], "r") : NULL;
    unsigned lines = 0, wrong = 0;
    if (!f || !best) {
        fprintf(stderr, "vector-counts: cannot open its files of counts\n");
        return 1;
    }
    bench_init(&benches[0], BENCH_AVX2, false);
    bench_init(&benches[1], BENCH_AVX512, false);
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
        if (is_long(&c)) {
            lines++;
            wrong += !near_best(best, p->name, &c);
        }
    }
    fclose(best);
    fclose(f);
    printf("%u passed, %u failed\n", lines - wrong, wrong);
    return wrong != 0;
}
