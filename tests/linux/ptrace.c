/* ptrace.c: a tracer and its tracees: calls, signals, registers, breakpoints, steps, events,
 * attaching and job control. The tracees print nothing; the tracer prints what it sees of them.
 */
#include "tell.h"

#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "ptrace_regs.h"

enum { CODE_MAX = 200 };

/* What tracees and tracer share. */
static struct {
    volatile int ready, handled, value;
    volatile long result, error;
} * shared;

/* --- telling -----------------------------------------------------------------------------------
 */

static const char *signal_name(int signal)
{
    const char *name = sigabbrev_np(signal);
    return name ? name : "?";
}

static void tell_status(const char *what, int status)
{
    if (WIFEXITED(status))
        printf("%s: exited with %d\n", what, WEXITSTATUS(status));
    else if (WIFSIGNALED(status))
        printf("%s: killed by %s\n", what, signal_name(WTERMSIG(status)));
    else if (WIFSTOPPED(status))
        printf("%s: stopped by %s%s, event %d\n", what, signal_name(WSTOPSIG(status) & 0x7f),
               WSTOPSIG(status) & 0x80 ? " (call)" : "", status >> 16);
}

static int wait_for(const char *what, int pid)
{
    int status = 0;
    int got = waitpid(pid, &status, __WALL);
    if (got != pid)
        printf("%s: waitpid gave %s\n", what, got < 0 ? strerrorname_np(errno) : "another");
    tell_status(what, status);
    return status;
}

static void tell_info(int pid)
{
    siginfo_t info = {0};
    if (ptrace(PTRACE_GETSIGINFO, pid, NULL, &info) < 0)
        printf("siginfo: %s\n", strerrorname_np(errno));
    else
        printf("siginfo: %s, code %d, %s\n", signal_name(info.si_signo), info.si_code,
               info.si_pid == pid        ? "from itself"
               : info.si_pid == getpid() ? "from its tracer"
                                         : "from elsewhere");
}

static const char *call_name(uint64_t number)
{
    static const struct {
        uint64_t number;
        const char *name;
    } names[] = {
        {SYS_getppid, "getppid"},
        {SYS_getuid, "getuid"},
        {SYS_close, "close"},
        {SYS_exit_group, "exit_group"},
        {SYS_gettid, "gettid"},
        {SYS_execve, "execve"},
        {SYS_kill, "kill"},
        {SYS_read, "read"},
        {SYS_rt_sigreturn, "rt_sigreturn"},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].number == number)
            return names[i].name;
    return "another call";
}

static void tell_call(int pid)
{
    struct __ptrace_syscall_info info = {0};
    long size = ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info);
    if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
        printf("  %ld: enters %s(%lld)\n", size, call_name(info.entry.nr),
               info.entry.nr == SYS_close ? (long long)info.entry.args[0] : 0ll);
    else if (info.op == PTRACE_SYSCALL_INFO_EXIT)
        printf("  %ld: leaves, %s\n", size, info.exit.is_error ? "error" : "no error");
    else
        printf("  %ld: op %d\n", size, info.op);
}

/* A tracee that stops at once, and then does as told. */
static int start(void (*body)(void))
{
    memset(shared, 0, sizeof(*shared));
    fflush(stdout);
    int pid = fork();
    if (pid == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        body();
        _exit(0);
    }
    wait_for("traced", pid);
    return pid;
}

/* --- calls -------------------------------------------------------------------------------------
 */

static void some_calls(void)
{
    shared->result = syscall(SYS_getppid);
    shared->value = (int)syscall(SYS_getuid);
    shared->error = syscall(SYS_close, 1234) < 0 ? errno : 0;
    syscall(SYS_exit_group, 9);
}

