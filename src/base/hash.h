/* hash.h: two hashes of bytes.
 *
 * hash_bytes() is quick and well mixed; for tables and for noticing damage, not against anybody who
 * looks for collisions. Four lanes of multiply and rotate over 32-byte blocks, folded by the
 * finalizer of splitmix64.
 *
 * hash_secret() is for that: who does not know its key cannot do better than guess. The bytes, as
 * 32-bit numbers, are coefficients of a polynomial modulo 2^61 - 1 that is evaluated at a secret
 * point (Wegman and Carter, "New hash functions and their use in authentication and set equality",
 * 1981): two inputs of n bytes collide for n / 4 of 2^61 keys at most.
 */
#ifndef PENG_BASE_HASH_H
#define PENG_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t hash_mix(uint64_t v)
{
    v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9ull;
    v = (v ^ v >> 27) * 0x94d049bb133111ebull;
    return v ^ v >> 31;
}

static inline uint64_t hash_bytes(const void *data, size_t size_bytes, uint64_t seed)
{
    const unsigned char *p = data;
    uint64_t lane[4] = {seed, ~seed, seed ^ 0x9e3779b97f4a7c15ull, size_bytes};
    size_t left = size_bytes;
    for (; left >= 32; left -= 32, p += 32)
        for (unsigned i = 0; i < 4; i++) {
            uint64_t word;
            memcpy(&word, p + 8 * i, 8);
            lane[i] = (lane[i] ^ word) * 0xff51afd7ed558ccdull;
            lane[i] = lane[i] << 29 | lane[i] >> 35;
        }
    unsigned char tail[32] = {0};
    if (left)
        memcpy(tail, p, left);
    uint64_t h = size_bytes;
    for (unsigned i = 0; i < 4; i++) {
        uint64_t word;
        memcpy(&word, tail + 8 * i, 8);
        h = hash_mix(h ^ lane[i] ^ hash_mix(word + i));
    }
    return h;
}

/* Both parts uniformly random, below 2^61 - 1. */
struct hash_key {
    uint64_t point, lane;
};

#define HASH_PRIME ((1ull << 61) - 1)

static inline struct hash_key hash_key_from(const uint64_t random[2])
{
    return (struct hash_key){random[0] % HASH_PRIME, random[1] % HASH_PRIME};
}

/* v modulo HASH_PRIME, but for a few multiples: below 2^61 + 8. */
static inline uint64_t hash_fold(unsigned __int128 v)
{
    uint64_t once = (uint64_t)(v & HASH_PRIME), high = (uint64_t)(v >> 61);
    once += high & HASH_PRIME;
    return (once & HASH_PRIME) + (once >> 61) + (high >> 61);
}

/* size_bytes is a multiple of 32. */
static inline uint64_t hash_secret(const void *data, size_t size_bytes, const struct hash_key *key)
{
    const unsigned char *p = data;
    const uint64_t x = key->point, square = hash_fold((unsigned __int128)x * x);
    uint64_t lane[4] = {0};
    for (size_t at = 0; at < size_bytes; at += 32)
        for (unsigned i = 0; i < 4; i++) {
            uint64_t word;
            memcpy(&word, p + at + 8 * i, 8);
            lane[i] = hash_fold((unsigned __int128)lane[i] * square +
                                (unsigned __int128)(word & UINT32_MAX) * x + (word >> 32));
        }
    uint64_t h = 0;
    for (unsigned i = 0; i < 4; i++)
        h = hash_fold((unsigned __int128)h * key->lane + lane[i]);
    h = (h & HASH_PRIME) + (h >> 61);
    return h >= HASH_PRIME ? h - HASH_PRIME : h;
}

#endif
