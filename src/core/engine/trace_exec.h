/* trace_exec.h: `--trace exec`: each instruction of every CPU, disassembled, before it runs. */
#ifndef PENG_CORE_ENGINE_TRACE_EXEC_H
#define PENG_CORE_ENGINE_TRACE_EXEC_H

#include "base/err.h"
#include "base/trace.h"
#include "core/arm64/cpu.h"

struct trace_exec;

int trace_exec_new(const struct trace *trace, struct trace_exec **ret, struct err *e);
void trace_exec_free(struct trace_exec *t); /* NULL is a no-op */
/* The instruction at cpu->pc. Any CPU's thread. */
void trace_exec_insn(struct trace_exec *t, struct a64_cpu *cpu);

#endif
