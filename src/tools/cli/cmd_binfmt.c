/* cmd_binfmt.c: peng binfmt install|remove|status: makes arm64 programs start like any other. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "tools/cli/binfmt.h"
#include "tools/cli/cli.h"
#include "tools/cli/verb.h"

struct binfmt_args {
    struct verb_args common;
    const char *root;
    struct binfmt_install install;
};

static int take_binary(void *ctx, char *value, struct err *e)
{
    ((struct binfmt_args *)ctx)->install.binary = value;
    return 0;
}

static int take_replace(void *ctx, char *value, struct err *e)
{
    ((struct binfmt_args *)ctx)->install.replace = true;
    return 0;
}

static int take_temporary(void *ctx, char *value, struct err *e)
{
    ((struct binfmt_args *)ctx)->install.temporary = true;
    return 0;
}

static int take_root(void *ctx, char *value, struct err *e)
{
    ((struct binfmt_args *)ctx)->root = value;
    return 0;
}

const struct option_row binfmt_options[] = {
    {"--binary", "PATH", "install: peng-arm64, if it does not lie beside peng", take_binary},
    {"--replace", NULL, "install: put it in place of another handler", take_replace},
    {"--temporary", NULL, "install: until the next boot only", take_temporary},
    {"--format", "text|json", "status: how to print it (also -f)", verb_take_format},
    {"-f", "text|json", "the same", verb_take_format},
    {"--root", "DIR", "look for /proc, /run, /usr and /etc below DIR", take_root},
    {0},
};

/* peng-arm64 beside this program, without links. */
static int default_binary(char path[PATH_MAX], struct err *e)
{
    char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (length < 0)
        return err_set_errno(e, errno, "/proc/self/exe");
    self[length] = '\0';
    *strrchr(self, '/') = '\0';
    if (snprintf(path, PATH_MAX, "%s/peng-arm64", self) >= PATH_MAX || access(path, F_OK) < 0)
        return err_set(e, ENOENT, "no peng-arm64 in %s; see --binary", self);
    return 0;
}

static int install(struct verb_args *common, struct err *e)
{
    struct binfmt_args *args = (struct binfmt_args *)common;
    char found[PATH_MAX], real[PATH_MAX];
    const char *binary = args->install.binary;
    if (!binary) {
        int rc = default_binary(found, e);
        if (rc < 0)
            return rc;
        binary = found;
    }
    args->install.binary = realpath(binary, real);
    if (!args->install.binary)
        return err_set_errno(e, errno, "%s", binary);
    return binfmt_install(args->root, &args->install, e);
}

static int uninstall(struct verb_args *args, struct err *e)
{
    return binfmt_remove(((struct binfmt_args *)args)->root, e);
}

static void print_json_list(const char *name, const struct binfmt_list *list)
{
    printf(", \"%s\": [", name);
    for (size_t i = 0; i < list->count; i++) {
        const struct binfmt_found *found = &list->items[i];
        const struct {
            const char *key, *value;
        } members[] = {
            {"name", found->entry.name},
            {"interpreter", found->entry.interpreter},
            {"flags", found->entry.flags},
            {"file", found->file},
        };
        printf("%s{", i ? ", " : "");
        for (size_t m = 0; m < ARRAY_SIZE(members); m++) {
            verb_print_quoted(members[m].key);
            printf(": ");
            verb_print_quoted(members[m].value);
            printf(", ");
        }
        printf("\"enabled\": %s, \"ours\": %s}", found->entry.enabled ? "true" : "false",
               found->ours ? "true" : "false");
    }
    printf("]");
}

static void print_text_list(const char *name, const struct binfmt_list *list)
{
    if (list->count == 0)
        printf("%s: no handler of arm64 programs\n", name);
    for (size_t i = 0; i < list->count; i++) {
        const struct binfmt_found *found = &list->items[i];
        printf("%s: %s: %s, flags %s%s (%s)\n", name, found->entry.name, found->entry.interpreter,
               *found->entry.flags ? found->entry.flags : "none",
               found->entry.enabled ? "" : ", disabled", found->file);
    }
}

static int status(struct verb_args *args, struct err *e)
{
    const char *root = ((struct binfmt_args *)args)->root;
    struct binfmt_list now, boot;
    bool mounted = binfmt_mounted(root), on = binfmt_switched_on(root);
    binfmt_list_now(root, &now);
    binfmt_list_boot(root, &boot);
    if (args->json) {
        printf("{\"mounted\": %s, \"enabled\": %s", mounted ? "true" : "false",
               on ? "true" : "false");
        print_json_list("now", &now);
        print_json_list("boot", &boot);
        printf("}\n");
    } else {
        printf("binfmt_misc: %s\n", !mounted ? "not mounted" : on ? "enabled" : "disabled");
        print_text_list("now", &now);
        print_text_list("boot", &boot);
    }
    binfmt_list_done(&now);
    binfmt_list_done(&boot);
    return 0;
}

int cmd_binfmt(int argc, char **argv)
{
    static const struct verb verbs[] = {
        {"install", install}, {"remove", uninstall}, {"status", status}, {0}};
    struct binfmt_args args = {.root = ""};
    return verb_command(verbs, binfmt_options, argc, argv, &args.common);
}
