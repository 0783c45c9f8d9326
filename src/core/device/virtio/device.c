/* device.c: the state every virtio device has (virtio 1.2, chapters 2 and 3).
 *
 * The status register is the heart: it only gains bits until the driver writes zero. FEATURES_OK is
 * refused where the driver took what was not offered; DRIVER_OK starts the queues; whatever breaks
 * a queue sets DEVICE_NEEDS_RESET and stops all of them (section 2.1.2).
 *
 * A kick is a bit in an atomic mask plus, where the mask was empty, one write to an eventfd. So the
 * vCPU that notifies goes on at once, and many kicks cost the loop one wake-up. Where the kernel
 * writes to the eventfd for a guest, the bit is missing and every queue is looked at.
 */
#include "core/device/virtio/device.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/bytes.h"

enum { FAILURES_LOGGED_MAX = 8 };

static const uint8_t DRIVER_STATUS_BITS = VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER |
                                          VIRTIO_STATUS_DRIVER_OK | VIRTIO_STATUS_FEATURES_OK |
                                          VIRTIO_STATUS_FAILED;

void virtio_device_fail(struct virtio_device *dev, const char *why)
{
    if (dev->status & VIRTIO_STATUS_NEEDS_RESET)
        return;
    dev->started = false;
    dev->status |= VIRTIO_STATUS_NEEDS_RESET;
    if (dev->failures++ < FAILURES_LOGGED_MAX)
        log_warn(dev->env.log, "virtio-%s: the guest's driver broke its device: %s", dev->ops->name,
                 why);
    for (unsigned i = 0; i < dev->queue_count; i++)
        dev->queues[i].broken = true;
    if (dev->status & VIRTIO_STATUS_DRIVER_OK && dev->transport)
        dev->transport->interrupt_config(dev->transport_ctx);
}

static void queue_broken(void *ctx, unsigned queue, const char *why)
{
    virtio_device_fail(ctx, why);
}

static void queue_interrupt(void *ctx, unsigned queue)
{
    struct virtio_device *dev = ctx;
    if (dev->transport)
        dev->transport->interrupt_queue(dev->transport_ctx, queue);
}

static void serve_kicks(void *ctx, uint32_t events)
{
    struct virtio_device *dev = ctx;
    uint64_t count;
    ssize_t n = read(dev->kick_fd, &count, sizeof(count));
    (void)n;
    (void)events;
    unsigned mask = atomic_exchange(&dev->kicked, 0);
    if (atomic_load(&dev->kicked_by_fd))
        mask = (1u << dev->queue_count) - 1;
    pthread_mutex_lock(&dev->lock);
    for (unsigned i = 0; i < dev->queue_count; i++)
        if (mask & (1u << i) && dev->started && dev->queues[i].enabled)
            dev->ops->work(dev, i);
    pthread_mutex_unlock(&dev->lock);
}

int virtio_device_kick_fd(struct virtio_device *dev)
{
    atomic_store(&dev->kicked_by_fd, true);
    return dev->kick_fd;
}

static void kick_mask(struct virtio_device *dev, unsigned mask)
{
    if (atomic_fetch_or(&dev->kicked, mask))
        return; /* whoever set the first bit has woken the loop */
    uint64_t one = 1;
    ssize_t n = write(dev->kick_fd, &one, sizeof(one));
    (void)n;
}

void virtio_device_kick(struct virtio_device *dev, uint32_t queue)
{
    if (queue < dev->queue_count)
        kick_mask(dev, 1u << queue);
}

int virtio_device_init(struct virtio_device *dev, const struct virtio_ops *ops,
                       const struct virtio_env *env, uint64_t features, void *config,
                       uint32_t config_size, struct err *e)
{
    *dev = (struct virtio_device){.ops = ops,
                                  .env = *env,
                                  .features_offered = features | VIRTIO_F_VERSION_1 |
                                                      VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX,
                                  .config = config,
                                  .config_size = config_size};
    pthread_mutex_init(&dev->lock, NULL);
    dev->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int r = dev->kick_fd < 0 ? err_set_errno(e, errno, "virtio-%s", ops->name) : 0;
    if (r == 0)
        r = evloop_add(env->loop, dev->kick_fd, EPOLLIN, serve_kicks, dev, &dev->kick_source, e);
    if (r < 0)
        virtio_device_done(dev);
    return r;
}

