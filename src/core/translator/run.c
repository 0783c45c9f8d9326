/* run.c: the run loop: entering the unit at pc, and what to do when it is left.
 *
 * A unit is left (1) unlinked at a direct jump: find the target, link the jump to it; (2) at an
 * indirect jump that missed the jump cache: find the target, remember it there; (3) at an
 * instruction for the run loop (EMIT_TAG_STEP); (4) after an exception or because the poll word is
 * set.
 */
#include "core/translator/translator_int.h"

#include "base/bytes.h"
#include "core/arm64/interpreter.h"
#include "core/arm64/mmu.h"
#include "core/translator/returns.h"

enum { HOST_MXCSR = 0x1f80 }; /* what C code expects: all masked, to nearest */

/* Arm's FPCR.RMode to MXCSR.RC; sticky bits stay. */
static void set_rounding(struct a64_cpu *cpu)
{
    static const uint8_t rc[4] = {0, 2, 1, 3};
    cpu->host_mxcsr = (cpu->host_mxcsr & 0x3f) | 0x1f80 | (uint32_t)rc[cpu->fpcr >> 22 & 3] << 13;
}

static void step_one(struct a64_cpu *cpu)
{
    struct counts *counts = &translator_share(cpu)->counts;
    counts_turn(counts, COUNTS_INTERPRETING);
    a64_step_one(cpu);
    counts_turn(counts, COUNTS_RUN_LOOP);
}

static void check_context(struct a64_cpu *cpu, uint32_t context)
{
    struct share *share = translator_share(cpu);
    uint32_t *last = &share->context[cpu->regime * 2u + (cpu->el != 0)];
    if (*last != context) { /* the jump caches hold code for the old one */
        share->counts.context_changes++;
        if (*last != TRANSLATOR_CONTEXT_NONE && cpu->identity)
            translator_forget_jumps(cpu);
        else if (*last != TRANSLATOR_CONTEXT_NONE)
            a64_jumps_forget(cpu);
        *last = context;
    }
}

static void note_jump(struct a64_cpu *cpu, uint64_t pa, void *code)
{
    a64_bank_set_jump(cpu->bank, cpu->pc, pa, code);
    a64_pa_set_jump(cpu, pa, code);
}

/* Where to go on at pc: through the jump cache, or by physical address. */
static const void *code_at_pc(struct translator *t, struct a64_cpu *cpu, struct exit_link *exit)
{
    uint32_t context = translator_context(cpu);
    check_context(cpu, context);
    cpu->pa_context = a64_pa_context(context);
    translator_share(cpu)->counts.lookups++;
    struct a64_jump *jump =
        t->user ? a64_user_jump(cpu, cpu->pc) : a64_bank_jump(cpu->bank, cpu->pc);
    if (!exit && jump->va == cpu->pc && !cache_entry_closed(jump->code))
        return jump->code;
    bool step, alone = exit && exit->at.target & EMIT_EXIT_ALONE;
    uint32_t wanted = alone ? context | LIFT_ALONE : context;
    translator_share(cpu)->counts.walks++;
    const void *within;
    struct unit *unit = translator_unit_at_pc(t, cpu, wanted, &exit, &within, &step);
    if (within)
        return within;
    if (!unit) {
        if (step)
            step_one(cpu);
        return NULL;
    }
    void *code = cache_run_address(&t->cache, unit->code.hot);
    if (!t->user && !alone)
        note_jump(cpu, unit->pa, code);
    else if (t->user &&
             !exit) /* what comes by a direct branch is linked, and needs no page of the cache */
        a64_user_set_jump(cpu, cpu->pc, code);
    if (exit && pthread_mutex_trylock(&t->lock) == 0) { /* if busy, it is linked another time */
        /* The page's mapping may have changed between the jump and the fetch: then this is no unit
         * of the page that the jump is in. */
        bool same_page = t->user || exit->from->pa >> 12 == unit->pa >> 12;
        bool same_context = (exit->from->context & ~LIFT_ALONE) == context;
        if (same_context && same_page && !exit->from->dead &&
            cache_find(&t->cache, unit->pa, wanted) == unit) {
            translator_share(cpu)->counts.links++;
            cache_link(&t->cache, exit, unit);
        }
        translator_unlock(t);
    }
    return code;
}

