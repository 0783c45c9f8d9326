/* workpool.c: one list of jobs to do, one of jobs done, a mutex, and an eventfd towards the loop.
 *
 * A thread is started when a job is submitted and none is idle; the first too, so that no thread
 * is older than its process's jail. The loop is woken once for all jobs that finish before it
 * looks.
 */
#include "base/workpool.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/thread.h"

enum { THREADS_MAX = 8, NAME_BYTES = 12 };

struct work_list {
    struct work *first, **last;
};

struct workpool {
    char name[NAME_BYTES];
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t wanted, idle;
    struct work_list waiting, finished;
    unsigned running, sleeping;
    unsigned thread_count, threads_max;
    pthread_t threads[THREADS_MAX];
    bool stopping;

    int wake_fd;
    struct evsource *source;
    evloop_fn on_batch;
    void *on_batch_ctx;
};

static void list_clear(struct work_list *list)
{
    *list = (struct work_list){NULL, &list->first};
}

static void list_add(struct work_list *list, struct work *work)
{
    work->next = NULL;
    *list->last = work;
    list->last = &work->next;
}

static void call_finished(struct workpool *pool)
{
    pthread_mutex_lock(&pool->lock);
    struct work *work = pool->finished.first;
    list_clear(&pool->finished);
    pthread_mutex_unlock(&pool->lock);
    if (!work)
        return;
    while (work) {
        struct work *next = work->next;
        work->done(work);
        work = next;
    }
    if (pool->on_batch)
        pool->on_batch(pool->on_batch_ctx);
}

static void loop_woken(void *ctx, uint32_t events)
{
    struct workpool *pool = ctx;
    uint64_t count;
    ssize_t n = read(pool->wake_fd, &count, sizeof(count));
    (void)n;
    (void)events;
    call_finished(pool);
}

/* Lock held. */
static void finish(struct workpool *pool, struct work *work)
{
    bool wake = !pool->finished.first;
    list_add(&pool->finished, work);
    if (wake) {
        uint64_t one = 1;
        ssize_t n = write(pool->wake_fd, &one, sizeof(one));
        (void)n; /* a full counter wakes the loop as well */
    }
}

static void *worker(void *ctx)
{
    struct workpool *pool = ctx;
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        while (!pool->waiting.first && !pool->stopping) {
            pool->sleeping++;
            pthread_cond_wait(&pool->wanted, &pool->lock);
            pool->sleeping--;
        }
        struct work *work = pool->waiting.first;
        if (!work)
            break;
        pool->waiting.first = work->next;
        if (!work->next)
            list_clear(&pool->waiting);
        pool->running++;
        pthread_mutex_unlock(&pool->lock);
        work->run(work);
        pthread_mutex_lock(&pool->lock);
        if (--pool->running == 0 && !pool->waiting.first)
            pthread_cond_broadcast(&pool->idle);
        finish(pool, work);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

/* Lock held. */
static void start_thread(struct workpool *pool)
{
    char name[NAME_BYTES + 12]; /* the thread takes what fits */
    snprintf(name, sizeof(name), "%s%u", pool->name, pool->thread_count + 1);
    if (thread_start_quiet(&pool->threads[pool->thread_count], name, worker, pool) == 0)
        pool->thread_count++;
}

int workpool_new(struct evloop *loop, const char *name, unsigned threads_max,
                 struct workpool **ret_pool, struct err *e)
{
    assert(threads_max > 0 && threads_max <= THREADS_MAX);
    struct workpool *pool = calloc(1, sizeof(*pool));
    if (!pool)
        abort();
    snprintf(pool->name, sizeof(pool->name), "%s", name);
    pool->threads_max = threads_max;
    list_clear(&pool->waiting);
    list_clear(&pool->finished);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->wanted, NULL);
    pthread_cond_init(&pool->idle, NULL);
    pool->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int r = pool->wake_fd < 0 ? err_set_errno(e, errno, "worker threads") : 0;
    if (r == 0)
        r = evloop_add(loop, pool->wake_fd, EPOLLIN, loop_woken, pool, &pool->source, e);
    if (r < 0) {
        workpool_free(pool);
        return r;
    }
    *ret_pool = pool;
    return 0;
}

void workpool_free(struct workpool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->wanted);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < pool->thread_count; i++)
        pthread_join(pool->threads[i], NULL);
    call_finished(pool);
    evsource_remove(pool->source);
    if (pool->wake_fd >= 0)
        close(pool->wake_fd);
    pthread_cond_destroy(&pool->wanted);
    pthread_cond_destroy(&pool->idle);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

void workpool_submit(struct workpool *pool, struct work *work)
{
    pthread_mutex_lock(&pool->lock);
    if (!pool->sleeping && pool->thread_count < pool->threads_max)
        start_thread(pool); /* where it fails, the threads that run will come to it */
    if (pool->thread_count) {
        list_add(&pool->waiting, work);
        pthread_cond_signal(&pool->wanted);
    } else { /* not one can be had */
        work->run(work);
        finish(pool, work);
    }
    pthread_mutex_unlock(&pool->lock);
}

void workpool_drain(struct workpool *pool)
{
    pthread_mutex_lock(&pool->lock);
    while (pool->waiting.first || pool->running)
        pthread_cond_wait(&pool->idle, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}

void workpool_on_batch(struct workpool *pool, evloop_fn fn, void *ctx)
{
    pool->on_batch = fn;
    pool->on_batch_ctx = ctx;
}
