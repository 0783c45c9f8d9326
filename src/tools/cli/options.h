/* options.h: command lines by table: a row an option, a function that takes its value. */
#ifndef PENG_TOOLS_CLI_OPTIONS_H
#define PENG_TOOLS_CLI_OPTIONS_H

#include "base/err.h"

struct option_row {
    const char *name;  /* "--cpus" */
    const char *value; /* what the help calls its value; NULL: it takes none */
    const char *help;
    /* Takes the value (NULL where it takes none). An error need not name the option. */
    int (*take)(void *ctx, char *value, struct err *e);
};

/* Reads argv[1..]: `--name value` or `--name=value`; "--" ends the options. What is no option goes
 * to `positional`, which may be NULL where there is none. Values are borrowed from argv. Errors:
 * EINVAL, one line that names the option. */
int options_parse(const struct option_row *rows, int argc, char **argv, void *ctx,
                  int (*positional)(void *ctx, char *value, struct err *e), struct err *e);

/* The table as help, to a FILE *. */
void options_print(const struct option_row *rows, void *file);

/* Cuts "a,b=c" at its first comma; returns the rest or NULL. */
char *options_cut(char *text);

/* The value of "KEY=value", which must not be empty; NULL where `word` is something else. */
char *options_value(char *word, const char *key);

#endif
