/* lift_ahead.c: whether NZCV is overwritten behind a way out before anything reads it.
 *
 * Follows the code at the target, by both ways of a branch on a register, over direct branches and
 * into functions that lie in the page. Most exits are looked behind, so instructions are told apart
 * by bits of their encodings alone (DDI 0487 C4.1), without being decoded; what is not in the table
 * leaves NZCV alone. tests/isa/ahead.c compares that with what each instruction is lifted to.
 *
 * Limits: other pages, which change by themselves, and where an indirect branch leads are not
 * known: NZCV is wanted there. Where an instruction on the way takes an exception, NZCV that nobody
 * can read any more is not exact in SPSR.
 */
#include "core/translator/lift_int.h"

#include "base/bytes.h"
#include "core/arm64/interpreter.h"

enum { INSNS_MAX = 32 };

enum effect { NONE, WRITES, READS, GOES, FORKS, FORKS_BY_BIT };

static const struct row {
    uint32_t mask, bits;
    enum effect effect;
} rows[] = {
    {0x7c000000, 0x14000000, GOES},         /* B, BL */
    {0x7e000000, 0x34000000, FORKS},        /* CBZ, CBNZ */
    {0x7e000000, 0x36000000, FORKS_BY_BIT}, /* TBZ, TBNZ */
    {0x3f000000, 0x31000000, WRITES},       /* ADDS, SUBS, immediate */
    {0x3f000000, 0x2b000000, WRITES},       /* ... register */
    {0x7f800000, 0x72000000, WRITES},       /* ANDS, immediate */
    {0x7f000000, 0x6a000000, WRITES},       /* ANDS, BICS */
    {0xff20fc00, 0x1e202000, WRITES},       /* FCMP, FCMPE */
    {0xfffff000, 0xd5032000, NONE},         /* hints */
    {0xfffff000, 0xd5033000, NONE},         /* barriers */
    {0xffffffe0, 0xd53bd040, NONE},         /* MRS TPIDR_EL0 */
    {0x18000000, 0x00000000, READS},        /* unallocated, SVE */
    {0x1c000000, 0x14000000, READS},        /* B.cond, indirect branches, exceptions, system */
    {0x1fe00000, 0x1a000000, READS},        /* ADC, SBC and kin */
    {0x1fe00000, 0x1a400000, READS},        /* CCMP, CCMN */
    {0x1fe00000, 0x1a800000, READS},        /* CSEL and kin */
    {0xff200c00, 0x1e200400, READS},        /* FCCMP */
    {0xff200c00, 0x1e200c00, READS},        /* FCSEL */
    {0xfffffc00, 0x1e7e0000, READS},        /* FJCVTZS */
};

/* Bits 28 to 24 of encodings that some row is for. */
static const uint32_t groups_of_rows =
    1u << 0x0a | 1u << 0x0b | 1u << 0x11 | 1u << 0x12 | 1u << 0x1a | 1u << 0x1e | 0xf00000u | 0xffu;

static enum effect effect_of(uint32_t raw)
{
    if (!(groups_of_rows >> (raw >> 24 & 31) & 1))
        return NONE;
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
        if ((raw & rows[i].mask) == rows[i].bits)
            return rows[i].effect;
    return NONE;
}

static bool executes(const struct lift_source *source, uint32_t raw)
{
    struct a64_insn in;
    return a64_decode_for(source->features, raw, &in) &&
           (!a64_uses_fp(&in) || source->context & LIFT_FP);
}

/* *left: instructions that may still be looked at. */
static bool dead_at(const struct lift_source *source, int64_t target, unsigned *left)
{
    while (target >= 0 && target < 4096 && *left > 0) {
        uint32_t raw = (uint32_t)load_le(source->page + target, 4);
        --*left;
        switch (effect_of(raw)) {
        case NONE:
            target += 4;
            break;
        case WRITES:
            return executes(source, raw);
        case READS:
            return false;
        case GOES:
            target += sign_extend(raw & 0x3ffffff, 26) * 4;
            break;
        case FORKS:
            if (!dead_at(source, target + sign_extend(raw >> 5 & 0x7ffff, 19) * 4, left))
                return false;
            target += 4;
            break;
        case FORKS_BY_BIT:
            if (!dead_at(source, target + sign_extend(raw >> 5 & 0x3fff, 14) * 4, left))
                return false;
            target += 4;
            break;
        }
    }
    return false;
}

void lift_mark_exits(const struct lift_source *source, struct ir_unit *unit, bool straight)
{
    bool written = !straight;
    for (unsigned i = 0; i < unit->count; i++) {
        struct ir_op *o = &unit->ops[i];
        const struct ir_op_info *info = &ir_op_info[o->op];
        unsigned left = INSNS_MAX;
        bool direct = info->attributes & IR_SIDE_EXIT || o->op == IR_JUMP;
        if (direct && written && dead_at(source, o->imm, &left))
            o->flags |= IR_FLAGS_DEAD_OUT;
        written |= info->writes_flags;
    }
}
