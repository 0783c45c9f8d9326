/* signal_fault.c: faults of the program's own, as Java, Go and sanitizers use them: what a handler
 * is told, and that it may change where and with what the program goes on.
 */
#include "check.h"

#include <asm/sigcontext.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

__asm__(".arch_extension lse");

static struct {
    int signal, code;
    uint64_t address, pc, fault_address, esr, x[31], sp;
    unsigned count;
    uint64_t continue_at; /* 0: behind the instruction */
} seen;

static uint64_t find_esr(const ucontext_t *uc)
{
    const uint8_t *at = (const uint8_t *)uc->uc_mcontext.__reserved;
    for (;;) {
        const struct _aarch64_ctx *head = (const void *)at;
        if (head->magic == ESR_MAGIC)
            return ((const struct esr_context *)head)->esr;
        if (!head->magic)
            return 0;
        at += head->size;
    }
}

static void on_fault(int signal, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    seen.signal = signal;
    seen.code = info->si_code;
    seen.address = (uintptr_t)info->si_addr;
    seen.pc = uc->uc_mcontext.pc;
    seen.sp = uc->uc_mcontext.sp;
    seen.fault_address = uc->uc_mcontext.fault_address;
    seen.esr = find_esr(uc);
    memcpy(seen.x, uc->uc_mcontext.regs, sizeof(seen.x));
    seen.count++;
    uc->uc_mcontext.regs[9] = 0x900d;
    uc->uc_mcontext.pc = seen.continue_at ? seen.continue_at : seen.pc + 4;
}

static void handle(int signal, int flags)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | flags};
    CHECK(sigaction(signal, &action, NULL) == 0);
}

/* A load or store in the middle of known registers; returns x9 as the handler left it. */
#define FAULTING(instruction, address)                                                             \
    ({                                                                                             \
        register uint64_t x0 __asm__("x0") = (address);                                            \
        register uint64_t x9 __asm__("x9") = 0;                                                    \
        uint64_t at;                                                                               \
        __asm__ volatile("adr %2, 1f\n mov x10, #0x1010\n mov x28, #0x2828\n mov x1, #0x11\n"      \
                         "1: " instruction "\n"                                                    \
                         : "+r"(x0), "+r"(x9), "=&r"(at)                                           \
                         :                                                                         \
                         : "x1", "x10", "x28", "memory", "v0");                                    \
        CHECK_EQ(seen.pc, at);                                                                     \
        CHECK_EQ(seen.x[10], 0x1010);                                                              \
        CHECK_EQ(seen.x[28], 0x2828);                                                              \
        CHECK_EQ(seen.x[1], 0x11);                                                                 \
        x9;                                                                                        \
    })

static void test_segv(void)
{
    uint8_t *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(page != MAP_FAILED);
    CHECK(mprotect(page + 4096, 4096, PROT_READ) == 0);
    uint64_t read_only = (uintptr_t)page + 4096;
    for (int i = 0; i < 300; i++) { /* often enough to be translated */
        CHECK_EQ(FAULTING("ldr x1, [x0, #8]", 0), 0x900d);
        CHECK_EQ(seen.signal, SIGSEGV);
        CHECK_EQ(seen.code, SEGV_MAPERR);
        CHECK_EQ(seen.address, 8);
        CHECK_EQ(seen.fault_address, 8);
        CHECK_EQ(seen.esr >> 26, 0x24);
        CHECK_EQ(seen.esr >> 6 & 1, 0);
        CHECK_EQ(FAULTING("str x1, [x0, #24]!", read_only), 0x900d);
        CHECK_EQ(seen.code, SEGV_ACCERR);
        CHECK_EQ(seen.address, read_only + 24);
        CHECK_EQ(seen.x[0], read_only); /* no write-back */
        CHECK_EQ(seen.esr >> 6 & 1, 1);
        CHECK_EQ(FAULTING("stp x1, x10, [x0, #-8]", read_only), 0x900d);
        CHECK_EQ(seen.address, read_only);
        CHECK_EQ(FAULTING("ldaddal x1, x10, [x0]", read_only), 0x900d);
        CHECK_EQ(seen.code, SEGV_ACCERR);
        CHECK_EQ(FAULTING("str q0, [x0], #16", 16), 0x900d);
        CHECK_EQ(seen.address, 16);
        CHECK_EQ(seen.x[0], 16);
        CHECK_EQ(FAULTING("ldrb w1, [x0]", 0x800000000000ull), 0x900d);
        CHECK_EQ(seen.code, SEGV_MAPERR);
    }
    CHECK(munmap(page, 8192) == 0);
}

