/* fileio.h: whole transfers between iovecs and a file; 0 or negative errno. */
#ifndef PENG_CORE_BLOCK_FILEIO_H
#define PENG_CORE_BLOCK_FILEIO_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

enum { FILEIO_IOV_MAX = 256 };

/* All of `iov` (at most FILEIO_IOV_MAX) from or to `offset`; -EIO where the file ends before. */
int file_readv(int fd, const struct iovec *iov, unsigned count, uint64_t offset);
int file_writev(int fd, const struct iovec *iov, unsigned count, uint64_t offset);
/* As those, but -EAGAIN rather than wait for the disk; the transfer may then be done in part. */
int file_try_readv(int fd, const struct iovec *iov, unsigned count, uint64_t offset);
int file_try_writev(int fd, const struct iovec *iov, unsigned count, uint64_t offset);
/* Makes the range read as zeroes, with a hole in the file where `may_unmap`. */
int file_zero(int fd, uint64_t offset, uint64_t size_bytes, bool may_unmap);
/* Gives the range's space back; its content is undefined. Best effort. */
int file_discard(int fd, uint64_t offset, uint64_t size_bytes);

#endif
