/* mmu.c: stage 1 translation (DDI 0487 D8): granules, blocks, faults and permissions, ASIDs, TLB
 * maintenance, and code that changes under the instruction cache.
 *
 * Tests build tables for TTBR1 (high addresses), so that the code that runs stays mapped by TTBR0.
 */
#include "guest.h"

enum {
    EC_IABORT = 0x21,
    EC_DABORT = 0x25,
    FAULT_TRANSLATION = 4,
    FAULT_ACCESS = 8,
    FAULT_PERMISSION = 12,
    SMALL_PAGE = 4096
};

/* A translation granule of TTBR1: TG1's encoding and the geometry. */
struct granule {
    const char *name;
    unsigned shift, index_bits, t1sz, tg1;
    unsigned start_level;
    unsigned block_level; /* of the smallest block */
};

static const struct granule granules[] = {
    {"4K", 12, 9, 25, 2, 1, 2},
    {"16K", 14, 11, 28, 1, 2, 2},
    {"64K", 16, 13, 22, 3, 2, 2},
};

#define NORMAL (PTE_AF | PTE_SHARED)

static uint64_t *top;
static const struct granule *now;
static uint64_t high; /* the first address of TTBR1's range */

static void set_tcr(const struct granule *g)
{
    uint64_t tcr = read_sysreg(tcr_el1) & ~(0xfffful << 16);
    tcr |= (uint64_t)g->t1sz << 16 | 1ul << 24 | 1ul << 26 | 3ul << 28 | (uint64_t)g->tg1 << 30;
    write_sysreg(tcr_el1, tcr);
    high = -(1ul << (64 - g->t1sz));
    now = g;
}

static unsigned level_shift(unsigned level)
{
    return now->shift + now->index_bits * (3 - level);
}

static uint64_t *slot(uint64_t va, unsigned level)
{
    uint64_t *table = top;
    for (unsigned l = now->start_level;; l++) {
        unsigned bits = l == now->start_level ? 64 - now->t1sz - level_shift(l) : now->index_bits;
        uint64_t *entry = &table[va >> level_shift(l) & ((1ul << bits) - 1)];
        if (l == level)
            return entry;
        if (!(*entry & PTE_VALID))
            *entry = (uint64_t)page_alloc(1) | PTE_TABLE;
        table = (uint64_t *)(*entry & 0xfffffffff000ul);
    }
}

/* Without maintenance: for entries that were invalid, and to see what the TLB remembers. */
static void map_quietly(uint64_t va, unsigned level, uint64_t pa, uint64_t flags)
{
    *slot(va, level) = pa | flags | (level == 3 ? PTE_PAGE : PTE_VALID);
    __asm__ volatile("dsb ishst\n\tisb" ::: "memory");
}

static void unmap(uint64_t va, unsigned level)
{
    *slot(va, level) = 0;
    __asm__ volatile(
        "dsb ishst\n\ttlbi vaae1is, %0\n\tdsb ish\n\tisb" ::"r"(va >> 12 & 0xffffffffffful)
        : "memory");
}

static void map(uint64_t va, unsigned level, uint64_t pa, uint64_t flags)
{
    unmap(va, level);
    map_quietly(va, level, pa, flags);
}

static const struct caught *load(uint64_t va)
{
    return provoke("ldr x0, [%0]" ::"r"(va) : "x0", "memory");
}

static const struct caught *store(uint64_t va)
{
    return provoke("str xzr, [%0]" ::"r"(va) : "memory");
}

static const struct caught *jump(uint64_t va)
{
    expect_begin();
    __asm__ volatile("adr x1, 1f\n str x1, [%1]\n blr %0\n1:" ::"r"(va), "r"(&this_cpu()->resume_at)
                     : "x0", "x1", "x30", "memory");
    this_cpu()->resume_at = 0;
    return expect_end();
}

static unsigned status(const struct caught *c) /* fault status, or 64 where there was no fault */
{
    return c->count ? caught_iss(c) & 0x3f : 64;
}

