/* cache.c: two hash tables over units in generations: their memory, finding and adding. */
#include "core/translator/cache_int.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "base/bytes.h"

enum {
    UNIT_CODE_MAX = 64 << 10, /* what one unit's code may take at most */
    COLD_EIGHTHS = 3,         /* of a generation's code memory */
    UNIT_META_MAX = sizeof(struct unit) + EMIT_EXITS_MAX * sizeof(struct exit_link) +
                    EMIT_FAULTS_MAX * sizeof(struct emit_fault) +
                    X86_FIXUPS_MAX * sizeof(struct x86_fixup) +
                    EMIT_ENTRIES_MAX * sizeof(struct emit_entry) + 16,
    LINE_BYTES = 64,
    UNIT_ALIGN = 8, /* for close_entry() */
};

struct unit *cache_page_units(struct cache *cache, uint64_t page)
{
    return cache->pages[page_bucket(cache, page)];
}

struct unit *cache_page_unit(struct cache *cache, uint64_t page)
{
    struct unit *unit = cache_page_units(cache, page);
    while (unit && (unit->pa ^ page) >> 12)
        unit = unit->page_next;
    return unit;
}

static int reserve(struct cache *cache, uintptr_t address, size_t code_bytes, size_t front_bytes,
                   struct err *e)
{
    size_t span = lazymem_span(front_bytes, cache->meta_bytes);
    uintptr_t code_address = address ? align_up(address + span, LAZYMEM_HUGE) : 0;
    int r = cache->user ? codemem_init_private(&cache->code, (void *)code_address, code_bytes, e)
                        : codemem_init(&cache->code, code_bytes, e);
    if (r < 0)
        return r;
    r = lazymem_init(&cache->memory, (void *)address, front_bytes, cache->meta_bytes,
                     PROT_READ | PROT_WRITE, e);
    if (r < 0) {
        codemem_done(&cache->code);
        return err_prefix(e, "code cache");
    }
    cache->fixed = address != 0;
    return 0;
}

/* The bookkeeping is one mapping: the two tables, then the generations' indexes, then units. What
 * is never touched costs nothing. */
int cache_init(struct cache *cache, size_t code_bytes, bool user, const struct cache_at *at,
               struct err *e)
{
    memset(cache, 0, sizeof(*cache));
    size_t units = user ? CACHE_USER_UNIT_BUCKETS : CACHE_UNIT_BUCKETS;
    size_t pages = user ? CACHE_USER_PAGE_BUCKETS : CACHE_PAGE_BUCKETS;
    size_t indexes = (code_bytes >> CACHE_INDEX_SHIFT) + CACHE_GENERATIONS;
    size_t front_bytes = (units + pages + indexes) * sizeof(void *);
    cache->meta_bytes = code_bytes / 2;
    cache->user = user;
    int r = at ? reserve(cache, at->address, code_bytes, front_bytes, NULL) : -ENOENT;
    if (r < 0)
        r = reserve(cache, 0, code_bytes, front_bytes, e);
    if (r < 0)
        return r;
    cache->meta = cache->memory.at;
    uint64_t random[2];
    if (at)
        memcpy(random, at->secret, sizeof(random));
    else if (getrandom(random, sizeof(random), 0) != sizeof(random))
        abort(); /* so few bytes are given whole (getrandom(2)) */
    cache->secret = hash_key_from(random);
    cache->unit_mask = (uint32_t)units - 1;
    cache->page_mask = (uint32_t)pages - 1;
    cache->units = (_Atomic(struct unit *) *)(void *)cache->memory.front;
    cache->pages = (struct unit **)(void *)(cache->units + units);
    cache->buf = (struct x86_buf){
        .start = cache->code.write, .at = cache->code.write, .end = cache->code.write + code_bytes};
    return 0;
}

uint64_t cache_page_hash(const struct cache *cache, const uint8_t page[4096])
{
    return cache->user ? hash_bytes(page, 4096, cache->secret.point)
                       : hash_secret(page, 4096, &cache->secret);
}

