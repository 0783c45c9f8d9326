/* fuzz_gicv3_its.c: hostile commands, tables and messages at the interrupt translation service.
 *
 * A small RAM holds queue and tables at fixed places, which requests overwrite at will.
 */
#include <assert.h>

#include "core/arm64/sysreg.h"
#include "core/device/gicv3_its.h"
#include "mmio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    RAM = 0x40000000,
    RAM_BYTES = 0x40000,
    QUEUE = RAM,
    DEVICES = RAM + 0x1000,
    COLLECTIONS = RAM + 0x2000,
    CONFIG = RAM + 0x10000,
    PENDING = RAM + 0x20000,
    CPUS = 2,
};

static void set_line(void *ctx, unsigned cpu, enum vcpu_line line, bool level)
{
}

static void command(const struct guestmem *mem, struct gicv3_its *its, const struct mmio_request *r)
{
    static const uint8_t codes[16] = {0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f,
                                      0x01, 0x03, 0x04, 0x05, 0x0a, 0x09, 0x08, 0x7f};
    uint64_t at = gicv3_its_ops.read(its, 0x88, 8) % 4096;
    const uint64_t d[4] = {
        codes[r->where & 15] | (r->where >> 4 & 7) << 32,
        (r->where >> 8 & 31) | (8192 + (r->where >> 16 & 31)) << 32,
        r->value,
        r->value,
    };
    guestmem_write(mem, QUEUE + at, d, sizeof(d));
    gicv3_its_ops.write(its, 0x88, 8, (at + 32) % 4096);
}

static void enable(struct gicv3 *gic, struct gicv3_its *its)
{
    const uint64_t valid = 1ull << 63;
    for (unsigned cpu = 0; cpu < CPUS; cpu++) {
        uint64_t base = cpu * GICV3_REDIST_BYTES;
        gicv3_redist_ops.write(gic, base + 0x70, 8, CONFIG | 13);
        gicv3_redist_ops.write(gic, base + 0x78, 8, PENDING);
        gicv3_redist_ops.write(gic, base, 4, 1);
        gicv3_icc_write(gic, cpu, A64_SYSREG_KEY(3, 0, 4, 6, 0), 0xff);
        gicv3_icc_write(gic, cpu, A64_SYSREG_KEY(3, 0, 12, 12, 7), 1);
    }
    gicv3_dist_ops.write(gic, 0, 4, 2);
    gicv3_its_ops.write(its, 0x80, 8, valid | QUEUE);
    gicv3_its_ops.write(its, 0x100, 8, valid | DEVICES);
    gicv3_its_ops.write(its, 0x108, 8, valid | COLLECTIONS);
    gicv3_its_ops.write(its, 0, 4, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t affinities[CPUS] = {0, 1};
    struct guestmem mem;
    struct gicv3 *gic;
    struct gicv3_its *its;
    guestmem_init(&mem, (struct guestmem_mmio){0});
    if (guestmem_add_ram(&mem, RAM, RAM_BYTES, false, NULL) < 0)
        assert(!"no memory");
    const struct gicv3_config config = {CPUS, 32, affinities, set_line, NULL, &mem};
    if (gicv3_new(&config, &gic, NULL) < 0 || gicv3_its_new(gic, &its, NULL) < 0)
        assert(!"cannot be built");
    if (size > 0 && data[0] & 0x80)
        enable(gic, its);
    for (; size >= MMIO_REQUEST_BYTES; data += MMIO_REQUEST_BYTES, size -= MMIO_REQUEST_BYTES) {
        struct mmio_request r = mmio_request(data);
        switch (r.kind % 8) {
        case 0:
        case 1:
            command(&mem, its, &r);
            break;
        case 2:
            gicv3_its_msi(its, r.where & 7, r.where >> 8 & 31);
            break;
        case 3:
            guestmem_write(&mem, RAM + r.where % RAM_BYTES, &r.value, r.size_bytes);
            break;
        case 4:
            mmio_do(&gicv3_its_ops, its, GICV3_ITS_BYTES, &r);
            break;
        case 5:
            r.where %= 0x120;
            mmio_do(&gicv3_its_ops, its, GICV3_ITS_BYTES, &r);
            break;
        case 6:
            r.where %= 0x80;
            mmio_do(&gicv3_redist_ops, gic, CPUS * GICV3_REDIST_BYTES, &r);
            break;
        default: {
            uint64_t intid = gicv3_icc_read(gic, r.where % CPUS, A64_SYSREG_KEY(3, 0, 12, 12, 0));
            if (r.write)
                gicv3_icc_write(gic, r.where % CPUS, A64_SYSREG_KEY(3, 0, 12, 12, 1), intid);
            break;
        }
        }
    }
    gicv3_its_free(its);
    gicv3_free(gic);
    guestmem_done(&mem);
    return 0;
}
