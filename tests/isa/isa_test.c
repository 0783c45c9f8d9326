/* isa_test.c: every pattern of the decode table with random operands, and random sequences of them,
 * through Peng's engines and through outside oracles; whatever differs is a failure.
 *
 *   isa-test [EMULATOR ORACLE_PROGRAM [PENG_ARM64]]
 *
 * Environment: PENG_SEED (default 1), PENG_ISA_COUNT vectors a pattern, PENG_ISA_SEQUENCES,
 * PENG_ISA_WORDS (random words, of which only "undefined or not" is compared), PENG_ISA_PATTERN
 * (only patterns whose name begins so), PENG_ISA_REPORTS (failures to print in full).
 *
 * Compared: where the vector ended and how, X, SP, NZCV, V, FPCR, FPSR and the scratch page. A
 * pattern without a vector fails the test unless `exempt` names it with the reason. Where an oracle
 * is wrong, `known_differences` says why we know.
 */
#include <capstone/capstone.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "generate.h"
#include "runner.h"

enum { RUNNERS_MAX = 14, NAMES_SHOWN = 100, STORE_BYTES_MAX = 64 };

/* Patterns that random vectors cannot test, and where they are tested instead. */
static const struct {
    const char *name, *reason;
} exempt[] = {
    {"SVC", "leaves EL0; tests/guest/exceptions.c"},
    {"WFE", "waits; tests/guest/psci.c and the boot tests"},
    {"WFI", "waits; tests/guest/timer.c"},
    {"MSR_imm", "PSTATE is EL1's; tests/guest/exceptions.c"},
    {"SYSL", "no such operation exists at EL0 or EL1; tests/guest/exceptions.c"},
};

/* What an oracle gets wrong: words of (mask, value) are not compared with `runner`. */
static const struct {
    uint32_t mask, value;
    const char *runner; /* NULL: all */
    bool sequences;     /* only in sequences; the generator avoids it in single vectors */
    const char *reason;
} known_differences[] = {
    {0xffc00000, 0xd5000000, "unicorn", false, "runs at EL1, where system instructions do more"},
    {0xbfbf7c00, 0x083e7c00, "qemu-aarch64", false,
     "CASP with Rs 30: writes the zero register's half to SP"},
    {0xfff0fc00, 0x5f10fc00, NULL, false,
     "FCVTZS (fixed) to a half: the sign runs on into bits 31:16"},
    {0xffffffff, 0xd69f03e0, "unicorn", false, "ERET: likewise"},
    {0xffe0001f, 0xd4000003, "unicorn", false,
     "SMC: runs at EL1, where it traps; at EL0 it is undefined"},
    {0x3b20cc00, 0x38204000, "unicorn", false,
     "LDSMAX and kin of less than 64 bits compare other bits too"},
    {0xffc09400, 0x2f401000, "unicorn", false,
     "FCMLA by element, 64-bit form: flags of lanes that are not there"},
    {0xffffffc0, 0xd53b4400, "qemu-aarch64", true,
     "MRS of FPCR and FPSR after MSR: its CPU has AArch32's bits, which are RES0 here"},
    {0xfffffc00, 0x1e7e0000, NULL, true, "FJCVTZS: sets Z for a denormal flushed to zero"},
};

/* Extensions that the oracle's CPU has and the CPUs that Peng models have not: undefined for us
 * alone. */