static void name_check(const char *what, uint64_t got, uint64_t wanted)
{
    char name[64];
    unsigned n = 0;
    for (const char *p = now->name; *p; p++)
        name[n++] = *p;
    name[n++] = ' ';
    for (const char *p = what; *p && n < sizeof name - 1; p++)
        name[n++] = *p;
    name[n] = 0;
    check_eq(name, got, wanted);
}

/* --- one granule -------------------------------------------------------------------------------
 */

static void test_granule(const struct granule *g)
{
    uint64_t *data = page_alloc(1), page = 1ul << g->shift;
    top = page_alloc(1);
    set_tcr(g);
    write_sysreg(ttbr1_el1, (uint64_t)top);
    tlbi_all();
    data[0] = 0x1111, data[page / 8 - 1] = 0x2222;
    uint64_t va = high + 5 * page;

    name_check("empty table: translation fault at the first level", status(load(va)),
               FAULT_TRANSLATION + g->start_level);
    map(va, 3, (uint64_t)data, NORMAL);
    name_check("page: first word", *(volatile uint64_t *)va, 0x1111);
    name_check("page: last word", *(volatile uint64_t *)(va + page - 8), 0x2222);
    name_check("next page: translation fault, level 3", status(load(va + page)),
               FAULT_TRANSLATION + 3);
    name_check("store goes to the same memory", ({
                   *(volatile uint64_t *)(va + 64) = 0x3333;
                   data[8];
               }),
               0x3333);

    unsigned block = g->block_level;
    uint64_t block_bytes = 1ul << level_shift(block), block_va = high + 8 * block_bytes;
    uint64_t block_pa = (uint64_t)data & ~(block_bytes - 1), inside = (uint64_t)data - block_pa;
    map(block_va, block, block_pa, NORMAL);
    name_check("block", *(volatile uint64_t *)(block_va + inside), 0x1111);
    name_check("block: end", *(volatile uint64_t *)(block_va + inside + page - 8), 0x2222);
    unmap(block_va, block);
    name_check("block gone", status(load(block_va + inside)), FAULT_TRANSLATION + block);

    map(va, 3, (uint64_t)data, PTE_SHARED);
    name_check("access flag fault", status(load(va)), FAULT_ACCESS + 3);
    map(va, 3, (uint64_t)data, NORMAL | PTE_READ_ONLY);
    name_check("read-only page: load", status(load(va)), 64);
    name_check("read-only page: store", status(store(va)), FAULT_PERMISSION + 3);
    map(va, 3, (uint64_t)data, NORMAL | PTE_PXN);
    name_check("PXN: jump", status(jump(va)), FAULT_PERMISSION + 3);
    map(va, 3, (uint64_t)data, NORMAL | PTE_USER);
    name_check("EL0-writable is not executable at EL1", status(jump(va)), FAULT_PERMISSION + 3);
    ((uint32_t *)data)[0] = 0xd65f03c0; /* ret */
    sync_code(data, 4);
    map(va, 3, (uint64_t)data, NORMAL);
    name_check("executable page", status(jump(va)), 64);

    /* An unaligned access over the end of the last mapped page. */
    data[page / 8 - 1] = 0x2222;
    const struct caught *c = provoke("str %1, [%0]" ::"r"(va + page - 4), "r"(~0ul) : "memory");
    name_check("crossing into nothing: fault", status(c), FAULT_TRANSLATION + 3);
    name_check("crossing into nothing: FAR is in the second page", c->far, va + page);
    name_check("crossing into nothing: nothing stored", data[page / 8 - 1], 0x2222);

    __asm__ volatile("at s1e1r, %0\n\tisb" ::"r"(va + 0x123) : "memory");
    name_check("AT of a mapped page", read_sysreg(par_el1) & 0xfffffffff001ul,
               ((uint64_t)data + 0x123) & ~0xffful);
    __asm__ volatile("at s1e1r, %0\n\tisb" ::"r"(va + page) : "memory");
    name_check("AT of nothing: F", read_sysreg(par_el1) & 1, 1);
    name_check("AT of nothing: status", read_sysreg(par_el1) >> 1 & 0x3f, FAULT_TRANSLATION + 3);
    __asm__ volatile("at s1e0w, %0\n\tisb" ::"r"(va) : "memory");
    name_check("AT for EL0 of a kernel page", read_sysreg(par_el1) >> 1 & 0x3f,
               FAULT_PERMISSION + 3);
}

