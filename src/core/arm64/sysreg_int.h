/* sysreg_int.h: what sysreg.c (the table) and sysreg_access.c (effects of reads and writes) share.
 */
#ifndef PENG_CORE_ARM64_SYSREG_INT_H
#define PENG_CORE_ARM64_SYSREG_INT_H

#include "core/arm64/sysreg.h"

typedef uint64_t (*a64_sysreg_read_fn)(struct a64_cpu *cpu, enum a64_sysreg reg);
typedef void (*a64_sysreg_write_fn)(struct a64_cpu *cpu, enum a64_sysreg reg, uint64_t value);

/* More flags, private to the CPU. */
enum {
    A64_SYSREG_FP = 8, /* trapped by CPACR_EL1.FPEN */
};

uint64_t a64_read_pstate(struct a64_cpu *cpu, enum a64_sysreg reg);
void a64_write_pstate(struct a64_cpu *cpu, enum a64_sysreg reg, uint64_t value);
uint64_t a64_read_fp(struct a64_cpu *cpu, enum a64_sysreg reg);
void a64_write_fp(struct a64_cpu *cpu, enum a64_sysreg reg, uint64_t value);
void a64_write_regime(struct a64_cpu *cpu, enum a64_sysreg reg, uint64_t value);
void a64_write_ttbr(struct a64_cpu *cpu, enum a64_sysreg reg, uint64_t value);
void a64_write_32(struct a64_cpu *cpu, enum a64_sysreg reg, uint64_t value);
void a64_write_nothing(struct a64_cpu *cpu, enum a64_sysreg reg, uint64_t value);
uint64_t a64_read_zero(struct a64_cpu *cpu, enum a64_sysreg reg);
uint64_t a64_read_isr(struct a64_cpu *cpu, enum a64_sysreg reg);
uint64_t a64_read_ccsidr(struct a64_cpu *cpu, enum a64_sysreg reg);
uint64_t a64_read_dczid(struct a64_cpu *cpu, enum a64_sysreg reg);
uint64_t a64_read_counter(struct a64_cpu *cpu, enum a64_sysreg reg);
uint64_t a64_read_timer(struct a64_cpu *cpu, enum a64_sysreg reg);
void a64_write_timer(struct a64_cpu *cpu, enum a64_sysreg reg, uint64_t value);
uint64_t a64_read_icc(struct a64_cpu *cpu, enum a64_sysreg reg);
void a64_write_icc(struct a64_cpu *cpu, enum a64_sysreg reg, uint64_t value);
void a64_write_debug(struct a64_cpu *cpu, enum a64_sysreg reg, uint64_t value);
void a64_write_oslar(struct a64_cpu *cpu, enum a64_sysreg reg, uint64_t value);
uint64_t a64_read_claim(struct a64_cpu *cpu, enum a64_sysreg reg);
void a64_write_claim(struct a64_cpu *cpu, enum a64_sysreg reg, uint64_t value);

/* True where EL0's access to this register is trapped to EL1 now. */
bool a64_el0_traps(const struct a64_cpu *cpu, enum a64_sysreg reg);
/* EC 0x18: trapped MSR, MRS or system instruction (D17.2.37), to EL2 or (1) to who has EL0. */
enum a64_step a64_sysreg_trap(struct a64_cpu *cpu, unsigned el, unsigned key, unsigned rt,
                              bool read);
/* UNDEFINED, counted, and named in the log the first time. */
enum a64_step a64_sysreg_unknown(struct a64_cpu *cpu, unsigned key, const char *what);

#endif
