/* fileio.c: preadv2 and pwritev2 until all is done, and fallocate with a fall-back.
 *
 * RWF_NOWAIT (preadv2(2)) serves what the page cache has without sleeping; kernels and file systems
 * that cannot do it say so, and the caller takes the slow way.
 */
#include "core/block/fileio.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>

#include "base/iov.h"

enum { ZEROES_BYTES = 64 * 1024 };

static const uint8_t zeroes[ZEROES_BYTES];

typedef ssize_t (*transfer_fn)(int fd, const struct iovec *iov, int count, off_t offset, int flags);

static int transfer_all(transfer_fn transfer, int fd, const struct iovec *iov, unsigned count,
                        uint64_t offset)
{
    struct iovec rest[FILEIO_IOV_MAX];
    assert(count <= FILEIO_IOV_MAX);
    for (;;) {
        size_t size = iov_size(iov, count);
        if (size == 0)
            return 0;
        ssize_t n = transfer(fd, iov, (int)count, (off_t)offset, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            return -EIO; /* the file became shorter */
        if ((size_t)n == size)
            return 0;
        count = iov_slice(iov, count, (size_t)n, size - (size_t)n, rest);
        iov = rest;
        offset += (uint64_t)n;
    }
}

static int transfer_now(transfer_fn transfer, int fd, const struct iovec *iov, unsigned count,
                        uint64_t offset)
{
    ssize_t n = transfer(fd, iov, (int)count, (off_t)offset, RWF_NOWAIT);
    if (n < 0)
        return errno == EOPNOTSUPP || errno == ENOSYS ? -EOPNOTSUPP : -EAGAIN;
    return (size_t)n == iov_size(iov, count) ? 0 : -EAGAIN;
}

int file_readv(int fd, const struct iovec *iov, unsigned count, uint64_t offset)
{
    return transfer_all(preadv2, fd, iov, count, offset);
}

int file_writev(int fd, const struct iovec *iov, unsigned count, uint64_t offset)
{
    return transfer_all(pwritev2, fd, iov, count, offset);
}

int file_try_readv(int fd, const struct iovec *iov, unsigned count, uint64_t offset)
{
    return transfer_now(preadv2, fd, iov, count, offset);
}

int file_try_writev(int fd, const struct iovec *iov, unsigned count, uint64_t offset)
{
    return transfer_now(pwritev2, fd, iov, count, offset);
}

int file_zero(int fd, uint64_t offset, uint64_t size_bytes, bool may_unmap)
{
    int mode = FALLOC_FL_KEEP_SIZE | (may_unmap ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE);
    if (size_bytes == 0 || fallocate(fd, mode, (off_t)offset, (off_t)size_bytes) == 0)
        return 0;
    if (errno != EOPNOTSUPP && errno != ENOSYS)
        return -errno;
    while (size_bytes) {
        size_t part = size_bytes < ZEROES_BYTES ? (size_t)size_bytes : ZEROES_BYTES;
        struct iovec piece = {(void *)(uintptr_t)zeroes, part};
        int r = file_writev(fd, &piece, 1, offset);
        if (r < 0)
            return r;
        offset += part;
        size_bytes -= part;
    }
    return 0;
}

int file_discard(int fd, uint64_t offset, uint64_t size_bytes)
{
    int mode = FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE;
    if (size_bytes == 0 || fallocate(fd, mode, (off_t)offset, (off_t)size_bytes) == 0)
        return 0;
    return errno == EOPNOTSUPP || errno == ENOSYS ? 0 : -errno;
}
