/* test_gicv3.c: the interrupt controller's corners, after Arm IHI 0069.
 *
 * Each test has a controller with four CPUs (two clusters of two) and 64 SPIs, all in Group 1,
 * enabled at the CPU interfaces with the priority mask open, unless it says otherwise.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
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

static const uint32_t affinities[CPUS] = {0x000, 0x001, 0x100, 0x101};

struct fixture {
    struct gicv3 *gic;
    uint8_t lines[CPUS];
    unsigned changes;
};
static struct fixture f;

static void set_line(void *ctx, unsigned cpu, enum vcpu_line line, bool level)
{
    struct fixture *fx = ctx;
    fx->lines[cpu] = (uint8_t)(level ? fx->lines[cpu] | line : fx->lines[cpu] & ~line);
    fx->changes++;
}

static uint32_t dist(uint64_t offset)
{
    return (uint32_t)gicv3_dist_ops.read(f.gic, offset, 4);
}

static void dist_set(uint64_t offset, uint32_t value)
{
    gicv3_dist_ops.write(f.gic, offset, 4, value);
}

static uint32_t redist(unsigned cpu, uint64_t offset)
{
    return (uint32_t)gicv3_redist_ops.read(f.gic, cpu * GICV3_REDIST_BYTES + offset, 4);
}

static void redist_set(unsigned cpu, uint64_t offset, uint32_t value)
{
    gicv3_redist_ops.write(f.gic, cpu * GICV3_REDIST_BYTES + offset, 4, value);
}

static uint64_t icc(unsigned cpu, uint16_t key)
{
    return gicv3_icc_read(f.gic, cpu, key);
}

static void icc_set(unsigned cpu, uint16_t key, uint64_t value)
{
    gicv3_icc_write(f.gic, cpu, key, value);
}

static void priority(unsigned intid, uint8_t value)
{
    gicv3_dist_ops.write(f.gic, IPRIORITYR + intid, 1, value);
}

static void route(unsigned intid, uint64_t router)
{
    gicv3_dist_ops.write(f.gic, IROUTER + 8 * intid, 8, router);
}

static void spi(unsigned intid, bool level)
{
    struct irq_line line = gicv3_spi_line(f.gic, intid - 32);
    irq_set(&line, level);
}

static int setup(void **state)
{
    f = (struct fixture){.changes = 0};
    const struct gicv3_config config = {CPUS, SPIS, affinities, set_line, &f, NULL};
    if (gicv3_new(&config, &f.gic, NULL) < 0)
        return -1;
    dist_set(GICD_CTLR, 3);
    for (unsigned bank = 1; bank <= SPIS / 32; bank++) {
        dist_set(IGROUPR + 4 * bank, 0xffffffff);
        dist_set(ISENABLER + 4 * bank, 0xffffffff);
    }
    for (unsigned intid = 32; intid < 32 + SPIS; intid++)
        priority(intid, 0xa0);
    for (unsigned cpu = 0; cpu < CPUS; cpu++) {
        redist_set(cpu, SGI_FRAME + IGROUPR, 0xffffffff);
        redist_set(cpu, SGI_FRAME + ISENABLER, 0xffffffff);
        for (unsigned i = 0; i < 32; i += 4)
            redist_set(cpu, SGI_FRAME + IPRIORITYR + i, 0xa0a0a0a0);
        icc_set(cpu, PMR, 0xff);
        icc_set(cpu, IGRPEN0, 1);
        icc_set(cpu, IGRPEN1, 1);
    }
    return 0;
}

static int teardown(void **state)
{
    gicv3_free(f.gic);
    return 0;
}

/* --- identification ----------------------------------------------------------------------------
 */

static void test_identifies_itself(void **state)
{
    uint32_t typer = dist(GICD_TYPER);
    assert_int_equal(typer & 31, SPIS / 32);
    assert_int_equal(typer >> 17 & 1, 0); /* no LPIs */
    assert_int_equal(dist(PIDR2) >> 4 & 15, 3);
    assert_int_equal(redist(2, PIDR2) >> 4 & 15, 3);
    assert_int_equal(dist(GICD_CTLR) & 0x50, 0x50); /* ARE and DS are fixed */
    for (unsigned cpu = 0; cpu < CPUS; cpu++) {
        uint64_t r = gicv3_redist_ops.read(f.gic, cpu * GICV3_REDIST_BYTES + 8, 8);
        assert_int_equal(r >> 32, affinities[cpu]);
        assert_int_equal(r >> 8 & 0xffff, cpu);
        assert_int_equal(r >> 4 & 1, cpu == CPUS - 1);
    }
    assert_int_equal(icc(0, SRE), 7);
    assert_int_equal(icc(0, CTLR) >> 8 & 7, 4);
    assert_int_equal(redist(0, SGI_FRAME + 8), 0); /* TYPER is in the other frame */
}

