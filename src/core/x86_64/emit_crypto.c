/* emit_crypto.c: AES, SHA-1, SHA-256, PMULL and CRC32 on AES-NI, SHA-NI and PCLMULQDQ.
 *
 * Arm's AESE adds the key first and mixes no columns: AESENCLAST of the sum with a zero key. AESMC
 * is AESENC of what AESDECLAST undid; where it follows its AESE the lifter makes one AESENC of
 * both, and one pair of SHA256RNDS2 of SHA256H and SHA256H2. Both architectures' SHA instructions
 * do four rounds of SHA-1 and two to four of SHA-256, with the words in another order; x86 adds the
 * round constant of SHA-1 itself, so it is subtracted first. Without the host's instructions all of
 * it is the interpreter's: an S-box is 256 bytes, which takes sixteen shuffles and blends a round.
 */
#include "core/x86_64/emit_vec.h"

static void shuffle(struct emitter *e, unsigned d, unsigned a, unsigned order) /* vpshufd */
{
    vec_op_imm(e, (struct vec_code){1, 1, 0, 0x70}, d, X86_NO_SECOND, rm_reg(a), order);
}

static void pick(struct emitter *e, unsigned d, unsigned low, unsigned high, unsigned order)
{
    vec_op_imm(e, (struct vec_code){0, 1, 0, 0xc6}, d, low, rm_reg(high), order); /* vshufps */
}

/* SHA instructions have no VEX form: scratch registers alone. */
static void sha(struct emitter *e, unsigned opcode, unsigned d, unsigned a)
{
    x86_op(e->buf, 0, opcode, 4, d, rm_reg(a));
}

/* Register r as an operand of the instructions that have no EVEX form, or none without VAES and its
 * like (`has`): its own, or `scratch` with a copy. */
static unsigned low(struct emitter *e, unsigned v, unsigned scratch, bool has)
{
    struct x86_rm rm = vec_rm(e, v);
    if (rm.is_reg && (rm.base < 16 || has))
        return rm.base;
    vec_copy(e, scratch, v);
    return scratch;
}

/* A register for the result of such an instruction, then vec_done(). */
static unsigned low_dest(const struct emitter *e, unsigned v, bool has)
{
    unsigned d = vec_dest(e, v, 0);
    return d < 16 || has ? d : 0;
}

static void aes(struct emitter *e, const struct ir_op *o)
{
    static const struct {
        bool adds_key;
        uint8_t first, second; /* opcodes, with a zero key */
    } rows[] = {
        [IR_AESE] = {true, 0xdd, 0},      [IR_AESD] = {true, 0xdf, 0},
        [IR_AESE_MC] = {true, 0xdc, 0},   [IR_AESD_IMC] = {true, 0xde, 0},
        [IR_AESMC] = {false, 0xdf, 0xdc},
    };
    bool wide = vec_wide(e) && e->request->host->vaes;
    unsigned d = low_dest(e, o->d, wide), from = 0;
    if (o->sub == IR_AESIMC) { /* which VAES has not */
        d = low_dest(e, o->d, false);
        x86_vec(e->buf, 1, 2, 0, 0xdb, d, X86_NO_SECOND, rm_reg(low(e, o->a, 1, false)));
        vec_done(e, o->d, d);
        return;
    }
    if (rows[o->sub].adds_key)
        vec_op(e, vec_lanes[IR_V_EOR][0], 0, vec_use(e, o->d, 0), vec_rm(e, o->a));
    else
        from = low(e, o->a, 0, wide);
    vec_zero(e, 3);
    x86_vec(e->buf, 1, 2, 0, rows[o->sub].first, rows[o->sub].second ? 0 : d, from, rm_reg(3));
    if (rows[o->sub].second)
        x86_vec(e->buf, 1, 2, 0, rows[o->sub].second, d, 0, rm_reg(3));
    vec_done(e, o->d, d);
}

/* --- the state between rounds -------------------------------------------------------------------
 *
 * Arm has a to d of SHA-1, and a to d and e to h of SHA-256, from the lowest lane up; x86 (d c b
 * a), here in xmm1, and (f e b a), (h g d c), here in xmm3 and xmm2. Behind rounds these registers
 * are what the next ones begin with: putting the words in order anew would take a fifth of the
 * time.
 */
