/* verb.c: what commands of several verbs share: finding the verb, and --format. */
#include "tools/cli/verb.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tools/cli/cli.h"

int verb_take_format(void *ctx, char *value, struct err *e)
{
    struct verb_args *args = ctx;
    args->json = strcmp(value, "json") == 0;
    return args->json || strcmp(value, "text") == 0 ? 0 : err_set(e, EINVAL, "text or json");
}

static int take_verb(void *ctx, char *value, struct err *e)
{
    struct verb_args *args = ctx;
    if (args->verb)
        return err_set(e, EINVAL, "%s: one argument too many", value);
    args->verb = value;
    return 0;
}

/* EINVAL, with the verbs that there are. */
static int no_such_verb(const struct verb *verbs, const char *name, struct err *e)
{
    char list[100] = "";
    for (const struct verb *v = verbs; v->name; v++) {
        size_t length = strlen(list);
        const char *between = v == verbs ? "" : v[1].name ? ", " : " or ";
        snprintf(list + length, sizeof(list) - length, "%s%s", between, v->name);
    }
    return err_set(e, EINVAL, "%s%s%s?", name ? name : "", name ? ": " : "", list);
}

int verb_command(const struct verb *verbs, const struct option_row *options, int argc, char **argv,
                 struct verb_args *args)
{
    struct err e = {0};
    const struct verb *v = verbs;
    int rc = options_parse(options, argc, argv, args, take_verb, &e);
    while (v->name && (!args->verb || strcmp(v->name, args->verb) != 0))
        v++;
    if (rc == 0)
        rc = v->name ? v->run(args, &e) : no_such_verb(verbs, args->verb, &e);
    if (rc == 0)
        return EXIT_OK;
    err_prefix(&e, "%s", argv[0]);
    return cli_fail(&e);
}

void verb_print_quoted(const char *text)
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
