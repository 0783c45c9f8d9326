/* gdb_user.c: a process of user mode as the target of a GDB session, in the process itself.
 *
 * Threads have their kernel's ids. Signals are stops, told in gdb's own numbers and given to the
 * program when gdb says so. gdb finds the program, its libraries and where they lie by itself: from
 * the auxiliary vector, the program's path and files read through this process.
 *
 * Limits: one process; a child of fork() runs free, and exec ends the session.
 */
#include "interface/gdb_user.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "interface/gdb_server.h"

struct gdb_user {
    struct linux_gdb_ops ops;
    struct linux_gdb *gdb; /* borrowed, once started */
    struct gdb_server *server;
    siginfo_t info; /* of the last stop that was told */
    uint16_t port;
    const struct log *log;
};

/* --- signals by gdb's numbers (gdb's include/gdb/signals.def) ------------------------------------
 */

enum { GDB_SIGNAL_UNKNOWN = 143, GDB_SIGNAL_32 = 77, GDB_SIGNAL_33 = 45, GDB_SIGNAL_64 = 78 };

static const uint8_t gdb_signals[32] = {
    [SIGHUP] = 1,   [SIGINT] = 2,     [SIGQUIT] = 3,  [SIGILL] = 4,   [SIGTRAP] = 5,
    [SIGABRT] = 6,  [SIGBUS] = 10,    [SIGFPE] = 8,   [SIGKILL] = 9,  [SIGUSR1] = 30,
    [SIGSEGV] = 11, [SIGUSR2] = 31,   [SIGPIPE] = 13, [SIGALRM] = 14, [SIGTERM] = 15,
    [SIGCHLD] = 20, [SIGCONT] = 19,   [SIGSTOP] = 17, [SIGTSTP] = 18, [SIGTTIN] = 21,
    [SIGTTOU] = 22, [SIGURG] = 16,    [SIGXCPU] = 24, [SIGXFSZ] = 25, [SIGPROF] = 27,
    [SIGIO] = 23,   [SIGVTALRM] = 26, [SIGPWR] = 32,  [SIGSYS] = 12,  [SIGWINCH] = 28,
};

static unsigned to_gdb(int signal)
{
    if (signal > 0 && signal < 32)
        return gdb_signals[signal] ? gdb_signals[signal] : GDB_SIGNAL_UNKNOWN;
    return signal == 32   ? GDB_SIGNAL_32
           : signal == 64 ? GDB_SIGNAL_64
                          : GDB_SIGNAL_33 + (unsigned)signal - 33;
}

static int from_gdb(unsigned number)
{
    for (int signal = 1; signal <= 64; signal++)
        if (to_gdb(signal) == number && number != GDB_SIGNAL_UNKNOWN)
            return signal;
    return 0;
}

/* --- the process as a target ---------------------------------------------------------------------
 */

static unsigned threads(void *ctx, uint32_t *ret_threads, unsigned max)
{
    return linux_gdb_threads(((struct gdb_user *)ctx)->gdb, ret_threads, max);
}

static void name(void *ctx, uint32_t thread, char *text, size_t size_bytes)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%u/comm", thread);
    FILE *file = fopen(path, "re");
    if (!file)
        return;
    if (fgets(text, (int)size_bytes, file))
        text[strcspn(text, "\n")] = 0;
    fclose(file);
}

/* Where register `number` is kept. */
static void *place(struct linux_gdb_regs *regs, unsigned number)
{
    if (number < GDB_REG_SP)
        return &regs->general.x[number];
    if (number >= GDB_REG_V0 && number < GDB_REG_FPSR)
        return &regs->fpsimd.v[number - GDB_REG_V0];
    switch (number) {
    case GDB_REG_SP:
        return &regs->general.sp;
    case GDB_REG_PC:
        return &regs->general.pc;
    case GDB_REG_CPSR:
        return &regs->general.pstate;
    case GDB_REG_FPSR:
        return &regs->fpsimd.fpsr;
    default:
        return &regs->fpsimd.fpcr;
    }
}

static bool read_reg(void *ctx, uint32_t thread, unsigned number, void *value)
{
    struct linux_gdb_regs regs;
    if (!linux_gdb_regs_get(((struct gdb_user *)ctx)->gdb, (pid_t)thread, &regs))
        return false;
    memcpy(value, place(&regs, number), gdb_arm64.reg_size(number));
    return true;
}

static bool write_reg(void *ctx, uint32_t thread, unsigned number, const void *value)
{
    struct linux_gdb *gdb = ((struct gdb_user *)ctx)->gdb;
    struct linux_gdb_regs regs;
    if (!linux_gdb_regs_get(gdb, (pid_t)thread, &regs))
        return false;
    memcpy(place(&regs, number), value, gdb_arm64.reg_size(number));
    return linux_gdb_regs_set(gdb, (pid_t)thread, &regs);
}

static bool access_memory(void *ctx, uint32_t thread, uint64_t va, void *data, size_t bytes,
                          bool write)
{
    (void)thread;
    return linux_gdb_memory(((struct gdb_user *)ctx)->gdb, va, data, bytes, write);
}

static bool change_breakpoint(void *ctx, uint64_t va, bool set)
{
    return linux_gdb_breakpoint(((struct gdb_user *)ctx)->gdb, va, set);
}

