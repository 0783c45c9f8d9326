/* engines_aarch64.c: the engines on arm64 hosts, in order of preference. The translator makes
 * x86-64 code, so it is not among them.
 */
#include <stddef.h>

#include "core/engine/kvm_engine.h"
#include "core/engine/soft.h"

const struct engine_ops *const engines[] = {
    &kvm_engine,
    &interpreter_engine,
    NULL,
};
