/* machine_args.c: the command line of `peng run`, read into a machine's configuration: the table of
 * its options and, behind it, what only several of them together tell.
 */
#include "tools/cli/machine_args.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/size.h"
#include "base/trace.h"
#include "core/arm64/cpu.h"
#include "core/machine/image.h"
#include "hardware/codemem.h"
#include "hardware/hostcpu.h"
#include "hardware/hostmem.h"

#define DEFAULT_MEMORY (1ull << 30)
#define MEMORY_MIN     (16ull << 20)

/* Debian's qemu-efi-aarch64, the unpadded build first, as it holds less memory; and its ovmf. */
static const struct {
    const char *arch, *path;
} firmware_paths[] = {
    {"arm64", "/usr/share/qemu-efi-aarch64/QEMU_EFI.fd"},
    {"arm64", "/usr/share/AAVMF/AAVMF_CODE.fd"},
    {"x86_64", "/usr/share/OVMF/OVMF_CODE_4M.fd"},
};

static int parse_count(const char *text, unsigned max, unsigned *ret, struct err *e)
{
    char *end;
    errno = 0;
    unsigned long n = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || n < 1 || n > max)
        return err_set(e, EINVAL, "not a number from 1 to %u", max);
    *ret = (unsigned)n;
    return 0;
}

static int set_once(const char **slot, char *value, struct err *e)
{
    if (*slot)
        return err_set(e, EINVAL, "given twice");
    *slot = value;
    return 0;
}

static int take_arch(void *ctx, char *value, struct err *e)
{
    return set_once(&((struct machine_args *)ctx)->config.arch, value, e);
}

static int take_engine(void *ctx, char *value, struct err *e)
{
    struct machine_args *args = ctx;
    args->engine = value;
    bool automatic = strcmp(value, "auto") == 0;
    args->config.engine = automatic ? NULL : engine_find(value);
    return automatic || args->config.engine ? 0
                                            : err_set(e, EINVAL, "no such engine in this build");
}

static int take_cpu(void *ctx, char *value, struct err *e)
{
    struct machine_args *args = ctx;
    args->list_cpus = strcmp(value, "help") == 0;
    args->config.cpu_model = value;
    if (args->list_cpus || strcmp(value, "host") == 0 || a64_model_find(value))
        return 0;
    return err_set(e, EINVAL, "no such CPU model (--cpu help lists them)");
}

static int take_cpus(void *ctx, char *value, struct err *e)
{
    return parse_count(value, A64_CPUS_MAX, &((struct machine_args *)ctx)->config.cpus, e);
}

static int take_memory(void *ctx, char *value, struct err *e)
{
    struct machine_args *args = ctx;
    uint64_t bytes, total = hostmem_total_bytes();
    int rc = size_parse(value, &bytes, e);
    if (rc < 0)
        return rc;
    if (bytes < MEMORY_MIN)
        return err_set(e, EINVAL, "less than a machine's least, %dM", (int)(MEMORY_MIN >> 20));
    if (total && bytes > total)
        return err_set(e, ENOMEM, "more than this host's %llu MiB",
                       (unsigned long long)(total >> 20));
    args->config.memory_bytes = align_up(bytes, 2 << 20);
    return 0;
}

static int take_virtualization(void *ctx, char *value, struct err *e)
{
    bool on = strcmp(value, "on") == 0;
    ((struct machine_args *)ctx)->config.virtualization = on;
    return on || strcmp(value, "off") == 0 ? 0 : err_set(e, EINVAL, "on or off");
}

static int take_kernel(void *ctx, char *value, struct err *e)
{
    return set_once(&((struct machine_args *)ctx)->config.kernel, value, e);
}

static int take_initrd(void *ctx, char *value, struct err *e)
{
    return set_once(&((struct machine_args *)ctx)->config.initrd, value, e);
}

static int take_append(void *ctx, char *value, struct err *e)
{
    return set_once(&((struct machine_args *)ctx)->config.append, value, e);
}

