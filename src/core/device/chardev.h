/* chardev.h: the seam between a device that carries characters (UART, virtio console) and whoever
 * shows and types them (a terminal, a file, nothing).
 *
 * A back end fills in struct chardev; a device fills in struct chardev_front and hands it over by
 * attach() when it is made. Output may come from any thread. Input is given to the device on the
 * I/O thread: receive() takes as much as it has room for and returns that count; the back end keeps
 * the rest and stops reading its source until the device calls resume().
 */
#ifndef PENG_CORE_DEVICE_CHARDEV_H
#define PENG_CORE_DEVICE_CHARDEV_H

#include <stddef.h>

/* The device's side. */
struct chardev_front {
    void *ctx;
    /* I/O thread. Returns how many of the bytes were taken. */
    size_t (*receive)(void *ctx, const void *data, size_t size_bytes);
};

/* The back end's side; any function may be NULL (output dropped, no input). The functions must not
 * call into the device: they run with its lock held. */
struct chardev {
    void *ctx;
    /* Any thread. May block for as long as the host's sink does. */
    void (*write)(void *ctx, const void *data, size_t size_bytes);
    /* Before the machine runs; a front with receive == NULL detaches. */
    void (*attach)(void *ctx, struct chardev_front front);
    /* Any thread: receive() would take bytes again (evloop_post and try). */
    void (*resume)(void *ctx);
};

static inline void chardev_write(const struct chardev *c, const void *data, size_t size_bytes)
{
    if (c->write && size_bytes > 0)
        c->write(c->ctx, data, size_bytes);
}

static inline void chardev_attach(const struct chardev *c, struct chardev_front front)
{
    if (c->attach)
        c->attach(c->ctx, front);
}

static inline void chardev_resume(const struct chardev *c)
{
    if (c->resume)
        c->resume(c->ctx);
}

#endif
