/* test_pci.c: configuration space, BARs, MSI-X and wires of the PCI host, by what PCI Local Bus 3.0
 * and PCI Express Base ask, and with what a hostile guest may try.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "core/device/pci.h"
#include "core/device/q35.h"

#define ECAM ((uint64_t)0x20000000)
#define LOW  ((uint64_t)0x10000000)
#define HIGH ((uint64_t)0x8000000000)

enum {
    WINDOW_BYTES = 1 << 20,
    SLOT1 = 1 << 15,
    SLOT2 = 2 << 15,
    BAR32_BYTES = 0x2000,
    BAR64_BYTES = 0x4000,
    TABLE = 0x1000,
    PENDING = 0x2000,
    VECTORS = 3,
};

struct message {
    uint64_t address;
    uint32_t data, requester;
};

struct route {
    int fd;
    struct message message;
};

struct fixture {
    struct bus bus;
    struct pci_host *host;
    struct pci_function *fn, *second;
    uint64_t last_offset, last_value;
    unsigned last_bar, moves;
    uint64_t moved_to[PCI_BARS];
    struct message messages[64];
    unsigned message_count;
    struct route routes[16];
    unsigned route_count;
    bool wires[PCI_PINS];
};

static uint64_t bar0_read(void *ctx, uint64_t offset, unsigned size_bytes)
{
    struct fixture *f = ctx;
    f->last_offset = offset;
    f->last_bar = 0;
    return bits(0x1122334455667788, 0, 8 * size_bytes);
}

static void bar0_write(void *ctx, uint64_t offset, unsigned size_bytes, uint64_t value)
{
    struct fixture *f = ctx;
    f->last_offset = offset;
    f->last_value = value;
    f->last_bar = 0;
}

static uint64_t bar2_read(void *ctx, uint64_t offset, unsigned size_bytes)
{
    struct fixture *f = ctx;
    f->last_bar = 2;
    return offset < PENDING ? pci_msix_table_read(f->fn, offset - TABLE, size_bytes)
                            : pci_msix_pending_read(f->fn, offset - PENDING, size_bytes);
}

static void bar2_write(void *ctx, uint64_t offset, unsigned size_bytes, uint64_t value)
{
    struct fixture *f = ctx;
    f->last_bar = 2;
    pci_msix_table_write(f->fn, offset - TABLE, size_bytes, value);
}

static const struct bus_device_ops bar0_ops = {bar0_read, bar0_write};
static const struct bus_device_ops bar2_ops = {bar2_read, bar2_write};

static void on_moved(void *ctx, unsigned bar, uint64_t address)
{
    struct fixture *f = ctx;
    f->moves++;
    f->moved_to[bar] = address;
}

static const struct pci_function_ops function_ops = {.moved = on_moved};

static void on_msi(void *ctx, uint64_t address, uint32_t data, uint32_t requester)
{
    struct fixture *f = ctx;
    assert_true(f->message_count < ARRAY_SIZE(f->messages));
    f->messages[f->message_count++] = (struct message){address, data, requester};
}

static void on_wire(void *ctx, unsigned number, bool level)
{
    ((struct fixture *)ctx)->wires[number] = level;
}

/* An engine that takes messages by eventfd, but none with data of 0xbad. */
static bool on_message_fd(void *ctx, int fd, uint64_t address, uint32_t data, uint32_t requester)
{
    struct fixture *f = ctx;
    assert_true(f->route_count < ARRAY_SIZE(f->routes));
    f->routes[f->route_count++] = (struct route){fd, {address, data, requester}};
    return data != 0xbad;
}

static int setup_with(void **state, bool message_fds)
{
    static struct fixture fixture;
    struct fixture *f = &fixture;
    memset(f, 0, sizeof(*f));
    struct pci_host_config config = {
        .ecam = {ECAM, 2 * PCI_ECAM_BUS_BYTES},
        .low = {LOW, WINDOW_BYTES},
        .high = {HIGH, WINDOW_BYTES},
        .ctx = f,
        .msi = on_msi,
        .message_fd = message_fds ? on_message_fd : NULL,
    };
    for (unsigned i = 0; i < PCI_PINS; i++)
        config.wires[i] = (struct irq_line){on_wire, f, i};
    assert_int_equal(pci_host_new(&config, &f->bus, &f->host, NULL), 0);
    const struct pci_identity identity = {0x1234, 0x5678, 0x9abc, 0xdef0, 0x020000, 7, true};
    f->fn = pci_function_new(&identity, &function_ops, f);
    pci_add_bar(f->fn, 0, BAR32_BYTES, false, &bar0_ops, f);
    pci_add_bar(f->fn, 2, BAR64_BYTES, true, &bar2_ops, f);
    pci_add_msix(f->fn, 2, VECTORS, TABLE, PENDING);
    f->second = pci_function_new(&identity, NULL, NULL);
    assert_int_equal(pci_host_plug(f->host, f->fn, NULL), 0);
    assert_int_equal(pci_host_plug(f->host, f->second, NULL), 0);
    *state = f;
    return 0;
}

