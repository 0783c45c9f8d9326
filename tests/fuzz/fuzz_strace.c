/* fuzz_strace.c: --strace with any call, any arguments and any memory behind them. Input: the
 * call's number, its result, six arguments, and a siginfo_t; an argument with its lowest bit set is
 * an offset into the input itself, so that structures are found, cut off, or made of noise. */
#include <assert.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

#include "core/linux/linux_int.h"

enum { HEAD_BYTES = 2 + 8 + 6 * 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As user mode's own handler: a fault in a copy of guest memory ends the copy. */
static void on_fault(int signal, siginfo_t *info, void *context)
{
    greg_t *pc = &((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
    uintptr_t fixed = linux_access_fixup((uintptr_t)*pc);
    if (!fixed)
        abort();
    *pc = (greg_t)fixed;
}

static int start(struct linux_process *p)
{
    struct sigaction fault = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &fault, NULL);
    sigaction(SIGBUS, &fault, NULL);
    p->report_fd = open("/dev/null", O_WRONLY);
    return linux_strace_new(p, NULL);
}

static uint64_t argument(const uint8_t *data, size_t size, unsigned i)
{
    uint64_t raw = load_le(data + 10 + i * 8, 8);
    return raw & 1 ? (uintptr_t)data + (raw >> 1) % size : raw >> 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct linux_process process; /* one a process, as strace's file is */
    struct linux_thread thread = {.process = &process, .tid = 1};
    uint64_t a[6];
    siginfo_t info;
    if (size < HEAD_BYTES)
        return 0;
    if (!process.strace && start(&process) < 0)
        abort();
    for (unsigned i = 0; i < 6; i++)
        a[i] = argument(data, size, i);
    thread.call = load_le(data, 2) % (LINUX_CALL_NUMBERS + 2);
    linux_strace_enter(&thread, a);
    linux_strace_result(&thread, (int64_t)load_le(data + 2, 8));
    memset(&info, 0, sizeof info);
    memcpy(&info, data + HEAD_BYTES,
           size - HEAD_BYTES < sizeof info ? size - HEAD_BYTES : sizeof info);
    linux_strace_signal(&thread, &info);
    linux_strace_ended(&thread, (int)load_le(data + 2, 4));
    linux_strace_line_free(&thread);
    return 0;
}
