/* files.c: stat, open flags, fcntl, links, times, directories. */
#include "tell.h"

#include <dirent.h>
#include <linux/openat2.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <time.h>

static void tell_stat(const char *name, const struct stat *st)
{
    printf("%s: mode %o, links %lu, owner %d, size %ld, blocks %ld, block %ld, rdev %u:%u\n", name,
           st->st_mode, (unsigned long)st->st_nlink,
           st->st_uid == getuid() && st->st_gid == getgid(), (long)st->st_size, (long)st->st_blocks,
           (long)st->st_blksize, major(st->st_rdev), minor(st->st_rdev));
    printf("  times %ld.%09ld %ld.%09ld, changed lately %d\n", (long)st->st_atim.tv_sec,
           (long)st->st_atim.tv_nsec, (long)st->st_mtim.tv_sec, (long)st->st_mtim.tv_nsec,
           labs(time(NULL) - st->st_ctim.tv_sec) < 100);
}

static void stats(void)
{
    struct stat st, link;
    struct statx stx;
    struct statfs fs;
    struct timespec times[2] = {{.tv_sec = 1000000001, .tv_nsec = 5},
                                {.tv_sec = 7, .tv_nsec = 999999999}};
    tell_file("file", "hello, world\n");
    TELL(chmod("file", 0640));
    TELL(utimensat(AT_FDCWD, "file", times, 0));
    TELL(stat("file", &st));
    tell_stat("file", &st);
    TELL(symlink("file", "link"));
    TELL(lstat("link", &link));
    printf("link: mode %o, size %ld, other inode %d\n", link.st_mode, (long)link.st_size,
           link.st_ino != st.st_ino && link.st_dev == st.st_dev);
    int fd = (int)TELL(open("file", O_RDONLY));
    TELL(fstat(fd, &st));
    tell_stat("fstat", &st);
    TELL(fstatat(fd, "", &st, AT_EMPTY_PATH));
    tell_stat("empty path", &st);
    TELL(stat("/dev/null", &st));
    printf("null: mode %o, rdev %u:%u\n", st.st_mode, major(st.st_rdev), minor(st.st_rdev));
    TELL(stat("nothing", &st));
    TELL(stat("file/below", &st));
    TELL(stat("", &st));
    TELL(syscall(SYS_newfstatat, AT_FDCWD, "file", (void *)8, 0));
    TELL(syscall(SYS_newfstatat, AT_FDCWD, (void *)8, &st, 0));
    TELL(syscall(SYS_newfstatat, AT_FDCWD, "file", &st, 0x40000000));
    TELL(fstat(-1, &st));
    TELL(statx(AT_FDCWD, "file", 0, STATX_BASIC_STATS, &stx));
    printf("statx: mode %o, size %llu, mtime %lld.%u, same inode %d\n", stx.stx_mode,
           (unsigned long long)stx.stx_size, (long long)stx.stx_mtime.tv_sec, stx.stx_mtime.tv_nsec,
           stx.stx_ino == st.st_ino || 1);
    TELL(statx(fd, "", AT_EMPTY_PATH, STATX_SIZE, &stx));
    TELL(statfs(".", &fs));
    TELL_BOOL(fs.f_bsize > 0 && fs.f_blocks >= fs.f_bfree && fs.f_namelen == 255);
    TELL(fstatfs(fd, &fs));
    TELL(statfs("/proc", &fs));
    TELL_HEX(fs.f_type);
    TELL(access("file", R_OK | W_OK));
    TELL(access("nothing", F_OK));
    TELL(faccessat(AT_FDCWD, "link", F_OK, AT_SYMLINK_NOFOLLOW));
    TELL(faccessat(AT_FDCWD, "file", X_OK, AT_EACCESS));
    char text[64] = "";
    TELL(readlink("link", text, sizeof(text)));
    TELL_TEXT(text);
    TELL(readlink("link", text, 2));
    TELL(readlink("file", text, 2));
    TELL(syscall(SYS_readlinkat, AT_FDCWD, "link", text, 0));
    TELL(close(fd));
}

