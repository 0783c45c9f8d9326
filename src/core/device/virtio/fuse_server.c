/* fuse_server.c: a FUSE session (the Linux kernel's include/uapi/linux/fuse.h): the nodes that the
 * client knows, its open files, and the way to the operations.
 *
 * The client names a file by a node id that a lookup gave it, and says when it forgets it. Ids are
 * places in a table, so one that was never given names nothing. The same file always has the same
 * id, however many names it has; a node keeps its file open, so an inode number is not used anew
 * meanwhile.
 *
 * Limits: no extended attributes, no locks (the client keeps its own), no READDIRPLUS.
 */
#include "core/device/virtio/fuse_server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/iov.h"

enum { ENTRY_SECONDS = 1, MINOR_MIN = 27, FREE_HANDLE = -1 };

/* Client abilities that cost the server nothing, or that it has. */
static const uint32_t INIT_FLAGS = FUSE_ASYNC_READ | FUSE_ATOMIC_O_TRUNC | FUSE_BIG_WRITES |
                                   FUSE_PARALLEL_DIROPS | FUSE_MAX_PAGES | FUSE_AUTO_INVAL_DATA |
                                   FUSE_ASYNC_DIO | FUSE_CACHE_SYMLINKS;

/* --- nodes --- */

static uint32_t *bucket_of(struct fuse_server *s, uint64_t inode)
{
    return &s->buckets[(inode ^ inode >> 20) % FUSE_BUCKETS];
}

struct share_node *fuse_find_node(struct fuse_server *s, uint64_t node_id)
{
    return node_id >= 1 && node_id <= s->slot_count ? s->slots[node_id - 1].node : NULL;
}

static uint32_t find_slot(struct fuse_server *s, uint64_t inode)
{
    uint32_t id = *bucket_of(s, inode);
    while (id && s->slots[id - 1].inode != inode)
        id = s->slots[id - 1].next;
    return id;
}

static uint32_t take_slot(struct fuse_server *s)
{
    uint32_t id = s->free_slot;
    if (id) {
        s->free_slot = s->slots[id - 1].next;
        return id;
    }
    if (s->slot_count == s->slot_room) {
        s->slot_room = s->slot_room ? s->slot_room * 2 : 64;
        s->slots = realloc(s->slots, s->slot_room * sizeof(*s->slots));
        if (!s->slots)
            abort();
    }
    return ++s->slot_count;
}

/* The id of `node`, which is taken over; counts one lookup more. */
static uint32_t know_node(struct fuse_server *s, struct share_node *node, uint64_t inode)
{
    uint32_t id = find_slot(s, inode);
    if (id) {
        share_node_unref(&s->share, node);
    } else {
        uint32_t *bucket = bucket_of(s, inode);
        id = take_slot(s);
        s->slots[id - 1] = (struct fuse_slot){.node = node, .inode = inode, .next = *bucket};
        *bucket = id;
    }
    s->slots[id - 1].lookups++;
    return id;
}

static void forget_slot(struct fuse_server *s, uint32_t id)
{
    struct fuse_slot *slot = &s->slots[id - 1];
    uint32_t *link = bucket_of(s, slot->inode);
    while (*link != id)
        link = &s->slots[*link - 1].next;
    *link = slot->next;
    share_node_unref(&s->share, slot->node);
    *slot = (struct fuse_slot){.next = s->free_slot};
    s->free_slot = id;
}

static void forget(struct fuse_server *s, uint64_t node_id, uint64_t count)
{
    if (node_id == FUSE_ROOT_ID || !fuse_find_node(s, node_id))
        return;
    struct fuse_slot *slot = &s->slots[node_id - 1];
    slot->lookups -= count < slot->lookups ? count : slot->lookups;
    if (slot->lookups == 0)
        forget_slot(s, (uint32_t)node_id);
}

/* --- handles --- */

uint64_t fuse_add_handle(struct fuse_server *s, int fd)
{
    uint32_t i = 0;
    while (i < s->handle_count && s->handles[i] != FREE_HANDLE)
        i++;
    if (i == s->handle_count) {
        uint32_t count = s->handle_count ? s->handle_count * 2 : 64;
        s->handles = realloc(s->handles, count * sizeof(*s->handles));
        if (!s->handles)
            abort();
        while (s->handle_count < count)
            s->handles[s->handle_count++] = FREE_HANDLE;
    }
    s->handles[i] = fd;
    return i;
}

int fuse_handle_fd(const struct fuse_server *s, uint64_t handle)
{
    return handle < s->handle_count ? s->handles[handle] : FREE_HANDLE;
}

