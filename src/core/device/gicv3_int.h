/* gicv3_int.h: the interrupt controller's state, shared by its files:
 *
 *   gicv3.c         life cycle, inputs, and delivery: which interrupt each CPU sees
 *   gicv3_dist.c    GICD frame
 *   gicv3_redist.c  GICR frames
 *   gicv3_cpuif.c   ICC_*_EL1
 *   gicv3_bank.c    the per-interrupt registers that GICD and GICR have in common
 *   gicv3_lpi.c     message-signalled interrupts, which gicv3_its.c brings
 *
 * Everything above "derived" in the structs is architected state and may be saved as it is; the
 * rest follows from it by gic_rebuild(). All functions here expect gic->lock to be held.
 */
#ifndef PENG_CORE_DEVICE_GICV3_INT_H
#define PENG_CORE_DEVICE_GICV3_INT_H

#include <assert.h>
#include <pthread.h>
#include <string.h>

#include "base/bytes.h"
#include "core/device/gicv3.h"

enum {
    GIC_BANK_IDS = 32,
    GIC_BANKS_MAX = 1 + GICV3_SPIS_MAX / GIC_BANK_IDS,
    GIC_SGIS = 16,
    GIC_LPI_BASE = 8192,
    GIC_LPIS_MAX = 65536 - GIC_LPI_BASE,

    GIC_NO_CPU = 0xff,
    GIC_PRIORITY_BITS = 5,
    GIC_PRIORITY_MASK = 0xf8,
    GIC_PRIORITY_IDLE = 0xff,
    GIC_BPR0_MIN = 7 - GIC_PRIORITY_BITS, /* every priority bit takes part in preemption */
    GIC_BPR1_MIN = GIC_BPR0_MIN + 1,      /* the Non-secure register counts from one (4.8.5) */

    GIC_INTID_SPECIAL = 1020, /* 1020..1023 */
    GIC_INTID_NONE = 1023,

    GICD_CTLR_GROUP0 = 1 << 0,
    GICD_CTLR_GROUP1 = 1 << 1,
    GICD_CTLR_ARE = 1 << 4,
    GICD_CTLR_DS = 1 << 6,

    GICR_WAKER_PROCESSOR_SLEEP = 1 << 1,
    GICR_WAKER_CHILDREN_ASLEEP = 1 << 2,
    GICR_PROPBASER = 0x70,
    GICR_PENDBASER = 0x78,
    GICR_BASERS_END = 0x80,
    GICR_CTLR_ENABLE_LPIS = 1 << 0,
    GICR_CTLR_DPG0 = 1 << 24,
    GICR_CTLR_DPG1NS = 1 << 25,
    GICR_CTLR_DPG1S = 1 << 26,

    ICC_CTLR_CBPR = 1 << 0,
    ICC_CTLR_EOIMODE = 1 << 1,

    GIC_IIDR = 0x43b, /* GICD_IIDR, GICR_IIDR: implementer Arm (JEP106), product 0 */
    GIC_PIDR2 = 0x3b, /* ArchRev 3: GICv3 */
    GIC_ID_REGS = 0xffd0,
};

#define GIC_IROUTER_IRM (1ull << 31)

/* 32 interrupts with adjacent INTIDs, a bit each. */
struct gic_bank {
    uint32_t group; /* 1: Group 1 */
    uint32_t enabled;
    uint32_t latch; /* made pending by an edge, a message or software */
    uint32_t level; /* what the input wires say */
    uint32_t active;
    uint32_t edge; /* 1: edge-triggered */
    uint8_t priority[GIC_BANK_IDS];
};

struct gic_cpu {
    /* redistributor */
    struct gic_bank own; /* SGIs and PPIs */
    uint32_t ctlr;
    uint32_t waker;
    struct gic_lpis *lpis; /* NULL: no LPIs */
    /* CPU interface */
    uint32_t icc_ctlr;
    uint8_t pmr;
    uint8_t bpr[2];                /* by group */
    bool group_enabled[2];         /* ICC_IGRPENn_EL1 */
    uint32_t active_priorities[2]; /* ICC_APnR0_EL1: bit p is priority p << 3 */

    /* derived */
    uint32_t affinity;
    uint32_t ready[GIC_BANKS_MAX]; /* pending, enabled, inactive and targeted at this CPU */
    uint32_t ready_banks;          /* which of ready[] are not zero */
    uint32_t best;                 /* INTID of the highest priority pending one, or NONE */
    uint8_t best_priority;
    uint8_t best_group;
    uint8_t lines; /* enum vcpu_line bits as last told */
};

