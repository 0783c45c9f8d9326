/* linux_int.h: what the files of user mode share: the process, its threads, and who does what.
 *
 *   start.c     builds the process                 run.c       the life of a thread
 *   loader.c    files to segments                   stack.c     arguments to a stack
 *   memory.c    mmap and its kin, what holds code   access.c    guest memory from C, checked
 *   fault.c     host faults that are the guest's    fds.c       descriptors of ours
 *   syscall.c   the table and the dispatch          sys_*.c     calls that need work, by theme
 *   exec.c      execve                              handover.c  what the next program is told
 *   procfs.c    /proc as arm64 processes see it     strace.c    prints calls
 *   signal.c    queue, dispositions                 sigframe.c  frames of handlers
 *   thread.c    clone, fork, vfork, exit            core.c      core dumps
 *   rseq.c      restartable sequences               stats.c     counts calls and traps
 *   profile.c   samples where the time goes         symbols.c   names of functions
 *   debug.c     hooks of debuggers: gdb.c (-g), and tracee.c, whose tracer is in ptrace.c
 *   seccomp.c   filters that see arm64 calls        regs.c      registers as debuggers see them
 *
 * A struct linux_thread is touched by its own thread only, but for what is marked `any thread`.
 * `linux_self` is the one thread-local: host signal handlers have nothing else to go by.
 */
#ifndef PENG_CORE_LINUX_LINUX_INT_H
#define PENG_CORE_LINUX_LINUX_INT_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/bytes.h"
#include "core/arm64/mmu.h"
#include "core/linux/debug.h"
#include "core/linux/host_thread.h"
#include "core/linux/linux.h"
#include "core/linux/syscalls.h"
#include "core/translator/translator.h"

enum { LINUX_SIGNALS = 64, LINUX_PAGE = 4096 };

/* Beyond errno: what a call may return to the run loop instead of a result. */
enum {
    LINUX_ERESTART =
        512, /* -LINUX_ERESTART: interrupted before it began; pc goes back to the SVC */
    LINUX_NO_RESULT = 1024, /* -LINUX_NO_RESULT: registers are set already (rt_sigreturn) */
};

/* --- what lives as long as the address space -------------------------------------------------- */

struct linux_memory; /* memory.c */
struct linux_gdb;
struct linux_seccomp;
struct linux_uring;
struct linux_rseq;
struct linux_strace;
struct linux_stats;
struct linux_profile;

/* Where the kernel would find them (struct mm_struct), for /proc and core dumps. */
struct linux_layout {
    uint64_t code_start, code_end, data_start, data_end;
    uint64_t brk_start; /* first address behind the program */
    uint64_t stack_top; /* highest address of the main stack, exclusive */
    uint64_t stack_bottom;
    uint64_t stack_pointer; /* as the program found it */
    uint64_t arg_start, arg_end, env_start, env_end;
    uint64_t auxv; /* address of the auxiliary vector on the stack */
    size_t auxv_bytes;
    uint64_t entry; /* where the first instruction is: the interpreter's, or the program's */
    uint64_t program_entry, program_base;
    uint64_t sigreturn;      /* address of the signal trampoline: mov x8, #139; svc #0 */
    uint64_t vdso;           /* AT_SYSINFO_EHDR, 0: none */
    bool published;          /* the kernel knows of these, and tells others (procfs.c) */
    char program_path[4096]; /* absolute, for /proc/self/exe; as the guest sees it */
};

