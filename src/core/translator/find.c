/* find.c: the unit at pc: in the cache, in the store, or made now. */
#include "core/translator/translator_int.h"

#include "base/bytes.h"
#include "core/arm64/mmu.h"

static uint32_t with_el2(const struct a64_cpu *cpu, uint32_t context)
{
    const uint64_t tdz = 1ull << 28; /* HCR_EL2.TDZ */
    if (cpu->el == 2)
        return context | LIFT_EL2;
    if (cpu->regime == 0) /* EL0 of a host: EL1 and its traps are not there */
        return context;
    if (cpu->sys[A64_HCR_EL2] & tdz)
        context &= ~(uint32_t)LIFT_ZVA;
    return context | LIFT_EL2_TRAPS;
}

uint32_t translator_context(const struct a64_cpu *cpu)
{
    const uint32_t not_plain = 1u << 19 | 1u << 24 | 1u << 26; /* FZ16, FZ, AHP */
    uint32_t context = cpu->el ? LIFT_EL1 : 0;
    if (a64_fp_allowed(cpu))
        context |= LIFT_FP;
    if (!(cpu->fpcr & not_plain))
        context |= LIFT_FP_PLAIN;
    if (cpu->uao)
        context |= LIFT_UAO;
    if (cpu->el || cpu->sys[A64_SCTLR_EL1] >> 14 & 1) /* DZE */
        context |= LIFT_ZVA;
    return cpu->el2 ? with_el2(cpu, context) : context;
}

/* The page in the maker is as it was at `seen`: its units that were in doubt are looked through,
 * and what the store has of it goes into the cache. Under the lock. */
static void fetch(struct translator *t, struct maker *maker, uint64_t seen, uint64_t pa,
                  uint32_t context)
{
    uint64_t page = align_down(pa, 4096);
    if (cache_changed_since(&t->cache, seen, page, page + 4096))
        return;
    if (!t->user && cache_page_in_doubt(&t->cache, page)) {
        uint64_t page_hash = maker_page_hash(maker, &t->cache);
        if (t->persist && cache_page_changed(&t->cache, page, page_hash))
            persist_leave_page(t->persist, &t->cache, page);
        cache_settle_page(&t->cache, page, page_hash);
    }
    if (t->persist && !(context & LIFT_ALONE) && !cache_find(&t->cache, pa, context) &&
        cache_has_room(&t->cache))
        persist_fetch(t->persist, &t->cache, pa, context, maker_page(maker),
                      maker_page_hash(maker, &t->cache));
}

/* Puts a unit that was made of the bytes as they were at `seen` into the cache, unless another CPU
 * was quicker or the code has changed. False: there was no room. Under the lock. */
static bool add(struct translator *t, struct maker *maker, const struct unit_parts *parts,
                uint64_t seen)
{
    if (cache_find(&t->cache, parts->pa, parts->context) ||
        cache_parts_stale(&t->cache, parts, seen)) {
        t->made_in_vain++;
        return true;
    }
    if (!cache_has_room(&t->cache))
        return false;
    cache_add(&t->cache, parts);
    t->cache.made_count++;
    t->cache.insn_count += parts->insns;
    bool stored = t->persist && !(parts->context & LIFT_ALONE);
    if (stored &&
        persist_made(t->persist, parts->pa, parts->context, t->user ? NULL : maker_page(maker)))
        persist_save(t->persist, &t->cache, translator_read_page, t);
    return true;
}

/* Tries to have a unit at `pa` in the cache: from the store, or made now, without the lock. False:
 * pa is not in RAM. *ret_stale: the CPU was out of the guest meanwhile. */
