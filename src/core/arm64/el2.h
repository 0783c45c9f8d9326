/* el2.h: what a CPU with EL2 has beside struct a64_cpu. Private to this folder.
 *
 * Source: DDI 0487 D1.3 and D8.1 (exception levels and translation regimes), D8.5 (stage 2), D1.3.4
 * and D13.1.4 (FEAT_VHE: which names mean which registers), D17.2 (the registers); IHI 0069 for the
 * virtual CPU interface.
 *
 * How it works. All other code of this folder, and all translated code, knows one set of
 * registers, named after EL1 (SCTLR_EL1, TTBR0_EL1, ELR_EL1 ...): those of the regime that runs.
 * While that is EL2's (EL2 itself, and EL0 as the host's user), cpu->sys[SCTLR_EL1] holds
 * SCTLR_EL2 and cpu->sys[SCTLR_EL12] holds what waits, SCTLR_EL1; else the other way round. So
 * FEAT_VHE's redirection costs nothing, and a CPU without EL2 never swaps. The TLB follows: one for
 * EL2, and a few for EL1&0 by virtual machine, of which cpu->tlb is the one in use.
 *
 * el2.c has regimes and exceptions, el2_sysreg.c the registers and what EL2 traps, el2_stage2.c the
 * second stage, el2_tlb.c the TLBs and TLBI, el2_vgic.c the virtual CPU interface.
 *
 * Limits: EL1 and EL0 are AArch64; no nested virtualization (FEAT_NV), fine-grained traps or
 * Secure EL2, no default cacheability (HCR_EL2.DC is RES0); while HCR_EL2.E2H is 0, EL2 is
 * interpreted, and EL0 under TGE without E2H is treated as EL1's.
 */
#ifndef PENG_CORE_ARM64_EL2_H
#define PENG_CORE_ARM64_EL2_H

#include "core/arm64/mmu_int.h"
#include "core/arm64/sysreg_int.h"

/* HCR_EL2 (D17.2.48). */
#define A64_HCR_VM    (1ull << 0)
#define A64_HCR_PTW   (1ull << 2)
#define A64_HCR_FMO   (1ull << 3)
#define A64_HCR_IMO   (1ull << 4)
#define A64_HCR_AMO   (1ull << 5)
#define A64_HCR_VF    (1ull << 6)
#define A64_HCR_VI    (1ull << 7)
#define A64_HCR_VSE   (1ull << 8)
#define A64_HCR_FB    (1ull << 9)
#define A64_HCR_TWI   (1ull << 13)
#define A64_HCR_TWE   (1ull << 14)
#define A64_HCR_TID1  (1ull << 16)
#define A64_HCR_TID2  (1ull << 17)
#define A64_HCR_TID3  (1ull << 18)
#define A64_HCR_TSC   (1ull << 19)
#define A64_HCR_TIDCP (1ull << 20)
#define A64_HCR_TACR  (1ull << 21)
#define A64_HCR_TSW   (1ull << 22)
#define A64_HCR_TPCP  (1ull << 23)
#define A64_HCR_TPU   (1ull << 24)
#define A64_HCR_TTLB  (1ull << 25)
#define A64_HCR_TVM   (1ull << 26)
#define A64_HCR_TGE   (1ull << 27)
#define A64_HCR_TDZ   (1ull << 28)
#define A64_HCR_HCD   (1ull << 29)
#define A64_HCR_TRVM  (1ull << 30)
#define A64_HCR_RW    (1ull << 31)
#define A64_HCR_E2H   (1ull << 34)

enum {
    A64_EL2_TLBS = 1 + A64_MACHINE_TLBS, /* [0] is EL2's, the others virtual machines' */
    A64_EL2_LRS = 4,                     /* list registers */
};

/* What the entries of a virtual machine's TLB were made under, beside what TLBI is for. */
struct a64_el2_regime {
    uint64_t vttbr; /* VMID and stage 2's tables */
    uint64_t vtcr;
    uint64_t hcr; /* A64_HCR_VM and the like */
    uint64_t sctlr, tcr, mair;
};

