/* test_gicv3_its.c: messages through the translation service to LPIs, as a driver sets them up.
 *
 * Two CPUs. Guest memory: the configuration and pending tables of LPIs, the service's command
 * queue, device table, collection table, and one device's table of events.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "core/arm64/sysreg.h"
#include "core/device/gicv3_its.h"

enum {
    RAM = 0x40000000,
    RAM_BYTES = 0x400000,
    CONFIG = RAM + 0x010000,
    PENDING = RAM + 0x040000,
    QUEUE = RAM + 0x080000,
    DEVICES = RAM + 0x100000,
    COLLECTIONS = RAM + 0x200000,
    EVENTS = RAM + 0x210000,

    CPUS = 2,
    DEVICE = 0x18,
    FIRST = 8192,

    PMR = A64_SYSREG_KEY(3, 0, 4, 6, 0),
    IAR1 = A64_SYSREG_KEY(3, 0, 12, 12, 0),
    EOIR1 = A64_SYSREG_KEY(3, 0, 12, 12, 1),
    HPPIR1 = A64_SYSREG_KEY(3, 0, 12, 12, 2),
    RPR = A64_SYSREG_KEY(3, 0, 12, 11, 3),
    IGRPEN1 = A64_SYSREG_KEY(3, 0, 12, 12, 7),
};

#define VALID (1ull << 63)

static struct fixture {
    struct guestmem mem;
    struct gicv3 *gic;
    struct gicv3_its *its;
    uint8_t lines[CPUS];
    uint64_t writer;
} f;

static void set_line(void *ctx, unsigned cpu, enum vcpu_line line, bool level)
{
    f.lines[cpu] = (uint8_t)(level ? f.lines[cpu] | line : f.lines[cpu] & ~line);
}

static void its_set(uint64_t offset, uint64_t value)
{
    gicv3_its_ops.write(f.its, offset, 8, value);
}

static uint64_t its(uint64_t offset)
{
    return gicv3_its_ops.read(f.its, offset, 8);
}

static void command(uint64_t d0, uint64_t d1, uint64_t d2, uint64_t d3)
{
    const uint64_t d[4] = {d0, d1, d2, d3};
    assert_true(guestmem_write(&f.mem, QUEUE + f.writer, d, sizeof(d)));
    f.writer = (f.writer + 32) % 4096;
    its_set(0x88, f.writer);
    assert_int_equal(its(0x90), f.writer); /* executed */
}

static void mapd(uint32_t device, unsigned event_bits)
{
    command((uint64_t)device << 32 | 0x08, event_bits - 1, VALID | EVENTS, 0);
}

static void mapc(uint16_t collection, uint64_t cpu)
{
    command(0x09, 0, VALID | cpu << 16 | collection, 0);
}

static void mapti(uint32_t device, uint32_t event, uint64_t intid, uint16_t collection)
{
    command((uint64_t)device << 32 | 0x0a, intid << 32 | event, collection, 0);
}

static void on_event(unsigned code, uint32_t device, uint32_t event, uint64_t d2)
{
    command((uint64_t)device << 32 | code, event, d2, 0);
}

static void configure(uint32_t intid, uint8_t value)
{
    assert_true(guestmem_write(&f.mem, CONFIG + intid - FIRST, &value, 1));
}

static void redist_set(unsigned cpu, uint64_t offset, unsigned size_bytes, uint64_t value)
{
    gicv3_redist_ops.write(f.gic, cpu * GICV3_REDIST_BYTES + offset, size_bytes, value);
}

static void enable_lpis(unsigned cpu, bool zero)
{
    redist_set(cpu, 0x70, 8, CONFIG | 15);
    redist_set(cpu, 0x78, 8, (uint64_t)(PENDING + cpu * 0x10000) | (uint64_t)zero << 62);
    redist_set(cpu, 0, 4, 1);
}

static uint64_t icc(unsigned cpu, uint16_t key)
{
    return gicv3_icc_read(f.gic, cpu, key);
}

