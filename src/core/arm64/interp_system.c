/* interp_system.c: exception generation, hints, barriers and system register access (DDI 0487
 * C4.1.87).
 *
 * The register and SYS forms only take their fields apart; sysreg.c and sysop.c do the work.
 */
#include "core/arm64/exec_int.h"

#include "core/arm64/el2.h"

enum { EC_WFX = 0x01, EC_HVC = 0x16, EC_BRK = 0x3c };
enum { SCTLR_NTWI = 1 << 16, SCTLR_NTWE = 1 << 18 };

#define ESR_IL (1u << 25)

A64_EXEC(SVC)
{
    return a64_svc(cpu, (uint16_t)in->i);
}

/* With no EL3 the machine plays the firmware behind SMC, and without EL2 behind HVC. */
static enum a64_step call_machine(struct a64_cpu *cpu, bool smc)
{
    const struct a64_system *system = cpu->system;
    if (cpu->el == 0 || !system->ops || !system->ops->hypercall)
        return a64_undefined(cpu);
    uint64_t pc = cpu->pc;
    cpu->pc = pc + 4; /* so that a call that resets the CPU has the last word */
    if (system->ops->hypercall(system->ops_ctx, cpu, smc))
        return A64_EXIT;
    cpu->pc = pc;
    return a64_undefined(cpu);
}

A64_EXEC(HVC)
{
    return cpu->el2 ? a64_el2_hvc(cpu, (uint16_t)in->i) : call_machine(cpu, false);
}

A64_EXEC(SMC)
{
    if (cpu->el2 && a64_el2_traps_smc(cpu, (uint16_t)in->i))
        return A64_BRANCHED;
    return call_machine(cpu, true);
}

A64_EXEC(BRK)
{
    return a64_exception_sync(cpu, (uint64_t)EC_BRK << 26 | ESR_IL | in->i, 0, cpu->pc);
}

/* Halting debug is not implemented: UNDEFINED (C6.2.92). */
A64_EXEC(HLT)
{
    return a64_undefined(cpu);
}

A64_EXEC(ERET)
{
    return cpu->el == 0 ? a64_undefined(cpu) : a64_eret(cpu);
}

/* --- hints ----------------------------------------------------------------------------------- */

A64_EXEC(NOP)
{
    return A64_NEXT;
}

A64_EXEC(HINT)
{
    return A64_NEXT;
}

A64_EXEC(YIELD)
{
    return A64_NEXT;
}

/* Trapped from EL0 unless SCTLR_EL1 says not: EC 0x01, ISS with CV = 1, COND = 0b1110, TI. */
static bool trapped(struct a64_cpu *cpu, uint64_t not_trapped, unsigned ti)
{
    if (cpu->el != 0 || (cpu->sys[A64_SCTLR_EL1] & not_trapped))
        return cpu->el2 && a64_el2_traps_wait(cpu, ti);
    a64_exception_sync(cpu, (uint64_t)EC_WFX << 26 | ESR_IL | 0x1e << 20 | ti, 0, cpu->pc);
    return true;
}

A64_EXEC(WFI)
{
    if (cpu->identity || a64_has_work(cpu)) /* user mode: signals come as polls */
        return A64_NEXT;
    if (trapped(cpu, SCTLR_NTWI, 0))
        return A64_BRANCHED;
    cpu->halted = true;
    cpu->pc += 4;
    return A64_EXIT;
}

A64_EXEC(WFE)
{
    if (atomic_exchange(&cpu->signals.event, 0))
        return A64_NEXT;
    if (trapped(cpu, SCTLR_NTWE, 1))
        return A64_BRANCHED;
    a64_wait(cpu, true);
    cpu->pc += 4;
    return A64_EXIT;
}

A64_EXEC(SEV)
{
    a64_send_event(cpu);
    return A64_NEXT;
}

A64_EXEC(SEVL)
{
    atomic_store(&cpu->signals.event, 1);
    return A64_NEXT;
}

/* --- barriers -------------------------------------------------------------------------------- */

A64_EXEC(CLREX)
{
    cpu->excl_valid = false;
    return A64_NEXT;
}

/* Completes TLB invalidations on other CPUs too (D8.14.5). */
A64_EXEC(DSB)
{
    atomic_thread_fence(memory_order_seq_cst);
    a64_wait_for_others(cpu);
    return A64_NEXT;
}

A64_EXEC(DMB)
{
    atomic_thread_fence(memory_order_seq_cst);
    return A64_NEXT;
}

/* Instructions are fetched one at a time and registers take effect at once. */
A64_EXEC(ISB)
{
    return A64_NEXT;
}

/* --- registers and SYS ----------------------------------------------------------------------- */

A64_EXEC(MRS)
{
    return a64_mrs(cpu, (uint16_t)in->i, in->d);
}

A64_EXEC(MSR)
{
    return a64_msr(cpu, (uint16_t)in->i, in->d);
}

A64_EXEC(MSR_imm)
{
    return a64_msr_imm(cpu, in->u, in->v, (unsigned)in->i);
}

A64_EXEC(SYS)
{
    return a64_sys(cpu, (unsigned)bits(in->i, 11, 3), (unsigned)bits(in->i, 7, 4),
                   (unsigned)bits(in->i, 3, 4), (unsigned)bits(in->i, 0, 3), in->d);
}

/* No SYSL of the architecture is implemented at these ELs. */
A64_EXEC(SYSL)
{
    return a64_undefined(cpu);
}
