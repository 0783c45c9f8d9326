/* share.h: files of a shared host directory, out of which no guest gets.
 *
 * A node pins one file by an O_PATH descriptor and knows the node it was found in. The only way to
 * a new node is one name looked up in a directory node, with no symbolic link followed: so every
 * node is inside of the share, whatever the guest (or anybody) renames meanwhile.
 *
 * A share is used by one thread at a time. Functions return 0 (or what they say) or a negative
 * errno.
 */
#ifndef PENG_CORE_DEVICE_VIRTIO_SHARE_H
#define PENG_CORE_DEVICE_VIRTIO_SHARE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/err.h"

struct share_node {
    int fd;      /* O_PATH | O_NOFOLLOW */
    mode_t type; /* S_IFMT bits; a file never changes its type */
    unsigned refs;
    struct share_node *parent; /* NULL: the root */
    char name[NAME_MAX + 1];   /* in the parent, when it was looked up */
};

struct share {
    struct share_node *root;
    int proc_fd;           /* /proc/self/fd, to turn an O_PATH descriptor into an open one */
    dev_t device;          /* of the root */
    bool privileged;       /* may give files to other users */
    bool read_only;        /* changes give -EROFS */
    unsigned fds, fds_max; /* descriptors held, and how many may be */
};

/* Errors: ENOENT, ENOTDIR, EACCES. */
int share_open(struct share *x, const char *directory, bool read_only, struct err *e);
void share_close(struct share *x); /* all nodes but the root are gone */

/* Whether `name` can be one entry of a directory: not empty, no slash, not ".", not "..". */
bool share_name_ok(const char *name);

struct share_node *share_node_ref(struct share_node *node);
void share_node_unref(struct share *x, struct share_node *node); /* NULL is a no-op */
/* The entry `name` of a directory; -EINVAL where the name is not ok. */
int share_lookup(struct share *x, struct share_node *directory, const char *name,
                 struct share_node **ret_node);
/* Opens the file for input and output: regular files and directories only, because opening a device
 * or a FIFO of the host does more than the guest may ask for. Flags that mean nothing for a file
 * are ignored. Returns a descriptor that share_close_fd() closes. */
int share_open_node(struct share *x, const struct share_node *node, uint32_t flags);
void share_close_fd(struct share *x, int fd);

/* A number for the file that no other file of the share has. */
uint64_t share_inode(const struct share *x, dev_t device, ino_t inode);

/* --- share_ops.c: changes; -EROFS on a read-only share, -EINVAL for a name that is not ok --- */

/* Who shall own a new file; (uid_t)-1 leaves it to this process. Only a privileged one obeys. */
struct share_owner {
    uid_t uid;
    gid_t gid;
};

enum {
    SHARE_SET_MODE = 1,
    SHARE_SET_UID = 2,
    SHARE_SET_GID = 4,
    SHARE_SET_SIZE = 8,
    SHARE_SET_TIMES = 16
};
struct share_attributes {
    unsigned set;
    mode_t mode;
    struct share_owner owner;
    uint64_t size_bytes;
    struct timespec times[2]; /* access, modification; UTIME_OMIT and UTIME_NOW */
};

/* `fd` is the node's when it is open, else -1. */
int share_set_attributes(struct share *x, const struct share_node *node, int fd,
                         const struct share_attributes *a);
/* Makes (or, without O_EXCL, finds) a file and opens it. */
int share_create(struct share *x, struct share_node *directory, const char *name, uint32_t flags,
                 mode_t mode, struct share_owner owner, struct share_node **ret_node, int *ret_fd);
/* Regular files, FIFOs and sockets; -EPERM for devices. */
int share_mknod(struct share *x, struct share_node *directory, const char *name, mode_t mode,
                struct share_owner owner);
int share_mkdir(struct share *x, struct share_node *directory, const char *name, mode_t mode,
                struct share_owner owner);
int share_symlink(struct share *x, struct share_node *directory, const char *name,
                  const char *target, struct share_owner owner);
int share_link(struct share *x, struct share_node *node, struct share_node *directory,
               const char *name);
int share_unlink(struct share *x, struct share_node *directory, const char *name,
                 bool is_directory);
/* `flags` as in renameat2(2). */
int share_rename(struct share *x, struct share_node *from, const char *from_name,
                 struct share_node *to, const char *to_name, unsigned flags);
/* The same for the entry that the node was found under; -ENOENT where it is another file now. */
int share_unlink_node(struct share *x, struct share_node *node);
int share_rename_node(struct share *x, struct share_node *node, struct share_node *to,
                      const char *name);

/* The target of a link; returns its length, of which no more than `room` bytes are written. */
ssize_t share_read_link(const struct share_node *node, char *out, size_t room);

/* For share_ops.c: the file's name in proc_fd, for calls that take no O_PATH descriptor and follow
 * links; counting a descriptor that was opened otherwise (closed, -EMFILE: too many). */
struct share_proc_name {
    char text[16];
};
struct share_proc_name share_proc_name(const struct share_node *node);
int share_adopt_fd(struct share *x, int fd);
void share_node_moved(struct share *x, struct share_node *node, struct share_node *directory,
                      const char *name);

#endif