static void calls(void)
{
    int pid = start(some_calls), status;
    registers regs;
    TELL(ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD));
    TELL(ptrace(PTRACE_SETOPTIONS, pid, NULL, 1 << 30));
    for (int i = 0; i < 20; i++) {
        ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
        status = wait_for("calls", pid);
        if (!WIFSTOPPED(status))
            break;
        if (i != 3) /* whose result is what each architecture leaves there */
            tell_call(pid);
        tell_info(pid);
        get_registers(pid, &regs);
        if (i == 1) { /* leaves getppid */
            *reg_result(&regs) = 4242;
            TELL(set_registers(pid, &regs));
        } else if (i == 2) { /* enters getuid, but does not make it */
            set_call(pid, &regs, -1);
        } else if (i == 3) {
            *reg_result(&regs) = 77;
            TELL(set_registers(pid, &regs));
        }
    }
    TELL(shared->result);
    TELL(shared->value);
    TELL_TEXT(strerrorname_np((int)shared->error));
}

/* --- signals -----------------------------------------------------------------------------------
 */

static void on_signal(int signal, siginfo_t *info, void *context)
{
    shared->handled = shared->handled * 100 + signal;
    shared->value = info->si_value.sival_int;
}

static void handle(int signal, int flags)
{
    const struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | flags};
    sigaction(signal, &action, NULL);
}

static void some_signals(void)
{
    handle(SIGUSR1, 0);
    raise(SIGUSR1);                                              /* handled */
    raise(SIGTERM);                                              /* suppressed */
    raise(SIGUSR2);                                              /* becomes SIGUSR1 */
    sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 5}); /* with another value */
    raise(SIGCHLD);                                              /* ignored, but told */
    raise(SIGTERM);                                              /* dies */
}

static void signals(void)
{
    static const int pass[] = {SIGUSR1, 0, SIGUSR1, SIGUSR1, SIGCHLD, SIGTERM};
    int pid = start(some_signals), status, give = 0;
    for (unsigned i = 0; i < 20; i++) {
        ptrace(PTRACE_CONT, pid, NULL, give);
        status = wait_for("signals", pid);
        if (!WIFSTOPPED(status))
            break;
        tell_info(pid);
        TELL(shared->handled);
        give = i < 6 ? pass[i] : 0;
        if (i == 3) {
            siginfo_t info;
            ptrace(PTRACE_GETSIGINFO, pid, NULL, &info);
            TELL(info.si_value.sival_int);
            info.si_value.sival_int = 6;
            TELL(ptrace(PTRACE_SETSIGINFO, pid, NULL, &info));
        }
    }
    TELL(shared->handled);
    TELL(shared->value);
}

static void fault(void)
{
    *(volatile int *)(uintptr_t)(0x100 + shared->value) = 1;
}

static void faults(void)
{
    int pid = start(fault);
    siginfo_t info;
    ptrace(PTRACE_CONT, pid, NULL, NULL);
    wait_for("fault", pid);
    ptrace(PTRACE_GETSIGINFO, pid, NULL, &info);
    TELL(info.si_code);
    TELL_HEX((uintptr_t)info.si_addr);
    ptrace(PTRACE_CONT, pid, NULL, SIGKILL);
    wait_for("fault", pid);
}

/* Interrupted calls start over, unless a handler runs. */
static int restart_pipe[2];

static void interrupted(void)
{
    char byte = 0;
    handle(SIGUSR1, 0);
    handle(SIGUSR2, SA_RESTART);
    shared->ready = 1;
    shared->result = read(restart_pipe[0], &byte, 1);
    shared->value = byte;
    shared->error = shared->result < 0 ? errno : 0;
}

static void wait_until_ready(void)
{
    while (!shared->ready)
        usleep(1000);
    usleep(20000);
}

static void restarts(void)
{
    static const int sent[] = {SIGTERM, SIGUSR2, SIGUSR1};
    for (unsigned i = 0; i < 3; i++) {
        if (pipe(restart_pipe) < 0)
            return;
        int pid = start(interrupted);
        ptrace(PTRACE_CONT, pid, NULL, NULL);
        wait_until_ready();
        kill(pid, sent[i]);
        wait_for("interrupted", pid);
        ptrace(PTRACE_CONT, pid, NULL, i == 0 ? 0 : sent[i]);
        if (i < 2 && write(restart_pipe[1], "x", 1) < 1)
            return;
        wait_for("interrupted", pid);
        TELL(shared->result);
        TELL(shared->error);
        TELL(shared->handled);
        close(restart_pipe[0]);
        close(restart_pipe[1]);
    }
}

