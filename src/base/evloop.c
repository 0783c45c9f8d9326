/* evloop.c: epoll under a small table of sources.
 *
 * A source removed while events for it are already fetched must not be called: removal marks it
 * dead and the memory is freed after the batch. Posted calls travel through a mutex-guarded list
 * and an eventfd. A timer is a timerfd, whose settime is safe from any thread.
 */
#include "base/evloop.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS_PER_WAIT = 64 };

struct evsource {
    struct evloop *loop;
    int fd; /* borrowed */
    evsource_fn fn;
    void *ctx;
    bool dead;
    struct evsource *next_dead;
};

struct post {
    evloop_fn fn;
    void *ctx;
    struct post *next;
};

struct evloop {
    int epoll_fd;
    int wake_fd;
    atomic_bool stopping;
    pthread_mutex_t lock; /* guards the list of posts */
    struct post *first_post;
    struct post **last_post;
    struct evsource *wake;
    struct evsource *dead; /* removed, freed after the batch */
};

struct evtimer {
    int fd;
    evloop_fn fn;
    void *ctx;
    struct evsource *source;
};

uint64_t clock_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void wake_up(struct evloop *loop)
{
    uint64_t one = 1;
    ssize_t n = write(loop->wake_fd, &one, sizeof(one));
    (void)n; /* a full counter wakes the loop as well */
}

static void run_posts(void *ctx, uint32_t events)
{
    struct evloop *loop = ctx;
    uint64_t count;
    ssize_t n = read(loop->wake_fd, &count, sizeof(count));
    (void)n;
    (void)events;
    pthread_mutex_lock(&loop->lock);
    struct post *post = loop->first_post;
    loop->first_post = NULL;
    loop->last_post = &loop->first_post;
    pthread_mutex_unlock(&loop->lock);
    while (post) {
        struct post *next = post->next;
        post->fn(post->ctx);
        free(post);
        post = next;
    }
}

static void free_dead(struct evloop *loop)
{
    while (loop->dead) {
        struct evsource *next = loop->dead->next_dead;
        free(loop->dead);
        loop->dead = next;
    }
}

int evloop_new(struct evloop **ret_loop, struct err *e)
{
    struct evloop *loop = calloc(1, sizeof(*loop));
    if (!loop)
        abort();
    loop->last_post = &loop->first_post;
    pthread_mutex_init(&loop->lock, NULL);
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int r = 0;
    if (loop->epoll_fd < 0 || loop->wake_fd < 0)
        r = err_set_errno(e, errno, "event loop");
    if (r == 0)
        r = evloop_add(loop, loop->wake_fd, EPOLLIN, run_posts, loop, &loop->wake, e);
    if (r < 0) {
        evloop_free(loop);
        return r;
    }
    *ret_loop = loop;
    return 0;
}

void evloop_free(struct evloop *loop)
{
    if (!loop)
        return;
    while (loop->first_post) {
        struct post *next = loop->first_post->next;
        free(loop->first_post);
        loop->first_post = next;
    }
    evsource_remove(loop->wake);
    free_dead(loop);
    if (loop->epoll_fd >= 0)
        close(loop->epoll_fd);
    if (loop->wake_fd >= 0)
        close(loop->wake_fd);
    pthread_mutex_destroy(&loop->lock);
    free(loop);
}

void evloop_run(struct evloop *loop)
{
    struct epoll_event events[EVENTS_PER_WAIT];
    while (!atomic_load(&loop->stopping)) {
        int n = epoll_wait(loop->epoll_fd, events, EVENTS_PER_WAIT, -1);
        for (int i = 0; i < n; i++) {
            struct evsource *source = events[i].data.ptr;
            if (!source->dead)
                source->fn(source->ctx, events[i].events);
        }
        free_dead(loop);
    }
}

void evloop_stop(struct evloop *loop)
{
    atomic_store(&loop->stopping, true);
    wake_up(loop);
}

void evloop_post(struct evloop *loop, evloop_fn fn, void *ctx)
{
    struct post *post = malloc(sizeof(*post));
    if (!post)
        abort();
    *post = (struct post){fn, ctx, NULL};
    pthread_mutex_lock(&loop->lock);
    *loop->last_post = post;
    loop->last_post = &post->next;
    pthread_mutex_unlock(&loop->lock);
    wake_up(loop);
}

int evloop_add(struct evloop *loop, int fd, uint32_t events, evsource_fn fn, void *ctx,
               struct evsource **ret_source, struct err *e)
{
    struct evsource *source = calloc(1, sizeof(*source));
    if (!source)
        abort();
    *source = (struct evsource){.loop = loop, .fd = fd, .fn = fn, .ctx = ctx};
    struct epoll_event event = {.events = events, .data.ptr = source};
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
        free(source);
        return err_set_errno(e, errno, "watch file descriptor %d", fd);
    }
    *ret_source = source;
    return 0;
}

void evsource_modify(struct evsource *source, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = source};
    epoll_ctl(source->loop->epoll_fd, EPOLL_CTL_MOD, source->fd, &event);
}

void evsource_remove(struct evsource *source)
{
    if (!source)
        return;
    epoll_ctl(source->loop->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
    source->dead = true;
    source->next_dead = source->loop->dead;
    source->loop->dead = source;
}

static void timer_fired(void *ctx, uint32_t events)
{
    struct evtimer *timer = ctx;
    uint64_t count;
    (void)events;
    if (read(timer->fd, &count, sizeof(count)) == sizeof(count))
        timer->fn(timer->ctx);
}

int evtimer_new(struct evloop *loop, evloop_fn fn, void *ctx, struct evtimer **ret_timer,
                struct err *e)
{
    struct evtimer *timer = calloc(1, sizeof(*timer));
    if (!timer)
        abort();
    *timer = (struct evtimer){.fn = fn, .ctx = ctx};
    timer->fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    int r = timer->fd < 0 ? err_set_errno(e, errno, "timer") : 0;
    if (r == 0)
        r = evloop_add(loop, timer->fd, EPOLLIN, timer_fired, timer, &timer->source, e);
    if (r < 0) {
        evtimer_free(timer);
        return r;
    }
    *ret_timer = timer;
    return 0;
}

void evtimer_set(struct evtimer *timer, uint64_t deadline_ns)
{
    struct itimerspec when = {
        .it_value = {(time_t)(deadline_ns / 1000000000u), (long)(deadline_ns % 1000000000u)}};
    timerfd_settime(timer->fd, TFD_TIMER_ABSTIME, &when, NULL);
}

void evtimer_free(struct evtimer *timer)
{
    if (!timer)
        return;
    evsource_remove(timer->source);
    if (timer->fd >= 0)
        close(timer->fd);
    free(timer);
}
