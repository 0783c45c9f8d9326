/* blk.c: the virtio block device (virtio 1.2, section 5.2), one queue.
 *
 * A request is a header of 16 bytes, data, and a status byte at the very end; the driver may cut
 * these into buffers as it likes. The header is copied once. Data goes straight between guest
 * memory and the disk's filters: at once where the page cache can serve it, else on worker threads,
 * many at a time. Malformed headers break the queue; requests that the disk refuses get
 * VIRTIO_BLK_S_IOERR, unknown ones VIRTIO_BLK_S_UNSUPP.
 *
 * Limits: a cache in write-back mode only (the host's page cache; FLUSH makes it durable), one
 * segment a discard.
 */
#include "core/device/virtio/blk.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/iov.h"
#include "core/block/blkqueue.h"

/* Section 5.2.3 */
#define BLK_F_SEG_MAX      (1ull << 2)
#define BLK_F_RO           (1ull << 5)
#define BLK_F_BLK_SIZE     (1ull << 6)
#define BLK_F_FLUSH        (1ull << 9)
#define BLK_F_TOPOLOGY     (1ull << 10)
#define BLK_F_DISCARD      (1ull << 13)
#define BLK_F_WRITE_ZEROES (1ull << 14)

/* Section 5.2.6 */
enum { T_IN = 0, T_OUT = 1, T_FLUSH = 4, T_GET_ID = 8, T_DISCARD = 11, T_WRITE_ZEROES = 13 };
enum { S_OK = 0, S_IOERR = 1, S_UNSUPP = 2 };
enum { WRITE_ZEROES_F_UNMAP = 1 };

enum {
    DEVICE_ID_BLK = 2,
    SECTOR_BYTES = 512,
    HEADER_BYTES = 16,
    SERIAL_BYTES = 20,
    SEGMENTS_MAX = 126,               /* data buffers of one request */
    IOV_MAX_COUNT = SEGMENTS_MAX + 2, /* the header's and the status' buffer may hold data too */
    DISCARD_SECTORS_MAX = 1 << 22,    /* 2 GiB at a time */
    WORKERS_MAX = 4,
    PREFERRED_BYTES = 4096, /* what the guest should align to, for the host's page cache */
};

/* Section 5.2.4 */
struct blk_config {
    uint64_t capacity;
    uint32_t size_max, seg_max;
    uint16_t cylinders;
    uint8_t heads, sectors;
    uint32_t blk_size;
    uint8_t physical_block_exp, alignment_offset;
    uint16_t min_io_size;
    uint32_t opt_io_size;
    uint8_t writeback, unused0;
    uint16_t num_queues;
    uint32_t max_discard_sectors, max_discard_seg, discard_sector_alignment;
    uint32_t max_write_zeroes_sectors, max_write_zeroes_seg;
    uint8_t write_zeroes_may_unmap, unused1[3];
} __attribute__((packed));
static_assert(sizeof(struct blk_config) == 60, "virtio 1.2, section 5.2.4");

/* Section 5.2.6 */
struct blk_header {
    uint32_t type, reserved;
    uint64_t sector;
};
struct blk_range {
    uint64_t sector;
    uint32_t sector_count, flags;
};
static_assert(sizeof(struct blk_header) == HEADER_BYTES && sizeof(struct blk_range) == 16,
              "virtio 1.2, section 5.2.6");

/* A request in flight: kept on a free list, never more than the queue has entries. */
struct request {
    struct blk_job job;
    struct virtio_blk *owner;
    unsigned lifetime; /* the device's when it was taken */
    uint16_t head;
    uint8_t *status;     /* in guest memory */
    uint32_t read_bytes; /* to the guest, if all goes well */
    struct iovec iov[IOV_MAX_COUNT];
    struct request *next_free;
};

struct virtio_blk {
    struct virtio_device dev;
    struct blk *blk;
    struct workpool *pool;
    struct blk_config config;
    char serial[SERIAL_BYTES];
    struct request *free_requests;
};

static struct request *request_get(struct virtio_blk *b)
{
    struct request *r = b->free_requests;
    if (r) {
        b->free_requests = r->next_free;
    } else {
        r = malloc(sizeof(*r));
        if (!r)
            abort();
    }
    r->owner = b;
    r->lifetime = b->dev.lifetime;
    r->read_bytes = 0;
    return r;
}

static void request_put(struct request *r)
{
    r->next_free = r->owner->free_requests;
    r->owner->free_requests = r;
}

static void answer(struct request *r, uint8_t status, uint32_t read_bytes)
{
    *r->status = status;
    vq_push(&r->owner->dev.queues[0], r->head, read_bytes + 1);
    request_put(r);
}