struct linux_process {
    const struct linux_config *config; /* borrowed */
    const struct log *log;             /* borrowed */
    struct a64_host_ops ops;
    struct a64_system system;
    const struct a64_model *model;
    struct translator *translator; /* NULL: the interpreter */
    struct linux_memory *memory;
    struct linux_layout layout;
    int profile_fd; /* where --profile prints; -1: nowhere */
    int report_fd;  /* where --strace and --stats print; -1: nowhere */
    int self_fd;    /* this program's own file, close-on-exec, for running itself; -1: use /proc */
    int program_fd; /* the program, where its file has no name; else -1 (loader.c) */
    _Atomic int own_fds[16]; /* fds.c: descriptors that the guest does not have, plus 1; 0: none */
    pthread_mutex_t threads_lock; /* guards the list */
    struct linux_thread *threads;
    unsigned thread_count;
    _Atomic(struct linux_thread *) dying; /* core.c: the thread that ends the process by a signal */
    struct linux_gdb *gdb;                /* NULL: nobody debugs */
    pthread_mutex_t tracees_lock;         /* guards the list */
    struct tracee *tracees;               /* tracer.c: whom we trace */
    struct linux_strace *strace;          /* NULL: calls are not printed */
    struct linux_stats *stats;            /* NULL: nothing is counted */
    struct linux_profile *profile;        /* NULL: no samples are taken */
    _Atomic(struct linux_rseq *) rseq;    /* rseq.c; NULL: no thread registered */
    _Atomic(struct linux_uring *) urings; /* sys_uring.c: every ring set up, any thread */
};

/* Signals that are faults: translated code needs them, so the host never blocks them. */
#define LINUX_FAULT_SIGNALS                                                                        \
    (1ull << (SIGILL - 1) | 1ull << (SIGTRAP - 1) | 1ull << (SIGBUS - 1) | 1ull << (SIGFPE - 1) |  \
     1ull << (SIGSEGV - 1) | 1ull << (SIGSYS - 1))

/* --- signals ---------------------------------------------------------------------------------- */

/* struct sigaction as arm64 has it (asm-generic): handler, flags, restorer, mask. */
struct linux_sigaction {
    uint64_t handler, flags, restorer, mask;
};

/* Shared by threads made with CLONE_SIGHAND. */
struct linux_sighand {
    pthread_mutex_t lock;
    _Atomic unsigned users;
    struct linux_sigaction action[LINUX_SIGNALS]; /* by signal - 1 */
};

/* The fault that a trap stands for, as the host kernel described it. */
struct linux_fault {
    int signal, code;
    uint64_t address;
};

struct linux_signal_state; /* signal.c */

struct linux_thread {
    struct a64_cpu *cpu;
    struct linux_process *process;
    struct linux_sighand *sighand;
    struct linux_thread *next; /* in process->threads, under its lock */
    pid_t tid;
    struct host_stack host_stack; /* what it runs on */
    struct linux_signal_state *signals;
    _Atomic(struct linux_seccomp *) seccomp; /* NULL: no filter; any thread (TSYNC) */
    struct linux_strace_line *line; /* strace.c: the call at hand as text; NULL: none yet */
    struct linux_fault fault;       /* of the trap at hand, where it is an abort */
    uint64_t call;                  /* number of the system call at hand */
    uint64_t call_x0;               /* its first argument, which the result overwrites */
    void *recover;                  /* fault.c: jmp_buf of the run loop */
    struct {
        uint64_t address;        /* of struct rseq; 0: not registered */
        uint32_t signature, cpu; /* the number it was told */
        unsigned calls;
        pthread_mutex_t *lock; /* held while a section runs */
    } rseq;
    bool vfork_child;     /* a process of its own in its maker's memory, until it execs or exits */
    uint64_t clone_flags; /* that it was made with, and the signal at its end */
    struct linux_debug debug;
};

/* Whether the hooks of debug.h are to be called. */
static inline bool linux_debugged(const struct linux_thread *t)
{
    return t->process->gdb || t->debug.tracee.traced || t->debug.armed;
}

extern _Thread_local struct linux_thread *linux_self;

/* --- run.c ------------------------------------------------------------------------------------ */

/* Runs the thread's guest code for ever; leaves only through exit, exec or a signal. */
void linux_thread_loop(struct linux_thread *t) __attribute__((noreturn));
/* A CPU and a thread around it: registers zero, or those of `like`. Not in the list yet. */
struct linux_thread *linux_thread_new(struct linux_process *p, const struct linux_thread *like);
void linux_thread_free(struct linux_thread *t);
/* thread.c: in and out of process->threads. */
void linux_thread_add(struct linux_thread *t);
void linux_thread_remove(struct linux_thread *t);
/* Makes the thread look at its signals soon. Any thread, and host signal handlers. */
void linux_thread_kick(struct linux_thread *t);

