/* test_seccomp_bpf.c: the checker and interpreter of seccomp's BPF: programs with stated results,
 * and random ones against the kernel of this machine, which takes the same programs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <linux/audit.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "core/linux/seccomp_bpf.h"

#define RUN(data, ...)                                                                             \
    run((const struct sock_filter[]){__VA_ARGS__},                                                 \
        sizeof((const struct sock_filter[]){__VA_ARGS__}) / sizeof(struct sock_filter), data)
#define CHECK(...)                                                                                 \
    seccomp_bpf_check((const struct sock_filter[]){__VA_ARGS__},                                   \
                      sizeof((const struct sock_filter[]){__VA_ARGS__}) /                          \
                          sizeof(struct sock_filter))
#define RETURN(k)    BPF_STMT(BPF_RET | BPF_K, k)
#define RETURN_A     BPF_STMT(BPF_RET | BPF_A, 0)
#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset)
#define SET_A(k)     BPF_STMT(BPF_LD | BPF_IMM, k)
#define SET_X(k)     BPF_STMT(BPF_LDX | BPF_IMM, k)

static const struct seccomp_data sample = {
    .nr = 63,
    .arch = AUDIT_ARCH_AARCH64,
    .instruction_pointer = 0x123456789a,
    .args = {0xffffffff00000001, 2, 3, 4, 5, 6},
};

static uint32_t run(const struct sock_filter *program, size_t length,
                    const struct seccomp_data *data)
{
    assert_int_equal(seccomp_bpf_check(program, length), 0);
    return seccomp_bpf_run(program, data);
}

static void test_loads(void **state)
{
    assert_int_equal(RUN(&sample, LOAD(0), RETURN_A), 63);
    assert_int_equal(RUN(&sample, LOAD(4), RETURN_A), AUDIT_ARCH_AARCH64);
    assert_int_equal(RUN(&sample, LOAD(8), RETURN_A), 0x3456789a);
    assert_int_equal(RUN(&sample, LOAD(12), RETURN_A), 0x12);
    assert_int_equal(RUN(&sample, LOAD(20), RETURN_A), 0xffffffff);
    assert_int_equal(RUN(&sample, LOAD(56), RETURN_A), 6);
    assert_int_equal(RUN(&sample, BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0), RETURN_A), 64);
    assert_int_equal(RUN(&sample, BPF_STMT(BPF_LDX | BPF_W | BPF_LEN, 0),
                         BPF_STMT(BPF_MISC | BPF_TXA, 0), RETURN_A),
                     64);
}

static void test_arithmetic(void **state)
{
    static const struct {
        uint16_t op;
        uint32_t a, b, result;
    } rows[] = {
        {BPF_ADD, 0xffffffff, 2, 1},
        {BPF_SUB, 1, 2, 0xffffffff},
        {BPF_MUL, 0x10000, 0x10001, 0x10000},
        {BPF_DIV, 7, 2, 3},
        {BPF_AND, 12, 10, 8},
        {BPF_OR, 12, 10, 14},
        {BPF_XOR, 12, 10, 6},
        {BPF_LSH, 1, 31, 0x80000000},
        {BPF_RSH, 0x80000000, 31, 1},
    };
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        assert_int_equal(RUN(&sample, SET_A(rows[i].a),
                             BPF_STMT(BPF_ALU | rows[i].op | BPF_K, rows[i].b), RETURN_A),
                         rows[i].result);
        assert_int_equal(RUN(&sample, SET_A(rows[i].a), SET_X(rows[i].b),
                             BPF_STMT(BPF_ALU | rows[i].op | BPF_X, 0), RETURN_A),
                         rows[i].result);
    }
    assert_int_equal(RUN(&sample, SET_A(5), BPF_STMT(BPF_ALU | BPF_NEG, 0), RETURN_A),
                     (uint32_t)-5);
    /* a division by zero ends the program with 0 */
    assert_int_equal(RUN(&sample, SET_A(5), BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0), RETURN(7)), 0);
}

static void test_jumps_and_words(void **state)
{
    assert_int_equal(
        RUN(&sample, LOAD(0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 63, 1, 0), RETURN(1), RETURN(2)),
        2);
    assert_int_equal(
        RUN(&sample, LOAD(0), BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 63, 1, 0), RETURN(1), RETURN(2)),
        1);
    assert_int_equal(RUN(&sample, BPF_STMT(BPF_JMP | BPF_JA, 1), RETURN(1), RETURN(2)), 2);
    assert_int_equal(RUN(&sample, SET_A(9), BPF_STMT(BPF_ST, 15), SET_A(0),
                         BPF_STMT(BPF_LD | BPF_MEM, 15), RETURN_A),
                     9);
}

