/* transport_mmio.c: the registers of virtio over MMIO (virtio 1.2, section 4.2.2), version 2.
 *
 * A table maps offsets to handlers; everything is 32 bits wide but the configuration space from
 * 0x100, which takes any width. QueueNotify takes no lock. InterruptStatus and InterruptACK take
 * only the interrupt's own lock, so that an interrupt handler never waits for the I/O thread.
 *
 * Limits: no shared memory regions, no per-queue reset.
 */
#include "core/device/virtio/transport_mmio.h"

#include <stdlib.h>

#include "base/bytes.h"

enum {
    REGISTER_COUNT = 0x100 / 4,
    CONFIG_OFFSET = 0x100,
    MAGIC = 0x74726976, /* "virt" */
    VERSION = 2,
    VENDOR = 0x676e6550, /* "Peng" */
    INTERRUPT_QUEUE = 1,
    INTERRUPT_CONFIG = 2,
};

struct virtio_mmio {
    struct virtio_device *dev; /* NULL: empty slot */
    pthread_mutex_t irq_lock;  /* guards the line and interrupt_status; innermost but the GIC's */
    struct irq_line irq;
    uint32_t interrupt_status;
    /* selectors, written by one vCPU at a time, any value: checked where used */
    atomic_uint device_features_half, driver_features_half, queue_selected;
};

struct mmio_register {
    uint32_t (*read)(struct virtio_mmio *slot, unsigned number);
    void (*write)(struct virtio_mmio *slot, unsigned number, uint32_t value);
};

static void set_interrupt(struct virtio_mmio *slot, uint32_t set, uint32_t clear)
{
    pthread_mutex_lock(&slot->irq_lock);
    slot->interrupt_status = (slot->interrupt_status | set) & ~clear;
    irq_set(&slot->irq, slot->interrupt_status != 0);
    pthread_mutex_unlock(&slot->irq_lock);
}

static void interrupt_queue(void *ctx, unsigned queue)
{
    set_interrupt(ctx, INTERRUPT_QUEUE, 0);
}

static void interrupt_config(void *ctx)
{
    set_interrupt(ctx, INTERRUPT_CONFIG, 0);
}

static const struct virtio_transport_ops transport_ops = {interrupt_queue, interrupt_config};

/* --- registers; `number` is the offset divided by four --- */

static uint32_t read_device_id(struct virtio_mmio *slot, unsigned number)
{
    return slot->dev ? slot->dev->ops->device_id : 0;
}

static uint32_t read_constant(struct virtio_mmio *slot, unsigned number)
{
    static const uint32_t values[] = {[0] = MAGIC, [1] = VERSION, [3] = VENDOR};
    return values[number];
}

/* Section 4.2.2: the length and base of a shared memory region that is not there. */
static uint32_t read_all_ones(struct virtio_mmio *slot, unsigned number)
{
    return UINT32_MAX;
}

static uint32_t read_features(struct virtio_mmio *slot, unsigned number)
{
    return virtio_device_features(slot->dev, slot->device_features_half);
}

static void write_features_half(struct virtio_mmio *slot, unsigned number, uint32_t value)
{
    slot->device_features_half = value;
}

static void write_driver_features(struct virtio_mmio *slot, unsigned number, uint32_t value)
{
    virtio_device_accept_features(slot->dev, slot->driver_features_half, value);
}

static void write_driver_features_half(struct virtio_mmio *slot, unsigned number, uint32_t value)
{
    slot->driver_features_half = value;
}

static void write_queue_selected(struct virtio_mmio *slot, unsigned number, uint32_t value)
{
    slot->queue_selected = value;
}

static uint32_t read_queue_size_max(struct virtio_mmio *slot, unsigned number)
{
    return virtio_device_queue(slot->dev, slot->queue_selected).size_max;
}

static void write_queue_size(struct virtio_mmio *slot, unsigned number, uint32_t value)
{
    virtio_device_set_queue_size(slot->dev, slot->queue_selected, value);
}

/* 0x80 descriptors, 0x90 driver, 0xa0 device; the high half follows the low one. */
static void write_queue_address(struct virtio_mmio *slot, unsigned number, uint32_t value)
{
    virtio_device_set_queue_area(slot->dev, slot->queue_selected, (number - 0x80 / 4) / 4,
                                 number & 1, value);
}

static uint32_t read_queue_ready(struct virtio_mmio *slot, unsigned number)
{
    return virtio_device_queue(slot->dev, slot->queue_selected).enabled;
}

static void write_queue_ready(struct virtio_mmio *slot, unsigned number, uint32_t value)
{
    virtio_device_enable_queue(slot->dev, slot->queue_selected, value & 1);
}

static void write_queue_notify(struct virtio_mmio *slot, unsigned number, uint32_t value)
{
    virtio_device_kick(slot->dev, value);
}

static uint32_t read_interrupt_status(struct virtio_mmio *slot, unsigned number)
{
    pthread_mutex_lock(&slot->irq_lock);
    uint32_t status = slot->interrupt_status;
    pthread_mutex_unlock(&slot->irq_lock);
    return status;
}

static void write_interrupt_ack(struct virtio_mmio *slot, unsigned number, uint32_t value)
{
    set_interrupt(slot, 0, value);
}

static uint32_t read_status(struct virtio_mmio *slot, unsigned number)
{
    return virtio_device_status(slot->dev);
}

static void write_status(struct virtio_mmio *slot, unsigned number, uint32_t value)
{
    virtio_device_set_status(slot->dev, (uint8_t)value);
    if ((uint8_t)value == 0)
        set_interrupt(slot, 0, ~0u); /* section 4.2.2.1 */
}

