/* emit_value.c: where the values of general registers are.
 *
 * A guest register without a host register lives in the CPU struct, which is up to date whenever
 * an op is done. In user mode the scratch registers rax, rcx and rdx are remembered to hold what
 * was last loaded from there or stored there, until an instruction may write to them
 * (x86_buf.written), so that the next ops need not load it again.
 *
 * Limits: only across the ops of `remembers`, whose code writes scratch registers by x86_...()
 * alone; what other code comes back to (held_forget()) begins anew.
 */
#include "core/x86_64/emit_int.h"

#include <string.h>

enum { NOTHING = 0xff };

static const bool remembers[IR_OPCODE_COUNT] = {
    [IR_INSN] = true,  [IR_MOVI] = true,  [IR_MOV] = true,   [IR_PCREL] = true, [IR_ADD] = true,
    [IR_SUB] = true,   [IR_AND] = true,   [IR_OR] = true,    [IR_XOR] = true,   [IR_ADDS] = true,
    [IR_SUBS] = true,  [IR_ANDS] = true,  [IR_SHL] = true,   [IR_SHR] = true,   [IR_SAR] = true,
    [IR_UBFX] = true,  [IR_SBFX] = true,  [IR_UBFIZ] = true, [IR_SBFIZ] = true, [IR_CSEL] = true,
    [IR_CSINC] = true, [IR_LOAD] = true,  [IR_STORE] = true, [IR_LOADP] = true, [IR_STOREP] = true,
    [IR_BCC] = true,   [IR_CBZ] = true,   [IR_CBNZ] = true,  [IR_TBZ] = true,   [IR_TBNZ] = true,
    [IR_JUMP] = true,  [IR_JUMPR] = true,
};

void held_forget(struct emitter *e)
{
    memset(e->held, NOTHING, sizeof(e->held));
    e->holds = false;
}

static void drop_written(struct emitter *e)
{
    for (unsigned reg = 0; reg < sizeof(e->held); reg++)
        if (e->buf->written >> reg & 1)
            e->held[reg] = NOTHING;
    e->buf->written = 0;
}

static void hold(struct emitter *e, unsigned v, unsigned reg)
{
    if (!e->remembers || reg >= sizeof(e->held))
        return;
    drop_written(e);
    e->held[reg] = (uint8_t)v;
    e->holds = true;
}

static void drop_value(struct emitter *e, unsigned v)
{
    for (unsigned reg = 0; reg < sizeof(e->held); reg++)
        if (e->held[reg] == v)
            e->held[reg] = NOTHING;
}

/* Which of the scratch registers in `among` holds v, X86_NONE: none. */
static unsigned holder(struct emitter *e, unsigned v, unsigned among)
{
    if (!e->holds)
        return X86_NONE;
    drop_written(e);
    for (unsigned reg = 0; reg < sizeof(e->held); reg++)
        if (e->held[reg] == v && among >> reg & 1)
            return reg;
    return X86_NONE;
}

bool held_nothing(struct emitter *e)
{
    drop_written(e);
    e->holds = (e->held[RAX] & e->held[RCX] & e->held[RDX]) != NOTHING;
    return !e->holds;
}

unsigned use_reg(struct emitter *e, unsigned v, unsigned scratch, unsigned width)
{
    if (v == IR_ZERO) {
        x86_movi(e->buf, scratch, 0);
        return scratch;
    }
    struct x86_rm rm = loc(e, v);
    if (rm.is_reg)
        return rm.base;
    unsigned from = holder(e, v, 1u << scratch);
    if (from == X86_NONE)
        from = holder(e, v, ~0u);
    if (from != X86_NONE)
        x86_load(e->buf, 8, scratch, rm_reg(from));
    else
        x86_load(e->buf, width, scratch, rm);
    if (from != X86_NONE || width == 8)
        hold(e, v, scratch);
    return scratch;
}

unsigned use_held(struct emitter *e, unsigned v, unsigned scratch, unsigned others)
{
    unsigned from = v == IR_ZERO || loc(e, v).is_reg ? X86_NONE : holder(e, v, others);
    return from != X86_NONE ? from : use_reg(e, v, scratch, 8);
}

struct x86_rm use_operand(struct emitter *e, unsigned v)
{
    struct x86_rm rm = loc(e, v);
    unsigned from = rm.is_reg ? X86_NONE : holder(e, v, HELD_ALL);
    return from != X86_NONE ? rm_reg(from) : rm;
}

unsigned set_reg(const struct emitter *e, unsigned v, unsigned scratch)
{
    return v != IR_ZERO && e->gpr[v] != X86_NONE ? e->gpr[v] : scratch;
}

void set_done(struct emitter *e, unsigned v, unsigned reg)
{
    if (v == IR_ZERO)
        return;
    x86_store(e->buf, 8, loc(e, v), reg);
    if (e->gpr[v] != X86_NONE)
        return;
    drop_value(e, v);
    hold(e, v, reg);
    e->stored_now |= 1ull << v;
}

void held_begin(struct emitter *e, const struct ir_op *o)
{
    e->stored_now = 0;
    e->remembers = e->request->user && remembers[o->op];
    if (e->holds && !e->remembers)
        held_forget(e);
}

void held_end(struct emitter *e, const struct ir_op *o)
{
    if (o->op == IR_STOREP)
        return;
    uint64_t written = 1ull << o->d;
    bool pair = o->op == IR_LOADP, together = pair && o->size == 8 && o->c == o->d + 1;
    if (pair)
        written |= 1ull << o->c;
    for (unsigned reg = 0; e->holds && reg < sizeof(e->held); reg++)
        if (e->held[reg] < 32 && (written & ~e->stored_now) >> e->held[reg] & 1)
            e->held[reg] = NOTHING;
    e->stored_alone = together ? e->stored_alone & ~written : e->stored_alone | written;
}
