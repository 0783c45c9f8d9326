/* p9_node.c: openat2(2) for one name at a time, RESOLVE_BENEATH and no links of any kind.
 *
 * Reopening goes through /proc/self/fd, whose entries lead to the pinned file itself and not to a
 * path. Descriptors are counted: at most half of what the process may have, so that a guest which
 * opens without end takes none from the machine's disks and sockets.
 */
#include "core/device/virtio/p9_node.h"

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

enum { FDS_MAX = 16384 };

/* 9P: the upper bits of the mode, as qid types. */
enum { QID_DIRECTORY = 0x80, QID_SYMLINK = 0x02, QID_FILE = 0 };

static int open_beneath(int directory, const char *name)
{
    struct open_how how = {.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
                           .resolve =
                               RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    long fd = syscall(SYS_openat2, directory, name, &how, sizeof(how));
    return fd < 0 ? -errno : (int)fd;
}

int p9_export_adopt_fd(struct p9_export *x, int fd)
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

void p9_node_close(struct p9_export *x, int fd)
{
    if (fd < 0)
        return;
    close(fd);
    x->fds--;
}

/* Takes `fd` over. */
static int make_node(struct p9_export *x, int fd, struct p9_node *parent, const char *name,
                     struct p9_node **ret_node)
{
    struct stat st;
    fd = p9_export_adopt_fd(x, fd);
    if (fd < 0)
        return fd;
    if (fstat(fd, &st) < 0) {
        int r = -errno;
        p9_node_close(x, fd);
        return r;
    }
    struct p9_node *node = calloc(1, sizeof(*node));
    if (!node)
        abort();
    node->fd = fd;
    node->type = st.st_mode & S_IFMT;
    node->refs = 1;
    node->parent = parent ? p9_node_ref(parent) : NULL;
    snprintf(node->name, sizeof(node->name), "%s", name);
    *ret_node = node;
    return 0;
}

struct p9_node *p9_node_ref(struct p9_node *node)
{
    node->refs++;
    return node;
}

void p9_node_unref(struct p9_export *x, struct p9_node *node)
{
    while (node && --node->refs == 0) {
        struct p9_node *parent = node->parent;
        p9_node_close(x, node->fd);
        free(node);
        node = parent;
    }
}

static unsigned descriptor_budget(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur / 2 > FDS_MAX)
        return FDS_MAX;
    return (unsigned)(limit.rlim_cur / 2);
}

int p9_export_open(struct p9_export *x, const char *directory, struct err *e)
{
    *x = (struct p9_export){.proc_fd = -1, .fds_max = descriptor_budget()};
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
        p9_export_close(x);
        return err_set_errno(e, r < 0 ? r : errno, "%s", directory);
    }
    x->device = st.st_dev;
    x->proc_fd = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (x->proc_fd < 0) {
        r = err_set_errno(e, errno, "%s: sharing needs /proc/self/fd", directory);
        p9_export_close(x);
        return r;
    }
    return 0;
}

void p9_export_close(struct p9_export *x)
{
    p9_node_unref(x, x->root);
    x->root = NULL;
    if (x->proc_fd >= 0)
        close(x->proc_fd);
    x->proc_fd = -1;
}

int p9_node_lookup(struct p9_export *x, struct p9_node *directory, const char *name,
                   struct p9_node **ret_node)
{
    int fd = open_beneath(directory->fd, name);
    return fd < 0 ? fd : make_node(x, fd, directory, name, ret_node);
}

void p9_node_moved(struct p9_export *x, struct p9_node *node, struct p9_node *directory,
                   const char *name)
{
    struct p9_node *old = node->parent, *parent = directory;
    /* Parents are as they were when looked up, so that after other renames `directory` may still
     * think that it lies below `node`. References must not form a circle: then it is the root's. */
    for (const struct p9_node *n = directory; n; n = n->parent)
        if (n == node)
            parent = x->root;
    node->parent = p9_node_ref(parent);
    snprintf(node->name, sizeof(node->name), "%s", name);
    p9_node_unref(x, old);
}

struct p9_proc_name p9_node_proc_name(const struct p9_node *node)
{
    struct p9_proc_name name;
    snprintf(name.text, sizeof(name.text), "%d", node->fd);
    return name;
}

int p9_node_open(struct p9_export *x, const struct p9_node *node, int flags)
{
    if (!S_ISREG(node->type) && !S_ISDIR(node->type))
        return S_ISLNK(node->type) ? -ELOOP : -EPERM;
    int fd =
        openat(x->proc_fd, p9_node_proc_name(node).text, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    return fd < 0 ? -errno : p9_export_adopt_fd(x, fd);
}

/* Inode numbers of file systems mounted below the root must not meet those of the root's. */
uint64_t p9_qid_path(const struct p9_export *x, dev_t device, ino_t inode)
{
    return device == x->device ? inode : inode ^ (uint64_t)device << 40;
}

uint8_t p9_qid_type(mode_t mode)
{
    return S_ISDIR(mode) ? QID_DIRECTORY : S_ISLNK(mode) ? QID_SYMLINK : QID_FILE;
}

/* The version changes with the content, for clients that cache. */
struct p9_qid p9_qid_of(const struct p9_export *x, const struct stat *st)
{
    uint64_t changed = (uint64_t)st->st_mtim.tv_sec * 1000003u ^ (uint64_t)st->st_mtim.tv_nsec;
    return (struct p9_qid){.type = p9_qid_type(st->st_mode),
                           .version = (uint32_t)(changed ^ (uint64_t)st->st_size << 8),
                           .path = p9_qid_path(x, st->st_dev, st->st_ino)};
}

int p9_node_qid(const struct p9_export *x, const struct p9_node *node, struct p9_qid *qid)
{
    struct stat st;
    if (fstat(node->fd, &st) < 0)
        return -errno;
    *qid = p9_qid_of(x, &st);
    return 0;
}
