/* atomics.c: threads add to shared counters in every way Arm64 offers; every sum must be exact.
 *
 * Usage: atomics THREADS ROUNDS. Prints a line for each way and "atomics passed" last.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS_MAX = 16 };

static union {
    uint64_t d[2];
    uint32_t w[4];
    uint16_t h[8];
    uint8_t b[16];
} __attribute__((aligned(64))) cell;
static uint64_t guarded; /* by the lock in the cell */
static unsigned threads, rounds;
static pthread_barrier_t barrier;

/* One increment by load and store exclusive of one size: register form, suffix, ordering. */
#define EXCLUSIVE(name, r, suffix, acquire, release)                                               \
    static void name(unsigned self)                                                                \
    {                                                                                              \
        uint64_t value;                                                                            \
        uint32_t failed;                                                                           \
        (void)self;                                                                                \
        __asm__ volatile("1: ld" acquire "xr" suffix " %" r "0, [%2]\n"                            \
                         "add %" r "0, %" r "0, #1\n"                                              \
                         "st" release "xr" suffix " %w1, %" r "0, [%2]\n"                          \
                         "cbnz %w1, 1b"                                                            \
                         : "=&r"(value), "=&r"(failed)                                             \
                         : "r"(&cell)                                                              \
                         : "memory");                                                              \
    }
EXCLUSIVE(ldxr8, "w", "b", "", "")
EXCLUSIVE(ldxr16, "w", "h", "", "")
EXCLUSIVE(ldxr32, "w", "", "", "")
EXCLUSIVE(ldxr64, "x", "", "", "")
EXCLUSIVE(ldaxr8, "w", "b", "a", "l")
EXCLUSIVE(ldaxr32, "w", "", "a", "l")
EXCLUSIVE(ldaxr64, "x", "", "a", "l")

static void ldxp(unsigned self)
{
    uint64_t lo, hi;
    uint32_t failed;
    (void)self;
    __asm__ volatile("1: ldxp %0, %1, [%3]\n add %0, %0, #1\n add %1, %1, #1\n"
                     "stxp %w2, %0, %1, [%3]\n cbnz %w2, 1b"
                     : "=&r"(lo), "=&r"(hi), "=&r"(failed)
                     : "r"(&cell)
                     : "memory");
}

#define LSE(name, r, suffix)                                                                       \
    static void name(unsigned self)                                                                \
    {                                                                                              \
        uint64_t old;                                                                              \
        (void)self;                                                                                \
        __asm__ volatile(".arch armv8.1-a\n ldadd" suffix " %" r "1, %" r "0, [%2]"                \
                         : "=r"(old)                                                               \
                         : "r"(1ul), "r"(&cell)                                                    \
                         : "memory");                                                              \
    }
LSE(ldadd8, "w", "b")
LSE(ldadd16, "w", "h")
LSE(ldadd32, "w", "al")
LSE(ldadd64, "x", "")

static void cas64(unsigned self)
{
    uint64_t old = cell.d[0], seen;
    (void)self;
    do {
        seen = old;
        __asm__ volatile(".arch armv8.1-a\n casal %0, %1, [%2]"
                         : "+r"(old)
                         : "r"(seen + 1), "r"(&cell)
                         : "memory");
    } while (old != seen);
}

static void casp(unsigned self)
{
    register uint64_t lo __asm__("x0"), hi __asm__("x1");
    register uint64_t new_lo __asm__("x2"), new_hi __asm__("x3");
    uint64_t seen_lo = cell.d[0], seen_hi = cell.d[1];
    (void)self;
    for (;;) {
        lo = seen_lo;
        hi = seen_hi;
        new_lo = lo + 1;
        new_hi = hi + 1;
        __asm__ volatile(".arch armv8.1-a\n caspal x0, x1, x2, x3, [%4]"
                         : "+r"(lo), "+r"(hi)
                         : "r"(new_lo), "r"(new_hi), "r"(&cell)
                         : "memory");
        if (lo == seen_lo && hi == seen_hi)
            return;
        seen_lo = lo;
        seen_hi = hi;
    }
}

/* Even threads add to the low word as 32 bits, odd ones to the high word by way of all 64. */
static void mixed(unsigned self)
{
    if (!(self & 1)) {
        ldxr32(self);
        return;
    }
    uint64_t old;
    __asm__ volatile(".arch armv8.1-a\n ldaddal %1, %0, [%2]"
                     : "=r"(old)
                     : "r"(1ul << 32), "r"(&cell)
                     : "memory");
}

