/* sysreg.c: the table of system registers (DDI 0487 C5, D17, D13.8 for the generic timer; IHI
 * 0069 12.2 for ICC_*), and MRS, MSR.
 *
 * A line gives encoding, who may read and write, and what touching does. What EL0 may touch only by
 * leave of a control register has TRAP. Encodings without a line are UNDEFINED but for the reserved
 * part of the ID space, which reads as zero so that a newer kernel finds features absent (D17.3.1).
 */
#include "core/arm64/el2.h"

#include <stdio.h>

#include "base/bytes.h"

enum { NEVER = 15, EC_UNKNOWN = 0, EC_SYSREG = 0x18 };

#define ESR_IL (1u << 25)
#define KEY    A64_SYSREG_KEY
#define PR     A64_SYSREG_PLAIN_READ
#define PW     A64_SYSREG_PLAIN_WRITE
#define END    A64_SYSREG_ENDS_BLOCK
#define FP     A64_SYSREG_FP
#define TRAP   A64_SYSREG_EL0_TRAP

/* Sorted by key: op0, op1, CRn, CRm, op2. */
/* clang-format off */
static const struct a64_sysreg_info table[] = {
    {KEY(2, 0, 0, 0, 2), A64_OSDTRRX_EL1, "OSDTRRX_EL1", 1, 1, PR, NULL, a64_write_32},
    {KEY(2, 0, 0, 0, 4), A64_DBGBVR0_EL1, "DBGBVR0_EL1", 1, 1, PR, NULL, a64_write_debug},
    {KEY(2, 0, 0, 0, 5), A64_DBGBCR0_EL1, "DBGBCR0_EL1", 1, 1, PR | END, NULL, a64_write_debug},
    {KEY(2, 0, 0, 0, 6), A64_DBGWVR0_EL1, "DBGWVR0_EL1", 1, 1, PR, NULL, a64_write_debug},
    {KEY(2, 0, 0, 0, 7), A64_DBGWCR0_EL1, "DBGWCR0_EL1", 1, 1, PR | END, NULL, a64_write_debug},
    {KEY(2, 0, 0, 1, 4), A64_DBGBVR1_EL1, "DBGBVR1_EL1", 1, 1, PR, NULL, a64_write_debug},
    {KEY(2, 0, 0, 1, 5), A64_DBGBCR1_EL1, "DBGBCR1_EL1", 1, 1, PR | END, NULL, a64_write_debug},
    {KEY(2, 0, 0, 1, 6), A64_DBGWVR1_EL1, "DBGWVR1_EL1", 1, 1, PR, NULL, a64_write_debug},
    {KEY(2, 0, 0, 1, 7), A64_DBGWCR1_EL1, "DBGWCR1_EL1", 1, 1, PR | END, NULL, a64_write_debug},
    {KEY(2, 0, 0, 2, 0), A64_MDCCINT_EL1, "MDCCINT_EL1", 1, 1, PR, NULL, a64_write_32},
    {KEY(2, 0, 0, 2, 2), A64_MDSCR_EL1, "MDSCR_EL1", 1, 1, PR | END, NULL, a64_write_debug},
    {KEY(2, 0, 0, 2, 4), A64_DBGBVR2_EL1, "DBGBVR2_EL1", 1, 1, PR, NULL, a64_write_debug},
    {KEY(2, 0, 0, 2, 5), A64_DBGBCR2_EL1, "DBGBCR2_EL1", 1, 1, PR | END, NULL, a64_write_debug},
    {KEY(2, 0, 0, 2, 6), A64_DBGWVR2_EL1, "DBGWVR2_EL1", 1, 1, PR, NULL, a64_write_debug},
    {KEY(2, 0, 0, 2, 7), A64_DBGWCR2_EL1, "DBGWCR2_EL1", 1, 1, PR | END, NULL, a64_write_debug},
    {KEY(2, 0, 0, 3, 2), A64_OSDTRTX_EL1, "OSDTRTX_EL1", 1, 1, PR, NULL, a64_write_32},
    {KEY(2, 0, 0, 3, 4), A64_DBGBVR3_EL1, "DBGBVR3_EL1", 1, 1, PR, NULL, a64_write_debug},
    {KEY(2, 0, 0, 3, 5), A64_DBGBCR3_EL1, "DBGBCR3_EL1", 1, 1, PR | END, NULL, a64_write_debug},
    {KEY(2, 0, 0, 3, 6), A64_DBGWVR3_EL1, "DBGWVR3_EL1", 1, 1, PR, NULL, a64_write_debug},
    {KEY(2, 0, 0, 3, 7), A64_DBGWCR3_EL1, "DBGWCR3_EL1", 1, 1, PR | END, NULL, a64_write_debug},
    {KEY(2, 0, 0, 4, 4), A64_DBGBVR4_EL1, "DBGBVR4_EL1", 1, 1, PR, NULL, a64_write_debug},
    {KEY(2, 0, 0, 4, 5), A64_DBGBCR4_EL1, "DBGBCR4_EL1", 1, 1, PR | END, NULL, a64_write_debug},
    {KEY(2, 0, 0, 5, 4), A64_DBGBVR5_EL1, "DBGBVR5_EL1", 1, 1, PR, NULL, a64_write_debug},
    {KEY(2, 0, 0, 5, 5), A64_DBGBCR5_EL1, "DBGBCR5_EL1", 1, 1, PR | END, NULL, a64_write_debug},
    {KEY(2, 0, 0, 6, 2), A64_OSECCR_EL1, "OSECCR_EL1", 1, 1, PR, NULL, a64_write_32},
    {KEY(2, 0, 1, 0, 0), A64_MDRAR_EL1, "MDRAR_EL1", 1, NEVER, PR, NULL, NULL},
    {KEY(2, 0, 1, 0, 4), A64_OSLAR_EL1, "OSLAR_EL1", NEVER, 1, END, NULL, a64_write_oslar},
    {KEY(2, 0, 1, 1, 4), A64_OSLSR_EL1, "OSLSR_EL1", 1, NEVER, PR, NULL, NULL},
    {KEY(2, 0, 1, 3, 4), A64_OSDLR_EL1, "OSDLR_EL1", 1, 1, 0, a64_read_zero, a64_write_nothing},
    {KEY(2, 0, 1, 4, 4), A64_DBGPRCR_EL1, "DBGPRCR_EL1", 1, 1, PR, NULL, a64_write_32},
    {KEY(2, 0, 7, 8, 6), A64_DBGCLAIMSET_EL1, "DBGCLAIMSET_EL1", 1, 1, 0, a64_read_claim, a64_write_claim},
    {KEY(2, 0, 7, 9, 6), A64_DBGCLAIMCLR_EL1, "DBGCLAIMCLR_EL1", 1, 1, 0, a64_read_claim, a64_write_claim},
    {KEY(2, 0, 7, 14, 6), A64_DBGAUTHSTATUS_EL1, "DBGAUTHSTATUS_EL1", 1, NEVER, PR, NULL, NULL},
    {KEY(2, 3, 0, 1, 0), A64_MDCCSR_EL0, "MDCCSR_EL0", 0, NEVER, 0, a64_read_zero, NULL},
    {KEY(3, 0, 0, 0, 0), A64_MIDR_EL1, "MIDR_EL1", 1, NEVER, PR, NULL, NULL},
    {KEY(3, 0, 0, 0, 5), A64_MPIDR_EL1, "MPIDR_EL1", 1, NEVER, PR, NULL, NULL},
    {KEY(3, 0, 0, 0, 6), A64_REVIDR_EL1, "REVIDR_EL1", 1, NEVER, PR, NULL, NULL},
    {KEY(3, 0, 0, 1, 0), A64_ID_PFR0_EL1, "ID_PFR0_EL1", 1, NEVER, PR, NULL, NULL},
    {KEY(3, 0, 0, 1, 1), A64_ID_PFR1_EL1, "ID_PFR1_EL1", 1, NEVER, PR, NULL, NULL},
    {KEY(3, 0, 0, 1, 2), A64_ID_DFR0_EL1, "ID_DFR0_EL1", 1, NEVER, PR, NULL, NULL},
    {KEY(3, 0, 0, 1, 3), A64_ID_AFR0_EL1, "ID_AFR0_EL1", 1, NEVER, PR, NULL, NULL},
    {KEY(3, 0, 0, 1, 4), A64_ID_MMFR0_EL1, "ID_MMFR0_EL1", 1, NEVER, PR, NULL, NULL},
    {KEY(3, 0, 0, 1, 5), A64_ID_MMFR1_EL1, "ID_MMFR1_EL1", 1, NEVER, PR, NULL, NULL},
    {KEY(3, 0, 0, 1, 6), A64_ID_MMFR2_EL1, "ID_MMFR2_EL1", 1, NEVER, PR, NULL, NULL},
    {KEY(3, 0, 0, 1, 7), A64_ID_MMFR3_EL1, "ID_MMFR3_EL1", 1, NEVER, PR, NULL, NULL},
    {KEY(3, 0, 0, 2, 0), A64_ID_ISAR0_EL1, "ID_ISAR0_EL1", 1, NEVER, PR, NULL, NULL},
    {KEY(3, 0, 0, 2, 1), A64_ID_ISAR1_EL1, "ID_ISAR1_EL1", 1, NEVER, PR, NULL, NULL},
    {KEY(3, 0, 0, 2, 2), A64_ID_ISAR2_EL1, "ID_ISAR2_EL1", 1, NEVER, PR, NULL, NULL},
    {KEY(3, 0, 0, 2, 3), A64_ID_ISAR3_EL1, "ID_ISAR3_EL1", 1, NEVER, PR, NULL, NULL},
    {KEY(3, 0, 0, 2, 4), A64_ID_ISAR4_EL1, "ID_ISAR4_EL1", 1, NEVER, PR, NULL, NULL},
    {KEY(3, 0, 0, 2, 5), A64_ID_ISAR5_EL1, "ID_ISAR5_EL1", 1, NEVER, PR, NULL, NULL},
    {KEY(3, 0, 0, 2, 6), A64_ID_MMFR4_EL1, "ID_MMFR4_EL1", 1, NEVER, PR, NULL, NULL},
    {KEY(3, 0, 0, 2, 7), A64_ID_ISAR6_EL1, "ID_ISAR6_EL1", 1, NEVER, PR, NULL, NULL},
    {KEY(3, 0, 0, 3, 0), A64_MVFR0_EL1, "MVFR0_EL1", 1, NEVER, PR, NULL, NULL},
    {KEY(3, 0, 0, 3, 1), A64_MVFR1_EL1, "MVFR1_EL1", 1, NEVER, PR, NULL, NULL},
    {KEY(3, 0, 0, 3, 2), A64_MVFR2_EL1, "MVFR2_EL1", 1, NEVER, PR, NULL, NULL},
    {KEY(3, 0, 0, 3, 4), A64_ID_PFR2_EL1, "ID_PFR2_EL1", 1, NEVER, PR, NULL, NULL},
    {KEY(3, 0, 0, 3, 5), A64_ID_DFR1_EL1, "ID_DFR1_EL1", 1, NEVER, PR, NULL, NULL},
    {KEY(3, 0, 0, 3, 6), A64_ID_MMFR5_EL1, "ID_MMFR5_EL1", 1, NEVER, PR, NULL, NULL},
    {KEY(3, 0, 0, 4, 0), A64_ID_AA64PFR0_EL1, "ID_AA64PFR0_EL1", 1, NEVER, PR, NULL, NULL},
    {KEY(3, 0, 0, 4, 1), A64_ID_AA64PFR1_EL1, "ID_AA64PFR1_EL1", 1, NEVER, PR, NULL, NULL},
    {KEY(3, 0, 0, 4, 4), A64_ID_AA64ZFR0_EL1, "ID_AA64ZFR0_EL1", 1, NEVER, PR, NULL, NULL},
    {KEY(3, 0, 0, 5, 0), A64_ID_AA64DFR0_EL1, "ID_AA64DFR0_EL1", 1, NEVER, PR, NULL, NULL},
    {KEY(3, 0, 0, 5, 1), A64_ID_AA64DFR1_EL1, "ID_AA64DFR1_EL1", 1, NEVER, PR, NULL, NULL},
    {KEY(3, 0, 0, 5, 4), A64_ID_AA64AFR0_EL1, "ID_AA64AFR0_EL1", 1, NEVER, PR, NULL, NULL},
    {KEY(3, 0, 0, 5, 5), A64_ID_AA64AFR1_EL1, "ID_AA64AFR1_EL1", 1, NEVER, PR, NULL, NULL},
    {KEY(3, 0, 0, 6, 0), A64_ID_AA64ISAR0_EL1, "ID_AA64ISAR0_EL1", 1, NEVER, PR, NULL, NULL},
    {KEY(3, 0, 0, 6, 1), A64_ID_AA64ISAR1_EL1, "ID_AA64ISAR1_EL1", 1, NEVER, PR, NULL, NULL},
    {KEY(3, 0, 0, 6, 2), A64_ID_AA64ISAR2_EL1, "ID_AA64ISAR2_EL1", 1, NEVER, PR, NULL, NULL},
    {KEY(3, 0, 0, 7, 0), A64_ID_AA64MMFR0_EL1, "ID_AA64MMFR0_EL1", 1, NEVER, PR, NULL, NULL},
    {KEY(3, 0, 0, 7, 1), A64_ID_AA64MMFR1_EL1, "ID_AA64MMFR1_EL1", 1, NEVER, PR, NULL, NULL},
    {KEY(3, 0, 0, 7, 2), A64_ID_AA64MMFR2_EL1, "ID_AA64MMFR2_EL1", 1, NEVER, PR, NULL, NULL},
    {KEY(3, 0, 1, 0, 0), A64_SCTLR_EL1, "SCTLR_EL1", 1, 1, PR | END, NULL, a64_write_regime},
    {KEY(3, 0, 1, 0, 1), A64_ACTLR_EL1, "ACTLR_EL1", 1, 1, 0, a64_read_zero, a64_write_nothing},
    {KEY(3, 0, 1, 0, 2), A64_CPACR_EL1, "CPACR_EL1", 1, 1, PR | END, NULL, a64_write_32},
    {KEY(3, 0, 2, 0, 0), A64_TTBR0_EL1, "TTBR0_EL1", 1, 1, PR | END, NULL, a64_write_ttbr},
    {KEY(3, 0, 2, 0, 1), A64_TTBR1_EL1, "TTBR1_EL1", 1, 1, PR | END, NULL, a64_write_ttbr},
    {KEY(3, 0, 2, 0, 2), A64_TCR_EL1, "TCR_EL1", 1, 1, PR | END, NULL, a64_write_regime},
    {KEY(3, 0, 4, 0, 0), A64_SPSR_EL1, "SPSR_EL1", 1, 1, PR | PW, NULL, NULL},
    {KEY(3, 0, 4, 0, 1), A64_ELR_EL1, "ELR_EL1", 1, 1, PR | PW, NULL, NULL},
    {KEY(3, 0, 4, 1, 0), A64_SP_EL0, "SP_EL0", 1, 1, PR | PW, NULL, NULL},
    {KEY(3, 0, 4, 2, 0), A64_SPSEL, "SPSel", 1, 1, END, a64_read_pstate, a64_write_pstate},
    {KEY(3, 0, 4, 2, 2), A64_CURRENTEL, "CurrentEL", 1, NEVER, 0, a64_read_pstate, NULL},
    {KEY(3, 0, 4, 2, 3), A64_PAN, "PAN", 1, 1, END, a64_read_pstate, a64_write_pstate},
    {KEY(3, 0, 4, 2, 4), A64_UAO, "UAO", 1, 1, END, a64_read_pstate, a64_write_pstate},
    {KEY(3, 0, 4, 6, 0), A64_ICC_PMR_EL1, "ICC_PMR_EL1", 1, 1, 0, a64_read_icc, a64_write_icc},
    {KEY(3, 0, 5, 1, 0), A64_AFSR0_EL1, "AFSR0_EL1", 1, 1, 0, a64_read_zero, a64_write_nothing},
    {KEY(3, 0, 5, 1, 1), A64_AFSR1_EL1, "AFSR1_EL1", 1, 1, 0, a64_read_zero, a64_write_nothing},
    {KEY(3, 0, 5, 2, 0), A64_ESR_EL1, "ESR_EL1", 1, 1, PR | PW, NULL, NULL},
    {KEY(3, 0, 6, 0, 0), A64_FAR_EL1, "FAR_EL1", 1, 1, PR | PW, NULL, NULL},
    {KEY(3, 0, 7, 4, 0), A64_PAR_EL1, "PAR_EL1", 1, 1, PR | PW, NULL, NULL},
    {KEY(3, 0, 10, 2, 0), A64_MAIR_EL1, "MAIR_EL1", 1, 1, PR | END, NULL, a64_write_regime},
    {KEY(3, 0, 10, 3, 0), A64_AMAIR_EL1, "AMAIR_EL1", 1, 1, 0, a64_read_zero, a64_write_nothing},
    {KEY(3, 0, 12, 0, 0), A64_VBAR_EL1, "VBAR_EL1", 1, 1, PR | PW, NULL, NULL},
    {KEY(3, 0, 12, 0, 1), A64_RVBAR_EL1, "RVBAR_EL1", 1, NEVER, PR, NULL, NULL},
    {KEY(3, 0, 12, 0, 2), A64_RMR_EL1, "RMR_EL1", 1, 1, PR, NULL, a64_write_nothing},
    {KEY(3, 0, 12, 1, 0), A64_ISR_EL1, "ISR_EL1", 1, NEVER, 0, a64_read_isr, NULL},
    {KEY(3, 0, 12, 8, 0), A64_ICC_IAR0_EL1, "ICC_IAR0_EL1", 1, NEVER, 0, a64_read_icc, NULL},
    {KEY(3, 0, 12, 8, 1), A64_ICC_EOIR0_EL1, "ICC_EOIR0_EL1", NEVER, 1, 0, NULL, a64_write_icc},
    {KEY(3, 0, 12, 8, 2), A64_ICC_HPPIR0_EL1, "ICC_HPPIR0_EL1", 1, NEVER, 0, a64_read_icc, NULL},
    {KEY(3, 0, 12, 8, 3), A64_ICC_BPR0_EL1, "ICC_BPR0_EL1", 1, 1, 0, a64_read_icc, a64_write_icc},
    {KEY(3, 0, 12, 8, 4), A64_ICC_AP0R0_EL1, "ICC_AP0R0_EL1", 1, 1, 0, a64_read_icc, a64_write_icc},
    {KEY(3, 0, 12, 9, 0), A64_ICC_AP1R0_EL1, "ICC_AP1R0_EL1", 1, 1, 0, a64_read_icc, a64_write_icc},
    {KEY(3, 0, 12, 11, 1), A64_ICC_DIR_EL1, "ICC_DIR_EL1", NEVER, 1, 0, NULL, a64_write_icc},
    {KEY(3, 0, 12, 11, 3), A64_ICC_RPR_EL1, "ICC_RPR_EL1", 1, NEVER, 0, a64_read_icc, NULL},
    {KEY(3, 0, 12, 11, 5), A64_ICC_SGI1R_EL1, "ICC_SGI1R_EL1", NEVER, 1, 0, NULL, a64_write_icc},
    {KEY(3, 0, 12, 11, 6), A64_ICC_ASGI1R_EL1, "ICC_ASGI1R_EL1", NEVER, 1, 0, NULL, a64_write_icc},
    {KEY(3, 0, 12, 11, 7), A64_ICC_SGI0R_EL1, "ICC_SGI0R_EL1", NEVER, 1, 0, NULL, a64_write_icc},
    {KEY(3, 0, 12, 12, 0), A64_ICC_IAR1_EL1, "ICC_IAR1_EL1", 1, NEVER, 0, a64_read_icc, NULL},
    {KEY(3, 0, 12, 12, 1), A64_ICC_EOIR1_EL1, "ICC_EOIR1_EL1", NEVER, 1, 0, NULL, a64_write_icc},
    {KEY(3, 0, 12, 12, 2), A64_ICC_HPPIR1_EL1, "ICC_HPPIR1_EL1", 1, NEVER, 0, a64_read_icc, NULL},
    {KEY(3, 0, 12, 12, 3), A64_ICC_BPR1_EL1, "ICC_BPR1_EL1", 1, 1, 0, a64_read_icc, a64_write_icc},
    {KEY(3, 0, 12, 12, 4), A64_ICC_CTLR_EL1, "ICC_CTLR_EL1", 1, 1, 0, a64_read_icc, a64_write_icc},
    {KEY(3, 0, 12, 12, 5), A64_ICC_SRE_EL1, "ICC_SRE_EL1", 1, 1, 0, a64_read_icc, a64_write_icc},
    {KEY(3, 0, 12, 12, 6), A64_ICC_IGRPEN0_EL1, "ICC_IGRPEN0_EL1", 1, 1, 0, a64_read_icc, a64_write_icc},
    {KEY(3, 0, 12, 12, 7), A64_ICC_IGRPEN1_EL1, "ICC_IGRPEN1_EL1", 1, 1, 0, a64_read_icc, a64_write_icc},
    {KEY(3, 0, 13, 0, 1), A64_CONTEXTIDR_EL1, "CONTEXTIDR_EL1", 1, 1, PR | PW, NULL, NULL},
    {KEY(3, 0, 13, 0, 4), A64_TPIDR_EL1, "TPIDR_EL1", 1, 1, PR | PW, NULL, NULL},
    {KEY(3, 0, 14, 1, 0), A64_CNTKCTL_EL1, "CNTKCTL_EL1", 1, 1, PR | PW, NULL, NULL},
    {KEY(3, 1, 0, 0, 0), A64_CCSIDR_EL1, "CCSIDR_EL1", 1, NEVER, 0, a64_read_ccsidr, NULL},
    {KEY(3, 1, 0, 0, 1), A64_CLIDR_EL1, "CLIDR_EL1", 1, NEVER, PR, NULL, NULL},
    {KEY(3, 1, 0, 0, 7), A64_AIDR_EL1, "AIDR_EL1", 1, NEVER, PR, NULL, NULL},
    {KEY(3, 2, 0, 0, 0), A64_CSSELR_EL1, "CSSELR_EL1", 1, 1, PR, NULL, a64_write_32},
    {KEY(3, 3, 0, 0, 1), A64_CTR_EL0, "CTR_EL0", 0, NEVER, PR | TRAP, NULL, NULL},
    {KEY(3, 3, 0, 0, 7), A64_DCZID_EL0, "DCZID_EL0", 0, NEVER, 0, a64_read_dczid, NULL},
    {KEY(3, 3, 4, 2, 0), A64_NZCV, "NZCV", 0, 0, 0, a64_read_pstate, a64_write_pstate},
    {KEY(3, 3, 4, 2, 1), A64_DAIF, "DAIF", 0, 0, TRAP | END, a64_read_pstate, a64_write_pstate},
    {KEY(3, 3, 4, 4, 0), A64_FPCR, "FPCR", 0, 0, FP | END, a64_read_fp, a64_write_fp},
    {KEY(3, 3, 4, 4, 1), A64_FPSR, "FPSR", 0, 0, FP, a64_read_fp, a64_write_fp},
    {KEY(3, 3, 13, 0, 2), A64_TPIDR_EL0, "TPIDR_EL0", 0, 0, PR | PW, NULL, NULL},
    {KEY(3, 3, 13, 0, 3), A64_TPIDRRO_EL0, "TPIDRRO_EL0", 0, 1, PR | PW, NULL, NULL},
    {KEY(3, 3, 14, 0, 0), A64_CNTFRQ_EL0, "CNTFRQ_EL0", 0, 1, TRAP | PR, NULL, a64_write_32},
    {KEY(3, 3, 14, 0, 1), A64_CNTPCT_EL0, "CNTPCT_EL0", 0, NEVER, TRAP, a64_read_counter, NULL},
    {KEY(3, 3, 14, 0, 2), A64_CNTVCT_EL0, "CNTVCT_EL0", 0, NEVER, TRAP, a64_read_counter, NULL},
    {KEY(3, 3, 14, 2, 0), A64_CNTP_TVAL_EL0, "CNTP_TVAL_EL0", 0, 0, TRAP, a64_read_timer, a64_write_timer},
    {KEY(3, 3, 14, 2, 1), A64_CNTP_CTL_EL0, "CNTP_CTL_EL0", 0, 0, TRAP, a64_read_timer, a64_write_timer},
    {KEY(3, 3, 14, 2, 2), A64_CNTP_CVAL_EL0, "CNTP_CVAL_EL0", 0, 0, TRAP, a64_read_timer, a64_write_timer},
    {KEY(3, 3, 14, 3, 0), A64_CNTV_TVAL_EL0, "CNTV_TVAL_EL0", 0, 0, TRAP, a64_read_timer, a64_write_timer},
    {KEY(3, 3, 14, 3, 1), A64_CNTV_CTL_EL0, "CNTV_CTL_EL0", 0, 0, TRAP, a64_read_timer, a64_write_timer},
    {KEY(3, 3, 14, 3, 2), A64_CNTV_CVAL_EL0, "CNTV_CVAL_EL0", 0, 0, TRAP, a64_read_timer, a64_write_timer},
};
/* clang-format on */

