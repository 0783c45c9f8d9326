/* gdb_server.h: a debugger's door to a running target: a socket on the loopback address. */
#ifndef PENG_INTERFACE_GDB_SERVER_H
#define PENG_INTERFACE_GDB_SERVER_H

#include <stdint.h>

#include "base/err.h"
#include "base/log.h"
#include "interface/gdb_session.h"

struct gdb_server;

struct gdb_server_target {
    struct gdb_target session;
    /* Waits until no thread of the target runs guest code; they stay so until the session's
     * resume(). May be called twice. */
    void (*pause)(void *ctx);
    /* While paused: which thread rang the bell, and why (gdb's number). False: none did after all.
     */
    bool (*stopped)(void *ctx, uint32_t *ret_thread, unsigned *ret_signal);
    /* A target whose descriptors are this process's own: moves the server's out of its way (the new
     * number, or -errno), and closes them. Both NULL elsewhere. */
    int (*keep_fd)(void *ctx, int fd);
    void (*drop_fd)(void *ctx, int fd);
};

/* Listens on 127.0.0.1:`port` (0: any; see gdb_server_port) and serves one debugger at a time on a
 * thread of its own, which calls the target. The target starts paused. `log` is borrowed. Errors:
 * EADDRINUSE ... */
int gdb_server_start(const struct gdb_server_target *target, uint16_t port, const struct log *log,
                     struct gdb_server **ret_server, struct err *e);
uint16_t gdb_server_port(const struct gdb_server *server);
/* A thread of the target stopped, or stop() of a session's target is done. Any thread. */
void gdb_server_ring(struct gdb_server *server);
/* The target is gone: it exited with `code`, or by `signal` where that is not 0. Tells the
 * debugger, closes and frees. NULL is a no-op. */
void gdb_server_stop(struct gdb_server *server, unsigned code, unsigned signal);
/* In a child of fork(), which has none of the server's thread: closes and frees. */
void gdb_server_forget(struct gdb_server *server);

#endif
