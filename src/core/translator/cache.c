/* cache.c: two hash tables over bump-allocated units.
 *
 * A jump is linked by rewriting its rel32 with one aligned store while other CPUs may run it; x86
 * sees either the old or the new target, and both are right. Unlinking points it back at its cold
 * path.
 */
#include "core/translator/cache.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

enum {
    UNIT_CODE_MAX = 64 << 10, /* what one unit's code may take at most */
    UNIT_META_MAX =
        sizeof(struct unit) + EMIT_EXITS_MAX * sizeof(struct exit_link) + sizeof(struct page_units),
};

static unsigned unit_bucket(uint64_t pa, uint32_t context)
{
    uint64_t h = (pa >> 2) * 0x9e3779b97f4a7c15ull ^ context * 0x85ebca6bu;
    return (unsigned)(h >> 40) & (CACHE_UNIT_BUCKETS - 1);
}

static unsigned page_bucket(uint64_t page)
{
    return (unsigned)((page >> 12) * 0x9e3779b97f4a7c15ull >> 40) & (CACHE_PAGE_BUCKETS - 1);
}

int cache_init(struct cache *cache, size_t code_bytes, struct err *e)
{
    memset(cache, 0, sizeof(*cache));
    int r = codemem_init(&cache->code, code_bytes, e);
    if (r < 0)
        return r;
    cache->meta_bytes = code_bytes / 2;
    cache->meta = mmap(NULL, cache->meta_bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (cache->meta == MAP_FAILED) {
        cache->meta = NULL;
        codemem_done(&cache->code);
        return err_set_errno(e, errno, "code cache");
    }
    cache->meta_at = cache->meta;
    cache->meta_end = cache->meta + cache->meta_bytes;
    cache->buf = (struct x86_buf){cache->code.write, cache->code.write,
                                  cache->code.write + code_bytes, false};
    return 0;
}

void cache_done(struct cache *cache)
{
    if (cache->meta)
        munmap(cache->meta, cache->meta_bytes);
    codemem_done(&cache->code);
}

struct unit *cache_find(struct cache *cache, uint64_t pa, uint32_t context)
{
    struct unit *u =
        atomic_load_explicit(&cache->units[unit_bucket(pa, context)], memory_order_acquire);
    while (u && (u->pa != pa || u->context != context))
        u = atomic_load_explicit(&u->hash_next, memory_order_acquire);
    return u;
}

bool cache_has_room(const struct cache *cache)
{
    return cache->buf.end - cache->buf.at >= UNIT_CODE_MAX &&
           cache->meta_end - cache->meta_at >= (ptrdiff_t)UNIT_META_MAX;
}

struct unit *cache_reserve(struct cache *cache)
{
    return (struct unit *)cache->meta_at;
}

static void *meta_take(struct cache *cache, size_t bytes)
{
    void *p = cache->meta_at;
    cache->meta_at += (bytes + 15) & ~(size_t)15;
    return p;
}

static struct page_units *page_units(struct cache *cache, uint64_t page, bool make)
{
    struct page_units **head = &cache->pages[page_bucket(page)];
    for (struct page_units *p = *head; p; p = p->next)
        if (p->page == page)
            return p;
    if (!make)
        return NULL;
    struct page_units *p = meta_take(cache, sizeof(*p));
    *p = (struct page_units){page, NULL, *head};
    *head = p;
    return p;
}

void cache_commit(struct cache *cache, struct unit *unit, const uint8_t *start,
                  const struct emit_result *result)
{
    meta_take(cache, sizeof(*unit) + result->exit_count * sizeof(struct exit_link));
    unit->code = start;
    unit->incoming = NULL;
    unit->exit_count = result->exit_count;
    for (unsigned i = 0; i < result->exit_count; i++) {
        int32_t rel;
        memcpy(&rel, result->exits[i].site, sizeof(rel));
        unit->exits[i] = (struct exit_link){.from = unit,
                                            .site = result->exits[i].site,
                                            .cold = result->exits[i].site + 4 + rel,
                                            .target = (uint32_t)result->exits[i].target};
    }
    struct page_units *page = page_units(cache, unit->pa & ~0xfffull, true);
    unit->page_next = page->first;
    page->first = unit;
    _Atomic(struct unit *) *bucket = &cache->units[unit_bucket(unit->pa, unit->context)];
    atomic_store_explicit(&unit->hash_next, atomic_load_explicit(bucket, memory_order_relaxed),
                          memory_order_relaxed);
    atomic_store_explicit(bucket, unit, memory_order_release);
    cache->unit_count++;
    cache->code_bytes += (uint64_t)(cache->buf.at - start);
}

static void point(struct exit_link *exit, const uint8_t *target)
{
    int32_t rel = (int32_t)(target - (exit->site + 4));
    __atomic_store_n((int32_t *)(void *)exit->site, rel, __ATOMIC_RELEASE);
}

void cache_link(struct exit_link *exit, struct unit *to)
{
    if (exit->to)
        return;
    exit->to = to;
    exit->next = to->incoming;
    to->incoming = exit;
    point(exit, to->code);
}

static void unlink_incoming(struct unit *unit)
{
    for (struct exit_link *exit = unit->incoming; exit; exit = exit->next) {
        exit->to = NULL;
        point(exit, exit->cold);
    }
    unit->incoming = NULL;
}

/* Takes the unit's own exits off their targets' lists, so that no list holds a dead unit's. */
static void unlink_outgoing(struct unit *unit)
{
    for (unsigned i = 0; i < unit->exit_count; i++) {
        struct exit_link *exit = &unit->exits[i];
        if (!exit->to)
            continue;
        struct exit_link **p = &exit->to->incoming;
        while (*p && *p != exit)
            p = &(*p)->next;
        if (*p)
            *p = exit->next;
        exit->to = NULL;
        point(exit, exit->cold);
    }
}

static void unhash(struct cache *cache, struct unit *unit)
{
    _Atomic(struct unit *) *p = &cache->units[unit_bucket(unit->pa, unit->context)];
    struct unit *u;
    while ((u = atomic_load_explicit(p, memory_order_relaxed)) && u != unit)
        p = &u->hash_next;
    if (u)
        atomic_store_explicit(p, atomic_load_explicit(&unit->hash_next, memory_order_relaxed),
                              memory_order_release);
}

bool cache_drop_page(struct cache *cache, uint64_t page)
{
    struct page_units *p = page_units(cache, page, false);
    if (!p || !p->first)
        return false;
    for (struct unit *u = p->first; u; u = u->page_next) {
        unhash(cache, u);
        unlink_incoming(u);
        unlink_outgoing(u);
        cache->invalidated++;
    }
    p->first = NULL;
    return true;
}

void cache_unpublish_all(struct cache *cache)
{
    for (unsigned i = 0; i < CACHE_UNIT_BUCKETS; i++)
        atomic_store_explicit(&cache->units[i], NULL, memory_order_release);
    memset(cache->pages, 0, sizeof(cache->pages));
    cache->generation++;
    cache->drops++;
}

void cache_reset(struct cache *cache)
{
    cache->meta_at = cache->meta;
    cache->buf.at = cache->buf.start;
    cache->buf.full = false;
}
