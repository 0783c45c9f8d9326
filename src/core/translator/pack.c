/* pack.c: a unit is its code, where its exits and displacements are, and little else.
 *
 * Code depends on where it lies in two ways: displacements to stubs and constants, which move by
 * the distance that the unit moves (both lie at the start of code memory, the same for everyone
 * with this version), and the tags of exits, which are addresses of this process. Links to other
 * units are not kept: exits go to their cold paths again.
 *
 * A record is believed as far as memory safety goes: every offset is checked.
 */
#include "core/translator/pack.h"

#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"

struct packed_unit {
    uint32_t bytes;  /* of this struct and all behind it, a multiple of 8 */
    uint32_t offset; /* in the guest page */
    uint32_t insns, source_hash;
    uint32_t code_bytes, again;
    uint32_t exit_count, fault_count, outside_count;
    uint32_t origin; /* where the code lay, from the start of code memory */
};

uint32_t pack_source_hash(const uint8_t page[4096], uint32_t offset, uint32_t insns)
{
    return (uint32_t)hash_bytes(page + offset, insns * 4ull, offset);
}

static size_t packed_bytes(const struct packed_unit *p)
{
    return align_up(sizeof(*p) + p->exit_count * sizeof(struct unit_exit) +
                        p->fault_count * sizeof(struct emit_fault) +
                        p->outside_count * sizeof(uint16_t) + p->code_bytes,
                    8);
}

static uint8_t *append(uint8_t *at, const void *from, size_t bytes)
{
    memcpy(at, from, bytes);
    return at + bytes;
}

static void pack_unit(const struct cache *cache, struct unit *unit, const struct packed_unit *p,
                      uint8_t *at)
{
    at = append(at, p, sizeof(*p));
    for (unsigned i = 0; i < unit->exit_count; i++) {
        const struct exit_link *exit = &unit->exits[i];
        struct unit_exit packed = {.site_at = (uint32_t)(exit->site - unit->code),
                                   .tag_at = exit->tag_at,
                                   .cold = (int32_t)(exit->cold - (exit->site + 4)),
                                   .target = exit->target};
        at = append(at, &packed, sizeof(packed));
    }
    at = append(at, unit_faults(unit), unit->fault_count * sizeof(struct emit_fault));
    at = append(at, unit_outside(unit), unit->outside_count * sizeof(uint16_t));
    append(at, unit->code, unit->code_bytes);
}

size_t pack_page(struct cache *cache, uint64_t pa, uint32_t context, const uint8_t page[4096],
                 void *out, size_t room)
{
    uint8_t *at = out;
    for (struct unit *unit = cache_page_units(cache, pa); unit; unit = unit->page_next) {
        uint32_t offset = (uint32_t)unit->pa & 4095;
        if ((unit->pa ^ pa) >> 12 || unit->context != context || unit->dead ||
            unit->source_hash != pack_source_hash(page, offset, unit->insns))
            continue;
        struct packed_unit p = {.offset = offset,
                                .insns = unit->insns,
                                .source_hash = unit->source_hash,
                                .code_bytes = unit->code_bytes,
                                .again = unit->again,
                                .exit_count = unit->exit_count,
                                .fault_count = unit->fault_count,
                                .outside_count = unit->outside_count,
                                .origin = (uint32_t)(unit->code - cache->code.write)};
        p.bytes = (uint32_t)packed_bytes(&p);
        if (p.bytes > room - (size_t)(at - (uint8_t *)out))
            break;
        pack_unit(cache, unit, &p, at);
        at += p.bytes;
    }
    return (size_t)(at - (uint8_t *)out);
}

/* Lengths, and every offset that is going to be written through. */
static bool sound(const struct packed_unit *p, size_t left, const uint8_t page[4096])
{
    if (left < sizeof(*p) || p->exit_count > EMIT_EXITS_MAX || p->fault_count > EMIT_FAULTS_MAX ||
        p->outside_count > X86_OUTSIDE_MAX || p->code_bytes > UINT16_MAX ||
        p->code_bytes < EMIT_ENTRY_BYTES + 8 || p->again >= p->code_bytes ||
        p->bytes != packed_bytes(p) || p->bytes > left)
        return false;
    if (p->offset % 4 || p->offset >= 4096 || p->insns > (4096 - p->offset) / 4 ||
        p->source_hash != pack_source_hash(page, p->offset, p->insns))
        return false;
    const struct unit_exit *exits = (const void *)(p + 1);
    for (unsigned i = 0; i < p->exit_count; i++)
        if (exits[i].site_at > p->code_bytes - 4 || exits[i].tag_at > p->code_bytes - 8)
            return false;
    const uint16_t *outside =
        (const void *)((const struct emit_fault *)(exits + p->exit_count) + p->fault_count);
    for (unsigned i = 0; i < p->outside_count; i++)
        if (outside[i] > p->code_bytes - 4)
            return false;
    return true;
}

unsigned unpack_page(struct cache *cache, uint64_t pa, uint32_t context, const uint8_t page[4096],
                     const void *data, size_t bytes)
{
    const uint8_t *at = data, *end = at + bytes;
    unsigned count = 0;
    pa = align_down(pa, 4096);
    while (at < end && cache_has_room(cache)) {
        const struct packed_unit *p = (const void *)at;
        if (!sound(p, (size_t)(end - at), page))
            break;
        at += p->bytes;
        if (cache_find(cache, pa + p->offset, context))
            continue;
        const struct unit_exit *exits = (const void *)(p + 1);
        const struct emit_fault *faults = (const void *)(exits + p->exit_count);
        const uint16_t *outside = (const void *)(faults + p->fault_count);
        cache_add(cache,
                  &(struct unit_parts){.pa = pa + p->offset,
                                       .context = context,
                                       .insns = p->insns,
                                       .source_hash = p->source_hash,
                                       .code_bytes = p->code_bytes,
                                       .again = p->again,
                                       .exit_count = p->exit_count,
                                       .fault_count = p->fault_count,
                                       .outside_count = p->outside_count,
                                       .origin = p->origin,
                                       .exits = exits,
                                       .faults = faults,
                                       .outside = outside,
                                       .code = (const uint8_t *)(outside + p->outside_count)});
        count++;
    }
    return count;
}
