/* sigframe.c: the frame that a guest's signal handler finds on its stack, and the way back from it.
 *
 *   sp ->  siginfo                       128 bytes
 *          ucontext: flags, link, stack, mask, padding to 128 bytes
 *                    sigcontext: fault address, x0..x30, sp, pc, pstate
 *                    4096 bytes of records: FP and vector registers, ESR of a fault, terminator
 *          frame record {x29, x30}, to which x29 points, for unwinders
 *
 * A frame that sigreturn finds may have been changed by the handler (Java's and Go's do) or made
 * up; all of it is read and checked before anything is taken over.
 *
 * Limits: the CPU has no SVE, SME, PAC keys, BTI or MTE, so there are no records of them; the extra
 * record, which the kernel makes for SVE alone, is followed when found.
 *
 * Source: Linux 6.1, arch/arm64/kernel/signal.c, include/uapi/asm/sigcontext.h.
 */
#include "core/linux/signal_int.h"

#include "core/arm64/sysreg.h"

enum { FPSIMD_MAGIC = 0x46508001, ESR_MAGIC = 0x45535201, EXTRA_MAGIC = 0x45585401 };
enum { RECORDS_SIZE = 4096, MIN_STACK = 5120 };

struct record {
    uint32_t magic, size;
};

struct fpsimd_record {
    struct record head;
    uint32_t fpsr, fpcr;
    union a64_vreg v[32];
};
static_assert(sizeof(struct fpsimd_record) == 528, "struct fpsimd_context");

struct esr_record {
    struct record head;
    uint64_t esr;
};

struct extra_record {
    struct record head;
    uint64_t data;
    uint32_t size, reserved[3];
};
static_assert(sizeof(struct extra_record) == 32, "struct extra_context");

struct frame_head {
    siginfo_t info;
    uint64_t flags, link;
    struct linux_altstack stack;
    uint64_t mask;
    uint8_t unused[128];
    uint64_t fault_address, x[31], sp, pc, pstate, padding;
};
static_assert(offsetof(struct frame_head, stack) == 128 + 16, "ucontext.uc_stack");
static_assert(offsetof(struct frame_head, mask) == 128 + 40, "ucontext.uc_sigmask");
static_assert(offsetof(struct frame_head, fault_address) == 128 + 176, "ucontext.uc_mcontext");
static_assert(sizeof(struct frame_head) == 128 + 176 + 288, "sigcontext before its records");

/* What is written: the head and the records that there are. */
struct frame {
    struct frame_head head;
    struct fpsimd_record fpsimd;
    struct esr_record esr; /* or the terminator */
    struct record end;
};

enum { FRAME_SIZE = sizeof(struct frame_head) + RECORDS_SIZE };

/* --- alternate stack (kernel/signal.c, do_sigaltstack) ------------------------------------------
 */

bool linux_on_altstack(const struct linux_altstack *stack, uint64_t sp)
{
    if (stack->flags & LINUX_SS_AUTODISARM)
        return false;
    return sp > stack->sp && sp - stack->sp <= stack->size;
}

int linux_altstack_set(struct linux_thread *t, const struct linux_altstack *stack)
{
    struct linux_altstack *now = &t->signals->altstack;
    uint32_t mode = stack->flags & ~LINUX_SS_AUTODISARM;
    if (linux_on_altstack(now, t->cpu->x[A64_SP]))
        return -EPERM;
    if (mode != LINUX_SS_DISABLE && mode != LINUX_SS_ONSTACK && mode != 0)
        return -EINVAL;
    if (now->sp == stack->sp && now->size == stack->size && now->flags == stack->flags)
        return 0;
    if (mode == LINUX_SS_DISABLE) {
        *now = (struct linux_altstack){.flags = stack->flags};
        return 0;
    }
    if (stack->size < MIN_STACK)
        return -ENOMEM;
    *now = (struct linux_altstack){.sp = stack->sp, .flags = stack->flags, .size = stack->size};
    return 0;
}

/* --- to the handler --------------------------------------------------------------------------- */

static void fill_head(struct linux_thread *t, struct frame_head *head, uint64_t mask)
{
    const struct linux_signal_state *s = t->signals;
    const struct a64_cpu *cpu = t->cpu;
    head->stack = s->altstack;
    head->mask = mask;
    head->fault_address = s->fault_address;
    memcpy(head->x, cpu->x, sizeof(head->x));
    head->sp = cpu->x[A64_SP];
    head->pc = cpu->pc;
    head->pstate = a64_nzcv_get(cpu);
}

static void fill_records(struct linux_thread *t, struct frame *frame)
{
    struct a64_cpu *cpu = t->cpu;
    frame->fpsimd.head = (struct record){FPSIMD_MAGIC, sizeof(frame->fpsimd)};
    frame->fpsimd.fpsr = a64_fpsr_get(cpu);
    frame->fpsimd.fpcr = cpu->fpcr;
    memcpy(frame->fpsimd.v, cpu->v, sizeof(frame->fpsimd.v));
    if (t->signals->fault_esr) {
        frame->esr.head = (struct record){ESR_MAGIC, sizeof(frame->esr)};
        frame->esr.esr = t->signals->fault_esr;
    }
}

