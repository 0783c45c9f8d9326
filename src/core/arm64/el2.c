/* el2.c: EL2's life, which regime's registers are in use, and which exceptions go to EL2 (DDI 0487
 * D1.3). el2.h says how EL2 is built.
 */
#include "core/arm64/el2.h"

#include <errno.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/err.h"

enum {
    EC_WFX = 0x01,
    EC_HVC = 0x16,
    EC_SMC = 0x17,
    EC_DEBUG_FIRST = 0x30, /* breakpoints, steps, watchpoints */
    EC_DEBUG_LAST = 0x35,
    EC_BRK = 0x3c,
    MASK_F = 1, /* PSTATE.DAIF */
    MASK_I = 2,
    MASK_A = 4,
};

#define ESR_IL        (1u << 25)
#define MDCR_TDE      (1u << 8)
#define CPTR_FPEN_LOW 20             /* E2H = 1: FPEN; its low bit lets EL1 through */
#define SCTLR_RESET   0x30c50830u    /* SCTLR_EL2's RES1 bits, MMU off */
#define CPTR_RESET    0x33ffu        /* E2H = 0: nothing is trapped */
#define HCR_KEPT      0x7ffffefffull /* all of Armv8.1 but DC and LORegions */

/* Registers that FEAT_VHE redirects, and those whose EL1 view EL2 sets: in use, waiting. */
static const struct {
    uint16_t used, waiting;
} pairs[] = {
    {A64_SCTLR_EL1, A64_SCTLR_EL12},     {A64_CPACR_EL1, A64_CPACR_EL12},
    {A64_TTBR0_EL1, A64_TTBR0_EL12},     {A64_TTBR1_EL1, A64_TTBR1_EL12},
    {A64_TCR_EL1, A64_TCR_EL12},         {A64_MAIR_EL1, A64_MAIR_EL12},
    {A64_ESR_EL1, A64_ESR_EL12},         {A64_FAR_EL1, A64_FAR_EL12},
    {A64_VBAR_EL1, A64_VBAR_EL12},       {A64_ELR_EL1, A64_ELR_EL12},
    {A64_SPSR_EL1, A64_SPSR_EL12},       {A64_CONTEXTIDR_EL1, A64_CONTEXTIDR_EL12},
    {A64_CNTKCTL_EL1, A64_CNTKCTL_EL12}, {A64_MIDR_EL1, A64_VPIDR_EL2},
    {A64_MPIDR_EL1, A64_VMPIDR_EL2},
};

int a64_el2_new(struct a64_cpu *cpu, struct err *e)
{
    cpu->el2 = calloc(1, sizeof(*cpu->el2));
    if (!cpu->el2)
        return err_set_errno(e, ENOMEM, "EL2 of CPU %u", cpu->index);
    cpu->el2->tlbs[0] = cpu->tlb;
    cpu->el2->inside = true;
    return 0;
}

void a64_el2_free(struct a64_cpu *cpu)
{
    for (unsigned i = 1; cpu->el2 && i < A64_EL2_TLBS; i++)
        a64_tlb_delete(cpu->el2->tlbs[i]);
    if (cpu->el2)
        cpu->tlb = cpu->el2->tlbs[0];
    free(cpu->el2);
    cpu->el2 = NULL;
}

void a64_el2_reset(struct a64_cpu *cpu)
{
    struct a64_el2 *el2 = cpu->el2;
    uint64_t *sys = cpu->sys;
    el2->inside = true;
    el2->vgic = (struct a64_vgic){.maintenance = el2->vgic.maintenance};
    cpu->fp_to_el2 = false;
    /* What EL2 adds to the model: EL2 in AArch64, VMIDs of 16 bits, FEAT_VHE. */
    sys[A64_ID_AA64PFR0_EL1] |= 1 << 8;
    sys[A64_ID_AA64MMFR1_EL1] |= 2 << 4 | 1 << 8;
    sys[A64_HCR_EL2] = A64_HCR_RW;
    sys[A64_VPIDR_EL2] = sys[A64_MIDR_EL1];
    sys[A64_VMPIDR_EL2] = sys[A64_MPIDR_EL1];
    sys[A64_SCTLR_EL12] = sys[A64_SCTLR_EL1];
    sys[A64_SCTLR_EL1] = SCTLR_RESET;
    sys[A64_CPTR_PLAIN] = CPTR_RESET;
    a64_el2_derive(cpu);
    for (unsigned i = 0; i < A64_EL2_TLBS; i++)
        if (el2->tlbs[i])
            a64_tlb_empty(el2->tlbs[i]);
    a64_el2_choose_tlb(cpu);
    a64_vgic_update(cpu);
}

