/* seccomp_bpf.c: checks and runs classic BPF as far as seccomp allows it.
 *
 * The check is the kernel's in one pass: every instruction is one of those below, jumps go forward
 * and stay inside, the last instruction returns, and no word of the scratch memory is read that was
 * not written on every way there. A checked program therefore needs no checks while it runs, and
 * ends after at most as many steps as it has instructions.
 */
#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "core/linux/seccomp_bpf.h"

enum operation {
    NOT_ALLOWED = 0,
    LOAD_DATA,
    LOAD_LENGTH,
    LOAD_CONSTANT,
    LOAD_WORD,
    LOAD_X_LENGTH,
    LOAD_X_CONSTANT,
    LOAD_X_WORD,
    STORE,
    STORE_X,
    CALCULATE,
    JUMP,
    JUMP_IF,
    RETURN_CONSTANT,
    RETURN_A,
    TO_X,
    FROM_X,
};

#define BOTH(op, what) [BPF_ALU | op | BPF_K] = what, [BPF_ALU | op | BPF_X] = what
#define TEST(op)       [BPF_JMP | op | BPF_K] = JUMP_IF, [BPF_JMP | op | BPF_X] = JUMP_IF

static const uint8_t operations[256] = {
    [BPF_LD | BPF_W | BPF_ABS] = LOAD_DATA,
    [BPF_LD | BPF_W | BPF_LEN] = LOAD_LENGTH,
    [BPF_LD | BPF_IMM] = LOAD_CONSTANT,
    [BPF_LD | BPF_MEM] = LOAD_WORD,
    [BPF_LDX | BPF_W | BPF_LEN] = LOAD_X_LENGTH,
    [BPF_LDX | BPF_IMM] = LOAD_X_CONSTANT,
    [BPF_LDX | BPF_MEM] = LOAD_X_WORD,
    [BPF_ST] = STORE,
    [BPF_STX] = STORE_X,
    BOTH(BPF_ADD, CALCULATE),
    BOTH(BPF_SUB, CALCULATE),
    BOTH(BPF_MUL, CALCULATE),
    BOTH(BPF_DIV, CALCULATE),
    BOTH(BPF_AND, CALCULATE),
    BOTH(BPF_OR, CALCULATE),
    BOTH(BPF_XOR, CALCULATE),
    BOTH(BPF_LSH, CALCULATE),
    BOTH(BPF_RSH, CALCULATE),
    [BPF_ALU | BPF_NEG] = CALCULATE,
    [BPF_JMP | BPF_JA] = JUMP,
    TEST(BPF_JEQ),
    TEST(BPF_JGT),
    TEST(BPF_JGE),
    TEST(BPF_JSET),
    [BPF_RET | BPF_K] = RETURN_CONSTANT,
    [BPF_RET | BPF_A] = RETURN_A,
    [BPF_MISC | BPF_TAX] = TO_X,
    [BPF_MISC | BPF_TXA] = FROM_X,
};

static enum operation operation_of(const struct sock_filter *insn)
{
    return insn->code < ARRAY_SIZE(operations) ? operations[insn->code] : NOT_ALLOWED;
}

/* The constant of an instruction: divisors, shifts, offsets, words, jumps. `rest` instructions are
 * behind this one. */
static bool constant_is_good(const struct sock_filter *insn, size_t rest)
{
    switch (operation_of(insn)) {
    case NOT_ALLOWED:
        return false;
    case LOAD_DATA:
        return insn->k < sizeof(struct seccomp_data) && insn->k % 4 == 0;
    case LOAD_WORD:
    case LOAD_X_WORD:
    case STORE:
    case STORE_X:
        return insn->k < BPF_MEMWORDS;
    case CALCULATE:
        if (insn->code == (BPF_ALU | BPF_DIV | BPF_K))
            return insn->k != 0;
        if (insn->code == (BPF_ALU | BPF_LSH | BPF_K) || insn->code == (BPF_ALU | BPF_RSH | BPF_K))
            return insn->k < 32;
        return true;
    case JUMP:
        return insn->k < rest;
    case JUMP_IF:
        return insn->jt < rest && insn->jf < rest;
    default:
        return true;
    }
}

/* Which words are written on every way to an instruction. Jumps go forward, so one pass finds it.
 */
