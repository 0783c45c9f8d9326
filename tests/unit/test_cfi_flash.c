/* test_cfi_flash.c: the flash's command set, and where its content lives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "core/device/cfi_flash.h"

enum { BANK = 1 << 20, SECTOR = CFI_FLASH_SECTOR_BYTES, READY = 0x00800080 };

static char path[] = "flash-test-XXXXXX";
static struct cfi_flash *flash;

static uint32_t get(uint64_t offset)
{
    return (uint32_t)cfi_flash_ops.read(flash, offset, 4);
}

static void put(uint64_t offset, uint32_t value)
{
    cfi_flash_ops.write(flash, offset, 4, value);
}

static void command(uint64_t offset, uint16_t code)
{
    put(offset, (uint32_t)code << 16 | code);
}

/* What show() was told last, and how often. */
struct shown {
    const uint8_t *content;
    unsigned on, off;
};

static void show(void *ctx, uint8_t *content, bool on)
{
    struct shown *shown = ctx;
    shown->content = content;
    shown->on += on;
    shown->off += !on;
}

static int setup(void **state)
{
    const struct cfi_flash_config config = {.size_bytes = BANK};
    return cfi_flash_new(&config, &flash, NULL);
}

static int teardown(void **state)
{
    cfi_flash_free(flash);
    return 0;
}

static void test_starts_erased(void **state)
{
    assert_int_equal(get(0), 0xffffffff);
    assert_int_equal(cfi_flash_ops.read(flash, BANK - 8, 8), UINT64_MAX);
}

static void test_query(void **state)
{
    command(0x55 * 4, 0x98);
    assert_int_equal(get(0x10 * 4), 'Q' << 16 | 'Q');
    assert_int_equal(get(0x11 * 4), 'R' << 16 | 'R');
    assert_int_equal(get(0x12 * 4), 'Y' << 16 | 'Y');
    assert_int_equal(get(0x13 * 4), 0x00010001);
    assert_int_equal(1u << (get(0x27 * 4) & 0xff), BANK / 2); /* each chip */
    assert_int_equal(get(0x2d * 4) & 0xff, BANK / SECTOR - 1);
    assert_int_equal(get(0x30 * 4) & 0xff, SECTOR / 2 / 256 >> 8);
    assert_int_equal(cfi_flash_ops.read(flash, 0x10 * 4, 1), 'Q');
    assert_int_equal(cfi_flash_ops.read(flash, 0x10 * 4 + 1, 1), 0);
    assert_int_equal(cfi_flash_ops.read(flash, 0x10 * 4, 8), 0x0052005200510051);
    assert_int_equal(get(0x1000), 0);
    command(0, 0xff);
    assert_int_equal(get(0x10 * 4), 0xffffffff);
}

static void test_identity(void **state)
{
    command(SECTOR, 0x90);
    assert_int_equal(get(SECTOR), 0x00890089);
    assert_int_equal(get(SECTOR + 4), 0x00180018);
    assert_int_equal(get(SECTOR + 8), 0); /* not locked */
}

static void test_program_only_clears(void **state)
{
    command(0x100, 0x40);
    put(0x100, 0x12345678);
    assert_int_equal(get(0), READY);
    command(0, 0xff);
    assert_int_equal(get(0x100), 0x12345678);
    command(0x100, 0x10);
    put(0x100, 0xff00ff00);
    command(0, 0xff);
    assert_int_equal(get(0x100), 0x12005600);
}

static void test_erase(void **state)
{
    command(SECTOR + 4, 0x40);
    put(SECTOR + 4, 0);
    command(4, 0x40);
    put(4, 0);
    command(SECTOR + 64, 0x20);
    assert_int_equal(get(SECTOR), READY);
    command(SECTOR + 64, 0xd0);
    assert_int_equal(get(SECTOR), READY);
    command(0, 0xff);
    assert_int_equal(get(SECTOR + 4), 0xffffffff);
    assert_int_equal(get(4), 0);
}

static void test_erase_needs_confirmation(void **state)
{
    command(4, 0x40);
    put(4, 0);
    command(0, 0x20);
    command(0, 0xff);
    assert_int_equal(get(0), 0x00b000b0); /* a command sequence error */
    command(0, 0x50);
    command(0, 0x70);
    assert_int_equal(get(0), READY);
    command(0, 0xff);
    assert_int_equal(get(4), 0);
}

static void test_buffer(void **state)
{
    const uint64_t at = SECTOR + 256;
    command(at, 0xe8);
    assert_int_equal(get(at), READY);
    command(at, 31);
    for (unsigned i = 0; i < 32; i++)
        put(at + 4 * i, i);
    command(at, 0xd0);
    assert_int_equal(get(at), READY);
    command(0, 0xff);
    for (unsigned i = 0; i < 32; i++)
        assert_int_equal(get(at + 4 * i), i);
    assert_int_equal(get(at + 128), 0xffffffff);
}

