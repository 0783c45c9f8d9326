/* test_primecell.c: UART, real time clock and GPIO. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "core/device/pl011.h"
#include "core/device/pl031.h"
#include "core/device/pl061.h"

static struct fixture {
    struct evloop *loop;
    bool irq;
    char out[4096];
    size_t out_count;
    unsigned writes;
    unsigned resumes;
    struct chardev_front front;
} f;

static void set_irq(void *ctx, unsigned number, bool level)
{
    f.irq = level;
}

static void back_write(void *ctx, const void *data, size_t size_bytes)
{
    memcpy(f.out + f.out_count, data, size_bytes);
    f.out_count += size_bytes;
    f.writes++;
}

static void back_attach(void *ctx, struct chardev_front front)
{
    f.front = front;
}

static void back_resume(void *ctx)
{
    f.resumes++;
}

static const struct irq_line irq = {set_irq, NULL, 1};

static int setup(void **state)
{
    memset(&f, 0, sizeof(f));
    return evloop_new(&f.loop, NULL);
}

static int teardown(void **state)
{
    evloop_free(f.loop);
    return 0;
}

static void stop(void *ctx)
{
    evloop_stop(f.loop);
}

/* Lets the event loop run for some time. */
static void run_for_ms(unsigned ms)
{
    struct evtimer *timer;
    assert_int_equal(evtimer_new(f.loop, stop, NULL, &timer, NULL), 0);
    evtimer_set(timer, clock_now_ns() + ms * 1000000ull);
    evloop_run(f.loop);
    evtimer_free(timer);
}

/* --- PL011 -------------------------------------------------------------------------------------
 */

enum {
    DR = 0,
    FR = 0x18,
    LCR_H = 0x2c,
    CR = 0x30,
    IFLS = 0x34,
    IMSC = 0x38,
    RIS = 0x3c,
    MIS = 0x40,
    ICR = 0x44,
    RXFE = 0x10,
    RXFF = 0x40,
    RX = 0x10,
    TX = 0x20,
    RT = 0x40,
    OE = 0x400,
};

static struct pl011 *new_uart(void)
{
    const struct pl011_config config = {f.loop, irq, {NULL, back_write, back_attach, back_resume}};
    struct pl011 *u;
    assert_int_equal(pl011_new(&config, &u, NULL), 0);
    return u;
}

static uint32_t uart(struct pl011 *u, uint64_t offset)
{
    return (uint32_t)pl011_ops.read(u, offset, 4);
}

static void uart_set(struct pl011 *u, uint64_t offset, uint32_t value)
{
    pl011_ops.write(u, offset, 4, value);
}

static void uart_on(struct pl011 *u, bool fifo)
{
    uart_set(u, LCR_H, fifo ? 0x70 : 0x60);
    uart_set(u, CR, 0x301);
}

static size_t type(const char *text)
{
    return f.front.receive(f.front.ctx, text, strlen(text));
}

static void test_uart_sends_lines(void **state)
{
    struct pl011 *u = new_uart();
    for (const char *c = "hello\nwor"; *c; c++)
        pl011_ops.write(u, DR, 1, (uint8_t)*c);
    assert_int_equal(f.writes, 1);
    assert_memory_equal(f.out, "hello\n", 6);
    run_for_ms(20);
    assert_int_equal(f.writes, 2);
    assert_memory_equal(f.out, "hello\nwor", 9);
    uart_set(u, DR, 'l');
    pl011_free(u);
    assert_memory_equal(f.out, "hello\nworl", 10);
    assert_null(f.front.receive);
}

static void test_uart_long_line_goes_out_in_parts(void **state)
{
    struct pl011 *u = new_uart();
    for (unsigned i = 0; i < 3000; i++)
        uart_set(u, DR, 'x');
    assert_true(f.out_count >= 2048);
    pl011_free(u);
    assert_int_equal(f.out_count, 3000);
}

static void test_uart_transmit_interrupt(void **state)
{
    struct pl011 *u = new_uart();
    uart_set(u, IMSC, TX);
    assert_false(f.irq);
    uart_set(u, DR, 'a');
    assert_true(f.irq);
    assert_int_equal(uart(u, MIS), TX);
    uart_set(u, ICR, TX);
    assert_false(f.irq);
    pl011_free(u);
}

