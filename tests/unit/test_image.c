/* test_image.c: kernel files, good and bad, and sizes as people write them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

#include "base/bytes.h"
#include "base/size.h"
#include "core/machine/image.h"

enum { KERNEL_BYTES = 8192 };

/* A file in memory. */
static struct image make_image(const void *data, size_t size_bytes)
{
    int fd = memfd_create("image", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, size_bytes), size_bytes);
    return (struct image){fd, size_bytes};
}

static void fill_kernel(uint8_t data[KERNEL_BYTES], uint64_t text_offset, uint64_t memory,
                        uint64_t flags)
{
    memset(data, 0, KERNEL_BYTES);
    store_le(data + 8, 8, text_offset);
    store_le(data + 16, 8, memory);
    store_le(data + 24, 8, flags);
    memcpy(data + 56, "ARM\x64", 4);
}

static void make_kernel(struct image *image, uint64_t text_offset, uint64_t memory, uint64_t flags)
{
    uint8_t data[KERNEL_BYTES];
    fill_kernel(data, text_offset, memory, flags);
    *image = make_image(data, sizeof(data));
}

static void test_header(void **state)
{
    struct image image;
    struct arm64_kernel kernel;
    make_kernel(&image, 0x1000, 1 << 20, 0xa);
    assert_int_equal(image_check_arm64(&image, "k", &kernel, NULL), 0);
    assert_int_equal(kernel.text_offset, 0x1000);
    assert_int_equal(kernel.size_bytes, 1 << 20);
    image_close(&image);

    make_kernel(&image, 0, 0, 0); /* older than the header's sizes */
    assert_int_equal(image_check_arm64(&image, "k", &kernel, NULL), 0);
    assert_int_equal(kernel.text_offset, 0x80000);
    assert_int_equal(kernel.size_bytes, KERNEL_BYTES);
    image_close(&image);
}

static void test_bad_headers(void **state)
{
    static const uint64_t bad[][3] = {
        {0, 1 << 20, 1},       /* big-endian */
        {3, 1 << 20, 0},       /* odd offset */
        {1 << 21, 1 << 20, 0}, /* beyond 2 MiB */
        {0, 1ull << 40, 0},    /* more memory than any kernel */
        {~0ull, ~0ull, 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct image image;
        struct arm64_kernel kernel;
        make_kernel(&image, bad[i][0], bad[i][1], bad[i][2]);
        assert_int_equal(image_check_arm64(&image, "k", &kernel, NULL), -ENOEXEC);
        image_close(&image);
    }
}

static size_t pack(uint8_t *data, size_t size_bytes, uint8_t *out, size_t room)
{
    z_stream z = {.next_in = data, .avail_in = (uInt)size_bytes};
    z.next_out = out;
    z.avail_out = (uInt)room;
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, 0), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return z.total_out;
}

static void test_gzip(void **state)
{
    uint8_t plain[KERNEL_BYTES], packed[KERNEL_BYTES], loaded[KERNEL_BYTES];
    struct arm64_kernel kernel;
    struct err e;
    fill_kernel(plain, 0, 1 << 20, 0);
    size_t size = pack(plain, sizeof(plain), packed, sizeof(packed));
    struct image image = make_image(packed, size);
    assert_int_equal(image_check_arm64(&image, "k", &kernel, &e), 0);
    assert_int_equal(image.size_bytes, sizeof(plain));
    assert_int_equal(image_load(&image, "k", loaded, &e), 0);
    assert_memory_equal(loaded, plain, sizeof(plain));
    image_close(&image);
    for (size_t cut = 2; cut < size; cut += 7) {
        image = make_image(packed, cut);
        assert_int_equal(image_check_arm64(&image, "k", &kernel, &e), -ENOEXEC);
        assert_non_null(strstr(e.text, "gzip"));
        image_close(&image);
    }
}

/* Every length of a file that begins well is refused or taken. */
static void test_short_files(void **state)
{
    uint8_t whole[KERNEL_BYTES];
    fill_kernel(whole, 0, 0, 0);
    for (size_t size = 1; size <= 600; size += size < 70 ? 1 : 53) {
        struct image image = make_image(whole, size);
        struct arm64_kernel kernel;
        int rc = image_check_arm64(&image, "k", &kernel, NULL);
        assert_int_equal(rc, size < 64 ? -ENOEXEC : 0);
        image_close(&image);
    }
}

/* A kernel that firmware could start too says where its file ends. */
static void test_truncated(void **state)
{
    enum { PE = 128, OPTIONAL = 160, SECTIONS = PE + 24 + OPTIONAL };
    uint8_t whole[KERNEL_BYTES];
    fill_kernel(whole, 0, 0, 0);
    memcpy(whole, "MZ", 2);
    store_le(whole + 0x3c, 4, PE);
    memcpy(whole + PE, "PE\0", 4);
    store_le(whole + PE + 6, 2, 2);
    store_le(whole + PE + 20, 2, OPTIONAL);
    for (unsigned i = 0; i < 2; i++) { /* each has half of the file */
        store_le(whole + SECTIONS + 40 * i + 16, 4, KERNEL_BYTES / 2);
        store_le(whole + SECTIONS + 40 * i + 20, 4, i * KERNEL_BYTES / 2);
    }
    for (size_t missing = 0; missing < 2; missing++) {
        struct image image = make_image(whole, sizeof(whole) - missing);
        struct arm64_kernel kernel;
        struct err e = {0};
        assert_int_equal(image_check_arm64(&image, "k", &kernel, &e), missing ? -ENOEXEC : 0);
        assert_int_equal(strstr(e.text, "truncated") != NULL, missing);
        image_close(&image);
    }
}

static void test_sizes(void **state)
{
    static const struct {
        const char *text;
        uint64_t bytes; /* 0: refused */
    } rows[] = {
        {"1", 1},
        {"512M", 512ull << 20},
        {"2GiB", 2ull << 30},
        {"4k", 4096},
        {"1T", 1ull << 40},
        {"3GB", 3ull << 30},
        {"", 0},
        {"M", 0},
        {"0", 0},
        {"0G", 0},
        {"-1", 0},
        {"+1", 0},
        {" 1", 0},
        {"1 M", 0},
        {"1.5G", 0},
        {"0x10", 0},
        {"12Q", 0},
        {"99999999999T", 0},
        {"18446744073709551616", 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        uint64_t bytes = 0;
        int rc = size_parse(rows[i].text, &bytes, NULL);
        assert_int_equal(rc == 0, rows[i].bytes != 0);
        assert_int_equal(bytes, rows[i].bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_header),    cmocka_unit_test(test_bad_headers),
        cmocka_unit_test(test_gzip),      cmocka_unit_test(test_short_files),
        cmocka_unit_test(test_truncated), cmocka_unit_test(test_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