static void test_buffer_in_part(void **state)
{
    command(0, 0xe8);
    command(0, 0);
    put(8, 0x11223344);
    command(0, 0xd0);
    command(0, 0xff);
    assert_int_equal(get(8), 0x11223344);
    assert_int_equal(get(4), 0xffffffff);
    assert_int_equal(get(12), 0xffffffff);
}

static void test_buffer_errors(void **state)
{
    command(0, 0xe8);
    command(0, 32); /* too many */
    assert_int_equal(get(0), 0x00b000b0);
    command(0, 0x50);
    command(0, 0xe8);
    command(0, 1);
    put(0, 0);
    put(128, 0); /* in the next buffer */
    assert_int_equal(get(0), 0x00b000b0);
    command(0, 0x50);
    command(0, 0xe8);
    command(0, 0);
    put(0, 0);
    command(0, 0x70); /* not confirmed */
    assert_int_equal(get(0), 0x00b000b0);
    command(0, 0xff);
    assert_int_equal(get(0), 0xffffffff);
}

static void test_lock_commands_are_taken(void **state)
{
    command(0, 0x60);
    command(0, 0xd0);
    assert_int_equal(get(0), READY);
}

static void make_file(size_t size_bytes)
{
    strcpy(path + sizeof(path) - 7, "XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)size_bytes), 0);
    assert_int_equal(pwrite(fd, "MARK", 4, 16), 4);
    close(fd);
}

static uint32_t word_in_file(off_t offset)
{
    uint32_t v = 0;
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &v, 4, offset), 4);
    close(fd);
    return v;
}

static void program_and_free(bool write_back)
{
    const struct cfi_flash_config config = {
        .size_bytes = BANK, .path = path, .write_back = write_back};
    assert_int_equal(cfi_flash_new(&config, &flash, NULL), 0);
    assert_int_equal(get(16), 0x4b52414d);
    command(0, 0x20);
    command(0, 0xd0);
    command(16, 0x40);
    put(16, 0x0000abcd);
    cfi_flash_free(flash);
}

static void test_writes_back(void **state)
{
    make_file(BANK);
    program_and_free(false);
    assert_int_equal(word_in_file(16), 0x4b52414d);
    program_and_free(true);
    assert_int_equal(word_in_file(16), 0xabcd);
    assert_int_equal(word_in_file(0), 0xffffffff);
    unlink(path);
}

/* Whoever shows the content as memory hears of every change between it and status. */
static void test_shows_its_content(void **state)
{
    struct shown shown = {0};
    make_file(BANK);
    const struct cfi_flash_config config = {
        .size_bytes = BANK, .path = path, .show = show, .show_ctx = &shown};
    assert_int_equal(cfi_flash_new(&config, &flash, NULL), 0);
    assert_int_equal(shown.on, 0); /* there is no machine yet */
    cfi_flash_reset(flash);
    cfi_flash_reset(flash);
    assert_int_equal(shown.on, 1);
    assert_int_equal(load_le(shown.content + 16, 4), 0x4b52414d);
    command(16, 0x40);
    assert_int_equal(shown.off, 1);
    put(16, 0x0000414d);
    assert_int_equal(get(16), READY);
    assert_int_equal(shown.on, 1);
    command(16, 0xff);
    assert_int_equal(shown.on, 2);
    assert_int_equal(load_le(shown.content + 16, 4), 0x414d);
    command(0, 0x90);
    cfi_flash_reset(flash);
    assert_int_equal(shown.off, 2);
    assert_int_equal(shown.on, 3);
    cfi_flash_free(flash);
    unlink(path);
}

static void test_small_file(void **state)
{
    struct err e;
    make_file(5000);
    struct cfi_flash_config config = {.size_bytes = BANK, .path = path};
    assert_int_equal(cfi_flash_new(&config, &flash, NULL), 0);
    assert_int_equal(get(16), 0x4b52414d);
    assert_int_equal(get(4996), 0);
    assert_int_equal(get(5000), 0xffffffff);
    cfi_flash_free(flash);
    config.write_back = true;
    assert_int_equal(cfi_flash_new(&config, &flash, &e), -EINVAL);
    assert_non_null(strstr(e.text, path));
    unlink(path);
    config.write_back = false;
    assert_int_equal(cfi_flash_new(&config, &flash, &e), -ENOENT);
}