/* TCR_EL2 and CPTR_EL2 have forms of their own while E2H = 0 (D17.2.148, D17.2.33): what software
 * wrote is kept beside, and the registers in use say the same in the form of EL1's. */
void a64_el2_derive(struct a64_cpu *cpu)
{
    uint64_t tcr = cpu->sys[A64_TCR_PLAIN], cptr = cpu->sys[A64_CPTR_PLAIN];
    cpu->sys[A64_TCR_EL1] = (tcr & 0xffff)                     /* T0SZ to TG0 */
                            | 1ull << 23                       /* EPD1: one range of addresses */
                            | bits(tcr, 16, 3) << 32           /* PS */
                            | bits(tcr, 20, 1) << 37           /* TBI */
                            | bits(tcr, 24, 1) << 41;          /* HPD */
    cpu->sys[A64_CPACR_EL1] = bits(cptr, 10, 1) ? 0 : 3 << 20; /* TFP */
}

void a64_el2_use(struct a64_cpu *cpu, bool el2)
{
    if (cpu->el2->inside != el2) {
        for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
            uint64_t waiting = cpu->sys[pairs[i].waiting];
            cpu->sys[pairs[i].waiting] = cpu->sys[pairs[i].used];
            cpu->sys[pairs[i].used] = waiting;
        }
        cpu->el2->inside = el2;
    }
    a64_el2_choose_tlb(cpu);
    a64_tlb_pan_set(cpu); /* PSTATE.PAN may have been set since this TLB was in use */
    cpu->fp_to_el2 = !el2 && !bits(cpu->sys[A64_CPACR_EL12], CPTR_FPEN_LOW, 1);
    a64_vgic_update(cpu);
}

void a64_el2_write_hcr(struct a64_cpu *cpu, enum a64_sysreg reg, uint64_t value)
{
    uint64_t *hcr = &cpu->sys[A64_HCR_EL2], old = *hcr;
    *hcr = (value & HCR_KEPT) | A64_HCR_RW;
    if ((old ^ *hcr) & A64_HCR_E2H) {
        if (*hcr & A64_HCR_E2H) {
            cpu->sys[A64_TCR_EL1] = cpu->sys[A64_TCR_PLAIN];
            cpu->sys[A64_CPACR_EL1] = cpu->sys[A64_CPTR_PLAIN];
        } else {
            cpu->sys[A64_TCR_PLAIN] = cpu->sys[A64_TCR_EL1];
            cpu->sys[A64_CPTR_PLAIN] = cpu->sys[A64_CPACR_EL1];
            a64_el2_derive(cpu);
        }
        a64_tlb_empty(cpu->el2->tlbs[0]);
        a64_update_slow(cpu);
    }
    a64_select_bank(cpu); /* for LDTR and STTR */
}

/* --- exceptions --------------------------------------------------------------------------------
 */

unsigned a64_el2_target(const struct a64_cpu *cpu, unsigned ec)
{
    bool debug = (ec >= EC_DEBUG_FIRST && ec <= EC_DEBUG_LAST) || ec == EC_BRK;
    if (cpu->el == 2 || (cpu->el == 0 && a64_el2_hcr(cpu, A64_HCR_TGE)))
        return 2;
    return debug && a64_el2_debugs(cpu) ? 2 : 1;
}

bool a64_el2_debugs(const struct a64_cpu *cpu)
{
    return (cpu->sys[A64_MDCR_EL2] & MDCR_TDE) || a64_el2_hcr(cpu, A64_HCR_TGE);
}

