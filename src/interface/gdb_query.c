/* gdb_query.c: the debugger's commands about threads, and what each side tells the other that it
 * can do or wants: features, the target's description, signals to pass, files.
 */
#include <stdio.h>
#include <string.h>

#include "interface/gdb_session_int.h"

static void stop_reason(struct gdb_session *s, const char *args)
{
    (void)args;
    gdb_answer_stop(s);
}

static void select_thread(struct gdb_session *s, const char *args)
{
    uint32_t thread;
    char what = *args;
    if (what)
        args++;
    if ((what != 'g' && what != 'c') || !gdb_parse_thread(s, &args, &thread)) {
        gdb_answer_ok(s, false);
        return;
    }
    if (thread)
        s->thread = thread;
    gdb_answer_ok(s, true);
}

static void thread_alive(struct gdb_session *s, const char *args)
{
    uint32_t thread;
    gdb_answer_ok(s, gdb_parse_thread(s, &args, &thread) && thread);
}

static void more_threads(struct gdb_session *s, const char *args)
{
    (void)args;
    uint32_t threads[GDB_THREADS_MAX];
    unsigned count = gdb_list_threads(s, threads);
    if (s->next_listed >= count) {
        gdb_answer(s, "l");
        return;
    }
    gdb_answer(s, "m");
    for (unsigned i = 0; i < 64 && s->next_listed < count; i++, s->next_listed++)
        gdb_reply_text(&s->reply, "%s%x", i ? "," : "", threads[s->next_listed]);
}

static void first_threads(struct gdb_session *s, const char *args)
{
    s->next_listed = 0;
    more_threads(s, args);
}

static void thread_name(struct gdb_session *s, const char *args)
{
    char text[64] = "";
    uint32_t thread;
    if (!gdb_parse_thread(s, &args, &thread) || !thread) {
        gdb_answer_ok(s, false);
        return;
    }
    s->target.name(s->target.ctx, thread, text, sizeof(text));
    gdb_reply_hex(&s->reply, text, strlen(text));
}

static void current_thread(struct gdb_session *s, const char *args)
{
    (void)args;
    gdb_reply_text(&s->reply, "QC%x", s->thread);
}

static void supported(struct gdb_session *s, const char *args)
{
    (void)args;
    gdb_reply_text(&s->reply, "PacketSize=%x;qXfer:features:read+;QStartNoAckMode+;vContSupported+",
                   GDB_PACKET_MAX);
    if (s->target.objects)
        gdb_reply_text(&s->reply, ";%s", s->target.objects);
    if (s->target.pass_signals)
        gdb_answer(s, ";QPassSignals+");
}

/* QPassSignals:N;N;...: those and no others from now on. */
static void pass_signals(struct gdb_session *s, const char *args)
{
    uint64_t signals[GDB_PASS_WORDS] = {0}, signal;
    if (!s->target.pass_signals)
        return;
    for (; gdb_parse_hex(&args, &signal); args += *args == ';')
        if (signal < 64 * GDB_PASS_WORDS)
            signals[signal / 64] |= 1ull << signal % 64;
    s->target.pass_signals(s->target.ctx, signals);
    gdb_answer_ok(s, true);
}

static bool description_part(const struct gdb_session *s, uint64_t offset, void *data,
                             size_t *size_bytes)
{
    char xml[GDB_XML_BYTES_MAX];
    uint64_t size = s->target.arch->write_xml(xml);
    offset = offset < size ? offset : size;
    *size_bytes = *size_bytes < size - offset ? *size_bytes : size - offset;
    memcpy(data, xml + offset, *size_bytes);
    return true;
}

/* qXfer:OBJECT:read:ANNEX:OFFSET,LENGTH. Less than was asked for is the end. */
static void transfer(struct gdb_session *s, const char *args)
{
    char name[32], annex[128], data[GDB_PACKET_MAX / 2];
    uint64_t offset, length;
    int used = -1;
    if (sscanf(args, "%31[^:]:read:%127[^:]%n", name, annex, &used) < 2 || used < 0) {
        annex[0] = 0;
        if (sscanf(args, "%31[^:]:read:%n", name, &used) < 1 || used < 0)
            return;
    }
    args += used;
    if (*args++ != ':' || !gdb_parse_range(&args, &offset, &length, 0)) {
        gdb_answer(s, "E01");
        return;
    }
    length = length < sizeof data ? length : sizeof data;
    size_t size = length;
    bool found =
        strcmp(name, "features") == 0
            ? strcmp(annex, "target.xml") == 0 && description_part(s, offset, data, &size)
            : s->target.object && s->target.object(s->target.ctx, name, annex, offset, data, &size);
    if (!found) {
        gdb_answer(s, "E00");
        return;
    }
    gdb_answer(s, size == length && size ? "m" : "l");
    gdb_reply_binary(&s->reply, data, size);
}

static void no_ack_mode(struct gdb_session *s, const char *args)
{
    (void)args;
    s->no_ack = true;
    gdb_answer_ok(s, true);
}

static void attached(struct gdb_session *s, const char *args)
{
    (void)args;
    gdb_answer(s, s->target.spawned ? "0" : "1"); /* 1: detach, do not kill, when gdb quits */
}

static void file_command(struct gdb_session *s, const char *args)
{
    if (s->target.open)
        gdb_file_command(&s->files, s->target.open, s->target.ctx, args, &s->reply);
}

const struct gdb_command gdb_query_commands[] = {
    {"qSupported", supported, false},
    {"qXfer:", transfer, false},
    {"qfThreadInfo", first_threads, false},
    {"qsThreadInfo", more_threads, false},
    {"qThreadExtraInfo,", thread_name, false},
    {"qAttached", attached, false},
    {"qC", current_thread, false},
    {"QStartNoAckMode", no_ack_mode, false},
    {"QPassSignals:", pass_signals, false},
    {"vFile:", file_command, false},
    {"?", stop_reason, false},
    {"H", select_thread, false},
    {"T", thread_alive, false},
    {0},
};
