/* p9.c: the virtio 9P transport (virtio 1.2, section 5.14): one request and its reply a chain.
 *
 * Requests are handled in order on one worker thread, which alone touches the session; so file
 * systems that sleep hold up nobody else, and the session needs no lock. The worker copies the
 * request out of guest memory before it looks at it.
 *
 * Limits: one request at a time.
 */
#include "core/device/virtio/p9.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/iov.h"
#include "base/workpool.h"
#include "core/device/virtio/p9_int.h"

#define P9_F_MOUNT_TAG (1ull << 0)

enum { DEVICE_ID_9P = 9, TAG_BYTES_MAX = 32, QUEUE_SIZE = 128, REPLY_BYTES_MIN = 11 };

struct p9_config {
    uint16_t tag_len;
    uint8_t tag[TAG_BYTES_MAX];
};
static_assert(sizeof(struct p9_config) == 2 + TAG_BYTES_MAX, "virtio 1.2, section 5.14.4");

struct virtio_p9 {
    struct virtio_device dev;
    struct p9_config config;
    struct workpool *pool; /* one thread */
    struct p9_server server;
    bool server_is_open;
    uint8_t *request, *reply; /* the worker's, P9_MSIZE_MAX bytes each */
    struct job *free_jobs;
};

struct job {
    struct work work;
    struct virtio_p9 *p9;
    unsigned lifetime; /* the device's when it was taken */
    uint16_t head;
    unsigned readable_count, writable_count;
    size_t request_bytes, reply_room, reply_bytes;
    struct iovec iov[VQ_CHAIN_MAX];
    struct job *next_free;
};

static void run_job(struct work *work)
{
    struct job *job = (struct job *)((char *)work - offsetof(struct job, work));
    struct virtio_p9 *p = job->p9;
    iov_to_bytes(job->iov, job->readable_count, 0, p->request, job->request_bytes);
    job->reply_bytes =
        p9_server_handle(&p->server, p->request, job->request_bytes, p->reply, job->reply_room);
    iov_from_bytes(job->iov + job->readable_count, job->writable_count, 0, p->reply,
                   job->reply_bytes);
}

static void job_done(struct work *work)
{
    struct job *job = (struct job *)((char *)work - offsetof(struct job, work));
    struct virtio_p9 *p = job->p9;
    pthread_mutex_lock(&p->dev.lock);
    if (job->lifetime == p->dev.lifetime)
        vq_push(&p->dev.queues[0], job->head, (uint32_t)job->reply_bytes);
    job->next_free = p->free_jobs;
    p->free_jobs = job;
    pthread_mutex_unlock(&p->dev.lock);
}

static void batch_done(void *ctx)
{
    struct virtio_p9 *p = ctx;
    pthread_mutex_lock(&p->dev.lock);
    vq_flush(&p->dev.queues[0]);
    pthread_mutex_unlock(&p->dev.lock);
}

static struct job *get_job(struct virtio_p9 *p)
{
    struct job *job = p->free_jobs;
    if (job) {
        p->free_jobs = job->next_free;
        return job;
    }
    job = malloc(sizeof(*job));
    if (!job)
        abort();
    return job;
}

static void handle_chain(struct virtio_device *dev, struct virtqueue *q, struct vq_chain *chain)
{
    struct virtio_p9 *p = (struct virtio_p9 *)dev;
    if (chain->readable_bytes < P9_HEADER_BYTES || chain->readable_bytes > P9_MSIZE_MAX ||
        chain->writable_bytes < REPLY_BYTES_MIN) {
        vq_break(q, "9P request or room for its reply of impossible size");
        return;
    }
    struct job *job = get_job(p);
    job->work = (struct work){.run = run_job, .done = job_done};
    job->p9 = p;
    job->lifetime = dev->lifetime;
    job->head = chain->head;
    job->readable_count = chain->readable_count;
    job->writable_count = chain->writable_count;
    job->request_bytes = (size_t)chain->readable_bytes;
    job->reply_room =
        chain->writable_bytes < P9_MSIZE_MAX ? (size_t)chain->writable_bytes : P9_MSIZE_MAX;
    memcpy(job->iov, chain->iov,
           (chain->readable_count + chain->writable_count) * sizeof(job->iov[0]));
    workpool_submit(p->pool, &job->work);
}

static void p9_work(struct virtio_device *dev, unsigned queue)
{
    virtio_device_serve(dev, queue, handle_chain);
}

static void p9_reset(struct virtio_device *dev)
{
    struct virtio_p9 *p = (struct virtio_p9 *)dev;
    workpool_drain(p->pool);
    p9_server_reset(&p->server);
}

static void p9_free(struct virtio_device *dev)
{
    struct virtio_p9 *p = (struct virtio_p9 *)dev;
    workpool_free(p->pool);
    if (p->server_is_open)
        p9_server_close(&p->server);
    while (p->free_jobs) {
        struct job *next = p->free_jobs->next_free;
        free(p->free_jobs);
        p->free_jobs = next;
    }
    virtio_device_done(dev);
    free(p->request);
    free(p->reply);
    free(p);
}

static const struct virtio_ops p9_ops = {
    .name = "9p", .device_id = DEVICE_ID_9P, .work = p9_work, .reset = p9_reset, .free = p9_free};

int virtio_p9_new(const struct virtio_env *env, const struct virtio_p9_options *options,
                  struct virtio_device **ret_dev, struct err *e)
{
    size_t tag_bytes = strlen(options->tag);
    if (tag_bytes == 0 || tag_bytes > TAG_BYTES_MAX)
        return err_set(e, EINVAL, "tag=%s: a tag has 1 to %d bytes", options->tag, TAG_BYTES_MAX);
    struct virtio_p9 *p = calloc(1, sizeof(*p));
    if (!p)
        abort();
    p->config.tag_len = (uint16_t)tag_bytes;
    memcpy(p->config.tag, options->tag, tag_bytes);
    int r = virtio_device_init(&p->dev, &p9_ops, env, P9_F_MOUNT_TAG, &p->config,
                               (uint32_t)(sizeof(p->config.tag_len) + tag_bytes), e);
    if (r < 0) {
        free(p);
        return r;
    }
    virtio_device_add_queue(&p->dev, QUEUE_SIZE);
    p->request = malloc(P9_MSIZE_MAX);
    p->reply = malloc(P9_MSIZE_MAX);
    if (!p->request || !p->reply)
        abort();
    r = p9_server_open(&p->server, options->directory, options->read_only, e);
    p->server_is_open = r == 0;
    if (r == 0)
        r = workpool_new(env->loop, "share", 1, &p->pool, e);
    if (r < 0) {
        p9_free(&p->dev);
        return r;
    }
    workpool_on_batch(p->pool, batch_done, p);
    *ret_dev = &p->dev;
    return 0;
}
