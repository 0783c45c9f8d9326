/* pack.c: a unit is its code, where its exits and displacements are, and little else.
 *
 * Code depends on where it and its guest page lie (relocate.h): it is kept as if in one piece at
 * the start of code memory and for a page at 0. Stubs and constants lie at that start, the same for
 * everyone with this version. The numbers of exits are this process's. Links to other units are not
 * kept: exits go to their cold paths again, but those that lead to another unit of the record.
 *
 * A record is believed as far as memory safety goes: every offset is checked.
 */
#include "core/translator/pack.h"

#include <string.h>

#include "base/bytes.h"

struct packed_unit {
    uint32_t bytes;  /* of this struct and all behind it, a multiple of 8 */
    uint32_t offset; /* in the guest page */
    uint32_t insns;
    uint32_t code_bytes, hot_bytes, again;
    uint32_t exit_count, fault_count, fixup_count, entry_count;
};

enum { PAGE_WORDS = 1024 };
enum { AGAIN_BYTES = 5 }; /* at `again`, of which cache_add() writes all but the first */

static size_t packed_bytes(const struct packed_unit *p)
{
    return align_up(sizeof(*p) + p->exit_count * sizeof(struct unit_exit) +
                        p->fault_count * sizeof(struct emit_fault) +
                        p->fixup_count * sizeof(struct x86_fixup) +
                        p->entry_count * sizeof(struct emit_entry) + p->code_bytes,
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
    for (unsigned i = 0; i < unit->exit_count; i++)
        at = append(at, &unit->exits[i].at, sizeof(unit->exits[i].at));
    at = append(at, unit_faults(unit), unit->fault_count * sizeof(struct emit_fault));
    at = append(at, unit_fixups(unit), unit->fixup_count * sizeof(struct x86_fixup));
    at = append(at, unit_entries(unit), unit->entry_count * sizeof(struct emit_entry));
    uint32_t hot_bytes = unit->code.hot_bytes;
    struct code_parts copy = {at, at + hot_bytes, hot_bytes};
    at = append(at, unit->code.hot, hot_bytes);
    append(at, unit->code.cold, unit->code_bytes - hot_bytes);
    const uint8_t *origin = cache->code.write;
    struct code_move move = {.hot = origin - unit->code.hot,
                             .cold = origin + hot_bytes - unit->code.cold,
                             .page = cache->user ? -(int64_t)align_down(unit->pa, 4096) : 0};
    relocate(&copy, unit_fixups(unit), unit->fixup_count, &move);
    for (unsigned i = 0; i < unit->exit_count; i++) /* a link may be there */
        store_le(code_parts_at(&copy, unit->exits[i].at.site_at), 4, 0);
}

/* The page's units that are worth a record, in the order in which they were made: that is how they
 * were first run, one leading to the next, and so they will lie again. The list has the last first.
 * Returns the first of `units` that is one. */
static unsigned in_order(struct cache *cache, uint64_t pa, uint32_t context, uint64_t page_hash,
                         struct unit *units[PAGE_WORDS])
{
    unsigned first = PAGE_WORDS;
    for (struct unit *unit = cache_page_units(cache, pa); unit && first; unit = unit->page_next)
        if (!((unit->pa ^ pa) >> 12) && unit->context == context && !unit->dead && !unit->leave &&
            unit->page_hash == page_hash)
            units[--first] = unit;
    return first;
}

size_t pack_page(struct cache *cache, uint64_t pa, uint32_t context, const uint8_t page[4096],
                 void *out, size_t room)
{
    uint8_t *at = out;
    struct unit *units[PAGE_WORDS];
    unsigned first = in_order(cache, pa, context, cache_page_hash(cache, page), units);
    for (unsigned i = first; i < PAGE_WORDS; i++) {
        struct unit *unit = units[i];
        struct packed_unit p = {.offset = (uint32_t)unit->pa & 4095,
                                .insns = unit->insns,
                                .code_bytes = unit->code_bytes,
                                .hot_bytes = unit->code.hot_bytes,
                                .again = unit->again,
                                .exit_count = unit->exit_count,
                                .fault_count = unit->fault_count,
                                .fixup_count = unit->fixup_count,
                                .entry_count = unit->entry_count};
        p.bytes = (uint32_t)packed_bytes(&p);
        if (p.bytes > room - (size_t)(at - (uint8_t *)out))
            break;
        pack_unit(cache, unit, &p, at);
        at += p.bytes;
    }
    return (size_t)(at - (uint8_t *)out);
}

/* Whether the bytes are all in one part of the code. */
static bool in_a_part(const struct packed_unit *p, uint32_t at, uint32_t bytes)
{
    return at + bytes <= (at < p->hot_bytes ? p->hot_bytes : p->code_bytes);
}

/* Lengths, and every offset that is going to be written through. */
static bool sound(const struct packed_unit *p, size_t left)
{
    if (left < sizeof(*p) || p->exit_count > EMIT_EXITS_MAX || p->fault_count > EMIT_FAULTS_MAX ||
        p->fixup_count > X86_FIXUPS_MAX || p->entry_count > EMIT_ENTRIES_MAX ||
        p->code_bytes > UINT16_MAX || p->hot_bytes > p->code_bytes ||
        p->hot_bytes < EMIT_ENTRY_BYTES || p->again > p->code_bytes ||
        !in_a_part(p, p->again, AGAIN_BYTES) || p->bytes != packed_bytes(p) || p->bytes > left)
        return false;
    if (p->offset % 4 || p->offset >= 4096 || p->insns > (4096 - p->offset) / 4)
        return false;
    const struct unit_exit *exits = (const void *)(p + 1);
    for (unsigned i = 0; i < p->exit_count; i++)
        if (!in_a_part(p, exits[i].site_at, 4) || !in_a_part(p, exits[i].tag_at, 4) ||
            exits[i].cold_at >= p->code_bytes)
            return false;
    const struct x86_fixup *fixups =
        (const void *)((const struct emit_fault *)(exits + p->exit_count) + p->fault_count);
    for (unsigned i = 0; i < p->fixup_count; i++)
        if (fixups[i].kind >= X86_FIXUP_KINDS ||
            !in_a_part(p, fixups[i].at, fixups[i].kind == X86_FIXUP_PAGE64 ? 8 : 4))
            return false;
    const struct emit_entry *entries = (const void *)(fixups + p->fixup_count);
    for (unsigned i = 0; i < p->entry_count; i++)
        if (entries[i].at >= p->hot_bytes)
            return false;
    return true;
}

/* The units that a record gave, also by the word of the page at which they start (1 and up; 0:
 * none). */
struct unpacked {
    unsigned count;
    struct unit *units[PAGE_WORDS];
    uint16_t by_word[PAGE_WORDS];
};

/* Jumps from one to another, which the run loop would link one by one when they are first taken. */
static void link_unpacked(struct cache *cache, const struct unpacked *u)
{
    for (unsigned n = 0; n < u->count; n++) {
        struct unit *unit = u->units[n];
        for (unsigned i = 0; i < unit->exit_count; i++) {
            int32_t target = unit->exits[i].at.target;
            bool in_page = target >= 0 && target < PAGE_WORDS * 4 && target % 4 == 0;
            unsigned to = in_page ? u->by_word[target / 4] : 0;
            if (to)
                cache_link(cache, &unit->exits[i], u->units[to - 1]);
        }
    }
}

static bool has_units(struct cache *cache, uint64_t page, uint32_t context)
{
    const struct unit *unit = cache_page_units(cache, page);
    while (unit && ((unit->pa ^ page) >> 12 || unit->context != context))
        unit = unit->page_next;
    return unit != NULL;
}

unsigned unpack_page(struct cache *cache, uint64_t pa, uint32_t context, uint64_t page_hash,
                     const void *data, size_t bytes)
{
    const uint8_t *at = data, *end = at + bytes;
    struct unpacked unpacked;
    unpacked.count = 0;
    memset(unpacked.by_word, 0, sizeof(unpacked.by_word));
    pa = align_down(pa, 4096);
    bool first = !has_units(cache, pa, context);
    while (at < end && cache_has_room(cache)) {
        const struct packed_unit *p = (const void *)at;
        if (!sound(p, (size_t)(end - at)))
            break;
        at += p->bytes;
        if (unpacked.by_word[p->offset / 4] ||
            (!first && cache_find(cache, pa + p->offset, context)))
            continue;
        const struct unit_exit *exits = (const void *)(p + 1);
        const struct emit_fault *faults = (const void *)(exits + p->exit_count);
        const struct x86_fixup *fixups = (const void *)(faults + p->fault_count);
        const struct emit_entry *entries = (const void *)(fixups + p->fixup_count);
        struct unit_parts parts = {.pa = pa + p->offset,
                                   .context = context,
                                   .insns = p->insns,
                                   .page_hash = page_hash,
                                   .code_bytes = p->code_bytes,
                                   .hot_bytes = p->hot_bytes,
                                   .again = p->again,
                                   .exit_count = p->exit_count,
                                   .fault_count = p->fault_count,
                                   .fixup_count = p->fixup_count,
                                   .entry_count = p->entry_count,
                                   .exits = exits,
                                   .faults = faults,
                                   .fixups = fixups,
                                   .entries = entries,
                                   .code = (const uint8_t *)(entries + p->entry_count)};
        struct unit *unit = cache_add(cache, &parts);
        if (!unit)
            continue;
        unpacked.units[unpacked.count++] = unit;
        unpacked.by_word[p->offset / 4] = (uint16_t)unpacked.count;
    }
    link_unpacked(cache, &unpacked);
    return unpacked.count;
}
