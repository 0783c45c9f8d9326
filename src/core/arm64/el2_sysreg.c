/* el2_sysreg.c: the registers of EL2, which register a name means there, and what EL1 and EL0
 * touch only by leave of EL2 (DDI 0487 D13.1.4, D17.2; IHI 0069 12.4 for ICH_*).
 */
#include "core/arm64/el2.h"

#include <stdlib.h>

#include "base/bytes.h"

enum { NEVER = 15 };

#define KEY A64_SYSREG_KEY
#define PR  A64_SYSREG_PLAIN_READ
#define PW  A64_SYSREG_PLAIN_WRITE
#define END A64_SYSREG_ENDS_BLOCK

/* CNTHCTL_EL2 with E2H = 1 (D17.8.2), where it has CNTKCTL_EL1's bits too; with 0 these are bits 0
 * and 1. */
enum { EL1PCTEN = 1 << 10, EL1PTEN = 1 << 11 };
/* MDCR_EL2 */
enum { MDCR_TDA = 1 << 9, MDCR_TDOSA = 1 << 10, MDCR_TDRA = 1 << 11 };

#define CPTR_TCPAC (1u << 31)
#define OP1_EL1    0
#define OP1_EL12   5

/* --- reads and writes --------------------------------------------------------------------------
 */

static bool e2h(const struct a64_cpu *cpu)
{
    return a64_el2_hcr(cpu, A64_HCR_E2H);
}

static uint64_t read_tcr(struct a64_cpu *cpu, enum a64_sysreg reg)
{
    return cpu->sys[e2h(cpu) ? A64_TCR_EL1 : A64_TCR_PLAIN];
}

static void write_tcr(struct a64_cpu *cpu, enum a64_sysreg reg, uint64_t value)
{
    if (e2h(cpu)) {
        a64_write_regime(cpu, A64_TCR_EL1, value);
        return;
    }
    cpu->sys[A64_TCR_PLAIN] = (uint32_t)value;
    a64_el2_derive(cpu);
    a64_tlb_flush_all(cpu);
    a64_select_bank(cpu);
}

static uint64_t read_cptr(struct a64_cpu *cpu, enum a64_sysreg reg)
{
    return cpu->sys[e2h(cpu) ? A64_CPACR_EL1 : A64_CPTR_PLAIN];
}

static void write_cptr(struct a64_cpu *cpu, enum a64_sysreg reg, uint64_t value)
{
    cpu->sys[e2h(cpu) ? A64_CPACR_EL1 : A64_CPTR_PLAIN] = (uint32_t)value;
    if (!e2h(cpu))
        a64_el2_derive(cpu);
}

static void write_mdcr(struct a64_cpu *cpu, enum a64_sysreg reg, uint64_t value)
{
    cpu->sys[reg] = value;
    a64_update_slow(cpu);
}

static void write_offset(struct a64_cpu *cpu, enum a64_sysreg reg, uint64_t value)
{
    cpu->sys[reg] = value;
    a64_timer_update(cpu);
}

/* SRE, DFB, DIB and Enable: there is nothing but system registers. */
static uint64_t read_sre(struct a64_cpu *cpu, enum a64_sysreg reg)
{
    return 15;
}

/* --- the table ---------------------------------------------------------------------------------
 */

