/* interp.c: the interpreter's loop: fetch, decode, dispatch.
 *
 * One instruction is fetched through the MMU, decoded, checked against what the CPU model has and
 * CPACR_EL1 allows, and executed by its function in a64_exec[]. Between instructions the loop looks
 * at the signals word, so that an interrupt waits for one instruction at most.
 */
#include "core/arm64/exec_int.h"

A64_EXEC(undefined)
{
    cpu->undefined_count++;
    log_debug(cpu->system->log, "cpu%u: undefined instruction %08x (%s) at %016llx", cpu->index,
              in->raw, a64_op_name(in->op), (unsigned long long)cpu->pc);
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

/* Executes `raw` at pc and moves pc on. */
static enum a64_step execute(struct a64_cpu *cpu, uint32_t features, uint32_t raw)
{
    struct a64_insn in;
    a64_decode_for(features, raw, &in);
    enum a64_step step;
    if (a64_uses_fp(&in) && !a64_fp_allowed(cpu))
        step = a64_fp_trapped(cpu);
    else
        step = a64_exec[in.op](cpu, &in);
    if (step == A64_NEXT)
        cpu->pc += 4;
    cpu->instructions++;
    return step;
}

static enum a64_step step_one(struct a64_cpu *cpu, uint32_t features)
{
    uint32_t raw;
    uint64_t pa;
    if (cpu->slow && !a64_before_insn(cpu))
        return A64_BRANCHED;
    if (!a64_fetch(cpu, cpu->pc, &raw, &pa))
        return A64_BRANCHED;
    return execute(cpu, features, raw);
}

enum a64_step a64_step_one(struct a64_cpu *cpu)
{
    return step_one(cpu, a64_model_features(cpu->model));
}

void a64_interpret(struct a64_cpu *cpu, uint64_t limit)
{
    uint32_t features = a64_model_features(cpu->model);
    a64_enter_guest(cpu);
    for (uint64_t i = 0; i < limit && !cpu->halted; i++) {
        if (atomic_load_explicit(&cpu->signals.poll, memory_order_relaxed)) {
            if (a64_poll(cpu))
                break;
            a64_take_interrupt(cpu);
        }
        if (step_one(cpu, features) == A64_EXIT) {
            if (cpu->halted || cpu->powered_off)
                break;
            a64_take_interrupt(cpu);
        }
    }
    a64_leave_guest(cpu);
}
