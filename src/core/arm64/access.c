/* access.c: loads, stores, atomics and instruction fetches by virtual address.
 *
 * The quick path is the one that translated code has inline: a tag of the current bank matches. All
 * else comes to lookup(), which fills the bank, minds what the tag's low bits say (alignment,
 * watchpoints, MMIO), and raises the exception. An access over a page's end looks up both pages
 * before it touches either, so that a fault on the second leaves nothing done (DDI 0487 B2.2,
 * D1.4).
 *
 * Order of faults as D8.12.2 has it: alignment that the instruction or SCTLR_EL1.A demands, then
 * translation and permission, then alignment for Device memory, then watchpoints, then external
 * abort.
 */
#include "core/arm64/el2.h"

#include "base/bytes.h"

enum {
    PAGE = 4096,
    EC_FETCH_ABORT = 0x20,
    EC_PC_ALIGN = 0x22,
    EC_DATA_ABORT = 0x24,
    EC_WATCH = 0x34
};

#define ESR_IL (1u << 25)

/* Where a piece of an access within one page goes. */
struct place {
    uint8_t *host; /* NULL: MMIO */
    uint64_t pa;
};

static uint64_t esr(const struct a64_cpu *cpu, unsigned ec, uint32_t iss)
{
    /* Each of these classes has its "from the same EL" form right behind. */
    return (uint64_t)(ec + (cpu->el != 0)) << 26 | ESR_IL | iss;
}

static bool data_abort(struct a64_cpu *cpu, uint64_t va, uint32_t fsc, bool write)
{
    if (fsc & A64_FAULT_STAGE2) {
        a64_el2_abort(cpu, va, fsc, write ? A64_WRITE : A64_READ, 0);
        return false;
    }
    a64_exception_sync(cpu, esr(cpu, EC_DATA_ABORT, (fsc & 0x3f) | (unsigned)write << 6), va,
                       cpu->pc);
    return false;
}

static bool watch_exception(struct a64_cpu *cpu, uint64_t va, bool write)
{
    a64_exception_sync(cpu, esr(cpu, EC_WATCH, A64_FSC_DEBUG | (unsigned)write << 6), va, cpu->pc);
    return false;
}

static struct a64_tlb_bank *bank_of(struct a64_cpu *cpu, unsigned flags)
{
    return flags & A64_MEM_UNPRIV ? cpu->bank_unpriv : cpu->bank;
}

static uint64_t tag_of(const struct a64_tlb_entry *entry, enum a64_access access)
{
    return access == A64_READ ? entry->read : access == A64_WRITE ? entry->write : entry->exec;
}

static bool tag_maps(uint64_t tag, uint64_t va)
{
    return align_down(tag, PAGE) == align_down(va, PAGE) && !(tag & A64_TLB_EMPTY);
}

/* User mode: the address is the host's, without its tag. What is not mapped faults on the host,
 * whose signal finds its way back to this instruction; only addresses that x86-64 cannot form are
 * refused here. */
static bool user_place(struct a64_cpu *cpu, uint64_t va, enum a64_access access, struct place *ret)
{
    uint64_t address = a64_untag(cpu, va);
    if (address >> A64_USER_BITS)
        return data_abort(cpu, address, A64_FSC_TRANSLATION, access == A64_WRITE);
    *ret = (struct place){(uint8_t *)(uintptr_t)address, 0};
    return true;
}

