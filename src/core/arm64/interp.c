/* interp.c: the interpreter's loop: fetch, decode, dispatch.
 *
 * One instruction is fetched through the MMU, decoded, checked against what the CPU model has and
 * CPACR_EL1 allows, and executed by its function in a64_exec[]. Between instructions the loop looks
 * at the signals word, so that an interrupt waits for one instruction at most.
 */
#include <stdlib.h>

#include "core/arm64/exec_int.h"

enum { UNDEFINED_NAMED_MAX = 16 }; /* a CPU: a guest must not be able to fill the log */

A64_EXEC(undefined)
{
    bool quiet = ++cpu->undefined_count > UNDEFINED_NAMED_MAX;
    log_print(cpu->system->log, quiet ? LOG_DEBUG : LOG_INFO,
              "cpu%u: undefined instruction %08x at %016llx", cpu->index, in->raw,
              (unsigned long long)cpu->pc);
    return a64_undefined(cpu);
}

uint32_t a64_model_features(const struct a64_model *model)
{
    const struct {
        enum a64_feature feature;
        bool has;
    } optional[] = {
        {A64_FEATURE_LSE, model->lse},   {A64_FEATURE_RDM, model->rdm},
        {A64_FEATURE_PAN, model->pan},   {A64_FEATURE_UAO, model->uao},
        {A64_FEATURE_FP16, model->fp16}, {A64_FEATURE_DOTPROD, model->dotprod},
        {A64_FEATURE_FHM, model->fhm},   {A64_FEATURE_JSCVT, model->jscvt},
        {A64_FEATURE_FCMA, model->fcma},
    };
    uint32_t features = (1u << A64_FEATURE_COUNT) - 1;
    for (unsigned i = 0; i < ARRAY_SIZE(optional); i++)
        if (!optional[i].has)
            features &= ~(1u << optional[i].feature);
    return features;
}

/* --- decoded instructions -----------------------------------------------------------------------
 */

enum { DECODED_BITS = 12, DECODED_ENTRIES = 1 << DECODED_BITS };

/* One of a CPU's recently decoded words. A word means the same wherever it is, so the cache is
 * indexed by the word alone and never goes stale; the features of the model are settled when it is
 * filled. */
struct a64_decoded {
    struct a64_insn in;
    bool uses_fp;
    a64_exec_fn fn; /* NULL: empty */
};

static struct a64_decoded *decode_into(struct a64_cpu *cpu, struct a64_decoded *entry, uint32_t raw)
{
    a64_decode_for(a64_model_features(cpu->model), raw, &entry->in);
    entry->uses_fp = a64_uses_fp(&entry->in);
    entry->fn = a64_exec[entry->in.op];
    return entry;
}

static inline struct a64_decoded *decoded(struct a64_cpu *cpu, uint32_t raw)
{
    struct a64_decoded *entry = &cpu->decoded[raw * 0x9e3779b1u >> (32 - DECODED_BITS)];
    return entry->in.raw == raw && entry->fn ? entry : decode_into(cpu, entry, raw);
}

static void make_cache(struct a64_cpu *cpu)
{
    if (!cpu->decoded)
        cpu->decoded = calloc(DECODED_ENTRIES, sizeof(*cpu->decoded));
    if (!cpu->decoded)
        abort();
}

void a64_interpreter_free(struct a64_cpu *cpu)
{
    free(cpu->decoded);
    cpu->decoded = NULL;
}

/* --- the loop -----------------------------------------------------------------------------------
 */

/* a64_fetch() with its quick path inline: a page that was fetched from lately. */
static inline bool fetch(struct a64_cpu *cpu, uint32_t *ret_raw)
{
    uint64_t pc = cpu->pc, pa;
    const struct a64_tlb_entry *entry = &cpu->bank->entries[pc >> 12 & (A64_TLB_ENTRIES - 1)];
    if (entry->exec == align_down(pc, 4096) && !(pc & 3)) {
        *ret_raw = *(const uint32_t *)(uintptr_t)(pc + entry->addend);
        return true;
    }
    return a64_fetch(cpu, pc, ret_raw, &pa);
}

static inline enum a64_step step_one(struct a64_cpu *cpu)
{
    uint32_t raw;
    if (cpu->slow && !a64_before_insn(cpu))
        return A64_BRANCHED;
    if (!fetch(cpu, &raw))
        return A64_BRANCHED;
    const struct a64_decoded *entry = decoded(cpu, raw);
    enum a64_step step =
        entry->uses_fp && !a64_fp_allowed(cpu) ? a64_fp_trapped(cpu) : entry->fn(cpu, &entry->in);
    if (step == A64_NEXT)
        cpu->pc += 4;
    cpu->instructions++;
    return step;
}

enum a64_step a64_execute(struct a64_cpu *cpu, uint32_t raw)
{
    make_cache(cpu);
    const struct a64_decoded *entry = decoded(cpu, raw);
    return entry->fn(cpu, &entry->in);
}

enum a64_step a64_step_one(struct a64_cpu *cpu)
{
    make_cache(cpu);
    return step_one(cpu);
}

void a64_interpret(struct a64_cpu *cpu, uint64_t limit)
{
    make_cache(cpu);
    a64_enter_guest(cpu);
    for (uint64_t i = 0; i < limit && !cpu->halted && !cpu->trapped; i++) {
        if (atomic_load_explicit(&cpu->signals.poll, memory_order_relaxed)) {
            if (a64_poll(cpu))
                break;
            a64_take_interrupt(cpu);
        }
        if (step_one(cpu) == A64_EXIT) {
            if (cpu->halted || cpu->powered_off)
                break;
            a64_take_interrupt(cpu);
        }
    }
    a64_leave_guest(cpu);
}
