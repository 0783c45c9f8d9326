/* emit_int.h: what the emitter's files share. */
#ifndef PENG_CORE_X86_64_EMIT_INT_H
#define PENG_CORE_X86_64_EMIT_INT_H

#include "core/x86_64/emit.h"

/* Which instruction left NZCV in EFLAGS, hence what CF means. */
enum flags_kind {
    FLAGS_NONE,        /* not in EFLAGS */
    FLAGS_SUB,         /* CF = NOT C: the saved form */
    FLAGS_ADD,         /* CF = C */
    FLAGS_LOGIC,       /* C = V = 0; CF = OF = 0 */
    FLAGS_FP,          /* of VUCOMISD a, b for a comparison of a with b (emit_fp_flags.c) */
    FLAGS_FP_REVERSED, /* of VUCOMISD b, a */
};

/* Scratch vector registers have the state of a hash function, kept in these V registers, as x86's
 * instructions want it. SHA-1 has one register: it is both. */
struct sha_state {
    enum sha_kind { SHA_NONE, SHA_1, SHA_256 } kind;
    uint8_t abcd, efgh;
};

struct cold {
    enum {
        COLD_INTERPRET,
        COLD_MISS,
        COLD_EXIT,
        COLD_POLL,
        COLD_STEP,
        COLD_SATURATED,
        COLD_CALL,
        COLD_JOIN, /* regions: to the LABEL at offset */
        COLD_PART, /* regions: out of it to offset */
    } kind;
    uint8_t *from;        /* rel32 to patch to the cold code */
    uint8_t *poll;        /* COLD_EXIT: another one, or NULL */
    uint8_t *resume;      /* where to go on (COLD_INTERPRET, COLD_MISS), or return to (COLD_CALL) */
    uint8_t *retry;       /* COLD_MISS: the check that failed; or see `look` */
    uint32_t how;         /* ... a64_tlb_refill()'s */
    uint8_t va;           /* ... COLD_MISS: host register that has the address */
    uint8_t shared;       /* ... bytes looked up for several accesses, or 0 */
    uint32_t raw;         /* the instruction */
    int32_t offset;       /* its page offset, or where to go on (COLD_POLL) */
    int exit;             /* exit number; patched site is here or `from` */
    int32_t source;       /* COLD_PART: the instruction's page offset */
    enum flags_kind save; /* NZCV to be saved first */
    bool apart;           /* as emitter.apart */
    bool leaves;          /* COLD_INTERPRET, COLD_MISS: the unit's lookups are not good behind it */
    uint8_t restore;      /* COLD_INTERPRET: if not 0, V register restore - 1 is in xmm0 */
    struct sha_state sha; /* as it is to be behind the interpreter, or a miss */
    uint8_t look;         /* ... if not 0: fp_look_again() first, which may go on at `retry` */
};

struct region_state;

struct emitter {
    struct x86_buf *buf;
    const struct emit_request *request;
    const uint8_t *gpr; /* host register of each guest register, as emit_gpr */
    struct emit_result *result;
    const uint8_t *cold_part;    /* where it starts; NULL: in the hot part yet */
    struct region_state *region; /* NULL: in a unit of the first tier */
    bool apart;                  /* in a region: registers are the first tier's already */
    const struct ir_op *op;
    unsigned index; /* of op in the unit */
    enum flags_kind flags;
    bool flags_in_memory;
    uint32_t zero_above_32, zero_above_64; /* V registers known to be scalars, by number */
    uint64_t stored_alone;                 /* X registers in memory written lately, by number */
    uint64_t stored_now;                   /* ... by set_done() in this op */
    uint8_t held[3];                       /* what rax, rcx and rdx hold, X86_NONE: nothing known */
    bool remembers;                        /* ... may be told during this op */
    bool holds;                            /* ... any of them something */
    struct sha_state sha;
    uint8_t *behind_branch; /* displacement of a jump to behind the next BCC, or NULL */
    bool sp_aligned;        /* SP is known to be a multiple of 16 */
    uint64_t targets[16];   /* words of the page that the unit branches on to */
    uint32_t raw;           /* instruction being emitted */
    int32_t offset;         /* ... its page offset */
    unsigned cold_count;
    unsigned cold_pending; /* first cold entry whose resume address is the next instruction */
    struct cold cold[EMIT_COLD_MAX]; /* last: what is not used is not cleared */
};

