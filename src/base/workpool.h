/* workpool.h: a few threads for calls that sleep, whose results come back on an event loop.
 *
 * Threads start when there is work for them, up to a limit, and stay. Submitting is done on the
 * loop's thread or under a lock of the caller's; jobs start in order, and with a limit of one
 * thread they also end in order.
 */
#ifndef PENG_BASE_WORKPOOL_H
#define PENG_BASE_WORKPOOL_H

#include "base/err.h"
#include "base/evloop.h"

struct work {
    void (*run)(struct work *work);  /* on a worker thread */
    void (*done)(struct work *work); /* on the loop's thread, after run */
    struct work *next;               /* the pool's */
};

struct workpool;

/* Threads are named `name`1, `name`2, ... */
int workpool_new(struct evloop *loop, const char *name, unsigned threads_max,
                 struct workpool **ret_pool, struct err *e);
/* Waits for running jobs; done() of all finished ones is called from here. NULL is a no-op. */
void workpool_free(struct workpool *pool);

void workpool_submit(struct workpool *pool, struct work *work); /* any thread */
/* Waits until run() of every submitted job has returned; done() comes later, on the loop. */
void workpool_drain(struct workpool *pool);
/* Calls `fn` on the loop's thread after each batch of done() calls; before the first submit. */
void workpool_on_batch(struct workpool *pool, evloop_fn fn, void *ctx);

#endif
