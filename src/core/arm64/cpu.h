/* cpu.h: the architected state of one Arm64 CPU, as every engine that runs in this process keeps
 * it.
 *
 * Source: Arm Architecture Reference Manual for A-profile (DDI 0487), part D. The interpreter and
 * the translator work on this struct; the KVM engine copies its registers in and out by id
 * (engine.h).
 *
 * Conventions
 *  - x[31] is the stack pointer in use (SP_EL0 or SP_ELx by PSTATE.SP); the others are banked in
 *    sys[A64_SP_EL0] and sys[A64_SP_EL1], where the one in use is stale. The zero register has no
 *    slot.
 *  - pc is the address of the instruction being executed while it executes.
 *  - NZCV is kept in the host's LAHF form, so that translated code saves and loads it in two
 *    instructions; only a64_nzcv_get/set know that.
 *  - System registers are in sys[], indexed by enum a64_sysreg (sysreg.h).
 *  - Only the CPU's own thread touches its state, except the fields of `struct a64_signals`.
 */
#ifndef PENG_CORE_ARM64_CPU_H
#define PENG_CORE_ARM64_CPU_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "base/trace.h"
#include "core/arm64/sysreg_ids.h"
#include "core/memory/guestmem.h"

enum { A64_SP = 31, A64_CPUS_MAX = 64, A64_MACHINE_TLBS = 4 };

union a64_vreg {
    uint8_t b[16];
    uint16_t h[8];
    uint32_t s[4];
    uint64_t d[2];
    __uint128_t q;
} __attribute__((aligned(16)));

struct a64_tlb_bank;
struct a64_jump;
struct a64_cpu;
struct a64_system;
struct a64_el2;

/* What other threads may set in a CPU. `poll` is the word that translated code tests at indirect
 * branches and, through `budget` and `returns_limit`, at back edges and calls: all ones means
 * "leave and look" (an interrupt line rose, a shootdown waits, the machine wants the CPU to stop).
 * Setters set the cause first, then poll, then wake. */
enum a64_line {
    A64_LINE_IRQ = 1,
    A64_LINE_FIQ = 2,
    A64_LINE_SERROR = 4,
    /* what EL2 gives EL1; set by the CPU itself, while EL1 or its EL0 runs */
    A64_LINE_VIRQ = 8,
    A64_LINE_VFIQ = 16,
    A64_LINE_VSERROR = 32,
};

struct a64_signals {
    _Atomic uint32_t poll;
    _Atomic int32_t budget; /* translator: back edges until the next look at poll; who sets poll
                               takes it away, and where that is lost it is late, not missed */
    _Atomic uint64_t returns_limit; /* translator, machines: how far down calls may go; the same */
    _Atomic uint32_t lines;      /* enum a64_line bits, levels driven by the interrupt controller */
    _Atomic uint32_t stop;       /* the machine asks the run loop to return */
    _Atomic uint32_t in_guest;   /* 1 while guest code may be using the TLB without holding still */
    _Atomic uint32_t event;      /* the WFE event register */
    _Atomic uint32_t wake_futex; /* bumped to wake a halted CPU */
    _Atomic uint32_t timer_due;  /* the engine's clock reached timer_deadline_ns */
    _Atomic uint32_t sleeping;   /* 1 while a64_wait may be in the kernel */
};

/* Work that other CPUs asked this one to do at its next a64_poll() or before it enters the guest.
 */
enum { A64_MAILBOX_SLOTS = 32 };
typedef void (*a64_remote_fn)(struct a64_cpu *cpu, uint64_t a, uint64_t b);

struct a64_mailbox {
    pthread_mutex_t lock; /* guards slots and count */
    struct {
        a64_remote_fn fn;
        uint64_t a, b;
    } slots[A64_MAILBOX_SLOTS];
    unsigned count;
    _Atomic uint32_t posted, served; /* totals, modulo 2^32 */
    _Atomic uint32_t waiters;        /* CPUs that wait for this one to serve or leave */
    _Atomic uint32_t turn;           /* futex: bumped when it did, if there are waiters */
    /* What this CPU posted to others and has not waited for: their `posted` at that time. */
    bool awaited;
    uint32_t tickets[A64_CPUS_MAX];
};

/* What a CPU needs from whoever owns it (the engine; in tests a stub). Called on the CPU's thread.
 */
