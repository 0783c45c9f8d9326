/* tlb_jumps.c: drops what a CPU's jump caches, and its stack of returns, know of code that is gone:
 * of one page, of the TLB in use, of all.
 */
#include "core/arm64/tlb_int.h"

#include <string.h>
#include <sys/mman.h>

static void drop_all_jumps(struct a64_tlb *tlb)
{
    a64_bank_drop_all_jumps(&tlb->el1);
    for (unsigned i = 0; i < A64_USER_BANKS; i++)
        if (tlb->user[i].used)
            a64_bank_drop_all_jumps(&tlb->user[i]);
}

void a64_jumps_clear(struct a64_cpu *cpu)
{
    a64_forget_returns(cpu);
    if (cpu->identity) {
        madvise(cpu->bank, sizeof(*cpu->bank), MADV_DONTNEED);
        a64_user_empty_jump(cpu, &cpu->bank->jumps[0]); /* zeros match address 0, looked up there */
        return;
    }
    for (unsigned i = 0; i < A64_EL2_TLBS; i++)
        if (tlb_at(cpu, i))
            drop_all_jumps(tlb_at(cpu, i));
    memset(cpu->pa_jumps, 0, sizeof(cpu->tlb->pa_jumps));
}

void a64_jumps_forget(struct a64_cpu *cpu)
{
    a64_forget_returns(cpu);
    drop_all_jumps(cpu->tlb);
}

static void drop_jumps_to(struct a64_tlb_bank *bank, uint64_t page_pa)
{
    if (!bank->used)
        return;
    for (unsigned i = 0; i < A64_JUMP_PAGES; i++)
        if (bank->jump_page_pa[i] == page_pa && bank->jump_pages[i] != A64_TLB_NONE)
            a64_bank_drop_jumps(bank, bank->jump_pages[i] << 12);
}

void a64_jumps_drop_page(struct a64_cpu *cpu, uint64_t pa)
{
    const uint64_t page_bits = (1ull << A64_PA_CONTEXT_SHIFT) - 4096;
    uint64_t page_pa = pa & ~0xfffull;
    a64_forget_returns(cpu);
    for (unsigned t = 0; t < A64_EL2_TLBS; t++) {
        struct a64_tlb *tlb = tlb_at(cpu, t);
        if (!tlb)
            continue;
        drop_jumps_to(&tlb->el1, page_pa);
        for (unsigned i = 0; i < A64_USER_BANKS; i++)
            drop_jumps_to(&tlb->user[i], page_pa);
    }
    for (uint64_t at = page_pa; at < page_pa + 4096; at += 4) {
        struct a64_jump *jump = a64_pa_jump(cpu, at);
        if ((jump->va & page_bits) == page_pa)
            jump->va = 0;
    }
}
