/* blk_int.h: the filters that blk_open() stacks. */
#ifndef PENG_CORE_BLOCK_BLK_INT_H
#define PENG_CORE_BLOCK_BLK_INT_H

#include "core/block/blk.h"

/* A file or block device, opened and locked; only for reading where writes go elsewhere. */
int blk_raw_open(const struct blk_options *options, struct blk **ret_blk, struct err *e);
/* Keeps the changes to `below` in a temporary file; takes `below` over, also on failure. */
int blk_overlay_new(struct blk *below, struct blk **ret_blk, struct err *e);

#endif
