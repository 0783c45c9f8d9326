/* console.h: the virtio console (virtio 1.2, section 5.3), one port. */
#ifndef PENG_CORE_DEVICE_VIRTIO_CONSOLE_H
#define PENG_CORE_DEVICE_VIRTIO_CONSOLE_H

#include "core/device/virtio/device.h"

struct chardev;

/* `chardev` is borrowed. */
int virtio_console_new(const struct virtio_env *env, struct chardev *chardev,
                       struct virtio_device **ret_dev, struct err *e);

#endif
