/* joins.c: random code with many branches on, back, and to small functions, where the same
 * instructions are come to on many ways: by falling through, by a branch from before or behind,
 * with NZCV set by one instruction or another. Each program is also worked out here, one
 * instruction at a time, and every register, NZCV and the memory must come out the same.
 *
 * Limits: of the instruction set what compilers put around branches, in 64 bits.
 */
#include "tally.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { PROGRAMS = 60, RUNS = 4, LENGTH = 220, FUNCTIONS = 4, WORDS = 64, PAGE = 4096 };
enum { NZCV = 31, FUEL = 27, DATA = 28, LINK = 29 };

enum kind {
    ADD_IMM,
    SUB_IMM,
    ADDS,
    SUBS,
    ANDS,
    EOR,
    MUL,
    ADC,
    CSEL,
    CSINC,
    LSL,
    MOVZ,
    MOVK,
    ADR,
    LDR,
    STR,
    B_COND,
    CBZ,
    CBNZ,
    TBNZ,
    B,
    BL,
    RET,
    MOV,
    KINDS
};

struct insn {
    enum kind kind;
    unsigned d, n, m,
        imm;       /* imm: of branches the index of the target; of CSEL, CSINC a condition */
    unsigned cond; /* of B.cond; of TBNZ the bit */
};

static struct insn program[LENGTH + 64];
static unsigned count;

static uint64_t random_state = 88172645463325252ull;

static unsigned below(unsigned n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (unsigned)(random_state >> 32) % n;
}

static unsigned any_register(void)
{
    unsigned r = below(24);
    return r < 16 ? r : r + 3; /* x0 to x15, x19 to x26 */
}

static void put(struct insn i)
{
    program[count++] = i;
}

/* --- making programs -------------------------------------------------------------------------- */

static void put_plain(void)
{
    struct insn i = {.kind = (enum kind)below(B_COND),
                     .d = any_register(),
                     .n = any_register(),
                     .m = any_register(),
                     .imm = below(WORDS)};
    if (below(4) == 0)
        i.kind = SUBS;
    if ((i.kind == SUBS || i.kind == ANDS) && below(3))
        i.d = 31; /* a comparison */
    if (i.kind == CSEL || i.kind == CSINC)
        i.imm = below(14);
    put(i);
    if (i.kind == MOVZ && below(2))
        put((struct insn){MOVK, i.d, 0, 0, below(1000), 0});
    if (i.kind == ADR && below(2))
        put((struct insn){ADD_IMM, below(2) ? i.d : any_register(), i.d, 0, below(1000), 0});
}

static void put_branch(unsigned target)
{
    struct insn i = {.kind = (enum kind)(B_COND + below(5)),
                     .n = any_register(),
                     .imm = target,
                     .cond = below(14)};
    if (below(2))
        i.kind = B_COND;
    put(i);
}

static bool ends_for_want_of_fuel(unsigned at)
{
    return program[at].kind == CBZ && program[at].n == FUEL;
}

/* No branch leads to behind where the fuel is counted down. */
static void aim(struct insn *i)
{
    if (ends_for_want_of_fuel(i->imm))
        i->imm -= 1;
    else if (ends_for_want_of_fuel(i->imm - 1))
        i->imm -= 2;
}

/* The end lies at LENGTH, functions behind it. */
static void make_program(void)
{
    unsigned functions[FUNCTIONS];
    count = 0;
    put((struct insn){MOV, LINK, 30, 0, 0, 0});
    while (count < LENGTH - 8) {
        unsigned dice = below(12);
        if (dice < 2) {
            unsigned target = count + 1 + below(12);
            put_branch(target < LENGTH ? target : LENGTH);
        } else if (dice == 2) {
            put((struct insn){SUB_IMM, FUEL, FUEL, 0, 1, 0});
            put((struct insn){CBZ, 0, FUEL, 0, LENGTH, 0});
            put_branch(count > 20 ? count - 1 - below(20) : 1 + below(count - 1));
        } else if (dice == 3) {
            put((struct insn){BL, 0, 0, 0, LENGTH + 2 + below(FUNCTIONS) * 8, 0});
        } else {
            put_plain();
        }
    }
    while (count < LENGTH)
        put((struct insn){ADD_IMM, 0, 0, 0, 1, 0});
    put((struct insn){MOV, 30, LINK, 0, 0, 0});
    put((struct insn){RET, 0, 0, 0, 0, 0});
    for (unsigned f = 0; f < FUNCTIONS; f++) {
        functions[f] = count;
        while (count < functions[f] + 5)
            put_plain(); /* one or two */
        while (count < functions[f] + 7)
            put((struct insn){ADD_IMM, 1, 1, 0, f, 0});
        put((struct insn){RET, 0, 0, 0, 0, 0});
    }
    for (unsigned at = 0; at < LENGTH; at++)
        if (program[at].kind >= B_COND && program[at].kind <= B)
            aim(&program[at]);
}

