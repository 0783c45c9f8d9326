/* freeze.c: a process that ends writes what it has translated as an image (frozen.c).
 *
 * The cache is written as it is. Before that units go that the next process could not use: of pages
 * that were changed without a word since, or that the guest generates itself; and links between
 * groups. That is seen by a process that ends, so it matters to none; after an exec that failed
 * what went is made again.
 *
 * Writing costs about as much as making one unit of ten does. So the more a process has made that
 * its image lacks, the likelier it writes a new one.
 *
 * Limits: an image in which more is dead than alive is not written anew but removed: the next
 * process starts from the records.
 */
#include "core/translator/frozen_int.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/hash.h"

enum {
    WORTH = 16,        /* units' writing costs as much as one's making, and a bit */
    WORTH_FILE = 1000, /* units' writing costs as much as a file does beside that */
    REPLACE_ANYWAY = 8,
    GAP_PAGES = 8, /* of zeros that are written rather than left out */
};

/* A page on its way into a list. */
struct entry {
    uint64_t start, end; /* of its group */
    struct frozen_page page;
};

struct entries {
    struct entry *list;
    size_t count, room;
};

static void append(struct entries *all, const struct entry *entry)
{
    if (all->count == all->room) {
        all->room = all->room ? 2 * all->room : 256;
        all->list = realloc(all->list, all->room * sizeof(all->list[0]));
        if (!all->list)
            abort();
    }
    all->list[all->count++] = *entry;
}

/* --- pages --------------------------------------------------------------------------------------
 */

/* Every page that has units, once. */
static void find_pages(struct cache *cache, struct entries *all)
{
    for (uint32_t bucket = 0; bucket <= cache->page_mask; bucket++) {
        size_t first = all->count;
        for (const struct unit *unit = cache->pages[bucket]; unit; unit = unit->page_next) {
            uint64_t page = align_down(unit->pa, 4096);
            size_t i = first;
            while (i < all->count && all->list[i].page.address != page)
                i++;
            if (i == all->count)
                append(all, &(struct entry){.page.address = page});
        }
    }
}

static bool still_sleeps(const struct frozen *f, struct entry *entry)
{
    if (!frozen_sleeps(f, entry->page.address))
        return false;
    const struct frozen_group *g = frozen_group_of(&f->then, entry->page.address);
    uint32_t i = g->first;
    while (f->then.pages[i].address != entry->page.address)
        i++;
    *entry = (struct entry){g->start, g->end, f->then.pages[i]};
    return true;
}

/* What its group is, and its hash. False: its units went. */
static bool look_at(struct frozen *f, struct entry *entry)
{
    uint8_t bytes[4096];
    uint64_t page = entry->page.address;
    const struct frozen_guest *guest = &f->guest;
    if (still_sleeps(f, entry))
        return true;
    if (persist_is_generated(f->persist, page) ||
        !guest->code_range(guest->range_ctx, page, &entry->start, &entry->end) ||
        !guest->read(guest->read_ctx, page, bytes)) {
        cache_drop_page(f->cache, page);
        return false;
    }
    entry->page.hash = cache_page_hash(f->cache, bytes);
    cache_drop_others(f->cache, page, entry->page.hash);
    return true;
}

static int by_group(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    const uint64_t keys[][2] = {
        {x->start, y->start}, {x->end, y->end}, {x->page.address, y->page.address}};
    for (unsigned i = 0; i < ARRAY_SIZE(keys); i++)
        if (keys[i][0] != keys[i][1])
            return keys[i][0] < keys[i][1] ? -1 : 1;
    return 0;
}

static void list_entries(const struct entries *all, struct frozen_list *ret)
{
    struct frozen_list list = {.groups = malloc((all->count + 1) * sizeof(list.groups[0])),
                               .pages = malloc((all->count + 1) * sizeof(list.pages[0]))};
    if (!list.groups || !list.pages)
        abort();
    for (size_t i = 0; i < all->count; i++) {
        const struct entry *entry = &all->list[i];
        struct frozen_group *g = list.groups + list.group_count;
        if (i == 0 || g[-1].start != entry->start || g[-1].end != entry->end) {
            *g = (struct frozen_group){entry->start, entry->end, (uint32_t)i, 0};
            list.group_count++;
        } else {
            g--;
        }
        g->count++;
        list.pages[list.page_count++] = entry->page;
    }
    *ret = list;
}

static bool apart(void *ctx, uint64_t from, uint64_t to)
{
    const struct frozen_list *list = ctx;
    return frozen_group_of(list, from) != frozen_group_of(list, to);
}

/* Leaves in the cache what is to be kept, and lists its pages. */
static void settle(struct frozen *f, struct frozen_list *ret)
{
    struct entries all = {0};
    find_pages(f->cache, &all);
    size_t kept = 0;
    for (size_t i = 0; i < all.count; i++)
        if (look_at(f, &all.list[i]))
            all.list[kept++] = all.list[i];
    all.count = kept;
    if (kept)
        qsort(all.list, kept, sizeof(all.list[0]), by_group);
    list_entries(&all, ret);
    free(all.list);
    cache_cut_links(f->cache, apart, ret);
}

/* --- runs ---------------------------------------------------------------------------------------
 */

