/* binfmt.h: which handler this host gives arm64 programs to: now (binfmt_misc) and at boot
 * (binfmt.d, read by systemd-binfmt).
 */
#ifndef PENG_TOOLS_CLI_BINFMT_H
#define PENG_TOOLS_CLI_BINFMT_H

#include "base/err.h"
#include "tools/cli/binfmt_entry.h"

/* A handler for arm64 programs, and the file that says so: below binfmt_misc or a binfmt.d. */
struct binfmt_found {
    struct binfmt_entry entry;
    char file[512];
    bool ours;
};

struct binfmt_list {
    struct binfmt_found *items; /* owned; binfmt_list_done() */
    size_t count;
};

void binfmt_list_done(struct binfmt_list *list);

/* `root` is what stands in front of every path, "" for the host itself; tests give a directory. */

/* Whether binfmt_misc is mounted, and on as a whole. */
bool binfmt_mounted(const char *root);
bool binfmt_switched_on(const char *root);
/* Handlers registered now, enabled or not. Empty where binfmt_misc is not mounted. */
void binfmt_list_now(const char *root, struct binfmt_list *ret_list);
/* Those that the binfmt.d folders will register at boot. */
void binfmt_list_boot(const char *root, struct binfmt_list *ret_list);

struct binfmt_install {
    const char *binary; /* absolute path of peng-arm64 */
    bool replace;       /* put it in place of any other handler; remove brings that back */
    bool temporary;     /* until the next boot only */
};

/* 0, or negative errno with one line: not root, no binfmt_misc, another handler, no such program
 * or one that is not static, a file that cannot be written. Nothing is changed then. */
int binfmt_install(const char *root, const struct binfmt_install *options, struct err *e);

/* Undoes every install. -ENOENT where there is nothing to undo. */
int binfmt_remove(const char *root, struct err *e);

#endif
