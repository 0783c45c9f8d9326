/* cpu.c: CPU models and the life of one CPU.
 *
 * ID registers say what Peng implements, not what the silicon of that name has: EL0 and EL1, and
 * EL2 where it is asked for, in AArch64 only, no RAS, SVE or pointer authentication, no PMU, no
 * hardware access flag. CTR_EL0 has IDC = 1 (data caches are coherent with everything), DIC = 0
 * (software announces changed code) and an instruction line of 4 KiB, because the engine drops
 * translations by page.
 */
#include "core/arm64/el2.h"
#include "core/arm64/interpreter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"

/* SCTLR_EL1 with its RES1 bits of Armv8.0 and SPAN, LSMAOE, nTLSMD at their reset values. */
#define SCTLR_RESET 0x30d00800u

/* SA0, DZE, UCT, nTWI, nTWE, UCI */
#define SCTLR_USER (1u << 4 | 1u << 14 | 1u << 15 | 1u << 16 | 1u << 18 | 1u << 26)

#define ID_END A64_SYSREG_COUNT

#define ID(field_shift, value) ((uint64_t)(value) << (field_shift))

/* PFR0: EL0, EL1 AArch64; GIC by system registers; CSV2, CSV3: what guest code runs speculatively
 * is the host's affair. */
#define PFR0_COMMON (ID(0, 1) | ID(4, 1) | ID(24, 1) | ID(56, 1) | ID(60, 1))
/* DFR0: Armv8 debug, 6 breakpoints, 4 watchpoints, 2 of them context-aware in number; no PMU. */
#define DFR0_COMMON (ID(0, 6) | ID(12, 5) | ID(20, 3) | ID(28, 1))
/* AES with PMULL, SHA1, SHA256, CRC32 */
#define ISAR0_COMMON (ID(4, 2) | ID(8, 1) | ID(12, 1) | ID(16, 1))
/* PARange 48 bits, 16-bit ASIDs, little-endian, granules of 16K (1), 64K and 4K (0: present) */
#define MMFR0_COMMON (ID(0, 5) | ID(4, 2) | ID(20, 1))
/* MMFR1: ECBHB. MMFR2: E0PD */
#define MMFR1_COMMON ID(60, 1)
#define MMFR2_COMMON ID(60, 1)
/* RES1, IDC, CWG, ERG and DminLine 64 bytes, PIPT, IminLine 4 KiB (log2 of words) */
#define CTR_COMMON                                                                                 \
    (ID(31, 1) | ID(28, 1) | ID(24, 4) | ID(20, 4) | ID(16, 4) | ID(14, 3) | ID(0, 10))
/* L1 split, L2 and L3 unified; coherent at level 3, unification needs nothing */
#define CLIDR_COMMON (ID(0, 3) | ID(3, 4) | ID(6, 4) | ID(24, 3))

static const struct a64_model models[] = {
    {
        .name = "kunpeng-920",
        .description = "HiSilicon Kunpeng 920 (TaiShan v110, Armv8.2-A)",
        .lse = true,
        .fp16 = true,
        .dotprod = true,
        .jscvt = true,
        .fcma = true,
        .fhm = true,
        .rdm = true,
        .dcpop = true,
        .pan = true,
        .uao = true,
        .vhe = true,
        .id =
            {
                {A64_MIDR_EL1, 0x481fd010},
                {A64_ID_AA64PFR0_EL1, PFR0_COMMON | ID(16, 1) | ID(20, 1)}, /* FP16 */
                {A64_ID_AA64DFR0_EL1, DFR0_COMMON},
                /* LSE, RDM, DotProd, FHM */
                {A64_ID_AA64ISAR0_EL1,
                 ISAR0_COMMON | ID(20, 2) | ID(28, 1) | ID(44, 1) | ID(48, 1)},
                {A64_ID_AA64ISAR1_EL1, ID(0, 1) | ID(12, 1) | ID(16, 1)}, /* DPB, JSCVT, FCMA */
                {A64_ID_AA64MMFR0_EL1, MMFR0_COMMON},
                {A64_ID_AA64MMFR1_EL1,
                 MMFR1_COMMON | ID(12, 1) | ID(20, 2)}, /* HPDS, PAN with AT S1E1RP */
                {A64_ID_AA64MMFR2_EL1, MMFR2_COMMON | ID(0, 1) | ID(4, 1)}, /* CnP, UAO */
                {A64_CTR_EL0, CTR_COMMON},
                {A64_DCZID_EL0, 4},
                {A64_CLIDR_EL1, CLIDR_COMMON},
                {ID_END, 0},
            },
    },
    {
        .name = "kunpeng-916",
        .description = "HiSilicon Kunpeng 916 (Cortex-A72, Armv8.0-A with CRC32)",
        .id =
            {
                {A64_MIDR_EL1, 0x410fd083},
                {A64_ID_AA64PFR0_EL1, PFR0_COMMON},
                {A64_ID_AA64DFR0_EL1, DFR0_COMMON},
                {A64_ID_AA64ISAR0_EL1, ISAR0_COMMON},
                {A64_ID_AA64MMFR0_EL1, MMFR0_COMMON},
                {A64_ID_AA64MMFR1_EL1, MMFR1_COMMON},
                {A64_ID_AA64MMFR2_EL1, MMFR2_COMMON},
                {A64_CTR_EL0, CTR_COMMON},
                {A64_DCZID_EL0, 4},
                {A64_CLIDR_EL1, CLIDR_COMMON},
                {ID_END, 0},
            },
    },
};

const struct a64_model *a64_model_at(unsigned index)
{
    return index < ARRAY_SIZE(models) ? &models[index] : NULL;
}