static void test_uart_receives(void **state)
{
    struct pl011 *u = new_uart();
    uart_on(u, true);
    uart_set(u, IMSC, RX | RT);
    assert_int_equal(uart(u, FR) & RXFE, RXFE);
    assert_int_equal(type("ab"), 2);
    assert_int_equal(uart(u, RIS), RT); /* below the trigger of 16 */
    assert_true(f.irq);
    assert_int_equal(uart(u, FR) & RXFE, 0);
    assert_int_equal(uart(u, DR), 'a');
    assert_true(f.irq);
    assert_int_equal(uart(u, DR), 'b');
    assert_false(f.irq);
    assert_int_equal(type("0123456789abcdef"), 16);
    assert_int_equal(uart(u, RIS) & RX, RX);
    assert_int_equal(uart(u, DR), '0');
    assert_int_equal(uart(u, RIS) & RX, 0);
    pl011_free(u);
}

static void test_uart_flow_control(void **state)
{
    struct pl011 *u = new_uart();
    char text[41];
    memset(text, 'x', 40);
    text[40] = 0;
    assert_int_equal(type(text), 0); /* off: the back end keeps all of it */
    uart_on(u, true);
    assert_int_equal(f.resumes, 1);
    assert_int_equal(type(text), 32);
    assert_int_equal(uart(u, FR) & RXFF, RXFF);
    for (unsigned i = 0; i < 32; i++)
        assert_int_equal(uart(u, DR), 'x');
    assert_int_equal(f.resumes, 2);
    assert_int_equal(type(text + 32), 8);
    for (unsigned i = 0; i < 8; i++)
        uart(u, DR);
    assert_int_equal(f.resumes, 2); /* nothing was refused */
    pl011_free(u);
}

static void test_uart_without_fifo(void **state)
{
    struct pl011 *u = new_uart();
    uart_on(u, false);
    assert_int_equal(type("ab"), 1);
    assert_int_equal(uart(u, RIS), RX);
    assert_int_equal(uart(u, FR) & RXFF, RXFF);
    assert_int_equal(uart(u, DR), 'a');
    assert_int_equal(f.resumes, 1);
    pl011_free(u);
}

static void test_uart_loops_back(void **state)
{
    struct pl011 *u = new_uart();
    uart_set(u, CR, 0x381);
    uart_set(u, DR, 'p');
    uart_set(u, DR, 'q'); /* one place only */
    assert_int_equal(uart(u, RIS) & OE, OE);
    assert_int_equal(uart(u, DR), 'p' | 0x800);
    assert_int_equal(uart(u, 4), 8);
    uart_set(u, 4, 0);
    assert_int_equal(uart(u, 4), 0);
    pl011_free(u);
    assert_int_equal(f.out_count, 0);
}

static void test_uart_identifies_itself(void **state)
{
    struct pl011 *u = new_uart();
    static const uint8_t id[] = {0x11, 0x10, 0x34, 0x00, 0x0d, 0xf0, 0x05, 0xb1};
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(uart(u, 0xfe0 + 4 * i), id[i]);
    assert_int_equal(uart(u, 0x800), 0);
    assert_int_equal(pl011_ops.read(u, 0x18, 8), 0);
    pl011_free(u);
}

/* --- PL031 -------------------------------------------------------------------------------------
 */

static void test_rtc_tells_the_hosts_time(void **state)
{
    struct pl031 *r;
    assert_int_equal(pl031_new(f.loop, irq, &r, NULL), 0);
    uint32_t now = (uint32_t)time(NULL), told = (uint32_t)pl031_ops.read(r, 0, 4);
    assert_true(told - now <= 1);
    pl031_ops.write(r, 8, 4, 1000000);
    told = (uint32_t)pl031_ops.read(r, 0, 4);
    assert_true(told - 1000000 <= 1);
    assert_int_equal(pl031_ops.read(r, 0xc, 4), 1);
    assert_int_equal(pl031_ops.read(r, 0xfe0, 4), 0x31);
    assert_int_equal(pl031_ops.read(r, 0xfe0, 1), 0x31);
    assert_int_equal(pl031_ops.read(r, 0, 8), 0);
    pl031_free(r);
}

/* Waits until the next second is half a second away, so that no tick falls between two statements.
 */
static void away_from_tick(void)
{
    struct timespec t, nap = {0, 20000000};
    while (clock_gettime(CLOCK_REALTIME, &t) == 0 && t.tv_nsec > 500000000)
        nanosleep(&nap, NULL);
}

