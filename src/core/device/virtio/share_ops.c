/* share_ops.c: changes to shared files, each by one system call on descriptors.
 *
 * No path of more than one name is ever given to the host, and where the host would follow a link
 * in the last place it is told not to. Modes are set after making a file, because the host's umask
 * is not the guest's.
 *
 * Limits: only regular files, directories, links, FIFOs and sockets can be made; a change of owner
 * that the process may not do is ignored, as the guest's files all belong to it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/device/virtio/share.h"

enum { MODE_BITS = 07777 };

static int result(int r)
{
    return r < 0 ? -errno : 0;
}

static int check_change(const struct share *x, const char *name)
{
    if (!share_name_ok(name))
        return -EINVAL;
    return x->read_only ? -EROFS : 0;
}

/* --- attributes --- */

static int set_mode(const struct share *x, const struct share_node *node, mode_t mode)
{
    if (S_ISLNK(node->type))
        return -EOPNOTSUPP;
    return result(fchmodat(x->proc_fd, share_proc_name(node).text, mode & MODE_BITS, 0));
}

static int set_owner(const struct share *x, const struct share_node *node, struct share_owner owner)
{
    if (!x->privileged || (owner.uid == (uid_t)-1 && owner.gid == (gid_t)-1))
        return 0;
    int r = result(fchownat(node->fd, "", owner.uid, owner.gid, AT_EMPTY_PATH));
    return r == -EPERM ? 0 : r; /* within a user namespace, or on a network file system */
}

static int set_size(struct share *x, const struct share_node *node, int fd, uint64_t size_bytes)
{
    if (!S_ISREG(node->type) || size_bytes > INT64_MAX)
        return -EINVAL;
    if (fd >= 0 && ftruncate(fd, (off_t)size_bytes) == 0)
        return 0;
    fd = share_open_node(x, node, O_WRONLY);
    if (fd < 0)
        return fd;
    int r = result(ftruncate(fd, (off_t)size_bytes));
    share_close_fd(x, fd);
    return r;
}

int share_set_attributes(struct share *x, const struct share_node *node, int fd,
                         const struct share_attributes *a)
{
    struct share_owner owner = {a->set & SHARE_SET_UID ? a->owner.uid : (uid_t)-1,
                                a->set & SHARE_SET_GID ? a->owner.gid : (gid_t)-1};
    if (x->read_only)
        return -EROFS;
    int r = set_owner(x, node, owner); /* before the mode, as it clears the set-user-id bit */
    if (r == 0 && a->set & SHARE_SET_MODE)
        r = set_mode(x, node, a->mode);
    if (r == 0 && a->set & SHARE_SET_SIZE)
        r = set_size(x, node, fd, a->size_bytes);
    if (r == 0 && a->set & SHARE_SET_TIMES)
        r = result(utimensat(node->fd, "", a->times, AT_EMPTY_PATH));
    return r;
}

ssize_t share_read_link(const struct share_node *node, char *out, size_t room)
{
    if (!S_ISLNK(node->type))
        return -EINVAL;
    ssize_t n = readlinkat(node->fd, "", out, room);
    return n < 0 ? -errno : n;
}

/* --- making --- */

/* Gives an entry just made its owner and mode. */
static int finish_entry(struct share *x, struct share_node *directory, const char *name,
                        mode_t mode, struct share_owner owner)
{
    struct share_node *node;
    int r = share_lookup(x, directory, name, &node);
    if (r < 0)
        return r;
    r = set_owner(x, node, owner);
    if (r == 0 && !S_ISLNK(node->type))
        r = set_mode(x, node, mode);
    share_node_unref(x, node);
    return r;
}

