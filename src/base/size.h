/* size.h: sizes as people write them. */
#ifndef PENG_BASE_SIZE_H
#define PENG_BASE_SIZE_H

#include <stdint.h>

#include "base/err.h"

/* "512M", "2GiB", "65536": a positive number with K, M, G or T (KiB, MiB ... mean the same: powers
 * of 1024). Errors: EINVAL, ERANGE; the text does not repeat `text`. */
int size_parse(const char *text, uint64_t *ret_bytes, struct err *e);
/* The same within limits, both included. Errors: also ERANGE, which tells them. */
int size_parse_mib(const char *text, unsigned min_mib, unsigned max_mib, uint64_t *ret_bytes,
                   struct err *e);

#endif
