/* psci.h: Power State Coordination Interface 1.1 (Arm DEN 0022), SMC Calling Convention 1.1 (DEN
 * 0028) and TRNG firmware interface 1.0 (DEN 0098), as the machine answers HVC and SMC.
 */
#ifndef PENG_CORE_MACHINE_PSCI_H
#define PENG_CORE_MACHINE_PSCI_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/engine/engine.h"
#include "core/memory/guestmem.h"

/* What the calls act on. */
struct psci {
    const struct engine_ops *engine;
    struct engine *cpus;
    unsigned cpu_count;
    const uint64_t *affinities; /* MPIDR_EL1's affinity fields by vCPU; borrowed */
    const struct guestmem *mem;
    pthread_mutex_t lock; /* two CPUs may switch on a third at once */
    /* The guest asks to end or restart the machine; called on its vCPU's thread. */
    void *ctx;
    void (*system_off)(void *ctx);
    void (*system_reset)(void *ctx);
};

/* PSCI's functions, as the device tree names those of version 0.1. */
enum psci_function {
    PSCI_CPU_SUSPEND64 = 0xc4000001,
    PSCI_CPU_OFF = 0x84000002,
    PSCI_CPU_ON64 = 0xc4000003,
};

/* Affinity fields of an MPIDR_EL1: Aff3 in [39:32], Aff2..Aff0 in [23:0]. */
#define PSCI_AFFINITY_MASK 0xff00ffffffull

/* Handles one call: args[0] is the function, results go to args[0..3]. Unknown functions are
 * answered NOT_SUPPORTED, so this always returns true. */
bool psci_call(struct psci *psci, struct vcpu *vcpu, uint64_t args[8]);

#endif
