/* blkqueue.c: what can be had at once is done on the spot, the rest on a worker thread.
 *
 * A read that the page cache answers costs less than waking a thread does. Large ones go to a
 * worker all the same, so that copying does not hold up the I/O thread.
 */
#include "core/block/blkqueue.h"

#include <errno.h>
#include <stddef.h>

enum { INLINE_BYTES_MAX = 256 * 1024 };

static struct blk_job *job_of(struct work *work)
{
    return (struct blk_job *)((char *)work - offsetof(struct blk_job, work));
}

static void run_job(struct work *work)
{
    struct blk_job *job = job_of(work);
    job->result = blk_run(job->blk, &job->request);
}

static void job_done(struct work *work)
{
    struct blk_job *job = job_of(work);
    job->done(job);
}

bool blk_submit(struct blk *blk, struct workpool *pool, struct blk_job *job)
{
    if (job->request.size_bytes <= INLINE_BYTES_MAX) {
        job->result = blk_try_run(blk, &job->request);
        if (job->result != -EAGAIN)
            return true;
    }
    job->blk = blk;
    job->work = (struct work){.run = run_job, .done = job_done};
    workpool_submit(pool, &job->work);
    return false;
}
