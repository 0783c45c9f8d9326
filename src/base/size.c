/* size.c: digits, then at most one unit out of a table. */
#include "base/size.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "base/bytes.h"

static const struct {
    const char *unit;
    unsigned shift;
} units[] = {
    {"", 0},    {"B", 0},  {"K", 10},   {"KiB", 10}, {"KB", 10}, {"M", 20},   {"MiB", 20},
    {"MB", 20}, {"G", 30}, {"GiB", 30}, {"GB", 30},  {"T", 40},  {"TiB", 40}, {"TB", 40},
};

int size_parse(const char *text, uint64_t *ret_bytes, struct err *e)
{
    if (*text < '0' || *text > '9')
        return err_set(e, EINVAL, "not a size (a number with K, M or G)");
    char *end = NULL;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (errno == ERANGE)
        return err_set(e, ERANGE, "too large a size");
    for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
        if (strcasecmp(end, units[i].unit) != 0)
            continue;
        if (number > UINT64_MAX >> units[i].shift)
            return err_set(e, ERANGE, "too large a size");
        if (number == 0)
            return err_set(e, EINVAL, "a size of nothing");
        *ret_bytes = (uint64_t)number << units[i].shift;
        return 0;
    }
    return err_set(e, EINVAL, "not a size (a number with K, M or G)");
}

int size_parse_mib(const char *text, unsigned min_mib, unsigned max_mib, uint64_t *ret_bytes,
                   struct err *e)
{
    uint64_t bytes;
    int rc = size_parse(text, &bytes, e);
    if (rc < 0)
        return rc;
    if (bytes < (uint64_t)min_mib << 20 || bytes > (uint64_t)max_mib << 20)
        return err_set(e, ERANGE, "from %uM to %uM", min_mib, max_mib);
    *ret_bytes = bytes;
    return 0;
}
