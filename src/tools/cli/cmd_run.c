/* cmd_run.c: `peng run`: options to a machine configuration, then the machine's life in the
 * foreground.
 *
 * The guest's console is the only thing on standard output. Signals that would end the process are
 * read by the event loop, so that ending by one takes the ordinary way out: disks are closed and
 * the terminal is put back.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/bytes.h"
#include "core/arm64/cpu.h"
#include "core/machine/machine.h"
#include "interface/gdb_machine.h"
#include "tools/cli/cli.h"
#include "tools/cli/machine_args.h"
#include "tools/cli/terminal.h"

struct run {
    struct machine_args args;
    FILE *trace_file;
    struct trace trace;
    struct evloop *loop;
    struct terminal *terminal;
    struct evsource *signal_source;
    int signal_fd;
    int ended_by; /* a signal's number */
    struct log log;
    struct machine *machine;
    struct gdb_machine *gdb;
};

static void on_quit(void *ctx)
{
    machine_stop(((struct run *)ctx)->machine);
}

static void on_power(void *ctx)
{
    machine_press_power(((struct run *)ctx)->machine);
}

static void on_signal(void *ctx, uint32_t events)
{
    struct run *run = ctx;
    struct signalfd_siginfo info;
    if (read(run->signal_fd, &info, sizeof(info)) == sizeof(info)) {
        run->ended_by = (int)info.ssi_signo;
        machine_stop(run->machine);
    }
}

/* Signals that end the process are taken by the event loop; a broken pipe is an error to write().
 */
static int watch_signals(struct run *run, struct err *e)
{
    static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < ARRAY_SIZE(ending); i++)
        sigaddset(&set, ending[i]);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    run->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (run->signal_fd < 0)
        return err_set_errno(e, errno, "signalfd");
    return evloop_add(run->loop, run->signal_fd, EPOLLIN, on_signal, run, &run->signal_source, e);
}

static int open_console(struct run *run, struct err *e)
{
    int rc = 0;
    if (strcmp(run->args.console, "stdio") == 0)
        rc = terminal_new_stdio(run->loop, &run->terminal, e);
    else if (strcmp(run->args.console, "none") != 0)
        rc = terminal_new_file(run->args.console, &run->terminal, e);
    if (rc == 0 && run->terminal)
        run->args.config.console = terminal_chardev(run->terminal);
    return rc;
}

static int open_trace(struct run *run, struct err *e)
{
    if (!run->args.trace_path)
        return 0;
    run->trace_file = fopen(run->args.trace_path, "we");
    if (!run->trace_file)
        return err_set_errno(e, errno, "--trace %s", run->args.trace_path);
    trace_init(&run->trace, run->trace_file, run->args.trace_kinds);
    run->args.config.trace = &run->trace;
    return 0;
}

/* After one step of it: how many calls are left, or what this kernel lacks. */
static void tell_jail(const struct run *run, int calls, const struct err *lacking)
{
    if (calls < 0)
        log_warn(&run->log, "--jail: %s", lacking->text);
    else if (calls > 0)
        log_info(&run->log, "jailed: %d system calls", calls);
}

static void jail_files_of(struct run *run)
{
    struct err lacking = {0};
    if (!run->args.no_jail)
        tell_jail(run, machine_jail_files(run->machine, &lacking), &lacking);
}

static void jail_calls_of(struct run *run)
{
    struct err lacking = {0};
    if (!run->args.no_jail)
        tell_jail(run, machine_jail_calls(run->machine, run->args.gdb_port != 0, &lacking),
                  &lacking);
}

/* Everything but running. The files are jailed before a thread is started, the calls when all is
 * open. On failure what was made is freed by the caller. */
static int prepare(struct run *run, struct err *e)
{
    struct machine_config *config = &run->args.config;
    if (!run->args.no_net && config->net_count == 0)
        config->net_count = 1; /* user networking */
    int rc = evloop_new(&run->loop, e);
    if (rc == 0)
        rc = watch_signals(run, e);
    if (rc == 0)
        rc = open_console(run, e);
    if (rc == 0)
        rc = open_trace(run, e);
    if (rc < 0)
        return rc;
    config->loop = run->loop;
    config->log = &run->log;
    rc = machine_new(config, &run->machine, e);
    if (rc == 0)
        jail_files_of(run);
    if (rc == 0 && run->args.gdb_port)
        rc = gdb_machine_start(run->machine, (uint16_t)run->args.gdb_port, &run->log, &run->gdb, e);
    if (rc == 0 && run->terminal)
        rc = terminal_start(run->terminal, (struct terminal_actions){run, on_quit, on_power}, e);
    if (rc == 0)
        jail_calls_of(run);
    return rc;
}

/* Whether all output has reached its file; says so where it has not. That nobody reads the console
 * any more is no failure. */
static bool output_is_whole(const struct run *run, int trace_errno)
{
    int console_errno = run->terminal ? terminal_lost(run->terminal) : 0;
    if (console_errno == EPIPE)
        console_errno = 0;
    if (console_errno)
        fprintf(stderr, "peng: --console %s: %s\n", run->args.console, strerror(console_errno));
    if (trace_errno)
        fprintf(stderr, "peng: --trace %s: %s\n", run->args.trace_path, strerror(trace_errno));
    return !console_errno && !trace_errno;
}

/* False: some of what the machine wrote was lost. */
static bool clean_up(struct run *run)
{
    gdb_machine_stop(run->gdb);
    machine_free(run->machine);
    int trace_errno = 0;
    if (run->trace_file) {
        bool failed = ferror(run->trace_file);
        trace_errno = fclose(run->trace_file) != 0 ? errno : failed ? EIO : 0;
    }
    bool whole = output_is_whole(run, trace_errno);
    terminal_free(run->terminal);
    evsource_remove(run->signal_source);
    if (run->signal_fd >= 0)
        close(run->signal_fd);
    evloop_free(run->loop);
    return whole;
}

static int list_cpus(void)
{
    for (unsigned i = 0; a64_model_at(i); i++)
        printf("%-14s %s\n", a64_model_at(i)->name, a64_model_at(i)->description);
    return EXIT_OK;
}

int cmd_run(int argc, char **argv)
{
    struct run run = {.signal_fd = -1, .log = {.out = stderr, .level = LOG_WARN, .prefix = "peng"}};
    const struct machine_args *args = &run.args;
    struct err e = {0};
    int rc = machine_args_read(&run.args, argc, argv, &e);
    if (rc == 0 && args->list_cpus)
        return list_cpus();
    if (args->verbose)
        run.log.level = LOG_DEBUG;
    if (args->name)
        run.log.prefix = args->name;
    if (rc == 0)
        rc = prepare(&run, &e);
    if (rc < 0) {
        clean_up(&run);
        return cli_fail(&e);
    }
    if (args->not_the_best.code)
        log_warn(&run.log, "%s; running on the %s engine", args->not_the_best.text,
                 args->config.engine->name);
    enum machine_end end = machine_run(run.machine, &e);
    if (args->config.stats)
        machine_print_stats(run.machine, stderr);
    bool whole = clean_up(&run);
    if (end == MACHINE_END_FAILED) {
        fprintf(stderr, "peng: %s\n", e.text[0] ? e.text : "the machine failed");
        return EXIT_MACHINE;
    }
    if (run.ended_by)
        return 128 + run.ended_by;
    return whole ? EXIT_OK : EXIT_USER;
}
