/* strace_signals.c: arguments that are about signals: sets, handlers, information, and what wait4()
 * says of a child.
 */
#include <sys/wait.h>

#include "core/linux/strace_int.h"

void strace_print_sigset(const struct strace_call *c, unsigned i)
{
    uint64_t set;
    if (!c->a[i] || linux_read(c->a[i], &set, sizeof set) < 0)
        strace_pointer(c->out, c->a[i]);
    else
        strace_sigset(c->out, set);
}

void strace_print_sigaction(const struct strace_call *c, unsigned i)
{
    struct linux_sigaction action;
    if (!c->a[i] || linux_read(c->a[i], &action, sizeof action) < 0) {
        strace_pointer(c->out, c->a[i]);
        return;
    }
    if (action.handler == (uint64_t)(uintptr_t)SIG_DFL)
        strace_add(c->out, "{sa_handler=SIG_DFL");
    else if (action.handler == (uint64_t)(uintptr_t)SIG_IGN)
        strace_add(c->out, "{sa_handler=SIG_IGN");
    else
        strace_add(c->out, "{sa_handler=%#lx", action.handler);
    strace_add(c->out, ", sa_mask=");
    strace_sigset(c->out, action.mask);
    strace_add(c->out, ", sa_flags=");
    strace_names(c->out, strace_sa_flags, action.flags);
    strace_add(c->out, "}");
}

void strace_print_siginfo(const struct strace_call *c, unsigned i)
{
    siginfo_t info;
    if (!c->a[i] || linux_read(c->a[i], &info, sizeof info) < 0)
        strace_pointer(c->out, c->a[i]);
    else
        strace_siginfo(c->out, &info);
}

void strace_print_wait_status(const struct strace_call *c, unsigned i)
{
    int status;
    if (c->result == 0 || !c->a[i] || linux_read(c->a[i], &status, sizeof status) < 0) {
        strace_pointer(c->out, c->a[i]);
        return;
    }
    if (WIFEXITED(status)) {
        strace_add(c->out, "[{WIFEXITED(s) && WEXITSTATUS(s) == %d}]", WEXITSTATUS(status));
    } else if (WIFCONTINUED(status)) {
        strace_add(c->out, "[{WIFCONTINUED(s)}]");
    } else {
        bool stopped = WIFSTOPPED(status);
        strace_add(c->out, stopped ? "[{WIFSTOPPED(s) && WSTOPSIG(s) == "
                                   : "[{WIFSIGNALED(s) && WTERMSIG(s) == ");
        strace_signal_name(c->out, (unsigned)(stopped ? WSTOPSIG(status) : WTERMSIG(status)));
        strace_add(c->out, !stopped && WCOREDUMP(status) ? " && WCOREDUMP(s)}]" : "}]");
    }
}
