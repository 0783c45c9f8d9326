/* litmus.h: memory order between threads: what the Arm memory model (DDI 0487 B2.3) forbids must
 * not be seen, and atomics must not lose updates. For bare-metal guests (tests/guest) and for
 * programs (tests/linux), which say how their threads are numbered and started.
 *
 * Each thread runs its code over a row of variable pairs, all threads along the same row at once,
 * with a spin barrier between the rows: a barrier for each pair would take a time slice each where
 * the host has fewer processors than the guest. Only forbidden outcomes are failures: that a weak
 * outcome never shows is allowed.
 */
#ifndef PENG_TESTS_LITMUS_H
#define PENG_TESTS_LITMUS_H

#include <stdbool.h>
#include <stdint.h>

static inline unsigned litmus_thread(void); /* which of the threads this is, from 0 */
static inline void litmus_pause(void);      /* while a barrier waits */
/* Runs work() on `count` threads and waits for them. */
static void litmus_run(unsigned count, void (*work)(void));
static void litmus_check(const char *name, uint64_t got, uint64_t wanted);

enum { ROWS = 60, PAIRS = 128, ROUNDS = 10000, THREADS = 4, LINE = 128 };

/* Each variable in a cache line of its own. */
struct cell {
    volatile uint64_t value;
    uint8_t pad[LINE - 8];
} __attribute__((aligned(LINE)));

static struct cell xs[PAIRS], ys[PAIRS], turn, counter, lock;
static volatile uint64_t results[PAIRS][THREADS][2];
static volatile unsigned forbidden;
static unsigned threads;

static void barrier(uint64_t round)
{
    __atomic_add_fetch(&turn.value, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&turn.value, __ATOMIC_SEQ_CST) < round * threads)
        litmus_pause();
}

/* --- the threads' code: thread, and where its two results go -----------------------------------
 */

static void mp_dmb(unsigned thread, struct cell *x, struct cell *y, volatile uint64_t *r)
{
    uint64_t a = 0, b = 0;
    if (thread == 0)
        __asm__ volatile("str %2, [%0]\n dmb ishst\n str %2, [%1]" ::"r"(x), "r"(y), "r"(1ul)
                         : "memory");
    else if (thread == 1)
        __asm__ volatile("ldr %0, [%3]\n dmb ishld\n ldr %1, [%2]"
                         : "=&r"(a), "=&r"(b)
                         : "r"(x), "r"(y)
                         : "memory");
    r[0] = a;
    r[1] = b;
}

static void mp_release_acquire(unsigned thread, struct cell *x, struct cell *y,
                               volatile uint64_t *r)
{
    uint64_t a = 0, b = 0;
    if (thread == 0)
        __asm__ volatile("str %2, [%0]\n stlr %2, [%1]" ::"r"(x), "r"(y), "r"(1ul) : "memory");
    else if (thread == 1)
        __asm__ volatile("ldar %0, [%3]\n ldr %1, [%2]"
                         : "=&r"(a), "=&r"(b)
                         : "r"(x), "r"(y)
                         : "memory");
    r[0] = a;
    r[1] = b;
}

/* Address dependency instead of an acquire. */
static void mp_dependency(unsigned thread, struct cell *x, struct cell *y, volatile uint64_t *r)
{
    uint64_t a = 0, b = 0, t;
    if (thread == 0)
        __asm__ volatile("str %2, [%0]\n dmb ish\n str %2, [%1]" ::"r"(x), "r"(y), "r"(1ul)
                         : "memory");
    else if (thread == 1)
        __asm__ volatile("ldr %0, [%4]\n eor %2, %0, %0\n ldr %1, [%3, %2]"
                         : "=&r"(a), "=&r"(b), "=&r"(t)
                         : "r"(x), "r"(y)
                         : "memory");
    r[0] = a;
    r[1] = b;
}

static void sb_dmb(unsigned thread, struct cell *x, struct cell *y, volatile uint64_t *r)
{
    uint64_t a = 1;
    volatile void *mine = thread ? (void *)y : (void *)x;
    volatile void *other = thread ? (void *)x : (void *)y;
    if (thread < 2)
        __asm__ volatile("str %3, [%1]\n dmb ish\n ldr %0, [%2]"
                         : "=&r"(a)
                         : "r"(mine), "r"(other), "r"(1ul)
                         : "memory");
    r[0] = a;
}

