/* gdb_session.c: the commands of GDB's remote protocol, as a table by their first letters.
 *
 * Source: "Debugging with GDB", appendix E. The target description names the features that gdb
 * knows for aarch64 (org.gnu.gdb.aarch64.core and .fpu), so that registers are read by gdb's own
 * numbers.
 *
 * Limits: all-stop only; hardware and software breakpoints are one kind (the engine's); no
 * watchpoints, and no system registers.
 */
#include "interface/gdb_session.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

enum { SIGNAL_TRAP = 5, MEMORY_MAX = GDB_PACKET_MAX / 2 - 16, PAGE_BYTES = 4096 };

static const char target_xml_head[] =
    "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\"><target version=\"1.0\">"
    "<architecture>aarch64</architecture><feature name=\"org.gnu.gdb.aarch64.core\">";
static const char target_xml_fpu[] =
    "</feature><feature name=\"org.gnu.gdb.aarch64.fpu\">"
    "<vector id=\"v2d\" type=\"ieee_double\" count=\"2\"/>"
    "<vector id=\"v2u\" type=\"uint64\" count=\"2\"/>"
    "<vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/>"
    "<vector id=\"v4u\" type=\"uint32\" count=\"4\"/>"
    "<vector id=\"v8u\" type=\"uint16\" count=\"8\"/>"
    "<vector id=\"v16u\" type=\"uint8\" count=\"16\"/>"
    "<union id=\"vnd\"><field name=\"f\" type=\"v2d\"/><field name=\"u\" type=\"v2u\"/></union>"
    "<union id=\"vns\"><field name=\"f\" type=\"v4f\"/><field name=\"u\" type=\"v4u\"/></union>"
    "<union id=\"vnh\"><field name=\"u\" type=\"v8u\"/></union>"
    "<union id=\"vnb\"><field name=\"u\" type=\"v16u\"/></union>"
    "<union id=\"vnq\"><field name=\"u\" type=\"uint128\"/></union>"
    "<union id=\"aarch64v\"><field name=\"d\" type=\"vnd\"/><field name=\"s\" type=\"vns\"/>"
    "<field name=\"h\" type=\"vnh\"/><field name=\"b\" type=\"vnb\"/>"
    "<field name=\"q\" type=\"vnq\"/></union>";
static const char target_xml_tail[] = "<reg name=\"fpsr\" bitsize=\"32\"/>"
                                      "<reg name=\"fpcr\" bitsize=\"32\"/></feature></target>";

size_t gdb_reg_size(unsigned number)
{
    if (number == GDB_REG_CPSR || number >= GDB_REG_FPSR)
        return 4;
    return number >= GDB_REG_V0 ? 16 : 8;
}

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

static void answer_stop(struct gdb_session *s)
{
    gdb_reply_text(&s->reply, "T%02xthread:%x;", s->stop_signal, s->stop_cpu + 1);
}

/* --- registers and memory ----------------------------------------------------------------------
 */

static void read_all(struct gdb_session *s, const char *args)
{
    (void)args;
    for (unsigned r = 0; r < GDB_REG_COUNT; r++) {
        uint8_t value[16] = {0};
        s->target.read_reg(s->target.ctx, s->cpu, r, value);
        gdb_reply_hex(&s->reply, value, gdb_reg_size(r));
    }
}

static void write_all(struct gdb_session *s, const char *args)
{
    uint8_t value[16];
    bool ok = true;
    for (unsigned r = 0; r < GDB_REG_COUNT && ok && *args; r++) {
        ok = gdb_parse_bytes(&args, value, gdb_reg_size(r)) &&
             s->target.write_reg(s->target.ctx, s->cpu, r, value);
    }
    answer_ok(s, ok);
}

static void read_one(struct gdb_session *s, const char *args)
{
    uint64_t number;
    uint8_t value[16];
    if (gdb_parse_hex(&args, &number) && number < GDB_REG_COUNT &&
        s->target.read_reg(s->target.ctx, s->cpu, (unsigned)number, value))
        gdb_reply_hex(&s->reply, value, gdb_reg_size((unsigned)number));
    else
        answer_ok(s, false);
}

