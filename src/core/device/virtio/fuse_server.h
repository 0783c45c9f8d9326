/* fuse_server.h: the file server's side of FUSE for a shared directory. */
#ifndef PENG_CORE_DEVICE_VIRTIO_FUSE_SERVER_H
#define PENG_CORE_DEVICE_VIRTIO_FUSE_SERVER_H

#include <linux/fuse.h>

#include "core/device/virtio/service.h"
#include "core/device/virtio/share.h"

enum {
    FUSE_BUCKETS = 4096,
    FUSE_ARGUMENT_BYTES_MAX = 16 * 1024, /* without the data of a write */
    FUSE_PAYLOAD_BYTES_MAX = 64 * 1024,  /* without the data of a read */
    FUSE_DATA_PAGES_MAX = 248,           /* of a read or write: what a chain holds */
};

/* A file that the client knows: node id slot + 1. */
struct fuse_slot {
    struct share_node *node; /* NULL: free */
    uint64_t lookups;        /* how often it was given to the client */
    uint64_t inode;          /* share_inode() */
    uint32_t next;           /* slot + 1 in the same bucket, or of the free list; 0: the end */
};

/* Used by one thread at a time. */
struct fuse_server {
    struct share share;
    struct fuse_slot *slots; /* [0] is the root */
    uint32_t slot_count, slot_room, free_slot;
    uint32_t buckets[FUSE_BUCKETS]; /* slot + 1 by inode */
    int *handles;                   /* open files by handle; -1: free */
    uint32_t handle_count;
    uint8_t *arguments, *payload; /* of the request in hand */
};

int fuse_server_open(struct fuse_server *s, const char *directory, bool read_only, struct err *e);
void fuse_server_close(struct fuse_server *s);
/* Forgets all nodes and closes all handles. */
void fuse_server_reset(struct fuse_server *s);
/* Does one request; returns the bytes of its reply, 0 for those that have none. */
size_t fuse_server_handle(struct fuse_server *s, const struct service_request *request);

/* --- between fuse_server.c and fuse_ops.c --- */

/* A request in hand. */
struct fuse_call {
    struct fuse_server *server;
    const struct service_request *request;
    struct fuse_in_header header;
    struct share_node *node;  /* that header.nodeid names */
    const uint8_t *arguments; /* a copy */
    size_t argument_bytes;
    uint8_t *payload; /* what follows the reply's header */
    size_t payload_bytes, payload_room;
    bool payload_is_out; /* a read has put it into the guest's memory already */
};

/* Returns 0 or a negative errno for the reply. */
typedef int (*fuse_handler)(struct fuse_call *call);
struct fuse_operation {
    uint32_t opcode;
    uint32_t argument_bytes_min;
    fuse_handler handle;
};
extern const struct fuse_operation fuse_file_operations[];
extern const unsigned fuse_file_operation_count;

/* Room at the end of the payload, zeroed; NULL where there is too little. */
void *fuse_reserve(struct fuse_call *call, size_t size_bytes);
/* The string at `offset` of the arguments, which moves behind it; NULL where it does not end. */
const char *fuse_get_string(const struct fuse_call *call, size_t *offset);
struct share_node *fuse_find_node(struct fuse_server *s, uint64_t node_id);
/* Makes `node` (taken over) known to the client and puts its entry into the payload. */
int fuse_put_entry(struct fuse_call *call, struct share_node *node);
int fuse_put_attributes(struct fuse_call *call, const struct share_node *node);
/* Takes an open descriptor; returns its handle. */
uint64_t fuse_add_handle(struct fuse_server *s, int fd);
/* The handle's descriptor, or -1. */
int fuse_handle_fd(const struct fuse_server *s, uint64_t handle);
void fuse_close_handle(struct fuse_server *s, uint64_t handle);

#endif
