/* cmos.h: the PC's clock and its battery-backed memory: Motorola's MC146818 as PC/AT boards have
 * it, with the century at 0x32 (ACPI 6.5, 5.2.9: FADT's CENTURY).
 */
#ifndef PENG_CORE_DEVICE_CMOS_H
#define PENG_CORE_DEVICE_CMOS_H

#include "base/err.h"
#include "base/evloop.h"
#include "core/device/bus.h"

enum {
    CMOS_PORTS_BYTES = 2, /* index and data */
    CMOS_BYTES = 128,
    CMOS_CENTURY = 0x32,
};

struct cmos;

/* The clock tells the host's time in UTC. `irq` is a level, high until register C is read. */
int cmos_new(struct evloop *loop, struct irq_line irq, struct cmos **ret_cmos, struct err *e);
void cmos_free(struct cmos *cmos);  /* NULL is a no-op */
void cmos_reset(struct cmos *cmos); /* the RESET# pin: interrupts off; time and memory stay */
/* A byte of the memory behind the clock's registers (0x0e and up), as a PC's set-up puts it. */
void cmos_set(struct cmos *cmos, unsigned index, uint8_t value);

extern const struct bus_device_ops cmos_ops; /* ctx: struct cmos */

#endif
