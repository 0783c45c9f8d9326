/* p9_ops.c: 9P2000.L requests on files, each by one system call on descriptors.
 *
 * No path of more than one name is ever given to the host: names were checked by p9_get_name(), the
 * directory is a node's descriptor, and where the host would follow a link in the last place it is
 * told not to. Error numbers are Linux's on both sides.
 *
 * Limits: only regular files, directories, links, FIFOs and sockets can be made; a change of owner
 * that the process may not do is ignored, as the guest's files all belong to it.
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

enum { PATH_BYTES = 4096, MODE_BITS = 07777, UNLINK_REMOVEDIR = 0x200 };
enum { DIRENT_BUFFER_BYTES = 32 * 1024, DIRENT_REPLY_BYTES = P9_QID_BYTES + 8 + 1 + 2 };
static const uint64_t GETATTR_BASIC = 0x7ff;

/* Of the open flags (Linux' generic numbers, which x86-64 has too) those that mean something here.
 */
static const uint32_t OPEN_FLAGS = O_ACCMODE | O_TRUNC | O_APPEND | O_DSYNC | O_SYNC;

static int result(int r)
{
    return r < 0 ? -errno : 0;
}

/* The directory fid and the name that many requests begin with. */
static int get_place(struct p9_server *s, struct p9_reader *in, struct p9_node **ret_directory,
                     char name[P9_NAME_MAX + 1])
{
    struct p9_fid *fid = p9_get_fid(s, in);
    int r = p9_get_name(in, name);
    if (r < 0)
        return r;
    if (!fid)
        return -EBADF;
    *ret_directory = fid->node;
    return 0;
}

