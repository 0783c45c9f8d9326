/* queue.c: split virtqueues (virtio 1.2, section 2.7).
 *
 * Three areas in guest RAM: the descriptor table (driver writes), the available ring (driver
 * writes) and the used ring (device writes). Their place is checked once, when the queue is
 * enabled; guest RAM never moves. A request is walked once: each descriptor is fetched into
 * registers by volatile reads, checked, and turned into an iovec, so a driver that changes it
 * meanwhile changes nothing. Walks end after VQ_CHAIN_MAX buffers, and no more requests are in
 * flight than the ring has entries.
 *
 * Limits: no packed rings; a buffer must lie in one RAM region.
 */
#include "core/device/virtio/queue.h"

#include <assert.h>
#include <stddef.h>

#include "base/bytes.h"

/* Section 2.7.5, struct virtq_desc: address u64, length u32, flags u16, next u16. */
enum { DESC_BYTES = 16, DESC_F_NEXT = 1, DESC_F_WRITE = 2, DESC_F_INDIRECT = 4 };
/* Sections 2.7.6 and 2.7.8: both rings begin with flags u16, index u16. */
enum { RING_FLAGS = 0, RING_INDEX = 2, RING_ENTRIES = 4 };
enum { AVAIL_ENTRY_BYTES = 2, USED_ENTRY_BYTES = 8, EVENT_BYTES = 2 };
enum { AVAIL_F_NO_INTERRUPT = 1, USED_F_NO_NOTIFY = 1 };

static const uint64_t CHAIN_BYTES_MAX = 1ull << 32; /* section 2.7.5 */

struct desc {
    uint64_t address;
    uint32_t size_bytes;
    uint16_t flags, next;
};

/* The table being walked: the queue's own, or an indirect one. */
struct table {
    const uint8_t *entries;
    uint32_t count;
    bool is_indirect;
};

/* Indirect tables have no alignment (section 2.7.5.3), and every field is read exactly once. */
typedef volatile uint64_t __attribute__((aligned(1))) guest_u64;

static struct desc fetch_desc(const struct table *table, uint32_t index)
{
    const guest_u64 *p = (const guest_u64 *)(table->entries + (size_t)index * DESC_BYTES);
    uint64_t address = p[0], rest = p[1];
    return (struct desc){address, (uint32_t)rest, (uint16_t)(rest >> 32), (uint16_t)(rest >> 48)};
}

static uint16_t load_acquire16(const uint8_t *p)
{
    return __atomic_load_n((const uint16_t *)(const void *)p, __ATOMIC_ACQUIRE);
}

static void store_release16(uint8_t *p, uint16_t v)
{
    __atomic_store_n((uint16_t *)(void *)p, v, __ATOMIC_RELEASE);
}

static uint8_t *avail_event(const struct virtqueue *q)
{
    return q->used + RING_ENTRIES + (size_t)q->size * USED_ENTRY_BYTES;
}

static const uint8_t *used_event(const struct virtqueue *q)
{
    return q->avail + RING_ENTRIES + (size_t)q->size * AVAIL_ENTRY_BYTES;
}

void vq_init(struct virtqueue *q, struct guestmem *mem, unsigned index, uint16_t size_max,
             struct vq_owner owner)
{
    assert(size_max <= VQ_SIZE_MAX);
    *q = (struct virtqueue){
        .mem = mem, .owner = owner, .index = index, .size = size_max, .size_max = size_max};
}

void vq_reset(struct virtqueue *q)
{
    vq_init(q, q->mem, q->index, q->size_max, q->owner);
}

void vq_break(struct virtqueue *q, const char *why)
{
    if (q->broken)
        return;
    q->broken = true;
    q->owner.broken(q->owner.ctx, q->index, why);
}

/* Section 2.7: table aligned to 16, available ring to 2, used ring to 4. */
static const char *find_areas(struct virtqueue *q)
{
    uint64_t size = q->size;
    if (size == 0 || size > q->size_max || (size & (size - 1)))
        return "queue size is not a power of two within the limit";
    if (q->desc_address % 16 || q->driver_address % 2 || q->device_address % 4)
        return "queue area is not aligned";
    q->desc = guestmem_ptr(q->mem, q->desc_address, size * DESC_BYTES, false);
    q->avail = guestmem_ptr(q->mem, q->driver_address,
                            RING_ENTRIES + size * AVAIL_ENTRY_BYTES + EVENT_BYTES, false);
    q->used = guestmem_ptr(q->mem, q->device_address,
                           RING_ENTRIES + size * USED_ENTRY_BYTES + EVENT_BYTES, true);
    return q->desc && q->avail && q->used ? NULL : "queue area is outside of memory";
}

void vq_enable(struct virtqueue *q, bool event_idx, bool indirect)
{
    const char *why = find_areas(q);
    if (why) {
        vq_break(q, why);
        return;
    }
    q->event_idx = event_idx;
    q->indirect = indirect;
    q->next_avail = q->next_used = q->told_used = 0;
    q->in_flight = 0;
    q->enabled = true;
}

static const char *add_buffer(struct virtqueue *q, const struct desc *d, struct vq_chain *chain)
{
    bool write = d->flags & DESC_F_WRITE;
    unsigned count = chain->readable_count + chain->writable_count;
    if (count == VQ_CHAIN_MAX)
        return "descriptor chain is too long, or a loop";
    if (d->size_bytes == 0)
        return "buffer of zero length";
    if (!write && chain->writable_count)
        return "readable buffer behind a writable one";
    void *host = guestmem_ptr(q->mem, d->address, d->size_bytes, write);
    if (!host)
        return "buffer outside of memory";
    if (chain->readable_bytes + chain->writable_bytes + d->size_bytes > CHAIN_BYTES_MAX)
        return "descriptor chain of more than 4 GiB";
    chain->iov[count] = (struct iovec){host, d->size_bytes};
    if (write) {
        chain->writable_count++;
        chain->writable_bytes += d->size_bytes;
    } else {
        chain->readable_count++;
        chain->readable_bytes += d->size_bytes;
    }
    return NULL;
}