static void write_one(struct gdb_session *s, const char *args)
{
    uint64_t number;
    uint8_t value[16];
    answer_ok(s, gdb_parse_hex(&args, &number) && number < GDB_REG_COUNT && *args++ == '=' &&
                     gdb_parse_bytes(&args, value, gdb_reg_size((unsigned)number)) &&
                     s->target.write_reg(s->target.ctx, s->cpu, (unsigned)number, value));
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
        if (!s->target.memory(s->target.ctx, s->cpu, address + done, data + done, part, write))
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

static unsigned find_breakpoint(const struct gdb_session *s, uint64_t address)
{
    unsigned i = 0;
    while (i < s->breakpoint_count && s->breakpoints[i] != address)
        i++;
    return i;
}

static void change_breakpoint(struct gdb_session *s, const char *args, bool set)
{
    uint64_t address, kind;
    char type = *args++;
    if (type != '0' && type != '1')
        return; /* watchpoints: an empty answer means "not supported" */
    if (*args++ != ',' || !parse_range(&args, &address, &kind, 0)) {
        answer_ok(s, false);
        return;
    }
    unsigned i = find_breakpoint(s, address);
    bool known = i < s->breakpoint_count;
    if (known == set) { /* gdb may say it twice */
        answer_ok(s, true);
        return;
    }
    if ((set && s->breakpoint_count == GDB_BREAKPOINTS_MAX) ||
        !s->target.breakpoint(s->target.ctx, address, set)) {
        answer_ok(s, false);
        return;
    }
    if (set)
        s->breakpoints[s->breakpoint_count++] = address;
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
        s->target.breakpoint(s->target.ctx, s->breakpoints[s->breakpoint_count - 1], false);
}

/* --- running -----------------------------------------------------------------------------------
 */

static void go(struct gdb_session *s, uint64_t stepping)
{
    s->running = true;
    s->target.resume(s->target.ctx, stepping);
}

/* c, s, C, S: an address to go on at may follow a continue or a step. */
static void go_on(struct gdb_session *s, const char *args, uint64_t stepping)
{
    uint64_t address;
    if (gdb_parse_hex(&args, &address))
        s->target.write_reg(s->target.ctx, s->cpu, GDB_REG_PC, &address);
    go(s, stepping);
}

static void continue_all(struct gdb_session *s, const char *args)
{
    go_on(s, args, 0);
}

static void step_one(struct gdb_session *s, const char *args)
{
    go_on(s, args, 1ull << s->cpu);
}

static void continue_signal(struct gdb_session *s, const char *args)
{
    (void)args; /* signals mean nothing to a machine */
    go(s, 0);
}

static void step_signal(struct gdb_session *s, const char *args)
{
    (void)args;
    go(s, 1ull << s->cpu);
}

/* A thread id: a number, or -1 for all and 0 for any. False where it is none of our vCPUs. */
static bool parse_thread(const struct gdb_session *s, const char **args, int *ret_cpu)
{
    uint64_t id;
    if ((*args)[0] == '-' && (*args)[1] == '1') {
        *args += 2;
        *ret_cpu = -1;
        return true;
    }
    if (!gdb_parse_hex(args, &id) || id > s->target.cpus)
        return false;
    *ret_cpu = (int)id - 1;
    return true;
}

/* vCont;ACTION[:THREAD]...: what is named to step steps, everything else goes on. */
static void continue_actions(struct gdb_session *s, const char *args)
{
    uint64_t stepping = 0;
    while (*args == ';') {
        char action = args[1];
        uint64_t signal;
        int cpu = -1;
        if (action != 'c' && action != 'C' && action != 's' && action != 'S') {
            answer_ok(s, false);
            return;
        }
        args += 2;
        if ((action == 'C' || action == 'S') && !gdb_parse_hex(&args, &signal)) {
            answer_ok(s, false);
            return;
        }
        if (*args == ':') {
            args++;
            if (!parse_thread(s, &args, &cpu)) {
                answer_ok(s, false);
                return;
            }
        }
        if (action == 's' || action == 'S')
            stepping |= 1ull << (cpu < 0 ? s->cpu : (unsigned)cpu);
    }
    go(s, stepping);
}

static void detach(struct gdb_session *s, const char *args)
{
    (void)args;
    gdb_session_remove_breakpoints(s);
    s->detached = true;
    answer_ok(s, true);
    go(s, 0);
}

static void kill_target(struct gdb_session *s, const char *args)
{
    (void)args;
    gdb_session_remove_breakpoints(s);
    s->detached = true;
    answer_ok(s, true);
    s->target.kill(s->target.ctx);
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
    int cpu;
    char what = *args;
    if (what)
        args++;
    if ((what != 'g' && what != 'c') || !parse_thread(s, &args, &cpu)) {
        answer_ok(s, false);
        return;
    }
    if (cpu >= 0)
        s->cpu = (unsigned)cpu;
    answer_ok(s, true);
}

static void thread_alive(struct gdb_session *s, const char *args)
{
    int cpu;
    answer_ok(s, parse_thread(s, &args, &cpu) && cpu >= 0);
}

static void list_threads(struct gdb_session *s)
{
    if (s->next_listed == s->target.cpus) {
        answer(s, "l");
        return;
    }
    answer(s, "m");
    for (unsigned i = 0; i < 64 && s->next_listed < s->target.cpus; i++, s->next_listed++)
        gdb_reply_text(&s->reply, "%s%x", i ? "," : "", s->next_listed + 1);
}

static void first_threads(struct gdb_session *s, const char *args)
{
    (void)args;
    s->next_listed = 0;
    list_threads(s);
}

static void more_threads(struct gdb_session *s, const char *args)
{
    (void)args;
    list_threads(s);
}

static void thread_name(struct gdb_session *s, const char *args)
{
    char text[16];
    int cpu;
    if (!parse_thread(s, &args, &cpu) || cpu < 0) {
        answer_ok(s, false);
        return;
    }
    int length = snprintf(text, sizeof text, "vcpu%d", cpu);
    gdb_reply_hex(&s->reply, text, (size_t)length);
}

static void current_thread(struct gdb_session *s, const char *args)
{
    (void)args;
    gdb_reply_text(&s->reply, "QC%x", s->cpu + 1);
}

static void supported(struct gdb_session *s, const char *args)
{
    (void)args;
    gdb_reply_text(&s->reply, "PacketSize=%x;qXfer:features:read+;QStartNoAckMode+;vContSupported+",
                   GDB_PACKET_MAX);
}

static size_t write_target_xml(char *out, size_t size)
{
    size_t n = (size_t)snprintf(out, size, "%s", target_xml_head);
    for (unsigned i = 0; i < 31; i++)
        n += (size_t)snprintf(out + n, size - n, "<reg name=\"x%u\" bitsize=\"64\"/>", i);
    n += (size_t)snprintf(out + n, size - n,
                          "<reg name=\"sp\" bitsize=\"64\" type=\"data_ptr\"/>"
                          "<reg name=\"pc\" bitsize=\"64\" type=\"code_ptr\"/>"
                          "<reg name=\"cpsr\" bitsize=\"32\"/>%s",
                          target_xml_fpu);
    for (unsigned i = 0; i < 32; i++)
        n += (size_t)snprintf(out + n, size - n,
                              "<reg name=\"v%u\" bitsize=\"128\" type=\"aarch64v\"/>", i);
    return n + (size_t)snprintf(out + n, size - n, "%s", target_xml_tail);
}

static void target_description(struct gdb_session *s, const char *args)
{
    char xml[8192];
    uint64_t offset, length, size = write_target_xml(xml, sizeof xml);
    if (strncmp(args, "target.xml:", 11) != 0) {
        answer(s, "E00");
        return;
    }
    args += 11;
    if (!parse_range(&args, &offset, &length, 0)) {
        answer(s, "E01");
        return;
    }
    offset = offset < size ? offset : size;
    length = length < GDB_PACKET_MAX / 2 ? length : GDB_PACKET_MAX / 2;
    length = length < size - offset ? length : size - offset;
    answer(s, offset + length < size ? "m" : "l");
    gdb_reply_binary(&s->reply, xml + offset, length);
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
    answer(s, "1"); /* detach, do not kill, when gdb quits */
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
    {"qXfer:features:read:", target_description, false},
    {"qfThreadInfo", first_threads, false},
    {"qsThreadInfo", more_threads, false},
    {"qThreadExtraInfo,", thread_name, false},
    {"qAttached", attached, false},
    {"qC", current_thread, false},
    {"QStartNoAckMode", no_ack_mode, false},
    {"vCont?", vcont_query, false},
    {"vCont", continue_actions, true},
    {"vKill", kill_target, false},
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
}

void gdb_session_init(struct gdb_session *s, const struct gdb_target *target)
{
    memset(s, 0, sizeof *s);
    s->target = *target;
    s->stop_signal = SIGNAL_TRAP;
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

void gdb_session_stopped(struct gdb_session *s, unsigned cpu, unsigned signal, gdb_send_fn send,
                         void *send_ctx)
{
    s->running = false;
    s->cpu = s->stop_cpu = cpu;
    s->stop_signal = signal;
    gdb_reply_begin(&s->reply);
    answer_stop(s);
    gdb_reply_finish(&s->reply);
    send(send_ctx, s->reply.data, s->reply.length);
}

void gdb_session_exited(struct gdb_session *s, unsigned code, gdb_send_fn send, void *send_ctx)
{
    gdb_reply_begin(&s->reply);
    gdb_reply_text(&s->reply, "W%02x", code & 0xff);
    gdb_reply_finish(&s->reply);
    send(send_ctx, s->reply.data, s->reply.length);
}
