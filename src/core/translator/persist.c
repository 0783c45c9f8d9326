/* persist.c: notes about pages, one a page and lift context, in a hash table that grows.
 *
 * A page's record is fetched when the first unit of the page is missing. A page gets a new record
 * when a good part of its units were made, not fetched: programs that share a library each run a
 * bit of it that the others do not, and a record for each such bit would make the file grow for
 * ever. So that what many of them run is there in the end, few of them save it nonetheless. A
 * process that forks again and again looks now and then for what its children, which made it and
 * are gone, have added: the next ones have it from the start. What the guest generates itself (it
 * announces that by IC IVAU) is left out: it would never be met again.
 */
#include "core/translator/persist.h"

#include <elf.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/log.h"
#include "core/translator/lift.h"
#include "core/translator/pack.h"
#include "core/translator/place.h"

enum {
    WORTH_SAVING = 4, /* new units, of so many that were fetched */
    SAVE_ANYWAY = 8,  /* one process of so many, for each page */
};
enum { NOTES_FIRST = 64, WAITING_MAX = 1024, PACK_BYTES = 1 << 20 };

enum note_flags {
    NOTE_USED = 1,
    NOTE_WAITS = 2,     /* has units that its record lacks */
    NOTE_GENERATED = 4, /* by the guest, which writes it again and again */
    NOTE_FETCHED = 8,
};

struct note {
    uint64_t page;
    uint32_t context;
    uint16_t flags;
    uint16_t written;       /* in the note of all contexts: how often */
    uint32_t fetched, made; /* units */
    uint32_t record;        /* that was fetched (store_find()) */
};

/* Of all contexts: what the guest writes, it writes for all. */
enum { ANY_CONTEXT = UINT32_MAX };

struct persist {
    struct store *store;
    struct note *notes;
    size_t size, used; /* size: a power of two */
    unsigned waiting, forks;
    struct persist_counts counts;
};

/* --- version ------------------------------------------------------------------------------------
 */

/* This program's build id, so that no other build's translations are taken for its own. */
static int add_build_id(struct dl_phdr_info *info, size_t size, void *data)
{
    uint64_t *version = data;
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
        if (ph->p_type == PT_NOTE)
            *version =
                hash_bytes((const void *)(info->dlpi_addr + ph->p_vaddr), ph->p_memsz, *version);
    }
    return 1; /* the first object is the program */
}

static uint64_t full_version(uint64_t version)
{
    dl_iterate_phdr(add_build_id, &version);
    return version;
}

static int open_store(const struct translator_config *config, uint64_t version,
                      struct store **ret_store, struct err *e)
{
    struct place place;
    bool in_memory = config->keep == TRANSLATOR_KEEP_IN_MEMORY && !place_is_named();
    if (in_memory || !place_chosen(&place)) {
        int rc = place_in_memory(PLACE_MEMORY, true, &place, e);
        if (rc < 0)
            return rc;
    }
    struct store_config store = {.directory = place.directory,
                                 .version = full_version(version),
                                 .limit_bytes = place.limit_bytes,
                                 .images = config->user,
                                 .fds = config->fds};
    return store_open(&store, ret_store, e);
}

struct persist *persist_new(const struct translator_config *config, uint64_t version)
{
    struct err e = {0};
    struct store *store;
    if (!config->keep || !place_wanted())
        return NULL;
    if (open_store(config, version, &store, &e) < 0) {
        log_print(config->log, LOG_INFO, "translations are not kept: %s", e.text);
        return NULL;
    }
    struct persist *p = calloc(1, sizeof(*p));
    if (!p)
        abort();
    p->store = store;
    p->size = NOTES_FIRST;
    p->notes = calloc(p->size, sizeof(p->notes[0]));
    if (!p->notes)
        abort();
    return p;
}

void persist_free(struct persist *p)
{
    if (!p)
        return;
    store_close(p->store);
    free(p->notes);
    free(p);
}

const char *persist_folder(const struct persist *p)
{
    return store_directory(p->store);
}

/* --- notes --------------------------------------------------------------------------------------
 */

static struct note *slot_of(struct note *notes, size_t size, uint64_t page, uint32_t context)
{
    size_t at = (size_t)hash_mix(page ^ context);
    for (;; at++) {
        struct note *note = &notes[at & (size - 1)];
        if (!note->flags || (note->page == page && note->context == context))
            return note;
    }
}

static void grow(struct persist *p)
{
    size_t size = p->size * 2;
    struct note *notes = calloc(size, sizeof(notes[0]));
    if (!notes)
        abort();
    for (size_t i = 0; i < p->size; i++)
        if (p->notes[i].flags)
            *slot_of(notes, size, p->notes[i].page, p->notes[i].context) = p->notes[i];
    free(p->notes);
    p->notes = notes;
    p->size = size;
}

static struct note *note_of(struct persist *p, uint64_t pa, uint32_t context)
{
    uint64_t page = align_down(pa, 4096);
    struct note *note = slot_of(p->notes, p->size, page, context);
    if (note->flags)
        return note;
    if (p->used * 2 >= p->size) {
        grow(p);
        note = slot_of(p->notes, p->size, page, context);
    }
    p->used++;
    *note = (struct note){.page = page, .context = context, .flags = NOTE_USED};
    return note;
}

bool persist_is_generated(struct persist *p, uint64_t pa)
{
    uint64_t page = align_down(pa, 4096);
    return slot_of(p->notes, p->size, page, ANY_CONTEXT)->flags & NOTE_GENERATED;
}

