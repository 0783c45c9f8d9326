/* mmu.h: stage 1 translation, the software TLB, and the checked way from a virtual address to
 * bytes.
 *
 * The TLB is organised so that a process switch moves a pointer instead of flushing:
 *  - one bank for EL1 (kernel addresses and whatever else EL1 touches with ordinary loads), and
 *  - a pool of banks for EL0, each tagged with (TTBR0 ASID); LDTR/STTR at EL1 use EL0's bank too.
 * A bank is a direct-mapped array that translated code reads inline:
 *     i = (va >> 12) & (A64_TLB_ENTRIES - 1)
 *     hit for a load  if entry[i].read  == (va & ~0xfff)     (store: .write, fetch: .exec)
 *     host address = va + entry[i].addend
 * An access that crosses a page, an MMIO page, a misaligned access that must fault and a
 * watchpointed page never match: bits in the low 12 of the tags make an entry miss on purpose.
 *
 * Files: mmu.c walks tables and judges permissions; tlb.c keeps the banks, tlb_level2.c a second
 * level of walk results, tlb_jumps.c drops what is known of code; access.c is loads, stores,
 * fetches and their faults.
 */
#ifndef PENG_CORE_ARM64_MMU_H
#define PENG_CORE_ARM64_MMU_H

#include <assert.h>
#include <string.h>

#include "core/arm64/cpu.h"

enum {
    A64_TLB_BITS = 12,
    A64_TLB_ENTRIES = 1 << A64_TLB_BITS,
    A64_USER_BANKS = 16,
    A64_LARGE_RANGES = 8,
    A64_JUMP_BITS = 15, /* the translator's indirect-branch cache, per bank */
    A64_JUMPS = 1 << A64_JUMP_BITS,
    A64_USER_JUMPS = 1 << 10,    /* at first */
    A64_USER_JUMPS_GROWTH = 8,   /* times as many ... */
    A64_USER_JUMPS_CROWDED = 64, /* ... after so many found both places taken */
    A64_USER_JUMPS_SHIFT = 13,
    A64_JUMPS_PER_PAGE = 4096 / 4,
    A64_JUMP_PAGES = 4096,
    A64_JUMP_LOG = 4096,
    A64_PA_JUMP_BITS = 16, /* the same by physical address, per CPU */
    A64_PA_JUMPS = 1 << A64_PA_JUMP_BITS,
    A64_PA_CONTEXT_SHIFT = 56,
    A64_USER_BITS = 47, /* user mode: of addresses that the host's user space has */
};

#define A64_TLB_NONE     UINT64_MAX /* a tag that no page address equals */
#define A64_PA_JUMP_HASH 0x9e3779b1u

/* Low bits of tags: why an entry that maps va must not be used inline. */
enum {
    A64_TLB_ALIGN = 1,     /* must be naturally aligned: Device memory, or SCTLR_EL1.A */
    A64_TLB_WATCH = 2,     /* a watchpoint lies in the page */
    A64_TLB_MMIO = 4,      /* addend is physical address - va */
    A64_TLB_EMPTY = 0x800, /* set in A64_TLB_NONE */
};

struct a64_tlb_entry {
    uint64_t read, write, exec; /* page VA where that access is allowed to RAM, else NONE */
    uint64_t addend;            /* host address - va */
};

/* Virtual address to host code, direct-mapped by (va >> 2): translated code reads it inline. */
struct a64_jump {
    uint64_t va; /* NONE: empty */
    void *code;
};

/* Addresses whose bits under the mask are those of the base. */
struct a64_tlb_range {
    uint64_t base, mask;
};

struct a64_tlb_bank {
    struct a64_tlb_entry entries[A64_TLB_ENTRIES];
    struct a64_jump jumps[A64_JUMPS];
    /* Which page has jumps, by page number modulo the table: there are none to any other page, so
     * that dropping a page of data costs one comparison. NONE: nobody. */
    uint64_t jump_pages[A64_JUMP_PAGES];
    uint64_t jump_page_pa[A64_JUMP_PAGES]; /* where its code came from; of pages that have jumps */
    /* Which slots of jumps[] were set since all were empty; more than fit: any. */
    uint32_t jump_log_count;
    uint16_t jump_log[A64_JUMP_LOG];
    uint32_t asid; /* EL0 banks */
    bool used;
    uint64_t last_use; /* for choosing a victim */
    /* Bookkeeping of tlb.c: which entries were filled, and from pages of what size. */
    uint64_t filled[A64_TLB_ENTRIES / 64];
    uint64_t page_pa[A64_TLB_ENTRIES];
    uint8_t shift[A64_TLB_ENTRIES]; /* log2 of the page or block that entry came from */
    uint64_t shifts_seen;           /* bit n: some entry came from a page of 2^n bytes */
    struct a64_tlb_range large[A64_LARGE_RANGES]; /* hold every block over 64 KiB seen here */
    unsigned large_count;
    bool has_global; /* EL0 banks: some entry is global */
};

