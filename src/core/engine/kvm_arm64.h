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

/* Takes the interrupt controllers back to power-on. No vCPU runs. */
void kvm_arm64_reset_gic(struct engine *engine);
/* KVM_CREATE_DEVICE for GICv3 and ITS; the latter's part that needs all vCPUs. */
int kvm_arm64_make_gic(struct engine *engine, struct err *e);
int kvm_arm64_finish_gic(struct engine *engine, struct err *e);

#endif