static int setup(void **state)
{
    return setup_with(state, false);
}

static int setup_fds(void **state)
{
    return setup_with(state, true);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    pci_function_free(f->fn);
    pci_function_free(f->second);
    pci_host_free(f->host);
    return 0;
}

static uint64_t get(struct fixture *f, uint64_t address, unsigned size_bytes)
{
    uint64_t value = 0;
    assert_true(bus_read(&f->bus, address, size_bytes, &value));
    return value;
}

static void set(struct fixture *f, uint64_t address, unsigned size_bytes, uint64_t value)
{
    assert_true(bus_write(&f->bus, address, size_bytes, value));
}

static uint32_t config(struct fixture *f, unsigned offset, unsigned size_bytes)
{
    return (uint32_t)get(f, ECAM + SLOT1 + offset, size_bytes);
}

static void set_config(struct fixture *f, unsigned offset, unsigned size_bytes, uint32_t value)
{
    set(f, ECAM + SLOT1 + offset, size_bytes, value);
}

static void test_header(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(config(f, 0, 4), 0x56781234);
    assert_int_equal(config(f, 0, 2), 0x1234);
    assert_int_equal(config(f, 3, 1), 0x56);
    assert_int_equal(config(f, 8, 4), 0x02000007);
    assert_int_equal(config(f, 0x0c, 4), 0); /* type 0, one function */
    assert_int_equal(config(f, 0x2c, 4), 0xdef09abc);
    assert_int_equal(config(f, 0x3d, 1), 1);
    assert_int_equal(get(f, ECAM, 4), 0x00081b36); /* the bridge */
    assert_int_equal(get(f, ECAM + 0x0a, 2), 0x0600);
    /* identity and capabilities are not the guest's to write */
    for (unsigned offset = 0; offset < 256; offset += 4) {
        if (offset != 4 && offset != 0x10 && offset != 0x18 && offset != 0x1c && offset != 0x3c &&
            offset != 0x40) {
            uint32_t before = config(f, offset, 4);
            set_config(f, offset, 4, 0xffffffff);
            assert_int_equal(config(f, offset, 4), before);
            set_config(f, offset, 4, 0);
            assert_int_equal(config(f, offset, 4), before);
        }
    }
    set_config(f, 0x3c, 4, 0xffffffff);
    assert_int_equal(config(f, 0x3c, 4), 0x01ff);
    set_config(f, 4, 2, 0xffff);
    assert_int_equal(config(f, 4, 2), 0x0546); /* memory, master, parity, SERR#, INTx off */
}

static void test_nobody_there(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(get(f, ECAM + (3 << 15), 4), 0xffffffff); /* no such slot */
    assert_int_equal(get(f, ECAM + (31 << 15), 2), 0xffff);
    assert_int_equal(get(f, ECAM + SLOT1 + 0x1000, 4), 0xffffffff);             /* function 1 */
    assert_int_equal(get(f, ECAM + PCI_ECAM_BUS_BYTES + SLOT1, 4), 0xffffffff); /* bus 1 */
    set(f, ECAM + (3 << 15), 4, 0);
    set(f, ECAM + SLOT1 + 0x1004, 4, 7);
    assert_int_equal(config(f, 4, 2), 0);
    assert_int_equal(config(f, 0x100, 4), 0); /* no extended capability */
    assert_int_equal(config(f, 0xffc, 4), 0);
    set_config(f, 0xffc, 4, 1);
    /* accesses that PCI Express does not have */
    assert_true(get(f, ECAM + SLOT1, 8) == UINT64_MAX);
    assert_int_equal(get(f, ECAM + SLOT1 + 1, 2), 0xffff);
    assert_int_equal(get(f, ECAM + SLOT1 + 0xffd, 4), 0xffffffff);
    set(f, ECAM + SLOT1 + 3, 2, 0xffff);
    set(f, ECAM + SLOT1 + 4, 8, UINT64_MAX);
    assert_int_equal(config(f, 4, 2), 0);
    /* windows without a BAR */
    assert_int_equal(get(f, LOW, 4), 0xffffffff);
    assert_int_equal(get(f, HIGH + WINDOW_BYTES - 1, 1), 0xff);
    set(f, LOW, 4, 1);
}