/* --- memory, breakpoints, steps ----------------------------------------------------------------
 */

static volatile long word = 0x1122334455667788;

__attribute__((noinline)) static void target(void)
{
    shared->value += (int)word;
    __asm__ volatile("" ::: "memory");
}

static void call_target(void)
{
    target(); /* so that it was run, and translated, before */
    raise(SIGSTOP);
    target();
    raise(SIGSTOP);
    target();
}

static void memory_and_breakpoints(void)
{
    int pid = start(call_target);
    registers regs;
    ptrace(PTRACE_CONT, pid, NULL, NULL);
    wait_for("before", pid);
    TELL_HEX(ptrace(PTRACE_PEEKDATA, pid, &word, NULL));
    TELL(ptrace(PTRACE_POKEDATA, pid, &word, 1l));
    TELL(ptrace(PTRACE_PEEKDATA, pid, (void *)8, NULL));
    shared->value = 0;
    long code = ptrace(PTRACE_PEEKTEXT, pid, (void *)target, NULL), broken = code;
    memcpy(&broken, &break_instruction, BREAK_BYTES);
    TELL(ptrace(PTRACE_POKETEXT, pid, (void *)target, broken));
    ptrace(PTRACE_CONT, pid, NULL, NULL);
    wait_for("breakpoint", pid);
    get_registers(pid, &regs);
    TELL(*reg_pc(&regs) - BREAK_LEAVES_PC - (uintptr_t)target);
    TELL(ptrace(PTRACE_POKETEXT, pid, (void *)target, code));
    *reg_pc(&regs) -= BREAK_LEAVES_PC;
    set_registers(pid, &regs);
    ptrace(PTRACE_CONT, pid, NULL, NULL);
    wait_for("behind it", pid);
    TELL(shared->value);
    unsigned steps = 0;
    bool found = false;
    for (int status; steps < 100000 && !found; steps++) {
        siginfo_t info;
        ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL);
        if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP)
            break;
        ptrace(PTRACE_GETSIGINFO, pid, NULL, &info);
        get_registers(pid, &regs);
        found = info.si_code == TRAP_TRACE && *reg_pc(&regs) == (uintptr_t)target;
    }
    TELL_BOOL(found && steps > 2);
    TELL(ptrace(PTRACE_DETACH, pid, NULL, NULL));
    wait_for("detached", pid);
    TELL(shared->value);
}

static void step_into_handler(void)
{
    handle(SIGUSR1, 0);
    raise(SIGUSR1);
}

static void handler_steps(void)
{
    int pid = start(step_into_handler);
    registers regs;
    ptrace(PTRACE_CONT, pid, NULL, NULL);
    wait_for("signal", pid);
    ptrace(PTRACE_SINGLESTEP, pid, NULL, SIGUSR1);
    wait_for("step", pid);
    get_registers(pid, &regs);
    TELL(*reg_pc(&regs) - (uintptr_t)on_signal);
    ptrace(PTRACE_CONT, pid, NULL, NULL);
    wait_for("end", pid);
    TELL(shared->handled);
}

/* --- events ------------------------------------------------------------------------------------
 */

static void *thread_body(void *arg)
{
    shared->handled++;
    return arg;
}

static void some_children(void)
{
    pthread_t thread;
    int child = fork();
    if (child == 0)
        _exit(3);
    waitpid(child, NULL, 0);
    child = vfork();
    if (child == 0)
        _exit(4);
    waitpid(child, NULL, 0);
    pthread_create(&thread, NULL, thread_body, NULL);
    pthread_join(thread, NULL);
    execl("/proc/self/exe", "ptrace", "again", NULL);
    _exit(1);
}

/* Goes on with whatever stopped, each event told in an order that does not depend on timing: first
 * the parent's, then the child's first stop, then the child's end. */