/* A note is not taken out, for others may lie behind it; it starts again. */
static void forget(struct persist *p, struct note *note)
{
    if (note->flags & NOTE_WAITS)
        p->waiting--;
    note->flags &= NOTE_USED;
    note->fetched = note->made = note->record = 0;
}

/* Notes by context are few bits (enum lift_context): all are looked for. */
static void forget_page(struct persist *p, uint64_t page)
{
    for (uint32_t context = 0; context < LIFT_CONTEXTS; context++) {
        struct note *note = slot_of(p->notes, p->size, page, context);
        if (note->flags)
            forget(p, note);
    }
}

void persist_written(struct persist *p, uint64_t pa, unsigned tolerated)
{
    struct note *note = note_of(p, pa, ANY_CONTEXT);
    if (note->flags & NOTE_GENERATED)
        return;
    if (++note->written > tolerated)
        note->flags |= NOTE_GENERATED;
    forget_page(p, note->page);
}

void persist_forget(struct persist *p, uint64_t start, uint64_t end)
{
    for (size_t i = 0; i < p->size; i++)
        if (p->notes[i].flags && p->notes[i].page < end && p->notes[i].page + 4096 > start)
            forget(p, &p->notes[i]);
}

/* --- fetching and saving ------------------------------------------------------------------------
 */

static void wait_for_save(struct persist *p, struct note *note)
{
    if (!(note->flags & NOTE_WAITS))
        p->waiting++;
    note->flags |= NOTE_WAITS;
}

/* Units of the page's record that the cache does not have; 0 where it is the one that was fetched
 * before. */
static unsigned bring(struct persist *p, struct cache *cache, struct note *note,
                      const uint8_t page[4096])
{
    size_t bytes;
    bool old;
    const void *data = store_find(p->store, page, note->context, &note->record, &bytes, &old);
    unsigned units = data ? unpack_page(cache, note->page, note->context, page, data, bytes) : 0;
    p->counts.fetched_units += units;
    note->fetched += old ? 0 : units;
    if (units && old)
        wait_for_save(p, note);
    return units;
}

static unsigned count_units(struct cache *cache, const struct note *note)
{
    unsigned count = 0;
    for (struct unit *unit = cache_page_units(cache, note->page); unit; unit = unit->page_next)
        count += !((unit->pa ^ note->page) >> 12) && unit->context == note->context;
    return count;
}

bool persist_fetch(struct persist *p, struct cache *cache, uint64_t pa, uint32_t context,
                   const uint8_t page[4096])
{
    struct note *note = note_of(p, pa, context);
    if (note->flags & NOTE_FETCHED || persist_is_generated(p, pa))
        return false;
    note->flags |= NOTE_FETCHED;
    note->fetched += count_units(cache, note); /* of an image, which is as good as a record */
    unsigned units = bring(p, cache, note, page);
    p->counts.fetched_pages += units > 0;
    p->counts.missed_pages += units == 0;
    return units > 0;
}

void persist_forking(struct persist *p, struct cache *cache, persist_read_fn read, void *ctx)
{
    uint8_t page[4096];
    unsigned forks = ++p->forks;
    if (forks == 1 || forks & (forks - 1)) /* the 2nd, 4th, 8th ...: it takes as long as a fork */
        return;
    for (size_t i = 0; i < p->size; i++) {
        struct note *note = &p->notes[i];
        if (note->flags & NOTE_FETCHED && !persist_is_generated(p, note->page) &&
            cache_has_room(cache) && read(ctx, note->page, page))
            bring(p, cache, note, page);
    }
}

static bool is_chosen(const struct note *note)
{
    return hash_mix(note->page ^ (uint64_t)getpid()) % SAVE_ANYWAY == 0;
}

bool persist_made(struct persist *p, uint64_t pa, uint32_t context)
{
    if (persist_is_generated(p, pa))
        return false;
    struct note *note = note_of(p, pa, context);
    if (++note->made * WORTH_SAVING >= note->fetched || is_chosen(note))
        wait_for_save(p, note);
    return p->waiting >= WAITING_MAX;
}

static void save_page(struct persist *p, struct cache *cache, const struct note *note,
                      const uint8_t page[4096], void *buffer)
{
    size_t bytes = pack_page(cache, note->page, note->context, page, buffer, PACK_BYTES);
    if (!bytes)
        return;
    store_put(p->store, page, note->context, buffer, bytes);
    p->counts.saved_pages++;
}

void persist_save(struct persist *p, struct cache *cache, persist_read_fn read, void *ctx)
{
    uint8_t page[4096];
    if (!p->waiting || !store_begin(p->store))
        return;
    void *buffer = malloc(PACK_BYTES);
    if (!buffer)
        abort();
    for (size_t i = 0; i < p->size; i++) {
        struct note *note = &p->notes[i];
        if (!(note->flags & NOTE_WAITS))
            continue;
        note->flags &= (uint16_t)~NOTE_WAITS;
        note->fetched += note->made;
        note->made = 0;
        if (!persist_is_generated(p, note->page) && read(ctx, note->page, page))
            save_page(p, cache, note, page, buffer);
    }
    p->waiting = 0;
    free(buffer);
    store_end(p->store);
}

struct store *persist_store(struct persist *p)
{
    return p->store;
}

struct persist_counts persist_counts(const struct persist *p)
{
    return p->counts;
}
