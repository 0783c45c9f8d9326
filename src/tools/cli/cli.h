/* cli.h: peng's subcommands. Each takes argv with its own name first and returns the exit code. */
#ifndef PENG_TOOLS_CLI_CLI_H
#define PENG_TOOLS_CLI_CLI_H

#include "base/err.h"
#include "tools/cli/options.h"

/* Exit codes of peng; a signal that ended it gives 128 + its number. */
enum {
    EXIT_OK = 0,
    EXIT_USER = 1,    /* the user's error, told in one line */
    EXIT_MACHINE = 2, /* the machine failed */
};

struct cli_command {
    const char *name; /* NULL ends a table */
    const char *summary;
    int (*run)(int argc, char **argv);
    /* For the help: what follows the name on the command line, and the options; may be NULL. */
    const char *usage;
    const struct option_row *options;
};

/* The subcommands that this build has, in the order of the help. */
extern const struct cli_command cli_commands[];

int cmd_run(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_binfmt(int argc, char **argv);
int cmd_cache(int argc, char **argv);
int cmd_profile(int argc, char **argv);
extern const struct option_row binfmt_options[], cache_options[];

/* Prints "peng: TEXT" on standard error and returns EXIT_USER. */
int cli_fail(const struct err *e);

#endif
