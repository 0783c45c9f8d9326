/* test_bus.c: regions, overlaps, dispatch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <string.h>
#include <cmocka.h>

#include "core/device/bus.h"

static uint64_t last_offset, last_value;

static uint64_t device_read(void *ctx, uint64_t offset, unsigned size_bytes)
{
    last_offset = offset;
    return (uint64_t)(uintptr_t)ctx + size_bytes;
}

static void device_write(void *ctx, uint64_t offset, unsigned size_bytes, uint64_t value)
{
    last_offset = offset;
    last_value = value + (uint64_t)(uintptr_t)ctx;
}

static const struct bus_device_ops ops = {device_read, device_write};

static void test_finds_the_region(void **state)
{
    struct bus bus = {.count = 0};
    uint64_t v;
    assert_int_equal(bus_add(&bus, "c", 0x3000, 0x100, &ops, (void *)0xc00, NULL), 0);
    assert_int_equal(bus_add(&bus, "a", 0x1000, 0x1000, &ops, (void *)0xa00, NULL), 0);
    assert_int_equal(bus_add(&bus, "b", 0x2000, 0x1000, &ops, (void *)0xb00, NULL), 0);
    assert_true(bus_read(&bus, 0x1ffc, 4, &v));
    assert_int_equal(v, 0xa04);
    assert_int_equal(last_offset, 0xffc);
    assert_true(bus_write(&bus, 0x30f8, 8, 5));
    assert_int_equal(last_value, 0xc05);
    assert_int_equal(last_offset, 0xf8);
    assert_true(bus_read(&bus, 0x2000, 1, &v));
    assert_int_equal(v, 0xb01);
}

static void test_nothing_there(void **state)
{
    struct bus bus = {.count = 0};
    uint64_t v;
    assert_false(bus_read(&bus, 0, 4, &v));
    assert_int_equal(bus_add(&bus, "a", 0x1000, 0x100, &ops, NULL, NULL), 0);
    assert_false(bus_read(&bus, 0xfff, 1, &v));
    assert_false(bus_read(&bus, 0x1100, 1, &v));
    assert_false(bus_read(&bus, 0x10fe, 4, &v)); /* straddles the end */
    assert_false(bus_write(&bus, UINT64_MAX, 8, 0));
}

static void test_refuses_overlap(void **state)
{
    struct bus bus = {.count = 0};
    struct err e;
    assert_int_equal(bus_add(&bus, "uart", 0x1000, 0x1000, &ops, NULL, &e), 0);
    assert_int_equal(bus_add(&bus, "x", 0x1fff, 0x10, &ops, NULL, &e), -EEXIST);
    assert_non_null(strstr(e.text, "uart"));
    assert_int_equal(bus_add(&bus, "x", 0x0ff1, 0x10, &ops, NULL, &e), -EEXIST);
    assert_int_equal(bus_add(&bus, "x", 0x0, 0x10000, &ops, NULL, &e), -EEXIST);
    assert_int_equal(bus_add(&bus, "x", 0x1800, 1, &ops, NULL, &e), -EEXIST);
    assert_int_equal(bus_add(&bus, "x", 0x5000, 0, &ops, NULL, &e), -EINVAL);
    assert_int_equal(bus_add(&bus, "x", UINT64_MAX, 2, &ops, NULL, &e), -EINVAL);
    assert_int_equal(bus_add(&bus, "x", 0x2000, 0x10, &ops, NULL, &e), 0);
    assert_int_equal(bus.count, 2);
}

static void test_is_finite(void **state)
{
    static struct bus bus;
    for (unsigned i = 0; i < BUS_REGIONS_MAX; i++)
        assert_int_equal(bus_add(&bus, "d", i * 0x100, 0x100, &ops, NULL, NULL), 0);
    assert_int_equal(bus_add(&bus, "d", 0x100000, 0x100, &ops, NULL, NULL), -ENOSPC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_the_region),
        cmocka_unit_test(test_nothing_there),
        cmocka_unit_test(test_refuses_overlap),
        cmocka_unit_test(test_is_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