static const struct {
    uint32_t mask, value;
} later_extensions[] = {
    {0xff200000, 0xd9200000}, /* MTE: tag loads and stores */
    {0xfe400000, 0x68000000}, /* STGP */
    {0xbfc00000, 0x91800000}, /* ADDG, SUBG */
    {0xffe0fc00, 0x9ac01000}, /* IRG */
    {0xffe0fc00, 0x9ac01400}, /* GMI */
    {0xdfe0fc00, 0x9ac00000}, /* SUBP, SUBPS */
    {0x3f200c00, 0x19000000}, /* RCPC2: LDAPUR and kin */
    {0x3ffffc00, 0x38bfc000}, /* RCPC: LDAPR */
    {0x3fa08000, 0x08800000}, /* LOR: LDLAR, STLLR */
    {0xff000000, 0xce000000}, /* SHA-512, SHA-3, SM3, SM4 */
    {0xffe07c10, 0xba000400}, /* FlagM: RMIF */
    {0xffffbc1f, 0x3a00080d}, /* SETF8, SETF16 */
    {0xbf00f400, 0x0f00f000}, /* BF16 and I8MM by element */
    {0xdfe0f400, 0x4e80a400}, /* SMMLA and kin */
    {0xbfe0fc00, 0x0e809c00}, /* USDOT */
    {0xbfe0fc00, 0x2e40ec00}, /* BFMMLA */
    {0xbfe0fc00, 0x2e40fc00}, /* BFDOT */
    {0xbfe0fc00, 0x2ec0fc00}, /* BFMLALB, BFMLALT */
    {0xfffffc00, 0x1e634000}, /* BFCVT */
    {0xbffffc00, 0x0ea16800}, /* BFCVTN */
    {0xffbe7c00, 0x1e284000}, /* FRINT32, FRINT64 */
    {0x9fbfec00, 0x0e21e800}, /* and their vector forms */
};

struct harness {
    struct runner runners[RUNNERS_MAX];
    unsigned runner_count;
    struct vector_batch batch;
    const struct a64_pattern *of[BATCH_VECTORS]; /* NULL: a sequence */
    struct vector_result results[RUNNERS_MAX][BATCH_VECTORS];
    bool only_undefined; /* the batch is of random words */
    unsigned reports_left;
    uint64_t vectors, failures;
    unsigned failed_of[A64_PATTERN_COUNT];
    csh capstone;
};

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 0) : otherwise;
}

static const char *exemption(const char *name)
{
    for (unsigned i = 0; i < ARRAY_SIZE(exempt); i++)
        if (strcmp(exempt[i].name, name) == 0)
            return exempt[i].reason;
    return NULL;
}

static bool is_known_difference(const struct vector *t, const char *runner)
{
    for (unsigned i = 0; i < t->count; i++)
        for (unsigned k = 0; k < ARRAY_SIZE(known_differences); k++)
            if ((t->insn[i] & known_differences[k].mask) == known_differences[k].value &&
                (!known_differences[k].sequences || t->count > 1) &&
                (!known_differences[k].runner || strcmp(known_differences[k].runner, runner) == 0))
                return true;
    return false;
}

/* --- reports -----------------------------------------------------------------------------------
 */

static const char *end_name(uint32_t end)
{
    static const char *const names[] = {"landed", "undefined", "faulted", "trapped", "lost"};
    return end < ARRAY_SIZE(names) ? names[end] : "?";
}

static void print_code(const struct harness *h, const struct vector *t)
{
    for (unsigned i = 0; i < t->count; i++) {
        cs_insn *insn = NULL;
        uint64_t pc = VECTOR_CODE_BASE + (uint64_t)t->slot * SLOT_BYTES + (SLOT_START + i) * 4;
        size_t n = cs_disasm(h->capstone, (const uint8_t *)&t->insn[i], 4, pc, 1, &insn);
        printf("    %2u %08llx  %08x  %s %s\n", SLOT_START + i, (unsigned long long)pc, t->insn[i],
               n ? insn->mnemonic : "(unknown)", n ? insn->op_str : "");
        if (n)
            cs_free(insn, n);
    }
}

static void print_vector(const char *name, const uint64_t v[2])
{
    printf("    %s %016llx:%016llx\n", name, (unsigned long long)v[1], (unsigned long long)v[0]);
}

/* The input registers that a single instruction may name, by the places where they stand. */
static void print_input(const struct vector *t)
{
    const struct vector_state *s = &t->in;
    char name[16];
    printf("    in: nzcv %llx fpcr %llx fpsr %llx\n", (unsigned long long)s->nzcv >> 28,
           (unsigned long long)s->fpcr, (unsigned long long)s->fpsr);
    uint32_t named = 0;
    for (unsigned i = 0; i < t->count; i++)
        for (unsigned at = 0; at <= 16; at += at == 10 ? 6 : 5)
            named |= 1u << (t->insn[i] >> at & 31);
    for (unsigned r = 0; r < 32; r++) {
        if (!(named >> r & 1))
            continue;
        printf("    x%u %016llx", r, (unsigned long long)(r == 31 ? s->sp : s->x[r]));
        snprintf(name, sizeof name, "v%u", r);
        print_vector(name, s->v[r]);
    }
}

