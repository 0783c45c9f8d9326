/* tlb.c: the software TLB's banks, which engines read inline; behind them is a second level of walk
 * results (tlb_level2.c). What banks know of code is dropped by tlb_jumps.c.
 *
 * Banks. EL1 has one; EL0 has a pool tagged by ASID, the least recently used one giving way, so
 * that a process switch moves a pointer. Entries of 4 KiB are made from whatever page maps them; a
 * bank remembers the sizes it saw, so that TLBI of any address in a block drops all entries from
 * it: up to 64 KiB by walking the entries of that page, beyond by up to eight ranges of addresses
 * that hold every block seen and a scan when the address lies in one.
 *
 * What EL1 caches of user space is listed: entries that belong to an ASID go when the ASID changes,
 * and those that PSTATE.PAN forbids go when it is set. The lists are empty nearly always, because
 * Linux reaches user memory by LDTR and STTR, which use EL0's bank. A list that overflows empties
 * the bank.
 *
 * Limits: a guest that maps its kernel non-global (KPTI) drops EL1's bank at each ASID change.
 */
#include "core/arm64/tlb_int.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/bytes.h"

enum { LARGE_SHIFT = 17 };

#define NO_ASID UINT32_MAX /* no ASID has more than 16 bits */

static unsigned slot_of(uint64_t va)
{
    return (unsigned)(va >> 12) & (A64_TLB_ENTRIES - 1);
}

/* --- banks -------------------------------------------------------------------------------------
 */

static void drop_slot(struct a64_tlb_bank *bank, unsigned i)
{
    bank->entries[i] = (struct a64_tlb_entry){A64_TLB_NONE, A64_TLB_NONE, A64_TLB_NONE, 0};
    bank->filled[i / 64] &= ~(1ull << i % 64);
}

static void empty_bank(struct a64_tlb_bank *bank)
{
    for (unsigned w = 0; w < A64_TLB_ENTRIES / 64; w++)
        while (bank->filled[w])
            drop_slot(bank, w * 64 + (unsigned)__builtin_ctzll(bank->filled[w]));
    a64_bank_drop_all_jumps(bank);
    bank->shifts_seen = 0;
    bank->large_count = 0;
    bank->has_global = false;
}

static void init_bank(struct a64_tlb_bank *bank)
{
    memset(bank->entries, 0xff, sizeof(bank->entries)); /* A64_TLB_NONE */
    bank->jump_log_count = A64_JUMP_LOG + 1;            /* any slot */
    a64_bank_drop_all_jumps(bank);
    bank->used = true;
}

/* Page number without the tag byte, so that a tagged entry matches the address of a TLBI. */
static uint64_t untagged_distance(uint64_t a, uint64_t b)
{
    return (a ^ b) << 8 >> 8;
}

static void drop_large(struct a64_tlb_bank *bank, uint64_t va)
{
    bool in_range = false;
    for (unsigned r = 0; r < bank->large_count; r++)
        in_range |= untagged_distance(va & bank->large[r].mask, bank->large[r].base) == 0;
    if (!in_range)
        return;
    for (unsigned w = 0; w < A64_TLB_ENTRIES / 64; w++) {
        for (uint64_t left = bank->filled[w]; left; left &= left - 1) {
            unsigned i = w * 64 + (unsigned)__builtin_ctzll(left);
            const struct a64_tlb_entry *entry = &bank->entries[i];
            uint64_t page = entry->read != A64_TLB_NONE    ? entry->read
                            : entry->write != A64_TLB_NONE ? entry->write
                                                           : entry->exec;
            if (bank->shift[i] >= LARGE_SHIFT && !(untagged_distance(page, va) >> bank->shift[i]))
                drop_slot(bank, i);
        }
    }
    a64_bank_drop_all_jumps(bank);
}

static void drop_page(struct a64_tlb_bank *bank, uint64_t va)
{
    if (!bank->used)
        return;
    unsigned shift = bank->shifts_seen >> 16 & 1 ? 16 : bank->shifts_seen >> 14 & 1 ? 14 : 12;
    uint64_t first = align_down(va, 1ull << shift);
    for (uint64_t page = first; page - first < 1ull << shift; page += 4096) {
        drop_slot(bank, slot_of(page));
        a64_bank_drop_jumps(bank, page);
    }
    if (bank->large_count)
        drop_large(bank, va);
}