static void test_refuses_bad_configurations(void **state)
{
    struct gicv3 *gic;
    struct gicv3_config config = {0, 32, affinities, set_line, &f, NULL};
    assert_int_equal(gicv3_new(&config, &gic, NULL), -EINVAL);
    config.cpus = 65;
    assert_int_equal(gicv3_new(&config, &gic, NULL), -EINVAL);
    config.cpus = 1;
    config.spis = 33;
    assert_int_equal(gicv3_new(&config, &gic, NULL), -EINVAL);
    config.spis = 992;
    assert_int_equal(gicv3_new(&config, &gic, NULL), -EINVAL);
}

static void test_waker_follows(void **state)
{
    assert_int_equal(redist(1, 0x14), 6);
    redist_set(1, 0x14, 0);
    assert_int_equal(redist(1, 0x14), 0);
    redist_set(1, 0x14, 2);
    assert_int_equal(redist(1, 0x14), 6);
}

/* --- life of an interrupt ----------------------------------------------------------------------
 */

static void test_level_spi(void **state)
{
    spi(40, true);
    assert_int_equal(f.lines[0], VCPU_LINE_IRQ);
    assert_int_equal(icc(0, HPPIR1), 40);
    assert_int_equal(icc(0, IAR0), 1023); /* not of that group */
    assert_int_equal(icc(0, IAR1), 40);
    assert_int_equal(f.lines[0], 0);
    assert_int_equal(dist(ISACTIVER + 4), 1 << 8);
    assert_int_equal(dist(ISPENDR + 4), 1 << 8); /* active and pending: the wire is still up */
    assert_int_equal(icc(0, IAR1), 1023);
    assert_int_equal(icc(0, RPR), 0xa0);
    icc_set(0, EOIR1, 40);
    assert_int_equal(icc(0, RPR), 0xff);
    assert_int_equal(f.lines[0], VCPU_LINE_IRQ); /* again, as the wire is still up */
    spi(40, false);
    assert_int_equal(f.lines[0], 0);
    assert_int_equal(icc(0, IAR1), 1023);
}

static void test_level_falls_while_active(void **state)
{
    spi(40, true);
    assert_int_equal(icc(0, IAR1), 40);
    spi(40, false);
    icc_set(0, EOIR1, 40);
    assert_int_equal(f.lines[0], 0);
    assert_int_equal(dist(ISPENDR + 4), 0);
}

static void test_edge_spi(void **state)
{
    dist_set(ICFGR + 8, 2 << 2); /* INTID 33 */
    assert_int_equal(dist(ICFGR + 8), 2 << 2);
    spi(33, true);
    assert_int_equal(icc(0, IAR1), 33);
    assert_int_equal(dist(ISPENDR + 4), 0); /* the latch is used up */
    spi(33, false);
    spi(33, true); /* a second edge while active */
    assert_int_equal(icc(0, IAR1), 1023);
    icc_set(0, EOIR1, 33);
    assert_int_equal(icc(0, IAR1), 33);
    icc_set(0, EOIR1, 33);
    spi(33, true); /* no edge */
    assert_int_equal(icc(0, IAR1), 1023);
}

static void test_pending_by_software(void **state)
{
    dist_set(ISPENDR + 4, 1 << 5);
    assert_int_equal(icc(0, HPPIR1), 37);
    dist_set(ICPENDR + 4, 1 << 5);
    assert_int_equal(f.lines[0], 0);
    spi(37, true);
    dist_set(ICPENDR + 4, 1 << 5); /* cannot clear a level */
    assert_int_equal(icc(0, IAR1), 37);
}

static void test_disabled_stays_pending(void **state)
{
    dist_set(ICENABLER + 4, 1);
    spi(32, true);
    assert_int_equal(f.lines[0], 0);
    assert_int_equal(dist(ISPENDR + 4), 1);
    dist_set(ISENABLER + 4, 1);
    assert_int_equal(f.lines[0], VCPU_LINE_IRQ);
}

