/* strace.c: prints every system call on standard error, a line each, as strace -f does:
 *
 *   4711  openat(AT_FDCWD, "/etc/passwd", O_RDONLY|O_CLOEXEC) = 3
 *   4711  read(3, "root:x:0:0:root:/root:/bin/bash\nd"..., 4096) = 1042
 *   4711  --- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0x8} ---
 *   4711  +++ killed by SIGSEGV (core dumped) +++
 *
 * The thread's number stands before each line, as one file may serve a whole tree of processes. The
 * arguments are printed by the words of the call's row in syscalls.h: those that are inputs before
 * the call, as it may change what they point to, and from the first output on behind it. The line
 * is written when the call has returned, in one piece (strace_int.h), so that lines never mix; a
 * call that does not return (exit, exec) is written before it. A call that still waits is therefore
 * not to be seen yet; if a signal ends the process there, linux_strace_ended() prints it with
 * `<unfinished ...>`.
 *
 * The lines go to the file that was standard error at the start, whatever the guest does with 2,
 * and so do those of the arm64 programs that it execs.
 *
 * Limits: no filters (strace -e); what is cut is cut at fixed sizes (strace_int.h); where the lines
 * go to a pipe that nobody reads any more, the guest gets SIGPIPE.
 */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/errors.h"
#include "core/linux/strace_int.h"

enum { POLLED_MAX = 1 << 16 }; /* descriptors looked at for those that are ready */

struct linux_strace {
    int fd;
};

struct linux_strace_line {
    const struct linux_thread *owner; /* a vfork child starts with its parent's pointer */
    struct strace_text text;
    struct strace_call call;
    char unknown[32];  /* the name of a call that has none */
    const char *words; /* of the arguments not yet printed */
    unsigned index;    /* of the next argument */
    bool open;         /* the call has begun and its line is not written */
    pid_t tid;         /* whose call it is: a fork's child gets it with its parent's memory */
};

int linux_strace_new(struct linux_process *p, struct err *e)
{
    struct linux_strace *strace = calloc(1, sizeof *strace);
    if (!strace)
        return err_set_errno(e, ENOMEM, "--strace");
    strace->fd = p->report_fd;
    p->strace = strace;
    return 0;
}

/* The line in one write(); a terminal or pipe that is full and does not block is waited for. */
static void put_line(struct linux_thread *t, struct strace_text *s)
{
    static const char cut[] = "...";
    int fd = t->process->strace->fd, saved = errno;
    if (s->used >= sizeof s->text - 1)
        memcpy(s->text + sizeof s->text - sizeof cut - 1, cut, sizeof cut - 1);
    s->used = s->used < sizeof s->text - 1 ? s->used : sizeof s->text - 2;
    s->text[s->used++] = '\n';
    for (size_t done = 0; done < s->used;) {
        ssize_t n = write(fd, s->text + done, s->used - done);
        struct pollfd wait = {.fd = fd, .events = POLLOUT};
        if (n >= 0)
            done += (size_t)n;
        else if (errno == EAGAIN)
            poll(&wait, 1, -1);
        else if (errno != EINTR)
            break;
    }
    s->used = 0;
    errno = saved;
}

static struct linux_strace_line *line_of(struct linux_thread *t)
{
    if (!t->line || t->line->owner != t) {
        t->line = calloc(1, sizeof *t->line);
        if (!t->line)
            abort();
        t->line->owner = t;
    }
    return t->line;
}

void linux_strace_line_free(struct linux_thread *t)
{
    if (t->line && t->line->owner == t)
        free(t->line);
    t->line = NULL;
}

static void start_line(struct linux_thread *t, struct strace_text *s)
{
    s->used = 0;
    strace_add(s, "%d  ", t->tid);
}

/* Prints arguments: before the call up to the first output, after it the rest. */
static void add_arguments(struct linux_strace_line *line)
{
    const char *word;
    for (const char *next = line->words;; line->words = next) {
        size_t length = strace_word_next(&next, &word);
        if (!length || word[0] == '=')
            break;
        const struct strace_word *found = strace_word_find(word, length);
        bool output = word[length - 1] == '>';
        assert(line->index < ARRAY_SIZE(line->call.a));
        if (output && !line->call.done)
            break;
        size_t before = line->text.used;
        strace_add(&line->text, line->index ? ", " : "");
        size_t start = line->text.used;
        if (!found || (output && line->call.result < 0 && strncmp(word, "option", 6) != 0))
            strace_pointer(&line->text, line->call.a[line->index]);
        else
            strace_argument(&line->call, found, line->index);
        if (line->text.used == start) /* not there in this form of the call */
            line->text.used = before;
        line->index++;
    }
}

void linux_strace_enter(struct linux_thread *t, const uint64_t a[6])
{
    struct linux_strace_line *line = line_of(t);
    const struct linux_call *row = linux_call_row((uint32_t)t->call);
    start_line(t, &line->text);
    snprintf(line->unknown, sizeof line->unknown, "syscall_%#lx", t->call);
    line->call = (struct strace_call){.out = &line->text, .name = row ? row->name : line->unknown};
    memcpy(line->call.a, a, sizeof line->call.a);
    line->words = row ? row->arguments : "hex hex hex hex hex hex";
    line->index = 0;
    line->open = true;
    line->tid = t->tid;
    strace_add(&line->text, "%s(", line->call.name);
    add_arguments(line);
    if (strstr(line->words, "=never"))
        linux_strace_leave(t);
}

