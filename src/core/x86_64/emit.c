/* emit.c: the pass itself: walks the ops, keeps track of where NZCV is, then writes the cold code.
 *
 * NZCV stays in EFLAGS from its producer until something overwrites EFLAGS; only then, and only if
 * an op further on reads NZCV (IR_FLAGS_LIVE), is it saved, with LAHF and SETO, in the form that
 * the CPU struct keeps (x86's borrow instead of Arm's carry).
 */
#include "core/x86_64/emit_vec.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"

static_assert(EMIT_OFFSET(x[4]) >= -128 && EMIT_OFFSET(signals.budget) <= 127,
              "what lives in memory is within a byte's displacement");

#define XM X86_NONE
/* X0-X4, X19-X22, X30 and SP are what Debian's binaries use most, by samples of interpreters and
 * compilers; X30 for what each call and return do with it. */
const uint8_t emit_gpr[32] = {
    RBX, RSI, RDI, R8,  R9,  XM,  XM,  XM, XM, XM, XM, XM, XM, XM, XM,  XM,
    XM,  XM,  XM,  R11, R12, R13, R10, XM, XM, XM, XM, XM, XM, XM, R15, R14,
};
#undef XM

/* Compilers use V8 to V15 last, since calls preserve their lower halves. */
unsigned emit_xmm(const struct hostcpu *host, unsigned v)
{
    unsigned end = host->avx2 && host->fma ? 20 : 4 + X86_LEGACY_TEMP;
    if (host->avx512vl)
        return v < 12 ? v + 4 : v >= 16 ? v : X86_NO_XMM;
    if (v < 8)
        return v + 4;
    return v >= 16 && v < end ? v - 4 : X86_NO_XMM;
}

/* To the saved form. Neither LAHF nor SETO changes EFLAGS. */
static void canonicalize(struct emitter *e, enum flags_kind kind)
{
    if (kind == FLAGS_ADD)
        x86_byte(e->buf, 0xf5); /* cmc */
    else if (kind == FLAGS_LOGIC)
        x86_byte(e->buf, 0xf9); /* stc */
}

void flags_from_ax(struct emitter *e)
{
    x86_alu_imm(e->buf, ALU_ADD, 1, rm_reg(RAX), 0x7f);
    x86_byte(e->buf, 0x9e); /* sahf */
}

void flags_save(struct emitter *e, enum flags_kind kind)
{
    if (kind == FLAGS_FP || kind == FLAGS_FP_REVERSED) {
        flags_fp_to_ax(e, kind);
    } else {
        canonicalize(e, kind);
        x86_byte(e->buf, 0x9f);                              /* lahf; the next marks rax written */
        x86_op(e->buf, 0, 0x0f90 | CC_O, 1, 0, rm_reg(RAX)); /* seto al */
    }
    x86_store(e->buf, 2, rm_mem(RBP, EMIT_OFFSET(host_flags)), RAX);
}

bool emit_saved_flags(unsigned kind, uint32_t eflags, uint16_t *ret_saved)
{
    enum { CF = 1, PF = 4, ZF = 0x40, OF = 0x800 };
    uint16_t saved = (uint16_t)((eflags & 0xff) << 8 | (eflags & OF ? 1 : 0));
    bool less = eflags & CF;
    switch (kind) {
    case FLAGS_SUB:
        break;
    case FLAGS_ADD:
        saved ^= CF << 8;
        break;
    case FLAGS_LOGIC:
        saved |= CF << 8;
        break;
    case FLAGS_FP:
    case FLAGS_FP_REVERSED:
        less ^= kind == FLAGS_FP_REVERSED;
        saved = flags_saved_form(eflags & PF ? 3 : eflags & ZF ? 6 : less ? 8 : 2);
        break;
    default:
        return false;
    }
    *ret_saved = saved;
    return true;
}

void flags_clobber(struct emitter *e)
{
    const struct ir_op_info *info = &ir_op_info[e->op->op];
    bool needed = (e->op->flags & IR_FLAGS_LIVE) && !info->writes_flags;
    if (e->flags != FLAGS_NONE && !e->flags_in_memory && needed)
        flags_save(e, e->flags);
    if (e->flags != FLAGS_NONE && needed)
        e->flags_in_memory = true;
    e->flags = FLAGS_NONE;
}

void flags_set(struct emitter *e, enum flags_kind kind)
{
    e->flags = e->op->flags & IR_FLAGS_LIVE ? kind : FLAGS_NONE;
    e->flags_in_memory = false;
}

