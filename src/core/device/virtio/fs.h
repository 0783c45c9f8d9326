/* fs.h: a host directory for the guest by FUSE (virtio 1.2, section 5.11). */
#ifndef PENG_CORE_DEVICE_VIRTIO_FS_H
#define PENG_CORE_DEVICE_VIRTIO_FS_H

#include "core/device/virtio/device.h"

struct virtio_fs_options {
    const char *directory;
    const char *tag; /* the guest mounts it by this name; 1 to 36 bytes */
    bool read_only;
};

/* Errors: ENOENT, ENOTDIR, EACCES on the directory; EINVAL on the tag. */
int virtio_fs_new(const struct virtio_env *env, const struct virtio_fs_options *options,
                  struct virtio_device **ret_dev, struct err *e);

#endif
