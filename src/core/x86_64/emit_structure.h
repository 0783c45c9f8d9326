/* emit_structure.h: shared by the emitters of loads and stores of several vector registers. */
#ifndef PENG_CORE_X86_64_EMIT_STRUCTURE_H
#define PENG_CORE_X86_64_EMIT_STRUCTURE_H

#include "core/x86_64/emit_vec.h"

/* xmm `xmm` from or to `bytes` (8 or 16) of memory, not aligned. */
static inline void structure_load(struct emitter *e, unsigned xmm, struct x86_rm from,
                                  unsigned bytes)
{
    if (bytes == 16)
        x86_vec(e->buf, 2, 1, 0, 0x6f, xmm, X86_NO_SECOND, from); /* vmovdqu */
    else
        x86_vec(e->buf, 2, 1, X86_W_EVEX, 0x7e, xmm, X86_NO_SECOND, from); /* vmovq */
}

static inline void structure_store(struct emitter *e, unsigned xmm, struct x86_rm to,
                                   unsigned bytes)
{
    if (bytes == 16)
        x86_vec(e->buf, 2, 1, 0, 0x7f, xmm, X86_NO_SECOND, to);
    else
        x86_vec(e->buf, 1, 1, X86_W_EVEX, 0xd6, xmm, X86_NO_SECOND, to);
}

/* The instruction's register i: they follow one another, V0 after V31. */
static inline unsigned structure_next(const struct ir_op *o, unsigned i)
{
    return (o->d + i) % 32;
}

/* emit_interleave.c: all of o's registers, lane by lane. */
void structure_load_interleaved(struct emitter *e, const struct ir_op *o, struct x86_rm from);
void structure_store_interleaved(struct emitter *e, const struct ir_op *o, struct x86_rm to);

#endif
