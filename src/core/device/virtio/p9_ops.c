/* p9_ops.c: 9P2000.L requests on files: fields in, a call on the share, fields out.
 *
 * Error numbers and open flags are Linux's on both sides.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "core/device/virtio/p9_int.h"

enum {
    TSTATFS = 8,
    TLOPEN = 12,
    TLCREATE = 14,
    TSYMLINK = 16,
    TMKNOD = 18,
    TRENAME = 20,
    TREADLINK = 22,
    TGETATTR = 24,
    TSETATTR = 26,
    TREADDIR = 40,
    TFSYNC = 50,
    TLINK = 70,
    TMKDIR = 72,
    TRENAMEAT = 74,
    TUNLINKAT = 76,
    TREAD = 116,
    TWRITE = 118,
    TREMOVE = 122,
};

enum { PATH_BYTES = 4096, UNLINK_REMOVEDIR = 0x200 };
enum { DIRENT_BUFFER_BYTES = 32 * 1024, DIRENT_REPLY_BYTES = P9_QID_BYTES + 8 + 1 + 2 };
static const uint64_t GETATTR_BASIC = 0x7ff;

static int result(int r)
{
    return r < 0 ? -errno : 0;
}

/* The directory fid and the name that many requests begin with. */
static int get_place(struct p9_server *s, struct p9_reader *in, struct p9_fid **ret_directory,
                     char name[P9_NAME_MAX + 1])
{
    struct p9_fid *fid = p9_get_fid(s, in);
    int r = p9_get_name(in, name);
    if (r < 0)
        return r;
    *ret_directory = fid;
    return fid ? 0 : -EBADF;
}

