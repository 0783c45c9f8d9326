/* generate.c: random instructions whose effect every engine and oracle must agree on.
 *
 * A word is the pattern's fixed bits and noise, drawn again until the decoder takes it and the
 * manual calls it predictable. Then its surroundings are made: a branch gets an offset to a landing
 * pad or into the vector, a memory access a base register that makes it hit the scratch page (DDI
 * 0487 C4.1 gives the encoding classes by which that is told here; the fields are those of
 * a64.isa). Register values are chosen where instructions differ: boundaries of each width, every
 * class of floating-point number in each lane width, and equal values in several registers.
 *
 * Sequences keep x20 to x23 and sp as bases, x24 and x25 as small offsets and x26 as a code
 * address; no instruction of a sequence writes them but by base writeback.
 */
#include "generate.h"

#include <stddef.h>
#include <string.h>

#include "base/bytes.h"

enum {
    BASE_FIRST = 20,
    BASE_COUNT = 4,
    ALIGNED_BASES = 2, /* never moved, so that ordered accesses stay aligned */
    OFFSET_FIRST = 24,
    OFFSET_COUNT = 2,
    CODE_REGISTER = 26,
    RESERVED_LAST = CODE_REGISTER,
    TRIES_MAX = 2000,
    REACH_MAX = 512, /* largest offset that a sequence's access adds to its base */
};

static uint64_t below(uint64_t *random, uint64_t limit)
{
    return vector_random(random) % limit;
}

/* --- classes of encodings ----------------------------------------------------------------------
 */

static bool is_memory(uint32_t w)
{
    return (w & 0x0a000000) == 0x08000000;
}

static bool is_literal(uint32_t w)
{
    return (w & 0x3b000000) == 0x18000000;
}

static bool is_exclusive_class(uint32_t w) /* exclusives, acquire/release, CAS */
{
    return (w & 0x3f000000) == 0x08000000;
}

static bool is_exclusive(uint32_t w) /* exclusives alone */
{
    return is_exclusive_class(w) && !(w & 1u << 23) && ((w & 1u << 21) == 0 || (w & 1u << 31));
}

static bool is_atomic(uint32_t w)
{
    return (w & 0x3b200c00) == 0x38200000;
}

static bool is_unsigned_immediate(uint32_t w)
{
    return (w & 0x3b000000) == 0x39000000;
}

static bool is_register_offset(uint32_t w)
{
    return (w & 0x3b200c00) == 0x38200800;
}

static bool is_pair(uint32_t w)
{
    return (w & 0x3a000000) == 0x28000000;
}

static bool is_structure_post(uint32_t w)
{
    return (w & 0xbe800000) == 0x0c800000;
}

static bool is_vector(uint32_t w) /* for the forms that have both: bit 26, V */
{
    return w >> 26 & 1;
}

static bool writes_back(uint32_t w)
{
    if (is_pair(w))
        return (w >> 23 & 3) == 1 || (w >> 23 & 3) == 3;
    return (w & 0x3b200400) == 0x38000400 || is_structure_post(w);
}

static bool is_branch_class(uint32_t w)
{
    return (w & 0x1c000000) == 0x14000000 && (w & 0xff000000) != 0xd5000000;
}

static bool is_branch_register(uint32_t w)
{
    return (w & 0xff000000) == 0xd6000000 && (w & 0xffff0000) != 0xd69f0000; /* not ERET */
}

/* Which registers an instruction names; without telling what each is for. */
static unsigned rd(uint32_t w)
{
    return w & 31;
}

static unsigned rn(uint32_t w)
{
    return w >> 5 & 31;
}

static unsigned rm(uint32_t w)
{
    return w >> 16 & 31;
}

static unsigned ra(uint32_t w)
{
    return w >> 10 & 31;
}

static uint32_t with(uint32_t w, unsigned at, unsigned width, uint32_t value)
{
    uint32_t mask = (width < 32 ? (1u << width) - 1 : ~0u) << at;
    return (w & ~mask) | (value << at & mask);
}

static bool
may_write_sp(uint32_t w) /* data processing with an immediate, or an extended register */
{
    return (w & 0x1c000000) == 0x10000000 || (w & 0x1f200000) == 0x0b200000;
}

