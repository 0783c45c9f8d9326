/* gicv3_rig.c: a controller for tests of the GIC. */
#include "gicv3_rig.h"

const uint32_t affinities[CPUS] = {0x000, 0x001, 0x100, 0x101};

struct fixture f;

void set_line(void *ctx, unsigned cpu, enum vcpu_line line, bool level)
{
    struct fixture *fx = ctx;
    fx->lines[cpu] = (uint8_t)(level ? fx->lines[cpu] | line : fx->lines[cpu] & ~line);
    fx->changes++;
}

uint32_t dist(uint64_t offset)
{
    return (uint32_t)gicv3_dist_ops.read(f.gic, offset, 4);
}

void dist_set(uint64_t offset, uint32_t value)
{
    gicv3_dist_ops.write(f.gic, offset, 4, value);
}

uint32_t redist(unsigned cpu, uint64_t offset)
{
    return (uint32_t)gicv3_redist_ops.read(f.gic, cpu * GICV3_REDIST_BYTES + offset, 4);
}

void redist_set(unsigned cpu, uint64_t offset, uint32_t value)
{
    gicv3_redist_ops.write(f.gic, cpu * GICV3_REDIST_BYTES + offset, 4, value);
}

uint64_t icc(unsigned cpu, uint16_t key)
{
    return gicv3_icc_read(f.gic, cpu, key);
}

void icc_set(unsigned cpu, uint16_t key, uint64_t value)
{
    gicv3_icc_write(f.gic, cpu, key, value);
}

void priority(unsigned intid, uint8_t value)
{
    gicv3_dist_ops.write(f.gic, IPRIORITYR + intid, 1, value);
}

void route(unsigned intid, uint64_t router)
{
    gicv3_dist_ops.write(f.gic, IROUTER + 8 * intid, 8, router);
}

void spi(unsigned intid, bool level)
{
    struct irq_line line = gicv3_spi_line(f.gic, intid - 32);
    irq_set(&line, level);
}

int setup(void **state)
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

int teardown(void **state)
{
    gicv3_free(f.gic);
    return 0;
}
