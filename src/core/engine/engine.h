/* engine.h: the contract between a machine and what runs its guest code.
 *
 * An engine owns the vCPUs and their threads' run loops; a board, its devices and everything above
 * know no engine by name. Two kinds stand behind it: software engines for Arm64 guests
 * (interpreter, translator) and, later, KVM. MMIO goes through struct guestmem
 * (core/memory/guestmem.h), which all engines call; the rest of what an engine needs from the
 * machine is struct engine_host.
 *
 * Threads: the machine starts one thread a vCPU and calls vcpu_run on it; everything marked "any
 * thread" may come from elsewhere, the rest from the vCPU's own thread or while it is not running.
 */
#ifndef PENG_CORE_ENGINE_ENGINE_H
#define PENG_CORE_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/log.h"
#include "base/trace.h"
#include "core/memory/guestmem.h"

struct engine;
struct vcpu;

/* What the engine asks of the machine. Called on vCPU threads without locks held. */
struct engine_host {
    void *ctx;
    /* SMC Calling Convention: registers x0..x7 in args[8]; results to args[0..3]. False: nothing
     * answers. May call vcpu_power_on(), engine_stop() ... */
    bool (*hypercall)(void *ctx, struct vcpu *vcpu, bool smc, uint64_t args[8]);
    /* GICv3 CPU interface by MRS/MSR key (sysreg.h's A64_SYSREG_KEY); unused by in-kernel GICs. */
    uint64_t (*icc_read)(void *ctx, unsigned vcpu_index, uint16_t key);
    void (*icc_write)(void *ctx, unsigned vcpu_index, uint16_t key, uint64_t value);
    /* A private peripheral interrupt line of this vCPU (16..31), e.g. the timers'. */
    void (*ppi)(void *ctx, unsigned vcpu_index, unsigned intid, bool level);
};

enum vcpu_stop {
    VCPU_STOP_REQUESTED, /* vcpu_request_stop() or engine_stop() */
    VCPU_STOP_DEBUG,     /* breakpoint or single step done: vcpu_debug */
    VCPU_STOP_FAILED,    /* the engine cannot go on; `e` says why */
};

enum vcpu_line { VCPU_LINE_IRQ = 1, VCPU_LINE_FIQ = 2 };

struct engine_config {
    const char *cpu_model;     /* NULL: the default */
    unsigned vcpus;            /* 1..A64_CPUS_MAX */
    size_t code_cache_bytes;   /* 0: the default */
    const char *host_features; /* hostcpu_parse(): use no more of the host's CPU; NULL: all */
    struct guestmem *mem;      /* borrowed, filled with RAM */
    const struct log *log;     /* borrowed */
    struct engine_host host;
    const struct trace *trace; /* borrowed; NULL: none */
};

/* One engine as a table: boards never switch on which. */
struct engine_ops {
    const char *name; /* "translator", "interpreter", "kvm" */
    /* Whether this host can run it: 0, or why not (ENOTSUP). NULL: any host can. */
    int (*usable)(struct err *e);
    int (*create)(const struct engine_config *config, struct engine **ret_engine, struct err *e);
    void (*free)(struct engine *engine);
    struct vcpu *(*vcpu)(struct engine *engine, unsigned index);

    /* Runs guest code until one of enum vcpu_stop. A powered-off or halted vCPU sleeps inside. */
    enum vcpu_stop (*run)(struct vcpu *vcpu, struct err *e);
    void (*request_stop)(struct vcpu *vcpu);                              /* any thread */
    void (*set_line)(struct vcpu *vcpu, enum vcpu_line line, bool level); /* any thread */
    /* Power: off CPUs sleep in run(); on resets it to start at pc with x0 (PSCI CPU_ON). */
    void (*power_on)(struct vcpu *vcpu, uint64_t pc, uint64_t x0); /* any thread */
    void (*power_off)(struct vcpu *vcpu);                          /* own thread */
    bool (*is_on)(struct vcpu *vcpu);                              /* any thread */
    /* As WFI, for PSCI CPU_SUSPEND: takes effect when hypercall() returns. May be NULL. */
    void (*halt)(struct vcpu *vcpu); /* own thread */
    /* Cold reset of all vCPUs: all off but vCPU 0, which starts at pc with x0; caches dropped. Call
     * with no vCPU running. */
    void (*reset)(struct engine *engine, uint64_t pc, uint64_t x0);
    /* The host changed guest memory that may hold code (a loader did). No vCPU running. */
    void (*code_changed)(struct engine *engine);

