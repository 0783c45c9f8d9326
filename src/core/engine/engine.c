/* engine.c: choosing one of the engines that this build has (engines_*.c, one a host
 * architecture). */
#include "core/engine/engine.h"

#include <errno.h>
#include <string.h>

const struct engine_ops *engine_choose(const char *arch, struct err *why)
{
    *why = (struct err){0};
    for (unsigned i = 0; engines[i]; i++) {
        if (strcmp(engines[i]->arch, arch) != 0)
            continue;
        if (!engines[i]->usable || engines[i]->usable(why->code ? NULL : why) == 0)
            return engines[i];
    }
    if (!why->code)
        err_set(why, ENOTSUP, "no engine of this build runs such guests on this host");
    return NULL;
}

const struct engine_ops *engine_find(const char *name)
{
    for (unsigned i = 0; engines[i]; i++)
        if (strcmp(engines[i]->name, name) == 0)
            return engines[i];
    return NULL;
}
