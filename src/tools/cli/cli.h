/* cli.h: peng's subcommands. Each takes argv with its own name first and returns the exit code. */
#ifndef PENG_TOOLS_CLI_CLI_H
#define PENG_TOOLS_CLI_CLI_H

#include "base/err.h"

/* Exit codes of peng; a signal that ended it gives 128 + its number. */
enum {
    EXIT_OK = 0,
    EXIT_USER = 1,    /* the user's error, told in one line */
    EXIT_MACHINE = 2, /* the machine failed */
};

int cmd_run(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_binfmt(int argc, char **argv);
int cmd_cache(int argc, char **argv);
void cmd_run_print_options(void *file);
void cmd_binfmt_print_options(void *file);
void cmd_cache_print_options(void *file);

/* Prints "peng: TEXT" on standard error and returns EXIT_USER. */
int cli_fail(const struct err *e);

#endif
