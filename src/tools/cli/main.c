/* main.c: finds the subcommand in the table of this build (commands_*.c). */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "tools/cli/cli.h"

static int cmd_help(int argc, char **argv);
static int cmd_version(int argc, char **argv);

static const struct cli_command own[] = {
    {"version", "print the version", cmd_version, NULL, NULL},
    {"help", "print this help", cmd_help, NULL, NULL},
    {0},
};

int cli_fail(const struct err *e)
{
    fprintf(stderr, "peng: %s\n", e->text);
    return EXIT_USER;
}

static int cmd_version(int argc, char **argv)
{
    printf("peng %s\n", PENG_VERSION);
    return EXIT_OK;
}

static int cmd_help(int argc, char **argv)
{
    printf("usage: peng COMMAND [OPTION]... [ARGUMENT]\n\n");
    const struct cli_command *const tables[] = {cli_commands, own};
    for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
        for (const struct cli_command *c = tables[i]; c->name; c++)
            printf("  %-10s %s\n", c->name, c->summary);
    for (const struct cli_command *c = cli_commands; c->name; c++) {
        if (!c->usage)
            continue;
        printf("\npeng %s %s\n\n", c->name, c->usage);
        c->print_options(stdout);
    }
    return EXIT_OK;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "peng: a command is missing (see peng help)\n");
        return EXIT_USER;
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        name = "help";
    if (strcmp(name, "--version") == 0)
        name = "version";
    const struct cli_command *const tables[] = {cli_commands, own};
    for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
        for (const struct cli_command *c = tables[i]; c->name; c++)
            if (strcmp(c->name, name) == 0)
                return c->run(argc - 1, argv + 1);
    fprintf(stderr, "peng: %s: no such command (see peng help)\n", argv[1]);
    return EXIT_USER;
}
