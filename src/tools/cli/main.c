/* main.c: finds the subcommand in the table of this build (commands_*.c), and answers for the
 * standard streams: none is left closed, and what could not be written is told.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "tools/cli/cli.h"

static int cmd_help(int argc, char **argv);
static int cmd_version(int argc, char **argv);

static const struct cli_command own[] = {
    {"version", "print the version", cmd_version, NULL, NULL},
    {"help", "print this help, or that of a command", cmd_help, "[COMMAND]", NULL},
    {0},
};

static const struct cli_command *find_command(const char *name)
{
    const struct cli_command *const tables[] = {cli_commands, own};
    for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
        for (const struct cli_command *c = tables[i]; c->name; c++)
            if (strcmp(c->name, name) == 0)
                return c;
    return NULL;
}

int cli_fail(const struct err *e)
{
    fprintf(stderr, "peng: %s\n", e->text);
    return EXIT_USER;
}

static int no_such_command(const char *name)
{
    struct err e;
    err_set(&e, EINVAL, "%s: no such command (see peng help)", name);
    return cli_fail(&e);
}

static int cmd_version(int argc, char **argv)
{
    printf("peng %s\n", PENG_VERSION);
    return EXIT_OK;
}

static int print_help(const struct cli_command *c)
{
    printf("usage: peng %s%s%s\n\n%s\n", c->name, c->usage ? " " : "", c->usage ? c->usage : "",
           c->summary);
    if (c->options) {
        putchar('\n');
        options_print(c->options, stdout);
    }
    return EXIT_OK;
}

static int cmd_help(int argc, char **argv)
{
    if (argc > 1) {
        const struct cli_command *c = find_command(argv[1]);
        return c ? print_help(c) : no_such_command(argv[1]);
    }
    printf("usage: peng COMMAND [OPTION]... [ARGUMENT]\n\n");
    const struct cli_command *const tables[] = {cli_commands, own};
    for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
        for (const struct cli_command *c = tables[i]; c->name; c++)
            printf("  %-10s %s\n", c->name, c->summary);
    printf("\n'peng help COMMAND' or 'peng COMMAND --help' lists a command's options.\n");
    return EXIT_OK;
}

/* Whether --help is among the arguments of a command, before a "--". */
static bool wants_help(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || (i == 1 && strcmp(argv[i], "-h") == 0))
            return true;
    return false;
}

/* Opens what is closed of the standard streams, so that no disk or socket of the machine gets its
 * number, and with it the console's output or our messages; but so that using it fails as before.
 */
static void occupy_standard_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

static int run(int argc, char **argv)
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
    const struct cli_command *c = find_command(name);
    if (!c)
        return no_such_command(name);
    return wants_help(argc - 1, argv + 1) ? print_help(c) : c->run(argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
    occupy_standard_streams();
    int status = run(argc, argv);
    if ((fflush(stdout) != 0 || ferror(stdout)) && status == EXIT_OK) {
        struct err e;
        err_set_errno(&e, errno, "standard output");
        status = cli_fail(&e);
    }
    return status;
}
