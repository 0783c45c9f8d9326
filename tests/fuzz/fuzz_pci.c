/* fuzz_pci.c: a hostile guest at configuration space, BARs and the registers of virtio over PCI,
 * with an entropy device and a network card whose frames come back.
 *
 * The input is a list of accesses (mmio.h). Kinds: configuration space by ECAM or by ports, the
 * windows wherever the BARs may be, the two devices' registers by the place of their structures, a
 * turn of the event loop, and the RAM where the rings are. What must hold whatever is written: the
 * identity of a function, and that messages are sent only where the guest has switched them on.
 */
#include <assert.h>
#include <stdlib.h>

#include "core/device/pci.h"
#include "core/device/virtio/net.h"
#include "core/device/virtio/rng.h"
#include "core/device/virtio/transport_pci.h"
#include "echo_netdev.h"
#include "mmio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    RAM = 0x40000000,
    RAM_BYTES = 0x10000,
    ECAM = 0x20000000,
    LOW = 0x10000000,
    LOW_BYTES = 1 << 20,
    FUNCTIONS = 2,
    SLOT_BYTES = 1 << 15,
    COMMAND = 4,
    COMMAND_MASTER = 4,
};
#define HIGH       0x8000000000ull
#define HIGH_BYTES (1ull << 39)

struct rig {
    struct guestmem mem;
    struct bus bus;
    struct evloop *loop;
    struct pci_host *host;
    struct virtio_pci *functions[FUNCTIONS];
};

static uint64_t config(struct rig *rig, uint32_t requester, unsigned offset, unsigned size_bytes)
{
    uint64_t value = 0;
    bool ok = bus_read(&rig->bus, ECAM + requester / 8 * SLOT_BYTES + offset, size_bytes, &value);
    assert(ok);
    return value;
}

/* The function's lock is held, so this may not look at its configuration space. */
static void on_msi(void *ctx, uint64_t address, uint32_t data, uint32_t requester)
{
    assert(requester % 8 == 0 && requester / 8 >= 1 && requester / 8 <= FUNCTIONS);
    assert(address % 4 == 0);
}

static void set_up(struct rig *rig)
{
    const struct pci_host_config host = {
        .ecam = {ECAM, PCI_ECAM_BUS_BYTES},
        .low = {LOW, LOW_BYTES},
        .high = {HIGH, HIGH_BYTES},
        .msi = on_msi,
    };
    guestmem_init(&rig->mem, (struct guestmem_mmio){&rig->bus, bus_read, bus_write});
    struct netdev *netdev = echo_netdev_new();
    int r = guestmem_add_ram(&rig->mem, RAM, RAM_BYTES, false, NULL);
    r |= evloop_new(&rig->loop, NULL);
    r |= pci_host_new(&host, &rig->bus, &rig->host, NULL);
    assert(r == 0);
    const struct virtio_env env = {.mem = &rig->mem, .loop = rig->loop};
    struct virtio_device *dev;
    r |= virtio_rng_new(&env, &dev, NULL);
    r |= virtio_pci_new(dev, rig->host, &rig->functions[0], NULL);
    r |= virtio_net_new(&env, netdev, &(struct virtio_net_options){{2, 0, 0, 0, 0, 1}}, &dev, NULL);
    r |= virtio_pci_new(dev, rig->host, &rig->functions[1], NULL);
    assert(r == 0);
    pci_host_assign(rig->host);
}

static void stop_loop(void *ctx)
{
    evloop_stop(ctx);
}

/* What of the windows a number of 24 bits names: near their starts, where BARs were put. */
static void access_window(struct rig *rig, const struct mmio_request *r, uint64_t base)
{
    uint64_t address = base + r->where % (LOW_BYTES - 8), value;
    if (r->write)
        bus_write(&rig->bus, address, r->size_bytes, bits(r->value, 0, 8 * r->size_bytes));
    else if (bus_read(&rig->bus, address, r->size_bytes, &value))
        assert(value == bits(value, 0, 8 * r->size_bytes));
}

/* Registers by structure: `where` is the function, the structure and a small offset. */
static void access_structure(struct rig *rig, const struct mmio_request *r)
{
    struct mmio_request at = *r;
    uint64_t bar = config(rig, (1 + (r->where & 1)) * 8, 0x10, 4) & ~15ull;
    at.where = bar - LOW + (r->where >> 4 & 7) * 0x1000 + (r->where >> 8 & 0x3f);
    if (bar >= LOW && bar < LOW + LOW_BYTES / 2)
        access_window(rig, &at, LOW);
}

static void do_request(struct rig *rig, const struct mmio_request *r)
{
    uint64_t value;
    switch (r->kind % 8) {
    case 0: /* configuration space of the two, and a little around */
        value = ECAM + r->where % (4 * SLOT_BYTES - 8);
        if (r->write)
            bus_write(&rig->bus, value, r->size_bytes, bits(r->value, 0, 8 * r->size_bytes));
        else
            bus_read(&rig->bus, value, r->size_bytes, &value);
        break;
    case 1: /* headers and capabilities alone */
        value = ECAM + (1 + (r->where & 1)) * SLOT_BYTES + (r->where >> 1 & 0xff);
        if (r->write)
            bus_write(&rig->bus, value, r->size_bytes, bits(r->value, 0, 8 * r->size_bytes));
        else
            bus_read(&rig->bus, value, r->size_bytes, &value);
        break;
    case 2:
        mmio_do(&pci_config_ports_ops, rig->host, PCI_CONFIG_PORTS_BYTES, r);
        break;
    case 3:
        access_window(rig, r, LOW);
        break;
    case 4:
        access_window(rig, r, HIGH);
        break;
    case 5:
        evloop_post(rig->loop, stop_loop, rig->loop);
        evloop_run(rig->loop);
        break;
    case 6:
        access_structure(rig, r);
        break;
    default: /* the rings, and what they point to */
        guestmem_write(&rig->mem, RAM + r->where % (RAM_BYTES - 8), &r->value, r->size_bytes);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rig rig = {0};
    set_up(&rig);
    for (; size >= MMIO_REQUEST_BYTES; data += MMIO_REQUEST_BYTES, size -= MMIO_REQUEST_BYTES) {
        const struct mmio_request r = mmio_request(data);
        do_request(&rig, &r);
    }
    assert(config(&rig, 8, 0, 4) == 0x10441af4 && config(&rig, 16, 0, 4) == 0x10411af4);
    for (unsigned i = 0; i < FUNCTIONS; i++) {
        virtio_pci_reset(rig.functions[i]);
        assert(!(config(&rig, (i + 1) * 8, COMMAND, 2) & COMMAND_MASTER));
        virtio_pci_free(rig.functions[i]);
    }
    pci_host_free(rig.host);
    evloop_free(rig.loop);
    guestmem_done(&rig.mem);
    return 0;
}
