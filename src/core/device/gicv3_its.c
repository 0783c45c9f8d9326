/* gicv3_its.c: registers, command queue and tables of the interrupt translation service.
 *
 * All tables live in memory that the guest provides, in formats of our own with 8 bytes an entry;
 * the service keeps nothing beside its registers, so a snapshot of guest memory holds them.
 *
 *   device table       [63] valid  [51:8] address of the device's table  [4:0] bits of an event,
 * less 1 device's table     [63] valid  [47:32] collection  [31:0] INTID collection table   [63]
 * valid  [15:0] CPU
 *
 * A guest may scribble over them; then its messages go astray, no further: every address is checked
 * on every use. Commands are executed as GITS_CWRITER moves, so SYNC has nothing to wait for. A
 * command that asks for what cannot be is skipped, as the architecture allows without SEIs (5.3.1).
 *
 * Limits: flat tables only (GITS_BASER.Indirect is RAZ), 16 bits of device and event, no vLPIs. A
 * CPU's own write to GITS_TRANSLATER has no device ID and is dropped.
 */
#include "core/device/gicv3_its.h"

#include <errno.h>
#include <stdlib.h>

#include "core/device/gicv3_int.h"

enum {
    GITS_CTLR = 0x00,
    GITS_IIDR = 0x04,
    GITS_TYPER = 0x08,
    GITS_CBASER = 0x80,
    GITS_CWRITER = 0x88,
    GITS_CREADR = 0x90,
    GITS_BASER = 0x100, /* 8 of them */
    GITS_BASER_END = 0x140,
    GITS_FRAME = 0x10000,

    CTLR_ENABLED = 1 << 0,
    COMMAND_BYTES = 32,
    ENTRY_BYTES = 8,
    DEVICE_BITS = 16,
    EVENT_BITS = 16,
};

#define CTLR_QUIESCENT (1u << 31) /* whenever it is asked */
#define VALID          (1ull << 63)
#define BASE_ADDRESS   0x000ffffffffff000ull

/* PTA zero: a target is a processor number; CIL zero: collections have 16 bits; HCC zero. */
#define TYPER                                                                                      \
    (1ull | (uint64_t)(ENTRY_BYTES - 1) << 4 | (uint64_t)(EVENT_BITS - 1) << 8 |                   \
     (uint64_t)(DEVICE_BITS - 1) << 13)

enum { TABLE_DEVICES, TABLE_COLLECTIONS, TABLES };

/* GITS_BASER: type [58:56] and entry size [52:48] are fixed. */
static const uint64_t baser_fixed[TABLES] = {
    [TABLE_DEVICES] = 1ull << 56 | (uint64_t)(ENTRY_BYTES - 1) << 48,
    [TABLE_COLLECTIONS] = 4ull << 56 | (uint64_t)(ENTRY_BYTES - 1) << 48,
};
#define BASER_WRITABLE  0xb8e0ffffffffffffull /* all but Indirect, type and entry size */
#define CBASER_WRITABLE 0xb8effffffffffcffull

struct gicv3_its {
    pthread_mutex_t lock; /* before the controller's */
    struct gicv3 *gic;    /* borrowed */
    const struct guestmem *mem;
    uint32_t ctlr;
    uint64_t cbaser, cwriter, creadr;
    uint64_t baser[TABLES];
};

/* --- tables ------------------------------------------------------------------------------------
 */

static uint64_t load_entry(const struct gicv3_its *its, uint64_t address)
{
    uint64_t entry = 0;
    if (address == 0 || !guestmem_read(its->mem, address, &entry, sizeof(entry)))
        return 0;
    return entry & VALID ? entry : 0;
}

static void store_entry(struct gicv3_its *its, uint64_t address, uint64_t entry)
{
    if (address != 0)
        guestmem_write(its->mem, address, &entry, sizeof(entry));
}

/* Guest-physical address of entry `index`; 0 where the table has none. */
static uint64_t entry_address(const struct gicv3_its *its, unsigned table, uint32_t index)
{
    static const uint64_t page_bytes[4] = {4096, 16384, 65536, 65536};
    uint64_t baser = its->baser[table];
    uint64_t size_bytes = ((baser & 0xff) + 1) * page_bytes[baser >> 8 & 3];
    if (!(baser & VALID) || index >= size_bytes / ENTRY_BYTES)
        return 0;
    return (baser & 0x0000fffffffff000ull) + (uint64_t)index * ENTRY_BYTES;
}

