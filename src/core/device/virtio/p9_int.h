/* p9_int.h: one 9P2000.L session: its fids, and the requests on files. */
#ifndef PENG_CORE_DEVICE_VIRTIO_P9_INT_H
#define PENG_CORE_DEVICE_VIRTIO_P9_INT_H

#include "core/device/virtio/share.h"
#include "core/device/virtio/p9_wire.h"

enum {
    P9_MSIZE_MIN = 4096,
    P9_MSIZE_MAX = 512 * 1024,
    P9_HEADER_BYTES = 7, /* size u32, type u8, tag u16 */
    P9_FID_BUCKETS = 256,
    P9_FIDS_MAX = 65536,
};

/* A client's handle of a file. */
struct p9_fid {
    uint32_t number;
    struct share_node *node;
    int fd;    /* open for input and output, or -1 */
    uid_t uid; /* who attached; (uid_t)-1: nobody in particular */
    struct p9_fid *next;
};

/* Used by one thread at a time. */
struct p9_server {
    struct share share;
    uint32_t msize; /* negotiated */
    struct p9_fid *fids[P9_FID_BUCKETS];
    unsigned fid_count;
};

int p9_server_open(struct p9_server *s, const char *directory, bool read_only, struct err *e);
void p9_server_close(struct p9_server *s);
/* Forgets all fids: the session begins anew. */
void p9_server_reset(struct p9_server *s);
/* Answers one request. `request` is read, `reply` has room for reply_room >= P9_MSIZE_MIN bytes;
 * returns the reply's size. Whatever the request holds, there is a reply. */
size_t p9_server_handle(struct p9_server *s, const uint8_t *request, size_t request_bytes,
                        uint8_t *reply, size_t reply_room);

/* The fid of the number in the message, or NULL. */
struct p9_fid *p9_get_fid(struct p9_server *s, struct p9_reader *in);
void p9_fid_remove(struct p9_server *s, struct p9_fid *fid);

struct p9_qid p9_qid_of(const struct share *x, const struct stat *st);
uint8_t p9_qid_type(mode_t mode);
int p9_node_qid(const struct share *x, const struct share_node *node, struct p9_qid *qid);

/* --- p9_ops.c: requests on files. Each reads its fields, does it, writes the reply's fields;
 * returns 0 or the negative errno for Rlerror. --- */
typedef int (*p9_handler)(struct p9_server *s, struct p9_reader *in, struct p9_writer *out);
extern const struct p9_operation {
    uint8_t type; /* of the request; the reply's is one more */
    p9_handler handle;
} p9_file_operations[];
extern const unsigned p9_file_operation_count;

#endif