/* The reply of requests that make an entry: its qid. */
static int put_entry(struct p9_server *s, struct p9_node *directory, const char *name,
                     struct p9_writer *out)
{
    struct stat st;
    if (fstatat(directory->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return -errno;
    struct p9_qid qid = p9_qid_of(&s->export, &st);
    p9_put_qid(out, &qid);
    return 0;
}

/* --- open, create, read, write --- */

static int put_opened(struct p9_server *s, struct p9_fid *fid, struct p9_writer *out)
{
    struct p9_qid qid;
    int r = p9_node_qid(&s->export, fid->node, &qid);
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
    if (s->read_only && ((flags & O_ACCMODE) != O_RDONLY || flags & O_TRUNC))
        return -EROFS;
    int fd = p9_node_open(&s->export, fid->node, (int)(flags & OPEN_FLAGS));
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
    struct p9_node *node;
    struct p9_fid *fid = p9_get_fid(s, in);
    int r = p9_get_name(in, name);
    uint32_t flags = p9_get32(in), mode = p9_get32(in);
    p9_get32(in);
    if (r < 0 || in->bad)
        return r < 0 ? r : -EINVAL;
    if (!fid || fid->fd >= 0)
        return -EBADF;
    int made =
        openat(fid->node->fd, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_RDWR, 0600);
    if (made < 0 && (errno != EEXIST || flags & O_EXCL))
        return -errno;
    r = p9_node_lookup(&s->export, fid->node, name, &node);
    int fd = r;
    if (r == 0)
        fd = p9_node_open(&s->export, node, (int)(flags & OPEN_FLAGS));
    if (made >= 0) {
        fchmod(made, mode & MODE_BITS); /* ours was for opening it; the host's umask has no say */
        close(made);
    }
    if (fd < 0) {
        if (r == 0)
            p9_node_unref(&s->export, node);
        return fd;
    }
    p9_node_unref(&s->export, fid->node);
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
                             p9_qid_path(&s->export, s->export.device, entry->d_ino)};
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
    struct p9_qid qid = p9_qid_of(&s->export, &st);
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
    SET_MODE = 1 << 0,
    SET_UID = 1 << 1,
    SET_GID = 1 << 2,
    SET_SIZE = 1 << 3,
    SET_ATIME = 1 << 4,
    SET_MTIME = 1 << 5,
    SET_ATIME_TO = 1 << 7,
    SET_MTIME_TO = 1 << 8,
};

struct new_attributes {
    uint32_t valid, mode, uid, gid;
    uint64_t size;
    struct timespec atime, mtime;
};

static int set_size(struct p9_server *s, const struct p9_fid *fid, uint64_t size)
{
    if (!S_ISREG(fid->node->type) || size > INT64_MAX)
        return -EINVAL;
    if (fid->fd >= 0 && ftruncate(fid->fd, (off_t)size) == 0)
        return 0;
    int fd = p9_node_open(&s->export, fid->node, O_WRONLY);
    if (fd < 0)
        return fd;
    int r = result(ftruncate(fd, (off_t)size));
    p9_node_close(&s->export, fd);
    return r;
}

static int set_owner(const struct p9_node *node, const struct new_attributes *a)
{
    uid_t uid = a->valid & SET_UID ? a->uid : (uid_t)-1;
    gid_t gid = a->valid & SET_GID ? a->gid : (gid_t)-1;
    int r = result(fchownat(node->fd, "", uid, gid, AT_EMPTY_PATH));
    return r == -EPERM ? 0 : r;
}

static struct timespec time_to_set(uint32_t valid, uint32_t set, uint32_t set_to,
                                   struct timespec value)
{
    if (!(valid & set))
        value.tv_nsec = UTIME_OMIT;
    else if (!(valid & set_to))
        value.tv_nsec = UTIME_NOW;
    return value;
}

static int set_times(const struct p9_node *node, const struct new_attributes *a)
{
    struct timespec times[2] = {time_to_set(a->valid, SET_ATIME, SET_ATIME_TO, a->atime),
                                time_to_set(a->valid, SET_MTIME, SET_MTIME_TO, a->mtime)};
    return result(utimensat(node->fd, "", times, AT_EMPTY_PATH));
}

/* setattr: fid u32, valid u32, mode u32, uid u32, gid u32, size u64, atime and mtime as two u64. */
static int handle_setattr(struct p9_server *s, struct p9_reader *in, struct p9_writer *out)
{
    struct p9_fid *fid = p9_get_fid(s, in);
    struct new_attributes a = {.valid = p9_get32(in)};
    a.mode = p9_get32(in);
    a.uid = p9_get32(in);
    a.gid = p9_get32(in);
    a.size = p9_get64(in);
    a.atime.tv_sec = (time_t)p9_get64(in);
    a.atime.tv_nsec = (long)(p9_get64(in) % 1000000000u);
    a.mtime.tv_sec = (time_t)p9_get64(in);
    a.mtime.tv_nsec = (long)(p9_get64(in) % 1000000000u);
    if (in->bad)
        return -EINVAL;
    if (!fid)
        return -EBADF;
    int r = 0;
    if (a.valid & SET_MODE)
        r = S_ISLNK(fid->node->type)
                ? -EOPNOTSUPP
                : result(fchmodat(s->export.proc_fd, p9_node_proc_name(fid->node).text,
                                  a.mode & MODE_BITS, 0));
    if (r == 0 && a.valid & (SET_UID | SET_GID))
        r = set_owner(fid->node, &a);
    if (r == 0 && a.valid & SET_SIZE)
        r = set_size(s, fid, a.size);
    if (r == 0 && a.valid & (SET_ATIME | SET_MTIME))
        r = set_times(fid->node, &a);
    return r;
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
    ssize_t n = S_ISLNK(fid->node->type) ? readlinkat(fid->node->fd, "", target, sizeof(target))
                                         : (errno = EINVAL, -1);
    if (n < 0)
        return -errno;
    p9_put_string(out, target, (size_t)n);
    return 0;
}

/* --- entries --- */

/* symlink: directory u32, name, target, gid u32. The target is the guest's to resolve. */
static int handle_symlink(struct p9_server *s, struct p9_reader *in, struct p9_writer *out)
{
    char name[P9_NAME_MAX + 1], target[PATH_BYTES];
    struct p9_node *directory = NULL;
    int r = get_place(s, in, &directory, name);
    if (r == 0)
        r = p9_get_string(in, target, sizeof(target));
    if (r == 0)
        r = result(symlinkat(target, directory->fd, name));
    return r < 0 ? r : put_entry(s, directory, name, out);
}

/* Sets the mode of an entry just made, which the host's umask has cut. */
static void set_entry_mode(struct p9_server *s, struct p9_node *directory, const char *name,
                           uint32_t mode)
{
    struct p9_node *node;
    if (p9_node_lookup(&s->export, directory, name, &node) < 0)
        return;
    if (!S_ISLNK(node->type))
        fchmodat(s->export.proc_fd, p9_node_proc_name(node).text, mode & MODE_BITS, 0);
    p9_node_unref(&s->export, node);
}

/* mknod: directory u32, name, mode u32, major u32, minor u32, gid u32. */
static int handle_mknod(struct p9_server *s, struct p9_reader *in, struct p9_writer *out)
{
    char name[P9_NAME_MAX + 1];
    struct p9_node *directory = NULL;
    int r = get_place(s, in, &directory, name);
    uint32_t mode = p9_get32(in);
    if (r < 0 || in->bad)
        return r < 0 ? r : -EINVAL;
    /* a device made in the share would be a device of the host */
    if (!S_ISREG(mode) && !S_ISFIFO(mode) && !S_ISSOCK(mode))
        return -EPERM;
    if (mknodat(directory->fd, name, (mode & S_IFMT) | 0600, 0) < 0)
        return -errno;
    set_entry_mode(s, directory, name, mode);
    return put_entry(s, directory, name, out);
}

/* mkdir: directory u32, name, mode u32, gid u32. */
static int handle_mkdir(struct p9_server *s, struct p9_reader *in, struct p9_writer *out)
{
    char name[P9_NAME_MAX + 1];
    struct p9_node *directory = NULL;
    int r = get_place(s, in, &directory, name);
    uint32_t mode = p9_get32(in);
    if (r < 0 || in->bad)
        return r < 0 ? r : -EINVAL;
    if (mkdirat(directory->fd, name, 0700) < 0)
        return -errno;
    set_entry_mode(s, directory, name, mode);
    return put_entry(s, directory, name, out);
}

/* link: directory u32, fid u32, name. */
static int handle_link(struct p9_server *s, struct p9_reader *in, struct p9_writer *out)
{
    char name[P9_NAME_MAX + 1];
    struct p9_fid *directory = p9_get_fid(s, in), *fid = p9_get_fid(s, in);
    int r = p9_get_name(in, name);
    if (r < 0)
        return r;
    if (!directory || !fid)
        return -EBADF;
    return result(linkat(s->export.proc_fd, p9_node_proc_name(fid->node).text, directory->node->fd,
                         name, AT_SYMLINK_FOLLOW));
}

/* unlinkat: directory u32, name, flags u32. */
static int handle_unlinkat(struct p9_server *s, struct p9_reader *in, struct p9_writer *out)
{
    char name[P9_NAME_MAX + 1];
    struct p9_node *directory = NULL;
    int r = get_place(s, in, &directory, name);
    uint32_t flags = p9_get32(in);
    if (r < 0 || in->bad)
        return r < 0 ? r : -EINVAL;
    return result(unlinkat(directory->fd, name, flags & UNLINK_REMOVEDIR ? AT_REMOVEDIR : 0));
}

/* renameat: old directory u32, old name, new directory u32, new name. */
static int handle_renameat(struct p9_server *s, struct p9_reader *in, struct p9_writer *out)
{
    char from[P9_NAME_MAX + 1], to[P9_NAME_MAX + 1];
    struct p9_node *from_directory = NULL, *to_directory = NULL;
    int r = get_place(s, in, &from_directory, from);
    if (r == 0)
        r = get_place(s, in, &to_directory, to);
    return r < 0 ? r : result(renameat(from_directory->fd, from, to_directory->fd, to));
}

/* Whether the node's name still leads to it. */
static bool still_there(const struct p9_node *node)
{
    struct stat here, there;
    return node->parent && fstat(node->fd, &here) == 0 &&
           fstatat(node->parent->fd, node->name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
           here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

/* rename: fid u32, directory u32, name: the form that names a file by its fid. */
static int handle_rename(struct p9_server *s, struct p9_reader *in, struct p9_writer *out)
{
    char name[P9_NAME_MAX + 1];
    struct p9_fid *fid = p9_get_fid(s, in);
    struct p9_node *directory = NULL;
    int r = get_place(s, in, &directory, name);
    if (r < 0)
        return r;
    if (!fid)
        return -EBADF;
    if (!still_there(fid->node))
        return -ENOENT;
    r = result(renameat(fid->node->parent->fd, fid->node->name, directory->fd, name));
    if (r < 0)
        return r;
    p9_node_moved(&s->export, fid->node, directory, name);
    return 0;
}

/* remove(5): fid u32, which goes away in any case. */
static int handle_remove(struct p9_server *s, struct p9_reader *in, struct p9_writer *out)
{
    struct p9_fid *fid = p9_get_fid(s, in);
    if (!fid)
        return -EBADF;
    int r = -EROFS;
    if (!s->read_only)
        r = !still_there(fid->node) ? -ENOENT
                                    : result(unlinkat(fid->node->parent->fd, fid->node->name,
                                                      S_ISDIR(fid->node->type) ? AT_REMOVEDIR : 0));
    p9_fid_remove(s, fid);
    return r;
}

const struct p9_operation p9_file_operations[] = {
    {TREAD, false, handle_read},        {TWRITE, true, handle_write},
    {TGETATTR, false, handle_getattr},  {TSETATTR, true, handle_setattr},
    {TLOPEN, false, handle_lopen},      {TLCREATE, true, handle_lcreate},
    {TREADDIR, false, handle_readdir},  {TREADLINK, false, handle_readlink},
    {TSTATFS, false, handle_statfs},    {TFSYNC, false, handle_fsync},
    {TMKDIR, true, handle_mkdir},       {TSYMLINK, true, handle_symlink},
    {TLINK, true, handle_link},         {TMKNOD, true, handle_mknod},
    {TUNLINKAT, true, handle_unlinkat}, {TRENAMEAT, true, handle_renameat},
    {TRENAME, true, handle_rename},     {TREMOVE, false, handle_remove},
};
const unsigned p9_file_operation_count = ARRAY_SIZE(p9_file_operations);