static bool words_are_written(const struct sock_filter *program, size_t length)
{
    uint16_t at[BPF_MAXINSNS], written = 0;
    static_assert(BPF_MEMWORDS == 16, "a bit a word");
    memset(at, 0xff, sizeof at);
    for (size_t pc = 0; pc < length; pc++) {
        const struct sock_filter *insn = &program[pc];
        written &= at[pc];
        switch (operation_of(insn)) {
        case STORE:
        case STORE_X:
            written |= (uint16_t)(1u << insn->k);
            break;
        case LOAD_WORD:
        case LOAD_X_WORD:
            if (!(written >> insn->k & 1))
                return false;
            break;
        case JUMP:
            at[pc + 1 + insn->k] &= written;
            written = 0xffff; /* nothing falls through to what follows */
            break;
        case JUMP_IF:
            at[pc + 1 + insn->jt] &= written;
            at[pc + 1 + insn->jf] &= written;
            written = 0xffff;
            break;
        default:
            break;
        }
    }
    return true;
}

int seccomp_bpf_check(const struct sock_filter *program, size_t length)
{
    if (length == 0 || length > BPF_MAXINSNS)
        return -EINVAL;
    for (size_t pc = 0; pc < length; pc++)
        if (!constant_is_good(&program[pc], length - pc - 1))
            return -EINVAL;
    enum operation last = operation_of(&program[length - 1]);
    bool ends = last == RETURN_CONSTANT || last == RETURN_A;
    return ends && words_are_written(program, length) ? 0 : -EINVAL;
}

/* False: a division by zero, which ends the program with 0. */
static bool calculate(unsigned op, uint32_t *a, uint32_t b)
{
    switch (op) {
    case BPF_ADD:
        *a += b;
        break;
    case BPF_SUB:
        *a -= b;
        break;
    case BPF_MUL:
        *a *= b;
        break;
    case BPF_DIV:
        if (b == 0)
            return false;
        *a /= b;
        break;
    case BPF_AND:
        *a &= b;
        break;
    case BPF_OR:
        *a |= b;
        break;
    case BPF_XOR:
        *a ^= b;
        break;
    case BPF_LSH:
        *a <<= b & 31;
        break;
    case BPF_RSH:
        *a >>= b & 31;
        break;
    default: /* BPF_NEG */
        *a = -*a;
        break;
    }
    return true;
}

static bool holds(unsigned op, uint32_t a, uint32_t b)
{
    switch (op) {
    case BPF_JEQ:
        return a == b;
    case BPF_JGT:
        return a > b;
    case BPF_JGE:
        return a >= b;
    default: /* BPF_JSET */
        return a & b;
    }
}

uint32_t seccomp_bpf_run(const struct sock_filter *program, const struct seccomp_data *data)
{
    uint32_t a = 0, x = 0, words[BPF_MEMWORDS];
    for (const struct sock_filter *insn = program;; insn++) {
        uint32_t operand = BPF_SRC(insn->code) == BPF_X ? x : insn->k;
        switch (operation_of(insn)) {
        case LOAD_DATA:
            a = (uint32_t)load_le((const uint8_t *)data + insn->k, 4);
            break;
        case LOAD_LENGTH:
            a = sizeof *data;
            break;
        case LOAD_CONSTANT:
            a = insn->k;
            break;
        case LOAD_WORD:
            a = words[insn->k];
            break;
        case LOAD_X_LENGTH:
            x = sizeof *data;
            break;
        case LOAD_X_CONSTANT:
            x = insn->k;
            break;
        case LOAD_X_WORD:
            x = words[insn->k];
            break;
        case STORE:
            words[insn->k] = a;
            break;
        case STORE_X:
            words[insn->k] = x;
            break;
        case CALCULATE:
            if (!calculate(BPF_OP(insn->code), &a, operand))
                return 0;
            break;
        case JUMP:
            insn += insn->k;
            break;
        case JUMP_IF:
            insn += holds(BPF_OP(insn->code), a, operand) ? insn->jt : insn->jf;
            break;
        case RETURN_CONSTANT:
            return insn->k;
        case RETURN_A:
            return a;
        case TO_X:
            x = a;
            break;
        case FROM_X:
            a = x;
            break;
        case NOT_ALLOWED: /* not in a checked program */
            return SECCOMP_RET_KILL_PROCESS;
        }
    }
}
