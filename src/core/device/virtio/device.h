/* device.h: what all virtio devices share (virtio 1.2, chapter 2): status, features, configuration
 * space, queues; nothing of any transport.
 *
 * Threads: register accesses come on vCPU threads, queue work is done on the event loop's thread,
 * both under the device's lock. virtio_device_kick() takes no lock: it leaves a mark and wakes the
 * loop. Lock order: device, then interrupt controller.
 */
#ifndef PENG_CORE_DEVICE_VIRTIO_DEVICE_H
#define PENG_CORE_DEVICE_VIRTIO_DEVICE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/evloop.h"
#include "base/log.h"
#include "core/device/virtio/queue.h"
#include "base/trace.h"
#include "core/memory/guestmem.h"

enum { VIRTIO_QUEUES_MAX = 8 };

/* Device status bits, section 2.1. */
enum {
    VIRTIO_STATUS_ACKNOWLEDGE = 1,
    VIRTIO_STATUS_DRIVER = 2,
    VIRTIO_STATUS_DRIVER_OK = 4,
    VIRTIO_STATUS_FEATURES_OK = 8,
    VIRTIO_STATUS_NEEDS_RESET = 64,
    VIRTIO_STATUS_FAILED = 128,
};

/* The areas of a queue, section 2.6. */
enum virtio_queue_area {
    VIRTIO_QUEUE_DESC,
    VIRTIO_QUEUE_DRIVER,
    VIRTIO_QUEUE_DEVICE,
    VIRTIO_QUEUE_AREAS
};

/* Feature bits of every device, section 6. */
#define VIRTIO_F_INDIRECT_DESC (1ull << 28)
#define VIRTIO_F_EVENT_IDX     (1ull << 29)
#define VIRTIO_F_VERSION_1     (1ull << 32)

/* What a device gets from the board; everything is borrowed and outlives it. */
struct virtio_env {
    struct guestmem *mem;
    struct evloop *loop;
    const struct log *log;     /* may be NULL */
    const struct trace *trace; /* may be NULL */
};

struct virtio_device;

/* One kind of device. All are called with the device's lock held, free without it. */
struct virtio_ops {
    const char *name;
    uint32_t device_id; /* chapter 5 */
    /* Work may wait in `queue`. On the loop's thread, only between DRIVER_OK and reset. */
    void (*work)(struct virtio_device *dev, unsigned queue);
    /* The driver wrote within the configuration space; NULL ignores it. */
    void (*config_write)(struct virtio_device *dev, uint32_t offset, unsigned size_bytes,
                         uint64_t value);
    /* DRIVER_OK was set; NULL where there is nothing to do. */
    void (*start)(struct virtio_device *dev);
    /* Returns when nothing touches guest memory any more; NULL where nothing is in flight. */
    void (*reset)(struct virtio_device *dev);
    /* Ends the device and frees the memory around `dev`. The event loop no longer runs. */
    void (*free)(struct virtio_device *dev);
};

/* What a transport gives to its device. */
struct virtio_transport_ops {
    void (*interrupt_queue)(void *ctx, unsigned queue);
    void (*interrupt_config)(void *ctx);
};

/* The base of every device: first member of the kind's own struct. */
struct virtio_device {
    const struct virtio_ops *ops;
    struct virtio_env env;
    pthread_mutex_t lock;
    uint8_t status;
    uint64_t features_offered, features;
    bool started;      /* DRIVER_OK and nothing broken */
    unsigned lifetime; /* counts resets: a request from before one is not answered */
    uint32_t config_generation;
    uint8_t *config; /* the kind's configuration struct, little-endian; borrowed */
    uint32_t config_size;
    struct virtqueue queues[VIRTIO_QUEUES_MAX];
    unsigned queue_count;
    unsigned failures; /* times the driver broke it, for the log's limit */

    const struct virtio_transport_ops *transport;
    void *transport_ctx;

