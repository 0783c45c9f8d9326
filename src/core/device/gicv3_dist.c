/* gicv3_dist.c: the distributor's frame (IHI 0069 12.9).
 *
 * Registers are 32 bits wide except GICD_IROUTER; a 64-bit access is served as two halves, a byte
 * access only where the architecture has bytes (priorities). RWP always reads as zero: writes take
 * effect before they return.
 */
#include "core/device/gicv3_int.h"

enum {
    GICD_CTLR = 0x0000,
    GICD_TYPER = 0x0004,
    GICD_IIDR = 0x0008,
    GICD_IROUTER = 0x6100, /* of INTID 32; 0x6000 + 8 n */
};

static uint32_t typer(const struct gicv3 *gic)
{
    uint32_t lines = gic->banks - 1; /* ITLinesNumber */
    uint32_t lpis = gic->config.mem != NULL;
    uint32_t id_bits = lpis ? 15 : 9; /* of an INTID, less one */
    uint32_t a3v = 1, range_select = 1;
    return lines | lpis << 17 | id_bits << 19 | a3v << 24 | range_select << 26;
}

/* The SPI whose IROUTER holds `offset`, or the number of SPIs. */
static unsigned routed_spi(const struct gicv3 *gic, uint32_t offset)
{
    uint32_t spi = (offset - GICD_IROUTER) / 8;
    return offset >= GICD_IROUTER && spi < gic->config.spis ? spi : gic->config.spis;
}

static uint32_t read32(struct gicv3 *gic, uint32_t offset, unsigned size_bytes)
{
    if (offset >= GIC_BANK_REGS_BEGIN && offset < GIC_BANK_REGS_END)
        return gic_bank_read(gic, NULL, offset, size_bytes);
    if (size_bytes != 4)
        return 0;
    if (offset >= GIC_ID_REGS)
        return gic_id_read(offset - GIC_ID_REGS);
    unsigned spi = routed_spi(gic, offset);
    if (spi < gic->config.spis)
        return (uint32_t)(gic->router[spi] >> (offset % 8 * 8));
    switch (offset) {
    case GICD_CTLR:
        return gic->ctlr;
    case GICD_TYPER:
        return typer(gic);
    case GICD_IIDR:
        return GIC_IIDR;
    default:
        return 0;
    }
}

static void write_router(struct gicv3 *gic, unsigned spi, unsigned shift, uint32_t value)
{
    const uint64_t writable = 0xff00ffffffull | GIC_IROUTER_IRM;
    uint64_t v = (gic->router[spi] & ~(0xffffffffull << shift)) | (uint64_t)value << shift;
    gic->router[spi] = v & writable;
    gic_route_changed(gic, spi);
}

static void write32(struct gicv3 *gic, uint32_t offset, unsigned size_bytes, uint32_t value)
{
    if (offset >= GIC_BANK_REGS_BEGIN && offset < GIC_BANK_REGS_END) {
        gic_bank_write(gic, NULL, offset, size_bytes, value);
        return;
    }
    if (size_bytes != 4)
        return;
    unsigned spi = routed_spi(gic, offset);
    if (spi < gic->config.spis) {
        write_router(gic, spi, offset % 8 * 8, value);
    } else if (offset == GICD_CTLR) {
        gic->ctlr = (value & (GICD_CTLR_GROUP0 | GICD_CTLR_GROUP1)) | GICD_CTLR_ARE | GICD_CTLR_DS;
        gic_takers_changed(gic);
    }
}

static uint64_t dist_read(void *ctx, uint64_t offset, unsigned size_bytes)
{
    struct gicv3 *gic = ctx;
    uint32_t at = (uint32_t)offset;
    if (at % size_bytes)
        return 0;
    pthread_mutex_lock(&gic->lock);
    uint64_t v = read32(gic, at, size_bytes == 8 ? 4 : size_bytes);
    if (size_bytes == 8)
        v |= (uint64_t)read32(gic, at + 4, 4) << 32;
    pthread_mutex_unlock(&gic->lock);
    return v;
}

static void dist_write(void *ctx, uint64_t offset, unsigned size_bytes, uint64_t value)
{
    struct gicv3 *gic = ctx;
    uint32_t at = (uint32_t)offset;
    if (at % size_bytes)
        return;
    pthread_mutex_lock(&gic->lock);
    write32(gic, at, size_bytes == 8 ? 4 : size_bytes, (uint32_t)value);
    if (size_bytes == 8)
        write32(gic, at + 4, 4, (uint32_t)(value >> 32));
    pthread_mutex_unlock(&gic->lock);
}

const struct bus_device_ops gicv3_dist_ops = {dist_read, dist_write};
