/* net.c: the virtio network device (virtio 1.2, section 5.1): queue 0 receives, queue 1 transmits.
 *
 * Every frame carries a header of 12 bytes in front. Frames that the guest sends are copied out
 * once and then belong to us; a checksum that the driver left to the device is computed on the
 * copy. Frames for the guest are spread over as many receive buffers as they need (MRG_RXBUF); when
 * there are too few, none is used, the back end keeps the frame, and the next receive kick resumes
 * it. Nothing is shown to the driver before flush(), so a batch costs one interrupt.
 *
 * Back ends call receive() and flush() on the loop's thread, also from within send(), where the
 * device's lock is held already: `lock_held` tells.
 *
 * Limits: one pair of queues, no control queue, no segmentation offload.
 */
#include "core/device/virtio/net.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/bytes.h"
#include "base/iov.h"

/* Section 5.1.3 */
#define NET_F_CSUM       (1ull << 0)
#define NET_F_GUEST_CSUM (1ull << 1)
#define NET_F_MTU        (1ull << 3)
#define NET_F_MAC        (1ull << 5)
#define NET_F_MRG_RXBUF  (1ull << 15)
#define NET_F_STATUS     (1ull << 16)

enum {
    DEVICE_ID_NET = 1,
    QUEUE_RX = 0,
    QUEUE_TX = 1,
    STATUS_LINK_UP = 1,
    MTU_MIN = 68,
    RX_BUFFERS_MAX = 64, /* of one frame */
};

/* Section 5.1.4 */
struct net_config {
    uint8_t mac[6];
    uint16_t status, max_virtqueue_pairs, mtu;
} __attribute__((packed));
static_assert(sizeof(struct net_config) == 12, "virtio 1.2, section 5.1.4");

/* Section 5.1.6 */
enum { HDR_F_NEEDS_CSUM = 1, HDR_F_DATA_VALID = 2 };
struct net_header {
    uint8_t flags, gso_type;
    uint16_t hdr_len, gso_size, csum_start, csum_offset, num_buffers;
};
static_assert(sizeof(struct net_header) == 12, "virtio 1.2, section 5.1.6");

struct virtio_net {
    struct virtio_device dev;
    struct netdev *netdev;
    struct net_config config;
    bool lock_held; /* by the loop's thread, which alone reads and writes this */
    bool starved;   /* the back end holds a frame for which there was no room */
    uint8_t frame[NETDEV_FRAME_MAX];
};

/* --- transmit --- */

