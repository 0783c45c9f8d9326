/* netdev.h: what is at the other end of a network card's cable.
 *
 * Everything happens on the event loop's thread. Frames are whole Ethernet frames without checksum.
 */
#ifndef PENG_CORE_NETWORK_NETDEV_H
#define PENG_CORE_NETWORK_NETDEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/err.h"

enum { NETDEV_FRAME_MAX = 65536 + 14 };

struct netdev;

struct netdev_ops {
    /* The card sends one frame; what cannot be sent is dropped, as on a wire. */
    void (*send)(struct netdev *netdev, const void *frame, size_t size_bytes);
    /* A batch of sends has ended. */
    void (*flush)(struct netdev *netdev);
    /* The card has room again after receive() returned false. */
    void (*resume)(struct netdev *netdev);
    void (*free)(struct netdev *netdev);
};

/* The card. */
struct netdev_receiver {
    void *ctx;
    /* A frame for the guest; false: no room, try again after resume(). */
    bool (*receive)(void *ctx, const void *frame, size_t size_bytes);
    /* A batch of receives has ended. */
    void (*flush)(void *ctx);
};

/* The base of every back end: first member of its own struct. */
struct netdev {
    const struct netdev_ops *ops;
    struct netdev_receiver receiver;
    uint16_t mtu;        /* largest IP packet, 0: the usual 1500 */
    bool checksums_good; /* frames that come in were made on this host and need no check */
};

void netdev_free(struct netdev *netdev); /* NULL is a no-op */

#endif
