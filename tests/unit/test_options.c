/* test_options.c: the option parser's table, with good and bad command lines. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "tools/cli/options.h"

struct seen {
    const char *size, *image;
    unsigned flags;
};

static int take_size(void *ctx, char *value, struct err *e)
{
    if (strcmp(value, "bad") == 0)
        return err_set(e, EINVAL, "not good");
    ((struct seen *)ctx)->size = value;
    return 0;
}

static int take_flag(void *ctx, char *value, struct err *e)
{
    assert_null(value);
    ((struct seen *)ctx)->flags++;
    return 0;
}

static int take_image(void *ctx, char *value, struct err *e)
{
    ((struct seen *)ctx)->image = value;
    return 0;
}

static const struct option_row rows[] = {
    {"--size", "SIZE", "a size", take_size},
    {"--flag", NULL, "a flag", take_flag},
    {0},
};

enum { WORDS_MAX = 8 };

/* Parses words separated by blanks. */
static int parse(const char *line, struct seen *seen, struct err *e)
{
    static char copy[256];
    char *argv[WORDS_MAX] = {"peng"}, *rest;
    int argc = 1;
    snprintf(copy, sizeof(copy), "%s", line);
    for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        argv[argc++] = word;
    *seen = (struct seen){0};
    return options_parse(rows, argc, argv, seen, take_image, e);
}

static void test_good(void **state)
{
    struct seen seen;
    assert_int_equal(parse("--size 3 --flag disk", &seen, NULL), 0);
    assert_string_equal(seen.size, "3");
    assert_string_equal(seen.image, "disk");
    assert_int_equal(seen.flags, 1);
    assert_int_equal(parse("--size=a=b", &seen, NULL), 0);
    assert_string_equal(seen.size, "a=b");
    assert_int_equal(parse("-- --flag", &seen, NULL), 0);
    assert_string_equal(seen.image, "--flag");
    assert_int_equal(parse("-", &seen, NULL), 0);
    assert_string_equal(seen.image, "-");
}

static void test_bad(void **state)
{
    static const char *const lines[][2] = {
        {"--size", "--size needs a value"},     {"--flag=1", "--flag takes no value"},
        {"--siz 3", "--siz: no such option"},   {"-x", "-x: no such option"},
        {"--size bad", "--size bad: not good"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        struct seen seen;
        struct err e = {0};
        assert_int_equal(parse(lines[i][0], &seen, &e), -EINVAL);
        assert_non_null(strstr(e.text, lines[i][1]));
    }
}

static void test_cut(void **state)
{
    char text[] = "a,b=c,,d";
    char *b = options_cut(text), *c = options_cut(b), *d = options_cut(c);
    assert_string_equal(text, "a");
    assert_string_equal(b, "b=c");
    assert_string_equal(c, "");
    assert_string_equal(d, "d");
    assert_null(options_cut(d));
}

static void test_value(void **state)
{
    char vars[] = "vars=a=b", longer[] = "varsity=1", empty[] = "vars=", bare[] = "vars";
    assert_string_equal(options_value(vars, "vars"), "a=b");
    assert_null(options_value(longer, "vars"));
    assert_null(options_value(empty, "vars"));
    assert_null(options_value(bare, "vars"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
