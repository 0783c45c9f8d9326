/* net.h: the virtio network device (virtio 1.2, section 5.1). */
#ifndef PENG_CORE_DEVICE_VIRTIO_NET_H
#define PENG_CORE_DEVICE_VIRTIO_NET_H

#include "core/device/virtio/device.h"
#include "core/network/netdev.h"

struct virtio_net_options {
    uint8_t mac[6]; /* all zero: a random locally-administered one */
};

/* Parses "aa:bb:cc:dd:ee:ff"; refuses multicast addresses. */
int virtio_net_parse_mac(const char *text, uint8_t mac[6], struct err *e);

/* Takes `netdev` over, also on failure. */
int virtio_net_new(const struct virtio_env *env, struct netdev *netdev,
                   const struct virtio_net_options *options, struct virtio_device **ret_dev,
                   struct err *e);

#endif