/* One piece, within a page. `aligned`: the whole access is. False: the exception is taken. */
static bool lookup(struct a64_cpu *cpu, uint64_t va, unsigned size_bytes, enum a64_access access,
                   unsigned flags, bool aligned, struct place *ret)
{
    if (cpu->identity)
        return user_place(cpu, va, access, ret);
    struct a64_tlb_entry *entry = &bank_of(cpu, flags)->entries[va / PAGE & (A64_TLB_ENTRIES - 1)];
    if (!tag_maps(tag_of(entry, access), va)) {
        uint32_t failed;
        entry = a64_tlb_fill(cpu, va, access, flags, &failed);
        if (!entry)
            return data_abort(cpu, va, failed, access == A64_WRITE);
    }
    uint64_t tag = tag_of(entry, access);
    if ((tag & A64_TLB_ALIGN) && !aligned)
        return data_abort(cpu, va, A64_FSC_ALIGNMENT, access == A64_WRITE);
    if ((tag & A64_TLB_WATCH) && a64_watch_hit(cpu, va, size_bytes, access == A64_WRITE))
        return watch_exception(cpu, va, access == A64_WRITE);
    uint64_t where = va + entry->addend;
    *ret = tag & A64_TLB_MMIO ? (struct place){NULL, where}
                              : (struct place){(uint8_t *)(uintptr_t)where, 0};
    return true;
}

/* The one or two pieces of an access. Returns their number, 0 where the exception is taken. */
static unsigned lookup_all(struct a64_cpu *cpu, uint64_t va, unsigned size_bytes,
                           enum a64_access access, unsigned flags, struct place place[2],
                           unsigned length[2])
{
    bool aligned = (va & (size_bytes - 1)) == 0;
    if (!aligned && ((flags & A64_MEM_ALIGNED) || (cpu->sys[A64_SCTLR_EL1] & A64_SCTLR_A))) {
        data_abort(cpu, va, A64_FSC_ALIGNMENT, access == A64_WRITE);
        return 0;
    }
    unsigned to_end = PAGE - (unsigned)(va & (PAGE - 1));
    length[0] = size_bytes < to_end ? size_bytes : to_end;
    length[1] = size_bytes - length[0];
    if (!lookup(cpu, va, length[0], access, flags, aligned, &place[0]))
        return 0;
    if (!length[1])
        return 1;
    return lookup(cpu, va + to_end, length[1], access, flags, aligned, &place[1]) ? 2 : 0;
}

/* The biggest power of two that suits an MMIO piece: aligned, at most 8 bytes. */
static unsigned mmio_step(uint64_t pa, unsigned length)
{
    unsigned step = 8;
    while (step > length || pa % step)
        step /= 2;
    return step;
}

static bool read_piece(struct a64_cpu *cpu, struct place from, uint8_t *out, unsigned length)
{
    if (from.host) {
        memcpy(out, from.host, length);
        return true;
    }
    const struct guestmem_mmio *mmio = &cpu->system->mem->mmio;
    for (unsigned done = 0, step; done < length; done += step) {
        uint64_t value;
        step = mmio_step(from.pa + done, length - done);
        if (!mmio->read || !mmio->read(mmio->ctx, from.pa + done, step, &value))
            return false;
        store_le(out + done, step, value);
    }
    return true;
}

static bool write_piece(struct a64_cpu *cpu, struct place to, const uint8_t *data, unsigned length)
{
    if (to.host) {
        memcpy(to.host, data, length);
        return true;
    }
    const struct guestmem_mmio *mmio = &cpu->system->mem->mmio;
    for (unsigned done = 0, step; done < length; done += step) {
        step = mmio_step(to.pa + done, length - done);
        if (!mmio->write || !mmio->write(mmio->ctx, to.pa + done, step, load_le(data + done, step)))
            return false;
    }
    return true;
}

/* Plain copies of the sizes that guests see as single-copy atomic: one host instruction each. */
static inline void copy_whole(void *to, const void *from, unsigned size_bytes)
{
    switch (size_bytes) {
    case 1:
        memcpy(to, from, 1);
        break;
    case 2:
        memcpy(to, from, 2);
        break;
    case 4:
        memcpy(to, from, 4);
        break;
    case 8:
        memcpy(to, from, 8);
        break;
    case 16:
        memcpy(to, from, 16);
        break;
    default:
        memcpy(to, from, size_bytes);
    }
}

static inline bool fits(uint64_t va, unsigned size_bytes, unsigned flags)
{
    return (va & (PAGE - 1)) + size_bytes <= PAGE &&
           (!(flags & A64_MEM_ALIGNED) || (va & (size_bytes - 1)) == 0);
}

