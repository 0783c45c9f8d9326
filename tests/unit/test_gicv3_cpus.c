/* test_gicv3_cpus.c: interrupts between CPUs and among them: software generated ones, routing, and
 * all of it side by side. After Arm IHI 0069.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "gicv3_rig.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_sgi_to_self_and_others),
        CASE(test_sgi_range_selector),
        CASE(test_sgi_groups),
        CASE(test_sgis_are_edges),
        CASE(test_affinity_routing),
        CASE(test_router_halves),
        CASE(test_one_of_n),
        CASE(test_one_of_n_needs_a_taker),
        CASE(test_side_by_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
