/* kvm_arm64.h: what the KVM engine's files for arm64 share. */
#ifndef PENG_CORE_ENGINE_KVM_ARM64_H
#define PENG_CORE_ENGINE_KVM_ARM64_H

#include "core/arm64/cpu.h"
#include "core/engine/kvm_int.h"

/* struct engine's `arch`. */
struct kvm_arm64 {
    int gic_fd, its_fd;        /* KVM's devices; -1: not made */
    struct kvm_vcpu_init init; /* of every vCPU, less what differs between them */
    struct a64_system system;  /* the two are there to walk the guest's tables */
    struct a64_cpu *walker;
};

/* KVM_GET_DEVICE_ATTR, or `set`. */
int kvm_arm64_attribute(int fd, bool set, uint32_t group, uint64_t which, void *value);
/* A vCPU's affinity as the GIC's attributes want it, in 32 bits. */
uint64_t kvm_arm64_affinity(struct vcpu *vcpu);
/* Registers of the interrupt controllers, as get_reg and list_regs of the contract. */
int kvm_arm64_move_gic(struct vcpu *vcpu, uint64_t id, void *value, bool set);
unsigned kvm_arm64_list_gic(struct vcpu *vcpu, uint64_t *ids, unsigned max);

/* Takes the interrupt controllers back to power-on. No vCPU runs. */
void kvm_arm64_reset_gic(struct engine *engine);
/* KVM_CREATE_DEVICE for GICv3 and ITS; the latter's part that needs all vCPUs. */
int kvm_arm64_make_gic(struct engine *engine, struct err *e);
int kvm_arm64_finish_gic(struct engine *engine, struct err *e);

#endif
