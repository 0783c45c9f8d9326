/* frozen.c: an image is mapped, and its units wake as the guest comes to them.
 *
 * Everything that the cache is lies in two reservations of memory at addresses that the store's
 * seed gives (cache_at), so its bytes can be written to a file as they are and mapped by another
 * process, privately: what is not changed is shared by all and is read when it is touched.
 *
 * What may have changed is the guest: which code lies at an address. So the image lists the pages
 * that its units were made of, with their hashes, in groups of what was mapped as one. When the
 * guest first comes to a page of a group (it cannot by a jump: no link leads from one group into
 * another) all pages of the group are compared; units of those that differ, or are not there, are
 * dropped, links to them and all. From then on they are units like others, and go when the guest
 * maps other things there. A group that is never met sleeps on, and stays in the next image.
 *
 * An image is believed if its checksum holds: its units are code, so that nothing would be gained
 * by looking further into it. The store sees to it that it is this user's alone. To read all of it
 * for the sum would take as long as the rest together; so that is done only where the file's time
 * of modification is not what its writer has set, as whenever anybody has written to it since. (An
 * image is not used after the host was started anew: the seed is another one then. So power may
 * fail while one is written.)
 *
 * Limits: where files cannot be mapped executable (a noexec mount) code is read instead.
 */
#include "core/translator/frozen_int.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/hash.h"

enum {
    TOUCH_SECONDS = 600, /* an image's time of use is this exact */
};

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

struct frozen *frozen_new(struct persist *persist, struct cache *cache,
                          const struct frozen_guest *guest, const struct log *log)
{
    struct frozen *f = calloc(1, sizeof(*f));
    if (!f)
        abort();
    *f = (struct frozen){.persist = persist,
                         .store = persist_store(persist),
                         .cache = cache,
                         .guest = *guest,
                         .log = log};
    return f;
}

static void forget(struct frozen *f)
{
    free(f->then.groups);
    free(f->then.pages);
    free(f->awake);
    f->then = (struct frozen_list){0};
    f->awake = NULL;
    f->sleeping = 0;
}

void frozen_free(struct frozen *f)
{
    if (!f)
        return;
    forget(f);
    free(f);
}

/* --- the file -----------------------------------------------------------------------------------
 */

void frozen_describe(const struct cache *cache, struct frozen_header *h)
{
    h->magic = FROZEN_MAGIC;
    h->memory_at = (uintptr_t)cache->memory.map;
    h->code_at = (uintptr_t)cache->code.write;
    h->code_bytes = cache->code.size_bytes;
    h->first_code = (uintptr_t)cache->generations[0].code;
}

uint64_t frozen_sum(struct frozen_header header, const struct frozen_list *list)
{
    header.sum = 0;
    uint64_t sum = hash_bytes(&header, sizeof(header), 0);
    sum = hash_bytes(list->groups, list->group_count * sizeof(list->groups[0]), sum);
    return hash_bytes(list->pages, list->page_count * sizeof(list->pages[0]), sum);
}

uint64_t frozen_runs_sum(const struct frozen_header *header)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < header->run_count; i++) {
        const struct frozen_run *run = &header->runs[i];
        sum = hash_bytes((const void *)(uintptr_t)run->address, run->bytes, sum);
    }
    return sum;
}

size_t frozen_front_bytes(const struct frozen_list *list)
{
    return sizeof(struct frozen_header) + list->group_count * sizeof(list->groups[0]) +
           list->page_count * sizeof(list->pages[0]);
}

static bool read_all(int fd, void *to, size_t bytes, uint64_t offset)
{
    return pread(fd, to, bytes, (off_t)offset) == (ssize_t)bytes;
}

static bool in_code(const struct cache *cache, uint64_t address)
{
    return address - (uintptr_t)cache->code.write < cache->code.size_bytes;
}

