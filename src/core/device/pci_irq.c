/* pci_irq.c: how a PCI function interrupts: MSI-X, or INTA# where the guest does not use that.
 *
 * A vector is sent as a message at once, or becomes a pending bit while it is masked (on its own,
 * by the function's mask, or as the function may not master the bus), to be sent when that ends
 * (Local Bus 3.0, 6.8.2 and 6.8.3). Raising a vector while MSI-X is off does nothing.
 *
 * Where the board's engine takes messages by eventfd (KVM_IRQFD), each vector has one, and sending
 * is a write to it. The engine is told a vector's message before the first write and the first
 * after the guest changed it: guests write entries often and in three parts, and a route costs the
 * kernel milliseconds.
 *
 * Limits: no MSI (Linux, EDK II and FreeBSD take MSI-X where both are offered).
 */
#include <assert.h>
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/bytes.h"
#include "core/device/pci_int.h"

enum {
    CAPABILITY_MSIX = 0x11,
    MSIX_CONTROL = 2, /* offset in the capability: u16, with the table's size less 1 below */
    MSIX_CONTROL_MASKED = 1 << 14,
    MSIX_CONTROL_ENABLE = 1 << 15,
    MSIX_BODY_BYTES = 10, /* control u16, table u32, pending bits u32 */

    ENTRY_BYTES = 16,
    ENTRY_MASKED = 1,
};

static_assert(sizeof(struct msix_entry) == ENTRY_BYTES, "Local Bus 3.0, figure 6-11");
static_assert(PCI_MSIX_VECTORS_MAX <= 64, "pending bits are one word");

void pci_add_msix(struct pci_function *fn, unsigned bar, unsigned vectors, uint32_t table_offset,
                  uint32_t pending_offset)
{
    assert(vectors >= 1 && vectors <= PCI_MSIX_VECTORS_MAX && bar < PCI_BARS);
    uint8_t body[MSIX_BODY_BYTES], writable[MSIX_BODY_BYTES] = {0};
    store_le(body, 2, vectors - 1);
    store_le(body + 2, 4, table_offset | bar); /* offsets are multiples of 8 */
    store_le(body + 6, 4, pending_offset | bar);
    store_le(writable, 2, MSIX_CONTROL_MASKED | MSIX_CONTROL_ENABLE);
    fn->vectors = vectors;
    fn->msix_capability = pci_add_capability(fn, CAPABILITY_MSIX, body, writable, sizeof(body));
    pci_irq_reset(fn);
}

unsigned pci_msix_vectors(const struct pci_function *fn)
{
    return fn->vectors;
}

/* --- state; all with irq_lock held -------------------------------------------------------------
 */

static bool can_send(const struct pci_function *fn, unsigned vector)
{
    return fn->msix_on && !fn->msix_masked && fn->bus_master &&
           !(fn->table[vector].control & ENTRY_MASKED);
}

static bool send_by_fd(struct pci_function *fn, unsigned vector)
{
    struct msix_wire *wire = &fn->wires[vector];
    const struct msix_entry *entry = &fn->table[vector];
    if (wire->fd < 0)
        return false;
    if (!wire->set || wire->address != entry->address || wire->data != entry->data) {
        bool works =
            pci_host_set_message_fd(fn->host, fn->slot, wire->fd, entry->address, entry->data);
        *wire = (struct msix_wire){wire->fd, true, works, entry->address, entry->data};
    }
    return wire->works && eventfd_write(wire->fd, 1) == 0;
}

static void send_pending(struct pci_function *fn)
{
    for (uint64_t waiting = fn->pending; waiting; waiting &= waiting - 1) {
        unsigned vector = (unsigned)__builtin_ctzll(waiting);
        if (!can_send(fn, vector))
            continue;
        fn->pending &= ~(1ull << vector);
        if (fn->host && !send_by_fd(fn, vector))
            pci_host_send(fn->host, fn->slot, fn->table[vector].address, fn->table[vector].data);
    }
}

static void set_pin(struct pci_function *fn)
{
    bool level = fn->intx_wanted && !fn->intx_off && !fn->msix_on;
    if (level == fn->intx_level || !fn->host)
        return;
    fn->intx_level = level;
    pci_host_set_pin(fn->host, fn->slot, level);
}

/* --- from the device ---------------------------------------------------------------------------
 */

bool pci_msix_enabled(struct pci_function *fn)
{
    pthread_mutex_lock(&fn->irq_lock);
    bool on = fn->msix_on;
    pthread_mutex_unlock(&fn->irq_lock);
    return on;
}

