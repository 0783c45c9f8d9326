/* run_options.h: the command line of peng-arm64, which is qemu-aarch64's with long names beside. */
#ifndef PENG_TOOLS_ARM64RUN_RUN_OPTIONS_H
#define PENG_TOOLS_ARM64RUN_RUN_OPTIONS_H

#include "core/linux/linux.h"

enum run_verb { RUN_PROGRAM, RUN_HELP, RUN_VERSION, RUN_CPU_HELP };

struct run_options {
    struct linux_config config;
    enum run_verb verb;
    uint16_t gdb_port; /* 0: no debugger */
    char *argv0;       /* -0; NULL: the program's name */
    char **envp;       /* the guest's environment; owned */
    size_t env_count, env_room;
    struct run_text *texts; /* that variables of -E point into; owned */
    struct err *e;          /* for what an option has to say */
};

/* Reads environment variables, then options up to the program's name. `envp` is the process's. On
 * success config.program, argv and envp are set, unless the verb is another; strings are borrowed
 * from both. Errors: EINVAL, ENOMEM, a line. */
int run_options_read(struct run_options *o, int argc, char **argv, char **envp, struct err *e);

/* The first half alone, for binfmt_misc: sets o->envp. */
int run_options_read_environment(struct run_options *o, char **envp, struct err *e);

/* For tests: a program's environment lives as long as the program. */
void run_options_done(struct run_options *o);

void run_options_print(void *file);

#endif
