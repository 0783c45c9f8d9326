/* tap.h: an interface of the host's kernel; the operator bridges or routes it. */
#ifndef PENG_CORE_NETWORK_TAP_H
#define PENG_CORE_NETWORK_TAP_H

#include "base/evloop.h"
#include "core/network/netdev.h"

/* Attaches to tap interface `name`, or makes it. Errors: EPERM, EBUSY, EINVAL (the name). */
int net_tap_new(struct evloop *loop, const char *name, struct netdev **ret_netdev, struct err *e);

#endif
