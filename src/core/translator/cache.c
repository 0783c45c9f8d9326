/* cache.c: two hash tables over units in generations.
 *
 * A jump is linked by rewriting its rel32 with one aligned store while other CPUs may run it; x86
 * sees either the old or the new target, and both are right. Unlinking points it back at its cold
 * path.
 */
#include "core/translator/cache.h"

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
                    X86_FIXUPS_MAX * sizeof(struct x86_fixup) + 16,
    LINE_BYTES = 64,
    UNIT_ALIGN = 8, /* for close_entry() */
};

/* Units that lie beside each other do so in the tables, too: a program that has just started
 * touches few pages of them, each of which costs a fault. The upper bits are mixed in, so that
 * libraries at round distances do not meet. */
static unsigned unit_bucket(const struct cache *cache, uint64_t pa, uint32_t context)
{
    enum { BYTES_LOG2 = 5, BYTES_LOG2_USER = 7, REGION_LOG2 = 24 };
    unsigned shift = cache->user ? BYTES_LOG2_USER : BYTES_LOG2;
    uint64_t h = (pa >> REGION_LOG2) * 0x9e3779b97f4a7c15ull ^ context * 0x85ebca6bu;
    return (unsigned)(pa >> shift ^ h >> 40) & cache->unit_mask;
}

static unsigned page_bucket(const struct cache *cache, uint64_t pa)
{
    enum { REGION_LOG2 = 24 };
    uint64_t h = (pa >> REGION_LOG2) * 0x9e3779b97f4a7c15ull;
    return (unsigned)(pa >> 12 ^ h >> 40) & cache->page_mask;
}

struct unit *cache_page_units(struct cache *cache, uint64_t page)
{
    return cache->pages[page_bucket(cache, page)];
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

static void use_generation(struct cache *cache, unsigned index)
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
        g->meta = g->meta_at = cache->meta + i * meta_bytes;
        g->meta_end = g->meta + meta_bytes;
        g->index = (_Atomic(struct unit *) *)(void *)(cache->pages + cache->page_mask + 1) +
                   i * ((code_bytes >> CACHE_INDEX_SHIFT) + 1);
    }
    use_generation(cache, 0);
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

bool cache_has_room(const struct cache *cache)
{
    const struct generation *g = &cache->generations[cache->current];
    return cache->buf.end - cache->buf.at >= UNIT_CODE_MAX + 2 * LINE_BYTES &&
           g->cold_end - g->cold_at >= UNIT_CODE_MAX + 2 * LINE_BYTES &&
           g->meta_end - g->meta_at >= (ptrdiff_t)UNIT_META_MAX;
}

static size_t unit_bytes(const struct unit *unit)
{
    return (sizeof(*unit) + unit->exit_count * sizeof(struct exit_link) +
            unit->fault_count * sizeof(struct emit_fault) +
            unit->fixup_count * sizeof(struct x86_fixup) + 15) &
           ~(size_t)15;
}

/* Where direct jumps enter: behind the no-op that only jump caches go over. */
static const uint8_t *direct_entry(const struct cache *cache, const struct unit *unit)
{
    return unit->code.hot + (cache->user ? EMIT_ENTRY_BYTES : 0);
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
        while (unit && unit->code.hot + unit->code.hot_bytes <= code) {
            uint8_t *next = (uint8_t *)unit + unit_bytes(unit);
            unit = next < g->meta_at ? (struct unit *)(void *)next : NULL;
        }
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
    _Atomic(struct unit *) *bucket = &cache->units[unit_bucket(cache, unit->pa, unit->context)];
    atomic_store_explicit(&unit->hash_next, atomic_load_explicit(bucket, memory_order_relaxed),
                          memory_order_relaxed);
    atomic_store_explicit(bucket, unit, memory_order_release);
    cache->unit_count++;
    if (unit->leave) {
        cache->region_count++;
        cache->region_insns += unit->insns + unit->before / 4;
    }
    cache->code_bytes += unit->code_bytes;
    cache->cold_bytes += unit->code_bytes - unit->code.hot_bytes;
}

static void point(struct exit_link *exit, const uint8_t *target)
{
    uint8_t *site = code_parts_at(&exit->from->code, exit->at.site_at);
    int32_t rel = (int32_t)(target - (site + 4));
    __atomic_store_n((int32_t *)(void *)site, rel, __ATOMIC_RELEASE);
}

