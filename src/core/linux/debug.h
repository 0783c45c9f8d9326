/* debug.h: where a thread meets its debuggers: the one behind `-g` (gdb.c), which lives in this
 * process, and tracers (tracee.c), which are other processes of this kind.
 *
 * The run loop and the calls it makes ask linux_debugged() first and, where it says so, these
 * hooks; each may stop the thread for as long as a debugger likes.
 */
#ifndef PENG_CORE_LINUX_DEBUG_H
#define PENG_CORE_LINUX_DEBUG_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/linux/tracee.h"

struct linux_thread;

/* A thread's part of it. */
struct linux_debug {
    bool step;   /* one instruction, then SIGTRAP */
    bool armed;  /* the CPU's software step is on */
    uint64_t pc; /* when `step` was asked for; elsewhere now: a handler begins, which is the step */
    uint64_t silent; /* signals to deliver without a stop, by bit, for the debugger sent them */
    /* gdb.c; under its lock */
    enum { LINUX_GDB_OUT, LINUX_GDB_IN, LINUX_GDB_PARKED } place; /* of guest code */
    bool stay;                                                    /* parked though others run */
    bool stopped; /* by `info`, which the debugger was not told of yet */
    siginfo_t info;
    int inject; /* signal that the debugger gives it, 0: none */
    /* tracee.c */
    volatile bool look;       /* linux_debug_look() is wanted; set by the host's handler */
    volatile bool asked_stop; /* SIGSTOP, as stop_info tells */
    siginfo_t stop_info;
    volatile unsigned
        restart;         /* enum linux_restart: of the call that the tracer's news interrupted */
    bool restarts;       /* the last call goes on at the SVC at pc ... */
    uint64_t restart_pc; /* ... which is this */
    bool no_leave;       /* the call at hand is the parent's: fork() */
    struct linux_tracee tracee;
};

/* Before guest code is entered, after signals were delivered; also when asked to stop. */
void linux_debug_look(struct linux_thread *t);
/* Before a call, its number in t->call: false where it is not to be made and x0 stays. */
bool linux_debug_enter(struct linux_thread *t);
/* After it, with its result in x0; `restart`: it was not made, x0 stays and pc goes back to the SVC
 * next. */
void linux_debug_leave(struct linux_thread *t, bool restart);
/* A signal about to be delivered: false where it is not to be; `info` may have become another. */
bool linux_debug_signal(struct linux_thread *t, siginfo_t *info);
/* Its handler's frame is not built by now: the default action `signal` is carried out by the host.
 */
void linux_debug_raise(struct linux_thread *t, int signal);
/* In a new thread or process, with its registers set, before anything else of the guest's; `flags`
 * as clone() has them. Not only where linux_debugged(). */
void linux_debug_started(struct linux_thread *t, uint64_t flags);
/* The process is about to end: as wait() tells it. Not in a process that shares its parent's
 * memory.
 */
void linux_debug_ended(struct linux_thread *t, int wait_status);

#endif