static uint32_t encode(const struct insn *i, unsigned at)
{
    uint32_t three = i->d | i->n << 5 | i->m << 16, to = i->imm - at;
    switch (i->kind) {
    case ADD_IMM:
        return 0x91000000 | i->d | i->n << 5 | i->imm << 10;
    case SUB_IMM:
        return 0xd1000000 | i->d | i->n << 5 | i->imm << 10;
    case ADDS:
        return 0xab000000 | three;
    case SUBS:
        return 0xeb000000 | three;
    case ANDS:
        return 0xea000000 | three;
    case EOR:
        return 0xca000000 | three;
    case MUL:
        return 0x9b007c00 | three;
    case ADC:
        return 0x9a000000 | three;
    case CSEL:
        return 0x9a800000 | three | i->imm << 12;
    case CSINC:
        return 0x9a800400 | three | i->imm << 12;
    case LSL: /* UBFM */
        return 0xd3400000 | i->d | i->n << 5 | (-(i->imm % 63 + 1) & 63) << 16 |
               (63 - (i->imm % 63 + 1)) << 10;
    case MOVZ:
        return 0xd2800000 | i->d | i->imm << 5;
    case MOVK:
        return 0xf2a00000 | i->d | i->imm << 5;
    case ADR:
        return 0x10000000 | i->d | i->imm << 5;
    case LDR:
        return 0xf9400000 | i->d | DATA << 5 | i->imm << 10;
    case STR:
        return 0xf9000000 | i->d | DATA << 5 | i->imm << 10;
    case B_COND:
        return 0x54000000 | (to & 0x7ffff) << 5 | i->cond;
    case CBZ:
        return 0xb4000000 | (to & 0x7ffff) << 5 | i->n;
    case CBNZ:
        return 0xb5000000 | (to & 0x7ffff) << 5 | i->n;
    case TBNZ:
        return 0x37000000 | (to & 0x3fff) << 5 | i->n | i->cond << 19;
    case B:
        return 0x14000000 | (to & 0x3ffffff);
    case BL:
        return 0x94000000 | (to & 0x3ffffff);
    case RET:
        return 0xd65f03c0;
    default: /* MOV */
        return 0xaa0003e0 | i->d | i->n << 16;
    }
}

/* --- what is to come out ---------------------------------------------------------------------- */

static bool holds(uint64_t nzcv, unsigned cond)
{
    bool n = nzcv >> 31 & 1, z = nzcv >> 30 & 1, c = nzcv >> 29 & 1, v = nzcv >> 28 & 1;
    const bool of[] = {z, c, n, v, c && !z, n == v, n == v && !z};
    return of[cond / 2] != (cond & 1);
}

static uint64_t flags_of(uint64_t result, bool c, bool v)
{
    return (uint64_t)(result >> 63) << 31 | (uint64_t)(result == 0) << 30 | (uint64_t)c << 29 |
           (uint64_t)v << 28;
}

static uint64_t add(uint64_t a, uint64_t b, uint64_t carry, uint64_t *nzcv)
{
    uint64_t sum = a + b + carry;
    bool c = sum < a || (carry && sum == a), v = (~(a ^ b) & (a ^ sum)) >> 63;
    *nzcv = flags_of(sum, c, v);
    return sum;
}

/* Where the next instruction is. */
static unsigned step(const struct insn *i, unsigned at, uint64_t x[32], uint64_t *data,
                     const uint32_t *code)
{
    uint64_t n = i->n == 31 ? 0 : x[i->n], m = i->m == 31 ? 0 : x[i->m], scrap, d = 0;
    bool writes = i->kind < STR || i->kind == MOV;
    bool goes = false;
    switch (i->kind) {
    case ADD_IMM:
        d = n + i->imm;
        break;
    case SUB_IMM:
        d = n - i->imm;
        break;
    case ADDS:
        d = add(n, m, 0, &x[NZCV]);
        break;
    case SUBS:
        d = add(n, ~m, 1, &x[NZCV]);
        break;
    case ANDS:
        d = n & m;
        x[NZCV] = flags_of(d, false, false);
        break;
    case EOR:
        d = n ^ m;
        break;
    case MUL:
        d = n * m;
        break;
    case ADC:
        d = add(n, m, x[NZCV] >> 29 & 1, &scrap);
        break;
    case CSEL:
        d = holds(x[NZCV], i->imm) ? n : m;
        break;
    case CSINC:
        d = holds(x[NZCV], i->imm) ? n : m + 1;
        break;
    case LSL:
        d = n << (i->imm % 63 + 1);
        break;
    case MOVZ:
        d = i->imm;
        break;
    case MOVK:
        d = (x[i->d] & ~0xffff0000ull) | (uint64_t)i->imm << 16;
        break;
    case ADR:
        d = (uintptr_t)(code + at) + i->imm * 4;
        break;
    case LDR:
        d = data[i->imm];
        break;
    case STR:
        data[i->imm] = x[i->d];
        break;
    case B_COND:
        goes = holds(x[NZCV], i->cond);
        break;
    case CBZ:
        goes = n == 0;
        break;
    case CBNZ:
        goes = n != 0;
        break;
    case TBNZ:
        goes = n >> i->cond & 1;
        break;
    case BL:
        x[30] = (uintptr_t)(code + at + 1);
        goes = true;
        break;
    case B:
        goes = true;
        break;
    case RET:
        return (unsigned)(((const uint32_t *)(uintptr_t)x[30]) - code);
    default:
        d = n;
        break;
    }
    if (writes && i->d != 31)
        x[i->d] = d;
    return goes ? i->imm : at + 1;
}