static int setup(void **state)
{
    static const uint32_t affinities[CPUS] = {0, 1};
    f = (struct fixture){.writer = 0};
    guestmem_init(&f.mem, (struct guestmem_mmio){0});
    if (guestmem_add_ram(&f.mem, RAM, RAM_BYTES, false, NULL) < 0)
        return -1;
    const struct gicv3_config config = {CPUS, 32, affinities, set_line, NULL, &f.mem};
    if (gicv3_new(&config, &f.gic, NULL) < 0 || gicv3_its_new(f.gic, &f.its, NULL) < 0)
        return -1;
    gicv3_dist_ops.write(f.gic, 0, 4, 2);
    for (unsigned cpu = 0; cpu < CPUS; cpu++) {
        gicv3_icc_write(f.gic, cpu, PMR, 0xff);
        gicv3_icc_write(f.gic, cpu, IGRPEN1, 1);
    }
    for (uint32_t i = 0; i < 64; i++)
        configure(FIRST + i, 0xa1);
    its_set(0x80, VALID | QUEUE);                 /* one page */
    its_set(0x100, VALID | DEVICES | 2 << 8 | 7); /* 512 KiB: all of 16 bits */
    its_set(0x108, VALID | COLLECTIONS | 0 << 8); /* 4 KiB: 512 */
    gicv3_its_ops.write(f.its, 0, 4, 1);
    return 0;
}

static int setup_mapped(void **state)
{
    if (setup(state) < 0)
        return -1;
    enable_lpis(0, true);
    enable_lpis(1, true);
    mapc(0, 0);
    mapc(1, 1);
    mapd(DEVICE, 5);
    mapti(DEVICE, 3, FIRST + 7, 0);
    return 0;
}

static int teardown(void **state)
{
    gicv3_its_free(f.its);
    gicv3_free(f.gic);
    guestmem_done(&f.mem);
    return 0;
}

static void test_registers(void **state)
{
    assert_int_equal(gicv3_dist_ops.read(f.gic, 4, 4) >> 17 & 1, 1);
    assert_int_equal(gicv3_dist_ops.read(f.gic, 4, 4) >> 19 & 31, 15);
    assert_int_equal(gicv3_redist_ops.read(f.gic, 8, 8) & 1, 1);
    assert_int_equal(its(8) & 1, 1);
    assert_int_equal(its(8) >> 4 & 15, 7);
    assert_int_equal(its(0x100) >> 56 & 7, 1);
    assert_int_equal(its(0x108) >> 56 & 7, 4);
    assert_int_equal(its(0x110), 0);
    assert_int_equal(gicv3_its_ops.read(f.its, 0, 4), 0x80000001);
    assert_int_equal(gicv3_its_ops.read(f.its, 0xffe8, 4) >> 4 & 15, 3);
    its_set(0x100, 0); /* not while enabled */
    assert_int_equal(its(0x100) >> 63, 1);
    gicv3_its_ops.write(f.its, 0, 4, 0);
    its_set(0x100, 1ull << 62); /* no indirect tables */
    assert_int_equal(its(0x100) >> 62 & 1, 0);
    redist_set(0, 0x74, 4, 0xffffffff);
    assert_int_equal(gicv3_redist_ops.read(f.gic, 0x70, 8), 0x070fffff00000000);
}

static void test_message(void **state)
{
    gicv3_its_msi(f.its, DEVICE, 3);
    assert_int_equal(f.lines[0], VCPU_LINE_IRQ);
    assert_int_equal(icc(0, HPPIR1), FIRST + 7);
    assert_int_equal(icc(0, IAR1), FIRST + 7);
    assert_int_equal(icc(0, RPR), 0xa0);
    assert_int_equal(f.lines[0], 0);
    gicv3_its_msi(f.its, DEVICE, 3); /* no active state: pending again, the same priority waits */
    assert_int_equal(f.lines[0], 0);
    gicv3_icc_write(f.gic, 0, EOIR1, FIRST + 7);
    assert_int_equal(f.lines[0], VCPU_LINE_IRQ);
    assert_int_equal(icc(0, IAR1), FIRST + 7);
    gicv3_icc_write(f.gic, 0, EOIR1, FIRST + 7);
    assert_int_equal(icc(0, IAR1), 1023);
}

