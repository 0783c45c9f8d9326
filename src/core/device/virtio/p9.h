/* p9.h: a host directory for the guest by 9P2000.L (virtio 1.2, section 5.14). */
#ifndef PENG_CORE_DEVICE_VIRTIO_P9_H
#define PENG_CORE_DEVICE_VIRTIO_P9_H

#include "core/device/virtio/device.h"

struct virtio_p9_options {
    const char *directory;
    const char *tag; /* the guest mounts it by this name; 1 to 32 bytes */
    bool read_only;
};

/* Errors: ENOENT, ENOTDIR, EACCES on the directory; EINVAL on the tag. */
int virtio_p9_new(const struct virtio_env *env, const struct virtio_p9_options *options,
                  struct virtio_device **ret_dev, struct err *e);

#endif
