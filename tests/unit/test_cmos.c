/* test_cmos.c: the PC's clock, with the host's C library as the oracle of what the time is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "core/device/cmos.h"

struct fixture {
    struct evloop *loop;
    struct cmos *cmos;
    bool irq;
    unsigned rises;
    unsigned until; /* rises after which the loop ends */
};

static void on_irq(void *ctx, unsigned number, bool level)
{
    struct fixture *f = ctx;
    assert_int_equal(number, 8);
    if (level && !f->irq && ++f->rises >= f->until)
        evloop_stop(f->loop);
    f->irq = level;
}

static int setup(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){.until = 1};
    *state = &fixture;
    assert_int_equal(evloop_new(&fixture.loop, NULL), 0);
    return cmos_new(fixture.loop, (struct irq_line){on_irq, &fixture, 8}, &fixture.cmos, NULL);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    cmos_free(f->cmos);
    evloop_free(f->loop);
    return 0;
}

static uint8_t get(struct fixture *f, uint8_t index)
{
    cmos_ops.write(f->cmos, 0, 1, index);
    return (uint8_t)cmos_ops.read(f->cmos, 1, 1);
}

static void put(struct fixture *f, uint8_t index, uint8_t value)
{
    cmos_ops.write(f->cmos, 0, 1, index);
    cmos_ops.write(f->cmos, 1, 1, value);
}

static int bcd(uint8_t value)
{
    assert_true((value & 15) < 10 && value >> 4 < 10);
    return (value >> 4) * 10 + (value & 15);
}

/* What the registers say, as seconds since 1970; read again where a second passed between. */
static time_t read_clock(struct fixture *f)
{
    struct tm tm;
    do {
        memset(&tm, 0, sizeof(tm));
        tm.tm_sec = bcd(get(f, 0));
        tm.tm_min = bcd(get(f, 2));
        tm.tm_hour = bcd(get(f, 4));
        tm.tm_mday = bcd(get(f, 7));
        tm.tm_mon = bcd(get(f, 8)) - 1;
        tm.tm_year = bcd(get(f, 9)) + bcd(get(f, 0x32)) * 100 - 1900;
    } while (bcd(get(f, 0)) != tm.tm_sec);
    return timegm(&tm);
}

static void tells_the_time(void **state)
{
    struct fixture *f = *state;
    time_t before = time(NULL), now = read_clock(f), after = time(NULL);
    assert_in_range(now, before, after);
    struct tm tm;
    gmtime_r(&now, &tm);
    assert_int_equal(bcd(get(f, 6)), tm.tm_wday + 1);
    assert_int_equal(get(f, 10) & 0x7f, 0x26);
    assert_int_equal(get(f, 11), 0x02);
    assert_int_equal(get(f, 13), 0x80);
}

static void can_be_set(void **state)
{
    struct fixture *f = *state;
    static const struct {
        uint8_t index, value;
    } writes[] = {{0, 0x59}, {2, 0x59}, {4, 0x23}, {7, 0x31}, {8, 0x12}, {9, 0x99}, {0x32, 0x19}};
    put(f, 11, 0x82); /* SET: the clock stands still while it is written */
    for (unsigned i = 0; i < sizeof(writes) / sizeof(writes[0]); i++)
        put(f, writes[i].index, writes[i].value);
    assert_int_equal(get(f, 9), 0x99);
    put(f, 11, 0x02);
    assert_in_range(read_clock(f), 946684799, 946684801); /* 1999-12-31 23:59:59, or just after */
    cmos_reset(f->cmos);
    assert_in_range(read_clock(f), 946684799, 946684801);
}

static void twelve_hours_and_binary(void **state)
{
    struct fixture *f = *state;
    put(f, 11, 0x82);
    put(f, 4, 0x00);
    put(f, 11, 0x02);
    put(f, 11, 0x00); /* 12 hours, BCD */
    assert_int_equal(get(f, 4), 0x12);
    put(f, 11, 0x80);
    put(f, 4, 0x91); /* 11 in the afternoon */
    put(f, 11, 0x00);
    put(f, 11, 0x06); /* 24 hours, binary */
    assert_int_equal(get(f, 4), 23);
    put(f, 11, 0x04);
    assert_int_equal(get(f, 4), 0x80 | 11);
}

static void memory_is_kept(void **state)
{
    struct fixture *f = *state;
    put(f, 0x40, 0x5a);
    put(f, 0xc1, 0xa5); /* the top bit of the index is no address */
    cmos_set(f->cmos, 0x34, 0x77);
    cmos_reset(f->cmos);
    assert_int_equal(get(f, 0x40), 0x5a);
    assert_int_equal(get(f, 0x41), 0xa5);
    assert_int_equal(get(f, 0x34), 0x77);
    put(f, 13, 0);
    assert_int_equal(get(f, 13), 0x80);
    assert_int_equal(cmos_ops.read(f->cmos, 0, 1), 0xff);
    assert_int_equal(cmos_ops.read(f->cmos, 0, 2), 0xffff);
}

static void update_interrupts(void **state)
{
    struct fixture *f = *state;
    put(f, 11, 0x12);
    evloop_run(f->loop);
    assert_true(f->irq);
    assert_int_equal(get(f, 12), 0x90);
    assert_false(f->irq);
    assert_int_equal(get(f, 12), 0);
}

static void alarm_interrupts(void **state)
{
    struct fixture *f = *state;
    time_t wanted = read_clock(f) + 2;
    struct tm tm;
    gmtime_r(&wanted, &tm);
    put(f, 1, (uint8_t)(tm.tm_sec / 10 * 16 + tm.tm_sec % 10));
    put(f, 3, 0xff); /* every minute */
    put(f, 5, 0xff);
    put(f, 11, 0x22);
    evloop_run(f->loop);
    assert_in_range(read_clock(f), wanted, wanted + 1);
    assert_int_equal(get(f, 12) & 0xa0, 0xa0);
    assert_false(f->irq);
    assert_int_equal(f->rises, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tells_the_time, setup, teardown),
        cmocka_unit_test_setup_teardown(can_be_set, setup, teardown),
        cmocka_unit_test_setup_teardown(twelve_hours_and_binary, setup, teardown),
        cmocka_unit_test_setup_teardown(memory_is_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(update_interrupts, setup, teardown),
        cmocka_unit_test_setup_teardown(alarm_interrupts, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
