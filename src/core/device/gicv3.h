/* gicv3.h: Arm's Generic Interrupt Controller version 3, as a board sees it.
 *
 * Source: Arm IHI 0069 (GIC architecture specification, GICv3 and GICv4). One Security state
 * (GICD_CTLR.DS is one), affinity routing always on, system-register CPU interface only, 5 priority
 * bits. Group 0 interrupts drive a CPU's FIQ line, Group 1 interrupts its IRQ line.
 */
#ifndef PENG_CORE_DEVICE_GICV3_H
#define PENG_CORE_DEVICE_GICV3_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "core/device/bus.h"
#include "core/engine/engine.h"
#include "core/memory/guestmem.h"

enum {
    GICV3_CPUS_MAX = 64,
    GICV3_SPIS_MAX = 960, /* INTIDs 32..991, a multiple of 32 */
    GICV3_SPI_BASE = 32,
    GICV3_DIST_BYTES = 0x10000,
    GICV3_REDIST_BYTES = 0x20000, /* for each CPU */
};

struct gicv3;

struct gicv3_config {
    unsigned cpus; /* 1..GICV3_CPUS_MAX */
    unsigned spis; /* 32..GICV3_SPIS_MAX, a multiple of 32 */
    /* `cpus` values, Aff3.Aff2.Aff1.Aff0 a byte each, as MPIDR_EL1 says it; copied. */
    const uint32_t *affinities;
    /* A CPU's interrupt input changed. Called on any thread with the controller's lock held: it
     * must not call back into the controller. */
    void (*set_line)(void *ctx, unsigned cpu_index, enum vcpu_line line, bool level);
    void *ctx;
    /* Where the guest keeps the tables of its LPIs; NULL: the controller has none. Borrowed. */
    const struct guestmem *mem;
};

int gicv3_new(const struct gicv3_config *config, struct gicv3 **ret_gic, struct err *e);
void gicv3_free(struct gicv3 *gic); /* NULL is a no-op */
/* Cold reset; input levels stay as their devices drive them. No vCPU running. */
void gicv3_reset(struct gicv3 *gic);

/* Register frames; ctx is the struct gicv3. The redistributors' region is GICV3_REDIST_BYTES times
 * the number of CPUs. */
extern const struct bus_device_ops gicv3_dist_ops;
extern const struct bus_device_ops gicv3_redist_ops;

/* CPU interface (ICC_*_EL1) by A64_SYSREG_KEY. Unknown keys read as zero and ignore writes. Any
 * thread; fits struct engine_host with ctx being the struct gicv3. */
uint64_t gicv3_icc_read(void *gic, unsigned cpu_index, uint16_t key);
void gicv3_icc_write(void *gic, unsigned cpu_index, uint16_t key, uint64_t value);

/* Ends an active interrupt of INTID < 1020, as ICC_DIR_EL1 does with EOImode 1. Any thread. */
void gicv3_deactivate(struct gicv3 *gic, unsigned cpu_index, unsigned intid);

/* Inputs, any thread. `spi` counts from 0: INTID is spi + GICV3_SPI_BASE. */
struct irq_line gicv3_spi_line(struct gicv3 *gic, unsigned spi);
void gicv3_set_ppi(void *gic, unsigned cpu_index, unsigned intid, bool level); /* 16..31 */

#endif
