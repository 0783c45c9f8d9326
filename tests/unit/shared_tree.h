/* shared_tree.h: the directory that tests of shares serve, and a secret beside it that no guest may
 * reach. */
#ifndef PENG_TESTS_UNIT_SHARED_TREE_H
#define PENG_TESTS_UNIT_SHARED_TREE_H

/* top/: secret, and directory/: hello, sub/inner, and symbolic links up (to the secret), updir,
 * abs. */
struct shared_tree {
    char top[64], directory[128];
};

void shared_tree_make(struct shared_tree *tree);
/* Writes a file below top. */
void shared_tree_write(const struct shared_tree *tree, const char *name, const char *text);
/* 0, or what the removal failed with. */
int shared_tree_remove(const struct shared_tree *tree);

#endif
