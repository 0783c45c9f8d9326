/* transport_pci.c: virtio over PCI (virtio 1.2, section 4.1): one BAR with the common
 * configuration, doorbells, interrupt status, the device's own configuration, and the MSI-X table;
 * capabilities say where each is, and one more reaches all of it through configuration space.
 *
 * A table maps fields of the common configuration to handlers, by 16 bits. A queue's doorbell is
 * its own word, so ringing needs no lock and no look at what was written. Vectors are atomic words:
 * the I/O thread interrupts while a vCPU sets them.
 *
 * Limits: no legacy interface (the devices are "non-transitional"), no shared memory regions, no
 * per-queue reset, no notification data; a driver that clears Bus Master Enable stops messages, not
 * the queues.
 */
#include "core/device/virtio/transport_pci.h"

#include <assert.h>
#include <stdlib.h>

#include "base/bytes.h"

enum {
    VENDOR = 0x1af4,
    DEVICE_BASE = 0x1040, /* + virtio device ID, section 4.1.2.1 */
    REVISION = 1,
    BAR = 0,
    BLOCK_BYTES = 0x1000, /* each structure has a page of the BAR */
    COMMON_BYTES = 56,
    DOORBELL_BYTES = 2, /* the queue's number, section 4.1.5.2 */

    CAPABILITY_VENDOR = 9,
    ISR_QUEUE = 1,
    ISR_CONFIG = 2,
    NO_VECTOR = 0xffff,
};

/* cfg_type, section 4.1.4. */
enum { TYPE_COMMON = 1, TYPE_NOTIFY = 2, TYPE_ISR = 3, TYPE_DEVICE = 4, TYPE_PCI = 5 };

/* struct virtio_pci_cap behind its ID and link, and what follows it in some. */
struct capability {
    uint8_t length, type, bar, id, padding[2];
    uint8_t offset[4], size[4], more[4]; /* little-endian */
};
enum { CAP_SHORT = 14, CAP_LONG = 18 };
static_assert(sizeof(struct capability) == CAP_LONG, "virtio 1.2, section 4.1.4");
/* Offsets in configuration space from the capability's start. */
enum { CAP_BAR = 4, CAP_OFFSET = 8, CAP_SIZE = 12, CAP_DATA = 16 };

struct virtio_pci {
    struct virtio_device *dev;
    struct pci_function *function;
    uint64_t bar_address;       /* or PCI_UNMAPPED */
    unsigned access_capability; /* offset of the one of TYPE_PCI */
    /* selectors, any value: checked where used */
    atomic_uint device_features_half, driver_features_half, queue_selected;
    _Atomic uint16_t config_vector, queue_vectors[VIRTIO_QUEUES_MAX];
    pthread_mutex_t isr_lock; /* before the function's interrupt lock */
    uint8_t isr;
};

/* --- interrupts, section 4.1.5 -----------------------------------------------------------------
 */

static void set_isr(struct virtio_pci *pci, uint8_t set)
{
    pthread_mutex_lock(&pci->isr_lock);
    pci->isr |= set;
    pci_intx_set(pci->function, true);
    pthread_mutex_unlock(&pci->isr_lock);
}

static uint8_t take_isr(struct virtio_pci *pci)
{
    pthread_mutex_lock(&pci->isr_lock);
    uint8_t isr = pci->isr;
    pci->isr = 0;
    pci_intx_set(pci->function, false);
    pthread_mutex_unlock(&pci->isr_lock);
    return isr;
}

static void interrupt_queue(void *ctx, unsigned queue)
{
    struct virtio_pci *pci = ctx;
    if (pci_msix_enabled(pci->function))
        pci_msix_raise(pci->function, pci->queue_vectors[queue]);
    else
        set_isr(pci, ISR_QUEUE);
}

/* Section 4.1.4.5.1: the configuration bit is set in either case. */
static void interrupt_config(void *ctx)
{
    struct virtio_pci *pci = ctx;
    set_isr(pci, ISR_CONFIG);
    pci_msix_raise(pci->function, pci->config_vector);
}

static const struct virtio_transport_ops transport_ops = {interrupt_queue, interrupt_config};

/* --- common configuration, section 4.1.4.3; `at` is the offset ---------------------------------
 */