static bool obtain(struct translator *t, struct a64_cpu *cpu, struct maker *maker, uint64_t pa,
                   uint32_t context, bool *ret_stale)
{
    /* Code that changes from here on is announced behind this. */
    uint64_t seen = cache_changes(&t->cache);
    *ret_stale = false;
    if (!translator_read_page(t, align_down(pa, 4096), maker_page(maker)))
        return false;
    bool alone = context & LIFT_ALONE;
    if (t->persist || !t->user) {
        *ret_stale = translator_lock(t, cpu);
        fetch(t, maker, seen, pa, context);
        translator_unlock(t);
        if (cache_find(&t->cache, pa, context))
            return true;
    }
    const struct unit_parts *parts = NULL;
    if (t->tiers == TRANSLATOR_SECOND_TIER && !alone)
        parts = maker_make_region(maker, &t->making, pa, context, true);
    if (!parts)
        parts = maker_make(maker, &t->making, pa, context);
    *ret_stale |= translator_lock(t, cpu);
    if (!add(t, maker, parts, seen)) {
        translator_make_room(t, cpu);
        *ret_stale = true;
        add(t, maker, parts, seen);
    }
    translator_unlock(t);
    return true;
}

void translator_make_ahead(struct translator *t, uint64_t pa, uint32_t context)
{
    bool stale;
    struct maker *maker = maker_take(&t->makers);
    if (!(t->frozen && frozen_sleeps(t->frozen, pa)) && !cache_find(&t->cache, pa, context))
        obtain(t, NULL, maker, pa, context, &stale);
    maker_give(&t->makers, maker);
}

/* The image's units of the page are looked through before one of them is found. True: the CPU was
 * out of the guest meanwhile. */
static bool wake(struct translator *t, struct a64_cpu *cpu, uint64_t pa)
{
    struct counts *counts = &translator_share(cpu)->counts;
    enum counts_time before = counts_turn(counts, COUNTS_TRANSLATING);
    bool stale = translator_lock(t, cpu);
    frozen_wake(t->frozen, pa);
    translator_unlock(t);
    counts_turn(counts, before);
    return stale;
}

/* Whether some unit can be entered in its middle for the instruction at `pa`. If there is an exit
 * that leads here it is linked to there. *ret_stale: as above. */
static bool find_within(struct translator *t, struct a64_cpu *cpu, uint64_t pa, uint32_t context,
                        struct exit_link *exit, const void **ret_code, bool *ret_stale)
{
    const uint8_t *code;
    struct unit *unit = NULL;
    *ret_stale = translator_lock(t, cpu);
    if (!*ret_stale)
        unit = cache_find_within(&t->cache, pa, context, &code);
    if (unit && exit && exit->from->context == context && !exit->from->dead) {
        cache_link_within(exit, unit, code);
        translator_share(cpu)->counts.links++;
    }
    if (unit)
        *ret_code = cache_run_address(&t->cache, code);
    translator_unlock(t);
    return unit != NULL;
}

struct unit *translator_unit_at_pc(struct translator *t, struct a64_cpu *cpu, uint32_t context,
                                   struct exit_link **exit, const void **ret_within, bool *ret_step)
{
    uint32_t raw;
    uint64_t pa;
    *ret_step = false;
    *ret_within = NULL;
    for (;;) {
        if (!a64_fetch(cpu, cpu->pc, &raw, &pa))
            return NULL;
        if (t->frozen && frozen_sleeps(t->frozen, pa) && wake(t, cpu, pa)) {
            *exit = NULL;
            continue;
        }
        struct unit *unit = cache_find(&t->cache, pa, context);
        if (unit)
            return unit;
        bool stale;
        bool direct = t->user && (*exit || translator_share(cpu)->sampled);
        if (direct && find_within(t, cpu, pa, context, *exit, ret_within, &stale))
            return NULL;
        if (direct && stale) {
            *exit = NULL;
            continue;
        }
        struct counts *counts = &translator_share(cpu)->counts;
        enum counts_time before = counts_turn(counts, COUNTS_TRANSLATING);
        struct maker *maker = maker_take(&t->makers);
        bool is_ram = obtain(t, cpu, maker, pa, context, &stale);
        maker_give(&t->makers, maker);
        counts_turn(counts, before);
        if (stale)
            *exit = NULL;
        if (!is_ram) {
            *ret_step = true;
            return NULL;
        }
    }
}
