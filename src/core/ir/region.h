/* region.h: what is found out about a region: a unit whose branches also lead to its own LABELs.
 *
 * The ops are linear as in any unit, in the order of the guest's addresses; a branch whose target
 * has a LABEL stays in the region, every other one leaves it.
 */
#ifndef PENG_CORE_IR_REGION_H
#define PENG_CORE_IR_REGION_H

#include "core/ir/ir.h"

enum { IR_PAGE_WORDS = 1024 };

/* Index + 1 of the LABEL of each word of the page, 0: none. */
struct ir_labels {
    uint16_t at[IR_PAGE_WORDS];
};
void ir_region_labels(const struct ir_unit *region, struct ir_labels *ret_labels);

/* The LABEL that a target (offset from the page's start) has, as above. */
static inline unsigned ir_label_of(const struct ir_labels *labels, int64_t target)
{
    return target >= 0 && target < IR_PAGE_WORDS * 4 ? labels->at[target / 4] : 0;
}

/* As ir_liveness(); also IR_FLAGS_DEAD_OUT of branches that stay. */
void ir_region_liveness(struct ir_unit *region);

/* How much each general register (SP is 31) is used: an op counts eight times as much for every
 * loop around it. `written`: by number. */
struct ir_region_use {
    uint32_t weight[32];
    uint32_t written;
};
void ir_region_use(const struct ir_unit *region, struct ir_region_use *ret_use);

#endif