/* Sorted by key. The names of EL2 itself are of the registers in use. */
/* clang-format off */
static const struct a64_sysreg_info table[] = {
    {KEY(3, 4, 0, 0, 0), A64_VPIDR_EL2, "VPIDR_EL2", 2, 2, PR | PW, NULL, NULL},
    {KEY(3, 4, 0, 0, 5), A64_VMPIDR_EL2, "VMPIDR_EL2", 2, 2, PR | PW, NULL, NULL},
    {KEY(3, 4, 1, 0, 0), A64_SCTLR_EL1, "SCTLR_EL2", 2, 2, PR | END, NULL, a64_write_regime},
    {KEY(3, 4, 1, 0, 1), A64_ACTLR_EL1, "ACTLR_EL2", 2, 2, 0, a64_read_zero, a64_write_nothing},
    {KEY(3, 4, 1, 1, 0), A64_HCR_EL2, "HCR_EL2", 2, 2, PR | END, NULL, a64_el2_write_hcr},
    {KEY(3, 4, 1, 1, 1), A64_MDCR_EL2, "MDCR_EL2", 2, 2, PR | END, NULL, write_mdcr},
    {KEY(3, 4, 1, 1, 2), A64_CPACR_EL1, "CPTR_EL2", 2, 2, END, read_cptr, write_cptr},
    {KEY(3, 4, 1, 1, 3), A64_HSTR_EL2, "HSTR_EL2", 2, 2, PR | PW, NULL, NULL},
    {KEY(3, 4, 1, 1, 7), A64_HACR_EL2, "HACR_EL2", 2, 2, PR | PW, NULL, NULL},
    {KEY(3, 4, 2, 0, 0), A64_TTBR0_EL1, "TTBR0_EL2", 2, 2, PR | END, NULL, a64_write_ttbr},
    {KEY(3, 4, 2, 0, 1), A64_TTBR1_EL1, "TTBR1_EL2", 2, 2, PR | END, NULL, a64_write_ttbr},
    {KEY(3, 4, 2, 0, 2), A64_TCR_EL1, "TCR_EL2", 2, 2, END, read_tcr, write_tcr},
    {KEY(3, 4, 2, 1, 0), A64_VTTBR_EL2, "VTTBR_EL2", 2, 2, PR | PW, NULL, NULL},
    {KEY(3, 4, 2, 1, 2), A64_VTCR_EL2, "VTCR_EL2", 2, 2, PR | PW, NULL, NULL},
    {KEY(3, 4, 4, 0, 0), A64_SPSR_EL1, "SPSR_EL2", 2, 2, PR | PW, NULL, NULL},
    {KEY(3, 4, 4, 0, 1), A64_ELR_EL1, "ELR_EL2", 2, 2, PR | PW, NULL, NULL},
    {KEY(3, 4, 4, 1, 0), A64_SP_EL1, "SP_EL1", 2, 2, PR | PW, NULL, NULL},
    {KEY(3, 4, 5, 1, 0), A64_AFSR0_EL1, "AFSR0_EL2", 2, 2, 0, a64_read_zero, a64_write_nothing},
    {KEY(3, 4, 5, 1, 1), A64_AFSR1_EL1, "AFSR1_EL2", 2, 2, 0, a64_read_zero, a64_write_nothing},
    {KEY(3, 4, 5, 2, 0), A64_ESR_EL1, "ESR_EL2", 2, 2, PR | PW, NULL, NULL},
    {KEY(3, 4, 6, 0, 0), A64_FAR_EL1, "FAR_EL2", 2, 2, PR | PW, NULL, NULL},
    {KEY(3, 4, 6, 0, 4), A64_HPFAR_EL2, "HPFAR_EL2", 2, 2, PR | PW, NULL, NULL},
    {KEY(3, 4, 10, 2, 0), A64_MAIR_EL1, "MAIR_EL2", 2, 2, PR | END, NULL, a64_write_regime},
    {KEY(3, 4, 10, 3, 0), A64_AMAIR_EL1, "AMAIR_EL2", 2, 2, 0, a64_read_zero, a64_write_nothing},
    {KEY(3, 4, 12, 0, 0), A64_VBAR_EL1, "VBAR_EL2", 2, 2, PR | PW, NULL, NULL},
    {KEY(3, 4, 12, 0, 1), A64_RVBAR_EL1, "RVBAR_EL2", 2, NEVER, PR, NULL, NULL},
    {KEY(3, 4, 12, 0, 2), A64_RMR_EL1, "RMR_EL2", 2, 2, PR, NULL, a64_write_nothing},
    {KEY(3, 4, 12, 8, 0), A64_ICH_AP0R0_EL2, "ICH_AP0R0_EL2", 2, 2, 0, a64_vgic_ich_read, a64_vgic_ich_write},
    {KEY(3, 4, 12, 9, 0), A64_ICH_AP1R0_EL2, "ICH_AP1R0_EL2", 2, 2, 0, a64_vgic_ich_read, a64_vgic_ich_write},
    {KEY(3, 4, 12, 9, 5), A64_ICC_SRE_EL2, "ICC_SRE_EL2", 2, 2, 0, read_sre, a64_write_nothing},
    {KEY(3, 4, 12, 11, 0), A64_ICH_HCR_EL2, "ICH_HCR_EL2", 2, 2, 0, a64_vgic_ich_read, a64_vgic_ich_write},
    {KEY(3, 4, 12, 11, 1), A64_ICH_VTR_EL2, "ICH_VTR_EL2", 2, NEVER, 0, a64_vgic_ich_read, NULL},
    {KEY(3, 4, 12, 11, 2), A64_ICH_MISR_EL2, "ICH_MISR_EL2", 2, NEVER, 0, a64_vgic_ich_read, NULL},
    {KEY(3, 4, 12, 11, 3), A64_ICH_EISR_EL2, "ICH_EISR_EL2", 2, NEVER, 0, a64_vgic_ich_read, NULL},
    {KEY(3, 4, 12, 11, 5), A64_ICH_ELRSR_EL2, "ICH_ELRSR_EL2", 2, NEVER, 0, a64_vgic_ich_read, NULL},
    {KEY(3, 4, 12, 11, 7), A64_ICH_VMCR_EL2, "ICH_VMCR_EL2", 2, 2, 0, a64_vgic_ich_read, a64_vgic_ich_write},
    {KEY(3, 4, 12, 12, 0), A64_ICH_LR0_EL2, "ICH_LR0_EL2", 2, 2, 0, a64_vgic_ich_read, a64_vgic_ich_write},
    {KEY(3, 4, 12, 12, 1), A64_ICH_LR1_EL2, "ICH_LR1_EL2", 2, 2, 0, a64_vgic_ich_read, a64_vgic_ich_write},
    {KEY(3, 4, 12, 12, 2), A64_ICH_LR2_EL2, "ICH_LR2_EL2", 2, 2, 0, a64_vgic_ich_read, a64_vgic_ich_write},
    {KEY(3, 4, 12, 12, 3), A64_ICH_LR3_EL2, "ICH_LR3_EL2", 2, 2, 0, a64_vgic_ich_read, a64_vgic_ich_write},
    {KEY(3, 4, 13, 0, 1), A64_CONTEXTIDR_EL1, "CONTEXTIDR_EL2", 2, 2, PR | PW, NULL, NULL},
    {KEY(3, 4, 13, 0, 2), A64_TPIDR_EL2, "TPIDR_EL2", 2, 2, PR | PW, NULL, NULL},
    {KEY(3, 4, 14, 0, 3), A64_CNTVOFF_EL2, "CNTVOFF_EL2", 2, 2, PR, NULL, write_offset},
    {KEY(3, 4, 14, 1, 0), A64_CNTKCTL_EL1, "CNTHCTL_EL2", 2, 2, PR | PW, NULL, NULL},
    {KEY(3, 4, 14, 2, 0), A64_CNTHP_TVAL_EL2, "CNTHP_TVAL_EL2", 2, 2, 0, a64_read_timer, a64_write_timer},
    {KEY(3, 4, 14, 2, 1), A64_CNTHP_CTL_EL2, "CNTHP_CTL_EL2", 2, 2, 0, a64_read_timer, a64_write_timer},
    {KEY(3, 4, 14, 2, 2), A64_CNTHP_CVAL_EL2, "CNTHP_CVAL_EL2", 2, 2, 0, a64_read_timer, a64_write_timer},
    {KEY(3, 4, 14, 3, 0), A64_CNTHV_TVAL_EL2, "CNTHV_TVAL_EL2", 2, 2, 0, a64_read_timer, a64_write_timer},
    {KEY(3, 4, 14, 3, 1), A64_CNTHV_CTL_EL2, "CNTHV_CTL_EL2", 2, 2, 0, a64_read_timer, a64_write_timer},
    {KEY(3, 4, 14, 3, 2), A64_CNTHV_CVAL_EL2, "CNTHV_CVAL_EL2", 2, 2, 0, a64_read_timer, a64_write_timer},
    {KEY(3, 5, 1, 0, 0), A64_SCTLR_EL12, "SCTLR_EL12", 2, 2, PR | PW, NULL, NULL},
    {KEY(3, 5, 1, 0, 2), A64_CPACR_EL12, "CPACR_EL12", 2, 2, PR | PW, NULL, NULL},
    {KEY(3, 5, 2, 0, 0), A64_TTBR0_EL12, "TTBR0_EL12", 2, 2, PR | PW, NULL, NULL},
    {KEY(3, 5, 2, 0, 1), A64_TTBR1_EL12, "TTBR1_EL12", 2, 2, PR | PW, NULL, NULL},
    {KEY(3, 5, 2, 0, 2), A64_TCR_EL12, "TCR_EL12", 2, 2, PR | PW, NULL, NULL},
    {KEY(3, 5, 4, 0, 0), A64_SPSR_EL12, "SPSR_EL12", 2, 2, PR | PW, NULL, NULL},
    {KEY(3, 5, 4, 0, 1), A64_ELR_EL12, "ELR_EL12", 2, 2, PR | PW, NULL, NULL},
    {KEY(3, 5, 5, 1, 0), A64_AFSR0_EL1, "AFSR0_EL12", 2, 2, 0, a64_read_zero, a64_write_nothing},
    {KEY(3, 5, 5, 1, 1), A64_AFSR1_EL1, "AFSR1_EL12", 2, 2, 0, a64_read_zero, a64_write_nothing},
    {KEY(3, 5, 5, 2, 0), A64_ESR_EL12, "ESR_EL12", 2, 2, PR | PW, NULL, NULL},
    {KEY(3, 5, 6, 0, 0), A64_FAR_EL12, "FAR_EL12", 2, 2, PR | PW, NULL, NULL},
    {KEY(3, 5, 10, 2, 0), A64_MAIR_EL12, "MAIR_EL12", 2, 2, PR | PW, NULL, NULL},
    {KEY(3, 5, 10, 3, 0), A64_AMAIR_EL1, "AMAIR_EL12", 2, 2, 0, a64_read_zero, a64_write_nothing},
    {KEY(3, 5, 12, 0, 0), A64_VBAR_EL12, "VBAR_EL12", 2, 2, PR | PW, NULL, NULL},
    {KEY(3, 5, 13, 0, 1), A64_CONTEXTIDR_EL12, "CONTEXTIDR_EL12", 2, 2, PR | PW, NULL, NULL},
    {KEY(3, 5, 14, 1, 0), A64_CNTKCTL_EL12, "CNTKCTL_EL12", 2, 2, PR | PW, NULL, NULL},
    {KEY(3, 5, 14, 2, 0), A64_CNTP_TVAL_EL0, "CNTP_TVAL_EL02", 2, 2, 0, a64_read_timer, a64_write_timer},
    {KEY(3, 5, 14, 2, 1), A64_CNTP_CTL_EL0, "CNTP_CTL_EL02", 2, 2, 0, a64_read_timer, a64_write_timer},
    {KEY(3, 5, 14, 2, 2), A64_CNTP_CVAL_EL0, "CNTP_CVAL_EL02", 2, 2, 0, a64_read_timer, a64_write_timer},
    {KEY(3, 5, 14, 3, 0), A64_CNTV_TVAL_EL0, "CNTV_TVAL_EL02", 2, 2, 0, a64_read_timer, a64_write_timer},
    {KEY(3, 5, 14, 3, 1), A64_CNTV_CTL_EL0, "CNTV_CTL_EL02", 2, 2, 0, a64_read_timer, a64_write_timer},
    {KEY(3, 5, 14, 3, 2), A64_CNTV_CVAL_EL0, "CNTV_CVAL_EL02", 2, 2, 0, a64_read_timer, a64_write_timer},
};
/* clang-format on */

