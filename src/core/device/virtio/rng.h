/* rng.h: the virtio entropy device (virtio 1.2, section 5.4). */
#ifndef PENG_CORE_DEVICE_VIRTIO_RNG_H
#define PENG_CORE_DEVICE_VIRTIO_RNG_H

#include "core/device/virtio/device.h"

int virtio_rng_new(const struct virtio_env *env, struct virtio_device **ret_dev, struct err *e);

#endif
