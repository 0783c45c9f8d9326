/* lazymem.c: small pages end where a huge one may begin, so the kernel has to be told twice at
 * most. Where it has no huge pages, or none to spare, all are small.
 */
#include "hardware/lazymem.h"

#include <errno.h>
#include <sys/mman.h>

#include "base/bytes.h"

size_t lazymem_span(size_t front_bytes, size_t size_bytes)
{
    return align_up(front_bytes, 4096) + size_bytes + LAZYMEM_HUGE;
}

int lazymem_init(struct lazymem *mem, void *where, size_t front_bytes, size_t size_bytes,
                 int rights, struct err *e)
{
    size_t bytes = lazymem_span(front_bytes, size_bytes);
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (where ? MAP_FIXED_NOREPLACE : 0);
    uint8_t *map = mmap(where, bytes, rights, flags, -1, 0);
    if (map == MAP_FAILED)
        return err_set_errno(e, errno, "cannot map %zu MiB", bytes >> 20);
    if (where && map != where) { /* a kernel that does not know NOREPLACE */
        munmap(map, bytes);
        return err_set_errno(e, EEXIST, "cannot map %zu MiB", bytes >> 20);
    }
    uint8_t *huge = map + align_up(front_bytes, 4096) + LAZYMEM_SMALL;
    huge = (uint8_t *)align_up((uintptr_t)huge, LAZYMEM_HUGE);
    *mem = (struct lazymem){.at = huge - LAZYMEM_SMALL,
                            .front = huge - LAZYMEM_SMALL - align_up(front_bytes, 4096),
                            .size_bytes = size_bytes,
                            .map = map,
                            .map_bytes = bytes};
    if (size_bytes > LAZYMEM_SMALL + LAZYMEM_HUGE)
        madvise(huge, size_bytes - LAZYMEM_SMALL, MADV_HUGEPAGE);
    return 0;
}

uint8_t *lazymem_start_small(struct lazymem *mem, uint8_t *at)
{
    uint8_t *huge = (uint8_t *)align_down((uintptr_t)at + LAZYMEM_SMALL, LAZYMEM_HUGE);
    if (huge - LAZYMEM_SMALL < mem->at + LAZYMEM_HUGE) /* too near to the start to matter */
        return at;
    madvise(huge - LAZYMEM_SMALL, LAZYMEM_SMALL, MADV_NOHUGEPAGE);
    return huge - LAZYMEM_SMALL;
}

void lazymem_done(struct lazymem *mem)
{
    if (mem->map)
        munmap(mem->map, mem->map_bytes);
    *mem = (struct lazymem){0};
}
