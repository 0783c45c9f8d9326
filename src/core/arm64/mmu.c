/* mmu.c: stage 1 of the EL1&0 translation regime, walked from memory (DDI 0487 chapter D8).
 *
 * Two halves: a64_walk_tables() goes from a virtual address to a leaf (output address, size,
 * attributes), and a64_leaf_rights() judges the leaf for an exception level. The TLB caches leaves,
 * so that a change of EL or PSTATE.PAN needs no new walk.
 *
 * All three granules, 48-bit input and output addresses, TBI, EPD, the hierarchical attributes and
 * their disables (FEAT_HPDS), E0PD. The contiguous hint is ignored, as the architecture allows.
 * Limits: no hardware update of the access flag or dirty state, no 52-bit addresses, little-endian
 * tables.
 */
#include "core/arm64/el2.h"

#include "base/bytes.h"

enum { PA_BITS_MAX = 48, TXSZ_MIN = 16, TXSZ_MAX = 39 };

/* One half of the address space as TCR_EL1 describes it. */
struct half {
    uint64_t table;       /* TTBRx_EL1 */
    unsigned granule;     /* log2 bytes: 12, 14 or 16 */
    unsigned input_bits;  /* 64 - TxSZ */
    unsigned output_bits; /* from TCR_EL1.IPS */
    bool disabled;        /* EPDx */
    bool no_hierarchy;    /* HPDx */
};

static bool top_byte_ignored(uint64_t tcr, uint64_t va)
{
    return bits(tcr, va >> 55 & 1 ? 38 : 37, 1);
}

uint64_t a64_untag(const struct a64_cpu *cpu, uint64_t va)
{
    if (top_byte_ignored(cpu->sys[A64_TCR_EL1], va))
        return (uint64_t)sign_extend(va, 56);
    return va;
}

uint16_t a64_current_asid(const struct a64_cpu *cpu)
{
    uint64_t tcr = cpu->sys[A64_TCR_EL1];
    uint64_t ttbr = cpu->sys[bits(tcr, 22, 1) ? A64_TTBR1_EL1 : A64_TTBR0_EL1];
    return (uint16_t)(ttbr >> 48) & (bits(tcr, 36, 1) ? 0xffff : 0xff);
}

static unsigned output_bits(uint64_t tcr)
{
    static const uint8_t by_ips[8] = {32, 36, 40, 42, 44, 48, 48, 48};
    return by_ips[bits(tcr, 32, 3)];
}

static struct half half_of(const struct a64_cpu *cpu, bool high)
{
    static const uint8_t by_tg0[4] = {12, 16, 14, 12}, by_tg1[4] = {12, 14, 12, 16};
    uint64_t tcr = cpu->sys[A64_TCR_EL1];
    unsigned size = (unsigned)bits(tcr, high ? 16 : 0, 6);
    /* Out of range sizes are CONSTRAINED UNPREDICTABLE: taken as the nearest valid one. */
    size = size < TXSZ_MIN ? TXSZ_MIN : size > TXSZ_MAX ? TXSZ_MAX : size;
    return (struct half){
        .table = cpu->sys[high ? A64_TTBR1_EL1 : A64_TTBR0_EL1],
        .granule = high ? by_tg1[bits(tcr, 30, 2)] : by_tg0[bits(tcr, 14, 2)],
        .input_bits = 64 - size,
        .output_bits = output_bits(tcr),
        .disabled = bits(tcr, high ? 23 : 7, 1),
        .no_hierarchy = bits(tcr, high ? 42 : 41, 1),
    };
}

static uint32_t fault(enum a64_fsc fsc, unsigned level)
{
    return A64_FAULT | ((unsigned)fsc + level);
}

/* While the MMU is off every address is itself; data accesses are Device-nGnRnE, fetches Normal
 * (D8.2.12). rights() gives EL0 and EL1 everything. */
static uint32_t flat_map(const struct a64_cpu *cpu, uint64_t va, struct a64_leaf *ret)
{
    if (va >> PA_BITS_MAX && a64_untag(cpu, va) >> PA_BITS_MAX)
        return fault(A64_FSC_ADDRESS_SIZE, 0);
    *ret = (struct a64_leaf){
        .pa = align_down(va & ((1ull << PA_BITS_MAX) - 1), 4096), .shift = 12, .ap = 1};
    return 0;
}

/* EL2's regime while HCR_EL2.E2H = 0: one privilege level, with one execute-never bit (D8.4.1). */
static void make_single(struct a64_leaf *leaf)
{
    leaf->ap &= ~1u;
    leaf->pxn = leaf->uxn;
}

