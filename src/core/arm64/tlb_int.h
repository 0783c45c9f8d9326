/* tlb_int.h: a CPU's TLB, as the files that keep it share it. */
#ifndef PENG_CORE_ARM64_TLB_INT_H
#define PENG_CORE_ARM64_TLB_INT_H

#include "core/arm64/el2.h"

enum { L2_SETS = 512, L2_WAYS = 4, LIST_MAX = 16 };

/* The second level: what a walk found for a page. */
struct l2_entry {
    uint64_t va; /* of the page, canonical */
    struct a64_leaf leaf;
    uint32_t generation;
    uint16_t asid; /* for non-global leaves */
};

/* Entries of EL1's bank to drop on some event; count over LIST_MAX means "all". */
struct drop_list {
    uint16_t index[LIST_MAX];
    unsigned count;
};

struct a64_tlb {
    struct a64_tlb_bank el1;
    struct a64_tlb_bank user[A64_USER_BANKS];
    uint32_t user_asid[A64_USER_BANKS]; /* as in the banks, but on one cache line */
    struct a64_tlb_bank *user_now;
    uint16_t asid_now;
    uint64_t clock;
    struct drop_list of_asid, of_pan;
    struct a64_tlb_entry scratch; /* for stores to read-only memory, never kept */
    struct l2_entry l2[L2_SETS][L2_WAYS];
    uint8_t l2_victim[L2_SETS];
    uint64_t l2_shifts; /* bit n: a page of 2^n bytes may be in there */
    uint32_t generation;
    struct a64_jump pa_jumps[A64_PA_JUMPS];
};

/* The CPU's TLBs, one without EL2. NULL: not there, or no more. */
static inline struct a64_tlb *tlb_at(const struct a64_cpu *cpu, unsigned i)
{
    if (cpu->el2)
        return cpu->el2->tlbs[i];
    return i == 0 ? cpu->tlb : NULL;
}

/* tlb_level2.c: drops what is known of va (of this ASID, or of all), of an ASID, of everything. */
void l2_drop(struct a64_tlb *tlb, uint64_t va, bool all_asids, uint16_t asid);
void l2_drop_asid(struct a64_tlb *tlb, uint16_t asid);
void l2_empty(struct a64_tlb *tlb);

#endif
