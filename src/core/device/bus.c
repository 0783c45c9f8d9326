/* bus.c: a sorted array of regions; a binary search finds the one that holds an address.
 *
 * A board has a few dozen regions, so the search takes five or six comparisons. An access must lie
 * wholly inside one region: one that straddles an edge finds no device.
 */
#include "core/device/bus.h"

#include <errno.h>
#include <string.h>

/* How many regions have a base at or below `address`. */
static unsigned regions_below(const struct bus *bus, uint64_t address)
{
    unsigned low = 0, high = bus->count;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (bus->regions[middle].base <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static const struct bus_region *find(const struct bus *bus, uint64_t address, unsigned size_bytes)
{
    unsigned below = regions_below(bus, address);
    if (below == 0)
        return NULL;
    const struct bus_region *r = &bus->regions[below - 1];
    uint64_t offset = address - r->base;
    return offset < r->size_bytes && size_bytes <= r->size_bytes - offset ? r : NULL;
}

int bus_add(struct bus *bus, const char *name, uint64_t base, uint64_t size_bytes,
            const struct bus_device_ops *ops, void *ctx, struct err *e)
{
    if (bus->count == BUS_REGIONS_MAX)
        return err_set(e, ENOSPC, "%s: too many devices on the bus", name);
    if (size_bytes == 0 || base + (size_bytes - 1) < base)
        return err_set(e, EINVAL, "%s: region 0x%llx+0x%llx is empty or wraps", name,
                       (unsigned long long)base, (unsigned long long)size_bytes);
    unsigned at = regions_below(bus, base);
    const struct bus_region *before = at > 0 ? &bus->regions[at - 1] : NULL;
    const struct bus_region *after = at < bus->count ? &bus->regions[at] : NULL;
    const struct bus_region *other = NULL;
    if (before && base - before->base < before->size_bytes)
        other = before;
    else if (after && after->base - base < size_bytes)
        other = after;
    if (other)
        return err_set(e, EEXIST, "%s: region 0x%llx+0x%llx overlaps %s", name,
                       (unsigned long long)base, (unsigned long long)size_bytes, other->name);
    memmove(&bus->regions[at + 1], &bus->regions[at], (bus->count - at) * sizeof(bus->regions[0]));
    bus->regions[at] = (struct bus_region){name, base, size_bytes, ops, ctx};
    bus->count++;
    return 0;
}

bool bus_read(void *ctx, uint64_t address, unsigned size_bytes, uint64_t *value)
{
    const struct bus_region *r = find(ctx, address, size_bytes);
    if (!r)
        return false;
    *value = r->ops->read(r->ctx, address - r->base, size_bytes);
    return true;
}

bool bus_write(void *ctx, uint64_t address, unsigned size_bytes, uint64_t value)
{
    const struct bus_region *r = find(ctx, address, size_bytes);
    if (!r)
        return false;
    r->ops->write(r->ctx, address - r->base, size_bytes, value);
    return true;
}
