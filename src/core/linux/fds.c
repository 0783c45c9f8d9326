/* fds.c: descriptors of ours in the guest's table: out of its way, and out of its reach.
 *
 * A guest descriptor is a host descriptor, so the few that we need ourselves (our own file, for
 * exec; where --strace prints) live in the same table. They are moved to high numbers, where the
 * lowest free number that open() returns does not get in practice, and for the guest they do not
 * exist: close(), dup(), dup3() onto one and fcntl() say EBADF, as for a number that is not open,
 * close_range() goes around them, and they are left out of /proc/self/fd.
 *
 * They stay under 1024, although the limit may be higher: the kernel copies the table up to the
 * highest descriptor at every fork, and select() knows no more.
 *
 * Limits: what only reads (fstat, read, sendmsg of one) is not intercepted; nothing is gained by
 * it.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/linux/linux_int.h"

enum { FDS_TOP = 1024, FDS_RESERVED = 32 };

static int high_number(void)
{
    struct rlimit limit;
    int top = FDS_TOP;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < FDS_TOP)
        top = (int)limit.rlim_cur;
    return top > FDS_RESERVED * 2 ? top - FDS_RESERVED : top / 2;
}

int linux_fd_keep(struct linux_process *p, int fd)
{
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, high_number());
    if (moved < 0) { /* no number is free up there: better low than not at all */
        moved = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    }
    int error = errno;
    close(fd);
    if (moved < 0)
        return -error;
    for (unsigned i = 0; i < ARRAY_SIZE(p->own_fds); i++) {
        int none = 0;
        if (atomic_compare_exchange_strong(&p->own_fds[i], &none, moved + 1))
            return moved;
    }
    close(moved);
    return -EMFILE;
}

void linux_fd_drop(struct linux_process *p, int fd)
{
    for (unsigned i = 0; i < ARRAY_SIZE(p->own_fds); i++) {
        int own = fd + 1;
        if (fd >= 0 && atomic_compare_exchange_strong(&p->own_fds[i], &own, 0))
            close(fd);
    }
}

bool linux_fd_is_ours(const struct linux_process *p, uint64_t fd)
{
    for (unsigned i = 0; i < ARRAY_SIZE(p->own_fds); i++)
        if ((uint32_t)atomic_load_explicit(&p->own_fds[i], memory_order_relaxed) ==
            (uint32_t)fd + 1)
            return (uint32_t)fd + 1 != 0;
    return false;
}

int64_t linux_sys_close(struct linux_thread *t, const uint64_t a[6])
{
    if (linux_fd_is_ours(t->process, a[0]))
        return -EBADF;
    return linux_host_call(t, SYS_close, a[0], 0, 0, 0, 0, 0);
}

int64_t linux_sys_dup(struct linux_thread *t, const uint64_t a[6])
{
    if (linux_fd_is_ours(t->process, a[0]))
        return -EBADF;
    return linux_host_call(t, SYS_dup, a[0], 0, 0, 0, 0, 0);
}

int64_t linux_sys_dup3(struct linux_thread *t, const uint64_t a[6])
{
    if (linux_fd_is_ours(t->process, a[0]) || linux_fd_is_ours(t->process, a[1]))
        return -EBADF;
    return linux_host_call(t, SYS_dup3, a[0], a[1], a[2], 0, 0, 0);
}

/* The lowest descriptor of ours in [first, last], or UINT32_MAX. */
static uint32_t first_own(const struct linux_process *p, uint32_t first, uint32_t last)
{
    uint32_t found = UINT32_MAX;
    for (unsigned i = 0; i < ARRAY_SIZE(p->own_fds); i++) {
        int own = atomic_load(&p->own_fds[i]);
        if (own && (uint32_t)own - 1 >= first && (uint32_t)own - 1 <= last &&
            (uint32_t)own - 1 < found)
            found = (uint32_t)own - 1;
    }
    return found;
}

/* In pieces between those of ours. CLOSE_RANGE_UNSHARE acts with the first piece that is done. */
int64_t linux_sys_close_range(struct linux_thread *t, const uint64_t a[6])
{
    uint32_t first = (uint32_t)a[0], last = (uint32_t)a[1];
    int64_t result = 0;
    do {
        uint32_t own = first <= last ? first_own(t->process, first, last) : UINT32_MAX;
        if (own != first || own == UINT32_MAX)
            result = linux_host_call(t, SYS_close_range, first, own == UINT32_MAX ? last : own - 1,
                                     a[2], 0, 0, 0);
        if (result < 0 || own == UINT32_MAX)
            break;
        first = own + 1;
    } while (first <= last);
    return result;
}

/* --- /proc/self/fd -------------------------------------------------------------------------------
 */

/* struct linux_dirent64 up to its name. */
struct entry {
    uint64_t inode, offset;
    uint16_t length;
    uint8_t type;
    char name[5]; /* of a number of ours: four digits at most */
};
static_assert(offsetof(struct entry, name) == 19, "struct linux_dirent64");

/* Whether the directory is the list of our own descriptors, or of those of a thread of ours. */
static bool lists_own_fds(int fd)
{
    char link[32], text[64], own[32];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, text, sizeof text - 1);
    size_t start = (size_t)snprintf(own, sizeof own, "/proc/%d/", getpid());
    if (length < 0 || strncmp(text, own, start) != 0)
        return false;
    text[length] = 0;
    const char *end = strrchr(text, '/');
    return strcmp(end, "/fd") == 0 || strcmp(end, "/fdinfo") == 0;
}

static bool names_own_fd(const struct linux_process *p, const struct entry *e)
{
    uint64_t number = 0;
    unsigned i = 0;
    for (; i < sizeof e->name && e->name[i] >= '0' && e->name[i] <= '9'; i++)
        number = number * 10 + (uint64_t)(e->name[i] - '0');
    return i > 0 && i < sizeof e->name && !e->name[i] && linux_fd_is_ours(p, number);
}

/* Moves the entries that stay over those that do not. -EFAULT: the guest took the memory away. */
static int64_t leave_out_own(const struct linux_process *p, uint64_t buffer, uint64_t size)
{
    uint64_t to = 0;
    for (uint64_t from = 0; from < size;) {
        struct entry e;
        uint8_t whole[512]; /* a name here is short */
        if (linux_read(buffer + from, &e, sizeof e) < 0 || e.length < sizeof e ||
            e.length > sizeof whole || linux_read(buffer + from, whole, e.length) < 0)
            return -EFAULT;
        if (!names_own_fd(p, &e)) {
            if (to != from && linux_write(buffer + to, whole, e.length) < 0)
                return -EFAULT;
            to += e.length;
        }
        from += e.length;
    }
    return (int64_t)to;
}

int64_t linux_sys_getdents64(struct linux_thread *t, const uint64_t a[6])
{
    for (;;) {
        int64_t r = linux_host_call(t, SYS_getdents64, a[0], a[1], a[2], 0, 0, 0);
        if (r <= 0 || !lists_own_fds((int)a[0]))
            return r;
        r = leave_out_own(t->process, a[1], (uint64_t)r);
        if (r) /* 0 would be the end; there may be more behind those that were all ours */
            return r;
    }
}