static void test_unmapped_messages_are_dropped(void **state)
{
    gicv3_its_msi(f.its, DEVICE, 4);     /* not mapped */
    gicv3_its_msi(f.its, DEVICE, 32);    /* past the device's bits */
    gicv3_its_msi(f.its, DEVICE + 1, 3); /* no such device */
    gicv3_its_msi(f.its, 0x1ffff, 3);    /* past the table */
    mapti(DEVICE, 5, FIRST - 1, 0);      /* not an LPI */
    gicv3_its_msi(f.its, DEVICE, 5);
    mapti(DEVICE, 6, FIRST + 6, 7); /* a collection that is not mapped */
    gicv3_its_msi(f.its, DEVICE, 6);
    mapc(9, CPUS); /* a CPU that is not there */
    mapti(DEVICE, 7, FIRST + 6, 9);
    gicv3_its_msi(f.its, DEVICE, 7);
    assert_int_equal(f.lines[0] | f.lines[1], 0);
    gicv3_its_ops.write(f.its, 0, 4, 0);
    gicv3_its_msi(f.its, DEVICE, 3); /* disabled */
    assert_int_equal(f.lines[0], 0);
}

static void test_configuration(void **state)
{
    configure(FIRST + 7, 0xa0); /* disabled */
    gicv3_its_msi(f.its, DEVICE, 3);
    assert_int_equal(f.lines[0], 0);
    configure(FIRST + 7, 0x21);
    on_event(0x0c, DEVICE, 3, 0); /* INV */
    assert_int_equal(f.lines[0], VCPU_LINE_IRQ);
    configure(FIRST + 7, 0x20);
    command(0x0d, 0, 0, 0); /* INVALL of collection 0 */
    assert_int_equal(f.lines[0], 0);
    configure(FIRST + 7, 0x21);
    on_event(0x0c, DEVICE, 3, 0);
    mapti(DEVICE, 4, FIRST + 8, 0);
    gicv3_its_msi(f.its, DEVICE, 4);
    assert_int_equal(icc(0, IAR1), FIRST + 7); /* the higher priority */
    assert_int_equal(icc(0, RPR), 0x20);
}

static void test_moves(void **state)
{
    gicv3_its_msi(f.its, DEVICE, 3);
    on_event(0x01, DEVICE, 3, 1); /* MOVI to collection 1, pending state and all */
    assert_int_equal(f.lines[0], 0);
    assert_int_equal(f.lines[1], VCPU_LINE_IRQ);
    assert_int_equal(icc(1, IAR1), FIRST + 7);
    gicv3_icc_write(f.gic, 1, EOIR1, FIRST + 7);
    gicv3_its_msi(f.its, DEVICE, 3);
    assert_int_equal(f.lines[1], VCPU_LINE_IRQ);
    command(0x0e, 0, 1 << 16, 0 << 16); /* MOVALL from CPU 1 to CPU 0 */
    assert_int_equal(f.lines[1], 0);
    assert_int_equal(icc(0, IAR1), FIRST + 7);
}

static void test_int_clear_discard(void **state)
{
    on_event(0x03, DEVICE, 3, 0);
    assert_int_equal(f.lines[0], VCPU_LINE_IRQ);
    on_event(0x04, DEVICE, 3, 0);
    assert_int_equal(f.lines[0], 0);
    on_event(0x03, DEVICE, 3, 0);
    on_event(0x0f, DEVICE, 3, 0);
    assert_int_equal(f.lines[0], 0);
    gicv3_its_msi(f.its, DEVICE, 3);
    assert_int_equal(f.lines[0], 0);
    command((uint64_t)DEVICE << 32 | 0x0b, FIRST + 9, 1, 0); /* MAPI: too large for 5 bits */
    mapd(DEVICE, 14);
    command((uint64_t)DEVICE << 32 | 0x0b, FIRST + 9, 1, 0);
    gicv3_its_msi(f.its, DEVICE, FIRST + 9);
    assert_int_equal(icc(1, IAR1), FIRST + 9);
    command((uint64_t)DEVICE << 32 | 0x08, 0, 0, 0); /* unmapped */
    gicv3_its_msi(f.its, DEVICE, FIRST + 9);
    assert_int_equal(icc(0, HPPIR1), 1023);
}

