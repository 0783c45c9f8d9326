/* fuzz_primecell.c: a hostile guest at the UART, the clock and the GPIO, with someone typing. */
#include <assert.h>

#include "core/device/pl011.h"
#include "core/device/pl031.h"
#include "core/device/pl061.h"
#include "mmio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void attach(void *ctx, struct chardev_front front)
{
    *(struct chardev_front *)ctx = front;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct evloop *loop;
    struct chardev_front front;
    struct pl011 *uart;
    struct pl031 *rtc;
    struct pl061 *gpio;
    const struct irq_line nowhere = {0};
    if (evloop_new(&loop, NULL) < 0)
        return 0;
    const struct pl011_config config = {loop, nowhere, {.ctx = &front, .attach = attach}};
    if (pl011_new(&config, &uart, NULL) < 0 || pl031_new(loop, nowhere, &rtc, NULL) < 0 ||
        pl061_new(loop, nowhere, &gpio, NULL) < 0)
        assert(!"no timers");
    for (; size >= MMIO_REQUEST_BYTES; data += MMIO_REQUEST_BYTES, size -= MMIO_REQUEST_BYTES) {
        struct mmio_request r = mmio_request(data);
        switch (r.kind % 8) {
        case 0:
        case 1:
            r.where &= 0x7c;
            mmio_do(&pl011_ops, uart, PL011_BYTES, &r);
            break;
        case 2:
            mmio_do(&pl011_ops, uart, PL011_BYTES, &r);
            break;
        case 3:
            assert(front.receive(front.ctx, data, r.where % 8) <= r.where % 8);
            break;
        case 4:
            r.where &= 0x1c;
            mmio_do(&pl031_ops, rtc, PL031_BYTES, &r);
            break;
        case 5:
            mmio_do(&pl061_ops, gpio, PL061_BYTES, &r);
            break;
        case 6:
            pl061_set_input(gpio, r.where % PL061_LINES, r.write);
            break;
        default:
            mmio_do(&pl031_ops, rtc, PL031_BYTES, &r);
            break;
        }
    }
    pl061_free(gpio);
    pl031_free(rtc);
    pl011_free(uart);
    evloop_free(loop);
    return 0;
}
