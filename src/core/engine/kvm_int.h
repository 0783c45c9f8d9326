/* kvm_int.h: the structs of the KVM engine, and what its files for one architecture give to the
 * common ones: kvm_x86_64*.c or kvm_arm64*.c, of which a build has one.
 */
#ifndef PENG_CORE_ENGINE_KVM_INT_H
#define PENG_CORE_ENGINE_KVM_INT_H

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>

#include "core/engine/kvm_engine.h"
#include "hardware/kvm.h"

enum { KVM_CPUS_MAX = 64, KVM_BREAKS_MAX = 4 };

/* A breakpoint or a watchpoint, in a register of the CPU's. */
enum kvm_break_kind { KVM_BREAK_CODE, KVM_BREAK_WRITE, KVM_BREAK_READ, KVM_BREAK_ACCESS };
struct kvm_break {
    enum kvm_break_kind kind;
    uint8_t bytes; /* watched */
    uint64_t va;
};

static inline enum kvm_break_kind kvm_break_kind(enum engine_watch watch)
{
    return KVM_BREAK_WRITE + (watch - ENGINE_WATCH_WRITE);
}

enum { KVM_LINE_ROUTES_MAX = 1024, KVM_MESSAGES_MAX = 1024 };

/* An eventfd that sends a message; see kvm_routes.c. */
struct kvm_message {
    int fd; /* borrowed; -1: none */
    struct engine_message message;
};

struct kvm_routes {
    pthread_mutex_t lock;
    struct kvm_message messages[KVM_MESSAGES_MAX];
};

/* The log of written pages; see kvm_dirty.c. */
struct kvm_dirty {
    size_t bytes; /* of a vCPU's ring; 0: there are none, KVM has a bitmap */
    bool beside;  /* KVM has a bitmap beside the rings */
    pthread_mutex_t lock;
    uint64_t *bitmaps[GUESTMEM_REGIONS_MAX]; /* owned; NULL: nothing is logged */
};

/* What a vCPU was right after it was made, to which a reset takes it back. */
struct kvm_power_on {
    uint64_t *ids;
    uint8_t *values; /* one behind the other */
    unsigned count;
};

struct vcpu {
    struct engine *engine; /* borrowed */
    unsigned index;
    struct kvm_vcpu kvm;
    atomic_bool stop;     /* request_stop(): stays until run() has returned for it */
    pthread_mutex_t lock; /* guards the two below */
    pthread_t thread;
    bool running;
    bool step;          /* the debugger wants one instruction */
    bool debug_changed; /* KVM has not been told yet */
    bool watched;       /* the last debug stop was for a watchpoint, at: */
    uint64_t watched_va;
    struct kvm_power_on power_on;
    uint32_t ring_next; /* the next entry of kvm.ring to look at; under engine->dirty.lock */
    uint64_t exits;     /* since it was made */
};

struct engine {
    struct engine_config config;
    struct kvm_vm vm;
    bool in_software; /* kvm_arch_fast() says that KVM imitates the CPU, or nobody has asked it */
    struct vcpu vcpus[KVM_CPUS_MAX];
    unsigned vcpu_count; /* those made */
    struct kvm_break breaks[KVM_BREAKS_MAX];
    unsigned break_count;
    struct kvm_routes routes;
    struct kvm_dirty dirty;
    void *arch; /* the architecture's own; owned */
};

/* --- of the architecture --- */

extern const char kvm_arch_name[]; /* as engine_ops.arch */
extern const struct engine_irqchip kvm_arch_irqchip;
extern const uint32_t kvm_arch_message_flags; /* of a message: KVM_MSI_VALID_DEVID */
/* The kernel writes guest memory for no vCPU, so that rings alone do not tell of all. */
extern const bool kvm_arch_ring_needs_bitmap;

/* engine_ops.fast: some KVMs imitate the CPU in software. */
int kvm_arch_fast(struct err *e);
/* KVM_CREATE_VM's type. */
unsigned long kvm_arch_vm_type(int device_fd);
/* Makes the interrupt controllers and whatever else has to be there before the vCPUs. */
int kvm_arch_init(struct engine *engine, struct err *e);
/* With all vCPUs there. */
int kvm_arch_finish(struct engine *engine, struct err *e);
void kvm_arch_done(struct engine *engine);
/* Writes the routes of the lines, as KVM has them by itself; at most KVM_LINE_ROUTES_MAX. Returns
 * how many there are. */
