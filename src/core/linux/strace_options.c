/* strace_options.c: calls of which one argument says what the others are: futex, fcntl, ioctl and
 * prctl.
 */
#include <linux/futex.h>

#include "core/linux/strace_int.h"

/* --- futex --------------------------------------------------------------------------------------
 */

enum {
    FUTEX_HAS_TIME = 1,  /* the fourth argument is a time; without: not there */
    FUTEX_HAS_COUNT = 2, /* it is a number */
    FUTEX_HAS_ADDRESS2 = 4,
    FUTEX_HAS_VALUE3 = 8,
};

static unsigned futex_arguments(uint64_t op)
{
    static const uint8_t has[] = {
        [FUTEX_WAIT] = FUTEX_HAS_TIME,
        [FUTEX_REQUEUE] = FUTEX_HAS_COUNT | FUTEX_HAS_ADDRESS2,
        [FUTEX_CMP_REQUEUE] = FUTEX_HAS_COUNT | FUTEX_HAS_ADDRESS2 | FUTEX_HAS_VALUE3,
        [FUTEX_WAKE_OP] = FUTEX_HAS_COUNT | FUTEX_HAS_ADDRESS2 | FUTEX_HAS_VALUE3,
        [FUTEX_LOCK_PI] = FUTEX_HAS_TIME,
        [FUTEX_WAIT_BITSET] = FUTEX_HAS_TIME | FUTEX_HAS_ADDRESS2 | FUTEX_HAS_VALUE3,
        [FUTEX_WAKE_BITSET] = FUTEX_HAS_COUNT | FUTEX_HAS_ADDRESS2 | FUTEX_HAS_VALUE3,
        [FUTEX_WAIT_REQUEUE_PI] = FUTEX_HAS_TIME | FUTEX_HAS_ADDRESS2,
        [FUTEX_CMP_REQUEUE_PI] = FUTEX_HAS_COUNT | FUTEX_HAS_ADDRESS2 | FUTEX_HAS_VALUE3,
        [FUTEX_LOCK_PI2] = FUTEX_HAS_TIME,
    };
    op &= FUTEX_CMD_MASK & 0xffffffff;
    return op < ARRAY_SIZE(has) ? has[op] : 0;
}

void strace_print_futex_time(const struct strace_call *c, unsigned i)
{
    unsigned has = futex_arguments(c->a[1]);
    if (has & FUTEX_HAS_TIME)
        strace_struct(c->out, &strace_timespec, c->a[i]);
    else if (has & FUTEX_HAS_COUNT)
        strace_add(c->out, "%u", (unsigned)c->a[i]);
}

void strace_print_futex_address2(const struct strace_call *c, unsigned i)
{
    if (futex_arguments(c->a[1]) & FUTEX_HAS_ADDRESS2)
        strace_pointer(c->out, c->a[i]);
}

void strace_print_futex_value3(const struct strace_call *c, unsigned i)
{
    if (futex_arguments(c->a[1]) & FUTEX_HAS_VALUE3)
        strace_add(c->out, "%#x", (unsigned)c->a[i]);
}

/* --- fcntl, ioctl, prctl ------------------------------------------------------------------------
 */

static const struct strace_option *option_of(const struct strace_call *c)
{
    static const struct {
        const char *call;
        unsigned at;
        const struct strace_option *options;
    } with[] = {
        {"fcntl", 1, strace_fcntls}, {"ioctl", 1, strace_ioctls}, {"prctl", 0, strace_prctls}};
    for (unsigned k = 0; k < ARRAY_SIZE(with); k++)
        if (strcmp(c->name, with[k].call) == 0)
            return strace_option_find(with[k].options, (uint32_t)c->a[with[k].at]);
    return NULL;
}

void strace_print_option(const struct strace_call *c, unsigned i)
{
    const struct strace_option *option = option_of(c);
    if (option)
        strace_add(c->out, "%s", option->name);
    else
        strace_add(c->out, "%#x", (unsigned)c->a[i]);
}

/* The n-th argument behind the option, by the option's words. All of them are printed after the
 * call, when inputs are still there and outputs are there too. */
void strace_print_option_argument(const struct strace_call *c, unsigned i)
{
    const struct strace_option *option = option_of(c);
    const char *at = option ? option->words : "", *word;
    unsigned first = strcmp(c->name, "prctl") == 0 ? 1 : 2;
    size_t length = strace_word_next(&at, &word);
    if (!option) { /* all we know is that there may be one */
        if (i == first)
            strace_add(c->out, "%#lx", c->a[i]);
        return;
    }
    for (unsigned k = first; k < i && length; k++)
        length = strace_word_next(&at, &word);
    const struct strace_word *found = length ? strace_word_find(word, length) : NULL;
    if (found && word[length - 1] == '>' && c->result < 0)
        strace_pointer(c->out, c->a[i]);
    else if (found)
        strace_argument(c, found, i);
}

const struct strace_option *strace_option_find(const struct strace_option *table, uint64_t value)
{
    for (; table->name; table++)
        if (table->value == value)
            return table;
    return NULL;
}
