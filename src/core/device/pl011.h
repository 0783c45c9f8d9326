/* pl011.h: Arm PrimeCell UART (DDI 0183). */
#ifndef PENG_CORE_DEVICE_PL011_H
#define PENG_CORE_DEVICE_PL011_H

#include "base/err.h"
#include "base/evloop.h"
#include "core/device/bus.h"
#include "core/device/chardev.h"

enum { PL011_BYTES = 0x1000 };

struct pl011;

struct pl011_config {
    struct evloop *loop; /* borrowed: flushes output that no newline ended */
    struct irq_line irq; /* UARTINTR, level */
    struct chardev back; /* attached to here */
};

int pl011_new(const struct pl011_config *config, struct pl011 **ret_uart, struct err *e);
void pl011_free(struct pl011 *uart); /* flushes, detaches; NULL is a no-op */
void pl011_reset(struct pl011 *uart);
void pl011_flush(struct pl011 *uart); /* any thread: pending output goes out now */

extern const struct bus_device_ops pl011_ops; /* ctx: struct pl011 */

#endif