    atomic_uint kicked;       /* a bit a queue */
    atomic_bool kicked_by_fd; /* kicks may come without a bit */
    int kick_fd;
    struct evsource *kick_source;
};

/* --- for the board and the transports --- */

/* Ends a device that no transport owns; NULL is a no-op. The event loop must not run any more. */
void virtio_device_free(struct virtio_device *dev);
void virtio_device_set_transport(struct virtio_device *dev,
                                 const struct virtio_transport_ops *transport, void *ctx);
/* Section 2.1: driver's writes to the status register; 0 resets and returns when that is done. */
void virtio_device_set_status(struct virtio_device *dev, uint8_t status);
uint8_t virtio_device_status(struct virtio_device *dev);
/* Half 0 or 1 of the 64 feature bits; reads of others give 0. */
uint32_t virtio_device_features(struct virtio_device *dev, uint32_t half);
uint32_t virtio_device_accepted_features(struct virtio_device *dev, uint32_t half);
void virtio_device_accept_features(struct virtio_device *dev, uint32_t half, uint32_t value);
/* Tells the device that a queue has work: lock-free, from any thread. */
void virtio_device_kick(struct virtio_device *dev, uint32_t queue);
/* An eventfd, the device's, that a write to counts as a kick of every queue: for kernels that turn
 * a guest's write into one. */
int virtio_device_kick_fd(struct virtio_device *dev);
void virtio_device_enable_queue(struct virtio_device *dev, unsigned queue, bool enable);
/* What the driver set a queue up with. Queues that are not there read as zero; size and areas are
 * the driver's only while the queue is not enabled. Sizes are checked when it is enabled. */
struct virtio_queue_state {
    uint16_t size_max, size;
    bool enabled;
    uint64_t areas[VIRTIO_QUEUE_AREAS]; /* guest-physical */
};
struct virtio_queue_state virtio_device_queue(struct virtio_device *dev, unsigned queue);
void virtio_device_set_queue_size(struct virtio_device *dev, unsigned queue, uint32_t size);
/* Half 0 or 1 of an area's address. */
void virtio_device_set_queue_area(struct virtio_device *dev, unsigned queue,
                                  enum virtio_queue_area area, unsigned half, uint32_t value);
uint32_t virtio_device_config_generation(struct virtio_device *dev);
/* Sizes 1, 2, 4 and 8; beyond the end reads give 0 and writes do nothing. */
uint64_t virtio_device_config_read(struct virtio_device *dev, uint32_t offset, unsigned size_bytes);
void virtio_device_config_write(struct virtio_device *dev, uint32_t offset, unsigned size_bytes,
                                uint64_t value);

/* --- for the kinds of devices --- */

/* Fills *dev. `config` has config_size bytes and lives as long as the device. */
int virtio_device_init(struct virtio_device *dev, const struct virtio_ops *ops,
                       const struct virtio_env *env, uint64_t features, void *config,
                       uint32_t config_size, struct err *e);
void virtio_device_done(struct virtio_device *dev);
/* Adds the next queue. */
void virtio_device_add_queue(struct virtio_device *dev, uint16_t size_max);
/* Lock held: configuration space changed; interrupts the driver. */
void virtio_device_config_changed(struct virtio_device *dev);
/* Lock held: DEVICE_NEEDS_RESET, all queues stop. */
void virtio_device_fail(struct virtio_device *dev, const char *why);

static inline bool virtio_has(const struct virtio_device *dev, uint64_t feature)
{
    return dev->features & feature;
}

/* Lock held, on the loop's thread: hands each waiting request to `handle`, which pushes it now or
 * later; then flushes the queue. Does a bounded part of the work at a time and kicks itself for the
 * rest, so that no driver holds the I/O thread. */
void virtio_device_serve(struct virtio_device *dev, unsigned queue,
                         void (*handle)(struct virtio_device *dev, struct virtqueue *q,
                                        struct vq_chain *chain));

#endif