/* The smallest range that holds both. */
static struct a64_tlb_range merged(struct a64_tlb_range a, struct a64_tlb_range b)
{
    uint64_t mask = a.mask & b.mask;
    while ((a.base ^ b.base) & mask)
        mask <<= 1;
    return (struct a64_tlb_range){a.base & mask, mask};
}

/* Adds a block to the bank's ranges; when they are all taken, the two that lie closest become one.
 */
static void note_large(struct a64_tlb_bank *bank, uint64_t va, unsigned shift)
{
    struct a64_tlb_range all[A64_LARGE_RANGES + 1];
    for (unsigned r = 0; r < bank->large_count; r++) {
        all[r] = bank->large[r];
        if ((va & all[r].mask) == all[r].base && ~all[r].mask >> shift)
            return; /* in there already */
    }
    unsigned count = bank->large_count, left = 0, right = 1;
    uint64_t mask = ~((1ull << shift) - 1);
    all[count++] = (struct a64_tlb_range){va & mask, mask};
    if (count > A64_LARGE_RANGES) {
        uint64_t best = 0;
        for (unsigned i = 0; i < count; i++) {
            for (unsigned j = i + 1; j < count; j++) {
                uint64_t size_mask = merged(all[i], all[j]).mask;
                if (size_mask >= best) {
                    best = size_mask;
                    left = i;
                    right = j;
                }
            }
        }
        all[left] = merged(all[left], all[right]);
        all[right] = all[--count];
    }
    memcpy(bank->large, all, count * sizeof(all[0]));
    bank->large_count = count;
}

static void list_add(struct drop_list *list, unsigned i)
{
    for (unsigned k = 0; k < list->count && k < LIST_MAX; k++)
        if (list->index[k] == i)
            return;
    if (list->count < LIST_MAX)
        list->index[list->count] = (uint16_t)i;
    if (list->count <= LIST_MAX)
        list->count++;
}

static void list_drop(struct a64_tlb_bank *bank, struct drop_list *list)
{
    if (list->count > LIST_MAX) {
        empty_bank(bank);
    } else {
        for (unsigned k = 0; k < list->count; k++) {
            uint64_t exec = bank->entries[list->index[k]].exec;
            drop_slot(bank, list->index[k]);
            if (exec != A64_TLB_NONE)
                a64_bank_drop_jumps(bank, exec);
        }
    }
    list->count = 0;
}

static struct a64_tlb_bank *user_bank(struct a64_tlb *tlb, uint16_t asid)
{
    unsigned victim = 0;
    for (unsigned i = 0; i < A64_USER_BANKS; i++) {
        if (tlb->user_asid[i] == asid)
            return &tlb->user[i];
        if (tlb->user[i].last_use < tlb->user[victim].last_use)
            victim = i;
    }
    struct a64_tlb_bank *bank = &tlb->user[victim];
    if (bank->used)
        empty_bank(bank);
    else
        init_bank(bank);
    bank->asid = tlb->user_asid[victim] = asid;
    return bank;
}

void a64_select_bank(struct a64_cpu *cpu)
{
    struct a64_tlb *tlb = cpu->tlb;
    uint16_t asid = a64_current_asid(cpu);
    if (asid != tlb->asid_now || !tlb->user_now) {
        if (tlb->of_asid.count) {
            a64_forget_returns(cpu);
            list_drop(&tlb->el1, &tlb->of_asid);
        }
        tlb->asid_now = asid;
        tlb->user_now = user_bank(tlb, asid);
        tlb->user_now->last_use = ++tlb->clock;
    }
    struct a64_tlb_bank *bank = cpu->el ? &tlb->el1 : tlb->user_now;
    if (bank != cpu->bank)
        a64_forget_returns(cpu);
    cpu->bank = bank;
    /* EL2 has an EL0 of its own only as a host. */
    bool alone = cpu->el == 2 && !a64_el2_host(cpu);
    cpu->bank_unpriv = (cpu->el && cpu->uao) || alone ? &tlb->el1 : tlb->user_now;
}

