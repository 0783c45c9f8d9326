/* debug.c: self-hosted debug: software step, hardware breakpoints and watchpoints (DDI 0487 D2),
 * and the Illegal Execution state, which is checked at the same place.
 *
 * None of it costs anything while unused: cpu->slow is zero then and engines never come here.
 * Limits: address matching only (no context or linked breakpoints); the address of a data access is
 * compared without its tag.
 */
#include "core/arm64/el2.h"

#include "base/bytes.h"

enum {
    EC_ILLEGAL = 0x0e,
    EC_BREAKPOINT = 0x30,
    EC_STEP = 0x32,
    BREAKPOINTS = 6,
    WATCHPOINTS = 4,
};

#define ESR_IL     (1u << 25)
#define MDSCR_SS   (1u << 0)
#define MDSCR_KDE  (1u << 13)
#define MDSCR_MDE  (1u << 15)
#define OSLSR_OSLK (1u << 1)
#define SPSR_D     (1u << 9)
#define SPSR_SS    (1u << 21)
#define DAIF_D     8

/* Debug exceptions are enabled from this EL with this PSTATE.D (D2.3). */
static bool enabled_from(const struct a64_cpu *cpu, unsigned el, bool d_masked)
{
    if (cpu->sys[A64_OSLSR_EL1] & OSLSR_OSLK)
        return false;
    unsigned target = cpu->el2 && a64_el2_debugs(cpu) ? 2 : 1;
    return el < target || (el == target && (cpu->sys[A64_MDSCR_EL1] & MDSCR_KDE) && !d_masked);
}

/* PMC/PAC, HMC and SSC of a control register select this EL (Table D2-9; no EL3, one state). */
static bool selects_el(uint64_t control, unsigned el)
{
    unsigned who = (unsigned)bits(control, 1, 2);
    if (el == 2)
        return bits(control, 13, 1) && (who & 1 || (who == 0 && bits(control, 14, 2) == 3));
    return el == 0 ? who & 2 : who & 1;
}

static bool any_breakpoint(const struct a64_cpu *cpu)
{
    for (unsigned i = 0; i < BREAKPOINTS; i++)
        if (cpu->sys[A64_DBGBCR0_EL1 + i] & 1)
            return true;
    return false;
}

void a64_update_slow(struct a64_cpu *cpu)
{
    uint8_t slow = cpu->slow & A64_SLOW_ENGINE;
    uint64_t mdscr = cpu->sys[A64_MDSCR_EL1];
    if (cpu->il)
        slow |= A64_SLOW_IL;
    if (cpu->el && !cpu->spsel)
        slow |= A64_SLOW_SP0;
    if (cpu->el == 2 && !a64_el2_hcr(cpu, A64_HCR_E2H))
        slow |= A64_SLOW_EL2;
    if ((mdscr & (MDSCR_SS | MDSCR_MDE)) && enabled_from(cpu, cpu->el, cpu->daif & DAIF_D)) {
        if (mdscr & MDSCR_SS)
            slow |= A64_SLOW_STEP;
        if ((mdscr & MDSCR_MDE) && any_breakpoint(cpu))
            slow |= A64_SLOW_BREAK;
    }
    cpu->slow = slow;
}

bool a64_step_returns_active(const struct a64_cpu *cpu, uint32_t spsr)
{
    return (cpu->sys[A64_MDSCR_EL1] & MDSCR_SS) && (spsr & SPSR_SS) &&
           !enabled_from(cpu, cpu->el, cpu->daif & DAIF_D) &&
           enabled_from(cpu, spsr >> 2 & 3, spsr & SPSR_D);
}

static bool breakpoint_hit(const struct a64_cpu *cpu)
{
    for (unsigned i = 0; i < BREAKPOINTS; i++) {
        uint64_t control = cpu->sys[A64_DBGBCR0_EL1 + i];
        uint64_t at = (uint64_t)sign_extend(cpu->sys[A64_DBGBVR0_EL1 + i], 49) & ~3ull;
        if ((control & 1) && bits(control, 20, 4) == 0 && selects_el(control, cpu->el) &&
            at == cpu->pc)
            return true;
    }
    return false;
}

static void debug_exception(struct a64_cpu *cpu, unsigned ec, uint32_t iss)
{
    a64_exception_sync(cpu, (uint64_t)(ec + (cpu->el != 0)) << 26 | ESR_IL | iss, 0, cpu->pc);
}

bool a64_before_insn(struct a64_cpu *cpu)
{
    uint8_t slow = cpu->slow;
    cpu->stepping = false;
    if (slow & A64_SLOW_STEP) {
        if (!cpu->ss) { /* active-pending; ISV = 1, EX = 0: not an exclusive load */
            debug_exception(cpu, EC_STEP, 1u << 24 | A64_FSC_DEBUG);
            return false;
        }
        cpu->ss = 0;
        cpu->stepping = true;
    }
    if ((slow & A64_SLOW_BREAK) && breakpoint_hit(cpu)) {
        debug_exception(cpu, EC_BREAKPOINT, A64_FSC_DEBUG);
        return false;
    }
    if (slow & A64_SLOW_IL) {
        a64_exception_sync(cpu, (uint64_t)EC_ILLEGAL << 26 | ESR_IL, 0, cpu->pc);
        return false;
    }
    return true;
}

/* The bytes a watchpoint covers: [*ret_first, *ret_first + length), or length 0. BAS picks bytes of
 * a doubleword, MASK a power of two of bytes (D2.10.5). */
static uint64_t watch_range(const struct a64_cpu *cpu, unsigned i, uint64_t *ret_first)
{
    uint64_t control = cpu->sys[A64_DBGWCR0_EL1 + i];
    uint64_t value = (uint64_t)sign_extend(cpu->sys[A64_DBGWVR0_EL1 + i], 49) & ~3ull;
    unsigned mask = (unsigned)bits(control, 24, 5), bas = (unsigned)bits(control, 5, 8);
    if (!(control & 1))
        return 0;
    if (mask >= 3) {
        *ret_first = align_down(value, 1ull << mask);
        return 1ull << mask;
    }
    if (!bas)
        return 0;
    unsigned low = (unsigned)__builtin_ctz(bas), high = 31 - (unsigned)__builtin_clz(bas);
    *ret_first = value + low;
    return high - low + 1;
}

bool a64_watch_page(const struct a64_cpu *cpu, uint64_t va)
{
    if (!(cpu->sys[A64_MDSCR_EL1] & MDSCR_MDE))
        return false;
    uint64_t page = align_down(a64_untag(cpu, va), 4096), first;
    for (unsigned i = 0; i < WATCHPOINTS; i++) {
        uint64_t length = watch_range(cpu, i, &first);
        if (length && first < page + 4096 && page < first + length)
            return true;
    }
    return false;
}

bool a64_watch_hit(const struct a64_cpu *cpu, uint64_t va, unsigned size_bytes, bool write)
{
    if (!enabled_from(cpu, cpu->el, cpu->daif & DAIF_D))
        return false;
    va = a64_untag(cpu, va);
    for (unsigned i = 0; i < WATCHPOINTS; i++) {
        uint64_t control = cpu->sys[A64_DBGWCR0_EL1 + i], first;
        uint64_t length = watch_range(cpu, i, &first);
        bool kind = bits(control, write ? 4 : 3, 1);
        if (length && kind && selects_el(control, cpu->el) && first < va + size_bytes &&
            va < first + length)
            return true;
    }
    return false;
}