/* The file is made, keeps what was programmed, and has one user at a time. */
static void test_makes_file(void **state)
{
    struct err e;
    struct cfi_flash *second;
    make_file(0);
    unlink(path);
    const struct cfi_flash_config config = {
        .size_bytes = BANK, .path = path, .write_back = true, .template_path = "no-such-template"};
    assert_int_equal(cfi_flash_new(&config, &flash, NULL), 0);
    assert_int_equal(get(BANK - 4), 0xffffffff);
    command(16, 0x40);
    put(16, 0x0000abcd);
    assert_int_equal(cfi_flash_new(&config, &second, &e), -EBUSY);
    assert_non_null(strstr(e.text, path));
    cfi_flash_free(flash);
    assert_int_equal(cfi_flash_new(&config, &flash, NULL), 0);
    assert_int_equal(get(16), 0xabcd);
    cfi_flash_free(flash);
    unlink(path);
}

static void test_makes_file_from_template(void **state)
{
    static const char name[] = "flash-test-made";
    make_file(5000);
    const struct cfi_flash_config config = {
        .size_bytes = BANK, .path = name, .write_back = true, .template_path = path};
    assert_int_equal(cfi_flash_new(&config, &flash, NULL), 0);
    assert_int_equal(get(16), 0x4b52414d);
    assert_int_equal(get(5000), 0xffffffff);
    cfi_flash_free(flash);
    assert_int_equal(word_in_file(16), 0x4b52414d); /* the template is as it was */
    unlink(name);
    unlink(path);
}

static void test_leaves_no_file_behind(void **state)
{
    struct err e;
    static const char name[] = "flash-test-made";
    make_file(2 * BANK);
    const struct cfi_flash_config config = {
        .size_bytes = BANK, .path = name, .write_back = true, .template_path = path};
    assert_int_equal(cfi_flash_new(&config, &flash, &e), -EINVAL);
    assert_int_equal(access(name, F_OK), -1);
    unlink(path);
}

static void test_rom_drops_writes(void **state)
{
    cfi_rom_ops.write(NULL, 0, 4, 0xff);
    assert_int_equal(cfi_rom_ops.read(NULL, 0, 4), 0);
}

/* As firmware for x86 uses its bank: bytes, and a status of zero after clearing, by which it knows
 * that this is flash. */
static void test_one_x8(void **state)
{
    const struct cfi_flash_config config = {.size_bytes = 0x84000, .kind = CFI_FLASH_ONE_X8};
    const struct bus_device_ops *ops = &cfi_flash_ops;
    assert_int_equal(cfi_flash_new(&config, &flash, NULL), 0);
    ops->write(flash, 5, 1, 0x50);
    ops->write(flash, 5, 1, 0x70);
    assert_int_equal(ops->read(flash, 5, 1), 0);
    ops->write(flash, 5, 1, 0xff);
    assert_int_equal(ops->read(flash, 5, 1), 0xff);
    for (unsigned i = 0; i < 3; i++) {
        ops->write(flash, 0x83ffd + i, 1, 0x10);
        ops->write(flash, 0x83ffd + i, 1, 0xa0 + i);
    }
    assert_int_equal(ops->read(flash, 0x1000, 1), 0x80); /* ready */
    ops->write(flash, 0x1001, 1, 0x40);
    ops->write(flash, 0x1001, 1, 0);
    ops->write(flash, 0, 1, 0xff);
    assert_int_equal(ops->read(flash, 0x83ffc, 4), 0xa2a1a0ff);
    assert_int_equal(ops->read(flash, 0x1000, 4), 0xffff00ff);
    ops->write(flash, 0x83000, 1, 0x20);
    ops->write(flash, 0x83000, 1, 0xd0); /* a sector of 4 KiB */
    ops->write(flash, 0, 1, 0xff);
    assert_int_equal(ops->read(flash, 0x83ffc, 4), 0xffffffff);
    assert_int_equal(ops->read(flash, 0x1000, 4), 0xffff00ff);
    ops->write(flash, 0, 1, 0x98);
    assert_int_equal(ops->read(flash, 0x10, 4), 0x01595251); /* QRY */
    assert_int_equal(ops->read(flash, 0x27, 1), 20);         /* 2^20: at least its size */
    assert_int_equal(ops->read(flash, 0x2d, 4), 0x0010 << 16 | 0x83);
    cfi_flash_free(flash);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_starts_erased),
        CASE(test_query),
        CASE(test_identity),
        CASE(test_program_only_clears),
        CASE(test_erase),
        CASE(test_erase_needs_confirmation),
        CASE(test_buffer),
        CASE(test_buffer_in_part),
        CASE(test_buffer_errors),
        CASE(test_lock_commands_are_taken),
        cmocka_unit_test(test_one_x8),
        cmocka_unit_test(test_writes_back),
        cmocka_unit_test(test_shows_its_content),
        cmocka_unit_test(test_small_file),
        cmocka_unit_test(test_makes_file),
        cmocka_unit_test(test_makes_file_from_template),
        cmocka_unit_test(test_leaves_no_file_behind),
        cmocka_unit_test(test_rom_drops_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
