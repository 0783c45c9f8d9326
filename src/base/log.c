/* log.c: formats a whole line first and writes it with one call, so lines of threads never mix. */
#include "base/log.h"

#include <stdarg.h>

void log_print(const struct log *log, enum log_level level, const char *format, ...)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    if (!log || !log->out || level > log->level)
        return;
    char line[1024];
    int used = snprintf(line, sizeof(line), "%s%s%s: ", log->prefix ? log->prefix : "",
                        log->prefix ? ": " : "", names[level]);
    va_list args;
    va_start(args, format);
    int more = vsnprintf(line + used, sizeof(line) - (size_t)used, format, args);
    va_end(args);
    if (more < 0)
        return;
    fprintf(log->out, "%s\n", line);
}
