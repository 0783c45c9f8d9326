/* el2_stage2.c: the second stage of translation, from what a virtual machine takes for physical
 * addresses to physical ones (DDI 0487 D8.2.4, D8.5), and the aborts it causes.
 *
 * A walk of stage 1 asks here for every table (a64_el2_table_pa) and for its result
 * (a64_el2_combine). What comes out is one leaf, as large as the smaller of both, which the TLB
 * keeps: a hit never knows that there were two stages.
 *
 * An abort of a plain load or store gets a syndrome that says what was loaded or stored
 * (ISS.ISV), by which hypervisors emulate devices: the instruction is read again and taken apart.
 *
 * Limits: no hardware access flag or dirty state, no FEAT_XNX, no 52-bit addresses; walks are not
 * cached by themselves.
 */
#include "core/arm64/el2.h"

#include "base/bytes.h"

enum {
    PA_BITS = 48,
    EC_FETCH_ABORT = 0x20,
    EC_DATA_ABORT = 0x24,
    ISS_S1PTW = 1 << 7,
    ISS_WNR = 1 << 6,
    ISS_CM = 1 << 8,
};

#define ESR_IL (1u << 25)

/* VTCR_EL2 and VTTBR_EL2 taken apart. */
struct stage2 {
    uint64_t table;
    unsigned granule; /* log2 bytes */
    unsigned input_bits, output_bits;
    unsigned level; /* where the walk begins */
    bool valid;     /* the level suits granule and size */
};

static struct stage2 stage2_of(const struct a64_cpu *cpu)
{
    static const uint8_t granules[4] = {12, 16, 14, 12};
    static const uint8_t by_ps[8] = {32, 36, 40, 42, 44, 48, 48, 48};
    uint64_t vtcr = cpu->sys[A64_VTCR_EL2];
    unsigned t0sz = (unsigned)bits(vtcr, 0, 6), sl0 = (unsigned)bits(vtcr, 6, 2);
    struct stage2 s = {
        .table = cpu->sys[A64_VTTBR_EL2] & ((1ull << PA_BITS) - 2),
        .granule = granules[bits(vtcr, 14, 2)],
        .input_bits = 64 - (t0sz < 16   ? 16
                            : t0sz > 39 ? 39
                                        : t0sz),
        .output_bits = by_ps[bits(vtcr, 16, 3)],
    };
    s.level = s.granule == 12 ? 2 - sl0 : 3 - sl0;
    unsigned stride = s.granule - 3, top = s.granule + stride * (3 - s.level);
    /* The first table has an entry at least, and is 16 tables side by side at most (D8.2.9). */
    s.valid = sl0 < 3 && s.level < 4 && s.input_bits > top && s.input_bits <= top + stride + 4;
    return s;
}

static uint32_t fault(enum a64_fsc fsc, unsigned level)
{
    return A64_FAULT | A64_FAULT_STAGE2 | ((unsigned)fsc + level);
}

struct leaf2 {
    uint64_t pa;
    unsigned shift, level;
    bool read, write, exec, device;
};

static uint32_t leaf_from(const struct stage2 *s, uint64_t desc, unsigned level, unsigned shift,
                          struct leaf2 *ret)
{
    uint64_t pa = desc & align_down((1ull << PA_BITS) - 1, 1ull << shift);
    if (pa >> s->output_bits)
        return fault(A64_FSC_ADDRESS_SIZE, level);
    if (!bits(desc, 10, 1))
        return fault(A64_FSC_ACCESS_FLAG, level);
    *ret = (struct leaf2){
        .pa = pa,
        .shift = shift,
        .level = level,
        .read = bits(desc, 6, 1),
        .write = bits(desc, 7, 1),
        .exec = !bits(desc, 54, 1),
        .device = bits(desc, 4, 2) == 0, /* MemAttr[3:2] */
    };
    return 0;
}

static uint32_t walk(const struct a64_cpu *cpu, uint64_t ipa, struct leaf2 *ret)
{
    struct stage2 s = stage2_of(cpu);
    cpu->el2->ipa = ipa;
    if (!s.valid || ipa >> s.input_bits)
        return fault(A64_FSC_TRANSLATION, 0);
    unsigned level = s.level, stride = s.granule - 3, shift = s.granule + stride * (3 - level);
    uint64_t table = align_down(s.table, 8ull << (s.input_bits - shift));
    uint64_t low = (1ull << s.input_bits) - 1;
    for (;; level++, shift -= stride) {
        if (table >> s.output_bits)
            return fault(A64_FSC_ADDRESS_SIZE, level == s.level ? 0 : level - 1);
        uint64_t index = (ipa & low) >> shift;
        const uint64_t *slot = guestmem_ptr(cpu->system->mem, table + 8 * index, 8, false);
        if (!slot)
            return fault(A64_FSC_WALK_ABORT, level);
        uint64_t desc = __atomic_load_n(slot, __ATOMIC_RELAXED);
        bool table_or_page = desc & 2;
        if (!(desc & 1) || (!table_or_page && !a64_block_allowed(s.granule, level)))
            return fault(A64_FSC_TRANSLATION, level);
        if (level == 3 || !table_or_page)
            return leaf_from(&s, desc, level, shift, ret);
        table = desc & align_down((1ull << PA_BITS) - 1, 1ull << s.granule);
        low = (1ull << shift) - 1;
    }
}