static void test_bar_sizing(void **state)
{
    struct fixture *f = *state;
    set_config(f, 0x10, 4, 0xffffffff);
    assert_int_equal(config(f, 0x10, 4), ~(uint32_t)(BAR32_BYTES - 1));
    set_config(f, 0x18, 4, 0xffffffff);
    set_config(f, 0x1c, 4, 0xffffffff);
    assert_int_equal(config(f, 0x18, 4), (~(uint32_t)(BAR64_BYTES - 1)) | 4); /* 64 bits */
    assert_int_equal(config(f, 0x1c, 4), 0xffffffff);
    for (unsigned bar = 0x14; bar <= 0x30; bar += 4) /* not there, nor an expansion ROM */
        if (bar != 0x18 && bar != 0x1c && bar != 0x2c) {
            set_config(f, bar, 4, 0xffffffff);
            assert_int_equal(config(f, bar, 4), 0);
        }
    assert_int_equal(f->moves, 0);
    set_config(f, 4, 2, 2); /* decoding at the far end of the address space harms nobody */
    assert_true(f->moved_to[2] == ~(uint64_t)(BAR64_BYTES - 1));
    assert_int_equal(get(f, LOW, 4), 0xffffffff);
    set_config(f, 0x10, 1, 0xff); /* a byte at a time */
    set_config(f, 0x11, 1, 0x20);
    set_config(f, 0x12, 2, (uint32_t)(LOW >> 16));
    assert_int_equal(config(f, 0x10, 4), LOW + BAR32_BYTES);
    assert_int_equal(get(f, LOW + BAR32_BYTES + 4, 4), 0x55667788);
}

static void place_bars(struct fixture *f)
{
    set_config(f, 0x10, 4, (uint32_t)LOW + 0x10000);
    set_config(f, 0x18, 4, 0x20000);
    set_config(f, 0x1c, 4, HIGH >> 32);
    set_config(f, 4, 2, 6);
}

static void test_bars_move(void **state)
{
    struct fixture *f = *state;
    place_bars(f);
    assert_true(f->moved_to[0] == LOW + 0x10000 && f->moved_to[2] == HIGH + 0x20000);
    assert_true(get(f, LOW + 0x10008, 8) == 0x1122334455667788);
    assert_int_equal(f->last_offset, 8);
    set(f, LOW + 0x10000 + BAR32_BYTES - 2, 2, 0xabcd);
    assert_int_equal(f->last_offset, BAR32_BYTES - 2);
    assert_int_equal(f->last_value, 0xabcd);
    assert_int_equal(get(f, LOW + 0x10000 + BAR32_BYTES - 2, 4), 0xffffffff); /* over its end */
    assert_int_equal(get(f, LOW + 0x0fffe, 4), 0xffffffff);                   /* over its start */
    f->last_bar = 9;
    get(f, HIGH + 0x20000 + TABLE, 4);
    assert_int_equal(f->last_bar, 2);
    set_config(f, 0x10, 4, (uint32_t)LOW + 0x40000);
    assert_int_equal(get(f, LOW + 0x10000, 4), 0xffffffff);
    assert_int_equal(get(f, LOW + 0x40000, 4), 0x55667788);
    /* one over the other: the first wins, and the second is back when it goes */
    set_config(f, 0x1c, 4, 0);
    set_config(f, 0x18, 4, (uint32_t)LOW + 0x40000);
    get(f, LOW + 0x40000, 4);
    assert_int_equal(f->last_bar, 0);
    set_config(f, 0x10, 4, 0);
    get(f, LOW + 0x40000, 4);
    assert_int_equal(f->last_bar, 2);
    set_config(f, 4, 2, 0);
    assert_int_equal(get(f, LOW + 0x40000, 4), 0xffffffff);
    assert_true(f->moved_to[2] == PCI_UNMAPPED);
    place_bars(f);
    pci_function_reset(f->fn);
    assert_int_equal(config(f, 0x10, 4), 0);
    assert_int_equal(get(f, LOW + 0x10000, 4), 0xffffffff);
}

