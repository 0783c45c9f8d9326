/* verb.h: commands that are one of a few verbs with options: peng binfmt and peng cache. */
#ifndef PENG_TOOLS_CLI_VERB_H
#define PENG_TOOLS_CLI_VERB_H

#include <stdbool.h>

#include "base/err.h"
#include "tools/cli/options.h"

/* What each such command is given; the first member of its own arguments. */
struct verb_args {
    const char *verb;
    bool json; /* --format json */
};

struct verb {
    const char *name; /* NULL ends a table */
    int (*run)(struct verb_args *args, struct err *e);
};

/* What takes the value of --format and -f. */
int verb_take_format(void *args, char *value, struct err *e);

/* Reads the command line to `args` and runs the verb that it names. Returns the exit code, having
 * printed what is wrong. */
int verb_command(const struct verb *verbs, const struct option_row *options, int argc, char **argv,
                 struct verb_args *args);

/* A JSON string (RFC 8259, section 7) on standard output; bytes beyond ASCII pass as they are. */
void verb_print_quoted(const char *text);

#endif
