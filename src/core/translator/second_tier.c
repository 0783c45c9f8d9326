/* second_tier.c: hot loops by samples of the countdown at back edges, and regions made of them.
 *
 * A region takes the place of the first tier's unit at the loop's head: it is found first, and
 * jumps that were linked to that unit lead to it. When its code changes it goes, and the unit is
 * there again.
 */
#include "core/translator/translator_int.h"

#include "base/bytes.h"
#include "core/arm64/mmu.h"
#include "core/translator/returns.h"

/* In place of the first tier's unit, unless the code has changed meanwhile. Where there is no room
 * it is left: the next unit of the first tier makes some. Under the lock. */
static bool add_region(struct translator *t, const struct unit_parts *parts, uint64_t seen)
{
    const struct unit *there = cache_find(&t->cache, parts->pa, parts->context);
    bool is_region = there && there->leave;
    if (is_region || cache_parts_stale(&t->cache, parts, seen) || !cache_has_room(&t->cache))
        return false;
    return cache_add(&t->cache, parts);
}

/* `cpu`: whose thread this is; NULL: of none. True: there is one that was not there before. */
static bool make_region(struct translator *t, struct a64_cpu *cpu, uint64_t pa, uint32_t context)
{
    uint64_t begin = translator_moment().ns;
    bool made = false;
    struct maker *maker = maker_take(&t->makers);
    uint64_t seen = cache_changes(&t->cache);
    if (translator_read_page(t, align_down(pa, 4096), maker_page(maker))) {
        const struct unit_parts *parts = maker_make_region(maker, &t->making, pa, context, false);
        translator_lock(t, cpu);
        if (parts)
            made = add_region(t, parts, seen);
        t->building_ns += translator_moment().ns - begin;
        translator_unlock(t);
    }
    maker_give(&t->makers, maker);
    return made;
}

void translator_build_region(void *ctx, uint64_t pa, uint32_t context)
{
    make_region(ctx, NULL, pa, context);
}

/* Machines have a thread for it. A program would see that: its fork() and its namespaces, of which
 * unshare() says something only to single threads; it waits instead, some 20 microseconds. */
static void want_region(struct translator *t, struct a64_cpu *cpu, uint64_t pa, uint32_t context)
{
    struct profile *profile = &translator_share(cpu)->profile;
    if (!t->user) {
        builder_request(&t->builder, pa, context);
        profile_found(profile);
        return;
    }
    struct counts *counts = &translator_share(cpu)->counts;
    enum counts_time before = counts_turn(counts, COUNTS_TRANSLATING);
    if (make_region(t, cpu, pa, context))
        profile_found(profile);
    counts_turn(counts, before);
    a64_user_empty_jump(cpu, a64_user_jump(cpu, cpu->pc));
}

void translator_refill(struct a64_cpu *cpu)
{
    int32_t budget = profile_budget(&translator_share(cpu)->profile);
    atomic_store_explicit(&cpu->signals.budget, budget, memory_order_relaxed);
    atomic_store_explicit(&cpu->signals.returns_limit, returns_limit(cpu), memory_order_relaxed);
}

bool translator_budget_spent(struct a64_cpu *cpu)
{
    if (atomic_load_explicit(&cpu->signals.budget, memory_order_relaxed) >= 0)
        return false;
    translator_refill(cpu);
    return !atomic_load_explicit(&cpu->signals.poll, memory_order_relaxed);
}

void translator_sample(struct translator *t, struct a64_cpu *cpu)
{
    uint32_t raw, context = translator_context(cpu);
    uint64_t pa;
    if (t->tiers != TRANSLATOR_BOTH_TIERS || !a64_fetch(cpu, cpu->pc, &raw, &pa))
        return;
    if (profile_sample(&translator_share(cpu)->profile, pa, context))
        want_region(t, cpu, pa, context);
}

/* The next process begins with an image of this one, and would be led by other samples to these. */
void translator_make_regions_ahead(struct translator *t)
{
    struct share *share = t->shares;
    if (!share || share->next || t->tiers != TRANSLATOR_BOTH_TIERS)
        return; /* a profile is its thread's, and others may run still */
    for (unsigned i = 0; i < PROFILE_SLOTS; i++) {
        struct profile_slot *slot = &share->profile.slots[i];
        if (slot->samples > 0 && !(t->frozen && frozen_sleeps(t->frozen, slot->pa)))
            make_region(t, NULL, slot->pa, slot->context);
        slot->samples = 0;
    }
}
