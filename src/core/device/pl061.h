/* pl061.h: Arm PrimeCell GPIO (DDI 0190); line 3 is the machine's power key. */
#ifndef PENG_CORE_DEVICE_PL061_H
#define PENG_CORE_DEVICE_PL061_H

#include <stdbool.h>

#include "base/err.h"
#include "base/evloop.h"
#include "core/device/bus.h"

enum { PL061_BYTES = 0x1000, PL061_LINES = 8, PL061_POWER_KEY = 3 };

struct pl061;

int pl061_new(struct evloop *loop, struct irq_line irq, struct pl061 **ret_gpio, struct err *e);
void pl061_free(struct pl061 *gpio); /* NULL is a no-op */
void pl061_reset(struct pl061 *gpio);

/* Drives an input line. Any thread. */
void pl061_set_input(struct pl061 *gpio, unsigned line, bool level);
/* Presses the power key and lets go 100 ms later: the guest is asked to shut down. Any thread. */
void pl061_press_power(struct pl061 *gpio);

extern const struct bus_device_ops pl061_ops; /* ctx: struct pl061 */

#endif