/* Whole pages, within what the cache has reserved: but for the stubs, which are each process's. */
static bool run_fits(const struct cache *cache, const struct frozen_run *run, uint64_t file_bytes)
{
    uint64_t end = run->address + run->bytes;
    uint64_t code = (uintptr_t)cache->generations[0].code;
    uint64_t code_end = (uintptr_t)cache->code.write + cache->code.size_bytes;
    uint64_t memory = (uintptr_t)cache->memory.map;
    if ((run->address | run->bytes | run->offset) % 4096 || run->bytes == 0 || end < run->address ||
        run->offset > file_bytes || run->bytes > file_bytes - run->offset)
        return false;
    return (run->address >= code && end <= code_end) ||
           (run->address >= memory && end <= memory + cache->memory.map_bytes);
}

static bool header_fits(const struct frozen *f, const struct frozen_header *h, uint64_t file_bytes)
{
    struct frozen_header own = {0};
    frozen_describe(f->cache, &own);
    if (h->magic != own.magic || h->key != f->key || h->file_bytes != file_bytes ||
        h->memory_at != own.memory_at || h->code_at != own.code_at ||
        h->code_bytes != own.code_bytes || h->first_code != own.first_code ||
        h->group_count > FROZEN_GROUPS_MAX || h->page_count > FROZEN_PAGES_MAX ||
        h->run_count > FROZEN_RUNS_MAX || !cache_mark_fits(f->cache, &h->mark))
        return false;
    for (unsigned i = 0; i < h->run_count; i++)
        if (!run_fits(f->cache, &h->runs[i], file_bytes))
            return false;
    return true;
}

static bool lists_fit(const struct frozen_list *list)
{
    for (unsigned i = 0; i < list->group_count; i++) {
        const struct frozen_group *g = &list->groups[i];
        if (g->first > list->page_count || g->count > list->page_count - g->first)
            return false;
    }
    return true;
}

static bool read_lists(struct frozen *f, int fd, const struct frozen_header *h)
{
    struct frozen_list *list = &f->then;
    size_t group_bytes = h->group_count * sizeof(list->groups[0]);
    size_t page_bytes = h->page_count * sizeof(list->pages[0]);
    list->groups = malloc(group_bytes + 1);
    list->pages = malloc(page_bytes + 1);
    f->awake = calloc(h->group_count + 1, sizeof(f->awake[0]));
    if (!list->groups || !list->pages || !f->awake)
        abort();
    list->group_count = h->group_count;
    list->page_count = h->page_count;
    return read_all(fd, list->groups, group_bytes, sizeof(*h)) &&
           read_all(fd, list->pages, page_bytes, sizeof(*h) + group_bytes) &&
           frozen_sum(*h, list) == h->sum && lists_fit(list);
}

static bool map_run(const struct cache *cache, int fd, const struct frozen_run *run)
{
    void *at = (void *)(uintptr_t)run->address;
    int rights = PROT_READ | PROT_WRITE | (in_code(cache, run->address) ? PROT_EXEC : 0);
    int flags = MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE;
    return mmap(at, run->bytes, rights, flags, fd, (off_t)run->offset) != MAP_FAILED ||
           read_all(fd, at, run->bytes, run->offset);
}

static void unmap_run(const struct cache *cache, const struct frozen_run *run)
{
    void *at = (void *)(uintptr_t)run->address;
    int rights = PROT_READ | PROT_WRITE | (in_code(cache, run->address) ? PROT_EXEC : 0);
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE;
    if (mmap(at, run->bytes, rights, flags, -1, 0) == MAP_FAILED)
        abort(); /* it would be half an image */
}

/* Whoever writes to a file changes its time; the sum of much takes long. */
static bool is_untouched(const struct frozen_header *h, const struct stat *st)
{
    return h->seconds == (uint64_t)st->st_mtim.tv_sec && h->ns == (uint64_t)st->st_mtim.tv_nsec;
}

static bool map_runs(struct frozen *f, int fd, const struct frozen_header *h, const struct stat *st)
{
    unsigned mapped = 0;
    while (mapped < h->run_count && map_run(f->cache, fd, &h->runs[mapped]))
        mapped++;
    if (mapped == h->run_count && (is_untouched(h, st) || frozen_runs_sum(h) == h->runs_sum))
        return true;
    for (unsigned i = 0; i < h->run_count; i++)
        unmap_run(f->cache, &h->runs[i]);
    return false;
}

