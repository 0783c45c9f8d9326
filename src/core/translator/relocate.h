/* relocate.h: what changes in a unit's code when its parts are moved.
 *
 * A unit is emitted as one piece, the hot part first. The cold part then goes to an area of its
 * own, so that what runs lies close together; the store keeps units as one piece again.
 */
#ifndef PENG_CORE_TRANSLATOR_RELOCATE_H
#define PENG_CORE_TRANSLATOR_RELOCATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/x86_64/asm.h"

/* The two parts of a unit, and how an offset in both as one piece becomes an address. */
struct code_parts {
    uint8_t *hot, *cold;
    uint32_t hot_bytes;
};

static inline uint8_t *code_parts_at(const struct code_parts *parts, uint32_t offset)
{
    return offset < parts->hot_bytes ? parts->hot + offset
                                     : parts->cold + (offset - parts->hot_bytes);
}

/* By how many bytes the parts and the guest page have moved. */
struct code_move {
    int64_t hot, cold, page;
};

/* Corrects the bytes at `parts`, which were copied there. The copy may be read only where it was
 * moved to: `parts` need not be that place. False: the page's address does not fit any more. */
bool relocate(const struct code_parts *parts, const struct x86_fixup *fixups, unsigned count,
              const struct code_move *move);

/* The first address from `at` on, a multiple of `align`, where none of the displacements at these
 * offsets reaches from one cache line into the next. There is one within a line if there is any. */
uint8_t *relocate_fit(uint8_t *at, unsigned align, const uint32_t *sites, unsigned count);

#endif
