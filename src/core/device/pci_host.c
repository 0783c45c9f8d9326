/* pci_host.c: the host bridge: configuration space in memory (ECAM) and by ports, the windows
 * through which BARs are reached, and the interrupt wires.
 *
 * ECAM puts the 4 KiB of function f of slot s of bus b at b << 20 | s << 15 | f << 12 (PCI Express
 * Base, 7.2.2). A function that is not there reads as all ones, and so does a place in a window
 * where no BAR is: nothing on PCI is an external abort. A wire is high while any function on it
 * drives it.
 *
 * Functions are plugged while the board is built, so finding one takes no lock; BARs are found by
 * looking at each plugged function's (a handful), whose place is an atomic word. So is ECAM's where
 * the bridge has a register for it: then it is looked for in the low window before the BARs.
 *
 * Limits: one bus, no bridges below, one function a slot, no hot plug. The I/O space is empty.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "core/device/pci_int.h"

enum {
    ECAM_SLOT_SHIFT = 15,
    ECAM_FUNCTION_BYTES = 1 << 12,
    SLOT_SHIFT = 3, /* of a slot in a requester ID, and in an address of mechanism #1 */
    PORT_DATA = 4,
};

/* "QEMU PCIe Host bridge": what pci.ids and guests know as a plain generic host. */
static const struct pci_identity bridge_identity = {
    .vendor = 0x1b36,
    .device = 0x0008,
    .subsystem_vendor = 0x1af4,
    .subsystem = 0x1100,
    .class_code = 0x060000,
};

/* A window's bus region: what its accesses are relative to. */
struct window_region {
    struct pci_host *host;
    uint64_t base;
};

struct pci_host {
    struct pci_host_config config;
    struct pci_function *slots[PCI_SLOTS];     /* borrowed, but the first; NULL: empty */
    struct pci_function *functions[PCI_SLOTS]; /* those, one behind the other */
    unsigned count;
    struct window_region low, high;
    _Atomic uint64_t ecam; /* where it is, or PCI_UNMAPPED */

    pthread_mutex_t wire_lock; /* innermost but the interrupt controller's */
    uint32_t wires[PCI_PINS];  /* which slots drive it, a bit each */
    atomic_uint port_address;  /* mechanism #1 */
};

/* --- from the functions ------------------------------------------------------------------------
 */

void pci_host_set_pin(struct pci_host *host, unsigned slot, bool level)
{
    unsigned wire = slot % PCI_PINS;
    pthread_mutex_lock(&host->wire_lock);
    uint32_t driven = host->wires[wire] & ~(1u << slot);
    host->wires[wire] = driven | (uint32_t)level << slot;
    irq_set(&host->config.wires[wire], host->wires[wire] != 0);
    pthread_mutex_unlock(&host->wire_lock);
}

void pci_host_send(struct pci_host *host, unsigned slot, uint64_t address, uint32_t data)
{
    if (host->config.msi)
        host->config.msi(host->config.ctx, address, data, slot << SLOT_SHIFT);
}

bool pci_host_has_message_fds(const struct pci_host *host)
{
    return host->config.message_fd;
}

bool pci_host_set_message_fd(struct pci_host *host, unsigned slot, int fd, uint64_t address,
                             uint32_t data)
{
    return host->config.message_fd(host->config.ctx, fd, address, data, slot << SLOT_SHIFT);
}

/* --- configuration space -----------------------------------------------------------------------
 */

/* Function 0 of `slot`, or NULL. */
static struct pci_function *function_at(const struct pci_host *host, unsigned bus, unsigned slot,
                                        unsigned function)
{
    return bus == 0 && function == 0 && slot < PCI_SLOTS ? host->slots[slot] : NULL;
}

static struct pci_function *function_in_ecam(const struct pci_host *host, uint64_t offset)
{
    return function_at(host, (unsigned)(offset / PCI_ECAM_BUS_BYTES),
                       (unsigned)bits(offset, ECAM_SLOT_SHIFT, 5), (unsigned)bits(offset, 12, 3));
}

static uint64_t ecam_read(void *ctx, uint64_t offset, unsigned size_bytes)
{
    struct pci_function *fn = function_in_ecam(ctx, offset);
    uint64_t value =
        fn && size_bytes <= 4
            ? pci_function_config_read(fn, (unsigned)(offset % ECAM_FUNCTION_BYTES), size_bytes)
            : UINT64_MAX;
    return bits(value, 0, 8 * size_bytes);
}

static void ecam_write(void *ctx, uint64_t offset, unsigned size_bytes, uint64_t value)
{
    struct pci_function *fn = function_in_ecam(ctx, offset);
    if (fn)
        pci_function_config_write(fn, (unsigned)(offset % ECAM_FUNCTION_BYTES), size_bytes,
                                  (uint32_t)value);
}