static void test_assigned(void **state)
{
    struct fixture *f = *state;
    pci_host_assign(f->host);
    assert_int_equal(config(f, 4, 2), 2);
    uint32_t low = config(f, 0x10, 4), high = config(f, 0x18, 4) & ~15u;
    assert_true(low >= LOW && low % BAR32_BYTES == 0);
    assert_true(high >= LOW && high % BAR64_BYTES == 0 && high >= low + BAR32_BYTES);
    assert_int_equal(get(f, low, 4), 0x55667788);
}

static void test_config_ports(void **state)
{
    struct fixture *f = *state;
    const struct bus_device_ops *ports = &pci_config_ports_ops;
    assert_int_equal(ports->read(f->host, 4, 4), 0xffffffff); /* not enabled */
    ports->write(f->host, 0, 4, 0x80000800);                  /* slot 1 */
    assert_int_equal(ports->read(f->host, 0, 4), 0x80000800);
    assert_int_equal(ports->read(f->host, 4, 4), 0x56781234);
    assert_int_equal(ports->read(f->host, 6, 2), 0x5678);
    ports->write(f->host, 0, 4, 0xffffffff);
    assert_int_equal(ports->read(f->host, 0, 4), 0x80fffffc);
    assert_int_equal(ports->read(f->host, 4, 4), 0xffffffff);
    ports->write(f->host, 0, 4, 0x80000804);
    ports->write(f->host, 4, 2, 2);
    assert_int_equal(config(f, 4, 2), 2);
    ports->write(f->host, 1, 1, 0xff); /* mechanism #1 has 32 bits only */
    ports->write(f->host, 0, 2, 0);
    assert_int_equal(ports->read(f->host, 0, 4), 0x80000804);
    assert_int_equal(ports->read(f->host, 0, 1), 0xff);
    assert_int_equal(ports->read(f->host, 7, 2), 0xffff);
}

static void set_vector(struct fixture *f, unsigned vector, uint64_t address, uint32_t data,
                       uint32_t control)
{
    uint64_t at = HIGH + 0x20000 + TABLE + 16 * (uint64_t)vector;
    set(f, at, 4, (uint32_t)address);
    set(f, at + 4, 4, address >> 32);
    set(f, at + 8, 4, data);
    set(f, at + 12, 4, control);
}

static void test_msix(void **state)
{
    struct fixture *f = *state;
    const uint64_t pending = HIGH + 0x20000 + PENDING;
    place_bars(f);
    unsigned cap = config(f, 0x34, 1);
    assert_int_equal(config(f, cap, 1), 0x11);
    assert_int_equal(config(f, cap + 2, 2), VECTORS - 1);
    assert_int_equal(config(f, cap + 4, 4), TABLE | 2);
    assert_int_equal(config(f, cap + 8, 4), PENDING | 2);
    set_vector(f, 0, 0x123456789, 0xaa, 0);
    set_vector(f, 1, 0x2000, 0xbb, 1);
    pci_msix_raise(f->fn, 0);
    assert_int_equal(f->message_count, 0); /* off */
    assert_false(pci_msix_enabled(f->fn));
    set_config(f, cap + 2, 2, 0xffff);
    assert_int_equal(config(f, cap + 2, 2), 0xc000 | (VECTORS - 1));
    pci_msix_raise(f->fn, 0); /* the function's mask */
    pci_msix_raise(f->fn, 1);
    assert_int_equal(f->message_count, 0);
    assert_int_equal(get(f, pending, 4), 3);
    set_config(f, cap + 2, 2, 0x8000);
    assert_int_equal(f->message_count, 1);
    assert_true(f->messages[0].address == 0x123456788); /* two low bits are reserved */
    assert_int_equal(f->messages[0].data, 0xaa);
    assert_int_equal(f->messages[0].requester, 1 << 3);
    assert_int_equal(get(f, pending, 4), 2);
    set_vector(f, 1, 0x2000, 0xcc, 0);
    assert_int_equal(f->message_count, 2);
    assert_int_equal(f->messages[1].data, 0xcc);
    assert_int_equal(get(f, pending, 8), 0);
    set_config(f, 4, 2, 2); /* no bus master */
    pci_msix_raise(f->fn, 0);
    assert_int_equal(f->message_count, 2);
    set_config(f, 4, 2, 6);
    assert_int_equal(f->message_count, 3);
    /* pending bits are read only, vectors that are not there nobody's */
    set(f, pending, 4, 7);
    pci_msix_raise(f->fn, VECTORS);
    pci_msix_raise(f->fn, 0xffff);
    set_vector(f, VECTORS, 0x3000, 1, 0);
    set_vector(f, 200, 0x3000, 1, 0);
    assert_int_equal(f->message_count, 3);
    set(f, HIGH + 0x20000 + TABLE + 12, 1, 1); /* a byte: undefined, so nothing */
    set(f, HIGH + 0x20000 + TABLE + 4, 8, 5);  /* not aligned */
    pci_msix_raise(f->fn, 0);
    assert_int_equal(f->message_count, 4);
    assert_true(f->messages[3].address == 0x123456788);
    set_vector(f, 0, 0x1000, 1, 0xffffffff);
    assert_int_equal(get(f, HIGH + 0x20000 + TABLE + 12, 4), 1);
    pci_function_reset(f->fn);
    assert_false(pci_msix_enabled(f->fn));
    place_bars(f);
    assert_true(get(f, HIGH + 0x20000 + TABLE, 8) == 0);
    assert_int_equal(get(f, HIGH + 0x20000 + TABLE + 12, 4), 1); /* masked */
}

