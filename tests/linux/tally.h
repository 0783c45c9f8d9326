/* tally.h: guest programs that state what is to come out, for what no other kernel can be asked:
 * each check prints a line where it fails, and the program ends with "N passed, N failed".
 */
#ifndef PENG_TESTS_LINUX_TALLY_H
#define PENG_TESTS_LINUX_TALLY_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static unsigned tally_passed, tally_failed;

static inline bool tally(bool good, const char *what, const char *file, int line)
{
    if (good)
        tally_passed++;
    else
        tally_failed++;
    if (!good)
        printf("%s:%d: %s (errno %d, %s)\n", file, line, what, errno, strerror(errno));
    fflush(stdout);
    return good;
}

#define OK(condition) tally(condition, #condition, __FILE__, __LINE__)
/* The call fails with this error. */
#define FAILS(call, error)                                                                         \
    (errno = 0,                                                                                    \
     tally((long)(call) == -1 && errno == (error), #call ": " #error, __FILE__, __LINE__))

static inline int tally_end(void)
{
    printf("%u passed, %u failed\n", tally_passed, tally_failed);
    return tally_failed != 0;
}

#endif
