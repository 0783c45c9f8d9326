/* emit_region.c: what a region has beside its ops: registers of its own, jumps within.
 *
 * The region's entry moves guest registers from where the first tier has them to where the region
 * does; at every way out they are moved back. Most are in the same place: only a host register that
 * the region gives to another guest register is swapped. The CPU struct has the values of guest
 * registers that are nowhere else, as it does in the first tier.
 *
 *     entry:      swap in; jmp head
 *     interpret:  swap out; call stubs.interpret; swap in; return
 *     leave:      swap out; jmp stubs.leave           (faults go on here)
 *     head:       ...
 *
 * At a LABEL NZCV is in memory where it is wanted. One that is jumped to backwards tests the poll
 * word, so that a loop's end is one jump.
 */
#include "core/x86_64/emit_int.h"

#include <string.h>

enum { LOOP_ALIGNMENT = 16 };

void emit_region_registers(const struct ir_region_use *use, uint32_t margin,
                           struct emit_region *ret_region)
{
    memcpy(ret_region->gpr, emit_gpr, sizeof(ret_region->gpr));
    ret_region->written = use->written;
    for (;;) {
        unsigned best = 32, worst = 32; /* in memory and used most; in a register and used least */
        for (unsigned v = 0; v < 32; v++) {
            bool pinned = ret_region->gpr[v] != X86_NONE;
            if (!pinned && (best == 32 || use->weight[v] > use->weight[best]))
                best = v;
            if (pinned && (worst == 32 || use->weight[v] < use->weight[worst]))
                worst = v;
        }
        if (use->weight[best] <= use->weight[worst] + margin)
            return;
        ret_region->gpr[best] = ret_region->gpr[worst];
        ret_region->gpr[worst] = X86_NONE;
    }
}

void emit_region_rotate(struct emit_region *region, unsigned by)
{
    uint8_t hosts[32];
    unsigned count = 0, next = 0;
    for (unsigned v = 0; v < 32; v++)
        if (region->gpr[v] != X86_NONE)
            hosts[count++] = region->gpr[v];
    for (unsigned v = 0; v < 32; v++)
        if (region->gpr[v] != X86_NONE)
            region->gpr[v] = hosts[(next++ + by) % count];
}

static void find_swaps(struct region_state *r)
{
    r->swap_count = 0;
    for (unsigned out = 0; out < 32; out++) {
        for (unsigned in = 0; in < 32; in++)
            if (emit_gpr[out] != X86_NONE && in != out && emit_gpr[out] == r->map->gpr[in])
                r->swaps[r->swap_count++] =
                    (struct region_swap){emit_gpr[out], (uint8_t)out, (uint8_t)in};
    }
}

static struct x86_rm slot(unsigned v)
{
    return rm_mem(RBP, EMIT_OFFSET(x) + (int32_t)v * 8);
}

/* All are stored before any is loaded: a guest register may have moved from one to another. */
static void swap_in(struct emitter *e, bool keep)
{
    const struct region_state *r = e->region;
    for (unsigned i = 0; keep && i < r->swap_count; i++)
        x86_store(e->buf, 8, slot(r->swaps[i].out), r->swaps[i].host);
    for (unsigned i = 0; i < r->swap_count; i++)
        x86_load(e->buf, 8, r->swaps[i].host, slot(r->swaps[i].in));
}

static void swap_out(struct emitter *e)
{
    const struct region_state *r = e->region;
    for (unsigned i = 0; i < r->swap_count; i++) {
        const struct region_swap *swap = &r->swaps[i];
        if (r->map->written >> swap->in & 1)
            x86_store(e->buf, 8, slot(swap->in), swap->host);
    }
    for (unsigned i = 0; i < r->swap_count; i++)
        x86_load(e->buf, 8, r->swaps[i].host, slot(r->swaps[i].out));
}

void region_resume(struct emitter *e, bool apart)
{
    e->apart = apart;
    e->gpr = e->region && !apart ? e->region->map->gpr : emit_gpr;
}

