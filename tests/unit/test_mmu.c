/* test_mmu.c: table walks of every granule and level, rights, faults, and what TLBI drops, on
 * tables made by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "core/arm64/sysreg.h"
#include "cpu_rig.h"

#define TABLES    (RIG_BASE + 0x80000) /* one 64 KiB slot a level */
#define TARGET    (RIG_BASE + 0x60000) /* where test pages lead; 64 KiB-aligned */
#define AF        (1ull << 10)
#define NG        (1ull << 11)
#define AP_EL0    (1ull << 6)
#define AP_RO     (1ull << 7)
#define PXN       (1ull << 53)
#define UXN       (1ull << 54)
#define PXN_TABLE (1ull << 59)
#define UXN_TABLE (1ull << 60)
#define AP_TABLE0 (1ull << 61)
#define AP_TABLE1 (1ull << 62)
#define FAULT     (1u << 31)

static const struct granule {
    unsigned shift, tg0, tg1, first_level;
    unsigned block_levels; /* bit n: level n may hold blocks */
} granules[] = {
    {12, 0, 2, 0, 1 << 1 | 1 << 2},
    {14, 2, 1, 0, 1 << 2},
    {16, 1, 3, 1, 1 << 2},
};

static unsigned level_shift(const struct granule *g, unsigned level)
{
    return g->shift + (g->shift - 3) * (3 - level);
}

static uint64_t *slot(struct cpu_rig *rig, const struct granule *g, uint64_t va, unsigned level)
{
    unsigned shift = level_shift(g, level);
    uint64_t mask =
        level == g->first_level ? (1ull << (48 - shift)) - 1 : (1ull << (g->shift - 3)) - 1;
    return rig_ptr(rig, TABLES + level * 0x10000 + (va >> shift & mask) * 8);
}

/* Maps va at `level`, alone, with tables of `table_bits` above it. */
static void map(struct cpu_rig *rig, const struct granule *g, uint64_t va, unsigned level,
                uint64_t leaf, uint64_t table_bits)
{
    memset(rig_ptr(rig, TABLES), 0, 0x40000);
    for (unsigned l = g->first_level; l < level; l++)
        *slot(rig, g, va, l) = (TABLES + (l + 1) * 0x10000) | 3 | table_bits;
    *slot(rig, g, va, level) = leaf;
}

static void use(struct cpu_rig *rig, const struct granule *g)
{
    struct a64_cpu *cpu = rig->cpu;
    uint64_t root = TABLES + g->first_level * 0x10000;
    cpu->sys[A64_TTBR0_EL1] = cpu->sys[A64_TTBR1_EL1] = root;
    /* 48 bits on both sides, IPS 48 bits */
    cpu->sys[A64_TCR_EL1] =
        16 | 16 << 16 | (uint64_t)g->tg0 << 14 | (uint64_t)g->tg1 << 30 | 5ull << 32 | 1ull << 36;
    a64_tlb_flush_all(cpu);
    a64_select_bank(cpu);
}

static uint32_t walk(struct cpu_rig *rig, uint64_t va, enum a64_access access, unsigned el)
{
    struct a64_walk ignored;
    return a64_walk(rig->cpu, va, access, el, &ignored);
}

static void test_every_level(void **state)
{
    struct cpu_rig *rig = *state;
    for (unsigned i = 0; i < ARRAY_SIZE(granules); i++) {
        const struct granule *g = &granules[i];
        use(rig, g);
        for (unsigned level = g->first_level; level <= 3; level++) {
            uint64_t size = 1ull << level_shift(g, level);
            uint64_t va = 0x123456789abcull, high = va | 0xffffull << 48;
            uint64_t pa = 0x5a5a5a5a5a5aull & ~(size - 1);
            map(rig, g, va, level, pa | AF | (level == 3 ? 3 : 1), 0);
            struct a64_walk w;
            uint32_t fault = a64_walk(rig->cpu, va, A64_READ, 1, &w);
            if (level == 3 || g->block_levels >> level & 1) {
                assert_int_equal(fault, 0);
                assert_int_equal(w.pa, pa | (va & (size - 1)));
                assert_int_equal(w.page_bytes, size);
                assert_int_equal(a64_walk(rig->cpu, high, A64_READ, 1, &w), 0);
                assert_int_equal(w.pa, pa | (va & (size - 1)));
            } else {
                assert_int_equal(fault, FAULT | (4 + level));
            }
            /* Nothing there; the access flag; an output beyond IPS; no memory to walk. */
            *slot(rig, g, va, level) = 0;
            assert_int_equal(walk(rig, va, A64_READ, 1), FAULT | (4 + level));
            *slot(rig, g, va, level) = pa | (level == 3 ? 3 : 1);
            if (level == 3 || g->block_levels >> level & 1)
                assert_int_equal(walk(rig, va, A64_READ, 1), FAULT | (8 + level));
            rig->cpu->sys[A64_TCR_EL1] &= ~(7ull << 32);
            *slot(rig, g, va, level) = (pa | 1ull << 47) | AF | (level == 3 ? 3 : 1);
            if (level == 3 || g->block_levels >> level & 1)
                assert_int_equal(walk(rig, va, A64_READ, 1), FAULT | level);
            rig->cpu->sys[A64_TCR_EL1] |= 5ull << 32;
            if (level < 3) {
                *slot(rig, g, va, level) = 0x7000000000ull | 3;
                assert_int_equal(walk(rig, va, A64_READ, 1), FAULT | (0x14 + level + 1));
            }
        }
    }
}

