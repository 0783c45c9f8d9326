/* kvm_debug.c: what a debugger asks of the KVM engine: memory by the guest's tables, breakpoints,
 * watchpoints, single steps (Linux, api.rst 4.87).
 *
 * Breakpoints and watchpoints are the CPU's own registers, lent by KVM while they are set: so they
 * may stand where no memory is mapped yet, as a kernel's do before its first instruction, and the
 * guest's code is left alone. All vCPUs get the same ones, each before it enters the guest again.
 *
 * Limits: KVM_BREAKS_MAX in all; the guest's own use of these registers is suspended meanwhile.
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
    for (unsigned i = 0; i < engine->vcpu_count; i++)
        engine->vcpus[i].debug_changed = true;
    return 0;
}

int kvm_engine_debug_break(struct engine *engine, uint64_t va, bool set)
{
    return change(engine, &(struct kvm_break){.kind = KVM_BREAK_CODE, .va = va}, set);
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

int kvm_debug_tell(struct vcpu *vcpu, struct err *e)
{
    struct kvm_guest_debug debug = {0};
    if (vcpu->engine->break_count)
        debug.control = KVM_GUESTDBG_ENABLE | kvm_arch_debug(vcpu->engine, &debug);
    if (vcpu->step)
        debug.control |= KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP | kvm_arch_step(vcpu);
    vcpu->debug_changed = false;
    int rc = kvm_call(vcpu->kvm.fd, KVM_SET_GUEST_DEBUG, &debug);
    return rc < 0 ? err_set_errno(e, rc, "KVM's debugging") : 0;
}