/* --- the real thing --------------------------------------------------------------------------- */

/* Runs `code` with x0 to x15, x19 to x28 and NZCV from `x`, and leaves there what they are then. */
void run(uint64_t x[32], const void *code);
__asm__("run: stp x29, x30, [sp, #-112]!\n"
        "stp x19, x20, [sp, #16]; stp x21, x22, [sp, #32]; stp x23, x24, [sp, #48]\n"
        "stp x25, x26, [sp, #64]; stp x27, x28, [sp, #80]; str x0, [sp, #96]\n"
        "mov x16, x0; mov x17, x1; ldr x0, [x16, #248]; msr nzcv, x0\n"
        "ldp x0, x1, [x16]; ldp x2, x3, [x16, #16]; ldp x4, x5, [x16, #32]\n"
        "ldp x6, x7, [x16, #48]; ldp x8, x9, [x16, #64]; ldp x10, x11, [x16, #80]\n"
        "ldp x12, x13, [x16, #96]; ldp x14, x15, [x16, #112]; ldp x19, x20, [x16, #152]\n"
        "ldp x21, x22, [x16, #168]; ldp x23, x24, [x16, #184]; ldp x25, x26, [x16, #200]\n"
        "ldp x27, x28, [x16, #216]; blr x17; ldr x16, [sp, #96]\n"
        "stp x0, x1, [x16]; stp x2, x3, [x16, #16]; stp x4, x5, [x16, #32]\n"
        "stp x6, x7, [x16, #48]; stp x8, x9, [x16, #64]; stp x10, x11, [x16, #80]\n"
        "stp x12, x13, [x16, #96]; stp x14, x15, [x16, #112]; stp x19, x20, [x16, #152]\n"
        "stp x21, x22, [x16, #168]; stp x23, x24, [x16, #184]; stp x25, x26, [x16, #200]\n"
        "stp x27, x28, [x16, #216]; mrs x17, nzcv; str x17, [x16, #248]\n"
        "ldp x19, x20, [sp, #16]; ldp x21, x22, [sp, #32]; ldp x23, x24, [sp, #48]\n"
        "ldp x25, x26, [sp, #64]; ldp x27, x28, [sp, #80]; ldp x29, x30, [sp], #112; ret\n");

static bool same_run(const uint32_t *code)
{
    uint64_t model[32], real[32], model_data[WORDS], real_data[WORDS];
    const struct insn *last = &program[LENGTH + 1];
    for (unsigned r = 0; r < 32; r++) /* small ones often, so that branches go both ways */
        model[r] = below(2) ? below(3) : (uint64_t)below(UINT32_MAX) << below(33);
    for (unsigned w = 0; w < WORDS; w++)
        model_data[w] = below(4) * 0x4000000000000000ull + below(3);
    memcpy(real_data, model_data, sizeof(real_data));
    model[FUEL] = 20 + below(100);
    model[NZCV] = (uint64_t)below(16) << 28;
    memcpy(real, model, sizeof(real));
    real[DATA] = (uintptr_t)real_data;
    run(real, code);
    real[DATA] = model[DATA];
    model[30] = 0;
    for (unsigned at = 0; &program[at] != last;)
        at = step(&program[at], at, model, model_data, code);
    bool same = memcmp(real_data, model_data, sizeof(real_data)) == 0;
    for (unsigned r = 0; r < 32; r++)
        if (real[r] != model[r] && (r < 16 || (r > 18 && r < LINK) || r == NZCV)) {
            printf("x%u is %#lx, not %#lx\n", r, real[r], model[r]);
            same = false;
        }
    return same;
}

int main(void)
{
    enum { APART = LENGTH + 64 };
    size_t bytes = PROGRAMS * APART * sizeof(uint32_t);
    uint32_t *code =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (!OK(code != MAP_FAILED))
        return tally_end();
    for (unsigned p = 0; p < PROGRAMS; p++, code += APART) {
        make_program();
        for (unsigned i = 0; i < count; i++)
            code[i] = encode(&program[i], i);
        __builtin___clear_cache((char *)code, (char *)(code + count));
        bool same = true;
        for (unsigned n = 0; n < RUNS; n++)
            same &= same_run(code);
        OK(same);
    }
    return tally_end();
}
