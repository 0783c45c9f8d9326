/* lift_crypto.c: AES, SHA-1, SHA-256 and the 64-bit polynomial multiplication (DDI 0487 C4.1.90).
 */
#include "core/translator/lift_int.h"

#include "base/bytes.h"

/* clang-format off */
static const struct {
    uint16_t guest;
    uint8_t sub; /* enum ir_crypto */
} operations[] = {
    {A64_OP_AESE, IR_AESE}, {A64_OP_AESD, IR_AESD},
    {A64_OP_AESMC, IR_AESMC}, {A64_OP_AESIMC, IR_AESIMC},
    {A64_OP_SHA1C, IR_SHA1C}, {A64_OP_SHA1P, IR_SHA1P}, {A64_OP_SHA1M, IR_SHA1M},
    {A64_OP_SHA1H, IR_SHA1H}, {A64_OP_SHA1SU0, IR_SHA1SU0}, {A64_OP_SHA1SU1, IR_SHA1SU1},
    {A64_OP_SHA256H, IR_SHA256H}, {A64_OP_SHA256H2, IR_SHA256H2},
    {A64_OP_SHA256SU0, IR_SHA256SU0}, {A64_OP_SHA256SU1, IR_SHA256SU1},
    {A64_OP_PMULL_1q, IR_PMULL_1Q},
};
/* clang-format on */

LIFT(crypto)
{
    struct ir_op *o = emit_op(l, IR_CRYPTO, IR_I64);
    unsigned i = 0;
    while (operations[i].guest != in->op)
        i++;
    o->sub = operations[i].sub;
    o->d = in->d;
    o->a = in->n;
    o->b = in->m;
    o->flags = in->Q ? IR_Q : 0;
    return true;
}

/* Whether op i copies V[from] to V[to]. */
static bool copies(const struct lifter *l, unsigned i, unsigned to, unsigned from)
{
    const struct ir_op *o = &l->unit->ops[i];
    return o->op == IR_VEC3 && o->sub == IR_V_ORR && o->flags & IR_Q && o->d == to &&
           o->a == from && o->b == from;
}

/* Four rounds are "mov C, A; sha256h A, B, W; sha256h2 B, C, W": the host's instructions do both
 * halves at once. The ops before this one are MOV, INSN, SHA256H, INSN. */
LIFT(SHA256H2)
{
    unsigned count = l->unit->count;
    struct ir_op *before = count >= 5 ? &l->unit->ops[count - 2] : NULL;
    if (before && before->op == IR_CRYPTO && before->sub == IR_SHA256H && before->a == in->d &&
        before->b == in->m && before->d != in->n && before->d != in->d && in->m != in->d &&
        before->b != before->d && in->m != in->n && copies(l, count - 4, in->n, before->d)) {
        l->joined = true;
        l->unit->ops[count - 3].x = 1; /* SHA256H's marker: both rely on the MOV */
        before->sub = IR_SHA256_BOTH;
        before->c = in->n;
        return true;
    }
    return lift_crypto(l, in);
}

/* Behind the AESE (AESD) of the same register: one round of x86's. */
LIFT(mix)
{
    struct ir_op *before = l->unit->count >= 2 ? &l->unit->ops[l->unit->count - 2] : NULL;
    unsigned wanted = in->op == A64_OP_AESMC ? IR_AESE : IR_AESD;
    if (before && before->op == IR_CRYPTO && before->sub == wanted && before->d == in->n &&
        in->d == in->n) {
        l->joined = true;
        before->sub = wanted == IR_AESE ? IR_AESE_MC : IR_AESD_IMC;
        return true;
    }
    return lift_crypto(l, in);
}

const struct lift_row lift_rows_crypto[] = {
    {A64_OP_AESE, lift_crypto},      {A64_OP_AESD, lift_crypto},
    {A64_OP_AESMC, lift_mix},        {A64_OP_AESIMC, lift_mix},
    {A64_OP_SHA1C, lift_crypto},     {A64_OP_SHA1P, lift_crypto},
    {A64_OP_SHA1M, lift_crypto},     {A64_OP_SHA1H, lift_crypto},
    {A64_OP_SHA1SU0, lift_crypto},   {A64_OP_SHA1SU1, lift_crypto},
    {A64_OP_SHA256H, lift_crypto},   ROW(SHA256H2),
    {A64_OP_SHA256SU0, lift_crypto}, {A64_OP_SHA256SU1, lift_crypto},
    {A64_OP_PMULL_1q, lift_crypto},
};
const unsigned lift_rows_crypto_count = ARRAY_SIZE(lift_rows_crypto);
