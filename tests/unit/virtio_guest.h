/* virtio_guest.h: a driver's side of virtio for tests: RAM, a bus, a device, and rings filled by
 * hand. The event loop runs on a thread of its own, as in a machine.
 *
 * The device is behind virtio-mmio, or behind virtio-pci where the variable PENG_TEST_VIRTIO is
 * "pci". Tests name registers by their place in virtio-mmio either way.
 */
#ifndef PENG_TESTS_UNIT_VIRTIO_GUEST_H
#define PENG_TESTS_UNIT_VIRTIO_GUEST_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/evloop.h"
#include "core/device/bus.h"
#include "core/device/virtio/device.h"
#include "core/device/virtio/transport_mmio.h"
#include "core/device/virtio/transport_pci.h"
#include "core/memory/guestmem.h"

#define GUEST_RAM_BASE  0x40000000ull
#define GUEST_RAM_BYTES (16ull << 20)
#define GUEST_HEAP      (GUEST_RAM_BASE + 0x200000)
#define GUEST_MMIO      0x0a000000ull
#define GUEST_PCI_LOW   0x10000000ull /* the first BAR is here */
#define GUEST_ECAM      0x20000000ull

enum { DESC_NEXT = 1, DESC_WRITE = 2, DESC_INDIRECT = 4 };

struct guest_queue {
    uint64_t desc, avail, used; /* guest-physical */
    uint16_t size;
    uint16_t next_desc, next_avail, seen_used;
};

/* What virtio-pci asked the kernel to watch. */
struct guest_doorbell {
    uint64_t address;
    unsigned size_bytes;
    int fd;
};

struct guest {
    struct guestmem mem;
    struct bus bus;
    struct evloop *loop;
    pthread_t thread;
    bool loop_runs;
    struct virtio_env env;
    struct virtio_mmio *slot;
    struct pci_host *host; /* NULL: virtio-mmio */
    struct virtio_pci *function;
    struct guest_doorbell doorbells[VIRTIO_QUEUES_MAX];
    unsigned doorbell_count;
    atomic_bool irq_level;
    atomic_uint irq_count; /* rising edges */
    struct guest_queue queues[VIRTIO_QUEUES_MAX];
    uint64_t heap; /* next free guest-physical byte */
};

struct guest_buffer {
    uint64_t address;
    uint32_t size_bytes;
    bool write;
};

/* Memory, bus and loop; then the test makes its device from g->env. */
void guest_init(struct guest *g);
/* Puts the device on the bus, negotiates (all that is offered and in `features`), sets up
 * `queue_count` queues of `size`, sets DRIVER_OK and starts the loop's thread. */
void guest_start(struct guest *g, struct virtio_device *dev, uint64_t features,
                 unsigned queue_count, uint16_t size);
/* The driver's part of guest_start() alone; also after a reset. */
void guest_negotiate(struct guest *g, uint64_t features, unsigned queue_count, uint16_t size);
void guest_run_loop(struct guest *g);
void guest_stop_loop(struct guest *g);
void guest_done(struct guest *g);

/* Registers that virtio-pci has not read as zero there. */
uint32_t guest_reg(struct guest *g, uint32_t offset);
void guest_set_reg(struct guest *g, uint32_t offset, uint32_t value);

void *guest_host(struct guest *g, uint64_t address);
uint64_t guest_alloc(struct guest *g, uint32_t size_bytes);
/* As guest_alloc, filled. */
uint64_t guest_copy(struct guest *g, const void *data, uint32_t size_bytes);
void guest_desc(struct guest *g, uint64_t table, uint16_t index, uint64_t address, uint32_t size,
                uint16_t flags, uint16_t next);
/* Appends a head to the available ring and shows it. */
void guest_offer(struct guest *g, unsigned queue, uint16_t head);
/* A chain of buffers in fresh descriptors; returns its head. Does not notify. */
uint16_t guest_add(struct guest *g, unsigned queue, const struct guest_buffer *buffers,
                   unsigned count);
void guest_notify(struct guest *g, unsigned queue);
/* Waits for the next used entry; false after two seconds. */
bool guest_wait_used(struct guest *g, unsigned queue, uint16_t *ret_head, uint32_t *ret_written);
/* guest_add, notify, wait; returns the count of bytes written. */
uint32_t guest_do(struct guest *g, unsigned queue, const struct guest_buffer *buffers,
                  unsigned count);
/* Waits until `bit` is set in the status register; false after two seconds. */
bool guest_wait_status(struct guest *g, uint32_t bit);

#endif