static void child_stopped(int pid)
{
    unsigned long child = 0;
    TELL_OK(ptrace(PTRACE_GETEVENTMSG, pid, NULL, &child));
    TELL_BOOL(child != 0 && child != (unsigned long)pid);
    wait_for("child", (int)child);
    tell_info((int)child);
    TELL(ptrace(PTRACE_CONT, child, NULL, NULL));
    ptrace(PTRACE_CONT, pid, NULL, NULL);
    int status = 0;
    while (waitpid((int)child, &status, __WALL) == (int)child && WIFSTOPPED(status) &&
           status >> 16 == PTRACE_EVENT_EXIT) {
        unsigned long code = 0;
        ptrace(PTRACE_GETEVENTMSG, child, NULL, &code);
        tell_status("child ends", (int)code);
        ptrace(PTRACE_CONT, child, NULL, NULL);
    }
    tell_status("child", status);
}

static void events(void)
{
    int pid = start(some_children), status;
    unsigned long message;
    TELL(ptrace(PTRACE_SETOPTIONS, pid, NULL,
                PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
                    PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT | PTRACE_O_TRACEVFORKDONE));
    ptrace(PTRACE_CONT, pid, NULL, NULL);
    for (;;) {
        status = wait_for("parent", pid);
        if (!WIFSTOPPED(status))
            break;
        switch (status >> 16) {
        case PTRACE_EVENT_FORK:
        case PTRACE_EVENT_VFORK:
        case PTRACE_EVENT_CLONE:
            child_stopped(pid);
            continue;
        case PTRACE_EVENT_EXEC:
            ptrace(PTRACE_GETEVENTMSG, pid, NULL, &message);
            TELL_BOOL(message == (unsigned long)pid);
            tell_info(pid);
            break;
        case PTRACE_EVENT_EXIT:
            ptrace(PTRACE_GETEVENTMSG, pid, NULL, &message);
            tell_status("ends", (int)message);
            break;
        default:
            break;
        }
        int pass = status >> 16 ? 0 : WSTOPSIG(status);
        ptrace(PTRACE_CONT, pid, NULL, pass);
    }
    TELL(shared->handled);
}

static void exec_again(void)
{
    execl("/proc/self/exe", "ptrace", "again", NULL);
}

static void plain_exec(void)
{
    int pid = start(exec_again);
    ptrace(PTRACE_CONT, pid, NULL, NULL);
    wait_for("exec", pid);
    tell_info(pid);
    TELL(ptrace(PTRACE_CONT, pid, NULL, NULL));
    wait_for("exec", pid);
}

/* --- attaching ---------------------------------------------------------------------------------
 */

static void sleeper(void)
{
    shared->ready = 1;
    const struct timespec nap = {0, 300000000};
    shared->result = nanosleep(&nap, NULL);
    shared->error = shared->result < 0 ? errno : 0;
}

static int start_untraced(void (*body)(void))
{
    memset(shared, 0, sizeof(*shared));
    fflush(stdout);
    int pid = fork();
    if (pid == 0) {
        body();
        _exit(0);
    }
    wait_until_ready();
    return pid;
}

static void attaching(void)
{
    int pid = start_untraced(sleeper);
    TELL(ptrace(PTRACE_ATTACH, pid, NULL, NULL));
    wait_for("attached", pid);
    TELL(ptrace(PTRACE_ATTACH, pid, NULL, NULL));
    TELL(ptrace(PTRACE_DETACH, pid, NULL, NULL));
    wait_for("detached", pid);
    TELL(shared->result);
    TELL(shared->error);
}

static void interrupting(void)
{
    int pid = start_untraced(sleeper);
    TELL(ptrace(PTRACE_SEIZE, pid, NULL, NULL));
    TELL(ptrace(PTRACE_INTERRUPT, pid, NULL, NULL));
    wait_for("interrupted", pid);
    TELL(ptrace(PTRACE_CONT, pid, NULL, NULL));
    wait_for("end", pid);
    TELL(shared->result);
    TELL(shared->error);
}

static void *sleep_in_thread(void *arg)
{
    sleep(30);
    return arg;
}

static void *exec_from_thread(void *arg)
{
    execl("/proc/self/exe", "ptrace", "again", NULL);
    return arg;
}

static void many_threads_exec(void)
{
    pthread_t threads[3];
    for (unsigned i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, sleep_in_thread, NULL);
    pthread_create(&threads[2], NULL, exec_from_thread, NULL);
    pthread_join(threads[0], NULL);
}

