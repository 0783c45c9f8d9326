/* test_virtio_queue.c: split virtqueues: the good path, and every way a driver can be wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "virtio_guest.h"

enum { SIZE = 8 };

struct fixture {
    struct guest g;
    struct virtqueue q;
    const char *broken; /* why, or NULL */
    unsigned broken_count, interrupts;
};

static void on_broken(void *ctx, unsigned queue, const char *why)
{
    struct fixture *f = ctx;
    (void)queue;
    f->broken = why;
    f->broken_count++;
}

static void on_interrupt(void *ctx, unsigned queue)
{
    struct fixture *f = ctx;
    (void)queue;
    f->interrupts++;
}

static int setup(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof(f));
    guest_init(&f.g);
    vq_init(&f.q, &f.g.mem, 0, SIZE, (struct vq_owner){&f, on_broken, on_interrupt});
    f.g.queues[0] = (struct guest_queue){.desc = GUEST_RAM_BASE,
                                         .avail = GUEST_RAM_BASE + 0x1000,
                                         .used = GUEST_RAM_BASE + 0x2000,
                                         .size = SIZE};
    f.q.desc_address = f.g.queues[0].desc;
    f.q.driver_address = f.g.queues[0].avail;
    f.q.device_address = f.g.queues[0].used;
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    guest_done(&f->g);
    return 0;
}

static void test_chain(void **state)
{
    struct fixture *f = *state;
    struct vq_chain chain;
    uint64_t a = guest_alloc(&f->g, 64), b = guest_alloc(&f->g, 64);
    vq_enable(&f->q, false, true);
    assert_false(vq_pop(&f->q, &chain));
    uint16_t head = guest_add(&f->g, 0, (struct guest_buffer[]){{a, 10, false}, {b, 20, true}}, 2);
    assert_true(vq_pop(&f->q, &chain));
    assert_int_equal(chain.head, head);
    assert_int_equal(chain.readable_count, 1);
    assert_int_equal(chain.writable_count, 1);
    assert_int_equal(chain.readable_bytes, 10);
    assert_int_equal(chain.writable_bytes, 20);
    assert_ptr_equal(chain.iov[0].iov_base, guest_host(&f->g, a));
    assert_ptr_equal(vq_chain_writable(&chain)->iov_base, guest_host(&f->g, b));
    vq_push(&f->q, chain.head, 20);
    assert_int_equal(load_le(guest_host(&f->g, f->q.device_address + 2), 2), 0);
    vq_flush(&f->q);
    uint32_t written = 0;
    assert_true(guest_wait_used(&f->g, 0, NULL, &written));
    assert_int_equal(written, 20);
    assert_int_equal(f->interrupts, 1);
    vq_flush(&f->q);
    assert_int_equal(f->interrupts, 1);
    assert_null(f->broken);
}

static void test_indirect(void **state)
{
    struct fixture *f = *state;
    struct vq_chain chain;
    uint64_t a = guest_alloc(&f->g, 64);
    uint64_t table = guest_alloc(&f->g, 40 * 16) + 8; /* any alignment */
    for (uint16_t i = 0; i < 30; i++)
        guest_desc(&f->g, table, i, a, 1, i < 29 ? DESC_NEXT : DESC_WRITE, i + 1);
    vq_enable(&f->q, false, true);
    guest_desc(&f->g, f->q.desc_address, 3, table, 30 * 16, DESC_INDIRECT | DESC_WRITE, 0);
    guest_offer(&f->g, 0, 3);
    assert_true(vq_pop(&f->q, &chain));
    assert_int_equal(chain.readable_count, 29);
    assert_int_equal(chain.writable_count, 1);
    assert_null(f->broken);
}

static void test_many_rounds(void **state)
{
    struct fixture *f = *state;
    struct vq_chain chain;
    uint64_t a = guest_alloc(&f->g, 64);
    vq_enable(&f->q, false, false);
    for (unsigned round = 0; round < 70000; round++) {
        guest_add(&f->g, 0, (struct guest_buffer[]){{a, 4, true}}, 1);
        assert_true(vq_pop(&f->q, &chain));
        vq_push(&f->q, chain.head, 4);
        vq_flush(&f->q);
    }
    assert_null(f->broken);
    assert_int_equal(f->interrupts, 70000);
}

static void test_event_idx(void **state)
{
    struct fixture *f = *state;
    struct vq_chain chain;
    uint64_t a = guest_alloc(&f->g, 64);
    vq_enable(&f->q, true, false);
    store_le(guest_host(&f->g, f->q.driver_address + 4 + 2 * SIZE), 2,
             2); /* tell me of the third */
    for (unsigned i = 0; i < 4; i++) {
        guest_add(&f->g, 0, (struct guest_buffer[]){{a, 4, true}}, 1);
        assert_true(vq_pop(&f->q, &chain));
        vq_push(&f->q, chain.head, 4);
        vq_flush(&f->q);
        assert_int_equal(f->interrupts, i >= 2);
    }
    assert_false(vq_want_kicks(&f->q));
    assert_int_equal(load_le(guest_host(&f->g, f->q.device_address + 4 + 8 * SIZE), 2), 4);
    guest_add(&f->g, 0, (struct guest_buffer[]){{a, 4, true}}, 1);
    assert_true(vq_want_kicks(&f->q));
}

