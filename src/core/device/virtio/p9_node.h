/* p9_node.h: files of an exported host directory, out of which no guest gets.
 *
 * A node pins one file by an O_PATH descriptor and knows the node it was found in. The only way to
 * a new node is one name looked up in a directory node, with no symbolic link followed: so every
 * node is inside of the export, whatever the guest (or anybody) renames meanwhile.
 */
#ifndef PENG_CORE_DEVICE_VIRTIO_P9_NODE_H
#define PENG_CORE_DEVICE_VIRTIO_P9_NODE_H

#include <sys/stat.h>

#include "base/err.h"
#include "core/device/virtio/p9_wire.h"

struct p9_node {
    int fd;      /* O_PATH | O_NOFOLLOW */
    mode_t type; /* S_IFMT bits; a file never changes its type */
    unsigned refs;
    struct p9_node *parent;     /* NULL: the export's root */
    char name[P9_NAME_MAX + 1]; /* in the parent, when it was looked up */
};

struct p9_export {
    struct p9_node *root;
    int proc_fd;           /* /proc/self/fd, to turn an O_PATH descriptor into an open one */
    dev_t device;          /* of the root */
    unsigned fds, fds_max; /* descriptors held, and how many may be */
};

int p9_export_open(struct p9_export *x, const char *directory, struct err *e);
void p9_export_close(struct p9_export *x); /* all other nodes are gone */

struct p9_node *p9_node_ref(struct p9_node *node);
void p9_node_unref(struct p9_export *x, struct p9_node *node); /* NULL is a no-op */
/* The entry `name` (checked by p9_get_name) of a directory. Negative errno: the host's, or EMFILE.
 */
int p9_node_lookup(struct p9_export *x, struct p9_node *directory, const char *name,
                   struct p9_node **ret_node);
/* The node was renamed to `name` of `directory`. */
void p9_node_moved(struct p9_export *x, struct p9_node *node, struct p9_node *directory,
                   const char *name);
/* Opens the file for input and output: regular files and directories only, because opening a device
 * or a FIFO of the host does more than the guest may ask for. Returns a descriptor that
 * p9_node_close() closes. */
int p9_node_open(struct p9_export *x, const struct p9_node *node, int flags);
/* The file's name in proc_fd, for calls that take no O_PATH descriptor and follow links. */
struct p9_proc_name {
    char text[16];
};
struct p9_proc_name p9_node_proc_name(const struct p9_node *node);
/* Counts a descriptor that was opened otherwise; -EMFILE (and closed) where there are too many. */
int p9_export_adopt_fd(struct p9_export *x, int fd);
void p9_node_close(struct p9_export *x, int fd);

struct p9_qid p9_qid_of(const struct p9_export *x, const struct stat *st);
uint64_t p9_qid_path(const struct p9_export *x, dev_t device, ino_t inode);
uint8_t p9_qid_type(mode_t mode);
int p9_node_qid(const struct p9_export *x, const struct p9_node *node, struct p9_qid *qid);

#endif
