/* host_thread.h: host threads made by clone() itself, so that every flag the guest gives it means
 * what it says and the kernel clears the guest's words when the thread is gone.
 */
#ifndef PENG_CORE_LINUX_HOST_THREAD_H
#define PENG_CORE_LINUX_HOST_THREAD_H

#include <linux/sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A host stack with the thread's TLS at its end. */
struct host_stack {
    void *base; /* NULL: the one that the kernel gave the process */
    size_t size_bytes;
};

/* 0 or -ENOMEM. */
int host_stack_new(struct host_stack *ret_stack);
void host_stack_free(struct host_stack *stack);

/* Makes a thread or process that shares this address space and calls start(arg) on `stack`, never
 * to return. `args` is clone3's; its stack and tls are filled in. Signals must be blocked; the
 * child starts with the same mask. Returns its id or -errno. */
long host_thread_clone(struct clone_args *args, const struct host_stack *stack,
                       void (*start)(void *arg), void *arg);
/* fork by clone or clone3, onto the same stack; 0 in the child. Locks of the C library are the
 * child's afterwards. */
long host_fork(struct clone_args *args);
/* Ends the calling thread and frees its stack. Signals must be blocked. */
void host_thread_leave(const struct host_stack *stack, int status) __attribute__((noreturn));

#endif