static void test_suppressed_interrupt(void **state)
{
    struct fixture *f = *state;
    struct vq_chain chain;
    uint64_t a = guest_alloc(&f->g, 64);
    vq_enable(&f->q, false, false);
    store_le(guest_host(&f->g, f->q.driver_address), 2, 1);
    guest_add(&f->g, 0, (struct guest_buffer[]){{a, 4, true}}, 1);
    assert_true(vq_pop(&f->q, &chain));
    vq_push(&f->q, chain.head, 4);
    vq_flush(&f->q);
    assert_int_equal(f->interrupts, 0);
}

static void test_unpop(void **state)
{
    struct fixture *f = *state;
    struct vq_chain first, again;
    uint64_t a = guest_alloc(&f->g, 64);
    vq_enable(&f->q, false, false);
    guest_add(&f->g, 0, (struct guest_buffer[]){{a, 4, true}}, 1);
    assert_true(vq_pop(&f->q, &first));
    assert_false(vq_pop(&f->q, &again));
    vq_unpop(&f->q, 1);
    assert_true(vq_pop(&f->q, &again));
    assert_int_equal(first.head, again.head);
}

static void expect_broken(struct fixture *f, const char *part)
{
    struct vq_chain chain;
    assert_false(vq_pop(&f->q, &chain));
    assert_non_null(f->broken);
    if (!strstr(f->broken, part))
        fail_msg("expected \"%s\", got \"%s\"", part, f->broken);
    assert_int_equal(f->broken_count, 1);
    /* and it stays quiet */
    assert_false(vq_pop(&f->q, &chain));
    assert_false(vq_has_work(&f->q));
    assert_false(vq_want_kicks(&f->q));
    vq_push(&f->q, 0, 0);
    vq_flush(&f->q);
    assert_int_equal(f->broken_count, 1);
    assert_int_equal(f->interrupts, 0);
}

/* One bad descriptor chain: descriptors 0..2 of the queue, an indirect table at TABLE. */
struct bad_desc {
    uint64_t address;
    uint32_t size;
    uint16_t flags, next;
};
struct bad_chain {
    const char *why;
    struct bad_desc direct[3];
    struct bad_desc indirect[3];
};

#define OK_BUFFER (GUEST_HEAP + 0x1000)
#define TABLE     (GUEST_HEAP + 0x2000)
#define RAM_END   (GUEST_RAM_BASE + GUEST_RAM_BYTES)

/* clang-format off */
static const struct bad_chain bad_chains[] = {
    {"zero length", {{OK_BUFFER, 0, 0, 0}}, {{0}}},
    {"outside of memory", {{0x1000, 16, 0, 0}}, {{0}}},
    {"outside of memory", {{RAM_END - 8, 16, DESC_WRITE, 0}}, {{0}}},
    {"outside of memory", {{UINT64_MAX - 3, 16, DESC_WRITE, 0}}, {{0}}},
    {"outside of memory", {{OK_BUFFER, UINT32_MAX, 0, 0}}, {{0}}},
    {"index out of range", {{OK_BUFFER, 16, DESC_NEXT, SIZE}}, {{0}}},
    {"index out of range", {{OK_BUFFER, 16, DESC_NEXT, 0xffff}}, {{0}}},
    {"too long", {{OK_BUFFER, 16, DESC_NEXT, 0}}, {{0}}},
    {"too long", {{OK_BUFFER, 16, DESC_NEXT, 1}, {OK_BUFFER, 16, DESC_NEXT, 0}}, {{0}}},
    {"readable buffer behind", {{OK_BUFFER, 16, DESC_WRITE | DESC_NEXT, 1}, {OK_BUFFER, 16, 0, 0}}, {{0}}},
    {"not a multiple of 16", {{TABLE, 0, DESC_INDIRECT, 0}}, {{0}}},
    {"not a multiple of 16", {{TABLE, 24, DESC_INDIRECT, 0}}, {{0}}},
    {"table is too long", {{TABLE, 0xfffffff0, DESC_INDIRECT, 0}}, {{0}}},
    {"table is too long", {{TABLE, 16 * (VQ_CHAIN_MAX + 1), DESC_INDIRECT, 0}}, {{0}}},
    {"table outside of memory", {{RAM_END - 16, 32, DESC_INDIRECT, 0}}, {{0}}},
    {"with a next one", {{TABLE, 16, DESC_INDIRECT | DESC_NEXT, 1}, {OK_BUFFER, 16, 0, 0}}, {{OK_BUFFER, 16, 0, 0}}},
    {"within an indirect", {{TABLE, 48, DESC_INDIRECT, 0}}, {{TABLE, 16, DESC_INDIRECT, 0}}},
    {"index out of range", {{TABLE, 48, DESC_INDIRECT, 0}}, {{OK_BUFFER, 16, DESC_NEXT, 3}}},
    {"too long", {{TABLE, 48, DESC_INDIRECT, 0}}, {{OK_BUFFER, 16, DESC_NEXT, 1}, {OK_BUFFER, 16, DESC_NEXT, 0}}},
    {"zero length", {{OK_BUFFER, 16, DESC_NEXT, 1}, {TABLE, 16, DESC_INDIRECT, 0}}, {{OK_BUFFER, 0, 0, 0}}},
};
/* clang-format on */