static int compare_keys(const void *key, const void *row)
{
    return *(const uint16_t *)key - ((const struct a64_sysreg_info *)row)->key;
}

const struct a64_sysreg_info *a64_el2_sysreg_find(uint16_t key)
{
    return bsearch(&key, table, ARRAY_SIZE(table), sizeof(table[0]), compare_keys);
}

bool a64_el2_sysreg_exists(const struct a64_cpu *cpu, const struct a64_sysreg_info *info)
{
    unsigned op1 = bits(info->key, 11, 3);
    return cpu->el2 && (op1 != OP1_EL12 || cpu->el < 2 || e2h(cpu));
}

/* --- names -------------------------------------------------------------------------------------
 */

static bool is_timer(enum a64_sysreg reg)
{
    return reg >= A64_CNTP_CTL_EL0 && reg <= A64_CNTV_TVAL_EL0;
}

/* EL2 finds its own registers, which are in use, under EL1's names with E2H; without, those of EL1,
 * which wait, and which _EL12 names. FEAT_VHE redirects timers too, EL0's for a host's user. */
const struct a64_sysreg_info *a64_el2_renamed(const struct a64_cpu *cpu,
                                              const struct a64_sysreg_info *info)
{
    unsigned op1 = bits(info->key, 11, 3);
    if (is_timer(info->reg) && op1 != OP1_EL12 && cpu->el2->inside && e2h(cpu)) {
        /* CNTHP is at CRm 2 and CNTHV at CRm 3, as CNTP and CNTV, of op1 4 */
        uint16_t key = (uint16_t)((info->key & ~(7u << 11)) | 4u << 11);
        return a64_el2_sysreg_find(key);
    }
    if (cpu->el < 2 || e2h(cpu) || op1 != OP1_EL1 || info->key >> 14 != 3)
        return info;
    const struct a64_sysreg_info *waiting = a64_el2_sysreg_find(info->key | OP1_EL12 << 11);
    return waiting && waiting->flags & PW ? waiting : info;
}

