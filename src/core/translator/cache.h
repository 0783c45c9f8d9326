/* cache.h: translated units: where they are, which guest page they came from, who jumps to whom.
 *
 * Keyed by physical address and lift context, so one translation serves every address space that
 * maps the page. Lookup takes no lock; changes are made under the cache's lock.
 *
 * Memory is divided into generations, each three bump allocators: over a piece of code memory for
 * what runs (hot), one for what seldom does (cold), and a piece of bookkeeping. When the current
 * one is full the oldest is retired and used again: the cache never grows beyond its size, and at
 * most an eighth of it is translated anew at a time.
 */
#ifndef PENG_CORE_TRANSLATOR_CACHE_H
#define PENG_CORE_TRANSLATOR_CACHE_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"
#include "core/translator/relocate.h"
#include "core/x86_64/emit.h"
#include "hardware/codemem.h"
#include "hardware/lazymem.h"

struct unit;

/* A direct jump out of a unit. Offsets are in the unit's code as one piece. */
struct unit_exit {
    int32_t target;   /* page offset */
    uint16_t site_at; /* rel32 */
    uint16_t cold_at; /* where that leads while unlinked */
    uint16_t tag_at;  /* where the code has the exit's number, 32 bits */
};

/* The same in the cache. Its place in the bookkeeping is the number that the code hands back when
 * unlinked. */
struct exit_link {
    struct unit *from;
    struct unit *to;        /* NULL: goes to at.cold_at */
    struct exit_link *next; /* in to->incoming */
    struct unit_exit at;
};

struct unit {
    uint64_t pa; /* physical address of the first instruction */
    uint32_t context;
    uint32_t exit_count;
    uint32_t insns; /* from pa on */
    uint32_t fault_count;
    uint32_t fixup_count;
    uint32_t code_bytes; /* of both parts */
    uint32_t again;      /* user mode: of a jump written over the entry to make a dead unit leave */
    uint32_t leave;  /* regions: where faults go on, in the hot part; 0: a unit of the first tier */
    uint32_t before; /* regions: bytes of guest code that lie before pa */
    uint32_t entry_count;
    uint64_t page_hash;     /* cache_page_hash() of the page that it was made from */
    struct code_parts code; /* write view */
    _Atomic(struct unit *) hash_next;
    struct unit *page_next;
    bool dead;     /* unfindable, waits for its generation's end */
    bool doubtful; /* unfindable until cache_settle_page() */
    struct exit_link *incoming;
    struct exit_link exits[]; /* behind them: faults, fixups, entries */
};

static inline struct emit_fault *unit_faults(struct unit *unit)
{
    return (struct emit_fault *)&unit->exits[unit->exit_count];
}

static inline struct x86_fixup *unit_fixups(struct unit *unit)
{
    return (struct x86_fixup *)(unit_faults(unit) + unit->fault_count);
}

static inline struct emit_entry *unit_entries(struct unit *unit)
{
    return (struct emit_entry *)(unit_fixups(unit) + unit->fixup_count);
}

enum {
    CACHE_UNIT_BUCKETS = 1 << 19, /* machines */
    CACHE_PAGE_BUCKETS = 1 << 15,
    CACHE_USER_UNIT_BUCKETS = 1 << 17, /* processes: many, small, and quick to start */
    CACHE_USER_PAGE_BUCKETS = 1 << 12,
    CACHE_GENERATIONS = 8,
    CACHE_INDEX_SHIFT =
        12, /* log2 of the code bytes that one entry of a generation's index is for */
};

/* All pieces are whole pages. */
struct generation {
    uint8_t *code, *code_at, *code_end; /* hot, write view */
    uint8_t *cold_at, *cold_end;        /* behind code_end */
    uint8_t *code_ready, *cold_ready;   /* codemem_prepare() has been asked up to there */
    uint8_t *meta, *meta_at, *meta_end; /* units, one behind the other */
    /* The first unit that starts in each piece of the code: to find a unit by a code address. */
    _Atomic(struct unit *) *index;
};

/* A unit wherever it was made: in a thread's own buffer, or in a record of the store. What changes
 * when it is put into the cache is what `fixups` lists, and exits' numbers. */
