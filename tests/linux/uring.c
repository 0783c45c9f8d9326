/* uring.c: io_uring by bare system calls: files, flags, events, polling. */
#include "tell.h"

#include <linux/io_uring.h>
#include <linux/openat2.h>
#include <linux/time_types.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>

struct ring {
    int fd;
    struct io_uring_params p;
    char *sq, *cq;
    struct io_uring_sqe *sqes;
};

static unsigned *at(char *base, unsigned offset)
{
    return (unsigned *)(base + offset);
}

static bool ring_open(struct ring *r, unsigned entries, unsigned flags)
{
    memset(r, 0, sizeof(*r));
    r->p.flags = flags;
    r->fd = (int)syscall(SYS_io_uring_setup, entries, &r->p);
    if (r->fd < 0)
        return false;
    size_t sq = r->p.sq_off.array + r->p.sq_entries * 4;
    size_t cq = r->p.cq_off.cqes + r->p.cq_entries * sizeof(struct io_uring_cqe);
    size_t size = sq > cq ? sq : cq;
    r->sq = r->cq = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, r->fd,
                         IORING_OFF_SQ_RING);
    r->sqes = mmap(NULL, r->p.sq_entries * sizeof(*r->sqes), PROT_READ | PROT_WRITE, MAP_SHARED,
                   r->fd, IORING_OFF_SQES);
    return true;
}

static struct io_uring_sqe *next(struct ring *r, unsigned op)
{
    unsigned *tail = at(r->sq, r->p.sq_off.tail), index = *tail & (r->p.sq_entries - 1);
    at(r->sq, r->p.sq_off.array)[index] = index;
    __atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
    memset(&r->sqes[index], 0, sizeof(r->sqes[index]));
    r->sqes[index].opcode = (uint8_t)op;
    r->sqes[index].user_data = op;
    return &r->sqes[index];
}

static int enter(struct ring *r, unsigned submit, unsigned wait)
{
    long n = syscall(SYS_io_uring_enter, r->fd, submit, wait, wait ? IORING_ENTER_GETEVENTS : 0,
                     NULL, 0);
    return n < 0 ? -errno : (int)n;
}

/* The next completion's result; -9999: none is there. */
static int reap(struct ring *r)
{
    unsigned *head = at(r->cq, r->p.cq_off.head);
    if (*head == __atomic_load_n(at(r->cq, r->p.cq_off.tail), __ATOMIC_ACQUIRE))
        return -9999;
    struct io_uring_cqe *cqes = (void *)(r->cq + r->p.cq_off.cqes);
    int result = cqes[*head & (r->p.cq_entries - 1)].res;
    __atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
    return result;
}

static int one(struct ring *r)
{
    int n = enter(r, 1, 1);
    return n == 1 ? reap(r) : n;
}

static struct io_uring_sqe *open_entry(struct ring *r, const char *path, int flags)
{
    struct io_uring_sqe *sqe = next(r, IORING_OP_OPENAT);
    sqe->fd = AT_FDCWD;
    sqe->addr = (uintptr_t)path;
    sqe->len = 0600;
    sqe->open_flags = (uint32_t)flags;
    return sqe;
}

static void opens(struct ring *r)
{
    TELL(symlink("file", "link"));
    open_entry(r, "file", O_RDWR | O_CREAT);
    int fd = (int)TELL(one(r));
    TELL(fcntl(fd, F_GETFL) & (O_ACCMODE | O_DIRECT | O_DIRECTORY | O_NOFOLLOW));
    close(fd);
    struct io_uring_sqe *sqe = open_entry(r, "file", O_DIRECTORY);
    TELL(one(r));
    TELL(sqe->open_flags == O_DIRECTORY);
    open_entry(r, ".", O_DIRECTORY);
    close((int)TELL(one(r)));
    open_entry(r, "link", O_NOFOLLOW);
    TELL(one(r));
    open_entry(r, "link", O_PATH | O_NOFOLLOW);
    close((int)TELL(one(r)));
    struct open_how how = {.flags = O_DIRECTORY | O_RDONLY};
    for (int i = 0; i < 2; i++) {
        sqe = next(r, IORING_OP_OPENAT2);
        sqe->fd = AT_FDCWD;
        sqe->addr = (uintptr_t)(i ? "." : "file");
        sqe->addr2 = (uintptr_t)&how;
        sqe->len = sizeof(how);
        close((int)TELL(one(r)));
        TELL(sqe->addr2 == (uintptr_t)&how && how.flags == (O_DIRECTORY | O_RDONLY));
    }
    sqe = next(r, IORING_OP_OPENAT2);
    sqe->fd = AT_FDCWD;
    sqe->addr = (uintptr_t) "file";
    sqe->addr2 = 8;
    sqe->len = sizeof(how);
    TELL(one(r));
    /* More than fit into one round of conversions, opened and counted. */
    for (int i = 0; i < 60; i++)
        open_entry(r, i % 3 ? "." : "file", O_DIRECTORY);
    TELL(enter(r, 60, 60));
    int good = 0, bad = 0, res;
    while ((res = reap(r)) != -9999) {
        good += res >= 0;
        bad += res == -ENOTDIR;
        close(res);
    }
    printf("opened %d, no directories %d\n", good, bad);
    /* The same entry again and again. */
    sqe = open_entry(r, "file", O_NOFOLLOW);
    close((int)TELL(one(r)));
    for (int i = 0; i < 3; i++) {
        unsigned *tail = at(r->sq, r->p.sq_off.tail);
        at(r->sq, r->p.sq_off.array)[*tail & (r->p.sq_entries - 1)] = (unsigned)(sqe - r->sqes);
        __atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
        close((int)TELL(one(r)));
    }
}

