/* cmos.c: the MC146818 real time clock and 128 bytes of memory behind an index and a data port.
 *
 * The time is the host's plus an offset, which the guest changes by writing the time registers;
 * while register B's SET bit is on they are plain memory, and the time starts from them when it
 * goes off. Nothing ticks unless the guest enables an interrupt: then a timer looks once a second
 * whether the alarm matches. "Update in progress" is on in the last 244 us of each second, as the
 * data sheet has it, so that a guest that waits for it to end reads one time and not halves of two.
 *
 * Limits: no periodic interrupt and no square wave; an alarm in seconds that the host's clock jumps
 * over by more than a few is lost; no daylight saving; flags in register C appear only while an
 * interrupt is enabled.
 */
#include "core/device/cmos.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/bytes.h"

enum {
    SECONDS = 0,
    SECONDS_ALARM = 1,
    MINUTES = 2,
    MINUTES_ALARM = 3,
    HOURS = 4,
    HOURS_ALARM = 5,
    WEEKDAY = 6,
    DAY = 7,
    MONTH = 8,
    YEAR = 9,
    REG_A = 10,
    REG_B = 11,
    REG_C = 12,
    REG_D = 13,

    A_UPDATING = 1 << 7,
    A_DIVIDER_32768_HZ = 0x26, /* as PCs set it up */
    B_SET = 1 << 7,
    B_PERIODIC = 1 << 6,
    B_ALARM = 1 << 5,
    B_UPDATED = 1 << 4, /* and the flags in C are in the same places */
    B_BINARY = 1 << 2,  /* else BCD */
    B_24_HOURS = 1 << 1,
    C_INTERRUPT = 1 << 7,
    D_VALID = 1 << 7, /* the battery is good */

    HOUR_PM = 1 << 7,
    ALARM_ANY = 0xc0, /* both bits: every hour, minute or second matches */
    UPDATE_NS = 244000,
    SECOND_NS = 1000000000,
    CATCH_UP_S = 5,
};

struct cmos {
    pthread_mutex_t lock;
    struct irq_line irq;
    struct evtimer *tick;
    int64_t offset_s; /* the guest's time less the host's */
    int64_t ticked_s; /* the guest's second that the timer looked at last */
    uint8_t index;
    uint8_t bytes[CMOS_BYTES]; /* time registers: of use while SET is on */
};

/* --- time --------------------------------------------------------------------------------------
 */

static struct timespec host_time(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t;
}

static int64_t guest_seconds(const struct cmos *c)
{
    return (int64_t)host_time().tv_sec + c->offset_s;
}

static uint8_t encode(const struct cmos *c, int value)
{
    return (uint8_t)(c->bytes[REG_B] & B_BINARY ? value : value / 10 * 16 + value % 10);
}

static int decode(const struct cmos *c, uint8_t value)
{
    return c->bytes[REG_B] & B_BINARY ? value : (value >> 4) * 10 + (value & 15);
}

static uint8_t encode_hour(const struct cmos *c, int hour)
{
    if (c->bytes[REG_B] & B_24_HOURS)
        return encode(c, hour);
    uint8_t half = encode(c, hour % 12 ? hour % 12 : 12);
    return hour >= 12 ? half | HOUR_PM : half;
}

static int decode_hour(const struct cmos *c, uint8_t value)
{
    if (c->bytes[REG_B] & B_24_HOURS)
        return decode(c, value);
    int hour = decode(c, value & (uint8_t)~HOUR_PM) % 12;
    return value & HOUR_PM ? hour + 12 : hour;
}

