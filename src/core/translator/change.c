/* change.c: guest code changes, or the cache is full: units become unfindable, and every CPU
 * forgets them.
 *
 * Quiescence: a CPU serves requests of others only in a64_poll() or out of the guest, never between
 * finding a unit and entering it. So when a64_run_on_others() has returned, no CPU holds a pointer
 * to a unit that was unfindable before, and its memory may be used again. That goes for the jump by
 * which a unit was left, too: it is forgotten at a poll and when the lock had to be waited for.
 */
#include "core/translator/translator_int.h"

#include "base/bytes.h"
#include "core/arm64/mmu.h"

enum {
    USER_LINE_BYTES = 64, /* CTR_EL0.IminLine in user mode */
    MACHINE_WRITES_TOLERATED = 16,
};

void translator_forget_jumps(struct a64_cpu *cpu)
{
    a64_jumps_clear(cpu);
}

/* Those to a page of physical addresses, or (EVERYWHERE) all. */
#define EVERYWHERE UINT64_MAX

static void drop_jumps(struct a64_cpu *cpu, uint64_t page, uint64_t unused)
{
    (void)unused;
    if (page == EVERYWHERE)
        translator_forget_jumps(cpu);
    else
        a64_jumps_drop_page(cpu, page);
}

/* The same for CPUs that no system lists. */
static void drop_jumps_of_threads(struct translator *t, struct a64_cpu *cpu)
{
    a64_leave_guest(cpu);
    pthread_mutex_lock(&t->shares_lock);
    for (struct share *share = t->shares; share; share = share->next)
        if (share->cpu != cpu)
            a64_wait_served(share->cpu, a64_post(share->cpu, drop_jumps, EVERYWHERE, 0));
    pthread_mutex_unlock(&t->shares_lock);
    a64_enter_guest(cpu);
    translator_forget_jumps(cpu);
}

/* After this no CPU is in, or knows, a unit that cannot be found any more. */
static void drop_jumps_everywhere(struct translator *t, struct a64_cpu *cpu, uint64_t page)
{
    if (t->user) {
        drop_jumps_of_threads(t, cpu);
        return;
    }
    if (cpu) {
        a64_run_on_others(cpu, drop_jumps, page, 0);
        drop_jumps(cpu, page, 0);
        return;
    }
    for (unsigned i = 0; i < t->system->cpu_count; i++)
        drop_jumps(t->system->cpus[i], page, 0);
}

static void retire(struct translator *t, struct a64_cpu *cpu, void (*how)(struct cache *cache))
{
    if (t->persist) { /* what goes may come back from the store */
        persist_save(t->persist, &t->cache, translator_read_page, t);
        persist_forget(t->persist, 0, UINT64_MAX);
    }
    how(&t->cache);
    drop_jumps_everywhere(t, cpu, EVERYWHERE);
}

void translator_make_room(struct translator *t, struct a64_cpu *cpu)
{
    if (cache_next_is_empty(&t->cache))
        cache_retire_oldest(&t->cache);
    else
        retire(t, cpu, cache_retire_oldest);
}

void translator_call_out(struct translator *t, struct a64_cpu *cpu)
{
    if (cpu)
        a64_leave_guest(cpu);
    pthread_mutex_lock(&t->shares_lock);
    for (struct share *share = t->shares; share; share = share->next)
        a64_call_out(share->cpu);
    pthread_mutex_unlock(&t->shares_lock);
    if (cpu)
        a64_enter_guest(cpu);
}

/* IC IALLU. Kernels give it where they changed a little here and there: what is the same goes on.
 */
static void everything_changed(struct translator *t, struct a64_cpu *cpu)
{
    if (!cpu) { /* memory has other contents */
        retire(t, cpu, cache_retire_all);
        return;
    }
    cache_doubt_all(&t->cache);
    if (t->persist)
        persist_doubt_all(t->persist);
    drop_jumps_everywhere(t, cpu, EVERYWHERE);
}

void translator_code_changed(struct translator *t, struct a64_cpu *cpu, uint64_t page)
{
    translator_lock(t, cpu);
    uint64_t dropped = t->cache.regions_dropped;
    /* Kernels patch tens of thousands of places in pages that never ran yet. */
    bool known = t->user || (page != UINT64_MAX && cache_page_unit(&t->cache, page));
    if (t->persist && page != UINT64_MAX && known)
        persist_written(t->persist, &t->cache, page, t->user ? 0 : MACHINE_WRITES_TOLERATED);
    if (t->user)
        t->page_drops += cache_drop_range(&t->cache, page, page + USER_LINE_BYTES);
    else if (page == UINT64_MAX)
        everything_changed(t, cpu);
    else if (cache_drop_page(&t->cache, page & ~0xfffull)) {
        t->page_drops++;
        drop_jumps_everywhere(t, cpu, page & ~0xfffull);
    }
    bool regions = t->cache.regions_dropped != dropped;
    translator_unlock(t);
    if (t->user && regions)
        translator_call_out(t, cpu);
}

/* Units are closed at their entries, so nobody need be waited for: who is in one runs to its next
 * branch, as it may while code changes under it (DDI 0487 B2.2.5). */
void translator_code_changed_range(struct translator *t, struct a64_cpu *cpu, uint64_t start,
                                   uint64_t end)
{
    bool inside = cpu && atomic_load(&cpu->signals.in_guest);
    translator_lock(t, inside ? cpu : NULL);
    uint64_t dropped = t->cache.regions_dropped;
    if (cache_drop_range(&t->cache, start, end))
        t->page_drops++;
    if (t->persist)
        persist_forget(t->persist, start, end);
    bool regions = t->cache.regions_dropped != dropped;
    translator_unlock(t);
    if (regions)
        translator_call_out(t, inside ? cpu : NULL);
}
