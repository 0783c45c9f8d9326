/* gicv3_bank.c: the registers that describe interrupts, at the same offsets in the distributor and
 * in each redistributor's SGI frame (IHI 0069 12.9, 12.11).
 *
 *   0x080 IGROUPR   0x100 ISENABLER  0x180 ICENABLER  0x200 ISPENDR  0x280 ICPENDR
 *   0x300 ISACTIVER 0x380 ICACTIVER  0x400 IPRIORITYR 0xc00 ICFGR
 *
 * The first seven have one bit for each interrupt and differ only in which mask they show and how a
 * write combines with it. IGRPMODR and NSACR are RAZ/WI with one Security state; ITARGETSR, SGIR
 * and their kin with affinity routing.
 */
#include <assert.h>
#include <stddef.h>

#include "core/device/gicv3_int.h"

enum how { IGNORE, ASSIGN, SET, CLEAR };

/* By offset / 0x80. */
static const struct {
    enum how how;
    uint8_t field;
    bool rank; /* changes which interrupt is best, not which are ready */
} bit_registers[] = {
    [1] = {ASSIGN, offsetof(struct gic_bank, group), true},
    [2] = {SET, offsetof(struct gic_bank, enabled), false},
    [3] = {CLEAR, offsetof(struct gic_bank, enabled), false},
    [4] = {SET, offsetof(struct gic_bank, latch), false},
    [5] = {CLEAR, offsetof(struct gic_bank, latch), false},
    [6] = {SET, offsetof(struct gic_bank, active), false},
    [7] = {CLEAR, offsetof(struct gic_bank, active), false},
};

enum { PENDING_SET = 4, PENDING_CLEAR = 5 };
enum { PRIORITIES = 0x400, PRIORITIES_END = 0x800, CONFIGS = 0xc00, CONFIGS_END = 0xd00 };

/* Which bank, or NULL where the frame has none there. */
static struct gic_bank *locate(struct gicv3 *gic, struct gic_cpu *cpu, unsigned bank)
{
    if (cpu)
        return bank == 0 ? &cpu->own : NULL;
    return bank > 0 && bank < gic->banks ? &gic->shared[bank] : NULL;
}

static uint32_t *field_of(struct gic_bank *b, unsigned kind)
{
    return (uint32_t *)((char *)b + bit_registers[kind].field);
}

/* Two bits an interrupt, the upper one says edge. `ids` are the 16 of this register. */
static uint32_t config_spread(uint32_t ids)
{
    uint32_t v = 0;
    for (unsigned i = 0; i < 16; i++)
        v |= (ids >> i & 1) << (2 * i + 1);
    return v;
}

static uint32_t config_gather(uint32_t value)
{
    uint32_t ids = 0;
    for (unsigned i = 0; i < 16; i++)
        ids |= (value >> (2 * i + 1) & 1) << i;
    return ids;
}

uint32_t gic_bank_read(struct gicv3 *gic, struct gic_cpu *cpu, uint32_t offset, unsigned size_bytes)
{
    if (offset >= PRIORITIES && offset < PRIORITIES_END) {
        unsigned id = offset - PRIORITIES;
        const struct gic_bank *b = locate(gic, cpu, id / GIC_BANK_IDS);
        uint32_t v = 0;
        for (unsigned i = 0; b && i < size_bytes; i++)
            v |= (uint32_t)b->priority[id % GIC_BANK_IDS + i] << (8 * i);
        return v;
    }
    if (size_bytes != 4)
        return 0;
    if (offset >= CONFIGS && offset < CONFIGS_END) {
        unsigned id = (offset - CONFIGS) * 4;
        const struct gic_bank *b = locate(gic, cpu, id / GIC_BANK_IDS);
        return b ? config_spread(b->edge >> id % GIC_BANK_IDS & 0xffff) : 0;
    }
    unsigned kind = offset / 0x80;
    if (kind >= sizeof(bit_registers) / sizeof(bit_registers[0]))
        return 0;
    struct gic_bank *b = locate(gic, cpu, offset % 0x80 / 4);
    if (!b)
        return 0;
    return kind == PENDING_SET || kind == PENDING_CLEAR ? gic_pending(b) : *field_of(b, kind);
}

static void write_priorities(struct gicv3 *gic, struct gic_cpu *cpu, unsigned id,
                             unsigned size_bytes, uint32_t value)
{
    unsigned bank = id / GIC_BANK_IDS, first = id % GIC_BANK_IDS;
    struct gic_bank *b = locate(gic, cpu, bank);
    if (!b)
        return;
    for (unsigned i = 0; i < size_bytes; i++)
        b->priority[first + i] = (uint8_t)(value >> (8 * i)) & GIC_PRIORITY_MASK;
    gic_rank_changed(gic, cpu, bank, ((1u << size_bytes) - 1) << first);
}

static void write_config(struct gicv3 *gic, struct gic_cpu *cpu, unsigned id, uint32_t value)
{
    unsigned bank = id / GIC_BANK_IDS, first = id % GIC_BANK_IDS;
    struct gic_bank *b = locate(gic, cpu, bank);
    if (!b || (bank == 0 && first == 0)) /* SGIs are always edge-triggered */
        return;
    b->edge = (b->edge & ~(0xffffu << first)) | config_gather(value) << first;
    gic_bank_changed(gic, cpu, bank);
}

void gic_bank_write(struct gicv3 *gic, struct gic_cpu *cpu, uint32_t offset, unsigned size_bytes,
                    uint32_t value)
{
    if (offset >= PRIORITIES && offset < PRIORITIES_END) {
        write_priorities(gic, cpu, offset - PRIORITIES, size_bytes, value);
        return;
    }
    if (size_bytes != 4)
        return;
    if (offset >= CONFIGS && offset < CONFIGS_END) {
        write_config(gic, cpu, (offset - CONFIGS) * 4, value);
        return;
    }
    unsigned kind = offset / 0x80, bank = offset % 0x80 / 4;
    if (kind >= sizeof(bit_registers) / sizeof(bit_registers[0]))
        return;
    struct gic_bank *b = locate(gic, cpu, bank);
    if (!b)
        return;
    uint32_t *field = field_of(b, kind);
    uint32_t old = *field;
    switch (bit_registers[kind].how) {
    case IGNORE:
        return;
    case ASSIGN:
        *field = value;
        break;
    case SET:
        *field |= value;
        break;
    case CLEAR:
        *field &= ~value;
        break;
    }
    if (bit_registers[kind].rank)
        gic_rank_changed(gic, cpu, bank, old ^ *field);
    else
        gic_bank_changed(gic, cpu, bank);
}

uint32_t gic_id_read(uint32_t offset)
{
    /* PIDR4..7, PIDR0..3, CIDR0..3 of a CoreSight component made by Arm (IHI 0069 12.1.2) */
    static const uint8_t ids[] = {0x44, 0, 0, 0, 0x92, 0xb4, GIC_PIDR2, 0, 0x0d, 0xf0, 0x05, 0xb1};
    return offset % 4 == 0 && offset / 4 < sizeof(ids) ? ids[offset / 4] : 0;
}
