/* engine.h: the contract between a machine and what runs its guest code.
 *
 * An engine owns the vCPUs and their threads' run loops; a board, its devices and everything above
 * know no engine by name. Two kinds stand behind it: software engines for Arm64 guests
 * (interpreter, translator) and KVM for guests of the host's own architecture. MMIO goes through
 * struct guestmem (core/memory/guestmem.h), which all engines call; the rest of what an engine
 * needs from the machine is struct engine_host.
 *
 * What only some architectures or kinds of engine have is told by a NULL: a function of struct
 * engine_host that no guest of the board's architecture can cause, and `irqchip` in struct
 * engine_ops for engines without interrupt controllers, whose boards bring their own.
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

/* What an engine that answers the guest's power calls itself, or whose guest broke down, tells the
 * machine. */
enum engine_event { ENGINE_EVENT_POWEROFF, ENGINE_EVENT_RESET };

/* Arm, for engines with `irqchip`: where the board has the GICv3 that the engine makes. */
struct engine_gic {
    uint64_t distributor, redistributors, its; /* guest-physical */
    unsigned spis;                             /* a multiple of 32 */
};

/* What the engine asks of the machine. Called on vCPU threads without locks held. */
struct engine_host {
    void *ctx;
    /* Ends in request_stop() for all vCPUs before it returns. */
    void (*event)(void *ctx, enum engine_event event);
    /* x86: the I/O ports, in the form of memory accesses. Nothing there: reads give all ones. */
    struct guestmem_mmio ports;
    struct engine_gic gic;
    /* Arm: SMC Calling Convention: registers x0..x7 in args[8]; results to args[0..3]. False:
     * nothing answers. May call vcpu_power_on(), engine_stop() ... */
    bool (*hypercall)(void *ctx, struct vcpu *vcpu, bool smc, uint64_t args[8]);
    /* Arm, GICv3's CPU interface by MRS/MSR key (sysreg.h's A64_SYSREG_KEY); unused with `irqchip`.
     */
    uint64_t (*icc_read)(void *ctx, unsigned vcpu_index, uint16_t key);
    void (*icc_write)(void *ctx, unsigned vcpu_index, uint16_t key, uint64_t value);
    /* Arm, with `virtualization`: ends an active interrupt, whatever ICC_CTLR_EL1.EOImode says. */
    void (*icc_deactivate)(void *ctx, unsigned vcpu_index, unsigned intid);
    /* Arm: a private peripheral interrupt line of this vCPU (16..31), e.g. the timers'. */
    void (*ppi)(void *ctx, unsigned vcpu_index, unsigned intid, bool level);
};

enum vcpu_stop {
    VCPU_STOP_REQUESTED, /* vcpu_request_stop() or engine_stop() */
    VCPU_STOP_DEBUG,     /* breakpoint or single step done: vcpu_debug */
    VCPU_STOP_FAILED,    /* the engine cannot go on; `e` says why */
};

enum vcpu_line { VCPU_LINE_IRQ = 1, VCPU_LINE_FIQ = 2 };

/* How KVM logs written pages; the engine chooses but in tests. */
enum engine_dirty_log { ENGINE_DIRTY_AUTO, ENGINE_DIRTY_RING, ENGINE_DIRTY_BITMAP };

struct engine_config {
    const char *cpu_model;     /* NULL: the default */
    unsigned vcpus;            /* 1..A64_CPUS_MAX */
    size_t code_cache_bytes;   /* 0: the default */
    bool stats;                /* takes times for print_stats() */
    const char *host_features; /* hostcpu_parse(): use no more of the host's CPU; NULL: all */
    bool virtualization;       /* arm64: CPUs have EL2, and are entered there */
    struct guestmem *mem;      /* borrowed, filled with RAM */
    const struct log *log;     /* borrowed */
    struct engine_host host;
    const struct trace *trace; /* borrowed; NULL: none */
    enum engine_dirty_log dirty_log;
};

/* Where the first vCPU begins, in the state in which its architecture's kernels are entered: arm64
 * at EL1, or EL2 where there is one, with the MMU off, x86-64 in long mode with flat segments. */
