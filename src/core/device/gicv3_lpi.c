/* gicv3_lpi.c: locality-specific peripheral interrupts: INTIDs from 8192, which messages make
 * pending.
 *
 * Their configuration, a byte each with priority and enable bit, is a table in guest memory that
 * GICR_PROPBASER points to; it is read where it lies, so nothing is cached and an INV command only
 * means to look again. Which are pending is kept here, a bit map for each CPU with a summary on
 * top; the guest's pending table (GICR_PENDBASER) is read when LPIs are enabled and not written
 * back, which the architecture allows as GICR_CTLR.EnableLPIs cannot be cleared again (IHI
 * 0069 5.1). LPIs belong to Group 1 and have no active state.
 *
 * Limits: no direct LPIs (GICR_SETLPIR and its kin): they come from an ITS.
 */
#include <stdlib.h>

#include "core/device/gicv3_int.h"

enum {
    ID_BITS_MIN = 14, /* below there are no LPIs */
    ID_BITS_MAX = 16,
    CONFIG_ENABLE = 1,
};

#define BASE_ADDRESS       0x000ffffffffff000ull /* of PROPBASER; PENDBASER's is 64 KiB-aligned */
#define PROPBASER_WRITABLE 0x070ffffffffffF9full
#define PENDBASER_WRITABLE 0x070fffffffff0f80ull
#define PENDBASER_PTZ      (1ull << 62) /* the table is all zeros; reads as zero */

struct gic_lpis {
    uint64_t propbaser, pendbaser;
    bool pending_table_zero;
    uint64_t pending[GIC_LPIS_MAX / 64];
    /* derived */
    uint64_t summary[(GIC_LPIS_MAX / 64 + 63) / 64]; /* which words of pending[] are not zero */
    const uint8_t *config; /* in guest memory; NULL: not enabled, or no RAM there */
    unsigned count;        /* LPIs that the tables have room for */
};

static void mark(struct gic_lpis *l, unsigned lpi, bool pending)
{
    unsigned word = lpi / 64;
    uint64_t bit = 1ull << lpi % 64;
    l->pending[word] = pending ? l->pending[word] | bit : l->pending[word] & ~bit;
    uint64_t in_summary = 1ull << word % 64;
    l->summary[word / 64] =
        l->pending[word] ? l->summary[word / 64] | in_summary : l->summary[word / 64] & ~in_summary;
}

/* One CPU's LPI `intid`, or a number that is out of range. */
static unsigned index_of(const struct gic_cpu *cpu, uint32_t intid)
{
    unsigned lpi = intid - GIC_LPI_BASE;
    return cpu->lpis->config && lpi < cpu->lpis->count ? lpi : GIC_LPIS_MAX;
}

void gic_lpi_find_best(struct gic_cpu *cpu)
{
    const struct gic_lpis *l = cpu->lpis;
    for (unsigned i = 0; i < ARRAY_SIZE(l->summary); i++) {
        for (uint64_t words = l->summary[i]; words; words &= words - 1) {
            unsigned word = i * 64 + (unsigned)__builtin_ctzll(words);
            for (uint64_t ids = l->pending[word]; ids; ids &= ids - 1) {
                unsigned lpi = word * 64 + (unsigned)__builtin_ctzll(ids);
                uint8_t config = l->config[lpi], priority = config & GIC_PRIORITY_MASK;
                if (!(config & CONFIG_ENABLE) || priority >= cpu->best_priority)
                    continue;
                cpu->best = GIC_LPI_BASE + lpi;
                cpu->best_priority = priority;
                cpu->best_group = 1;
            }
        }
    }
}

void gic_lpi_set(struct gicv3 *gic, struct gic_cpu *cpu, uint32_t intid, bool pending)
{
    unsigned lpi = index_of(cpu, intid);
    if (lpi == GIC_LPIS_MAX)
        return;
    mark(cpu->lpis, lpi, pending);
    gic_look_again(gic, cpu);
}