int linux_sigframe_push(struct linux_thread *t, const siginfo_t *info,
                        const struct linux_sigaction *action, uint64_t mask)
{
    struct linux_signal_state *s = t->signals;
    struct a64_cpu *cpu = t->cpu;
    uint64_t sp = cpu->x[A64_SP];
    if (action->flags & LINUX_SA_ONSTACK && s->altstack.size &&
        !linux_on_altstack(&s->altstack, sp))
        sp = s->altstack.sp + s->altstack.size;
    uint64_t link[2] = {cpu->x[29], cpu->x[30]};
    uint64_t record = align_down(sp - sizeof(link), 16);
    uint64_t at = record - FRAME_SIZE;
    struct frame frame = {0};
    static_assert(FRAME_SIZE % 16 == 0, "the stack pointer stays aligned");
    fill_head(t, &frame.head, mask);
    fill_records(t, &frame);
    if (action->flags & LINUX_SA_SIGINFO)
        frame.head.info = *info;
    if (linux_write(record, link, sizeof(link)) < 0 || linux_write(at, &frame, sizeof(frame)) < 0)
        return -EFAULT;

    cpu->x[0] = (uint64_t)info->si_signo;
    if (action->flags & LINUX_SA_SIGINFO) {
        cpu->x[1] = at;
        cpu->x[2] = at + offsetof(struct frame_head, flags);
    }
    cpu->x[29] = record;
    cpu->x[30] =
        action->flags & LINUX_SA_RESTORER ? action->restorer : t->process->layout.sigreturn;
    cpu->x[A64_SP] = at;
    cpu->pc = action->handler;
    cpu->excl_valid = false; /* as the exception's return leaves the monitor */
    if (s->altstack.flags & LINUX_SS_AUTODISARM)
        s->altstack = (struct linux_altstack){.flags = LINUX_SS_DISABLE};
    return 0;
}

/* --- and back --------------------------------------------------------------------------------- */

/* Where parse_user_sigframe() is in its walk over the records. */
struct walk {
    uint64_t base, offset, limit;
    uint64_t fpsimd; /* address of that record; 0: not seen */
    bool extra;      /* the extra record was followed */
};

/* At an extra record: goes on in what it points to, which must lie right behind the terminator. */
static int follow_extra(struct walk *w, uint64_t at, uint32_t size)
{
    struct extra_record extra;
    struct record end;
    if (w->extra || size < sizeof(extra) || w->limit - w->offset - size < 16 ||
        linux_read(at, &extra, sizeof(extra)) < 0 || linux_read(at + size, &end, sizeof(end)) < 0)
        return -EINVAL;
    uint64_t behind = align_up(at + size + sizeof(end), 16);
    if (end.magic || end.size || extra.data != behind || extra.size % 16)
        return -EINVAL;
    *w = (struct walk){.base = behind, .limit = extra.size, .fpsimd = w->fpsimd, .extra = true};
    return 0;
}

static int find_records(struct walk *w)
{
    for (;;) {
        struct record head;
        uint64_t at = w->base + w->offset;
        if (w->limit - w->offset < sizeof(head) || w->offset % 16 ||
            linux_read(at, &head, sizeof(head)) < 0)
            return -EINVAL;
        if (w->limit - w->offset < head.size)
            return -EINVAL;
        if (!head.magic)
            return head.size ? -EINVAL : 0;
        if (head.size < sizeof(head))
            return -EINVAL;
        if (head.magic == EXTRA_MAGIC) {
            if (follow_extra(w, at, head.size) < 0)
                return -EINVAL;
            continue;
        }
        if (head.magic == FPSIMD_MAGIC && !w->fpsimd && head.size == sizeof(struct fpsimd_record))
            w->fpsimd = at;
        else if (head.magic != ESR_MAGIC)
            return -EINVAL;
        w->offset += head.size;
    }
}

/* valid_user_regs(): EL0, AArch64, nothing masked. */
static bool valid_pstate(uint64_t pstate)
{
    enum { MODE = 0x1f, DAIF = 0x3c0 };
    return !(pstate & (MODE | DAIF));
}

int64_t linux_sigframe_pop(struct linux_thread *t)
{
    struct linux_signal_state *s = t->signals;
    struct a64_cpu *cpu = t->cpu;
    uint64_t at = cpu->x[A64_SP];
    struct frame_head head;
    struct fpsimd_record fp;
    struct walk walk = {.base = at + sizeof(head), .limit = RECORDS_SIZE};
    if (at % 16 || linux_read(at, &head, sizeof(head)) < 0 || find_records(&walk) < 0 ||
        !walk.fpsimd || linux_read(walk.fpsimd, &fp, sizeof(fp)) < 0 || !valid_pstate(head.pstate))
        return -EINVAL;

    uint64_t mask = head.mask & ~LINUX_UNBLOCKABLE, host = linux_host_mask(mask);
    int64_t r = linux_host_call(t, SYS_rt_sigprocmask, SIG_SETMASK, (uintptr_t)&host, 0,
                                sizeof(host), 0, 0);
    if (r == -LINUX_ERESTART)
        return r;
    s->mask = mask;
    memcpy(cpu->x, head.x, sizeof(head.x));
    cpu->x[A64_SP] = head.sp;
    cpu->pc = head.pc;
    cpu->excl_valid = false;
    a64_nzcv_set(cpu, (uint32_t)head.pstate);
    memcpy(cpu->v, fp.v, sizeof(fp.v));
    a64_fpsr_set(cpu, fp.fpsr);
    a64_fpcr_set(cpu, fp.fpcr);
    linux_altstack_set(t, &head.stack); /* its errors are nobody's (restore_altstack) */
    linux_signal_recompute(t);
    return -LINUX_NO_RESULT;
}