void a64_tlbs_empty(struct a64_cpu *cpu)
{
    a64_forget_returns(cpu);
    for (unsigned i = 0; i < A64_EL2_TLBS; i++)
        if (tlb_at(cpu, i))
            a64_tlb_empty(tlb_at(cpu, i));
}

void a64_tlb_pan_set(struct a64_cpu *cpu)
{
    if (cpu->tlb->of_pan.count) {
        a64_forget_returns(cpu);
        list_drop(&cpu->tlb->el1, &cpu->tlb->of_pan);
    }
}

/* --- filling -----------------------------------------------------------------------------------
 */

static struct a64_tlb_entry *install(struct a64_cpu *cpu, struct a64_tlb_bank *bank, uint64_t va,
                                     enum a64_access access, const struct a64_leaf *leaf,
                                     const struct a64_walk *walk)
{
    struct a64_tlb *tlb = cpu->tlb;
    const struct guestmem *mem = cpu->system->mem;
    uint64_t page = align_down(va, 4096);
    uint64_t pa = leaf->pa | (page & (walk->page_bytes - 1));
    uint8_t *host = guestmem_ptr(mem, pa, 4096, false);
    bool writable = host && guestmem_ptr(mem, pa, 4096, true);
    uint64_t mind = walk->device || (cpu->sys[A64_SCTLR_EL1] & A64_SCTLR_A) ? A64_TLB_ALIGN : 0;
    if (a64_watch_page(cpu, va))
        mind |= A64_TLB_WATCH;
    if (!host || (!writable && access == A64_WRITE)) {
        uint64_t tag = page | mind | A64_TLB_MMIO;
        struct a64_tlb_entry *entry = host ? &tlb->scratch : &bank->entries[slot_of(va)];
        *entry = (struct a64_tlb_entry){walk->read && !host ? tag : A64_TLB_NONE,
                                        walk->write ? tag : A64_TLB_NONE, A64_TLB_NONE, pa - page};
        if (host)
            return entry;
    } else {
        bank->entries[slot_of(va)] = (struct a64_tlb_entry){
            walk->read ? page | mind : A64_TLB_NONE,
            walk->write && writable ? page | mind : A64_TLB_NONE,
            walk->exec ? page : A64_TLB_NONE,
            (uint64_t)(uintptr_t)host - page,
        };
    }
    unsigned i = slot_of(va);
    bank->filled[i / 64] |= 1ull << i % 64;
    bank->page_pa[i] = pa;
    bank->shift[i] = leaf->shift;
    bank->shifts_seen |= 1ull << leaf->shift;
    if (leaf->shift >= LARGE_SHIFT)
        note_large(bank, page, leaf->shift);
    if (bank == &tlb->el1) {
        if (leaf->non_global)
            list_add(&tlb->of_asid, i);
        if ((leaf->ap & 1) && cpu->model->pan)
            list_add(&tlb->of_pan, i);
    } else if (!leaf->non_global) {
        bank->has_global = true;
    }
    return &bank->entries[i];
}

static struct a64_tlb_entry *fill(struct a64_cpu *cpu, uint64_t va, enum a64_access access,
                                  unsigned flags, uint32_t *ret_fault)
{
    struct a64_leaf leaf;
    struct a64_walk walk;
    bool cached;
    /* LDTR and STTR go by EL0's rights, or wholly by EL1's, PAN included, with PSTATE.UAO. */
    struct a64_tlb_bank *bank = flags & A64_MEM_UNPRIV ? cpu->bank_unpriv : cpu->bank;
    unsigned el = bank == &cpu->tlb->el1 ? 1 : 0;
    if (el == 0 && a64_el0_kept_off(cpu, va)) {
        *ret_fault = A64_FAULT | A64_FSC_TRANSLATION;
        return NULL;
    }
    cpu->tlb_fills++;
    uint32_t failed = a64_translate(cpu, va, &leaf, &cached);
    if (!failed) {
        a64_leaf_rights(cpu, &leaf, el, cpu->pan, &walk);
        if (!a64_walk_allows(&walk, access)) {
            if (!cached) {
                *ret_fault = a64_permission_fault(cpu, &leaf, el, cpu->pan, access);
                return NULL;
            }
            /* The table may have changed since: look again before blaming the guest. */
            a64_l2_drop(cpu, va);
            return fill(cpu, va, access, flags, ret_fault);
        }
        return install(cpu, bank, va, access, &leaf, &walk);
    }
    *ret_fault = failed;
    return NULL;
}

