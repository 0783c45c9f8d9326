/* translator_int.h: the struct of the translator and what its files share.
 *
 * translator.c has its life cycle, find.c finds or makes units, change.c drops them when their code
 * changes, second_tier.c finds hot loops and makes regions of them, run.c is the loop around it
 * all.
 */
#ifndef PENG_CORE_TRANSLATOR_TRANSLATOR_INT_H
#define PENG_CORE_TRANSLATOR_TRANSLATOR_INT_H

#include "core/translator/translator.h"

#include <pthread.h>

#include "core/translator/builder.h"
#include "core/translator/cache.h"
#include "core/translator/counts.h"
#include "core/translator/frozen.h"
#include "core/translator/lift_int.h"
#include "core/translator/maker.h"
#include "core/translator/persist.h"
#include "core/translator/profile.h"

enum { TRANSLATOR_BANK_KINDS = 2 * (1 + A64_MACHINE_TLBS) }; /* EL0's and the others, by TLB */

/* What one CPU's thread keeps here, on cache lines of its own. */
struct share {
    uint32_t context[TRANSLATOR_BANK_KINDS]; /* last seen, by kind of bank */
    struct counts counts;
    struct profile profile;
    bool sampled; /* pc is where a direct branch leads that was looked at on its way */
    struct a64_cpu *cpu;
    const void *gs;     /* a host without FSGSBASE: the base of GS, of the thread that runs this */
    struct share *next; /* in translator.shares */
} __attribute__((aligned(64)));

struct translator {
    struct cache cache;
    struct persist *persist; /* NULL: translations are not kept */
    struct frozen *frozen;   /* NULL: only one by one, not as a whole */
    bool thawed;             /* hot loops are known already */
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

/* No CPU's context: nothing was looked up yet. */
enum { TRANSLATOR_CONTEXT_NONE = LIFT_CONTEXTS };

static inline struct share *translator_share(const struct a64_cpu *cpu)
{
    return cpu->translation;
}

/* True where it had to wait, out of the guest: what the CPU looked up before may be stale. `cpu`:
 * whose thread this is, in the guest; NULL: of none. */
bool translator_lock(struct translator *t, struct a64_cpu *cpu);
void translator_unlock(struct translator *t);

/* The time now. */
struct moment translator_moment(void);

/* A copy of a page of guest code (ctx: the translator). False: there is none. */
bool translator_read_page(void *ctx, uint64_t pa, uint8_t page[4096]);

/* --- change.c --- */

/* The CPU forgets every unit that it would enter without asking. */
void translator_forget_jumps(struct a64_cpu *cpu);
/* Under the lock: a generation is there to go on in. All CPUs were waited for. */
void translator_make_room(struct translator *t, struct a64_cpu *cpu);

/* User mode: threads that go round in regions that were dropped find out at their next poll.
 * `cpu`: the calling one, NULL where it is out of the guest. */
void translator_call_out(struct translator *t, struct a64_cpu *cpu);

/* --- find.c --- */

/* What of the CPU's state a unit is made for (lift.h). */
uint32_t translator_context(const struct a64_cpu *cpu);
/* The unit at pc, made if need be. NULL: an exception was taken, or pc is not in RAM (*ret_step).
 * *exit becomes NULL where the CPU was out of the guest meanwhile: the jump's own unit may be gone.
 * Where code in the middle of a unit serves, NULL with *ret_within: there; the exit is linked. */
struct unit *translator_unit_at_pc(struct translator *t, struct a64_cpu *cpu, uint32_t context,
                                   struct exit_link **exit, const void **ret_within,
                                   bool *ret_step);

/* Makes a unit, if there is none, before it is wanted. Without the lock, out of the guest. */
void translator_make_ahead(struct translator *t, uint64_t pa, uint32_t context);

/* --- second_tier.c --- */

/* User mode, at a process's end: regions of loops that were sampled, if not often enough. Without
 * the lock, out of the guest. */
void translator_make_regions_ahead(struct translator *t);
/* struct builder's `build`; ctx: the translator. */
void translator_build_region(void *ctx, uint64_t pa, uint32_t context);
/* Before the poll word is looked at: who sets it from then on takes the budget away. */
void translator_refill(struct a64_cpu *cpu);
/* An exit was taken: true where that was at a back edge which spent the budget, and for no other
 * reason. */
bool translator_budget_spent(struct a64_cpu *cpu);
/* A back edge that leads to pc spent the budget. */
void translator_sample(struct translator *t, struct a64_cpu *cpu);

#endif
