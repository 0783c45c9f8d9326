/* frozen_int.h: the file of an image, and what its reader and its writer share.
 *
 *   offset 0     struct frozen_header
 *   behind it    struct frozen_group, struct frozen_page: `group_count` and `page_count` of them
 *   whole pages  runs of memory, each for the address that it was at
 */
#ifndef PENG_CORE_TRANSLATOR_FROZEN_INT_H
#define PENG_CORE_TRANSLATOR_FROZEN_INT_H

#include "core/translator/frozen.h"

#include <sys/types.h>

#define FROZEN_MAGIC 0x31676d69676e6550ull /* "Pengimg1" */

enum {
    FROZEN_RUNS_MAX = 96,
    FROZEN_GROUPS_MAX = 1 << 12,
    FROZEN_PAGES_MAX = 1 << 18,
};

/* A page that units were made of: cache_page_hash() of what it held. */
struct frozen_page {
    uint64_t address, hash;
};

/* What was mapped as one, so that its pages' units may jump to each other. */
struct frozen_group {
    uint64_t start, end;
    uint32_t first, count; /* of its pages, in the order of addresses */
};

struct frozen_run {
    uint64_t address, bytes, offset;
};

struct frozen_header {
    uint64_t magic, key;
    uint64_t sum;      /* of all but the runs, this being 0 */
    uint64_t runs_sum; /* of them */
    uint64_t file_bytes;
    uint64_t seconds, ns; /* the file's time of modification while nobody has written to it */
    uint64_t memory_at, code_at, code_bytes, first_code; /* where the cache lies */
    struct cache_mark mark;
    uint64_t unit_count;
    uint32_t group_count, page_count, run_count, pad;
    struct frozen_run runs[FROZEN_RUNS_MAX];
};

static_assert(sizeof(struct frozen_header) % 8 == 0 && sizeof(struct frozen_group) == 24,
              "as in the file");

struct frozen_list {
    struct frozen_group *groups;
    struct frozen_page *pages;
    uint32_t group_count, page_count;
};

struct frozen {
    struct persist *persist;
    struct store *store;
    struct cache *cache;
    struct frozen_guest guest;
    const struct log *log;
    uint64_t key;                     /* 0: none is kept */
    struct frozen_list then;          /* of the image that this process began with */
    _Atomic(bool) *awake;             /* groups */
    _Atomic(uint32_t) sleeping;       /* how many are not */
    uint64_t units_then, units_known; /* units_known: of frozen_made(), those not to be saved */
    dev_t device;                     /* the image's; inode 0: there was none */
    ino_t inode;
    struct frozen_counts counts;
};

/* The group that has this page; NULL: none. */
const struct frozen_group *frozen_group_of(const struct frozen_list *list, uint64_t address);
/* What this process has made, in units of the first tier; a region takes as long as several. */
uint64_t frozen_made(const struct cache *cache);
/* Whether the cache is one whose image begins so; used for both. */
void frozen_describe(const struct cache *cache, struct frozen_header *ret);
uint64_t frozen_sum(struct frozen_header header, const struct frozen_list *list);
uint64_t frozen_runs_sum(const struct frozen_header *header);
size_t frozen_front_bytes(const struct frozen_list *list);

#endif
