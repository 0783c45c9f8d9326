/* run.c: the life of a guest thread: guest code, what it trapped for, its signals, and again.
 *
 * Source: Linux 6.1, arch/arm64/kernel/traps.c, mm/fault.c and kernel/cpufeature.c (which signals
 * what, and which ID registers user space may read).
 */
#include "core/linux/linux_int.h"

#include <setjmp.h>
#include <stdlib.h>

#include "core/arm64/interpreter.h"
#include "core/arm64/sysreg.h"

_Thread_local struct linux_thread *linux_self;

/* Exception classes (DDI 0487 D17.2.37) that EL0 can cause here. */
enum {
    EC_UNKNOWN = 0x00,
    EC_SVC = 0x15,
    EC_SYSREG = 0x18,
    EC_FETCH_ABORT = 0x20,
    EC_PC_ALIGN = 0x22,
    EC_DATA_ABORT = 0x24,
    EC_SP_ALIGN = 0x26,
    EC_STEP = 0x32,
    EC_BRK = 0x3c,
};

struct linux_thread *linux_thread_new(struct linux_process *p, const struct linux_thread *like)
{
    struct linux_thread *t = calloc(1, sizeof(*t));
    struct err e;
    if (!t || a64_cpu_new_user(&p->system, p->model, &t->cpu, &e) < 0) {
        free(t);
        return NULL;
    }
    t->process = p;
    if (like) {
        struct a64_cpu *to = t->cpu;
        const struct a64_cpu *from = like->cpu;
        memcpy(to->x, from->x, sizeof(to->x));
        memcpy(to->v, from->v, sizeof(to->v));
        to->pc = from->pc;
        to->host_flags = from->host_flags;
        to->host_mxcsr = from->host_mxcsr;
        to->fpcr = from->fpcr;
        to->fpsr = from->fpsr;
        to->sys[A64_TPIDR_EL0] = from->sys[A64_TPIDR_EL0];
        linux_seccomp_inherit(t, like);
        t->debug.tracee = like->debug.tracee;
    }
    if (p->translator)
        translator_attach(p->translator, t->cpu);
    return t;
}

void linux_thread_free(struct linux_thread *t)
{
    if (!t)
        return;
    if (t->process->translator)
        translator_detach(t->process->translator, t->cpu);
    a64_cpu_free(t->cpu);
    linux_strace_line_free(t);
    linux_seccomp_drop(t);
    free(t);
}

void linux_thread_kick(struct linux_thread *t)
{
    atomic_store(&t->cpu->signals.stop, 1);
    a64_call_out(t->cpu);
}

/* --- traps ------------------------------------------------------------------------------------ */

/* What MRS of an ID register gives in user space: fields that Linux shows, others at their safest.
 */
static bool emulate_id_register(struct a64_cpu *cpu)
{
    static const struct {
        enum a64_sysreg reg;
        uint64_t shown, fixed;
    } ids[] = {
        {A64_MIDR_EL1, UINT64_MAX, 0},         {A64_ID_AA64PFR0_EL1, 0xff0000, 0x11},
        {A64_ID_AA64DFR0_EL1, 0, 0x6},         {A64_ID_AA64ISAR0_EL1, UINT64_MAX, 0},
        {A64_ID_AA64ISAR1_EL1, UINT64_MAX, 0}, {A64_MPIDR_EL1, 0, 1u << 31},
    };
    uint32_t raw;
    struct a64_insn in;
    if (linux_read(cpu->pc, &raw, sizeof(raw)) < 0)
        return false;
    a64_decode(raw, &in);
    /* op0 = 3, op1 = 0, CRn = 0: the space of ID registers; in->i is o0:op1:CRn:CRm:op2 */
    if (in.op != A64_OP_MRS || (in.i & 0x7f80) != (A64_SYSREG_KEY(3, 0, 0, 0, 0) & 0x7f80))
        return false;
    uint64_t value = 0;
    const struct a64_sysreg_info *info = a64_sysreg_find((uint16_t)in.i);
    for (unsigned i = 0; info && i < ARRAY_SIZE(ids); i++)
        if (ids[i].reg == info->reg)
            value = (cpu->sys[info->reg] & ids[i].shown) | ids[i].fixed;
    a64_set_x(cpu, in.d, value);
    cpu->pc += 4;
    return true;
}

