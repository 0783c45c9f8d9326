/* test_translator.c: small guest programs run by the translator and by the interpreter side by
 * side, MMU on, every register and the memory compared.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "core/arm64/interpreter.h"
#include "core/arm64/mmu.h"
#include "core/translator/translator.h"

enum { RAM_BASE = 0x40000000, RAM_BYTES = 8 << 20, CODE = 0x100000, DATA = 0x200000 };
#define WFI 0xd503207fu

struct guest {
    struct guestmem mem;
    struct a64_system system;
    struct a64_cpu *cpu;
    struct translator *translator;
};

static void changed(void *ctx, struct a64_cpu *cpu, uint64_t page)
{
    struct guest *g = ctx;
    if (g->translator)
        translator_code_changed(g->translator, cpu, page);
}

static void no_timer(void *ctx, struct a64_cpu *cpu, uint64_t deadline_ns)
{
    (void)ctx, (void)cpu, (void)deadline_ns;
}

static void no_line(void *ctx, struct a64_cpu *cpu, unsigned ppi, bool level)
{
    (void)ctx, (void)cpu, (void)ppi, (void)level;
}

static bool no_read(void *ctx, uint64_t a, unsigned n, uint64_t *v)
{
    (void)ctx, (void)a, (void)n, (void)v;
    return false;
}

static bool no_write(void *ctx, uint64_t a, unsigned n, uint64_t v)
{
    (void)ctx, (void)a, (void)n, (void)v;
    return false;
}

static const struct a64_host_ops ops = {
    .timer_arm = no_timer, .ppi_line = no_line, .code_changed = changed};

/* Identity map by one 1 GiB block: T0SZ 25 (39 bits), 4K granule. */
/* `max_insns` per unit; 0: all by regions. */
static void guest_init_kept(struct guest *g, bool translated, unsigned max_insns, bool kept)
{
    memset(g, 0, sizeof(*g));
    guestmem_init(&g->mem, (struct guestmem_mmio){g, no_read, no_write});
    assert_int_equal(guestmem_add_ram(&g->mem, RAM_BASE, RAM_BYTES, false, NULL), 0);
    g->system = (struct a64_system){.mem = &g->mem, .ops = &ops, .ops_ctx = g, .cpu_count = 1};
    assert_int_equal(a64_cpu_new(&g->system, 0, a64_model_at(0), &g->cpu, NULL), 0);
    g->system.cpus[0] = g->cpu;
    a64_cpu_reset(g->cpu, RAM_BASE + CODE, 0);
    uint64_t block = RAM_BASE | 1 << 10 | 3 << 8 | 1; /* AF, inner shareable, attribute 0 */
    guestmem_write(&g->mem, RAM_BASE + 8, &block, 8);
    g->cpu->sys[A64_TTBR0_EL1] = RAM_BASE;
    g->cpu->sys[A64_TCR_EL1] = 25 | 1ull << 23 | 5ull << 32;
    g->cpu->sys[A64_MAIR_EL1] = 0xff;
    g->cpu->sys[A64_CPACR_EL1] = 3 << 20;
    g->cpu->sys[A64_SCTLR_EL1] |= 1;
    a64_tlb_flush_all(g->cpu);
    a64_select_bank(g->cpu);
    if (translated) {
        struct translator_config config = {
            .system = &g->system,
            .max_insns = max_insns,
            .keep = kept ? TRANSLATOR_KEEP_IN_CACHE : TRANSLATOR_KEEP_NOTHING,
            .tiers = max_insns ? TRANSLATOR_BOTH_TIERS : TRANSLATOR_SECOND_TIER};
        assert_int_equal(translator_new(&config, &g->translator, NULL), 0);
    }
}

static void guest_init(struct guest *g, bool translated, unsigned max_insns)
{
    guest_init_kept(g, translated, max_insns, false);
}

static void guest_done(struct guest *g)
{
    translator_free(g->translator);
    a64_cpu_free(g->cpu);
    guestmem_done(&g->mem);
}

static void guest_run(struct guest *g, const uint32_t *code, unsigned count)
{
    guestmem_write(&g->mem, RAM_BASE + CODE, code, count * 4);
    for (unsigned i = 0; i < 31; i++)
        g->cpu->x[i] = i * 0x123456789abcdefull + 5;
    g->cpu->x[20] = RAM_BASE + DATA;
    g->cpu->x[21] = 64;
    g->cpu->x[A64_SP] = RAM_BASE + DATA + 0x1000;
    for (unsigned i = 0; i < 32; i++)
        g->cpu->v[i].d[0] = g->cpu->v[i].d[1] = i * 0x0101010101010101ull;
    a64_nzcv_set(g->cpu, 0x60000000);
    if (g->translator)
        translator_run(g->translator, g->cpu);
    else
        a64_interpret(g->cpu, 1000000);
    assert_true(g->cpu->halted);
}

