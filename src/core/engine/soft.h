/* soft.h: what the software engines (interpreter, translator) have in common: everything but
 * running guest code.
 *
 * To plug in another one, write a struct soft_ops, a create function that calls soft_create() with
 * it, and a struct engine_ops that starts from SOFT_ENGINE_OPS:
 *
 *     static const struct soft_ops ops = {.create = ..., .free = ..., .run_guest = ...};
 *     static int create(const struct engine_config *c, struct engine **ret, struct err *e)
 *     {
 *         return soft_create(&ops, c, ret, e);
 *     }
 *     const struct engine_ops NAME_engine = {
 *         .name = "NAME", .arch = "arm64", .create = create, SOFT_ENGINE_OPS};
 *
 * and add it to the list in engine.c. Debugging (breakpoints, single step, --trace exec) runs one
 * instruction at a time through the interpreter, whichever engine it is.
 */
#ifndef PENG_CORE_ENGINE_SOFT_H
#define PENG_CORE_ENGINE_SOFT_H

#include <stdio.h>

#include "core/arm64/cpu.h"
#include "core/engine/engine.h"

struct soft_ops {
    /* The engine's own part, made when all CPUs of `system` exist and none runs; what it returns is
     * `impl` below. May set each CPU's `engine` pointer. NULL: has none. */
    int (*create)(const struct engine_config *config, struct a64_system *system, void **ret_impl,
                  struct err *e);
    void (*free)(void *impl);
    /* Runs guest code on this CPU's thread until the run loop must look: cpu->halted, powered_off,
     * or signals.stop; may return at any instruction for reasons of its own. Brackets itself with
     * a64_enter_guest()/a64_leave_guest(); polls (a64_poll) and takes interrupts itself, at the
     * start too. */
    void (*run_guest)(void *impl, struct a64_cpu *cpu);
    /* As a64_host_ops.code_changed; cpu is NULL when the host changed memory (no CPU runs). NULL:
     * keeps no code. */
    void (*code_changed)(void *impl, struct a64_cpu *cpu, uint64_t page);
    const char *(*folder)(void *impl);           /* as engine_ops.folder; may be NULL */
    void (*print_stats)(void *impl, FILE *file); /* may be NULL */
};

int soft_create(const struct soft_ops *ops, const struct engine_config *config,
                struct engine **ret_engine, struct err *e);
void soft_free(struct engine *engine);
struct vcpu *soft_vcpu(struct engine *engine, unsigned index);
enum vcpu_stop soft_run(struct vcpu *vcpu, struct err *e);
void soft_request_stop(struct vcpu *vcpu);
void soft_set_line(struct vcpu *vcpu, enum vcpu_line line, bool level);
void soft_power_on(struct vcpu *vcpu, uint64_t pc, uint64_t x0);
void soft_power_off(struct vcpu *vcpu);
bool soft_is_on(struct vcpu *vcpu);
void soft_halt(struct vcpu *vcpu);
void soft_reset(struct engine *engine, const struct engine_start *start);
void soft_code_changed(struct engine *engine);
int soft_get_reg(struct vcpu *vcpu, uint64_t id, void *value);
int soft_set_reg(struct vcpu *vcpu, uint64_t id, const void *value);
bool soft_debug_access(struct vcpu *vcpu, uint64_t va, void *data, size_t bytes, bool write);
int soft_debug_break(struct engine *engine, uint64_t va, bool set);
void soft_debug_step(struct vcpu *vcpu, bool on);
const char *soft_folder(struct engine *engine);
void soft_print_stats(struct engine *engine, void *file);

#define SOFT_ENGINE_OPS                                                                            \
    .free = soft_free, .vcpu = soft_vcpu, .run = soft_run, .request_stop = soft_request_stop,      \
    .set_line = soft_set_line, .power_on = soft_power_on, .power_off = soft_power_off,             \
    .is_on = soft_is_on, .halt = soft_halt, .reset = soft_reset,                                   \
    .code_changed = soft_code_changed, .get_reg = soft_get_reg, .set_reg = soft_set_reg,           \
    .debug_access = soft_debug_access, .debug_break = soft_debug_break,                            \
    .debug_step = soft_debug_step, .folder = soft_folder, .print_stats = soft_print_stats

unsigned soft_vcpu_index(const struct vcpu *vcpu);
/* The engine's own part of an engine made by soft_create(), and the CPU of a vCPU. */
void *soft_impl(struct engine *engine);
struct a64_cpu *soft_cpu(struct vcpu *vcpu);

extern const struct engine_ops interpreter_engine, translator_engine;

#endif
