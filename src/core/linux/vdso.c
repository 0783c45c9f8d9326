/* vdso.c: the signal trampoline.
 *
 * It is a page of this program's own read-only data: nothing needs to be mapped when a process
 * starts. Unwinders know a signal frame by these two instructions behind the return address
 * (libgcc, config/aarch64/linux-unwind.h). AT_SYSINFO_EHDR is not offered: a clock that is read by
 * a system call is as fast through libc.
 */
#include "core/linux/vdso.h"

#include <sys/mman.h>

#include "core/linux/memory_int.h"

static const uint32_t page[LINUX_PAGE / sizeof(uint32_t)] __attribute__((aligned(LINUX_PAGE))) = {
    0xd503201f, /* nop: unwinders look one instruction before the return address */
    0xd2801168, /* mov x8, #139 (rt_sigreturn) */
    0xd4000001, /* svc #0 */
};

void linux_vdso_map(struct linux_process *p)
{
    uint64_t at = (uint64_t)page;
    linux_memory_lock(p);
    linux_memory_book(p, at, at + sizeof(page), PROT_READ | PROT_EXEC);
    linux_memory_unlock(p);
    p->layout.sigreturn = at + sizeof(page[0]);
}