/* Section 2.7.5.3.1: an indirect descriptor ends the direct chain and does not nest. */
static const char *enter_indirect(struct virtqueue *q, const struct desc *d, struct table *table)
{
    if (!q->indirect)
        return "indirect descriptor was not negotiated";
    if (table->is_indirect)
        return "indirect descriptor within an indirect table";
    if (d->flags & DESC_F_NEXT)
        return "indirect descriptor with a next one";
    if (d->size_bytes == 0 || d->size_bytes % DESC_BYTES)
        return "indirect table's length is not a multiple of 16";
    if (d->size_bytes / DESC_BYTES > VQ_CHAIN_MAX)
        return "indirect table is too long";
    const uint8_t *entries = guestmem_ptr(q->mem, d->address, d->size_bytes, false);
    if (!entries)
        return "indirect table outside of memory";
    *table = (struct table){entries, d->size_bytes / DESC_BYTES, true};
    return NULL;
}

static const char *walk(struct virtqueue *q, uint16_t head, struct vq_chain *chain)
{
    struct table table = {q->desc, q->size, false};
    uint32_t index = head;
    chain->head = head;
    chain->readable_count = chain->writable_count = 0;
    chain->readable_bytes = chain->writable_bytes = 0;
    /* Ends: each turn but one, into the indirect table, adds a buffer. */
    for (;;) {
        if (index >= table.count)
            return "descriptor index out of range";
        struct desc d = fetch_desc(&table, index);
        if (d.flags & DESC_F_INDIRECT) {
            const char *why = enter_indirect(q, &d, &table);
            if (why)
                return why;
            index = 0;
            continue;
        }
        const char *why = add_buffer(q, &d, chain);
        if (why)
            return why;
        if (!(d.flags & DESC_F_NEXT))
            return NULL;
        index = d.next;
    }
}

static bool usable(const struct virtqueue *q)
{
    return q->enabled && !q->broken;
}

static uint16_t waiting(const struct virtqueue *q)
{
    return (uint16_t)(load_acquire16(q->avail + RING_INDEX) - q->next_avail);
}

bool vq_has_work(struct virtqueue *q)
{
    return usable(q) && waiting(q) != 0;
}

bool vq_pop(struct virtqueue *q, struct vq_chain *chain)
{
    if (!usable(q))
        return false;
    uint16_t count = waiting(q);
    if (count == 0)
        return false;
    if (count > q->size) {
        vq_break(q, "available index runs ahead of the ring");
        return false;
    }
    if (q->in_flight == q->size) {
        vq_break(q, "more requests than the queue has entries");
        return false;
    }
    size_t slot = q->next_avail & (q->size - 1);
    uint16_t head = load_acquire16(q->avail + RING_ENTRIES + slot * AVAIL_ENTRY_BYTES);
    const char *why = walk(q, head, chain);
    if (why) {
        vq_break(q, why);
        return false;
    }
    q->next_avail++;
    q->in_flight++;
    return true;
}

void vq_unpop(struct virtqueue *q, unsigned count)
{
    if (!usable(q))
        return;
    assert(count <= q->in_flight);
    q->next_avail -= count;
    q->in_flight -= count;
}

void vq_push(struct virtqueue *q, uint16_t head, uint32_t written_bytes)
{
    /* A queue that was disabled or reset under a request in flight wants no answer. */
    if (!usable(q) || q->in_flight == 0)
        return;
    size_t slot = q->next_used & (q->size - 1);
    uint8_t *entry = q->used + RING_ENTRIES + slot * USED_ENTRY_BYTES;
    store_le(entry, 8, (uint64_t)written_bytes << 32 | head);
    q->next_used++;
    q->in_flight--;
}

/* Section 2.7.10.1 / 2.7.7.2: with event indices the driver names the entry it waits for. */
static bool driver_wants_interrupt(const struct virtqueue *q, uint16_t old)
{
    if (!q->event_idx)
        return !(load_acquire16(q->avail + RING_FLAGS) & AVAIL_F_NO_INTERRUPT);
    uint16_t event = load_acquire16(used_event(q));
    return (uint16_t)(q->next_used - event - 1) < (uint16_t)(q->next_used - old);
}

void vq_flush(struct virtqueue *q)
{
    uint16_t old = q->told_used;
    if (!usable(q) || old == q->next_used)
        return;
    q->told_used = q->next_used;
    store_release16(q->used + RING_INDEX, q->next_used);
    /* The index must be seen before the driver's wish is read, or both sides sleep. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (driver_wants_interrupt(q, old))
        q->owner.interrupt(q->owner.ctx, q->index);
}

void vq_stop_kicks(struct virtqueue *q)
{
    /* With event indices it is enough not to move avail_event on. */
    if (usable(q) && !q->event_idx)
        store_release16(q->used + RING_FLAGS, USED_F_NO_NOTIFY);
}

bool vq_want_kicks(struct virtqueue *q)
{
    if (!usable(q))
        return false;
    if (q->event_idx)
        store_release16(avail_event(q), q->next_avail);
    else
        store_release16(q->used + RING_FLAGS, 0);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return waiting(q) != 0;
}