static void test_ppi_is_private(void **state)
{
    gicv3_set_ppi(f.gic, 2, 27, true);
    assert_int_equal(f.lines[2], VCPU_LINE_IRQ);
    assert_int_equal(f.lines[0] | f.lines[1] | f.lines[3], 0);
    assert_int_equal(redist(2, SGI_FRAME + ISPENDR), 1 << 27);
    assert_int_equal(redist(1, SGI_FRAME + ISPENDR), 0);
    assert_int_equal(icc(1, IAR1), 1023);
    assert_int_equal(icc(2, IAR1), 27);
}

static void test_bank_zero_is_not_in_the_distributor(void **state)
{
    dist_set(ISENABLER, 0xffffffff);
    dist_set(IPRIORITYR, 0x10101010);
    assert_int_equal(dist(ISENABLER), 0);
    assert_int_equal(dist(IPRIORITYR), 0);
    redist_set(0, SGI_FRAME + ISENABLER + 4, 1); /* nor other banks in a redistributor */
    assert_int_equal(redist(0, SGI_FRAME + ISENABLER + 4), 0);
}

/* --- priorities --------------------------------------------------------------------------------
 */

static void test_priority_bits(void **state)
{
    priority(40, 0xff);
    assert_int_equal(gicv3_dist_ops.read(f.gic, IPRIORITYR + 40, 1), 0xf8);
    icc_set(0, PMR, 0xff);
    assert_int_equal(icc(0, PMR), 0xf8);
}

static void test_priority_mask(void **state)
{
    icc_set(0, PMR, 0xa0); /* lets pass what is higher (smaller) than 0xa0 only */
    spi(40, true);
    assert_int_equal(f.lines[0], 0);
    assert_int_equal(icc(0, IAR1), 1023);
    assert_int_equal(icc(0, HPPIR1), 40); /* regardless of the mask */
    icc_set(0, PMR, 0xa8);
    assert_int_equal(f.lines[0], VCPU_LINE_IRQ);
    icc_set(0, PMR, 0);
    assert_int_equal(f.lines[0], 0);
}

static void test_order(void **state)
{
    priority(50, 0x80);
    spi(41, true);
    spi(40, true);
    spi(50, true);
    assert_int_equal(icc(0, IAR1), 50);
    icc_set(0, EOIR1, 50);
    spi(50, false);
    assert_int_equal(icc(0, IAR1), 40); /* of equals the lowest */
    spi(40, false);
    icc_set(0, EOIR1, 40);
    priority(41, 0xf8); /* the mask is 0xf8 too */
    assert_int_equal(f.lines[0], 0);
}

static void test_preemption(void **state)
{
    priority(41, 0x80);
    spi(40, true);
    assert_int_equal(icc(0, IAR1), 40);
    spi(42, true); /* same priority: waits */
    assert_int_equal(f.lines[0], 0);
    spi(41, true);
    assert_int_equal(f.lines[0], VCPU_LINE_IRQ);
    assert_int_equal(icc(0, IAR1), 41);
    assert_int_equal(icc(0, RPR), 0x80);
    assert_int_equal(icc(0, AP1R0), 1 << 16 | 1 << 20);
    spi(41, false);
    icc_set(0, EOIR1, 41);
    assert_int_equal(icc(0, RPR), 0xa0);
    assert_int_equal(f.lines[0], 0);
    spi(40, false);
    icc_set(0, EOIR1, 40);
    assert_int_equal(icc(0, IAR1), 42);
}

static void test_binary_point(void **state)
{
    icc_set(0, BPR1, 0);
    assert_int_equal(icc(0, BPR1), 3); /* its least value */
    icc_set(0, BPR0, 0);
    assert_int_equal(icc(0, BPR0), 2);
    icc_set(0, BPR1, 6); /* group priority: bits 7 and 6 */
    priority(41, 0x80);
    spi(40, true);
    assert_int_equal(icc(0, IAR1), 40);
    assert_int_equal(icc(0, RPR), 0x80);
    spi(41, true); /* a higher priority, the same group */
    assert_int_equal(f.lines[0], 0);
    priority(41, 0x40);
    assert_int_equal(f.lines[0], VCPU_LINE_IRQ);
}

