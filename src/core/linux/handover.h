/* handover.h: what one run of this program tells the next, when a guest program execs another. */
#ifndef PENG_CORE_LINUX_HANDOVER_H
#define PENG_CORE_LINUX_HANDOVER_H

#include <stdbool.h>
#include <stddef.h>

#include "core/linux/linux.h"

enum { HANDOVER_MAX = 4 * 4096 + 256 };

/* One environment string for the next run. Returns its length, 0 where it does not fit. */
size_t handover_write(char *out, size_t size_bytes, const struct linux_config *config);

/* Looks for that string at the end of `envp`, takes it out, and sets what it says in `config`
 * (strings are borrowed from it). False: this is not such a run. */
bool handover_read(char **envp, struct linux_config *config);

#endif