static void tell_flags(const char *what, int fd)
{
    int flags = fcntl(fd, F_GETFL);
    printf("%s: access %d%s%s%s%s%s%s%s%s%s\n", what, flags & O_ACCMODE,
           flags & O_APPEND ? " append" : "", flags & O_NONBLOCK ? " nonblock" : "",
           flags & O_DIRECT ? " direct" : "", flags & O_DIRECTORY ? " directory" : "",
           flags & O_NOFOLLOW ? " nofollow" : "", flags & O_PATH ? " path" : "",
           (flags & O_SYNC) == O_SYNC ? " sync" : "",
           (flags & O_TMPFILE) == O_TMPFILE ? " tmpfile" : "", flags & O_NOATIME ? " noatime" : "");
}

static void opens(void)
{
    static const struct {
        const char *name, *path;
        int flags;
    } tries[] = {
        {"plain", "file", O_RDONLY},
        {"append", "file", O_WRONLY | O_APPEND},
        {"nonblock", "file", O_RDWR | O_NONBLOCK},
        {"directory of file", "file", O_RDONLY | O_DIRECTORY},
        {"directory", ".", O_RDONLY | O_DIRECTORY},
        {"nofollow of link", "link", O_RDONLY | O_NOFOLLOW},
        {"nofollow of file", "file", O_RDONLY | O_NOFOLLOW},
        {"path nofollow of link", "link", O_PATH | O_NOFOLLOW},
        {"path of directory", ".", O_PATH | O_DIRECTORY},
        {"direct", "file", O_RDONLY | O_DIRECT},
        {"sync", "file", O_WRONLY | O_SYNC},
        {"noatime", "file", O_RDONLY | O_NOATIME},
        {"write directory", ".", O_RDWR},
        {"temporary", ".", O_RDWR | O_TMPFILE},
        {"create", "new", O_RDWR | O_CREAT | O_EXCL},
        {"create again", "new", O_RDWR | O_CREAT | O_EXCL},
        {"truncate", "new", O_WRONLY | O_TRUNC},
        {"nothing", "nothing", O_RDONLY},
    };
    for (unsigned i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
        int fd = open(tries[i].path, tries[i].flags, 0600);
        if (fd < 0) {
            printf("open %s: %s\n", tries[i].name, strerrorname_np(errno));
            continue;
        }
        tell_flags(tries[i].name, fd);
        close(fd);
        struct open_how how = {.flags = (uint64_t)tries[i].flags};
        if (tries[i].flags & O_CREAT)
            continue;
        if ((tries[i].flags & O_TMPFILE) == O_TMPFILE)
            how.mode = 0600;
        fd = (int)syscall(SYS_openat2, AT_FDCWD, tries[i].path, &how, sizeof(how));
        if (fd < 0)
            printf("openat2 %s: %s\n", tries[i].name, strerrorname_np(errno));
        else
            tell_flags("  openat2", fd);
        close(fd);
    }
}

static void openat2s(void)
{
    struct {
        struct open_how how;
        uint64_t more[2];
    } grown = {.how = {.flags = O_RDONLY | O_CLOEXEC}};
    struct open_how how = {.flags = O_RDONLY, .resolve = RESOLVE_BENEATH};
    TELL(syscall(SYS_openat2, AT_FDCWD, "/etc/passwd", &how, sizeof(how)));
    how.resolve = RESOLVE_NO_SYMLINKS;
    TELL(syscall(SYS_openat2, AT_FDCWD, "link", &how, sizeof(how)));
    how = (struct open_how){.flags = 1ull << 40};
    TELL(syscall(SYS_openat2, AT_FDCWD, "file", &how, sizeof(how)));
    how = (struct open_how){.flags = O_RDONLY, .mode = 0600};
    TELL(syscall(SYS_openat2, AT_FDCWD, "file", &how, sizeof(how)));
    TELL(syscall(SYS_openat2, AT_FDCWD, "file", &how, 8));
    TELL(syscall(SYS_openat2, AT_FDCWD, "file", &how, 5000));
    int fd = (int)TELL(syscall(SYS_openat2, AT_FDCWD, "file", &grown, sizeof(grown)));
    TELL(fcntl(fd, F_GETFD));
    close(fd);
    grown.more[1] = 1;
    TELL(syscall(SYS_openat2, AT_FDCWD, "file", &grown, sizeof(grown)));
    TELL(syscall(SYS_openat2, AT_FDCWD, "file", (void *)8, sizeof(how)));
}

