/* gdb_file.c: vFile packets: gdb reads the program and its libraries through the target, so that it
 * needs no copy of the target's root directory.
 *
 * A table by operation. Every answer is "F" and a result in hexadecimal, or "F-1," and an error of
 * the File-I/O protocol.
 *
 * Limits: files are only read.
 */
#include "interface/gdb_file.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"

enum { PATH_BYTES = 4096, READ_MAX = GDB_PACKET_MAX / 2 - 64, FILEIO_EUNKNOWN = 9999 };

struct request {
    struct gdb_files *files;
    int (*open)(void *ctx, const char *path);
    void *ctx;
    struct gdb_reply *reply;
};

/* struct stat of the File-I/O protocol: big-endian. */
struct fileio_stat {
    uint32_t dev, ino, mode, nlink, uid, gid, rdev;
    uint64_t size, blksize, blocks;
    uint32_t atime, mtime, ctime;
} __attribute__((packed));
static_assert(sizeof(struct fileio_stat) == 64, "as the protocol has it");

static void fail(const struct request *r, int error)
{
    /* These have the host's numbers; others have none (E.13.8.5). */
    static const int same[] = {EPERM,  ENOENT, EINTR,  EBADF,   EACCES, EFAULT,
                               EBUSY,  EEXIST, ENODEV, ENOTDIR, EISDIR, EINVAL,
                               ENFILE, EMFILE, EFBIG,  ENOSPC,  ESPIPE, EROFS};
    int told = FILEIO_EUNKNOWN;
    for (unsigned i = 0; i < ARRAY_SIZE(same); i++)
        if (same[i] == error)
            told = error;
    gdb_reply_text(r->reply, "F-1,%x", (unsigned)told);
}

/* Hexadecimal path up to a comma or the end. */
static bool parse_path(const char **args, char path[PATH_BYTES])
{
    size_t digits = strcspn(*args, ",");
    if (digits % 2 || digits / 2 >= PATH_BYTES || !gdb_parse_bytes(args, path, digits / 2))
        return false;
    path[digits / 2] = 0;
    return true;
}

/* A descriptor of the debugger's as its slot, or NULL. */
static int *parse_file(const struct request *r, const char **args)
{
    uint64_t index;
    if (!gdb_parse_hex(args, &index) || index >= GDB_FILES_MAX || r->files->fds[index] < 0)
        return NULL;
    return &r->files->fds[index];
}

static void file_open(const struct request *r, const char *args)
{
    char path[PATH_BYTES];
    uint64_t flags;
    unsigned slot = 0;
    if (!parse_path(&args, path) || *args++ != ',' || !gdb_parse_hex(&args, &flags)) {
        fail(r, EINVAL);
        return;
    }
    while (slot < GDB_FILES_MAX && r->files->fds[slot] >= 0)
        slot++;
    int fd = flags ? -EROFS : slot == GDB_FILES_MAX ? -EMFILE : r->open(r->ctx, path);
    if (fd < 0) {
        fail(r, -fd);
        return;
    }
    r->files->fds[slot] = fd;
    gdb_reply_text(r->reply, "F%x", slot);
}

static void file_close(const struct request *r, const char *args)
{
    int *fd = parse_file(r, &args);
    if (!fd) {
        fail(r, EBADF);
        return;
    }
    close(*fd);
    *fd = -1;
    gdb_reply_text(r->reply, "F0");
}

static void file_pread(const struct request *r, const char *args)
{
    uint8_t data[READ_MAX];
    uint64_t count, offset;
    const int *fd = parse_file(r, &args);
    if (!fd || *args++ != ',' || !gdb_parse_hex(&args, &count) || *args++ != ',' ||
        !gdb_parse_hex(&args, &offset)) {
        fail(r, EINVAL);
        return;
    }
    ssize_t n = pread(*fd, data, count < READ_MAX ? count : READ_MAX, (off_t)offset);
    if (n < 0) {
        fail(r, errno);
        return;
    }
    gdb_reply_text(r->reply, "F%zx;", (size_t)n);
    gdb_reply_binary(r->reply, data, (size_t)n);
}

static void file_fstat(const struct request *r, const char *args)
{
    struct stat st;
    const int *fd = parse_file(r, &args);
    if (!fd || fstat(*fd, &st) < 0) {
        fail(r, fd ? errno : EBADF);
        return;
    }
    const struct fileio_stat told = {
        .dev = __builtin_bswap32((uint32_t)st.st_dev),
        .ino = __builtin_bswap32((uint32_t)st.st_ino),
        .mode = __builtin_bswap32(st.st_mode),
        .nlink = __builtin_bswap32((uint32_t)st.st_nlink),
        .uid = __builtin_bswap32(st.st_uid),
        .gid = __builtin_bswap32(st.st_gid),
        .rdev = __builtin_bswap32((uint32_t)st.st_rdev),
        .size = __builtin_bswap64((uint64_t)st.st_size),
        .blksize = __builtin_bswap64((uint64_t)st.st_blksize),
        .blocks = __builtin_bswap64((uint64_t)st.st_blocks),
        .atime = __builtin_bswap32((uint32_t)st.st_atim.tv_sec),
        .mtime = __builtin_bswap32((uint32_t)st.st_mtim.tv_sec),
        .ctime = __builtin_bswap32((uint32_t)st.st_ctim.tv_sec),
    };
    gdb_reply_text(r->reply, "F%zx;", sizeof told);
    gdb_reply_binary(r->reply, &told, sizeof told);
}

/* setfs: whose files. There is one process, and it sees its own. */
static void file_setfs(const struct request *r, const char *args)
{
    (void)args;
    gdb_reply_text(r->reply, "F0");
}

static const struct {
    const char *name;
    void (*run)(const struct request *r, const char *args);
} operations[] = {
    {"setfs:", file_setfs}, {"open:", file_open},   {"close:", file_close},
    {"pread:", file_pread}, {"fstat:", file_fstat},
};

void gdb_files_init(struct gdb_files *files)
{
    for (unsigned i = 0; i < GDB_FILES_MAX; i++)
        files->fds[i] = -1;
}

void gdb_files_done(struct gdb_files *files)
{
    for (unsigned i = 0; i < GDB_FILES_MAX; i++)
        if (files->fds[i] >= 0)
            close(files->fds[i]);
    gdb_files_init(files);
}

void gdb_file_command(struct gdb_files *files, int (*open)(void *ctx, const char *path), void *ctx,
                      const char *args, struct gdb_reply *reply)
{
    const struct request r = {files, open, ctx, reply};
    for (unsigned i = 0; i < ARRAY_SIZE(operations); i++) {
        size_t length = strlen(operations[i].name);
        if (strncmp(args, operations[i].name, length) == 0) {
            operations[i].run(&r, args + length);
            return;
        }
    }
}
