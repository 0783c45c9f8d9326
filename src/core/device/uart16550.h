/* uart16550.h: the PC's serial port, a National PC16550D. */
#ifndef PENG_CORE_DEVICE_UART16550_H
#define PENG_CORE_DEVICE_UART16550_H

#include "base/err.h"
#include "base/evloop.h"
#include "core/device/bus.h"
#include "core/device/chardev.h"

enum { UART16550_BYTES = 8 };

struct uart16550;

struct uart16550_config {
    struct evloop *loop; /* borrowed: flushes output that no newline ended */
    struct irq_line irq; /* INTR, high while an interrupt is pending */
    struct chardev back; /* attached to here */
};

int uart16550_new(const struct uart16550_config *config, struct uart16550 **ret_uart,
                  struct err *e);
void uart16550_free(struct uart16550 *uart); /* flushes, detaches; NULL is a no-op */
void uart16550_reset(struct uart16550 *uart);

extern const struct bus_device_ops uart16550_ops; /* ctx: struct uart16550 */

#endif