/* A lock made of SWPA and STLR around a plain addition. */
static void swap_lock(unsigned self)
{
    uint32_t busy;
    (void)self;
    do
        __asm__ volatile(".arch armv8.1-a\n swpa %w1, %w0, [%2]"
                         : "=&r"(busy)
                         : "r"(1), "r"(&cell.w[0])
                         : "memory");
    while (busy);
    guarded++;
    __asm__ volatile("stlr wzr, [%0]" : : "r"(&cell.w[0]) : "memory");
}

/* A ticket lock of exclusives and acquires. */
static void ticket_lock(unsigned self)
{
    uint32_t ticket, next, failed;
    (void)self;
    __asm__ volatile("1: ldaxr %w0, [%3]\n add %w1, %w0, #1\n stxr %w2, %w1, [%3]\n cbnz %w2, 1b"
                     : "=&r"(ticket), "=&r"(next), "=&r"(failed)
                     : "r"(&cell.w[0])
                     : "memory");
    unsigned spins = 0;
    while (__atomic_load_n(&cell.w[1], __ATOMIC_ACQUIRE) != ticket)
        if (++spins % 64 == 0)
            sched_yield();
    guarded++;
    __atomic_store_n(&cell.w[1], ticket + 1, __ATOMIC_RELEASE);
}

static uint64_t all(void)
{
    return (uint64_t)threads * rounds;
}

static int is_8(void)
{
    return cell.b[0] == (uint8_t)all() && !cell.b[1];
}

static int is_16(void)
{
    return cell.h[0] == (uint16_t)all() && !cell.h[1];
}

static int is_32(void)
{
    return cell.w[0] == (uint32_t)all() && !cell.w[1];
}

static int is_64(void)
{
    return cell.d[0] == all() && !cell.d[1];
}

static int is_pair(void)
{
    return cell.d[0] == all() && cell.d[1] == all();
}

static int is_mixed(void)
{
    uint32_t odd = threads / 2 * rounds;
    return cell.w[0] == (uint32_t)all() - odd && cell.w[1] == odd;
}

static int is_guarded(void)
{
    return guarded == all();
}

static const struct way {
    const char *name;
    void (*add)(unsigned self);
    int (*right)(void);
    unsigned divide; /* rounds by this */
} ways[] = {
    {"ldxrb", ldxr8, is_8, 1},
    {"ldxrh", ldxr16, is_16, 1},
    {"ldxr w", ldxr32, is_32, 1},
    {"ldxr x", ldxr64, is_64, 1},
    {"ldaxrb", ldaxr8, is_8, 1},
    {"ldaxr w", ldaxr32, is_32, 1},
    {"ldaxr x", ldaxr64, is_64, 1},
    {"ldxp", ldxp, is_pair, 1},
    {"ldaddb", ldadd8, is_8, 1},
    {"ldaddh", ldadd16, is_16, 1},
    {"ldaddal w", ldadd32, is_32, 1},
    {"ldadd x", ldadd64, is_64, 1},
    {"casal", cas64, is_64, 1},
    {"caspal", casp, is_pair, 1},
    {"mixed sizes", mixed, is_mixed, 1},
    {"swpa lock", swap_lock, is_guarded, 20},
    {"ticket lock", ticket_lock, is_guarded, 20},
};
static const struct way *way;

static void *run(void *arg)
{
    pthread_barrier_wait(&barrier);
    for (unsigned i = 0; i < rounds; i++)
        way->add((unsigned)(uintptr_t)arg);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t ids[THREADS_MAX];
    unsigned wrong = 0, all_rounds = argc > 2 ? (unsigned)atoi(argv[2]) : 100000;
    threads = argc > 1 ? (unsigned)atoi(argv[1]) : 4;
    if (threads > THREADS_MAX)
        threads = THREADS_MAX;
    pthread_barrier_init(&barrier, NULL, threads);
    for (way = ways; way < ways + sizeof(ways) / sizeof(ways[0]); way++) {
        memset(&cell, 0, sizeof(cell));
        guarded = 0;
        rounds = all_rounds / way->divide;
        for (uintptr_t i = 0; i < threads; i++)
            pthread_create(&ids[i], NULL, run, (void *)i);
        for (unsigned i = 0; i < threads; i++)
            pthread_join(ids[i], NULL);
        int right = way->right();
        wrong += !right;
        printf("%s: %s\n", way->name, right ? "ok" : "WRONG");
        if (!right)
            printf("  %#llx %#llx, guarded %llu of %llu\n", (unsigned long long)cell.d[0],
                   (unsigned long long)cell.d[1], (unsigned long long)guarded,
                   (unsigned long long)all());
        fflush(stdout);
    }
    puts(wrong ? "atomics FAILED" : "atomics passed");
    return wrong != 0;
}
