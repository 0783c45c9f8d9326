/* tracee.h: what a traced thread and its tracer, another process of this kind, tell each other.
 *
 * ptrace.c tells how tracing works as a whole. The block lies in the tracee; the tracer reads and
 * writes it while the tracee is stopped.
 */
#ifndef PENG_CORE_LINUX_TRACEE_H
#define PENG_CORE_LINUX_TRACEE_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/linux/regs.h"

struct linux_thread;

enum linux_trace_mode { /* until the next stop */
                        LINUX_TRACE_CONT,
                        LINUX_TRACE_SYSCALL,  /* stop at the next entry to or exit from a call */
                        LINUX_TRACE_SYSEMU,   /* stop at the next entry, and do not make the call */
                        LINUX_TRACE_STEP = 4, /* a bit of its own: one instruction */
};

enum linux_trace_stop {
    LINUX_STOP_NONE,
    LINUX_STOP_SIGNAL,  /* `info` is about to be delivered */
    LINUX_STOP_ENTER,   /* a call begins */
    LINUX_STOP_LEAVE,   /* a call ended */
    LINUX_STOP_SECCOMP, /* a filter said so: as ENTER */
    LINUX_STOP_EXEC,    /* a program was loaded */
    LINUX_STOP_START,   /* a thread or process begins that is traced because its parent is */
    LINUX_STOP_ASKED,   /* PTRACE_INTERRUPT */
};

#define LINUX_TRACEE_MAGIC 0x70656e6720747231ull /* changes with the layout */

struct linux_tracee {
    uint64_t magic; /* the thread is ready to be traced */
    int32_t tgid, tid;
    /* The tracer's. */
    uint32_t traced, seized, options;
    uint32_t mode;
    uint32_t flush;     /* it may have written to code */
    uint32_t interrupt; /* it wants a stop */
    /* The stop. */
    uint32_t stop;    /* enum linux_trace_stop; the tracer sets it to NONE to let go */
    uint32_t dirty;   /* the tracer changed registers */
    int32_t signal;   /* to deliver when let go; 0: none */
    int32_t raising;  /* the host's default action is wanted for this signal: not to be told */
    uint64_t message; /* of PTRACE_GETEVENTMSG, for SECCOMP */
    siginfo_t info;
    int32_t call; /* number, -1: none; ENTER and SECCOMP */
    uint64_t args[6];
    struct linux_user_regs general;
    struct linux_user_fpsimd fpsimd;
    uint64_t tls;
};

/* SIGSYS carries what tracer and tracee have to say, for no host mask has it: si_errno is MARK,
 * plus WORD, a signal's number and why a host call was interrupted. */
enum {
    LINUX_TRACE_MARK = 0x50540000,
    LINUX_TRACE_STOPPING = 0x8000,  /* the tracee stops itself; si_ptr is its block */
    LINUX_TRACE_SIGNAL_MASK = 0x7f, /* the tracer hands on this signal; 0: just look */
    LINUX_TRACE_RESTART_SHIFT = 8,  /* enum linux_restart */
};

/* The bit of AT_FLAGS by which the tracer tells a program that begins that it is traced. */
#define LINUX_TRACED_AT_FLAGS (1ull << 62)

enum linux_restart { /* the kernel's ERESTART codes, include/linux/errno.h */
                     LINUX_RESTART_NONE,
                     LINUX_RESTART_SYS,    /* 512: unless a handler without SA_RESTART runs */
                     LINUX_RESTART_ALWAYS, /* 513 */
                     LINUX_RESTART_NOHAND, /* 514: unless a handler runs */
                     LINUX_RESTART_BLOCK,  /* 516: as 514; what was done of the call is kept */
};

/* --- on the tracee's threads: for debug.c and signal.c
 * -------------------------------------------- */

void linux_tracee_look(struct linux_thread *t);
bool linux_tracee_enter(struct linux_thread *t);
void linux_tracee_leave(struct linux_thread *t, bool restart);
bool linux_tracee_signal(struct linux_thread *t, siginfo_t *info);
void linux_tracee_started(struct linux_thread *t, uint64_t clone_flags);
/* The program was loaded; `traced`: into a process whose tracer saw it exec. */
void linux_tracee_execed(struct linux_thread *t, bool traced);
/* A filter's SECCOMP_RET_TRACE; false: the call is not made, x0 is its result. -ENOSYS is in x0 and
 * that is it where nobody traces. */
bool linux_tracee_seccomp(struct linux_thread *t, unsigned data);
/* PTRACE_TRACEME: 0 or -errno. */
int linux_tracee_start(struct linux_thread *t);

/* From the host's handler of SIGSYS: true where the signal was between tracer and tracee.
 * `ret_info` then is the signal handed on, si_signo 0 where there is none. */
bool linux_tracee_handler(struct linux_thread *t, const siginfo_t *info, siginfo_t *ret_info);

#endif
