/* sysreg_ids.h: the index of each system register's value in a64_cpu.sys[]. One name a register, as
 * the manual spells it; the table in sysreg.c gives each its encoding and behaviour.
 */
#ifndef PENG_CORE_ARM64_SYSREG_IDS_H
#define PENG_CORE_ARM64_SYSREG_IDS_H

// clang-format off
#define A64_SYSREGS(X)                                                                             \
    X(SCTLR_EL1) X(ACTLR_EL1) X(CPACR_EL1) X(TTBR0_EL1) X(TTBR1_EL1) X(TCR_EL1) X(MAIR_EL1)        \
    X(AMAIR_EL1) X(ESR_EL1) X(FAR_EL1) X(AFSR0_EL1) X(AFSR1_EL1) X(VBAR_EL1) X(ELR_EL1)            \
    X(SPSR_EL1) X(SP_EL0) X(SP_EL1) X(SP_EL2) X(PAR_EL1) X(CONTEXTIDR_EL1) X(TPIDR_EL0) X(TPIDRRO_EL0)       \
    X(TPIDR_EL1) X(CSSELR_EL1) X(CCSIDR_EL1) X(CLIDR_EL1) X(CTR_EL0) X(DCZID_EL0) X(MIDR_EL1)      \
    X(MPIDR_EL1) X(REVIDR_EL1) X(AIDR_EL1) X(ISR_EL1) X(RVBAR_EL1) X(RMR_EL1)                      \
    X(ID_AA64PFR0_EL1) X(ID_AA64PFR1_EL1) X(ID_AA64ZFR0_EL1) X(ID_AA64DFR0_EL1)                    \
    X(ID_AA64DFR1_EL1) X(ID_AA64AFR0_EL1) X(ID_AA64AFR1_EL1) X(ID_AA64ISAR0_EL1)                   \
    X(ID_AA64ISAR1_EL1) X(ID_AA64ISAR2_EL1) X(ID_AA64MMFR0_EL1) X(ID_AA64MMFR1_EL1)                \
    X(ID_AA64MMFR2_EL1) X(ID_PFR0_EL1) X(ID_PFR1_EL1) X(ID_PFR2_EL1) X(ID_DFR0_EL1)                \
    X(ID_DFR1_EL1) X(ID_AFR0_EL1) X(ID_MMFR0_EL1) X(ID_MMFR1_EL1) X(ID_MMFR2_EL1)                  \
    X(ID_MMFR3_EL1) X(ID_MMFR4_EL1) X(ID_MMFR5_EL1) X(ID_ISAR0_EL1) X(ID_ISAR1_EL1)                \
    X(ID_ISAR2_EL1) X(ID_ISAR3_EL1) X(ID_ISAR4_EL1) X(ID_ISAR5_EL1) X(ID_ISAR6_EL1)                \
    X(MVFR0_EL1) X(MVFR1_EL1) X(MVFR2_EL1)                                                         \
    X(CNTFRQ_EL0) X(CNTPCT_EL0) X(CNTVCT_EL0) X(CNTKCTL_EL1) X(CNTP_CTL_EL0) X(CNTP_CVAL_EL0)      \
    X(CNTP_TVAL_EL0) X(CNTV_CTL_EL0) X(CNTV_CVAL_EL0) X(CNTV_TVAL_EL0)                             \
    X(MDSCR_EL1) X(MDCCINT_EL1) X(MDCCSR_EL0) X(OSDTRRX_EL1) X(OSDTRTX_EL1) X(OSECCR_EL1)          \
    X(OSLAR_EL1) X(OSLSR_EL1) X(OSDLR_EL1) X(DBGPRCR_EL1) X(MDRAR_EL1) X(DBGCLAIMSET_EL1)          \
    X(DBGCLAIMCLR_EL1) X(DBGAUTHSTATUS_EL1)                                                        \
    X(DBGBVR0_EL1) X(DBGBVR1_EL1) X(DBGBVR2_EL1) X(DBGBVR3_EL1) X(DBGBVR4_EL1) X(DBGBVR5_EL1)      \
    X(DBGBCR0_EL1) X(DBGBCR1_EL1) X(DBGBCR2_EL1) X(DBGBCR3_EL1) X(DBGBCR4_EL1) X(DBGBCR5_EL1)      \
    X(DBGWVR0_EL1) X(DBGWVR1_EL1) X(DBGWVR2_EL1) X(DBGWVR3_EL1)                                    \
    X(DBGWCR0_EL1) X(DBGWCR1_EL1) X(DBGWCR2_EL1) X(DBGWCR3_EL1)                                    \
    X(PMCR_EL0) X(PMCNTENSET_EL0) X(PMCNTENCLR_EL0) X(PMOVSCLR_EL0) X(PMSWINC_EL0) X(PMSELR_EL0)   \
    X(PMCEID0_EL0) X(PMCEID1_EL0) X(PMCCNTR_EL0) X(PMXEVTYPER_EL0) X(PMXEVCNTR_EL0)                \
    X(PMUSERENR_EL0) X(PMINTENSET_EL1) X(PMINTENCLR_EL1) X(PMOVSSET_EL0) X(PMCCFILTR_EL0)          \
    X(NZCV) X(DAIF) X(FPCR) X(FPSR) X(SPSEL) X(CURRENTEL) X(PAN) X(UAO)                            \
    X(ICC_PMR_EL1) X(ICC_IAR0_EL1) X(ICC_EOIR0_EL1) X(ICC_HPPIR0_EL1) X(ICC_BPR0_EL1)              \
    X(ICC_AP0R0_EL1) X(ICC_AP1R0_EL1) X(ICC_DIR_EL1) X(ICC_RPR_EL1) X(ICC_SGI1R_EL1)               \
    X(ICC_ASGI1R_EL1) X(ICC_SGI0R_EL1) X(ICC_IAR1_EL1) X(ICC_EOIR1_EL1) X(ICC_HPPIR1_EL1)          \
    X(ICC_BPR1_EL1) X(ICC_CTLR_EL1) X(ICC_SRE_EL1) X(ICC_IGRPEN0_EL1) X(ICC_IGRPEN1_EL1)           \
    X(HCR_EL2) X(HSTR_EL2) X(HACR_EL2) X(MDCR_EL2) X(VTTBR_EL2) X(VTCR_EL2) X(VPIDR_EL2)           \
    X(VMPIDR_EL2) X(HPFAR_EL2) X(TPIDR_EL2) X(CNTVOFF_EL2) X(CNTHP_CTL_EL2) X(CNTHP_CVAL_EL2)      \
    X(CNTHP_TVAL_EL2) X(CNTHV_CTL_EL2) X(CNTHV_CVAL_EL2) X(CNTHV_TVAL_EL2) X(ICC_SRE_EL2)          \
    X(ICH_AP0R0_EL2) X(ICH_AP1R0_EL2) X(ICH_HCR_EL2) X(ICH_VTR_EL2) X(ICH_MISR_EL2)                \
    X(ICH_EISR_EL2) X(ICH_ELRSR_EL2) X(ICH_VMCR_EL2)                                               \
    X(ICH_LR0_EL2) X(ICH_LR1_EL2) X(ICH_LR2_EL2) X(ICH_LR3_EL2)                                    \
    /* of EL1 or EL2, whichever does not run (el2.h) */                                            \
    X(SCTLR_EL12) X(CPACR_EL12) X(TTBR0_EL12) X(TTBR1_EL12) X(TCR_EL12) X(MAIR_EL12) X(ESR_EL12)   \
    X(FAR_EL12) X(VBAR_EL12) X(ELR_EL12) X(SPSR_EL12) X(CONTEXTIDR_EL12) X(CNTKCTL_EL12)           \
    X(TCR_PLAIN) X(CPTR_PLAIN) /* as written while HCR_EL2.E2H = 0 */                              \
    X(IMPDEF) /* implementation-defined: reads zero, writes dropped */
// clang-format on

enum a64_sysreg {
#define A64_SYSREG_ENUM(name) A64_##name,
    A64_SYSREGS(A64_SYSREG_ENUM)
#undef A64_SYSREG_ENUM
        A64_SYSREG_COUNT
};

#endif