static uint64_t event_address(const struct gicv3_its *its, uint32_t device, uint32_t event)
{
    uint64_t entry = load_entry(its, entry_address(its, TABLE_DEVICES, device));
    if (!entry || event >> ((entry & 31) + 1))
        return 0;
    return (entry & 0x000fffffffffff00ull) + (uint64_t)event * ENTRY_BYTES;
}

static struct gic_cpu *cpu_at(const struct gicv3_its *its, uint64_t number)
{
    return number < its->gic->config.cpus ? &its->gic->cpus[number] : NULL;
}

static struct gic_cpu *collection_cpu(const struct gicv3_its *its, uint32_t collection)
{
    uint64_t entry = load_entry(its, entry_address(its, TABLE_COLLECTIONS, collection));
    return entry ? cpu_at(its, entry & 0xffff) : NULL;
}

/* --- translation -------------------------------------------------------------------------------
 */

struct translation {
    uint64_t address; /* of the event's entry */
    uint32_t intid;
    struct gic_cpu *cpu;
};

static bool translate(const struct gicv3_its *its, uint32_t device, uint32_t event,
                      struct translation *ret)
{
    uint64_t address = event_address(its, device, event);
    uint64_t entry = load_entry(its, address);
    if (!entry)
        return false;
    *ret =
        (struct translation){address, (uint32_t)entry, collection_cpu(its, entry >> 32 & 0xffff)};
    return ret->cpu != NULL;
}

static void set_pending(struct gicv3_its *its, uint32_t device, uint32_t event, bool pending)
{
    struct translation t;
    if (!translate(its, device, event, &t))
        return;
    pthread_mutex_lock(&its->gic->lock);
    gic_lpi_set(its->gic, t.cpu, t.intid, pending);
    pthread_mutex_unlock(&its->gic->lock);
}

void gicv3_its_msi(struct gicv3_its *its, uint32_t device, uint32_t event)
{
    pthread_mutex_lock(&its->lock);
    if (its->ctlr & CTLR_ENABLED)
        set_pending(its, device, event, true);
    pthread_mutex_unlock(&its->lock);
}

/* --- commands (5.3) ----------------------------------------------------------------------------
 */

struct command {
    uint64_t d[4];
};

static_assert(sizeof(struct command) == COMMAND_BYTES, "as the architecture lays it out");

static uint32_t device_of(const struct command *c)
{
    return (uint32_t)(c->d[0] >> 32);
}

static uint32_t event_of(const struct command *c)
{
    return (uint32_t)c->d[1];
}

static uint32_t collection_of(const struct command *c)
{
    return c->d[2] & 0xffff;
}

static void do_mapd(struct gicv3_its *its, const struct command *c)
{
    unsigned size = c->d[1] & 31;
    bool valid = (c->d[2] & VALID) && size < EVENT_BITS;
    uint64_t table = c->d[2] & 0x000fffffffffff00ull;
    store_entry(its, entry_address(its, TABLE_DEVICES, device_of(c)),
                valid ? VALID | table | size : 0);
}

static void do_mapc(struct gicv3_its *its, const struct command *c)
{
    uint64_t cpu = bits(c->d[2], 16, 35);
    bool valid = (c->d[2] & VALID) && cpu_at(its, cpu);
    store_entry(its, entry_address(its, TABLE_COLLECTIONS, collection_of(c)),
                valid ? VALID | cpu : 0);
}

static void map_event(struct gicv3_its *its, const struct command *c, uint32_t intid)
{
    if (intid - GIC_LPI_BASE < GIC_LPIS_MAX)
        store_entry(its, event_address(its, device_of(c), event_of(c)),
                    VALID | (uint64_t)collection_of(c) << 32 | intid);
}

static void do_mapti(struct gicv3_its *its, const struct command *c)
{
    map_event(its, c, (uint32_t)(c->d[1] >> 32));
}

