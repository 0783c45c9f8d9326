/* interp_branch.c: branches (DDI 0487 C4.1.87). Exception generation is with the system
 * instructions.
 *
 * A target that is no multiple of four faults when it is fetched, as the architecture has it. The
 * tag of a branch to a register is dropped where TCR_EL1 has tags (BranchAddr(), J1.1.3).
 */
#include "core/arm64/exec_int.h"

#include "core/arm64/mmu.h"

/* Row: NZCV as a number; bit: the condition's encoding (ConditionHolds(), C1.2.4). 14 and 15 always
 * hold, and a condition's inverse has the odd number. */
static const uint16_t conditions[16] = {
    0xd6aa, 0xea6a, 0xd5a6, 0xe966, 0xe6a9, 0xea69, 0xe6a5, 0xea65,
    0xea9a, 0xd65a, 0xe996, 0xd556, 0xea99, 0xe659, 0xea95, 0xe655,
};

bool a64_condition_holds(const struct a64_cpu *cpu, unsigned cond)
{
    return conditions[a64_nzcv_get(cpu) >> 28] >> cond & 1;
}

static enum a64_step branch_if(struct a64_cpu *cpu, const struct a64_insn *in, bool taken,
                               unsigned offset_bits)
{
    if (!taken)
        return A64_NEXT;
    cpu->pc += (uint64_t)sign_extend(in->i, offset_bits) << 2;
    return A64_BRANCHED;
}

A64_EXEC(B)
{
    return branch_if(cpu, in, true, 26);
}

A64_EXEC(BL)
{
    cpu->x[30] = cpu->pc + 4;
    return branch_if(cpu, in, true, 26);
}

A64_EXEC(B_cond)
{
    return branch_if(cpu, in, a64_condition_holds(cpu, in->c), 19);
}

A64_EXEC(CBZ)
{
    return branch_if(cpu, in, exec_x(cpu, in, in->d) == 0, 19);
}

A64_EXEC(CBNZ)
{
    return branch_if(cpu, in, exec_x(cpu, in, in->d) != 0, 19);
}

A64_EXEC(TBZ)
{
    return branch_if(cpu, in, !(a64_x(cpu, in->d) >> in->b & 1), 14);
}

A64_EXEC(TBNZ)
{
    return branch_if(cpu, in, a64_x(cpu, in->d) >> in->b & 1, 14);
}

A64_EXEC(BR)
{
    cpu->pc = a64_untag(cpu, a64_x(cpu, in->n));
    return A64_BRANCHED;
}

/* The target is read first: BLR X30 is allowed. */
A64_EXEC(BLR)
{
    uint64_t target = a64_x(cpu, in->n);
    cpu->x[30] = cpu->pc + 4;
    cpu->pc = a64_untag(cpu, target);
    return A64_BRANCHED;
}

A64_EXEC(RET)
{
    cpu->pc = a64_untag(cpu, a64_x(cpu, in->n));
    return A64_BRANCHED;
}