static void test_rights(void **state)
{
    struct cpu_rig *rig = *state;
    const struct granule *g = &granules[0];
    static const struct {
        uint64_t leaf, table;
        bool wxn, pan;
        const char *el1, *el0; /* subset of "rwx" */
    } cases[] = {
        {0, 0, false, false, "rwx", "x"},
        {AP_EL0, 0, false, false, "rw", "rwx"}, /* EL1 never runs what EL0 writes */
        {AP_RO, 0, false, false, "rx", "x"},
        {AP_EL0 | AP_RO, 0, false, false, "rx", "rx"},
        {PXN, 0, false, false, "rw", "x"},
        {UXN, 0, false, false, "rwx", ""},
        {AP_EL0 | UXN, 0, false, false, "rw", "rw"},
        {AP_EL0 | PXN, 0, false, false, "rw", "rwx"},
        {0, PXN_TABLE, false, false, "rw", "x"},
        {0, UXN_TABLE, false, false, "rwx", ""},
        {AP_EL0, AP_TABLE0, false, false, "rwx", "x"},
        {AP_EL0, AP_TABLE1, false, false, "rx", "rx"},
        {AP_EL0, AP_TABLE0 | AP_TABLE1, false, false, "rx", "x"},
        {0, 0, true, false, "rw", "x"},
        {AP_EL0, 0, true, false, "rw", "rw"},
        {AP_EL0 | AP_RO, 0, true, false, "rx", "rx"},
        {AP_EL0, 0, false, true, "", "rwx"},
        {AP_EL0 | AP_RO, 0, false, true, "x", "rx"},
        {0, 0, false, true, "rwx", "x"},
    };
    static const char letters[] = "rwx";
    use(rig, g);
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        map(rig, g, 0, 3, TARGET | AF | 3 | cases[i].leaf, cases[i].table);
        rig->cpu->sys[A64_SCTLR_EL1] =
            (rig->cpu->sys[A64_SCTLR_EL1] & ~(1ull << 19)) | (uint64_t)cases[i].wxn << 19;
        for (unsigned el = 0; el < 2; el++) {
            const char *allowed = el ? cases[i].el1 : cases[i].el0;
            for (unsigned access = A64_READ; access <= A64_FETCH; access++) {
                uint32_t fault = 0;
                /* Through the TLB, where PSTATE.PAN counts. */
                a64_pstate_set(rig->cpu, (el ? 5 : 0) | (cases[i].pan && el ? 1u << 22 : 0));
                a64_tlb_flush_all(rig->cpu);
                a64_tlb_fill(rig->cpu, 0, (enum a64_access)access, 0, &fault);
                if (fault != (strchr(allowed, letters[access]) ? 0 : FAULT | (0xc + 3)))
                    fail_msg("case %u, EL%u, %c: fault %x", i, el, letters[access], fault);
            }
        }
    }
    a64_pstate_set(rig->cpu, 5);
}

