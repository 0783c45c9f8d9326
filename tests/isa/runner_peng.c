/* runner_peng.c: Peng's own engines as runners: one CPU at EL0 with the MMU on, as a Linux process
 * has it.
 *
 * The code lies in one page table entry of 2 MiB that EL0 may write and execute, the scratch page
 * and the vectors have tables of their own; nothing is mapped beside them. Landing pads are SVC
 * instructions. The exception vectors hold HVC, whose hook takes the result from the CPU and asks
 * the engine to return: so an engine is only ever entered and left by its own run loop.
 *
 * Limits: below the engine contract (engine.h), on purpose: it sets and reads struct a64_cpu
 * directly, so that a vector costs no more than its instructions.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "core/arm64/cpu.h"
#include "core/arm64/interpreter.h"
#include "core/arm64/mmu.h"
#include "core/arm64/sysreg.h"
#include "core/translator/translator.h"
#include "hardware/hostcpu.h"
#include "runner.h"

#define VECTORS_BASE 0x04200000u /* EL1's alone: what EL0 may write, EL1 cannot execute */
#define TABLES_BASE  0x04400000u
#define RAM_BASE     0x04000000u

enum {
    RAM_BYTES = 0x600000,
    SVC_0 = 0xd4000001u,
    HVC_0 = 0xd4000002u,
    RUN_LIMIT = 1000,
    /* Descriptors (DDI 0487 D8.3): valid table or page, block; AF, inner shareable, AttrIndx 0. */
    TABLE = 3,
    BLOCK = 1 | 1 << 10 | 3 << 8,
    PAGE = 3 | 1 << 10 | 3 << 8,
    EL0_WRITABLE = 1 << 6,
};

struct peng {
    struct guestmem mem;
    struct a64_host_ops ops;
    struct a64_system system;
    struct a64_cpu *cpu;
    struct translator *translator; /* NULL: the interpreter */
    uint64_t slot_base;
    struct vector_result *result; /* of the vector that runs; NULL once it is taken */
};

static uint8_t *ram(struct peng *p, uint64_t address, uint64_t size_bytes)
{
    return guestmem_ptr(&p->mem, address, size_bytes, true);
}

static void put64(struct peng *p, uint64_t address, uint64_t value)
{
    store_le(ram(p, address, 8), 8, value);
}

/* Exception class (DDI 0487 D1.10.4) to how the vector ended. */
static uint32_t end_of(uint64_t esr, uint32_t insn)
{
    switch (esr >> 26) {
    case 0x15:
        return insn == SVC_0 ? VECTOR_LANDED : VECTOR_TRAPPED;
    case 0x3c:
        return VECTOR_TRAPPED;
    case 0x20: /* instruction abort, PC alignment, data abort, SP alignment */
    case 0x22:
    case 0x24:
    case 0x26:
        return VECTOR_FAULTED;
    default: /* what traps to EL1 here, Linux answers with SIGILL as it does the undefined */
        return VECTOR_UNDEFINED;
    }
}

static void take_result(struct peng *p)
{
    struct a64_cpu *cpu = p->cpu;
    struct vector_result *r = p->result;
    uint64_t esr = cpu->sys[A64_ESR_EL1], elr = cpu->sys[A64_ELR_EL1];
    uint32_t insn = 0;
    p->result = NULL;
    if (esr >> 26 == 0x15) /* SVC: the preferred return address is behind it */
        elr -= 4;
    guestmem_read(&p->mem, elr, &insn, sizeof insn);
    r->end = end_of(esr, insn);
    r->word = (uint32_t)((int64_t)(elr - p->slot_base) / 4);
    memcpy(r->out.x, cpu->x, sizeof r->out.x);
    r->out.sp = cpu->sys[A64_SP_EL0];
    memcpy(r->out.v, cpu->v, sizeof r->out.v);
    r->out.nzcv = cpu->sys[A64_SPSR_EL1] & 0xf0000000;
    r->out.fpcr = cpu->fpcr;
    r->out.fpsr = a64_fpsr_get(cpu);
}

