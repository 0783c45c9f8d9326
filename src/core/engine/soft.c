/* soft.c: the life of a software engine's vCPUs: run loop, power, timers, hypercalls, debugging.
 *
 * A vCPU thread sits in soft_run(). Off, it sleeps on a condition; halted (WFI), on its CPU's futex
 * with its own timer's deadline, so that a sleeping CPU needs nobody to ring; else the engine
 * proper runs guest code. While guest code runs, one thread for all vCPUs, "timer0", rings when a
 * timer passes; the CPU notices at its next poll.
 *
 * Limits: breakpoints and single step run through the interpreter.
 */
#include "core/engine/soft_int.h"
#include "core/engine/trace_exec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/bytes.h"
#include "base/thread.h"
#include "core/arm64/interpreter.h"

unsigned soft_vcpu_index(const struct vcpu *vcpu)
{
    return vcpu->cpu->index;
}

void *soft_impl(struct engine *engine)
{
    return engine->impl;
}

struct a64_cpu *soft_cpu(struct vcpu *vcpu)
{
    return vcpu->cpu;
}

struct vcpu *soft_vcpu(struct engine *engine, unsigned index)
{
    return index < engine->config.vcpus ? &engine->vcpus[index] : NULL;
}

/* --- what CPUs ask: struct a64_host_ops --------------------------------------------------------
 */

static bool on_hypercall(void *ctx, struct a64_cpu *cpu, bool smc)
{
    struct engine *engine = ctx;
    const struct engine_host *host = &engine->config.host;
    uint64_t args[8];
    memcpy(args, cpu->x, sizeof(args));
    if (!host->hypercall || !host->hypercall(host->ctx, &engine->vcpus[cpu->index], smc, args))
        return false;
    memcpy(cpu->x, args, 4 * sizeof(args[0]));
    return true;
}

static uint64_t on_icc_read(void *ctx, struct a64_cpu *cpu, enum a64_sysreg reg)
{
    struct engine *engine = ctx;
    const struct engine_host *host = &engine->config.host;
    return host->icc_read ? host->icc_read(host->ctx, cpu->index, engine->key_of[reg]) : 0;
}

static void on_icc_write(void *ctx, struct a64_cpu *cpu, enum a64_sysreg reg, uint64_t value)
{
    struct engine *engine = ctx;
    const struct engine_host *host = &engine->config.host;
    if (host->icc_write)
        host->icc_write(host->ctx, cpu->index, engine->key_of[reg], value);
}

static void on_icc_deactivate(void *ctx, struct a64_cpu *cpu, unsigned intid)
{
    const struct engine_host *host = &((struct engine *)ctx)->config.host;
    if (host->icc_deactivate)
        host->icc_deactivate(host->ctx, cpu->index, intid);
}

static void on_ppi_line(void *ctx, struct a64_cpu *cpu, unsigned ppi, bool level)
{
    const struct engine_host *host = &((struct engine *)ctx)->config.host;
    if (host->ppi)
        host->ppi(host->ctx, cpu->index, ppi, level);
}

static void on_timer_arm(void *ctx, struct a64_cpu *cpu, uint64_t deadline_ns)
{
    struct engine *engine = ctx;
    evtimer_set(engine->vcpus[cpu->index].timer, deadline_ns);
}

static void on_code_changed(void *ctx, struct a64_cpu *cpu, uint64_t page)
{
    struct engine *engine = ctx;
    if (engine->ops->code_changed)
        engine->ops->code_changed(engine->impl, cpu, page);
}

static const struct a64_host_ops host_ops = {
    .hypercall = on_hypercall,
    .icc_read = on_icc_read,
    .icc_write = on_icc_write,
    .icc_deactivate = on_icc_deactivate,
    .ppi_line = on_ppi_line,
    .timer_arm = on_timer_arm,
    .code_changed = on_code_changed,
};

/* --- making and freeing ------------------------------------------------------------------------
 */

static void on_timer(void *ctx)
{
    struct vcpu *vcpu = ctx;
    a64_timer_ring(vcpu->cpu);
}

static void *timer_main(void *arg)
{
    evloop_run(arg);
    return NULL;
}