/* Reserved encodings of the feature ID space: op0 3, op1 0, CRn 0, CRm 1 to 7. */
static const struct a64_sysreg_info reserved_id = {.reg = A64_IMPDEF,
                                                   .name = "reserved ID register",
                                                   .el_read = 1,
                                                   .el_write = NEVER,
                                                   .read = a64_read_zero};

const struct a64_sysreg_info *a64_sysreg_find(uint16_t key)
{
    size_t low = 0, high = ARRAY_SIZE(table);
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (table[middle].key == key)
            return &table[middle];
        if (table[middle].key < key)
            low = middle + 1;
        else
            high = middle;
    }
    if (bits(key, 11, 3) == 4 || bits(key, 11, 3) == 5)
        return a64_el2_sysreg_find(key);
    bool id_space = key >= KEY(3, 0, 0, 1, 0) && key <= KEY(3, 0, 0, 7, 7);
    return id_space ? &reserved_id : NULL;
}

const struct a64_sysreg_info *a64_sysreg_by_id(enum a64_sysreg reg)
{
    for (size_t i = 0; i < ARRAY_SIZE(table); i++)
        if (table[i].reg == reg)
            return &table[i];
    return NULL;
}

enum a64_step a64_sysreg_trap(struct a64_cpu *cpu, unsigned el, unsigned key, unsigned rt,
                              bool read)
{
    uint32_t op0 = key >> 14 & 3, op1 = key >> 11 & 7, crn = key >> 7 & 15, crm = key >> 3 & 15;
    uint32_t iss = op0 << 20 | (key & 7) << 17 | op1 << 14 | crn << 10 | rt << 5 | crm << 1 | read;
    uint64_t esr = (uint64_t)EC_SYSREG << 26 | ESR_IL | iss;
    return el == 2 ? a64_exception_to(cpu, 2, esr, 0, cpu->pc)
                   : a64_exception_sync(cpu, esr, 0, cpu->pc);
}

