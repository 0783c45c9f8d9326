/* gdb_run.c: the debugger's commands that let the target go: all of it, or some threads and not
 * others.
 */
#include <string.h>

#include "base/bytes.h"
#include "interface/gdb_session_int.h"

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
        gdb_answer_ok(s, false);
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
    return **args != ':' || (++*args && gdb_parse_thread(s, args, &ret->thread));
}

static void continue_actions(struct gdb_session *s, const char *args)
{
    struct gdb_action actions[GDB_ACTIONS_MAX];
    unsigned count = 0;
    for (; *args == ';'; count++) {
        args++;
        if (count == GDB_ACTIONS_MAX || !parse_action(s, &args, &actions[count])) {
            gdb_answer_ok(s, false);
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
    gdb_answer_ok(s, true);
    go_all(s);
}

static void kill_target(struct gdb_session *s, const char *args)
{
    (void)args;
    gdb_session_remove_breakpoints(s);
    s->detached = true;
    s->killed = true; /* once the answer is sent */
    gdb_answer_ok(s, true);
}

static void vcont_query(struct gdb_session *s, const char *args)
{
    (void)args;
    gdb_answer(s, "vCont;c;C;s;S");
}

const struct gdb_command gdb_run_commands[] = {
    {"vCont?", vcont_query, false}, {"vCont", continue_actions, true},
    {"vKill", kill_target, false},  {"c", continue_all, true},
    {"s", step_one, true},          {"C", continue_signal, true},
    {"S", step_signal, true},       {"D", detach, false},
    {"k", kill_target, false},      {0},
};
