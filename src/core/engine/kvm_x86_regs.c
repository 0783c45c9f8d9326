/* kvm_x86_regs.c: the state of an x86-64 vCPU by register id.
 *
 * General registers and MSRs go one by one. The rest is Linux's own structures, which are the
 * format in which every VMM moves this state: each is one id, in as many bytes as the next power of
 * two, in the order in which they have to be set (a local APIC needs to know its base first, an
 * extended state its XCR0). Interrupt controllers, timer and clock belong to the machine; they are
 * listed with vCPU 0.
 *
 * Limits: no nested virtualization state; extended state of up to 4 KiB, so none of AMX.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "core/engine/kvm_x86_64.h"

enum { GPRS = sizeof(struct kvm_regs) / 8, MSR_TSC = 0x10, MSR_TSC_DEADLINE = 0x6e0 };
enum { TYPE_MSR = 2, TYPE_GPR = 0x80, TYPE_STRUCTURE = 0x81 };
enum { TYPE_TSC = 0x85, TYPE_SELECTOR = 0x82, TYPE_CR = 0x83, TYPE_FX = 0x84 };

enum whose { OF_VCPU, OF_MACHINE, OF_IRQCHIP };

/* One of Linux's structures. For interrupt controllers, `chip` goes in and both directions take the
 * structure. */
struct structure {
    unsigned long get, set;
    uint16_t bytes;
    uint8_t whose;
    uint8_t chip;
    /* Part of the state only with one capability of KVM, or without another; 0: always. */
    uint16_t with, without;
};

/* In the order in which they are set; the index is part of the id. */
static const struct structure structures[] = {
    {KVM_GET_SREGS, KVM_SET_SREGS, sizeof(struct kvm_sregs), OF_VCPU, 0, 0, KVM_CAP_SREGS2},
    {KVM_GET_SREGS2, KVM_SET_SREGS2, sizeof(struct kvm_sregs2), OF_VCPU, 0, KVM_CAP_SREGS2, 0},
    {KVM_GET_XCRS, KVM_SET_XCRS, sizeof(struct kvm_xcrs), OF_VCPU, 0, 0, 0},
    {KVM_GET_XSAVE, KVM_SET_XSAVE, sizeof(struct kvm_xsave), OF_VCPU, 0, 0, 0},
    {KVM_GET_DEBUGREGS, KVM_SET_DEBUGREGS, sizeof(struct kvm_debugregs), OF_VCPU, 0, 0, 0},
    {KVM_GET_IRQCHIP, KVM_SET_IRQCHIP, sizeof(struct kvm_irqchip), OF_IRQCHIP,
     KVM_IRQCHIP_PIC_MASTER, 0, 0},
    {KVM_GET_IRQCHIP, KVM_SET_IRQCHIP, sizeof(struct kvm_irqchip), OF_IRQCHIP,
     KVM_IRQCHIP_PIC_SLAVE, 0, 0},
    {KVM_GET_IRQCHIP, KVM_SET_IRQCHIP, sizeof(struct kvm_irqchip), OF_IRQCHIP, KVM_IRQCHIP_IOAPIC,
     0, 0},
    {KVM_GET_PIT2, KVM_SET_PIT2, sizeof(struct kvm_pit_state2), OF_MACHINE, 0, 0, 0},
    {KVM_GET_CLOCK, KVM_SET_CLOCK, sizeof(struct kvm_clock_data), OF_MACHINE, 0, 0, 0},
    {KVM_GET_LAPIC, KVM_SET_LAPIC, sizeof(struct kvm_lapic_state), OF_VCPU, 0, 0, 0},
    {KVM_GET_MP_STATE, KVM_SET_MP_STATE, sizeof(struct kvm_mp_state), OF_VCPU, 0, 0, 0},
    {KVM_GET_VCPU_EVENTS, KVM_SET_VCPU_EVENTS, sizeof(struct kvm_vcpu_events), OF_VCPU, 0, 0, 0},
};

