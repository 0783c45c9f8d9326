/* engine.c: the list of engines in order of preference. */
#include "core/engine/engine.h"

#include <string.h>

#include "core/engine/soft.h"

const struct engine_ops *const engines[] = {
    &translator_engine,
    &interpreter_engine,
    NULL,
};

const struct engine_ops *engine_choose(struct err *why)
{
    *why = (struct err){0};
    unsigned i = 0;
    while (engines[i + 1] && engines[i]->usable && engines[i]->usable(i ? NULL : why) < 0)
        i++;
    return engines[i];
}

const struct engine_ops *engine_find(const char *name)
{
    for (unsigned i = 0; engines[i]; i++)
        if (strcmp(engines[i]->name, name) == 0)
            return engines[i];
    return NULL;
}