static uint32_t leaf_from(const struct a64_cpu *cpu, const struct half *half, uint64_t desc,
                          uint64_t hierarchy, unsigned level, unsigned shift, struct a64_leaf *ret)
{
    uint64_t pa = desc & align_down((1ull << PA_BITS_MAX) - 1, 1ull << shift);
    if (pa >> half->output_bits)
        return fault(A64_FSC_ADDRESS_SIZE, level);
    if (!bits(desc, 10, 1))
        return fault(A64_FSC_ACCESS_FLAG, level);
    unsigned ap = (unsigned)bits(desc, 6, 2);
    if (bits(hierarchy, 61, 1)) /* APTable[0]: not for EL0 */
        ap &= ~1u;
    if (bits(hierarchy, 62, 1)) /* APTable[1]: read-only */
        ap |= 2;
    *ret = (struct a64_leaf){
        .pa = pa,
        .shift = (uint8_t)shift,
        .level = (uint8_t)level,
        .attr = (uint8_t)(cpu->sys[A64_MAIR_EL1] >> (8 * bits(desc, 2, 3))),
        .ap = (uint8_t)ap,
        .uxn = bits(desc | hierarchy >> 6, 54, 1), /* UXNTable is bit 60 */
        .pxn = bits(desc | hierarchy >> 6, 53, 1), /* PXNTable is bit 59 */
        .non_global = bits(desc, 11, 1),
    };
    if (cpu->el2 && cpu->el2->inside && !a64_el2_hcr(cpu, A64_HCR_E2H))
        make_single(ret);
    return 0;
}

/* The descriptor at `address`, which EL2 may translate again. */
static uint32_t read_descriptor(const struct a64_cpu *cpu, uint64_t address, unsigned level,
                                uint64_t *ret)
{
    uint32_t failed = a64_el2_stage2_on(cpu) ? a64_el2_table_pa(cpu, address, &address) : 0;
    if (failed)
        return failed;
    const uint64_t *slot = guestmem_ptr(cpu->system->mem, address, 8, false);
    if (!slot)
        return fault(A64_FSC_WALK_ABORT, level);
    *ret = __atomic_load_n(slot, __ATOMIC_RELAXED);
    return 0;
}

static uint32_t walk_stage1(const struct a64_cpu *cpu, uint64_t va, struct a64_leaf *ret)
{
    struct half half = half_of(cpu, va >> 55 & 1);
    uint64_t clean = a64_untag(cpu, va);
    if (half.disabled || clean != (uint64_t)sign_extend(clean, half.input_bits + 1) ||
        (clean >> half.input_bits & 1) != (va >> 55 & 1))
        return fault(A64_FSC_TRANSLATION, 0);

    unsigned stride = half.granule - 3;
    unsigned level = 4 - (half.input_bits - half.granule + stride - 1) / stride;
    unsigned shift = half.granule + stride * (3 - level);
    uint64_t low = (1ull << half.input_bits) - 1;
    /* The first table is aligned to its size, which may be less than a granule (D8.2.5). */
    uint64_t first_bytes = 8ull << (half.input_bits - shift);
    uint64_t table = half.table & ((1ull << PA_BITS_MAX) - 2);
    if (table >> half.output_bits)
        return fault(A64_FSC_ADDRESS_SIZE, 0);
    table = align_down(table, first_bytes);

    uint64_t hierarchy = 0;
    for (;; level++, shift -= stride) {
        uint64_t index = (clean & low) >> shift, desc;
        uint32_t failed = read_descriptor(cpu, table + 8 * index, level, &desc);
        if (failed)
            return failed;
        bool table_or_page = desc & 2;
        if (!(desc & 1) || (!table_or_page && !a64_block_allowed(half.granule, level)))
            return fault(A64_FSC_TRANSLATION, level);
        if (level == 3 || !table_or_page)
            return leaf_from(cpu, &half, desc, hierarchy, level, shift, ret);
        table = desc & align_down((1ull << PA_BITS_MAX) - 1, 1ull << half.granule);
        if (table >> half.output_bits)
            return fault(A64_FSC_ADDRESS_SIZE, level);
        if (!half.no_hierarchy)
            hierarchy |= desc;
        low = (1ull << shift) - 1;
    }
}

static uint32_t walk_first(const struct a64_cpu *cpu, uint64_t va, struct a64_leaf *ret)
{
    bool mmu = cpu->sys[A64_SCTLR_EL1] & A64_SCTLR_M;
    return mmu ? walk_stage1(cpu, va, ret) : flat_map(cpu, va, ret);
}

uint32_t a64_walk_tables(const struct a64_cpu *cpu, uint64_t va, struct a64_leaf *ret)
{
    uint32_t failed = walk_first(cpu, va, ret);
    return !failed && a64_el2_stage2_on(cpu) ? a64_el2_combine(cpu, va, ret) : failed;
}

