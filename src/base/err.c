/* err.c: formatting into the fixed-size error value; text that does not fit is cut, never grown. */
#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/errors.h"

static int negative(int code)
{
    return code > 0 ? -code : code;
}

int err_set(struct err *e, int code, const char *format, ...)
{
    if (e) {
        va_list args;
        va_start(args, format);
        e->code = negative(code);
        vsnprintf(e->text, sizeof(e->text), format, args);
        va_end(args);
    }
    return negative(code);
}

int err_set_errno(struct err *e, int code, const char *format, ...)
{
    if (e) {
        va_list args;
        va_start(args, format);
        e->code = negative(code);
        int used = vsnprintf(e->text, sizeof(e->text), format, args);
        va_end(args);
        if (used >= 0 && used < (int)sizeof(e->text))
            snprintf(e->text + used, sizeof(e->text) - (size_t)used, ": %s", error_text(abs(code)));
    }
    return negative(code);
}

int err_prefix(struct err *e, const char *format, ...)
{
    if (!e)
        return -EIO;
    char old[ERR_TEXT_SIZE];
    memcpy(old, e->text, sizeof(old));
    va_list args;
    va_start(args, format);
    int used = vsnprintf(e->text, sizeof(e->text), format, args);
    va_end(args);
    if (used >= 0 && used < (int)sizeof(e->text))
        snprintf(e->text + used, sizeof(e->text) - (size_t)used, ": %s", old);
    return e->code;
}
