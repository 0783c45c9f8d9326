/* engine.c: the list of engines in order of preference. */
#include "core/engine/engine.h"

#include <string.h>

#include "core/engine/soft.h"

const struct engine_ops *const engines[] = {
    &translator_engine,
    &interpreter_engine,
    NULL,
};

const struct engine_ops *engine_find(const char *name)
{
    for (unsigned i = 0; engines[i]; i++)
        if (strcmp(engines[i]->name, name) == 0)
            return engines[i];
    return NULL;
}
