/* guestmem.c: regions in an array sorted by nothing: a machine has a handful, and the hot paths
 * keep host addresses in their own TLB.
 *
 * RAM asks for huge pages, and lies so that one of the host is one of the guest: a guest under KVM
 * that meets its memory for the first time then leaves once for 2 MiB instead of 512 times.
 */
#include "core/memory/guestmem.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/bytes.h"

enum { PAGE_BYTES = 4096, HUGE_BYTES = 2 << 20 };

void guestmem_init(struct guestmem *mem, struct guestmem_mmio mmio)
{
    *mem = (struct guestmem){.mmio = mmio};
}

static bool overlaps(const struct guestmem_region *r, uint64_t base, uint64_t size_bytes)
{
    return base < r->base + r->size_bytes && r->base < base + size_bytes;
}

/* Memory whose address is a multiple of HUGE_BYTES, so that the host may use huge pages where an
 * engine asks for them; NULL: errno says why not. */
static void *map_ram(uint64_t size_bytes)
{
    uint8_t *map = mmap(NULL, size_bytes + HUGE_BYTES, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (map == MAP_FAILED)
        return NULL;
    size_t before = (size_t)(align_up((uintptr_t)map, HUGE_BYTES) - (uintptr_t)map);
    if (before)
        munmap(map, before);
    munmap(map + before + size_bytes, HUGE_BYTES - before);
    return map + before;
}

int guestmem_add_ram(struct guestmem *mem, uint64_t base, uint64_t size_bytes, bool read_only,
                     struct err *e)
{
    if (mem->region_count == GUESTMEM_REGIONS_MAX)
        return err_set(e, ENOSPC, "too many memory regions");
    if (size_bytes == 0 || (base | size_bytes) % PAGE_BYTES || base + size_bytes < base)
        return err_set(e, EINVAL, "memory region 0x%llx+0x%llx is not page-aligned",
                       (unsigned long long)base, (unsigned long long)size_bytes);
    for (unsigned i = 0; i < mem->region_count; i++)
        if (overlaps(&mem->regions[i], base, size_bytes))
            return err_set(e, EINVAL, "memory region 0x%llx overlaps another",
                           (unsigned long long)base);
    void *host = map_ram(size_bytes);
    if (!host)
        return err_set_errno(e, errno, "cannot map %llu MiB of guest memory",
                             (unsigned long long)(size_bytes >> 20));
    mem->regions[mem->region_count++] = (struct guestmem_region){base, size_bytes, host, read_only};
    return 0;
}

void guestmem_done(struct guestmem *mem)
{
    for (unsigned i = 0; i < mem->region_count; i++)
        munmap(mem->regions[i].host, mem->regions[i].size_bytes);
    mem->region_count = 0;
}

const struct guestmem_region *guestmem_find(const struct guestmem *mem, uint64_t address)
{
    for (unsigned i = 0; i < mem->region_count; i++)
        if (address - mem->regions[i].base < mem->regions[i].size_bytes)
            return &mem->regions[i];
    return NULL;
}

void *guestmem_ptr(const struct guestmem *mem, uint64_t address, uint64_t size_bytes, bool write)
{
    const struct guestmem_region *r = guestmem_find(mem, address);
    if (!r || (write && r->read_only))
        return NULL;
    uint64_t offset = address - r->base;
    return size_bytes <= r->size_bytes - offset ? r->host + offset : NULL;
}

bool guestmem_read(const struct guestmem *mem, uint64_t address, void *out, size_t size_bytes)
{
    const void *p = guestmem_ptr(mem, address, size_bytes, false);
    if (!p)
        return false;
    memcpy(out, p, size_bytes);
    return true;
}

bool guestmem_write(const struct guestmem *mem, uint64_t address, const void *data,
                    size_t size_bytes)
{
    void *p = guestmem_ptr(mem, address, size_bytes, true);
    if (!p)
        return false;
    memcpy(p, data, size_bytes);
    return true;
}