/* Puts `seconds` since 1970 into the time registers. */
static void put_time(struct cmos *c, int64_t seconds)
{
    struct tm tm;
    time_t t = (time_t)seconds;
    if (!gmtime_r(&t, &tm))
        return;
    int year = tm.tm_year + 1900;
    c->bytes[SECONDS] = encode(c, tm.tm_sec);
    c->bytes[MINUTES] = encode(c, tm.tm_min);
    c->bytes[HOURS] = encode_hour(c, tm.tm_hour);
    c->bytes[WEEKDAY] = encode(c, tm.tm_wday + 1);
    c->bytes[DAY] = encode(c, tm.tm_mday);
    c->bytes[MONTH] = encode(c, tm.tm_mon + 1);
    c->bytes[YEAR] = encode(c, year % 100);
    c->bytes[CMOS_CENTURY] = encode(c, year / 100 % 100);
}

/* The time goes on from what the registers say; fields out of range carry over, as timegm() does.
 */
static void take_time(struct cmos *c)
{
    struct tm tm = {
        .tm_sec = decode(c, c->bytes[SECONDS]),
        .tm_min = decode(c, c->bytes[MINUTES]),
        .tm_hour = decode_hour(c, c->bytes[HOURS]),
        .tm_mday = decode(c, c->bytes[DAY]),
        .tm_mon = decode(c, c->bytes[MONTH]) - 1,
        .tm_year = decode(c, c->bytes[YEAR]) + decode(c, c->bytes[CMOS_CENTURY]) * 100 - 1900,
    };
    c->offset_s = (int64_t)timegm(&tm) - (int64_t)host_time().tv_sec;
    c->ticked_s = guest_seconds(c);
}

/* --- interrupts --------------------------------------------------------------------------------
 */

static void update_irq(struct cmos *c)
{
    uint8_t flags = c->bytes[REG_C] & (B_ALARM | B_UPDATED);
    bool on = flags & c->bytes[REG_B];
    c->bytes[REG_C] = on ? flags | C_INTERRUPT : flags;
    irq_set(&c->irq, on);
}

static void arm_tick(struct cmos *c)
{
    uint8_t b = c->bytes[REG_B];
    bool needed = b & (B_ALARM | B_UPDATED) && !(b & B_SET);
    uint64_t left_ns = SECOND_NS - (uint64_t)host_time().tv_nsec;
    evtimer_set(c->tick, needed ? clock_now_ns() + left_ns : 0);
}

static bool alarm_matches(const struct cmos *c, int64_t seconds)
{
    struct tm tm;
    time_t t = (time_t)seconds;
    if (!gmtime_r(&t, &tm))
        return false;
    const struct {
        uint8_t alarm, now;
    } fields[] = {
        {c->bytes[SECONDS_ALARM], encode(c, tm.tm_sec)},
        {c->bytes[MINUTES_ALARM], encode(c, tm.tm_min)},
        {c->bytes[HOURS_ALARM], encode_hour(c, tm.tm_hour)},
    };
    for (unsigned i = 0; i < ARRAY_SIZE(fields); i++)
        if ((fields[i].alarm & ALARM_ANY) != ALARM_ANY && fields[i].alarm != fields[i].now)
            return false;
    return true;
}

static void ticked(void *ctx)
{
    struct cmos *c = ctx;
    pthread_mutex_lock(&c->lock);
    int64_t now = guest_seconds(c);
    if (now < c->ticked_s || now - c->ticked_s > CATCH_UP_S) /* the host's clock was set */
        c->ticked_s = now - 1;
    while (c->ticked_s < now) {
        c->bytes[REG_C] |= B_UPDATED;
        if (alarm_matches(c, ++c->ticked_s))
            c->bytes[REG_C] |= B_ALARM;
    }
    update_irq(c);
    arm_tick(c);
    pthread_mutex_unlock(&c->lock);
}

/* --- registers ---------------------------------------------------------------------------------
 */

static bool is_time(unsigned index)
{
    return index == CMOS_CENTURY || index == SECONDS || index == MINUTES || index == HOURS ||
           (index >= WEEKDAY && index <= YEAR);
}

