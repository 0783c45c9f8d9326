/* store_int.h: what a store's file begins with, and what concerns all files of a directory. */
#ifndef PENG_CORE_TRANSLATOR_STORE_INT_H
#define PENG_CORE_TRANSLATOR_STORE_INT_H

#include "core/translator/store.h"

#define STORE_MAGIC 0x33656863616e6550ull /* "Penache3" */

struct store_header {
    uint64_t magic, version;
    uint64_t end;     /* where the next record goes */
    uint64_t records; /* written so far */
    uint64_t seed[2]; /* store_seed() */
    uint64_t boot;    /* of the host, in which that was made; 0: unknown */
};

/* Removes what was used least recently until all of the directory's files together take no more
 * than `limit_bytes`; but not the records' file of this name, nor the one that was its like. */
void store_evict(const char *directory, const char *own, uint64_t limit_bytes);

#endif
