/* signals.c: what other threads do to a CPU: interrupt lines, stop requests, wake-ups, and work
 * that must be done on its own state (TLB shootdowns, dropped translations).
 *
 * In or out of the guest. Between a64_enter_guest() and a64_leave_guest() a CPU may be using its
 * TLB, so others wait until it serves its mailbox at a64_poll(). Outside, posted work just lies
 * there until it enters again; if the mailbox fills up, the poster does the work itself under the
 * mailbox's lock, which the owner needs to enter.
 *
 * Why it cannot lose or hang: the poster writes the mailbox and then reads in_guest, the owner
 * writes in_guest and then reads the mailbox, all sequentially consistent, so one of them sees the
 * other. A poster that waits counts as out of the guest itself, so rings of waiting CPUs cannot
 * form.
 *
 * Sleeping is a futex on wake_futex: the sleeper notes its value, announces itself, looks for
 * causes and sleeps only if the value has not moved.
 */
#include "core/arm64/cpu.h"

#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/evloop.h"

enum {
    SPINS_BEFORE_SLEEP = 200, /* about the time a CPU needs to its next back edge */
    WFE_YIELDS = 8,           /* WFEs that only yield, for each one that sleeps */
    WFE_SLEEP_NS = 50 * 1000, /* half the period of Linux's event stream */
};

static void futex_wait(_Atomic uint32_t *word, uint32_t value, uint64_t deadline_ns)
{
    struct timespec at = {(time_t)(deadline_ns / 1000000000u), (long)(deadline_ns % 1000000000u)};
    syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, value,
            deadline_ns == UINT64_MAX ? NULL : &at, NULL, FUTEX_BITSET_MATCH_ANY);
}

