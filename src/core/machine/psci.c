/* psci.c: a table of functions, each answered on the calling vCPU's thread.
 *
 * Calls of the 32-bit convention see only the low halves of their arguments. SYSTEM_OFF and
 * SYSTEM_RESET do not return to the guest: the machine asks the vCPU to stop before the next
 * instruction. CPU_SUSPEND is a WFI in both its forms, which the specification allows (the core
 * came back because of an event); power states that lose context are never entered.
 *
 * Limits: no OS-initiated mode, no SYSTEM_SUSPEND, no statistics; FEATURES says so.
 */
#include "core/machine/psci.h"

#include <sys/random.h>

#include "base/bytes.h"

/* DEN 0022, 5.2.2. */
enum {
    PSCI_SUCCESS = 0,
    PSCI_NOT_SUPPORTED = -1,
    PSCI_INVALID_PARAMETERS = -2,
    PSCI_ALREADY_ON = -4,
    PSCI_INVALID_ADDRESS = -9,
};

enum { SMCCC_NOT_REQUIRED = 1, TRNG_NO_ENTROPY = -3, TRNG_INVALID = -2 };

struct call {
    struct psci *psci;
    struct vcpu *vcpu;
    uint64_t *args; /* [1..3]; already truncated for 32-bit calls */
};

struct function {
    uint32_t id; /* of the 32-bit form */
    bool has64;  /* also as id | 1 << 30 */
    int64_t (*call)(struct call *c);
};

static const struct function functions[];
static const struct function *find(uint32_t id);

static struct vcpu *cpu_by_affinity(struct psci *psci, uint64_t affinity)
{
    for (unsigned i = 0; i < psci->cpu_count; i++)
        if (psci->affinities[i] == affinity)
            return psci->engine->vcpu(psci->cpus, i);
    return NULL;
}

static int64_t version(struct call *c)
{
    return 1 << 16 | 1;
}

static int64_t cpu_suspend(struct call *c)
{
    if (c->psci->engine->halt)
        c->psci->engine->halt(c->vcpu);
    return PSCI_SUCCESS;
}

static int64_t cpu_off(struct call *c)
{
    c->psci->engine->power_off(c->vcpu);
    return PSCI_SUCCESS;
}

static int64_t cpu_on(struct call *c)
{
    struct psci *psci = c->psci;
    struct vcpu *target = cpu_by_affinity(psci, c->args[1]);
    uint64_t entry = c->args[2];
    if (!target)
        return PSCI_INVALID_PARAMETERS;
    if (entry % 4 || !guestmem_find(psci->mem, entry))
        return PSCI_INVALID_ADDRESS;
    int64_t result = PSCI_SUCCESS;
    pthread_mutex_lock(&psci->lock);
    if (psci->engine->is_on(target))
        result = PSCI_ALREADY_ON;
    else
        psci->engine->power_on(target, entry, c->args[3]);
    pthread_mutex_unlock(&psci->lock);
    return result;
}

static int64_t affinity_info(struct call *c)
{
    struct vcpu *target = cpu_by_affinity(c->psci, c->args[1]);
    if (!target || c->args[2] != 0) /* levels above the core may be left out, 5.8 */
        return PSCI_INVALID_PARAMETERS;
    return c->psci->engine->is_on(target) ? 0 : 1;
}

static int64_t migrate_info_type(struct call *c)
{
    return 2; /* no trusted OS that would need migrating */
}

static int64_t system_off(struct call *c)
{
    c->psci->system_off(c->psci->ctx);
    return PSCI_SUCCESS;
}

static int64_t system_reset(struct call *c)
{
    c->psci->system_reset(c->psci->ctx);
    return PSCI_SUCCESS;
}

static int64_t system_reset2(struct call *c)
{
    if (c->args[1] != 0) /* 0: SYSTEM_WARM_RESET; all others are the vendor's */
        return PSCI_INVALID_PARAMETERS;
    return system_reset(c);
}

static int64_t features(struct call *c)
{
    return find((uint32_t)c->args[1]) ? 0 : PSCI_NOT_SUPPORTED;
}

static int64_t smccc_version(struct call *c)
{
    return 1 << 16 | 1;
}