/* CONSTRAINED UNPREDICTABLE forms (DDI 0487 K1.2): what happens is anybody's choice. */
static bool is_unpredictable(uint32_t w)
{
    if (!is_memory(w))
        return false;
    bool pair = is_pair(w), load = w >> 22 & 1;
    if (writes_back(w) && !is_vector(w) && rn(w) != 31 &&
        (rd(w) == rn(w) || (pair && ra(w) == rn(w))))
        return true;
    if (pair && load && rd(w) == ra(w))
        return true;
    if (is_exclusive(w)) {
        bool two = w >> 21 & 1;
        if (load)
            return two && rd(w) == ra(w);
        return rm(w) == rd(w) || (rm(w) == rn(w) && rn(w) != 31) || (two && rm(w) == ra(w));
    }
    return false;
}

/* Bits that the manual writes in parentheses: should be one, or should be zero. */
static uint32_t settle_should_be(uint32_t w)
{
    if (is_exclusive_class(w) && !(w >> 21 & 1)) { /* one register: Rt2 is (11111) */
        w |= 31 << 10;
        if (w >> 22 & 1 || w >> 23 & 1)
            w |= 31 << 16;
    } else if (is_exclusive(w) && w >> 22 & 1) {
        w |= 31 << 16;
    }
    if ((w & 0xff20fc07) == 0x1e202000 && w >> 3 & 1) /* FCMP with zero: Rm is (00000) */
        w &= ~(31u << 16);
    if ((w & 0xfffff01f) == 0xd503301f) /* barriers: CLREX and ISB have CRm (1111) */
        w |= 15 << 8;
    return w;
}

/* System registers that EL0 has and whose value is the same everywhere: NZCV, FPCR, FPSR. */
static uint32_t choose_sysreg(uint64_t *random, uint32_t w)
{
    static const uint16_t keys[] = {0xda10, 0xda20, 0xda21};
    if ((w & 0xffd00000) != 0xd5100000)
        return w;
    return with(w, 5, 16, keys[below(random, ARRAY_SIZE(keys))]);
}

/* SYS: cache maintenance by address that EL0 may do; it changes nothing here. */
static uint32_t choose_sys(uint64_t *random, uint32_t w)
{
    static const uint16_t keys[] = {
        3 << 11 | 7 << 7 | 10 << 3 | 1, /* DC CVAC */
        3 << 11 | 7 << 7 | 11 << 3 | 1, /* DC CVAU */
        3 << 11 | 7 << 7 | 14 << 3 | 1, /* DC CIVAC */
        3 << 11 | 7 << 7 | 5 << 3 | 1,  /* IC IVAU */
    };
    if ((w & 0xfff80000) != 0xd5080000)
        return w;
    return with(w, 5, 14, keys[below(random, ARRAY_SIZE(keys))]);
}

static bool choose_word(uint64_t *random, const struct a64_pattern *p, uint32_t *ret)
{
    for (unsigned i = 0; i < TRIES_MAX; i++) {
        uint32_t w = (uint32_t)vector_random(random);
        /* Fields of all zeroes and all ones now and then. */
        if (below(random, 16) == 0)
            w &= (uint32_t)vector_random(random) & (uint32_t)vector_random(random);
        w = (w & ~p->mask) | p->value;
        w = choose_sys(random, choose_sysreg(random, settle_should_be(w)));
        struct a64_insn in;
        if ((w & p->mask) == p->value && !is_unpredictable(w) && a64_decode(w, &in) &&
            in.op == p->op) {
            *ret = w;
            return true;
        }
    }
    return false;
}

/* --- values ------------------------------------------------------------------------------------
 */

static uint64_t integer_value(uint64_t *random)
{
    uint64_t r = vector_random(random);
    unsigned bit = r >> 8 & 63;
    switch (r & 15) {
    case 0:
        return 0;
    case 1:
        return ~0ull;
    case 2:
        return 1ull << bit;
    case 3:
        return (1ull << bit) - 1;
    case 4:
        return (1ull << bit) + 1;
    case 5:
        return -(1ull << bit);
    case 6:
        return r >> 14 & 127; /* a small number */
    case 7:
        return -(r >> 14 & 127);
    case 8:
        return (uint32_t)vector_random(random);
    case 9:
        return r >> 8 & 1 ? 0x7fffffffffffffff : 0x7fffffff;
    default:
        return vector_random(random);
    }
}

