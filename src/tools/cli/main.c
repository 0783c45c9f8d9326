/* main.c: finds the subcommand in a table. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "tools/cli/cli.h"

struct command {
    const char *name, *summary;
    int (*run)(int argc, char **argv);
};

static int cmd_help(int argc, char **argv);
static int cmd_version(int argc, char **argv);

static const struct command commands[] = {
    {"run", "run a machine in the foreground until it powers off", cmd_run},
    {"binfmt", "have this host run arm64 programs: install, remove, status", cmd_binfmt},
    {"doctor", "check what this host offers to machines", cmd_doctor},
    {"cache", "translations that are kept between runs: info, clear", cmd_cache},
    {"version", "print the version", cmd_version},
    {"help", "print this help", cmd_help},
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
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        printf("  %-10s %s\n", commands[i].name, commands[i].summary);
    printf("\npeng run [OPTION]... [IMAGE]    IMAGE: a disk that firmware starts\n\n");
    cmd_run_print_options(stdout);
    printf("\npeng binfmt install|remove|status [OPTION]...\n\n");
    cmd_binfmt_print_options(stdout);
    printf("\npeng cache info|clear [OPTION]...\n\n");
    cmd_cache_print_options(stdout);
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
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    fprintf(stderr, "peng: %s: no such command (see peng help)\n", argv[1]);
    return EXIT_USER;
}
