/* translator.c: finding or making the unit at pc, entering it, and what to do when it is left.
 *
 * A unit is left (1) unlinked at a direct jump: find the target, link the jump to it; (2) at an
 * indirect jump that missed the jump cache: find the target, remember it there; (3) at an
 * instruction for the run loop (tag 1); (4) after an exception or because the poll word is set.
 *
 * Units are made without the lock (maker.c) and added under it, where nobody was quicker and the
 * code has not changed since its bytes were read. So the lock is held for as long as copying takes.
 *
 * Quiescence: a CPU serves requests of others only in a64_poll() or out of the guest, never between
 * finding a unit and entering it. So when a64_run_on_others() has returned, no CPU holds a pointer
 * to a unit that was unfindable before, and its memory may be used again. That goes for the jump by
 * which a unit was left, too: it is forgotten at a poll and when the lock had to be waited for. A
 * CPU that waits for the lock is out of the guest, so a lock holder may wait for the others.
 */
#include "core/translator/translator.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <time.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "core/arm64/interpreter.h"
#include "core/arm64/mmu.h"
#include "core/translator/builder.h"
#include "core/translator/cache.h"
#include "core/translator/counts.h"
#include "core/translator/lift_int.h"
#include "core/translator/maker.h"
#include "core/translator/persist.h"
#include "core/translator/profile.h"
#include "core/translator/returns.h"

/* What one CPU's thread keeps here, on cache lines of its own. */
struct share {
    uint32_t context[2]; /* last seen, by EL */
    struct counts counts;
    struct profile profile;
    struct a64_cpu *cpu;
    struct share *next; /* in translator.shares */
} __attribute__((aligned(64)));

struct translator {
    struct cache cache;
    struct persist *persist; /* NULL: translations are not kept */
    pthread_mutex_t lock;    /* guards the cache but lookups, and what is kept */
    struct a64_system *system;
    struct hostcpu host;
    struct emit_stubs stubs;
    struct lift_table lifts;
    struct maker_config making;
    struct maker_pool makers;
    uint64_t (*enter)(struct a64_cpu *cpu, const void *code);
    bool user;
    enum translator_tiers tiers;
    struct builder builder;      /* machines */
    uint64_t building_ns;        /* statistics: time making regions, on whatever thread */
    pthread_mutex_t shares_lock; /* guards the list; taken out of the guest alone */
    struct share *shares;
    struct counts gone; /* of CPUs that were detached */
    struct moment {
        uint64_t ticks, ns;
    } start;                           /* --stats: when it was made; 0: no time is taken */
    uint64_t page_drops, made_in_vain; /* statistics */
};

enum {
    KEEP_MIB_MIN = 64, /* whole pages come from the store: they would push each other out of less */
    USER_LINE_BYTES = 64, /* CTR_EL0.IminLine in user mode */
    MACHINE_WRITES_TOLERATED = 4,
    CONTEXT_NONE = LIFT_CONTEXTS, /* no CPU's: nothing was looked up yet */
};

enum {
    TAG_STEP = 1,        /* the instruction at pc is for the interpreter */
    HOST_MXCSR = 0x1f80, /* what C code expects: all masked, to nearest */
};

/* --- what units call ---------------------------------------------------------------------------
 */

/* One instruction by the interpreter, from within a unit. Nonzero: pc is set, leave. */
static uint64_t interpret(struct a64_cpu *cpu, uint64_t pc, uint32_t raw)
{
    struct share *share = cpu->translation;
    share->counts.interpreted++;
    enum counts_time before = counts_turn(&share->counts, COUNTS_INTERPRETING);
    cpu->pc = pc;
    enum a64_step step = a64_execute(cpu, raw);
    counts_turn(&share->counts, before);
    return step != A64_NEXT;
}

static void build_region(void *ctx, uint64_t pa, uint32_t context);

/* --- life cycle ----------------------------------------------------------------------------------
 */

static int check_features(const struct hostcpu *host, struct err *e)
{
    if (!host->avx2 || !host->bmi2 || !host->lzcnt || !host->fma)
        return err_set(e, ENOTSUP,
                       "the translator needs a host CPU with AVX2, FMA, BMI2 and LZCNT "
                       "(it has no way for SSE4.1 alone)");
    if (!(getauxval(AT_HWCAP2) & 2)) /* HWCAP2_FSGSBASE */
        return err_set(e, ENOTSUP,
                       "the translator needs a host kernel that enables FSGSBASE (5.9)");
    return 0;
}

