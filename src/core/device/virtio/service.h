/* service.h: virtio devices whose requests sleep and are answered one after the other (file
 * servers).
 *
 * Requests of all queues are handled in order on one worker thread. The handler alone touches the
 * server's state; it needs no lock, and file systems that sleep hold up nobody else.
 */
#ifndef PENG_CORE_DEVICE_VIRTIO_SERVICE_H
#define PENG_CORE_DEVICE_VIRTIO_SERVICE_H

#include "base/workpool.h"
#include "core/device/virtio/device.h"

/* Guest memory: bytes may change while they are looked at. */
struct service_request {
    const struct iovec *readable, *writable;
    unsigned readable_count, writable_count;
    uint64_t readable_bytes, writable_bytes;
};

struct service_job;

/* The base of such a device: first member of its own struct. */
struct virtio_service {
    struct virtio_device dev;
    /* On the worker's thread. Returns how many bytes it wrote. */
    size_t (*handle)(struct virtio_service *s, const struct service_request *request);
    /* Requests outside of these break the queue. */
    uint64_t readable_min, readable_max, writable_min;
    struct workpool *pool;
    struct service_job *free_jobs;
};

/* After the caller has filled in handle and limits. The ops' work is virtio_service_work, its reset
 * begins with virtio_service_drain. */
int virtio_service_init(struct virtio_service *s, const struct virtio_ops *ops,
                        const struct virtio_env *env, uint64_t features, void *config,
                        uint32_t config_size, struct err *e);
void virtio_service_done(struct virtio_service *s);
void virtio_service_work(struct virtio_device *dev, unsigned queue);
/* Returns when the worker is idle; from then on the caller may touch the server's state. */
void virtio_service_drain(struct virtio_service *s);

#endif