struct unit_parts {
    uint64_t pa;
    uint32_t context;
    uint32_t insns;
    uint32_t made_of; /* instructions that were translated: a region has gaps */
    uint32_t code_bytes, hot_bytes, again, leave, before;
    uint32_t exit_count, fault_count, fixup_count, entry_count;
    uint32_t origin; /* where the code lies, from the start of code memory, modulo 2^32 */
    uint64_t page_hash;
    uint64_t page; /* user mode: the guest page that it is for, as its constants have it */
    const struct unit_exit *exits; /* borrowed, like those below */
    const struct emit_fault *faults;
    const struct x86_fixup *fixups;
    const struct emit_entry *entries;
    const uint8_t *code;
};

/* The last ranges in which code changed, so that who translates without the lock can tell whether
 * it was overtaken. */
enum { CACHE_CHANGES_KEPT = 64 };
struct cache_changes {
    _Atomic(uint64_t) count;
    struct cache_change {
        uint64_t start, end;
    } kept[CACHE_CHANGES_KEPT];
};

struct cache {
    struct codemem code;
    struct x86_buf buf; /* over the current generation's hot code */
    struct generation generations[CACHE_GENERATIONS];
    unsigned current;
    struct lazymem memory; /* the tables, and behind them: */
    uint8_t *meta;
    size_t meta_bytes;
    uint32_t unit_mask, page_mask; /* sizes of the tables, less one */
    _Atomic(struct unit *) *units;
    struct unit **pages;    /* units of the pages in a bucket, by page_next */
    struct hash_key secret; /* of this process alone, or of its store (cache_at) */
    bool user;              /* keyed by virtual address, one private code mapping */
    bool fixed;             /* where cache_at said */
    struct cache_changes changes;
    _Atomic(uint32_t) next_at; /* of buf.at from the start of code memory, without the lock */
    uint64_t unit_count, made_count, insn_count, code_bytes, cold_bytes, retired,
        invalidated; /* statistics */
    uint64_t region_count, region_insns, regions_dropped;
};

/* User mode: what the next process needs to find all of this one's state where it was. */
struct cache_at {
    uintptr_t address; /* of a reservation, a multiple of LAZYMEM_HUGE */
    uint64_t secret[2];
};

/* `at`: NULL for anywhere; where it cannot be had it is anywhere, too. */
int cache_init(struct cache *cache, size_t code_bytes, bool user, const struct cache_at *at,
               struct err *e);
void cache_done(struct cache *cache);
/* Divides what is left of code memory behind buf.at (the stubs) into generations. */
void cache_start(struct cache *cache);

/* How far each generation's pieces are in use, from their starts: with what is in these and in the
 * tables (memory.front), a whole cache. */
struct cache_mark {
    uint32_t current, pad;
    struct {
        uint64_t code, cold, meta;
    } used[CACHE_GENERATIONS];
    uint64_t code_bytes, cold_bytes;
};
void cache_mark(const struct cache *cache, struct cache_mark *ret_mark);
/* Whether a cache of this size may be like that. */
bool cache_mark_fits(const struct cache *cache, const struct cache_mark *mark);
/* Goes on from there, its memory being as it was. */
void cache_resume(struct cache *cache, const struct cache_mark *mark);

/* Tells pages apart, also those of a machine that would have it otherwise: hash_secret(), with a
 * key that no other process has. A program in user mode can read that, and can do to its user's
 * files and processes what it likes: there it is hash_bytes(), which is five times as quick. */
uint64_t cache_page_hash(const struct cache *cache, const uint8_t page[4096]);

/* No lock needed. */
struct unit *cache_find(struct cache *cache, uint64_t pa, uint32_t context);

/* Under the lock: the list that holds the page's units (and others), by page_next. */
struct unit *cache_page_units(struct cache *cache, uint64_t page);
/* Under the lock: of the page's units the one that was added last; NULL: it has none. */
struct unit *cache_page_unit(struct cache *cache, uint64_t page);
/* Under the lock: room for one more unit of the largest size? */
bool cache_has_room(const struct cache *cache);
/* Copies the unit in and makes it findable, before the one at the same place if there is one: a
 * region, which then also gets the other's incoming jumps. Under the lock, where there is room.
 * NULL: it does not fit its page's address. */
struct unit *cache_add(struct cache *cache, const struct unit_parts *parts);
/* Where in its line the next unit is going to start, probably: code made there for cache_add()
 * moves by whole lines and fits at once. No lock needed. */
unsigned cache_next_line_offset(const struct cache *cache);

