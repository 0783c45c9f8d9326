/* gicv3_its.h: the interrupt translation service: a device's message becomes an LPI of some CPU.
 *
 * Source: Arm IHI 0069 chapter 5 and 12.12 to 12.14. One physical ITS without virtual interrupts.
 */
#ifndef PENG_CORE_DEVICE_GICV3_ITS_H
#define PENG_CORE_DEVICE_GICV3_ITS_H

#include "core/device/gicv3.h"

enum {
    GICV3_ITS_BYTES = 0x20000,      /* control frame, translation frame */
    GICV3_ITS_TRANSLATER = 0x10040, /* what a device is told to write its event to */
};

struct gicv3_its;

/* `gic` must have LPIs (gicv3_config.mem); borrowed. */
int gicv3_its_new(struct gicv3 *gic, struct gicv3_its **ret_its, struct err *e);
void gicv3_its_free(struct gicv3_its *its); /* NULL is a no-op */
void gicv3_its_reset(struct gicv3_its *its);

/* A device (for PCI: its requester ID) writes `event` to GITS_TRANSLATER. Any thread; what is not
 * mapped is dropped. */
void gicv3_its_msi(struct gicv3_its *its, uint32_t device, uint32_t event);

extern const struct bus_device_ops gicv3_its_ops; /* ctx: struct gicv3_its */

#endif
