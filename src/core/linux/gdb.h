/* gdb.h: a process as the debugger behind `-g` sees it. The protocol is interface/gdb_user.c's.
 *
 * Functions are called on the debugger's own thread; those that look or change only while paused.
 */
#ifndef PENG_CORE_LINUX_GDB_H
#define PENG_CORE_LINUX_GDB_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "core/linux/regs.h"

struct linux_gdb;
struct linux_process;
struct linux_thread;

/* Who debugs. */
struct linux_gdb_ops {
    void *ctx;
    /* The program is loaded; its first instruction waits for the first resume. */
    int (*start)(void *ctx, struct linux_gdb *gdb, struct err *e);
    void (*ring)(void *ctx); /* a thread stopped; on that thread, under a lock: only note it */
    void (*ended)(void *ctx, int wait_status); /* returns when the debugger knows; `gdb` is gone */
    void (*forked)(void *ctx);                 /* in the child of a fork, which is not debugged */
};

int linux_gdb_new(struct linux_process *p, const struct linux_gdb_ops *ops, struct linux_gdb **ret,
                  struct err *e);
int linux_gdb_start(struct linux_gdb *gdb, struct err *e);

/* What a thread is to do when let go. */
struct linux_gdb_action {
    pid_t tid; /* 0: all */
    bool step;
    int signal; /* 0: none */
};

/* Waits until no thread runs guest code; may be called twice. Threads in system calls stay in them
 * and wait when those are done. */
void linux_gdb_pause(struct linux_gdb *gdb);
/* Which thread stopped since it was let go, and why; SIGINT of no sender: linux_gdb_interrupt(). */
bool linux_gdb_stopped(struct linux_gdb *gdb, pid_t *ret_tid, siginfo_t *ret_info);
/* Each thread as the first action says that names it; without one it stays. */
void linux_gdb_resume(struct linux_gdb *gdb, const struct linux_gdb_action *actions,
                      unsigned count);
void linux_gdb_interrupt(struct linux_gdb *gdb);              /* at any time */
void linux_gdb_pass(struct linux_gdb *gdb, uint64_t signals); /* by bit: without a stop */

unsigned linux_gdb_threads(struct linux_gdb *gdb, uint32_t *ret_tids, unsigned max);
struct linux_gdb_regs {
    struct linux_user_regs general;
    struct linux_user_fpsimd fpsimd;
};
bool linux_gdb_regs_get(struct linux_gdb *gdb, pid_t tid, struct linux_gdb_regs *ret);
bool linux_gdb_regs_set(struct linux_gdb *gdb, pid_t tid, const struct linux_gdb_regs *regs);
/* Reads without breakpoints, writes whatever the page's rights are. All or nothing. */
bool linux_gdb_memory(struct linux_gdb *gdb, uint64_t va, void *data, size_t size_bytes,
                      bool write);
bool linux_gdb_breakpoint(struct linux_gdb *gdb, uint64_t va, bool set);
/* Up to *size_bytes of the auxiliary vector, from `offset`. */
bool linux_gdb_auxv(struct linux_gdb *gdb, uint64_t offset, void *data, size_t *size_bytes);
const char *linux_gdb_program(const struct linux_gdb *gdb);
/* Opens a file to read as the guest names it: descriptor or -errno. */
int linux_gdb_open(const struct linux_gdb *gdb, const char *path);

/* Moves a descriptor of the debugger's out of the guest's way: its new number, or -errno; closes
 * one. */
int linux_gdb_keep_fd(struct linux_gdb *gdb, int fd);
void linux_gdb_drop_fd(struct linux_gdb *gdb, int fd);

/* --- for debug.c: on the threads of the guest ----------------------------------------------------
 */

void linux_gdb_look(struct linux_thread *t);
void linux_gdb_call(struct linux_thread *t, bool inside);
bool linux_gdb_signal(struct linux_thread *t, siginfo_t *info);
void linux_gdb_forked(struct linux_thread *t);
void linux_gdb_ended(struct linux_thread *t, int wait_status);

#endif