static bool on_hypercall(void *ctx, struct a64_cpu *cpu, bool smc)
{
    struct peng *p = ctx;
    (void)smc;
    if (p->result)
        take_result(p);
    a64_request_stop(cpu);
    return true;
}

static uint64_t no_icc_read(void *ctx, struct a64_cpu *cpu, enum a64_sysreg reg)
{
    return 0;
}

static void no_icc_write(void *ctx, struct a64_cpu *cpu, enum a64_sysreg reg, uint64_t value)
{
}

static void no_ppi_line(void *ctx, struct a64_cpu *cpu, unsigned ppi, bool level)
{
}

static void no_timer_arm(void *ctx, struct a64_cpu *cpu, uint64_t deadline_ns)
{
}

/* 39-bit addresses, 4 KiB granule: level 1, level 2, and a level 3 for the code's 2 MiB. */
static void write_tables(struct peng *p)
{
    uint64_t level1 = TABLES_BASE, level2 = TABLES_BASE + 4096, level3 = TABLES_BASE + 8192;
    put64(p, level1, level2 | TABLE);
    put64(p, level2 + (RAM_BASE >> 21) * 8, level3 | TABLE);
    put64(p, level2 + (VECTORS_BASE >> 21) * 8, (uint64_t)VECTORS_BASE | BLOCK);
    for (uint64_t at = 0; at < BATCH_VECTORS * SLOT_BYTES; at += 4096)
        put64(p, level3 + (at >> 12) * 8, (VECTOR_CODE_BASE + at) | PAGE | EL0_WRITABLE);
    put64(p, level3 + ((VECTOR_SCRATCH_BASE - RAM_BASE) >> 12) * 8,
          (uint64_t)VECTOR_SCRATCH_BASE | PAGE | EL0_WRITABLE);
    for (uint64_t at = 0; at < 0x800; at += 0x80)
        store_le(ram(p, VECTORS_BASE + at, 4), 4, HVC_0);
}

/* A Linux-like EL1: MMU and caches on, no SP or data alignment checks, EL0 may use caches and FP.
 */
static void set_up_cpu(struct a64_cpu *cpu)
{
    cpu->sys[A64_MAIR_EL1] = 0xff;
    cpu->sys[A64_TCR_EL1] = 25 | 1 << 8 | 1 << 10 | 3 << 12 | 1ull << 23 | 2ull << 32;
    cpu->sys[A64_TTBR0_EL1] = TABLES_BASE;
    cpu->sys[A64_VBAR_EL1] = VECTORS_BASE;
    cpu->sys[A64_CPACR_EL1] = 3 << 20;
    cpu->sys[A64_SCTLR_EL1] = 0x30d00800 | 1 | 1 << 2 | 1 << 12 | 1 << 14 | 1 << 15 | 1 << 26;
    cpu->sys[A64_CNTKCTL_EL1] = 3;
}

static void write_slot(struct peng *p, const struct vector *t)
{
    uint32_t words[SLOT_WORDS];
    for (unsigned i = 0; i < SLOT_WORDS; i++)
        words[i] = i >= SLOT_START && i < SLOT_START + t->count ? t->insn[i - SLOT_START] : SVC_0;
    memcpy(ram(p, VECTOR_CODE_BASE + (uint64_t)t->slot * SLOT_BYTES, sizeof words), words,
           sizeof words);
}