struct engine_start {
    uint64_t pc;
    uint64_t argument; /* arm64: X0; x86-64: RSI, in protected mode EBX */
    /* x86-64: CR3, of tables that map pc one to one. 0: begins in 32-bit protected mode with flat
     * segments and without paging. */
    uint64_t page_table;
    /* x86-64: begins as the CPU does by itself, in real mode 16 bytes below 4 GiB, and the rest is
     * not looked at. */
    bool at_reset_vector;
};

/* Guest writes to an address that signal an eventfd, without the vCPU leaving the guest. */
struct engine_doorbell {
    uint64_t address;
    unsigned size_bytes; /* of the write: 1, 2, 4 or 8 */
    bool match;          /* only writes of `value` */
    uint64_t value;
    int fd; /* borrowed; stays open until the doorbell is taken away */
};

/* A message-signalled interrupt: a write of `data` to `address`. `requester`: who sends it, as PCI
 * numbers functions (arm64's ITS looks at it). */
struct engine_message {
    uint64_t address;
    uint32_t data, requester;
};

/* Interrupt controllers that are the engine's. x86-64: two 8259, one IOAPIC with 24 lines, a local
 * APIC a vCPU, and the 8254; arm64: GICv3 with ITS. Any thread. */
struct engine_irqchip {
    /* `line` is the IOAPIC's (x86-64) or the shared peripheral interrupt's, counted from 0. */
    void (*set_line)(struct engine *engine, unsigned line, bool level);
    /* A write to `fd` is an edge on the line. `on` false takes it away. Errors: the host's. */
    int (*set_line_fd)(struct engine *engine, unsigned line, int fd, bool on, struct err *e);
    void (*send_msi)(struct engine *engine, const struct engine_message *message);
    /* From now on a write to eventfd `fd` sends `message`, and not one given before; NULL: nothing.
     * Takes as long as the kernel needs to swap a table. Errors: ENOSPC, the host's. */
    int (*set_message_fd)(struct engine *engine, int fd, const struct engine_message *message,
                          struct err *e);
    int (*set_doorbell)(struct engine *engine, const struct engine_doorbell *bell, bool on,
                        struct err *e);
};

/* What a watchpoint waits for; numbered as the debugger's protocol does. */
enum engine_watch { ENGINE_WATCH_WRITE = 2, ENGINE_WATCH_READ = 3, ENGINE_WATCH_ACCESS = 4 };

/* One engine as a table: boards never switch on which. */
struct engine_ops {
    const char *name;                     /* "translator", "interpreter", "kvm" */
    const char *arch;                     /* of its guests: "arm64", "x86_64" */
    const struct engine_irqchip *irqchip; /* NULL: the board's; set_line below carries its output */
    bool in_kernel; /* vCPUs are the kernel's: their threads make ioctls all the time */
    /* Whether this host can run it: 0, or why not (ENOTSUP). NULL: any host can. */
    int (*usable)(struct err *e);
    /* Whether a usable one runs guests as fast as it should: 0, or why not (ETIME). May take
     * 100 ms the first time. NULL: it does. */
    int (*fast)(struct err *e);
    int (*create)(const struct engine_config *config, struct engine **ret_engine, struct err *e);
    void (*free)(struct engine *engine);
    struct vcpu *(*vcpu)(struct engine *engine, unsigned index);

    /* Runs guest code until one of enum vcpu_stop. A powered-off or halted vCPU sleeps inside. */
    enum vcpu_stop (*run)(struct vcpu *vcpu, struct err *e);
    void (*request_stop)(struct vcpu *vcpu);                              /* any thread */
    void (*set_line)(struct vcpu *vcpu, enum vcpu_line line, bool level); /* any thread */
    /* Arm, without `irqchip` (which answers PSCI too). Power: off CPUs sleep in run(); on resets it
     * to start at pc with x0 (PSCI CPU_ON). */
    void (*power_on)(struct vcpu *vcpu, uint64_t pc, uint64_t x0); /* any thread */
    void (*power_off)(struct vcpu *vcpu);                          /* own thread */
    bool (*is_on)(struct vcpu *vcpu);                              /* any thread */
    /* As WFI, for PSCI CPU_SUSPEND: takes effect when hypercall() returns. May be NULL. */
    void (*halt)(struct vcpu *vcpu); /* own thread */
    /* Cold reset of all vCPUs and of the engine's interrupt controllers: all wait but vCPU 0, which
     * begins at `start`; caches dropped. Call with no vCPU running. */
    void (*reset)(struct engine *engine, const struct engine_start *start);
    /* The host changed guest memory that may hold code (a loader did). No vCPU running. */
    void (*code_changed)(struct engine *engine);