static_assert(A64_JUMPS <= 1 << 16, "slots fit the log");

static inline struct a64_jump *a64_bank_jump(struct a64_tlb_bank *bank, uint64_t va)
{
    return &bank->jumps[(va >> 2) & (A64_JUMPS - 1)];
}

/* In user mode: a program that has just started uses few slots, for it would touch a page for each
 * place in its code that is jumped to. One that goes on and on gets all. */
static inline struct a64_jump *a64_user_jump(struct a64_cpu *cpu, uint64_t va)
{
    return &cpu->bank->jumps[(va & cpu->jump_mask) / 4];
}

/* Where what was pushed out of there is looked for next, by a stub. */
static inline struct a64_jump *a64_user_second_jump(struct a64_cpu *cpu, uint64_t va)
{
    return a64_user_jump(cpu, va ^ va >> A64_USER_JUMPS_SHIFT);
}

/* Nothing is found in it any more. Its address is one that has both its places elsewhere: 4 is
 * looked up in slot 1, 8 in slot 2. */
static inline void a64_user_empty_jump(struct a64_cpu *cpu, struct a64_jump *slot)
{
    *slot = (struct a64_jump){slot == &cpu->bank->jumps[1] ? 8 : 4, NULL};
}

static inline void a64_user_set_jump(struct a64_cpu *cpu, uint64_t va, void *code)
{
    struct a64_jump *slot = a64_user_jump(cpu, va);
    if (slot->code && slot->va != va) {
        struct a64_jump *second = a64_user_second_jump(cpu, slot->va);
        bool crowded = second->code && second->va != slot->va;
        *second = *slot;
        if (crowded && ++cpu->jump_misses >= A64_USER_JUMPS_CROWDED) {
            cpu->jump_misses = 0; /* what is in a wrong slot now is never found */
            cpu->jump_mask =
                cpu->jump_mask * A64_USER_JUMPS_GROWTH + (A64_USER_JUMPS_GROWTH - 1) * 4;
            cpu->jump_mask &= (A64_JUMPS - 1) * 4;
            slot = a64_user_jump(cpu, va);
        }
    }
    *slot = (struct a64_jump){va, code};
}

static inline uint64_t *a64_bank_jump_page(struct a64_tlb_bank *bank, uint64_t va)
{
    return &bank->jump_pages[(va >> 12) % A64_JUMP_PAGES];
}

/* Empties a slot. A guest may branch to any address, NONE too, which would match an empty slot
 * where it is looked up, in the last one: that is emptied with an address looked up elsewhere. */
static inline void a64_bank_empty_jump(struct a64_tlb_bank *bank, struct a64_jump *jump)
{
    jump->va = jump == &bank->jumps[A64_JUMPS - 1] ? 0 : A64_TLB_NONE;
}

/* Drops the jumps to one 4 KiB page of virtual addresses: with every unmapping of that page. */
static inline void a64_bank_drop_jumps(struct a64_tlb_bank *bank, uint64_t va)
{
    uint64_t page = va >> 12, *owner = a64_bank_jump_page(bank, va);
    if (*owner != page)
        return;
    *owner = A64_TLB_NONE;
    struct a64_jump *first = a64_bank_jump(bank, page << 12);
    for (unsigned i = 0; i < A64_JUMPS_PER_PAGE; i++)
        if (first[i].va >> 12 == page)
            a64_bank_empty_jump(bank, &first[i]);
}

/* `pa`: of the code at va. A guest that maps a page elsewhere without a TLBI must not leave jumps
 * behind that a64_jumps_drop_page() does not find. */
