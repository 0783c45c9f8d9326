/* cmd_run.c: `peng run`: options to a machine configuration, then the machine's life in the
 * foreground.
 *
 * The guest's console is the only thing on standard output. Signals that would end the process are
 * read by the event loop, so that ending by one takes the ordinary way out: disks are closed and
 * the terminal is put back.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/size.h"
#include "core/arm64/cpu.h"
#include "core/machine/image.h"
#include "core/machine/machine.h"
#include "hardware/codemem.h"
#include "hardware/hostcpu.h"
#include "hardware/hostmem.h"
#include "interface/gdb_machine.h"
#include "tools/cli/cli.h"
#include "tools/cli/options.h"
#include "tools/cli/terminal.h"

#define DEFAULT_MEMORY (1ull << 30)

/* Debian's qemu-efi-aarch64, the unpadded build first, as it holds less memory; and its ovmf. */
static const struct {
    const char *arch, *path;
} firmware_paths[] = {
    {"arm64", "/usr/share/qemu-efi-aarch64/QEMU_EFI.fd"},
    {"arm64", "/usr/share/AAVMF/AAVMF_CODE.fd"},
    {"x86_64", "/usr/share/OVMF/OVMF_CODE_4M.fd"},
};

struct run {
    struct machine_config config;
    const char *engine;
    const char *console; /* "stdio", "none" or a file */
    const char *name;
    const char *image; /* IMAGE; NULL: none */
    unsigned trace_kinds;
    char *trace_path;
    FILE *trace_file;
    struct trace trace;
    bool no_net, list_cpus, no_jail;
    unsigned gdb_port;       /* 0: none */
    struct err not_the_best; /* what is wrong with the engine chosen, or the one before it */

    struct evloop *loop;
    struct terminal *terminal;
    struct evsource *signal_source;
    int signal_fd;
    int ended_by; /* a signal's number */
    struct log log;
    struct machine *machine;
    struct gdb_machine *gdb;
};

/* --- options -----------------------------------------------------------------------------------
 */

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
    return set_once(&((struct run *)ctx)->config.arch, value, e);
}

static int take_engine(void *ctx, char *value, struct err *e)
{
    struct run *run = ctx;
    run->engine = value;
    bool automatic = strcmp(value, "auto") == 0;
    run->config.engine = automatic ? NULL : engine_find(value);
    return automatic || run->config.engine ? 0 : err_set(e, EINVAL, "no such engine in this build");
}

static int take_cpu(void *ctx, char *value, struct err *e)
{
    struct run *run = ctx;
    run->list_cpus = strcmp(value, "help") == 0;
    run->config.cpu_model = value;
    if (run->list_cpus || strcmp(value, "host") == 0 || a64_model_find(value))
        return 0;
    return err_set(e, EINVAL, "no such CPU model (--cpu help lists them)");
}

static int take_cpus(void *ctx, char *value, struct err *e)
{
    return parse_count(value, A64_CPUS_MAX, &((struct run *)ctx)->config.cpus, e);
}

static int take_memory(void *ctx, char *value, struct err *e)
{
    struct run *run = ctx;
    uint64_t bytes, total = hostmem_total_bytes();
    int rc = size_parse(value, &bytes, e);
    if (rc < 0)
        return rc;
    if (total && bytes > total)
        return err_set(e, ENOMEM, "more than this host's %llu MiB",
                       (unsigned long long)(total >> 20));
    run->config.memory_bytes = align_up(bytes, 2 << 20);
    return 0;
}

static int take_virtualization(void *ctx, char *value, struct err *e)
{
    bool on = strcmp(value, "on") == 0;
    ((struct run *)ctx)->config.virtualization = on;
    return on || strcmp(value, "off") == 0 ? 0 : err_set(e, EINVAL, "on or off");
}

static int take_kernel(void *ctx, char *value, struct err *e)
{
    return set_once(&((struct run *)ctx)->config.kernel, value, e);
}

static int take_initrd(void *ctx, char *value, struct err *e)
{
    return set_once(&((struct run *)ctx)->config.initrd, value, e);
}

static int take_append(void *ctx, char *value, struct err *e)
{
    return set_once(&((struct run *)ctx)->config.append, value, e);
}