static void test_common_binary_point(void **state)
{
    icc_set(0, BPR0, 4);
    icc_set(0, CTLR, 1);
    assert_int_equal(icc(0, BPR1), 5);
    icc_set(0, BPR1, 7); /* ignored */
    assert_int_equal(icc(0, BPR1), 5);
    spi(40, true);
    priority(40, 0xb8);
    assert_int_equal(icc(0, IAR1), 40);
    assert_int_equal(icc(0, RPR), 0xa0);
    icc_set(0, CTLR, 0);
    assert_int_equal(icc(0, BPR1), 3);
}

/* --- groups ------------------------------------------------------------------------------------
 */

static void test_group_zero_is_fiq(void **state)
{
    dist_set(IGROUPR + 4, ~(1u << 8));
    spi(40, true);
    assert_int_equal(f.lines[0], VCPU_LINE_FIQ);
    assert_int_equal(icc(0, IAR1), 1023);
    assert_int_equal(icc(0, HPPIR1), 1023);
    assert_int_equal(icc(0, HPPIR0), 40);
    assert_int_equal(icc(0, IAR0), 40);
    assert_int_equal(icc(0, AP0R0), 1 << 20);
    icc_set(0, EOIR1, 40); /* the wrong group: nothing ends */
    assert_int_equal(icc(0, RPR), 0xa0);
    icc_set(0, EOIR0, 40);
    assert_int_equal(icc(0, RPR), 0xff);
}

static void test_group_changes_line(void **state)
{
    spi(40, true);
    assert_int_equal(f.lines[0], VCPU_LINE_IRQ);
    dist_set(IGROUPR + 4, 0);
    assert_int_equal(f.lines[0], VCPU_LINE_FIQ);
}

static void test_group_enables(void **state)
{
    dist_set(IGROUPR + 4, ~(1u << 8));
    priority(40, 0x20);
    spi(40, true);
    spi(41, true);
    assert_int_equal(f.lines[0], VCPU_LINE_FIQ);
    icc_set(0, IGRPEN0, 0); /* does not hide the other group's */
    assert_int_equal(f.lines[0], VCPU_LINE_IRQ);
    dist_set(GICD_CTLR, 1);
    assert_int_equal(f.lines[0], 0);
    icc_set(0, IGRPEN0, 1);
    assert_int_equal(f.lines[0], VCPU_LINE_FIQ);
    dist_set(GICD_CTLR, 0);
    assert_int_equal(f.lines[0], 0);
    assert_int_equal(icc(0, IAR0), 1023);
}

/* --- end of interrupt --------------------------------------------------------------------------
 */

static void test_split_eoi(void **state)
{
    icc_set(0, CTLR, 2);
    spi(40, true);
    assert_int_equal(icc(0, IAR1), 40);
    icc_set(0, EOIR1, 40);
    assert_int_equal(icc(0, RPR), 0xff);
    assert_int_equal(dist(ISACTIVER + 4), 1 << 8); /* dropped, not deactivated */
    assert_int_equal(f.lines[0], 0);
    spi(41, true);
    assert_int_equal(icc(0, IAR1), 41); /* another may run */
    icc_set(0, DIR, 40);
    assert_int_equal(dist(ISACTIVER + 4), 1 << 9);
    spi(41, false);
    icc_set(0, EOIR1, 41);
    assert_int_equal(f.lines[0], VCPU_LINE_IRQ);
}

static void test_dir_needs_split_mode(void **state)
{
    spi(40, true);
    assert_int_equal(icc(0, IAR1), 40);
    icc_set(0, DIR, 40);
    assert_int_equal(dist(ISACTIVER + 4), 1 << 8);
}

static void test_deactivated_by_another_cpu(void **state)
{
    icc_set(0, CTLR, 2);
    icc_set(3, CTLR, 2);
    spi(40, true);
    assert_int_equal(icc(0, IAR1), 40);
    icc_set(0, EOIR1, 40);
    icc_set(3, DIR, 40);
    assert_int_equal(dist(ISACTIVER + 4), 0);
    assert_int_equal(f.lines[0], VCPU_LINE_IRQ);
}

