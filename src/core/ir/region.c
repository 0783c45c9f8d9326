/* region.c: passes over regions.
 *
 * A region needs no graph: its ops lie in the order of the guest's addresses, so a loop is what
 * lies between a LABEL and the last branch back to it, and liveness of NZCV is the backward walk of
 * a unit, repeated until the labels agree. Code that a compiler has moved out of a loop counts as
 * outside, which is what it meant.
 */
#include "core/ir/region.h"

#include <string.h>

void ir_region_labels(const struct ir_unit *region, struct ir_labels *ret_labels)
{
    memset(ret_labels, 0, sizeof(*ret_labels));
    for (unsigned i = 0; i < region->count; i++)
        if (region->ops[i].op == IR_LABEL)
            ret_labels->at[region->ops[i].imm / 4] = (uint16_t)(i + 1);
}

/* The LABEL that this op branches to, as in struct ir_labels. */
static unsigned target_of(const struct ir_op *o, const struct ir_labels *labels)
{
    bool direct = ir_op_info[o->op].attributes & IR_SIDE_EXIT || o->op == IR_JUMP;
    return direct ? ir_label_of(labels, o->imm) : 0;
}

/* One walk. True where a label learnt that NZCV is wanted there. */
static bool walk(struct ir_unit *region, const struct ir_labels *labels, bool *live_at)
{
    bool live = true, learnt = false;
    for (unsigned i = region->count; i-- > 0;) {
        struct ir_op *o = &region->ops[i];
        unsigned label = target_of(o, labels);
        if (label)
            o->flags = (uint8_t)((o->flags & ~IR_FLAGS_DEAD_OUT) |
                                 (live_at[label - 1] ? 0 : IR_FLAGS_DEAD_OUT));
        live = ir_live_before(o, live);
        if (o->op == IR_LABEL && live && !live_at[i])
            live_at[i] = learnt = true;
    }
    return learnt;
}

void ir_region_liveness(struct ir_unit *region)
{
    struct ir_labels labels;
    bool live_at[IR_UNIT_OPS] = {0};
    ir_region_labels(region, &labels);
    while (walk(region, &labels, live_at))
        ;
}

/* Loops around each op. */
static void find_depths(const struct ir_unit *region, uint8_t *depth)
{
    struct ir_labels labels;
    uint16_t last[IR_UNIT_OPS] = {0}; /* by label: the last branch back to it */
    ir_region_labels(region, &labels);
    for (unsigned i = 0; i < region->count; i++) {
        unsigned label = target_of(&region->ops[i], &labels);
        if (label && label - 1 < i)
            last[label - 1] = (uint16_t)i;
    }
    memset(depth, 0, region->count);
    for (unsigned i = 0; i < region->count; i++)
        for (unsigned j = i; last[i] && j <= last[i]; j++)
            depth[j]++;
}

static void add_use(struct ir_region_use *use, unsigned v, uint32_t by, bool written)
{
    if (v >= 32)
        return;
    use->weight[v] += by;
    use->written |= written ? 1u << v : 0;
}

static void add_op(struct ir_region_use *use, const struct ir_op *o, uint32_t by)
{
    if (o->op == IR_INTERPRET) /* it may write any */
        use->written = UINT32_MAX;
    for (const char *p = ir_op_info[o->op].operands; *p; p++) {
        if (*p == 'd')
            add_use(use, o->d, by, true);
        if (*p == 'a' || *p == 'm')
            add_use(use, o->a, by, false);
        if (*p == 'b' || *p == 'm')
            add_use(use, o->b, by, false);
        if (*p == 'c')
            add_use(use, o->c, by, o->op == IR_LOADP);
    }
    if (o->op == IR_CASP) {
        add_use(use, o->x, by, true);
        add_use(use, o->y, by, false);
    }
}

void ir_region_use(const struct ir_unit *region, struct ir_region_use *ret_use)
{
    enum { DEPTH_MAX = 5 }; /* a weight stays within 32 bits */
    uint8_t depth[IR_UNIT_OPS];
    find_depths(region, depth);
    *ret_use = (struct ir_region_use){0};
    for (unsigned i = 0; i < region->count; i++) {
        unsigned loops = depth[i] < DEPTH_MAX ? depth[i] : DEPTH_MAX;
        add_op(ret_use, &region->ops[i], 1u << 3 * loops);
    }
}
