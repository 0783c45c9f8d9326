/* acpi_pm.h: ACPI's fixed hardware (ACPI 6.5, section 4.8): power management event and control
 * registers, the power button, the timer; and the one command of the keyboard controller that
 * resets a PC.
 */
#ifndef PENG_CORE_DEVICE_ACPI_PM_H
#define PENG_CORE_DEVICE_ACPI_PM_H

#include "base/err.h"
#include "core/device/bus.h"

/* The port block. */
enum {
    ACPI_PM_EVENT = 0,   /* PM1a_EVT: status and enable, 2 bytes each */
    ACPI_PM_CONTROL = 4, /* PM1a_CNT: 2 bytes */
    ACPI_PM_TIMER = 8,   /* 4 bytes */
    ACPI_PM_BYTES = 12,
    ACPI_PM_S5 = 5,       /* what SLP_TYP is for "off"; \_S5 says so */
    I8042_COMMAND = 0x64, /* the port */
    I8042_RESET = 0xfe,   /* the command: pulse the reset line */
};

struct acpi_pm;

struct acpi_pm_config {
    struct irq_line sci; /* level */
    /* SLP_TYP 0 is "off" too: firmware made for QEMU's PCs writes it without asking \_S5. */
    bool type_0_is_off;
    void *ctx;
    void (*power_off)(void *ctx); /* on the vCPU's thread */
    void (*reset)(void *ctx);
};

struct acpi_pm *acpi_pm_new(const struct acpi_pm_config *config);
void acpi_pm_free(struct acpi_pm *pm); /* NULL is a no-op */
void acpi_pm_reset(struct acpi_pm *pm);
void acpi_pm_press_power(struct acpi_pm *pm); /* any thread */

extern const struct bus_device_ops acpi_pm_ops; /* ctx: struct acpi_pm */
extern const struct bus_device_ops i8042_ops;   /* of its command port alone; ctx: the same */

#endif
