/* data.c: moving data and watching files: splice, copy_file_range, xattr, inotify, fanotify,
 * memfd, ioctl. */
#include "tell.h"

#include <linux/fs.h>
#include <poll.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <termios.h>

static void moves(void)
{
    char buffer[64] = "";
    int pipes[2], other[2];
    tell_file("source", "0123456789abcdef");
    int in = open("source", O_RDONLY), out = open("target", O_RDWR | O_CREAT, 0600);
    off_t at = 4;
    TELL(sendfile(out, in, &at, 6));
    TELL(at);
    loff_t from = 0, to = 100;
    TELL(copy_file_range(in, &from, out, &to, 10, 0));
    TELL(from + to);
    TELL(pipe(pipes));
    TELL(pipe(other));
    from = 2;
    TELL(splice(in, &from, pipes[1], NULL, 8, 0));
    TELL(tee(pipes[0], other[1], 8, SPLICE_F_NONBLOCK));
    TELL(read(other[0], buffer, sizeof(buffer)));
    TELL_TEXT(buffer);
    struct iovec iov[2] = {{"ab", 2}, {"cd", 2}};
    TELL(vmsplice(pipes[1], iov, 2, 0));
    TELL(ioctl(pipes[0], FIONREAD, buffer));
    TELL(*(int *)buffer);
    struct iovec parts[2] = {{buffer, 3}, {buffer + 8, 20}};
    TELL(readv(pipes[0], parts, 2));
    TELL(pwritev(out, iov, 2, 1));
    TELL(preadv2(out, parts, 2, 0, RWF_HIPRI));
    TELL(pwritev2(out, iov, 2, 0, RWF_APPEND));
    TELL(lseek(out, 0, SEEK_END));
    TELL(readv(out, (void *)8, 2));
    TELL(readv(out, parts, 5000));
    TELL(read(out, (void *)8, 4));
    TELL(sync_file_range(out, 0, 0, SYNC_FILE_RANGE_WRITE));
    TELL(fsync(out) + fdatasync(out) + syncfs(out));
    TELL(readahead(in, 0, 16));
    int version;
    TELL_OK(ioctl(in, FS_IOC_GETVERSION, &version));
    TELL(ioctl(in, FIGETBSZ, &version));
    TELL(ioctl(in, TCGETS, buffer));
    TELL(ioctl(in, 0xae00, 0));
    close(in);
    close(out);
}

static void attributes(void)
{
    char value[64] = "";
    tell_file("attributes", "x");
    TELL(setxattr("attributes", "user.one", "value", 5, XATTR_CREATE));
    TELL(setxattr("attributes", "user.one", "value", 5, XATTR_CREATE));
    TELL(getxattr("attributes", "user.one", value, sizeof(value)));
    TELL_TEXT(value);
    TELL(getxattr("attributes", "user.one", value, 2));
    TELL(listxattr("attributes", NULL, 0) > 0);
    TELL(removexattr("attributes", "user.one"));
    TELL(getxattr("attributes", "user.one", value, sizeof(value)));
}

static void watches(void)
{
    char events[4096] __attribute__((aligned(8)));
    int fd = (int)TELL(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    TELL(inotify_add_watch(fd, ".", IN_CREATE | IN_DELETE | IN_MODIFY));
    tell_file("watched", "contents");
    unlink("watched");
    ssize_t size = read(fd, events, sizeof(events));
    for (ssize_t at = 0; at < size;) {
        struct inotify_event *e = (struct inotify_event *)(events + at);
        printf("event %#x %s\n", e->mask, e->name);
        at += (ssize_t)(sizeof(*e) + e->len);
    }
    TELL(read(fd, events, sizeof(events)));
    TELL(inotify_rm_watch(fd, 1));
    close(fd);
    fd = (int)TELL(
        fanotify_init(FAN_CLASS_NOTIF | FAN_NONBLOCK, O_RDONLY | O_LARGEFILE | O_NOATIME));
    if (fd < 0)
        return;
    tell_file("marked", "contents");
    TELL(fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN | FAN_CLOSE_WRITE, AT_FDCWD, "marked"));
    tell_file("marked", "again");
    size = read(fd, events, sizeof(events));
    struct fanotify_event_metadata *m = (void *)events;
    for (; FAN_EVENT_OK(m, size); m = FAN_EVENT_NEXT(m, size)) {
        printf("fanotify %#llx from us %d flags direct %d noatime %d\n",
               (unsigned long long)m->mask, m->pid == getpid(),
               (fcntl(m->fd, F_GETFL) & O_DIRECT) != 0, (fcntl(m->fd, F_GETFL) & O_NOATIME) != 0);
        close(m->fd);
    }
    close(fd);
    TELL(fanotify_init(FAN_CLASS_NOTIF, 0x40000000));
}

