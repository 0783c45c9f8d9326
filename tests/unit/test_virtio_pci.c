/* test_virtio_pci.c: what virtio-pci has that virtio-mmio has not (virtio 1.2, section 4.1): the
 * capabilities, vectors, access through configuration space. The devices' own tests run behind
 * both.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "core/device/virtio/rng.h"
#include "virtio_guest.h"

enum { SLOT1 = 1 << 15, MSIX_ENTRY_BYTES = 16, TYPES = 6, NO_VECTOR = 0xffff };

struct fixture {
    struct guest g;
    unsigned capability[TYPES]; /* offsets by cfg_type */
    unsigned msix;
};

static int setup(void **state)
{
    static struct fixture f;
    struct virtio_device *dev;
    memset(&f, 0, sizeof(f));
    setenv("PENG_TEST_VIRTIO", "pci", 1);
    guest_init(&f.g);
    assert_int_equal(virtio_rng_new(&f.g.env, &dev, NULL), 0);
    guest_start(&f.g, dev, ~0ull, 1, 16);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    guest_done(&f->g);
    return 0;
}

static uint32_t get(struct fixture *f, uint64_t address, unsigned size_bytes)
{
    uint64_t value = 0;
    assert_true(bus_read(&f->g.bus, address, size_bytes, &value));
    return (uint32_t)value;
}

static void set(struct fixture *f, uint64_t address, unsigned size_bytes, uint32_t value)
{
    assert_true(bus_write(&f->g.bus, address, size_bytes, value));
}

static uint32_t config(struct fixture *f, unsigned offset, unsigned size_bytes)
{
    return get(f, GUEST_ECAM + SLOT1 + offset, size_bytes);
}

static void set_config(struct fixture *f, unsigned offset, unsigned size_bytes, uint32_t value)
{
    set(f, GUEST_ECAM + SLOT1 + offset, size_bytes, value);
}

static uint32_t common(struct fixture *f, unsigned offset, unsigned size_bytes)
{
    return get(f, GUEST_PCI_LOW + VIRTIO_PCI_COMMON + offset, size_bytes);
}

static void set_common(struct fixture *f, unsigned offset, unsigned size_bytes, uint32_t value)
{
    set(f, GUEST_PCI_LOW + VIRTIO_PCI_COMMON + offset, size_bytes, value);
}

/* As drivers do: by the list, which must end. */
static void find_capabilities(struct fixture *f)
{
    unsigned left = 48;
    for (unsigned at = config(f, 0x34, 1); at; at = config(f, at + 1, 1)) {
        assert_true(left-- && at >= 0x40 && at % 4 == 0);
        if (config(f, at, 1) == 9 && config(f, at + 3, 1) < TYPES)
            f->capability[config(f, at + 3, 1)] = at;
        if (config(f, at, 1) == 0x11)
            f->msix = at;
    }
}

static void test_identity(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(config(f, 0, 4), 0x10441af4);
    assert_true(config(f, 8, 1) >= 1); /* section 4.1.2.1: not transitional */
    assert_true(config(f, 0x2e, 2) >= 0x40);
    find_capabilities(f);
    for (unsigned type = 1; type < TYPES; type++) {
        unsigned at = f->capability[type];
        if (type == 4) { /* an entropy device has no configuration */
            assert_int_equal(at, 0);
            continue;
        }
        assert_true(at != 0);
        assert_int_equal(config(f, at + 2, 1), type == 2 || type == 5 ? 20 : 16);
        if (type != 5) {
            assert_int_equal(config(f, at + 4, 1), 0);
            assert_true(config(f, at + 12, 4) > 0);
            assert_true(config(f, at + 8, 4) + config(f, at + 12, 4) <= VIRTIO_PCI_BAR_BYTES);
        }
    }
    assert_int_equal(config(f, f->capability[2] + 16, 4), VIRTIO_PCI_NOTIFY_STEP);
    assert_true(f->msix != 0);
    assert_int_equal(config(f, f->msix + 2, 2), 1); /* two vectors */
}

