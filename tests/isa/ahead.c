/* ahead.c: what the lifter finds out about NZCV behind a way out (lift_ahead.c), which tells
 * instructions apart by a few bits, against what it makes of each instruction.
 *
 * A CBZ leads to random words of every pattern, with a reader or a writer of NZCV behind them:
 * where it is said to be dead, the word must not read it, and with a reader behind must write it.
 */
#include <stdio.h>

#include "base/bytes.h"
#include "emit_bench.h"
#include "vector.h"

enum {
    WORDS_EACH = 100,
    TARGET = 1024,
    CBZ = 0xb4000020,      /* cbz x0, .+4 */
    CMP = 0xeb00001f,      /* cmp x0, x0 */
    MRS_NZCV = 0xd53b4200, /* mrs x0, nzcv */
    NOP = 0xd503201f,
    RET = 0xd65f03c0,
};

static struct bench bench;
static unsigned wrong, passed;

static void lift(uint8_t page[4096], uint32_t offset, unsigned count)
{
    struct lift_source source = {.table = &bench.table,
                                 .page = page,
                                 .offset = offset,
                                 .context = LIFT_EL1 | LIFT_FP | LIFT_FP_PLAIN | LIFT_ZVA,
                                 .features = UINT32_MAX,
                                 .max_insns = count};
    lift_unit(&source, &bench.unit);
}

static bool dead_behind(const uint32_t *words, unsigned count)
{
    uint8_t page[4096] = {0};
    store_le(page + TARGET - 8, 4, CMP);
    store_le(page + TARGET - 4, 4, CBZ);
    for (unsigned i = 0; i < count; i++)
        store_le(page + TARGET + 4 * i, 4, words[i]);
    lift(page, TARGET - 8, 2);
    return bench.unit.ops[3].flags & IR_FLAGS_DEAD_OUT;
}

static void check(bool good, const char *what, uint32_t word)
{
    if (!good)
        printf("%s: %08x\n", what, word);
    *(good ? &passed : &wrong) += 1;
}

/* What is taken for a reader though it is none: CSEL, FCSEL and B.cond under AL and NV, the
 * system's. */
static bool may_be_taken_for_reader(uint32_t word)
{
    bool branch = (word & 0x1c000000) == 0x14000000;
    bool selects = (word & 0x1fe00000) == 0x1a800000 || (word & 0xff200c00) == 0x1e200c00;
    return branch || (selects && (word >> 13 & 7) == 7);
}

static void test_word(const struct a64_pattern *p, uint32_t word)
{
    uint8_t page[4096] = {0};
    store_le(page + TARGET, 4, word);
    lift(page, TARGET, 1);
    bool reads = false, writes = false, goes = false, known = true;
    for (unsigned i = 0; i + 1 < bench.unit.count; i++) { /* the last goes on */
        const struct ir_op_info *info = &ir_op_info[bench.unit.ops[i].op];
        known &= bench.unit.ops[i].op != IR_INTERPRET;
        reads |= info->reads_flags;
        writes |= info->writes_flags;
        goes |= info->attributes & IR_SIDE_EXIT;
    }
    goes |= bench.unit.ops[bench.unit.count - 1].op != IR_JUMP;
    bool before_writer = dead_behind((uint32_t[]){word, CMP}, 2);
    bool before_reader = dead_behind((uint32_t[]){word, MRS_NZCV}, 2);
    if (!known)
        return;
    check(!before_reader || (writes && !reads), "NZCV is read behind", word);
    check(!before_writer || !reads, "reads NZCV", word);
    if (p->op == A64_OP_FJCVTZS || may_be_taken_for_reader(word))
        return;
    if (writes && !reads)
        check(before_reader, "writes NZCV", word);
    if (!reads && !goes)
        check(before_writer, "leaves NZCV alone", word);
}

static void test_ways(void)
{
    static const struct {
        const char *what;
        bool dead;
        uint32_t words[6];
    } ways[] = {
        {"both ways write", true, {0xb4000061, CMP, RET, CMP}}, /* cbz x1, .+12 */
        {"the way that falls through reads", false, {0xb4000061, MRS_NZCV, CMP, CMP}},
        {"the other way reads", false, {0xb4000061, CMP, RET, MRS_NZCV}},
        {"both ways of a bit", true, {0x36080061, CMP, RET, CMP}}, /* tbz w1, #1, .+12 */
        {"the other way of a bit reads", false, {0x36080061, CMP, RET, MRS_NZCV}},
        {"a branch to a writer", true, {0x14000003, RET, RET, CMP}}, /* b .+12 */
        {"a call of a writer", true, {0x94000003, RET, RET, CMP}},   /* bl .+12 */
        {"a return", false, {RET, CMP}},
        {"a loop without a writer", false, {NOP, 0x17ffffff}}, /* b .-4 */
        {"a call of another page", false, {0x94001000, CMP}},
        {"a system call", false, {0xd4000001, CMP}},
        {"an undefined instruction", false, {0x00000000, CMP}},
    };
    for (unsigned i = 0; i < ARRAY_SIZE(ways); i++)
        check(dead_behind(ways[i].words, ARRAY_SIZE(ways[i].words)) == ways[i].dead, ways[i].what,
              i);
}

int main(void)
{
    uint64_t random = 1;
    bench_init(&bench, BENCH_AVX2, false);
    for (unsigned i = 0; i < A64_PATTERN_COUNT; i++) {
        const struct a64_pattern *p = &a64_patterns[i];
        for (unsigned n = 0; n < WORDS_EACH; n++) {
            uint32_t word = ((uint32_t)vector_random(&random) & ~p->mask) | p->value;
            struct a64_insn in;
            if (a64_decode(word, &in) && in.op == p->op)
                test_word(p, word);
        }
    }
    test_ways();
    printf("%u passed, %u failed\n", passed, wrong);
    return wrong != 0;
}