static void do_mapi(struct gicv3_its *its, const struct command *c)
{
    map_event(its, c, event_of(c));
}

static void do_movi(struct gicv3_its *its, const struct command *c)
{
    struct translation t;
    struct gic_cpu *to = collection_cpu(its, collection_of(c));
    if (!to || !translate(its, device_of(c), event_of(c), &t))
        return;
    store_entry(its, t.address, VALID | (uint64_t)collection_of(c) << 32 | t.intid);
    pthread_mutex_lock(&its->gic->lock);
    gic_lpi_move(its->gic, t.cpu, to, t.intid);
    pthread_mutex_unlock(&its->gic->lock);
}

static void do_movall(struct gicv3_its *its, const struct command *c)
{
    struct gic_cpu *from = cpu_at(its, bits(c->d[2], 16, 35));
    struct gic_cpu *to = cpu_at(its, bits(c->d[3], 16, 35));
    if (!from || !to)
        return;
    pthread_mutex_lock(&its->gic->lock);
    gic_lpi_move_all(its->gic, from, to);
    pthread_mutex_unlock(&its->gic->lock);
}

static void do_int(struct gicv3_its *its, const struct command *c)
{
    set_pending(its, device_of(c), event_of(c), true);
}

static void do_clear(struct gicv3_its *its, const struct command *c)
{
    set_pending(its, device_of(c), event_of(c), false);
}

static void do_discard(struct gicv3_its *its, const struct command *c)
{
    do_clear(its, c);
    store_entry(its, event_address(its, device_of(c), event_of(c)), 0);
}

/* INV and INVALL: a configuration byte changed. */
static void reconsider(struct gicv3_its *its, struct gic_cpu *cpu)
{
    if (!cpu)
        return;
    pthread_mutex_lock(&its->gic->lock);
    gic_look_again(its->gic, cpu);
    pthread_mutex_unlock(&its->gic->lock);
}

static void do_inv(struct gicv3_its *its, const struct command *c)
{
    struct translation t;
    if (translate(its, device_of(c), event_of(c), &t))
        reconsider(its, t.cpu);
}

static void do_invall(struct gicv3_its *its, const struct command *c)
{
    reconsider(its, collection_cpu(its, collection_of(c)));
}

static void do_sync(struct gicv3_its *its, const struct command *c)
{
}

static void (*const commands[])(struct gicv3_its *its, const struct command *c) = {
    [0x01] = do_movi, [0x03] = do_int,    [0x04] = do_clear,  [0x05] = do_sync,
    [0x08] = do_mapd, [0x09] = do_mapc,   [0x0a] = do_mapti,  [0x0b] = do_mapi,
    [0x0c] = do_inv,  [0x0d] = do_invall, [0x0e] = do_movall, [0x0f] = do_discard,
};

static uint64_t queue_bytes(const struct gicv3_its *its)
{
    return ((its->cbaser & 0xff) + 1) * 4096;
}

/* At most one round of the queue, 32768 commands, for each write of GITS_CWRITER. */
static void run_commands(struct gicv3_its *its)
{
    uint64_t size_bytes = queue_bytes(its);
    if (!(its->ctlr & CTLR_ENABLED) || !(its->cbaser & VALID) || its->cwriter >= size_bytes)
        return;
    while (its->creadr != its->cwriter) {
        struct command c;
        if (!guestmem_read(its->mem, (its->cbaser & BASE_ADDRESS) + its->creadr, &c, sizeof(c)))
            return; /* stalled */
        unsigned code = c.d[0] & 0xff;
        if (code < ARRAY_SIZE(commands) && commands[code])
            commands[code](its, &c);
        its->creadr = (its->creadr + COMMAND_BYTES) % size_bytes;
    }
}

/* --- registers ---------------------------------------------------------------------------------
 */

static uint64_t *wide_register(struct gicv3_its *its, uint32_t offset)
{
    unsigned table = (offset - GITS_BASER) / 8;
    switch (offset & ~7u) {
    case GITS_CBASER:
        return &its->cbaser;
    case GITS_CWRITER:
        return &its->cwriter;
    case GITS_CREADR:
        return &its->creadr;
    default:
        return offset >= GITS_BASER && table < TABLES ? &its->baser[table] : NULL;
    }
}

