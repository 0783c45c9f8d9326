/* mmu_int.h: what mmu.c, tlb.c and access.c share: the leaf of a walk before permissions are
 * judged, so that one cached walk serves every EL, access and PSTATE.PAN.
 */
#ifndef PENG_CORE_ARM64_MMU_INT_H
#define PENG_CORE_ARM64_MMU_INT_H

#include "core/arm64/mmu.h"

/* Fault status codes, ISS[5:0] of aborts (DDI 0487 D17.2.37); the first five add the level. */
enum a64_fsc {
    A64_FSC_ADDRESS_SIZE = 0x00,
    A64_FSC_TRANSLATION = 0x04,
    A64_FSC_ACCESS_FLAG = 0x08,
    A64_FSC_PERMISSION = 0x0c,
    A64_FSC_WALK_ABORT = 0x14,
    A64_FSC_EXTERNAL = 0x10,
    A64_FSC_ALIGNMENT = 0x21,
    A64_FSC_DEBUG = 0x22,
    A64_FSC_EXCLUSIVE = 0x35, /* unsupported exclusive or atomic access */
};
#define A64_FAULT (1u << 31)

struct a64_leaf {
    uint64_t pa;   /* of the page's or block's first byte */
    uint8_t shift; /* log2 of its size */
    uint8_t level; /* where the walk ended, for permission faults */
    uint8_t attr;  /* MAIR_EL1's byte */
    uint8_t ap;    /* AP[2:1] after APTable: bit 0 EL0 may, bit 1 read-only */
    bool uxn, pxn, non_global;
};

/* SCTLR_EL1 bits that the memory system looks at. */
enum {
    A64_SCTLR_M = 1 << 0,
    A64_SCTLR_A = 1 << 1,
    A64_SCTLR_SA = 1 << 3,
    A64_SCTLR_SA0 = 1 << 4,
    A64_SCTLR_WXN = 1 << 19,
};

/* The ASID in use (TCR_EL1.A1 says whose). */
uint16_t a64_current_asid(const struct a64_cpu *cpu);

/* Finds the leaf for va by walking memory (or the flat map while SCTLR_EL1.M = 0). Returns 0 or a
 * fault. */
uint32_t a64_walk_tables(const struct a64_cpu *cpu, uint64_t va, struct a64_leaf *ret);

/* FEAT_E0PD: TCR_EL1.E0PD0/1 keep EL0 off this half; its accesses fault as if nothing were mapped.
 */
bool a64_el0_kept_off(const struct a64_cpu *cpu, uint64_t va);

/* What `el` may do through this leaf; `pan`: PSTATE.PAN counts for this access. */
void a64_leaf_rights(const struct a64_cpu *cpu, const struct a64_leaf *leaf, unsigned el, bool pan,
                     struct a64_walk *walk);

static inline bool a64_walk_allows(const struct a64_walk *walk, enum a64_access access)
{
    return access == A64_READ ? walk->read : access == A64_WRITE ? walk->write : walk->exec;
}

/* As a64_walk_tables through the second-level TLB; ret_cached tells that no walk was made. */
uint32_t a64_translate(struct a64_cpu *cpu, uint64_t va, struct a64_leaf *ret, bool *ret_cached);
/* DC ZVA: zeroes the naturally aligned block of block_bytes around va. False: exception taken. */
bool a64_zero_block(struct a64_cpu *cpu, uint64_t va, unsigned block_bytes);
/* Drops second-level entries for va, whatever their ASID. */
void a64_l2_drop(struct a64_cpu *cpu, uint64_t va);

#endif