/* --- access.c: guest memory from C. 0 or -EFAULT; nothing else is done by a fault. ------------ */

int linux_read(uint64_t from, void *to, size_t size_bytes);
int linux_write(uint64_t to, const void *from, size_t size_bytes);
/* A zero-terminated string: its length without the zero, -EFAULT, or -ENAMETOOLONG (it fills `to`).
 */
ssize_t linux_read_string(uint64_t from, char *to, size_t size_bytes);
/* For the host's SIGSEGV and SIGBUS handlers: if `pc` is in the copying code, where to go on. */
uintptr_t linux_access_fixup(uintptr_t pc);
/* An address without its tag (the top byte, which arm64 Linux ignores in user memory). */
static inline uint64_t linux_untag(uint64_t address)
{
    return (uint64_t)((int64_t)(address << 8) >> 8);
}
static inline void *linux_ptr(uint64_t address) /* to hand on to the kernel, never to touch */
{
    return (void *)(uintptr_t)linux_untag(address);
}

/* --- fault.c ---------------------------------------------------------------------------------- */

/* From the handlers of SIGSEGV, SIGBUS, SIGILL, SIGFPE: true where the fault came from guest code
 * or from C on its behalf; `context` then goes on where that is dealt with. False: a bug of ours.
 */
bool linux_fault_recover(struct linux_thread *t, const siginfo_t *info, void *context);

/* --- memory.c --------------------------------------------------------------------------------- */

int linux_memory_new(struct linux_process *p, struct err *e);
/* Whether guest code may run at this page. Any thread; takes no lock that a fork could hold. */
/* The whole range around `address` that is executable. */
bool linux_memory_code_range(const struct linux_process *p, uint64_t address, uint64_t *ret_start,
                             uint64_t *ret_end);
bool linux_memory_executable(const struct linux_process *p, uint64_t address);
/* Pages [start, end) were given new contents or rights: forgets translations. */
void linux_memory_changed(struct linux_process *p, uint64_t start, uint64_t end);

/* --- fds.c: descriptors of ours among the guest's --------------------------------------------- */

/* Takes over `fd`, moves it out of the guest's way, close-on-exec: its new number, or -errno. */
int linux_fd_keep(struct linux_process *p, int fd);
void linux_fd_drop(struct linux_process *p, int fd); /* closes one; any other number is a no-op */
/* Whether the guest must not touch it, as if it were not open: -EBADF. */
bool linux_fd_is_ours(const struct linux_process *p, uint64_t fd);

/* The guest's mappings in ascending order, joined where they touch: the first that ends behind
 * `from`. Any thread. */
bool linux_memory_next(const struct linux_process *p, uint64_t from, uint64_t *ret_start,
                       uint64_t *ret_end);
uint64_t linux_memory_brk(const struct linux_process *p);
/* Around fork: no other thread may be in the middle of changing the books. */
void linux_memory_lock(struct linux_process *p);
void linux_memory_unlock(struct linux_process *p);

/* --- loader.c, exec.c ------------------------------------------------------------------------- */

/* Maps the program and its interpreter, builds the stack, fills in p->layout and t's registers. */
int linux_load(struct linux_process *p, struct linux_thread *t, struct err *e);

/* --- procfs.c: what an arm64 process sees in /proc where that differs from the host's --------- */

/* sys_path.c asks with the path in hand, absolute or relative to `dirfd`, sysroot not applied.
 * Cheap where the path has nothing to do with /proc. */

/* True: an open of `path` (flags as the host has them) is dealt with, `ret_result` is a descriptor
 * or -errno. */
bool linux_proc_open(struct linux_thread *t, int dirfd, const char *path, int flags,
                     int64_t *ret_result);
/* The text of a link of /proc as the guest should read it (self/exe, PID/exe): its length, or 0
 * where the host's own answer is right. */
