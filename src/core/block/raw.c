/* raw.c: the bottom of a disk: a regular file or a block device, byte for byte.
 *
 * Opened under a lock (hardware/filelock.h) that the kernel drops with the process. A block device
 * that will be written is opened with O_EXCL too, which the kernel refuses while it is mounted.
 *
 * Limit: no format but raw; files of the usual others are told by their first bytes and refused,
 * unless the operator says that they are raw, as a guest can write such bytes.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "core/block/blk_int.h"
#include "core/block/fileio.h"
#include "hardware/filelock.h"

enum { SECTOR_BYTES = 512, SECTOR_BYTES_MAX = 4096 };

struct raw {
    struct blk blk;
    int fd;
    bool is_device;
    atomic_bool no_try_write; /* the file system cannot say whether a write would sleep */
};

static int device_range(int fd, unsigned long command, const struct blk_request *request)
{
    uint64_t range[2] = {request->offset, request->size_bytes};
    return ioctl(fd, command, range) < 0 ? -errno : 0;
}

static int raw_discard(struct raw *raw, const struct blk_request *request)
{
    if (!raw->is_device)
        return file_discard(raw->fd, request->offset, request->size_bytes);
    int r = device_range(raw->fd, BLKDISCARD, request);
    return r == -EOPNOTSUPP ? 0 : r; /* discarding is a hint */
}

static int raw_zero(struct raw *raw, const struct blk_request *request)
{
    if (raw->is_device)
        return device_range(raw->fd, BLKZEROOUT, request);
    return file_zero(raw->fd, request->offset, request->size_bytes, request->may_unmap);
}

static int raw_run(struct blk *blk, const struct blk_request *request)
{
    struct raw *raw = (struct raw *)blk;
    switch (request->op) {
    case BLK_READ:
        return file_readv(raw->fd, request->iov, request->iov_count, request->offset);
    case BLK_WRITE:
        return file_writev(raw->fd, request->iov, request->iov_count, request->offset);
    case BLK_FLUSH:
        return blk->read_only || fdatasync(raw->fd) == 0 ? 0 : -errno;
    case BLK_DISCARD:
        return raw_discard(raw, request);
    case BLK_WRITE_ZEROES:
        return raw_zero(raw, request);
    }
    return -EOPNOTSUPP;
}

static int raw_try_run(struct blk *blk, const struct blk_request *request)
{
    struct raw *raw = (struct raw *)blk;
    int r = -EAGAIN;
    if (request->op == BLK_FLUSH && blk->read_only)
        return 0;
    if (request->op == BLK_READ)
        r = file_try_readv(raw->fd, request->iov, request->iov_count, request->offset);
    if (request->op == BLK_WRITE && !raw->no_try_write) {
        r = file_try_writev(raw->fd, request->iov, request->iov_count, request->offset);
        if (r == -EOPNOTSUPP)
            raw->no_try_write = true;
    }
    return r == 0 ? 0 : -EAGAIN;
}

static void raw_free(struct blk *blk)
{
    struct raw *raw = (struct raw *)blk;
    if (raw->fd >= 0)
        close(raw->fd);
    free(raw);
}

static const struct blk_ops raw_ops = {raw_run, raw_try_run, raw_free};

/* O_NONBLOCK: opening a FIFO must not wait; files and disks do not care. */
static int open_path(struct raw *raw, const char *path, struct err *e)
{
    bool read_only = raw->blk.read_only;
    int flags = O_CLOEXEC | O_NONBLOCK | (read_only ? O_RDONLY : O_RDWR);
    struct stat st;
    if (stat(path, &st) < 0)
        return err_set_errno(e, errno, "%s", path);
    raw->is_device = S_ISBLK(st.st_mode);
    if (S_ISDIR(st.st_mode))
        return err_set(e, EISDIR, "%s is a directory", path);
    if (!raw->is_device && !S_ISREG(st.st_mode))
        return err_set(e, EINVAL, "%s is neither a file nor a block device", path);
    if (raw->is_device && !read_only)
        flags |= O_EXCL;
    raw->fd = open(path, flags);
    if (raw->fd >= 0)
        return 0;
    if (!read_only && (errno == EACCES || errno == EROFS || errno == EPERM))
        return err_set(e, errno, "%s cannot be opened for writing (readonly or snapshot would do)",
                       path);
    return err_set_errno(e, errno, "%s", path);
}

static int find_size(struct raw *raw, const char *path, struct err *e)
{
    struct stat st;
    int sector = SECTOR_BYTES;
    if (fstat(raw->fd, &st) < 0 ||
        (raw->is_device && (ioctl(raw->fd, BLKGETSIZE64, &raw->blk.size_bytes) < 0 ||
                            ioctl(raw->fd, BLKSSZGET, &sector) < 0)))
        return err_set_errno(e, errno, "%s: size", path);
    if (!raw->is_device)
        raw->blk.size_bytes = (uint64_t)st.st_size;
    if (raw->blk.size_bytes == 0)
        return err_set(e, EINVAL, "%s is empty", path);
    if (raw->blk.size_bytes % SECTOR_BYTES)
        return err_set(e, EINVAL, "%s: a size of %llu bytes is not a multiple of %d", path,
                       (unsigned long long)raw->blk.size_bytes, SECTOR_BYTES);
    if (sector < SECTOR_BYTES || sector > SECTOR_BYTES_MAX)
        return err_set(e, EINVAL, "%s: sectors of %d bytes are not supported", path, sector);
    raw->blk.block_size = (uint32_t)sector;
    return 0;
}

/* EINVAL where a file begins as one of another format does. What is in it would else be written to
 * as if it were a disk. */
static int refuse_foreign(const struct raw *raw, const char *path, struct err *e)
{
    static const char convert[] = "qemu-img convert -O raw makes a raw one", unpack[] = "unpack it";
    static const struct {
        const char *name, *mend;
        unsigned offset;
        const char magic[9];
    } formats[] = {
        {"qcow2", convert, 0, "QFI\xfb"},        {"VMDK", convert, 0, "KDMV"},
        {"VHDX", convert, 0, "vhdxfile"},        {"VDI", convert, 64, "\x7f\x10\xda\xbe"},
        {"gzip", unpack, 0, "\x1f\x8b"},         {"xz", unpack, 0, "\xfd\x37zXZ"},
        {"zstd", unpack, 0, "\x28\xb5\x2f\xfd"},
    };
    char head[SECTOR_BYTES] = {0};
    if (pread(raw->fd, head, sizeof(head), 0) < 0)
        return err_set_errno(e, errno, "%s", path);
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
        if (memcmp(head + formats[i].offset, formats[i].magic, strlen(formats[i].magic)) == 0)
            return err_set(e, EINVAL, "%s: a %s file, not a raw disk image: %s", path,
                           formats[i].name, formats[i].mend);
    return 0;
}

int blk_raw_open(const struct blk_options *options, struct blk **ret_blk, struct err *e)
{
    const char *path = options->path;
    bool read_only = options->read_only || options->snapshot;
    struct raw *raw = calloc(1, sizeof(*raw));
    if (!raw)
        abort();
    raw->blk = (struct blk){.ops = &raw_ops, .read_only = read_only, .can_discard = !read_only};
    raw->fd = -1;
    int r = open_path(raw, path, e);
    if (r == 0)
        r = filelock(raw->fd, !read_only, path, e);
    if (r == 0 && !options->raw)
        r = refuse_foreign(raw, path, e);
    if (r == 0)
        r = find_size(raw, path, e);
    if (r < 0) {
        raw_free(&raw->blk);
        return r;
    }
    *ret_blk = &raw->blk;
    return 0;
}