/* Calls where nothing may be executed; the handler goes on at the return address. */
static void call(uint64_t target)
{
    uint64_t behind;
    __asm__ volatile("adr %0, 1f\n str %0, [%2]\n blr %1\n 1:\n"
                     : "=&r"(behind)
                     : "r"(target), "r"(&seen.continue_at)
                     : "x9", "x30", "memory");
}

static void test_fetch(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint64_t targets[] = {0x1230, (uintptr_t)page};
    for (int i = 0; i < 2; i++) {
        seen.count = 0;
        call(targets[i]);
        CHECK_EQ(seen.count, 1);
        CHECK_EQ(seen.pc, targets[i]);
        CHECK_EQ(seen.address, targets[i]);
        CHECK_EQ(seen.code, i ? SEGV_ACCERR : SEGV_MAPERR);
        CHECK_EQ(seen.esr >> 26, 0x20);
    }
    seen.continue_at = 0;
}

static void test_bus(void)
{
    int fd = (int)syscall(SYS_memfd_create, "short", 0);
    CHECK(fd >= 0 && ftruncate(fd, 100) == 0);
    uint64_t at = (uintptr_t)mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK_EQ(FAULTING("ldr x1, [x0]", at + 4096 + 40), 0x900d);
    CHECK_EQ(seen.signal, SIGBUS);
    CHECK_EQ(seen.code, BUS_ADRERR);
    CHECK_EQ(seen.address, at + 4096 + 40);
    close(fd);
}

static void test_instructions(void)
{
    CHECK_EQ(FAULTING(".inst 0", 0), 0x900d);
    CHECK_EQ(seen.signal, SIGILL);
    CHECK_EQ(seen.code, ILL_ILLOPC);
    CHECK_EQ(seen.address, seen.pc);
    CHECK_EQ(FAULTING("brk #7", 0), 0x900d);
    CHECK_EQ(seen.signal, SIGTRAP);
    CHECK_EQ(seen.code, TRAP_BRKPT);
    CHECK_EQ(seen.address, seen.pc);
}

static sigjmp_buf out;
static uint8_t *alternate;

static void on_overflow(int signal, siginfo_t *info, void *context)
{
    uint8_t *here = (uint8_t *)__builtin_frame_address(0);
    CHECK(here > alternate && here <= alternate + 65536);
    siglongjmp(out, 1);
}

static int recurse(volatile int *depth)
{
    volatile char room[1024];
    room[0] = (char)++*depth;
    return *depth < 1 << 30 ? recurse(depth) + room[0] : 0;
}

static void test_overflow(void)
{
    struct sigaction action = {.sa_sigaction = on_overflow, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    alternate = malloc(65536);
    CHECK(sigaltstack(&(stack_t){.ss_sp = alternate, .ss_size = 65536}, NULL) == 0);
    CHECK(sigaction(SIGSEGV, &action, NULL) == 0);
    for (int i = 0; i < 3; i++) {
        volatile int depth = 0;
        if (!sigsetjmp(out, 1))
            recurse(&depth);
        CHECK(depth > 1000);
        stack_t now;
        CHECK(sigaltstack(NULL, &now) == 0 && now.ss_flags == 0);
    }
}

int main(void)
{
    handle(SIGSEGV, 0);
    handle(SIGBUS, 0);
    handle(SIGILL, 0);
    handle(SIGTRAP, 0);
    test_segv();
    test_fetch();
    test_bus();
    test_instructions();
    test_overflow();
    puts("ok");
    return 0;
}
