/* soft_regs.c: registers of a software engine's vCPU by the KVM register ids (engine.h). */
#include "core/engine/soft_int.h"

#include <errno.h>
#include <string.h>

enum {
    CORE = 0x10,   /* coprocessor field of core registers */
    SYS = 0x13,    /* of system registers */
    SPSR_EL1 = 72, /* struct kvm_regs: spsr[KVM_SPSR_EL1] */
    FIRST_V = 84,
    LAST_V = FIRST_V + 31 * 4,
};

/* A core register that is plain memory: its place and size; NULL for others. */
static void *core_place(struct a64_cpu *cpu, unsigned offset, size_t *ret_size)
{
    *ret_size = 8;
    if (offset <= 60 && offset % 2 == 0)
        return &cpu->x[offset / 2];
    if (offset >= FIRST_V && offset <= LAST_V && (offset - FIRST_V) % 4 == 0) {
        *ret_size = 16;
        return &cpu->v[(offset - FIRST_V) / 4];
    }
    switch (offset) {
    case 62:
        return cpu->spsel ? &cpu->sys[A64_SP_EL0] : &cpu->x[A64_SP];
    case 64:
        return &cpu->pc;
    case 68:
        return cpu->el == 1 && cpu->spsel ? &cpu->x[A64_SP] : &cpu->sys[A64_SP_EL1];
    case 70:
        return &cpu->sys[A64_ELR_EL1];
    case SPSR_EL1:
        return &cpu->sys[A64_SPSR_EL1];
    case 212:
        *ret_size = 4;
        return &cpu->fpsr;
    case 213:
        *ret_size = 4;
        return &cpu->fpcr;
    default:
        return NULL;
    }
}

static bool size_fits(uint64_t id, size_t size)
{
    return (size_t)1 << (id >> 52 & 15) == size;
}

static const struct a64_sysreg_info *sysreg_of(uint64_t id)
{
    return a64_sysreg_find((uint16_t)id);
}

int soft_get_reg(struct vcpu *vcpu, uint64_t id, void *value)
{
    struct a64_cpu *cpu = vcpu->cpu;
    unsigned kind = id >> 16 & 0xfff;
    size_t size;
    if (id == ENGINE_REG_PSTATE) {
        uint64_t pstate = a64_spsr_get(cpu);
        memcpy(value, &pstate, sizeof(pstate));
        return 0;
    }
    if (kind == CORE) {
        if ((unsigned)(id & 0xffff) == 212)
            a64_fpsr_get(cpu);
        const void *place = core_place(cpu, id & 0xffff, &size);
        if (!place || !size_fits(id, size))
            return -ENOENT;
        memcpy(value, place, size);
        return 0;
    }
    const struct a64_sysreg_info *info = kind == SYS ? sysreg_of(id) : NULL;
    if (!info)
        return -ENOENT;
    uint64_t v = info->read && info->reg < A64_ICC_PMR_EL1 ? info->read(cpu, info->reg)
                                                           : cpu->sys[info->reg];
    memcpy(value, &v, sizeof(v));
    return 0;
}

int soft_set_reg(struct vcpu *vcpu, uint64_t id, const void *value)
{
    struct a64_cpu *cpu = vcpu->cpu;
    unsigned kind = id >> 16 & 0xfff;
    size_t size;
    uint64_t v = 0;
    if (id == ENGINE_REG_PSTATE) {
        memcpy(&v, value, sizeof(v));
        a64_pstate_set(cpu, (uint32_t)v);
        return 0;
    }
    if (kind == CORE) {
        void *place = core_place(cpu, id & 0xffff, &size);
        if (!place || !size_fits(id, size))
            return -ENOENT;
        if (place == &cpu->fpsr)
            a64_fpsr_set(cpu, 0); /* and the share of it that the translator keeps elsewhere */
        memcpy(place, value, size);
        return 0;
    }
    const struct a64_sysreg_info *info = kind == SYS ? sysreg_of(id) : NULL;
    if (!info || info->el_write == 15 || info->reg >= A64_ICC_PMR_EL1)
        return -ENOENT;
    memcpy(&v, value, sizeof(v));
    if (info->write)
        info->write(cpu, info->reg, v);
    else
        cpu->sys[info->reg] = v;
    return 0;
}