struct a64_host_ops {
    /* HVC/SMC with the SMC Calling Convention (Arm DEN 0028): arguments and results in x[]. Returns
     * false where nothing answers (the instruction is then UNDEFINED). */
    bool (*hypercall)(void *ctx, struct a64_cpu *cpu, bool smc);
    /* GIC CPU interface registers (ICC_*_EL1, ICC_SGI1R_EL1 ...), by enum a64_sysreg. */
    uint64_t (*icc_read)(void *ctx, struct a64_cpu *cpu, enum a64_sysreg reg);
    void (*icc_write)(void *ctx, struct a64_cpu *cpu, enum a64_sysreg reg, uint64_t value);
    /* The end of an interrupt that EL2 gave to EL1 ends this physical one, too. NULL: no EL2. */
    void (*icc_deactivate)(void *ctx, struct a64_cpu *cpu, unsigned intid);
    /* A line of this CPU's own changed: the timers' PPI 30 (physical) and 27 (virtual), with EL2
     * also 26 and 28 (the same of EL2) and 25 (the virtual CPU interface's maintenance). */
    void (*ppi_line)(void *ctx, struct a64_cpu *cpu, unsigned ppi, bool level);
    /* Ask for a call of a64_timer_update() at `deadline_ns` (CLOCK_MONOTONIC; UINT64_MAX: never).
     */
    void (*timer_arm)(void *ctx, struct a64_cpu *cpu, uint64_t deadline_ns);
    /* Guest code at physical page [page, page + 4096) may have changed (IC IVAU); page UINT64_MAX
     * means all of memory (IC IALLU). NULL where nothing caches code. In user mode: the 64 bytes at
     * virtual address `page`. */
    void (*code_changed)(void *ctx, struct a64_cpu *cpu, uint64_t page);
    /* User mode alone: copies `size_bytes` of code at `va`, within a page. False where nothing may
     * be executed there. */
    bool (*fetch)(void *ctx, struct a64_cpu *cpu, uint64_t va, void *out, size_t size_bytes);
    /* User mode: what is mapped executable around `va`, if it may be there again when the same
     * program runs another time. */
    bool (*code_range)(void *ctx, uint64_t va, uint64_t *ret_start, uint64_t *ret_end);
};

struct a64_cpu {
    /* First: what translated code touches most, within a byte's displacement of the state pointer.
     */
    uint64_t x[32]; /* x[A64_SP]: the current stack pointer */
    uint64_t pc;
    uint64_t code_page;  /* translator: virtual address of the page that runs */
    uint16_t host_flags; /* NZCV in LAHF form; see a64_nzcv_get */
    struct a64_signals signals;
    struct a64_tlb_bank *bank;        /* for the current EL and ASID */
    struct a64_tlb_bank *bank_unpriv; /* for LDTR/STTR at EL1: EL0's view of the current ASID */
    uint32_t host_mxcsr; /* translator: guest rounding mode and sticky bits while in guest code */
    uint32_t jump_mask;  /* user mode: of an address, which finds its slot (mmu.h) */
    /* Translator (returns.h): host stack pointers of units while none runs, of their empty stack,
     * and of C code while one runs. */
    uint64_t returns, returns_base, host_sp;
    uint64_t region_return; /* translator: where the interpreter returns to in a region */
    uint64_t shared[8];     /* translator, machines: what accesses share (ir/share.c) */

    union a64_vreg v[32];
    uint32_t fpcr;
    uint32_t fpsr; /* sticky bits; the translator's share is folded in by a64_fpsr_get */

    /* PSTATE but NZCV */
    uint8_t el;    /* 0 or 1; with EL2 also 2 */
    uint8_t spsel; /* 0 or 1 */
    uint8_t daif;  /* bit 3 D, 2 A, 1 I, 0 F */
    uint8_t pan, uao, il, ss;
    bool stepping; /* software step: the instruction at hand was let through by PSTATE.SS */
    bool identity; /* user mode (user.c): guest addresses are host addresses, and an exception is
                      left to the owner: */
    bool trapped;  /* ... one was taken, with pc, ESR_EL1 and FAR_EL1 as it sets them */
    uint8_t slow;  /* enum a64_slow bits: engines run one instruction at a time, each after
                      a64_before_insn() */

    bool fp_to_el2; /* EL2 traps FP and vector instructions of EL1 and EL0 */
    uint8_t regime; /* which of several TLBs is in use (el2.h); 0 without EL2 */

