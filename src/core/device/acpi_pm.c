/* acpi_pm.c: ACPI's fixed power management registers, always in ACPI mode.
 *
 * PM1 status has the power button alone; its interrupt (SCI) is a level while an enabled status bit
 * is set. Writing SLP_EN with S5's type to the control register switches the machine off. The timer
 * counts at 3.579545 MHz in 32 bits and raises no interrupt when it wraps: drivers that want a
 * clock event have better ones.
 *
 * The keyboard controller has no keyboard and no registers but its status, which says "ready"; its
 * reset command is how PCs are restarted, and FADT's RESET_REG points there.
 */
#include "core/device/acpi_pm.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/evloop.h"

enum {
    STATUS_POWER_BUTTON = 1 << 8,
    CONTROL_SCI_ENABLED = 1 << 0,
    CONTROL_SLEEP_TYPE_SHIFT = 10,
    CONTROL_SLEEP = 1 << 13,
    TIMER_HZ = 3579545,
};

struct acpi_pm {
    pthread_mutex_t lock;
    struct acpi_pm_config config;
    uint16_t status, enable, control;
};

static void update_sci(struct acpi_pm *pm)
{
    irq_set(&pm->config.sci, pm->status & pm->enable);
}

static uint32_t timer(void)
{
    return (uint32_t)((unsigned __int128)clock_now_ns() * TIMER_HZ / 1000000000u);
}

/* The block as bytes, so that any width of access works. */
static void image(const struct acpi_pm *pm, uint8_t block[ACPI_PM_BYTES])
{
    memset(block, 0, ACPI_PM_BYTES);
    store_le(block + ACPI_PM_EVENT, 2, pm->status);
    store_le(block + ACPI_PM_EVENT + 2, 2, pm->enable);
    store_le(block + ACPI_PM_CONTROL, 2, pm->control | CONTROL_SCI_ENABLED);
    store_le(block + ACPI_PM_TIMER, 4, timer());
}

static uint64_t pm_read(void *ctx, uint64_t offset, unsigned size_bytes)
{
    struct acpi_pm *pm = ctx;
    uint8_t block[ACPI_PM_BYTES];
    pthread_mutex_lock(&pm->lock);
    image(pm, block);
    pthread_mutex_unlock(&pm->lock);
    return load_le(block + offset, size_bytes);
}

static void pm_write(void *ctx, uint64_t offset, unsigned size_bytes, uint64_t value)
{
    struct acpi_pm *pm = ctx;
    uint8_t block[ACPI_PM_BYTES];
    bool off = false;
    pthread_mutex_lock(&pm->lock);
    image(pm, block);
    store_le(block + ACPI_PM_EVENT, 2, 0); /* status bits are cleared by writing ones */
    store_le(block + offset, size_bytes, value);
    pm->status &= (uint16_t)~load_le(block + ACPI_PM_EVENT, 2);
    pm->enable = (uint16_t)load_le(block + ACPI_PM_EVENT + 2, 2);
    uint16_t control = (uint16_t)load_le(block + ACPI_PM_CONTROL, 2);
    uint64_t type = bits(control, CONTROL_SLEEP_TYPE_SHIFT, 3);
    off =
        control & CONTROL_SLEEP && (type == ACPI_PM_S5 || (type == 0 && pm->config.type_0_is_off));
    pm->control = control & (uint16_t)~CONTROL_SLEEP; /* reads as zero */
    update_sci(pm);
    pthread_mutex_unlock(&pm->lock);
    if (off)
        pm->config.power_off(pm->config.ctx);
}

const struct bus_device_ops acpi_pm_ops = {pm_read, pm_write};

static uint64_t i8042_read(void *ctx, uint64_t offset, unsigned size_bytes)
{
    return 0; /* input buffer empty: ready for a command */
}

static void i8042_write(void *ctx, uint64_t offset, unsigned size_bytes, uint64_t value)
{
    struct acpi_pm *pm = ctx;
    if ((uint8_t)value == I8042_RESET)
        pm->config.reset(pm->config.ctx);
}

const struct bus_device_ops i8042_ops = {i8042_read, i8042_write};

void acpi_pm_press_power(struct acpi_pm *pm)
{
    pthread_mutex_lock(&pm->lock);
    pm->status |= STATUS_POWER_BUTTON;
    update_sci(pm);
    pthread_mutex_unlock(&pm->lock);
}

void acpi_pm_reset(struct acpi_pm *pm)
{
    pthread_mutex_lock(&pm->lock);
    pm->status = pm->enable = pm->control = 0;
    update_sci(pm);
    pthread_mutex_unlock(&pm->lock);
}

struct acpi_pm *acpi_pm_new(const struct acpi_pm_config *config)
{
    struct acpi_pm *pm = calloc(1, sizeof(*pm));
    if (!pm)
        abort();
    pm->config = *config;
    pthread_mutex_init(&pm->lock, NULL);
    return pm;
}

void acpi_pm_free(struct acpi_pm *pm)
{
    if (!pm)
        return;
    pthread_mutex_destroy(&pm->lock);
    free(pm);
}
