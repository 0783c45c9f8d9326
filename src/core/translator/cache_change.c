/* cache_change.c: what becomes of units that are in the cache: they are linked, dropped where their
 * code has changed, and retired by generations.
 *
 * A jump is linked by rewriting its rel32 with one aligned store while other CPUs may run it; x86
 * sees either the old or the new target, and both are right. Unlinking points it back at its cold
 * path.
 */
#include "core/translator/cache_int.h"

#include <string.h>

void cache_link_within(struct exit_link *exit, struct unit *to, const uint8_t *code)
{
    if (exit->to)
        return;
    exit->to = to;
    exit->next = to->incoming;
    to->incoming = exit;
    point(exit, code);
}

void cache_link(struct cache *cache, struct exit_link *exit, struct unit *to)
{
    cache_link_within(exit, to, direct_entry(cache, to));
}

static void unlink_incoming(struct unit *unit)
{
    for (struct exit_link *exit = unit->incoming; exit; exit = exit->next)
        unlink_exit(exit);
    unit->incoming = NULL;
}

static void unlink_one(struct exit_link *exit)
{
    struct exit_link **p = &exit->to->incoming;
    while (*p && *p != exit)
        p = &(*p)->next;
    if (*p)
        *p = exit->next;
    unlink_exit(exit);
}

/* Takes the unit's own exits off their targets' lists, so that no list holds a dead unit's. */
static void unlink_outgoing(struct unit *unit)
{
    for (unsigned i = 0; i < unit->exit_count; i++)
        if (unit->exits[i].to)
            unlink_one(&unit->exits[i]);
}

static void unhash(struct cache *cache, struct unit *unit)
{
    _Atomic(struct unit *) *p = &cache->units[unit_bucket(cache, unit->pa, unit->context)];
    struct unit *u;
    while ((u = atomic_load_explicit(p, memory_order_relaxed)) && u != unit)
        p = &u->hash_next;
    if (u)
        atomic_store_explicit(p, atomic_load_explicit(&unit->hash_next, memory_order_relaxed),
                              memory_order_release);
}

/* Writes a jump over the no-op at a unit's entry: one store of eight aligned bytes, so that others
 * run the one or the other. */
static void close_entry(struct unit *unit)
{
    uint64_t *entry = (uint64_t *)(void *)unit->code.hot, bytes = *entry;
    const uint8_t *again = code_parts_at(&unit->code, unit->again);
    uint32_t distance = (uint32_t)(again - (unit->code.hot + EMIT_ENTRY_BYTES));
    bytes = (bytes & ~0xffffffffffull) | (uint64_t)distance << 8 | 0xe9;
    __atomic_store_n(entry, bytes, __ATOMIC_RELEASE);
}

bool cache_entry_closed(const void *code)
{
    return __atomic_load_n((const uint8_t *)code, __ATOMIC_RELAXED) == 0xe9;
}

/* All but the page's list, which the caller is walking. */
static void kill_unit(struct cache *cache, struct unit *unit)
{
    unhash(cache, unit);
    unlink_incoming(unit);
    unlink_outgoing(unit);
    if (cache->user)
        close_entry(unit);
    unit->dead = true;
}

static bool holds_code_of(const struct unit *unit, uint64_t start, uint64_t end)
{
    return unit->pa - unit->before < end && unit->pa + unit->insns * 4ull > start;
}

/* The unit that a page's list has at *p. */
static void drop(struct cache *cache, struct unit **p)
{
    struct unit *unit = *p;
    *p = unit->page_next;
    kill_unit(cache, unit);
    cache->invalidated++;
    cache->regions_dropped += unit->leave != 0;
}

static bool drop_in_page(struct cache *cache, uint64_t page, uint64_t start, uint64_t end)
{
    bool any = false;
    for (struct unit **p = &cache->pages[page_bucket(cache, page)]; *p;) {
        struct unit *unit = *p;
        if ((unit->pa ^ page) >> 12 || !holds_code_of(unit, start, end)) {
            p = &unit->page_next;
            continue;
        }
        drop(cache, p);
        any = true;
    }
    return any;
}