    uint64_t sys[A64_SYSREG_COUNT];

    /* Exclusive monitor: LDXR notes the address and value, STXR is a compare-and-swap against it.
     */
    bool excl_valid;
    uint8_t excl_size;     /* bytes: 1, 2, 4, 8 or 16 */
    uint64_t excl_address; /* virtual */
    uint64_t excl_value[2];

    uint64_t timer_deadline_ns; /* earliest of both timers, UINT64_MAX for none */
    uint64_t timer_armed_ns;    /* what timer_arm was last asked for and has not rung yet */
    bool timer_level[4];        /* physical, virtual; EL2's */

    struct a64_system *system; /* borrowed */
    unsigned index;            /* 0-based; MPIDR follows from it */
    const struct a64_model *model;
    bool halted;                 /* WFI found nothing to do; the run loop sleeps */
    bool powered_off;            /* PSCI */
    uint64_t instructions;       /* retired by the interpreter */
    uint64_t undefined_count;    /* instructions that the table lacks */
    unsigned jump_misses;        /* user mode: while the jumps are few */
    uint64_t tlb_fills;          /* misses of the bank in use */
    uint64_t walks;              /* of those, how many the second level did not know */
    uint64_t tlb_faults;         /* fills that found no translation, or no right */
    uint64_t tlb_crossings;      /* inline lookups that failed for a page's end or alignment */
    uint64_t tlb_guarded;        /* ... for MMIO, watchpoints, or Device memory */
    uint64_t tlb_flushes;        /* TLBI executed here */
    uint64_t exceptions;         /* taken, interrupts included */
    uint64_t broadcasts;         /* a64_run_on_others() */
    void *engine;                /* the engine's own part */
    void *translation;           /* the translator's own part */
    struct a64_tlb *tlb;         /* all banks; owned (tlb.c), with EL2 by it: the one in use */
    struct a64_el2 *el2;         /* owned; NULL: there is no EL2 */
    struct a64_jump *pa_jumps;   /* translator: code by physical address (mmu.h); in tlb */
    uint64_t pa_context;         /* translator: of what runs, as a64_pa_context() has it */
    struct a64_decoded *decoded; /* the interpreter's cache; owned (interp.c) */
    struct a64_mailbox mailbox;
    unsigned wfe_streak;       /* WFEs in a row that found nothing */
    uint16_t seen_sysregs[16]; /* unknown system registers named in the log already */
    unsigned seen_count;
};

/* One machine's CPUs, for broadcasts. */
struct a64_system {
    struct guestmem *mem; /* borrowed */
    const struct a64_host_ops *ops;
    void *ops_ctx;
    const struct log *log;
    const struct trace *trace; /* borrowed; NULL: none */
    unsigned cpu_count;
    struct a64_cpu *cpus[A64_CPUS_MAX];
    uint64_t counter_base_ns; /* CNTVCT and CNTPCT count from here */
    bool has_el2;             /* CPUs have EL2 with FEAT_VHE, and begin there */
};

/* CNTFRQ_EL0: 100 MHz on both models, as on a Kunpeng 920. */
#define A64_COUNTER_HZ 100000000u

/* How an instruction left things. */
enum a64_step {
    A64_NEXT,     /* go on at pc + 4 */
    A64_BRANCHED, /* pc is set: a branch, an exception, or a change of translation context */
    A64_EXIT,     /* pc is set and the run loop must look at signals/halted before going on */
};

/* What units pushed as places to return to is good for nothing any more: a mapping or the code
 * went.
 */
static inline void a64_forget_returns(struct a64_cpu *cpu)
{
    cpu->returns = cpu->returns_base;
}

/* NZCV as the manual has it: bit 31 N, 30 Z, 29 C, 28 V. Host form: bits 15 SF, 14 ZF, 8 CF with CF
 * = NOT C (x86's borrow), bit 0 OF. */
static inline uint32_t a64_nzcv_get(const struct a64_cpu *cpu)
{
    uint32_t f = cpu->host_flags;
    return (f & 0x8000) << 16 | (f & 0x4000) << 16 | (~f & 0x100) << 21 | (f & 1) << 28;
}

static inline void a64_nzcv_set(struct a64_cpu *cpu, uint32_t nzcv)
{
    cpu->host_flags = (uint16_t)((nzcv >> 16 & 0xc000) | (~nzcv >> 21 & 0x100) | (nzcv >> 28 & 1));
}

