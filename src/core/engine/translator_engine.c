/* translator_engine.c: the translator as an engine; "auto" takes it for Arm64 guests on x86-64. */
#include "core/engine/soft.h"
#include "core/translator/translator.h"

static int make(const struct engine_config *config, struct a64_system *system, void **ret_impl,
                struct err *e)
{
    struct translator_config translator = {.system = system,
                                           .cache_bytes = config->code_cache_bytes,
                                           .stats = config->stats,
                                           .host_features = config->host_features,
                                           .keep = TRANSLATOR_KEEP_IN_CACHE,
                                           .tiers = translator_tiers_of_environment(),
                                           .log = config->log};
    return translator_new(&translator, (struct translator **)ret_impl, e);
}

static void discard(void *impl)
{
    translator_save(impl);
    translator_free(impl);
}

static void run_guest(void *impl, struct a64_cpu *cpu)
{
    translator_run(impl, cpu);
}

static void code_changed(void *impl, struct a64_cpu *cpu, uint64_t page)
{
    translator_code_changed(impl, cpu, page);
}

static const char *folder(void *impl)
{
    return translator_folder(impl);
}

static void print_stats(void *impl, FILE *file)
{
    translator_print_stats(impl, file);
}

static const struct soft_ops ops = {.create = make,
                                    .free = discard,
                                    .run_guest = run_guest,
                                    .code_changed = code_changed,
                                    .folder = folder,
                                    .print_stats = print_stats};

static int create(const struct engine_config *config, struct engine **ret_engine, struct err *e)
{
    return soft_create(&ops, config, ret_engine, e);
}

const struct engine_ops translator_engine = {
    .name = "translator",
    .arch = "arm64",
    .usable = translator_check_host,
    .create = create,
    SOFT_ENGINE_OPS,
};