static void test_common(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(common(f, 18, 2), 1); /* queues */
    assert_int_equal(common(f, 20, 1), 15);
    assert_int_equal(common(f, 22, 2), 0);
    assert_int_equal(common(f, 24, 2), 16);
    assert_int_equal(common(f, 28, 2), 1);
    assert_int_equal(common(f, 30, 2), 0);
    assert_int_equal(common(f, 32, 4), (uint32_t)f->g.queues[0].desc);
    assert_int_equal(common(f, 40, 4), (uint32_t)f->g.queues[0].avail);
    assert_int_equal(common(f, 48, 4), (uint32_t)f->g.queues[0].used);
    set_common(f, 32, 4, 0); /* enabled: no longer the driver's to move */
    set_common(f, 24, 2, 8);
    set_common(f, 28, 2, 0); /* section 4.1.4.3.2: must not */
    assert_int_equal(common(f, 32, 4), (uint32_t)f->g.queues[0].desc);
    assert_int_equal(common(f, 24, 2), 16);
    assert_int_equal(common(f, 28, 2), 1);
    set_common(f, 8, 4, 1);
    assert_int_equal(common(f, 12, 4) & 1, 1); /* VERSION_1 was taken */
    set_common(f, 8, 4, 0xffffffff);
    assert_int_equal(common(f, 12, 4), 0);
    set_common(f, 12, 4, 0xffffffff);
    /* a queue that is not there */
    set_common(f, 22, 2, 0xffff);
    assert_int_equal(common(f, 24, 2), 0);
    assert_int_equal(common(f, 26, 2), NO_VECTOR);
    set_common(f, 26, 2, 0);
    set_common(f, 28, 2, 1);
    set_common(f, 32, 4, 1);
    assert_int_equal(common(f, 28, 2), 0);
    assert_int_equal(common(f, 32, 4), 0);
    /* other widths, other places */
    assert_int_equal(common(f, 20, 2), 0);
    assert_int_equal(common(f, 33, 1), 0);
    assert_int_equal(common(f, 56, 4), 0);
    set_common(f, 20, 4, 0);
    assert_int_equal(common(f, 20, 1), 15);
    for (uint32_t offset = 0; offset < VIRTIO_PCI_BAR_BYTES; offset++)
        for (unsigned size = 1; size <= 8 && offset + size <= VIRTIO_PCI_BAR_BYTES; size *= 2)
            get(f, GUEST_PCI_LOW + offset, size);
    set_common(f, 20, 1, 0);
    assert_int_equal(common(f, 20, 1), 0);
}

static void test_vectors(void **state)
{
    struct fixture *f = *state;
    find_capabilities(f);
    assert_int_equal(common(f, 16, 2), NO_VECTOR);
    set_common(f, 16, 2, 1);
    assert_int_equal(common(f, 16, 2), 1);
    set_common(f, 16, 2, 2); /* section 4.1.5.1.2: cannot be mapped */
    assert_int_equal(common(f, 16, 2), NO_VECTOR);
    set_common(f, 22, 2, 0);
    set_common(f, 26, 2, 1);
    assert_int_equal(common(f, 26, 2), 1);
    set_config(f, f->msix + 2, 2, 0x8000);
    uint64_t entry = GUEST_PCI_LOW + VIRTIO_PCI_MSIX_TABLE + MSIX_ENTRY_BYTES;
    uint64_t a = guest_alloc(&f->g, 64);
    guest_do(&f->g, 0, (struct guest_buffer[]){{a, 64, true}}, 1);
    for (unsigned i = 0; i < 2000 && !get(f, GUEST_PCI_LOW + VIRTIO_PCI_MSIX_PENDING, 4); i++)
        usleep(100);
    assert_int_equal(get(f, GUEST_PCI_LOW + VIRTIO_PCI_MSIX_PENDING, 4), 2); /* masked */
    assert_false(f->g.irq_level);
    set_config(f, 4, 2, 6);
    set(f, entry + 12, 4, 0);
    assert_int_equal(get(f, GUEST_PCI_LOW + VIRTIO_PCI_MSIX_PENDING, 4), 0);
    set_common(f, 20, 1, 0);
    assert_int_equal(common(f, 26, 2), NO_VECTOR);
}