enum a64_step a64_sysreg_unknown(struct a64_cpu *cpu, unsigned key, const char *what)
{
    bool seen = cpu->seen_count == ARRAY_SIZE(cpu->seen_sysregs); /* full: enough is said */
    for (unsigned i = 0; i < cpu->seen_count; i++)
        seen |= cpu->seen_sysregs[i] == key;
    cpu->undefined_count++;
    if (!seen) {
        cpu->seen_sysregs[cpu->seen_count++] = (uint16_t)key;
        log_warn(cpu->system->log, "cpu%u: %s S%u_%u_C%u_C%u_%u at %016llx is UNDEFINED",
                 cpu->index, what, key >> 14 & 3, key >> 11 & 7, key >> 7 & 15, key >> 3 & 15,
                 key & 7, (unsigned long long)cpu->pc);
    }
    return a64_undefined(cpu);
}

static bool exists(const struct a64_cpu *cpu, const struct a64_sysreg_info *info)
{
    enum a64_sysreg reg = info->reg;
    if (info->el_read == 2)
        return a64_el2_sysreg_exists(cpu, info);
    if (reg == A64_SP_EL0)
        return cpu->spsel; /* UNDEFINED while it is the current one (C5.2.20) */
    return reg == A64_PAN ? cpu->model->pan : reg == A64_UAO ? cpu->model->uao : true;
}

