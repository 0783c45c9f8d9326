/* pollset.c: an array of pollfd as the library named them, and what epoll knows of each descriptor.
 *
 * Both sides use the poll(2) bits, which are the epoll bits (EPOLLIN == POLLIN and so on).
 */
#include "core/network/pollset.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

static_assert(EPOLLIN == POLLIN && EPOLLOUT == POLLOUT && EPOLLPRI == POLLPRI, "poll(2)");

/* By descriptor number. */
struct known {
    short events; /* as registered with epoll; 0: not registered */
    bool wanted;  /* named since pollset_begin() */
};

struct pollset {
    int epoll_fd;
    struct evsource *source;
    evloop_fn fn;
    void *ctx;
    struct pollfd *fds;
    unsigned count, room;
    struct known *known;
    unsigned known_count;
};

static void ready(void *ctx, uint32_t events)
{
    struct pollset *set = ctx;
    set->fn(set->ctx);
}

int pollset_new(struct evloop *loop, evloop_fn fn, void *ctx, struct pollset **ret_set,
                struct err *e)
{
    struct pollset *set = calloc(1, sizeof(*set));
    if (!set)
        abort();
    *set = (struct pollset){.fn = fn, .ctx = ctx};
    set->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    int r = set->epoll_fd < 0 ? err_set_errno(e, errno, "epoll") : 0;
    if (r == 0)
        r = evloop_add(loop, set->epoll_fd, EPOLLIN, ready, set, &set->source, e);
    if (r < 0) {
        pollset_free(set);
        return r;
    }
    *ret_set = set;
    return 0;
}

void pollset_free(struct pollset *set)
{
    if (!set)
        return;
    evsource_remove(set->source);
    if (set->epoll_fd >= 0)
        close(set->epoll_fd);
    free(set->fds);
    free(set->known);
    free(set);
}

void pollset_begin(struct pollset *set)
{
    for (unsigned i = 0; i < set->count; i++)
        set->known[set->fds[i].fd].wanted = false;
    set->count = 0;
}

static struct known *known_of(struct pollset *set, int fd)
{
    if ((unsigned)fd >= set->known_count) {
        unsigned count = (unsigned)fd + 64;
        set->known = realloc(set->known, count * sizeof(*set->known));
        if (!set->known)
            abort();
        memset(set->known + set->known_count, 0, (count - set->known_count) * sizeof(*set->known));
        set->known_count = count;
    }
    return &set->known[fd];
}

int pollset_add(struct pollset *set, int fd, short events)
{
    assert(fd >= 0);
    if (set->count == set->room) {
        set->room = set->room ? set->room * 2 : 16;
        set->fds = realloc(set->fds, set->room * sizeof(*set->fds));
        if (!set->fds)
            abort();
    }
    set->fds[set->count] = (struct pollfd){.fd = fd, .events = events};
    known_of(set, fd)->wanted = true;
    return (int)set->count++;
}

static void set_registered(struct pollset *set, int fd, short events)
{
    struct known *known = &set->known[fd];
    struct epoll_event event = {.events = (uint32_t)events, .data.fd = fd};
    if (known->events == events)
        return;
    if (events == 0)
        epoll_ctl(set->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
    else if (epoll_ctl(set->epoll_fd, EPOLL_CTL_MOD, fd, &event) < 0 && errno == ENOENT)
        epoll_ctl(set->epoll_fd, EPOLL_CTL_ADD, fd, &event);
    known->events = events;
}

void pollset_end(struct pollset *set)
{
    for (unsigned i = 0; i < set->count; i++)
        set_registered(set, set->fds[i].fd, set->fds[i].events);
    for (unsigned fd = 0; fd < set->known_count; fd++)
        if (set->known[fd].events && !set->known[fd].wanted)
            set_registered(set, (int)fd, 0);
}

void pollset_forget(struct pollset *set, int fd)
{
    if (fd >= 0 && (unsigned)fd < set->known_count)
        set_registered(set, fd, 0);
}

int pollset_poll(struct pollset *set)
{
    return poll(set->fds, set->count, 0);
}

short pollset_revents(const struct pollset *set, int index)
{
    return index >= 0 && (unsigned)index < set->count ? set->fds[index].revents : 0;
}