static int detect(struct hostcpu *host, const char *features, struct err *e)
{
    struct hostcpu allowed;
    hostcpu_detect(host);
    int r = features ? hostcpu_parse(features, &allowed, e) : 0;
    if (r == 0 && features)
        hostcpu_restrict(host, &allowed);
    return r < 0 ? err_prefix(e, "host features") : 0;
}

int translator_check_host(struct err *e)
{
    struct hostcpu host;
    hostcpu_detect(&host);
    return check_features(&host, e);
}

/* Of what generated code depends on beside this program. */
static uint64_t version_of(const struct translator *t)
{
    uint64_t guest = (uint64_t)t->making.features << 32 | t->making.max_insns << 1 | t->user;
    return hash_bytes(&t->host, sizeof(t->host), guest);
}

static struct moment moment_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (struct moment){__rdtsc(), (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec};
}

enum translator_tiers translator_tiers_of_environment(void)
{
    const char *tier = secure_getenv("PENG_TIER");
    return !tier                    ? TRANSLATOR_BOTH_TIERS
           : strcmp(tier, "1") == 0 ? TRANSLATOR_FIRST_TIER
           : strcmp(tier, "2") == 0 ? TRANSLATOR_SECOND_TIER
                                    : TRANSLATOR_BOTH_TIERS;
}

int translator_new(const struct translator_config *config, struct translator **ret_translator,
                   struct err *e)
{
    struct translator *t = aligned_alloc(64, align_up(sizeof(*t), 64));
    if (!t)
        abort();
    memset(t, 0, sizeof(*t));
    pthread_mutex_init(&t->lock, NULL);
    pthread_mutex_init(&t->shares_lock, NULL);
    builder_init(&t->builder, build_region, t);
    t->system = config->system;
    t->user = config->user;
    if (config->stats)
        t->start = moment_now();
    t->tiers = config->tiers;
    lift_table_init(&t->lifts);
    size_t bytes =
        config->cache_bytes ? config->cache_bytes : (size_t)TRANSLATOR_CACHE_MIB_DEFAULT << 20;
    if (bytes < (size_t)TRANSLATOR_CACHE_MIB_MIN << 20)
        bytes = (size_t)TRANSLATOR_CACHE_MIB_MIN << 20;
    int r = detect(&t->host, config->host_features, e);
    if (r == 0)
        r = check_features(&t->host, e);
    if (r == 0)
        r = cache_init(&t->cache, align_up(bytes, 4096), t->user, e);
    if (r < 0) {
        translator_free(t);
        return r;
    }
    emit_stubs(&t->cache.buf, &t->host, t->user, interpret, &t->stubs);
    cache_start(&t->cache);
    t->enter = (uint64_t(*)(struct a64_cpu *, const void *))(uintptr_t)cache_run_address(
        &t->cache, t->stubs.enter);
    for (unsigned i = 0; i < t->system->cpu_count; i++)
        translator_attach(t, t->system->cpus[i]);
    const struct a64_model *model =
        t->system->cpu_count ? t->system->cpus[0]->model : config->model;
    t->making = (struct maker_config){.lifts = &t->lifts,
                                      .host = &t->host,
                                      .stubs = &t->stubs,
                                      .cache = &t->cache,
                                      .features = a64_model_features(model),
                                      .max_insns = config->max_insns ?: IR_UNIT_INSNS};
    if (t->tiers != TRANSLATOR_SECOND_TIER && bytes >= (size_t)KEEP_MIB_MIN << 20)
        t->persist = persist_new(config, version_of(t));
    *ret_translator = t;
    return 0;
}

