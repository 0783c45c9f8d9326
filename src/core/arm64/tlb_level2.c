/* tlb_level2.c: the TLB's second level: what walks found, behind the banks.
 *
 * Set-associative by address and page size, tagged by ASID; holds leaves before any judgement of
 * rights. A generation number empties it at once.
 */
#include "core/arm64/tlb_int.h"

#include <string.h>

#include "base/bytes.h"

static struct l2_entry *l2_set(struct a64_tlb *tlb, uint64_t page, unsigned shift,
                               unsigned *ret_set)
{
    uint64_t number = page >> shift;
    *ret_set = (unsigned)(number ^ number >> 8 ^ shift) % L2_SETS;
    return tlb->l2[*ret_set];
}

static struct l2_entry *l2_find(struct a64_tlb *tlb, uint64_t va, uint16_t asid)
{
    for (uint64_t left = tlb->l2_shifts; left; left &= left - 1) {
        unsigned shift = (unsigned)__builtin_ctzll(left), set;
        uint64_t page = align_down(va, 1ull << shift);
        struct l2_entry *ways = l2_set(tlb, page, shift, &set);
        for (unsigned w = 0; w < L2_WAYS; w++)
            if (ways[w].va == page && ways[w].generation == tlb->generation &&
                ways[w].leaf.shift == shift && (!ways[w].leaf.non_global || ways[w].asid == asid))
                return &ways[w];
    }
    return NULL;
}

static void l2_insert(struct a64_tlb *tlb, uint64_t va, const struct a64_leaf *leaf)
{
    unsigned set;
    uint64_t page = align_down(va, 1ull << leaf->shift);
    struct l2_entry *ways = l2_set(tlb, page, leaf->shift, &set), *to = NULL;
    for (unsigned w = 0; w < L2_WAYS && !to; w++)
        if (ways[w].generation != tlb->generation)
            to = &ways[w];
    if (!to)
        to = &ways[tlb->l2_victim[set]++ % L2_WAYS];
    *to = (struct l2_entry){page, *leaf, tlb->generation, tlb->asid_now};
    tlb->l2_shifts |= 1ull << leaf->shift;
}

void l2_drop(struct a64_tlb *tlb, uint64_t va, bool all_asids, uint16_t asid)
{
    for (uint64_t left = tlb->l2_shifts; left; left &= left - 1) {
        unsigned shift = (unsigned)__builtin_ctzll(left), set;
        uint64_t page = align_down(va, 1ull << shift);
        struct l2_entry *ways = l2_set(tlb, page, shift, &set);
        for (unsigned w = 0; w < L2_WAYS; w++)
            if (ways[w].va == page &&
                (all_asids || !ways[w].leaf.non_global || ways[w].asid == asid))
                ways[w].generation = tlb->generation - 1;
    }
}

void l2_drop_asid(struct a64_tlb *tlb, uint16_t asid)
{
    for (unsigned s = 0; s < L2_SETS; s++)
        for (unsigned w = 0; w < L2_WAYS; w++)
            if (tlb->l2[s][w].leaf.non_global && tlb->l2[s][w].asid == asid)
                tlb->l2[s][w].generation = tlb->generation - 1;
}

void l2_empty(struct a64_tlb *tlb)
{
    tlb->l2_shifts = 0;
    if (++tlb->generation == 0) { /* wrapped: no old entry may look new */
        memset(tlb->l2, 0, sizeof(tlb->l2));
        tlb->generation = 1;
    }
}

void a64_l2_drop(struct a64_cpu *cpu, uint64_t va)
{
    l2_drop(cpu->tlb, a64_untag(cpu, va), true, 0);
}

uint32_t a64_translate(struct a64_cpu *cpu, uint64_t va, struct a64_leaf *ret, bool *ret_cached)
{
    struct a64_tlb *tlb = cpu->tlb;
    *ret_cached = false;
    if (!(cpu->sys[A64_SCTLR_EL1] & A64_SCTLR_M))
        return a64_walk_tables(cpu, va, ret);
    uint64_t clean = a64_untag(cpu, va);
    const struct l2_entry *found = l2_find(tlb, clean, tlb->asid_now);
    if (found) {
        *ret = found->leaf;
        *ret_cached = true;
        return 0;
    }
    cpu->walks++;
    uint32_t failed = a64_walk_tables(cpu, va, ret);
    if (!failed)
        l2_insert(tlb, clean, ret);
    return failed;
}