static void print_difference(const char *what, unsigned n, const void *ours, const void *theirs,
                             size_t size)
{
    printf("    %s%u ours ", what, n);
    for (size_t i = size; i-- > 0;)
        printf("%02x", ((const uint8_t *)ours)[i]);
    printf(" theirs ");
    for (size_t i = size; i-- > 0;)
        printf("%02x", ((const uint8_t *)theirs)[i]);
    printf("\n");
}

static void print_differences(const struct vector_result *a, const struct vector_result *b)
{
    if (a->end != b->end || a->word != b->word)
        printf("    end: ours %s at %d, theirs %s at %d\n", end_name(a->end), (int)a->word,
               end_name(b->end), (int)b->word);
    for (unsigned i = 0; i < 31; i++)
        if (a->out.x[i] != b->out.x[i])
            print_difference("x", i, &a->out.x[i], &b->out.x[i], 8);
    for (unsigned i = 0; i < 32; i++)
        if (memcmp(a->out.v[i], b->out.v[i], 16) != 0)
            print_difference("v", i, a->out.v[i], b->out.v[i], 16);
    if (a->out.sp != b->out.sp)
        print_difference("sp", 0, &a->out.sp, &b->out.sp, 8);
    if (a->out.nzcv != b->out.nzcv)
        print_difference("nzcv", 0, &a->out.nzcv, &b->out.nzcv, 4);
    if (a->out.fpcr != b->out.fpcr)
        print_difference("fpcr", 0, &a->out.fpcr, &b->out.fpcr, 4);
    if (a->out.fpsr != b->out.fpsr)
        print_difference("fpsr", 0, &a->out.fpsr, &b->out.fpsr, 4);
    for (unsigned at = 0; at < SCRATCH_BYTES; at += 8)
        if (memcmp(a->scratch + at, b->scratch + at, 8) != 0)
            print_difference("scratch+", at, a->scratch + at, b->scratch + at, 8);
}

/* --- comparison --------------------------------------------------------------------------------
 */

/* A store that faults on the page behind the scratch page may have written its part before it or
 * not (DDI 0487 B2.2.1: a store of several registers is several accesses), so those bytes are not
 * compared. */
static size_t settled_bytes(const struct vector_result *r)
{
    return r->end == VECTOR_FAULTED ? SCRATCH_BYTES - STORE_BYTES_MAX : SCRATCH_BYTES;
}

static bool same(const struct vector_result *a, const struct vector_result *b,
                 bool imprecise_faults)
{
    if (imprecise_faults && b->end == VECTOR_FAULTED)
        return a->end == b->end;
    return a->end == b->end && a->word == b->word && memcmp(&a->out, &b->out, sizeof a->out) == 0 &&
           memcmp(a->scratch, b->scratch, settled_bytes(a)) == 0;
}

static void fail(struct harness *h, unsigned i, unsigned ours, unsigned theirs)
{
    const struct vector *t = &h->batch.vectors[i];
    h->failures++;
    if (h->of[i] && h->failed_of[h->of[i] - a64_patterns]++ >= 2)
        return;
    if (h->reports_left == 0)
        return;
    h->reports_left--;
    printf("DIFFERENT: %s, %s against %s\n", h->of[i] ? h->of[i]->name : "sequence",
           h->runners[ours].name, h->runners[theirs].name);
    print_code(h, t);
    print_input(t);
    print_differences(&h->results[ours][i], &h->results[theirs][i]);
}

static bool same_definedness(uint32_t insn, const struct vector_result *a,
                             const struct vector_result *b)
{
    if ((a->end == VECTOR_UNDEFINED) == (b->end == VECTOR_UNDEFINED))
        return true;
    for (unsigned i = 0; a->end == VECTOR_UNDEFINED && i < ARRAY_SIZE(later_extensions); i++)
        if ((insn & later_extensions[i].mask) == later_extensions[i].value)
            return true;
    return false;
}

/* FPCR.Len and Stride and FPSR.NZCV are RES0 without AArch32, which the oracles' CPUs have. */
static void drop_aarch32_bits(struct vector_state *s)
{
    s->fpcr &= ~0x00370000ull;
    s->fpsr &= ~0xf0000000ull;
}

