/* p9_server.c: a 9P2000.L session: version, attach, walk, clunk, and the way to the file
 * operations.
 *
 * The protocol is the one that the Linux client speaks (Documentation/filesystems/9p.rst; messages
 * as in the diod project's protocol.md). A request is handled from the first byte to the last
 * before the next one is looked at, so Tflush never finds anything to cancel.
 *
 * The guest acts with the rights of this process. Limits: no authentication, no extended
 * attributes; locks are granted always, since the guest's kernel keeps them among its own
 * processes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/device/virtio/p9_int.h"

enum {
    RLERROR = 7,
    TXATTRWALK = 30,
    TXATTRCREATE = 32,
    TLOCK = 52,
    TGETLOCK = 54,
    TVERSION = 100,
    TAUTH = 102,
    TATTACH = 104,
    TFLUSH = 108,
    TWALK = 110,
    TCLUNK = 120,
};
enum { WALK_NAMES_MAX = 16, PATH_BYTES = 4096, LOCK_SUCCESS = 0, LOCK_UNLOCKED = 2 };

static const uint32_t NO_FID = UINT32_MAX;

/* --- fids --- */

static struct p9_fid *find_fid(struct p9_server *s, uint32_t number)
{
    struct p9_fid *fid = s->fids[number % P9_FID_BUCKETS];
    while (fid && fid->number != number)
        fid = fid->next;
    return fid;
}

struct p9_fid *p9_get_fid(struct p9_server *s, struct p9_reader *in)
{
    uint32_t number = p9_get32(in);
    return in->bad ? NULL : find_fid(s, number);
}

/* Takes `node` over, also on failure. */
static int add_fid(struct p9_server *s, uint32_t number, struct share_node *node, uid_t uid)
{
    if (number == NO_FID || find_fid(s, number) || s->fid_count == P9_FIDS_MAX) {
        share_node_unref(&s->share, node);
        return s->fid_count == P9_FIDS_MAX ? -EMFILE : -EBADF;
    }
    struct p9_fid *fid = calloc(1, sizeof(*fid));
    if (!fid)
        abort();
    struct p9_fid **bucket = &s->fids[number % P9_FID_BUCKETS];
    *fid = (struct p9_fid){number, node, -1, uid, *bucket};
    *bucket = fid;
    s->fid_count++;
    return 0;
}

void p9_fid_remove(struct p9_server *s, struct p9_fid *fid)
{
    struct p9_fid **link = &s->fids[fid->number % P9_FID_BUCKETS];
    while (*link != fid)
        link = &(*link)->next;
    *link = fid->next;
    share_close_fd(&s->share, fid->fd);
    share_node_unref(&s->share, fid->node);
    free(fid);
    s->fid_count--;
}

void p9_server_reset(struct p9_server *s)
{
    for (unsigned i = 0; i < P9_FID_BUCKETS; i++)
        while (s->fids[i])
            p9_fid_remove(s, s->fids[i]);
    s->msize = P9_MSIZE_MAX;
}

int p9_server_open(struct p9_server *s, const char *directory, bool read_only, struct err *e)
{
    *s = (struct p9_server){.msize = P9_MSIZE_MAX};
    return share_open(&s->share, directory, read_only, e);
}

void p9_server_close(struct p9_server *s)
{
    p9_server_reset(s);
    share_close(&s->share);
}

/* --- qids: type, version and path of a file; the version changes with the content --- */

enum { QID_DIRECTORY = 0x80, QID_SYMLINK = 0x02, QID_FILE = 0 };

uint8_t p9_qid_type(mode_t mode)
{
    return S_ISDIR(mode) ? QID_DIRECTORY : S_ISLNK(mode) ? QID_SYMLINK : QID_FILE;
}

struct p9_qid p9_qid_of(const struct share *x, const struct stat *st)
{
    uint64_t changed = (uint64_t)st->st_mtim.tv_sec * 1000003u ^ (uint64_t)st->st_mtim.tv_nsec;
    return (struct p9_qid){.type = p9_qid_type(st->st_mode),
                           .version = (uint32_t)(changed ^ (uint64_t)st->st_size << 8),
                           .path = share_inode(x, st->st_dev, st->st_ino)};
}

