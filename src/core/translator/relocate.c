/* relocate.c: displacements that leave a part of a unit change by the difference of two moves,
 * those within a part not at all; constants that hold a guest address change with the guest's page.
 *
 * A displacement that is patched while others run the code must be written by one store, hence lie
 * within a cache line. The emitter sees to it where it writes; who moves the code does here.
 */
#include "core/translator/relocate.h"

#include "base/bytes.h"

enum { LINE = 64 };

bool relocate(const struct code_parts *parts, const struct x86_fixup *fixups, unsigned count,
              const struct code_move *move)
{
    for (unsigned i = 0; i < count; i++) {
        uint8_t *at = code_parts_at(parts, fixups[i].at);
        bool cold = fixups[i].at >= parts->hot_bytes;
        int64_t from = cold ? move->cold : move->hot, other = cold ? move->hot : move->cold;
        int64_t low;
        switch (fixups[i].kind) {
        case X86_FIXUP_OUTSIDE:
            store_le(at, 4, (uint32_t)load_le(at, 4) - (uint32_t)from);
            break;
        case X86_FIXUP_CROSS:
            store_le(at, 4, (uint32_t)load_le(at, 4) + (uint32_t)(other - from));
            break;
        case X86_FIXUP_PAGE32: /* as an offset from the page it may be negative */
            low = (int32_t)load_le(at, 4) + move->page;
            if (move->page > 0 && (low < 0 || low > INT32_MAX))
                return false;
            store_le(at, 4, (uint32_t)low);
            break;
        default:
            store_le(at, 8, load_le(at, 8) + (uint64_t)move->page);
            break;
        }
    }
    return true;
}

static bool fits(const uint8_t *at, const uint32_t *sites, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (((uintptr_t)at + sites[i]) % LINE > LINE - 4)
            return false;
    return true;
}

uint8_t *relocate_fit(uint8_t *at, unsigned align, const uint32_t *sites, unsigned count)
{
    at = (uint8_t *)align_up((uintptr_t)at, align);
    for (uint8_t *end = at + LINE; at < end; at += align)
        if (fits(at, sites, count))
            return at;
    return at - LINE;
}