uint64_t a64_el2_counter_offset(const struct a64_cpu *cpu)
{
    return cpu->el2 && !(cpu->el2->inside && e2h(cpu)) ? cpu->sys[A64_CNTVOFF_EL2] : 0;
}

/* --- traps -------------------------------------------------------------------------------------
 */

/* Encodings that a bit of HCR_EL2 traps, from first to last. */
static const struct trap {
    uint16_t first, last;
    bool read, write;
    uint64_t hcr;
} traps[] = {
    {KEY(3, 0, 0, 1, 0), KEY(3, 0, 0, 7, 7), true, false, A64_HCR_TID3},
    {KEY(3, 0, 0, 0, 6), KEY(3, 0, 0, 0, 6), true, false, A64_HCR_TID1}, /* REVIDR */
    {KEY(3, 1, 0, 0, 7), KEY(3, 1, 0, 0, 7), true, false, A64_HCR_TID1}, /* AIDR */
    {KEY(3, 1, 0, 0, 0), KEY(3, 1, 0, 0, 1), true, false, A64_HCR_TID2}, /* CCSIDR, CLIDR */
    {KEY(3, 2, 0, 0, 0), KEY(3, 2, 0, 0, 0), true, true, A64_HCR_TID2},  /* CSSELR */
    {KEY(3, 3, 0, 0, 1), KEY(3, 3, 0, 0, 1), true, false, A64_HCR_TID2}, /* CTR */
    {KEY(3, 0, 1, 0, 1), KEY(3, 0, 1, 0, 1), true, true, A64_HCR_TACR},
    {KEY(3, 0, 1, 0, 0), KEY(3, 0, 1, 0, 0), false, true, A64_HCR_TVM},   /* SCTLR */
    {KEY(3, 0, 2, 0, 0), KEY(3, 0, 2, 0, 2), false, true, A64_HCR_TVM},   /* TTBR0, TTBR1, TCR */
    {KEY(3, 0, 5, 1, 0), KEY(3, 0, 5, 2, 0), false, true, A64_HCR_TVM},   /* AFSR0, AFSR1, ESR */
    {KEY(3, 0, 6, 0, 0), KEY(3, 0, 6, 0, 0), false, true, A64_HCR_TVM},   /* FAR */
    {KEY(3, 0, 10, 2, 0), KEY(3, 0, 10, 3, 0), false, true, A64_HCR_TVM}, /* MAIR, AMAIR */
    {KEY(3, 0, 13, 0, 1), KEY(3, 0, 13, 0, 1), false, true, A64_HCR_TVM}, /* CONTEXTIDR */
    {KEY(3, 0, 1, 0, 0), KEY(3, 0, 1, 0, 0), true, false, A64_HCR_TRVM},
    {KEY(3, 0, 2, 0, 0), KEY(3, 0, 2, 0, 2), true, false, A64_HCR_TRVM},
    {KEY(3, 0, 5, 1, 0), KEY(3, 0, 5, 2, 0), true, false, A64_HCR_TRVM},
    {KEY(3, 0, 6, 0, 0), KEY(3, 0, 6, 0, 0), true, false, A64_HCR_TRVM},
    {KEY(3, 0, 10, 2, 0), KEY(3, 0, 10, 3, 0), true, false, A64_HCR_TRVM},
    {KEY(3, 0, 13, 0, 1), KEY(3, 0, 13, 0, 1), true, false, A64_HCR_TRVM},
    /* system instructions */
    {KEY(1, 0, 7, 1, 0), KEY(1, 0, 7, 5, 0), false, true, A64_HCR_TPU},    /* IC IALLU(IS) */
    {KEY(1, 0, 7, 6, 1), KEY(1, 0, 7, 6, 1), false, true, A64_HCR_TPCP},   /* DC IVAC */
    {KEY(1, 0, 7, 6, 2), KEY(1, 0, 7, 6, 2), false, true, A64_HCR_TSW},    /* DC ISW */
    {KEY(1, 0, 7, 10, 2), KEY(1, 0, 7, 10, 2), false, true, A64_HCR_TSW},  /* DC CSW */
    {KEY(1, 0, 7, 14, 2), KEY(1, 0, 7, 14, 2), false, true, A64_HCR_TSW},  /* DC CISW */
    {KEY(1, 3, 7, 4, 1), KEY(1, 3, 7, 4, 1), false, true, A64_HCR_TDZ},    /* DC ZVA */
    {KEY(1, 3, 7, 5, 1), KEY(1, 3, 7, 5, 1), false, true, A64_HCR_TPU},    /* IC IVAU */
    {KEY(1, 3, 7, 10, 1), KEY(1, 3, 7, 10, 1), false, true, A64_HCR_TPCP}, /* DC CVAC */
    {KEY(1, 3, 7, 11, 1), KEY(1, 3, 7, 11, 1), false, true, A64_HCR_TPU},  /* DC CVAU */
    {KEY(1, 3, 7, 12, 1), KEY(1, 3, 7, 12, 1), false, true, A64_HCR_TPCP}, /* DC CVAP */
    {KEY(1, 3, 7, 14, 1), KEY(1, 3, 7, 14, 1), false, true, A64_HCR_TPCP}, /* DC CIVAC */
    {KEY(1, 0, 8, 0, 0), KEY(1, 0, 8, 7, 7), false, true, A64_HCR_TTLB},
};

