/* interp.c: the interpreter's loop: fetch, decode, dispatch.
 *
 * Decoded instructions are looked up through the table's decoder each time.
 */
#include "core/arm64/exec_int.h"

A64_EXEC(undefined)
{
    cpu->undefined_count++;
    log_debug(cpu->system->log, "cpu%u: undefined instruction %08x (%s) at %016llx", cpu->index,
              in->raw, a64_op_name(in->op), (unsigned long long)cpu->pc);
    return a64_undefined(cpu);
}
