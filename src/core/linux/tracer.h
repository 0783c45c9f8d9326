/* tracer.h: the tracer's side of ptrace between its two files: tracer.c knows tracees and their
 * stops, ptrace.c has the requests.
 */
#ifndef PENG_CORE_LINUX_TRACER_H
#define PENG_CORE_LINUX_TRACER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/linux/tracee.h"

struct linux_process;

enum tracer_stop {
    TRACER_RUNNING,
    TRACER_BLOCK, /* by itself, with everything in its block */
    TRACER_HOST,  /* by the host's kernel inside a call of the guest's: an event */
    TRACER_GROUP, /* with its whole process, by job control */
};

struct tracee {
    pid_t tid;
    uint64_t block; /* address in the tracee; 0: not ready yet */
    bool known;     /* `seized` and `options` are; else it has them from its parent, or none */
    bool seized;
    bool foreign;      /* no program of this kind: stops are passed on */
    bool starting;     /* a program or thread that has not made its first stop */
    bool newborn;      /* its first SIGSTOP is the kernel's */
    unsigned options;  /* as the guest gave them */
    uint64_t deferred; /* signals that came too early, by bit */
    enum tracer_stop stop;
    int status;       /* that the stop was told with */
    unsigned why;     /* enum linux_trace_stop, with TRACER_BLOCK */
    uint64_t message; /* of the exec event: the thread's former id */
    bool untold;      /* the stop waits to be told */
    struct tracee *next;
};

/* A tracee of this process by id, NULL: none. With the lock of the table held by tracer_lock(). */
struct tracee *tracer_find(struct linux_process *p, pid_t tid);
struct tracee *tracer_add(struct linux_process *p, pid_t tid);
void tracer_remove(struct linux_process *p, pid_t tid);
void tracer_lock(struct linux_process *p);
void tracer_unlock(struct linux_process *p);

/* A tracee's memory: 0 or -errno. The tracee is stopped, or what is written is made for it. */
int tracer_read(pid_t tid, uint64_t from, void *to, size_t size_bytes);
int tracer_write(pid_t tid, uint64_t to, const void *from, size_t size_bytes);

/* Host options for the guest's. */
unsigned tracer_host_options(unsigned options);
/* Whether the thread runs this program, as far as /proc tells. */
bool tracer_same_program(struct linux_process *p, pid_t tid);
/* After PTRACE_SEIZE: waits until the tracee is known. -ESRCH where it ended instead. */
int tracer_meet(struct linux_process *p, struct tracee *e);

/* wait() says that `tid` stopped with `*status`: false where that is nothing the guest is to know;
 * the tracee then runs again. Else *status is what to tell. */
bool tracer_stopped(struct linux_process *p, pid_t tid, int *status);

#endif