void virtio_device_done(struct virtio_device *dev)
{
    evsource_remove(dev->kick_source);
    if (dev->kick_fd >= 0)
        close(dev->kick_fd);
    pthread_mutex_destroy(&dev->lock);
}

void virtio_device_free(struct virtio_device *dev)
{
    if (dev)
        dev->ops->free(dev);
}

void virtio_device_add_queue(struct virtio_device *dev, uint16_t size_max)
{
    assert(dev->queue_count < VIRTIO_QUEUES_MAX);
    unsigned index = dev->queue_count++;
    vq_init(&dev->queues[index], dev->env.mem, index, size_max,
            (struct vq_owner){dev, queue_broken, queue_interrupt});
}

void virtio_device_set_transport(struct virtio_device *dev,
                                 const struct virtio_transport_ops *transport, void *ctx)
{
    dev->transport = transport;
    dev->transport_ctx = ctx;
}

static void reset_locked(struct virtio_device *dev)
{
    dev->started = false;
    dev->lifetime++;
    if (dev->ops->reset)
        dev->ops->reset(dev);
    for (unsigned i = 0; i < dev->queue_count; i++)
        vq_reset(&dev->queues[i]);
    dev->status = 0;
    dev->features = 0;
}

/* Section 2.2.2: no feature that was not offered; section 6.1: VERSION_1 is not optional. */
static bool features_acceptable(const struct virtio_device *dev)
{
    return !(dev->features & ~dev->features_offered) && virtio_has(dev, VIRTIO_F_VERSION_1);
}

static void start_locked(struct virtio_device *dev)
{
    if (!(dev->status & VIRTIO_STATUS_FEATURES_OK)) {
        virtio_device_fail(dev, "DRIVER_OK without FEATURES_OK");
        return;
    }
    if (dev->status & VIRTIO_STATUS_NEEDS_RESET)
        return;
    dev->started = true;
    if (dev->ops->start)
        dev->ops->start(dev);
    kick_mask(dev, (1u << dev->queue_count) - 1); /* buffers may be there before the first kick */
}

void virtio_device_set_status(struct virtio_device *dev, uint8_t status)
{
    pthread_mutex_lock(&dev->lock);
    if (status == 0) {
        reset_locked(dev);
    } else {
        uint8_t gained = status & DRIVER_STATUS_BITS & ~dev->status;
        if (gained & VIRTIO_STATUS_FEATURES_OK && !features_acceptable(dev))
            gained &= ~VIRTIO_STATUS_FEATURES_OK;
        dev->status |= gained;
        if (gained & VIRTIO_STATUS_DRIVER_OK)
            start_locked(dev);
    }
    pthread_mutex_unlock(&dev->lock);
}

uint8_t virtio_device_status(struct virtio_device *dev)
{
    pthread_mutex_lock(&dev->lock);
    uint8_t status = dev->status;
    pthread_mutex_unlock(&dev->lock);
    return status;
}

uint32_t virtio_device_features(struct virtio_device *dev, uint32_t half)
{
    return half < 2 ? (uint32_t)bits(dev->features_offered, half * 32, 32) : 0;
}

uint32_t virtio_device_accepted_features(struct virtio_device *dev, uint32_t half)
{
    if (half >= 2)
        return 0;
    pthread_mutex_lock(&dev->lock);
    uint32_t value = (uint32_t)bits(dev->features, half * 32, 32);
    pthread_mutex_unlock(&dev->lock);
    return value;
}

void virtio_device_accept_features(struct virtio_device *dev, uint32_t half, uint32_t value)
{
    if (half >= 2)
        return;
    pthread_mutex_lock(&dev->lock);
    if (!(dev->status & VIRTIO_STATUS_FEATURES_OK)) {
        dev->features &= ~(0xffffffffull << (half * 32));
        dev->features |= (uint64_t)value << (half * 32);
    }
    pthread_mutex_unlock(&dev->lock);
}

void virtio_device_enable_queue(struct virtio_device *dev, unsigned queue, bool enable)
{
    pthread_mutex_lock(&dev->lock);
    if (queue < dev->queue_count) {
        struct virtqueue *q = &dev->queues[queue];
        if (!enable)
            q->enabled = false;
        else if (!q->enabled)
            vq_enable(q, virtio_has(dev, VIRTIO_F_EVENT_IDX),
                      virtio_has(dev, VIRTIO_F_INDIRECT_DESC));
    }
    pthread_mutex_unlock(&dev->lock);
}