/* --- controls ----------------------------------------------------------------------------------
 */

static void test_controls(void)
{
    uint64_t *data = page_alloc(1), va = high + 0x10000;
    data[0] = 0x77;
    map(va, 3, (uint64_t)data, NORMAL);
    uint64_t tcr = read_sysreg(tcr_el1), tagged = va & ~(0xfful << 56);
    check_eq("before EPD1", *(volatile uint64_t *)va, 0x77);
    write_sysreg(tcr_el1, tcr | 1ul << 23); /* EPD1 */
    tlbi_all();
    check_eq("EPD1: no walks", status(load(va)) & 0x3c, FAULT_TRANSLATION);
    write_sysreg(tcr_el1, tcr);
    tlbi_all();
    check_eq("tagged address without TBI1", status(load(tagged | 0xa5ul << 56)) & 0x3c,
             FAULT_TRANSLATION);
    write_sysreg(tcr_el1, tcr | 1ul << 38); /* TBI1 */
    tlbi_all();
    check_eq("tagged address with TBI1", status(load(tagged | 0xa5ul << 56)), 64);
    write_sysreg(tcr_el1, tcr);
    tlbi_all();

    /* Tables' own limits: APTable read-only, PXNTable. */
    uint64_t *parent = slot(va, 2), kept = *parent;
    *parent = kept | 1ul << 62;
    tlbi_all();
    check_eq("APTable: read-only below", status(store(va)), FAULT_PERMISSION + 3);
    *parent = kept | 1ul << 59;
    tlbi_all();
    check_eq("PXNTable: not executable below", status(jump(va)), FAULT_PERMISSION + 3);
    *parent = kept;
    tlbi_all();
    check_eq("and without", status(store(va)), 64);
}

/* --- ASIDs and TLB maintenance -----------------------------------------------------------------
 */

static void set_asid(uint64_t asid)
{
    write_sysreg(ttbr0_el1, (read_sysreg(ttbr0_el1) & 0xfffffffffffful) | asid << 48);
}

static uint64_t page_arg(uint64_t va, uint64_t asid)
{
    return (va >> 12 & 0xffffffffffful) | asid << 48;
}

static void test_asids(void)
{
    uint64_t *one = page_alloc(1), *two = page_alloc(1), va = high + 0x200000;
    one[0] = 1, two[0] = 2;
    set_asid(1);
    map(va, 3, (uint64_t)one, NORMAL | PTE_NG);
    check_eq("ASID 1 sees its page", *(volatile uint64_t *)va, 1);
    set_asid(2);
    *slot(va, 3) = (uint64_t)two | NORMAL | PTE_NG | PTE_PAGE;
    __asm__ volatile("dsb ishst\n\ttlbi vae1is, %0\n\tdsb ish\n\tisb" ::"r"(page_arg(va, 2))
                     : "memory");
    check_eq("ASID 2 sees the new one", *(volatile uint64_t *)va, 2);
    set_asid(1);
    __asm__ volatile("tlbi aside1is, %0\n\tdsb ish\n\tisb" ::"r"(1ul << 48) : "memory");
    check_eq("ASID 1 after TLBI ASIDE1", *(volatile uint64_t *)va, 2);
    *slot(va, 3) = (uint64_t)one | NORMAL | PTE_NG | PTE_PAGE;
    __asm__ volatile("dsb ishst\n\ttlbi vae1is, %0\n\tdsb ish\n\tisb" ::"r"(page_arg(va, 1))
                     : "memory");
    check_eq("ASID 1 after TLBI VAE1", *(volatile uint64_t *)va, 1);
    *slot(va, 3) = (uint64_t)two | NORMAL | PTE_NG | PTE_PAGE;
    __asm__ volatile("dsb ishst\n\ttlbi vaae1is, %0\n\tdsb ish\n\tisb" ::"r"(page_arg(va, 0))
                     : "memory");
    check_eq("ASID 1 after TLBI VAAE1", *(volatile uint64_t *)va, 2);
    set_asid(2);
    check_eq("ASID 2 after TLBI VAAE1", *(volatile uint64_t *)va, 2);

    bool all = true;
    for (unsigned i = 0; i < 3000; i++) { /* many ASIDs, more than any TLB has banks */
        uint64_t asid = 3 + i % 300;
        uint64_t *page = i & 1 ? one : two;
        set_asid(asid);
        *slot(va, 3) = (uint64_t)page | NORMAL | PTE_NG | PTE_PAGE;
        __asm__ volatile("dsb ishst\n\ttlbi vae1is, %0\n\tdsb ish\n\tisb" ::"r"(page_arg(va, asid))
                         : "memory");
        all &= *(volatile uint64_t *)va == page[0];
    }
    check("300 ASIDs in turn", all);
    set_asid(0);
}