static void test_spurious(void **state)
{
    assert_int_equal(icc(0, IAR1), 1023);
    assert_int_equal(icc(0, IAR0), 1023);
    assert_int_equal(icc(0, HPPIR1), 1023);
    assert_int_equal(icc(0, HPPIR0), 1023);
    icc_set(0, EOIR1, 1023);
    spi(40, true);
    assert_int_equal(icc(0, IAR1), 40);
    icc_set(0, EOIR1, 1023); /* ends nothing */
    assert_int_equal(icc(0, RPR), 0xa0);
    icc_set(0, EOIR1, 0xffffff); /* no such interrupt: drops the priority only */
    assert_int_equal(icc(0, RPR), 0xff);
    icc_set(0, EOIR1, 40); /* nothing runs: ignored */
    assert_int_equal(dist(ISACTIVER + 4), 1 << 8);
    dist_set(ICACTIVER + 4, 1 << 8);
    assert_int_equal(f.lines[0], VCPU_LINE_IRQ);
}

static void test_activate_by_software(void **state)
{
    dist_set(ISACTIVER + 4, 1 << 8);
    spi(40, true);
    assert_int_equal(f.lines[0], 0);
    dist_set(ICACTIVER + 4, 1 << 8);
    assert_int_equal(f.lines[0], VCPU_LINE_IRQ);
}

static void test_active_priorities_are_writable(void **state)
{
    icc_set(0, AP1R0, 1 << 10);
    assert_int_equal(icc(0, RPR), 0x50);
    spi(40, true);
    assert_int_equal(f.lines[0], 0);
    icc_set(0, AP1R0, 0);
    assert_int_equal(f.lines[0], VCPU_LINE_IRQ);
}

/* --- software generated ------------------------------------------------------------------------
 */

static void test_sgi_to_self_and_others(void **state)
{
    icc_set(0, SGI1R, 5ull << 24 | 1); /* 0.0.0.0 */
    assert_int_equal(icc(0, IAR1), 5);
    icc_set(0, EOIR1, 5);
    icc_set(0, SGI1R, 6ull << 24 | 1 << 16 | 3); /* 0.0.1.{0,1} */
    assert_int_equal(f.lines[0] | f.lines[1], 0);
    assert_int_equal(icc(2, IAR1), 6);
    assert_int_equal(icc(3, IAR1), 6);
    icc_set(1, SGI1R, 1ull << 40 | 7ull << 24); /* all but self */
    assert_int_equal(f.lines[1], 0);
    assert_int_equal(icc(0, IAR1), 7);
    icc_set(2, EOIR1, 6);
    assert_int_equal(icc(2, IAR1), 7);
}

static void test_sgi_range_selector(void **state)
{
    icc_set(0, SGI1R, 1ull << 44 | 3); /* Aff0 16 and 17: nobody */
    for (unsigned cpu = 0; cpu < CPUS; cpu++)
        assert_int_equal(f.lines[cpu], 0);
    icc_set(0, SGI1R, 1ull << 48 | 1); /* another Aff3 */
    assert_int_equal(f.lines[0], 0);
}

static void test_sgi_groups(void **state)
{
    redist_set(1, SGI_FRAME + IGROUPR, ~(1u << 4)); /* SGI 4 in Group 0 */
    icc_set(0, SGI0R, 5ull << 24 | 2);
    icc_set(0, ASGI1R, 5ull << 24 | 2);
    assert_int_equal(f.lines[1], 0); /* SGI 5 is in Group 1 */
    icc_set(0, SGI0R, 4ull << 24 | 2);
    assert_int_equal(f.lines[1], VCPU_LINE_FIQ);
    assert_int_equal(icc(1, IAR0), 4);
    icc_set(1, EOIR0, 4);
    icc_set(0, SGI1R, 4ull << 24 | 2);
    assert_int_equal(icc(1, IAR0), 4);
}

static void test_sgis_are_edges(void **state)
{
    assert_int_equal(redist(0, SGI_FRAME + ICFGR), 0xaaaaaaaa);
    redist_set(0, SGI_FRAME + ICFGR, 0);
    assert_int_equal(redist(0, SGI_FRAME + ICFGR), 0xaaaaaaaa);
    redist_set(0, SGI_FRAME + ICFGR + 4, 2);
    assert_int_equal(redist(0, SGI_FRAME + ICFGR + 4), 2);
    redist_set(0, SGI_FRAME + ISPENDR, 1 << 3);
    assert_int_equal(icc(0, IAR1), 3);
    redist_set(0, SGI_FRAME + ISPENDR, 1 << 3);
    icc_set(0, EOIR1, 3);
    assert_int_equal(icc(0, IAR1), 3);
    icc_set(0, EOIR1, 3);
    assert_int_equal(icc(0, IAR1), 1023);
}

