/* tell.h: system call tests: programs that print what the kernel answered.
 *
 * Each is built for x86-64 and for arm64; the native kernel's answers to the one are what the other
 * must get under peng-arm64, line by line. So they print nothing that differs from run to run, and
 * run in a directory of their own, empty at first.
 */
#ifndef PENG_TESTS_LINUX_TELL_H
#define PENG_TESTS_LINUX_TELL_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Prints the call and its result, or the error's name; gives the result. */
#define TELL(call)                                                                                 \
    ({                                                                                             \
        errno = 0;                                                                                 \
        long tell_result = (long)(call);                                                           \
        tell_print(#call, tell_result, errno);                                                     \
        tell_result;                                                                               \
    })
/* The same where a good result differs from run to run. */
#define TELL_OK(call)                                                                              \
    ({                                                                                             \
        errno = 0;                                                                                 \
        long tell_result = (long)(call);                                                           \
        tell_print(#call, tell_result < 0 ? tell_result : 0, errno);                               \
        tell_result;                                                                               \
    })
#define TELL_BOOL(expression) printf("%s: %s\n", #expression, (expression) ? "yes" : "no")
#define TELL_HEX(expression)  printf("%s: %#llx\n", #expression, (unsigned long long)(expression))
#define TELL_TEXT(expression) printf("%s: \"%s\"\n", #expression, (expression))

static inline void tell_print(const char *what, long result, int error)
{
    if (result == -1 && error)
        printf("%s: %s\n", what, strerrorname_np(error));
    else
        printf("%s: %ld\n", what, result);
}

static inline void tell_file(const char *name, const char *contents)
{
    FILE *f = fopen(name, "w");
    fputs(contents, f);
    fclose(f);
}

#endif
