/* kvm_dirty.c: which pages the guest wrote, by ring where KVM has it, else by KVM's bitmap.
 *
 * With a ring (Linux, api.rst 8.29) the kernel notes each page once in a ring of the vCPU that
 * wrote it; it is write-protected again when its entry has been taken. So taking the log costs as
 * much as was written, not as much as the guest has memory, and a full ring takes its vCPU out of
 * the guest, which here empties it and goes on. Entries are gathered in bitmaps, as the contract
 * wants bits. Rings exist from the start, as KVM has it, and stay empty while nothing is logged.
 *
 * Where the kernel itself writes guest memory for no vCPU (arm64: the ITS's tables), a ring is no
 * use without the bitmap beside it, which kernels since 6.3 have; both are then asked.
 *
 * A KVM in software (kvm_x86_probe.c) was seen to leave the guest too late, with entries of a full
 * ring overwritten; there the bitmap is used.
 *
 * Limits: with a ring, what a vCPU in the guest has written may still be in a buffer of the CPU's
 * (Intel's PML) and then comes with a later call; a vCPU out of the guest has none.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "core/engine/kvm_int.h"

enum { RING_BYTES = 64 << 10, PAGE_BYTES = 4096 };

int kvm_dirty_init(struct engine *engine, struct err *e)
{
    struct kvm_dirty *dirty = &engine->dirty;
    pthread_mutex_init(&dirty->lock, NULL);
    enum engine_dirty_log log = engine->config.dirty_log;
    if (log == ENGINE_DIRTY_BITMAP || (log == ENGINE_DIRTY_AUTO && engine->in_software))
        return 0;
    int rc =
        kvm_enable_dirty_ring(&engine->vm, RING_BYTES, kvm_arch_ring_needs_bitmap, &dirty->bytes);
    dirty->beside = dirty->bytes && kvm_arch_ring_needs_bitmap;
    return rc < 0 ? err_set_errno(e, rc, "KVM's rings of written pages") : 0;
}

static void free_bitmaps(struct kvm_dirty *dirty)
{
    for (unsigned i = 0; i < GUESTMEM_REGIONS_MAX; i++) {
        free(dirty->bitmaps[i]);
        dirty->bitmaps[i] = NULL;
    }
}

void kvm_dirty_done(struct engine *engine)
{
    free_bitmaps(&engine->dirty);
    pthread_mutex_destroy(&engine->dirty.lock);
}

int kvm_dirty_init_vcpu(struct vcpu *vcpu, struct err *e)
{
    size_t bytes = vcpu->engine->dirty.bytes;
    return bytes ? kvm_map_dirty_ring(&vcpu->kvm, bytes, e) : 0;
}

static size_t bitmap_bytes(const struct guestmem_region *region)
{
    return align_up(region->size_bytes / PAGE_BYTES, 64) / 8;
}

/* --- emptying rings; all with the lock held ----------------------------------------------------
 */

/* A page of `slot`, whose upper half names an address space: 0 is all we have. */
static void note(struct engine *engine, uint32_t slot, uint64_t page)
{
    const struct guestmem *mem = engine->config.mem;
    uint64_t *bitmap = slot < mem->region_count ? engine->dirty.bitmaps[slot] : NULL;
    if (bitmap && page < mem->regions[slot].size_bytes / PAGE_BYTES)
        bitmap[page / 64] |= 1ull << page % 64;
}

/* Returns how many entries there were. */
static unsigned empty_ring(struct vcpu *vcpu)
{
    const unsigned entries = (unsigned)(vcpu->engine->dirty.bytes / sizeof(struct kvm_dirty_gfn));
    unsigned n = 0;
    for (; n < entries; n++, vcpu->ring_next++) {
        struct kvm_dirty_gfn *entry = &vcpu->kvm.ring[vcpu->ring_next % entries];
        if (!(__atomic_load_n(&entry->flags, __ATOMIC_ACQUIRE) & KVM_DIRTY_GFN_F_DIRTY))
            break;
        note(vcpu->engine, entry->slot, entry->offset);
        __atomic_store_n(&entry->flags, KVM_DIRTY_GFN_F_RESET, __ATOMIC_RELEASE);
    }
    return n;
}

static int empty_rings(struct engine *engine, struct err *e)
{
    unsigned n = 0;
    for (unsigned i = 0; engine->dirty.bytes && i < engine->vcpu_count; i++)
        n += empty_ring(&engine->vcpus[i]);
    int rc = n ? kvm_call_number(engine->vm.fd, KVM_RESET_DIRTY_RINGS, 0) : 0;
    return rc < 0 ? err_set_errno(e, rc, "KVM's rings of written pages") : 0;
}

int kvm_dirty_ring_full(struct vcpu *vcpu, struct err *e)
{
    struct engine *engine = vcpu->engine;
    pthread_mutex_lock(&engine->dirty.lock);
    int rc = empty_rings(engine, e);
    pthread_mutex_unlock(&engine->dirty.lock);
    return rc;
}

/* --- the contract ------------------------------------------------------------------------------
 */

int kvm_engine_log_dirty(struct engine *engine, bool on, struct err *e)
{
    struct kvm_dirty *dirty = &engine->dirty;
    const struct guestmem *mem = engine->config.mem;
    int rc = kvm_engine_add_memory(engine, on ? KVM_MEM_LOG_DIRTY_PAGES : 0, e);
    pthread_mutex_lock(&dirty->lock);
    if (rc == 0)
        free_bitmaps(dirty);
    for (unsigned i = 0; rc == 0 && on && i < mem->region_count; i++) {
        dirty->bitmaps[i] = calloc(1, bitmap_bytes(&mem->regions[i]));
        if (!dirty->bitmaps[i])
            abort();
    }
    if (rc == 0 && !on) /* what was not taken is forgotten */
        rc = empty_rings(engine, e);
    pthread_mutex_unlock(&dirty->lock);
    return rc;
}

/* Adds the kernel's bitmap to ours. */
static int take_kernels(struct engine *engine, unsigned region, struct err *e)
{
    const size_t bytes = bitmap_bytes(&engine->config.mem->regions[region]);
    uint64_t *more = calloc(1, bytes);
    if (!more)
        abort();
    int rc = kvm_take_dirty_log(&engine->vm, region, more, e);
    for (size_t i = 0; rc == 0 && i < bytes / 8; i++)
        engine->dirty.bitmaps[region][i] |= more[i];
    free(more);
    return rc;
}

int kvm_engine_take_dirty(struct engine *engine, unsigned region, uint64_t *bitmap, struct err *e)
{
    struct kvm_dirty *dirty = &engine->dirty;
    const struct guestmem_region *r = &engine->config.mem->regions[region];
    assert(region < engine->config.mem->region_count);
    pthread_mutex_lock(&dirty->lock);
    int rc = 0;
    if (!dirty->bitmaps[region])
        rc = err_set(e, EINVAL, "written pages are not logged");
    else if (!r->read_only && dirty->bytes)
        rc = empty_rings(engine, e);
    if (rc == 0 && !r->read_only && (!dirty->bytes || dirty->beside))
        rc = take_kernels(engine, region, e);
    if (rc == 0) {
        memcpy(bitmap, dirty->bitmaps[region], bitmap_bytes(r));
        memset(dirty->bitmaps[region], 0, bitmap_bytes(r));
    }
    pthread_mutex_unlock(&dirty->lock);
    return rc;
}
