/* charout.c: collects a UART's bytes; a newline, a full buffer or a timer sends them on. */
#include "core/device/charout.h"

enum { FLUSH_NS = 1000000 };

void charout_flush(struct charout *out)
{
    chardev_write(out->back, out->bytes, out->count);
    out->count = 0;
}

static void flush_late(void *ctx)
{
    struct charout *out = ctx;
    pthread_mutex_lock(out->lock);
    out->armed = false;
    charout_flush(out);
    pthread_mutex_unlock(out->lock);
}

void charout_put(struct charout *out, uint8_t byte)
{
    out->bytes[out->count++] = byte;
    if (byte == '\n' || out->count == CHAROUT_BYTES) {
        charout_flush(out);
    } else if (!out->armed) {
        out->armed = true;
        evtimer_set(out->timer, clock_now_ns() + FLUSH_NS);
    }
}

int charout_init(struct charout *out, struct evloop *loop, pthread_mutex_t *lock,
                 const struct chardev *back, struct err *e)
{
    *out = (struct charout){.lock = lock, .back = back};
    return evtimer_new(loop, flush_late, out, &out->timer, e);
}

void charout_done(struct charout *out)
{
    evtimer_free(out->timer);
}
