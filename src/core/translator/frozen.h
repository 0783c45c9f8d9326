/* frozen.h: a program's translations as they were when it last ended, linked and all, mapped into
 * the process that runs it now (user mode).
 *
 * Calls are made under the translator's lock where nothing else is said.
 */
#ifndef PENG_CORE_TRANSLATOR_FROZEN_H
#define PENG_CORE_TRANSLATOR_FROZEN_H

#include "base/log.h"
#include "core/translator/cache.h"
#include "core/translator/persist.h"

struct frozen;

/* What of the guest this needs to know. */
struct frozen_guest {
    /* A page's bytes; false where there is no code. */
    bool (*read)(void *ctx, uint64_t address, uint8_t page[4096]);
    /* a64_host_ops.code_range */
    bool (*code_range)(void *ctx, uint64_t address, uint64_t *ret_start, uint64_t *ret_end);
    void *read_ctx, *range_ctx;
};

/* All borrowed but `log`, which must be good while frozen_thaw() runs. The cache is one that lies
 * where its store's seed says (cache_at). */
struct frozen *frozen_new(struct persist *persist, struct cache *cache,
                          const struct frozen_guest *guest, const struct log *log);
void frozen_free(struct frozen *f);

/* Before anything is translated: the image under this key becomes the cache's contents; false:
 * there is none. Its units sleep until their pages were compared. No lock needed. */
bool frozen_thaw(struct frozen *f, uint64_t key);
/* Whether there are units of this page that sleep. No lock needed. */
bool frozen_sleeps(const struct frozen *f, uint64_t address);
/* Compares all pages that are mapped with this one, and drops units of those that differ. */
void frozen_wake(struct frozen *f, uint64_t address);
/* The process has forked: what it has made until now its parent saves, or has saved. */
void frozen_forked(struct frozen *f);
/* Whether the cache holds enough that the image in the store does not. */
bool frozen_is_worth_it(const struct frozen *f);
/* Writes the cache to the store. */
void frozen_save(struct frozen *f);

struct frozen_counts {
    uint64_t units, pages, dropped_pages, saved, ns; /* ns: of thawing and comparing */
};
struct frozen_counts frozen_counts(const struct frozen *f);

#endif
