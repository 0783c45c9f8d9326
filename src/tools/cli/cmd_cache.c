/* cmd_cache.c: peng cache info|clear: the store of translations that this user's guests share. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "core/translator/place.h"
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
    {"--directory", "DIR",
     "the store there, not PENG_CACHE's or ~/.cache/peng and that in /dev/shm", take_directory},
    {"--format", "text|json", "info: how to print it (also -f)", take_format},
    {"-f", "text|json", "the same", take_format},
    {0},
};

void cmd_cache_print_options(void *file)
{
    options_print(rows, file);
}

/* Where translations may lie: the user's cache directory, or the one that was asked for, and
 * memory, for roots that peng-arm64's file is not part of. */
enum { PLACES_MAX = 2 };

static unsigned find_places(const struct cache_args *args, struct place places[PLACES_MAX])
{
    unsigned count = 0;
    if (args->directory) {
        places[0] = (struct place){0};
        snprintf(places[0].directory, sizeof(places[0].directory), "%s", args->directory);
        return 1;
    }
    if (place_chosen(&places[count]))
        count++;
    if (place_wanted() && place_in_memory(PLACE_MEMORY, false, &places[count], NULL) == 0)
        count++;
    return count;
}

static int info(const struct place *places, unsigned count, bool json, struct err *e)
{
    for (unsigned i = 0; i < count; i++) {
        struct store_info info;
        uint64_t limit = places[i].limit_bytes;
        int rc = store_info(places[i].directory, &info, e);
        if (rc < 0)
            return rc;
        if (!limit)
            limit = (uint64_t)STORE_LIMIT_MIB_DEFAULT << 20;
        if (json)
            printf("%s{\"directory\": \"%s\", \"files\": %u, \"pages\": %" PRIu64
                   ", \"programs\": %u, \"bytes\": %" PRIu64 ", \"limit_bytes\": %" PRIu64 "}%s\n",
                   i == 0 ? "[" : " ", places[i].directory, info.files, info.records, info.programs,
                   info.bytes, limit, i + 1 == count ? "]" : ",");
        else
            printf("%sdirectory: %s\nfiles: %u\npages of code: %" PRIu64
                   "\nprograms: %u\nsize: %" PRIu64 " MiB; beyond %" PRIu64
                   " MiB the oldest goes\n",
                   i == 0 ? "" : "\n", places[i].directory, info.files, info.records, info.programs,
                   (info.bytes + (1 << 20) - 1) >> 20, limit >> 20);
    }
    return 0;
}

static int clear(const struct place *places, unsigned count, bool json, struct err *e)
{
    int rc = 0;
    for (unsigned i = 0; i < count; i++)
        if (store_clear(places[i].directory, e) < 0)
            rc = -EIO;
    return rc;
}

static const struct {
    const char *name;
    int (*run)(const struct place *places, unsigned count, bool json, struct err *e);
} verbs[] = {{"info", info}, {"clear", clear}};

int cmd_cache(int argc, char **argv)
{
    struct cache_args args = {0};
    struct place places[PLACES_MAX];
    struct err e = {0};
    int rc = options_parse(rows, argc, argv, &args, take_verb, &e);
    unsigned count = rc == 0 ? find_places(&args, places) : 0;
    if (rc == 0 && count == 0)
        rc = err_set(&e, ENOENT, "none is in use here (PENG_CACHE=off, or no HOME)");
    size_t i = 0;
    while (rc == 0 && i < ARRAY_SIZE(verbs) &&
           (!args.verb || strcmp(verbs[i].name, args.verb) != 0))
        i++;
    if (rc == 0)
        rc = i < ARRAY_SIZE(verbs) ? verbs[i].run(places, count, args.json, &e)
                                   : err_set(&e, EINVAL, "%s%sinfo or clear?",
                                             args.verb ? args.verb : "", args.verb ? ": " : "");
    if (rc < 0) {
        err_prefix(&e, "cache");
        return cli_fail(&e);
    }
    return EXIT_OK;
}