/* Common to both directions: the exception to take, or A64_NEXT. */
static enum a64_step check(struct a64_cpu *cpu, const struct a64_sysreg_info *info, uint16_t key,
                           unsigned rt, bool read)
{
    uint8_t least = !info ? NEVER : read ? info->el_read : info->el_write;
    if (cpu->el2 && cpu->el && a64_el2_traps(cpu, key, info, read) && (!info || cpu->el >= least))
        return a64_sysreg_trap(cpu, 2, key, rt, read);
    if (least == NEVER || !exists(cpu, info))
        return a64_sysreg_unknown(cpu, key, read ? "MRS" : "MSR");
    if (cpu->el < least) /* the kernel may emulate it: no news */
        return a64_undefined(cpu);
    if ((info->flags & TRAP) && cpu->el == 0 && a64_el0_traps(cpu, info->reg))
        return a64_sysreg_trap(cpu, 1, key, rt, read);
    if (cpu->el2 && cpu->el == 0 && a64_el2_traps(cpu, key, info, read))
        return a64_sysreg_trap(cpu, 2, key, rt, read);
    if ((info->flags & FP) && !a64_fp_allowed(cpu))
        return a64_fp_trapped(cpu);
    return A64_NEXT;
}

enum a64_step a64_mrs(struct a64_cpu *cpu, uint16_t key, unsigned rt)
{
    const struct a64_sysreg_info *info = a64_sysreg_find(key);
    enum a64_step step = check(cpu, info, key, rt, true);
    if (step == A64_NEXT && cpu->el2)
        info = a64_el2_renamed(cpu, info);
    if (step == A64_NEXT)
        a64_set_x(cpu, rt, info->read ? info->read(cpu, info->reg) : cpu->sys[info->reg]);
    return step;
}

