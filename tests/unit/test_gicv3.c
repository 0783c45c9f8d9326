/* test_gicv3.c: the life, priority and end of an interrupt, after Arm IHI 0069. The controller is
 * gicv3_rig.h's, unless a test says otherwise.
 */
#include <errno.h>

#include "gicv3_rig.h"

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
        CASE(test_odd_accesses),
        CASE(test_reset_keeps_wires),
        CASE(test_lines_change_only_when_they_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
