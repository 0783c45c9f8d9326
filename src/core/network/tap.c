/* tap.c: frames to and from a tap interface (Linux, Documentation/networking/tuntap).
 *
 * One read(2) is one frame. A frame that the card has no room for is kept, and the interface is not
 * read until the card calls resume(); the kernel's queue holds what comes meanwhile.
 */
#include "core/network/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FRAMES_PER_TURN = 64 };

struct tap {
    struct netdev netdev;
    int fd;
    struct evsource *source;
    size_t held_bytes; /* a frame in `frame` that waits; 0: none */
    uint8_t frame[NETDEV_FRAME_MAX];
};

static void tap_ready(void *ctx, uint32_t events)
{
    struct tap *t = ctx;
    const struct netdev_receiver *to = &t->netdev.receiver;
    for (unsigned i = 0; i < FRAMES_PER_TURN; i++) {
        ssize_t n = read(t->fd, t->frame, sizeof(t->frame));
        if (n <= 0)
            break;
        if (to->receive && !to->receive(to->ctx, t->frame, (size_t)n)) {
            t->held_bytes = (size_t)n;
            evsource_modify(t->source, 0);
            break;
        }
    }
    if (to->flush)
        to->flush(to->ctx);
}

static void tap_resume(struct netdev *netdev)
{
    struct tap *t = (struct tap *)netdev;
    const struct netdev_receiver *to = &netdev->receiver;
    if (!t->held_bytes || !to->receive(to->ctx, t->frame, t->held_bytes))
        return;
    t->held_bytes = 0;
    to->flush(to->ctx);
    evsource_modify(t->source, EPOLLIN);
}

static void tap_send(struct netdev *netdev, const void *frame, size_t size_bytes)
{
    struct tap *t = (struct tap *)netdev;
    ssize_t n = write(t->fd, frame, size_bytes);
    (void)n; /* full, or down: the frame is lost */
}

static void tap_flush(struct netdev *netdev)
{
}

static void tap_free(struct netdev *netdev)
{
    struct tap *t = (struct tap *)netdev;
    evsource_remove(t->source);
    if (t->fd >= 0)
        close(t->fd);
    free(t);
}

static const struct netdev_ops tap_ops = {tap_send, tap_flush, tap_resume, tap_free};

static int attach(struct tap *t, const char *name, struct err *e)
{
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
    if (!*name || strlen(name) >= sizeof(request.ifr_name))
        return err_set(e, EINVAL, "tap=%s: the name of an interface has 1 to %zu characters", name,
                       sizeof(request.ifr_name) - 1);
    strcpy(request.ifr_name, name);
    t->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (t->fd < 0)
        return err_set_errno(e, errno, "tap=%s: /dev/net/tun", name);
    if (ioctl(t->fd, TUNSETIFF, &request) < 0)
        return err_set_errno(e, errno, "tap=%s", name);
    return 0;
}

/* Brings the interface up and learns its MTU; where either is not allowed, the operator has done
 * it. */
static uint16_t set_up(const char *name)
{
    struct ifreq request = {0};
    strcpy(request.ifr_name, name);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return 0;
    if (ioctl(fd, SIOCGIFFLAGS, &request) == 0 && !(request.ifr_flags & IFF_UP)) {
        request.ifr_flags |= IFF_UP;
        int r = ioctl(fd, SIOCSIFFLAGS, &request);
        (void)r;
    }
    uint16_t mtu = ioctl(fd, SIOCGIFMTU, &request) == 0 && request.ifr_mtu <= UINT16_MAX
                       ? (uint16_t)request.ifr_mtu
                       : 0;
    close(fd);
    return mtu;
}

int net_tap_new(struct evloop *loop, const char *name, struct netdev **ret_netdev, struct err *e)
{
    struct tap *t = calloc(1, sizeof(*t));
    if (!t)
        abort();
    t->netdev.ops = &tap_ops;
    t->fd = -1;
    int r = attach(t, name, e);
    if (r == 0) {
        t->netdev.mtu = set_up(name);
        r = evloop_add(loop, t->fd, EPOLLIN, tap_ready, t, &t->source, e);
    }
    if (r < 0) {
        tap_free(&t->netdev);
        return r;
    }
    *ret_netdev = &t->netdev;
    return 0;
}