/* condition holds? cond 0..15 as encoded (DDI 0487 C1.2.4). */
bool a64_condition_holds(const struct a64_cpu *cpu, unsigned cond);

static inline uint64_t a64_x(const struct a64_cpu *cpu, unsigned r) /* 31 reads as zero */
{
    return r == 31 ? 0 : cpu->x[r];
}

static inline void a64_set_x(struct a64_cpu *cpu, unsigned r, uint64_t v) /* 31 is dropped */
{
    if (r != 31)
        cpu->x[r] = v;
}

/* --- cpu.c: life cycle -------------------------------------------------------------------------
 */

/* CPU models. */
struct a64_model {
    const char *name;
    const char *description;
    bool lse, fp16, dotprod, jscvt, fcma, fhm, rdm, dcpop, pan,
        uao;  /* beyond Armv8.0 + CRC + crypto */
    bool vhe; /* may have EL2 with FEAT_VHE */
    struct {
        enum a64_sysreg reg;
        uint64_t value;
    } id[40]; /* ID registers, ended by value of reg A64_SYSREG_COUNT */
};
const struct a64_model *a64_model_find(const char *name); /* NULL: unknown */
const struct a64_model *a64_model_at(unsigned index);     /* NULL past the last */

/* Makes a CPU of `model`, reset, attached to `system` under `index`. Page-aligned. */
int a64_cpu_new(struct a64_system *system, unsigned index, const struct a64_model *model,
                struct a64_cpu **ret_cpu, struct err *e);
/* Makes a CPU for user mode: at EL0 as Linux sets it up, not listed in `system`. Any number. */
int a64_cpu_new_user(struct a64_system *system, const struct a64_model *model,
                     struct a64_cpu **ret_cpu, struct err *e);
void a64_cpu_free(struct a64_cpu *cpu);
/* Warm reset: EL1h, with EL2 EL2h, DAIF set, MMU off, pc and x0 as given (DDI 0487 D1.9). */
void a64_cpu_reset(struct a64_cpu *cpu, uint64_t pc, uint64_t x0);

/* --- exception.c -------------------------------------------------------------------------------
 */

/* Takes a synchronous exception to EL1, or to EL2 where that has taken its place, with this ESR_EL1
 * syndrome; far is written where the class has one. `return_address` is what ELR gets. Sets pc to
 * the vector. Returns A64_BRANCHED. */
enum a64_step a64_exception_sync(struct a64_cpu *cpu, uint64_t esr, uint64_t far,
                                 uint64_t return_address);
/* The same to this EL, 1 or 2. */
enum a64_step a64_exception_to(struct a64_cpu *cpu, unsigned el, uint64_t esr, uint64_t far,
                               uint64_t return_address);
enum a64_step a64_undefined(struct a64_cpu *cpu);         /* EC 0, ELR = pc */
enum a64_step a64_svc(struct a64_cpu *cpu, uint16_t imm); /* ELR = pc + 4 */
enum a64_step a64_eret(struct a64_cpu *cpu);              /* illegal return handled: PSTATE.IL */
/* FP, NEON and their registers: true where CPACR_EL1 allows them at this EL. Else return
 * a64_fp_trapped() (EC 7) from the instruction. */
static inline bool a64_fp_allowed(const struct a64_cpu *cpu)
{
    unsigned fpen = cpu->sys[A64_CPACR_EL1] >> 20 & 3;
    return (fpen == 3 || (fpen == 1 && cpu->el)) && !cpu->fp_to_el2;
}
enum a64_step a64_fp_trapped(struct a64_cpu *cpu);
/* SP alignment check of a load or store with base SP (SCTLR_EL1.SA, SA0): false where it failed and
 * the exception is taken. */
bool a64_sp_aligned(struct a64_cpu *cpu);
/* If a line is up and not masked, takes that interrupt (pc = vector) and returns true. */
bool a64_take_interrupt(struct a64_cpu *cpu);
/* True where WFI would not wait: a line is up, masked or not. */
bool a64_has_work(const struct a64_cpu *cpu);
uint32_t a64_spsr_get(const struct a64_cpu *cpu);        /* PSTATE as SPSR_EL1 has it */
void a64_pstate_set(struct a64_cpu *cpu, uint32_t spsr); /* switches SP banks and TLB bank */
void a64_select_sp(struct a64_cpu *cpu, unsigned el, unsigned spsel);