/* Behind the change of the code: who sees the new count sees the new code. */
static void note_change(struct cache *cache, uint64_t start, uint64_t end)
{
    struct cache_changes *changes = &cache->changes;
    uint64_t n = atomic_load_explicit(&changes->count, memory_order_relaxed);
    changes->kept[n % CACHE_CHANGES_KEPT] = (struct cache_change){start, end};
    atomic_store_explicit(&changes->count, n + 1, memory_order_release);
}

uint64_t cache_changes(const struct cache *cache)
{
    return atomic_load_explicit(&cache->changes.count, memory_order_acquire);
}

bool cache_changed_since(const struct cache *cache, uint64_t seen, uint64_t start, uint64_t end)
{
    const struct cache_changes *changes = &cache->changes;
    uint64_t now = atomic_load_explicit(&changes->count, memory_order_relaxed);
    if (now - seen > CACHE_CHANGES_KEPT)
        return true;
    for (; seen < now; seen++) {
        const struct cache_change *change = &changes->kept[seen % CACHE_CHANGES_KEPT];
        if (change->start < end && change->end > start)
            return true;
    }
    return false;
}

bool cache_parts_stale(const struct cache *cache, const struct unit_parts *parts, uint64_t seen)
{
    return cache_changed_since(cache, seen, parts->pa - parts->before,
                               parts->pa + parts->insns * 4ull);
}

bool cache_drop_page(struct cache *cache, uint64_t page)
{
    note_change(cache, page, page + 4096);
    return drop_in_page(cache, page, 0, UINT64_MAX);
}

void cache_doubt_all(struct cache *cache)
{
    note_change(cache, 0, UINT64_MAX);
    for (unsigned n = 0; n < CACHE_GENERATIONS; n++) {
        const struct generation *g = &cache->generations[n];
        for (struct unit *unit = NULL; (unit = next_unit(g, unit));) {
            unit->doubtful |= !unit->dead;
            atomic_store_explicit(&cache->units[unit_bucket(cache, unit->pa, unit->context)], NULL,
                                  memory_order_relaxed);
        }
    }
}

bool cache_page_in_doubt(struct cache *cache, uint64_t page)
{
    const struct unit *last = cache_page_unit(cache, page);
    return last && last->doubtful; /* else the page was settled before that one came */
}

/* Those of the page and tier that were made of it as it is now. */
static void trust(struct cache *cache, uint64_t page, uint64_t page_hash, bool regions)
{
    for (struct unit *unit = cache_page_units(cache, page); unit; unit = unit->page_next) {
        if ((unit->pa ^ page) >> 12 || !unit->doubtful || unit->page_hash != page_hash ||
            (unit->leave != 0) != regions)
            continue;
        unit->doubtful = false;
        hash_unit(cache, unit);
    }
}

bool cache_page_changed(struct cache *cache, uint64_t page, uint64_t page_hash)
{
    const struct unit *unit = cache_page_units(cache, page);
    while (unit && ((unit->pa ^ page) >> 12 || unit->page_hash == page_hash))
        unit = unit->page_next;
    return unit != NULL;
}

void cache_settle_page(struct cache *cache, uint64_t page, uint64_t page_hash)
{
    trust(cache, page, page_hash, false);
    trust(cache, page, page_hash, true); /* before the first tier's */
    for (struct unit **p = &cache->pages[page_bucket(cache, page)]; *p;) {
        struct unit *unit = *p;
        if ((unit->pa ^ page) >> 12 || !unit->doubtful)
            p = &unit->page_next;
        else
            drop(cache, p);
    }
}

void cache_drop_others(struct cache *cache, uint64_t page, uint64_t page_hash)
{
    for (struct unit **p = &cache->pages[page_bucket(cache, page)]; *p;) {
        struct unit *unit = *p;
        if ((unit->pa ^ page) >> 12 || unit->page_hash == page_hash) {
            p = &unit->page_next;
            continue;
        }
        drop(cache, p);
    }
}