/* The virtual CPU interface (IHI 0069 chapter 6), by its ICH_*_EL2 registers. */
struct a64_vgic {
    uint64_t lr[A64_EL2_LRS];
    uint32_t hcr, vmcr;
    uint32_t active[2]; /* ICH_AP0R0_EL2, ICH_AP1R0_EL2 */
    bool maintenance;   /* the level of PPI 25 as last told */
};

struct a64_el2 {
    bool inside; /* EL2's registers are those in use */
    unsigned tlb_now;
    struct a64_tlb *tlbs[A64_EL2_TLBS]; /* owned; NULL: not needed yet */
    struct a64_el2_regime regimes[A64_EL2_TLBS];
    uint64_t last_use[A64_EL2_TLBS];
    uint64_t uses;
    uint64_t ipa; /* of the last stage 2 walk: for HPFAR_EL2 */
    struct a64_vgic vgic;
};

static inline bool a64_el2_hcr(const struct a64_cpu *cpu, uint64_t bits_any)
{
    return cpu->sys[A64_HCR_EL2] & bits_any;
}

static inline bool a64_el2_host(const struct a64_cpu *cpu) /* E2H and TGE: EL0 is EL2's */
{
    const uint64_t both = A64_HCR_E2H | A64_HCR_TGE;
    return (cpu->sys[A64_HCR_EL2] & both) == both;
}

/* --- el2.c -------------------------------------------------------------------------------------
 */

int a64_el2_new(struct a64_cpu *cpu, struct err *e);
void a64_el2_free(struct a64_cpu *cpu);
/* Registers and TLBs as after a warm reset, at EL2. After reset_sysregs(). */
void a64_el2_reset(struct a64_cpu *cpu);
/* Puts the registers and the TLB of EL2's regime, or of EL1&0's, into use. The caller selects the
 * bank. */
void a64_el2_use(struct a64_cpu *cpu, bool el2);
void a64_el2_write_hcr(struct a64_cpu *cpu, enum a64_sysreg reg, uint64_t value);
/* While E2H = 0, after TCR_EL2 or CPTR_EL2 was written to sys[..._PLAIN]. */
void a64_el2_derive(struct a64_cpu *cpu);
/* Where an exception of this class goes that no trap of EL2 caused. */
unsigned a64_el2_target(const struct a64_cpu *cpu, unsigned ec);
/* The syndrome as EL2 gets it from a lower EL. */
uint64_t a64_el2_from_below(const struct a64_cpu *cpu, uint64_t esr);
/* Debug exceptions of lower ELs go to EL2. */
bool a64_el2_debugs(const struct a64_cpu *cpu);
/* ERET to this SPSR's mode is legal here (D1.4.4). */
bool a64_el2_legal_return(const struct a64_cpu *cpu, uint32_t spsr);
enum a64_step a64_el2_hvc(struct a64_cpu *cpu, uint16_t imm);
/* SMC, WFI and WFE: true where EL2 traps it, and the exception is taken. */
bool a64_el2_traps_smc(struct a64_cpu *cpu, uint16_t imm);
bool a64_el2_traps_wait(struct a64_cpu *cpu, unsigned ti);
/* Which of the lines that are up (enum a64_line) is taken now and at which EL; 0: none. */
uint32_t a64_el2_choose_line(const struct a64_cpu *cpu, uint32_t lines, unsigned *ret_el);
/* ISR_EL1's view of the lines: virtual ones at EL1 where physical ones are EL2's. */
uint32_t a64_el2_isr_lines(const struct a64_cpu *cpu, uint32_t lines);

/* --- el2_sysreg.c ------------------------------------------------------------------------------
 */

const struct a64_sysreg_info *a64_el2_sysreg_find(uint16_t key);
/* The register that `info`'s name means at this EL with this HCR_EL2.E2H. */
const struct a64_sysreg_info *a64_el2_renamed(const struct a64_cpu *cpu,
                                              const struct a64_sysreg_info *info);
