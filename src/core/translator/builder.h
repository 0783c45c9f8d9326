/* builder.h: a thread that makes regions while CPUs go on in the first tier.
 *
 * Starts with the first request. Requests are few and may be refused: what is still hot is asked
 * for again.
 */
#ifndef PENG_CORE_TRANSLATOR_BUILDER_H
#define PENG_CORE_TRANSLATOR_BUILDER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum { BUILDER_QUEUE = 16 };

struct builder {
    void (*build)(void *ctx, uint64_t pa, uint32_t context); /* on the thread */
    void *ctx;
    pthread_mutex_t lock;
    pthread_cond_t wanted;
    pthread_t thread;
    bool started, stopping;
    struct builder_request {
        uint64_t pa;
        uint32_t context;
    } queue[BUILDER_QUEUE];
    unsigned first, count;
};

void builder_init(struct builder *b, void (*build)(void *, uint64_t, uint32_t), void *ctx);
/* Waits for the request that is being worked on; others are dropped. */
void builder_done(struct builder *b);
/* Any thread. False: there are too many, or no thread can be had. */
bool builder_request(struct builder *b, uint64_t pa, uint32_t context);

#endif