static void resume(void *ctx, const struct gdb_action *actions, unsigned count)
{
    struct linux_gdb_action told[GDB_ACTIONS_MAX];
    for (unsigned i = 0; i < count; i++)
        told[i] = (struct linux_gdb_action){(pid_t)actions[i].thread, actions[i].step,
                                            from_gdb(actions[i].signal)};
    linux_gdb_resume(((struct gdb_user *)ctx)->gdb, told, count);
}

static void pause_target(void *ctx)
{
    linux_gdb_pause(((struct gdb_user *)ctx)->gdb);
}

static bool stopped(void *ctx, uint32_t *ret_thread, unsigned *ret_signal)
{
    pid_t tid;
    siginfo_t info;
    if (!linux_gdb_stopped(((struct gdb_user *)ctx)->gdb, &tid, &info))
        return false;
    ((struct gdb_user *)ctx)->info = info;
    *ret_thread = (uint32_t)tid;
    *ret_signal = to_gdb(info.si_signo);
    return true;
}

static void interrupt(void *ctx)
{
    linux_gdb_interrupt(((struct gdb_user *)ctx)->gdb);
}

static void kill_process(void *ctx)
{
    (void)ctx;
    kill(getpid(), SIGKILL);
}

static bool object(void *ctx, const char *what, const char *annex, uint64_t offset, void *data,
                   size_t *size_bytes)
{
    const struct gdb_user *user = ctx;
    if (strcmp(what, "auxv") == 0)
        return linux_gdb_auxv(user->gdb, offset, data, size_bytes);
    const void *from = &user->info;
    size_t length = sizeof user->info;
    if (strcmp(what, "exec-file") == 0) {
        from = linux_gdb_program(user->gdb);
        length = strlen(from);
    } else if (strcmp(what, "siginfo") != 0) {
        return false;
    }
    offset = offset < length ? offset : length;
    *size_bytes = *size_bytes < length - offset ? *size_bytes : length - offset;
    memcpy(data, (const uint8_t *)from + offset, *size_bytes);
    return true;
}

static int open_file(void *ctx, const char *path)
{
    return linux_gdb_open(((struct gdb_user *)ctx)->gdb, path);
}

static void pass_signals(void *ctx, const uint64_t signals[GDB_PASS_WORDS])
{
    uint64_t told = 0;
    for (int signal = 1; signal <= 64; signal++) {
        unsigned number = to_gdb(signal);
        if (number != GDB_SIGNAL_UNKNOWN && signals[number / 64] >> number % 64 & 1)
            told |= 1ull << (signal - 1);
    }
    linux_gdb_pass(((struct gdb_user *)ctx)->gdb, told);
}

static int keep_fd(void *ctx, int fd)
{
    return linux_gdb_keep_fd(((struct gdb_user *)ctx)->gdb, fd);
}

static void drop_fd(void *ctx, int fd)
{
    linux_gdb_drop_fd(((struct gdb_user *)ctx)->gdb, fd);
}

/* --- what the process tells: struct linux_gdb_ops ------------------------------------------------
 */

static int start(void *ctx, struct linux_gdb *gdb, struct err *e)
{
    struct gdb_user *user = ctx;
    const struct gdb_server_target target = {.session = {.ctx = user,
                                                         .arch = &gdb_arm64,
                                                         .spawned = true,
                                                         .threads = threads,
                                                         .name = name,
                                                         .read_reg = read_reg,
                                                         .write_reg = write_reg,
                                                         .memory = access_memory,
                                                         .breakpoint = change_breakpoint,
                                                         .resume = resume,
                                                         .interrupt = interrupt,
                                                         .kill = kill_process,
                                                         .object = object,
                                                         .objects = "qXfer:auxv:read+;"
                                                                    "qXfer:exec-file:read+;"
                                                                    "qXfer:siginfo:read+",
                                                         .open = open_file,
                                                         .pass_signals = pass_signals},
                                             .pause = pause_target,
                                             .stopped = stopped,
                                             .keep_fd = keep_fd,
                                             .drop_fd = drop_fd};
    user->gdb = gdb;
    return gdb_server_start(&target, user->port, user->log, &user->server, e);
}

static void ring(void *ctx)
{
    gdb_server_ring(((struct gdb_user *)ctx)->server);
}

static void ended(void *ctx, int wait_status)
{
    struct gdb_user *user = ctx;
    bool killed = WIFSIGNALED(wait_status);
    gdb_server_stop(user->server, killed ? 0 : (unsigned)WEXITSTATUS(wait_status),
                    killed ? to_gdb(WTERMSIG(wait_status)) : 0);
}

static void forked(void *ctx)
{
    struct gdb_user *user = ctx;
    gdb_server_forget(user->server);
    user->server = NULL;
}

struct gdb_user *gdb_user_new(uint16_t port, const struct log *log)
{
    struct gdb_user *user = calloc(1, sizeof *user);
    if (user)
        *user = (struct gdb_user){
            .ops = {.ctx = user, .start = start, .ring = ring, .ended = ended, .forked = forked},
            .port = port,
            .log = log};
    return user;
}

const struct linux_gdb_ops *gdb_user_ops(const struct gdb_user *gdb)
{
    return &gdb->ops;
}

void gdb_user_free(struct gdb_user *gdb)
{
    free(gdb);
}
