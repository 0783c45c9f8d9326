/* emit.h: from a unit of micro-ops to x86-64 code, in one forward pass.
 *
 * Register convention of generated code:
 *  - rbp is the CPU struct + EMIT_BIAS, the base of GS the TLB bank in use (struct a64_tlb_bank);
 *  - rax, rcx and rdx are scratch within one op, the other 11 are guest registers, pinned across
 *    units (emit_gpr);
 *  - xmm0 to xmm3 are scratch, the rest are pinned to V registers (emit_xmm);
 *  - MXCSR has the guest's rounding mode and sticky exceptions;
 *  - rsp is a stack of calls and returns alone (translator/returns.h).
 * A unit is entered with NZCV in memory and leaves so.
 *
 * What a unit cannot do inline it leaves to the interpreter, one instruction at a time. A TLB miss
 * is filled by stubs.miss and looked up again; what that cannot help (MMIO, a page's end, a
 * misaligned access, a fault) all takes the same way through stubs.interpret, so that memory has
 * one slow path and state is exact there by construction.
 */
#ifndef PENG_CORE_X86_64_EMIT_H
#define PENG_CORE_X86_64_EMIT_H

#include "core/arm64/mmu.h"
#include "core/ir/region.h"
#include "core/x86_64/asm.h"
#include "hardware/hostcpu.h"

/* So that x[4..31], pc, code_page, host_flags and signals.budget lie within a byte's displacement;
 * X0 to X3 have host registers of their own. */
enum { EMIT_BIAS = 160, EMIT_EXITS_MAX = 40, EMIT_COLD_MAX = 300, EMIT_FAULTS_MAX = 400 };
/* What stubs.enter returns: 0 or one of the first two with pc stored (the instruction at pc is for
 * the interpreter, or is SVC #0); without it the number that the cache gave an exit, or (with a bit
 * set) a unit that was entered dead. */
enum { EMIT_TAG_STEP = 1, EMIT_TAG_SVC = 2, EMIT_TAG_EXITS = 3 };
#define EMIT_TAG_AGAIN 0x80000000u
enum { EMIT_MISS_SHIFT = 12, EMIT_JUMP_BYTES = 5 };
enum { EMIT_ENTRY_BYTES = 5 }; /* user mode: the no-op that a unit starts with */

#define EMIT_OFFSET(field) ((int32_t)offsetof(struct a64_cpu, field) - EMIT_BIAS)

/* Host register of a guest register, X86_NONE: it lives in memory. */
extern const uint8_t emit_gpr[32];
/* Host vector register of V0..V31, or X86_NO_XMM. */
enum { X86_NO_XMM = 0xff };
unsigned emit_xmm(const struct hostcpu *host, unsigned v);

/* Common code at the start of code memory, made once by emit_stubs(). Addresses in the write view.
 */
struct emit_stubs {
    const uint8_t *enter; /* uint64_t (*)(struct a64_cpu *, const void *code): the tag */
    const uint8_t *leave; /* jump here with rax = tag: back to the run loop */
    /* ecx = tag, rax = where to go on, as an address (user mode) or an offset in the running page:
     * stores pc, leaves. */
    const uint8_t *exit;
    const uint8_t *interpret; /* call with edx = instruction word, rcx = its place as above */
    /* A lookup in the TLB failed: call with rax = virtual address, edx = instruction word, ecx =
     * page offset | a64_tlb_refill()'s `how` << EMIT_MISS_SHIFT. Returns to look again (rax kept),
     * or EMIT_JUMP_BYTES behind, after the interpreter has executed the instruction. */
    const uint8_t *miss;
    const uint8_t *miss_alone; /* the same, but who called it calls the interpreter */
    const uint8_t *constants;  /* emit_vec.h */
    const uint8_t *fused;      /* emit_fused.c; NULL: the host has FMA */
    const uint8_t *lookup;     /* rax = virtual address to go on at: stores pc, leaves with tag 0 */
    /* A return to X30 that the top of the stack is not for; and what the end of the stack returns
     * to (translator/returns.h). */
    const uint8_t *return_miss, *return_end;
    const uint8_t *find; /* the same where the bank's jump cache has nothing; machines alone */
};