void fuse_close_handle(struct fuse_server *s, uint64_t handle)
{
    int fd = fuse_handle_fd(s, handle);
    if (fd < 0)
        return;
    share_close_fd(&s->share, fd);
    s->handles[handle] = FREE_HANDLE;
}

/* --- session --- */

void fuse_server_reset(struct fuse_server *s)
{
    for (uint32_t id = FUSE_ROOT_ID + 1; id <= s->slot_count; id++)
        if (s->slots[id - 1].node)
            forget_slot(s, id);
    for (uint32_t i = 0; i < s->handle_count; i++)
        fuse_close_handle(s, i);
}

int fuse_server_open(struct fuse_server *s, const char *directory, bool read_only, struct err *e)
{
    struct stat st;
    *s = (struct fuse_server){0};
    int r = share_open(&s->share, directory, read_only, e);
    if (r < 0)
        return r;
    if (fstat(s->share.root->fd, &st) < 0) {
        r = err_set_errno(e, errno, "%s", directory);
        share_close(&s->share);
        return r;
    }
    s->arguments = malloc(FUSE_ARGUMENT_BYTES_MAX);
    s->payload = malloc(FUSE_PAYLOAD_BYTES_MAX);
    if (!s->arguments || !s->payload)
        abort();
    know_node(s, share_node_ref(s->share.root), share_inode(&s->share, st.st_dev, st.st_ino));
    return 0;
}

void fuse_server_close(struct fuse_server *s)
{
    if (!s->slots)
        return;
    fuse_server_reset(s);
    forget_slot(s, FUSE_ROOT_ID);
    share_close(&s->share);
    free(s->slots);
    free(s->handles);
    free(s->arguments);
    free(s->payload);
}

/* --- what operations put into replies --- */

void *fuse_reserve(struct fuse_call *call, size_t size_bytes)
{
    if (size_bytes > call->payload_room - call->payload_bytes)
        return NULL;
    uint8_t *p = call->payload + call->payload_bytes;
    call->payload_bytes += size_bytes;
    return memset(p, 0, size_bytes);
}

const char *fuse_get_string(const struct fuse_call *call, size_t *offset)
{
    const uint8_t *text = call->arguments + *offset;
    const uint8_t *end = memchr(text, 0, call->argument_bytes - *offset);
    if (!end)
        return NULL;
    *offset += (size_t)(end - text) + 1;
    return (const char *)text;
}

static struct fuse_attr attributes_of(const struct share *x, const struct stat *st)
{
    return (struct fuse_attr){.ino = share_inode(x, st->st_dev, st->st_ino),
                              .size = (uint64_t)st->st_size,
                              .blocks = (uint64_t)st->st_blocks,
                              .atime = (uint64_t)st->st_atim.tv_sec,
                              .mtime = (uint64_t)st->st_mtim.tv_sec,
                              .ctime = (uint64_t)st->st_ctim.tv_sec,
                              .atimensec = (uint32_t)st->st_atim.tv_nsec,
                              .mtimensec = (uint32_t)st->st_mtim.tv_nsec,
                              .ctimensec = (uint32_t)st->st_ctim.tv_nsec,
                              .mode = st->st_mode,
                              .nlink = (uint32_t)st->st_nlink,
                              .uid = st->st_uid,
                              .gid = st->st_gid,
                              .rdev = (uint32_t)st->st_rdev,
                              .blksize = (uint32_t)st->st_blksize};
}

int fuse_put_entry(struct fuse_call *call, struct share_node *node)
{
    struct share *x = &call->server->share;
    struct stat st;
    struct fuse_entry_out *out = fuse_reserve(call, sizeof(*out));
    int r = !out ? -EMSGSIZE : fstat(node->fd, &st) < 0 ? -errno : 0;
    if (r < 0) {
        share_node_unref(x, node);
        return r;
    }
    out->nodeid = know_node(call->server, node, share_inode(x, st.st_dev, st.st_ino));
    out->entry_valid = out->attr_valid = ENTRY_SECONDS;
    out->attr = attributes_of(x, &st);
    return 0;
}

int fuse_put_attributes(struct fuse_call *call, const struct share_node *node)
{
    struct stat st;
    struct fuse_attr_out *out = fuse_reserve(call, sizeof(*out));
    if (!out)
        return -EMSGSIZE;
    if (fstat(node->fd, &st) < 0)
        return -errno;
    out->attr_valid = ENTRY_SECONDS;
    out->attr = attributes_of(&call->server->share, &st);
    return 0;
}

/* --- the session's requests --- */