static bool load_slow(struct a64_cpu *cpu, uint64_t va, unsigned size_bytes, unsigned flags,
                      uint8_t *out)
{
    struct place place[2];
    unsigned length[2];
    uint8_t data[64];
    unsigned pieces = lookup_all(cpu, va, size_bytes, A64_READ, flags, place, length);
    if (!pieces)
        return false;
    if (pieces == 1 && place[0].host) {
        copy_whole(out, place[0].host, size_bytes);
        return true;
    }
    for (unsigned i = 0; i < pieces; i++)
        if (!read_piece(cpu, place[i], data + i * length[0], length[i]))
            return data_abort(cpu, va, A64_FSC_EXTERNAL, false);
    memcpy(out, data, size_bytes);
    return true;
}

bool a64_load(struct a64_cpu *cpu, uint64_t va, unsigned size_bytes, unsigned flags, void *out)
{
    const struct a64_tlb_entry *entry =
        &bank_of(cpu, flags)->entries[va / PAGE & (A64_TLB_ENTRIES - 1)];
    if (entry->read == align_down(va, PAGE) && fits(va, size_bytes, flags)) {
        copy_whole(out, (const void *)(uintptr_t)(va + entry->addend), size_bytes);
        return true;
    }
    return load_slow(cpu, va, size_bytes, flags, out);
}

static bool store_slow(struct a64_cpu *cpu, uint64_t va, unsigned size_bytes, unsigned flags,
                       const uint8_t *data)
{
    struct place place[2];
    unsigned length[2];
    unsigned pieces = lookup_all(cpu, va, size_bytes, A64_WRITE, flags, place, length);
    if (!pieces)
        return false;
    if (pieces == 1 && place[0].host) {
        copy_whole(place[0].host, data, size_bytes);
        return true;
    }
    for (unsigned i = 0; i < pieces; i++)
        if (!write_piece(cpu, place[i], data + i * length[0], length[i]))
            return data_abort(cpu, va, A64_FSC_EXTERNAL, true);
    return true;
}

bool a64_store(struct a64_cpu *cpu, uint64_t va, unsigned size_bytes, unsigned flags,
               const void *data)
{
    const struct a64_tlb_entry *entry =
        &bank_of(cpu, flags)->entries[va / PAGE & (A64_TLB_ENTRIES - 1)];
    if (entry->write == align_down(va, PAGE) && fits(va, size_bytes, flags)) {
        copy_whole((void *)(uintptr_t)(va + entry->addend), data, size_bytes);
        return true;
    }
    return store_slow(cpu, va, size_bytes, flags, data);
}

bool a64_probe_store(struct a64_cpu *cpu, uint64_t va, unsigned size_bytes, unsigned flags)
{
    struct place place[2];
    unsigned length[2];
    return lookup_all(cpu, va, size_bytes, A64_WRITE, flags, place, length) != 0;
}

bool a64_zero_block(struct a64_cpu *cpu, uint64_t va, unsigned block_bytes)
{
    struct place place;
    /* On Device memory it is an alignment fault (D7.5.8): as a misaligned store would be. */
    bool aligned = cpu->sys[A64_SCTLR_EL1] & A64_SCTLR_A;
    if (!lookup(cpu, va, 1, A64_WRITE, 0, aligned, &place))
        return false;
    uint64_t before = va & (block_bytes - 1);
    if (place.host) {
        memset(place.host - before, 0, block_bytes);
        return true;
    }
    const uint8_t zeroes[64] = {0};
    place.pa -= before;
    for (unsigned done = 0; done < block_bytes; done += sizeof(zeroes))
        if (!write_piece(cpu, (struct place){NULL, place.pa + done}, zeroes, sizeof(zeroes)))
            return data_abort(cpu, va, A64_FSC_EXTERNAL, true);
    return true;
}

