/* syscall.c: from the number in x8 to the call.
 *
 * The table of syscalls.h becomes an array by number, so that finding a row costs one load. A row
 * either names a handler or the host's own number for the same call; the host's call then gets the
 * guest's registers as they are, and the kernel checks the pointers, descriptors and flags among
 * them as it would for a native program. A call that a signal kept from beginning leaves x0 alone
 * and puts pc back on the SVC, as the kernel does (arch/arm64/kernel/signal.c, do_signal()).
 *
 * Limits: numbers from LINUX_CALL_NUMBERS on do not exist, even where the host has younger calls.
 */
#include <asm/unistd.h>
#include <errno.h>

#include "core/linux/linux_int.h"

#define HOW_PASS(name) .host_number = __NR_##name
#define HOW_CALL(name) .host_number = -1
#define HOW_NONE(name) .host_number = -1
#define HOW_TODO(name) .host_number = -1, .missing = true

#define ROW(number, name_, kind, arguments_)                                                       \
    [number] = {.name = #name_, .arguments = arguments_, HOW_##kind(name_)},

static const struct linux_call calls[LINUX_CALL_NUMBERS] = {LINUX_CALLS(ROW)};

#define HANDLER_PASS(name) NULL
#define HANDLER_CALL(name) linux_sys_##name
#define HANDLER_NONE(name) NULL
#define HANDLER_TODO(name) NULL

#define HANDLER(number, name, kind, arguments) [number] = HANDLER_##kind(name),

static const linux_call_fn handlers[LINUX_CALL_NUMBERS] = {LINUX_CALLS(HANDLER)};

const struct linux_call *linux_call_row(uint32_t number)
{
    return number < LINUX_CALL_NUMBERS && calls[number].name[0] ? &calls[number] : NULL;
}

static int64_t execute(struct linux_thread *t, const uint64_t a[6])
{
    const struct linux_call *row = linux_call_row((uint32_t)t->call);
    if (!row)
        return -ENOSYS;
    if (handlers[t->call])
        return handlers[t->call](t, a);
    if (row->host_number >= 0)
        return linux_host_call(t, row->host_number, a[0], a[1], a[2], a[3], a[4], a[5]);
    if (row->missing)
        log_debug(t->process->log, "system call %s is not there yet", row->name);
    return -ENOSYS;
}

void linux_syscall(struct linux_thread *t)
{
    struct a64_cpu *cpu = t->cpu;
    struct linux_strace *strace = t->process->strace;
    int64_t result;
    t->call = (uint32_t)cpu->x[8]; /* invoke_syscall() takes an int */
    t->call_x0 = cpu->x[0];
    if (linux_debugged(t) && !linux_debug_enter(t)) {
        linux_debug_leave(t, false);
        return;
    }
    if (strace)
        linux_strace_enter(t, cpu->x);
    if (!t->seccomp || linux_seccomp_allows(t, cpu->x, &result))
        result = execute(t, cpu->x);
    if (strace)
        linux_strace_result(t, result);
    if (result != -LINUX_NO_RESULT && result != -LINUX_ERESTART)
        cpu->x[0] = (uint64_t)result;
    if (linux_debugged(t))
        linux_debug_leave(t, result == -LINUX_ERESTART);
    if (result == -LINUX_ERESTART)
        cpu->pc -= 4;
    if (t->rseq.address)
        linux_rseq_look(t);
}
