/* fuse_ops.c: FUSE requests on files: arguments in, a call on the share, the reply's payload out.
 *
 * Arguments are structs of <linux/fuse.h> in the server's copy of the request; their size was
 * checked against the table at the end. The data of reads and writes goes straight between the file
 * and the guest's memory.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/iov.h"
#include "core/block/fileio.h"
#include "core/device/virtio/fuse_server.h"

enum { LINK_BYTES_MAX = 4096, FSYNC_DATA_ONLY = 1, READDIR_BYTES_MAX = 32 * 1024 };

static int result(int r)
{
    return r < 0 ? -errno : 0;
}

static struct share_owner owner_of(const struct fuse_call *call)
{
    return (struct share_owner){call->header.uid, call->header.gid};
}

/* Puts the entry of a name that was just found or made. */
static int put_name(struct fuse_call *call, const char *name)
{
    struct share_node *node;
    int r = share_lookup(&call->server->share, call->node, name, &node);
    return r < 0 ? r : fuse_put_entry(call, node);
}

static int handle_lookup(struct fuse_call *call)
{
    size_t offset = 0;
    const char *name = fuse_get_string(call, &offset);
    return name ? put_name(call, name) : -EINVAL;
}

/* --- attributes --- */

static int handle_getattr(struct fuse_call *call)
{
    return fuse_put_attributes(call, call->node);
}

static struct timespec time_to_set(uint32_t valid, uint32_t set, uint32_t set_now, uint64_t seconds,
                                   uint32_t nanoseconds)
{
    if (!(valid & set))
        return (struct timespec){.tv_nsec = UTIME_OMIT};
    if (valid & set_now)
        return (struct timespec){.tv_nsec = UTIME_NOW};
    return (struct timespec){(time_t)seconds, (long)(nanoseconds % 1000000000u)};
}

/* The first four bits of `valid` are share_set's. */
static int handle_setattr(struct fuse_call *call)
{
    const struct fuse_setattr_in *in = (const struct fuse_setattr_in *)call->arguments;
    struct share_attributes a = {
        .set = in->valid & (FATTR_MODE | FATTR_UID | FATTR_GID | FATTR_SIZE),
        .mode = in->mode,
        .owner = {in->uid, in->gid},
        .size_bytes = in->size,
        .times = {time_to_set(in->valid, FATTR_ATIME, FATTR_ATIME_NOW, in->atime, in->atimensec),
                  time_to_set(in->valid, FATTR_MTIME, FATTR_MTIME_NOW, in->mtime, in->mtimensec)}};
    if (in->valid & (FATTR_ATIME | FATTR_MTIME))
        a.set |= SHARE_SET_TIMES;
    int fd = in->valid & FATTR_FH ? fuse_handle_fd(call->server, in->fh) : -1;
    int r = share_set_attributes(&call->server->share, call->node, fd, &a);
    return r < 0 ? r : fuse_put_attributes(call, call->node);
}

static int handle_readlink(struct fuse_call *call)
{
    char target[LINK_BYTES_MAX];
    ssize_t n = share_read_link(call->node, target, sizeof(target));
    if (n < 0)
        return (int)n;
    void *out = fuse_reserve(call, (size_t)n);
    if (!out)
        return -ENAMETOOLONG;
    memcpy(out, target, (size_t)n);
    return 0;
}

static int handle_statfs(struct fuse_call *call)
{
    struct statfs fs;
    struct fuse_statfs_out *out = fuse_reserve(call, sizeof(*out));
    if (!out)
        return -EMSGSIZE;
    if (fstatfs(call->node->fd, &fs) < 0)
        return -errno;
    out->st = (struct fuse_kstatfs){.blocks = fs.f_blocks,
                                    .bfree = fs.f_bfree,
                                    .bavail = fs.f_bavail,
                                    .files = fs.f_files,
                                    .ffree = fs.f_ffree,
                                    .bsize = (uint32_t)fs.f_bsize,
                                    .namelen = NAME_MAX,
                                    .frsize = (uint32_t)fs.f_frsize};
    return 0;
}