static bool take(struct frozen *f, int fd, const struct stat *st)
{
    struct frozen_header h;
    if (!read_all(fd, &h, sizeof(h), 0) || !header_fits(f, &h, (uint64_t)st->st_size) ||
        !read_lists(f, fd, &h) || !map_runs(f, fd, &h, st)) {
        forget(f);
        return false;
    }
    cache_resume(f->cache, &h.mark);
    f->sleeping = h.group_count;
    f->units_then = f->counts.units = h.unit_count;
    return true;
}

bool frozen_thaw(struct frozen *f, uint64_t key)
{
    struct stat st;
    struct err e = {0};
    uint64_t start = now_ns();
    f->key = hash_mix(key ^ f->cache->code.size_bytes); /* which says where things lie */
    int fd = store_image_open(f->store, f->key, &e);
    if (fd == -EPERM)
        log_print(f->log, LOG_INFO, "translations are not taken: %s", e.text);
    if (fd < 0)
        return false;
    bool taken = fstat(fd, &st) == 0 && take(f, fd, &st);
    if (!taken)
        log_print(f->log, LOG_INFO, "translations are not taken: the image is damaged");
    else if (time(NULL) - st.st_atim.tv_sec > TOUCH_SECONDS)
        futimens(fd, (const struct timespec[]){{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_OMIT}});
    f->device = st.st_dev;
    f->inode = st.st_ino;
    close(fd);
    f->counts.ns = now_ns() - start;
    return taken;
}

/* --- waking -------------------------------------------------------------------------------------
 */

static bool has_page(const struct frozen_list *list, const struct frozen_group *g, uint64_t page)
{
    uint32_t low = 0, high = g->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (list->pages[g->first + middle].address < page)
            low = middle + 1;
        else
            high = middle;
    }
    return low < g->count && list->pages[g->first + low].address == page;
}

/* Groups are few; where their ranges overlap, as those of different runs may, it is the pages that
 * tell. */
const struct frozen_group *frozen_group_of(const struct frozen_list *list, uint64_t address)
{
    for (unsigned i = 0; i < list->group_count; i++) {
        const struct frozen_group *g = &list->groups[i];
        if (address >= g->start && address < g->end && has_page(list, g, align_down(address, 4096)))
            return g;
    }
    return NULL;
}

bool frozen_sleeps(const struct frozen *f, uint64_t address)
{
    if (!atomic_load_explicit(&f->sleeping, memory_order_acquire))
        return false;
    const struct frozen_group *g = frozen_group_of(&f->then, address);
    return g && !atomic_load_explicit(&f->awake[g - f->then.groups], memory_order_acquire);
}

void frozen_wake(struct frozen *f, uint64_t address)
{
    uint8_t bytes[4096];
    uint64_t start = now_ns();
    const struct frozen_group *g = frozen_group_of(&f->then, address);
    if (!g || atomic_load_explicit(&f->awake[g - f->then.groups], memory_order_relaxed))
        return;
    for (uint32_t i = 0; i < g->count; i++) {
        const struct frozen_page *page = &f->then.pages[g->first + i];
        f->counts.pages++;
        if (f->guest.read(f->guest.read_ctx, page->address, bytes) &&
            cache_page_hash(f->cache, bytes) == page->hash)
            continue;
        cache_drop_page(f->cache, page->address);
        f->counts.dropped_pages++;
    }
    atomic_store_explicit(&f->awake[g - f->then.groups], true, memory_order_release);
    atomic_fetch_sub_explicit(&f->sleeping, 1, memory_order_release);
    f->counts.ns += now_ns() - start;
}

void frozen_forked(struct frozen *f)
{
    f->units_known = frozen_made(f->cache);
}

uint64_t frozen_made(const struct cache *cache)
{
    enum { REGION_UNITS = 20 };
    return cache->unit_count + cache->region_count * REGION_UNITS;
}

struct frozen_counts frozen_counts(const struct frozen *f)
{
    return f->counts;
}
