/* maker.h: one thread's place for making units: its copy of the page, the micro-ops, the code.
 *
 * Made of nothing but what is constant in a translator, so any number of threads make units at the
 * same time without a lock; cache_add() then moves the code to where it runs.
 */
#ifndef PENG_CORE_TRANSLATOR_MAKER_H
#define PENG_CORE_TRANSLATOR_MAKER_H

#include "core/translator/cache.h"
#include "core/translator/lift.h"

/* The same for all threads. Pointers are borrowed. */
struct maker_config {
    const struct lift_table *lifts;
    const struct hostcpu *host;
    const struct emit_stubs *stubs;
    const struct cache *cache; /* to whose stubs the code refers */
    uint32_t features;         /* of the CPU model */
    unsigned max_insns;        /* 1..IR_UNIT_INSNS */
    struct emit_marks *marks;  /* emit_request.marks; all the same without */
    const uint8_t *like;       /* begin where this lies in its line, not where the next unit will */
};

struct maker;

/* Makers that nobody uses just now: as many as threads translated at once, not as many as there are
 * threads. All zero is empty. */
enum { MAKER_SPARES = 8 };
struct maker_pool {
    _Atomic(struct maker *) spares[MAKER_SPARES];
};
void maker_pool_done(struct maker_pool *pool);

/* One for the calling thread alone, and back. Neither takes a lock. */
struct maker *maker_take(struct maker_pool *pool);
void maker_give(struct maker_pool *pool, struct maker *maker);

/* 4096 bytes for a copy of the guest's page: it may change, or go, while a unit is made of it. */
uint8_t *maker_page(struct maker *maker);

/* cache_page_hash() of what is there now. */
uint64_t maker_page_hash(struct maker *maker, const struct cache *cache);

/* The unit at `pa`, from the bytes in maker_page(). The parts belong to the maker and are good
 * until its next use. */
const struct unit_parts *maker_make(struct maker *maker, const struct maker_config *config,
                                    uint64_t pa, uint32_t context);
/* The same for the region around the loop at `pa`. NULL: there is none, or it does not fit.
 * `forced` (for tests): loop or not, and with as many registers as possible in other places. */
const struct unit_parts *maker_make_region(struct maker *maker, const struct maker_config *config,
                                           uint64_t pa, uint32_t context, bool forced);

#endif
