/* regions.c: loops that run long enough for the translator's second tier, and what may happen to
 * them there: faults, signals, fork, and their code changing or going away.
 */
#include "tally.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 64, WORDS = PAGE / 8, STORES = PAGES * WORDS };

/* --- faults ----------------------------------------------------------------------------------- */

static unsigned faults, wrong_faults;

/* sum = n + (n - 1) + ... down to i, stored at each step; each page faults once. */
static void on_fault(int sig, siginfo_t *info, void *context)
{
    const ucontext_t *u = context;
    uint64_t at = u->uc_mcontext.regs[9], sum = u->uc_mcontext.regs[10];
    uint64_t i = u->uc_mcontext.regs[11];
    uint32_t insn = *(const uint32_t *)(uintptr_t)u->uc_mcontext.pc;
    bool right = insn == 0xf800852a /* str x10, [x9], #8 */ && at == (uintptr_t)info->si_addr &&
                 sum == (STORES + i) * (STORES - i + 1) / 2 && u->uc_mcontext.regs[12] == 12;
    faults++;
    wrong_faults += !right;
    mprotect((void *)(uintptr_t)(at & ~(uint64_t)(PAGE - 1)), PAGE, PROT_READ | PROT_WRITE);
}

static void test_faults(void)
{
    uint64_t *data = mmap(NULL, PAGES * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct sigaction act = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO}, old;
    OK(data != MAP_FAILED && sigaction(SIGSEGV, &act, &old) == 0);
    register uint64_t *at __asm__("x9") = data;
    register uint64_t sum __asm__("x10") = 0;
    register uint64_t i __asm__("x11") = STORES;
    register uint64_t twelve __asm__("x12") = 12;
    __asm__ volatile("1: add x10, x10, x11\n"
                     "str x10, [x9], #8\n"
                     "subs x11, x11, #1\n"
                     "b.ne 1b\n"
                     : "+r"(at), "+r"(sum), "+r"(i), "+r"(twelve)
                     :
                     : "memory", "cc");
    uint64_t total = sum;
    uint64_t *end = at;
    sigaction(SIGSEGV, &old, NULL);
    OK(end == data + STORES && total == (uint64_t)STORES * (STORES + 1) / 2);
    OK(faults == PAGES && wrong_faults == 0);
    bool same = true;
    for (uint64_t k = 0, expected = 0; k < STORES; k++)
        same &= data[k] == (expected += STORES - k);
    OK(same);
    munmap(data, PAGES * PAGE);
}

/* --- signals ---------------------------------------------------------------------------------- */

static sigjmp_buf out;
static volatile unsigned rings;

static void on_alarm(int sig)
{
    if (++rings == 10)
        siglongjmp(out, 1);
}

/* A loop that looks at nothing: only the signal ends it. */
static void test_signals(void)
{
    struct itimerval often = {{0, 5000}, {0, 5000}}, never = {{0, 0}, {0, 0}};
    signal(SIGALRM, on_alarm);
    if (!sigsetjmp(out, 1)) {
        setitimer(ITIMER_REAL, &often, NULL);
        __asm__ volatile("1: add x9, x9, #1\n"
                         "eor x10, x10, x9\n"
                         "b 1b\n" ::
                             : "x9", "x10");
    }
    setitimer(ITIMER_REAL, &never, NULL);
    signal(SIGALRM, SIG_DFL);
    OK(rings == 10);
}

/* --- fork ------------------------------------------------------------------------------------- */

static __attribute__((noinline)) uint64_t mix(unsigned n)
{
    uint64_t x = 1;
    for (unsigned i = 0; i < n; i++)
        x = (x ^ (x >> 7)) * 0x9e3779b97f4a7c15ull + i;
    return x;
}

static void test_fork(void)
{
    uint64_t expected = mix(20000);
    for (int i = 0; i < 5; i++) {
        int status;
        pid_t child = fork();
        if (child == 0)
            _exit(mix(20000) != expected);
        OK(child > 0 && mix(20000) == expected);
        OK(waitpid(child, &status, 0) == child && status == 0);
    }
}

/* --- code that changes ------------------------------------------------------------------------ */

static uint32_t *code;
static volatile bool running;

static void *run_code(void *arg)
{
    running = true;
    return (void *)(uintptr_t)((uint64_t(*)(uint64_t))(uintptr_t)code)(1);
}

static void write_code(uint32_t second)
{
    code[0] = 0x91000800; /* add x0, x0, #2 */
    code[1] = second;
    __builtin___clear_cache((char *)code, (char *)(code + 2));
}

/* Another thread goes round in the loop while its branch becomes a return. */
static void test_patched(void)
{
    enum { BACK = 0x17ffffff /* b .-4 */, RET = 0xd65f03c0 };
    code = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    OK(code != MAP_FAILED);
    for (int i = 0; i < 5; i++) {
        pthread_t thread;
        void *result;
        running = false;
        write_code(BACK);
        OK(pthread_create(&thread, NULL, run_code, NULL) == 0);
        while (!running)
            usleep(100);
        usleep(20000);
        write_code(RET);
        OK(pthread_join(thread, &result) == 0 && ((uintptr_t)result & 1));
    }
}

/* A loop that is entered by indirect branches, at its head and behind it, and a function that lies
 * so that what finds the code of indirect branches may confuse the two. */
static void test_entries(void)
{
    enum { APART = 128 << 10, LOOPS = 32, LONG = 50000 };
    typedef uint64_t loop_fn(uint64_t turns, uint64_t sum);
    static const uint32_t words[] = {
        0x91000421 /* add x1, x1, #1 */, 0xf1000400 /* subs x0, x0, #1 */,
        0x54ffffc1 /* b.ne to the first */, 0xaa0103e0 /* mov x0, x1 */, 0xd65f03c0 /* ret */};
    uint8_t *loops = mmap(NULL, (LOOPS + 1) * APART, PROT_READ | PROT_WRITE | PROT_EXEC,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    OK(loops != MAP_FAILED);
    for (unsigned i = 0; i <= LOOPS; i++)
        memcpy(loops + i * APART, words, sizeof(words));
    __builtin___clear_cache((char *)loops, (char *)loops + (LOOPS + 1) * APART);
    bool right = true;
    for (unsigned i = 0; i < LOOPS; i++) {
        uint8_t *at = loops + i * APART;
        for (unsigned n = 0; n < 3; n++)
            right &= ((loop_fn *)at)(LONG, 0) == LONG;
        right &= ((loop_fn *)(at + APART))(1, 0) == 1;
        right &= ((loop_fn *)(at + 4))(LONG, 0) == LONG - 1;
    }
    OK(right);
    munmap(loops, (LOOPS + 1) * APART);
}

static void on_gone(int sig)
{
    siglongjmp(out, 1);
}

static void *unmap_later(void *arg)
{
    usleep(20000);
    munmap(code, PAGE);
    return NULL;
}

static void test_unmapped(void)
{
    pthread_t thread;
    write_code(0x17ffffff);
    signal(SIGSEGV, on_gone);
    OK(pthread_create(&thread, NULL, unmap_later, NULL) == 0);
    bool left = sigsetjmp(out, 1);
    if (!left)
        run_code(NULL);
    OK(left);
    OK(pthread_join(thread, NULL) == 0);
    signal(SIGSEGV, SIG_DFL);
}

int main(void)
{
    alarm(250);
    test_faults();
    test_fork();
    test_patched();
    test_entries();
    test_unmapped();
    test_signals(); /* last: takes SIGALRM */
    printf("%u passed, %u failed\n", tally_passed, tally_failed);
    return tally_failed != 0;
}