/* A number of a class, by the sizes of its exponent and fraction. */
static uint64_t float_value(uint64_t *random, unsigned exponent_bits, unsigned fraction_bits)
{
    uint64_t r = vector_random(random), sign = r >> 63;
    uint64_t fraction = vector_random(random) & ((1ull << fraction_bits) - 1);
    uint64_t top = (1ull << exponent_bits) - 1, bias = top >> 1, exponent;
    if (r >> 8 & 1) /* few bits set: halfway cases, powers of two, exact results */
        fraction = (r >> 9 & 7) << (fraction_bits - 3) | (r >> 12 & 1);
    switch (r & 15) {
    case 0:
        exponent = 0, fraction = 0;
        break;
    case 1:
    case 2:
        exponent = 0; /* denormal */
        break;
    case 3:
        exponent = top, fraction = 0;
        break;
    case 4:
        exponent = top, fraction |= 1ull << (fraction_bits - 1); /* quiet NaN with a payload */
        break;
    case 5:
        exponent = top, fraction = (fraction & ((1ull << (fraction_bits - 1)) - 1)) | 1;
        break;
    case 6:
        exponent = 1 + (r >> 20 & 3); /* close to the smallest */
        break;
    case 7:
        exponent = top - 1 - (r >> 20 & 1); /* close to the largest */
        break;
    case 8:
    case 9:
    case 10:
        exponent = bias + (r >> 20) % (fraction_bits + 2); /* integers and halves */
        break;
    case 11:
    case 12:
        exponent = bias - 2 + (r >> 20 & 3); /* around one */
        break;
    default:
        exponent = (r >> 20) & top;
        break;
    }
    return sign << (exponent_bits + fraction_bits) | exponent << fraction_bits | fraction;
}

static uint64_t repeat(uint64_t *random, unsigned lane_bits, unsigned exponent_bits)
{
    uint64_t v = 0, same = below(random, 4) == 0, lane = 0;
    for (unsigned at = 0; at < 64; at += lane_bits) {
        if (at == 0 || !same)
            lane = exponent_bits
                       ? float_value(random, exponent_bits, lane_bits - exponent_bits - 1)
                       : integer_value(random) & (lane_bits < 64 ? (1ull << lane_bits) - 1 : ~0ull);
        v |= lane << at;
    }
    return v;
}

static uint64_t vector_half(uint64_t *random, unsigned kind)
{
    static const struct {
        uint8_t lane_bits, exponent_bits;
    } kinds[] = {{16, 5}, {32, 8}, {64, 11}, {32, 8}, {64, 11}, {8, 0}, {16, 0}, {32, 0}, {64, 0}};
    kind = kind < ARRAY_SIZE(kinds) ? kind : (unsigned)below(random, ARRAY_SIZE(kinds));
    return repeat(random, kinds[kind].lane_bits, kinds[kind].exponent_bits);
}

static void choose_state(uint64_t *random, struct vector_state *s)
{
    memset(s, 0, sizeof *s);
    for (unsigned i = 0; i < 31; i++)
        s->x[i] = i && below(random, 8) == 0 ? s->x[below(random, i)] : integer_value(random);
    s->sp = align_down(integer_value(random), 16);
    unsigned kind = (unsigned)below(random, 12); /* mostly one kind of lane in all registers */
    for (unsigned i = 0; i < 32; i++)
        for (unsigned half = 0; half < 2; half++)
            s->v[i][half] = i && below(random, 8) == 0 ? s->v[below(random, i)][half]
                                                       : vector_half(random, kind);
    uint64_t r = vector_random(random);
    s->nzcv = r & 0xf0000000;
    if (r & 1) /* AHP, DN, FZ, RMode, FZ16; or RMode alone */
        s->fpcr = vector_random(random) & (r & 4 ? 0x07c80000 : 0x00c00000);
    if (r & 2)
        s->fpsr = vector_random(random) & 0x0800009f;
}

/* --- memory ------------------------------------------------------------------------------------
 */

static unsigned access_shift(uint32_t w) /* scale of an unsigned or register offset */
{
    bool quad = is_vector(w) && w >> 30 == 0 && w >> 23 & 1;
    return quad ? 4 : w >> 30;
}

/* What x[m] must be so that it adds `offset`, which is a multiple of the scale where it is scaled.
 */