/* --- routing -----------------------------------------------------------------------------------
 */

static void test_affinity_routing(void **state)
{
    route(40, 0x101);
    assert_int_equal(gicv3_dist_ops.read(f.gic, IROUTER + 8 * 40, 8), 0x101);
    spi(40, true);
    assert_int_equal(f.lines[3], VCPU_LINE_IRQ);
    assert_int_equal(f.lines[0], 0);
    route(40, 0x001); /* moves while pending */
    assert_int_equal(f.lines[3], 0);
    assert_int_equal(f.lines[1], VCPU_LINE_IRQ);
    route(40, 0x777); /* nobody: stays pending */
    assert_int_equal(f.lines[1], 0);
    assert_int_equal(dist(ISPENDR + 4), 1 << 8);
    route(40, 0);
    assert_int_equal(icc(0, IAR1), 40);
    route(40, 0x100); /* while active: the next one goes there */
    icc_set(0, EOIR1, 40);
    assert_int_equal(f.lines[0], 0);
    assert_int_equal(f.lines[2], VCPU_LINE_IRQ);
}

static void test_router_halves(void **state)
{
    dist_set(IROUTER + 8 * 40 + 4, 0xffffffff);
    assert_int_equal(dist(IROUTER + 8 * 40 + 4), 0xff); /* Aff3 only */
    dist_set(IROUTER + 8 * 40, 0xffffffff);
    assert_int_equal(dist(IROUTER + 8 * 40), 0x80ffffff);
}

static unsigned cpus_with_irq(void)
{
    unsigned n = 0;
    for (unsigned cpu = 0; cpu < CPUS; cpu++)
        n += f.lines[cpu] != 0;
    return n;
}

static void test_one_of_n(void **state)
{
    for (unsigned intid = 40; intid < 44; intid++)
        route(intid, 1ull << 31);
    spi(40, true);
    assert_int_equal(cpus_with_irq(), 1);
    spi(41, true);
    spi(42, true);
    spi(43, true);
    assert_int_equal(cpus_with_irq(), 4); /* spread over idle CPUs */
}

static void test_one_of_n_needs_a_taker(void **state)
{
    route(40, 1ull << 31);
    for (unsigned cpu = 0; cpu < CPUS; cpu++)
        icc_set(cpu, IGRPEN1, 0);
    spi(40, true);
    assert_int_equal(cpus_with_irq(), 0);
    redist_set(2, 0, 1 << 25); /* DPG1NS: does not take part */
    icc_set(2, IGRPEN1, 1);
    assert_int_equal(cpus_with_irq(), 0);
    icc_set(3, IGRPEN1, 1);
    assert_int_equal(f.lines[3], VCPU_LINE_IRQ);
    redist_set(2, 0, 0);
    icc_set(3, IGRPEN1, 0); /* given up again: goes to the other */
    assert_int_equal(f.lines[3], 0);
    assert_int_equal(f.lines[2], VCPU_LINE_IRQ);
}

/* --- odd accesses, reset -----------------------------------------------------------------------
 */

static void test_odd_accesses(void **state)
{
    assert_int_equal(gicv3_dist_ops.read(f.gic, ISENABLER + 4, 1), 0);
    gicv3_dist_ops.write(f.gic, ICENABLER + 4, 1, 0xff);
    assert_int_equal(dist(ISENABLER + 4), 0xffffffff);
    assert_int_equal(gicv3_dist_ops.read(f.gic, ISENABLER, 8), 0xffffffffull << 32);
    assert_int_equal(gicv3_dist_ops.read(f.gic, ISENABLER + 5, 4), 0);
    assert_int_equal(dist(ISENABLER + 4 * 3), 0); /* past the last SPI */
    dist_set(ISENABLER + 4 * 3, 1);
    assert_int_equal(dist(ISENABLER + 4 * 3), 0);
    assert_int_equal(dist(IROUTER + 8 * 31), 0);
    assert_int_equal(icc(0, A64_SYSREG_KEY(3, 0, 12, 9, 3)), 0);
    icc_set(0, A64_SYSREG_KEY(3, 7, 15, 15, 7), 1);
}

