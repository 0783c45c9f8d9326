/* returns.c: a mapping with a page below that cannot be written. Calls fill it by recursion, or by
 * not returning (longjmp); then the stack starts again empty. In user mode who pushes into the page
 * below has filled it; machines have no handler of such faults, and compare with returns_limit()
 * at each call. Above its base lie entries that no return matches, for those who look further up.
 */
#include "core/translator/returns.h"

#include <stdlib.h>
#include <sys/mman.h>

enum { GUARD_BYTES = 4096, STACK_BYTES = 128 << 10, ENTRY_BYTES = 16, END_ENTRIES = 16 };
enum { SPARE_BYTES = 32 << 10 }; /* for what stubs push, and for the frames of host signals */

static uint8_t *mapping_of(const struct a64_cpu *cpu)
{
    uint64_t top = cpu->returns_base + END_ENTRIES * ENTRY_BYTES;
    return (uint8_t *)(uintptr_t)(top - STACK_BYTES - GUARD_BYTES);
}

void returns_new(struct a64_cpu *cpu, const void *end)
{
    uint8_t *mapping = mmap(NULL, GUARD_BYTES + STACK_BYTES, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapping == MAP_FAILED || mprotect(mapping, GUARD_BYTES, PROT_NONE) < 0)
        abort();
    uint64_t *top = (uint64_t *)(void *)(mapping + GUARD_BYTES + STACK_BYTES);
    for (unsigned i = 0; i < END_ENTRIES; i++) {
        *--top = UINT64_MAX; /* no instruction lies there, but a guest may still return to it */
        *--top = (uintptr_t)end;
    }
    cpu->returns_base = (uintptr_t)top;
    a64_forget_returns(cpu);
}

void returns_free(struct a64_cpu *cpu)
{
    if (cpu->returns_base)
        munmap(mapping_of(cpu), GUARD_BYTES + STACK_BYTES);
    cpu->returns_base = cpu->returns = 0;
}

uint64_t returns_limit(const struct a64_cpu *cpu)
{
    return cpu->returns_base - STACK_BYTES + SPARE_BYTES;
}

bool returns_full(const struct a64_cpu *cpu, uintptr_t address, uint64_t sp, uint64_t *ret_sp)
{
    if (!cpu->returns_base || address - (uintptr_t)mapping_of(cpu) >= GUARD_BYTES ||
        address != sp - 8) /* else it is the guest's own access */
        return false;
    *ret_sp = cpu->returns_base;
    return true;
}
