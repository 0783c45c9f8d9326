/* blk.h: the virtio block device (virtio 1.2, section 5.2). */
#ifndef PENG_CORE_DEVICE_VIRTIO_BLK_H
#define PENG_CORE_DEVICE_VIRTIO_BLK_H

#include "core/block/blk.h"
#include "core/device/virtio/device.h"

struct virtio_blk_options {
    const char *serial; /* at most 20 bytes are shown to the guest; NULL: none */
};

/* Takes `blk` over, also on failure. */
int virtio_blk_new(const struct virtio_env *env, struct blk *blk,
                   const struct virtio_blk_options *options, struct virtio_device **ret_dev,
                   struct err *e);

#endif
