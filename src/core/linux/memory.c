/* memory.c: mmap and its kin.
 *
 * The guest shares the address space with this program, so every call that names addresses is
 * checked against the books: `owned` holds what the guest has mapped, and nothing outside of it is
 * ever replaced, unmapped or given other rights on its behalf. What the books do not have is free
 * or ours; the kernel tells which (MAP_FIXED_NOREPLACE), so nobody needs to list what is ours. To
 * the guest it looks taken: -ENOMEM.
 *
 * `executable` is what has PROT_EXEC. The translator asks it for each page it meets, without a
 * lock; whatever takes the right away, or changes contents under it, makes the translator forget.
 *
 * Limits: arm64 programs may hope for 48 bits of address, the host gives 47. A hint above that is
 * as good as none, MAP_FIXED there is -ENOMEM. A MAP_GROWSDOWN mapping grows, but what it grew by
 * is not in the books. Execute-only pages are readable (translation reads them).
 *
 * Source: Linux 6.1, mm/mmap.c, mm/mprotect.c, mm/mremap.c, arch/arm64/include/asm/mman.h.
 */
#include "core/linux/memory_int.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/hash.h"

/* From here on, in user mode's middle, what linux_memory_place_code() places: the kernel maps
 * things from the top down, programs lie below (loader.c). */
#define CODE_PLACES 0x600000000000ull

enum {
    /* x86's MAP_32BIT and MAP_ABOVE4G, which arm64 does not have and therefore ignores. */
    MAP_FLAGS_OF_HOST = 0xc0,
    PROT_BITS = PROT_READ | PROT_WRITE | PROT_EXEC,
    PROT_SEM_BIT = 8, /* asm-generic PROT_SEM, which does nothing */
};

static int host_prot(int prot)
{
    prot &= PROT_BITS;
    return prot & PROT_EXEC ? prot | PROT_READ : prot;
}

int linux_memory_new(struct linux_process *p, struct err *e)
{
    struct linux_memory *m = calloc(1, sizeof(*m));
    if (!m)
        return err_set_errno(e, ENOMEM, "address space");
    pthread_mutex_init(&m->lock, NULL);
    ranges_init(&m->owned);
    ranges_init(&m->executable);
    p->memory = m;
    return 0;
}

void linux_memory_lock(struct linux_process *p)
{
    pthread_mutex_lock(&p->memory->lock);
}

void linux_memory_unlock(struct linux_process *p)
{
    pthread_mutex_unlock(&p->memory->lock);
}

bool linux_memory_executable(const struct linux_process *p, uint64_t address)
{
    return ranges_contain(&p->memory->executable, address, address + 1);
}

bool linux_memory_code_range(const struct linux_process *p, uint64_t address, uint64_t *ret_start,
                             uint64_t *ret_end)
{
    uint64_t start, end;
    if (!ranges_next(&p->memory->executable, address, &start, &end) || start > address)
        return false;
    *ret_start = start;
    *ret_end = end;
    return true;
}

bool linux_memory_next(const struct linux_process *p, uint64_t from, uint64_t *ret_start,
                       uint64_t *ret_end)
{
    return ranges_next(&p->memory->owned, from, ret_start, ret_end);
}

static void forget(struct linux_process *p, uint64_t start, uint64_t end)
{
    if (p->translator)
        translator_code_changed_range(p->translator, linux_self ? linux_self->cpu : NULL, start,
                                      end);
}

void linux_memory_changed(struct linux_process *p, uint64_t start, uint64_t end)
{
    start = align_down(linux_untag(start), LINUX_PAGE);
    end = align_up(linux_untag(end), LINUX_PAGE);
    linux_rseq_memory_changed(p);
    if (ranges_touch(&p->memory->executable, start, end))
        forget(p, start, end);
}

void linux_memory_book(struct linux_process *p, uint64_t start, uint64_t end, int prot)
{
    struct linux_memory *m = p->memory;
    bool held_code = ranges_touch(&m->executable, start, end);
    linux_rseq_memory_changed(p);
    if (!ranges_contain(&m->owned, start, end))
        ranges_add(&m->owned, start, end);
    if (prot & PROT_EXEC)
        ranges_add(&m->executable, start, end);
    else if (held_code)
        ranges_remove(&m->executable, start, end);
    if (held_code)
        forget(p, start, end);
}

void linux_memory_unbook(struct linux_process *p, uint64_t start, uint64_t end)
{
    struct linux_memory *m = p->memory;
    bool held_code = ranges_touch(&m->executable, start, end);
    linux_rseq_memory_changed(p);
    ranges_remove(&m->owned, start, end);
    if (held_code) {
        ranges_remove(&m->executable, start, end);
        forget(p, start, end);
    }
}

