/* soft_int.h: the structs behind soft.c and soft_regs.c. */
#ifndef PENG_CORE_ENGINE_SOFT_INT_H
#define PENG_CORE_ENGINE_SOFT_INT_H

#include "base/evloop.h"
#include "core/arm64/mmu.h"
#include "core/arm64/sysreg.h"
#include "core/engine/soft.h"

enum { SOFT_BREAKPOINTS_MAX = 64 };

struct vcpu {
    struct engine *engine;
    struct a64_cpu *cpu; /* owned */
    struct evtimer *timer;
    pthread_mutex_t power_lock; /* guards the three below */
    pthread_cond_t power_changed;
    bool on, start;
    uint64_t start_pc, start_x0;
    bool thread_ready; /* its thread was here before */
    bool step;         /* the debugger wants one instruction */
    bool over_break;   /* the next instruction ignores breakpoints: we stopped at it */
};

struct engine {
    const struct soft_ops *ops;
    void *impl;
    struct engine_config config;
    struct a64_system system;
    struct vcpu vcpus[A64_CPUS_MAX];
    struct evloop *timer_loop;
    pthread_mutex_t timer_lock; /* guards the two below until the thread runs */
    pthread_t timer_thread;
    bool timer_running;
    uint16_t key_of[A64_SYSREG_COUNT]; /* for the ICC registers */
    uint64_t breakpoints[SOFT_BREAKPOINTS_MAX];
    unsigned breakpoint_count;
    struct trace_exec *trace_exec; /* NULL: not asked for */
};

#endif
