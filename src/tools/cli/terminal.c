/* terminal.c: bytes between the guest's console and standard input and output.
 *
 * In raw mode every key goes to the guest, Ctrl-C too; Ctrl-] is the one that peng keeps. Input
 * that the guest's UART has no room for stays here, and standard input is left alone until the UART
 * asks for more, so that a paste of any length arrives whole.
 *
 * Putting the terminal back: terminal_free() on the ordinary way out; SIGINT, SIGTERM and the like
 * arrive through the event loop and take the ordinary way; for a crash of ours a signal handler
 * does it, which is what the one static variable here is for (a handler gets no context).
 */
#include "tools/cli/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <termios.h>
#include <unistd.h>

#include "base/bytes.h"

enum { ESCAPE_KEY = 0x1d /* Ctrl-] */, INPUT_BYTES = 4096 };

static const int crash_signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP};

/* The terminal's mode as it was, for the crash handler. */
static struct {
    volatile sig_atomic_t set;
    struct termios mode;
} saved;

struct terminal {
    struct evloop *loop; /* NULL: output only */
    int in, out;         /* in < 0: none */
    bool own_out;
    struct evsource *source; /* standard input, while it is watched */
    struct chardev_front front;
    struct terminal_actions actions;
    bool escaped; /* the last key was the escape key */
    bool raw;
    int lost; /* the errno since which output is thrown away: its reader is gone, its disk full */
    uint8_t pending[INPUT_BYTES];
    size_t pending_start, pending_end;
};

static void restore_mode(void)
{
    if (saved.set) {
        saved.set = 0;
        tcsetattr(STDIN_FILENO, TCSANOW, &saved.mode);
    }
}

static void on_crash(int signal_number)
{
    restore_mode();
    /* SA_RESETHAND: the default action ends the process with the right status. */
    raise(signal_number);
}

/* --- output ------------------------------------------------------------------------------------
 */

static void write_out(void *ctx, const void *data, size_t size_bytes)
{
    struct terminal *t = ctx;
    const uint8_t *p = data;
    while (size_bytes > 0 && !t->lost) {
        ssize_t n = write(t->out, p, size_bytes);
        if (n >= 0) {
            p += n;
            size_bytes -= (size_t)n;
        } else if (errno == EAGAIN) {
            poll(&(struct pollfd){t->out, POLLOUT, 0}, 1, -1);
        } else if (errno != EINTR) {
            t->lost = errno; /* the guest goes on */
        }
    }
}

/* --- input -------------------------------------------------------------------------------------
 */

static void attach(void *ctx, struct chardev_front front)
{
    ((struct terminal *)ctx)->front = front;
}

/* Gives the front what it takes; true where nothing is left. */
static bool deliver(struct terminal *t)
{
    while (t->pending_start < t->pending_end) {
        if (!t->front.receive)
            break;
        size_t n = t->front.receive(t->front.ctx, t->pending + t->pending_start,
                                    t->pending_end - t->pending_start);
        if (n == 0)
            return false;
        t->pending_start += n;
    }
    t->pending_start = t->pending_end = 0;
    return true;
}

/* Takes escape sequences out of the bytes just read. */
static size_t filter_escapes(struct terminal *t, uint8_t *data, size_t size)
{
    size_t kept = 0;
    for (size_t i = 0; i < size; i++) {
        uint8_t key = data[i];
        if (!t->escaped && key == ESCAPE_KEY) {
            t->escaped = true;
            continue;
        }
        bool command = t->escaped;
        t->escaped = false;
        if (command && (key == 'q' || key == 'x'))
            t->actions.quit(t->actions.ctx);
        else if (command && key == 'p')
            t->actions.power(t->actions.ctx);
        else if (!command || key == ESCAPE_KEY)
            data[kept++] = key;
    }
    return kept;
}

static void stop_input(struct terminal *t)
{
    evsource_remove(t->source);
    t->source = NULL;
}

