/* devices.c: the virtio devices that a machine's configuration asks for, made in the order in which
 * the guest names them: disks, networks, shares, then entropy, balloon and console. The board says
 * where each goes, so every board and transport has the same.
 */
#include "core/machine/devices.h"

#include "core/device/virtio/balloon.h"
#include "core/device/virtio/blk.h"
#include "core/device/virtio/console.h"
#include "core/device/virtio/fs.h"
#include "core/device/virtio/net.h"
#include "core/device/virtio/p9.h"
#include "core/device/virtio/rng.h"
#include "core/network/tap.h"

static int add_disk(struct machine *machine, const struct virtio_env *env,
                    const struct blk_options *options, struct virtio_device **ret_dev,
                    struct err *e)
{
    struct blk *blk;
    int rc = blk_open(options, &blk, e);
    if (rc < 0)
        return err_prefix(e, "--disk");
    return virtio_blk_new(env, blk, &(struct virtio_blk_options){0}, ret_dev, e);
}

static int add_net(struct machine *machine, const struct virtio_env *env,
                   const struct machine_net *net, struct virtio_device **ret_dev, struct err *e)
{
    struct netdev *netdev;
    int rc = net->tap ? net_tap_new(env->loop, net->tap, &netdev, e)
                      : net_user_new(env->loop, &net->user, env->log, &netdev, e);
    if (rc < 0)
        return err_prefix(e, "--net");
    return virtio_net_new(env, netdev, &(struct virtio_net_options){0}, ret_dev, e);
}

/* Each share has two doors: Debian's cloud kernels know virtiofs only, others 9P as well. */
static int add_share(struct machine *machine, const struct virtio_env *env,
                     const struct machine_share *share, machine_add_device *add, struct err *e)
{
    const struct virtio_fs_options fs = {share->directory, share->tag, share->read_only};
    const struct virtio_p9_options p9 = {share->directory, share->tag, share->read_only};
    struct virtio_device *dev;
    int rc = virtio_fs_new(env, &fs, &dev, e);
    if (rc == 0)
        rc = add(machine, dev, e);
    if (rc == 0)
        rc = virtio_p9_new(env, &p9, &dev, e);
    if (rc == 0)
        rc = add(machine, dev, e);
    return rc < 0 ? err_prefix(e, "--share") : 0;
}

static int add_console(struct machine *machine, const struct virtio_env *env,
                       machine_add_device *add, struct err *e)
{
    struct virtio_device *dev;
    int rc = virtio_console_new(env, &machine->config.console, &dev, e);
    if (rc == 0)
        rc = add(machine, dev, e);
    return rc < 0 ? err_prefix(e, "--console device=virtio") : 0;
}

int machine_add_devices(struct machine *machine, machine_add_device *add, struct err *e)
{
    const struct machine_config *config = &machine->config;
    const struct virtio_env env = {&machine->mem, config->loop, config->log, config->trace};
    struct virtio_device *dev;
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < config->disk_count; i++) {
        rc = add_disk(machine, &env, &config->disks[i], &dev, e);
        if (rc == 0)
            rc = add(machine, dev, e);
    }
    for (unsigned i = 0; rc == 0 && i < config->net_count; i++) {
        rc = add_net(machine, &env, &config->nets[i], &dev, e);
        if (rc == 0)
            rc = add(machine, dev, e);
    }
    for (unsigned i = 0; rc == 0 && i < config->share_count; i++)
        rc = add_share(machine, &env, &config->shares[i], add, e);
    if (rc == 0)
        rc = virtio_rng_new(&env, &dev, e);
    if (rc == 0)
        rc = add(machine, dev, e);
    if (rc == 0)
        rc = virtio_balloon_new(&env, &dev, e);
    if (rc == 0)
        rc = add(machine, dev, e);
    if (rc == 0 && config->console_virtio)
        rc = add_console(machine, &env, add, e);
    return rc;
}
