/* sysreg_access.c: what reading and writing the system registers of sysreg.c's table does beyond
 * moving a value.
 */
#include "core/arm64/el2.h"

#include "base/bytes.h"

/* SCTLR_EL1 controls of EL0's access */
enum { SCTLR_UMA = 1 << 9, SCTLR_DZE = 1 << 14, SCTLR_UCT = 1 << 15 };
/* CNTKCTL_EL1 */
enum { EL0PCTEN = 1 << 0, EL0VCTEN = 1 << 1, EL0VTEN = 1 << 8, EL0PTEN = 1 << 9 };

bool a64_el0_traps(const struct a64_cpu *cpu, enum a64_sysreg reg)
{
    uint64_t sctlr = cpu->sys[A64_SCTLR_EL1], cntkctl = cpu->sys[A64_CNTKCTL_EL1];
    switch (reg) {
    case A64_CTR_EL0:
        return !(sctlr & SCTLR_UCT);
    case A64_DAIF:
        return !(sctlr & SCTLR_UMA);
    case A64_CNTFRQ_EL0:
        return !(cntkctl & (EL0PCTEN | EL0VCTEN));
    case A64_CNTPCT_EL0:
        return !(cntkctl & EL0PCTEN);
    case A64_CNTVCT_EL0:
        return !(cntkctl & EL0VCTEN);
    case A64_CNTP_CTL_EL0:
    case A64_CNTP_CVAL_EL0:
    case A64_CNTP_TVAL_EL0:
        return !(cntkctl & EL0PTEN);
    case A64_CNTV_CTL_EL0:
    case A64_CNTV_CVAL_EL0:
    case A64_CNTV_TVAL_EL0:
        return !(cntkctl & EL0VTEN);
    default:
        return false;
    }
}

uint64_t a64_read_zero(struct a64_cpu *cpu, enum a64_sysreg reg)
{
    return 0;
}

void a64_write_nothing(struct a64_cpu *cpu, enum a64_sysreg reg, uint64_t value)
{
}

void a64_write_32(struct a64_cpu *cpu, enum a64_sysreg reg, uint64_t value)
{
    cpu->sys[reg] = (uint32_t)value;
}

/* --- PSTATE ------------------------------------------------------------------------------------
 */

uint64_t a64_read_pstate(struct a64_cpu *cpu, enum a64_sysreg reg)
{
    switch (reg) {
    case A64_NZCV:
        return a64_nzcv_get(cpu);
    case A64_DAIF:
        return (uint64_t)cpu->daif << 6;
    case A64_SPSEL:
        return cpu->spsel;
    case A64_CURRENTEL:
        return (uint64_t)cpu->el << 2;
    case A64_PAN:
        return (uint64_t)cpu->pan << 22;
    case A64_UAO:
        return (uint64_t)cpu->uao << 23;
    default:
        return 0;
    }
}

void a64_write_pstate(struct a64_cpu *cpu, enum a64_sysreg reg, uint64_t value)
{
    switch (reg) {
    case A64_NZCV:
        a64_nzcv_set(cpu, (uint32_t)value & 0xf0000000);
        break;
    case A64_DAIF:
        cpu->daif = value >> 6 & 15;
        a64_update_slow(cpu);
        break;
    case A64_SPSEL:
        a64_select_sp(cpu, cpu->el, value & 1);
        a64_update_slow(cpu);
        break;
    case A64_PAN:
        if (!cpu->pan && (value >> 22 & 1))
            a64_tlb_pan_set(cpu);
        cpu->pan = value >> 22 & 1;
        break;
    case A64_UAO:
        cpu->uao = value >> 23 & 1;
        a64_select_bank(cpu);
        break;
    default:
        break;
    }
}

/* --- floating point ----------------------------------------------------------------------------
 */

/* FPCR: AHP, DN, FZ, RMode and, with FP16, FZ16; exception traps are not implemented and read as
 * zero. FPSR: QC and the cumulative bits. */
enum { FPCR_BITS = 0x07c00000, FPCR_FZ16 = 1 << 19 };
#define FPSR_BITS 0x0800009fu

/* MXCSR's sticky bits from 0 up: invalid, denormal operand (Arm has it only when flushing to zero,
 * where the translator leaves arithmetic to the interpreter), zero divide, overflow, underflow,
 * inexact: Arm's order but for the second. */
uint32_t a64_fpsr_get(struct a64_cpu *cpu)
{
    cpu->fpsr |= (cpu->host_mxcsr & 1) | (cpu->host_mxcsr >> 1 & 0x1e);
    return cpu->fpsr;
}

void a64_fpsr_set(struct a64_cpu *cpu, uint32_t value)
{
    cpu->fpsr = value & FPSR_BITS;
    cpu->host_mxcsr &= ~0x3fu;
}

void a64_fpcr_set(struct a64_cpu *cpu, uint32_t value)
{
    cpu->fpcr = value & (FPCR_BITS | (cpu->model->fp16 ? FPCR_FZ16 : 0));
}

uint64_t a64_read_fp(struct a64_cpu *cpu, enum a64_sysreg reg)
{
    return reg == A64_FPCR ? cpu->fpcr : a64_fpsr_get(cpu);
}

void a64_write_fp(struct a64_cpu *cpu, enum a64_sysreg reg, uint64_t value)
{
    if (reg == A64_FPCR) {
        a64_fpcr_set(cpu, (uint32_t)value);
    } else {
        a64_fpsr_set(cpu, (uint32_t)value);
    }
}

