/* kvm_arm64_state.c: the state of the kernel's GICv3 and ITS by register id.
 *
 * The registers are the kernel's device attributes (Linux, Documentation/virt/kvm/devices/
 * arm-vgic-v3.rst and arm-vgic-its.rst), each in an id of engine.h's. A vCPU has those of its
 * redistributor and CPU interface, the first one the distributor's too, and the last one the ITS's:
 * these must be set when all redistributors are, and in the order that arm-vgic-its.rst prescribes.
 *
 * Which LPI belongs to which event, and what is pending, the kernel keeps outside of registers and
 * writes to guest memory when it is told to: reading ENGINE_REG_GIC_TABLES does that, and setting
 * it reads them back. So registers are read before memory, and set after it.
 */
#include "core/engine/kvm_arm64.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "core/arm64/sysreg.h"

enum { PRIVATE = 32, SGI_FRAME = 0x10000, ISENABLER = 0x100, TO_ICENABLER = 0x80 };

/* Registers in the order in which they are set; so many bits an interrupt, or one word (0). */
struct range {
    uint32_t offset;
    uint8_t bits;
};

/* IHI 0069, 12.8: IIDR, CTLR; groups, enables, kinds, routes, priorities, pending, active. */
static const struct range distributor[] = {
    {0x0008, 0},  {0x0000, 0}, {0x0080, 1}, {ISENABLER, 1}, {0x0c00, 2},
    {0x6000, 64}, {0x0400, 8}, {0x0200, 1}, {0x0300, 1},
};
/* 12.10: PROPBASER, PENDBASER (in halves), CTLR, which uses both; then as above. */
static const struct range redistributor[] = {
    {0x0070, 0},
    {0x0074, 0},
    {0x0078, 0},
    {0x007c, 0},
    {0x0000, 0},
    {SGI_FRAME + 0x0080, 1},
    {SGI_FRAME + ISENABLER, 1},
    {SGI_FRAME + 0x0c04, 0}, /* SGIs' kind is fixed */
    {SGI_FRAME + 0x0400, 8},
    {SGI_FRAME + 0x0200, 1},
    {SGI_FRAME + 0x0300, 1},
};
/* 12.19: IIDR, CBASER, CREADR, CWRITER, BASERs; CTLR comes last, behind the tables. */
static const uint32_t its[] = {0x0004, 0x0080, 0x0090, 0x0088, 0x0100, 0x0108,
                               0x0110, 0x0118, 0x0120, 0x0128, 0x0130, 0x0138};

/* 12.2: SRE, CTLR, IGRPEN0, IGRPEN1, PMR, BPR0, BPR1, AP0R0-3, AP1R0-3. */
static const uint16_t cpu_interface[] = {
    A64_SYSREG_KEY(3, 0, 12, 12, 5), A64_SYSREG_KEY(3, 0, 12, 12, 4),
    A64_SYSREG_KEY(3, 0, 12, 12, 6), A64_SYSREG_KEY(3, 0, 12, 12, 7),
    A64_SYSREG_KEY(3, 0, 4, 6, 0),   A64_SYSREG_KEY(3, 0, 12, 8, 3),
    A64_SYSREG_KEY(3, 0, 12, 12, 3), A64_SYSREG_KEY(3, 0, 12, 8, 4),
    A64_SYSREG_KEY(3, 0, 12, 8, 5),  A64_SYSREG_KEY(3, 0, 12, 8, 6),
    A64_SYSREG_KEY(3, 0, 12, 8, 7),  A64_SYSREG_KEY(3, 0, 12, 9, 0),
    A64_SYSREG_KEY(3, 0, 12, 9, 1),  A64_SYSREG_KEY(3, 0, 12, 9, 2),
    A64_SYSREG_KEY(3, 0, 12, 9, 3),
};

/* --- moving one --------------------------------------------------------------------------------
 */

static int move_tables(const struct kvm_arm64 *arm, void *value, bool set)
{
    const uint32_t group = KVM_DEV_ARM_VGIC_GRP_CTRL;
    if (set)
        return kvm_arm64_attribute(arm->its_fd, true, group, KVM_DEV_ARM_ITS_RESTORE_TABLES, NULL);
    memset(value, 0, sizeof(uint32_t));
    int rc = kvm_arm64_attribute(arm->its_fd, true, group, KVM_DEV_ARM_ITS_SAVE_TABLES, NULL);
    return rc < 0 ? rc
                  : kvm_arm64_attribute(arm->gic_fd, true, group,
                                        KVM_DEV_ARM_VGIC_SAVE_PENDING_TABLES, NULL);
}