    /* State by architecture: the KVM register ids (KVM_REG_ARM64 | ...), of engine_reg_bytes(id).
     * vCPU not running. Errors: ENOENT. */
    int (*get_reg)(struct vcpu *vcpu, uint64_t id, void *value);
    int (*set_reg)(struct vcpu *vcpu, uint64_t id, const void *value);
    /* The ids that are the whole state, in the order in which it must be set, from the first vCPU
     * to the last; that of the machine's interrupt controllers and clock comes with vCPU 0, an
     * ITS's with the last. Reading may write guest memory (GICv3), so memory is saved after and
     * restored before. Returns how many there are and writes the first `max`. NULL: the engine
     * saves no state yet. */
    unsigned (*list_regs)(struct vcpu *vcpu, uint64_t *ids, unsigned max);
    /* Written pages: while on, take_dirty gives (and forgets) a bit for each 4 KiB page of region
     * `region` of guestmem that a vCPU wrote (and maybe of some it only read), in 64-bit words. Any
     * thread, while vCPUs run, too: then what they wrote last may come with a later call. Errors:
     * EINVAL (off), the host's. NULL: the engine keeps no log. */
    int (*log_dirty)(struct engine *engine, bool on, struct err *e);
    int (*take_dirty)(struct engine *engine, unsigned region, uint64_t *bitmap, struct err *e);
    /* Shows whole pages where guestmem has no region as memory that the guest can read, or no
     * longer; one range at a time, which is the machine's for as long as it is shown. Writes remain
     * MMIO. Any thread. Errors: the host's. NULL: reads remain MMIO, too. */
    int (*show_memory)(struct engine *engine, uint64_t base, uint64_t size_bytes, void *host,
                       bool on, struct err *e);
    /* Debugger: virtual memory, breakpoints, single step. vCPU not running. */
    bool (*debug_access)(struct vcpu *vcpu, uint64_t va, void *data, size_t bytes, bool write);
    int (*debug_break)(struct engine *engine, uint64_t va, bool set);
    void (*debug_step)(struct vcpu *vcpu, bool on);
    /* Watchpoints: accesses to `bytes` at va. NULL: there are none. Errors: ENOTSUP (this kind, or
     * place and size), ENOSPC, ENOENT. And whether the last VCPU_STOP_DEBUG was for one, and where
     * it is (x86-64: one behind the access, arm64: before it). */
    int (*debug_watch)(struct engine *engine, enum engine_watch kind, uint64_t va, unsigned bytes,
                       bool set);
    bool (*debug_watched)(struct vcpu *vcpu, uint64_t *ret_va);
    /* The folder in which it goes on making files while guests run, and at the end; NULL: none. */
    const char *(*folder)(struct engine *engine);
    /* Human-readable statistics, one "name: value" a line. */
    void (*print_stats)(struct engine *engine, void *file);
};

/* Register ids for get_reg/set_reg: how many bytes one has. */
static inline size_t engine_reg_bytes(uint64_t id)
{
    return (size_t)1 << (id >> 52 & 15);
}

/* Those of arm64, numbered as Linux's KVM API
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

/* Those of its GICv3 and ITS, where an engine has them (`irqchip`), by offset in the distributor,
 * in the vCPU's redistributor and in the ITS, by encoding in the CPU interface, 32 lines' levels
 * from interrupt n on; and the tables in guest memory: reading writes them, setting reads them. */
