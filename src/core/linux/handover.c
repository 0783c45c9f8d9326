/* handover.c: exec of an arm64 program runs this program again, with exactly the guest's arguments,
 * so that the kernel, ps and core dumps know the process by them. What else the new run must know
 * is in one more environment string, the last, which it takes out before the guest sees it:
 *
 *   PENG_HANDOVER=PID PROGRAM-FD SELF-FD SECCOMP-FD PROFILE-FD REPORT-FD FLAGS STACK
 * CODE-CACHE HOST-CPU<1f>CPU<1f>HOST-FEATURES<1f>RELEASE<1f>SYSROOT<1f>NAME
 *
 * PID is the process it is meant for: exec does not change it, so a string that strays into another
 * process is left alone. Empty texts stand for none. Somebody who forges one and runs this program
 * can do no more than by options; where the kernel runs it for a program of other rights, main.c
 * does not look for one.
 */
#include "core/linux/handover.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NAME "PENG_HANDOVER="

enum { SEPARATOR = 0x1f };

enum { FLAG_INTERPRETER = 1, FLAG_STRACE = 2, FLAG_STATS = 4, FLAG_PROFILE = 8 };

static const char *text(const char *s)
{
    return s ? s : "";
}

size_t handover_write(char *out, size_t size_bytes, const struct linux_config *config)
{
    unsigned flags = (config->interpreter ? FLAG_INTERPRETER : 0) |
                     (config->strace ? FLAG_STRACE : 0) | (config->stats ? FLAG_STATS : 0) |
                     (config->profile ? FLAG_PROFILE : 0);
    int n = snprintf(
        out, size_bytes, NAME "%d %d %d %d %d %d %x %llx %llx %llx %c%s%c%s%c%s%c%s%c%s", getpid(),
        config->program_fd, config->self_fd, config->seccomp_fd, config->profile_fd,
        config->report_fd, flags, (unsigned long long)config->stack_bytes,
        (unsigned long long)config->code_cache_bytes, (unsigned long long)config->host_cpu,
        SEPARATOR, text(config->cpu), SEPARATOR, text(config->host_features), SEPARATOR,
        text(config->release), SEPARATOR, text(config->sysroot), SEPARATOR, config->exec_name);
    return n > 0 && (size_t)n < size_bytes ? (size_t)n : 0;
}

/* Cuts the text at the next separator; returns it, or NULL where it is empty. */
static const char *cut(char **at)
{
    char *start = *at, *end = strchr(start, SEPARATOR);
    if (end)
        *end++ = 0;
    *at = end ? end : start + strlen(start);
    return *start ? start : NULL;
}

bool handover_read(char **envp, struct linux_config *config)
{
    int pid, taken = 0;
    unsigned flags;
    unsigned long long stack, code_cache, host_cpu;
    size_t n = 0;
    while (envp[n])
        n++;
    if (n == 0 || strncmp(envp[n - 1], NAME, strlen(NAME)) != 0)
        return false;
    char *at = envp[n - 1] + strlen(NAME);
    struct linux_config c = *config;
    if (sscanf(at, "%d %d %d %d %d %d %x %llx %llx %llx %n", &pid, &c.program_fd, &c.self_fd,
               &c.seccomp_fd, &c.profile_fd, &c.report_fd, &flags, &stack, &code_cache, &host_cpu,
               &taken) < 10 ||
        pid != getpid() || at[taken] != SEPARATOR)
        return false;
    envp[n - 1] = NULL;
    at += taken + 1;
    c.interpreter = flags & FLAG_INTERPRETER;
    c.strace = flags & FLAG_STRACE;
    c.stats = flags & FLAG_STATS;
    c.profile = flags & FLAG_PROFILE;
    c.stack_bytes = stack;
    c.code_cache_bytes = code_cache;
    c.host_cpu = host_cpu;
    c.cpu = cut(&at);
    c.host_features = cut(&at);
    c.release = cut(&at);
    c.sysroot = cut(&at);
    c.exec_name = c.program = at;
    *config = c;
    return true;
}