static void test_bad_chains(void **state)
{
    for (unsigned i = 0; i < ARRAY_SIZE(bad_chains); i++) {
        if (i > 0)
            assert_int_equal(teardown(state) + setup(state), 0);
        struct fixture *f = *state;
        vq_enable(&f->q, false, true);
        for (uint16_t d = 0; d < 3; d++) {
            const struct bad_desc *direct = &bad_chains[i].direct[d];
            const struct bad_desc *indirect = &bad_chains[i].indirect[d];
            guest_desc(&f->g, f->q.desc_address, d, direct->address, direct->size, direct->flags,
                       direct->next);
            guest_desc(&f->g, TABLE, d, indirect->address, indirect->size, indirect->flags,
                       indirect->next);
        }
        guest_offer(&f->g, 0, 0);
        expect_broken(f, bad_chains[i].why);
    }
}

static void test_indirect_not_negotiated(void **state)
{
    struct fixture *f = *state;
    vq_enable(&f->q, false, false);
    guest_desc(&f->g, f->q.desc_address, 0, TABLE, 16, DESC_INDIRECT, 0);
    guest_offer(&f->g, 0, 0);
    expect_broken(f, "not negotiated");
}

static void test_head_out_of_range(void **state)
{
    struct fixture *f = *state;
    vq_enable(&f->q, false, false);
    guest_offer(&f->g, 0, SIZE);
    expect_broken(f, "index out of range");
}

static void test_index_runs_ahead(void **state)
{
    struct fixture *f = *state;
    vq_enable(&f->q, false, false);
    store_le(guest_host(&f->g, f->q.driver_address + 2), 2, SIZE + 1);
    expect_broken(f, "runs ahead");
}

/* The same descriptor offered again and again while nothing is given back. */
static void test_too_many_in_flight(void **state)
{
    struct fixture *f = *state;
    struct vq_chain chain;
    vq_enable(&f->q, false, false);
    guest_desc(&f->g, f->q.desc_address, 0, OK_BUFFER, 16, 0, 0);
    for (unsigned i = 0; i < SIZE; i++) {
        guest_offer(&f->g, 0, 0);
        assert_true(vq_pop(&f->q, &chain));
    }
    guest_offer(&f->g, 0, 0);
    expect_broken(f, "more requests");
}

static void test_bad_areas(void **state)
{
    static const struct {
        uint64_t desc, avail, used;
        uint16_t size;
    } cases[] = {
        {GUEST_RAM_BASE + 8, GUEST_RAM_BASE, GUEST_RAM_BASE, SIZE},
        {GUEST_RAM_BASE, GUEST_RAM_BASE + 1, GUEST_RAM_BASE, SIZE},
        {GUEST_RAM_BASE, GUEST_RAM_BASE, GUEST_RAM_BASE + 2, SIZE},
        {0, GUEST_RAM_BASE, GUEST_RAM_BASE, SIZE},
        {GUEST_RAM_BASE, RAM_END - 4, GUEST_RAM_BASE, SIZE},
        {GUEST_RAM_BASE, GUEST_RAM_BASE, RAM_END - 64, SIZE},
        {UINT64_MAX - 15, GUEST_RAM_BASE, GUEST_RAM_BASE, SIZE},
        {GUEST_RAM_BASE, GUEST_RAM_BASE, GUEST_RAM_BASE, 0},
        {GUEST_RAM_BASE, GUEST_RAM_BASE, GUEST_RAM_BASE, 6},
        {GUEST_RAM_BASE, GUEST_RAM_BASE, GUEST_RAM_BASE, SIZE * 2},
    };
    struct fixture *f = *state;
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        vq_reset(&f->q);
        f->broken = NULL;
        f->q.desc_address = cases[i].desc;
        f->q.driver_address = cases[i].avail;
        f->q.device_address = cases[i].used;
        f->q.size = cases[i].size;
        vq_enable(&f->q, false, false);
        assert_non_null(f->broken);
        assert_false(f->q.enabled);
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_chain),
        T(test_indirect),
        T(test_many_rounds),
        T(test_event_idx),
        T(test_suppressed_interrupt),
        T(test_unpop),
        T(test_bad_chains),
        T(test_indirect_not_negotiated),
        T(test_head_out_of_range),
        T(test_index_runs_ahead),
        T(test_too_many_in_flight),
        T(test_bad_areas),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
