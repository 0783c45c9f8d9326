/* place.h: where a user's translations lie. */
#ifndef PENG_CORE_TRANSLATOR_PLACE_H
#define PENG_CORE_TRANSLATOR_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct place {
    char directory[480];
    uint64_t limit_bytes; /* of what lies there; 0: the store's default */
};

#define PLACE_MEMORY "/dev/shm" /* a tmpfs that chroots share and images do not carry */

enum {
    PLACE_MEMORY_MIB_MAX = 256,
    PLACE_MEMORY_SHARE = 8 /* of the tmpfs, at most one in so many */
};

/* Whether translations may be kept: not if PENG_CACHE is "off" or "0", nor by a set-id program. */
bool place_wanted(void);
/* By the user's choice: PENG_CACHE (a path), else $XDG_CACHE_HOME/peng, else $HOME/.cache/peng.
 * False: there is none. */
bool place_chosen(struct place *ret);
/* Whether PENG_CACHE names one, which is then used in every root. */
bool place_is_named(void);
/* The directory peng-UID in `memory` (PLACE_MEMORY), made if `make` says so. Errors: ENOTSUP (no
 * tmpfs, or others may rename in it), EPERM (somebody else's directory, or open to others), ENOENT,
 * EACCES ... */
int place_in_memory(const char *memory, bool make, struct place *ret, struct err *e);

#endif
