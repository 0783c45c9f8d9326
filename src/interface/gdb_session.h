/* gdb_session.h: GDB's remote protocol without a socket: packets of one debugger against a target.
 *
 * A target is threads with numbers of its own: the vCPUs of a machine (gdb_machine.h), numbered
 * from 1, or the threads of a process (gdb_user.h). All-stop mode: while the debugger looks, none
 * runs.
 */
#ifndef PENG_INTERFACE_GDB_SESSION_H
#define PENG_INTERFACE_GDB_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "interface/gdb_arch.h"
#include "interface/gdb_file.h"
#include "interface/gdb_packet.h"

/* What a thread is to do: the first of a list that names it or all counts. */
struct gdb_action {
    uint32_t thread; /* 0: all */
    bool step;
    unsigned signal; /* to give it, in gdb's numbers; 0: none */
};

enum { GDB_ACTIONS_MAX = 64, GDB_THREADS_MAX = 1024, GDB_PASS_WORDS = 4 };

/* What a session does things to. Only called while the target is stopped, but for interrupt().
 * Those marked so may be NULL. */
struct gdb_target {
    void *ctx;
    const struct gdb_arch *arch;
    bool spawned; /* ends with the debugger, unless that detaches */
    /* Numbers of the threads there are, at most `max`, at least one. */
    unsigned (*threads)(void *ctx, uint32_t *ret_threads, unsigned max);
    void (*name)(void *ctx, uint32_t thread, char *text, size_t size_bytes);
    bool (*read_reg)(void *ctx, uint32_t thread, unsigned number, void *value);
    bool (*write_reg)(void *ctx, uint32_t thread, unsigned number, const void *value);
    /* Virtual memory as `thread` sees it. False where any byte is unmapped. */
    bool (*memory)(void *ctx, uint32_t thread, uint64_t va, void *data, size_t bytes, bool write);
    bool (*breakpoint)(void *ctx, uint64_t va, bool set);
    /* Watchpoints: accesses to `bytes` at va, of gdb's kinds 2 (write), 3 (read) and 4 (either).
     * False: the target has none such. And whether the thread's last stop was for one, and where it
     * is. May be NULL. */
    bool (*watchpoint)(void *ctx, unsigned kind, uint64_t va, uint64_t bytes, bool set);
    bool (*watched)(void *ctx, uint32_t thread, uint64_t *ret_va);
    /* Lets threads run as the actions say; those that none names stay. */
    void (*resume)(void *ctx, const struct gdb_action *actions, unsigned count);
    void (*interrupt)(void *ctx); /* ask a running target to stop */
    void (*kill)(void *ctx);
    /* Part of an object of qXfer: up to *size_bytes from `offset`; sets how many there were. False:
     * there is none of that name and annex. May be NULL. */
    bool (*object)(void *ctx, const char *name, const char *annex, uint64_t offset, void *data,
                   size_t *size_bytes);
    const char *objects; /* features to announce: "qXfer:auxv:read+;..."; with object() */
    /* Opens a file of the target's to read, as it names it: the descriptor or -errno. May be NULL.
     */
    int (*open)(void *ctx, const char *path);
    /* Signals, a bit each by gdb's numbers, that are passed on without a stop. May be NULL. */
    void (*pass_signals)(void *ctx, const uint64_t signals[GDB_PASS_WORDS]);
};

enum { GDB_BREAKPOINTS_MAX = 256 };

/* Breakpoint or watchpoint, as the packets Z and z have it. */
struct gdb_breakpoint {
    uint8_t kind; /* 0 breakpoint; 2, 3, 4 watchpoint */
    uint64_t address, bytes;
};

struct gdb_session {
    struct gdb_target target;
    struct gdb_reader reader;
    struct gdb_reply reply; /* the last one, kept for gdb_session_resend() */
    uint32_t thread;        /* that registers and memory are those of */
    uint32_t stop_thread;   /* that the last stop was of */
    unsigned stop_signal;
    bool running, no_ack, detached, killed;
    unsigned next_listed; /* of qsThreadInfo */
    struct gdb_files files;
    struct gdb_breakpoint breakpoints[GDB_BREAKPOINTS_MAX];
    unsigned breakpoint_count;
};

/* Where answers go; called with whole frames and with single acknowledgement bytes. */
typedef void (*gdb_send_fn)(void *ctx, const char *bytes, size_t length);

/* The target is stopped. */
void gdb_session_init(struct gdb_session *s, const struct gdb_target *target);
/* Closes what the debugger left open. */
void gdb_session_done(struct gdb_session *s);
void gdb_session_input(struct gdb_session *s, const uint8_t *bytes, size_t length, gdb_send_fn send,
                       void *send_ctx);
/* The target has stopped by `signal` (gdb's numbers: 5 SIGTRAP, 2 SIGINT); tells gdb. */
void gdb_session_stopped(struct gdb_session *s, uint32_t thread, unsigned signal, gdb_send_fn send,
                         void *send_ctx);
/* The target is gone: it exited with `code`, or, where it is not 0, by `signal`. */
void gdb_session_exited(struct gdb_session *s, unsigned code, unsigned signal, gdb_send_fn send,
                        void *send_ctx);
/* Takes all of the session's breakpoints out of the target (which is stopped). */
void gdb_session_remove_breakpoints(struct gdb_session *s);

#endif
