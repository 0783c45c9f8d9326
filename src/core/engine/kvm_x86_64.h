/* kvm_x86_64.h: what the KVM engine's files for x86-64 share. */
#ifndef PENG_CORE_ENGINE_KVM_X86_64_H
#define PENG_CORE_ENGINE_KVM_X86_64_H

#include "core/engine/kvm_int.h"

enum { KVM_X86_MSRS_MAX = 1024 };

/* struct engine's `arch`. */
struct kvm_x86 {
    uint32_t msrs[KVM_X86_MSRS_MAX]; /* those that can be read and written */
    unsigned msr_count;
    bool keeps_tsc_khz; /* the counter's frequency can be read and set */
};

/* Tells KVM what CPUID gives on this vCPU: what the host and KVM have, less what the engine does
 * not pass on, with the machine's topology. */
int kvm_x86_set_cpuid(struct vcpu *vcpu, struct err *e);

/* Fills in which MSRs KVM saves; a vCPU is there. */
int kvm_x86_find_msrs(struct engine *engine, struct err *e);

#endif