static unsigned writes_to(int fd)
{
    eventfd_t count = 0;
    return eventfd_read(fd, &count) < 0 ? 0 : (unsigned)count;
}

static void test_messages_by_fd(void **state)
{
    struct fixture *f = *state;
    place_bars(f);
    set_config(f, config(f, 0x34, 1) + 2, 2, 0x8000);
    set_vector(f, 0, 0x123456788, 0xaa, 1);
    set_vector(f, 1, 0x2000, 0xbb, 0);
    assert_int_equal(f->route_count, 0); /* none before it is sent */
    pci_msix_raise(f->fn, 0);            /* masked */
    assert_int_equal(f->route_count, 0);
    set_vector(f, 0, 0x123456788, 0xaa, 0);
    assert_int_equal(f->route_count, 1);
    assert_true(f->routes[0].message.address == 0x123456788);
    assert_int_equal(f->routes[0].message.data, 0xaa);
    assert_int_equal(f->routes[0].message.requester, 1 << 3);
    assert_int_equal(writes_to(f->routes[0].fd), 1);
    pci_msix_raise(f->fn, 0);
    pci_msix_raise(f->fn, 0);
    assert_int_equal(f->route_count, 1); /* the same message */
    assert_int_equal(writes_to(f->routes[0].fd), 2);
    pci_msix_raise(f->fn, 1);
    assert_int_equal(f->route_count, 2);
    assert_int_not_equal(f->routes[1].fd, f->routes[0].fd);
    assert_int_equal(writes_to(f->routes[1].fd), 1);
    assert_int_equal(writes_to(f->routes[0].fd), 0);
    set_vector(f, 0, 0x123456788, 0xcc, 0);
    assert_int_equal(f->route_count, 2);
    pci_msix_raise(f->fn, 0);
    assert_int_equal(f->route_count, 3);
    assert_int_equal(f->routes[2].fd, f->routes[0].fd);
    assert_int_equal(f->routes[2].message.data, 0xcc);
    assert_int_equal(f->message_count, 0);
    set_vector(f, 0, 0x123456788, 0xbad, 0); /* which the engine does not take */
    pci_msix_raise(f->fn, 0);
    pci_msix_raise(f->fn, 0);
    assert_int_equal(f->route_count, 4);
    assert_int_equal(f->message_count, 2);
    assert_int_equal(f->messages[1].data, 0xbad);
}

static void test_wires(void **state)
{
    struct fixture *f = *state;
    unsigned cap = config(f, 0x34, 1);
    pci_intx_set(f->fn, true); /* slot 1 */
    assert_true(f->wires[1]);
    assert_int_equal(config(f, 6, 2) & 8, 8);
    pci_intx_set(f->second, true); /* slot 2 */
    assert_true(f->wires[2]);
    set_config(f, 4, 2, 1 << 10);
    assert_false(f->wires[1]);
    assert_int_equal(config(f, 4, 4) & 8 << 16, 8 << 16); /* still wanted */
    set_config(f, 4, 2, 0);
    assert_true(f->wires[1]);
    set_config(f, cap + 2, 2, 0x8000); /* MSI-X takes its place */
    assert_false(f->wires[1]);
    set_config(f, cap + 2, 2, 0);
    assert_true(f->wires[1]);
    pci_function_reset(f->fn);
    assert_false(f->wires[1]);
    assert_true(f->wires[2]);
    pci_intx_set(f->second, false);
    assert_false(f->wires[2]);
}

