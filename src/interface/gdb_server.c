/* gdb_server.c: the socket, the thread and the machine behind a GDB session.
 *
 * The thread "gdb0" sleeps in poll() on the listener, the connection and an eventfd. A vCPU that
 * hits a breakpoint or ends a step notes itself and rings the eventfd from its own thread; the
 * server's thread then waits for the other vCPUs (machine_pause) and tells gdb. Everything else
 * happens on the server's thread while the machine is paused. When the debugger goes, its
 * breakpoints go and the machine runs on.
 *
 * Limits: one debugger at a time, on the loopback address only: the protocol has no passwords, and
 * whoever speaks it owns the guest.
 */
#include "interface/gdb_server.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/engine/engine.h"
#include "interface/gdb_session.h"

enum { SIGNAL_INT = 2, SIGNAL_TRAP = 5, PSTATE_SP = 1, PSTATE_EL = 0xc, SEND_TIMEOUT_SECONDS = 10 };

struct gdb_server {
    struct machine *machine; /* borrowed */
    const struct engine_ops *ops;
    struct engine *engine;
    const struct log *log;
    pthread_t thread;
    int listener, connection, bell; /* connection: -1 while nobody debugs */
    uint16_t port;
    _Atomic bool quit;
    _Atomic int stopped_cpu; /* that rang the bell; -1: none */
    bool paused;             /* one machine_pause() is ours */
    uint64_t stepping;       /* vCPUs that single-step */
    struct gdb_session session;
};

/* --- the machine as a target -------------------------------------------------------------------
 */

static struct vcpu *vcpu_at(struct gdb_server *server, unsigned cpu)
{
    return server->ops->vcpu(server->engine, cpu);
}

static uint64_t sp_id(struct gdb_server *server, unsigned cpu)
{
    uint64_t pstate = 0;
    server->ops->get_reg(vcpu_at(server, cpu), ENGINE_REG_PSTATE, &pstate);
    return pstate & PSTATE_EL && pstate & PSTATE_SP ? ENGINE_REG_SP_EL1 : ENGINE_REG_SP_EL0;
}

static uint64_t reg_id(struct gdb_server *server, unsigned cpu, unsigned number)
{
    if (number < GDB_REG_SP)
        return ENGINE_REG_X(number);
    if (number >= GDB_REG_V0 && number < GDB_REG_FPSR)
        return ENGINE_REG_V(number - GDB_REG_V0);
    switch (number) {
    case GDB_REG_SP:
        return sp_id(server, cpu);
    case GDB_REG_PC:
        return ENGINE_REG_PC;
    case GDB_REG_CPSR:
        return ENGINE_REG_PSTATE;
    case GDB_REG_FPSR:
        return ENGINE_REG_FPSR;
    default:
        return ENGINE_REG_FPCR;
    }
}

static bool read_reg(void *ctx, unsigned cpu, unsigned number, void *value)
{
    struct gdb_server *server = ctx;
    uint8_t wide[16] = {0}; /* PSTATE is 8 bytes for the engine and 4 for gdb */
    if (server->ops->get_reg(vcpu_at(server, cpu), reg_id(server, cpu, number), wide) < 0)
        return false;
    memcpy(value, wide, gdb_reg_size(number));
    return true;
}

static bool write_reg(void *ctx, unsigned cpu, unsigned number, const void *value)
{
    struct gdb_server *server = ctx;
    uint8_t wide[16] = {0};
    memcpy(wide, value, gdb_reg_size(number));
    return server->ops->set_reg(vcpu_at(server, cpu), reg_id(server, cpu, number), wide) >= 0;
}

static bool access_memory(void *ctx, unsigned cpu, uint64_t va, void *data, size_t bytes,
                          bool write)
{
    struct gdb_server *server = ctx;
    if (!server->ops->debug_access(vcpu_at(server, cpu), va, data, bytes, write))
        return false;
    if (write)
        server->ops->code_changed(server->engine);
    return true;
}

static bool change_breakpoint(void *ctx, uint64_t va, bool set)
{
    struct gdb_server *server = ctx;
    return server->ops->debug_break(server->engine, va, set) >= 0;
}

static void set_stepping(struct gdb_server *server, uint64_t stepping)
{
    for (unsigned i = 0; i < machine_cpus(server->machine); i++)
        if ((server->stepping ^ stepping) >> i & 1)
            server->ops->debug_step(vcpu_at(server, i), stepping >> i & 1);
    server->stepping = stepping;
}