void pci_msix_raise(struct pci_function *fn, unsigned vector)
{
    if (vector >= fn->vectors)
        return;
    pthread_mutex_lock(&fn->irq_lock);
    if (fn->msix_on) {
        fn->pending |= 1ull << vector;
        send_pending(fn);
    }
    pthread_mutex_unlock(&fn->irq_lock);
}

void pci_intx_set(struct pci_function *fn, bool level)
{
    pthread_mutex_lock(&fn->irq_lock);
    fn->intx_wanted = level;
    set_pin(fn);
    pthread_mutex_unlock(&fn->irq_lock);
}

/* --- from the guest ----------------------------------------------------------------------------
 */

void pci_irq_update(struct pci_function *fn)
{
    uint16_t command = (uint16_t)load_le(fn->config + PCI_COMMAND, 2);
    uint16_t control = fn->msix_capability
                           ? (uint16_t)load_le(fn->config + fn->msix_capability + MSIX_CONTROL, 2)
                           : 0;
    pthread_mutex_lock(&fn->irq_lock);
    fn->bus_master = command & PCI_COMMAND_MASTER;
    fn->intx_off = command & PCI_COMMAND_INTX_OFF;
    fn->msix_masked = control & MSIX_CONTROL_MASKED;
    fn->msix_on = control & MSIX_CONTROL_ENABLE;
    if (!fn->msix_on)
        fn->pending = 0;
    send_pending(fn);
    set_pin(fn);
    pthread_mutex_unlock(&fn->irq_lock);
}

void pci_irq_reset(struct pci_function *fn)
{
    pthread_mutex_lock(&fn->irq_lock);
    for (unsigned i = 0; i < fn->vectors; i++)
        fn->table[i] = (struct msix_entry){.control = ENTRY_MASKED};
    fn->pending = 0;
    fn->intx_wanted = false;
    pthread_mutex_unlock(&fn->irq_lock);
    pci_irq_update(fn);
}

int pci_irq_plug(struct pci_function *fn, struct err *e)
{
    for (unsigned i = 0; i < fn->vectors && pci_host_has_message_fds(fn->host); i++) {
        fn->wires[i].fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (fn->wires[i].fd < 0)
            return err_set_errno(e, errno, "a PCI device's interrupts");
    }
    return 0;
}

void pci_irq_done(struct pci_function *fn)
{
    for (unsigned i = 0; i < fn->vectors; i++)
        if (fn->wires[i].fd >= 0)
            close(fn->wires[i].fd);
}

/* Local Bus 3.0, 6.8.2: aligned accesses of 4 or 8 bytes; what else is undefined reads as zero and
 * writes nothing. */
static bool in_table(const struct pci_function *fn, uint64_t offset, unsigned size_bytes)
{
    return (size_bytes == 4 || size_bytes == 8) && offset % size_bytes == 0 &&
           offset < (uint64_t)fn->vectors * ENTRY_BYTES;
}

uint64_t pci_msix_table_read(struct pci_function *fn, uint64_t offset, unsigned size_bytes)
{
    if (!in_table(fn, offset, size_bytes))
        return 0;
    pthread_mutex_lock(&fn->irq_lock);
    uint64_t value = load_le((const uint8_t *)fn->table + offset, size_bytes);
    pthread_mutex_unlock(&fn->irq_lock);
    return value;
}

void pci_msix_table_write(struct pci_function *fn, uint64_t offset, unsigned size_bytes,
                          uint64_t value)
{
    if (!in_table(fn, offset, size_bytes))
        return;
    pthread_mutex_lock(&fn->irq_lock);
    store_le((uint8_t *)fn->table + offset, size_bytes, value);
    struct msix_entry *entry = &fn->table[offset / ENTRY_BYTES];
    entry->control &= ENTRY_MASKED; /* the other bits are reserved */
    entry->address &= ~3ull;
    send_pending(fn);
    pthread_mutex_unlock(&fn->irq_lock);
}

uint64_t pci_msix_pending_read(struct pci_function *fn, uint64_t offset, unsigned size_bytes)
{
    if ((size_bytes != 4 && size_bytes != 8) || offset % size_bytes || offset >= 8)
        return 0;
    pthread_mutex_lock(&fn->irq_lock);
    uint64_t value = load_le((const uint8_t *)&fn->pending + offset, size_bytes);
    pthread_mutex_unlock(&fn->irq_lock);
    return value;
}