static int make_vcpu(struct engine *engine, unsigned index, const struct a64_model *model,
                     struct err *e)
{
    struct vcpu *vcpu = &engine->vcpus[index];
    vcpu->engine = engine;
    pthread_mutex_init(&vcpu->power_lock, NULL);
    pthread_cond_init(&vcpu->power_changed, NULL);
    int r = a64_cpu_new(&engine->system, index, model, &vcpu->cpu, e);
    if (r < 0)
        return r;
    vcpu->cpu->powered_off = true;
    return evtimer_new(engine->timer_loop, on_timer, vcpu, &vcpu->timer, e);
}

/* With the first vCPU that runs: before that, the process is not jailed yet. */
static int start_timers(struct engine *engine, struct err *e)
{
    pthread_mutex_lock(&engine->timer_lock);
    int r = 0;
    if (!engine->timer_running)
        r = thread_start(&engine->timer_thread, "timer0", timer_main, engine->timer_loop);
    engine->timer_running = r == 0;
    pthread_mutex_unlock(&engine->timer_lock);
    return r ? err_set_errno(e, r, "cannot start the timer thread") : 0;
}

int soft_create(const struct soft_ops *ops, const struct engine_config *config,
                struct engine **ret_engine, struct err *e)
{
    const char *name = config->cpu_model ? config->cpu_model : a64_model_at(0)->name;
    const struct a64_model *model = a64_model_find(name);
    if (!model)
        return err_set(e, EINVAL, "unknown CPU model '%s'", name);
    if (config->virtualization && !model->vhe)
        return err_set(e, ENOTSUP, "--virtualization: CPU model '%s' has no FEAT_VHE", name);
    if (config->vcpus < 1 || config->vcpus > A64_CPUS_MAX)
        return err_set(e, EINVAL, "a machine has 1 to %d CPUs, not %u", A64_CPUS_MAX,
                       config->vcpus);
    struct engine *engine = calloc(1, sizeof(*engine));
    if (!engine)
        return err_set_errno(e, ENOMEM, "engine");
    engine->ops = ops;
    engine->config = *config;
    engine->system = (struct a64_system){
        .mem = config->mem,
        .ops = &host_ops,
        .ops_ctx = engine,
        .log = config->log,
        .trace = config->trace,
        .counter_base_ns = clock_now_ns(),
        .has_el2 = config->virtualization,
    };
    for (unsigned reg = 0; reg < A64_SYSREG_COUNT; reg++) {
        const struct a64_sysreg_info *info = a64_sysreg_by_id((enum a64_sysreg)reg);
        engine->key_of[reg] = info ? info->key : 0;
    }
    pthread_mutex_init(&engine->timer_lock, NULL);
    int r = evloop_new(&engine->timer_loop, e);
    if (r >= 0 && trace_on(config->trace, TRACE_EXEC))
        r = trace_exec_new(config->trace, &engine->trace_exec, e);
    for (unsigned i = 0; r >= 0 && i < config->vcpus; i++)
        r = make_vcpu(engine, i, model, e);
    if (r >= 0 && ops->create)
        r = ops->create(config, &engine->system, &engine->impl, e);
    if (r < 0) {
        soft_free(engine);
        return r;
    }
    *ret_engine = engine;
    return 0;
}

void soft_free(struct engine *engine)
{
    if (!engine)
        return;
    if (engine->timer_running) {
        evloop_stop(engine->timer_loop);
        pthread_join(engine->timer_thread, NULL);
    }
    if (engine->ops->free && engine->impl)
        engine->ops->free(engine->impl);
    for (unsigned i = 0; i < A64_CPUS_MAX && engine->vcpus[i].engine; i++) {
        struct vcpu *vcpu = &engine->vcpus[i];
        evtimer_free(vcpu->timer);
        a64_cpu_free(vcpu->cpu);
        pthread_mutex_destroy(&vcpu->power_lock);
        pthread_cond_destroy(&vcpu->power_changed);
    }
    evloop_free(engine->timer_loop);
    pthread_mutex_destroy(&engine->timer_lock);
    trace_exec_free(engine->trace_exec);
    free(engine);
}

/* --- power and signals -------------------------------------------------------------------------
 */

