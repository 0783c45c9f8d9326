/* lift.h: from guest instructions of one page to micro-ops. */
#ifndef PENG_CORE_TRANSLATOR_LIFT_H
#define PENG_CORE_TRANSLATOR_LIFT_H

#include "core/arm64/cpu.h"
#include "core/ir/ir.h"

/* What a unit may depend on besides the bytes of its page; part of its key. */
enum lift_context {
    LIFT_EL1 = 1,
    LIFT_FP = 2,       /* FP and NEON allowed at this EL */
    LIFT_FP_PLAIN = 4, /* FPCR: no flush to zero, IEEE half precision; NaNs are cold */
    LIFT_UAO = 8,
    LIFT_ZVA = 16,       /* DC ZVA does not trap */
    LIFT_EL2 = 32,       /* with LIFT_EL1: EL2, with FEAT_VHE's names */
    LIFT_EL2_TRAPS = 64, /* there is an EL2 above that may trap registers */
    LIFT_CONTEXTS = 128,
    /* Beside a context: accesses share no lookups. Such units are reached by exits alone
     * (EMIT_EXIT_ALONE), neither by jump caches nor from the store. */
    LIFT_ALONE = 128,
};

struct lift_table;
void lift_table_init(struct lift_table *table);

struct lift_source {
    const struct lift_table *table;
    const uint8_t *page; /* 4096 bytes of guest code */
    uint32_t offset;     /* where to start */
    unsigned context;    /* enum lift_context bits */
    uint32_t features;   /* bits 1 << enum a64_feature of the CPU model */
    unsigned max_insns;  /* 1..IR_UNIT_INSNS */
};

/* Fills `unit` (reset first) with a superblock from `source`: goes on behind conditional branches
 * not taken, ends at an unconditional one, at the page's end, or at what only the run loop can do.
 */
void lift_unit(const struct lift_source *source, struct ir_unit *unit);

/* Bytes of the page that a region was made of, gaps included. */
struct lift_extent {
    uint32_t start, end;
};

/* Fills `unit` with the region around the loop whose head is at source->offset: what is reached
 * from there by direct branches within the page and leads back there. max_insns: up to
 * IR_REGION_INSNS. False: there is no loop, or it is too large. `all` (for tests): also what does
 * not lead back, loop or not. */
bool lift_region(const struct lift_source *source, bool all, struct ir_unit *unit,
                 struct lift_extent *ret_extent);

#endif
