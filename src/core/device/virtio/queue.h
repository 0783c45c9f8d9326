/* queue.h: split virtqueues (virtio 1.2, section 2.7), safe against a hostile driver.
 *
 * Used under the device's lock on the I/O thread. Whatever the driver gets wrong stops the queue
 * and is told to the owner once, who turns it into DEVICE_NEEDS_RESET; from then on the queue is
 * empty.
 */
#ifndef PENG_CORE_DEVICE_VIRTIO_QUEUE_H
#define PENG_CORE_DEVICE_VIRTIO_QUEUE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "core/memory/guestmem.h"

enum {
    VQ_SIZE_MAX = 256,  /* entries of the largest queue offered */
    VQ_CHAIN_MAX = 256, /* buffers in one chain, indirect ones counted: section 2.7.5.3.1 */
};

/* What a queue tells its owner; both may be called wherever a vq_ function is. */
struct vq_owner {
    void *ctx;
    void (*broken)(void *ctx, unsigned queue, const char *why);
    void (*interrupt)(void *ctx, unsigned queue);
};

struct virtqueue {
    struct guestmem *mem; /* borrowed */
    struct vq_owner owner;
    unsigned index;

    /* set by the driver through the transport, guest-physical */
    uint64_t desc_address, driver_address, device_address;
    uint16_t size;     /* a power of two, at most size_max */
    uint16_t size_max; /* 0: no such queue */
    bool enabled;
    bool broken;

    /* valid while enabled */
    bool event_idx, indirect; /* negotiated */
    const uint8_t *desc;
    uint8_t *avail, *used;
    uint16_t next_avail; /* free-running: the next entry of the available ring to take */
    uint16_t next_used;  /* free-running: where the next vq_push goes */
    uint16_t told_used;  /* next_used as the driver sees it */
    uint16_t in_flight;  /* popped and not pushed yet: at most size */
};

/* One request: buffers that the device reads, then buffers that it writes. Only the list is copied:
 * the bytes behind it stay the guest's, and may change at any time. */
struct vq_chain {
    uint16_t head;
    unsigned readable_count, writable_count;
    uint64_t readable_bytes, writable_bytes; /* together at most 4 GiB */
    struct iovec iov[VQ_CHAIN_MAX];          /* readable ones first */
};

static inline struct iovec *vq_chain_writable(struct vq_chain *chain)
{
    return chain->iov + chain->readable_count;
}

void vq_init(struct virtqueue *q, struct guestmem *mem, unsigned index, uint16_t size_max,
             struct vq_owner owner);
/* Back to the state after vq_init. */
void vq_reset(struct virtqueue *q);
/* Checks the three areas against guest RAM and starts the queue; breaks it where they are bad. */
void vq_enable(struct virtqueue *q, bool event_idx, bool indirect);

/* Takes the next request; false where there is none (or the queue is broken, or not enabled). */
bool vq_pop(struct virtqueue *q, struct vq_chain *chain);
/* Gives back the last `count` requests popped, none of them pushed. */
void vq_unpop(struct virtqueue *q, unsigned count);
/* Returns a request with the count of bytes written to it. Not seen by the driver before vq_flush.
 */
void vq_push(struct virtqueue *q, uint16_t head, uint32_t written_bytes);
/* Shows the driver all that was pushed and interrupts it where it asked for that. */
void vq_flush(struct virtqueue *q);

/* Whether a request waits. */
bool vq_has_work(struct virtqueue *q);
/* Asks the driver to notify, or not to, about new requests: a hint, section 2.7.10. vq_want_kicks
 * returns true where a request arrived in between, for which no notification may come. */
void vq_stop_kicks(struct virtqueue *q);
bool vq_want_kicks(struct virtqueue *q);

/* Marks the queue broken and tells the owner; for devices that find a request malformed. */
void vq_break(struct virtqueue *q, const char *why);

#endif