struct a64_tlb_entry *a64_tlb_fill(struct a64_cpu *cpu, uint64_t va, enum a64_access access,
                                   unsigned flags, uint32_t *ret_fault)
{
    static const char *const names[] = {"read", "write", "fetch"};
    struct a64_tlb_entry *entry = fill(cpu, va, access, flags, ret_fault);
    cpu->tlb_faults += !entry;
    if (!trace_on(cpu->system->trace, TRACE_MMU))
        return entry;
    if (entry)
        trace_print(cpu->system->trace, "cpu%u mmu fill %s el%u va %016llx", cpu->index,
                    names[access], cpu->el, (unsigned long long)va);
    else
        trace_print(cpu->system->trace, "cpu%u mmu fault %s el%u va %016llx status %02x",
                    cpu->index, names[access], cpu->el, (unsigned long long)va, *ret_fault & 63);
    return entry;
}

static uint64_t tag_for(const struct a64_tlb_entry *entry, enum a64_access access)
{
    return access == A64_READ ? entry->read : entry->write;
}

uint64_t a64_tlb_refill(struct a64_cpu *cpu, uint64_t va, uint32_t how)
{
    enum a64_access access = (enum a64_access)(how & 3);
    unsigned size_bytes = how >> 4;
    bool unprivileged = how & 4, aligned = how & 8;
    struct a64_tlb_bank *bank = unprivileged ? cpu->bank_unpriv : cpu->bank;
    const struct a64_tlb_entry *entry = &bank->entries[slot_of(va)];
    unsigned alignment = size_bytes < A64_REFILL_ALIGNMENT ? size_bytes : A64_REFILL_ALIGNMENT;
    if ((aligned && va & (alignment - 1)) || (va & 4095) + size_bytes > 4096) {
        cpu->tlb_crossings++;
        return 0;
    }
    if (tag_for(entry, access) == align_down(va, 4096))
        return entry->addend;
    uint64_t tag = tag_for(entry, access);
    if (align_down(tag, 4096) == align_down(va, 4096) && !(tag & A64_TLB_EMPTY)) {
        cpu->tlb_guarded++; /* mapped, but not to be used inline */
        return 0;
    }
    uint32_t fault;
    entry = a64_tlb_fill(cpu, va, access, unprivileged ? A64_MEM_UNPRIV : 0, &fault);
    return entry && tag_for(entry, access) == align_down(va, 4096) ? entry->addend : 0;
}

/* --- maintenance -------------------------------------------------------------------------------
 */

void a64_tlb_empty(struct a64_tlb *tlb)
{
    empty_bank(&tlb->el1);
    tlb->of_asid.count = tlb->of_pan.count = 0;
    for (unsigned i = 0; i < A64_USER_BANKS; i++)
        if (tlb->user[i].used)
            empty_bank(&tlb->user[i]);
    l2_empty(tlb);
}

void a64_tlb_flush_all(struct a64_cpu *cpu)
{
    a64_forget_returns(cpu);
    a64_tlb_empty(cpu->tlb);
}

static void flush_va(struct a64_tlb *tlb, uint64_t va, bool all_asids, uint16_t asid)
{
    drop_page(&tlb->el1, va);
    for (unsigned i = 0; i < A64_USER_BANKS; i++)
        if (all_asids || tlb->user_asid[i] == asid || tlb->user[i].has_global)
            drop_page(&tlb->user[i], va);
    l2_drop(tlb, va, all_asids, asid);
}

static void flush_asid(struct a64_tlb *tlb, uint16_t asid)
{
    for (unsigned i = 0; i < A64_USER_BANKS; i++)
        if (tlb->user_asid[i] == asid)
            empty_bank(&tlb->user[i]);
    if (asid == tlb->asid_now)
        list_drop(&tlb->el1, &tlb->of_asid);
    l2_drop_asid(tlb, asid);
}

