/* blk.c: what every disk checks before its filters see a request. */
#include "core/block/blk.h"

#include <errno.h>

#include "core/block/blk_int.h"

int blk_open(const struct blk_options *options, struct blk **ret_blk, struct err *e)
{
    struct blk *blk;
    int r = blk_raw_open(options, &blk, e);
    if (r == 0 && options->snapshot && !options->read_only)
        r = blk_overlay_new(blk, &blk, e);
    if (r == 0)
        *ret_blk = blk;
    return r;
}

void blk_free(struct blk *blk)
{
    if (blk)
        blk->ops->free(blk);
}

static int check(const struct blk *blk, const struct blk_request *request)
{
    if (request->op == BLK_FLUSH)
        return 0;
    if (request->offset > blk->size_bytes ||
        request->size_bytes > blk->size_bytes - request->offset)
        return -EINVAL;
    return blk->read_only && request->op != BLK_READ ? -EROFS : 0;
}

int blk_run(struct blk *blk, const struct blk_request *request)
{
    int r = check(blk, request);
    return r < 0 ? r : blk->ops->run(blk, request);
}

int blk_try_run(struct blk *blk, const struct blk_request *request)
{
    int r = check(blk, request);
    if (r < 0)
        return r;
    return blk->ops->try_run ? blk->ops->try_run(blk, request) : -EAGAIN;
}
