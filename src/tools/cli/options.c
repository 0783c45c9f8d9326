/* options.c: long options only; a command of this project has no one-letter ones but -h. */
#include "tools/cli/options.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct option_row *find(const struct option_row *rows, const char *arg, size_t length)
{
    for (; rows->name; rows++)
        if (strlen(rows->name) == length && memcmp(rows->name, arg, length) == 0)
            return rows;
    return NULL;
}

static int take(const struct option_row *row, void *ctx, char *value, struct err *e)
{
    int rc = row->take(ctx, value, e);
    if (rc < 0)
        err_prefix(e, value ? "%s %s" : "%s", row->name, value);
    return rc;
}

int options_parse(const struct option_row *rows, int argc, char **argv, void *ctx,
                  int (*positional)(void *ctx, char *value, struct err *e), struct err *e)
{
    bool ended = false;
    for (int i = 1; i < argc; i++) {
        char *arg = argv[i];
        int rc = 0;
        if (!ended && strcmp(arg, "--") == 0) {
            ended = true;
            continue;
        }
        if (ended || arg[0] != '-' || arg[1] == '\0') {
            if (!positional)
                return err_set(e, EINVAL, "%s: one argument too many", arg);
            rc = positional(ctx, arg, e);
        } else {
            size_t length = strcspn(arg, "=");
            const struct option_row *row = find(rows, arg, length);
            char *value = arg[length] == '=' ? arg + length + 1 : NULL;
            if (!row)
                return err_set(e, EINVAL, "%.*s: no such option (see peng help)", (int)length, arg);
            if (value && !row->value)
                return err_set(e, EINVAL, "%s takes no value", row->name);
            if (!value && row->value && i + 1 >= argc)
                return err_set(e, EINVAL, "%s needs a value: %s", row->name, row->value);
            if (!value && row->value)
                value = argv[++i];
            rc = take(row, ctx, value, e);
        }
        if (rc < 0)
            return rc;
    }
    return 0;
}

void options_print(const struct option_row *rows, void *file)
{
    for (; rows->name; rows++) {
        char left[80];
        snprintf(left, sizeof(left), "%s%s%s", rows->name, rows->value ? " " : "",
                 rows->value ? rows->value : "");
        if (strlen(left) > 26)
            fprintf(file, "  %s\n  %-26s %s\n", left, "", rows->help);
        else
            fprintf(file, "  %-26s %s\n", left, rows->help);
    }
}

char *options_cut(char *text)
{
    char *comma = strchr(text, ',');
    if (!comma)
        return NULL;
    *comma = '\0';
    return comma + 1;
}

char *options_value(char *word, const char *key)
{
    size_t length = strlen(key);
    bool is_key = strncmp(word, key, length) == 0 && word[length] == '=';
    return is_key && word[length + 1] ? word + length + 1 : NULL;
}