static uint64_t offset_register(uint64_t *random, uint32_t w, int64_t offset)
{
    uint64_t v = (uint64_t)(w >> 12 & 1 ? offset >> access_shift(w) : offset);
    unsigned option = w >> 13 & 7;
    if (option == 2 || option == 6) /* UXTW, SXTW: whatever is above bit 31 does not count */
        v = (v & 0xffffffff) | vector_random(random) << 32;
    return v;
}

/* Makes `w` access scratch + at; false where its registers leave no way. */
static bool aim(uint64_t *random, uint32_t w, uint64_t at, struct vector_state *s)
{
    uint64_t target = VECTOR_SCRATCH_BASE + at, base = target;
    if (is_unsigned_immediate(w)) {
        base -= (uint64_t)(w >> 10 & 4095) << access_shift(w);
    } else if (is_register_offset(w)) {
        int64_t offset = (int64_t)below(random, 1024) * 16;
        if (rm(w) == rn(w))
            return false;
        if ((w >> 13 & 3) == 2 && !(w >> 15 & 1)) { /* UXTW: not negative */
        } else if (below(random, 2)) {
            offset = -offset;
        }
        if (rm(w) == 31)
            offset = 0;
        else
            s->x[rm(w)] = offset_register(random, w, offset);
        base -= (uint64_t)offset;
    } else if (is_structure_post(w) && rm(w) != 31 && rm(w) == rn(w)) {
        return false; /* defined, but the base is its own offset: covered with other registers */
    }
    if (rn(w) == 31)
        s->sp = align_down(base, 16);
    else
        s->x[rn(w)] = base;
    return true;
}

/* For compare-and-swap: half of the time what memory holds. */
static void expect_memory(uint64_t *random, uint32_t w, uint64_t at, uint64_t scratch_seed,
                          struct vector_state *s)
{
    uint8_t scratch[SCRATCH_BYTES];
    bool cas = is_exclusive_class(w) && (w & 0x00207c00) == 0x00207c00;
    if (!cas || rm(w) == 31 || below(random, 2))
        return;
    vector_fill_scratch(scratch_seed, scratch);
    bool pair = !(w >> 23 & 1), wide = w >> 30 & 1;
    if (!pair) {
        s->x[rm(w)] = load_le(scratch + at, 8);
        return;
    }
    s->x[rm(w)] = load_le(scratch + at, wide ? 8 : 4);
    if (rm(w) < 30)
        s->x[rm(w) + 1] = load_le(scratch + at + (wide ? 8 : 4), wide ? 8 : 4);
}

/* --- one instruction ---------------------------------------------------------------------------
 */

/* Sets a direct branch's offset to `words` (B, BL: imm26; B.cond, CBZ: imm19; TBZ: imm14). */
static uint32_t with_branch_offset(uint32_t w, int32_t words)
{
    if ((w & 0x7c000000) == 0x14000000)
        return with(w, 0, 26, (uint32_t)words);
    if ((w & 0x7e000000) == 0x36000000)
        return with(w, 5, 14, (uint32_t)words);
    return with(w, 5, 19, (uint32_t)words);
}

static bool is_direct_branch(uint32_t w)
{
    return is_branch_class(w) && (w & 0xfe000000) != 0xd6000000 && (w & 0xff000000) != 0xd4000000;
}

static uint64_t slot_address(unsigned slot, unsigned word)
{
    return VECTOR_CODE_BASE + (uint64_t)slot * SLOT_BYTES + word * 4;
}

static uint32_t with_literal(uint32_t w, uint64_t pc, uint64_t target)
{
    return with(w, 5, 19, (uint32_t)((int64_t)(target - pc) >> 2));
}

