/* gdb_session.c: the commands of GDB's remote protocol, as a table by their first letters.
 *
 * Source: "Debugging with GDB", appendix E. Registers are numbered as the target description of the
 * architecture lists them (gdb_arch.h).
 *
 * Limits: all-stop only; hardware and software breakpoints are one kind (the target's); where a
 * target has no watchpoints gdb steps instead.
 */
#include "interface/gdb_session.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

enum { SIGNAL_TRAP = 5, MEMORY_MAX = GDB_PACKET_MAX / 2 - 16, PAGE_BYTES = 4096 };

/* --- answers -----------------------------------------------------------------------------------
 */

static void answer(struct gdb_session *s, const char *text)
{
    gdb_reply_text(&s->reply, "%s", text);
}

static void answer_ok(struct gdb_session *s, bool ok)
{
    answer(s, ok ? "OK" : "E01");
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

static void answer_stop(struct gdb_session *s)
{
    gdb_reply_text(&s->reply, "T%02xthread:%x;", s->stop_signal, s->stop_thread);
    name_watchpoint(s);
}

/* --- registers and memory ----------------------------------------------------------------------
 */

static void read_all(struct gdb_session *s, const char *args)
{
    (void)args;
    for (unsigned r = 0; r < s->target.arch->reg_count; r++) {
        uint8_t value[GDB_REG_BYTES_MAX] = {0};
        s->target.read_reg(s->target.ctx, s->thread, r, value);
        gdb_reply_hex(&s->reply, value, s->target.arch->reg_size(r));
    }
}

static void write_all(struct gdb_session *s, const char *args)
{
    uint8_t value[GDB_REG_BYTES_MAX];
    bool ok = true;
    for (unsigned r = 0; r < s->target.arch->reg_count && ok && *args; r++) {
        ok = gdb_parse_bytes(&args, value, s->target.arch->reg_size(r)) &&
             s->target.write_reg(s->target.ctx, s->thread, r, value);
    }
    answer_ok(s, ok);
}

static void read_one(struct gdb_session *s, const char *args)
{
    uint64_t number;
    uint8_t value[GDB_REG_BYTES_MAX];
    if (gdb_parse_hex(&args, &number) && number < s->target.arch->reg_count &&
        s->target.read_reg(s->target.ctx, s->thread, (unsigned)number, value))
        gdb_reply_hex(&s->reply, value, s->target.arch->reg_size((unsigned)number));
    else
        answer_ok(s, false);
}

static void write_one(struct gdb_session *s, const char *args)
{
    uint64_t number;
    uint8_t value[GDB_REG_BYTES_MAX];
    answer_ok(s, gdb_parse_hex(&args, &number) && number < s->target.arch->reg_count &&
                     *args++ == '=' &&
                     gdb_parse_bytes(&args, value, s->target.arch->reg_size((unsigned)number)) &&
                     s->target.write_reg(s->target.ctx, s->thread, (unsigned)number, value));
}

/* "address,length" and, with `end`, that byte behind it. */
static bool parse_range(const char **args, uint64_t *address, uint64_t *length, char end)
{
    if (!gdb_parse_hex(args, address) || *(*args)++ != ',' || !gdb_parse_hex(args, length))
        return false;
    return !end || *(*args)++ == end;
}

/* Page by page; returns how many bytes were done before the first unmapped one. */
static size_t access_memory(struct gdb_session *s, uint64_t address, uint8_t *data, size_t length,
                            bool write)
{
    size_t done = 0;
    while (done < length) {
        size_t part = PAGE_BYTES - (address + done) % PAGE_BYTES;
        part = part < length - done ? part : length - done;
        if (!s->target.memory(s->target.ctx, s->thread, address + done, data + done, part, write))
            break;
        done += part;
    }
    return done;
}

static void read_memory(struct gdb_session *s, const char *args)
{
    uint64_t address, length;
    uint8_t data[MEMORY_MAX];
    if (!parse_range(&args, &address, &length, 0)) {
        answer_ok(s, false);
        return;
    }
    length = length < MEMORY_MAX ? length : MEMORY_MAX;
    size_t done = access_memory(s, address, data, length, false);
    if (done || length == 0)
        gdb_reply_hex(&s->reply, data, done);
    else
        answer(s, "E0e"); /* EFAULT */
}

static void write_memory(struct gdb_session *s, const char *args)
{
    uint64_t address, length;
    uint8_t data[MEMORY_MAX];
    answer_ok(s, parse_range(&args, &address, &length, ':') && length <= MEMORY_MAX &&
                     gdb_parse_bytes(&args, data, length) &&
                     access_memory(s, address, data, length, true) == length);
}

static void write_memory_binary(struct gdb_session *s, const char *args)
{
    uint64_t address, length;
    bool ok = parse_range(&args, &address, &length, ':') &&
              length <= s->reader.length - (size_t)(args - s->reader.data);
    if (ok)
        ok = access_memory(s, address, (uint8_t *)(uintptr_t)args, length, true) == length;
    answer_ok(s, ok);
}

/* --- breakpoints -------------------------------------------------------------------------------
 */

static unsigned find_breakpoint(const struct gdb_session *s, const struct gdb_breakpoint *b)
{
    unsigned i = 0;
    while (i < s->breakpoint_count &&
           (s->breakpoints[i].kind != b->kind || s->breakpoints[i].address != b->address ||
            (b->kind && s->breakpoints[i].bytes != b->bytes)))
        i++;
    return i;
}

static bool set_in_target(struct gdb_session *s, const struct gdb_breakpoint *b, bool set)
{
    if (!b->kind)
        return s->target.breakpoint(s->target.ctx, b->address, set);
    return s->target.watchpoint(s->target.ctx, b->kind, b->address, b->bytes, set);
}

static void change_breakpoint(struct gdb_session *s, const char *args, bool set)
{
    struct gdb_breakpoint b = {0};
    char type = *args++;
    if (type < '0' || type > '4' || (type > '1' && !s->target.watchpoint))
        return; /* an empty answer means "not supported" */
    b.kind = type > '1' ? (uint8_t)(type - '0') : 0;
    if (*args++ != ',' || !parse_range(&args, &b.address, &b.bytes, 0)) {
        answer_ok(s, false);
        return;
    }
    unsigned i = find_breakpoint(s, &b);
    bool known = i < s->breakpoint_count;
    if (known == set) { /* gdb may say it twice */
        answer_ok(s, true);
        return;
    }
    if ((set && s->breakpoint_count == GDB_BREAKPOINTS_MAX) || !set_in_target(s, &b, set)) {
        answer_ok(s, false);
        return;
    }
    if (set)
        s->breakpoints[s->breakpoint_count++] = b;
    else
        s->breakpoints[i] = s->breakpoints[--s->breakpoint_count];
    answer_ok(s, true);
}

static void insert_breakpoint(struct gdb_session *s, const char *args)
{
    change_breakpoint(s, args, true);
}

static void remove_breakpoint(struct gdb_session *s, const char *args)
{
    change_breakpoint(s, args, false);
}

void gdb_session_remove_breakpoints(struct gdb_session *s)
{
    for (; s->breakpoint_count; s->breakpoint_count--)
        set_in_target(s, &s->breakpoints[s->breakpoint_count - 1], false);
}

/* --- running -----------------------------------------------------------------------------------
 */

static void go(struct gdb_session *s, const struct gdb_action *actions, unsigned count)
{
    s->running = true;
    s->target.resume(s->target.ctx, actions, count);
}

/* The thread that the session looks at as told, all others just go on. */
static void go_one(struct gdb_session *s, bool step, unsigned signal)
{
    const struct gdb_action actions[] = {{s->thread, step, signal}, {0, false, 0}};
    go(s, actions, ARRAY_SIZE(actions));
}

/* c, s: an address to go on at may follow. */
static void go_on(struct gdb_session *s, const char *args, bool step)
{
    uint64_t address;
    if (gdb_parse_hex(&args, &address))
        s->target.write_reg(s->target.ctx, s->thread, s->target.arch->pc, &address);
    go_one(s, step, 0);
}

static void continue_all(struct gdb_session *s, const char *args)
{
    go_on(s, args, false);
}

static void step_one(struct gdb_session *s, const char *args)
{
    go_on(s, args, true);
}

/* C, S: a signal, and then as above behind a semicolon. */
static void go_on_with(struct gdb_session *s, const char *args, bool step)
{
    uint64_t signal, address;
    if (!gdb_parse_hex(&args, &signal)) {
        answer_ok(s, false);
        return;
    }
    if (*args == ';' && args++ && gdb_parse_hex(&args, &address))
        s->target.write_reg(s->target.ctx, s->thread, s->target.arch->pc, &address);
    go_one(s, step, (unsigned)signal);
}

static void continue_signal(struct gdb_session *s, const char *args)
{
    go_on_with(s, args, false);
}

static void step_signal(struct gdb_session *s, const char *args)
{
    go_on_with(s, args, true);
}

static unsigned list(const struct gdb_session *s, uint32_t threads[GDB_THREADS_MAX])
{
    return s->target.threads(s->target.ctx, threads, GDB_THREADS_MAX);
}

/* A thread id: a number, or -1 for all and 0 for any, both told as 0. False where there is none of
 * that number. */
static bool parse_thread(const struct gdb_session *s, const char **args, uint32_t *ret_thread)
{
    uint32_t threads[GDB_THREADS_MAX];
    uint64_t id = 0;
    if ((*args)[0] == '-' && (*args)[1] == '1')
        *args += 2;
    else if (!gdb_parse_hex(args, &id))
        return false;
    bool found = id == 0;
    for (unsigned i = 0, n = found ? 0 : list(s, threads); i < n; i++)
        found |= threads[i] == id;
    *ret_thread = (uint32_t)id;
    return found;
}

/* vCont;ACTION[:THREAD]... */
static bool parse_action(const struct gdb_session *s, const char **args, struct gdb_action *ret)
{
    char kind = (*args)[0];
    uint64_t signal = 0;
    if (!kind || !strchr("cCsS", kind))
        return false;
    ++*args;
    if ((kind == 'C' || kind == 'S') && !gdb_parse_hex(args, &signal))
        return false;
    *ret = (struct gdb_action){0, kind == 's' || kind == 'S', (unsigned)signal};
    return **args != ':' || (++*args && parse_thread(s, args, &ret->thread));
}

static void continue_actions(struct gdb_session *s, const char *args)
{
    struct gdb_action actions[GDB_ACTIONS_MAX];
    unsigned count = 0;
    for (; *args == ';'; count++) {
        args++;
        if (count == GDB_ACTIONS_MAX || !parse_action(s, &args, &actions[count])) {
            answer_ok(s, false);
            return;
        }
    }
    go(s, actions, count);
}

static void go_all(struct gdb_session *s)
{
    const struct gdb_action all = {0, false, 0};
    go(s, &all, 1);
}

static void detach(struct gdb_session *s, const char *args)
{
    (void)args;
    gdb_session_remove_breakpoints(s);
    s->detached = true;
    answer_ok(s, true);
    go_all(s);
}

static void kill_target(struct gdb_session *s, const char *args)
{
    (void)args;
    gdb_session_remove_breakpoints(s);
    s->detached = true;
    s->killed = true; /* once the answer is sent */
    answer_ok(s, true);
}

/* --- threads and queries -----------------------------------------------------------------------
 */

static void stop_reason(struct gdb_session *s, const char *args)
{
    (void)args;
    answer_stop(s);
}

static void select_thread(struct gdb_session *s, const char *args)
{
    uint32_t thread;
    char what = *args;
    if (what)
        args++;
    if ((what != 'g' && what != 'c') || !parse_thread(s, &args, &thread)) {
        answer_ok(s, false);
        return;
    }
    if (thread)
        s->thread = thread;
    answer_ok(s, true);
}

static void thread_alive(struct gdb_session *s, const char *args)
{
    uint32_t thread;
    answer_ok(s, parse_thread(s, &args, &thread) && thread);
}

static void more_threads(struct gdb_session *s, const char *args)
{
    (void)args;
    uint32_t threads[GDB_THREADS_MAX];
    unsigned count = list(s, threads);
    if (s->next_listed >= count) {
        answer(s, "l");
        return;
    }
    answer(s, "m");
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
    if (!parse_thread(s, &args, &thread) || !thread) {
        answer_ok(s, false);
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
        answer(s, ";QPassSignals+");
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
    answer_ok(s, true);
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
    if (*args++ != ':' || !parse_range(&args, &offset, &length, 0)) {
        answer(s, "E01");
        return;
    }
    length = length < sizeof data ? length : sizeof data;
    size_t size = length;
    bool found =
        strcmp(name, "features") == 0
            ? strcmp(annex, "target.xml") == 0 && description_part(s, offset, data, &size)
            : s->target.object && s->target.object(s->target.ctx, name, annex, offset, data, &size);
    if (!found) {
        answer(s, "E00");
        return;
    }
    answer(s, size == length && size ? "m" : "l");
    gdb_reply_binary(&s->reply, data, size);
}

static void no_ack_mode(struct gdb_session *s, const char *args)
{
    (void)args;
    s->no_ack = true;
    answer_ok(s, true);
}

static void attached(struct gdb_session *s, const char *args)
{
    (void)args;
    answer(s, s->target.spawned ? "0" : "1"); /* 1: detach, do not kill, when gdb quits */
}

static void file_command(struct gdb_session *s, const char *args)
{
    if (s->target.open)
        gdb_file_command(&s->files, s->target.open, s->target.ctx, args, &s->reply);
}

static void vcont_query(struct gdb_session *s, const char *args)
{
    (void)args;
    answer(s, "vCont;c;C;s;S");
}

/* Longer names before those that they begin with. No entry matches: an empty answer, "not
 * supported". */
static const struct {
    const char *name;
    void (*run)(struct gdb_session *s, const char *args);
    bool no_answer; /* the answer is the next stop */
} commands[] = {
    {"qSupported", supported, false},
    {"qXfer:", transfer, false},
    {"qfThreadInfo", first_threads, false},
    {"qsThreadInfo", more_threads, false},
    {"qThreadExtraInfo,", thread_name, false},
    {"qAttached", attached, false},
    {"qC", current_thread, false},
    {"QStartNoAckMode", no_ack_mode, false},
    {"vCont?", vcont_query, false},
    {"vCont", continue_actions, true},
    {"vKill", kill_target, false},
    {"vFile:", file_command, false},
    {"QPassSignals:", pass_signals, false},
    {"?", stop_reason, false},
    {"g", read_all, false},
    {"G", write_all, false},
    {"p", read_one, false},
    {"P", write_one, false},
    {"m", read_memory, false},
    {"M", write_memory, false},
    {"X", write_memory_binary, false},
    {"Z", insert_breakpoint, false},
    {"z", remove_breakpoint, false},
    {"c", continue_all, true},
    {"s", step_one, true},
    {"C", continue_signal, true},
    {"S", step_signal, true},
    {"H", select_thread, false},
    {"T", thread_alive, false},
    {"D", detach, false},
    {"k", kill_target, false},
};

static void run_packet(struct gdb_session *s, gdb_send_fn send, void *send_ctx)
{
    gdb_reply_begin(&s->reply);
    bool silent = false;
    for (unsigned i = 0; i < ARRAY_SIZE(commands); i++) {
        size_t length = strlen(commands[i].name);
        if (strncmp(s->reader.data, commands[i].name, length) != 0)
            continue;
        commands[i].run(s, s->reader.data + length);
        silent = commands[i].no_answer && s->running;
        break;
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
    answer_stop(s);
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