static int take_firmware(void *ctx, char *value, struct err *e)
{
    struct machine_args *args = ctx;
    for (char *word = options_cut(value), *next; word; word = next) {
        next = options_cut(word);
        char *vars = options_value(word, "vars");
        if (!vars)
            return err_set(e, EINVAL, "%s: vars=FILE", word);
        args->config.firmware_vars = vars;
    }
    return set_once(&args->config.firmware, value, e);
}

static int add_disk(struct machine_args *args, const struct blk_options *disk, struct err *e)
{
    if (args->config.disk_count == MACHINE_DISKS_MAX)
        return err_set(e, ENOSPC, "more than %d disks", MACHINE_DISKS_MAX);
    args->config.disks[args->config.disk_count++] = *disk;
    return 0;
}

static int take_disk(void *ctx, char *value, struct err *e)
{
    struct blk_options disk = {.path = value};
    for (char *word = options_cut(value), *next; word; word = next) {
        next = options_cut(word);
        if (strcmp(word, "readonly") == 0)
            disk.read_only = true;
        else if (strcmp(word, "snapshot") == 0)
            disk.snapshot = true;
        else if (strcmp(word, "format=raw") == 0)
            disk.raw = true;
        else
            return err_set(e, EINVAL, "%s: format=raw, readonly or snapshot", word);
    }
    return add_disk(ctx, &disk, e);
}

static int take_net(void *ctx, char *value, struct err *e)
{
    struct machine_args *args = ctx;
    struct machine_net net = {0};
    char *word = options_cut(value);
    if (strcmp(value, "none") == 0 && !word) {
        args->no_net = true;
        return 0;
    }
    if (strncmp(value, "tap=", 4) == 0 && value[4] && !word)
        net.tap = value + 4;
    else if (strcmp(value, "user") != 0)
        return err_set(e, EINVAL, "user[,hostfwd=RULE], tap=INTERFACE or none");
    for (char *next; word; word = next) {
        next = options_cut(word);
        if (strncmp(word, "hostfwd=", 8) != 0)
            return err_set(e, EINVAL, "%s: hostfwd=tcp:HOSTPORT-:GUESTPORT", word);
        if (net.user.forward_count == NET_USER_FORWARDS_MAX)
            return err_set(e, ENOSPC, "more than %d forwards", NET_USER_FORWARDS_MAX);
        int rc = net_user_parse_forward(word + 8, &net.user.forwards[net.user.forward_count++], e);
        if (rc < 0)
            return rc;
    }
    if (args->config.net_count == MACHINE_NETS_MAX)
        return err_set(e, ENOSPC, "more than %d networks", MACHINE_NETS_MAX);
    args->config.nets[args->config.net_count++] = net;
    return 0;
}

static int take_share(void *ctx, char *value, struct err *e)
{
    struct machine_args *args = ctx;
    struct machine_share share = {.directory = value};
    for (char *word = options_cut(value), *next; word; word = next) {
        next = options_cut(word);
        char *tag = options_value(word, "tag");
        if (tag)
            share.tag = tag;
        else if (strcmp(word, "readonly") == 0)
            share.read_only = true;
        else
            return err_set(e, EINVAL, "%s: tag=TAG or readonly", word);
    }
    if (!share.tag)
        return err_set(e, EINVAL, "tag=TAG is missing");
    for (unsigned i = 0; i < args->config.share_count; i++)
        if (strcmp(args->config.shares[i].tag, share.tag) == 0)
            return err_set(e, EEXIST, "tag=%s: given twice", share.tag);
    if (args->config.share_count == MACHINE_SHARES_MAX)
        return err_set(e, ENOSPC, "more than %d shares", MACHINE_SHARES_MAX);
    args->config.shares[args->config.share_count++] = share;
    return 0;
}

static int take_transport(void *ctx, char *value, struct err *e)
{
    enum machine_virtio *transport = &((struct machine_args *)ctx)->config.virtio_transport;
    if (strcmp(value, "mmio") == 0)
        *transport = MACHINE_VIRTIO_MMIO;
    else if (strcmp(value, "pci") == 0)
        *transport = MACHINE_VIRTIO_PCI;
    else
        return err_set(e, EINVAL, "mmio or pci");
    return 0;
}