/* What a kind of register is to KVM. Lines' levels count as registers of 32 interrupts each. */
static const struct kind {
    uint64_t base; /* of the ids */
    uint32_t group;
    bool of_its, of_vcpu;
} kinds[] = {
    {ENGINE_REG_GICD(0), KVM_DEV_ARM_VGIC_GRP_DIST_REGS, false, false},
    {ENGINE_REG_GICR(0), KVM_DEV_ARM_VGIC_GRP_REDIST_REGS, false, true},
    {ENGINE_REG_GICC(0), KVM_DEV_ARM_VGIC_GRP_CPU_SYSREGS, false, true},
    {ENGINE_REG_GIC_LEVELS(0), KVM_DEV_ARM_VGIC_GRP_LEVEL_INFO, false, true},
    {ENGINE_REG_ITS(0), KVM_DEV_ARM_VGIC_GRP_ITS_REGS, true, false},
};

int kvm_arm64_move_gic(struct vcpu *vcpu, uint64_t id, void *value, bool set)
{
    const struct kvm_arm64 *arm = vcpu->engine->arch;
    uint32_t offset = (uint32_t)id;
    if (id == ENGINE_REG_GIC_TABLES)
        return move_tables(arm, value, set);
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        const struct kind *kind = &kinds[i];
        if (id - offset != kind->base)
            continue;
        int fd = kind->of_its ? arm->its_fd : arm->gic_fd;
        uint64_t which = (kind->of_vcpu ? kvm_arm64_affinity(vcpu) << 32 : 0) | offset;
        bool enables = kind->base == ENGINE_REG_GICD(0) || kind->base == ENGINE_REG_GICR(0);
        if (set && enables && (offset & 0xff80) == ISENABLER) { /* it only ever adds */
            uint32_t others = ~(uint32_t)load_le(value, 4);
            kvm_arm64_attribute(fd, true, kind->group, which + TO_ICENABLER, &others);
        }
        return kvm_arm64_attribute(fd, set, kind->group, which, value);
    }
    return -ENOENT;
}

/* --- the list ----------------------------------------------------------------------------------
 */

/* A frame's registers of interrupts `first` to `end`. */
static void add_ranges(struct kvm_id_list *list, const struct range *ranges, size_t count,
                       uint64_t base, unsigned first, unsigned end)
{
    for (size_t i = 0; i < count; i++) {
        const struct range *r = &ranges[i];
        unsigned from = first * r->bits / 8, to = r->bits ? end * r->bits / 8 : 4;
        for (unsigned at = from; at < to; at += 4)
            kvm_id_list_add(list, base + r->offset + at);
    }
}

unsigned kvm_arm64_list_gic(struct vcpu *vcpu, uint64_t *ids, unsigned max)
{
    const struct engine *engine = vcpu->engine;
    const unsigned end = PRIVATE + engine->config.host.gic.spis;
    struct kvm_id_list list = {ids, 0, max};
    uint64_t value;
    if (vcpu->index == 0)
        add_ranges(&list, distributor, ARRAY_SIZE(distributor), ENGINE_REG_GICD(0), PRIVATE, end);
    add_ranges(&list, redistributor, ARRAY_SIZE(redistributor), ENGINE_REG_GICR(0), 0, PRIVATE);
    for (unsigned n = 0; n < (vcpu->index == 0 ? end : PRIVATE); n += 32)
        kvm_id_list_add(&list, ENGINE_REG_GIC_LEVELS(n));
    for (size_t i = 0; i < ARRAY_SIZE(cpu_interface); i++) /* some exist by how many priorities */
        if (kvm_arm64_move_gic(vcpu, ENGINE_REG_GICC(cpu_interface[i]), &value, false) >= 0)
            kvm_id_list_add(&list, ENGINE_REG_GICC(cpu_interface[i]));
    if (vcpu->index + 1 < engine->vcpu_count)
        return list.count;
    for (size_t i = 0; i < ARRAY_SIZE(its); i++)
        kvm_id_list_add(&list, ENGINE_REG_ITS(its[i]));
    kvm_id_list_add(&list, ENGINE_REG_GIC_TABLES);
    kvm_id_list_add(&list, ENGINE_REG_ITS(0));
    return list.count;
}
