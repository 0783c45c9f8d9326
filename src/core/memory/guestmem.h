/* guestmem.h: a machine's physical address space: RAM regions and what answers everywhere else.
 *
 * Built before the first vCPU runs and constant from then on, so readers take no lock. RAM is
 * mapped lazily; `fd` based so that a later release can share and snapshot it.
 */
#ifndef PENG_CORE_MEMORY_GUESTMEM_H
#define PENG_CORE_MEMORY_GUESTMEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { GUESTMEM_REGIONS_MAX = 16 };

struct guestmem_region {
    uint64_t base;       /* guest-physical */
    uint64_t size_bytes; /* multiple of 4 KiB */
    uint8_t *host;
    bool read_only; /* for the guest: flash in read mode; writes go to MMIO */
};

/* Answers accesses that no RAM region holds. size_bytes is 1, 2, 4 or 8, little-endian. Called on
 * vCPU threads without any lock held. Returns false where nothing is there (external abort). */
struct guestmem_mmio {
    void *ctx;
    bool (*read)(void *ctx, uint64_t address, unsigned size_bytes, uint64_t *value);
    bool (*write)(void *ctx, uint64_t address, unsigned size_bytes, uint64_t value);
};

struct guestmem {
    struct guestmem_region regions[GUESTMEM_REGIONS_MAX];
    unsigned region_count;
    struct guestmem_mmio mmio;
};

void guestmem_init(struct guestmem *mem, struct guestmem_mmio mmio);
/* Maps zeroed memory and adds it. Errors: ENOMEM, EINVAL (overlap, alignment), ENOSPC (too many).
 */
int guestmem_add_ram(struct guestmem *mem, uint64_t base, uint64_t size_bytes, bool read_only,
                     struct err *e);
void guestmem_done(struct guestmem *mem);

/* The region that holds `address`, or NULL. */
const struct guestmem_region *guestmem_find(const struct guestmem *mem, uint64_t address);

/* Host address of guest-physical [address, address + size) if one RAM region holds all of it (and,
 * for `write`, the region is writable), else NULL. The one checked way to guest memory. */
void *guestmem_ptr(const struct guestmem *mem, uint64_t address, uint64_t size_bytes, bool write);

/* Copies; false (nothing copied) where the range is not all RAM. */
bool guestmem_read(const struct guestmem *mem, uint64_t address, void *out, size_t size_bytes);
bool guestmem_write(const struct guestmem *mem, uint64_t address, const void *data,
                    size_t size_bytes);

#endif