/* The reply of requests that make an entry: its qid. */
static int put_entry(struct p9_server *s, struct share_node *directory, const char *name,
                     struct p9_writer *out)
{
    struct stat st;
    if (fstatat(directory->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return -errno;
    struct p9_qid qid = p9_qid_of(&s->share, &st);
    p9_put_qid(out, &qid);
    return 0;
}

/* --- open, create, read, write --- */

static int put_opened(struct p9_server *s, struct p9_fid *fid, struct p9_writer *out)
{
    struct p9_qid qid;
    int r = p9_node_qid(&s->share, fid->node, &qid);
    if (r < 0)
        return r;
    p9_put_qid(out, &qid);
    p9_put(out, 4, 0); /* iounit: as large as msize allows */
    return 0;
}

/* lopen: fid u32, flags u32. */
static int handle_lopen(struct p9_server *s, struct p9_reader *in, struct p9_writer *out)
{
    struct p9_fid *fid = p9_get_fid(s, in);
    uint32_t flags = p9_get32(in);
    if (in->bad)
        return -EINVAL;
    if (!fid || fid->fd >= 0)
        return -EBADF;
    int fd = share_open_node(&s->share, fid->node, flags);
    if (fd < 0)
        return fd;
    fid->fd = fd;
    return put_opened(s, fid, out);
}

/* lcreate: fid u32 of the directory, name, flags u32, mode u32, gid u32; the fid becomes the file.
 */
static int handle_lcreate(struct p9_server *s, struct p9_reader *in, struct p9_writer *out)
{
    char name[P9_NAME_MAX + 1];
    struct share_node *node;
    struct p9_fid *fid = NULL;
    int r = get_place(s, in, &fid, name), fd;
    uint32_t flags = p9_get32(in), mode = p9_get32(in);
    gid_t gid = p9_get32(in);
    if (r < 0 || in->bad)
        return r < 0 ? r : -EINVAL;
    if (fid->fd >= 0)
        return -EBADF;
    r = share_create(&s->share, fid->node, name, flags, mode, (struct share_owner){fid->uid, gid},
                     &node, &fd);
    if (r < 0)
        return r;
    share_node_unref(&s->share, fid->node);
    fid->node = node;
    fid->fd = fd;
    return put_opened(s, fid, out);
}

/* read: fid u32, offset u64, count u32. */
static int handle_read(struct p9_server *s, struct p9_reader *in, struct p9_writer *out)
{
    struct p9_fid *fid = p9_get_fid(s, in);
    uint64_t offset = p9_get64(in);
    uint32_t count = p9_get32(in);
    if (in->bad || offset > INT64_MAX)
        return -EINVAL;
    if (!fid || fid->fd < 0)
        return -EBADF;
    if (p9_room(out) < 4)
        return -EMSGSIZE;
    size_t room = p9_room(out) - 4;
    ssize_t n = pread(fid->fd, out->next + 4, count < room ? count : room, (off_t)offset);
    if (n < 0)
        return -errno;
    p9_put(out, 4, (uint64_t)n);
    p9_reserve(out, (size_t)n);
    return 0;
}

/* write: fid u32, offset u64, count u32, data. */
static int handle_write(struct p9_server *s, struct p9_reader *in, struct p9_writer *out)
{
    struct p9_fid *fid = p9_get_fid(s, in);
    uint64_t offset = p9_get64(in);
    uint32_t count = p9_get32(in);
    if (in->bad || count > (size_t)(in->end - in->next) || offset > INT64_MAX)
        return -EINVAL;
    if (s->share.read_only)
        return -EROFS;
    if (!fid || fid->fd < 0)
        return -EBADF;
    ssize_t n = pwrite(fid->fd, in->next, count, (off_t)offset);
    if (n < 0)
        return -errno;
    p9_put(out, 4, (uint64_t)n);
    return 0;
}

/* fsync: fid u32, datasync u32. */
static int handle_fsync(struct p9_server *s, struct p9_reader *in, struct p9_writer *out)
{
    struct p9_fid *fid = p9_get_fid(s, in);
    uint32_t data_only = p9_get32(in);
    if (!fid || fid->fd < 0)
        return -EBADF;
    return result(data_only ? fdatasync(fid->fd) : fsync(fid->fd));
}

/* readdir: fid u32, offset u64, count u32; offsets are the host's own cookies. */
static int handle_readdir(struct p9_server *s, struct p9_reader *in, struct p9_writer *out)
{
    _Alignas(struct dirent64) char buffer[DIRENT_BUFFER_BYTES];
    struct p9_fid *fid = p9_get_fid(s, in);
    uint64_t offset = p9_get64(in);
    uint32_t count = p9_get32(in);
    if (in->bad)
        return -EINVAL;
    if (!fid || fid->fd < 0 || !S_ISDIR(fid->node->type))
        return -EBADF;
    size_t room = p9_room(out) < 4 ? 0 : p9_room(out) - 4, used = 0;
    if (count < room)
        room = count;
    uint8_t *counter = p9_reserve(out, 4);
    size_t ask = room < sizeof(buffer) ? room : sizeof(buffer);
    if (!counter || lseek(fid->fd, (off_t)offset, SEEK_SET) < 0)
        return counter ? -errno : -EMSGSIZE;
    ssize_t n = getdents64(fid->fd, buffer, ask);
    if (n < 0)
        return -errno;
    for (ssize_t at = 0; at < n;) {
        const struct dirent64 *entry = (const struct dirent64 *)(buffer + at);
        size_t name_bytes = strlen(entry->d_name);
        if (used + DIRENT_REPLY_BYTES + name_bytes > room)
            break; /* the client asks again from the last offset it got */
        struct p9_qid qid = {p9_qid_type(DTTOIF(entry->d_type)), 0,
                             share_inode(&s->share, s->share.device, entry->d_ino)};
        p9_put_qid(out, &qid);
        p9_put(out, 8, (uint64_t)entry->d_off);
        p9_put(out, 1, entry->d_type);
        p9_put_string(out, entry->d_name, name_bytes);
        used += DIRENT_REPLY_BYTES + name_bytes;
        at += entry->d_reclen;
    }
    if (n > 0 && used == 0)
        return -EINVAL; /* as getdents(2) says where the first entry does not fit */
    store_le(counter, 4, used);
    return 0;
}

/* --- attributes --- */

/* getattr: fid u32, mask u64. */
static int handle_getattr(struct p9_server *s, struct p9_reader *in, struct p9_writer *out)
{
    struct p9_fid *fid = p9_get_fid(s, in);
    struct stat st;
    p9_get64(in);
    if (!fid)
        return -EBADF;
    if (fstat(fid->node->fd, &st) < 0)
        return -errno;
    struct p9_qid qid = p9_qid_of(&s->share, &st);
    p9_put(out, 8, GETATTR_BASIC);
    p9_put_qid(out, &qid);
    p9_put(out, 4, st.st_mode);
    p9_put(out, 4, st.st_uid);
    p9_put(out, 4, st.st_gid);
    const uint64_t fields[] = {
        st.st_nlink,
        st.st_rdev,
        (uint64_t)st.st_size,
        (uint64_t)st.st_blksize,
        (uint64_t)st.st_blocks,
        (uint64_t)st.st_atim.tv_sec,
        (uint64_t)st.st_atim.tv_nsec,
        (uint64_t)st.st_mtim.tv_sec,
        (uint64_t)st.st_mtim.tv_nsec,
        (uint64_t)st.st_ctim.tv_sec,
        (uint64_t)st.st_ctim.tv_nsec,
        0,
        0, /* birth: not in the mask */
        0,
        0, /* generation, data version: not in the mask */
    };
    for (unsigned i = 0; i < ARRAY_SIZE(fields); i++)
        p9_put(out, 8, fields[i]);
    return 0;
}

enum {
    SET_SAME_MASK = SHARE_SET_MODE | SHARE_SET_UID | SHARE_SET_GID | SHARE_SET_SIZE,
    SET_ATIME = 1 << 4,
    SET_MTIME = 1 << 5,
    SET_ATIME_TO = 1 << 7,
    SET_MTIME_TO = 1 << 8,
};

static struct timespec time_to_set(uint32_t valid, uint32_t set, uint32_t set_to, uint64_t seconds,
                                   uint64_t nanoseconds)
{
    if (!(valid & set))
        return (struct timespec){.tv_nsec = UTIME_OMIT};
    if (!(valid & set_to))
        return (struct timespec){.tv_nsec = UTIME_NOW};
    return (struct timespec){(time_t)seconds, (long)(nanoseconds % 1000000000u)};
}

/* setattr: fid u32, valid u32, mode u32, uid u32, gid u32, size u64, atime and mtime as two u64.
 * The first four bits of `valid` are share_set's. */
static int handle_setattr(struct p9_server *s, struct p9_reader *in, struct p9_writer *out)
{
    uint64_t times[4];
    struct p9_fid *fid = p9_get_fid(s, in);
    uint32_t valid = p9_get32(in);
    struct share_attributes a = {.set = valid & SET_SAME_MASK};
    a.mode = p9_get32(in);
    a.owner.uid = p9_get32(in);
    a.owner.gid = p9_get32(in);
    a.size_bytes = p9_get64(in);
    for (unsigned i = 0; i < ARRAY_SIZE(times); i++)
        times[i] = p9_get64(in);
    if (in->bad)
        return -EINVAL;
    if (!fid)
        return -EBADF;
    if (valid & (SET_ATIME | SET_MTIME))
        a.set |= SHARE_SET_TIMES;
    a.times[0] = time_to_set(valid, SET_ATIME, SET_ATIME_TO, times[0], times[1]);
    a.times[1] = time_to_set(valid, SET_MTIME, SET_MTIME_TO, times[2], times[3]);
    return share_set_attributes(&s->share, fid->node, fid->fd, &a);
}

/* statfs: fid u32. */
static int handle_statfs(struct p9_server *s, struct p9_reader *in, struct p9_writer *out)
{
    struct p9_fid *fid = p9_get_fid(s, in);
    struct statfs fs;
    if (!fid)
        return -EBADF;
    if (fstatfs(fid->node->fd, &fs) < 0)
        return -errno;
    p9_put(out, 4, (uint32_t)fs.f_type);
    p9_put(out, 4, (uint32_t)fs.f_bsize);
    const uint64_t fields[] = {fs.f_blocks, fs.f_bfree, fs.f_bavail, fs.f_files, fs.f_ffree, 0};
    for (unsigned i = 0; i < ARRAY_SIZE(fields); i++)
        p9_put(out, 8, fields[i]);
    p9_put(out, 4, P9_NAME_MAX);
    return 0;
}

/* readlink: fid u32. */
static int handle_readlink(struct p9_server *s, struct p9_reader *in, struct p9_writer *out)
{
    char target[PATH_BYTES];
    struct p9_fid *fid = p9_get_fid(s, in);
    if (!fid)
        return -EBADF;
    ssize_t n = share_read_link(fid->node, target, sizeof(target));
    if (n < 0)
        return (int)n;
    p9_put_string(out, target, (size_t)n);
    return 0;
}

/* --- entries --- */

/* symlink: directory u32, name, target, gid u32. */
static int handle_symlink(struct p9_server *s, struct p9_reader *in, struct p9_writer *out)
{
    char name[P9_NAME_MAX + 1], target[PATH_BYTES];
    struct p9_fid *directory = NULL;
    int r = get_place(s, in, &directory, name);
    if (r == 0)
        r = p9_get_string(in, target, sizeof(target));
    gid_t gid = p9_get32(in);
    if (r < 0 || in->bad)
        return r < 0 ? r : -EINVAL;
    struct share_owner owner = {directory->uid, gid};
    r = share_symlink(&s->share, directory->node, name, target, owner);
    return r < 0 ? r : put_entry(s, directory->node, name, out);
}

/* mknod: directory u32, name, mode u32, major u32, minor u32, gid u32. */
static int handle_mknod(struct p9_server *s, struct p9_reader *in, struct p9_writer *out)
{
    char name[P9_NAME_MAX + 1];
    struct p9_fid *directory = NULL;
    int r = get_place(s, in, &directory, name);
    uint32_t mode = p9_get32(in);
    p9_get64(in);
    gid_t gid = p9_get32(in);
    if (r < 0 || in->bad)
        return r < 0 ? r : -EINVAL;
    struct share_owner owner = {directory->uid, gid};
    r = share_mknod(&s->share, directory->node, name, mode, owner);
    return r < 0 ? r : put_entry(s, directory->node, name, out);
}

/* mkdir: directory u32, name, mode u32, gid u32. */
static int handle_mkdir(struct p9_server *s, struct p9_reader *in, struct p9_writer *out)
{
    char name[P9_NAME_MAX + 1];
    struct p9_fid *directory = NULL;
    int r = get_place(s, in, &directory, name);
    uint32_t mode = p9_get32(in);
    gid_t gid = p9_get32(in);
    if (r < 0 || in->bad)
        return r < 0 ? r : -EINVAL;
    struct share_owner owner = {directory->uid, gid};
    r = share_mkdir(&s->share, directory->node, name, mode, owner);
    return r < 0 ? r : put_entry(s, directory->node, name, out);
}

/* link: directory u32, fid u32, name. */
static int handle_link(struct p9_server *s, struct p9_reader *in, struct p9_writer *out)
{
    char name[P9_NAME_MAX + 1];
    struct p9_fid *directory = p9_get_fid(s, in), *fid = NULL;
    int r = get_place(s, in, &fid, name);
    if (r < 0 || !directory)
        return r < 0 ? r : -EBADF;
    return share_link(&s->share, fid->node, directory->node, name);
}

/* unlinkat: directory u32, name, flags u32. */
static int handle_unlinkat(struct p9_server *s, struct p9_reader *in, struct p9_writer *out)
{
    char name[P9_NAME_MAX + 1];
    struct p9_fid *directory = NULL;
    int r = get_place(s, in, &directory, name);
    uint32_t flags = p9_get32(in);
    if (r < 0 || in->bad)
        return r < 0 ? r : -EINVAL;
    return share_unlink(&s->share, directory->node, name, flags & UNLINK_REMOVEDIR);
}

/* renameat: old directory u32, old name, new directory u32, new name. */
static int handle_renameat(struct p9_server *s, struct p9_reader *in, struct p9_writer *out)
{
    char from_name[P9_NAME_MAX + 1], to_name[P9_NAME_MAX + 1];
    struct p9_fid *from = NULL, *to = NULL;
    int r = get_place(s, in, &from, from_name);
    if (r == 0)
        r = get_place(s, in, &to, to_name);
    return r < 0 ? r : share_rename(&s->share, from->node, from_name, to->node, to_name, 0);
}

/* rename: fid u32, directory u32, name: the form that names a file by its fid. */
static int handle_rename(struct p9_server *s, struct p9_reader *in, struct p9_writer *out)
{
    char name[P9_NAME_MAX + 1];
    struct p9_fid *fid = p9_get_fid(s, in), *directory = NULL;
    int r = get_place(s, in, &directory, name);
    if (r < 0 || !fid)
        return r < 0 ? r : -EBADF;
    return share_rename_node(&s->share, fid->node, directory->node, name);
}

/* remove(5): fid u32, which goes away in any case. */
static int handle_remove(struct p9_server *s, struct p9_reader *in, struct p9_writer *out)
{
    struct p9_fid *fid = p9_get_fid(s, in);
    if (!fid)
        return -EBADF;
    int r = share_unlink_node(&s->share, fid->node);
    p9_fid_remove(s, fid);
    return r;
}

const struct p9_operation p9_file_operations[] = {
    {TREAD, handle_read},         {TWRITE, handle_write},       {TGETATTR, handle_getattr},
    {TSETATTR, handle_setattr},   {TLOPEN, handle_lopen},       {TLCREATE, handle_lcreate},
    {TREADDIR, handle_readdir},   {TREADLINK, handle_readlink}, {TSTATFS, handle_statfs},
    {TFSYNC, handle_fsync},       {TMKDIR, handle_mkdir},       {TSYMLINK, handle_symlink},
    {TLINK, handle_link},         {TMKNOD, handle_mknod},       {TUNLINKAT, handle_unlinkat},
    {TRENAMEAT, handle_renameat}, {TRENAME, handle_rename},     {TREMOVE, handle_remove},
};
const unsigned p9_file_operation_count = ARRAY_SIZE(p9_file_operations);