static void test_queue(void **state)
{
    for (unsigned i = 0; i < 300; i++)
        command(0x05, 0, 0, 0); /* SYNC, round and round */
    command(0x7f, 0, 0, 0);     /* unknown: skipped */
    its_set(0x88, 0x1000);      /* past the end: nothing runs */
    assert_int_not_equal(its(0x90), 0x1000);
    gicv3_its_ops.write(f.its, 0, 4, 0);
    its_set(0x80, VALID | (RAM + RAM_BYTES));
    gicv3_its_ops.write(f.its, 0, 4, 1);
    its_set(0x88, 0x40); /* no memory there: it stalls */
    assert_int_equal(its(0x90), 0);
}

static void test_pending_table(void **state)
{
    uint8_t bits_set = 1 << 2;
    assert_true(guestmem_write(&f.mem, PENDING + (FIRST + 10) / 8, &bits_set, 1));
    enable_lpis(0, true);
    assert_int_equal(f.lines[0], 0); /* said to be all zeros */
    assert_true(guestmem_write(&f.mem, PENDING + 0x10000 + (FIRST + 10) / 8, &bits_set, 1));
    enable_lpis(1, false);
    assert_int_equal(icc(1, IAR1), FIRST + 10);
    redist_set(1, 0, 4, 0); /* cannot be cleared */
    assert_int_equal(gicv3_redist_ops.read(f.gic, GICV3_REDIST_BYTES, 4) & 1, 1);
    redist_set(1, 0x70, 8, 0);
    assert_int_equal(gicv3_redist_ops.read(f.gic, GICV3_REDIST_BYTES + 0x70, 8), CONFIG | 15);
}

static void test_tables_outside_memory(void **state)
{
    redist_set(0, 0x70, 8, (RAM + RAM_BYTES - 0x1000) | 15); /* configuration */
    redist_set(0, 0, 4, 1);
    mapc(0, 0);
    mapd(DEVICE, 5);
    mapti(DEVICE, 3, FIRST + 7, 0);
    gicv3_its_msi(f.its, DEVICE, 3);
    assert_int_equal(f.lines[0], 0);
    command((uint64_t)DEVICE << 32 | 0x08, 4, VALID | 0xffffffffff00, 0); /* the device's table */
    mapti(DEVICE, 3, FIRST + 7, 0);
    gicv3_its_msi(f.its, DEVICE, 3);
    assert_int_equal(f.lines[0], 0);
}

static void test_needs_lpis(void **state)
{
    static const uint32_t affinity = 0;
    const struct gicv3_config config = {1, 32, &affinity, set_line, NULL, NULL};
    struct gicv3 *gic;
    struct gicv3_its *none;
    assert_int_equal(gicv3_new(&config, &gic, NULL), 0);
    assert_int_equal(gicv3_its_new(gic, &none, NULL), -EINVAL);
    gicv3_free(gic);
}

#define CASE(name, set) cmocka_unit_test_setup_teardown(name, set, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_registers, setup),
        CASE(test_message, setup_mapped),
        CASE(test_unmapped_messages_are_dropped, setup_mapped),
        CASE(test_configuration, setup_mapped),
        CASE(test_moves, setup_mapped),
        CASE(test_int_clear_discard, setup_mapped),
        CASE(test_queue, setup),
        CASE(test_pending_table, setup),
        CASE(test_tables_outside_memory, setup),
        cmocka_unit_test(test_needs_lpis),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
