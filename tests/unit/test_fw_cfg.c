/* test_fw_cfg.c: selecting, reading and fetching by DMA. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <endian.h>
#include <errno.h>
#include <string.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "core/device/fw_cfg.h"

enum { RAM = 0x40000000, RAM_BYTES = 0x10000, DMA_AT = RAM + 0x100, BUFFER = RAM + 0x1000 };

static struct guestmem mem;
static struct fw_cfg *cfg;

static int setup(void **state)
{
    guestmem_init(&mem, (struct guestmem_mmio){0});
    if (guestmem_add_ram(&mem, RAM, RAM_BYTES, false, NULL) < 0)
        return -1;
    return fw_cfg_new(&mem, &cfg, NULL);
}

static int teardown(void **state)
{
    fw_cfg_free(cfg);
    guestmem_done(&mem);
    return 0;
}

static void choose(uint16_t key)
{
    fw_cfg_ops.write(cfg, 8, 2, htobe16(key));
}

static uint32_t dma(uint32_t control, uint32_t length, uint64_t address)
{
    struct {
        uint32_t control, length;
        uint64_t address;
    } a = {htobe32(control), htobe32(length), htobe64(address)};
    guestmem_write(&mem, DMA_AT, &a, sizeof(a));
    fw_cfg_ops.write(cfg, 0x10, 8, htobe64(DMA_AT));
    guestmem_read(&mem, DMA_AT, &a, sizeof(a));
    return be32toh(a.control);
}

static void test_signature(void **state)
{
    choose(0);
    assert_int_equal(fw_cfg_ops.read(cfg, 0, 4), 0x554d4551); /* "QEMU" */
    assert_int_equal(fw_cfg_ops.read(cfg, 0, 1), 0);          /* past the end */
    choose(1);
    assert_int_equal(fw_cfg_ops.read(cfg, 0, 1), 3);
    assert_int_equal(fw_cfg_ops.read(cfg, 0x10, 8), htobe64(0x51454d5520434647));
    assert_int_equal(fw_cfg_ops.read(cfg, 0x10, 4), htobe32(0x51454d55));
    assert_int_equal(fw_cfg_ops.read(cfg, 0x14, 4), htobe32(0x20434647));
    choose(0x3fff); /* no such item */
    assert_int_equal(fw_cfg_ops.read(cfg, 0, 8), 0);
}

static void test_items(void **state)
{
    assert_int_equal(fw_cfg_add_u16(cfg, FW_CFG_NB_CPUS, 4, NULL), 0);
    assert_int_equal(fw_cfg_add_u32(cfg, FW_CFG_KERNEL_SIZE, 0x12345678, NULL), 0);
    assert_int_equal(fw_cfg_add_u32(cfg, FW_CFG_KERNEL_SIZE, 1, NULL), -EEXIST);
    choose(FW_CFG_NB_CPUS);
    assert_int_equal(fw_cfg_ops.read(cfg, 0, 2), 4);
    choose(FW_CFG_KERNEL_SIZE);
    assert_int_equal(fw_cfg_ops.read(cfg, 0, 1), 0x78);
    assert_int_equal(fw_cfg_ops.read(cfg, 0, 2), 0x3456);
}

static void test_directory(void **state)
{
    assert_int_equal(fw_cfg_add_file(cfg, "etc/one", "first", 5, false, NULL), 0);
    assert_int_equal(fw_cfg_add_file(cfg, "etc/two", "second!", 7, true, NULL), 0);
    assert_int_equal(fw_cfg_add_file(cfg, "etc/two", "", 0, true, NULL), -EEXIST);
    assert_int_equal(fw_cfg_add_file(cfg, "", "", 0, true, NULL), -EINVAL);
    assert_int_equal(dma(0x19 << 16 | 8 | 2, 4 + 2 * 64, BUFFER), 0);
    const uint8_t *d = guestmem_ptr(&mem, BUFFER, 4 + 2 * 64, false);
    assert_int_equal(be32toh((uint32_t)load_le(d, 4)), 2);
    assert_int_equal(be32toh((uint32_t)load_le(d + 4 + 64, 4)), 7);
    assert_string_equal((const char *)d + 4 + 64 + 8, "etc/two");
    uint16_t key = be16toh((uint16_t)load_le(d + 4 + 64 + 4, 2));
    choose(key);
    assert_int_equal(fw_cfg_ops.read(cfg, 0, 8), 0x21646e6f636573);
}