static void files(struct ring *r)
{
    char buffer[32] = "";
    struct iovec iov = {"written by a ring", 17};
    int fd = open("file", O_RDWR | O_CREAT, 0600);
    struct io_uring_sqe *sqe = next(r, IORING_OP_WRITEV);
    sqe->fd = fd;
    sqe->addr = (uintptr_t)&iov;
    sqe->len = 1;
    sqe->flags = IOSQE_IO_LINK;
    sqe = next(r, IORING_OP_READ);
    sqe->fd = fd;
    sqe->addr = (uintptr_t)buffer;
    sqe->len = sizeof(buffer);
    TELL(enter(r, 2, 2));
    TELL(reap(r));
    TELL(reap(r));
    TELL_TEXT(buffer);
    struct statx stx;
    sqe = next(r, IORING_OP_STATX);
    sqe->fd = AT_FDCWD;
    sqe->addr = (uintptr_t) "file";
    sqe->len = STATX_SIZE;
    sqe->off = (uintptr_t)&stx;
    TELL(one(r));
    TELL(stx.stx_size);
    sqe = next(r, IORING_OP_FSYNC);
    sqe->fd = fd;
    TELL(one(r));
    next(r, IORING_OP_NOP);
    TELL(one(r));
    next(r, 200);
    TELL(one(r));
    struct iovec fixed = {buffer, sizeof(buffer)};
    TELL(syscall(SYS_io_uring_register, r->fd, IORING_REGISTER_BUFFERS, &fixed, 1));
    sqe = next(r, IORING_OP_READ_FIXED);
    sqe->fd = fd;
    sqe->addr = (uintptr_t)buffer;
    sqe->len = 7;
    TELL(one(r));
    TELL(syscall(SYS_io_uring_register, r->fd, IORING_UNREGISTER_BUFFERS, NULL, 0));
    TELL(syscall(SYS_io_uring_register, r->fd, 29, NULL, 0));
    sqe = next(r, IORING_OP_CLOSE);
    sqe->fd = fd;
    TELL(one(r));
}

static void events(struct ring *r)
{
    int ep = epoll_create1(0), event = eventfd(0, 0);
    struct epoll_event in = {.events = EPOLLIN, .data.u64 = 0x123456789abcdef0}, out = {0};
    struct io_uring_sqe *sqe = next(r, IORING_OP_EPOLL_CTL);
    sqe->fd = ep;
    sqe->len = EPOLL_CTL_ADD;
    sqe->off = (uint64_t)event;
    sqe->addr = (uintptr_t)&in;
    TELL(one(r));
    sqe = next(r, IORING_OP_POLL_ADD);
    sqe->fd = event;
    sqe->poll32_events = EPOLLIN;
    TELL(enter(r, 1, 0));
    TELL(reap(r));
    TELL(write(event, &(uint64_t){1}, 8));
    TELL(enter(r, 0, 1));
    TELL(reap(r));
    TELL(epoll_wait(ep, &out, 1, 1000));
    TELL_HEX(out.events);
    TELL_HEX(out.data.u64);
    struct __kernel_timespec ts = {.tv_nsec = 20000000};
    sqe = next(r, IORING_OP_TIMEOUT);
    sqe->addr = (uintptr_t)&ts;
    sqe->len = 1;
    TELL(one(r));
    struct io_uring_getevents_arg arg = {.ts = (uintptr_t)&ts};
    TELL(syscall(SYS_io_uring_enter, r->fd, 0, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG,
                 &arg, sizeof(arg)));
    TELL(syscall(SYS_io_uring_enter, r->fd, 0, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG,
                 &arg, 7));
    TELL(syscall(SYS_io_uring_enter, r->fd, 0, 0, 1u << 30, NULL, 0));
    TELL(syscall(SYS_io_uring_enter, 99, 0, 0, 0, NULL, 0));
    close(ep);
    close(event);
}

static volatile sig_atomic_t alarms;

static void on_alarm(int signal)
{
    alarms++;
}

static void masks(struct ring *r)
{
    sigset_t blocked, none;
    sigemptyset(&none);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGALRM);
    signal(SIGALRM, on_alarm);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    ualarm(20000, 0);
    TELL(syscall(SYS_io_uring_enter, r->fd, 0, 1, IORING_ENTER_GETEVENTS, &none, 8));
    TELL(alarms);
    sigprocmask(SIG_UNBLOCK, &blocked, NULL);
    TELL(alarms);
}

/* The kernel thread takes plain reads; opening is either done right or refused. */
static void polled(void)
{
    struct ring r;
    char buffer[8];
    if (!ring_open(&r, 8, IORING_SETUP_SQPOLL))
        return;
    int fd = open("/dev/zero", O_RDONLY);
    struct io_uring_sqe *sqe = next(&r, IORING_OP_NOP);
    *sqe = (struct io_uring_sqe){
        .opcode = IORING_OP_READ, .fd = fd, .addr = (uintptr_t)buffer, .len = 8};
    TELL(syscall(SYS_io_uring_enter, r.fd, 1, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_SQ_WAKEUP,
                 NULL, 0));
    TELL(reap(&r));
    close(r.fd);
}

int main(void)
{
    struct ring r;
    if (!ring_open(&r, 64, 0)) {
        printf("no io_uring: %s\n", strerrorname_np(errno));
        return 0;
    }
    TELL(r.p.sq_entries * 1000 + r.p.cq_entries);
    opens(&r);
    files(&r);
    events(&r);
    masks(&r);
    polled();
    struct io_uring_params bad = {.flags = 1u << 30};
    TELL(syscall(SYS_io_uring_setup, 4, &bad));
    TELL(syscall(SYS_io_uring_setup, 4, (void *)8));
    TELL(syscall(SYS_io_uring_setup, 0, &r.p));
}