/* --- results ------------------------------------------------------------------------------------
 */

static void add_error(struct strace_text *s, int64_t result)
{
    const char *name = error_name((int)-result);
    if (result == -LINUX_ERESTART)
        strace_add(s, "? ERESTARTSYS (To be restarted if SA_RESTART is set)");
    else if (name)
        strace_add(s, "-1 %s (%s)", name, error_text((int)-result));
    else
        strace_add(s, "-1 errno %ld", -result);
}

/* Descriptors that poll found ready: ([{fd=3, revents=POLLIN}]). */
static void add_ready(const struct linux_strace_line *line, struct strace_text *s)
{
    const struct strace_call *c = &line->call;
    struct {
        int32_t fd;
        int16_t events, revents;
    } at;
    const char *between = " ([";
    int64_t left = c->result < STRACE_ITEMS_MAX ? c->result : STRACE_ITEMS_MAX;
    for (unsigned i = 0; left > 0 && i < (uint32_t)c->a[1] && i < POLLED_MAX; i++) {
        if (linux_read(c->a[0] + i * sizeof at, &at, sizeof at) < 0)
            break;
        if (!at.revents)
            continue;
        strace_add(s, "%s{fd=%d, revents=", between, at.fd);
        strace_names(s, strace_poll_events, (uint16_t)at.revents);
        strace_add(s, "}");
        between = ", ";
        left--;
    }
    strace_add(s, between[0] == ',' ? "])" : "");
}

static void add_selected(const struct linux_strace_line *line, struct strace_text *s)
{
    static const char *const names[] = {"in", "out", "except"};
    const struct strace_word *set = strace_word_find("fdset", 5);
    const char *between = " (";
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        if (!line->call.a[i + 1])
            continue;
        strace_add(s, "%s%s ", between, names[i]);
        strace_argument(&line->call, set, i + 1);
        between = ", ";
    }
    strace_add(s, between[0] == ',' ? ")" : "");
}

/* `word` says how: empty for a number. */
static void add_result(struct linux_strace_line *line, const char *word)
{
    struct strace_text *s = &line->text;
    int64_t result = line->call.result;
    struct strace_call as_argument = {.out = s, .name = "", .a = {(uint64_t)result}, .done = true};
    bool poll = strcmp(word, "poll") == 0, select = strcmp(word, "select") == 0;
    if (result < 0 && result > -4096) {
        add_error(s, result);
    } else if (poll || select || !word[0]) {
        strace_add(s, "%ld", result);
        if ((poll || select) && result == 0)
            strace_add(s, " (Timeout)");
        else if (poll)
            add_ready(line, s);
        else if (select)
            add_selected(line, s);
    } else {
        const struct strace_word *found = strace_word_find(word, strlen(word));
        assert(found);
        if (found->names) /* the number too: it is what scripts look for */
            strace_add(s, "%#lx (", result);
        strace_argument(&as_argument, found, 0);
        strace_add(s, found->names ? ")" : "");
    }
}

void linux_strace_result(struct linux_thread *t, int64_t result)
{
    struct linux_strace_line *line = line_of(t);
    const char *word;
    if (line->tid != t->tid) {
        line->open = false;
        return;
    }
    if (!line->open) { /* written by linux_strace_leave(), and yet it came back */
        start_line(t, &line->text);
        strace_add(&line->text, "<... %s resumed>", line->call.name);
        line->words = "";
    }
    line->open = false;
    line->call.result = result;
    line->call.done = true;
    add_arguments(line);
    strace_add(&line->text, ") = ");
    size_t length = strace_word_next(&line->words, &word);
    if (strcmp(line->call.name, "fcntl") == 0) {
        const struct strace_option *option =
            strace_option_find(strace_fcntls, (uint32_t)line->call.a[1]);
        word = option && option->words[0] == '=' ? option->words : "";
        length = strlen(word);
    }
    if (result == -LINUX_NO_RESULT)
        strace_add(&line->text, "?");
    else
        add_result(line, length ? word + 1 : "");
    put_line(t, &line->text);
}

void linux_strace_leave(struct linux_thread *t)
{
    struct linux_strace_line *line = line_of(t);
    if (!line->open)
        return;
    line->open = false;
    strace_add(&line->text, ") = ?");
    put_line(t, &line->text);
}

/* --- signals and ends ---------------------------------------------------------------------------
 */

void linux_strace_signal(struct linux_thread *t, const siginfo_t *info)
{
    struct strace_text text;
    start_line(t, &text);
    strace_add(&text, "--- ");
    strace_signal_name(&text, (uint64_t)info->si_signo);
    strace_add(&text, " ");
    strace_siginfo(&text, info);
    strace_add(&text, " ---");
    put_line(t, &text);
}

void linux_strace_ended(struct linux_thread *t, int wait_status)
{
    struct linux_strace_line *line = line_of(t);
    struct strace_text text;
    if (line->open) {
        line->open = false;
        strace_add(&line->text, " <unfinished ...>");
        put_line(t, &line->text);
    }
    start_line(t, &text);
    if (WIFEXITED(wait_status)) {
        strace_add(&text, "+++ exited with %d +++", WEXITSTATUS(wait_status));
    } else {
        strace_add(&text, "+++ killed by ");
        strace_signal_name(&text, (uint64_t)WTERMSIG(wait_status));
        strace_add(&text, WCOREDUMP(wait_status) ? " (core dumped) +++" : " +++");
    }
    put_line(t, &text);
}
