/* machine_int.h: struct machine as the files of this folder share it. */
#ifndef PENG_CORE_MACHINE_MACHINE_INT_H
#define PENG_CORE_MACHINE_MACHINE_INT_H

#include <pthread.h>

#include "core/device/bus.h"
#include "core/device/virtio/device.h"
#include "core/machine/machine.h"
#include "core/memory/guestmem.h"

struct virtio_mmio;

/* A board: what differs between kinds of machines. */
struct board_ops {
    const char *arch;
    /* Adds memory and devices to `machine` and calls machine_make_engine() on the way. On failure
     * free is called for what was built. */
    int (*build)(struct machine *machine, struct err *e);
    /* Puts the images into guest memory; where the first vCPU starts. */
    int (*load)(struct machine *machine, struct engine_start *ret_start, struct err *e);
    void (*reset)(struct machine *machine); /* devices; vCPUs paused */
    void (*press_power)(struct machine *machine);
    void (*free)(struct machine *machine); /* no thread runs */
};

extern const struct board_ops virt_board_ops, x86_board_ops;

/* Why the machine's own thread should wake. */
enum machine_event {
    MACHINE_EVENT_POWEROFF = 1,
    MACHINE_EVENT_RESET = 2,
    MACHINE_EVENT_STOP = 4,
    MACHINE_EVENT_FAILED = 8,
};

struct vcpu_thread {
    struct machine *machine; /* borrowed */
    struct vcpu *vcpu;       /* borrowed, the engine's */
    unsigned index;
    pthread_t thread;
    bool parked; /* under machine->lock: out of the engine until hold_count is 0 */
};

struct machine {
    struct machine_config config;
    const struct board_ops *board;
    void *board_state; /* owned by the board */
    struct bus bus;
    struct bus ports; /* x86: the I/O ports */
    struct guestmem mem;
    struct engine *engine;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned events;     /* enum machine_event */
    unsigned hold_count; /* > 0: vCPUs park */
    bool held_at_start;
    bool quit;          /* vCPU threads end */
    bool debug_stopped; /* hold_count includes one for a debug stop */
    struct err failure; /* of MACHINE_EVENT_FAILED */
    struct vcpu_thread *vcpus;
    unsigned thread_count; /* vCPU threads that were started */
    pthread_t io_thread;
    void (*on_debug)(void *ctx, unsigned vcpu);
    void *on_debug_ctx;
    unsigned resets;
};

/* Makes the engine with the machine's vCPUs. `host` answers for the board. */
int machine_make_engine(struct machine *machine, const struct engine_host *host, struct err *e);
/* For boards whose engine brings the interrupt controllers: engine_host's `event` (ctx: the
 * machine), and a device's way to line `number` as engine_irqchip counts. */
void machine_on_engine_event(void *machine, enum engine_event event);
struct irq_line machine_engine_line(struct machine *machine, unsigned number);
/* As machine_engine_line, for a device that raises the line by every event, not while one waits:
 * each is a write to `fd` (an eventfd, borrowed), so the guest must take the line for an edge.
 * Errors: the engine's. */
int machine_engine_edge(struct machine *machine, unsigned number, int fd, struct irq_line *ret_line,
                        struct err *e);
/* And struct pci_host_config's `msi`, `message_fd` and `doorbell` (ctx: the machine). */
void machine_engine_msi(void *machine, uint64_t address, uint32_t data, uint32_t requester);
bool machine_engine_message_fd(void *machine, int fd, uint64_t address, uint32_t data,
                               uint32_t requester);
bool machine_engine_doorbell(void *machine, uint64_t address, unsigned size_bytes, int fd, bool on);
/* Any thread, vCPU threads too (which must not go on in the guest: they are asked to stop). */
void machine_raise(struct machine *machine, enum machine_event event);

#endif