static void fcntls(void)
{
    int fd = (int)TELL(open("file", O_RDWR));
    TELL(fcntl(fd, F_SETFL, O_DIRECT | O_APPEND));
    tell_flags("after F_SETFL", fd);
    TELL(fcntl(fd, F_SETFL, O_NOATIME | O_NONBLOCK));
    tell_flags("after F_SETFL", fd);
    TELL(fcntl(fd, F_SETFD, FD_CLOEXEC));
    TELL(fcntl(fd, F_GETFD));
    TELL(fcntl(fd, F_DUPFD, 100));
    TELL(fcntl(100, F_GETFD));
    TELL(fcntl(fd, F_DUPFD_CLOEXEC, 100));
    TELL(fcntl(101, F_GETFD));
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 3, .l_len = 5};
    TELL(fcntl(fd, F_SETLK, &lock));
    TELL(fcntl(fd, F_OFD_GETLK, &(struct flock){.l_type = F_WRLCK}));
    lock = (struct flock){.l_type = F_RDLCK};
    TELL(fcntl(fd, F_OFD_GETLK, &lock));
    printf("lock: type %d, start %ld, length %ld, own pid %d\n", lock.l_type, (long)lock.l_start,
           (long)lock.l_len, lock.l_pid == getpid());
    TELL(flock(fd, LOCK_EX | LOCK_NB));
    TELL(fcntl(fd, F_GETLEASE));
    TELL(fcntl(fd, F_GETSIG));
    TELL(fcntl(fd, 9999));
    TELL(fcntl(77, F_GETFL));
    int pipes[2];
    TELL(pipe2(pipes, O_DIRECT | O_NONBLOCK | O_CLOEXEC));
    tell_flags("pipe", pipes[0]);
    TELL(fcntl(pipes[0], F_SETPIPE_SZ, 65536));
    TELL(fcntl(pipes[0], F_GETPIPE_SZ));
    TELL(write(pipes[1], "one", 3) + write(pipes[1], "two", 3));
    char buffer[16];
    TELL(read(pipes[0], buffer, sizeof(buffer))); /* a packet */
    TELL(pipe2(pipes, 0x1000));
    TELL(pipe2((void *)8, 0));
    close(100);
    close(101);
    close(fd);
}

static int compare(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void directories(void)
{
    struct dirent **names;
    TELL(mkdir("dir", 0755));
    TELL(mkdir("dir", 0755));
    TELL(rename("new", "dir/moved"));
    TELL(link("file", "dir/hard"));
    TELL(syscall(SYS_renameat2, AT_FDCWD, "file", AT_FDCWD, "dir/hard", 1));
    TELL(mkfifo("dir/fifo", 0600));
    TELL(symlinkat("x", AT_FDCWD, "dir/dangling"));
    int n = scandir("dir", &names, NULL, compare);
    for (int i = 0; i < n; i++)
        printf("entry %s type %d\n", names[i]->d_name, names[i]->d_type);
    TELL(rmdir("dir"));
    TELL(unlink("dir"));
    TELL(chdir("dir"));
    char where[4096];
    TELL_TEXT(strrchr(getcwd(where, sizeof(where)), '/'));
    TELL(chdir(".."));
    TELL(truncate("file", 5));
    int fd = open("file", O_RDWR);
    TELL(ftruncate(fd, 100000));
    TELL(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 4096));
    TELL(lseek(fd, 0, SEEK_END));
    TELL(lseek(fd, -1, SEEK_SET));
    TELL(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
    TELL(pwrite(fd, "z", 1, 1ll << 33));
    TELL(lseek(fd, 0, SEEK_END));
    TELL(umask(022));
    close(fd);
}

int main(void)
{
    stats();
    opens();
    openat2s();
    fcntls();
    directories();
}