static uint32_t read32(struct gicv3_its *its, uint32_t offset)
{
    const uint64_t *wide = wide_register(its, offset);
    if (wide)
        return (uint32_t)(*wide >> (offset % 8 * 8));
    switch (offset) {
    case GITS_CTLR:
        return its->ctlr | CTLR_QUIESCENT;
    case GITS_IIDR:
        return GIC_IIDR;
    case GITS_TYPER:
        return (uint32_t)TYPER;
    case GITS_TYPER + 4:
        return (uint32_t)(TYPER >> 32);
    default:
        return offset >= GIC_ID_REGS && offset < GITS_FRAME ? gic_id_read(offset - GIC_ID_REGS) : 0;
    }
}

static void write_wide(struct gicv3_its *its, uint64_t *reg, uint64_t value)
{
    bool enabled = its->ctlr & CTLR_ENABLED;
    if (reg == &its->cwriter) {
        *reg = value & 0xfffe0; /* Retry means nothing: no command stalls for an error */
        run_commands(its);
    } else if (reg == &its->cbaser && !enabled) {
        *reg = value & CBASER_WRITABLE;
        its->creadr = 0;
    } else if (reg >= its->baser && reg < its->baser + TABLES && !enabled) {
        *reg = (value & BASER_WRITABLE) | baser_fixed[reg - its->baser];
    }
}

static void write32(struct gicv3_its *its, uint32_t offset, uint32_t value)
{
    uint64_t *wide = wide_register(its, offset);
    unsigned shift = offset % 8 * 8;
    if (wide) {
        write_wide(its, wide, (*wide & ~(0xffffffffull << shift)) | (uint64_t)value << shift);
    } else if (offset == GITS_CTLR) {
        its->ctlr = value & CTLR_ENABLED;
        run_commands(its);
    }
}

static uint64_t its_read(void *ctx, uint64_t offset, unsigned size_bytes)
{
    struct gicv3_its *its = ctx;
    uint32_t at = (uint32_t)offset;
    if (size_bytes < 4 || at % size_bytes)
        return 0;
    pthread_mutex_lock(&its->lock);
    uint64_t v = read32(its, at);
    if (size_bytes == 8)
        v |= (uint64_t)read32(its, at + 4) << 32;
    pthread_mutex_unlock(&its->lock);
    return v;
}

static void its_write(void *ctx, uint64_t offset, unsigned size_bytes, uint64_t value)
{
    struct gicv3_its *its = ctx;
    uint32_t at = (uint32_t)offset;
    if (size_bytes < 4 || at % size_bytes)
        return;
    pthread_mutex_lock(&its->lock);
    uint64_t *wide = wide_register(its, at);
    if (size_bytes == 8 && wide) {
        write_wide(its, wide, value);
    } else {
        write32(its, at, (uint32_t)value);
        if (size_bytes == 8)
            write32(its, at + 4, (uint32_t)(value >> 32));
    }
    pthread_mutex_unlock(&its->lock);
}

const struct bus_device_ops gicv3_its_ops = {its_read, its_write};

/* --- life cycle --------------------------------------------------------------------------------
 */

void gicv3_its_reset(struct gicv3_its *its)
{
    pthread_mutex_lock(&its->lock);
    its->ctlr = 0;
    its->cbaser = its->cwriter = its->creadr = 0;
    memcpy(its->baser, baser_fixed, sizeof(its->baser));
    pthread_mutex_unlock(&its->lock);
}

int gicv3_its_new(struct gicv3 *gic, struct gicv3_its **ret_its, struct err *e)
{
    if (!gic->config.mem)
        return err_set(e, EINVAL, "interrupt translation needs a controller with LPIs");
    struct gicv3_its *its = calloc(1, sizeof(*its));
    if (!its)
        abort();
    its->gic = gic;
    its->mem = gic->config.mem;
    pthread_mutex_init(&its->lock, NULL);
    gicv3_its_reset(its);
    *ret_its = its;
    return 0;
}

void gicv3_its_free(struct gicv3_its *its)
{
    if (!its)
        return;
    pthread_mutex_destroy(&its->lock);
    free(its);
}
