/* regs.h: a thread's registers as Linux for arm64 shows them to debuggers and in core files.
 *
 * Source: Linux 6.1, arch/arm64/include/uapi/asm/ptrace.h.
 */
#ifndef PENG_CORE_LINUX_REGS_H
#define PENG_CORE_LINUX_REGS_H

#include <assert.h>
#include <stdint.h>

#include "core/arm64/cpu.h"

struct linux_user_regs { /* struct user_pt_regs: NT_PRSTATUS */
    uint64_t x[31], sp, pc, pstate;
};
static_assert(sizeof(struct linux_user_regs) == 272, "struct user_pt_regs");

struct linux_user_fpsimd { /* struct user_fpsimd_state: NT_PRFPREG */
    union a64_vreg v[32];
    uint32_t fpsr, fpcr, reserved[2];
};
static_assert(sizeof(struct linux_user_fpsimd) == 528, "struct user_fpsimd_state");

void linux_regs_get(const struct a64_cpu *cpu, struct linux_user_regs *ret);
/* PSTATE but its flags stays. */
void linux_regs_set(struct a64_cpu *cpu, const struct linux_user_regs *regs);
/* Folds the translator's share of FPSR in, so `cpu` changes. */
void linux_fpsimd_get(struct a64_cpu *cpu, struct linux_user_fpsimd *ret);
void linux_fpsimd_set(struct a64_cpu *cpu, const struct linux_user_fpsimd *regs);

#endif
