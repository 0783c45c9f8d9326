/* persist.h: which pages' translations are in the store, which ought to be, and when.
 *
 * All calls are made under the translator's lock.
 */
#ifndef PENG_CORE_TRANSLATOR_PERSIST_H
#define PENG_CORE_TRANSLATOR_PERSIST_H

#include "base/log.h"
#include "core/translator/cache.h"
#include "core/translator/store.h"

struct persist;

/* `version` of what generated code depends on beside this program. NULL where there is no store;
 * the log says why unless none is wanted. */
struct persist *persist_new(const struct translator_config *config, uint64_t version);
void persist_free(struct persist *p);
const char *persist_folder(const struct persist *p);

/* There is no unit at `pa`: brings in what the store has for its page, the first time. True where
 * it brought something. `page_hash`: cache_page_hash() of the page. */
bool persist_fetch(struct persist *p, struct cache *cache, uint64_t pa, uint32_t context,
                   const uint8_t page[4096], uint64_t page_hash);
/* A unit of that page was made. `page`: machines: its bytes then; or NULL. True: so many wait to be
 * saved that it is time. */
bool persist_made(struct persist *p, uint64_t pa, uint32_t context, const uint8_t *page);
/* The guest announced that it wrote code into this page. More than `tolerated` times after it had
 * run what was there (0: ever), and what it then ran was not in the store: what is made of the page
 * is not worth keeping. (Kernels announce a page of a program once, as they read it, and patch
 * themselves in the same places at each start.) */
void persist_written(struct persist *p, struct cache *cache, uint64_t pa, unsigned tolerated);
/* Other contents may lie anywhere, but what waits to be saved is saved if it is found to be there
 * still. */
void persist_doubt_all(struct persist *p);
/* The page has other contents now, but its units are still there. True: it was met before. */
bool persist_leave_page(struct persist *p, struct cache *cache, uint64_t page);
/* Other contents lie at [start, end) now. */
void persist_forget(struct persist *p, uint64_t start, uint64_t end);

/* Saves what waits. `read` gives a page's bytes, false where there is none. */
typedef bool (*persist_read_fn)(void *ctx, uint64_t pa, uint8_t page[4096]);
void persist_save(struct persist *p, struct cache *cache, persist_read_fn read, void *ctx);

/* The process is about to fork, as it did before perhaps: brings in what was added to the store. */
void persist_forking(struct persist *p, struct cache *cache, persist_read_fn read, void *ctx);

/* Whether the guest writes this page's code itself: it is not worth keeping. */
bool persist_is_generated(struct persist *p, uint64_t pa);
/* Where all is kept. Borrowed. */
struct store *persist_store(struct persist *p);

struct persist_counts {
    uint64_t fetched_units, fetched_pages, missed_pages, saved_pages;
};
struct persist_counts persist_counts(const struct persist *p);

#endif