static void test_address_ranges(void **state)
{
    struct cpu_rig *rig = *state;
    const struct granule *g = &granules[0];
    uint64_t *tcr = &rig->cpu->sys[A64_TCR_EL1];
    use(rig, g);
    map(rig, g, 0x1000, 3, TARGET | AF | 3, 0);
    assert_int_equal(walk(rig, 0x1000, A64_READ, 1), 0);
    assert_int_equal(walk(rig, 0xffff000000001000, A64_READ, 1), 0);
    /* Neither half; a tag without TBI, and with. */
    assert_int_equal(walk(rig, 0x0001000000001000, A64_READ, 1), FAULT | 4);
    assert_int_equal(walk(rig, 0xfffe000000001000, A64_READ, 1), FAULT | 4);
    assert_int_equal(walk(rig, 0xaa00000000001000, A64_READ, 1), FAULT | 4);
    *tcr |= 1ull << 37;
    assert_int_equal(walk(rig, 0xaa00000000001000, A64_READ, 1), 0);
    assert_int_equal(walk(rig, 0x55ff000000001000, A64_READ, 1), FAULT | 4);
    *tcr |= 1ull << 38;
    assert_int_equal(walk(rig, 0x55ff000000001000, A64_READ, 1), 0);
    *tcr |= 1ull << 56; /* E0PD1 */
    assert_int_equal(walk(rig, 0xffff000000001000, A64_FETCH, 0), FAULT | 4);
    assert_int_equal(walk(rig, 0xffff000000001000, A64_FETCH, 1), 0);
    assert_int_equal(walk(rig, 0x1000, A64_FETCH, 0), 0);
    *tcr |= 1 << 7; /* EPD0 */
    assert_int_equal(walk(rig, 0x1000, A64_READ, 1), FAULT | 4);
    *tcr |= 1 << 23; /* EPD1 */
    assert_int_equal(walk(rig, 0xffff000000001000, A64_READ, 1), FAULT | 4);
}

static uint64_t load(struct cpu_rig *rig, uint64_t va)
{
    uint64_t v = 0;
    assert_true(a64_load(rig->cpu, va, 8, 0, &v));
    return v;
}

/* Two pages with a mark each, to tell which one an address leads to. */
static void mark(struct cpu_rig *rig)
{
    store_le(rig_ptr(rig, TARGET), 8, 1);
    store_le(rig_ptr(rig, TARGET + 0x1000), 8, 2);
}

static void test_tlbi_by_address(void **state)
{
    struct cpu_rig *rig = *state;
    const struct granule *g = &granules[0];
    use(rig, g);
    mark(rig);
    map(rig, g, 0x5000, 3, TARGET | AF | 3 | NG, 0);
    assert_int_equal(load(rig, 0x5000), 1);
    *slot(rig, g, 0x5000, 3) = (TARGET + 0x1000) | AF | 3 | NG;
    a64_tlbi(rig->cpu, A64_TLBI_VA, 0x6, false);              /* another page */
    a64_tlbi(rig->cpu, A64_TLBI_VA, 0x5 | 7ull << 48, false); /* another ASID: may stay */
    a64_tlbi(rig->cpu, A64_TLBI_VA, 0x5, false);
    assert_int_equal(load(rig, 0x5000), 2);
    *slot(rig, g, 0x5000, 3) = TARGET | AF | 3 | NG;
    a64_tlbi(rig->cpu, A64_TLBI_VAA, 0x5, false);
    assert_int_equal(load(rig, 0x5000), 1);
    *slot(rig, g, 0x5000, 3) = (TARGET + 0x1000) | AF | 3 | NG;
    a64_tlbi(rig->cpu, A64_TLBI_ASID, 0, false);
    assert_int_equal(load(rig, 0x5000), 2);
    *slot(rig, g, 0x5000, 3) = TARGET | AF | 3;
    a64_tlbi(rig->cpu, A64_TLBI_ALL, 0, false);
    assert_int_equal(load(rig, 0x5000), 1);
}

/* Any address of a block drops all of it, whatever part of it was used. */
static void test_tlbi_of_blocks(void **state)
{
    struct cpu_rig *rig = *state;
    for (unsigned i = 0; i < ARRAY_SIZE(granules); i++) {
        const struct granule *g = &granules[i];
        use(rig, g);
        for (unsigned level = 1; level <= 3; level++) {
            uint64_t size = 1ull << level_shift(g, level);
            if (level < 3 && !(g->block_levels >> level & 1))
                continue;
            uint64_t va = 0x400000000000 + (TARGET & (size - 1));
            uint64_t pa = TARGET & ~(size - 1);
            map(rig, g, va, level, pa | AF | (level == 3 ? 3 : 1), 0);
            store_le(rig_ptr(rig, TARGET), 8, 1);
            assert_int_equal(load(rig, va), 1);
            *slot(rig, g, va, level) = 0;
            uint64_t elsewhere = (va & ~(size - 1)) + size - 1;
            a64_tlbi(rig->cpu, A64_TLBI_VA, elsewhere >> 12 & 0xfffffffffff, false);
            uint64_t v;
            assert_false(a64_load(rig->cpu, va, 8, 0, &v));
            assert_int_equal(rig->cpu->sys[A64_ESR_EL1] & 0x3f, 4 + level);
        }
    }
}

