/* runner_unicorn.c: Unicorn as an oracle inside this process: QEMU 5.0's arm64 with other glue.
 *
 * Landing pads are SVC instructions: the interrupt hook stops the run and the program counter tells
 * which pad it was. Runs at EL1 with the MMU off.
 *
 * Limits: Unicorn 2.0.1 cannot tell an undefined instruction from another exception by more than
 * its number, and its exclusive monitor survives from run to run, so vectors begin with it in any
 * state.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicorn/unicorn.h>

#include "base/bytes.h"
#include "runner.h"

enum {
    SVC_0 = 0xd4000001u,
    EXCP_UDEF = 1,
    EXCP_SWI = 2,
    EXCP_PREFETCH_ABORT = 3,
    EXCP_DATA_ABORT = 4,
    STATE_REGS = 31 + 1 + 32 + 3
};

struct unicorn {
    uc_engine *uc;
    uc_hook hook;
    int ids[STATE_REGS];
    int exception; /* number, or -1 */
};

static void on_interrupt(uc_engine *uc, uint32_t number, void *ctx)
{
    struct unicorn *u = ctx;
    u->exception = (int)number;
    uc_emu_stop(uc);
}

static void state_pointers(struct vector_state *s, void **values)
{
    for (unsigned i = 0; i < 31; i++)
        values[i] = &s->x[i];
    values[31] = &s->sp;
    for (unsigned i = 0; i < 32; i++)
        values[32 + i] = s->v[i];
    values[64] = &s->nzcv;
    values[65] = &s->fpcr;
    values[66] = &s->fpsr;
}

static void set_ids(struct unicorn *u)
{
    for (int i = 0; i < 29; i++)
        u->ids[i] = UC_ARM64_REG_X0 + i;
    u->ids[29] = UC_ARM64_REG_X29;
    u->ids[30] = UC_ARM64_REG_X30;
    u->ids[31] = UC_ARM64_REG_SP;
    for (int i = 0; i < 32; i++)
        u->ids[32 + i] = UC_ARM64_REG_V0 + i;
    u->ids[64] = UC_ARM64_REG_NZCV;
    u->ids[65] = UC_ARM64_REG_FPCR;
    u->ids[66] = UC_ARM64_REG_FPSR;
}

static void write_slot(struct unicorn *u, const struct vector *t)
{
    uint32_t words[SLOT_WORDS];
    for (unsigned i = 0; i < SLOT_WORDS; i++)
        words[i] = i >= SLOT_START && i < SLOT_START + t->count ? t->insn[i - SLOT_START] : SVC_0;
    uc_mem_write(u->uc, VECTOR_CODE_BASE + (uint64_t)t->slot * SLOT_BYTES, words, sizeof words);
}

static void run_one(struct unicorn *u, const struct vector *t, struct vector_result *r)
{
    uint64_t base = VECTOR_CODE_BASE + (uint64_t)t->slot * SLOT_BYTES, pc = 0;
    struct vector_state in = t->in;
    void *values[STATE_REGS];
    vector_fill_scratch(t->scratch_seed, r->scratch);
    uc_mem_write(u->uc, VECTOR_SCRATCH_BASE, r->scratch, SCRATCH_BYTES);
    state_pointers(&in, values);
    uc_reg_write_batch(u->uc, u->ids, values, STATE_REGS);
    u->exception = -1;
    uc_err error = uc_emu_start(u->uc, base + SLOT_START * 4, 0, 1000000, 0);
    state_pointers(&r->out, values);
    uc_reg_read_batch(u->uc, u->ids, values, STATE_REGS);
    r->out.nzcv &= 0xf0000000u;
    uc_reg_read(u->uc, UC_ARM64_REG_PC, &pc);
    uc_mem_read(u->uc, VECTOR_SCRATCH_BASE, r->scratch, SCRATCH_BYTES);
    if (u->exception == EXCP_SWI)
        pc -= 4; /* the preferred return address is behind the SVC */
    r->word = (uint32_t)((pc - base) / 4);
    if (u->exception == EXCP_SWI)
        r->end = VECTOR_LANDED;
    else if (u->exception == EXCP_UDEF || error == UC_ERR_INSN_INVALID)
        r->end = VECTOR_UNDEFINED;
    else if (u->exception == EXCP_PREFETCH_ABORT || u->exception == EXCP_DATA_ABORT)
        r->end = VECTOR_FAULTED;
    else if (u->exception >= 0)
        r->end = VECTOR_TRAPPED;
    else
        r->end = error == UC_ERR_OK ? VECTOR_LOST : VECTOR_FAULTED;
}

static bool unicorn_run(void *ctx, struct vector_batch *batch, struct vector_result *results)
{
    struct unicorn *u = ctx;
    for (unsigned i = 0; i < batch->count; i++)
        write_slot(u, &batch->vectors[i]);
    /* Writing memory does not drop what was translated from it. */
    uc_ctl_remove_cache(u->uc, VECTOR_CODE_BASE, VECTOR_CODE_BASE + BATCH_VECTORS * SLOT_BYTES);
    for (unsigned i = 0; i < batch->count; i++)
        run_one(u, &batch->vectors[i], &results[i]);
    return true;
}

static void unicorn_close(void *ctx)
{
    struct unicorn *u = ctx;
    uc_close(u->uc);
    free(u);
}

bool runner_unicorn(struct runner *ret)
{
    struct unicorn *u = calloc(1, sizeof *u);
    uint64_t fpen = 3ull << 20;
    if (!u || uc_open(UC_ARCH_ARM64, UC_MODE_ARM, &u->uc)) {
        free(u);
        return false;
    }
    set_ids(u);
    if (uc_ctl_set_cpu_model(u->uc, UC_CPU_ARM64_MAX) ||
        uc_mem_map(u->uc, VECTOR_CODE_BASE, BATCH_VECTORS * SLOT_BYTES, UC_PROT_ALL) ||
        uc_mem_map(u->uc, VECTOR_SCRATCH_BASE, SCRATCH_BYTES, UC_PROT_READ | UC_PROT_WRITE) ||
        uc_reg_write(u->uc, UC_ARM64_REG_CPACR_EL1, &fpen) ||
        uc_hook_add(u->uc, &u->hook, UC_HOOK_INTR, (void *)on_interrupt, u, 1, 0)) {
        unicorn_close(u);
        return false;
    }
    *ret = (struct runner){.name = "unicorn",
                           .imprecise_faults = true,
                           .defined_only = true,
                           .ctx = u,
                           .run = unicorn_run,
                           .close = unicorn_close};
    return true;
}
