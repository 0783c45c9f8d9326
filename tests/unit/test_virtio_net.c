/* test_virtio_net.c: the network device against a back end of ours, and against the user network.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <string.h>
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "core/device/virtio/net.h"
#include "core/network/user.h"
#include "virtio_guest.h"

enum { HEADER = 12, RX = 0, TX = 1, BUFFER_BYTES = 256 };

/* A back end that keeps the last frame, and hands in frames when the test says so. */
struct wire {
    struct netdev netdev;
    uint8_t sent[NETDEV_FRAME_MAX];
    atomic_size_t sent_bytes;
    atomic_uint sent_count, flushes, resumes;
    const uint8_t *pending;
    size_t pending_bytes;
    atomic_uint pending_count; /* the loop's while it is not 0 */
};

static void wire_send(struct netdev *netdev, const void *frame, size_t size_bytes)
{
    struct wire *w = (struct wire *)netdev;
    memcpy(w->sent, frame, size_bytes);
    w->sent_bytes = size_bytes;
    w->sent_count++;
}

static void wire_flush(struct netdev *netdev)
{
    ((struct wire *)netdev)->flushes++;
}

/* On the loop: gives the frames that are pending. */
static void wire_give(void *ctx)
{
    struct wire *w = ctx;
    const struct netdev_receiver *to = &w->netdev.receiver;
    while (w->pending_count && to->receive(to->ctx, w->pending, w->pending_bytes))
        w->pending_count--;
    to->flush(to->ctx);
}

static void wire_resume(struct netdev *netdev)
{
    ((struct wire *)netdev)->resumes++;
    wire_give(netdev);
}

static void wire_free(struct netdev *netdev)
{
}

static const struct netdev_ops wire_ops = {wire_send, wire_flush, wire_resume, wire_free};

struct fixture {
    struct guest g;
    struct wire wire;
};

static void start(struct fixture *f, struct netdev *netdev, uint64_t features)
{
    struct virtio_device *dev;
    struct virtio_net_options options = {.mac = {0x52, 0x54, 0, 1, 2, 3}};
    assert_int_equal(virtio_net_new(&f->g.env, netdev, &options, &dev, NULL), 0);
    guest_start(&f->g, dev, features, 2, 16);
}

static int setup(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof(f));
    f.wire.netdev.ops = &wire_ops;
    guest_init(&f.g);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    guest_done(&f->g);
    return 0;
}

static uint64_t add_rx(struct fixture *f, uint32_t size)
{
    uint64_t address = guest_alloc(&f->g, size);
    guest_add(&f->g, RX, (struct guest_buffer[]){{address, size, true}}, 1);
    return address;
}

static void give(struct fixture *f, const uint8_t *frame, size_t size, unsigned count)
{
    f->wire.pending = frame;
    f->wire.pending_bytes = size;
    f->wire.pending_count = count;
    evloop_post(f->g.loop, wire_give, &f->wire);
}

static void test_config(void **state)
{
    struct fixture *f = *state;
    start(f, &f->wire.netdev, ~0ull);
    assert_int_equal(guest_reg(&f->g, 0x08), 1);
    assert_int_equal(guest_reg(&f->g, 0x100), 0x01005452);
    assert_int_equal(guest_reg(&f->g, 0x104), 0x00010302); /* link up */
}

static void test_send(void **state)
{
    struct fixture *f = *state;
    start(f, &f->wire.netdev, ~0ull);
    uint8_t bytes[HEADER + 60] = {0};
    for (unsigned i = 0; i < 60; i++)
        bytes[HEADER + i] = (uint8_t)i;
    uint64_t a = guest_copy(&f->g, bytes, sizeof(bytes));
    /* cut in the middle of the header */
    guest_do(&f->g, TX, (struct guest_buffer[]){{a, 5, false}, {a + 5, sizeof(bytes) - 5, false}},
             2);
    assert_int_equal(f->wire.sent_bytes, 60);
    assert_memory_equal(f->wire.sent, bytes + HEADER, 60);
    /* a frame with its checksum left to us: 20 bytes from 34, field at 34 + 16 */
    bytes[0] = 1;
    bytes[6] = 34;
    bytes[8] = 16;
    memset(bytes + HEADER + 34, 0, 20);
    bytes[HEADER + 34] = 0x12;
    bytes[HEADER + 35] = 0x34;
    memset(bytes + HEADER + 54, 0, 6);
    guest_do(
        &f->g, TX,
        (struct guest_buffer[]){{guest_copy(&f->g, bytes, sizeof(bytes)), sizeof(bytes), false}},
        1);
    assert_int_equal(f->wire.sent[50], 0xed);
    assert_int_equal(f->wire.sent[51], 0xcb);
    /* a field outside of the frame: dropped */
    bytes[8] = 26;
    guest_do(
        &f->g, TX,
        (struct guest_buffer[]){{guest_copy(&f->g, bytes, sizeof(bytes)), sizeof(bytes), false}},
        1);
    assert_int_equal(f->wire.sent_count, 2);
    /* no frame at all; one that is too long */
    guest_do(&f->g, TX, (struct guest_buffer[]){{a, HEADER, false}}, 1);
    guest_do(&f->g, TX, (struct guest_buffer[]){{GUEST_HEAP, 1 << 20, false}}, 1);
    assert_int_equal(f->wire.sent_count, 2);
    guest_add(&f->g, TX, (struct guest_buffer[]){{a, HEADER - 1, false}}, 1);
    guest_notify(&f->g, TX);
    assert_true(guest_wait_status(&f->g, VIRTIO_STATUS_NEEDS_RESET));
}