bool generate_single(uint64_t *random, const struct a64_pattern *p, unsigned slot,
                     struct vector *ret)
{
    for (unsigned i = 0; i < TRIES_MAX; i++) {
        uint32_t w;
        if (!choose_word(random, p, &w))
            return false;
        choose_state(random, &ret->in);
        ret->scratch_seed = vector_random(random);
        ret->slot = slot;
        ret->count = 1;
        /* The first three words are the oracle's way in. */
        unsigned word = 3 + (unsigned)below(random, SLOT_WORDS - 3);
        uint64_t at = 1024 + below(random, 2048);
        if (is_exclusive_class(w) || is_atomic(w) || below(random, 2))
            at = align_down(at, 16);
        if (is_literal(w)) {
            w = with_literal(w, slot_address(slot, SLOT_START), VECTOR_SCRATCH_BASE + at);
        } else if (is_memory(w)) {
            if (!aim(random, w, at, &ret->in))
                continue;
            expect_memory(random, w, at, ret->scratch_seed, &ret->in);
        } else if (is_branch_register(w)) {
            if (rn(w) == 31 || word == SLOT_START)
                continue;
            ret->in.x[rn(w)] = slot_address(slot, word);
        } else if (is_direct_branch(w)) {
            if (word == SLOT_START)
                continue;
            w = with_branch_offset(w, (int32_t)word - SLOT_START);
        } else if ((w & 0xfff80000) == 0xd5080000) {
            if (rd(w) == 31)
                continue;
            ret->in.x[rd(w)] = VECTOR_SCRATCH_BASE + at;
        }
        if ((w & 0xfffffc00) == 0x1e7e0000) /* FJCVTZS; see known_differences */
            ret->in.fpcr &= ~(1ull << 24);
        ret->insn[0] = w;
        return (w & p->mask) == p->value;
    }
    return false;
}

void generate_word(uint64_t *random, unsigned slot, struct vector *ret)
{
    choose_state(random, &ret->in);
    ret->scratch_seed = vector_random(random);
    ret->slot = slot;
    ret->count = 1;
    ret->insn[0] = (uint32_t)vector_random(random);
    ret->in.sp = 0;
    for (unsigned i = 0; i < 31; i++)
        ret->in.x[i] = 16 * i;
}

/* --- sequences ---------------------------------------------------------------------------------
 */

static bool is_reserved(unsigned r)
{
    return r >= BASE_FIRST && r <= RESERVED_LAST;
}

/* Puts the sequence's own registers where a memory instruction has its address. */
static uint32_t settle_memory(uint64_t *random, uint32_t w)
{
    bool ordered = is_exclusive_class(w) || is_atomic(w);
    unsigned base = BASE_FIRST + (unsigned)below(random, ordered ? ALIGNED_BASES : BASE_COUNT + 1);
    if (writes_back(w) && base < BASE_FIRST + ALIGNED_BASES)
        base += ALIGNED_BASES;
    w = with(w, 5, 5, base == BASE_FIRST + BASE_COUNT ? 31 : base);
    if (is_unsigned_immediate(w))
        w = with(w, 10, 12, (uint32_t)below(random, REACH_MAX >> access_shift(w)));
    if (is_register_offset(w) || (is_structure_post(w) && rm(w) != 31))
        w = with(w, 16, 5, OFFSET_FIRST + (uint32_t)below(random, OFFSET_COUNT));
    return w;
}

/* One instruction for place `at` of `count`, or 0: try another pattern. */
static uint32_t sequence_insn(uint64_t *random, const struct a64_pattern *p, unsigned slot,
                              unsigned at, unsigned count)
{
    uint32_t w;
    if (!choose_word(random, p, &w))
        return 0;
    if (is_literal(w))
        w = with_literal(w, slot_address(slot, SLOT_START + at),
                         VECTOR_SCRATCH_BASE + align_down(below(random, 4080), 4));
    else if (is_memory(w))
        w = settle_memory(random, w);
    else if (is_branch_register(w))
        w = at < count / 2 ? with(w, 5, 5, CODE_REGISTER) : 0;
    else if (is_direct_branch(w))
        w = with_branch_offset(w, (int32_t)(1 + below(random, count - at)));
    struct a64_insn in;
    bool same = (w & p->mask) == p->value && a64_decode(w, &in) && in.op == p->op;
    if (!same || is_unpredictable(w) || is_exclusive(w) || (w & 0xfff80000) == 0xd5080000)
        return 0;
    bool address_is_safe = is_memory(w) && !is_literal(w);
    if (!is_direct_branch(w) && is_reserved(rd(w)))
        return 0;
    if (rd(w) == 31 && may_write_sp(w))
        return 0;
    /* What AArch32 has in FPCR and FPSR would come back from the oracles in an X register. */
    if ((w & 0xffffffe0) == 0xd51b4420 || (w & 0xffffffe0) == 0xd53b4400)
        return 0;
    if (address_is_safe && ((is_pair(w) && is_reserved(ra(w))) ||
                            ((is_exclusive_class(w) || is_atomic(w)) && is_reserved(rm(w)))))
        return 0;
    return w;
}