/* `how` is op | ASID << 16, and what a64_el2_for_tlbs() knows. */
static void flush_one(struct a64_tlb *tlb, uint64_t how, uint64_t va)
{
    uint16_t asid = (uint16_t)(how >> 16);
    switch ((enum a64_tlbi)(how & 0xf)) {
    case A64_TLBI_ALL:
        a64_tlb_empty(tlb);
        break;
    case A64_TLBI_VA:
        flush_va(tlb, va, false, asid);
        break;
    case A64_TLBI_VAA:
        flush_va(tlb, va, true, 0);
        break;
    case A64_TLBI_ASID:
        flush_asid(tlb, asid);
        break;
    }
}

/* On the target CPU's thread. */
static void tlbi_here(struct a64_cpu *cpu, uint64_t how, uint64_t va)
{
    a64_forget_returns(cpu);
    if (cpu->el2)
        a64_el2_for_tlbs(cpu, how, va, flush_one);
    else
        flush_one(cpu->tlb, how, va);
}

void a64_tlbi_scope(struct a64_cpu *cpu, enum a64_tlbi op, uint64_t scope, uint64_t arg,
                    bool broadcast)
{
    static const char *const tlbi_names[] = {"all", "va", "va of all asids", "asid"};
    uint64_t va = (uint64_t)sign_extend(arg << 12, 56);
    uint64_t asid = arg >> 48 & (bits(cpu->sys[A64_TCR_EL1], 36, 1) ? 0xffff : 0xff);
    cpu->tlb_flushes++;
    if (trace_on(cpu->system->trace, TRACE_MMU))
        trace_print(cpu->system->trace, "cpu%u mmu tlbi %s%s va %016llx asid %llu", cpu->index,
                    tlbi_names[op], broadcast ? " all cpus" : "", (unsigned long long)va,
                    (unsigned long long)asid);
    uint64_t how = (uint64_t)op | asid << 16 | scope;
    tlbi_here(cpu, how, va);
    if (broadcast)
        a64_post_to_others(cpu, tlbi_here, how, va);
}

void a64_tlbi(struct a64_cpu *cpu, enum a64_tlbi op, uint64_t arg, bool broadcast)
{
    uint64_t scope = 0;
    if (cpu->el2) {
        scope = a64_el2_tlbi_scope(cpu);
        broadcast |= cpu->el == 1 && a64_el2_hcr(cpu, A64_HCR_FB);
    }
    a64_tlbi_scope(cpu, op, scope, arg, broadcast);
}

struct a64_tlb *a64_tlb_make(struct err *e)
{
    /* Banks that no process uses are never touched and cost no memory. */
    struct a64_tlb *tlb = mmap(NULL, sizeof(*tlb), PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (tlb == MAP_FAILED) {
        err_set_errno(e, errno, "cannot map a TLB of %zu KiB", sizeof(*tlb) >> 10);
        return NULL;
    }
    tlb->generation = 1;
    for (unsigned i = 0; i < A64_USER_BANKS; i++)
        tlb->user_asid[i] = NO_ASID;
    init_bank(&tlb->el1);
    return tlb;
}

void a64_tlb_delete(struct a64_tlb *tlb)
{
    if (tlb)
        munmap(tlb, sizeof(*tlb));
}

int a64_tlb_new(struct a64_cpu *cpu, struct err *e)
{
    cpu->tlb = a64_tlb_make(e);
    if (!cpu->tlb)
        return -ENOMEM;
    cpu->pa_jumps = cpu->tlb->pa_jumps;
    return 0;
}

int a64_tlb_new_user(struct a64_cpu *cpu, struct err *e)
{
    cpu->bank = mmap(NULL, sizeof(*cpu->bank), PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (cpu->bank == MAP_FAILED) {
        cpu->bank = NULL;
        return err_set_errno(e, errno, "cannot map %zu KiB", sizeof(*cpu->bank) >> 10);
    }
    cpu->bank_unpriv = cpu->bank;
    a64_user_empty_jump(cpu, &cpu->bank->jumps[0]);
    return 0;
}

void a64_tlb_free(struct a64_cpu *cpu)
{
    if (cpu->identity && cpu->bank)
        munmap(cpu->bank, sizeof(*cpu->bank));
    a64_tlb_delete(cpu->tlb);
    cpu->tlb = NULL;
}