void soft_request_stop(struct vcpu *vcpu)
{
    a64_request_stop(vcpu->cpu);
    pthread_mutex_lock(&vcpu->power_lock);
    pthread_cond_broadcast(&vcpu->power_changed);
    pthread_mutex_unlock(&vcpu->power_lock);
}

void soft_set_line(struct vcpu *vcpu, enum vcpu_line line, bool level)
{
    a64_set_line(vcpu->cpu, line == VCPU_LINE_IRQ ? A64_LINE_IRQ : A64_LINE_FIQ, level);
}

void soft_power_on(struct vcpu *vcpu, uint64_t pc, uint64_t x0)
{
    pthread_mutex_lock(&vcpu->power_lock);
    vcpu->on = vcpu->start = true;
    vcpu->start_pc = pc;
    vcpu->start_x0 = x0;
    pthread_cond_broadcast(&vcpu->power_changed);
    pthread_mutex_unlock(&vcpu->power_lock);
}

void soft_power_off(struct vcpu *vcpu)
{
    pthread_mutex_lock(&vcpu->power_lock);
    vcpu->on = vcpu->start = false;
    pthread_mutex_unlock(&vcpu->power_lock);
    vcpu->cpu->powered_off = true;
}

bool soft_is_on(struct vcpu *vcpu)
{
    pthread_mutex_lock(&vcpu->power_lock);
    bool on = vcpu->on;
    pthread_mutex_unlock(&vcpu->power_lock);
    return on;
}

void soft_halt(struct vcpu *vcpu)
{
    vcpu->cpu->halted = true;
}

void soft_reset(struct engine *engine, const struct engine_start *start)
{
    for (unsigned i = 0; i < engine->config.vcpus; i++) {
        struct vcpu *vcpu = &engine->vcpus[i];
        soft_power_off(vcpu);
        a64_cpu_reset(vcpu->cpu, 0, 0);
        vcpu->over_break = false;
    }
    soft_code_changed(engine);
    /* At once, not when it runs: a debugger may look, and change what it sees. */
    struct vcpu *first = &engine->vcpus[0];
    a64_cpu_reset(first->cpu, start->pc, start->argument);
    first->cpu->powered_off = false;
    pthread_mutex_lock(&first->power_lock);
    first->on = true;
    pthread_mutex_unlock(&first->power_lock);
}

void soft_code_changed(struct engine *engine)
{
    if (engine->ops->code_changed)
        engine->ops->code_changed(engine->impl, NULL, UINT64_MAX);
}

/* Sleeps while the CPU is off. False: asked to stop. */
static bool wait_for_power(struct vcpu *vcpu)
{
    struct a64_cpu *cpu = vcpu->cpu;
    pthread_mutex_lock(&vcpu->power_lock);
    while (!vcpu->start && cpu->powered_off && !atomic_load(&cpu->signals.stop))
        pthread_cond_wait(&vcpu->power_changed, &vcpu->power_lock);
    bool start = vcpu->start;
    uint64_t pc = vcpu->start_pc, x0 = vcpu->start_x0;
    vcpu->start = false;
    pthread_mutex_unlock(&vcpu->power_lock);
    if (start) {
        a64_cpu_reset(cpu, pc, x0);
        cpu->powered_off = false;
    }
    return !cpu->powered_off;
}

/* --- running -----------------------------------------------------------------------------------
 */

static bool at_breakpoint(const struct engine *engine, uint64_t pc)
{
    for (unsigned i = 0; i < engine->breakpoint_count; i++)
        if (engine->breakpoints[i] == pc)
            return true;
    return false;
}

/* One instruction at a time. True: the debugger's turn. */
static bool run_watched(struct vcpu *vcpu)
{
    struct engine *engine = vcpu->engine;
    struct a64_cpu *cpu = vcpu->cpu;
    bool stopped = false;
    a64_enter_guest(cpu);
    while (!stopped && !cpu->halted && !cpu->powered_off) {
        if (atomic_load(&cpu->signals.poll) && a64_poll(cpu))
            break;
        if (!vcpu->step) /* a step that lands in a handler helps nobody */
            a64_take_interrupt(cpu);
        if (!vcpu->over_break && at_breakpoint(engine, cpu->pc)) {
            stopped = true;
            break;
        }
        vcpu->over_break = false;
        if (engine->trace_exec)
            trace_exec_insn(engine->trace_exec, cpu);
        a64_step_one(cpu);
        stopped = vcpu->step;
    }
    if (stopped)
        vcpu->over_break = true;
    a64_leave_guest(cpu);
    return stopped;
}

