/* rotation.c: more code than a small code cache holds, so that its generations come round again and
 * again, while threads run it, signals interrupt it and processes fork from it.
 *
 * FUNCTIONS functions lie in memory for good, and each is called with an argument of its own by
 * chance, so their translations come and go; what each must return is computed beside. Signals'
 * handlers call some, too, from wherever a thread is, and now and then leave by siglongjmp.
 */
#include "tally.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    FUNCTIONS = 12000,
    WORDS = 32,
    THREADS = 3,
    FORKS = 12,
    SIGNALS = 400,
    CALLS_IN_CHILD = 6000
};

typedef uint64_t function(uint64_t x);
static uint32_t *code;
static atomic_bool done;
static atomic_ulong calls, wrong, handled, left;

/* A pair of a literal and an operation that uses it, from function and position. */
static uint32_t step_word(unsigned f, unsigned i, uint16_t *ret_number)
{
    uint32_t r = (f * 2654435761u + i * 40503u) * 2246822519u;
    *ret_number = (uint16_t)(r >> 13);
    return r >> 30;
}

/* x0 = x0 op (number << 0), by MOVZ x1 and one of ADD, EOR, SUB, MUL; a branch over a NOP here and
 * there, so that a function is several units that are linked. */
static void write_functions(void)
{
    static const uint32_t forms[] = {0x8b010000, 0xca010000, 0xcb010000, 0x9b017c00};
    for (unsigned f = 0; f < FUNCTIONS; f++) {
        uint32_t *at = code + f * WORDS;
        for (unsigned i = 0; i + 4 < WORDS; i += 4) {
            uint16_t number;
            uint32_t form = step_word(f, i, &number);
            at[i] = 0xd2800001u | (uint32_t)(number | 1) << 5;
            at[i + 1] = forms[form];
            at[i + 2] = i % 8 ? 0x14000002 : 0xd503201f; /* b .+8, nop */
            at[i + 3] = i % 8 ? 0xd4200000 : 0xd503201f; /* brk, nop */
        }
        for (unsigned i = WORDS - 4; i < WORDS - 1; i++)
            at[i] = 0xd503201f;
        at[WORDS - 1] = 0xd65f03c0; /* ret */
    }
    __builtin___clear_cache((char *)code, (char *)(code + FUNCTIONS * WORDS));
}

static uint64_t expected(unsigned f, uint64_t x)
{
    for (unsigned i = 0; i + 4 < WORDS; i += 4) {
        uint16_t number;
        uint32_t form = step_word(f, i, &number);
        uint64_t n = number | 1;
        x = form == 0 ? x + n : form == 1 ? x ^ n : form == 2 ? x - n : x * n;
    }
    return x;
}

static void call_one(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    unsigned f = (unsigned)(*state >> 33) % FUNCTIONS;
    function *callee = (function *)(uintptr_t)(code + f * WORDS);
    if (callee(*state) != expected(f, *state))
        atomic_fetch_add(&wrong, 1);
    atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed);
}

static _Thread_local sigjmp_buf out;
static _Thread_local volatile sig_atomic_t may_leave;
static _Thread_local uint64_t in_handler = 99;

static void on_signal(int sig)
{
    for (int i = 0; i < 20; i++)
        call_one(&in_handler);
    unsigned long n = atomic_fetch_add(&handled, 1);
    if (may_leave && n % 4 == 0) {
        atomic_fetch_add(&left, 1);
        siglongjmp(out, 1);
    }
}

static void *work(void *seed)
{
    uint64_t volatile kept = (uintptr_t)seed;
    sigsetjmp(out, 1);
    uint64_t state = kept;
    may_leave = 1;
    while (!atomic_load_explicit(&done, memory_order_relaxed)) {
        call_one(&state);
        kept = state;
    }
    may_leave = 0;
    return NULL;
}

/* A child that forked with other threads in the middle of it goes on alone, and forks once more. */
static int child(uint64_t state)
{
    for (int i = 0; i < CALLS_IN_CHILD / 2; i++)
        call_one(&state);
    pid_t pid = fork();
    for (int i = 0; i < CALLS_IN_CHILD / 2; i++)
        call_one(&state);
    int status = 0;
    if (pid > 0)
        waitpid(pid, &status, 0);
    return atomic_load(&wrong) != 0 || pid < 0 || status != 0;
}

int main(void)
{
    pthread_t threads[THREADS];
    code = mmap(NULL, (size_t)FUNCTIONS * WORDS * 4, PROT_READ | PROT_WRITE | PROT_EXEC,
                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    OK(code != MAP_FAILED);
    write_functions();
    struct sigaction act = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &act, NULL);
    for (uintptr_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, work, (void *)(i + 1));
    unsigned failed_children = 0;
    for (unsigned i = 0; i < FORKS; i++) {
        pid_t pid = fork();
        if (pid == 0)
            _exit(child(i + 1000));
        for (unsigned k = 0; k < SIGNALS / FORKS; k++) {
            pthread_kill(threads[k % THREADS], SIGUSR1);
            usleep(1000);
        }
        int status = -1;
        waitpid(pid, &status, 0);
        failed_children += status != 0;
    }
    atomic_store(&done, true);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    OK(failed_children == 0);
    OK(atomic_load(&wrong) == 0);
    OK(atomic_load(&handled) > 0 && atomic_load(&left) > 0);
    OK(atomic_load(&calls) > FUNCTIONS);
    return tally_end();
}
