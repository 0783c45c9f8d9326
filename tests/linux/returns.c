/* returns.c: calls that return elsewhere than calls do, much deeper, never, or into code that is no
 * longer what called. The translator makes calls and returns of the host of them, on a stack that
 * all of this gets out of step.
 */
#include "tally.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>

#define NOINLINE __attribute__((noinline, noclone))

/* --- depth ------------------------------------------------------------------------------------ */

static NOINLINE unsigned long depth_sum(unsigned long n)
{
    unsigned long rest = n ? depth_sum(n - 1) : 0;
    __asm__ volatile("" : "+r"(rest)); /* no loop */
    return rest + n;
}

static void *deep_thread(void *arg)
{
    unsigned long n = (unsigned long)arg;
    return (void *)depth_sum(n);
}

static void test_depth(void)
{
    OK(depth_sum(100000) == 5000050000ul);
    for (unsigned long n = 8180; n < 8200; n++)
        OK(depth_sum(n) == n * (n + 1) / 2);
    pthread_t threads[4];
    void *sum;
    for (unsigned long i = 0; i < 4; i++)
        OK(pthread_create(&threads[i], NULL, deep_thread, (void *)(50000 + i)) == 0);
    for (unsigned long i = 0; i < 4; i++)
        OK(pthread_join(threads[i], &sum) == 0 &&
           (unsigned long)sum == (50000 + i) * (50001 + i) / 2);
}

/* --- calls that never return ------------------------------------------------------------------ */

static jmp_buf back;

static NOINLINE unsigned long thrower(unsigned n, unsigned value)
{
    static volatile bool throws = true;
    if (n == 0 && throws)
        longjmp(back, (int)value);
    return n ? thrower(n - 1, value) + 1 : 0;
}

static void test_longjmp(void)
{
    volatile unsigned long sum = 0;
    for (volatile unsigned i = 1; i <= 30000; i++) {
        int value = setjmp(back);
        if (!value)
            thrower(i % 40, i);
        sum += (unsigned)value;
    }
    OK(sum == 30000ul * 30001 / 2);
    OK(depth_sum(1000) == 500500);
}

static ucontext_t ring[16];
static unsigned long ring_sum;

static void ring_member(int me)
{
    for (unsigned turn = 0; turn < 500; turn++) {
        ring_sum += depth_sum((unsigned)me % 5);
        swapcontext(&ring[me], &ring[(me + 1) % 16]);
    }
}

static void test_contexts(void)
{
    enum { STACK = 64 << 10 };
    for (int i = 1; i < 16; i++) {
        getcontext(&ring[i]);
        ring[i].uc_stack.ss_sp = malloc(STACK);
        ring[i].uc_stack.ss_size = STACK;
        ring[i].uc_link = &ring[0];
        makecontext(&ring[i], (void (*)(void))ring_member, 1, i);
    }
    ring_member(0);
    unsigned long expected = 0;
    for (unsigned i = 0; i < 16; i++)
        expected += 500 * (i % 5) * (i % 5 + 1) / 2;
    OK(ring_sum == expected);
}

/* --- returns that are none -------------------------------------------------------------------- */

/* Counts down by returning to itself; then by returning from another register. */
static void test_odd_returns(void)
{
    unsigned long turns = 0;
    __asm__ volatile("mov x9, #1000\n"
                     "mov %0, #0\n"
                     "adr x30, 1f\n"
                     "1: add %0, %0, #1\n"
                     "subs x9, x9, #1\n"
                     "b.eq 2f\n"
                     "ret\n"
                     "2: adr x10, 3f\n"
                     "bl 4f\n"
                     "add %0, %0, #100\n" /* passed over */
                     "3: b 5f\n"
                     "4: ret x10\n"
                     "5:\n"
                     : "+r"(turns)
                     :
                     : "x9", "x10", "x30", "cc");
    OK(turns == 1000);
}

static sigjmp_buf out;
static uintptr_t fault_pc;
static int fault_signal;

static void on_fault(int signal, siginfo_t *info, void *context)
{
    fault_pc = ((ucontext_t *)context)->uc_mcontext.pc;
    fault_signal = signal;
    siglongjmp(out, 1);
}

static NOINLINE void return_to(uintptr_t address)
{
    __asm__ volatile("mov x30, %0\n ret\n" ::"r"(address) : "x30");
}

static void test_returns_to_nowhere(void)
{
    static const struct {
        uintptr_t address;
        int signal;
    } cases[] = {{UINTPTR_MAX, SIGBUS}, {0, SIGSEGV}, {0x1000, SIGSEGV}, {2, SIGBUS}};
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fault_signal = 0;
        if (!sigsetjmp(out, 1))
            return_to(cases[i].address);
        OK(fault_signal == cases[i].signal);
        OK(cases[i].signal != SIGSEGV || fault_pc == cases[i].address);
    }
}

/* --- code that changes while what it called runs ---------------------------------------------- */

static uint32_t *code;

static NOINLINE void patch(uint32_t value)
{
    code[3] = 0x52800000u | value << 5; /* mov w0, #value */
    __builtin___clear_cache((char *)&code[3], (char *)&code[4]);
}

static NOINLINE void unmap(uint32_t value)
{
    (void)value;
    munmap(code, 4096);
}

/* The code calls f(value) and returns 1, or what f makes of that. */
static unsigned call_code(void (*f)(uint32_t), uint32_t value)
{
    return ((unsigned (*)(uint32_t, void (*)(uint32_t)))code)(value, f);
}

static void test_changed_callers(void)
{
    static const uint32_t words[] = {
        0xa9bf7bfd, /* stp x29, x30, [sp, #-16]! */
        0x910003fd, /* mov x29, sp */
        0xd63f0020, /* blr x1 */
        0x52800020, /* mov w0, #1 */
        0xa8c17bfd, /* ldp x29, x30, [sp], #16 */
        0xd65f03c0, /* ret */
    };
    code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (!OK(code != MAP_FAILED))
        return;
    memcpy(code, words, sizeof(words));
    __builtin___clear_cache((char *)code, (char *)code + sizeof(words));
    for (uint32_t i = 0; i < 300; i++)
        OK(call_code(patch, i) == i);
    uintptr_t page = (uintptr_t)code;
    fault_signal = 0;
    if (!sigsetjmp(out, 1))
        call_code(unmap, 0);
    OK(fault_signal == SIGSEGV && fault_pc == page + 12);
}

/* --- signals in the middle of it -------------------------------------------------------------- */

static volatile unsigned ticks;

static void on_tick(int signal)
{
    (void)signal;
    ticks += depth_sum(300) == 45150;
}

static void test_signals(void)
{
    const struct itimerval often = {{0, 500}, {0, 500}}, never = {{0, 0}, {0, 0}};
    struct sigaction action = {.sa_handler = on_tick};
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    for (unsigned i = 0; i < 100000 && ticks < 50; i++)
        if (depth_sum(9000 + i % 7) != (9000ul + i % 7) * (9001 + i % 7) / 2)
            OK(!"the sum");
    setitimer(ITIMER_REAL, &never, NULL);
    OK(ticks >= 50);
}

int main(void)
{
    test_depth();
    test_longjmp();
    test_contexts();
    test_odd_returns();
    test_returns_to_nowhere();
    test_changed_callers();
    test_signals();
    return tally_end();
}
