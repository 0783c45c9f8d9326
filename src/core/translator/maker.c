/* maker.c: lift, then emit into a buffer of the thread's own.
 *
 * The code starts at the place in its line at which the next unit of the cache is expected to, so
 * that moving it costs no padding where no other thread comes in between. Displacements to stubs
 * are as if the stubs were 2^32 bytes around; cache_add() puts them right.
 */
#include "core/translator/maker.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

enum {
    CODE_MAX = UINT16_MAX,
    LINE_BYTES = 64,
    SWAP_MARGIN = 8,   /* uses outside of inner loops that two moves at each entry and exit cost */
    FORCED_INSNS = 48, /* many regions then hold the same code */
    ALONE_INSNS = 16,  /* what shares one lookup is seldom longer */
};

struct maker {
    uint8_t page[4096];
    uint8_t hashed_page[4096]; /* the last one whose hash was wanted */
    uint64_t page_hash;        /* its hash */
    bool hashed;
    struct ir_unit unit;
    struct emit_result result;
    struct unit_exit exits[EMIT_EXITS_MAX];
    struct unit_parts parts;
    uint8_t code[LINE_BYTES + CODE_MAX] __attribute__((aligned(LINE_BYTES)));
};

struct maker *maker_take(struct maker_pool *pool)
{
    for (unsigned i = 0; i < MAKER_SPARES; i++) {
        struct maker *spare = atomic_exchange(&pool->spares[i], NULL);
        if (spare)
            return spare;
    }
    struct maker *maker = aligned_alloc(LINE_BYTES, sizeof(*maker));
    if (!maker)
        abort();
    maker->hashed = false; /* the rest as it is: pages that no unit needs are never touched */
    return maker;
}

void maker_give(struct maker_pool *pool, struct maker *maker)
{
    for (unsigned i = 0; i < MAKER_SPARES; i++) {
        struct maker *none = NULL;
        if (atomic_compare_exchange_strong(&pool->spares[i], &none, maker))
            return;
    }
    free(maker);
}

void maker_pool_done(struct maker_pool *pool)
{
    for (unsigned i = 0; i < MAKER_SPARES; i++)
        free(atomic_load(&pool->spares[i]));
}

uint8_t *maker_page(struct maker *maker)
{
    return maker->page;
}

/* Units of one page come one after the other, and to compare is quicker than to hash. */
uint64_t maker_page_hash(struct maker *m, const struct cache *cache)
{
    if (!m->hashed || memcmp(m->hashed_page, m->page, sizeof(m->page)) != 0) {
        memcpy(m->hashed_page, m->page, sizeof(m->page));
        m->page_hash = cache_page_hash(cache, m->page);
        m->hashed = true;
    }
    return m->page_hash;
}

/* With offsets in place of addresses. */
static void note_exits(struct maker *m, const uint8_t *start)
{
    for (unsigned i = 0; i < m->result.exit_count; i++) {
        const struct emit_exit *from = &m->result.exits[i];
        uint32_t site_at = (uint32_t)(from->site - start);
        uint32_t cold_at = site_at + 4 + (uint32_t)load_le(from->site, 4);
        m->exits[i] = (struct unit_exit){.target = from->target,
                                         .site_at = (uint16_t)site_at,
                                         .cold_at = (uint16_t)cold_at,
                                         .tag_at = (uint16_t)(from->tag - start)};
    }
}

static struct lift_source source_of(const struct maker *m, const struct maker_config *config,
                                    uint64_t pa, uint32_t context)
{
    return (struct lift_source){.table = config->lifts,
                                .page = m->page,
                                .offset = (uint32_t)pa & 0xfff,
                                .context = context,
                                .features = config->features,
                                .max_insns = config->max_insns};
}

static struct emit_request request_of(const struct maker *m, const struct maker_config *config,
                                      uint64_t pa)
{
    return (struct emit_request){.unit = &m->unit,
                                 .host = config->host,
                                 .stubs = config->stubs,
                                 .marks = config->marks,
                                 .page = align_down(pa, 4096),
                                 .user = config->cache->user};
}