struct virtio_queue_state virtio_device_queue(struct virtio_device *dev, unsigned queue)
{
    struct virtio_queue_state state = {0};
    if (queue >= dev->queue_count)
        return state;
    const struct virtqueue *q = &dev->queues[queue];
    pthread_mutex_lock(&dev->lock);
    state = (struct virtio_queue_state){
        .size_max = q->size_max,
        .size = q->size,
        .enabled = q->enabled,
        .areas = {q->desc_address, q->driver_address, q->device_address},
    };
    pthread_mutex_unlock(&dev->lock);
    return state;
}

/* Returns with the lock held, or NULL where the driver may not set the queue up now. */
static struct virtqueue *lock_for_setup(struct virtio_device *dev, unsigned queue)
{
    if (queue >= dev->queue_count)
        return NULL;
    pthread_mutex_lock(&dev->lock);
    if (!dev->queues[queue].enabled)
        return &dev->queues[queue];
    pthread_mutex_unlock(&dev->lock);
    return NULL;
}

void virtio_device_set_queue_size(struct virtio_device *dev, unsigned queue, uint32_t size)
{
    struct virtqueue *q = lock_for_setup(dev, queue);
    if (!q)
        return;
    q->size = size <= UINT16_MAX ? (uint16_t)size : 0; /* vq_enable refuses 0 */
    pthread_mutex_unlock(&dev->lock);
}

void virtio_device_set_queue_area(struct virtio_device *dev, unsigned queue,
                                  enum virtio_queue_area area, unsigned half, uint32_t value)
{
    struct virtqueue *q = lock_for_setup(dev, queue);
    if (!q)
        return;
    uint64_t *address = area == VIRTIO_QUEUE_DESC     ? &q->desc_address
                        : area == VIRTIO_QUEUE_DRIVER ? &q->driver_address
                                                      : &q->device_address;
    unsigned shift = half * 32;
    *address = (*address & ~(0xffffffffull << shift)) | (uint64_t)value << shift;
    pthread_mutex_unlock(&dev->lock);
}

uint32_t virtio_device_config_generation(struct virtio_device *dev)
{
    pthread_mutex_lock(&dev->lock);
    uint32_t generation = dev->config_generation;
    pthread_mutex_unlock(&dev->lock);
    return generation;
}

static bool in_config(const struct virtio_device *dev, uint32_t offset, unsigned size_bytes)
{
    return offset <= dev->config_size && size_bytes <= dev->config_size - offset;
}

uint64_t virtio_device_config_read(struct virtio_device *dev, uint32_t offset, unsigned size_bytes)
{
    pthread_mutex_lock(&dev->lock);
    uint64_t value =
        in_config(dev, offset, size_bytes) ? load_le(dev->config + offset, size_bytes) : 0;
    pthread_mutex_unlock(&dev->lock);
    return value;
}

void virtio_device_config_write(struct virtio_device *dev, uint32_t offset, unsigned size_bytes,
                                uint64_t value)
{
    pthread_mutex_lock(&dev->lock);
    if (dev->ops->config_write && in_config(dev, offset, size_bytes))
        dev->ops->config_write(dev, offset, size_bytes, value);
    pthread_mutex_unlock(&dev->lock);
}

void virtio_device_config_changed(struct virtio_device *dev)
{
    dev->config_generation++;
    if (dev->status & VIRTIO_STATUS_DRIVER_OK && dev->transport)
        dev->transport->interrupt_config(dev->transport_ctx);
}

void virtio_device_serve(struct virtio_device *dev, unsigned queue,
                         void (*handle)(struct virtio_device *dev, struct virtqueue *q,
                                        struct vq_chain *chain))
{
    struct virtqueue *q = &dev->queues[queue];
    struct vq_chain chain;
    unsigned budget = q->size;
    vq_stop_kicks(q);
    do {
        while (budget && vq_pop(q, &chain)) {
            budget--;
            if (trace_on(dev->env.trace, TRACE_VIRTIO))
                trace_print(dev->env.trace, "%s virtio queue %u head %u out %llu in %llu",
                            dev->ops->name, queue, chain.head,
                            (unsigned long long)chain.readable_bytes,
                            (unsigned long long)chain.writable_bytes);
            handle(dev, q, &chain);
        }
    } while (budget && vq_want_kicks(q));
    vq_flush(q);
    if (!budget)
        virtio_device_kick(dev, queue);
}
