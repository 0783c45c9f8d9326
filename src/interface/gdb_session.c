/* gdb_session.c: the packets of GDB's remote protocol: each is given to the command that it begins
 * with, out of the tables of the files that gdb_session_int.h lists.
 *
 * Source: "Debugging with GDB", appendix E. Registers are numbered as the target description of the
 * architecture lists them (gdb_arch.h).
 *
 * Limit: all-stop only.
 */
#include <string.h>

#include "base/bytes.h"
#include "interface/gdb_session_int.h"

enum { SIGNAL_TRAP = 5 };

/* --- answers -----------------------------------------------------------------------------------
 */

void gdb_answer(struct gdb_session *s, const char *text)
{
    gdb_reply_text(&s->reply, "%s", text);
}

void gdb_answer_ok(struct gdb_session *s, bool ok)
{
    gdb_answer(s, ok ? "OK" : "E01");
}

/* Which watchpoint the stop was for, if for one. */
static void name_watchpoint(struct gdb_session *s)
{
    static const char *const names[] = {[2] = "watch", [3] = "rwatch", [4] = "awatch"};
    uint64_t va;
    if (!s->target.watched || !s->target.watched(s->target.ctx, s->stop_thread, &va))
        return;
    for (unsigned i = 0; i < s->breakpoint_count; i++) {
        const struct gdb_breakpoint *b = &s->breakpoints[i];
        if (b->kind && va - b->address < b->bytes) {
            gdb_reply_text(&s->reply, "%s:%llx;", names[b->kind], (unsigned long long)va);
            return;
        }
    }
}

void gdb_answer_stop(struct gdb_session *s)
{
    gdb_reply_text(&s->reply, "T%02xthread:%x;", s->stop_signal, s->stop_thread);
    name_watchpoint(s);
}

/* --- arguments ---------------------------------------------------------------------------------
 */

bool gdb_parse_range(const char **args, uint64_t *address, uint64_t *length, char end)
{
    if (!gdb_parse_hex(args, address) || *(*args)++ != ',' || !gdb_parse_hex(args, length))
        return false;
    return !end || *(*args)++ == end;
}

unsigned gdb_list_threads(const struct gdb_session *s, uint32_t threads[GDB_THREADS_MAX])
{
    return s->target.threads(s->target.ctx, threads, GDB_THREADS_MAX);
}

bool gdb_parse_thread(const struct gdb_session *s, const char **args, uint32_t *ret_thread)
{
    uint32_t threads[GDB_THREADS_MAX];
    uint64_t id = 0;
    if ((*args)[0] == '-' && (*args)[1] == '1')
        *args += 2;
    else if (!gdb_parse_hex(args, &id))
        return false;
    bool found = id == 0;
    for (unsigned i = 0, n = found ? 0 : gdb_list_threads(s, threads); i < n; i++)
        found |= threads[i] == id;
    *ret_thread = (uint32_t)id;
    return found;
}

/* --- packets -----------------------------------------------------------------------------------
 */

/* NULL: none, and then the answer is empty, "not supported". */
static const struct gdb_command *find_command(const char *packet, size_t *ret_length)
{
    static const struct gdb_command *const tables[] = {gdb_query_commands, gdb_run_commands,
                                                       gdb_data_commands};
    for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
        for (const struct gdb_command *c = tables[i]; c->name; c++) {
            *ret_length = strlen(c->name);
            if (strncmp(packet, c->name, *ret_length) == 0)
                return c;
        }
    return NULL;
}

static void run_packet(struct gdb_session *s, gdb_send_fn send, void *send_ctx)
{
    gdb_reply_begin(&s->reply);
    bool silent = false;
    size_t length;
    const struct gdb_command *command = find_command(s->reader.data, &length);
    if (command) {
        command->run(s, s->reader.data + length);
        silent = command->no_answer && s->running;
    }
    gdb_reply_finish(&s->reply);
    if (!silent)
        send(send_ctx, s->reply.data, s->reply.length);
    if (s->killed)
        s->target.kill(s->target.ctx);
}

void gdb_session_init(struct gdb_session *s, const struct gdb_target *target)
{
    memset(s, 0, sizeof *s);
    s->target = *target;
    s->stop_signal = SIGNAL_TRAP;
    target->threads(target->ctx, &s->thread, 1);
    s->stop_thread = s->thread;
    gdb_files_init(&s->files);
}

void gdb_session_done(struct gdb_session *s)
{
    gdb_files_done(&s->files);
}

void gdb_session_input(struct gdb_session *s, const uint8_t *bytes, size_t length, gdb_send_fn send,
                       void *send_ctx)
{
    for (size_t i = 0; i < length && !s->detached; i++) {
        switch (gdb_reader_byte(&s->reader, bytes[i])) {
        case GDB_INPUT_PACKET:
            if (!s->no_ack)
                send(send_ctx, "+", 1);
            if (!s->running) /* gdb only sends Ctrl-C while the target runs; anything else is noise
                              */
                run_packet(s, send, send_ctx);
            break;
        case GDB_INPUT_BAD:
            if (!s->no_ack)
                send(send_ctx, "-", 1);
            break;
        case GDB_INPUT_INTERRUPT:
            if (s->running)
                s->target.interrupt(s->target.ctx);
            break;
        case GDB_INPUT_RESEND:
            if (!s->no_ack && s->reply.length && !s->running)
                send(send_ctx, s->reply.data, s->reply.length);
            break;
        case GDB_INPUT_NONE:
            break;
        }
    }
}

void gdb_session_stopped(struct gdb_session *s, uint32_t thread, unsigned signal, gdb_send_fn send,
                         void *send_ctx)
{
    s->running = false;
    s->thread = s->stop_thread = thread;
    s->stop_signal = signal;
    gdb_reply_begin(&s->reply);
    gdb_answer_stop(s);
    gdb_reply_finish(&s->reply);
    send(send_ctx, s->reply.data, s->reply.length);
}

void gdb_session_exited(struct gdb_session *s, unsigned code, unsigned signal, gdb_send_fn send,
                        void *send_ctx)
{
    gdb_reply_begin(&s->reply);
    gdb_reply_text(&s->reply, "%c%02x", signal ? 'X' : 'W', (signal ? signal : code) & 0xff);
    gdb_reply_finish(&s->reply);
    send(send_ctx, s->reply.data, s->reply.length);
}