void translator_free(struct translator *t)
{
    if (!t)
        return;
    builder_done(&t->builder);
    for (struct share *share = t->shares, *next; share; share = next) {
        next = share->next;
        free(share);
    }
    persist_free(t->persist);
    maker_pool_done(&t->makers);
    cache_done(&t->cache);
    pthread_mutex_destroy(&t->shares_lock);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

void translator_attach(struct translator *t, struct a64_cpu *cpu)
{
    struct share *share = aligned_alloc(64, sizeof(*share));
    if (!share)
        abort();
    memset(share, 0, sizeof(*share));
    share->cpu = cpu;
    counts_start(&share->counts, t->start.ns != 0);
    share->context[0] = share->context[1] = CONTEXT_NONE;
    cpu->translation = share;
    if (t->user)
        returns_new(cpu, cache_run_address(&t->cache, t->stubs.return_end));
    pthread_mutex_lock(&t->shares_lock);
    share->next = t->shares;
    t->shares = share;
    pthread_mutex_unlock(&t->shares_lock);
}

void translator_detach(struct translator *t, struct a64_cpu *cpu)
{
    pthread_mutex_lock(&t->shares_lock);
    struct share **p = &t->shares;
    while (*p && (*p)->cpu != cpu)
        p = &(*p)->next;
    struct share *share = *p;
    if (share) { /* else a fork has let go of it already */
        *p = share->next;
        counts_add(&t->gone, &share->counts);
    }
    pthread_mutex_unlock(&t->shares_lock);
    free(share);
    returns_free(cpu);
}

static struct share *share_of(const struct a64_cpu *cpu)
{
    return cpu->translation;
}

static bool read_page(void *ctx, uint64_t pa, uint8_t page[4096])
{
    struct translator *t = ctx;
    if (t->user)
        return t->system->ops->fetch(t->system->ops_ctx, NULL, pa, page, 4096);
    return guestmem_read(t->system->mem, pa, page, 4096);
}

void translator_before_fork(struct translator *t)
{
    pthread_mutex_lock(&t->lock);
    if (t->persist)
        persist_forking(t->persist, &t->cache, read_page, t);
    pthread_mutex_lock(&t->shares_lock);
}

void translator_after_fork(struct translator *t, struct a64_cpu *cpu, bool in_child)
{
    if (in_child) {
        struct share *mine = share_of(cpu);
        for (struct share *share = t->shares, *next; share; share = next) {
            next = share->next;
            if (share != mine)
                free(share);
        }
        mine->next = NULL;
        t->shares = mine;
    }
    pthread_mutex_unlock(&t->shares_lock);
    pthread_mutex_unlock(&t->lock);
}

/* --- the lock
 * -------------------------------------------------------------------------------------- */

/* True where it had to wait, out of the guest: what the CPU looked up before may be stale. */
static bool lock(struct translator *t, struct a64_cpu *cpu)
{
    if (pthread_mutex_trylock(&t->lock) == 0)
        return false;
    if (cpu)
        a64_leave_guest(cpu);
    pthread_mutex_lock(&t->lock);
    if (cpu)
        a64_enter_guest(cpu);
    return true;
}

static void unlock(struct translator *t)
{
    pthread_mutex_unlock(&t->lock);
}

/* The CPU forgets every unit that it would enter without asking. */
static void forget_jumps(struct a64_cpu *cpu)
{
    a64_jumps_clear(cpu);
    returns_reset(cpu);
}

/* Those to a page of physical addresses, or (EVERYWHERE) all. */
#define EVERYWHERE UINT64_MAX

static void drop_jumps(struct a64_cpu *cpu, uint64_t page, uint64_t unused)
{
    (void)unused;
    if (page == EVERYWHERE)
        forget_jumps(cpu);
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
    forget_jumps(cpu);
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
        persist_save(t->persist, &t->cache, read_page, t);
        persist_forget(t->persist, 0, UINT64_MAX);
    }
    how(&t->cache);
    drop_jumps_everywhere(t, cpu, EVERYWHERE);
}

static void make_room(struct translator *t, struct a64_cpu *cpu)
{
    if (cache_next_is_empty(&t->cache))
        cache_retire_oldest(&t->cache);
    else
        retire(t, cpu, cache_retire_oldest);
}

/* User mode: threads that go round in regions that were dropped find out at their next poll.
 * `cpu`: the calling one, NULL where it is out of the guest. */
static void call_out_threads(struct translator *t, struct a64_cpu *cpu)
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