static void compare(const uint32_t *code, unsigned count)
{
    struct guest a, b;
    guest_init(&a, false, 0);
    guest_run(&a, code, count);
    static const unsigned limits[] = {0, 1, 3, 128};
    for (unsigned n = 0; n < ARRAY_SIZE(limits); n++) {
        unsigned max = limits[n];
        guest_init(&b, true, max);
        guest_run(&b, code, count);
        for (unsigned i = 0; i < 32; i++) {
            if (a.cpu->x[i] != b.cpu->x[i])
                print_message("x%u differs, units of %u\n", i, max);
            assert_int_equal(a.cpu->x[i], b.cpu->x[i]);
            assert_memory_equal(&a.cpu->v[i], &b.cpu->v[i], 16);
        }
        assert_int_equal(a.cpu->pc, b.cpu->pc);
        assert_int_equal(a64_nzcv_get(a.cpu), a64_nzcv_get(b.cpu));
        assert_memory_equal(guestmem_ptr(&a.mem, RAM_BASE + DATA, 8192, false),
                            guestmem_ptr(&b.mem, RAM_BASE + DATA, 8192, false), 8192);
        guest_done(&b);
    }
    guest_done(&a);
}

static void test_arithmetic(void **state)
{
    (void)state;
    static const uint32_t code[] = {
        0x8b020020, /* add x0, x1, x2 */
        0xab070063, /* adds x3, x3, x7 */
        0x9a1f03e9, /* adc x9, xzr, xzr */
        0xeb0200a4, /* subs x4, x5, x2 */
        0x9a9f87ea, /* csinc x10, xzr, xzr, hi */
        0x1b027c2b, /* mul w11, w1, w2 */
        0x9ac20c2c, /* sdiv x12, x1, x2 */
        0xd341fc2d, /* lsr x13, x1, #1 */
        0xb3481c2e, /* bfi x14, x1, #56, #8 */
        0x8b220c2f, /* add x15, x1, w2, uxtb #3 */
        0xdac01030, /* clz x16, x1 */
        0xdac00031, /* rbit x17, x1 */
        0xfa402824, /* ccmp x1, #0, #4, hs */
        0x9a9f17f2, /* cset x18, eq */
        WFI,
    };
    compare(code, ARRAY_SIZE(code));
}

static void test_memory(void **state)
{
    (void)state;
    static const uint32_t code[] = {
        0xf9000680, /* str x0, [x20, #8] */
        0xf9400681, /* ldr x1, [x20, #8] */
        0xb8004682, /* str w2, [x20], #4 */
        0xa9bf7bfd, /* stp x29, x30, [sp, #-16]! */
        0xa8c10be1, /* ldp x1, x2, [sp], #16 */
        0x38400685, /* ldrb w5, [x20], #0 */
        0x3c9f0280, /* stur q0, [x20, #-16] */
        0x3cdf0281, /* ldur q1, [x20, #-16] */
        0xf8756a86, /* ldr x6, [x20, x21] */
        WFI,
    };
    compare(code, ARRAY_SIZE(code));
}

static void test_loop(void **state)
{
    (void)state;
    static const uint32_t code[] = {
        0xd2800000,             /* mov x0, #0 */
        0xd2807d01,             /* mov x1, #1000 */
        0x8b010000,             /* 1: add x0, x0, x1 */
        0xf1000421,             /* subs x1, x1, #1 */
        0x54ffffc1,             /* b.ne 1b */
        0x94000003,             /* bl 2f */
        WFI,        0xd503201f, /* nop */
        0x91000400,             /* 2: add x0, x0, #1 */
        0xd65f03c0,             /* ret */
    };
    compare(code, ARRAY_SIZE(code));
}

/* Loops in a loop, hot enough for the second tier: registers that live in memory in the first, NZCV
 * over a back edge, memory, a way out in the middle and back in. */
static const uint32_t hot_loops[] = {
    0xd2800009, /* mov x9, #0x0 */
    0xd280640a, /* mov x10, #0x320 */
    0xd280000b, /* mov x11, #0x0 */
    0xd280064c, /* mov x12, #0x32 */
    0x8b0b012d, /* add x13, x9, x11 */
    0x8b0d0529, /* add x9, x9, x13, lsl #1 */
    0xd3431d2e, /* ubfx x14, x9, #3, #5 */
    0xf82e7a89, /* str x9, [x20, x14, lsl #3] */
    0x92401000, /* and x0, x0, #0x1f */
    0xf8607a80, /* ldr x0, [x20, x0, lsl #3] */
    0xd2400d29, /* eor x9, x9, #0xf */
    0xf240001f, /* tst x0, #0x1 */
    0xd341fc00, /* lsr x0, x0, #1 */
    0x9a9f17ef, /* cset x15, eq = */
    0x8b0f0000, /* add x0, x0, x15 */
    0x9100056b, /* add x11, x11, #0x1 */
    0xf100618c, /* subs x12, x12, #0x18 */
    0x54000064, /* b.mi 50 */
    0x91005d8c, /* add x12, x12, #0x17 */
    0x17fffff1, /* b 10 */
    0xba000129, /* adcs x9, x9, x0 */
    0xf100054a, /* subs x10, x10, #0x1 */
    0x54fffd81, /* b.ne 8 */
    WFI,
};