uint32_t a64_el2_table_pa(const struct a64_cpu *cpu, uint64_t ipa, uint64_t *ret_pa)
{
    struct leaf2 leaf;
    uint32_t failed = walk(cpu, ipa, &leaf);
    /* HCR_EL2.PTW: no tables in devices. */
    if (!failed && (!leaf.read || (leaf.device && a64_el2_hcr(cpu, A64_HCR_PTW))))
        failed = fault(A64_FSC_PERMISSION, leaf.level);
    if (failed)
        return failed | A64_FAULT_TABLE;
    *ret_pa = leaf.pa | (ipa & ((1ull << leaf.shift) - 1));
    return 0;
}

uint32_t a64_el2_combine(const struct a64_cpu *cpu, uint64_t va, struct a64_leaf *leaf)
{
    struct leaf2 second;
    uint64_t ipa = leaf->pa | (va & ((1ull << leaf->shift) - 1));
    uint32_t failed = walk(cpu, ipa, &second);
    if (failed)
        return failed;
    if (second.shift < leaf->shift)
        leaf->shift = (uint8_t)second.shift;
    uint64_t pa = second.pa | (ipa & ((1ull << second.shift) - 1));
    leaf->pa = align_down(pa, 1ull << leaf->shift);
    leaf->denied =
        (uint8_t)((second.read ? 0 : A64_DENIES_READ) | (second.write ? 0 : A64_DENIES_WRITE) |
                  (second.exec ? 0 : A64_DENIES_EXEC));
    leaf->level2 = (uint8_t)second.level;
    if (second.device)
        leaf->attr &= 0x0f; /* Device-nGnRnE, or what stage 1 made of Device memory */
    return 0;
}

/* --- aborts ------------------------------------------------------------------------------------
 */

/* ISS[24:14] of a load or store of one general register without write-back (D17.2.37, "ISV"): ISV,
 * SAS, SSE, SRT, SF, AR. 0 for all others. */
static uint32_t access_syndrome(uint32_t raw)
{
    uint32_t size = raw >> 30, opc = raw >> 22 & 3, rt = raw & 31;
    uint32_t base = 1u << 24 | size << 22 | rt << 16;
    if ((raw & 0x3fa08000) == 0x08808000) /* LDAR, STLR and their sizes */
        return base | (uint32_t)(size == 3) << 15 | 1 << 14;
    bool unsigned_offset = (raw & 0x3f000000) == 0x39000000;
    bool register_offset = (raw & 0x3f200c00) == 0x38200800;
    bool unscaled = (raw & 0x3f200400) == 0x38000000; /* LDUR, LDTR */
    if (!unsigned_offset && !register_offset && !unscaled)
        return 0;
    if (opc >= 2 && size == 3) /* PRFM, and what is not allocated */
        return 0;
    bool sign_extends = opc >= 2, wide = opc == 2 || (opc < 2 && size == 3);
    return base | (uint32_t)sign_extends << 21 | (uint32_t)wide << 15;
}

void a64_el2_abort(struct a64_cpu *cpu, uint64_t va, uint32_t failed, enum a64_access access,
                   uint32_t iss)
{
    uint64_t ipa = cpu->el2->ipa;
    uint64_t ec = access == A64_FETCH ? EC_FETCH_ABORT : EC_DATA_ABORT;
    iss |= failed & 0x3f;
    if (failed & A64_FAULT_TABLE)
        iss |= ISS_S1PTW;
    if (access == A64_WRITE)
        iss |= ISS_WNR;
    uint32_t raw;
    if (access != A64_FETCH && !(iss & (ISS_S1PTW | ISS_CM)) && a64_running_insn(cpu, &raw))
        iss |= access_syndrome(raw);
    cpu->sys[A64_HPFAR_EL2] = bits(ipa, 12, 40) << 4;
    a64_exception_to(cpu, 2, ec << 26 | ESR_IL | iss, va, cpu->pc);
}