/* STLR then LDAR of another address are ordered (RCsc). */
static void sb_release_acquire(unsigned thread, struct cell *x, struct cell *y,
                               volatile uint64_t *r)
{
    uint64_t a = 1;
    volatile void *mine = thread ? (void *)y : (void *)x;
    volatile void *other = thread ? (void *)x : (void *)y;
    if (thread < 2)
        __asm__ volatile("stlr %3, [%1]\n ldar %0, [%2]"
                         : "=&r"(a)
                         : "r"(mine), "r"(other), "r"(1ul)
                         : "memory");
    r[0] = a;
}

static void lb_dmb(unsigned thread, struct cell *x, struct cell *y, volatile uint64_t *r)
{
    uint64_t a = 0;
    volatile void *from = thread ? (void *)y : (void *)x;
    volatile void *to = thread ? (void *)x : (void *)y;
    if (thread < 2)
        __asm__ volatile("ldr %0, [%1]\n dmb ish\n str %3, [%2]"
                         : "=&r"(a)
                         : "r"(from), "r"(to), "r"(1ul)
                         : "memory");
    r[0] = a;
}

static void iriw(unsigned thread, struct cell *x, struct cell *y, volatile uint64_t *r)
{
    uint64_t a = 0, b = 0;
    volatile void *first = thread == 2 ? (void *)x : (void *)y;
    volatile void *second = thread == 2 ? (void *)y : (void *)x;
    if (thread == 0)
        __asm__ volatile("stlr %1, [%0]" ::"r"(x), "r"(1ul) : "memory");
    else if (thread == 1)
        __asm__ volatile("stlr %1, [%0]" ::"r"(y), "r"(1ul) : "memory");
    else
        __asm__ volatile("ldar %0, [%2]\n ldar %1, [%3]"
                         : "=&r"(a), "=&r"(b)
                         : "r"(first), "r"(second)
                         : "memory");
    r[0] = a;
    r[1] = b;
}

/* --- what is forbidden -------------------------------------------------------------------------
 */

static bool saw_flag_without_data(volatile uint64_t r[THREADS][2])
{
    return r[1][0] == 1 && r[1][1] == 0;
}

static bool both_zero(volatile uint64_t r[THREADS][2])
{
    return r[0][0] == 0 && r[1][0] == 0;
}

static bool both_one(volatile uint64_t r[THREADS][2])
{
    return r[0][0] == 1 && r[1][0] == 1;
}

static bool different_orders(volatile uint64_t r[THREADS][2])
{
    return r[2][0] == 1 && r[2][1] == 0 && r[3][0] == 1 && r[3][1] == 0;
}

static const struct litmus {
    const char *name;
    unsigned threads;
    void (*run)(unsigned thread, struct cell *x, struct cell *y, volatile uint64_t *r);
    bool (*is_forbidden)(volatile uint64_t r[THREADS][2]);
} tests[] = {
    {"message passing with barriers", 2, mp_dmb, saw_flag_without_data},
    {"message passing with release and acquire", 2, mp_release_acquire, saw_flag_without_data},
    {"message passing with an address dependency", 2, mp_dependency, saw_flag_without_data},
    {"store buffering with barriers", 2, sb_dmb, both_zero},
    {"store buffering with release and acquire", 2, sb_release_acquire, both_zero},
    {"load buffering with barriers", 2, lb_dmb, both_one},
    {"independent reads of independent writes", 4, iriw, different_orders},
};
static const struct litmus *running;

static void run_thread(void)
{
    unsigned thread = litmus_thread();
    uint64_t step = 0;
    for (unsigned row = 0; row < ROWS; row++) {
        barrier(++step);
        for (unsigned i = 0; i < PAIRS; i++)
            running->run(thread, &xs[i], &ys[i], results[i][thread]);
        barrier(++step);
        for (unsigned i = 0; thread == 0 && i < PAIRS; i++) {
            forbidden += running->is_forbidden(results[i]);
            xs[i].value = ys[i].value = 0;
        }
    }
}