static void test_remap(void)
{
    uint64_t *pages[2] = {page_alloc(1), page_alloc(1)}, va = high + 0x300000;
    pages[0][0] = 10, pages[1][0] = 11;
    bool all = true;
    for (unsigned i = 0; i < 1000; i++) {
        map(va, 3, (uint64_t)pages[i & 1], NORMAL);
        all &= *(volatile uint64_t *)va == 10 + (i & 1);
    }
    check("1000 remappings, each seen", all);
    map(va, 3, (uint64_t)pages[0], NORMAL);
    all = true;
    for (unsigned i = 0; i < 200; i++) {
        *(volatile uint64_t *)va = i;
        map(va, 3, (uint64_t)pages[0], NORMAL | PTE_READ_ONLY);
        all &= status(store(va)) == FAULT_PERMISSION + 3 && pages[0][0] == i;
        map(va, 3, (uint64_t)pages[0], NORMAL);
    }
    check("200 times read-only and back", all);
}

/* --- code that changes -------------------------------------------------------------------------
 */

static uint32_t movz(unsigned value) /* movz w0, #value */
{
    return 0x52800000u | value << 5;
}

static uint64_t call(uint64_t va)
{
    register uint64_t x0 __asm__("x0") = 0;
    __asm__ volatile("blr %1" : "+r"(x0) : "r"(va) : "x30", "memory");
    return x0;
}

static void test_code(void)
{
    uint32_t *code = page_alloc(1);
    uint64_t va = high + 0x400000, alias = high + 0x500000;
    code[0] = movz(0);
    code[1] = 0xd65f03c0;
    map(va, 3, (uint64_t)code, NORMAL);
    map(alias, 3, (uint64_t)code, NORMAL);
    sync_code(code, 8);
    bool all = true;
    for (unsigned i = 0; i < 500; i++) {
        code[0] = movz(i);
        sync_code(code, 4);
        all &= call((uint64_t)va) == i;
    }
    check("500 times new code", all);
    all = true;
    for (unsigned i = 0; i < 500; i++) {
        ((volatile uint32_t *)alias)[0] = movz(i + 7);
        sync_code((void *)alias, 4);
        all &= call((uint64_t)va) == i + 7;
    }
    check("500 times new code by another address", all);

    /* The same virtual address, other code behind it: no instruction cache maintenance is due. */
    uint32_t *other = page_alloc(1);
    other[0] = movz(4321), other[1] = 0xd65f03c0;
    sync_code(other, 8);
    code[0] = movz(1234);
    sync_code(code, 4);
    all = true;
    for (unsigned i = 0; i < 500; i++) {
        map(va, 3, (uint64_t)(i & 1 ? other : code), NORMAL);
        all &= call((uint64_t)va) == (i & 1 ? 4321 : 1234);
    }
    check("500 times other code by remapping", all);

    /* A function that lies over two pages, of which the second changes its place. */
    uint32_t *first = page_alloc(1), *second[2] = {page_alloc(1), page_alloc(1)};
    first[1023] = movz(5);
    for (unsigned i = 0; i < 2; i++) {
        second[i][0] = 0x11000000u | (100 + i) << 10; /* add w0, w0, #100 + i */
        second[i][1] = 0xd65f03c0;
        sync_code(second[i], 8);
    }
    sync_code(&first[1023], 4);
    map(va, 3, (uint64_t)first, NORMAL);
    all = true;
    for (unsigned i = 0; i < 200; i++) {
        map(va + SMALL_PAGE, 3, (uint64_t)second[i & 1], NORMAL);
        all &= call(va + SMALL_PAGE - 4) == 105 + (i & 1);
    }
    check("200 times code over two pages", all);
    unmap(va + SMALL_PAGE, 3);
    const struct caught *c = jump(va + SMALL_PAGE - 4);
    check_eq("code runs into nothing: class", caught_ec(c), EC_IABORT);
    check_eq("code runs into nothing: FAR", c->far, va + SMALL_PAGE);
    check_eq("code runs into nothing: ELR", c->elr, va + SMALL_PAGE);
}

