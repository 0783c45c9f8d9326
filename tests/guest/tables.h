/* tables.h: translation tables of TTBR1 (high addresses), so that the code that runs stays mapped
 * by TTBR0; and accesses that may fault.
 */
#ifndef PENG_TESTS_GUEST_TABLES_H
#define PENG_TESTS_GUEST_TABLES_H

#include "guest.h"

enum {
    EC_IABORT = 0x21,
    EC_DABORT = 0x25,
    FAULT_TRANSLATION = 4,
    FAULT_ACCESS = 8,
    FAULT_PERMISSION = 12,
    SMALL_PAGE = 4096
};

/* A translation granule of TTBR1: TG1's encoding and the geometry. */
struct granule {
    const char *name;
    unsigned shift, index_bits, t1sz, tg1;
    unsigned start_level;
    unsigned block_level; /* of the smallest block */
};

enum { GRANULES = 3 };
extern const struct granule granules[GRANULES]; /* of 4, 16 and 64 KiB */

#define NORMAL (PTE_AF | PTE_SHARED)

extern const struct granule *now; /* that the tables have */
extern uint64_t high;             /* the first address of TTBR1's range */

/* New, empty tables of this granule. */
void tables_new(const struct granule *g);
unsigned level_shift(unsigned level);
uint64_t *slot(uint64_t va, unsigned level);
/* Without maintenance: for entries that were invalid, and to see what the TLB remembers. */
void map_quietly(uint64_t va, unsigned level, uint64_t pa, uint64_t flags);
void unmap(uint64_t va, unsigned level);
void map(uint64_t va, unsigned level, uint64_t pa, uint64_t flags);
void set_asid(uint64_t asid);

const struct caught *load(uint64_t va);
const struct caught *store(uint64_t va);
const struct caught *jump(uint64_t va);
unsigned status(const struct caught *c); /* fault status, or 64 where there was no fault */

#endif
