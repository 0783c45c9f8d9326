/* user.h: a network of the user's own, without privileges, by libslirp: the guest at 10.0.2.15 by
 * DHCP, the host at 10.0.2.2, a name server at 10.0.2.3.
 */
#ifndef PENG_CORE_NETWORK_USER_H
#define PENG_CORE_NETWORK_USER_H

#include <netinet/in.h>

#include "base/evloop.h"
#include "base/log.h"
#include "core/network/netdev.h"

enum { NET_USER_FORWARDS_MAX = 32 };

/* A port of the host that leads into the guest. */
struct net_user_forward {
    bool udp;
    struct in_addr host_address;  /* 0: all */
    struct in_addr guest_address; /* 0: the first DHCP address */
    uint16_t host_port, guest_port;
};

struct net_user_options {
    struct net_user_forward forwards[NET_USER_FORWARDS_MAX];
    unsigned forward_count;
    bool restricted; /* no way out but the forwarded ports */
};

/* Parses "tcp|udp:[ADDRESS]:PORT-[ADDRESS]:PORT" (the first "[ADDRESS]:" may be left out). */
int net_user_parse_forward(const char *text, struct net_user_forward *forward, struct err *e);
/* Errors: EADDRINUSE and the like, naming the port. `log` may be NULL. */
int net_user_new(struct evloop *loop, const struct net_user_options *options, const struct log *log,
                 struct netdev **ret_netdev, struct err *e);

#endif