static const struct bus_device_ops ecam_ops = {ecam_read, ecam_write};

void pci_host_move_ecam(struct pci_host *host, uint64_t address)
{
    host->ecam = address;
    if (host->config.ecam_moved)
        host->config.ecam_moved(host->config.ctx);
}

uint64_t pci_host_ecam(const struct pci_host *host)
{
    return host->ecam;
}

/* Mechanism #1 (Local Bus 3.0, 3.2.2.3.2): the address port takes 32 bits only, the data port is a
 * window onto the dword that the address names. A byte in the middle of the address port is the
 * chipset's reset control register (ICH9 datasheet, 13.7.5). */
static struct pci_function *function_at_ports(const struct pci_host *host)
{
    uint32_t address = host->port_address;
    if (!(address >> 31))
        return NULL;
    return function_at(host, (unsigned)bits(address, 16, 8), (unsigned)bits(address, 11, 5),
                       (unsigned)bits(address, 8, 3));
}

static uint64_t ports_read(void *ctx, uint64_t offset, unsigned size_bytes)
{
    struct pci_host *host = ctx;
    uint64_t value = UINT64_MAX;
    if (offset < PORT_DATA) {
        value = offset == 0 && size_bytes == 4 ? host->port_address : UINT64_MAX;
    } else if (size_bytes <= 4) {
        struct pci_function *fn = function_at_ports(host);
        unsigned at = (host->port_address & 0xfc) + (unsigned)(offset - PORT_DATA);
        if (fn)
            value = pci_function_config_read(fn, at, size_bytes);
    }
    return bits(value, 0, 8 * size_bytes);
}

static void ports_write(void *ctx, uint64_t offset, unsigned size_bytes, uint64_t value)
{
    struct pci_host *host = ctx;
    if (offset == 0 && size_bytes == 4) {
        host->port_address = (uint32_t)value & 0x80fffffc;
    } else if (offset == PCI_RESET_PORT - PCI_CONFIG_PORTS && size_bytes == 1) {
        if ((value & PCI_RESET_COLD) == PCI_RESET_COLD && host->config.reset)
            host->config.reset(host->config.ctx);
    } else if (offset >= PORT_DATA) {
        struct pci_function *fn = function_at_ports(host);
        unsigned at = (host->port_address & 0xfc) + (unsigned)(offset - PORT_DATA);
        if (fn)
            pci_function_config_write(fn, at, size_bytes, (uint32_t)value);
    }
}

const struct bus_device_ops pci_config_ports_ops = {ports_read, ports_write};

/* --- windows -----------------------------------------------------------------------------------
 */

/* The BAR that answers at `address`, or NULL. */
static struct pci_function *find_bar(const struct pci_host *host, uint64_t address,
                                     unsigned *ret_bar, uint64_t *ret_offset)
{
    for (unsigned i = 0; i < host->count; i++) {
        for (unsigned bar = 0; bar < PCI_BARS; bar++) {
            struct pci_bar *b = &host->functions[i]->bars[bar];
            uint64_t place = b->address;
            if (place == PCI_UNMAPPED || address - place >= b->size_bytes)
                continue;
            *ret_bar = bar;
            *ret_offset = address - place;
            return host->functions[i];
        }
    }
    return NULL;
}

static bool is_ecam(const struct pci_host *host, uint64_t address, uint64_t *ret_offset)
{
    uint64_t base = host->ecam;
    if (base == PCI_UNMAPPED || address - base >= host->config.ecam.size_bytes)
        return false;
    *ret_offset = address - base;
    return true;
}

static uint64_t window_read(void *ctx, uint64_t offset, unsigned size_bytes)
{
    const struct window_region *region = ctx;
    struct pci_host *host = region->host;
    unsigned bar;
    if (is_ecam(host, region->base + offset, &offset))
        return ecam_read(host, offset, size_bytes);
    struct pci_function *fn = find_bar(host, region->base + offset, &bar, &offset);
    return fn ? pci_bar_read(fn, bar, offset, size_bytes) : bits(UINT64_MAX, 0, 8 * size_bytes);
}

static void window_write(void *ctx, uint64_t offset, unsigned size_bytes, uint64_t value)
{
    const struct window_region *region = ctx;
    struct pci_host *host = region->host;
    unsigned bar;
    if (is_ecam(host, region->base + offset, &offset)) {
        ecam_write(host, offset, size_bytes, value);
        return;
    }
    struct pci_function *fn = find_bar(host, region->base + offset, &bar, &offset);
    if (fn)
        pci_bar_write(fn, bar, offset, size_bytes, value);
}

static uint64_t io_read(void *ctx, uint64_t offset, unsigned size_bytes)
{
    return bits(UINT64_MAX, 0, 8 * size_bytes);
}