static void set_next(struct cache *cache, uint8_t *at)
{
    cache->buf.at = cache->generations[cache->current].code_at = at;
    atomic_store_explicit(&cache->next_at, (uint32_t)(at - cache->code.write),
                          memory_order_relaxed);
}

unsigned cache_next_line_offset(const struct cache *cache)
{
    uint32_t at = atomic_load_explicit(&cache->next_at, memory_order_relaxed);
    return align_up(at, UNIT_ALIGN) % LINE_BYTES;
}

void cache_use_generation(struct cache *cache, unsigned index)
{
    struct generation *g = &cache->generations[index];
    g->meta_at = g->meta;
    g->cold_at = g->code_end;
    cache->current = index;
    cache->buf = (struct x86_buf){.start = g->code, .at = g->code, .end = g->code_end};
    set_next(cache, g->code);
}

void cache_start(struct cache *cache)
{
    cache->buf.at = (uint8_t *)align_up((uintptr_t)cache->buf.at, 4096);
    size_t code_bytes =
        align_down((size_t)(cache->buf.end - cache->buf.at) / CACHE_GENERATIONS, 4096);
    size_t meta_bytes = align_down(cache->meta_bytes / CACHE_GENERATIONS, 4096);
    for (unsigned i = 0; i < CACHE_GENERATIONS; i++) {
        struct generation *g = &cache->generations[i];
        g->code = cache->buf.at + i * code_bytes;
        g->cold_end = g->code + code_bytes;
        g->code_at = g->code;
        g->code_end = g->cold_end - align_down(code_bytes / 8 * COLD_EIGHTHS, 4096);
        if (cache->user && i == 0)
            g->code_end = lazymem_start_small(&cache->code.both, g->code_end);
        g->cold_at = g->code_end;
        g->code_ready = g->code;
        g->cold_ready = g->cold_at;
        g->meta = g->meta_at = cache->meta + i * meta_bytes;
        g->meta_end = g->meta + meta_bytes;
        g->index = (_Atomic(struct unit *) *)(void *)(cache->pages + cache->page_mask + 1) +
                   i * ((code_bytes >> CACHE_INDEX_SHIFT) + 1);
    }
    cache_use_generation(cache, 0);
}

void cache_mark(const struct cache *cache, struct cache_mark *ret_mark)
{
    *ret_mark = (struct cache_mark){.current = cache->current,
                                    .code_bytes = cache->code_bytes,
                                    .cold_bytes = cache->cold_bytes};
    for (unsigned i = 0; i < CACHE_GENERATIONS; i++) {
        const struct generation *g = &cache->generations[i];
        ret_mark->used[i].code = (uint64_t)(g->code_at - g->code);
        ret_mark->used[i].cold = (uint64_t)(g->cold_at - g->code_end);
        ret_mark->used[i].meta = (uint64_t)(g->meta_at - g->meta);
    }
}

bool cache_mark_fits(const struct cache *cache, const struct cache_mark *mark)
{
    for (unsigned i = 0; i < CACHE_GENERATIONS; i++) {
        const struct generation *g = &cache->generations[i];
        if (mark->used[i].code > (uint64_t)(g->code_end - g->code) ||
            mark->used[i].cold > (uint64_t)(g->cold_end - g->code_end) ||
            mark->used[i].meta > (uint64_t)(g->meta_end - g->meta))
            return false;
    }
    return mark->current < CACHE_GENERATIONS;
}

void cache_resume(struct cache *cache, const struct cache_mark *mark)
{
    for (unsigned i = 0; i < CACHE_GENERATIONS; i++) {
        struct generation *g = &cache->generations[i];
        g->code_at = g->code + mark->used[i].code;
        g->cold_at = g->code_end + mark->used[i].cold;
        g->meta_at = g->meta + mark->used[i].meta;
    }
    struct generation *g = &cache->generations[mark->current];
    cache->current = mark->current;
    cache->buf = (struct x86_buf){.start = g->code, .end = g->code_end};
    set_next(cache, g->code_at);
    cache->code_bytes = mark->code_bytes;
    cache->cold_bytes = mark->cold_bytes;
}

