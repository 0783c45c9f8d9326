/* ranges.c: sorted ranges in an array, found by halving. Neighbours that touch are joined, so that
 * the array stays as short as the address space is orderly: some dozens for most programs.
 *
 * Readers take no lock: the writer makes `turn` odd, changes the array and makes it even; a reader
 * that saw an odd or changed value looks again (a sequence lock). What it reads meanwhile may be
 * torn between two ranges but never outside an array, since arrays only grow and are never freed.
 */
#include "core/linux/ranges.h"

#include <assert.h>
#include <stdlib.h>

void ranges_init(struct ranges *set)
{
    *set = (struct ranges){.capacity = RANGES_INLINE};
    set->list = set->few;
}

/* Index of the first range that ends behind `address`, or `count`. */
static size_t find(struct range *list, size_t count, uint64_t address)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (atomic_load_explicit(&list[middle].end, memory_order_relaxed) <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static uint64_t start_of(const struct range *r)
{
    return atomic_load_explicit(&r->start, memory_order_relaxed);
}

static uint64_t end_of(const struct range *r)
{
    return atomic_load_explicit(&r->end, memory_order_relaxed);
}

static void put(struct range *r, uint64_t start, uint64_t end)
{
    atomic_store_explicit(&r->start, start, memory_order_relaxed);
    atomic_store_explicit(&r->end, end, memory_order_relaxed);
}

static void begin_write(struct ranges *set)
{
    atomic_fetch_add_explicit(&set->turn, 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
}

static void end_write(struct ranges *set)
{
    atomic_fetch_add_explicit(&set->turn, 1, memory_order_release);
}

/* Room for one range more. */
static void grow(struct ranges *set)
{
    size_t count = set->count;
    if (count < set->capacity)
        return;
    struct range *old = set->list, *list = malloc(2 * set->capacity * sizeof(*list));
    if (!list)
        abort();
    for (size_t i = 0; i < count; i++)
        put(&list[i], start_of(&old[i]), end_of(&old[i]));
    set->capacity *= 2;
    atomic_store_explicit(&set->list, list, memory_order_release);
}

/* Replaces ranges [first, last) by `added` (0 to 2) new ones. */
static void splice(struct ranges *set, size_t first, size_t last, const uint64_t with[][2],
                   size_t added)
{
    size_t count = set->count, gone = last - first;
    begin_write(set);
    if (added > gone)
        grow(set);
    struct range *list = set->list;
    if (added < gone)
        for (size_t i = last; i < count; i++)
            put(&list[i - (gone - added)], start_of(&list[i]), end_of(&list[i]));
    else if (added > gone)
        for (size_t i = count; i > last; i--)
            put(&list[i - 1 + (added - gone)], start_of(&list[i - 1]), end_of(&list[i - 1]));
    for (size_t i = 0; i < added; i++)
        put(&list[first + i], with[i][0], with[i][1]);
    set->count = count - gone + added;
    end_write(set);
}

void ranges_add(struct ranges *set, uint64_t start, uint64_t end)
{
    if (start >= end)
        return;
    struct range *list = set->list;
    size_t count = set->count;
    size_t first = start ? find(list, count, start - 1) : 0, last = first;
    uint64_t joined[1][2] = {{start, end}};
    for (; last < count && start_of(&list[last]) <= end; last++) {
        if (start_of(&list[last]) < joined[0][0])
            joined[0][0] = start_of(&list[last]);
        if (end_of(&list[last]) > joined[0][1])
            joined[0][1] = end_of(&list[last]);
    }
    splice(set, first, last, joined, 1);
}

void ranges_remove(struct ranges *set, uint64_t start, uint64_t end)
{
    if (start >= end)
        return;
    struct range *list = set->list;
    size_t count = set->count, first = find(list, count, start), last = first, added = 0;
    uint64_t left[2][2];
    for (; last < count && start_of(&list[last]) < end; last++) {
        uint64_t s = start_of(&list[last]), n = end_of(&list[last]);
        if (s < start) {
            left[added][0] = s;
            left[added++][1] = start;
        }
        if (n > end) {
            left[added][0] = end;
            left[added++][1] = n;
        }
    }
    assert(added <= 2);
    if (last > first)
        splice(set, first, last, left, added);
}

bool ranges_next(const struct ranges *set, uint64_t from, uint64_t *ret_start, uint64_t *ret_end)
{
    for (;;) {
        uint32_t turn = atomic_load_explicit(&set->turn, memory_order_acquire);
        size_t count = atomic_load_explicit(&set->count, memory_order_relaxed);
        struct range *list = atomic_load_explicit(&set->list, memory_order_acquire);
        if (turn & 1) {
            __builtin_ia32_pause();
            continue;
        }
        /* A torn count may be larger than an old array: check before it is used. */
        atomic_thread_fence(memory_order_acquire);
        if (atomic_load_explicit(&set->turn, memory_order_relaxed) != turn)
            continue;
        size_t i = find(list, count, from);
        uint64_t start = 0, end = 0;
        if (i < count) {
            start = start_of(&list[i]);
            end = end_of(&list[i]);
        }
        atomic_thread_fence(memory_order_acquire);
        if (atomic_load_explicit(&set->turn, memory_order_relaxed) != turn)
            continue;
        if (i >= count)
            return false;
        *ret_start = start;
        *ret_end = end;
        return true;
    }
}

bool ranges_contain(const struct ranges *set, uint64_t start, uint64_t end)
{
    uint64_t s, n;
    return ranges_next(set, start, &s, &n) && s <= start && end <= n;
}

bool ranges_touch(const struct ranges *set, uint64_t start, uint64_t end)
{
    uint64_t s, n;
    return start < end && ranges_next(set, start, &s, &n) && s < end;
}
