/* pack.h: the units of one page as a record of the store, and back into the cache. */
#ifndef PENG_CORE_TRANSLATOR_PACK_H
#define PENG_CORE_TRANSLATOR_PACK_H

#include "core/translator/cache.h"

/* Writes the page's units of this context to `out`, but those that were made when it was not as it
 * is now: a guest must not get code stored under bytes that it is not made of. Returns the bytes
 * used, 0 where there is no unit or they do not fit. Under the cache's lock. */
size_t pack_page(struct cache *cache, uint64_t pa, uint32_t context, const uint8_t page[4096],
                 void *out, size_t room);

/* Adds a record's units for the page at `pa`, of this hash, to the cache, but those that are there
 * already. Returns how many; stops where the record makes no sense or the generation is full. Under
 * the lock. */
unsigned unpack_page(struct cache *cache, uint64_t pa, uint32_t context, uint64_t page_hash,
                     const void *data, size_t bytes);

#endif
