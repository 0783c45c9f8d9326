/* place.c: translations lie in the user's cache directory. In a root that peng-arm64's own file is
 * not part of, as in a chroot that binfmt_misc serves, that would be the root's, which may be about
 * to become an image: there they lie in memory, in the tmpfs /dev/shm, which chroots are given and
 * images do not carry.
 *
 * Anybody may make files in /dev/shm, under our name too. What is there is used only if it is a
 * directory (no link), on the tmpfs itself, and this user's alone; in a directory with the sticky
 * bit nobody else can then put another in its place.
 *
 * Limits: who shares /dev/shm with a container as the same user shares translations with it, as
 * with a shared home. They are gone when the machine restarts.
 */
#include "core/translator/place.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Nothing of the caller's for a program that runs with other rights. */
static const char *named(void)
{
    const char *name = secure_getenv("PENG_CACHE");
    return name && *name ? name : NULL;
}

bool place_wanted(void)
{
    if (getauxval(AT_SECURE)) /* a program with other rights than its caller's */
        return false;
    const char *name = named();
    return !name || (strcmp(name, "off") != 0 && strcmp(name, "0") != 0);
}

bool place_is_named(void)
{
    return named();
}

bool place_chosen(struct place *ret)
{
    const char *cache = secure_getenv("XDG_CACHE_HOME"), *home = secure_getenv("HOME");
    int n = 0;
    *ret = (struct place){0};
    if (!place_wanted())
        return false;
    if (named())
        n = snprintf(ret->directory, sizeof(ret->directory), "%s", named());
    else if (cache && *cache == '/')
        n = snprintf(ret->directory, sizeof(ret->directory), "%s/peng", cache);
    else if (home && *home == '/')
        n = snprintf(ret->directory, sizeof(ret->directory), "%s/.cache/peng", home);
    return n > 0 && (size_t)n < sizeof(ret->directory);
}

/* The tmpfs, where what is ours cannot be replaced by others; and how much of it is for us. */
static int check_memory(int fd, const char *memory, dev_t *ret_device, uint64_t *ret_limit_bytes,
                        struct err *e)
{
    struct stat st;
    struct statfs fs;
    if (fstat(fd, &st) < 0 || fstatfs(fd, &fs) < 0)
        return err_set_errno(e, errno, "%s", memory);
    if (fs.f_type != TMPFS_MAGIC)
        return err_set(e, ENOTSUP, "%s is not a tmpfs", memory);
    if (st.st_mode & 022 && !(st.st_mode & S_ISVTX))
        return err_set(e, ENOTSUP, "%s: others may rename what is in it", memory);
    uint64_t share = (uint64_t)fs.f_blocks * (uint64_t)fs.f_bsize / PLACE_MEMORY_SHARE;
    uint64_t most = (uint64_t)PLACE_MEMORY_MIB_MAX << 20;
    *ret_limit_bytes = share && share < most ? share : most; /* 0 blocks: a tmpfs without limit */
    *ret_device = st.st_dev;
    return 0;
}

static int check_own(int memory_fd, const char *name, const char *path, dev_t device, struct err *e)
{
    struct stat st;
    if (fstatat(memory_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return err_set_errno(e, errno, "%s", path);
    if (!S_ISDIR(st.st_mode) || st.st_dev != device || st.st_uid != geteuid() || st.st_mode & 077)
        return err_set(e, EPERM, "%s is not this user's own directory: not used", path);
    return 0;
}

int place_in_memory(const char *memory, bool make, struct place *ret, struct err *e)
{
    struct place place;
    dev_t device = 0;
    int n = snprintf(place.directory, sizeof(place.directory), "%s/peng-%u", memory, geteuid());
    if (n < 0 || (size_t)n >= sizeof(place.directory))
        return err_set(e, ENAMETOOLONG, "%s", memory);
    const char *name = strrchr(place.directory, '/') + 1;
    int fd = open(memory, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return err_set_errno(e, errno, "%s", memory);
    int rc = check_memory(fd, memory, &device, &place.limit_bytes, e);
    if (rc == 0)
        rc = check_own(fd, name, place.directory, device, e);
    if (rc == -ENOENT && make) {
        if (mkdirat(fd, name, 0700) < 0 && errno != EEXIST)
            rc = err_set_errno(e, errno, "%s", place.directory);
        else
            rc = check_own(fd, name, place.directory, device, e);
    }
    close(fd);
    if (rc == 0)
        *ret = place;
    return rc;
}
