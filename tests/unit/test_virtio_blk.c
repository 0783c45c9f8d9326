/* test_virtio_blk.c: the transport's registers and the block device through them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "core/device/virtio/blk.h"
#include "virtio_guest.h"

enum { DISK_BYTES = 1 << 20, STATUS_OK = 0, STATUS_IOERR = 1, STATUS_UNSUPP = 2 };

struct fixture {
    struct guest g;
    char path[64];
};

static void write_image(const char *path)
{
    uint8_t sector[512];
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    for (unsigned i = 0; i < DISK_BYTES / 512; i++) {
        memset(sector, (int)(i & 0xff), sizeof(sector));
        store_le(sector, 4, i);
        assert_int_equal(fwrite(sector, sizeof(sector), 1, f), 1);
    }
    fclose(f);
}

static void start(struct fixture *f, bool read_only, bool snapshot, uint64_t features)
{
    struct blk *blk;
    struct virtio_device *dev;
    struct err e;
    struct blk_options options = {.path = f->path, .read_only = read_only, .snapshot = snapshot};
    guest_init(&f->g);
    if (blk_open(&options, &blk, &e) < 0)
        fail_msg("%s", e.text);
    struct virtio_blk_options device_options = {.serial = "disk-1"};
    assert_int_equal(virtio_blk_new(&f->g.env, blk, &device_options, &dev, NULL), 0);
    guest_start(&f->g, dev, features, 1, 64);
}

static int setup(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof(f));
    strcpy(f.path, "peng-blk-XXXXXX");
    int fd = mkstemp(f.path);
    assert_true(fd >= 0);
    close(fd);
    write_image(f.path);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    guest_done(&f->g);
    unlink(f->path);
    return 0;
}

/* One request with `data` in or out; returns the status byte. */
static uint8_t request(struct fixture *f, uint32_t type, uint64_t sector, uint64_t data,
                       uint32_t size, bool read, uint32_t *ret_written)
{
    uint8_t header[16] = {0};
    store_le(header, 4, type);
    store_le(header + 8, 8, sector);
    uint64_t status = guest_copy(&f->g, "\xee", 1);
    struct guest_buffer buffers[3] = {{guest_copy(&f->g, header, 16), 16, false}};
    unsigned n = 1;
    if (size)
        buffers[n++] = (struct guest_buffer){data, size, read};
    buffers[n++] = (struct guest_buffer){status, 1, true};
    uint32_t written = guest_do(&f->g, 0, buffers, n);
    if (ret_written)
        *ret_written = written;
    return *(uint8_t *)guest_host(&f->g, status);
}

static void test_registers(void **state)
{
    struct fixture *f = *state;
    start(f, false, false, ~0ull);
    for (uint32_t offset = 0; offset < VIRTIO_MMIO_BYTES; offset += 4)
        guest_reg(&f->g, offset);
    assert_int_equal(guest_reg(&f->g, 0x08), 2);
    assert_int_equal(guest_reg(&f->g, 0x44), 1);
    assert_int_equal(guest_reg(&f->g, 0x100), DISK_BYTES / 512);
    assert_int_equal(guest_reg(&f->g, 0x1fc), 0);
    if (f->g.host)
        return; /* the rest is virtio-mmio's own */
    assert_int_equal(guest_reg(&f->g, 0x00), 0x74726976);
    assert_int_equal(guest_reg(&f->g, 0x04), 2);
    assert_int_equal(guest_reg(&f->g, 0x34), VQ_SIZE_MAX);
    assert_int_equal(guest_reg(&f->g, 0xb0), 0xffffffff);
    guest_set_reg(&f->g, 0x30, 7);
    assert_int_equal(guest_reg(&f->g, 0x34), 0);
    assert_int_equal(guest_reg(&f->g, 0x44), 0);
    guest_set_reg(&f->g, 0x44, 1); /* no such queue: ignored */
    uint64_t value;
    assert_true(bus_read(&f->g.bus, GUEST_MMIO + 0x100, 8, &value));
    assert_int_equal(value, DISK_BYTES / 512);
    assert_true(bus_read(&f->g.bus, GUEST_MMIO + 0x00, 1, &value));
    assert_int_equal(value, 0);
}

static void test_features_refused(void **state)
{
    struct fixture *f = *state;
    start(f, true, false, ~0ull);
    guest_set_reg(&f->g, 0x70, 0);
    assert_int_equal(guest_reg(&f->g, 0x70), 0);
    guest_set_reg(&f->g, 0x70, 3);
    guest_set_reg(&f->g, 0x24, 0);
    guest_set_reg(&f->g, 0x20, 1u << 13); /* DISCARD on a read-only disk: not offered */
    guest_set_reg(&f->g, 0x24, 1);
    guest_set_reg(&f->g, 0x20, 1);
    guest_set_reg(&f->g, 0x70, 11);
    assert_int_equal(guest_reg(&f->g, 0x70), 3);
    guest_set_reg(&f->g, 0x70, 7);
    assert_true(guest_reg(&f->g, 0x70) & VIRTIO_STATUS_NEEDS_RESET);
}

