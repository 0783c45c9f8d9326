/* exception.c: taking exceptions and returning from them (DDI 0487 D1.3, D1.4).
 *
 * EL0 and EL1 exist in AArch64, and EL2 where the CPU has one (el2.h); without, every exception
 * goes to EL1 with SP_EL1. ESR_EL1, ELR_EL1 and so on are here those of the EL that takes the
 * exception. PSTATE is kept in pieces (cpu.h); SPSR_EL1's layout is made and taken apart here.
 */
#include "core/arm64/el2.h"

#include <assert.h>

#include "base/bytes.h"

enum {
    EC_UNKNOWN = 0x00,
    EC_FP = 0x07,
    EC_SVC = 0x15,
    EC_SP_ALIGN = 0x26,
    EC_SERROR = 0x2f,
};

#define ESR_IL     (1u << 25)
#define SCTLR_SPAN (1u << 23)
#define SPSR_SS    (1u << 21)
#define SPSR_IL    (1u << 20)
#define SPSR_PAN   (1u << 22)
#define SPSR_UAO   (1u << 23)
#define SPSR_M_32  (1u << 4)

enum vector { VECTOR_SYNC = 0, VECTOR_IRQ = 0x80, VECTOR_FIQ = 0x100, VECTOR_SERROR = 0x180 };

/* PSTATE.DAIF */
enum { MASK_F = 1, MASK_I = 2, MASK_A = 4 };

static_assert(A64_SP_EL1 == A64_SP_EL0 + 1 && A64_SP_EL2 == A64_SP_EL0 + 2,
              "stack pointers are indexed by EL");

void a64_select_sp(struct a64_cpu *cpu, unsigned el, unsigned spsel)
{
    cpu->sys[A64_SP_EL0 + (cpu->spsel ? cpu->el : 0)] = cpu->x[A64_SP];
    cpu->el = (uint8_t)el;
    cpu->spsel = (uint8_t)spsel;
    cpu->x[A64_SP] = cpu->sys[A64_SP_EL0 + (spsel ? el : 0)];
}

uint32_t a64_spsr_get(const struct a64_cpu *cpu)
{
    return a64_nzcv_get(cpu) | (cpu->uao ? SPSR_UAO : 0) | (cpu->pan ? SPSR_PAN : 0) |
           (cpu->ss ? SPSR_SS : 0) | (cpu->il ? SPSR_IL : 0) | (uint32_t)cpu->daif << 6 |
           (uint32_t)cpu->el << 2 | cpu->spsel;
}

/* All of PSTATE but EL and SP. */
static void set_flags(struct a64_cpu *cpu, uint32_t spsr)
{
    bool pan = (spsr & SPSR_PAN) && cpu->model->pan;
    a64_nzcv_set(cpu, spsr & 0xf0000000);
    cpu->daif = spsr >> 6 & 15;
    cpu->uao = (spsr & SPSR_UAO) && cpu->model->uao;
    cpu->il = (spsr & SPSR_IL) != 0;
    cpu->ss = (spsr & SPSR_SS) != 0;
    if (pan && !cpu->pan)
        a64_tlb_pan_set(cpu);
    cpu->pan = pan;
}

void a64_pstate_set(struct a64_cpu *cpu, uint32_t spsr)
{
    unsigned el = spsr >> 2 & 3;
    if (cpu->el2) {
        el = el > 2 ? 2 : el; /* a debugger may write anything */
        bool el2 = el == 2 || (el == 0 && a64_el2_host(cpu));
        if (el2 != cpu->el2->inside)
            a64_el2_use(cpu, el2);
    } else if (el) {
        el = 1;
    }
    set_flags(cpu, spsr);
    a64_select_sp(cpu, el, spsr & 1);
    a64_select_bank(cpu);
    a64_update_slow(cpu);
}

static void trace_entry(const struct a64_cpu *cpu, enum vector kind, unsigned from_el)
{
    static const char *const names[] = {"sync", "irq", "fiq", "serror"};
    const uint64_t *sys = cpu->sys;
    unsigned long long esr = sys[A64_ESR_EL1], far = sys[A64_FAR_EL1];
    trace_print(cpu->system->trace, "cpu%u int %s from el%u elr %016llx spsr %08llx to %016llx",
                cpu->index, names[kind / (VECTOR_IRQ - VECTOR_SYNC)], from_el,
                (unsigned long long)sys[A64_ELR_EL1], (unsigned long long)sys[A64_SPSR_EL1],
                (unsigned long long)cpu->pc);
    if (kind == VECTOR_SYNC)
        trace_print(cpu->system->trace, "cpu%u int ec %02llx iss %07llx far %016llx", cpu->index,
                    esr >> 26, esr & 0x1ffffff, far);
}

