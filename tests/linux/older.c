/* older.c: the older asynchronous I/O, scheduling attributes, memory locks, namespaces and mounts,
 * identities, keys and performance events. */
#include "tell.h"

#include <linux/aio_abi.h>
#include <linux/perf_event.h>
#include <grp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/timex.h>
#include <sys/wait.h>

static volatile sig_atomic_t alarms;

static void on_alarm(int signal)
{
    alarms++;
}

static void requests(void)
{
    aio_context_t context = 0;
    char buffer[16] = "";
    int fd = open("file", O_RDWR | O_CREAT, 0600);
    TELL(syscall(SYS_io_setup, 8, &context));
    struct iocb write = {.aio_data = 11,
                         .aio_lio_opcode = IOCB_CMD_PWRITE,
                         .aio_fildes = (uint32_t)fd,
                         .aio_buf = (uintptr_t) "asynchronous",
                         .aio_nbytes = 12};
    struct iocb read = write;
    read.aio_data = 22;
    read.aio_lio_opcode = IOCB_CMD_PREAD;
    read.aio_buf = (uintptr_t)buffer;
    struct io_event events[4];
    struct timespec second = {1, 0};
    for (struct iocb *one = &write;; one = &read) {
        TELL(syscall(SYS_io_submit, context, 1, &one));
        TELL(syscall(SYS_io_getevents, context, 1, 4, events, &second));
        printf("data %llu result %lld\n", (unsigned long long)events[0].data,
               (long long)events[0].res);
        if (one == &read)
            break;
    }
    TELL_TEXT(buffer);
    sigset_t none, blocked;
    sigemptyset(&none);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGALRM);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    signal(SIGALRM, on_alarm);
    struct {
        const sigset_t *set;
        size_t size;
    } mask = {&none, 8};
    ualarm(20000, 0);
    TELL(syscall(SYS_io_pgetevents, context, 1, 4, events, &second, &mask));
    TELL(alarms);
    sigprocmask(SIG_UNBLOCK, &blocked, NULL);
    mask.size = 3;
    TELL(syscall(SYS_io_pgetevents, context, 1, 4, events, &second, &mask));
    TELL(syscall(SYS_io_destroy, context));
    TELL(syscall(SYS_io_destroy, context));
    close(fd);
}

static void schedules(void)
{
    struct {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime, deadline, period;
        uint32_t util_min, util_max;
    } attr = {0};
    TELL(syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0));
    TELL(attr.policy);
    attr.policy = SCHED_BATCH;
    attr.nice = 3;
    TELL(syscall(SYS_sched_setattr, 0, &attr, 0));
    TELL(sched_getscheduler(0));
    TELL(syscall(SYS_getpriority, 0, 0));
    TELL(syscall(SYS_ioprio_set, 1, 0, 2 << 13 | 5));
    TELL(syscall(SYS_ioprio_get, 1, 0));
    TELL(syscall(SYS_sched_getattr, 0, &attr, 4, 0));
    struct timex now = {0};
    TELL_BOOL(adjtimex(&now) >= 0);
    TELL_BOOL(now.tick > 0 && now.time.tv_sec > 1000000000);
}

static void locks(void)
{
    unsigned char present[4];
    char *p = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    TELL(mincore(p, 4 * 4096, present));
    TELL(present[0] + present[3]);
    TELL(mlock(p, 8192));
    TELL(mincore(p, 4 * 4096, present));
    printf("%d %d %d %d\n", present[0], present[1], present[2], present[3]);
    TELL(munlock(p, 8192));
    TELL(mlock2(p + 8192, 4096, MLOCK_ONFAULT));
    TELL(msync(p, 4096, MS_SYNC));
    TELL(msync(p + 1, 4096, MS_SYNC));
    TELL(syscall(SYS_get_mempolicy, NULL, NULL, 0, NULL, 0));
    void *pages[1] = {p};
    int status[1] = {99};
    TELL(syscall(SYS_move_pages, 0, 1, pages, NULL, status, 0));
    TELL_BOOL(status[0] >= 0);
    munmap(p, 4 * 4096);
}

static void identities(void)
{
    uid_t r, e, s;
    gid_t groups[8];
    TELL(getresuid(&r, &e, &s));
    TELL_BOOL(r == getuid() && e == geteuid() && s == e);
    TELL_BOOL(getgroups(0, NULL) >= 0);
    TELL_BOOL(getsid(0) == getsid(getpid()) && getpgid(0) == getpgrp());
    if (getuid() != 0)
        return;
    gid_t some[2] = {7, 9};
    TELL(setgroups(2, some));
    TELL(getgroups(8, groups));
    printf("%d %d\n", groups[0], groups[1]);
    TELL(setresgid(5, 5, 5));
    TELL(setfsuid(12));
    TELL(setfsuid(0));
    TELL(setresuid(1, 2, 3));
    TELL(getresuid(&r, &e, &s));
    printf("%d %d %d\n", r, e, s);
    TELL(setuid(77));
    TELL(seteuid(1));
}

static void namespaces(void)
{
    if (getuid() != 0 || TELL(unshare(CLONE_NEWNS | CLONE_NEWUTS)) < 0)
        return;
    struct statfs fs;
    char name[65];
    TELL(mkdir("mnt", 0755));
    TELL(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
    TELL(mount("none", "mnt", "tmpfs", MS_NOSUID, "size=1m,mode=700"));
    TELL(statfs("mnt", &fs));
    TELL_HEX(fs.f_type);
    TELL(fs.f_blocks * (unsigned long)fs.f_bsize);
    int tree = (int)syscall(SYS_open_tree, AT_FDCWD, "mnt", 1 | O_CLOEXEC); /* OPEN_TREE_CLONE */
    TELL_BOOL(tree >= 0);
    TELL(umount2("mnt", MNT_DETACH));
    TELL(syscall(SYS_move_mount, tree, "", AT_FDCWD, "mnt", 4)); /* MOVE_MOUNT_F_EMPTY_PATH */
    TELL(statfs("mnt", &fs));
    TELL_HEX(fs.f_type);
    TELL(umount2("mnt", 0));
    TELL(sethostname("guest", 5));
    TELL(gethostname(name, sizeof(name)));
    TELL_TEXT(name);
    int fsfd = (int)syscall(SYS_fsopen, "tmpfs", 1);
    TELL_BOOL(fsfd >= 0);
    TELL(syscall(SYS_fsconfig, fsfd, 1, "size", "2m", 0)); /* FSCONFIG_SET_STRING */
    TELL(syscall(SYS_fsconfig, fsfd, 1, "nonsense", "2m", 0));
}

static void counters(void)
{
    struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
                                   .size = sizeof(attr),
                                   .config = PERF_COUNT_SW_TASK_CLOCK,
                                   .exclude_kernel = 1};
    uint64_t value = 0;
    int fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
    if (fd < 0) {
        printf("no counters: %s\n", strerrorname_np(errno));
        return;
    }
    TELL(read(fd, &value, sizeof(value)));
    TELL_BOOL(value > 0);
    close(fd);
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    requests();
    schedules();
    locks();
    namespaces();
    counters();
    identities();
}