/* The classes that have a form "without a change of exception level" right behind (D17.2.37). */
uint64_t a64_el2_from_below(const struct a64_cpu *cpu, uint64_t esr)
{
    static const uint8_t same_el[] = {0x21, 0x25, 0x31, 0x33, 0x35};
    for (size_t i = 0; cpu->el == 1 && i < ARRAY_SIZE(same_el); i++)
        if (esr >> 26 == same_el[i])
            return esr - (1ull << 26);
    return esr;
}

bool a64_el2_legal_return(const struct a64_cpu *cpu, uint32_t spsr)
{
    unsigned mode = spsr & 0x1f, el = mode >> 2;
    if (mode == 0)
        return true;
    if ((mode & 0x12) || el > cpu->el) /* AArch32; no such mode; an EL above */
        return false;
    /* EL1 is not there while EL2 has taken its place. */
    return el != 1 || !a64_el2_hcr(cpu, A64_HCR_TGE);
}

enum a64_step a64_el2_hvc(struct a64_cpu *cpu, uint16_t imm)
{
    if (cpu->el == 0 || (a64_el2_hcr(cpu, A64_HCR_HCD)))
        return a64_undefined(cpu);
    return a64_exception_to(cpu, 2, (uint64_t)EC_HVC << 26 | ESR_IL | imm, 0, cpu->pc + 4);
}

bool a64_el2_traps_smc(struct a64_cpu *cpu, uint16_t imm)
{
    if (cpu->el != 1 || !a64_el2_hcr(cpu, A64_HCR_TSC))
        return false;
    a64_exception_to(cpu, 2, (uint64_t)EC_SMC << 26 | ESR_IL | imm, 0, cpu->pc);
    return true;
}

bool a64_el2_traps_wait(struct a64_cpu *cpu, unsigned ti)
{
    if (cpu->el2->inside || !a64_el2_hcr(cpu, ti ? A64_HCR_TWE : A64_HCR_TWI))
        return false;
    /* ISS: CV = 1, COND = 0b1110 */
    a64_exception_to(cpu, 2, (uint64_t)EC_WFX << 26 | ESR_IL | 0x1e << 20 | ti, 0, cpu->pc);
    return true;
}

/* --- interrupts (D1.3.6, Tables D1-12 to D1-14) --------------------------------------------------
 */

static const struct kind {
    uint32_t line, virtual_line;
    uint64_t route; /* HCR_EL2: the physical one is EL2's, and there is a virtual one */
    uint8_t mask;
} kinds[] = {
    {A64_LINE_FIQ, A64_LINE_VFIQ, A64_HCR_FMO, MASK_F},
    {A64_LINE_IRQ, A64_LINE_VIRQ, A64_HCR_IMO, MASK_I},
    {A64_LINE_SERROR, A64_LINE_VSERROR, A64_HCR_AMO, MASK_A},
};

uint32_t a64_el2_choose_line(const struct a64_cpu *cpu, uint32_t lines, unsigned *ret_el)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        const struct kind *k = &kinds[i];
        bool to_el2 = a64_el2_hcr(cpu, k->route | A64_HCR_TGE), masked = cpu->daif & k->mask;
        /* PSTATE masks what comes to this EL; what goes to a higher one is never masked, and to a
         * lower one never taken. */
        bool taken = to_el2 ? cpu->el < 2 || !masked : cpu->el < 2 && !masked;
        *ret_el = to_el2 ? 2 : 1;
        if ((lines & k->line) && taken)
            return k->line;
        *ret_el = 1;
        if ((lines & k->virtual_line) && cpu->el < 2 && !masked)
            return k->virtual_line;
    }
    return 0;
}

uint32_t a64_el2_isr_lines(const struct a64_cpu *cpu, uint32_t lines)
{
    uint32_t seen = 0;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        bool is_virtual = cpu->el == 1 && a64_el2_hcr(cpu, kinds[i].route);
        if (lines & (is_virtual ? kinds[i].virtual_line : kinds[i].line))
            seen |= kinds[i].line;
    }
    return seen;
}
