/* share.c: one address check for several accesses to one object.
 *
 * In machines an access looks its page up in the TLB. Accesses near one base register mostly lie in
 * one page: a function saving registers in its frame, the fields of a structure. The first of them
 * (the leader) then checks the whole range at once and keeps the page's distance from host memory
 * in a slot, from which the others (followers) take it:
 *
 *   STP x29, x30, [sp, #-48]!   leader: [sp - 48, sp), to slot 0
 *   STP x19, x20, [sp, #16]     follower of slot 0
 *   STR x21, [sp, #32]          follower of slot 0
 *
 * A group ends where its base is overwritten with anything but itself plus a constant, and where
 * other ways join (a region's LABEL). Loads follow stores, because who may write may read. A store
 * follows a load only where it comes for certain, behind no way out (a counter, a sum in memory):
 * the leader then looks for the right to write. Else a load of what is read-only would take the
 * long way for the sake of a store that perhaps never comes. A slot is good until its last
 * follower, provided that the unit is left where the interpreter was needed for an access
 * (IR_SHARE_WITHIN).
 *
 * Accesses with an index share the whole address: an element of an array that is read and written.
 *
 * Limits: ranges of IR_SHARE_BYTES, IR_SHARE_SLOTS groups at a time; no accesses with EL0's rights,
 * or that must be aligned.
 */
#include "core/ir/ir.h"

#include <assert.h>

struct group {
    struct ir_op *leader; /* NULL: the slot is free */
    unsigned base, index, mod;
    bool store;
    bool certain;        /* whoever comes by the leader comes here */
    int64_t moved;       /* what was added to the base since the leader */
    int64_t first, last; /* of all bytes, from the leader's base on; `last` is behind them */
};

static bool is_store(const struct ir_op *o)
{
    return o->op == IR_STORE || o->op == IR_STOREP || o->op == IR_VSTORE || o->op == IR_VSTOREP;
}

static bool is_pair(const struct ir_op *o)
{
    return o->op == IR_LOADP || o->op == IR_STOREP || o->op == IR_VLOADP || o->op == IR_VSTOREP;
}

static bool can_share(const struct ir_op *o)
{
    bool plain = is_store(o) || is_pair(o) || o->op == IR_LOAD || o->op == IR_VLOAD;
    return plain && o->a <= IR_SP && !(o->flags & (IR_ALIGNED | IR_UNPRIV | IR_ORDERED));
}

static void lead(struct group *g, struct ir_op *o)
{
    unsigned bytes = o->size * (is_pair(o) ? 2u : 1u);
    *g = (struct group){.leader = o,
                        .base = o->a,
                        .index = o->b,
                        .mod = o->mod,
                        .store = is_store(o),
                        .certain = true,
                        .first = o->imm,
                        .last = o->imm + bytes};
}

/* True where the op became a follower. */
static bool follow(struct group *g, unsigned slot, struct ir_op *o)
{
    int64_t at = o->imm + g->moved, end = at + o->size * (is_pair(o) ? 2 : 1);
    int64_t first = at < g->first ? at : g->first, last = end > g->last ? end : g->last;
    bool writes = is_store(o) && !g->store;
    if ((writes && !g->certain) || last - first > IR_SHARE_BYTES)
        return false;
    g->first = first;
    g->last = last;
    g->store |= writes;
    o->share = (uint16_t)(IR_SHARE_FOLLOWER | slot);
    g->leader->share |= (uint16_t)(IR_SHARE_LEADER | slot | (writes ? IR_SHARE_WRITES : 0));
    g->leader->x = (uint8_t)(g->leader->imm - first);
    g->leader->y = (uint8_t)(last - first);
    return true;
}

static bool is_of(const struct group *g, const struct ir_op *o)
{
    return g->leader && g->base == o->a && g->index == o->b && g->mod == o->mod;
}

static void join(struct group *groups, unsigned *next, struct ir_op *o)
{
    for (unsigned s = 0; s < IR_SHARE_SLOTS; s++) {
        if (!is_of(&groups[s], o))
            continue;
        if (!follow(&groups[s], s, o))
            lead(&groups[s], o);
        return;
    }
    unsigned slot = IR_SHARE_SLOTS;
    for (unsigned s = 0; s < IR_SHARE_SLOTS && slot == IR_SHARE_SLOTS; s++)
        if (!groups[s].leader)
            slot = s;
    if (slot == IR_SHARE_SLOTS)
        slot = (*next)++ % IR_SHARE_SLOTS;
    lead(&groups[slot], o);
}

static void end_all(struct group *groups)
{
    for (unsigned s = 0; s < IR_SHARE_SLOTS; s++)
        groups[s].leader = NULL;
}

static void overwritten(struct group *groups, unsigned v)
{
    for (unsigned s = 0; s < IR_SHARE_SLOTS; s++)
        if (groups[s].base == v || groups[s].index == v)
            groups[s].leader = NULL;
}

static void moved(struct group *groups, unsigned v, int64_t by)
{
    for (unsigned s = 0; s < IR_SHARE_SLOTS; s++) {
        if (groups[s].base == v && groups[s].index == IR_NO_INDEX)
            groups[s].moved += by;
        else if (groups[s].base == v || groups[s].index == v)
            groups[s].leader = NULL;
    }
}

static void uncertain(struct group *groups)
{
    for (unsigned s = 0; s < IR_SHARE_SLOTS; s++)
        groups[s].certain = false;
}

/* By what the op moves its own destination; false: it does something else. */
static bool moves_base(const struct ir_op *o, int64_t *ret_by)
{
    if ((o->op != IR_ADD && o->op != IR_SUB) || o->type != IR_I64 || o->d != o->a || o->b != IR_IMM)
        return false;
    *ret_by = o->op == IR_ADD ? o->imm : -o->imm;
    return *ret_by >= -IR_SHARE_BYTES && *ret_by <= IR_SHARE_BYTES;
}

static void note_effects(struct group *groups, const struct ir_op *o)
{
    const struct ir_op_info *info = &ir_op_info[o->op];
    int64_t by;
    if (o->op == IR_INTERPRET || o->op == IR_CASP || info->attributes & IR_JOINS) {
        end_all(groups);
    } else if (info->attributes & IR_SIDE_EXIT) {
        uncertain(groups);
    } else if (moves_base(o, &by)) {
        moved(groups, o->d, by);
    } else if (info->operands[0] == 'd') {
        overwritten(groups, o->d);
        if (o->op == IR_LOADP)
            overwritten(groups, o->c);
    }
}

/* Marks the ops from each leader on to behind which its last follower is. */
static void mark_within(struct ir_unit *unit)
{
    unsigned wanted = 0; /* by slot */
    for (unsigned i = unit->count; i-- > 0;) {
        struct ir_op *o = &unit->ops[i];
        unsigned slot = 1u << (o->share & IR_SHARE_SLOT);
        bool leads = o->share & IR_SHARE_LEADER, follows = o->share & IR_SHARE_FOLLOWER;
        o->share |= wanted ? IR_SHARE_WITHIN : 0;
        wanted = leads ? wanted & ~slot : follows ? wanted | slot : wanted;
    }
}

static_assert(IR_SHARE_BYTES <= UINT8_MAX, "x and y have a byte each");

void ir_share_checks(struct ir_unit *unit)
{
    struct group groups[IR_SHARE_SLOTS] = {{0}};
    unsigned next = 0;
    for (unsigned i = 0; i < unit->count; i++) {
        struct ir_op *o = &unit->ops[i];
        if (can_share(o))
            join(groups, &next, o);
        note_effects(groups, o);
    }
    mark_within(unit);
}
