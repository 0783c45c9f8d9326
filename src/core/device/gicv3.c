/* gicv3.c: the interrupt controller's life cycle, its inputs, and delivery.
 *
 * How delivery works. Interrupts are kept in banks of 32 as bit masks. An interrupt that is
 * pending, enabled and not active is "ready"; each CPU has a mask of the ready ones that are its
 * own or routed to it, with a summary word on top. A change to a bank finds the bits whose
 * readiness changed, moves only those, and looks again for the best interrupt of the CPUs
 * concerned: that walks set bits, so it costs what is pending, not what is configured. From the
 * best one, the priority mask and the running priority follow the CPU's two input lines, which are
 * told to the engine only when they change.
 *
 * Group enables, of the distributor and of the CPU interface, are applied in that search: an
 * interrupt of a disabled group does not hide another (IHI 0069 4.7).
 *
 * One mutex guards all of it. It is held for tens of nanoseconds; lines are set under it, so that
 * two CPUs that race leave the line as the last state says.
 *
 * LPIs (gicv3_lpi.c) are one more source of candidates, where the board gives guest memory for
 * them.
 */
#include "core/device/gicv3.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/device/gicv3_int.h"

struct gic_bank *gic_bank_of(struct gicv3 *gic, struct gic_cpu *cpu, unsigned bank)
{
    return bank == 0 ? &cpu->own : &gic->shared[bank];
}

static uint32_t ready_bits(const struct gic_bank *b)
{
    return gic_pending(b) & b->enabled & ~b->active;
}

/* --- choosing ----------------------------------------------------------------------------------
 */

static void find_best(struct gicv3 *gic, struct gic_cpu *cpu)
{
    bool take0 = (gic->ctlr & GICD_CTLR_GROUP0) && cpu->group_enabled[0];
    bool take1 = (gic->ctlr & GICD_CTLR_GROUP1) && cpu->group_enabled[1];
    cpu->best = GIC_INTID_NONE;
    cpu->best_priority = GIC_PRIORITY_IDLE;
    cpu->best_group = 0;
    for (uint32_t banks = cpu->ready_banks; banks; banks &= banks - 1) {
        unsigned bank = (unsigned)__builtin_ctz(banks);
        const struct gic_bank *b = gic_bank_of(gic, cpu, bank);
        uint32_t ids = cpu->ready[bank] & ((take1 ? b->group : 0) | (take0 ? ~b->group : 0));
        for (; ids; ids &= ids - 1) {
            unsigned bit = (unsigned)__builtin_ctz(ids);
            if (b->priority[bit] >= cpu->best_priority)
                continue; /* of equals the lowest INTID wins */
            cpu->best = bank * GIC_BANK_IDS + bit;
            cpu->best_priority = b->priority[bit];
            cpu->best_group = b->group >> bit & 1;
        }
    }
    if (take1 && cpu->lpis)
        gic_lpi_find_best(cpu);
}

void gic_update_lines(struct gicv3 *gic, struct gic_cpu *cpu)
{
    uint8_t lines = 0;
    if (gic_best_preempts(cpu))
        lines = cpu->best_group ? VCPU_LINE_IRQ : VCPU_LINE_FIQ;
    uint8_t changed = lines ^ cpu->lines;
    cpu->lines = lines;
    unsigned index = (unsigned)(cpu - gic->cpus);
    if (changed & VCPU_LINE_IRQ)
        gic->config.set_line(gic->config.ctx, index, VCPU_LINE_IRQ, lines & VCPU_LINE_IRQ);
    if (changed & VCPU_LINE_FIQ)
        gic->config.set_line(gic->config.ctx, index, VCPU_LINE_FIQ, lines & VCPU_LINE_FIQ);
}

void gic_look_again(struct gicv3 *gic, struct gic_cpu *cpu)
{
    find_best(gic, cpu);
    gic_update_lines(gic, cpu);
}

static void set_ready(struct gic_cpu *cpu, unsigned bank, uint32_t ready)
{
    cpu->ready[bank] = ready;
    cpu->ready_banks = (cpu->ready_banks & ~(1u << bank)) | (uint32_t)(ready != 0) << bank;
}

/* --- routing -----------------------------------------------------------------------------------
 */

static bool takes_any(const struct gic_cpu *cpu, unsigned group)
{
    uint32_t refuses = group ? GICR_CTLR_DPG1NS : GICR_CTLR_DPG0;
    return cpu->group_enabled[group] && !(cpu->ctlr & refuses);
}