static_assert(offsetof(struct kvm_regs, rip) == 16 * 8 && GPRS == 18, "ENGINE_REG_X86_GPR's order");

static uint64_t structure_id(unsigned index)
{
    unsigned log2 = 0;
    while (1u << log2 < structures[index].bytes)
        log2++;
    return ENGINE_REG_X86 | (uint64_t)log2 << 52 | (uint64_t)TYPE_STRUCTURE << 32 | index;
}

static int move_structure(struct vcpu *vcpu, unsigned index, void *value, bool set)
{
    const struct structure *s = &structures[index];
    if (s->whose != OF_VCPU && vcpu->index != 0)
        return -ENOENT;
    int fd = s->whose == OF_VCPU ? vcpu->kvm.fd : vcpu->engine->vm.fd;
    /* Room for the largest; the kernel never sees the caller's padding. */
    union {
        struct kvm_xsave xsave;
        struct kvm_irqchip irqchip;
        struct kvm_clock_data clock;
        uint8_t bytes[4096];
    } copy = {0};
    static_assert(sizeof(copy) == 4096, "the largest structure");
    if (set)
        memcpy(copy.bytes, value, s->bytes);
    if (s->whose == OF_IRQCHIP)
        copy.irqchip.chip_id = s->chip;
    if (s->get == KVM_GET_CLOCK)
        copy.clock.flags = 0; /* as it was, not moved on by the time since */
    int rc = kvm_call(fd, set ? s->set : s->get, copy.bytes);
    if (rc < 0)
        return rc;
    if (!set)
        memcpy(value, copy.bytes, s->bytes);
    return 0;
}

static int move_gpr(struct vcpu *vcpu, unsigned index, void *value, bool set)
{
    union {
        struct kvm_regs regs;
        uint64_t words[GPRS];
    } all;
    int rc = kvm_call(vcpu->kvm.fd, KVM_GET_REGS, &all.regs);
    if (rc < 0)
        return rc;
    if (!set) {
        memcpy(value, &all.words[index], 8);
        return 0;
    }
    memcpy(&all.words[index], value, 8);
    return kvm_call(vcpu->kvm.fd, KVM_SET_REGS, &all.regs);
}

static int move_msr(struct vcpu *vcpu, uint32_t number, void *value, bool set)
{
    union {
        struct kvm_msrs head;
        uint8_t bytes[sizeof(struct kvm_msrs) + sizeof(struct kvm_msr_entry)];
    } msrs = {.head = {.nmsrs = 1}};
    struct kvm_msr_entry *entry = &msrs.head.entries[0];
    entry->index = number;
    if (set)
        memcpy(&entry->data, value, 8);
    int rc = kvm_call(vcpu->kvm.fd, set ? KVM_SET_MSRS : KVM_GET_MSRS, &msrs);
    if (rc < 1)
        return rc < 0 ? rc : -ENOENT;
    if (!set)
        memcpy(value, &entry->data, 8);
    return 0;
}

/* The counter's frequency is part of the state; its offset from the host's is there to be read and
 * set, but means nothing on another host or after the next boot, so the counter itself (an MSR) is
 * what a list has. */
static int move_tsc(struct vcpu *vcpu, uint64_t id, void *value, bool set)
{
    const int fd = vcpu->kvm.fd;
    if (id == ENGINE_REG_X86_TSC_KHZ) {
        uint64_t khz = 0;
        if (set) {
            memcpy(&khz, value, 8);
            int rc = kvm_call_number(fd, KVM_SET_TSC_KHZ, khz);
            return rc < 0 ? rc : 0;
        }
        int rc = kvm_call_number(fd, KVM_GET_TSC_KHZ, 0);
        khz = rc < 0 ? 0 : (uint64_t)rc;
        memcpy(value, &khz, 8);
        return rc < 0 ? rc : 0;
    }
    if (id != ENGINE_REG_X86_TSC_OFFSET)
        return -ENOENT;
    uint64_t offset = 0;
    struct kvm_device_attr attribute = {
        .group = KVM_VCPU_TSC_CTRL, .attr = KVM_VCPU_TSC_OFFSET, .addr = (uintptr_t)&offset};
    memcpy(&offset, value, set ? 8 : 0);
    int rc = kvm_call(fd, set ? KVM_SET_DEVICE_ATTR : KVM_GET_DEVICE_ATTR, &attribute);
    if (rc >= 0 && !set)
        memcpy(value, &offset, 8);
    return rc < 0 ? rc : 0;
}