size_t linux_proc_readlink(struct linux_thread *t, int dirfd, const char *path, char *out,
                           size_t size_bytes);
/* True: whoever follows `path` (stat, access, exec, open of self/exe) goes to `out` instead. */
bool linux_proc_follow(struct linux_thread *t, int dirfd, const char *path, char *out,
                       size_t size_bytes);

/* --- signal.c --------------------------------------------------------------------------------- */

/* Installs the host handlers, takes over the mask and the ignored signals that exec left. */
int linux_signals_start(struct linux_process *p, struct linux_thread *t, struct err *e);
struct linux_signal_state *linux_signal_state_new(const struct linux_thread *like);
void linux_signal_state_free(struct linux_signal_state *s);
/* Delivers what is pending: builds a frame, or ends the process. Called between guest instructions,
 * with cpu state exact. */
void linux_signals_deliver(struct linux_thread *t);
/* A synchronous signal for the instruction at hand: delivered before anything else, never blocked
 * or ignored (it then kills). */
void linux_signal_force(struct linux_thread *t, int signal, int code, uint64_t address);
/* The same with everything that siginfo tells (SIGSYS of a seccomp filter, ptrace). */
void linux_signal_force_info(struct linux_thread *t, const siginfo_t *info);
/* A system call of the host: -errno, or -LINUX_ERESTART where a signal came first. The one way to
 * make a call that may block. */
int64_t linux_host_call(struct linux_thread *t, long number, uint64_t a0, uint64_t a1, uint64_t a2,
                        uint64_t a3, uint64_t a4, uint64_t a5);
/* For calls that wait under a mask of their own (ppoll, epoll_pwait ...): `mask` is the guest's
 * until the signals after this call are delivered, as with TIF_RESTORE_SIGMASK; returns what to
 * give to the host's call in its place. */
uint64_t linux_signal_mask_for_call(struct linux_thread *t, uint64_t mask);
/* The host's part of a mask of the guest's. */
static inline uint64_t linux_host_mask(uint64_t mask)
{
    return mask & ~LINUX_FAULT_SIGNALS;
}
/* Around execve: mask and ignored signals as the new program must find them; after, where it
 * failed. */
void linux_signals_before_exec(struct linux_thread *t);
void linux_signals_after_exec(struct linux_thread *t);
/* Ends the process as `signal` would, with a core file where one is due. */
void linux_die(struct linux_thread *t, int signal) __attribute__((noreturn));

/* --- rseq.c: restartable sequences ------------------------------------------------------------ */

/* After each system call of a thread with t->rseq.address. */
void linux_rseq_look(struct linux_thread *t);
/* For the fetch of code: `code` at `va` was read, a page or an instruction, at linux_rseq_turn() or
 * later; marks where sections start. */
void linux_rseq_fetched(struct linux_process *p, uint64_t va, void *code, size_t size_bytes,
                        uint64_t turn);
uint64_t linux_rseq_turn(struct linux_process *p);
/* What lies at some addresses has changed: pages are looked through anew. */
void linux_rseq_memory_changed(struct linux_process *p);
/* An undefined instruction at pc: true where it marked a section, which ran; cpu->trapped may be
 * set. */
bool linux_rseq_run(struct linux_thread *t);
/* Where pc is inside a section, moves it to the abort address: before a signal's frame. */
void linux_rseq_abort(struct linux_thread *t);
void linux_rseq_leave(struct linux_thread *t);    /* a fault ended linux_rseq_run() from outside */
void linux_rseq_barrier(struct linux_process *p); /* waits for sections that run now */
void linux_rseq_forked(struct linux_process *p);  /* in the child */

/* --- sys_uring.c ------------------------------------------------------------------------------ */

/* For mmap: `fd` was mapped from `offset` on at `address`; noted where it is a ring. */
void linux_uring_mapped(struct linux_process *p, int fd, uint64_t offset, uint64_t address);
void linux_uring_forked(struct linux_process *p); /* in the child */