void cache_done(struct cache *cache)
{
    lazymem_done(&cache->memory);
    codemem_done(&cache->code);
}

struct unit *cache_find(struct cache *cache, uint64_t pa, uint32_t context)
{
    struct unit *u =
        atomic_load_explicit(&cache->units[unit_bucket(cache, pa, context)], memory_order_acquire);
    while (u && (u->pa != pa || u->context != context))
        u = atomic_load_explicit(&u->hash_next, memory_order_acquire);
    return u;
}

struct unit *cache_find_within(struct cache *cache, uint64_t pa, uint32_t context,
                               const uint8_t **ret_code)
{
    struct unit *u = cache_page_units(cache, pa);
    while (u && (u->dead || u->context != context || !(*ret_code = unit_entry(u, pa))))
        u = u->page_next;
    return u;
}

bool cache_has_room(const struct cache *cache)
{
    const struct generation *g = &cache->generations[cache->current];
    return cache->buf.end - cache->buf.at >= UNIT_CODE_MAX + 2 * LINE_BYTES &&
           g->cold_end - g->cold_at >= UNIT_CODE_MAX + 2 * LINE_BYTES &&
           g->meta_end - g->meta_at >= (ptrdiff_t)UNIT_META_MAX;
}

static void add_to_index(struct cache *cache, struct unit *unit)
{
    struct generation *g = &cache->generations[cache->current];
    _Atomic(struct unit *) *slot =
        &g->index[(size_t)(unit->code.hot - g->code) >> CACHE_INDEX_SHIFT];
    if (!atomic_load_explicit(slot, memory_order_relaxed))
        atomic_store_explicit(slot, unit, memory_order_release);
}

struct unit *cache_unit_of(struct cache *cache, uintptr_t address)
{
    const uint8_t *code = cache->code.write + (address - (uintptr_t)cache->code.run);
    if (address < (uintptr_t)cache->code.run || code >= cache->code.write + cache->code.size_bytes)
        return NULL;
    for (unsigned i = 0; i < CACHE_GENERATIONS; i++) {
        struct generation *g = &cache->generations[i];
        if (code < g->code || code >= g->code_end)
            continue;
        struct unit *unit = NULL;
        for (size_t at = (size_t)(code - g->code) >> CACHE_INDEX_SHIFT;; at--) {
            unit = atomic_load_explicit(&g->index[at], memory_order_acquire);
            if ((unit && unit->code.hot <= code) || at == 0)
                break;
        }
        while (unit && unit->code.hot + unit->code.hot_bytes <= code)
            unit = next_unit(g, unit);
        return unit && unit->code.hot <= code ? unit : NULL;
    }
    return NULL;
}

static void publish(struct cache *cache, struct unit *unit)
{
    add_to_index(cache, unit);
    cache->generations[cache->current].meta_at += unit_bytes(unit);
    struct unit **page = &cache->pages[page_bucket(cache, unit->pa)];
    unit->page_next = *page;
    *page = unit;
    hash_unit(cache, unit);
    cache->unit_count++;
    if (unit->leave) {
        cache->region_count++;
        cache->region_insns += unit->insns + unit->before / 4;
    }
    cache->code_bytes += unit->code_bytes;
    cache->cold_bytes += unit->code_bytes - unit->code.hot_bytes;
}

/* Where a part fits that has the exits' sites of [first, first + bytes). */
static uint8_t *fit(const struct unit_parts *parts, uint8_t *at, unsigned align, uint32_t first,
                    uint32_t bytes)
{
    uint32_t sites[EMIT_EXITS_MAX];
    unsigned count = 0;
    for (unsigned i = 0; i < parts->exit_count; i++)
        if (parts->exits[i].site_at - first < bytes)
            sites[count++] = parts->exits[i].site_at - first;
    return relocate_fit(at, align, sites, count);
}

