/* interp_atomic.c: exclusives, acquire and release, and the Armv8.1 atomics (DDI 0487 C4.1.88,
 * B2.3).
 *
 * vCPUs are threads and guest memory is shared, so guest atomics are host atomics. A load exclusive
 * notes address and value; the store exclusive is a compare-and-swap against them, which lets a
 * value that changed and changed back pass: the architecture's monitor would not, but no program
 * can tell, for it could have been scheduled between. All host atomics here are sequentially
 * consistent: that is at least what any combination of A and R asks for, and costs the same on
 * x86-64.
 */
#include "core/arm64/exec_int.h"
#include "hardware/atomic128.h"

/* Compare-and-swap of 1 << z bytes (z up to 4) at a naturally aligned host address. `expected` gets
 * what was there. */
static bool swap_if(void *at, unsigned z, uint64_t expected[2], const uint64_t desired[2])
{
    switch (z) {
    case 0: {
        uint8_t e = (uint8_t)expected[0];
        bool done = __atomic_compare_exchange_n((uint8_t *)at, &e, (uint8_t)desired[0], false,
                                                __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
        expected[0] = e;
        return done;
    }
    case 1: {
        uint16_t e = (uint16_t)expected[0];
        bool done = __atomic_compare_exchange_n((uint16_t *)at, &e, (uint16_t)desired[0], false,
                                                __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
        expected[0] = e;
        return done;
    }
    case 2: {
        uint32_t e = (uint32_t)expected[0];
        bool done = __atomic_compare_exchange_n((uint32_t *)at, &e, (uint32_t)desired[0], false,
                                                __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
        expected[0] = e;
        return done;
    }
    case 3:
        return __atomic_compare_exchange_n((uint64_t *)at, &expected[0], desired[0], false,
                                           __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    default:
        return atomic128_swap_if(at, expected, desired);
    }
}

static uint64_t load_relaxed(const void *at, unsigned z)
{
    switch (z) {
    case 0:
        return __atomic_load_n((const uint8_t *)at, __ATOMIC_RELAXED);
    case 1:
        return __atomic_load_n((const uint16_t *)at, __ATOMIC_RELAXED);
    case 2:
        return __atomic_load_n((const uint32_t *)at, __ATOMIC_RELAXED);
    default:
        return __atomic_load_n((const uint64_t *)at, __ATOMIC_RELAXED);
    }
}

/* --- exclusives ------------------------------------------------------------------------------ */

/* Reads 1 << z bytes (or a pair of them) for LDXR and LDXP and arms the monitor. */
static bool load_exclusive(struct a64_cpu *cpu, const struct a64_insn *in, unsigned size_bytes,
                           uint64_t value[2])
{
    uint64_t va;
    value[0] = value[1] = 0;
    if (!exec_base(cpu, in, &va) || !a64_load(cpu, va, size_bytes, A64_MEM_ALIGNED, value))
        return false;
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    cpu->excl_valid = true;
    cpu->excl_size = (uint8_t)size_bytes;
    cpu->excl_address = va;
    cpu->excl_value[0] = value[0];
    cpu->excl_value[1] = value[1];
    return true;
}

/* STXR, STXP and their releases: status 0 where the store happened. A store that the monitor
 * refuses touches no memory, but its alignment is checked, as the pseudocode has it. */
static enum a64_step store_exclusive(struct a64_cpu *cpu, const struct a64_insn *in,
                                     unsigned size_bytes, const uint64_t value[2])
{
    uint64_t va;
    if (!exec_base(cpu, in, &va))
        return A64_BRANCHED;
    bool armed = cpu->excl_valid && cpu->excl_address == va && cpu->excl_size == size_bytes;
    bool stored = false;
    if (armed || va & (size_bytes - 1)) {
        void *at = a64_atomic_ptr(cpu, va, size_bytes);
        if (!at)
            return A64_BRANCHED;
        uint64_t expected[2] = {cpu->excl_value[0], cpu->excl_value[1]};
        stored = swap_if(at, (unsigned)__builtin_ctz(size_bytes), expected, value);
    }
    cpu->excl_valid = false;
    a64_set_x(cpu, in->s, !stored);
    return A64_NEXT;
}

static enum a64_step load_exclusive_one(struct a64_cpu *cpu, const struct a64_insn *in)
{
    uint64_t value[2];
    if (!load_exclusive(cpu, in, 1u << in->z, value))
        return A64_BRANCHED;
    a64_set_x(cpu, in->d, value[0]);
    return A64_NEXT;
}

static enum a64_step load_exclusive_pair(struct a64_cpu *cpu, const struct a64_insn *in)
{
    uint64_t value[2];
    if (!load_exclusive(cpu, in, in->f ? 16 : 8, value))
        return A64_BRANCHED;
    a64_set_x(cpu, in->d, in->f ? value[0] : (uint32_t)value[0]);
    a64_set_x(cpu, in->a, in->f ? value[1] : value[0] >> 32);
    return A64_NEXT;
}

/* Two registers as they lie in memory. */
static void pair_value(const struct a64_cpu *cpu, const struct a64_insn *in, unsigned lo,
                       unsigned hi, uint64_t ret[2])
{
    ret[0] = in->f ? a64_x(cpu, lo) : (uint32_t)a64_x(cpu, lo) | a64_x(cpu, hi) << 32;
    ret[1] = in->f ? a64_x(cpu, hi) : 0;
}

static enum a64_step store_exclusive_one(struct a64_cpu *cpu, const struct a64_insn *in)
{
    uint64_t value[2] = {a64_x(cpu, in->d), 0};
    return store_exclusive(cpu, in, 1u << in->z, value);
}

static enum a64_step store_exclusive_pair(struct a64_cpu *cpu, const struct a64_insn *in)
{
    uint64_t value[2];
    pair_value(cpu, in, in->d, in->a, value);
    return store_exclusive(cpu, in, in->f ? 16 : 8, value);
}

#define A64_EXEC_AS(name, function)                                                                \
    A64_EXEC(name)                                                                                 \
    {                                                                                              \
        return function(cpu, in);                                                                  \
    }

A64_EXEC_AS(LDXR, load_exclusive_one)
A64_EXEC_AS(LDAXR, load_exclusive_one)
A64_EXEC_AS(LDXP, load_exclusive_pair)
A64_EXEC_AS(LDAXP, load_exclusive_pair)
A64_EXEC_AS(STXR, store_exclusive_one)
A64_EXEC_AS(STLXR, store_exclusive_one)
A64_EXEC_AS(STXP, store_exclusive_pair)
A64_EXEC_AS(STLXP, store_exclusive_pair)

/* --- acquire and release --------------------------------------------------------------------- */

A64_EXEC(LDAR)
{
    uint64_t va, v = 0;
    if (!exec_base(cpu, in, &va) || !a64_load(cpu, va, 1u << in->z, A64_MEM_ALIGNED, &v))
        return A64_BRANCHED;
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    a64_set_x(cpu, in->d, v);
    return A64_NEXT;
}

/* A later LDAR must not pass an STLR (B2.3.11): hence a full fence behind it. */
A64_EXEC(STLR)
{
    uint64_t va, v = a64_x(cpu, in->d);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    if (!exec_base(cpu, in, &va) || !a64_store(cpu, va, 1u << in->z, A64_MEM_ALIGNED, &v))
        return A64_BRANCHED;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return A64_NEXT;
}

/* --- Armv8.1 atomics ------------------------------------------------------------------------- */

/* What a read-modify-write makes of the old value and the operand, both cut to the size. */
enum rmw { ADD, CLR, EOR, SET, SMAX, SMIN, UMAX, UMIN, SWP };

static uint64_t modify(enum rmw op, unsigned z, uint64_t old, uint64_t operand)
{
    int64_t a = sign_extend(old, 8u << z), b = sign_extend(operand, 8u << z);
    switch (op) {
    case ADD:
        return old + operand;
    case CLR:
        return old & ~operand;
    case EOR:
        return old ^ operand;
    case SET:
        return old | operand;
    case SMAX:
        return a > b ? old : operand;
    case SMIN:
        return a < b ? old : operand;
    case UMAX:
        return old > operand ? old : operand;
    case UMIN:
        return old < operand ? old : operand;
    case SWP:
        break;
    }
    return operand;
}

static enum a64_step read_modify_write(struct a64_cpu *cpu, const struct a64_insn *in, enum rmw op)
{
    uint64_t va;
    if (!exec_base(cpu, in, &va))
        return A64_BRANCHED;
    void *at = a64_atomic_ptr(cpu, va, 1u << in->z);
    if (!at)
        return A64_BRANCHED;
    uint64_t operand = bits(a64_x(cpu, in->s), 0, 8u << in->z);
    uint64_t old[2] = {load_relaxed(at, in->z), 0}, new[2] = {0, 0};
    do {
        new[0] = modify(op, in->z, old[0], operand);
    } while (!swap_if(at, in->z, old, new));
    a64_set_x(cpu, in->d, old[0]);
    return A64_NEXT;
}

#define A64_EXEC_RMW(name, op)                                                                     \
    A64_EXEC(name)                                                                                 \
    {                                                                                              \
        return read_modify_write(cpu, in, op);                                                     \
    }

A64_EXEC_RMW(LDADD, ADD)
A64_EXEC_RMW(LDCLR, CLR)
A64_EXEC_RMW(LDEOR, EOR)
A64_EXEC_RMW(LDSET, SET)
A64_EXEC_RMW(LDSMAX, SMAX)
A64_EXEC_RMW(LDSMIN, SMIN)
A64_EXEC_RMW(LDUMAX, UMAX)
A64_EXEC_RMW(LDUMIN, UMIN)
A64_EXEC_RMW(SWP, SWP)

A64_EXEC(CAS)
{
    uint64_t va;
    if (!exec_base(cpu, in, &va))
        return A64_BRANCHED;
    void *at = a64_atomic_ptr(cpu, va, 1u << in->z);
    if (!at)
        return A64_BRANCHED;
    uint64_t expected[2] = {bits(a64_x(cpu, in->s), 0, 8u << in->z), 0};
    uint64_t desired[2] = {a64_x(cpu, in->d), 0};
    swap_if(at, in->z, expected, desired);
    a64_set_x(cpu, in->s, expected[0]);
    return A64_NEXT;
}

A64_EXEC(CASP)
{
    uint64_t va, expected[2], desired[2];
    if (!exec_base(cpu, in, &va))
        return A64_BRANCHED;
    void *at = a64_atomic_ptr(cpu, va, in->f ? 16 : 8);
    if (!at)
        return A64_BRANCHED;
    pair_value(cpu, in, in->s, in->s + 1u, expected);
    pair_value(cpu, in, in->d, in->d + 1u, desired);
    swap_if(at, in->f ? 4 : 3, expected, desired);
    a64_set_x(cpu, in->s, in->f ? expected[0] : (uint32_t)expected[0]);
    a64_set_x(cpu, in->s + 1u, in->f ? expected[1] : expected[0] >> 32);
    return A64_NEXT;
}