static uint8_t read_byte(struct cmos *c)
{
    unsigned index = c->index;
    bool runs = !(c->bytes[REG_B] & B_SET);
    if (runs && is_time(index))
        put_time(c, guest_seconds(c));
    uint8_t value = c->bytes[index];
    if (index == REG_A && runs && host_time().tv_nsec >= SECOND_NS - UPDATE_NS)
        value |= A_UPDATING;
    if (index == REG_C) { /* reading answers the interrupt */
        c->bytes[REG_C] = 0;
        update_irq(c);
    }
    return value;
}

static void write_b(struct cmos *c, uint8_t value)
{
    uint8_t old = c->bytes[REG_B];
    if (value & ~old & B_SET)
        put_time(c, guest_seconds(c));
    c->bytes[REG_B] = value;
    if (old & ~value & B_SET)
        take_time(c);
    if (!(old & (B_ALARM | B_UPDATED)))
        c->ticked_s = guest_seconds(c); /* nobody looked since */
    update_irq(c);
    arm_tick(c);
}

static void write_byte(struct cmos *c, uint8_t value)
{
    unsigned index = c->index;
    if (index == REG_C || index == REG_D)
        return;
    if (index == REG_B) {
        write_b(c, value);
        return;
    }
    bool sets_clock = is_time(index) && !(c->bytes[REG_B] & B_SET);
    if (sets_clock)
        put_time(c, guest_seconds(c));
    c->bytes[index] = index == REG_A ? value & (uint8_t)~A_UPDATING : value;
    if (sets_clock)
        take_time(c);
}

static uint64_t cmos_read(void *ctx, uint64_t offset, unsigned size_bytes)
{
    struct cmos *c = ctx;
    if (offset == 0 || size_bytes > 1)
        return bits(UINT64_MAX, 0, 8 * size_bytes); /* the index cannot be read */
    pthread_mutex_lock(&c->lock);
    uint8_t value = read_byte(c);
    pthread_mutex_unlock(&c->lock);
    return value;
}

static void cmos_write(void *ctx, uint64_t offset, unsigned size_bytes, uint64_t value)
{
    struct cmos *c = ctx;
    if (size_bytes > 1)
        return;
    pthread_mutex_lock(&c->lock);
    if (offset == 0)
        c->index = value % CMOS_BYTES; /* the top bit masks NMI: there is none */
    else
        write_byte(c, (uint8_t)value);
    pthread_mutex_unlock(&c->lock);
}

const struct bus_device_ops cmos_ops = {cmos_read, cmos_write};

/* --- life cycle --------------------------------------------------------------------------------
 */

void cmos_set(struct cmos *c, unsigned index, uint8_t value)
{
    pthread_mutex_lock(&c->lock);
    c->bytes[index % CMOS_BYTES] = value;
    pthread_mutex_unlock(&c->lock);
}

void cmos_reset(struct cmos *c)
{
    pthread_mutex_lock(&c->lock);
    c->bytes[REG_B] &= (uint8_t) ~(B_PERIODIC | B_ALARM | B_UPDATED);
    c->bytes[REG_C] = 0;
    c->index = 0;
    update_irq(c);
    arm_tick(c);
    pthread_mutex_unlock(&c->lock);
}

int cmos_new(struct evloop *loop, struct irq_line irq, struct cmos **ret_cmos, struct err *e)
{
    struct cmos *c = calloc(1, sizeof(*c));
    if (!c)
        abort();
    c->irq = irq;
    if (evtimer_new(loop, ticked, c, &c->tick, e) < 0) {
        free(c);
        return err_prefix(e, "real time clock");
    }
    pthread_mutex_init(&c->lock, NULL);
    tzset(); /* gmtime_r() would read the host's time zone at its first use, when no file is to be
                had */
    c->bytes[REG_A] = A_DIVIDER_32768_HZ;
    c->bytes[REG_B] = B_24_HOURS;
    c->bytes[REG_D] = D_VALID;
    *ret_cmos = c;
    return 0;
}

void cmos_free(struct cmos *c)
{
    if (!c)
        return;
    evtimer_free(c->tick);
    pthread_mutex_destroy(&c->lock);
    free(c);
}
