/* iov.h: bytes scattered over an array of iovecs. Offsets past the end are fine: nothing is copied.
 */
#ifndef PENG_BASE_IOV_H
#define PENG_BASE_IOV_H

#include <stddef.h>
#include <sys/uio.h>

/* Copies up to size_bytes from `offset` of the iovecs; returns how many. */
size_t iov_to_bytes(const struct iovec *iov, unsigned count, size_t offset, void *out,
                    size_t size_bytes);
/* Copies up to size_bytes to `offset` of the iovecs; returns how many. */
size_t iov_from_bytes(const struct iovec *iov, unsigned count, size_t offset, const void *data,
                      size_t size_bytes);
/* Fills `out`, which has room for `count`, with the part [offset, offset + size); returns its
 * count. */
unsigned iov_slice(const struct iovec *iov, unsigned count, size_t offset, size_t size_bytes,
                   struct iovec *out);
size_t iov_size(const struct iovec *iov, unsigned count);

#endif
