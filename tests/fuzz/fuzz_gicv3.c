/* fuzz_gicv3.c: a hostile guest, its timers and its devices at the interrupt controller.
 *
 * Requests are MMIO to the distributor and redistributors, MRS/MSR of the CPU interface, and input
 * wires. After each, what the controller has told the CPUs must agree with what it lets them see.
 */
#include <assert.h>
#include <string.h>

#include "core/arm64/sysreg.h"
#include "core/device/gicv3.h"
#include "mmio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CPUS = 3, SPIS = 64 };

static void set_line(void *ctx, unsigned cpu, enum vcpu_line line, bool level)
{
    uint8_t *lines = ctx;
    assert(cpu < CPUS && (line == VCPU_LINE_IRQ || line == VCPU_LINE_FIQ));
    assert(!(lines[cpu] & line) == level); /* told only when it changes */
    lines[cpu] ^= (uint8_t)line;
}

/* The registers of the CPU interface, one for each `where`. */
static uint16_t icc_key(uint64_t where)
{
    unsigned slot = where % 41;
    return slot == 40 ? A64_SYSREG_KEY(3, 0, 4, 6, 0)
                      : (uint16_t)(A64_SYSREG_KEY(3, 0, 12, 8, 0) + slot);
}

static void check(struct gicv3 *gic, const uint8_t lines[CPUS])
{
    for (unsigned cpu = 0; cpu < CPUS; cpu++) {
        assert(lines[cpu] != (VCPU_LINE_IRQ | VCPU_LINE_FIQ));
        uint64_t hppir1 = gicv3_icc_read(gic, cpu, A64_SYSREG_KEY(3, 0, 12, 12, 2));
        uint64_t hppir0 = gicv3_icc_read(gic, cpu, A64_SYSREG_KEY(3, 0, 12, 8, 2));
        assert(!(lines[cpu] & VCPU_LINE_IRQ) || hppir1 < 32 + SPIS);
        assert(!(lines[cpu] & VCPU_LINE_FIQ) || hppir0 < 32 + SPIS);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t affinities[CPUS] = {0, 1, 0x100};
    uint8_t lines[CPUS] = {0};
    const struct gicv3_config config = {CPUS, SPIS, affinities, set_line, lines, NULL};
    struct gicv3 *gic;
    if (gicv3_new(&config, &gic, NULL) < 0)
        return 0;
    for (; size >= MMIO_REQUEST_BYTES; data += MMIO_REQUEST_BYTES, size -= MMIO_REQUEST_BYTES) {
        struct mmio_request r = mmio_request(data);
        unsigned cpu = (unsigned)(r.value >> 56) % CPUS;
        struct irq_line spi = gicv3_spi_line(gic, r.where % SPIS);
        switch (r.kind % 8) {
        case 0:
            r.size_bytes = 4; /* most registers are words */
            r.where &= ~3ull;
            mmio_do(&gicv3_dist_ops, gic, 0x1000, &r);
            break;
        case 1:
            mmio_do(&gicv3_dist_ops, gic, GICV3_DIST_BYTES, &r);
            break;
        case 2:
            mmio_do(&gicv3_redist_ops, gic, CPUS * GICV3_REDIST_BYTES, &r);
            break;
        case 3:
            irq_set(&spi, r.write);
            break;
        case 4:
            gicv3_set_ppi(gic, cpu, 16 + r.where % 16, r.write);
            break;
        case 5:
            if (r.value % 64 == 0)
                gicv3_reset(gic);
            break;
        default:
            if (r.write)
                gicv3_icc_write(gic, cpu, icc_key(r.where), r.value);
            else
                gicv3_icc_read(gic, cpu, icc_key(r.where));
            break;
        }
        check(gic, lines);
    }
    gicv3_free(gic);
    return 0;
}
