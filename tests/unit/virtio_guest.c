/* virtio_guest.c: the driver's half of virtio 1.2, sections 2.7, 4.1 and 4.2, as plainly as can be.
 */
#include "virtio_guest.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"

enum { QUEUE_STRIDE = 0x10000, WAIT_STEP_US = 100, WAIT_STEPS = 20000 };

static void irq_changed(void *ctx, unsigned number, bool level)
{
    struct guest *g = ctx;
    (void)number;
    if (!atomic_exchange(&g->irq_level, level) && level)
        atomic_fetch_add(&g->irq_count, 1);
}

void guest_init(struct guest *g)
{
    memset(g, 0, sizeof(*g));
    guestmem_init(&g->mem, (struct guestmem_mmio){&g->bus, bus_read, bus_write});
    int r = guestmem_add_ram(&g->mem, GUEST_RAM_BASE, GUEST_RAM_BYTES, false, NULL);
    assert(r == 0);
    r = evloop_new(&g->loop, NULL);
    assert(r == 0);
    g->env = (struct virtio_env){.mem = &g->mem, .loop = g->loop};
    g->heap = GUEST_HEAP;
}

static void *run_loop(void *ctx)
{
    evloop_run(ctx);
    return NULL;
}

void guest_run_loop(struct guest *g)
{
    pthread_create(&g->thread, NULL, run_loop, g->loop);
    g->loop_runs = true;
}

void guest_stop_loop(struct guest *g)
{
    if (!g->loop_runs)
        return;
    evloop_stop(g->loop);
    pthread_join(g->thread, NULL);
    g->loop_runs = false;
}

/* Where virtio-pci has a register of virtio-mmio. */
struct place {
    uint64_t address;
    unsigned size_bytes; /* 0: nowhere */
};

static struct place find_register(const struct guest *g, uint32_t offset)
{
    enum { DEVICE_ID = 0x08, NOTIFY = 0x50, ISR = 0x60, AREAS = 0x80, AREAS_END = 0xa8 };
    static const struct {
        uint8_t offset, size_bytes;
    } common[0x100] = {
        [0x10] = {4, 4},  [0x14] = {0, 4},  [0x20] = {12, 4}, [0x24] = {8, 4},  [0x30] = {22, 2},
        [0x34] = {24, 2}, [0x38] = {24, 2}, [0x44] = {28, 2}, [0x70] = {20, 1}, [0xfc] = {21, 1},
    };
    if (!g->host)
        return (struct place){GUEST_MMIO + offset, 4};
    if (offset == DEVICE_ID)
        return (struct place){GUEST_ECAM + (1 << 15) + 2, 2};
    if (offset == ISR)
        return (struct place){GUEST_PCI_LOW + VIRTIO_PCI_ISR, 1};
    if (offset == NOTIFY)
        return (struct place){GUEST_PCI_LOW + VIRTIO_PCI_NOTIFY, 2};
    if (offset >= AREAS && offset < AREAS_END)
        return (struct place){GUEST_PCI_LOW + 32 + (offset - AREAS) / 16 * 8 + (offset & 4),
                              offset & 8 ? 0 : 4};
    if (offset >= sizeof(common) / sizeof(common[0]))
        return (struct place){GUEST_PCI_LOW + VIRTIO_PCI_CONFIG + offset - 0x100, 4};
    return (struct place){GUEST_PCI_LOW + common[offset].offset, common[offset].size_bytes};
}

uint32_t guest_reg(struct guest *g, uint32_t offset)
{
    struct place place = find_register(g, offset);
    uint64_t value = 0;
    bool ok = !place.size_bytes || bus_read(&g->bus, place.address, place.size_bytes, &value);
    assert(ok);
    return (uint32_t)value - (g->host && offset == 0x08 ? 0x1040 : 0);
}

void guest_set_reg(struct guest *g, uint32_t offset, uint32_t value)
{
    struct place place = find_register(g, offset);
    if (g->host && offset == 0x50)
        place.address += (uint64_t)value * VIRTIO_PCI_NOTIFY_STEP;
    bool ok = !place.size_bytes || bus_write(&g->bus, place.address, place.size_bytes, value);
    assert(ok);
}

