/* pl031.h: Arm PrimeCell real time clock (DDI 0224), counting the host's seconds. */
#ifndef PENG_CORE_DEVICE_PL031_H
#define PENG_CORE_DEVICE_PL031_H

#include "base/err.h"
#include "base/evloop.h"
#include "core/device/bus.h"

enum { PL031_BYTES = 0x1000 };

struct pl031;

int pl031_new(struct evloop *loop, struct irq_line irq, struct pl031 **ret_rtc, struct err *e);
void pl031_free(struct pl031 *rtc);  /* NULL is a no-op */
void pl031_reset(struct pl031 *rtc); /* keeps the time that the guest set */

extern const struct bus_device_ops pl031_ops; /* ctx: struct pl031 */

#endif
