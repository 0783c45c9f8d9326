/* rng.c: the virtio entropy device (virtio 1.2, section 5.4): the host kernel's random bytes.
 *
 * At most BYTES_PER_TURN leave per PAUSE_MS, so that a guest which asks without end does not keep
 * the I/O thread busy for its neighbours; that is still 4 MiB/s, more than any guest needs for
 * seeding.
 */
#include "core/device/virtio/rng.h"

#include <stdlib.h>
#include <sys/random.h>

enum {
    DEVICE_ID_RNG = 4,
    BYTES_PER_REQUEST_MAX = 4096,
    BYTES_PER_TURN = 64 * 1024,
    PAUSE_MS = 16,
    NS_PER_MS = 1000000,
};

struct virtio_rng {
    struct virtio_device dev;
    struct evtimer *timer; /* runs while the turn's bytes are used up */
    bool paused;
};

/* Serves one request from its first buffer (section 5.4.6.2 allows less than was asked for);
 * returns what it cost, 0 where it was malformed. */
static uint32_t answer(struct virtqueue *q, struct vq_chain *chain)
{
    if (chain->readable_count || !chain->writable_count) {
        vq_break(q, "entropy request without a writable buffer");
        return 0;
    }
    const struct iovec *first = vq_chain_writable(chain);
    size_t size = first->iov_len;
    if (size > BYTES_PER_REQUEST_MAX)
        size = BYTES_PER_REQUEST_MAX;
    ssize_t n = getrandom(first->iov_base, size, 0);
    vq_push(q, chain->head, n > 0 ? (uint32_t)n : 0);
    return (uint32_t)size;
}

static void rng_work(struct virtio_device *dev, unsigned queue)
{
    struct virtio_rng *rng = (struct virtio_rng *)dev;
    struct virtqueue *q = &dev->queues[queue];
    struct vq_chain chain;
    uint32_t given = 0;
    if (rng->paused)
        return;
    vq_stop_kicks(q);
    do {
        while (given < BYTES_PER_TURN && vq_pop(q, &chain))
            given += answer(q, &chain);
    } while (given < BYTES_PER_TURN && vq_want_kicks(q));
    vq_flush(q);
    if (given >= BYTES_PER_TURN) {
        rng->paused = true;
        evtimer_set(rng->timer, clock_now_ns() + (uint64_t)PAUSE_MS * NS_PER_MS);
    }
}

static void pause_over(void *ctx)
{
    struct virtio_rng *rng = ctx;
    pthread_mutex_lock(&rng->dev.lock);
    rng->paused = false;
    pthread_mutex_unlock(&rng->dev.lock);
    virtio_device_kick(&rng->dev, 0);
}

static void rng_free(struct virtio_device *dev)
{
    struct virtio_rng *rng = (struct virtio_rng *)dev;
    evtimer_free(rng->timer);
    virtio_device_done(dev);
    free(rng);
}

static const struct virtio_ops rng_ops = {
    .name = "rng", .device_id = DEVICE_ID_RNG, .work = rng_work, .free = rng_free};

int virtio_rng_new(const struct virtio_env *env, struct virtio_device **ret_dev, struct err *e)
{
    struct virtio_rng *rng = calloc(1, sizeof(*rng));
    if (!rng)
        abort();
    int r = virtio_device_init(&rng->dev, &rng_ops, env, 0, NULL, 0, e);
    if (r < 0) {
        free(rng);
        return r;
    }
    virtio_device_add_queue(&rng->dev, 64);
    r = evtimer_new(env->loop, pause_over, rng, &rng->timer, e);
    if (r < 0) {
        rng_free(&rng->dev);
        return r;
    }
    *ret_dev = &rng->dev;
    return 0;
}
