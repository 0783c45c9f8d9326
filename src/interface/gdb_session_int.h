/* gdb_session_int.h: between the files of a session: the commands, by what they are about.
 *
 *   gdb_session.c   packets in, answers out; what answers are written with
 *   gdb_data.c      registers, memory, breakpoints
 *   gdb_run.c       continue, step, detach, kill
 *   gdb_query.c     threads, and what debugger and target can do
 */
#ifndef PENG_INTERFACE_GDB_SESSION_INT_H
#define PENG_INTERFACE_GDB_SESSION_INT_H

#include "interface/gdb_session.h"

struct gdb_command {
    const char *name; /* a packet begins with it; NULL ends a table */
    void (*run)(struct gdb_session *s, const char *args); /* no answer: "not supported" */
    bool no_answer;                                       /* the answer is the next stop */
};

/* Longer names before those that they begin with. */
extern const struct gdb_command gdb_data_commands[], gdb_run_commands[], gdb_query_commands[];

void gdb_answer(struct gdb_session *s, const char *text);
void gdb_answer_ok(struct gdb_session *s, bool ok); /* or E01 */
void gdb_answer_stop(struct gdb_session *s);

/* "address,length" and, with `end`, that byte behind it. */
bool gdb_parse_range(const char **args, uint64_t *address, uint64_t *length, char end);
/* A thread id: a number, or -1 for all and 0 for any, both told as 0. False where there is none of
 * that number. */
bool gdb_parse_thread(const struct gdb_session *s, const char **args, uint32_t *ret_thread);
unsigned gdb_list_threads(const struct gdb_session *s, uint32_t threads[GDB_THREADS_MAX]);

#endif
