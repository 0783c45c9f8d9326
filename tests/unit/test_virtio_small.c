/* test_virtio_small.c: the entropy device, the console and the balloon. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "core/device/chardev.h"
#include "core/device/virtio/balloon.h"
#include "core/device/virtio/console.h"
#include "core/device/virtio/rng.h"
#include "virtio_guest.h"

struct fixture {
    struct guest g;
    struct chardev chardev;
    struct chardev_front front;
    char output[256];
    atomic_size_t output_bytes;
    const char *input;
};

static int setup(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof(f));
    guest_init(&f.g);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    guest_done(&f->g);
    return 0;
}

static void test_rng(void **state)
{
    struct fixture *f = *state;
    struct virtio_device *dev;
    assert_int_equal(virtio_rng_new(&f->g.env, &dev, NULL), 0);
    guest_start(&f->g, dev, ~0ull, 1, 16);
    uint64_t a = guest_alloc(&f->g, 64);
    static const uint8_t zero[64];
    assert_int_equal(guest_do(&f->g, 0, (struct guest_buffer[]){{a, 64, true}}, 1), 64);
    assert_memory_not_equal(guest_host(&f->g, a), zero, 64);
    /* a greedy guest is served in turns */
    for (unsigned i = 0; i < 40; i++)
        assert_int_equal(
            guest_do(&f->g, 0, (struct guest_buffer[]){{GUEST_HEAP, 1 << 20, true}}, 1), 4096);
    guest_add(&f->g, 0, (struct guest_buffer[]){{a, 64, false}}, 1);
    guest_notify(&f->g, 0);
    assert_true(guest_wait_status(&f->g, VIRTIO_STATUS_NEEDS_RESET));
}

static void on_write(void *ctx, const void *data, size_t size_bytes)
{
    struct fixture *f = ctx;
    memcpy(f->output + f->output_bytes, data, size_bytes);
    f->output_bytes += size_bytes;
}

static void on_attach(void *ctx, struct chardev_front front)
{
    ((struct fixture *)ctx)->front = front;
}

static void give_input(void *ctx)
{
    struct fixture *f = ctx;
    f->input += f->front.receive(f->front.ctx, f->input, strlen(f->input));
}

static void on_resume(void *ctx)
{
    struct fixture *f = ctx;
    evloop_post(f->g.loop, give_input, f);
}

static void test_console(void **state)
{
    struct fixture *f = *state;
    struct virtio_device *dev;
    f->chardev = (struct chardev){f, on_write, on_attach, on_resume};
    assert_int_equal(virtio_console_new(&f->g.env, &f->chardev, &dev, NULL), 0);
    guest_start(&f->g, dev, ~0ull, 2, 16);
    uint64_t text = guest_copy(&f->g, "hello\n", 6);
    guest_do(&f->g, 1, (struct guest_buffer[]){{text, 2, false}, {text + 2, 4, false}}, 2);
    assert_int_equal(f->output_bytes, 6);
    assert_memory_equal(f->output, "hello\n", 6);
    /* input waits until there are buffers */
    uint64_t a = guest_alloc(&f->g, 16);
    f->input = "abcdef";
    evloop_post(f->g.loop, give_input, f);
    usleep(10000);
    guest_add(&f->g, 0, (struct guest_buffer[]){{a, 4, true}}, 1);
    guest_notify(&f->g, 0);
    uint32_t written;
    assert_true(guest_wait_used(&f->g, 0, NULL, &written));
    assert_int_equal(written, 4);
    guest_add(&f->g, 0, (struct guest_buffer[]){{a + 4, 4, true}}, 1);
    guest_notify(&f->g, 0);
    assert_true(guest_wait_used(&f->g, 0, NULL, &written));
    assert_int_equal(written, 2);
    assert_string_equal(guest_host(&f->g, a), "abcdef");
    guest_add(&f->g, 1, (struct guest_buffer[]){{GUEST_HEAP, 2 << 20, false}}, 1);
    guest_notify(&f->g, 1);
    assert_true(guest_wait_status(&f->g, VIRTIO_STATUS_NEEDS_RESET));
}

static void test_balloon(void **state)
{
    struct fixture *f = *state;
    struct virtio_device *dev;
    assert_int_equal(virtio_balloon_new(&f->g.env, &dev, NULL), 0);
    guest_start(&f->g, dev, ~0ull, 3, 16);
    uint64_t pages = align_up(GUEST_HEAP, 4096) + 0x10000;
    memset(guest_host(&f->g, pages), 0xaa, 5 * 4096);
    /* two neighbours, one on its own, and three that are not memory */
    uint32_t first = (uint32_t)(pages / 4096);
    uint32_t end = (uint32_t)((GUEST_RAM_BASE + GUEST_RAM_BYTES) / 4096);
    uint32_t numbers[] = {first, first + 1, first + 3, 0, end, UINT32_MAX};
    uint64_t list = guest_copy(&f->g, numbers, sizeof(numbers));
    guest_do(&f->g, 0, (struct guest_buffer[]){{list, sizeof(numbers), false}}, 1);
    const uint8_t expected[] = {0, 0, 0xaa, 0, 0xaa};
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(*(uint8_t *)guest_host(&f->g, pages + i * 4096), expected[i]);
    guest_do(&f->g, 1, (struct guest_buffer[]){{list, sizeof(numbers), false}}, 1);
    /* a free page report: whole pages within the buffer only */
    memset(guest_host(&f->g, pages), 0xaa, 3 * 4096);
    guest_do(&f->g, 2, (struct guest_buffer[]){{pages + 8, 2 * 4096, true}}, 1);
    assert_int_equal(*(uint8_t *)guest_host(&f->g, pages + 8), 0xaa);
    assert_int_equal(*(uint8_t *)guest_host(&f->g, pages + 4096), 0);
    assert_int_equal(*(uint8_t *)guest_host(&f->g, pages + 8192), 0xaa);
    /* the host's wish, the driver's answer */
    uint32_t generation = guest_reg(&f->g, 0xfc);
    virtio_balloon_set_target(dev, 3 << 20);
    assert_int_equal(guest_reg(&f->g, 0x60) & 2, 2);
    assert_int_equal(guest_reg(&f->g, 0x100), (3 << 20) / 4096);
    assert_int_not_equal(guest_reg(&f->g, 0xfc), generation);
    guest_set_reg(&f->g, 0x104, 256);
    guest_set_reg(&f->g, 0x100, 1); /* not the driver's to write */
    assert_int_equal(virtio_balloon_size(dev), 1 << 20);
    assert_int_equal(guest_reg(&f->g, 0x100), (3 << 20) / 4096);
    guest_add(&f->g, 0, (struct guest_buffer[]){{GUEST_HEAP, 1 << 20, false}}, 1);
    guest_notify(&f->g, 0);
    assert_true(guest_wait_status(&f->g, VIRTIO_STATUS_NEEDS_RESET));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {T(test_rng), T(test_console), T(test_balloon)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