int p9_node_qid(const struct share *x, const struct share_node *node, struct p9_qid *qid)
{
    struct stat st;
    if (fstat(node->fd, &st) < 0)
        return -errno;
    *qid = p9_qid_of(x, &st);
    return 0;
}

/* --- the session's requests --- */

/* version(5): msize u32, version string; forgets everything. */
static int handle_version(struct p9_server *s, struct p9_reader *in, struct p9_writer *out)
{
    static const char ours[] = "9P2000.L", unknown[] = "unknown";
    char version[32];
    uint32_t msize = p9_get32(in);
    int r = p9_get_string(in, version, sizeof(version));
    if (in->bad || msize < P9_MSIZE_MIN)
        return -EINVAL;
    p9_server_reset(s);
    s->msize = msize < P9_MSIZE_MAX ? msize : P9_MSIZE_MAX;
    const char *answer = r == 0 && strcmp(version, ours) == 0 ? ours : unknown;
    p9_put(out, 4, s->msize);
    p9_put_string(out, answer, strlen(answer));
    return 0;
}

/* attach: fid u32, afid u32, uname, aname, n_uname u32. There is one tree. */
static int handle_attach(struct p9_server *s, struct p9_reader *in, struct p9_writer *out)
{
    char user[P9_NAME_MAX + 1], tree[PATH_BYTES];
    struct p9_qid qid;
    uint32_t number = p9_get32(in), auth = p9_get32(in);
    int r = p9_get_string(in, user, sizeof(user));
    if (r == 0)
        r = p9_get_string(in, tree, sizeof(tree));
    uid_t uid = p9_get32(in);
    if (r < 0 || in->bad)
        return r < 0 ? r : -EINVAL;
    if (auth != NO_FID)
        return -EOPNOTSUPP;
    if (*tree && strcmp(tree, "/") != 0)
        return -ENOENT;
    r = p9_node_qid(&s->share, s->share.root, &qid);
    if (r == 0)
        r = add_fid(s, number, share_node_ref(s->share.root), uid);
    if (r == 0)
        p9_put_qid(out, &qid);
    return r;
}

/* One step; ".." leads to where the node was found, and from the root to the root. */
static int step(struct p9_server *s, struct share_node *from, const char *name,
                struct share_node **ret_node)
{
    if (strcmp(name, "..") == 0) {
        *ret_node = share_node_ref(from->parent ? from->parent : from);
        return 0;
    }
    return share_lookup(&s->share, from, name, ret_node);
}

/* walk(5): fid u32, newfid u32, count u16, names. A walk that fails behind its first name returns
 * the qids so far, and makes no fid. */
static int handle_walk(struct p9_server *s, struct p9_reader *in, struct p9_writer *out)
{
    struct p9_qid qids[WALK_NAMES_MAX];
    struct p9_fid *fid = p9_get_fid(s, in);
    uint32_t new_number = p9_get32(in);
    unsigned count = (unsigned)p9_get(in, 2), done = 0;
    if (in->bad || count > WALK_NAMES_MAX)
        return -EINVAL;
    if (!fid || (new_number != fid->number && find_fid(s, new_number)) ||
        (new_number == fid->number && fid->fd >= 0))
        return -EBADF;
    struct share_node *node = share_node_ref(fid->node);
    int r = 0;
    for (; done < count; done++) {
        char name[P9_NAME_MAX + 1];
        struct share_node *next;
        r = p9_get_name(in, name);
        if (r == 0)
            r = step(s, node, name, &next);
        if (r < 0)
            break;
        share_node_unref(&s->share, node);
        node = next;
        r = p9_node_qid(&s->share, node, &qids[done]);
        if (r < 0)
            break;
    }
    if (done < count) {
        share_node_unref(&s->share, node);
        if (done == 0)
            return r;
    } else if (new_number == fid->number) {
        share_node_unref(&s->share, fid->node);
        fid->node = node;
    } else {
        r = add_fid(s, new_number, node, fid->uid);
        if (r < 0)
            return r;
    }
    p9_put(out, 2, done);
    for (unsigned i = 0; i < done; i++)
        p9_put_qid(out, &qids[i]);
    return 0;
}

