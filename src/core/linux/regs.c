/* regs.c: registers between struct a64_cpu and the kernel's register sets. */
#include "core/linux/regs.h"

#include <string.h>

#include "core/arm64/sysreg.h"

void linux_regs_get(const struct a64_cpu *cpu, struct linux_user_regs *ret)
{
    memcpy(ret->x, cpu->x, sizeof(ret->x));
    ret->sp = cpu->x[A64_SP];
    ret->pc = cpu->pc;
    ret->pstate = a64_nzcv_get(cpu);
}

void linux_regs_set(struct a64_cpu *cpu, const struct linux_user_regs *regs)
{
    memcpy(cpu->x, regs->x, sizeof(regs->x));
    cpu->x[A64_SP] = regs->sp;
    cpu->pc = regs->pc;
    a64_nzcv_set(cpu, (uint32_t)regs->pstate & 0xf0000000);
}

void linux_fpsimd_get(struct a64_cpu *cpu, struct linux_user_fpsimd *ret)
{
    memset(ret, 0, sizeof(*ret));
    memcpy(ret->v, cpu->v, sizeof(ret->v));
    ret->fpsr = a64_fpsr_get(cpu);
    ret->fpcr = cpu->fpcr;
}

void linux_fpsimd_set(struct a64_cpu *cpu, const struct linux_user_fpsimd *regs)
{
    memcpy(cpu->v, regs->v, sizeof(cpu->v));
    a64_fpsr_set(cpu, regs->fpsr);
    a64_fpcr_set(cpu, regs->fpcr);
}
