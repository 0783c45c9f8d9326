/* jit.c: code that programs make, change, move and jump to, as just-in-time compilers do.
 *
 * Usage: jit THREADS ROUNDS. Prints a line for each case and "jit passed" last.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096, THREADS_MAX = 16 };

typedef uint32_t (*function)(void);

static unsigned threads, rounds;

static void clear(void *at, size_t bytes)
{
    __builtin___clear_cache((char *)at, (char *)at + bytes);
}

/* mov w0, #n ; b +8 ; udf ; mov w1, #n ; cmp w0, w1 ; csinv w0, w0, wzr, eq ; ret */
static void put_function(uint32_t *at, uint16_t n)
{
    at[0] = 0x52800000u | (uint32_t)n << 5;
    at[1] = 0x14000002u;
    at[2] = 0;
    at[3] = 0x52800001u | (uint32_t)n << 5;
    at[4] = 0x6b01001fu;
    at[5] = 0x5a9f0000u;
    at[6] = 0xd65f03c0u;
}

enum { FUNCTION_WORDS = 7 };

static uint32_t call(const void *at)
{
    function f;
    memcpy(&f, &at, sizeof(f));
    return f();
}

static void *map(int fd, int prot)
{
    void *p = mmap(NULL, PAGE, prot, fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED, fd, 0);
    if (p == MAP_FAILED) {
        perror("mmap");
        exit(1);
    }
    return p;
}

static int file_page(void)
{
    int fd = memfd_create("code", 0);
    if (fd < 0 || ftruncate(fd, PAGE) < 0) {
        perror("memfd");
        exit(1);
    }
    return fd;
}

/* Each thread writes, announces and calls in a page of its own. */
static unsigned rewrite(unsigned self)
{
    uint32_t *page = map(-1, PROT_READ | PROT_WRITE | PROT_EXEC);
    unsigned wrong = 0;
    for (unsigned i = 0; i < rounds; i++) {
        uint32_t *at = page + i * 37 % (PAGE / 4 - FUNCTION_WORDS);
        uint16_t n = (uint16_t)(i * 7 + self);
        put_function(at, n);
        clear(at, FUNCTION_WORDS * 4);
        wrong += call(at) != n;
        wrong += call(at) != n;
    }
    munmap(page, PAGE);
    return wrong;
}

/* Written through one mapping and run through another. */
static unsigned alias(unsigned self)
{
    int fd = file_page();
    uint32_t *data = map(fd, PROT_READ | PROT_WRITE);
    uint32_t *code = map(fd, PROT_READ | PROT_EXEC);
    unsigned wrong = 0;
    for (unsigned i = 0; i < rounds; i++) {
        unsigned at = i * 53 % (PAGE / 4 - FUNCTION_WORDS);
        uint16_t n = (uint16_t)(i * 11 + self);
        put_function(data + at, n);
        clear(data + at, FUNCTION_WORDS * 4);
        clear(code + at, FUNCTION_WORDS * 4);
        wrong += call(code + at) != n;
    }
    munmap(data, PAGE);
    munmap(code, PAGE);
    close(fd);
    return wrong;
}

/* Two pages of code take turns at one address; each is mapped at its own, too, where nothing may
 * ever change. */
static unsigned remap(unsigned self)
{
    uint16_t n[2] = {(uint16_t)(1000 + self), (uint16_t)(2000 + self)};
    uint32_t *own[2];
    int fd[2];
    for (unsigned k = 0; k < 2; k++) {
        fd[k] = file_page();
        uint32_t *data = map(fd[k], PROT_READ | PROT_WRITE);
        put_function(data + 16, n[k]);
        clear(data, PAGE);
        munmap(data, PAGE);
        own[k] = map(fd[k], PROT_READ | PROT_EXEC);
    }
    uint32_t *place = map(-1, PROT_READ);
    unsigned wrong = 0;
    for (unsigned i = 0; i < rounds / 4; i++) {
        unsigned k = i & 1;
        if (mmap(place, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_FIXED, fd[k], 0) != place)
            wrong++;
        wrong += call(place + 16) != n[k];
        wrong += call(own[k] + 16) != n[k];
        wrong += call(own[!k] + 16) != n[!k];
    }
    for (unsigned k = 0; k < 2; k++) {
        munmap(own[k], PAGE);
        close(fd[k]);
    }
    munmap(place, PAGE);
    return wrong;
}

/* Thread 0 rewrites a function that the others run: once told, they see the new one. */
static struct {
    uint32_t *page;
    uint32_t version;           /* published */
    uint32_t seen[THREADS_MAX]; /* by each reader */
} shared;