#define ENGINE_REG_GICD(at)      (ENGINE_REG_ARM64 | ENGINE_REG_U32 | 0x80ull << 32 | (at))
#define ENGINE_REG_GICR(at)      (ENGINE_REG_ARM64 | ENGINE_REG_U32 | 0x81ull << 32 | (at))
#define ENGINE_REG_GICC(key)     (ENGINE_REG_ARM64 | ENGINE_REG_U64 | 0x82ull << 32 | (key))
#define ENGINE_REG_GIC_LEVELS(n) (ENGINE_REG_ARM64 | ENGINE_REG_U32 | 0x83ull << 32 | (n))
#define ENGINE_REG_ITS(at)       (ENGINE_REG_ARM64 | ENGINE_REG_U64 | 0x84ull << 32 | (at))
#define ENGINE_REG_GIC_TABLES    (ENGINE_REG_ARM64 | ENGINE_REG_U32 | 0x85ull << 32)

/* Those of x86-64. MSRs have Linux's own ids (KVM_X86_REG_TYPE_MSR, Linux 6.18); it numbers nothing
 * else, so the rest has types of ours: general registers by their 64-bit word in struct kvm_regs,
 * and Linux's other structures whole, in as many bytes as the next power of two. */
#define ENGINE_REG_X86          0x2000000000000000ull
#define ENGINE_REG_X86_MSR(msr) (ENGINE_REG_X86 | ENGINE_REG_U64 | 2ull << 32 | (uint32_t)(msr))
#define ENGINE_REG_X86_GPR(n)   (ENGINE_REG_X86 | ENGINE_REG_U64 | 0x80ull << 32 | (n))
#define ENGINE_REG_X86_RIP      ENGINE_REG_X86_GPR(16)
#define ENGINE_REG_X86_RFLAGS   ENGINE_REG_X86_GPR(17)

/* The time stamp counter's frequency, and its offset from the host's (not in list_regs). */
#define ENGINE_REG_X86_TSC_KHZ    (ENGINE_REG_X86 | ENGINE_REG_U64 | 0x85ull << 32)
#define ENGINE_REG_X86_TSC_OFFSET (ENGINE_REG_X86 | ENGINE_REG_U64 | 0x85ull << 32 | 1)

/* Parts of those structures, for a debugger; not in list_regs. Selectors of CS, DS, ES, FS, GS, SS;
 * CR0, 2, 3, 4, 8; the image of FXSAVE by byte (SDM volume 1, table 10-2): 16 and 32 bits of the
 * x87's state and MXCSR, ST0-7 in the low 80 bits, XMM0-15. */
#define ENGINE_REG_X86_SELECTOR(n) (ENGINE_REG_X86 | 1ull << 52 | 0x82ull << 32 | (n))
#define ENGINE_REG_X86_CR(n)       (ENGINE_REG_X86 | ENGINE_REG_U64 | 0x83ull << 32 | (n))
#define ENGINE_REG_X86_FX16(at)    (ENGINE_REG_X86 | 1ull << 52 | 0x84ull << 32 | (at))
#define ENGINE_REG_X86_FX32(at)    (ENGINE_REG_X86 | ENGINE_REG_U32 | 0x84ull << 32 | (at))
#define ENGINE_REG_X86_ST(n)       (ENGINE_REG_X86 | ENGINE_REG_U128 | 0x84ull << 32 | (32 + (n)*16))
#define ENGINE_REG_X86_XMM(n)      (ENGINE_REG_X86 | ENGINE_REG_U128 | 0x84ull << 32 | (160 + (n)*16))

/* The engines this build has, ended by NULL, the preferred first. */
extern const struct engine_ops *const engines[];
const struct engine_ops *engine_find(const char *name); /* NULL: unknown */
/* "auto": the first for guests of `arch` that this host can run, and run fast; if none is fast, the
 * last that it can run at all. Where that is not the first of them, or slow, `why` says what is
 * wrong with the first and why->code is not 0. NULL: none can, and `why` says why. */
const struct engine_ops *engine_choose(const char *arch, struct err *why);

#endif
