/* thread.h: a thread with a name. */
#ifndef PENG_BASE_THREAD_H
#define PENG_BASE_THREAD_H

#include <pthread.h>

enum { THREAD_NAME_BYTES = 16 }; /* the kernel's, with the final 0 */

/* As pthread_create(); returns what it returns. The thread takes its name itself: another one would
 * have to write it to /proc, which a jailed process cannot. */
int thread_start(pthread_t *thread, const char *name, void *(*run)(void *), void *arg);
/* The same for one that takes no signals: they stay with the other threads. */
int thread_start_quiet(pthread_t *thread, const char *name, void *(*run)(void *), void *arg);

#endif
