/* test_base.c: errors, the event loop and its timers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <string.h>
#include <cmocka.h>

#include "base/err.h"
#include "base/evloop.h"

static void test_err_prefix(void **state)
{
    struct err e;
    (void)state;
    assert_int_equal(err_set(&e, ENOENT, "no such file"), -ENOENT);
    assert_int_equal(err_prefix(&e, "--disk %s", "a.img"), -ENOENT);
    assert_string_equal(e.text, "--disk a.img: no such file");
}

static void stop(void *ctx)
{
    evloop_stop(ctx);
}

static void test_timer_stops_loop(void **state)
{
    struct evloop *loop;
    struct evtimer *timer;
    (void)state;
    assert_int_equal(evloop_new(&loop, NULL), 0);
    assert_int_equal(evtimer_new(loop, stop, loop, &timer, NULL), 0);
    uint64_t start = clock_now_ns();
    evtimer_set(timer, start + 2000000);
    evloop_run(loop);
    assert_true(clock_now_ns() - start >= 2000000);
    evtimer_free(timer);
    evloop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_err_prefix),
        cmocka_unit_test(test_timer_stops_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