/* --- atomics -----------------------------------------------------------------------------------
 */

static void add_lse(void)
{
    for (unsigned i = 0; i < ROUNDS; i++)
        __asm__ volatile("ldadd %1, xzr, [%0]" ::"r"(&counter), "r"(1ul) : "memory");
}

static void add_exclusive(void)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t value;
        uint32_t failed;
        do
            __asm__ volatile("ldxr %0, [%2]\n add %0, %0, #1\n stxr %w1, %0, [%2]"
                             : "=&r"(value), "=&r"(failed)
                             : "r"(&counter)
                             : "memory");
        while (failed);
    }
}

static void add_cas(void)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t seen = counter.value, wanted;
        do {
            wanted = seen;
            __asm__ volatile("casal %0, %2, [%1]"
                             : "+r"(seen)
                             : "r"(&counter), "r"(wanted + 1)
                             : "memory");
        } while (seen != wanted);
    }
}

/* A byte of the counter's neighbour in the same word, so that narrow atomics must not touch more.
 */
static void add_bytes(void)
{
    volatile uint8_t *byte = (volatile uint8_t *)&counter.value + litmus_thread() * 2;
    for (unsigned i = 0; i < ROUNDS; i++)
        __asm__ volatile("ldaddh %w1, wzr, [%0]" ::"r"(byte), "r"(1) : "memory");
}

/* ldxp/stxp: both halves always move together. */
static uint64_t pair[2] __attribute__((aligned(16)));
static void add_pair(void)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t a, b;
        uint32_t failed;
        do
            __asm__ volatile("ldaxp %0, %1, [%3]\n add %0, %0, #1\n sub %1, %1, #1\n"
                             "stlxp %w2, %0, %1, [%3]"
                             : "=&r"(a), "=&r"(b), "=&r"(failed)
                             : "r"(pair)
                             : "memory");
        while (failed);
    }
}

/* A lock as Linux had it: LDAXR, WFE while it is held, STLR to let go (which wakes the waiters). */
static void add_locked(void)
{
    for (unsigned i = 0; i < ROUNDS / 10; i++) {
        uint32_t t, failed;
        __asm__ volatile("sevl\n"
                         "1: wfe\n"
                         "2: ldaxr %w0, [%2]\n cbnz %w0, 1b\n stxr %w1, %w3, [%2]\n cbnz %w1, 2b"
                         : "=&r"(t), "=&r"(failed)
                         : "r"(&lock), "r"(1)
                         : "memory");
        counter.value = counter.value + 1;
        __asm__ volatile("stlr wzr, [%0]\n dsb ish\n sev" ::"r"(&lock) : "memory");
    }
}

static const struct {
    const char *name;
    void (*work)(void);
    uint64_t wanted;
} counters[] = {
    {"LDADD loses nothing", add_lse, THREADS *ROUNDS},
    {"LDXR and STXR lose nothing", add_exclusive, THREADS *ROUNDS},
    {"CAS loses nothing", add_cas, THREADS *ROUNDS},
    {"narrow atomics in one word", add_bytes, 0x0001000100010001ul * ROUNDS},
    {"a lock with WFE", add_locked, THREADS *(ROUNDS / 10)},
};

static inline void litmus_all(void)
{
    for (unsigned i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        running = &tests[i];
        threads = tests[i].threads;
        turn.value = forbidden = 0;
        litmus_run(threads, run_thread);
        litmus_check(tests[i].name, forbidden, 0);
    }
    for (unsigned i = 0; i < sizeof counters / sizeof counters[0]; i++) {
        counter.value = lock.value = 0;
        litmus_run(THREADS, counters[i].work);
        litmus_check(counters[i].name, counter.value, counters[i].wanted);
    }
    pair[0] = pair[1] = 0;
    litmus_run(THREADS, add_pair);
    litmus_check("LDXP and STXP: the first", pair[0], THREADS * ROUNDS);
    litmus_check("LDXP and STXP: the second", pair[1], -(uint64_t)(THREADS * ROUNDS));
}

#endif