unsigned kvm_arch_line_routes(const struct engine *engine, struct kvm_irq_routing_entry *entries);
int kvm_arch_init_vcpu(struct vcpu *vcpu, struct err *e);
/* Takes a vCPU that kvm_restore() has put back to power-on to `start`; NULL: it waits until
 * another starts it. */
void kvm_arch_start(struct vcpu *vcpu, const struct engine_start *start);
/* Exits that only this architecture has. 0; -ENOSYS: unknown; another negative errno: `e` says why
 * the vCPU cannot go on. */
int kvm_arch_exit(struct vcpu *vcpu, struct err *e);
/* Fills the architecture's part of KVM_SET_GUEST_DEBUG's argument from engine->breaks; returns
 * control flags. */
uint32_t kvm_arch_debug(const struct engine *engine, struct kvm_guest_debug *debug);
/* More flags for a single step. */
uint32_t kvm_arch_step(const struct vcpu *vcpu);
bool kvm_arch_can_watch(enum kvm_break_kind kind);
/* KVM_EXIT_DEBUG: sets `watched`, and sees to it that the vCPU does not stop there again. */
void kvm_arch_debug_exit(struct vcpu *vcpu);
int kvm_arch_get_reg(struct vcpu *vcpu, uint64_t id, void *value);
int kvm_arch_set_reg(struct vcpu *vcpu, uint64_t id, const void *value);
/* Those that a reset of the vCPU puts back; kvm_arch_start() resets the rest. */
unsigned kvm_arch_list_power_on(struct vcpu *vcpu, uint64_t *ids, unsigned max);
unsigned kvm_arch_list_regs(struct vcpu *vcpu, uint64_t *ids, unsigned max);
/* Virtual to guest-physical, as the vCPU's tables have it now. */
bool kvm_arch_translate(struct vcpu *vcpu, uint64_t va, uint64_t *ret_address);
uint64_t kvm_arch_pc(struct vcpu *vcpu);

/* --- common --- */

/* Puts all memory into its slots, or changes their flags (KVM_MEM_LOG_DIRTY_PAGES). */
int kvm_engine_add_memory(struct engine *engine, uint32_t flags, struct err *e);

/* Whether a breakpoint is set there. */
bool kvm_break_at(const struct engine *engine, uint64_t va);
/* Tells KVM what changed, on the vCPU's thread. */
int kvm_debug_tell(struct vcpu *vcpu, struct err *e);
bool kvm_engine_debug_access(struct vcpu *vcpu, uint64_t va, void *data, size_t bytes, bool write);
int kvm_engine_debug_break(struct engine *engine, uint64_t va, bool set);
int kvm_engine_debug_watch(struct engine *engine, enum engine_watch kind, uint64_t va,
                           unsigned bytes, bool set);
bool kvm_engine_debug_watched(struct vcpu *vcpu, uint64_t *ret_va);
void kvm_engine_debug_step(struct vcpu *vcpu, bool on);

/* What kvm_arch_list_regs() fills: `count` is what there would be with room enough. */
struct kvm_id_list {
    uint64_t *ids;
    unsigned count, max;
};

static inline void kvm_id_list_add(struct kvm_id_list *list, uint64_t id)
{
    if (list->count < list->max)
        list->ids[list->count] = id;
    list->count++;
}

/* Before memory; for each vCPU. */
int kvm_dirty_init(struct engine *engine, struct err *e);
int kvm_dirty_init_vcpu(struct vcpu *vcpu, struct err *e);
void kvm_dirty_done(struct engine *engine);
/* KVM_EXIT_DIRTY_RING_FULL. */
int kvm_dirty_ring_full(struct vcpu *vcpu, struct err *e);
int kvm_engine_log_dirty(struct engine *engine, bool on, struct err *e);
int kvm_engine_take_dirty(struct engine *engine, unsigned region, uint64_t *bitmap, struct err *e);

void kvm_routes_init(struct kvm_routes *routes);
void kvm_routes_done(struct kvm_routes *routes);

/* The engine_irqchip functions that are the same everywhere. A line's number is KVM's GSI: the
 * IOAPIC's line or, on arm64, the shared peripheral interrupt. */
void kvm_engine_send_msi(struct engine *engine, const struct engine_message *message);
int kvm_engine_set_message_fd(struct engine *engine, int fd, const struct engine_message *message,
                              struct err *e);
int kvm_engine_set_line_fd(struct engine *engine, unsigned line, int fd, bool on, struct err *e);
int kvm_engine_set_doorbell(struct engine *engine, const struct engine_doorbell *bell, bool on,
                            struct err *e);

#endif