enum vcpu_stop soft_run(struct vcpu *vcpu, struct err *e)
{
    struct engine *engine = vcpu->engine;
    struct a64_cpu *cpu = vcpu->cpu;
    if (!vcpu->thread_ready) { /* guests expect timers to ring on time, not 50 us late */
        prctl(PR_SET_TIMERSLACK, 1);
        if (start_timers(engine, e) < 0)
            return VCPU_STOP_FAILED;
        vcpu->thread_ready = true;
    }
    for (;;) {
        if (atomic_exchange(&cpu->signals.stop, 0))
            return VCPU_STOP_REQUESTED;
        if (!wait_for_power(vcpu))
            continue;
        if (cpu->halted) {
            a64_wait(cpu, false);
            cpu->halted = false;
            if (atomic_load(&cpu->signals.stop)) {
                cpu->halted = !a64_has_work(cpu); /* goes back to sleep when resumed */
                continue;
            }
        }
        /* Interrupts that came while nobody polled are taken first. */
        a64_call_out(cpu);
        if (engine->breakpoint_count || vcpu->step || engine->trace_exec) {
            if (run_watched(vcpu))
                return VCPU_STOP_DEBUG;
        } else {
            engine->ops->run_guest(engine->impl, cpu);
        }
    }
}

/* --- debugging ---------------------------------------------------------------------------------
 */

bool soft_debug_access(struct vcpu *vcpu, uint64_t va, void *data, size_t bytes, bool write)
{
    bool done = a64_debug_access(vcpu->cpu, va, data, bytes, write);
    if (done && write)
        soft_code_changed(vcpu->engine);
    return done;
}

int soft_debug_break(struct engine *engine, uint64_t va, bool set)
{
    for (unsigned i = 0; i < engine->breakpoint_count; i++) {
        if (engine->breakpoints[i] != va)
            continue;
        if (!set)
            engine->breakpoints[i] = engine->breakpoints[--engine->breakpoint_count];
        return 0;
    }
    if (!set)
        return -ENOENT;
    if (engine->breakpoint_count == SOFT_BREAKPOINTS_MAX)
        return -ENOSPC;
    engine->breakpoints[engine->breakpoint_count++] = va;
    return 0;
}

void soft_debug_step(struct vcpu *vcpu, bool on)
{
    vcpu->step = on;
}

const char *soft_folder(struct engine *engine)
{
    return engine->ops->folder ? engine->ops->folder(engine->impl) : NULL;
}

static void print_sum(struct engine *engine, FILE *file, const char *name, size_t offset)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < engine->config.vcpus; i++)
        sum += *(const uint64_t *)((const char *)engine->vcpus[i].cpu + offset);
    fprintf(file, "%s: %llu\n", name, (unsigned long long)sum);
}

void soft_print_stats(struct engine *engine, void *file)
{
    static const struct {
        const char *name;
        size_t offset;
    } counters[] = {
        {"interpreted instructions", offsetof(struct a64_cpu, instructions)},
        {"undefined instructions", offsetof(struct a64_cpu, undefined_count)},
        {"exceptions and interrupts", offsetof(struct a64_cpu, exceptions)},
        {"TLB fills", offsetof(struct a64_cpu, tlb_fills)},
        {"table walks", offsetof(struct a64_cpu, walks)},
        {"TLB fills that faulted", offsetof(struct a64_cpu, tlb_faults)},
        {"TLB lookups across a page's end, or misaligned", offsetof(struct a64_cpu, tlb_crossings)},
        {"TLB lookups of MMIO and other guarded pages", offsetof(struct a64_cpu, tlb_guarded)},
        {"TLB invalidations", offsetof(struct a64_cpu, tlb_flushes)},
        {"broadcasts", offsetof(struct a64_cpu, broadcasts)},
    };
    for (size_t i = 0; i < ARRAY_SIZE(counters); i++)
        print_sum(engine, file, counters[i].name, counters[i].offset);
    if (engine->ops->print_stats)
        engine->ops->print_stats(engine->impl, file);
}
