/* check.h: what every guest program of these tests uses: it prints what failed, and where, or "ok".
 */
#ifndef PENG_TESTS_LINUX_CHECK_H
#define PENG_TESTS_LINUX_CHECK_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            printf("%s:%d: %s (errno %s)\n", __FILE__, __LINE__, #condition, strerror(errno));     \
            fflush(stdout);                                                                        \
            _Exit(1);                                                                              \
        }                                                                                          \
    } while (0)

/* As CHECK(a == b) for integers, with both values told. */
#define CHECK_EQ(a, b)                                                                             \
    do {                                                                                           \
        long long check_a = (long long)(a), check_b = (long long)(b);                              \
        if (check_a != check_b) {                                                                  \
            printf("%s:%d: %s is %lld (%#llx), not %lld (%#llx)\n", __FILE__, __LINE__, #a,        \
                   check_a, check_a, check_b, check_b);                                            \
            fflush(stdout);                                                                        \
            _Exit(1);                                                                              \
        }                                                                                          \
    } while (0)

#endif