struct field {
    uint8_t size_bytes; /* 0: within another, or reserved */
    uint32_t (*read)(struct virtio_pci *pci, unsigned at);
    void (*write)(struct virtio_pci *pci, unsigned at, uint32_t value);
};

static uint32_t read_device_half(struct virtio_pci *pci, unsigned at)
{
    return pci->device_features_half;
}

static void write_device_half(struct virtio_pci *pci, unsigned at, uint32_t value)
{
    pci->device_features_half = value;
}

static uint32_t read_device_features(struct virtio_pci *pci, unsigned at)
{
    return virtio_device_features(pci->dev, pci->device_features_half);
}

static uint32_t read_driver_half(struct virtio_pci *pci, unsigned at)
{
    return pci->driver_features_half;
}

static void write_driver_half(struct virtio_pci *pci, unsigned at, uint32_t value)
{
    pci->driver_features_half = value;
}

static uint32_t read_driver_features(struct virtio_pci *pci, unsigned at)
{
    return virtio_device_accepted_features(pci->dev, pci->driver_features_half);
}

static void write_driver_features(struct virtio_pci *pci, unsigned at, uint32_t value)
{
    virtio_device_accept_features(pci->dev, pci->driver_features_half, value);
}

/* A vector that is not there reads back as none: section 4.1.5.1.2. */
static uint16_t checked_vector(const struct virtio_pci *pci, uint32_t value)
{
    return value < pci_msix_vectors(pci->function) ? (uint16_t)value : NO_VECTOR;
}

static uint32_t read_config_vector(struct virtio_pci *pci, unsigned at)
{
    return pci->config_vector;
}

static void write_config_vector(struct virtio_pci *pci, unsigned at, uint32_t value)
{
    pci->config_vector = checked_vector(pci, value);
}

static uint32_t read_queue_count(struct virtio_pci *pci, unsigned at)
{
    return pci->dev->queue_count;
}

static uint32_t read_status(struct virtio_pci *pci, unsigned at)
{
    return virtio_device_status(pci->dev);
}

static void forget_driver(struct virtio_pci *pci)
{
    take_isr(pci);
    pci->config_vector = NO_VECTOR;
    for (unsigned i = 0; i < VIRTIO_QUEUES_MAX; i++)
        pci->queue_vectors[i] = NO_VECTOR;
}

static void write_status(struct virtio_pci *pci, unsigned at, uint32_t value)
{
    virtio_device_set_status(pci->dev, (uint8_t)value);
    if (value == 0)
        forget_driver(pci);
}

static uint32_t read_generation(struct virtio_pci *pci, unsigned at)
{
    return (uint8_t)virtio_device_config_generation(pci->dev);
}

static uint32_t read_queue_selected(struct virtio_pci *pci, unsigned at)
{
    return pci->queue_selected;
}

static void write_queue_selected(struct virtio_pci *pci, unsigned at, uint32_t value)
{
    pci->queue_selected = value;
}

/* Section 4.1.4.3: until the driver writes it, the size is the largest the device takes. */
static uint32_t read_queue_size(struct virtio_pci *pci, unsigned at)
{
    return virtio_device_queue(pci->dev, pci->queue_selected).size;
}

static void write_queue_size(struct virtio_pci *pci, unsigned at, uint32_t value)
{
    virtio_device_set_queue_size(pci->dev, pci->queue_selected, value);
}

static uint32_t read_queue_vector(struct virtio_pci *pci, unsigned at)
{
    unsigned queue = pci->queue_selected;
    return queue < pci->dev->queue_count ? pci->queue_vectors[queue] : NO_VECTOR;
}

static void write_queue_vector(struct virtio_pci *pci, unsigned at, uint32_t value)
{
    unsigned queue = pci->queue_selected;
    if (queue < pci->dev->queue_count)
        pci->queue_vectors[queue] = checked_vector(pci, value);
}

static uint32_t read_queue_enable(struct virtio_pci *pci, unsigned at)
{
    return virtio_device_queue(pci->dev, pci->queue_selected).enabled;
}

/* Section 4.1.4.3.2: the driver must not write 0. */
static void write_queue_enable(struct virtio_pci *pci, unsigned at, uint32_t value)
{
    if (value == 1)
        virtio_device_enable_queue(pci->dev, pci->queue_selected, true);
}

/* In units of notify_off_multiplier. */
static uint32_t read_notify_offset(struct virtio_pci *pci, unsigned at)
{
    unsigned queue = pci->queue_selected;
    return queue < pci->dev->queue_count ? queue : 0;
}