/* The thread that execs takes its process's id; the others are gone without a word. */
static void thread_execs(void)
{
    int pid = start(many_threads_exec), status = 0, stopped, clones = 0;
    TELL(ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC));
    ptrace(PTRACE_CONT, pid, NULL, NULL);
    while ((stopped = waitpid(-1, &status, __WALL)) > 0) {
        unsigned long message = 0;
        if (WIFSTOPPED(status) && status >> 16 == PTRACE_EVENT_CLONE)
            clones++;
        if (WIFSTOPPED(status) && status >> 16 == PTRACE_EVENT_EXEC) {
            ptrace(PTRACE_GETEVENTMSG, stopped, NULL, &message);
            TELL_BOOL(stopped == pid && message != (unsigned long)pid);
        }
        if (stopped == pid && !WIFSTOPPED(status))
            break;
        ptrace(PTRACE_CONT, stopped, NULL, NULL);
    }
    tell_status("end", status);
    TELL(clones);
}

static void busy(void)
{
    shared->ready = 1;
    while (shared->ready != 2)
        shared->value++;
}

static void seizing(void)
{
    int pid = start_untraced(busy);
    TELL(ptrace(PTRACE_SEIZE, pid, NULL, 1 << 30));
    TELL(ptrace(PTRACE_SEIZE, pid, NULL, PTRACE_O_TRACESYSGOOD));
    TELL(ptrace(PTRACE_CONT, pid, NULL, NULL)); /* it runs */
    TELL(ptrace(PTRACE_INTERRUPT, pid, NULL, NULL));
    wait_for("interrupted", pid);
    tell_info(pid);
    TELL(ptrace(PTRACE_CONT, pid, NULL, NULL));
    kill(pid, SIGSTOP);
    wait_for("SIGSTOP", pid);
    tell_info(pid);
    TELL(ptrace(PTRACE_CONT, pid, NULL, SIGSTOP));
    wait_for("group stop", pid);
    tell_info(pid);
    TELL(ptrace(PTRACE_LISTEN, pid, NULL, NULL));
    shared->ready = 2;
    kill(pid, SIGCONT);
    for (int i = 0; i < 8; i++) { /* the end of the stop may be told, and SIGCONT is */
        int status = 0;
        waitpid(pid, &status, 0);
        if (WIFSTOPPED(status) && status >> 16 == 0)
            tell_status("continued", status);
        if (!WIFSTOPPED(status)) {
            tell_status("end", status);
            break;
        }
        ptrace(PTRACE_CONT, pid, NULL, NULL);
    }
}

static void errors(void)
{
    int pid = start_untraced(sleeper);
    TELL(ptrace(PTRACE_CONT, pid, NULL, NULL));
    TELL(ptrace(PTRACE_ATTACH, getpid(), NULL, NULL));
    TELL(ptrace(PTRACE_ATTACH, 0x3ffffff, NULL, NULL));
    TELL(ptrace(PTRACE_SEIZE, pid, (void *)1, NULL));
    wait_for("end", pid);
    pid = start(some_calls);
    TELL(ptrace(999, pid, NULL, NULL));
    TELL(ptrace(PTRACE_CONT, pid, NULL, 99));
    TELL(ptrace(PTRACE_INTERRUPT, pid, NULL, NULL));
    TELL(ptrace(PTRACE_GETREGSET, pid, 0x12345, &(struct iovec){0}));
    TELL(ptrace(PTRACE_KILL, pid, NULL, NULL));
    wait_for("killed", pid);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } parts[] = {
        {"calls", calls},
        {"signals", signals},
        {"faults", faults},
        {"restarts", restarts},
        {"memory", memory_and_breakpoints},
        {"handler", handler_steps},
        {"events", events},
        {"exec", plain_exec},
        {"attaching", attaching},
        {"interrupting", interrupting},
        {"threads", thread_execs},
        {"seizing", seizing},
        {"errors", errors},
    };
    if (argc > 1 && strcmp(argv[1], "again") == 0)
        return 5;
    setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(60);
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (unsigned i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (argc > 1 && strcmp(argv[1], parts[i].name) != 0)
            continue;
        printf("--- %s\n", parts[i].name);
        parts[i].run();
    }
    return 0;
}