static void test_read_write(void **state)
{
    struct fixture *f = *state;
    start(f, false, false, ~0ull);
    uint64_t buffer = guest_alloc(&f->g, 4096);
    uint32_t written;
    assert_int_equal(request(f, 0, 5, buffer, 4096, true, &written), STATUS_OK);
    assert_int_equal(written, 4097);
    assert_int_equal(load_le(guest_host(&f->g, buffer + 512), 4), 6);
    memset(guest_host(&f->g, buffer), 0xa5, 4096);
    assert_int_equal(request(f, 1, 100, buffer, 4096, false, &written), STATUS_OK);
    assert_int_equal(written, 1);
    assert_int_equal(request(f, 4, 0, 0, 0, false, NULL), STATUS_OK);
    memset(guest_host(&f->g, buffer), 0, 4096);
    assert_int_equal(request(f, 0, 107, buffer, 1024, true, NULL), STATUS_OK);
    assert_int_equal(load_le(guest_host(&f->g, buffer), 4), 0xa5a5a5a5);
    assert_int_equal(load_le(guest_host(&f->g, buffer + 512), 4), 108);
    assert_true(f->g.irq_count > 0);
    assert_int_equal(guest_reg(&f->g, 0x60), 1);
    guest_set_reg(&f->g, 0x64, 1);
    assert_false(f->g.irq_level);
}

static void test_out_of_range(void **state)
{
    static const uint64_t sectors[] = {DISK_BYTES / 512, DISK_BYTES / 512 - 1, 1ull << 55,
                                       (1ull << 55) - 1, UINT64_MAX,           UINT64_MAX / 512};
    struct fixture *f = *state;
    start(f, false, false, ~0ull);
    uint64_t buffer = guest_alloc(&f->g, 1024);
    for (unsigned i = 0; i < ARRAY_SIZE(sectors); i++) {
        assert_int_equal(request(f, 0, sectors[i], buffer, 1024, true, NULL), STATUS_IOERR);
        assert_int_equal(request(f, 1, sectors[i], buffer, 1024, false, NULL), STATUS_IOERR);
    }
    assert_int_equal(request(f, 0, 0, buffer, 100, true, NULL), STATUS_IOERR);
    assert_int_equal(request(f, 77, 0, buffer, 512, true, NULL), STATUS_UNSUPP);
    assert_false(guest_reg(&f->g, 0x70) & VIRTIO_STATUS_NEEDS_RESET);
}

static void test_read_only(void **state)
{
    struct fixture *f = *state;
    start(f, true, false, ~0ull);
    uint64_t buffer = guest_alloc(&f->g, 512);
    guest_set_reg(&f->g, 0x14, 0);
    assert_true(guest_reg(&f->g, 0x10) & 1u << 5);
    assert_int_equal(request(f, 1, 0, buffer, 512, false, NULL), STATUS_IOERR);
    assert_int_equal(request(f, 0, 3, buffer, 512, true, NULL), STATUS_OK);
    assert_int_equal(load_le(guest_host(&f->g, buffer), 4), 3);
}

static void test_get_id(void **state)
{
    struct fixture *f = *state;
    start(f, false, false, ~0ull);
    uint64_t buffer = guest_alloc(&f->g, 20);
    assert_int_equal(request(f, 8, 0, buffer, 20, true, NULL), STATUS_OK);
    assert_string_equal(guest_host(&f->g, buffer), "disk-1");
    assert_int_equal(request(f, 8, 0, buffer, 3, true, NULL), STATUS_OK);
}

static void test_discard_and_zeroes(void **state)
{
    struct fixture *f = *state;
    start(f, false, false, ~0ull);
    uint8_t range[16] = {0};
    uint64_t buffer = guest_alloc(&f->g, 8192);
    store_le(range, 8, 16);
    store_le(range + 8, 4, 8);
    store_le(range + 12, 4, 1);
    uint64_t data = guest_copy(&f->g, range, 16);
    assert_int_equal(request(f, 13, 0, data, 16, false, NULL), STATUS_OK);
    assert_int_equal(request(f, 11, 0, data, 16, false, NULL), STATUS_UNSUPP); /* unmap set */
    store_le(guest_host(&f->g, data + 12), 4, 0);
    store_le(guest_host(&f->g, data), 8, 32);
    assert_int_equal(request(f, 13, 0, data, 16, false, NULL), STATUS_OK);
    assert_int_equal(request(f, 11, 0, data, 16, false, NULL), STATUS_OK);
    assert_int_equal(request(f, 11, 0, data, 15, false, NULL), STATUS_IOERR);
    store_le(guest_host(&f->g, data + 8), 4, UINT32_MAX);
    assert_int_equal(request(f, 13, 0, data, 16, false, NULL), STATUS_IOERR);
    assert_int_equal(request(f, 0, 15, buffer, 8192, true, NULL), STATUS_OK);
    assert_int_equal(load_le(guest_host(&f->g, buffer), 4), 15);
    assert_int_equal(load_le(guest_host(&f->g, buffer + 512), 4), 0);
    assert_int_equal(load_le(guest_host(&f->g, buffer + 9 * 512), 4), 24);
}

