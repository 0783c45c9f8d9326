/* sysreg.h: system registers by their encoding: who may touch them and what touching does. */
#ifndef PENG_CORE_ARM64_SYSREG_H
#define PENG_CORE_ARM64_SYSREG_H

#include "core/arm64/cpu.h"

/* op0:op1:CRn:CRm:op2 packed as in MRS/MSR bits [20:5] (16 bits; op0 is 2 or 3). */
#define A64_SYSREG_KEY(op0, op1, crn, crm, op2)                                                    \
    ((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))

struct a64_sysreg_info {
    uint16_t key;
    enum a64_sysreg reg;
    const char *name;
    uint8_t el_read, el_write; /* lowest EL that may; 15: never (UNDEFINED) */
    uint8_t flags;             /* enum a64_sysreg_flags */
    uint64_t (*read)(struct a64_cpu *cpu, enum a64_sysreg reg);              /* NULL: sys[reg] */
    void (*write)(struct a64_cpu *cpu, enum a64_sysreg reg, uint64_t value); /* NULL: sys[reg] */
};

enum a64_sysreg_flags {
    A64_SYSREG_PLAIN_READ = 1,  /* translated code may read sys[reg] itself */
    A64_SYSREG_PLAIN_WRITE = 2, /* ... and write it: no side effect */
    A64_SYSREG_ENDS_BLOCK = 4,  /* a write changes translation, masks or traps: leave the block */
    A64_SYSREG_EL0_TRAP = 16,   /* EL0's access depends on a control register: a64_el0_traps() */
};

/* NULL: not implemented (UNDEFINED, counted and named in the log). */
const struct a64_sysreg_info *a64_sysreg_find(uint16_t key);
const struct a64_sysreg_info *a64_sysreg_by_id(enum a64_sysreg reg);

/* Whether EL2 never traps EL1's access to it, so that its flags hold there too. */
bool a64_el2_never_traps(const struct a64_sysreg_info *info);

/* MRS, MSR (register), MSR (immediate), SYS and SYSL with traps and undefined cases. Xt as a
 * number. On an exception pc is the vector. MSR may return A64_EXIT. */
enum a64_step a64_mrs(struct a64_cpu *cpu, uint16_t key, unsigned rt);
enum a64_step a64_msr(struct a64_cpu *cpu, uint16_t key, unsigned rt);
enum a64_step a64_msr_imm(struct a64_cpu *cpu, unsigned op1, unsigned op2, unsigned imm);
enum a64_step a64_sys(struct a64_cpu *cpu, unsigned op1, unsigned crn, unsigned crm, unsigned op2,
                      unsigned rt);

/* FPSR with the host's sticky bits folded in, for engines that keep some in MXCSR. */
uint32_t a64_fpsr_get(struct a64_cpu *cpu);
void a64_fpsr_set(struct a64_cpu *cpu, uint32_t value);
void a64_fpcr_set(struct a64_cpu *cpu, uint32_t value);

#endif
