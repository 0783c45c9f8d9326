/* commands_x86_64.c: the subcommands on x86-64 hosts. */
#include <stddef.h>

#include "tools/cli/cli.h"
#include "tools/cli/machine_args.h"

const struct cli_command cli_commands[] = {
    {"run", "run a machine in the foreground until it powers off", cmd_run,
     "[OPTION]... [IMAGE]    IMAGE: a disk that firmware starts", machine_options},
    {"binfmt", "have this host run arm64 programs: install, remove, status", cmd_binfmt,
     "install|remove|status [OPTION]...", binfmt_options},
    {"doctor", "check what this host offers to machines", cmd_doctor, NULL, NULL},
    {"cache", "translations that are kept between runs: info, clear", cmd_cache,
     "info|clear [OPTION]...", cache_options},
    {"profile", "show what peng-arm64 --profile=FILE wrote, its code disassembled", cmd_profile,
     "FILE", NULL},
    {0},
};
