/* timer.c: the generic timer: one counter, an EL1 physical and an EL1 virtual timer, and two of EL2
 * where there is one (DDI 0487 D11).
 *
 * The counter is CLOCK_MONOTONIC in units of 10 ns (A64_COUNTER_HZ), from the system's start; the
 * EL1 virtual timer counts from CNTVOFF_EL2, which is zero without EL2. A timer's output is a
 * level: ENABLE and not IMASK and the counter has reached CVAL. The host is asked for a call at the
 * earliest deadline; a later deadline than the one asked for is left to the earlier call, because
 * guests move deadlines much more often than they let one pass.
 *
 * The event stream (CNTKCTL_EL1.EVNTEN) needs nothing here: a64_wait never lets a WFE sleep longer
 * than the shortest useful period.
 */
#include "core/arm64/sysreg_int.h"

#include <assert.h>

#include "base/bytes.h"
#include "base/evloop.h"

enum { CTL_ENABLE = 1, CTL_IMASK = 2, NS_PER_TICK = 1000000000 / A64_COUNTER_HZ };

static const struct timer {
    enum a64_sysreg ctl, cval, tval;
    unsigned ppi;
    bool offset; /* counts from CNTVOFF_EL2 */
} timers[] = {
    {A64_CNTP_CTL_EL0, A64_CNTP_CVAL_EL0, A64_CNTP_TVAL_EL0, 30, false},
    {A64_CNTV_CTL_EL0, A64_CNTV_CVAL_EL0, A64_CNTV_TVAL_EL0, 27, true},
    {A64_CNTHP_CTL_EL2, A64_CNTHP_CVAL_EL2, A64_CNTHP_TVAL_EL2, 26, false},
    {A64_CNTHV_CTL_EL2, A64_CNTHV_CVAL_EL2, A64_CNTHV_TVAL_EL2, 28, false},
};

enum { TIMERS_WITHOUT_EL2 = 2 };

uint64_t a64_counter(const struct a64_cpu *cpu)
{
    return (clock_now_ns() - cpu->system->counter_base_ns) / NS_PER_TICK;
}

/* CVAL and TVAL are seen from here. */
static uint64_t count(const struct a64_cpu *cpu, const struct timer *t)
{
    return a64_counter(cpu) - (t->offset ? cpu->sys[A64_CNTVOFF_EL2] : 0);
}

static uint64_t deadline_ns(const struct a64_cpu *cpu, const struct timer *t)
{
    uint64_t ns, at, cval = cpu->sys[t->cval];
    if (t->offset && __builtin_add_overflow(cval, cpu->sys[A64_CNTVOFF_EL2], &cval) &&
        (int64_t)cpu->sys[A64_CNTVOFF_EL2] > 0)
        return UINT64_MAX;
    if (__builtin_mul_overflow(cval, NS_PER_TICK, &ns) ||
        __builtin_add_overflow(ns, cpu->system->counter_base_ns, &at))
        return UINT64_MAX;
    return at;
}

void a64_timer_update(struct a64_cpu *cpu)
{
    const struct a64_system *system = cpu->system;
    uint64_t deadline = UINT64_MAX;
    unsigned timer_count = cpu->el2 ? ARRAY_SIZE(timers) : TIMERS_WITHOUT_EL2;
    for (unsigned i = 0; i < timer_count; i++) {
        const struct timer *t = &timers[i];
        uint64_t ctl = cpu->sys[t->ctl];
        bool on = (ctl & (CTL_ENABLE | CTL_IMASK)) == CTL_ENABLE;
        bool level = on && count(cpu, t) >= cpu->sys[t->cval];
        if (on && !level && deadline_ns(cpu, t) < deadline)
            deadline = deadline_ns(cpu, t);
        if (level != cpu->timer_level[i]) {
            cpu->timer_level[i] = level;
            if (system->ops && system->ops->ppi_line)
                system->ops->ppi_line(system->ops_ctx, cpu, t->ppi, level);
        }
    }
    cpu->timer_deadline_ns = deadline;
    if (deadline < cpu->timer_armed_ns && system->ops && system->ops->timer_arm) {
        cpu->timer_armed_ns = deadline;
        system->ops->timer_arm(system->ops_ctx, cpu, deadline);
    }
}

static const struct timer *timer_of(enum a64_sysreg reg)
{
    for (size_t i = 0; i < ARRAY_SIZE(timers); i++)
        if (reg == timers[i].ctl || reg == timers[i].cval || reg == timers[i].tval)
            return &timers[i];
    assert(false);
    return timers;
}

/* TVAL is CVAL seen from the counter, as 32 signed bits (D11.2.4). */
uint64_t a64_read_timer(struct a64_cpu *cpu, enum a64_sysreg reg)
{
    const struct timer *t = timer_of(reg);
    uint64_t ctl = cpu->sys[t->ctl], cval = cpu->sys[t->cval], now = count(cpu, t);
    if (reg == t->ctl)
        return ctl | ((ctl & 1) && now >= cval ? 4 : 0); /* ISTATUS */
    return reg == t->cval ? cval : (uint32_t)(cval - now);
}

void a64_write_timer(struct a64_cpu *cpu, enum a64_sysreg reg, uint64_t value)
{
    const struct timer *t = timer_of(reg);
    if (reg == t->ctl)
        cpu->sys[reg] = value & 3;
    else if (reg == t->cval)
        cpu->sys[reg] = value;
    else
        cpu->sys[t->cval] = count(cpu, t) + (uint64_t)sign_extend(value, 32);
    a64_timer_update(cpu);
}

void a64_timer_ring(struct a64_cpu *cpu)
{
    atomic_store(&cpu->signals.timer_due, 1);
    a64_call_out(cpu);
    a64_wake(cpu);
}
