/* echo_netdev.h: a network that gives back each frame it gets, for targets with a network device.
 */
#ifndef PENG_TESTS_FUZZ_ECHO_NETDEV_H
#define PENG_TESTS_FUZZ_ECHO_NETDEV_H

#include <assert.h>
#include <stdlib.h>

#include "core/network/netdev.h"

static void echo_frame(struct netdev *netdev, const void *frame, size_t size_bytes)
{
    netdev->receiver.receive(netdev->receiver.ctx, frame, size_bytes);
}

static void echo_flush(struct netdev *netdev)
{
    netdev->receiver.flush(netdev->receiver.ctx);
}

static void echo_free(struct netdev *netdev)
{
    free(netdev);
}

/* The device that takes it frees it. */
static struct netdev *echo_netdev_new(void)
{
    static const struct netdev_ops ops = {echo_frame, echo_flush, echo_flush, echo_free};
    struct netdev *netdev = calloc(1, sizeof(*netdev));
    assert(netdev);
    netdev->ops = &ops;
    return netdev;
}

#endif