/* --- entries --- */

static int handle_symlink(struct fuse_call *call)
{
    size_t offset = 0;
    const char *name = fuse_get_string(call, &offset);
    const char *target = name ? fuse_get_string(call, &offset) : NULL;
    if (!target)
        return -EINVAL;
    int r = share_symlink(&call->server->share, call->node, name, target, owner_of(call));
    return r < 0 ? r : put_name(call, name);
}

static int handle_mknod(struct fuse_call *call)
{
    const struct fuse_mknod_in *in = (const struct fuse_mknod_in *)call->arguments;
    size_t offset = sizeof(*in);
    const char *name = fuse_get_string(call, &offset);
    if (!name)
        return -EINVAL;
    int r = share_mknod(&call->server->share, call->node, name, in->mode, owner_of(call));
    return r < 0 ? r : put_name(call, name);
}

static int handle_mkdir(struct fuse_call *call)
{
    const struct fuse_mkdir_in *in = (const struct fuse_mkdir_in *)call->arguments;
    size_t offset = sizeof(*in);
    const char *name = fuse_get_string(call, &offset);
    if (!name)
        return -EINVAL;
    int r = share_mkdir(&call->server->share, call->node, name, in->mode, owner_of(call));
    return r < 0 ? r : put_name(call, name);
}

static int handle_link(struct fuse_call *call)
{
    const struct fuse_link_in *in = (const struct fuse_link_in *)call->arguments;
    size_t offset = sizeof(*in);
    const char *name = fuse_get_string(call, &offset);
    struct share_node *node = fuse_find_node(call->server, in->oldnodeid);
    if (!name || !node)
        return name ? -ESTALE : -EINVAL;
    int r = share_link(&call->server->share, node, call->node, name);
    return r < 0 ? r : put_name(call, name);
}

static int remove_name(struct fuse_call *call, bool is_directory)
{
    size_t offset = 0;
    const char *name = fuse_get_string(call, &offset);
    return name ? share_unlink(&call->server->share, call->node, name, is_directory) : -EINVAL;
}

static int handle_unlink(struct fuse_call *call)
{
    return remove_name(call, false);
}

static int handle_rmdir(struct fuse_call *call)
{
    return remove_name(call, true);
}

static int rename_name(struct fuse_call *call, uint64_t to_id, size_t offset, unsigned flags)
{
    const char *from_name = fuse_get_string(call, &offset);
    const char *to_name = from_name ? fuse_get_string(call, &offset) : NULL;
    struct share_node *to = fuse_find_node(call->server, to_id);
    if (!to_name || !to)
        return to_name ? -ESTALE : -EINVAL;
    return share_rename(&call->server->share, call->node, from_name, to, to_name, flags);
}

static int handle_rename(struct fuse_call *call)
{
    const struct fuse_rename_in *in = (const struct fuse_rename_in *)call->arguments;
    return rename_name(call, in->newdir, sizeof(*in), 0);
}

static int handle_rename2(struct fuse_call *call)
{
    const struct fuse_rename2_in *in = (const struct fuse_rename2_in *)call->arguments;
    return rename_name(call, in->newdir, sizeof(*in), in->flags);
}

/* --- open files --- */

static int put_open(struct fuse_call *call, int fd)
{
    struct fuse_open_out *out = fuse_reserve(call, sizeof(*out));
    if (!out) {
        share_close_fd(&call->server->share, fd);
        return -EMSGSIZE;
    }
    out->fh = fuse_add_handle(call->server, fd);
    return 0;
}

static int handle_open(struct fuse_call *call)
{
    const struct fuse_open_in *in = (const struct fuse_open_in *)call->arguments;
    int fd = share_open_node(&call->server->share, call->node, in->flags);
    return fd < 0 ? fd : put_open(call, fd);
}

static int handle_opendir(struct fuse_call *call)
{
    if (!S_ISDIR(call->node->type))
        return -ENOTDIR;
    int fd = share_open_node(&call->server->share, call->node, O_RDONLY);
    return fd < 0 ? fd : put_open(call, fd);
}

