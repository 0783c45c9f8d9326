/* shared_tree.c: makes and removes the tree, in the working directory. */
#include "shared_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

void shared_tree_write(const struct shared_tree *tree, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", tree->top, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void link_to(const struct shared_tree *tree, const char *name, const char *target)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", tree->directory, name);
    assert_int_equal(symlink(target, path), 0);
}

void shared_tree_make(struct shared_tree *tree)
{
    char path[256];
    strcpy(tree->top, "peng-share-XXXXXX");
    assert_non_null(mkdtemp(tree->top));
    snprintf(tree->directory, sizeof(tree->directory), "%s/share", tree->top);
    assert_int_equal(mkdir(tree->directory, 0755), 0);
    snprintf(path, sizeof(path), "%s/sub", tree->directory);
    assert_int_equal(mkdir(path, 0755), 0);
    shared_tree_write(tree, "secret", "secret");
    shared_tree_write(tree, "share/hello", "hello, world\n");
    shared_tree_write(tree, "share/sub/inner", "inner");
    link_to(tree, "up", "../secret");
    link_to(tree, "updir", "..");
    link_to(tree, "abs", "/etc");
}

int shared_tree_remove(const struct shared_tree *tree)
{
    char command[128];
    snprintf(command, sizeof(command), "rm -rf %s", tree->top);
    return system(command);
}
