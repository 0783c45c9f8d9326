/* signal_frame.c: frames that a handler spoilt, and what sigreturn says to them: SIGSEGV, or
 * nothing where the kernel does not care (Linux 6.1, arch/arm64/kernel/signal.c,
 * parse_user_sigframe).
 */
#include "check.h"

#include <asm/sigcontext.h>
#include <signal.h>
#include <stdint.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

static int kind;

static struct _aarch64_ctx *first(ucontext_t *uc)
{
    return (struct _aarch64_ctx *)uc->uc_mcontext.__reserved;
}

static struct _aarch64_ctx *after(struct _aarch64_ctx *head)
{
    return (struct _aarch64_ctx *)((char *)head + head->size);
}

static void bad_magic(ucontext_t *uc)
{
    first(uc)->magic++;
}
static void short_record(ucontext_t *uc)
{
    first(uc)->size = 512;
}
static void long_record(ucontext_t *uc)
{
    first(uc)->size = 0x10000;
}
static void no_fpsimd(ucontext_t *uc)
{
    *first(uc) = (struct _aarch64_ctx){0, 0};
}
static void odd_terminator(ucontext_t *uc)
{
    after(first(uc))->size = 16;
}
static void second_fpsimd(ucontext_t *uc)
{
    struct _aarch64_ctx *second = after(first(uc));
    memcpy(second, first(uc), first(uc)->size);
    *after(second) = (struct _aarch64_ctx){0, 0};
}
static void state_32_bit(ucontext_t *uc)
{
    uc->uc_mcontext.pstate |= 0x10;
}
static void interrupts_masked(ucontext_t *uc)
{
    uc->uc_mcontext.pstate |= 0x80;
}
static void kernel_mode(ucontext_t *uc)
{
    uc->uc_mcontext.pstate |= 5;
}
static void esr_record(ucontext_t *uc)
{
    struct esr_context *esr = (struct esr_context *)after(first(uc));
    *esr = (struct esr_context){{ESR_MAGIC, sizeof(*esr)}, 0x1234};
    *after(&esr->head) = (struct _aarch64_ctx){0, 0};
}
static void extra(ucontext_t *uc, uint64_t off_by)
{
    struct extra_context *extra = (struct extra_context *)after(first(uc));
    memset(extra, 0, 256);
    extra->head = (struct _aarch64_ctx){EXTRA_MAGIC, sizeof(*extra)};
    extra->datap = (uintptr_t)extra + sizeof(*extra) + 16 + off_by;
    extra->size = 64;
}
static void extra_record(ucontext_t *uc)
{
    extra(uc, 0);
}
static void extra_elsewhere(ucontext_t *uc)
{
    extra(uc, 16);
}
static void all_blocked(ucontext_t *uc)
{
    memset(&uc->uc_sigmask, 255, 8);
}
static void nothing(ucontext_t *uc)
{
}

static const struct {
    void (*spoil)(ucontext_t *uc);
    int signal;
} kinds[] = {
    {nothing, 0},
    {bad_magic, SIGSEGV},
    {short_record, SIGSEGV},
    {long_record, SIGSEGV},
    {no_fpsimd, SIGSEGV},
    {odd_terminator, SIGSEGV},
    {second_fpsimd, SIGSEGV},
    {state_32_bit, SIGSEGV},
    {interrupts_masked, SIGSEGV},
    {kernel_mode, SIGSEGV},
    {esr_record, 0},
    {extra_record, 0},
    {extra_elsewhere, SIGSEGV},
    {all_blocked, 0},
};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]), RANDOM = 300 };

static void on_signal(int signal, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    if (kind < KINDS) {
        kinds[kind].spoil(uc);
        return;
    }
    /* A few bytes anywhere but in general registers, sp and pc, which would lead anywhere. */
    uint8_t *mask = (uint8_t *)&uc->uc_sigmask, *state = (uint8_t *)&uc->uc_mcontext.pstate;
    srand((unsigned)kind);
    for (int i = rand() % 8; i >= 0; i--) {
        int at = rand() % 800;
        *(at < 136 ? mask + at : state + at - 136) = (uint8_t)rand();
    }
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    for (kind = 0; kind < KINDS + RANDOM; kind++) {
        int status;
        pid_t pid = fork();
        if (!pid) {
            alarm(10);
            raise(SIGUSR1);
            _exit(0);
        }
        CHECK(waitpid(pid, &status, 0) == pid);
        if (kind < KINDS) {
            CHECK_EQ(WIFSIGNALED(status) ? WTERMSIG(status) : 0, kinds[kind].signal);
            continue;
        }
        int killer = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
        CHECK(!killer || killer == SIGSEGV || killer == SIGILL || killer == SIGBUS ||
              killer == SIGALRM);
    }
    /* A stack pointer that no frame can have. */
    pid_t pid = fork();
    int status;
    if (!pid) {
        __asm__ volatile("add sp, sp, #8\n mov x8, #139\n svc #0" ::: "x8", "memory");
        _exit(0);
    }
    CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
    CHECK_EQ(WTERMSIG(status), SIGSEGV);
    puts("ok");
    return 0;
}