void gic_lpi_move(struct gicv3 *gic, struct gic_cpu *from, struct gic_cpu *to, uint32_t intid)
{
    unsigned lpi = index_of(from, intid);
    if (lpi == GIC_LPIS_MAX || !(from->lpis->pending[lpi / 64] >> lpi % 64 & 1))
        return;
    gic_lpi_set(gic, from, intid, false);
    gic_lpi_set(gic, to, intid, true);
}

void gic_lpi_move_all(struct gicv3 *gic, struct gic_cpu *from, struct gic_cpu *to)
{
    if (from == to || !from->lpis->config || !to->lpis->config)
        return;
    for (unsigned lpi = 0; lpi < from->lpis->count; lpi++) {
        if (!(from->lpis->pending[lpi / 64] >> lpi % 64 & 1))
            continue;
        mark(from->lpis, lpi, false);
        if (lpi < to->lpis->count)
            mark(to->lpis, lpi, true);
    }
    gic_look_again(gic, from);
    gic_look_again(gic, to);
}

/* --- registers ---------------------------------------------------------------------------------
 */

static void load_pending(struct gic_lpis *l, const struct guestmem *mem)
{
    uint8_t table[GIC_LPIS_MAX / 8];
    uint64_t at = (l->pendbaser & BASE_ADDRESS & ~0xffffull) + GIC_LPI_BASE / 8;
    if (l->pending_table_zero || !guestmem_read(mem, at, table, l->count / 8))
        return;
    for (unsigned lpi = 0; lpi < l->count; lpi++)
        if (table[lpi / 8] >> lpi % 8 & 1)
            mark(l, lpi, true);
}

void gic_lpi_enable(struct gicv3 *gic, struct gic_cpu *cpu)
{
    struct gic_lpis *l = cpu->lpis;
    if (cpu->ctlr & GICR_CTLR_ENABLE_LPIS)
        return;
    cpu->ctlr |= GICR_CTLR_ENABLE_LPIS;
    unsigned id_bits = (unsigned)(l->propbaser & 31) + 1;
    if (id_bits < ID_BITS_MIN)
        return;
    l->count = (1u << (id_bits > ID_BITS_MAX ? ID_BITS_MAX : id_bits)) - GIC_LPI_BASE;
    l->config = guestmem_ptr(gic->config.mem, l->propbaser & BASE_ADDRESS, l->count, false);
    if (!l->config)
        return;
    load_pending(l, gic->config.mem);
    gic_look_again(gic, cpu);
}

static void write_half(uint64_t *reg, unsigned shift, uint32_t value, uint64_t writable)
{
    *reg = ((*reg & ~(0xffffffffull << shift)) | (uint64_t)value << shift) & writable;
}

uint32_t gic_lpi_read_base(const struct gic_cpu *cpu, uint32_t offset)
{
    uint64_t v = offset < GICR_PENDBASER ? cpu->lpis->propbaser : cpu->lpis->pendbaser;
    return (uint32_t)(v >> (offset % 8 * 8));
}

void gic_lpi_write_base(struct gic_cpu *cpu, uint32_t offset, uint32_t value)
{
    struct gic_lpis *l = cpu->lpis;
    unsigned shift = offset % 8 * 8;
    if (cpu->ctlr & GICR_CTLR_ENABLE_LPIS)
        return; /* UNPREDICTABLE by 12.11.34: no effect */
    if (offset < GICR_PENDBASER) {
        write_half(&l->propbaser, shift, value, PROPBASER_WRITABLE);
        return;
    }
    write_half(&l->pendbaser, shift, value, PENDBASER_WRITABLE);
    if (shift == 32)
        l->pending_table_zero = value & PENDBASER_PTZ >> 32;
}

/* --- life cycle --------------------------------------------------------------------------------
 */

struct gic_lpis *gic_lpis_new(void)
{
    struct gic_lpis *l = calloc(1, sizeof(*l));
    if (!l)
        abort();
    return l;
}

void gic_lpi_reset(struct gic_cpu *cpu)
{
    if (cpu->lpis)
        memset(cpu->lpis, 0, sizeof(*cpu->lpis));
}
