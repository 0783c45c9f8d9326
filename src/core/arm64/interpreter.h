/* interpreter.h: the plain engine: one C function an instruction, found through the decode table.
 *
 * It is the oracle of the tests, the translator's fallback for instructions it has no code for, and
 * an engine of its own.
 */
#ifndef PENG_CORE_ARM64_INTERPRETER_H
#define PENG_CORE_ARM64_INTERPRETER_H

#include "core/arm64/cpu.h"
#include "core/arm64/decode.h"

typedef enum a64_step (*a64_exec_fn)(struct a64_cpu *cpu, const struct a64_insn *in);

/* By enum a64_op; generated from a64.isa, so a pattern without a function does not link. */
extern const a64_exec_fn a64_exec[A64_OP_COUNT];

/* What a model has, as a64_decode_for() wants it: bits 1 << enum a64_feature. */
uint32_t a64_model_features(const struct a64_model *model);

/* Whether the instruction touches FP or vector registers, and so traps where a64_fp_allowed() says
 * no. */
static inline bool a64_uses_fp(const struct a64_insn *in)
{
    const uint32_t others = 1u << A64_FEATURE_BASE | 1u << A64_FEATURE_HINT |
                            1u << A64_FEATURE_CRC | 1u << A64_FEATURE_LSE | 1u << A64_FEATURE_PAN |
                            1u << A64_FEATURE_UAO;
    return !(others >> in->feature & 1);
}

/* By-element forms with elements of 1 << z bytes: which element, and of which register. */
static inline unsigned a64_element_index(const struct a64_insn *in, unsigned z)
{
    return z == 1 ? in->H * 4u + in->L * 2u + in->M : z == 2 ? in->H * 2u + in->L : in->H;
}

static inline unsigned a64_element_reg(const struct a64_insn *in, unsigned z)
{
    return z == 1 ? in->m : in->M * 16u + in->m;
}

/* AdvSIMDExpandImm(): what MOVI, MVNI, ORR, BIC and FMOV (vector, immediate) put in each 64 bits
 * (BIC: the bits to clear). */
uint64_t a64_vector_immediate(const struct a64_insn *in);

/* DecodeBitMasks(), wmask: the immediate of logical instructions. */
uint64_t a64_bitmask(unsigned n, unsigned imms, unsigned immr);

/* Executes the instruction word `raw` as the one at pc; leaves pc where it returns A64_NEXT. FP
 * access has been checked. */
enum a64_step a64_execute(struct a64_cpu *cpu, uint32_t raw);

/* Executes one instruction at pc and advances pc. Takes no interrupts. */
enum a64_step a64_step_one(struct a64_cpu *cpu);

/* Runs until at most `limit` instructions retired or the run loop must look (halted, stop). Takes
 * interrupts. Brackets itself with a64_enter_guest/a64_leave_guest. */
void a64_interpret(struct a64_cpu *cpu, uint64_t limit);

/* Frees what the interpreter keeps with a CPU; a64_cpu_free() calls it. */
void a64_interpreter_free(struct a64_cpu *cpu);

#endif
