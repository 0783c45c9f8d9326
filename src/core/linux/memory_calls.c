/* memory_calls.c: the calls that name ranges of memory without mapping any: advice, locking,
 * write-back; and System V shared memory.
 *
 * A range is cut down to what the guest owns before the kernel sees it (memory.c says why). Where
 * that leaves holes the answer is -ENOMEM behind what could be done, as the kernel has it.
 *
 * Source: Linux 6.1, mm/madvise.c, mm/mlock.c, mm/mincore.c, mm/msync.c, ipc/shm.c.
 */
#include "core/linux/memory_int.h"

#include <errno.h>
#include <linux/mman.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

/* call(start, size, third) for each part of [a[0], a[0] + a[1]) that the guest has. */
static int64_t for_owned(struct linux_thread *t, long call, const uint64_t a[6])
{
    const struct ranges *owned = &t->process->memory->owned;
    uint64_t start = linux_untag(a[0]), end = align_up(start + a[1], LINUX_PAGE), s, n;
    uint64_t from = align_down(start, LINUX_PAGE);
    bool hole = false;
    if (end < start || end > LINUX_ADDRESS_END || from == end || ranges_contain(owned, from, end))
        return syscall(call, start, a[1], a[2]) < 0 ? -errno : 0;
    while (from < end) {
        if (!ranges_next(owned, from, &s, &n) || s >= end) {
            hole = true;
            break;
        }
        hole |= s > from;
        s = s < from ? from : s;
        n = n > end ? end : n;
        if (syscall(call, s, n - s, a[2]) < 0 && errno != ENOMEM)
            return -errno;
        from = n;
    }
    return hole ? -ENOMEM : 0;
}

int64_t linux_sys_madvise(struct linux_thread *t, const uint64_t a[6])
{
    if (linux_untag(a[0]) % LINUX_PAGE)
        return -EINVAL;
    int64_t r = for_owned(t, SYS_madvise, a);
    switch ((int)a[2]) {
    case MADV_DONTNEED:
    case MADV_FREE:
    case MADV_REMOVE:
    case MADV_DONTNEED_LOCKED:
        linux_memory_changed(t->process, a[0], linux_untag(a[0]) + a[1]);
    }
    return r;
}

int64_t linux_sys_msync(struct linux_thread *t, const uint64_t a[6])
{
    if (linux_untag(a[0]) % LINUX_PAGE)
        return -EINVAL;
    return for_owned(t, SYS_msync, a);
}

int64_t linux_sys_mlock(struct linux_thread *t, const uint64_t a[6])
{
    return for_owned(t, SYS_mlock, a);
}

int64_t linux_sys_mlock2(struct linux_thread *t, const uint64_t a[6])
{
    if ((int)a[2] & ~MLOCK_ONFAULT)
        return -EINVAL;
    return for_owned(t, SYS_mlock2, a);
}

int64_t linux_sys_munlock(struct linux_thread *t, const uint64_t a[6])
{
    return for_owned(t, SYS_munlock, a);
}

/* The whole address space means the guest's: the host's call would lock our tables, too. Locking
 * without touching comes first, as only that can fail for the limit's sake. */
static int64_t lock_all(const struct linux_memory *m, bool touch)
{
    uint64_t from = 0, s, n;
    for (; ranges_next(&m->owned, from, &s, &n); from = n) {
        if (syscall(SYS_mlock2, s, n - s, MLOCK_ONFAULT) < 0)
            return -errno;
        if (touch)
            mlock((void *)s, n - s);
    }
    return 0;
}

int64_t linux_sys_mlockall(struct linux_thread *t, const uint64_t a[6])
{
    struct linux_memory *m = t->process->memory;
    int64_t r = 0;
    if (a[0] & ~(uint64_t)(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) || a[0] == 0 ||
        a[0] == MCL_ONFAULT)
        return -EINVAL;
    linux_memory_lock(t->process);
    if (a[0] & MCL_CURRENT)
        r = lock_all(m, !(a[0] & MCL_ONFAULT));
    if (r == 0)
        m->locks_future = a[0] & MCL_FUTURE ? getpid() : 0;
    linux_memory_unlock(t->process);
    return r;
}

