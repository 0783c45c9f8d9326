/* codemem.c: one memfd, two mappings; or one private one. Both views lie anywhere; code must reach
 * outside by absolute addresses or through its state register.
 *
 * Small pages of a memfd are dear: each is met by two faults, one in each view (3 us together
 * here), and megabytes of code do not fit the host's instruction TLB. Huge ones a memfd has by the
 * host's settings alone (shmem_enabled, seldom other than "never"), but to be made of what is there
 * already (MADV_COLLAPSE, Linux 6.1). So codemem_prepare() touches one small page of each huge one
 * before the code comes, and has the kernel put the huge one in its place: that takes a tenth of
 * the time. Several are asked for at once, as each call waits for all CPUs' lists of pages. Where
 * it cannot be had, all stays as it was.
 */
#include "hardware/codemem.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bytes.h"

enum { HUGE_BYTES = LAZYMEM_HUGE, PREPARED_AT_ONCE = 2 * HUGE_BYTES };
enum { COLLAPSE = 25 }; /* MADV_COLLAPSE of linux/mman.h, which glibc's headers lack */

/* One view, where a huge page of the file may be one of the address space. */
static void *map_view(int fd, size_t size_bytes, int rights)
{
    uint8_t *room = mmap(NULL, size_bytes + HUGE_BYTES, PROT_NONE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED)
        return MAP_FAILED;
    uint8_t *at = (uint8_t *)align_up((uintptr_t)room, HUGE_BYTES);
    if (at > room)
        munmap(room, (size_t)(at - room));
    munmap(at + size_bytes, HUGE_BYTES - (size_t)(at - room));
    void *view = mmap(at, size_bytes, rights, MAP_SHARED | MAP_FIXED, fd, 0);
    if (view == MAP_FAILED)
        munmap(at, size_bytes);
    return view;
}

int codemem_init(struct codemem *mem, size_t size_bytes, struct err *e)
{
    int fd = memfd_create("peng-code", MFD_CLOEXEC);
    if (fd < 0)
        return err_set_errno(e, errno, "code memory");
    int r = 0;
    void *write_view = MAP_FAILED, *run_view = MAP_FAILED;
    if (ftruncate(fd, (off_t)size_bytes) == 0) {
        write_view = map_view(fd, size_bytes, PROT_READ | PROT_WRITE);
        run_view = map_view(fd, size_bytes, PROT_READ | PROT_EXEC);
    }
    if (write_view == MAP_FAILED || run_view == MAP_FAILED) {
        r = err_set_errno(e, errno, "cannot map %zu MiB of code memory", size_bytes >> 20);
        if (write_view != MAP_FAILED)
            munmap(write_view, size_bytes);
        if (run_view != MAP_FAILED)
            munmap(run_view, size_bytes);
    } else {
        *mem = (struct codemem){write_view, run_view, size_bytes, {0}};
    }
    close(fd);
    return r;
}

int codemem_init_private(struct codemem *mem, void *where, size_t size_bytes, struct err *e)
{
    struct lazymem both;
    int r = lazymem_init(&both, where, 0, size_bytes, PROT_READ | PROT_WRITE | PROT_EXEC, e);
    if (r < 0)
        return err_prefix(e, "code memory");
    *mem = (struct codemem){both.at, both.at, size_bytes, both};
    return 0;
}

uint8_t *codemem_prepare(struct codemem *mem, uint8_t *at, const uint8_t *end)
{
    size_t first = align_down((size_t)(at - mem->write), HUGE_BYTES);
    size_t last = align_up((size_t)(end - mem->write), HUGE_BYTES);
    if (last - first > PREPARED_AT_ONCE)
        last = first + PREPARED_AT_ONCE;
    size_t whole = align_down(mem->size_bytes, HUGE_BYTES);
    size_t behind = last < whole ? last : whole;
    if (!mem->both.map && first < behind) {
        for (size_t block = first; block < behind; block += HUGE_BYTES) {
            volatile uint8_t *byte = &mem->write[block];
            *byte = *byte;
        }
        madvise(mem->write + first, behind - first, COLLAPSE);
    }
    return mem->write + last;
}

void codemem_done(struct codemem *mem)
{
    if (mem->both.map) {
        lazymem_done(&mem->both);
    } else if (mem->write) {
        munmap(mem->write, mem->size_bytes);
        munmap(mem->run, mem->size_bytes);
    }
    *mem = (struct codemem){0};
}