/* The 1 of N model: the next CPU in turn that takes the group, an idle one if there is one. */
static uint8_t choose_any(struct gicv3 *gic, unsigned group)
{
    unsigned choice = GIC_NO_CPU;
    for (unsigned i = 1; i <= gic->config.cpus; i++) {
        unsigned index = (gic->last_target + i) % gic->config.cpus;
        const struct gic_cpu *cpu = &gic->cpus[index];
        if (!takes_any(cpu, group))
            continue;
        if (choice == GIC_NO_CPU)
            choice = index;
        if (cpu->best == GIC_INTID_NONE && gic_running_priority(cpu) == GIC_PRIORITY_IDLE) {
            choice = index;
            break;
        }
    }
    if (choice != GIC_NO_CPU)
        gic->last_target = choice;
    return (uint8_t)choice;
}

/* GICD_IROUTER has Aff3 in bits [39:32] and the others in [23:0]. */
static uint8_t choose_routed(const struct gicv3 *gic, uint64_t router)
{
    uint32_t affinity = (uint32_t)(router >> 32 & 0xff) << 24 | (uint32_t)(router & 0xffffff);
    for (unsigned i = 0; i < gic->config.cpus; i++)
        if (gic->cpus[i].affinity == affinity)
            return (uint8_t)i;
    return GIC_NO_CPU;
}

static void spi_offer(struct gicv3 *gic, unsigned bank, unsigned bit)
{
    unsigned spi = (bank - 1) * GIC_BANK_IDS + bit;
    uint64_t router = gic->router[spi];
    uint8_t target = router & GIC_IROUTER_IRM ? choose_any(gic, gic->shared[bank].group >> bit & 1)
                                              : choose_routed(gic, router);
    gic->target[spi] = target;
    if (target == GIC_NO_CPU)
        return; /* stays pending in the distributor */
    struct gic_cpu *cpu = &gic->cpus[target];
    set_ready(cpu, bank, cpu->ready[bank] | 1u << bit);
    gic_look_again(gic, cpu);
}

static void spi_withdraw(struct gicv3 *gic, unsigned bank, unsigned bit)
{
    unsigned spi = (bank - 1) * GIC_BANK_IDS + bit;
    if (gic->target[spi] == GIC_NO_CPU)
        return;
    struct gic_cpu *cpu = &gic->cpus[gic->target[spi]];
    gic->target[spi] = GIC_NO_CPU;
    set_ready(cpu, bank, cpu->ready[bank] & ~(1u << bit));
    gic_look_again(gic, cpu);
}

void gic_bank_changed(struct gicv3 *gic, struct gic_cpu *cpu, unsigned bank)
{
    uint32_t now = ready_bits(gic_bank_of(gic, cpu, bank));
    if (bank == 0) {
        if (now == cpu->ready[0])
            return;
        set_ready(cpu, 0, now);
        gic_look_again(gic, cpu);
        return;
    }
    uint32_t changed = now ^ gic->ready[bank];
    gic->ready[bank] = now;
    for (; changed; changed &= changed - 1) {
        unsigned bit = (unsigned)__builtin_ctz(changed);
        if (now >> bit & 1)
            spi_offer(gic, bank, bit);
        else
            spi_withdraw(gic, bank, bit);
    }
}

void gic_rank_changed(struct gicv3 *gic, struct gic_cpu *cpu, unsigned bank, uint32_t mask)
{
    if (bank == 0) {
        if (cpu->ready[0] & mask)
            gic_look_again(gic, cpu);
        return;
    }
    if (!(gic->ready[bank] & mask))
        return;
    for (unsigned i = 0; i < gic->config.cpus; i++)
        if (gic->cpus[i].ready[bank] & mask)
            gic_look_again(gic, &gic->cpus[i]);
}

static void reroute(struct gicv3 *gic, unsigned bank, unsigned bit)
{
    if (gic->ready[bank] >> bit & 1) {
        spi_withdraw(gic, bank, bit);
        spi_offer(gic, bank, bit);
    }
}

void gic_route_changed(struct gicv3 *gic, unsigned spi)
{
    unsigned bank = 1 + spi / GIC_BANK_IDS, bit = spi % GIC_BANK_IDS;
    bool any = gic->router[spi] & GIC_IROUTER_IRM;
    gic->any_cpu[bank] = (gic->any_cpu[bank] & ~(1u << bit)) | (uint32_t)any << bit;
    reroute(gic, bank, bit);
}

void gic_takers_changed(struct gicv3 *gic)
{
    for (unsigned bank = 1; bank < gic->banks; bank++)
        for (uint32_t ids = gic->any_cpu[bank] & gic->ready[bank]; ids; ids &= ids - 1)
            reroute(gic, bank, (unsigned)__builtin_ctz(ids));
    for (unsigned i = 0; i < gic->config.cpus; i++)
        gic_look_again(gic, &gic->cpus[i]);
}

/* --- inputs ------------------------------------------------------------------------------------
 */

static void set_input(struct gicv3 *gic, struct gic_cpu *cpu, unsigned intid, bool level)
{
    unsigned bank = intid / GIC_BANK_IDS;
    uint32_t bit = 1u << intid % GIC_BANK_IDS;
    struct gic_bank *b = gic_bank_of(gic, cpu, bank);
    if (!(b->level & bit) == !level)
        return;
    b->level ^= bit;
    if (level)
        b->latch |= b->edge & bit;
    gic_bank_changed(gic, cpu, bank);
}