static void set_up_queue(struct guest *g, unsigned index, uint16_t size)
{
    uint64_t base = GUEST_RAM_BASE + index * QUEUE_STRIDE;
    struct guest_queue *q = &g->queues[index];
    *q = (struct guest_queue){base, base + 0x4000, base + 0x8000, size, 0, 0, 0};
    memset(guest_host(g, base), 0, QUEUE_STRIDE);
    guest_set_reg(g, 0x30, index);
    guest_set_reg(g, 0x38, size);
    guest_set_reg(g, 0x80, (uint32_t)q->desc);
    guest_set_reg(g, 0x84, 0);
    guest_set_reg(g, 0x90, (uint32_t)q->avail);
    guest_set_reg(g, 0x94, 0);
    guest_set_reg(g, 0xa0, (uint32_t)q->used);
    guest_set_reg(g, 0xa4, 0);
    guest_set_reg(g, 0x44, 1);
}

void guest_negotiate(struct guest *g, uint64_t features, unsigned queue_count, uint16_t size)
{
    guest_set_reg(g, 0x70, 0);
    guest_set_reg(g, 0x70, VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER);
    for (uint32_t half = 0; half < 2; half++) {
        guest_set_reg(g, 0x14, half);
        guest_set_reg(g, 0x24, half);
        guest_set_reg(g, 0x20, guest_reg(g, 0x10) & (uint32_t)(features >> (32 * half)));
    }
    guest_set_reg(g, 0x70, guest_reg(g, 0x70) | VIRTIO_STATUS_FEATURES_OK);
    assert(guest_reg(g, 0x70) & VIRTIO_STATUS_FEATURES_OK);
    for (unsigned i = 0; i < queue_count; i++)
        set_up_queue(g, i, size);
    guest_set_reg(g, 0x70, guest_reg(g, 0x70) | VIRTIO_STATUS_DRIVER_OK);
}

static bool on_doorbell(void *ctx, uint64_t address, unsigned size_bytes, int fd, bool on)
{
    struct guest *g = ctx;
    struct guest_doorbell *bell = g->doorbells;
    while (bell < g->doorbells + g->doorbell_count && bell->address != address)
        bell++;
    if (on) {
        assert(bell == g->doorbells + g->doorbell_count);
        g->doorbells[g->doorbell_count++] = (struct guest_doorbell){address, size_bytes, fd};
        return true;
    }
    assert(bell < g->doorbells + g->doorbell_count && bell->fd == fd);
    *bell = g->doorbells[--g->doorbell_count];
    return true;
}

static void start_pci(struct guest *g, struct virtio_device *dev, struct irq_line line)
{
    const struct pci_host_config config = {
        .ecam = {GUEST_ECAM, PCI_ECAM_BUS_BYTES},
        .low = {GUEST_PCI_LOW, 1 << 20},
        .wires = {[1] = line}, /* INTA# of slot 1 */
        .ctx = g,
        .doorbell = on_doorbell,
    };
    if (pci_host_new(&config, &g->bus, &g->host, NULL) < 0 ||
        virtio_pci_new(dev, g->host, &g->function, NULL) < 0)
        abort();
    pci_host_assign(g->host);
}

void guest_start(struct guest *g, struct virtio_device *dev, uint64_t features,
                 unsigned queue_count, uint16_t size)
{
    struct irq_line line = {irq_changed, g, 48};
    const char *transport = getenv("PENG_TEST_VIRTIO");
    if (transport && strcmp(transport, "pci") == 0)
        start_pci(g, dev, line);
    else if (virtio_mmio_new(dev, &g->bus, GUEST_MMIO, line, &g->slot, NULL) < 0)
        abort();
    guest_negotiate(g, features, queue_count, size);
    guest_run_loop(g);
}

