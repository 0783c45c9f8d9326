/* interpreter_engine.c: the interpreter as an engine: slow, plain, and the one to compare with. */
#include "core/arm64/interpreter.h"
#include "core/engine/soft.h"

static void run_guest(void *impl, struct a64_cpu *cpu)
{
    a64_interpret(cpu, UINT64_MAX);
}

static const struct soft_ops ops = {.run_guest = run_guest};

static int create(const struct engine_config *config, struct engine **ret_engine, struct err *e)
{
    return soft_create(&ops, config, ret_engine, e);
}

const struct engine_ops interpreter_engine = {
    .name = "interpreter",
    .arch = "arm64",
    .create = create,
    SOFT_ENGINE_OPS,
};