/* --- other CPUs --------------------------------------------------------------------------------
 */

static uint64_t shared_va;
static volatile uint64_t turns, seen_wrong;
static uint64_t *shared_pages[2];
static uint32_t *shared_code;

enum { SHARED_TURNS = 60 };

/* CPU 0 changes the mapping and the code; the others must see each change once they are told. */
static void share(void)
{
    if (this_cpu()->index == 0) {
        for (uint64_t i = 1; i <= SHARED_TURNS; i++) {
            map(shared_va, 3, (uint64_t)shared_pages[i & 1], NORMAL);
            shared_code[0] = movz((unsigned)i);
            sync_code(shared_code, 4);
            __atomic_store_n(&turns, i << 8, __ATOMIC_SEQ_CST);
            while ((__atomic_load_n(&turns, __ATOMIC_SEQ_CST) & 0xff) < 2)
                ;
        }
        return;
    }
    write_sysreg(tcr_el1, read_sysreg(tcr_el1));
    for (uint64_t i = 1; i <= SHARED_TURNS; i++) {
        while (__atomic_load_n(&turns, __ATOMIC_SEQ_CST) >> 8 != i)
            ;
        isb();
        if (*(volatile uint64_t *)shared_va != 10 + (i & 1) || call((uint64_t)shared_code) != i)
            seen_wrong++;
        __atomic_add_fetch(&turns, 1, __ATOMIC_SEQ_CST);
    }
}

static uint64_t tcr_for_all, ttbr1_for_all;

static void take_tables(void)
{
    write_sysreg(tcr_el1, tcr_for_all);
    write_sysreg(ttbr1_el1, ttbr1_for_all);
    tlbi_all();
}

static void test_other_cpus(void)
{
    cpus_start();
    if (cpu_count < 3)
        return;
    tcr_for_all = read_sysreg(tcr_el1);
    ttbr1_for_all = read_sysreg(ttbr1_el1);
    run_on_cpus(3, take_tables);
    shared_va = high + 0x600000;
    shared_code = page_alloc(1);
    shared_code[1] = 0xd65f03c0;
    for (unsigned i = 0; i < 2; i++) {
        shared_pages[i] = page_alloc(1);
        shared_pages[i][0] = 10 + i;
    }
    run_on_cpus(3, share);
    check_eq("mappings and code changed for other CPUs", seen_wrong, 0);
}

void guest_tests(void)
{
    for (unsigned i = 0; i < sizeof granules / sizeof granules[0]; i++)
        test_granule(&granules[i]);
    top = page_alloc(1);
    set_tcr(&granules[0]);
    write_sysreg(ttbr1_el1, (uint64_t)top);
    tlbi_all();
    test_controls();
    test_asids();
    test_remap();
    test_code();
    test_other_cpus();
}
