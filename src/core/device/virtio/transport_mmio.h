/* transport_mmio.h: virtio over MMIO (virtio 1.2, section 4.2), version 2 only. */
#ifndef PENG_CORE_DEVICE_VIRTIO_TRANSPORT_MMIO_H
#define PENG_CORE_DEVICE_VIRTIO_TRANSPORT_MMIO_H

#include "base/err.h"
#include "core/device/bus.h"
#include "core/device/virtio/device.h"

enum {
    VIRTIO_MMIO_BYTES = 0x200,  /* of one slot on the bus */
    VIRTIO_MMIO_NOTIFY = 0x050, /* QueueNotify, for doorbells that a kernel watches */
    VIRTIO_MMIO_NOTIFY_BYTES = 4,
};

struct virtio_mmio;

/* Puts `dev` (owned from here on, also on failure; NULL: an empty slot, device id 0) at `base` of
 * `bus`. The line is a level: high while InterruptStatus is not zero. It is set anew with every
 * event, so it may be taken as edges, too. Errors: bus_add's. */
int virtio_mmio_new(struct virtio_device *dev, struct bus *bus, uint64_t base, struct irq_line irq,
                    struct virtio_mmio **ret_slot, struct err *e);
/* Frees the slot and its device, after the vCPUs and the event loop have stopped. NULL is a no-op.
 */
void virtio_mmio_free(struct virtio_mmio *slot);
/* As the driver's reset; for the machine's reset, with the vCPUs stopped. */
void virtio_mmio_reset(struct virtio_mmio *slot);

#endif
