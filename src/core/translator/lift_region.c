/* lift_region.c: the loop around an instruction, as micro-ops of a region.
 *
 * First every instruction that direct branches reach from the head is looked at; then those that
 * cannot come back to the head are left out; the rest is lifted in the order of addresses, with a
 * LABEL wherever one of them is branched to and a JUMP wherever the next one is not the next.
 *
 * Calls leave the region, and so does all that goes to another page.
 */
#include "core/ir/region.h"
#include "core/translator/lift_int.h"

enum scan_kind {
    SCAN_UNSEEN,
    SCAN_PLAIN,  /* goes on behind */
    SCAN_BRANCH, /* goes on behind or at its target */
    SCAN_JUMP,   /* goes on at its target */
    SCAN_END,    /* leaves */
};

/* By word of the page. */
struct scan {
    uint8_t kind[IR_PAGE_WORDS];
    int32_t target[IR_PAGE_WORDS];
    bool returns[IR_PAGE_WORDS]; /* to the head */
    uint8_t label[IR_PAGE_WORDS];
    unsigned insns;
};

enum { LABEL_FORWARD = 1, LABEL_BACKWARD = 2 };

static bool in_page(int64_t offset)
{
    return offset >= 0 && offset < IR_PAGE_WORDS * 4;
}

/* Looks at one instruction by lifting it. */
static void classify(const struct lift_source *source, struct ir_unit *scratch, struct scan *s,
                     uint32_t at)
{
    struct lifter l = {.source = source, .unit = scratch, .offset = at * 4};
    scratch->count = 0;
    lift_insn(&l);
    const struct ir_op *last = &scratch->ops[scratch->count - 1];
    s->insns++;
    s->target[at] = (int32_t)last->imm;
    if (ir_op_info[last->op].attributes & IR_SIDE_EXIT)
        s->kind[at] = SCAN_BRANCH;
    else if (last->op == IR_JUMP && !(last->flags & IR_CALL))
        s->kind[at] = SCAN_JUMP;
    else
        s->kind[at] = l.ended ? SCAN_END : SCAN_PLAIN;
}

static void look_from(const struct lift_source *source, struct ir_unit *scratch, struct scan *s)
{
    uint16_t waiting[IR_PAGE_WORDS];
    unsigned count = 0;
    waiting[count++] = (uint16_t)(source->offset / 4);
    while (count && s->insns < source->max_insns) {
        uint32_t at = waiting[--count];
        while (at < IR_PAGE_WORDS && !s->kind[at] && s->insns < source->max_insns) {
            classify(source, scratch, s, at);
            bool jumps = s->kind[at] == SCAN_BRANCH || s->kind[at] == SCAN_JUMP;
            if (jumps && in_page(s->target[at]) && !s->kind[s->target[at] / 4])
                waiting[count++] = (uint16_t)(s->target[at] / 4);
            if (s->kind[at] == SCAN_JUMP || s->kind[at] == SCAN_END)
                break;
            at++;
        }
    }
}

/* Whether what is at `offset` is the head or comes back to it. */
static bool leads_to(const struct scan *s, int64_t offset, uint32_t head)
{
    return in_page(offset) && (offset == head || s->returns[offset / 4]);
}

static void find_returning(struct scan *s, uint32_t head, bool all)
{
    for (bool more = true; more;) {
        more = false;
        for (uint32_t at = IR_PAGE_WORDS; at-- > 0;) {
            if (!s->kind[at] || s->returns[at])
                continue;
            bool behind = s->kind[at] == SCAN_PLAIN || s->kind[at] == SCAN_BRANCH;
            bool there = s->kind[at] == SCAN_BRANCH || s->kind[at] == SCAN_JUMP;
            s->returns[at] = all || (behind && leads_to(s, at * 4 + 4, head)) ||
                             (there && leads_to(s, s->target[at], head));
            more |= s->returns[at];
        }
    }
}

static void find_labels(struct scan *s, uint32_t head)
{
    s->label[head / 4] = LABEL_FORWARD;
    for (uint32_t at = 0; at < IR_PAGE_WORDS; at++) {
        bool jumps = s->kind[at] == SCAN_BRANCH || s->kind[at] == SCAN_JUMP;
        if (!s->returns[at] || !jumps || !in_page(s->target[at]))
            continue;
        uint32_t target = (uint32_t)s->target[at] / 4;
        if (s->returns[target])
            s->label[target] |= target <= at ? LABEL_BACKWARD : LABEL_FORWARD;
    }
}

static void go_on_at(struct ir_unit *unit, uint32_t from, uint32_t target)
{
    ir_emit(unit, IR_INSN, IR_I64)->imm = from;
    ir_emit(unit, IR_JUMP, IR_I64)->imm = target;
}

static bool lift_kept(const struct lift_source *source, const struct scan *s, struct ir_unit *unit,
                      struct lift_extent *extent)
{
    struct lifter l = {.source = source, .unit = unit};
    enum { PER_INSN = LIFT_OPS_PER_INSN_MAX + 3 }; /* with a LABEL and a JUMP */
    unit->count = unit->insns = 0;
    for (uint32_t at = 0; at < IR_PAGE_WORDS; at++) {
        if (!s->returns[at])
            continue;
        if (unit->count + PER_INSN > IR_UNIT_OPS)
            return false;
        if (!unit->insns)
            extent->start = at * 4;
        extent->end = at * 4 + 4;
        if (s->label[at]) {
            struct ir_op *label = ir_emit(unit, IR_LABEL, IR_I64);
            label->imm = at * 4;
            label->x = (s->label[at] & LABEL_BACKWARD) != 0;
        }
        l.offset = at * 4;
        l.ended = false;
        lift_insn(&l);
        unit->insns++;
        bool next = at + 1 < IR_PAGE_WORDS && s->returns[at + 1];
        if (!l.ended && !next)
            go_on_at(unit, at * 4, at * 4 + 4);
    }
    return unit->insns > 0;
}

bool lift_region(const struct lift_source *source, bool all, struct ir_unit *unit,
                 struct lift_extent *ret_extent)
{
    struct scan s = {0};
    look_from(source, unit, &s);
    find_returning(&s, source->offset, all);
    if (!s.returns[source->offset / 4])
        return false;
    find_labels(&s, source->offset);
    if (!lift_kept(source, &s, unit, ret_extent))
        return false;
    lift_mark_exits(source, unit, false);
    ir_region_liveness(unit);
    if (ir_sink_flags(unit))
        ir_region_liveness(unit);
    return true;
}
