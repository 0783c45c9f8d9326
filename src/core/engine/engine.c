/* engine.c: the list of engines in order of preference. */
#include "core/engine/engine.h"

#include <errno.h>
#include <string.h>

#include "core/engine/kvm_engine.h"
#include "core/engine/soft.h"

const struct engine_ops *const engines[] = {
    &kvm_engine,
    &translator_engine,
    &interpreter_engine,
    NULL,
};

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