/* --- parts of structures -----------------------------------------------------------------------
 */

static int move_sreg(struct vcpu *vcpu, uint64_t id, void *value, bool set)
{
    struct kvm_sregs s;
    uint16_t *const selectors[] = {&s.cs.selector, &s.ds.selector, &s.es.selector,
                                   &s.fs.selector, &s.gs.selector, &s.ss.selector};
    __u64 *const crs[] = {[0] = &s.cr0, [2] = &s.cr2, [3] = &s.cr3, [4] = &s.cr4, [8] = &s.cr8};
    uint32_t n = (uint32_t)id;
    void *part = NULL;
    if (n < ARRAY_SIZE(selectors) && id == ENGINE_REG_X86_SELECTOR(n))
        part = selectors[n];
    else if (n < ARRAY_SIZE(crs) && id == ENGINE_REG_X86_CR(n))
        part = crs[n];
    if (!part)
        return -ENOENT;
    int rc = kvm_call(vcpu->kvm.fd, KVM_GET_SREGS, &s);
    if (rc < 0)
        return rc;
    memcpy(set ? part : value, set ? value : part, engine_reg_bytes(id));
    return set ? kvm_call(vcpu->kvm.fd, KVM_SET_SREGS, &s) : 0;
}

/* In XSAVE's area: what is written there counts only where the header says that it is in use. */
static int move_fx(struct vcpu *vcpu, uint64_t id, void *value, bool set)
{
    enum { FX_BYTES = 416, HEADER = 512, X87_AND_SSE = 3 };
    struct kvm_xsave area;
    uint8_t *bytes = (uint8_t *)area.region;
    uint32_t at = (uint32_t)id;
    size_t size = engine_reg_bytes(id);
    if ((id ^ ENGINE_REG_X86_FX16(at)) & ~(15ull << 52) || size < 2 || size > 16 || at % size ||
        at > FX_BYTES - size)
        return -ENOENT;
    int rc = kvm_call(vcpu->kvm.fd, KVM_GET_XSAVE, &area);
    if (rc < 0)
        return rc;
    memcpy(set ? bytes + at : value, set ? value : bytes + at, size);
    bytes[HEADER] |= X87_AND_SSE;
    return set ? kvm_call(vcpu->kvm.fd, KVM_SET_XSAVE, &area) : 0;
}

static int move_reg(struct vcpu *vcpu, uint64_t id, void *value, bool set)
{
    uint32_t index = (uint32_t)id;
    switch (id >> 32 & 0xff) {
    case TYPE_MSR:
        return id == ENGINE_REG_X86_MSR(index) ? move_msr(vcpu, index, value, set) : -ENOENT;
    case TYPE_GPR:
        return index < GPRS && id == ENGINE_REG_X86_GPR(index) ? move_gpr(vcpu, index, value, set)
                                                               : -ENOENT;
    case TYPE_STRUCTURE:
        return index < ARRAY_SIZE(structures) && id == structure_id(index)
                   ? move_structure(vcpu, index, value, set)
                   : -ENOENT;
    case TYPE_TSC:
        return move_tsc(vcpu, id, value, set);
    case TYPE_SELECTOR:
    case TYPE_CR:
        return move_sreg(vcpu, id, value, set);
    case TYPE_FX:
        return move_fx(vcpu, id, value, set);
    default:
        return -ENOENT;
    }
}