static void io_write(void *ctx, uint64_t offset, unsigned size_bytes, uint64_t value)
{
}

static const struct bus_device_ops io_ops = {io_read, io_write};
static const struct bus_device_ops window_ops = {window_read, window_write};

/* --- life cycle --------------------------------------------------------------------------------
 */

static int add_windows(struct pci_host *host, struct bus *bus, struct err *e)
{
    const struct pci_host_config *c = &host->config;
    const struct {
        const char *name;
        struct pci_window window;
        const struct bus_device_ops *ops;
        void *ctx;
    } parts[] = {
        {"pci-ecam", c->ecam, &ecam_ops, host},
        {"pci-low", c->low, &window_ops, &host->low},
        {"pci-high", c->high, &window_ops, &host->high},
        {"pci-io", c->io, &io_ops, host},
    };
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(parts); i++)
        if (parts[i].window.size_bytes && parts[i].window.base != PCI_UNMAPPED)
            rc = bus_add(bus, parts[i].name, parts[i].window.base, parts[i].window.size_bytes,
                         parts[i].ops, parts[i].ctx, e);
    return rc;
}

int pci_host_new(const struct pci_host_config *config, struct bus *bus, struct pci_host **ret_host,
                 struct err *e)
{
    struct pci_host *host = calloc(1, sizeof(*host));
    if (!host)
        abort();
    host->config = *config;
    host->ecam = config->ecam.base;
    host->low = (struct window_region){host, config->low.base};
    host->high = (struct window_region){host, config->high.base};
    pthread_mutex_init(&host->wire_lock, NULL);
    struct pci_function *bridge = config->bridge;
    pci_host_plug_at(host, 0, bridge ? bridge : pci_function_new(&bridge_identity, NULL, NULL));
    int rc = add_windows(host, bus, e);
    if (rc < 0) {
        pci_host_free(host);
        return rc;
    }
    *ret_host = host;
    return 0;
}

void pci_host_free(struct pci_host *host)
{
    if (!host)
        return;
    pci_function_free(host->slots[0]);
    pthread_mutex_destroy(&host->wire_lock);
    free(host);
}

void pci_host_reset(struct pci_host *host)
{
    pci_function_reset(host->slots[0]);
    host->port_address = 0;
    host->ecam = host->config.ecam.base;
}

void pci_host_plug_at(struct pci_host *host, unsigned slot, struct pci_function *fn)
{
    assert(slot < PCI_SLOTS && !host->slots[slot]);
    fn->host = host;
    fn->slot = slot;
    host->slots[slot] = fn;
    host->functions[host->count++] = fn;
}

int pci_host_plug(struct pci_host *host, struct pci_function *fn, struct err *e)
{
    unsigned slot = 0;
    while (slot < PCI_SLOTS && host->slots[slot])
        slot++;
    if (slot == PCI_SLOTS)
        return err_set(e, ENOSPC, "more than %d PCI devices", PCI_SLOTS);
    pci_host_plug_at(host, slot, fn);
    return pci_irq_plug(fn, e);
}

bool pci_has_doorbells(const struct pci_function *fn)
{
    return fn->host->config.doorbell;
}

bool pci_set_doorbell(struct pci_function *fn, uint64_t address, unsigned size_bytes, int fd,
                      bool on)
{
    const struct pci_host_config *c = &fn->host->config;
    return c->doorbell(c->ctx, address, size_bytes, fd, on);
}

/* The next free place of `size_bytes`, a power of two, in a window; 0 where it is full. */
static uint64_t take(const struct pci_window *window, uint64_t *used_bytes, uint64_t size_bytes)
{
    uint64_t at = align_up(window->base + *used_bytes, size_bytes);
    uint64_t used = at - window->base;
    if (used > window->size_bytes || size_bytes > window->size_bytes - used)
        return 0;
    *used_bytes = used + size_bytes;
    return at;
}

void pci_host_assign(struct pci_host *host)
{
    uint64_t low_used = 0, high_used = 0;
    for (unsigned i = 0; i < host->count; i++) {
        struct pci_function *fn = host->functions[i];
        bool complete = true;
        for (unsigned bar = 0; bar < PCI_BARS; bar++) {
            const struct pci_bar *b = &fn->bars[bar];
            if (!b->size_bytes)
                continue;
            uint64_t at = take(&host->config.low, &low_used, b->size_bytes);
            if (!at && b->is_64)
                at = take(&host->config.high, &high_used, b->size_bytes);
            complete = complete && at;
            pci_function_config_write(fn, PCI_BAR0 + 4 * bar, 4, (uint32_t)at);
            if (b->is_64)
                pci_function_config_write(fn, PCI_BAR0 + 4 * bar + 4, 4, (uint32_t)(at >> 32));
        }
        if (complete && i > 0)
            pci_function_config_write(fn, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    }
}