static int64_t smccc_features(struct call *c)
{
    switch ((uint32_t)c->args[1]) {
    case 0x80000000: /* SMCCC_VERSION */
    case 0x80000001: /* SMCCC_ARCH_FEATURES */
        return 0;
    /* No vCPU speculates across privilege as the hardware that needs these firmware calls does. */
    case 0x80003fff: /* SMCCC_ARCH_WORKAROUND_3 */
    case 0x80008000: /* SMCCC_ARCH_WORKAROUND_1 */
        return SMCCC_NOT_REQUIRED;
    case 0x80007fff: /* SMCCC_ARCH_WORKAROUND_2: there "not required" is -2 */
        return -2;
    default:
        return PSCI_NOT_SUPPORTED;
    }
}

static int64_t workaround(struct call *c)
{
    return PSCI_SUCCESS;
}

static int64_t trng_version(struct call *c)
{
    return 1 << 16;
}

static int64_t trng_features(struct call *c)
{
    uint32_t id = (uint32_t)c->args[1];
    return (id & 0xbffffff0) == 0x84000050 && find(id) ? 0 : PSCI_NOT_SUPPORTED;
}

static int64_t trng_uuid(struct call *c)
{
    /* The entropy source is the host's getrandom(2). */
    c->args[1] = 0xc8f4a1e5;
    c->args[2] = 0x4b6f11ed;
    c->args[3] = 0x9f0a21ab;
    return 0x6e7067d3;
}

/* DEN 0098, 2.5: the bits asked for come in X3, X2, X1, lowest first; 32 to a register for RND32.
 */
static int64_t trng_random(struct call *c, unsigned register_bits)
{
    uint64_t wanted = c->args[1];
    if (wanted == 0 || wanted > 3 * register_bits)
        return TRNG_INVALID;
    for (unsigned i = 3; i >= 1; i--) {
        uint64_t value = 0;
        uint64_t take = wanted < register_bits ? wanted : register_bits;
        wanted -= take;
        if (take > 0 && getrandom(&value, sizeof(value), 0) != sizeof(value))
            return TRNG_NO_ENTROPY;
        c->args[i] = take > 0 ? bits(value, 0, (unsigned)take) : 0;
    }
    return PSCI_SUCCESS;
}

static int64_t trng_rnd32(struct call *c)
{
    return trng_random(c, 32);
}

static int64_t trng_rnd64(struct call *c)
{
    return trng_random(c, 64);
}

/* TRNG_RND64 is the 64-bit form of TRNG_RND32, but with another register width. */
enum { TRNG_RND64 = 0xc4000053 };

static const struct function functions[] = {
    {0x84000000, false, version},       {0x84000001, true, cpu_suspend},
    {0x84000002, false, cpu_off},       {0x84000003, true, cpu_on},
    {0x84000004, true, affinity_info},  {0x84000006, false, migrate_info_type},
    {0x84000008, false, system_off},    {0x84000009, false, system_reset},
    {0x8400000a, false, features},      {0x84000012, true, system_reset2},
    {0x80000000, false, smccc_version}, {0x80000001, false, smccc_features},
    {0x80003fff, false, workaround},    {0x80007fff, false, workaround},
    {0x80008000, false, workaround},    {0x84000050, false, trng_version},
    {0x84000051, false, trng_features}, {0x84000052, false, trng_uuid},
    {0x84000053, false, trng_rnd32},    {TRNG_RND64, false, trng_rnd64},
};

static const struct function *find(uint32_t id)
{
    for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
        if (functions[i].id == id || (functions[i].has64 && (functions[i].id | 1u << 30) == id))
            return &functions[i];
    return NULL;
}

bool psci_call(struct psci *psci, struct vcpu *vcpu, uint64_t args[8])
{
    uint32_t id = (uint32_t)args[0];
    bool is64 = id & 1u << 30;
    if (!is64)
        for (unsigned i = 1; i <= 3; i++)
            args[i] = (uint32_t)args[i];
    const struct function *f = find(id);
    struct call c = {.psci = psci, .vcpu = vcpu, .args = args};
    int64_t result = f ? f->call(&c) : PSCI_NOT_SUPPORTED;
    args[0] = is64 ? (uint64_t)result : (uint32_t)result;
    return true;
}