static int handle_clunk(struct p9_server *s, struct p9_reader *in, struct p9_writer *out)
{
    struct p9_fid *fid = p9_get_fid(s, in);
    if (!fid)
        return -EBADF;
    p9_fid_remove(s, fid);
    return 0;
}

static int handle_flush(struct p9_server *s, struct p9_reader *in, struct p9_writer *out)
{
    return 0;
}

static int handle_unsupported(struct p9_server *s, struct p9_reader *in, struct p9_writer *out)
{
    return -EOPNOTSUPP;
}

/* lock: fid u32, then the lock; the guest's kernel has checked it against its own locks. */
static int handle_lock(struct p9_server *s, struct p9_reader *in, struct p9_writer *out)
{
    if (!p9_get_fid(s, in))
        return -EBADF;
    p9_put(out, 1, LOCK_SUCCESS);
    return 0;
}

/* getlock: fid u32, type u8, start u64, length u64, process u32, client string; the same comes
 * back. */
static int handle_getlock(struct p9_server *s, struct p9_reader *in, struct p9_writer *out)
{
    char client[P9_NAME_MAX + 1];
    struct p9_fid *fid = p9_get_fid(s, in);
    p9_get(in, 1);
    uint64_t start = p9_get64(in), length = p9_get64(in);
    uint32_t process = p9_get32(in);
    int r = p9_get_string(in, client, sizeof(client));
    if (r < 0)
        return r;
    if (!fid)
        return -EBADF;
    p9_put(out, 1, LOCK_UNLOCKED);
    p9_put(out, 8, start);
    p9_put(out, 8, length);
    p9_put(out, 4, process);
    p9_put_string(out, client, strlen(client));
    return 0;
}

static const struct p9_operation session_operations[] = {
    {TVERSION, handle_version},
    {TATTACH, handle_attach},
    {TWALK, handle_walk},
    {TCLUNK, handle_clunk},
    {TFLUSH, handle_flush},
    {TLOCK, handle_lock},
    {TGETLOCK, handle_getlock},
    {TAUTH, handle_unsupported},
    {TXATTRWALK, handle_unsupported},
    {TXATTRCREATE, handle_unsupported},
};

/* --- dispatch --- */

static const struct p9_operation *find_in(const struct p9_operation *table, unsigned count,
                                          uint8_t type)
{
    for (unsigned i = 0; i < count; i++)
        if (table[i].type == type)
            return &table[i];
    return NULL;
}

static int dispatch(struct p9_server *s, uint8_t type, struct p9_reader *in, struct p9_writer *out)
{
    const struct p9_operation *op =
        find_in(session_operations, ARRAY_SIZE(session_operations), type);
    if (!op)
        op = find_in(p9_file_operations, p9_file_operation_count, type);
    if (!op)
        return -EOPNOTSUPP;
    int r = op->handle(s, in, out);
    if (r == 0 && (in->bad || out->full))
        return in->bad ? -EINVAL : -EMSGSIZE;
    return r;
}

size_t p9_server_handle(struct p9_server *s, const uint8_t *request, size_t request_bytes,
                        uint8_t *reply, size_t reply_room)
{
    struct p9_reader in = {request, request + request_bytes, false};
    size_t room = reply_room < s->msize ? reply_room : s->msize;
    struct p9_writer out = {reply, reply + P9_HEADER_BYTES, reply + room, false};
    uint32_t size = p9_get32(&in);
    uint8_t type = (uint8_t)p9_get(&in, 1);
    uint16_t tag = (uint16_t)p9_get(&in, 2);
    int r = -EINVAL;
    if (!in.bad && size >= P9_HEADER_BYTES && size <= request_bytes && size <= s->msize) {
        in.end = request + size;
        r = dispatch(s, type, &in, &out);
    }
    uint8_t reply_type = (uint8_t)(type + 1);
    if (r < 0) {
        reply_type = RLERROR;
        out = (struct p9_writer){reply, reply + P9_HEADER_BYTES, reply + reply_room, false};
        p9_put(&out, 4, (uint64_t)-r);
    }
    size_t reply_bytes = (size_t)(out.next - reply);
    store_le(reply, 4, reply_bytes);
    store_le(reply + 4, 1, reply_type);
    store_le(reply + 5, 2, tag);
    return reply_bytes;
}
