/* bus.h: which device answers at which guest-physical address, and the wires interrupts travel on.
 *
 * Regions are registered while a board is built and constant afterwards, so dispatch takes no lock.
 * Each device guards its own registers with its own mutex, because vCPU threads and the I/O thread
 * call it side by side. Lock order: device, then interrupt controller.
 */
#ifndef PENG_CORE_DEVICE_BUS_H
#define PENG_CORE_DEVICE_BUS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* Register access: `offset` is relative to the region; size_bytes 1, 2, 4 or 8 and within the
 * region. A device treats sizes that its specification does not allow as it says there (mostly:
 * read as zero, ignore writes); it never fails for what a guest does. */
struct bus_device_ops {
    uint64_t (*read)(void *ctx, uint64_t offset, unsigned size_bytes);
    void (*write)(void *ctx, uint64_t offset, unsigned size_bytes, uint64_t value);
};

enum { BUS_REGIONS_MAX = 96 };

struct bus_region {
    const char *name;
    uint64_t base, size_bytes;
    const struct bus_device_ops *ops;
    void *ctx;
};

struct bus {
    struct bus_region regions[BUS_REGIONS_MAX]; /* sorted by base */
    unsigned count;
};

int bus_add(struct bus *bus, const char *name, uint64_t base, uint64_t size_bytes,
            const struct bus_device_ops *ops, void *ctx, struct err *e);
/* False where no device is (the CPU takes an external abort). The forms that struct guestmem_mmio
 * wants: ctx is the bus. */
bool bus_read(void *bus, uint64_t address, unsigned size_bytes, uint64_t *value);
bool bus_write(void *bus, uint64_t address, unsigned size_bytes, uint64_t value);

/* An interrupt wire: a device holds one by value and sets its level; edge-triggered use is a pulse.
 * Safe from any thread. A line with set == NULL goes nowhere. */
struct irq_line {
    void (*set)(void *ctx, unsigned number, bool level);
    void *ctx;
    unsigned number; /* GIC: INTID (SPIs from 32) */
};

static inline void irq_set(const struct irq_line *line, bool level)
{
    if (line->set)
        line->set(line->ctx, line->number, level);
}

#endif