static void test_snapshot(void **state)
{
    struct fixture *f = *state;
    start(f, false, true, ~0ull);
    uint64_t buffer = guest_alloc(&f->g, 1024);
    memset(guest_host(&f->g, buffer), 0x5a, 1024);
    assert_int_equal(request(f, 1, 127, buffer, 1024, false, NULL), STATUS_OK); /* two clusters */
    memset(guest_host(&f->g, buffer), 0, 1024);
    for (uint32_t sector = 125; sector < 131; sector++) {
        assert_int_equal(request(f, 0, sector, buffer, 512, true, NULL), STATUS_OK);
        assert_int_equal(load_le(guest_host(&f->g, buffer), 4),
                         sector == 127 || sector == 128 ? 0x5a5a5a5a : sector);
    }
    uint64_t whole = guest_alloc(&f->g, DISK_BYTES);
    assert_int_equal(request(f, 0, 0, whole, DISK_BYTES, true, NULL), STATUS_OK);
    assert_int_equal(load_le(guest_host(&f->g, whole + 128 * 512), 4), 0x5a5a5a5a);
    assert_int_equal(load_le(guest_host(&f->g, whole + 2047 * 512), 4), 2047);
    FILE *image = fopen(f->path, "r");
    uint8_t sector[512];
    fseek(image, 127 * 512, SEEK_SET);
    assert_int_equal(fread(sector, 512, 1, image), 1);
    fclose(image);
    assert_int_equal(load_le(sector, 4), 127);
}

static void test_many_in_flight(void **state)
{
    struct fixture *f = *state;
    start(f, false, false, ~0ull);
    uint8_t header[16] = {0};
    uint64_t data = guest_alloc(&f->g, 512), statuses = guest_alloc(&f->g, 64);
    memset(guest_host(&f->g, statuses), 0xee, 64);
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned i = 0; i < 16; i++) {
            bool read = i & 1;
            store_le(header, 4, read ? 0 : 1);
            store_le(header + 8, 8, i);
            guest_add(&f->g, 0,
                      (struct guest_buffer[]){{guest_copy(&f->g, header, 16), 16, false},
                                              {data, 512, read},
                                              {statuses + i, 1, true}},
                      3);
        }
        guest_notify(&f->g, 0);
        for (unsigned i = 0; i < 16; i++)
            assert_true(guest_wait_used(&f->g, 0, NULL, NULL));
        for (unsigned i = 0; i < 16; i++)
            assert_int_equal(*(uint8_t *)guest_host(&f->g, statuses + i), STATUS_OK);
    }
    /* reset with requests in flight */
    for (unsigned i = 0; i < 8; i++)
        guest_add(&f->g, 0,
                  (struct guest_buffer[]){{guest_copy(&f->g, header, 16), 16, false},
                                          {data, 512, true},
                                          {statuses, 1, true}},
                  3);
    guest_notify(&f->g, 0);
    guest_negotiate(&f->g, ~0ull, 1, 64);
    assert_int_equal(request(f, 0, 9, data, 512, true, NULL), STATUS_OK);
}

static void test_malformed_breaks(void **state)
{
    struct fixture *f = *state;
    start(f, false, false, ~0ull);
    uint64_t a = guest_alloc(&f->g, 4096);
    const struct guest_buffer bad[3][2] = {
        {{a, 15, false}, {a, 513, true}},  /* short header */
        {{a, 16, false}, {a, 512, false}}, /* no status */
        {{a, 16, true}, {a, 512, true}},   /* no header */
    };
    for (unsigned i = 0; i < 3; i++) {
        guest_add(&f->g, 0, bad[i], 2);
        guest_notify(&f->g, 0);
        assert_true(guest_wait_status(&f->g, VIRTIO_STATUS_NEEDS_RESET));
        assert_true(f->g.irq_level);
        assert_true(guest_reg(&f->g, 0x60) & 2);
        guest_negotiate(&f->g, ~0ull, 1, 64);
        assert_int_equal(guest_reg(&f->g, 0x60), 0);
        assert_int_equal(request(f, 0, 1, a, 512, true, NULL), STATUS_OK);
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_registers),          T(test_features_refused), T(test_read_write),
        T(test_out_of_range),       T(test_read_only),        T(test_get_id),
        T(test_discard_and_zeroes), T(test_snapshot),         T(test_many_in_flight),
        T(test_malformed_breaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
