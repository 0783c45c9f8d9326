/* commands_aarch64.c: the subcommands on arm64 hosts: nothing is translated there, and arm64
 * programs run by themselves.
 */
#include <stddef.h>

#include "tools/cli/cli.h"
#include "tools/cli/machine_args.h"

const struct cli_command cli_commands[] = {
    {"run", "run a machine in the foreground until it powers off", cmd_run,
     "[OPTION]... [IMAGE]    IMAGE: a disk that firmware starts", machine_options},
    {"doctor", "check what this host offers to machines", cmd_doctor, NULL, NULL},
    {0},
};
