/* gdb_user.h: `peng-arm64 -g PORT`: the threads of a process as a debugger's. */
#ifndef PENG_INTERFACE_GDB_USER_H
#define PENG_INTERFACE_GDB_USER_H

#include <stdint.h>

#include "base/log.h"
#include "core/linux/gdb.h"

struct gdb_user;

/* For linux_config.gdb: serves a debugger on 127.0.0.1:`port` when the program is loaded, and the
 * program waits for it. `log` is borrowed. NULL: no memory. */
struct gdb_user *gdb_user_new(uint16_t port, const struct log *log);
const struct linux_gdb_ops *gdb_user_ops(const struct gdb_user *gdb);
void gdb_user_free(struct gdb_user *gdb); /* where the program was not started; NULL is a no-op */

#endif
