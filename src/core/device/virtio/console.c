/* console.c: the virtio console (virtio 1.2, section 5.3): queue 0 receives, queue 1 transmits.
 *
 * What the guest writes is copied out in pieces and given to the character back end. Input goes
 * into the guest's receive buffers as far as they reach; receive() says how much that was, and when
 * the driver adds buffers the back end is asked to go on.
 *
 * Limits: one port, no size, no emergency write.
 */
#include "core/device/virtio/console.h"

#include <stdlib.h>

#include "base/iov.h"
#include "core/device/chardev.h"

enum { DEVICE_ID_CONSOLE = 3, QUEUE_RX = 0, QUEUE_TX = 1, PIECE_BYTES = 4096, QUEUE_SIZE = 64 };

static const uint64_t OUTPUT_BYTES_MAX = 1 << 20; /* of one request; a console has no more to say */

struct virtio_console {
    struct virtio_device dev;
    struct chardev *chardev; /* borrowed */
    bool starved;            /* input waits in the back end */
};

static void transmit(struct virtio_device *dev, struct virtqueue *q, struct vq_chain *chain)
{
    struct virtio_console *c = (struct virtio_console *)dev;
    uint8_t piece[PIECE_BYTES];
    if (chain->readable_bytes > OUTPUT_BYTES_MAX) {
        vq_break(q, "console output of more than 1 MiB at once");
        return;
    }
    for (size_t done = 0; done < chain->readable_bytes;) {
        size_t n = iov_to_bytes(chain->iov, chain->readable_count, done, piece, sizeof(piece));
        chardev_write(c->chardev, piece, n);
        done += n;
    }
    vq_push(q, chain->head, 0);
}

static size_t fill_buffers(struct virtqueue *q, const uint8_t *data, size_t size_bytes)
{
    struct vq_chain chain;
    size_t done = 0;
    while (done < size_bytes && vq_pop(q, &chain)) {
        if (!chain.writable_count) {
            vq_break(q, "console input buffer that is not writable");
            break;
        }
        size_t n = iov_from_bytes(vq_chain_writable(&chain), chain.writable_count, 0, data + done,
                                  size_bytes - done);
        vq_push(q, chain.head, (uint32_t)n);
        done += n;
    }
    return done;
}

static size_t receive(void *ctx, const void *data, size_t size_bytes)
{
    struct virtio_console *c = ctx;
    struct virtqueue *q = &c->dev.queues[QUEUE_RX];
    size_t done = 0;
    pthread_mutex_lock(&c->dev.lock);
    if (c->dev.started) {
        do
            done += fill_buffers(q, (const uint8_t *)data + done, size_bytes - done);
        while (done < size_bytes && vq_want_kicks(q));
        vq_flush(q);
    }
    c->starved = done < size_bytes;
    pthread_mutex_unlock(&c->dev.lock);
    return done;
}

static void console_work(struct virtio_device *dev, unsigned queue)
{
    struct virtio_console *c = (struct virtio_console *)dev;
    if (queue == QUEUE_TX) {
        virtio_device_serve(dev, queue, transmit);
        return;
    }
    vq_stop_kicks(&dev->queues[queue]); /* until there is no room again */
    if (c->starved) {
        c->starved = false;
        chardev_resume(c->chardev);
    }
}

static void console_free(struct virtio_device *dev)
{
    struct virtio_console *c = (struct virtio_console *)dev;
    chardev_attach(c->chardev, (struct chardev_front){0});
    virtio_device_done(dev);
    free(c);
}

static const struct virtio_ops console_ops = {
    .name = "console", .device_id = DEVICE_ID_CONSOLE, .work = console_work, .free = console_free};

int virtio_console_new(const struct virtio_env *env, struct chardev *chardev,
                       struct virtio_device **ret_dev, struct err *e)
{
    struct virtio_console *c = calloc(1, sizeof(*c));
    if (!c)
        abort();
    int r = virtio_device_init(&c->dev, &console_ops, env, 0, NULL, 0, e);
    if (r < 0) {
        free(c);
        return r;
    }
    c->chardev = chardev;
    virtio_device_add_queue(&c->dev, QUEUE_SIZE);
    virtio_device_add_queue(&c->dev, QUEUE_SIZE);
    chardev_attach(chardev, (struct chardev_front){c, receive});
    *ret_dev = &c->dev;
    return 0;
}