static int take_console(void *ctx, char *value, struct err *e)
{
    struct machine_args *args = ctx;
    args->console = value;
    for (char *word = options_cut(value), *next; word; word = next) {
        next = options_cut(word);
        const char *device = options_value(word, "device");
        args->config.console_virtio = device && strcmp(device, "virtio") == 0;
        if (!device || (!args->config.console_virtio && strcmp(device, "pl011") != 0))
            return err_set(e, EINVAL, "%s: device=pl011 or device=virtio", word);
    }
    return 0;
}

static int take_name(void *ctx, char *value, struct err *e)
{
    struct machine_args *args = ctx;
    return set_once(&args->name, value, e);
}

static int take_code_cache(void *ctx, char *value, struct err *e)
{
    return size_parse_mib(value, CODEMEM_MIB_MIN, CODEMEM_MIB_MAX,
                          &((struct machine_args *)ctx)->config.code_cache_bytes, e);
}

static int take_gdb(void *ctx, char *value, struct err *e)
{
    return parse_count(value, 65535, &((struct machine_args *)ctx)->gdb_port, e);
}

static int take_jail(void *ctx, char *value, struct err *e)
{
    struct machine_args *args = ctx;
    args->no_jail = strcmp(value, "off") == 0;
    return args->no_jail || strcmp(value, "on") == 0 ? 0 : err_set(e, EINVAL, "on or off");
}

static int take_trace(void *ctx, char *value, struct err *e)
{
    struct machine_args *args = ctx;
    for (char *word = value, *next; word; word = next) {
        next = options_cut(word);
        unsigned kind = trace_kind_named(word);
        if (strncmp(word, "file=", 5) == 0 && word[5])
            args->trace_path = word + 5;
        else if (!kind)
            return err_set(e, EINVAL, "%s: some of exec,int,mmu,virtio and file=PATH", word);
        args->trace_kinds |= kind;
    }
    if (!args->trace_path || !args->trace_kinds)
        return err_set(e, EINVAL, "some of exec,int,mmu,virtio, then file=PATH");
    return 0;
}

static int take_host_features(void *ctx, char *value, struct err *e)
{
    struct hostcpu parsed;
    ((struct machine_args *)ctx)->config.host_features = value;
    return hostcpu_parse(value, &parsed, e);
}

static int take_stats(void *ctx, char *value, struct err *e)
{
    ((struct machine_args *)ctx)->config.stats = true;
    return 0;
}

static int take_verbose(void *ctx, char *value, struct err *e)
{
    ((struct machine_args *)ctx)->verbose = true;
    return 0;
}

/* IMAGE: a disk that firmware starts from. */
static int take_image(void *ctx, char *value, struct err *e)
{
    struct machine_args *args = ctx;
    if (args->image)
        return err_set(e, EINVAL, "%s: one argument too many", value);
    args->image = value;
    return add_disk(args, &(struct blk_options){.path = value}, e);
}

/* The firmware for an IMAGE where the operator names none. */
static int find_firmware(struct machine_args *args, struct err *e)
{
    struct machine_config *config = &args->config;
    for (size_t i = 0; !config->firmware && i < ARRAY_SIZE(firmware_paths); i++)
        if (strcmp(firmware_paths[i].arch, config->arch) == 0 &&
            access(firmware_paths[i].path, R_OK) == 0)
            config->firmware = firmware_paths[i].path;
    return config->firmware
               ? 0
               : err_set(e, ENOENT, "%s: no firmware to start it with (--firmware FILE)",
                         args->image);
}