/* After PSTATE, traps or translation changed: pc goes on and the run loop looks where it must. */
static enum a64_step context_changed(struct a64_cpu *cpu)
{
    cpu->pc += 4;
    return a64_has_work(cpu) || cpu->slow ? A64_EXIT : A64_BRANCHED;
}

enum a64_step a64_msr(struct a64_cpu *cpu, uint16_t key, unsigned rt)
{
    const struct a64_sysreg_info *info = a64_sysreg_find(key);
    enum a64_step step = check(cpu, info, key, rt, false);
    if (step != A64_NEXT)
        return step;
    if (cpu->el2)
        info = a64_el2_renamed(cpu, info);
    if (info->write)
        info->write(cpu, info->reg, a64_x(cpu, rt));
    else
        cpu->sys[info->reg] = a64_x(cpu, rt);
    return info->flags & END ? context_changed(cpu) : A64_NEXT;
}

/* op1:op2 name the PSTATE field (C5.1.3); encodings without a field do not decode. */
enum a64_step a64_msr_imm(struct a64_cpu *cpu, unsigned op1, unsigned op2, unsigned imm)
{
    static const struct {
        uint8_t op1, op2;
        enum a64_sysreg reg;
        uint8_t least_el;
    } fields[] = {
        {0, 3, A64_UAO, 1},  {0, 4, A64_PAN, 1},  {0, 5, A64_SPSEL, 1},
        {3, 6, A64_DAIF, 0}, {3, 7, A64_DAIF, 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        if (fields[i].op1 != op1 || fields[i].op2 != op2)
            continue;
        enum a64_sysreg reg = fields[i].reg;
        if (cpu->el < fields[i].least_el || (reg == A64_PAN && !cpu->model->pan) ||
            (reg == A64_UAO && !cpu->model->uao))
            return a64_undefined(cpu);
        uint64_t value = imm & 1;
        if (reg == A64_PAN)
            value <<= 22;
        if (reg == A64_UAO)
            value <<= 23;
        if (reg == A64_DAIF) {
            if (cpu->el == 0 && a64_el0_traps(cpu, reg))
                return a64_sysreg_trap(cpu, 1, KEY(0, op1, 4, imm, op2), 31, false);
            value = (uint64_t)(op2 == 6 ? cpu->daif | imm : cpu->daif & ~imm) << 6;
        }
        a64_write_pstate(cpu, reg, value);
        return context_changed(cpu);
    }
    return a64_undefined(cpu);
}
