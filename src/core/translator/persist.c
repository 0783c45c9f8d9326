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
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/log.h"
#include "core/translator/lift.h"
#include "core/translator/pack.h"
#include "core/translator/place.h"

enum {
    WORTH_SAVING = 4,          /* new units, of so many that were fetched */
    WORTH_SAVING_MACHINE = 16, /* machines are few, and run all that their programs do */
    SAVE_ANYWAY = 8,           /* one process of so many, for each page */
};
enum { CONTEXTS_MAX = 8 };
/* A machine may be killed, and runs on for days: it saves as it goes. */
enum { SAVE_SECONDS = 5, WAITING_WORTH = 16 };
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
    uint8_t *bytes; /* machines: of the page, when the first of what waits was made; or NULL */
};

/* Of all contexts: what the guest writes, it writes for all. */
enum { ANY_CONTEXT = UINT32_MAX };

static void drop_bytes(struct note *note)
{
    free(note->bytes);
    note->bytes = NULL;
}

struct persist {
    struct store *store;
    struct note *notes;
    size_t size, used;               /* size: a power of two */
    uint32_t contexts[CONTEXTS_MAX]; /* of notes */
    unsigned context_count;          /* CONTEXTS_MAX + 1: more than that */
    unsigned waiting, forks;
    bool machine;
    time_t saved; /* machines: when, or when it began */
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

static time_t seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return now.tv_sec;
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
    p->machine = !config->user;
    p->saved = seconds_now();
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
    for (size_t i = 0; i < p->size; i++)
        drop_bytes(&p->notes[i]);
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

static void list_context(struct persist *p, uint32_t context)
{
    for (unsigned i = 0; i < p->context_count && i < CONTEXTS_MAX; i++)
        if (p->contexts[i] == context)
            return;
    if (p->context_count < CONTEXTS_MAX)
        p->contexts[p->context_count] = context;
    if (p->context_count <= CONTEXTS_MAX)
        p->context_count++;
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
    list_context(p, context);
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
    drop_bytes(note);
    note->fetched = note->made = note->record = 0;
}

void persist_doubt_all(struct persist *p)
{
    for (size_t i = 0; i < p->size; i++)
        p->notes[i].flags &= (uint16_t)~NOTE_FETCHED;
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
                      const uint8_t page[4096], uint64_t page_hash)
{
    size_t bytes;
    bool old;
    const void *data = store_find(p->store, page, note->context, &note->record, &bytes, &old);
    unsigned units =
        data ? unpack_page(cache, note->page, note->context, page_hash, data, bytes) : 0;
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
                   const uint8_t page[4096], uint64_t page_hash)
{
    struct note *note = note_of(p, pa, context);
    if (note->flags & NOTE_FETCHED || persist_is_generated(p, pa))
        return false;
    note->flags |= NOTE_FETCHED;
    note->fetched += count_units(cache, note); /* of an image, which is as good as a record */
    unsigned units = bring(p, cache, note, page, page_hash);
    p->counts.fetched_pages += units > 0;
    p->counts.missed_pages += units == 0;
    if (units > 0)
        slot_of(p->notes, p->size, note->page, ANY_CONTEXT)->written = 0;
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
            bring(p, cache, note, page, cache_page_hash(cache, page));
    }
}

static bool is_chosen(const struct note *note)
{
    return hash_mix(note->page ^ (uint64_t)getpid()) % SAVE_ANYWAY == 0;
}

/* A machine's page may be another when it is saved: Linux patches itself as it starts. */
static void keep_bytes(struct note *note, const uint8_t page[4096])
{
    note->bytes = malloc(4096);
    if (!note->bytes)
        abort();
    memcpy(note->bytes, page, 4096);
}

bool persist_made(struct persist *p, uint64_t pa, uint32_t context, const uint8_t *page)
{
    if (persist_is_generated(p, pa))
        return false;
    struct note *note = note_of(p, pa, context);
    unsigned worth = p->machine ? WORTH_SAVING_MACHINE : WORTH_SAVING;
    if (++note->made * worth >= note->fetched || is_chosen(note)) {
        wait_for_save(p, note);
        if (page && !note->bytes)
            keep_bytes(note, page);
    }
    return p->waiting >= WAITING_MAX ||
           (p->machine && p->waiting >= WAITING_WORTH && seconds_now() - p->saved >= SAVE_SECONDS);
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

/* What waits of the page, if the store is open to be written. `buffer`: PACK_BYTES. */
static void save_note(struct persist *p, struct cache *cache, struct note *note,
                      const uint8_t page[4096], void *buffer)
{
    note->flags &= (uint16_t)~NOTE_WAITS;
    p->waiting--;
    note->fetched += note->made;
    note->made = 0;
    if (!persist_is_generated(p, note->page) && (note->bytes || page))
        save_page(p, cache, note, note->bytes ?: page, buffer);
    drop_bytes(note);
}

static void *new_buffer(void)
{
    void *buffer = malloc(PACK_BYTES);
    if (!buffer)
        abort();
    return buffer;
}

void persist_save(struct persist *p, struct cache *cache, persist_read_fn read, void *ctx)
{
    uint8_t page[4096];
    p->saved = seconds_now();
    if (!p->waiting || !store_begin(p->store))
        return;
    void *buffer = new_buffer();
    for (size_t i = 0; i < p->size; i++) {
        struct note *note = &p->notes[i];
        if (note->flags & NOTE_WAITS)
            save_note(p, cache, note, !note->bytes && read(ctx, note->page, page) ? page : NULL,
                      buffer);
    }
    free(buffer);
    store_end(p->store);
}

/* --- pages that change --------------------------------------------------------------------------
 */

/* The page's note of one context, if there is one: what waits is saved, with the bytes that it was
 * made of. True: the page was met since it was written. */
static bool leave(struct persist *p, struct cache *cache, uint64_t page, uint32_t context)
{
    struct note *note = slot_of(p->notes, p->size, page, context);
    bool met = note->flags & ~NOTE_USED && context != ANY_CONTEXT;
    if (met && note->flags & NOTE_WAITS && note->bytes && store_begin(p->store)) {
        void *buffer = new_buffer();
        save_note(p, cache, note, NULL, buffer);
        free(buffer);
        store_end(p->store);
    }
    if (met)
        forget(p, note);
    return met;
}

bool persist_leave_page(struct persist *p, struct cache *cache, uint64_t page)
{
    bool all = p->context_count > CONTEXTS_MAX, met = false;
    unsigned count = all ? LIFT_CONTEXTS : p->context_count;
    for (unsigned i = 0; i < count; i++)
        met |= leave(p, cache, page, all ? i : p->contexts[i]);
    return met;
}

void persist_written(struct persist *p, struct cache *cache, uint64_t pa, unsigned tolerated)
{
    uint64_t page = align_down(pa, 4096);
    bool met = persist_leave_page(p, cache, page);
    if (!met && tolerated)
        return;
    struct note *note = note_of(p, page, ANY_CONTEXT);
    if (!(note->flags & NOTE_GENERATED) && ++note->written > tolerated)
        note->flags |= NOTE_GENERATED;
}

struct store *persist_store(struct persist *p)
{
    return p->store;
}

struct persist_counts persist_counts(const struct persist *p)
{
    return p->counts;
}