/* RFC 1071: the ones' complement sum, folded, of data at any alignment. */
static uint16_t internet_checksum(const uint8_t *data, size_t size_bytes)
{
    uint64_t sum = 0;
    for (; size_bytes >= 4; data += 4, size_bytes -= 4)
        sum += load_le(data, 4);
    sum += load_le(data, (unsigned)size_bytes);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

/* Section 5.1.6.2: the field holds the pseudo header's sum; false where it is not in the frame. */
static bool complete_checksum(uint8_t *frame, size_t size_bytes, const struct net_header *header)
{
    size_t field = (size_t)header->csum_start + header->csum_offset;
    if (header->csum_start >= size_bytes || field + 2 > size_bytes)
        return false;
    uint16_t sum = internet_checksum(frame + header->csum_start, size_bytes - header->csum_start);
    store_le(frame + field, 2, sum ? sum : 0xffff); /* zero would mean "none" to UDP */
    return true;
}

static void transmit(struct virtio_device *dev, struct virtqueue *q, struct vq_chain *chain)
{
    struct virtio_net *n = (struct virtio_net *)dev;
    struct net_header header;
    if (chain->readable_bytes < sizeof(header)) {
        vq_break(q, "frame without header");
        return;
    }
    size_t size = (size_t)(chain->readable_bytes - sizeof(header));
    if (size <= sizeof(n->frame)) {
        iov_to_bytes(chain->iov, chain->readable_count, 0, &header, sizeof(header));
        iov_to_bytes(chain->iov, chain->readable_count, sizeof(header), n->frame, size);
        bool good = size > 0 && header.gso_type == 0;
        if (good && header.flags & HDR_F_NEEDS_CSUM)
            good = virtio_has(dev, NET_F_CSUM) && complete_checksum(n->frame, size, &header);
        if (good)
            n->netdev->ops->send(n->netdev, n->frame, size);
    }
    vq_push(q, chain->head, 0);
}

/* --- receive --- */

enum rx_result { RX_DONE, RX_NO_ROOM, RX_DROPPED };

/* Section 5.1.6.4: header and frame over as many buffers as it takes; the header says how many. */
static enum rx_result put_frame(struct virtio_net *n, const uint8_t *frame, size_t size_bytes)
{
    struct virtqueue *q = &n->dev.queues[QUEUE_RX];
    struct net_header header = {.num_buffers = 1};
    uint16_t heads[RX_BUFFERS_MAX];
    uint32_t written[RX_BUFFERS_MAX];
    struct iovec num_buffers[2] = {0}; /* where that field went; it may straddle two buffers */
    unsigned num_buffers_count = 0, count = 0;
    unsigned limit = virtio_has(&n->dev, NET_F_MRG_RXBUF) ? RX_BUFFERS_MAX : 1;
    size_t total = sizeof(header) + size_bytes;
    if (virtio_has(&n->dev, NET_F_GUEST_CSUM))
        header.flags = HDR_F_DATA_VALID;
    for (size_t done = 0; done < total; count++) {
        struct vq_chain chain;
        if (count == limit || !vq_pop(q, &chain)) {
            vq_unpop(q, count);
            return count == limit ? RX_DROPPED : RX_NO_ROOM;
        }
        const struct iovec *iov = vq_chain_writable(&chain);
        size_t room = chain.writable_bytes < total - done ? chain.writable_bytes : total - done;
        size_t skip = done ? 0 : sizeof(header);
        if (chain.readable_count || room <= skip) {
            vq_break(q, "receive buffer that is readable or too short");
            return RX_DROPPED;
        }
        if (done == 0) {
            iov_from_bytes(iov, chain.writable_count, 0, &header, sizeof(header));
            num_buffers_count =
                iov_slice(iov, chain.writable_count, offsetof(struct net_header, num_buffers),
                          sizeof(header.num_buffers), num_buffers);
        }
        iov_from_bytes(iov, chain.writable_count, skip, frame + (done + skip - sizeof(header)),
                       room - skip);
        heads[count] = chain.head;
        written[count] = (uint32_t)room;
        done += room;
    }
    header.num_buffers = (uint16_t)count;
    iov_from_bytes(num_buffers, num_buffers_count, 0, &header.num_buffers,
                   sizeof(header.num_buffers));
    for (unsigned i = 0; i < count; i++)
        vq_push(q, heads[i], written[i]);
    return RX_DONE;
}

static void lock(struct virtio_net *n)
{
    if (!n->lock_held)
        pthread_mutex_lock(&n->dev.lock);
}

static void unlock(struct virtio_net *n)
{
    if (!n->lock_held)
        pthread_mutex_unlock(&n->dev.lock);
}

static bool net_receive(void *ctx, const void *frame, size_t size_bytes)
{
    struct virtio_net *n = ctx;
    struct virtqueue *q = &n->dev.queues[QUEUE_RX];
    enum rx_result result = RX_DROPPED;
    lock(n);
    if (n->dev.started && q->enabled && size_bytes <= NETDEV_FRAME_MAX) {
        result = put_frame(n, frame, size_bytes);
        if (result == RX_NO_ROOM && vq_want_kicks(q))
            result = put_frame(n, frame, size_bytes);
        n->starved = result == RX_NO_ROOM && n->dev.started;
    }
    bool taken = !n->starved;
    unlock(n);
    return taken;
}

static void net_flush(void *ctx)
{
    struct virtio_net *n = ctx;
    lock(n);
    vq_flush(&n->dev.queues[QUEUE_RX]);
    unlock(n);
}

/* --- device --- */

static void net_work(struct virtio_device *dev, unsigned queue)
{
    struct virtio_net *n = (struct virtio_net *)dev;
    n->lock_held = true;
    if (queue == QUEUE_TX) {
        virtio_device_serve(dev, queue, transmit);
        n->netdev->ops->flush(n->netdev);
    } else {
        vq_stop_kicks(&dev->queues[queue]); /* until there is no room again */
        if (n->starved) {
            n->starved = false;
            n->netdev->ops->resume(n->netdev);
        }
    }
    n->lock_held = false;
}

static void net_free(struct virtio_device *dev)
{
    struct virtio_net *n = (struct virtio_net *)dev;
    netdev_free(n->netdev);
    virtio_device_done(dev);
    free(n);
}

static const struct virtio_ops net_ops = {
    .name = "net", .device_id = DEVICE_ID_NET, .work = net_work, .free = net_free};

int virtio_net_parse_mac(const char *text, uint8_t mac[6], struct err *e)
{
    unsigned b[6];
    int used = 0;
    if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5],
               &used) != 6 ||
        text[used])
        return err_set(e, EINVAL, "%s is not a MAC address like 52:54:00:12:34:56", text);
    if (b[0] & 1)
        return err_set(e, EINVAL, "%s is a multicast address, which no card can have", text);
    for (unsigned i = 0; i < 6; i++)
        mac[i] = (uint8_t)b[i];
    return 0;
}

static void choose_mac(uint8_t mac[6], const uint8_t wanted[6])
{
    static const uint8_t none[6];
    memcpy(mac, wanted, 6);
    if (memcmp(wanted, none, 6) != 0)
        return;
    ssize_t got = getrandom(mac, 6, 0);
    (void)got;                              /* six bytes never fail once the system is up */
    mac[0] = (uint8_t)((mac[0] & ~1u) | 2); /* locally administered, one station */
}

int virtio_net_new(const struct virtio_env *env, struct netdev *netdev,
                   const struct virtio_net_options *options, struct virtio_device **ret_dev,
                   struct err *e)
{
    struct virtio_net *n = calloc(1, sizeof(*n));
    if (!n)
        abort();
    uint64_t features = NET_F_CSUM | NET_F_MAC | NET_F_STATUS | NET_F_MRG_RXBUF;
    n->netdev = netdev;
    n->config =
        (struct net_config){.status = STATUS_LINK_UP, .max_virtqueue_pairs = 1, .mtu = netdev->mtu};
    choose_mac(n->config.mac, options->mac);
    if (netdev->checksums_good)
        features |= NET_F_GUEST_CSUM;
    if (netdev->mtu >= MTU_MIN)
        features |= NET_F_MTU;
    int r = virtio_device_init(&n->dev, &net_ops, env, features, &n->config, sizeof(n->config), e);
    if (r < 0) {
        netdev_free(netdev);
        free(n);
        return r;
    }
    virtio_device_add_queue(&n->dev, VQ_SIZE_MAX);
    virtio_device_add_queue(&n->dev, VQ_SIZE_MAX);
    netdev->receiver = (struct netdev_receiver){n, net_receive, net_flush};
    *ret_dev = &n->dev;
    return 0;
}