enum { AREAS = 32 }; /* descriptors, driver, device: 64 bits each, in two halves */

static uint32_t read_area(struct virtio_pci *pci, unsigned at)
{
    struct virtio_queue_state state = virtio_device_queue(pci->dev, pci->queue_selected);
    return (uint32_t)(state.areas[(at - AREAS) / 8] >> (at % 8 * 8));
}

static void write_area(struct virtio_pci *pci, unsigned at, uint32_t value)
{
    virtio_device_set_queue_area(pci->dev, pci->queue_selected, (at - AREAS) / 8, at / 4 & 1,
                                 value);
}

/* By offset; 20 and 21 are the only odd ones, so bytes are the unit. */
static const struct field common_fields[COMMON_BYTES] = {
    [0] = {4, read_device_half, write_device_half},
    [4] = {4, read_device_features, NULL},
    [8] = {4, read_driver_half, write_driver_half},
    [12] = {4, read_driver_features, write_driver_features},
    [16] = {2, read_config_vector, write_config_vector},
    [18] = {2, read_queue_count, NULL},
    [20] = {1, read_status, write_status},
    [21] = {1, read_generation, NULL},
    [22] = {2, read_queue_selected, write_queue_selected},
    [24] = {2, read_queue_size, write_queue_size},
    [26] = {2, read_queue_vector, write_queue_vector},
    [28] = {2, read_queue_enable, write_queue_enable},
    [30] = {2, read_notify_offset, NULL},
    [32] = {4, read_area, write_area},
    [36] = {4, read_area, write_area},
    [40] = {4, read_area, write_area},
    [44] = {4, read_area, write_area},
    [48] = {4, read_area, write_area},
    [52] = {4, read_area, write_area},
};

/* Section 4.1.3.1: a field is accessed by its own width; 64-bit ones in halves. Others find
 * nothing. */
static const struct field *find_field(uint64_t at, unsigned size_bytes)
{
    return at < COMMON_BYTES && common_fields[at].size_bytes == size_bytes ? &common_fields[at]
                                                                           : NULL;
}

static uint64_t common_read(struct virtio_pci *pci, uint64_t at, unsigned size_bytes)
{
    const struct field *f = find_field(at, size_bytes);
    return f ? f->read(pci, (unsigned)at) : 0;
}

static void common_write(struct virtio_pci *pci, uint64_t at, unsigned size_bytes, uint64_t value)
{
    const struct field *f = find_field(at, size_bytes);
    if (f && f->write)
        f->write(pci, (unsigned)at, (uint32_t)value);
}

/* --- the other structures; offsets within each -------------------------------------------------
 */

static uint64_t isr_read(struct virtio_pci *pci, uint64_t at, unsigned size_bytes)
{
    return at == 0 ? take_isr(pci) : 0;
}

static uint64_t config_read(struct virtio_pci *pci, uint64_t at, unsigned size_bytes)
{
    return virtio_device_config_read(pci->dev, (uint32_t)at, size_bytes);
}

static void config_write(struct virtio_pci *pci, uint64_t at, unsigned size_bytes, uint64_t value)
{
    virtio_device_config_write(pci->dev, (uint32_t)at, size_bytes, value);
}

static void notify_write(struct virtio_pci *pci, uint64_t at, unsigned size_bytes, uint64_t value)
{
    virtio_device_kick(pci->dev, (uint32_t)at / VIRTIO_PCI_NOTIFY_STEP);
}

static uint64_t table_read(struct virtio_pci *pci, uint64_t at, unsigned size_bytes)
{
    return pci_msix_table_read(pci->function, at, size_bytes);
}

static void table_write(struct virtio_pci *pci, uint64_t at, unsigned size_bytes, uint64_t value)
{
    pci_msix_table_write(pci->function, at, size_bytes, value);
}

static uint64_t pending_read(struct virtio_pci *pci, uint64_t at, unsigned size_bytes)
{
    return pci_msix_pending_read(pci->function, at, size_bytes);
}