/* Section 4.1.4.9: any BAR through configuration space, also while nothing is mapped. */
static void test_by_configuration_space(void **state)
{
    struct fixture *f = *state;
    find_capabilities(f);
    unsigned cap = f->capability[5];
    set_config(f, 4, 2, 0);
    set_config(f, cap + 4, 1, 0);
    set_config(f, cap + 8, 4, VIRTIO_PCI_COMMON + 18);
    set_config(f, cap + 12, 4, 2);
    assert_int_equal(config(f, cap + 16, 2), 1);
    set_config(f, cap + 8, 4, VIRTIO_PCI_COMMON + 20);
    set_config(f, cap + 12, 4, 1);
    assert_int_equal(config(f, cap + 16, 1), 15);
    set_config(f, cap + 16, 1, 0);
    assert_int_equal(config(f, cap + 16, 1), 0);
    /* nonsense */
    static const struct {
        uint8_t bar;
        uint32_t offset, length;
    } bad[] = {
        {0, VIRTIO_PCI_BAR_BYTES, 4},
        {0, 0xfffffffc, 4},
        {0, 2, 4},
        {0, 0, 0},
        {0, 0, 8},
        {0, 0, 0xffffffff},
        {1, 0, 4},
        {5, 0, 4},
        {6, 0, 4},
        {0xff, 0, 4},
        {2, 0, 1},
        {0, VIRTIO_PCI_BAR_BYTES - 2, 4},
    };
    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
        set_config(f, cap + 4, 1, bad[i].bar);
        set_config(f, cap + 8, 4, bad[i].offset);
        set_config(f, cap + 12, 4, bad[i].length);
        for (unsigned size = 1; size <= 4; size *= 2) {
            set_config(f, cap + 16, size, 0xffffffff);
            config(f, cap + 16, size);
        }
        config(f, cap + 12, 4);
    }
}

static void test_reset(void **state)
{
    struct fixture *f = *state;
    set_common(f, 22, 2, 0);
    set_common(f, 26, 2, 1);
    virtio_pci_reset(f->g.function);
    assert_int_equal(config(f, 0x10, 4), 4);
    assert_int_equal(get(f, GUEST_PCI_LOW, 4), 0xffffffff);
    pci_host_assign(f->g.host);
    assert_int_equal(common(f, 20, 1), 0);
    assert_int_equal(common(f, 26, 2), NO_VECTOR);
    assert_int_equal(common(f, 28, 2), 0);
    guest_negotiate(&f->g, ~0ull, 1, 16);
    uint64_t a = guest_alloc(&f->g, 64);
    assert_int_equal(guest_do(&f->g, 0, (struct guest_buffer[]){{a, 64, true}}, 1), 64);
}

/* The doorbells that a kernel watches are where the BAR is, and ringing one is a kick. */
static void test_doorbells(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(f->g.doorbell_count, 1);
    assert_int_equal(f->g.doorbells[0].address, GUEST_PCI_LOW + VIRTIO_PCI_NOTIFY);
    assert_int_equal(f->g.doorbells[0].size_bytes, 2);
    uint64_t a = guest_alloc(&f->g, 64);
    guest_add(&f->g, 0, (struct guest_buffer[]){{a, 64, true}}, 1);
    const uint64_t one = 1;
    assert_int_equal(write(f->g.doorbells[0].fd, &one, sizeof(one)), sizeof(one));
    uint16_t head;
    uint32_t written;
    assert_true(guest_wait_used(&f->g, 0, &head, &written));
    assert_int_equal(written, 64);
    set_config(f, 4, 2, 0); /* no decoding */
    assert_int_equal(f->g.doorbell_count, 0);
    set_config(f, 0x10, 4, GUEST_PCI_LOW + 0x10000);
    set_config(f, 4, 2, 2);
    assert_int_equal(f->g.doorbell_count, 1);
    assert_int_equal(f->g.doorbells[0].address, GUEST_PCI_LOW + 0x10000 + VIRTIO_PCI_NOTIFY);
    virtio_pci_reset(f->g.function);
    assert_int_equal(f->g.doorbell_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_identity, setup, teardown),
        cmocka_unit_test_setup_teardown(test_common, setup, teardown),
        cmocka_unit_test_setup_teardown(test_vectors, setup, teardown),
        cmocka_unit_test_setup_teardown(test_by_configuration_space, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reset, setup, teardown),
        cmocka_unit_test_setup_teardown(test_doorbells, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
