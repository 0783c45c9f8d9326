/* returns.h: the stack on which user mode's units call and return (emit_branch.c), one per CPU.
 *
 * An entry is two words: the host address to return to and, above it, the guest address that it
 * stands for. A return that finds another guest address on top looks a few entries further up, then
 * gives up and empties the stack; so entries are hints, and emptying it is right at any time when
 * no unit runs on it.
 */
#ifndef PENG_CORE_TRANSLATOR_RETURNS_H
#define PENG_CORE_TRANSLATOR_RETURNS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/arm64/cpu.h"

/* `end` is the host code that a return to the end of the stack runs into. No memory: aborts. */
void returns_new(struct a64_cpu *cpu, const void *end);
void returns_free(struct a64_cpu *cpu);
/* With the CPU's thread out of units: no unit that was called is returned to any more. */
void returns_reset(struct a64_cpu *cpu);
/* A host fault at `address`, the stack pointer being `sp`: true where a unit has filled the stack;
 * it goes on with the stack pointer at *ret_sp. For signal handlers. */
bool returns_full(const struct a64_cpu *cpu, uintptr_t address, uint64_t sp, uint64_t *ret_sp);

#endif