/* MDCR_EL2: TDOSA the OS lock and power, TDRA the ROM's address, TDA all else of op0 2 (TDE sets
 * all three). */
static bool debug_traps(const struct a64_cpu *cpu, uint16_t key)
{
    unsigned mdcr = (unsigned)cpu->sys[A64_MDCR_EL2], crn = bits(key, 7, 4), crm = bits(key, 3, 4);
    unsigned bit = crn != 1 ? MDCR_TDA : crm == 0 && (key & 7) == 0 ? MDCR_TDRA : MDCR_TDOSA;
    return mdcr & (bit | 1u << 8);
}

static bool timer_traps(const struct a64_cpu *cpu, enum a64_sysreg reg)
{
    uint64_t cnthctl = cpu->sys[A64_CNTKCTL_EL12] << (e2h(cpu) ? 0 : 10);
    if (reg == A64_CNTPCT_EL0)
        return !(cnthctl & EL1PCTEN);
    return reg >= A64_CNTP_CTL_EL0 && reg <= A64_CNTP_TVAL_EL0 && !(cnthctl & EL1PTEN);
}

bool a64_el2_traps(const struct a64_cpu *cpu, uint16_t key, const struct a64_sysreg_info *info,
                   bool read)
{
    if (cpu->el2->inside)
        return false;
    uint64_t hcr = cpu->sys[A64_HCR_EL2];
    for (size_t i = 0; i < ARRAY_SIZE(traps); i++) {
        const struct trap *t = &traps[i];
        if ((hcr & t->hcr) && key >= t->first && key <= t->last && (read ? t->read : t->write))
            return true;
    }
    if (key >> 14 == 2)
        return debug_traps(cpu, key);
    /* Registers of implementations: none here, but EL2 may want to know. */
    if (!info)
        return (hcr & A64_HCR_TIDCP) && key >> 14 == 3 && (bits(key, 7, 4) | 4) == 15;
    if (info->reg == A64_CPACR_EL1)
        return cpu->sys[A64_CPACR_EL12] & CPTR_TCPAC;
    return timer_traps(cpu, info->reg) || a64_vgic_traps(cpu, info->reg);
}

/* What translated code may touch by itself at EL1 and EL0 though there is an EL2: registers that no
 * bit traps. */
bool a64_el2_never_traps(const struct a64_sysreg_info *info)
{
    static const uint16_t reg[] = {A64_SPSR_EL1, A64_ELR_EL1,   A64_SP_EL0,      A64_PAR_EL1,
                                   A64_VBAR_EL1, A64_TPIDR_EL0, A64_TPIDRRO_EL0, A64_TPIDR_EL1,
                                   A64_MIDR_EL1, A64_MPIDR_EL1, A64_DCZID_EL0};
    for (size_t i = 0; i < ARRAY_SIZE(reg); i++)
        if (info->reg == reg[i])
            return true;
    return false;
}