const struct option_row machine_options[] = {
    {"--arch", "arm64|x86_64", "the machine's architecture (the kernel's or firmware's)",
     take_arch},
    {"--engine", "auto|kvm|translator|interpreter", "what runs guest code", take_engine},
    {"--cpu", "MODEL|help", "CPU model", take_cpu},
    {"--cpus", "N", "number of CPUs (1)", take_cpus},
    {"--virtualization", "on|off", "arm64 guests may run guests: CPUs with EL2 (off)",
     take_virtualization},
    {"--memory", "SIZE", "memory (1G)", take_memory},
    {"--kernel", "FILE", "start this kernel", take_kernel},
    {"--initrd", "FILE", "with this initial file system", take_initrd},
    {"--append", "TEXT", "and this command line", take_append},
    {"--firmware", "FILE[,vars=FILE]", "start this firmware from flash; vars keeps its variables",
     take_firmware},
    {"--disk", "FILE[,format=raw][,readonly][,snapshot]", "a disk; may be repeated", take_disk},
    {"--net", "user[,hostfwd=tcp:HOSTPORT-:GUESTPORT]|tap=IF|none", "a network card (user)",
     take_net},
    {"--share", "DIR,tag=TAG[,readonly]", "a host directory for the guest, by virtiofs or 9p",
     take_share},
    {"--virtio-transport", "mmio|pci", "how the guest reaches its devices (mmio)", take_transport},
    {"--console", "stdio|FILE|none[,device=pl011|virtio]",
     "where the guest's console goes (stdio), and by which device", take_console},
    {"--name", "NAME", "the machine's name in messages", take_name},
    {"--code-cache", "SIZE", "memory for translated code", take_code_cache},
    {"--host-features", "LIST", "translate for a host CPU with no more than sse4_2,...",
     take_host_features},
    {"--gdb", "PORT", "wait for a debugger on this port of localhost", take_gdb},
    {"--jail", "on|off",
     "let the process do nothing but run this machine: seccomp and Landlock (on)", take_jail},
    {"--trace", "exec|int|mmu|virtio[,...],file=PATH", "write what happens to a file", take_trace},
    {"--stats", NULL, "print counters on standard error at the end", take_stats},
    {"--verbose", NULL, "say more on standard error", take_verbose},
    {0},
};

static int check(const struct machine_args *args, struct err *e)
{
    const struct machine_config *config = &args->config;
    if (config->kernel && (config->firmware || args->image))
        return err_set(e, EINVAL, "--kernel: not together with --firmware or an IMAGE");
    if (!config->kernel && !config->firmware && !args->image)
        return err_set(e, EINVAL, "--kernel FILE, --firmware FILE or an IMAGE is missing");
    if (args->image && image_arch(args->image))
        return err_set(e, EINVAL, "%s: not a disk image; a kernel is started by --kernel",
                       args->image);
    if (!config->kernel && (config->initrd || config->append))
        return err_set(e, EINVAL, "%s: only together with --kernel",
                       config->initrd ? "--initrd" : "--append");
    if (args->no_net && config->net_count > 0)
        return err_set(e, EINVAL, "--net none: not together with another --net");
    return 0;
}

/* What was left open: the architecture is the kernel's or the firmware's, the engine the best for
 * it. */
static int choose(struct machine_args *args, struct err *e)
{
    struct machine_config *config = &args->config;
    if (!config->arch && config->kernel)
        config->arch = image_arch(config->kernel);
    if (!config->arch && config->firmware)
        config->arch = image_firmware_arch(config->firmware);
    if (!config->arch)
        config->arch = "arm64";
    if (config->virtualization && strcmp(config->arch, "arm64") != 0)
        return err_set(e, ENOTSUP, "--virtualization: for arm64 guests only");
    if (args->image) {
        int rc = find_firmware(args, e);
        if (rc < 0)
            return rc;
    }
    if (config->engine)
        return 0;
    config->engine = engine_choose(config->arch, &args->not_the_best);
    if (!config->engine)
        return err_set(e, args->not_the_best.code, "--arch %s: %s", config->arch,
                       args->not_the_best.text);
    return 0;
}

int machine_args_read(struct machine_args *args, int argc, char **argv, struct err *e)
{
    *args = (struct machine_args){
        .config = {.cpus = 1, .memory_bytes = DEFAULT_MEMORY},
        .console = "stdio",
    };
    char *features = getenv("PENG_HOST_FEATURES");
    if (features && *features && take_host_features(args, features, e) < 0)
        return err_prefix(e, "PENG_HOST_FEATURES");
    int rc = options_parse(machine_options, argc, argv, args, take_image, e);
    if (rc < 0 || args->list_cpus)
        return rc;
    rc = check(args, e);
    return rc < 0 ? rc : choose(args, e);
}