/* Whether vector `i` went the same way in runner `r` and in the first. */
static bool agree(const struct harness *h, unsigned i, unsigned r)
{
    const struct vector *t = &h->batch.vectors[i];
    const struct runner *other = &h->runners[r];
    const struct vector_result *a = &h->results[0][i], *b = &h->results[r][i];
    struct vector_result dead_flags; /* as b, with a's NZCV */
    if (t->count > 1 && a->end == VECTOR_FAULTED && other->dead_flags_inexact) {
        dead_flags = *b;
        dead_flags.out.nzcv = a->out.nzcv;
        b = &dead_flags;
    }
    if (h->only_undefined)
        return other->defined_only || same_definedness(t->insn[0], a, b);
    return is_known_difference(t, other->name) || is_known_difference(t, h->runners[0].name) ||
           same(a, b, other->imprecise_faults);
}

/* The first of ours against all others. */
static bool flush(struct harness *h)
{
    memset(h->results, 0, sizeof h->results);
    for (unsigned r = 0; r < h->runner_count; r++) {
        if (h->only_undefined && h->runners[r].defined_only)
            continue;
        if (!h->runners[r].run(h->runners[r].ctx, &h->batch, h->results[r]))
            return false;
        for (unsigned i = 0; i < h->batch.count; i++)
            drop_aarch32_bits(&h->results[r][i].out);
    }
    for (unsigned i = 0; i < h->batch.count; i++) {
        for (unsigned r = 1; r < h->runner_count; r++) {
            bool ok = agree(h, i, r);
            if (!ok)
                fail(h, i, 0, r);
        }
    }
    h->vectors += h->batch.count;
    h->batch.count = 0;
    return true;
}

static struct vector *next_vector(struct harness *h, const struct a64_pattern *p, bool *ok)
{
    *ok = h->batch.count < BATCH_VECTORS || flush(h);
    h->of[h->batch.count] = p;
    return &h->batch.vectors[h->batch.count];
}

/* --- the passes --------------------------------------------------------------------------------
 */

static bool wanted(const struct a64_pattern *p)
{
    const char *only = getenv("PENG_ISA_PATTERN");
    return !only || strncmp(p->name, only, strlen(only)) == 0;
}

/* Vectors of each pattern. Counts the patterns covered; false where a runner died. */
static bool run_patterns(struct harness *h, uint64_t seed, unsigned count, unsigned *ret_covered,
                         unsigned *ret_missing)
{
    bool ok = true;
    for (unsigned i = 0; ok && i < A64_PATTERN_COUNT; i++) {
        const struct a64_pattern *p = &a64_patterns[i];
        uint64_t random = seed ^ (uint64_t)p->value << 20;
        unsigned made = 0;
        if (!wanted(p) || exemption(p->name))
            continue;
        for (unsigned n = 0; ok && n < count; n++) {
            struct vector *t = next_vector(h, p, &ok);
            if (ok && generate_single(&random, p, h->batch.count, t)) {
                h->batch.count++;
                made++;
            }
        }
        if (made)
            ++*ret_covered;
        else if (ok) {
            printf("NO TEST: %s %08x/%08x\n", p->name, p->value, p->mask);
            ++*ret_missing;
        }
    }
    return ok && flush(h);
}

static bool run_sequences(struct harness *h, uint64_t random, uint64_t count)
{
    static const struct a64_pattern *patterns[A64_PATTERN_COUNT];
    unsigned pattern_count = 0;
    bool ok = true;
    for (unsigned i = 0; i < A64_PATTERN_COUNT; i++)
        if (!exemption(a64_patterns[i].name) && wanted(&a64_patterns[i]) &&
            (a64_patterns[i].value & a64_patterns[i].mask & 0xff000000) != 0xd4000000)
            patterns[pattern_count++] = &a64_patterns[i];
    for (uint64_t n = 0; ok && n < count; n++) {
        struct vector *t = next_vector(h, NULL, &ok);
        if (ok)
            generate_sequence(&random, patterns, pattern_count, h->batch.count++, t);
    }
    return ok && flush(h);
}

/* Words that may be undefined. SVC would be a system call of the oracle's; system instructions
 * other than those at EL0 are compared by guests that run at EL1. */
