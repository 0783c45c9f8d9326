/* err.h: one error value, owned by the caller, filled by whoever fails first.
 *
 * A function that can fail for the operator's or a file's reason takes `struct err *e` last,
 * returns 0 (or a count) on success and a negative errno on failure. `e` may be NULL. Callers add
 * context in front with err_prefix(). Only src/tools prints it.
 */
#ifndef PENG_BASE_ERR_H
#define PENG_BASE_ERR_H

#include <stdarg.h>

enum { ERR_TEXT_SIZE = 320 };

struct err {
    int code; /* negative errno */
    char text[ERR_TEXT_SIZE];
};

/* Fills `e` (if not NULL) and returns `code` as a negative errno, whichever sign it came with. */
int err_set(struct err *e, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* As err_set, with ": strerror(code)" behind the text. */
int err_set_errno(struct err *e, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "text: " in front of what `e` says; returns e->code, or -EIO where `e` is NULL. */
int err_prefix(struct err *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
