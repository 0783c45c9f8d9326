/* interpreter.h: the plain engine: one C function an instruction, found through the decode table.
 *
 * It is the oracle of the tests, the translator's fallback for instructions it has no code for, and an
 * engine of its own.
 */
#ifndef PENG_CORE_ARM64_INTERPRETER_H
#define PENG_CORE_ARM64_INTERPRETER_H

#include "core/arm64/cpu.h"
#include "core/arm64/decode.h"

typedef enum a64_step (*a64_exec_fn)(struct a64_cpu *cpu, const struct a64_insn *in);

/* By enum a64_op; generated from a64.isa, so a pattern without a function does not link. */
extern const a64_exec_fn a64_exec[A64_OP_COUNT];

/* Executes one instruction at pc and advances pc. Takes no interrupts. */
enum a64_step a64_step_one(struct a64_cpu *cpu);

/* Runs until at most `limit` instructions retired or the run loop must look (halted, stop). Takes
 * interrupts. Brackets itself with a64_enter_guest/a64_leave_guest. */
void a64_interpret(struct a64_cpu *cpu, uint64_t limit);

#endif