static inline void a64_bank_set_jump(struct a64_tlb_bank *bank, uint64_t va, uint64_t pa,
                                     void *code)
{
    uint64_t *owner = a64_bank_jump_page(bank, va);
    uint64_t *owner_pa = &bank->jump_page_pa[owner - bank->jump_pages];
    uint64_t page_pa = pa & ~0xfffull;
    if (*owner != va >> 12 || *owner_pa != page_pa) {
        if (*owner != A64_TLB_NONE)
            a64_bank_drop_jumps(bank, *owner << 12);
        *owner = va >> 12;
        *owner_pa = page_pa;
    }
    struct a64_jump *jump = a64_bank_jump(bank, va);
    *jump = (struct a64_jump){va, code};
    if (bank->jump_log_count < A64_JUMP_LOG)
        bank->jump_log[bank->jump_log_count] = (uint16_t)(jump - bank->jumps);
    bank->jump_log_count += bank->jump_log_count <= A64_JUMP_LOG;
}

/* Drops all jumps of a bank. */
static inline void a64_bank_drop_all_jumps(struct a64_tlb_bank *bank)
{
    if (bank->jump_log_count > A64_JUMP_LOG) {
        memset(bank->jumps, 0xff, sizeof(bank->jumps)); /* va = NONE */
        a64_bank_empty_jump(bank, &bank->jumps[A64_JUMPS - 1]);
        memset(bank->jump_pages, 0xff, sizeof(bank->jump_pages));
    }
    for (unsigned i = 0; i < bank->jump_log_count && i < A64_JUMP_LOG; i++) {
        struct a64_jump *jump = &bank->jumps[bank->jump_log[i]];
        if (jump->va != A64_TLB_NONE)
            *a64_bank_jump_page(bank, jump->va) = A64_TLB_NONE;
        a64_bank_empty_jump(bank, jump);
    }
    bank->jump_log_count = 0;
}

enum a64_access { A64_READ, A64_WRITE, A64_FETCH };

/* Which rules an access goes by. */
enum a64_mem_flags {
    A64_MEM_UNPRIV = 1,  /* LDTR/STTR: EL0's permissions and bank (unless UAO says otherwise) */
    A64_MEM_ALIGNED = 2, /* alignment fault if not naturally aligned (exclusive, acquire, LSE) */
};

/* The result of a walk (DDI 0487 D8). */
struct a64_walk {
    uint64_t pa;            /* of the address asked for */
    uint64_t page_bytes;    /* size of the block or page that maps it, >= 4096 */
    bool read, write, exec; /* allowed for the EL asked for */
    bool global;            /* nG == 0 */
    bool device;            /* memory type Device: unaligned access faults */
};

/* Walks for `el` without touching the TLB. Returns 0, or the fault's ISS[5:0] fault status code
 * with bit 31 set. The access flag is not set by hardware (no HAFDBS): it faults. */
uint32_t a64_walk(struct a64_cpu *cpu, uint64_t va, enum a64_access access, unsigned el,
                  struct a64_walk *ret);

/* Fills the TLB for va, for the EL that `flags` and PSTATE say. Returns the entry, whose tag for
 * `access` is the page's address with bits of A64_TLB_* that say what to mind; or NULL, and
 * *ret_fault is the fault status code (no exception is taken). */
struct a64_tlb_entry *a64_tlb_fill(struct a64_cpu *cpu, uint64_t va, enum a64_access access,
                                   unsigned flags, uint32_t *ret_fault);

/* What a64_tlb_refill() is told about accesses to `size_bytes` bytes in all, up to 255. `aligned`:
 * they must lie at a multiple of the size (a power of two), or of A64_REFILL_ALIGNMENT if there are
 * more bytes. */
enum { A64_REFILL_ALIGNMENT = 16 };
static inline uint32_t a64_refill_how(enum a64_access access, unsigned size_bytes, bool aligned,
                                      bool unprivileged)
{
    return (uint32_t)access | (uint32_t)unprivileged << 2 | (uint32_t)aligned << 3 |
           size_bytes << 4;
}

/* For translated code, after a lookup at va failed, or before one: fills the bank. Nonzero, the
 * entry's addend, where the lookup now succeeds; 0 where the access is for a64_load() and the like:
 * it goes over a page's end, is misaligned, goes to MMIO, or faults. Takes no exception. Uses no
 * floating point. */
uint64_t a64_tlb_refill(struct a64_cpu *cpu, uint64_t va, uint32_t how);

/* Loads and stores with everything: TLB, page crossing, MMIO, alignment, faults. True on success.
 * On false the exception is taken already (pc = vector) and nothing else changed. size 1..16, a
 * power of two, or up to 64 for multi-register accesses done in parts by the caller. */
