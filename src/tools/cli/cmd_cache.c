/* cmd_cache.c: peng cache info|clear: the store of translations that this user's guests share. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/bytes.h"
#include "core/translator/place.h"
#include "core/translator/store.h"
#include "tools/cli/cli.h"
#include "tools/cli/verb.h"

struct cache_args {
    struct verb_args common;
    const char *directory;
};

static int take_directory(void *ctx, char *value, struct err *e)
{
    ((struct cache_args *)ctx)->directory = value;
    return 0;
}

const struct option_row cache_options[] = {
    {"--directory", "DIR",
     "the store there, not PENG_CACHE's or ~/.cache/peng and that in /dev/shm", take_directory},
    {"--format", "text|json", "info: how to print it (also -f)", verb_take_format},
    {"-f", "text|json", "the same", verb_take_format},
    {0},
};

/* Where translations may lie: the user's cache directory, or the one that was asked for, and
 * memory, for roots that peng-arm64's file is not part of. */
enum { PLACES_MAX = 2 };

/* How many places there are; an error where there is none. */
static int find_places(const struct cache_args *args, struct place places[PLACES_MAX],
                       struct err *e)
{
    int count = 0;
    if (args->directory) {
        places[0] = (struct place){0};
        snprintf(places[0].directory, sizeof(places[0].directory), "%s", args->directory);
        return access(args->directory, F_OK) == 0
                   ? 1
                   : err_set_errno(e, errno, "--directory %s", args->directory);
    }
    if (place_chosen(&places[count]))
        count++;
    if (place_wanted() && place_in_memory(PLACE_MEMORY, false, &places[count], NULL) == 0)
        count++;
    return count ? count : err_set(e, ENOENT, "none is in use here (PENG_CACHE=off, or no HOME)");
}

static void print_json(const struct place *place, uint64_t limit, const struct store_info *info)
{
    printf("{\"directory\": ");
    verb_print_quoted(place->directory);
    printf(", \"files\": %u, \"pages\": %" PRIu64 ", \"programs\": %u, \"bytes\": %" PRIu64
           ", \"limit_bytes\": %" PRIu64 "}",
           info->files, info->records, info->programs, info->bytes, limit);
}

static void print_text(const struct place *place, uint64_t limit, const struct store_info *info)
{
    printf("directory: %s\nfiles: %u\npages of code: %" PRIu64 "\nprograms: %u\nsize: %" PRIu64
           " MiB; beyond %" PRIu64 " MiB the oldest goes\n",
           place->directory, info->files, info->records, info->programs,
           (info->bytes + (1 << 20) - 1) >> 20, limit >> 20);
}

static int info(struct verb_args *args, struct err *e)
{
    struct place places[PLACES_MAX];
    int count = find_places((struct cache_args *)args, places, e);
    if (count < 0)
        return count;
    for (int i = 0; i < count; i++) {
        struct store_info info;
        uint64_t limit = places[i].limit_bytes;
        int rc = store_info(places[i].directory, &info, e);
        if (rc < 0)
            return rc;
        if (!limit)
            limit = (uint64_t)STORE_LIMIT_MIB_DEFAULT << 20;
        if (args->json) {
            printf(i == 0 ? "[" : ",\n ");
            print_json(&places[i], limit, &info);
        } else {
            printf(i == 0 ? "" : "\n");
            print_text(&places[i], limit, &info);
        }
    }
    if (args->json)
        printf("]\n");
    return 0;
}

static int clear(struct verb_args *args, struct err *e)
{
    struct place places[PLACES_MAX];
    int rc = 0, count = find_places((struct cache_args *)args, places, e);
    if (count < 0)
        return count;
    for (int i = 0; i < count; i++)
        if (store_clear(places[i].directory, e) < 0)
            rc = -EIO;
    return rc;
}

int cmd_cache(int argc, char **argv)
{
    static const struct verb verbs[] = {{"info", info}, {"clear", clear}, {0}};
    struct cache_args args = {0};
    return verb_command(verbs, cache_options, argc, argv, &args.common);
}
