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
#include "tools/cli/options.h"

struct binfmt_args {
    const char *verb, *root;
    struct binfmt_install install;
    bool json;
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

static int take_format(void *ctx, char *value, struct err *e)
{
    struct binfmt_args *args = ctx;
    args->json = strcmp(value, "json") == 0;
    return args->json || strcmp(value, "text") == 0 ? 0 : err_set(e, EINVAL, "no such format");
}

static int take_root(void *ctx, char *value, struct err *e)
{
    ((struct binfmt_args *)ctx)->root = value;
    return 0;
}

static int take_verb(void *ctx, char *value, struct err *e)
{
    struct binfmt_args *args = ctx;
    if (args->verb)
        return err_set(e, EINVAL, "%s: one argument too many", value);
    args->verb = value;
    return 0;
}

static const struct option_row rows[] = {
    {"--binary", "PATH", "install: peng-arm64, if it does not lie beside peng", take_binary},
    {"--replace", NULL, "install: put it in place of another handler", take_replace},
    {"--temporary", NULL, "install: until the next boot only", take_temporary},
    {"--format", "text|json", "status: how to print it (also -f)", take_format},
    {"-f", "text|json", "the same", take_format},
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

static int install(struct binfmt_args *args, struct err *e)
{
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

static int uninstall(struct binfmt_args *args, struct err *e)
{
    return binfmt_remove(args->root, e);
}

/* A JSON string (RFC 8259, section 7); bytes beyond ASCII pass as they are. */
static void print_quoted(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            printf("\\%c", *text);
        else if ((unsigned char)*text < 0x20)
            printf("\\u%04x", (unsigned char)*text);
        else
            putchar(*text);
    }
    putchar('"');
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
            print_quoted(members[m].key);
            printf(": ");
            print_quoted(members[m].value);
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

static int status(struct binfmt_args *args, struct err *e)
{
    struct binfmt_list now, boot;
    bool mounted = binfmt_mounted(args->root), on = binfmt_switched_on(args->root);
    binfmt_list_now(args->root, &now);
    binfmt_list_boot(args->root, &boot);
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

static const struct {
    const char *name;
    int (*run)(struct binfmt_args *args, struct err *e);
} verbs[] = {
    {"install", install},
    {"remove", uninstall},
    {"status", status},
};

void cmd_binfmt_print_options(void *file)
{
    options_print(rows, file);
}

int cmd_binfmt(int argc, char **argv)
{
    struct binfmt_args args = {.root = ""};
    struct err e = {0};
    int rc = options_parse(rows, argc, argv, &args, take_verb, &e);
    if (rc == 0 && !args.verb)
        rc = err_set(&e, EINVAL, "install, remove or status?");
    size_t i = 0;
    while (rc == 0 && i < ARRAY_SIZE(verbs) && strcmp(verbs[i].name, args.verb) != 0)
        i++;
    if (rc == 0)
        rc = i < ARRAY_SIZE(verbs)
                 ? verbs[i].run(&args, &e)
                 : err_set(&e, EINVAL, "%s: install, remove or status?", args.verb);
    if (rc < 0) {
        err_prefix(&e, "binfmt");
        return cli_fail(&e);
    }
    return EXIT_OK;
}
