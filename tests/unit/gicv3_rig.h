/* gicv3_rig.h: a controller for tests, with four CPUs (two clusters of two) and 64 SPIs, all in
 * Group 1, enabled at the CPU interfaces with the priority mask open; and its registers by name.
 */
#ifndef PENG_TESTS_UNIT_GICV3_RIG_H
#define PENG_TESTS_UNIT_GICV3_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "core/arm64/sysreg.h"
#include "core/device/gicv3.h"

enum { CPUS = 4, SPIS = 64 };

enum {
    PMR = A64_SYSREG_KEY(3, 0, 4, 6, 0),
    IAR0 = A64_SYSREG_KEY(3, 0, 12, 8, 0),
    EOIR0 = A64_SYSREG_KEY(3, 0, 12, 8, 1),
    HPPIR0 = A64_SYSREG_KEY(3, 0, 12, 8, 2),
    BPR0 = A64_SYSREG_KEY(3, 0, 12, 8, 3),
    AP0R0 = A64_SYSREG_KEY(3, 0, 12, 8, 4),
    AP1R0 = A64_SYSREG_KEY(3, 0, 12, 9, 0),
    DIR = A64_SYSREG_KEY(3, 0, 12, 11, 1),
    RPR = A64_SYSREG_KEY(3, 0, 12, 11, 3),
    SGI1R = A64_SYSREG_KEY(3, 0, 12, 11, 5),
    ASGI1R = A64_SYSREG_KEY(3, 0, 12, 11, 6),
    SGI0R = A64_SYSREG_KEY(3, 0, 12, 11, 7),
    IAR1 = A64_SYSREG_KEY(3, 0, 12, 12, 0),
    EOIR1 = A64_SYSREG_KEY(3, 0, 12, 12, 1),
    HPPIR1 = A64_SYSREG_KEY(3, 0, 12, 12, 2),
    BPR1 = A64_SYSREG_KEY(3, 0, 12, 12, 3),
    CTLR = A64_SYSREG_KEY(3, 0, 12, 12, 4),
    SRE = A64_SYSREG_KEY(3, 0, 12, 12, 5),
    IGRPEN0 = A64_SYSREG_KEY(3, 0, 12, 12, 6),
    IGRPEN1 = A64_SYSREG_KEY(3, 0, 12, 12, 7),
};

enum {
    GICD_CTLR = 0,
    GICD_TYPER = 4,
    IGROUPR = 0x80,
    ISENABLER = 0x100,
    ICENABLER = 0x180,
    ISPENDR = 0x200,
    ICPENDR = 0x280,
    ISACTIVER = 0x300,
    ICACTIVER = 0x380,
    IPRIORITYR = 0x400,
    ICFGR = 0xc00,
    IROUTER = 0x6000,
    PIDR2 = 0xffe8,
    SGI_FRAME = 0x10000,
};

extern const uint32_t affinities[CPUS];

struct fixture {
    struct gicv3 *gic;
    uint8_t lines[CPUS];
    unsigned changes;
};
extern struct fixture f;

/* For cmocka_unit_test_setup_teardown(). */
int setup(void **state);
int teardown(void **state);
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* Where a CPU's lines are told to: the fixture that `ctx` is. */
void set_line(void *ctx, unsigned cpu, enum vcpu_line line, bool level);
uint32_t dist(uint64_t offset);
void dist_set(uint64_t offset, uint32_t value);
uint32_t redist(unsigned cpu, uint64_t offset);
void redist_set(unsigned cpu, uint64_t offset, uint32_t value);
uint64_t icc(unsigned cpu, uint16_t key);
void icc_set(unsigned cpu, uint16_t key, uint64_t value);
void priority(unsigned intid, uint8_t value);
void route(unsigned intid, uint64_t router);
void spi(unsigned intid, bool level); /* the device's wire */

#endif