    /* State by architecture: the KVM register ids (KVM_REG_ARM64 | ...), 8 bytes unless V regs.
     * vCPU not running. Errors: ENOENT. */
    int (*get_reg)(struct vcpu *vcpu, uint64_t id, void *value);
    int (*set_reg)(struct vcpu *vcpu, uint64_t id, const void *value);
    /* Debugger: virtual memory, breakpoints, single step. vCPU not running. */
    bool (*debug_access)(struct vcpu *vcpu, uint64_t va, void *data, size_t bytes, bool write);
    int (*debug_break)(struct engine *engine, uint64_t va, bool set);
    void (*debug_step)(struct vcpu *vcpu, bool on);
    /* Human-readable statistics, one "name: value" a line. */
    void (*print_stats)(struct engine *engine, void *file);
};

unsigned vcpu_index(const struct vcpu *vcpu);

/* Register ids for get_reg/set_reg, numbered as Linux's KVM API
 * (Documentation/virt/kvm/api.rst 4.68): core registers by their 32-bit-word offset in struct
 * kvm_regs, system registers by encoding. */
#define ENGINE_REG_ARM64    0x6000000000000000ull
#define ENGINE_REG_U32      (2ull << 52)
#define ENGINE_REG_U64      (3ull << 52)
#define ENGINE_REG_U128     (4ull << 52)
#define ENGINE_REG_X(n)     (ENGINE_REG_ARM64 | ENGINE_REG_U64 | 0x10 << 16 | (n)*2) /* 0..30 */
#define ENGINE_REG_SP_EL0   (ENGINE_REG_ARM64 | ENGINE_REG_U64 | 0x10 << 16 | 62)
#define ENGINE_REG_PC       (ENGINE_REG_ARM64 | ENGINE_REG_U64 | 0x10 << 16 | 64)
#define ENGINE_REG_PSTATE   (ENGINE_REG_ARM64 | ENGINE_REG_U64 | 0x10 << 16 | 66)
#define ENGINE_REG_SP_EL1   (ENGINE_REG_ARM64 | ENGINE_REG_U64 | 0x10 << 16 | 68)
#define ENGINE_REG_ELR_EL1  (ENGINE_REG_ARM64 | ENGINE_REG_U64 | 0x10 << 16 | 70)
#define ENGINE_REG_V(n)     (ENGINE_REG_ARM64 | ENGINE_REG_U128 | 0x10 << 16 | (84 + (n)*4))
#define ENGINE_REG_FPSR     (ENGINE_REG_ARM64 | ENGINE_REG_U32 | 0x10 << 16 | 212)
#define ENGINE_REG_FPCR     (ENGINE_REG_ARM64 | ENGINE_REG_U32 | 0x10 << 16 | 213)
#define ENGINE_REG_SYS(key) (ENGINE_REG_ARM64 | ENGINE_REG_U64 | 0x13 << 16 | (key))

/* The engines this build has, ended by NULL; the first that fits is "auto". */
extern const struct engine_ops *const engines[];
const struct engine_ops *engine_find(const char *name); /* NULL: unknown */
/* "auto": the first that this host can run. Where that is not the first of all, `why` says why not
 * and why->code is not 0. */
const struct engine_ops *engine_choose(struct err *why);

#endif