void guest_done(struct guest *g)
{
    guest_stop_loop(g);
    virtio_mmio_free(g->slot);
    virtio_pci_free(g->function);
    pci_host_free(g->host);
    evloop_free(g->loop);
    guestmem_done(&g->mem);
}

void *guest_host(struct guest *g, uint64_t address)
{
    void *p = guestmem_ptr(&g->mem, address, 1, true);
    assert(p);
    return p;
}

uint64_t guest_alloc(struct guest *g, uint32_t size_bytes)
{
    uint64_t address = g->heap;
    g->heap += align_up(size_bytes, 16);
    assert(g->heap <= GUEST_RAM_BASE + GUEST_RAM_BYTES);
    memset(guest_host(g, address), 0, size_bytes);
    return address;
}

uint64_t guest_copy(struct guest *g, const void *data, uint32_t size_bytes)
{
    uint64_t address = guest_alloc(g, size_bytes);
    memcpy(guest_host(g, address), data, size_bytes);
    return address;
}

void guest_desc(struct guest *g, uint64_t table, uint16_t index, uint64_t address, uint32_t size,
                uint16_t flags, uint16_t next)
{
    uint8_t *d = guest_host(g, table + 16ull * index);
    store_le(d, 8, address);
    store_le(d + 8, 4, size);
    store_le(d + 12, 2, flags);
    store_le(d + 14, 2, next);
}

void guest_offer(struct guest *g, unsigned queue, uint16_t head)
{
    struct guest_queue *q = &g->queues[queue];
    store_le(guest_host(g, q->avail + 4 + 2ull * (q->next_avail % q->size)), 2, head);
    q->next_avail++;
    __atomic_store_n((uint16_t *)guest_host(g, q->avail + 2), q->next_avail, __ATOMIC_SEQ_CST);
}

uint16_t guest_add(struct guest *g, unsigned queue, const struct guest_buffer *buffers,
                   unsigned count)
{
    struct guest_queue *q = &g->queues[queue];
    uint16_t head = q->next_desc;
    for (unsigned i = 0; i < count; i++) {
        uint16_t here = q->next_desc, next = (uint16_t)((here + 1) % q->size);
        uint16_t flags = (buffers[i].write ? DESC_WRITE : 0) | (i + 1 < count ? DESC_NEXT : 0);
        guest_desc(g, q->desc, here, buffers[i].address, buffers[i].size_bytes, flags, next);
        q->next_desc = next;
    }
    guest_offer(g, queue, head);
    return head;
}

void guest_notify(struct guest *g, unsigned queue)
{
    guest_set_reg(g, 0x50, queue);
}

bool guest_wait_used(struct guest *g, unsigned queue, uint16_t *ret_head, uint32_t *ret_written)
{
    struct guest_queue *q = &g->queues[queue];
    const uint16_t *index = guest_host(g, q->used + 2);
    for (unsigned i = 0; __atomic_load_n(index, __ATOMIC_ACQUIRE) == q->seen_used; i++) {
        if (i == WAIT_STEPS)
            return false;
        usleep(WAIT_STEP_US);
    }
    const uint8_t *entry = guest_host(g, q->used + 4 + 8ull * (q->seen_used % q->size));
    q->seen_used++;
    if (ret_head)
        *ret_head = (uint16_t)load_le(entry, 4);
    if (ret_written)
        *ret_written = (uint32_t)load_le(entry + 4, 4);
    return true;
}

uint32_t guest_do(struct guest *g, unsigned queue, const struct guest_buffer *buffers,
                  unsigned count)
{
    uint16_t head = guest_add(g, queue, buffers, count), used_head = 0;
    uint32_t written = 0;
    guest_notify(g, queue);
    bool ok = guest_wait_used(g, queue, &used_head, &written);
    assert(ok && head == used_head);
    return written;
}

bool guest_wait_status(struct guest *g, uint32_t bit)
{
    for (unsigned i = 0; i < WAIT_STEPS; i++) {
        if (guest_reg(g, 0x70) & bit)
            return true;
        usleep(WAIT_STEP_US);
    }
    return false;
}
