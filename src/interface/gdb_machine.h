/* gdb_machine.h: `peng run --gdb PORT`: a machine's vCPUs as a debugger's threads. */
#ifndef PENG_INTERFACE_GDB_MACHINE_H
#define PENG_INTERFACE_GDB_MACHINE_H

#include <stdint.h>

#include "base/err.h"
#include "base/log.h"
#include "core/machine/machine.h"

struct gdb_machine;

/* Serves a debugger on 127.0.0.1:`port`. Call after machine_new() and before machine_run(); the
 * machine then waits at its first instruction until the debugger lets it go. `machine` and `log`
 * are borrowed. Errors: EADDRINUSE ... */
int gdb_machine_start(struct machine *machine, uint16_t port, const struct log *log,
                      struct gdb_machine **ret_gdb, struct err *e);
uint16_t gdb_machine_port(const struct gdb_machine *gdb);
/* After machine_run() returned, before machine_free(). Tells the debugger and closes. NULL is a
 * no-op. */
void gdb_machine_stop(struct gdb_machine *gdb);

#endif
