/* tables.c: translation tables for tests (DDI 0487, D8.3), and accesses through them. */
#include "tables.h"

const struct granule granules[GRANULES] = {
    {"4K", 12, 9, 25, 2, 1, 2},
    {"16K", 14, 11, 28, 1, 2, 2},
    {"64K", 16, 13, 22, 3, 2, 2},
};

static uint64_t *top;
const struct granule *now;
uint64_t high;

static void set_tcr(const struct granule *g)
{
    uint64_t tcr = read_sysreg(tcr_el1) & ~(0xfffful << 16);
    tcr |= (uint64_t)g->t1sz << 16 | 1ul << 24 | 1ul << 26 | 3ul << 28 | (uint64_t)g->tg1 << 30;
    write_sysreg(tcr_el1, tcr);
    high = -(1ul << (64 - g->t1sz));
    now = g;
}

unsigned level_shift(unsigned level)
{
    return now->shift + now->index_bits * (3 - level);
}

void tables_new(const struct granule *g)
{
    top = page_alloc(1);
    set_tcr(g);
    write_sysreg(ttbr1_el1, (uint64_t)top);
    tlbi_all();
}

uint64_t *slot(uint64_t va, unsigned level)
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

void map_quietly(uint64_t va, unsigned level, uint64_t pa, uint64_t flags)
{
    *slot(va, level) = pa | flags | (level == 3 ? PTE_PAGE : PTE_VALID);
    __asm__ volatile("dsb ishst\n\tisb" ::: "memory");
}

void unmap(uint64_t va, unsigned level)
{
    *slot(va, level) = 0;
    __asm__ volatile(
        "dsb ishst\n\ttlbi vaae1is, %0\n\tdsb ish\n\tisb" ::"r"(va >> 12 & 0xffffffffffful)
        : "memory");
}

void map(uint64_t va, unsigned level, uint64_t pa, uint64_t flags)
{
    unmap(va, level);
    map_quietly(va, level, pa, flags);
}

void set_asid(uint64_t asid)
{
    write_sysreg(ttbr0_el1, (read_sysreg(ttbr0_el1) & 0xfffffffffffful) | asid << 48);
}

const struct caught *load(uint64_t va)
{
    return provoke("ldr x0, [%0]" ::"r"(va) : "x0", "memory");
}

const struct caught *store(uint64_t va)
{
    return provoke("str xzr, [%0]" ::"r"(va) : "memory");
}

const struct caught *jump(uint64_t va)
{
    expect_begin();
    __asm__ volatile("adr x1, 1f\n str x1, [%1]\n blr %0\n1:" ::"r"(va), "r"(&this_cpu()->resume_at)
                     : "x0", "x1", "x30", "memory");
    this_cpu()->resume_at = 0;
    return expect_end();
}

unsigned status(const struct caught *c)
{
    return c->count ? caught_iss(c) & 0x3f : 64;
}
