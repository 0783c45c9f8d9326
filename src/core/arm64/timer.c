/* timer.c: the generic timer: one counter, an EL1 physical and an EL1 virtual timer (DDI 0487 D11).
 *
 * The counter is CLOCK_MONOTONIC in units of 10 ns (A64_COUNTER_HZ), from the system's start; with
 * no EL2 the virtual offset is zero. A timer's output is a level: ENABLE and not IMASK and the
 * counter has reached CVAL. The host is asked for a call at the earliest deadline; a later deadline
 * than the one asked for is left to the earlier call, because guests move deadlines much more often
 * than they let one pass.
 *
 * The event stream (CNTKCTL_EL1.EVNTEN) needs nothing here: a64_wait never lets a WFE sleep longer
 * than the shortest useful period.
 */
#include "core/arm64/cpu.h"

#include "base/evloop.h"

enum { CTL_ENABLE = 1, CTL_IMASK = 2, NS_PER_TICK = 1000000000 / A64_COUNTER_HZ };

static const struct timer {
    enum a64_sysreg ctl, cval;
    unsigned ppi;
} timers[2] = {
    {A64_CNTP_CTL_EL0, A64_CNTP_CVAL_EL0, 30},
    {A64_CNTV_CTL_EL0, A64_CNTV_CVAL_EL0, 27},
};

uint64_t a64_counter(const struct a64_cpu *cpu)
{
    return (clock_now_ns() - cpu->system->counter_base_ns) / NS_PER_TICK;
}

static uint64_t deadline_ns(const struct a64_cpu *cpu, uint64_t cval)
{
    uint64_t ns, at;
    if (__builtin_mul_overflow(cval, NS_PER_TICK, &ns) ||
        __builtin_add_overflow(ns, cpu->system->counter_base_ns, &at))
        return UINT64_MAX;
    return at;
}

void a64_timer_update(struct a64_cpu *cpu)
{
    const struct a64_system *system = cpu->system;
    uint64_t now = a64_counter(cpu), deadline = UINT64_MAX;
    for (unsigned i = 0; i < 2; i++) {
        uint64_t ctl = cpu->sys[timers[i].ctl], cval = cpu->sys[timers[i].cval];
        bool on = (ctl & (CTL_ENABLE | CTL_IMASK)) == CTL_ENABLE;
        bool level = on && now >= cval;
        if (on && !level && deadline_ns(cpu, cval) < deadline)
            deadline = deadline_ns(cpu, cval);
        if (level != cpu->timer_level[i]) {
            cpu->timer_level[i] = level;
            if (system->ops && system->ops->timer_line)
                system->ops->timer_line(system->ops_ctx, cpu, timers[i].ppi, level);
        }
    }
    cpu->timer_deadline_ns = deadline;
    if (deadline < cpu->timer_armed_ns && system->ops && system->ops->timer_arm) {
        cpu->timer_armed_ns = deadline;
        system->ops->timer_arm(system->ops_ctx, cpu, deadline);
    }
}

void a64_timer_ring(struct a64_cpu *cpu)
{
    atomic_store(&cpu->signals.timer_due, 1);
    a64_call_out(cpu);
    a64_wake(cpu);
}