bool a64_el0_kept_off(const struct a64_cpu *cpu, uint64_t va)
{
    return bits(cpu->sys[A64_TCR_EL1], va >> 55 & 1 ? 56 : 55, 1) &&
           (cpu->sys[A64_SCTLR_EL1] & A64_SCTLR_M);
}

static void minus_denied(const struct a64_leaf *leaf, struct a64_walk *walk)
{
    if (!leaf->denied)
        return;
    walk->read &= !(leaf->denied & A64_DENIES_READ);
    walk->write &= !(leaf->denied & A64_DENIES_WRITE);
    walk->exec &= !(leaf->denied & A64_DENIES_EXEC);
}

void a64_leaf_rights(const struct a64_cpu *cpu, const struct a64_leaf *leaf, unsigned el, bool pan,
                     struct a64_walk *walk)
{
    uint64_t sctlr = cpu->sys[A64_SCTLR_EL1];
    walk->page_bytes = 1ull << leaf->shift;
    walk->global = !leaf->non_global;
    walk->device = leaf->attr >> 4 == 0;
    if (!(sctlr & A64_SCTLR_M)) {
        walk->read = walk->write = walk->exec = true;
        minus_denied(leaf, walk);
        return;
    }
    bool for_el0 = leaf->ap & 1, writable = !(leaf->ap & 2);
    if (el == 0) {
        walk->read = for_el0;
        walk->write = for_el0 && writable;
        walk->exec = !leaf->uxn;
    } else {
        walk->read = !(pan && for_el0);
        walk->write = writable && walk->read;
        /* What EL0 may write, EL1 never executes (D8.4.1). */
        walk->exec = !leaf->pxn && !(for_el0 && writable);
    }
    if ((sctlr & A64_SCTLR_WXN) && writable && (el != 0 || for_el0))
        walk->exec = false;
    minus_denied(leaf, walk);
}

uint32_t a64_permission_fault(const struct a64_cpu *cpu, const struct a64_leaf *leaf, unsigned el,
                              bool pan, enum a64_access access)
{
    struct a64_leaf first = *leaf;
    struct a64_walk walk;
    first.denied = 0;
    a64_leaf_rights(cpu, &first, el, pan, &walk);
    return a64_walk_allows(&walk, access)
               ? A64_FAULT_STAGE2 | fault(A64_FSC_PERMISSION, leaf->level2)
               : fault(A64_FSC_PERMISSION, leaf->level);
}

uint32_t a64_walk(struct a64_cpu *cpu, uint64_t va, enum a64_access access, unsigned el,
                  struct a64_walk *ret)
{
    struct a64_leaf leaf;
    if (el == 0 && a64_el0_kept_off(cpu, va))
        return fault(A64_FSC_TRANSLATION, 0);
    uint32_t failed = a64_walk_tables(cpu, va, &leaf);
    if (failed)
        return failed;
    a64_leaf_rights(cpu, &leaf, el, false, ret);
    ret->pa = leaf.pa | (va & (ret->page_bytes - 1));
    return a64_walk_allows(ret, access) ? 0 : a64_permission_fault(cpu, &leaf, el, false, access);
}

uint32_t a64_address_translate(struct a64_cpu *cpu, uint64_t va, enum a64_access access,
                               unsigned el, bool pan, bool both)
{
    struct a64_leaf leaf;
    struct a64_walk walk = {0};
    uint32_t failed = el == 0 && a64_el0_kept_off(cpu, va) ? fault(A64_FSC_TRANSLATION, 0)
                      : both                               ? a64_walk_tables(cpu, va, &leaf)
                                                           : walk_first(cpu, va, &leaf);
    if (!failed) {
        a64_leaf_rights(cpu, &leaf, el, pan && cpu->pan, &walk);
        if (!a64_walk_allows(&walk, access))
            failed = a64_permission_fault(cpu, &leaf, el, pan && cpu->pan, access);
    }
    if (failed) { /* F = 1, FST, PTW, S, bit 11 RES1 (D17.2.107) */
        cpu->sys[A64_PAR_EL1] = 1 | (failed & 0x3f) << 1 | 1 << 11 |
                                (failed & A64_FAULT_TABLE ? 1 << 8 : 0) |
                                (failed & A64_FAULT_STAGE2 ? 1 << 9 : 0);
        return failed;
    }
    uint64_t pa = leaf.pa | (va & (walk.page_bytes - 1));
    uint64_t shareable = walk.device ? 2 : 3; /* outer for Device; inner, as Linux maps memory */
    cpu->sys[A64_PAR_EL1] =
        (uint64_t)leaf.attr << 56 | align_down(pa, 4096) | 1 << 11 | shareable << 7;
    return 0;
}
