/* store_dir.c: a directory of stores: files of records, one a version, and beside them (a dot and
 * 16 digits more in their names) images of programs. What was used least recently goes first: by
 * the time of modification, and for images that of access, which their users set.
 *
 * Limits: files are looked for anew for each that goes.
 */
#include "core/translator/store_int.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_store_file(const char *name)
{
    return strncmp(name, "code-", 5) == 0;
}

static bool is_image(const char *name)
{
    const char *dot = strchr(name, '.');
    return is_store_file(name) && dot && strspn(dot + 1, "0123456789abcdef") == 16;
}

static bool older(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

/* The oldest file but `own` and what it has turned over; adds up what all take. */
static bool find_oldest(DIR *dir, const char *own, char name[256], uint64_t *ret_bytes)
{
    struct timespec oldest = {0};
    bool found = false;
    *ret_bytes = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        struct stat st;
        if (!is_store_file(entry->d_name) ||
            fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        *ret_bytes += (uint64_t)st.st_blocks * 512;
        bool records = strncmp(entry->d_name, own, strlen(own)) == 0 && !is_image(entry->d_name);
        const struct timespec *used = is_image(entry->d_name) ? &st.st_atim : &st.st_mtim;
        if (!records && (!found || older(used, &oldest))) {
            snprintf(name, 256, "%s", entry->d_name);
            oldest = *used;
            found = true;
        }
    }
    return found;
}

void store_evict(const char *directory, const char *own, uint64_t limit_bytes)
{
    char name[256];
    uint64_t bytes;
    bool again = true;
    while (again) {
        DIR *dir = opendir(directory);
        again = dir && find_oldest(dir, own, name, &bytes) && bytes > limit_bytes &&
                unlinkat(dirfd(dir), name, 0) == 0;
        if (dir)
            closedir(dir);
    }
}

/* --- for the user -------------------------------------------------------------------------------
 */

static void add_info(int fd, const char *name, struct store_info *info)
{
    struct store_header h = {0};
    struct stat st;
    if (fstat(fd, &st) < 0)
        return;
    info->files++;
    info->bytes += (uint64_t)st.st_blocks * 512;
    if (is_image(name))
        info->programs++;
    else if (pread(fd, &h, sizeof(h), 0) == (ssize_t)sizeof(h) && h.magic == STORE_MAGIC)
        info->records += h.records;
}

int store_info(const char *directory, struct store_info *ret, struct err *e)
{
    struct store_info info = {0};
    DIR *dir = opendir(directory);
    if (!dir && errno != ENOENT)
        return err_set_errno(e, errno, "%s", directory);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        if (!is_store_file(entry->d_name))
            continue;
        int fd = openat(dirfd(dir), entry->d_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
            continue;
        add_info(fd, entry->d_name, &info);
        close(fd);
    }
    if (dir)
        closedir(dir);
    *ret = info;
    return 0;
}

int store_clear(const char *directory, struct err *e)
{
    int r = 0;
    DIR *dir = opendir(directory);
    if (!dir)
        return errno == ENOENT ? 0 : err_set_errno(e, errno, "%s", directory);
    for (struct dirent *entry; (entry = readdir(dir));)
        if (is_store_file(entry->d_name) && unlinkat(dirfd(dir), entry->d_name, 0) < 0)
            r = err_set_errno(e, errno, "%s/%s", directory, entry->d_name);
    closedir(dir);
    return r;
}