static void finish(struct request *r)
{
    bool ok = r->job.result == 0;
    answer(r, ok ? S_OK : S_IOERR, ok ? r->read_bytes : 0);
}

/* A worker's result, on the loop's thread; the pool's batch function flushes the queue. */
static void job_done(struct blk_job *job)
{
    struct request *r = (struct request *)((char *)job - offsetof(struct request, job));
    struct virtio_blk *b = r->owner;
    pthread_mutex_lock(&b->dev.lock);
    if (r->lifetime == b->dev.lifetime)
        finish(r);
    else
        request_put(r);
    pthread_mutex_unlock(&b->dev.lock);
}

static void batch_done(void *ctx)
{
    struct virtio_blk *b = ctx;
    pthread_mutex_lock(&b->dev.lock);
    vq_flush(&b->dev.queues[0]);
    pthread_mutex_unlock(&b->dev.lock);
}

static void submit(struct request *r, const struct blk_request *request)
{
    r->job.request = *request;
    r->job.done = job_done;
    if (blk_submit(r->owner->blk, r->owner->pool, &r->job))
        finish(r);
}

/* Byte offset of a sector; where that overflows, one that no disk has. */
static uint64_t sector_offset(uint64_t sector)
{
    return sector <= UINT64_MAX / SECTOR_BYTES ? sector * SECTOR_BYTES : UINT64_MAX;
}

static void do_transfer(struct request *r, const struct blk_header *header,
                        const struct vq_chain *chain)
{
    bool read = header->type == T_IN;
    const struct iovec *from = chain->iov + (read ? chain->readable_count : 0);
    unsigned count = read ? chain->writable_count : chain->readable_count;
    uint64_t skip = read ? 0 : HEADER_BYTES;
    uint64_t size = read ? chain->writable_bytes - 1 : chain->readable_bytes - HEADER_BYTES;
    if (size % SECTOR_BYTES || size > UINT32_MAX - 1) {
        answer(r, S_IOERR, 0);
        return;
    }
    r->read_bytes = read ? (uint32_t)size : 0;
    unsigned used = iov_slice(from, count, skip, size, r->iov);
    submit(r, &(struct blk_request){.op = read ? BLK_READ : BLK_WRITE,
                                    .offset = sector_offset(header->sector),
                                    .size_bytes = size,
                                    .iov = r->iov,
                                    .iov_count = used});
}

static void do_flush(struct request *r, const struct blk_header *header,
                     const struct vq_chain *chain)
{
    submit(r, &(struct blk_request){.op = BLK_FLUSH});
}

static void do_get_id(struct request *r, const struct blk_header *header,
                      const struct vq_chain *chain)
{
    uint64_t room = chain->writable_bytes - 1;
    size_t size = room < SERIAL_BYTES ? (size_t)room : SERIAL_BYTES;
    iov_from_bytes(chain->iov + chain->readable_count, chain->writable_count, 0, r->owner->serial,
                   size);
    answer(r, S_OK, (uint32_t)size);
}

/* Section 5.2.6.2: one segment, reserved flags are zero, a discard does not unmap. */
static void do_range(struct request *r, const struct blk_header *header,
                     const struct vq_chain *chain)
{
    struct blk_range range;
    bool zero = header->type == T_WRITE_ZEROES;
    if (chain->readable_bytes != HEADER_BYTES + sizeof(range)) {
        answer(r, S_IOERR, 0);
        return;
    }
    iov_to_bytes(chain->iov, chain->readable_count, HEADER_BYTES, &range, sizeof(range));
    if (range.flags & ~(zero ? WRITE_ZEROES_F_UNMAP : 0u)) {
        answer(r, S_UNSUPP, 0);
        return;
    }
    if (range.sector_count > DISCARD_SECTORS_MAX) {
        answer(r, S_IOERR, 0);
        return;
    }
    submit(r, &(struct blk_request){.op = zero ? BLK_WRITE_ZEROES : BLK_DISCARD,
                                    .may_unmap = range.flags & WRITE_ZEROES_F_UNMAP,
                                    .offset = sector_offset(range.sector),
                                    .size_bytes = (uint64_t)range.sector_count * SECTOR_BYTES});
}

struct request_type {
    uint32_t type;
    uint64_t feature; /* needed; 0: none */
    void (*run)(struct request *r, const struct blk_header *header, const struct vq_chain *chain);
};

static const struct request_type request_types[] = {
    {T_IN, 0, do_transfer},
    {T_OUT, 0, do_transfer},
    {T_FLUSH, 0, do_flush},
    {T_GET_ID, 0, do_get_id},
    {T_DISCARD, BLK_F_DISCARD, do_range},
    {T_WRITE_ZEROES, BLK_F_WRITE_ZEROES, do_range},
};