/* PSTATE.PAN is set on exceptions to EL1, and to EL2 where that has taken EL1's place. */
static bool sets_pan(const struct a64_cpu *cpu, unsigned el)
{
    return cpu->model->pan && !(cpu->sys[A64_SCTLR_EL1] & SCTLR_SPAN) && !cpu->pan &&
           (el == 1 || a64_el2_host(cpu));
}

/* The registers in use are those of `el`. */
static enum a64_step enter(struct a64_cpu *cpu, unsigned el, enum vector kind,
                           uint64_t return_address)
{
    unsigned from_el = cpu->el;
    cpu->exceptions++;
    uint64_t offset = cpu->el < el ? 0x400 : cpu->spsel ? 0x200 : 0;
    cpu->sys[A64_SPSR_EL1] = a64_spsr_get(cpu);
    /* A stepped instruction that did not complete is stepped again on return (D2.11.3). */
    if (cpu->stepping && return_address == cpu->pc)
        cpu->sys[A64_SPSR_EL1] |= SPSR_SS;
    cpu->stepping = false;
    cpu->sys[A64_ELR_EL1] = return_address;
    a64_select_sp(cpu, el, 1);
    cpu->daif = 15;
    cpu->il = cpu->ss = cpu->uao = 0;
    if (sets_pan(cpu, el)) {
        a64_tlb_pan_set(cpu);
        cpu->pan = 1;
    }
    cpu->pc = align_down(cpu->sys[A64_VBAR_EL1], 2048) + offset + kind;
    a64_select_bank(cpu);
    a64_update_slow(cpu);
    if (trace_on(cpu->system->trace, TRACE_INT))
        trace_entry(cpu, kind, from_el);
    return A64_BRANCHED;
}

enum a64_step a64_exception_to(struct a64_cpu *cpu, unsigned el, uint64_t esr, uint64_t far,
                               uint64_t return_address)
{
    if (el == 2) {
        esr = a64_el2_from_below(cpu, esr);
        if (!cpu->el2->inside)
            a64_el2_use(cpu, true);
    }
    /* FAR_EL1 is written by aborts, PC alignment faults and watchpoints, UNKNOWN otherwise. */
    unsigned ec = (unsigned)(esr >> 26);
    if ((ec >= 0x20 && ec <= 0x25) || ec == 0x34 || ec == 0x35)
        cpu->sys[A64_FAR_EL1] = far;
    cpu->sys[A64_ESR_EL1] = esr;
    if (cpu->identity) {
        cpu->pc = return_address;
        cpu->trapped = true;
        return A64_BRANCHED;
    }
    return enter(cpu, el, VECTOR_SYNC, return_address);
}

enum a64_step a64_exception_sync(struct a64_cpu *cpu, uint64_t esr, uint64_t far,
                                 uint64_t return_address)
{
    unsigned el = cpu->el2 ? a64_el2_target(cpu, (unsigned)(esr >> 26)) : 1;
    return a64_exception_to(cpu, el, esr, far, return_address);
}

enum a64_step a64_undefined(struct a64_cpu *cpu)
{
    return a64_exception_sync(cpu, (uint64_t)EC_UNKNOWN << 26 | ESR_IL, 0, cpu->pc);
}

enum a64_step a64_svc(struct a64_cpu *cpu, uint16_t imm)
{
    return a64_exception_sync(cpu, (uint64_t)EC_SVC << 26 | ESR_IL | imm, 0, cpu->pc + 4);
}

enum a64_step a64_fp_trapped(struct a64_cpu *cpu)
{
    /* ISS: CV = 1, COND = 0b1110 (D17.2.37, "Access to SVE, Advanced SIMD or floating-point") */
    uint64_t esr = (uint64_t)EC_FP << 26 | ESR_IL | 0x1e << 20;
    unsigned fpen = cpu->sys[A64_CPACR_EL1] >> 20 & 3;
    bool mine = fpen == 3 || (fpen == 1 && cpu->el); /* CPACR_EL1 comes before CPTR_EL2 */
    if (cpu->fp_to_el2 && mine)
        return a64_exception_to(cpu, 2, esr, 0, cpu->pc);
    return a64_exception_sync(cpu, esr, 0, cpu->pc);
}

