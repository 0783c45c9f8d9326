/* hash.h: a 64-bit hash of bytes, quick and well mixed; for tables and for noticing damage, not
 * against anybody who looks for collisions.
 *
 * Four lanes of multiply and rotate over 32-byte blocks, folded by the finalizer of splitmix64.
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

#endif