static unsigned told(unsigned self)
{
    unsigned wrong = 0;
    for (uint32_t v = 1; v <= rounds / 8; v++) {
        if (self == 0) {
            put_function(shared.page + 100, (uint16_t)v);
            clear(shared.page + 100, FUNCTION_WORDS * 4);
            __atomic_store_n(&shared.version, v, __ATOMIC_RELEASE);
            for (unsigned i = 1; i < threads; i++)
                while (__atomic_load_n(&shared.seen[i], __ATOMIC_ACQUIRE) != v)
                    sched_yield();
            continue;
        }
        while (__atomic_load_n(&shared.version, __ATOMIC_ACQUIRE) != v)
            sched_yield();
        __asm__ volatile("isb" : : : "memory");
        wrong += call(shared.page + 100) != (uint16_t)v;
        __atomic_store_n(&shared.seen[self], v, __ATOMIC_RELEASE);
    }
    return wrong;
}

/* --- threads ------------------------------------------------------------------------------------
 */

static unsigned (*job)(unsigned self);

static void *run(void *arg)
{
    return (void *)(uintptr_t)job((unsigned)(uintptr_t)arg);
}

static unsigned on_all(unsigned (*what)(unsigned self))
{
    pthread_t ids[THREADS_MAX];
    unsigned wrong = 0;
    job = what;
    for (uintptr_t i = 0; i < threads; i++)
        pthread_create(&ids[i], NULL, run, (void *)i);
    for (unsigned i = 0; i < threads; i++) {
        void *ret;
        pthread_join(ids[i], &ret);
        wrong += (unsigned)(uintptr_t)ret;
    }
    return wrong;
}

/* --- wild branches ------------------------------------------------------------------------------
 */

static sigjmp_buf caught;
static volatile uint64_t fault_address;

static void on_fault(int number, siginfo_t *info, void *context)
{
    (void)context;
    fault_address = (uint64_t)(uintptr_t)info->si_addr;
    siglongjmp(caught, number);
}

static unsigned wild(unsigned self)
{
    static const struct {
        uint64_t to;
        int signal;
    } rows[] = {
        {~0ull, SIGBUS},
        {~0ull - 1, SIGBUS},
        {~3ull, SIGSEGV},
        {0, SIGSEGV},
        {1, SIGBUS},
        {2, SIGBUS},
        {3, SIGBUS},
        {1ull << 47, SIGSEGV},
        {0x7ffffffffffcull, SIGSEGV},
        {0xffff800008000000ull, SIGSEGV},
        {0x0101010101010101ull, SIGBUS},
    };
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER};
    volatile unsigned wrong = 0;
    (void)self;
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    for (volatile unsigned round = 0; round < 3; round++) {
        for (volatile unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            int number = sigsetjmp(caught, 1);
            if (number == 0) {
                __asm__ volatile("br %0" : : "r"(rows[i].to));
                wrong++;
            } else if (number != rows[i].signal) {
                printf("  branch to %#llx: signal %d\n", (unsigned long long)rows[i].to, number);
                wrong++;
            }
        }
    }
    signal(SIGSEGV, SIG_DFL);
    signal(SIGBUS, SIG_DFL);
    return wrong;
}

/* A branch drops the tag of its target (TCR_EL1.TBI0), so PC never has one. */
static unsigned tagged(unsigned self)
{
    uint32_t *page = map(-1, PROT_READ | PROT_WRITE | PROT_EXEC);
    unsigned wrong = 0;
    (void)self;
    page[0] = 0x10000000u; /* adr x0, . */
    page[1] = 0xd65f03c0u; /* ret */
    clear(page, 8);
    for (uint64_t tag = 0; tag < 4; tag++) {
        uint64_t target = (uint64_t)(uintptr_t)page | tag << 56, pc;
        __asm__ volatile("blr %1\n mov %0, x0" : "=r"(pc) : "r"(target) : "x0", "x30", "memory");
        wrong += pc != (uint64_t)(uintptr_t)page;
    }
    munmap(page, PAGE);
    return wrong;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        unsigned (*run)(unsigned self);
        int alone;
    } tests[] = {
        {"rewritten code", rewrite, 0}, {"code by an alias", alias, 0},
        {"remapped code", remap, 0},    {"told of new code", told, 0},
        {"wild branches", wild, 1},     {"tagged branches", tagged, 1},
    };
    unsigned failed = 0;
    threads = argc > 1 ? (unsigned)atoi(argv[1]) : 4;
    rounds = argc > 2 ? (unsigned)atoi(argv[2]) : 2000;
    if (threads > THREADS_MAX)
        threads = THREADS_MAX;
    shared.page = map(-1, PROT_READ | PROT_WRITE | PROT_EXEC);
    for (unsigned i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        unsigned wrong = tests[i].alone ? tests[i].run(0) : on_all(tests[i].run);
        failed += wrong != 0;
        printf("%s: %s\n", tests[i].name, wrong ? "WRONG" : "ok");
        if (wrong)
            printf("  %u times\n", wrong);
        fflush(stdout);
    }
    puts(failed ? "jit FAILED" : "jit passed");
    return failed != 0;
}