/* In an exit's target: to code of the same place in which accesses share no lookups. */
enum { EMIT_EXIT_ALONE = 1 };

/* A patchable way out: `site` is the rel32 of a jump that first goes to a cold path. */
struct emit_exit {
    uint8_t *site;
    uint8_t *tag;   /* where the cold path has the exit's number, 32 bits: to be filled in */
    int32_t target; /* offset from the start of the page; within it but in user mode */
};

/* User mode: code before `end` (and behind the entry before this one) that faults is of the guest
 * instruction at `offset` in its page; `flags` is for emit_saved_flags(). */
struct emit_fault {
    uint16_t end; /* offset from the unit's start */
    uint16_t offset : 12, flags : 4;
};

/* User mode: the code at `at`, an offset in the hot part, is as good a beginning as the unit's own,
 * for the instruction at `offset` in its page. Direct jumps alone lead there. */
struct emit_entry {
    uint16_t at, offset;
};
enum { EMIT_ENTRIES_MAX = IR_UNIT_INSNS };

/* Second tier: where a region has guest registers, as emit_gpr; and which of them it writes. */
struct emit_region {
    uint8_t gpr[32];
    uint32_t written;
};

/* Chooses registers for a region by use: those of the first tier but where another guest register
 * is used more, by `margin` or more. */
void emit_region_registers(const struct ir_region_use *use, uint32_t margin,
                           struct emit_region *ret_region);
/* For tests: gives each of them to the next but `by` guest register that has one. */
void emit_region_rotate(struct emit_region *region, unsigned by);

/* For those who show code: what lies from `at`, an offset in the hot part, was made of the
 * instruction at `offset` in the guest's page, to the next mark. */
struct emit_mark {
    uint16_t at, offset;
};
struct emit_marks {
    unsigned count;
    struct emit_mark list[IR_REGION_INSNS];
};

struct emit_request {
    const struct ir_unit *unit;
    struct emit_marks *marks;         /* to be filled in; NULL: nobody wants to know */
    const struct emit_region *region; /* borrowed; NULL: the unit is no region */
    uint32_t head;                    /* page offset of the region's LABEL where it is entered */
    const struct hostcpu *host;
    const struct emit_stubs *stubs;
    uint64_t page; /* user mode: address of the guest page */
    /* User mode: guest addresses are host addresses and a unit's address is its key, so that direct
     * jumps to other pages are exits too. A unit starts with a no-op, over which a jump to its last
     * part can be written: that leaves for the run loop with the unit's number (the 32 bits behind
     * its first byte). */
    bool user;
};

struct emit_result {
    struct emit_exit exits[EMIT_EXITS_MAX];
    unsigned exit_count;
    unsigned main_bytes; /* the hot part; the cold one follows */
    struct emit_fault faults[EMIT_FAULTS_MAX];
    unsigned fault_count;
    struct emit_entry entries[EMIT_ENTRIES_MAX];
    unsigned entry_count;
    const uint8_t *again; /* user mode: leaves with the unit's number */
    const uint8_t *leave; /* regions: as stubs.leave, with registers as in the region */
    struct x86_fixups fixups;
};

/* Appends the unit's code to `buf`; entry is buf->at as it was. False: buf is full (nothing useful
 * was written). */
bool emit_unit(struct x86_buf *buf, const struct emit_request *request, struct emit_result *result);

/* NZCV in the form that the CPU struct keeps, from EFLAGS and a fault's `flags`; false: it is there
 * already. */
bool emit_saved_flags(unsigned kind, uint32_t eflags, uint16_t *ret_saved);

/* What the stubs call: executes one instruction at pc; nonzero: leave to the loop. */
typedef uint64_t (*emit_interpret_fn)(struct a64_cpu *cpu, uint64_t pc, uint32_t raw);
/* `user`: as emit_request.user of all units. */
void emit_stubs(struct x86_buf *buf, const struct hostcpu *host, bool user,
                emit_interpret_fn interpret, struct emit_stubs *ret_stubs);

#endif