enum x86_cc flags_condition(struct emitter *e, unsigned cond)
{
    static const uint8_t table[14] = {CC_E,  CC_NE, CC_AE, CC_B,  CC_S, CC_NS, CC_O,
                                      CC_NO, CC_A,  CC_BE, CC_GE, CC_L, CC_G,  CC_LE};
    assert(cond < 14);
    if (e->flags == FLAGS_NONE) {
        x86_zext(e->buf, 2, RAX, rm_mem(RBP, EMIT_OFFSET(host_flags)));
        flags_from_ax(e);
        e->flags = FLAGS_SUB;
        e->flags_in_memory = true;
    }
    if (e->flags == FLAGS_FP || e->flags == FLAGS_FP_REVERSED)
        return flags_fp_condition(e, cond);
    bool reads_carry = cond == 2 || cond == 3 || cond == 8 || cond == 9;
    if (reads_carry && e->flags != FLAGS_SUB) {
        canonicalize(e, e->flags);
        e->flags = FLAGS_SUB;
    }
    return table[cond];
}

struct cold *cold_add(struct emitter *e, int kind, uint8_t *from)
{
    if (e->cold_count == EMIT_COLD_MAX) { /* the caller retries with a smaller unit */
        e->buf->full = true;
        return &e->cold[0];
    }
    struct cold *c = &e->cold[e->cold_count++];
    *c = (struct cold){.kind = kind,
                       .from = from,
                       .raw = e->raw,
                       .offset = e->offset,
                       .exit = -1,
                       .apart = e->apart,
                       .sha = e->sha,
                       .leaves = e->op->share & IR_SHARE_WITHIN &&
                                 ir_op_info[e->op->op].attributes & IR_MAY_FAULT};
    return c;
}

void cold_resume(struct emitter *e)
{
    for (; e->cold_pending < e->cold_count; e->cold_pending++) {
        struct cold *c = &e->cold[e->cold_pending];
        if (!c->resume)
            c->resume = e->buf->at;
        if (c->kind != COLD_EXIT)
            held_forget(e);
    }
}

static void note_mark(const struct emitter *e)
{
    struct emit_marks *marks = e->request->marks;
    if (marks->count < ARRAY_SIZE(marks->list))
        marks->list[marks->count++] = (struct emit_mark){
            (uint16_t)(e->buf->at - e->result->fixups.start), (uint16_t)e->offset & 4095};
}

/* Notes where the code for an instruction can be entered: where it relies on nothing that a unit's
 * first instruction does not find, either. Where the unit itself has branched to that is made so.
 */
static void note_entry(struct emitter *e, const struct ir_op *o)
{
    struct emit_result *result = e->result;
    bool live = o->flags & IR_FLAGS_LIVE;
    if (o->x || e->sha.kind || (live && (e->flags != FLAGS_NONE || !e->flags_in_memory)))
        return;
    if (e->targets[e->offset / 256] >> e->offset / 4 % 64 & 1) {
        held_forget(e);
        e->zero_above_32 = e->zero_above_64 = 0;
    } else if (e->zero_above_64 || (e->holds && !held_nothing(e))) {
        return;
    }
    if (!live)
        e->flags = FLAGS_NONE;
    result->entries[result->entry_count++] =
        (struct emit_entry){(uint16_t)(e->buf->at - result->fixups.start), (uint16_t)e->offset};
}

void emit_INSN(struct emitter *e, const struct ir_op *o)
{
    cold_resume(e);
    e->offset = (int32_t)(uint32_t)o->imm;
    if (e->request->user && !e->region && e->index)
        note_entry(e, o);
    if (e->request->marks)
        note_mark(e);
    e->raw = (uint32_t)((uint64_t)o->imm >> 32);
}

static bool is_cold(const struct emitter *e, const uint8_t *at)
{
    return e->cold_part && at >= e->cold_part;
}

void patch_across(struct emitter *e, uint8_t *disp, const uint8_t *target)
{
    if (e->buf->full)
        return;
    x86_patch(e->buf, disp, target);
    if (is_cold(e, disp) != is_cold(e, target))
        x86_note_fixup(e->buf, disp, X86_FIXUP_CROSS);
}

/* Leaves with a number to be filled in where the result points. */
static uint8_t *leave_with_number(struct emitter *e)
{
    x86_movi(e->buf, RAX, 0);
    uint8_t *at = e->buf->at - 4;
    x86_jmp_to(e->buf, e->request->stubs->leave);
    return at;
}

