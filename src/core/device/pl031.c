/* pl031.c: the real time clock (Arm DDI 0224): a 32-bit count of seconds and one alarm.
 *
 * The count is the host's time of day plus an offset, which the guest changes by writing the load
 * register; nothing ticks. The alarm is a timer on the event loop, set anew when it fires early
 * because the host's clock was stepped back. Writing the control register does nothing: the clock
 * always runs.
 */
#include "core/device/pl031.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/bytes.h"
#include "core/device/primecell.h"

enum {
    RTCDR = 0x00,
    RTCMR = 0x04,
    RTCLR = 0x08,
    RTCCR = 0x0c,
    RTCIMSC = 0x10,
    RTCRIS = 0x14,
    RTCMIS = 0x18,
    RTCICR = 0x1c,
};

struct pl031 {
    pthread_mutex_t lock;
    struct irq_line irq;
    struct evtimer *alarm;
    uint32_t offset; /* the guest's count less the host's seconds */
    uint32_t match, load;
    uint32_t mask, raw; /* bit 0 */
};

static struct timespec host_time(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t;
}

static uint32_t counter(const struct pl031 *r)
{
    return (uint32_t)host_time().tv_sec + r->offset;
}

static void update_irq(struct pl031 *r)
{
    irq_set(&r->irq, r->raw & r->mask);
}

static void arm_alarm(struct pl031 *r)
{
    struct timespec t = host_time();
    uint32_t seconds = r->match - ((uint32_t)t.tv_sec + r->offset);
    if (seconds == 0) {
        r->raw = 1;
        evtimer_set(r->alarm, 0);
        return;
    }
    evtimer_set(r->alarm, clock_now_ns() + seconds * 1000000000ull - (uint64_t)t.tv_nsec);
}

static void alarm_fired(void *ctx)
{
    struct pl031 *r = ctx;
    pthread_mutex_lock(&r->lock);
    if ((int32_t)(counter(r) - r->match) >= 0)
        r->raw = 1;
    else
        arm_alarm(r);
    update_irq(r);
    pthread_mutex_unlock(&r->lock);
}

static uint32_t read_register(struct pl031 *r, uint64_t offset)
{
    switch (offset) {
    case RTCDR:
        return counter(r);
    case RTCMR:
        return r->match;
    case RTCLR:
        return r->load;
    case RTCCR:
        return 1;
    case RTCIMSC:
        return r->mask;
    case RTCRIS:
        return r->raw;
    case RTCMIS:
        return r->raw & r->mask;
    default:
        return offset >= PRIMECELL_ID ? primecell_id(0x031, 0, offset) : 0;
    }
}

static void write_register(struct pl031 *r, uint64_t offset, uint32_t value)
{
    switch (offset) {
    case RTCMR:
        r->match = value;
        arm_alarm(r);
        break;
    case RTCLR:
        r->offset += value - counter(r);
        r->load = value;
        arm_alarm(r);
        break;
    case RTCIMSC:
        r->mask = value & 1;
        break;
    case RTCICR:
        r->raw &= ~value;
        break;
    default:
        return;
    }
    update_irq(r);
}

static uint64_t pl031_read(void *ctx, uint64_t offset, unsigned size_bytes)
{
    struct pl031 *r = ctx;
    if (offset % 4 || size_bytes > 4)
        return 0;
    pthread_mutex_lock(&r->lock);
    uint64_t v = read_register(r, offset);
    pthread_mutex_unlock(&r->lock);
    return bits(v, 0, 8 * size_bytes); /* firmware reads the identification by bytes */
}

static void pl031_write(void *ctx, uint64_t offset, unsigned size_bytes, uint64_t value)
{
    struct pl031 *r = ctx;
    if (offset % 4 || size_bytes != 4)
        return;
    pthread_mutex_lock(&r->lock);
    write_register(r, offset, (uint32_t)value);
    pthread_mutex_unlock(&r->lock);
}

const struct bus_device_ops pl031_ops = {pl031_read, pl031_write};

void pl031_reset(struct pl031 *r)
{
    pthread_mutex_lock(&r->lock);
    evtimer_set(r->alarm, 0);
    r->match = r->load = 0;
    r->mask = r->raw = 0;
    update_irq(r);
    pthread_mutex_unlock(&r->lock);
}

int pl031_new(struct evloop *loop, struct irq_line irq, struct pl031 **ret_rtc, struct err *e)
{
    struct pl031 *r = calloc(1, sizeof(*r));
    if (!r)
        abort();
    r->irq = irq;
    if (evtimer_new(loop, alarm_fired, r, &r->alarm, e) < 0) {
        free(r);
        return err_prefix(e, "real time clock");
    }
    pthread_mutex_init(&r->lock, NULL);
    *ret_rtc = r;
    return 0;
}

void pl031_free(struct pl031 *r)
{
    if (!r)
        return;
    evtimer_free(r->alarm);
    pthread_mutex_destroy(&r->lock);
    free(r);
}