static int take_firmware(void *ctx, char *value, struct err *e)
{
    struct run *run = ctx;
    for (char *word = options_cut(value), *next; word; word = next) {
        next = options_cut(word);
        char *vars = options_value(word, "vars");
        if (!vars)
            return err_set(e, EINVAL, "%s: vars=FILE", word);
        run->config.firmware_vars = vars;
    }
    return set_once(&run->config.firmware, value, e);
}

static int add_disk(struct run *run, const struct blk_options *disk, struct err *e)
{
    if (run->config.disk_count == MACHINE_DISKS_MAX)
        return err_set(e, ENOSPC, "more than %d disks", MACHINE_DISKS_MAX);
    run->config.disks[run->config.disk_count++] = *disk;
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
        else if (strcmp(word, "format=raw") != 0)
            return err_set(e, EINVAL, "%s: format=raw, readonly or snapshot", word);
    }
    return add_disk(ctx, &disk, e);
}

static int take_net(void *ctx, char *value, struct err *e)
{
    struct run *run = ctx;
    struct machine_net net = {0};
    char *word = options_cut(value);
    if (strcmp(value, "none") == 0 && !word) {
        run->no_net = true;
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
    if (run->config.net_count == MACHINE_NETS_MAX)
        return err_set(e, ENOSPC, "more than %d networks", MACHINE_NETS_MAX);
    run->config.nets[run->config.net_count++] = net;
    return 0;
}

static int take_share(void *ctx, char *value, struct err *e)
{
    struct run *run = ctx;
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
    if (run->config.share_count == MACHINE_SHARES_MAX)
        return err_set(e, ENOSPC, "more than %d shares", MACHINE_SHARES_MAX);
    run->config.shares[run->config.share_count++] = share;
    return 0;
}

static int take_transport(void *ctx, char *value, struct err *e)
{
    enum machine_virtio *transport = &((struct run *)ctx)->config.virtio_transport;
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
    struct run *run = ctx;
    run->console = value;
    for (char *word = options_cut(value), *next; word; word = next) {
        next = options_cut(word);
        const char *device = options_value(word, "device");
        run->config.console_virtio = device && strcmp(device, "virtio") == 0;
        if (!device || (!run->config.console_virtio && strcmp(device, "pl011") != 0))
            return err_set(e, EINVAL, "%s: device=pl011 or device=virtio", word);
    }
    return 0;
}

static int take_name(void *ctx, char *value, struct err *e)
{
    struct run *run = ctx;
    run->log.prefix = value;
    return set_once(&run->name, value, e);
}

static int take_code_cache(void *ctx, char *value, struct err *e)
{
    return size_parse_mib(value, CODEMEM_MIB_MIN, CODEMEM_MIB_MAX,
                          &((struct run *)ctx)->config.code_cache_bytes, e);
}

static int take_gdb(void *ctx, char *value, struct err *e)
{
    return parse_count(value, 65535, &((struct run *)ctx)->gdb_port, e);
}

static int take_jail(void *ctx, char *value, struct err *e)
{
    struct run *run = ctx;
    run->no_jail = strcmp(value, "off") == 0;
    return run->no_jail || strcmp(value, "on") == 0 ? 0 : err_set(e, EINVAL, "on or off");
}

static int take_trace(void *ctx, char *value, struct err *e)
{
    struct run *run = ctx;
    for (char *word = value, *next; word; word = next) {
        next = options_cut(word);
        unsigned kind = trace_kind_named(word);
        if (strncmp(word, "file=", 5) == 0 && word[5])
            run->trace_path = word + 5;
        else if (!kind)
            return err_set(e, EINVAL, "%s: some of exec,int,mmu,virtio and file=PATH", word);
        run->trace_kinds |= kind;
    }
    if (!run->trace_path || !run->trace_kinds)
        return err_set(e, EINVAL, "some of exec,int,mmu,virtio, then file=PATH");
    return 0;
}

static int take_host_features(void *ctx, char *value, struct err *e)
{
    struct hostcpu parsed;
    ((struct run *)ctx)->config.host_features = value;
    return hostcpu_parse(value, &parsed, e);
}

static int take_stats(void *ctx, char *value, struct err *e)
{
    ((struct run *)ctx)->config.stats = true;
    return 0;
}

static int take_verbose(void *ctx, char *value, struct err *e)
{
    ((struct run *)ctx)->log.level = LOG_DEBUG;
    return 0;
}

/* IMAGE: a disk that firmware starts from. */
static int take_image(void *ctx, char *value, struct err *e)
{
    struct run *run = ctx;
    run->image = value;
    return add_disk(run, &(struct blk_options){.path = value}, e);
}

/* The firmware for an IMAGE where the operator names none. */
static int find_firmware(struct run *run, struct err *e)
{
    struct machine_config *config = &run->config;
    for (size_t i = 0; !config->firmware && i < ARRAY_SIZE(firmware_paths); i++)
        if (strcmp(firmware_paths[i].arch, config->arch) == 0 &&
            access(firmware_paths[i].path, R_OK) == 0)
            config->firmware = firmware_paths[i].path;
    return config->firmware
               ? 0
               : err_set(e, ENOENT, "%s: no firmware to start it with (--firmware FILE)",
                         run->image);
}

static const struct option_row run_options[] = {
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

void cmd_run_print_options(void *file)
{
    options_print(run_options, file);
}

static int check(const struct run *run, struct err *e)
{
    const struct machine_config *config = &run->config;
    if (config->kernel && (config->firmware || run->image))
        return err_set(e, EINVAL, "--kernel: not together with --firmware or an IMAGE");
    if (!config->kernel && !config->firmware && !run->image)
        return err_set(e, EINVAL, "--kernel FILE, --firmware FILE or an IMAGE is missing");
    if (!config->kernel && (config->initrd || config->append))
        return err_set(e, EINVAL, "%s: only together with --kernel",
                       config->initrd ? "--initrd" : "--append");
    if (run->no_net && config->net_count > 0)
        return err_set(e, EINVAL, "--net none: not together with another --net");
    return 0;
}

/* What was left open: the architecture is the kernel's or the firmware's, the engine the best for
 * it. */
static int choose(struct run *run, struct err *e)
{
    struct machine_config *config = &run->config;
    if (!config->arch && config->kernel)
        config->arch = image_arch(config->kernel);
    if (!config->arch && config->firmware)
        config->arch = image_firmware_arch(config->firmware);
    if (!config->arch)
        config->arch = "arm64";
    if (config->virtualization && strcmp(config->arch, "arm64") != 0)
        return err_set(e, ENOTSUP, "--virtualization: for arm64 guests only");
    if (run->image) {
        int rc = find_firmware(run, e);
        if (rc < 0)
            return rc;
    }
    if (config->engine)
        return 0;
    config->engine = engine_choose(config->arch, &run->not_the_best);
    if (!config->engine)
        return err_set(e, run->not_the_best.code, "--arch %s: %s", config->arch,
                       run->not_the_best.text);
    return 0;
}

/* --- the machine's surroundings ----------------------------------------------------------------
 */

static void on_quit(void *ctx)
{
    machine_stop(((struct run *)ctx)->machine);
}

static void on_power(void *ctx)
{
    machine_press_power(((struct run *)ctx)->machine);
}

static void on_signal(void *ctx, uint32_t events)
{
    struct run *run = ctx;
    struct signalfd_siginfo info;
    if (read(run->signal_fd, &info, sizeof(info)) == sizeof(info)) {
        run->ended_by = (int)info.ssi_signo;
        machine_stop(run->machine);
    }
}

/* Signals that end the process are taken by the event loop; a broken pipe is an error to write().
 */
static int watch_signals(struct run *run, struct err *e)
{
    static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < ARRAY_SIZE(ending); i++)
        sigaddset(&set, ending[i]);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    run->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (run->signal_fd < 0)
        return err_set_errno(e, errno, "signalfd");
    return evloop_add(run->loop, run->signal_fd, EPOLLIN, on_signal, run, &run->signal_source, e);
}

static int open_console(struct run *run, struct err *e)
{
    int rc = 0;
    if (strcmp(run->console, "stdio") == 0)
        rc = terminal_new_stdio(run->loop, &run->terminal, e);
    else if (strcmp(run->console, "none") != 0)
        rc = terminal_new_file(run->console, &run->terminal, e);
    if (rc == 0 && run->terminal)
        run->config.console = terminal_chardev(run->terminal);
    return rc;
}

static int open_trace(struct run *run, struct err *e)
{
    if (!run->trace_path)
        return 0;
    run->trace_file = fopen(run->trace_path, "we");
    if (!run->trace_file)
        return err_set_errno(e, errno, "--trace %s", run->trace_path);
    trace_init(&run->trace, run->trace_file, run->trace_kinds);
    run->config.trace = &run->trace;
    return 0;
}

static void jail(struct run *run, int (*step)(const struct machine *, bool, struct err *))
{
    struct err lacking = {0};
    int calls = run->no_jail ? 0 : step(run->machine, run->gdb_port != 0, &lacking);
    if (calls < 0)
        log_warn(&run->log, "--jail: %s", lacking.text);
    else if (calls > 0)
        log_info(&run->log, "jailed: %d system calls", calls);
}

/* Everything but running. The files are jailed before a thread is started, the calls when all is
 * open. On failure what was made is freed by the caller. */
static int prepare(struct run *run, struct err *e)
{
    if (!run->no_net && run->config.net_count == 0)
        run->config.net_count = 1; /* user networking */
    int rc = evloop_new(&run->loop, e);
    if (rc == 0)
        rc = watch_signals(run, e);
    if (rc == 0)
        rc = open_console(run, e);
    if (rc == 0)
        rc = open_trace(run, e);
    if (rc < 0)
        return rc;
    run->config.loop = run->loop;
    run->config.log = &run->log;
    rc = machine_new(&run->config, &run->machine, e);
    if (rc == 0)
        jail(run, machine_jail_files);
    if (rc == 0 && run->gdb_port)
        rc = gdb_machine_start(run->machine, (uint16_t)run->gdb_port, &run->log, &run->gdb, e);
    if (rc == 0 && run->terminal)
        rc = terminal_start(run->terminal, (struct terminal_actions){run, on_quit, on_power}, e);
    if (rc == 0)
        jail(run, machine_jail_calls);
    return rc;
}

static void clean_up(struct run *run)
{
    gdb_machine_stop(run->gdb);
    machine_free(run->machine);
    terminal_free(run->terminal);
    evsource_remove(run->signal_source);
    if (run->signal_fd >= 0)
        close(run->signal_fd);
    evloop_free(run->loop);
    if (run->trace_file)
        fclose(run->trace_file);
}

static int list_cpus(void)
{
    for (unsigned i = 0; a64_model_at(i); i++)
        printf("%-14s %s\n", a64_model_at(i)->name, a64_model_at(i)->description);
    return EXIT_OK;
}

int cmd_run(int argc, char **argv)
{
    struct run run = {
        .config = {.cpus = 1, .memory_bytes = DEFAULT_MEMORY},
        .console = "stdio",
        .signal_fd = -1,
        .log = {.out = stderr, .level = LOG_WARN, .prefix = "peng"},
    };
    struct err e = {0};
    char *features = getenv("PENG_HOST_FEATURES");
    int rc = 0;
    if (features && *features && (rc = take_host_features(&run, features, &e)) < 0)
        err_prefix(&e, "PENG_HOST_FEATURES");
    if (rc == 0)
        rc = options_parse(run_options, argc, argv, &run, take_image, &e);
    if (rc == 0 && run.list_cpus)
        return list_cpus();
    if (rc == 0)
        rc = check(&run, &e);
    if (rc == 0)
        rc = choose(&run, &e);
    if (rc == 0)
        rc = prepare(&run, &e);
    if (rc < 0) {
        clean_up(&run);
        return cli_fail(&e);
    }
    if (run.not_the_best.code)
        log_warn(&run.log, "%s; running on the %s engine", run.not_the_best.text,
                 run.config.engine->name);
    enum machine_end end = machine_run(run.machine, &e);
    if (run.config.stats)
        machine_print_stats(run.machine, stderr);
    clean_up(&run);
    if (end == MACHINE_END_FAILED) {
        fprintf(stderr, "peng: %s\n", e.text[0] ? e.text : "the machine failed");
        return EXIT_MACHINE;
    }
    return run.ended_by ? 128 + run.ended_by : EXIT_OK;
}
