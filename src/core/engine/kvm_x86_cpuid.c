/* kvm_x86_cpuid.c: what a vCPU's CPUID instruction says.
 *
 * It starts from KVM_GET_SUPPORTED_CPUID: all that the host's CPU has and KVM can give. Taken away
 * are virtualization (guests of guests), the performance counters, whose use would leave the guest
 * at each access, and speed stepping. What is about the place of a CPU is written anew: each vCPU
 * is a core of one package, without threads, and all share the last-level cache, which is what a
 * scheduler can make use of when vCPUs are not pinned. An APIC id is the vCPU's number.
 *
 * Sources: Intel SDM volume 2A, CPUID; AMD APM volume 3, appendix E; Linux,
 * Documentation/virt/kvm/x86/cpuid.rst.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "core/engine/kvm_x86_64.h"

enum { ENTRIES_MAX = 256 };

/* CPUs in the machine, as the number of APIC id bits that tells them apart. */
static unsigned id_bits(unsigned cpus)
{
    unsigned n = 0;
    while ((1u << n) < cpus)
        n++;
    return n;
}

static uint32_t put(uint32_t word, unsigned low, unsigned count, uint32_t value)
{
    uint32_t mask = (uint32_t)((1ull << count) - 1) << low;
    return (word & ~mask) | (value << low & mask);
}

/* Deterministic cache parameters: leaf 4 (Intel), 0x8000001d (AMD); the same layout. */
static void fix_cache(struct kvm_cpuid_entry2 *entry, const struct vcpu *vcpu, bool intel)
{
    unsigned cpus = vcpu->engine->config.vcpus, level = entry->eax >> 5 & 7;
    if ((entry->eax & 0x1f) == 0)
        return;
    entry->eax = put(entry->eax, 14, 12, level >= 3 ? (1u << id_bits(cpus)) - 1 : 0);
    if (intel)
        entry->eax = put(entry->eax, 26, 6, (1u << id_bits(cpus)) - 1);
}

/* Extended topology: level 0 is the one thread of a core, level 1 the cores of the package. */
static void fix_topology(struct kvm_cpuid_entry2 *entry, const struct vcpu *vcpu)
{
    unsigned cpus = vcpu->engine->config.vcpus;
    entry->edx = vcpu->index;
    entry->ecx = entry->index & 0xff;
    entry->eax = entry->ebx = 0;
    if (entry->index == 0) {
        entry->ebx = 1;
        entry->ecx |= 1 << 8;
    } else if (entry->index == 1) {
        entry->eax = id_bits(cpus);
        entry->ebx = cpus;
        entry->ecx |= 2 << 8;
    }
}

static void fix_leaf_1(struct kvm_cpuid_entry2 *entry, const struct vcpu *vcpu)
{
    unsigned cpus = vcpu->engine->config.vcpus;
    bool deadline = kvm_capability(vcpu->engine->vm.fd, KVM_CAP_TSC_DEADLINE_TIMER);
    entry->ebx = put(entry->ebx, 24, 8, vcpu->index);
    entry->ebx = put(entry->ebx, 16, 8, 1u << id_bits(cpus));
    entry->edx = put(entry->edx, 28, 1, cpus > 1); /* HTT: more than one CPU in the package */
    entry->ecx = put(entry->ecx, 5, 1, 0);         /* VMX */
    entry->ecx = put(entry->ecx, 7, 1, 0);         /* EIST */
    entry->ecx = put(entry->ecx, 15, 1, 0);        /* PDCM */
    entry->ecx = put(entry->ecx, 24, 1, deadline);
    entry->ecx = put(entry->ecx, 31, 1, 1); /* there is a hypervisor */
}

static void fix_entry(struct kvm_cpuid_entry2 *entry, const struct vcpu *vcpu)
{
    unsigned cpus = vcpu->engine->config.vcpus;
    switch (entry->function) {
    case 1:
        fix_leaf_1(entry, vcpu);
        break;
    case 4:
        fix_cache(entry, vcpu, true);
        break;
    case 0xa: /* performance counters */
    case 0x80000022:
        entry->eax = entry->ebx = entry->ecx = entry->edx = 0;
        break;
    case 0xb:
    case 0x1f:
        fix_topology(entry, vcpu);
        break;
    case 0x80000001:
        entry->ecx = put(entry->ecx, 1, 1, cpus > 1); /* CmpLegacy */
        entry->ecx = put(entry->ecx, 2, 1, 0);        /* SVM */
        entry->ecx = put(entry->ecx, 23, 2, 0);       /* PerfCtrExtCore, PerfCtrExtNB */
        break;
    case 0x80000008:
        entry->ecx = put(entry->ecx, 0, 8, cpus - 1);
        entry->ecx = put(entry->ecx, 12, 4, id_bits(cpus));
        break;
    case 0x8000001d:
        fix_cache(entry, vcpu, false);
        break;
    case 0x8000001e:
        entry->eax = vcpu->index;
        entry->ebx = vcpu->index; /* its core; one thread each */
        entry->ecx = 0;           /* one node */
        break;
    default:
        break;
    }
}

int kvm_x86_set_cpuid(struct vcpu *vcpu, struct err *e)
{
    struct kvm_cpuid2 *cpuid = calloc(1, sizeof(*cpuid) + ENTRIES_MAX * sizeof(cpuid->entries[0]));
    if (!cpuid)
        abort();
    cpuid->nent = ENTRIES_MAX;
    int rc = kvm_call(vcpu->engine->vm.device_fd, KVM_GET_SUPPORTED_CPUID, cpuid);
    for (uint32_t i = 0; rc >= 0 && i < cpuid->nent; i++)
        fix_entry(&cpuid->entries[i], vcpu);
    if (rc >= 0)
        rc = kvm_call(vcpu->kvm.fd, KVM_SET_CPUID2, cpuid);
    free(cpuid);
    return rc < 0 ? err_set_errno(e, rc, "KVM's CPUID") : 0;
}
