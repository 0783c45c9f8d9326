/* bytes.h: little-endian loads and stores at any alignment, and small arithmetic used everywhere.
 */
#ifndef PENG_BASE_BYTES_H
#define PENG_BASE_BYTES_H

#include <stdint.h>
#include <string.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static inline uint64_t load_le(const void *p, unsigned size_bytes)
{
    uint64_t v = 0;
    memcpy(&v, p, size_bytes);
    return v;
}

static inline void store_le(void *p, unsigned size_bytes, uint64_t v)
{
    memcpy(p, &v, size_bytes);
}

/* Bits [lo, lo + len) of v. */
static inline uint64_t bits(uint64_t v, unsigned lo, unsigned len)
{
    return (v >> lo) & (len >= 64 ? ~0ull : (1ull << len) - 1);
}

/* The low `len` bits of v as a signed number; 1 <= len <= 64. */
static inline int64_t sign_extend(uint64_t v, unsigned len)
{
    return (int64_t)(v << (64 - len)) >> (64 - len);
}

static inline uint64_t align_down(uint64_t v, uint64_t to)
{
    return v & ~(to - 1);
}

static inline uint64_t align_up(uint64_t v, uint64_t to)
{
    return (v + to - 1) & ~(to - 1);
}

#endif