bool a64_load(struct a64_cpu *cpu, uint64_t va, unsigned size_bytes, unsigned flags, void *out);
bool a64_store(struct a64_cpu *cpu, uint64_t va, unsigned size_bytes, unsigned flags,
               const void *data);
/* True where [va, va + size) can be stored to without fault; else the exception is taken. */
bool a64_probe_store(struct a64_cpu *cpu, uint64_t va, unsigned size_bytes, unsigned flags);
/* Host address for an atomic on naturally aligned [va, va + size) in RAM (checks read and write);
 * NULL: the exception is taken (alignment, translation, permission, or atomics on a device). */
void *a64_atomic_ptr(struct a64_cpu *cpu, uint64_t va, unsigned size_bytes);
/* The instruction at va; false: the prefetch abort is taken. Also gives the physical address. */
bool a64_fetch(struct a64_cpu *cpu, uint64_t va, uint32_t *ret_insn, uint64_t *ret_pa);
/* Debugger's access: no faults, no side effects, walks with EL1 rights; false where unmapped. */
bool a64_debug_access(struct a64_cpu *cpu, uint64_t va, void *data, size_t size_bytes, bool write);

/* Empties the TLB in use; all that the CPU has. */
void a64_tlb_flush_all(struct a64_cpu *cpu);
void a64_tlbs_empty(struct a64_cpu *cpu);
/* After TTBR0/TTBR1/TCR/SCTLR/EL changes: point cpu->bank and bank_unpriv at the right banks. */
void a64_select_bank(struct a64_cpu *cpu);
/* Drops every jump of every bank of this CPU: translations are gone. */
void a64_jumps_clear(struct a64_cpu *cpu);
/* Drops the jumps of the banks in use: the context changed. Machines alone. */
void a64_jumps_forget(struct a64_cpu *cpu);
/* Drops the jumps to code of one 4 KiB page of physical addresses, from wherever. Machines alone.
 */
void a64_jumps_drop_page(struct a64_cpu *cpu, uint64_t pa);

/* The jump caches' second level: code by physical address and the translator's context, so that it
 * serves every address space and survives TLB maintenance. A page's entries lie side by side. Keys
 * are odd, so that an entry of zeros matches nothing. */
static inline struct a64_jump *a64_pa_jump(struct a64_cpu *cpu, uint64_t pa)
{
    uint32_t page = (uint32_t)(pa >> 12) * A64_PA_JUMP_HASH >> 16;
    return &cpu->pa_jumps[(page + (pa >> 2 & 1023)) & (A64_PA_JUMPS - 1)];
}

static inline uint64_t a64_pa_context(uint32_t context)
{
    return (uint64_t)context << A64_PA_CONTEXT_SHIFT | 1;
}

static inline void a64_pa_set_jump(struct a64_cpu *cpu, uint64_t pa, void *code)
{
    *a64_pa_jump(cpu, pa) = (struct a64_jump){pa | cpu->pa_context, code};
}

/* Executes TLBI here and, for the IS forms, posts it to every other CPU of the system, which serve
 * it at their next poll or before they enter the guest. It is complete, as the architecture has it,
 * when this CPU's next DSB has waited (a64_wait_for_others). */
enum a64_tlbi { A64_TLBI_ALL, A64_TLBI_VA, A64_TLBI_VAA, A64_TLBI_ASID };
void a64_tlbi(struct a64_cpu *cpu, enum a64_tlbi op, uint64_t arg, bool broadcast);

/* AT S1E0R etc: writes PAR_EL1; returns the fault, 0: none. `pan`: the S1E1RP and S1E1WP forms,
 * which mind PSTATE.PAN. `both`: the S12 forms, with stage 2. */
uint32_t a64_address_translate(struct a64_cpu *cpu, uint64_t va, enum a64_access access,
                               unsigned el, bool pan, bool both);
/* VA without its tag where TCR_EL1.TBI0/1 has the top byte ignored, sign-extended from bit 55;
 * otherwise as it is. */
uint64_t a64_untag(const struct a64_cpu *cpu, uint64_t va);

/* PSTATE.PAN went from 0 to 1: forget what only PAN = 0 allowed. */
void a64_tlb_pan_set(struct a64_cpu *cpu);

int a64_tlb_new(struct a64_cpu *cpu, struct err *e);
/* User mode: one bank, all zero, for its jumps alone; entries never match. */
int a64_tlb_new_user(struct a64_cpu *cpu, struct err *e);
void a64_tlb_free(struct a64_cpu *cpu);

#endif