static bool run_words(struct harness *h, uint64_t random, uint64_t count)
{
    bool ok = true;
    h->only_undefined = true;
    for (uint64_t n = 0; ok && n < count; n++) {
        struct vector *t = next_vector(h, NULL, &ok);
        if (!ok)
            break;
        generate_word(&random, h->batch.count, t);
        uint32_t w = t->insn[0];
        bool branches =
            (w & 0x1c000000) == 0x14000000; /* with the exceptions and the system group */
        if (!branches)
            h->batch.count++;
    }
    ok = ok && flush(h);
    h->only_undefined = false;
    return ok;
}

/* All that this host has, and what lesser ones have: code is chosen by each of these. */
static const char *const host_features[] = {
    NULL,
    "avx2",
    "avx2,f16c",
    "avx2,f16c,cx16,aes,pclmulqdq,sha_ni,gfni",
    "avx2,f16c,avx512vl",
    "sse4_2",
    "sse4_2,aes,pclmulqdq,bmi2",
    "sse4_2,avx2,abm",
};

static void open_runners(struct harness *h, int argc, char **argv)
{
    struct runner r;
    if (runner_interpreter(&r))
        h->runners[h->runner_count++] = r;
    for (unsigned i = 0; i < ARRAY_SIZE(host_features); i++)
        if (runner_translator(&r, host_features[i]))
            h->runners[h->runner_count++] = r;
    if (runner_regions(&r))
        h->runners[h->runner_count++] = r;
    if (argc > 2 && runner_qemu(&r, argv[1], argv[2]))
        h->runners[h->runner_count++] = r;
    if (argc > 3 && runner_user(&r, argv[3], argv[2]))
        h->runners[h->runner_count++] = r;
    if (runner_unicorn(&r))
        h->runners[h->runner_count++] = r;
}

static void print_summary(const struct harness *h, unsigned covered, unsigned missing)
{
    unsigned failed = 0;
    for (unsigned i = 0; i < A64_PATTERN_COUNT; i++) {
        if (!h->failed_of[i] || ++failed > NAMES_SHOWN)
            continue;
        printf("%s%s (%u)", failed > 1 ? ", " : "patterns that differ: ", a64_patterns[i].name,
               h->failed_of[i]);
    }
    if (failed)
        printf("%s\n", failed > NAMES_SHOWN ? " ..." : "");
    printf("runners:");
    for (unsigned r = 0; r < h->runner_count; r++)
        printf(" %s", h->runners[r].name);
    printf("\n%u patterns, %u covered, %u exempt, %u without a test, %u that differ; %llu vectors, "
           "%llu differences\n",
           A64_PATTERN_COUNT, covered, A64_PATTERN_COUNT - covered - missing, missing, failed,
           (unsigned long long)h->vectors, (unsigned long long)h->failures);
    /* For whoever adds up cases: a pattern is one, and so is what differs outside of any. */
    bool elsewhere = h->failures && !failed;
    printf("%u passed, %u failed\n", covered - failed, failed + missing + elsewhere);
}

int main(int argc, char **argv)
{
    static struct harness h;
    unsigned covered = 0, missing = 0;
    uint64_t seed = from_environment("PENG_SEED", 1) * 0x9e3779b97f4a7c15ull;
    h.reports_left = (unsigned)from_environment("PENG_ISA_REPORTS", 20);
    if (cs_open(CS_ARCH_ARM64, CS_MODE_LITTLE_ENDIAN, &h.capstone))
        return 1;
    open_runners(&h, argc, argv);
    if (h.runner_count < 2) {
        printf("isa: nothing to compare with\n");
        return 77; /* skipped */
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    bool ok = run_patterns(&h, seed, (unsigned)from_environment("PENG_ISA_COUNT", 24), &covered,
                           &missing) &&
              run_sequences(&h, seed + 1, from_environment("PENG_ISA_SEQUENCES", 2000)) &&
              run_words(&h, seed + 2, from_environment("PENG_ISA_WORDS", 10000));
    for (unsigned r = 0; r < h.runner_count; r++)
        h.runners[r].close(h.runners[r].ctx);
    cs_close(&h.capstone);
    print_summary(&h, covered, missing);
    return ok && missing == 0 && h.failures == 0 ? 0 : 1;
}