static void on_input(void *ctx, uint32_t events)
{
    struct terminal *t = ctx;
    if (t->pending_end > t->pending_start) { /* a hang-up is told even while we watch for nothing */
        stop_input(t);
        return;
    }
    ssize_t n = read(t->in, t->pending, sizeof(t->pending));
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n <= 0) { /* end of input: the guest runs on without */
        stop_input(t);
        return;
    }
    t->pending_start = 0;
    t->pending_end = t->raw ? filter_escapes(t, t->pending, (size_t)n) : (size_t)n;
    if (!deliver(t))
        evsource_modify(t->source, 0);
}

static void try_again(void *ctx)
{
    struct terminal *t = ctx;
    if (deliver(t) && t->source)
        evsource_modify(t->source, EPOLLIN);
}

static void resume(void *ctx)
{
    struct terminal *t = ctx;
    if (t->loop)
        evloop_post(t->loop, try_again, t);
}

/* --- life --------------------------------------------------------------------------------------
 */

static struct terminal *terminal_alloc(void)
{
    struct terminal *t = calloc(1, sizeof(*t));
    if (!t)
        abort();
    t->in = -1;
    return t;
}

int terminal_new_stdio(struct evloop *loop, struct terminal **ret_terminal, struct err *e)
{
    struct terminal *t = terminal_alloc();
    t->loop = loop;
    t->in = STDIN_FILENO;
    t->out = STDOUT_FILENO;
    *ret_terminal = t;
    return 0;
}

int terminal_new_file(const char *path, struct terminal **ret_terminal, struct err *e)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return err_set_errno(e, errno, "--console %s", path);
    struct terminal *t = terminal_alloc();
    t->out = fd;
    t->own_out = true;
    *ret_terminal = t;
    return 0;
}

int terminal_lost(const struct terminal *t)
{
    return t->lost;
}

void terminal_free(struct terminal *t)
{
    if (!t)
        return;
    stop_input(t);
    if (t->raw) {
        restore_mode();
        for (size_t i = 0; i < ARRAY_SIZE(crash_signals); i++)
            signal(crash_signals[i], SIG_DFL);
    }
    if (t->own_out)
        close(t->out);
    free(t);
}

struct chardev terminal_chardev(struct terminal *t)
{
    return (struct chardev){.ctx = t, .write = write_out, .attach = attach, .resume = resume};
}

static int enter_raw_mode(struct terminal *t, struct err *e)
{
    if (tcgetattr(t->in, &saved.mode) < 0)
        return err_set_errno(e, errno, "cannot read the terminal's mode");
    saved.set = 1;
    t->raw = true;
    struct sigaction action = {.sa_handler = on_crash, .sa_flags = SA_RESETHAND | SA_NODEFER};
    for (size_t i = 0; i < ARRAY_SIZE(crash_signals); i++)
        sigaction(crash_signals[i], &action, NULL);
    struct termios raw = saved.mode;
    cfmakeraw(&raw);
    raw.c_oflag |= OPOST | (saved.mode.c_oflag & ONLCR); /* our own messages still break lines */
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    if (tcsetattr(t->in, TCSANOW, &raw) < 0)
        return err_set_errno(e, errno, "cannot set the terminal's mode");
    fprintf(stderr, "peng: Ctrl-] q ends the machine, Ctrl-] p presses its power key, "
                    "Ctrl-] Ctrl-] types Ctrl-]\n");
    return 0;
}

int terminal_start(struct terminal *t, struct terminal_actions actions, struct err *e)
{
    t->actions = actions;
    if (t->in < 0)
        return 0;
    int rc = isatty(t->in) ? enter_raw_mode(t, e) : 0;
    if (rc < 0)
        return rc;
    rc = evloop_add(t->loop, t->in, EPOLLIN, on_input, t, &t->source, e);
    /* A regular file or /dev/null cannot be waited for (EPERM): there is no input then. */
    return rc == -EPERM ? 0 : rc;
}
