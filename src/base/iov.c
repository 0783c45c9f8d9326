/* iov.c: copying and slicing; all of it is one walk over the pieces that a range touches. */
#include "base/iov.h"

#include <stdint.h>
#include <string.h>

unsigned iov_slice(const struct iovec *iov, unsigned count, size_t offset, size_t size_bytes,
                   struct iovec *out)
{
    unsigned n = 0;
    for (unsigned i = 0; i < count && size_bytes; i++) {
        if (offset >= iov[i].iov_len) {
            offset -= iov[i].iov_len;
            continue;
        }
        size_t part = iov[i].iov_len - offset;
        if (part > size_bytes)
            part = size_bytes;
        out[n++] = (struct iovec){(uint8_t *)iov[i].iov_base + offset, part};
        offset = 0;
        size_bytes -= part;
    }
    return n;
}

size_t iov_to_bytes(const struct iovec *iov, unsigned count, size_t offset, void *out,
                    size_t size_bytes)
{
    size_t done = 0;
    for (unsigned i = 0; i < count && done < size_bytes; i++) {
        struct iovec piece;
        if (iov_slice(&iov[i], 1, offset, size_bytes - done, &piece)) {
            memcpy((uint8_t *)out + done, piece.iov_base, piece.iov_len);
            done += piece.iov_len;
        }
        offset -= offset < iov[i].iov_len ? offset : iov[i].iov_len;
    }
    return done;
}

size_t iov_from_bytes(const struct iovec *iov, unsigned count, size_t offset, const void *data,
                      size_t size_bytes)
{
    size_t done = 0;
    for (unsigned i = 0; i < count && done < size_bytes; i++) {
        struct iovec piece;
        if (iov_slice(&iov[i], 1, offset, size_bytes - done, &piece)) {
            memcpy(piece.iov_base, (const uint8_t *)data + done, piece.iov_len);
            done += piece.iov_len;
        }
        offset -= offset < iov[i].iov_len ? offset : iov[i].iov_len;
    }
    return done;
}

size_t iov_size(const struct iovec *iov, unsigned count)
{
    size_t sum = 0;
    for (unsigned i = 0; i < count; i++)
        sum += iov[i].iov_len;
    return sum;
}
