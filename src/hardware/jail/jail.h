/* jail.h: a process gives up what it will not need, before a guest's first instruction.
 *
 * Two steps, so that what must be opened under the first can be before the second: jail_files()
 * leaves no files but the named ones in reach (Landlock), jail_calls() no system calls but those of
 * a list (seccomp). Neither can be undone. Descriptors that are open stay usable.
 */
#ifndef PENG_HARDWARE_JAIL_JAIL_H
#define PENG_HARDWARE_JAIL_JAIL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* What the process goes on doing beside what all do: or-ed. */
enum jail_work {
    JAIL_KVM = 1 << 0,     /* ioctl() on KVM's descriptors */
    JAIL_SOCKETS = 1 << 1, /* opens IPv4 sockets for a guest, reads /etc/resolv.conf */
    JAIL_STORE = 1 << 2,   /* keeps files in a folder */
    JAIL_SHARE = 1 << 3,   /* shows a folder to a guest */
    JAIL_CHANGES = 1 << 4, /* which may change it */
    JAIL_LISTENS = 1 << 5, /* accepts connections on sockets that listen already */
    JAIL_BANKS = 1 << 6,   /* moves the base of GS, on hosts where that is a system call */
};
enum { JAIL_WORK_ALL = (1 << 7) - 1 };

/* What may be done below a path. */
enum jail_access {
    JAIL_READ,   /* open for reading, list */
    JAIL_KEEP,   /* and write, make, rename and remove regular files */
    JAIL_CHANGE, /* and everything else that is no device */
};

struct jail_path {
    const char *path; /* a folder or a file; one that does not exist is passed over */
    enum jail_access access;
};

/* Takes all files but these away from the calling thread and those that it starts. Returns 0, or
 * -ENOTSUP with `e` telling what this kernel lacks; nothing has changed then. */
int jail_files(const struct jail_path *paths, size_t count, struct err *e);
/* Takes all system calls but those of a list away from all threads: `work` is of enum jail_work.
 * Another one ends the process with one line on standard error. Returns how many calls are left;
 * errors as above. */
int jail_calls(unsigned work, struct err *e);
/* How many system calls that list has on this architecture. */
unsigned jail_count_calls(unsigned work);
/* What this kernel can do, for `peng doctor`: one line without a newline. */
void jail_describe(char *text, size_t size);

#endif
