/* builder.c: a queue under a lock. Signals stay with the other threads. */
#include "core/translator/builder.h"

#include "base/thread.h"

void builder_init(struct builder *b, void (*build)(void *, uint64_t, uint32_t), void *ctx)
{
    *b = (struct builder){.build = build, .ctx = ctx};
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->wanted, NULL);
}

static void *work(void *ctx)
{
    struct builder *b = ctx;
    pthread_mutex_lock(&b->lock);
    for (;;) {
        while (!b->count && !b->stopping)
            pthread_cond_wait(&b->wanted, &b->lock);
        if (b->stopping)
            break;
        struct builder_request request = b->queue[b->first];
        b->first = (b->first + 1) % BUILDER_QUEUE;
        b->count--;
        pthread_mutex_unlock(&b->lock);
        b->build(b->ctx, request.pa, request.context);
        pthread_mutex_lock(&b->lock);
    }
    pthread_mutex_unlock(&b->lock);
    return NULL;
}

static bool start(struct builder *b)
{
    b->started = thread_start_quiet(&b->thread, "regions", work, b) == 0;
    return b->started;
}

bool builder_request(struct builder *b, uint64_t pa, uint32_t context)
{
    pthread_mutex_lock(&b->lock);
    bool taken = b->count < BUILDER_QUEUE && (b->started || start(b));
    if (taken) {
        unsigned last = (b->first + b->count++) % BUILDER_QUEUE;
        b->queue[last] = (struct builder_request){pa, context};
        pthread_cond_signal(&b->wanted);
    }
    pthread_mutex_unlock(&b->lock);
    return taken;
}

void builder_done(struct builder *b)
{
    pthread_mutex_lock(&b->lock);
    b->stopping = true;
    pthread_cond_signal(&b->wanted);
    pthread_mutex_unlock(&b->lock);
    if (b->started)
        pthread_join(b->thread, NULL);
    pthread_cond_destroy(&b->wanted);
    pthread_mutex_destroy(&b->lock);
}
