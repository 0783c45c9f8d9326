/* filelock.h: one writer or many readers of a file, across processes. */
#ifndef PENG_HARDWARE_FILELOCK_H
#define PENG_HARDWARE_FILELOCK_H

#include <stdbool.h>

#include "base/err.h"

/* Locks all of `fd`'s file without waiting; the lock goes when the last copy of `fd` is closed, so
 * also when the process is killed. An exclusive lock needs a writable fd. Errors: EBUSY where
 * somebody has the file ("PATH is in use by another machine"). */
int filelock(int fd, bool exclusive, const char *path, struct err *e);

#endif