/* --- translation -------------------------------------------------------------------------------
 */

/* SCTLR, TCR and MAIR: what the TLB holds was made under the old ones. Software changes them in a
 * handful of places, so all of it goes. */
void a64_write_regime(struct a64_cpu *cpu, enum a64_sysreg reg, uint64_t value)
{
    /* No mixed endianness (BigEnd = 0): E0E and EE are RES0. */
    if (reg == A64_SCTLR_EL1)
        value &= ~(3ull << 24);
    if (cpu->sys[reg] == value)
        return;
    cpu->sys[reg] = value;
    a64_tlb_flush_all(cpu);
    a64_select_bank(cpu);
}

void a64_write_ttbr(struct a64_cpu *cpu, enum a64_sysreg reg, uint64_t value)
{
    cpu->sys[reg] = value;
    a64_select_bank(cpu);
}

uint64_t a64_read_ccsidr(struct a64_cpu *cpu, enum a64_sysreg reg)
{
    /* By level: 64 KiB of 4 ways twice, 512 KiB of 8 ways, 32 MiB of 16 ways; 64-byte lines
     * (D17.2.24: LineSize = log2(bytes) - 4, Associativity - 1, NumSets - 1). */
    static const struct {
        uint32_t ways, sets;
    } by_level[3] = {{4, 256}, {8, 1024}, {16, 32768}};
    unsigned level = (unsigned)bits(cpu->sys[A64_CSSELR_EL1], 1, 3);
    if (level > 2)
        return 0;
    return 2 | (by_level[level].ways - 1) << 3 | (uint64_t)(by_level[level].sets - 1) << 13;
}

uint64_t a64_read_dczid(struct a64_cpu *cpu, enum a64_sysreg reg)
{
    bool prohibited = cpu->el == 0 && !(cpu->sys[A64_SCTLR_EL1] & SCTLR_DZE);
    return cpu->sys[A64_DCZID_EL0] | (uint64_t)prohibited << 4;
}

/* --- interrupts and timers ---------------------------------------------------------------------
 */

uint64_t a64_read_isr(struct a64_cpu *cpu, enum a64_sysreg reg)
{
    uint32_t lines = atomic_load(&cpu->signals.lines);
    if (cpu->el2)
        lines = a64_el2_isr_lines(cpu, lines);
    return (lines & A64_LINE_SERROR ? 1u << 8 : 0) | (lines & A64_LINE_IRQ ? 1u << 7 : 0) |
           (lines & A64_LINE_FIQ ? 1u << 6 : 0);
}

uint64_t a64_read_icc(struct a64_cpu *cpu, enum a64_sysreg reg)
{
    const struct a64_system *system = cpu->system;
    if (cpu->el2 && a64_vgic_serves(cpu, reg))
        return a64_vgic_icv_read(cpu, reg);
    return system->ops && system->ops->icc_read ? system->ops->icc_read(system->ops_ctx, cpu, reg)
                                                : 0;
}

void a64_write_icc(struct a64_cpu *cpu, enum a64_sysreg reg, uint64_t value)
{
    const struct a64_system *system = cpu->system;
    if (cpu->el2 && a64_vgic_serves(cpu, reg))
        a64_vgic_icv_write(cpu, reg, value);
    else if (system->ops && system->ops->icc_write)
        system->ops->icc_write(system->ops_ctx, cpu, reg, value);
}

uint64_t a64_read_counter(struct a64_cpu *cpu, enum a64_sysreg reg)
{
    return a64_counter(cpu) - (reg == A64_CNTVCT_EL0 ? a64_el2_counter_offset(cpu) : 0);
}

/* --- debug -------------------------------------------------------------------------------------
 */

static bool is_watchpoint(enum a64_sysreg reg)
{
    return reg >= A64_DBGWVR0_EL1 && reg <= A64_DBGWCR3_EL1;
}

void a64_write_debug(struct a64_cpu *cpu, enum a64_sysreg reg, uint64_t value)
{
    uint64_t changed = cpu->sys[reg] ^ value;
    cpu->sys[reg] = value;
    a64_update_slow(cpu);
    /* Pages with watchpoints are marked in the TLB; MDSCR_EL1.MDE (bit 15) turns all on or off. */
    if (changed && (is_watchpoint(reg) || (reg == A64_MDSCR_EL1 && (changed >> 15 & 1))))
        a64_tlbs_empty(cpu);
}

void a64_write_oslar(struct a64_cpu *cpu, enum a64_sysreg reg, uint64_t value)
{
    cpu->sys[A64_OSLSR_EL1] = 8 | (value & 1) << 1; /* OSLM = 0b10, OSLK */
    a64_update_slow(cpu);
}

/* Claim tags: SET reads as ones, CLR reads the tags (D17.3.4). */
uint64_t a64_read_claim(struct a64_cpu *cpu, enum a64_sysreg reg)
{
    return reg == A64_DBGCLAIMSET_EL1 ? 0xff : cpu->sys[A64_DBGCLAIMCLR_EL1];
}

void a64_write_claim(struct a64_cpu *cpu, enum a64_sysreg reg, uint64_t value)
{
    if (reg == A64_DBGCLAIMSET_EL1)
        cpu->sys[A64_DBGCLAIMCLR_EL1] |= value & 0xff;
    else
        cpu->sys[A64_DBGCLAIMCLR_EL1] &= ~value;
}
