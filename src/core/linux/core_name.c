/* core_name.c: what a core file is called: /proc/sys/kernel/core_pattern, filled in.
 *
 * Source: Linux 6.1, fs/coredump.c, format_corename().
 */
#include "core/linux/core_int.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

static size_t read_small_file(const char *path, char *out, size_t size_bytes)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, out, size_bytes - 1);
    if (fd >= 0)
        close(fd);
    n = n > 0 ? n : 0;
    out[n] = 0;
    out[strcspn(out, "\n")] = 0;
    return strlen(out);
}

/* What %c stands for; slashes in names would make directories of them. */
static void expand(char c, struct linux_thread *t, int signal, char *out, size_t size_bytes)
{
    const char *program = t->process->layout.program_path, *slash = strrchr(program, '/');
    struct utsname host;
    struct rlimit limit;
    out[0] = 0;
    switch (c) {
    case '%':
        snprintf(out, size_bytes, "%%");
        break;
    case 'p':
    case 'P':
        snprintf(out, size_bytes, "%d", getpid());
        break;
    case 'i':
    case 'I':
        snprintf(out, size_bytes, "%d", t->tid);
        break;
    case 'u':
        snprintf(out, size_bytes, "%u", getuid());
        break;
    case 'g':
        snprintf(out, size_bytes, "%u", getgid());
        break;
    case 'd':
        snprintf(out, size_bytes, "%d", prctl(PR_GET_DUMPABLE));
        break;
    case 's':
        snprintf(out, size_bytes, "%d", signal);
        break;
    case 't':
        snprintf(out, size_bytes, "%lld", (long long)time(NULL));
        break;
    case 'h':
        uname(&host);
        snprintf(out, size_bytes, "%s", host.nodename);
        break;
    case 'e':
        read_small_file("/proc/thread-self/comm", out, size_bytes);
        break;
    case 'f':
        snprintf(out, size_bytes, "%.255s", slash ? slash + 1 : program);
        break;
    case 'E':
        snprintf(out, size_bytes, "%.255s", program);
        break;
    case 'c':
        getrlimit(RLIMIT_CORE, &limit);
        snprintf(out, size_bytes, "%lu", (unsigned long)limit.rlim_cur);
        break;
    default:
        break;
    }
    for (char *p = out; *p; p++)
        *p = *p == '/' ? '!' : *p;
}

bool core_name(struct linux_thread *t, int signal, char out[CORE_NAME_BYTES])
{
    char pattern[256], uses_pid[8];
    size_t n = 0;
    bool pid_in_name = false;
    if (!read_small_file("/proc/sys/kernel/core_pattern", pattern, sizeof(pattern)) ||
        pattern[0] == '|')
        return false;
    read_small_file("/proc/sys/kernel/core_uses_pid", uses_pid, sizeof(uses_pid));
    for (const char *p = pattern; *p && n + 256 < CORE_NAME_BYTES; p++) {
        if (*p != '%') {
            out[n++] = *p;
        } else if (*++p) {
            pid_in_name |= *p == 'p';
            expand(*p, t, signal, out + n, 256);
            n += strlen(out + n);
        } else {
            break;
        }
    }
    if (uses_pid[0] == '1' && !pid_in_name)
        n += (size_t)sprintf(out + n, ".%d", getpid());
    out[n] = 0;
    return n > 0;
}
