/* service.c: a job a request, kept on a free list; no more of them than the queues have entries. */
#include "core/device/virtio/service.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct service_job {
    struct work work;
    struct virtio_service *service;
    unsigned lifetime; /* the device's when it was taken */
    unsigned queue;
    uint16_t head;
    size_t written_bytes;
    struct service_request request;
    struct iovec iov[VQ_CHAIN_MAX];
    struct service_job *next_free;
};

static struct service_job *job_of(struct work *work)
{
    return (struct service_job *)((char *)work - offsetof(struct service_job, work));
}

static void run_job(struct work *work)
{
    struct service_job *job = job_of(work);
    job->written_bytes = job->service->handle(job->service, &job->request);
}

static void job_done(struct work *work)
{
    struct service_job *job = job_of(work);
    struct virtio_service *s = job->service;
    pthread_mutex_lock(&s->dev.lock);
    if (job->lifetime == s->dev.lifetime)
        vq_push(&s->dev.queues[job->queue], job->head, (uint32_t)job->written_bytes);
    job->next_free = s->free_jobs;
    s->free_jobs = job;
    pthread_mutex_unlock(&s->dev.lock);
}

static void batch_done(void *ctx)
{
    struct virtio_service *s = ctx;
    pthread_mutex_lock(&s->dev.lock);
    for (unsigned i = 0; i < s->dev.queue_count; i++)
        vq_flush(&s->dev.queues[i]);
    pthread_mutex_unlock(&s->dev.lock);
}

static struct service_job *get_job(struct virtio_service *s)
{
    struct service_job *job = s->free_jobs;
    if (job) {
        s->free_jobs = job->next_free;
        return job;
    }
    job = malloc(sizeof(*job));
    if (!job)
        abort();
    return job;
}

static void take_request(struct virtio_device *dev, struct virtqueue *q, struct vq_chain *chain)
{
    struct virtio_service *s = (struct virtio_service *)dev;
    if (chain->readable_bytes < s->readable_min || chain->readable_bytes > s->readable_max ||
        chain->writable_bytes < s->writable_min) {
        vq_break(q, "request or room for its reply of impossible size");
        return;
    }
    struct service_job *job = get_job(s);
    job->work = (struct work){.run = run_job, .done = job_done};
    job->service = s;
    job->lifetime = dev->lifetime;
    job->queue = q->index;
    job->head = chain->head;
    memcpy(job->iov, chain->iov,
           (chain->readable_count + chain->writable_count) * sizeof(job->iov[0]));
    job->request = (struct service_request){.readable = job->iov,
                                            .writable = job->iov + chain->readable_count,
                                            .readable_count = chain->readable_count,
                                            .writable_count = chain->writable_count,
                                            .readable_bytes = chain->readable_bytes,
                                            .writable_bytes = chain->writable_bytes};
    workpool_submit(s->pool, &job->work);
}

void virtio_service_work(struct virtio_device *dev, unsigned queue)
{
    virtio_device_serve(dev, queue, take_request);
}

void virtio_service_drain(struct virtio_service *s)
{
    workpool_drain(s->pool);
}

int virtio_service_init(struct virtio_service *s, const struct virtio_ops *ops,
                        const struct virtio_env *env, uint64_t features, void *config,
                        uint32_t config_size, struct err *e)
{
    int r = virtio_device_init(&s->dev, ops, env, features, config, config_size, e);
    if (r < 0)
        return r;
    r = workpool_new(env->loop, ops->name, 1, &s->pool, e);
    if (r < 0) {
        virtio_device_done(&s->dev);
        return r;
    }
    workpool_on_batch(s->pool, batch_done, s);
    return 0;
}

void virtio_service_done(struct virtio_service *s)
{
    workpool_free(s->pool);
    while (s->free_jobs) {
        struct service_job *next = s->free_jobs->next_free;
        free(s->free_jobs);
        s->free_jobs = next;
    }
    virtio_device_done(&s->dev);
}