static void set_asid(struct cpu_rig *rig, uint64_t asid)
{
    uint64_t root = TABLES + granules[0].first_level * 0x10000;
    rig->cpu->x[1] = root | asid << 48;
    a64_msr(rig->cpu, A64_SYSREG_KEY(3, 0, 2, 0, 0), 1);
}

/* More blocks far apart than a bank has ranges for. */
static void test_many_blocks(void **state)
{
    struct cpu_rig *rig = *state;
    const struct granule *g = &granules[0];
    uint64_t size = 1ull << 30, pa = TARGET & ~(size - 1), offset = TARGET & (size - 1), v;
    use(rig, g);
    map(rig, g, 0, 1, pa | AF | 1, 0);
    for (unsigned i = 0; i < 40; i++) {
        uint64_t *l1 = slot(rig, g, 0, 1);
        l1[i * 7] = pa | AF | 1;
        load(rig, i * 7 * size + offset);
        l1[i * 7] = 0;
        if (i % 3 == 0) {
            a64_tlbi(rig->cpu, A64_TLBI_VA, (i * 7 * size + 0x1234000) >> 12, false);
            assert_false(a64_load(rig->cpu, i * 7 * size + offset, 8, 0, &v));
        }
    }
}

static void test_asids(void **state)
{
    struct cpu_rig *rig = *state;
    const struct granule *g = &granules[0];
    use(rig, g);
    mark(rig);
    set_asid(rig, 1);
    a64_pstate_set(rig->cpu, 0);
    map(rig, g, 0x5000, 3, TARGET | AF | 3 | NG | AP_EL0, 0);
    assert_int_equal(load(rig, 0x5000), 1);
    const struct a64_tlb_bank *first = rig->cpu->bank;
    a64_pstate_set(rig->cpu, 5);
    assert_int_equal(load(rig, 0x5000), 1); /* EL1's bank has it too */
    set_asid(rig, 2);
    *slot(rig, g, 0x5000, 3) = (TARGET + 0x1000) | AF | 3 | NG | AP_EL0;
    assert_int_equal(load(rig, 0x5000), 2);
    a64_pstate_set(rig->cpu, 0);
    assert_ptr_not_equal(rig->cpu->bank, first);
    assert_int_equal(load(rig, 0x5000), 2);
    /* Back: the first process's bank was kept; a flush by ASID empties that one alone. */
    a64_pstate_set(rig->cpu, 5);
    set_asid(rig, 1);
    a64_pstate_set(rig->cpu, 0);
    assert_ptr_equal(rig->cpu->bank, first);
    assert_int_equal(load(rig, 0x5000), 1);
    a64_tlbi(rig->cpu, A64_TLBI_ASID, 1ull << 48, false);
    assert_int_equal(load(rig, 0x5000), 2);
    /* More processes than banks. */
    a64_pstate_set(rig->cpu, 5);
    for (unsigned asid = 3; asid < 60; asid++) {
        set_asid(rig, asid);
        a64_pstate_set(rig->cpu, 0);
        assert_int_equal(load(rig, 0x5000), 2);
        a64_pstate_set(rig->cpu, 5);
    }
}

static void test_pan_forgets(void **state)
{
    struct cpu_rig *rig = *state;
    const struct granule *g = &granules[0];
    uint64_t v;
    use(rig, g);
    map(rig, g, 0x5000, 3, TARGET | AF | 3 | NG | AP_EL0, 0);
    a64_pstate_set(rig->cpu, 5);
    load(rig, 0x5000);
    a64_msr_imm(rig->cpu, 0, 4, 1);
    assert_true(a64_load(rig->cpu, 0x5000, 8, A64_MEM_UNPRIV, &v));
    assert_false(a64_load(rig->cpu, 0x5000, 8, 0, &v));
    assert_int_equal(rig->cpu->sys[A64_ESR_EL1], 0x25ull << 26 | 1 << 25 | 0xf);
    assert_int_equal(rig->cpu->sys[A64_FAR_EL1], 0x5000);
    a64_pstate_set(rig->cpu, 5);
}

