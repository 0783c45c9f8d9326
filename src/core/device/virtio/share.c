/* share.c: openat2(2) for one name at a time, RESOLVE_BENEATH and no links of any kind.
 *
 * Reopening goes through /proc/self/fd, whose entries lead to the pinned file itself and not to a
 * path. Descriptors are counted: at most half of what the process may have, so that a guest which
 * opens without end takes none from the machine's disks and sockets.
 */
#include "core/device/virtio/share.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FDS_MAX = 1 << 18 };

/* Of the open flags (Linux' generic numbers, which x86-64 has too) those that mean something here.
 */
static const uint32_t OPEN_FLAGS = O_ACCMODE | O_TRUNC | O_APPEND | O_DSYNC | O_SYNC;

static int open_beneath(int directory, const char *name)
{
    struct open_how how = {.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
                           .resolve =
                               RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    long fd = syscall(SYS_openat2, directory, name, &how, sizeof(how));
    return fd < 0 ? -errno : (int)fd;
}

int share_adopt_fd(struct share *x, int fd)
{
    if (fd < 0)
        return fd;
    if (x->fds >= x->fds_max) {
        close(fd);
        return -EMFILE;
    }
    x->fds++;
    return fd;
}

void share_close_fd(struct share *x, int fd)
{
    if (fd < 0)
        return;
    close(fd);
    x->fds--;
}

/* Takes `fd` over. */
static int make_node(struct share *x, int fd, struct share_node *parent, const char *name,
                     struct share_node **ret_node)
{
    struct stat st;
    fd = share_adopt_fd(x, fd);
    if (fd < 0)
        return fd;
    if (fstat(fd, &st) < 0) {
        int r = -errno;
        share_close_fd(x, fd);
        return r;
    }
    struct share_node *node = calloc(1, sizeof(*node));
    if (!node)
        abort();
    node->fd = fd;
    node->type = st.st_mode & S_IFMT;
    node->refs = 1;
    node->parent = parent ? share_node_ref(parent) : NULL;
    snprintf(node->name, sizeof(node->name), "%s", name);
    *ret_node = node;
    return 0;
}

struct share_node *share_node_ref(struct share_node *node)
{
    node->refs++;
    return node;
}

void share_node_unref(struct share *x, struct share_node *node)
{
    while (node && --node->refs == 0) {
        struct share_node *parent = node->parent;
        share_close_fd(x, node->fd);
        free(node);
        node = parent;
    }
}

/* A guest's file cache can hold very many nodes, and the usual soft limit is there only for
 * programs that use select(2): the process' limit is raised to what it may be. */
static unsigned descriptor_budget(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return FDS_MAX;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0 && getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return FDS_MAX;
    return limit.rlim_cur / 2 < FDS_MAX ? (unsigned)(limit.rlim_cur / 2) : FDS_MAX;
}

int share_open(struct share *x, const char *directory, bool read_only, struct err *e)
{
    *x = (struct share){.proc_fd = -1,
                        .privileged = geteuid() == 0,
                        .read_only = read_only,
                        .fds_max = descriptor_budget()};
    int fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_set_errno(e, errno, "%s", directory);
    if (faccessat(fd, ".", R_OK | X_OK, AT_EACCESS) < 0) {
        int r = err_set_errno(e, errno, "%s", directory);
        close(fd);
        return r;
    }
    struct stat st;
    int r = make_node(x, fd, NULL, "", &x->root);
    if (r < 0 || fstat(x->root->fd, &st) < 0) {
        share_close(x);
        return err_set_errno(e, r < 0 ? r : errno, "%s", directory);
    }
    x->device = st.st_dev;
    x->proc_fd = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (x->proc_fd < 0) {
        r = err_set_errno(e, errno, "%s: sharing needs /proc/self/fd", directory);
        share_close(x);
        return r;
    }
    return 0;
}

void share_close(struct share *x)
{
    share_node_unref(x, x->root);
    x->root = NULL;
    if (x->proc_fd >= 0)
        close(x->proc_fd);
    x->proc_fd = -1;
}

bool share_name_ok(const char *name)
{
    return *name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && !strchr(name, '/') &&
           strlen(name) <= NAME_MAX;
}

int share_lookup(struct share *x, struct share_node *directory, const char *name,
                 struct share_node **ret_node)
{
    if (!share_name_ok(name))
        return -EINVAL;
    int fd = open_beneath(directory->fd, name);
    return fd < 0 ? fd : make_node(x, fd, directory, name, ret_node);
}

void share_node_moved(struct share *x, struct share_node *node, struct share_node *directory,
                      const char *name)
{
    struct share_node *old = node->parent, *parent = directory;
    /* Parents are as they were when looked up, so that after other renames `directory` may still
     * think that it lies below `node`. References must not form a circle: then it is the root's. */
    for (const struct share_node *n = directory; n; n = n->parent)
        if (n == node)
            parent = x->root;
    node->parent = share_node_ref(parent);
    snprintf(node->name, sizeof(node->name), "%s", name);
    share_node_unref(x, old);
}

struct share_proc_name share_proc_name(const struct share_node *node)
{
    struct share_proc_name name;
    snprintf(name.text, sizeof(name.text), "%d", node->fd);
    return name;
}

int share_open_node(struct share *x, const struct share_node *node, uint32_t flags)
{
    if (x->read_only && ((flags & O_ACCMODE) != O_RDONLY || flags & O_TRUNC))
        return -EROFS;
    if (!S_ISREG(node->type) && !S_ISDIR(node->type))
        return S_ISLNK(node->type) ? -ELOOP : -EPERM;
    int fd = openat(x->proc_fd, share_proc_name(node).text,
                    (int)(flags & OPEN_FLAGS) | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    return fd < 0 ? -errno : share_adopt_fd(x, fd);
}

/* Inode numbers of file systems mounted below the root must not meet those of the root's. */
uint64_t share_inode(const struct share *x, dev_t device, ino_t inode)
{
    return device == x->device ? inode : inode ^ (uint64_t)device << 40;
}
