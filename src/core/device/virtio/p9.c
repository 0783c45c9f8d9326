/* p9.c: the virtio 9P transport (virtio 1.2, section 5.14): one request and its reply a chain.
 *
 * The worker copies the request out of guest memory before it looks at it.
 */
#include "core/device/virtio/p9.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/iov.h"
#include "core/device/virtio/p9_int.h"
#include "core/device/virtio/service.h"

#define P9_F_MOUNT_TAG (1ull << 0)

enum { DEVICE_ID_9P = 9, TAG_BYTES_MAX = 32, QUEUE_SIZE = 128, REPLY_BYTES_MIN = 11 };

struct p9_config {
    uint16_t tag_len;
    uint8_t tag[TAG_BYTES_MAX];
};
static_assert(sizeof(struct p9_config) == 2 + TAG_BYTES_MAX, "virtio 1.2, section 5.14.4");

struct virtio_p9 {
    struct virtio_service service;
    struct p9_config config;
    struct p9_server server;
    uint8_t *request, *reply; /* P9_MSIZE_MAX bytes each */
};

static size_t handle(struct virtio_service *s, const struct service_request *r)
{
    struct virtio_p9 *p = (struct virtio_p9 *)s;
    size_t request_bytes = (size_t)r->readable_bytes;
    size_t room = r->writable_bytes < P9_MSIZE_MAX ? (size_t)r->writable_bytes : P9_MSIZE_MAX;
    iov_to_bytes(r->readable, r->readable_count, 0, p->request, request_bytes);
    size_t reply_bytes = p9_server_handle(&p->server, p->request, request_bytes, p->reply, room);
    return iov_from_bytes(r->writable, r->writable_count, 0, p->reply, reply_bytes);
}

static void p9_reset(struct virtio_device *dev)
{
    struct virtio_p9 *p = (struct virtio_p9 *)dev;
    virtio_service_drain(&p->service);
    p9_server_reset(&p->server);
}

static void free_all(struct virtio_p9 *p)
{
    p9_server_close(&p->server);
    free(p->request);
    free(p->reply);
    free(p);
}

static void p9_free(struct virtio_device *dev)
{
    struct virtio_p9 *p = (struct virtio_p9 *)dev;
    virtio_service_done(&p->service);
    free_all(p);
}

static const struct virtio_ops p9_ops = {.name = "9p",
                                         .device_id = DEVICE_ID_9P,
                                         .work = virtio_service_work,
                                         .reset = p9_reset,
                                         .free = p9_free};

int virtio_p9_new(const struct virtio_env *env, const struct virtio_p9_options *options,
                  struct virtio_device **ret_dev, struct err *e)
{
    size_t tag_bytes = strlen(options->tag);
    if (tag_bytes == 0 || tag_bytes > TAG_BYTES_MAX)
        return err_set(e, EINVAL, "tag=%s: a tag has 1 to %d bytes", options->tag, TAG_BYTES_MAX);
    struct virtio_p9 *p = calloc(1, sizeof(*p));
    if (!p)
        abort();
    p->request = malloc(P9_MSIZE_MAX);
    p->reply = malloc(P9_MSIZE_MAX);
    if (!p->request || !p->reply)
        abort();
    p->config.tag_len = (uint16_t)tag_bytes;
    memcpy(p->config.tag, options->tag, tag_bytes);
    p->service.handle = handle;
    p->service.readable_min = P9_HEADER_BYTES;
    p->service.readable_max = P9_MSIZE_MAX;
    p->service.writable_min = REPLY_BYTES_MIN;
    int r = p9_server_open(&p->server, options->directory, options->read_only, e);
    if (r == 0)
        r = virtio_service_init(&p->service, &p9_ops, env, P9_F_MOUNT_TAG, &p->config,
                                (uint32_t)(sizeof(p->config.tag_len) + tag_bytes), e);
    if (r < 0) {
        free_all(p);
        return r;
    }
    virtio_device_add_queue(&p->service.dev, QUEUE_SIZE);
    *ret_dev = &p->service.dev;
    return 0;
}
