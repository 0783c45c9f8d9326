/* user.c: user-mode networking over libslirp.
 *
 * libslirp is a TCP/IP stack that terminates the guest's connections and opens sockets of this
 * process in their place. It runs wholly on the event loop's thread: a pollset carries its sockets,
 * one timer its time-outs. After anything that may have changed what it waits for (a socket was
 * ready, the time came, the guest sent frames) plan() asks it again.
 *
 * Frames for the guest that find no room wait in a bounded backlog; what does not fit there is
 * lost, as on a wire.
 *
 * The network's MTU is a jumbo frame's: libslirp ends every connection itself, so no frame of it
 * goes to a real wire, and the guest spends a third less time on the same data. With still larger
 * frames few fit into libslirp's windows, and transfers stall now and then.
 *
 * Limits: IPv4 only.
 */
#include "core/network/user.h"

#include <arpa/inet.h>
#include <errno.h>
#include <slirp/libslirp.h>
#include <stdlib.h>
#include <string.h>

#include "core/network/pollset.h"

enum { BACKLOG_FRAMES_MAX = 1024, NS_PER_MS = 1000000, CONFIG_VERSION = 4, MTU_BYTES = 9000 };

struct frame {
    struct frame *next;
    size_t size_bytes;
    uint8_t data[];
};

struct user {
    struct netdev netdev;
    struct evloop *loop;   /* borrowed */
    const struct log *log; /* borrowed */
    Slirp *slirp;
    struct pollset *polls;
    struct evtimer *timer;
    struct frame *first, **last; /* the backlog */
    unsigned backlog_count;
};

/* A timer that libslirp asked for. */
struct slirp_timer {
    struct user *user;
    struct evtimer *timer;
    SlirpTimerId id;
    void *ctx;
};

/* --- what libslirp calls --- */

static void backlog_add(struct user *u, const void *data, size_t size_bytes)
{
    if (u->backlog_count == BACKLOG_FRAMES_MAX)
        return;
    struct frame *frame = malloc(sizeof(*frame) + size_bytes);
    if (!frame)
        return;
    frame->next = NULL;
    frame->size_bytes = size_bytes;
    memcpy(frame->data, data, size_bytes);
    *u->last = frame;
    u->last = &frame->next;
    u->backlog_count++;
}

static ssize_t on_send_packet(const void *data, size_t size_bytes, void *ctx)
{
    struct user *u = ctx;
    const struct netdev_receiver *to = &u->netdev.receiver;
    if (to->receive && (u->first || !to->receive(to->ctx, data, size_bytes)))
        backlog_add(u, data, size_bytes);
    return (ssize_t)size_bytes;
}

static void on_guest_error(const char *text, void *ctx)
{
    struct user *u = ctx;
    log_debug(u->log, "net user: %s", text);
}

static int64_t on_clock(void *ctx)
{
    return (int64_t)clock_now_ns();
}

static void timer_fired(void *ctx)
{
    struct slirp_timer *t = ctx;
    slirp_handle_timer(t->user->slirp, t->id, t->ctx);
}

static void *on_timer_new(SlirpTimerId id, void *timer_ctx, void *ctx)
{
    struct slirp_timer *t = calloc(1, sizeof(*t));
    if (!t)
        abort();
    *t = (struct slirp_timer){.user = ctx, .id = id, .ctx = timer_ctx};
    if (evtimer_new(t->user->loop, timer_fired, t, &t->timer, NULL) < 0)
        abort();
    return t;
}

static void on_timer_free(void *timer, void *ctx)
{
    struct slirp_timer *t = timer;
    evtimer_free(t->timer);
    free(t);
}

static void on_timer_mod(void *timer, int64_t expire_ms, void *ctx)
{
    struct slirp_timer *t = timer;
    evtimer_set(t->timer, (uint64_t)expire_ms * NS_PER_MS);
}