static void futex_wake(_Atomic uint32_t *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

/* --- lines, stop, wake -------------------------------------------------------------------------
 */

void a64_wake(struct a64_cpu *cpu)
{
    atomic_fetch_add(&cpu->signals.wake_futex, 1);
    if (atomic_load(&cpu->signals.sleeping))
        futex_wake(&cpu->signals.wake_futex);
}

void a64_call_out(struct a64_cpu *cpu)
{
    atomic_store(&cpu->signals.poll, UINT32_MAX);
    atomic_store_explicit(&cpu->signals.budget, 0, memory_order_relaxed);
    atomic_store_explicit(&cpu->signals.returns_limit, UINT64_MAX, memory_order_relaxed);
}

void a64_set_line(struct a64_cpu *cpu, enum a64_line line, bool level)
{
    if (!level) {
        atomic_fetch_and(&cpu->signals.lines, ~(uint32_t)line);
        return;
    }
    if (atomic_fetch_or(&cpu->signals.lines, (uint32_t)line) & (uint32_t)line)
        return; /* was up: whoever raised it has woken the CPU */
    a64_call_out(cpu);
    a64_wake(cpu);
}

void a64_request_stop(struct a64_cpu *cpu)
{
    atomic_store(&cpu->signals.stop, 1);
    a64_call_out(cpu);
    a64_wake(cpu);
}

void a64_send_event(struct a64_cpu *cpu)
{
    struct a64_system *system = cpu->system;
    for (unsigned i = 0; i < system->cpu_count; i++) {
        struct a64_cpu *other = system->cpus[i];
        if (!other || atomic_exchange(&other->signals.event, 1) || other == cpu)
            continue;
        a64_wake(other);
    }
}

static bool has_cause(struct a64_cpu *cpu, bool for_event)
{
    struct a64_signals *s = &cpu->signals;
    return atomic_load(&s->lines) || atomic_load(&s->stop) || atomic_load(&s->timer_due) ||
           (for_event && atomic_exchange(&s->event, 0));
}

void a64_wait(struct a64_cpu *cpu, bool for_event)
{
    struct a64_signals *s = &cpu->signals;
    bool inside = atomic_load(&s->in_guest);
    if (inside)
        a64_leave_guest(cpu);
    for (;;) {
        uint32_t seen = atomic_load(&s->wake_futex);
        atomic_store(&s->sleeping, 1);
        if (has_cause(cpu, for_event)) {
            cpu->wfe_streak = 0;
            break;
        }
        if (for_event && ++cpu->wfe_streak % WFE_YIELDS) {
            /* Mostly a spin lock whose holder is about to let go. */
            sched_yield();
            break;
        }
        uint64_t deadline = cpu->timer_deadline_ns;
        if (for_event) {
            uint64_t soon = clock_now_ns() + WFE_SLEEP_NS;
            deadline = soon < deadline ? soon : deadline;
        }
        futex_wait(&s->wake_futex, seen, deadline);
        if (cpu->timer_deadline_ns != UINT64_MAX && clock_now_ns() >= cpu->timer_deadline_ns)
            a64_timer_update(cpu);
        if (for_event)
            break;
    }
    atomic_store(&s->sleeping, 0);
    if (inside)
        a64_enter_guest(cpu);
}

/* --- mailboxes ---------------------------------------------------------------------------------
 */

/* With the lock held. */
static void serve_locked(struct a64_cpu *cpu)
{
    struct a64_mailbox *box = &cpu->mailbox;
    for (unsigned i = 0; i < box->count; i++)
        box->slots[i].fn(cpu, box->slots[i].a, box->slots[i].b);
    box->count = 0;
    atomic_store(&box->served, atomic_load(&box->posted));
}

static void tell_waiters(struct a64_mailbox *box)
{
    if (!atomic_load(&box->waiters))
        return;
    atomic_fetch_add(&box->turn, 1);
    futex_wake(&box->turn);
}

static void serve(struct a64_cpu *cpu)
{
    struct a64_mailbox *box = &cpu->mailbox;
    if (atomic_load(&box->posted) == atomic_load(&box->served))
        return;
    pthread_mutex_lock(&box->lock);
    serve_locked(cpu);
    pthread_mutex_unlock(&box->lock);
    tell_waiters(box);
}

void a64_enter_guest(struct a64_cpu *cpu)
{
    atomic_store(&cpu->signals.in_guest, 1);
    serve(cpu);
}

void a64_leave_guest(struct a64_cpu *cpu)
{
    atomic_store(&cpu->signals.in_guest, 0);
    tell_waiters(&cpu->mailbox);
}

bool a64_poll(struct a64_cpu *cpu)
{
    atomic_exchange(&cpu->signals.poll, 0);
    serve(cpu);
    if (atomic_load_explicit(&cpu->signals.timer_due, memory_order_relaxed)) {
        atomic_store(&cpu->signals.timer_due, 0);
        cpu->timer_armed_ns = UINT64_MAX;
        a64_timer_update(cpu);
    }
    return atomic_load(&cpu->signals.stop) != 0;
}

static bool still_busy(struct a64_cpu *other, uint32_t ticket)
{
    return atomic_load(&other->signals.in_guest) &&
           (int32_t)(ticket - atomic_load(&other->mailbox.served)) > 0;
}

void a64_wait_served(struct a64_cpu *other, uint32_t ticket)
{
    struct a64_mailbox *box = &other->mailbox;
    for (unsigned i = 0; i < SPINS_BEFORE_SLEEP; i++) {
        if (!still_busy(other, ticket))
            return;
        atomic_thread_fence(memory_order_acquire);
    }
    atomic_fetch_add(&box->waiters, 1);
    for (;;) {
        uint32_t turn = atomic_load(&box->turn);
        if (!still_busy(other, ticket))
            break;
        futex_wait(&box->turn, turn, UINT64_MAX);
    }
    atomic_fetch_sub(&box->waiters, 1);
}

uint32_t a64_post(struct a64_cpu *other, a64_remote_fn fn, uint64_t a, uint64_t b)
{
    struct a64_mailbox *box = &other->mailbox;
    pthread_mutex_lock(&box->lock);
    while (box->count == A64_MAILBOX_SLOTS) {
        if (!atomic_load(&other->signals.in_guest)) {
            serve_locked(other); /* it cannot come in without the lock */
            break;
        }
        uint32_t ticket = atomic_load(&box->posted);
        pthread_mutex_unlock(&box->lock);
        a64_wait_served(other, ticket);
        pthread_mutex_lock(&box->lock);
    }
    box->slots[box->count].fn = fn;
    box->slots[box->count].a = a;
    box->slots[box->count].b = b;
    box->count++;
    uint32_t ticket = atomic_fetch_add(&box->posted, 1) + 1;
    pthread_mutex_unlock(&box->lock);
    a64_call_out(other);
    return ticket;
}

void a64_post_to_others(struct a64_cpu *cpu, a64_remote_fn fn, uint64_t a, uint64_t b)
{
    struct a64_system *system = cpu->system;
    if (system->cpu_count < 2)
        return;
    cpu->broadcasts++;
    bool inside = atomic_load(&cpu->signals.in_guest);
    if (inside) /* a full mailbox means waiting */
        a64_leave_guest(cpu);
    for (unsigned i = 0; i < system->cpu_count; i++)
        if (system->cpus[i] && system->cpus[i] != cpu)
            cpu->mailbox.tickets[i] = a64_post(system->cpus[i], fn, a, b);
    cpu->mailbox.awaited = true;
    if (inside)
        a64_enter_guest(cpu);
}

void a64_wait_for_others(struct a64_cpu *cpu)
{
    struct a64_system *system = cpu->system;
    if (!cpu->mailbox.awaited)
        return;
    bool inside = atomic_load(&cpu->signals.in_guest);
    if (inside)
        a64_leave_guest(cpu);
    for (unsigned i = 0; i < system->cpu_count; i++)
        if (system->cpus[i] && system->cpus[i] != cpu)
            a64_wait_served(system->cpus[i], cpu->mailbox.tickets[i]);
    cpu->mailbox.awaited = false;
    if (inside)
        a64_enter_guest(cpu);
}

void a64_run_on_others(struct a64_cpu *cpu, a64_remote_fn fn, uint64_t a, uint64_t b)
{
    a64_post_to_others(cpu, fn, a, b);
    a64_wait_for_others(cpu);
}
