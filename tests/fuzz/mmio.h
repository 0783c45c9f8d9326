/* mmio.h: how the device fuzz targets read their input: a list of 12-byte register accesses. */
#ifndef PENG_TESTS_FUZZ_MMIO_H
#define PENG_TESTS_FUZZ_MMIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "core/device/bus.h"

enum { MMIO_REQUEST_BYTES = 12 };

struct mmio_request {
    unsigned kind; /* 0..15: what the target makes of it */
    bool write;
    unsigned size_bytes; /* 1, 2, 4 or 8 */
    uint64_t where;      /* 24 bits */
    uint64_t value;
};

/* Byte 0: kind and direction and size; 1..3: where; 4..11: value. */
static inline struct mmio_request mmio_request(const uint8_t data[MMIO_REQUEST_BYTES])
{
    return (struct mmio_request){
        .kind = data[0] & 15,
        .write = data[0] >> 4 & 1,
        .size_bytes = 1u << (data[0] >> 5 & 3),
        .where = load_le(data + 1, 3),
        .value = load_le(data + 4, 8),
    };
}

/* The access, brought inside the device's region as the bus does. */
static inline void mmio_do(const struct bus_device_ops *ops, void *ctx, uint64_t region_bytes,
                           const struct mmio_request *r)
{
    uint64_t offset = r->where % region_bytes;
    if (r->size_bytes > region_bytes - offset)
        return;
    if (r->write)
        ops->write(ctx, offset, r->size_bytes, bits(r->value, 0, 8 * r->size_bytes));
    else
        ops->read(ctx, offset, r->size_bytes);
}

#endif