/* One a page of the BAR. */
static const struct block {
    uint64_t (*read)(struct virtio_pci *pci, uint64_t at, unsigned size_bytes);
    void (*write)(struct virtio_pci *pci, uint64_t at, unsigned size_bytes, uint64_t value);
} blocks[VIRTIO_PCI_BAR_BYTES / BLOCK_BYTES] = {
    [VIRTIO_PCI_COMMON / BLOCK_BYTES] = {common_read, common_write},
    [VIRTIO_PCI_ISR / BLOCK_BYTES] = {isr_read, NULL},
    [VIRTIO_PCI_CONFIG / BLOCK_BYTES] = {config_read, config_write},
    [VIRTIO_PCI_NOTIFY / BLOCK_BYTES] = {NULL, notify_write},
    [VIRTIO_PCI_MSIX_TABLE / BLOCK_BYTES] = {table_read, table_write},
    [VIRTIO_PCI_MSIX_PENDING / BLOCK_BYTES] = {pending_read, NULL},
};

static uint64_t bar_read(void *ctx, uint64_t offset, unsigned size_bytes)
{
    const struct block *b = &blocks[offset / BLOCK_BYTES];
    return b->read ? b->read(ctx, offset % BLOCK_BYTES, size_bytes) : 0;
}

static void bar_write(void *ctx, uint64_t offset, unsigned size_bytes, uint64_t value)
{
    const struct block *b = &blocks[offset / BLOCK_BYTES];
    if (b->write)
        b->write(ctx, offset % BLOCK_BYTES, size_bytes, value);
}

static const struct bus_device_ops bar_ops = {bar_read, bar_write};

/* --- access through configuration space, section 4.1.4.9 ---------------------------------------
 */

/* Whether an access to configuration space touches the data field, and what it then stands for. */
static bool indirect_access(struct virtio_pci *pci, unsigned at, unsigned size_bytes, uint8_t *bar,
                            uint32_t *offset, uint32_t *length)
{
    unsigned data = pci->access_capability + CAP_DATA;
    if (at >= data + 4 || at + size_bytes <= data)
        return false;
    const uint8_t *cap = pci_config_bytes(pci->function) + pci->access_capability;
    *bar = cap[CAP_BAR];
    *offset = (uint32_t)load_le(cap + CAP_OFFSET, 4);
    *length = (uint32_t)load_le(cap + CAP_SIZE, 4);
    return (*length == 1 || *length == 2 || *length == 4) && *offset % *length == 0;
}

static void on_config_read(void *ctx, unsigned at, unsigned size_bytes)
{
    struct virtio_pci *pci = ctx;
    uint8_t bar;
    uint32_t offset, length;
    if (indirect_access(pci, at, size_bytes, &bar, &offset, &length))
        store_le(pci_config_bytes(pci->function) + pci->access_capability + CAP_DATA, length,
                 pci_bar_read(pci->function, bar, offset, length));
}

static void on_config_written(void *ctx, unsigned at, unsigned size_bytes)
{
    struct virtio_pci *pci = ctx;
    uint8_t bar;
    uint32_t offset, length;
    if (indirect_access(pci, at, size_bytes, &bar, &offset, &length))
        pci_bar_write(
            pci->function, bar, offset, length,
            load_le(pci_config_bytes(pci->function) + pci->access_capability + CAP_DATA, length));
}

static void set_doorbells(struct virtio_pci *pci, bool on)
{
    if (!pci_has_doorbells(pci->function))
        return;
    int fd = virtio_device_kick_fd(pci->dev);
    for (unsigned i = 0; i < pci->dev->queue_count; i++)
        pci_set_doorbell(pci->function,
                         pci->bar_address + VIRTIO_PCI_NOTIFY + i * VIRTIO_PCI_NOTIFY_STEP,
                         DOORBELL_BYTES, fd, on);
}

/* The doorbells go with the BAR. Those that the engine does not take are writes as all others. */
static void on_moved(void *ctx, unsigned bar, uint64_t address)
{
    struct virtio_pci *pci = ctx;
    if (pci->bar_address != PCI_UNMAPPED)
        set_doorbells(pci, false);
    pci->bar_address = address;
    if (address != PCI_UNMAPPED)
        set_doorbells(pci, true);
}

static const struct pci_function_ops function_ops = {on_config_read, on_config_written, on_moved};

/* --- life cycle --------------------------------------------------------------------------------
 */