static void on_register_fd(int fd, void *ctx)
{
    /* plan() learns of it in time */
}

static void on_unregister_fd(int fd, void *ctx)
{
    struct user *u = ctx;
    pollset_forget(u->polls, fd);
}

static void on_notify(void *ctx)
{
    /* for programs whose loop sleeps in another thread */
}

static const SlirpCb callbacks = {
    .send_packet = on_send_packet,
    .guest_error = on_guest_error,
    .clock_get_ns = on_clock,
    .timer_free = on_timer_free,
    .timer_mod = on_timer_mod,
    .register_poll_fd = on_register_fd,
    .unregister_poll_fd = on_unregister_fd,
    .notify = on_notify,
    .timer_new_opaque = on_timer_new,
};

/* --- the loop --- */

static const struct {
    int slirp;
    short poll;
} event_bits[] = {
    {SLIRP_POLL_IN, POLLIN},   {SLIRP_POLL_OUT, POLLOUT}, {SLIRP_POLL_PRI, POLLPRI},
    {SLIRP_POLL_ERR, POLLERR}, {SLIRP_POLL_HUP, POLLHUP},
};

static int add_poll(int fd, int slirp_events, void *ctx)
{
    struct user *u = ctx;
    short events = 0;
    for (unsigned i = 0; i < sizeof(event_bits) / sizeof(event_bits[0]); i++)
        if (slirp_events & event_bits[i].slirp)
            events |= event_bits[i].poll;
    return pollset_add(u->polls, fd, events);
}

static int get_revents(int index, void *ctx)
{
    struct user *u = ctx;
    short ready = pollset_revents(u->polls, index);
    int events = 0;
    for (unsigned i = 0; i < sizeof(event_bits) / sizeof(event_bits[0]); i++)
        if (ready & event_bits[i].poll)
            events |= event_bits[i].slirp;
    return events;
}

/* What to wait for next. */
static void plan(struct user *u)
{
    uint32_t timeout_ms = UINT32_MAX;
    pollset_begin(u->polls);
    slirp_pollfds_fill(u->slirp, &timeout_ms, add_poll, u);
    pollset_end(u->polls);
    uint64_t deadline = 0;
    if (timeout_ms != UINT32_MAX)
        deadline = clock_now_ns() + (uint64_t)timeout_ms * NS_PER_MS;
    evtimer_set(u->timer, deadline);
}

static void flush_receiver(struct user *u)
{
    if (u->netdev.receiver.flush)
        u->netdev.receiver.flush(u->netdev.receiver.ctx);
}

/* A socket is ready, or the time has come. */
static void turn(void *ctx)
{
    struct user *u = ctx;
    int n = pollset_poll(u->polls);
    slirp_pollfds_poll(u->slirp, n < 0, get_revents, u);
    flush_receiver(u);
    plan(u);
}

/* --- the back end --- */

static void user_send(struct netdev *netdev, const void *frame, size_t size_bytes)
{
    struct user *u = (struct user *)netdev;
    slirp_input(u->slirp, frame, (int)size_bytes);
}

static void user_flush(struct netdev *netdev)
{
    struct user *u = (struct user *)netdev;
    flush_receiver(u);
    plan(u);
}

static void user_resume(struct netdev *netdev)
{
    struct user *u = (struct user *)netdev;
    const struct netdev_receiver *to = &netdev->receiver;
    while (u->first && to->receive(to->ctx, u->first->data, u->first->size_bytes)) {
        struct frame *next = u->first->next;
        free(u->first);
        u->first = next;
        if (!next)
            u->last = &u->first;
        u->backlog_count--;
    }
    flush_receiver(u);
}

static void user_free(struct netdev *netdev)
{
    struct user *u = (struct user *)netdev;
    if (u->slirp)
        slirp_cleanup(u->slirp);
    evtimer_free(u->timer);
    pollset_free(u->polls);
    while (u->first) {
        struct frame *next = u->first->next;
        free(u->first);
        u->first = next;
    }
    free(u);
}