/* A unit was left by a number: sets pc. The exit, or NULL: a dead unit was entered. */
static struct exit_link *exit_taken(struct translator *t, struct a64_cpu *cpu, uint32_t tag)
{
    if (tag & EMIT_TAG_AGAIN) {
        const struct unit *unit = cache_numbered(&t->cache, tag & ~EMIT_TAG_AGAIN);
        cpu->pc = unit->pa;
        return NULL;
    }
    struct exit_link *exit = cache_numbered(&t->cache, tag);
    uint64_t page = t->user ? align_down(exit->from->pa, 4096) : cpu->code_page;
    cpu->pc = page + (uint64_t)(int64_t)(exit->at.target & ~EMIT_EXIT_ALONE);
    return exit;
}

/* Without FSGSBASE the kernel sets the base of GS: only where the bank is another one. Machines'
 * CPUs may come back on another thread, or after another machine's; in user mode a CPU is its
 * thread. */
static void set_bank(struct a64_cpu *cpu)
{
    struct share *share = translator_share(cpu);
    if (share->gs != cpu->bank)
        hostcpu_set_gs(cpu->bank);
    share->gs = cpu->bank;
}

void translator_run(struct translator *t, struct a64_cpu *cpu)
{
    struct exit_link *exit = NULL;
    struct counts *counts = &translator_share(cpu)->counts;
    a64_enter_guest(cpu);
    if (!t->user)
        translator_share(cpu)->gs = NULL;
    counts_turn(counts, COUNTS_RUN_LOOP);
    while (!cpu->halted && !cpu->powered_off && !cpu->trapped) {
        if (atomic_load_explicit(&cpu->signals.poll, memory_order_relaxed)) {
            exit = NULL;
            translator_refill(cpu);
            if (a64_poll(cpu))
                break;
        }
        if (atomic_load_explicit(&cpu->signals.lines, memory_order_relaxed) &&
            a64_take_interrupt(cpu))
            exit = NULL;
        if (cpu->slow) {
            step_one(cpu);
            exit = NULL;
            continue;
        }
        const void *code = code_at_pc(t, cpu, exit);
        exit = NULL;
        translator_share(cpu)->sampled = false;
        if (!code)
            continue;
        cpu->code_page = cpu->pc & ~0xfffull;
        set_rounding(cpu);
        if (!t->host.fsgsbase)
            set_bank(cpu);
        if (!t->user && cpu->returns < returns_limit(cpu))
            a64_forget_returns(cpu);
        counts_turn(counts, COUNTS_RUNNING);
        uint64_t tag = t->enter(cpu, code);
        counts_turn(counts, COUNTS_RUN_LOOP);
        if (tag == EMIT_TAG_SVC) {
            counts->calls++;
            a64_svc(cpu, 0);
            continue;
        }
        if (tag == EMIT_TAG_STEP) {
            counts->steps++;
            step_one(cpu);
            continue;
        }
        if (tag == 0) { /* an indirect branch, which drops its target's tag */
            counts->indirect++;
            cpu->pc = a64_untag(cpu, cpu->pc); /* jump caches hold no tags */
            continue;
        }
        exit = exit_taken(t, cpu, (uint32_t)tag);
        if (exit)
            counts->direct++;
        else
            counts->closed++;
        if (exit && translator_budget_spent(cpu)) {
            counts->samples++;
            translator_sample(t, cpu);
            exit = NULL;
            translator_share(cpu)->sampled = true;
        }
    }
    __builtin_ia32_ldmxcsr(HOST_MXCSR);
    counts_turn(counts, COUNTS_OUTSIDE);
    a64_leave_guest(cpu);
}