void sha_reorder(struct emitter *e, struct sha_state state)
{
    if (state.kind == SHA_1) {
        shuffle(e, 1, vec_use(e, state.abcd, 1), 0x1b);
        return;
    }
    unsigned abcd = vec_use(e, state.abcd, 1), efgh = vec_use(e, state.efgh, 2);
    pick(e, 3, efgh, abcd, 0x11);
    pick(e, 2, efgh, abcd, 0xbb);
}

/* The same before rounds, unless it is in order. */
static void sha_order(struct emitter *e, struct sha_state state)
{
    const struct sha_state *s = &e->sha;
    if (s->kind != state.kind || s->abcd != state.abcd || s->efgh != state.efgh)
        sha_reorder(e, state);
}

static bool in_register(struct emitter *e, unsigned v)
{
    return vec_rm(e, v).is_reg;
}

/* Of those that belong to the same kind; operands have registers. */
static bool crypto_leaves_state(const struct emitter *e, const struct ir_op *o)
{
    if (!e->request->host->sha)
        return false;
    if (e->sha.kind == SHA_1)
        return o->sub >= IR_SHA1C && o->sub <= IR_SHA1SU1;
    bool schedule = o->sub == IR_SHA256SU0 || o->sub == IR_SHA256SU1;
    return o->sub == IR_SHA256_BOTH || (schedule && vec_dest(e, o->d, 0) < 16);
}

/* Whether this op, one of those between rounds, leaves the state's registers alone. */
static bool leaves_state(struct emitter *e, const struct ir_op *o)
{
    switch (o->op) {
    case IR_INSN:
    case IR_ADD:
    case IR_SUB:
        return true;
    case IR_VLOADS:
        return o->sub == IR_CONSECUTIVE && o->size == 16;
    case IR_VEC3: /* sums with constants, and moves */
        return (o->sub == IR_V_ADD || o->sub == IR_V_ORR) && o->flags & IR_Q && !o->size &&
               in_register(e, o->a) && in_register(e, o->b) && in_register(e, o->d);
    case IR_CRYPTO:
        return crypto_leaves_state(e, o) && in_register(e, o->d) && in_register(e, o->a);
    default:
        return false;
    }
}

static bool writes(const struct ir_op *o, unsigned v)
{
    unsigned count = o->op == IR_VLOADS ? o->x : 1;
    bool rounds = o->op == IR_CRYPTO && (o->sub <= IR_SHA1M || o->sub == IR_SHA256_BOTH);
    return !rounds && (v - o->d) % 32 < count; /* those set the state themselves */
}

void sha_begin(struct emitter *e, const struct ir_op *o)
{
    const struct sha_state *s = &e->sha;
    bool vector = ir_op_info[o->op].operands[0] == 'D';
    if (!leaves_state(e, o) || (vector && (writes(o, s->abcd) || writes(o, s->efgh))))
        e->sha.kind = SHA_NONE;
}

/* x86 has A in the highest lane, here of xmm1, and wants E added to the first word. */
static void sha1_rounds(struct emitter *e, const struct ir_op *o)
{
    struct sha_state state = {SHA_1, o->d, o->d};
    vec_op(e, vec_lanes[IR_V_SUB][2], 2, vec_use(e, o->b, 2),
           vec_const(e, (enum vec_constant)(VEC_SHA1_C + (o->sub - IR_SHA1C)), 0));
    shuffle(e, 2, 2, 0x1b);
    x86_vec(e->buf, 1, 1, 0, 0x73, 7, 3, rm_reg(vec_use(e, o->a, 3))); /* vpslldq: E to the top */
    x86_byte(e->buf, 12);
    vec_lane(e, IR_V_ADD, 2, 2, 2, 3);
    sha_order(e, state);
    sha(e, 0x0f3acc, 1, 2); /* sha1rnds4 */
    x86_byte(e->buf, (uint8_t)(o->sub - IR_SHA1C));
    unsigned d = vec_dest(e, o->d, 0);
    shuffle(e, d, 1, 0x1b);
    vec_done(e, o->d, d);
    e->sha = state;
}

static void rotate_left_1(struct emitter *e, unsigned reg, unsigned scratch)
{
    vec_shift(e, VEC_SHR, 2, scratch, reg, 31);
    vec_shift(e, VEC_SHL, 2, reg, reg, 1);
    vec_lane(e, IR_V_ORR, 0, reg, reg, scratch);
}