static void write_exit(struct emitter *e, const struct cold *c)
{
    struct emit_exit *exit = &e->result->exits[c->exit];
    if (c->save != FLAGS_NONE) { /* linking patches this jump */
        x86_align_site(e->buf, 1);
        exit->site = x86_jmp(e->buf);
        x86_patch(e->buf, exit->site, e->buf->at);
    }
    exit->tag = leave_with_number(e);
}

/* Behind an instruction that the interpreter executed. */
static void go_on(struct emitter *e, const struct cold *c)
{
    if (!c->leaves) {
        if (c->sha.kind)
            sha_reorder(e, c->sha);
        patch_across(e, x86_jmp(e->buf), c->resume);
        return;
    }
    region_part(e);
    page_address(e, RAX, c->offset + 4);
    x86_jmp_to(e->buf, e->request->stubs->find);
}

static void write_miss(struct emitter *e, const struct cold *c)
{
    const struct emit_stubs *stubs = e->request->stubs;
    uint8_t *crosses = NULL;
    if (c->shared && e->result->exit_count < EMIT_EXITS_MAX) {
        x86_load(e->buf, 4, RCX, rm_reg(c->va));
        x86_alu_imm(e->buf, ALU_AND, 4, rm_reg(RCX), 4095);
        x86_alu_imm(e->buf, ALU_CMP, 4, rm_reg(RCX), 4096 - c->shared);
        crosses = x86_jcc(e->buf, CC_A);
    }
    if (c->va != RAX)
        x86_load(e->buf, 8, RAX, rm_reg(c->va));
    x86_movi(e->buf, RDX, c->raw);
    x86_movi(e->buf, RCX, (uint32_t)c->offset | c->how << EMIT_MISS_SHIFT);
    x86_call_to(e->buf, e->region ? stubs->miss_alone : stubs->miss);
    uint8_t *again = x86_jmp(e->buf);
    if (e->region)
        call_interpreter(e, c->raw, c->offset);
    go_on(e, c);
    if (c->sha.kind) {
        x86_patch(e->buf, again, e->buf->at);
        sha_reorder(e, c->sha);
        again = x86_jmp(e->buf);
    }
    patch_across(e, again, c->retry);
    if (!crosses)
        return;
    x86_patch(e->buf, crosses, e->buf->at);
    region_resume(e, c->apart);
    region_part(e);
    emit_leave_alone(e, c->offset);
}

static void write_cold(struct emitter *e, struct cold *c)
{
    const struct emit_request *r = e->request;
    if (c->kind == COLD_EXIT && c->save == FLAGS_NONE) /* who places the unit sets exits' sites */
        x86_patch(e->buf, c->from, e->buf->at);
    else
        patch_across(e, c->from, e->buf->at);
    if (c->poll)
        patch_across(e, c->poll, e->buf->at);
    region_resume(e, c->apart);
    held_forget(e);
    if (c->save != FLAGS_NONE)
        flags_save(e, c->save);
    switch (c->kind) {
    case COLD_INTERPRET:
        if (c->look)
            patch_across(e, fp_look_again(e, c->look), c->retry);
        if (c->restore)
            vec_done(e, c->restore - 1u, 0);
        call_interpreter(e, c->raw, c->offset);
        go_on(e, c);
        break;
    case COLD_MISS:
        write_miss(e, c);
        break;
    case COLD_SATURATED: /* FPSR.QC */
        x86_alu_imm(e->buf, ALU_OR, 4, rm_mem(RBP, EMIT_OFFSET(fpsr)), 1 << 27);
        go_on(e, c);
        break;
    case COLD_POLL:
    case COLD_STEP:
        region_part(e);
        page_place(e, RAX, c->offset);
        x86_movi(e->buf, RCX, c->kind == COLD_STEP ? EMIT_TAG_STEP : 0);
        x86_jmp_to(e->buf, r->stubs->exit);
        break;
    case COLD_CALL: /* the jump cache does not know the function in rax */
        x86_push(e->buf, loc(e, 30));
        x86_lea(e->buf, 8, RCX, rm_target(c->resume, 0));
        x86_note_fixup(e->buf, e->buf->at - 4, X86_FIXUP_CROSS);
        x86_push(e->buf, rm_reg(RCX));
        x86_jmp_to(e->buf, r->user ? r->stubs->lookup : r->stubs->find);
        break;
    case COLD_EXIT:
        write_exit(e, c);
        break;
    case COLD_JOIN:
        region_join(e, c->offset);
        break;
    case COLD_PART:
        region_part(e);
        e->offset = c->source;
        emit_leave_to(e, c->offset);
        break;
    default:
        break;
    }
}