static void add_run(struct frozen_header *h, const void *start, const void *end)
{
    uint64_t from = align_down((uintptr_t)start, 4096), to = align_up((uintptr_t)end, 4096);
    if (start == end || h->run_count > FROZEN_RUNS_MAX)
        return;
    if (h->run_count == FROZEN_RUNS_MAX) {
        h->run_count++; /* too many: none is written */
        return;
    }
    h->runs[h->run_count++] = (struct frozen_run){from, to - from, 0};
}

static bool is_zero(const uint8_t page[4096])
{
    static const uint8_t zeros[4096];
    return memcmp(page, zeros, sizeof(zeros)) == 0;
}

/* Those pages of the tables that hold something. */
static void add_tables(const struct cache *cache, struct frozen_header *h)
{
    const uint8_t *start = NULL, *end = NULL;
    for (const uint8_t *page = cache->memory.front; page < cache->memory.at; page += 4096) {
        if (is_zero(page))
            continue;
        if (start && page - end > GAP_PAGES * 4096) {
            add_run(h, start, end);
            start = NULL;
        }
        start = start ? start : page;
        end = page + 4096;
    }
    add_run(h, start, end);
}

static void describe(const struct frozen *f, const struct frozen_list *list,
                     struct frozen_header *h)
{
    const struct cache *cache = f->cache;
    memset(h, 0, sizeof(*h));
    frozen_describe(cache, h);
    h->key = f->key;
    h->unit_count = f->units_then + cache->unit_count;
    h->group_count = list->group_count;
    h->page_count = list->page_count;
    cache_mark(cache, &h->mark);
    add_tables(cache, h);
    for (unsigned i = 0; i < CACHE_GENERATIONS; i++) {
        const struct generation *g = &cache->generations[i];
        add_run(h, g->meta, g->meta_at);
        add_run(h, g->code, g->code_at);
        add_run(h, g->code_end, g->cold_at);
    }
    h->file_bytes = align_up(frozen_front_bytes(list), 4096);
    for (unsigned i = 0; i < h->run_count && i < FROZEN_RUNS_MAX; i++) {
        h->runs[i].offset = h->file_bytes;
        h->file_bytes += h->runs[i].bytes;
    }
}

/* --- writing ------------------------------------------------------------------------------------
 */

static bool write_all(int fd, const void *from, size_t bytes, uint64_t offset)
{
    const uint8_t *at = from;
    while (bytes) {
        ssize_t n = pwrite(fd, at, bytes, (off_t)offset);
        if (n <= 0)
            return false;
        at += n;
        bytes -= (size_t)n;
        offset += (uint64_t)n;
    }
    return true;
}

static bool write_image(int fd, const struct frozen_header *h, const struct frozen_list *list)
{
    size_t group_bytes = list->group_count * sizeof(list->groups[0]);
    bool good = write_all(fd, h, sizeof(*h), 0) &&
                write_all(fd, list->groups, group_bytes, sizeof(*h)) &&
                write_all(fd, list->pages, list->page_count * sizeof(list->pages[0]),
                          sizeof(*h) + group_bytes);
    for (unsigned i = 0; good && i < h->run_count; i++)
        good = write_all(fd, (const void *)(uintptr_t)h->runs[i].address, h->runs[i].bytes,
                         h->runs[i].offset);
    return good;
}

static void put(struct frozen *f, const struct frozen_list *list)
{
    struct frozen_header h;
    struct timespec now;
    describe(f, list, &h);
    if (h.run_count > FROZEN_RUNS_MAX || list->page_count > FROZEN_PAGES_MAX ||
        list->group_count > FROZEN_GROUPS_MAX || list->page_count == 0)
        return;
    h.runs_sum = frozen_runs_sum(&h);
    clock_gettime(CLOCK_REALTIME, &now);
    h.seconds = (uint64_t)now.tv_sec;
    h.ns = (uint64_t)now.tv_nsec;
    h.sum = frozen_sum(h, list);
    int fd = store_image_begin(f->store, h.file_bytes);
    if (fd < 0)
        return;
    bool good = write_image(fd, &h, list) && futimens(fd, (const struct timespec[]){now, now}) == 0;
    if (store_image_end(f->store, f->key, fd, good))
        f->counts.saved++;
}

/* Whether somebody else has written another image since this process began. */
static bool is_replaced(const struct frozen *f)
{
    struct stat st = {0};
    int fd = store_image_open(f->store, f->key, NULL);
    if (fd < 0)
        return false;
    bool same = fstat(fd, &st) == 0 && st.st_dev == f->device && st.st_ino == f->inode;
    close(fd);
    return !same;
}

bool frozen_is_worth_it(const struct frozen *f)
{
    uint64_t fresh = frozen_made(f->cache) - f->units_known;
    uint64_t chance = hash_mix((uint64_t)getpid() ^ f->key);
    if (!f->key || fresh == 0)
        return false;
    if (f->units_then && fresh * WORTH < chance % (f->units_then + WORTH_FILE))
        return false;
    return (chance >> 32) % REPLACE_ANYWAY == 0 || !is_replaced(f);
}

void frozen_save(struct frozen *f)
{
    uint64_t dead, all;
    struct frozen_list list;
    if (!store_begin(f->store))
        return;
    settle(f, &list);
    cache_waste(f->cache, &dead, &all);
    if (dead * 2 > all)
        store_image_drop(f->store, f->key);
    else
        put(f, &list);
    store_end(f->store);
    f->units_known = frozen_made(f->cache);
    free(list.groups);
    free(list.pages);
}