static int handle_create(struct fuse_call *call)
{
    const struct fuse_create_in *in = (const struct fuse_create_in *)call->arguments;
    struct share *x = &call->server->share;
    struct share_node *node;
    size_t offset = sizeof(*in);
    const char *name = fuse_get_string(call, &offset);
    int fd;
    if (!name)
        return -EINVAL;
    if (call->payload_room < sizeof(struct fuse_entry_out) + sizeof(struct fuse_open_out))
        return -EMSGSIZE;
    int r = share_create(x, call->node, name, in->flags, in->mode, owner_of(call), &node, &fd);
    if (r < 0)
        return r;
    r = fuse_put_entry(call, node);
    if (r < 0) {
        share_close_fd(x, fd);
        return r;
    }
    return put_open(call, fd);
}

static int handle_release(struct fuse_call *call)
{
    const struct fuse_release_in *in = (const struct fuse_release_in *)call->arguments;
    fuse_close_handle(call->server, in->fh);
    return 0;
}

/* Reads until the range is full or the file ends: less than asked for means the end to the client.
 */
static int handle_read(struct fuse_call *call)
{
    const struct fuse_read_in *in = (const struct fuse_read_in *)call->arguments;
    const struct service_request *r = call->request;
    struct iovec part[VQ_CHAIN_MAX];
    int fd = fuse_handle_fd(call->server, in->fh);
    if (fd < 0)
        return -EBADF;
    if (r->writable_bytes < sizeof(struct fuse_out_header) + in->size || in->offset > INT64_MAX)
        return -EINVAL;
    size_t done = 0;
    while (done < in->size) {
        unsigned count = iov_slice(r->writable, r->writable_count,
                                   sizeof(struct fuse_out_header) + done, in->size - done, part);
        ssize_t n = preadv2(fd, part, (int)count, (off_t)(in->offset + done), 0);
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n == 0)
            break;
        done += n > 0 ? (size_t)n : 0;
    }
    call->payload_bytes = done;
    call->payload_is_out = true;
    return 0;
}

static int handle_write(struct fuse_call *call)
{
    const struct fuse_write_in *in = (const struct fuse_write_in *)call->arguments;
    const struct service_request *r = call->request;
    const size_t front = sizeof(struct fuse_in_header) + sizeof(*in);
    struct iovec part[VQ_CHAIN_MAX];
    int fd = fuse_handle_fd(call->server, in->fh);
    if (fd < 0)
        return -EBADF;
    if (in->size > r->readable_bytes - front || in->offset > INT64_MAX)
        return -EINVAL;
    struct fuse_write_out *out = fuse_reserve(call, sizeof(*out));
    if (!out)
        return -EMSGSIZE;
    unsigned count = iov_slice(r->readable, r->readable_count, front, in->size, part);
    out->size = in->size;
    return file_writev(fd, part, count, in->offset);
}

static int handle_fsync(struct fuse_call *call)
{
    const struct fuse_fsync_in *in = (const struct fuse_fsync_in *)call->arguments;
    int fd = fuse_handle_fd(call->server, in->fh);
    if (fd < 0)
        return -EBADF;
    return result(in->fsync_flags & FSYNC_DATA_ONLY ? fdatasync(fd) : fsync(fd));
}

/* The client may close a file often; only the last time is a release. */
static int handle_flush(struct fuse_call *call)
{
    return 0;
}

static int handle_lseek(struct fuse_call *call)
{
    const struct fuse_lseek_in *in = (const struct fuse_lseek_in *)call->arguments;
    struct fuse_lseek_out *out = fuse_reserve(call, sizeof(*out));
    int fd = fuse_handle_fd(call->server, in->fh);
    if (fd < 0 || !out)
        return fd < 0 ? -EBADF : -EMSGSIZE;
    off_t at = lseek(fd, (off_t)in->offset, (int)in->whence);
    if (at < 0)
        return -errno;
    out->offset = (uint64_t)at;
    return 0;
}