/* --- syscall.c -------------------------------------------------------------------------------- */

/* A handler: arguments x0..x5; returns the result, -errno, or one of the codes above. */
typedef int64_t (*linux_call_fn)(struct linux_thread *t, const uint64_t a[6]);

struct linux_call {
    char name[24],
        arguments[56];   /* the words of syscalls.h; no addresses: each costs every start */
    int16_t host_number; /* -1: none */
    bool missing;        /* Linux has it, we do not */
};

#define LINUX_HANDLER_PASS(name)
#define LINUX_HANDLER_NONE(name)
#define LINUX_HANDLER_TODO(name)
#define LINUX_HANDLER_CALL(name)                     int64_t linux_sys_##name(struct linux_thread *, const uint64_t[6]);
#define LINUX_HANDLER(number, name, kind, arguments) LINUX_HANDLER_##kind(name)
LINUX_CALLS(LINUX_HANDLER)

/* The row of a call, NULL where there is none. */
const struct linux_call *linux_call_row(uint32_t number);
/* Executes the call in x8 and sets x0. pc is behind the SVC. */
void linux_syscall(struct linux_thread *t);

/* --- strace.c: every call on stderr, a line each. Called only where p->strace. ---------------- */

int linux_strace_new(struct linux_process *p, struct err *e);
void linux_strace_enter(struct linux_thread *t, const uint64_t a[6]); /* number in t->call */
void linux_strace_result(struct linux_thread *t, int64_t result);
/* The call at hand is about to end the thread or to replace the program: prints it now, with `= ?`.
 * Where it comes back after all, linux_strace_result() prints the rest. */
void linux_strace_leave(struct linux_thread *t);
void linux_strace_signal(struct linux_thread *t, const siginfo_t *info); /* as it is delivered */
void linux_strace_ended(struct linux_thread *t, int wait_status);        /* a thread's last line */
void linux_strace_line_free(struct linux_thread *t); /* for linux_thread_free() */

/* --- profile.c: --profile. Called only where p->profile, but for the first and the handler. ----
 */

int linux_profile_new(struct linux_process *p, struct err *e);
/* From the host's handler of SIGTRAP: true where it was a sample. */
bool linux_profile_handler(struct linux_thread *t, const siginfo_t *info, const void *context);
void linux_profile_forked(struct linux_process *p); /* in the child, which is p now */
void linux_profile_print(struct linux_process *p);  /* when the process ends */

/* --- stats.c: --stats. Called only where p->stats. -------------------------------------------- */

int linux_stats_new(struct linux_process *p, struct err *e);
void linux_stats_trap(struct linux_thread *t, unsigned exception_class); /* ESR_ELx.EC */
void linux_stats_request(struct linux_thread *t); /* the thread left the guest as it was asked to */
void linux_stats_print(struct linux_process *p);  /* when the process ends */

/* --- seccomp.c: filters that see arm64 calls -------------------------------------------------- */

/* Before a call, where t->seccomp: true where it may go on. Else `ret_result` is what to return
 * instead, and signals may be on their way. May not return (kill). */
bool linux_seccomp_allows(struct linux_thread *t, const uint64_t a[6], int64_t *ret_result);
/* clone, fork: the new thread starts with the filters of `like`. */
void linux_seccomp_inherit(struct linux_thread *t, const struct linux_thread *like);
void linux_seccomp_drop(struct linux_thread *t); /* for linux_thread_free() */
/* exec: a sealed memfd with the filters, to be read by the program that takes over; -ENOENT: there
 * are none. */
int linux_seccomp_save(struct linux_thread *t);
int linux_seccomp_load(struct linux_thread *t, int fd, struct err *e);
/* prctl(PR_SET_SECCOMP); and for PR_GET_SECCOMP and /proc/self/status: 0, 1 strict, 2 filters. */
int64_t linux_seccomp_set_mode(struct linux_thread *t, uint64_t mode, uint64_t filter);
unsigned linux_seccomp_mode(const struct linux_thread *t, unsigned *ret_filters);

#endif
