/* balloon.c: the traditional memory balloon (virtio 1.2, section 5.5), with free page reporting.
 *
 * Pages that the driver puts into the balloon, or reports as free, go back to the host by
 * madvise(2) and read as zeroes when the guest touches them again. Deflating therefore needs no
 * work. Page numbers outside of RAM are ignored.
 *
 * Limits: no statistics, no free page hints; the balloon's unit is 4 KiB whatever the guest's
 * pages.
 */
#include "core/device/virtio/balloon.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/bytes.h"
#include "base/iov.h"

/* Section 5.5.3 */
#define BALLOON_F_DEFLATE_ON_OOM (1ull << 2)
#define BALLOON_F_REPORTING      (1ull << 5)

enum {
    DEVICE_ID_BALLOON = 5,
    PAGE_BYTES = 4096,
    QUEUE_INFLATE = 0,
    QUEUE_DEFLATE = 1,
    QUEUE_REPORTING = 2, /* queues of features not offered take no number */
    QUEUE_SIZE = 64,
    PAGES_PER_REQUEST_MAX = 1024,
};

/* Section 5.5.4 */
struct balloon_config {
    uint32_t num_pages, actual, free_page_hint_cmd_id, poison_val;
};
static_assert(sizeof(struct balloon_config) == 16, "virtio 1.2, section 5.5.4");

struct virtio_balloon {
    struct virtio_device dev;
    struct balloon_config config;
};

static void give_back(uint8_t *host, uint64_t size_bytes)
{
    uintptr_t from = (uintptr_t)align_up((uintptr_t)host, PAGE_BYTES);
    uintptr_t to = (uintptr_t)align_down((uintptr_t)host + size_bytes, PAGE_BYTES);
    if (from < to)
        madvise((void *)from, to - from, MADV_DONTNEED);
}

/* Section 5.5.6: an array of page numbers; neighbours go in one call. */
static void inflate(struct virtio_device *dev, struct virtqueue *q, struct vq_chain *chain)
{
    uint32_t pages[PAGES_PER_REQUEST_MAX];
    if (chain->readable_bytes > sizeof(pages)) {
        vq_break(q, "balloon request of too many pages");
        return;
    }
    size_t count = iov_to_bytes(chain->iov, chain->readable_count, 0, pages, sizeof(pages)) / 4;
    for (size_t i = 0; i < count;) {
        size_t run = 1;
        while (i + run < count && pages[i + run] == pages[i] + run)
            run++;
        uint64_t size = run * PAGE_BYTES;
        uint8_t *host = guestmem_ptr(dev->env.mem, (uint64_t)pages[i] * PAGE_BYTES, size, true);
        if (host)
            give_back(host, size);
        i += host ? run : 1; /* part of a run may be RAM: try again behind its first page */
    }
    vq_push(q, chain->head, 0);
}

static void deflate(struct virtio_device *dev, struct virtqueue *q, struct vq_chain *chain)
{
    vq_push(q, chain->head, 0);
}

/* Section 5.5.6.7: the buffers themselves are the free pages. */
static void report(struct virtio_device *dev, struct virtqueue *q, struct vq_chain *chain)
{
    const struct iovec *iov = vq_chain_writable(chain);
    for (unsigned i = 0; i < chain->writable_count; i++)
        give_back(iov[i].iov_base, iov[i].iov_len);
    vq_push(q, chain->head, 0);
}

static void balloon_work(struct virtio_device *dev, unsigned queue)
{
    static void (*const handlers[])(struct virtio_device *, struct virtqueue *,
                                    struct vq_chain *) = {
        [QUEUE_INFLATE] = inflate, [QUEUE_DEFLATE] = deflate, [QUEUE_REPORTING] = report};
    virtio_device_serve(dev, queue, handlers[queue]);
}

static void balloon_config_write(struct virtio_device *dev, uint32_t offset, unsigned size_bytes,
                                 uint64_t value)
{
    struct virtio_balloon *b = (struct virtio_balloon *)dev;
    if (offset == offsetof(struct balloon_config, actual) && size_bytes == 4)
        b->config.actual = (uint32_t)value;
}

static void balloon_free(struct virtio_device *dev)
{
    virtio_device_done(dev);
    free(dev);
}

static const struct virtio_ops balloon_ops = {.name = "balloon",
                                              .device_id = DEVICE_ID_BALLOON,
                                              .work = balloon_work,
                                              .config_write = balloon_config_write,
                                              .free = balloon_free};

int virtio_balloon_new(const struct virtio_env *env, struct virtio_device **ret_dev, struct err *e)
{
    struct virtio_balloon *b = calloc(1, sizeof(*b));
    if (!b)
        abort();
    int r = virtio_device_init(&b->dev, &balloon_ops, env,
                               BALLOON_F_DEFLATE_ON_OOM | BALLOON_F_REPORTING, &b->config,
                               sizeof(b->config), e);
    if (r < 0) {
        free(b);
        return r;
    }
    for (unsigned i = QUEUE_INFLATE; i <= QUEUE_REPORTING; i++)
        virtio_device_add_queue(&b->dev, QUEUE_SIZE);
    *ret_dev = &b->dev;
    return 0;
}

void virtio_balloon_set_target(struct virtio_device *dev, uint64_t size_bytes)
{
    struct virtio_balloon *b = (struct virtio_balloon *)dev;
    uint64_t pages = size_bytes / PAGE_BYTES;
    assert(dev->ops == &balloon_ops);
    pthread_mutex_lock(&dev->lock);
    b->config.num_pages = pages < UINT32_MAX ? (uint32_t)pages : UINT32_MAX;
    virtio_device_config_changed(dev);
    pthread_mutex_unlock(&dev->lock);
}

uint64_t virtio_balloon_size(struct virtio_device *dev)
{
    struct virtio_balloon *b = (struct virtio_balloon *)dev;
    assert(dev->ops == &balloon_ops);
    pthread_mutex_lock(&dev->lock);
    uint64_t size = (uint64_t)b->config.actual * PAGE_BYTES;
    pthread_mutex_unlock(&dev->lock);
    return size;
}