static inline unsigned op_width(const struct ir_op *o)
{
    return o->type == IR_I64 ? 8 : 4;
}

/* Where guest register v lives. Not for IR_ZERO. */
static inline struct x86_rm loc(const struct emitter *e, unsigned v)
{
    return e->gpr[v] != X86_NONE ? rm_reg(e->gpr[v]) : rm_mem(RBP, EMIT_OFFSET(x) + (int32_t)v * 8);
}

/* emit_value.c. */
/* A host register that holds v: its own, or `scratch` loaded with it. Keeps the flags. */
unsigned use_reg(struct emitter *e, unsigned v, unsigned scratch, unsigned width);
/* The same for 64 bits, and where one of the scratch registers `others` has v already it is that.
 */
enum { HELD_ALL = 1 << RAX | 1 << RCX | 1 << RDX, HELD_NOT_RDX = 1 << RAX | 1 << RCX };
unsigned use_held(struct emitter *e, unsigned v, unsigned scratch, unsigned others);
/* v as an operand that is read before any scratch register is written. */
struct x86_rm use_operand(struct emitter *e, unsigned v);
/* A host register to compute v in: its own or `scratch`; set_done() stores the latter. */
unsigned set_reg(const struct emitter *e, unsigned v, unsigned scratch);
void set_done(struct emitter *e, unsigned v, unsigned reg);
/* Before each op, and behind one whose first operand is a general register: what scratch registers
 * hold, and which registers in memory were written. */
void held_begin(struct emitter *e, const struct ir_op *o);
void held_end(struct emitter *e, const struct ir_op *o);
/* Scratch registers hold nothing known: others come here, too. */
void held_forget(struct emitter *e);
/* Whether they hold nothing that is remembered. */
bool held_nothing(struct emitter *e);

/* NZCV as four bits to the form that the CPU struct keeps. */
static inline uint16_t flags_saved_form(unsigned nzcv)
{
    return (uint16_t)((nzcv & 12) << 12 | (~nzcv & 2) << 7 | (nzcv & 1));
}

/* EFLAGS is about to be overwritten by the current op: saves NZCV if someone needs it later. */
void flags_clobber(struct emitter *e);
/* Saves NZCV to memory if it is only in EFLAGS; EFLAGS keeps (a form of) it. */
void flags_save(struct emitter *e, enum flags_kind kind);
/* Makes EFLAGS hold NZCV and returns the host condition for `cond` (not AL/NV). */
enum x86_cc flags_condition(struct emitter *e, unsigned cond);
void flags_set(struct emitter *e, enum flags_kind kind); /* current op has just set EFLAGS */
/* FLAGS_FP and FLAGS_FP_REVERSED: ax = the saved form. EFLAGS stay. Overwrites rcx. */
void flags_fp_to_ax(struct emitter *e, enum flags_kind kind);
/* As flags_condition(), for e->flags of these two kinds. */
enum x86_cc flags_fp_condition(struct emitter *e, unsigned cond);
/* Whether the next instruction reads one condition, *ret_cond, of the current op's flags and no
 * other ever does. */
bool flags_fp_only_reader(const struct emitter *e, unsigned *ret_cond);
/* Whether condition `cond` (not AL, NV) holds under `nzcv`. */
bool flags_hold(unsigned nzcv, unsigned cond);
/* Which of the two kinds suits the condition that reads the current op's flags. */
enum flags_kind flags_fp_kind(const struct emitter *e);
/* EFLAGS = the saved form in ax. */
void flags_from_ax(struct emitter *e);

/* reg = address of the running page + offset: a constant in user mode, else from memory, where rcx
 * may be overwritten. Keeps the flags. */
void page_address(struct emitter *e, unsigned reg, int64_t offset);
/* The same to memory, where one instruction does it. */
bool store_page_address(struct emitter *e, struct x86_rm to, int64_t offset);
/* The same in the form that stubs.exit and stubs.interpret want. */
void page_place(struct emitter *e, unsigned reg, int32_t offset);

/* Tests the poll word: the displacement of a jump that is taken where the run loop wants the CPU.
 */