static void test_page_crossing(void **state)
{
    struct cpu_rig *rig = *state;
    uint64_t last = RIG_UNMAPPED - 4, data = 0x1122334455667788, v = 0;
    store_le(rig_ptr(rig, last), 4, 0xabcd);
    assert_false(a64_store(rig->cpu, last, 8, 0, &data));
    assert_int_equal(load_le(rig_ptr(rig, last), 4), 0xabcd);
    assert_int_equal(rig->cpu->sys[A64_FAR_EL1], RIG_UNMAPPED);
    assert_int_equal(rig->cpu->sys[A64_ESR_EL1] & 0x7f, 1 << 6 | 7);
    uint64_t middle = RIG_DATA + 0x1000 - 3;
    assert_true(a64_store(rig->cpu, middle, 8, 0, &data));
    assert_true(a64_load(rig->cpu, middle, 8, 0, &v));
    assert_int_equal(v, data);
}

static void test_alignment(void **state)
{
    struct cpu_rig *rig = *state;
    uint64_t v;
    assert_false(a64_load(rig->cpu, RIG_DATA + 1, 4, A64_MEM_ALIGNED, &v));
    assert_int_equal(rig->cpu->sys[A64_ESR_EL1] & 0x3f, 0x21);
    assert_true(a64_load(rig->cpu, RIG_DATA + 1, 4, 0, &v));
    rig->cpu->x[1] = rig->cpu->sys[A64_SCTLR_EL1] | 2; /* A */
    a64_msr(rig->cpu, A64_SYSREG_KEY(3, 0, 1, 0, 0), 1);
    assert_false(a64_load(rig->cpu, RIG_DATA + 1, 4, 0, &v));
    rig->cpu->x[1] = rig->cpu->sys[A64_SCTLR_EL1] & ~2ull;
    a64_msr(rig->cpu, A64_SYSREG_KEY(3, 0, 1, 0, 0), 1);
    /* All memory Device: unaligned faults, aligned does not. */
    rig->cpu->x[1] = 0;
    a64_msr(rig->cpu, A64_SYSREG_KEY(3, 0, 10, 2, 0), 1);
    assert_false(a64_load(rig->cpu, RIG_DATA + 1, 4, 0, &v));
    assert_int_equal(rig->cpu->sys[A64_ESR_EL1] & 0x3f, 0x21);
    assert_true(a64_load(rig->cpu, RIG_DATA + 4, 4, 0, &v));
}

static void test_address_translation(void **state)
{
    struct cpu_rig *rig = *state;
    a64_address_translate(rig->cpu, RIG_DATA + 0x123, A64_READ, 1, false, false);
    assert_int_equal(rig->cpu->sys[A64_PAR_EL1] & 0xfffffffff001, RIG_DATA);
    assert_int_equal(rig->cpu->sys[A64_PAR_EL1] >> 56, 0xff);
    a64_address_translate(rig->cpu, RIG_READONLY, A64_WRITE, 1, false, false);
    assert_int_equal(rig->cpu->sys[A64_PAR_EL1] & 0x7f, 1 | 0xf << 1);
    a64_address_translate(rig->cpu, RIG_UNMAPPED, A64_READ, 0, false, false);
    assert_int_equal(rig->cpu->sys[A64_PAR_EL1] & 0x7f, 1 | 7 << 1);
}

static void test_zero_block(void **state)
{
    struct cpu_rig *rig = *state;
    memset(rig_ptr(rig, RIG_DATA), 0xff, 256);
    rig->cpu->x[1] = RIG_DATA + 64 + 17;
    a64_sys(rig->cpu, 3, 7, 4, 1, 1); /* DC ZVA, X1 */
    assert_int_equal(load_le(rig_ptr(rig, RIG_DATA + 56), 8), UINT64_MAX);
    for (unsigned i = 0; i < 64; i += 8)
        assert_int_equal(load_le(rig_ptr(rig, RIG_DATA + 64 + i), 8), 0);
    assert_int_equal(load_le(rig_ptr(rig, RIG_DATA + 128), 8), UINT64_MAX);
    rig->cpu->x[1] = RIG_READONLY + 8;
    rig->cpu->pc = RIG_CODE;
    a64_sys(rig->cpu, 3, 7, 4, 1, 1);
    rig_assert_abort(rig, RIG_READONLY + 8, true, 0xf);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_every_level),         TEST(test_rights),
        TEST(test_address_ranges),      TEST(test_tlbi_by_address),
        TEST(test_tlbi_of_blocks),      TEST(test_asids),
        TEST(test_many_blocks),         TEST(test_pan_forgets),
        TEST(test_page_crossing),       TEST(test_alignment),
        TEST(test_address_translation), TEST(test_zero_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