void translator_code_changed(struct translator *t, struct a64_cpu *cpu, uint64_t page)
{
    lock(t, cpu);
    uint64_t dropped = t->cache.regions_dropped;
    if (t->persist && page != UINT64_MAX)
        persist_written(t->persist, page, t->user ? 0 : MACHINE_WRITES_TOLERATED);
    if (t->user)
        t->page_drops += cache_drop_range(&t->cache, page, page + USER_LINE_BYTES);
    else if (page == UINT64_MAX)
        retire(t, cpu, cache_retire_all);
    else if (cache_drop_page(&t->cache, page & ~0xfffull)) {
        t->page_drops++;
        drop_jumps_everywhere(t, cpu, page & ~0xfffull);
    }
    bool regions = t->cache.regions_dropped != dropped;
    unlock(t);
    if (t->user && regions)
        call_out_threads(t, cpu);
}

/* Units are closed at their entries, so nobody need be waited for: who is in one runs to its next
 * branch, as it may while code changes under it (DDI 0487 B2.2.5). */
void translator_code_changed_range(struct translator *t, struct a64_cpu *cpu, uint64_t start,
                                   uint64_t end)
{
    bool inside = cpu && atomic_load(&cpu->signals.in_guest);
    lock(t, inside ? cpu : NULL);
    uint64_t dropped = t->cache.regions_dropped;
    if (cache_drop_range(&t->cache, start, end))
        t->page_drops++;
    if (t->persist)
        persist_forget(t->persist, start, end);
    bool regions = t->cache.regions_dropped != dropped;
    unlock(t);
    if (regions)
        call_out_threads(t, inside ? cpu : NULL);
}

/* --- faults -------------------------------------------------------------------------------------
 */

bool translator_recover(struct translator *t, struct a64_cpu *cpu, struct translator_fault *fault)
{
    if (returns_full(cpu, fault->address, fault->sp, &fault->sp))
        return true; /* and the instruction once more */
    struct unit *unit = cache_unit_of(&t->cache, fault->pc);
    if (!unit)
        return false;
    uint32_t at = (uint32_t)(fault->pc - (uintptr_t)cache_run_address(&t->cache, unit->code.hot));
    const struct emit_fault *found = unit_faults(unit), *end = found + unit->fault_count;
    while (found < end && found->end <= at)
        found++;
    if (found == end)
        return false;
    emit_saved_flags(found->flags, fault->flags, &cpu->host_flags);
    cpu->pc = align_down(unit->pa, 4096) + found->offset;
    const uint8_t *leave = unit->leave ? unit->code.hot + unit->leave : t->stubs.leave;
    fault->pc = (uintptr_t)cache_run_address(&t->cache, leave);
    fault->rax = EMIT_TAG_STEP;
    fault->aborted = true;
    return true;
}

uint64_t translator_unit_at(struct translator *t, uintptr_t host_pc)
{
    const struct unit *unit = cache_unit_of(&t->cache, host_pc);
    return unit ? unit->pa : 0;
}

bool translator_unit_copy(struct translator *t, uint64_t address, struct translator_unit *ret)
{
    lock(t, NULL);
    struct unit *unit = cache_page_units(&t->cache, address);
    while (unit && (unit->pa != address || unit->dead))
        unit = unit->page_next;
    if (unit) {
        *ret = (struct translator_unit){.address =
                                            (uintptr_t)cache_run_address(&t->cache, unit->code.hot),
                                        .code = malloc(unit->code.hot_bytes),
                                        .code_bytes = unit->code.hot_bytes,
                                        .insns = unit->insns};
        if (!ret->code)
            abort();
        memcpy(ret->code, unit->code.hot, unit->code.hot_bytes);
    }
    unlock(t);
    return unit != NULL;
}

/* --- finding and making units
 * ---------------------------------------------------------------------- */

static uint32_t context_of(const struct a64_cpu *cpu)
{
    const uint32_t not_plain = 1u << 19 | 1u << 24 | 1u << 26; /* FZ16, FZ, AHP */
    uint32_t context = cpu->el ? LIFT_EL1 : 0;
    if (a64_fp_allowed(cpu))
        context |= LIFT_FP;
    if (!(cpu->fpcr & not_plain))
        context |= LIFT_FP_PLAIN;
    if (cpu->uao)
        context |= LIFT_UAO;
    if (cpu->el || cpu->sys[A64_SCTLR_EL1] >> 14 & 1) /* DZE */
        context |= LIFT_ZVA;
    return context;
}

