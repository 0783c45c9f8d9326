/* fuzz_options.c: command lines: arguments that are cut at zero bytes, against a table of every
 * kind of row. */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tools/cli/options.h"

enum { ARGUMENTS_MAX = 32 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int take_word(void *ctx, char *value, struct err *e)
{
    (void)ctx;
    (void)e;
    assert(value);
    for (char *next; value; value = next) {
        size_t length = strlen(value);
        next = options_cut(value);
        assert(strlen(value) <= length && !strchr(value, ','));
        assert(!next || next <= value + length);
    }
    return 0;
}

static int take_nothing(void *ctx, char *value, struct err *e)
{
    (void)ctx;
    (void)e;
    assert(!value);
    return 0;
}

static int refuse(void *ctx, char *value, struct err *e)
{
    (void)ctx;
    return err_set(e, EINVAL, "%s: not this", value);
}

static const struct option_row rows[] = {
    {"--list", "WORDS", "takes words", take_word},
    {"--flag", NULL, "takes nothing", take_nothing},
    {"--no", "WORD", "takes nothing it is given", refuse},
    {0},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1), *arguments[ARGUMENTS_MAX + 1] = {(char *)(uintptr_t) "peng"};
    struct err e = {0};
    int count = 1, context = 0;
    assert(text);
    memcpy(text, data, size);
    text[size] = 0;
    for (char *at = text; at <= text + size && count < ARGUMENTS_MAX; at += strlen(at) + 1)
        arguments[count++] = at;
    int rc = options_parse(rows, count, arguments, &context, size & 1 ? take_word : NULL, &e);
    assert((rc == 0) == (e.text[0] == 0));
    assert(rc == 0 || !strchr(e.text, '\n') || memchr(data, '\n', size));
    free(text);
    return 0;
}