void *a64_atomic_ptr(struct a64_cpu *cpu, uint64_t va, unsigned size_bytes)
{
    const struct a64_tlb_entry *entry = &cpu->bank->entries[va / PAGE & (A64_TLB_ENTRIES - 1)];
    uint64_t page = align_down(va, PAGE);
    struct place place;
    if (va & (size_bytes - 1)) {
        data_abort(cpu, va, A64_FSC_ALIGNMENT, true);
        return NULL;
    }
    if (entry->read == page && entry->write == page)
        return (void *)(uintptr_t)(va + entry->addend);
    /* Reading first: WnR is 0 where a read would have faulted too (D17.2.37). */
    if (!lookup(cpu, va, size_bytes, A64_READ, 0, true, &place) ||
        !lookup(cpu, va, size_bytes, A64_WRITE, 0, true, &place))
        return NULL;
    if (!place.host)
        data_abort(cpu, va, A64_FSC_EXCLUSIVE, true);
    return place.host;
}

bool a64_fetch(struct a64_cpu *cpu, uint64_t va, uint32_t *ret_insn, uint64_t *ret_pa)
{
    if (va & 3) {
        a64_exception_sync(cpu, (uint64_t)EC_PC_ALIGN << 26 | ESR_IL, va, cpu->pc);
        return false;
    }
    if (cpu->identity) {
        const struct a64_system *system = cpu->system;
        *ret_pa = va;
        if (system->ops->fetch(system->ops_ctx, cpu, va, ret_insn, sizeof(*ret_insn)))
            return true;
        a64_exception_sync(cpu, esr(cpu, EC_FETCH_ABORT, A64_FSC_PERMISSION), va, cpu->pc);
        return false;
    }
    unsigned slot = va / PAGE & (A64_TLB_ENTRIES - 1);
    const struct a64_tlb_entry *entry = &cpu->bank->entries[slot];
    if (entry->exec != align_down(va, PAGE)) {
        uint32_t failed = A64_FSC_EXTERNAL;
        entry = a64_tlb_fill(cpu, va, A64_FETCH, 0, &failed);
        if (!entry || entry->exec == A64_TLB_NONE) { /* no tag: nothing but MMIO is there */
            if (failed & A64_FAULT_STAGE2)
                a64_el2_abort(cpu, va, failed, A64_FETCH, 0);
            else
                a64_exception_sync(cpu, esr(cpu, EC_FETCH_ABORT, failed & 0x3f), va, cpu->pc);
            return false;
        }
    }
    memcpy(ret_insn, (const void *)(uintptr_t)(va + entry->addend), 4);
    *ret_pa = cpu->bank->page_pa[slot] | (va & (PAGE - 1));
    return true;
}

bool a64_running_insn(struct a64_cpu *cpu, uint32_t *ret_raw)
{
    struct a64_leaf leaf;
    bool cached;
    if (a64_translate(cpu, cpu->pc, &leaf, &cached))
        return false;
    uint64_t pa = leaf.pa | (cpu->pc & ((1ull << leaf.shift) - 1));
    return guestmem_read(cpu->system->mem, pa, ret_raw, sizeof(*ret_raw));
}

bool a64_debug_access(struct a64_cpu *cpu, uint64_t va, void *data, size_t size_bytes, bool write)
{
    uint8_t *bytes = data;
    while (size_bytes) {
        struct a64_leaf leaf;
        if (a64_walk_tables(cpu, va, &leaf))
            return false;
        uint64_t in_page = va & (PAGE - 1);
        size_t n = PAGE - in_page < size_bytes ? PAGE - in_page : size_bytes;
        uint8_t *host =
            guestmem_ptr(cpu->system->mem, leaf.pa | (va & ((1ull << leaf.shift) - 1)), n, false);
        if (!host)
            return false;
        if (write)
            memcpy(host, bytes, n);
        else
            memcpy(bytes, host, n);
        bytes += n;
        va += n;
        size_bytes -= n;
    }
    return true;
}