static const emit_fn emit_table[IR_OPCODE_COUNT] = {
#define EMIT_ENTRY(name, operands, reads, writes, attributes) [IR_##name] = emit_##name,
    IR_OPS(EMIT_ENTRY)
#undef EMIT_ENTRY
};

/* Writes SP with something else than SP plus or minus a multiple of 16. */
static bool breaks_sp(const struct ir_op *o)
{
    if (o->d != IR_SP || ir_op_info[o->op].operands[0] != 'd')
        return false;
    bool keeps =
        (o->op == IR_ADD || o->op == IR_SUB) && o->a == IR_SP && o->b == IR_IMM && o->imm % 16 == 0;
    return !keeps;
}

/* Which V registers hold scalars, after this op: arithmetic then need not clear the rest again. */
static void note_scalars(struct emitter *e, const struct ir_op *o)
{
    unsigned bytes = 16;
    if (o->op == IR_INTERPRET || o->op == IR_VLOADS) {
        e->zero_above_32 = e->zero_above_64 = 0;
        return;
    }
    if (o->op == IR_VLOAD || o->op == IR_VLOADP || o->op == IR_VFROMG)
        bytes = o->size;
    else if (o->op == IR_FCVT)
        bytes = o->sub == IR_F64 ? 8 : 4;
    else if (o->type == IR_F32 || o->type == IR_F64)
        bytes = o->op == IR_VFP3 || o->op == IR_VFP2 ? 16 : o->type == IR_F64 ? 8 : 4;
    uint32_t written = 1u << (o->d & 31);
    if (o->op == IR_VLOADP)
        written |= 1u << (o->c & 31);
    else if (o->op == IR_CRYPTO)
        written |= 1u << (o->a & 31); /* of some */
    e->zero_above_32 = (e->zero_above_32 & ~written) | (bytes <= 4 ? written : 0);
    e->zero_above_64 = (e->zero_above_64 & ~written) | (bytes <= 8 ? written : 0);
}

/* Where a fault in what was just emitted belongs. */
static void note_fault(struct emitter *e, const uint8_t *start)
{
    struct emit_result *result = e->result;
    size_t end = (size_t)(e->buf->at - start);
    if (result->fault_count == EMIT_FAULTS_MAX || end > UINT16_MAX) {
        e->buf->full = true;
        return;
    }
    result->faults[result->fault_count++] = (struct emit_fault){
        (uint16_t)end, (uint16_t)e->offset & 4095, e->flags_in_memory ? FLAGS_NONE : e->flags};
}

/* The unit's last part: a dead one comes here from its entry. */
static void write_again(struct emitter *e)
{
    e->result->again = e->buf->at;
    leave_with_number(e);
}

bool emit_unit(struct x86_buf *buf, const struct emit_request *request, struct emit_result *result)
{
    struct emitter e;
    struct region_state region;
    memset(&e, 0, offsetof(struct emitter, cold));
    e.buf = buf;
    e.request = request;
    e.result = result;
    e.gpr = emit_gpr;
    held_forget(&e);
    e.flags_in_memory = true;
    buf->legacy = !request->host->avx2;
    uint8_t *start = buf->at;
    result->exit_count = result->fault_count = result->entry_count = 0;
    result->fixups.start = start;
    if (request->marks)
        request->marks->count = 0;
    result->fixups.count = 0;
    buf->fixups = &result->fixups;
    if (request->user)
        x86_nop5(buf);
    result->leave = NULL;
    if (request->region)
        region_begin(&e, &region);
    for (unsigned i = 0; i < request->unit->count && !buf->full; i++) {
        e.op = &request->unit->ops[i];
        e.index = i;
        held_begin(&e, e.op);
        if (e.sha.kind)
            sha_begin(&e, e.op);
        emit_table[e.op->op](&e, e.op);
        const struct ir_op_info *info = &ir_op_info[e.op->op];
        if (info->operands[0] == 'd')
            held_end(&e, e.op);
        else if (info->operands[0] == 'D' || e.op->op == IR_INTERPRET)
            note_scalars(&e, e.op);
        if (request->user && e.op->op != IR_INTERPRET && info->attributes & IR_MAY_FAULT)
            note_fault(&e, start);
        if (breaks_sp(e.op))
            e.sp_aligned = false;
    }
    region_end(&e);
    result->main_bytes = (unsigned)(buf->at - start);
    e.cold_part = buf->at;
    for (unsigned i = 0; i < e.cold_count && !buf->full; i++)
        write_cold(&e, &e.cold[i]);
    if (request->user && !buf->full)
        write_again(&e);
    buf->fixups = NULL;
    if (buf->full)
        buf->at = start;
    return !buf->full;
}