void region_part(struct emitter *e)
{
    if (!e->region || e->apart)
        return;
    swap_out(e);
    region_resume(e, true);
}

static void jump_to(struct emitter *e, uint8_t *site, int64_t target)
{
    struct region_state *r = e->region;
    const uint8_t *code = r->code[target / 4];
    if (code)
        x86_patch(e->buf, site, code);
    else if (r->jump_count < REGION_JUMPS_MAX)
        r->jumps[r->jump_count++] = (struct region_jump){site, (uint16_t)(target / 4)};
    else
        e->buf->full = true;
}

void region_join(struct emitter *e, int32_t target)
{
    patch_across(e, x86_jmp(e->buf), e->region->code[target / 4]);
}

bool region_branch(struct emitter *e, const struct ir_op *o, enum x86_cc cc)
{
    if (!e->region)
        return false;
    bool save = e->flags != FLAGS_NONE && !e->flags_in_memory && !(o->flags & IR_FLAGS_DEAD_OUT);
    bool stays = ir_label_of(&e->region->labels, o->imm);
    uint8_t *site = x86_jcc(e->buf, cc);
    if (stays && !save) {
        jump_to(e, site, o->imm);
        return true;
    }
    struct cold *c = cold_add(e, stays ? COLD_JOIN : COLD_PART, site);
    c->source = e->offset;
    c->offset = (int32_t)o->imm;
    c->save = save ? e->flags : FLAGS_NONE;
    return true;
}

bool region_jump(struct emitter *e, const struct ir_op *o)
{
    if (!e->region || o->flags & IR_CALL || !ir_label_of(&e->region->labels, o->imm))
        return false;
    bool next = o + 1 < e->request->unit->ops + e->request->unit->count && o[1].op == IR_LABEL &&
                o[1].imm == o->imm;
    if (!next)
        jump_to(e, x86_jmp(e->buf), o->imm);
    return true;
}

void emit_LABEL(struct emitter *e, const struct ir_op *o)
{
    cold_resume(e);
    if (e->flags != FLAGS_NONE && !e->flags_in_memory && o->flags & IR_FLAGS_LIVE)
        flags_save(e, e->flags);
    e->flags = FLAGS_NONE;
    e->flags_in_memory = true;
    region_resume(e, false);
    e->zero_above_32 = e->zero_above_64 = 0;
    e->sp_aligned = false;
    if (o->x)
        x86_align(e->buf, LOOP_ALIGNMENT);
    e->region->code[o->imm / 4] = e->buf->at;
    if (!o->x)
        return;
    struct cold *c = cold_add(e, COLD_POLL, emit_poll(e->buf));
    c->offset = (int32_t)o->imm;
}

void region_begin(struct emitter *e, struct region_state *r)
{
    const struct emit_request *request = e->request;
    struct x86_buf *b = e->buf;
    r->map = request->region;
    r->jump_count = 0;
    memset(r->code, 0, sizeof(r->code));
    ir_region_labels(request->unit, &r->labels);
    find_swaps(r);
    e->region = r;
    region_resume(e, false);
    swap_in(e, true);
    jump_to(e, x86_jmp(b), request->head);
    r->interpret = r->swap_count ? b->at : NULL;
    if (r->swap_count) {
        struct x86_rm back = rm_mem(RBP, EMIT_OFFSET(region_return));
        x86_pop(b, RAX); /* nothing but the stub's own return address may be on the stack */
        x86_store(b, 8, back, RAX);
        swap_out(e);
        x86_call_to(b, request->stubs->interpret);
        swap_in(e, false);
        x86_jmp_rm(b, back);
    }
    e->result->leave = b->at;
    swap_out(e);
    x86_jmp_to(b, request->stubs->leave);
}

void region_end(struct emitter *e)
{
    if (!e->region)
        return;
    for (unsigned i = 0; i < e->region->jump_count; i++) {
        const struct region_jump *jump = &e->region->jumps[i];
        x86_patch(e->buf, jump->site, e->region->code[jump->word]);
    }
}
