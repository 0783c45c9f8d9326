/* sys_path.c: calls that take a path that may need a look: opening, access, readlink and stat.
 *
 * Most paths go to the kernel as they are, by the guest's own pointer. Two kinds do not: those into
 * /proc, where the guest must find itself and not the program that runs it (procfs.c knows), and
 * absolute ones where a sysroot was given, which wins where it has the file, as with qemu's -L. To
 * tell, the first bytes of the path are looked at; relative paths are read whole, as their
 * directory may be one of /proc.
 *
 * Limits: another thread that rewrites the path meanwhile may have the kernel see a path that was
 * not looked at; it gains the host's view of /proc, which is the user's anyway. Other calls that
 * take paths (chdir, rename, xattr, mount ...) know neither sysroot nor procfs.c, as with qemu.
 *
 * Source: Linux 6.1, fs/open.c, fs/stat.c; include/uapi/asm-generic/stat.h for struct stat, which
 * x86-64 has laid out differently.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/linux/sys_int.h"

static const char proc_prefix[] = "/proc";

/* --- paths ------------------------------------------------------------------------------------ */

void linux_path_take(const struct linux_thread *t, uint64_t dirfd, uint64_t address,
                     struct linux_path *ret_path)
{
    enum { PREFIX = sizeof(proc_prefix) - 1 };
    char head[PREFIX + 1] = "";
    ret_path->guest = address;
    ret_path->dirfd = (int)dirfd;
    ret_path->special = false;
    ssize_t n = linux_read_string(address, head, PREFIX);
    if (n < 0 && n != -ENAMETOOLONG)
        return;
    bool absolute = head[0] == '/';
    if (absolute && !t->process->config->sysroot && memcmp(head, proc_prefix, PREFIX))
        return;
    ret_path->special = linux_read_string(address, ret_path->text, sizeof(ret_path->text)) > 0;
}

uint64_t linux_path_place(struct linux_thread *t, struct linux_path *path, bool follow)
{
    if (!path->special)
        return path->guest;
    char *out = path->elsewhere;
    if (follow && linux_proc_follow(t, path->dirfd, path->text, out, PATH_MAX))
        return (uintptr_t)out;
    const char *root = t->process->config->sysroot;
    if (root && path->text[0] == '/' &&
        snprintf(out, PATH_MAX, "%s%s", root, path->text) < PATH_MAX &&
        !faccessat(AT_FDCWD, out, F_OK, AT_SYMLINK_NOFOLLOW))
        return (uintptr_t)out;
    return path->guest;
}

/* --- open ---------------------------------------------------------------------------------------
 */

static bool opens_link_itself(uint64_t host_flags)
{
    return (host_flags & O_NOFOLLOW) != 0;
}

int64_t linux_sys_openat(struct linux_thread *t, const uint64_t a[6])
{
    struct linux_path path;
    int64_t result;
    uint64_t flags = linux_swap_open_flags((uint32_t)a[2]);
    linux_path_take(t, a[0], a[1], &path);
    if (path.special && linux_proc_open(t, path.dirfd, path.text, (int)flags, &result))
        return result;
    uint64_t place = linux_path_place(t, &path, !opens_link_itself(flags));
    return linux_host_call(t, SYS_openat, a[0], place, flags, a[3], 0, 0);
}

/* struct open_how may grow: whatever follows the flags goes to the kernel as it is, to be refused
 * where it is younger than the kernel. */
int64_t linux_sys_openat2(struct linux_thread *t, const uint64_t a[6])
{
    union {
        struct open_how how;
        char bytes[LINUX_PAGE];
    } copy;
    struct linux_path path;
    int64_t result;
    uint64_t size = a[3];
    if (size < sizeof(copy.how) || size > sizeof(copy)) /* refused by its size alone */
        return linux_host_call(t, SYS_openat2, a[0], a[1], a[2], size, 0, 0);
    if (linux_read(a[2], &copy, size) < 0)
        return -EFAULT;
    copy.how.flags = linux_swap_open_flags(copy.how.flags);
    linux_path_take(t, a[0], a[1], &path);
    bool plain = !copy.how.resolve && copy.how.flags <= UINT32_MAX;
    if (path.special && plain &&
        linux_proc_open(t, path.dirfd, path.text, (int)copy.how.flags, &result))
        return result;
    uint64_t place = plain ? linux_path_place(t, &path, !opens_link_itself(copy.how.flags)) : a[1];
    return linux_host_call(t, SYS_openat2, a[0], place, (uintptr_t)&copy, size, 0, 0);
}

