/* jailed.c: what a machine that has been built still needs of the host, for the jail of its process
 * (hardware/jail/jail.h): no more files than its shares, the translations' folder and, for the
 * guest's DNS, the host's resolv.conf; the system calls of what it is made of.
 */
#include "core/machine/machine_int.h"
#include "hardware/jail/jail.h"

#define RESOLV_CONF "/etc/resolv.conf"

static bool has_user_network(const struct machine_config *config)
{
    for (unsigned i = 0; i < config->net_count; i++)
        if (!config->nets[i].tap)
            return true;
    return false;
}

static bool has_forwards(const struct machine_config *config)
{
    for (unsigned i = 0; i < config->net_count; i++)
        if (config->nets[i].user.forward_count > 0)
            return true;
    return false;
}

static const char *engine_folder(const struct machine *machine)
{
    const struct engine_ops *ops = machine->config.engine;
    return ops->folder ? ops->folder(machine->engine) : NULL;
}

int machine_jail_files(const struct machine *machine, struct err *e)
{
    const struct machine_config *config = &machine->config;
    struct jail_path paths[MACHINE_SHARES_MAX + 2];
    size_t count = 0;
    for (unsigned i = 0; i < config->share_count; i++)
        paths[count++] = (struct jail_path){config->shares[i].directory,
                                            config->shares[i].read_only ? JAIL_READ : JAIL_CHANGE};
    if (engine_folder(machine))
        paths[count++] = (struct jail_path){engine_folder(machine), JAIL_KEEP};
    if (has_user_network(config))
        paths[count++] = (struct jail_path){RESOLV_CONF, JAIL_READ};
    return jail_files(paths, count, e);
}

int machine_jail_calls(const struct machine *machine, bool debugger, struct err *e)
{
    const struct machine_config *config = &machine->config;
    unsigned work = config->engine->in_kernel ? JAIL_KVM : JAIL_BANKS;
    if (has_user_network(config))
        work |= JAIL_SOCKETS;
    if (engine_folder(machine))
        work |= JAIL_STORE;
    for (unsigned i = 0; i < config->share_count; i++)
        work |= JAIL_SHARE | (config->shares[i].read_only ? 0 : JAIL_CHANGES);
    if (debugger || has_forwards(config))
        work |= JAIL_LISTENS;
    return jail_calls(work, e);
}