int kvm_arch_get_reg(struct vcpu *vcpu, uint64_t id, void *value)
{
    return move_reg(vcpu, id, value, false);
}

int kvm_arch_set_reg(struct vcpu *vcpu, uint64_t id, const void *value)
{
    return move_reg(vcpu, id, (void *)value, true); /* which it only reads */
}

static bool is_listed(const struct vcpu *vcpu, const struct structure *s)
{
    const int fd = vcpu->engine->vm.fd;
    return (s->whose == OF_VCPU || vcpu->index == 0) && (!s->with || kvm_capability(fd, s->with)) &&
           (!s->without || !kvm_capability(fd, s->without));
}

unsigned kvm_arch_list_regs(struct vcpu *vcpu, uint64_t *ids, unsigned max)
{
    const struct kvm_x86 *x86 = vcpu->engine->arch;
    struct kvm_id_list list = {ids, 0, max};
    for (unsigned i = 0; i < GPRS; i++)
        kvm_id_list_add(&list, ENGINE_REG_X86_GPR(i));
    if (x86->keeps_tsc_khz)
        kvm_id_list_add(&list, ENGINE_REG_X86_TSC_KHZ);
    /* MSRs after what holds EFER and the APIC's base, and before the APIC's timer. */
    for (unsigned i = 0; i < ARRAY_SIZE(structures); i++) {
        if (structures[i].get == KVM_GET_LAPIC)
            for (unsigned m = 0; m < x86->msr_count; m++)
                kvm_id_list_add(&list, ENGINE_REG_X86_MSR(x86->msrs[m]));
        if (is_listed(vcpu, &structures[i]))
            kvm_id_list_add(&list, structure_id(i));
        if (structures[i].get == KVM_GET_LAPIC)
            kvm_id_list_add(&list, ENGINE_REG_X86_MSR(MSR_TSC_DEADLINE));
    }
    return list.count;
}

unsigned kvm_arch_list_power_on(struct vcpu *vcpu, uint64_t *ids, unsigned max)
{
    return kvm_arch_list_regs(vcpu, ids, max);
}

/* --- which MSRs --------------------------------------------------------------------------------
 */

/* Can be read, and takes back what was read: not those that exist only for other CPUs. */
static bool is_kept(struct vcpu *vcpu, uint32_t number)
{
    uint64_t value;
    return move_msr(vcpu, number, &value, false) == 0 && move_msr(vcpu, number, &value, true) == 0;
}

int kvm_x86_find_msrs(struct engine *engine, struct err *e)
{
    struct kvm_x86 *x86 = engine->arch;
    struct kvm_msr_list *list = calloc(1, sizeof(*list) + KVM_X86_MSRS_MAX * sizeof(uint32_t));
    if (!list)
        abort();
    list->nmsrs = KVM_X86_MSRS_MAX;
    int rc = kvm_call(engine->vm.device_fd, KVM_GET_MSR_INDEX_LIST, list);
    for (uint32_t i = 0; rc >= 0 && i < list->nmsrs; i++) {
        /* The deadline is set behind the APIC's state, by list_regs. */
        if (list->indices[i] != MSR_TSC_DEADLINE && is_kept(&engine->vcpus[0], list->indices[i]))
            x86->msrs[x86->msr_count++] = list->indices[i];
    }
    free(list);
    uint64_t khz = 0;
    x86->keeps_tsc_khz = move_tsc(&engine->vcpus[0], ENGINE_REG_X86_TSC_KHZ, &khz, false) == 0 &&
                         move_tsc(&engine->vcpus[0], ENGINE_REG_X86_TSC_KHZ, &khz, true) == 0;
    return rc < 0 ? err_set_errno(e, rc, "KVM's list of MSRs") : 0;
}
