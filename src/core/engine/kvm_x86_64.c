/* kvm_x86_64.c: the KVM engine's machine for x86-64 guests: interrupt controllers, how vCPUs start,
 * ports, debug registers.
 *
 * The kernel has the two 8259, the IOAPIC, the local APICs and the 8254. A second CPU waits for
 * INIT and SIPI by itself. The first starts where struct engine_start says, in the state of Linux's
 * 64-bit boot protocol (Documentation/x86/boot.rst) or, without page tables, of the PVH one: flat
 * segments that no descriptor table in memory backs, which is enough until the kernel loads its
 * own. For firmware it starts in the state in which KVM makes it, at the reset vector.
 */
#include "core/engine/kvm_x86_64.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

/* Intel's CPUs need three pages for a task state segment and one for a page table in guest memory
 * where no RAM is (api.rst 4.36, 4.57): between the local APICs and the flash of firmware. */
#define IDENTITY_MAP_PAGE 0xfeffc000ull
#define TSS_PAGES         0xfeffd000ul

enum {
    CR0_PE = 1 << 0,
    CR0_ET = 1 << 4,
    CR0_NE = 1 << 5,
    CR0_WP = 1 << 16,
    CR4_PAE = 1 << 5,
    EFER_LME = 1 << 8,
    EFER_LMA = 1 << 10,
    RFLAGS_FIXED = 1 << 1,
    RFLAGS_RF = 1 << 16,
};
#define CR0_PG (1ull << 31)

/* Selectors as Linux's boot protocol names them: __BOOT_CS and __BOOT_DS. */
enum { BOOT_CS = 0x10, BOOT_DS = 0x18, BOOT_TR = 0x20 };
enum { SEGMENT_CODE = 11, SEGMENT_DATA = 3, SEGMENT_TSS = 11 };

const char kvm_arch_name[] = "x86_64";

unsigned long kvm_arch_vm_type(int device_fd)
{
    (void)device_fd;
    return 0;
}

int kvm_arch_init(struct engine *engine, struct err *e)
{
    engine->arch = calloc(1, sizeof(struct kvm_x86));
    if (!engine->arch)
        abort();
    const int fd = engine->vm.fd;
    uint64_t identity_map = IDENTITY_MAP_PAGE;
    struct kvm_pit_config pit = {.flags = KVM_PIT_SPEAKER_DUMMY};
    int rc = kvm_call_number(fd, KVM_SET_TSS_ADDR, TSS_PAGES);
    if (rc >= 0)
        rc = kvm_call(fd, KVM_SET_IDENTITY_MAP_ADDR, &identity_map);
    if (rc >= 0)
        rc = kvm_call_number(fd, KVM_CREATE_IRQCHIP, 0);
    if (rc >= 0)
        rc = kvm_call(fd, KVM_CREATE_PIT2, &pit);
    /* Ticks that come while the guest has not answered the last one are lost, as on the real chip.
     * Made up for at once, as KVM does by itself, they keep firmware on a slow host in its timer
     * interrupt; kernels take the time from kvmclock. */
    if (rc >= 0)
        rc = kvm_call(fd, KVM_REINJECT_CONTROL, &(struct kvm_reinject_control){0});
    return rc < 0 ? err_set_errno(e, rc, "KVM makes no interrupt controllers") : 0;
}

int kvm_arch_finish(struct engine *engine, struct err *e)
{
    return kvm_x86_find_msrs(engine, e);
}

void kvm_arch_done(struct engine *engine)
{
    free(engine->arch);
    engine->arch = NULL;
}

int kvm_arch_init_vcpu(struct vcpu *vcpu, struct err *e)
{
    return kvm_x86_set_cpuid(vcpu, e);
}

/* --- starting ----------------------------------------------------------------------------------
 */

static struct kvm_segment segment(uint16_t selector, unsigned type, bool code, bool long_mode)
{
    return (struct kvm_segment){
        .limit = 0xffffffff,
        .selector = selector,
        .type = (uint8_t)type,
        .present = 1,
        .db = !(code && long_mode),
        .s = 1,
        .l = code && long_mode,
        .g = 1,
    };
}

