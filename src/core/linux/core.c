/* core.c: how a process ends by a signal. */
#include "core/linux/signal_int.h"

#include <sys/prctl.h>

void linux_die(struct linux_thread *t, int signal)
{
    const struct {
        void *handler;
        uint64_t flags;
        void *restorer;
        uint64_t mask;
    } standard = {0};
    linux_host_mask_set(UINT64_MAX);
    if (t->process->strace)
        linux_strace_ended(t, signal);
    if (t->process->stats && !t->vfork_child)
        linux_stats_print(t->process);
    linux_debug_ended(t, signal);
    linux_debug_raise(t, signal);
    prctl(PR_SET_DUMPABLE, 0);
    syscall(SYS_rt_sigaction, signal, &standard, NULL, sizeof(uint64_t));
    syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), signal);
    linux_host_mask_set(~linux_signal_bit(signal));
    for (;;)
        syscall(SYS_exit_group, 128 + signal);
}