static void test_dma(void **state)
{
    char out[8];
    assert_int_equal(fw_cfg_add_item(cfg, FW_CFG_CMDLINE_DATA, "abcdefgh", 8, false, NULL), 0);
    choose(FW_CFG_CMDLINE_DATA);
    assert_int_equal(dma(4, 2, 0), 0); /* skip */
    assert_int_equal(dma(2, 3, BUFFER), 0);
    guestmem_read(&mem, BUFFER, out, 4);
    assert_memory_equal(out, "cde\0", 4);
    guestmem_write(&mem, BUFFER, "xxxxxxxx", 8);
    assert_int_equal(dma(2, 6, BUFFER), 0); /* zeros behind the end */
    guestmem_read(&mem, BUFFER, out, 8);
    assert_memory_equal(out, "fgh\0\0\0xx", 8);
}

static void test_dma_in_halves(void **state)
{
    uint32_t a[4] = {htobe32(8 | 2), htobe32(4), 0, htobe32(BUFFER)};
    guestmem_write(&mem, DMA_AT, a, sizeof(a));
    fw_cfg_ops.write(cfg, 0x10, 4, 0);
    fw_cfg_ops.write(cfg, 0x14, 4, htobe32(DMA_AT));
    assert_memory_equal(guestmem_ptr(&mem, BUFFER, 4, false), "QEMU", 4);
}

static void test_dma_out_of_bounds(void **state)
{
    assert_int_equal(dma(8 | 2, 4, RAM - 1), 1);
    assert_int_equal(dma(8 | 2, 4, RAM + RAM_BYTES - 3), 1);
    assert_int_equal(dma(8 | 2, 0xffffffff, RAM), 1);
    assert_int_equal(dma(8 | 2, 4, UINT64_MAX - 1), 1);
    assert_int_equal(dma(8 | 0x10, 4, BUFFER), 1); /* nothing is writable */
    assert_int_equal(dma(8 | 2, 0, 0), 0);
    fw_cfg_ops.write(cfg, 0x10, 8, htobe64(RAM + RAM_BYTES - 8)); /* no room for the request */
    fw_cfg_ops.write(cfg, 0x10, 8, UINT64_MAX);
}

static void test_is_finite(void **state)
{
    char name[FW_CFG_NAME_SIZE + 1];
    memset(name, 'n', sizeof(name));
    name[FW_CFG_NAME_SIZE] = 0;
    assert_int_equal(fw_cfg_add_file(cfg, name, "", 0, false, NULL), -EINVAL);
    for (unsigned i = 0; i < FW_CFG_FILES_MAX; i++) {
        name[2] = 0;
        name[0] = (char)('a' + i % 16);
        name[1] = (char)('a' + i / 16);
        assert_int_equal(fw_cfg_add_file(cfg, name, "", 0, false, NULL), 0);
    }
    assert_int_equal(fw_cfg_add_file(cfg, "more", "", 0, false, NULL), -ENOSPC);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void test_ports(void **state)
{
    const struct bus_device_ops *ops = &fw_cfg_ports_ops;
    ops->write(cfg, 0, 2, 0); /* little-endian, other than in memory */
    assert_int_equal(ops->read(cfg, 1, 1), 'Q');
    assert_int_equal(ops->read(cfg, 1, 1), 'E');
    assert_int_equal(fw_cfg_add_u16(cfg, FW_CFG_NB_CPUS, 4, NULL), 0);
    ops->write(cfg, 0, 2, FW_CFG_NB_CPUS);
    assert_int_equal(ops->read(cfg, 1, 1), 4);
    assert_int_equal(ops->read(cfg, 4, 4), htobe32(0x51454d55));
    assert_int_equal(ops->read(cfg, 8, 4), htobe32(0x20434647));
    assert_int_equal(ops->read(cfg, 0, 2), 0xffff);
    const uint32_t request[] = {htobe32(FW_CFG_NB_CPUS << 16 | 8 | 2), htobe32(2), 0,
                                htobe32(BUFFER)};
    assert_true(guestmem_write(&mem, DMA_AT, request, sizeof(request)));
    ops->write(cfg, 4, 4, 0);
    ops->write(cfg, 8, 4, htobe32(DMA_AT));
    assert_memory_equal(guestmem_ptr(&mem, BUFFER, 2, false), "\4\0", 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_signature), CASE(test_items),         CASE(test_directory),
        CASE(test_dma),       CASE(test_dma_in_halves), CASE(test_dma_out_of_bounds),
        CASE(test_is_finite), CASE(test_ports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