/* LDXR and STXR of one size and base, nothing between them. */
static unsigned exclusive_pair(uint64_t *random, uint32_t *out)
{
    uint32_t size = (uint32_t)below(random, 4),
             base = BASE_FIRST + (uint32_t)below(random, ALIGNED_BASES);
    uint32_t common = 0x08007c00u | size << 30 | base << 5;
    uint32_t order = (uint32_t)below(random, 2) << 15;
    out[0] = common | 0x005f0000u | order | (uint32_t)below(random, 8);
    out[1] = common | (8 + (uint32_t)below(random, 4)) << 16 | order | (uint32_t)below(random, 8);
    return 2;
}

/* RBIT and CLZ, of one register more often than not: trailing zeros. */
static unsigned zeros_group(uint64_t *random, uint32_t *out)
{
    uint32_t type = (uint32_t)below(random, 2) << 31, d = (uint32_t)below(random, 8);
    out[0] = 0x5ac00000u | type | (uint32_t)below(random, 10) << 5 | d;
    out[1] = 0x5ac01000u | type | d << 5 | (below(random, 4) ? d : (uint32_t)below(random, 10));
    if (below(random, 4) == 0)
        out[1] ^= 1u << 31;
    return 2;
}

/* What the translator makes one of: MOV, SHA256H and SHA256H2 of the same registers, or of such as
 * only look like it; AESE and AESMC, AESD and AESIMC. */
static unsigned crypto_group(uint64_t *random, uint32_t *out)
{
    uint32_t a = (uint32_t)below(random, 20), b = (uint32_t)below(random, 4);
    uint32_t c = 4 + (uint32_t)below(random, 2), w = 5 + (uint32_t)below(random, 12);
    if (below(random, 3) == 0) {
        uint32_t decrypt = (uint32_t)below(random, 2) << 12;
        out[0] = 0x4e284800u | decrypt | w << 5 | a;
        out[1] = 0x4e286800u | decrypt | a << 5 | a;
        return 2;
    }
    out[0] = 0x4ea01c00u | a << 16 | a << 5 | c; /* mov */
    out[1] = 0x5e004000u | w << 16 | b << 5 | a; /* sha256h */
    if (below(random, 8) == 0)
        c = (uint32_t)below(random, 8);
    out[2] = 0x5e005000u | w << 16 | c << 5 | b; /* sha256h2 */
    return 3;
}

/* Rounds of SHA-1 or SHA-256 on the same state, with other instructions between, some of which
 * write it: what the translator keeps from one to the next. */
static unsigned hash_group(uint64_t *random, uint32_t *out)
{
    static const uint32_t between[] = {
        0x5e282800, /* sha256su0 */
        0x5e006000, /* sha256su1 */
        0x5e281800, /* sha1su1 */
        0x5e280800, /* sha1h */
        0x5e003000, /* sha1su0 */
        0x4ea08400, /* add */
        0x4ea01c00, /* orr */
        0x4e20d400, /* fadd, by which nothing is kept */
    };
    bool sha1 = below(random, 2);
    uint32_t a = (uint32_t)below(random, 16), b = (a + 1 + (uint32_t)below(random, 8)) % 32;
    unsigned count = 0;
    for (unsigned round = 0; round < 3; round++) {
        uint32_t w = (b + 2 + (uint32_t)below(random, 8)) % 32, c = (b + 1) % 32;
        if (sha1) {
            uint32_t kind = (uint32_t)below(random, 3) << 12;
            out[count++] = 0x5e000000u | kind | w << 16 | b << 5 | a;
        } else {
            out[count++] = 0x4ea01c00u | a << 16 | a << 5 | c;
            out[count++] = 0x5e004000u | w << 16 | b << 5 | a;
            out[count++] = 0x5e005000u | w << 16 | c << 5 | b;
        }
        uint32_t insn = between[below(random, ARRAY_SIZE(between))];
        bool three = !(insn >> 21 & 1) || insn >> 24 == 0x4e;
        uint32_t m = three ? (uint32_t)below(random, 32) << 16 : 0;
        out[count++] = insn | m | (uint32_t)below(random, 32) << 5 | (uint32_t)below(random, 32);
    }
    return count;
}