/* Whether a register of EL2's table can be named now (EL2, and E2H for _EL12 and _EL02). */
bool a64_el2_sysreg_exists(const struct a64_cpu *cpu, const struct a64_sysreg_info *info);
/* True where EL1's or EL0's access to a register, or its system instruction, is EL2's to handle. */
/* `info`: the register; NULL where there is none of this key. */
bool a64_el2_traps(const struct a64_cpu *cpu, uint16_t key, const struct a64_sysreg_info *info,
                   bool read);
/* The counter that CNTVCT_EL0 shows is behind CNTPCT_EL0 by this. */
uint64_t a64_el2_counter_offset(const struct a64_cpu *cpu);

/* --- el2_stage2.c ------------------------------------------------------------------------------
 */

static inline bool a64_el2_stage2_on(const struct a64_cpu *cpu)
{
    return cpu->el2 && !cpu->el2->inside && a64_el2_hcr(cpu, A64_HCR_VM);
}
/* The physical address of a descriptor of stage 1. 0, or a fault with A64_FAULT_STAGE2. */
uint32_t a64_el2_table_pa(const struct a64_cpu *cpu, uint64_t ipa, uint64_t *ret_pa);
/* Turns stage 1's leaf for va into the combination of both stages. 0, or a fault. */
uint32_t a64_el2_combine(const struct a64_cpu *cpu, uint64_t va, struct a64_leaf *leaf);
/* Takes the abort of stage 2 that `fault` tells of. `iss`: bits to add (cache maintenance). */
void a64_el2_abort(struct a64_cpu *cpu, uint64_t va, uint32_t fault, enum a64_access access,
                   uint32_t iss);

/* --- el2_tlb.c ---------------------------------------------------------------------------------
 */

/* The TLB of the regime in use. */
void a64_el2_choose_tlb(struct a64_cpu *cpu);
/* TLBI of the EL1 names, at EL1 or EL2: for which TLBs, as a64_el2_for_tlbs() takes it. */
uint64_t a64_el2_tlbi_scope(const struct a64_cpu *cpu);
typedef void (*a64_tlb_fn)(struct a64_tlb *tlb, uint64_t how, uint64_t va);
/* AT S1E1R and so on with EL2. False: the exception is taken. */
bool a64_el2_at(struct a64_cpu *cpu, uint64_t va, enum a64_access access, unsigned el, bool pan);
/* Runs fn for each TLB of this CPU that `how`'s scope names. */
void a64_el2_for_tlbs(struct a64_cpu *cpu, uint64_t how, uint64_t va, a64_tlb_fn fn);
/* SYS with op1 4: TLBI and AT of EL2; false: there is none of this key. */
bool a64_el2_sys(struct a64_cpu *cpu, unsigned key, uint64_t x, enum a64_step *ret_step);

/* --- el2_vgic.c --------------------------------------------------------------------------------
 */

/* ICC_*_EL1 at this EL is the virtual interface's. */
bool a64_vgic_serves(const struct a64_cpu *cpu, enum a64_sysreg reg);
uint64_t a64_vgic_icv_read(struct a64_cpu *cpu, enum a64_sysreg reg);
void a64_vgic_icv_write(struct a64_cpu *cpu, enum a64_sysreg reg, uint64_t value);
uint64_t a64_vgic_ich_read(struct a64_cpu *cpu, enum a64_sysreg reg);
void a64_vgic_ich_write(struct a64_cpu *cpu, enum a64_sysreg reg, uint64_t value);
/* ICH_HCR_EL2 traps EL1's access to this register. */
bool a64_vgic_traps(const struct a64_cpu *cpu, enum a64_sysreg reg);
/* Raises and drops the virtual lines and the maintenance interrupt. */
void a64_vgic_update(struct a64_cpu *cpu);

#endif
