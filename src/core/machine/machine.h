/* machine.h: one virtual machine: its board, its threads, and its life from power-on to power-off.
 *
 * A machine is built from a struct machine_config, run once, and freed. Threads: one a vCPU
 * ("vcpu0" ...), "io0" for devices and timers, and the caller's, which sleeps in machine_run() and
 * does resets. Two machines can live in one process.
 */
#ifndef PENG_CORE_MACHINE_MACHINE_H
#define PENG_CORE_MACHINE_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/evloop.h"
#include "base/log.h"
#include "base/trace.h"
#include "core/block/blk.h"
#include "core/device/chardev.h"
#include "core/engine/engine.h"
#include "core/network/user.h"

enum {
    MACHINE_DISKS_MAX = 16,
    MACHINE_NETS_MAX = 6,
    MACHINE_SHARES_MAX = 4,
};

struct machine;

/* How the guest reaches its virtio devices. */
enum machine_virtio {
    MACHINE_VIRTIO_DEFAULT, /* the board's: memory-mapped on arm64, PCI on x86_64 */
    MACHINE_VIRTIO_MMIO,
    MACHINE_VIRTIO_PCI,
};

struct machine_net {
    const char *tap;              /* an interface's name; NULL: user networking */
    struct net_user_options user; /* for user networking */
};

struct machine_share {
    const char *directory, *tag;
    bool read_only;
};

/* What a machine is made of. All pointers are borrowed and outlive the machine. */
struct machine_config {
    const char *arch; /* NULL: "arm64" */
    const struct engine_ops *engine;
    const char *cpu_model; /* NULL: the engine's default */
    unsigned cpus;
    uint64_t memory_bytes;
    uint64_t code_cache_bytes; /* 0: the engine's default */
    bool stats;                /* takes times for machine_print_stats() */
    bool virtualization;       /* arm64: the guest gets EL2 and may run guests of its own */
    const char *host_features; /* hostcpu_parse(): translate for no more than these; NULL: all */

    /* Either a kernel, or firmware in flash. */
    const char *kernel, *initrd, *append;
    const char *firmware;
    const char *firmware_vars; /* its variables' file; NULL: they go with the machine */

    struct blk_options disks[MACHINE_DISKS_MAX];
    unsigned disk_count;
    struct machine_net nets[MACHINE_NETS_MAX];
    unsigned net_count;
    struct machine_share shares[MACHINE_SHARES_MAX];
    unsigned share_count;

    enum machine_virtio virtio_transport;
    struct chardev console;
    bool console_virtio; /* a virtio console carries it, not the UART */
    struct evloop *loop; /* run by the machine, on its I/O thread */
    const struct log *log;
    const struct trace *trace; /* NULL: none */
};

enum machine_end {
    MACHINE_END_POWEROFF, /* the guest switched itself off */
    MACHINE_END_STOPPED,  /* machine_stop() */
    MACHINE_END_FAILED,   /* the engine could not go on; the err says why */
};

/* Builds everything and loads the images; the guest has not run yet. Errors are the operator's: one
 * line that names the file or the flag. */
int machine_new(const struct machine_config *config, struct machine **ret_machine, struct err *e);
/* Runs the guest until one of enum machine_end; resets happen inside. Once in a machine's life. */
enum machine_end machine_run(struct machine *machine, struct err *e);
void machine_free(struct machine *machine); /* not while it runs; NULL is a no-op */

/* The jail of the process that is this one machine: between machine_new() and machine_run(), the
 * files before any thread is started. `debugger`: one may connect. The second returns how many
 * system calls are left. Errors: -ENOTSUP and in `e` what this kernel lacks; the machine can run
 * without.
 */
int machine_jail_files(const struct machine *machine, struct err *e);
int machine_jail_calls(const struct machine *machine, bool debugger, struct err *e);

/* Any thread. */
void machine_stop(struct machine *machine);
void machine_press_power(struct machine *machine); /* asks the guest to shut down */

/* For a debugger, on the I/O thread or a thread of its own while machine_run() runs. After
 * machine_pause() no vCPU runs until machine_resume(). `on_debug` is called on the vCPU's thread
 * when a breakpoint or a step stopped it: all vCPUs are asked out, and the debugger's
 * machine_pause() waits until they are; its machine_resume() ends the stop too. */
void machine_pause(struct machine *machine);
void machine_resume(struct machine *machine);
void machine_on_debug(struct machine *machine, void (*on_debug)(void *ctx, unsigned vcpu),
                      void *ctx);
/* Holds the vCPUs at the machine's start until machine_resume(). Before machine_run(). */
void machine_start_paused(struct machine *machine);
const struct engine_ops *machine_engine_ops(struct machine *machine);
struct engine *machine_engine(struct machine *machine);
unsigned machine_cpus(const struct machine *machine);

/* Human-readable counters, one "name: value" a line, to a FILE *. */
void machine_print_stats(struct machine *machine, void *file);

#endif
