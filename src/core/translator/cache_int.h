/* cache_int.h: what cache.c and cache_change.c share: where a unit is in the tables, and its jumps.
 */
#ifndef PENG_CORE_TRANSLATOR_CACHE_INT_H
#define PENG_CORE_TRANSLATOR_CACHE_INT_H

#include "base/bytes.h"
#include "core/translator/cache.h"

/* Units that lie beside each other do so in the tables, too: a program that has just started
 * touches few pages of them, each of which costs a fault. The upper bits are mixed in, so that
 * libraries at round distances do not meet. */
static inline unsigned unit_bucket(const struct cache *cache, uint64_t pa, uint32_t context)
{
    enum { BYTES_LOG2 = 5, BYTES_LOG2_USER = 7, REGION_LOG2 = 24 };
    unsigned shift = cache->user ? BYTES_LOG2_USER : BYTES_LOG2;
    uint64_t h = (pa >> REGION_LOG2) * 0x9e3779b97f4a7c15ull ^ context * 0x85ebca6bu;
    return (unsigned)(pa >> shift ^ h >> 40) & cache->unit_mask;
}

/* Makes a unit findable, before others at the same place. */
static inline void hash_unit(struct cache *cache, struct unit *unit)
{
    _Atomic(struct unit *) *bucket = &cache->units[unit_bucket(cache, unit->pa, unit->context)];
    atomic_store_explicit(&unit->hash_next, atomic_load_explicit(bucket, memory_order_relaxed),
                          memory_order_relaxed);
    atomic_store_explicit(bucket, unit, memory_order_release);
}

static inline unsigned page_bucket(const struct cache *cache, uint64_t pa)
{
    enum { REGION_LOG2 = 24 };
    uint64_t h = (pa >> REGION_LOG2) * 0x9e3779b97f4a7c15ull;
    return (unsigned)(pa >> 12 ^ h >> 40) & cache->page_mask;
}

/* In the bookkeeping, with its lists. */
static inline size_t unit_bytes(const struct unit *unit)
{
    return (sizeof(*unit) + unit->exit_count * sizeof(struct exit_link) +
            unit->fault_count * sizeof(struct emit_fault) +
            unit->fixup_count * sizeof(struct x86_fixup) +
            unit->entry_count * sizeof(struct emit_entry) + 15) &
           ~(size_t)15;
}

/* The unit behind `unit` in its generation, or the first; NULL: no more. */
static inline struct unit *next_unit(const struct generation *g, const struct unit *unit)
{
    uint8_t *next = unit ? (uint8_t *)unit + unit_bytes(unit) : g->meta;
    return next < g->meta_at ? (struct unit *)(void *)next : NULL;
}

/* Where direct jumps enter: behind the no-op that only jump caches go over. */
static inline const uint8_t *direct_entry(const struct cache *cache, const struct unit *unit)
{
    return unit->code.hot + (cache->user ? EMIT_ENTRY_BYTES : 0);
}

/* Makes the jump lead to `target`. */
static inline void point(struct exit_link *exit, const uint8_t *target)
{
    uint8_t *site = code_parts_at(&exit->from->code, exit->at.site_at);
    int32_t rel = (int32_t)(target - (site + 4));
    __atomic_store_n((int32_t *)(void *)site, rel, __ATOMIC_RELEASE);
}

/* The address that the exit, of a machine's page or a process's, is for. */
static inline uint64_t exit_target(const struct exit_link *exit)
{
    uint64_t page = align_down(exit->from->pa, 4096);
    return page + (uint64_t)(int64_t)(exit->at.target & ~EMIT_EXIT_ALONE);
}

/* Where the unit can be entered for the instruction at `pa`, in its middle; NULL: nowhere. */
static inline const uint8_t *unit_entry(struct unit *unit, uint64_t pa)
{
    const struct emit_entry *entries = unit_entries(unit);
    if (pa <= unit->pa || (pa ^ unit->pa) >> 12)
        return NULL;
    for (uint32_t i = 0; i < unit->entry_count; i++)
        if (entries[i].offset == (pa & 4095))
            return unit->code.hot + entries[i].at;
    return NULL;
}

static inline void unlink_exit(struct exit_link *exit)
{
    exit->to = NULL;
    point(exit, code_parts_at(&exit->from->code, exit->at.cold_at));
}

/* Fills generation `index` from its start. */
void cache_use_generation(struct cache *cache, unsigned index);

#endif