const struct a64_model *a64_model_find(const char *name)
{
    for (unsigned i = 0; i < ARRAY_SIZE(models); i++)
        if (strcmp(models[i].name, name) == 0)
            return &models[i];
    return NULL;
}

int a64_cpu_new(struct a64_system *system, unsigned index, const struct a64_model *model,
                struct a64_cpu **ret_cpu, struct err *e)
{
    size_t size_bytes = align_up(sizeof(struct a64_cpu), 4096);
    if (index >= A64_CPUS_MAX)
        return err_set(e, EINVAL, "no more than %d CPUs", A64_CPUS_MAX);
    struct a64_cpu *cpu = aligned_alloc(4096, size_bytes);
    if (!cpu)
        return err_set_errno(e, ENOMEM, "CPU %u", index);
    memset(cpu, 0, size_bytes);
    cpu->system = system;
    cpu->index = index;
    cpu->model = model;
    cpu->timer_armed_ns = UINT64_MAX;
    pthread_mutex_init(&cpu->mailbox.lock, NULL);
    int r = a64_tlb_new(cpu, e);
    if (r == 0 && system->has_el2)
        r = a64_el2_new(cpu, e);
    if (r < 0) {
        a64_cpu_free(cpu);
        return r;
    }
    a64_cpu_reset(cpu, 0, 0);
    system->cpus[index] = cpu;
    if (system->cpu_count <= index)
        system->cpu_count = index + 1;
    *ret_cpu = cpu;
    return 0;
}

static void reset_sysregs(struct a64_cpu *cpu)
{
    memset(cpu->sys, 0, sizeof(cpu->sys));
    for (unsigned i = 0; cpu->model->id[i].reg != ID_END; i++)
        cpu->sys[cpu->model->id[i].reg] = cpu->model->id[i].value;
    /* Aff1 and Aff0 as the GICv3's SGIs want them: 16 CPUs a cluster. Bit 31 is RES1. */
    cpu->sys[A64_MPIDR_EL1] = 1u << 31 | (cpu->index / 16) << 8 | cpu->index % 16;
    cpu->sys[A64_SCTLR_EL1] = SCTLR_RESET;
    cpu->sys[A64_CNTFRQ_EL0] = A64_COUNTER_HZ;
    cpu->sys[A64_OSLSR_EL1] = 0xa; /* locked (D17.3.23) */
}

int a64_cpu_new_user(struct a64_system *system, const struct a64_model *model,
                     struct a64_cpu **ret_cpu, struct err *e)
{
    struct a64_cpu *cpu = aligned_alloc(4096, align_up(sizeof(*cpu), 4096));
    if (!cpu)
        return err_set_errno(e, ENOMEM, "a thread's CPU");
    memset(cpu, 0, sizeof(*cpu));
    cpu->system = system;
    cpu->model = model;
    cpu->identity = true;
    cpu->jump_mask = (A64_USER_JUMPS - 1) * 4;
    pthread_mutex_init(&cpu->mailbox.lock, NULL);
    int r = a64_tlb_new_user(cpu, e);
    if (r < 0) {
        a64_cpu_free(cpu);
        return r;
    }
    reset_sysregs(cpu);
    cpu->timer_deadline_ns = cpu->timer_armed_ns = UINT64_MAX;
    /* As Linux sets EL0 up: caches, timers and FP allowed, top bytes ignored. Lines of 64 bytes:
     * code is dropped by line here, not by page. */
    cpu->sys[A64_SCTLR_EL1] = SCTLR_RESET | SCTLR_USER;
    cpu->sys[A64_CPACR_EL1] = 3 << 20;
    cpu->sys[A64_CNTKCTL_EL1] = 2;
    cpu->sys[A64_TCR_EL1] = 1ull << 37;
    cpu->sys[A64_CTR_EL0] = (cpu->sys[A64_CTR_EL0] & ~15ull) | 4;
    *ret_cpu = cpu;
    return 0;
}

void a64_cpu_free(struct a64_cpu *cpu)
{
    if (!cpu)
        return;
    if (cpu->system->cpus[cpu->index] == cpu)
        cpu->system->cpus[cpu->index] = NULL;
    a64_interpreter_free(cpu);
    a64_el2_free(cpu);
    a64_tlb_free(cpu);
    pthread_mutex_destroy(&cpu->mailbox.lock);
    free(cpu);
}

void a64_cpu_reset(struct a64_cpu *cpu, uint64_t pc, uint64_t x0)
{
    /* The lock keeps other CPUs' shootdowns away from the TLB meanwhile. */
    pthread_mutex_lock(&cpu->mailbox.lock);
    memset(cpu->x, 0, sizeof(cpu->x));
    memset(cpu->v, 0, sizeof(cpu->v));
    cpu->fpcr = cpu->fpsr = cpu->host_mxcsr = 0;
    a64_nzcv_set(cpu, 0);
    cpu->el = cpu->el2 ? 2 : 1;
    cpu->spsel = 1;
    cpu->daif = 15;
    cpu->pan = cpu->uao = cpu->il = cpu->ss = 0;
    cpu->stepping = cpu->excl_valid = cpu->halted = false;
    reset_sysregs(cpu);
    if (cpu->el2)
        a64_el2_reset(cpu);
    a64_tlb_flush_all(cpu);
    a64_select_bank(cpu);
    a64_update_slow(cpu);
    pthread_mutex_unlock(&cpu->mailbox.lock);
    atomic_store(&cpu->signals.event, 0);
    cpu->pc = pc;
    cpu->x[0] = x0;
    a64_timer_update(cpu); /* off now: drops the lines */
}