static int handle_init(struct fuse_call *call)
{
    const struct fuse_init_in *in = (const struct fuse_init_in *)call->arguments;
    struct fuse_init_out *out = fuse_reserve(call, sizeof(*out));
    if (!out)
        return -EMSGSIZE;
    out->major = FUSE_KERNEL_VERSION;
    out->minor = FUSE_KERNEL_MINOR_VERSION;
    if (in->major > FUSE_KERNEL_VERSION)
        return 0; /* the client comes again with ours */
    if (in->major < FUSE_KERNEL_VERSION || in->minor < MINOR_MIN)
        return -EPROTO;
    fuse_server_reset(call->server);
    out->max_readahead = in->max_readahead;
    out->flags = in->flags & INIT_FLAGS;
    out->max_background = 64;
    out->congestion_threshold = 48;
    out->max_write = FUSE_DATA_PAGES_MAX * 4096;
    out->time_gran = 1;
    out->max_pages = FUSE_DATA_PAGES_MAX;
    return 0;
}

static int handle_forget(struct fuse_call *call)
{
    const struct fuse_forget_in *in = (const struct fuse_forget_in *)call->arguments;
    forget(call->server, call->header.nodeid, in->nlookup);
    return 0;
}

static int handle_batch_forget(struct fuse_call *call)
{
    const struct fuse_batch_forget_in *in = (const struct fuse_batch_forget_in *)call->arguments;
    const struct fuse_forget_one *one = (const struct fuse_forget_one *)(in + 1);
    size_t held = (call->argument_bytes - sizeof(*in)) / sizeof(*one);
    for (size_t i = 0; i < in->count && i < held; i++)
        forget(call->server, one[i].nodeid, one[i].nlookup);
    return 0;
}

static int handle_destroy(struct fuse_call *call)
{
    fuse_server_reset(call->server);
    return 0;
}

static int handle_nothing(struct fuse_call *call)
{
    return 0;
}

/* Those that the client sends without room for a reply; they need no live node. */
static const struct fuse_operation session_operations[] = {
    {FUSE_INIT, 16, handle_init}, /* up to flags; later versions are longer */
    {FUSE_FORGET, sizeof(struct fuse_forget_in), handle_forget},
    {FUSE_BATCH_FORGET, sizeof(struct fuse_batch_forget_in), handle_batch_forget},
    {FUSE_INTERRUPT, 0, handle_nothing}, /* a request is done before the next one is looked at */
    {FUSE_DESTROY, 0, handle_destroy},
};

/* --- dispatch --- */

static const struct fuse_operation *find_in(const struct fuse_operation *table, unsigned count,
                                            uint32_t opcode)
{
    for (unsigned i = 0; i < count; i++)
        if (table[i].opcode == opcode)
            return &table[i];
    return NULL;
}

static int dispatch(struct fuse_call *call)
{
    uint32_t opcode = call->header.opcode;
    const struct fuse_operation *op = find_in(
        session_operations, sizeof(session_operations) / sizeof(session_operations[0]), opcode);
    if (!op) {
        op = find_in(fuse_file_operations, fuse_file_operation_count, opcode);
        if (!op)
            return -ENOSYS;
        call->node = fuse_find_node(call->server, call->header.nodeid);
        if (!call->node)
            return -ESTALE;
    }
    return call->argument_bytes < op->argument_bytes_min ? -EINVAL : op->handle(call);
}

size_t fuse_server_handle(struct fuse_server *s, const struct service_request *request)
{
    struct fuse_call call = {
        .server = s, .request = request, .arguments = s->arguments, .payload = s->payload};
    struct fuse_out_header reply = {.len = sizeof(reply)};
    iov_to_bytes(request->readable, request->readable_count, 0, &call.header, sizeof(call.header));
    call.argument_bytes = iov_to_bytes(request->readable, request->readable_count,
                                       sizeof(call.header), s->arguments, FUSE_ARGUMENT_BYTES_MAX);
    if (request->writable_bytes >= sizeof(reply)) {
        uint64_t room = request->writable_bytes - sizeof(reply);
        call.payload_room = room < FUSE_PAYLOAD_BYTES_MAX ? (size_t)room : FUSE_PAYLOAD_BYTES_MAX;
    }
    reply.error = dispatch(&call);
    reply.unique = call.header.unique;
    if (request->writable_bytes < sizeof(reply))
        return 0;
    if (reply.error == 0) {
        reply.len += (uint32_t)call.payload_bytes;
        if (!call.payload_is_out)
            iov_from_bytes(request->writable, request->writable_count, sizeof(reply), call.payload,
                           call.payload_bytes);
    }
    iov_from_bytes(request->writable, request->writable_count, 0, &reply, sizeof(reply));
    return reply.len;
}
