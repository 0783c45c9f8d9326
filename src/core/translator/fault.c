/* fault.c: from an address of the host's in translated code back to the guest: faults of user mode,
 * and what debuggers and profiles ask.
 */
#include "core/translator/translator_int.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "core/translator/returns.h"

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

/* By making the unit again. Not where something else comes out, as the guest's code may have
 * changed. */
static void find_marks(struct translator *t, const struct unit *unit, struct translator_unit *ret)
{
    uint64_t page = align_down(unit->pa, 4096);
    struct emit_marks *marks = malloc(sizeof(*marks));
    struct maker *maker = maker_take(&t->makers);
    struct maker_config making = t->making;
    const struct unit_parts *parts = NULL;
    if (!marks)
        abort();
    making.marks = marks;
    making.like = unit->code.hot;
    if (translator_read_page(t, page, maker_page(maker)))
        parts = unit->leave ? maker_make_region(maker, &making, unit->pa, unit->context,
                                                t->tiers == TRANSLATOR_SECOND_TIER)
                            : maker_make(maker, &making, unit->pa, unit->context);
    if (parts && parts->hot_bytes == unit->code.hot_bytes && parts->insns == unit->insns) {
        ret->marks = calloc(marks->count + 1, sizeof(*ret->marks));
        if (!ret->marks)
            abort();
        for (unsigned i = 0; i < marks->count; i++)
            ret->marks[ret->mark_count++] =
                (struct translator_mark){marks->list[i].at, page + marks->list[i].offset};
    }
    maker_give(&t->makers, maker);
    free(marks);
}

bool translator_unit_copy(struct translator *t, uint64_t address, struct translator_unit *ret)
{
    translator_lock(t, NULL);
    struct unit *unit = cache_page_units(&t->cache, address);
    while (unit && (unit->pa != address || unit->dead))
        unit = unit->page_next;
    if (unit) {
        *ret = (struct translator_unit){.address =
                                            (uintptr_t)cache_run_address(&t->cache, unit->code.hot),
                                        .code = malloc(unit->code.hot_bytes),
                                        .code_bytes = unit->code.hot_bytes,
                                        .insns = unit->insns,
                                        .before = unit->before};
        if (!ret->code)
            abort();
        memcpy(ret->code, unit->code.hot, unit->code.hot_bytes);
        find_marks(t, unit, ret);
    }
    translator_unlock(t);
    return unit != NULL;
}
