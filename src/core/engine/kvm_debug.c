/* kvm_debug.c: what a debugger asks of the KVM engine: memory by the guest's tables, breakpoints,
 * watchpoints, single steps (Linux, api.rst 4.87).
 *
 * Watchpoints are the CPU's own registers, lent by KVM while they are set. A breakpoint is an
 * instruction that traps, in place of the guest's, where the architecture's part has one and a
 * vCPU's tables map the address now; else it is such a register too, so it may stand where nothing
 * is mapped yet, as a kernel's do before its first instruction. All vCPUs get the same ones, each
 * before it enters the guest again. Trapping instructions that are the guest's own go back to it.
 *
 * Limits: KVM_BREAKS_MAX registers; the guest's own use of them is suspended meanwhile. Code that
 * the guest writes over a breakpoint stays, and the breakpoint is gone.
 */
#include <errno.h>

#include "base/bytes.h"
#include "core/engine/kvm_int.h"

enum { PAGE_BYTES = 4096 };

bool kvm_engine_debug_access(struct vcpu *vcpu, uint64_t va, void *data, size_t bytes, bool write)
{
    uint8_t *at = data;
    while (bytes > 0) {
        uint64_t address;
        size_t here = PAGE_BYTES - va % PAGE_BYTES;
        here = here < bytes ? here : bytes;
        if (!kvm_arch_translate(vcpu, va, &address))
            return false;
        const struct guestmem *mem = vcpu->engine->config.mem;
        if (!(write ? guestmem_write(mem, address, at, here)
                    : guestmem_read(mem, address, at, here)))
            return false;
        at += here;
        va += here;
        bytes -= here;
    }
    return true;
}

/* --- breakpoints in memory ---------------------------------------------------------------------
 */

static bool translate(struct engine *engine, uint64_t va, uint64_t *ret_address)
{
    for (unsigned i = 0; i < engine->vcpu_count; i++)
        if (kvm_arch_can_trap(&engine->vcpus[i]) &&
            kvm_arch_translate(&engine->vcpus[i], va, ret_address))
            return true;
    return false;
}

static struct kvm_trap *find_trap(struct engine *engine, uint64_t va)
{
    for (unsigned i = 0; i < engine->trap_count; i++)
        if (engine->traps[i].va == va)
            return &engine->traps[i];
    return NULL;
}

/* False: it cannot be in memory. */
static bool add_trap(struct engine *engine, uint64_t va)
{
    const struct guestmem *mem = engine->config.mem;
    struct kvm_trap trap = {.va = va};
    if (engine->trap_count == KVM_TRAPS_MAX || !translate(engine, va, &trap.address) ||
        !guestmem_read(mem, trap.address, &trap.old, sizeof(trap.old)) ||
        !guestmem_write(mem, trap.address, &kvm_arch_trap, sizeof(kvm_arch_trap)))
        return false;
    engine->traps[engine->trap_count++] = trap;
    return true;
}

static void remove_trap(struct engine *engine, struct kvm_trap *trap)
{
    const struct guestmem *mem = engine->config.mem;
    uint8_t now = 0;
    if (guestmem_read(mem, trap->address, &now, sizeof(now)) && now == kvm_arch_trap)
        guestmem_write(mem, trap->address, &trap->old, sizeof(trap->old));
    *trap = engine->traps[--engine->trap_count];
}

/* --- the contract ------------------------------------------------------------------------------
 */

static void note_change(struct engine *engine)
{
    for (unsigned i = 0; i < engine->vcpu_count; i++)
        engine->vcpus[i].debug_changed = true;
}

static int change(struct engine *engine, const struct kvm_break *b, bool set)
{
    unsigned at = 0;
    while (at < engine->break_count &&
           (engine->breaks[at].kind != b->kind || engine->breaks[at].va != b->va ||
            engine->breaks[at].bytes != b->bytes))
        at++;
    bool there = at < engine->break_count;
    if (set && !there) {
        if (engine->break_count == KVM_BREAKS_MAX)
            return -ENOSPC;
        engine->breaks[engine->break_count++] = *b;
    } else if (!set && there) {
        engine->breaks[at] = engine->breaks[--engine->break_count];
    } else if (!set) {
        return -ENOENT;
    }
    note_change(engine);
    return 0;
}

int kvm_engine_debug_break(struct engine *engine, uint64_t va, bool set)
{
    const struct kvm_break b = {.kind = KVM_BREAK_CODE, .va = va};
    struct kvm_trap *trap = find_trap(engine, va);
    if (set && (trap || (!kvm_break_at(engine, va) && add_trap(engine, va)))) {
        note_change(engine);
        return 0;
    }
    if (set || !trap)
        return change(engine, &b, set);
    remove_trap(engine, trap);
    note_change(engine);
    return 0;
}

int kvm_engine_debug_watch(struct engine *engine, enum engine_watch kind, uint64_t va,
                           unsigned bytes, bool set)
{
    /* What one register can watch on either architecture. */
    if (bytes == 0 || bytes > 8 || (bytes & (bytes - 1)) || va % bytes)
        return -ENOTSUP;
    const struct kvm_break b = {kvm_break_kind(kind), (uint8_t)bytes, va};
    return kvm_arch_can_watch(b.kind) ? change(engine, &b, set) : -ENOTSUP;
}

bool kvm_engine_debug_watched(struct vcpu *vcpu, uint64_t *ret_va)
{
    if (vcpu->watched)
        *ret_va = vcpu->watched_va;
    return vcpu->watched;
}

void kvm_engine_debug_step(struct vcpu *vcpu, bool on)
{
    vcpu->step = on;
    vcpu->debug_changed = true;
}

bool kvm_break_at(const struct engine *engine, uint64_t va)
{
    for (unsigned i = 0; i < engine->break_count; i++)
        if (engine->breaks[i].kind == KVM_BREAK_CODE && engine->breaks[i].va == va)
            return true;
    return false;
}

bool kvm_trap_at(const struct engine *engine, uint64_t va)
{
    for (unsigned i = 0; i < engine->trap_count; i++)
        if (engine->traps[i].va == va)
            return true;
    return false;
}

int kvm_debug_tell(struct vcpu *vcpu, struct err *e)
{
    struct kvm_guest_debug debug = {0};
    if (vcpu->engine->break_count)
        debug.control = KVM_GUESTDBG_ENABLE | kvm_arch_debug(vcpu->engine, &debug);
    if (vcpu->step)
        debug.control |= KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP | kvm_arch_step(vcpu);
    if (vcpu->engine->trap_count)
        debug.control |= KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP;
    if (vcpu->give_back)
        debug.control |= KVM_GUESTDBG_ENABLE | kvm_arch_give_back;
    vcpu->debug_changed = vcpu->give_back = false;
    int rc = kvm_call(vcpu->kvm.fd, KVM_SET_GUEST_DEBUG, &debug);
    return rc < 0 ? err_set_errno(e, rc, "KVM's debugging") : 0;
}
