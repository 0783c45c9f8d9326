/* test_lazymem.c: huge pages begin where they may, with small ones in front of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <sys/mman.h>

#include "hardware/lazymem.h"

static void touch(uint8_t *at, size_t bytes)
{
    assert_int_equal(at[0] | at[bytes - 1], 0);
    at[0] = at[bytes - 1] = 1;
}

static void test_layout(void **state)
{
    static const struct {
        size_t front, bytes;
    } sizes[] = {{0, 4096}, {1, 1 << 20}, {5000, 4 << 20}, {1 << 20, 128 << 20}};
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct lazymem mem;
        assert_int_equal(
            lazymem_init(&mem, NULL, sizes[i].front, sizes[i].bytes, PROT_READ | PROT_WRITE, NULL),
            0);
        assert_int_equal(((uintptr_t)mem.at + LAZYMEM_SMALL) % LAZYMEM_HUGE, 0);
        assert_int_equal((uintptr_t)mem.front % 4096, 0);
        assert_true(mem.front + sizes[i].front <= mem.at);
        if (sizes[i].front)
            touch(mem.front, sizes[i].front);
        touch(mem.at, sizes[i].bytes);
        lazymem_done(&mem);
        assert_null(mem.map);
    }
}

static void test_start_in_the_middle(void **state)
{
    struct lazymem mem;
    assert_int_equal(lazymem_init(&mem, NULL, 0, 64 << 20, PROT_READ | PROT_WRITE, NULL), 0);
    for (size_t offset = 4 << 20; offset < 60 << 20; offset += 4097 * 64) {
        uint8_t *at = lazymem_start_small(&mem, mem.at + offset);
        assert_true(at <= mem.at + offset && at + LAZYMEM_HUGE > mem.at + offset);
        assert_int_equal(((uintptr_t)at + LAZYMEM_SMALL) % LAZYMEM_HUGE, 0);
    }
    /* Too near to the start, which has small pages of its own. */
    assert_ptr_equal(lazymem_start_small(&mem, mem.at + 5000), mem.at + 5000);
    lazymem_done(&mem);
    lazymem_done(&mem);
}

/* The same place gives the same layout; a place that is taken is none. */
static void test_where(void **state)
{
    enum { MIB = 1 << 20 };
    struct lazymem mem, again;
    struct err e = {0};
    void *where = (void *)0x6a1234600000;
    assert_int_equal(lazymem_init(&mem, where, 5000, 64 * MIB, PROT_READ | PROT_WRITE, NULL), 0);
    assert_ptr_equal(mem.map, where);
    assert_true(mem.at + 64 * MIB <= (uint8_t *)where + lazymem_span(5000, 64 * MIB));
    assert_int_equal(lazymem_init(&again, where, 5000, 64 * MIB, PROT_READ, &e), -EEXIST);
    uint8_t *at = mem.at, *front = mem.front;
    lazymem_done(&mem);
    assert_int_equal(lazymem_init(&mem, where, 5000, 64 * MIB, PROT_READ, NULL), 0);
    assert_ptr_equal(mem.at, at);
    assert_ptr_equal(mem.front, front);
    lazymem_done(&mem);
}

static void test_no_memory(void **state)
{
    struct lazymem mem;
    struct err e = {0};
    assert_int_equal(lazymem_init(&mem, NULL, 0, (size_t)1 << 60, PROT_READ, &e), -ENOMEM);
    assert_true(e.text[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_start_in_the_middle),
        cmocka_unit_test(test_where),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
