/* terminal.h: the guest's console on this process's terminal, or on a file. */
#ifndef PENG_TOOLS_CLI_TERMINAL_H
#define PENG_TOOLS_CLI_TERMINAL_H

#include "base/err.h"
#include "base/evloop.h"
#include "core/device/chardev.h"

struct terminal;

/* What the escape key asks for; called on the I/O thread. */
struct terminal_actions {
    void *ctx;
    void (*quit)(void *ctx);
    void (*power)(void *ctx);
};

/* Standard input and output. A terminal on standard input goes into raw mode at terminal_start()
 * and is put back by terminal_free(), and by every signal that ends the process but SIGKILL. One at
 * a time in a process. */
int terminal_new_stdio(struct evloop *loop, struct terminal **ret_terminal, struct err *e);
/* Output to a file, which is made or cut to nothing; no input. */
int terminal_new_file(const char *path, struct terminal **ret_terminal, struct err *e);
void terminal_free(struct terminal *terminal); /* the loop no longer runs; NULL is a no-op */

/* 0, or the errno since which output is thrown away. */
int terminal_lost(const struct terminal *terminal);

struct chardev terminal_chardev(struct terminal *terminal);

/* Raw mode, the hint about the escape key on standard error, and input from here on. Before the
 * loop runs. */
int terminal_start(struct terminal *terminal, struct terminal_actions actions, struct err *e);

#endif