static void test_full(void **state)
{
    struct fixture *f = *state;
    struct pci_function *more[PCI_SLOTS];
    const struct pci_identity identity = {.vendor = 1};
    struct err e;
    unsigned count = 0;
    for (;; count++) {
        more[count] = pci_function_new(&identity, NULL, NULL);
        if (pci_host_plug(f->host, more[count], &e) < 0)
            break;
    }
    assert_int_equal(count, PCI_SLOTS - 3);
    assert_int_equal(get(f, ECAM + (31 << 15), 4), 1);
    for (unsigned i = 0; i <= count; i++)
        pci_function_free(more[i]);
}

/* --- the Q35's bridge --------------------------------------------------------------------------
 */

static void count_reset(void *ctx)
{
    ++*(unsigned *)ctx;
}

static void test_ecam_moves(void **state)
{
    struct bus bus = {0};
    struct pci_host *host;
    unsigned resets = 0;
    uint64_t value;
    const struct bus_device_ops *ports = &pci_config_ports_ops;
    const struct pci_host_config config = {
        .ecam = {PCI_UNMAPPED, Q35_ECAM_BYTES},
        .low = {0x80000000, 0x7ec00000},
        .bridge = q35_memory_controller_new(),
        .ctx = &resets,
        .reset = count_reset,
    };
    assert_int_equal(pci_host_new(&config, &bus, &host, NULL), 0);
    struct pci_function *lpc = q35_lpc_new(0x600);
    pci_host_plug_at(host, Q35_LPC_SLOT, lpc);
    assert_true(bus_read(&bus, 0xb0000000, 4, &value));
    assert_int_equal(value, 0xffffffff);
    ports->write(host, 0, 4, 0x80000060);
    assert_int_equal(ports->read(host, 4, 4), 0xe0000000);
    ports->write(host, 4, 4, 0xb0000001);
    assert_true(bus_read(&bus, 0xb0000000, 4, &value));
    assert_int_equal(value, 0x29c08086);
    assert_true(bus_read(&bus, 0xb00f8000, 4, &value));
    assert_int_equal(value, 0x29188086);
    assert_true(bus_write(&bus, 0xb00f8004, 2, 0));
    assert_true(bus_read(&bus, 0xb00f8004, 2, &value));
    assert_int_equal(value, 7); /* ICH9, 13.1.3: these bits are always set */
    assert_true(bus_read(&bus, 0xb00f8040, 4, &value));
    assert_int_equal(value, 0x601);
    assert_true(bus_write(&bus, 0xb00f8044, 1, 0xff));
    assert_true(bus_read(&bus, 0xb00f8044, 1, &value));
    assert_int_equal(value, 0x80);
    ports->write(host, 4, 4, 0xb0000003); /* a length that it has not */
    assert_int_equal(pci_host_ecam(host), PCI_UNMAPPED);
    ports->write(host, 4, 4, 0xd0000001);
    assert_int_equal(pci_host_ecam(host), 0xd0000000);

    ports->write(host, 1, 1, 2); /* the reset control register, among the address port's bytes */
    assert_int_equal(resets, 0);
    ports->write(host, 1, 1, 6);
    assert_int_equal(resets, 1);
    pci_host_reset(host);
    assert_int_equal(pci_host_ecam(host), PCI_UNMAPPED);
    pci_host_free(host);
    pci_function_free(lpc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_header, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nobody_there, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bar_sizing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bars_move, setup, teardown),
        cmocka_unit_test_setup_teardown(test_assigned, setup, teardown),
        cmocka_unit_test_setup_teardown(test_config_ports, setup, teardown),
        cmocka_unit_test_setup_teardown(test_msix, setup, teardown),
        cmocka_unit_test_setup_teardown(test_messages_by_fd, setup_fds, teardown),
        cmocka_unit_test_setup_teardown(test_wires, setup, teardown),
        cmocka_unit_test_setup_teardown(test_full, setup, teardown),
        cmocka_unit_test(test_ecam_moves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