/* The lowest word rotated. */
static void sha1_fixed_rotate(struct emitter *e, const struct ir_op *o)
{
    unsigned d = vec_dest(e, o->d, 0), a = vec_use(e, o->a, 2);
    if (vec_wide(e)) { /* vprold */
        x86_evex_lanes(e->buf, (struct x86_lanes){.k = VEC_SCALAR_MASK}, 1, 1, 0, 0x72, 1, d,
                       rm_reg(a));
        x86_byte(e->buf, 30);
    } else if (!e->request->host->bmi2) {
        vec_shift(e, VEC_SHL, 2, 0, a, 30);
        vec_shift(e, VEC_SHR, 2, 3, a, 2);
        vec_lane(e, IR_V_ORR, 0, 0, 0, 3);
        vec_set(e, o->d, 0, 4);
        return;
    } else {
        x86_vec(e->buf, 1, 1, 0, 0x7e, a, X86_NO_SECOND, rm_reg(RAX));
        x86_bmi2(e->buf, 3, 3, 4, 0xf0, RAX, X86_NO_SECOND, rm_reg(RAX)); /* rorx */
        x86_byte(e->buf, 2);
        x86_vec(e->buf, 1, 1, 0, 0x6e, d, X86_NO_SECOND, rm_reg(RAX));
    }
    vec_done(e, o->d, d);
}

static void sha1_schedule(struct emitter *e, const struct ir_op *o)
{
    unsigned out = vec_dest(e, o->d, 0), d = vec_use(e, o->d, 1), a = vec_use(e, o->a, 2);
    if (o->sub == IR_SHA1SU0) { /* d ^ b ^ the middle of a:d */
        vec_op_imm(e, (struct vec_code){1, 3, 0, 0x0f}, 0, a, rm_reg(d), 8);
        vec_lane(e, IR_V_EOR, 0, 0, 0, d);
        vec_lane(e, IR_V_EOR, 0, out, 0, vec_use(e, o->b, 3));
    } else if (e->request->host->sha) { /* sha1msg2, whose words run from the highest lane down */
        shuffle(e, 3, d, 0x1b);
        shuffle(e, 2, a, 0x1b);
        sha(e, 0x0f38ca, 3, 2);
        shuffle(e, out, 3, 0x1b);
    } else { /* SU1: the last word also takes the first new one */
        vec_shift_bytes(e, 0, a, 4);
        vec_lane(e, IR_V_EOR, 0, 0, 0, d);
        rotate_left_1(e, 0, 3);
        x86_vec(e->buf, 1, 1, 0, 0x73, 7, 1, rm_reg(0)); /* vpslldq */
        x86_byte(e->buf, 12);
        rotate_left_1(e, 1, 3);
        vec_lane(e, IR_V_EOR, 0, out, 0, 1);
    }
    vec_done(e, o->d, out);
}

/* Two rounds for each of x86's instructions, after which the words' names have moved on by two. */
static void sha256_rounds(struct emitter *e, const struct ir_op *o)
{
    bool second = o->sub == IR_SHA256H2, both = o->sub == IR_SHA256_BOTH;
    struct sha_state state = {SHA_256, second ? o->a : o->d, second ? o->d : o->a};
    sha_order(e, state);
    unsigned out = vec_dest(e, o->d, 0);
    vec_copy(e, 0, o->b);
    sha(e, 0x0f38cb, 2, 3); /* sha256rnds2, with xmm0 */
    shuffle(e, 0, 0, 0x0e);
    sha(e, 0x0f38cb, 3, 2);
    if (both) {
        unsigned rest = vec_dest(e, o->a, 1);
        pick(e, rest, 3, 2, 0x11);
        vec_done(e, o->a, rest);
    }
    pick(e, out, 3, 2, second ? 0x11 : 0xbb);
    vec_done(e, o->d, out);
    if (both)
        e->sha = state;
}

static void sha256_schedule(struct emitter *e, const struct ir_op *o)
{
    unsigned d = low(e, o->d, 0, false),
             last = low(e, o->sub == IR_SHA256SU0 ? o->a : o->b, 1, false);
    if (o->sub == IR_SHA256SU0) {
        sha(e, 0x0f38cc, d, last); /* sha256msg1 */
    } else {
        if (last == d)
            vec_copy_reg(e, 1, last);
        last = last == d ? 1 : last;
        unsigned sum = d ? 0 : 2;
        vec_op_imm(e, (struct vec_code){1, 3, 0, 0x0f}, sum, last, vec_rm(e, o->a),
                   4); /* vpalignr */
        vec_lane(e, IR_V_ADD, 2, d, sum, d);
        sha(e, 0x0f38cd, d, last); /* sha256msg2 */
    }
    vec_done(e, o->d, d);
}

