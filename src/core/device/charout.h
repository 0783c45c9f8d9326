/* charout.h: a UART's output on its way to the back end: collected to whole lines, or for a
 * millisecond, so that a byte costs no system call. All but init, done and the timer's own work are
 * called with the device's lock held.
 */
#ifndef PENG_CORE_DEVICE_CHAROUT_H
#define PENG_CORE_DEVICE_CHAROUT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/evloop.h"
#include "core/device/chardev.h"

enum { CHAROUT_BYTES = 1024 };

struct charout {
    pthread_mutex_t *lock;      /* borrowed: the device's */
    const struct chardev *back; /* borrowed */
    struct evtimer *timer;
    uint8_t bytes[CHAROUT_BYTES];
    unsigned count;
    bool armed;
};

int charout_init(struct charout *out, struct evloop *loop, pthread_mutex_t *lock,
                 const struct chardev *back, struct err *e);
void charout_put(struct charout *out, uint8_t byte);
void charout_flush(struct charout *out);
void charout_done(struct charout *out); /* without the lock; what is left is not written */

#endif
