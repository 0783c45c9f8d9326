/* engine.c: choosing one of the engines that this build has (engines_*.c, one a host
 * architecture). */
#include "core/engine/engine.h"

#include <errno.h>
#include <string.h>

const struct engine_ops *engine_choose(const char *arch, struct err *why)
{
    const struct engine_ops *slow = NULL;
    *why = (struct err){0};
    for (unsigned i = 0; engines[i]; i++) {
        const struct engine_ops *engine = engines[i];
        struct err *e = why->code ? NULL : why;
        if (strcmp(engine->arch, arch) != 0 || (engine->usable && engine->usable(e) < 0))
            continue;
        if (!engine->fast || engine->fast(e) == 0)
            return engine;
        slow = engine;
    }
    if (!why->code)
        err_set(why, ENOTSUP, "no engine of this build runs such guests on this host");
    return slow;
}

const struct engine_ops *engine_find(const char *name)
{
    for (unsigned i = 0; engines[i]; i++)
        if (strcmp(engines[i]->name, name) == 0)
            return engines[i];
    return NULL;
}
