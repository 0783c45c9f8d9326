/* gdb_data.c: the debugger's commands about registers, memory and breakpoints.
 *
 * Limits: hardware and software breakpoints are one kind, the target's; where a target has no
 * watchpoints gdb steps instead.
 */
#include "base/bytes.h"
#include "interface/gdb_session_int.h"

enum { MEMORY_MAX = GDB_PACKET_MAX / 2 - 16, PAGE_BYTES = 4096 };

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
    gdb_answer_ok(s, ok);
}

static void read_one(struct gdb_session *s, const char *args)
{
    uint64_t number;
    uint8_t value[GDB_REG_BYTES_MAX];
    if (gdb_parse_hex(&args, &number) && number < s->target.arch->reg_count &&
        s->target.read_reg(s->target.ctx, s->thread, (unsigned)number, value))
        gdb_reply_hex(&s->reply, value, s->target.arch->reg_size((unsigned)number));
    else
        gdb_answer_ok(s, false);
}

static void write_one(struct gdb_session *s, const char *args)
{
    uint64_t number;
    uint8_t value[GDB_REG_BYTES_MAX];
    gdb_answer_ok(
        s, gdb_parse_hex(&args, &number) && number < s->target.arch->reg_count && *args++ == '=' &&
               gdb_parse_bytes(&args, value, s->target.arch->reg_size((unsigned)number)) &&
               s->target.write_reg(s->target.ctx, s->thread, (unsigned)number, value));
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
    if (!gdb_parse_range(&args, &address, &length, 0)) {
        gdb_answer_ok(s, false);
        return;
    }
    length = length < MEMORY_MAX ? length : MEMORY_MAX;
    size_t done = access_memory(s, address, data, length, false);
    if (done || length == 0)
        gdb_reply_hex(&s->reply, data, done);
    else
        gdb_answer(s, "E0e"); /* EFAULT */
}

static void write_memory(struct gdb_session *s, const char *args)
{
    uint64_t address, length;
    uint8_t data[MEMORY_MAX];
    gdb_answer_ok(s, gdb_parse_range(&args, &address, &length, ':') && length <= MEMORY_MAX &&
                         gdb_parse_bytes(&args, data, length) &&
                         access_memory(s, address, data, length, true) == length);
}

static void write_memory_binary(struct gdb_session *s, const char *args)
{
    uint64_t address, length;
    bool ok = gdb_parse_range(&args, &address, &length, ':') &&
              length <= s->reader.length - (size_t)(args - s->reader.data);
    if (ok)
        ok = access_memory(s, address, (uint8_t *)(uintptr_t)args, length, true) == length;
    gdb_answer_ok(s, ok);
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
    if (*args++ != ',' || !gdb_parse_range(&args, &b.address, &b.bytes, 0)) {
        gdb_answer_ok(s, false);
        return;
    }
    unsigned i = find_breakpoint(s, &b);
    bool known = i < s->breakpoint_count;
    if (known == set) { /* gdb may say it twice */
        gdb_answer_ok(s, true);
        return;
    }
    if ((set && s->breakpoint_count == GDB_BREAKPOINTS_MAX) || !set_in_target(s, &b, set)) {
        gdb_answer_ok(s, false);
        return;
    }
    if (set)
        s->breakpoints[s->breakpoint_count++] = b;
    else
        s->breakpoints[i] = s->breakpoints[--s->breakpoint_count];
    gdb_answer_ok(s, true);
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

const struct gdb_command gdb_data_commands[] = {
    {"g", read_all, false},
    {"G", write_all, false},
    {"p", read_one, false},
    {"P", write_one, false},
    {"m", read_memory, false},
    {"M", write_memory, false},
    {"X", write_memory_binary, false},
    {"Z", insert_breakpoint, false},
    {"z", remove_breakpoint, false},
    {0},
};
