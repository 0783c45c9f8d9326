/* evloop.h: the event loop of an I/O thread: file descriptors, timers, and calls from other
 * threads.
 *
 * One thread runs evloop_run(); callbacks run on it. Adding, changing and removing sources is done
 * on that thread or before it runs; evloop_post(), evtimer_set() and evloop_stop() are safe from
 * any thread. Times are nanoseconds of CLOCK_MONOTONIC.
 */
#ifndef PENG_BASE_EVLOOP_H
#define PENG_BASE_EVLOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct evloop;
struct evsource; /* a watched file descriptor */
struct evtimer;

typedef void (*evloop_fn)(void *ctx);
typedef void (*evsource_fn)(void *ctx, uint32_t events); /* EPOLLIN | EPOLLOUT | ... */

int evloop_new(struct evloop **ret_loop, struct err *e);
void evloop_free(struct evloop *loop); /* NULL is a no-op; sources must be gone */

void evloop_run(struct evloop *loop);  /* until evloop_stop() */
void evloop_stop(struct evloop *loop); /* any thread */

/* Runs fn(ctx) on the loop's thread, in order of posting. Any thread; never blocks. */
void evloop_post(struct evloop *loop, evloop_fn fn, void *ctx);

/* Watches `fd` (borrowed) for `events`. */
int evloop_add(struct evloop *loop, int fd, uint32_t events, evsource_fn fn, void *ctx,
               struct evsource **ret_source, struct err *e);
void evsource_modify(struct evsource *source, uint32_t events);
void evsource_remove(struct evsource *source); /* NULL is a no-op; no callback after it returns */

/* A one-shot timer; disarmed when made. */
int evtimer_new(struct evloop *loop, evloop_fn fn, void *ctx, struct evtimer **ret_timer,
                struct err *e);
void evtimer_set(struct evtimer *timer, uint64_t deadline_ns); /* any thread; 0 disarms */
void evtimer_free(struct evtimer *timer);

uint64_t clock_now_ns(void); /* CLOCK_MONOTONIC */

#endif
