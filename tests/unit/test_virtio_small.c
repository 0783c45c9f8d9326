/* test_virtio_small.c: the entropy device and the console. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/device/chardev.h"
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

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {T(test_rng), T(test_console)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