static void unlink_exit(struct exit_link *exit)
{
    exit->to = NULL;
    point(exit, code_parts_at(&exit->from->code, exit->at.cold_at));
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

static void move_incoming(struct cache *cache, struct unit *from, struct unit *to)
{
    while (from->incoming) {
        struct exit_link *exit = from->incoming;
        from->incoming = exit->next;
        exit->to = to;
        exit->next = to->incoming;
        to->incoming = exit;
        point(exit, direct_entry(cache, to));
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
                          .page_hash = parts->page_hash,
                          .code_bytes = parts->code_bytes,
                          .again = parts->again,
                          .leave = parts->leave,
                          .before = parts->before};
    if (!place(cache, parts, &unit->code))
        return NULL;
    memcpy(unit_faults(unit), parts->faults, parts->fault_count * sizeof(*parts->faults));
    memcpy(unit_fixups(unit), parts->fixups, parts->fixup_count * sizeof(*parts->fixups));
    for (unsigned i = 0; i < parts->exit_count; i++) {
        struct exit_link *exit = &unit->exits[i];
        *exit = (struct exit_link){.from = unit, .at = parts->exits[i]};
        unlink_exit(exit);
        store_le(code_parts_at(&unit->code, exit->at.tag_at), 4, cache_number(cache, exit));
    }
    if (cache->user)
        store_le(code_parts_at(&unit->code, unit->again) + 1, 4,
                 cache_number(cache, unit) | EMIT_TAG_AGAIN);
    struct unit *first = parts->leave ? cache_find(cache, parts->pa, parts->context) : NULL;
    publish(cache, unit);
    if (first)
        move_incoming(cache, first, unit);
    return unit;
}

void cache_link(struct cache *cache, struct exit_link *exit, struct unit *to)
{
    if (exit->to)
        return;
    exit->to = to;
    exit->next = to->incoming;
    to->incoming = exit;
    point(exit, direct_entry(cache, to));
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

static bool drop_in_page(struct cache *cache, uint64_t page, uint64_t start, uint64_t end)
{
    bool any = false;
    for (struct unit **p = &cache->pages[page_bucket(cache, page)]; *p;) {
        struct unit *unit = *p;
        if ((unit->pa ^ page) >> 12 || !holds_code_of(unit, start, end)) {
            p = &unit->page_next;
            continue;
        }
        *p = unit->page_next;
        kill_unit(cache, unit);
        cache->invalidated++;
        cache->regions_dropped += unit->leave != 0;
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

void cache_drop_others(struct cache *cache, uint64_t page, uint64_t page_hash)
{
    for (struct unit **p = &cache->pages[page_bucket(cache, page)]; *p;) {
        struct unit *unit = *p;
        if ((unit->pa ^ page) >> 12 || unit->page_hash == page_hash) {
            p = &unit->page_next;
            continue;
        }
        *p = unit->page_next;
        kill_unit(cache, unit);
        cache->invalidated++;
        cache->regions_dropped += unit->leave != 0;
    }
}

void cache_cut_links(struct cache *cache, cache_apart_fn apart, void *ctx)
{
    for (unsigned n = 0; n < CACHE_GENERATIONS; n++) {
        const struct generation *g = &cache->generations[n];
        for (uint8_t *at = g->meta; at < g->meta_at;) {
            struct unit *unit = (struct unit *)(void *)at;
            at += unit_bytes(unit);
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
        for (uint8_t *at = g->meta; at < g->meta_at;) {
            struct unit *unit = (struct unit *)(void *)at;
            at += unit_bytes(unit);
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
        for (uint8_t *at = g->meta; at < g->meta_at;) {
            const struct unit *unit = (const struct unit *)(void *)at;
            at += unit_bytes(unit);
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
    for (uint8_t *at = g->meta; at < g->meta_at;) {
        struct unit *unit = (struct unit *)(void *)at;
        at += unit_bytes(unit);
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
    for (uint8_t *at = g->meta; at < g->meta_at;) {
        struct unit *unit = (struct unit *)at;
        at += unit_bytes(unit);
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
    use_generation(cache, oldest);
}

void cache_retire_all(struct cache *cache)
{
    note_change(cache, 0, UINT64_MAX);
    for (unsigned i = 0; i < CACHE_GENERATIONS; i++) {
        retire(cache, &cache->generations[i]);
        cache->generations[i].meta_at = cache->generations[i].meta;
    }
    use_generation(cache, 0);
}