/* --- debug.c: software step, hardware breakpoints and watchpoints, illegal state ----------------
 */

enum a64_slow {
    A64_SLOW_IL = 1,     /* PSTATE.IL: the next instruction raises Illegal Execution State */
    A64_SLOW_STEP = 2,   /* software step is active */
    A64_SLOW_BREAK = 4,  /* an enabled hardware breakpoint may match */
    A64_SLOW_ENGINE = 8, /* the engine's own: a debugger steps or set a breakpoint */
    A64_SLOW_SP0 = 16,   /* EL1 runs on SP_EL0, which nobody does for long: MRS SP_EL0 is UNDEFINED
                            then, and a plain read of sys[] at all other times */
    A64_SLOW_EL2 = 32,   /* EL2 with HCR_EL2.E2H = 0, where names mean other registers */
};
/* Recomputes cpu->slow (but the engine's bit) after PSTATE or debug registers changed. */
void a64_update_slow(struct a64_cpu *cpu);
/* While cpu->slow: before the instruction at pc. False: an exception was taken instead. */
bool a64_before_insn(struct a64_cpu *cpu);
/* ERET: whether SPSR.SS is copied to PSTATE (D2.11.4). Call before PSTATE changes. */
bool a64_step_returns_active(const struct a64_cpu *cpu, uint32_t spsr);
/* Whether an enabled watchpoint covers this access, for mmu.c. */
bool a64_watch_hit(const struct a64_cpu *cpu, uint64_t va, unsigned size_bytes, bool write);
bool a64_watch_page(const struct a64_cpu *cpu, uint64_t va);

/* --- signals.c: other threads ------------------------------------------------------------------
 */
void a64_set_line(struct a64_cpu *cpu, enum a64_line line, bool level); /* any thread */
void a64_request_stop(struct a64_cpu *cpu);                             /* any thread */
void a64_call_out(struct a64_cpu *cpu); /* any thread: sets poll, after its cause */
void a64_wake(struct a64_cpu *cpu);     /* any thread */
/* Sleeps until there is work, a stop request or an event; the CPU counts as out of the guest. */
void a64_wait(struct a64_cpu *cpu, bool for_event);
/* Run loops bracket guest code with these; between them shootdowns from other CPUs are served only
 * at a64_poll(). */
void a64_enter_guest(struct a64_cpu *cpu);
void a64_leave_guest(struct a64_cpu *cpu);
/* Clears poll, serves shootdowns; call with the guest state in the struct. Returns true where the
 * run loop must return to the machine (stop requested). Interrupts are taken by the caller. */
bool a64_poll(struct a64_cpu *cpu);
/* Posts fn(other, a, b) to one CPU; returns a ticket to wait with until it has run, or until the
 * CPU is out of the guest and will run it before it enters. Both from out of the guest. */
uint32_t a64_post(struct a64_cpu *other, a64_remote_fn fn, uint64_t a, uint64_t b);
void a64_wait_served(struct a64_cpu *other, uint32_t ticket);
/* Runs fn(other, a, b) for every other CPU of the system before any of them runs another guest
 * instruction after this returns: on the other's thread if it is in the guest (waits until done),
 * else when it enters. The calling CPU counts as out of the guest meanwhile, so two callers never
 * wait for each other; what they asked of it is done on return. */
void a64_run_on_others(struct a64_cpu *cpu, a64_remote_fn fn, uint64_t a, uint64_t b);
/* Its two halves. TLBI posts; DSB waits, once for all that was posted. */
void a64_post_to_others(struct a64_cpu *cpu, a64_remote_fn fn, uint64_t a, uint64_t b);
void a64_wait_for_others(struct a64_cpu *cpu);
void a64_send_event(struct a64_cpu *cpu); /* SEV */

/* --- timer.c -----------------------------------------------------------------------------------
 */
uint64_t a64_counter(const struct a64_cpu *cpu); /* CNTPCT; CNTVCT is this less CNTVOFF */
void a64_timer_update(struct a64_cpu *cpu);      /* recompute lines and deadline; own thread */
/* Any thread, at the time timer_arm asked for: the CPU updates its timers at its next poll. */
void a64_timer_ring(struct a64_cpu *cpu);

#endif