/* CMP, CCMP or CCMN and a branch that alone reads their flags: over an instruction to a CMP. */
static unsigned branch_group(uint64_t *random, uint32_t *out)
{
    uint32_t type = (uint32_t)below(random, 2) << 31, a = (uint32_t)below(random, 8);
    uint32_t b = (uint32_t)below(random, 8), any = (uint32_t)below(random, 1 << 20);
    out[0] = 0x6b00001fu | type | b << 16 | a << 5;
    out[1] = 0x3a400000u | type | (any & 1) << 30 | (any >> 1 & 1) << 11 | b << 16 | a << 5 |
             (any >> 3 & 15) << 12 | (any >> 7 & 15);
    out[2] = 0x54000040u | (any >> 11 & 15);
    out[3] = 0x91000400u | a << 5 | a;
    out[4] = 0x6b00001fu | type | a << 16 | b << 5;
    return 5;
}

/* FCMP, FCCMP, a CSEL or FCSEL by what they leave, and CMP, so that nobody else can read it. */
static unsigned comparison_group(uint64_t *random, uint32_t *out)
{
    uint32_t type = (uint32_t)below(random, 2) << 22, other = (uint32_t)below(random, 2);
    uint32_t a = (uint32_t)below(random, 8), b = (uint32_t)below(random, 8);
    uint32_t any = (uint32_t)below(random, 1 << 20);
    out[0] = 0x1e202000u | type | b << 16 | a << 5 | (any & 1) << 4;
    out[1] = 0x1e200400u | type | (any >> 1 & 7) << 16 | (any >> 4 & 15) << 12 | b << 5 |
             (any >> 8 & 31 & ~15u) | (any >> 9 & 15);
    out[2] = (other ? 0x9a800000u : 0x1e200c00u | type) | a << 16 | (any >> 13 & 15) << 12 | b << 5;
    out[3] = 0xeb00001fu | b << 16 | a << 5;
    return 4;
}

void generate_sequence(uint64_t *random, const struct a64_pattern *const *patterns,
                       unsigned pattern_count, unsigned slot, struct vector *ret)
{
    choose_state(random, &ret->in);
    ret->scratch_seed = vector_random(random);
    ret->slot = slot;
    unsigned count = 5 + (unsigned)below(random, 26), at = 0;
    /* Few patterns a sequence, so that the same instruction meets itself and its flags' readers. */
    const struct a64_pattern *few[12];
    for (unsigned i = 0; i < ARRAY_SIZE(few); i++)
        few[i] = patterns[below(random, pattern_count)];
    while (at < count) {
        if (at + 2 <= count && below(random, 24) == 0) {
            at += exclusive_pair(random, &ret->insn[at]);
            continue;
        }
        if (at + 3 <= count && below(random, 24) == 0) {
            at += crypto_group(random, &ret->insn[at]);
            continue;
        }
        if (at + 5 <= count && below(random, 16) == 0) {
            at += branch_group(random, &ret->insn[at]);
            continue;
        }
        if (at + 2 <= count && below(random, 24) == 0) {
            at += zeros_group(random, &ret->insn[at]);
            continue;
        }
        if (at + 12 <= count && below(random, 24) == 0) {
            at += hash_group(random, &ret->insn[at]);
            continue;
        }
        if (at + 4 <= count && below(random, 16) == 0) {
            at += comparison_group(random, &ret->insn[at]);
            continue;
        }
        const struct a64_pattern *p = below(random, 3) ? few[below(random, ARRAY_SIZE(few))]
                                                       : patterns[below(random, pattern_count)];
        uint32_t w = sequence_insn(random, p, slot, at, count);
        if (w)
            ret->insn[at++] = w;
    }
    ret->count = count;
    for (unsigned i = 0; i < BASE_COUNT; i++)
        ret->in.x[BASE_FIRST + i] = VECTOR_SCRATCH_BASE + 1024 + below(random, 128) * 16;
    ret->in.sp = VECTOR_SCRATCH_BASE + 1024 + below(random, 128) * 16;
    for (unsigned i = 0; i < OFFSET_COUNT; i++)
        ret->in.x[OFFSET_FIRST + i] = below(random, 32);
    ret->in.x[CODE_REGISTER] = slot_address(slot, SLOT_START + count / 2 + 1);
}
