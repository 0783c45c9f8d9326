/* fault.c: host faults that belong to the guest.
 *
 * Translated code touches guest memory with plain instructions. When one faults, its unit says
 * which guest instruction it is part of; nothing of that instruction has happened yet, so the unit
 * is left with exact registers and the abort is taken. Where the host does not tell the address (it
 * is not canonical: a tag in the top byte, which Arm ignores) the interpreter executes the
 * instruction again. Faults of C code while the CPU is in the guest are the interpreter's: its
 * bodies change no register before their last access, so the run loop takes over from there with
 * the fault as the host described it.
 *
 * Runs in the host's signal handler: no locks, no allocation.
 */
#include "core/linux/linux_int.h"

#include <setjmp.h>
#include <ucontext.h>

enum { RED_ZONE = 128 };

/* Where a fault in the interpreter goes on: on the interrupted stack, out of the handler. */
static void __attribute__((noreturn)) back_to_the_run_loop(void)
{
    longjmp(*(jmp_buf *)linux_self->recover, 1);
}

/* ESR_EL1 of a data abort from EL0; level 3, as for a page; WnR from x86's error code. */
static uint64_t syndrome(const siginfo_t *info, const greg_t *regs)
{
    enum { EC_DATA_ABORT = 0x24, FSC_TRANSLATION = 7, FSC_PERMISSION = 15, FSC_EXTERNAL = 16 };
    unsigned fsc = info->si_signo == SIGBUS       ? FSC_EXTERNAL
                   : info->si_code == SEGV_ACCERR ? FSC_PERMISSION
                                                  : FSC_TRANSLATION;
    unsigned write = regs[REG_ERR] >> 1 & 1;
    return (uint64_t)EC_DATA_ABORT << 26 | 1u << 25 | write << 6 | fsc;
}

static void take_abort(struct linux_thread *t, const siginfo_t *info, const greg_t *regs)
{
    t->fault = (struct linux_fault){info->si_signo, info->si_code, (uintptr_t)info->si_addr};
    t->cpu->sys[A64_ESR_EL1] = syndrome(info, regs);
    t->cpu->sys[A64_FAR_EL1] = t->fault.address;
    t->cpu->trapped = true;
}

bool linux_fault_recover(struct linux_thread *t, const siginfo_t *info, void *context)
{
    greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
    uintptr_t pc = (uintptr_t)regs[REG_RIP];
    if (info->si_code <= 0) /* somebody sent it */
        return false;
    uintptr_t fixed = linux_access_fixup(pc);
    if (fixed) {
        regs[REG_RIP] = (greg_t)fixed;
        return true;
    }
    if (!t)
        return false;
    struct translator *translator = t->process->translator;
    struct translator_fault fault = {.pc = pc,
                                     .address = (uintptr_t)info->si_addr,
                                     .flags = (uint32_t)regs[REG_EFL],
                                     .rax = (uint64_t)regs[REG_RAX],
                                     .sp = (uint64_t)regs[REG_RSP]};
    if (translator && translator_recover(translator, t->cpu, &fault)) {
        regs[REG_RIP] = (greg_t)fault.pc;
        regs[REG_RAX] = (greg_t)fault.rax;
        regs[REG_RSP] = (greg_t)fault.sp;
        if (fault.aborted && info->si_code != SI_KERNEL) {
            regs[REG_RAX] = 0; /* no exit's tag */
            take_abort(t, info, regs);
        }
        return true;
    }
    if (!atomic_load(&t->cpu->signals.in_guest))
        return false;
    take_abort(t, info, regs);
    regs[REG_RIP] = (greg_t)(uintptr_t)back_to_the_run_loop;
    regs[REG_RSP] = (greg_t)(align_down((uint64_t)regs[REG_RSP] - RED_ZONE, 16) - 8);
    return true;
}