static void test_rtc_alarm(void **state)
{
    struct pl031 *r;
    assert_int_equal(pl031_new(f.loop, irq, &r, NULL), 0);
    pl031_ops.write(r, 0x10, 4, 1);
    away_from_tick();
    pl031_ops.write(r, 4, 4, pl031_ops.read(r, 0, 4) + 1);
    assert_false(f.irq);
    run_for_ms(1100);
    assert_true(f.irq);
    assert_int_equal(pl031_ops.read(r, 0x18, 4), 1);
    pl031_ops.write(r, 0x1c, 4, 1);
    assert_false(f.irq);
    away_from_tick();
    pl031_ops.write(r, 4, 4, pl031_ops.read(r, 0, 4)); /* now */
    assert_true(f.irq);
    pl031_reset(r);
    assert_false(f.irq);
    pl031_free(r);
}

/* --- PL061 -------------------------------------------------------------------------------------
 */

enum { DATA = 0, DIR = 0x400, IS = 0x404, IBE = 0x408, IEV = 0x40c, IE = 0x410, IC = 0x41c };

static void gpio_set(struct pl061 *g, uint64_t offset, uint8_t value)
{
    pl061_ops.write(g, offset, 4, value);
}

static uint8_t gpio(struct pl061 *g, uint64_t offset)
{
    return (uint8_t)pl061_ops.read(g, offset, 4);
}

static void test_gpio_masks_data(void **state)
{
    struct pl061 *g;
    assert_int_equal(pl061_new(f.loop, irq, &g, NULL), 0);
    gpio_set(g, DIR, 0xf0);
    gpio_set(g, 0x3fc, 0xff); /* inputs keep their level */
    assert_int_equal(gpio(g, 0x3fc), 0xf0);
    gpio_set(g, 0x10 << 2, 0);
    assert_int_equal(gpio(g, 0x3fc), 0xe0);
    pl061_set_input(g, 0, true);
    assert_int_equal(gpio(g, 0x3fc), 0xe1);
    assert_int_equal(gpio(g, 1 << 2), 1);
    assert_int_equal(gpio(g, DATA), 0);
    assert_int_equal(gpio(g, 0xfe0), 0x61);
    pl061_free(g);
}

static void test_gpio_edges_and_levels(void **state)
{
    struct pl061 *g;
    assert_int_equal(pl061_new(f.loop, irq, &g, NULL), 0);
    gpio_set(g, IE, 1);
    gpio_set(g, IEV, 1); /* rising */
    pl061_set_input(g, 0, true);
    assert_true(f.irq);
    gpio_set(g, IC, 1);
    assert_false(f.irq);
    pl061_set_input(g, 0, false);
    assert_false(f.irq);
    gpio_set(g, IBE, 1);
    pl061_set_input(g, 0, true);
    gpio_set(g, IC, 1);
    pl061_set_input(g, 0, false);
    assert_true(f.irq);
    gpio_set(g, IC, 1);
    gpio_set(g, IS, 1); /* high level */
    assert_false(f.irq);
    pl061_set_input(g, 0, true);
    gpio_set(g, IC, 1);
    assert_true(f.irq);
    gpio_set(g, IEV, 0);
    assert_false(f.irq);
    pl061_free(g);
}

static void test_power_key(void **state)
{
    struct pl061 *g;
    assert_int_equal(pl061_new(f.loop, irq, &g, NULL), 0);
    gpio_set(g, IBE, 1 << PL061_POWER_KEY);
    gpio_set(g, IE, 1 << PL061_POWER_KEY);
    pl061_press_power(g);
    assert_true(f.irq);
    assert_int_equal(gpio(g, 0x3fc), 1 << PL061_POWER_KEY);
    gpio_set(g, IC, 0xff);
    run_for_ms(150);
    assert_true(f.irq);
    assert_int_equal(gpio(g, 0x3fc), 0);
    pl061_free(g);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_uart_sends_lines),
        CASE(test_uart_long_line_goes_out_in_parts),
        CASE(test_uart_transmit_interrupt),
        CASE(test_uart_receives),
        CASE(test_uart_flow_control),
        CASE(test_uart_without_fifo),
        CASE(test_uart_loops_back),
        CASE(test_uart_identifies_itself),
        CASE(test_rtc_tells_the_hosts_time),
        CASE(test_rtc_alarm),
        CASE(test_gpio_masks_data),
        CASE(test_gpio_edges_and_levels),
        CASE(test_power_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
