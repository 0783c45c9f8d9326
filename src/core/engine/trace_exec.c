/* trace_exec.c: Capstone does the disassembly.
 *
 * Limits: one CPU at a time goes through it, since a Capstone handle serves one thread. Words that
 * this Capstone does not know are shown as numbers.
 */
#include "core/engine/trace_exec.h"

#include <capstone/capstone.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/arm64/mmu.h"

struct trace_exec {
    const struct trace *trace; /* borrowed */
    pthread_mutex_t lock;      /* guards what follows */
    csh capstone;
    cs_insn *insn;
};

int trace_exec_new(const struct trace *trace, struct trace_exec **ret, struct err *e)
{
    struct trace_exec *t = calloc(1, sizeof(*t));
    if (!t)
        return err_set_errno(e, ENOMEM, "trace");
    if (cs_open(CS_ARCH_ARM64, CS_MODE_LITTLE_ENDIAN, &t->capstone)) {
        free(t);
        return err_set(e, ENOTSUP, "--trace exec: this Capstone has no Arm64");
    }
    t->trace = trace;
    t->insn = cs_malloc(t->capstone);
    pthread_mutex_init(&t->lock, NULL);
    *ret = t;
    return 0;
}

void trace_exec_free(struct trace_exec *t)
{
    if (!t)
        return;
    cs_free(t->insn, 1);
    cs_close(&t->capstone);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

void trace_exec_insn(struct trace_exec *t, struct a64_cpu *cpu)
{
    uint32_t word;
    if (!a64_debug_access(cpu, cpu->pc, &word, sizeof(word), false)) {
        trace_print(t->trace, "cpu%u exec el%u %016llx unmapped", cpu->index, cpu->el,
                    (unsigned long long)cpu->pc);
        return;
    }
    const uint8_t *bytes = (const uint8_t *)&word;
    size_t size = sizeof(word);
    uint64_t address = cpu->pc;
    pthread_mutex_lock(&t->lock);
    bool known = cs_disasm_iter(t->capstone, &bytes, &size, &address, t->insn);
    trace_print(t->trace, "cpu%u exec el%u %016llx %08x %s %s", cpu->index, cpu->el,
                (unsigned long long)cpu->pc, word, known ? t->insn->mnemonic : ".inst",
                known ? t->insn->op_str : "");
    pthread_mutex_unlock(&t->lock);
}