static struct x86_buf buffer_of(struct maker *m, const struct maker_config *config)
{
    size_t in_line =
        config->like ? (uintptr_t)config->like % LINE_BYTES : cache_next_line_offset(config->cache);
    uint8_t *start = m->code + in_line;
    return (struct x86_buf){.start = start, .at = start, .end = start + CODE_MAX};
}

/* The unit that lies in `buf`. */
static struct unit_parts *finish(struct maker *m, const struct maker_config *config,
                                 const struct x86_buf *buf, uint64_t pa, uint32_t context)
{
    const uint8_t *start = buf->start;
    bool user = config->cache->user;
    note_exits(m, start);
    m->parts = (struct unit_parts){
        .pa = pa,
        .context = context,
        .insns = m->unit.insns,
        .made_of = m->unit.insns,
        .code_bytes = (uint32_t)(buf->at - start),
        .hot_bytes = m->result.main_bytes,
        .again = user ? (uint32_t)(m->result.again - start) : 0,
        .exit_count = m->result.exit_count,
        .fault_count = user ? m->result.fault_count : 0,
        .fixup_count = m->result.fixups.count,
        .entry_count = m->result.entry_count,
        .origin = (uint32_t)(start - config->cache->code.write),
        .page = align_down(pa, 4096),
        .exits = m->exits,
        .faults = m->result.faults,
        .fixups = m->result.fixups.list,
        .entries = m->result.entries,
        .code = start,
    };
    return &m->parts;
}

const struct unit_parts *maker_make(struct maker *m, const struct maker_config *config, uint64_t pa,
                                    uint32_t context)
{
    struct lift_source source = source_of(m, config, pa, context);
    struct emit_request request = request_of(m, config, pa);
    struct x86_buf buf = buffer_of(m, config);
    bool alone = context & LIFT_ALONE;
    if (alone && source.max_insns > ALONE_INSNS)
        source.max_insns = ALONE_INSNS;
    for (;;) {
        lift_unit(&source, &m->unit);
        if (!request.user && !alone)
            ir_share_checks(&m->unit);
        if (emit_unit(&buf, &request, &m->result))
            break;
        if (source.max_insns == 1)
            abort(); /* one instruction always fits: a bug of ours */
        buf.full = false;
        source.max_insns /= 2;
    }
    struct unit_parts *parts = finish(m, config, &buf, pa, context);
    parts->page_hash = maker_page_hash(m, config->cache);
    return parts;
}

const struct unit_parts *maker_make_region(struct maker *m, const struct maker_config *config,
                                           uint64_t pa, uint32_t context, bool forced)
{
    struct lift_source source = source_of(m, config, pa, context);
    struct emit_request request = request_of(m, config, pa);
    struct x86_buf buf = buffer_of(m, config);
    struct lift_extent extent;
    struct ir_region_use use;
    struct emit_region region;
    source.max_insns = forced ? FORCED_INSNS : IR_REGION_INSNS;
    if (!lift_region(&source, forced, &m->unit, &extent))
        return NULL;
    if (!request.user)
        ir_share_checks(&m->unit);
    ir_region_use(&m->unit, &use);
    emit_region_registers(&use, forced ? 0 : SWAP_MARGIN, &region);
    if (forced)
        emit_region_rotate(&region, (unsigned)(pa >> 2));
    request.region = &region;
    request.head = source.offset;
    if (!emit_unit(&buf, &request, &m->result))
        return NULL;
    struct unit_parts *parts = finish(m, config, &buf, pa, context);
    parts->leave = (uint32_t)(m->result.leave - buf.start);
    parts->before = source.offset - extent.start;
    parts->insns = (extent.end - source.offset) / 4;
    parts->page_hash = maker_page_hash(m, config->cache);
    return parts;
}