uint8_t *emit_poll(struct x86_buf *b);
/* User mode: rax = address: looks at the poll word, then goes there through the jump cache, else to
 * stubs.lookup. */
void emit_poll_and_jump_to_rax(struct x86_buf *b, bool user, const struct emit_stubs *stubs);
/* Where a slot of share.c lies while the unit runs. */
static inline struct x86_rm share_slot(unsigned slot)
{
    return rm_mem(RBP, EMIT_OFFSET(shared) + (int32_t)slot * 8);
}

/* emit_shift.c: d = from, rotated right. RORX keeps EFLAGS; without BMI2 they are lost. */
void emit_rotate(struct emitter *e, unsigned width, unsigned d, struct x86_rm from,
                 unsigned amount);

/* emit_crypto.c: makes scratch registers have the state; and before each op, while they do: whether
 * they still will. */
void sha_reorder(struct emitter *e, struct sha_state state);
void sha_begin(struct emitter *e, const struct ir_op *o);

/* emit_fp.c: the first of a cold path's two looks at a result sends more there than belongs: a jump
 * to be patched is taken where it does not. */
uint8_t *fp_look_again(struct emitter *e, uint8_t look);

struct cold *cold_add(struct emitter *e, int kind, uint8_t *from);
/* Cold code added so far resumes here. */
void cold_resume(struct emitter *e);

/* The displacement at `disp` leads to `target`, which may be in the other part. */
void patch_across(struct emitter *e, uint8_t *disp, const uint8_t *target);
/* The interpreter executes the instruction `raw` at this page offset. NZCV is in memory where
 * somebody wants it. */
void call_interpreter(struct emitter *e, uint32_t raw, int32_t offset);
/* The unit goes on at `target` (page offset); flags are saved, registers the first tier's. */
void emit_leave_to(struct emitter *e, int64_t target);
/* The same by an exit with EMIT_EXIT_ALONE, for which there is room. */
void emit_leave_alone(struct emitter *e, int32_t target);
/* A jump, already now, to where the next instruction, `branch`, goes, if cc holds; NZCV is dead
 * there. And whether that can be done. */
void branch_ahead(struct emitter *e, const struct ir_op *branch, enum x86_cc cc);
bool can_branch_ahead(const struct emitter *e, const struct ir_op *branch);

/* emit_region.c: what follows does nothing and returns false in units of the first tier. */
enum { REGION_JUMPS_MAX = 640 };
struct region_state {
    const struct emit_region *map;
    struct ir_labels labels;
    struct region_swap {
        uint8_t host, out, in; /* host register; guest registers outside and in the region */
    } swaps[16];
    unsigned swap_count;
    const uint8_t *interpret;           /* to be called from within the region; NULL: the stub */
    const uint8_t *code[IR_PAGE_WORDS]; /* of LABELs, NULL: not yet */
    struct region_jump {
        uint8_t *site;
        uint16_t word;
    } jumps[REGION_JUMPS_MAX]; /* to LABELs whose code is to come */
    unsigned jump_count;
};
void region_begin(struct emitter *e, struct region_state *state);
void region_end(struct emitter *e);
/* Registers as the first tier has them, before the region is left. */
void region_part(struct emitter *e);
/* The code that follows has registers as the first tier (`apart`) or as the region. */
void region_resume(struct emitter *e, bool apart);
/* An op's jump to o->imm if cc holds, and one without condition to a LABEL. */
bool region_branch(struct emitter *e, const struct ir_op *o, enum x86_cc cc);
bool region_jump(struct emitter *e, const struct ir_op *o);
/* From cold code. */
void region_join(struct emitter *e, int32_t target);

/* emit_address.c: the host memory operand for the current op's access, of rax and rcx or guest
 * registers; misses go to the cold path. */
struct x86_rm emit_address(struct emitter *e, enum a64_access access, unsigned size_bytes);

static inline struct x86_rm displaced(struct x86_rm rm, int32_t by)
{
    rm.disp += by;
    return rm;
}

/* One handler an op. */
typedef void (*emit_fn)(struct emitter *e, const struct ir_op *o);
#define EMIT_DECLARE(name, operands, reads, writes, attributes)                                    \
    void emit_##name(struct emitter *e, const struct ir_op *o);
IR_OPS(EMIT_DECLARE)
#undef EMIT_DECLARE

#endif
