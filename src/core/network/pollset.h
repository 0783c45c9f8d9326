/* pollset.h: file descriptors that a library wants polled, under an event loop.
 *
 * The library names all of them anew before each wait; the set keeps one epoll descriptor up to
 * date with the fewest calls and hangs it into the loop.
 */
#ifndef PENG_CORE_NETWORK_POLLSET_H
#define PENG_CORE_NETWORK_POLLSET_H

#include <poll.h>

#include "base/err.h"
#include "base/evloop.h"

struct pollset;

/* `fn` is called on the loop's thread when one of the descriptors is ready. */
int pollset_new(struct evloop *loop, evloop_fn fn, void *ctx, struct pollset **ret_set,
                struct err *e);
void pollset_free(struct pollset *set); /* NULL is a no-op */

/* Naming them: begin, add each (returns its index), end. */
void pollset_begin(struct pollset *set);
int pollset_add(struct pollset *set, int fd, short events);
void pollset_end(struct pollset *set);
/* The descriptor is about to be closed. */
void pollset_forget(struct pollset *set, int fd);

/* Looks at all of them without waiting; then pollset_revents() of an index says what is ready. */
int pollset_poll(struct pollset *set);
short pollset_revents(const struct pollset *set, int index);

#endif
