/* netdev.c: the end of a back end. */
#include "core/network/netdev.h"

void netdev_free(struct netdev *netdev)
{
    if (netdev)
        netdev->ops->free(netdev);
}
