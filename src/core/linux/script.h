/* script.h: the first line of a script. Source: Linux 6.1, fs/binfmt_script.c. */
#ifndef PENG_CORE_LINUX_SCRIPT_H
#define PENG_CORE_LINUX_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>

/* What the kernel looks at (BINPRM_BUF_SIZE), and how deep scripts may call scripts. */
enum { SCRIPT_LINE_MAX = 256, SCRIPT_DEPTH_MAX = 5 };

struct script {
    char interpreter[SCRIPT_LINE_MAX];
    char argument[SCRIPT_LINE_MAX]; /* all the rest of the line as one word; empty: none */
};

static inline bool script_is(const char *head, size_t head_bytes)
{
    return head_bytes >= 2 && head[0] == '#' && head[1] == '!';
}

/* 0, or -ENOEXEC where the line names no interpreter or is cut off within its name. */
int script_parse(const char *head, size_t head_bytes, struct script *ret_script);

/* The arguments that the interpreter gets: itself, the line's argument, the script, and argv[1..].
 * Borrows the strings; free() the array. NULL: no memory. */
char **script_argv(const struct script *script, const char *path, char *const *argv);

#endif