static unsigned long regions_made(struct translator *t)
{
    char text[4096] = "";
    unsigned long count = 0;
    FILE *out = fmemopen(text, sizeof(text), "w");
    translator_print_stats(t, out);
    fclose(out);
    const char *line = strstr(text, "regions: ");
    assert_non_null(line);
    sscanf(line, "regions: %lu", &count);
    return count;
}

static void run_again(struct guest *g)
{
    g->cpu->halted = false;
    g->cpu->pc = RAM_BASE + CODE;
    guest_run(g, hot_loops, ARRAY_SIZE(hot_loops));
}

/* The region is made on a thread of its own, and used when the code is run again. */
static void test_hot_loops(void **state)
{
    (void)state;
    enum { PATIENCE_MS = 20000 };
    struct guest a, b;
    compare(hot_loops, ARRAY_SIZE(hot_loops));
    guest_init(&a, false, 0);
    guest_init(&b, true, 128);
    guest_run(&a, hot_loops, ARRAY_SIZE(hot_loops));
    guest_run(&b, hot_loops, ARRAY_SIZE(hot_loops));
    for (int ms = 0; !regions_made(b.translator); ms++) {
        assert_true(ms < PATIENCE_MS);
        usleep(1000);
    }
    run_again(&a);
    run_again(&b);
    assert_memory_equal(a.cpu->x, b.cpu->x, sizeof(a.cpu->x));
    assert_int_equal(a64_nzcv_get(a.cpu), a64_nzcv_get(b.cpu));
    assert_memory_equal(guestmem_ptr(&a.mem, RAM_BASE + DATA, 8192, false),
                        guestmem_ptr(&b.mem, RAM_BASE + DATA, 8192, false), 8192);
    guest_done(&b);
    guest_done(&a);
}

/* A line of --stats. */
static uint64_t count_of(struct guest *g, const char *name)
{
    char *text;
    size_t bytes;
    uint64_t count = 0;
    FILE *out = open_memstream(&text, &bytes);
    assert_non_null(out);
    translator_print_stats(g->translator, out);
    fclose(out);
    const char *line = strstr(text, name);
    assert_non_null(line);
    assert_int_equal(sscanf(line + strlen(name), ": %lu", &count), 1);
    free(text);
    return count;
}

enum { OTHER_PAGE = CODE + 0x1000 };

/* IC IALLU or IC IVAU of the other page, then a call there, which adds to X1. */
static void run_change(struct guest *g, bool all, unsigned add)
{
    const uint32_t code[] = {
        0xb0000004,                      /* adrp x4, the next page */
        all ? 0xd508751fu : 0xd50b7524u, /* ic iallu, or ic ivau, x4 */
        0xd5033f9f,
        0xd5033fdf, /* dsb sy, isb */
        0xd63f0080,
        WFI, /* blr x4 */
    };
    const uint32_t other[] = {0x91000021u | add << 10, 0xd65f03c0}; /* add x1, x1, #add; ret */
    guestmem_write(&g->mem, RAM_BASE + OTHER_PAGE, other, sizeof(other));
    g->cpu->halted = false;
    g->cpu->pc = RAM_BASE + CODE;
    guest_run(g, code, ARRAY_SIZE(code));
    assert_int_equal(g->cpu->x[1], 0x123456789abcdefull + 5 + add);
}

/* What was made of a page that is as it was serves on after IC IALLU, and nothing else does. */
static void test_everything_changed(void **state)
{
    struct guest g;
    guest_init(&g, true, 128);
    run_change(&g, true, 1);
    uint64_t made = count_of(&g, "translated units");
    assert_true(made > 0);
    run_change(&g, true, 1);
    assert_int_equal(count_of(&g, "translated units"), made);
    assert_int_equal(count_of(&g, "invalidated units"), 0);
    run_change(&g, true, 2);
    assert_int_equal(count_of(&g, "translated units"), made + 1);
    assert_int_equal(count_of(&g, "invalidated units"), 1);
    run_change(&g, true, 1);
    assert_int_equal(count_of(&g, "translated units"), made + 2);
    guest_done(&g);
}

/* A page that changes as it runs, as a kernel's do that patches itself: all that it was is kept, so
 * the next machine translates nothing. */
static void test_changes_kept(void **state)
{
    enum { CHANGES = 8 };
    struct guest g;
    char directory[] = "/tmp/peng-test-XXXXXX", command[64];
    assert_non_null(mkdtemp(directory));
    setenv("PENG_CACHE", directory, 1);
    for (unsigned round = 0; round < 4; round++) {
        guest_init_kept(&g, true, 128, true);
        for (unsigned i = 0; i < CHANGES; i++)
            run_change(&g, round % 2, 1 + i + round % 2 * CHANGES);
        translator_save(g.translator);
        uint64_t made = count_of(&g, "translated units");
        assert_true(round < 2 ? made > CHANGES : made == 0);
        guest_done(&g);
    }
    unsetenv("PENG_CACHE");
    snprintf(command, sizeof(command), "rm -r %s", directory);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arithmetic),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_loop),
        cmocka_unit_test(test_hot_loops),
        cmocka_unit_test(test_everything_changed),
        cmocka_unit_test(test_changes_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