static uint32_t read_config_generation(struct virtio_mmio *slot, unsigned number)
{
    return virtio_device_config_generation(slot->dev);
}

/* clang-format off */
static const struct mmio_register registers[REGISTER_COUNT] = {
    [0x000 / 4] = {read_constant,          NULL},                       /* MagicValue */
    [0x004 / 4] = {read_constant,          NULL},                       /* Version */
    [0x008 / 4] = {read_device_id,         NULL},                       /* DeviceID */
    [0x00c / 4] = {read_constant,          NULL},                       /* VendorID */
    [0x010 / 4] = {read_features,          NULL},                       /* DeviceFeatures */
    [0x014 / 4] = {NULL,                   write_features_half},        /* DeviceFeaturesSel */
    [0x020 / 4] = {NULL,                   write_driver_features},      /* DriverFeatures */
    [0x024 / 4] = {NULL,                   write_driver_features_half}, /* DriverFeaturesSel */
    [0x030 / 4] = {NULL,                   write_queue_selected},       /* QueueSel */
    [0x034 / 4] = {read_queue_size_max,    NULL},                       /* QueueNumMax */
    [0x038 / 4] = {NULL,                   write_queue_size},           /* QueueNum */
    [0x044 / 4] = {read_queue_ready,       write_queue_ready},          /* QueueReady */
    [0x050 / 4] = {NULL,                   write_queue_notify},         /* QueueNotify */
    [0x060 / 4] = {read_interrupt_status,  NULL},                       /* InterruptStatus */
    [0x064 / 4] = {NULL,                   write_interrupt_ack},        /* InterruptACK */
    [0x070 / 4] = {read_status,            write_status},               /* Status */
    [0x080 / 4] = {NULL,                   write_queue_address},        /* QueueDescLow */
    [0x084 / 4] = {NULL,                   write_queue_address},        /* QueueDescHigh */
    [0x090 / 4] = {NULL,                   write_queue_address},        /* QueueDriverLow */
    [0x094 / 4] = {NULL,                   write_queue_address},        /* QueueDriverHigh */
    [0x0a0 / 4] = {NULL,                   write_queue_address},        /* QueueDeviceLow */
    [0x0a4 / 4] = {NULL,                   write_queue_address},        /* QueueDeviceHigh */
    [0x0b0 / 4] = {read_all_ones,          NULL},                       /* SHMLenLow */
    [0x0b4 / 4] = {read_all_ones,          NULL},                       /* SHMLenHigh */
    [0x0b8 / 4] = {read_all_ones,          NULL},                       /* SHMBaseLow */
    [0x0bc / 4] = {read_all_ones,          NULL},                       /* SHMBaseHigh */
    [0x0fc / 4] = {read_config_generation, NULL},                       /* ConfigGeneration */
};
/* clang-format on */

/* The register at `offset`, or NULL: section 4.2.2.2 asks for aligned accesses of 32 bits. An empty
 * slot has only the four that identify it. */
static const struct mmio_register *find_register(const struct virtio_mmio *slot, uint64_t offset,
                                                 unsigned size_bytes)
{
    if (size_bytes != 4 || offset % 4 || (!slot->dev && offset >= 0x10))
        return NULL;
    return &registers[offset / 4];
}

static uint64_t mmio_read(void *ctx, uint64_t offset, unsigned size_bytes)
{
    struct virtio_mmio *slot = ctx;
    if (offset >= CONFIG_OFFSET)
        return slot->dev ? virtio_device_config_read(slot->dev, (uint32_t)offset - CONFIG_OFFSET,
                                                     size_bytes)
                         : 0;
    const struct mmio_register *r = find_register(slot, offset, size_bytes);
    return r && r->read ? r->read(slot, (unsigned)offset / 4) : 0;
}

static void mmio_write(void *ctx, uint64_t offset, unsigned size_bytes, uint64_t value)
{
    struct virtio_mmio *slot = ctx;
    if (offset >= CONFIG_OFFSET) {
        if (slot->dev)
            virtio_device_config_write(slot->dev, (uint32_t)offset - CONFIG_OFFSET, size_bytes,
                                       value);
        return;
    }
    const struct mmio_register *r = find_register(slot, offset, size_bytes);
    if (r && r->write)
        r->write(slot, (unsigned)offset / 4, (uint32_t)value);
}

static const struct bus_device_ops mmio_ops = {mmio_read, mmio_write};

int virtio_mmio_new(struct virtio_device *dev, struct bus *bus, uint64_t base, struct irq_line irq,
                    struct virtio_mmio **ret_slot, struct err *e)
{
    struct virtio_mmio *slot = calloc(1, sizeof(*slot));
    if (!slot)
        abort();
    slot->dev = dev;
    slot->irq = irq;
    pthread_mutex_init(&slot->irq_lock, NULL);
    if (dev)
        virtio_device_set_transport(dev, &transport_ops, slot);
    int r = bus_add(bus, "virtio-mmio", base, VIRTIO_MMIO_BYTES, &mmio_ops, slot, e);
    if (r < 0) {
        virtio_mmio_free(slot);
        return r;
    }
    *ret_slot = slot;
    return 0;
}

void virtio_mmio_free(struct virtio_mmio *slot)
{
    if (!slot)
        return;
    virtio_device_free(slot->dev);
    pthread_mutex_destroy(&slot->irq_lock);
    free(slot);
}

void virtio_mmio_reset(struct virtio_mmio *slot)
{
    if (slot->dev)
        write_status(slot, 0x70 / 4, 0);
    slot->device_features_half = slot->driver_features_half = slot->queue_selected = 0;
}