static void run_one(struct peng *p, const struct vector *t, struct vector_result *r)
{
    struct a64_cpu *cpu = p->cpu;
    p->slot_base = VECTOR_CODE_BASE + (uint64_t)t->slot * SLOT_BYTES;
    p->result = r;
    vector_fill_scratch(t->scratch_seed, ram(p, VECTOR_SCRATCH_BASE, SCRATCH_BYTES));
    a64_pstate_set(cpu, 0x3c0); /* EL0, interrupts masked */
    memcpy(cpu->x, t->in.x, sizeof t->in.x);
    cpu->x[A64_SP] = t->in.sp;
    memcpy(cpu->v, t->in.v, sizeof t->in.v);
    a64_nzcv_set(cpu, (uint32_t)t->in.nzcv);
    cpu->fpcr = (uint32_t)t->in.fpcr;
    a64_fpsr_set(cpu, (uint32_t)t->in.fpsr);
    cpu->excl_valid = false;
    cpu->pc = p->slot_base + SLOT_START * 4;
    if (p->translator) {
        atomic_store(&cpu->signals.stop, 0);
        translator_run(p->translator, cpu);
    } else {
        a64_interpret(cpu, RUN_LIMIT);
    }
    if (p->result) {
        p->result = NULL;
        r->end = VECTOR_LOST;
        r->word = (uint32_t)((cpu->pc - p->slot_base) / 4);
    }
    memcpy(r->scratch, ram(p, VECTOR_SCRATCH_BASE, SCRATCH_BYTES), SCRATCH_BYTES);
}

static bool peng_run(void *ctx, struct vector_batch *batch, struct vector_result *results)
{
    struct peng *p = ctx;
    for (unsigned i = 0; i < batch->count; i++)
        write_slot(p, &batch->vectors[i]);
    if (p->translator)
        translator_code_changed(p->translator, NULL, UINT64_MAX);
    for (unsigned i = 0; i < batch->count; i++)
        run_one(p, &batch->vectors[i], &results[i]);
    return true;
}

static void peng_close(void *ctx)
{
    struct peng *p = ctx;
    translator_free(p->translator);
    a64_cpu_free(p->cpu);
    guestmem_done(&p->mem);
    free(p);
}

static struct peng *peng_new(void)
{
    struct peng *p = calloc(1, sizeof *p);
    struct err e = {0};
    if (!p)
        abort();
    guestmem_init(&p->mem, (struct guestmem_mmio){0});
    p->ops = (struct a64_host_ops){.hypercall = on_hypercall,
                                   .icc_read = no_icc_read,
                                   .icc_write = no_icc_write,
                                   .ppi_line = no_ppi_line,
                                   .timer_arm = no_timer_arm};
    p->system = (struct a64_system){.mem = &p->mem, .ops = &p->ops, .ops_ctx = p, .cpu_count = 1};
    if (guestmem_add_ram(&p->mem, RAM_BASE, RAM_BYTES, false, &e) ||
        a64_cpu_new(&p->system, 0, a64_model_find("kunpeng-920"), &p->cpu, &e)) {
        fprintf(stderr, "isa: %s\n", e.text);
        exit(1);
    }
    p->system.cpus[0] = p->cpu;
    write_tables(p);
    a64_cpu_reset(p->cpu, 0, 0);
    set_up_cpu(p->cpu);
    return p;
}

bool runner_interpreter(struct runner *ret)
{
    *ret = (struct runner){
        .name = "interpreter", .ctx = peng_new(), .run = peng_run, .close = peng_close};
    return true;
}

static bool translator(struct runner *ret, const char *name, const struct translator_config *common)
{
    struct peng *p = peng_new();
    struct err e = {0};
    struct translator_config config = *common;
    config.system = &p->system;
    if (translator_new(&config, &p->translator, &e)) {
        fprintf(stderr, "isa: no translator: %s\n", e.text);
        peng_close(p);
        return false;
    }
    *ret = (struct runner){
        .name = name, .dead_flags_inexact = true, .ctx = p, .run = peng_run, .close = peng_close};
    return true;
}

bool runner_translator(struct runner *ret, const char *host_features)
{
    struct translator_config config = {.host_features = host_features};
    return translator(ret, host_features ? host_features : "translator", &config);
}

bool runner_regions(struct runner *ret)
{
    struct translator_config config = {.tiers = TRANSLATOR_SECOND_TIER};
    return translator(ret, "translator-regions", &config);
}