static void set_mode(struct kvm_sregs *s, const struct engine_start *start)
{
    bool long_mode = start->page_table != 0;
    s->cs = segment(BOOT_CS, SEGMENT_CODE, true, long_mode);
    s->ds = s->es = s->fs = s->gs = s->ss = segment(BOOT_DS, SEGMENT_DATA, false, long_mode);
    s->tr = segment(BOOT_TR, SEGMENT_TSS, false, false);
    s->tr.s = s->tr.db = 0;
    s->tr.limit = 0x67;
    s->tr.g =
        0; /* Intel's CPUs enter no guest with G set and such a limit (SDM vol. 3, 26.3.1.2) */
    s->cr0 = CR0_PE | CR0_ET | CR0_NE;
    if (long_mode) {
        s->cr0 |= CR0_WP | CR0_PG;
        s->cr3 = start->page_table;
        s->cr4 = CR4_PAE;
        s->efer = EFER_LME | EFER_LMA;
    }
}

void kvm_arch_start(struct vcpu *vcpu, const struct engine_start *start)
{
    struct kvm_mp_state state = {start ? KVM_MP_STATE_RUNNABLE : KVM_MP_STATE_UNINITIALIZED};
    kvm_call(vcpu->kvm.fd, KVM_SET_MP_STATE, &state);
    struct kvm_sregs sregs;
    if (!start || start->at_reset_vector || kvm_call(vcpu->kvm.fd, KVM_GET_SREGS, &sregs) < 0)
        return;
    set_mode(&sregs, start);
    struct kvm_regs regs = {.rip = start->pc, .rflags = RFLAGS_FIXED};
    if (start->page_table)
        regs.rsi = start->argument;
    else
        regs.rbx = start->argument;
    kvm_call(vcpu->kvm.fd, KVM_SET_SREGS, &sregs);
    kvm_call(vcpu->kvm.fd, KVM_SET_REGS, &regs);
}

/* --- exits -------------------------------------------------------------------------------------
 */

/* Ports: one instruction may carry many (INS, OUTS with a repeat prefix). */
static void do_ports(struct vcpu *vcpu)
{
    struct kvm_run *run = vcpu->kvm.run;
    const struct guestmem_mmio *ports = &vcpu->engine->config.host.ports;
    uint8_t *data = (uint8_t *)run + run->io.data_offset;
    for (uint32_t i = 0; i < run->io.count; i++, data += run->io.size) {
        uint64_t value = UINT64_MAX;
        if (run->io.direction == KVM_EXIT_IO_OUT) {
            if (ports->write)
                ports->write(ports->ctx, run->io.port, run->io.size, load_le(data, run->io.size));
            continue;
        }
        if (!ports->read || !ports->read(ports->ctx, run->io.port, run->io.size, &value))
            value = UINT64_MAX;
        store_le(data, run->io.size, value);
    }
}

int kvm_arch_exit(struct vcpu *vcpu, struct err *e)
{
    (void)e;
    switch (vcpu->kvm.run->exit_reason) {
    case KVM_EXIT_IO:
        do_ports(vcpu);
        return 0;
    default:
        return -ENOSYS;
    }
}

/* --- interrupts --------------------------------------------------------------------------------
 */

static void set_line(struct engine *engine, unsigned line, bool level)
{
    kvm_set_irq(&engine->vm, line, level);
}

/* The first 16 lines reach both 8259 and IOAPIC, the rest the latter. */
unsigned kvm_arch_line_routes(const struct engine *engine, struct kvm_irq_routing_entry *entries)
{
    enum { PIC_PINS = 8, PIC_LINES = 16, IOAPIC_LINES = 24 };
    (void)engine;
    unsigned n = 0;
    for (unsigned line = 0; line < IOAPIC_LINES; line++) {
        struct kvm_irq_routing_entry entry = {.gsi = line, .type = KVM_IRQ_ROUTING_IRQCHIP};
        entry.u.irqchip.irqchip = KVM_IRQCHIP_IOAPIC;
        entry.u.irqchip.pin = line;
        entries[n++] = entry;
        if (line >= PIC_LINES)
            continue;
        entry.u.irqchip.irqchip = line < PIC_PINS ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE;
        entry.u.irqchip.pin = line % PIC_PINS;
        entries[n++] = entry;
    }
    return n;
}