static void undefined(struct linux_thread *t)
{
    if (linux_rseq_run(t))
        return;
    if (!emulate_id_register(t->cpu))
        linux_signal_force(t, SIGILL, ILL_ILLOPC, t->cpu->pc);
}

static void fetch_abort(struct linux_thread *t)
{
    uint8_t byte;
    bool mapped = linux_read(t->cpu->pc, &byte, 1) == 0;
    linux_signal_force(t, SIGSEGV, mapped ? SEGV_ACCERR : SEGV_MAPERR, t->cpu->pc);
}

static void data_abort(struct linux_thread *t)
{
    enum { FSC_ALIGNMENT = 0x21 };
    const uint64_t *sys = t->cpu->sys;
    struct linux_fault fault = t->fault;
    t->fault.signal = 0;
    if (fault.signal) /* as the host saw it */
        linux_signal_force(t, fault.signal, fault.code, fault.address);
    else if ((sys[A64_ESR_EL1] & 0x3f) == FSC_ALIGNMENT)
        linux_signal_force(t, SIGBUS, BUS_ADRALN, sys[A64_FAR_EL1]);
    else
        linux_signal_force(t, SIGSEGV, SEGV_MAPERR, sys[A64_FAR_EL1]);
}

static void misaligned(struct linux_thread *t)
{
    linux_signal_force(t, SIGBUS, BUS_ADRALN, t->cpu->sys[A64_FAR_EL1]);
}

static void breakpoint(struct linux_thread *t)
{
    linux_signal_force(t, SIGTRAP, TRAP_BRKPT, t->cpu->pc);
}

static void stepped(struct linux_thread *t)
{
    linux_signal_force(t, SIGTRAP, TRAP_TRACE, t->cpu->pc);
}

static void take_trap(struct linux_thread *t)
{
    static void (*const handlers[64])(struct linux_thread * t) = {
        [EC_UNKNOWN] = undefined,       [EC_SVC] = linux_syscall,   [EC_SYSREG] = undefined,
        [EC_FETCH_ABORT] = fetch_abort, [EC_PC_ALIGN] = misaligned, [EC_DATA_ABORT] = data_abort,
        [EC_SP_ALIGN] = misaligned,     [EC_STEP] = stepped,        [EC_BRK] = breakpoint,
    };
    unsigned exception_class = t->cpu->sys[A64_ESR_EL1] >> 26 & 63;
    void (*handler)(struct linux_thread * t) = handlers[exception_class];
    t->cpu->trapped = false;
    if (t->process->stats)
        linux_stats_trap(t, exception_class);
    (handler ? handler : undefined)(t);
}

/* --- the loop --------------------------------------------------------------------------------- */

static void run_guest(struct linux_thread *t)
{
    struct translator *translator = t->process->translator;
    if (translator)
        translator_run(translator, t->cpu);
    else
        a64_interpret(t->cpu, UINT64_MAX);
}

/* Handlers must not run on the stack that translated code has for its calls: it is small, and may
 * just be full (translator/returns.h). */
static void handle_signals_on(void *stack, size_t size_bytes)
{
    const stack_t alternate = {.ss_sp = stack, .ss_size = size_bytes};
    sigaltstack(&alternate, NULL);
}

void linux_thread_loop(struct linux_thread *t)
{
    enum { HANDLER_STACK_BYTES = 32 << 10 }; /* the frame alone is 11 KiB where there is AMX */
    uint8_t handler_stack[HANDLER_STACK_BYTES];
    handle_signals_on(handler_stack, sizeof(handler_stack));
    struct a64_cpu *cpu = t->cpu;
    jmp_buf recover;
    t->recover = &recover;
    if (setjmp(recover)) { /* fault.c: the instruction at pc touched what it may not */
        __builtin_ia32_ldmxcsr(0x1f80);
        a64_leave_guest(cpu);
        linux_rseq_leave(t);
        take_trap(t);
    }
    for (;;) {
        while (atomic_load(&cpu->signals.stop)) {
            atomic_store(&cpu->signals.stop, 0);
            if (t->process->stats)
                linux_stats_request(t);
            linux_signals_deliver(t);
            if (linux_debugged(t))
                linux_debug_look(t);
        }
        run_guest(t);
        while (cpu->trapped)
            take_trap(t);
    }
}
