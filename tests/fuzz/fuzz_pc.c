/* fuzz_pc.c: a hostile guest at the ports of the x86_64 board: serial port and power management,
 * with someone typing. */
#include <assert.h>

#include "core/device/acpi_pm.h"
#include "core/device/uart16550.h"
#include "mmio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void attach(void *ctx, struct chardev_front front)
{
    *(struct chardev_front *)ctx = front;
}

static void ignore(void *ctx)
{
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct evloop *loop;
    struct chardev_front front;
    struct uart16550 *uart;
    if (evloop_new(&loop, NULL) < 0)
        return 0;
    const struct uart16550_config config = {loop, {0}, {.ctx = &front, .attach = attach}};
    const struct acpi_pm_config pm_config = {.power_off = ignore, .reset = ignore};
    struct acpi_pm *pm = acpi_pm_new(&pm_config);
    if (uart16550_new(&config, &uart, NULL) < 0)
        assert(!"no timers");
    for (; size >= MMIO_REQUEST_BYTES; data += MMIO_REQUEST_BYTES, size -= MMIO_REQUEST_BYTES) {
        struct mmio_request r = mmio_request(data);
        switch (r.kind % 8) {
        case 0:
            mmio_do(&acpi_pm_ops, pm, ACPI_PM_BYTES, &r);
            break;
        case 1:
            mmio_do(&i8042_ops, pm, 1, &r);
            break;
        case 2:
            assert(front.receive(front.ctx, data, r.where % 8) <= r.where % 8);
            break;
        case 3:
            acpi_pm_press_power(pm);
            break;
        default:
            mmio_do(&uart16550_ops, uart, UART16550_BYTES, &r);
            break;
        }
    }
    uart16550_free(uart);
    acpi_pm_free(pm);
    evloop_free(loop);
    return 0;
}
