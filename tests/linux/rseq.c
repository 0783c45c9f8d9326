/* rseq.c: restartable sequences: counters by CPU that many threads raise without atomics must add
 * up, a signal aborts a section, and what the call itself says.
 */
#include "tally.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

enum { THREADS = 8, ROUNDS = 20000, CPUS = 1024 };

static struct {
    uint64_t value, pad[7];
} counters[CPUS];

static struct rseq *own(void)
{
    return (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset);
}

/* The descriptor, the section from 1: to 2:, and its abort handler behind the signature. */
#define DESCRIPTOR                                                                                 \
    ".pushsection __rseq_cs, \"aw\"\n"                                                             \
    ".balign 32\n"                                                                                 \
    "5: .word 0, 0\n"                                                                              \
    ".quad 1f, 2f - 1f, 4f\n"                                                                      \
    ".popsection\n"
#define ANNOUNCE                                                                                   \
    "adrp x9, 5b\n"                                                                                \
    "add x9, x9, :lo12:5b\n"                                                                       \
    "str x9, %[field]\n"
#define ABORT                                                                                      \
    "b 3f\n"                                                                                       \
    ".inst 0xd428bc00\n"                                                                           \
    "4: b %l[aborted]\n"                                                                           \
    "3:\n"

/* Adds one to this CPU's counter; the spinning between load and store invites others. */
static bool raise_counter(unsigned spin)
{
    uint32_t cpu = __atomic_load_n(&own()->cpu_id_start, __ATOMIC_RELAXED);
    uint64_t *value = &counters[cpu % CPUS].value;
    __asm__ goto(DESCRIPTOR ANNOUNCE "1: ldr w10, %[cpu_id]\n"
                                     "cmp w10, %w[cpu]\n"
                                     "b.ne %l[aborted]\n"
                                     "ldr x11, [%[value]]\n"
                                     "mov w10, %w[spin]\n"
                                     "6: subs w10, w10, #1\n"
                                     "b.hi 6b\n"
                                     "add x11, x11, #1\n"
                                     "str x11, [%[value]]\n"
                                     "2:\n" ABORT
                 :
                 : [field] "m"(own()->rseq_cs), [cpu_id] "m"(own()->cpu_id), [cpu] "r"(cpu),
                   [value] "r"(value), [spin] "r"(spin)
                 : "x9", "x10", "x11", "cc", "memory"
                 : aborted);
    return true;
aborted:
    return false;
}

static void *raise_many(void *arg)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        while (!raise_counter(i % 64 + 1))
            ;
        if (i % 1000 == 0)
            sched_yield();
    }
    return NULL;
}

static void sums(void)
{
    pthread_t threads[THREADS];
    uint64_t sum = 0;
    for (unsigned i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, raise_many, NULL);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (unsigned i = 0; i < CPUS; i++)
        sum += counters[i].value;
    OK(sum == (uint64_t)THREADS * ROUNDS);
}

static volatile uint64_t seen_pc, section_start, section_end;

static void on_signal(int signal, siginfo_t *info, void *context)
{
    seen_pc = ((ucontext_t *)context)->uc_mcontext.pc;
}

/* Spins inside a section until something aborts it. */
static bool spin_for_ever(void)
{
    uint64_t start, end;
    __asm__ volatile("adr %0, 7f\nadr %1, 8f" : "=r"(start), "=r"(end));
    section_start = start;
    section_end = end;
    __asm__ goto(DESCRIPTOR ANNOUNCE "1: 7: b 1b\n"
                                     "2: 8:\n" ABORT
                 :
                 : [field] "m"(own()->rseq_cs)
                 : "x9", "memory"
                 : aborted);
    return true;
aborted:
    return false;
}

static void signals(void)
{
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    sigaction(SIGALRM, &action, NULL);
    sigaction(SIGSEGV, &action, NULL);
    ualarm(20000, 0);
    while (!seen_pc)
        OK(!spin_for_ever());
    OK(seen_pc < section_start || seen_pc >= section_end);
    OK(own()->rseq_cs == 0);
    /* A fault inside: the handler sees the abort address as well, and nothing is done twice. */
    __asm__ goto(DESCRIPTOR ANNOUNCE "1: mov x10, #16\n"
                                     "ldr x10, [x10]\n"
                                     "2:\n" ABORT
                 :
                 : [field] "m"(own()->rseq_cs)
                 : "x9", "x10", "memory"
                 : aborted);
    OK(!"the fault passed");
aborted:
    OK(own()->rseq_cs == 0);
}

static void calls(void)
{
    static struct rseq other __attribute__((aligned(32)));
    const uint32_t signature = RSEQ_SIG;
    if (!OK(__rseq_size == 32)) /* the others would wait for ever */
        exit(tally_end());
    OK(own()->cpu_id < CPUS && own()->cpu_id == own()->cpu_id_start);
    FAILS(syscall(SYS_rseq, own(), 32, 0, signature), EBUSY);
    FAILS(syscall(SYS_rseq, own(), 32, 0, 1), EPERM);
    FAILS(syscall(SYS_rseq, &other, 32, 0, signature), EINVAL);
    FAILS(syscall(SYS_rseq, own(), 32, 2, signature), EINVAL);
    FAILS(syscall(SYS_rseq, own(), 32, RSEQ_FLAG_UNREGISTER, 1), EPERM);
    OK(syscall(SYS_rseq, own(), 32, RSEQ_FLAG_UNREGISTER, signature) == 0);
    OK((int32_t)own()->cpu_id == -1);
    FAILS(syscall(SYS_rseq, own(), 32, RSEQ_FLAG_UNREGISTER, signature), EINVAL);
    FAILS(syscall(SYS_rseq, (char *)&other + 8, 32, 0, signature), EINVAL);
    FAILS(syscall(SYS_rseq, 64, 32, 0, signature), EFAULT);
    OK(syscall(SYS_rseq, own(), 32, 0, signature) == 0);
    OK(own()->cpu_id < CPUS);
    OK(syscall(SYS_membarrier, 1 << 8, 0, 0) == 0); /* ..._REGISTER_PRIVATE_EXPEDITED_RSEQ */
    OK(syscall(SYS_membarrier, 1 << 7, 0, 0) == 0);
    cpu_set_t all, one;
    sched_getaffinity(0, sizeof(all), &all);
    for (int cpu = 0; cpu < CPUS; cpu++) {
        if (!CPU_ISSET(cpu, &all))
            continue;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        OK(sched_setaffinity(0, sizeof(one), &one) == 0);
        OK(own()->cpu_id == (uint32_t)cpu && sched_getcpu() == cpu);
    }
    sched_setaffinity(0, sizeof(all), &all);
}

int main(void)
{
    calls();
    sums();
    signals();
    return tally_end();
}
