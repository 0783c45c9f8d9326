/* balloon.h: the traditional memory balloon (virtio 1.2, section 5.5). */
#ifndef PENG_CORE_DEVICE_VIRTIO_BALLOON_H
#define PENG_CORE_DEVICE_VIRTIO_BALLOON_H

#include "core/device/virtio/device.h"

int virtio_balloon_new(const struct virtio_env *env, struct virtio_device **ret_dev, struct err *e);

/* Asks the driver to give back (or take) pages until the balloon has this size. Any thread. */
void virtio_balloon_set_target(struct virtio_device *dev, uint64_t size_bytes);
/* The size the driver last reported. Any thread. */
uint64_t virtio_balloon_size(struct virtio_device *dev);

#endif
