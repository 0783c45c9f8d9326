/* kvm_arm64.c: the KVM engine's machine for arm64 guests: address space, vCPUs, interrupts, state.
 *
 * GICv3 with ITS (kvm_arm64_gic.c), the architected timers and PSCI are the kernel's: CPUs but the
 * first wait for PSCI CPU_ON in it, and the guest's end comes as a system event. Registers have the
 * kernel's own ids, which the engine contract uses for all engines, so they pass through unchanged.
 *
 * The kernel does not translate addresses for a debugger here; its tables are walked with the
 * software engines' walker (core/arm64/mmu.c) over the registers of the vCPU.
 *
 * Limits: the CPU is the host's, without SVE, pointer
 * authentication and performance counters.
 */
#include "core/engine/kvm_arm64.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "core/arm64/mmu.h"
#include "core/arm64/sysreg.h"

enum {
    SPI_BASE = 32,
    IPA_BITS_MAX = 48,
    IPA_BITS_DEFAULT = 40, /* KVM_CREATE_VM's type 0 */
    BREAK_CONTROL = 0x1e7, /* DBGBCR: enabled, EL0 and EL1, all four bytes (DDI 0487 D19.3.2) */
};

const char kvm_arch_name[] = "arm64";

/* No KVM of an arm64 kernel works without the CPU's help. */
int kvm_arch_fast(struct err *e)
{
    return 0;
}

unsigned long kvm_arch_vm_type(int device_fd)
{
    int bits = kvm_capability(device_fd, KVM_CAP_ARM_VM_IPA_SIZE);
    if (bits <= IPA_BITS_DEFAULT)
        return 0;
    return KVM_VM_TYPE_ARM_IPA_SIZE((unsigned)(bits < IPA_BITS_MAX ? bits : IPA_BITS_MAX));
}

int kvm_arch_init(struct engine *engine, struct err *e)
{
    struct kvm_arm64 *arm = calloc(1, sizeof(*arm));
    struct a64_cpu *walker = calloc(1, sizeof(*walker));
    if (!arm || !walker)
        abort();
    arm->gic_fd = arm->its_fd = -1;
    arm->walker = walker;
    arm->system.mem = engine->config.mem;
    walker->system = &arm->system;
    engine->arch = arm;
    int rc = kvm_call(engine->vm.fd, KVM_ARM_PREFERRED_TARGET, &arm->init);
    if (rc < 0)
        return err_set_errno(e, rc, "KVM names no kind of CPU");
    arm->init.features[0] = 1u << KVM_ARM_VCPU_PSCI_0_2;
    return kvm_arm64_make_gic(engine, e);
}

int kvm_arch_finish(struct engine *engine, struct err *e)
{
    return kvm_arm64_finish_gic(engine, e);
}

void kvm_arch_done(struct engine *engine)
{
    struct kvm_arm64 *arm = engine->arch;
    if (!arm)
        return;
    if (arm->its_fd >= 0)
        close(arm->its_fd);
    if (arm->gic_fd >= 0)
        close(arm->gic_fd);
    free(arm->walker);
    free(arm);
    engine->arch = NULL;
}

/* Also a reset: the kernel puts all registers back. */
static int init_vcpu(struct vcpu *vcpu, bool waits)
{
    const struct kvm_arm64 *arm = vcpu->engine->arch;
    struct kvm_vcpu_init init = arm->init;
    if (waits)
        init.features[0] |= 1u << KVM_ARM_VCPU_POWER_OFF;
    return kvm_call(vcpu->kvm.fd, KVM_ARM_VCPU_INIT, &init);
}

int kvm_arch_init_vcpu(struct vcpu *vcpu, struct err *e)
{
    int rc = init_vcpu(vcpu, vcpu->index != 0);
    return rc < 0 ? err_set_errno(e, rc, "KVM makes no vCPU %u", vcpu->index) : 0;
}

void kvm_arch_start(struct vcpu *vcpu, const struct engine_start *start)
{
    init_vcpu(vcpu, !start);
    if (!start)
        return;
    /* The last one in a reset: all have stopped. */
    kvm_arm64_reset_gic(vcpu->engine);
    kvm_set_reg(&vcpu->kvm, ENGINE_REG_PC, &start->pc);
    kvm_set_reg(&vcpu->kvm, ENGINE_REG_X(0), &start->argument);
}

/* All exits that there are on arm64 are common ones. */
int kvm_arch_exit(struct vcpu *vcpu, struct err *e)
{
    (void)vcpu;
    (void)e;
    return -ENOSYS;
}

/* --- interrupts --------------------------------------------------------------------------------
 */

static void set_line(struct engine *engine, unsigned line, bool level)
{
    uint32_t spi = (uint32_t)KVM_ARM_IRQ_TYPE_SPI << KVM_ARM_IRQ_TYPE_SHIFT | (SPI_BASE + line);
    kvm_set_irq(&engine->vm, spi, level);
}

/* As the kernel's vgic sets them up. */
unsigned kvm_arch_line_routes(const struct engine *engine, struct kvm_irq_routing_entry *entries)
{
    unsigned spis = engine->config.host.gic.spis;
    assert(spis <= KVM_LINE_ROUTES_MAX);
    for (unsigned i = 0; i < spis; i++)
        entries[i] = (struct kvm_irq_routing_entry){
            .gsi = i, .type = KVM_IRQ_ROUTING_IRQCHIP, .u.irqchip = {.pin = i}};
    return spis;
}

const uint32_t kvm_arch_message_flags = KVM_MSI_VALID_DEVID;
const bool kvm_arch_ring_needs_bitmap = true; /* vgic and ITS tables */

