/* pci_config.c: a PCI function's configuration space: header, BARs, capabilities.
 *
 * It is 256 bytes with a mask of the bits that the guest may write; the header, BAR sizing (write
 * all ones, read back the size: Local Bus 3.0, 6.2.5.1) and most capabilities need nothing else.
 * After a write, whatever derives from it is worked out again: where BARs answer, and the copies
 * that interrupts look at.
 *
 * A BAR answers where the guest put it while memory decoding is on. That is one atomic word, so
 * other vCPUs find it without a lock; one that accesses a BAR just when it moves meets the old
 * place or the new one. A BAR over RAM or over other devices hides nothing: only accesses to the
 * host's windows come here.
 *
 * Limits: memory BARs only (no I/O space), type 0 headers, no expansion ROM, no extended
 * capabilities.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "core/device/pci_int.h"

enum { BAR_64 = 4, BAR_BYTES_MIN = 4096, CAPABILITY_ALIGNMENT = 4 };

static const uint16_t COMMAND_WRITABLE = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
                                         PCI_COMMAND_PARITY | PCI_COMMAND_SERR |
                                         PCI_COMMAND_INTX_OFF;

/* --- building ----------------------------------------------------------------------------------
 */

static void put(struct pci_function *fn, unsigned offset, unsigned size_bytes, uint64_t value)
{
    store_le(fn->initial + offset, size_bytes, value);
    store_le(fn->config + offset, size_bytes, value);
}

void pci_add_register(struct pci_function *fn, unsigned offset, unsigned size_bytes, uint64_t value,
                      uint64_t writable)
{
    assert(offset + size_bytes <= PCI_CONFIG_BYTES);
    put(fn, offset, size_bytes, value);
    store_le(fn->writable + offset, size_bytes, writable);
}

struct pci_function *pci_function_new(const struct pci_identity *identity,
                                      const struct pci_function_ops *ops, void *ctx)
{
    static const struct pci_function_ops none = {0};
    struct pci_function *fn = calloc(1, sizeof(*fn));
    if (!fn)
        abort();
    fn->ops = ops ? ops : &none;
    fn->ctx = ctx;
    pthread_mutex_init(&fn->lock, NULL);
    pthread_mutex_init(&fn->irq_lock, NULL);
    put(fn, PCI_VENDOR, 2, identity->vendor);
    put(fn, PCI_DEVICE, 2, identity->device);
    put(fn, PCI_REVISION, 1, identity->revision);
    put(fn, PCI_CLASS, 3, identity->class_code);
    put(fn, PCI_SUBSYSTEM_VENDOR, 2, identity->subsystem_vendor);
    put(fn, PCI_SUBSYSTEM, 2, identity->subsystem);
    put(fn, PCI_INTERRUPT_PIN, 1, identity->has_pin);
    store_le(fn->writable + PCI_COMMAND, 2, COMMAND_WRITABLE);
    fn->writable[PCI_INTERRUPT_LINE] = 0xff; /* a note of the guest's to itself */
    fn->capabilities_end = PCI_HEADER_BYTES;
    fn->last_link = PCI_CAPABILITIES;
    for (unsigned i = 0; i < PCI_BARS; i++)
        atomic_init(&fn->bars[i].address, PCI_UNMAPPED);
    for (unsigned i = 0; i < PCI_MSIX_VECTORS_MAX; i++)
        fn->wires[i].fd = -1;
    return fn;
}

void pci_function_free(struct pci_function *fn)
{
    if (!fn)
        return;
    pci_irq_done(fn);
    pthread_mutex_destroy(&fn->lock);
    pthread_mutex_destroy(&fn->irq_lock);
    free(fn);
}

void pci_add_bar(struct pci_function *fn, unsigned bar, uint64_t size_bytes, bool is_64,
                 const struct bus_device_ops *ops, void *ctx)
{
    assert(bar + is_64 < PCI_BARS && !fn->bars[bar].size_bytes);
    assert(size_bytes >= BAR_BYTES_MIN && (size_bytes & (size_bytes - 1)) == 0);
    assert(is_64 || size_bytes <= 1u << 31);
    struct pci_bar *b = &fn->bars[bar];
    b->size_bytes = size_bytes;
    b->is_64 = is_64;
    b->ops = ops;
    b->ctx = ctx;
    put(fn, PCI_BAR0 + 4 * bar, 4, is_64 ? BAR_64 : 0);
    store_le(fn->writable + PCI_BAR0 + 4 * bar, is_64 ? 8 : 4, ~(size_bytes - 1));
}