/* Arm's FPCR.RMode to MXCSR.RC; sticky bits stay. */
static void set_rounding(struct a64_cpu *cpu)
{
    static const uint8_t rc[4] = {0, 2, 1, 3};
    cpu->host_mxcsr = (cpu->host_mxcsr & 0x3f) | 0x1f80 | (uint32_t)rc[cpu->fpcr >> 22 & 3] << 13;
}

void translator_save(struct translator *t)
{
    if (!t->persist)
        return;
    lock(t, NULL);
    persist_save(t->persist, &t->cache, read_page, t);
    unlock(t);
}

/* What the store has of the page in the maker, which is as it was at `seen`, goes into the cache.
 * Under the lock. */
static void fetch(struct translator *t, struct maker *maker, uint64_t seen, uint64_t pa,
                  uint32_t context)
{
    uint64_t page = align_down(pa, 4096);
    if (!cache_changed_since(&t->cache, seen, page, page + 4096) && cache_has_room(&t->cache))
        persist_fetch(t->persist, &t->cache, pa, context, maker_page(maker));
}

/* Puts a unit that was made of the bytes as they were at `seen` into the cache, unless another CPU
 * was quicker or the code has changed. False: there was no room. Under the lock. */
static bool add(struct translator *t, const struct unit_parts *parts, uint64_t seen)
{
    uint64_t start = parts->pa - parts->before, end = parts->pa + parts->insns * 4ull;
    if (cache_find(&t->cache, parts->pa, parts->context) ||
        cache_changed_since(&t->cache, seen, start, end)) {
        t->made_in_vain++;
        return true;
    }
    if (!cache_has_room(&t->cache))
        return false;
    cache_add(&t->cache, parts);
    t->cache.insn_count += parts->insns;
    if (t->persist && persist_made(t->persist, parts->pa, parts->context))
        persist_save(t->persist, &t->cache, read_page, t);
    return true;
}

/* Tries to have a unit at `pa` in the cache: from the store, or made now, without the lock. False:
 * pa is not in RAM. *ret_stale: the CPU was out of the guest meanwhile. */
static bool obtain(struct translator *t, struct a64_cpu *cpu, struct maker *maker, uint64_t pa,
                   uint32_t context, bool *ret_stale)
{
    /* Code that changes from here on is announced behind this. */
    uint64_t seen = cache_changes(&t->cache);
    *ret_stale = false;
    if (!read_page(t, align_down(pa, 4096), maker_page(maker)))
        return false;
    if (t->persist) {
        *ret_stale = lock(t, cpu);
        fetch(t, maker, seen, pa, context);
        unlock(t);
        if (cache_find(&t->cache, pa, context))
            return true;
    }
    const struct unit_parts *parts = NULL;
    if (t->tiers == TRANSLATOR_SECOND_TIER)
        parts = maker_make_region(maker, &t->making, pa, context, true);
    if (!parts)
        parts = maker_make(maker, &t->making, pa, context);
    *ret_stale |= lock(t, cpu);
    if (!add(t, parts, seen)) {
        make_room(t, cpu);
        *ret_stale = true;
        add(t, parts, seen);
    }
    unlock(t);
    return true;
}

/* The unit at pc, made if need be. NULL: an exception was taken, or pc is not in RAM (*ret_step).
 * *exit becomes NULL where the CPU was out of the guest meanwhile: the jump's own unit may be gone.
 */
static struct unit *unit_at_pc(struct translator *t, struct a64_cpu *cpu, uint32_t context,
                               struct exit_link **exit, bool *ret_step)
{
    uint32_t raw;
    uint64_t pa;
    *ret_step = false;
    for (;;) {
        if (!a64_fetch(cpu, cpu->pc, &raw, &pa))
            return NULL;
        struct unit *unit = cache_find(&t->cache, pa, context);
        if (unit)
            return unit;
        bool stale;
        struct counts *counts = &share_of(cpu)->counts;
        enum counts_time before = counts_turn(counts, COUNTS_TRANSLATING);
        struct maker *maker = maker_take(&t->makers);
        bool is_ram = obtain(t, cpu, maker, pa, context, &stale);
        maker_give(&t->makers, maker);
        counts_turn(counts, before);
        if (stale)
            *exit = NULL;
        if (!is_ram) {
            *ret_step = true;
            return NULL;
        }
    }
}

