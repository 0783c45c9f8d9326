/* fs.c: the virtio file system device (virtio 1.2, section 5.11): queue 0 for what must not wait
 * (forgets), queue 1 for requests; here both are served in order.
 */
#include "core/device/virtio/fs.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/device/virtio/fuse_server.h"

enum { DEVICE_ID_FS = 26, TAG_BYTES_MAX = 36, REQUEST_BYTES_MAX = 4 << 20 };

/* Section 5.11.4 */
struct fs_config {
    uint8_t tag[TAG_BYTES_MAX];
    uint32_t num_request_queues;
} __attribute__((packed));
static_assert(sizeof(struct fs_config) == 40, "virtio 1.2, section 5.11.4");

struct virtio_fs {
    struct virtio_service service;
    struct fs_config config;
    struct fuse_server server;
};

static size_t handle(struct virtio_service *s, const struct service_request *request)
{
    return fuse_server_handle(&((struct virtio_fs *)s)->server, request);
}

static void fs_reset(struct virtio_device *dev)
{
    struct virtio_fs *f = (struct virtio_fs *)dev;
    virtio_service_drain(&f->service);
    fuse_server_reset(&f->server);
}

static void fs_free(struct virtio_device *dev)
{
    struct virtio_fs *f = (struct virtio_fs *)dev;
    virtio_service_done(&f->service);
    fuse_server_close(&f->server);
    free(f);
}

static const struct virtio_ops fs_ops = {.name = "fs",
                                         .device_id = DEVICE_ID_FS,
                                         .work = virtio_service_work,
                                         .reset = fs_reset,
                                         .free = fs_free};

int virtio_fs_new(const struct virtio_env *env, const struct virtio_fs_options *options,
                  struct virtio_device **ret_dev, struct err *e)
{
    size_t tag_bytes = strlen(options->tag);
    if (tag_bytes == 0 || tag_bytes > TAG_BYTES_MAX)
        return err_set(e, EINVAL, "tag=%s: a tag has 1 to %d bytes", options->tag, TAG_BYTES_MAX);
    struct virtio_fs *f = calloc(1, sizeof(*f));
    if (!f)
        abort();
    memcpy(f->config.tag, options->tag, tag_bytes);
    f->config.num_request_queues = 1;
    f->service.handle = handle;
    f->service.readable_min = sizeof(struct fuse_in_header);
    f->service.readable_max = REQUEST_BYTES_MAX;
    int r = fuse_server_open(&f->server, options->directory, options->read_only, e);
    if (r == 0)
        r = virtio_service_init(&f->service, &fs_ops, env, 0, &f->config, sizeof(f->config), e);
    if (r < 0) {
        fuse_server_close(&f->server);
        free(f);
        return r;
    }
    virtio_device_add_queue(&f->service.dev, VQ_SIZE_MAX);
    virtio_device_add_queue(&f->service.dev, VQ_SIZE_MAX);
    *ret_dev = &f->service.dev;
    return 0;
}