unsigned pci_add_capability(struct pci_function *fn, uint8_t id, const void *body,
                            const void *writable, unsigned body_bytes)
{
    unsigned at = fn->capabilities_end;
    assert(at + 2 + body_bytes <= PCI_CONFIG_BYTES);
    put(fn, fn->last_link, 1, at);
    put(fn, PCI_STATUS, 2, PCI_STATUS_CAPABILITIES);
    put(fn, at, 1, id);
    memcpy(fn->initial + at + 2, body, body_bytes);
    memcpy(fn->config + at + 2, body, body_bytes);
    if (writable)
        memcpy(fn->writable + at + 2, writable, body_bytes);
    fn->last_link = at + 1;
    fn->capabilities_end = (unsigned)align_up(at + 2 + body_bytes, CAPABILITY_ALIGNMENT);
    return at;
}

uint8_t *pci_config_bytes(struct pci_function *fn)
{
    return fn->config;
}

/* --- BARs --------------------------------------------------------------------------------------
 */

static bool inside(const struct pci_bar *b, uint64_t offset, unsigned size_bytes)
{
    return offset < b->size_bytes && size_bytes <= b->size_bytes - offset;
}

uint64_t pci_bar_read(struct pci_function *fn, unsigned bar, uint64_t offset, unsigned size_bytes)
{
    const struct pci_bar *b = bar < PCI_BARS ? &fn->bars[bar] : NULL;
    if (!b || !inside(b, offset, size_bytes))
        return bits(UINT64_MAX, 0, 8 * size_bytes);
    return b->ops->read(b->ctx, offset, size_bytes);
}

void pci_bar_write(struct pci_function *fn, unsigned bar, uint64_t offset, unsigned size_bytes,
                   uint64_t value)
{
    const struct pci_bar *b = bar < PCI_BARS ? &fn->bars[bar] : NULL;
    if (b && inside(b, offset, size_bytes))
        b->ops->write(b->ctx, offset, size_bytes, value);
}

/* Lock held (or no vCPU runs): BARs answer where configuration space says. */
static void map_bars(struct pci_function *fn)
{
    bool decodes = load_le(fn->config + PCI_COMMAND, 2) & PCI_COMMAND_MEMORY;
    for (unsigned i = 0; i < PCI_BARS; i++) {
        struct pci_bar *b = &fn->bars[i];
        if (!b->size_bytes)
            continue;
        uint64_t value = load_le(fn->config + PCI_BAR0 + 4 * i, b->is_64 ? 8 : 4);
        uint64_t address = decodes ? align_down(value, b->size_bytes) : PCI_UNMAPPED;
        if (address == b->address)
            continue;
        b->address = address;
        if (fn->ops->moved)
            fn->ops->moved(fn->ctx, i, address);
    }
}

/* --- the guest's accesses ----------------------------------------------------------------------
 */

static bool is_access(unsigned offset, unsigned size_bytes)
{
    return (size_bytes == 1 || size_bytes == 2 || size_bytes == 4) && offset % size_bytes == 0;
}

uint32_t pci_function_config_read(struct pci_function *fn, unsigned offset, unsigned size_bytes)
{
    if (!is_access(offset, size_bytes))
        return UINT32_MAX;
    if (offset >= PCI_CONFIG_BYTES)
        return 0; /* where an extended capability would be: there is none */
    pthread_mutex_lock(&fn->lock);
    if (fn->ops->config_read)
        fn->ops->config_read(fn->ctx, offset, size_bytes);
    uint32_t value = (uint32_t)load_le(fn->config + offset, size_bytes);
    pthread_mutex_unlock(&fn->lock);
    if (offset <= PCI_STATUS && PCI_STATUS < offset + size_bytes) {
        pthread_mutex_lock(&fn->irq_lock);
        if (fn->intx_wanted)
            value |= (uint32_t)PCI_STATUS_INTX << 8 * (PCI_STATUS - offset);
        pthread_mutex_unlock(&fn->irq_lock);
    }
    return value;
}

void pci_function_config_write(struct pci_function *fn, unsigned offset, unsigned size_bytes,
                               uint32_t value)
{
    if (!is_access(offset, size_bytes) || offset >= PCI_CONFIG_BYTES)
        return;
    pthread_mutex_lock(&fn->lock);
    uint32_t mask = (uint32_t)load_le(fn->writable + offset, size_bytes);
    uint32_t old = (uint32_t)load_le(fn->config + offset, size_bytes);
    store_le(fn->config + offset, size_bytes, (old & ~mask) | (value & mask));
    if (fn->ops->config_written)
        fn->ops->config_written(fn->ctx, offset, size_bytes);
    if (offset < PCI_HEADER_BYTES)
        map_bars(fn);
    pci_irq_update(fn);
    pthread_mutex_unlock(&fn->lock);
}

void pci_function_reset(struct pci_function *fn)
{
    pthread_mutex_lock(&fn->lock);
    memcpy(fn->config, fn->initial, sizeof(fn->config));
    map_bars(fn);
    pci_irq_reset(fn);
    pthread_mutex_unlock(&fn->lock);
}
