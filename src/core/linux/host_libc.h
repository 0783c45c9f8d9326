/* host_libc.h: what the C library must find in a thread that it has not made, and which of its
 * locks a fork must hold. host_libc_glibc.c and host_libc_musl.c know; one of them is linked.
 */
#ifndef PENG_CORE_LINUX_HOST_LIBC_H
#define PENG_CORE_LINUX_HOST_LIBC_H

#include <stdbool.h>

enum { HOST_LIBC_TCB_BYTES = 4096 }; /* room for any library's struct pthread */

/* Settings of the library for the whole program, before anything else. */
void host_libc_init(void);

/* Fills in a new thread's control block, all zeros so far, as far as it is like the caller's. */
void host_libc_tcb_init(void *tcb);
/* There will be a second thread: from now on the library's locks count. */
void host_libc_share(void);
/* In a thread: it begins; it is about to end, with all signals blocked. */
void host_libc_started(void);
void host_libc_ending(void);

/* Around a fork that the library does not make: its heap is consistent in the child. */
void host_libc_before_fork(void);
void host_libc_after_fork(bool in_child);

#endif