static int handle_fallocate(struct fuse_call *call)
{
    const struct fuse_fallocate_in *in = (const struct fuse_fallocate_in *)call->arguments;
    int fd = fuse_handle_fd(call->server, in->fh);
    if (fd < 0)
        return -EBADF;
    return result(fallocate(fd, (int)in->mode, (off_t)in->offset, (off_t)in->length));
}

/* Offsets are the host's own cookies. */
static int handle_readdir(struct fuse_call *call)
{
    _Alignas(struct dirent64) char buffer[READDIR_BYTES_MAX];
    const struct fuse_read_in *in = (const struct fuse_read_in *)call->arguments;
    int fd = fuse_handle_fd(call->server, in->fh);
    if (fd < 0 || !S_ISDIR(call->node->type))
        return -EBADF;
    if (in->size < call->payload_room)
        call->payload_room = in->size;
    if (lseek(fd, (off_t)in->offset, SEEK_SET) < 0)
        return -errno;
    size_t ask = call->payload_room < sizeof(buffer) ? call->payload_room : sizeof(buffer);
    ssize_t n = getdents64(fd, buffer, ask);
    if (n < 0)
        return -errno;
    for (ssize_t at = 0; at < n;) {
        const struct dirent64 *entry = (const struct dirent64 *)(buffer + at);
        size_t name_bytes = strlen(entry->d_name);
        struct fuse_dirent *out =
            fuse_reserve(call, FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET + name_bytes));
        if (!out)
            break; /* the client asks again from the last offset it got */
        out->ino = share_inode(&call->server->share, call->server->share.device, entry->d_ino);
        out->off = (uint64_t)entry->d_off;
        out->namelen = (uint32_t)name_bytes;
        out->type = entry->d_type;
        memcpy(out->name, entry->d_name, name_bytes);
        at += entry->d_reclen;
    }
    return n > 0 && call->payload_bytes == 0 ? -EINVAL : 0;
}

const struct fuse_operation fuse_file_operations[] = {
    {FUSE_LOOKUP, 1, handle_lookup},
    {FUSE_GETATTR, 0, handle_getattr},
    {FUSE_SETATTR, sizeof(struct fuse_setattr_in), handle_setattr},
    {FUSE_READ, sizeof(struct fuse_read_in), handle_read},
    {FUSE_WRITE, sizeof(struct fuse_write_in), handle_write},
    {FUSE_OPEN, sizeof(struct fuse_open_in), handle_open},
    {FUSE_RELEASE, sizeof(struct fuse_release_in), handle_release},
    {FUSE_FLUSH, 0, handle_flush},
    {FUSE_FSYNC, sizeof(struct fuse_fsync_in), handle_fsync},
    {FUSE_CREATE, sizeof(struct fuse_create_in), handle_create},
    {FUSE_OPENDIR, 0, handle_opendir},
    {FUSE_READDIR, sizeof(struct fuse_read_in), handle_readdir},
    {FUSE_RELEASEDIR, sizeof(struct fuse_release_in), handle_release},
    {FUSE_FSYNCDIR, sizeof(struct fuse_fsync_in), handle_fsync},
    {FUSE_READLINK, 0, handle_readlink},
    {FUSE_SYMLINK, 1, handle_symlink},
    {FUSE_MKNOD, sizeof(struct fuse_mknod_in), handle_mknod},
    {FUSE_MKDIR, sizeof(struct fuse_mkdir_in), handle_mkdir},
    {FUSE_UNLINK, 1, handle_unlink},
    {FUSE_RMDIR, 1, handle_rmdir},
    {FUSE_RENAME, sizeof(struct fuse_rename_in), handle_rename},
    {FUSE_RENAME2, sizeof(struct fuse_rename2_in), handle_rename2},
    {FUSE_LINK, sizeof(struct fuse_link_in), handle_link},
    {FUSE_STATFS, 0, handle_statfs},
    {FUSE_LSEEK, sizeof(struct fuse_lseek_in), handle_lseek},
    {FUSE_FALLOCATE, sizeof(struct fuse_fallocate_in), handle_fallocate},
};
const unsigned fuse_file_operation_count = ARRAY_SIZE(fuse_file_operations);