static void set_spi(void *ctx, unsigned intid, bool level)
{
    struct gicv3 *gic = ctx;
    pthread_mutex_lock(&gic->lock);
    set_input(gic, NULL, intid, level);
    pthread_mutex_unlock(&gic->lock);
}

struct irq_line gicv3_spi_line(struct gicv3 *gic, unsigned spi)
{
    assert(spi < gic->config.spis);
    return (struct irq_line){set_spi, gic, spi + GICV3_SPI_BASE};
}

void gicv3_set_ppi(void *ctx, unsigned cpu_index, unsigned intid, bool level)
{
    struct gicv3 *gic = ctx;
    assert(cpu_index < gic->config.cpus && intid >= GIC_SGIS && intid < GIC_BANK_IDS);
    pthread_mutex_lock(&gic->lock);
    set_input(gic, &gic->cpus[cpu_index], intid, level);
    pthread_mutex_unlock(&gic->lock);
}

/* --- life cycle --------------------------------------------------------------------------------
 */

static void bank_reset(struct gic_bank *b, uint32_t edge)
{
    *b = (struct gic_bank){.level = b->level, .edge = edge};
}

static void gic_rebuild(struct gicv3 *gic)
{
    memset(gic->ready, 0, sizeof(gic->ready));
    memset(gic->any_cpu, 0, sizeof(gic->any_cpu));
    memset(gic->target, GIC_NO_CPU, sizeof(gic->target));
    for (unsigned i = 0; i < gic->config.cpus; i++) {
        struct gic_cpu *cpu = &gic->cpus[i];
        cpu->affinity = gic->config.affinities[i];
        memset(cpu->ready, 0, sizeof(cpu->ready));
        cpu->ready_banks = 0;
        gic_bank_changed(gic, cpu, 0);
        gic_look_again(gic, cpu);
    }
    for (unsigned spi = 0; spi < gic->config.spis; spi++)
        gic_route_changed(gic, spi);
    for (unsigned bank = 1; bank < gic->banks; bank++)
        gic_bank_changed(gic, NULL, bank);
}

void gicv3_reset(struct gicv3 *gic)
{
    pthread_mutex_lock(&gic->lock);
    gic->ctlr = GICD_CTLR_ARE | GICD_CTLR_DS;
    memset(gic->router, 0, sizeof(gic->router));
    gic->last_target = 0;
    for (unsigned bank = 1; bank < gic->banks; bank++)
        bank_reset(&gic->shared[bank], 0);
    for (unsigned i = 0; i < gic->config.cpus; i++) {
        struct gic_cpu *cpu = &gic->cpus[i];
        bank_reset(&cpu->own, (1u << GIC_SGIS) - 1);
        cpu->ctlr = 0;
        cpu->waker = GICR_WAKER_PROCESSOR_SLEEP | GICR_WAKER_CHILDREN_ASLEEP;
        gic_cpuif_reset(cpu);
        gic_lpi_reset(cpu);
    }
    gic_rebuild(gic);
    pthread_mutex_unlock(&gic->lock);
}

int gicv3_new(const struct gicv3_config *config, struct gicv3 **ret_gic, struct err *e)
{
    if (config->cpus < 1 || config->cpus > GICV3_CPUS_MAX)
        return err_set(e, EINVAL, "interrupt controller: %u CPUs, 1 to %d can be", config->cpus,
                       GICV3_CPUS_MAX);
    if (config->spis < 32 || config->spis > GICV3_SPIS_MAX || config->spis % 32)
        return err_set(e, EINVAL, "interrupt controller: %u SPIs, not a multiple of 32 up to %d",
                       config->spis, GICV3_SPIS_MAX);
    struct gicv3 *gic = calloc(1, sizeof(*gic));
    if (!gic)
        abort();
    uint32_t *affinities = calloc(config->cpus, sizeof(*affinities));
    if (!affinities)
        abort();
    memcpy(affinities, config->affinities, config->cpus * sizeof(*affinities));
    pthread_mutex_init(&gic->lock, NULL);
    gic->config = *config;
    gic->config.affinities = affinities;
    gic->banks = 1 + config->spis / GIC_BANK_IDS;
    for (unsigned i = 0; config->mem && i < config->cpus; i++)
        gic->cpus[i].lpis = gic_lpis_new();
    gicv3_reset(gic);
    *ret_gic = gic;
    return 0;
}

void gicv3_free(struct gicv3 *gic)
{
    if (!gic)
        return;
    for (unsigned i = 0; i < gic->config.cpus; i++)
        free(gic->cpus[i].lpis);
    pthread_mutex_destroy(&gic->lock);
    free((void *)gic->config.affinities);
    free(gic);
}
