/* kvm_arm64_gic.c: the kernel's GICv3 with ITS: made where the board has them, reset with the
 * machine.
 *
 * The devices are KVM's, moved by attributes (Linux, Documentation/virt/kvm/devices/arm-vgic-v3.rst
 * and arm-vgic-its.rst). A reset of vCPUs does not reach them, so their registers are put back one
 * by one, in the way that document prescribes for userspace: a write to ISPENDR or ISACTIVER sets
 * the whole register, one to ICENABLER clears.
 */
#include "core/engine/kvm_arm64.h"

#include <errno.h>
#include <unistd.h>

#include "base/bytes.h"
#include "core/arm64/sysreg.h"

enum { SPI_BASE = 32 };

/* Offsets of registers (IHI 0069 section 12.8, 12.10) in a distributor or a redistributor's second
 * frame. */
enum {
    GIC_CTLR = 0x0000,
    GIC_IGROUPR = 0x0080,
    GIC_ICENABLER = 0x0180,
    GIC_ISPENDR = 0x0200,
    GIC_ISACTIVER = 0x0300,
    GIC_IPRIORITYR = 0x0400,
    GIC_ICFGR = 0x0c00,
    GIC_IROUTER = 0x6000,
    SGI_FRAME = 0x10000,
};

int kvm_arm64_attribute(int fd, bool set, uint32_t group, uint64_t which, void *value)
{
    struct kvm_device_attr attribute = {
        .group = group, .attr = which, .addr = (uint64_t)(uintptr_t)value};
    return kvm_call(fd, set ? KVM_SET_DEVICE_ATTR : KVM_GET_DEVICE_ATTR, &attribute);
}

static int set_attribute(int fd, uint32_t group, uint64_t which, void *value)
{
    return kvm_arm64_attribute(fd, true, group, which, value);
}

uint64_t kvm_arm64_affinity(struct vcpu *vcpu)
{
    uint64_t mpidr = 0;
    kvm_get_reg(&vcpu->kvm, ENGINE_REG_SYS(A64_SYSREG_KEY(3, 0, 0, 0, 5)), &mpidr);
    return (mpidr >> 32 & 0xff) << 24 | (mpidr & 0xffffff);
}

static int make_device(const struct kvm_vm *vm, uint32_t type, int *ret_fd)
{
    struct kvm_create_device create = {.type = type};
    int rc = kvm_call(vm->fd, KVM_CREATE_DEVICE, &create);
    if (rc >= 0)
        *ret_fd = (int)create.fd;
    return rc;
}

int kvm_arm64_make_gic(struct engine *engine, struct err *e)
{
    struct kvm_arm64 *arm = engine->arch;
    const struct engine_gic *gic = &engine->config.host.gic;
    uint64_t distributor = gic->distributor, redistributors = gic->redistributors;
    uint32_t interrupts = SPI_BASE + gic->spis;
    int rc = make_device(&engine->vm, KVM_DEV_TYPE_ARM_VGIC_V3, &arm->gic_fd);
    if (rc == -ENODEV)
        return err_set(e, ENOTSUP, "KVM: this host has no GICv3, or no virtual one");
    if (rc >= 0)
        rc = set_attribute(arm->gic_fd, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, &interrupts);
    if (rc >= 0)
        rc = set_attribute(arm->gic_fd, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_DIST,
                           &distributor);
    if (rc >= 0)
        rc = set_attribute(arm->gic_fd, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_REDIST,
                           &redistributors);
    return rc < 0 ? err_set_errno(e, rc, "KVM makes no GICv3") : 0;
}

int kvm_arm64_finish_gic(struct engine *engine, struct err *e)
{
    struct kvm_arm64 *arm = engine->arch;
    uint64_t its = engine->config.host.gic.its;
    int rc =
        set_attribute(arm->gic_fd, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL);
    if (rc >= 0)
        rc = make_device(&engine->vm, KVM_DEV_TYPE_ARM_VGIC_ITS, &arm->its_fd);
    if (rc >= 0)
        rc = set_attribute(arm->its_fd, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_ITS_ADDR_TYPE, &its);
    if (rc >= 0)
        rc =
            set_attribute(arm->its_fd, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL);
    return rc < 0 ? err_set_errno(e, rc, "KVM starts no GICv3") : 0;
}

/* --- reset -------------------------------------------------------------------------------------
 */

/* What a register of so many bits an interrupt is after reset (IHI 0069, "Reset value"). */
static const struct {
    uint16_t offset;
    uint8_t bits; /* an interrupt */
    uint32_t value;
} reset_values[] = {
    {GIC_ICENABLER, 1, UINT32_MAX}, {GIC_ISPENDR, 1, 0}, {GIC_ISACTIVER, 1, 0}, {GIC_IGROUPR, 1, 0},
    {GIC_IPRIORITYR, 8, 0},         {GIC_ICFGR, 2, 0},
};

/* The frame's registers of interrupts `first` to `end`; `high` has the redistributor's affinity. */
static void reset_frame(int fd, uint32_t group, uint64_t high, uint32_t frame, unsigned first,
                        unsigned end)
{
    for (size_t i = 0; i < ARRAY_SIZE(reset_values); i++) {
        unsigned bits = reset_values[i].bits;
        uint32_t value = reset_values[i].value;
        /* SGIs are edges, and say so where PPIs have ICFGR1 */
        unsigned from = first == 0 && reset_values[i].offset == GIC_ICFGR ? 16 : first;
        for (unsigned at = from * bits / 8; at < end * bits / 8; at += 4)
            set_attribute(fd, group, high | (frame + reset_values[i].offset + at), &value);
    }
}

void kvm_arm64_reset_gic(struct engine *engine)
{
    struct kvm_arm64 *arm = engine->arch;
    uint32_t off = 0;
    set_attribute(arm->its_fd, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_ITS_CTRL_RESET, NULL);
    set_attribute(arm->gic_fd, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, GIC_CTLR, &off);
    unsigned end = SPI_BASE + engine->config.host.gic.spis;
    reset_frame(arm->gic_fd, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, 0, 0, SPI_BASE, end);
    for (unsigned n = SPI_BASE; n < end; n++)
        for (unsigned half = 0; half < 8; half += 4)
            set_attribute(arm->gic_fd, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, GIC_IROUTER + n * 8 + half,
                          &off);
    for (unsigned i = 0; i < engine->vcpu_count; i++) {
        uint64_t high = kvm_arm64_affinity(&engine->vcpus[i]) << 32;
        reset_frame(arm->gic_fd, KVM_DEV_ARM_VGIC_GRP_REDIST_REGS, high, SGI_FRAME, 0, SPI_BASE);
        set_attribute(arm->gic_fd, KVM_DEV_ARM_VGIC_GRP_REDIST_REGS, high | GIC_CTLR, &off);
    }
}
