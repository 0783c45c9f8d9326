/* ranges.h: a set of addresses as sorted, disjoint half-open ranges. One writer at a time; a reader
 * needs no lock.
 */
#ifndef PENG_CORE_LINUX_RANGES_H
#define PENG_CORE_LINUX_RANGES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RANGES_INLINE = 24 };

struct range {
    _Atomic uint64_t start, end; /* end exclusive */
};

struct ranges {
    _Atomic uint32_t turn; /* odd while a writer is at work */
    _Atomic size_t count;
    struct range *_Atomic list;
    size_t capacity;
    struct range few[RANGES_INLINE]; /* `list` until more are needed */
};

void ranges_init(struct ranges *set);

/* Writers. The caller serializes them. Arrays that were outgrown are kept, for readers that may
 * still look at them: together no more than the one in use. No memory: aborts. */
void ranges_add(struct ranges *set, uint64_t start, uint64_t end);
void ranges_remove(struct ranges *set, uint64_t start, uint64_t end);

/* Readers: any thread, and signal handlers that did not interrupt a writer. */
bool ranges_contain(const struct ranges *set, uint64_t start, uint64_t end); /* all of it */
bool ranges_touch(const struct ranges *set, uint64_t start, uint64_t end);   /* any of it */
/* The first range that ends behind `from`; false where there is none. */
bool ranges_next(const struct ranges *set, uint64_t from, uint64_t *ret_start, uint64_t *ret_end);

#endif