/* How often code has changed. Read before a page's bytes are, without the lock. */
uint64_t cache_changes(const struct cache *cache);
/* Under the lock: whether code in [start, end) may have changed since cache_changes() said `seen`.
 */
bool cache_changed_since(const struct cache *cache, uint64_t seen, uint64_t start, uint64_t end);
/* The same of the code that a unit or region, not added yet, was made of. */
bool cache_parts_stale(const struct cache *cache, const struct unit_parts *parts, uint64_t seen);
void cache_link(struct cache *cache, struct exit_link *exit, struct unit *to);
/* User mode, under the lock: a unit of the first tier that holds the instruction at `pa` and can be
 * entered there, at *ret_code (write view), by a direct jump. NULL: none. */
struct unit *cache_find_within(struct cache *cache, uint64_t pa, uint32_t context,
                               const uint8_t **ret_code);
/* Links to that place. */
void cache_link_within(struct exit_link *exit, struct unit *to, const uint8_t *code);
/* Makes every unit of the page unfindable and unreachable by direct jumps; true if there was one.
 */
bool cache_drop_page(struct cache *cache, uint64_t page);
/* User mode: the same for the units that hold code of [start, end); whoever still enters one
 * through a jump cache comes back to the run loop at once. */
bool cache_drop_range(struct cache *cache, uint64_t start, uint64_t end);
/* Whether this is the entry of such a unit: then a jump cache that has it is out of date. */
bool cache_entry_closed(const void *code);
/* User mode, under the lock: jumps are pointed back where apart(ctx, from, to) says so of two
 * units' addresses in different pages. */
typedef bool (*cache_apart_fn)(void *ctx, uint64_t from, uint64_t to);
void cache_cut_links(struct cache *cache, cache_apart_fn apart, void *ctx);
/* User mode, under the lock: links every direct jump out of a region to the unit there, which it
 * might take for the first time later. Lists, up to `room`, where there is none. */
struct cache_missing {
    uint64_t pa;
    uint32_t context;
};
unsigned cache_link_regions(struct cache *cache, struct cache_missing *missing, unsigned room);
/* Machines: any code may have changed. No unit is found until its page was looked at again; jumps
 * from one of a page's to another stay. */
void cache_doubt_all(struct cache *cache);
/* Whether the page has such units; whether it has one that was not made of the page of this hash.
 */
bool cache_page_in_doubt(struct cache *cache, uint64_t page);
bool cache_page_changed(struct cache *cache, uint64_t page, uint64_t page_hash);
/* Units in doubt are found again where they were made of the page of this hash, and else dropped.
 */
void cache_settle_page(struct cache *cache, uint64_t page, uint64_t page_hash);
/* As cache_drop_page(), but for units that were not of a page made of the page with this hash. */
void cache_drop_others(struct cache *cache, uint64_t page, uint64_t page_hash);
/* Bytes of units that are dead, and of all. */
void cache_waste(const struct cache *cache, uint64_t *ret_dead_bytes, uint64_t *ret_bytes);
/* The unit whose code holds this address (of the run view), or NULL. Takes no lock: for signal
 * handlers of the thread that runs there. */
struct unit *cache_unit_of(struct cache *cache, uintptr_t address);
/* Makes every unit of the oldest generation, or of all, unfindable and unreachable by direct jumps,
 * and goes on in that generation. Its memory is about to be overwritten: before anything else is
 * translated no CPU may be in, or know, a unit that cannot be found. */
void cache_retire_oldest(struct cache *cache);
/* Whether the next generation was never used, or is empty again: nothing need be retired then. */
bool cache_next_is_empty(const struct cache *cache);
void cache_retire_all(struct cache *cache);

static_assert(offsetof(struct unit, exits) / 8 >= EMIT_TAG_EXITS, "numbers of exits");

/* The number of a unit or exit, which its code hands back, and the other way round. */
static inline uint32_t cache_number(const struct cache *cache, const void *thing)
{
    return (uint32_t)((size_t)((const uint8_t *)thing - cache->meta) / 8);
}

static inline void *cache_numbered(const struct cache *cache, uint32_t number)
{
    return cache->meta + number * 8ull;
}

/* Address to run for an address in the write view. */
static inline void *cache_run_address(const struct cache *cache, const uint8_t *code)
{
    return cache->code.run + (code - cache->code.write);
}

#endif