static const struct netdev_ops user_ops = {user_send, user_flush, user_resume, user_free};

/* --- making it --- */

static struct in_addr address(const char *text)
{
    struct in_addr a;
    inet_pton(AF_INET, text, &a);
    return a;
}

static int add_forward(struct user *u, const struct net_user_forward *f, struct err *e)
{
    if (slirp_add_hostfwd(u->slirp, f->udp, f->host_address, f->host_port, f->guest_address,
                          f->guest_port) == 0)
        return 0;
    return err_set_errno(e, errno ? errno : EADDRINUSE, "cannot forward %s port %u of the host",
                         f->udp ? "udp" : "tcp", f->host_port);
}

int net_user_new(struct evloop *loop, const struct net_user_options *options, const struct log *log,
                 struct netdev **ret_netdev, struct err *e)
{
    struct user *u = calloc(1, sizeof(*u));
    if (!u)
        abort();
    u->netdev = (struct netdev){.ops = &user_ops, .mtu = MTU_BYTES, .checksums_good = true};
    u->loop = loop;
    u->log = log;
    u->last = &u->first;
    int r = pollset_new(loop, turn, u, &u->polls, e);
    if (r == 0)
        r = evtimer_new(loop, turn, u, &u->timer, e);
    if (r < 0) {
        user_free(&u->netdev);
        return r;
    }
    SlirpConfig config = {
        .version = CONFIG_VERSION,
        .restricted = options->restricted,
        .in_enabled = true,
        .vnetwork = address("10.0.2.0"),
        .vnetmask = address("255.255.255.0"),
        .vhost = address("10.0.2.2"),
        .vdhcp_start = address("10.0.2.15"),
        .vnameserver = address("10.0.2.3"),
        .if_mtu = MTU_BYTES,
        .if_mru = MTU_BYTES,
    };
    u->slirp = slirp_new(&config, &callbacks, u);
    if (!u->slirp)
        r = err_set(e, EINVAL, "libslirp refused its configuration");
    for (unsigned i = 0; r == 0 && i < options->forward_count; i++)
        r = add_forward(u, &options->forwards[i], e);
    if (r < 0) {
        user_free(&u->netdev);
        return r;
    }
    plan(u);
    *ret_netdev = &u->netdev;
    return 0;
}

/* "[ADDRESS:]PORT", where ADDRESS may be empty. */
static bool parse_end(char *text, struct in_addr *address_out, uint16_t *ret_port)
{
    char *colon = strrchr(text, ':'), *end;
    const char *port_text = colon ? colon + 1 : text;
    address_out->s_addr = 0;
    if (colon)
        *colon = 0;
    if (colon && *text && inet_pton(AF_INET, text, address_out) != 1)
        return false;
    if (*port_text < '0' || *port_text > '9')
        return false;
    unsigned long port = strtoul(port_text, &end, 10);
    *ret_port = (uint16_t)port;
    return *end == 0 && port >= 1 && port <= UINT16_MAX;
}

int net_user_parse_forward(const char *text, struct net_user_forward *forward, struct err *e)
{
    char copy[128];
    struct net_user_forward f = {0};
    if (strlen(text) < sizeof(copy)) {
        strcpy(copy, text);
        char *dash = strchr(copy, '-');
        f.udp = strncmp(copy, "udp:", 4) == 0;
        if (dash && (f.udp || strncmp(copy, "tcp:", 4) == 0)) {
            *dash = 0;
            if (parse_end(copy + 4, &f.host_address, &f.host_port) &&
                parse_end(dash + 1, &f.guest_address, &f.guest_port)) {
                *forward = f;
                return 0;
            }
        }
    }
    return err_set(e, EINVAL, "hostfwd=%s: expected tcp|udp:[ADDRESS:]HOSTPORT-[ADDRESS]:GUESTPORT",
                   text);
}
