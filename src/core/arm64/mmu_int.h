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
#define A64_ISS_CM       (1u << 8) /* of a data abort: cache maintenance or AT */
#define A64_FAULT        (1u << 31)
#define A64_FAULT_STAGE2 (1u << 30) /* of EL2's stage */
#define A64_FAULT_TABLE  (1u << 29) /* ... on the way to a table of stage 1 */

enum { A64_DENIES_READ = 1, A64_DENIES_WRITE = 2, A64_DENIES_EXEC = 4 };

struct a64_leaf {
    uint64_t pa;   /* of the page's or block's first byte */
    uint8_t shift; /* log2 of its size */
    uint8_t level; /* where the walk ended, for permission faults */
    uint8_t attr;  /* MAIR_EL1's byte */
    uint8_t ap;    /* AP[2:1] after APTable: bit 0 EL0 may, bit 1 read-only */
    bool uxn, pxn, non_global;
    uint8_t denied; /* A64_DENIES_* bits: what stage 2 does not allow */
    uint8_t level2; /* where its walk ended */
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

/* Blocks exist at levels 1 and 2 of the 4 KiB granule and at level 2 of the others (Table D8-12);
 * at level 3 a descriptor without its table bit is invalid. */
static inline bool a64_block_allowed(unsigned granule, unsigned level)
{
    return level == 2 || (level == 1 && granule == 12);
}

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

/* The fault of an access that a64_walk_allows() refused. */
uint32_t a64_permission_fault(const struct a64_cpu *cpu, const struct a64_leaf *leaf, unsigned el,
                              bool pan, enum a64_access access);

/* As a64_walk_tables through the second-level TLB; ret_cached tells that no walk was made. */
uint32_t a64_translate(struct a64_cpu *cpu, uint64_t va, struct a64_leaf *ret, bool *ret_cached);
/* DC ZVA: zeroes the naturally aligned block of block_bytes around va. False: exception taken. */
bool a64_zero_block(struct a64_cpu *cpu, uint64_t va, unsigned block_bytes);
/* Drops second-level entries for va, whatever their ASID. */
void a64_l2_drop(struct a64_cpu *cpu, uint64_t va);
/* The word at pc, where it can be read: no fault, no exception. */
bool a64_running_insn(struct a64_cpu *cpu, uint32_t *ret_raw);

/* a64_tlbi() for the TLBs of a scope, as a64_el2_for_tlbs() takes it. */
void a64_tlbi_scope(struct a64_cpu *cpu, enum a64_tlbi op, uint64_t scope, uint64_t arg,
                    bool broadcast);

/* TLBs as such, for CPUs that have several. Memory is taken as it is touched. */
struct a64_tlb *a64_tlb_make(struct err *e);
void a64_tlb_delete(struct a64_tlb *tlb); /* NULL is a no-op */
void a64_tlb_empty(struct a64_tlb *tlb);

#endif