/* What the first of two instructions in one op left to the interpreter, the other one. */
static void interpret_second(struct emitter *e, const struct ir_op *o)
{
    if (o->sub == IR_SHA256_BOTH)
        e->raw = 0x5e005000u | (uint32_t)o->b << 16 | (uint32_t)o->c << 5 | o->a;
    else
        e->raw = (o->sub == IR_AESE_MC ? 0x4e286800u : 0x4e287800u) | o->d * 33u;
    emit_INTERPRET(e, o);
}

void emit_CRYPTO(struct emitter *e, const struct ir_op *o)
{
    const struct hostcpu *host = e->request->host;
    if (o->sub == IR_PMULL_1Q && host->pclmul) {
        bool wide = vec_wide(e) && host->vpclmul;
        unsigned d = low_dest(e, o->d, wide), a = low(e, o->a, 1, wide), b = low(e, o->b, 2, wide);
        vec_op_imm(e, (struct vec_code){1, 3, 0, 0x44}, d, a, rm_reg(b),
                   o->flags & IR_Q ? 0x11 : 0);
        vec_done(e, o->d, d);
    } else if (o->sub <= IR_AESIMC && host->aes) {
        aes(e, o);
    } else if (o->sub >= IR_SHA1C && o->sub <= IR_SHA1M && host->sha) {
        sha1_rounds(e, o);
    } else if (o->sub == IR_SHA1H) {
        sha1_fixed_rotate(e, o);
    } else if (o->sub >= IR_SHA1SU0 && o->sub <= IR_SHA1SU1) {
        sha1_schedule(e, o);
    } else if (o->sub >= IR_SHA256H && o->sub <= IR_SHA256_BOTH && host->sha) {
        sha256_rounds(e, o);
    } else if (o->sub >= IR_SHA256SU0 && o->sub <= IR_SHA256SU1 && host->sha) {
        sha256_schedule(e, o);
    } else {
        emit_INTERPRET(e, o);
        if (o->sub == IR_AESE_MC || o->sub == IR_AESD_IMC || o->sub == IR_SHA256_BOTH)
            interpret_second(e, o);
    }
}

/* The polynomial that x86's CRC32 does not do, by Barrett's reduction: with x the sum and the data,
 * q = x * floor(X^96 / P), remainder = q * P, all bit-reflected. */
void emit_CRC32P(struct emitter *e, const struct ir_op *o)
{
    static const struct vec_code multiply = {1, 3, 0, 0x44};
    struct x86_buf *b = e->buf;
    if (!e->request->host->pclmul) {
        emit_INTERPRET(e, o);
        return;
    }
    flags_clobber(e);
    unsigned sum = use_reg(e, o->a, RCX, 4), bits = o->size * 8u;
    if (o->b == IR_ZERO)
        x86_movi(b, RAX, 0);
    else
        x86_zext(b, o->size, RAX, loc(e, o->b));
    x86_load(b, 4, RDX, rm_reg(sum));
    x86_alu(b, ALU_XOR, 8, RAX, rm_reg(RDX));
    if (bits < 64)
        x86_shift_imm(b, SH_SHL, 8, rm_reg(RAX), 64 - bits);
    x86_vec(b, 1, 1, 1, 0x6e, 0, X86_NO_SECOND, rm_reg(RAX));
    vec_op_imm(e, multiply, 0, 0, vec_const(e, VEC_CRC32, 1), 0x00);
    vec_op_imm(e, multiply, 0, 0, vec_const(e, VEC_CRC32, 1), 0x10);
    vec_op_imm(e, (struct vec_code){1, 3, 0, 0x16}, 0, X86_NO_SECOND, rm_reg(RAX), 2); /* vpextrd */
    if (bits < 32) {
        x86_shift_imm(b, SH_SHR, 4, rm_reg(RDX), bits);
        x86_alu(b, ALU_XOR, 4, RAX, rm_reg(RDX));
    }
    set_done(e, o->d, RAX);
}
