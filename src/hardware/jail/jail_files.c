/* jail_files.c: Landlock: a ruleset that handles every right on files which this kernel knows, with
 * a rule for each path that stays in reach.
 *
 * Landlock binds a thread and those that it starts later, so it comes before the machine's threads
 * do. What is open already is not concerned. Files are reopened by virtio shares through
 * /proc/self/fd, where Landlock looks at the file that the entry leads to.
 *
 * Source: Linux, Documentation/userspace-api/landlock.rst. Limits: version 1 (Linux 5.13) forbids
 * moving files between folders, so there a share that the guest may change goes without.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bytes.h"
#include "hardware/jail/jail.h"

/* Newer than Debian 12's header. */
#define ACCESS_FS_TRUNCATE  (1ull << 14)
#define ACCESS_FS_IOCTL_DEV (1ull << 15)

enum { ABI_REFER = 2, ABI_TRUNCATE = 3, ABI_IOCTL_DEV = 5 };

#define OF_FILES                                                                                   \
    (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE |   \
     ACCESS_FS_TRUNCATE | ACCESS_FS_IOCTL_DEV)

static const uint64_t granted[] = {
    [JAIL_READ] = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
    [JAIL_KEEP] = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |
                  LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE |
                  LANDLOCK_ACCESS_FS_MAKE_REG | ACCESS_FS_TRUNCATE,
    [JAIL_CHANGE] = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |
                    LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE |
                    LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
                    LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_SYM |
                    LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
                    LANDLOCK_ACCESS_FS_REFER | ACCESS_FS_TRUNCATE,
};

static int landlock_version(void)
{
    return (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

/* All rights that a version of Landlock can take away. */
static uint64_t known_rights(int version)
{
    uint64_t rights = LANDLOCK_ACCESS_FS_MAKE_SYM * 2 - 1;
    if (version >= ABI_REFER)
        rights |= LANDLOCK_ACCESS_FS_REFER;
    if (version >= ABI_TRUNCATE)
        rights |= ACCESS_FS_TRUNCATE;
    if (version >= ABI_IOCTL_DEV)
        rights |= ACCESS_FS_IOCTL_DEV;
    return rights;
}

static int add_path(int ruleset, uint64_t known, const struct jail_path *path, struct err *e)
{
    struct stat st;
    int fd = open(path->path, O_PATH | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0 || fstat(fd, &st) < 0) {
        int r = err_set_errno(e, errno, "Landlock: %s", path->path);
        if (fd >= 0)
            close(fd);
        return r;
    }
    struct landlock_path_beneath_attr rule = {
        .allowed_access = granted[path->access] & known & (S_ISDIR(st.st_mode) ? ~0ull : OF_FILES),
        .parent_fd = fd,
    };
    int r = 0;
    if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
        r = err_set_errno(e, errno, "Landlock: %s", path->path);
    close(fd);
    return r;
}

int jail_files(const struct jail_path *paths, size_t count, struct err *e)
{
    int version = landlock_version();
    if (version < 1)
        return err_set(e, ENOTSUP, "this kernel has no Landlock: all files stay in reach");
    for (size_t i = 0; i < count; i++)
        if (version < ABI_REFER && paths[i].access == JAIL_CHANGE)
            return err_set(e, ENOTSUP,
                           "Landlock %d cannot keep a share that the guest may change: all files "
                           "stay in reach",
                           version);
    uint64_t known = known_rights(version);
    struct landlock_ruleset_attr attributes = {.handled_access_fs = known};
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes,
                               sizeof(attributes.handled_access_fs), 0);
    if (ruleset < 0)
        return err_set(e, ENOTSUP, "Landlock makes no rules (error %d)", errno);
    int r = 0;
    for (size_t i = 0; r == 0 && i < count; i++)
        r = add_path(ruleset, known, &paths[i], e);
    if (r == 0 && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
                   syscall(SYS_landlock_restrict_self, ruleset, 0) < 0))
        r = err_set_errno(e, errno, "Landlock");
    close(ruleset);
    return r < 0 ? -ENOTSUP : 0;
}

void jail_describe(char *text, size_t size)
{
    int version = landlock_version();
    if (version < 1)
        snprintf(text, size, "seccomp, %u system calls; this kernel has no Landlock",
                 jail_count_calls(JAIL_WORK_ALL));
    else
        snprintf(text, size, "seccomp, at most %u system calls; Landlock %d",
                 jail_count_calls(JAIL_WORK_ALL), version);
}
