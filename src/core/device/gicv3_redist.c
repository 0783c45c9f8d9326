/* gicv3_redist.c: the redistributors' frames, two of 64 KiB for each CPU: RD_base and SGI_base
 * (IHI 0069 12.10, 12.11).
 *
 * GICR_WAKER keeps the hand-shake (ChildrenAsleep follows ProcessorSleep) but does not hold
 * interrupts back: the CPU interface here has no power state of its own, and firmware without a
 * secure monitor under it never wakes the redistributor. The LPI registers (GICR_SETLPIR to
 * GICR_SYNCR, PROPBASER, PENDBASER) are RAZ/WI as GICR_TYPER.PLPIS is zero.
 */
#include "core/device/gicv3_int.h"

enum {
    GICR_CTLR = 0x0000,
    GICR_IIDR = 0x0004,
    GICR_TYPER = 0x0008,
    GICR_TYPER_HIGH = 0x000c,
    GICR_WAKER = 0x0014,
    SGI_BASE = 0x10000,
};

static uint32_t typer_low(const struct gicv3 *gic, unsigned index)
{
    uint32_t dpgs = 1, last = index + 1 == gic->config.cpus, plpis = gic->config.mem != NULL;
    return index << 8 | dpgs << 5 | last << 4 | plpis;
}

static uint32_t read32(struct gicv3 *gic, unsigned index, uint32_t offset, unsigned size_bytes)
{
    struct gic_cpu *cpu = &gic->cpus[index];
    bool sgi_frame = offset >= SGI_BASE;
    offset %= SGI_BASE;
    if (sgi_frame && offset >= GIC_BANK_REGS_BEGIN && offset < GIC_BANK_REGS_END)
        return gic_bank_read(gic, cpu, offset, size_bytes);
    if (size_bytes != 4)
        return 0;
    if (offset >= GIC_ID_REGS)
        return gic_id_read(offset - GIC_ID_REGS);
    if (sgi_frame)
        return 0;
    if (cpu->lpis && offset >= GICR_PROPBASER && offset < GICR_BASERS_END)
        return gic_lpi_read_base(cpu, offset);
    switch (offset) {
    case GICR_CTLR:
        return cpu->ctlr;
    case GICR_IIDR:
        return GIC_IIDR;
    case GICR_TYPER:
        return typer_low(gic, index);
    case GICR_TYPER_HIGH:
        return cpu->affinity;
    case GICR_WAKER:
        return cpu->waker;
    default:
        return 0;
    }
}

static void write32(struct gicv3 *gic, unsigned index, uint32_t offset, unsigned size_bytes,
                    uint32_t value)
{
    struct gic_cpu *cpu = &gic->cpus[index];
    if (offset >= SGI_BASE) {
        offset -= SGI_BASE;
        if (offset >= GIC_BANK_REGS_BEGIN && offset < GIC_BANK_REGS_END)
            gic_bank_write(gic, cpu, offset, size_bytes, value);
        return;
    }
    if (size_bytes != 4)
        return;
    if (offset == GICR_CTLR) {
        const uint32_t writable = GICR_CTLR_DPG0 | GICR_CTLR_DPG1NS | GICR_CTLR_DPG1S;
        cpu->ctlr = (cpu->ctlr & GICR_CTLR_ENABLE_LPIS) | (value & writable);
        if (cpu->lpis && (value & GICR_CTLR_ENABLE_LPIS))
            gic_lpi_enable(gic, cpu);
        gic_takers_changed(gic);
    } else if (cpu->lpis && offset >= GICR_PROPBASER && offset < GICR_BASERS_END) {
        gic_lpi_write_base(cpu, offset, value);
    } else if (offset == GICR_WAKER) {
        bool sleep = value & GICR_WAKER_PROCESSOR_SLEEP;
        cpu->waker = sleep ? GICR_WAKER_PROCESSOR_SLEEP | GICR_WAKER_CHILDREN_ASLEEP : 0;
    }
}

static uint64_t redist_read(void *ctx, uint64_t offset, unsigned size_bytes)
{
    struct gicv3 *gic = ctx;
    unsigned index = (unsigned)(offset / GICV3_REDIST_BYTES);
    uint32_t at = (uint32_t)(offset % GICV3_REDIST_BYTES);
    if (index >= gic->config.cpus || at % size_bytes)
        return 0;
    pthread_mutex_lock(&gic->lock);
    uint64_t v = read32(gic, index, at, size_bytes == 8 ? 4 : size_bytes);
    if (size_bytes == 8)
        v |= (uint64_t)read32(gic, index, at + 4, 4) << 32;
    pthread_mutex_unlock(&gic->lock);
    return v;
}

static void redist_write(void *ctx, uint64_t offset, unsigned size_bytes, uint64_t value)
{
    struct gicv3 *gic = ctx;
    unsigned index = (unsigned)(offset / GICV3_REDIST_BYTES);
    uint32_t at = (uint32_t)(offset % GICV3_REDIST_BYTES);
    if (index >= gic->config.cpus || at % size_bytes)
        return;
    pthread_mutex_lock(&gic->lock);
    write32(gic, index, at, size_bytes == 8 ? 4 : size_bytes, (uint32_t)value);
    if (size_bytes == 8)
        write32(gic, index, at + 4, 4, (uint32_t)(value >> 32));
    pthread_mutex_unlock(&gic->lock);
}

const struct bus_device_ops gicv3_redist_ops = {redist_read, redist_write};