static const struct request_type *find_type(const struct virtio_blk *b, uint32_t type)
{
    for (unsigned i = 0; i < ARRAY_SIZE(request_types); i++) {
        const struct request_type *t = &request_types[i];
        if (t->type == type && (!t->feature || virtio_has(&b->dev, t->feature)))
            return t;
    }
    return NULL;
}

static void handle_request(struct virtio_device *dev, struct virtqueue *q, struct vq_chain *chain)
{
    struct virtio_blk *b = (struct virtio_blk *)dev;
    struct blk_header header;
    if (chain->readable_bytes < HEADER_BYTES || chain->writable_bytes < 1) {
        vq_break(q, "block request without header or status");
        return;
    }
    if (chain->readable_count > IOV_MAX_COUNT || chain->writable_count > IOV_MAX_COUNT) {
        vq_break(q, "block request of more segments than offered");
        return;
    }
    iov_to_bytes(chain->iov, chain->readable_count, 0, &header, sizeof(header));
    struct request *r = request_get(b);
    const struct iovec *last = &chain->iov[chain->readable_count + chain->writable_count - 1];
    r->status = (uint8_t *)last->iov_base + last->iov_len - 1;
    r->head = chain->head;
    const struct request_type *type = find_type(b, header.type);
    if (type)
        type->run(r, &header, chain);
    else
        answer(r, S_UNSUPP, 0);
}

static void blk_work(struct virtio_device *dev, unsigned queue)
{
    virtio_device_serve(dev, queue, handle_request);
}

static void blk_reset(struct virtio_device *dev)
{
    workpool_drain(((struct virtio_blk *)dev)->pool);
}

static void blk_device_free(struct virtio_device *dev)
{
    struct virtio_blk *b = (struct virtio_blk *)dev;
    workpool_free(b->pool);
    blk_free(b->blk);
    while (b->free_requests) {
        struct request *next = b->free_requests->next_free;
        free(b->free_requests);
        b->free_requests = next;
    }
    virtio_device_done(dev);
    free(b);
}

static const struct virtio_ops blk_device_ops = {.name = "blk",
                                                 .device_id = DEVICE_ID_BLK,
                                                 .work = blk_work,
                                                 .reset = blk_reset,
                                                 .free = blk_device_free};

static uint64_t offered_features(const struct blk *blk)
{
    uint64_t features = BLK_F_SEG_MAX | BLK_F_BLK_SIZE | BLK_F_FLUSH | BLK_F_TOPOLOGY;
    if (blk->read_only)
        return features | BLK_F_RO;
    return features | BLK_F_WRITE_ZEROES | (blk->can_discard ? BLK_F_DISCARD : 0);
}

static void fill_config(struct virtio_blk *b)
{
    uint32_t exponent = 0;
    while (b->blk->block_size << exponent < PREFERRED_BYTES)
        exponent++;
    b->config = (struct blk_config){
        .capacity = b->blk->size_bytes / SECTOR_BYTES,
        .seg_max = SEGMENTS_MAX,
        .blk_size = b->blk->block_size,
        .physical_block_exp = (uint8_t)exponent,
        .min_io_size = 1,
        .writeback = 1,
        .num_queues = 1,
        .max_discard_sectors = DISCARD_SECTORS_MAX,
        .max_discard_seg = 1,
        .discard_sector_alignment = PREFERRED_BYTES / SECTOR_BYTES,
        .max_write_zeroes_sectors = DISCARD_SECTORS_MAX,
        .max_write_zeroes_seg = 1,
        .write_zeroes_may_unmap = 1,
    };
}

int virtio_blk_new(const struct virtio_env *env, struct blk *blk,
                   const struct virtio_blk_options *options, struct virtio_device **ret_dev,
                   struct err *e)
{
    struct virtio_blk *b = calloc(1, sizeof(*b));
    if (!b)
        abort();
    b->blk = blk;
    fill_config(b);
    if (options->serial)
        memcpy(b->serial, options->serial, strnlen(options->serial, SERIAL_BYTES));
    int r = virtio_device_init(&b->dev, &blk_device_ops, env, offered_features(blk), &b->config,
                               sizeof(b->config), e);
    if (r < 0) {
        blk_free(blk);
        free(b);
        return r;
    }
    virtio_device_add_queue(&b->dev, VQ_SIZE_MAX);
    r = workpool_new(env->loop, "io", WORKERS_MAX, &b->pool, e);
    if (r < 0) {
        blk_device_free(&b->dev);
        return r;
    }
    workpool_on_batch(b->pool, batch_done, b);
    *ret_dev = &b->dev;
    return 0;
}