/* --- access, readlink ---------------------------------------------------------------------------
 */

int64_t linux_sys_faccessat(struct linux_thread *t, const uint64_t a[6])
{
    struct linux_path path;
    linux_path_take(t, a[0], a[1], &path);
    return linux_host_call(t, SYS_faccessat, a[0], linux_path_place(t, &path, true), a[2], 0, 0, 0);
}

int64_t linux_sys_faccessat2(struct linux_thread *t, const uint64_t a[6])
{
    struct linux_path path;
    linux_path_take(t, a[0], a[1], &path);
    uint64_t place = linux_path_place(t, &path, !(a[3] & AT_SYMLINK_NOFOLLOW));
    return linux_host_call(t, SYS_faccessat2, a[0], place, a[2], a[3], 0, 0);
}

int64_t linux_sys_readlinkat(struct linux_thread *t, const uint64_t a[6])
{
    struct linux_path path;
    char target[PATH_MAX];
    linux_path_take(t, a[0], a[1], &path);
    size_t length = 0;
    if (path.special)
        length = linux_proc_readlink(t, path.dirfd, path.text, target, sizeof(target));
    if (!length) {
        uint64_t place = linux_path_place(t, &path, false);
        return linux_host_call(t, SYS_readlinkat, a[0], place, a[2], a[3], 0, 0);
    }
    int size = (int)a[3];
    if (size <= 0)
        return -EINVAL;
    if ((size_t)size < length)
        length = (size_t)size;
    return linux_write(a[2], target, length) < 0 ? -EFAULT : (int64_t)length;
}

/* --- stat ---------------------------------------------------------------------------------------
 */

struct guest_stat {
    uint64_t dev, ino;
    uint32_t mode, nlink, uid, gid;
    uint64_t rdev, pad1;
    int64_t size;
    int32_t blksize, pad2;
    int64_t blocks;
    struct {
        int64_t seconds;
        uint64_t nanoseconds;
    } atime, mtime, ctime;
    uint32_t unused[2];
};
static_assert(sizeof(struct guest_stat) == 128, "struct stat of asm-generic");

static int64_t put_stat(uint64_t to, const struct stat *st)
{
    struct guest_stat out = {
        .dev = st->st_dev,
        .ino = st->st_ino,
        .mode = st->st_mode,
        .nlink = (uint32_t)st->st_nlink,
        .uid = st->st_uid,
        .gid = st->st_gid,
        .rdev = st->st_rdev,
        .size = st->st_size,
        .blksize = (int32_t)st->st_blksize,
        .blocks = st->st_blocks,
        .atime = {st->st_atim.tv_sec, (uint64_t)st->st_atim.tv_nsec},
        .mtime = {st->st_mtim.tv_sec, (uint64_t)st->st_mtim.tv_nsec},
        .ctime = {st->st_ctim.tv_sec, (uint64_t)st->st_ctim.tv_nsec},
    };
    return linux_write(to, &out, sizeof(out));
}

int64_t linux_sys_fstat(struct linux_thread *t, const uint64_t a[6])
{
    struct stat st;
    if (linux_fd_is_ours(t->process, a[0]))
        return -EBADF;
    int64_t r = linux_host_call(t, SYS_fstat, a[0], (uintptr_t)&st, 0, 0, 0, 0);
    return r < 0 ? r : put_stat(a[1], &st);
}

int64_t linux_sys_newfstatat(struct linux_thread *t, const uint64_t a[6])
{
    struct linux_path path;
    struct stat st;
    if (linux_fd_is_ours(t->process, a[0]))
        return -EBADF;
    linux_path_take(t, a[0], a[1], &path);
    uint64_t place = linux_path_place(t, &path, !(a[3] & AT_SYMLINK_NOFOLLOW));
    int64_t r = linux_host_call(t, SYS_newfstatat, a[0], place, (uintptr_t)&st, a[3], 0, 0);
    return r < 0 ? r : put_stat(a[2], &st);
}

int64_t linux_sys_statx(struct linux_thread *t, const uint64_t a[6])
{
    struct linux_path path;
    if (linux_fd_is_ours(t->process, a[0]))
        return -EBADF;
    linux_path_take(t, a[0], a[1], &path);
    uint64_t place = linux_path_place(t, &path, !(a[2] & AT_SYMLINK_NOFOLLOW));
    return linux_host_call(t, SYS_statx, a[0], place, a[2], a[3], a[4], 0);
}