int share_create(struct share *x, struct share_node *directory, const char *name, uint32_t flags,
                 mode_t mode, struct share_owner owner, struct share_node **ret_node, int *ret_fd)
{
    struct share_node *node;
    int r = check_change(x, name);
    if (r < 0)
        return r;
    int made =
        openat(directory->fd, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_RDWR, 0600);
    if (made < 0 && (errno != EEXIST || flags & O_EXCL))
        return -errno;
    if (made >= 0)
        close(made);
    r = share_lookup(x, directory, name, &node);
    if (r < 0)
        return r;
    int fd = share_open_node(x, node, flags);
    r = fd < 0 ? fd : 0;
    if (r == 0 && made >= 0)
        r = set_owner(x, node, owner);
    if (r == 0 && made >= 0)
        r = set_mode(x, node, mode); /* last: it may forbid what was just opened */
    if (r < 0) {
        share_close_fd(x, fd);
        share_node_unref(x, node);
        return r;
    }
    *ret_node = node;
    *ret_fd = fd;
    return 0;
}

int share_mknod(struct share *x, struct share_node *directory, const char *name, mode_t mode,
                struct share_owner owner)
{
    int r = check_change(x, name);
    if (r < 0)
        return r;
    if (!S_ISREG(mode) && !S_ISFIFO(mode) && !S_ISSOCK(mode))
        return -EPERM; /* a device made in the share would be a device of the host */
    r = result(mknodat(directory->fd, name, (mode & S_IFMT) | 0600, 0));
    return r < 0 ? r : finish_entry(x, directory, name, mode, owner);
}

int share_mkdir(struct share *x, struct share_node *directory, const char *name, mode_t mode,
                struct share_owner owner)
{
    int r = check_change(x, name);
    if (r == 0)
        r = result(mkdirat(directory->fd, name, 0700));
    return r < 0 ? r : finish_entry(x, directory, name, mode, owner);
}

int share_symlink(struct share *x, struct share_node *directory, const char *name,
                  const char *target, struct share_owner owner)
{
    int r = check_change(x, name);
    if (r == 0)
        r = result(
            symlinkat(target, directory->fd, name)); /* the target is the guest's to follow */
    return r < 0 ? r : finish_entry(x, directory, name, 0777, owner);
}

int share_link(struct share *x, struct share_node *node, struct share_node *directory,
               const char *name)
{
    int r = check_change(x, name);
    return r < 0 ? r
                 : result(linkat(x->proc_fd, share_proc_name(node).text, directory->fd, name,
                                 AT_SYMLINK_FOLLOW));
}

/* --- removing and renaming --- */

int share_unlink(struct share *x, struct share_node *directory, const char *name, bool is_directory)
{
    int r = check_change(x, name);
    return r < 0 ? r : result(unlinkat(directory->fd, name, is_directory ? AT_REMOVEDIR : 0));
}

int share_rename(struct share *x, struct share_node *from, const char *from_name,
                 struct share_node *to, const char *to_name, unsigned flags)
{
    int r = check_change(x, from_name);
    if (r == 0)
        r = check_change(x, to_name);
    if (r == 0 && flags & ~(unsigned)(RENAME_NOREPLACE | RENAME_EXCHANGE))
        r = -EINVAL;
    return r < 0 ? r : result(renameat2(from->fd, from_name, to->fd, to_name, flags));
}

/* Whether the node's name still leads to it. */
static bool still_there(const struct share_node *node)
{
    struct stat here, there;
    return node->parent && fstat(node->fd, &here) == 0 &&
           fstatat(node->parent->fd, node->name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
           here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

int share_unlink_node(struct share *x, struct share_node *node)
{
    if (!still_there(node))
        return x->read_only ? -EROFS : -ENOENT;
    return share_unlink(x, node->parent, node->name, S_ISDIR(node->type));
}

int share_rename_node(struct share *x, struct share_node *node, struct share_node *to,
                      const char *name)
{
    int r = check_change(x, name);
    if (r < 0)
        return r;
    if (!still_there(node))
        return -ENOENT;
    r = share_rename(x, node->parent, node->name, to, name, 0);
    if (r == 0)
        share_node_moved(x, node, to, name);
    return r;
}