static void test_refused(void **state)
{
    assert_int_equal(CHECK(SET_A(0)), -EINVAL);           /* does not return */
    assert_int_equal(CHECK(LOAD(64), RETURN_A), -EINVAL); /* behind the data */
    assert_int_equal(CHECK(LOAD(2), RETURN_A), -EINVAL);  /* misaligned */
    assert_int_equal(CHECK(BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), RETURN_A), -EINVAL);
    assert_int_equal(CHECK(BPF_STMT(BPF_LD | BPF_MEM, 0), RETURN_A), -EINVAL); /* not written */
    assert_int_equal(CHECK(BPF_STMT(BPF_ST, 16), RETURN(0)), -EINVAL);
    assert_int_equal(CHECK(BPF_STMT(BPF_JMP | BPF_JA, 1), RETURN(0)), -EINVAL);
    assert_int_equal(CHECK(BPF_STMT(BPF_JMP | BPF_JA, UINT32_MAX), RETURN(0)), -EINVAL);
    assert_int_equal(CHECK(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1), RETURN(0)), -EINVAL);
    assert_int_equal(CHECK(BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), RETURN(0)), -EINVAL);
    assert_int_equal(CHECK(BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 32), RETURN(0)), -EINVAL);
    assert_int_equal(CHECK(BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, 3), RETURN(0)), -EINVAL);
    assert_int_equal(CHECK(BPF_STMT(0xffff, 0), RETURN(0)), -EINVAL);
    assert_int_equal(seccomp_bpf_check(NULL, 0), -EINVAL);
    /* written on one way only */
    assert_int_equal(CHECK(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1), BPF_STMT(BPF_ST, 3),
                           BPF_STMT(BPF_LD | BPF_MEM, 3), RETURN_A),
                     -EINVAL);
}

/* --- against the kernel -------------------------------------------------------------------------
 */

enum { RANDOM_PROGRAMS = 1500, BODY_MAX = 20, CALL_UNUSED = 1000, LINUX_PAGE_BYTES = 4096 };

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* Mostly legal; the rare illegal code, constant or jump tests the checks. */
static struct sock_filter random_insn(uint64_t *seed, unsigned rest)
{
    static const uint16_t codes[] = {
        BPF_LD | BPF_W | BPF_ABS,
        BPF_LD | BPF_IMM,
        BPF_LDX | BPF_IMM,
        BPF_ST,
        BPF_STX,
        BPF_LD | BPF_MEM,
        BPF_LDX | BPF_MEM,
        BPF_MISC | BPF_TAX,
        BPF_MISC | BPF_TXA,
        BPF_ALU | BPF_ADD | BPF_K,
        BPF_ALU | BPF_SUB | BPF_X,
        BPF_ALU | BPF_MUL | BPF_K,
        BPF_ALU | BPF_DIV | BPF_K,
        BPF_ALU | BPF_DIV | BPF_X,
        BPF_ALU | BPF_AND | BPF_X,
        BPF_ALU | BPF_OR | BPF_K,
        BPF_ALU | BPF_XOR | BPF_X,
        BPF_ALU | BPF_LSH | BPF_X,
        BPF_ALU | BPF_RSH | BPF_K,
        BPF_ALU | BPF_NEG,
        BPF_JMP | BPF_JA,
        BPF_JMP | BPF_JEQ | BPF_K,
        BPF_JMP | BPF_JGT | BPF_X,
        BPF_JMP | BPF_JGE | BPF_K,
        BPF_JMP | BPF_JSET | BPF_X,
        BPF_LD | BPF_W | BPF_LEN,
        BPF_LDX | BPF_W | BPF_LEN,
    };
    uint64_t r = next_random(seed);
    struct sock_filter insn = {.code = codes[r % ARRAY_SIZE(codes)], .k = (uint32_t)(r >> 32)};
    unsigned class = BPF_CLASS(insn.code), reach = rest > 1 ? rest - 1 : 1;
    if ((r >> 8 & 63) == 0)
        insn.code = (uint16_t)(r >> 16 & 0xff);
    if (class == BPF_JMP) {
        insn.k = insn.code == (BPF_JMP | BPF_JA) ? insn.k % reach : insn.k & 7;
        insn.jt = (uint8_t)((r >> 10) % reach);
        insn.jf = (uint8_t)((r >> 20) % (reach + ((r >> 9 & 31) == 0)));
    } else if (insn.code == (BPF_LD | BPF_W | BPF_ABS)) {
        /* not the program counter, which the caller does not know */
        insn.k = (r >> 14 & 63) == 0 ? insn.k % 80 : (insn.k % 12) * 4 + 16;
        insn.k = insn.k >= 8 && insn.k < 16 ? 0 : insn.k;
    } else if (class == BPF_ST || class == BPF_STX || BPF_MODE(insn.code) == BPF_MEM) {
        insn.k %= (r >> 14 & 63) == 0 ? 18 : 3;
    } else if (class == BPF_ALU && (BPF_OP(insn.code) == BPF_RSH || BPF_OP(insn.code) == BPF_DIV)) {
        insn.k %= 33;
    }
    return insn;
}

