/* blkqueue.h: requests in flight on a disk: worker threads call the blocking filters, completions
 * come back on the event loop.
 */
#ifndef PENG_CORE_BLOCK_BLKQUEUE_H
#define PENG_CORE_BLOCK_BLKQUEUE_H

#include "base/err.h"
#include "base/evloop.h"
#include "base/workpool.h"
#include "core/block/blk.h"

/* One in flight; lives in the caller's struct. */
struct blk_job {
    struct work work;
    struct blk *blk;
    struct blk_request request;
    int result; /* 0 or negative errno, once done */
    void (*done)(struct blk_job *job);
};

/* Starts a job whose request and done are filled in. Returns true where it is finished already
 * (done is not called); else done() follows on the pool's event loop. */
bool blk_submit(struct blk *blk, struct workpool *pool, struct blk_job *job);

#endif
