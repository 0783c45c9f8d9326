/* log.h: messages to the operator's log; a context, not a global, so that two machines can differ.
 */
#ifndef PENG_BASE_LOG_H
#define PENG_BASE_LOG_H

#include <stdio.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

struct log {
    FILE *out; /* borrowed; NULL drops everything */
    enum log_level level;
    const char *prefix; /* borrowed, may be NULL */
};

/* One line, "prefix: level: text\n". `log` may be NULL. Safe from any thread. */
void log_print(const struct log *log, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define log_error(log, ...) log_print(log, LOG_ERROR, __VA_ARGS__)
#define log_warn(log, ...)  log_print(log, LOG_WARN, __VA_ARGS__)
#define log_info(log, ...)  log_print(log, LOG_INFO, __VA_ARGS__)
#define log_debug(log, ...) log_print(log, LOG_DEBUG, __VA_ARGS__)

#endif
