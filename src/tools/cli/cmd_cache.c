/* cmd_cache.c: peng cache info|clear: the store of translations that this user's guests share. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "core/translator/store.h"
#include "tools/cli/cli.h"
#include "tools/cli/options.h"

struct cache_args {
    const char *verb, *directory;
    bool json;
};

static int take_format(void *ctx, char *value, struct err *e)
{
    struct cache_args *args = ctx;
    args->json = strcmp(value, "json") == 0;
    return args->json || strcmp(value, "text") == 0 ? 0 : err_set(e, EINVAL, "no such format");
}

static int take_directory(void *ctx, char *value, struct err *e)
{
    ((struct cache_args *)ctx)->directory = value;
    return 0;
}

static int take_verb(void *ctx, char *value, struct err *e)
{
    struct cache_args *args = ctx;
    if (args->verb)
        return err_set(e, EINVAL, "%s: one argument too many", value);
    args->verb = value;
    return 0;
}

static const struct option_row rows[] = {
    {"--directory", "DIR", "the store, if not PENG_CACHE's or ~/.cache/peng", take_directory},
    {"--format", "text|json", "info: how to print it (also -f)", take_format},
    {"-f", "text|json", "the same", take_format},
    {0},
};

void cmd_cache_print_options(void *file)
{
    options_print(rows, file);
}

static int info(const struct cache_args *args, struct err *e)
{
    struct store_info info;
    int rc = store_info(args->directory, &info, e);
    if (rc < 0)
        return rc;
    if (args->json)
        printf("{\"directory\": \"%s\", \"files\": %u, \"pages\": %" PRIu64 ", \"bytes\": %" PRIu64
               ", \"limit_bytes\": %" PRIu64 "}\n",
               args->directory, info.files, info.records, info.bytes, info.limit_bytes);
    else
        printf("directory: %s\nfiles: %u\npages of code: %" PRIu64 "\nsize: %" PRIu64
               " MiB; beyond %" PRIu64 " MiB the oldest goes\n",
               args->directory, info.files, info.records, (info.bytes + (1 << 20) - 1) >> 20,
               info.limit_bytes >> 20);
    return 0;
}

static int clear(const struct cache_args *args, struct err *e)
{
    return store_clear(args->directory, e);
}

static const struct {
    const char *name;
    int (*run)(const struct cache_args *args, struct err *e);
} verbs[] = {{"info", info}, {"clear", clear}};

int cmd_cache(int argc, char **argv)
{
    struct cache_args args = {0};
    struct err e = {0};
    char chosen[480];
    int rc = options_parse(rows, argc, argv, &args, take_verb, &e);
    if (rc == 0 && !args.directory && store_directory(chosen, sizeof(chosen)))
        args.directory = chosen;
    if (rc == 0 && !args.directory)
        rc = err_set(&e, ENOENT, "none is in use here (PENG_CACHE=off, or no HOME)");
    size_t i = 0;
    while (rc == 0 && i < ARRAY_SIZE(verbs) &&
           (!args.verb || strcmp(verbs[i].name, args.verb) != 0))
        i++;
    if (rc == 0)
        rc = i < ARRAY_SIZE(verbs) ? verbs[i].run(&args, &e)
                                   : err_set(&e, EINVAL, "%s%sinfo or clear?",
                                             args.verb ? args.verb : "", args.verb ? ": " : "");
    if (rc < 0) {
        err_prefix(&e, "cache");
        return cli_fail(&e);
    }
    return EXIT_OK;
}