/* --- what is not the guest's -------------------------------------------------------------------
 */

/* The first part of [from, end) that is not owned. */
static bool next_gap(const struct linux_memory *m, uint64_t from, uint64_t end, uint64_t *ret_start,
                     uint64_t *ret_end)
{
    while (from < end) {
        uint64_t s, n;
        if (!ranges_next(&m->owned, from, &s, &n) || s > from) {
            bool found = ranges_next(&m->owned, from, &s, &n) && s < end;
            *ret_start = from;
            *ret_end = found ? s : end;
            return true;
        }
        from = n;
    }
    return false;
}

static void release_gaps(struct linux_memory *m, uint64_t start, uint64_t end)
{
    uint64_t s, n;
    for (; next_gap(m, start, end, &s, &n); start = n)
        munmap((void *)s, n - s);
}

int linux_memory_claim(struct linux_memory *m, uint64_t start, uint64_t end)
{
    uint64_t s, n;
    for (uint64_t from = start; next_gap(m, from, end, &s, &n); from = n) {
        void *at = mmap((void *)s, n - s, PROT_NONE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
        if (at == (void *)s)
            continue;
        if (at != MAP_FAILED) /* a kernel that does not know NOREPLACE */
            munmap(at, n - s);
        release_gaps(m, start, s);
        return -ENOMEM;
    }
    return 0;
}

void linux_memory_unclaim(struct linux_memory *m, uint64_t start, uint64_t end)
{
    release_gaps(m, start, end);
}

/* --- mmap --------------------------------------------------------------------------------------
 */

static uint64_t rounded_size(uint64_t size_bytes, int flags)
{
    enum { HUGE_SHIFT_DEFAULT = 21 };
    unsigned shift = (unsigned)flags >> MAP_HUGE_SHIFT & MAP_HUGE_MASK;
    uint64_t page = LINUX_PAGE;
    if (flags & MAP_HUGETLB)
        page = 1ull << (shift ? shift : HUGE_SHIFT_DEFAULT);
    return align_up(size_bytes, page);
}

void linux_memory_place_code(struct linux_process *p, uint64_t seed)
{
    p->memory->places_code = true;
    p->memory->seed = seed;
}

/* Dynamic linkers map the whole span of a library, as its first segment or as nothing at all. */
static bool may_hold_code(int prot, int flags, uint64_t offset)
{
    const int unlike = MAP_GROWSDOWN | MAP_STACK | MAP_NORESERVE | MAP_HUGETLB | MAP_SHARED;
    bool nothing = flags & MAP_ANONYMOUS && prot == PROT_NONE;
    bool file = !(flags & MAP_ANONYMOUS) && offset == 0 && !(prot & PROT_WRITE);
    return !(flags & unlike) && (nothing || file);
}

/* A place that has nothing to do with what is mapped before: a library lies where it did even if
 * others come and go. 0: none is free. */
static uint64_t place_for_code(const struct linux_memory *m, uint64_t bytes)
{
    enum { TRIES = 8, SPAN_BITS = 34, ALIGN_BITS = 16, SLIDE_BITS = 40 };
    uint64_t base = CODE_PLACES + align_down(m->seed & ((1ull << SLIDE_BITS) - 1), LINUX_PAGE);
    for (unsigned i = 0; i < TRIES && bytes < 1ull << (SPAN_BITS - 4); i++) {
        uint64_t slot = hash_mix(m->seed ^ bytes ^ (uint64_t)i << 56) >> (64 - SPAN_BITS);
        uint64_t at = base + align_down(slot, 1ull << ALIGN_BITS);
        if (!ranges_touch(&m->owned, at, at + bytes))
            return at;
    }
    return 0;
}

static int64_t map_locked(struct linux_process *p, uint64_t address, uint64_t size_bytes, int prot,
                          int flags, int fd, uint64_t offset)
{
    struct linux_memory *m = p->memory;
    uint64_t bytes = rounded_size(size_bytes, flags), end = address + bytes;
    bool fixed = flags & (MAP_FIXED | MAP_FIXED_NOREPLACE), claimed = false;
    if (size_bytes == 0)
        return -EINVAL;
    if (bytes < size_bytes || bytes > LINUX_ADDRESS_END)
        return -ENOMEM;
    if (fixed && (end < address || end > LINUX_ADDRESS_END))
        return -ENOMEM;
    if (!fixed && (end < address || end > LINUX_ADDRESS_END))
        address = 0;
    bool replace = flags & MAP_FIXED && !(flags & MAP_FIXED_NOREPLACE);
    if (replace && address % LINUX_PAGE)
        return -EINVAL;
    if (replace && !ranges_touch(&m->owned, address, end)) {
        flags = (flags & ~MAP_FIXED) | MAP_FIXED_NOREPLACE;
    } else if (replace) {
        if (linux_memory_claim(m, address, end) < 0)
            return -ENOMEM;
        claimed = true;
    }
    if (m->locks_future && m->locks_future == getpid())
        flags |= MAP_LOCKED;
    if (m->places_code && !fixed && address == 0 && may_hold_code(prot, flags, offset))
        address = place_for_code(m, bytes); /* where that is taken the kernel chooses */
    void *at = mmap((void *)address, size_bytes, host_prot(prot), flags, fd, (off_t)offset);
    if (at == MAP_FAILED) {
        int error = errno;
        if (claimed)
            linux_memory_unclaim(m, address, end);
        return replace && error == EEXIST ? -ENOMEM : -error;
    }
    linux_memory_book(p, (uint64_t)at, (uint64_t)at + bytes, prot);
    return (int64_t)at;
}

int64_t linux_memory_map(struct linux_process *p, uint64_t address, uint64_t size_bytes, int prot,
                         int flags, int fd, uint64_t offset)
{
    linux_memory_lock(p);
    int64_t r = map_locked(p, address, size_bytes, prot, flags, fd, offset);
    linux_memory_unlock(p);
    return r;
}

int64_t linux_sys_mmap(struct linux_thread *t, const uint64_t a[6])
{
    int flags = (int)a[3];
    if (a[5] % LINUX_PAGE)
        return -EINVAL;
    if (flags & MAP_FLAGS_OF_HOST && (flags & MAP_TYPE) == MAP_SHARED_VALIDATE)
        return -EOPNOTSUPP;
    int64_t r = linux_memory_map(t->process, a[0], a[1], (int)a[2], flags & ~MAP_FLAGS_OF_HOST,
                                 (int)a[4], a[5]);
    if (r >= 0 && !(flags & MAP_ANONYMOUS))
        linux_uring_mapped(t->process, (int)a[4], a[5], (uint64_t)r);
    return r;
}

/* --- munmap, mprotect --------------------------------------------------------------------------
 */

/* Checks a range as the kernel does; its end, or a negative errno. */
static int64_t range_end(uint64_t start, uint64_t size_bytes)
{
    uint64_t bytes = align_up(size_bytes, LINUX_PAGE);
    if (start % LINUX_PAGE || start > LINUX_ADDRESS_END || bytes < size_bytes ||
        bytes > LINUX_ADDRESS_END - start)
        return -EINVAL;
    return (int64_t)(start + bytes);
}

/* Unmaps what the guest has in [start, end); holes are no error. */
static int64_t unmap_locked(struct linux_process *p, uint64_t start, uint64_t end)
{
    uint64_t s, n;
    while (start < end && ranges_next(&p->memory->owned, start, &s, &n) && s < end) {
        s = s < start ? start : s;
        n = n > end ? end : n;
        if (munmap((void *)s, n - s) < 0)
            return -errno;
        linux_memory_unbook(p, s, n);
        start = n;
    }
    return 0;
}

int64_t linux_memory_unmap(struct linux_process *p, uint64_t address, uint64_t size_bytes)
{
    int64_t end = range_end(address, size_bytes);
    if (end < 0 || size_bytes == 0)
        return -EINVAL;
    linux_memory_lock(p);
    int64_t r = unmap_locked(p, address, (uint64_t)end);
    linux_memory_unlock(p);
    return r;
}

int64_t linux_sys_munmap(struct linux_thread *t, const uint64_t a[6])
{
    return linux_memory_unmap(t->process, linux_untag(a[0]), a[1]);
}

int64_t linux_sys_mprotect(struct linux_thread *t, const uint64_t a[6])
{
    struct linux_process *p = t->process;
    struct linux_memory *m = p->memory;
    uint64_t start = linux_untag(a[0]), s, n;
    uint64_t prot = a[2] & ~(uint64_t)(PROT_GROWSDOWN | PROT_GROWSUP);
    if ((a[2] & (PROT_GROWSDOWN | PROT_GROWSUP)) == (PROT_GROWSDOWN | PROT_GROWSUP))
        return -EINVAL;
    int64_t end = range_end(start, a[1]), r = 0;
    if (end < 0)
        return start % LINUX_PAGE ? -EINVAL : -ENOMEM;
    if (a[1] == 0)
        return 0;
    if (prot & ~(uint64_t)(PROT_BITS | PROT_SEM_BIT)) /* no BTI, no MTE: arch_validate_prot() */
        return -EINVAL;
    /* The main stack does not grow by itself here: it is all there. */
    if (a[2] & PROT_GROWSDOWN && start >= p->layout.stack_bottom && start < p->layout.stack_top)
        start = p->layout.stack_bottom;
    linux_memory_lock(p);
    if (!ranges_next(&m->owned, start, &s, &n) || s > start) {
        r = -ENOMEM;
    } else {
        uint64_t stop = n < (uint64_t)end ? n : (uint64_t)end;
        if (mprotect((void *)start, stop - start, host_prot((int)prot)) < 0)
            r = -errno;
        else if (stop < (uint64_t)end)
            r = -ENOMEM;
        if (r == 0 || r == -ENOMEM)
            linux_memory_book(p, start, stop, (int)prot);
    }
    linux_memory_unlock(p);
    return r;
}

/* --- mremap ------------------------------------------------------------------------------------
 */

static int64_t remap_locked(struct linux_process *p, uint64_t old, uint64_t old_bytes,
                            uint64_t new_bytes, int flags, uint64_t to)
{
    struct linux_memory *m = p->memory;
    uint64_t end = to + new_bytes;
    bool fixed = flags & MREMAP_FIXED;
    bool code = ranges_touch(&m->executable, old, old + (old_bytes ? old_bytes : LINUX_PAGE));
    if (!ranges_contain(&m->owned, old, old + (old_bytes ? old_bytes : LINUX_PAGE)))
        return -EFAULT;
    if (fixed && (to % LINUX_PAGE || end < to || end > LINUX_ADDRESS_END))
        return -EINVAL;
    if (fixed && linux_memory_claim(m, to, end) < 0)
        return -ENOMEM;
    void *at = mremap((void *)old, old_bytes, new_bytes, flags, (void *)to);
    if (at == MAP_FAILED) {
        int error = errno;
        if (fixed)
            linux_memory_unclaim(m, to, end);
        return -error;
    }
    uint64_t now = (uint64_t)at;
    if (now != old && old_bytes && !(flags & MREMAP_DONTUNMAP))
        linux_memory_unbook(p, old, old + old_bytes);
    else if (now == old && new_bytes < old_bytes)
        linux_memory_unbook(p, old + new_bytes, old + old_bytes);
    else if (flags & MREMAP_DONTUNMAP && code)
        linux_memory_book(p, old, old + old_bytes,
                          PROT_EXEC); /* empty now: forget what was there */
    if (now != old || new_bytes > old_bytes)
        linux_memory_book(p, now, now + new_bytes, code ? PROT_EXEC : 0);
    return (int64_t)now;
}

int64_t linux_sys_mremap(struct linux_thread *t, const uint64_t a[6])
{
    uint64_t old = linux_untag(a[0]);
    uint64_t old_bytes = align_up(a[1], LINUX_PAGE), new_bytes = align_up(a[2], LINUX_PAGE);
    if (a[3] & ~(uint64_t)(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP))
        return -EINVAL;
    if (a[3] & MREMAP_FIXED && !(a[3] & MREMAP_MAYMOVE))
        return -EINVAL;
    if (a[3] & MREMAP_DONTUNMAP && (!(a[3] & MREMAP_MAYMOVE) || a[1] != a[2]))
        return -EINVAL;
    if (old % LINUX_PAGE || new_bytes == 0 || new_bytes > LINUX_ADDRESS_END ||
        old_bytes > LINUX_ADDRESS_END || old > LINUX_ADDRESS_END - old_bytes)
        return -EINVAL;
    linux_memory_lock(t->process);
    int64_t r = remap_locked(t->process, old, old_bytes, new_bytes, (int)a[3], a[4]);
    linux_memory_unlock(t->process);
    return r;
}

/* --- brk ---------------------------------------------------------------------------------------
 */

void linux_memory_set_brk(struct linux_process *p, uint64_t start)
{
    p->memory->brk_start = p->memory->brk = start;
    p->layout.brk_start = start;
}

/* Returns the new break, or the old one where it cannot be moved: brk(2) knows no errors. */
int64_t linux_sys_brk(struct linux_thread *t, const uint64_t a[6])
{
    struct linux_process *p = t->process;
    struct linux_memory *m = p->memory;
    linux_memory_lock(p);
    uint64_t now = align_up(m->brk, LINUX_PAGE), wanted = align_up(a[0], LINUX_PAGE);
    bool moved = a[0] >= m->brk_start && a[0] < LINUX_ADDRESS_END;
    if (moved && wanted > now)
        moved = map_locked(p, now, wanted - now, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) >= 0;
    if (moved && wanted < now)
        moved = unmap_locked(p, wanted, now) == 0;
    if (moved)
        m->brk = a[0];
    uint64_t r = m->brk;
    linux_memory_unlock(p);
    return (int64_t)r;
}

/* Where brk() stands, for /proc/self/maps. */
uint64_t linux_memory_brk(const struct linux_process *p)
{
    return p->memory->brk;
}
