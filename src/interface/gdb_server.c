/* gdb_server.c: the socket and the thread behind a GDB session.
 *
 * The thread "gdb0" sleeps in poll() on the listener, the connection and an eventfd, the bell. A
 * thread of the target that stops notes that itself and rings from its own thread; the server's
 * thread then waits for the target's others (pause) and tells gdb. Everything else happens on the
 * server's thread while the target is paused. When the debugger goes, its breakpoints go and the
 * target runs on.
 *
 * Limits: one debugger at a time, on the loopback address only: the protocol has no passwords, and
 * whoever speaks it owns the target.
 */
#include "interface/gdb_server.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/thread.h"

enum { SEND_TIMEOUT_SECONDS = 10 };

struct gdb_server {
    struct gdb_server_target target;
    const struct log *log;
    pthread_t thread;
    int listener, connection, bell; /* connection: -1 while nobody debugs */
    uint16_t port;
    _Atomic bool quit;
    struct gdb_session session;
};

static void go_on(struct gdb_server *server)
{
    const struct gdb_action all = {0, false, 0};
    server->target.session.resume(server->target.session.ctx, &all, 1);
}

/* Takes over a new descriptor: its number from now on, or -1. */
static int keep(const struct gdb_server *server, int fd)
{
    const struct gdb_server_target *target = &server->target;
    if (fd < 0 || !target->keep_fd)
        return fd;
    fd = target->keep_fd(target->session.ctx, fd);
    if (fd < 0) {
        errno = -fd;
        return -1;
    }
    return fd;
}

static void drop(const struct gdb_server *server, int fd)
{
    if (server->target.drop_fd)
        server->target.drop_fd(server->target.session.ctx, fd);
    else if (fd >= 0)
        close(fd);
}

static void pause_target(struct gdb_server *server)
{
    server->target.pause(server->target.session.ctx);
}

/* --- the connection ----------------------------------------------------------------------------
 */

static void send_bytes(void *ctx, const char *bytes, size_t length)
{
    struct gdb_server *server = ctx;
    while (length > 0 && server->connection >= 0) {
        ssize_t n = send(server->connection, bytes, length, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) { /* the next poll() sees that it is gone */
            shutdown(server->connection, SHUT_RDWR);
            return;
        }
        bytes += n;
        length -= (size_t)n;
    }
}

static void accept_debugger(struct gdb_server *server)
{
    const struct timeval timeout = {.tv_sec = SEND_TIMEOUT_SECONDS};
    server->connection = keep(server, accept4(server->listener, NULL, NULL, SOCK_CLOEXEC));
    if (server->connection < 0)
        return;
    setsockopt(server->connection, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
    pause_target(server);
    gdb_session_init(&server->session, &server->target.session);
    log_info(server->log, "a debugger is attached");
}

static void drop_debugger(struct gdb_server *server)
{
    if (server->connection < 0)
        return;
    drop(server, server->connection);
    server->connection = -1;
    gdb_session_done(&server->session);
    if (!server->session.detached) { /* it went without saying so */
        pause_target(server);
        gdb_session_remove_breakpoints(&server->session);
        go_on(server);
    }
    log_info(server->log, "the debugger is gone");
}

static void read_debugger(struct gdb_server *server)
{
    uint8_t bytes[4096];
    ssize_t n = recv(server->connection, bytes, sizeof bytes, 0);
    if (n < 0 && errno == EINTR)
        return;
    if (n > 0)
        gdb_session_input(&server->session, bytes, (size_t)n, send_bytes, server);
    if (n <= 0 || server->session.detached)
        drop_debugger(server);
}

/* The bell: a thread stopped, or Ctrl-C did it. */
static void answer_bell(struct gdb_server *server)
{
    eventfd_t count;
    uint32_t thread;
    unsigned signal;
    eventfd_read(server->bell, &count);
    if (atomic_load(&server->quit))
        return;
    if (server->connection < 0) { /* a step that outlived its debugger: nobody to tell */
        pause_target(server);
        go_on(server);
        return;
    }
    if (!server->session.running)
        return;
    pause_target(server);
    if (server->target.stopped(server->target.session.ctx, &thread, &signal))
        gdb_session_stopped(&server->session, thread, signal, send_bytes, server);
}

static void *serve(void *arg)
{
    struct gdb_server *server = arg;
    while (!atomic_load(&server->quit)) {
        struct pollfd fds[] = {
            {.fd = server->bell, .events = POLLIN},
            {.fd = server->connection, .events = POLLIN},
            {.fd = server->connection < 0 ? server->listener : -1, .events = POLLIN}};
        if (poll(fds, 3, -1) < 0 && errno != EINTR)
            break;
        if (fds[0].revents)
            answer_bell(server);
        if (fds[1].revents && server->connection >= 0)
            read_debugger(server);
        if (fds[2].revents)
            accept_debugger(server);
    }
    return NULL;
}

static int open_listener(struct gdb_server *server, uint16_t port, struct err *e)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    const int on = 1;
    server->listener = keep(server, socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (server->listener < 0)
        return err_set_errno(e, errno, "--gdb: cannot make a socket");
    setsockopt(server->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(server->listener, (struct sockaddr *)&address, sizeof address) < 0 ||
        listen(server->listener, 1) < 0 ||
        getsockname(server->listener, (struct sockaddr *)&address, &length) < 0)
        return err_set_errno(e, errno, "--gdb %u: cannot listen", port);
    server->port = ntohs(address.sin_port);
    return 0;
}

static void free_server(struct gdb_server *server)
{
    const int fds[] = {server->listener, server->connection, server->bell};
    for (unsigned i = 0; i < 3; i++)
        drop(server, fds[i]);
    free(server);
}

int gdb_server_start(const struct gdb_server_target *target, uint16_t port, const struct log *log,
                     struct gdb_server **ret_server, struct err *e)
{
    struct gdb_server *server = calloc(1, sizeof *server);
    if (!server)
        abort();
    *server = (struct gdb_server){.target = *target, .log = log, .listener = -1, .connection = -1};
    int rc = 0;
    server->bell = keep(server, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (server->bell < 0)
        rc = err_set_errno(e, errno, "--gdb: cannot make an eventfd");
    else
        rc = open_listener(server, port, e);
    if (rc < 0) {
        free_server(server);
        return rc;
    }
    *ret_server = server; /* before its thread calls the target */
    rc = thread_start_quiet(&server->thread, "gdb0", serve, server);
    if (rc) {
        *ret_server = NULL;
        free_server(server);
        return err_set_errno(e, rc, "cannot start thread gdb0");
    }
    return 0;
}

uint16_t gdb_server_port(const struct gdb_server *server)
{
    return server->port;
}

void gdb_server_ring(struct gdb_server *server)
{
    eventfd_write(server->bell, 1);
}

void gdb_server_stop(struct gdb_server *server, unsigned code, unsigned signal)
{
    if (!server)
        return;
    atomic_store(&server->quit, true);
    eventfd_write(server->bell, 1);
    pthread_join(server->thread, NULL);
    if (server->connection >= 0 && !server->session.detached)
        gdb_session_exited(&server->session, code, signal, send_bytes, server);
    free_server(server);
}

void gdb_server_forget(struct gdb_server *server)
{
    free_server(server);
}