/* The code where it is going to be run. False: its page's address does not fit. */
static bool place(struct cache *cache, const struct unit_parts *parts, struct code_parts *ret_code)
{
    struct generation *g = &cache->generations[cache->current];
    uint32_t hot_bytes = parts->hot_bytes, cold_bytes = parts->code_bytes - hot_bytes;
    struct code_parts code = {fit(parts, cache->buf.at, UNIT_ALIGN, 0, hot_bytes),
                              fit(parts, g->cold_at, 1, hot_bytes, cold_bytes), hot_bytes};
    if (code.hot + hot_bytes > g->code_ready)
        g->code_ready = codemem_prepare(&cache->code, g->code_ready, g->code_end);
    if (code.cold + cold_bytes > g->cold_ready)
        g->cold_ready = codemem_prepare(&cache->code, g->cold_ready, g->cold_end);
    memcpy(code.hot, parts->code, hot_bytes);
    memcpy(code.cold, parts->code + hot_bytes, cold_bytes);
    struct code_move move = {
        .hot = code.hot - cache->code.write - (int64_t)parts->origin,
        .cold = code.cold - cache->code.write - (int64_t)parts->origin - hot_bytes,
        .page = cache->user ? (int64_t)(align_down(parts->pa, 4096) - parts->page) : 0};
    if (!relocate(&code, parts->fixups, parts->fixup_count, &move))
        return false;
    set_next(cache, code.hot + hot_bytes);
    g->cold_at = code.cold + cold_bytes;
    *ret_code = code;
    return true;
}

/* To a region, from the units of its page that jumps to its head have led to. */
static void move_incoming(struct cache *cache, struct unit *to)
{
    for (struct unit *from = cache_page_units(cache, to->pa); from; from = from->page_next) {
        if (from == to || from->context != to->context)
            continue;
        for (struct exit_link **p = &from->incoming, *exit; (exit = *p);) {
            if (exit_target(exit) != to->pa) {
                p = &exit->next;
                continue;
            }
            *p = exit->next;
            exit->to = NULL;
            cache_link(cache, exit, to);
        }
    }
}

/* Jumps to what the unit itself has, unless there is a unit (a region, it may be) for it alone. */
static void link_within(struct cache *cache, struct unit *unit)
{
    for (unsigned i = 0; i < unit->exit_count; i++) {
        struct exit_link *exit = &unit->exits[i];
        int64_t distance = exit->at.target - (int64_t)(unit->pa & 4095);
        if (distance <= 0 || distance >= unit->insns * 4)
            continue;
        const uint8_t *code = unit_entry(unit, exit_target(exit));
        if (code && !cache_find(cache, exit_target(exit), unit->context))
            cache_link_within(exit, unit, code);
    }
}

struct unit *cache_add(struct cache *cache, const struct unit_parts *parts)
{
    struct unit *unit = (struct unit *)cache->generations[cache->current].meta_at;
    *unit = (struct unit){.pa = parts->pa,
                          .context = parts->context,
                          .exit_count = parts->exit_count,
                          .insns = parts->insns,
                          .fault_count = parts->fault_count,
                          .fixup_count = parts->fixup_count,
                          .entry_count = parts->entry_count,
                          .page_hash = parts->page_hash,
                          .code_bytes = parts->code_bytes,
                          .again = parts->again,
                          .leave = parts->leave,
                          .before = parts->before};
    if (!place(cache, parts, &unit->code))
        return NULL;
    memcpy(unit_faults(unit), parts->faults, parts->fault_count * sizeof(*parts->faults));
    memcpy(unit_fixups(unit), parts->fixups, parts->fixup_count * sizeof(*parts->fixups));
    memcpy(unit_entries(unit), parts->entries, parts->entry_count * sizeof(*parts->entries));
    for (unsigned i = 0; i < parts->exit_count; i++) {
        struct exit_link *exit = &unit->exits[i];
        *exit = (struct exit_link){.from = unit, .at = parts->exits[i]};
        unlink_exit(exit);
        store_le(code_parts_at(&unit->code, exit->at.tag_at), 4, cache_number(cache, exit));
    }
    if (cache->user)
        store_le(code_parts_at(&unit->code, unit->again) + 1, 4,
                 cache_number(cache, unit) | EMIT_TAG_AGAIN);
    publish(cache, unit);
    if (unit->leave)
        move_incoming(cache, unit);
    link_within(cache, unit);
    return unit;
}
