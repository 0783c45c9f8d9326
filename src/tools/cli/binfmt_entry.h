/* binfmt_entry.h: one handler of binfmt_misc, read from any of the forms it is written in. */
#ifndef PENG_TOOLS_CLI_BINFMT_ENTRY_H
#define PENG_TOOLS_CLI_BINFMT_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BINFMT_LINE_MAX = 1920,       /* fs/binfmt_misc.c: MAX_REGISTER_LENGTH */
    BINFMT_INTERPRETER_MAX = 127, /* Documentation/admin-guide/binfmt-misc.rst */
    BINFMT_NAME_MAX = 255,
    BINFMT_MAGIC_MAX = 256, /* BINPRM_BUF_SIZE: all of a file that the kernel looks at */
};

struct binfmt_entry {
    char name[BINFMT_NAME_MAX + 1];
    char interpreter[BINFMT_LINE_MAX];
    char flags[16];
    bool enabled;
    unsigned offset, magic_bytes;
    uint8_t magic[BINFMT_MAGIC_MAX], mask[BINFMT_MAGIC_MAX];
};

/* What binfmt_misc shows of a handler under `name`. False: not a handler by magic, or malformed. */
bool binfmt_entry_from_kernel(struct binfmt_entry *entry, const char *name, const char *text);

/* A line as written to `register` and in binfmt.d. False: a comment, not by magic, or malformed. */
bool binfmt_entry_from_line(struct binfmt_entry *entry, const char *line);

/* The line that registers `entry`; false where it would be longer than BINFMT_LINE_MAX. */
bool binfmt_entry_line(const struct binfmt_entry *entry, char line[BINFMT_LINE_MAX + 1]);

/* Whether arm64 programs would be given to it, were it enabled. */
bool binfmt_entry_takes_arm64(const struct binfmt_entry *entry);

/* Ours: name, magic and flags filled in, for `interpreter`. */
void binfmt_entry_ours(struct binfmt_entry *entry, const char *interpreter);

#endif