static void test_receive_merged(void **state)
{
    struct fixture *f = *state;
    uint8_t frame[600];
    start(f, &f->wire.netdev, ~0ull);
    for (unsigned i = 0; i < sizeof(frame); i++)
        frame[i] = (uint8_t)(i * 7);
    uint64_t a[3];
    for (unsigned i = 0; i < 3; i++)
        a[i] = add_rx(f, BUFFER_BYTES);
    give(f, frame, sizeof(frame), 1);
    uint32_t written;
    assert_true(guest_wait_used(&f->g, RX, NULL, &written));
    assert_int_equal(written, BUFFER_BYTES);
    assert_true(guest_wait_used(&f->g, RX, NULL, &written));
    assert_true(guest_wait_used(&f->g, RX, NULL, &written));
    assert_int_equal(written, 612 - 2 * BUFFER_BYTES);
    assert_int_equal(load_le(guest_host(&f->g, a[0] + 10), 2), 3);
    assert_memory_equal(guest_host(&f->g, a[0] + HEADER), frame, BUFFER_BYTES - HEADER);
    assert_memory_equal(guest_host(&f->g, a[1]), frame + 244, BUFFER_BYTES);
    assert_memory_equal(guest_host(&f->g, a[2]), frame + 500, 100);
}

/* No room: the frame waits in the back end, and nothing is used up. */
static void test_receive_starved(void **state)
{
    struct fixture *f = *state;
    uint8_t frame[300] = {1, 2, 3};
    start(f, &f->wire.netdev, ~0ull);
    add_rx(f, BUFFER_BYTES);
    give(f, frame, sizeof(frame), 2);
    usleep(20000);
    assert_int_equal(load_le(guest_host(&f->g, f->g.queues[RX].used + 2), 2), 0);
    for (unsigned i = 0; i < 3; i++)
        add_rx(f, BUFFER_BYTES);
    guest_notify(&f->g, RX);
    for (unsigned i = 0; i < 4; i++)
        assert_true(guest_wait_used(&f->g, RX, NULL, NULL));
    assert_int_equal(f->wire.pending_count, 0);
}

static void test_receive_not_merged(void **state)
{
    struct fixture *f = *state;
    uint8_t frame[600] = {0};
    start(f, &f->wire.netdev, ~(1ull << 15));
    uint64_t a = add_rx(f, BUFFER_BYTES);
    give(f, frame, sizeof(frame), 1); /* does not fit: dropped */
    usleep(20000);
    give(f, frame, 100, 1);
    uint32_t written;
    assert_true(guest_wait_used(&f->g, RX, NULL, &written));
    assert_int_equal(written, 112);
    assert_int_equal(load_le(guest_host(&f->g, a + 10), 2), 1);
}

static void test_bad_receive_buffers(void **state)
{
    struct fixture *f = *state;
    uint8_t frame[100] = {0};
    start(f, &f->wire.netdev, ~0ull);
    for (unsigned i = 0; i < 2; i++) {
        uint64_t a = guest_alloc(&f->g, 64);
        guest_add(&f->g, RX, (struct guest_buffer[]){{a, i ? 64 : 12, i == 0}}, 1);
        give(f, frame, sizeof(frame), 1);
        assert_true(guest_wait_status(&f->g, VIRTIO_STATUS_NEEDS_RESET));
        while (f->wire.pending_count)
            usleep(100);
        guest_negotiate(&f->g, ~0ull, 2, 16);
    }
}

/* --- the user network --- */

