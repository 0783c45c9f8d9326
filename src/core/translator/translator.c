/* translator.c: a translator's life cycle: making it, attaching CPUs to it, forking, and what it
 * counted.
 *
 * Units are made without the lock (maker.c) and added under it, where nobody was quicker and the
 * code has not changed since its bytes were read. So the lock is held for as long as copying takes.
 * A CPU that waits for it is out of the guest, so who holds it may wait for the others.
 */
#include "core/translator/translator_int.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "core/arm64/interpreter.h"
#include "core/arm64/mmu.h"
#include "core/translator/returns.h"

enum {
    KEEP_MIB_MIN = 64
}; /* whole pages come from the store: they would push each other out of less */

/* User mode's caches: above guests' code (memory.c), below where the kernel maps things. */
#define CACHES_AT 0x6a0000000000ull
enum { CACHES_BITS = 18 }; /* of their random place, in huge pages */

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

static int check_features(const struct hostcpu *host, struct err *e)
{
    return host->sse42
               ? 0
               : err_set(e, ENOTSUP, "the translator needs a host CPU with SSE4.2 (x86-64-v2)");
}

static int detect(struct hostcpu *host, uint64_t known, const char *features, struct err *e)
{
    struct hostcpu allowed;
    if (known)
        hostcpu_unpack(known, host);
    else
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
    uint64_t guest =
        (uint64_t)t->making.features << 32 | t->tiers << 16 | t->making.max_insns << 1 | t->user;
    return hash_bytes(&t->host, sizeof(t->host), guest);
}

struct moment translator_moment(void)
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

/* The store, if translations are kept, and where it wants the cache. */
static int make_cache(struct translator *t, const struct translator_config *config, size_t bytes,
                      struct err *e)
{
    struct cache_at at;
    bool kept =
        bytes >= (size_t)KEEP_MIB_MIN << 20 && (t->user || t->tiers != TRANSLATOR_SECOND_TIER);
    if (kept)
        t->persist = persist_new(config, version_of(t));
    bool placed = t->persist && t->user && store_seed(persist_store(t->persist), at.secret);
    if (placed)
        at.address = CACHES_AT + hash_mix(at.secret[0]) % (1u << CACHES_BITS) * LAZYMEM_HUGE;
    return cache_init(&t->cache, align_up(bytes, 4096), t->user, placed ? &at : NULL, e);
}