static void test_reset_keeps_wires(void **state)
{
    spi(40, true);
    gicv3_reset(f.gic);
    assert_int_equal(f.lines[0], 0);
    assert_int_equal(dist(ISENABLER + 4), 0);
    assert_int_equal(icc(0, PMR), 0);
    assert_int_equal(dist(ISPENDR + 4), 1 << 8);
    dist_set(GICD_CTLR, 3);
    dist_set(IGROUPR + 4, 1 << 8);
    dist_set(ISENABLER + 4, 1 << 8);
    icc_set(0, PMR, 0xff);
    icc_set(0, IGRPEN1, 1);
    assert_int_equal(icc(0, IAR1), 40);
}

static void test_lines_change_only_when_they_do(void **state)
{
    unsigned before = f.changes;
    spi(40, true);
    spi(40, true);
    spi(41, true);
    assert_int_equal(f.changes - before, 1);
}

/* --- threads -----------------------------------------------------------------------------------
 */

enum { ROUNDS = 20000 };

static atomic_uint senders;

/* A CPU that sends SGIs to all others and takes what comes, until nobody sends any more. */
static void *cpu_thread(void *ctx)
{
    unsigned cpu = (unsigned)(uintptr_t)ctx, sent = 0;
    for (;;) {
        if (sent < ROUNDS) {
            icc_set(cpu, SGI1R, 1ull << 40 | (uint64_t)(sent % 16) << 24);
            gicv3_set_ppi(f.gic, cpu, 27, sent % 2 == 0); /* low in the end */
            if (++sent == ROUNDS)
                atomic_fetch_sub(&senders, 1);
        }
        bool last = atomic_load(&senders) == 0;
        uint64_t intid = icc(cpu, IAR1);
        if (intid != 1023)
            icc_set(cpu, EOIR1, intid);
        else if (last)
            return NULL;
    }
}

static void *device_thread(void *ctx)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        spi(40 + i % 8, true);
        route(40 + i % 8, affinities[i % CPUS]);
        spi(40 + i % 8, false);
    }
    atomic_fetch_sub(&senders, 1);
    return NULL;
}

static void test_side_by_side(void **state)
{
    pthread_t threads[CPUS + 1];
    atomic_store(&senders, CPUS + 1);
    for (unsigned cpu = 0; cpu < CPUS; cpu++)
        pthread_create(&threads[cpu], NULL, cpu_thread, (void *)(uintptr_t)cpu);
    pthread_create(&threads[CPUS], NULL, device_thread, NULL);
    for (unsigned i = 0; i <= CPUS; i++)
        pthread_join(threads[i], NULL);
    for (unsigned cpu = 0; cpu < CPUS; cpu++) {
        assert_int_equal(f.lines[cpu], 0);
        assert_int_equal(icc(cpu, RPR), 0xff);
        assert_int_equal(redist(cpu, SGI_FRAME + ISACTIVER), 0);
        assert_int_equal(redist(cpu, SGI_FRAME + ISPENDR), 0);
    }
    assert_int_equal(dist(ISACTIVER + 4), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_identifies_itself),
        CASE(test_refuses_bad_configurations),
        CASE(test_waker_follows),
        CASE(test_level_spi),
        CASE(test_level_falls_while_active),
        CASE(test_edge_spi),
        CASE(test_pending_by_software),
        CASE(test_disabled_stays_pending),
        CASE(test_ppi_is_private),
        CASE(test_bank_zero_is_not_in_the_distributor),
        CASE(test_priority_bits),
        CASE(test_priority_mask),
        CASE(test_order),
        CASE(test_preemption),
        CASE(test_binary_point),
        CASE(test_common_binary_point),
        CASE(test_group_zero_is_fiq),
        CASE(test_group_changes_line),
        CASE(test_group_enables),
        CASE(test_split_eoi),
        CASE(test_dir_needs_split_mode),
        CASE(test_deactivated_by_another_cpu),
        CASE(test_spurious),
        CASE(test_activate_by_software),
        CASE(test_active_priorities_are_writable),
        CASE(test_sgi_to_self_and_others),
        CASE(test_sgi_range_selector),
        CASE(test_sgi_groups),
        CASE(test_sgis_are_edges),
        CASE(test_affinity_routing),
        CASE(test_router_halves),
        CASE(test_one_of_n),
        CASE(test_one_of_n_needs_a_taker),
        CASE(test_odd_accesses),
        CASE(test_reset_keeps_wires),
        CASE(test_lines_change_only_when_they_do),
        CASE(test_side_by_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