int64_t linux_sys_munlockall(struct linux_thread *t, const uint64_t a[6])
{
    struct linux_memory *m = t->process->memory;
    uint64_t from = 0, s, n;
    linux_memory_lock(t->process);
    m->locks_future = 0;
    for (; ranges_next(&m->owned, from, &s, &n); from = n)
        munlock((void *)s, n - s);
    linux_memory_unlock(t->process);
    return 0;
}

int64_t linux_sys_mincore(struct linux_thread *t, const uint64_t a[6])
{
    uint64_t start = linux_untag(a[0]), end = align_up(start + a[1], LINUX_PAGE);
    if (start % LINUX_PAGE)
        return -EINVAL;
    if (end < start || (a[1] && !ranges_contain(&t->process->memory->owned, start, end)))
        return -ENOMEM;
    return syscall(SYS_mincore, start, a[1], linux_ptr(a[2])) < 0 ? -errno : 0;
}

int64_t linux_sys_remap_file_pages(struct linux_thread *t, const uint64_t a[6])
{
    uint64_t start = align_down(linux_untag(a[0]), LINUX_PAGE);
    uint64_t bytes = align_down(a[1], LINUX_PAGE);
    if (start + bytes < start || !ranges_contain(&t->process->memory->owned, start, start + bytes))
        return -EINVAL;
    int64_t r = syscall(SYS_remap_file_pages, start, a[1], a[2], a[3], a[4]) < 0 ? -errno : 0;
    linux_memory_changed(t->process, start, start + bytes);
    return r;
}

/* --- shared memory -----------------------------------------------------------------------------
 */

static int64_t remember(struct linux_memory *m, uint64_t start, uint64_t end)
{
    if (m->attached_count == m->attached_room) {
        unsigned room = m->attached_room ? 2 * m->attached_room : 16;
        struct linux_attached *more = realloc(m->attached, room * sizeof(*more));
        if (!more)
            return -ENOMEM;
        m->attached = more;
        m->attached_room = room;
    }
    m->attached[m->attached_count++] = (struct linux_attached){start, end};
    return 0;
}

/* arm64's SHMLBA is a page, as x86's. */
static int64_t attach_locked(struct linux_process *p, int id, uint64_t address, int flags)
{
    struct linux_memory *m = p->memory;
    struct shmid_ds info;
    if (m->attached_count >= LINUX_ATTACHED_MAX || shmctl(id, IPC_STAT, &info) < 0)
        return m->attached_count >= LINUX_ATTACHED_MAX ? -EMFILE : -errno;
    if (flags & SHM_RND)
        address = align_down(address, LINUX_PAGE);
    uint64_t end = address + align_up(info.shm_segsz, LINUX_PAGE);
    bool replace = flags & SHM_REMAP && address;
    if (address && (end < address || end > LINUX_ADDRESS_END || address % LINUX_PAGE))
        return -EINVAL;
    if (replace && linux_memory_claim(m, address, end) < 0)
        return -EINVAL;
    void *at = shmat(id, (void *)address, flags);
    int64_t r = at == (void *)-1 ? -errno : remember(m, (uint64_t)at, (uint64_t)at + end - address);
    if (r < 0) {
        if (at != (void *)-1)
            shmdt(at);
        if (replace)
            linux_memory_unclaim(m, address, end);
        return r;
    }
    linux_memory_book(p, (uint64_t)at, (uint64_t)at + end - address,
                      flags & SHM_EXEC ? PROT_EXEC : 0);
    return (int64_t)at;
}

int64_t linux_sys_shmat(struct linux_thread *t, const uint64_t a[6])
{
    linux_memory_lock(t->process);
    int64_t r = attach_locked(t->process, (int)a[0], linux_untag(a[1]), (int)a[2]);
    linux_memory_unlock(t->process);
    return r;
}

int64_t linux_sys_shmdt(struct linux_thread *t, const uint64_t a[6])
{
    struct linux_memory *m = t->process->memory;
    uint64_t start = linux_untag(a[0]);
    int64_t r = -EINVAL;
    linux_memory_lock(t->process);
    for (unsigned i = m->attached_count; i-- > 0;) {
        if (m->attached[i].start != start)
            continue;
        r = shmdt((void *)start) < 0 ? -errno : 0;
        if (r == 0)
            linux_memory_unbook(t->process, start, m->attached[i].end);
        m->attached[i] = m->attached[--m->attached_count];
        break;
    }
    linux_memory_unlock(t->process);
    return r;
}