/* --- the second tier
 * -------------------------------------------------------------------------------- */

/* In place of the first tier's unit, unless the code has changed meanwhile. Where there is no room
 * it is left: the next unit of the first tier makes some. Under the lock. */
static void add_region(struct translator *t, const struct unit_parts *parts, uint64_t seen)
{
    uint64_t start = parts->pa - parts->before, end = parts->pa + parts->insns * 4ull;
    const struct unit *there = cache_find(&t->cache, parts->pa, parts->context);
    bool is_region = there && there->leave;
    if (!is_region && !cache_changed_since(&t->cache, seen, start, end) &&
        cache_has_room(&t->cache))
        cache_add(&t->cache, parts);
}

/* `cpu`: whose thread this is; NULL: of none. */
static void make_region(struct translator *t, struct a64_cpu *cpu, uint64_t pa, uint32_t context)
{
    uint64_t begin = moment_now().ns;
    struct maker *maker = maker_take(&t->makers);
    uint64_t seen = cache_changes(&t->cache);
    if (read_page(t, align_down(pa, 4096), maker_page(maker))) {
        const struct unit_parts *parts = maker_make_region(maker, &t->making, pa, context, false);
        lock(t, cpu);
        if (parts)
            add_region(t, parts, seen);
        t->building_ns += moment_now().ns - begin;
        unlock(t);
    }
    maker_give(&t->makers, maker);
}

static void build_region(void *ctx, uint64_t pa, uint32_t context)
{
    make_region(ctx, NULL, pa, context);
}

/* Machines have a thread for it. A program would see that: its fork() and its namespaces, of which
 * unshare() says something only to single threads; it waits instead, some 20 microseconds. */
static void want_region(struct translator *t, struct a64_cpu *cpu, uint64_t pa, uint32_t context)
{
    if (!t->user) {
        builder_request(&t->builder, pa, context);
        return;
    }
    struct counts *counts = &share_of(cpu)->counts;
    enum counts_time before = counts_turn(counts, COUNTS_TRANSLATING);
    make_region(t, cpu, pa, context);
    counts_turn(counts, before);
    a64_bank_empty_jump(cpu->bank, a64_bank_jump(cpu->bank, cpu->pc));
}

/* Before the poll word is looked at: who sets it from then on takes the budget away. */
static void refill(struct a64_cpu *cpu)
{
    int32_t budget = profile_budget(&share_of(cpu)->profile);
    atomic_store_explicit(&cpu->signals.budget, budget, memory_order_relaxed);
}

/* An exit was taken: true where that was at a back edge which spent the budget, and for no other
 * reason. */
static bool budget_spent(struct a64_cpu *cpu)
{
    if (atomic_load_explicit(&cpu->signals.budget, memory_order_relaxed) >= 0)
        return false;
    refill(cpu);
    return !atomic_load_explicit(&cpu->signals.poll, memory_order_relaxed);
}

/* A back edge that leads to pc spent the budget. */
static void sample(struct translator *t, struct a64_cpu *cpu)
{
    uint32_t raw, context = context_of(cpu);
    uint64_t pa;
    if (t->tiers != TRANSLATOR_BOTH_TIERS || !a64_fetch(cpu, cpu->pc, &raw, &pa))
        return;
    if (profile_sample(&share_of(cpu)->profile, pa, context))
        want_region(t, cpu, pa, context);
}

/* --- the run loop
 * ---------------------------------------------------------------------------------- */

static void step_one(struct a64_cpu *cpu)
{
    struct counts *counts = &share_of(cpu)->counts;
    counts_turn(counts, COUNTS_INTERPRETING);
    a64_step_one(cpu);
    counts_turn(counts, COUNTS_RUN_LOOP);
}