bool a64_sp_aligned(struct a64_cpu *cpu)
{
    uint64_t checks = cpu->el ? A64_SCTLR_SA : A64_SCTLR_SA0;
    if (!(cpu->x[A64_SP] & 15) || !(cpu->sys[A64_SCTLR_EL1] & checks))
        return true;
    a64_exception_sync(cpu, (uint64_t)EC_SP_ALIGN << 26 | ESR_IL, 0, cpu->pc);
    return false;
}

/* Modes that SPSR_EL1 may name here: EL0t, EL1t and EL1h in AArch64 (D1.4.4). */
static bool legal_return(const struct a64_cpu *cpu, uint32_t spsr)
{
    unsigned mode = spsr & 0x1f;
    if (cpu->el2)
        return a64_el2_legal_return(cpu, spsr);
    return mode == 0 || mode == 4 || mode == 5;
}

enum a64_step a64_eret(struct a64_cpu *cpu)
{
    uint32_t spsr = (uint32_t)cpu->sys[A64_SPSR_EL1];
    cpu->pc = cpu->sys[A64_ELR_EL1];
    cpu->excl_valid = false;
    /* An ERET is a context synchronization event that sets the event register (D1.6.1). */
    atomic_store_explicit(&cpu->signals.event, 1, memory_order_relaxed);
    if (legal_return(cpu, spsr)) {
        /* SPSR.SS counts only where software step is enabled at the target and was not here
         * (D2.11.4); otherwise PSTATE.SS becomes 0. */
        uint32_t step = a64_step_returns_active(cpu, spsr) ? SPSR_SS : 0;
        a64_pstate_set(cpu, spsr & ~(SPSR_SS & ~step));
        cpu->pc = a64_untag(cpu, cpu->pc);
    } else {
        set_flags(cpu, (spsr | SPSR_IL) & ~SPSR_SS);
        a64_select_bank(cpu);
        a64_update_slow(cpu);
    }
    return A64_EXIT;
}

bool a64_has_work(const struct a64_cpu *cpu)
{
    return atomic_load_explicit(&cpu->signals.lines, memory_order_acquire) != 0;
}

/* An SError is pending once: taking it clears it. */
static void take_serror(struct a64_cpu *cpu, unsigned el, enum a64_line line)
{
    atomic_fetch_and(&cpu->signals.lines, ~(uint32_t)line);
    cpu->sys[A64_ESR_EL1] = (uint64_t)EC_SERROR << 26 | ESR_IL;
    enter(cpu, el, VECTOR_SERROR, cpu->pc);
}

static bool take_with_el2(struct a64_cpu *cpu, uint32_t lines)
{
    unsigned el;
    uint32_t line = a64_el2_choose_line(cpu, lines, &el);
    if (!line)
        return false;
    if (el == 2 && !cpu->el2->inside)
        a64_el2_use(cpu, true);
    if (line & (A64_LINE_SERROR | A64_LINE_VSERROR)) {
        if (line == A64_LINE_VSERROR)
            cpu->sys[A64_HCR_EL2] &= ~A64_HCR_VSE;
        take_serror(cpu, el, (enum a64_line)line);
    } else {
        bool irq = line & (A64_LINE_IRQ | A64_LINE_VIRQ);
        enter(cpu, el, irq ? VECTOR_IRQ : VECTOR_FIQ, cpu->pc);
    }
    return true;
}

bool a64_take_interrupt(struct a64_cpu *cpu)
{
    uint32_t lines = atomic_load_explicit(&cpu->signals.lines, memory_order_acquire);
    if (!lines)
        return false;
    cpu->stepping = false; /* between instructions: the stepped one is complete */
    if (cpu->el2)
        return take_with_el2(cpu, lines);
    if ((lines & A64_LINE_FIQ) && !(cpu->daif & MASK_F)) {
        enter(cpu, 1, VECTOR_FIQ, cpu->pc);
        return true;
    }
    if ((lines & A64_LINE_IRQ) && !(cpu->daif & MASK_I)) {
        enter(cpu, 1, VECTOR_IRQ, cpu->pc);
        return true;
    }
    if ((lines & A64_LINE_SERROR) && !(cpu->daif & MASK_A)) {
        take_serror(cpu, 1, A64_LINE_SERROR);
        return true;
    }
    return false;
}