static void keep_images(struct translator *t, const struct log *log)
{
    const struct a64_system *system = t->system;
    const struct frozen_guest guest = {.read = translator_read_page,
                                       .read_ctx = t,
                                       .code_range = system->ops->code_range,
                                       .range_ctx = system->ops_ctx};
    if (t->cache.fixed && guest.code_range)
        t->frozen = frozen_new(t->persist, &t->cache, &guest, log);
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
    builder_init(&t->builder, translator_build_region, t);
    t->system = config->system;
    t->user = config->user;
    if (config->stats)
        t->start = translator_moment();
    t->tiers = config->tiers;
    lift_table_init(&t->lifts);
    size_t mib = config->user ? TRANSLATOR_USER_CACHE_MIB_DEFAULT : TRANSLATOR_CACHE_MIB_DEFAULT;
    size_t bytes = config->cache_bytes ? config->cache_bytes : mib << 20;
    if (bytes < (size_t)CODEMEM_MIB_MIN << 20)
        bytes = (size_t)CODEMEM_MIB_MIN << 20;
    int r = detect(&t->host, config->host_cpu, config->host_features, e);
    if (r == 0)
        r = check_features(&t->host, e);
    const struct a64_model *model =
        t->system->cpu_count ? t->system->cpus[0]->model : config->model;
    t->making = (struct maker_config){.lifts = &t->lifts,
                                      .host = &t->host,
                                      .stubs = &t->stubs,
                                      .cache = &t->cache,
                                      .features = a64_model_features(model),
                                      .max_insns = config->max_insns ?: IR_UNIT_INSNS};
    if (r == 0)
        r = make_cache(t, config, bytes, e);
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
    keep_images(t, config->log);
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
    frozen_free(t->frozen);
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
    for (unsigned i = 0; i < TRANSLATOR_BANK_KINDS; i++)
        share->context[i] = TRANSLATOR_CONTEXT_NONE;
    if (t->thawed)
        profile_settle(&share->profile);
    cpu->translation = share;
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

void translator_before_fork(struct translator *t)
{
    pthread_mutex_lock(&t->lock);
    if (t->persist)
        persist_forking(t->persist, &t->cache, translator_read_page, t);
    pthread_mutex_lock(&t->shares_lock);
}

void translator_after_fork(struct translator *t, struct a64_cpu *cpu, bool in_child)
{
    if (in_child) {
        struct share *mine = translator_share(cpu);
        for (struct share *share = t->shares, *next; share; share = next) {
            next = share->next;
            if (share != mine)
                free(share);
        }
        mine->next = NULL;
        t->shares = mine;
        if (t->frozen)
            frozen_forked(t->frozen);
    }
    pthread_mutex_unlock(&t->shares_lock);
    pthread_mutex_unlock(&t->lock);
}

/* True where it had to wait, out of the guest: what the CPU looked up before may be stale. */
bool translator_lock(struct translator *t, struct a64_cpu *cpu)
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

void translator_unlock(struct translator *t)
{
    pthread_mutex_unlock(&t->lock);
}

bool translator_read_page(void *ctx, uint64_t pa, uint8_t page[4096])
{
    struct translator *t = ctx;
    if (t->user)
        return t->system->ops->fetch(t->system->ops_ctx, NULL, pa, page, 4096);
    return guestmem_read(t->system->mem, pa, page, 4096);
}

/* Loops that this process has made regions of late, the next one has from the start: so it comes
 * out of them at places where this one never did. */
static void make_ways_out(struct translator *t)
{
    enum { WAYS_MAX = 1024 };
    struct cache_missing missing[WAYS_MAX];
    translator_lock(t, NULL);
    unsigned count = cache_link_regions(&t->cache, missing, WAYS_MAX);
    translator_unlock(t);
    for (unsigned i = 0; i < count; i++)
        translator_make_ahead(t, missing[i].pa, missing[i].context);
}

void translator_save(struct translator *t)
{
    if (!t->persist)
        return;
    bool frozen = t->frozen && frozen_is_worth_it(t->frozen);
    if (frozen) {
        translator_make_regions_ahead(t);
        make_ways_out(t);
    }
    translator_lock(t, NULL);
    uint64_t dropped = t->cache.regions_dropped;
    persist_save(t->persist, &t->cache, translator_read_page, t);
    if (frozen) {
        cache_link_regions(&t->cache, NULL, 0);
        frozen_save(t->frozen);
    }
    dropped = t->cache.regions_dropped - dropped;
    translator_unlock(t);
    if (dropped) /* the process may go on, after an exec that fails */
        translator_call_out(t, NULL);
}

uint64_t translator_host_cpu(const struct translator *t)
{
    return hostcpu_pack(&t->host);
}

const char *translator_folder(const struct translator *t)
{
    return t->persist ? persist_folder(t->persist) : NULL;
}

bool translator_seed(const struct translator *t, uint64_t *ret_seed)
{
    if (t->frozen)
        *ret_seed = hash_mix(t->cache.secret.point);
    return t->frozen != NULL;
}

void translator_thaw(struct translator *t, uint64_t key)
{
    if (t->frozen)
        t->thawed = frozen_thaw(t->frozen, key);
}

void translator_print_stats(struct translator *t, FILE *out)
{
    const struct cache *c = &t->cache;
    counts_line(out, "translated units", c->made_count);
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
    if (t->frozen) {
        struct frozen_counts frozen = frozen_counts(t->frozen);
        counts_line(out, "units from the image", frozen.units);
        counts_line(out, "pages compared with the image", frozen.pages);
        counts_line(out, "pages not as in the image", frozen.dropped_pages);
        counts_line(out, "images saved", frozen.saved);
        counts_line(out, "microseconds taking the image", frozen.ns / 1000);
    }
    struct counts sum = t->gone;
    for (const struct share *share = t->shares; share; share = share->next) {
        struct counts counts = share->counts;
        counts_turn(&counts, counts.now); /* up to now */
        counts_add(&sum, &counts);
    }
    struct moment end = translator_moment();
    double us = (double)(end.ns - t->start.ns) / 1000;
    counts_print(&sum, (double)(end.ticks - t->start.ticks) / us, out);
}