void cache_cut_links(struct cache *cache, cache_apart_fn apart, void *ctx)
{
    for (unsigned n = 0; n < CACHE_GENERATIONS; n++) {
        const struct generation *g = &cache->generations[n];
        for (struct unit *unit = NULL; (unit = next_unit(g, unit));) {
            for (unsigned i = 0; i < unit->exit_count; i++) {
                const struct unit *to = unit->exits[i].to;
                if (to && (to->pa ^ unit->pa) >> 12 && apart(ctx, unit->pa, to->pa))
                    unlink_one(&unit->exits[i]);
            }
        }
    }
}

unsigned cache_link_regions(struct cache *cache, struct cache_missing *missing, unsigned room)
{
    unsigned count = 0;
    for (unsigned n = 0; n < CACHE_GENERATIONS; n++) {
        const struct generation *g = &cache->generations[n];
        for (struct unit *unit = NULL; (unit = next_unit(g, unit));) {
            for (unsigned i = 0; unit->leave && !unit->dead && i < unit->exit_count; i++) {
                struct exit_link *exit = &unit->exits[i];
                uint64_t pa = align_down(unit->pa, 4096) + (uint64_t)(int64_t)exit->at.target;
                struct unit *to = exit->to ? NULL : cache_find(cache, pa, unit->context);
                if (to)
                    cache_link(cache, exit, to);
                else if (!exit->to && count < room)
                    missing[count++] = (struct cache_missing){pa, unit->context};
            }
        }
    }
    return count;
}

void cache_waste(const struct cache *cache, uint64_t *ret_dead_bytes, uint64_t *ret_bytes)
{
    *ret_dead_bytes = *ret_bytes = 0;
    for (unsigned n = 0; n < CACHE_GENERATIONS; n++) {
        const struct generation *g = &cache->generations[n];
        for (const struct unit *unit = NULL; (unit = next_unit(g, unit));) {
            *ret_bytes += unit->code_bytes;
            *ret_dead_bytes += unit->dead ? unit->code_bytes : 0;
        }
    }
}

/* Every unit of a generation that has code in the range. */
static bool drop_in_generation(struct cache *cache, struct generation *g, uint64_t start,
                               uint64_t end)
{
    bool any = false;
    for (struct unit *unit = NULL; (unit = next_unit(g, unit));) {
        if (!unit->dead && holds_code_of(unit, start, end))
            any |= drop_in_page(cache, unit->pa, start, end);
    }
    return any;
}

bool cache_drop_range(struct cache *cache, uint64_t start, uint64_t end)
{
    bool any = false;
    note_change(cache, start, end);
    if ((end - start) >> 12 > cache->page_mask) {
        for (unsigned i = 0; i < CACHE_GENERATIONS; i++)
            any |= drop_in_generation(cache, &cache->generations[i], start, end);
        return any;
    }
    for (uint64_t page = start & ~4095ull; page < end; page += 4096)
        any |= drop_in_page(cache, page, start, end);
    return any;
}

static void retire(struct cache *cache, struct generation *g)
{
    if (g->meta_at == g->meta)
        return;
    for (struct unit *unit = NULL; (unit = next_unit(g, unit));) {
        if (unit->dead)
            continue;
        struct unit **p = &cache->pages[page_bucket(cache, unit->pa)];
        while (*p != unit)
            p = &(*p)->page_next;
        *p = unit->page_next;
        kill_unit(cache, unit);
    }
    memset(g->index, 0,
           (((size_t)(g->code_end - g->code) >> CACHE_INDEX_SHIFT) + 1) * sizeof(g->index[0]));
    cache->retired++;
}

bool cache_next_is_empty(const struct cache *cache)
{
    const struct generation *next = &cache->generations[(cache->current + 1) % CACHE_GENERATIONS];
    return next->meta_at == next->meta;
}

void cache_retire_oldest(struct cache *cache)
{
    unsigned oldest = (cache->current + 1) % CACHE_GENERATIONS;
    retire(cache, &cache->generations[oldest]);
    cache_use_generation(cache, oldest);
}

void cache_retire_all(struct cache *cache)
{
    note_change(cache, 0, UINT64_MAX);
    for (unsigned i = 0; i < CACHE_GENERATIONS; i++) {
        retire(cache, &cache->generations[i]);
        cache->generations[i].meta_at = cache->generations[i].meta;
    }
    cache_use_generation(cache, 0);
}