struct gicv3 {
    pthread_mutex_t lock;
    struct gicv3_config config;
    unsigned banks; /* with bank 0, which lives in the CPUs */

    uint32_t ctlr;
    struct gic_bank shared[GIC_BANKS_MAX]; /* [0] unused */
    uint64_t router[GICV3_SPIS_MAX];       /* GICD_IROUTER */

    /* derived */
    uint32_t ready[GIC_BANKS_MAX];   /* SPIs: pending, enabled, inactive */
    uint32_t any_cpu[GIC_BANKS_MAX]; /* SPIs with IROUTER.IRM */
    uint8_t target[GICV3_SPIS_MAX];  /* the CPU in whose ready[] a ready SPI is */
    unsigned last_target;            /* of the 1 of N model */
    struct gic_cpu cpus[GICV3_CPUS_MAX];
};

static_assert(GIC_BANKS_MAX <= 32, "ready_banks has a bit for every bank");

/* --- gicv3.c -----------------------------------------------------------------------------------
 */

/* Bank `bank` as CPU `cpu` sees it. */
struct gic_bank *gic_bank_of(struct gicv3 *gic, struct gic_cpu *cpu, unsigned bank);
/* The bits that are pending, whatever the reason. */
static inline uint32_t gic_pending(const struct gic_bank *b)
{
    return b->latch | (b->level & ~b->edge);
}

/* After a change to anything else that decides which interrupt is a CPU's best. */
void gic_look_again(struct gicv3 *gic, struct gic_cpu *cpu);
/* After a change to pending, enabled or active bits. `cpu` matters for bank 0 only. */
void gic_bank_changed(struct gicv3 *gic, struct gic_cpu *cpu, unsigned bank);
/* After a change to groups or priorities of `mask`. */
void gic_rank_changed(struct gicv3 *gic, struct gic_cpu *cpu, unsigned bank, uint32_t mask);
/* After a change to GICD_IROUTER of an SPI (counted from 0). */
void gic_route_changed(struct gicv3 *gic, unsigned spi);
/* After a change to what CPUs take: group enables, GICR_CTLR.DPG. */
void gic_takers_changed(struct gicv3 *gic);
/* After a change to the priority mask, binary points or active priorities. */
void gic_update_lines(struct gicv3 *gic, struct gic_cpu *cpu);

/* --- gicv3_cpuif.c -----------------------------------------------------------------------------
 */

void gic_cpuif_reset(struct gic_cpu *cpu);
/* True where the CPU's best pending interrupt has sufficient priority to be taken (4.8.6). */
bool gic_best_preempts(const struct gic_cpu *cpu);
uint8_t gic_running_priority(const struct gic_cpu *cpu);

/* --- gicv3_bank.c ------------------------------------------------------------------------------
 */

enum { GIC_BANK_REGS_BEGIN = 0x80, GIC_BANK_REGS_END = 0xe00 };

/* Registers at GICD or GICR SGI_base offsets 0x80..0xdff, 32 bits, or a byte of a priority
 * register. `cpu` NULL: the distributor (bank 0 reads as zero), else that CPU's bank 0 only. */
uint32_t gic_bank_read(struct gicv3 *gic, struct gic_cpu *cpu, uint32_t offset,
                       unsigned size_bytes);
void gic_bank_write(struct gicv3 *gic, struct gic_cpu *cpu, uint32_t offset, unsigned size_bytes,
                    uint32_t value);
/* The identification registers that end each frame (offset from GIC_ID_REGS). */
uint32_t gic_id_read(uint32_t offset);

/* --- gicv3_lpi.c: with LPIs only ---------------------------------------------------------------
 */

struct gic_lpis *gic_lpis_new(void);
void gic_lpi_reset(struct gic_cpu *cpu);
/* Betters cpu->best by what is pending. */
void gic_lpi_find_best(struct gic_cpu *cpu);
/* INTIDs that the CPU's tables have no room for are dropped. */
void gic_lpi_set(struct gicv3 *gic, struct gic_cpu *cpu, uint32_t intid, bool pending);
void gic_lpi_move(struct gicv3 *gic, struct gic_cpu *from, struct gic_cpu *to, uint32_t intid);
void gic_lpi_move_all(struct gicv3 *gic, struct gic_cpu *from, struct gic_cpu *to);
void gic_lpi_enable(struct gicv3 *gic, struct gic_cpu *cpu);
/* GICR_PROPBASER and GICR_PENDBASER, by halves. */
uint32_t gic_lpi_read_base(const struct gic_cpu *cpu, uint32_t offset);
void gic_lpi_write_base(struct gic_cpu *cpu, uint32_t offset, uint32_t value);

#endif