static void add_structure(struct pci_function *fn, uint8_t type, uint32_t offset,
                          uint32_t size_bytes)
{
    bool is_notify = type == TYPE_NOTIFY;
    uint8_t body_bytes = is_notify ? CAP_LONG : CAP_SHORT;
    struct capability cap = {.length = body_bytes + 2, .type = type, .bar = BAR};
    store_le(cap.offset, 4, offset);
    store_le(cap.size, 4, size_bytes);
    store_le(cap.more, 4, VIRTIO_PCI_NOTIFY_STEP);
    pci_add_capability(fn, CAPABILITY_VENDOR, &cap, NULL, body_bytes);
}

static void add_capabilities(struct virtio_pci *pci)
{
    struct pci_function *fn = pci->function;
    struct virtio_device *dev = pci->dev;
    add_structure(fn, TYPE_COMMON, VIRTIO_PCI_COMMON, COMMON_BYTES);
    add_structure(fn, TYPE_ISR, VIRTIO_PCI_ISR, 1);
    if (dev->config_size)
        add_structure(fn, TYPE_DEVICE, VIRTIO_PCI_CONFIG, dev->config_size);
    add_structure(fn, TYPE_NOTIFY, VIRTIO_PCI_NOTIFY, dev->queue_count * VIRTIO_PCI_NOTIFY_STEP);
    struct capability access = {.length = CAP_LONG + 2, .type = TYPE_PCI};
    struct capability writable = {.bar = 0xff,
                                  .offset = {0xff, 0xff, 0xff, 0xff},
                                  .size = {0xff, 0xff, 0xff, 0xff},
                                  .more = {0xff, 0xff, 0xff, 0xff}};
    pci->access_capability =
        pci_add_capability(fn, CAPABILITY_VENDOR, &access, &writable, CAP_LONG);
    /* a vector for each queue, one for the configuration */
    pci_add_msix(fn, BAR, dev->queue_count + 1, VIRTIO_PCI_MSIX_TABLE, VIRTIO_PCI_MSIX_PENDING);
}

/* PCI class by virtio device ID (PCI Code and ID Assignment 1.11). */
static uint32_t class_of(uint32_t device_id)
{
    static const uint32_t classes[] = {
        [1] = 0x020000,                  /* net: Ethernet controller */
        [2] = 0x010000,                  /* blk: storage, SCSI */
        [3] = 0x078000,                  /* console: other communication controller */
        [9] = 0x018000, [26] = 0x018000, /* 9p, fs: other mass storage */
    };
    static const uint32_t unclassified = 0x00ff00;
    return device_id < ARRAY_SIZE(classes) && classes[device_id] ? classes[device_id]
                                                                 : unclassified;
}

int virtio_pci_new(struct virtio_device *dev, struct pci_host *host, struct virtio_pci **ret_pci,
                   struct err *e)
{
    struct virtio_pci *pci = calloc(1, sizeof(*pci));
    if (!pci)
        abort();
    uint16_t device = (uint16_t)(DEVICE_BASE + dev->ops->device_id);
    const struct pci_identity identity = {
        .vendor = VENDOR,
        .device = device,
        .subsystem_vendor = VENDOR,
        .subsystem = device,
        .class_code = class_of(dev->ops->device_id),
        .revision = REVISION,
        .has_pin = true,
    };
    pci->dev = dev;
    pci->bar_address = PCI_UNMAPPED;
    pthread_mutex_init(&pci->isr_lock, NULL);
    pci->function = pci_function_new(&identity, &function_ops, pci);
    pci_add_bar(pci->function, BAR, VIRTIO_PCI_BAR_BYTES, true, &bar_ops, pci);
    add_capabilities(pci);
    forget_driver(pci);
    virtio_device_set_transport(dev, &transport_ops, pci);
    int rc = pci_host_plug(host, pci->function, e);
    if (rc < 0) {
        virtio_pci_free(pci);
        return rc;
    }
    *ret_pci = pci;
    return 0;
}

void virtio_pci_free(struct virtio_pci *pci)
{
    if (!pci)
        return;
    virtio_device_free(pci->dev);
    pci_function_free(pci->function);
    pthread_mutex_destroy(&pci->isr_lock);
    free(pci);
}

void virtio_pci_reset(struct virtio_pci *pci)
{
    virtio_device_set_status(pci->dev, 0);
    pci_function_reset(pci->function);
    forget_driver(pci);
    pci->device_features_half = pci->driver_features_half = pci->queue_selected = 0;
}
