/* blk.h: a disk as a stack of small filters, each with one blocking call.
 *
 * A filter's run() does one request on the thread that calls it and may sleep; it is called by
 * several threads at once. blkqueue.h makes that asynchronous. Sizes are bytes.
 */
#ifndef PENG_CORE_BLOCK_BLK_H
#define PENG_CORE_BLOCK_BLK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/err.h"

enum blk_op { BLK_READ, BLK_WRITE, BLK_FLUSH, BLK_DISCARD, BLK_WRITE_ZEROES };

struct blk_request {
    enum blk_op op;
    bool may_unmap;          /* BLK_WRITE_ZEROES: a hole will do */
    uint64_t offset;         /* not BLK_FLUSH */
    uint64_t size_bytes;     /* for reads and writes: the sum of iov */
    const struct iovec *iov; /* borrowed until the request is done; reads, writes */
    unsigned iov_count;
};

struct blk;

struct blk_ops {
    /* 0 or negative errno. Bounds and read_only were checked by blk_run(). */
    int (*run)(struct blk *blk, const struct blk_request *request);
    /* As run, but gives -EAGAIN rather than sleep; NULL: always would sleep. */
    int (*try_run)(struct blk *blk, const struct blk_request *request);
    void (*free)(struct blk *blk);
};

/* The base of every filter: first member of its own struct. Constant after opening. */
struct blk {
    const struct blk_ops *ops;
    uint64_t size_bytes; /* multiple of 512 */
    uint32_t block_size; /* what the guest should align to: 512 or 4096 */
    bool read_only;
    bool can_discard;
};

struct blk_options {
    const char *path;
    bool raw; /* it is, even where its first bytes are another format's */
    bool read_only;
    bool snapshot; /* writes go to a temporary file that vanishes with the machine */
};

/* Opens a raw image or a block device under a lock: exclusive where it will be written, else
 * shared. Errors: one line that begins with the path; EBUSY where another machine has it. */
int blk_open(const struct blk_options *options, struct blk **ret_blk, struct err *e);
void blk_free(struct blk *blk); /* NULL is a no-op */

/* -EINVAL beyond the end, -EROFS for changes to a read-only disk, else what the filter says. */
int blk_run(struct blk *blk, const struct blk_request *request);
int blk_try_run(struct blk *blk, const struct blk_request *request);

#endif
