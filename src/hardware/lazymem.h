/* lazymem.h: memory that is reserved and comes when it is touched: its first part a page at a time,
 * which is all that small programs need, the rest in huge pages: one of them costs as much as forty
 * small ones, where memory is busy some hundreds, which a program that goes on and on touches soon.
 */
#ifndef PENG_HARDWARE_LAZYMEM_H
#define PENG_HARDWARE_LAZYMEM_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { LAZYMEM_HUGE = 2 << 20, LAZYMEM_SMALL = 1 << 20 };

struct lazymem {
    uint8_t *front; /* `front_bytes` in small pages */
    uint8_t *at;    /* behind them: `size_bytes`, of which the first LAZYMEM_SMALL in small pages */
    size_t size_bytes;
    uint8_t *map;
    size_t map_bytes;
};

/* Zeroed, with mmap()'s rights. `where`: a multiple of LAZYMEM_HUGE at which the mapping begins,
 * all of it then lying where it lay before with the same sizes; NULL: anywhere. Errors: ENOMEM;
 * EEXIST: something else is at `where`. */
int lazymem_init(struct lazymem *mem, void *where, size_t front_bytes, size_t size_bytes,
                 int rights, struct err *e);
/* What lazymem_init() takes of the address space for it. */
size_t lazymem_span(size_t front_bytes, size_t size_bytes);
/* The last address up to `at` from which on LAZYMEM_SMALL bytes come in small pages, and huge ones
 * behind them: for something else that starts in the middle of mem->at. */
uint8_t *lazymem_start_small(struct lazymem *mem, uint8_t *at);
void lazymem_done(struct lazymem *mem);

#endif