static void handles(void)
{
    union {
        struct file_handle h;
        char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
    } handle = {.h.handle_bytes = MAX_HANDLE_SZ};
    int mount, dir = open(".", O_RDONLY | O_DIRECTORY);
    if (name_to_handle_at(AT_FDCWD, "source", &handle.h, &mount, 0) < 0) {
        printf("no handles: %s\n", strerrorname_np(errno));
        return;
    }
    int fd = (int)TELL(open_by_handle_at(dir, &handle.h, O_RDONLY | O_NOFOLLOW));
    if (fd >= 0)
        TELL(fcntl(fd, F_GETFL) & (O_DIRECTORY | O_DIRECT));
    TELL(open_by_handle_at(dir, &handle.h, O_RDONLY | O_DIRECTORY));
    close(fd);
    close(dir);
}

static void memory_files(void)
{
    int fd = (int)TELL(memfd_create("name", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    TELL(ftruncate(fd, 8192));
    TELL(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
    TELL(fcntl(fd, F_GET_SEALS));
    TELL(ftruncate(fd, 4096));
    char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    strcpy(p, "in memory");
    char buffer[16] = "";
    TELL(pread(fd, buffer, 9, 0));
    TELL_TEXT(buffer);
    char link[128] = "", path[32];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    TELL(readlink(path, link, sizeof(link)));
    TELL_TEXT(link);
    TELL(munmap(p, 8192));
    TELL(memfd_create("bad", 0x4000));
    int secret = (int)syscall(SYS_memfd_secret, 0);
    TELL_BOOL(secret >= 0 || errno == ENOSYS);
    close(secret);
    close(fd);
}

static void terminals(void)
{
    struct termios t;
    struct winsize size = {.ws_row = 31, .ws_col = 97};
    int master = (int)TELL(open("/dev/ptmx", O_RDWR | O_NOCTTY)), number, unlock = 0;
    if (master < 0)
        return;
    TELL(ioctl(master, TIOCSPTLCK, &unlock));
    TELL_OK(ioctl(master, TIOCGPTN, &number));
    int slave = (int)TELL(ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY));
    TELL(tcgetattr(slave, &t));
    printf("flags %o %o %o %o\n", t.c_iflag, t.c_oflag, t.c_cflag, t.c_lflag);
    for (unsigned i = 0; i < 17; i++)
        printf("%d ", t.c_cc[i]);
    printf("\n");
    t.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    cfsetspeed(&t, B115200);
    TELL(tcsetattr(slave, TCSANOW, &t));
    TELL(tcgetattr(slave, &t));
    TELL(cfgetospeed(&t) == B115200);
    TELL(ioctl(slave, TIOCSWINSZ, &size));
    size = (struct winsize){0};
    TELL(ioctl(master, TIOCGWINSZ, &size));
    TELL(size.ws_row * 1000 + size.ws_col);
    TELL(write(master, "typed", 5));
    TELL(poll(&(struct pollfd){slave, POLLIN, 0}, 1, 1000));
    int n;
    TELL(ioctl(slave, FIONREAD, &n));
    TELL(n);
    char c[8] = "";
    TELL(read(slave, c, sizeof(c)));
    TELL_TEXT(c);
    TELL(isatty(slave));
    TELL(tcflush(slave, TCIOFLUSH));
    close(slave);
    close(master);
}

int main(void)
{
    moves();
    attributes();
    watches();
    handles();
    memory_files();
    terminals();
}
