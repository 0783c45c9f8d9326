/* main.c: peng-arm64: finds out who called, and runs the program.
 *
 * Three callers. Another run of this program, for a guest's exec: everything is in the
 * environment's last string (handover.h), and the arguments are the program's own. The kernel, for
 * binfmt_misc with flag P: the arguments are this program's name, the program's path and its
 * arguments from argv[0] on; AT_EXECFD has the open file (flag O). A person: options as of
 * qemu-aarch64.
 *
 * Exit status where the program cannot be run, as a shell has it: 127 not found, 126 found but not
 * run; 1 for a mistake in the options.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "core/arm64/cpu.h"
#include "core/linux/handover.h"
#include "core/linux/host_libc.h"
#include "interface/gdb_user.h"
#include "tools/arm64run/run_options.h"

enum { EXIT_OPTIONS = 1, EXIT_CANNOT_RUN = 126, EXIT_NOT_FOUND = 127 };

/* include/uapi/linux/binfmts.h */
enum { AT_FLAGS_PRESERVE_ARGV0_BIT = 1 };

static int fail(const struct err *e, int status)
{
    fprintf(stderr, "peng-arm64: %s\n", e->text);
    return status;
}

static void print_help(void)
{
    printf("usage: peng-arm64 [OPTION]... PROGRAM [ARGUMENT]...\n\n"
           "Runs an arm64 Linux program.\n\n");
    run_options_print(stdout);
}

static void print_models(void)
{
    const struct a64_model *model;
    for (unsigned i = 0; (model = a64_model_at(i)); i++)
        printf("%-16s %s\n", model->name, model->description);
}

/* Where the kernel started us for somebody's program, its environment is that somebody's, and with
 * flag C the rights may be the program's (set-id): nothing in it can be a handover, which only our
 * own exec of ourselves makes. */
static bool started_by_binfmt(void)
{
    errno = 0;
    getauxval(AT_EXECFD);
    return errno == 0 || getauxval(AT_FLAGS) & AT_FLAGS_PRESERVE_ARGV0_BIT;
}

/* By binfmt_misc. AT_EXECFN is the program's own: what execve() was called with, a script's name
 * where the program is its interpreter. */
static void read_binfmt(struct linux_config *config, char **argv, char **envp)
{
    errno = 0;
    unsigned long fd = getauxval(AT_EXECFD);
    config->program_fd = errno == 0 ? (int)fd : -1;
    config->self_name = argv[0]; /* the handler's path */
    config->program = argv[1];
    config->exec_name = (const char *)getauxval(AT_EXECFN);
    config->argv = argv + 2;
    config->envp = envp;
}

/* This program's file; where there is no /proc, by the name it was started by: AT_EXECFN, or for
 * binfmt_misc argv[0]. -1: then exec has to go through binfmt_misc. */
static int open_self(char **argv)
{
    int fd = open("/proc/self/exe", O_PATH | O_CLOEXEC);
    if (fd >= 0)
        return fd;
    bool by_kernel = getauxval(AT_FLAGS) & AT_FLAGS_PRESERVE_ARGV0_BIT;
    const char *name = by_kernel ? argv[0] : (const char *)getauxval(AT_EXECFN);
    return name ? open(name, O_PATH | O_CLOEXEC) : -1;
}

int main(int argc, char **argv, char **envp)
{
    const struct log log = {.out = stderr, .level = LOG_WARN, .prefix = "peng-arm64"};
    struct run_options o = {.config = {.program_fd = -1,
                                       .self_fd = -1,
                                       .seccomp_fd = -1,
                                       .profile_fd = -1,
                                       .report_fd = -1,
                                       .log = &log}};
    struct err e = {0};
    host_libc_init();
    if (!started_by_binfmt() && handover_read(envp, &o.config)) {
        o.config.argv = argv;
        o.config.envp = envp;
    } else if (getauxval(AT_FLAGS) & AT_FLAGS_PRESERVE_ARGV0_BIT && argc >= 3) {
        if (run_options_read_environment(&o, envp, &e) < 0)
            return fail(&e, EXIT_OPTIONS);
        read_binfmt(&o.config, argv, o.envp);
    } else if (run_options_read(&o, argc, argv, envp, &e) < 0) {
        return fail(&e, EXIT_OPTIONS);
    }
    switch (o.verb) {
    case RUN_HELP:
        print_help();
        return 0;
    case RUN_VERSION:
        printf("peng-arm64 %s\n", PENG_VERSION);
        return 0;
    case RUN_CPU_HELP:
        print_models();
        return 0;
    case RUN_PROGRAM:
        break;
    }
    if (o.config.self_fd < 0)
        o.config.self_fd = open_self(argv);
    struct gdb_user *gdb = o.gdb_port ? gdb_user_new(o.gdb_port, &log) : NULL;
    if (gdb)
        o.config.gdb = gdb_user_ops(gdb);
    int rc = linux_run(&o.config, &e);
    gdb_user_free(gdb);
    return fail(&e, rc == -ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN);
}
