/* store.h: translations kept in a file, so that a page of guest code is translated once.
 *
 * A record holds what was made of one page of guest code under one lift context, with the page's
 * bytes; it is found by those bytes alone. Any number of processes read and add at the same time.
 * Whatever is wrong with the file (another owner, other people's rights, damage, a full disk) costs
 * the translations in it and nothing else.
 *
 * When a file has reached half of the limit it becomes the old one and a new one is begun; what is
 * found in the old one is written anew (store_put) and so stays. That approximates least recently
 * used.
 */
#ifndef PENG_CORE_TRANSLATOR_STORE_H
#define PENG_CORE_TRANSLATOR_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "core/translator/translator.h"

struct store;

enum { STORE_LIMIT_MIB_DEFAULT = 1024, STORE_RECORD_MAX = (4 << 20) - (8 << 10) };

struct store_config {
    const char *directory; /* made where it is not there, with mode 0700 */
    uint64_t version; /* of everything that generated code depends on; part of the file's name */
    uint64_t limit_bytes;      /* of all files of this version; 0: the default */
    bool images;               /* records then leave half of that to them */
    struct translator_fds fds; /* {0}: descriptors stay where they are */
};

/* Errors: EPERM (owner or mode), EACCES, EROFS, ENOSPC ... The caller goes on without. */
int store_open(const struct store_config *config, struct store **ret_store, struct err *e);
void store_close(struct store *store);
const char *store_directory(const struct store *store);

/* The record for this page, into a buffer that the store owns until the next call; NULL: none, or
 * the one that the caller has already. *known: which that is, 0 for none; which it is now.
 * *ret_old: it lies in the old file and should be put again. */
const void *store_find(struct store *store, const uint8_t page[4096], uint32_t context,
                       uint32_t *known, size_t *ret_bytes, bool *ret_old);

/* Adds records: begin (false: another process is writing, or the disk is full; try another time),
 * any number of put, end. A later record for the same page takes the earlier one's place. */
bool store_begin(struct store *store);
void store_put(struct store *store, const uint8_t page[4096], uint32_t context, const void *data,
               size_t bytes);
void store_end(struct store *store);

/* User mode: a secret that all who use this store have, another one after each boot: by it guests'
 * addresses are chosen (memory.c), so that a program finds itself again in its image. False: there
 * is none, for the file cannot be written. */
bool store_seed(struct store *store, uint64_t ret_seed[2]);

/* Images: what a program's translations, made and linked, were when it ended (freeze.c). `key`: of
 * the program. A descriptor for reading, which the caller closes, or as store_open(). */
int store_image_open(const struct store *store, uint64_t key, struct err *e);
/* Between store_begin() and store_end(): a descriptor for an image of so many bytes, which takes
 * the place of the old one at the end, if it is good; or -errno. What was used least recently makes
 * room for it. */
int store_image_begin(const struct store *store, uint64_t bytes);
bool store_image_end(const struct store *store, uint64_t key, int fd, bool good);
void store_image_drop(const struct store *store, uint64_t key);

/* For `peng cache`. */
struct store_info {
    unsigned files, programs;
    uint64_t records, bytes;
};
int store_info(const char *directory, struct store_info *ret, struct err *e);
int store_clear(const char *directory, struct err *e);

#endif
