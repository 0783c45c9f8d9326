/* machine_args.h: the command line of `peng run`. */
#ifndef PENG_TOOLS_CLI_MACHINE_ARGS_H
#define PENG_TOOLS_CLI_MACHINE_ARGS_H

#include <stdbool.h>

#include "core/machine/machine.h"
#include "tools/cli/options.h"

/* What was asked for. Strings are argv's. */
struct machine_args {
    struct machine_config config; /* without its loop, log, console and trace */
    const char *engine;
    const char *console; /* "stdio", "none" or a file */
    const char *name;
    const char *image; /* IMAGE; NULL: none */
    unsigned trace_kinds;
    const char *trace_path;
    bool no_net, list_cpus, no_jail, verbose;
    unsigned gdb_port;       /* 0: none */
    struct err not_the_best; /* what is wrong with the engine chosen, or the one before it */
};

extern const struct option_row machine_options[];

/* Reads argv[1..], which it may cut up, and PENG_HOST_FEATURES; chooses what was left open. After
 * `--cpu help`, list_cpus alone counts. Errors: EINVAL and others, one line that names the option.
 */
int machine_args_read(struct machine_args *args, int argc, char **argv, struct err *e);

#endif
