/* returns.h: the stack on which units call and return (emit_branch.c), one per CPU.
 *
 * An entry is two words: the host address to return to and, above it, the guest address that it
 * stands for. A return that finds another guest address on top looks a few entries further up, then
 * gives up and empties the stack; so entries are hints, and emptying it (a64_forget_returns()) is
 * right at any time when no unit runs on it.
 *
 * It outlives what units are left for. In machines, where an entry holds for one address space, it
 * is emptied where the TLB bank in use is another one, or loses jumps or mappings.
 */
#ifndef PENG_CORE_TRANSLATOR_RETURNS_H
#define PENG_CORE_TRANSLATOR_RETURNS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/arm64/cpu.h"

/* `end` is the host code that a return to the end of the stack runs into. No memory: aborts. */
void returns_new(struct a64_cpu *cpu, const void *end);
void returns_free(struct a64_cpu *cpu);
/* Where the stack is as full as machines' calls may make it. */
uint64_t returns_limit(const struct a64_cpu *cpu);
/* A host fault at `address`, the stack pointer being `sp`: true where a unit has filled the stack;
 * it goes on with the stack pointer at *ret_sp. For signal handlers. */
bool returns_full(const struct a64_cpu *cpu, uintptr_t address, uint64_t sp, uint64_t *ret_sp);

#endif
