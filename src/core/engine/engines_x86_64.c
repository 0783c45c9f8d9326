/* engines_x86_64.c: the engines on x86-64 hosts, in order of preference. */
#include <stddef.h>

#include "core/engine/kvm_engine.h"
#include "core/engine/soft.h"

const struct engine_ops *const engines[] = {
    &kvm_engine,
    &translator_engine,
    &interpreter_engine,
    NULL,
};
