/* trace.c: lines of a trace, each written by one call, so that those of several CPUs do not mix. */
#include "base/trace.h"

#include <stdarg.h>
#include <string.h>

#include "base/evloop.h"

static const struct {
    const char *name;
    enum trace_kind kind;
} kinds[] = {
    {"exec", TRACE_EXEC}, {"int", TRACE_INT}, {"mmu", TRACE_MMU}, {"virtio", TRACE_VIRTIO}};

unsigned trace_kind_named(const char *name)
{
    for (unsigned i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return kinds[i].kind;
    return 0;
}

void trace_init(struct trace *trace, FILE *out, unsigned kinds_on)
{
    *trace = (struct trace){.out = out, .kinds = kinds_on, .start_ns = clock_now_ns()};
}

void trace_print(const struct trace *trace, const char *format, ...)
{
    char text[256];
    uint64_t us = (clock_now_ns() - trace->start_ns) / 1000;
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fprintf(trace->out, "%llu.%06llu %s\n", (unsigned long long)us / 1000000,
            (unsigned long long)us % 1000000, text);
}