static void quiet_bell(struct gdb_server *server)
{
    eventfd_t count;
    eventfd_read(server->bell, &count);
    atomic_store(&server->stopped_cpu, -1);
}

static void resume(void *ctx, uint64_t stepping)
{
    struct gdb_server *server = ctx;
    quiet_bell(server); /* a stop that gdb was not told of: it has seen the machine since */
    set_stepping(server, stepping);
    if (server->paused)
        machine_resume(server->machine);
    server->paused = false;
}

static void pause_machine(struct gdb_server *server)
{
    if (!server->paused)
        machine_pause(server->machine);
    server->paused = true;
    set_stepping(server, 0);
}

static void interrupt(void *ctx)
{
    struct gdb_server *server = ctx;
    /* Comes back as a stop of vCPU 0 unless another rings first. */
    pause_machine(server);
    eventfd_write(server->bell, 1);
}

static void kill_machine(void *ctx)
{
    struct gdb_server *server = ctx;
    machine_stop(server->machine);
    resume(server, 0);
}

/* On the vCPU's thread. */
static void on_debug(void *ctx, unsigned vcpu)
{
    struct gdb_server *server = ctx;
    int none = -1;
    atomic_compare_exchange_strong(&server->stopped_cpu, &none, (int)vcpu);
    eventfd_write(server->bell, 1);
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
    const struct gdb_target target = {.ctx = server,
                                      .cpus = machine_cpus(server->machine),
                                      .read_reg = read_reg,
                                      .write_reg = write_reg,
                                      .memory = access_memory,
                                      .breakpoint = change_breakpoint,
                                      .resume = resume,
                                      .interrupt = interrupt,
                                      .kill = kill_machine};
    server->connection = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
    if (server->connection < 0)
        return;
    setsockopt(server->connection, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
    pause_machine(server);
    gdb_session_init(&server->session, &target);
    log_info(server->log, "a debugger is attached");
}

static void drop_debugger(struct gdb_server *server)
{
    if (server->connection < 0)
        return;
    close(server->connection);
    server->connection = -1;
    if (!server->session.detached) { /* it went without saying so */
        pause_machine(server);
        gdb_session_remove_breakpoints(&server->session);
        resume(server, 0);
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

/* The bell: a vCPU stopped, or Ctrl-C did it. */
static void answer_bell(struct gdb_server *server)
{
    int cpu = atomic_load(&server->stopped_cpu);
    quiet_bell(server);
    if (atomic_load(&server->quit))
        return;
    if (server->connection < 0) { /* a step that outlived its debugger: nobody to tell */
        pause_machine(server);
        resume(server, 0);
        return;
    }
    if (!server->session.running)
        return;
    pause_machine(server);
    gdb_session_stopped(&server->session, cpu < 0 ? 0 : (unsigned)cpu,
                        cpu < 0 ? SIGNAL_INT : SIGNAL_TRAP, send_bytes, server);
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
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
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
        if (fds[i] >= 0)
            close(fds[i]);
    free(server);
}

int gdb_server_start(struct machine *machine, uint16_t port, const struct log *log,
                     struct gdb_server **ret_server, struct err *e)
{
    struct gdb_server *server = calloc(1, sizeof *server);
    if (!server)
        abort();
    *server = (struct gdb_server){.machine = machine,
                                  .ops = machine_engine_ops(machine),
                                  .engine = machine_engine(machine),
                                  .log = log,
                                  .listener = -1,
                                  .connection = -1,
                                  .stopped_cpu = -1,
                                  .paused = true};
    int rc = 0;
    server->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (server->bell < 0)
        rc = err_set_errno(e, errno, "--gdb: cannot make an eventfd");
    else
        rc = open_listener(server, port, e);
    if (rc < 0) {
        free_server(server);
        return rc;
    }
    machine_start_paused(machine);
    machine_on_debug(machine, on_debug, server);
    rc = pthread_create(&server->thread, NULL, serve, server);
    if (rc) {
        free_server(server);
        return err_set_errno(e, rc, "cannot start thread gdb0");
    }
    pthread_setname_np(server->thread, "gdb0");
    *ret_server = server;
    return 0;
}

uint16_t gdb_server_port(const struct gdb_server *server)
{
    return server->port;
}

void gdb_server_stop(struct gdb_server *server)
{
    if (!server)
        return;
    atomic_store(&server->quit, true);
    eventfd_write(server->bell, 1);
    pthread_join(server->thread, NULL);
    if (server->connection >= 0 && !server->session.detached)
        gdb_session_exited(&server->session, 0, send_bytes, server);
    free_server(server);
}