const uint32_t kvm_arch_message_flags = 0; /* KVM does not ask who sends */
const bool kvm_arch_ring_needs_bitmap = false;

const struct engine_irqchip kvm_arch_irqchip = {
    .set_line = set_line,
    .set_line_fd = kvm_engine_set_line_fd,
    .send_msi = kvm_engine_send_msi,
    .set_message_fd = kvm_engine_set_message_fd,
    .set_doorbell = kvm_engine_set_doorbell,
};

/* --- debugging ---------------------------------------------------------------------------------
 */

/* R/W bits of DR7 by kind (SDM volume 3, 18.2.4); reads alone cannot be watched. */
static const uint8_t dr7_kinds[] = {
    [KVM_BREAK_CODE] = 0, [KVM_BREAK_WRITE] = 1, [KVM_BREAK_ACCESS] = 3};

bool kvm_arch_can_watch(enum kvm_break_kind kind)
{
    return kind != KVM_BREAK_READ;
}

uint32_t kvm_arch_debug(const struct engine *engine, struct kvm_guest_debug *debug)
{
    /* 1, 2, 4 and 8 bytes; code has length 0. */
    static const uint8_t lengths[] = {[1] = 0, [2] = 1, [4] = 3, [8] = 2};
    uint64_t dr7 = 1 << 10; /* always 1 */
    for (unsigned i = 0; i < engine->break_count; i++) {
        const struct kvm_break *b = &engine->breaks[i];
        debug->arch.debugreg[i] = b->va;
        dr7 |= 2ull << i * 2; /* enabled for all tasks */
        dr7 |= (uint64_t)(dr7_kinds[b->kind] | lengths[b->bytes] << 2) << (16 + i * 4);
    }
    debug->arch.debugreg[7] = dr7;
    return KVM_GUESTDBG_USE_HW_BP;
}

/* Without it, a step in a kernel ends in the handler of the interrupt that came meanwhile. */
uint32_t kvm_arch_step(const struct vcpu *vcpu)
{
    int flags = kvm_capability(vcpu->engine->vm.fd, KVM_CAP_SET_GUEST_DEBUG2);
    return (uint32_t)flags & KVM_GUESTDBG_BLOCKIRQ;
}

void kvm_arch_debug_exit(struct vcpu *vcpu)
{
    const struct engine *engine = vcpu->engine;
    uint64_t dr6 = vcpu->kvm.run->debug.arch.dr6;
    vcpu->watched = false;
    for (unsigned i = 0; i < engine->break_count; i++) {
        if (!(dr6 >> i & 1) || engine->breaks[i].kind == KVM_BREAK_CODE)
            continue;
        vcpu->watched = true;
        vcpu->watched_va = engine->breaks[i].va;
    }
    struct kvm_regs regs;
    if (kvm_call(vcpu->kvm.fd, KVM_GET_REGS, &regs) == 0 && kvm_break_at(vcpu->engine, regs.rip)) {
        regs.rflags |= RFLAGS_RF; /* the next instruction does not stop for its breakpoint */
        kvm_call(vcpu->kvm.fd, KVM_SET_REGS, &regs);
    }
}

bool kvm_arch_translate(struct vcpu *vcpu, uint64_t va, uint64_t *ret_address)
{
    struct kvm_translation t = {.linear_address = va};
    if (kvm_call(vcpu->kvm.fd, KVM_TRANSLATE, &t) < 0 || !t.valid)
        return false;
    *ret_address = t.physical_address;
    return true;
}

uint64_t kvm_arch_pc(struct vcpu *vcpu)
{
    struct kvm_regs regs;
    return kvm_call(vcpu->kvm.fd, KVM_GET_REGS, &regs) < 0 ? 0 : regs.rip;
}