static void check_context(struct translator *t, struct a64_cpu *cpu, uint32_t context)
{
    struct share *share = share_of(cpu);
    uint32_t *last = &share->context[cpu->el & 1];
    if (*last != context) { /* the jump caches hold code for the old one */
        share->counts.context_changes++;
        if (*last != CONTEXT_NONE)
            forget_jumps(cpu);
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
    uint32_t context = context_of(cpu);
    check_context(t, cpu, context);
    cpu->pa_context = a64_pa_context(context);
    share_of(cpu)->counts.lookups++;
    struct a64_jump *jump =
        t->user ? a64_user_jump(cpu, cpu->pc) : a64_bank_jump(cpu->bank, cpu->pc);
    if (!exit && jump->va == cpu->pc && !cache_entry_closed(jump->code))
        return jump->code;
    bool step;
    share_of(cpu)->counts.walks++;
    struct unit *unit = unit_at_pc(t, cpu, context, &exit, &step);
    if (!unit) {
        if (step)
            step_one(cpu);
        return NULL;
    }
    void *code = cache_run_address(&t->cache, unit->code.hot);
    if (!t->user)
        note_jump(cpu, unit->pa, code);
    else if (!exit) /* what comes by a direct branch is linked, and needs no page of the cache */
        a64_user_set_jump(cpu, cpu->pc, code);
    if (exit && pthread_mutex_trylock(&t->lock) == 0) { /* if busy, it is linked another time */
        /* The page's mapping may have changed between the jump and the fetch: then this is no unit
         * of the page that the jump is in. */
        bool same_page = t->user || exit->from->pa >> 12 == unit->pa >> 12;
        if (exit->from->context == context && same_page && !exit->from->dead &&
            cache_find(&t->cache, unit->pa, context) == unit) {
            share_of(cpu)->counts.links++;
            cache_link(&t->cache, exit, unit);
        }
        unlock(t);
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
    cpu->pc = page + (uint64_t)(int64_t)exit->at.target;
    return exit;
}

void translator_run(struct translator *t, struct a64_cpu *cpu)
{
    struct exit_link *exit = NULL;
    struct counts *counts = &share_of(cpu)->counts;
    a64_enter_guest(cpu);
    counts_turn(counts, COUNTS_RUN_LOOP);
    while (!cpu->halted && !cpu->powered_off && !cpu->trapped) {
        if (atomic_load_explicit(&cpu->signals.poll, memory_order_relaxed)) {
            exit = NULL;
            refill(cpu);
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
        if (!code)
            continue;
        cpu->code_page = cpu->pc & ~0xfffull;
        set_rounding(cpu);
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
        if (exit && budget_spent(cpu)) {
            counts->samples++;
            sample(t, cpu);
            exit = NULL;
        }
    }
    __builtin_ia32_ldmxcsr(HOST_MXCSR);
    counts_turn(counts, COUNTS_OUTSIDE);
    a64_leave_guest(cpu);
}

void translator_print_stats(struct translator *t, FILE *out)
{
    const struct cache *c = &t->cache;
    counts_line(out, "translated units", c->unit_count);
    counts_line(out, "translated instructions", c->insn_count);
    counts_line(out, "host code bytes", c->code_bytes);
    counts_line(out, "host code bytes, cold", c->cold_bytes);
    counts_line(out, "units made in vain", t->made_in_vain);
    counts_line(out, "invalidated units", c->invalidated);
    counts_line(out, "pages of code changed", t->page_drops);
    counts_line(out, "retired generations", c->retired);
    counts_line(out, "regions", c->region_count);
    counts_line(out, "instructions in regions", c->region_insns);
    counts_line(out, "regions whose code changed", c->regions_dropped);
    counts_line(out, "microseconds making regions", t->building_ns / 1000);
    if (t->persist) {
        struct persist_counts kept = persist_counts(t->persist);
        counts_line(out, "units from the store", kept.fetched_units);
        counts_line(out, "pages found in the store", kept.fetched_pages);
        counts_line(out, "pages not in the store", kept.missed_pages);
        counts_line(out, "pages saved to the store", kept.saved_pages);
    }
    struct counts sum = t->gone;
    for (const struct share *share = t->shares; share; share = share->next) {
        struct counts counts = share->counts;
        counts_turn(&counts, counts.now); /* up to now */
        counts_add(&sum, &counts);
    }
    struct moment end = moment_now();
    double us = (double)(end.ns - t->start.ns) / 1000;
    counts_print(&sum, (double)(end.ticks - t->start.ticks) / us, out);
}