struct verdict {
    int installed; /* 0 or errno */
    int result;    /* errno of the call */
    bool killed;   /* by it */
};

/* In a child: installs the program on this very kernel and makes a call that it decides. */
static void ask_kernel(const struct sock_filter *program, unsigned length,
                       const struct seccomp_data *data, struct verdict *verdict)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct sock_fprog p = {.len = (unsigned short)length,
                               .filter = (struct sock_filter *)(uintptr_t)program};
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        verdict->installed = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &p) < 0 ? errno : 0;
        syscall(CALL_UNUSED, data->args[0], data->args[1], data->args[2], data->args[3],
                data->args[4], data->args[5]);
        verdict->result = errno;
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    verdict->killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
    assert_true(status == 0 || verdict->killed);
}

/* Lets all calls pass but one, whose error number is the low 12 bits of what the body makes. */
static unsigned random_program(uint64_t *seed, struct sock_filter *program)
{
    unsigned body = 1 + (unsigned)(next_random(seed) % BODY_MAX), length = 0;
    program[length++] = (struct sock_filter)LOAD(0);
    program[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CALL_UNUSED, 1, 0);
    program[length++] = (struct sock_filter)RETURN(SECCOMP_RET_ALLOW);
    for (unsigned i = 0; i < body; i++)
        program[length++] = random_insn(seed, body - i + 3);
    program[length++] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x7ff);
    program[length++] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_OR | BPF_K, SECCOMP_RET_ERRNO);
    program[length++] = (struct sock_filter)RETURN_A;
    return length;
}

static void test_against_kernel(void **state)
{
    struct verdict *verdict =
        mmap(NULL, LINUX_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint64_t seed = 0x9e3779b97f4a7c15;
    unsigned accepted = 0, refused = 0;
    assert_ptr_not_equal(verdict, MAP_FAILED);
    for (unsigned i = 0; i < RANDOM_PROGRAMS; i++) {
        struct sock_filter program[BODY_MAX + 6];
        struct seccomp_data data = {.nr = CALL_UNUSED, .arch = AUDIT_ARCH_X86_64};
        for (unsigned k = 0; k < 6; k++) {
            uint64_t value = next_random(&seed);
            data.args[k] = value >> (next_random(&seed) & 63);
        }
        unsigned length = random_program(&seed, program);
        ask_kernel(program, length, &data, verdict);
        if (verdict->installed != 0 && verdict->installed != EINVAL)
            skip(); /* no seccomp on this machine, or not for us */
        assert_int_equal(-seccomp_bpf_check(program, length), verdict->installed);
        if (verdict->installed != 0) {
            refused++;
            continue;
        }
        accepted++;
        uint32_t decision = seccomp_bpf_run(program, &data);
        /* A division by zero and a random return on the way kill. */
        bool is_errno = (decision & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO;
        assert_int_equal(!is_errno, verdict->killed);
        unsigned number = decision & SECCOMP_RET_DATA, most = 4095; /* MAX_ERRNO */
        if (is_errno && number)
            assert_int_equal(number < most ? number : most, verdict->result);
    }
    assert_true(accepted > RANDOM_PROGRAMS / 8 && refused > RANDOM_PROGRAMS / 8);
    munmap(verdict, LINUX_PAGE_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loads),           cmocka_unit_test(test_arithmetic),
        cmocka_unit_test(test_jumps_and_words), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_against_kernel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