const struct engine_irqchip kvm_arch_irqchip = {
    .set_line = set_line,
    .set_line_fd = kvm_engine_set_line_fd,
    .send_msi = kvm_engine_send_msi,
    .set_message_fd = kvm_engine_set_message_fd,
    .set_doorbell = kvm_engine_set_doorbell,
};

/* --- state -------------------------------------------------------------------------------------
 */

static bool is_gic(uint64_t id)
{
    return id >> 32 & 0xff; /* zero in the kernel's ids */
}

int kvm_arch_get_reg(struct vcpu *vcpu, uint64_t id, void *value)
{
    return is_gic(id) ? kvm_arm64_move_gic(vcpu, id, value, false)
                      : kvm_get_reg(&vcpu->kvm, id, value);
}

int kvm_arch_set_reg(struct vcpu *vcpu, uint64_t id, const void *value)
{
    return is_gic(id) ? kvm_arm64_move_gic(vcpu, id, (void *)value, true) /* which it only reads */
                      : kvm_set_reg(&vcpu->kvm, id, value);
}

unsigned kvm_arch_list_power_on(struct vcpu *vcpu, uint64_t *ids, unsigned max)
{
    struct kvm_reg_list none = {0};
    kvm_call(vcpu->kvm.fd, KVM_GET_REG_LIST, &none); /* E2BIG, and tells how many */
    size_t bytes = sizeof(struct kvm_reg_list) + none.n * sizeof(uint64_t);
    struct kvm_reg_list *list = calloc(1, bytes);
    if (!list)
        abort();
    list->n = none.n;
    int rc = kvm_call(vcpu->kvm.fd, KVM_GET_REG_LIST, list);
    unsigned count = rc < 0 ? 0 : (unsigned)list->n;
    for (unsigned i = 0; i < count && i < max; i++)
        ids[i] = list->reg[i];
    free(list);
    return count;
}

unsigned kvm_arch_list_regs(struct vcpu *vcpu, uint64_t *ids, unsigned max)
{
    unsigned count = kvm_arch_list_power_on(vcpu, ids, max);
    unsigned done = count < max ? count : max;
    return count + kvm_arm64_list_gic(vcpu, ids + done, max - done);
}

/* --- debugging ---------------------------------------------------------------------------------
 */

bool kvm_arch_can_watch(enum kvm_break_kind kind)
{
    return kind != KVM_BREAK_CODE;
}

/* DBGWCR (DDI 0487 D19.3.11): enabled, EL0 and EL1, loads and stores, and which bytes of eight. */
static uint64_t watch_control(const struct kvm_break *b)
{
    static const uint8_t load_store[] = {
        [KVM_BREAK_READ] = 1, [KVM_BREAK_WRITE] = 2, [KVM_BREAK_ACCESS] = 3};
    uint64_t bytes = ((1ull << b->bytes) - 1) << b->va % 8;
    return 1 | 3 << 1 | load_store[b->kind] << 3 | bytes << 5;
}

uint32_t kvm_arch_debug(const struct engine *engine, struct kvm_guest_debug *debug)
{
    unsigned codes = 0, watches = 0;
    for (unsigned i = 0; i < engine->break_count; i++) {
        const struct kvm_break *b = &engine->breaks[i];
        if (b->kind == KVM_BREAK_CODE) {
            debug->arch.dbg_bvr[codes] = b->va;
            debug->arch.dbg_bcr[codes++] = BREAK_CONTROL;
        } else {
            debug->arch.dbg_wvr[watches] = b->va & ~7ull;
            debug->arch.dbg_wcr[watches++] = watch_control(b);
        }
    }
    return KVM_GUESTDBG_USE_HW;
}

uint32_t kvm_arch_step(const struct vcpu *vcpu)
{
    (void)vcpu;
    return 0;
}

/* The debugger takes a breakpoint or watchpoint away before it steps over it. */
void kvm_arch_debug_exit(struct vcpu *vcpu)
{
    enum { EC_WATCHPOINT_LOWER = 0x34, EC_WATCHPOINT = 0x35 };
    const struct kvm_debug_exit_arch *debug = &vcpu->kvm.run->debug.arch;
    unsigned class = debug->hsr >> 26;
    vcpu->watched = class == EC_WATCHPOINT_LOWER || class == EC_WATCHPOINT;
    vcpu->watched_va = debug->far;
}

bool kvm_arch_translate(struct vcpu *vcpu, uint64_t va, uint64_t *ret_address)
{
    static const struct {
        uint16_t key;
        uint16_t reg;
    } needed[] = {
        {A64_SYSREG_KEY(3, 0, 1, 0, 0), A64_SCTLR_EL1},
        {A64_SYSREG_KEY(3, 0, 2, 0, 0), A64_TTBR0_EL1},
        {A64_SYSREG_KEY(3, 0, 2, 0, 1), A64_TTBR1_EL1},
        {A64_SYSREG_KEY(3, 0, 2, 0, 2), A64_TCR_EL1},
        {A64_SYSREG_KEY(3, 0, 10, 2, 0), A64_MAIR_EL1},
    };
    struct a64_cpu *walker = ((struct kvm_arm64 *)vcpu->engine->arch)->walker;
    for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
        if (kvm_get_reg(&vcpu->kvm, ENGINE_REG_SYS(needed[i].key), &walker->sys[needed[i].reg]) < 0)
            return false;
    struct a64_walk walk;
    if (a64_walk(walker, va, A64_READ, 1, &walk))
        return false;
    *ret_address = walk.pa;
    return true;
}

uint64_t kvm_arch_pc(struct vcpu *vcpu)
{
    uint64_t pc = 0;
    kvm_get_reg(&vcpu->kvm, ENGINE_REG_PC, &pc);
    return pc;
}
