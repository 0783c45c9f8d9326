/* gdb_server.h: `--gdb PORT`: a debugger's door to a running machine. */
#ifndef PENG_INTERFACE_GDB_SERVER_H
#define PENG_INTERFACE_GDB_SERVER_H

#include <stdint.h>

#include "base/err.h"
#include "base/log.h"
#include "core/machine/machine.h"

struct gdb_server;

/* Listens on 127.0.0.1:`port` (0: any; see gdb_server_port) and serves one debugger at a time on a
 * thread of its own. Call after machine_new() and before machine_run(); the machine then waits at
 * its first instruction until the debugger lets it go. `machine` and `log` are borrowed. Errors:
 * EADDRINUSE ... */
int gdb_server_start(struct machine *machine, uint16_t port, const struct log *log,
                     struct gdb_server **ret_server, struct err *e);
uint16_t gdb_server_port(const struct gdb_server *server);
/* After machine_run() returned, before machine_free(). Tells the debugger and closes. NULL is a
 * no-op. */
void gdb_server_stop(struct gdb_server *server);

#endif