/* Sums 16-bit words in network order. */
static uint16_t ip_checksum(const uint8_t *p, unsigned size)
{
    uint32_t sum = 0;
    for (unsigned i = 0; i < size; i += 2)
        sum += (uint32_t)p[i] << 8 | p[i + 1];
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static const uint8_t guest_mac[6] = {0x52, 0x54, 0, 1, 2, 3};

/* Header of virtio, Ethernet, IP and UDP for a DHCPDISCOVER; the UDP checksum may be left out. */
static unsigned make_discover(uint8_t *out)
{
    static const uint8_t options[] = {99, 130, 83, 99, 53, 1, 1, 255};
    unsigned dhcp = 236 + sizeof(options), udp = 8 + dhcp, ip = 20 + udp;
    uint8_t *eth = out + HEADER, *iph = eth + 14, *udph = iph + 20, *boot = udph + 8;
    memset(out, 0, HEADER + 14 + ip);
    memset(eth, 0xff, 6);
    memcpy(eth + 6, guest_mac, 6);
    eth[12] = 8;
    iph[0] = 0x45;
    iph[2] = (uint8_t)(ip >> 8);
    iph[3] = (uint8_t)ip;
    iph[8] = 64;
    iph[9] = 17;
    memset(iph + 16, 0xff, 4);
    uint16_t sum = ip_checksum(iph, 20);
    iph[10] = (uint8_t)(sum >> 8);
    iph[11] = (uint8_t)sum;
    udph[1] = 68;
    udph[3] = 67;
    udph[4] = (uint8_t)(udp >> 8);
    udph[5] = (uint8_t)udp;
    boot[0] = 1;
    boot[1] = 1;
    boot[2] = 6;
    memcpy(boot + 4, "xid1", 4);
    memcpy(boot + 28, guest_mac, 6);
    memcpy(boot + 236, options, sizeof(options));
    return HEADER + 14 + ip;
}

static void test_user_dhcp(void **state)
{
    struct fixture *f = *state;
    struct net_user_options options = {0};
    struct netdev *user;
    uint8_t bytes[1024];
    assert_int_equal(net_user_new(f->g.loop, &options, NULL, &user, NULL), 0);
    start(f, user, ~0ull);
    uint64_t a = add_rx(f, 2048);
    unsigned size = make_discover(bytes);
    guest_do(&f->g, TX, (struct guest_buffer[]){{guest_copy(&f->g, bytes, size), size, false}}, 1);
    assert_true(guest_wait_used(&f->g, RX, NULL, NULL));
    const uint8_t *boot = (const uint8_t *)guest_host(&f->g, a) + HEADER + 14 + 20 + 8;
    static const uint8_t offered[4] = {10, 0, 2, 15};
    assert_memory_equal(boot + 4, "xid1", 4);
    assert_memory_equal(boot + 16, offered, 4);
}

/* A connection to the forwarded port makes the stack ask for the guest's hardware address. */
static void test_user_forward(void **state)
{
    struct fixture *f = *state;
    struct net_user_options options = {.forward_count = 1};
    struct netdev *user = NULL;
    uint16_t port;
    for (port = 28080; port < 28180; port++) {
        options.forwards[0] = (struct net_user_forward){
            .host_address = {htonl(INADDR_LOOPBACK)}, .host_port = port, .guest_port = 80};
        if (net_user_new(f->g.loop, &options, NULL, &user, NULL) == 0)
            break;
    }
    assert_non_null(user);
    struct netdev *second;
    struct err e;
    assert_true(net_user_new(f->g.loop, &options, NULL, &second, &e) < 0);
    assert_non_null(strstr(e.text, "cannot forward tcp port"));
    start(f, user, ~0ull);
    uint64_t a = add_rx(f, 2048);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    assert_true(guest_wait_used(&f->g, RX, NULL, NULL));
    const uint8_t *eth = (const uint8_t *)guest_host(&f->g, a) + HEADER;
    static const uint8_t arp[2] = {8, 6}, target[4] = {10, 0, 2, 15};
    assert_memory_equal(eth + 12, arp, 2);
    assert_memory_equal(eth + 14 + 24, target, 4);
    close(fd);
}

static void test_parse(void **state)
{
    static const char *const bad[] = {
        "",          "tcp:80",         "sctp:1-:2",         "tcp:0-:80",
        "tcp:1-:",   "tcp:70000-:80",  "tcp:a:1-:2",        "tcp:1-:2x",
        "tcp:-1-:2", "tcp::1-1.2.3:4", "tcp:1.2.3.4.5:1-:2"};
    struct net_user_forward fw;
    struct err e;
    (void)state;
    assert_int_equal(net_user_parse_forward("tcp:2222-:22", &fw, &e), 0);
    assert_int_equal(fw.host_port, 2222);
    assert_int_equal(fw.guest_port, 22);
    assert_false(fw.udp);
    assert_int_equal(net_user_parse_forward("udp:127.0.0.1:53-10.0.2.20:5353", &fw, &e), 0);
    assert_true(fw.udp);
    assert_int_equal(ntohl(fw.host_address.s_addr), INADDR_LOOPBACK);
    assert_int_equal(ntohl(fw.guest_address.s_addr), 0x0a000214);
    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(net_user_parse_forward(bad[i], &fw, &e), -EINVAL);
    uint8_t mac[6];
    assert_int_equal(virtio_net_parse_mac("52:54:00:aB:cd:0f", mac, &e), 0);
    assert_int_equal(mac[3], 0xab);
    assert_int_equal(virtio_net_parse_mac("52:54:00:ab:cd", mac, &e), -EINVAL);
    assert_int_equal(virtio_net_parse_mac("52:54:00:ab:cd:0f:1", mac, &e), -EINVAL);
    assert_int_equal(virtio_net_parse_mac("01:54:00:ab:cd:0f", mac, &e), -EINVAL);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_config),
        T(test_send),
        T(test_receive_merged),
        T(test_receive_starved),
        T(test_receive_not_merged),
        T(test_bad_receive_buffers),
        T(test_user_dhcp),
        T(test_user_forward),
        cmocka_unit_test(test_parse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
