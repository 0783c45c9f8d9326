/* gdb_session.h: GDB's remote protocol without a socket: packets of one debugger against a target.
 *
 * Threads are vCPUs, numbered from 1. All-stop mode: while the debugger looks, no vCPU runs.
 */
#ifndef PENG_INTERFACE_GDB_SESSION_H
#define PENG_INTERFACE_GDB_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "interface/gdb_packet.h"

/* Registers by gdb's numbers for the features of the target description. */
enum {
    GDB_REG_X0 = 0, /* to x30 */
    GDB_REG_SP = 31,
    GDB_REG_PC = 32,
    GDB_REG_CPSR = 33,
    GDB_REG_V0 = 34, /* to v31 */
    GDB_REG_FPSR = 66,
    GDB_REG_FPCR = 67,
    GDB_REG_COUNT = 68,
};

/* Size of register `number` in bytes: 8, 16 or 4. */
size_t gdb_reg_size(unsigned number);

/* What a session does things to. Only called while the target is stopped, but for interrupt(). */
struct gdb_target {
    void *ctx;
    unsigned cpus;
    bool (*read_reg)(void *ctx, unsigned cpu, unsigned number, void *value);
    bool (*write_reg)(void *ctx, unsigned cpu, unsigned number, const void *value);
    /* Virtual memory as `cpu` sees it. False where any byte is unmapped. */
    bool (*memory)(void *ctx, unsigned cpu, uint64_t va, void *data, size_t bytes, bool write);
    bool (*breakpoint)(void *ctx, uint64_t va, bool set);
    /* Lets all vCPUs run; those with a bit in `stepping` for one instruction. */
    void (*resume)(void *ctx, uint64_t stepping);
    void (*interrupt)(void *ctx); /* ask a running target to stop */
    void (*kill)(void *ctx);
};

enum { GDB_BREAKPOINTS_MAX = 256 };

struct gdb_session {
    struct gdb_target target;
    struct gdb_reader reader;
    struct gdb_reply reply; /* the last one, kept for gdb_session_resend() */
    unsigned cpu;           /* that registers and memory are those of */
    unsigned stop_cpu;      /* that the last stop was of */
    unsigned stop_signal;
    bool running, no_ack, detached;
    unsigned next_listed; /* of qsThreadInfo */
    uint64_t breakpoints[GDB_BREAKPOINTS_MAX];
    unsigned breakpoint_count;
};

/* Where answers go; called with whole frames and with single acknowledgement bytes. */
typedef void (*gdb_send_fn)(void *ctx, const char *bytes, size_t length);

/* The target is stopped, by `signal` (GDB's numbers: 5 SIGTRAP, 2 SIGINT) on `cpu`. */
void gdb_session_init(struct gdb_session *s, const struct gdb_target *target);
void gdb_session_input(struct gdb_session *s, const uint8_t *bytes, size_t length, gdb_send_fn send,
                       void *send_ctx);
/* The target has stopped; tells gdb. */
void gdb_session_stopped(struct gdb_session *s, unsigned cpu, unsigned signal, gdb_send_fn send,
                         void *send_ctx);
/* The machine is gone. */
void gdb_session_exited(struct gdb_session *s, unsigned code, gdb_send_fn send, void *send_ctx);
/* Takes all of the session's breakpoints out of the target (which is stopped). */
void gdb_session_remove_breakpoints(struct gdb_session *s);

#endif
