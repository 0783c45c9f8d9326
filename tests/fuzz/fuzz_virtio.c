/* fuzz_virtio.c: a hostile driver against each virtio device, through virtio-mmio and the event
 * loop.
 *
 * Input: the kind of device u8, features u8 (bit 0 indirect, 1 event index, 2 all others), the
 * number of steps u8, the steps of four bytes, and then the first bytes of RAM. Queue n has its
 * descriptors at 256 * n, its available ring 128 bytes and its used ring 160 bytes behind that,
 * eight entries each. A step is an operation and three bytes: see run_step().
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bytes.h"
#include "core/device/bus.h"
#include "core/device/chardev.h"
#include "core/device/virtio/balloon.h"
#include "core/device/virtio/blk.h"
#include "core/device/virtio/console.h"
#include "core/device/virtio/net.h"
#include "core/device/virtio/p9.h"
#include "core/device/virtio/rng.h"
#include "core/device/virtio/transport_mmio.h"
#include "echo_netdev.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    RAM = 0x40000000,
    RAM_BYTES = 0x20000,
    MMIO = 0x0a000000,
    QUEUE_BYTES = 256,
    QUEUE_SIZE = 8,
    DISK_BYTES = 65536,
};

struct rig {
    struct guestmem mem;
    struct bus bus;
    struct evloop *loop;
    struct virtio_mmio *slot;
    struct virtio_device *dev;
    struct chardev chardev;
    struct chardev_front front;
    uint8_t features;
    const uint8_t *steps;
    unsigned step_count;
};

static void set_reg(struct rig *rig, uint32_t offset, uint32_t value)
{
    bus_write(&rig->bus, MMIO + offset, 4, value);
}

/* --- back ends that give back what they get --- */

static void echo_text(void *ctx, const void *data, size_t size_bytes)
{
}

static void attach_text(void *ctx, struct chardev_front front)
{
    ((struct rig *)ctx)->front = front;
}

/* --- one maker a kind --- */

static int make_blk(struct rig *rig, const struct virtio_env *env)
{
    char path[32];
    struct blk *blk;
    int fd = memfd_create("disk", MFD_CLOEXEC);
    assert(fd >= 0 && ftruncate(fd, DISK_BYTES) == 0);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    int r =
        blk_open(&(struct blk_options){.path = path, .snapshot = rig->features & 8}, &blk, NULL);
    assert(r == 0);
    close(fd);
    return virtio_blk_new(env, blk, &(struct virtio_blk_options){"x"}, &rig->dev, NULL);
}

static int make_net(struct rig *rig, const struct virtio_env *env)
{
    struct netdev *netdev = echo_netdev_new();
    return virtio_net_new(env, netdev, &(struct virtio_net_options){{2, 0, 0, 0, 0, 1}}, &rig->dev,
                          NULL);
}

static int make_console(struct rig *rig, const struct virtio_env *env)
{
    rig->chardev = (struct chardev){.ctx = rig, .write = echo_text, .attach = attach_text};
    return virtio_console_new(env, &rig->chardev, &rig->dev, NULL);
}

static int make_rng(struct rig *rig, const struct virtio_env *env)
{
    return virtio_rng_new(env, &rig->dev, NULL);
}

static int make_balloon(struct rig *rig, const struct virtio_env *env)
{
    return virtio_balloon_new(env, &rig->dev, NULL);
}

/* The messages have a target of their own; here it is what lies around them. */
static int make_p9(struct rig *rig, const struct virtio_env *env)
{
    struct virtio_p9_options options = {.directory = ".", .tag = "x", .read_only = true};
    return virtio_p9_new(env, &options, &rig->dev, NULL);
}

static int (*const makers[])(struct rig *rig, const struct virtio_env *env) = {
    make_blk, make_net, make_console, make_rng, make_balloon, make_p9};

/* --- the driver --- */

static void set_up(struct rig *rig)
{
    uint32_t low = rig->features & 4 ? ~0u : 0;
    low = (low & ~(3u << 28)) | (uint32_t)(rig->features & 3) << 28;
    set_reg(rig, 0x70, 0);
    set_reg(rig, 0x70, 3);
    set_reg(rig, 0x20, low & virtio_device_features(rig->dev, 0));
    set_reg(rig, 0x24, 1);
    set_reg(rig, 0x20, 1);
    set_reg(rig, 0x24, 0);
    set_reg(rig, 0x70, 11);
    for (uint32_t i = 0; i < 3; i++) {
        set_reg(rig, 0x30, i);
        set_reg(rig, 0x38, QUEUE_SIZE);
        set_reg(rig, 0x80, RAM + i * QUEUE_BYTES);
        set_reg(rig, 0x90, RAM + i * QUEUE_BYTES + 128);
        set_reg(rig, 0xa0, RAM + i * QUEUE_BYTES + 160);
        set_reg(rig, 0x44, 1);
    }
    set_reg(rig, 0x70, 15);
}

static void run_step(void *ctx)
{
    struct rig *rig = ctx;
    if (rig->step_count == 0) {
        evloop_stop(rig->loop);
        return;
    }
    const uint8_t *s = rig->steps;
    uint64_t value;
    switch (s[0] % 6) {
    case 0: /* notify */
        set_reg(rig, 0x50, s[1]);
        break;
    case 1: /* any register, any value */
        bus_write(&rig->bus, MMIO + s[1] * 2u % VIRTIO_MMIO_BYTES, 4, (uint32_t)s[2] << s[3] % 25);
        break;
    case 2: /* show more requests, notify */
        guestmem_write(&rig->mem, RAM + s[1] % 3u * QUEUE_BYTES + 130, s + 2, 2);
        set_reg(rig, 0x50, s[1] % 3u);
        break;
    case 3:
        set_up(rig);
        break;
    case 4:
        bus_read(&rig->bus, MMIO + s[1] * 2u % VIRTIO_MMIO_BYTES, 1u << s[2] % 4, &value);
        break;
    default: /* the host's side */
        if (rig->front.receive)
            rig->front.receive(rig->front.ctx, s, 4);
    }
    rig->steps += 4;
    rig->step_count--;
    evloop_post(rig->loop, run_step, rig);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rig rig = {0};
    if (size < 3)
        return 0;
    rig.features = data[1];
    rig.steps = data + 3;
    rig.step_count = data[2] < (size - 3) / 4 ? data[2] : (unsigned)(size - 3) / 4;
    guestmem_init(&rig.mem, (struct guestmem_mmio){&rig.bus, bus_read, bus_write});
    int r = guestmem_add_ram(&rig.mem, RAM, RAM_BYTES, false, NULL);
    assert(r == 0);
    size_t used = 3 + rig.step_count * 4u;
    guestmem_write(&rig.mem, RAM, data + used, size - used);
    r = evloop_new(&rig.loop, NULL);
    assert(r == 0);
    struct virtio_env env = {.mem = &rig.mem, .loop = rig.loop};
    r = makers[data[0] % ARRAY_SIZE(makers)](&rig, &env);
    assert(r == 0);
    r = virtio_mmio_new(rig.dev, &rig.bus, MMIO, (struct irq_line){0}, &rig.slot, NULL);
    assert(r == 0);
    set_up(&rig);
    evloop_post(rig.loop, run_step, &rig);
    evloop_run(rig.loop);
    virtio_mmio_free(rig.slot);
    evloop_free(rig.loop);
    guestmem_done(&rig.mem);
    return 0;
}
